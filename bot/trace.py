"""What one run went through, step by step: as data for programs, as lines for people. Reading only.

It tells what stands in the history: when a step was entered, with which params after substitution, how long it took, what
came out, which try it was, what went wrong and where it went on. Texts of viewers are in it, so whoever shows the lines on
a terminal makes them harmless.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.catalogue import folded
from bot.instructions.where import number_of, step_of
from bot.replies import cause, clipped, sentence, spoken, titled
from bot.services.declared import DECLARATIONS
from bot.terminal import words
from engine.declare import Declarations
from engine.errors import EngineError
from engine.execution import FINAL, Branch, Effect, Execution, HistoryRow
from engine.model import Call, Definition, State, Wait, all_states
from engine.ports import Store
from grammar.say_steps import say_action

LATEST: Final = 20
_LOOKED_AT: Final = 1_000
_LONGEST: Final = 200
_SHOWN: Final = 5


class NoSuchRun(EngineError):
    """There is no such run, or more than one."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A run with everything it went through.

    Attributes:
        name: What its workflow is called now.
        definition: The version it goes by; None if that is not there any more.
        declarations: What services can do, for the words of its steps.
    """

    run: Execution
    rows: Sequence[HistoryRow]
    name: str
    definition: Definition | None
    declarations: Declarations = DECLARATIONS


# Finding -----------------------------------------------------------------------------------------------------------------


async def runs_of(
    store: Store, community: str, workflow: str | None, limit: int = LATEST
) -> list[tuple[str, Execution]]:
    """The latest runs of a workflow, or of all, newest first, each with its workflow's name.

    Raises:
        NoSuchRun: There is no workflow of that name.
        StoreError: It cannot be read.
    """
    names = await _names(store, community)
    id = None if workflow is None else _named(names, workflow)
    if workflow is not None and id is None:
        known = ", ".join(sorted(names.values())[:_SHOWN]) or "none"
        raise NoSuchRun(f'There is no workflow "{clipped(workflow, 60)}". Those there are: {known}.')
    runs = await store.executions(community, id, limit)
    return [(names.get(run.workflow, run.workflow), run) for run in runs]


async def trace_of(store: Store, community: str, given: str, declarations: Declarations = DECLARATIONS) -> Trace:
    """The run of that id, or of an id that begins so, or the last one of the workflow of that name.

    Raises:
        NoSuchRun: There is none, or more than one.
        StoreError: It cannot be read.
    """
    names = await _names(store, community)
    run = await _found(store, community, given.strip(), names)
    record = await store.revision(community, run.workflow, run.revision)
    return Trace(
        run,
        await store.history(run.id),
        names.get(run.workflow, run.workflow),
        None if record is None else record.definition,
        declarations,
    )


async def _names(store: Store, community: str) -> dict[str, str]:
    return {record.id: record.name for record in await store.workflows(community, deleted=True)}


def _named(names: Mapping[str, str], given: str) -> str | None:
    return next((id for id, name in names.items() if folded(given) in (folded(id), folded(name))), None)


async def _found(store: Store, community: str, given: str, names: Mapping[str, str]) -> Execution:
    run = await store.execution(given)
    if run is not None and run.community == community:
        return run
    workflow = _named(names, given)
    if workflow is not None and (last := await store.executions(community, workflow, 1)):
        return last[0]
    latest = await store.executions(community, None, _LOOKED_AT)
    matching = [each for each in latest if given and each.id.startswith(given)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        some = ", ".join(each.id for each in matching[:_SHOWN])
        raise NoSuchRun(f'More than one run begins with "{clipped(given, 40)}": {some}.')
    raise NoSuchRun(f'There is no run "{clipped(given, 40)}". Those there are: showcaller runs')


# As data -----------------------------------------------------------------------------------------------------------------


def as_data(trace: Trace) -> dict[str, Any]:
    """All of it as JSON has it; times are UTC seconds."""
    run = trace.run
    return {
        "run": run.id,
        "workflow": run.workflow,
        "name": trace.name,
        "revision": run.revision,
        "status": run.status,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "started_by": {"event": run.event.get("name") or "manual", "who": _who(run)},
        "error": run.error,
        "steps": [_row_as_data(trace, row) for row in trace.rows],
        "now": [_branch_as_data(trace, branch) for branch in run.branches],
    }


def _row_as_data(trace: Trace, row: HistoryRow) -> dict[str, Any]:
    return {
        **_place_as_data(trace, row),
        "outcome": row.outcome,
        "lasted": row.ended_at - row.entered_at,
        "output": row.output,
        "error": row.error,
        "to": row.to,
        "by": row.by,
    }


def _branch_as_data(trace: Trace, branch: Branch) -> dict[str, Any]:
    return {**_place_as_data(trace, branch), "due": branch.due, "timeout_due": branch.timeout_due}


def _place_as_data(trace: Trace, place: HistoryRow | Branch) -> dict[str, Any]:
    state = _state(trace, place.state)
    return {
        "step": place.state,
        "number": None if trace.definition is None else number_of(trace.definition, place.state),
        "path": place.path,
        "visit": place.visit,
        "attempt": place.attempt,
        "action": _action(state),
        "entered_at": place.entered_at,
        "params": place.params,
    }


def _action(state: State | None) -> str | None:
    if state is None:
        return None
    return f"{state.action.service}.{state.action.method}" if isinstance(state.action, Call) else state.action.kind


# In words ----------------------------------------------------------------------------------------------------------------


def as_lines(trace: Trace, zone: ZoneInfo) -> list[str]:
    """All of it for people, a step a line."""
    run = trace.run
    head = f"{titled(trace.name)} v{run.revision}, run {run.id}: {_became(run)}"
    lines = [sentence(head), f"Started {_moment(run.started_at, zone)} ({_begun(run)})."]
    lines += [_line(trace, row, zone) for row in trace.rows]
    lines += [_now(trace, branch, zone) for branch in run.branches if run.status not in FINAL]
    return lines


def as_line(name: str, run: Execution, zone: ZoneInfo) -> str:
    """One run in a list of them."""
    return f"{run.id}: {titled(name)} v{run.revision}, {_moment(run.started_at, zone)} ({_begun(run)}), {_became(run)}"


def _became(run: Execution) -> str:
    if run.status not in FINAL:
        return run.status
    lasted = _took((run.ended_at or run.started_at) - run.started_at)
    return f"{run.status}{lasted}{f': {clipped(run.error, _LONGEST)}' if run.error else ''}"


def _begun(run: Execution) -> str:
    return cause(str(run.event.get("name") or "manual"), _who(run))


def _who(run: Execution) -> str | None:
    who = (run.user or run.caller or {}).get("name")
    return who if isinstance(who, str) else None


def _line(trace: Trace, row: HistoryRow, zone: ZoneInfo) -> str:
    if row.outcome in _CONTROLS:
        return f"{_clock(row.ended_at, zone)} {_place(trace, row)}: {row.outcome} by {row.by or 'nobody knows whom'}"
    tries = f", try {row.attempt}" if row.attempt > 1 else ""
    again = f", {_nth(row.visit)} time" if row.visit > 1 else ""
    by = f" by {row.by}" if row.by else ""
    went_wrong = f": {clipped(row.error.rstrip('.'), _LONGEST)}" if row.error else ""
    came_out = "" if row.output is None else f" -> {_shown(row.output)}"
    return (
        f"{_clock(row.entered_at, zone)} {_place(trace, row)}{again}{tries}: {_said(trace, row)} - "
        f"{_ENDED.get(row.outcome, row.outcome)}{by}{_took(row.ended_at - row.entered_at)}{went_wrong}{came_out}"
        f"{_onward(trace, row)}"
    )


_CONTROLS: Final = frozenset({"paused", "resumed", "moved", "skipped by hand", "extended", "retried"})
_ENDED: Final = {
    "success": "done",
    "error": "failed",
    "timeout": "took too long",
    "unknown": "outcome unknown",
    "cancel": "cancelled",
    "late success": "done when nobody waited for it any more",
    "late error": "failed when nobody waited for it any more",
    "late unknown": "outcome unknown, and nobody waited for it any more",
}


def _onward(trace: Trace, row: HistoryRow) -> str:
    if row.to is None:
        return ""
    if row.to == row.state and row.outcome == "error":
        return "; tried again"
    return f"; then {_step(trace, row.to)}"


def _now(trace: Trace, branch: Branch, zone: ZoneInfo) -> str:
    until = f", until {_moment(branch.due, zone)}" if branch.due is not None else ""
    return f"{_clock(branch.entered_at, zone)} {_place(trace, branch)}: {_said(trace, branch)} - goes on{until}"


def _place(trace: Trace, place: HistoryRow | Branch) -> str:
    where = "" if place.path == "main" else f" in {place.path}"
    return f"{_step(trace, place.state)}{where}"


def _step(trace: Trace, state: str) -> str:
    return f'step "{state}"' if trace.definition is None else step_of(trace.definition, state)


def _state(trace: Trace, name: str) -> State | None:
    if trace.definition is None:
        return None
    return next((state for state in all_states(trace.definition.states) if state.name == name), None)


def _said(trace: Trace, place: HistoryRow | Branch) -> str:
    """What the step does, with its params as they were."""
    state = _state(trace, place.state)
    if state is None:
        return _shown(place.params) if place.params is not None else "nobody knows what"
    action, run = state.action, trace.run
    if isinstance(action, Call) and isinstance(place.params, Mapping):
        asked = (action.service, action.method, place.params)
        effect = Effect("", run.community, run.id, run.workflow, state.name, *asked, False)
        return clipped(words.of(effect, trace.declarations), _LONGEST)
    if isinstance(action, Wait) and isinstance(place.params, Mapping) and "seconds" in place.params:
        return f"wait {spoken(float(place.params['seconds']))}"
    return clipped(say_action(action, trace.declarations).replace("\n", " "), _LONGEST)


def _shown(value: Any) -> str:
    return clipped(json.dumps(value, ensure_ascii=False), _LONGEST)


def _took(seconds: float) -> str:
    if seconds < 0.01:
        return ""
    return f" after {seconds:.2g} seconds" if seconds < 10 and seconds % 1 >= 0.01 else f" after {spoken(seconds)}"


def _nth(count: int) -> str:
    ending = "th" if 10 < count % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


def _moment(at: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M:%S}"


def _clock(at: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%H:%M:%S}"
