"""Work that goes on beside the bot as long as it is open, and never takes it down."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar

log = logging.getLogger(__name__)

PROBE_EVERY: Final = 0.25

T = TypeVar("T")


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Let a coroutine run as long as this lasts; if it breaks, that is logged and nothing else happens."""
    task = asyncio.create_task(_kept_alone(work, name), name=name)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        work.close()  # if it was over before it began


async def _kept_alone(work: Coroutine[Any, Any, None], name: str) -> None:
    try:
        await work
    except Exception:
        log.exception("%s broke, and does not go on", name)


async def whole(work: Coroutine[Any, Any, T]) -> T:
    """Let a coroutine end even if whoever waits for it is cancelled meanwhile; then that counts."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def probe_loop(
    late: Callable[[float], None],
    *,
    every: float = PROBE_EVERY,
    ticks: Callable[[], float] | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Tell again and again by how many seconds the event loop comes back too late."""
    now = ticks or asyncio.get_running_loop().time
    while True:
        due = now() + every
        await sleep(every)
        late(now() - due)
