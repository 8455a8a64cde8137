"""Whom a message is for: the bot by its prefix, an open question of this asker, or nobody but the chat. Pure.

It reads no instruction. An open question is a `ProposalRecord`; whether it is still open is known before this is asked.
"""

import re
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from bot.message import instruction_in, without_mention
from engine.ports import ProposalRecord

YES: Final = frozenset(
    {"yes", "y", "yeah", "yep", "yup", "yes please", "yes do it", "do it", "confirm", "ja", "si", "oui"}
)
NO: Final = frozenset(
    {"no", "n", "nope", "nah", "no thanks", "no thank you", "cancel", "cancel that", "dont", "don't", "nein", "non"}
)
DROP: Final = frozenset({"never mind", "nevermind", "nvm", "forget it", "forget that"})
_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_NUMBER: Final = re.compile(r"(?:#|no\.? ?|number |option )?(\d{1,3})[.)]?")
_ORDINAL: Final = re.compile(rf"(?:the )?({'|'.join(_ORDINALS)}|last)(?: one)?")


@dataclass(frozen=True, slots=True)
class Addressed:
    """It is for the bot; `text` is what follows the prefix, byte for byte."""

    text: str


@dataclass(frozen=True, slots=True)
class Answering:
    """A plain message that answers the open question."""

    text: str


@dataclass(frozen=True, slots=True)
class Chat:
    """It is for the chat, and for workflows that listen to it."""


Route: TypeAlias = Addressed | Answering | Chat


def route(text: str, question: ProposalRecord | None) -> Route:
    """Whom a message is for, given the question that is open for its author in that place."""
    addressed = instruction_in(text)
    if addressed is not None:
        return Addressed(addressed)
    said = without_mention(text).strip()
    if question is None or not said or said.startswith(("!", "/")):
        return Chat()
    return Answering(said) if _may_answer(said, question) else Chat()


def _may_answer(said: str, question: ProposalRecord) -> bool:
    if question.kind == "confirm":
        return verdict(said) is not None
    options = options_of(question)
    if options:
        return chosen(said, options) is not None or is_dropped(said)
    return True


def options_of(question: ProposalRecord) -> tuple[str, ...]:
    """The numbered answers of a question."""
    detail: Any = question.detail
    options = detail.get("options", ()) if isinstance(detail, dict) else ()
    return tuple(str(option) for option in options)


def verdict(said: str) -> bool | None:
    """Yes or no, where that is all that is said."""
    word = _bare(said)
    if word in YES:
        return True
    return False if word in NO or word in DROP else None


def is_dropped(said: str, *, verbatim: bool = False) -> bool:
    """Whether the asker no longer wants to answer; of a text that is taken as it is, only by words that are none."""
    word = _bare(said)
    return word in DROP or (not verbatim and word in NO)


def chosen(said: str, options: tuple[str, ...]) -> int | None:
    """The place of the option that is meant, from 0: by number, by ordinal, or by its own words."""
    word = _bare(said)
    if number := _NUMBER.fullmatch(word):
        return _within(int(number.group(1)) - 1, options)
    if ordinal := _ORDINAL.fullmatch(word):
        last = ordinal.group(1) == "last"
        return _within(len(options) - 1 if last else _ORDINALS.index(ordinal.group(1)), options)
    return next((place for place, option in enumerate(options) if _bare(option) == word), None)


def _within(place: int, options: tuple[str, ...]) -> int | None:
    return place if 0 <= place < len(options) else None


def _bare(said: str) -> str:
    return " ".join(said.casefold().replace("’", "'").strip(" \t\n.,!?").split())
