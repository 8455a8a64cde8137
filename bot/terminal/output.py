"""What the terminal shows: objects for programs, plain lines for people. It decides nothing and knows no workflow.

What services did and what the bot says unasked arrives here at any time; what a line came to, when that line is done.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.message import Place, Reply
from bot.rendering import terminal
from bot.transcript import Words, as_json, as_line, as_object, printable
from engine.execution import Person
from engine.runner import Attempt

Write = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Entered:
    """What a line came to.

    Attributes:
        note: Something worth telling a person at the prompt, and no reply of the bot.
        leave: Whether to end the chat.
    """

    replies: Sequence[Reply] = ()
    note: str | None = None
    leave: bool = False


class Output(Protocol):
    """Where everything that can be seen goes."""

    happened: asyncio.Event
    """Set when something was shown or kept that nobody asked for with a line."""

    def attempt(self, attempt: Attempt) -> None:
        """A service was asked for something."""
        ...

    def notice(self, sentence: str) -> None:
        """The bot says something unasked."""
        ...

    def begin(self, *, hold: bool) -> None:
        """A line is being handled; `hold` lets its replies be shown before what they set off."""
        ...

    def replied(self, entered: Entered) -> None:
        """The line's replies are there; what they set off may still be going on."""
        ...

    def finish(self, line: str, person: Person, place: Place) -> None:
        """All that came of the line has come."""
        ...

    def between(self) -> None:
        """What has happened since the last line is all there is."""
        ...


class ObjectOutput:
    """One JSON object for each line, and one for what happened between two lines if anything did."""

    def __init__(self, write: Write) -> None:
        self.happened = asyncio.Event()
        self._write = write
        self._attempts: list[Attempt] = []
        self._replies: list[Reply] = []
        self._notices: list[Reply] = []

    def attempt(self, attempt: Attempt) -> None:
        """Keep it for the object."""
        self._attempts.append(attempt)
        self.happened.set()

    def notice(self, sentence: str) -> None:
        """Keep it for the object, after what the line itself was answered, however soon it comes."""
        self._notices.append(Reply("answer", sentence))
        self.happened.set()

    def begin(self, *, hold: bool) -> None:
        """What came before this line gets its own object."""
        self.between()

    def replied(self, entered: Entered) -> None:
        """Keep them for the object."""
        self._replies.extend(entered.replies)

    def finish(self, line: str, person: Person, place: Place) -> None:
        """Write the object."""
        self._object(line, person, place)

    def between(self) -> None:
        """Write an object without a line, if anything happened."""
        if self._attempts or self._notices:
            self._object(None, None, None)

    def _object(self, line: str | None, person: Person | None, place: Place | None) -> None:
        attempts, self._attempts = self._attempts, []
        replies = [*self._replies, *self._notices]
        self._replies, self._notices = [], []
        self.happened.clear()
        self._write(as_json(as_object(line, person, place, replies, attempts)) + "\n")


class PlainOutput:
    """Replies and actions as lines of text, each as soon as it can be shown."""

    def __init__(self, write: Write, words: Words, *, notes: bool, colours: bool = False) -> None:
        self.happened = asyncio.Event()
        self._write = write
        self._words = words
        self._notes = notes
        self._colours = colours
        self._held: list[str] | None = None

    def attempt(self, attempt: Attempt) -> None:
        """Show what was done."""
        self._show(as_line(attempt, self._words))

    def notice(self, sentence: str) -> None:
        """Show it."""
        self._show(printable(sentence))

    def begin(self, *, hold: bool) -> None:
        """Hold actions back until the reply they follow has been shown."""
        self._held = [] if hold else None

    def replied(self, entered: Entered) -> None:
        """Show the replies, then what was held back."""
        held, self._held = self._held or [], None
        for reply in entered.replies:
            self._show(terminal(reply, colours=self._colours))
        for line in held:
            self._show(line)
        if entered.note and self._notes and not held:
            self._show(printable(f"  {entered.note}"))

    def finish(self, line: str, person: Person, place: Place) -> None:
        """Everything has been shown already."""

    def between(self) -> None:
        """Everything has been shown already."""

    def _show(self, line: str) -> None:
        if self._held is None:
            self._write(line + "\n")
        else:
            self._held.append(line)
