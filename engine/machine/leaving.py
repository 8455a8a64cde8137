"""How a state is left: each way of leaving writes one row of the history and says on the agenda what comes next.

Well: the state's own edge, else the end of the block it is in. Badly: the first edge for it in the state or in a block
around it, else what a carry-on says, else the branch of a parallel has failed, else the workflow's `on_error`, else the
run has failed.
"""

from typing import Any

from engine.compiled import CompiledState
from engine.errors import EvaluationError
from engine.execution import MAIN, Branch, Values
from engine.machine.agenda import EndLane, EndRound, Enter, Fail
from engine.machine.work import Work
from engine.ways import target


def succeed(
    work: Work,
    branch: Branch,
    state: CompiledState,
    output: Any,
    outcome: str = "success",
    params: Any = None,
    heard: tuple[Values, ...] = (),
) -> None:
    """A state is over, and all is well."""
    work.set_result(branch.path, state.name, output)
    try:
        last, to = _onward(work, state)
    except EvaluationError as error:
        work.agenda.append(Fail(branch, "error", error.reason, output))
        return
    work.row(branch, outcome, output=output, to=to, params=params)
    _go_on(work, branch.path, state, last, to, heard)


def _onward(work: Work, state: CompiledState) -> tuple[CompiledState, str | None]:
    """Where success leads, and which state says so: this one, or the choice that it is the end of.

    Raises:
        EvaluationError: A guard cannot be worked out.
    """
    while True:
        to = target(state, "success", work.scope)
        if to is not None or state.owner is None or work.states[state.owner].kind != "choose":
            return state, to
        state = work.states[state.owner]


def _go_on(
    work: Work,
    path: str,
    state: CompiledState,
    last: CompiledState,
    to: str | None,
    heard: tuple[Values, ...] = (),
) -> None:
    """Enter the state that success leads to, or end the round or the branch that this was the end of."""
    if last is not state and work.nested:
        _close_choices(work, path, state, last)
    if to is not None:
        work.agenda.append(Enter(path, to, heard))
    elif last.owner is not None:
        if work.states[last.owner].sides is not None:
            work.agenda.append(EndLane(path, heard=heard))
        else:
            work.agenda.append(EndRound(path, last.owner, heard))


def _close_choices(work: Work, path: str, state: CompiledState, last: CompiledState) -> None:
    for _, owner in work.around(path, state):
        if (frame := work.frame(path, owner.name)) is not None:
            work.close(frame, spare=True)
        if owner is last:
            return


def end_path(work: Work, path: str, state: CompiledState) -> None:
    """A path ends here, whatever is around: the run's own, or a branch of a parallel."""
    for above, owner in work.around(path, state):
        if owner.sides is not None:
            break
        if (frame := work.frame(above, owner.name)) is not None:
            work.close(frame)
    if path != MAIN:
        work.agenda.append(EndLane(path))


def fail(work: Work, item: Fail) -> None:
    """A state is over, and something went wrong: find out who knows what to do."""
    branch, state = item.branch, work.states[item.branch.state]
    path, sentence = branch.path, item.sentence
    outermost = state.name
    events = ("error",) if item.outcome == "error" else (item.outcome, "error")
    while True:
        try:
            work.place(path, state)
            to = next((to for event in events if (to := target(state, event, work.scope)) is not None), None)
            if to is not None:
                _leave_for(work, item, sentence, path, state, to)
                return
            if not state.critical:
                _carry_on(work, item, sentence, path, state)
                return
        except EvaluationError as error:
            sentence = f"{sentence}; then {error.reason}"
        if state.owner is None:
            break
        outermost = state.name
        state = work.states[state.owner]
        if state.sides is not None:
            if not _concerns_all(work, path):
                work.row(branch, item.outcome, output=item.output, error=sentence)
                work.agenda.append(EndLane(path, error=sentence, at=outermost))
                return
            break
    _give_up(work, item, sentence)


def _concerns_all(work: Work, path: str) -> bool:
    """Whether nobody waits any more for the branch of a parallel, and its failure is everybody's."""
    frame, lane = work.lane(path)
    sides = work.states[frame.state].sides
    critical = sides is not None and any(each.name == lane.name and each.critical for each in sides.lanes)
    return frame.joined and critical


def _leave_for(work: Work, item: Fail, sentence: str, path: str, state: CompiledState, to: str) -> None:
    work.row(item.branch, item.outcome, output=item.output, error=sentence, to=to)
    if state.name != item.branch.state:
        work.close_around(path, work.states[item.branch.state], state.name)
    work.agenda.append(Enter(path, to, item.branch.heard))


def _carry_on(work: Work, item: Fail, sentence: str, path: str, state: CompiledState) -> None:
    """It does not matter.

    Raises:
        EvaluationError: Where it goes on cannot be worked out.
    """
    last, to = _onward(work, state)
    work.row(item.branch, item.outcome, output=item.output, error=sentence, to=to)
    if state.name != item.branch.state:
        work.close_around(path, work.states[item.branch.state], state.name)
    _go_on(work, path, state, last, to, item.branch.heard)


def _give_up(work: Work, item: Fail, sentence: str) -> None:
    """Nothing around knows what to do: the workflow's `on_error`, once, or the end."""
    on_error = work.program.definition.on_error
    if on_error is None or work.error is not None:
        work.row(item.branch, item.outcome, output=item.output, error=sentence)
        said = sentence if item.outcome == "unknown" else f'"{item.branch.state}" failed: {sentence}'
        work.fail(said, item.branch)
        if item.frame is not None and work.ended == "failed":
            work.frames.append(item.frame)
        return
    work.error = sentence
    work.row(item.branch, item.outcome, output=item.output, error=sentence, to=on_error)
    for branch in list(work.branches):
        work.orphan(branch)
        if branch.visit > 0:
            work.row(branch, "left")
    work.branches.clear()
    work.agenda.clear()
    work.frames.clear()
    work.agenda.append(Enter(MAIN, on_error))
