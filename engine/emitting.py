"""The engine's own service: it lets events of our own happen, for steps that ask for it.

The event's id is the effect's, so that asked for twice it happens once. Its payload comes from the step; who started the
run stands behind it, unless the payload says who. It knows no execution.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from engine.actions import EMIT, ENGINE
from engine.clock import SleepingClock
from engine.declare import Method
from engine.events import Event
from engine.execution import Done, Effect, Failed, Result


class EmittingService:
    """Performs `emit`.

    Args:
        clock: When it happens.
        post: Lets an event happen; returns when all it leads to at once is durable.
    """

    name: Final = ENGINE
    methods: Sequence[Method] = ()
    simulated: Final = False

    def __init__(self, clock: SleepingClock, post: Callable[[Event], Awaitable[Any]]) -> None:
        self._clock = clock
        self._post = post

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        """Let the event happen."""
        await begin()
        if effect.method != EMIT:
            return Failed("unknown_method", f"the engine cannot do {effect.method}")
        await self._post(emitted(effect, self._clock.now()))
        return Done()

    async def settle(self, effect: Effect) -> Result | None:
        """It may be repeated, so there is nothing to find out."""
        return None


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
