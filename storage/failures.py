"""What SQLite and the file system complain about, in the words of `engine.errors`: what happened, where, what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.errors import RevisionMoved, StoreBusy, StoreCorrupt, StoreError, StoreUnwritable

_PRIMARY: Final = 0xFF
_UNWRITABLE: Final = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_IOERR: "the disk does not take it, it may be full",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened or made",
    sqlite3.SQLITE_PERM: "access was refused",
}
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def unwritable(path: Path, reason: str) -> StoreUnwritable:
    """Nothing was written and why."""
    return StoreUnwritable(
        f"{path} could not be written: {reason}. Nothing was changed. Make room, or allow writing there, and try again."
    )


def corrupt(path: Path, detail: str) -> StoreCorrupt:
    """The file is damaged."""
    return StoreCorrupt(
        f"{path} is damaged ({detail}). Nothing was changed. Restore a backup with `showcaller restore FILE`."
    )


def busy(path: Path) -> StoreBusy:
    """Somebody else writes to the file."""
    return StoreBusy(f"The bot is running on {path}: say it there, or stop that bot first. Nothing was changed.")


def locked(path: Path) -> StoreBusy:
    """Another program, such as a database browser, keeps the file from being used."""
    return StoreBusy(f"Another program keeps {path} locked. Nothing was changed; close that program and try again.")


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn what a driver or the system raises within into a `StoreError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise _from_sqlite(error, path) from error
    except OSError as error:
        raise unwritable(path, (error.strerror or str(error)).lower()) from error


def _from_sqlite(error: sqlite3.Error, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & _PRIMARY if isinstance(code, int) else None
    if primary in _UNWRITABLE:
        return unwritable(path, _UNWRITABLE[primary])
    if primary in _CORRUPT:
        return corrupt(path, str(error))
    if primary in _BUSY:
        return locked(path)
    if primary == sqlite3.SQLITE_CONSTRAINT:
        return _from_constraint(str(error))
    return StoreError(f"{path} could not be used: {error}. Nothing was changed.")


def _from_constraint(message: str) -> StoreError:
    """A row that must not be there twice; the runner's mistake, except for revisions."""
    if "revisions." in message:
        return RevisionMoved(
            "The workflow was changed by someone else in between. Look at it again and repeat the change."
        )
    return StoreError(f"The change contradicts what is stored ({message}). Nothing was changed.")
