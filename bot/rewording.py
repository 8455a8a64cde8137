"""The port to whoever guesses what was meant where the bot did not understand it. Pure; it guesses nothing itself.

A guess is words and nothing more. They are read as if they had been typed, what they mean is shown in the bot's own words,
and the asker says yes or no; so whoever guesses can do no more than the asker can.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from grammar.instruction import Answer, Import, Instruction, NotYet, Refusal, Several, Understood
from grammar.language import Language
from grammar.workspace import LiveNames, Workspace

MOST_TYPED: Final = 500
"""Whoever types more than fits into a chat message is not guessed at."""
MOST_GUESSES: Final = 3
_LINE: Final = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])?\s*`?(?:!(?:wf|workflow)\s+)?(?P<said>.*?)`?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unread:
    """Words that mean nothing to the bot.

    Attributes:
        text: As typed, without the prefix.
        refusal: What the asker is told if nobody guesses better.
        workflows: The names of those that are there.
        focus: The workflow talked about last, in the bot's words; empty if there is none.
        names: What there is on the stream.
    """

    text: str
    refusal: str
    workflows: tuple[str, ...] = ()
    focus: str = ""
    names: LiveNames = field(default_factory=LiveNames)


class Rewriter(Protocol):
    """Guesses."""

    @property
    def is_on(self) -> bool:
        """Whether it is asked at all."""
        ...

    async def guesses(self, unread: Unread) -> Sequence[str]:
        """Sentences that could say the same, likeliest first; none if nobody knows. It may take long, and raises nothing."""
        ...


def unread(text: str, refused: Refusal, language: Language, workspace: Workspace) -> Unread:
    """What is told to whoever guesses."""
    views = workspace.workflows
    focus = views.get(workspace.focus or "")
    return Unread(
        text.strip(),
        refused.text,
        tuple(view.definition.name for view in views.values()),
        "" if focus is None else language.say_definition(focus.definition),
        workspace.names,
    )


def offered(
    guesses: Sequence[str], language: Language, workspace: Workspace, may: Callable[[Instruction], bool]
) -> list[Instruction]:
    """What guesses mean, of those that mean something without any doubt, and that the asker may do."""
    found = (language.understand(each, workspace, teaching=False) for each in _sentences(guesses))
    understood = (each for each in found if isinstance(each, Understood) and not each.corrections)
    return [each.instruction for each in understood if _is_offered(each.instruction) and may(each.instruction)]


def _sentences(guesses: Sequence[str]) -> tuple[str, ...]:
    """Guesses as they are read: a line each, without the prefix and what lists put before a line."""
    found = (_LINE.match(line) for guess in guesses[:MOST_GUESSES] for line in guess.splitlines()[:1])
    said = (match.group("said") for match in found if match is not None)
    return tuple(dict.fromkeys(each for each in said if 0 < len(each) <= MOST_TYPED))


def _is_offered(instruction: Instruction) -> bool:
    """Whether a guess may come to this: what is typed by nobody is no answer, and carries no file."""
    match instruction:
        case Answer() | Import() | NotYet():
            return False
        case Several(instructions=inner):
            return all(_is_offered(each) for each in inner)
        case _:
            return True
