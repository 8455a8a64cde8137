"""What the bot answers, made fit for Discord: which text, as a card or plain, with which buttons. Pure.

What people could type to the bot stands there as code, the rest as it is written. A text that is too long is cut between
steps, without marks, and one that needs too many messages is a file.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot import rendering
from bot.message import Reply
from bot.questions import options_of
from bot.rendering import harmless
from bot.replies import LIMITS, clipped, pieces
from engine.ports import ChangeRecord, ProposalRecord

LIMIT: Final = LIMITS["discord"]
MOST_PARTS: Final = 3
CARD_LIMIT: Final = 4_096
MOST_CHOICES: Final = 25
LONGEST_LABEL: Final = 100
_SHORT: Final = 120
"""An answer of so many characters and one line needs no card."""
COLOURS: Final = {"done": 0x3BA55D, "question": 0xFAA81A, "refusal": 0xED4245, "answer": 0x5865F2}


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press; `deed` is what the press means for the question or change of that id."""

    deed: str
    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Menu:
    """Something to choose from; the question has that id, the labels are its numbered answers."""

    id: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture, and what it shows in words."""

    name: str
    content: bytes
    words: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message.

    Attributes:
        text: What stands in it; of a card, what stands on it.
        title: Of the card; None = a plain message.
        colour: Of the card's edge.
        footer: Of the card.
        controls: Under it.
        file: Name and content of a file that goes with it.
        image: Shown with it.
    """

    text: str
    title: str | None = None
    colour: int = 0
    footer: str = ""
    controls: tuple[Button | Menu, ...] = ()
    file: tuple[str, str] | None = None
    image: Image | None = None


def outgoing(
    replies: Sequence[Reply], controls: tuple[Button | Menu, ...] = (), image: Image | None = None
) -> list[Outgoing]:
    """Replies as messages; the image is with the first one, the controls are under the last one.

    What shows only a part of an answer has all of it as a file, once.
    """
    found: list[Outgoing] = []
    for whole, some in itertools.groupby(replies, key=lambda reply: reply.whole):
        found += [each for reply in some for each in _messages(reply)]
        if whole is not None and found and found[-1].file is None:
            found[-1] = replace(found[-1], file=whole)
    if found and image is not None:
        found[0] = replace(found[0], image=image)
    if found and controls:
        found[-1] = replace(found[-1], controls=controls)
    return found


def _messages(reply: Reply) -> list[Outgoing]:
    shown = rendering.discord(reply)
    if reply.file is not None:
        return [Outgoing(shown if len(shown) <= LIMIT else clipped(harmless(reply.text), LIMIT), file=reply.file)]
    if _is_card(reply) and len(shown) <= CARD_LIMIT:
        footer = f"version {reply.revision}" if reply.revision else ""
        return [Outgoing(shown, reply.workflow or "", COLOURS[reply.kind], footer)]
    parts = [shown] if len(shown) <= LIMIT else parted(reply.text)
    if len(parts) <= MOST_PARTS:
        return [Outgoing(part) for part in parts]
    beginning = clipped(harmless(clipped(reply.text, LIMIT // 4)), LIMIT)
    return [Outgoing(beginning, file=(f"{reply.workflow or 'answer'}.txt", reply.text))]


def _is_card(reply: Reply) -> bool:
    return reply.kind == "answer" and reply.workflow is not None and ("\n" in reply.text or len(reply.text) > _SHORT)


def parted(text: str, limit: int = LIMIT) -> list[str]:
    """A text as it is shown, cut between steps into as few messages as it needs."""
    parts: list[str] = []
    current = ""
    for piece in itertools.chain.from_iterable(_small(whole, limit) for whole in pieces(text)):
        if current and len(current) + len(piece.rstrip()) > limit:
            parts.append(current.rstrip())
            current = ""
        current += piece
    return [*parts, current.rstrip()] if current.strip() else parts or [harmless(text)]


def _small(piece: str, limit: int) -> list[str]:
    """A piece as it is shown; one that is too long by itself is cut where it must be."""
    shown = harmless(piece)
    if len(shown) <= limit:
        return [shown]
    half = len(piece) // 2
    return [*_small(piece[:half], limit), *_small(piece[half:], limit)]


# Controls ----------------------------------------------------------------------------------------------------------------


def of_question(question: ProposalRecord) -> tuple[Button | Menu, ...]:
    """What can be pressed in the place of typing an answer."""
    if question.kind == "confirm":
        return (Button("yes", question.id, "Yes"), Button("no", question.id, "No"))
    options = options_of(question)
    never_mind = Button("no", question.id, "Never mind")
    if 0 < len(options) <= MOST_CHOICES:
        return (Menu(question.id, tuple(clipped(option, LONGEST_LABEL) for option in options)), never_mind)
    return (never_mind,) if options else (Button("say", question.id, "Answer"), never_mind)


def is_in_words(question: ProposalRecord) -> bool:
    """Whether the answer is words of the asker's own."""
    return question.kind == "missing" and not options_of(question)


def of_change(change: ChangeRecord) -> tuple[Button, ...]:
    """What can be pressed after a change."""
    return (Button("undo", change.id, "Redo" if change.kind == "undo" else "Undo"),)
