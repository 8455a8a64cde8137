"""Steps with a type each, and a `config` that fits the type, as they are written in YAML.

A step of the type `input` asks for what a start must bring: it becomes declared variables and is no step any more. A
`wait` is a wait. Any other type is a service that is asked to `execute` its config, unless the importer's table or a dot
in the word says better.
"""

from typing import Any, Final

from engine.formats.imported import Imported
from engine.formats.naming import Naming
from engine.formats.reading import (
    HEADING,
    Data,
    Report,
    an_object,
    definition_of,
    heading,
    id_of,
    in_order,
    steps_in,
    text_in,
    texts_in,
    within,
    wrong,
)
from engine.formats.writing import call_of, cannot, one_after_the_other
from engine.formats.writing import heading as heading_of
from engine.model import Call, Definition, Stop, VariableDeclaration, Wait
from engine.wording import shortened

METHOD: Final = "execute"
_INPUT: Final = "input"
_KNOWN: Final = HEADING | {"steps"}
_OF_A_STEP: Final = frozenset({"id", "type", "config", "description"})


def read(data: Data, naming: Naming) -> Imported:
    """Read typed steps.

    Raises:
        DefinitionError: They cannot be read.
    """
    report = Report()
    made = heading(data, report, naming)
    report.unknown("", data, _KNOWN)
    states: list[dict[str, Any]] = []
    variables: dict[str, Any] = {}
    asks = None
    for number, place, step in steps_in(data, "steps"):
        report.unknown(place, step, _OF_A_STEP)
        id_, type_ = id_of(step, number, place, report), text_in(step, "type", place)
        config = an_object(step.get("config") or {}, within(place, "config"))
        if type_ is None:
            raise wrong(place, '"type" is missing')
        if type_ == _INPUT:
            asks = asks or id_
            variables |= {field: {"required": True} for field in _required(config, place, report)}
            if states:
                report.default(place, "what it asks for is asked for at the start, not here")
            continue
        state = {"name": id_, "action": _action(type_, config, place, report, naming)}
        description = text_in(step, "description", place)
        states.append(state if description is None else {**state, "description": description})
    if not states:
        states = [{"name": asks, "action": {"kind": "stop"}}]
    if variables:
        made["variables"] = variables
    return report.on(definition_of({**made, "initial_state": states[0]["name"], "states": in_order(states)}))


def _required(config: Data, place: str, report: Report) -> tuple[str, ...]:
    fields = texts_in(config, "required_fields", within(place, "config"))
    report.unknown(place, config, {"required_fields"}, "config.")
    report.default(place, f"{', '.join(fields) or 'nothing'} has to be given at every start; the step itself is gone")
    return fields


def _action(type_: str, config: Data, place: str, report: Report, naming: Naming) -> dict[str, Any]:
    if type_ == "wait" and set(config) == {"seconds"}:
        return {"service": "internal", "method": "wait", "params": dict(config)}
    if naming.knows(type_):
        service, method = naming.call(type_)
    else:
        service, method = type_, METHOD
        report.default(place, f'the type "{shortened(type_, 40)}" is a service that is asked to {METHOD} it')
    return {"service": service, "method": method, "params": dict(config)}


def write(definition: Definition) -> dict[str, Any]:
    """Write typed steps.

    Raises:
        NotExpressible: The workflow says more than they can.
    """
    asks = _input(definition)
    if len(definition.states) == 1 and isinstance(definition.states[0].action, Stop):
        # A workflow that does nothing yet is read from a step that only asks, perhaps for nothing.
        nothing = {"type": _INPUT, "config": {"required_fields": []}}
        steps = [{**(nothing if asks is None else asks), "id": definition.states[0].name}]
    else:
        steps = [asks] if asks is not None else []
        for state in one_after_the_other(definition, "yaml"):
            call_of(state.action, state.name, "yaml")
            step = {"id": state.name, **_typed(state.action)}
            steps.append({**step, "description": state.description} if state.description else step)
    return {**heading_of(definition, "yaml"), "steps": steps}


def _input(definition: Definition) -> dict[str, Any] | None:
    for name, declaration in definition.variables.items():
        if declaration != VariableDeclaration(required=True):
            raise cannot("yaml", f'the variable "{name}" is more than a required one')
    if not definition.variables:
        return None
    return {"id": _INPUT, "type": _INPUT, "config": {"required_fields": list(definition.variables)}}


def _typed(action: object) -> dict[str, Any]:
    match action:
        case Wait(seconds=seconds):
            return {"type": "wait", "config": {"seconds": seconds}}
        case Call(service=service, method=method, params=params):
            word = service if method == METHOD and "." not in service else f"{service}.{method}"
            return {"type": word, "config": params}
        case _:
            return {}
