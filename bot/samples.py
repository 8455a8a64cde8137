"""An event as a workflow's trigger would take it, made up for a trial in which nobody says with what. Pure.

Only where the steps name something that an event brings: what a run by hand does is tried by hand.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from engine.events import EventType, canonical, kind_of
from engine.expressions import paths_in
from engine.formulas import And, Compare, Formula, IsOneOf, Literal, TextTest, Variable
from engine.model import Choose, Definition, Repeat, State, Transform, Trigger, all_states

_NAMED: Final = re.compile(r"\$\{\s*([^\W\d]\w*)")
_TYPED: Final = frozenset({"message", "command", "arguments", "target", "words"})
"""What comes of what somebody types; it is made up together."""
_NUMBERS: Final[Mapping[str, int]] = {"bits": 100, "months": 3, "count": 5, "level": 2}
_TEXTS: Final[Mapping[str, str]] = {"message": "hello", "tier": "1000", "title": "a title", "category": "a game"}
_JUST_ENOUGH: Final[Mapping[str, int]] = {"==": 0, ">=": 0, "<=": 0, ">": 1, "<": -1}


def sample_of(definition: Definition) -> tuple[str, dict[str, Any]] | None:
    """The event and its fields, for the first trigger that brings what the steps name; None if none has to."""
    named = set(_names_in(definition.states)) - set(definition.variables) - {"user"}
    for trigger in definition.triggers:
        kind = kind_of(trigger.on)
        if kind is not None and named & set(kind.fields):
            return canonical(trigger.on), _fields(kind, trigger, named)
    return None


def _names_in(states: tuple[State, ...]) -> Iterator[str]:
    for state in all_states(states):
        yield from _NAMED.findall(str(state.action.model_dump(mode="json")))
        for guard in _guards_of(state):
            yield from (path.partition(".")[0] for path in paths_in(guard))


def _guards_of(state: State) -> Iterator[Formula]:
    match state.action:
        case Choose(cases=cases):
            yield from (case.when for case in cases if case.when is not None)
        case Repeat(while_=guard) if guard is not None:
            yield guard
        case Transform(formula=formula):
            yield formula
        case _:
            return


def _fields(kind: EventType, trigger: Trigger, named: set[str]) -> dict[str, Any]:
    """What the trigger asks for, and something for whatever else is named or counted."""
    held = dict(_held(trigger.when))
    wanted = {name for name in kind.fields if name in named or name == kind.measure}
    made = {name: _made_up(name, kind.fields[name]) for name in sorted(wanted - _TYPED) if kind.fields[name] != "user"}
    if "command" in held and wanted & {"arguments", "target"}:
        made["arguments"] = "somebody"
    elif "message" in kind.fields and "command" not in held and wanted & _TYPED:
        made["message"] = _TEXTS["message"]
    return {**made, **held}


def _held(guard: Formula | None) -> Iterator[tuple[str, Any]]:
    """Fields with which a guard holds, as far as that is plain."""
    match guard:
        case And(operands=operands):
            for each in operands:
                yield from _held(each)
        case Compare("==", Variable(path), Literal(str(text))):
            yield path, text
        case Compare(how, Variable(path), Literal(int(number) | float(number))) if how in _JUST_ENOUGH:
            yield path, f"{number + _JUST_ENOUGH[how]:g}"
        case TextTest("contains" | "starts with" | "ends with", Variable(path), Literal(str(text))):
            yield path, text
        case IsOneOf(Variable(path), (Literal(str(text)), *_)):
            yield path, text
        case _:
            return


def _made_up(name: str, type_: str) -> str:
    match type_:
        case "number":
            return str(_NUMBERS.get(name, 10))
        case "boolean":
            return "yes"
        case "list":
            return "one, two"
        case _:
            return _TEXTS.get(name, f"some {name.replace('_', ' ')}")
