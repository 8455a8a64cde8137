"""Whatever is typed, and whatever state the files are in: a clear word in a line or two, nothing lost, no traceback."""

import ctypes
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chat import PROGRAM, ROOT, Chat, Turn, command, environment

WELCOME = '!workflow create welcome when someone follows say "hi ${user}"'
DEEP = 1_000
FOR_PROGRAMMERS = (
    "went wrong inside",
    "Traceback",
    "Error(",
    "Exception",
    "<class",
    " object at 0x",
    "sqlite3.",
    "pydantic",
    "lark.",
)


def clear(text: str) -> None:
    """Assert that this is an answer for people: one or two lines, words only."""
    assert text.strip(), "silence"
    assert len(text.strip().splitlines()) <= 2, text
    assert len(text) <= 1_000, text
    for sign in FOR_PROGRAMMERS:
        assert sign not in text, text


# What is typed -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    with Chat(tmp_path_factory.mktemp("typed")) as chat:
        assert "done" in chat.say(WELCOME).kinds
        yield chat
        assert "welcome" in chat.say("!workflow list").text
        assert chat.say("/follow bob").actions[0]["params"] == {"message": "hi bob"}
    assert "Traceback" not in chat.stderr


def typed(chat: Chat, line: str) -> Turn:
    """Say it as the broadcaster; whatever it was, nothing is done and an open question is dropped again."""
    turn = chat.say(line)
    assert turn.actions == []
    if "question" in turn.kinds:
        chat.say("!workflow no")
    return turn


REFUSED = {
    "ten thousand letters": "!workflow " + "a" * 10_000,
    "ten thousand words": "!workflow " + "wait " * 2_000,
    "ten thousand letters of text": '!workflow in welcome add say "' + "ha" * 5_000 + '"',
    "an unknown instruction": "!workflow frobnicate the gizmo",
    "an unknown workflow to show": "!workflow show nosuchthing",
    "an unknown workflow to run": "!workflow run nosuchthing",
    "an unknown workflow to stop": "!workflow stop nosuchthing",
    "a step that is not there": "!workflow in welcome remove step 7",
    "a step number beyond all": "!workflow in welcome remove step 99999999999999999999999",
    "an unclosed quote": '!workflow create night when the stream ends say "good night',
    "brackets nested a thousand deep": "!workflow when a raid comes in, if "
    + "(" * DEEP
    + "viewers > 1"
    + ")" * DEEP
    + ' say "hi"',
    "json nested a thousand deep": "!workflow import " + '{"a":' * DEEP + "1" + "}" * DEEP,
    "json that breaks off": '!workflow import {"id": "x", "states": [',
    "json that is no workflow": "!workflow import [1, 2, 3]",
    "a template that breaks off": '!workflow in welcome add say "${user"',
    "a method nobody has": "!workflow in welcome add do obs.explode",
    "a reserved name": "!workflow create undo when someone follows say hi",
    "an unknown slash command": "/frobnicate",
    "a raid without a number": "/raid ninja many",
    "a raid of nobody": "/raid",
    "a role nobody has": "/as bob king",
    "a person without a name": "/as",
    "time backward": "/advance -5m",
    "time backward until": "/advance until 2001-01-01T00:00",
    "no time at all": "/advance soon",
    "a failure of what is not there": "/fail obs.explode error",
    "a failure of no kind": "/fail obs.set_current_scene maybe",
    "an event of broken json": '/event raid.received {"viewers": ',
    "an event nested a thousand deep": "/event raid.received " + '{"a":' * DEEP + "1" + "}" * DEEP,
    "a zone nobody has": "/config timezone Mars/Olympus",
    "a setting without a value": "/config discord.announcement_channel",
}


@pytest.mark.parametrize("line", REFUSED.values(), ids=REFUSED)
def test_a_line_that_cannot_be_understood_is_answered_in_a_line_or_two(chat: Chat, line: str) -> None:
    turn = typed(chat, line)
    assert turn.replies, "silence"
    assert set(turn.kinds) <= {"refusal", "question"}, turn.text
    clear(turn.text)


@pytest.mark.parametrize("line", ["", "   ", "\t", "!", "/", "!!", "hello there", "?", '"'])
def test_a_line_that_is_no_instruction_changes_nothing(chat: Chat, line: str) -> None:
    turn = typed(chat, line)
    assert "done" not in turn.kinds
    if turn.replies:
        clear(turn.text)


@pytest.mark.parametrize(
    "line",
    [
        "!workflow",
        "!wf   ",
        "!workflow \0",
        "!workflow show wel\0come",
        "!workflow 🎉🎉🎉 🏳️‍🌈",
        "!workflow \u202e\u2066 show welcome",
        "!workflow show welcome \u034f\U000e0000",
        "\0\0\0",
        "!workflow " + "🚩" * 400,
        "!workflow add",
        "!workflow remove",
        "!workflow -> -> ->",
        "!workflow step 2 step 2 step 2",
        "!workflow ; ; ; · · ·",
        "!workflow ${user} ${} ${${user}}",
        "!workflow \\n\\n\\n",
        "!workflow yes",
        "yes",
        "99",
    ],
)
def test_odd_characters_are_answered_and_change_nothing(chat: Chat, line: str) -> None:
    turn = typed(chat, line)
    assert "done" not in turn.kinds
    for sign in FOR_PROGRAMMERS:
        assert sign not in turn.text


def test_a_viewer_is_refused_in_words_and_changes_nothing(chat: Chat) -> None:
    chat.say("/as vic viewer")
    try:
        for line in (
            "!workflow in welcome remove step 1",
            "!workflow delete welcome",
            "!workflow disable welcome",
            "!workflow create mine when someone follows say hi",
            "!workflow undo",
            "!workflow stop everything",
        ):
            turn = chat.say(line)
            assert turn.kinds == ["refusal"], f"{line}: {turn.text}"
            clear(turn.text)
    finally:
        chat.say("/as streamer broadcaster")
    assert "v1" in chat.say("!workflow history welcome").text


def test_a_moderator_may_not_write_what_only_the_broadcaster_may_do(chat: Chat) -> None:
    chat.say("/as mo moderator")
    try:
        turn = chat.say("!workflow in welcome add stop the stream")
    finally:
        chat.say("/as streamer broadcaster")
    assert turn.kinds == ["refusal"], turn.text
    clear(turn.text)
    assert "broadcaster" in turn.text


def test_bytes_that_are_no_text_end_nothing(tmp_path: Path) -> None:
    ran = subprocess.run(
        [*PROGRAM, "chat", "--json", "--virtual-time", "--data", str(tmp_path)],
        input=b"!workflow \xff\xfe\xc3(\n!workflow list\n",
        capture_output=True,
        timeout=60,
        cwd=ROOT,
        env=environment(),
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.splitlines()) == 2
    assert b"Traceback" not in ran.stderr


# What the files are like ---------------------------------------------------------------------------------------------


GOOD = '{"id": "w", "name": "W", "initial_state": "a", "states": [{"name": "a", "action": {"service": "internal", "method": "log", "params": {"message": "hi"}}, "transitions": {}}]}'
BROKEN = {
    "empty": b"",
    "breaks off": GOOD[:60].encode(),
    "not a workflow": b"[1, 2, 3]",
    "an empty object": b"{}",
    "a number": b"42",
    "an unknown key": GOOD.replace('"id"', '"surprise": 1, "id"').encode(),
    "a state that is none": GOOD.replace('"name": "a"', '"name": 7').encode(),
    "nested": b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    "nested deeper": b"[" * 200_000,
    "no text": b"\x00\xff\xfe\x80" * 100,
    "sentences of no sense": b"workflow of mystery\n1. frobnicate the gizmo\n",
    "endless": b'{"id": "' + b"x" * 20_000_000,
}


@pytest.mark.parametrize(
    ("what", "content"),
    [*(("import", content) for content in BROKEN.values()), ("validate", BROKEN["breaks off"]), ("validate", b"")],
    ids=[*BROKEN, "validate what breaks off", "validate nothing"],
)
def test_a_broken_file_is_named_and_nothing_is_imported(what: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    ran = command("workflows", what, str(file), data=tmp_path / "data")
    assert ran.returncode != 0
    assert ran.stdout == ""
    clear(ran.stderr)


@pytest.mark.parametrize("where", ["nowhere.json", "."])
def test_a_file_that_cannot_be_read_is_named(where: str, tmp_path: Path) -> None:
    ran = command("workflows", "import", str(tmp_path / where), data=tmp_path / "data")
    assert ran.returncode != 0
    clear(ran.stderr)
    assert where in ran.stderr or tmp_path.name in ran.stderr


def test_exporting_what_is_not_there_fails_in_words(tmp_path: Path) -> None:
    ran = command("workflows", "export", "nosuchthing", data=tmp_path)
    assert ran.returncode != 0
    clear(ran.stderr)
    assert "nosuchthing" in ran.stderr


# What the store is like ----------------------------------------------------------------------------------------------


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A data folder with one workflow in it."""
    data = tmp_path / "data"
    with Chat(data) as chat:
        assert "done" in chat.say(WELCOME).kinds
    return data


def database(data: Path) -> Path:
    """The one SQLite file in a data folder."""
    found = [path for path in data.rglob("*") if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"]
    assert len(found) == 1, found
    return found[0]


def user_version(data: Path, number: int | None = None) -> int:
    with sqlite3.connect(database(data)) as connection:
        before = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if number is not None:
            connection.execute(f"PRAGMA user_version = {number:d}")
    connection.close()
    return before


def still_there(data: Path) -> None:
    ran = command("workflows", "list", data=data)
    assert ran.returncode == 0, ran.stderr
    assert "welcome" in ran.stdout


def refused(ran: "subprocess.CompletedProcess[str]", *words: str) -> None:
    assert ran.returncode != 0, ran.stdout
    clear(ran.stderr)
    for word in words:
        assert word in ran.stderr, ran.stderr


def test_a_database_of_a_newer_version_is_left_alone(stored: Path) -> None:
    before = user_version(stored, 9_999)
    content = database(stored).read_bytes()
    refused(command("chat", "--json", data=stored, stdin="!workflow list\n"), "newer")
    refused(command("workflows", "list", data=stored), "newer")
    refused(command("workflows", "import", str(ROOT / "tests/data/raid_workflow.json"), data=stored), "newer")
    assert database(stored).read_bytes() == content
    user_version(stored, before)
    still_there(stored)


def test_a_file_that_is_no_database_is_left_alone(stored: Path) -> None:
    file = database(stored)
    for beside in stored.glob(f"{file.name}-*"):
        beside.unlink()
    file.write_bytes(b"these are not the workflows you are looking for\n" * 200)
    content = file.read_bytes()
    refused(command("chat", "--json", data=stored, stdin="!workflow list\n"))
    assert file.read_bytes() == content


def test_a_second_bot_on_the_same_folder_is_refused_and_the_first_goes_on(stored: Path) -> None:
    with Chat(stored) as first:
        first.say("/as mo moderator")
        refused(command("chat", "--json", data=stored, stdin="!workflow list\n"), "running")
        refused(command("workflows", "import", str(ROOT / "tests/data/raid_workflow.json"), data=stored), "running")
        still_there(stored)
        assert command("workflows", "export", "welcome", data=stored).returncode == 0
        assert "done" in first.say("!workflow in welcome add wait 5 seconds").kinds
    assert "raid_workflow" not in command("workflows", "list", data=stored).stdout


def without_override() -> None:
    """In a child: give up root's power to write what is read-only, so that the test means the same for everyone."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        drop_from_bounding_set, write_anywhere = 24, 1
        if libc.prctl(drop_from_bounding_set, write_anywhere, 0, 0, 0) != 0:
            os._exit(99)


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_a_folder_that_cannot_be_written_is_named(stored: Path) -> None:
    for path in (*stored.rglob("*"), stored):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        for arguments in (["chat", "--json"], ["workflows", "import", str(ROOT / "tests/data/raid_workflow.json")]):
            ran = subprocess.run(
                [*PROGRAM, *arguments, "--data", str(stored)],
                input="!workflow delete welcome\nyes\n",
                capture_output=True,
                text=True,
                timeout=60,
                cwd=ROOT,
                env=environment(),
                check=False,
                preexec_fn=without_override,
            )
            if ran.returncode == 99:
                pytest.skip("root here cannot give up its power over permissions")
            refused(ran, str(stored))
    finally:
        for path in (stored, *stored.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    still_there(stored)


@pytest.mark.skipif(
    shutil.which("prlimit") is None, reason="prlimit (util-linux) limits what a running process may write"
)
def test_a_full_disk_is_said_once_and_nothing_of_the_change_happens(stored: Path) -> None:
    def limit(size: str, pid: int) -> None:
        subprocess.run(["prlimit", f"--fsize={size}:", "--pid", str(pid)], check=True)

    with Chat(stored) as chat:
        chat.say("!workflow show welcome")
        limit("0", chat.process.pid)
        turn = chat.say("!workflow in welcome add wait 5 seconds")
        assert turn.kinds == ["refusal"], turn.text
        clear(turn.text)
        full = chat.say("/follow bob")
        assert full.actions == [], "nothing is done that was not committed"
        limit("unlimited", chat.process.pid)
        assert "done" in chat.say('!workflow in welcome add say "room again"').kinds
        shown = chat.say("!workflow show welcome").text
        assert "room again" in shown
        assert "wait" not in shown
    assert "Traceback" not in chat.stderr
    still_there(stored)
