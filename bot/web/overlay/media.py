"""The sounds and images there are: files in one folder, found by their names without the ending.

A name from a workflow is only ever compared with those of the files that are there, so it cannot lead out of the folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["sound", "image"]

MAX_FILES: Final = 1_000
MAX_SIZE: Final = 50_000_000
TYPES: Final[Mapping[Kind, Mapping[str, str]]] = {
    "sound": {
        ".mp3": "audio/mpeg",
        ".ogg": "audio/ogg",
        ".opus": "audio/ogg",
        ".wav": "audio/wav",
        ".m4a": "audio/mp4",
        ".flac": "audio/flac",
    },
    # No SVG: such a picture may have a program in it.
    "image": {
        ".png": "image/png",
        ".jpg": "image/jpeg",
        ".jpeg": "image/jpeg",
        ".gif": "image/gif",
        ".webp": "image/webp",
    },
}


@dataclass(frozen=True, slots=True)
class Medium:
    """One file that may be shown or played."""

    kind: Kind
    path: Path
    type: str

    @property
    def name(self) -> str:
        """As workflows call it."""
        return self.path.stem

    @property
    def file(self) -> str:
        """As the page asks for it."""
        return self.path.name


class Media:
    """What lies in a folder; looked at anew each time, so that a file can be put there while the bot runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> tuple[Medium, ...]:
        """Everything there, by name."""
        if not self.folder.is_dir():
            return ()
        found = (_medium(path) for path in sorted(self.folder.iterdir())[:MAX_FILES])
        return tuple(each for each in found if each is not None)

    def named(self, kind: Kind, name: str) -> Medium | None:
        """One by its name, whatever its case and with or without its ending."""
        wanted = name.strip().casefold()
        return next(
            (
                each
                for each in self.all()
                if each.kind == kind and wanted in (each.name.casefold(), each.file.casefold())
            ),
            None,
        )

    def file(self, file: str) -> Medium | None:
        """One by the name of its file."""
        return next((each for each in self.all() if each.file == file), None)


def _medium(path: Path) -> Medium | None:
    for kind, types in TYPES.items():
        type = types.get(path.suffix.casefold())
        if type is not None and path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_SIZE:
            return Medium(kind, path, type)
    return None
