"""The whole bot as it runs on its platforms: Twitch and Discord on loopback, and whatever else is set up."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

import bot.twitch.client
import bot.twitch.sending
from bot.app import Bot, open_bot
from bot.config import DataFolder, Settings, with_value
from bot.equipment import Equipment
from bot.log import log_to
from bot.platforms import DISCORD, Platforms
from bot.services.twitch import METHODS
from bot.tokens import Token, TokenFile
from bot.twitch.client import BOT, BROADCASTER
from engine.ports import Batch
from storage.sqlite import SQLiteStore
from tests.servers.discord import TOKEN, DiscordServer
from tests.servers.twitch import FakeTwitch, chat_message

CHAT = "channel.chat.message"
SCOPES = ("user:read:chat", *{scope for method in METHODS for scope in method.scopes})


def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the bot look often, and talk as fast as it can: what Twitch takes in how many seconds is shown elsewhere."""
    monkeypatch.setattr(bot.twitch.client, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(bot.twitch.sending, "BETWEEN", 0.01)
    monkeypatch.setattr(bot.twitch.sending, "NORMAL", 1_000)


@dataclass(frozen=True)
class OnAir:
    """One bot on its platforms."""

    bot: Bot
    twitch: FakeTwitch
    discord: DiscordServer
    notices: list[str]

    def said(self) -> list[str]:
        """What the bot said in the Twitch chat."""
        return [call.body["message"] for call in self.twitch.made("POST", "chat/messages")]

    def posted(self) -> list[str]:
        """What it wrote in Discord."""
        return [message["content"] for message in self.discord.said()]

    async def in_discord(self, text: str, person: object = None) -> str:
        """Somebody, a moderator if not said otherwise, writes in Discord, and is answered."""
        before = len(self.posted())
        await self.discord.say(self.discord.mo if person is None else person, text)
        return str((await self.discord.until(lambda: self.posted()[before:]))[0])

    async def in_twitch(self, text: str) -> str:
        """A moderator writes in the Twitch chat, and is answered."""
        before = len(self.said())
        message = chat_message(text, id=f"typed-{before}", login="mod", user="5", badges=("moderator",))
        await self.twitch.notify(CHAT, message)
        await self.twitch.until(lambda: self.said()[before:])
        return self.said()[before]


async def set_up(
    path: Path,
    twitch: FakeTwitch,
    discord: DiscordServer,
    settings: Mapping[str, str | float] | None = None,
    tokens: Mapping[str, Token] | None = None,
) -> DataFolder:
    """A data folder in which everything is set up."""
    folder = DataFolder(path)
    folder.make()
    kept = TokenFile.open(folder.path)
    kept.put(BOT, Token(*twitch.grant("2", *SCOPES), SCOPES))
    kept.put(BROADCASTER, Token(*twitch.grant("1", *SCOPES), SCOPES))
    kept.put(DISCORD, Token(TOKEN))
    for key, token in (tokens or {}).items():
        kept.put(key, token)
    given = {
        "twitch.client_id": "client",
        "twitch.api_base": twitch.api_base,
        "twitch.id_base": twitch.id_base,
        "twitch.eventsub_url": twitch.eventsub_url,
        **discord.settings,
        **(settings or {}),
    }
    known, records = Settings(), []
    for key, value in given.items():
        known, record = with_value(known, key, value, secret=False)
        records.append(record)
    async with await SQLiteStore.open(folder.database) as store:
        await store.commit(Batch(config=records))
    return folder


async def on_air(
    stack: AsyncExitStack, folder: DataFolder, equipped: Equipment, twitch: FakeTwitch, discord: DiscordServer
) -> OnAir:
    """The bot of that folder, connected to Twitch and Discord; the stack closes it."""
    platforms = Platforms(TokenFile.open(folder.path))
    notices: list[str] = []
    opened = await open_bot(
        stack,
        folder,
        log_to(folder.log),
        equipment=equipped,
        virtual=False,
        on_attempt=lambda _: None,
        notice=notices.append,
        abroad=platforms.abroad,
    )
    await stack.enter_async_context(platforms.running(opened))
    await twitch.subscribed(CHAT)
    await discord.until(lambda: discord.commands)
    return OnAir(opened, twitch, discord, notices)
