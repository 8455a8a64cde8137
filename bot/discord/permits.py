"""What the servers let the bot do, in the words in which Discord shows its permissions. Pure.

A permission counts as given if it is given anywhere: channels may add to what holds in the whole server, and where a step
will post is often known only when it runs.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import discord

NAMES: Final[Mapping[str, str]] = {
    "add_reactions": "Add Reactions",
    "create_public_threads": "Create Public Threads",
    "embed_links": "Embed Links",
    "manage_roles": "Manage Roles",
    "moderate_members": "Timeout Members",
    "send_messages": "Send Messages",
}
"""By the library's name, those that methods name as what they need."""


def permitted(guilds: Iterable[discord.Guild]) -> frozenset[str]:
    """Which of them the bot has somewhere."""
    places = [places for guild in guilds for places in _of(guild)]
    return frozenset(name for flag, name in NAMES.items() if any(getattr(place, flag) for place in places))


def _of(guild: discord.Guild) -> Iterable[discord.Permissions]:
    yield guild.me.guild_permissions
    for channel in guild.text_channels:
        yield channel.permissions_for(guild.me)
