"""When a channel takes another post: as slowly as Discord wants it, in the order in which they were asked for, never too late.

The library would wait, too, but for as long as it takes, and with the post already counted as handed over. Others than
workflows post in the same channels, so some room is left to them.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.drops import Drops

POSTS: Final = 4
"""Of the five that Discord takes in a channel within that time."""
WITHIN: Final = 5.0
MAX_AGE: Final = 60.0
"""Seconds for which a post may wait: later it would answer what nobody talks about any more."""
MOST_WAITING: Final = 100
_CHANNELS: Final = 200


class TooLate(Exception):
    """It was dropped: it has waited too long, would have to, or too many wait already."""

    def __init__(self, waited: float) -> None:
        # Without a number, so that a thousand of them are told as one.
        why = "the post would have come too late" if waited else "too many posts wait already"
        super().__init__(f"The channel takes no more: {why}, so it was dropped.")


def pause_before(posted: Sequence[float], now: float) -> float:
    """Seconds until a channel takes another post, by the times of the latest ones."""
    return max(posted[-POSTS] + WITHIN - now, 0.0) if len(posted) >= POSTS else 0.0


@dataclass(slots=True)
class _Channel:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    posted: deque[float] = field(default_factory=lambda: deque(maxlen=POSTS))
    waiting: int = 0


class Pacing:
    """Lets posts through.

    Args:
        now: Seconds; only their differences matter.
        drops: Told of those that were dropped.
        sleep: Waits.
    """

    def __init__(
        self, now: Callable[[], float], drops: Drops, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._now = now
        self._drops = drops
        self._sleep = sleep
        self._channels: OrderedDict[str, _Channel] = OrderedDict()

    async def turn(self, name: str) -> None:
        """Wait until a channel takes one more.

        Raises:
            TooLate: It would come too late; it is dropped.
        """
        asked_at = self._now()
        channel = self._channel(name)
        if channel.waiting >= MOST_WAITING:
            self._drop(0.0)
        channel.waiting += 1
        try:
            async with channel.turn:
                pause = pause_before(channel.posted, self._now())
                if self._now() + pause - asked_at > MAX_AGE:
                    self._drop(self._now() - asked_at)
                if pause:
                    await self._sleep(pause)
                channel.posted.append(self._now())
        finally:
            channel.waiting -= 1
        if not channel.waiting:
            self._drops.tell()

    def _drop(self, waited: float) -> None:
        self._drops.add()
        raise TooLate(waited)

    def _channel(self, name: str) -> _Channel:
        channel = self._channels.setdefault(name, _Channel())
        self._channels.move_to_end(name)
        for other in list(self._channels)[: max(len(self._channels) - _CHANNELS, 0)]:
            if not self._channels[other].waiting:
                del self._channels[other]
        return channel
