"""What a front end tells the engine: messages and live events as `Event`s. Pure; ids and time come in as arguments."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.message import Message, Place
from engine.events import Event, canonical, kind_of
from engine.execution import Person
from engine.people import all_roles


def user_fields(name: str, roles: Sequence[str], id: str = "") -> dict[str, Any]:
    """A person as events carry them; with the platform's own id where that is known."""
    return {"name": name, "roles": all_roles(roles), **({"id": id} if id else {})}


def chat_event(message: Message, community: str) -> Event:
    """A chat message as an event. Its id is the message's, so the same message twice is one event."""
    fields: dict[str, Any] = {
        "user": user_fields(message.author.name, message.author.roles, _platforms_id(message.author)),
        "message": message.text,
        "command": _command(message.text),
        "arguments": _arguments(message.text),
        "words": len(message.text.split()),
        "message_id": message.id,
    }
    if message.place.platform == "discord":
        fields |= {"channel": message.place.channel, "link": discord_link(message.place, message.id)}
        return Event(message.id, "discord.message.received", message.at, community, fields)
    return Event(message.id, "message.received", message.at, community, fields)


def discord_link(place: Place, message_id: str) -> str:
    """Where a Discord message can be looked up."""
    return f"https://discord.com/channels/{place.guild or 0}/{place.id or place.channel}/{message_id}"


def event(name: str, payload: Mapping[str, Any], *, id: str, at: float, community: str) -> Event:
    """Any other event, under its canonical name."""
    return Event(id, canonical(name), at, community, dict(payload))


def is_about_someone(name: str) -> bool:
    """Whether an event of that name has a user; events of our own may have one too, but need none."""
    kind = kind_of(name)
    return kind is not None and "user" in kind.fields


def _platforms_id(person: Person) -> str:
    """A person's id where a platform gave it; the terminal makes its own out of names."""
    return person.id if person.id.isdecimal() else ""


def _command(text: str) -> str:
    """The first word if it begins with `!`, in lower case, as people type commands in any case."""
    head = text.split(maxsplit=1)[:1]
    return head[0].casefold() if head and head[0].startswith("!") else ""


def _arguments(text: str) -> str:
    """What follows the command."""
    parts = text.split(maxsplit=1)
    return parts[1] if len(parts) == 2 and parts[0].startswith("!") else ""
