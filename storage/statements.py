"""The statements of `queries.sql` by name, so that no SQL is written among the code and every statement has a comment."""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

_MARK: Final = "-- name: "


def read(text: str) -> dict[str, str]:
    """Statements by name. One begins at its name's line and ends before the next."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(_MARK):
            name = line.removeprefix(_MARK).strip()
            if name in found:
                raise ValueError(f"two statements are named {name}")
            lines = found[name] = []
        elif not line.startswith("--"):
            lines.append(line)
    return {name: "\n".join(lines).strip() for name, lines in found.items()}


STATEMENTS: Final[Mapping[str, str]] = MappingProxyType(
    read((files("storage") / "queries.sql").read_text(encoding="utf-8"))
)
WRITE_PATH: Final = tuple(
    text for name, text in STATEMENTS.items() if name.endswith("_view") or name.startswith("write_")
)
