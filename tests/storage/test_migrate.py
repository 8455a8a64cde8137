"""Upgrading a database: one step, one transaction, a copy first."""

import sqlite3
from pathlib import Path

import pytest

from engine.errors import StoreError, StoreTooNew
from engine.ports import Batch
from storage.migrate import MIGRATIONS, Migration, copy_before
from storage.sqlite import SQLiteStore
from tests.storage.records import HERE, execution

LATER = (
    *MIGRATIONS,
    Migration(
        len(MIGRATIONS) + 1,
        "note",
        "ALTER TABLE executions ADD COLUMN note TEXT; CREATE INDEX notes ON executions (note);",
    ),
    Migration(len(MIGRATIONS) + 2, "fill", "UPDATE executions SET note = 'old';"),
)
BROKEN = (
    *LATER,
    Migration(len(LATER) + 1, "broken", "UPDATE executions SET note = 'x'; CREATE TABLE executions (id);"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


def _ask(path: Path, statement: str) -> list[tuple[object, ...]]:
    raw = sqlite3.connect(path)
    try:
        return raw.execute(statement).fetchall()
    finally:
        raw.close()


async def test_a_new_database_gets_every_migration_and_no_copy(path: Path) -> None:
    async with await SQLiteStore.open(path):
        pass
    assert _ask(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert [file.name for file in path.parent.iterdir() if "backup" in file.name] == []


async def test_an_old_database_is_copied_then_upgraded_and_keeps_its_rows(path: Path) -> None:
    async with await SQLiteStore.open(path) as store:
        await store.commit(Batch(executions=[execution()]))
    async with await SQLiteStore.open(path, migrations=LATER) as store:
        assert await store.live_executions(HERE) == [execution()]
        await store.commit(Batch(executions=[execution("e2")]))
    assert _ask(path, "SELECT id, note FROM executions ORDER BY number") == [("e1", "old"), ("e2", None)]
    copy = copy_before(path, len(MIGRATIONS))
    assert _ask(copy, "SELECT id FROM executions") == [("e1",)]
    assert _ask(copy, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert copy.stat().st_mode & 0o077 == 0


async def test_a_migration_that_fails_leaves_the_one_before_and_its_rows(path: Path) -> None:
    async with await SQLiteStore.open(path) as store:
        await store.commit(Batch(executions=[execution()]))
    with pytest.raises(StoreError, match="already exists"):
        await SQLiteStore.open(path, migrations=BROKEN)
    assert _ask(path, "PRAGMA user_version") == [(len(LATER),)]
    assert _ask(path, "SELECT note FROM executions") == [("old",)]
    async with await SQLiteStore.open(path, migrations=LATER) as store:
        assert await store.live_executions(HERE) == [execution()]


async def test_an_older_program_refuses_an_upgraded_database(path: Path) -> None:
    async with await SQLiteStore.open(path, migrations=LATER):
        pass
    with pytest.raises(StoreTooNew):
        await SQLiteStore.open(path)


async def test_a_reader_does_not_upgrade(path: Path) -> None:
    async with await SQLiteStore.open(path):
        pass
    before = path.read_bytes()
    with pytest.raises(StoreError, match="Start the bot once"):
        await SQLiteStore.open(path, read_only=True, migrations=LATER)
    assert path.read_bytes() == before


async def test_every_table_is_strict_and_has_the_community(path: Path) -> None:
    async with await SQLiteStore.open(path):
        pass
    tables = _ask(path, "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'")
    assert len(tables) >= 11
    for name, strict in tables:
        assert strict == 1, name
        columns = {row[1] for row in _ask(path, f"PRAGMA table_info({name})")}
        assert "community" in columns, name
