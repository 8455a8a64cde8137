"""What Discord tells, as `Message`s and `Event`s. Pure: ids and time come in as arguments.

An event has Discord's own id where it has one (a message, a press of a button), so that telling it twice is one event;
where Discord has none (a reaction, a move between voice channels) doing it again is another event.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import discord

from bot.discord.options import Options
from bot.discord.people import person_of
from bot.happenings import discord_link, event, user_fields
from bot.message import Message, Place, instruction_in
from engine.events import Event

_EMOJI: Final = (
    r"(?:<a?:\w{2,32}:\d{1,20}>|:\w{2,32}:|[\u2190-\u2bff\u3030-\u3299\ufe0f\u200d\U0001f000-\U0001faff]+)(?![^\s,.;])"
)
_WITH_EMOJI: Final = re.compile(rf"(\bwith\s+)({_EMOJI}(?:(?:\s+and\s+|\s*,\s*|\s+){_EMOJI})*)")
_MENTIONED: Final = re.compile(r"<(#|@&|@!?)(\d{1,20})>")


def place_of(channel: Any, guild: discord.Guild | None) -> Place:
    """Where something happened; a channel that is not known any more has its id for a name."""
    return Place(
        "discord",
        getattr(channel, "name", None) or str(channel.id),
        str(channel.id),
        "" if guild is None else str(guild.id),
    )


def message_of(message: discord.Message, options: Options, me: int) -> Message:
    """A message as it was written. To an instruction, what Discord writes for `#general` and `@mo` are those words again."""
    text = addressed(message.content, me)
    if instruction_in(text) is not None:
        text = in_words(text, names_in(text, message.guild, message.mentions))
    return Message(
        str(message.id),
        text,
        person_of(message.author, options),
        place_of(message.channel, message.guild),
        message.created_at.timestamp(),
        reply_to=None if message.reference is None else str(message.reference.message_id),
    )


def addressed(text: str, me: int) -> str:
    """A message that begins by naming the bot is for it, prefix or not."""
    match = re.match(rf"\s*<@!?{me}>\s*", text)
    if match is None:
        return text
    rest = text[match.end() :]
    return rest if instruction_in(rest) is not None else f"!workflow {rest}"


def in_words(text: str, names: Mapping[str, str]) -> str:
    """A sentence with names in the place of Discord's marks for them; what stands in quotes is a text and stays.

    The emoji that somebody reacts with, one or several, are put into quotes: on a phone nobody types those.
    """
    about_reactions = "react" in text.casefold()
    parts = re.split(r'("(?:[^"\\]|\\.)*")', text)
    return "".join(part if part.startswith('"') else _worded(part, names, about_reactions) for part in parts)


def _worded(part: str, names: Mapping[str, str], about_reactions: bool) -> str:
    part = _MENTIONED.sub(lambda match: names.get(match.group(), match.group()), part)
    return _WITH_EMOJI.sub(r'\1"\2"', part) if about_reactions else part


def names_in(
    text: str, guild: discord.Guild | None, mentioned: Iterable[discord.Member | discord.User]
) -> dict[str, str]:
    """What Discord's marks in a text stand for, as far as that is known."""
    found: dict[str, str] = {}
    if guild is None:
        return found
    people = {person.id: person.name for person in mentioned}
    for match in _MENTIONED.finditer(text):
        kind, id = match.group(1), int(match.group(2))
        name: str | None = None
        if kind == "#":
            name = None if (channel := guild.get_channel_or_thread(id)) is None else f"#{channel.name}"
        elif kind == "@&":
            name = None if (role := guild.get_role(id)) is None else role.name
        else:
            member = guild.get_member(id)
            known = people.get(id) or (None if member is None else member.name)
            name = None if known is None else f"@{known}"
        if name is not None:
            found[match.group()] = name
    return found


# Events ------------------------------------------------------------------------------------------------------------------


def user_of(member: discord.Member | discord.User, options: Options) -> dict[str, Any]:
    """Somebody as events carry them."""
    person = person_of(member, options)
    return user_fields(person.name, person.roles, person.id)


class Happening:
    """Makes events of one community.

    Args:
        id: Draws an id for what has none.
        at: UTC seconds.
    """

    def __init__(self, *, id: str, at: float, community: str, options: Options) -> None:
        self._id = id
        self._at = at
        self._community = community
        self._options = options

    def _event(
        self, name: str, member: discord.Member | discord.User, fields: Mapping[str, Any], id: str | None = None
    ) -> Event:
        payload = {"user": user_of(member, self._options), **fields}
        return event(name, payload, id=id or self._id, at=self._at, community=self._community)

    def reaction(
        self, member: discord.Member | discord.User, emoji: str, place: Place, message_id: int, text: str | None
    ) -> Event:
        """A reaction added, or without a text: taken back."""
        fields = {"emoji": emoji, "message_id": str(message_id), "channel": place.channel}
        if text is None:
            return self._event("discord.reaction.removed", member, fields)
        link = discord_link(place, str(message_id))
        return self._event("discord.reaction.added", member, {**fields, "message": text, "link": link})

    def joined(self, member: discord.Member) -> Event:
        """Somebody came into the server; at the same moment nobody does so twice."""
        moment = "" if member.joined_at is None else f"{member.joined_at.timestamp():.3f}"
        id = f"discord:join:{member.guild.id}:{member.id}:{moment}" if moment else None
        return self._event("discord.member.joined", member, {}, id)

    def left(self, member: discord.Member | discord.User) -> Event:
        """Somebody left it."""
        return self._event("discord.member.left", member, {})

    def role(self, member: discord.Member, role: discord.Role, *, given: bool) -> Event:
        """Somebody's roles changed by this one."""
        name = "discord.role.given" if given else "discord.role.taken"
        return self._event(name, member, {"role": role.name})

    def voice(self, member: discord.Member, channel: Any, *, joined: bool) -> Event:
        """Somebody went into a voice channel, or out of it."""
        name = "discord.voice.joined" if joined else "discord.voice.left"
        return self._event(name, member, {"channel": str(channel.name)})

    def button(self, member: discord.Member | discord.User, label: str, place: Place, message_id: int) -> Event:
        """Somebody pressed a button of a post of ours."""
        fields = {"button": label, "message_id": str(message_id), "channel": place.channel}
        return self._event("discord.button.pressed", member, fields)
