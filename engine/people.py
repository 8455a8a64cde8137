"""Who is behind an event: its `user` is a person with roles, or just a name. It judges nobody's rights."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

KNOWN_BOTS: Final = (
    "botisimo",
    "coebot",
    "commanderroot",
    "deepbot",
    "fossabot",
    "kofistreambot",
    "lolrankbot",
    "mixitup",
    "moobot",
    "nightbot",
    "own3d",
    "phantombot",
    "pokemoncommunitygame",
    "sery_bot",
    "soundalerts",
    "streamelements",
    "streamlabs",
    "streamstickers",
    "supibot",
    "tangiabot",
    "wizebot",
)
"""What bots are called that many channels have; platforms do not tell them apart from people."""


def all_roles(roles: Sequence[str]) -> list[str]:
    """All that somebody is by these roles: whose channel it is, is a moderator of it, too."""
    return [*roles, "moderator"] if "broadcaster" in roles and "moderator" not in roles else list(roles)


def name_of(user: object) -> str | None:
    """The name in an event's `user`, which is {"name", "roles"} or just the name."""
    if isinstance(user, str):
        return user
    if isinstance(user, Mapping):
        name = user.get("name")
        return name if isinstance(name, str) else None
    return None


def person_in(user: object) -> Mapping[str, Any] | None:
    """The person in an event's `user`; a bare name is somebody without roles, so that nobody can bring roles along."""
    if isinstance(user, str) and user:
        return {"name": user, "roles": []}
    return user if isinstance(user, Mapping) else None


def roles_of(user: object) -> tuple[str, ...]:
    """The roles in an event's `user`."""
    if not isinstance(user, Mapping):
        return ()
    roles = user.get("roles")
    return tuple(role for role in roles if isinstance(role, str)) if isinstance(roles, list | tuple) else ()
