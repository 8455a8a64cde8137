"""Buttons and menus in the place of typed answers; they outlive the process that put them there."""

from pathlib import Path
from typing import Any

from bot.equipment import Equipment
from tests.discord.conftest import Home, living
from tests.servers.discord import DiscordServer, Interaction, buttons, menu, user

RAID = '!wf when a raid comes in, say "welcome!"'
WAIT = '!wf create raid: when a raid comes in, say "a", wait 10 seconds, say "b"'


def names(home: Home) -> list[str]:
    return [entry.id for entry in home.bot.conversation.catalogue.there()]


async def press(home: Home, person: Any, message: Any, label: str) -> Interaction:
    """Press a button and wait for what is answered in words."""
    used = await home.server.click(person, message, buttons(message)[label])
    await home.until(lambda: used.texts or used.followups)
    return used


async def test_yes_as_a_button_does_what_yes_as_a_word_does_and_the_buttons_go(home: Home):
    server = home.server
    await home.tell(server.mo, RAID)
    asked = await home.tell(server.mo, "!wf delete raid")
    assert set(buttons(asked)) == {"Yes", "No"}

    used = await press(home, server.mo, asked, "Yes")

    assert names(home) == []
    assert used.callbacks[0]["type"] == 7
    assert used.callbacks[0]["data"]["components"] == []


async def test_no_as_a_button_changes_nothing(home: Home):
    server = home.server
    await home.tell(server.mo, RAID)
    asked = await home.tell(server.mo, "!wf delete raid")

    used = await press(home, server.mo, asked, "No")

    assert used.texts == ["All right, nothing was changed."]
    assert names(home) == ["raid"]


async def test_a_press_by_somebody_else_counts_for_nothing_and_only_they_are_told(home: Home):
    server = home.server
    await home.tell(server.mo, RAID)
    asked = await home.tell(server.mo, "!wf delete raid")

    used = await press(home, server.owner, asked, "Yes")

    assert used.texts == ["Somebody else was asked that; only they can answer."]
    assert used.callbacks[0]["data"]["flags"] == 64
    assert names(home) == ["raid"]


async def test_a_button_counts_after_a_restart(discord: DiscordServer, tmp_path: Path, equipped: Equipment):
    async with living(discord, tmp_path, equipped) as home:
        await home.up()
        await home.tell(discord.mo, RAID)
        asked = await home.tell(discord.mo, "!wf delete raid")
    async with living(discord, tmp_path, equipped) as home:
        await home.until(lambda: len(discord.identified) == 2 and home.supervisor.standing.up)
        await press(home, discord.mo, asked, "Yes")

        assert names(home) == []


async def test_a_button_pressed_twice_does_it_once_and_says_that_it_is_over(home: Home):
    server = home.server
    await home.tell(server.mo, RAID)
    asked = dict(await home.tell(server.mo, "!wf delete raid"))
    await press(home, server.mo, dict(asked), "Yes")
    again = await press(home, server.mo, dict(asked), "Yes")

    assert again.texts == ["That question is not open any more. Say it again if it still counts."]
    assert again.followups[0]["flags"] == 64


async def test_numbered_answers_are_a_menu(home: Home):
    server = home.server
    await home.tell(server.mo, '!wf when a raid comes in, wait 10 seconds, say "a", wait 20 seconds')
    asked = await home.tell(server.mo, "!wf make the wait 30 seconds")
    chosen = menu(asked)
    assert chosen is not None, asked
    assert len(chosen["options"]) == 2

    used = await server.click(server.mo, asked, chosen["custom_id"], values=["2"])
    await home.until(lambda: used.followups)

    assert "wait 20 seconds -> wait 30 seconds" in used.texts[0].replace("\\", "")


async def test_undo_is_a_button_of_the_change_and_redo_of_the_undo(home: Home):
    server = home.server
    made = await home.tell(server.mo, RAID)
    undone = await press(home, server.mo, made, "Undo")
    assert names(home) == []

    (again,) = undone.followups
    message = next(each for each in server.said() if each["content"] == again["content"])
    await press(home, server.mo, message, "Redo")

    assert names(home) == ["raid"]


async def test_undo_of_a_change_that_is_not_the_last_one_says_what_came_after(home: Home):
    server = home.server
    await home.tell(server.mo, RAID)
    first = await home.tell(server.mo, '!wf in raid replace step 1 with say "hi"')
    await home.tell(server.owner, '!wf in raid replace step 1 with say "ho"')

    used = await press(home, server.mo, first, "Undo")

    assert "has changed since, by streamer" in used.texts[0]
    assert "ho" in str(home.bot.conversation.catalogue.get("raid"))


async def test_undo_by_somebody_without_rights_is_refused_to_them_alone_and_the_button_stays(home: Home):
    server = home.server
    made = await home.tell(server.mo, RAID)
    used = await press(home, server.viewer, made, "Undo")

    assert used.texts == ["Only the streamer and moderators can change workflows."]
    assert used.callbacks[0]["data"]["flags"] == 64
    assert names(home) == ["raid"]
    assert buttons(made)


async def test_an_answer_in_words_can_be_typed_in_a_window(home: Home):
    server = home.server
    await home.tell(server.mo, RAID)
    asked = await home.tell(server.mo, "!wf in raid add a message")
    assert "Answer" in buttons(asked), asked

    used = await server.click(server.mo, asked, buttons(asked)["Answer"])
    await home.until(lambda: used.callbacks)

    assert used.callbacks[0]["type"] == 9


async def test_a_stranger_who_joins_cannot_press_anything(home: Home):
    server = home.server
    made = await home.tell(server.mo, RAID)
    eve = user("eve")
    await server.join(eve)
    await press(home, eve, made, "Undo")

    assert names(home) == ["raid"]
