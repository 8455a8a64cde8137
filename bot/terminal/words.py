"""The language's own words where the terminal needs them: for durations that are typed, and for actions that are shown."""

from typing import Final

from engine.declare import Declarations
from engine.execution import Effect
from engine.model import Call
from engine.secrets import redacted
from grammar.say_steps import say_action
from grammar.scanners import Sentence, duration, mend
from grammar.words import split

_MAX_WORDS: Final = 16
_MAX_SHOWN: Final = 600


def of(effect: Effect, declarations: Declarations) -> str:
    """What was asked of a service, as the step that would ask it; one line, however long its texts."""
    call = Call(service=effect.service, method=effect.method, params=redacted(effect.params))
    said = say_action(call, declarations).replace("\n", " ")
    return said if len(said) <= _MAX_SHOWN else said[: _MAX_SHOWN - 1] + "…"


def seconds(text: str) -> float | None:
    """A duration, or None if it is none; a hyphen, which only parts words, is a minus here and refused."""
    words = split(text, _MAX_WORDS)
    if not words or "-" in text:
        return None
    sentence = Sentence(text, words, mend(words, {}))
    return next((float(value) for value, end in duration(sentence, 0) if end == len(words)), None)
