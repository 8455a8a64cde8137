"""The words of a trace: every way in which a step can end, every place where it can stand."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.trace import NoSuchRun, Trace, as_lines, runs_of, trace_of
from engine.ports import Batch
from tests.fakes_store import MemoryStore
from tests.storage.records import DEFINITION, ELSEWHERE, HERE, execution, revision, row, waiting, workflow

UTC = ZoneInfo("UTC")


def line_of(**changes: Any) -> str:
    made = row(params={"message": "hi"}, **changes)
    return as_lines(Trace(execution(), [made], "raid", DEFINITION), UTC)[2].partition(": ")[2]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, 'say "hi" - done after 1 second'),
        ({"ended_at": 100.0}, 'say "hi" - done'),
        ({"ended_at": 100.25}, 'say "hi" - done after 0.25 seconds'),
        ({"ended_at": 400.0, "to": "wait"}, 'say "hi" - done after 5 minutes; then step 2 of 2 (wait)'),
        ({"output": {"id": 7}}, 'say "hi" - done after 1 second -> {"id": 7}'),
        ({"outcome": "error", "error": "no."}, 'say "hi" - failed after 1 second: no'),
        ({"outcome": "error", "error": "no", "to": "say"}, 'say "hi" - failed after 1 second: no; tried again'),
        ({"outcome": "timeout"}, 'say "hi" - took too long after 1 second'),
        ({"outcome": "unknown"}, 'say "hi" - outcome unknown after 1 second'),
        ({"outcome": "cancel", "by": "mo"}, 'say "hi" - cancelled by mo after 1 second'),
        ({"outcome": "stopped", "by": "mo"}, 'say "hi" - stopped by mo after 1 second'),
        ({"outcome": "late success"}, 'say "hi" - done when nobody waited for it any more after 1 second'),
        ({"outcome": "something new"}, 'say "hi" - something new after 1 second'),
        ({"outcome": "paused", "by": "mo"}, "paused by mo"),
    ],
)
def test_every_way_in_which_a_step_ends_has_its_words(changes: dict[str, Any], line: str) -> None:
    assert line_of(**changes) == line


def test_a_place_says_which_time_which_try_and_on_which_path() -> None:
    made = row(params={"message": "hi"}, visit=3, attempt=2, path="main/left")
    line = as_lines(Trace(execution(), [made], "raid", DEFINITION), UTC)[2]
    assert line.startswith("00:01:40 step 1 of 2 (say) in main/left, 3rd time, try 2: ")


def test_a_run_whose_version_is_gone_is_told_all_the_same() -> None:
    lines = as_lines(Trace(execution(status="failed", ended_at=160.0, error="no"), [row()], "raid", None), UTC)
    assert lines == [
        "raid v1, run e1: failed after 1 minute: no.",
        "Started 1970-01-01 00:01:40 (run by hand).",
        '00:01:40 step "say": nobody knows what - done after 1 second',
    ]


async def test_a_run_is_found_by_its_id_the_beginning_of_it_or_its_workflow() -> None:
    store = MemoryStore()
    runs = [
        execution("abc1"),
        execution("abd2"),
        waiting("xyz3", workflow="other"),
        execution("far", community=ELSEWHERE),
    ]
    await store.commit(
        Batch(
            executions=runs,
            history=[row(0, "abc1")],
            workflows=[workflow(), workflow("other", name="Big Other")],
            revisions=[revision()],
        )
    )
    assert (await trace_of(store, HERE, "abc1")).rows == [row(0, "abc1")]
    assert (await trace_of(store, HERE, "abc1")).definition == DEFINITION
    assert (await trace_of(store, HERE, "abd")).run.id == "abd2"
    assert (await trace_of(store, HERE, "big OTHER")).run.id == "xyz3"
    assert (await trace_of(store, HERE, "raid")).run.id == "abd2"
    for given, told in (("ab", "More than one run"), ("far", "There is no run"), ("", "There is no run")):
        with pytest.raises(NoSuchRun, match=told):
            await trace_of(store, HERE, given)
    assert [(name, run.id) for name, run in await runs_of(store, HERE, "other")] == [("Big Other", "xyz3")]
    assert [run.id for _, run in await runs_of(store, HERE, None, 2)] == ["xyz3", "abd2"]


async def test_a_workflow_that_was_deleted_still_has_its_runs() -> None:
    store = MemoryStore()
    await store.commit(Batch(executions=[execution()], workflows=[replace(workflow(), deleted=True)]))
    assert [run.id for _, run in await runs_of(store, HERE, "raid")] == ["e1"]
