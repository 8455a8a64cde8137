"""Back up while the bot runs; restore while it does not, keeping what is replaced."""

import os
import shutil
from pathlib import Path
from typing import Final

import aiosqlite

from engine.errors import StoreError, StoreMissing
from storage.copies import copy_whole, put
from storage.examine import examine, readable_uri
from storage.failures import in_words
from storage.lock import hold
from storage.migrate import refuse_newer

_JOURNALS: Final = ("-wal", "-shm")


async def backup(database: Path, target: Path) -> None:
    """Write a copy of a database to a file that must not exist yet; a bot may be writing meanwhile.

    Raises:
        StoreMissing: There is nothing to copy.
        StoreError: The target exists, or either cannot be used.
    """
    _require(database, "There is nothing to back up: {} does not exist.")
    if _exists(target):
        raise StoreError(f"{target} exists already and was left alone. Choose another name.")
    await examine(database)
    await _copy(database, target)


async def restore(copy: Path, database: Path) -> Path | None:
    """Put a copy in the place of the database. Answers where the old one was kept, if there was one.

    Raises:
        StoreBusy: A bot is running on the database.
        StoreTooNew: The copy is from a newer version.
        StoreCorrupt: The copy is damaged.
        StoreError: The copy is missing or not one of ours.
    """
    _require(copy, "There is no file {}.")
    found = await examine(copy)
    if found.version == 0:
        raise StoreError(f"{copy} has nothing in it, so it was not restored.")
    refuse_newer(copy, found.version)
    with in_words(database):
        _make_folder(database)
    lock = hold(database)
    try:
        with in_words(database):
            return await _replace(database, copy)
    finally:
        lock.release()


async def _replace(database: Path, copy: Path) -> Path | None:
    """Everything that can fail for want of room comes first; the last step is one rename."""
    prepared = database.with_name(database.name + ".restored")
    await _copy(copy, prepared)
    kept = None
    if _exists(database):
        await _fold_journal(database)
        kept = _keep(database)
    put(prepared, database)
    return kept


async def _copy(source: Path, target: Path) -> None:
    with in_words(source):
        async with aiosqlite.connect(readable_uri(source), uri=True, isolation_level=None) as connection:
            await copy_whole(connection, target)


async def _fold_journal(database: Path) -> None:
    """Closing the last connection writes the journal into the file and removes it."""
    try:
        async with aiosqlite.connect(database, isolation_level=None) as connection:
            await connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
    except aiosqlite.Error:
        return  # damaged: it is kept as it is


def _keep(database: Path) -> Path:
    """Give the old database a second name. A journal that is left goes with it: it is not the new one's."""
    kept = _free_name(database)
    for suffix in _JOURNALS:
        journal = Path(f"{database}{suffix}")
        if journal.exists():
            journal.replace(f"{kept}{suffix}")
    try:
        os.link(database, kept)
    except OSError:  # a file system without links
        shutil.copy2(database, kept)
    return kept


def _free_name(database: Path) -> Path:
    number = 1
    while (name := database.with_name(f"{database.name}.replaced-{number}")).exists():
        number += 1
    return name


def _require(path: Path, complaint: str) -> None:
    if not path.is_file():
        raise StoreMissing(complaint.format(path))


def _exists(path: Path) -> bool:
    return path.exists()


def _make_folder(database: Path) -> None:
    database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
