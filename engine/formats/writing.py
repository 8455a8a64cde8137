"""What all writers of other forms share: what they can carry, and a sentence for what they cannot.

A writer says what its form has words for. That nothing else was there is proved by reading it again: where what comes
back differs from what went in, the form cannot say that.
"""

from collections.abc import Mapping
from typing import Any, Final

from engine.errors import NotExpressible
from engine.model import Action, Call, Definition, State, Wait, to_json
from engine.wording import shortened

NAMES: Final = {
    "steps": "a list of steps",
    "dag": "a graph of nodes",
    "delays": "a list of steps with delays",
    "yaml": "a list of typed steps",
    "xstate": "an XState machine",
}


def cannot(form: str, what: str) -> NotExpressible:
    """The error for something that a form has no words for."""
    return NotExpressible(f"It cannot be written as {NAMES[form]}: {what}.")


def heading(definition: Definition, form: str, id_key: str = "id") -> dict[str, Any]:
    """What stands around the steps in every list form."""
    made: dict[str, Any] = {id_key: definition.id, "name": definition.name}
    about = {"description": definition.description, "version": definition.version}
    made |= {key: value for key, value in about.items() if value}
    if definition.tags:
        made["tags"] = list(definition.tags)
    if triggers := bare_triggers(definition, form):
        made["trigger"] = triggers
    return made


def bare_triggers(definition: Definition, form: str) -> Any:
    """The names of the triggers: one alone, or a list of them."""
    written = to_json(definition).get("triggers", [])
    names = [trigger for trigger in written if isinstance(trigger, str)] if isinstance(written, list) else []
    if len(names) < len(definition.triggers):
        raise cannot(
            form, f'the trigger "{shortened(definition.triggers[0].on, 40)}" says more than the name of an event'
        )
    return names[0] if len(names) == 1 else names


def one_after_the_other(definition: Definition, form: str) -> tuple[State, ...]:
    """The states, which have to lead from each to the next and nowhere else."""
    states = definition.states
    if definition.initial_state != states[0].name:
        raise cannot(form, f'it begins at "{definition.initial_state}", which is not its first step')
    for state, following in zip(states, (*states[1:], None), strict=True):
        onward = dict(state.transitions)
        if onward.pop("success", None) != (None if following is None else following.name):
            raise cannot(form, f'step "{state.name}" does not lead to the step written after it')
        if onward:
            raise cannot(form, f'step "{state.name}" has an edge "{next(iter(onward))}"')
    return states


def call_of(action: Action, name: str, form: str) -> dict[str, Any]:
    """Service, method and params of an action that is a call or a wait."""
    if not isinstance(action, Call | Wait):
        raise cannot(form, f'step "{name}" is of the kind "{action.kind}"')
    return action.model_dump(mode="json")


def difference(before: Definition, after: Definition) -> str | None:
    """Words for the first thing in which a definition differs from the one it should be; None if it does not."""
    if before == after:
        return None
    return _difference(to_json(before), to_json(after), "") or "something in it"


def _difference(before: Any, after: Any, place: str) -> str | None:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        name = before.get("name")
        here = f'step "{shortened(name, 40)}"' if "action" in before and isinstance(name, str) else place
        for key in dict.fromkeys((*before, *after)):
            at = f"{here}, {key}" if here else key
            if (found := _difference(before.get(key), after.get(key), at)) is not None:
                return found
        return None
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = (_difference(one, other, place) for one, other in zip(before, after, strict=True))
        return next((words for words in pairs if words is not None), None)
    return None if before == after and type(before) is type(after) else place
