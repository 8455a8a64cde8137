"""What the SQLite store promises beyond every store's contract: one statement a commit, durability, retention."""

import asyncio
from pathlib import Path

import pytest

from engine.errors import RevisionMoved
from engine.ports import Batch
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
        assert [text[:17] for text in asked] == ["INSERT INTO batch"]
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


async def test_pruning_forgets_the_old_and_keeps_executions_and_their_history(path: Path) -> None:
    async with await SQLiteStore.open(path) as store:
        await store.commit(EVERYTHING)
        await store.commit(Batch(events=[event("late", at=1_000.0)], admissions=[admission("late", at=1_000.0)]))
        await store.prune(1_050.0, keep_seconds=100.0)
        assert await store.events(HERE) == [event("late", at=1_000.0)]
        assert await store.admissions(HERE) == [admission("late", at=1_000.0)]
        assert await store.seen(HERE, ["m1"], 0.0) == frozenset()
        assert await store.proposals(HERE, 0.0) == []
        assert await store.execution("e1") == execution()
        assert await store.history("e1") == [row(0), row(1)]
        assert await store.revisions(HERE, "raid") == [revision()]
