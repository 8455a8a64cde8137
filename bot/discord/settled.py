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
from bot.discord.sign_in import PERMISSIONS
from engine.ports import ConfigRecord

log = logging.getLogger(__name__)

_COMMANDS: Final = "discord.commands."


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

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """One thing that came in could not be handled; the rest goes on."""
        log.error("%s was not handled", event_method, exc_info=True)  # noqa: LOG014  called while it is handled

    async def _settle_in(self) -> None:
        """Find out which server is home, what its channels are called, and whether the command is known there."""
        if not self.homes:
            await self._find_home()
        elif not self.home_guilds():
            ids = ", ".join(map(str, sorted(self.homes)))
            self._notice(
                f"I am not in the Discord server that discord.guilds names ({ids}). Invite me: {self._invitation()}"
            )
        for guild in filter(self.is_home, self.guilds):
            await self._tell_commands(guild)
        await self._learn_names()

    async def _find_home(self) -> None:
        if len(self.guilds) == 1:
            # Kept, so that being invited elsewhere later does not give anybody there a say.
            changed = config.with_value(self._house.settings, "discord.guilds", str(self.guilds[0].id), secret=False)
            self.homes = frozenset({self.guilds[0].id})
            await self._house.set(changed)
        elif self.guilds:
            known = ", ".join(f"{guild.name} ({guild.id})" for guild in self.guilds[:10])
            self._notice(
                f"I am in several Discord servers and listen to none: set discord.guilds to yours. I am in {known}."
            )
        else:
            self._notice(f"I am in no Discord server yet. Invite me: {self._invitation()}")

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

    async def say_aside(self, sentence: str) -> None:
        """Say something in the channel for moderators. Whether that can be done is nobody's concern: the log has it, too."""
        wanted = self.options.mod_channel.casefold()
        for guild in self.home_guilds():
            for channel in guild.text_channels:
                if wanted in (channel.name.casefold(), str(channel.id)):
                    try:
                        await channel.send(answers.parted(sentence)[0])
                    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                        log.warning("it could not be said in #%s: %s", channel.name, error)
                    return
        log.warning("there is no channel %s in Discord to say things in", wanted)
