"""Who holds a role because the streamer says so, whatever the platform says: helpers who are no moderators there. Pure.

Settings name them: `twitch.people.moderator` and `discord.people.moderator`, and so on for each role. Somebody is named as
people type them, `mo`, by the platform's number, or both, `mo (123456)`: then the number counts, since names change hands.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bot.message import ROLES, Role
from engine.events import Event
from engine.execution import Person
from engine.people import all_roles

_BOTH: Final = re.compile(r"(?P<name>.*\S)\s*\((?P<id>\d{1,20})\)", re.DOTALL)


def written(name: str, id: str) -> str:
    """Somebody or something as settings name them, so that people can read it and nobody else can be meant."""
    return f"{name.replace(',', ' ')} ({id})"


def key_of(entry: str) -> str:
    """What an entry is compared by: the number if it has one, else the name, in lower case."""
    both = _BOTH.fullmatch(entry.strip())
    return entry.strip().removeprefix("@").removeprefix("#").casefold() if both is None else both["id"]


def keys_in(value: Any) -> tuple[str, ...]:
    """The entries of a setting, separated by commas."""
    if isinstance(value, float) and value.is_integer():  # a number alone is read as one
        value = int(value)
    return tuple(key_of(entry) for entry in str("" if value is None else value).split(",") if entry.strip())


def people_in(values: Mapping[str, Any], platform: str) -> dict[Role, tuple[str, ...]]:
    """Whom the settings name for each role on a platform."""
    named = {role: keys_in(values.get(f"{platform}.people.{role}")) for role in ROLES}
    return {role: keys for role, keys in named.items() if keys}


def roles_named(people: Mapping[Role, tuple[str, ...]], name: str, id: str) -> set[Role]:
    """The roles somebody is named for. A number is nobody's name: whoever calls themselves so would be somebody else."""
    mine = {id, "" if name.isdecimal() else name.casefold()} - {""}
    return {role for role, keys in people.items() if not mine.isdisjoint(keys)}


def event_as_named(event: Event, values: Mapping[str, Any]) -> Event:
    """An event whose person has the roles they are named for, too."""
    user = event.payload.get("user")
    if not isinstance(user, Mapping):
        return event
    platform = "discord" if event.name.startswith("discord.") else "twitch"
    held = Person(str(user.get("name")), platform, tuple(user.get("roles") or ()), str(user.get("id") or ""))
    named = as_named(held, values)
    return (
        event
        if named is held
        else replace(event, payload={**event.payload, "user": {**user, "roles": all_roles(named.roles)}})
    )


def as_named(person: Person, values: Mapping[str, Any]) -> Person:
    """Somebody with the roles they are named for beside those they hold."""
    named = roles_named(people_in(values, person.platform), person.name, person.id)
    if named <= set(person.roles):
        return person
    return replace(person, roles=tuple(role for role in ROLES if role in {*person.roles, *named}))
