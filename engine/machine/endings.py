"""What was waited for has come: the result of an effect, the end of a run, or a time.

A failure that may be tried again makes the branch rest until its next try. What nobody waits for any more is recorded, and
kept for a retry where it belongs to a place at which a run has failed.
"""

from dataclasses import replace
from typing import assert_never

from engine.actions import LONGEST_WAIT
from engine.compiled import CompiledState
from engine.effect_ids import place_of
from engine.execution import Branch, Frame
from engine.inputs import ChildEnded, Ending, Errored, OutcomeUnknown, Succeeded
from engine.machine import hearing
from engine.machine.agenda import Fail
from engine.machine.controls import leave_all
from engine.machine.entering import ask_again
from engine.machine.leaving import succeed
from engine.machine.work import Work
from engine.model import Retry
from engine.wording import in_seconds


def result(work: Work, input: Ending) -> bool:
    """What came of an effect; tells whether anybody asked for it."""
    branch = next((branch for branch in work.branches if branch.effect == input.effect), None)
    if branch is None:
        return _late_result(work, input)
    work.take(branch)
    state = work.states[branch.state]
    match input:
        case Succeeded():
            work.place(branch.path, state)
            succeed(work, branch, state, input.output, heard=branch.heard)
        case Errored():
            if not _try_again(work, branch, state, input):
                outcome = "timeout" if input.error == "timeout" else "error"
                work.agenda.append(Fail(branch, outcome, input.message))
        case OutcomeUnknown():
            work.agenda.append(Fail(branch, "unknown", input.message))
        case _:
            assert_never(input)
    return True


def _late_result(work: Work, input: Ending) -> bool:
    """Record what came of an effect that no branch waits for any more."""
    if input.effect not in work.orphans:
        return False
    work.orphans = tuple(orphan for orphan in work.orphans if orphan != input.effect)
    path, state, visit, attempt = place_of(work.execution.id, input.effect)
    branch = Branch(path, state, visit, attempt, entered_at=work.at)
    match input:
        case Succeeded():
            work.row(branch, "late success", output=input.output)
            came_to = {"output": input.output}
            work.wreck = tuple(
                replace(each, came_to=came_to) if each.effect == input.effect else each for each in work.wreck
            )
        case Errored():
            work.row(branch, "late error", error=input.message)
        case OutcomeUnknown():
            work.row(branch, "late unknown", error=input.message)
        case _:
            assert_never(input)
    return True


def child_ended(work: Work, input: ChildEnded) -> bool:
    """A run that a branch waits for has ended."""
    branch = next((branch for branch in work.branches if branch.child == input.child), None)
    if branch is None:
        return False
    work.take(branch)
    rested(work, branch)
    state = work.states[branch.state]
    work.place(branch.path, state)
    if input.status == "completed":
        succeed(work, branch, state, input.output, heard=branch.heard)
    else:
        work.agenda.append(Fail(branch, "error", input.error or f'"{state.workflow}" was {input.status}'))
    return True


def _try_again(work: Work, branch: Branch, state: CompiledState, input: Errored) -> bool:
    """Plan another try, if the failure and the definition allow one."""
    policy = state.retry
    if policy is None or not input.retryable or branch.attempt >= policy.max_attempts:
        return False
    if policy.on and input.error not in policy.on:
        return False
    delay = _pause_before_next(policy, branch.attempt, work.draw(), LONGEST_WAIT)
    work.row(branch, "error", error=input.message, to=branch.state)
    since = work.at if work.paused_at is None else work.paused_at  # what is left of it begins to run at resume
    again = replace(branch, attempt=branch.attempt + 1, effect=None, due=since + delay)
    if delay <= 0 and work.paused_at is None:
        ask_again(work, again, state)
    else:
        work.rest(again)
    return True


def _pause_before_next(policy: Retry, tried: int, chance: float, longest: float) -> float:
    """The seconds to wait after so many tries."""
    delay = min(policy.delay_seconds * policy.backoff ** (tried - 1), longest)
    if policy.max_delay_seconds is not None:
        delay = min(delay, policy.max_delay_seconds)
    return delay * (1 + policy.jitter * (2 * chance - 1)) if policy.jitter else delay


# Time --------------------------------------------------------------------------------------------------------------------


def next_due(work: Work) -> bool:
    """Let the first thing happen that is due by now; tells whether there was one."""
    due = _earliest(work)
    match due:
        case None:
            return False
        case Branch():
            _branch_due(work, due)
        case Frame():
            _frame_due(work, due)
        case _:
            _run_out(work)
    return True


def _earliest(work: Work) -> Branch | Frame | float | None:
    """Whose time comes first: a branch, an open block, the run itself (its due time), or nothing yet."""
    found: Branch | Frame | float | None = None
    first = work.at
    for branch in work.branches:
        for due in (branch.due, branch.timeout_due):
            if due is not None and (due < first or (found is None and due <= first)):
                found, first = branch, due
    for frame in work.frames:
        due = frame.timeout_due
        if due is not None and (due < first or (found is None and due <= first)):
            found, first = frame, due
    due = work.timeout_due
    if due is not None and due <= work.at and (found is None or due < first):
        return due
    return found


def _branch_due(work: Work, branch: Branch) -> None:
    work.take(branch)
    state = work.states[branch.state]
    if branch.due is None or (branch.timeout_due is not None and branch.timeout_due < branch.due):
        work.orphan(branch)
        sentence = f'"{branch.state}" took longer than {in_seconds(state.timeout or 0)}'
        work.agenda.append(Fail(branch, "timeout", sentence))
        return
    work.place(branch.path, state)
    if state.kind == "wait":
        _awake(work, branch, state)
    elif state.kind == "collect":
        hearing.close(work, branch, state)
    elif state.kind == "wait_for":
        succeed(work, branch, state, None)  # it was skipped during a pause
    else:
        ask_again(work, branch, state)


def _awake(work: Work, branch: Branch, state: CompiledState) -> None:
    """A wait is over, perhaps late; so late that the workflow does not want to go on is a time limit passed."""
    work.late = work.scope.late = max(0, int(work.at - (branch.due or work.at)))
    rested(work, branch)
    latest = work.program.definition.policy.late_seconds
    if latest is not None and work.late > latest:
        sentence = f'"{branch.state}" was over {in_seconds(work.late)} late, and {in_seconds(latest)} may be'
        work.agenda.append(Fail(branch, "timeout", sentence))
        return
    succeed(work, branch, state, None, heard=branch.heard)


def rested(work: Work, branch: Branch) -> None:
    """A branch has rested for a second or more: what it goes round from here on is no busy loop."""
    if not work.rounds or work.at - branch.entered_at < 1:
        return
    mine = f"{branch.path}/"
    rounds = {key: count for key, count in work.rounds.items() if not key.startswith(mine)}
    above = branch.path
    while "/" in above:  # what is around a branch has rested as long
        above = above.rpartition("/")[0]
        rounds = {key: count for key, count in rounds.items() if key.removeprefix(f"{above}/") not in work.states}
    work.rounds = rounds


def _frame_due(work: Work, frame: Frame) -> None:
    state = work.states[frame.state]
    work.slot = len(work.branches)
    work.close(frame, "timeout")
    branch = Branch(frame.path, frame.state, frame.visit, entered_at=frame.entered_at)
    sentence = f'"{frame.state}" took longer than {in_seconds(state.timeout or 0)}'
    work.agenda.append(Fail(branch, "timeout", sentence))


def _run_out(work: Work) -> None:
    """The time of the whole run is up: clean up, then `on_error`, then failed."""
    work.timed_out = True
    work.timeout_due = None
    leave_all(work, "timeout", None)
