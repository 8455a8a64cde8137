"""Keeps a platform connected: a fresh client for every attempt, longer and longer pauses between them, and few words about it.

Libraries of platforms die in ways of their own, and a client that died cannot be started again. So whoever runs one here
gives an attempt: a coroutine that makes a new client and returns or raises when that has ended. What is decided - how long
to pause, what to tell and when - is a pure function of a `Standing` with time as an argument; `Supervisor` only waits and
tells. One platform's end never reaches another, nor the engine.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

from bot.replies import spoken

log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 120.0
STEADY: Final = 60.0
"""Seconds of being connected after which earlier failures no longer count."""
TOLD_AFTER: Final = 10.0
"""Seconds for which a platform may be gone before anybody is told: most losses are over sooner."""
CLOSE_WITHIN: Final = 10.0


class GivesUp(Exception):
    """No further attempt can help: a person has to do something. The text says what, as a sentence."""


class NotThere(Exception):
    """An attempt has ended for a reason that people understand; the text says it, without a full stop."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a platform stands.

    Attributes:
        name: As people call it.
        since: When it became what it is; None until it was tried for the first time.
        up: Whether it is connected.
        failures: Attempts that ended since it was last steady.
        told: Whether people know that it is gone.
        ever: Whether it was connected since the start.
        why: What ended it last, for people.
    """

    name: str
    since: float | None = None
    up: bool = False
    failures: int = 0
    told: bool = False
    ever: bool = False
    why: str = ""


def came_up(standing: Standing, now: float) -> tuple[Standing, str | None]:
    """It is connected. Tells what people should hear: only who was told that it is gone hears that it is back."""
    if standing.up:
        return standing, None
    gone = 0.0 if standing.since is None else now - standing.since
    said = f"{standing.name} is back after {_roughly(gone)}." if standing.told and standing.ever else None
    said = f"{standing.name} is there." if standing.told and not standing.ever else said
    return replace(standing, up=True, since=now, told=False, ever=True, why=""), said


def went_down(standing: Standing, now: float, why: str) -> Standing:
    """It is not connected, for this reason; nobody is told yet."""
    if not standing.up and standing.since is not None:
        return replace(standing, why=why or standing.why)
    failures = 0 if standing.up and standing.since is not None and now - standing.since >= STEADY else standing.failures
    return replace(standing, up=False, since=now, failures=failures, why=why)


def ended(
    standing: Standing, now: float, why: str, chance: float, longest: float = LONGEST_PAUSE
) -> tuple[Standing, float]:
    """An attempt is over. Tells for how many seconds to pause before the next; `chance` in [0, 1) spreads them."""
    standing = went_down(standing, now, why)
    failures = min(standing.failures + 1, 30)
    pause: float = min(FIRST_PAUSE * 2.0 ** (failures - 1), longest)
    return replace(standing, failures=failures), pause * (0.5 + chance / 2)


def tell_at(standing: Standing) -> float | None:
    """When people are to be told that it is gone; None if there is nothing to tell."""
    return None if standing.up or standing.told or standing.since is None else standing.since + TOLD_AFTER


def gone(standing: Standing, now: float, local: Callable[[float], datetime]) -> tuple[Standing, str | None]:
    """What to tell of it by now, once for each time it is gone."""
    due = tell_at(standing)
    if due is None or now < due or standing.since is None:
        return standing, None
    clock = local(standing.since).strftime("%H:%M")
    what = f"gone since {clock}" if standing.ever else f"not there yet: I have been trying since {clock}"
    why = f" ({standing.why})" if standing.why else ""
    return replace(standing, told=True), f"{standing.name} is {what}{why}. I keep trying; everything else goes on."


def _roughly(seconds: float) -> str:
    """No more than people would say."""
    for unit, below in ((1.0, 120.0), (60.0, 86_400.0)):
        if seconds < below:
            return spoken(max(seconds // unit, 1) * unit)
    return spoken(seconds // 3_600 * 3_600)


class Line:
    """Where an attempt says how its client stands; it may come and go many times within one attempt."""

    def __init__(self, up: Callable[[], None], down: Callable[[str], None]) -> None:
        self.up = up
        self.down = down


Attempt: TypeAlias = Callable[[Line], Awaitable[None]]
"""Makes a client, says over the line how it stands, and returns or raises when it is over. Cancelled, it closes the client."""


class Supervisor:
    """Runs one platform until it is closed or gives up.

    Args:
        name: The platform, as people call it.
        attempt: See `Attempt`.
        now: UTC seconds.
        local: A moment on the community's clock.
        notice: Told what people should know.
        chance: Draws numbers in [0, 1).
        sleep: Waits; another one in tests.
        longest: Seconds of the longest pause between two attempts.
    """

    def __init__(
        self,
        name: str,
        attempt: Attempt,
        *,
        now: Callable[[], float],
        local: Callable[[float], datetime],
        notice: Callable[[str], None],
        chance: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        longest: float = LONGEST_PAUSE,
    ) -> None:
        self.standing = Standing(name)
        self._attempt = attempt
        self._now = now
        self._local = local
        self._notice = notice
        self._chance = chance
        self._sleep = sleep
        self._longest = longest
        self._changed = asyncio.Event()
        self.told_also: Callable[[str], None] = lambda _: None
        """Told, too, that it is gone or off once it has been there, and that it is back."""

    def _say(self, sentence: str, *, ever: bool) -> None:
        self._notice(sentence)
        if ever:
            self.told_also(sentence)

    async def run(self) -> None:
        """Attempt again and again. Ends when an attempt gives up; a broken one is only an attempt that ended."""
        self.standing = went_down(self.standing, self._now(), "")
        telling = asyncio.create_task(self._tell(), name=f"telling of {self.standing.name}")
        try:
            while True:
                why = await self._once()
                self.standing, pause = ended(self.standing, self._now(), why, self._chance(), self._longest)
                self._changed.set()
                await self._sleep(pause)
        except GivesUp as error:
            self.standing = replace(self.standing, up=False, why=str(error))
            self._notice(f"{self.standing.name} stays off until that is mended: {error} Everything else goes on.")
            if self.standing.ever:
                self.told_also(f"{self.standing.name} stays off until something is mended. Everything else goes on.")
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling

    async def _once(self) -> str:
        try:
            await self._attempt(Line(self._up, self._down))
        except GivesUp:
            raise
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancels us: a library has cancelled what it waited for itself, and must not end this for good.
            log.warning("%s cancelled itself", self.standing.name, exc_info=error)
            return "its client broke"
        except NotThere as error:
            log.info("%s ended: %s", self.standing.name, error)
            return str(error)
        except Exception as error:
            log.warning("%s ended", self.standing.name, exc_info=error)
            return _in_words(error)
        log.info("%s ended by itself", self.standing.name)
        return "the connection ended"

    def _up(self) -> None:
        ever = self.standing.ever
        self.standing, said = came_up(self.standing, self._now())
        self._changed.set()
        if said is not None:
            self._say(said, ever=ever)

    def _down(self, why: str) -> None:
        self.standing = went_down(self.standing, self._now(), why)
        self._changed.set()

    async def _tell(self) -> None:
        while True:
            self.standing, said = gone(self.standing, self._now(), self._local)
            if said is not None:
                self._say(said, ever=self.standing.ever)
            due = tell_at(self.standing)
            self._changed.clear()
            # Not `wait_for`: up to Python 3.11 it loses a cancel that comes together with what it waits for.
            with suppress(TimeoutError):
                async with asyncio.timeout(None if due is None else max(due - self._now(), 0.01)):
                    await self._changed.wait()


def _in_words(error: Exception) -> str:
    """A reason fit for people. The text of a library's error may hold a token, so only its kind is told."""
    if isinstance(error, OSError | TimeoutError):
        return "it cannot be reached"
    return f"its client broke: {type(error).__name__}"


@asynccontextmanager
async def supervised(supervisors: Sequence[Supervisor], *, within: float = CLOSE_WITHIN) -> AsyncIterator[None]:
    """Run platforms side by side as long as this lasts, then close them side by side, waiting no longer than so many seconds."""
    tasks = {asyncio.create_task(each.run(), name=each.standing.name) for each in supervisors}
    for task in tasks:
        task.add_done_callback(_log_end)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within)
            for task in late:
                log.error("%s could not be closed within %g seconds", task.get_name(), within)


def _log_end(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("the supervisor of %s broke", task.get_name(), exc_info=task.exception())
