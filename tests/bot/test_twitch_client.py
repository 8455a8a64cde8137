"""twitchio against a Twitch on loopback: what it forgets, loses or does too often by itself, the connection makes good."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import bot.twitch.client
from bot.supervise import GivesUp, Line
from bot.tokens import FILE, TokenFile
from bot.twitch.client import BOT, NotConnected, Refused, Request
from tests.desk import Desk
from tests.servers.twitch import CHAT, FakeTwitch, chat_message


@pytest.fixture
async def twitch() -> AsyncIterator[FakeTwitch]:
    async with FakeTwitch() as server:
        yield server


@pytest.fixture
async def desk(twitch: FakeTwitch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(bot.twitch.client, "LOOK_EVERY", 0.05)
    before = asyncio.all_tasks()
    made = Desk(twitch, tmp_path)
    made.sign_in()
    yield made
    await made.end()
    await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() - before if task.get_name().startswith("Event")]
    assert not left, "a socket was left behind"


# Hearing -------------------------------------------------------------------------------------------------------------------


async def test_the_chat_is_heard_whatever_workflows_wait_for(desk: Desk, twitch: FakeTwitch) -> None:
    await desk.connect("stream.online", "stream.offline", "channel.update")

    await twitch.notify(CHAT, chat_message("hello"))

    await desk.until(lambda: desk.texts() == ["hello"])
    assert twitch.live_types() == {CHAT, "stream.online", "stream.offline", "channel.update"}


async def test_what_a_workflow_begins_to_wait_for_is_subscribed_to_and_given_back_afterwards(
    desk: Desk, twitch: FakeTwitch
) -> None:
    await desk.connect()

    def conditions() -> list[dict[str, str]]:
        subs = [sub for session in twitch.sessions for sub in session.subscriptions.values()]
        return [sub["condition"] for sub in subs if sub["type"] == "channel.raid"]

    desk.events = ["raid"]
    await twitch.until(lambda: len(conditions()) == 2)
    found = conditions()
    desk.events = []
    await twitch.until(lambda: "channel.raid" not in twitch.live_types())

    assert found == [{"from_broadcaster_user_id": "2"}, {"to_broadcaster_user_id": "2"}]


async def test_what_only_the_streamer_may_hear_is_heard_in_the_streamers_name(desk: Desk, twitch: FakeTwitch) -> None:
    desk.sign_in(broadcaster=True)
    desk.events = ["redeem", "follow"]
    kind = "channel.channel_points_custom_reward_redemption.add"

    await desk.connect(kind, "channel.follow")

    assert twitch.session_of(kind) is not twitch.session_of(CHAT)


async def test_a_missing_scope_is_told_once_with_how_to_grant_it(desk: Desk, twitch: FakeTwitch) -> None:
    desk.events = ["cheer"]
    await desk.connect()
    looks = len(desk.said)
    await asyncio.sleep(0.2)

    assert desk.said == [
        "I cannot hear of cheer.received: Twitch has not granted me bits:read. Grant it with: showcaller setup twitch."
    ]
    assert looks <= 1


async def test_a_notification_with_fields_missing_is_heard(desk: Desk, twitch: FakeTwitch) -> None:
    await desk.connect()

    await twitch.notify(CHAT, {"message_id": "m9", "message": {"text": "short"}})

    await desk.until(lambda: desk.texts() == ["short"])


# Losing and moving -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("same_id", [False, True])
async def test_a_socket_that_moved_is_not_taken_for_lost_and_is_closed_at_the_end(
    desk: Desk, twitch: FakeTwitch, same_id: bool
) -> None:
    await desk.connect()
    twitch.keep_session_ids = same_id
    old = twitch.session_of(CHAT)

    await twitch.move(old)
    await old.over.wait()
    asked = twitch.count("POST", "eventsub/subscriptions")
    await asyncio.sleep(0.2)
    assert twitch.count("POST", "eventsub/subscriptions") == asked, "it was taken for lost"
    new = twitch.session_of(CHAT)
    await desk.end()

    await asyncio.wait_for(new.over.wait(), 2)


async def test_a_move_that_fails_ends_in_a_new_socket(desk: Desk, twitch: FakeTwitch) -> None:
    await desk.connect()
    old = twitch.session_of(CHAT)
    url = {"session": {"id": old.id, "status": "reconnecting", "reconnect_url": "ws://127.0.0.1:1/ws"}}

    await twitch._say(old, "session_reconnect", url)
    await old.over.wait()

    await twitch.subscribed(CHAT)
    await twitch.notify(CHAT, chat_message("again"))
    await desk.until(lambda: desk.texts() == ["again"])


@pytest.mark.parametrize("code", [4000, 4001, 4002, 4003, 4005, 4006, 4007, 1000, 1006])
async def test_however_a_socket_is_closed_the_chat_is_heard_again(desk: Desk, twitch: FakeTwitch, code: int) -> None:
    await desk.connect()

    await twitch.drop(twitch.session_of(CHAT), code)
    await twitch.subscribed(CHAT, "stream.online", "stream.offline", "channel.update")

    await twitch.notify(CHAT, chat_message("back"))
    await desk.until(lambda: desk.texts() == ["back"])


# Tokens ----------------------------------------------------------------------------------------------------------------------


async def test_a_rotated_pair_is_on_the_disk_before_it_is_used(desk: Desk, twitch: FakeTwitch) -> None:
    await desk.connect()
    twitch.expire()
    kept: list[bool] = []

    async def look() -> None:
        token = twitch.calls[-1].token
        kept.append(token in (desk.folder / FILE).read_text())

    twitch.answer("GET", "users", 200, {"data": []}, before=look, times=1)
    twitch._answers["GET", "users"].insert(0, twitch._answers["GET", "users"][0].__class__(401, "Invalid OAuth token"))
    await desk.ask()

    assert kept == [True]


async def test_tokens_are_validated_every_hour_whatever_cut_a_validation_off(
    desk: Desk, twitch: FakeTwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.twitch.client, "VALIDATE_EVERY", 0.0)
    await desk.connect()
    http: Any = desk.connection._client._http  # type: ignore[union-attr]
    before = twitch.count("GET", "oauth2/validate")
    twitch.answer("GET", "oauth2/validate", 0)
    http._tokens["2"]["last_validated"] = "2026-01-01T00:00:00"

    http._validate_task.cancel()  # as if its minute were over
    await twitch.until(lambda: twitch.count("GET", "oauth2/validate") >= before + 2)

    assert (await desk.ask())["data"][0]["login"] == "bot"


async def test_a_token_about_to_end_is_renewed_at_the_start_and_the_next_start_works(
    desk: Desk, twitch: FakeTwitch
) -> None:
    desk.sign_in(expires_in=60)
    await desk.connect()
    await desk.end()
    desk.tokens = TokenFile.open(desk.folder)
    desk.connection = desk._connection()
    desk.ups = 0

    await desk.connect()

    assert twitch.count("POST", "oauth2/token") == 1


async def test_a_sign_in_that_was_taken_back_is_given_up_with_what_to_do(desk: Desk, twitch: FakeTwitch) -> None:
    await desk.connect()
    twitch.refreshes.clear()
    twitch.expire()

    with pytest.raises(Refused):
        await desk.ask()

    assert desk.task is not None
    with pytest.raises(GivesUp, match=r"accepts the sign-in of bot[.] Sign in again with: showcaller setup twitch"):
        await asyncio.wait_for(desk.task, 5)


async def test_without_the_streamers_sign_in_the_bot_goes_on_and_says_so(desk: Desk, twitch: FakeTwitch) -> None:
    desk.sign_in(broadcaster=True)
    desk.events = ["follow"]
    await desk.connect("channel.follow")
    twitch.refreshes = {key: pair for key, pair in twitch.refreshes.items() if pair[0].id == "2"}
    for grant in twitch.grants.values():
        grant.valid = grant.account.id == "2"

    with pytest.raises(Refused):
        await desk.connection.ask(Request("GET", "users", "1", {"id": "1"}))
    await twitch.until(lambda: "channel.follow" not in twitch.live_types())

    assert "no longer accepts the sign-in of streamer" in desk.said[0]
    await twitch.notify(CHAT, chat_message("still here"))
    await desk.until(lambda: desk.texts() == ["still here"])


async def test_nobody_signed_in_is_given_up_with_what_to_do(twitch: FakeTwitch, tmp_path: Path) -> None:
    desk = Desk(twitch, tmp_path)

    with pytest.raises(GivesUp, match="showcaller setup twitch"):
        await desk.connection.attempt(Line(lambda: None, lambda _: None))


async def test_a_token_that_is_refused_as_soon_as_it_is_made_does_not_loop(desk: Desk, twitch: FakeTwitch) -> None:
    await desk.connect()
    twitch.answer("GET", "users", 401, "Invalid OAuth token", times=100)

    with pytest.raises(Refused):
        await desk.ask()

    assert twitch.count("POST", "oauth2/token") <= 5


async def test_twitch_being_away_at_the_start_ends_the_attempt_and_the_next_one_works(
    desk: Desk, twitch: FakeTwitch
) -> None:
    await twitch.stop()
    desk.start()
    assert desk.task is not None
    with pytest.raises(aiohttp.ClientConnectorError):
        await asyncio.wait_for(desk.task, 5)

    await twitch.__aenter__()
    await desk.connect()


async def test_no_attempt_leaves_the_library_s_own_file_of_tokens_behind(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await desk.connect()
    await desk.end()

    assert [path.name for path in tmp_path.iterdir()] == [FILE]


# Deafness ----------------------------------------------------------------------------------------------------------------------


async def test_a_connection_that_cannot_hear_the_chat_says_that_it_is_down_and_when_it_is_up_again(
    desk: Desk, twitch: FakeTwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.twitch.subscriptions.RETRY_FIRST", 0.05)
    await desk.connect()
    twitch.answer("POST", "eventsub/subscriptions", 500, "no", times=12)

    await twitch.drop(twitch.session_of(CHAT), 4000)
    await desk.until(lambda: desk.downs)
    await desk.until(lambda: desk.ups == 2)

    assert desk.downs[0] == "its events do not reach me"


@pytest.mark.parametrize("type", [CHAT, "stream.online"])
async def test_after_every_gap_it_is_told_that_what_happened_meanwhile_was_not_heard(
    desk: Desk, twitch: FakeTwitch, type: str
) -> None:
    desk.sign_in(broadcaster=True)
    await desk.connect("stream.online")
    before = desk.anew

    await twitch.drop(twitch.session_of(type), 1006)
    await twitch.subscribed(type)

    await desk.until(lambda: desk.anew > before)


@pytest.mark.slow
async def test_a_socket_that_falls_silent_is_taken_for_lost(desk: Desk, twitch: FakeTwitch) -> None:
    await desk.connect()

    async with asyncio.timeout(50):
        while twitch.welcomes < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await twitch.subscribed(CHAT)


async def test_a_refused_chat_is_told_and_not_asked_for_again_and_again(desk: Desk, twitch: FakeTwitch) -> None:
    twitch.answer("POST", "eventsub/subscriptions", 403, "subscription missing proper authorization", times=1)
    desk.start()
    await desk.until(lambda: desk.downs)
    await asyncio.sleep(0.2)

    asked = [call.body["type"] for call in twitch.made("POST", "eventsub/subscriptions")]
    assert asked.count(CHAT) == 1
    assert desk.downs[0] == "it does not let me read the chat"
    assert desk.said == [
        "Twitch does not let me hear of channel.chat.message. Sign in again with: showcaller setup twitch."
    ]


async def test_what_cannot_be_heard_for_long_is_told_once_and_so_is_that_it_is_heard_again(
    desk: Desk, twitch: FakeTwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.twitch.subscriptions.RETRY_FIRST", 0.02)
    await desk.connect("stream.online", "stream.offline", "channel.update")

    twitch.answer("POST", "eventsub/subscriptions", 500, "no", times=2 * 6)  # two conditions, one of either direction
    desk.events = ["raid"]
    await twitch.subscribed("channel.raid")
    async with asyncio.timeout(5):
        while len(desk.said) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await desk.end()

    assert desk.said == [
        "I do not hear of raid.received at the moment: Twitch does not let me subscribe to it. "
        "I keep trying; everything else goes on.",
        "I hear of raid.received again.",
    ]
    assert desk.downs == []


async def test_a_hiccup_of_one_subscription_is_told_nobody(
    desk: Desk, twitch: FakeTwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.twitch.subscriptions.RETRY_FIRST", 0.02)
    await desk.connect("stream.online", "stream.offline", "channel.update")

    twitch.answer("POST", "eventsub/subscriptions", 500, "no", times=2 * 4)
    desk.events = ["raid"]
    await twitch.subscribed("channel.raid")
    await asyncio.sleep(0.2)

    assert desk.said == []


async def test_a_revoked_subscription_is_asked_for_again(desk: Desk, twitch: FakeTwitch) -> None:
    desk.events = ["raid"]
    await desk.connect("channel.raid")

    await twitch.revoke("channel.raid")

    await twitch.subscribed("channel.raid")


async def test_what_a_dead_process_left_subscribed_does_not_stand_in_the_way(desk: Desk, twitch: FakeTwitch) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(twitch.eventsub_url) as ws:
        hello = await ws.receive_json()
        head = {"Authorization": f"Bearer {desk.tokens.tokens[BOT].access}"}
        for channel in ("1", "2"):  # of another channel, where another bot of the same account is; and of this one
            stale = {
                "type": CHAT,
                "version": "1",
                "condition": {"broadcaster_user_id": channel, "user_id": "2"},
                "transport": {"method": "websocket", "session_id": hello["payload"]["session"]["id"]},
            }
            async with session.post(twitch.api_base + "eventsub/subscriptions", json=stale, headers=head) as answer:
                assert answer.status == 202

        page = {"data": [], "pagination": {"cursor": "next"}}
        twitch.answer("GET", "eventsub/subscriptions", 200, page)
        await desk.connect()
        left = [sub["condition"]["broadcaster_user_id"] for s in twitch.sessions for sub in s.subscriptions.values()]

    assert twitch.made("GET", "eventsub/subscriptions")[1].query["after"] == ["next"]
    assert twitch.count("DELETE", "eventsub/subscriptions") == 1
    assert "1" in left


async def test_asking_without_a_connection_asks_nothing(desk: Desk, twitch: FakeTwitch) -> None:
    with pytest.raises(NotConnected):
        await desk.ask()

    assert twitch.calls == []


async def test_a_refusal_for_the_rate_tells_when_to_ask_again(desk: Desk, twitch: FakeTwitch) -> None:
    await desk.connect()
    twitch.answer("GET", "users", 429, "Too Many Requests", headers={"Ratelimit-Reset": "1795262460"})

    with pytest.raises(Refused) as raised:
        await desk.ask()

    assert (raised.value.status, raised.value.retry_at) == (429, 1_795_262_460.0)


async def test_what_is_asked_for_reaches_twitch_as_it_was_written(desk: Desk, twitch: FakeTwitch) -> None:
    await desk.connect()

    await desk.ask("search/categories", query="Command & Conquer 100%25 + more")

    assert twitch.made("GET", "search/categories")[0].query == {"query": ["Command & Conquer 100%25 + more"]}
