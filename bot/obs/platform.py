"""OBS as a platform that is kept connected: one attempt makes one connection, and the bot goes on without it."""

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Protocol

from bot.config import COMMUNITY, DataFolder, Settings
from bot.obs.connection import Connection, NoObs
from bot.obs.errors import AuthFailed, ObsError
from bot.obs.hearing import Hearing, House
from bot.obs.link import Link
from bot.obs.options import HOST, PORT, Options, options_of
from bot.obs.service import ObsService
from bot.services.obs import METHODS
from bot.snapshots import Snapshots
from bot.supervise import Line, NotThere, Supervisor
from bot.tokens import TokenFile
from engine.declare import Declarations
from engine.wording import counted

log = logging.getLogger(__name__)

PASSWORD: Final = "obs.password"
"""Under this its password is kept."""
OPEN_WITHIN: Final = 8.0
LONGEST_PAUSE: Final = 30.0
REFUSED_PAUSE: Final = 30.0
"""Seconds until a password that was not taken is tried again; somebody may have put it right in OBS."""
PULSE_EVERY: Final = 10.0
"""Seconds between two looks at whether it still answers."""
PULSE_WITHIN: Final = 10.0
_CHANCE: Final = random.SystemRandom().random


async def tried(options: Options, password: str) -> str:
    """Connect once; tells what answers, as a sentence.

    Raises:
        ObsError: It does not take the password, or breaks off.
        NoObs: There is none.
    """
    connection = await Connection.open(options.url, password, lambda *_: None, OPEN_WITHIN)
    try:
        version = (await connection.ask("GetVersion")).get("obsVersion", "")
        scenes = (await connection.ask("GetSceneList")).get("scenes", ())
    finally:
        await connection.close()
    return f"OBS {version} answers; it has {counted(len(scenes), 'scene')}."


class _Opening(Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def folder(self) -> DataFolder: ...
    @property
    def clock(self) -> Any: ...
    @property
    def notice(self) -> Callable[[str], None]: ...


class _Bot(House, Protocol):
    def local(self, moment: float) -> datetime: ...


class ObsPlatform:
    """OBS, set up.

    Args:
        opening: What the bot begins with.
        tokens: Where the password is.
        pulse: Seconds between two looks at whether it still answers.
        pulse_within: Seconds in which it has to answer then.
    """

    def __init__(
        self, opening: _Opening, tokens: TokenFile, pulse: float = PULSE_EVERY, pulse_within: float = PULSE_WITHIN
    ) -> None:
        self._opening = opening
        self._tokens = tokens
        self._pulse = pulse
        self._pulse_within = pulse_within
        self._settings: Callable[[], Settings] = lambda: opening.settings
        self._link = Link()
        self._bot: House | None = None
        self.service = ObsService(
            Declarations(METHODS),
            self._link,
            lambda: options_of(self._settings().values),
            Snapshots(opening.folder.snapshots),
        )

    @classmethod
    def set_up(cls, opening: _Opening, tokens: TokenFile) -> "ObsPlatform | None":
        """OBS, if somebody has set it up."""
        known = PASSWORD in tokens.tokens or HOST in opening.settings.values or PORT in opening.settings.values
        return cls(opening, tokens) if known else None

    def granted(self) -> None:
        """Whoever has the password may do everything."""

    def unheard(self) -> Mapping[str, Collection[str]]:
        """It tells everything."""
        return {}

    def supervisor(self, bot: _Bot) -> Supervisor:
        """Keeps it connected, and lets the bot hear."""
        self._bot = bot
        self._settings = lambda: bot.settings
        return Supervisor(
            "OBS",
            self.attempt,
            now=self._opening.clock.now,
            local=bot.local,
            notice=self._opening.notice,
            chance=_CHANCE,
            longest=LONGEST_PAUSE,
        )

    async def drain(self, within: float) -> None:
        """What it tells is small; there is nothing to wait for."""

    async def attempt(self, line: Line) -> None:
        """Be connected as long as it lasts.

        Raises:
            NotThere: It could not be reached, or is gone.
        """
        if self._bot is None:
            raise RuntimeError("there is no bot to hear it")
        options = options_of(self._bot.settings.values)
        token = self._tokens.tokens.get(PASSWORD)
        hearing = Hearing(self._bot, COMMUNITY)
        try:
            connection = await Connection.open(
                options.url, "" if token is None else token.access, self._telling(hearing), OPEN_WITHIN
            )
        except AuthFailed:
            why = "it does not take the password; put in the right one with: showcaller setup obs"
            line.down(why)
            await asyncio.sleep(REFUSED_PAUSE)
            raise NotThere(why) from None
        except NoObs as error:
            raise NotThere(str(error)) from None
        try:
            await self._while_it_lasts(connection, hearing, line)
        finally:
            self._link.closed()
            line.down("the connection ended")
            await connection.close()
        await hearing.empty()
        await hearing.tell("obs.disconnected", {})
        raise NotThere("it was closed" if hearing.closing else "the connection was lost")

    def _telling(self, hearing: Hearing) -> Callable[[str, Mapping[str, Any]], None]:
        def heard(kind: str, data: Mapping[str, Any]) -> None:
            self._link.heard(kind, data)
            hearing.heard(kind, data)

        return heard

    async def _while_it_lasts(self, connection: Connection, hearing: Hearing, line: Line) -> None:
        try:
            await hearing.settle_in(connection)
        except ObsError as error:
            raise NotThere(str(error)) from None
        self._link.opened(connection)
        line.up()
        await hearing.tell("obs.connected", {})
        works = {
            asyncio.create_task(work)
            for work in (connection.ended(), self._answers(connection), hearing.run(), hearing.keep_names())
        }
        try:
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for work in works:
                work.cancel()
            await asyncio.wait(works)
        for work in done:
            work.result()

    async def _answers(self, connection: Connection) -> None:
        """Return once it does not answer any more; one that hangs keeps its connection open."""
        with suppress(ObsError):
            while True:
                await asyncio.sleep(self._pulse)
                await connection.ask("GetStudioModeEnabled", within=self._pulse_within)
