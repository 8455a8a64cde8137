"""Workflows that come from outside: what keeping one writes, whether it is new or replaces one. Pure.

A workflow is known by its id. Coming in under the id of one that is there makes its next version; under the id of one that
was deleted brings it back. Its name must be nobody else's. The importer is the author of every step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.catalogue import folded
from engine.errors import EngineError
from engine.execution import Person
from engine.model import Definition, all_states
from engine.ports import Batch, ChangeRecord, RevisionRecord, Standing, WorkflowRecord


class NameTaken(EngineError):
    """Another workflow has this name; one of them needs another."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A workflow about to be kept.

    Attributes:
        words: What was typed or which file was read, for its history.
        last: The highest number among the versions it has already, 0 for none.
    """

    definition: Definition
    community: str
    author: Person
    at: float
    change_id: str
    words: str
    last: int


def keeping(arrival: Arrival, workflows: Sequence[WorkflowRecord]) -> tuple[Batch, WorkflowRecord]:
    """What keeping it writes, and how it then stands.

    Args:
        arrival: The workflow.
        workflows: All there are, deleted ones too.

    Raises:
        NameTaken: Another workflow has its name.
    """
    definition = arrival.definition
    before = next((record for record in workflows if record.id == definition.id), None)
    for record in workflows:
        if record is not before and not record.deleted and _answers_to(record) & _named(definition):
            raise NameTaken(
                f'Another workflow, {record.id}, is named "{record.name}" already. Rename one of them; nothing was imported.'
            )
    number = arrival.last + 1
    # One that was switched off stays so: importing is no way to start things.
    enabled = before is None or before.deleted or before.enabled
    after = WorkflowRecord(arrival.community, definition.id, definition.name, number, enabled, updated_at=arrival.at)
    return (
        Batch(
            workflows=[after],
            revisions=[_revision(arrival, number)],
            changes=[_change(arrival, before, after)],
        ),
        after,
    )


def _revision(arrival: Arrival, number: int) -> RevisionRecord:
    return RevisionRecord(
        arrival.community,
        arrival.definition.id,
        number,
        arrival.definition,
        arrival.author,
        arrival.at,
        words=arrival.words,
        summary="imported",
        step_authors={state.name: arrival.author for state in all_states(arrival.definition.states)},
    )


def _change(arrival: Arrival, before: WorkflowRecord | None, after: WorkflowRecord) -> ChangeRecord:
    return ChangeRecord(
        arrival.change_id,
        arrival.community,
        arrival.definition.id,
        arrival.at,
        arrival.author,
        "import",
        words=arrival.words,
        summary="imported",
        before=None if before is None else _standing(before),
        after=_standing(after),
    )


def _standing(record: WorkflowRecord) -> Standing:
    return Standing(record.name, record.revision, record.enabled, record.deleted)


def _answers_to(record: WorkflowRecord) -> set[str]:
    return {folded(record.id), folded(record.name)}


def _named(definition: Definition) -> set[str]:
    return {folded(definition.id), folded(definition.name)}
