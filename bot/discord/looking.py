"""Looks into the servers a bot is in before any is its home: which there are, whose they are, and what they have by name.

Only the set-up asks this, with nothing but the token; a bot that runs is told all of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import aiohttp

from bot.discord.sign_in import TokenRefused, asking, got

_WRITTEN_IN: Final = frozenset({0, 5})
"""Kinds of channels: those for text, and those for announcements."""
_FOUND_AT_MOST: Final = 10
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Thing:
    """A server, channel, role or person."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Inside:
    """One server.

    Attributes:
        owner: Whose it is.
        channels: Those that can be written in.
        roles: Those that people give.
    """

    owner: Thing
    channels: tuple[Thing, ...]
    roles: tuple[Thing, ...]


async def servers(token: str, api_base: str) -> tuple[Thing, ...]:
    """The servers it is in.

    Raises:
        TokenRefused: Discord cannot be asked.
    """
    return await _asked(token, f"{api_base}/users/@me/guilds", _things)


async def inside(token: str, api_base: str, id: str) -> Inside:
    """What is in a server.

    Raises:
        TokenRefused: Discord cannot be asked.
    """
    there = f"{api_base}/guilds/{id}"
    guild: dict[str, Any] = await _asked(token, there, dict)
    owner = await _asked(token, f"{there}/members/{guild['owner_id']}", _member)
    channels: list[dict[str, Any]] = await _asked(token, f"{there}/channels", list)
    roles = [role for role in guild.get("roles") or () if str(role["id"]) != id and not role.get("managed")]
    written = [channel for channel in channels if channel.get("type") in _WRITTEN_IN]
    return Inside(owner, tuple(map(_thing, written)), tuple(map(_thing, roles)))


async def member(token: str, api_base: str, id: str, name: str) -> Thing | None:
    """Somebody in a server by the name that is theirs alone, or by their number.

    Raises:
        TokenRefused: Discord cannot be asked.
    """
    wanted = name.strip().removeprefix("@").casefold()
    there = f"{api_base}/guilds/{id}/members/search"
    query = {"query": wanted, "limit": str(_FOUND_AT_MOST)}
    found = await _asked(token, there, lambda people: [_member(each) for each in people], query)
    return next((each for each in found if each.name.casefold() == wanted), None)


async def _asked(token: str, url: str, read: Callable[[Any], _Read], query: dict[str, str] | None = None) -> _Read:
    try:
        async with asking(token) as session:
            return read(await got(session, url, query))
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
        raise TokenRefused("Discord cannot be asked for that now. Try again in a moment.") from None


def _things(found: list[dict[str, Any]]) -> tuple[Thing, ...]:
    return tuple(map(_thing, found))


def _thing(found: dict[str, Any]) -> Thing:
    return Thing(str(found["id"]), str(found["name"]))


def _member(found: dict[str, Any]) -> Thing:
    return Thing(str(found["user"]["id"]), str(found["user"]["username"]))
