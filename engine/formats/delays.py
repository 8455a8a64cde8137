"""Steps with delays in milliseconds, jumps between them, and steps beside the main flow.

A step's `delay` is waited before it: that becomes a wait of its own, and whoever jumps to the step comes to its wait
first. Steps that are `parallel: true` become branches that nobody waits for. `config.maxRetries` becomes a retry of
every call. Keys that belong to no form are the params of the action. One run at a time is what this form means by
itself, so that becomes the policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from engine.formats.imported import Imported
from engine.formats.naming import Naming
from engine.formats.reading import (
    HEADING,
    Data,
    Report,
    an_object,
    definition_of,
    flag_in,
    fresh,
    heading,
    id_of,
    number_in,
    steps_in,
    text_in,
    within,
    wrong,
)
from engine.wording import shortened

_KNOWN: Final = (HEADING - {"id"}) | {"type", "steps", "config", "is_active"}
_OF_A_CONFIG: Final = frozenset({"maxRetries", "retryDelay", "allowLoops", "maxLoopIterations"})
OF_A_STEP: Final = frozenset(
    {"id", "action", "service", "delay", "critical", "parallel", "nextStep", "description", "params"}
)


@dataclass(slots=True)
class _Step:
    """A step as it was written, and where it is entered once its states are made."""

    id: str
    place: str
    action: dict[str, Any]
    seconds: float
    critical: bool
    beside: bool
    to: str | None
    description: str | None
    entry: str = field(default="")


def read(data: Data, naming: Naming) -> Imported:
    """Read steps with delays.

    Raises:
        DefinitionError: They cannot be read, or jump to a step that is not there.
    """
    report = Report()
    made = heading(data, report, naming, id_key="type" if "type" in data or "id" not in data else "id")
    report.unknown("", data, _KNOWN if "type" in data else _KNOWN | {"id"})
    steps = [_step(number, place, step, report, naming) for number, place, step in steps_in(data, "steps")]
    if not flag_in(data, "is_active", "", True):
        report.lost("", "is_active: false is no part of a workflow; switch it off when it is there")
    config = an_object(data.get("config") or {}, "config")
    report.unknown("config", config, _OF_A_CONFIG)
    retry = _retry(config, report)
    _check_jumps(steps, flag_in(config, "allowLoops", "config", True))
    made["policy"] = {"mode": "single"}
    report.default("", "it runs once at a time, as this form allows; other workflows may run beside it")
    if (rounds := number_in(config, "maxLoopIterations", "config")) is not None:
        made["max_loop_iterations"] = rounds
    states = _states(steps, retry, report)
    return report.on(definition_of({**made, "initial_state": states[0]["name"], "states": states}))


def _step(number: int, place: str, step: Data, report: Report, naming: Naming) -> _Step:
    id_ = id_of(step, number, place, report)
    word = text_in(step, "action", place)
    if word is None:
        raise wrong(place, '"action" is missing')
    delay = number_in(step, "delay", place) or 0
    to = text_in(step, "nextStep", place)
    beside = flag_in(step, "parallel", place, False)
    params = {key: value for key, value in step.items() if key not in OF_A_STEP}
    if "params" in step:
        params |= an_object(step["params"], within(place, "params"))
    action: dict[str, Any]
    match word, text_in(step, "service", place):
        case "wait", None:
            action = {"service": "internal", "method": "wait", "params": {"seconds": delay / 1000}}
            delay = 0
        case "goto", None:
            if to is None:
                raise wrong(place, 'it jumps, and "nextStep" does not say where to')
            action, to = {"kind": "goto", "to": to}, None
        case _, service:
            if service is None:
                if not naming.knows(word):
                    report.default(place, f'"{shortened(word, 40)}" is asked of the service {naming.service}')
                service, word = naming.call(word)
            action, params = {"service": service, "method": word, "params": params}, {}
    for key in params:
        report.lost(place, f'"{shortened(key, 40)}" means nothing to a step like this and was left out')
    if beside and (to is not None or "kind" in action):
        report.lost(place, "a jump beside the main flow leads nowhere, so it is made in the main flow")
        beside = False
    return _Step(
        id_, place, action, delay / 1000, flag_in(step, "critical", place, True), beside, to,
        text_in(step, "description", place),
    )  # fmt: skip


def _retry(config: Data, report: Report) -> dict[str, Any] | None:
    tries, delay = number_in(config, "maxRetries", "config"), number_in(config, "retryDelay", "config")
    if not tries:
        if delay is not None:
            report.lost("config", "retryDelay says how long to wait, and nothing is tried again")
        return None
    report.default(
        "config", f"maxRetries {tries} is {tries + 1} tries in all, and only of what a service calls worth it"
    )
    if delay is None:
        report.default("config", "retryDelay is not said, so 1 second is waited before the next try")
    return {"max_attempts": tries + 1, "delay_seconds": 1 if delay is None else delay / 1000}


def _check_jumps(steps: Sequence[_Step], loops: bool) -> None:
    order = {step.id: number for number, step in enumerate(steps)}
    for number, step in enumerate(steps):
        to = _jump(step)
        if to is not None and to not in order:
            raise wrong(within(step.place, "nextStep"), f'there is no step "{shortened(to, 40)}"')
        if to is not None and not loops and order[to] <= number:
            raise wrong(within(step.place, "nextStep"), f'it goes back to "{to}", and config.allowLoops is false')


def _jump(step: _Step) -> str | None:
    to: str | None = step.action["to"] if "kind" in step.action else step.to
    return to


# The states ------------------------------------------------------------------------------------------------------------


def _states(steps: Sequence[_Step], retry: dict[str, Any] | None, report: Report) -> list[dict[str, Any]]:
    """The states of all steps, each leading to the next or to where it jumps."""
    taken = {step.id for step in steps}
    targets = {_jump(step) for step in steps}
    made: list[tuple[_Step, list[dict[str, Any]]]] = []
    beside: list[dict[str, Any]] = []
    for step in steps:
        own = _own_states(step, retry, taken)
        if not step.beside:
            made.append((step, own))
            step.entry = own[0]["name"]
            beside = []
            continue
        if not beside or step.id in targets:
            name = fresh("parallel", taken)
            taken.add(name)
            beside = []
            made.append((step, [{"name": name, "action": {"kind": "parallel", "branches": beside, "join": "none"}}]))
            step.entry = name
        beside.append(_branch(step, own))
        report.default(step.place, "it runs beside the main flow, which does not wait for it")
    entries = {step.id: step.entry for step in steps}
    flat = in_turn([states for _, states in made])
    for step, states in made:
        if "kind" in step.action and not step.beside:
            states[-1]["action"]["to"] = entries[step.action["to"]]
            states[-1].pop("transitions", None)
        elif step.to is not None:
            states[-1]["transitions"] = {"success": entries[step.to]}
    return flat


def in_turn(groups: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """All states, each leading to the next."""
    flat = [state for group in groups for state in group]
    for state, following in pairwise(flat):
        state["transitions"] = {"success": following["name"]}
    return flat


def _own_states(step: _Step, retry: dict[str, Any] | None, taken: set[str]) -> list[dict[str, Any]]:
    """The step's own state, after its wait if it has one."""
    state: dict[str, Any] = {"name": step.id, "action": step.action}
    if step.description is not None:
        state["description"] = step.description
    if not step.critical and not step.beside:
        state["critical"] = False
    if retry is not None and "kind" not in step.action and step.action["service"] != "internal":
        state["retry"] = retry
    if not step.seconds:
        return [state]
    name = fresh(f"wait_before_{step.id}", taken)
    taken.add(name)
    return [
        {"name": name, "action": {"service": "internal", "method": "wait", "params": {"seconds": step.seconds}}},
        state,
    ]


def _branch(step: _Step, states: list[dict[str, Any]]) -> dict[str, Any]:
    block = {"initial_state": states[0]["name"], "states": in_turn([states])}
    return {"name": step.id, "block": block, "critical": step.critical}
