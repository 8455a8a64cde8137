"""What words in a workflow mean on Discord: a channel, a member, a role, a message, an emoji.

People write names, Discord's own marks (`<#1>`, `<@1>`), ids or links; all of them count. A name is looked for in the home
servers only. What is not found is said with what there is instead.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias, TypeVar

import discord

from bot.discord.client import Front
from bot.replies import clipped, listed

_MARK: Final = re.compile(r"<(?:#|@&|@!?)(\d{1,20})>")
_LINK: Final = re.compile(r"https://(?:\w+\.)?discord(?:app)?\.com/channels/\d+/(\d{1,20})/(\d{1,20})")
_CUSTOM: Final = re.compile(r"<?a?:?(\w{2,32})(?::(\d{1,20})>|:)?")
_MOST_NAMED: Final = 5
_MOST_CHANNELS: Final = 30

Room: TypeAlias = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


class _HasName(Protocol):
    @property
    def id(self) -> int: ...

    @property
    def name(self) -> str: ...


_Named = TypeVar("_Named", bound=_HasName)


@dataclass(frozen=True)
class NotFound(Exception):
    """There is no such thing; the text is for people.

    Attributes:
        error: One word for it.
    """

    error: str
    text: str

    def __str__(self) -> str:
        return self.text


class Finder:
    """Looks things up for one client."""

    def __init__(self, client: Front) -> None:
        self.client = client

    @property
    def guilds(self) -> Sequence[discord.Guild]:
        """Where names are looked for.

        Raises:
            NotFound: No server is home.
        """
        homes = self.client.home_guilds()
        if not homes:
            raise NotFound(
                "no_server",
                "no Discord server is set as yours that I am in; say which one with: showcaller setup discord",
            )
        return homes

    def channel(self, written: str) -> Room:
        """A channel or thread that can be written to; where none is written, the usual one.

        Raises:
            NotFound: There is none like that.
        """
        name = written.strip() or self.client.options.channel
        rooms = [room for guild in self.guilds for room in _rooms(guild)]
        if not name:
            usual = [guild.system_channel for guild in self.guilds if guild.system_channel is not None]
            if not usual:
                raise NotFound("no_channel", "no channel is named, and discord.channel is not set")
            return usual[0]
        found = _by_id(rooms, name) or _by_name(rooms, name.removeprefix("#").replace(" ", "-"))
        if found is None:
            raise NotFound("unknown_channel", f"there is no channel {_hash(name)} in Discord{_instead('#', rooms)}")
        return found

    async def member(self, written: str) -> discord.Member:
        """Somebody in a home server: by mark, by id, or by the name that is theirs alone.

        Raises:
            NotFound: There is nobody like that, or what is written could mean several.
        """
        name = written.strip()
        id = _id_in(name)
        for guild in self.guilds:
            if id is not None:
                member = guild.get_member(id)
                if member is None:
                    try:
                        member = await guild.fetch_member(id)
                    except discord.NotFound:
                        continue
                return member
            wanted = name.removeprefix("@").casefold()
            known = [member for member in guild.members if member.name.casefold() == wanted]
            if not known:
                known = [
                    member for member in await guild.query_members(wanted, limit=5) if member.name.casefold() == wanted
                ]
            if known:
                return known[0]
        raise NotFound("unknown_member", f"there is nobody called {_at(name)} in the Discord server")

    def role(self, written: str, guild: discord.Guild) -> discord.Role:
        """A role of a server.

        Raises:
            NotFound: It has none like that.
        """
        name = written.strip()
        roles = [role for role in guild.roles if not role.is_default()]
        found = _by_id(roles, name) or _by_name(roles, name.removeprefix("@"))
        if found is None:
            raise NotFound("unknown_role", f"there is no role {clipped(name, 40)} in Discord{_instead('', roles)}")
        return found

    async def message(self, written: str) -> discord.PartialMessage:
        """A message by its link, or by its id if it is one of the latest or can be found in a channel.

        Raises:
            NotFound: It is nowhere.
        """
        if (link := _LINK.search(written)) is not None:
            return self.channel(link.group(1)).get_partial_message(int(link.group(2)))
        id = _id_in(written.strip())
        if id is None:
            raise NotFound("unknown_message", f"{clipped(written, 40)} is neither the id nor the link of a message")
        for known in self.client.cached_messages:
            if known.id == id and isinstance(known.channel, Room):
                return known.channel.get_partial_message(id)
        rooms = sorted(
            (room for guild in self.guilds for room in _rooms(guild)), key=lambda room: -(room.last_message_id or 0)
        )
        for room in rooms[:_MOST_CHANNELS]:
            try:
                await room.fetch_message(id)
            except (discord.NotFound, discord.Forbidden):
                continue
            return room.get_partial_message(id)
        raise NotFound("unknown_message", f"there is no message {id} in Discord; its link is found sooner than its id")

    def emoji(self, written: str) -> "str | discord.Emoji":
        """An emoji of Discord, or one of the server by name."""
        name = written.strip()
        match = _CUSTOM.fullmatch(name)
        if match is None:
            return name
        emojis = [emoji for guild in self.guilds for emoji in guild.emojis]
        found = next((each for each in emojis if str(each.id) == match.group(2) or each.name == match.group(1)), None)
        if found is None:
            raise NotFound("unknown_emoji", f"there is no emoji {clipped(name, 40)} in Discord{_instead(':', emojis)}")
        return found


def reference_in(link: str) -> discord.MessageReference | None:
    """The message that a link leads to, to be answered, also if it is gone by then; None if it leads to none."""
    found = _LINK.fullmatch(link)
    if found is None:
        return None
    channel, message = (int(number) for number in found.groups())
    return discord.MessageReference(message_id=message, channel_id=channel, fail_if_not_exists=False)


def _rooms(guild: discord.Guild) -> Iterable[Room]:
    yield from guild.text_channels
    yield from guild.voice_channels
    yield from guild.threads


def _id_in(text: str) -> int | None:
    match = _MARK.fullmatch(text)
    number = match.group(1) if match is not None else text
    return int(number) if number.isdecimal() and 15 <= len(number) <= 20 else None


def _by_id(things: Iterable[_Named], written: str) -> _Named | None:
    id = _id_in(written)
    return None if id is None else next((thing for thing in things if thing.id == id), None)


def _by_name(things: Sequence[_Named], name: str) -> _Named | None:
    exact = next((thing for thing in things if thing.name == name), None)
    return exact or next((thing for thing in things if thing.name.casefold() == name.casefold()), None)


def _instead(sign: str, things: Sequence[_HasName]) -> str:
    names = [f"{sign}{thing.name}" for thing in things[:_MOST_NAMED]]
    return f"; there is {listed(names)}{' and others' if len(things) > _MOST_NAMED else ''}" if names else ""


def _hash(name: str) -> str:
    return clipped(name if name.startswith("#") else f"#{name}", 40)


def _at(name: str) -> str:
    return clipped(name if name.startswith(("@", "<")) else f"@{name}", 40)
