"""The language's own words where the terminal needs them: for durations that are typed, and for actions that are shown."""

import json
from typing import Final

from engine.execution import Effect
from grammar.scanners import Sentence, duration, mend
from grammar.words import split

_MAX_WORDS: Final = 16


def of(effect: Effect) -> str:
    """An action as a sentence."""
    return " ".join(
        (effect.method, *(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in effect.params.items()))
    )


def seconds(text: str) -> float | None:
    """A duration, or None if it is none; a hyphen, which only parts words, is a minus here and refused."""
    words = split(text, _MAX_WORDS)
    if not words or "-" in text:
        return None
    sentence = Sentence(text, words, mend(words, {}))
    return next((float(value) for value, end in duration(sentence, 0) if end == len(words)), None)
