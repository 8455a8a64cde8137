"""The web server as a platform: switched on by a setting, kept up by a supervisor, and told what it needs of the bot."""

import asyncio
import logging
import random
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from bot import config, happenings
from bot.config import COMMUNITY, DataFolder, Settings
from bot.supervise import GivesUp, Line, Standing, Supervisor
from bot.web.options import TOKEN, Options, options_of
from bot.web.overlay.media import Media
from bot.web.overlay.pages import Pages
from bot.web.overlay.service import OverlayService
from engine.errors import EngineError
from engine.events import Event
from engine.ports import ConfigRecord, Service, Store
from engine.runner import Posted

log = logging.getLogger(__name__)

_CHANCE: Final = random.SystemRandom().random
_STORE_WITHIN: Final = 2.0
"""Seconds after which a store that does not answer counts as not there."""


class _Opening(Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Any: ...
    @property
    def notice(self) -> Callable[[str], None]: ...
    @property
    def folder(self) -> DataFolder: ...


class _Bot(Protocol):
    @property
    def settings(self) -> Settings: ...
    def local(self, moment: float) -> datetime: ...
    def happen(self, event: Event) -> Awaitable[Posted]: ...
    def set(self, changed: tuple[Settings, ConfigRecord]) -> Awaitable[None]: ...


class WebPlatform:
    """The web server, switched on.

    Args:
        numbers: Everything measured, as text.
        standings: How all platforms stand.
    """

    def __init__(
        self, opening: _Opening, numbers: Callable[[], str], standings: Callable[[], Sequence[Standing]]
    ) -> None:
        self._settings: Callable[[], Settings] = lambda: opening.settings
        self._store = opening.store
        self._now = opening.clock.now
        self._notice = opening.notice
        self._numbers = numbers
        self._standings = standings
        self._bot: _Bot | None = None
        self._pages = Pages()
        self._media = Media(opening.folder.media)
        self.service: Service = OverlayService(self._pages, self._media)

    @classmethod
    def set_up(
        cls, opening: _Opening, numbers: Callable[[], str], standings: Callable[[], Sequence[Standing]]
    ) -> "WebPlatform | None":
        """The web server, if somebody has switched it on."""
        return cls(opening, numbers, standings) if options_of(opening.settings).on else None

    def granted(self) -> None:
        """Nobody grants it anything."""

    def unheard(self) -> Mapping[str, Collection[str]]:
        """It hears of all it could."""
        return {}

    def supervisor(self, bot: _Bot) -> Supervisor:
        """Keeps it up, and lets the bot hear."""
        self._bot = bot
        self._settings = lambda: bot.settings
        return Supervisor(
            "The web server", self._attempt, now=self._now, local=bot.local, notice=self._notice, chance=_CHANCE
        )

    async def drain(self, within: float) -> None:
        """What was asked is answered at once, so nothing is left."""

    @property
    def _options(self) -> Options:
        return options_of(self._settings())

    async def _attempt(self, line: Line) -> None:
        # The library takes long to be imported, and only who serves needs it.
        from bot.web.overlay.routes import routes
        from bot.web.server import Inside, application
        from bot.web.serving import PortTaken, listening, serve

        await self._make_token()
        port = self._options.port
        try:
            listener = listening(port)
        except PortTaken:
            raise GivesUp(f"port {port} is taken by another program. Take another one: web.port.") from None
        line.up()
        inside = Inside(lambda: self._options, self._now, self._hooked, self._healthy, self._numbers)
        await self._name_sounds()
        await serve(application(inside, [routes(self._pages, self._media)]), listener, self._pages.close)

    async def _make_token(self) -> None:
        if self._bot is not None and not self._options.token:
            await self._bot.set(config.with_value(self._settings(), TOKEN, secrets.token_urlsafe(24), secret=True))

    async def _name_sounds(self) -> None:
        """Let the language know the sounds that are there."""
        found = await asyncio.to_thread(self._media.all)
        sounds = tuple(dict.fromkeys(each.name for each in found if each.kind == "sound"))
        if self._bot is not None and sounds and sounds != self._settings().names.sounds:
            await self._bot.set(config.with_names(self._settings(), "sounds", sounds))

    async def _hooked(self, name: str, id: str, said: Any) -> Any:
        """A signed webhook has come in: it is an event, and the same one again is the same event."""
        if self._bot is None:
            return "known"
        fields = {"hook": name, "body": said}
        event = happenings.event(
            "webhook.received", fields, id=f"webhook:{name}:{id}", at=self._now(), community=COMMUNITY
        )
        return "known" if (await self._bot.happen(event)).duplicate else "new"

    async def _healthy(self) -> tuple[bool, Mapping[str, Any]]:
        """Whether the store answers. A platform that is gone comes back by itself, so it makes nobody ill."""
        try:
            async with asyncio.timeout(_STORE_WITHIN):
                await self._store.config(COMMUNITY)
            well = True
        except (EngineError, TimeoutError):
            log.exception("the store does not answer")
            well = False
        platforms = {each.name: {"up": each.up, "since": each.since} for each in self._standings()}
        return well, {"status": "ok" if well else "the store does not answer", "platforms": platforms}
