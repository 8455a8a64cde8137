"""What twitchio does wrong by itself, and that the bot makes it good: each fault is one scenario, seen with both.

Where a new version of the library mends a fault, the test of the library alone turns red. Then the cure can go.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
from twitchio.exceptions import HTTPException

import bot.twitch.client
from tests.desk import Alone, Desk
from tests.servers.twitch import CHAT, FakeTwitch, chat_message

Listener: TypeAlias = Desk | Alone


@dataclass(frozen=True)
class Fault:
    """Something that the library does wrong.

    Attributes:
        happens: Lets it happen and returns what comes of it.
        alone: What comes of it with the library as it is.
        cured: What has to come of it.
    """

    name: str
    happens: Callable[[Listener, FakeTwitch], Awaitable[object]]
    alone: object
    cured: object


async def comes(listener: Listener, holds: Callable[[], object]) -> bool:
    """Whether something comes about, as long as one has to wait for it with that listener."""
    with suppress(TimeoutError):
        async with asyncio.timeout(listener.PATIENCE):
            while not holds():  # noqa: ASYNC110  what it looks at is in three places, none of which tells
                await asyncio.sleep(0.005)
    return bool(holds())


async def told_while_it_moves(listener: Listener, twitch: FakeTwitch) -> list[str]:
    """Things are told to the old place until the new one has been welcomed, and a last one just then."""
    old = twitch.session_of(CHAT)
    twitch.greet.clear()
    await twitch.move(old)
    for number in range(3):
        await twitch.notify(CHAT, chat_message(f"old {number}", id=f"m{number}"), session=old)
    twitch.last_words = chat_message("old 3", id="m3")
    twitch.greet.set()
    await twitch.until(lambda: twitch.welcomes == 2)
    await old.over.wait()
    await twitch.notify(CHAT, chat_message("new", id="m4"))
    await comes(listener, lambda: "new" in listener.texts())
    return listener.texts()


async def told_while_it_moves_and_keeps_its_id(listener: Listener, twitch: FakeTwitch) -> list[str]:
    """The same, where the new place has the old one's id."""
    twitch.keep_session_ids = True
    return await told_while_it_moves(listener, twitch)


async def closed_after_it_moved_and_kept_its_id(listener: Listener, twitch: FakeTwitch) -> bool:
    """A socket has moved, and its id with it. Is it closed with the client?"""
    twitch.keep_session_ids = True
    old = twitch.session_of(CHAT)
    await twitch.move(old)
    await old.over.wait()
    new = twitch.session_of(CHAT)
    await listener.end()
    return await comes(listener, new.over.is_set)


async def heard_after_it_was_closed_as_unused(listener: Listener, twitch: FakeTwitch) -> bool:
    """Twitch takes a socket for unused. Is the chat heard again?"""
    await twitch.drop(twitch.session_of(CHAT), 4003)
    return await comes(listener, lambda: CHAT in twitch.live_types())


async def heard_after_an_error_while_it_subscribed_again(listener: Listener, twitch: FakeTwitch) -> bool:
    """A socket is lost, and the first request to subscribe again meets an error of Twitch. Is the chat heard again?"""
    twitch.answer("POST", "eventsub/subscriptions", 500, "no")
    await twitch.drop(twitch.session_of(CHAT), 4000)
    await twitch.subscribed("channel.update")
    return await comes(listener, lambda: CHAT in twitch.live_types())


async def heard_after_a_cut_while_it_subscribed_again(listener: Listener, twitch: FakeTwitch) -> bool:
    """A socket is lost, and the line is cut while it subscribes again. Is everything heard again?"""
    twitch.answer("POST", "eventsub/subscriptions", 0, times=3)
    await twitch.drop(twitch.session_of(CHAT), 4000)
    return await comes(listener, lambda: twitch.live_types() >= {CHAT, "channel.update"})


async def subscribed_after_two_losses(listener: Listener, twitch: FakeTwitch) -> bool:
    """A socket was lost twice, the second time for good. Does what is wanted then go to a living one?"""
    await twitch.drop(twitch.session_of(CHAT), 4000)
    await twitch.subscribed(CHAT, "channel.update")
    await twitch.drop(twitch.session_of(CHAT), 4003)
    with suppress(HTTPException):
        await listener.listen_to_raids()
    return await comes(listener, lambda: "channel.raid" in twitch.live_types())


async def refreshed_by_many_at_once(listener: Listener, twitch: FakeTwitch) -> tuple[int, int]:
    """A token has expired, and six requests meet that at once: refreshes that were tried, and requests that failed."""
    twitch.expire()
    answers = await asyncio.gather(*(listener.ask() for _ in range(6)), return_exceptions=True)
    return twitch.count("POST", "oauth2/token"), sum(isinstance(each, HTTPException) for each in answers)


async def refreshed_by_one_after_the_other(listener: Listener, twitch: FakeTwitch) -> int:
    """A token has expired; then six things are asked in nobody's name. How many refreshes are that?"""
    twitch.expire()
    for _ in range(6):
        await listener.ask_in_nobodys_name()
    return twitch.count("POST", "oauth2/token")


ALL = ["old 0", "old 1", "old 2", "old 3", "new"]
FAULTS = [
    Fault("t1-a-move-loses-events", told_while_it_moves, ["new"], ALL),
    Fault("t1-a-move-loses-events-with-the-same-id", told_while_it_moves_and_keeps_its_id, ["new"], ALL),
    Fault("t2-a-moved-socket-is-forgotten", closed_after_it_moved_and_kept_its_id, alone=False, cured=True),
    Fault("t3-an-unused-socket-is-the-last", heard_after_it_was_closed_as_unused, alone=False, cured=True),
    Fault("t4-an-error-loses-a-subscription", heard_after_an_error_while_it_subscribed_again, alone=False, cured=True),
    Fault("t5-a-cut-loses-all-subscriptions", heard_after_a_cut_while_it_subscribed_again, alone=False, cured=True),
    Fault("t6-a-dead-socket-stays-in-the-books", subscribed_after_two_losses, alone=False, cured=True),
    Fault("t7-many-refreshes-spoil-the-token", refreshed_by_many_at_once, (6, 5), (1, 0)),
    Fault("t8-every-request-is-a-refresh", refreshed_by_one_after_the_other, 6, 1),
]


@pytest.fixture
async def twitch() -> AsyncIterator[FakeTwitch]:
    async with FakeTwitch() as server:
        yield server


@pytest.fixture
async def alone(twitch: FakeTwitch) -> AsyncIterator[Alone]:
    made = Alone(twitch)
    await made.connect()
    yield made
    await made.sweep()


@pytest.fixture
async def desk(twitch: FakeTwitch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(bot.twitch.client, "LOOK_EVERY", 0.05)
    monkeypatch.setattr("bot.twitch.subscriptions.RETRY_FIRST", 0.05)
    made = Desk(twitch, tmp_path)
    made.sign_in()
    await made.connect("channel.update")
    yield made
    await made.end()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_the_library_alone_has_the_fault(fault: Fault, alone: Alone, twitch: FakeTwitch) -> None:
    assert await fault.happens(alone, twitch) == fault.alone


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_the_bot_makes_it_good(fault: Fault, desk: Desk, twitch: FakeTwitch) -> None:
    assert await fault.happens(desk, twitch) == fault.cured
