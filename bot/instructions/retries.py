"""Let a run that has failed go on where it failed, perhaps with other values."""

from collections.abc import Sequence
from typing import Final

from bot.catalogue import Entry
from bot.instructions.turn import Ask, Outcome, Turn, name
from bot.instructions.where import step_of, written
from bot.replies import Saying, clipped
from engine.execution import FINAL, Execution
from grammar.instruction import RetryRun

_LOOKED_AT: Final = 50
_LONGEST: Final = 120


async def retry(turn: Turn, instruction: RetryRun) -> Outcome:
    """The latest run that failed, of one workflow or of any that is there, goes on."""
    entry = turn.entry(instruction.workflow) if instruction.workflow is not None else None
    desk = turn.desk
    runs = await desk.store.executions(desk.community, instruction.workflow, _LOOKED_AT)
    failed = _latest_failed(turn, runs)
    if failed is None:
        return turn.tell("answer", Saying(_none_failed(turn, entry, runs)), entry)
    entry = turn.entry(failed.workflow)
    since = next((run for run in runs if run.workflow == failed.workflow), failed)
    if turn.unsure or (since.id != failed.id and not turn.confirmed):
        return Ask(_sure(turn, entry, failed, since), instruction, (entry.id,))
    await turn.close_question()
    place = await _place(turn, failed)
    again = await desk.runner.retry(desk.community, failed.id, turn.by, instruction.arguments)
    if again is None:
        return turn.refuse(f"{name(entry)} cannot go on where it failed. From the start: !wf run {name(entry)}", entry)
    why = f" ({_reason(failed)})" if failed.error else ""
    head = f"{name(entry)} goes on{place}, where it failed at {turn.desk.time(_ended(failed))}{why}: "
    return turn.tell("done", Saying(head, turn.said, f". {_old(entry, failed)}"), entry)


def _latest_failed(turn: Turn, runs: Sequence[Execution]) -> Execution | None:
    failed = [run for run in runs if run.status == "failed" and turn.desk.catalogue.get(run.workflow) is not None]
    return max(failed, key=_ended, default=None)


def _ended(run: Execution) -> float:
    return run.started_at if run.ended_at is None else run.ended_at


def _none_failed(turn: Turn, entry: Entry | None, runs: Sequence[Execution]) -> str:
    if entry is None:
        return "No run has failed lately."
    last = next(iter(runs), None)
    if last is None:
        return f"{name(entry)} has not run yet, so there is nothing to retry."
    return f"No run of {name(entry)} has failed lately; the last one {_became(turn, last)}."


def _became(turn: Turn, run: Execution) -> str:
    """`completed at 19:05:00`, `goes on`."""
    match run.status:
        case "scheduled":
            return "is still to start"
        case "queued":
            return "stands in line"
        case status if status in FINAL:
            was = status if status in ("completed", "failed") else f"was {status}"
            return f"{was} at {turn.desk.time(_ended(run))}"
        case _:
            return "goes on"


def _sure(turn: Turn, entry: Entry, failed: Execution, since: Execution) -> str:
    then = f"It failed at {turn.desk.time(_ended(failed))}"
    if since.id != failed.id:
        then = f"{then}, but a later run of it {_became(turn, since)}"
    return f"Retry {name(entry)}? {then}."


async def _place(turn: Turn, failed: Execution) -> str:
    """Where it goes on; a run that failed before its first step begins there."""
    definition = await written(turn, failed)
    if definition is None or not failed.wreck:
        return ""
    return f" at {step_of(definition, failed.wreck[0].state)}"


def _reason(failed: Execution) -> str:
    """Why it failed, without the step, which is said already."""
    step = f'"{failed.wreck[0].state}" failed: ' if failed.wreck else ""
    return clipped((failed.error or "").removeprefix(step).rstrip("."), _LONGEST)


def _old(entry: Entry, failed: Execution) -> str:
    """A retry goes by the version that failed, which whoever has mended it may not think of."""
    number = entry.record.revision
    if number == failed.revision:
        return ""
    return f"It still goes by v{failed.revision}; v{number} starts from the first step: !wf run {name(entry)}"
