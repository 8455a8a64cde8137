"""Which workflows an instruction is about, and whether it only looks. Pure."""

from collections.abc import Sequence
from typing import Final, assert_never

from engine.edits import RemoveSteps, SetAction, SetCritical, SetRetry, SetStepTimeout
from grammar.instruction import (
    Agenda,
    Answer,
    Backtest,
    Change,
    Control,
    Copy,
    Counters,
    Create,
    Delete,
    Diff,
    DryRun,
    Export,
    Extend,
    FromTemplate,
    Help,
    History,
    Import,
    Instruction,
    ListRuns,
    ListTemplates,
    ListWorkflows,
    MoveRuns,
    NotYet,
    Placeholders,
    Redo,
    Rename,
    Restore,
    RetryRun,
    RunWorkflow,
    SetEnabled,
    Several,
    Show,
    Skip,
    Status,
    Suppose,
    SwitchAll,
    TakeBack,
    Tell,
    Undo,
    Why,
)


def concerned(instruction: Instruction) -> tuple[str, ...]:
    """The ids of the workflows it names."""
    match instruction:
        case Delete(workflows=workflows):
            return workflows
        case Several(instructions=instructions):
            return tuple(dict.fromkeys(id for each in instructions for id in concerned(each)))
        case (
            Change(workflow=workflow)
            | Copy(workflow=workflow)
            | Restore(workflow=workflow)
            | TakeBack(workflow=workflow)
            | Rename(workflow=workflow)
            | SetEnabled(workflow=workflow)
            | RunWorkflow(workflow=workflow)
            | DryRun(workflow=workflow)
            | Backtest(workflow=workflow)
            | MoveRuns(workflow=workflow)
            | Show(workflow=workflow)
            | Tell(workflow=workflow)
            | History(workflow=workflow)
            | Diff(workflow=workflow)
            | Export(workflow=workflow)
        ):
            return (workflow,)
        case (
            Control(workflow=maybe)
            | Skip(workflow=maybe)
            | Extend(workflow=maybe)
            | RetryRun(workflow=maybe)
            | ListRuns(workflow=maybe)
            | Status(workflow=maybe)
            | Why(workflow=maybe)
            | Placeholders(workflow=maybe)
            | Undo(workflow=maybe)
            | Redo(workflow=maybe)
        ):
            return () if maybe is None else (maybe,)
        case FromTemplate() | ListTemplates() | SwitchAll() | Suppose():
            return ()
        case Create() | ListWorkflows() | Counters() | Agenda() | Import() | Help() | Answer() | NotYet():
            return ()
        case _:
            assert_never(instruction)


def at_once(instructions: Sequence[Instruction]) -> Instruction | None:
    """One instruction that does all of these, which do the same with several steps of a workflow, or with several workflows."""
    match instructions:
        case [Change(workflow=workflow), *_]:
            changes = [each for each in instructions if isinstance(each, Change) and each.workflow == workflow]
            edits = [edit for change in changes for edit in change.edits]
            if len(changes) < len(instructions) or not isinstance(edits[0], _OF_NAMED_STEPS):
                return None
            if any(type(edit) is not type(edits[0]) for edit in edits):
                return None
            removed = tuple(name for edit in edits if isinstance(edit, RemoveSteps) for name in edit.names)
            return Change(workflow, (RemoveSteps(removed),) if removed else tuple(edits))
        case [Delete(), *_]:
            ids = [id for each in instructions if isinstance(each, Delete) for id in each.workflows]
            return Delete(tuple(dict.fromkeys(ids))) if len(ids) == len(instructions) else None
        case [SetEnabled(), *_] if all(isinstance(each, SetEnabled) for each in instructions):
            return Several(tuple(instructions))
        case _:
            return None


_OF_NAMED_STEPS: Final = (RemoveSteps, SetAction, SetStepTimeout, SetRetry, SetCritical)
"""Edits that mean the same step whatever other edits are made before them."""


def is_edit(instruction: Instruction) -> bool:
    """Whether it changes workflows that are there, which their policy may let others do."""
    if isinstance(instruction, Several):
        return all(is_edit(each) for each in instruction.instructions)
    return isinstance(instruction, Change | Rename | SetEnabled | Delete | MoveRuns | Restore)


def only_looks(instruction: Instruction) -> bool:
    """Whether nothing is different after it, so that a question from before still stands."""
    return isinstance(
        instruction,
        Status
        | ListWorkflows
        | Counters
        | Show
        | Why
        | Tell
        | Agenda
        | ListRuns
        | History
        | Diff
        | Export
        | Help
        | DryRun
        | Backtest,
    )


def works_on_deleted(instruction: Instruction) -> bool:
    """Whether it can be about a workflow that has been deleted."""
    return isinstance(instruction, Undo | Redo | History)
