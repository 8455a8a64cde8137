"""What is wrong with where steps lead: to steps that are not there, or to none at all.

Edges alone are looked at, never what a guard would say. Loops are looked at in `engine.validate.rounds`.
"""

from collections.abc import Iterator, Mapping

from engine.model import Definition, Goto, State, all_states, blocks, destinations
from engine.validate.problem import Places, Problem, changed, meant, nearest, quoted, say, without


def blocks_of(definition: Definition) -> Iterator[tuple[tuple[State, ...], str, str | None]]:
    """Every block: its states, where it begins, and whose it is."""
    yield definition.states, definition.initial_state, None
    for state in all_states(definition.states):
        for block in blocks(state.action):
            yield block.states, block.initial_state, state.name


def wrong_targets(definition: Definition, places: Places) -> Iterator[Problem]:
    """Edges and jumps that lead to a step that is not there, or is in another block."""
    for members, initial, owner in blocks_of(definition):
        names = {state.name for state in members}
        if owner is not None and initial not in names:
            sentence = f'a block begins at "{initial}", which is not one of its steps'
            mend = f'let it begin at "{members[0].name}"'
            yield Problem(places.where[owner], "error", sentence, mend, owner)
        for state in members:
            place = places.where[state.name]
            for event, target in state.transitions.items():
                for to in destinations(target):
                    if to not in names:
                        edit = _edit(places.words[state.name], event) if isinstance(target, str) else None
                        yield _no_target(f'the edge "{event}" leads to "{to}"', to, names, places, place, state, edit)
            if isinstance(state.action, Goto) and (to := state.action.to) not in names:
                yield _no_jump(state, to, names, places)
    on_error, names = definition.on_error, {state.name for state in definition.states}
    if on_error is not None and on_error not in names:
        yield _no_target(f'on_error leads to "{on_error}"', on_error, names, places, "", None, "on error")


def _edit(step: str, event: str) -> str:
    """How an edge is called in an edit."""
    words = {"error": "if it fails"}.get(event)
    if words is None:
        words = f"on {event}" if event in ("success", "timeout", "cancel", "unknown") else f"on {quoted(event)}"
    return f"{step} {words}"


def _no_target(
    what: str, to: str, names: set[str], places: Places, place: str, state: State | None, edit: str | None
) -> Problem:
    name = None if state is None else state.name
    near = nearest(to, names)
    mend = meant(to, names)
    if edit is not None:
        mend = say(f"{edit} go to step {quoted(near)}" if near is not None else f"{edit} nowhere")
    return Problem(place, "error", f"{what}, {_why(to, places)}", mend, name)


def _no_jump(state: State, to: str, names: set[str], places: Places) -> Problem:
    near = nearest(to, names - {state.name})
    mend = "let it lead to a step that is there"
    if near is not None:
        mend = changed(places, state.name, Goto(to=near)) or mend
    return Problem(places.where[state.name], "error", f'it leads to "{to}", {_why(to, places)}', mend, state.name)


def _why(to: str, places: Places) -> str:
    return "which belongs to another block" if to in places.where else "and there is no such step"


def unreachable(definition: Definition, places: Places) -> Iterator[Problem]:
    """Steps that nothing leads to."""
    for members, initial, owner in blocks_of(definition):
        by_name = {state.name: state for state in members}
        begins = {initial} & by_name.keys()
        if owner is None and definition.on_error in by_name:
            begins.add(definition.on_error)
        reached = reached_from(begins, {name: leads_to(state) for name, state in by_name.items()})
        for name in by_name:
            if name not in reached:
                mend = "let a step lead here, or leave it out"
                if owner is None:
                    mend = without(definition, places, name, mend)
                yield Problem(places.where[name], "warning", "no step leads here, so it never happens", mend, name)


def leads_to(state: State) -> set[str]:
    """Every state that an edge or a jump of this one leads to."""
    targets = {to for target in state.transitions.values() for to in destinations(target)}
    return targets | {state.action.to} if isinstance(state.action, Goto) else targets


def reached_from(begins: set[str], edges: Mapping[str, set[str]]) -> set[str]:
    """All that can be reached along edges."""
    reached: set[str] = set()
    left = list(begins)
    while left:
        name = left.pop()
        if name not in reached and name in edges:
            reached.add(name)
            left.extend(edges[name])
    return reached
