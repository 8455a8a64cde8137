"""What workflows do on Discord, and what is said of it when it does not go well."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.config import COMMUNITY
from bot.discord.deeds import nonce_of
from bot.discord.pacing import Pacing
from bot.discord.platform import Platform
from bot.discord.service import DiscordService
from bot.drops import Drops, lines_for
from bot.equipment import Equipment
from bot.services.declared import DECLARATIONS
from bot.snapshots import Snapshots
from engine.execution import Done, Effect, Execution, Failed
from tests.discord.conftest import Home, living
from tests.servers.discord import DiscordServer, alone_with, buttons, user

MESSAGES = r"/channels/\d+/messages"


class Place:
    """Hands the service what it needs of a bot that is made after it."""

    def __init__(self, folder: Path) -> None:
        self.bot: Any = None
        self.snapshots = Snapshots(folder / "snapshots")

    def service(self, platform: Callable[[], Platform], patience: float = 5.0) -> DiscordService:
        pacing = Pacing(time.monotonic, Drops(lines_for("Discord"), time.monotonic, lambda _: None))
        return DiscordService(
            DECLARATIONS,
            lambda within: platform().connected(within),
            lambda: self.bot.store,
            self.snapshots,
            pacing,
            patience,
        )


@pytest.fixture
async def acting(discord: DiscordServer, tmp_path: Path, equipped: Equipment) -> AsyncIterator[Home]:
    """A bot whose Discord is the real one."""
    place = Place(tmp_path)
    async with living(discord, tmp_path / "data", equipped, service=place.service) as found:
        place.bot = found.bot
        await found.up()
        yield found


async def does(home: Home, steps: str) -> tuple[str, Any]:
    """Make a workflow of these steps, run it once: how it ended and what came of its last step."""
    made = await home.tell(home.server.owner, f"!wf create act: {steps}")
    if "yes or no" in made["content"]:
        made = await home.tell(home.server.owner, "yes")
    assert "act (v1)" in made["content"], made["content"]
    await home.tell(home.server.owner, "!wf run act")
    runs: list[Execution] = []
    for _ in range(1_000):
        runs = await home.bot.store.executions(COMMUNITY, "act")
        if runs and runs[0].ended_at is not None:
            break
        await asyncio.sleep(0.01)
    (run,) = runs
    rows = await home.bot.store.history(run.id)
    last = rows[-1]
    return run.status, last.error if last.error is not None else last.output


async def test_a_post_is_there_once_with_its_own_nonce(acting: Home):
    server = acting.server
    status, output = await does(acting, 'post "hello" in #general')
    (call,) = [call for call in server.made("POST", MESSAGES) if call.body["content"] == "hello"]

    assert status == "completed"
    assert call.body["enforce_nonce"] is True
    assert output["url"] == f"https://discord.com/channels/{server.guild}/{server.general}/{output['message_id']}"


async def test_a_reply_answers_the_message_that_started_it_in_the_channel_where_that_is(acting: Home):
    server = acting.server
    elsewhere = server.add_channel("elsewhere")
    await server.dispatch("CHANNEL_CREATE", server.channels[elsewhere])
    made = await acting.tell(server.mo, '!wf !ping on discord replies with "pong"')
    await server.say(server.viewer, "!ping", elsewhere)
    (posted,) = await server.until(lambda: server.said(elsewhere))

    assert 'reply "pong" in discord' in made["content"]
    (call,) = [call for call in server.made("POST", MESSAGES) if call.body["content"] == "pong"]
    asked = await acting.event("discord.message.received")
    assert posted["content"] == "pong"
    assert str(call.body["message_reference"]["message_id"]) == asked["message_id"]
    assert not call.body["allowed_mentions"].get("replied_user")


async def test_a_reply_of_a_run_that_no_message_started_needs_the_usual_channel(acting: Home):
    status, error = await does(acting, 'reply "hello" in discord')

    assert status == "failed"
    assert "no channel is named" in str(error)


async def test_everybody_is_pinged_only_by_what_is_written_in_the_step_and_was_said_yes_to(acting: Home):
    server = acting.server
    await does(acting, 'post "live now @everyone" in #general')
    (call,) = [call for call in server.made("POST", MESSAGES) if call.body["content"] == "live now @everyone"]

    assert call.body["allowed_mentions"]["parse"] == ["everyone"]


async def test_what_a_viewer_writes_pings_nobody_when_a_workflow_repeats_it(acting: Home):
    server = acting.server
    await acting.tell(server.mo, '!wf when someone types !echo in discord, post "${arguments}" in #general')
    await server.say(server.viewer, f"!echo @everyone <@&{server.crew}> <@{server.mo['id']}>")
    await acting.until(lambda: any("@everyone" in message["content"] for message in server.said()))
    (call,) = [call for call in server.made("POST", MESSAGES) if call.body["content"].startswith("@everyone")]

    assert call.body["allowed_mentions"]["parse"] == []
    assert not call.body["allowed_mentions"].get("roles")


async def test_the_channels_of_the_server_are_known_by_name(acting: Home):
    server = acting.server
    id = server.add_channel("clips")
    await server.dispatch("CHANNEL_CREATE", server.channels[id])
    await acting.until(lambda: "clips" in acting.bot.settings.names.channels)

    assert (await does(acting, 'post "look" in clips'))[0] == "completed"
    assert [message["content"] for message in server.said(id)] == ["look"]


async def test_a_picture_that_a_step_has_made_is_posted(acting: Home, tmp_path: Path):
    server = acting.server
    name = Snapshots(tmp_path / "snapshots").keep("earlier", b"png")
    step = f'do discord.send_picture with {{"channel_id": "general", "picture": "{name}", "message": "look"}}'
    assert (await does(acting, step))[0] == "completed"
    (call,) = [call for call in server.made("POST", MESSAGES) if call.body["content"] == "look"]
    assert call.files == {"earlier-1.png": b"png"}


async def test_where_no_step_has_made_a_picture_it_is_said_how_to_get_one(acting: Home):
    status, error = await does(acting, "post the screenshot in #general")
    assert status == "failed"
    assert "take a screenshot" in error


async def test_a_channel_that_is_not_there_is_said_with_those_that_are(acting: Home):
    status, error = await does(acting, 'post "look" in #clisp')

    assert status == "failed"
    assert "there is no channel #clisp in Discord; there is #general" in error


async def test_what_was_posted_can_be_edited_pinned_and_deleted_by_what_came_of_it(acting: Home):
    server = acting.server
    status, _ = await does(
        acting,
        'post "a" in #general, edit the discord message "${post.message_id}" to "b", '
        'pin the discord message "${post.message_id}", unpin the discord message "${post.message_id}", '
        'delete the discord message "${post.message_id}"',
    )

    assert status == "completed"
    assert server.made("PATCH", rf"{MESSAGES}/\d+")[0].body["content"] == "b"
    assert len(server.made("PUT", r"/channels/\d+/messages/pins/\d+")) == 1
    assert len(server.made("DELETE", r"/channels/\d+/messages/pins/\d+")) == 1
    assert len(server.made("DELETE", rf"{MESSAGES}/\d+")) == 1


async def test_of_a_card_what_stands_on_it_is_edited_and_the_rest_of_it_stays(acting: Home):
    server = acting.server
    status, _ = await does(
        acting,
        'post a card titled "Live" saying "soon" in #general, edit the discord message "${card.message_id}" to "now"',
    )
    (edited,) = server.made("PATCH", rf"{MESSAGES}/\d+")

    assert status == "completed"
    assert "content" not in edited.body
    assert [(card["title"], card["description"]) for card in edited.body["embeds"]] == [("Live", "now")]


async def test_a_post_that_may_not_be_looked_at_is_edited_as_a_text(acting: Home):
    acting.server.plan("GET", rf"{MESSAGES}/\d+", 403)
    status, _ = await does(acting, 'post "a" in #general, edit the discord message "${post.message_id}" to "b"')

    assert status == "completed"
    assert acting.server.made("PATCH", rf"{MESSAGES}/\d+")[0].body["content"] == "b"


async def test_a_message_is_found_by_its_link_and_by_its_id_alone(acting: Home):
    server = acting.server
    id = await server.say(server.viewer, "look at me")
    link = f"https://discord.com/channels/{server.guild}/{server.general}/{id}"
    status, _ = await does(
        acting, f'react to the discord message "{id}" with "⭐", react to the discord message "{link}" with "🔥"'
    )

    assert status == "completed"
    assert len(server.made("PUT", rf"{MESSAGES}/{id}/reactions/.*/@me")) == 2


async def test_a_role_is_given_and_taken_by_name(acting: Home):
    server = acting.server
    assert (await does(acting, 'give bob the discord role "crew"'))[0] == "completed"
    assert server.members[server.viewer["id"]]["roles"] == [server.crew]


async def test_a_member_with_the_shown_name_of_another_is_not_taken_for_them(acting: Home):
    server = acting.server
    await server.join(user("mallory", shown="bob"))
    await does(acting, 'give bob the discord role "crew"')

    assert [id for id, member in server.members.items() if server.crew in member["roles"]] == [
        server.mo["id"],
        server.viewer["id"],
    ]


async def test_somebody_is_written_to_alone(acting: Home):
    server = acting.server
    status, _ = await does(acting, 'send bob the discord message "psst"')

    assert status == "completed"
    assert [message["content"] for message in server.said(alone_with(server.viewer["id"]))] == ["psst"]


async def test_a_timeout_a_thread_a_card_and_a_status_arrive_as_asked(acting: Home):
    server = acting.server
    status, _ = await does(
        acting,
        'time out bob in discord for 10 minutes, start a thread called "talk" in #general, '
        'post a card titled "T" saying "D" in #general, set the discord status to "live"',
    )

    assert status == "completed"
    assert "communication_disabled_until" in server.made("PATCH", r"/guilds/\d+/members/\d+")[0].body
    assert server.made("POST", r"/channels/\d+/threads")[0].body["name"] == "talk"
    card = server.said()[-1]["embeds"][0] if server.said()[-1]["embeds"] else server.said()[-2]["embeds"][0]
    assert (card["title"], card["description"]) == ("T", "D")


async def test_a_button_of_a_post_is_an_event_when_it_is_pressed(acting: Home):
    server = acting.server
    await does(acting, 'post "who is in?" with the button "Me!" in #general')
    post = next(message for message in server.said() if message["content"] == "who is in?")
    used = await server.click(server.viewer, post, buttons(post)["Me!"])
    event = await acting.event("discord.button.pressed")

    assert used.callbacks[0]["type"] == 6
    assert (event["button"], event["message_id"], event["user"]["name"]) == ("Me!", post["id"], "bob")


# When it does not go well --------------------------------------------------------------------------------------------------


async def test_what_discord_refuses_is_a_failure_in_words(acting: Home):
    acting.server.plan("POST", MESSAGES, 403, {"message": "Missing Permissions", "code": 50013}, text="x")
    status, error = await does(acting, 'post "x" in #general')

    assert status == "failed"
    assert "Discord does not let me: Missing Permissions" in error


async def test_a_text_that_is_too_long_is_a_failure_before_anything_is_sent(acting: Home, tmp_path: Path):
    place = Place(tmp_path)
    place.bot = acting.bot
    service = place.service(lambda: acting.platform)
    effect = Effect(
        "r/p/1",
        COMMUNITY,
        "r",
        "w",
        "p",
        "discord",
        "send_message",
        {"channel_id": "general", "message": "x" * 2_001},
        False,
    )

    assert await service.perform(effect, never) == Failed(
        "too_long", "message has 2,001 characters; Discord takes 2,000"
    )


async def never() -> None:
    raise AssertionError("nothing was to be begun")


async def test_a_rate_limit_is_waited_for_and_the_post_is_made_once(acting: Home):
    acting.server.rate_limited("POST", MESSAGES, 0.05, text="x")
    status, _ = await does(acting, 'post "x" in #general')

    assert status == "completed"
    assert [message["content"] for message in acting.server.said()].count("x") == 1


async def test_a_rate_limit_that_lasts_is_a_failure_with_how_long_it_lasts(acting: Home):
    acting.server.rate_limited("POST", MESSAGES, 600.0, text="x")
    status, error = await does(acting, 'post "x" in #general')

    assert status == "failed"
    assert "Discord wants me to wait 600 seconds" in error


async def test_a_post_whose_answer_is_lost_is_not_made_twice(acting: Home):
    acting.server.plan("POST", MESSAGES, 500, after=True, text="x")
    status, _ = await does(acting, 'post "x" in #general')

    assert status == "completed"
    assert [message["content"] for message in acting.server.said()].count("x") == 1


# After a crash -----------------------------------------------------------------------------------------------------------


async def begun(home: Home, place: "Place") -> tuple[DiscordService, Effect]:
    """A post that was under way when the bot was killed: begun, of no known result."""
    service = place.service(lambda: home.platform, patience=5.0)
    status, _ = await does(home, 'post "other" in #general')
    assert status == "completed"
    (run,) = await home.bot.store.executions(COMMUNITY, "act")
    params = {"message": "x", "channel_id": "general"}
    return service, Effect(
        f"{run.id}/main/post/9", COMMUNITY, run.id, "act", "post", "discord", "send_message", params, False
    )


@pytest.mark.parametrize("echo", [True, False], ids=["by nonce", "by text"])
async def test_a_post_that_was_under_way_at_a_crash_is_found_again(acting: Home, tmp_path: Path, echo: bool):
    place = Place(tmp_path)
    place.bot = acting.bot
    service, effect = await begun(acting, place)
    acting.server.echo_nonce = echo
    body = {"content": "x", "nonce": nonce_of(effect.id)}
    sent = acting.server._keep(acting.server.general, acting.server.me, body)

    settled = await service.settle(effect)

    assert isinstance(settled, Done)
    assert settled.output["message_id"] == sent["id"]


async def test_a_post_that_was_never_made_is_a_failure_that_may_be_tried_again(acting: Home, tmp_path: Path):
    place = Place(tmp_path)
    place.bot = acting.bot
    service, effect = await begun(acting, place)

    assert await service.settle(effect) == Failed("not_sent", "it had not been posted", retryable=True)


async def test_two_posts_that_say_the_same_leave_it_unknown_which_was_which(acting: Home, tmp_path: Path):
    place = Place(tmp_path)
    place.bot = acting.bot
    service, effect = await begun(acting, place)
    acting.server.echo_nonce = False
    for _ in range(2):
        acting.server._keep(acting.server.general, acting.server.me, {"content": "x"})

    assert await service.settle(effect) is None


async def test_without_a_connection_an_effect_fails_as_one_that_may_be_tried_again(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    place = Place(tmp_path)
    discord.accept = False
    async with living(discord, tmp_path, equipped) as home:
        service = place.service(lambda: home.platform, patience=0.05)
        effect = Effect(
            "r/main/post/1", COMMUNITY, "r", "w", "post", "discord", "send_message", {"message": "x"}, False
        )
        result = await service.perform(effect, never)

    assert result == Failed("not_connected", "Discord is not connected", retryable=True)
