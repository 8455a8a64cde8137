"""Steps one after the other: `trigger`, `error_policy` and `steps` of `id`, `service`, `action`, `params`.

`error_policy` is `stop_on_error`, which is the default, or `continue`: then every step may fail.
"""

from typing import Any, Final

from engine.formats.imported import Imported
from engine.formats.naming import Naming
from engine.formats.reading import (
    HEADING,
    Data,
    Report,
    call_in,
    definition_of,
    heading,
    id_of,
    in_order,
    steps_in,
    text_in,
    wrong,
)
from engine.formats.writing import call_of, cannot, one_after_the_other
from engine.formats.writing import heading as heading_of
from engine.model import Definition

POLICIES: Final = ("stop_on_error", "continue")
_KNOWN: Final = HEADING | {"error_policy", "steps"}
_OF_A_STEP: Final = frozenset({"id", "service", "action", "params", "description"})


def read(data: Data, naming: Naming) -> Imported:
    """Read steps.

    Raises:
        DefinitionError: They cannot be read.
    """
    report = Report()
    made = heading(data, report, naming)
    report.unknown("", data, _KNOWN)
    critical = stops_on_error(data, report)
    states: list[dict[str, Any]] = []
    for number, place, step in steps_in(data, "steps"):
        report.unknown(place, step, _OF_A_STEP)
        state = {"name": id_of(step, number, place, report), "action": call_in(step, place, report, naming)}
        if (description := text_in(step, "description", place)) is not None:
            state["description"] = description
        states.append(state if critical else {**state, "critical": False})
    made |= {"initial_state": states[0]["name"], "states": in_order(states)}
    return report.on(definition_of(made))


def stops_on_error(data: Data, report: Report) -> bool:
    """What `error_policy` says, or its default."""
    policy = text_in(data, "error_policy", "")
    if policy is None:
        report.default("", "it has no error_policy, so it stops at the first error")
    elif policy not in POLICIES:
        raise wrong("error_policy", f"it must be one of {' or '.join(POLICIES)}")
    return policy != "continue"


def write(definition: Definition) -> dict[str, Any]:
    """Write steps.

    Raises:
        NotExpressible: The workflow says more than they can.
    """
    states = one_after_the_other(definition, "steps")
    carrying_on = {not state.critical for state in states}
    if len(carrying_on) > 1:
        raise cannot("steps", "some of its steps may fail and others may not")
    steps = []
    for state in states:
        call = call_of(state.action, state.name, "steps")
        step = {"id": state.name, "service": call["service"], "action": call["method"], "params": call["params"]}
        steps.append({**step, "description": state.description} if state.description else step)
    policy = POLICIES[carrying_on.pop()]
    return {**heading_of(definition, "steps"), "error_policy": policy, "steps": steps}
