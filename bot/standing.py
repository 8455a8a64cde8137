"""As what the streamer's staff was last seen. Pure.

A step may do only what its author may, and that is asked again each time it runs. Who is no moderator any more is seen by
what they write without the badge, or by what a platform tells of it; those who never were staff are not remembered.
"""

from collections.abc import Mapping
from typing import Any, Final

from bot.config import COMMUNITY
from bot.rights import STAFF
from engine.community import standing_key
from engine.events import Event
from engine.execution import Person
from engine.ports import ConfigRecord

_PREFIX: Final = "standing."
_TOLD: Final = frozenset({"discord.role.given", "discord.role.taken", "discord.member.left"})
"""Events that carry the roles somebody holds from then on."""
_LOST: Final = "moderator.removed"

Standing = Mapping[str, tuple[str, ...]]


def standing_in(records: Mapping[str, ConfigRecord]) -> dict[str, tuple[str, ...]]:
    """What is known of everybody who was ever seen as staff, by `standing_key`."""
    return {
        key.removeprefix(_PREFIX): tuple(record.value) for key, record in records.items() if key.startswith(_PREFIX)
    }


def staff_of(platform: str, records: Mapping[str, ConfigRecord]) -> list[str]:
    """The ids of those who were staff there when they were last seen."""
    found = (key.partition(":") for key, roles in standing_in(records).items() if roles)
    return [id for where, _, id in found if where == platform and id.isdecimal()]


def news(standing: Standing, person: Person) -> ConfigRecord | None:
    """What has to be kept because somebody was seen so; None if that is nothing new."""
    key = standing_key(person)
    roles = tuple(role for role in person.roles if role in STAFF)
    return None if standing.get(key, ()) == roles else ConfigRecord(COMMUNITY, f"{_PREFIX}{key}", list(roles), False)


def told_of(event: Event) -> Person | None:
    """Of whom an event tells as what they stand from then on."""
    user: Any = event.payload.get("user")
    if not isinstance(user, Mapping) or event.name not in {_LOST, *_TOLD}:
        return None
    platform = "twitch" if event.name == _LOST else "discord"
    roles = () if event.name in (_LOST, "discord.member.left") else tuple(user.get("roles") or ())
    return Person(str(user.get("name")), platform, roles, str(user.get("id") or ""))
