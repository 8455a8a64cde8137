"""What a guard cannot hold without, read off its syntax: so that most guards need not be worked out for most events.

A need is about one name and one text or range written out: `command == "!lurk"`, `message contains "gg"`, `data.deaths >
5`. Where no need of a guard is met it is false, or cannot be worked out; where one is, the guard itself still decides. It
reads formulas and knows no event, no scope and no index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, TypeAlias
from typing import Literal as OneOf

from engine.formulas import (
    And,
    Between,
    Compare,
    CompareOperator,
    Formula,
    IsEmpty,
    IsOneOf,
    Literal,
    Or,
    TextTest,
    Variable,
)

MAX_WAYS: Final = 64
"""A guard with more ways to hold than this is cheaper to work out than to look for."""
MAX_PARTS: Final = 3

Test: TypeAlias = OneOf["is", "contains", "starts with", "ends with", "matches"]


@dataclass(frozen=True, slots=True)
class TextNeed:
    """The value of a name has to pass a test with a text."""

    path: str
    test: Test
    text: str


@dataclass(frozen=True, slots=True)
class RangeNeed:
    """The value of a name has to be, or read as, a number from `low` to `high`."""

    path: str
    low: float
    high: float


Need: TypeAlias = TextNeed | RangeNeed
Ways: TypeAlias = tuple[Need, ...]
"""One of these is met; none can be."""


def needs(guard: Formula | None) -> tuple[Ways, ...]:
    """What is met wherever a guard holds, the rarest first: all of these, each in one of its ways. () if nothing is known.

    A conjunction needs what each of its parts needs; if one of them is rare enough by itself, that is all that is said.
    Of each part of a disjunction the rarest need counts.
    """
    match guard:
        case Literal(None | False | 0 | ""):
            return ((),)
        case Compare(operator, Variable(path), Literal(value)):
            return _compared(operator, path, value)
        case Compare(operator, Literal(value), Variable(path)):
            return _compared(_TURNED[operator], path, value)
        case TextTest(test, Variable(path), Literal(str(text))) if text or test == "matches":
            return ((TextNeed(path, test, text),),)
        case IsOneOf(Variable() as operand, options):
            return _any([needs(Compare("==", operand, option)) for option in options])
        case Between(Variable(path), Literal(int() | float() as low), Literal(int() | float() as high)):
            return () if isinstance(low, bool) or isinstance(high, bool) else ((RangeNeed(path, low, high),),)
        case And(operands):
            found = sorted({ways: None for part in operands for ways in needs(part)}, key=_cost)
            return tuple(found[:1] if found and _cost(found[0]) < _RARE else found[:MAX_PARTS])
        case Or(operands):
            return _any([needs(part) for part in operands])
        case _:
            return ()


def cheapest_first(guard: Formula) -> Formula:
    """The same guard with the parts of its conjunction in the order of what they cost.

    It holds wherever the other does. Only why it does not may differ: a part that cannot be worked out may come later.
    """
    if not isinstance(guard, And):
        return guard
    return And(tuple(sorted(map(cheapest_first, guard.operands), key=_effort)))


def _effort(part: Formula) -> int:
    match part:
        case Compare(_, Variable() | Literal(), Variable() | Literal()) | Variable() | Literal():
            return 0
        case TextTest(_, Variable(), Literal()) | Between(Variable(), Literal(), Literal()) | IsEmpty(Variable()):
            return 1
        case _:
            return 2


_TURNED: Final[dict[CompareOperator, CompareOperator]] = {
    "==": "==",
    "!=": "!=",
    "<": ">",
    "<=": ">=",
    ">": "<",
    ">=": "<=",
}


def _compared(operator: CompareOperator, path: str, value: object) -> tuple[Ways, ...]:
    if isinstance(value, str):
        return ((TextNeed(path, "is", value),),) if operator == "==" else ()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ()
    match operator:
        case "==":
            return ((RangeNeed(path, value, value),),)
        case "<" | "<=":  # the guard sees to the ends
            return ((RangeNeed(path, -inf, value),),)
        case ">" | ">=":
            return ((RangeNeed(path, value, inf),),)
        case "!=":
            return ()


def _any(parts: Sequence[tuple[Ways, ...]]) -> tuple[Ways, ...]:
    if not all(parts):
        return ()
    ways = tuple({need: None for part in parts for need in part[0]})
    return (ways,) if len(ways) <= MAX_WAYS else ()


def _cost(ways: Ways) -> tuple[int, int, int]:
    """Less for what is met more rarely, as far as one can tell without knowing what happens."""
    texts = [need.text for need in ways if isinstance(need, TextNeed)]
    return max(map(_rank, ways), default=-1), len(ways), -min(map(len, texts), default=0)


_RARE: Final = (2,)


def _rank(need: Need) -> int:
    if isinstance(need, RangeNeed):
        return 3
    return {"is": 0, "starts with": 1}.get(need.test, 2)
