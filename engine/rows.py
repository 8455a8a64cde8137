"""A row of states: what putting in, taking out, moving and swapping do to the edges between them.

A row is the outermost states of a definition, or those of one block. Each function gives a new row, or says in one
sentence why it cannot: a place that is not there, a name that is taken, an edge that would lead nowhere. It knows no edit
and no definition; whoever changes a row puts it back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from engine.errors import EditError
from engine.model import Action, Goto, State, Stop, Target, Way, all_states, destinations
from engine.wording import counted

SUCCESS: Final = "success"


@dataclass(frozen=True, slots=True)
class Row:
    """States side by side, where they begin, and where names outside the row (`on_error`) have to follow."""

    states: tuple[State, ...]
    initial: str
    moved: Mapping[str, str | None] = field(default_factory=dict)

    def place(self, name: str) -> int:
        """Index of a state.

        Raises:
            EditError: It is not in this row.
        """
        for index, state in enumerate(self.states):
            if state.name == name:
                return index
        raise no_step(name)

    def with_state(self, at: int, state: State) -> "Row":
        """The same row with another state at an index; where it begins and what followed stay."""
        return Row((*self.states[:at], state, *self.states[at + 1 :]), self.initial)


# Putting in ------------------------------------------------------------------------------------------------------------


def insert(row: Row, at: int, states: tuple[State, ...]) -> Row:
    """New states stand from place `at` on, linked to each other and into the flow around them."""
    count = len(row.states)
    if not 1 <= at <= count + 1:
        raise EditError(f"there is no place {at}: there are {counted(count, 'step')}")
    if not states:
        raise EditError("there is nothing to put in")
    _refuse_taken(states, row.states)
    new = _chain(states)
    if at == 1:
        return Row((*_ending_in(new, row.initial), *row.states), new[0].name)
    before, after = row.states[at - 2], row.states[at - 1 :]
    following = after[0].name if after else None
    before, onward = _give_way(before, following, new[0].name)
    return Row((*row.states[: at - 2], before, *_ending_in(new, onward), *after), row.initial)


def append(row: Row, states: tuple[State, ...]) -> Row:
    """New states stand at the end, linked to each other, and nothing leads to them yet."""
    if not states:
        raise EditError("there is nothing to put in")
    _refuse_taken(states, row.states)
    return Row((*row.states, *_chain(states)), row.initial)


def _give_way(before: State, following: str | None, first: str) -> tuple[State, Target | None]:
    """The step before leads to the first new one; what it led to instead is what the last new one takes over."""
    if isinstance(before.action, Goto | Stop):
        return before, following
    edges = dict(before.transitions)
    if following is not None and SUCCESS in edges and _leads_to(edges[SUCCESS], following):
        onward: Target | None = following
        edges = {event: _retarget(target, {following: first}) for event, target in edges.items()}
    else:  # what follows is at most done on a failure, and stays that
        onward = edges.get(SUCCESS)
        edges[SUCCESS] = first
    return before.model_copy(update={"transitions": edges}), onward


def _chain(states: tuple[State, ...]) -> tuple[State, ...]:
    """Link states to each other where they say nothing themselves."""
    linked = tuple(_linked(state, later.name) for state, later in pairwise(states))
    return (*linked, states[-1])


def _linked(state: State, target: Target) -> State:
    if SUCCESS in state.transitions or isinstance(state.action, Goto | Stop):
        return state
    return state.model_copy(update={"transitions": {SUCCESS: target, **state.transitions}})


def _ending_in(states: tuple[State, ...], onward: Target | None) -> tuple[State, ...]:
    return states if onward is None else (*states[:-1], _linked(states[-1], onward))


def _refuse_taken(new: tuple[State, ...], old: tuple[State, ...]) -> None:
    taken = {state.name for state in all_states(old)}
    for state in all_states(new):
        if state.name in taken:
            raise EditError(f'a step named "{state.name}" is there already')


# Taking out ------------------------------------------------------------------------------------------------------------


def take_out(row: Row, names: frozenset[str]) -> Row:
    """States are gone; what led to them leads where they led."""
    gone = {state.name: state for state in row.states if state.name in names}
    kept = tuple(state for state in row.states if state.name not in gone)
    if not kept:
        raise EditError("nothing would be left; delete the workflow instead")
    onward = {name: _onward(name, gone) for name in gone}
    initial = onward[row.initial] if row.initial in gone else row.initial
    if not isinstance(initial, str):
        raise EditError(f'it begins at step "{row.initial}", and nothing says where it would begin without it')
    moved = {name: target if isinstance(target, str) else None for name, target in onward.items()}
    return Row(tuple(_redirected(state, onward) for state in kept), initial, moved)


def _onward(name: str, gone: Mapping[str, State]) -> Target | None:
    """Where a state that goes leads on success, past others that go too."""
    seen = {name}
    target = gone[name].transitions.get(SUCCESS, _jump(gone[name]))
    while isinstance(target, str) and target in gone:
        if target in seen:
            return None
        seen.add(target)
        target = gone[target].transitions.get(SUCCESS, _jump(gone[target]))
    if isinstance(target, tuple) and any(way.to in gone for way in target):
        raise EditError(f'where step "{name}" leads depends on steps that go too; take them out one by one')
    return target


def _jump(state: State) -> str | None:
    return state.action.to if isinstance(state.action, Goto) else None


def _redirected(state: State, onward: Mapping[str, Target | None]) -> State:
    edges = {event: _past(state.name, event, target, onward) for event, target in state.transitions.items()}
    changed: dict[str, Any] = {"transitions": {event: target for event, target in edges.items() if target is not None}}
    if isinstance(state.action, Goto) and state.action.to in onward:
        changed["action"] = _jump_past(state.name, onward[state.action.to])
    if changed["transitions"] == state.transitions and "action" not in changed:
        return state
    return state.model_copy(update=changed)


def _jump_past(name: str, target: Target | None) -> Action:
    if isinstance(target, tuple):
        raise EditError(f'step "{name}" jumps to it, and where it leads depends on conditions; change that jump first')
    return Stop() if target is None else Goto(to=target)


def _past(name: str, event: str, target: Target, onward: Mapping[str, Target | None]) -> Target | None:
    if isinstance(target, str):
        return onward.get(target, target)
    ways: list[Way] = []
    for index, way in enumerate(target):
        further = onward.get(way.to, way.to)
        if isinstance(further, str):
            ways.append(way if further == way.to else way.model_copy(update={"to": further}))
        elif isinstance(further, tuple) or index < len(target) - 1:
            raise EditError(f'step "{name}" leads there on {event} under a condition; say where it goes instead first')
    return tuple(ways) or None


# Moving, swapping, replacing, leading ------------------------------------------------------------------------------------


def move(row: Row, name: str, at: int) -> Row:
    """A state leaves the flow and comes into it again at place `at`."""
    place = row.place(name)
    if not 1 <= at <= len(row.states):
        raise EditError(f"there is no place {at}: there are {counted(len(row.states), 'step')}")
    if at == place + 1:
        return row
    state = row.states[place]
    onward = {name: _onward(name, {name: state})}
    initial = onward[name] if row.initial == name else row.initial
    if not isinstance(initial, str):
        raise EditError(f'it begins at step "{name}", and nothing says where it would begin without it')
    rest = tuple(_flow_past(other, onward) for other in row.states if other.name != name)
    alone = state.model_copy(update={"transitions": _without_success(state)})
    return insert(Row(rest, initial), at, (alone,))


def _flow_past(state: State, onward: Mapping[str, Target | None]) -> State:
    if SUCCESS not in state.transitions:
        return state
    target = _past(state.name, SUCCESS, state.transitions[SUCCESS], onward)
    edges = {event: other if event != SUCCESS else target for event, other in state.transitions.items()}
    return state.model_copy(
        update={"transitions": {event: other for event, other in edges.items() if other is not None}}
    )


def swap(row: Row, first: str, second: str) -> Row:
    """Two states have changed places in the flow."""
    if first == second:
        raise EditError("a step cannot change places with itself")
    one, two = row.place(first), row.place(second)
    names = {first: second, second: first}
    states = [_renamed_flow(state, names) for state in row.states]
    states[one], states[two] = (
        _at_place_of(row.states[two], states[one]),
        _at_place_of(row.states[one], states[two]),
    )
    return Row(tuple(states), names.get(row.initial, row.initial))


def _renamed_flow(state: State, names: Mapping[str, str]) -> State:
    """The success edges and jumps as they are when two names have changed places."""
    changed: dict[str, Any] = {}
    if SUCCESS in state.transitions:
        changed["transitions"] = {**state.transitions, SUCCESS: _retarget(state.transitions[SUCCESS], names)}
    return state.model_copy(update=changed) if changed else state


def _at_place_of(state: State, place: State) -> State:
    """A state as it is, except that on success it leads where that place leads."""
    edges = _without_success(state)
    if SUCCESS in place.transitions and not isinstance(state.action, Goto | Stop):
        edges = {SUCCESS: place.transitions[SUCCESS], **edges}
    return state.model_copy(update={"transitions": edges})


def replace(row: Row, name: str, states: tuple[State, ...]) -> Row:
    """Other states stand where one stood."""
    place = row.place(name)
    if not states:
        raise EditError("there is nothing to put in its place")
    old = row.states[place]
    others = (*row.states[:place], *row.states[place + 1 :])
    _refuse_taken(states, others)
    first = states[0].name
    onward = old.transitions.get(SUCCESS)
    new = _chain(states)
    if onward is not None:
        new = _ending_in(new, _retarget(onward, {name: first}))
    renamed = {name: first}
    around = tuple(_pointing(state, renamed) for state in others)
    return Row((*around[:place], *new, *around[place:]), renamed.get(row.initial, row.initial), renamed)


def _pointing(state: State, names: Mapping[str, str]) -> State:
    changed: dict[str, Any] = {
        "transitions": {event: _retarget(target, names) for event, target in state.transitions.items()}
    }
    if isinstance(state.action, Goto) and state.action.to in names:
        changed["action"] = Goto(to=names[state.action.to])
    return state.model_copy(update=changed)


def lead(row: Row, name: str, event: str, target: Target | None) -> Row:
    """A state leads elsewhere on an event, or nowhere."""
    place = row.place(name)
    state = row.states[place]
    for to in destinations(target):
        row.place(to)
    if target is None and event not in state.transitions:
        raise EditError(f'step "{name}" leads nowhere on {event} already')
    edges = {other: way for other, way in state.transitions.items() if other != event}
    if target is not None:
        edges = {**state.transitions, event: target}
    return row.with_state(place, state.model_copy(update={"transitions": edges}))


# Small parts -------------------------------------------------------------------------------------------------------------


def _without_success(state: State) -> dict[str, Target]:
    return {event: target for event, target in state.transitions.items() if event != SUCCESS}


def _leads_to(target: Target, name: str) -> bool:
    return name in destinations(target)


def _retarget(target: Target, names: Mapping[str, str]) -> Target:
    if isinstance(target, str):
        return names.get(target, target)
    return tuple(way.model_copy(update={"to": names[way.to]}) if way.to in names else way for way in target)


def no_step(name: str) -> EditError:
    """The error for a name that no state has."""
    return EditError(f'there is no step "{name}"')
