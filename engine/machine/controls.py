"""What people may do to a run that is going on, or has failed: stop, cancel, pause, resume, skip, extend, retry.

Each tells whether it changed anything, so that the same wish twice is the same as once. A cancel goes through the
branches, innermost first: one that has a way for it goes that way and runs on, one that has none ends.
"""

from dataclasses import replace

from engine.compiled import CompiledState
from engine.errors import EvaluationError
from engine.execution import MAIN, Branch, Frame, Values
from engine.machine import blocks, hearing
from engine.machine.agenda import Enter
from engine.machine.leaving import succeed
from engine.machine.step import Relay
from engine.machine.work import Work
from engine.values import within
from engine.ways import target


def stop(work: Work, by: str) -> bool:
    """End at once, without handlers."""
    for branch in work.branches:
        work.row(branch, "stopped", by=by)
    work.error = f"stopped by {by}"
    work.end("stopped", by)
    return True


def pause(work: Work, by: str) -> bool:
    """Freeze what is left of waits and time limits."""
    if work.paused_at is not None or work.waiting_as is not None or not work.branches:
        return False
    work.paused_at = work.at
    work.row(work.branches[0], "paused", by=by)
    _relay_all(work, "pause", by)
    return True


def resume(work: Work, by: str) -> bool:
    """Go on where it was paused; what has to be entered or looked at is put on the agenda."""
    if work.paused_at is None:
        return False
    work.row(work.branches[0], "resumed", by=by)
    unfreeze(work)
    _relay_all(work, "resume", by)
    for branch in list(reversed(work.branches)):
        state = work.states[branch.state]
        if branch.visit > 0 and state.listening is not None and branch.heard:
            hearing.take_kept(work, branch, state)
    for branch in reversed([each for each in work.branches if each.visit == 0]):
        work.take(branch)
        work.agenda.append(Enter(branch.path, branch.state, branch.heard))
    return True


def unfreeze(work: Work) -> None:
    """Whatever was left of waits, time limits and pauses before retries begins to run again."""
    gap = max(0.0, work.at - (work.paused_at or work.at))
    work.paused_at = None
    work.branches = [_later(branch, gap) for branch in work.branches]
    work.frames = [
        frame if frame.timeout_due is None else replace(frame, timeout_due=frame.timeout_due + gap)
        for frame in work.frames
    ]
    if work.timeout_due is not None:
        work.timeout_due += gap


def _relay_all(work: Work, verb: str, by: str) -> None:
    for branch in work.branches:
        if branch.child is not None:
            work.relays.append(Relay(branch.child, "pause" if verb == "pause" else "resume", by))


# Waits -------------------------------------------------------------------------------------------------------------------


def skip(work: Work, by: str, name: str | None) -> bool:
    """A wait is over now: a time, an event, a gathering, or the pause before a next try."""
    branch = _waiting(work, name)
    if branch is None:
        return False
    state = work.states[branch.state]
    if work.paused_at is not None and branch.due is not None and branch.due <= work.paused_at:
        return False  # it is over at resume as it is
    work.row(branch, "skipped by hand", by=by)
    if state.kind in ("wait_for", "collect") and work.paused_at is None:
        work.take(branch)
        if state.kind == "collect":
            hearing.close(work, branch, state)
        else:
            succeed(work, branch, state, None)
    else:
        work.put(branch, replace(branch, due=work.at if work.paused_at is None else work.paused_at))
    return True


def extend(work: Work, by: str, seconds: float, name: str | None) -> bool:
    """A wait lasts so many seconds longer; one that waits for an event has its time limit moved."""
    branch = _waiting(work, name)
    if branch is None or (branch.due is None and branch.timeout_due is None):
        return False
    earliest = work.at if work.paused_at is None else work.paused_at
    if branch.due is not None:
        longer = replace(branch, due=max(earliest, branch.due + seconds))
    else:
        longer = replace(branch, timeout_due=max(earliest, (branch.timeout_due or 0) + seconds))
    work.row(branch, "extended", output={"seconds": seconds}, by=by)
    work.put(branch, longer)
    return True


def _waiting(work: Work, name: str | None) -> Branch | None:
    """The wait that is meant: the one in that state, or the one that would end first."""
    waits = [
        branch
        for branch in work.branches
        if branch.visit > 0
        and (branch.due is not None or work.states[branch.state].listening is not None)
        and name in (None, branch.state)
    ]
    soon = float("inf")
    return min(waits, key=lambda each: _first(each, soon), default=None)


def _first(branch: Branch, never: float) -> float:
    if branch.due is not None:
        return branch.due
    return never if branch.timeout_due is None else branch.timeout_due


# Cancel ------------------------------------------------------------------------------------------------------------------


def cancel(work: Work, by: str) -> bool:
    """Let every branch clean up."""
    if work.cancelled or work.timed_out:
        return False
    if work.waiting_as is not None:
        return stop(work, by)
    if work.paused_at is not None:
        unfreeze(work)
    work.error = f"cancelled by {by}"
    work.cancelled = True
    if not leave_all(work, "cancel", by):
        work.cancelled = False
        work.end("stopped", by)
    return True


def leave_all(work: Work, outcome: str, by: str | None) -> bool:
    """Every branch that has a way for a cancel goes it; the others end. Tells whether any had one."""
    left, work.branches = work.branches, []
    moves: list[Enter] = []
    for branch in left:
        work.orphan(branch, "cancel", by or "")
        to = _clean_up(work, branch.path, work.states[branch.state])
        work.row(branch, outcome, to=None if to is None else to.state, by=by)
        if to is not None:
            moves.append(to)
    work.frames = [replace(frame, closing=True) for frame in work.frames]
    for frame in sorted((frame for frame in work.frames if frame.lanes), key=lambda each: -each.path.count("/")):
        if any(work.is_inside(move.path, move.state, frame) for move in moves):
            _end_other_lanes(work, frame, moves)
            continue
        if not frame.joined and (to := _clean_up(work, frame.path, work.states[frame.state])) is not None:
            moves.append(to)
    work.frames = [
        frame for frame in work.frames if any(work.is_inside(move.path, move.state, frame) for move in moves)
    ]
    work.agenda.extend(reversed(moves))
    return bool(moves)


def _end_other_lanes(work: Work, frame: Frame, moves: list[Enter]) -> None:
    """The branches of a parallel that nothing is left of are over."""
    lanes = work.states[frame.state].sides
    prefix = work.lanes_of(frame)
    busy = {
        lane.name
        for lane in (lanes.lanes if lanes is not None else ())
        if any(move.path == prefix + lane.key or move.path.startswith(f"{prefix}{lane.key}/") for move in moves)
    }
    changed = tuple(
        lane if lane.name in busy or lane.status not in ("running", "waiting") else replace(lane, status="skipped")
        for lane in frame.lanes
    )
    work.change(frame, replace(frame, lanes=changed))


def _clean_up(work: Work, path: str, state: CompiledState) -> Enter | None:
    """Where a cancelled state leads, innermost first, as far as its branch goes; what cannot be decided on is none."""
    while True:
        work.place(path, state)
        try:
            to = target(state, "cancel", work.scope)
        except EvaluationError:
            to = None
        if to is not None:
            return Enter(path, to)
        if state.owner is None or work.states[state.owner].sides is not None:
            return None
        state = work.states[state.owner]


# Retry -------------------------------------------------------------------------------------------------------------------


def retry(work: Work, by: str, arguments: Values) -> bool:
    """Go on with a run that has failed, where it failed; what stood beside it goes on where it was.

    Raises:
        EvaluationError: What is given is too large to be kept.
    """
    if work.ended != "failed":
        return False
    variables = within({**work.variables, **arguments})
    wreck, work.wreck = work.wreck, ()
    if wreck:
        work.row(wreck[0], "retried", by=by, params=dict(arguments) or None)
    work.ended, work.error, work.timed_out, work.rounds = None, None, False, {}
    work.variables = work.scope.variables = variables
    limit = work.program.definition.timeout_seconds
    work.timeout_due = None if limit is None else work.at + limit
    if not wreck:
        work.agenda.append(Enter(MAIN, work.program.definition.initial_state))
        return True
    moving = [branch for number, branch in enumerate(wreck) if not _rests_again(work, branch, has_failed=number == 0)]
    for branch in reversed(moving):
        if branch.came_to is not None:
            state = work.states[branch.state]
            work.place(branch.path, state)
            succeed(work, replace(branch, came_to=None), state, branch.came_to.get("output"))
        elif branch is not wreck[0] or not blocks.reopen(work, branch):
            work.agenda.append(Enter(branch.path, branch.state))
    return True


def _rests_again(work: Work, branch: Branch, *, has_failed: bool) -> bool:
    """A branch rests as before if what it waits for can still come; the one that failed only if that is under way."""
    if branch.effect is not None and branch.effect in work.orphans:
        work.orphans = tuple(orphan for orphan in work.orphans if orphan != branch.effect)
        limit = work.states[branch.state].timeout
        if has_failed:
            branch = replace(branch, timeout_due=None if limit is None else work.at + limit)
    elif has_failed or branch.visit == 0 or branch.effect is not None or branch.child is not None:
        return False
    work.rest(branch)
    return True


def _later(branch: Branch, gap: float) -> Branch:
    """A branch whose times are all so much later."""
    return replace(
        branch,
        due=None if branch.due is None else branch.due + gap,
        timeout_due=None if branch.timeout_due is None else branch.timeout_due + gap,
    )
