"""Which workflows an instruction is about, and whether it only looks. Pure."""

from typing import assert_never

from grammar.instruction import (
    Agenda,
    Answer,
    Backtest,
    Change,
    Control,
    Copy,
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
            | Rename(workflow=workflow)
            | SetEnabled(workflow=workflow)
            | RunWorkflow(workflow=workflow)
            | DryRun(workflow=workflow)
            | Backtest(workflow=workflow)
            | MoveRuns(workflow=workflow)
            | Show(workflow=workflow)
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
        case Create() | ListWorkflows() | Agenda() | Import() | Help() | Answer() | NotYet():
            return ()
        case _:
            assert_never(instruction)


def is_edit(instruction: Instruction) -> bool:
    """Whether it changes workflows that are there, which their policy may let others do."""
    if isinstance(instruction, Several):
        return all(is_edit(each) for each in instruction.instructions)
    return isinstance(instruction, Change | Rename | SetEnabled | Delete | MoveRuns | Restore)


def only_looks(instruction: Instruction) -> bool:
    """Whether nothing is different after it, so that a question from before still stands."""
    return isinstance(
        instruction,
        Status | ListWorkflows | Show | Why | Agenda | ListRuns | History | Diff | Export | Help | DryRun | Backtest,
    )


def works_on_deleted(instruction: Instruction) -> bool:
    """Whether it can be about a workflow that has been deleted."""
    return isinstance(instruction, Undo | Redo | History)
