"""What is remembered of starts, so that cooldowns and rates hold over restarts: times, each with how many fell into it.

A rate of up to a hundred is exact; of more, starts close together share a mark, so that what is kept stays small.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

Mark: TypeAlias = tuple[float, int]
"""UTC seconds, and how many starts it stands for."""

EXACT: Final = 100


def counted_since(marks: Sequence[Mark], since: float) -> tuple[Mark, ...]:
    """The marks that are younger than that, oldest first."""
    return tuple(mark for mark in marks if mark[0] > since)


def with_another(marks: Sequence[Mark], at: float, window: float) -> tuple[Mark, ...]:
    """The marks with another start."""
    if len(marks) >= EXACT and at - marks[-1][0] < window / EXACT:
        last, count = marks[-1]
        return (*marks[:-1], (last, count + 1))
    return (*marks, (at, 1))
