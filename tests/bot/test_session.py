"""What each line does: who says what where, which events it makes, what it sets, and how it is refused."""

from typing import Any

import pytest

from bot.message import Place
from bot.terminal.session import Session
from bot.terminal.words import seconds
from engine.execution import Effect, Failed
from tests.fakes_bot import NOON, FakeBot


def session(bot: FakeBot) -> Session:
    return Session(bot, "streamer", "broadcaster", seconds, "/x/showcaller.log")  # type: ignore[arg-type]


async def after(*lines: str, bot: FakeBot | None = None) -> FakeBot:
    bot = bot or FakeBot()
    at_keyboard = session(bot)
    for line in lines:
        entered = await at_keyboard.enter(line)
        assert [reply.kind for reply in entered.replies if reply.kind == "refusal"] == [], line
    return bot


async def refusal(line: str, bot: FakeBot | None = None) -> str:
    entered = await session(bot or FakeBot()).enter(line)
    [reply] = entered.replies
    assert reply.kind == "refusal"
    return reply.text


async def test_a_plain_line_is_a_chat_message_of_the_broadcaster() -> None:
    [message] = (await after("hello there")).messages
    assert message.text == "hello there"
    assert message.place == Place("twitch")
    assert (message.author.name, message.author.roles, message.at) == ("streamer", ("broadcaster",), NOON)


async def test_a_role_given_once_is_kept_and_everyone_else_is_a_viewer() -> None:
    bot = await after(
        "/as mo moderator", "hi", "/as bob vip discord #lounge", "hi", "/as mo", "hi", "/say MO hi", "/say eve hi"
    )
    assert [(m.author.name, m.author.roles, m.place) for m in bot.messages] == [
        ("mo", ("moderator",), Place("twitch")),
        ("bob", ("vip",), Place("discord", "lounge")),
        ("mo", ("moderator",), Place("twitch")),
        ("MO", ("moderator",), Place("twitch")),
        ("eve", (), Place("twitch")),
    ]
    assert len({message.id for message in bot.messages}) == 5


@pytest.mark.parametrize(
    ("line", "name", "payload"),
    [
        ("/follow bob", "follow.received", {"user": {"name": "bob", "roles": []}}),
        ("/raid mo 50", "raid.received", {"user": {"name": "mo", "roles": ["moderator"]}, "viewers": 50}),
        ("/event raid", "raid.received", {"user": {"name": "mo", "roles": ["moderator"]}}),
        ("/event hype_train", "hype_train.started", {}),
        ('/event my.own {"user": "bob", "x": [1]}', "my.own", {"user": {"name": "bob", "roles": []}, "x": [1]}),
        ("/live off", "stream.ended", {}),
    ],
)
async def test_a_line_lets_an_event_happen(line: str, name: str, payload: dict[str, Any]) -> None:
    [event] = (await after("/as mo moderator", line)).events
    assert (event.name, event.payload, event.at, event.community) == (name, payload, NOON, "home")


async def test_every_gift_and_redemption_has_an_id_of_its_own() -> None:
    gifts = await after("/gift bob 5", "/gift bob 5", '/redeem bob "Hydrate"')
    first, second, redemption = (event.payload for event in gifts.events)
    assert first["gift_id"] != second["gift_id"]
    assert redemption["redemption_id"]


async def test_going_live_is_an_event_with_what_is_known_and_is_kept() -> None:
    bot = await after('/config stream.title "Friday fun"', "/live on")
    assert [event.payload for event in bot.events] == [{"title": "Friday fun", "category": ""}]
    assert bot.settings.live
    assert bot.settings.stream() == {"live": True, "title": "Friday fun"}


async def test_a_reaction_is_on_the_message_that_was_written() -> None:
    bot = await after("/discord #news bob we are live", "/react eve 🎉 we are live", "/react eve 🎉 something else")
    [message] = bot.messages
    found, unknown = (event.payload for event in bot.events)
    assert found["message_id"] == message.id
    assert (found["emoji"], found["user"]["name"]) == ("🎉", "eve")
    assert found["channel"] == "news"
    assert unknown["message_id"] != message.id


async def test_settings_and_names_are_kept_once_they_are_stored() -> None:
    bot = await after(
        '/names scenes "BRB","Hype"', "/config a.b 5", "/config secret c hunter22", "/config timezone Asia/Tokyo"
    )
    assert bot.settings.names.scenes == ("BRB", "Hype")
    assert bot.settings.values == {"a.b": 5}
    assert bot.settings.secrets == {"c": "hunter22"}
    assert bot.settings.zone == "Asia/Tokyo"
    assert len(bot.records) == 4


async def test_a_failure_is_planned_and_lifted() -> None:
    bot = await after('/fail obs.set_current_program_scene error 2 "OBS is closed"')
    wanted = Effect("e", "home", "e", "w", "s", "obs", "set_current_scene", {}, repeatable=True)
    planned = bot.plan.take(wanted)
    assert planned is not None
    assert planned.result(wanted) == Failed("simulated", "OBS is closed", retryable=True)
    await after("/fail obs.set_current_scene off", bot=bot)
    assert bot.plan.take(wanted) is None


async def test_time_moves_by_a_duration_or_to_a_moment_in_a_zone() -> None:
    bot = await after("/advance 5m", "/config timezone Europe/Berlin", "/advance until 2026-11-21T13:10")
    assert bot.clock.now() == NOON + 600
    await after("/advance until 2026-11-21T12:20 UTC", bot=bot)
    assert bot.clock.now() == NOON + 1_200
    await after("/advance until 2026-11-21T12:30:00Z", bot=bot)
    assert bot.clock.now() == NOON + 1_800


async def test_time_moves_to_when_the_clock_next_shows_a_time() -> None:
    bot = await after("/config timezone Europe/Berlin", "/advance until 13:10")
    assert bot.clock.now() == NOON + 600
    await after("/advance until 13:10", bot=bot)
    assert bot.clock.now() == NOON + 600 + 86_400


async def test_time_never_goes_backward() -> None:
    assert "12:00:00" in await refusal("/advance until 2026-11-21T11:59")
    assert "year" in await refusal("/advance until 2099-01-01T00:00")


async def test_real_time_is_not_moved() -> None:
    assert "--virtual-time" in await refusal("/advance 5m", FakeBot(virtual=False))


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("/fail obs.explode error", "set_current_scene"),
        ("/fail internal.log error", "simulated"),
        ("/config timezone Mars/Olympus", "Mars/Olympus"),
        ("/frobnicate", "/frobnicate"),
    ],
)
async def test_what_is_not_there_is_named(line: str, word: str) -> None:
    assert word in await refusal(line)


async def test_nothing_is_set_that_could_not_be_stored() -> None:
    bot = FakeBot()
    bot.full = True
    for line in ("/config a 1", "/live on", '/names scenes "BRB"', "/follow bob", "hello"):
        assert await refusal(line, bot) == "the disk is full"
    assert not bot.settings.values
    assert not bot.settings.live


async def test_what_nobody_foresaw_is_answered_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    bot = FakeBot()
    bot.broken = True
    told = await refusal("hello", bot)
    assert "/x/showcaller.log" in told
    assert "hunter22" not in told
    assert "RuntimeError" in caplog.text


async def test_quitting_leaves() -> None:
    assert (await session(FakeBot()).enter("/quit")).leave


async def test_the_help_names_every_line_and_fits_a_chat_message() -> None:
    [reply] = (await session(FakeBot()).enter("/help")).replies
    assert "/advance" in reply.text
    assert len(reply.text) <= 500
    [reply] = (await session(FakeBot()).enter("/help raid")).replies
    assert "/raid NAME VIEWERS" in reply.text
