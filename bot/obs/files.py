"""Names for files that OBS has written on this machine: it cannot be told one beforehand. Nothing is ever overwritten."""

import re
from pathlib import Path
from typing import Final

LONGEST_NAME: Final = 100
_MOST_ALIKE: Final = 1_000
_UNFIT: Final = re.compile(r"[^\w .()\-]+")


def fit_name(wanted: str) -> str:
    """A name of a file in no other folder than its own, without an ending that counts; "" if nothing is left of it."""
    return _UNFIT.sub("_", wanted).strip(" ._")[:LONGEST_NAME]


def renamed(path: str, wanted: str) -> str:
    """Give a file another name in its folder; tells its path then. What cannot be renamed stays as it is."""
    old, stem = Path(path), fit_name(wanted)
    if stem.casefold().endswith(old.suffix.casefold()):
        stem = stem[: len(stem) - len(old.suffix)]
    if not stem or not old.is_file():
        return path
    for number in range(1, _MOST_ALIKE):
        new = old.with_name(f"{stem}{f' {number}' if number > 1 else ''}{old.suffix}")
        try:
            new.open("xb").close()  # the name is ours now: a rename alone would take the place of another file
            old.replace(new)
        except FileExistsError:
            continue
        except OSError:
            return path
        return str(new)
    return path
