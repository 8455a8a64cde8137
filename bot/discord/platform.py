"""Discord as a platform that is kept connected: one attempt makes one client, and says why no further one can help."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Final

import discord

from bot.discord.addresses import use
from bot.discord.client import Front
from bot.discord.house import House
from bot.discord.options import options_of
from bot.discord.permits import permitted
from bot.discord.settled import PACE, Pace
from bot.supervise import GivesUp, Line

log = logging.getLogger(__name__)

_TELL_WITHIN: Final = 60.0
_POST_WITHIN: Final = 5.0
"""Somebody waits for their answer meanwhile."""
BAD_TOKEN: Final = "Discord does not take the bot's token. Put in a new one: showcaller setup."
INTENTS: Final = (
    "Discord does not let the bot read what is written or who is there. Switch on Message Content Intent and Server "
    "Members Intent for it at https://discord.com/developers/applications (Bot), or do without: set "
    "discord.message_content and discord.members to off."
)
_FOR_GOOD: Final[Mapping[int, str]] = {
    4004: BAD_TOKEN,
    4010: "Discord says that the bot's shard is invalid.",
    4011: "The bot is in so many servers that Discord wants it in parts, which it cannot do.",
    4012: "This version of the bot is too old for Discord.",
    4013: "Discord does not know what the bot asks to be told.",
    4014: INTENTS,
}


class Platform:
    """Makes attempts for a supervisor; whoever acts on Discord finds the client of the moment here.

    Args:
        token: Tells the bot's token.
        notice: Told what people should know.
    """

    def __init__(
        self,
        house: House,
        community: str,
        *,
        token: Callable[[], str],
        notice: Callable[[str], None],
        pace: Pace = PACE,
    ) -> None:
        self.client: Front | None = None
        self._came = asyncio.Event()
        self._house = house
        self._community = community
        self._token = token
        self._notice = notice
        self._pace = pace
        self._said: set[str] = set()
        self._telling: set[asyncio.Task[None]] = set()

    async def attempt(self, line: Line) -> None:
        """Be connected as long as it lasts.

        Raises:
            GivesUp: It cannot get better by itself.
        """
        options = options_of(self._house.settings.values)
        use(options.api_base, options.gateway_url)
        front = Front(
            self._house,
            options,
            self._community,
            up=lambda: self._up(line),
            down=line.down,
            notice=self._say_once,
            pace=self._pace,
        )
        self.client = front
        try:
            async with front:
                await front.start(self._token())
        except discord.LoginFailure:
            raise GivesUp(BAD_TOKEN) from None
        except discord.PrivilegedIntentsRequired:
            raise GivesUp(INTENTS) from None
        except discord.ConnectionClosed as error:
            if (why := _FOR_GOOD.get(error.code)) is not None:
                raise GivesUp(why) from None
            raise
        finally:
            for telling in self._telling:
                telling.cancel()
            self.client = None
            self._came.clear()
            line.down("the connection ended")

    def _up(self, line: Line) -> None:
        self._came.set()
        line.up()

    async def drain(self, within: float) -> None:
        """Take nothing more, and give what was taken so many seconds to end."""
        if self.client is not None:
            await self.client.drain(within)

    async def connected(self, within: float) -> Front | None:
        """The client of the moment, once it has been connected; None if that takes longer than so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._came.wait()
        return self.client if self._came.is_set() else None

    def permitted(self) -> Collection[str] | None:
        """What the home servers let the bot do; None while none can be looked at."""
        homes = [] if self.client is None else [guild for guild in self.client.home_guilds() if not guild.unavailable]
        return permitted(homes) if homes else None

    def tell(self, sentence: str) -> None:
        """Say something in the channel for moderators, if one is set and it can be said within a while."""
        if options_of(self._house.settings.values).mod_channel:
            task = asyncio.get_running_loop().create_task(self._tell(sentence), name="telling in Discord")
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self, sentence: str) -> None:
        front = await self.connected(_TELL_WITHIN)
        if front is not None:
            await front.say_aside(sentence)

    async def post_aside(self, sentence: str, file: tuple[str, str]) -> str | None:
        """Post a file in the channel for moderators, if it is there to be seen at once; tells what that is called."""
        if self.client is None or not self._came.is_set() or not self.client.options.mod_channel:
            return None
        with suppress(TimeoutError):
            async with asyncio.timeout(_POST_WITHIN):
                return await self.client.say_aside(sentence, file)
        return None

    def _say_once(self, sentence: str) -> None:
        """What a client tells each time it is made, people want to hear once."""
        if sentence not in self._said:
            self._said.add(sentence)
            self._notice(sentence)
