"""Which placeholders stand for nothing on some path through the steps.

Names are followed along the edges, not values. Guards are not looked at: there, missing means null.
"""

from collections.abc import Iterator
from typing import Final

from engine.events import kind_of
from engine.model import MAX_NAME, Definition, ForEach, Repeat, State, all_states
from engine.scope import RESERVED
from engine.validate.heading import is_schedule
from engine.validate.paths import Paths, names_set
from engine.validate.problem import Places, Problem, as_json, quoted, say
from engine.validate.steps import filled_values
from engine.validate.texts import placeholders

STREAM: Final = frozenset({"stream", "viewers", "title", "category", "live"})


def unset_names(definition: Definition, places: Places, known: frozenset[str]) -> Iterator[Problem]:
    """Placeholders that stand for nothing on some path. Guards are not looked at: there, missing means null."""
    base = {name for name in definition.variables if _brings(definition, name)} | RESERVED | STREAM | known
    always, sometimes = event_fields(definition)
    arrives = Paths(definition).arrivals(frozenset(base | always))
    settable = {name for state in all_states(definition.states) for name in (*names_set(state), *_loop_name(state))}
    anything = any(kind_of(trigger.on) is None and not is_schedule(trigger.on) for trigger in definition.triggers)
    looped = frozenset(_inside_loops(definition))
    told: set[str] = set()
    for state in all_states(definition.states):
        here = arrives.get(state.name)
        if here is None or not state.enabled:
            continue  # never reached, which is said already, or passed over
        for path in dict.fromkeys(needed(state)):
            head = path.split(".")[0]
            if path in here or head in here or (head == "loop" and state.name in looped):
                continue
            mend: str | None = f'write ${{{path}|default "..."}}'
            if head in settable:
                sentence = f'"{path}" may not be set yet when this is reached'
            elif anything or path in told:
                continue  # an event of one's own may bring anything
            elif head in sometimes:
                sentence = f'"{path}" is not set when it is started by "{sometimes[head]}"'
            else:
                told.add(path)
                sentence = f'nothing sets "{path}": it has to be given at the start, with {path}=...'
                mend = _declared(definition, path)
            yield Problem(places.where[state.name], "warning", sentence, mend, state.name)


def _declared(definition: Definition, path: str) -> str | None:
    """The suggestion to ask for a variable at every start."""
    declaration = definition.variables.get(path)
    kept = declaration.model_dump(mode="json", exclude_defaults=True) if declaration is not None else {}
    return say(f"variable {quoted(path)} {as_json({**kept, 'required': True})}") if len(path) <= MAX_NAME else None


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


def _inside_loops(definition: Definition) -> Iterator[str]:
    """The states that know which round it is."""
    for state in all_states(definition.states):
        if isinstance(state.action, Repeat | ForEach):
            yield from (inner.name for inner in all_states(state.action.block.states))


def _loop_name(state: State) -> tuple[str, ...]:
    return (state.action.variable,) if isinstance(state.action, ForEach) else ()


def needed(state: State) -> Iterator[str]:
    """Names that must be set for this state to work."""
    for part in placeholders(filled_values(state.action)):
        if not any(filter_.name == "default" for filter_ in part.filters):
            yield part.path
