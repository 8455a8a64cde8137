"""What can be set about Discord, read from the community's settings into one frozen value. Pure.

`discord.guilds` are the ids of the servers that count as home; `discord.channel` is where posts go that name no channel;
`discord.mod_channel` is where the bot says by itself what people should know; `discord.roles.moderator` (and so on) names
the roles there that hold one of ours, `discord.people.moderator` the people; `discord.people.broadcaster` is the streamer, where
that is not the server's owner; `discord.message_content` and `discord.members` say whether the bot's two privileged intents are
switched on in Discord's developer portal. What has an id behind its name, `mods (123)`, is what has that id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.config import is_off
from bot.message import ROLES, Role
from bot.named import key_of, keys_in, people_in

API_BASE: Final = "https://discord.com/api/v10"
GATEWAY_URL: Final = "wss://gateway.discord.gg/"
_OF_MEMBERS: Final = (
    "discord.member.joined",
    "discord.member.left",
    "discord.role.given",
    "discord.role.taken",
)


@dataclass(frozen=True, slots=True)
class Options:
    """How the bot is on Discord.

    Attributes:
        guilds: Ids of the servers that count; empty = none yet.
        channel: Name or id of the channel for posts that name none.
        mod_channel: Name or id of the channel in which the bot tells by itself what people should know; empty = in none.
        roles: Names or ids of Discord roles that hold one of ours, in lower case.
        people: Likewise of people; who is named as the broadcaster is it in the place of the server's owner.
        message_content: Whether it may read what people write; without it there are only slash commands and mentions.
        members: Whether it is told who joins, leaves, and gets roles.
        api_base: Where Discord's REST is.
        gateway_url: Where its gateway is.
    """

    guilds: tuple[int, ...] = ()
    channel: str = ""
    mod_channel: str = ""
    roles: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)
    people: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)
    message_content: bool = True
    members: bool = True
    api_base: str = API_BASE
    gateway_url: str = GATEWAY_URL


def options_of(values: Mapping[str, Any]) -> Options:
    """The options in a community's settings; what cannot be read counts as not set."""
    return Options(
        guilds=tuple(int(id) for id in re.findall(r"\d{1,20}", _text(values, "discord.guilds"))),
        channel=key_of(_text(values, "discord.channel")),
        mod_channel=key_of(_text(values, "discord.mod_channel")),
        roles={role: names for role in ROLES if (names := keys_in(values.get(f"discord.roles.{role}")))},
        people=people_in(values, "discord"),
        message_content=not is_off(values.get("discord.message_content")),
        members=not is_off(values.get("discord.members")),
        api_base=(_text(values, "discord.api_base") or API_BASE).rstrip("/"),
        gateway_url=_text(values, "discord.gateway_url") or GATEWAY_URL,
    )


def unheard(options: Options) -> dict[str, tuple[str, ...]]:
    """The events that Discord does not tell of, with the switch in its developer portal that would change that."""
    found: dict[str, tuple[str, ...]] = {}
    if not options.message_content:
        found["discord.message.received"] = ("its Message Content Intent",)
    if not options.members:
        found |= dict.fromkeys(_OF_MEMBERS, ("its Server Members Intent",))
    return found


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()
