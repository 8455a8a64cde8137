"""A Twitch and a Discord on loopback with a crowd in both, in a process of its own, so that it does not share the bot's loop.

Started, it prints where it is; then each line it is given is one order, and each answer is one line, all of it JSON:
`{"do": "chat", "seconds": S, "rate": R}` lets the crowd write and tells of each word how often it was written; `{"do": "end"}`
tells what came in from the bot and leaves.

A message says when it should have come, so that neither a stall of the bot nor one of this process is forgiven. Some come
twice, as Twitch sends them: under the same id, and under another one. Now and then Twitch moves its socket, and Discord
drops its.
"""

import asyncio
import json
import random
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bot.services.twitch import METHODS
from tests.servers.discord import TOKEN, DiscordServer, user
from tests.servers.twitch import FakeTwitch, chat_message

CHAT: Final = "channel.chat.message"
SCOPES: Final = ("user:read:chat", *sorted({scope for method in METHODS for scope in method.scopes}))
VIEWERS: Final = 5_000
MEMBERS: Final = 200
POSTS: Final = 5
"""What a channel of Discord takes in five seconds."""
ON_TWITCH: Final = 0.75
"""The part of all messages that is written there."""
AGAIN: Final = 0.02
"""The part of Twitch's messages that it tells of twice under one id; half as many come again under another."""
TROUBLE_EVERY: Final = 12.0
STAMP: Final = re.compile(r"(\d+)@(\d+)")
"""A message's number, and when it should have come, in nanoseconds of the machine's own clock."""
_KEPT: Final = 2_000

TALK: Final = (
    "hello there",
    "RAID RAID RAID",
    "lol",
    "what is this game",
    "gg",
    "o7 from the raid",
    "PogChamp",
    "nice one",
)
WORDS: Final = {
    "twitch": {
        **dict.fromkeys(("!a", "!b", "!c", "!d", "!e", "!f", "!g"), 2.0),
        "!later": 1.0,
        "!spam": 2.0,
        "!hype": 5.0,
        "!tell": 0.2,
        "!info": 3.0,
    },
    "discord": {**dict.fromkeys(("!a", "!b", "!c", "!d"), 3.0), "!later": 1.0, "!hype": 1.0, "!tell": 1.0},
}
"""Words that start something, with how many of a hundred messages say them; the rest of the messages is talk."""


@dataclass
class Written:
    """What the crowd wrote.

    Attributes:
        words: How often each word that starts something was written, by platform.
        stamped: The numbers of the messages that something has to be done about once each, by word.
        late: Milliseconds by which this process wrote later than it should, of 99 in 100 at most.
    """

    sent: int = 0
    words: Counter[str] = field(default_factory=Counter)
    stamped: dict[str, list[int]] = field(default_factory=dict)
    late: float = 0.0
    moves: int = 0
    drops: int = 0


class Crowd:
    """Everybody who writes.

    Args:
        chance: Decides who writes what.
    """

    def __init__(self, twitch: FakeTwitch, discord: DiscordServer, chance: random.Random) -> None:
        self._twitch = twitch
        self._discord = discord
        self._chance = chance
        self._members = [discord.add_member(user(f"member{number}")) for number in range(MEMBERS)]

    async def chat(self, seconds: float, rate: float) -> Written:
        """Write for so many seconds, so many messages a second at irregular times."""
        written, late = Written(), list[float]()
        began, due = time.monotonic(), 0.0
        trouble = asyncio.create_task(self._trouble(written))
        while due < seconds:
            if (ahead := began + due - time.monotonic()) > 0:
                await asyncio.sleep(ahead)
            late.append(time.monotonic() - began - due)
            await self._write(written, began + due)
            due += self._chance.expovariate(rate)
        trouble.cancel()
        written.late = sorted(late)[int(len(late) * 0.99)] * 1_000
        return written

    async def _write(self, written: Written, due: float) -> None:
        platform = "twitch" if self._chance.random() < ON_TWITCH else "discord"
        stamp = f"{written.sent}@{int(due * 1e9)}"
        word = self._word(platform)
        text = self._chance.choice(TALK) if word is None else f"{word} {stamp}"
        if word is not None:
            key = f"{platform} {word}"
            written.words[key] += 1
            if word in ("!spam", "!hype", "!tell"):
                written.stamped.setdefault(key, []).append(written.sent)
        written.sent += 1
        if platform == "twitch":
            await self._on_twitch(text, stamp)
        else:
            await self._on_discord(text)

    def _word(self, platform: str) -> str | None:
        drawn = self._chance.random() * 100
        for word, share in WORDS[platform].items():
            drawn -= share
            if drawn < 0:
                return word
        return None

    async def _on_twitch(self, text: str, stamp: str) -> None:
        number = self._chance.randrange(VIEWERS)
        said = chat_message(text, id=stamp, user=str(1_000 + number), login=f"viewer{number}")
        session = self._twitch.session_of(CHAT)
        id = await self._twitch.notify(CHAT, said, session=session)
        drawn = self._chance.random()
        if drawn < AGAIN:
            await self._twitch.notify(CHAT, said, session=session, id=id)
        elif drawn < AGAIN * 1.5:
            await self._twitch.notify(CHAT, said, session=session)

    async def _on_discord(self, text: str) -> None:
        await self._discord.say(self._chance.choice(self._members), text)
        kept = self._discord.messages[self._discord.general]
        while len(kept) > _KEPT:
            del kept[next(iter(kept))]
        del self._discord.session.sent[:-_KEPT]

    async def _trouble(self, written: Written) -> None:
        while True:
            await asyncio.sleep(TROUBLE_EVERY / 2)
            await self._twitch.move(self._twitch.session_of(CHAT))
            written.moves += 1
            await asyncio.sleep(TROUBLE_EVERY / 2)
            await self._discord.drop()
            written.drops += 1


def came_in(twitch: FakeTwitch, discord: DiscordServer) -> dict[str, Any]:
    """What the bot did, as it was seen here: the numbers of the messages it did it for."""
    said = [call.body["message"] for call in twitch.made("POST", "chat/messages")]
    deleted = [call.query["message_id"][0] for call in twitch.made("DELETE", "moderation/chat")]
    posts = discord.made("POST", rf"/channels/{discord.general}/messages")
    return {
        "said": _numbers(said),
        "informed": sum(STAMP.search(text) is None for text in said),
        "deleted": _numbers(deleted),
        "posted": _numbers([call.body["content"] for call in posts if not call.turned_away]),
        "turned_away": sum(call.turned_away for call in posts),
    }


def _numbers(texts: list[str]) -> list[int]:
    return [int(found[1]) for text in texts for found in STAMP.finditer(text)]


async def _serve() -> None:
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    async with FakeTwitch() as twitch:
        twitch.echoes = True
        discord = await DiscordServer().start()
        discord.posts = POSTS
        crowd = Crowd(twitch, discord, random.Random(1))
        settings = {
            "twitch.client_id": "client",
            "twitch.api_base": twitch.api_base,
            "twitch.id_base": twitch.id_base,
            "twitch.eventsub_url": twitch.eventsub_url,
            **discord.settings,
        }
        pairs = {key: [*twitch.grant(id, *SCOPES)] for key, id in (("bot", "2"), ("broadcaster", "1"))}
        _say({"settings": settings, "pairs": pairs, "scopes": SCOPES, "discord": TOKEN})
        while order := json.loads(await orders.readline() or "null"):
            match order["do"]:
                case "wait":
                    await twitch.subscribed(CHAT)
                    await discord.until(lambda: discord.commands, within=30)
                    _say({})
                case "chat":
                    _say(vars(await crowd.chat(order["seconds"], order["rate"])))
                case _:
                    _say(came_in(twitch, discord))
                    break
        await discord.stop()


def _say(what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
