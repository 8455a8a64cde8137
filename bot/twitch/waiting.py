"""Lines that wait for their turn. Whoever asks for the same words meanwhile has them said with those that wait already.

So of fifty people who type the same command at once, one answer reaches the chat, and fifty steps know it. It says nothing
itself, and does not know when a turn comes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from engine.execution import Result

Begin: TypeAlias = Callable[[], Awaitable[None]]
Words: TypeAlias = tuple[str, str | None]
"""A text, and the id of the message that it answers."""


@dataclass(slots=True, eq=False)
class Asker:
    """One for whom a line is said.

    Attributes:
        effect: Id of the effect that this is.
        begin: Awaited right before the line is handed over.
        refused: Why it could not begin.
    """

    effect: str | None
    begin: Begin
    refused: Exception | None = None


@dataclass(slots=True, eq=False)
class Line:
    """Something to be said.

    Attributes:
        asked_at: When it was asked for last.
        askers: The one who says it, and those who joined.
        outcome: What came of it; None if the one who was to say it does not.
    """

    words: Words
    asked_at: float
    askers: list[Asker]
    outcome: "asyncio.Future[Result | None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def effects(self) -> tuple[str, ...]:
        """The effects that it is."""
        return tuple(asker.effect for asker in self.askers if asker.effect is not None and asker.refused is None)

    async def begin(self) -> None:
        """Begin for everybody. Only the trouble of the one who says it is the line's; others are left out and hear of theirs."""
        first, *others = self.askers
        for asker in others:
            try:
                await asker.begin()
            except Exception as error:  # noqa: BLE001  it is raised where that one waits
                asker.refused = error
        await first.begin()


class Waiting:
    """The lines that others can still join."""

    def __init__(self) -> None:
        self._lines: dict[Words, Line] = {}

    async def joined(self, words: Words, asker: Asker, now: float) -> Result | None:
        """What came of a line with these words that waited; None if there is none."""
        while (line := self._lines.get(words)) is not None:
            line.askers.append(asker)
            line.asked_at = now
            outcome = await asyncio.shield(line.outcome)
            if asker.refused is not None:
                raise asker.refused
            if outcome is not None:
                return outcome
        return None

    @contextmanager
    def line(self, words: Words, asker: Asker, now: float) -> Iterator[Line]:
        """A new line, which waits from now on; whoever joined it is told in the end what came of it."""
        line = self._lines[words] = Line(words, now, [asker])
        try:
            yield line
        finally:
            self.close(line)
            if not line.outcome.done():
                line.outcome.set_result(None)

    def close(self, line: Line) -> None:
        """Its turn has come: whoever asks for the same words from now on gets a line of their own."""
        if self._lines.get(line.words) is line:
            del self._lines[line.words]
