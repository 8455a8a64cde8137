"""Lets somebody wait until nothing more can happen without input or time.

Whoever ends something has it look; what quiet means is said by others. It keeps nothing running itself.
"""

import asyncio
from collections.abc import Callable


class Quiet:
    """Wakes those who wait, once `is_quiet` holds."""

    def __init__(self, is_quiet: Callable[[], bool]) -> None:
        self._is_quiet = is_quiet
        self._waiters: list[asyncio.Future[None]] = []
        self._looking = False

    async def wait(self) -> None:
        """Return when all is quiet."""
        while not self._is_quiet():
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def look(self) -> None:
        """Something has ended: look soon, once for all that ends in this turn of the loop."""
        if self._waiters and not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._looking = False
        if not self._is_quiet():
            return
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()
