"""The connection: what breaks the library does not break the bot, and nothing is lost that Discord still has."""

import asyncio
from pathlib import Path

from bot.discord.settled import Pace
from bot.equipment import Equipment
from tests.discord.conftest import QUICK, Home, living
from tests.servers.discord import DiscordServer


async def heard(home: Home, text: str) -> None:
    """The bot hears what is said now."""
    await home.server.say(home.server.viewer, text)
    for _ in range(500):
        if text in [event["message"] for event in await home.events("discord.message.received")]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{text} was not heard")


async def test_a_lost_connection_is_resumed_and_what_was_said_meanwhile_is_heard_once(home: Home):
    server = home.server
    await server.drop(1001)
    await server.say(server.viewer, "meanwhile")
    await home.until(lambda: server.resumed)
    await heard(home, "afterwards")

    texts = [event["message"] for event in await home.events("discord.message.received")]
    assert texts == ["meanwhile", "afterwards"]
    assert len(server.identified) == 1


async def test_asked_to_reconnect_it_resumes(home: Home):
    await home.server.operate(7)
    await home.until(lambda: home.server.resumed)

    await heard(home, "hello")


async def test_an_invalid_session_is_begun_anew(home: Home):
    await home.server.operate(9, data=False)
    await home.until(lambda: len(home.server.identified) == 2)

    await heard(home, "hello")


async def test_a_connection_that_gives_no_sign_of_life_is_replaced(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    discord.heartbeat = 100
    discord.acknowledge = False
    pace = Pace(guilds=0.05, heartbeat=0.5, identify=0.01, rate=1.0)
    async with living(discord, tmp_path, equipped, pace=pace) as home:
        await home.up()
        await home.until(lambda: discord.resumed)
        discord.acknowledge = True

        await heard(home, "hello")


async def test_a_token_that_is_not_taken_stops_discord_with_what_to_do_and_nothing_else(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    async with living(discord, tmp_path, equipped, token="wrong") as home:
        await home.until(lambda: home.notices)

        assert "showcaller setup" in home.notices[0]
        assert "wrong" not in home.notices[0]
        assert home.pauses == []


async def test_a_token_that_stops_being_taken_stops_discord_with_what_to_do(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    discord.close_at_identify = 4004
    async with living(discord, tmp_path, equipped) as home:
        await home.until(lambda: home.notices)

        assert "showcaller setup" in home.notices[0]
        assert home.pauses == []


async def test_an_intent_that_is_not_granted_is_named_with_where_to_switch_it_on(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    discord.close_at_identify = 4014
    async with living(discord, tmp_path, equipped) as home:
        await home.until(lambda: home.notices)

        assert "Message Content Intent" in home.notices[0]
        assert home.pauses == []


async def test_an_answer_that_meets_a_rate_limit_comes_later_and_once(home: Home):
    home.server.rate_limited("POST", r"/channels/\d+/messages", 0.05)
    said = await home.tell(home.server.mo, "!wf list")

    assert said["content"]
    assert len(home.server.said()) == 1


async def test_closing_takes_no_time_and_leaves_no_task(discord: DiscordServer, tmp_path: Path, equipped: Equipment):
    before = asyncio.all_tasks()
    async with living(discord, tmp_path, equipped, pace=QUICK) as home:
        await home.up()
        began = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - began < 2
    left = {
        task
        for task in asyncio.all_tasks() - before
        if "aiohttp" not in str(task) and "RequestHandler" not in str(task)
    }
    assert left == set()


async def test_a_home_that_it_is_not_in_is_said_with_the_way_in(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    async with living(discord, tmp_path, equipped, settings={"discord.guilds": "123456789012345678"}) as home:
        await home.until(lambda: home.notices)

        assert "(123456789012345678)" in home.notices[0]
        assert f"client_id={discord.application}" in home.notices[0]


async def test_sent_away_from_its_home_it_says_so_with_the_way_back_and_once_back_it_works_again(home: Home):
    server = home.server
    await server.dispatch("GUILD_DELETE", {"id": server.guild})
    await home.until(lambda: home.notices)
    await server.dispatch("GUILD_CREATE", server._guild())

    assert f"client_id={server.application}" in home.notices[0]
    assert "raid" in (await home.tell(server.mo, '!wf when someone raids, say "hi"'))["content"]
