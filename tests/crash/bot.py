"""The bot that is killed: the real runner on the real store, a service that tells the witness, and a store that kills.

Run as `python -m tests.crash.bot` with a `Plan` as JSON on its command line. It posts every event of the plan again at
every start, as a platform would that does not know what arrived; it ends with 0 when every execution has ended.
"""

import asyncio
import json
import os
import random
import signal
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from engine.clock import SystemClock
from engine.declare import Method, Param
from engine.events import Event
from engine.execution import Done, Effect, Failed, Person, Result
from engine.model import Definition
from engine.ports import Batch, RevisionRecord, WorkflowRecord
from engine.runner import Runner
from storage.sqlite import SQLiteStore
from tests.crash.witness import request

COMMUNITY: Final = "main"
STREAMER: Final = Person("streamer", roles=("broadcaster",))
METHODS: Final = (
    Method("witness", "note", (Param("text"),), repeatable=True),
    Method("witness", "once", (Param("text"),)),
    Method("witness", "checked", (Param("text"),)),
)

LONG_COMMIT: Final = 0.04
"""Seconds for which a commit that never happens seems to go on: enough to see whether anything acts before it is over."""

Point: TypeAlias = Literal["before commit", "after commit", "inside the effect", "after the effect"]
POINTS: Final[tuple[Point, ...]] = ("before commit", "after commit", "inside the effect", "after the effect")


@dataclass(frozen=True)
class Plan:
    """One life of the bot.

    Attributes:
        waiters: How many executions rest in waits; each does something before, between and after two of them.
        actors: How many do one thing after the other, `steps` things in all.
        first_wait: Between which seconds the first wait lasts; likewise the second.
        point: Where to die, if at all.
        at: At the how many-th commit that passes that point.
        when_all_rest: Count commits only once every waiter has come to its first wait and every actor acts.
    """

    database: str
    witness: int
    waiters: int
    actors: int
    steps: int
    first_wait: tuple[float, float]
    second_wait: tuple[float, float]
    seed: int
    point: Point | None = None
    at: int = 1
    when_all_rest: bool = False


def die() -> None:
    """End without a word."""
    os.kill(os.getpid(), signal.SIGKILL)


class KillingStore(SQLiteStore):
    """The real store, until the chosen point comes."""

    point: Point | None = None
    left: int = 0
    next_effect_kills: bool = False

    def arm(self, point: Point | None, at: int) -> None:
        """Count from here."""
        self.point, self.left = point, at

    async def commit(self, batch: Batch) -> None:
        if self._is_the_one("before commit", True) or self._is_the_one("after the effect", bool(batch.done)):
            await asyncio.sleep(LONG_COMMIT)
            die()
        if self._is_the_one("inside the effect", bool(batch.outbox)):
            self.next_effect_kills = True
        await super().commit(batch)
        if self._is_the_one("after commit", True):
            die()

    def _is_the_one(self, point: Point, passes: bool) -> bool:
        if self.point != point or not passes:
            return False
        self.left -= 1
        return self.left == 0


class WitnessedService:
    """Does things that a witness sees."""

    name = "witness"
    methods: Sequence[Method] = METHODS
    simulated = False

    def __init__(self, store: KillingStore, port: int, chance: random.Random) -> None:
        self._store = store
        self._port = port
        self._chance = chance

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        await begin()
        doing = asyncio.ensure_future(request(self._port, do=effect.id))
        if self._store.next_effect_kills:
            await asyncio.sleep(self._chance.uniform(0.0, 0.05))
            die()
        await doing
        return Done({"text": effect.params["text"]})

    async def settle(self, effect: Effect) -> Result | None:
        if effect.method != "checked":
            return None
        answer = await request(self._port, ask=effect.id)
        return Done({"settled": True}) if answer["seen"] else Failed("lost", "it never arrived", retryable=True)


# Workflows -------------------------------------------------------------------------------------------------------------


def _step(name: str, method: str, to: str | None) -> dict[str, Any]:
    ways = {"success": to, "unknown": to} if to is not None else {}
    return {
        "name": name,
        "action": {"service": "witness", "method": method, "params": {"text": "for ${user}"}},
        "transitions": ways,
        "retry": {"max_attempts": 5, "delay_seconds": 0.01},
    }


def _pause(name: str, field: str, to: str) -> dict[str, Any]:
    return {
        "name": name,
        "action": {"service": "internal", "method": "wait", "params": {"seconds": f"${{{field}}}"}},
        "transitions": {"success": to},
    }


def _definition(id: str, states: list[dict[str, Any]]) -> Definition:
    data = {"id": id, "name": id, "initial_state": states[0]["name"], "states": states, "triggers": [f"crash.{id}"]}
    return Definition.model_validate(data)


def waiter() -> Definition:
    """Something that may be repeated, a wait, something that may not, a wait, something that can be asked about."""
    return _definition(
        "waiter",
        [
            _step("greet", "note", "rest"),
            _pause("rest", "first", "tell"),
            _step("tell", "once", "rest_again"),
            _pause("rest_again", "second", "finish"),
            _step("finish", "checked", None),
        ],
    )


def actor(steps: int) -> Definition:
    """One thing after the other, of each kind in turn."""
    names = [f"act_{number}" for number in range(1, steps + 1)]
    kinds = ("once", "checked", "note")
    return _definition(
        "actor",
        [
            _step(name, kinds[number % 3], to)
            for number, (name, to) in enumerate(zip(names, [*names[1:], None], strict=True))
        ],
    )


def _events(plan: Plan, kind: str, count: int, now: float) -> Iterable[Event]:
    chance = random.Random(plan.seed)
    for number in range(count):
        first, second = chance.uniform(*plan.first_wait), chance.uniform(*plan.second_wait)
        payload = {"user": {"name": f"{kind}{number}", "roles": []}, "first": first, "second": second}
        yield Event(f"{kind}-{number}", f"crash.{kind}", now, COMMUNITY, payload)


# A life ----------------------------------------------------------------------------------------------------------------


async def live(plan: Plan) -> None:
    """Open, post everything, and go on until all has ended or the time to die has come."""
    chance = random.Random()
    store = await KillingStore.open(Path(plan.database))
    clock = SystemClock()
    service = WitnessedService(store, plan.witness, chance)
    runner = Runner(store, [service], clock, ids=lambda: uuid.uuid4().hex, chance=chance.random)
    if not plan.when_all_rest:
        store.arm(plan.point, plan.at)
    await runner.open(COMMUNITY)
    await _save_workflows(store, runner, plan)
    for kind, count in (("waiter", plan.waiters), ("actor", plan.actors)):
        await asyncio.gather(*(runner.post(event) for event in _events(plan, kind, count, clock.now())))
        if plan.when_all_rest and kind == "waiter":
            while await _greeting(runner):  # noqa: ASYNC110  polling disturbs what is watched the least
                await asyncio.sleep(0.02)
    if plan.when_all_rest:
        store.arm(plan.point, plan.at)
    while await runner.live(COMMUNITY):  # noqa: ASYNC110  polling disturbs what is watched the least
        await asyncio.sleep(0.02)
    await runner.quiescent()
    await runner.close()
    await store.close()


async def _save_workflows(store: KillingStore, runner: Runner, plan: Plan) -> None:
    if await store.workflows(COMMUNITY):
        return
    made = (waiter(), actor(plan.steps))
    await runner.save(
        Batch(
            workflows=[WorkflowRecord(COMMUNITY, each.id, each.name, 1) for each in made],
            revisions=[RevisionRecord(COMMUNITY, each.id, 1, each, STREAMER, 0.0) for each in made],
        )
    )


async def _greeting(runner: Runner) -> bool:
    """Whether any waiter has not come to its first wait yet."""
    waiters = await runner.live(COMMUNITY, "waiter")
    return any(branch.state == "greet" for execution in waiters for branch in execution.branches)


def as_arguments(plan: Plan) -> list[str]:
    """How to start a bot with this plan."""
    return [sys.executable, "-m", "tests.crash.bot", json.dumps(asdict(plan))]


if __name__ == "__main__":
    asyncio.run(live(Plan(**json.loads(sys.argv[1]))))
