"""What can be set about Discord, read from the community's settings into one frozen value. Pure.

`discord.guilds` are the ids of the servers that count as home; `discord.channel` is where posts go that name no channel;
`discord.mod_channel` is where the bot says by itself what people should know; `discord.roles.moderator` (and so on) names the roles there that hold one of ours; `discord.message_content` and
`discord.members` say whether the bot's two privileged intents are switched on in Discord's developer portal.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.config import is_off
from bot.message import ROLES, Role

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
        guilds: Ids of the servers that count; empty = the only one it is in.
        channel: Name or id of the channel for posts that name none.
        mod_channel: Name or id of the channel in which the bot tells by itself what people should know; empty = in none.
        roles: Names or ids of Discord roles that hold one of ours, in lower case.
        message_content: Whether it may read what people write; without it there are only slash commands and mentions.
        members: Whether it is told who joins, leaves, and gets roles.
        api_base: Where Discord's REST is.
        gateway_url: Where its gateway is.
    """

    guilds: tuple[int, ...] = ()
    channel: str = ""
    mod_channel: str = ""
    roles: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)
    message_content: bool = True
    members: bool = True
    api_base: str = API_BASE
    gateway_url: str = GATEWAY_URL


def options_of(values: Mapping[str, Any]) -> Options:
    """The options in a community's settings; what cannot be read counts as not set."""
    return Options(
        guilds=tuple(int(id) for id in re.findall(r"\d{1,20}", _text(values, "discord.guilds"))),
        channel=_text(values, "discord.channel").removeprefix("#"),
        mod_channel=_text(values, "discord.mod_channel").removeprefix("#"),
        roles={role: names for role in ROLES if (names := _names(_text(values, f"discord.roles.{role}")))},
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


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().removeprefix("@").casefold() for name in text.split(",") if name.strip())
