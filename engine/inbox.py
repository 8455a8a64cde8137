"""Events of one community in the order in which they came, each counted once.

Asking what has been seen before takes time, so it is asked about many events at once, and those that come meanwhile wait
in line. An event that counts is handed on in its turn, with no await in between; what it leads to is others' business.
Whoever brought it hears in that very moment what it came to, so that what follows from that can be in the same commit.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

from engine.errors import EngineError, StoreError
from engine.events import Event
from engine.execution import Execution
from engine.ports import AdmissionRecord
from engine.tasks import Tasks
from engine.unheld import Line
from engine.writer import Group

log = logging.getLogger(__name__)

ASKED_AT_ONCE: Final = 64
KEYS_KEPT: Final = 4_096


@dataclass(frozen=True, slots=True)
class Posted:
    """What an event came to.

    Attributes:
        heard: The runs that waited for it and did something.
        folded: Whether it belongs to another event, or waits to know.
        line: Where no refusals are recorded because such events come too often: what can tell them.
    """

    event: Event
    duplicate: bool
    started: tuple[Execution, ...] = ()
    refused: tuple[AdmissionRecord, ...] = ()
    heard: tuple[str, ...] = ()
    folded: bool = False
    line: Line | None = None


Then: TypeAlias = Callable[[Posted | EngineError, Group | None], None]
"""Told what an event came to and in which commit, of which there is none if it did not count; or why it did not happen."""


class Inbox:
    """Takes events, and tells whoever brought one what it came to.

    Args:
        tasks: Owns the work.
        prepare: Which keys the store knows of what is asked about these events; whatever they need is at hand then.
        receive: Lets an event that counts happen; its keys are to be kept with all it leads to.
        saved: Gives a future that ends when a commit is durable.
    """

    def __init__(
        self,
        tasks: Tasks,
        prepare: Callable[[Sequence[Event]], Awaitable[frozenset[str]]],
        receive: Callable[[Event, Sequence[str], frozenset[str]], tuple[Posted, Group]],
        saved: "Callable[[Group], asyncio.Future[None]]",
    ) -> None:
        self._tasks = tasks
        self._prepare = prepare
        self._receive = receive
        self._saved = saved
        self._line: deque[tuple[Event, Then]] = deque()
        self._draining = False
        # Latest keys, committed or not: the store may not know them yet.
        self._recent: dict[str, None] = {}

    async def put(self, event: Event) -> Posted:
        """Let an event happen; returns when all it leads to at once is durable.

        Raises:
            StoreError: Nothing of it happened.
        """
        heard: asyncio.Future[tuple[Posted, asyncio.Future[None] | None]] = asyncio.get_running_loop().create_future()

        def then(came: Posted | EngineError, group: Group | None) -> None:
            if heard.done():
                return  # whoever brought it has gone
            if isinstance(came, EngineError):
                heard.set_exception(came)
            else:
                heard.set_result((came, None if group is None else self._saved(group)))

        self.line_up(event, then)
        posted, saved = await heard
        if saved is not None:
            await saved
        return posted

    def line_up(self, event: Event, then: Then) -> None:
        """Let an event happen when it is its turn, and `then` something more, with no await in between."""
        self._line.append((event, then))
        if not self._draining:
            self._draining = True
            self._tasks.start(self._drain())

    def forget(self) -> None:
        """Only the store knows now what has been seen."""
        self._recent = {}

    def refuse(self, error: EngineError) -> None:
        """Answer all who wait in line with an error."""
        while self._line:
            self._line.popleft()[1](error, None)

    async def _drain(self) -> None:
        try:
            while self._line:
                some = list(islice(self._line, ASKED_AT_ONCE))
                try:
                    seen = await self._prepare([event for event, _ in some])
                except StoreError as error:
                    for _ in some:
                        self._line.popleft()[1](error, None)
                    continue
                for event, then in some:
                    self._line.popleft()
                    then(*self._hand_on(event, seen))
        finally:
            self._draining = False

    def _hand_on(self, event: Event, seen: frozenset[str]) -> tuple[Posted | EngineError, Group | None]:
        keys = keys_of(event)
        if any(key in seen or key in self._recent for key in keys):
            return Posted(event, duplicate=True), None
        self._remember(keys)
        try:
            return self._receive(event, keys, seen)
        except Exception as error:
            log.exception("%s broke on %s", event.community, event, extra={"community": event.community})
            return EngineError(f"a mistake in the bot kept {event.name} from counting: {error}"), None

    def _remember(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._recent[key] = None
        while len(self._recent) > KEYS_KEPT:
            del self._recent[next(iter(self._recent))]


def keys_of(event: Event) -> list[str]:
    """What a second event must share with an event to be the same."""
    keys = [f"id:{event.id}"]
    if event.natural is not None:
        keys.append(f"natural:{event.natural}")
    return keys
