"""The connection itself: how a client comes, finds its home, and leaves. What it hears is for those that build on it.

It decides nothing about workflows and keeps nothing that must outlive it: a client that has died is replaced by a new
one. Only servers that count as home are listened to, since whoever may manage any other server is nobody here.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import discord
from discord import app_commands

from bot import config
from bot.discord import answers
from bot.discord.commands import hash_of
from bot.discord.house import House, kept
from bot.discord.options import Options
from bot.discord.people import person_of
from bot.discord.sending import arguments_of
from bot.discord.sign_in import PERMISSIONS
from bot.message import Reply
from bot.rights import is_staff
from bot.standing import staff_of
from engine.execution import Person
from engine.ports import ConfigRecord

log = logging.getLogger(__name__)

_COMMANDS: Final = "discord.commands."
SETTLE: Final = "showcaller setup discord."


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things are waited for; shorter in tests.

    Attributes:
        guilds: For each server to be told of at the start.
        heartbeat: For any sign of life.
        identify: Before it says again who it is, since that is rationed.
        rate: At most, for a rate limit to be over; if it lasts longer, the request fails.
    """

    guilds: float = 2.0
    heartbeat: float = 60.0
    identify: float = 5.0
    rate: float = 30.0


PACE: Final = Pace()


def intents_of(options: Options) -> discord.Intents:
    """What Discord is asked to tell; the last two it tells only if that is switched on in its developer portal."""
    intents = discord.Intents.none()
    intents.guilds = intents.guild_messages = intents.guild_reactions = True
    intents.voice_states = intents.emojis_and_stickers = intents.dm_messages = True
    intents.message_content = options.message_content
    intents.members = options.members
    return intents


async def member_of(guild: discord.Guild, id: int) -> discord.Member | None:
    """Somebody in a server; None if they are not.

    Raises:
        discord.HTTPException: That cannot be looked up.
    """
    try:
        return guild.get_member(id) or await guild.fetch_member(id)
    except discord.NotFound:
        return None


class Settled(discord.Client):
    """A client that is at home somewhere.

    Args:
        up: Called whenever it is connected; `down` whenever it is not.
        notice: Told what people should know.
    """

    def __init__(
        self,
        house: House,
        options: Options,
        community: str,
        *,
        up: Callable[[], None],
        down: Callable[[str], None],
        notice: Callable[[str], None],
        pace: Pace = PACE,
    ) -> None:
        super().__init__(
            intents=intents_of(options),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=pace.guilds,
            heartbeat_timeout=pace.heartbeat,
            max_ratelimit_timeout=pace.rate,
        )
        self.options = options
        self.homes: frozenset[int] = frozenset(options.guilds)
        self._house = house
        self._community = community
        self._up = up
        self._down = down
        self._notice = notice
        self._pace = pace
        self._leaving = False
        self._in_hand: set[asyncio.Task[None]] = set()
        self._tree: app_commands.CommandTree[Any] = app_commands.CommandTree(self)

    # Taking and leaving --------------------------------------------------------------------------------------------------

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Take what comes in, until it is being left; the library itself would break on what comes then."""
        if not self._leaving and not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    def _schedule_event(self, *args: Any, **kwargs: Any) -> "asyncio.Task[None]":
        task = super()._schedule_event(*args, **kwargs)
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)
        return task

    async def drain(self, within: float) -> None:
        """Take nothing more, and give what was taken so many seconds to end."""
        self._leaving = True
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=within)

    async def close(self) -> None:
        """Leave; whatever is still in hand ends here."""
        self._leaving = True
        in_hand = {task for task in self._in_hand if task is not asyncio.current_task()}
        for task in in_hand:
            task.cancel()
        await super().close()
        if in_hand:
            await asyncio.wait(in_hand, timeout=1.0)

    # Coming and going ----------------------------------------------------------------------------------------------------

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait before saying again who it is."""
        if not initial:
            await asyncio.sleep(self._pace.identify)

    async def on_ready(self) -> None:
        """Connected anew; may happen many times."""
        self._up()
        await self._settle_in()

    async def on_resumed(self) -> None:
        """Connected again, with nothing missed."""
        self._up()

    async def on_disconnect(self) -> None:
        """Not connected."""
        self._down("the connection was lost")

    async def on_guild_join(self, _: discord.Guild) -> None:
        """Invited to a server."""
        await self._settle_in()

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Sent away from a server, or it is no more."""
        if self.is_home(guild):
            await self._settle_in()

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """One thing that came in could not be handled; the rest goes on."""
        log.error("%s was not handled", event_method, exc_info=True)  # noqa: LOG014  called while it is handled

    async def _settle_in(self) -> None:
        """Look whether its home is there, what its channels are called, and whether the command is known there."""
        if not self.homes:
            self._notice(self._homeless())
        elif not self.home_guilds():
            ids = ", ".join(map(str, sorted(self.homes)))
            self._notice(
                f"I am not in the Discord server that discord.guilds names ({ids}). Invite me: {self._invitation()}"
            )
        for guild in filter(self.is_home, self.guilds):
            await self._tell_commands(guild)
        await self._learn_names()
        if self.home_guilds():
            await self._look_who_is_staff()

    async def _look_who_is_staff(self) -> None:
        """Who was staff when last seen and is none any more: nobody tells of what happened while nobody listened."""
        for id in staff_of("discord", await kept(self._house, self._community)):
            try:
                there = [member for guild in self.home_guilds() if (member := await member_of(guild, int(id)))]
            except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                log.warning("whether somebody is a moderator still could not be looked up: %s", error)
                continue
            people = [person_of(member, self.options) for member in there]
            person = next(filter(is_staff, people), people[0] if people else Person("", "discord", (), id))
            await self._house.stands(person)

    def _homeless(self) -> str:
        """What to do about it that nobody has said which server is home.

        It is never found out by looking: anybody can invite a bot, and would have a say in everything it does.
        """
        if not self.guilds:
            return f"I am in no Discord server yet. Invite me: {self._invitation()} Then stop me, and say that it is yours: {SETTLE}"
        known = ", ".join(f"{guild.name} ({guild.id})" for guild in self.guilds[:10])
        return f"I listen to nobody on Discord: no server is set as yours. Stop me and say which one: {SETTLE} I am in {known}."

    def _invitation(self) -> str:
        return discord.utils.oauth_url(
            self.application_id or 0,
            permissions=discord.Permissions(PERMISSIONS),
            scopes=("bot", "applications.commands"),
        )

    def is_home(self, guild: discord.Guild | None) -> bool:
        """Whether it is listened to."""
        return guild is not None and guild.id in self.homes

    def home_guilds(self) -> list[discord.Guild]:
        """The servers that count."""
        return [guild for guild in self.guilds if self.is_home(guild)]

    async def _tell_commands(self, guild: discord.Guild) -> None:
        self._tree.copy_global_to(guild=guild)
        key = f"{_COMMANDS}{guild.id}"
        mark = f"{self.application_id}:{hash_of(self._tree, guild)}"
        record = (await kept(self._house, self._community)).get(key)
        if record is not None and record.value == mark:
            return
        try:
            await self._tree.sync(guild=guild)
        except discord.Forbidden:
            self._notice(
                f"{guild.name} does not let me have slash commands: invite me again with the scope applications.commands."
            )
            return
        await self._house.keep([ConfigRecord(self._community, key, mark)])

    async def _learn_names(self, *_: Any) -> None:
        """What people may call channels and roles; those of other integrations nobody gives."""
        guilds = self.home_guilds()
        channels = {channel.name for guild in guilds for channel in guild.text_channels}
        roles = {role.name for guild in guilds for role in guild.roles if not role.is_default() and not role.managed}
        found: tuple[tuple[config.NameKind, set[str]], ...] = (("channels", channels), ("roles", roles))
        for kind, names in found:
            if tuple(sorted(names)) != getattr(self._house.settings.names, kind):
                await self._house.set(config.with_names(self._house.settings, kind, tuple(sorted(names))))

    on_guild_channel_create = on_guild_channel_delete = on_guild_channel_update = _learn_names
    on_guild_role_create = on_guild_role_delete = on_guild_role_update = _learn_names

    async def say_aside(self, sentence: str, file: tuple[str, str] | None = None) -> str | None:
        """Say something in the channel for moderators, and tell what that is called; the log knows if it cannot be said."""
        wanted = self.options.mod_channel.casefold()
        rooms = [room for guild in self.home_guilds() for room in guild.text_channels]
        channel = next((room for room in rooms if wanted in (room.name.casefold(), str(room.id))), None)
        if channel is None:
            log.warning("there is no channel %s in Discord to say things in", wanted)
            return None
        try:
            for each in answers.outgoing([Reply("answer", sentence, file=file)]):
                await channel.send(**arguments_of(each))
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("it could not be said in #%s: %s", channel.name, error)
            return None
        return channel.name
