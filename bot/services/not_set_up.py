"""A service that is not there: whatever it is asked for fails, and says what a person has to do."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from engine.declare import Declarations, Method
from engine.execution import Effect, Failed, Result


class NotSetUp:
    """Stands where a platform would.

    Args:
        name: The service's.
        declarations: Those of all services.
        sentence: What has to be done before it can do anything.
    """

    simulated: Final = False

    def __init__(self, name: str, declarations: Declarations, sentence: str) -> None:
        self.name = name
        self.methods: Sequence[Method] = tuple(method for method in declarations if method.service == name)
        self._sentence = sentence

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        """Say what has to be done; nothing begins."""
        return Failed("not_set_up", self._sentence)

    async def settle(self, effect: Effect) -> Result | None:
        """Whatever was begun was begun by another one."""
        return None
