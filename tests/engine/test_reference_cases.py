"""Small cases on which the engine and the reference once told different things."""

from typing import Any

import pytest

from engine.execution import FINAL, Done, Failed
from engine.inputs import Skip
from tests.fakes import COMMUNITY, MODERATOR, Bench, asleep_until, look, say, wait, workflow
from tests.fakes_store import MemoryStore


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


def branch(name: str, *states: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A branch of a parallel, its states linked in order."""
    linked = [
        {**state, "transitions": state.get("transitions") or ({"success": after["name"]} if after else {})}
        for state, after in zip(states, [*states[1:], None], strict=True)
    ]
    return {"name": name, "block": {"initial_state": states[0]["name"], "states": linked}, **more}


def side_by_side(name: str, *branches: dict[str, Any], join: str = "all", **more: Any) -> dict[str, Any]:
    return {"name": name, "action": {"kind": "parallel", "branches": list(branches), "join": join}, **more}


def run(name: str, workflow: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "action": {"kind": "run", "workflow": workflow}, **more}


def wait_for(name: str, event: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "action": {"kind": "wait_for", "event": event}, **more}


async def test_runs_that_are_waited_for_side_by_side_may_end_at_once(memory: MemoryStore) -> None:
    child = workflow("child", {"name": "count", "action": {"kind": "set", "values": {"n": 1}}})
    parent = workflow("parent", side_by_side("both", branch("a", run("x", "child")), branch("b", run("y", "child"))))
    bench = await Bench(memory).open(child, parent)
    ended = await bench.ended((await bench.run("parent")).id)
    assert (ended.status, ended.results["both"]) == ("completed", {"a": "done", "b": "done"})
    await bench.runner.close()


async def test_of_two_runs_started_at_once_a_single_workflow_takes_one(memory: MemoryStore) -> None:
    child = workflow("child", wait("rest", 5), policy={"mode": "single"})
    parent = workflow("parent", side_by_side("both", branch("a", run("x", "child")), branch("b", run("y", "child"))))
    bench = await Bench(memory).open(child, parent)
    await bench.run("parent")
    assert bench.runner.census(COMMUNITY)["child", 1] == 1
    await bench.runner.close()


async def test_stop_after_a_restart_starts_nothing_new(memory: MemoryStore) -> None:
    child = workflow("child", look("work"))
    parent = workflow("parent", run("x", "child", transitions={"error": "again"}), run("again", "child"))
    bench = await Bench(memory).open(child, parent)
    bench.service.answer("look", asleep_until(bench.clock, 9_000.0))
    started = await bench.run("parent")
    second = Bench(memory.reopen(), clock=bench.clock, prefix="second")
    second.service.answer("look", asleep_until(bench.clock, 9_000.0))
    await second.open()
    await second.runner.control(COMMUNITY, "stop", None, MODERATOR)
    await second.runner.quiescent()
    assert await second.store.execution(f"{started.id}.2") is None
    assert (await second.ended(started.id)).status == "stopped"
    await second.runner.close()
    await bench.runner.close()


async def test_an_edge_of_a_parallel_that_has_gone_on_is_not_taken_by_its_branches(memory: MemoryStore) -> None:
    flow = workflow(
        "flow",
        side_by_side("fork", branch("a", wait("w", 9)), join="none", transitions={"success": "b", "made.up": "c"}),
        wait("b", 9, transitions={"success": "end"}),
        say("c", "c"),
        wait("end", 1),
    )
    bench = await Bench(memory).open(flow)
    started = await bench.run("flow")
    await bench.happen("made.up")
    assert {each.state for each in (await bench.ended(started.id)).branches} == {"w", "b"}
    await bench.runner.close()


async def test_a_branch_that_fails_ends_what_went_on_beside_it(memory: MemoryStore) -> None:
    bad = branch("bad", side_by_side("fork", branch("c", wait("w", 3)), join="none"), say("no", "${missing}"))
    flow = workflow(
        "flow", side_by_side("both", bad, branch("good", wait("long", 9)), transitions={"error": "end"}), wait("end", 1)
    )
    bench = await Bench(memory).open(flow)
    started = await bench.run("flow")
    assert [each.state for each in (await bench.ended(started.id)).branches] == ["long"]
    await bench.advance(20)
    ended = await bench.ended(started.id)
    assert (ended.status, ended.error) == ("completed", None)
    await bench.runner.close()


@pytest.mark.parametrize(
    "before",
    [
        {"transitions": {"error": "w"}},
        {"critical": False},
        {"retry": {"max_attempts": 2, "delay_seconds": 1}, "transitions": {"error": "w"}},
    ],
    ids=["failed", "carried on", "tried again"],
)
async def test_a_wait_hears_from_the_step_before_it_also_if_that_fails(
    memory: MemoryStore, before: dict[str, Any]
) -> None:
    bench = await Bench(memory).open(workflow("flow", look("ask", **before), wait_for("w", "made.up")))
    again = Failed("busy", "busy", retryable=True)
    bench.service.answer("look", asleep_until(bench.clock, 1_005.0, again), again)
    started = await bench.run("flow")
    await bench.happen("made.up", n=7)
    await bench.advance(10)
    assert (await bench.ended(started.id)).status in FINAL
    await bench.runner.close()


@pytest.mark.parametrize("join", ["all", "any"])
async def test_a_wait_after_branches_hears_from_the_last_of_their_steps_on(memory: MemoryStore, join: str) -> None:
    fork = side_by_side("fork", branch("a", look("ask")), branch("b", wait("w9", 9)), join=join)
    bench = await Bench(memory).open(workflow("flow", fork, wait_for("w", "made.up")))
    bench.service.answer("look", asleep_until(bench.clock, 1_012.0 if join == "all" else 1_005.0, Done()))
    started = await bench.run("flow")
    await bench.happen("made.up", n=7)
    await bench.advance(20)
    assert (await bench.ended(started.id)).status == "completed"
    await bench.runner.close()


async def test_a_wait_beside_branches_hears_from_the_step_before_them(memory: MemoryStore) -> None:
    fork = side_by_side("fork", branch("a", wait("w9", 9)), join="none")
    bench = await Bench(memory).open(workflow("flow", look("ask"), fork, wait_for("w", "made.up")))
    bench.service.answer("look", asleep_until(bench.clock, 1_005.0, Done()))
    started = await bench.run("flow")
    await bench.happen("made.up", n=7)
    await bench.advance(5)
    assert [each.state for each in (await bench.ended(started.id)).branches] == ["w9"]
    await bench.runner.close()


async def test_a_branch_beside_a_loop_remembers_the_item_it_began_with(memory: MemoryStore) -> None:
    fork = side_by_side("fork", branch("a", wait("w", 2), say("tell", "${item} ${loop.round}")), join="none")
    block = {"initial_state": "fork", "states": [fork]}
    loop = {"name": "l", "action": {"kind": "for_each", "items": ["x", "y"], "variable": "item", "block": block}}
    bench = await Bench(memory).open(workflow("flow", loop, wait("end", 9)))
    await bench.run("flow")
    await bench.advance(5)
    assert sorted(bench.service.said) == ["x 1", "y 2"]
    await bench.runner.close()


async def test_a_loop_whose_wait_is_in_a_branch_may_go_on_for_ever(memory: MemoryStore) -> None:
    flow = workflow("flow", side_by_side("fork", branch("a", wait("w", 1)), transitions={"success": "fork"}))
    bench = await Bench(memory).open(flow)
    started = await bench.run("flow")
    await bench.advance(1_100)
    assert (await bench.ended(started.id)).status == "waiting"
    await bench.runner.close()


async def test_of_branches_that_race_only_what_the_first_has_set_is_known_afterwards(memory: MemoryStore) -> None:
    late = branch(
        "late", {"name": "set", "action": {"kind": "set", "values": {"who": "late", "more": 1}}}, wait("w", 9)
    )
    first = branch("first", {"name": "win", "action": {"kind": "set", "values": {"who": "first"}}})
    bench = await Bench(memory).open(workflow("flow", side_by_side("race", first, late, join="any")))
    for fork in (side_by_side("race", late, first, join="any"), side_by_side("race", first, late, join="any")):
        await bench.save(workflow("flow", fork), number=2 if fork["action"]["branches"][0] is first else 3)
        started = await bench.run("flow")
        assert (await bench.ended(started.id)).variables == {"who": "first"}
    await bench.runner.close()


async def test_a_wait_for_an_event_that_is_skipped_in_a_pause_is_over_when_that_ends(memory: MemoryStore) -> None:
    bench = await Bench(memory).open(workflow("flow", wait_for("w", "made.up"), say("on", "on")))
    started = await bench.run("flow")
    await bench.runner.control(COMMUNITY, "pause", None, MODERATOR)
    await bench.runner.steer(COMMUNITY, Skip(bench.clock.now(), "mod"), None)
    assert bench.service.said == []
    await bench.runner.control(COMMUNITY, "resume", None, MODERATOR)
    await bench.runner.quiescent()
    assert bench.service.said == ["on"]
    assert (await bench.ended(started.id)).status == "completed"
    await bench.runner.close()


async def test_a_result_that_a_round_does_not_give_is_none_in_a_branch_too(memory: MemoryStore) -> None:
    fork = side_by_side("fork", branch("a", look("ask")))
    block = {"initial_state": "fork", "states": [fork]}
    loop = {"name": "l", "action": {"kind": "repeat", "times": 2, "block": block}}
    bench = await Bench(memory).open(workflow("flow", loop))
    bench.service.answer("look", Done(1), Done(None))
    started = await bench.run("flow")
    assert "ask" not in (await bench.ended(started.id)).results
    await bench.runner.close()


async def test_a_run_whose_turn_an_event_brings_does_not_hear_that_event(memory: MemoryStore) -> None:
    rest = wait("rest", 9, transitions={"made.up": "heard"})
    flow = workflow("w", rest, {"name": "heard", "action": {"kind": "stop"}}, policy={"mode": "queued"})
    bench = await Bench(memory).open(flow)
    first, second = await bench.run("w"), await bench.run("w")
    await bench.happen("made.up")
    assert (await bench.ended(first.id)).status == "completed"
    assert [branch.state for branch in (await bench.ended(second.id)).branches] == ["rest"]
    await bench.runner.close()
