"""Events that would have started a workflow and did not, because something else took them: a wait, or a larger gift.

No answer of admission is kept of these, so they are found in what is: the events, and the steps that waited for them. Only
the latest are looked at.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bot.catalogue import Entry
from bot.instructions.turn import Turn, name
from bot.instructions.where import called, step_of, written
from engine.context import Context, event_scope
from engine.errors import EvaluationError
from engine.evaluate import compile_guard
from engine.events import Event, canonical, kind_of
from engine.execution import Execution, HistoryRow
from engine.folding import Header, Single, fold_of
from engine.model import Collect, Definition, Trigger, WaitFor, all_states
from engine.people import name_of
from engine.wording import counted

_RUNS: Final = 10
_EVENTS: Final = 100


async def taken(turn: Turn, entry: Entry, since: float) -> list[str]:
    """What took events that the workflow listens for, after a time; a sentence each."""
    if not entry.definition.triggers:
        return []
    return [*await _by_waits(turn, entry, since), *await _by_gifts(turn, entry, since)]


async def counted_in(turn: Turn, run: Execution) -> str | None:
    """The gifts that are counted in the one that started a run."""
    began = Event(str(run.event.get("id")), str(run.event.get("name") or ""), run.started_at, run.community, run.event)
    fold = fold_of(began) if began.name else None
    if not isinstance(fold, Header):
        return None
    events = await turn.desk.store.events(turn.desk.community, _EVENTS)
    singles = sum(1 for event in events if fold_of(event) == Single(fold.key))
    if not singles:
        return None
    each, them = ("sub", "it starts") if singles == 1 else ("subs", "they start")
    return f"{singles} single {each} of that gift came with it and count as this one; {them} nothing."


# Waits -------------------------------------------------------------------------------------------------------------------


async def _by_waits(turn: Turn, entry: Entry, since: float) -> list[str]:
    """Waits that keep what they take from all that come after them."""
    desk = turn.desk
    listened = {canonical(trigger.on) for trigger in entry.definition.triggers}
    ended = await desk.store.executions(desk.community, None, _RUNS)
    runs = {run.id: run for run in (*ended, *await desk.runs(None, _RUNS))}
    for run in runs.values():
        definition = None if run.workflow == entry.id else await written(turn, run)
        keeping = {} if definition is None else _keeping(definition, listened)
        if definition is None or not keeping:
            continue
        gathering = next((branch for branch in run.branches if isinstance(keeping.get(branch.state), Collect)), None)
        if gathering is not None:
            place = step_of(definition, gathering.state)
            return [f"{await called(turn, run)} is gathering at {place} and keeps what it takes to itself."]
        rows = await desk.store.history(run.id)
        last = next((row for row in reversed(rows) if _took(entry, keeping, row, since)), None)
        if last is not None:
            return [_kept(turn, entry, f"{await called(turn, run)} ({step_of(definition, last.state)})", last)]
    return []


def _keeping(definition: Definition, listened: Iterable[str]) -> dict[str, WaitFor | Collect]:
    """The steps that keep such events to themselves, by name."""
    return {
        state.name: state.action
        for state in all_states(definition.states)
        if isinstance(state.action, WaitFor | Collect)
        and state.action.consume
        and canonical(state.action.event) in listened
    }


def _took(entry: Entry, keeping: Mapping[str, WaitFor | Collect], row: HistoryRow, since: float) -> bool:
    """Whether a step took an event that would have started the workflow."""
    if row.outcome != "success" or row.ended_at <= since or not isinstance(keeping.get(row.state), WaitFor):
        return False
    event = row.output
    return isinstance(event, Mapping) and any(_fits(trigger, event) for trigger in entry.definition.triggers)


def _fits(trigger: Trigger, event: Mapping[str, Any]) -> bool:
    """Whether a trigger would have taken an event, as far as the event says."""
    heard = Event(str(event.get("id")), str(event.get("name")), float(event.get("at") or 0), "", event)
    if canonical(trigger.on) != canonical(heard.name):
        return False
    try:
        return trigger.when is None or compile_guard(trigger.when)(event_scope(heard, Context()))
    except EvaluationError:
        return False


def _kept(turn: Turn, entry: Entry, whose: str, row: HistoryRow) -> str:
    kind = kind_of(str(row.output.get("name")))
    clause = kind.clause if kind is not None else str(row.output.get("name"))
    who = name_of(row.output.get("user"))
    what = f"{clause}{f': {who}' if who else ''}"
    return (
        f"{name(entry)} did not start at {turn.desk.time(row.ended_at)} ({what}): {whose} waited for that and kept it."
    )


# Gifts -------------------------------------------------------------------------------------------------------------------


async def _by_gifts(turn: Turn, entry: Entry, since: float) -> list[str]:
    """Single gifts that belong to a larger one start nothing themselves."""
    listens = any(canonical(trigger.on) == "subscription.received" for trigger in entry.definition.triggers)
    events = await turn.desk.store.events(turn.desk.community, _EVENTS) if listens else []
    folds = [(event, fold_of(event)) for event in events if event.at > since]
    for header, fold in folds:
        if not isinstance(fold, Header):
            continue
        singles = sum(1 for _, other in folds if other == Single(fold.key))
        if singles:
            who = name_of(header.payload.get("user")) or "somebody"
            began = f"{name(entry)} did not start for {counted(singles, 'single sub')} at {turn.desk.time(header.at)}"
            return [
                f"{began}: {'it belongs' if singles == 1 else 'they belong'} to a gift of {who}, which counts once."
            ]
    return []
