"""Which steps name a secret where everybody would see it.

Only the names of secrets are known here, never their values. A secret that something else of the same name hides is not
what the name means, so that is none.
"""

from collections.abc import Iterator
from typing import Any

from engine.declare import Declarations
from engine.model import Action, Definition, all_states
from engine.model import Call as CallAction
from engine.scope import RESERVED
from engine.validate.paths import names_set
from engine.validate.problem import Places, Problem
from engine.validate.steps import filled_values
from engine.validate.texts import placeholders
from engine.validate.unset import STREAM, event_fields


def exposed_secrets(
    definition: Definition, places: Places, declarations: Declarations, secrets: frozenset[str]
) -> Iterator[Problem]:
    """Placeholders of secrets in what is no place for one."""
    named = _meanings(definition, secrets)
    for state in all_states(definition.states):
        for path in dict.fromkeys(part.path for part in placeholders(_public(state.action, declarations))):
            if path in named:
                sentence = f'"{named[path]}" is a secret, and may stand only where a secret is asked for'
                yield Problem(places.where[state.name], "error", sentence, "leave it out of this step", state.name)


def _meanings(definition: Definition, secrets: frozenset[str]) -> dict[str, str]:
    """The paths that mean a secret."""
    always, sometimes = event_fields(definition)
    hidden = {*definition.variables, *always, *sometimes, *RESERVED, *STREAM}
    hidden |= {name for state in all_states(definition.states) for name in names_set(state)}
    bare = {name: name for name in secrets if name.split(".")[0] not in hidden}
    return {**{f"config.{name}": name for name in secrets}, **bare}


def _public(action: Action, declarations: Declarations) -> Iterator[Any]:
    """The values of an action in which nothing is secret."""
    if not isinstance(action, CallAction):
        yield from filled_values(action)
        return
    method = declarations.find(action.service, action.method)
    for name, value in action.params.items():
        param = method.param(name) if method is not None else None
        if param is None or not param.secret:
            yield value
