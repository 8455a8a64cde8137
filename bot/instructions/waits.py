"""Skip a wait that is going on, or let it last longer or less long; the workflow stays as it is written."""

from collections.abc import Sequence

from bot.catalogue import Entry
from bot.instructions import doing
from bot.instructions.turn import Ask, Outcome, Turn, name
from bot.instructions.where import called, place_of, stands, step_of, written
from bot.replies import Saying, sentence, spoken
from engine.execution import FINAL, Branch, Execution
from engine.inputs import Extend as Longer
from engine.inputs import Skip as Over
from engine.wording import counted
from grammar.instruction import Extend, Skip

_NAMED = 3


async def skip(turn: Turn, instruction: Skip) -> Outcome:
    """Let a wait be over now."""
    found = await _found(turn, instruction)
    if not isinstance(found, list):
        return found
    await turn.close_question()
    desk = turn.desk
    over = Over(desk.clock.now(), turn.by.name, instruction.state)
    changed = await desk.runner.steer(desk.community, over, instruction.workflow)
    told = [await _after_skipping(turn, run) for run in changed]
    return _told(turn, instruction, told)


async def extend(turn: Turn, instruction: Extend) -> Outcome:
    """Let a wait last longer, or less long."""
    found = await _found(turn, instruction)
    if not isinstance(found, list):
        return found
    await turn.close_question()
    desk = turn.desk
    longer = Longer(desk.clock.now(), turn.by.name, instruction.seconds, instruction.state)
    changed = await desk.runner.steer(desk.community, longer, instruction.workflow)
    if not changed:
        return turn.refuse(
            f"{await called(turn, found[0])} waits for no time, so I cannot {turn.said}", _entry(turn, instruction)
        )
    before = {run.id: run for run in found}
    told = [await _after_extending(turn, before.get(run.id, run), run) for run in changed]
    return _told(turn, instruction, told)


def _entry(turn: Turn, instruction: Skip | Extend) -> Entry | None:
    return turn.entry(instruction.workflow) if instruction.workflow is not None else None


async def _found(turn: Turn, instruction: Skip | Extend) -> list[Execution] | Outcome:
    """The runs that wait, or what is said instead."""
    entry = _entry(turn, instruction)
    runs = await turn.desk.runs(instruction.workflow)
    if not runs:
        text = "Nothing is running." if entry is None else f"No run of {name(entry)} is going on."
        return turn.tell("answer", Saying(text), entry)
    waiting = [run for run in runs if await _waits(turn, run, instruction.state)]
    if not waiting:
        return turn.refuse(await _no_wait(turn, instruction, runs), entry)
    if turn.unsure or (len(waiting) > 1 and not turn.confirmed):
        many = counted(len(waiting), "run")
        whose = f" of {name(entry)}" if entry is not None else ""
        verb = "wait" if len(waiting) > 1 else "waits"
        return Ask(f"{turn.said[:1].upper()}{turn.said[1:]}? {many}{whose} {verb} there.", instruction)
    return waiting


async def _waits(turn: Turn, run: Execution, state: str | None) -> bool:
    definition = await written(turn, run)
    if definition is None:
        return False
    return any(
        doing.waits(definition.state(branch.state).action, branch) and state in (None, branch.state)
        for branch in run.branches
    )


async def _no_wait(turn: Turn, instruction: Skip | Extend, runs: Sequence[Execution]) -> str:
    """That there is no such wait, and where the run is instead."""
    where = ""
    run = next((each for each in runs if each.status not in ("scheduled", "queued")), runs[0])
    definition = await written(turn, run)
    if instruction.state is not None and definition is not None:
        where = f" at {step_of(definition, instruction.state)}"
    return f"Nothing waits{where}. {await stands(turn, run)}"


async def _after_skipping(turn: Turn, run: Execution) -> str:
    title = await called(turn, run)
    if run.status in FINAL:
        return f"{title} has ended"
    where = await place_of(turn, run)
    if run.status == "paused":
        return f"{title} stays paused at {where} and goes on from there when it is resumed"
    return f"{title} goes on at {where}" if where else f"{title} goes on"


async def _after_extending(turn: Turn, before: Execution, run: Execution) -> str:
    title = await called(turn, run)
    branch = _moved(before, run)
    due = None if branch is None else branch.due if branch.due is not None else branch.timeout_due
    if due is None:
        return title
    if run.paused_at is not None:
        return f"{title} is paused; {spoken(due - run.paused_at)} of the wait are left"
    now = turn.desk.clock.now()
    if due <= now:
        return f"{title} waits no longer"
    return f"{title} waits until {turn.desk.time(due)}, {spoken(due - now)} left"


def _moved(before: Execution, run: Execution) -> Branch | None:
    """The place whose time was moved."""
    return next((branch for branch in run.branches if branch not in before.branches), None)


def _told(turn: Turn, instruction: Skip | Extend, told: list[str]) -> Outcome:
    entry = _entry(turn, instruction)
    if not told:
        return turn.tell("answer", Saying("That wait is over already."), entry)
    more = f" And {len(told) - _NAMED} more." if len(told) > _NAMED else ""
    return turn.tell("done", Saying("Done: ", turn.said, f". {sentence('. '.join(told[:_NAMED]))}{more}"), entry)
