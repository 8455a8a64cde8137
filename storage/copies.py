"""A copy of a whole database that gets its name only once it is complete, checked and on the disk."""

import os
from pathlib import Path

import aiosqlite

from storage.examine import examine
from storage.failures import in_words
from storage.statements import STATEMENTS


async def copy_whole(connection: aiosqlite.Connection, target: Path) -> None:
    """Copy what a connection has open into a file, whoever writes meanwhile; what was there before is replaced.

    Raises:
        StoreError: The copy could not be made; the target is as it was.
    """
    partial = target.with_name(target.name + ".partial")
    with in_words(target):
        try:
            _make_private(partial)
            await connection.execute_fetchall(STATEMENTS["copy_whole"], (str(partial),))
            await examine(partial)
            put(partial, target)
        finally:
            _discard(partial)


def put(partial: Path, target: Path) -> None:
    """Give a complete file its name, durably."""
    _sync(partial)
    partial.replace(target)
    if os.name == "posix":
        _sync(target.parent)


def _make_private(path: Path) -> None:
    """An empty file that only its owner can read: settings may be secret."""
    _discard(path)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _discard(path: Path) -> None:
    path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
