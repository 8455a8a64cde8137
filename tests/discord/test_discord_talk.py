"""Talking to the bot on Discord, by prefix, by mention and by slash command."""

from pathlib import Path

import pytest

from bot.equipment import Equipment
from tests.discord.conftest import Home, living
from tests.servers.discord import DiscordServer, buttons, snowflake, user

RAID = '!workflow when a raid comes in, say "welcome!"'


def names(home: Home) -> list[str]:
    return [entry.id for entry in home.bot.conversation.catalogue.there()]


async def test_a_moderator_makes_a_workflow_by_talking_and_the_answer_is_a_reply_that_pings_nobody(home: Home):
    said = await home.tell(home.server.mo, RAID)

    assert said["content"].startswith("Created ")
    assert names(home) == ["raid"]
    (call,) = home.server.made("POST", rf"/channels/{home.server.general}/messages")
    assert call.body["message_reference"]["fail_if_not_exists"] is False
    assert call.body["allowed_mentions"] == {"parse": [], "replied_user": False}


async def test_the_short_prefix_a_mention_and_the_owner_count_too(home: Home):
    server = home.server
    assert "Created" in (await home.tell(server.mo, '!wf when a raid comes in, say "hi"'))["content"]
    assert "raid" in str(await home.tell(server.owner, f"<@{server.me['id']}> list"))


async def test_whoever_holds_no_right_is_refused_and_nothing_changes(home: Home):
    said = await home.tell(home.server.viewer, RAID)

    assert said["content"] == "Only the streamer and moderators can change workflows."
    assert names(home) == []


async def test_a_webhook_or_another_bot_that_calls_itself_mo_is_nobody(home: Home):
    server = home.server
    other = server.add_member(user("helper", bot=True), server.crew)
    await server.say(other, RAID)
    await server.say(server.mo, RAID, webhook=snowflake())
    await home.tell(server.viewer, "!wf list")

    assert names(home) == []


async def test_a_role_counts_as_one_of_ours_once_the_streamer_has_said_so(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    helpers = discord.add_role("Helpers")
    eve = discord.add_member(user("eve"), helpers)
    async with living(discord, tmp_path, equipped, settings={"discord.roles.moderator": "@Helpers, Others"}) as home:
        await home.up()

        assert "Created" in (await home.tell(eve, RAID))["content"]


async def test_only_the_home_server_is_listened_to(discord: DiscordServer, tmp_path: Path, equipped: Equipment):
    evil = dict(discord._guild(), id=snowflake(), name="Evil", owner_id=discord.viewer["id"])
    discord.other_guilds.append(evil)
    async with living(discord, tmp_path, equipped) as home:
        await home.until(lambda: home.supervisor.standing.up)
        message = discord._keep(discord.general, discord.viewer, {"content": RAID})
        member = {k: v for k, v in discord.members[discord.viewer["id"]].items() if k != "user"}
        await discord.dispatch("MESSAGE_CREATE", {**message, "guild_id": evil["id"], "member": member})
        await home.tell(discord.mo, "!wf list")

        assert names(home) == []


@pytest.mark.parametrize("others", [0, 1])
async def test_without_a_word_on_which_server_is_home_nobody_on_discord_is_anybody_and_what_to_do_is_said(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment, others: int
):
    discord.other_guilds += [dict(discord._guild(), id=snowflake(), name="Other") for _ in range(others)]
    async with living(discord, tmp_path, equipped, settings={"discord.guilds": ""}) as home:
        await home.until(lambda: home.notices)
        for person in (discord.owner, discord.mo):
            await discord.say(person, RAID)
        await discord.dispatch("GUILD_CREATE", dict(discord._guild(), id=snowflake(), name="Later"))
        await discord.say(discord.owner, RAID)
        home.server.messages["77"] = {}
        await discord.dispatch("MESSAGE_CREATE", discord._keep("77", discord.owner, {"content": "!wf list"}))
        await home.until(lambda: discord.said("77"))  # so what came before has been taken
        await home.front.drain(5.0)

        assert "Stop me and say which one: showcaller setup discord." in home.notices[0]
        assert f"Home ({discord.guild})" in home.notices[0]
        assert discord.said() == []
        assert names(home) == []
        assert home.bot.settings.values["discord.guilds"] == ""


async def test_asked_into_no_server_it_says_how_it_gets_into_one(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    discord.invited = False
    async with living(discord, tmp_path, equipped, settings={"discord.guilds": ""}) as home:
        await home.until(lambda: home.notices)

        assert "Invite me: https://discord.com/" in home.notices[0]
        assert "showcaller setup discord" in home.notices[0]


async def test_the_streamer_is_who_is_named_and_not_who_owns_the_server(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    named = {"discord.people.broadcaster": f"someone once called so ({discord.viewer['id']})"}
    ad = "!wf when someone follows, run an ad for 30 seconds"
    async with living(discord, tmp_path, equipped, settings=named) as home:
        await home.up()

        assert "Only the broadcaster may put that" in (await home.tell(discord.owner, ad))["content"]
        assert "Created" in (await home.tell(discord.viewer, ad))["content"]


async def test_somebody_named_counts_as_a_moderator_by_number_if_one_is_given_else_by_name(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    people = {name: discord.add_member(user(name)) for name in ("eve", "ida", "tim")}
    named = {"discord.people.moderator": f"@Eve, tim ({people['ida']['id']})"}
    async with living(discord, tmp_path, equipped, settings=named) as home:
        await home.up()
        answers = {name: (await home.tell(person, "!wf list"))["content"] for name, person in people.items()}

        assert [name for name, said in answers.items() if said.startswith("Only the streamer")] == ["tim"]


async def test_instructions_in_a_direct_message_are_sent_to_the_server(home: Home):
    server = home.server
    server.messages["77"] = {}
    message = server._keep("77", server.owner, {"content": "!wf list"})
    await server.dispatch("MESSAGE_CREATE", message)
    said = await home.until(lambda: server.said("77"))

    assert said[0]["content"].startswith("Talk to me in a channel of the server")


async def test_what_is_shown_reads_as_it_is_written_whatever_discord_makes_of_stars(home: Home):
    await home.tell(home.server.mo, '!wf when a raid comes in, say "*hi* __you__ https://a.b/c_d_e"')
    said = await home.tell(home.server.mo, "!wf show raid")
    shown = str(said["content"] or said["embeds"][0]["description"])

    assert r"\*hi\* \_\_you\_\_ https://a.b/c_d_e" in shown


async def test_a_channel_typed_as_discord_writes_it_is_that_channel(home: Home):
    server = home.server
    said = await home.tell(
        server.mo, f'!wf when a raid comes in, post "see <#{server.general}>" in <#{server.general}>'
    )

    assert "in #general" in said["content"]
    assert f"<#{server.general}>" in said["content"]


async def test_chat_that_is_for_nobody_is_an_event_with_its_own_link(home: Home):
    server = home.server
    id = await server.say(server.viewer, "!dice 20")
    event = await home.event("discord.message.received")

    assert event["command"] == "!dice"
    assert event["arguments"] == "20"
    assert event["user"] == {"name": "bob", "roles": [], "id": server.viewer["id"]}
    assert event["link"] == f"https://discord.com/channels/{server.guild}/{server.general}/{id}"


# Slash -------------------------------------------------------------------------------------------------------------------


async def test_the_slash_command_is_answered_at_once_and_then_in_full(home: Home):
    server = home.server
    used = await server.slash(server.mo, "workflow", {"text": 'when a raid comes in, say "hi"'})
    await home.until(lambda: used.followups)

    assert used.callbacks[0]["type"] == 5
    assert used.texts[0].startswith("Created ")
    assert names(home) == ["raid"]


async def test_an_answer_that_only_the_asker_sees_and_what_is_pressed_under_it_is_shown_to_nobody_else(home: Home):
    server = home.server
    await home.tell(server.mo, RAID)
    used = await server.slash(server.mo, "workflow", {"text": "delete raid", "only_me": True})
    await home.until(lambda: used.followups)
    asked = next(each for each in server.said() if each["content"] == used.followups[0]["content"])
    pressed = await server.click(server.mo, asked, buttons(asked)["Yes"])
    await home.until(lambda: pressed.followups)
    undone = next(each for each in server.said() if each["content"] == pressed.followups[0]["content"])
    again = await server.click(server.mo, undone, buttons(undone)["Undo"])
    await home.until(lambda: again.followups)

    assert names(home) == ["raid"]
    assert used.callbacks[0]["data"]["flags"] == 64
    assert [each["flags"] for each in (*used.followups, *pressed.followups, *again.followups)] == [64, 64, 64]


async def test_the_slash_command_is_for_those_who_may_manage_the_server_and_is_judged_again_by_us(home: Home):
    server = home.server
    (command,) = server.commands[server.guild]
    assert command["default_member_permissions"] == 32

    used = await server.slash(server.viewer, "workflow", {"text": 'when a raid comes in, say "hi"'})
    await home.until(lambda: used.followups)

    assert used.texts == ["Only the streamer and moderators can change workflows."]
    assert names(home) == []


async def test_discord_is_told_of_the_command_only_when_it_has_changed(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    for _ in range(2):
        async with living(discord, tmp_path, equipped) as home:
            await home.up()
            await home.tell(discord.mo, "!wf list")

    assert len(discord.made("PUT", ".*/commands")) == 1


async def test_what_is_being_typed_is_completed_as_a_whole_text(home: Home):
    server = home.server
    await home.tell(server.mo, RAID)
    used = await server.slash(server.mo, "workflow", {"text": "show ra"}, focus="text")
    await home.until(lambda: used.callbacks)

    assert used.callbacks[0]["type"] == 8
    assert "show raid" in used.choices


async def test_without_the_message_content_intent_slash_commands_and_mentions_still_work(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    async with living(discord, tmp_path, equipped, settings={"discord.message_content": "off"}) as home:
        await home.up()
        assert not discord.session.intents & (1 << 15)
        used = await discord.slash(discord.mo, "workflow", {"text": 'when a raid comes in, say "hi"'})
        await home.until(lambda: used.followups)
        assert "raid" in str(await home.tell(discord.mo, f"<@{discord.me['id']}> list"))


@pytest.mark.parametrize("text", ["", "list", "help"])
async def test_a_slash_command_is_never_left_without_an_answer(home: Home, text: str):
    used = await home.server.slash(home.server.mo, "workflow", {"text": text} if text else {})

    assert await home.until(lambda: used.followups)


async def test_what_people_should_know_is_said_in_the_channel_for_moderators_if_there_is_one(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    mods = discord.add_channel("mods")
    async with living(discord, tmp_path, equipped, settings={"discord.mod_channel": "#mods"}) as home:
        home.platform.tell("Twitch is gone since 19:02. @everyone")
        await home.until(lambda: discord.said(mods))
        (call,) = discord.made("POST", rf"/channels/{mods}/messages")

        assert call.body["content"] == "Twitch is gone since 19:02. @\N{ZERO WIDTH SPACE}everyone"
        assert call.body["allowed_mentions"]["parse"] == []


async def test_what_is_too_long_for_a_message_is_said_there_all_the_same(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment
):
    mods = discord.add_channel("mods")
    async with living(discord, tmp_path, equipped, settings={"discord.mod_channel": "#mods"}) as home:
        await home.up()
        home.platform.tell("; ".join(f"problem {number}" for number in range(300)) + ".")
        await home.until(lambda: len(discord.said(mods)) == 2)

        assert "problem 0;" in discord.said(mods)[0]["content"]
        assert discord.said(mods)[1]["content"].endswith("problem 299.")


@pytest.mark.parametrize(("channel", "there"), [("mods", "mods"), ("nowhere", None), ("", None)])
async def test_a_file_is_posted_there_or_it_is_known_that_it_was_not(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment, channel: str, there: str | None
):
    discord.add_channel("mods")
    file = ("raid.txt", "all of it")
    async with living(discord, tmp_path, equipped, settings={"discord.mod_channel": channel}) as home:
        assert await home.platform.post_aside("too early", file) is None
        await home.up()
        discord.plan("POST", r"/channels/\d+/messages", 403, text="refused")

        assert await home.platform.post_aside("refused", file) is None
        assert await home.platform.post_aside("posted", file) == there
        assert [b"all of it"] * bool(there) == list(discord.uploads.values())


async def test_without_such_a_channel_nothing_is_said_by_itself(home: Home):
    home.platform.tell("Twitch is gone since 19:02.")
    await home.tell(home.server.mo, "!wf list")

    assert len(home.server.said()) == 1


# Role x instruction --------------------------------------------------------------------------------------------------------


SAID = (
    ("owner", 'when someone follows, say "hi"', True),
    ("owner", "delete raid", True),
    ("owner", "run raid", True),
    ("owner", "export raid", True),
    ("moderator", 'when someone cheers, say "hi"', True),
    ("moderator", "run raid", True),
    ("moderator", "disable raid", True),
    ("moderator", "undo", True),
    ("moderator", "when someone follows, run an ad for 30 seconds", False),
    ("vip", 'when someone follows, say "hi"', False),
    ("vip", "run raid", False),
    ("vip", "show raid", False),
    ("viewer", "list", False),
    ("viewer", "export raid", False),
    ("viewer", "delete raid", False),
    ("viewer", "undo", False),
    ("viewer", "yes", False),
)


@pytest.mark.parametrize("by", ["prefix", "slash"])
async def test_who_may_say_what(discord: DiscordServer, tmp_path: Path, equipped: Equipment, by: str):
    vips = discord.add_role("Supporters")
    people = {
        "owner": discord.owner,
        "moderator": discord.mo,
        "vip": discord.add_member(user("vera"), vips),
        "viewer": discord.viewer,
    }
    wrong = []
    async with living(discord, tmp_path, equipped, settings={"discord.roles.vip": vips}) as home:
        await home.up()
        await home.tell(discord.mo, RAID)
        for who, text, allowed in SAID:
            before = home.bot.conversation.catalogue.records()
            if by == "prefix":
                said = str((await home.tell(people[who], f"!wf {text}"))["content"])
            else:
                used = await discord.slash(people[who], "workflow", {"text": text})
                said = str((await home.until(lambda used=used: used.followups))[0].get("content"))
            refused = said.startswith("Only the ")
            changed = home.bot.conversation.catalogue.records() != before
            if refused is allowed or (changed and not allowed):
                wrong.append((who, text, said))

    assert wrong == []
