"""What is counted is what was committed, each thing once."""

import asyncio
import dataclasses
from typing import Any

import pytest

from engine.clock import VirtualClock
from engine.errors import StoreUnwritable
from engine.inputs import Errored, OutcomeUnknown, Succeeded
from engine.measure import has_ended, measure, rows_in, timed
from engine.metrics import Metrics, NoMetrics
from engine.ports import Batch
from engine.timers import Timers
from tests.fakes_metrics import CountingMetrics
from tests.storage.records import effect, event, execution, row


def test_a_commit_tells_its_events_failures_ends_and_rounds() -> None:
    metrics = CountingMetrics()
    ended = execution(status="completed", ended_at=112.0)
    batch = Batch(
        executions=[ended],
        history=[
            row(0),
            row(1, visit=2),
            row(2, visit=2, attempt=2),
            row(3, visit=3),
            row(4, visit=3, outcome="paused"),
        ],
        events=[event(name="raid")],
    )
    endings = [
        (effect(), Succeeded(1.0, "a")),
        (effect(), Errored(1.0, "b", "not_found", "no such scene")),
        (effect(), OutcomeUnknown(1.0, "c", "who knows")),
    ]
    measure(metrics, batch, endings, [ended])
    assert metrics.told == [
        ("event_received", "raid.received"),
        ("step_failed", "twitch", "send_chat_message", "not_found"),
        ("step_failed", "twitch", "send_chat_message", "unknown"),
        ("execution_ended", "raid", "completed", 12.0),
        ("iterated", "raid", 1),
        ("iterated", "raid", 1),
    ]


def test_a_run_ends_once_even_if_a_late_result_changes_it_again() -> None:
    live, ended = execution(), execution(status="stopped", ended_at=120.0)
    assert has_ended(live, ended)
    assert has_ended(None, ended)
    assert not has_ended(ended, ended)
    assert not has_ended(None, live)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Batch)])
def test_rows_of_every_kind_count(field: str) -> None:
    one: Any = {(("home", "k")): 1.0} if field == "seen" else ["x"]
    assert rows_in(Batch(**{field: one})) == 1


async def test_a_commit_is_timed_and_one_that_fails_is_counted_as_that() -> None:
    metrics, ticks, fails = CountingMetrics(), [5.0], [False]

    async def commit(_: Batch) -> None:
        ticks[0] += 0.25
        if fails[0]:
            raise StoreUnwritable("full")

    watched = timed(commit, metrics, lambda: ticks[0])
    await watched(Batch(events=[event()], begun=["a"]))
    fails[0] = True
    with pytest.raises(StoreUnwritable):
        await watched(Batch(begun=["a"]))
    assert metrics.told == [("committed", 2, 0.25), ("commit_failed",)]


async def test_where_nobody_counts_nothing_stands_between() -> None:
    async def commit(_: Batch) -> None: ...

    nobody: Metrics = NoMetrics()
    assert timed(commit, nobody, lambda: 0.0) is commit
    measure(nobody, Batch(events=[event()]), [], [])


async def test_a_due_time_is_told_with_how_late_it_is_handed_out() -> None:
    clock, late = VirtualClock(100.0), list[float]()
    timers = Timers(clock, lambda _: None, late.append)
    timers.arm("overdue", 90.0)
    timers.arm("in time", 110.0)

    async def settle() -> None:
        while not timers.settled:  # noqa: ASYNC110  every turn of the loop is looked at
            await asyncio.sleep(0)

    await clock.advance(60.0, settle)
    assert late == [10.0, 0.0]
