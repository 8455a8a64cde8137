"""The engine against a second telling of what workflows do: whatever is drawn and whatever happens, both tell the same.

Hypothesis draws workflows of every kind, with what may go on side by side and how soon, and a life: starts, events, answers of services in any order, time, controls, and
deaths after which another runner goes on from the store. After every step each run must stand where the reference says.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.clock import VirtualClock
from engine.convert import read_data
from engine.errors import StoreUnwritable
from engine.events import Event
from engine.execution import Done, Effect, Execution, Failed, HistoryRow, Result, Unknown
from engine.inputs import Extend, Skip
from engine.ports import Batch, RevisionRecord, Store, WorkflowRecord
from engine.runner import Runner
from storage.sqlite import SQLiteStore
from tests.engine.reference import Going, World
from tests.fakes import COMMUNITY, MODERATOR, STREAMER, counting
from tests.fakes_store import MemoryStore
from tests.runnable import DECLARATIONS, EVENTS, definitions

WHO = {"name": STREAMER.name, "roles": ["broadcaster", "moderator"]}  # whose channel it is, is both
USERS = st.sampled_from(["bob", "ann", "cid"])
ANSWERS: Mapping[str, Callable[[Any], Result]] = {
    "success": Done,
    "error": lambda _: Failed("gone", "it is gone"),
    "busy": lambda _: Failed("busy", "it is busy", retryable=True),
    "timeout": lambda _: Failed("timeout", "it took too long"),
    "unknown": lambda _: Unknown("nobody can say"),
}
STEPS = st.one_of(
    st.tuples(st.just("run"), st.sampled_from(["w", "other"]), st.integers(0, 3)),
    st.tuples(st.just("event"), st.sampled_from(EVENTS), USERS, st.integers(0, 3)),
    st.tuples(st.just("event"), st.sampled_from(EVENTS), USERS, st.integers(0, 3)),
    st.tuples(st.just("answer"), st.integers(0, 4), st.just("success"), st.sampled_from([None, 1, {"n": 2}])),
    st.tuples(st.just("answer"), st.integers(0, 4), st.just("success"), st.sampled_from([None, 1, {"n": 2}])),
    st.tuples(st.just("answer"), st.integers(0, 4), st.sampled_from(sorted(ANSWERS)), st.just(None)),
    st.tuples(st.just("advance"), st.sampled_from([0, 1, 2.5, 4, 10])),
    st.tuples(st.just("control"), st.sampled_from(["pause", "resume", "resume", "skip", "cancel", "stop"])),
    st.tuples(
        st.just("one"), st.integers(0, 9), st.sampled_from(["pause", "resume", "resume", "skip", "cancel", "stop"])
    ),
    st.tuples(st.just("extend"), st.sampled_from([2.5, 10, -3])),
    st.tuples(st.just("restart")),
)
POLICIES = st.fixed_dictionaries(
    {"mode": st.sampled_from(["single", "restart", "queued", "parallel"])},
    optional={
        "max": st.integers(1, 2),
        "key": st.sampled_from(["user", "n"]),
        "group": st.just("both"),
        "cooldown": st.sampled_from([{"seconds": 3}, {"seconds": 4, "per": "user"}, {"seconds": 4, "per": "n"}]),
    },
)
STARTS = st.one_of(
    st.tuples(st.just("run"), st.sampled_from(["w", "other"]), st.integers(0, 1)),
    st.tuples(st.just("event"), st.sampled_from(["follow.received", "message.received"]), USERS, st.integers(0, 1)),
)
LAST = {
    "id": "last",
    "name": "last",
    "initial_state": "look",
    "states": [
        {
            "name": "look",
            "action": {"service": "svc", "method": "look", "params": {}},
            "transitions": {"success": "w8"},
        },
        {"name": "w8", "action": {"kind": "wait_for", "event": "made.up"}, "timeout_seconds": 3},
    ],
    "triggers": ["made.up"],
}


Life: TypeAlias = tuple[list[dict[str, Any]], list[tuple[Any, ...]]]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Workflows and what happens to them; in every other life they are in each other's way, and many are started."""
    workflows = draw(worlds())
    if not draw(st.booleans()):
        return workflows, draw(st.lists(STEPS, max_size=12))
    for workflow in workflows[:2]:
        workflow["policy"] = draw(POLICIES)
    return workflows, draw(st.lists(st.one_of(STARTS, STARTS, STEPS), max_size=16))


@st.composite
def worlds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Three workflows: one that runs the second, which runs the third; none runs itself, or there would be no end."""
    first = {**draw(definitions(id="w", runs=("other", "nobody"))), "triggers": ["follow.received"]}
    second = {**draw(definitions(id="other", runs=("last",))), "triggers": ["message.received"]}
    for each in (first, second):
        each.setdefault("max_loop_iterations", 20)
    return [first, second, LAST]


class Hands:
    """A service that does nothing until it is told what came of it, by whoever holds the other end."""

    name = "svc"
    methods: Sequence[Any] = tuple(DECLARATIONS)
    simulated = False

    def __init__(self, clock: "Still") -> None:
        self.clock = clock
        self.open: dict[str, tuple[Effect, asyncio.Future[Result]]] = {}

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        await begin()
        return await self.settle(effect)

    async def settle(self, effect: Effect) -> Result:
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.open[effect.id] = effect, answer
        return await self.clock.rest_on(answer)

    def answer(self, id: str, result: Result) -> None:
        self.open.pop(id)[1].set_result(result)


class Still(VirtualClock):
    """A clock on which one can also sleep until somebody says something."""

    async def rest_on(self, answer: "asyncio.Future[Result]") -> Result:
        await self._asleep(answer, float("inf"))
        return answer.result()


class Mortal:
    """A store that can be cut off, and knows which runs came first."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.order: dict[str, None] = {}
        self.dead = False

    async def commit(self, batch: Batch) -> None:
        if self.dead:
            raise StoreUnwritable("dead")
        await self.store.commit(batch)
        self.order.update((execution.id, None) for execution in batch.executions)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class Both:
    """The engine and the reference, living the same life."""

    def __init__(self, store: Store, workflows: list[dict[str, Any]]) -> None:
        self.workflows = [read_data(workflow) for workflow in workflows]
        self.world = World({workflow.id: workflow for workflow in self.workflows})
        self.store = Mortal(store)
        self.clock = Still(self.world.now)
        self.events = counting("event")
        self.lives = 0

    async def begin(self) -> None:
        self.lives += 1
        self.hands = Hands(self.clock)
        ids = counting(f"{self.lives}-")
        self.runner = Runner(self.store, [self.hands], self.clock, ids=ids, chance=lambda: 0.5, notices=lambda *_: None)
        await self.runner.open(COMMUNITY)
        if self.lives == 1:
            for definition in self.workflows:
                revision = RevisionRecord(COMMUNITY, definition.id, 1, definition, STREAMER, 0.0)
                workflow = WorkflowRecord(COMMUNITY, definition.id, definition.name, 1)
                await self.runner.save(Batch(revisions=[revision], workflows=[workflow]))

    async def die(self) -> None:
        """Lose all that is in memory."""
        self.store.dead = True
        for id in list(self.hands.open):
            self.hands.answer(id, Unknown("dead"))
        await self.runner.close()
        self.store.dead = False
        self.clock = Still(self.clock.now())
        await self.begin()

    async def step(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("run", workflow, n):
                started = await self.runner.run(COMMUNITY, workflow, {"n": n}, STREAMER)
                assert isinstance(started, Execution) == self.world.by_hand(workflow, {"n": n}, WHO), started
            case ("event", name, user, n):
                who = {"name": user, "roles": []}
                event = Event(
                    self.events(), name, self.clock.now(), COMMUNITY, {"user": who, "n": n, "message": f"m{n}"}
                )
                await self.runner.post(event)
                self.world.post({"name": name, "id": event.id, "at": event.at, **event.payload})
            case ("answer", which, verb, output):
                if not self.world.asked:
                    return
                effect = list(self.world.asked)[which % len(self.world.asked)]
                self.hands.answer(self.translated(effect), ANSWERS[verb](output))
                self.world.answer(effect, verb, output)
                await asyncio.sleep(0)
            case ("advance", seconds):
                await self.clock.advance(seconds, self.runner.quiescent)
                self.world.advance(seconds)
            case ("control", "skip"):
                await self.runner.steer(COMMUNITY, Skip(self.clock.now(), "mod"), None)
                self.world.control("skip")
            case ("one", which, verb):
                await self.control_one(which, verb)
            case ("extend", seconds):
                await self.runner.steer(COMMUNITY, Extend(self.clock.now(), "mod", seconds), None)
                self.world.control("extend", seconds)
            case ("control", verb):
                await self.runner.control(COMMUNITY, verb, None, MODERATOR)
                self.world.control(verb)
            case ("restart",):
                await self.die()
                self.world.restart()
        await self.runner.quiescent()

    async def control_one(self, which: int, verb: Any) -> None:
        """Let somebody's wish move one run alone, one that has ended or another."""
        named = {name: id for id, name in self.names().items()}
        if not named:
            return
        run = list(self.world.runs)[which % len(self.world.runs)]
        if verb == "skip":
            await self.runner.steer(COMMUNITY, Skip(self.clock.now(), "mod"), None, run=named[run])
        else:
            await self.runner.control(COMMUNITY, verb, None, MODERATOR, run=named[run])
        self.world.control(verb, run=run)

    def names(self) -> dict[str, str]:
        """The reference's name of each run, by the engine's."""
        roots = [id for id in self.world.runs if "." not in id]
        begun = [id for id in self.store.order if "." not in id]
        assert len(begun) == len(roots), f"the engine began {len(begun)} runs by themselves, the reference {len(roots)}"
        found = dict(zip(begun, roots, strict=True))
        for id in self.store.order:
            root, dot, rest = id.partition(".")
            found[id] = found[root] + dot + rest
        return found

    def translated(self, effect: str) -> str:
        run, rest = effect.split("/", 1)
        return {name: id for id, name in self.names().items()}[run] + "/" + rest

    async def compare(self) -> None:
        names = self.names()
        assert set(names.values()) == set(self.world.runs), sorted(set(names.values()) ^ set(self.world.runs))
        for id, name in names.items():
            execution = await self.store.execution(id)
            history = await self.store.history(id)
            is_, should = told(execution, history, names), expected(self.world.runs[name])
            assert is_ == should, (is_, should)
        mine = {effect: params for effect, (_, _, params) in self.world.asked.items()}
        assert {_id(effect, names): each.params for effect, (each, _) in self.hands.open.items()} == mine


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The same with the reference's names of runs, in whatever holds the name of one."""
    if isinstance(value, Mapping):
        return {
            key: _id(part, names) if _holds_run(key, part) else _renamed(part, names) for key, part in value.items()
        }
    return [_renamed(part, names) for part in value] if isinstance(value, list | tuple) else value


def _holds_run(key: str, value: Any) -> bool:
    return key == "execution" or (key == "id" and str(value).startswith("emitted/"))


def _id(value: str, names: Mapping[str, str]) -> str:
    before, slash, rest = value.removeprefix("emitted/").partition("/")
    root, dot, child = before.partition(".")
    return ("emitted/" if value.startswith("emitted/") else "") + names.get(root, root) + dot + child + slash + rest


def told(execution: Execution, history: Sequence[HistoryRow], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "run": names[execution.id],
        "workflow": execution.workflow,
        "status": execution.status,
        "history": [(row.path, row.state, row.visit, row.attempt, row.outcome, row.to) for row in history],
        "due": execution.next_due,
        "variables": _renamed(execution.variables, names),
        "results": {name: _renamed(each, names) for name, each in execution.results.items() if each is not None},
        "rests": sorted((b.path, b.state, b.visit, b.due or 0, b.timeout_due or 0) for b in execution.branches),
        "orphans": sorted(_id(effect, names) for effect in execution.orphans),
        "error": execution.error is not None,
    }


def expected(run: Going) -> dict[str, Any]:
    return {
        "run": run.id,
        "workflow": run.definition.id,
        "status": run.status,
        "history": run.history,
        "due": run.next_due(),
        "variables": _renamed(run.main.variables, {}),
        "results": {name: _renamed(each, {}) for name, each in run.main.results.items() if each is not None},
        "rests": sorted((b.path.key, b.state.name, b.visit, b.due or 0, b.limit or 0) for b in run.leaves),
        "orphans": sorted(run.orphans),
        "error": run.error is not None,
    }


async def live(store: Store, workflows: list[dict[str, Any]], steps: Sequence[tuple[Any, ...]]) -> None:
    both = Both(store, workflows)
    await both.begin()
    for step in [("run", "w", 1), *steps]:
        await asyncio.wait_for(both.step(step), 20)
        await both.compare()
    both.store.dead = True
    for id in list(both.hands.open):
        both.hands.answer(id, Unknown("the end"))
    await both.runner.close()


DRAWN = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("verb", ["pause", "skip", "cancel", "stop"])
def test_a_wish_for_one_run_is_heard_by_no_other_in_either(verb: str) -> None:
    rest = {"name": "rest", "action": {"kind": "wait", "seconds": 10}, "transitions": {"success": "again"}}
    again = {"name": "again", "action": {"kind": "wait", "seconds": 10}, "transitions": {}}
    waiting = {"id": "w", "name": "w", "initial_state": "rest", "states": [rest, again]}
    steps = [("run", "w", 1), ("one", 0, verb), ("advance", 4), ("one", 1, verb), ("one", 0, "resume"), ("advance", 10)]
    asyncio.run(live(MemoryStore(), [waiting], steps))


@settings(DRAWN, max_examples=30)
@given(lives())
def test_engine_and_reference_tell_the_same(drawn: Life) -> None:
    asyncio.run(live(MemoryStore(), *drawn))


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@settings(DRAWN, max_examples=1_000)
@given(lives())
def test_engine_and_reference_tell_the_same_of_many(drawn: Life) -> None:
    asyncio.run(live(MemoryStore(), *drawn))


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(DRAWN, max_examples=60)
@given(lives())
def test_engine_and_reference_tell_the_same_in_sqlite(drawn: Life) -> None:
    async def on_disk(folder: str) -> None:
        store = await SQLiteStore.open(Path(folder) / "bot.db", synchronous="NORMAL")
        try:
            await live(store, *drawn)
        finally:
            await store.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(on_disk(folder))
