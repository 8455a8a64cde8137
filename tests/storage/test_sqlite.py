"""What the SQLite store promises beyond every store's contract: one statement a commit, durability, retention."""

import asyncio
import re
import sqlite3
from pathlib import Path

import pytest

from engine.errors import RevisionMoved
from engine.ports import Batch, Forgotten, Pruned, Retention
from storage.codec import encode_rows
from storage.examine import reading
from storage.forget import PAGE
from storage.prune import AT_ONCE, GIVEN_BACK, find_over
from storage.sqlite import SQLiteStore, Synchronous
from tests.storage.records import (
    HERE,
    admission,
    change,
    effect,
    event,
    execution,
    proposal,
    revision,
    row,
    setting,
    workflow,
)

EVERYTHING = Batch(
    executions=[execution()],
    history=[row(0), row(1)],
    outbox=[effect("a"), effect("b"), effect("c")],
    begun=["a", "b"],
    done=["b"],
    events=[event()],
    seen={(HERE, "m1"): 200.0},
    admissions=[admission()],
    workflows=[workflow()],
    revisions=[revision()],
    changes=[change()],
    proposals=[proposal("p1"), proposal("p2")],
    proposals_answered=["p2"],
    config=[setting()],
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


async def test_a_commit_is_one_statement_whatever_is_in_it(path: Path) -> None:
    async with await SQLiteStore.open(path) as store:
        statements: list[str] = []
        await store._connection.set_trace_callback(statements.append)
        await store.commit(EVERYTHING)
        await store._connection.set_trace_callback(None)  # type: ignore[arg-type]
        asked = {text for text in statements if not text.startswith("--")}  # told again for each row it unpacks
        assert [text[:17] for text in asked] == ["INSERT INTO commi"]
        assert [record.effect.id for record in await store.outbox(HERE)] == ["a", "c"]


@pytest.mark.parametrize(("synchronous", "number"), [("FULL", 2), ("NORMAL", 1)])
async def test_power_loss_counts_unless_told_otherwise(path: Path, synchronous: Synchronous, number: int) -> None:
    async with await SQLiteStore.open(path, synchronous=synchronous) as store:
        for setting_, expected in (("synchronous", number), ("journal_mode", "wal"), ("wal_autocheckpoint", 4_000)):
            ((value,),) = await store._connection.execute_fetchall(f"PRAGMA {setting_}")
            assert value == expected
    async with await SQLiteStore.open(path) as store:
        ((value,),) = await store._connection.execute_fetchall("PRAGMA synchronous")
        assert value == 2


async def test_everything_is_there_after_opening_again(path: Path) -> None:
    async with await SQLiteStore.open(path) as store:
        await store.commit(EVERYTHING)
    async with await SQLiteStore.open(path) as store:
        assert await store.live_executions(HERE) == [execution()]
        assert await store.history("e1") == [row(0), row(1)]
        assert [(found.effect.id, found.status) for found in await store.outbox(HERE)] == [("a", "begun"), ("c", "due")]
        assert await store.current_revisions(HERE) == [revision()]


async def test_of_commits_at_the_same_time_each_is_whole_or_not_there(path: Path) -> None:
    async with await SQLiteStore.open(path) as store:
        answers = await asyncio.gather(
            *(
                store.commit(Batch(revisions=[revision(number // 2)], changes=[change(f"c{number}")]))
                for number in range(20)
            ),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [type(None), RevisionMoved] * 10
        assert {found.id for found in await store.changes(HERE)} == {f"c{number}" for number in range(0, 20, 2)}


async def test_a_new_file_gives_room_back_a_little_at_a_time_and_is_whole_after_it(path: Path) -> None:
    async with await SQLiteStore.open(path) as store:
        await store.commit(Batch(events=[event(f"m{n}", payload={"text": "x" * 2_000}) for n in range(4_000)]))
        full = await _pages(store)
        sizes = [full]
        while (await store.prune(Retention(), 1e9, most=1_000)).more:
            sizes.append(await _pages(store))
            assert sizes[-2] - sizes[-1] <= GIVEN_BACK + 8  # and the pages that say where others are
        for _ in range(3):
            await store.prune(Retention(), 1e9)
        assert await _pages(store) < full / 4
    assert path.stat().st_size < full * 4_096 / 4
    async with await SQLiteStore.open(path) as store:  # looks at every page
        assert await store.events(HERE) == []


async def test_a_file_made_before_that_keeps_its_size_and_fills_what_is_free_again(path: Path) -> None:
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE x (a)")
    raw.execute("DROP TABLE x")
    raw.close()
    async with await SQLiteStore.open(path) as store:
        for round in range(4):
            await store.commit(
                Batch(events=[event(f"{round}.{n}", payload={"text": "x" * 2_000}) for n in range(1_000)])
            )
            if round == 0:
                first = await _pages(store)
            while (await store.prune(Retention(), 1e9)).more:
                pass
        assert await _pages(store) <= first + 8


async def _pages(store: SQLiteStore) -> int:
    ((pages,),) = await store._connection.execute_fetchall("PRAGMA page_count")
    return int(pages)


async def test_what_is_old_is_looked_for_by_a_reader_and_the_writer_only_deletes_by_number(path: Path) -> None:
    async with await SQLiteStore.open(path) as store:
        await store.commit(Batch(events=[event(f"m{n}") for n in range(3 * AT_ONCE)], executions=[execution()]))
        statements: list[str] = []
        await store._connection.set_trace_callback(statements.append)
        await store.prune(Retention(), 1e9)
        await store._connection.set_trace_callback(None)  # type: ignore[arg-type]
        asked = {text for text in statements if not text.startswith("--")}  # told again for each row it unpacks
        assert {text.split("(")[0].strip() for text in asked} == {"INSERT INTO pruning", "PRAGMA freelist_count"}
        deletions = [text for text in asked if text.startswith("INSERT")]
        assert len(deletions) == 3
        assert max(len(re.findall(r"\d+", text)) for text in deletions) <= AT_ONCE


async def test_a_run_taken_up_again_while_pruning_looked_is_kept(path: Path) -> None:
    ended = execution(status="failed", ended_at=120.0)
    async with await SQLiteStore.open(path) as store:
        await store.commit(Batch(executions=[ended], history=[row()]))
        async with reading(path) as look:
            over, _ = await find_over(look, Retention(), 1e9, 100)
        assert set(over) == {"history", "executions"}
        await store.commit(Batch(executions=[execution()]))
        await store._run("prune", encode_rows(over))
        assert await store.live_executions(HERE) == [execution()]
        assert await store.history("e1") == [row()]


async def test_a_run_to_whose_history_something_came_while_pruning_looked_is_kept_with_that(path: Path) -> None:
    ended = execution(status="failed", ended_at=120.0)
    async with await SQLiteStore.open(path) as store:
        await store.commit(Batch(executions=[ended], history=[row()]))
        async with reading(path) as look:
            over, _ = await find_over(look, Retention(), 1e9, 100)
        await store.commit(Batch(history=[row(1)]))
        await store._run("prune", encode_rows(over))
        assert await store.execution("e1") == ended
        assert await store.history("e1") == [row(1)]


async def test_a_run_is_kept_while_a_run_it_started_goes_on(path: Path) -> None:
    async with await SQLiteStore.open(path) as store:
        await store.commit(Batch(executions=[execution(status="completed", ended_at=120.0), execution("child")]))
        await store._connection.execute_fetchall(
            "UPDATE executions SET body = json_set(body, '$.parent', 'e1') WHERE id = 'child'"
        )
        assert await store.prune(Retention(), 1e9) == Pruned(0, more=False)
        await store._connection.execute_fetchall("UPDATE executions SET status = 'completed' WHERE id = 'child'")
        assert await store.prune(Retention(), 1e9) == Pruned(1, more=False)


async def test_who_was_forgotten_is_not_in_the_file_any_more_nor_in_its_journal(path: Path) -> None:
    long = "x" * 6_000
    async with await SQLiteStore.open(path) as store:
        await store._connection.execute_fetchall("PRAGMA secure_delete = ON")  # what it left about earlier is not ours
        for number in range(20):
            happened = event(f"m{number}", payload={"user": {"name": "Rumpelstilz"}, "message": f"{long} rumpelstilz"})
            await store.commit(Batch(events=[happened]))
        assert _holds(path, b"rumpelstilz")
        await store._connection.execute_fetchall("PRAGMA secure_delete = OFF")  # as some SQLites come
        await store.forget(HERE, "rumpelstilz")
        assert not _holds(path, b"rumpelstilz")
    assert not _holds(path, b"rumpelstilz")


def _holds(path: Path, name: bytes) -> bool:
    return any(name in file.read_bytes().lower() for file in path.parent.iterdir())


async def test_forgetting_goes_through_pages_of_any_number(path: Path) -> None:
    async with await SQLiteStore.open(path, synchronous="NORMAL") as store:
        await store.commit(Batch(events=[event(f"m{n}") for n in range(2 * PAGE + 1)]))
        assert await store.forget(HERE, "bob") == Forgotten(events=2 * PAGE + 1)
