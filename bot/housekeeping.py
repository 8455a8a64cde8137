"""Keeps the data folder from growing without end: prunes at the start, and then from time to time.

Each go is small, so that nobody has to wait for it, and between two goes others get their turn. What may go is decided by
the store from the community's settings; what the engine remembers of starts is for the engine to forget.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from bot.beside import whole
from engine.errors import StoreError
from engine.ports import Retention, Store

log = logging.getLogger(__name__)

EVERY: Final = 3_600.0
"""Real seconds between two prunings: virtual time may pass years in a moment."""
BREATH: Final = 0.05
"""Seconds between two goes."""


async def prune_all(
    store: Store, retention: Retention, now: float, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> int:
    """Prune until nothing is left that may go; tells how many rows went.

    Raises:
        StoreError: It could not be done to the end.
    """
    gone = 0
    while True:
        pruned = await whole(store.prune(retention, now))
        gone += pruned.gone
        if not pruned.more or pruned.gone == 0:
            return gone
        await sleep(BREATH)


async def keep_house(
    store: Store,
    retention: Callable[[], Retention],
    now: Callable[[], float],
    tidy: Callable[[], Awaitable[int]],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Prune and `tidy` now and every hour; what cannot be done now is left for the next time."""
    while True:
        try:
            gone = await prune_all(store, retention(), now(), sleep=sleep) + await tidy()
        except StoreError as error:
            log.warning("what is too old could not be deleted: %s", error)
        else:
            if gone:
                log.info("deleted what is kept no longer: %s rows", gone)
        await sleep(EVERY)
