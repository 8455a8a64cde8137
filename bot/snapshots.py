"""Pictures that one step makes and a later one uses: a few files, the newest of each run found by the run's id.

They outlive a restart, as the runs do. Who makes them and who shows them do not know each other.
"""

import contextlib
import re
from pathlib import Path
from typing import Final

MOST_KEPT: Final = 30
_NAME: Final = re.compile(r"[0-9a-z]{1,64}-[0-9]{1,6}\.png")
_UNFIT: Final = re.compile(r"[^0-9a-z]+")


class Snapshots:
    """Keeps the newest pictures in one folder.

    Args:
        folder: Made when the first one comes, readable for its owner only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, run: str, content: bytes) -> str:
        """Keep a picture that a run has made, as the newest; tells its name.

        Raises:
            OSError: It cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stem, number = _stem(run), 1 + max((_number(path) for path in self._of(run)), default=0)
        path = self._folder / f"{stem}-{number}.png"
        path.write_bytes(content)
        for old in sorted(self._folder.glob("*.png"), key=_age)[:-MOST_KEPT]:
            with contextlib.suppress(OSError):
                old.unlink()
        return path.name

    def picture(self, run: str, name: str = "") -> tuple[str, bytes] | None:
        """A picture by its name, or the newest that a run has made; None if it is not there (any more)."""
        if name and not _NAME.fullmatch(name):
            return None
        path = self._folder / name if name else max(self._of(run), key=_number, default=None)
        try:
            return None if path is None else (path.name, path.read_bytes())
        except OSError:
            return None

    def _of(self, run: str) -> list[Path]:
        return [path for path in self._folder.glob(f"{_stem(run)}-*.png") if _NAME.fullmatch(path.name)]


def _stem(run: str) -> str:
    return _UNFIT.sub("", run.casefold())[:64] or "run"


def _number(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0.0
