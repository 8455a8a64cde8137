"""Which placeholders stand for nothing on some path through the steps.

Names are followed along the edges, not values. Guards are not looked at: there, missing means null.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from engine.events import kind_of
from engine.model import Call as CallAction
from engine.model import (
    Collect,
    Definition,
    Goto,
    Run,
    Set,
    State,
    Transform,
    WaitFor,
    all_states,
    blocks,
    destinations,
)
from engine.scope import RESERVED
from engine.validate.heading import is_schedule
from engine.validate.problem import Problem
from engine.validate.steps import filled_values
from engine.validate.texts import placeholders

STREAM: Final = frozenset({"stream", "viewers", "title", "category", "live"})


def unset_names(definition: Definition, places: Mapping[str, str], known: frozenset[str]) -> Iterator[Problem]:
    """Placeholders that stand for nothing on some path. Guards are not looked at: there, missing means null."""
    base = {name for name in definition.variables if _brings(definition, name)} | RESERVED | STREAM | known
    always, sometimes = event_fields(definition)
    arrives = _arrivals(definition, frozenset(base | always))
    settable = {name for state in all_states(definition.states) for name in names_set(state)}
    anything = any(kind_of(trigger.on) is None and not is_schedule(trigger.on) for trigger in definition.triggers)
    told: set[str] = set()
    for state in all_states(definition.states):
        here = arrives.get(state.name)
        if here is None:
            continue  # never reached; said already
        for path in dict.fromkeys(_needed(state)):
            head = path.split(".")[0]
            if path in here or head in here:
                continue
            if head in settable:
                sentence = f'"{path}" may not be set yet when this is reached'
            elif anything or path in told:
                continue  # an event of one's own may bring anything
            elif head in sometimes:
                sentence = f'"{path}" is not set when it is started by "{sometimes[head]}"'
            else:
                told.add(path)
                sentence = f'nothing sets "{path}": it has to be given at the start, with {path}=...'
            yield Problem(places[state.name], "warning", sentence, None, state.name)


def _brings(definition: Definition, name: str) -> bool:
    declaration = definition.variables[name]
    return declaration.required or declaration.default is not None


def event_fields(definition: Definition) -> tuple[set[str], dict[str, str]]:
    """Fields that every trigger brings, and the others with a trigger that lacks them."""
    fields: dict[str, set[str]] = {}
    for trigger in definition.triggers:
        kind = kind_of(trigger.on)
        fields[trigger.on] = set(kind.fields) if kind is not None else set()
    if not fields:
        return set(), {}
    always = set.intersection(*fields.values())
    some = set.union(*fields.values()) - always
    return always, {name: next(on for on, has in fields.items() if name not in has) for name in some}


def _arrivals(definition: Definition, base: frozenset[str]) -> dict[str, frozenset[str]]:
    """For every state that can be reached, the names that are set on all ways to it."""
    arrives: dict[str, frozenset[str]] = {}
    left: list[tuple[str, frozenset[str]]] = [(definition.initial_state, base)]
    if definition.on_error is not None:
        left.append((definition.on_error, base))
    by_name = {state.name: state for state in all_states(definition.states)}
    owners = {
        part.name: state.name for state in by_name.values() for block in blocks(state.action) for part in block.states
    }
    while left:
        name, names = left.pop()
        state = by_name.get(name)
        if state is None:
            continue
        before = arrives.get(name)
        names = names if before is None else before & names
        if names == before:
            continue
        arrives[name] = names
        left.extend(_leaves(state, names, owners, by_name))
    return arrives


def _leaves(
    state: State, names: frozenset[str], owners: Mapping[str, str], by_name: Mapping[str, State]
) -> Iterator[tuple[str, frozenset[str]]]:
    """Where a state leads, with what is set then."""
    well = names | names_set(state)
    for event, target in state.transitions.items():
        for to in destinations(target):
            yield to, (well if event == "success" else names)
    if isinstance(state.action, Goto):
        yield state.action.to, names
    for block in blocks(state.action):
        yield block.initial_state, names
    owner = owners.get(state.name)
    while owner is not None:  # a block may end here
        for target in by_name[owner].transitions.values():
            for to in destinations(target):
                yield to, names
        owner = owners.get(owner)


def names_set(state: State) -> frozenset[str]:
    """The names that a step gives a value to."""
    match state.action:
        case Set():
            return frozenset(name.split(".")[0] for name in state.action.values)
        case Transform():
            return frozenset({state.action.into or state.name})
        case CallAction() | WaitFor() | Collect() | Run():
            return frozenset({state.name})
        case _:
            return frozenset()


def _needed(state: State) -> Iterator[str]:
    """Names that must be set for this state to work."""
    for part in placeholders(filled_values(state.action)):
        if not any(filter_.name == "default" for filter_ in part.filters):
            yield part.path
