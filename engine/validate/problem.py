"""Something wrong with a workflow, where it is, and what would mend it: in a sentence the bot takes, where there is one.

A suggestion that begins with `say: ` is an edit in words: said to the bot about this workflow, it is understood and makes
the change. Others are advice. It finds no problem itself, and reads no sentence.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Literal, TypeAlias

from engine.edits import RemoveSteps, apply
from engine.errors import EditError
from engine.model import Action, Definition, Policy, all_states

Severity: TypeAlias = Literal["error", "warning"]
SAY: Final = "say: "
LONGEST_SENTENCE: Final = 300


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong.

    Attributes:
        place: Where, in words; empty for the workflow as a whole.
        severity: An error keeps it from running; a warning does not.
        sentence: What is wrong.
        suggestion: What would mend it, if that is known.
        state: The state it is about, if it is about one.
        asks: Whether somebody has to say yes to it before it is kept.
    """

    place: str
    severity: Severity
    sentence: str
    suggestion: str | None = None
    state: str | None = None
    asks: bool = False

    def __str__(self) -> str:
        said = f"{self.place}: {self.sentence}" if self.place else self.sentence
        return f"{said}; {self.suggestion}" if self.suggestion else said

    @property
    def said(self) -> str | None:
        """The sentence that mends it, if there is one."""
        if self.suggestion is None or not self.suggestion.startswith(SAY):
            return None
        return self.suggestion.removeprefix(SAY)


@dataclass(frozen=True, slots=True)
class Places:
    """The steps of a workflow in words.

    Attributes:
        where: For people: `step 2 ("say")`.
        words: For sentences: `step 2`, or by its name if it is in a block.
        outermost: The numbers of those that are in no block.
    """

    where: Mapping[str, str]
    words: Mapping[str, str]
    outermost: Mapping[str, int]


def places_of(definition: Definition) -> Places:
    """All steps, nested ones too."""
    numbers = {state.name: number for number, state in enumerate(definition.states, 1)}
    names = [state.name for state in all_states(definition.states)]
    return Places(
        {name: f'step {numbers[name]} ("{name}")' if name in numbers else f'step "{name}"' for name in names},
        {name: f"step {numbers[name]}" if name in numbers else f"step {quoted(name)}" for name in names},
        numbers,
    )


# What would mend it ------------------------------------------------------------------------------------------------------


def say(*edits: str) -> str | None:
    """The suggestion to say these edits; none if that would be too long to be said."""
    words = "; ".join(edits)
    return f"{SAY}{words}" if len(words) <= LONGEST_SENTENCE and words.isprintable() else None


def changed(places: Places, state: str, action: Action, otherwise: str | None = None) -> str | None:
    """The suggestion to let a step do something else; other advice if that cannot be said in short."""
    data = action.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    kinded = data if "kind" in data else {"kind": action.kind, **data}
    return say(f"change {places.words[state]} to do {as_json(kinded)}") or otherwise


def retold(places: Places, state: str, text: str, otherwise: str) -> str:
    """The suggestion to let a step say another text; other advice if that cannot be said in short."""
    return say(f"{places.words[state]} should say {quoted(text)}") or otherwise


def without(definition: Definition, places: Places, state: str, otherwise: str) -> str:
    """The suggestion to take an outermost step out; other advice if that cannot be done."""
    try:
        apply(definition, RemoveSteps((state,)))
    except EditError:
        return otherwise
    return say(f"remove {places.words[state]}") or otherwise


def paced(policy: Policy, seconds: float) -> str:
    """The edit that gives a workflow a cooldown and keeps the rest of its policy."""
    kept = policy.model_dump(mode="json", exclude_defaults=True)
    return f"policy {as_json({**kept, 'cooldown': {'seconds': seconds}})}"


def as_json(value: Any) -> str:
    """JSON on one line, as the language writes it."""
    return json.dumps(value, ensure_ascii=False)


def quoted(text: str) -> str:
    """A text in double quotes, as the language writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    by_folded = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def meant(word: str, known: Iterable[str]) -> str | None:
    """The question whether a known word was meant, if one is near."""
    near = nearest(word, known)
    return None if near is None else f'did you mean "{near}"?'
