"""Who has written in the chat before, and as what they were last seen; it outlives a restart.

Only a message of the chat brings roles along. Whoever redeems, cheers or follows is what they were when they last wrote, so
that is kept. Whoever is not in what is kept writes for the first time. Both are looked up and kept for many people at once
and beside what they wrote, as in a raid most people are new.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from bot.message import Message

ROLES: Final = ("broadcaster", "moderator", "vip", "subscriber")
KEPT_FOR: Final = 90 * 86_400.0
"""Seconds after which somebody who has not written any more counts as a viewer, for want of anything newer."""
FOR_EVER: Final = 253_402_300_799.0
PEOPLE: Final = 10_000
AT_ONCE: Final = 200
GATHERED_FOR: Final = 0.2
"""Seconds for which those who write are gathered, so that a raid is few commits."""
CHANGES: Final[Mapping[str, tuple[str, bool]]] = {
    "channel.moderator.add": ("moderator", True),
    "channel.moderator.remove": ("moderator", False),
    "channel.vip.add": ("vip", True),
    "channel.vip.remove": ("vip", False),
}
"""Notifications that give somebody a role, or take it away."""

Seen: TypeAlias = Callable[[Collection[str]], Awaitable[Collection[str]]]
Remember: TypeAlias = Callable[[Mapping[str, float]], Awaitable[None]]


def met(id: str) -> str:
    """Under which it is kept that somebody has written."""
    return f"twitch:met:{id}"


def held(id: str, role: str) -> str:
    """Under which it is kept that somebody was seen with a role."""
    return f"twitch:role:{id}:{role}"


def news(id: str, roles: Collection[str], kept: Collection[str], now: float) -> Iterator[tuple[str, float]]:
    """What is to be kept because somebody wrote with these roles: keys, and until when each counts."""
    if met(id) not in kept:
        yield met(id), FOR_EVER
    yield from changed(id, roles, kept, now)


def changed(id: str, roles: Collection[str], kept: Collection[str], now: float) -> Iterator[tuple[str, float]]:
    """What is to be kept because somebody is this now."""
    for role in ROLES:
        if role in roles:
            yield held(id, role), now + KEPT_FOR
        elif held(id, role) in kept:
            yield held(id, role), 0.0


def named_in(value: Any) -> Iterator[str]:
    """The ids of all people that a notification names."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key.endswith("user_id") and isinstance(part, str) and part:
                yield part
            else:
                yield from named_in(part)


class People:
    """Those of one channel.

    Args:
        seen: Which of these keys are kept.
        remember: Keep these keys, each until then.
        now: UTC seconds.
        new: Told of the first message of somebody who never wrote before.
    """

    def __init__(
        self,
        seen: Seen,
        remember: Remember,
        now: Callable[[], float],
        new: Callable[[Message], Awaitable[None]],
    ) -> None:
        self._seen = seen
        self._remember = remember
        self._now = now
        self._new = new
        self._roles: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._kept: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._waiting: dict[str, Message] = {}
        self._busy = asyncio.Lock()

    def roles(self, id: str) -> tuple[str, ...]:
        """As what somebody was last seen; nothing if that was not recalled."""
        return self._roles.get(id, ())

    def wrote(self, message: Message) -> bool:
        """Somebody wrote, with these roles. Tells whether somebody has to `settle` that; else it is being done."""
        id, roles = message.author.id, message.author.roles
        if not id:
            return False
        _put(self._roles, id, roles)
        if self._kept.get(id) == roles:
            return False
        begins = not self._waiting and not self._busy.locked()
        self._waiting.setdefault(id, message)
        return begins

    async def settle(self) -> None:
        """Find out who of those that wrote is new, and keep what is new of the others."""
        async with self._busy:
            await asyncio.sleep(GATHERED_FOR)
            while some := dict(list(self._waiting.items())[:AT_ONCE]):
                for id in some:
                    del self._waiting[id]
                kept = set(await self._seen([key for id in some for key in _keys(id)]))
                for id, message in some.items():
                    if met(id) not in kept:
                        await self._new(message)
                now = self._now()
                as_now = {id: self._roles.get(id, message.author.roles) for id, message in some.items()}
                await self._remember(dict(key for id in some for key in news(id, as_now[id], kept, now)))
                for id in some:
                    _put(self._kept, id, as_now[id])

    async def recall(self, ids: Iterable[str]) -> None:
        """Know of these people as what they were last seen."""
        unknown = [id for id in dict.fromkeys(ids) if id not in self._roles]
        if not unknown:
            return
        kept = set(await self._seen([held(id, role) for id in unknown for role in ROLES]))
        for id in unknown:
            if id not in self._roles:  # they may have written meanwhile
                _put(self._roles, id, tuple(role for role in ROLES if held(id, role) in kept))

    async def become(self, id: str, role: str, *, holds: bool) -> None:
        """Somebody was given a role, or lost it."""
        await self.recall([id])
        before = self._roles.get(id, ())
        roles = tuple(
            each for each in ROLES if (each in before or (holds and each == role)) and (holds or each != role)
        )
        _put(self._roles, id, roles)
        self._kept.pop(id, None)
        await self._remember(dict(changed(id, roles, {held(id, each) for each in ROLES}, self._now())))


def _keys(id: str) -> list[str]:
    return [met(id), *(held(id, role) for role in ROLES)]


def _put(known: OrderedDict[str, tuple[str, ...]], id: str, roles: tuple[str, ...]) -> None:
    known[id] = roles
    known.move_to_end(id)
    while len(known) > PEOPLE:
        known.popitem(last=False)
