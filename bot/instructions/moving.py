"""Let runs that go on with an old version go on with the new one, and offer it where it is safe."""

from collections import Counter
from typing import Final

from bot.catalogue import Entry
from bot.instructions.turn import Ask, Outcome, Turn, name
from bot.replies import Saying, clipped
from engine.data import Kept
from engine.errors import EngineError
from engine.execution import Execution
from engine.model import Definition
from engine.moving import movable
from engine.program import Program, compile_program
from engine.wording import counted
from grammar.instruction import MoveRuns

_LOOKED_AT: Final = 20
_REASONS: Final = 2
_LONGEST: Final = 120


async def move_runs(turn: Turn, instruction: MoveRuns) -> Outcome:
    """Move the runs of older versions to the one that counts; tells why others stay."""
    entry = turn.entry(instruction.workflow)
    to = entry.record.revision
    behind = sum(count for (_, number), count in turn.desk.running(entry.id).items() if number != to)
    if not behind:
        return turn.tell("answer", Saying(f"No run of {name(entry)} goes on with an older version than v{to}."), entry)
    if turn.unsure:
        return Ask(f"Move {counted(behind, 'run')} of {name(entry)} to v{to}?", instruction, (entry.id,))
    await turn.close_question()
    desk = turn.desk
    shift = await desk.runner.move(desk.community, entry.id, to, turn.by, desk.settings())
    stay = _staying(Counter(reason for _, reason in shift.left))
    if not shift.moved:
        return turn.tell("answer", Saying(f"No run of {name(entry)} can be moved to v{to}. {stay}"), entry)
    verb = "goes" if len(shift.moved) == 1 else "go"
    done = f". {counted(len(shift.moved), 'run')} {verb} on with v{to}. {stay}"
    return turn.tell("done", Saying("Done: ", turn.said, done.rstrip()), entry)


def _staying(reasons: Counter[str]) -> str:
    told = [f"{counted(count, 'run')}: {clipped(reason, _LONGEST)}" for reason, count in reasons.most_common(_REASONS)]
    more = f"; and {counted(len(reasons) - _REASONS, 'more reason')}" if len(reasons) > _REASONS else ""
    return f"On with the old version goes {'; '.join(told)}{more}." if told else ""


async def offer(turn: Turn, entry: Entry) -> str:
    """The sentence that moves runs to the version just saved, if there is one that may go on with it."""
    desk, to = turn.desk, entry.record.revision
    if all(number == to for _, number in desk.running(entry.id)):
        return ""
    runs = [run for run in await desk.runs(entry.id, _LOOKED_AT) if run.revision != to][:_LOOKED_AT]
    new = _compiled(turn, entry.definition)
    known = {*desk.settings(), *Kept(desk.community, await desk.store.data(desk.community)).tree}
    for run in runs:
        old = await _own(turn, run)
        if old is not None and new is not None and movable(run, old, new, known) is None:
            return f"Where it is safe they can be moved: !wf move runs of {name(entry)} to the new version. "
    return ""


async def _own(turn: Turn, run: Execution) -> Program | None:
    record = await turn.desk.catalogue.revision(run.workflow, run.revision)
    return None if record is None else _compiled(turn, record.definition)


def _compiled(turn: Turn, definition: Definition) -> Program | None:
    try:
        return compile_program(definition, turn.desk.declarations)
    except EngineError:
        return None
