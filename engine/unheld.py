"""Chat lines that triggers listened to and did not take, remembered so that somebody can ask why.

They come too often to be recorded, and too often to be put into words each time: a line is kept with what was known at
that moment, and the words are found when they are asked for. It knows no store.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Final

from engine.events import canonical
from engine.people import name_of
from engine.ports import AdmissionRecord
from engine.triggers import Matches

LINES_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One event, and what the triggers of that moment made of it."""

    at: float
    matches: Matches

    def records(self, workflow: str | None = None) -> Iterator[AdmissionRecord]:
        """The refusals of a workflow, or of all, in the order they were made; each is worded when it is taken."""
        event = self.matches.event
        who = name_of(event.payload.get("user"))
        for match in self.matches.unheld(workflow):
            yield AdmissionRecord(
                f"{event.id}:{match.workflow}",
                event.community,
                match.workflow,
                self.at,
                event.id,
                canonical(event.name),
                None,
                match.reason,
                who=who,
            )


class Unheld:
    """The latest lines, and apart from them the latest that were meant for a trigger, so that talk does not drive them out."""

    def __init__(self) -> None:
        self._meant: deque[Line] = deque(maxlen=LINES_KEPT)
        self._others: deque[Line] = deque(maxlen=LINES_KEPT)

    def add(self, line: Line) -> None:
        """Remember a line, in the place of the oldest."""
        if line.matches.listeners:
            (self._meant if line.matches.missed else self._others).append(line)

    def records(self, workflow: str | None = None) -> Iterator[AdmissionRecord]:
        """The refusals of a workflow, or of all, newest line first; each is worded when it is taken."""
        for line in merge(reversed(self._meant), reversed(self._others), key=lambda line: -line.at):
            yield from line.records(workflow)
