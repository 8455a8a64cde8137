"""Conversations on both platforms of one bot at once, each line answered where it was said.

Each file in `transcripts/two_sides/` is one. `[settings]` is what is set before; a line says what is typed and what comes of it:

    on         "twitch" or "discord"               has      phrases in the answer there
    channel    of Discord; #general if left out    twitch   how what is told in the Twitch chat begins, which answers nobody
    as         who; `badges` are worn on Twitch    discord  likewise in #mods of Discord
    in         what is typed                       file     name of the file that is posted there with it
    press      the button pressed instead,         holds    phrases in that file
               under what was answered last        times    how often it is typed

Nothing else may be said anywhere.
"""

import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.equipment import Equipment
from bot.platforms import DiscordThere
from tests.discord.conftest import QUICK
from tests.discord.conftest import discord as discord  # a fixture
from tests.discord.conftest import equipped as equipped  # a fixture
from tests.on_air import CHAT, OnAir, in_no_time, on_air, set_up
from tests.servers.discord import DiscordServer, buttons, user
from tests.servers.twitch import FakeTwitch, chat_message

FOLDER = Path(__file__).parent / "transcripts" / "two_sides"
BADGES: Mapping[str, Sequence[str]] = {"mod": ("moderator",), "streamer": ("broadcaster",)}
LINE_KEYS = {"on", "channel", "as", "badges", "in", "press", "has", "twitch", "discord", "file", "holds", "times"}
MODS = "mods"

Line = Mapping[str, Any]


class Stage:
    """One conversation."""

    def __init__(self, air: OnAir) -> None:
        self.air = air
        self.number = 0
        self.last: Mapping[str, Any] = {}
        self.told: dict[str, list[str]] = {"twitch": [], "discord": []}

    async def play(self, line: Line) -> None:
        assert set(line) <= LINE_KEYS, f"a line has no {sorted(set(line) - LINE_KEYS)}"
        for _ in range(line.get("times", 1)):
            say: Callable[[Line], Awaitable[str]] = getattr(self, "_press" if "press" in line else f"_on_{line['on']}")
            answer = await say(line)
            for phrase in line.get("has", ()):
                assert phrase in answer, f"{line}: {answer}"
            for side in self.told:
                self.told[side] += line.get(side, ())
                await self.air.discord.until(lambda side=side: len(self.heard(side)) >= len(self.told[side]))
                begun = [text[: len(told)] for text, told in zip(self.heard(side), self.told[side], strict=True)]
                assert begun == self.told[side], str(line)
        if "file" in line:
            (sent,) = self.aside()[-1]["attachments"]
            assert sent["filename"] == line["file"]
            written = self.air.discord.uploads[sent["url"].rpartition("/")[2]].decode()
            assert [phrase for phrase in line["holds"] if phrase not in written] == []

    def heard(self, side: str) -> list[str]:
        """What is told on a side that answers nobody."""
        if side == "discord":
            return [message["content"].replace("\\", "") for message in self.aside()]
        sent = self.air.twitch.made("POST", "chat/messages")
        return [call.body["message"] for call in sent if "reply_parent_message_id" not in call.body]

    def aside(self) -> list[Any]:
        """What was posted for moderators by itself."""
        channel = self._channel(MODS)
        posts = self.air.discord.made("POST", f"/channels/{channel}/messages")
        answers = {call.body["nonce"] for call in posts if call.body.get("message_reference")}
        return [message for message in self.air.discord.said(channel) if message.get("nonce") not in answers]

    async def _on_twitch(self, line: Line) -> str:
        self.number += 1
        id, login = f"typed-{self.number}", line["as"]
        badges = BADGES.get(login, line.get("badges", ()))
        number = str(100 + sum(map(ord, login)))
        await self.air.twitch.notify(CHAT, chat_message(line["in"], id=id, login=login, user=number, badges=badges))

        def answers() -> list[str]:
            sent = self.air.twitch.made("POST", "chat/messages")
            return [call.body["message"] for call in sent if call.body.get("reply_parent_message_id") == id]

        await self.air.twitch.until(answers)
        return " ".join(answers())

    async def _on_discord(self, line: Line) -> str:
        channel = self._channel(line.get("channel", "general"))
        id = await self.air.discord.say(self._member(line["as"]), line["in"], channel)

        def answers() -> list[Any]:
            posts = self.air.discord.made("POST", f"/channels/{channel}/messages")
            nonces = [call.body["nonce"] for call in posts if _answered(call.body) == id]
            return [message for message in self.air.discord.said(channel) if message.get("nonce") in nonces]

        found = await self.air.discord.until(answers)
        self.last = found[-1]
        return " ".join(map(_shown, found))

    async def _press(self, line: Line) -> str:
        used = await self.air.discord.click(self._member(line["as"]), self.last, buttons(self.last)[line["press"]])
        return " ".join(map(_shown, await self.air.discord.until(lambda: used.followups)))

    def _channel(self, name: str) -> str:
        return next(id for id, channel in self.air.discord.channels.items() if channel["name"] == name)

    def _member(self, name: str) -> Any:
        return next(each["user"] for each in self.air.discord.members.values() if each["user"]["username"] == name)


def _answered(body: Mapping[str, Any]) -> str | None:
    reference = body.get("message_reference")
    return None if reference is None else str(reference["message_id"])


def _shown(message: Mapping[str, Any]) -> str:
    cards = " ".join(str(card.get("description")) for card in message.get("embeds") or ())
    return f"{message.get('content') or ''} {cards}".replace("\\", "").replace("`", "")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
async def test_a_conversation_on_two_sides_goes_as_it_was_written(
    path: Path, discord: DiscordServer, tmp_path: Path, equipped: Equipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_no_time(monkeypatch)
    monkeypatch.setattr(DiscordThere, "pace", QUICK)
    script = tomllib.loads(path.read_text(encoding="utf-8"))
    discord.add_channel(MODS)
    discord.add_member(user("eve"))
    async with AsyncExitStack() as stack:
        twitch = await stack.enter_async_context(FakeTwitch())
        folder = await set_up(tmp_path / "data", twitch, discord, script["settings"])
        stage = Stage(await on_air(stack, folder, equipped, twitch, discord))
        for line in script["line"]:
            await stage.play(line)
