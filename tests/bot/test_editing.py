"""`showcaller workflows edit`: what is typed is kept as one version, refused with its line, or left alone; never lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chat import PROGRAM, ROOT, Chat, command, environment

pytestmark = pytest.mark.timeout(240)

MADE = 'create raid when someone raids say "hi", wait 10 seconds, say "bye"'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    with Chat(folder) as chat:
        assert chat.say(f"!wf {MADE}").kinds == ["done"]
    return folder


def edit(data: Path, program: str, name: str = "raid") -> "subprocess.CompletedProcess[str]":
    """Run the command with an editor that is a few lines of Python over the file's text `t`."""
    script = data.parent / "editor.py"
    script.write_text(
        "import pathlib, sys\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "t = file.read_text(encoding='utf-8')\n"
        f"{program}\n"
        "file.write_text(t, encoding='utf-8')\n",
        encoding="utf-8",
    )
    return subprocess.run(
        [*PROGRAM, "workflows", "edit", name, "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**environment(), "VISUAL": "", "EDITOR": f"{sys.executable} {script}"},
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_what_was_changed_in_the_editor_is_one_version(data: Path) -> None:
    ran = edit(data, "t = t.replace('10 seconds', '1 minute').replace('say \"bye\"', 'say \"see you\"')")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Saved raid v2." in ran.stdout
    exported = command("workflows", "export", "raid", data=data).stdout
    assert "wait 1 minute" in exported
    assert 'say "see you"' in exported
    assert not list((data / "edited").iterdir()), "nothing is left lying about"


def test_an_editor_that_changes_nothing_changes_nothing(data: Path) -> None:
    ran = edit(data, "pass")
    assert (ran.returncode, ran.stdout) == (0, "Nothing changed.\n")
    assert edit(data, "t = t + '\\n\\n# a remark\\n'").stdout == "Nothing changed.\n"
    assert "v1" in command("workflows", "list", data=data).stdout


def test_a_line_that_cannot_be_read_is_named_and_what_was_typed_is_kept(data: Path) -> None:
    ran = edit(data, "t = t.replace('wait 10 seconds', 'weit a lot')")
    assert ran.returncode == 1
    assert "weit" in ran.stderr
    lines = (data / "edited" / "raid.workflow").read_text(encoding="utf-8").splitlines()
    number = next(place for place, line in enumerate(lines, 1) if "weit" in line)
    assert f"line {number}" in ran.stderr.casefold()
    assert str(data / "edited" / "raid.workflow") in ran.stderr
    assert "v1" in command("workflows", "list", data=data).stdout


def test_nothing_is_edited_beside_a_running_bot(data: Path) -> None:
    with Chat(data) as chat:
        chat.say("!wf list")
        ran = edit(data, "t = t.replace('10 seconds', '1 minute')")
    assert ran.returncode == 1
    assert "running" in ran.stderr
    assert "v1" in command("workflows", "list", data=data).stdout


def test_a_name_nobody_knows_and_an_editor_that_is_not_there_are_said(data: Path) -> None:
    assert 'There is no workflow "rad"' in edit(data, "pass", "rad").stderr
    environ = {**environment(), "VISUAL": "", "EDITOR": os.fspath(data / "none")}
    ran = subprocess.run(
        [*PROGRAM, "workflows", "edit", "raid", "--data", str(data)],
        capture_output=True, text=True, timeout=120, cwd=ROOT, env=environ, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "EDITOR" in ran.stderr
