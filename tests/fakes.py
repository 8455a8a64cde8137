"""Named doubles that keep the promises of the real ones: a service that records, ids that count, chance that is known.

Those that authors of plugins need too are `bot.testkit`'s, and are only given the names these tests use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot import testkit
from bot.testkit import asleep_until as asleep_until
from bot.testkit import counting as counting
from bot.testkit import never as never
from engine.clock import VirtualClock
from engine.declare import Method, Param
from engine.events import Event
from engine.execution import Execution, Person
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
class RecordingService(testkit.RecordingService):
    """The recording service that plugin authors get, as the stage of these tests."""

    name: str = "stage"
    methods: Sequence[Method] = METHODS

    @property
    def said(self) -> list[Any]:
        """The messages of `say`, in the order they were asked for."""
        return [effect.params["message"] for effect in self.asked if effect.method == "say"]


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
    awake: int = 1_024
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
            awake=self.awake,
        )

    async def again(self, store: Store | None = None) -> "Bench":
        """As after a crash: another runner on what was committed; open it, perhaps later."""
        await self.runner.close()
        return Bench(store or self.store, self.clock, prefix=f"again-{self.prefix}", awake=self.awake)

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

    async def runs(self, workflow: str) -> list[Execution]:
        """All executions of a workflow as the store has them, oldest first."""
        return (await self.store.executions(COMMUNITY, workflow, 1_000))[::-1]

    async def ended(self, id: str) -> Execution:
        """An execution as the store has it."""
        execution = await self.store.execution(id)
        assert execution is not None
        return execution
