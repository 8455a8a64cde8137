"""Writes XState machines; the other half of `engine.formats.xstate`.

Where a path ends by itself there is no state in our model, and there has to be one in theirs: it is written as a final
state that is marked as no step.
"""

from collections.abc import Sequence
from typing import Any, Final

from engine.expressions import PATH, format_formula
from engine.formats.naming import word_for
from engine.formats.reading import fresh
from engine.formats.writing import bare_triggers, cannot
from engine.formats.xstate import CANCEL
from engine.formulas import Compare, Literal, Variable
from engine.model import (
    Call,
    Definition,
    Goto,
    Parallel,
    ParallelBranch,
    Set,
    State,
    Stop,
    Target,
    Transform,
    VariableDeclaration,
    Wait,
    WaitFor,
)

_FORM: Final = "xstate"


def write(definition: Definition) -> dict[str, Any]:
    """Write a machine.

    Raises:
        NotExpressible: The workflow says more than it can.
    """
    made: dict[str, Any] = {"id": definition.id}
    about = {"version": definition.version, "description": definition.description}
    made |= {key: value for key, value in about.items() if value}
    if definition.tags:
        made["tags"] = list(definition.tags)
    meta = {"name": definition.name} if definition.name != definition.id else {}
    if triggers := bare_triggers(definition, _FORM):
        meta["trigger"] = triggers
    if meta:
        made["meta"] = meta
    if definition.variables:
        made["context"] = _context(definition)
    return {**made, **_block(definition.initial_state, definition.states)}


def _context(definition: Definition) -> dict[str, Any]:
    for name, declaration in definition.variables.items():
        if declaration != VariableDeclaration(default=declaration.default):
            raise cannot(_FORM, f'the variable "{name}" is more than a value to begin with')
    return {name: declaration.default for name, declaration in definition.variables.items()}


def _block(initial: str, states: Sequence[State]) -> dict[str, Any]:
    end = fresh("end", {state.name for state in states})
    nodes = {state.name: _node(state, end) for state in states}
    if any(_ends(state) for state in states):
        nodes[end] = {"type": "final", "meta": {"end": True}}
    return {"initial": initial, "states": nodes}


def _ends(state: State) -> bool:
    """Whether a path may end at a state by itself."""
    target = state.transitions.get("success")
    open_ = target is None or (not isinstance(target, str) and target[-1].when is not None)
    return open_ and not isinstance(state.action, Stop | Goto)


def _node(state: State, end: str) -> dict[str, Any]:
    """A state as a node."""
    if others := state.transitions.keys() - {"success", "error", "timeout", CANCEL}:
        raise cannot(_FORM, f'step "{state.name}" has an edge "{min(others)}"')
    node: dict[str, Any] = {"description": state.description} if state.description else {}
    onward = _arrows(state.transitions.get("success"), end)
    node |= _doing(state, onward)
    if state.timeout_seconds is not None and "timeout" in state.transitions and not isinstance(state.action, Wait):
        node["after"] = {_milliseconds(state.timeout_seconds): _arrows(state.transitions["timeout"], None)}
    if CANCEL in state.transitions:
        node["on"] = {**node.get("on", {}), CANCEL: _arrows(state.transitions[CANCEL], None)}
    return node


def _doing(state: State, onward: Any) -> dict[str, Any]:
    match state.action:
        case Call(service=service, method=method, params=params):
            invoke: dict[str, Any] = {"src": word_for(service, method)}
            if params:
                invoke["input"] = params
            invoke["onDone"] = onward
            if "error" in state.transitions:
                invoke["onError"] = _arrows(state.transitions["error"], None)
            return {"invoke": invoke}
        case Wait(seconds=seconds):
            return {"after": {_delay(seconds, state.name): onward}}
        case WaitFor():
            return {"on": {state.action.event: _heard(state.action, onward, state.name)}}
        case Parallel(branches=branches, join="all"):
            return {"type": "parallel", "states": _regions(branches, state.name), "onDone": onward}
        case Parallel(branches=branches, join="any"):
            return {"on": _listening(state, branches, onward)}
        case Set(values=values):
            return {"entry": [{"type": "xstate.assign", "assignment": values}], "always": onward}
        case Goto(to=to):
            return {"always": {"target": to}}
        case Transform(formula=Literal(value=True), into=None):
            return {"always": onward}
        case Stop():
            return {"type": "final"}
        case _:
            raise cannot(_FORM, f'step "{state.name}" is of the kind "{state.action.kind}"')


def _heard(action: WaitFor, onward: Any, name: str) -> Any:
    if action.when is None:
        return onward
    if isinstance(onward, list):
        raise cannot(_FORM, f'step "{name}" waits under a condition and leads on under others')
    return {**onward, "guard": format_formula(action.when)}


def _regions(branches: Sequence[ParallelBranch], name: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for branch in branches:
        if branch.name in made:
            raise cannot(_FORM, f'two branches of step "{name}" have the same name')
        if branch.needs:
            raise cannot(_FORM, f'the branch "{branch.name}" waits for another')
        made[branch.name] = _block(branch.block.initial_state, branch.block.states)
    return made


def _listening(state: State, branches: Sequence[ParallelBranch], onward: Any) -> dict[str, Any]:
    """Several events that are waited for at once: the first one that comes leads on."""
    ways = state.transitions.get("success")
    targets: dict[object, str] = {}
    for way in ways if isinstance(ways, tuple) else ():
        match way.when:
            case Compare(operator="==", left=Variable(), right=Literal(value=str(event))):
                targets[event] = way.to
            case _:
                raise cannot(_FORM, f'step "{state.name}" leads on under more conditions than which event came')
    heard: dict[str, Any] = {}
    for branch in branches:
        action = branch.block.states[0].action
        if not isinstance(action, WaitFor) or action.event in heard:
            raise cannot(_FORM, f'step "{state.name}" goes on when the first of its branches is done')
        arrow = {"target": targets[action.event]} if action.event in targets else onward[-1]
        heard[action.event] = _heard(action, arrow, state.name)
    return heard


def _arrows(target: Target | None, end: str | None) -> Any:
    """Where an edge leads: one arrow, or several in order of which the last one is open."""
    if target is None:
        return {"target": end}
    if isinstance(target, str):
        return {"target": target}
    made: list[dict[str, Any]] = [
        {"target": way.to} if way.when is None else {"target": way.to, "guard": format_formula(way.when)}
        for way in target
    ]
    return [*made, {"target": end}] if end is not None and target[-1].when is not None else made


def _delay(seconds: float | str, name: str) -> str:
    if not isinstance(seconds, str):
        return _milliseconds(seconds)
    word = seconds.removeprefix("${").removesuffix("}")
    if f"${{{word}}}" != seconds or not PATH.fullmatch(word):
        raise cannot(_FORM, f'step "{name}" works out how long it waits')
    return word


def _milliseconds(seconds: float) -> str:
    return f"{int(seconds * 1000)}" if (seconds * 1000).is_integer() else repr(seconds * 1000)
