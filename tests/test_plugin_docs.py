"""The page for authors of plugins is run: its service is loaded, its conversation held, its tests pass."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import bot.plugins
import bot.testkit
from tests.chat import PROGRAM, ROOT, environment

PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
BLOCKS = [(found[1], found[2]) for found in re.finditer(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the page tells to write, as if it were installed."""
    folder = tmp_path_factory.mktemp("author")
    service, tests = (body for kind, body in BLOCKS if kind == "python")
    [entry] = (body for kind, body in BLOCKS if kind == "toml")
    (folder / "showcaller_counter.py").write_text(service, encoding="utf-8")
    (folder / "test_counter.py").write_text(tests, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\nasyncio_mode = "auto"\nasyncio_default_fixture_loop_scope = "function"\n'
    )
    info = folder / "showcaller_counter-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: showcaller-counter\nVersion: 1.0\n", encoding="utf-8")
    [(group, points)] = tomllib.loads(entry)["project"]["entry-points"].items()
    rows = [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def ran(package: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=55,
        cwd=package,
        env={**environment(), "PYTHONPATH": os.pathsep.join((str(package), str(ROOT))), "TZ": "UTC"},
        check=False,
    )


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert [kind for kind, _ in BLOCKS] == ["python", "toml", "text", "python"]


def test_the_conversation_is_what_the_program_says(package: Path, tmp_path: Path) -> None:
    [conversation] = (body for kind, body in BLOCKS if kind == "text")
    typed = [row.removeprefix("> ") for row in conversation.splitlines() if row.startswith("> ")]
    said = [row for row in conversation.splitlines() if not row.startswith("> ")]
    done = ran(package, *PROGRAM, "chat", "--virtual-time", "--data", str(tmp_path), stdin="\n".join(typed) + "\n")
    assert (done.stdout.splitlines(), done.stderr, done.returncode) == (said, "", 0)


def test_its_tests_pass(package: Path) -> None:
    done = ran(package, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_every_public_name_is_on_the_page_or_is_one_of_a_kind_that_is() -> None:
    told = set(re.findall(r"\w+", PAGE))
    unsaid = {"GROUP", "Kind", "PluginError", "Stage"}  # for those who build on the kit, not with it
    assert set(bot.plugins.__all__) - told == unsaid
    assert {"Bench", "WorkflowTestCase", "RecordingService"} <= set(bot.testkit.__all__) & told
