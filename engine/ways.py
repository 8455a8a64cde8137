"""Where a state leads: the first way whose guard holds, else what a block around it says.

A nested state that says nothing itself leaves the decision to the block it belongs to, and that to the one around it.
Only guards are worked out here; nothing is entered or left.
"""

from collections.abc import Mapping
from typing import NamedTuple

from engine.errors import EvaluationError
from engine.program import CompiledState, Ways
from engine.scope import Scope


class Remedy(NamedTuple):
    """What is done about a failure.

    Attributes:
        known: Whether a state or a block around it knows what to do.
        to: Where that leads; None where it ends the path.
        trouble: What went wrong in finding out.
    """

    known: bool
    to: str | None
    trouble: str | None


def first_open(ways: Ways, scope: Scope) -> str | None:
    """The first way that is open; None if none is.

    Raises:
        EvaluationError: A guard cannot be worked out.
    """
    for way in ways:
        if way.guard is None or way.guard(scope):
            return way.to
    return None


def target(state: CompiledState, event: str, scope: Scope) -> str | None:
    """Where a state itself leads on an event.

    Raises:
        EvaluationError: A guard cannot be worked out.
    """
    ways = state.edges.get(event)
    return None if ways is None else first_open(ways, scope)


def onward(states: Mapping[str, CompiledState], state: CompiledState, scope: Scope) -> str | None:
    """Where success leads: the state's own edge, else that of the block it is the end of.

    Raises:
        EvaluationError: A guard cannot be worked out.
    """
    while True:
        to = target(state, "success", scope)
        if to is not None or state.owner is None:
            return to
        state = states[state.owner]


def clean_up(states: Mapping[str, CompiledState], state: CompiledState | None, scope: Scope) -> str | None:
    """Where a cancelled state leads, innermost first; a clean-up that cannot be decided on is none."""
    while state is not None:
        try:
            to = target(state, "cancel", scope)
        except EvaluationError:
            to = None
        if to is not None:
            return to
        state = states[state.owner] if state.owner is not None else None
    return None


def remedy(states: Mapping[str, CompiledState], state: CompiledState, events: tuple[str, ...], scope: Scope) -> Remedy:
    """What a state, or a block around it, does about a failure: the first of these events that leads anywhere."""
    trouble = None
    while True:
        try:
            for event in events:
                to = target(state, event, scope)
                if to is not None:
                    return Remedy(True, to, trouble)
            if not state.critical:
                return Remedy(True, onward(states, state, scope), trouble)
        except EvaluationError as error:
            trouble = error.reason
        if state.owner is None:
            return Remedy(False, None, trouble)
        state = states[state.owner]
