"""Workflows that come with the bot, to begin with: one text file each, in the language itself.

`names` knows them without reading any; whoever makes a workflow of one may change it like any other.
"""

from functools import cache
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_SUFFIX: Final = ".workflow"


@cache
def names() -> tuple[str, ...]:
    """What they are called, as people say it."""
    return tuple(sorted(path.stem.replace("_", " ") for path in _HERE.glob(f"*{_SUFFIX}")))


def text(name: str) -> str:
    """One of them as it is written.

    Raises:
        KeyError: There is none of that name.
    """
    if name not in names():
        raise KeyError(name)
    return (_HERE / f"{name.replace(' ', '_')}{_SUFFIX}").read_text(encoding="utf-8")
