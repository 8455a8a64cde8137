"""Copies: whole, private, made beside a running bot, and put back without losing what was there."""

import sqlite3
from pathlib import Path

import pytest

from engine.errors import StoreBusy, StoreCorrupt, StoreError, StoreMissing, StoreTooNew, StoreUnwritable
from engine.ports import Batch
from storage.backup import backup, restore
from storage.sqlite import SQLiteStore
from tests.storage.records import HERE, execution, setting


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bot.db"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy.db"


async def _ids(path: Path) -> list[str]:
    async with await SQLiteStore.open(path, read_only=True) as store:
        return [found.id for found in await store.live_executions(HERE)]


async def _fill(path: Path, *ids: str) -> None:
    async with await SQLiteStore.open(path) as store:
        await store.commit(Batch(executions=[execution(id) for id in ids]))


async def test_a_backup_beside_a_running_bot_holds_all_that_was_committed(path: Path, copy: Path) -> None:
    async with await SQLiteStore.open(path) as store:
        await store.commit(Batch(executions=[execution("e1")], config=[setting("token", "abc", secret=True)]))
        await backup(path, copy)
        await store.commit(Batch(executions=[execution("e2")]))
    assert await _ids(copy) == ["e1"]
    assert copy.stat().st_mode & 0o077 == 0
    assert await _ids(path) == ["e1", "e2"]


async def test_a_restore_brings_back_the_copy_and_keeps_what_was_there(path: Path, copy: Path) -> None:
    await _fill(path, "old")
    await backup(path, copy)
    await _fill(path, "new")
    kept = await restore(copy, path)
    assert kept is not None
    assert await _ids(path) == ["old"]
    assert await _ids(kept) == ["old", "new"]
    assert await restore(copy, path) not in (None, kept)
    await _fill(path, "go on")


async def test_a_restore_after_a_crash_keeps_what_was_only_in_the_journal(path: Path, copy: Path) -> None:
    await _fill(path, "old")
    await backup(path, copy)
    async with await SQLiteStore.open(path) as store:
        await store.commit(Batch(executions=[execution("journal")]))
        crashed = path.parent / "crashed"
        crashed.mkdir()
        for file in path.parent.glob("bot.db*"):
            (crashed / file.name).write_bytes(file.read_bytes())
    kept = await restore(copy, crashed / "bot.db")
    assert kept is not None
    assert await _ids(kept) == ["old", "journal"]
    assert await _ids(crashed / "bot.db") == ["old"]


async def test_a_restore_replaces_a_damaged_database_and_its_journal(path: Path, copy: Path) -> None:
    await _fill(path, "old")
    await backup(path, copy)
    path.write_bytes(b"rubbish" * 1_000)
    Path(f"{path}-wal").write_bytes(b"journal of another file")
    kept = await restore(copy, path)
    assert kept is not None
    assert kept.read_bytes() == b"rubbish" * 1_000
    assert await _ids(path) == ["old"]


async def test_a_restore_on_a_fresh_machine_has_nothing_to_keep(path: Path, copy: Path, tmp_path: Path) -> None:
    await _fill(path, "old")
    await backup(path, copy)
    fresh = tmp_path / "fresh" / "bot.db"
    assert await restore(copy, fresh) is None
    assert await _ids(fresh) == ["old"]


async def test_a_running_bot_is_not_restored_over(path: Path, copy: Path) -> None:
    await _fill(path, "old")
    await backup(path, copy)
    async with await SQLiteStore.open(path) as store:
        with pytest.raises(StoreBusy, match="say it there"):
            await restore(copy, path)
        assert len(await store.live_executions(HERE)) == 1


async def test_a_damaged_or_newer_or_foreign_or_missing_copy_changes_nothing(path: Path, tmp_path: Path) -> None:
    await _fill(path, "old")
    before = path.read_bytes()
    damaged, newer, foreign, empty = (tmp_path / name for name in ("damaged", "newer", "foreign", "empty"))
    damaged.write_bytes(before[: len(before) // 2])
    await backup(path, newer)
    _run(newer, "PRAGMA user_version = 99")
    _run(foreign, "CREATE TABLE songs (title TEXT)")
    empty.touch()
    for file, error in (
        (damaged, StoreCorrupt),
        (newer, StoreTooNew),
        (foreign, StoreError),
        (empty, StoreError),
        (tmp_path / "missing", StoreMissing),
    ):
        with pytest.raises(error):
            await restore(file, path)
    assert path.read_bytes() == before
    assert not [file.name for file in path.parent.iterdir() if "re" in file.name]


async def test_a_backup_never_replaces_a_file(path: Path, copy: Path) -> None:
    await _fill(path, "old")
    copy.write_text("precious")
    with pytest.raises(StoreError, match="left alone"):
        await backup(path, copy)
    assert copy.read_text() == "precious"


async def test_a_backup_of_nothing_or_to_nowhere_is_said_in_words(path: Path, copy: Path) -> None:
    with pytest.raises(StoreMissing, match="nothing to back up"):
        await backup(path, copy)
    await _fill(path, "old")
    with pytest.raises(StoreUnwritable, match="nowhere"):
        await backup(path, copy.parent / "nowhere" / "copy.db")


def _run(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute(statement)
    raw.close()
