"""A change taken out of a definition that has been changed since, where the later changes do not rest on it.

Pure. The definition is compared part by part: each field of it, the order of its steps, each field of each of the outermost
steps. A part the change left alone stays as it is now; a part nobody has touched since is as it was before. A part that
both have touched is a conflict, and then nothing is done.
"""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError

from engine.errors import EditError
from engine.model import Definition, Goto, State, destinations

_WHOLE: Final = frozenset({"id", "states", "initial_state"})


def without(before: Definition, after: Definition, now: Definition) -> Definition:
    """A definition as it is now, but for a change that made `after` of `before`.

    Raises:
        EditError: What was changed since touches the same.
    """
    old, new, current = _by_name(before), _by_name(after), _by_name(now)
    order = _order(list(old), list(new), list(current))
    states: list[State] = []
    for name in order:
        if name in current and name in old and name in new:
            states.append(State(**_fields(old[name], new[name], current[name])))
        elif name in current:
            states.append(current[name])
        else:
            states.append(old[name])
    if any(current[name] != new[name] for name in current if name in new and name not in order):
        raise EditError("a step that it brought has been changed since")
    if any(name not in current and old.get(name) not in (None, state) for name, state in new.items()):
        raise EditError("a step that it changed is gone")
    initial = _part(before.initial_state, after.initial_state, now.initial_state)
    fields = {**_fields(before, after, now), "id": now.id, "states": tuple(states), "initial_state": initial}
    try:
        merged = Definition(**fields)
    except ValidationError:
        raise EditError("what was changed since rests on it") from None
    if not _led_to(merged) - set(order) <= _led_to(now) - set(current):
        raise EditError("a step leads there since")
    return merged


def _led_to(definition: Definition) -> set[str]:
    """The outermost steps that something leads to, there or not."""
    edges = {to for state in definition.states for target in state.transitions.values() for to in destinations(target)}
    jumps = {state.action.to for state in definition.states if isinstance(state.action, Goto)}
    return edges | jumps | ({definition.on_error} if definition.on_error is not None else set())


def _by_name(definition: Definition) -> dict[str, State]:
    return {state.name: state for state in definition.states}


def _fields(before: Definition | State, after: Definition | State, now: Definition | State) -> dict[str, Any]:
    """Every field as it is to be."""
    names = [name for name in type(now).model_fields if name not in _WHOLE]
    return {name: _part(getattr(before, name), getattr(after, name), getattr(now, name)) for name in names}


def _part(before: Any, after: Any, now: Any) -> Any:
    if before == after:
        return now
    if now != after:
        raise EditError("the same has been changed since")
    return before


def _order(before: Sequence[str], after: Sequence[str], now: Sequence[str]) -> list[str]:
    """The steps there are to be, in their order."""
    if list(now) == list(after):
        return list(before)
    if [name for name in before if name in after] != [name for name in after if name in before]:
        raise EditError("the order of steps has been changed since")
    order = [name for name in now if name in before or name not in after]
    for place, name in enumerate(before):
        if name in after:
            continue
        if name in order:
            raise EditError("a step of that name has come since")
        place_now = [order.index(each) + 1 for each in before[:place] if each in order]
        order.insert(max(place_now, default=0), name)
    return order
