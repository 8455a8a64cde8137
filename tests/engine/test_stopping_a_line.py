"""Whoever stops a workflow stops its line, too: nobody in it begins because the one before has ended."""

import pytest

from engine.inputs import Verb
from tests.fakes import COMMUNITY, MODERATOR, Bench, say, wait, workflow
from tests.fakes_store import MemoryStore


@pytest.mark.parametrize("verb", ["stop", "cancel"])
@pytest.mark.parametrize("whom", ["raid", None], ids=["by name", "everything"])
async def test_nobody_in_the_line_begins_while_it_is_stopped(verb: Verb, whom: str | None) -> None:
    bench = Bench(MemoryStore())
    states = (say("hello", "welcome"), wait("rest", 60))
    await bench.open(workflow("raid", *states, triggers=["raid"], policy={"mode": "queued", "max": 5}))
    for _ in range(3):
        await bench.happen("raid.received")
    assert bench.service.said == ["welcome"]
    changed = await bench.runner.control(COMMUNITY, verb, whom, MODERATOR)
    await bench.runner.quiescent()
    assert bench.service.said == ["welcome"]
    assert len(changed) == 3
    assert await bench.runner.live(COMMUNITY) == ()
    await bench.runner.close()


async def test_a_run_that_is_stopped_with_the_one_it_waits_for_does_not_handle_its_end() -> None:
    store = MemoryStore()
    bench = Bench(store)
    inner = {"name": "inner", "action": {"kind": "run", "workflow": "rest"}, "transitions": {"error": "sorry"}}
    await bench.open(workflow("rest", wait("w", 60)), workflow("outer", inner, say("sorry", "sorry")))
    await bench.run("outer")
    await bench.runner.close()
    again = await Bench(store.reopen(), bench.clock, bench.service, prefix="again").open()
    await again.runner.control(COMMUNITY, "stop", None, MODERATOR)
    await again.runner.quiescent()
    assert bench.service.said == []
    assert await again.runner.live(COMMUNITY) == ()
    await again.runner.close()
