"""Whether a run may go on with another version of its workflow, and how it looks then.

It may where it would notice nothing: every step at which it rests is there under the same name and does the same kind of
thing, no block that it is in the middle of was changed, and whatever is read from there on is set. It decides nothing about
whether somebody wants that.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from engine.arguments import missing_input
from engine.compiled import CompiledState, Program
from engine.context import Context
from engine.execution import FINAL, MAIN, Branch, Execution, Frame, HistoryRow
from engine.machine import Step
from engine.machine.work import Work
from engine.model import all_states
from engine.scope import RESERVED
from engine.validate.paths import Paths
from engine.validate.unset import STREAM, needed

_ALWAYS: Final = RESERVED | STREAM | {"loop"}


@dataclass(frozen=True, slots=True)
class MovedRuns:
    """What moving the runs of a workflow came to.

    Attributes:
        moved: Runs that go on with the new version.
        left: Runs that go on with theirs, each with the reason.
    """

    moved: tuple[Execution, ...] = ()
    left: tuple[tuple[Execution, str], ...] = ()


def movable(run: Execution, old: Program, new: Program, known: Collection[str] = ()) -> str | None:
    """Why a run must go on with its own version; None if it may go on with the new one.

    Args:
        run: The run, of the old version.
        old: Its version.
        new: The version it would go on with.
        known: Names that settings and the community's data have, dotted ones as they are written.
    """
    if run.status in FINAL:
        return "it has ended"
    if run.status in ("scheduled", "queued"):
        missing = missing_input(new, run.variables)
        return None if missing is None else f"it has not begun, and {missing}"
    reasons = (
        *(_elsewhere(branch, old, new) for branch in run.branches),
        *(_changed(frame, old, new) for frame in run.frames),
    )
    return next((reason for reason in reasons if reason is not None), None) or _unset(run, new, known)


def moved(run: Execution, revision: int, new: Program, *, at: float, by: str) -> Step:
    """A run that goes on with another version, with a row of its history that says so."""
    place = run.branches[0] if run.branches else Branch(MAIN, new.definition.initial_state, 0, 0, entered_at=at)
    row = HistoryRow(
        run.id,
        run.seq,
        place.path,
        place.state,
        place.visit,
        place.attempt,
        "moved",
        place.entered_at,
        at,
        output={"from": run.revision, "to": revision},
        by=by,
    )
    ears = Work(new, run, Context(), at).ears() if new.listens else ()
    return Step(replace(run, revision=revision, seq=run.seq + 1, ears=ears), history=(row,))


# What stands in the way --------------------------------------------------------------------------------------------------


def _elsewhere(branch: Branch, old: Program, new: Program) -> str | None:
    """Why a branch cannot rest where it does."""
    before, after = old.states.get(branch.state), new.states.get(branch.state)
    if before is None or after is None:
        return f'step "{branch.state}", where it stands, is gone'
    if _around(before, old) != _around(after, new):
        return f'step "{branch.state}", where it stands, is in another block now'
    if branch.visit == 0:
        return None  # it has not been entered yet
    if before.kind != after.kind or (before.service, before.method) != (after.service, after.method):
        return f'step "{branch.state}", where it stands, does something else now'
    if branch.gathered and _event(before) != _event(after):
        return f'step "{branch.state}" has gathered other events than it would now'
    return None


def _around(state: CompiledState, program: Program) -> tuple[tuple[str, str], ...]:
    return tuple((owner.name, owner.kind) for owner in _owners(state, program))


def _owners(state: CompiledState, program: Program) -> Iterator[CompiledState]:
    """The states whose blocks a state is in, innermost first."""
    while state.owner is not None:
        state = program.states[state.owner]
        yield state


def _event(state: CompiledState) -> str | None:
    return None if state.listening is None else state.listening.event


def _changed(frame: Frame, old: Program, new: Program) -> str | None:
    """Why a block that is open cannot go on."""
    before, after = _actions(old).get(frame.state), _actions(new).get(frame.state)
    return None if before is not None and before == after else f'step "{frame.state}" is under way, and was changed'


def _actions(program: Program) -> dict[str, object]:
    return {state.name: state.action for state in all_states(program.definition.states)}


def _unset(run: Execution, new: Program, known: Collection[str]) -> str | None:
    """Which name would be read from here on that nothing has set; guards are not looked at, as missing means null there.

    A block that is open is looked at from its beginning: what was read there before is set anyhow.
    """
    base = frozenset({*_ALWAYS, *known, *run.variables, *run.results, *run.event})
    starts = {_outermost(branch, new) for branch in run.branches}
    on_error = new.definition.on_error
    if on_error is not None and run.error is None:
        starts.add(on_error)
    arrives = Paths(new.definition).arrivals_from([(name, base) for name in starts])
    for state in all_states(new.definition.states):
        here = arrives.get(state.name)
        if here is None or not state.enabled:
            continue
        for path in needed(state):
            if path not in here and path.split(".")[0] not in here:
                return f'step "{state.name}" would use {path}, which is not set in it'
    return None


def _outermost(branch: Branch, program: Program) -> str:
    owners = list(_owners(program.states[branch.state], program))
    return owners[-1].name if owners else branch.state
