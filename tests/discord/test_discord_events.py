"""What happens on Discord, as events that workflows listen to."""

from tests.discord.conftest import Home
from tests.servers.discord import user


async def test_a_reaction_carries_what_it_was_given_to(home: Home):
    server = home.server
    id = await server.say(server.mo, "party on friday")
    await server.react(server.viewer, id, "⭐")
    added = await home.event("discord.reaction.added")

    assert (added["emoji"], added["message"], added["message_id"]) == ("⭐", "party on friday", id)
    assert added["user"] == {"name": "bob", "roles": [], "id": server.viewer["id"]}
    assert added["channel"] == "general"
    assert added["link"] == f"https://discord.com/channels/{server.guild}/{server.general}/{id}"


async def test_a_reaction_to_a_message_from_before_the_start_has_its_text_too(home: Home):
    server = home.server
    old = server._keep(server.general, server.mo, {"content": "from long ago"})
    await server.react(server.viewer, old["id"], "⭐")

    assert (await home.event("discord.reaction.added"))["message"] == "from long ago"


async def test_a_reaction_taken_back_and_given_again_is_three_events(home: Home):
    server = home.server
    id = await server.say(server.mo, "hm")
    await server.react(server.viewer, id, "⭐")
    await home.event("discord.reaction.added")
    await server.react(server.viewer, id, "⭐", add=False)
    await home.event("discord.reaction.removed")
    await server.react(server.viewer, id, "⭐")

    await home.event("discord.reaction.added", 2)


async def test_joining_and_leaving_the_server_are_events(home: Home):
    server = home.server
    eve = user("eve")
    await server.join(eve)
    assert (await home.event("discord.member.joined"))["user"]["name"] == "eve"
    await server.leave(eve)
    assert (await home.event("discord.member.left"))["user"]["name"] == "eve"


async def test_the_same_arrival_told_twice_is_one_event(home: Home):
    server = home.server
    eve = user("eve")
    await server.join(eve)
    await home.event("discord.member.joined")
    await server.dispatch("GUILD_MEMBER_ADD", {**server.members[eve["id"]], "guild_id": server.guild})
    await server.leave(eve)
    await home.event("discord.member.left")

    assert len(await home.events("discord.member.joined")) == 1


async def test_getting_and_losing_a_role_are_events_and_the_roles_held_then_count(home: Home):
    server = home.server
    await server.give(server.viewer, server.crew)
    given = await home.event("discord.role.given")
    assert (given["role"], given["user"]["name"], given["user"]["roles"]) == ("Crew", "bob", ["moderator"])
    await server.give(server.viewer)
    taken = await home.event("discord.role.taken")
    assert (taken["role"], taken["user"]["roles"]) == ("Crew", [])


async def test_going_into_a_voice_channel_and_out_of_it_are_events_and_muting_is_none(home: Home):
    server = home.server
    lounge = server.add_channel("Lounge", kind=2)
    await server.dispatch("CHANNEL_CREATE", server.channels[lounge])
    await server.voice(server.viewer, lounge)
    assert (await home.event("discord.voice.joined"))["channel"] == "Lounge"
    await server.voice(server.viewer, lounge)
    await server.voice(server.viewer, None)
    assert (await home.event("discord.voice.left"))["channel"] == "Lounge"

    assert len(await home.events("discord.voice.joined")) == 1


async def test_a_workflow_made_by_talking_starts_by_what_happens(home: Home):
    server = home.server
    await home.tell(server.mo, '!wf when someone joins a voice channel, post "${user} is in ${channel}" in #general')
    lounge = server.add_channel("Lounge", kind=2)
    await server.dispatch("CHANNEL_CREATE", server.channels[lounge])
    await server.voice(server.viewer, lounge)
    await home.until(lambda: home.attempts)

    assert home.attempts[0].effect.params["message"] == "bob is in Lounge"


async def test_what_a_bot_does_is_no_event(home: Home):
    server = home.server
    helper = server.add_member(user("helper", bot=True))
    id = await server.say(server.mo, "hm")
    await server.react(helper, id, "⭐")
    await server.react(server.viewer, id, "🔥")
    await home.event("discord.reaction.added")

    assert [event["emoji"] for event in await home.events("discord.reaction.added")] == ["🔥"]


async def test_a_bot_that_comes_gets_a_role_and_goes_is_no_event(home: Home):
    server = home.server
    for person in (user("helper", bot=True), user("eve")):
        await server.join(person)
        await server.give(person, server.crew)
        await server.give(person)
        await server.leave(person)
    await home.event("discord.member.left")
    kinds = ("member.joined", "role.given", "role.taken", "member.left")
    people = {kind: [event["user"]["name"] for event in await home.events(f"discord.{kind}")] for kind in kinds}

    assert people == {kind: ["eve"] for kind in kinds}


async def test_a_reaction_is_asked_for_as_it_is_typed_on_a_phone(home: Home):
    server = home.server
    said = await home.tell(server.mo, '!wf when someone reacts with 🎉 in discord, post "party" in #general')
    assert said["content"].startswith("Created "), said["content"]
    for emoji in ("⭐", "🎉"):
        await server.react(server.viewer, said["id"], emoji)
    await home.until(lambda: home.attempts)

    assert [attempt.effect.params["message"] for attempt in home.attempts] == ["party"]
