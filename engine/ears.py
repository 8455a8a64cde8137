"""Who listens for what happens: an index from event, and from the person who counts, to the executions that wait.

It knows ids, not executions, and whether an event fits is not decided here. Those that have listened longest come first.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

Ear: TypeAlias = tuple[str, str | None]
"""Canonical name of an event, and the folded name of the only person who counts, if there is one."""


class Ears:
    """Finds the executions that may want to hear of an event."""

    def __init__(self) -> None:
        self._listening: dict[Ear, dict[str, int]] = {}
        self._ears: dict[str, tuple[Ear, ...]] = {}
        self._order = 0

    def __bool__(self) -> bool:
        return bool(self._ears)

    def listen(self, id: str, ears: Iterable[Ear]) -> None:
        """Let an execution hear of these events and no others; what it listened for before keeps its place."""
        new = tuple(ears)
        old = self._ears.get(id, ())
        if new == old:
            return
        for ear in old:
            if ear not in new:
                self._forget(ear, id)
        for ear in new:
            if ear not in old:
                self._order += 1
                self._listening.setdefault(ear, {})[id] = self._order
        if new:
            self._ears[id] = new
        else:
            self._ears.pop(id, None)

    def of(self, event: str, who: str | None) -> list[str]:
        """The executions that may want to hear of it, those first that have listened longest."""
        found: dict[str, int] = {}
        for ids in self._hearing(event, who):
            for id, order in ids.items():
                found[id] = min(order, found.get(id, order))
        return sorted(found, key=lambda id: found[id]) if found else []

    def clear(self) -> None:
        """Nobody listens."""
        self._listening.clear()
        self._ears.clear()

    def _hearing(self, event: str, who: str | None) -> Iterator[dict[str, int]]:
        if (ids := self._listening.get((event, None))) is not None:
            yield ids
        if who is not None and (ids := self._listening.get((event, who.casefold()))) is not None:
            yield ids

    def _forget(self, ear: Ear, id: str) -> None:
        ids = self._listening[ear]
        ids.pop(id, None)
        if not ids:
            del self._listening[ear]
