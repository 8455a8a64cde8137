"""Discord as a platform that is kept connected: one attempt makes one client, and says why no further one can help."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import discord

from bot.discord.addresses import use
from bot.discord.client import PACE, Front, Pace
from bot.discord.house import House
from bot.discord.options import options_of
from bot.supervise import GivesUp, Line

log = logging.getLogger(__name__)

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
            self.client = None
            self._came.clear()
            line.down("the connection ended")

    def _up(self, line: Line) -> None:
        self._came.set()
        line.up()

    async def connected(self, within: float) -> Front | None:
        """The client of the moment, once it has been connected; None if that takes longer than so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._came.wait()
        return self.client if self._came.is_set() else None

    def _say_once(self, sentence: str) -> None:
        """What a client tells each time it is made, people want to hear once."""
        if sentence not in self._said:
            self._said.add(sentence)
            self._notice(sentence)
