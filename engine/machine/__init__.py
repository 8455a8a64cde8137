"""The pure heart: what happens next. No I/O, no clock, no chance, no ids drawn here.

    start(program, ...)                            -> Step
    transition(program, execution, input, context) -> Step

A `Step` is the new execution, the effects to commit and then perform, the history rows to commit with them, and the runs
to start in the same commit. Time comes in with every input, chance and settings with the context, so that replay, recovery
and simulation are this same code with another clock and another performer.

An execution rests on branches. What lets a branch move is one of: the result of the effect it asked for, the end of a run
it started, an event it listens for, a due time, or a control. A moving branch leaves its state by an event (`success`,
`error`, `timeout`, `unknown`, `cancel`), which writes one history row, and enters states until one of them rests: a call
waits for its result, a wait for its time or event, everything else is over at once. What one such move leaves to another
stands on an agenda and is done until nothing is left of it. An effect that nobody waits for any more (time limit, cancel,
stop) is an orphan: its result is recorded and changes nothing. An input that fits nothing leaves the execution as it is.
"""

from dataclasses import replace
from typing import assert_never

from engine.arguments import filled_in, missing_input
from engine.compiled import Program
from engine.context import Context
from engine.errors import EvaluationError
from engine.events import Event
from engine.execution import FINAL, MAIN, Execution, Status, Values
from engine.inputs import (
    Begin,
    Cancel,
    ChildEnded,
    Decline,
    Errored,
    Extend,
    Heard,
    Input,
    OutcomeUnknown,
    Pause,
    Resume,
    Retry,
    Skip,
    StandInLine,
    Stop,
    Succeeded,
    TimeReached,
)
from engine.machine import blocks, controls, endings, hearing
from engine.machine.agenda import EndLane, EndRound, Enter, Fail
from engine.machine.entering import enter
from engine.machine.leaving import fail
from engine.machine.step import Relay, StartRun, Step
from engine.machine.work import Work
from engine.people import person_in
from engine.settings import overrides_in
from engine.wording import in_seconds

__all__ = ["Relay", "StartRun", "Step", "given_up", "heard_as", "start", "transition"]


def start(
    program: Program,
    *,
    id: str,
    community: str,
    revision: int,
    event: Event | None,
    arguments: Values,
    user: Values | None,
    caller: Values | None,
    at: float,
    context: Context,
    depth: int = 0,
    parent: str | None = None,
    slot: str | None = None,
    held: Status | None = None,
    due: float | None = None,
) -> Step:
    """Begin a run and go on until it rests; or let it be `scheduled` until `due`, or `queued`."""
    execution = Execution(
        id=id,
        community=community,
        workflow=program.definition.id,
        revision=revision,
        status=held or "running",
        started_at=at,
        variables=dict(arguments),
        event={} if event is None else heard_as(event),
        user=person_in(arguments.get("user")) or user,
        caller=caller,
        depth=depth,
        parent=parent,
        slot=slot,
        start_due=due,
        configured=bool(overrides_in(arguments)),
    )
    work = Work(program, execution, context, at)
    if held is None:
        _begin(work)
    _drive(work)
    return work.step()


def heard_as(event: Event) -> dict[str, object]:
    """An event as runs know it."""
    return {"name": event.name, "id": event.id, "at": event.at, **event.payload}


def transition(program: Program, execution: Execution, input: Input, context: Context) -> Step:
    """What an input does to a run; the same execution and nothing else if it fits nothing."""
    if execution.status in FINAL and not isinstance(input, Succeeded | Errored | OutcomeUnknown | Retry):
        return Step(execution)
    work = Work(program, execution, context, input.at)
    moved = _take(work, input)
    if not moved:
        return Step(execution, consumed=work.consumed)
    _drive(work)
    return work.step()


def _take(work: Work, input: Input) -> bool:  # noqa: C901  one line per input
    """Let an input do what it does at once; tells whether it fitted anything."""
    match input:
        case Succeeded() | Errored() | OutcomeUnknown():
            return endings.result(work, input)
        case ChildEnded():
            return endings.child_ended(work, input)
        case Heard():
            return _hear(work, input)
        case TimeReached():
            return _time_reached(work)
        case Begin():
            return _begin_held(work)
        case StandInLine():
            return _stand_in_line(work)
        case Decline():
            return _decline(work, input.reason)
        case Cancel():
            return controls.cancel(work, input.by)
        case Stop():
            return controls.stop(work, input.by)
        case Pause():
            return controls.pause(work, input.by)
        case Resume():
            return controls.resume(work, input.by)
        case Skip():
            return _skip(work, input)
        case Extend():
            return controls.extend(work, input.by, input.seconds, input.state)
        case Retry():
            return controls.retry(work, input.by, input.arguments)
        case _:
            assert_never(input)


def _drive(work: Work) -> None:
    """Do what stands on the agenda, until nothing does; then see whether the run is over."""
    while True:
        while work.agenda and work.ended is None:
            item = work.agenda.pop()
            match item:
                case Enter():
                    enter(work, item)
                case EndRound():
                    blocks.end_round(work, item)
                case EndLane():
                    blocks.end_lane(work, item)
                case Fail():
                    fail(work, item)
                case _:
                    assert_never(item)
        if work.ended is not None or work.branches or work.waiting_as is not None:
            return
        _close(work)


def _close(work: Work) -> None:
    """No branch is left: the run is over, unless its own time ran out and its `on_error` has not run yet."""
    if work.timed_out and work.error is None:
        work.error = _too_long(work)
        on_error = work.program.definition.on_error
        if on_error is not None:
            work.agenda.append(Enter(MAIN, on_error))
            return
    work.ended = "failed" if work.timed_out else "cancelled" if work.cancelled else "completed"
    work.frames.clear()
    work.paused_at = None
    work.timeout_due = None


def _too_long(work: Work) -> str:
    return f"it took longer than the {in_seconds(work.program.definition.timeout_seconds or 0)} it may take"


# Beginning ---------------------------------------------------------------------------------------------------------------


def _begin(work: Work) -> None:
    """Fill in declared variables and enter the first state."""
    limit = work.program.definition.timeout_seconds
    work.timeout_due = None if limit is None else work.at + limit
    missing = missing_input(work.program, work.variables)
    if missing is not None:
        work.fail(missing)
        return
    try:
        work.variables = work.scope.variables = filled_in(work.program, work.scope)
    except EvaluationError as error:
        work.fail(f"it could not start: {error.reason}")
        return
    work.agenda.append(Enter(MAIN, work.program.definition.initial_state))


def _begin_held(work: Work) -> bool:
    if work.waiting_as is None:
        return False
    work.waiting_as = work.start_due = None
    work.started_at = work.at
    _begin(work)
    return True


def _stand_in_line(work: Work) -> bool:
    if work.waiting_as != "scheduled":
        return False
    work.waiting_as, work.start_due = "queued", None
    return True


def _decline(work: Work, reason: str) -> bool:
    if work.waiting_as is None:
        return False
    work.start_due = None
    work.error = reason
    work.end("stopped")
    return True


def _skip(work: Work, input: Skip) -> bool:
    if not controls.skip(work, input.by, input.state):
        return False
    _time_reached(work)
    return True


# Events and time ---------------------------------------------------------------------------------------------------------


def _hear(work: Work, input: Heard) -> bool:
    """Let every branch hear, each of them coming to rest before the next one does, until one keeps it to itself."""
    moved = False
    for branch in list(work.branches):
        if work.ended is None and branch in work.branches and hearing.hear(work, branch, input):
            moved = True
            _drive(work)
            if work.consumed:
                break
    return moved


def _time_reached(work: Work) -> bool:
    """Let everything happen that is due by now, in due order."""
    if work.paused_at is not None or work.waiting_as is not None:
        return False
    moved = False
    while work.ended is None and endings.next_due(work):
        moved = True
        _drive(work)
    return moved


def given_up(execution: Execution, input: Input) -> Step:
    """What becomes of an execution that the machine cannot move: it ends, so that nothing is ever stuck."""
    in_flight = tuple(branch.effect for branch in execution.branches if branch.effect is not None)
    relays = tuple(Relay(branch.child, "stop", "") for branch in execution.branches if branch.child is not None)
    ended = input.effect if isinstance(input, Succeeded | Errored | OutcomeUnknown) else None
    failed = replace(
        execution,
        status="failed",
        branches=(),
        frames=(),
        ears=(),
        ended_at=input.at,
        error="it cannot go on: this version of the bot cannot run it, or made a mistake that is in the log",
        orphans=tuple(effect for effect in (*execution.orphans, *in_flight) if effect != ended),
    )
    return Step(failed, relays=relays)
