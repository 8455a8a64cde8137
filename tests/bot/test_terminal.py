"""The terminal as a person and a supervisor meet it: a real prompt on a real pty, a real pipe, real signals."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.chat import PROGRAM, ROOT, Chat, command, environment

if sys.platform == "win32":
    pytest.skip("ptys and signals as POSIX has them", allow_module_level=True)

import pexpect

AT_ONCE = 5.0
TIMER = {
    "id": "tick",
    "name": "Tick",
    "initial_state": "pause",
    "triggers": ["raid"],
    "states": [
        {
            "name": "pause",
            "action": {"service": "internal", "method": "wait", "params": {"seconds": 0.4}},
            "transitions": {"success": "tell"},
        },
        {
            "name": "tell",
            "action": {"service": "twitch", "method": "send_chat_message", "params": {"message": "hi ${user}"}},
            "transitions": {},
        },
    ],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def ticking(data: Path, tmp_path: Path) -> Path:
    """A data folder with a workflow that says hi 0.4 s after a raid."""
    file = tmp_path / "tick.json"
    file.write_text(json.dumps(TIMER), encoding="utf-8")
    ran = command("workflows", "import", str(file), data=data)
    assert ran.returncode == 0, ran.stderr
    return data


# At the prompt -------------------------------------------------------------------------------------------------------


@contextmanager
def prompt(data: Path, *options: str) -> Iterator["pexpect.spawn[str]"]:
    terminal = pexpect.spawn(
        PROGRAM[0],
        [*PROGRAM[1:], "chat", *options, "--data", str(data)],
        env={**environment(), "TERM": "xterm-256color"},
        cwd=str(ROOT),
        encoding="utf-8",
        timeout=15,
        dimensions=(40, 200),
    )
    try:
        terminal.expect_exact("(broadcaster)>")
        yield terminal
    finally:
        terminal.close(force=True)


def ends(terminal: "pexpect.spawn[str]") -> int | None:
    terminal.expect(pexpect.EOF)
    terminal.wait()
    return terminal.exitstatus


def test_a_person_types_and_is_answered_above_the_next_prompt(data: Path) -> None:
    with prompt(data) as terminal:
        terminal.send("/raid ninja\r")
        terminal.expect_exact("/raid NAME VIEWERS")
        terminal.send("/raid ninja 50\r")
        terminal.expect_exact("No workflow listens to that.")
        terminal.send("/as mo moderator discord #mods\r")
        terminal.expect_exact("mo (moderator, discord #mods)>")
        terminal.sendeof()
        assert ends(terminal) == 0


def test_tab_completes_and_the_arrow_brings_back_what_was_typed_but_no_secret(data: Path) -> None:
    with prompt(data) as terminal:
        terminal.send("/config secret api.key hunter22\r")
        terminal.expect_exact("api.key = (secret)")
        terminal.send("/adv\t")
        terminal.expect_exact("/advance")
        terminal.send(" maybe\r")
        terminal.expect_exact('"maybe" is not a duration')
        terminal.sendeof()
        assert ends(terminal) == 0
    assert "hunter22" not in (data / "typed.txt").read_text(encoding="utf-8")
    assert "hunter22" not in (data / "showcaller.log").read_text(encoding="utf-8")
    with prompt(data) as terminal:
        time.sleep(0.5)  # the history is read while the first prompt is there already
        terminal.send("\x1b[A")
        terminal.expect_exact("/advance maybe")
        terminal.send("\r")
        terminal.expect_exact('"maybe" is not a duration')
        terminal.sendeof()
        assert ends(terminal) == 0


@pytest.mark.parametrize("how", ["ctrl-c", "ctrl-d", "SIGTERM", "SIGINT", "SIGHUP", "/quit"])
def test_whatever_ends_the_prompt_it_ends_well_and_at_once(how: str, data: Path) -> None:
    with prompt(data) as terminal:
        began = time.monotonic()
        match how:
            case "ctrl-c":
                terminal.sendintr()
            case "ctrl-d":
                terminal.sendeof()
            case "/quit":
                terminal.send("/quit\r")
            case _:
                terminal.kill(getattr(signal, how))
        assert ends(terminal) == 0
        assert time.monotonic() - began < AT_ONCE
        assert "Traceback" not in str(terminal.before)


def test_tab_completes_what_the_bot_understands_with_the_names_there_are(ticking: Path) -> None:
    with prompt(ticking) as terminal:
        terminal.send("!wf sho\t")
        terminal.expect_exact("w")  # only what is new is drawn
        terminal.send(" ti\t")
        terminal.expect_exact("ck")
        terminal.send("\r")
        terminal.expect_exact("wait 0.4 seconds")
        terminal.sendeof()
        assert ends(terminal) == 0


def test_what_happens_by_itself_is_shown_while_a_person_types(ticking: Path) -> None:
    with prompt(ticking) as terminal:
        terminal.send("/raid ninja 50\r")
        terminal.expect_exact("(broadcaster)>")
        terminal.send("half a line")
        terminal.expect_exact('"hi ninja"')
        terminal.expect_exact("half a line")
        terminal.sendintr()
        assert ends(terminal) == 0


# Through a pipe ------------------------------------------------------------------------------------------------------


def objects(lines: str, data: Path, *options: str) -> list[dict[str, Any]]:
    ran = command("chat", "--json", *options, data=data, stdin=lines)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_every_line_gets_its_object_also_an_empty_one_and_the_last_without_end(data: Path) -> None:
    got = objects("hello\n\n/as mo moderator discord #mods\n/live on\nbye", data, "--virtual-time")
    assert [entry["in"] for entry in got] == ["hello", "", "/as mo moderator discord #mods", "/live on", "bye"]
    assert [(entry["as"], entry["role"], entry["platform"]) for entry in got[1:3]] == [
        ("streamer", "broadcaster", "twitch"),
        ("mo", "moderator", "discord"),
    ]
    assert all(entry["replies"] == entry["actions"] == [] for entry in got)


def test_who_types_can_be_said_at_the_start(data: Path) -> None:
    [entry] = objects("hi\n", data, "--as", "vic", "--role", "viewer")
    assert (entry["as"], entry["role"]) == ("vic", "viewer")


def test_real_time_passes_between_lines_and_while_waiting(ticking: Path) -> None:
    with Chat(ticking, options=()) as chat:
        assert chat.say("/raid ninja 50").actions == []
        time.sleep(0.8)
        turn = chat.say("hello")
        assert turn.actions == []
        [between] = turn.between
        assert between["in"] is between["as"] is between["role"] is between["platform"] is None
        assert [action["params"] for action in between["actions"]] == [{"message": "hi ninja"}]
        chat.say("/raid mona 50")
        waited = chat.say("/wait 1s")
        assert waited.between == ()
        assert [action["params"] for action in waited.actions] == [{"message": "hi mona"}]


def test_the_end_of_input_waits_for_nothing_and_loses_nothing(ticking: Path) -> None:
    objects("/raid ninja 50\n", ticking, "--virtual-time")
    objects("", ticking, "--virtual-time")
    *_, advanced = objects("/advance 1s\n", ticking, "--virtual-time")
    assert [action["params"] for action in advanced["actions"]] == [{"message": "hi ninja"}]


def test_what_was_left_over_happens_at_the_next_start_and_is_told_before_the_first_line(ticking: Path) -> None:
    objects("/raid ninja 50\n", ticking)
    time.sleep(0.5)
    with Chat(ticking, options=()) as chat:
        turn = chat.say("hello")
        [between] = turn.between
        assert [action["params"] for action in between["actions"]] == [{"message": "hi ninja"}]
        assert turn.actions == []


def test_virtual_time_goes_on_where_it_was_and_never_back_even_after_a_kill(ticking: Path) -> None:
    with Chat(ticking) as chat:
        chat.say("/config timezone UTC")
        day = (datetime.now(UTC) + timedelta(days=100)).date()
        assert chat.say(f"/advance until {day}T10:00").kinds == []
        assert chat.say("/advance 1 minute").kinds == []
        chat.kill()
    with Chat(ticking) as chat:
        turn = chat.say(f"/advance until {day}T10:00:59")
        assert turn.kinds == ["refusal"]
        assert "10:01:00" in turn.text
        assert chat.say(f"/advance until {day}T19:01:01 Asia/Tokyo").kinds == []
        assert "10:01:01" in chat.say(f"/advance until {day}T10:00").text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "waiting"])
def test_a_signal_ends_a_pipe_well_and_at_once(number: signal.Signals, busy: bool, data: Path) -> None:
    with Chat(data, options=()) as chat:
        chat.say("/config greeting hi")
        if busy:
            assert chat.process.stdin is not None
            chat.process.stdin.write("/wait 50s\n")
            chat.process.stdin.flush()
            time.sleep(0.3)
        began = time.monotonic()
        chat.process.send_signal(number)
        assert chat.process.wait(AT_ONCE) == 0
        assert time.monotonic() - began < AT_ONCE
    assert chat.stderr == ""
    assert "greeting = hi" in objects("/config list\n", data)[0]["replies"][0]["text"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_still_starts_ends_it_well(number: signal.Signals, data: Path) -> None:
    with Chat(data, options=()) as chat:
        while not (data / "showcaller.log").exists():
            time.sleep(0.005)
        chat.process.send_signal(number)
        assert chat.process.wait(AT_ONCE) == 0
    assert chat.stderr == ""


def test_nobody_reading_any_more_is_an_end_like_any_other(data: Path) -> None:
    program = subprocess.Popen(
        [*PROGRAM, "chat", "--json", "--data", str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment(),
    )
    assert program.stdin is not None
    assert program.stdout is not None
    assert program.stderr is not None
    with program:
        program.stdin.write(b"one\n")
        program.stdin.flush()
        assert program.stdout.readline()
        program.stdout.close()
        program.stdin.write(b"two\nthree\n")
        program.stdin.flush()
        assert program.wait(AT_ONCE) == 0
        assert program.stderr.read() == b""


def test_a_line_beyond_all_measure_is_refused_and_the_next_is_heard(data: Path) -> None:
    long, short = objects("x" * 500_000 + "\nhello\n", data)
    assert [reply["kind"] for reply in long["replies"]] == ["refusal"]
    assert short["in"] == "hello"
    assert short["replies"] == []


def test_a_regular_file_can_be_the_input(data: Path, tmp_path: Path) -> None:
    script = tmp_path / "lines.txt"
    script.write_text("one\ntwo\n", encoding="utf-8")
    with script.open("rb") as stdin:
        ran = subprocess.run(
            [*PROGRAM, "chat", "--json", "--data", str(data)],
            stdin=stdin,
            capture_output=True,
            timeout=30,
            cwd=ROOT,
            env=environment(),
            check=True,
        )
    assert [json.loads(line)["in"] for line in ran.stdout.splitlines()] == ["one", "two"]


def test_the_folder_is_private_and_nothing_lies_beside_it(data: Path) -> None:
    objects("/config secret api.key hunter22\nhunter22?\n/config list\n", data)
    assert data.stat().st_mode & 0o777 == 0o700
    for path in data.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    assert os.listdir(data.parent) == ["data"]


def test_a_secret_is_in_no_output(data: Path) -> None:
    got = objects("/config secret api.key hunter22\n/config list\n", data)
    assert "hunter22" not in json.dumps(got)
    assert "api.key = (secret)" in got[1]["replies"][0]["text"]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_start_without_streams_reads_nothing_and_ends(closed: str, data: Path) -> None:
    words = " ".join((*PROGRAM, "chat", "--json", "--data", str(data)))
    ran = subprocess.run(
        ["bash", "-c", f"exec {words} {closed}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        cwd=ROOT,
        env=environment(),
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
    assert objects("hello\n", data)[0]["in"] == "hello"
