"""Where a state leads: the first way whose guard holds. Only guards are worked out here; nothing is entered or left."""

from engine.compiled import CompiledState, Ways
from engine.scope import Scope


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
