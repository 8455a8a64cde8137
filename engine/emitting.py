"""Events that steps let happen.

The event's id is the effect's, so that asked for twice it happens once. Its payload comes from the step; who started the
run stands behind it, unless the payload says who. It knows no execution.
"""

from engine.events import Event
from engine.execution import Effect


def emitted(effect: Effect, at: float) -> Event:
    """The event that a step lets happen."""
    return Event(
        f"emitted/{effect.id}",
        effect.params["event"],
        at,
        effect.community,
        effect.params["payload"],
        depth=effect.params["depth"],
        cause=effect.execution,
        caller=effect.params["caller"],
    )
