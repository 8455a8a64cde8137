"""The way to OBS for whoever acts on it: the connection of the moment, and what it tells while one waits for something."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeAlias

from bot.obs.connection import ANSWER_WITHIN, Connection, Data
from bot.obs.errors import Lost, Unavailable

Heard: TypeAlias = tuple[str, Data]
_MOST_HEARD: Final = 1_000


class Watch:
    """What OBS has told since somebody began to look, in order."""

    def __init__(self, kinds: frozenset[str]) -> None:
        self.kinds = kinds
        self._queue: asyncio.Queue[Heard | None] = asyncio.Queue(_MOST_HEARD)

    def put(self, heard: Heard | None) -> None:
        """Take one in; None is the end of the connection."""
        with suppress(asyncio.QueueFull):
            self._queue.put_nowait(heard)

    async def next(self, seconds: float) -> Data | None:
        """The next thing told; None if nothing is within so many seconds.

        Raises:
            Lost: The connection ended.
        """
        try:
            async with asyncio.timeout(seconds):
                heard = await self._queue.get()
        except TimeoutError:
            return None
        if heard is None:
            raise Lost
        return heard[1]


class Link:
    """Where the connection of the moment is found."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._came = asyncio.Event()
        self._watches: set[Watch] = set()
        self._locks: dict[str, asyncio.Lock] = {}

    def opened(self, connection: Connection) -> None:
        """There is a connection."""
        self._connection = connection
        self._came.set()

    def closed(self) -> None:
        """There is none any more."""
        self._connection = None
        self._came.clear()
        for watch in self._watches:
            watch.put(None)

    def heard(self, kind: str, data: Data) -> None:
        """OBS told something."""
        for watch in self._watches:
            if kind in watch.kinds:
                watch.put((kind, data))

    async def connected(self, within: float) -> bool:
        """Whether there is a connection, waited for so many seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._came.wait()
        return self._came.is_set()

    async def ask(self, request: str, data: Data | None = None, within: float = ANSWER_WITHIN) -> dict[str, Any]:
        """Send a request and return what it is answered with.

        Raises:
            ObsError: It was refused, or nobody knows what became of it; see the types.
        """
        connection = self._connection
        if connection is None:
            raise Unavailable
        try:
            return await connection.ask(request, data, within)
        except Lost:
            if connection is self._connection:  # whoever keeps it up may not have noticed yet
                self.closed()
            raise

    @contextmanager
    def watching(self, *kinds: str) -> Iterator[Watch]:
        """Hear what OBS tells of these kinds from now on."""
        watch = Watch(frozenset(kinds))
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)

    def lock(self, what: str) -> asyncio.Lock:
        """Held by whoever changes one thing that takes its time, such as an output."""
        return self._locks.setdefault(what, asyncio.Lock())
