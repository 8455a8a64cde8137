"""What is wrong with a workflow, or looks wrong: each problem with its place, in one sentence, with what would mend it.

An error means that it cannot run as it is written, or must not; a warning means that somebody should look. It judges a
definition against the declarations of services and the table of events, and changes nothing. It runs nothing.
"""

from collections.abc import Collection

from engine.declare import Declarations
from engine.model import Definition, all_states
from engine.validate.exposed import exposed_secrets
from engine.validate.graph import wrong_flow, wrong_targets
from engine.validate.heading import heading_problems, never_by_itself, trigger_problems
from engine.validate.problem import Problem
from engine.validate.steps import step_problems
from engine.validate.unset import unset_names

__all__ = ["Problem", "check", "never_by_itself"]


def check(
    definition: Definition,
    declarations: Declarations,
    known_variables: Collection[str] = (),
    secrets: Collection[str] = (),
    *,
    now: float | None = None,
    zone: str = "UTC",
) -> tuple[Problem, ...]:
    """All problems of a workflow, errors first, in the order of its steps.

    Args:
        definition: The workflow.
        declarations: What services can do.
        known_variables: Names that the community's settings and data have, dotted ones as they are written.
        secrets: Those of them whose values nobody may see.
        now: The present, where it matters whether a time is over.
        zone: The community's time zone.
    """
    places = _places(definition)
    found = [
        *heading_problems(definition),
        *(problem for trigger in definition.triggers for problem in trigger_problems(trigger, definition, now, zone)),
        *(problem for state in all_states(definition.states) for problem in step_problems(state, places, declarations)),
        *wrong_targets(definition, places),
        *wrong_flow(definition, places),
        *unset_names(definition, places, frozenset(known_variables)),
        *exposed_secrets(definition, places, declarations, frozenset(secrets)),
    ]
    unique = dict.fromkeys(found)
    return (
        *(problem for problem in unique if problem.severity == "error"),
        *(problem for problem in unique if problem.severity == "warning"),
    )


def _places(definition: Definition) -> dict[str, str]:
    places = {state.name: f'step "{state.name}"' for state in all_states(definition.states)}
    for number, state in enumerate(definition.states, 1):
        places[state.name] = f'step {number} ("{state.name}")'
    return places
