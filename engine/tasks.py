"""The owner of every task the engine starts: none is left alone, none fails unheard, and it knows when all is quiet."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from engine.clock import SleepingClock

log = logging.getLogger(__name__)


class Tasks:
    """Holds tasks until they end.

    Attributes:
        closed: Whether all of them have been given up.

    Args:
        clock: Tasks that sleep on it do not count as busy.
        ended: Called whenever one has ended.
    """

    def __init__(self, clock: SleepingClock, ended: Callable[[], None]) -> None:
        self._clock = clock
        self._ended = ended
        self._tasks: set[asyncio.Task[None]] = set()
        self.closed = False

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it run beside everything else; nothing starts any more after `close`."""
        if self.closed:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_end)

    @property
    def quiet(self) -> bool:
        """Whether every task sleeps on the clock."""
        return all(self._clock.is_asleep(task) for task in self._tasks)

    def close(self) -> None:
        """Give up whatever still runs; it is not waited for."""
        self.closed = True
        for task in self._tasks:
            task.cancel()

    def _on_end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task of the engine broke", exc_info=error)
        self._ended()
