"""The workflows people have really run: each visits the steps that it should, in the order that it should.

Every service only records what it is asked; the actions that belong to other products are services of their names, as a
plugin would bring them.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from bot.services.declared import DECLARATIONS
from engine.clock import VirtualClock
from engine.declare import Method, Param
from engine.events import Event
from engine.execution import FINAL, Done, Effect, Execution, Failed, HistoryRow, Result
from engine.model import Call, Parallel, all_states
from engine.ports import Batch, RevisionRecord, WorkflowRecord
from engine.runner import Runner
from engine.validate import check
from tests.fakes import COMMUNITY, STREAMER, asleep_until
from tests.fakes_store import MemoryStore
from tests.seeds import SEEDS, Seed

FAR = 1_000_000.0


@dataclass
class Recording:
    """Every service there is, or one that a plugin brings; notes what it is asked and fails or hangs where it must."""

    name: str
    methods: Sequence[Method]
    seed: Seed
    clock: VirtualClock
    asked: list[Effect] = field(default_factory=list)
    simulated: bool = True

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        self.asked.append(effect)
        await begin()
        if effect.state in self.seed.hangs:
            return await asleep_until(self.clock, FAR)()
        if effect.state in self.seed.fails:
            return Failed("no", "it will not")
        return Done({"url": "https://clips.example/1", "id": "1"})

    async def settle(self, effect: Effect) -> Result | None:
        return None


def services(seed: Seed, clock: VirtualClock, asked: list[Effect]) -> Iterator[Recording]:
    """One for each service that the bot has, and one for each that only the workflow knows."""
    known = DECLARATIONS.services()
    for name in sorted(known - {"data"}):
        yield Recording(name, [method for method in DECLARATIONS if method.service == name], seed, clock, asked)
    calls = [each.action for each in all_states(seed.imported().definition.states) if isinstance(each.action, Call)]
    foreign: dict[str, dict[str, set[str]]] = {}
    for call in calls:
        if call.service not in known:
            foreign.setdefault(call.service, {}).setdefault(call.method, set()).update(call.params)
    for name, methods in foreign.items():
        declared = [
            Method(name, method, tuple(Param(param, "any", required=False) for param in sorted(params)))
            for method, params in methods.items()
        ]
        yield Recording(name, declared, seed, clock, asked)


async def played(seed: Seed) -> tuple[Execution, list[HistoryRow], list[Effect], float]:
    """Run a seed to its end, or for as long as it is told to be looked at."""
    asked: list[Effect] = []
    store, clock, ids = MemoryStore(), VirtualClock(0.0), count(1)
    runner = Runner(
        store,
        list(services(seed, clock, asked)),
        clock,
        ids=lambda: f"x{next(ids)}",
        chance=lambda: 0.5,
    )
    runner.surround(COMMUNITY, config={"discord_channel_id": "news"})
    await runner.open(COMMUNITY)
    definition = seed.imported().definition
    await runner.save(
        Batch(
            revisions=[RevisionRecord(COMMUNITY, definition.id, 1, definition, STREAMER, 0.0)],
            workflows=[WorkflowRecord(COMMUNITY, definition.id, definition.name, 1)],
        )
    )
    started = await runner.run(COMMUNITY, definition.id, {**seed.arguments, **seed.event}, STREAMER)
    assert isinstance(started, Execution), started
    at = 0.0
    for event in seed.events:
        await clock.advance_to(event["after"], runner.quiescent)
        await runner.post(_event(event, clock.now()))
        at = event["after"]
    await clock.advance_to(max(at, seed.seconds), runner.quiescent)
    execution = await store.execution(started.id)
    assert execution is not None
    rows = await store.history(started.id)
    await runner.close()
    return execution, rows, asked, clock.now()


def _event(event: dict[str, Any], at: float) -> Event:
    return Event(f"e{at}", event["name"], at, COMMUNITY, {"user": {"name": "bob"}, **event.get("payload", {})})


def visited(execution: Execution, rows: Sequence[HistoryRow]) -> list[str]:
    """The steps in the order in which they were entered, each visit once."""
    places = {(row.path, row.state, row.visit): (row.entered_at, row.seq) for row in reversed(rows)}
    for number, branch in enumerate(execution.branches):
        places[branch.path, branch.state, branch.visit] = (branch.entered_at, len(rows) + number)
    return [state for (_, state, _), _ in sorted(places.items(), key=lambda each: each[1])]


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
async def test_a_workflow_that_people_have_visits_the_steps_it_should(seed: Seed) -> None:
    definition = seed.imported().definition
    execution, rows, asked, _ = await played(seed)

    found = visited(execution, rows)
    side_by_side = any(isinstance(state.action, Parallel) for state in all_states(definition.states))
    if seed.endless:
        assert found[: len(seed.visits)] == seed.visits
        assert execution.status not in FINAL
    elif side_by_side:
        assert Counter(found) == Counter(seed.visits)
    else:
        assert found == seed.visits
    ended = {row.state: row.seq for row in rows}
    entered = {row.state: row.entered_at for row in rows}
    times = {row.state: row.ended_at for row in rows}
    for first, second in seed.before:
        assert times[first] <= entered[second], (first, second)
        assert ended[first] < ended[second], (first, second)
    assert not set(seed.never) & set(found)
    if seed.calls:
        calls = [f"{effect.service}.{effect.method}" for effect in asked]
        expected = seed.calls
        assert calls[: len(expected)] == expected if seed.endless else sorted(calls) == sorted(expected)
    if not seed.endless:
        assert execution.status in FINAL, execution


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_a_workflow_that_people_have_can_be_run_as_it_is_read(seed: Seed) -> None:
    errors = [problem for problem in check(seed.imported().definition, DECLARATIONS) if problem.severity == "error"]

    foreign = {"custom", "ai_processing", "storage"}
    assert [each for each in errors if not any(f'"{name}"' in each.sentence for name in foreign)] == []
