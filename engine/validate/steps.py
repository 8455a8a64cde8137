"""What is wrong with one step by itself: its name, its texts, and what it asks of a service that does not take it.

Where steps lead is not looked at here.
"""

from collections.abc import Iterator
from typing import Any, Final

from engine.declare import Declarations, Param
from engine.expressions import has_placeholder
from engine.formulas import (
    Formula,
)
from engine.model import (
    Action,
    Choose,
    Collect,
    Emit,
    ForEach,
    Repeat,
    Run,
    Set,
    State,
    Target,
    Transform,
    Wait,
    WaitFor,
)
from engine.model import Call as CallAction
from engine.scope import RESERVED
from engine.templates import is_constant
from engine.validate.problem import Places, Problem, meant, nearest, quoted, say
from engine.validate.texts import formula_problems, text_problems
from engine.values import is_number, number_in

EVENTS: Final = ("success", "error", "timeout", "cancel", "unknown")
_EXAMPLES: Final = {"a number": "30", "true or false": "true", "a list": '["a", "b"]', "a text": '"hello"'}


def step_problems(state: State, places: Places, declarations: Declarations) -> Iterator[Problem]:
    """Problems of one step."""
    place = places.where[state.name]
    if state.name in RESERVED:
        yield Problem(place, "error", f'"{state.name}" is a name of the bot itself', "take another name", state.name)
    for event, target in state.transitions.items():
        yield from _event(event, target, places, state)
        yield from (problem for guard in _guards_of(target) for problem in formula_problems(guard, place, state.name))
    for value in filled_values(state.action):
        yield from text_problems(value, place, state.name)
    for formula in _formulas(state.action):
        yield from formula_problems(formula, place, state.name)
    if isinstance(state.action, CallAction):
        yield from _call(state.action, place, state.name, declarations)
    if isinstance(state.action, Wait):
        yield from _wait(state.action, places, state.name)
    if isinstance(state.action, Set):
        for name in state.action.values:
            if name in RESERVED:
                yield Problem(place, "error", f'"{name}" is a name of the bot itself', "take another name", state.name)


def _event(event: str, target: Target, places: Places, state: State) -> Iterator[Problem]:
    if event in EVENTS:
        return
    near = nearest(event, EVENTS)
    if near is None:
        return
    mend = None
    if isinstance(target, str) and near not in state.transitions:
        step = places.words[state.name]
        right = "if it fails" if near == "error" else f"on {near}"
        mend = say(f"{step} on {quoted(event)} nowhere", f"{step} {right} go to step {quoted(target)}")
    sentence = f'nothing ever takes the edge "{event}"'
    yield Problem(places.where[state.name], "warning", sentence, mend or f'did you mean "{near}"?', state.name)


def _guards_of(target: Target) -> Iterator[Formula]:
    if not isinstance(target, str):
        yield from (way.when for way in target if way.when is not None)


def filled_values(action: Action) -> Iterator[Any]:
    """Every nested value of an action that is filled in."""
    match action:
        case CallAction():
            yield action.params
        case Wait():
            yield action.seconds
        case Set():
            yield action.values
        case Run():
            yield action.arguments
        case Emit():
            yield action.payload
        case ForEach():
            yield list(action.items) if isinstance(action.items, tuple) else action.items
        case Repeat():
            yield action.times
        case WaitFor():
            yield action.who
        case _:
            return


def _formulas(action: Action) -> Iterator[Formula]:
    match action:
        case Transform():
            yield action.formula
        case Choose():
            yield from (case.when for case in action.cases if case.when is not None)
        case WaitFor() | Collect() if action.when is not None:
            yield action.when
        case Repeat() if action.while_ is not None:
            yield action.while_
        case _:
            return


def _wait(action: Wait, places: Places, state: str) -> Iterator[Problem]:
    if isinstance(action.seconds, str) and not has_placeholder(action.seconds) and number_in(action.seconds) is None:
        mend = say(f"change {places.words[state]} to wait 5 seconds")
        sentence = f'"{action.seconds[:40]}" is not a number of seconds'
        yield Problem(places.where[state], "error", sentence, mend, state)


def _call(action: CallAction, place: str, state: str, declarations: Declarations) -> Iterator[Problem]:
    services = declarations.services()
    if action.service not in services:
        sentence = f'there is no service "{action.service}"; there are {", ".join(sorted(services))}'
        yield Problem(place, "error", sentence, meant(action.service, services), state)
        return
    method = declarations.find(action.service, action.method)
    if method is None:
        names = declarations.names(action.service)
        sentence = f'{action.service} cannot do "{action.method}"'
        yield Problem(place, "error", sentence, meant(action.method, names) or f"it can do {', '.join(names)}", state)
        return
    known = [param.name for param in method.params]
    for name, value in action.params.items():
        param = method.param(name)
        if param is None:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            yield Problem(place, "error", f'{method.key} has no param "{name}"', meant(name, known) or takes, state)
        elif (wanted := _wanted(param, value)) is not None:
            yield Problem(place, "error", f"{name} must be {wanted}", f"such as {_EXAMPLES[wanted]}", state)
    for param in method.params:
        if param.required and action.params.get(param.name) is None:
            yield Problem(place, "error", f'{method.key} needs "{param.name}"', f'say its "{param.name}" too', state)


def _wanted(param: Param, value: Any) -> str | None:
    """What a param wants in words, if the value written there is not it."""
    if value is None or not is_constant(value):
        return None
    match param.type:
        case "any":
            return None
        case "number" | "seconds":
            fits = is_number(value) or (isinstance(value, str) and number_in(value) is not None)
            return None if fits else "a number"
        case "boolean":
            return None if isinstance(value, bool) else "true or false"
        case "list":
            return None if isinstance(value, list) else "a list"
        case _:
            return "a text" if isinstance(value, list | dict | bool) else None
