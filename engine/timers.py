"""Due times of executions: one heap of (due, id), one sleeper, whatever the number of waits.

Nothing is kept per wait but the heap's entry; the truth is in the store. An entry that no longer counts is dropped when it
comes up. It knows no execution, only ids, and calls back with those whose time has come, in due order.
"""

import asyncio
from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final

from engine.clock import SleepingClock

AT_ONCE: Final = 128
"""How many due ids are handed out before the event loop gets a turn."""


class Timers:
    """Calls `fire(id)` when the time armed for that id has come.

    Args:
        clock: Time.
        fire: Called with each id.
        late: Told, before that, by how many seconds the id comes too late.
    """

    def __init__(
        self, clock: SleepingClock, fire: Callable[[str], None], late: Callable[[float], None] | None = None
    ) -> None:
        self._clock = clock
        self._fire = fire
        self._late = late
        self._heap: list[tuple[float, int, str]] = []  # (due, order of arming, id)
        self._armed: dict[str, tuple[float, int]] = {}
        self._order = count()
        self._sleeper: asyncio.Task[None] | None = None
        self._until: float | None = None
        self._turn: asyncio.Handle | None = None
        self._handing_out = False
        self._closed = False

    def __len__(self) -> int:
        return len(self._armed)

    def arm(self, id: str, due: float | None) -> None:
        """Let `fire(id)` happen at `due` and at no other time; None lets it not happen."""
        if due is None:
            if self._armed:
                self._armed.pop(id, None)
            return
        armed = self._armed.get(id)
        if armed is not None and armed[0] == due:
            return
        self._armed[id] = entry = (due, next(self._order))
        heappush(self._heap, (*entry, id))
        self._forget_stale()
        self._sleep()

    def arm_all(self, due: Iterable[tuple[str, float]]) -> None:
        """Arm many at once."""
        for id, when in due:
            self._armed[id] = (when, next(self._order))
        self._heap = [(when, order, id) for id, (when, order) in self._armed.items()]
        heapify(self._heap)
        self._sleep()

    @property
    def settled(self) -> bool:
        """Whether everything that is due has been handed out and the sleeper is asleep, until the next due time at most.

        It may wake earlier than that, for an entry that has been disarmed meanwhile; then it only goes to sleep again.
        """
        if self._handing_out:
            return False
        due = self._next()
        if due is None:
            return True
        if self._sleeper is None or self._until is None or self._until > due:
            return False
        return self._clock.is_asleep(self._sleeper)

    def clear(self) -> None:
        """Forget everything that was armed."""
        self._armed.clear()
        self._heap.clear()
        self._wake()

    def close(self) -> None:
        """Call nobody any more."""
        self._closed = True
        self.clear()
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def _next(self) -> float | None:
        heap, armed = self._heap, self._armed
        while heap and armed.get(heap[0][2]) != heap[0][:2]:
            heappop(heap)
        return heap[0][0] if heap else None

    def _forget_stale(self) -> None:
        # Re-arming leaves old entries behind; they must not outnumber the live ones for ever.
        if len(self._heap) > 64 and len(self._heap) > 4 * len(self._armed):
            self._heap = [(due, order, id) for id, (due, order) in self._armed.items()]
            heapify(self._heap)

    def _sleep(self) -> None:
        due = self._next()
        if self._closed or self._handing_out or due is None or due == self._until:
            return
        self._wake()
        self._until = due
        self._sleeper = asyncio.get_running_loop().create_task(self._clock.sleep_until(due), name="timers")
        self._sleeper.add_done_callback(self._slept)

    def _wake(self) -> None:
        self._until = None
        if self._sleeper is not None:
            self._sleeper.cancel()
            self._sleeper = None

    def _slept(self, sleeper: asyncio.Task[None]) -> None:
        if sleeper is not self._sleeper:
            return
        self._sleeper = self._until = None
        self._hand_out()

    def _hand_out(self) -> None:
        self._turn = None
        self._handing_out = True
        now = self._clock.now()
        try:
            for _ in range(AT_ONCE):
                due = self._next()
                if due is None or due > now:
                    break
                id = heappop(self._heap)[2]
                del self._armed[id]
                if self._late is not None:
                    self._late(now - due)
                self._fire(id)
        finally:
            self._handing_out = False
            self._go_on(now)

    def _go_on(self, now: float) -> None:
        due = self._next()
        if due is not None and due <= now and not self._closed:
            self._handing_out = True
            self._turn = asyncio.get_running_loop().call_soon(self._hand_out)
        else:
            self._sleep()
