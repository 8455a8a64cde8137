"""A bot that runs workflows of all kinds, while somebody steers it without a pause, until it is killed.

What was answered to that somebody is a promise: it is written down at once, so that it can be held against what is in the
store in the end. The wall clock of this bot runs `SPEED` times as fast as ours, so waits fall due in every life.
"""

import asyncio
import json
import os
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from engine.clock import SystemClock
from engine.declare import Method
from engine.errors import EngineError
from engine.events import Event
from engine.execution import Done, Effect, Execution, Failed, Person, Result
from engine.inputs import Extend, Skip
from engine.ports import Batch, RevisionRecord, WorkflowRecord
from engine.runner import Posted, Runner
from tests.crash.bot import COMMUNITY, STREAMER, KillingStore, Point, die
from tests.crash.drawn import COUNT, draw
from tests.crash.witness import request
from tests.runnable import DECLARATIONS, EVENTS

SPEED: Final = 5.0
EPOCH: Final = 1_700_000_000.0
PAUSE: Final = (0.0, 0.02)
"""Seconds between two things that somebody does."""
AGAIN: Final = 30
"""How many of the last life's events come again."""
MOST_LIVE: Final = 150
"""With so many runs going on nobody starts any more by hand."""
BY_ITSELF, AFTER_CANCEL, AFTER_STOP, STOPS = 4.0, 4.0, 3.0, 4
"""Seconds given to what goes on to end by itself, after a cancel, and after each of so many stops."""
PEOPLE: Final = ("bob", "ann")

Verdict: TypeAlias = Literal["done", "busy", "no", "late"]


@dataclass(frozen=True)
class Plan:
    """One life.

    Attributes:
        promises: File of what was answered.
        number: What the workflows and all chance follow from.
        life: Which life this is, from 1.
        point: Where to die; None: see everything through to its end.
        at: At the how many-th commit that passes that point.
    """

    database: str
    witness: int
    promises: str
    number: int
    life: int
    point: Point | None = None
    at: int = 1


def _fast(clock: Callable[[], float], since: float) -> Callable[[], float]:
    return lambda: since + (clock() - since) * SPEED


class FastClock(SystemClock):
    """The machine's clocks, sped up; they agree over all lives."""

    def __init__(self) -> None:
        super().__init__(wall=_fast(time.time, EPOCH), monotonic=_fast(time.monotonic, 0.0))

    async def sleep_until(self, when: float) -> None:
        seconds = (when - self.now()) / SPEED
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        await self._asleep(asyncio.sleep(seconds), when)


def verdict(effect: str) -> Verdict:
    """How a try ends, whoever asks and however often: done, to be tried again, not at all, or too late."""
    return (("done",) * 11 + ("busy",) * 3 + ("no", "late"))[_digest(effect) % 16]  # type: ignore[return-value]


def can_be_asked_about(effect: str) -> bool:
    """Whether the service can say after a crash what became of it."""
    return _digest(effect) // 16 % 2 == 0


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big")


class WitnessedService:
    """Does what a verdict says; a witness sees what was done."""

    name = "svc"
    methods: Sequence[Method] = tuple(DECLARATIONS)
    simulated = False

    def __init__(self, store: KillingStore, port: int, chance: random.Random) -> None:
        self._store = store
        self._port = port
        self._chance = chance

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        await begin()
        match verdict(effect.id):
            case "busy":
                return Failed("busy", "busy just now", retryable=True)
            case "no":
                return Failed("no", "that cannot be done")
            case "late":
                return Failed("timeout", "no answer")
        doing = asyncio.ensure_future(request(self._port, do=effect.id))
        if self._store.next_effect_kills:
            await asyncio.sleep(self._chance.uniform(0.0, 0.05))
            die()
        await doing
        return Done()

    async def settle(self, effect: Effect) -> Result | None:
        if not can_be_asked_about(effect.id):
            return None
        answer = await request(self._port, ask=effect.id)
        return Done("settled") if answer["seen"] else Failed("lost", "it never arrived", retryable=True)


# Somebody ----------------------------------------------------------------------------------------------------------------


class Somebody:
    """Lets things happen and wants things, one after the other, and writes down what was answered."""

    def __init__(self, runner: Runner, store: KillingStore, clock: FastClock, plan: Plan) -> None:
        self._runner = runner
        self._store = store
        self._clock = clock
        self._plan = plan
        self._chance = random.Random(f"{plan.number}/{plan.life}")
        self._promises = os.open(plan.promises, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        self._events = 0

    async def go_on(self) -> None:
        """Until the end of this life."""
        for number in range(AGAIN):
            await self.post(event(self._plan, self._plan.life - 1, number, self._clock.now()))
        while True:
            await asyncio.sleep(self._chance.uniform(*PAUSE))
            try:
                await self._do_something()
            except EngineError as error:
                self._promise(refused=str(error))

    async def see_through(self) -> None:
        """Let everything come to its end: by itself where it can, then by a cancel, then by a stop.

        Raises:
            TimeoutError: Something is stuck.
        """
        for number in range(AGAIN):
            await self.post(event(self._plan, self._plan.life - 1, number, self._clock.now()))
        self._keep_all(await self._runner.control(COMMUNITY, "resume", None, STREAMER))
        await self._all_has_ended(BY_ITSELF)
        self._keep_all(await self._runner.control(COMMUNITY, "cancel", None, STREAMER))
        if await self._all_has_ended(AFTER_CANCEL):
            return
        for _ in range(STOPS):  # what is under way may start more
            self._keep_all(await self._runner.control(COMMUNITY, "stop", None, STREAMER))
            if await self._all_has_ended(AFTER_STOP):
                return
        stuck = [(run.id, run.workflow, run.status) for run in await self._runner.live(COMMUNITY)]
        raise TimeoutError(f"stuck: {stuck}, {await self._store.outbox(COMMUNITY)}")

    async def _all_has_ended(self, within: float) -> bool:
        """Whether nothing goes on any more, at the latest after so many seconds."""
        until = time.monotonic() + within
        while await self._store.outbox(COMMUNITY) or await self._runner.live(COMMUNITY):
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.05)
        await self._runner.quiescent()
        return not await self._runner.live(COMMUNITY)

    async def post(self, event: Event) -> None:
        """Let an event happen."""
        self.keep(await self._runner.post(event))

    def keep(self, posted: Posted) -> None:
        """Write down what became of an event."""
        self._promise(
            event=posted.event.id,
            duplicate=posted.duplicate,
            runs=[_stand(run) for run in posted.started],
            refused=[record.id for record in posted.refused],
        )

    async def _do_something(self) -> None:
        chance, runner = self._chance, self._runner
        by = Person(chance.choice(PEOPLE), roles=("moderator",))
        live = await runner.live(COMMUNITY)
        deed = chance.random()
        if deed < 0.7 or not live:
            if len(live) < MOST_LIVE or chance.random() < 0.5:
                await self.post(event(self._plan, self._plan.life, self._events, self._clock.now()))
            self._events += 1
            return
        run = chance.choice(live)
        if deed < 0.76:
            at = chance.choice([None, self._clock.now() + 3])
            made = await runner.run(COMMUNITY, run.workflow, {"n": 1}, by, at=at)
            self._promise(runs=[_stand(made)] if isinstance(made, Execution) else [])
        elif deed < 0.9:
            verb = chance.choice(["pause", "pause", "resume", "resume", "cancel", "stop"])
            whom = None if chance.random() < 0.2 and verb == "resume" else run.id
            self._keep_all(await runner.control(COMMUNITY, verb, None, by, run=whom))  # type: ignore[arg-type]
        elif deed < 0.94:
            now = self._clock.now()
            wish = chance.choice([Skip(now, by.name), Extend(now, by.name, 2.0)])
            self._keep_all(await runner.steer(COMMUNITY, wish, None, run=run.id))
        else:
            await self._retry(by)

    async def _retry(self, by: Person) -> None:
        for run in await self._store.executions(COMMUNITY, limit=30):
            if run.status == "failed" and self._chance.random() < 0.2:
                retried = await self._runner.retry(COMMUNITY, run.id, by)
                self._promise(retried=run.id, runs=[] if retried is None else [_stand(retried)])

    def _keep_all(self, changed: Sequence[Execution]) -> None:
        self._promise(runs=[_stand(run) for run in changed])

    def _promise(self, **what: Any) -> None:
        os.write(self._promises, json.dumps({"life": self._plan.life, **what}).encode() + b"\n")


def _stand(run: Execution) -> dict[str, Any]:
    return {"id": run.id, "seq": run.seq, "status": run.status}


def event(plan: Plan, life: int, number: int, now: float) -> Event:
    """The event of that number in that life; whoever asks again gets the same one."""
    chance = random.Random(f"{plan.number}/{life}/{number}")
    name = f"crash.w{chance.randrange(COUNT)}" if chance.random() < 0.55 else chance.choice(EVENTS)
    person = chance.choice(PEOPLE)
    payload = {"user": {"name": person, "roles": []}, "n": chance.randint(0, 2), "message": f"number {number}"}
    return Event(f"life{life}-{number}", name, now, COMMUNITY, payload)


# A life ----------------------------------------------------------------------------------------------------------------


async def live(plan: Plan) -> None:
    """Open, and be steered until the time to die has come; the last life sees everything through."""
    store = await KillingStore.open(Path(plan.database), synchronous="NORMAL")
    clock, chance = FastClock(), random.Random()
    service = WitnessedService(store, plan.witness, chance)
    runner = Runner(store, [service], clock, ids=lambda: uuid.uuid4().hex, chance=chance.random)
    store.arm(plan.point, plan.at)
    await runner.open(COMMUNITY)
    if not await store.workflows(COMMUNITY):
        await _save_workflows(runner, plan.number)
    somebody = Somebody(runner, store, clock, plan)
    if plan.point is not None:
        await somebody.go_on()
    await somebody.see_through()
    await runner.close()
    await store.close()


async def _save_workflows(runner: Runner, number: int) -> None:
    made = draw(number)
    await runner.save(
        Batch(
            workflows=[WorkflowRecord(COMMUNITY, each.id, each.name, 1) for each in made],
            revisions=[RevisionRecord(COMMUNITY, each.id, 1, each, STREAMER, 0.0) for each in made],
        )
    )
