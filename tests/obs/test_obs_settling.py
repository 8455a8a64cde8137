"""What became of things that were under way when the bot was stopped, and what files are called: decided without OBS being lost."""

from pathlib import Path

import pytest

from bot.obs.files import fit_name, renamed
from engine.execution import Done
from tests.obs.bench import Bench

NAMES = [
    ("raid of ninja", "raid of ninja"),
    ("../../etc/passwd", "etc_passwd"),
    ("C:\\replays\\x", "C_replays_x"),
    ("  .hidden. ", "hidden"),
    ("süß 🎉 (2)", "süß _ (2)"),
    ("a/b\0c\nd", "a_b_c_d"),
    ("///", ""),
    ("x" * 300, "x" * 100),
]


@pytest.mark.parametrize(("wanted", "name"), NAMES)
def test_a_file_gets_a_name_in_its_own_folder_and_no_other(wanted: str, name: str):
    assert fit_name(wanted) == name


def test_a_file_never_takes_the_place_of_another(tmp_path: Path):
    for number in range(3):
        (tmp_path / f"Replay {number}.mkv").write_text(str(number))
    paths = [renamed(str(tmp_path / f"Replay {number}.mkv"), "raid.mkv") for number in range(3)]

    assert [Path(path).name for path in paths] == ["raid.mkv", "raid 2.mkv", "raid 3.mkv"]
    assert [Path(path).read_text() for path in paths] == ["0", "1", "2"]


def test_a_file_that_cannot_be_renamed_keeps_its_name(tmp_path: Path):
    (tmp_path / "Replay.mkv").write_text("x")

    assert renamed(str(tmp_path / "none.mkv"), "raid") == str(tmp_path / "none.mkv")
    assert renamed(str(tmp_path / "Replay.mkv"), "///") == str(tmp_path / "Replay.mkv")


@pytest.mark.obs
async def test_after_a_crash_the_state_tells_what_was_done_and_what_nobody_can_know(bench: Bench):
    service = bench.platform.service
    service._back_within = 1.0
    await bench.ask("SetCurrentProgramScene", sceneName="Main")

    assert isinstance(await service.settle(bench.effect("set_current_scene", scene_name="Main")), Done)
    assert await service.settle(bench.effect("set_current_scene", scene_name="BRB")) is None
    for method in ("save_replay_buffer", "trigger_hotkey", "raw_request", "create_record_chapter"):
        assert await service.settle(bench.effect(method)) is None
    assert (await bench.ask("GetCurrentProgramScene"))["currentProgramSceneName"] == "Main"
