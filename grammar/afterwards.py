"""How things stand after an instruction, as far as the next one of the same message can tell.

Several things may be said in one message, and each is meant as things stand after those before it. Nothing is done here:
a workspace is a snapshot, and this makes the next one. Changes of one workflow become one, so that they are one version.
"""

from collections.abc import Iterable
from dataclasses import replace

from engine.edits import SetName, apply
from grammar.instruction import Change, Control, Create, Delete, Instruction, Rename, RunWorkflow, SetEnabled, Several
from grammar.workspace import WorkflowView, Workspace


def after(instruction: Instruction, workspace: Workspace) -> Workspace:
    """The workspace as it is then; what was talked about is in focus."""
    views = dict(workspace.workflows)
    match instruction:
        case Several(instructions):
            for each in instructions:
                workspace = after(each, workspace)
            return workspace
        case Change(workflow, edits):
            definition = views[workflow].definition
            for edit in edits:
                definition = apply(definition, edit)
            views[workflow] = replace(views[workflow], definition=definition, revision=views[workflow].revision + 1)
        case Rename(workflow, name):
            view = views[workflow]
            views[workflow] = replace(
                view, definition=apply(view.definition, SetName(name)), revision=view.revision + 1
            )
        case SetEnabled(workflow, enabled):
            views[workflow] = replace(views[workflow], enabled=enabled)
        case Create(definition):
            views[definition.id] = WorkflowView(definition)
            return replace(workspace, workflows=views, focus=definition.id)
        case Delete(workflows):
            for workflow in workflows:
                views.pop(workflow, None)
            return replace(workspace, workflows=views)
        case RunWorkflow(workflow) | Control(workflow=str(workflow)):
            pass
        case _:
            return workspace
    return replace(workspace, workflows=views, focus=workflow)


def together(instructions: Iterable[Instruction]) -> Instruction:
    """One instruction of several: changes of the same workflow that follow each other are one change."""
    found: list[Instruction] = []
    for each in _flat(instructions):
        last = found[-1] if found else None
        same = _as_change(last), _as_change(each)
        if same[0] is not None and same[1] is not None and same[0].workflow == same[1].workflow:
            found[-1] = Change(same[0].workflow, (*same[0].edits, *same[1].edits))
        elif each != last:  # `hold on, pause raid` says one thing twice
            found.append(each)
    return found[0] if len(found) == 1 else Several(tuple(found))


def _flat(instructions: Iterable[Instruction]) -> Iterable[Instruction]:
    for each in instructions:
        if isinstance(each, Several):
            yield from _flat(each.instructions)
        else:
            yield each


def _as_change(instruction: Instruction | None) -> Change | None:
    match instruction:
        case Change():
            return instruction
        case Rename(workflow, name):
            return Change(workflow, (SetName(name),))
        case _:
            return None
