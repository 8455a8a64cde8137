"""What a file is, before anything is done to it: whose, of which schema, and whether it is whole. Writes nothing."""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiosqlite

from engine.errors import StoreError
from storage.failures import corrupt, in_words

APPLICATION_ID: Final = int.from_bytes(b"SHOW", "big")
OLDEST_SQLITE: Final = (3, 37, 0)


@dataclass(frozen=True, slots=True)
class Found:
    """A database that is whole and ours, or one with nothing in it.

    Attributes:
        version: Number of the last migration it has seen; 0 if it has nothing in it.
    """

    version: int


def readable_uri(path: Path) -> str:
    """How to open a database without ever writing to it.

    Where the folder cannot be written either, SQLite can only read if it is promised that nobody writes; without a
    journal beside the file, nobody does.
    """
    uri = f"{path.resolve().as_uri()}?mode=ro"
    journal = path.with_name(path.name + "-wal")
    return uri if journal.exists() or os.access(path.parent, os.W_OK) else f"{uri}&immutable=1"


@asynccontextmanager
async def reading(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    """A connection on a thread of its own that only reads: however long it takes, no writer waits for it."""
    async with aiosqlite.connect(readable_uri(path), uri=True, isolation_level=None) as connection:
        yield connection


async def examine(path: Path) -> Found:
    """Look at a database that exists.

    Raises:
        StoreCorrupt: It is damaged.
        StoreError: It is somebody else's, or this SQLite is too old.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or newer is needed. Use a newer Python.")
    with in_words(path):
        async with reading(path) as connection:
            return await _examined(connection, path)


async def _examined(connection: aiosqlite.Connection, path: Path) -> Found:
    application = await _number(connection, "PRAGMA application_id")
    version = await _number(connection, "PRAGMA user_version")
    tables = await _number(connection, "SELECT count(*) FROM sqlite_master")
    if application != APPLICATION_ID:
        if tables or version:
            raise StoreError(f"{path} is a database of another program. Nothing was changed; choose another folder.")
        return Found(version=0)
    complaints = [row[0] for row in await connection.execute_fetchall("PRAGMA quick_check(1)")]
    if complaints != ["ok"]:
        raise corrupt(path, str(complaints[0]).splitlines()[-1] if complaints else "no answer")
    return Found(version)


async def _number(connection: aiosqlite.Connection, statement: str) -> int:
    ((number,),) = await connection.execute_fetchall(statement)
    return int(number)
