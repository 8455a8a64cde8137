"""The change a person made last, as far as it can still be corrected: worked out from what is stored, so a restart forgets nothing."""

from dataclasses import dataclass, replace
from typing import Final

from bot.catalogue import undoable
from bot.instructions.turn import Desk
from bot.instructions.versions import same_person
from engine.edits import Edit
from engine.execution import Person
from engine.model import Definition
from engine.ports import ChangeKind
from grammar.instruction import Change, Understood
from grammar.workspace import WorkflowView, Workspace

FOR_SO_LONG: Final = 600.0
"""So many seconds after a change it can still be corrected; after that, what sounds so is about something else."""


@dataclass(frozen=True, slots=True)
class Lately:
    """The change that can be corrected.

    Attributes:
        workflow: Its id.
        name: Its name.
        kind: What sort of change it is.
        before: The workflow as it was; None if this change made it.
        after: The workflow as it is.
        edits: What was changed; none where it was no edit.
        words: What was typed.
        said: The change in canonical words.
        revision: The version it would be if it is taken back.
        enabled: Whether it is switched on.
        deleted: Whether it is gone.
    """

    workflow: str
    name: str
    kind: ChangeKind
    before: Definition | None
    after: Definition
    edits: tuple[Edit, ...]
    words: str
    said: str
    revision: int
    enabled: bool = True
    deleted: bool = False


async def lately(desk: Desk, person: Person, workflow: str, workspace: Workspace) -> Lately | None:
    """The last change of a workflow, if this person has just made it and it stands.

    Raises:
        StoreError: It cannot be read.
    """
    entry = await desk.catalogue.find(workflow)
    if entry is None:
        return None
    changes = undoable(await desk.catalogue.changes(workflow))
    change = changes[0] if changes else None
    if change is None or not same_person(change.by, person) or desk.clock.now() - change.at > FOR_SO_LONG:
        return None
    before: Definition | None = None
    if change.before is not None and not change.before.deleted:
        former = await desk.catalogue.revision(workflow, change.before.revision)
        if former is None:
            return None
        before = former.definition
    made = Lately(
        entry.id,
        entry.record.name,
        change.kind,
        before,
        entry.definition,
        (),
        change.words.rsplit(" / ", 1)[-1] if " / " in change.words and change.kind == "edit" else change.words,
        change.summary,
        entry.record.revision + 1,
        entry.record.enabled,
        entry.record.deleted,
    )
    return replace(made, edits=_edits(desk, made, workspace)) if change.kind == "edit" else made


def _edits(desk: Desk, made: Lately, workspace: Workspace) -> tuple[Edit, ...]:
    """The edits that its canonical words mean, on the workflow as it was."""
    match desk.language.understand(made.said, at_that_time(workspace, made), teaching=False):
        case Understood(instruction=Change(workflow=workflow, edits=edits)) if workflow == made.workflow:
            return edits
        case _:
            return ()


def at_that_time(workspace: Workspace, made: Lately) -> Workspace:
    """The workspace with the workflow as it was before the change, or without it."""
    others = {id: view for id, view in workspace.workflows.items() if id != made.workflow}
    if made.before is None:
        return replace(workspace, workflows=others, focus=None, step=None)
    view = WorkflowView(made.before, made.revision, made.enabled)
    return replace(workspace, workflows={**others, made.workflow: view}, focus=made.workflow)
