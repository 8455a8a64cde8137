"""What is wrong with a text or a formula, wherever it stands: a placeholder nobody can read, or a secret.

It knows no workflow, only the words for the place it was found at.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from engine.errors import EvaluationError, ExpressionError
from engine.evaluate import compile_pattern
from engine.expressions import has_placeholder, operands_of, parse_template
from engine.formulas import (
    Call,
    Formula,
    Placeholder,
    TextTest,
)
from engine.formulas import (
    Literal as Constant,
)
from engine.functions import arity_problem
from engine.validate.problem import Problem

_SECRETS: Final = re.compile(
    r"oauth:[a-z0-9]{20,}"
    r"|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    r"|\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"
    r"|/api/webhooks/\d{15,}/[A-Za-z0-9_-]{30,}"
    r"|\b[Bb]earer [A-Za-z0-9._-]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_CONFIDED: Final = re.compile(
    r"\blive_\d{5,}_\w{6,}"
    r"|\b(?:token|passwords?|passwd|pwd|pass ?phrase|api[ _-]?key|(?:client |shared )?secret|(?:stream|private|access|license)[ _-]?key"
    r"|log ?in|pin)\b(?:\s+(?:is|was|are))?\s*[:=]?\s*[\"'`]?(?=\S*\d)[A-Za-z0-9_.!#%+/=-]{4,}",
    re.IGNORECASE,
)
"""Words that tell a secret, followed by something with a digit in it."""
MASS_PING: Final = re.compile(r"@(everyone|here)\b")


def text_problems(value: Any, place: str, state: str | None) -> Iterator[Problem]:
    """Problems of every text in a nested value, whoever it is for."""
    for text in strings(value):
        try:
            parse_template(text)
        except ExpressionError as error:
            yield Problem(place, "error", str(error), None, state)
        if _SECRETS.search(text):
            yield Problem(
                place,
                "error",
                "a text looks like a secret, and everybody would see it",
                "keep it in the settings",
                state,
            )
        elif _CONFIDED.search(text):
            sentence = "a text tells what looks like a secret, and everybody would see it"
            yield Problem(place, "warning", sentence, "keep it in the settings", state, asks=True)


def pings_everybody(value: Any) -> bool:
    """Whether a text in a nested value calls all people at once."""
    return any(MASS_PING.search(text) for text in strings(value))


def placeholders(values: Iterable[Any]) -> Iterator[Placeholder]:
    """Every placeholder in nested values; texts that cannot be read have none."""
    for text in (text for value in values for text in strings(value) if has_placeholder(text)):
        with suppress(ExpressionError):
            yield from (part for part in parse_template(text).parts if isinstance(part, Placeholder))


def strings(value: Any) -> Iterator[str]:
    """Every text in a nested value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from strings(part)


def formula_problems(formula: Formula, place: str, state: str | None) -> Iterator[Problem]:
    """Problems of a formula that could be read: calls with too many values, patterns that are none."""
    for part in _parts(formula):
        if isinstance(part, Call):
            problem = arity_problem(part.function, len(part.arguments))
            if problem is not None:
                yield Problem(place, "error", problem, None, state)
        elif isinstance(part, TextTest) and part.operator == "matches" and isinstance(part.right, Constant):
            try:
                compile_pattern(str(part.right.value))
            except EvaluationError as error:
                yield Problem(place, "error", error.reason, None, state)


def _parts(formula: Formula) -> Iterator[Formula]:
    left = [formula]
    while left:
        part = left.pop()
        yield part
        left.extend(operands_of(part))
