"""Something wrong with a workflow, and the known word that was probably meant. It finds no problem itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong.

    Attributes:
        place: Where, in words; empty for the workflow as a whole.
        severity: An error keeps it from running; a warning does not.
        sentence: What is wrong.
        suggestion: What would mend it, if that is known.
        state: The state it is about, if it is about one.
    """

    place: str
    severity: Severity
    sentence: str
    suggestion: str | None = None
    state: str | None = None

    def __str__(self) -> str:
        said = f"{self.place}: {self.sentence}" if self.place else self.sentence
        return f"{said}; {self.suggestion}" if self.suggestion else said


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    by_folded = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def meant(word: str, known: Iterable[str]) -> str | None:
    """The question whether a known word was meant, if one is near."""
    near = nearest(word, known)
    return None if near is None else f'did you mean "{near}"?'
