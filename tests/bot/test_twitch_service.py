"""The twitch service: every declared method over a Helix on loopback, with errors that say what to do."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import bot.twitch.client
from bot.drops import TELL_EVERY
from bot.services.twitch import METHODS
from bot.supervise import Line
from bot.tokens import Token, TokenFile
from bot.twitch.answers import refusal
from bot.twitch.client import BOT, BROADCASTER, Connection, Ears
from bot.twitch.cured import Servers
from bot.twitch.deeds import DEEDS
from bot.twitch.sending import MAX_AGE, VARIED, held_back
from bot.twitch.service import TwitchService
from bot.twitch.speaking import Speaker
from engine.errors import StoreUnwritable
from engine.execution import Done, Effect, Failed, Result, Unknown
from tests.servers.twitch import FakeTwitch

BOT_SCOPES = ("user:read:chat", "user:write:chat", "user:manage:whispers", "clips:edit")
STREAMER_SCOPES = tuple({scope for method in METHODS for scope in method.scopes})
USER = {"user": "@Ninja"}
REPEATABLE = {method.name for method in METHODS if method.repeatable}


class Stage:
    """A service on a connection that is up."""

    def __init__(self, twitch: FakeTwitch, folder: Path) -> None:
        self.twitch = twitch
        self.said: list[str] = []
        self.begun = 0
        self.event: dict[str, Any] = {}
        self.seen: dict[str, str] = {}
        self.time = 0.0
        self.slept: list[float] = []
        tokens = TokenFile.open(folder)
        tokens.put(BOT, Token(*twitch.grant("2", *BOT_SCOPES)))
        tokens.put(BROADCASTER, Token(*twitch.grant("1", *STREAMER_SCOPES)))
        self.up = asyncio.Event()
        ears = Ears(lambda: (), lambda _: None, lambda: None, self.said.append)
        servers = Servers(twitch.api_base, twitch.id_base, twitch.eventsub_url)
        self.connection = Connection("client", servers, tokens, ears)
        self.speaker = Speaker(self.connection, lambda: self.time, self.said.append, self._sleep)
        self.speaker.moderator = True
        self.service = TwitchService(
            METHODS,
            self.connection,
            self.speaker,
            event_of=self._event_of,
            seen=self._seen,
            now=lambda: self.time,
            sleep=self._sleep,
        )

    async def _event_of(self, _: str) -> Mapping[str, Any]:
        return self.event

    async def _seen(self, effect: str) -> str | None:
        return self.seen.get(effect)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    async def _begin(self) -> None:
        self.begun += 1

    async def do(self, method: str, params: Mapping[str, Any] | None = None, id: str = "run/main/say/1") -> Result:
        effect = Effect(id, "home", "run", "w", "s", "twitch", method, params or {}, method in REPEATABLE)
        return await self.service.perform(effect, self._begin)

    async def say(self, text: str, **more: Any) -> Result:
        return await self.do("send_chat_message", {"message": text, **more})

    def spoken(self) -> list[str]:
        return [call.body["message"] for call in self.twitch.made("POST", "chat/messages")]


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(bot.twitch.client, "LOOK_EVERY", 0.05)
    async with FakeTwitch() as twitch:
        made = Stage(twitch, tmp_path)
        task = asyncio.create_task(made.connection.attempt(Line(made.up.set, lambda _: None)))
        await asyncio.wait_for(made.up.wait(), 10)
        yield made
        task.cancel()
        await asyncio.wait({task})


# Every method ------------------------------------------------------------------------------------------------------------------

ENTRY = {
    "id": "77",
    "title": "Hydrate",
    "name": "Chess",
    "status": "ACTIVE",
    "outcomes": [{"id": "o1", "title": "yes"}],
}
GETS = ("games", "channel_points/custom_rewards", "polls", "predictions", "channels/followers")

CASES: dict[str, tuple[dict[str, Any], str, str, dict[str, Any]]] = {
    "send_chat_announcement": ({"message": "hi"}, "POST", "chat/announcements", {"message": "hi", "color": "primary"}),
    "send_shoutout": (USER, "POST", "chat/shoutouts", {}),
    "send_whisper": ({**USER, "message": "psst"}, "POST", "whispers", {"message": "psst"}),
    "timeout_user": ({**USER, "duration": 60}, "POST", "moderation/bans", {"data": {"user_id": "3", "reason": "", "duration": 60}}),
    "ban_user": ({**USER, "reason": "spam"}, "POST", "moderation/bans", {"data": {"user_id": "3", "reason": "spam"}}),
    "unban_user": (USER, "DELETE", "moderation/bans", {}),
    "warn_user": ({**USER, "reason": "caps"}, "POST", "moderation/warnings", {"data": {"user_id": "3", "reason": "caps"}}),
    "delete_message": ({"message_id": "m1"}, "DELETE", "moderation/chat", {}),
    "clear_chat": ({}, "DELETE", "moderation/chat", {}),
    "update_shield_mode_status": ({"is_active": True}, "PUT", "moderation/shield_mode", {"is_active": True}),
    "update_chat_settings": ({"emote_mode": True}, "PATCH", "chat/settings", {"emote_mode": True}),
    "add_vip": (USER, "POST", "channels/vips", {}),
    "remove_vip": (USER, "DELETE", "channels/vips", {}),
    "add_moderator": (USER, "POST", "moderation/moderators", {}),
    "remove_moderator": (USER, "DELETE", "moderation/moderators", {}),
    "raid_channel": ({"target_channel": "ninja"}, "POST", "raids", {}),
    "cancel_raid": ({}, "DELETE", "raids", {}),
    "update_channel": ({"title": "T", "game_name": "chess", "tags": "a, b"}, "PATCH", "channels", {"title": "T", "game_id": "77", "tags": ["a", "b"]}),
    "create_clip": ({}, "POST", "clips", {}),
    "create_stream_marker": ({"description": "d"}, "POST", "streams/markers", {"user_id": "1", "description": "d"}),
    "start_commercial": ({"length": 100}, "POST", "channels/commercial", {"broadcaster_id": "1", "length": 90}),
    "snooze_next_ad": ({}, "POST", "channels/ads/snooze", {}),
    "create_poll": ({"title": "?", "choices": "a, b"}, "POST", "polls", {"broadcaster_id": "1", "title": "?", "choices": [{"title": "a"}, {"title": "b"}], "duration": 60}),
    "end_poll": ({}, "PATCH", "polls", {"broadcaster_id": "1", "id": "77", "status": "TERMINATED"}),
    "create_prediction": ({"title": "?", "outcomes": ["a", "b"], "duration": 90}, "POST", "predictions", {"broadcaster_id": "1", "title": "?", "outcomes": [{"title": "a"}, {"title": "b"}], "prediction_window": 90}),
    "lock_prediction": ({}, "PATCH", "predictions", {"broadcaster_id": "1", "id": "77", "status": "LOCKED"}),
    "resolve_prediction": ({"outcome": "Yes"}, "PATCH", "predictions", {"broadcaster_id": "1", "id": "77", "status": "RESOLVED", "winning_outcome_id": "o1"}),
    "cancel_prediction": ({}, "PATCH", "predictions", {"broadcaster_id": "1", "id": "77", "status": "CANCELED"}),
    "create_custom_reward": ({"title": "Bonk", "cost": 500, "prompt": "who?"}, "POST", "channel_points/custom_rewards", {"title": "Bonk", "cost": 500, "prompt": "who?", "is_user_input_required": True}),
    "update_custom_reward": ({"reward": "hydrate", "is_paused": True}, "PATCH", "channel_points/custom_rewards", {"is_paused": True}),
    "update_redemption_status": ({"status": "CANCELED"}, "PATCH", "channel_points/custom_rewards/redemptions", {"status": "CANCELED"}),
    "get_user": (USER, "GET", "users", {}),
    "get_follower": (USER, "GET", "channels/followers", {}),
    "get_stream": ({}, "GET", "streams", {}),
}  # fmt: skip


def test_every_declared_method_can_be_performed_and_nothing_else() -> None:
    declared = {method.name for method in METHODS} - {"send_chat_message"}

    assert set(DEEDS) == declared
    assert set(CASES) == declared


@pytest.mark.parametrize("method", CASES)
async def test_a_method_asks_twitch_for_exactly_what_is_meant(stage: Stage, method: str) -> None:
    params, verb, path, body = CASES[method]
    stage.event = {"redemption_id": "r1", "reward": "Hydrate"}
    for each in GETS:
        stage.twitch.answer("GET", each, 200, {"data": [ENTRY]})

    result = await stage.do(method, params)

    asked = stage.twitch.made(verb, path)[-1]
    assert isinstance(result, Done), result
    assert (asked.body or {}) == body
    assert stage.begun == 1
    owner = stage.twitch.grants[asked.token].account.id
    assert asked.query.get("moderator_id", [owner]) == [owner]
    needed = next(each.scopes for each in METHODS if each.name == method)
    assert set(needed) <= set(stage.twitch.grants[asked.token].scopes)


async def test_a_redemption_is_the_one_the_run_began_with(stage: Stage) -> None:
    stage.event = {"redemption_id": "r1", "reward": "Hydrate"}
    stage.twitch.answer("GET", "channel_points/custom_rewards", 200, {"data": [ENTRY]})

    await stage.do("update_redemption_status", {"status": "FULFILLED"})

    query = stage.twitch.made("PATCH", "channel_points/custom_rewards/redemptions")[0].query
    assert (query["reward_id"], query["id"]) == (["77"], ["r1"])


@pytest.mark.parametrize(
    ("event", "answered"),
    [
        ({"name": "message.received", "message_id": "m7"}, "m7"),
        ({"name": "message.first", "message_id": "m7"}, "m7"),
        ({"name": "discord.message.received", "message_id": "77"}, None),
        ({"name": "raid.received"}, None),
    ],
)
async def test_a_reply_answers_the_message_that_its_run_began_with_and_is_said_where_there_is_none(
    stage: Stage, event: dict[str, Any], answered: str | None
) -> None:
    stage.event = event

    await stage.say("hello", reply=True)
    await stage.say("plain")

    replied = [call.body.get("reply_parent_message_id") for call in stage.twitch.made("POST", "chat/messages")]
    assert replied == [answered, None]


async def test_who_may_chat_is_told_twitch_in_its_own_units(stage: Stage) -> None:
    await stage.do("update_chat_settings", {"follower_mode": True, "follower_mode_duration": 600})
    await stage.do("update_chat_settings", {"unique_chat_mode": True})
    too_long = await stage.do("update_chat_settings", {"follower_mode": True, "follower_mode_duration": 1e8})

    assert [call.body for call in stage.twitch.made("PATCH", "chat/settings")] == [
        {"follower_mode": True, "follower_mode_duration": 10},
        {"unique_chat_mode": True},
    ]
    assert too_long == Failed("rejected", "Followers only mode takes up to three months.")


async def test_look_ups_have_results_of_their_own(stage: Stage) -> None:
    stage.twitch.live = True
    stage.twitch.answer("GET", "channels/followers", 200, {"data": []})

    stream, user, follower = (
        await stage.do("get_stream"),
        await stage.do("get_user", USER),
        await stage.do("get_follower", USER),
    )

    assert isinstance(stream, Done)
    assert (stream.output["live"], stream.output["viewers"]) == (True, 12)
    assert isinstance(user, Done)
    assert (user.output["id"], user.output["name"]) == ("3", "Ninja")
    assert follower == Done({"follows": False, "followed_at": ""})


# What does not work --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("send_shoutout", {"user": "nobody_there"}, 'nobody called "nobody_there"'),
        ("send_shoutout", {"user": "what is this"}, "nobody called"),
        ("send_shoutout", {"user": "streamer"}, "other channels only"),
        ("raid_channel", {"target_channel": "streamer"}, "cannot raid itself"),
        ("ban_user", {"user": "Streamer"}, "cannot be banned"),
        ("timeout_user", {"user": "ninja", "duration": 0}, "between one second"),
        ("update_chat_settings", {"slow_mode": True, "slow_mode_wait_time": 500}, "between 3 and 120"),
        ("update_channel", {"game_name": "Nothing Like It"}, "no category"),
        ("create_poll", {"title": "?", "choices": "only one"}, "2 to 5 answers"),
        ("end_poll", {}, "no poll going on"),
        ("resolve_prediction", {"outcome": "x"}, "no prediction"),
        ("update_redemption_status", {"status": "CANCELED"}, "which reward"),
        ("send_chat_announcement", {"message": "hi", "color": "pink"}, "not pink"),
    ],
)
async def test_what_cannot_work_fails_in_a_sentence_before_anything_is_handed_over(
    stage: Stage, method: str, params: dict[str, Any], words: str
) -> None:
    result = await stage.do(method, params)

    assert isinstance(result, Failed)
    assert words in result.message
    assert not result.retryable
    assert stage.begun == 0
    assert all(call.verb == "GET" for call in stage.twitch.calls if call.path != "eventsub/subscriptions")


@pytest.mark.parametrize("choices", ["a, b", "a/b", "a or b", "a and b"])
async def test_the_answers_of_a_poll_may_be_joined_as_people_join_them(stage: Stage, choices: str) -> None:
    await stage.do("create_poll", {"title": "?", "choices": choices})

    asked = next(call for call in stage.twitch.calls if call.path == "polls" and call.verb == "POST")
    assert asked.body["choices"] == [{"title": "a"}, {"title": "b"}]


async def test_a_missing_scope_is_named_with_how_to_grant_it(stage: Stage) -> None:
    stage.connection._granted["1"] = ()

    result = await stage.do("create_poll", {"title": "?", "choices": "a, b"})

    assert result == Failed(
        "missing_scope",
        "Twitch has not granted me channel:manage:polls. Grant it with: showcaller setup twitch.",
    )
    assert stage.begun == 0


@pytest.mark.parametrize(
    ("status", "message", "error", "retryable"),
    [
        (401, "Missing scope: channel:manage:raids", "missing_scope", False),
        (401, "something else", "not_signed_in", False),
        (400, "The broadcaster is not live.", "not_live", False),
        (404, "Clipping is not possible for an offline channel.", "not_live", False),
        (404, "", "not_found", False),
        (403, "The user is not a moderator", "forbidden", False),
        (409, "The broadcaster is already raiding", "rejected", False),
        (429, "cooldown", "rate_limited", True),
        (503, "", "unavailable", True),
    ],
)
def test_an_error_of_twitch_becomes_one_with_a_name(status: int, message: str, error: str, retryable: bool) -> None:
    result = refusal(status, message, repeatable=False)

    assert isinstance(result, Failed)
    assert (result.error, result.retryable) == (error, retryable)


def test_a_broken_twitch_leaves_it_open_whether_what_must_not_be_repeated_was_done() -> None:
    assert isinstance(refusal(500, "", repeatable=False), Unknown)
    assert refusal(500, "", repeatable=True) == Failed("unavailable", "Twitch broke on it.", retryable=True)


async def test_no_answer_leaves_it_open_unless_it_may_be_repeated(stage: Stage) -> None:
    stage.twitch.answer("POST", "clips", 0)
    stage.twitch.answer("PATCH", "channels", 0)

    clip, title = await stage.do("create_clip"), await stage.do("update_channel", {"title": "T"})

    assert isinstance(clip, Unknown)
    assert isinstance(title, Failed)
    assert title.retryable


async def test_what_is_asked_before_there_is_a_connection_waits_for_it(stage: Stage) -> None:
    client, stage.connection._client = stage.connection._client, None
    stage.connection._here.clear()

    saying = asyncio.create_task(stage.say("hi"))
    await asyncio.sleep(0.05)
    assert (saying.done(), stage.begun) == (False, 0)
    stage.connection._client = client
    stage.connection._here.set()

    assert isinstance(await saying, Done)


async def test_what_cannot_be_handed_over_is_tried_again_until_it_can(stage: Stage) -> None:
    await stage.twitch.stop()
    await asyncio.sleep(0.1)  # for the connection that was open to be known to be gone

    async def back_soon(seconds: float) -> None:
        stage.slept.append(seconds)
        stage.time += seconds
        if len(stage.slept) == 3:
            await stage.twitch.__aenter__()

    stage.speaker._sleep = stage.service._sleep = back_soon

    assert isinstance(await stage.say("hello"), Done)
    assert stage.slept == [2.0, 2.0, 2.0]
    assert stage.spoken() == ["hello"]


async def test_what_cannot_be_handed_over_for_a_minute_may_be_tried_again(stage: Stage) -> None:
    await stage.twitch.stop()
    await asyncio.sleep(0.1)  # for the connection that was open to be known to be gone

    said, clip = await stage.say("hello"), await stage.do("create_clip")

    assert [(each.error, each.retryable) for each in (said, clip) if isinstance(each, Failed)] == [
        ("unavailable", True)
    ] * 2


async def test_where_only_a_person_can_connect_nothing_is_waited_for(stage: Stage) -> None:
    stage.connection._client = None
    stage.connection._here.clear()
    stage.connection._off = True

    assert isinstance(await asyncio.wait_for(stage.do("create_clip"), 1), Failed)


async def test_without_a_connection_everything_may_be_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.connection._client = None
    monkeypatch.setattr("bot.twitch.service.CONNECTED_WITHIN", 0.01)
    monkeypatch.setattr("bot.twitch.sending.MAX_AGE", 0.01)
    stage.connection._here.clear()

    said, done = await stage.say("hi"), await stage.do("create_clip")

    assert [each.retryable for each in (said, done) if isinstance(each, Failed)] == [True, True]


# Saying ------------------------------------------------------------------------------------------------------------------------------


async def test_what_is_said_is_said_by_the_bot_and_its_message_is_the_result(stage: Stage) -> None:
    result = await stage.say("hello", reply_to="m0")

    call = stage.twitch.made("POST", "chat/messages")[0]
    assert call.body == {"broadcaster_id": "1", "sender_id": "2", "message": "hello", "reply_parent_message_id": "m0"}
    assert isinstance(result, Done)
    assert result.output["message_id"].startswith("sent-")
    assert stage.begun == 1


async def test_a_long_text_is_said_in_parts_in_their_order(stage: Stage) -> None:
    await stage.say("word " * 150)

    assert [len(part) <= 500 for part in stage.spoken()] == [True, True]


async def test_the_same_twice_is_shown_twice(stage: Stage) -> None:
    await stage.say("hype")
    await stage.say("hype")

    assert stage.spoken() == ["hype", "hype" + VARIED]


async def test_a_duplicate_that_twitch_finds_is_varied_once(stage: Stage) -> None:
    drop = {"message_id": "", "is_sent": False, "drop_reason": {"code": "msg_duplicate", "message": "identical"}}
    stage.twitch.answer("POST", "chat/messages", 200, {"data": [drop]}, times=1)

    assert isinstance(await stage.say("hype"), Done)
    assert stage.spoken() == ["hype", "hype" + VARIED]


async def test_a_message_that_is_not_shown_is_a_failure_with_the_reason(stage: Stage) -> None:
    drop = {"message_id": "", "is_sent": False, "drop_reason": {"code": "automod_held", "message": "held by automod"}}
    stage.twitch.answer("POST", "chat/messages", 200, {"data": [drop]})

    assert await stage.say("x") == Failed("rejected", "Twitch did not show the message: held by automod.")


async def test_a_rate_that_is_over_holds_back_and_then_goes_on(stage: Stage) -> None:
    stage.twitch.answer("POST", "chat/messages", 429, "Too Many Requests", times=3)

    result = await stage.say("hello")

    assert isinstance(result, Done)
    assert stage.slept == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(("reset", "waited"), [("20", 20.0), ("1795262460", MAX_AGE), ("", 1.0)])
async def test_a_rate_that_is_over_is_waited_out_as_long_as_twitch_says_but_for_no_more_than_a_line_lives(
    stage: Stage, reset: str, waited: float
) -> None:
    stage.twitch.answer("POST", "chat/messages", 429, "Too Many Requests", headers={"Ratelimit-Reset": reset})

    await stage.say("hello")

    assert sum(stage.slept) == waited


async def test_one_who_is_no_moderator_is_slower_and_keeps_the_order(stage: Stage) -> None:
    stage.speaker.moderator = False

    await asyncio.gather(*(stage.say(f"line {number}") for number in range(5)))

    assert stage.spoken() == [f"line {number}" for number in range(5)]
    assert sum(stage.slept) == pytest.approx(4.0)


async def test_lines_over_the_rate_are_dropped_when_they_are_old_and_told_once(stage: Stage) -> None:
    stage.speaker.moderator = False

    results = await asyncio.gather(*(stage.say(f"line {number}") for number in range(60)))

    dropped = [each for each in results if isinstance(each, Failed)]
    assert {each.error for each in dropped} == {"dropped"}
    assert len(stage.spoken()) + len(dropped) == 60
    assert len(stage.spoken()) >= 36
    assert stage.said == ["1 line for the Twitch chat was dropped: it takes no more."]
    stage.time += TELL_EVERY
    stage.speaker._drops.add()
    assert stage.said[1] == f"{len(dropped)} lines for the Twitch chat were dropped: it takes no more."


async def test_lines_that_were_dropped_and_not_told_yet_are_told_when_all_that_waited_is_said(stage: Stage) -> None:
    stage.speaker._drops._told_at = stage.time
    stage.speaker._drops.add()
    assert stage.said == []

    await asyncio.gather(*(stage.say(f"line {number}") for number in range(3)))

    assert stage.said == ["1 line for the Twitch chat was dropped: it takes no more."]


async def test_the_same_words_asked_for_again_while_they_wait_are_said_once_for_all(stage: Stage) -> None:
    stage.speaker.moderator = False

    ids = [f"run{number}/main/say/1" for number in range(6)]
    results = await asyncio.gather(*(stage.do("send_chat_message", {"message": "join us"}, id=id) for id in ids))

    assert len(stage.spoken()) == 2, "the first found the chat free; the second waited, and the others with it"
    assert results[1:] == [results[1]] * 5
    assert results[0] != results[1]
    assert stage.begun == 6
    assert stage.speaker.own("join us", results[1].output["message_id"], shared=True) == tuple(ids[1:])


async def test_the_same_words_for_somebody_else_are_lines_of_their_own(stage: Stage) -> None:
    stage.speaker.moderator = False

    await asyncio.gather(*(stage.say("join us", reply_to=f"m{number}") for number in range(3)))

    assert len(stage.spoken()) == 3


async def test_a_line_lives_as_long_as_it_was_asked_for_last(stage: Stage) -> None:
    stage.speaker._sent = held_back(stage.speaker._sent, 50.0)
    waits = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await waits.wait()
        stage.time = 70.0

    stage.speaker._sleep = sleep
    first = asyncio.create_task(stage.say("join us"))
    await asyncio.sleep(0)
    stage.time = 40.0
    second = asyncio.create_task(stage.say("join us"))
    await asyncio.sleep(0)
    waits.set()

    assert [isinstance(await each, Done) for each in (first, second)] == [True, True]
    assert len(stage.spoken()) == 1


async def test_whoever_joined_a_line_says_it_if_the_one_who_was_to_say_it_is_stopped(stage: Stage) -> None:
    async with stage.speaker._turns[False]:
        first, second, third = (asyncio.create_task(stage.say("join us")) for _ in range(3))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait({first})

    assert await second == await third
    assert isinstance(await second, Done)
    assert len(stage.spoken()) == 1


async def test_one_who_cannot_begin_keeps_nobody_else_from_what_is_said(stage: Stage) -> None:
    async def cannot() -> None:
        raise StoreUnwritable("the disk is full")

    async with stage.speaker._turns[False]:
        said = asyncio.create_task(stage.say("join us"))
        await asyncio.sleep(0)
        left_out = asyncio.create_task(stage.speaker.say("join us", effect="run2/main/say/1", begin=cannot))
        await asyncio.sleep(0)

    assert isinstance(await said, Done)
    with pytest.raises(StoreUnwritable):
        await left_out
    assert stage.speaker.own("join us", "sent", shared=False) == ()


async def test_an_answer_to_a_person_does_not_wait_behind_what_workflows_say(stage: Stage) -> None:
    stage.speaker.moderator = False
    stage.speaker._sleep = asyncio.sleep
    flood = [asyncio.create_task(stage.say(f"line {number}")) for number in range(400)]
    await asyncio.sleep(0.1)
    stage.time += 2.0

    answer = await stage.speaker.say("w1 is off.", reply_to="m1", urgent=True)

    assert isinstance(answer, Done)
    assert stage.spoken() == ["line 0", "w1 is off."]
    for each in flood:
        each.cancel()
    await asyncio.wait(flood)


async def test_more_lines_than_can_wait_are_dropped_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.twitch.speaking.MOST_WAITING", 3)

    results = await asyncio.gather(*(stage.say(f"line {number}") for number in range(5)))

    assert [isinstance(each, Done) for each in results] == [True, True, True, False, False]


async def test_own_words_are_known_when_they_come_back_before_their_answer(stage: Stage) -> None:
    known: list[tuple[str, ...]] = []

    async def early() -> None:
        known.append(stage.speaker.own("hello " + VARIED, "early-id", shared=True))

    data = {"message_id": "early-id", "is_sent": True, "drop_reason": None}
    stage.twitch.answer("POST", "chat/messages", 200, {"data": [data]}, before=early)
    await stage.do("send_chat_message", {"message": "hello"}, id="run/main/hello/1")

    assert known == [("run/main/hello/1",)]


async def test_of_a_long_text_only_the_last_message_shows_that_all_of_it_was_said(stage: Stage) -> None:
    for id in ("first", "last"):
        data = {"message_id": id, "is_sent": True, "drop_reason": None}
        stage.twitch.answer("POST", "chat/messages", 200, {"data": [data]})

    await stage.do("send_chat_message", {"message": "word " * 180}, id="run/main/long/1")

    assert len(stage.spoken()) == 2
    assert [stage.speaker.own("", id, shared=True) for id in ("first", "last")] == [(), ("run/main/long/1",)]


async def test_what_the_streamer_types_with_the_bots_account_is_not_taken_for_the_bots_words(stage: Stage) -> None:
    await stage.say("hello")

    with pytest.raises(KeyError):
        stage.speaker.own("something else", "m7", shared=True)


async def test_a_line_cut_off_by_a_crash_is_settled_by_the_message_that_was_seen(stage: Stage) -> None:
    effect = Effect("run/main/say/1", "home", "run", "w", "s", "twitch", "send_chat_message", {}, False)
    assert await stage.service.settle(effect) is None

    stage.seen[effect.id] = "sent-1"

    assert await stage.service.settle(effect) == Done({"message_id": "sent-1"})
