"""Writes steps with delays, jumps and steps beside the main flow; the other half of `engine.formats.delays`."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.formats.delays import OF_A_STEP
from engine.formats.naming import word_for
from engine.formats.writing import cannot, heading
from engine.model import MAX_NAME, Call, Definition, Goto, Parallel, Retry, State, Wait, all_states

_FORM = "delays"


def write(definition: Definition) -> dict[str, Any]:
    """Write steps with delays.

    Raises:
        NotExpressible: The workflow says more than they can.
    """
    if definition.policy.mode != "single":
        raise cannot(
            _FORM, 'that form lets a workflow run once at a time, and this one has not the policy {"mode": "single"}'
        )
    if definition.initial_state != definition.states[0].name:
        raise cannot(_FORM, f'it begins at "{definition.initial_state}", which is not its first step')
    groups = _groups(definition.states)
    entries = {states[0].name: states[-1] for states in groups}
    steps: list[dict[str, Any]] = []
    for states, following in zip(groups, (*groups[1:], None), strict=True):
        if isinstance(states[-1].action, Parallel):
            steps += [
                _beside(branch.name, branch.block.states, branch.critical) for branch in states[-1].action.branches
            ]
            _onward(states[-1], following, entries)
        else:
            steps.append(_step(states, following, entries))
    made = {**heading(definition, _FORM, id_key="type"), "steps": steps}
    if config := _config(definition):
        made["config"] = config
    return made


def _groups(states: Sequence[State]) -> list[tuple[State, ...]]:
    """Each step's states: its wait, if one was made for it, and itself."""
    groups: list[tuple[State, ...]] = []
    held: State | None = None
    for state in states:
        if held is not None:
            groups.append((held, state) if _is_before(held, state) else (held,))
            held = None if _is_before(held, state) else state
        else:
            held = state
        if held is not None and not isinstance(held.action, Wait):
            groups.append((held,))
            held = None
    return [*groups, (held,)] if held is not None else groups


def _is_before(wait: State, state: State) -> bool:
    """Whether a wait is the delay of a step, as the reader names it."""
    named = wait.name == f"wait_before_{state.name}"[:MAX_NAME] and wait.transitions == {"success": state.name}
    return named and not isinstance(state.action, Wait | Parallel)


def _step(
    states: tuple[State, ...], following: tuple[State, ...] | None, entries: Mapping[str, State]
) -> dict[str, Any]:
    state = states[-1]
    step: dict[str, Any] = {"id": state.name, **_doing(state, states[0] if len(states) > 1 else None)}
    if isinstance(state.action, Goto):
        step["nextStep"] = _id(state.action.to, entries)
    elif (to := _onward(state, following, entries)) is not None:
        step["nextStep"] = to
    if not state.critical:
        step["critical"] = False
    return {**step, "description": state.description} if state.description else step


def _onward(state: State, following: tuple[State, ...] | None, entries: Mapping[str, State]) -> str | None:
    """Where a step leads that is not the next one."""
    if others := state.transitions.keys() - {"success"}:
        raise cannot(_FORM, f'step "{state.name}" has an edge "{min(others)}"')
    to = state.transitions.get("success")
    if to is None:
        if following is not None:
            raise cannot(_FORM, f'the path ends at "{state.name}", and more steps are written after it')
        return None
    if not isinstance(to, str):
        raise cannot(_FORM, f'step "{state.name}" leads on under conditions')
    if following is not None and to == following[0].name:
        return None
    if isinstance(state.action, Parallel):
        raise cannot(_FORM, f'step "{state.name}" does not lead to the step written after it')
    return _id(to, entries)


def _id(to: str, entries: Mapping[str, State]) -> str:
    """The id of the step that is entered at a state."""
    if to not in entries:
        raise cannot(_FORM, f'a step leads to "{to}", which is no step by itself')
    action = entries[to].action
    return action.branches[0].name if isinstance(action, Parallel) else entries[to].name


def _doing(state: State, wait: State | None) -> dict[str, Any]:
    """Action, delay and params."""
    before = _milliseconds(wait) if wait is not None else 0
    match state.action:
        case Wait():
            return {"action": "wait", "delay": _milliseconds(state)}
        case Goto():
            return {"action": "goto", "delay": before}
        case Call(service=service, method=method, params=params):
            apart = OF_A_STEP & params.keys()
            return {"action": word_for(service, method), "delay": before, **({"params": params} if apart else params)}
        case _:
            raise cannot(_FORM, f'step "{state.name}" is of the kind "{state.action.kind}"')


def _milliseconds(state: State) -> float:
    seconds = state.action.seconds if isinstance(state.action, Wait) else 0
    if isinstance(seconds, str):
        raise cannot(_FORM, f'step "{state.name}" takes its time from a variable')
    milliseconds = float(seconds * 1000)
    return int(milliseconds) if milliseconds.is_integer() else milliseconds


def _beside(name: str, states: Sequence[State], critical: bool) -> dict[str, Any]:
    if len(states) > 2 or states[-1].name != name or (len(states) == 2 and not _is_before(*states)):
        raise cannot(_FORM, f'the branch "{name}" is more than one step')
    doing = _doing(states[-1], states[0] if len(states) == 2 else None)
    step = {"id": name, **doing, "parallel": True, **({} if critical else {"critical": False})}
    return {**step, "description": states[-1].description} if states[-1].description else step


def _config(definition: Definition) -> dict[str, Any]:
    retries = {_retry(state.retry) for state in all_states(definition.states) if isinstance(state.action, Call)}
    if len(retries) > 1:
        raise cannot(_FORM, "its steps are tried again in different ways")
    config: dict[str, Any] = {}
    for tries, seconds in retries - {(1, 0)}:
        config = {"maxRetries": tries - 1, "retryDelay": seconds * 1000}
    if definition.max_loop_iterations is not None:
        config["maxLoopIterations"] = definition.max_loop_iterations
    return config


def _retry(retry: Retry | None) -> tuple[int, float]:
    return (1, 0) if retry is None else (retry.max_attempts, retry.delay_seconds)
