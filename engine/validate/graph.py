"""What is wrong with where steps lead: to steps that are not there, to none at all, or round and round for ever.

Edges alone are looked at, never what a guard would say.
"""

from collections.abc import Iterator, Mapping

from engine.model import (
    Collect,
    Definition,
    Goto,
    State,
    Stop,
    Wait,
    WaitFor,
    all_states,
    blocks,
    destinations,
)
from engine.validate.problem import Problem, meant


def _blocks(definition: Definition) -> Iterator[tuple[tuple[State, ...], str, str | None]]:
    """Every block: its states, where it begins, and whose it is."""
    yield definition.states, definition.initial_state, None
    for state in all_states(definition.states):
        for block in blocks(state.action):
            yield block.states, block.initial_state, state.name


def wrong_targets(definition: Definition, places: Mapping[str, str]) -> Iterator[Problem]:
    """Edges and jumps that lead to a step that is not there, or is in another block."""
    everywhere = set(places)
    for members, initial, owner in _blocks(definition):
        names = {state.name for state in members}
        if owner is not None and initial not in names:
            yield Problem(
                places[owner], "error", f'a block begins at "{initial}", which is not one of its steps', None, owner
            )
        for state in members:
            written = [
                (f'the edge "{event}"', to)
                for event, target in state.transitions.items()
                for to in destinations(target)
            ]
            if isinstance(state.action, Goto):
                written.append(("it", state.action.to))
            for what, to in written:
                if to not in names:
                    yield _no_target(f'{what} leads to "{to}"', to, names, everywhere, places[state.name], state.name)
    if definition.on_error is not None and definition.on_error not in {state.name for state in definition.states}:
        names = {state.name for state in definition.states}
        yield _no_target(f'on_error leads to "{definition.on_error}"', definition.on_error, names, everywhere, "", None)


def _no_target(what: str, to: str, names: set[str], everywhere: set[str], place: str, state: str | None) -> Problem:
    if to in everywhere:
        return Problem(place, "error", f"{what}, which belongs to another block", None, state)
    return Problem(place, "error", f"{what}, and there is no such step", meant(to, names), state)


def wrong_flow(definition: Definition, places: Mapping[str, str]) -> Iterator[Problem]:
    """Steps that nothing leads to, and loops that nothing ends."""
    for members, initial, owner in _blocks(definition):
        by_name = {state.name: state for state in members}
        begins = {initial} & by_name.keys()
        if owner is None and definition.on_error in by_name:
            begins.add(definition.on_error)
        reached = _reached(begins, {name: _next(state) for name, state in by_name.items()})
        for name in by_name:
            if name not in reached:
                yield Problem(places[name], "warning", "no step leads here, so it never happens", None, name)
        if definition.max_loop_iterations is None:
            yield from _endless(by_name, reached, places)


def _next(state: State) -> set[str]:
    targets = {to for target in state.transitions.values() for to in destinations(target)}
    return targets | {state.action.to} if isinstance(state.action, Goto) else targets


def _reached(begins: set[str], edges: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    left = list(begins)
    while left:
        name = left.pop()
        if name not in reached and name in edges:
            reached.add(name)
            left.extend(edges[name])
    return reached


def _endless(states: Mapping[str, State], reached: set[str], places: Mapping[str, str]) -> Iterator[Problem]:
    """Loops that go round without a wait and that nothing but a failure leaves."""
    onward = {name: _onward(states[name]) for name in states if name in reached}
    told: set[str] = set()
    for name in onward:
        if name in told:
            continue
        loop = _reached(set(onward[name]), {state: set(to) for state, to in onward.items()})
        if name not in loop or not all(onward[part] for part in loop):
            continue
        told |= loop
        if not any(_rests(states[part]) for part in loop):
            yield Problem(
                places[name], "error", "this goes round for ever without a wait", "add a wait or a condition", name
            )


def _onward(state: State) -> tuple[str, ...]:
    """Where a state leads if all goes well; nothing if the path may end there."""
    if not state.enabled or not isinstance(state.action, Goto | Stop):
        target = state.transitions.get("success")
        if target is None:
            return ()
        ends = not isinstance(target, str) and all(way.when is not None for way in target)
        return () if ends else destinations(target)
    return (state.action.to,) if isinstance(state.action, Goto) else ()


def _rests(state: State) -> bool:
    match state.action:
        case Wait():
            return state.enabled and (isinstance(state.action.seconds, str) or state.action.seconds >= 1)
        case WaitFor() | Collect():
            return state.enabled
        case _:
            return False
