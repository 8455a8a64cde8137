"""What happens while the store cannot be written: everything is held back, and nothing that came of an effect is lost.

Of a group whose commit failed nothing happened, so memory is what the store says again: it is mended, and after a pause
everything is taken up from there, as at a start. What effects have come to meanwhile cannot be had a second time; it is
kept here and recorded when the store can be written again. Only what is done in a commit can, a change of the community's
data or an event of a step: it was lost with the commit, so it is done again. If it still cannot, that leads back to the beginning, after a
longer pause. This module commits nothing and knows no execution.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from engine.clock import SleepingClock
from engine.community import Community
from engine.errors import StoreError
from engine.tasks import Tasks
from engine.writer import IN_A_COMMIT, Ended, Group

log = logging.getLogger(__name__)

FIRST_RETRY: Final = 1.0
LONGEST_RETRY: Final = 30.0


class Trouble:
    """Holds everything back while the store cannot be written.

    Attributes:
        held: Whether effects and due times must be held back, and results kept.

    Args:
        communities: Those that are open.
        clock: The pauses are slept on it.
        tasks: Owns the work.
        mend: Makes sure that a community's memory is what the store says.
        record: Puts what came of an effect into a commit.
        take_up: Lets what the store says go on, except for the effects whose ids are given.
        tell: Says a sentence to all communities.
    """

    def __init__(
        self,
        communities: Mapping[str, Community],
        clock: SleepingClock,
        tasks: Tasks,
        mend: Callable[[Community], Awaitable[None]],
        record: Callable[[Ended], None],
        take_up: Callable[[Community, frozenset[str]], None],
        tell: Callable[[str], None],
    ) -> None:
        self._communities = communities
        self._clock = clock
        self._tasks = tasks
        self._mend = mend
        self._record = record
        self._take_up = take_up
        self._tell = tell
        self.held = False
        self._known = False  # people have been told
        self._kept: list[Ended] = []
        self._retry_after = FIRST_RETRY
        self._retrying = False

    def keep(self, ended: Ended) -> None:
        """Record this later."""
        self._kept.append(ended)

    async def failed(self, groups: Sequence[Group], error: StoreError) -> None:
        """Nothing of these groups happened: forget it, hold everything back, and keep the results they recorded."""
        log.error("a commit failed: %s", error)
        self._kept = [
            ended for group in groups for ended in group.ended if ended[0].service not in IN_A_COMMIT
        ] + self._kept
        self.held = True
        for community in self._communities.values():
            community.timers.clear()
            community.stale = True
            try:
                await self._mend(community)
            except StoreError as unreadable:
                log.error(
                    "%s cannot be read either: %s", community.name, unreadable, extra={"community": community.name}
                )
        if not self._known:
            self._known = True
            self._tell(f"I cannot save anything, so I hold everything back and try again: {error}")
        if not self._retrying:
            self._retrying = True
            self._tasks.start(self._retry())

    def saved(self) -> None:
        """A commit has returned, so the store can be written."""
        if not self._known:
            return
        self._known = False
        self._retry_after = FIRST_RETRY
        self._tell("I can save again, and go on.")
        if self.held and not any(community.stale for community in self._communities.values()):
            self._go_on()

    async def _retry(self) -> None:
        """After a pause, take everything up again; if the store still cannot be written, that leads back here."""
        due = self._clock.now() + self._retry_after
        self._retry_after = min(2 * self._retry_after, LONGEST_RETRY)
        while self._clock.now() < due and self.held:
            await self._clock.sleep_until(due)
        self._retrying = False
        if not self.held:
            return
        try:
            for community in self._communities.values():
                await self._mend(community)
        except StoreError as error:
            await self.failed((), error)
        else:
            self._go_on()

    def _go_on(self) -> None:
        """Take up what was held back."""
        self.held = False
        kept, self._kept = self._kept, []
        for ended in kept:
            self._record(ended)
        known = frozenset(effect.id for effect, _ in kept)
        for community in self._communities.values():
            self._take_up(community, known)
