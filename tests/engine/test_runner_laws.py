"""Whatever happens, in whatever order: nothing lost, nothing done twice, nothing stuck.

Hypothesis draws a life of the bot: events, time, controls, services that fail, break or take their time, a disk that fills
up and empties, and deaths at any moment. Afterwards everything must have come to an end that the history tells in full.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.clock import VirtualClock
from engine.errors import StoreError, StoreUnwritable
from engine.execution import FINAL, Done, Effect, Failed, Result, Unknown
from engine.ports import Batch
from tests.fakes import COMMUNITY, MODERATOR, Bench, RecordingService, asleep_until, look, never, say, wait, workflow
from tests.fakes_store import MemoryStore

LONG = 1_000_000.0

WORKFLOWS = (
    workflow(
        "mixed",
        say("a", "a", retry={"max_attempts": 3, "delay_seconds": 2}),
        wait("b", 5),
        look("c"),
        say("d", "d", timeout_seconds=4, transitions={"timeout": "e", "cancel": "e"}),
        wait("e", 3, transitions={"cancel": "f"}),
        say("f", "f"),
        triggers=["raid"],
    ),
    workflow(
        "handled",
        look("g", transitions={"error": "h", "unknown": "h"}),
        say("h", "h", transitions={"error": "i", "unknown": "i"}),
        say("i", "i", critical=False),
        triggers=["raid", "follow"],
    ),
)

ANSWERS = st.sampled_from(["done", "error", "retryable", "timeout", "unknown", "raise", "slow", "never"])
STEPS = st.one_of(
    st.just(("raid",)),
    st.just(("follow",)),
    st.tuples(st.just("turns"), st.integers(0, 6)),
    st.tuples(st.just("advance"), st.sampled_from([0.0, 1.0, 2.5, 7.0])),
    st.tuples(st.just("answer"), st.sampled_from(["say", "look"]), ANSWERS),
    st.tuples(st.just("control"), st.sampled_from(["stop", "cancel", "pause", "resume"])),
    st.tuples(st.just("disk"), st.booleans()),
    st.tuples(st.just("hiccup"), st.integers(1, 3)),
    st.just(("die",)),
)


class SlowDisk(MemoryStore):
    """A store whose commits take a few turns of the loop, so that deaths and inputs fall into the middle of them."""

    hiccups: int = 0

    async def commit(self, batch: Batch) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        if self.hiccups > 0:
            self.hiccups -= 1
            raise StoreUnwritable("for a moment")
        await super().commit(batch)


class Life:
    """One bot through all its deaths."""

    def __init__(self) -> None:
        self.store = SlowDisk()
        self.clock = VirtualClock(1_000.0)
        self.begun: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.started: set[str] = set()
        self.events = 0
        self.lives = 0

    async def begin(self) -> None:
        """Be born, or born again on what was committed."""
        self.lives += 1
        self.service = RecordingService()
        self.hanging = False
        self.bench = Bench(self.store, self.clock, self.service, prefix=f"life{self.lives}-")
        await self.bench.runner.open(COMMUNITY)
        if self.lives == 1:
            for definition in WORKFLOWS:
                await self.bench.save(definition)

    async def die(self) -> None:
        """Lose everything that is in memory, and whatever commit is not yet written."""
        failing = self.store.fail_with
        self.store.fail_with = StoreUnwritable("dead")
        await self.bench.runner.close()
        self.note()
        tables = self.store.reopen()._tables
        self.store = SlowDisk()
        self.store._tables = tables
        self.store.fail_with = failing
        self.clock = VirtualClock(self.clock.now())
        await self.begin()

    def note(self) -> None:
        """Count what this life has done."""
        self.begun.update(self.service.begun)
        self.asked.update(effect.id for effect in self.service.asked)

    async def step(self, step: tuple[Any, ...]) -> None:
        runner = self.bench.runner
        match step:
            case ("raid" | "follow" as name,):
                self.events += 1
                event = self.bench.event(f"{name}.received", id=f"event-{self.events}")
                with suppress(StoreError):  # nothing of it happened, and who asked was told
                    self.started |= {execution.id for execution in (await runner.post(event)).started}
            case ("turns", turns):
                for _ in range(turns):
                    await asyncio.sleep(0)
            case ("advance", seconds):
                if self.hanging or any(self.hang in answers for answers in self.service.answers.values()):
                    await self.die()
                await self.bench.advance(seconds)
            case ("answer", method, kind):
                self.service.answer(method, self.answer(kind))
            case ("control", verb):
                with suppress(StoreError):
                    await runner.control(COMMUNITY, verb, None, MODERATOR)
            case ("disk", full):
                self.store.fail_with = StoreUnwritable("full") if full else None
            case ("hiccup", times):
                self.store.hiccups = times
            case ("die",):
                await self.die()

    def answer(self, kind: str) -> Result | Exception | Callable[[], Awaitable[Result]]:
        match kind:
            case "error":
                return Failed("no", "no")
            case "retryable":
                return Failed("busy", "busy", retryable=True)
            case "timeout":
                return Failed("timeout", "too slow")
            case "unknown":
                return Unknown("who knows")
            case "raise":
                return RuntimeError("broke")
            case "slow":
                return asleep_until(self.clock, self.clock.now() + 6)
            case "never":
                return asleep_until(self.clock, LONG) if self.lives % 2 else self.hang
            case _:
                return Done()

    async def hang(self) -> Result:
        """Never answer, and not because of the clock: nothing is quiet any more, the process can only be killed."""
        self.hanging = True
        return await never()

    async def finish(self) -> None:
        """Let the disk be well, the services answer, and all time pass."""
        self.store.fail_with = None
        await self.die()
        self.store.fail_with = None
        await self.bench.runner.control(COMMUNITY, "resume", None, MODERATOR)
        await self.bench.advance(200)
        await self.bench.runner.quiescent()
        await self.bench.runner.close()
        self.note()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=25))
def test_nothing_is_lost_done_twice_or_stuck(steps: list[tuple[Any, ...]]) -> None:
    async def live() -> None:
        life = Life()
        await life.begin()
        for step in steps:
            await asyncio.wait_for(life.step(step), 5)
        await asyncio.wait_for(life.finish(), 5)
        await check(life)

    asyncio.run(live())


async def check(life: Life) -> None:
    executions = {execution.id: execution for execution in await life.store.executions(COMMUNITY, limit=1_000)}
    assert life.started <= executions.keys()  # what was answered "started" is there
    for execution in executions.values():
        assert execution.status in FINAL, execution
        assert execution.orphans == ()
        rows = await life.store.history(execution.id)
        assert [row.seq for row in rows] == list(range(execution.seq))
    assert await life.store.outbox(COMMUNITY) == []
    once: dict[str, int] = {id: times for id, times in life.begun.items() if not repeatable(id)}
    assert all(times == 1 for times in once.values()), once
    told = {
        (row.execution, row.state, row.visit, row.attempt) for id in executions for row in await life.store.history(id)
    }
    for id in life.begun:
        assert place(id) in told, id  # whatever was done is told, as what it was or as late or unknown


def repeatable(effect: str) -> bool:
    return effect.split("/")[2] in {"c", "g"}


def place(effect: str) -> tuple[str, str, int, int]:
    execution, _, state, visit = effect.split("/")
    number, _, attempt = visit.partition("#")
    return execution, state, int(number), int(attempt or 1)


def test_effects_are_told_apart_by_their_ids() -> None:
    effect = Effect("x/main/a/2#3", "c", "x", "w", "a", "stage", "say", {}, False, 3)
    assert place(effect.id) == ("x", "a", 2, 3)
