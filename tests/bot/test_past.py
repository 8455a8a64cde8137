"""What happened, asked for from the command line: beside a running bot where it is only read, alone where it is changed."""

import json
from pathlib import Path

import pytest

from tests.bot.test_files import done, refused
from tests.chat import Chat

RAID = '!wf when someone raids with more than 5 viewers, say "welcome ${user}!", wait 10 seconds, then shout them out'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_before_anything_ran_there_is_nothing_to_tell_and_no_folder_is_made(data: Path) -> None:
    assert done("runs", data=data) == "No workflow has run yet.\n"
    assert "No workflow has run yet." in refused("trace", "raid", data=data)
    assert done("forget", "bob", data=data).startswith("Nobody of that name")
    assert not data.exists()


def test_runs_and_their_steps_are_told_beside_a_running_bot(data: Path) -> None:
    with Chat(data) as chat:
        for line in (RAID, "/raid ninja 50", "/advance 3s", "!wf pause raid", "/advance 2s", "!wf resume raid"):
            chat.say(line)
        chat.say("/advance 10s")
        chat.say("/fail twitch.send_shoutout error")
        chat.say("/raid bob 7")
        chat.say("/advance 10s")
        chat.say("/raid zoe 8")

        waits, failed, completed = done("runs", data=data).splitlines()
        assert waits.endswith("(a raid comes in: zoe), waiting")
        assert "(a raid comes in: bob), failed after 10 seconds: " in failed
        assert completed.endswith("(a raid comes in: ninja), completed after 12 seconds")
        assert done("runs", "RAID", data=data).splitlines() == [waits, failed, completed]
        assert "There is no workflow" in refused("runs", "nope", data=data)

        first = done("trace", completed.partition(":")[0], data=data).splitlines()
        assert [line.partition(" ")[2] for line in first[2:]] == [
            *(step(first[2:], 0, 'say "welcome ninja!" - done -> {"message_id": ', "; then step 2 of 3 (wait)")),
            "step 2 of 3 (wait): paused by streamer",
            "step 2 of 3 (wait): resumed by streamer",
            "step 2 of 3 (wait): wait 10 seconds - done after 12 seconds; then step 3 of 3 (shoutout)",
            'step 3 of 3 (shoutout): shout out "ninja" - done',
        ]
        second = done("trace", failed[:12], data=data)
        assert 'step 3 of 3 (shoutout): shout out "bob" - failed: twitch.send_shoutout failed' in second
        last = done("trace", "raid", data=data)
        assert "step 2 of 3 (wait): wait 10 seconds - goes on, until" in last
        assert "There is no run" in refused("trace", "zzz", data=data)


def step(lines: list[str], at: int, *phrases: str) -> list[str]:
    """A line whose middle is not known, if it holds these phrases."""
    line = lines[at].partition(" ")[2]
    return [line] if all(phrase in line for phrase in phrases) else [f"{line} without {phrases}"]


def test_a_trace_as_an_object_holds_every_value(data: Path) -> None:
    with Chat(data) as chat:
        for line in (RAID, "/raid ninja 50", "/advance 10s"):
            chat.say(line)
    told = json.loads(done("trace", "raid", "--json", data=data))
    assert (told["workflow"], told["revision"], told["status"], told["error"]) == ("raid", 1, "completed", None)
    assert told["started_by"] == {"event": "raid.received", "who": "ninja"}
    assert [(each["step"], each["number"], each["action"], each["to"]) for each in told["steps"]] == [
        ("say", 1, "twitch.send_chat_message", "wait"),
        ("wait", 2, "wait", "shoutout"),
        ("shoutout", 3, "twitch.send_shoutout", None),
    ]
    assert [each["params"] for each in told["steps"]] == [
        {"message": "welcome ninja!"},
        {"seconds": 10},
        {"user": "ninja"},
    ]
    assert told["steps"][1]["lasted"] == 10.0
    assert told["now"] == []


def test_a_person_is_forgotten_while_no_bot_runs_and_not_while_one_does(data: Path) -> None:
    with Chat(data) as chat:
        for line in (RAID, "/raid Ninja 50", "/advance 10s", "/raid ann 9", "/advance 10s"):
            chat.say(line)
        told = refused("forget", "ninja", data=data)
        assert "running" in told
        assert "say it there" in told
        assert "ninja" in done("runs", data=data).casefold()
    assert done("forget", "@ninja", data=data).startswith(
        "Forgotten in 1 event, 1 start or refusal, 1 run and 2 steps of runs.\n"
    )
    after = done("runs", data=data)
    assert "ninja" not in after.casefold()
    assert "ann" in after
    with Chat(data) as chat:
        why = chat.say("!wf why raid").text
        assert "ann" in why
    assert b"ninja" not in (data / "showcaller.db").read_bytes().lower()
    assert "characters" in refused("forget", "x" * 65, data=data)
