"""Pictures of runs: found by run or by name, only those, and only so many."""

from pathlib import Path

from bot.snapshots import MOST_KEPT, Snapshots


def test_the_newest_picture_of_a_run_is_found_without_its_name(tmp_path: Path):
    snapshots = Snapshots(tmp_path / "pictures")
    first, second = snapshots.keep("run1", b"one"), snapshots.keep("run1", b"two")
    snapshots.keep("run12", b"other")

    assert snapshots.picture("run1") == (second, b"two")
    assert snapshots.picture("", first) == (first, b"one")
    assert snapshots.picture("run3") is None


def test_no_name_leads_out_of_the_folder(tmp_path: Path):
    snapshots = Snapshots(tmp_path / "pictures")
    snapshots.keep("../../etc", b"x")
    (tmp_path / "secret-1.png").write_bytes(b"secret")

    names = ("../secret-1.png", "/etc/passwd", "..", "a/b-1.png", "secret-1.png", "x-1.png\n")
    assert [snapshots.picture("", name) for name in names] == [None] * len(names)
    assert [path.parent.name for path in tmp_path.rglob("etc-1.png")] == ["pictures"]


def test_old_pictures_go_when_there_are_many(tmp_path: Path):
    snapshots = Snapshots(tmp_path / "pictures")
    names = [snapshots.keep("run", bytes([number])) for number in range(MOST_KEPT + 5)]

    left = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert len(left) == MOST_KEPT
    assert names[-1] in left


def test_who_else_uses_the_machine_does_not_see_them(tmp_path: Path):
    Snapshots(tmp_path / "pictures").keep("run", b"x")

    assert (tmp_path / "pictures").stat().st_mode & 0o077 == 0
