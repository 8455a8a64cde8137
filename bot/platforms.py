"""The platforms of a running bot: which are set up, their services, and how they are started and left.

It is the one module beside the composition root that names concrete platforms. One that is not set up costs nobody else
anything: its service says what to do.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import ClassVar, Final, Protocol

from bot.ai.service import AiService
from bot.app import Abroad, Bot, Opening
from bot.at_length import File
from bot.config import COMMUNITY, Settings, is_off
from bot.discord import platform as discord
from bot.discord.client import Front
from bot.discord.options import options_of, unheard
from bot.discord.pacing import Pacing
from bot.discord.service import DiscordService
from bot.discord.settled import PACE, Pace
from bot.drops import Drops, lines_for
from bot.http.addresses import Doors, doors_of
from bot.http.service import HttpService
from bot.obs.platform import ObsPlatform
from bot.services.declared import DECLARATIONS
from bot.services.not_set_up import NotSetUp
from bot.snapshots import Snapshots
from bot.supervise import Supervisor, supervised
from bot.tokens import TokenFile
from bot.twitch.platform import NOTICES, TwitchPlatform
from bot.web.platform import WebPlatform
from engine.ports import Service

log = logging.getLogger(__name__)

DISCORD_NAME: Final = "Discord"
DISCORD: Final = "discord.bot"
"""Under this the token of Discord is kept."""
_CHANCE: Final = random.SystemRandom().random
HOUSE: Final = "http.local"
"""Under this stand the places in the house that workflows may ask, as `192.168.1.20:8123`, separated by commas."""
DRAIN_WITHIN: Final = 5.0
"""Seconds that what is under way gets to end."""

NOT_SET_UP: Final[Mapping[str, str]] = {
    "twitch": "Twitch is not set up yet. Do it with: showcaller setup twitch.",
    "discord": "Discord is not set up yet. Do it with: showcaller setup discord.",
    "obs": "OBS is not set up yet. Do it with: showcaller setup obs.",
    "overlay": "The overlay is not switched on. Do it with: showcaller overlay --on.",
}


class Platform(Protocol):
    """One platform that is set up."""

    @property
    def service(self) -> Service:
        """Does on it what workflows ask for."""
        ...

    def granted(self) -> Collection[str] | None:
        """The scopes it has granted; None if that is not known."""
        ...

    def unheard(self) -> Mapping[str, Collection[str]]:
        """The events it does not tell of, with the scopes that would change that."""
        ...

    def supervisor(self, bot: Bot) -> Supervisor:
        """Keeps it connected, and lets the bot hear."""
        ...

    async def drain(self, within: float) -> None:
        """Take nothing more, and give what was taken so many seconds to end."""
        ...


class DiscordThere:
    """Discord, set up.

    Attributes:
        pace: How long its client waits for things; shorter in tests.
    """

    pace: ClassVar[Pace] = PACE

    def __init__(self, opening: Opening, tokens: TokenFile) -> None:
        self._tokens = tokens
        self._settings: Callable[[], Settings] = lambda: opening.settings
        self._notice = opening.notice
        self._now = opening.clock.now
        self._platform: discord.Platform | None = None
        self._made = asyncio.Event()
        self._drops = Drops(lines_for("Discord"), opening.clock.now, opening.notice)
        pacing = Pacing(opening.clock.now, self._drops)
        snapshots = Snapshots(opening.folder.snapshots)
        self.service = DiscordService(DECLARATIONS, self._client, lambda: opening.store, snapshots, pacing)

    @classmethod
    def set_up(cls, opening: Opening, tokens: TokenFile) -> "DiscordThere | None":
        """Discord, if somebody has set it up."""
        return cls(opening, tokens) if DISCORD in tokens.tokens else None

    def granted(self) -> Collection[str] | None:
        """The permissions that its servers give; None while that cannot be looked at."""
        return None if self._platform is None else self._platform.permitted()

    def unheard(self) -> Mapping[str, Collection[str]]:
        """What its switches keep from the bot."""
        return unheard(options_of(self._settings().values))

    def supervisor(self, bot: Bot) -> Supervisor:
        """Keeps it connected, and lets the bot hear."""
        self._settings = lambda: bot.settings
        self._platform = discord.Platform(
            bot,
            COMMUNITY,
            token=lambda: self._tokens.tokens[DISCORD].access,
            notice=self._notice,
            pace=self.pace,
        )
        self._made.set()
        return Supervisor(
            DISCORD_NAME, self._platform.attempt, now=self._now, local=bot.local, notice=self._notice, chance=_CHANCE
        )

    async def drain(self, within: float) -> None:
        """Take nothing more, and give what was taken so many seconds to end."""
        if self._platform is not None:
            await self._platform.drain(within)
        self._drops.tell()

    def tell(self, sentence: str) -> None:
        """Say something where the moderators of the server read it, if they want that."""
        if self._platform is not None:
            self._platform.tell(sentence)

    async def post_aside(self, sentence: str, file: File) -> str | None:
        """Post a file where the moderators of the server read it, if they want that; tells where that is."""
        channel = None if self._platform is None else await self._platform.post_aside(sentence, file)
        return None if channel is None else f"#{channel} on Discord"

    async def _client(self, within: float) -> Front | None:
        """The client of the moment; effects of before the last stop are taken up earlier than there is one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._made.wait()
        return None if self._platform is None else await self._platform.connected(within)


KINDS: Final[Sequence[Callable[[Opening, TokenFile], Platform | None]]] = (
    TwitchPlatform.set_up,
    DiscordThere.set_up,
    ObsPlatform.set_up,
)
"""Each makes its platform, or nothing if that is not set up."""


class Platforms:
    """All platforms of one bot.

    Args:
        tokens: What they are signed in to with.
        numbers: Everything measured, as text.
    """

    def __init__(self, tokens: TokenFile, numbers: Callable[[], str] = str) -> None:
        self._tokens = tokens
        self._numbers = numbers
        self._supervisors: list[Supervisor] = []
        self._settings: Callable[[], Settings] = Settings
        self.there: list[Platform] = []
        self._early: list[str] | None = []

    def tell(self, sentence: str) -> None:
        """Say what people should know where they are, beside the terminal; what comes while the bot is opened is kept till then."""
        if self._early is not None:
            self._early.append(sentence)
            return
        for platform in self.there:
            if isinstance(platform, DiscordThere):
                platform.tell(sentence)

    def _tell_twitch(self, sentence: str) -> None:
        """Say in the Twitch chat what nobody can read in Discord while that is gone; the streamer may not want that."""
        for platform in self.there:
            if isinstance(platform, TwitchPlatform) and not is_off(self._settings().values.get(NOTICES)):
                platform.tell(sentence)

    def elsewhere(self, origin: str, sentence: str) -> None:
        """Say on the other platforms what was changed on one, where that is wanted: `twitch.edits`, `discord.edits`."""
        for platform in self.there:
            if isinstance(platform, DiscordThere | TwitchPlatform) and platform.service.name != origin:
                wanted = self._settings().values.get(f"{platform.service.name}.edits")
                if wanted is not None and not is_off(wanted):
                    platform.tell(sentence)

    async def at_length(self, origin: str, sentence: str, file: File) -> str | None:
        """Post what is too long for one platform where moderators read on another; tells where that is."""
        there = (each for each in self.there if isinstance(each, DiscordThere) and each.service.name != origin)
        found = next(there, None)
        return None if found is None else await found.post_aside(sentence, file)

    @property
    def abroad(self) -> Abroad:
        """What the bot has to know of them."""
        return Abroad(self._services, self._granted, self._unheard, self._secrets, self.elsewhere, self.at_length)

    def _services(self, opening: Opening) -> Sequence[Service]:
        self._tokens.read()  # the folder is ours from now on; a bot that just left may have renewed them meanwhile
        web = WebPlatform.set_up(opening, self._numbers, lambda: [each.standing for each in self._supervisors])
        made = (*(kind(opening, self._tokens) for kind in KINDS), web)
        self.there = [platform for platform in made if platform is not None]
        self._settings = lambda: opening.settings
        found = {platform.service.name: platform.service for platform in self.there}
        missing = (NotSetUp(name, DECLARATIONS, said) for name, said in NOT_SET_UP.items() if name not in found)
        return [*found.values(), *missing, HttpService(self._doors, time.monotonic), AiService(opening.asker)]

    def _doors(self) -> Doors:
        written = self._settings().values.get(HOUSE, ())
        return doors_of(written.split(",") if isinstance(written, str) else written)

    def _granted(self) -> Mapping[str, Collection[str]]:
        known = {platform.service.name: platform.granted() for platform in self.there}
        return {name: scopes for name, scopes in known.items() if scopes is not None}

    def _unheard(self) -> Mapping[str, Collection[str]]:
        return {name: scopes for platform in self.there for name, scopes in platform.unheard().items()}

    def _secrets(self) -> Iterable[str]:
        return self._tokens.secrets()

    @asynccontextmanager
    async def running(self, bot: Bot) -> AsyncIterator[None]:
        """Keep all of them connected as long as this lasts.

        Then: take nothing more, let what is under way end while it still can, close the engine, and only then the
        connections. Whatever did not end stands in the store for the next start; closed the other way round, it would
        have failed for want of a connection.
        """
        self._settings = lambda: bot.settings
        self._supervisors = [platform.supervisor(bot) for platform in self.there]
        for each in self._supervisors:
            if each.standing.name == DISCORD_NAME:
                each.told_also = self._tell_twitch
        async with supervised(self._supervisors):
            early, self._early = self._early or (), None
            for sentence in early:
                self.tell(sentence)
            try:
                yield
            finally:
                await asyncio.gather(*(platform.drain(DRAIN_WITHIN) for platform in self.there))
                await bot.runner.close(DRAIN_WITHIN)
