"""For tests of workflows and plugins: the real bot on a real store in a temporary folder, with time that stands still.

    async with Bench(Lamp()) as bench:
        await bench.load('when someone raids, dim "desk" to 20 then say "was ${dim.before}"')
        await bench.happen("raid.received", user="ninja", viewers=30)
        bench.assert_said("was 100")

`WorkflowTestCase` is the same for `unittest`; with pytest a `Bench` is what a fixture yields. Twitch, Discord, OBS and the
overlay are `RecordingService`s: they do nothing and remember what they were asked. Nothing of the bot imports this module.
"""

import asyncio
import json
import tempfile
import unittest
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from engine import events
from engine.clock import SleepingClock, VirtualClock
from engine.declare import Method
from engine.execution import Done, Effect, Execution, HistoryRow, Person, Result
from engine.ports import Batch, Service, Store

if TYPE_CHECKING:
    from bot.app import Bot
    from bot.equipment import Equipment
    from bot.message import Reply, Role
    from engine.model import Definition
    from engine.runner import Attempt, Posted

__all__ = [
    "NOON",
    "STREAMER",
    "Bench",
    "NotLoaded",
    "RecordingService",
    "SleepingClock",
    "VirtualClock",
    "WorkflowTestCase",
    "asleep_until",
    "counting",
    "never",
    "temporary_store",
]

NOON: Final = 1_795_262_400.0
"""2026-11-21T12:00Z, a Saturday."""
STREAMER: Final = Person("streamer", roles=("broadcaster",), id="twitch:streamer")
_RECORDED: Final = ("twitch", "discord", "obs", "overlay", "http")
_SAY: Final = "twitch.send_chat_message"


class NotLoaded(AssertionError):
    """A workflow that the bot did not take; the text is what it answered."""


# Doubles -----------------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class RecordingService:
    """Does nothing, and remembers that it was asked to. It begins before it does anything, as a real one must.

    Attributes:
        asked: Every effect handed over, in order.
        begun: Ids of effects it has begun; likewise `done`.
        answers: What to answer next, by method: a result, an exception to raise, or a coroutine function to await.
        early: Methods that break before they begin.
        settled: What became of effects begun before a crash, by id.
        asked_to_settle: Ids of effects it was asked about.
    """

    name: str
    methods: Sequence[Method]
    simulated: bool = True
    asked: list[Effect] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    answers: dict[str, deque[Any]] = field(default_factory=lambda: defaultdict(deque))
    early: set[str] = field(default_factory=set)
    settled: dict[str, Result | Exception] = field(default_factory=dict)
    asked_to_settle: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, service: Service) -> "RecordingService":
        """One in the place of a service, with its name and declarations."""
        return RecordingService(service.name, service.methods)

    def answer(self, method: str, *answers: Any) -> None:
        """Answer the next calls of a method like this."""
        self.answers[method].extend(answers)

    async def has_begun(self, effects: int) -> None:
        """Return once so many effects have begun."""
        while len(self.begun) < effects:  # noqa: ASYNC110  whoever begins need not know who waits
            await asyncio.sleep(0.001)

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        """Remember it, and answer as told or that it was done."""
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
        return answer

    async def settle(self, effect: Effect) -> Result | None:
        """Tell what is known of it."""
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


@asynccontextmanager
async def temporary_store() -> AsyncIterator[Store]:
    """A real store, as a SQLite file in a folder that goes when it is done."""
    from bot.app import stored
    from bot.config import DataFolder

    with tempfile.TemporaryDirectory(prefix="showcaller-", ignore_cleanup_errors=True) as folder:
        async with stored(DataFolder(Path(folder)), read_only=False) as store:
            yield store


# The bench ---------------------------------------------------------------------------------------------------------------


class Bench:
    """A bot to put workflows and services to the test. Use it with `async with`.

    Args:
        services: Services of plugins, as the bot would load them; one named like a service of the bot takes its place.
        start: When it is, UTC seconds; time moves by `advance` only.
        zone: The community's time zone.
        chance: What every draw of chance gives, in [0, 1).

    Attributes:
        bot: The bot itself, for what is not offered here.
        attempts: Every try handed to a service, with its outcome.
        notices: What the bot said unasked.
    """

    bot: "Bot"

    def __init__(self, *services: Service, start: float = NOON, zone: str = "UTC", chance: float = 0.5) -> None:
        self._services = services
        self._start = start
        self._zone = zone
        self._chance = chance
        self._folder = AsyncExitStack()
        self._open = AsyncExitStack()
        self._learnt: tuple[events.EventType, ...] = ()
        self._recording: dict[str, RecordingService] = {}
        self.attempts: list[Attempt] = []
        self.notices: list[str] = []

    async def __aenter__(self) -> Self:
        from bot.config import DataFolder

        temporary = tempfile.TemporaryDirectory(prefix="showcaller-", ignore_cleanup_errors=True)
        self._data = DataFolder(Path(self._folder.enter_context(temporary)))
        try:
            await self._prepare()
            await self._begin()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._open.aclose()
        finally:
            events.forget(self._learnt)
            await self._folder.aclose()

    async def restart(self) -> None:
        """End the bot and start it again on the same store, as after a reboot: waits go on, nothing is done twice."""
        await self._open.aclose()
        self._open = AsyncExitStack()
        await self._begin()

    async def _prepare(self) -> None:
        """Set what a person would set, before the bot is there."""
        from bot.app import stored
        from bot.config import Settings, with_virtual_now, with_zone

        records = [with_zone(Settings(), self._zone)[1], with_virtual_now(Settings(), self._start)[1]]
        async with stored(self._data, read_only=False) as store:
            await store.commit(Batch(config=records))

    async def _begin(self) -> None:
        from bot.app import RESERVED, open_bot
        from bot.log import Redacting

        own = {service.name: service for service in self._services if service.name in RESERVED}
        known = events.types()
        equipment = _equipped(tuple(service for service in self._services if service.name not in own))
        self._learnt += tuple(kind for kind in events.types() if kind not in known)
        if equipment.problems:
            raise NotLoaded(" ".join(equipment.problems))
        for name in _RECORDED:
            self._recording.setdefault(name, _recording(name))
        self._recording |= {name: each for name, each in own.items() if isinstance(each, RecordingService)}
        self.bot = await open_bot(
            self._open,
            self._data,
            Redacting(),
            equipment=equipment,
            virtual=True,
            on_attempt=self.attempts.append,
            notice=self.notices.append,
            stand_ins=tuple({**self._recording, **own}.values()),
            chance=lambda: self._chance,
        )
        await self.bot.runner.quiescent()

    # Before ----------------------------------------------------------------------------------------------------------------

    @property
    def clock(self) -> SleepingClock:
        """The bot's clock."""
        return self.bot.clock

    def service(self, name: str) -> RecordingService:
        """The double of one of the bot's own services, to let it answer or fail."""
        return self._recording[name]

    def set(self, key: str, value: str | float, *, secret: bool = False) -> Awaitable[None]:
        """Set what `/config` sets; for a service of a plugin its name comes first: `lamp.token`."""
        from bot.config import with_value

        return self.bot.set(with_value(self.bot.settings, key, value, secret=secret))

    async def load(self, source: "str | Path | Mapping[str, Any] | Definition") -> str:
        """Give the bot a workflow; tells its id.

        Args:
            source: A sentence as typed after `!workflow`, the text of a workflow file, JSON as text or as a dict, or the
                path of a file with either.

        Raises:
            NotLoaded: The bot does not take it, with its reasons.
        """
        text = _text_of(source)
        replies = await self.type(f"!workflow import {text}" if _is_file(text) else f"!workflow {text}")
        if replies and replies[-1].kind == "question" and "Replace it?" in replies[-1].text:
            replies = await self.type("yes")
        workflow = next((reply.workflow for reply in replies if reply.kind in ("done", "answer")), None)
        if workflow is None:
            raise NotLoaded(" ".join(reply.text for reply in replies) or "the bot said nothing")
        return workflow

    # Meanwhile -------------------------------------------------------------------------------------------------------------

    async def type(self, text: str, who: str = "streamer", role: "Role | None" = None) -> "Sequence[Reply]":
        """Let somebody type a line in the Twitch chat; tells what the bot replies, once all that follows has happened.

        Args:
            text: The line; one that begins with `!workflow` talks to the bot.
            who: Who types it.
            role: In which role; `streamer` is the broadcaster, anybody else a viewer if it is left out.
        """
        from bot.message import Message, Place, roles_of

        role = role or ("broadcaster" if who == STREAMER.name else "viewer")
        author = Person(who, "twitch", roles_of(role), f"twitch:{who}")
        heard = await self.bot.hear(Message(self.bot.ids(), text, author, Place(), self.clock.now()))
        await self.bot.runner.quiescent()
        return heard.replies

    async def happen(self, name: str, user: str | None = "bob", **fields: Any) -> "Posted":
        """Let something happen on the stream, and all that follows at once; tells which workflows started.

        Args:
            name: The event, by any of its names.
            user: Whom it is about.
            fields: What it carries: `viewers=30`.
        """
        from bot import happenings
        from bot.config import COMMUNITY

        about = {} if user is None else {"user": happenings.user_fields(user, ())}
        event = happenings.event(name, {**fields, **about}, id=self.bot.ids(), at=self.clock.now(), community=COMMUNITY)
        posted = await self.bot.happen(event)
        await self.bot.runner.quiescent()
        return posted

    async def run(self, workflow: str, by: Person = STREAMER, /, **arguments: Any) -> Execution:
        """Run a workflow by hand, as far as it goes without time; tells the execution as it then stands.

        Raises:
            AssertionError: It was not let in.
        """
        from bot.config import COMMUNITY

        started = await self.bot.runner.run(COMMUNITY, workflow, arguments, by)
        assert isinstance(started, Execution), started.reason  # noqa: S101
        await self.bot.runner.quiescent()
        return await self.execution(started)

    async def advance(self, seconds: float) -> None:
        """Let time pass, exactly; everything due on the way happens in its order."""
        await self.bot.advance_to(self.clock.now() + seconds)

    # Afterwards ------------------------------------------------------------------------------------------------------------

    async def execution(self, which: Execution | str) -> Execution:
        """An execution as it stands now: the one given, or the latest of that workflow.

        Raises:
            AssertionError: The workflow has never run.
        """
        from bot.config import COMMUNITY

        if isinstance(which, Execution):
            found = await self.bot.store.execution(which.id)
        else:
            found = next(iter(await self.bot.store.executions(COMMUNITY, which, 1)), None)
        assert found is not None, f"{which} has never run"  # noqa: S101
        return found

    async def history(self, which: Execution | str) -> list[HistoryRow]:
        """Every ended try of every step, with params, output and error."""
        return await self.bot.store.history((await self.execution(which)).id)

    async def visited(self, which: Execution | str) -> list[str]:
        """The steps it has been at, in order, each visit once however often it was tried; the present ones last."""
        rows = [row for row in await self.history(which) if row.by is None]
        ended = {(row.path, row.state, row.visit): row.state for row in rows}
        open_ = (await self.execution(which)).branches
        return [*ended.values(), *(b.state for b in open_ if (b.path, b.state, b.visit) not in ended)]

    @property
    def said(self) -> list[str]:
        """The lines the bot was asked to say in the Twitch chat, in order."""
        effects = [attempt.effect for attempt in self.attempts if attempt.outcome == "done"]
        return [str(effect.params.get("message")) for effect in effects if f"{effect.service}.{effect.method}" == _SAY]

    def assert_said(self, *lines: str) -> None:
        """The bot has said exactly these lines so far."""
        assert self.said == list(lines), f"said {self.said}, not {list(lines)}"  # noqa: S101

    async def assert_visited(self, which: Execution | str, *steps: str) -> None:
        """It has been at exactly these steps, in this order."""
        visited = await self.visited(which)
        assert visited == list(steps), f"visited {visited}, not {list(steps)}"  # noqa: S101

    async def assert_status(self, which: Execution | str, status: str) -> None:
        """It stands so: `completed`, `waiting`, `failed` and the like."""
        execution = await self.execution(which)
        why = f": {execution.error}" if execution.error else ""
        assert execution.status == status, f"it is {execution.status}, not {status}{why}"  # noqa: S101

    async def assert_result(self, which: Execution | str, step: str, result: Any) -> None:
        """A step has given this result."""
        results = (await self.execution(which)).results
        assert step in results, f"{step} has no result; those there are: {', '.join(results) or 'none'}"  # noqa: S101
        assert results[step] == result, f"{step} gave {results[step]!r}, not {result!r}"  # noqa: S101


_EQUIPPED: Final[dict[tuple[int, ...], "Equipment"]] = {}
"""What was found fit, by its methods: a language takes longer to build than most tests to run."""


def _equipped(services: Sequence[Service]) -> "Equipment":
    """The bot's equipment with these services, as if they were installed."""
    from bot.app import RESERVED
    from bot.equipment import Found, equip
    from bot.services.declared import DECLARATIONS

    # What is kept holds on to its methods, so the id of one is never another's.
    key = tuple(id(method) for service in services for method in service.methods)
    kept = _EQUIPPED.get(key)
    if kept is not None:
        return kept.renewed(services)
    found = [Found(f'"{service.name}"', lambda service=service: service) for service in services]  # type: ignore[misc]
    equipment = equip(DECLARATIONS, RESERVED, found)
    if not equipment.problems:
        _EQUIPPED[key] = equipment
    return equipment


def _recording(name: str) -> RecordingService:
    from bot.services.declared import DECLARATIONS

    return RecordingService(name, tuple(method for method in DECLARATIONS if method.service == name))


def _text_of(source: "str | Path | Mapping[str, Any] | Definition") -> str:
    """A workflow as somebody would type it."""
    from engine.convert import write_json

    match source:
        case str():
            return source
        case Path():
            return source.read_text(encoding="utf-8")
        case Mapping():
            return json.dumps(source, ensure_ascii=False)
        case _:
            return write_json(source)


def _is_file(text: str) -> bool:
    """Whether it is a whole workflow, not a sentence."""
    from grammar.files import looks_like_file

    return text.lstrip().startswith(("{", "//", "/*")) or looks_like_file(text)


class WorkflowTestCase(unittest.IsolatedAsyncioTestCase):
    """A test case with a `Bench` of its own for each test.

    Attributes:
        services: What makes the services under test, called once for each test; mostly their classes.
        bench: The bench.
    """

    services: ClassVar[Sequence[Callable[[], Service]]] = ()
    bench: Bench

    async def asyncSetUp(self) -> None:
        """Open the bench."""
        self.bench = await self.enterAsyncContext(self.make_bench())

    def make_bench(self) -> Bench:
        """The bench to be used; override it for another start, zone or chance."""
        return Bench(*(make() for make in self.services))
