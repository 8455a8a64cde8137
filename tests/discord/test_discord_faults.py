"""What ends a client of discord.py for good, and that the bot is there again: each fault is one hour of bad luck, met by both.

Where a new version of the library lives through one, the test of the library alone turns red.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import discord as library
import pytest

from bot.discord import addresses
from bot.equipment import Equipment
from tests.discord.conftest import Home, living
from tests.servers.discord import TOKEN, DiscordServer


@dataclass(frozen=True)
class Fault:
    """Something that the library does not live through.

    Attributes:
        before: What is so when it starts.
        during: What happens once it is connected.
        after: What makes it good on the side of Discord.
        ends: With what the library ends.
    """

    name: str
    ends: type[Exception]
    before: Callable[[DiscordServer], Awaitable[object]] | None = None
    during: Callable[[DiscordServer], Awaitable[object]] | None = None
    after: Callable[[DiscordServer], Awaitable[object]] | None = None


async def refuse_the_gateway(server: DiscordServer) -> None:
    """REST answers, the gateway takes nobody."""
    server.accept = False


async def open_the_gateway(server: DiscordServer) -> None:
    """It takes everybody again."""
    server.accept = True


async def say_nonsense(server: DiscordServer) -> None:
    """An event without any of the fields that the library reads."""
    await server.dispatch("MESSAGE_REACTION_ADD", {"nothing": "of use"})


FAULTS = [
    Fault("d1-no-gateway-at-first", AttributeError, before=refuse_the_gateway, after=open_the_gateway),
    Fault("d2-an-event-it-cannot-parse", KeyError, during=say_nonsense),
    Fault("d3-no-discord-at-first", aiohttp.ClientConnectorError, before=DiscordServer.stop, after=DiscordServer.start),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_the_library_alone_ends(fault: Fault, discord: DiscordServer):
    addresses.use(discord.api_base, discord.gateway_url)
    client = library.Client(intents=library.Intents.default())
    if fault.before is not None:
        await fault.before(discord)
    async with client:
        running = asyncio.create_task(client.start(TOKEN))
        if fault.during is not None:
            await discord.until(lambda: discord.identified)
            await fault.during(discord)

        with pytest.raises(fault.ends):
            await asyncio.wait_for(running, 10)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_the_bot_is_there_again_with_a_new_client(
    fault: Fault, discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    if fault.before is not None:
        await fault.before(discord)
    async with living(discord, tmp_path, equipped) as home:
        if fault.during is not None:
            await home.up()
            await fault.during(discord)
        await home.until(lambda: home.pauses)
        if fault.after is not None:
            await fault.after(discord)
        await home.until(lambda: home.supervisor.standing.up)
        await heard(home, "hello")


async def heard(home: Home, text: str) -> None:
    """The bot hears what is said now."""
    await home.server.say(home.server.viewer, text)

    assert (await home.event("discord.message.received"))["message"] == text
