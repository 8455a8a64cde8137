"""Blocks that stay open for a time: loops that go round, branches side by side, and choices with a time limit.

An open block is a frame of the execution. A loop opens one when its first round begins, and each end of its block begins
the next round or closes it. A parallel opens one with a branch for each of its lanes, and each end of a lane begins those
that needed it, or joins: what the lanes have set becomes known outside, in the order they are written.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, Final

from engine.compiled import CompiledLane, CompiledState, Loop, Sides
from engine.effect_ids import lane_path
from engine.errors import EvaluationError
from engine.execution import MAIN, Branch, Frame, Lane, Values
from engine.machine.agenda import EndLane, EndRound, Enter, Fail
from engine.machine.leaving import succeed
from engine.machine.work import Work

MAX_GATHERED: Final = 1_000
"""How many rounds are remembered of each state."""

_OVER: Final = frozenset({"done", "failed", "skipped", "left"})


def choice(work: Work, branch: Branch, limit: float | None) -> None:
    """A case is gone into; only one with a time limit has to be remembered."""
    if limit is not None:
        work.open(Frame(branch.path, branch.state, branch.visit, work.at, limit))


# Loops -------------------------------------------------------------------------------------------------------------------


def loop(work: Work, branch: Branch, state: CompiledState, limit: float | None) -> None:
    """Begin the first round, if there is one.

    Raises:
        EvaluationError: It cannot be worked out how often.
    """
    assert state.loop is not None, "a loop has one"  # noqa: S101
    items = state.loop.items(work.scope) if state.loop.items is not None else ()
    total = len(items) if state.loop.items is not None else None
    if state.loop.times is not None:
        total = state.loop.times(work.scope)
    if total == 0 or (state.loop.holds is not None and not state.loop.holds(work.scope)):
        succeed(work, branch, state, {"rounds": 0}, heard=branch.heard)
        return
    if any(name in work.gathered for name in state.loop.members):
        kept = {name: results for name, results in work.gathered.items() if name not in state.loop.members}
        work.gathered = work.scope.gathered = kept
    work.open(Frame(branch.path, branch.state, branch.visit, work.at, limit, 1, total, items))
    work.agenda.append(Enter(branch.path, state.loop.initial, branch.heard))


def end_round(work: Work, item: EndRound) -> None:
    """The block of a loop has come to its end: once more, or on."""
    owner, frame = work.states[item.owner], work.frame(item.path, item.owner)
    assert frame is not None and owner.loop is not None, "only a loop that is open has rounds"  # noqa: S101, PT018
    how = owner.loop
    _gather(work, frame.path, how.members)
    work.place(frame.path, owner)
    branch = Branch(frame.path, frame.state, frame.visit, entered_at=frame.entered_at, heard=item.heard)
    try:
        goes_on = _goes_round(work, frame, how)
    except EvaluationError as error:
        work.close(frame)
        work.agenda.append(Fail(branch, "error", error.reason))
        return
    if goes_on:
        work.change(frame, replace(frame, round=frame.round + 1))
        work.agenda.append(Enter(frame.path, how.initial, item.heard))
        return
    work.close(frame, spare=True)
    work.place(frame.path, owner)
    succeed(work, branch, owner, {"rounds": frame.round}, heard=item.heard)


def _goes_round(work: Work, frame: Frame, how: Loop) -> bool:
    if frame.closing or (frame.total is not None and frame.round >= frame.total):
        return False
    return how.holds is None or how.holds(work.scope)


def _gather(work: Work, path: str, members: Iterable[str]) -> None:
    """Remember the results of a round."""
    _, results = work.known(path)
    found = {name: results[name] for name in members if results.get(name) is not None}
    if found:
        grown = {name: (*work.gathered.get(name, ()), result)[-MAX_GATHERED:] for name, result in found.items()}
        work.gathered = work.scope.gathered = {**work.gathered, **grown}


# Side by side ------------------------------------------------------------------------------------------------------------


def fork(work: Work, branch: Branch, state: CompiledState, limit: float | None) -> None:
    """Begin all branches that need no other."""
    assert state.sides is not None, "a parallel has branches"  # noqa: S101
    joined = state.sides.join == "none"
    around = work.loops(branch.path, state) if joined else {}  # the loops around go on, what is beside them remembers
    lanes = tuple(Lane(lane.name, "waiting" if lane.needs else "running", around) for lane in state.sides.lanes)
    frame = Frame(
        branch.path, branch.state, branch.visit, work.at, None if joined else limit, lanes=lanes, joined=joined
    )
    work.open(frame)
    if joined:
        succeed(
            work, branch, state, None, heard=branch.heard
        )  # comes after the branches, as the last on the agenda comes first
    for lane in reversed(state.sides.lanes):
        if not lane.needs:
            work.agenda.append(Enter(_path(frame, state, lane), lane.initial, branch.heard))


def _path(frame: Frame, state: CompiledState, lane: CompiledLane) -> str:
    return lane_path(frame.path, state.key, frame.visit, lane.key)


def end_lane(work: Work, item: EndLane) -> None:
    """A branch has come to its end, well or not: begin those that needed it, or join."""
    if item.error is None and work.is_alive(item.path):
        return  # branches that nobody waited for still go on in it; the last of them ends it
    frame, lane = work.lane(item.path)
    owner = work.states[frame.state]
    assert owner.sides is not None, "only a parallel has branches"  # noqa: S101
    for each in [each for each in work.frames if each.joined and each.path == item.path]:
        work.close(each)  # what nobody waited for in a branch that has failed ends with it
    work.forget_below(item.path)
    ended = replace(lane, status="done" if item.error is None else "failed", error=item.error, at=item.at)
    frame = work.change_lane(frame, ended)
    if not (owner.sides.join == "any" and not frame.closing and ended.status == "done"):
        frame = _begin_more(work, frame, owner, owner.sides, item)
    if frame.joined:
        if all(each.status in _OVER for each in frame.lanes):
            work.close(frame)
            if frame.path != MAIN and not work.is_alive(frame.path):
                work.agenda.append(EndLane(frame.path))
        return
    _join(work, frame, owner, owner.sides, item.heard)


def _begin_more(work: Work, frame: Frame, owner: CompiledState, sides: Sides, item: EndLane) -> Frame:
    """Begin the branches that waited for nothing else, and skip those whose need has failed."""
    begun: list[CompiledLane] = []
    while True:
        standing = {lane.name: lane for lane in frame.lanes}
        carries_on = {lane.name for lane in sides.lanes if not lane.critical}
        well = {
            name
            for name, lane in standing.items()
            if lane.status == "done" or (lane.status == "failed" and name in carries_on)
        }
        lost = {name for name, lane in standing.items() if lane.status in _OVER} - well
        waiting = [lane for lane in sides.lanes if standing[lane.name].status == "waiting"]
        ready = [lane for lane in waiting if set(lane.needs) <= well and not frame.closing]
        skipped = [lane for lane in waiting if frame.closing or set(lane.needs) & lost]
        if not ready and not skipped and waiting and all(each.status != "running" for each in frame.lanes):
            skipped = waiting  # they wait for each other
        if not ready and not skipped:
            break
        for lane in ready:
            frame = work.change_lane(frame, _with_needs(frame, lane))
        for lane in skipped:
            frame = work.change_lane(frame, replace(standing[lane.name], status="skipped"))
        begun.extend(ready)
    for lane in reversed(begun):
        work.agenda.append(Enter(_path(frame, owner, lane), lane.initial, item.heard))
    return frame


def _with_needs(frame: Frame, lane: CompiledLane) -> Lane:
    """A branch as it begins: it knows what those it needed have set."""
    variables: dict[str, Any] = dict(next(each.variables for each in frame.lanes if each.name == lane.name))
    results: dict[str, Any] = {}
    for each in frame.lanes:
        if each.name in lane.needs:
            variables.update(each.variables)
            results.update(each.results)
    return Lane(lane.name, "running", variables, results)


def _join(work: Work, frame: Frame, owner: CompiledState, sides: Sides, heard: tuple[Values, ...]) -> None:
    """Go on after the parallel, if enough of its branches have ended."""
    critical = {lane.name for lane in sides.lanes if lane.critical}
    done = any(lane.status == "done" for lane in frame.lanes)
    if not (sides.join == "any" and done) and any(lane.status not in _OVER for lane in frame.lanes):
        return
    branch = Branch(frame.path, frame.state, frame.visit, entered_at=frame.entered_at, heard=heard)
    output = {lane.name: "left" if lane.status not in _OVER else lane.status for lane in frame.lanes}
    failed = [lane for lane in frame.lanes if lane.status == "failed" and lane.name in critical]
    if sides.join == "any":
        failed = [] if done else [lane for lane in frame.lanes if lane.status == "failed"]
    work.close(frame, "left", keep=bool(failed))
    try:
        _merge(work, frame, {"done"} if sides.join == "any" else _OVER)
    except EvaluationError as error:
        work.agenda.append(Fail(branch, "error", error.reason, output))
        return
    work.place(frame.path, owner)
    if failed:
        said = "; ".join(f'branch "{lane.name}" failed: {lane.error}' for lane in failed)
        work.agenda.append(Fail(branch, "error", said, output, frame))
    else:
        succeed(work, branch, owner, output, heard=heard)


def reopen(work: Work, branch: Branch) -> bool:
    """Try only that part of a parallel again that has failed; tells whether there is one to be opened."""
    frame = work.frame(branch.path, branch.state)
    owner = work.states[branch.state]
    if frame is None or owner.sides is None or frame.visit != branch.visit:
        return False
    again = [lane for lane in frame.lanes if lane.status == "failed"]
    lanes = tuple(_once_more(lane) for lane in frame.lanes)
    work.change(frame, replace(frame, lanes=lanes))
    work.nested = True
    for lane in reversed(again):
        compiled = next(each for each in owner.sides.lanes if each.name == lane.name)
        work.agenda.append(Enter(_path(frame, owner, compiled), lane.at or compiled.initial))
    return True


def _once_more(lane: Lane) -> Lane:
    match lane.status:
        case "failed":
            return replace(lane, status="running", error=None, at=None)
        case "skipped" | "left":
            return replace(lane, status="waiting")
        case _:
            return lane


def _merge(work: Work, frame: Frame, ends: Collection[str]) -> None:
    """What the branches that ended so have set is known outside from now on."""
    for lane in frame.lanes:
        if lane.status not in ends:
            continue
        if lane.variables:
            work.set_variables(frame.path, lane.variables)
        for state, result in lane.results.items():
            work.set_result(frame.path, state, result)
