"""Both platforms in one bot: workflows that hear on one and act on the other, and one that is gone does not take the other along."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

import bot.twitch.client
from bot.app import Bot, open_bot
from bot.config import DataFolder, Settings, with_value
from bot.equipment import Equipment
from bot.log import log_to
from bot.platforms import DISCORD, DiscordThere, Platforms
from bot.services.twitch import METHODS
from bot.tokens import Token, TokenFile
from bot.twitch.client import BOT, BROADCASTER
from engine.ports import Batch
from storage.sqlite import SQLiteStore
from tests.discord.conftest import QUICK
from tests.servers.discord import TOKEN, DiscordServer, buttons
from tests.servers.twitch import FakeTwitch, chat_message

CHAT = "channel.chat.message"
SCOPES = ("user:read:chat", *{scope for method in METHODS for scope in method.scopes})
RAID = {
    "from_broadcaster_user_id": "3",
    "from_broadcaster_user_login": "ninja",
    "from_broadcaster_user_name": "Ninja",
    "to_broadcaster_user_id": "1",
    "to_broadcaster_user_login": "streamer",
    "to_broadcaster_user_name": "Streamer",
    "viewers": 12,
}


class Both:
    """One bot on two platforms."""

    def __init__(self, bot: Bot, twitch: FakeTwitch, discord: DiscordServer) -> None:
        self.bot = bot
        self.twitch = twitch
        self.discord = discord

    def said(self) -> list[str]:
        """What the bot said in the Twitch chat."""
        return [call.body["message"] for call in self.twitch.made("POST", "chat/messages")]

    def posted(self) -> list[str]:
        """What it wrote in Discord."""
        return [message["content"] for message in self.discord.said()]

    async def in_discord(self, text: str) -> str:
        """A moderator writes in Discord, and is answered."""
        before = len(self.posted())
        await self.discord.say(self.discord.mo, text)
        return str((await self.discord.until(lambda: self.posted()[before:]))[0])

    async def in_twitch(self, text: str) -> str:
        """A moderator writes in the Twitch chat, and is answered."""
        before = len(self.said())
        message = chat_message(text, id=f"typed-{before}", login="mod", user="5", badges=("moderator",))
        await self.twitch.notify(CHAT, message)
        await self.twitch.until(lambda: self.said()[before:])
        return self.said()[before]


@pytest.fixture
async def both(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Both]:
    monkeypatch.setattr(bot.twitch.client, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(DiscordThere, "pace", QUICK)
    folder = DataFolder(tmp_path / "data")
    folder.make()
    async with AsyncExitStack() as stack:
        twitch = await stack.enter_async_context(FakeTwitch())
        tokens = TokenFile.open(folder.path)
        tokens.put(BOT, Token(*twitch.grant("2", *SCOPES), SCOPES))
        tokens.put(BROADCASTER, Token(*twitch.grant("1", *SCOPES), SCOPES))
        tokens.put(DISCORD, Token(TOKEN))
        given = {
            "twitch.client_id": "client",
            "twitch.api_base": twitch.api_base,
            "twitch.id_base": twitch.id_base,
            "twitch.eventsub_url": twitch.eventsub_url,
            "discord.api_base": discord.api_base,
            "discord.gateway_url": discord.gateway_url,
        }
        settings, records = Settings(), []
        for key, value in given.items():
            settings, record = with_value(settings, key, value, secret=False)
            records.append(record)
        async with await SQLiteStore.open(folder.database) as store:
            await store.commit(Batch(config=records))
        platforms = Platforms(TokenFile.open(folder.path))
        opened = await open_bot(
            stack,
            folder,
            log_to(folder.log),
            equipment=equipped,
            virtual=False,
            on_attempt=lambda _: None,
            notice=lambda _: None,
            abroad=platforms.abroad,
        )
        await stack.enter_async_context(platforms.running(opened))
        await twitch.subscribed(CHAT)
        await discord.until(lambda: discord.commands)
        yield Both(opened, twitch, discord)


async def test_a_workflow_written_on_either_side_hears_on_one_and_acts_on_both(both: Both):
    await both.in_twitch(
        '!wf when someone raids with more than 5 viewers, say "welcome ${user}!", '
        'then post "${user} came with ${viewers}" in #general'
    )
    await both.in_discord('!wf when someone reacts with "🎉" in discord, say "party!"')
    await both.twitch.subscribed("channel.raid")
    await both.twitch.notify("channel.raid", RAID)
    await both.discord.until(lambda: [text for text in both.posted() if text.endswith("came with 12")])
    await both.discord.react(both.discord.viewer, both.discord.said()[-1]["id"], "🎉")
    await both.twitch.until(lambda: "party!" in both.said())

    assert [text for text in both.said() if text in ("welcome Ninja!", "party!")] == ["welcome Ninja!", "party!"]
    assert len([text for text in both.posted() if text.endswith("came with 12")]) == 1


async def test_what_was_written_on_one_side_is_read_and_taken_back_on_the_other(both: Both):
    await both.in_twitch('!wf when someone raids, say "welcome!"')

    assert "raid" in await both.in_discord("!wf list")
    assert "That was Mod's change" in await both.in_discord("!wf undo raid")
    asked = both.discord.said()[-1]
    used = await both.discord.click(both.discord.mo, asked, buttons(asked)["Yes"])
    await both.discord.until(lambda: used.followups)
    assert both.bot.conversation.catalogue.there() == ()


async def test_a_discord_that_is_gone_leaves_twitch_alone_and_is_there_again_by_itself(both: Both):
    await both.discord.stop()
    assert "Created" in await both.in_twitch('!wf when someone raids, say "welcome!"')
    sessions, resumed = len(both.discord.sessions), len(both.discord.resumed)
    await both.discord.start()
    await both.discord.until(
        lambda: len(both.discord.sessions) > sessions or len(both.discord.resumed) > resumed, within=30
    )

    assert "raid" in await both.in_discord("!wf list")
