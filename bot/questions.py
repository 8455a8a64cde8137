"""What an open question holds, and what an answer makes of it. Pure."""

from typing import Any, Final

from bot.replies import quoted
from engine.ports import ProposalRecord
from grammar.instruction import Question

_MOST_WORDS_OF_A_NAME: Final = 3


def detail(question: ProposalRecord, key: str) -> Any:
    """One of the things kept with a question."""
    return question.detail.get(key) if isinstance(question.detail, dict) else None


def options_of(question: ProposalRecord) -> tuple[str, ...]:
    """The numbered answers."""
    return tuple(str(option) for option in detail(question, "options") or ())


def hints_of(question: ProposalRecord) -> tuple[str, ...]:
    """What is known beside each numbered answer."""
    return tuple(str(hint) for hint in detail(question, "hints") or ())


def is_verbatim(question: ProposalRecord) -> bool:
    """Whether the answer is a text that is taken as it is."""
    return bool(detail(question, "verbatim"))


def has_missed(question: ProposalRecord) -> bool:
    """Whether an answer did not fit already."""
    return question.kind == "missing" and bool(detail(question, "misses"))


def words_of(question: ProposalRecord) -> str:
    """All that the asker typed to get there."""
    return str(detail(question, "words") or question.instruction)


def left_of(question: ProposalRecord) -> tuple[Question, ...]:
    """What is still to be asked after it."""
    return tuple(
        Question(str(each["text"]), gap=str(each["gap"]), verbatim=True) for each in detail(question, "then") or ()
    )


def focus_then(question: ProposalRecord) -> str | None:
    """The workflow that was talked about when it was asked."""
    focus = detail(question, "focus")
    return focus if isinstance(focus, str) else None


def filled(question: ProposalRecord, said: str) -> tuple[str, ...]:
    """The sentence with the answer in its gap; a text is quoted, unless the asker did that.

    Where it is asked how often, a number will do. Where it is asked which one, the answer may be a name that nobody knows yet: as it does not fit as it is, it is tried in
    quotes.
    """
    in_quotes = question.instruction.replace("{}", quoted(_unquoted(said)), 1)
    if is_verbatim(question):
        return (in_quotes,)
    as_it_is = question.instruction.replace("{}", said, 1)
    if str(detail(question, "text")).startswith("How often") and said.strip().isdigit():
        return (as_it_is, question.instruction.replace("{}", f"{said} times", 1))
    may_be_name = str(detail(question, "text")).startswith("Which ") and len(said.split()) <= _MOST_WORDS_OF_A_NAME
    return (as_it_is, in_quotes) if may_be_name else (as_it_is,)


def _unquoted(said: str) -> str:
    for opening, closing in (('"', '"'), ("“", "”")):
        inner = said[1:-1]
        if len(said) > 2 and said.startswith(opening) and said.endswith(closing):
            return said if opening in inner or closing in inner else inner
    return said
