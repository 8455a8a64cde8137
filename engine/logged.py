"""What a log line says beside its sentence: which run, workflow, community, effect and step it is about.

The names are those of a record's attributes, so no field may be called as `logging` calls one of its own.
"""

from collections.abc import Mapping
from typing import Final

from engine.execution import Effect, Execution

FIELDS: Final = ("execution", "workflow", "community", "effect", "step")
"""In the order in which they are shown."""


def about(subject: Execution | Effect) -> Mapping[str, str]:
    """The `extra` of a log line about a run, or about an action of one."""
    if isinstance(subject, Effect):
        return {
            "execution": subject.execution,
            "workflow": subject.workflow,
            "community": subject.community,
            "effect": subject.id,
            "step": subject.state,
        }
    found = {"execution": subject.id, "workflow": subject.workflow, "community": subject.community}
    if len(subject.branches) == 1:
        found["step"] = subject.branches[0].state
    return found
