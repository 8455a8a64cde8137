"""The service `obs`: does what workflows ask for, waits until OBS's state says so, and says honestly what became of it.

What is asked while OBS is closed fails soon, and may be tried again. Of what was under way when the connection was lost the
state is read once OBS is back: it is done, it is not, or nobody knows. Nothing that must not happen twice is sent twice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from bot.obs.asked import Asked
from bot.obs.deeds import DEEDS, Deed
from bot.obs.errors import NotSeen, ObsError, Unavailable
from bot.obs.link import Link
from bot.obs.options import Options
from bot.snapshots import Snapshots
from engine.declare import Declarations, Method
from engine.execution import Done, Effect, Failed, Result, Unknown

log = logging.getLogger(__name__)

NAME: Final = "obs"
PATIENCE: Final = 5.0
"""Seconds an effect waits for OBS: after a start of the bot, or a short loss. A closed one stays closed."""
BACK_WITHIN: Final = 20.0
"""Seconds to wait for an OBS that was lost while something was under way."""
SEEN_WITHIN: Final = 3.0
_LOOK_EVERY: Final = 0.05
_AGAIN_AFTER: Final = 0.5


class ObsService:
    """Performs the declared methods of OBS.

    Args:
        declarations: Where its methods are declared.
        link: The way to OBS.
        options: How it may be used, as set now.
        snapshots: Where pictures are kept.
        patience: Seconds an effect waits for OBS.
        back_within: Seconds to wait for an OBS that was lost.
        seen_within: Seconds in which its state has to become what was asked for.
    """

    name: Final = NAME
    simulated: Final = False

    def __init__(
        self,
        declarations: Declarations,
        link: Link,
        options: Callable[[], Options],
        snapshots: Snapshots,
        *,
        patience: float = PATIENCE,
        back_within: float = BACK_WITHIN,
        seen_within: float = SEEN_WITHIN,
    ) -> None:
        self.methods: Sequence[Method] = tuple(method for method in declarations if method.service == NAME)
        self._declarations = declarations
        self._link = link
        self._options = options
        self._snapshots = snapshots
        self._patience = patience
        self._back_within = back_within
        self._seen_within = seen_within

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        """Do it, and see that it is done."""
        found = self._deed(effect)
        if found is None:
            return Failed("unknown_method", f"OBS cannot do {effect.method}")
        if not await self._link.connected(self._patience):
            return Unavailable().failed
        method, deed = found
        asked = self._asked(effect, begin)
        try:
            await deed.do(asked)
            await _seen(deed, asked, self._seen_within)
        except ObsError as error:
            log.warning("%s came to %s", effect.id, error)
            if asked.begun and not error.certain:
                return await self._after_silence(method, deed, asked, error)
            return error.failed
        return Done(asked.output)

    async def settle(self, effect: Effect) -> Result | None:
        """Whether OBS's state is as an effect wanted it that was under way when the bot was stopped."""
        found = self._deed(effect)
        if found is None:
            return None
        asked = self._asked(effect, _nothing)
        return Done(asked.output) if await self._held_later(found[1], asked) else None

    async def _after_silence(self, method: Method, deed: Deed, asked: Asked, error: ObsError) -> Result:
        """The connection was lost, or OBS did not answer in time."""
        held = await self._held_later(deed, asked)
        if held:
            return Done(asked.output)
        if held is False and method.repeatable:
            return Failed("not_done", "OBS was lost before that was done", retryable=True)
        return error.failed if method.repeatable else Unknown(f"nobody knows whether OBS did that: {error}")

    async def _held_later(self, deed: Deed, asked: Asked) -> bool | None:
        """Whether it is as it was wanted, once OBS can be asked again; None if that cannot be told within a while."""
        clock = asyncio.get_running_loop().time
        until, held = clock() + self._back_within, None
        while held is None and deed.holds is not None and (left := until - clock()) > 0:
            if await self._link.connected(left) and (held := await _holds(deed, asked)) is None:
                await asyncio.sleep(_AGAIN_AFTER)
        return held

    def _deed(self, effect: Effect) -> tuple[Method, Deed] | None:
        method = self._declarations.find(NAME, effect.method)
        deed = None if method is None else DEEDS.get(method.name)
        return None if method is None or deed is None else (method, deed)

    def _asked(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Asked:
        return Asked(self._link, effect.params, self._options(), self._snapshots, effect.execution, begin)


async def _seen(deed: Deed, asked: Asked, within: float) -> None:
    """Look until it is as it was wanted; OBS may need some frames for it.

    Raises:
        NotSeen: It does not become so.
    """
    if deed.holds is None:
        return
    clock = asyncio.get_running_loop().time
    until = clock() + within
    while not await deed.holds(asked):
        if clock() >= until:
            raise NotSeen(deed.why_not)
        await asyncio.sleep(_LOOK_EVERY)


async def _holds(deed: Deed, asked: Asked) -> bool | None:
    """Whether it is as it was wanted; None if that cannot be told."""
    if deed.holds is None:
        return None
    try:
        return await deed.holds(asked)
    except ObsError as error:
        log.warning("what became of it could not be seen: %s", error)
        return None


async def _nothing() -> None:
    """Nothing is begun by looking."""
