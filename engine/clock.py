"""Clocks: the machine's, and one that only moves when it is told to.

Durations follow the monotonic clock, so setting the wall clock moves no wait. A clock also knows which tasks sleep on it:
that is how the rest can tell "nothing can happen without time" from "something is still going on". It knows nothing of
workflows.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final

LONGEST_SLEEP: Final = 86_400.0
"""One sleep of the event loop; a longer one is cut in pieces, since loops refuse sleeps of years."""


class SleepingClock:
    """What both clocks share: the book of who sleeps on them, and until when."""

    def __init__(self) -> None:
        self._until: dict[asyncio.Task[Any], float] = {}
        self._watchers: list[Callable[[], None]] = []

    def now(self) -> float:
        """UTC seconds since 1970."""
        raise NotImplementedError

    async def sleep_until(self, when: float) -> None:
        """Return once `now() >= when`; may return earlier."""
        raise NotImplementedError

    def is_asleep(self, task: asyncio.Task[Any]) -> bool:
        """Whether that task sleeps on this clock and its time has not come yet."""
        return self._until.get(task, -math.inf) > self.now()

    def watch(self, fell_asleep: Callable[[], None]) -> None:
        """Call this whenever a task falls asleep here."""
        self._watchers.append(fell_asleep)

    async def _asleep(self, sleeping: Awaitable[Any], when: float) -> None:
        task = asyncio.current_task()
        assert task is not None, "only a task can sleep"  # noqa: S101  asyncio promises it
        self._until[task] = when
        for fell_asleep in self._watchers:
            fell_asleep()
        try:
            await sleeping
        finally:
            del self._until[task]


class SystemClock(SleepingClock):
    """The wall clock at its making, and the monotonic clock from there on."""

    def __init__(
        self, *, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._offset = wall() - monotonic()

    def now(self) -> float:
        """UTC seconds since 1970."""
        return self._offset + self._monotonic()

    async def sleep_until(self, when: float) -> None:
        """Return once `now() >= when`, or after a day."""
        seconds = when - self.now()
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        await self._asleep(asyncio.sleep(min(seconds, LONGEST_SLEEP)), when)


class VirtualClock(SleepingClock):
    """Stands still until it is advanced, then goes from due time to due time."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self._now = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> float:
        """UTC seconds since 1970."""
        return self._now

    async def sleep_until(self, when: float) -> None:
        """Return once the clock has been advanced that far."""
        if when <= self._now:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (when, next(self._order), woken))
        await self._asleep(woken, when)

    @property
    def next_wake(self) -> float | None:
        """When the first sleeper wakes; None if nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def advance_to(self, when: float, settle: Callable[[], Awaitable[None]]) -> None:
        """Move the time to `when`, stopping at each due time until `settle` says that all of it has been done.

        Args:
            when: UTC seconds, not before now.
            settle: Returns once nothing can happen without time, such as `Runner.quiescent`.

        Raises:
            ValueError: That would be backward.
        """
        if when < self._now:
            raise ValueError("time only goes forward")
        await settle()
        while (due := self.next_wake) is not None and due <= when:
            self._move(due)
            await settle()
        self._move(when)
        await settle()

    async def advance(self, seconds: float, settle: Callable[[], Awaitable[None]]) -> None:
        """Move the time by so many seconds; see `advance_to`."""
        await self.advance_to(self._now + seconds, settle)

    def _move(self, to: float) -> None:
        self._now = max(self._now, to)
        while (due := self.next_wake) is not None and due <= self._now:
            heappop(self._sleepers)[2].set_result(None)
