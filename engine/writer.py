"""Group commit: one writer, which takes everything that arrived while the last commit was in flight.

What must be committed together is put into one group without an await in between; a group is one transaction. There is
no timer and nothing to tune: alone, a row is committed at once; under load, a commit carries what came meanwhile. The
writer decides nothing about executions; what follows a commit or a failure is the runner's business.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from engine.actions import ENGINE
from engine.data import SERVICE as DATA
from engine.errors import StoreError, StoreUnwritable
from engine.execution import Effect, Execution
from engine.inputs import Ending
from engine.ports import Batch

log = logging.getLogger(__name__)

FULL: Final = 256
"""Rows after which a group takes no more; larger ones stall the event loop without being faster."""

IN_A_COMMIT: Final = frozenset({DATA, ENGINE})
"""Services whose effects are done by committing them."""

Ended: TypeAlias = tuple[Effect, Ending]
"""What came of an effect; it cannot be had a second time."""


@dataclass(slots=True, eq=False)
class Group:
    """One commit in the making.

    Attributes:
        rows: How much is in it, roughly.
        ended: The results it records; if it fails they have to be recorded later.
        finished: The runs that end in it.
        waiters: Who waits for it.
        sealed: Whether it takes no more.
        alone: Whether nothing later was built upon it, so that it may fail by itself.
        then: What to do at once when it is durable.
    """

    batch: Batch = field(default_factory=Batch)
    rows: int = 0
    ended: list[Ended] = field(default_factory=list)
    finished: list[Execution] = field(default_factory=list)
    waiters: list[asyncio.Future[None]] = field(default_factory=list)
    sealed: bool = False
    alone: bool = False
    then: Callable[[], None] | None = None


class Writer:
    """Commits group after group.

    Args:
        commit: The store's.
        committed: Told of every group that is durable now.
        failed: Told of the groups of which nothing happened: the one that failed and those built upon it. It mends what
            memory holds before it returns; no group is committed meanwhile, and those who wait hear of it afterwards.
        rested: Called after every commit, whatever came of it.
    """

    def __init__(
        self,
        commit: Callable[[Batch], Awaitable[None]],
        committed: Callable[[Group], None],
        failed: Callable[[list[Group], StoreError], Awaitable[None]],
        rested: Callable[[], None],
    ) -> None:
        self._commit = commit
        self._committed = committed
        self._failed = failed
        self._rested = rested
        self._groups: deque[Group] = deque()
        self._arrived = asyncio.Event()
        self._closing = False
        self._at_work = False

    def open_group(self, rows: int) -> Group:
        """The group that takes what comes now, so many rows; only for use before the next await."""
        groups = self._groups
        if groups and not groups[-1].sealed:
            group = groups[-1]
        else:
            group = Group()
            groups.append(group)
            self._arrived.set()
        group.rows += rows
        if group.rows >= FULL:
            group.sealed = True
        return group

    def commit_alone(self, batch: Batch, then: Callable[[], None] | None = None) -> "asyncio.Future[None]":
        """Commit a batch in its turn, in a transaction of its own: if it fails, it fails alone; else `then` is called."""
        group = Group(batch, sealed=True, alone=True, then=then)
        self._groups.append(group)
        self._arrived.set()
        return self.done(group)

    def done(self, group: Group) -> "asyncio.Future[None]":
        """A future that ends with the group's commit, or with its StoreError."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        group.waiters.append(future)
        return future

    @property
    def idle(self) -> bool:
        """Nothing to commit and no commit in flight."""
        return not self._groups and not self._at_work

    async def run(self) -> None:
        """Commit until closed and everything is written."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._groups:
                await self._write_next()
            if self._closing:
                return

    def close(self) -> None:
        """Let `run` end once everything is written."""
        self._closing = True
        self._arrived.set()

    async def _write_next(self) -> None:
        # No turn of the loop is taken first: a group that is ready is written while the effects of the last one start.
        self._at_work = True
        group = self._groups.popleft()
        group.sealed = True
        try:
            await self._commit(group.batch)
        except StoreError as error:
            await self._give_up(group, error)
        except Exception as error:
            log.exception("a commit broke")
            await self._give_up(group, StoreUnwritable(f"It could not be saved: {error}"))
        else:
            self._at_work = False
            if group.then is not None:
                group.then()
            _answer(group)
            self._committed(group)
        finally:
            self._at_work = False
            self._rested()

    async def _give_up(self, group: Group, error: StoreError) -> None:
        lost = [group]
        if not group.alone:
            lost += [later for later in self._groups if not later.alone]
            self._groups = deque(later for later in self._groups if later.alone)
            await self._failed(lost, error)
        for each in lost:
            _answer(each, error)


def _answer(group: Group, error: StoreError | None = None) -> None:
    for waiter in group.waiters:
        if waiter.done():
            continue
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)
