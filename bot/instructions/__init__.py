"""What each instruction does and what is answered: one module per family. `carry_out` is the only door."""

from typing import assert_never

from bot.instructions import (
    codes,
    controls,
    counters,
    create_and_edit,
    files,
    help,
    making,
    many,
    moving,
    past,
    placeholders,
    queries,
    retries,
    several,
    supposing,
    taking_back,
    telling,
    trying,
    versions,
    waits,
    why,
)
from bot.instructions.turn import Outcome, Turn
from bot.share_codes import is_code
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

__all__ = ["carry_out"]


async def carry_out(turn: Turn, instruction: Instruction) -> Outcome:  # noqa: C901  one line per instruction
    """Do it, or ask first.

    Raises:
        StoreError: It could not be read or saved; nothing was changed.
    """
    match instruction:
        case Create():
            return await create_and_edit.create(turn, instruction)
        case Change():
            return await create_and_edit.change(turn, instruction)
        case Several():
            return await several.several(turn, instruction, carry_out)
        case Rename():
            return await create_and_edit.rename(turn, instruction)
        case Delete():
            return await create_and_edit.delete(turn, instruction)
        case SetEnabled():
            return await create_and_edit.set_enabled(turn, instruction)
        case Copy():
            return await making.copy(turn, instruction)
        case FromTemplate():
            return await making.from_template(turn, instruction)
        case ListTemplates():
            return await making.list_templates(turn)
        case SwitchAll():
            return await many.switch_all(turn, instruction)
        case Restore():
            return await past.restore(turn, instruction)
        case Suppose():
            return await supposing.suppose(turn, instruction)
        case Placeholders():
            return placeholders.placeholders(turn, instruction)
        case Counters():
            return counters.counters(turn, instruction)
        case RunWorkflow():
            return await controls.run(turn, instruction)
        case Control():
            return await controls.control(turn, instruction)
        case DryRun():
            return await trying.dry_run(turn, instruction)
        case Backtest():
            return await trying.backtest(turn, instruction)
        case MoveRuns():
            return await moving.move_runs(turn, instruction)
        case Skip():
            return await waits.skip(turn, instruction)
        case Extend():
            return await waits.extend(turn, instruction)
        case RetryRun():
            return await retries.retry(turn, instruction)
        case Status():
            return await queries.status(turn, instruction)
        case ListWorkflows():
            return await queries.list_workflows(turn, instruction)
        case Tell():
            return await telling.tell(turn, instruction)
        case Agenda():
            return await queries.agenda(turn)
        case ListRuns():
            return await queries.list_runs(turn, instruction)
        case Show():
            return await queries.show(turn, instruction)
        case Why():
            return await why.why(turn, instruction)
        case History():
            return await versions.history(turn, instruction)
        case Diff():
            return await versions.diff(turn, instruction)
        case Undo():
            return await versions.undo(turn, instruction)
        case TakeBack():
            return await taking_back.take_back(turn, instruction)
        case Redo():
            return await versions.redo(turn, instruction)
        case Export(format="code"):
            return await codes.share(turn, instruction)
        case Export():
            return await files.export(turn, instruction)
        case Import(source=source) if is_code(source):
            return await codes.let_in(turn, instruction)
        case Import():
            return await files.import_(turn, instruction)
        case Help():
            return await help.help_(turn, instruction)
        case Answer():
            return turn.refuse("No question of mine is open for you")
        case NotYet(what=what):
            return turn.refuse(f"I cannot {what} yet")
        case _:
            assert_never(instruction)
