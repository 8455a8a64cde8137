"""A message of several lines: each line is a step or an edit, except a break inside quotes, which belongs to its text.

Numbers and bullets before lines are for people and are taken off. What a line means is not known here.
"""

import re
from itertools import pairwise
from typing import Final

from grammar.words import split

MAX_LINES: Final = 60
_MAX_WORDS: Final = 1_000
_BULLET: Final = re.compile(r"\s*(?:\d{1,3}\s*[.):]\s+|[-*•–]\s+)?")


def lines_of(message: str) -> tuple[str, ...]:
    """The lines with something in them; the whole message if there is but one, or more than anybody types."""
    if "\n" not in message:
        return (message,)
    breaks: list[int] = []
    end = 0
    for word in split(message, _MAX_WORDS):
        between = message.find("\n", end, word.start)
        if between >= 0:
            breaks.append(between)
        end = word.end
    if not breaks or len(breaks) >= MAX_LINES:
        return (message,)
    edges = [0, *breaks, len(message)]
    lines = [message[begin:end].strip() for begin, end in pairwise(edges)]
    first, *rest = [line for line in lines if line]
    return (first, *(bare for line in rest if (bare := line[_length_of_bullet(line) :])))


def _length_of_bullet(line: str) -> int:
    match = _BULLET.match(line)
    return match.end() if match is not None else 0
