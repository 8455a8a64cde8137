"""Bring a database to this program's schema, one numbered file at a time, each in a transaction of its own.

Where there is something to lose, a copy is made first. A database from a newer program is refused before it is touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import aiosqlite

from engine.errors import StoreTooNew
from storage.copies import copy_whole


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from schema `number - 1` to `number`."""

    number: int
    name: str
    sql: str


def _read() -> tuple[Migration, ...]:
    found = sorted(
        (Path(entry.name).stem, entry.read_text(encoding="utf-8"))
        for entry in (files("storage") / "migrations").iterdir()
        if entry.name.endswith(".sql")
    )
    migrations = tuple(Migration(int(stem[:4]), stem, sql) for stem, sql in found)
    if [migration.number for migration in migrations] != list(range(1, len(migrations) + 1)):
        raise ValueError("migrations are numbered from 0001 without gaps")
    return migrations


MIGRATIONS: Final = _read()


def refuse_newer(path: Path, version: int, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Let only databases pass that this program knows how to read.

    Raises:
        StoreTooNew: It has seen a migration that is not here.
    """
    if version > len(migrations):
        raise StoreTooNew(
            f"{path} was written by a newer version of Showcaller (schema {version}, this one knows {len(migrations)}). "
            "Upgrade Showcaller; nothing was touched."
        )


def copy_before(path: Path, version: int) -> Path:
    """Where the copy made before leaving a schema goes."""
    return path.with_name(f"{path.name}.schema-{version}.backup")


async def migrate(
    connection: aiosqlite.Connection, path: Path, version: int, migrations: Sequence[Migration] = MIGRATIONS
) -> None:
    """Apply what is missing. A migration that fails leaves the schema of the one before."""
    missing = migrations[version:]
    if missing and version > 0:
        await copy_whole(connection, copy_before(path, version))
    for migration in missing:
        await _apply(connection, migration)


async def _apply(connection: aiosqlite.Connection, migration: Migration) -> None:
    script = f"BEGIN IMMEDIATE;\n{migration.sql}\nPRAGMA user_version = {migration.number};\nCOMMIT;"
    try:
        await connection.executescript(script)
    except BaseException:
        if connection.in_transaction:
            await connection.execute_fetchall("ROLLBACK")
        raise
