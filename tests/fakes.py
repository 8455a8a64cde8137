"""Named doubles that keep the promises of the real ones: a service that records, ids that count, chance that is known.

`RecordingService` obeys `engine.ports.Service`: it begins before it does anything, and can be told to fail, to hang, to
break, or to sleep on the clock.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from engine.clock import SleepingClock, VirtualClock
from engine.declare import Method, Param
from engine.events import Event
from engine.execution import Done, Effect, Execution, Person, Result
from engine.model import Definition
from engine.performer import Attempt
from engine.ports import Batch, RevisionRecord, Store, WorkflowRecord
from engine.runner import Posted, Runner

COMMUNITY = "home"
STREAMER = Person("streamer", roles=("broadcaster",))
MODERATOR = Person("mod", roles=("moderator",))
VIEWER = Person("bob")

METHODS = (
    Method("stage", "say", (Param("message", "text"),), verb="say"),
    Method("stage", "look", (Param("at", "any", required=False),), verb="look", repeatable=True),
    Method("stage", "end_stream", verb="end", right="broadcaster"),
)


@dataclass(eq=False)
class RecordingService:
    """Does nothing, and remembers that it was asked to.

    Attributes:
        asked: Every effect handed over, in order.
        begun: Ids of effects it has begun; likewise `done`.
        answers: What to answer next, by method: a result, an exception to raise, or a coroutine function to await.
        early: Methods that break before they begin.
        settled: What became of effects begun before a crash, by id.
        asked_to_settle: Ids of effects it was asked about.
    """

    name: str = "stage"
    methods: Sequence[Method] = METHODS
    simulated: bool = True
    asked: list[Effect] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    answers: dict[str, deque[Any]] = field(default_factory=lambda: defaultdict(deque))
    early: set[str] = field(default_factory=set)
    settled: dict[str, Result | Exception] = field(default_factory=dict)
    asked_to_settle: list[str] = field(default_factory=list)

    def answer(self, method: str, *answers: Any) -> None:
        """Answer the next calls of a method like this."""
        self.answers[method].extend(answers)

    @property
    def said(self) -> list[Any]:
        """The messages of `say`, in the order they were asked for."""
        return [effect.params["message"] for effect in self.asked if effect.method == "say"]

    async def has_begun(self, effects: int) -> None:
        """Return once so many effects have begun."""
        while len(self.begun) < effects:  # noqa: ASYNC110  whoever begins need not know who waits
            await asyncio.sleep(0.001)

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        self.asked.append(effect)
        if effect.method in self.early:
            raise RuntimeError("broke before it began")
        await begin()
        self.begun.append(effect.id)
        answer = self.answers[effect.method].popleft() if self.answers[effect.method] else Done()
        if isinstance(answer, BaseException):
            raise answer
        if callable(answer):
            answer = await answer()
        self.done.append(effect.id)
        return answer  # type: ignore[no-any-return]

    async def settle(self, effect: Effect) -> Result | None:
        self.asked_to_settle.append(effect.id)
        found = self.settled.get(effect.id)
        if isinstance(found, Exception):
            raise found
        return found


def counting(prefix: str) -> Callable[[], str]:
    """Draws ids that count from 1."""
    numbers = count(1)
    return lambda: f"{prefix}{next(numbers)}"


async def never() -> Result:
    """An answer that does not come."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


def asleep_until(clock: SleepingClock, when: float, result: Result | None = None) -> Callable[[], Awaitable[Result]]:
    """An answer that comes at a time."""

    async def sleep() -> Result:
        while clock.now() < when:
            await clock.sleep_until(when)
        return result or Done()

    return sleep


def workflow(id: str, *states: Mapping[str, Any], **more: Any) -> Definition:
    """A definition from its states, linked in order where they say nothing of success."""
    linked = []
    for state, following in zip(states, [*states[1:], None], strict=True):
        transitions = dict(state.get("transitions", {}))
        if following is not None and "success" not in transitions and state.get("action", {}).get("kind") != "stop":
            transitions["success"] = following["name"]
        linked.append({**state, "transitions": transitions})
    return Definition.model_validate(
        {"id": id, "name": id, "initial_state": states[0]["name"], "states": linked, **more}
    )


def say(name: str, message: str, **more: Any) -> dict[str, Any]:
    """A step that may not be done twice."""
    return {"name": name, "action": {"service": "stage", "method": "say", "params": {"message": message}}, **more}


def look(name: str, **more: Any) -> dict[str, Any]:
    """A step that may be done twice."""
    return {"name": name, "action": {"service": "stage", "method": "look", "params": {}}, **more}


def wait(name: str, seconds: float, **more: Any) -> dict[str, Any]:
    """A step that rests."""
    return {"name": name, "action": {"service": "internal", "method": "wait", "params": {"seconds": seconds}}, **more}


@dataclass(eq=False)
class Bench:
    """A runner on a store with a virtual clock and a recording service, and everything it told."""

    store: Store
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(1_000.0))
    service: RecordingService = field(default_factory=RecordingService)
    attempts: list[Attempt] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    prefix: str = ""
    runner: Runner = field(init=False)

    def __post_init__(self) -> None:
        self.events = counting(f"{self.prefix}event")
        self.runner = Runner(
            self.store,
            [self.service],
            self.clock,
            ids=counting(f"{self.prefix}id"),
            chance=lambda: 0.5,
            on_attempt=self.attempts.append,
            notices=lambda _, sentence: self.notices.append(sentence),
        )

    async def open(self, *definitions: Definition) -> "Bench":
        """Open the community and save these workflows."""
        await self.runner.open(COMMUNITY)
        for definition in definitions:
            await self.save(definition)
        return self

    async def save(
        self,
        definition: Definition,
        *,
        number: int = 1,
        author: Person = STREAMER,
        enabled: bool = True,
        deleted: bool = False,
        step_authors: Mapping[str, Person] | None = None,
    ) -> None:
        """Save a version and make it the one that counts."""
        await self.runner.save(
            Batch(
                revisions=[
                    RevisionRecord(
                        COMMUNITY, definition.id, number, definition, author, 0.0, step_authors=step_authors or {}
                    )
                ],
                workflows=[WorkflowRecord(COMMUNITY, definition.id, definition.name, number, enabled, deleted)],
            )
        )

    def event(self, name: str, *, id: str | None = None, natural: str | None = None, **payload: Any) -> Event:
        """Something that happens now."""
        user = payload.pop("user", "bob")
        who = {"name": user, "roles": []} if isinstance(user, str) else user
        own, depth = payload.pop("own", False), payload.pop("depth", 0)
        return Event(
            id or self.events(), name, self.clock.now(), COMMUNITY, {"user": who, **payload}, natural, own, depth
        )

    async def happen(self, name: str, **payload: Any) -> Posted:
        """Post an event and let everything come to rest."""
        posted = await self.runner.post(self.event(name, **payload))
        await self.runner.quiescent()
        return posted

    async def run(self, id: str, by: Person = STREAMER, **arguments: Any) -> Execution:
        """Run by hand and let everything come to rest; tells the execution as it began."""
        started = await self.runner.run(COMMUNITY, id, arguments, by)
        assert isinstance(started, Execution), started
        await self.runner.quiescent()
        return started

    async def advance(self, seconds: float) -> None:
        """Let virtual time pass, exactly."""
        await self.clock.advance(seconds, self.runner.quiescent)

    async def ended(self, id: str) -> Execution:
        """An execution as the store has it."""
        execution = await self.store.execution(id)
        assert execution is not None
        return execution
