"""The live executions of a community: some awake in memory, the others asleep in the store.

A run that only waits needs no memory but its id, when it is due and what it listens for; it is fetched when something
comes for it. A run that asked for something, or belongs to another run, stays awake. What is to be done with one that is
asleep is done when it has been fetched, in the order in which it came. It decides nothing about executions.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeAlias

from engine.clock import SleepingClock
from engine.errors import StoreError
from engine.execution import FINAL, Execution
from engine.ports import Sleeper
from engine.tasks import Tasks

log = logging.getLogger(__name__)

AWAKE: Final = 1_024
"""So many runs stay in memory although they only wait."""
AT_ONCE: Final = 512
"""How many are fetched in one go."""
AGAIN: Final = 1.0
"""Seconds until what could not be read is asked for again."""

Use: TypeAlias = Callable[[Execution | None], None]
Asleep: TypeAlias = tuple[str, int, str | None, bool]
"""Workflow, revision, slot, and whether it is `queued` or `scheduled`; equal ones are shared."""


class Roster:
    """Finds live executions by id.

    Args:
        clock: Pauses are slept on it.
        tasks: Owns the work of fetching.
        fetch: Reads executions by their ids; those that are not there are left out.
        most: So many stay awake although they only wait.
    """

    def __init__(
        self,
        clock: SleepingClock,
        tasks: Tasks,
        fetch: Callable[[Sequence[str]], Awaitable[Sequence[Execution]]],
        most: int = AWAKE,
    ) -> None:
        self._most = most
        self._clock = clock
        self._tasks = tasks
        self._fetch = fetch
        self.awake: dict[str, Execution] = {}
        self._asleep: dict[str, Asleep] = {}
        self._shared: dict[Asleep, Asleep] = {}
        self._uses: dict[str, list[Use]] = {}
        self._as_stored: dict[str, Execution] = {}  # those that were woken and have not moved since
        self._fetching = False

    def __len__(self) -> int:
        return len(self.awake) + len(self._asleep)

    def fill(self, awake: Iterable[Execution], sleepers: Iterable[Sleeper]) -> None:
        """Hold these and nothing else; what was to be done with others is forgotten."""
        self.awake = {execution.id: execution for execution in awake}
        self._uses = {}
        self._as_stored = {}
        self._asleep = {}
        for each in sleepers:
            if each.id not in self.awake:
                self._asleep[each.id] = self._share(each.workflow, each.revision, each.slot, each.status)

    def ids(self, workflow: str | None = None) -> list[str]:
        """The ids of all live executions, or of those of a workflow."""
        found = [id for id, run in self.awake.items() if run.status not in FINAL and workflow in (None, run.workflow)]
        found += [id for id, (owner, *_) in self._asleep.items() if workflow in (None, owner)]
        return found

    def census(self) -> Counter[tuple[str, int]]:
        """How many live executions there are, by workflow and revision."""
        found = Counter((run.workflow, run.revision) for run in self.awake.values() if run.status not in FINAL)
        found.update((workflow, revision) for workflow, revision, _, _ in self._asleep.values())
        return found

    def pinned(self) -> Iterator[tuple[str, int]]:
        """The workflows and revisions that live executions need."""
        yield from {(run.workflow, run.revision) for run in self.awake.values()}
        yield from {(workflow, revision) for workflow, revision, _, _ in self._shared}

    def keep(self, execution: Execution) -> bool:
        """Hold an execution in its new form, or let it go once nothing more can come; tells which."""
        self._asleep.pop(execution.id, None)
        if self._as_stored:
            self._as_stored.pop(execution.id, None)
        if execution.status in FINAL and not execution.orphans:
            self.awake.pop(execution.id, None)
            return False
        self.awake[execution.id] = execution
        return True

    def rest(self, execution: Execution) -> None:
        """A form of an execution is in the store now: it may sleep, if it is the latest and only waits."""
        if len(self.awake) <= self._most or self.awake.get(execution.id) is not execution:
            return
        if execution.status not in FINAL and _only_waits(execution):
            del self.awake[execution.id]
            self._as_stored.pop(execution.id, None)
            self._asleep[execution.id] = self._share(
                execution.workflow, execution.revision, execution.slot, execution.status
            )

    def doze(self, id: str) -> None:
        """An execution was woken for nothing: it may sleep again, as the store has it."""
        execution = self.awake.get(id)
        if execution is not None and self._as_stored.get(id) is execution:
            self.rest(execution)

    def is_asleep(self, id: str) -> bool:
        """Whether an execution has to be fetched first."""
        return id in self._asleep

    def use(self, id: str, use: Use) -> None:
        """Do something with a live execution: now if it is awake and nothing else waits for it, else when it is."""
        if id not in self._asleep and id not in self._uses:
            use(self.awake.get(id))
            return
        self._uses.setdefault(id, []).append(use)
        if not self._fetching:
            self._fetching = True
            self._tasks.start(self._wake_wanted())

    async def wake(self, ids: Iterable[str]) -> None:
        """Return when all of these are awake that are live.

        Raises:
            StoreError: They cannot be read.
        """
        wanted = [id for id in ids if id in self._asleep]
        while wanted:
            for execution in await self._fetch(wanted[:AT_ONCE]):
                self._woken(execution)
            for id in wanted[:AT_ONCE]:
                self._asleep.pop(id, None)  # whatever is not there is not live
            wanted = [id for id in wanted[AT_ONCE:] if id in self._asleep]

    async def _wake_wanted(self) -> None:
        """Fetch whatever something waits for, until nothing does."""
        try:
            while self._uses:
                some = list(islice(self._uses, AT_ONCE))
                try:
                    found = await self._fetch([id for id in some if id in self._asleep])
                except StoreError as error:
                    log.error("runs that are due cannot be read: %s", error)
                    await self._clock.sleep_until(self._clock.now() + AGAIN)
                    continue
                for execution in found:
                    self._woken(execution)
                for id in some:
                    self._asleep.pop(id, None)  # whatever is not there is not live
                    for use in self._uses.pop(id, ()):
                        use(self.awake.get(id))
        finally:
            self._fetching = False

    def _woken(self, execution: Execution) -> None:
        if self._asleep.pop(execution.id, None) is not None and execution.status not in FINAL:
            self.awake[execution.id] = self._as_stored[execution.id] = execution

    def _share(self, workflow: str, revision: int, slot: str | None, status: str) -> Asleep:
        entry = (workflow, revision, slot, status in ("queued", "scheduled"))
        return self._shared.setdefault(entry, entry)


def _only_waits(execution: Execution) -> bool:
    """Whether nothing but time, an event or a person can move it."""
    if execution.parent is not None or execution.orphans:
        return False
    return all(branch.effect is None and branch.child is None for branch in execution.branches)
