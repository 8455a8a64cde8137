"""Clocks: the machine's, and one that only moves when it is told to.

`now` is the time of durations. It follows the monotonic clock, so setting the wall clock moves no wait; and it goes on
while the machine is suspended, so a wait is over when it says, as it would be after a restart. `wall` is what the wall
clock shows, which schedules follow; `at_wall` says when it will show a time. That the machine slept, or that somebody set
its clock, is noticed by whoever sleeps here and told once: as a `Shift`.

A clock also knows which tasks sleep on it: that is how the rest can tell "nothing can happen without time" from
"something is still going on". It knows nothing of workflows.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final, Literal

LONGEST_SLEEP: Final = 10.0
"""One sleep of the event loop, whose own time stands still while the machine is suspended; a longer one is cut in pieces,
and in between it is noticed what the clocks did. So whatever was due while it was suspended is this late at most."""

WORTH_TELLING: Final = 120.0
"""Seconds; clocks are set by less than that all the time."""


@dataclass(frozen=True, slots=True)
class Shift:
    """What clocks did that nobody waited for.

    Attributes:
        kind: The machine was suspended and time went on (`slept`), or its wall clock was set (`set`).
        seconds: By how much; negative where the wall clock was put back.
    """

    kind: Literal["slept", "set"]
    seconds: float


def _steady() -> Callable[[], float]:
    """The monotonic clock that goes on while the machine is suspended, where there is one."""
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):  # Linux has both; the second is that of macOS
        if (id := getattr(time, name, None)) is not None:
            return partial(time.clock_gettime, id)
    return time.monotonic


class SleepingClock:
    """What both clocks share: the book of who sleeps on them, and until when."""

    def __init__(self) -> None:
        self._until: dict[asyncio.Task[Any], float] = {}
        self._watchers: list[Callable[[], None]] = []
        self._shifted: list[Callable[[Shift], None]] = []

    def now(self) -> float:
        """UTC seconds since 1970."""
        raise NotImplementedError

    def wall(self) -> float:
        """What the wall clock shows, in UTC seconds; schedules follow it."""
        raise NotImplementedError

    def at_wall(self, when: float) -> float:
        """What `now` will be when the wall clock shows that, if nobody sets it in between."""
        return when - self.wall() + self.now()

    def when_shifted(self, shifted: Callable[[Shift], None]) -> None:
        """Call this whenever the machine has slept, or its wall clock has been set; `at_wall` says other times then."""
        self._shifted.append(shifted)

    def _tell(self, shift: Shift) -> None:
        for shifted in self._shifted:
            shifted(shift)

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
    """The wall clock at its making, and a monotonic clock from there on.

    Args:
        wall: UTC seconds since 1970, as they are set.
        monotonic: Seconds that nobody sets, those of suspension with them.
        awake: Seconds that nobody sets, without those of suspension; the event loop sleeps by these.
        pieces: How long one sleep lasts at most.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] | None = None,
        awake: Callable[[], float] = time.monotonic,
        pieces: float = LONGEST_SLEEP,
    ) -> None:
        super().__init__()
        self._wall = wall
        self._monotonic = _steady() if monotonic is None else monotonic
        self._awake = awake
        self._pieces = pieces
        self._offset = wall() - self._monotonic()
        self._set_by = 0.0
        self._slept = self._monotonic() - awake()

    def now(self) -> float:
        """UTC seconds since 1970."""
        return self._offset + self._monotonic()

    def wall(self) -> float:
        """What the wall clock shows, in UTC seconds."""
        return self._wall()

    async def sleep_until(self, when: float) -> None:
        """Return once `now() >= when`."""
        if when <= self.now():
            await asyncio.sleep(0)
            return
        await self._asleep(self._sleep(when), when)

    async def _sleep(self, when: float) -> None:
        while (seconds := when - self.now()) > 0:
            await asyncio.sleep(min(seconds, self._pieces))
            self._look()

    def _look(self) -> None:
        """Notice what the clocks did since the last time."""
        slept = self._monotonic() - self._awake()
        if slept - self._slept > WORTH_TELLING:
            self._slept, before = slept, self._slept
            self._tell(Shift("slept", slept - before))
        set_by = self._wall() - self.now()
        if abs(set_by - self._set_by) > WORTH_TELLING:
            self._set_by, before = set_by, self._set_by
            self._tell(Shift("set", set_by - before))


class VirtualClock(SleepingClock):
    """Stands still until it is advanced, then goes from due time to due time."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self._now = start
        self._set_by = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> float:
        """UTC seconds since 1970."""
        return self._now

    def wall(self) -> float:
        """What the wall clock shows, in UTC seconds."""
        return self._now + self._set_by

    def set_wall(self, by: float) -> None:
        """Put the wall clock forward, or back, by so many seconds."""
        self._set_by += by
        self._tell(Shift("set", by))

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
