"""`showcaller run` on Discord, as a process: it is killed, told to end, and shows no token."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.config import DataFolder, Settings, with_value
from bot.platforms import DISCORD
from bot.tokens import Token, TokenFile
from engine.ports import Batch
from storage.sqlite import SQLiteStore
from tests.servers.discord import TOKEN, DiscordServer

WITHIN = 60.0


@pytest.fixture
async def folder(discord: DiscordServer, tmp_path: Path) -> DataFolder:
    """What a set-up leaves behind."""
    made = DataFolder(tmp_path / "data")
    made.make()
    TokenFile.open(made.path).put(DISCORD, Token(TOKEN))
    settings, records = Settings(), []
    for key, value in discord.settings.items():
        settings, record = with_value(settings, key, value, secret=False)
        records.append(record)
    async with await SQLiteStore.open(made.database) as store:
        await store.commit(Batch(config=records))
    return made


@asynccontextmanager
async def program(discord: DiscordServer, folder: DataFolder) -> AsyncIterator[asyncio.subprocess.Process]:
    """The bot as a process, connected."""
    sessions = len(discord.sessions)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", "--data", str(folder.path),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip
    try:
        await discord.until(lambda: len(discord.sessions) > sessions and discord.commands, WITHIN)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def tell(discord: DiscordServer, text: str) -> dict[str, Any]:
    """The owner writes, and is answered."""
    before = len(discord.said())
    await discord.say(discord.owner, text)
    return dict(await discord.until(lambda: discord.said()[before:] and discord.said()[before], WITHIN))


def texts(discord: DiscordServer) -> list[str]:
    return [message["content"] for message in discord.said()]


@pytest.mark.slow  # it starts the program twice
@pytest.mark.timeout(200)
async def test_a_wait_outlives_a_kill_and_every_post_is_made_once(discord: DiscordServer, folder: DataFolder):
    async with program(discord, folder) as process:
        await tell(
            discord,
            '!wf create tea: when someone types !tea in discord, post "brewing" in #general, '
            'wait 2 seconds, post "tea is ready" in #general',
        )
        # The post is made, and the bot is killed before it hears of it.
        discord.plan("POST", r"/channels/\d+/messages", 500, after=True, text="brewing", times=10)
        await discord.say(discord.viewer, "!tea")
        await discord.until(lambda: "brewing" in texts(discord), WITHIN)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    discord.forget_plans()

    async with program(discord, folder) as process:
        await discord.until(lambda: "tea is ready" in texts(discord), WITHIN)
        process.send_signal(signal.SIGTERM)
        out, err = await process.communicate()

    assert process.returncode == 0
    assert texts(discord).count("brewing") == 1
    assert texts(discord).count("tea is ready") == 1
    written = out.decode() + err.decode() + folder.log.read_text()
    assert "Leaving" in written
    assert TOKEN not in written
    assert TOKEN not in str(texts(discord))
