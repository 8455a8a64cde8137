"""Workflows as files on Discord: attached to be imported, given when they are exported."""

import json

from tests.discord.conftest import Home

SENTENCES = 'workflow "Raid"\n\nwhen a raid comes in\n\n1. say "welcome!"\n'
CANONICAL = json.dumps(
    {
        "id": "raid",
        "name": "raid",
        "initial_state": "say",
        "states": [
            {
                "name": "say",
                "action": {"service": "twitch", "method": "send_chat_message", "params": {"message": "*hi*"}},
                "transitions": {},
            }
        ],
    }
)


def step(home: Home, workflow: str = "raid") -> str:
    entry = home.bot.conversation.catalogue.get(workflow)
    assert entry is not None
    return str(entry.definition.states[0].action)


async def tell_with(home: Home, text: str, **files: bytes) -> str:
    server = home.server
    before = len(server.said())
    await server.say(server.mo, text, files={name.replace("_", "."): content for name, content in files.items()})
    await home.until(lambda: server.said()[before:])
    return str(server.said()[before]["content"])


async def test_a_file_of_json_is_imported(home: Home):
    said = await tell_with(home, "!wf import", raid_json=CANONICAL.encode())

    assert said.startswith("Imported raid (v1)"), said
    assert "*hi*" in step(home)


async def test_what_was_exported_as_a_file_is_imported_as_it_was(home: Home):
    server = home.server
    await home.tell(server.mo, '!wf when a raid comes in, say "*a* `b` ```c```", wait 10 seconds, post "x" in #general')
    made = step(home)
    said = await home.tell(server.mo, "!wf export raid")
    (name,) = [attachment["filename"] for attachment in said["attachments"]]
    content = server.uploads[name]
    await home.tell(server.mo, "!wf delete raid")
    await home.tell(server.mo, "yes")

    assert name == "raid.workflow"
    answer = await tell_with(home, "!wf import", raid_workflow=content)
    assert answer.startswith("Imported raid (v"), answer
    assert step(home) == made


async def test_a_slash_command_takes_a_file_too(home: Home):
    server = home.server
    used = await server.slash(server.mo, "workflow", {"text": "import"}, file=("raid.json", CANONICAL.encode()))
    await home.until(lambda: used.followups)

    assert "Imported raid" in str(used.followups[0])


async def test_what_has_no_room_in_two_messages_is_there_as_a_file_and_can_be_imported_again(home: Home):
    server = home.server
    for number in range(4):
        await home.tell(server.mo, f'!wf {"in tea add" if number else "create tea:"} say "{"long " * 300}{number}"')
    before = len(server.said())
    await server.say(server.mo, "!wf show tea")
    await home.until(lambda: len(server.said()) == before + 2)
    first, last = server.said()[before:]

    assert "page 1 of 2" in str(first)
    assert [attachment["filename"] for attachment in last["attachments"]] == ["tea.workflow"]
    imported = await tell_with(home, "!wf import", tea_workflow=server.uploads["tea.workflow"])
    assert imported.startswith("tea is like that already"), imported


async def test_json_is_exported_as_a_file_of_json(home: Home):
    server = home.server
    await home.tell(server.mo, '!wf when a raid comes in, say "hi"')
    said = await home.tell(server.mo, "!wf export raid as json")
    (name,) = [attachment["filename"] for attachment in said["attachments"]]

    assert name == "raid.json"
    assert json.loads(server.uploads[name])["id"] == "raid"


async def test_a_file_by_somebody_without_rights_changes_nothing(home: Home):
    server = home.server
    before = len(server.said())
    await server.say(server.viewer, "!wf import", files={"raid.json": CANONICAL.encode()})
    await home.until(lambda: server.said()[before:])

    assert server.said()[before]["content"] == "Only the streamer and moderators can change workflows."
    assert home.bot.conversation.catalogue.there() == ()


async def test_a_file_that_is_no_workflow_is_left_alone(home: Home):
    said = await tell_with(home, "!wf import", cat_png=b"\x89PNG")

    assert "Imported" not in said


# Pictures ------------------------------------------------------------------------------------------------------------------


async def test_a_workflow_that_is_shown_has_its_picture_with_it_and_its_words_for_those_who_cannot_see_it(home: Home):
    server = home.server
    await home.tell(server.mo, '!wf when a raid comes in, say "hi", wait 10 seconds, say "bye"')
    said = await home.tell(server.mo, "!wf show raid")
    (card,) = said["embeds"]
    call = server.made("POST", r"/channels/\d+/messages")[-1]

    assert card["image"]["url"] == "attachment://raid.png"
    assert card["title"] == "raid"
    assert "wait 10 seconds" in card["description"]
    assert server.uploads["raid.png"].startswith(b"\x89PNG")
    assert 'say "bye"' in call.body["attachments"][0]["description"]


async def test_how_a_run_stands_is_a_picture_too_and_other_answers_have_none(home: Home):
    server = home.server
    await home.tell(server.mo, '!wf when a raid comes in, say "hi", wait 10 minutes')
    await home.tell(server.mo, "!wf run raid")
    with_picture = await home.tell(server.mo, "!wf status raid")
    without = [await home.tell(server.mo, text) for text in ("!wf history raid", "!wf show step 2 of raid", "!wf list")]

    assert [attachment["filename"] for attachment in with_picture["attachments"]] == ["raid.png"]
    assert [said["attachments"] for said in without] == [[], [], []]
