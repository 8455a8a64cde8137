"""Keeping an imported workflow: what it writes for one that is new, is there, was deleted, or has another's name."""

import pytest

from bot.library import Arrival, NameTaken, keeping
from engine.execution import Person
from engine.model import Definition
from engine.ports import Standing, WorkflowRecord

SAM = Person("sam", roles=("broadcaster",))
RAID = Definition.model_validate(
    {
        "id": "raid",
        "name": "Raid Out",
        "initial_state": "a",
        "states": [{"name": "a", "action": {"kind": "stop"}}, {"name": "b", "action": {"kind": "stop"}}],
    }
)


def arrival(last: int = 0) -> Arrival:
    return Arrival(RAID, "home", SAM, 5.0, "change", "import raid.json", last)


def record(id: str, name: str, *, enabled: bool = True, deleted: bool = False) -> WorkflowRecord:
    return WorkflowRecord("home", id, name, 3, enabled, deleted)


def test_a_new_one_is_version_1_and_the_importer_wrote_every_step() -> None:
    batch, after = keeping(arrival(), [record("hype", "Hype")])
    assert (after.id, after.name, after.revision, after.enabled, after.deleted) == ("raid", "Raid Out", 1, True, False)
    [revision] = batch.revisions
    assert (revision.number, revision.definition, revision.author) == (1, RAID, SAM)
    assert revision.step_authors == {"a": SAM, "b": SAM}
    [change] = batch.changes
    assert (change.kind, change.before, change.after) == ("import", None, Standing("Raid Out", 1, True, False))


def test_one_that_is_there_gets_the_next_version_and_stays_switched_off() -> None:
    batch, after = keeping(arrival(last=3), [record("raid", "Old Name", enabled=False)])
    assert (after.revision, after.name, after.enabled) == (4, "Raid Out", False)
    assert batch.changes[0].before == Standing("Old Name", 3, False, False)


def test_a_deleted_one_comes_back_switched_on() -> None:
    _, after = keeping(arrival(last=3), [record("raid", "Raid Out", enabled=False, deleted=True)])
    assert (after.revision, after.enabled, after.deleted) == (4, True, False)


@pytest.mark.parametrize(
    "other", [record("x", "raid out"), record("x", "RAID_OUT"), record("raid_out", "x"), record("x", "raid")]
)
def test_nobody_elses_name_or_id_is_taken(other: WorkflowRecord) -> None:
    with pytest.raises(NameTaken, match=other.id):
        keeping(arrival(), [other])


def test_a_name_is_free_again_once_its_workflow_is_deleted() -> None:
    keeping(arrival(), [record("x", "Raid Out", deleted=True)])
