"""What is wrong with a workflow, or looks wrong: each problem with its place, in one sentence, with what would mend it.

An error means that it cannot run as it is written, or must not; a warning means that somebody should look. It judges a
definition against the declarations of services and the table of events, and changes nothing. It runs nothing.
"""

from collections.abc import Collection, Mapping

from engine.declare import Declarations
from engine.model import Definition, all_states
from engine.validate.controls import control_problems
from engine.validate.echoes import self_starting
from engine.validate.exposed import exposed_secrets
from engine.validate.graph import unreachable, wrong_targets
from engine.validate.heading import heading_problems, never_by_itself, trigger_problems
from engine.validate.permits import missing_scopes, overreached, unheard_events
from engine.validate.problem import Problem, places_of
from engine.validate.rounds import endless_loops
from engine.validate.speech import speech_problems
from engine.validate.steps import step_problems
from engine.validate.together import check_together
from engine.validate.unset import unset_names

__all__ = ["Problem", "check", "check_together", "never_by_itself"]


def check(
    definition: Definition,
    declarations: Declarations,
    known_variables: Collection[str] = (),
    secrets: Collection[str] = (),
    *,
    now: float | None = None,
    zone: str = "UTC",
    workflows: Mapping[str, Definition] | None = None,
    scopes: Collection[str] | None = None,
    unheard: Mapping[str, Collection[str]] | None = None,
    roles: Mapping[str, Collection[str]] | None = None,
) -> tuple[Problem, ...]:
    """All problems of a workflow, errors first, in the order of its steps.

    Args:
        definition: The workflow.
        declarations: What services can do.
        known_variables: Names that the community's settings and data have, dotted ones as they are written.
        secrets: Those of them whose values nobody may see.
        now: The present, where it matters whether a time is over.
        zone: The community's time zone.
        workflows: All workflows there are, by id; None if that is not known.
        scopes: What the platforms have granted; None if that is not known.
        unheard: Events that platforms do not tell of, by canonical names, with the scopes that would change that.
        roles: The roles that the author of each step holds, by the step's name; None if that is not known.
    """
    places = places_of(definition)
    found = [
        *heading_problems(definition),
        *(problem for trigger in definition.triggers for problem in trigger_problems(trigger, definition, now, zone)),
        *(problem for state in all_states(definition.states) for problem in step_problems(state, places, declarations)),
        *control_problems(definition, places, workflows),
        *wrong_targets(definition, places),
        *unreachable(definition, places),
        *endless_loops(definition, places),
        *self_starting(definition, places, declarations),
        *unset_names(definition, places, frozenset(known_variables)),
        *speech_problems(definition, places, declarations),
        *exposed_secrets(definition, places, declarations, frozenset(secrets)),
        *missing_scopes(definition, places, declarations, scopes),
        *unheard_events(definition, places, unheard),
        *overreached(definition, places, declarations, roles),
    ]
    unique = dict.fromkeys(found)
    return (
        *(problem for problem in unique if problem.severity == "error"),
        *(problem for problem in unique if problem.severity == "warning"),
    )
