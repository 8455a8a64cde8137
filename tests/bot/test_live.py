"""The bot on Twitch from end to end: real store, real engine, real twitchio, and a Twitch on loopback."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.app import Bot, equipment, open_bot
from bot.config import COMMUNITY, DataFolder, Settings, alive_at, with_live, with_names, with_value
from bot.discord import addresses, options
from bot.live import NothingSetUp, run
from bot.log import log_to
from bot.platforms import DISCORD, DiscordThere, Platforms
from bot.services.twitch import METHODS
from bot.tokens import Token, TokenFile
from bot.twitch.broadcast import Broadcast, record_of
from bot.twitch.client import BOT, BROADCASTER
from engine.clock import SystemClock
from engine.events import Event
from engine.execution import Person
from engine.ports import Batch
from storage.sqlite import SQLiteStore
from tests.discord.conftest import QUICK
from tests.on_air import in_no_time
from tests.servers.discord import TOKEN, DiscordServer
from tests.servers.twitch import Account, FakeTwitch, chat_message
from tests.storage.records import revision, waiting, workflow

CHAT = "channel.chat.message"
SCOPES = ("user:read:chat", *{scope for method in METHODS for scope in method.scopes})


class Show:
    """A stream with a bot on it."""

    def __init__(self, twitch: FakeTwitch, folder: DataFolder) -> None:
        self.twitch = twitch
        self.folder = folder
        self.notices: list[str] = []
        self.number = 0
        self._stack = AsyncExitStack()
        self.bot: Bot

    async def set_up(self, *, scopes: tuple[str, ...] = SCOPES) -> None:
        """Leave behind what a set-up does."""
        self.folder.make()
        tokens = TokenFile.open(self.folder.path)
        tokens.put(BOT, Token(*self.twitch.grant("2", *scopes), scopes))
        tokens.put(BROADCASTER, Token(*self.twitch.grant("1", *scopes), scopes))
        given = {
            "twitch.client_id": "client",
            "twitch.api_base": self.twitch.api_base,
            "twitch.id_base": self.twitch.id_base,
            "twitch.eventsub_url": self.twitch.eventsub_url,
        }
        settings, records = Settings(), []
        for key, value in given.items():
            settings, record = with_value(settings, key, value, secret=False)
            records.append(record)
        async with await SQLiteStore.open(self.folder.database) as store:
            await store.commit(Batch(config=records))

    async def begin(self, tokens: TokenFile | None = None) -> None:
        """Open the bot, and wait until it hears the chat."""
        platforms = Platforms(tokens or TokenFile.open(self.folder.path))

        def notice(sentence: str) -> None:
            self.notices.append(sentence)
            platforms.tell(sentence)

        self.bot = await open_bot(
            self._stack,
            self.folder,
            log_to(self.folder.log),
            equipment=equipment(),
            virtual=False,
            on_attempt=lambda _: None,
            notice=notice,
            abroad=platforms.abroad,
        )
        await self._stack.enter_async_context(platforms.running(self.bot))
        await self.twitch.subscribed(CHAT)

    async def again(self) -> None:
        """Close it and open another one."""
        await asyncio.sleep(0.5)  # what is kept beside the messages is kept soon after them
        await self.end()
        self._stack = AsyncExitStack()
        await self.begin()

    async def redemptions(self) -> list[Event]:
        """The rewards that were redeemed."""
        return [event for event in await self.bot.store.events(COMMUNITY, 100) if event.name == "reward.redeemed"]

    async def until_standing(self, standing: dict[str, tuple[str, ...]]) -> None:
        """Wait until it is known who is staff."""
        async with asyncio.timeout(20):
            while dict(self.bot.standing) != standing:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def end(self) -> None:
        """Close it in good order."""
        await self._stack.aclose()

    async def typed(self, text: str, *badges: str, login: str = "ninja", user: str = "3") -> str:
        """Somebody types something."""
        self.number += 1
        id = f"typed-{self.number}"
        await self.twitch.notify(CHAT, chat_message(text, id=id, login=login, user=user, badges=badges))
        return id

    async def mod(self, text: str) -> str:
        """The moderator types something, and is answered."""
        id = await self.typed(text, "moderator", login="mod", user="5")

        def answers() -> list[str]:
            sent = self.twitch.made("POST", "chat/messages")
            return [call.body["message"] for call in sent if call.body.get("reply_parent_message_id") == id]

        await self.twitch.until(answers)
        return answers()[0]

    def said(self) -> list[str]:
        """What the bot said in the chat."""
        return [call.body["message"] for call in self.twitch.made("POST", "chat/messages")]

    async def until_said(self, holds: Callable[[list[str]], object]) -> None:
        """Wait until the bot has said something."""
        await self.twitch.until(lambda: holds(self.said()))

    async def counter(self, name: str) -> int:
        """Where a counter stands."""
        found = [row.value for row in await self.bot.store.data(COMMUNITY) if row.key.endswith(name)]
        return int(found[0]["value"]) if found else 0

    async def until_live(self, live: bool) -> None:
        """Wait until the stream is taken to be live, or not to be."""
        async with asyncio.timeout(20):
            while self.bot.settings.live is not live:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def names(self, prefix: str) -> list[str]:
        """The names of what has happened, latest first, that begin so."""
        found = [event.name for event in await self.bot.store.events(COMMUNITY, 100)]
        return [name for name in found if name.startswith(prefix)]

    async def until_stored(self, holds: Callable[[list[Event]], object]) -> None:
        """Wait until what has happened is in the store, looking from outside as another process would."""
        async with asyncio.timeout(20), await SQLiteStore.open(self.folder.database, read_only=True) as store:
            while not holds(await store.events(COMMUNITY)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest.fixture
async def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Show]:
    in_no_time(monkeypatch)
    async with FakeTwitch() as twitch:
        made = Show(twitch, DataFolder(tmp_path / "data"))
        await made.set_up()
        yield made
        await made.end()


async def test_a_workflow_written_in_the_twitch_chat_runs_when_twitch_tells_of_its_event(show: Show) -> None:
    await show.begin()

    reply = await show.mod(
        '!wf when someone raids with more than 5 viewers, say "welcome ${user}!", then shout them out'
    )
    await show.twitch.subscribed("channel.raid")
    raid = {
        "from_broadcaster_user_id": "3",
        "from_broadcaster_user_login": "ninja",
        "from_broadcaster_user_name": "Ninja",
        "to_broadcaster_user_id": "1",
        "to_broadcaster_user_login": "streamer",
        "to_broadcaster_user_name": "Streamer",
        "viewers": 12,
    }
    await show.twitch.notify("channel.raid", raid, id="raid-1")
    await show.twitch.notify("channel.raid", raid, id="raid-1")
    await show.twitch.notify("channel.raid", raid, id="raid-2")
    await show.twitch.until(lambda: show.twitch.count("POST", "chat/shoutouts"))

    assert reply.startswith("Created ")
    assert show.said()[1:] == ["welcome Ninja!"]
    assert show.twitch.made("POST", "chat/shoutouts")[0].query["to_broadcaster_id"] == ["3"]


async def test_a_reply_answers_the_message_it_belongs_to(show: Show) -> None:
    await show.begin()

    id = await show.typed("!wf list", "moderator", login="mod", user="5")
    await show.until_said(len)

    assert show.twitch.made("POST", "chat/messages")[0].body["reply_parent_message_id"] == id


async def test_a_pair_that_a_bot_renewed_while_it_left_is_not_lost_to_the_one_that_follows(show: Show) -> None:
    read_early = TokenFile.open(show.folder.path)
    await show.begin()
    show.twitch.expire()
    await show.mod("!wf list")
    await show.end()
    show._stack = AsyncExitStack()
    show.twitch.expire()

    await show.begin(read_early)

    assert "no workflow" in (await show.mod("!wf list")).lower()


async def test_the_same_instruction_told_twice_is_carried_out_once(show: Show) -> None:
    await show.begin()
    said = chat_message('!wf create hello: say "hi"', id="once", login="mod", user="5", badges=("moderator",))

    await show.twitch.notify(CHAT, said, id="n1")
    await show.twitch.notify(CHAT, said, id="n1")
    await show.twitch.notify(CHAT, said, id="n2")
    await show.mod("!wf list")

    assert [line.split()[0] for line in show.said()][:1] == ["Created"]
    assert len(show.said()) == 2


async def test_a_viewer_may_not_change_workflows(show: Show) -> None:
    await show.begin()

    await show.typed("!wf create hello: say hi", "vip", "subscriber")
    await show.until_said(len)

    assert "Only the streamer and moderators" in show.said()[0]


async def test_the_bots_own_words_start_nothing(show: Show) -> None:
    await show.begin()
    await show.mod('!wf create echo: when someone says "hello", say "hello you"')
    await show.typed("hello")
    await show.until_said(lambda said: "hello you" in said)

    await show.twitch.notify(CHAT, chat_message("hello", id="own-1", login="bot", user="2"))
    await show.twitch.notify(CHAT, chat_message("hello you", id="own-2", login="bot", user="2"))
    await show.until_stored(lambda events: {"own-1", "own-2"} <= {event.id for event in events})

    assert len(await show.bot.store.executions(COMMUNITY, "echo")) == 1
    assert [event.own for event in await show.bot.store.events(COMMUNITY, 2)] == [True, True]


async def test_what_is_learnt_at_once_is_all_kept(show: Show) -> None:
    await show.begin()
    before = show.bot.settings

    await asyncio.gather(
        show.bot.set(with_live(before, on=True)),
        show.bot.set(with_value(before, "stream.title", "Hello", secret=False)),
        show.bot.set(with_names(before, "rewards", ("Hydrate",))),
    )

    now = show.bot.settings
    assert (now.live, now.values["stream.title"], now.names.rewards) == (True, "Hello", ("Hydrate",))


async def test_a_step_without_its_scope_is_told_when_it_is_written_with_how_to_grant_it(show: Show) -> None:
    await show.set_up(scopes=("user:read:chat", "user:write:chat"))
    await show.begin()

    reply = await show.mod("!wf when someone raids, shout them out")
    deaf = await show.mod('!wf when someone cheers, say "thanks"')

    assert "twitch has not granted me moderator:manage:shoutouts, so it would refuse this" in reply
    assert "allow it with: showcaller setup twitch" in reply
    assert "twitch has not granted me bits:read, so I do not hear of it" in deaf


async def test_what_is_known_of_the_stream_is_looked_up_at_the_start_and_heard_of_later(show: Show) -> None:
    show.twitch.live = True
    show.twitch.answer("GET", "channels", 200, {"data": [{"title": "Hello", "game_name": "Chess"}]})
    await show.begin()
    await show.twitch.until(lambda: show.twitch.count("GET", "channels"))
    # Whoever looks again finds what was told.
    show.twitch.live = False
    show.twitch.answer("GET", "channels", 200, {"data": [{"title": "Bye", "game_name": "Chess"}]}, times=100)
    await show.twitch.notify("channel.update", {"title": "Bye", "category_name": "Chess"})
    await show.twitch.notify("stream.offline", {"broadcaster_user_id": "1"})
    await show.mod("!wf list")

    await show.until_live(False)
    async with asyncio.timeout(20):
        while show.bot.settings.values.get("stream.title") != "Bye":  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_what_is_told_of_the_stream_in_the_wrong_order_counts_in_the_right_one(show: Show) -> None:
    await show.begin()
    await show.twitch.until(lambda: show.twitch.count("GET", "channels"))
    online, offline = {"id": "s1", "type": "live", "broadcaster_user_id": "1"}, {"broadcaster_user_id": "1"}

    await show.twitch.notify("stream.offline", offline, at="2026-11-21T12:00:05Z")
    await show.twitch.notify("stream.online", online, at="2026-11-21T12:00:04Z")
    await show.until_stored(lambda events: {"stream.started", "stream.ended"} <= {event.name for event in events})
    await show.mod("!wf list")

    assert show.bot.settings.live is False


async def test_a_stream_that_begins_while_a_socket_is_lost_is_told_once_when_it_is_mended(show: Show) -> None:
    await show.begin()
    await show.mod('!wf when the stream starts, say "we are live: ${title}"')
    await show.twitch.until(lambda: show.twitch.count("GET", "channels"))
    told: dict[str, Any] = {"id": "9", "type": "live", "broadcaster_user_id": "1"}

    show.twitch.live = True
    show.twitch.answer("GET", "channels", 200, {"data": [{"title": "Hello", "game_name": "Chess"}]})
    await show.twitch.drop(show.twitch.session_of("stream.online"), 1006)
    await show.until_said(lambda said: "we are live: Hello" in said)
    await show.twitch.subscribed("stream.online")
    await show.twitch.notify("stream.online", told)
    await show.twitch.notify("stream.online", told)
    await show.until_live(True)
    await show.mod("!wf list")

    assert show.said().count("we are live: Hello") == 1
    assert await show.names("stream.") == ["stream.started"]


async def test_a_stream_that_ended_and_another_that_began_while_nobody_was_there_are_told_at_the_start(
    show: Show,
) -> None:
    records = [with_live(Settings(), on=True)[1], record_of(Broadcast("8", 1.0, "on"))]
    async with await SQLiteStore.open(show.folder.database) as store:
        await store.commit(Batch(config=records))
    show.twitch.live = True
    await show.begin()
    await show.until_stored(lambda events: "stream.started" in [event.name for event in events])

    assert await show.names("stream.") == ["stream.started", "stream.ended"]


async def test_the_end_of_a_stream_that_was_found_by_looking_is_the_one_that_twitch_tells_late(show: Show) -> None:
    show.twitch.live = True
    await show.begin()
    await show.until_live(True)

    show.twitch.live = False
    await show.twitch.drop(show.twitch.session_of("stream.offline"), 1006)
    await show.until_stored(lambda events: "stream.ended" in [event.name for event in events])
    await show.twitch.subscribed("stream.offline")
    await show.twitch.notify("stream.offline", {"broadcaster_user_id": "1"})
    await show.twitch.notify("stream.online", {"id": "10", "type": "live", "broadcaster_user_id": "1"})
    await show.until_live(True)
    await show.twitch.notify("stream.offline", {"broadcaster_user_id": "1"})
    await show.until_live(False)

    async with asyncio.timeout(20):
        while (names := await show.names("stream.")).count("stream.ended") < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert names == ["stream.ended", "stream.started", "stream.ended", "stream.started"]


async def test_while_the_stream_is_live_its_viewers_are_known_and_a_clip_is_told_of_once(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.twitch.front.WATCH_EVERY", 0.1)
    show.twitch.live = True
    await show.begin()
    told = await show.mod('!wf when a clip is made, say "${user} made ${url} for ${viewers}"')
    clip = {"id": "c1", "url": "https://clips.twitch.tv/c1", "creator_id": "3", "creator_name": "Ninja", "title": "wow"}
    show.twitch.answer("GET", "clips", 200, {"data": [clip]}, times=3)
    await show.until_said(lambda said: "Ninja made https://clips.twitch.tv/c1 for 12" in said)
    asked = show.twitch.count("GET", "clips")
    await show.twitch.until(lambda: show.twitch.count("GET", "clips") > asked + 2)

    assert "I do not hear" not in told
    assert len([line for line in show.said() if line.startswith("Ninja made")]) == 1
    assert show.twitch.made("GET", "clips")[0].query["broadcaster_id"] == ["1"]


async def test_nobody_looks_for_clips_that_no_workflow_waits_for(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.twitch.front.WATCH_EVERY", 0.05)
    show.twitch.live = True
    await show.begin()
    await show.twitch.until(lambda: show.twitch.count("GET", "streams") > 3)

    assert show.twitch.count("GET", "clips") == 0


REDEMPTION = "channel.channel_points_custom_reward_redemption.add"


def redeemed(user: str, login: str) -> dict[str, Any]:
    who = {"user_id": user, "user_login": login, "user_name": login.capitalize()}
    return {"id": f"by-{user}", "broadcaster_user_id": "1", **who, "reward": {"title": "Hydrate", "cost": 1}}


async def test_a_vip_is_one_after_a_restart_though_what_they_redeem_does_not_say_so(show: Show) -> None:
    await show.begin()
    await show.mod('!wf when someone redeems Hydrate, say "cheers ${user}"')
    await show.mod("!wf only vips may run hydrate")
    await show.typed("hello", "vip", login="vee", user="8")
    await show.mod("!wf list")
    await show.again()
    await show.twitch.subscribed(REDEMPTION)

    await show.twitch.notify(REDEMPTION, redeemed("9", "nobody"))
    await show.twitch.notify(REDEMPTION, redeemed("8", "vee"))
    await show.until_said(lambda said: "cheers Vee" in said)

    roles = {event.payload["user"]["name"]: event.payload["user"]["roles"] for event in await show.redemptions()}
    assert roles == {"Nobody": [], "Vee": ["vip"]}


async def test_who_is_no_moderator_any_more_is_known_though_no_workflow_asks_and_nobody_was_there(show: Show) -> None:
    await show.set_up(scopes=(*SCOPES, "moderation:read"))
    await show.begin()
    await show.mod("!wf list")
    await show.typed("hello", "moderator", login="max", user="7")
    await show.until_standing({"twitch:5": ("moderator",), "twitch:7": ("moderator",)})

    await show.twitch.subscribed("channel.moderator.remove")
    gone = {"broadcaster_user_id": "1", "user_id": "5", "user_login": "mod", "user_name": "Mod"}
    await show.twitch.notify("channel.moderator.remove", gone)
    await show.until_standing({"twitch:5": (), "twitch:7": ("moderator",)})
    show.twitch.accounts["6"] = Account("6", "named")  # it comes first: what is found of both is known with the other
    await show.bot.set(with_value(show.bot.settings, "twitch.people.moderator", "named", secret=False))
    await show.typed("hello", login="named", user="6")
    await show.until_standing({"twitch:5": (), "twitch:6": ("moderator",), "twitch:7": ("moderator",)})
    show.twitch.no_moderators |= {"6", "7"}
    await show.again()

    await show.until_standing({"twitch:5": (), "twitch:6": ("moderator",), "twitch:7": ()})
    assert show.twitch.made("GET", "moderation/moderators")[-1].query["user_id"] == ["6", "7"]


async def test_the_first_message_of_somebody_is_told_once_in_all_that_the_bot_has_seen(show: Show) -> None:
    await show.begin()
    await show.typed("hello", login="old", user="8")
    await show.mod("!wf list")
    await asyncio.sleep(0.5)
    told = await show.mod('!wf when someone chats for the first time, say "welcome ${user}: ${message}"')
    await show.typed("hi again", login="old", user="8")
    await show.typed("hi", login="new", user="9")
    await show.until_said(lambda said: "welcome New: hi" in said)
    await show.again()
    await show.typed("hi again", login="new", user="9")
    await show.typed("hey", login="newer", user="10")
    await show.until_said(lambda said: "welcome Newer: hey" in said)

    assert "I do not hear" not in told
    assert [line for line in show.said() if line.startswith("welcome")] == ["welcome New: hi", "welcome Newer: hey"]


async def test_the_rewards_of_the_channel_are_known_by_their_names(show: Show) -> None:
    rewards = [{"id": "r1", "title": "Hydrate"}, {"id": "r2", "title": "Do ten push-ups"}]
    show.twitch.answer("GET", "channel_points/custom_rewards", 200, {"data": rewards})
    await show.begin()
    async with asyncio.timeout(20):
        while not show.bot.settings.names.rewards:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    reply = await show.mod('!wf when someone redeems hydrat, say "cheers"')

    assert "Hydrate" in reply


async def test_what_is_under_way_at_the_end_still_ends_and_is_not_done_again(show: Show) -> None:
    await show.begin()
    await show.mod('!wf create once: say "only once"')
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        asked.set()
        await answered.wait()

    data = {"message_id": "slow-1", "is_sent": True, "drop_reason": None}
    await show.twitch.until(lambda: True)
    show.twitch.answer("POST", "chat/messages", 200, {"data": [data]}, before=slow)
    await show.bot.runner.run(COMMUNITY, "once", {}, Person("mod", "twitch", ("moderator",)))
    await asked.wait()
    ending = asyncio.create_task(show.end())
    await asyncio.sleep(0.05)
    answered.set()
    await ending

    async with await SQLiteStore.open(show.folder.database) as store:
        (run,) = await store.executions(COMMUNITY, "once")
        assert (run.status, await store.outbox(COMMUNITY)) == ("completed", [])


async def test_of_a_flood_with_repeats_and_moves_nothing_is_lost_and_nothing_counted_twice(show: Show) -> None:
    await show.begin()
    await show.mod("!wf when someone types !hit, add 1 to the hits counter")
    most = 600
    for number in range(most):
        said = chat_message("!hit" if number % 3 == 0 else "hello", id=f"flood-{number}", user=str(100 + number))
        id = await show.twitch.notify(CHAT, said)
        if number % 5 == 0:
            await show.twitch.notify(CHAT, said, id=id)
        if number % 7 == 0:
            await show.twitch.notify(CHAT, said)
        if number == most // 2:
            await show.twitch.move(show.twitch.session_of(CHAT))

    wanted = most // 3
    async with asyncio.timeout(50):
        while (hits := await show.counter("hits")) < wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await show.mod("!wf list")
    assert hits == await show.counter("hits") == wanted


async def test_an_outage_is_told_once_and_what_is_asked_meanwhile_is_done_afterwards(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.twitch.subscriptions.RETRY_FIRST", 0.05)
    await show.begin()
    await show.mod('!wf create once: say "only once"')
    await show.twitch.until(lambda: show.twitch.count("GET", "channels"))  # that is asked once it is connected
    monkeypatch.setattr("bot.supervise.TOLD_AFTER", 0.05)
    await show.twitch.stop()
    async with asyncio.timeout(20):
        while not show.notices:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    await show.bot.runner.run(COMMUNITY, "once", {}, Person("mod", "twitch", ("moderator",)))
    await show.twitch.__aenter__()
    await show.twitch.subscribed(CHAT)
    await show.until_said(lambda said: "only once" in said)
    async with asyncio.timeout(20):
        while len(show.notices) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    gone, back = show.notices
    assert gone.startswith("Twitch is gone since ")
    assert "(its events do not reach me)" in gone
    assert back.startswith("Twitch is back after ")


# Both platforms ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def discord(show: Show, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    """A Discord beside the Twitch, set up for the show."""
    monkeypatch.setattr(DiscordThere, "pace", QUICK)
    server = await DiscordServer().start()
    TokenFile.open(show.folder.path).put(DISCORD, Token(TOKEN))
    settings, records = Settings(), []
    for key, value in server.settings.items():
        settings, record = with_value(settings, key, value, secret=False)
        records.append(record)
    async with await SQLiteStore.open(show.folder.database) as store:
        await store.commit(Batch(config=records))
    yield server
    await show.end()
    await server.stop()
    addresses.use(options.API_BASE, options.GATEWAY_URL)


async def test_what_happens_on_twitch_is_done_on_discord_by_a_workflow_written_there(
    show: Show, discord: DiscordServer
) -> None:
    await show.begin()
    await discord.until(lambda: discord.commands)
    await discord.say(discord.owner, '!wf when the stream starts, post "we are live!" in #general')
    await discord.until(discord.said)

    await show.twitch.notify("stream.online", {"id": "s1", "type": "live", "broadcaster_user_id": "1"})

    await discord.until(lambda: [line for line in discord.said() if line["content"] == "we are live!"])


async def test_a_discord_that_refuses_the_bot_is_told_once_and_twitch_goes_on(
    show: Show, discord: DiscordServer
) -> None:
    discord.invalid_token = True
    await show.begin()

    assert await show.mod("!wf list")
    assert [line for line in show.notices if line.startswith("Discord")] == [
        "Discord stays off until that is mended: Discord does not take the bot's token. "
        "Put in a new one: showcaller setup. Everything else goes on."
    ]


async def test_how_long_it_was_away_and_what_it_missed_is_said_once_on_both_platforms(
    show: Show, discord: DiscordServer
) -> None:
    mods = discord.add_channel("mods")
    now = SystemClock().now()
    missed = Batch(
        workflows=[workflow(community=COMMUNITY)],
        revisions=[revision(community=COMMUNITY)],
        executions=[waiting("e1", due=now - 100.0, community=COMMUNITY)],
        config=[alive_at(now - 241.0), with_value(Settings(), "discord.mod_channel", "mods", secret=False)[1]],
    )
    async with await SQLiteStore.open(show.folder.database) as store:
        await store.commit(missed)
    sentence = "Back after 4 minutes: 1 wait was due meanwhile."

    await show.begin()
    await show.until_said(lambda said: sentence in said)
    await discord.until(lambda: [line for line in discord.said(mods) if line["content"] == sentence])
    await show.twitch.drop(show.twitch.session_of(CHAT), 1006)
    await show.twitch.subscribed(CHAT)
    await show.mod("!wf list")

    assert show.said().count(sentence) == 1
    assert [line["content"] for line in discord.said(mods)].count(sentence) == 1


async def test_what_it_missed_is_not_said_in_the_twitch_chat_if_that_is_switched_off(show: Show) -> None:
    now = SystemClock().now()
    missed = Batch(
        workflows=[workflow(community=COMMUNITY)],
        revisions=[revision(community=COMMUNITY)],
        executions=[waiting("e1", due=now - 100.0, community=COMMUNITY)],
        config=[alive_at(now - 241.0), with_value(Settings(), "twitch.notices", "off", secret=False)[1]],
    )
    async with await SQLiteStore.open(show.folder.database) as store:
        await store.commit(missed)

    await show.begin()
    await show.mod("!wf list")

    assert [sentence for sentence in show.notices if sentence.startswith("Back after 4 minutes")]
    assert not [line for line in show.said() if line.startswith("Back after")]


# The program -------------------------------------------------------------------------------------------------------------------


class Program:
    """`showcaller run` as a process."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._folder = folder
        self._environment = environment
        self.process: asyncio.subprocess.Process
        self.printed: list[str] = []

    async def __aenter__(self) -> "Program":
        code = "from bot.__main__ import main; main()"
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, "run", "--data", str(self._folder),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, **self._environment},
        )  # fmt: skip
        return self

    async def line(self, words: str) -> None:
        """Wait for a printed line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(40):
            while line := (await self.process.stdout.readline()).decode():
                self.printed.append(line)
                if words in line:
                    return
        raise AssertionError(f"{words!r} was not printed: {self.printed}")

    async def __aexit__(self, *_: Any) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()


@pytest.mark.timeout(150)
async def test_the_program_runs_until_it_is_told_to_end_and_shows_no_token(show: Show) -> None:
    async with Program(show.folder.path) as program:
        await program.line("I am here")
        await show.twitch.subscribed(CHAT)
        await show.mod("!wf list")
        show.twitch.expire()
        await show.mod("!wf list")
        program.process.send_signal(signal.SIGTERM)
        out, err = await program.process.communicate()

    assert program.process.returncode == 0
    written = "".join([*program.printed, out.decode(), err.decode(), show.folder.log.read_text()])
    secrets = [*show.twitch.grants, *(call.query.get("refresh_token", [""])[0] for call in show.twitch.calls)]
    assert "Leaving" in written
    assert not [secret for secret in secrets if secret and secret in written]


@pytest.mark.timeout(150)
async def test_a_wait_outlives_a_kill_and_a_line_cut_off_by_it_is_known_by_its_own_message(show: Show) -> None:
    async def sent_but_not_answered() -> None:
        own = chat_message("brewing", id="own-1", login="bot", user="2", badges=("moderator",))
        await show.twitch.notify(CHAT, own)
        await asyncio.Event().wait()

    async with Program(show.folder.path) as program:
        await program.line("I am here")
        await show.twitch.subscribed(CHAT)
        await show.mod(
            '!wf create tea: when someone says "!tea", say "brewing", wait 2 seconds, then say "tea is ready"'
        )
        show.twitch.answer("POST", "chat/messages", 200, before=sent_but_not_answered)
        await show.typed("!tea")
        await show.until_stored(lambda events: [event for event in events if event.own])
        program.process.send_signal(signal.SIGKILL)
        await program.process.wait()

    async with Program(show.folder.path) as program:
        await show.until_said(lambda said: "tea is ready" in said)
        program.process.send_signal(signal.SIGTERM)
        await program.process.communicate()

    said = [line for line in show.said() if not line.startswith("Back after")]  # it says so if that took long
    assert said[1:] == ["brewing", "tea is ready"]


async def test_nothing_set_up_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingSetUp, match="Begin with: showcaller setup"):
        await run(DataFolder(tmp_path), log_to(tmp_path / "log"), print)


async def test_a_right_that_discord_does_not_give_is_told_when_a_step_needs_it_and_not_while_it_does(
    show: Show, discord: DiscordServer
) -> None:
    may_nothing = discord.add_role("bot only")
    discord.members[discord.me["id"]]["roles"] = [may_nothing]
    await show.begin()
    await discord.until(lambda: discord.commands)

    without = await show.mod("!wf create hi: say hello, then post hello in #general")
    await show.typed(
        '!wf create club: when someone follows, give ${user} the role "Crew"', "broadcaster", login="streamer", user="1"
    )
    await show.until_said(lambda said: any("Manage Roles" in line for line in said))
    told = next(line for line in show.said() if "Manage Roles" in line)

    assert "granted" not in without
    assert "discord has not granted me Manage Roles, so it would refuse this" in told
    assert "allow it with: showcaller setup discord" in told


async def test_what_the_switches_of_discord_keep_from_the_bot_is_told_when_a_workflow_waits_for_it(
    show: Show, discord: DiscordServer
) -> None:
    async with await SQLiteStore.open(show.folder.database) as store:
        _, record = with_value(Settings(), "discord.members", "off", secret=False)
        await store.commit(Batch(config=[record]))
    await show.begin()

    told = await show.mod("!wf when someone joins the discord, say welcome")

    assert "discord has not granted me its Server Members Intent, so I do not hear of it" in told


@pytest.mark.parametrize("notices", ["on", "off"])
async def test_that_discord_is_gone_is_told_in_the_twitch_chat_unless_that_is_switched_off(
    show: Show, discord: DiscordServer, monkeypatch: pytest.MonkeyPatch, notices: str
) -> None:
    monkeypatch.setattr("bot.supervise.TOLD_AFTER", 0.05)
    async with await SQLiteStore.open(show.folder.database) as store:
        await store.commit(Batch(config=[with_value(Settings(), "twitch.notices", notices, secret=False)[1]]))
    await show.begin()
    await discord.until(lambda: discord.commands)
    await discord.stop()
    async with asyncio.timeout(20):
        while not any("Discord is gone" in line for line in show.notices):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await show.mod("!wf list")
    if notices == "on":
        await show.until_said(lambda said: any("Discord is gone" in line for line in said))

    assert any("Discord is gone" in line for line in show.said()) is (notices == "on")


async def test_what_is_changed_on_one_platform_is_told_on_the_other_where_that_is_wanted(
    show: Show, discord: DiscordServer
) -> None:
    mods = discord.add_channel("mods")
    wanted = {"discord.mod_channel": "#mods", "discord.edits": "on", "twitch.edits": "on"}
    async with await SQLiteStore.open(show.folder.database) as store:
        await store.commit(Batch(config=[with_value(Settings(), *each, secret=False)[1] for each in wanted.items()]))
    await show.begin()
    await discord.until(lambda: discord.commands)

    await show.mod('!wf create tea: say "tea"')
    await show.mod("!wf show tea")
    await show.mod("!wf run tea")
    await discord.until(lambda: discord.said(mods))
    await discord.say(discord.owner, "!wf in tea add wait 5 seconds")
    await show.until_said(lambda said: any("Discord" in line for line in said))

    assert [line["content"] for line in discord.said(mods)] == ['Mod on Twitch: Create tea: 1 say "tea".']
    assert [line for line in show.said() if "Discord" in line] == [
        "streamer on Discord: tea v2: add as step 2 wait 5 seconds."
    ]


async def test_what_is_too_long_for_twitch_is_a_file_where_moderators_read_in_discord(
    show: Show, discord: DiscordServer
) -> None:
    mods = discord.add_channel("mods")
    async with await SQLiteStore.open(show.folder.database) as store:
        record = with_value(Settings(), "discord.mod_channel", "#mods", secret=False)[1]
        await store.commit(Batch(config=[record]))
    await show.begin()
    await discord.until(lambda: discord.commands)
    await show.mod(f'!wf create tea: say "{"line " * 90}"')
    for _ in range(2):
        await show.mod(f'!wf in tea add say "{"line " * 90}"')
    said = await show.mod("!wf show tea")
    exported = await show.mod("!wf export tea as json")

    await discord.until(lambda: len(discord.said(mods)) == 2)
    assert said.endswith("All of it is in #mods on Discord.")
    assert exported.endswith("All of it is in #mods on Discord.")
    assert discord.said(mods)[0]["content"] == "Mod asked on Twitch: `!wf show tea`"
    shown, written = (message["attachments"][0] for message in discord.said(mods))
    assert [shown["filename"], written["filename"]] == ["tea.workflow", "tea.json"]
    assert discord.uploads[shown["url"].rpartition("/")[2]].decode().count("say ") == 3


async def test_nobody_is_told_elsewhere_of_changes_who_did_not_ask_for_it(show: Show, discord: DiscordServer) -> None:
    await show.begin()
    await discord.until(lambda: discord.commands)
    await discord.say(discord.owner, '!wf create tea: say "tea"')
    await discord.until(discord.said)
    await show.mod("!wf list")

    assert [line for line in show.said() if "Discord" in line] == []
