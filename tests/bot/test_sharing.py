"""What strangers get of a workflow, and what they can bring: never a right, never a secret, never in the place of anything."""

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.discord.attachments import imported
from bot.message import Message, Place
from bot.services.declared import DECLARATIONS
from bot.share_codes import code_of
from bot.sharing import freely_named, packed, received, share_code
from engine.execution import Person
from engine.model import Definition
from tests.chat import command
from tests.fakes_room import LANGUAGE, Room

HI = 'create hi: when someone follows: say "hi ${user}"'
KEY = "${config.weather.key}"


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = await Room().open()
    yield room
    await room.close()


async def shared(room: Room, sentence: str = HI, **who: Any) -> str:
    assert (await room.say(f"!wf {sentence}", **who)).kind == "done"
    return (await room.say("!wf share", **who)).replies[-1].text


def asking(**nested: Any) -> Definition:
    """A workflow that shows a token to a server, also from within other steps."""
    action = {"service": "http", "method": "get", "params": {"url": "https://x.example", "token": KEY}}
    state = {"name": "fetch", "action": action}
    inner = {
        "name": "again",
        "action": {
            "kind": "repeat",
            "times": 2,
            "block": {"initial_state": "inner", "states": [{**state, "name": "inner"}]},
        },
    }
    policy = {"may_run": ["everyone"], "may_edit": ["vip"], "only_live": True}
    return Definition.model_validate(
        {"id": "w", "name": "w", "initial_state": "fetch", "states": [state, inner], "policy": policy, **nested}
    )


# What travels ----------------------------------------------------------------------------------------------------------------


def test_secrets_and_rights_do_not_travel_the_rest_does() -> None:
    parcel = packed(asking(), DECLARATIONS)
    said = LANGUAGE.say_definition(parcel.definition)
    assert "weather" not in said
    assert "token" not in said
    assert "may run" not in said
    assert "x.example" in said
    assert parcel.definition.policy.only_live
    assert parcel.left_out == ("the token of http.get", "who may run and edit it")


def test_nor_are_they_let_in_from_a_code_that_has_them() -> None:
    parcel = received(code_of(LANGUAGE.say_definition(asking()).strip()), LANGUAGE, DECLARATIONS)
    assert parcel == packed(asking(), DECLARATIONS)


def test_what_has_neither_travels_as_it_is() -> None:
    plain = packed(asking(), DECLARATIONS).definition
    code, left_out = share_code(plain, LANGUAGE, DECLARATIONS)
    assert not left_out
    assert received(code, LANGUAGE, DECLARATIONS).definition == plain


def test_a_name_is_taken_that_nothing_has() -> None:
    taken = {"w", "w 2", "w_3"}
    named = freely_named(asking(), lambda name: name in taken)
    assert (named.name, named.id) == ("w 3", "w_3_2")


# In chat ---------------------------------------------------------------------------------------------------------------------


async def test_a_code_is_shown_first_and_then_let_in_beside_what_is_there(room: Room) -> None:
    code = await shared(room)
    asked = await room.say(f"!wf import {code}", who="ann")
    assert asked.kind == "question"
    for told in (
        'say "hi ${user}"',
        "does: send chat message; and starts when someone follows.",
        'Import it as "hi 2"?',
    ):
        assert told in asked.text
    assert "hi 2" not in (await room.say("!wf list")).text
    done = await room.say("yes", who="ann")
    assert done.kind == "done"
    assert 'Imported "hi 2" (v1)' in done.text
    assert "It is off, since hi starts on the same" in done.text
    history = (await room.say('!wf history "hi 2"')).text
    assert "ann" in history
    assert "mo " not in history
    assert "v1" in (await room.say("!wf show hi")).text


async def test_it_is_on_where_nothing_else_starts_on_the_same(room: Room) -> None:
    code = await shared(room)
    await room.say("!wf delete hi")
    await room.say("yes")
    await room.say(f"!wf import {code}")
    said = await room.say("yes")
    assert "hi 2" in said.text, "one that was deleted is not replaced either"
    assert "It is off" not in said.text
    await room.happens("follow.received")
    assert room.did() == ["twitch.send_chat_message"]


async def test_a_no_lets_nothing_in(room: Room) -> None:
    code = await shared(room)
    await room.say(f"!wf import {code}")
    await room.say("no")
    assert "hi 2" not in (await room.say("!wf list")).text


async def test_a_code_gives_nobody_a_right(room: Room) -> None:
    code = await shared(room, "create finish: stop streaming", roles=("broadcaster",))
    said = await room.say(f"!wf import {code}")
    assert said.kind == "refusal"
    assert "Only the broadcaster may" in said.text
    viewer = await room.say(f"!wf import {code}", who="vera", roles=())
    assert viewer.kind == "refusal"


async def test_every_sort_of_deed_is_told_however_long_it_is(room: Room) -> None:
    words = " then ".join(f'say "{"la " * 12}{number}"' for number in range(15))
    code = await shared(room, f"create song: when someone types !song: {words} then ban ${{user}}")
    asked = await room.say(f"!wf import {code}")
    assert "does: send chat message, ban user;" in asked.joined
    assert 'Import it as "song 2"?' in asked.joined


async def test_what_does_more_sorts_of_things_than_can_be_told_is_not_let_in_unseen(room: Room) -> None:
    methods = [method for method in DECLARATIONS if not any(param.required for param in method.params)]
    states = [
        {"name": f"s{number}", "action": {"service": method.service, "method": method.name}}
        for number, method in enumerate(methods)
    ]
    many = Definition.model_validate({"id": "w", "name": "w", "initial_state": "s0", "states": states})
    code, _ = share_code(many, LANGUAGE, DECLARATIONS)
    for platform in ("twitch", "discord"):
        said = await room.say(f"!wf import {code}", roles=("broadcaster",), platform=platform)
        told = [method.name.replace("_", " ") in said.joined for method in methods]
        assert all(told) if said.kind == "question" else "Import it on the computer" in said.text


async def test_what_is_damaged_or_no_workflow_is_said_in_words(room: Room) -> None:
    code = await shared(room)
    assert "damaged" in (await room.say(f"!wf import {code[:-3]}")).text
    for said in (await room.say(f"!wf import {code_of('just a text')}"), await room.say(f"!wf import {code_of('')}")):
        assert said.kind == "refusal"
        assert "Nothing was imported." in said.text


async def test_what_does_not_fit_into_a_message_goes_another_way(room: Room) -> None:
    chance = random.Random(7)
    noise = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=100)) for _ in range(40)]
    for called, texts in (("long", noise[:8]), ("other", noise)):
        steps = "\n".join(f'{number}. say "{each}"' for number, each in enumerate(texts, 1))
        assert (await room.say(f'!wf import workflow "{called}"\n\n{steps}')).kind == "done"
    refused = await room.say("!wf share long")
    assert refused.kind == "refusal"
    assert "showcaller workflows share long" in refused.text
    mo, there = Person("mo", "discord", ("moderator",)), Place("discord", "mods", "1", "2")
    for name in ("long", "other"):
        replies = await room.conversation.handle(Message("m", f"!wf share {name}", mo, there, 0))
        assert (replies[-1].file is None) == (name == "long")
        brought = replies[-1].text if replies[-1].file is None else imported(replies[-1].file[1], "")
        asked = await room.conversation.handle(Message("m", f"!wf import {brought}", mo, there, 0))
        assert f'Import it as "{name} 2"?' in "".join(reply.text for reply in asked)


# On the command line ---------------------------------------------------------------------------------------------------------


def test_on_the_command_line_a_code_goes_out_and_comes_in(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "hi.workflow"
    file.write_text('workflow "hi"\neveryone may run it\nwhen someone follows\n\n1. say "hi"\n', encoding="utf-8")
    assert command("workflows", "import", str(file), data=data).returncode == 0
    out = command("workflows", "share", "hi", data=data)
    assert out.stderr == "Not in it: who may run and edit it.\n"
    code = out.stdout.strip()
    again = command("workflows", "import", code, data=data, stdin="y\n")
    assert 'say "hi"' in again.stdout
    assert "Imported hi_2 v1" in again.stdout
    assert "It is off, since hi starts on the same." in again.stdout
    (tmp_path / "code.txt").write_text(code + "\n", encoding="utf-8")
    assert "Imported hi_3 v1" in command("workflows", "import", str(tmp_path / "code.txt"), "--yes", data=data).stdout
    for typed in ("n\n", ""):
        refused = command("workflows", "import", code, data=data, stdin=typed)
        assert (refused.returncode, refused.stderr) == (1, "Nothing was imported.\n")
    damaged = command("workflows", "import", code[:-1], "--yes", data=data)
    assert "damaged" in damaged.stderr
    listed = command("workflows", "list", data=data).stdout
    assert [line.split()[0] for line in listed.splitlines()] == ["hi", "hi_2", "hi_3"]
