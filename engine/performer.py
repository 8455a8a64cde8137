"""Hands committed effects to services and turns whatever comes back into a result.

A service's exception is a failure as long as it has not begun, and an unknown outcome afterwards; it never goes further.
What is handed over and what became of it is told to whoever listens. This module commits nothing and decides nothing
about executions.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from engine.cache import ResultCache, cache_key
from engine.clock import SleepingClock
from engine.declare import Declarations
from engine.errors import StoreError
from engine.execution import Done, Effect, Failed, Result, Unknown
from engine.logged import about
from engine.ports import Service
from engine.storable import is_small, size_of
from engine.tasks import Tasks

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 64
"""How many effects at most are handed over in one turn of the event loop if all of them have to wait."""

MAX_OUTPUT: Final = 32_000
"""Characters of JSON a result may have; it is kept in every later form of the execution."""

Verdict: TypeAlias = Literal["done", "error", "timeout", "unknown"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try handed to a service, and what came of it."""

    effect: Effect
    outcome: Verdict
    simulated: bool
    at: float
    message: str | None = None


class Performer:
    """Performs effects side by side.

    Args:
        services: One of each name.
        clock: Says when an attempt ended.
        tasks: Owns the work.
        mark_begun: Returns once it is durable that an effect has been handed over.
        ended: Told the result of every effect, once.
        undone: Told of one begun before a crash that has certainly not been done; it is still to be performed.
        on_attempt: Told of every try, when it has ended; None if nobody listens.
        declarations: Say which look-ups may be used again for a while.
    """

    def __init__(
        self,
        services: Sequence[Service],
        clock: SleepingClock,
        tasks: Tasks,
        mark_begun: Callable[[Effect], Awaitable[None]],
        ended: Callable[[Effect, Result], None],
        undone: Callable[[Effect], None],
        on_attempt: Callable[[Attempt], None] | None,
        declarations: Declarations,
    ) -> None:
        self._services = {service.name: service for service in services}
        self._clock = clock
        self._tasks = tasks
        self._mark_begun = mark_begun
        self._ended = ended
        self._undone = undone
        self._on_attempt = on_attempt
        self._declarations = declarations
        self._cache = ResultCache()
        self._in_hand: set[str] = set()
        self._waiting: deque[tuple[Effect, str | None]] = deque()
        self._turn = 0
        self._called = False
        self._at_once = 1
        self._resting = False
        self._at_rest = asyncio.Event()

    def has(self, effect: str) -> bool:
        """Whether that effect is being performed or settled."""
        return effect in self._in_hand

    def perform(self, effect: Effect, forbidden: str | None = None) -> None:
        """Start to do it; with a reason against it, it fails with that reason and no service hears of it."""
        if effect.id in self._in_hand or self._resting:
            return
        self._in_hand.add(effect.id)
        self._waiting.append((effect, forbidden))
        if not self._called:
            self._called = True
            self._begin_turn()

    def settle(self, effect: Effect) -> None:
        """Start to find out what became of it before a crash."""
        if effect.id in self._in_hand:
            return
        self._in_hand.add(effect.id)
        self._tasks.start(self._settle(effect))

    async def rest(self, within: float) -> None:
        """Hand over nothing more, and give what has been handed over so many seconds of real time to end.

        Cut off between its mark and its result, an effect would be one of which nobody can say whether it was done.
        """
        self._resting = True
        self._in_hand.difference_update(effect.id for effect, _ in self._waiting)
        self._waiting.clear()
        if self._in_hand:
            self._at_rest.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._at_rest.wait(), within)

    @property
    def idle(self) -> bool:
        """Nothing is left to be handed over."""
        return not self._waiting

    def _begin_turn(self) -> None:
        """Hand over effects in one turn of the loop, by as many tasks as there were effects that had to wait lately."""
        for _ in range(min(self._at_once, len(self._waiting))):
            self._tasks.start(self._work())
        asyncio.get_running_loop().call_soon(self._next_turn)

    async def _work(self) -> None:
        """Hand over one effect after another, in one task as long as none has to wait."""
        turn = self._turn
        while self._waiting and self._turn == turn:
            await self._perform(*self._waiting.popleft())

    def _next_turn(self) -> None:
        self._turn += 1
        self._called = bool(self._waiting)
        self._at_once = min(2 * self._at_once, MOST_AT_ONCE) if self._called else 1
        if self._called:
            self._begin_turn()

    async def _perform(self, effect: Effect, forbidden: str | None) -> None:
        service = self._services.get(effect.service)
        if forbidden is not None:
            self._end(effect, Failed("forbidden", forbidden))
            return
        if service is None:
            self._end(effect, Failed("unknown_service", f'there is no service "{effect.service}" here'))
            return
        method = self._declarations.find(effect.service, effect.method)
        lasts = 0.0 if method is None else method.cacheable_seconds
        key = cache_key(effect.community, effect.service, effect.method, effect.params) if lasts else None
        if key is not None and (known := self._cache.get(key, self._clock.now())) is not None:
            self._end(effect, known)
            return
        handing_over = _HandingOver(effect, self._mark_begun)
        try:
            result = _checked(effect, await service.perform(effect, handing_over.begin))
        except StoreError as error:
            if handing_over.refused is error:
                # It could not be marked, so it was not done: it stays due and is taken up again with the rest.
                self._let_go(effect)
                return
            result = self._broken(effect, error, handing_over.begun)
        except asyncio.CancelledError as error:
            if self._tasks.closed:
                raise
            result = self._broken(effect, error, handing_over.begun)
        except Exception as error:  # noqa: BLE001  whatever a service raises is a result of that effect only
            result = self._broken(effect, error, handing_over.begun)
        if key is not None:
            self._cache.put(key, result, self._clock.now(), lasts)
        self._end(effect, result, service.simulated)

    async def _settle(self, effect: Effect) -> None:
        service = self._services.get(effect.service)
        found: Result | None = None
        if service is not None:
            try:
                found = await service.settle(effect)
            except Exception:
                log.exception("%s could not settle %s", effect.service, effect.id, extra=about(effect))
        if found is None:
            found = Unknown(f"I was stopped while {effect.service}.{effect.method} was under way")
        if isinstance(found, Failed) and found.retryable:
            self._let_go(effect)
            self._undone(effect)
            return
        self._end(effect, _checked(effect, found))

    def _end(self, effect: Effect, result: Result, simulated: bool | None = None) -> None:
        """Tell the result, and those who listen if a service was asked; they must not keep it from being recorded."""
        self._let_go(effect)
        if self._on_attempt is not None and simulated is not None:
            try:
                self._on_attempt(_attempt(effect, result, simulated, self._clock.now()))
            except Exception:
                log.exception("whoever listens to attempts broke on %s", effect.id, extra=about(effect))
        self._ended(effect, result)

    def _let_go(self, effect: Effect) -> None:
        self._in_hand.discard(effect.id)
        if not self._in_hand:
            self._at_rest.set()

    def _broken(self, effect: Effect, error: BaseException, begun: bool) -> Result:
        name = f"{effect.service}.{effect.method}"
        log.error("%s broke on %s", name, effect.id, exc_info=error, extra=about(effect))
        if begun:
            return Unknown(f"{name} broke while it was under way ({type(error).__name__})")
        return Failed("broken", f"{name} broke before it did anything ({type(error).__name__})")


class _HandingOver:
    """What a service calls right before it does something that cannot be taken back."""

    __slots__ = ("_effect", "_mark", "begun", "refused")

    def __init__(self, effect: Effect, mark: Callable[[Effect], Awaitable[None]]) -> None:
        self._effect = effect
        self._mark = mark
        self.begun = False
        self.refused: StoreError | None = None

    async def begin(self) -> None:
        if not self.begun and not self._effect.repeatable:
            try:
                await self._mark(self._effect)
            except StoreError as error:
                self.refused = error
                raise
        self.begun = True


def _checked(effect: Effect, result: Any) -> Result:
    """The result if it can be kept, else a failure: a service's mistake must not stop what is committed beside it."""
    name = f"{effect.service}.{effect.method}"
    if not isinstance(result, Done):
        return result if isinstance(result, Failed | Unknown) else Unknown(f"{name} did not say what came of it")
    if is_small(result.output):
        return result
    size = size_of(result.output)
    if size is None:
        return Failed("bad_result", f"{name} was done, but answered with something that cannot be kept")
    if size > MAX_OUTPUT:
        return Failed("bad_result", f"{name} was done, but its answer is too long ({size} bytes)")
    return result


def _attempt(effect: Effect, result: Result, simulated: bool, at: float) -> Attempt:
    outcome: Verdict
    message: str | None = None
    if isinstance(result, Done):
        outcome = "done"
    elif isinstance(result, Unknown):
        outcome, message = "unknown", result.message
    else:
        outcome, message = "timeout" if result.error == "timeout" else "error", result.message
    return Attempt(effect, outcome, simulated, at, message)
