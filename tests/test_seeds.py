"""The workflows people already have, copied out of their documents unchanged: kept byte for byte. That their sentences
are the same workflow is told in `bot/test_files.py`, that they run in the right order in `transcripts/`.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.chat import ROOT, command

DATA = ROOT / "tests" / "data"
SEEDS = ("stream_start", "raid_workflow")


def as_written(name: str) -> dict[str, Any]:
    """The document without its comments (none of its texts holds `//`)."""
    text = (DATA / f"{name}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(re.sub(r"//.*", "", text))
    return document


def exported(name: str, form: str, data: Path) -> str:
    ran = command("workflows", "export", name, "--format", form, data=data)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def imported(file: Path, data: Path) -> str:
    ran = command("workflows", "import", str(file), data=data)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("name", SEEDS)
def test_what_was_written_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    imported(DATA / f"{name}.json", tmp_path)
    written, back = as_written(name), json.loads(exported(name, "json", tmp_path))
    for key, value in written.items():
        assert back[key] == value, key


def test_an_edge_that_ends_is_said_and_not_made_the_next_line(tmp_path: Path) -> None:
    imported(DATA / "stream_start.json", tmp_path)
    lines = exported("stream_start", "text", tmp_path).splitlines()
    [main] = [line for line in lines if "[switch_to_main_scene]" in line]
    assert "then stop" in main
    assert any("ðŸ”´ Stream going live in 5 minutes!" in line for line in lines), "texts are kept byte for byte"


def test_the_import_tells_what_does_not_work_by_itself(tmp_path: Path) -> None:
    said = imported(DATA / "stream_start.json", tmp_path)
    assert "scheduled.stream_start" in said, "a schedule that is named but not defined"
    assert "discord.announcement_channel" in said, "a variable that nothing sets"


def test_importing_twice_makes_a_version_and_no_second_workflow(tmp_path: Path) -> None:
    imported(DATA / "raid_workflow.json", tmp_path)
    imported(DATA / "raid_workflow.json", tmp_path)
    listed = command("workflows", "list", data=tmp_path).stdout
    assert len([line for line in listed.splitlines() if "raid_workflow" in line]) == 1
