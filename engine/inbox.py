"""Events of one community in the order in which they came, each counted once.

Asking what has been seen before takes time, so it is asked about many events at once, and those that come meanwhile wait
in line. An event that counts is handed on in its turn, with no await in between; what it leads to is others' business.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeAlias

from engine.errors import EngineError, StoreError
from engine.events import Event
from engine.execution import Execution
from engine.ports import AdmissionRecord
from engine.tasks import Tasks
from engine.unheld import Line

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


Saved: TypeAlias = Callable[[], "asyncio.Future[None]"]
"""Gives a future that ends when what an event came to is durable; only for use before the next await."""


class Inbox:
    """Takes events, and tells whoever brought one what it came to.

    Args:
        tasks: Owns the work.
        prepare: Which keys the store knows of what is asked about these events; whatever they need is at hand then.
        receive: Lets an event that counts happen; its keys are to be kept with all it leads to.
    """

    def __init__(
        self,
        tasks: Tasks,
        prepare: Callable[[Sequence[Event]], Awaitable[frozenset[str]]],
        receive: Callable[[Event, Sequence[str], frozenset[str]], tuple[Posted, Saved]],
    ) -> None:
        self._tasks = tasks
        self._prepare = prepare
        self._receive = receive
        self._line: deque[tuple[Event, asyncio.Future[tuple[Posted, asyncio.Future[None] | None]]]] = deque()
        self._draining = False
        # Latest keys, committed or not: the store may not know them yet.
        self._recent: dict[str, None] = {}

    async def put(self, event: Event) -> Posted:
        """Let an event happen; returns when all it leads to at once is durable.

        Raises:
            StoreError: Nothing of it happened.
        """
        heard: asyncio.Future[tuple[Posted, asyncio.Future[None] | None]] = asyncio.get_running_loop().create_future()
        self._line.append((event, heard))
        if not self._draining:
            self._draining = True
            self._tasks.start(self._drain())
        posted, saved = await heard
        if saved is not None:
            await saved
        return posted

    def forget(self) -> None:
        """Only the store knows now what has been seen."""
        self._recent = {}

    def refuse(self, error: EngineError) -> None:
        """Answer all who wait in line with an error."""
        while self._line:
            _fail(self._line.popleft()[1], error)

    async def _drain(self) -> None:
        try:
            while self._line:
                some = list(islice(self._line, ASKED_AT_ONCE))
                try:
                    seen = await self._prepare([event for event, _ in some])
                except StoreError as error:
                    for _ in some:
                        _fail(self._line.popleft()[1], error)
                    continue
                for event, heard in some:
                    self._line.popleft()
                    try:
                        self._hand_on(event, heard, seen)
                    except Exception as error:
                        log.exception("%s broke on %s", event.community, event, extra={"community": event.community})
                        _fail(heard, EngineError(f"a mistake in the bot kept {event.name} from counting: {error}"))
        finally:
            self._draining = False

    def _hand_on(
        self,
        event: Event,
        heard: "asyncio.Future[tuple[Posted, asyncio.Future[None] | None]]",
        seen: frozenset[str],
    ) -> None:
        keys = keys_of(event)
        if any(key in seen or key in self._recent for key in keys):
            if not heard.done():
                heard.set_result((Posted(event, duplicate=True), None))
            return
        self._remember(keys)
        posted, saved = self._receive(event, keys, seen)
        if not heard.done():  # whoever brought it may have gone
            heard.set_result((posted, saved()))

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


def _fail(future: "asyncio.Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
