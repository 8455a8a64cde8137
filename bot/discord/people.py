"""Which of our roles a member of a Discord server holds. Pure.

The owner is the broadcaster, unless somebody else is named; whoever may manage the server is a moderator; other roles and
people count only where the streamer has said which ones stand for which. What Discord shows somebody is no right: every message is judged by this again.
"""

import discord

from bot.discord.options import Options
from bot.message import ROLES
from bot.named import roles_named
from engine.execution import Person


def roles_of(member: discord.Member | discord.User, options: Options) -> tuple[str, ...]:
    """The roles somebody holds, highest first; a user who is no member of the server holds none."""
    if not isinstance(member, discord.Member):
        return ()
    held: set[str] = set(roles_named(options.people, member.name, str(member.id)))
    if member.id == member.guild.owner_id and "broadcaster" not in options.people:
        held.add("broadcaster")
    permissions = member.guild_permissions
    if permissions.administrator or permissions.manage_guild:
        held.add("moderator")
    theirs = {name for role in member.roles for name in (str(role.id), role.name.casefold()) if not role.is_default()}
    held |= {role for role, names in options.roles.items() if not theirs.isdisjoint(names)}
    return tuple(role for role in ROLES if role in held)


def person_of(member: discord.Member | discord.User, options: Options) -> Person:
    """Somebody as the bot knows them: by the name that is theirs alone, not by what they like to be called."""
    return Person(member.name, "discord", roles_of(member, options), str(member.id))
