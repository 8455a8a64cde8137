"""A message of several lines: each line is a step or an edit, except a break inside quotes, which belongs to its text.

Numbers and bullets before lines are for people and are taken off. What a line means is not known here.
"""

import re
from dataclasses import replace
from itertools import pairwise
from typing import Final

from grammar.beginnings import Beginnings
from grammar.layout import Line, sentences
from grammar.words import split

MAX_LINES: Final = 60
_MAX_WORDS: Final = 1_000
_BULLET: Final = re.compile(r"\A(?:\d{1,3}\s*[.):]\s+|[-*•–]\s+)")


def lines_of(message: str, begins: Beginnings) -> tuple[str, ...]:
    """The sentences of a message; the whole of it if that is one line, or more than anybody types.

    Args:
        message: What was typed.
        begins: What lines begin with that belong to others.
    """
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
    written = [message[begin:end].strip("\n") for begin, end in pairwise(edges)]
    first, *rest = [line for line in written if line.strip()]
    lines = [Line.of(number, line) for number, line in enumerate(rest, 2)]
    steps = [replace(line, text=_BULLET.sub("", line.text)) for line in lines]
    return tuple(line.text for line in sentences([Line.of(1, first), *steps], begins))
