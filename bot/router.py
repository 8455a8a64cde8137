"""Whom a message is for: the bot by its prefix, an open question of this asker, or nobody but the chat. Pure.

It reads no instruction. An open question is a `ProposalRecord`; whether it is still open is known before this is asked.
"""

from dataclasses import dataclass
from typing import TypeAlias

from bot.answers import chosen, is_dropped, means_all, points_at_one, thoughts, verdict
from bot.message import instruction_in, without_mention
from bot.questions import hints_of, options_of
from engine.ports import ProposalRecord


@dataclass(frozen=True, slots=True)
class Addressed:
    """It is for the bot; `text` is what follows the prefix, byte for byte."""

    text: str


@dataclass(frozen=True, slots=True)
class Answering:
    """A plain message that answers the open question."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """A plain message that begins like a second thought about the open question: an answer, if it makes sense."""

    text: str


@dataclass(frozen=True, slots=True)
class Chat:
    """It is for the chat, and for workflows that listen to it."""


Route: TypeAlias = Addressed | Answering | Thinking | Chat


def route(text: str, question: ProposalRecord | None) -> Route:
    """Whom a message is for, given the question that is open for its author in that place."""
    addressed = instruction_in(text)
    if addressed is not None:
        return Addressed(addressed)
    said = without_mention(text).strip()
    if question is None or not said or said.startswith(("!", "/")):
        return Chat()
    if answers(said, question):
        return Answering(said)
    may_point = bool(options_of(question)) and points_at_one(said)
    if may_point or any(thought.rejects or thought.means for thought in thoughts(said)):
        return Thinking(said)
    return Chat()


def answers(said: str, question: ProposalRecord) -> bool:
    """Whether these words answer the question, as far as words alone tell."""
    if question.kind == "confirm":
        return verdict(said) is not None
    if options := options_of(question):
        alone = len(options) == 1 and verdict(said) is not None
        picks = chosen(said, options, hints_of(question)) is not None or means_all(said, options, hints_of(question))
        return alone or picks or is_dropped(said)
    return True
