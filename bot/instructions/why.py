"""Why a workflow ran, failed, waits, or did not start: its last refusals and its last run, in words."""

from itertools import takewhile
from typing import Final

from bot.catalogue import Entry
from bot.instructions.taken import counted_in, taken
from bot.instructions.turn import Outcome, Turn, name
from bot.instructions.where import begun_by, held, stands, step_of, written
from bot.replies import Saying, cause, clipped, sentence, spoken
from engine.execution import FINAL, Execution, HistoryRow
from engine.model import Definition
from engine.ports import AdmissionRecord
from engine.validate import never_by_itself
from grammar.instruction import Why

_LOOKED_AT: Final = 20
_REFUSALS: Final = 2
_FAILURES: Final = 3
_LONGEST: Final = 200
_BAD: Final = frozenset({"error", "timeout", "unknown"})


async def why(turn: Turn, instruction: Why) -> Outcome:
    """The last that happened to a workflow, or to any."""
    entry = turn.entry(instruction.workflow) if instruction.workflow is not None else await _latest(turn)
    if entry is None:
        return turn.tell("answer", Saying("No workflow has been started yet, and none was kept from starting."))
    runs = await turn.desk.store.executions(turn.desk.community, entry.id, _LOOKED_AT)
    run = await _live(turn, runs[0]) if runs else None
    admissions = await _admissions(turn, entry.id)
    later = takewhile(lambda record: run is None or record.execution != run.id, admissions)
    since = [record for record in later if record.execution is None][:_REFUSALS]
    lines = [_refused(turn, entry, record) for record in since]
    lines += await taken(turn, entry, run.started_at if run is not None else 0.0)
    if run is not None:
        asked = next((record.at for record in admissions if record.execution == run.id), run.started_at)
        lines += await _story(turn, entry, run, asked)
        lines += [_failure(turn, earlier) for earlier in runs[1:] if earlier.status == "failed"][:1]
    elif not lines:
        lines.append(_never(turn, entry))
    lines += _asleep(turn, entry)
    if not entry.record.enabled and "switched off" not in lines[0]:
        lines.append(f"{name(entry)} is switched off.")
    return turn.tell("answer", Saying(body="\n".join(lines)), entry)


async def _latest(turn: Turn) -> Entry | None:
    """The workflow that something happened to last, among those that are there."""
    records = await _admissions(turn, None)
    runs = await turn.desk.store.executions(turn.desk.community, None, _LOOKED_AT)
    happened = [*((record.at, record.workflow) for record in records)]
    happened += [(run.ended_at or run.started_at, run.workflow) for run in runs]
    for _, workflow in sorted(happened, key=lambda each: -each[0]):
        if (entry := turn.desk.catalogue.get(workflow)) is not None:
            return entry
    return None


async def _admissions(turn: Turn, workflow: str | None) -> list[AdmissionRecord]:
    """The latest answers to starts, stored or only remembered, newest first."""
    desk = turn.desk
    stored = await desk.store.admissions(desk.community, workflow, _LOOKED_AT)
    remembered = desk.runner.refusals(desk.community, workflow, _LOOKED_AT)
    return sorted([*remembered, *stored], key=lambda record: -record.at)


async def _live(turn: Turn, stored: Execution) -> Execution:
    return next((run for run in await turn.desk.runs(stored.workflow, _LOOKED_AT) if run.id == stored.id), stored)


def _refused(turn: Turn, entry: Entry, record: AdmissionRecord) -> str:
    again = _again(turn, record.allowed_at) if record.allowed_at is not None else ""
    reason = sentence(clipped(record.reason or "nobody can say why", _LONGEST))
    return f"{name(entry)} did not start at {turn.desk.time(record.at)} ({cause(record.event_name, record.who)}): {reason}{again}"


def _again(turn: Turn, at: float) -> str:
    """From when on it would be let in."""
    now = turn.desk.clock.now()
    if at <= now:
        return " It would be let in by now."
    return f" It would be let in at {turn.desk.time(at)}, in {spoken(at - now)}."


async def _story(turn: Turn, entry: Entry, run: Execution, asked: float) -> list[str]:
    """What became of a run, and what went wrong on its way."""
    rows = await turn.desk.store.history(run.id)
    definition = await written(turn, run)
    retried = next((number for number, row in reversed(list(enumerate(rows))) if row.outcome == _RETRIED), -1)
    failed = [row for row in rows[retried + 1 :] if row.outcome in _BAD]
    tries = {(past.path, past.state, past.visit, past.attempt) for past in rows}
    tries |= {(branch.path, branch.state, branch.visit, branch.attempt) for branch in run.branches}
    lines = [await _became(turn, entry, run, asked, rows, _retries(turn, definition, rows))]
    if (gifts := await counted_in(turn, run)) is not None:
        lines.append(gifts)
    for row in failed[-_FAILURES:]:
        place = step_of(definition, row.state) if definition is not None else row.state
        went_on = f"; it went on at {row.to}" if row.to else ""
        if (row.path, row.state, row.visit, row.attempt + 1) in tries:
            went_on = "; it was tried again"
        known = run.error is not None and row.error is not None and row.error in run.error
        if known and row.outcome == "error" and not row.to:
            continue
        said = "" if known else f": {clipped((row.error or row.outcome).rstrip('.'), _LONGEST)}"
        lines.append(f"{place} {_PAST[row.outcome]}{said}{went_on}.")
    return lines


def _failure(turn: Turn, run: Execution) -> str:
    at = run.ended_at if run.ended_at is not None else run.started_at
    return sentence(
        f"Before that it failed at {turn.desk.time(at)}: {clipped(run.error or 'nobody can say why', _LONGEST)}"
    )


_PAST: Final = {"error": "failed", "timeout": "took too long", "unknown": "ended in an unknown outcome"}


_RETRIED: Final = "retried"
_RETRIES: Final = 2


def _retries(turn: Turn, definition: Definition | None, rows: list[HistoryRow]) -> str:
    """`, failed at 19:02:00 at step 2 of 3 (scene): OBS is closed, was retried by ann at 19:03:00`, the latest ones."""
    told: list[str] = []
    for number, row in enumerate(rows):
        if row.outcome != _RETRIED:
            continue
        failure = next((before for before in reversed(rows[:number]) if before.outcome in _BAD), None)
        if failure is not None:
            place = step_of(definition, failure.state) if definition is not None else failure.state
            reason = f": {clipped(failure.error.rstrip('.'), _LONGEST)}" if failure.error else ""
            told.append(f", failed at {turn.desk.time(failure.ended_at)} at {place}{reason}")
        told.append(f", was retried by {row.by or 'somebody'} at {turn.desk.time(row.ended_at)}")
    return "".join(told[-2 * _RETRIES :])


def _never_began(run: Execution) -> bool:
    """Whether a run that was put off, or stood in line, ended without a single step."""
    return run.status == "stopped" and run.seq == 0


async def _became(turn: Turn, entry: Entry, run: Execution, asked: float, rows: list[HistoryRow], retries: str) -> str:
    if run.status in ("scheduled", "queued"):
        begun = f"{name(entry)} {_wanted(run)} at {turn.desk.time(asked)} ({begun_by(run)})"
        return f"{begun} and {await held(turn, run)}."
    if _never_began(run):
        return _did_not_begin(turn, entry, run, asked)
    waited = f", waiting since {turn.desk.time(asked)}" if run.started_at - asked >= 1 else ""
    begun = f"started at {turn.desk.time(run.started_at)} ({begun_by(run)}{waited}){retries}"
    if run.status not in FINAL:
        return f"{name(entry)} {begun} and goes on. {await stands(turn, run)}."
    lasted = f" after {spoken(run.ended_at - run.started_at)}" if run.ended_at and run.ended_at > run.started_at else ""
    by = next((f" by {row.by}" for row in reversed(rows) if row.by and row.outcome != _RETRIED), "")
    who = by if run.status in ("stopped", "cancelled") and run.error is None else ""
    error = sentence(f": {clipped(run.error, _LONGEST)}") if run.error else "."
    return f"{name(entry)} {begun} and {_ENDED[run.status]}{who}{lasted}{error}"


def _wanted(run: Execution) -> str:
    """A person asks for a run, an event sets one off."""
    return "was set off" if run.event.get("name") else "was asked for"


def _did_not_begin(turn: Turn, entry: Entry, run: Execution, asked: float) -> str:
    begun = f"{name(entry)} {_wanted(run)} at {turn.desk.time(asked)} ({begun_by(run)})"
    ended = turn.desk.time(run.ended_at if run.ended_at is not None else asked)
    reason = clipped(run.error or "nobody can say why", _LONGEST)
    if reason.startswith("stopped by"):
        return sentence(f"{begun} and was {reason} at {ended}, before it began")
    return sentence(f"{begun}, but at {ended} it did not begin: {reason}")


_ENDED: Final = {
    "completed": "completed",
    "failed": "failed",
    "stopped": "was stopped",
    "cancelled": "was cancelled",
}


def _asleep(turn: Turn, entry: Entry) -> list[str]:
    """The triggers that never start it, and why."""
    reasons = [(trigger, never_by_itself(trigger)) for trigger in entry.definition.triggers]
    return [sentence(f"{turn.desk.language.say_trigger(each)}: {reason}") for each, reason in reasons if reason]


def _never(turn: Turn, entry: Entry) -> str:
    awake = [trigger for trigger in entry.definition.triggers if never_by_itself(trigger) is None]
    triggers = " or ".join(turn.desk.language.say_trigger(trigger) for trigger in awake)
    listens = f"it starts {triggers}" if triggers else f"it starts only by hand: !wf run {name(entry)}"
    return f"{name(entry)} has not been started yet; {listens}."
