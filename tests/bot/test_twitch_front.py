"""What is heard on Twitch when more comes than can be handled."""

import asyncio
from typing import Any

import pytest

from bot.drops import TELL_EVERY
from bot.message import Message
from bot.twitch import front
from bot.twitch.front import CHAT, Front
from bot.twitch.subscriptions import Accounts
from bot.twitch.wire import Notification
from engine.events import Event
from tests.servers.twitch import chat_message


class Quiet:
    """A connection that asks nothing, a voice that says nothing, and a bot that takes its time to hear."""

    accounts = Accounts("1", "2")
    replies = ()

    settings = None

    @property
    def store(self) -> Any:
        return self

    async def seen(self, _: str, keys: Any, __: float) -> Any:
        return keys

    async def remember(self, keys: Any) -> None:
        """Nothing."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.goes_on = asyncio.Event()

    async def hear(self, message: Message) -> Any:
        await self.goes_on.wait()
        self.heard.append(message.id)
        return self

    def own(self, text: str, id: str, *, shared: bool) -> tuple[str, ...]:
        return ()

    async def happen(self, event: Event) -> None:
        self.heard.append(event.name)


async def test_of_a_flood_that_is_too_much_all_that_is_left_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "MOST_AT_ONCE", 3)
    told: list[str] = []
    quiet: Any = Quiet()
    time = 0.0
    twitch = Front(quiet, quiet, quiet, community="home", now=lambda: time, notice=told.append)

    for number in range(6):
        twitch.heard(Notification(f"n{number}", CHAT, 0.0, chat_message("hello", id=f"m{number}")))
    time += TELL_EVERY
    twitch.heard(Notification("n6", CHAT, 0.0, chat_message("hello", id="m6")))
    quiet.goes_on.set()
    twitch.heard(Notification("n7", CHAT, 0.0, chat_message("hello", id="m7")))
    await twitch.drain(5.0)

    assert quiet.heard == ["m0", "m1", "m2"]
    assert told == [
        "1 message from Twitch was left out: more came than I can handle.",
        "3 messages from Twitch were left out: more came than I can handle.",
        "1 message from Twitch was left out: more came than I can handle.",
    ]


async def test_a_flood_in_the_chat_costs_no_redemption_and_no_line_that_twitch_repeats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(front, "MOST_AT_ONCE", 2)
    quiet: Any = Quiet()
    twitch = Front(quiet, quiet, quiet, community="home", now=lambda: 0.0, notice=lambda _: None)
    lines = [Notification(f"n{number}", CHAT, 0.0, chat_message("hello", id=f"m{number}")) for number in range(3)]
    redeemed = {"id": "r1", "reward": {"title": "Hydrate"}}

    for line in lines:
        twitch.heard(line)
    twitch.heard(Notification("n8", "channel.channel_points_custom_reward_redemption.add", 0.0, redeemed))
    quiet.goes_on.set()
    for _ in range(20):
        await asyncio.sleep(0)
    for line in lines:
        twitch.heard(line)
    await twitch.drain(5.0)

    assert sorted(quiet.heard) == ["m0", "m1", "m2", "reward.redeemed"]


@pytest.mark.parametrize("badges", [("moderator",), ("vip",), ()])
async def test_the_bot_is_as_fast_as_its_own_last_message_lets_it_be(badges: tuple[str, ...]) -> None:
    quiet: Any = Quiet()
    quiet.moderator = not badges
    twitch = Front(quiet, quiet, quiet, community="home", now=lambda: 0.0, notice=lambda _: None)

    twitch.heard(Notification("n1", CHAT, 0.0, chat_message("hi", login="bot", user="2", badges=badges)))
    await twitch.drain(5.0)

    assert quiet.moderator is ("moderator" in badges)
