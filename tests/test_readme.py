"""The README is run: its conversations word for word, its commands in a fresh clone."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chat import PROGRAM, ROOT, environment

README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCES = [
    (match[1].strip(), match[2]) for match in re.finditer(r"^```([^\n]*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
]
CONVERSATIONS = [body for info, body in FENCES if info == "text"]
COMMANDS = [
    row for info, body in FENCES if info == "sh" for row in body.splitlines() if row and not row.startswith("#")
]
START = [row for row in COMMANDS if row.startswith("python3 ") and row.endswith("showcaller chat")]
TEST = [row for row in COMMANDS if row.startswith("python3 ") and row.endswith("uv run pytest")]


def test_two_commands_are_enough() -> None:
    assert len(START) == len(TEST) == 1
    for row in (*START, *TEST):
        assert "pip install" in row, "each works by itself on a machine without uv"


def test_ci_runs_the_readmes_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    pattern = re.search(r"grep -m 1 -E '([^']+)' README\.md", script)
    assert pattern is not None
    assert [row for row in README.splitlines() if re.search(pattern[1], row)] == TEST


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=range(len(CONVERSATIONS)))
def test_a_conversation_in_the_readme_is_what_the_program_says(conversation: str, tmp_path: Path) -> None:
    typed = [row.removeprefix("> ") for row in conversation.splitlines() if row.startswith("> ")]
    said = [row for row in conversation.splitlines() if not row.startswith("> ")]
    assert typed
    assert said
    ran = subprocess.run(
        [*PROGRAM, "chat", "--virtual-time", "--data", str(tmp_path)],
        input="".join(f"{row}\n" for row in typed),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=50,
        cwd=ROOT,
        env={**environment(), "TZ": "UTC"},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert _timeless(ran.stdout.splitlines()) == _timeless(said)


def _timeless(rows: list[str]) -> list[str]:
    """Rows without the times of day, which are those of the test's own run."""
    return [re.sub(r"\b\d\d:\d\d:\d\d\b", "19:30:05", row) for row in rows]


def test_every_name_in_the_glossary_stands_once() -> None:
    glossary = README.partition("## Glossary")[2].partition("\n## ")[0]
    names = re.findall(r"^\| \*\*(.+?)\*\* \|", glossary, re.MULTILINE)
    assert len(names) == len(set(names)) >= 12


# In a fresh clone ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What someone has who typed `git clone`, on a machine where nothing of ours was ever installed."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so there is nothing to clone")
    target = tmp_path_factory.mktemp("fresh") / "showcaller"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(target)], check=True)
    return target


def run(row: str, clone: Path, stdin: str = "") -> str:
    home = clone.parent / "home"
    home.mkdir(exist_ok=True)
    ours = os.path.dirname(sys.executable)
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != ours)
    kept = {key: value for key, value in environment().items() if key not in {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}}
    ran = subprocess.run(
        ["bash", "-c", row],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=280,
        cwd=clone,
        env={**kept, "PATH": path, "HOME": str(home), "PYTEST_ADDOPTS": "--collect-only -q"},
        check=False,
    )
    assert ran.returncode == 0, f"{row}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_first_command_starts_the_bot(clone: Path) -> None:
    [start] = START
    assert "Created" in run(start, clone, "!workflow when someone follows say hi\n/quit\n")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_second_command_finds_the_tests(clone: Path) -> None:
    [test] = TEST
    assert "tests/test_readme.py" in run(test, clone)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("row", [row for row in COMMANDS if row not in (*START, *TEST)])
def test_every_other_command_runs(row: str, clone: Path) -> None:
    if not (clone / ".uv" / "bin" / "uv").exists():
        run(TEST[0] if TEST else START[0], clone)
    run(row, clone)
