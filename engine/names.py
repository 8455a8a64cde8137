"""What a step is called when nobody names it: its verb, then its verb with a counter over the steps above it."""

from collections.abc import Iterable

from engine.declare import Declarations
from engine.model import Action, Call


def verb(action: Action, declarations: Declarations) -> str:
    """The stem of a step's name."""
    if not isinstance(action, Call):
        return action.kind
    method = declarations.find(action.service, action.method)
    return (method.verb if method is not None else "") or action.method


def expected(action: Action, above: Iterable[str], declarations: Declarations) -> str:
    """The name the rules give to a step at this place.

    Args:
        action: What the step does.
        above: Stems (`verb`) of the steps above it, in written order.
        declarations: Where the stem of a call is found.
    """
    stem = verb(action, declarations)
    count = sum(1 for other in above if other == stem)
    return stem if count == 0 else f"{stem}_{count + 1}"


def fresh(action: Action, taken: Iterable[str], declarations: Declarations) -> str:
    """A name for a new step that no other step has: the first free one of its stem."""
    stem = verb(action, declarations)
    used = set(taken)
    if stem not in used:
        return stem
    number = 2
    while f"{stem}_{number}" in used:
        number += 1
    return f"{stem}_{number}"
