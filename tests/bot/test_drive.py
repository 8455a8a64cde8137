"""Lines that begin with `/`: each comes to what it says, or to one sentence with a form that works."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.drive import (
    USAGE,
    Advance,
    AdvanceToTime,
    AdvanceUntil,
    Become,
    Drive,
    GoLive,
    Happen,
    PlanFailure,
    Quit,
    React,
    Rest,
    Say,
    SetConfig,
    SetNames,
    ShowConfig,
    Unreadable,
)
from bot.drive_lines import read
from bot.message import Place
from bot.services.simulated import Failure

TWITCH = Place("twitch")
MODS = Place("discord", "mods")
LOCAL = datetime.fromisoformat("2026-11-22T19:00")


def seconds(text: str) -> float | None:
    return {"5m": 300.0, "2s": 2.0, "-5m": -300.0, "5 years": 5 * 366 * 86_400.0}.get(text)


READ: dict[str, Drive] = {
    "/as mo moderator": Become("mo", "moderator", TWITCH),
    "/AS @mo MOD twitch": Become("mo", "moderator", TWITCH),
    "/as dana viewer discord #mods": Become("dana", "viewer", MODS),
    "/as dana vip discord": Become("dana", "vip", Place("discord", "general")),
    "/as dana": Become("dana", None, TWITCH),
    '/say bob "!lurk"': Say("bob", "!lurk", TWITCH),
    "/say bob  !lurk": Say("bob", "!lurk", TWITCH),
    '/say bob he said "hi" and "bye"': Say("bob", 'he said "hi" and "bye"', TWITCH),
    '/say bob "he said \\"hi\\""': Say("bob", 'he said "hi"', TWITCH),
    '/say bob ""': Say("bob", "", TWITCH),
    "/discord #mods bob hello there": Say("bob", "hello there", MODS),
    "/follow bob": Happen("follow.received", "bob", {}),
    "/raid ninja 50": Happen("raid.received", "ninja", {"viewers": 50}),
    "/cheer bob 500": Happen("cheer.received", "bob", {"bits": 500, "message": ""}),
    "/cheer bob 500 woo hoo": Happen("cheer.received", "bob", {"bits": 500, "message": "woo hoo"}),
    "/sub bob": Happen("subscription.received", "bob", {"tier": "1", "months": 1}),
    "/sub bob 12 love it": Happen("resubscription.received", "bob", {"tier": "1", "months": 12, "message": "love it"}),
    "/gift bob 5": Happen("gift.received", "bob", {"count": 5, "tier": "1", "gifter": "bob"}),
    '/redeem bob "Drink Water" now': Happen(
        "reward.redeemed", "bob", {"reward": "Drink Water", "message": "now", "cost": 0}
    ),
    "/redeem bob Hydrate": Happen("reward.redeemed", "bob", {"reward": "Hydrate", "message": "", "cost": 0}),
    "/react bob 🎉 we are live!": React("bob", "🎉", "we are live!"),
    "/live on": GoLive(on=True),
    "/live OFF": GoLive(on=False),
    '/event hype_train.started {"level": 3}': Happen("hype_train.started", None, {"level": 3}),
    '/event mine {"user": "bob", "text": "a\nb"}': Happen("mine", "bob", {"text": "a\nb"}),
    '/event mine {"user": {"name": "bob"}}': Happen("mine", "bob", {}),
    "/event mine": Happen("mine", None, {}),
    '/names scenes "BRB","Hype"': SetNames("scenes", ("BRB", "Hype")),
    '/names sounds airhorn, "a, b" ,drum roll': SetNames("sounds", ("airhorn", "a, b", "drum roll")),
    "/names rewards": SetNames("rewards", ()),
    "/config discord.announcement_channel news": SetConfig("discord.announcement_channel", "news"),
    '/config greeting "hi there"': SetConfig("greeting", "hi there"),
    "/config goal 100": SetConfig("goal", 100),
    "/config ratio 0.5": SetConfig("ratio", 0.5),
    "/config code 007": SetConfig("code", "007"),
    '/config code "7"': SetConfig("code", "7"),
    "/config quiet true": SetConfig("quiet", value=True),
    "/config secret api.key 12345": SetConfig("api.key", "12345", secret=True),
    "/config list": ShowConfig(),
    "/fail obs.set_current_scene error": PlanFailure("obs", "set_current_scene", Failure("error")),
    '/fail obs.set_current_scene unknown 2 "went away"': PlanFailure(
        "obs", "set_current_scene", Failure("unknown", 2, "went away")
    ),
    '/fail obs.set_current_scene timeout "slow"': PlanFailure(
        "obs", "set_current_scene", Failure("timeout", None, "slow")
    ),
    "/fail obs.set_current_scene off": PlanFailure("obs", "set_current_scene", None),
    "/advance 5m": Advance(300),
    "/advance until 19:05": AdvanceToTime(19, 5),
    "/advance until 2026-11-22T19:00": AdvanceUntil(LOCAL, None),
    "/advance until 2026-11-22T19:00 Europe/Berlin": AdvanceUntil(LOCAL, ZoneInfo("Europe/Berlin")),
    "/wait 2s": Rest(2),
    "/quit": Quit(),
}


@pytest.mark.parametrize(("line", "drive"), READ.items(), ids=READ)
def test_a_line_comes_to_what_it_says(line: str, drive: Drive) -> None:
    assert read(line, seconds) == drive


def test_every_line_there_is_has_an_example_here() -> None:
    assert {line.removeprefix("/").partition(" ")[0].casefold() for line in READ} | {"help"} == set(USAGE)


@pytest.mark.parametrize(
    "line",
    [
        "/",
        "/frobnicate",
        "/as",
        "/as bob king",
        "/as bob viewer youtube",
        "/say bob",
        "/raid ninja many",
        "/raid ninja",
        "/raid ninja -5",
        "/cheer bob",
        "/redeem bob",
        "/live maybe",
        "/event raid.received {",
        "/event raid.received [1]",
        '/event raid.received {"viewers": NaN}',
        "/event raid.received " + '{"a":' * 1_000 + "1" + "}" * 1_000,
        "/event raid.received " + '{"a":' * 20 + "1" + "}" * 20,
        '/names toys "a"',
        '/names scenes "unclosed',
        "/config",
        "/config key",
        "/config bad-key 1",
        "/config secret key",
        "/fail obs",
        "/fail obs.set_current_scene maybe",
        "/fail obs.set_current_scene error 0",
        "/advance",
        "/advance -5m",
        "/advance soon",
        "/advance 5 years",
        "/advance until tomorrow",
        "/advance until 25:00",
        "/advance until 2026-11-22T19:00 Mars/Olympus",
        "/wait long",
        "/help frobnicate",
    ],
)
def test_a_line_that_cannot_be_read_is_answered_with_a_form_that_works(line: str) -> None:
    answer = read(line, seconds)
    assert isinstance(answer, Unreadable)
    assert "/" in answer.text
    assert len(answer.text) <= 500
    assert not answer.text.startswith(("/", "!"))


@given(st.text(max_size=200))
def test_nothing_that_is_typed_breaks_the_reader(text: str) -> None:
    for name in ("", *USAGE):
        answer = read(f"/{name} {text}", seconds)
        if isinstance(answer, Unreadable):
            assert len(answer.text) <= 500
