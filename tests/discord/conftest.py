"""The real bot on a real store, with the real client, connected to a Discord on loopback."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot import config
from bot.app import Bot, equipment, open_bot
from bot.config import COMMUNITY, DataFolder
from bot.discord import addresses, options
from bot.discord.client import Front
from bot.discord.platform import Platform
from bot.discord.settled import Pace
from bot.equipment import Equipment
from bot.log import Redacting
from bot.supervise import Supervisor, supervised
from engine.ports import Service
from engine.runner import Attempt
from tests.servers.discord import TOKEN, DiscordServer

QUICK = Pace(guilds=0.05, heartbeat=60.0, identify=0.01, rate=1.0)


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library waits for by itself before it connects again is drawn from several seconds."""
    monkeypatch.setattr("discord.backoff.ExponentialBackoff.delay", lambda _: 0.02)


@pytest.fixture(scope="session")
def equipped() -> Equipment:
    """The language is built once."""
    return equipment()


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    """A Discord."""
    server = await DiscordServer().start()
    yield server
    await server.stop()
    addresses.use(options.API_BASE, options.GATEWAY_URL)


@dataclass
class Home:
    """A bot and its Discord."""

    bot: Bot
    server: DiscordServer
    platform: Platform
    supervisor: Supervisor
    notices: list[str]
    attempts: list[Attempt]
    pauses: list[float] = field(default_factory=list)

    @property
    def front(self) -> Front:
        """The client of the moment."""
        assert self.platform.client is not None
        return self.platform.client

    async def until(self, holds: Callable[[], Any], within: float = 10.0) -> Any:
        """Wait until something holds."""
        return await self.server.until(holds, within)

    async def up(self) -> None:
        """Wait until it is connected and has settled in."""
        await self.until(lambda: self.supervisor.standing.up and self.server.commands)

    async def tell(self, person: Any, text: str, channel: str | None = None) -> Any:
        """Somebody writes something that is answered: the first answer."""
        before = len(self.server.said(channel))
        await self.server.say(person, text, channel)
        return await self.until(lambda: self.server.said(channel)[before:] and self.server.said(channel)[before])

    async def events(self, name: str) -> list[dict[str, Any]]:
        """What has happened of one kind, oldest first."""
        found = [event for event in await self.bot.store.events(COMMUNITY, 100) if event.name == name]
        return [dict(event.payload) for event in reversed(found)]

    async def event(self, name: str, number: int = 1) -> dict[str, Any]:
        """The nth event of a kind, waited for."""
        for _ in range(400):
            found = await self.events(name)
            if len(found) >= number:
                return found[number - 1]
            await asyncio.sleep(0.01)
        raise AssertionError(f"no {name} came")


Opener = Callable[..., Any]


@asynccontextmanager
async def living(
    server: DiscordServer,
    folder: Path,
    equipped: Equipment,
    *,
    settings: dict[str, str] | None = None,
    pace: Pace = QUICK,
    service: Callable[[Callable[[], Platform]], Service] | None = None,
    token: str = TOKEN,
    sleep: Callable[[float], Awaitable[None]] | None = None,
) -> AsyncIterator[Home]:
    """A bot as it runs, closed in good order."""
    notices: list[str] = []
    attempts: list[Attempt] = []
    pauses: list[float] = []
    held: list[Platform] = []

    async def nap(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0.01)

    data = DataFolder(folder)
    data.make()
    async with AsyncExitStack() as stack:
        bot = await open_bot(
            stack,
            data,
            Redacting(),
            equipment=equipped,
            virtual=False,
            on_attempt=attempts.append,
            notice=notices.append,
            stand_ins=() if service is None else (service(lambda: held[0]),),
        )
        given = {**server.settings, **(settings or {})}
        for key, value in given.items():
            await bot.set(config.with_value(bot.settings, key, value, secret=False))
        platform = Platform(bot, COMMUNITY, token=lambda: token, notice=notices.append, pace=pace)
        held.append(platform)
        supervisor = Supervisor(
            "Discord",
            platform.attempt,
            now=bot.clock.now,
            local=lambda moment: datetime.fromtimestamp(moment, UTC),
            notice=notices.append,
            chance=random.Random(1).random,
            sleep=sleep or nap,
        )
        await stack.enter_async_context(supervised([supervisor]))
        yield Home(bot, server, platform, supervisor, notices, attempts, pauses)


@pytest.fixture
async def home(discord: DiscordServer, tmp_path: Path, equipped: Equipment) -> AsyncIterator[Home]:
    """A bot that is connected."""
    async with living(discord, tmp_path / "data", equipped) as found:
        await found.up()
        yield found
