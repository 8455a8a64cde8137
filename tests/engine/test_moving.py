"""A run goes on with a new version where it would notice nothing, and with its own otherwise."""

import tomllib
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.config import tables_folder
from bot.services.declared import DECLARATIONS
from engine.context import Context
from engine.execution import FINAL, Execution
from engine.inputs import Heard, Stop, Succeeded, TimeReached
from engine.machine import start, transition
from engine.moving import movable, moved
from engine.ports import Store
from engine.program import Program, compile_program
from grammar.language import Language
from storage.sqlite import SQLiteStore
from tests.fakes import COMMUNITY, MODERATOR, Bench, say, wait, workflow
from tests.fakes_store import MemoryStore

CASES = tomllib.loads((Path(__file__).parent / "moving.toml").read_text(encoding="utf-8"))["case"]
AROUND = Context()


@cache
def language() -> Language:
    return Language(DECLARATIONS, tables_folder())


def program(text: str) -> Program:
    return compile_program(language().read_definition(f'workflow "w"\n{text}'), DECLARATIONS)


def brought_to(old: Program, at: str, given: dict[str, Any], hears: str | None = None) -> Execution:
    """A run that stands at a step; whatever it asked for on the way has succeeded."""
    run = start(
        old,
        id="r",
        community="home",
        revision=1,
        event=None,
        arguments=given,
        user=None,
        caller=None,
        at=0.0,
        context=AROUND,
    ).execution
    while all(branch.state != at for branch in run.branches):
        branch = run.branches[0]
        input = TimeReached(branch.due or 0) if branch.effect is None else Succeeded(0.0, branch.effect, {"name": "x"})
        run = transition(old, run, input, AROUND).execution
    if hears is not None:
        run = transition(old, run, Heard(0.0, hears, {"name": hears, "user": "bob"}), AROUND).execution
    return run


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_run_may_go_on_with_a_version_in_which_it_would_notice_nothing(case: dict[str, Any]) -> None:
    old, new = program(case["old"]), program(case["new"])
    run = brought_to(old, case["at"], case.get("given", {}), case.get("hears"))
    reason = movable(run, old, new)
    if "why" in case:
        assert reason is not None
        assert case["why"] in reason
    else:
        assert reason is None


def test_every_run_may_go_on_with_what_is_its_own_version_again() -> None:
    for case in CASES:
        old = program(case["old"])
        run = brought_to(old, case["at"], case.get("given", {}))
        assert movable(run, old, program(case["old"])) is None, case["name"]


def test_what_the_community_keeps_and_its_settings_count_as_set() -> None:
    old, new = program('1. wait 5 seconds\n2. say "a"'), program('1. wait 5 seconds\n2. say "${greeting}"')
    run = brought_to(old, "wait", {})
    assert movable(run, old, new) is not None
    assert movable(run, old, new, {"greeting"}) is None


def test_a_run_that_has_ended_stays_as_it_is() -> None:
    old = program("1. wait 5 seconds")
    over = transition(old, brought_to(old, "wait", {}), Stop(0.0, "mo"), AROUND).execution
    assert over.status in FINAL
    assert movable(over, old, old) == "it has ended"


def test_a_run_that_has_not_begun_needs_only_its_inputs() -> None:
    old, new = program('1. say "a"'), program('variable "x" {"required": true}\n1. [other] say "${x}"')
    common: dict[str, Any] = {
        "community": "home",
        "revision": 1,
        "event": None,
        "user": None,
        "caller": None,
        "at": 0.0,
    }
    for given, free in (({}, False), ({"x": "1"}, True)):
        run = start(old, id="r", arguments=given, context=AROUND, held="queued", **common).execution
        assert (movable(run, old, new) is None) == free


def test_a_moved_run_listens_for_what_the_new_version_listens_for() -> None:
    old = program('1. [hear] do {"kind": "wait_for", "event": "follow.received"}')
    new = program('1. [hear] do {"kind": "wait_for", "event": "raid.received"}')
    step = moved(brought_to(old, "hear", {}), 2, new, at=7.0, by="mo")
    assert step.execution.ears == (("raid.received", None),)
    (row,) = step.history
    assert (row.outcome, row.by, row.output, row.ended_at) == ("moved", "mo", {"from": 1, "to": 2}, 7.0)
    assert step.execution.seq == row.seq + 1
    assert (
        transition(new, step.execution, Heard(8.0, "follow.received", {"name": "follow.received"}), AROUND).history
        == ()
    )
    ended = transition(new, step.execution, Heard(8.0, "raid.received", {"name": "raid.received"}), AROUND)
    assert ended.execution.status == "completed"


# The runner --------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = MemoryStore() if request.param == "memory" else await SQLiteStore.open(tmp_path / "bot.db")
    yield opened
    await opened.close()


OLD = workflow("w", say("hi", "hi"), wait("rest", 10), wait("more", 10), say("bye", "old bye"))
NEW = workflow("w", say("hi", "hello"), wait("rest", 10), say("bye", "new bye"))


async def test_runs_go_on_with_the_new_version_where_it_is_safe_through_a_restart(store: Store) -> None:
    bench = await Bench(store).open(OLD)
    late = await bench.run("w")
    await bench.advance(12)  # stands at "more", which is gone in the new version
    soon = await bench.run("w")
    await bench.save(NEW, number=2)
    shift = await bench.runner.move(COMMUNITY, "w", 2, MODERATOR)
    assert [run.id for run in shift.moved] == [soon.id]
    assert [(run.id, reason) for run, reason in shift.left] == [(late.id, 'step "more", where it stands, is gone')]
    assert bench.runner.census(COMMUNITY) == {("w", 1): 1, ("w", 2): 1}
    await bench.runner.close()

    again = await Bench(store, bench.clock, prefix="again-").open()
    assert again.runner.census(COMMUNITY) == {("w", 1): 1, ("w", 2): 1}
    await again.advance(30)
    assert sorted(again.service.said) == ["new bye", "old bye"]
    rows = await store.history(soon.id)
    assert [(row.seq, row.outcome, row.by) for row in rows if row.outcome == "moved"] == [(1, "moved", "mod")]
    assert [row.seq for row in rows] == list(range(len(rows)))
    assert (await again.ended(soon.id)).revision == 2
    await again.runner.close()


async def test_moving_twice_is_moving_once_and_is_one_commit(store: Store) -> None:
    bench = await Bench(store).open(OLD)
    runs = [await bench.run("w") for _ in range(3)]
    await bench.save(NEW, number=2)
    assert len((await bench.runner.move(COMMUNITY, "w", 2, MODERATOR)).moved) == 3
    shift = await bench.runner.move(COMMUNITY, "w", 2, MODERATOR)
    assert (shift.moved, shift.left) == ((), ())
    for run in runs:
        assert [row.outcome for row in await store.history(run.id)].count("moved") == 1
    await bench.runner.close()


async def test_a_result_under_way_comes_back_to_the_new_version(store: Store) -> None:
    bench = await Bench(store).open(OLD)
    # Handed over and answered after the move: the runner is not let go on in between.
    started = await bench.runner.run(COMMUNITY, "w", {}, MODERATOR)
    assert isinstance(started, Execution)
    await bench.save(NEW, number=2)
    await bench.runner.move(COMMUNITY, "w", 2, MODERATOR)
    await bench.runner.quiescent()
    await bench.advance(10)
    assert bench.service.said == ["hi", "new bye"]
    assert (await bench.ended(started.id)).status == "completed"
    await bench.runner.close()
