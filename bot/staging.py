"""Puts the services of plugins on their stage: opens them before the bot works, hears of events from them once it does.

One that does not open is left out, one that does not close is left alone; neither keeps the bot from anything. It knows
neither store nor runner.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from logging import getLogger
from typing import Any, Final

from bot import happenings
from bot.config import COMMUNITY, Settings
from bot.equipment import Equipment
from bot.plugins import PluginService, Stage
from engine.clock import SleepingClock
from engine.events import Event

log = getLogger(__name__)

WITHIN: Final = 10.0
"""Real seconds a service gets to open, and to close."""
EARLY_EVENTS: Final = 100
"""Events a service may tell of before the bot is open; they are kept until it is."""


class Staging:
    """The stages of one bot.

    Args:
        clock: The bot's.
        ids: Draws ids for events that have none of their own.
        settings: Those that hold until the bot is open.
    """

    def __init__(self, clock: SleepingClock, ids: Callable[[], str], settings: Settings) -> None:
        self._clock = clock
        self._ids = ids
        self._settings: Callable[[], Settings] = lambda: settings
        self._happen: Callable[[Event], Awaitable[object]] | None = None
        self._early: list[Event] = []

    async def open(self, stack: AsyncExitStack, equipment: Equipment) -> Equipment:
        """Open every service of a plugin; the stack closes them. Tells what is left."""
        for service in equipment.plugins:
            if isinstance(service, PluginService):
                service.stage = self._stage(service)
                why = await _why_not_open(service)
                if why is None:
                    stack.push_async_callback(_close, service)
                else:
                    equipment = equipment.without(service, why)
        return equipment

    async def ready(self, settings: Callable[[], Settings], happen: Callable[[Event], Awaitable[object]]) -> None:
        """The bot is open: what has been told of meanwhile happens now."""
        self._settings = settings
        while self._early:
            await happen(self._early.pop(0))
        self._happen = happen

    def _stage(self, service: PluginService) -> Stage:
        return Stage(
            now=self._clock.now,
            sleep=self._sleep,
            setting=partial(self._setting, service),
            happened=partial(self._happened, service),
        )

    async def _sleep(self, seconds: float) -> None:
        until = self._clock.now() + seconds
        while self._clock.now() < until:
            await self._clock.sleep_until(until)

    def _setting(self, service: PluginService, key: str) -> Any:
        settings, own = self._settings(), f"{service.name}.{key}"
        return settings.secrets.get(own, settings.values.get(own))

    async def _happened(
        self, service: PluginService, name: str, user: str | None, id: str | None, fields: Mapping[str, Any]
    ) -> None:
        if name not in {kind.name for kind in service.events}:
            raise ValueError(f"{service.name} does not declare the event {name!r}")
        about = {} if user is None else {"user": happenings.user_fields(user, ())}
        id = self._ids() if id is None else f"{service.name}:{id}"
        event = happenings.event(name, {**fields, **about}, id=id, at=self._clock.now(), community=COMMUNITY)
        if self._happen is not None:
            await self._happen(event)
        elif len(self._early) < EARLY_EVENTS:
            self._early.append(event)
        else:
            log.warning("%s tells of too much before the bot is open; %s was dropped", service.name, name)


async def _why_not_open(service: PluginService) -> str | None:
    try:
        await asyncio.wait_for(service.opened(), WITHIN)
    except TimeoutError:
        return f"it did not open within {WITHIN:g} seconds"
    except Exception as error:
        log.exception("%s did not open", service.name)
        return f"it did not open: {type(error).__name__}" + (f" ({error})" if str(error) else "")
    return None


async def _close(service: PluginService) -> None:
    try:
        await asyncio.wait_for(service.closed(), WITHIN)
    except Exception:
        log.exception("%s did not close in good order", service.name)
