"""Files and disks that cannot be used: said in plain words, nothing lost, nothing changed."""

import asyncio
import multiprocessing
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import StoreBusy, StoreCorrupt, StoreError, StoreMissing, StoreTooNew, StoreUnwritable
from engine.ports import Batch
from storage.examine import APPLICATION_ID
from storage.sqlite import SQLiteStore
from tests.storage.records import HERE, effect, execution, setting

HOLDER = """
import asyncio, sys
from storage.sqlite import SQLiteStore
async def main():
    async with await SQLiteStore.open(sys.argv[1]):
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bot.db"


async def _fill(path: Path, runs: int = 1) -> None:
    async with await SQLiteStore.open(path) as store:
        await store.commit(Batch(executions=[execution(f"e{n}") for n in range(runs)], config=[setting()]))


def _contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


# Who may write -----------------------------------------------------------------------------------------------------------


async def test_a_second_process_is_refused_and_reads_beside_the_first(path: Path) -> None:
    await _fill(path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreBusy, match=r"say it there"):
            await SQLiteStore.open(path)
        async with await SQLiteStore.open(path, read_only=True) as reader:
            assert len(await reader.live_executions(HERE)) == 1
        holder.kill()
    await _fill(path)  # a dead bot holds nothing


async def test_a_reader_sees_what_is_committed_after_it_opened(path: Path) -> None:
    async with (
        await SQLiteStore.open(path) as writer,
        await SQLiteStore.open(path, read_only=True) as reader,
    ):
        await writer.commit(Batch(executions=[execution()]))
        assert await reader.live_executions(HERE) == [execution()]


async def test_a_reader_cannot_write(path: Path) -> None:
    await _fill(path)
    async with await SQLiteStore.open(path, read_only=True) as reader:
        with pytest.raises(StoreUnwritable, match="read-only"):
            await reader.commit(Batch(executions=[execution("e2")]))
        assert len(await reader.live_executions(HERE)) == 1


async def test_reading_where_nothing_is_says_so_and_makes_nothing(path: Path) -> None:
    with pytest.raises(StoreMissing, match="Start the bot once"):
        await SQLiteStore.open(path, read_only=True)
    assert not path.parent.exists()


async def test_a_refused_open_lets_go_of_the_lock(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database " * 100)
    with pytest.raises(StoreCorrupt):
        await SQLiteStore.open(path)
    path.unlink()
    await _fill(path)


async def test_only_its_owner_can_read_the_file_and_its_journal(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o644)
    async with await SQLiteStore.open(path) as store:
        await store.commit(Batch(config=[setting("token", "abc", secret=True)]))
        assert {file.stat().st_mode & 0o077 for file in path.parent.iterdir()} == {0}


async def test_a_file_that_another_program_keeps_locked_is_said_in_words_and_goes_on_afterwards(path: Path) -> None:
    async with await SQLiteStore.open(path) as store:
        await store._connection.execute_fetchall("PRAGMA busy_timeout = 10")
        browser = sqlite3.connect(path, isolation_level=None)
        browser.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="Another program"):
            await store.commit(Batch(executions=[execution()]))
        browser.close()
        await store.commit(Batch(executions=[execution()]))
        assert await store.live_executions(HERE) == [execution()]


# What a file is ----------------------------------------------------------------------------------------------------------


async def test_a_newer_schema_is_refused_and_nothing_is_touched(path: Path) -> None:
    await _fill(path)
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 4711")
    raw.close()
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(StoreTooNew, match=r"4711.*Upgrade"):
            await SQLiteStore.open(path, read_only=read_only)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir() if "backup" in file.name] == []


@pytest.mark.parametrize(
    "content", [b"not a database at all " * 500, b"SQLite format 3\0" + b"\xff" * 8_000, b"\0" * 9_000]
)
async def test_what_is_no_database_is_refused_and_not_touched(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    for read_only in (False, True):
        with pytest.raises(StoreCorrupt, match=r"damaged.*restore"):
            await SQLiteStore.open(path, read_only=read_only)
    assert path.read_bytes() == content


async def test_a_damaged_page_is_found_at_the_start(path: Path) -> None:
    await _fill(path, runs=2_000)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\x55" * 4096
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt, match=r"damaged.*restore"):
        await SQLiteStore.open(path)
    assert path.read_bytes() == content


async def test_a_shortened_file_is_found_at_the_start(path: Path) -> None:
    await _fill(path, runs=2_000)
    content = path.read_bytes()[: 4096 * 20]
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt):
        await SQLiteStore.open(path)


async def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE songs (title TEXT)")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        await SQLiteStore.open(path)
    assert path.read_bytes() == before


async def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    await _fill(path)
    with sqlite3.connect(path) as raw:
        assert raw.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    raw.close()


async def test_a_folder_in_its_place_is_said_in_words(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreUnwritable, match=r"bot\.db"):
        await SQLiteStore.open(path)


async def test_a_file_where_the_folder_should_be_is_said_in_words(path: Path) -> None:
    path.parent.write_text("hello")
    with pytest.raises(StoreUnwritable, match=r"could not be written"):
        await SQLiteStore.open(path)


# Full and read-only disks ------------------------------------------------------------------------------------------------


async def test_a_full_database_refuses_the_whole_batch_and_goes_on_once_there_is_room(path: Path) -> None:
    async with await SQLiteStore.open(path) as store:
        await store.commit(Batch(executions=[execution("before")]))
        ((pages,),) = await store._connection.execute_fetchall("PRAGMA page_count")
        await store._connection.execute_fetchall(f"PRAGMA max_page_count = {pages + 2}")
        large = Batch(
            executions=[execution("after", variables={"text": "x" * 100_000})], outbox=[effect()], begun=["nothing"]
        )
        with pytest.raises(StoreUnwritable, match=r"disk is full.*Nothing was changed"):
            await store.commit(large)
        assert [found.id for found in await store.live_executions(HERE)] == ["before"]
        assert await store.outbox(HERE) == []
        await store._connection.execute_fetchall("PRAGMA max_page_count = 1000000")
        await store.commit(large)
        assert [found.id for found in await store.live_executions(HERE)] == ["before", "after"]


def _in_child(work: Callable[[], None]) -> None:
    """Do something in a process of its own that may limit itself or give its rights away."""
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(30)
    assert child.exitcode == 0


def _write_until_full(path: Path) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    asyncio.run(_write_beyond_a_limit(path))


async def _fill_up(store: SQLiteStore, written: list[str]) -> None:
    while True:
        id = f"e{len(written)}"
        await store.commit(Batch(executions=[execution(id, variables={"text": "x" * 50_000})]))
        written.append(id)


async def _write_beyond_a_limit(path: Path) -> None:
    limit = 2_000_000
    async with await SQLiteStore.open(path) as store:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        written: list[str] = []
        with pytest.raises(StoreUnwritable, match="Nothing was changed"):
            await _fill_up(store, written)
        assert len(written) > 5
        assert [found.id for found in await store.live_executions(HERE)] == written
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await store.commit(Batch(executions=[execution("later")]))
        assert len(await store.live_executions(HERE)) == len(written) + 1


def test_when_the_system_refuses_more_bytes_nothing_of_the_batch_is_there_and_it_can_go_on(path: Path) -> None:
    _in_child(lambda: _write_until_full(path))
    asyncio.run(_fill(path))


def _as_nobody(path: Path) -> None:
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    asyncio.run(_without_rights(path))


async def _without_rights(path: Path) -> None:
    with pytest.raises(StoreUnwritable, match=r"could not be written"):
        await SQLiteStore.open(path)
    async with await SQLiteStore.open(path, read_only=True) as reader:
        assert len(await reader.live_executions(HERE)) == 1
    with pytest.raises(StoreUnwritable, match=r"could not be written"):
        await SQLiteStore.open(path.parent / "new" / "bot.db")


def test_without_rights_to_write_one_can_read_and_the_rest_is_said_in_words(path: Path) -> None:
    asyncio.run(_fill(path))
    for parent in path.parents:
        if parent.owner() == path.owner() and parent.stat().st_mode & 0o055 != 0o055:
            parent.chmod(parent.stat().st_mode | 0o055)
    path.chmod(0o444)
    path.with_name("bot.db.lock").chmod(0o444)
    path.parent.chmod(0o555)
    before = _contents(path.parent)
    try:
        _in_child(lambda: _as_nobody(path))
        assert _contents(path.parent) == before
    finally:
        path.parent.chmod(0o755)
