"""The bot's own state, told unasked, once: that it was away, and what came due or was cut off meanwhile.

It needs to know when it was last there, so that is written down now and then. On virtual time nobody is away.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from bot import config
from bot.replies import clipped, sentence, spoken
from engine.clock import Shift
from engine.errors import StoreError
from engine.ports import Batch, ChangeRecord, Store, Unfinished

log = logging.getLogger(__name__)

BEAT_EVERY: Final = 30.0
SHORTEST: Final = 10.0
"""Whoever is away for so short a time need not say so."""
_LONGEST_CHANGE: Final = 450


def resumed_words(down_seconds: float | None, due: int, unknown: int) -> str | None:
    """What to say after a start, if anything.

    Args:
        down_seconds: How long nobody was there; None if that is not known.
        due: How many waits came due meanwhile.
        unknown: How many actions were handed over and cut off, and are not repeated.
    """
    if down_seconds is None or down_seconds <= SHORTEST or not (due or unknown):
        return None
    parts = []
    if due:
        parts.append("1 wait was due meanwhile" if due == 1 else f"{due} waits were due meanwhile")
    if unknown:
        parts.append(
            "1 action was under way, and its outcome is unknown"
            if unknown == 1
            else f"{unknown} actions were under way, and their outcome is unknown"
        )
    return f"Back after {_roughly(down_seconds)}: {', '.join(parts)}."


def _roughly(seconds: float) -> str:
    """No more than people would say: `4 minutes`, `2 hours 5 minutes`, `3 days 1 hour`."""
    for unit, below in ((1.0, 120.0), (60.0, 86_400.0), (3_600.0, float("inf"))):
        if seconds < below:
            return spoken(seconds // unit * unit)
    return spoken(seconds)


def changed_words(change: ChangeRecord) -> str:
    """What people elsewhere are told of a change, such as `mo on Twitch: raid v2: remove step 1.` and nothing else."""
    return sentence(
        clipped(f"{change.by.name} on {change.by.platform.capitalize()}: {change.summary}", _LONGEST_CHANGE)
    )


def shifted_words(shift: Shift) -> str:
    """What to say when the clocks did something that nobody waited for."""
    length = _roughly(abs(shift.seconds))
    if shift.kind == "slept":
        return f"This machine was asleep for {length}. What was due meanwhile happens now."
    way = "forward" if shift.seconds > 0 else "back"
    return f"The clock of this machine was put {way} by {length}. Waits last as long as before; schedules follow the clock."


async def away(store: Store, community: str, now: float) -> tuple[float | None, Unfinished]:
    """How long nobody was there, and what had been left unfinished.

    Raises:
        StoreError: It cannot be read.
    """
    last = config.last_alive(await store.config(community))
    return None if last is None else now - last, await store.unfinished(community, now)


async def note_alive(store: Store, now: float) -> None:
    """Write down that the bot is there; where that is not possible, others say so."""
    try:
        await store.commit(Batch(config=[config.alive_at(now)]))
    except StoreError as error:
        log.warning("that I am here could not be written down: %s", error)


async def beat(
    store: Store, now: Callable[[], float], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Write down again and again that the bot is there."""
    while True:
        await note_alive(store, now())
        await sleep(BEAT_EVERY)
