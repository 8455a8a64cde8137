"""The closed list of functions that formulas may call, and of filters that placeholders may pass through.

Each is plain Python from values to a value, and refuses in words what it cannot use. Nothing else can be called, from
anywhere. This module knows neither formulas nor scopes: its arguments have been worked out before.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

from engine.errors import EvaluationError
from engine.formulas import FUNCTIONS, MAX_TEXT
from engine.values import bounded, demand_number, in_bounds, is_number, number_in, plain, same, shown, text_of

ARITY: Final[Mapping[str, tuple[int, int]]] = {
    name: (1, 2) if name in {"count", "join", "round"} else (1, 32) if name in {"max", "min", "sum"} else (1, 1)
    for name in FUNCTIONS
}


def arity_problem(name: str, count: int) -> str | None:
    """What is wrong with giving a function that many arguments, if anything is."""
    low, high = ARITY[name]
    return None if low <= count <= high else f"{name} takes {amount(low, high)}, not {count}"


def amount(low: int, high: int) -> str:
    """How many values a function takes, in words."""
    if low == high:
        return f"{low} value" if low == 1 else f"{low} values"
    return f"{low} to {high} values"


def _listed(values: list[Any], name: str) -> Sequence[Any]:
    first = values[0]
    if isinstance(first, list | tuple):
        return first
    if first is None:
        return ()
    raise EvaluationError(f"{name} needs a list, and {shown(first)} is none")


def _numbers(values: list[Any], name: str) -> list[int | float]:
    parts = list(_listed(values, name)) if len(values) == 1 and not is_number(values[0]) else values
    return [demand_number(plain(part), None) for part in parts]


def _count(values: list[Any]) -> int:
    parts = _listed(values, "count")
    return len(parts) if len(values) == 1 else sum(1 for part in parts if same(part, values[1]))


def _end(values: list[Any], index: int) -> Any:
    """The first or last item of a list, or word of a text; null where there is none."""
    value = values[0]
    parts = value.split() if isinstance(value, str) else _listed(values, "first" if index == 0 else "last")
    return parts[index] if parts else None


def _length(values: list[Any]) -> int:
    value = values[0]
    if value is None:
        return 0
    return len(value) if isinstance(value, list | tuple) else len(text_of(value))


def _join(values: list[Any]) -> str:
    separator = text_of(values[1]) if len(values) == 2 and values[1] is not None else ", "
    parts = _listed(values, "join")
    return bounded(separator.join(text_of(part) for part in parts if part is not None))


def _extreme(values: list[Any], pick: Callable[[list[int | float]], int | float], name: str) -> Any:
    numbers = _numbers(values, name)
    return pick(numbers) if numbers else None


def _round(values: list[Any]) -> int | float:
    """Half away from zero, as people round."""
    value = in_bounds(demand_number(values[0], None))
    places = values[1] if len(values) == 2 and values[1] is not None else 0
    if not isinstance(places, int) or isinstance(places, bool) or not 0 <= places <= 12:
        raise EvaluationError("round takes 0 to 12 places")
    if isinstance(value, int):
        return value
    try:
        rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    except InvalidOperation:
        return value  # so large that it has no such places
    return int(rounded) if places == 0 else float(rounded)


def _whole(values: list[Any], to_whole: Callable[[float], int]) -> int | float:
    return in_bounds(to_whole(in_bounds(demand_number(values[0], None))))


def _textual(values: list[Any], change: Callable[[str], str]) -> str | None:
    return None if values[0] is None else bounded(change(text_of(values[0])))


FUNCTION_OF: Final[Mapping[str, Callable[[list[Any]], Any]]] = {
    "abs": lambda values: in_bounds(abs(demand_number(values[0], None))),
    "ceil": lambda values: _whole(values, math.ceil),
    "count": _count,
    "first": lambda values: _end(values, 0),
    "floor": lambda values: _whole(values, math.floor),
    "join": _join,
    "last": lambda values: _end(values, -1),
    "length": _length,
    "lower": lambda values: _textual(values, str.lower),
    "max": lambda values: _extreme(values, max, "max"),
    "min": lambda values: _extreme(values, min, "min"),
    "round": _round,
    "sum": lambda values: in_bounds(sum(_numbers(values, "sum"))),
    "trim": lambda values: _textual(values, str.strip),
    "upper": lambda values: _textual(values, str.upper),
}


def _truncate(value: Any, argument: Any) -> str:
    length = argument if isinstance(argument, int) and not isinstance(argument, bool) else 100
    if not 1 <= length <= MAX_TEXT:
        raise EvaluationError(f"truncate takes 1 to {MAX_TEXT} characters")
    text = text_of(value)
    return text if len(text) <= length else text[: length - 1] + "…"


def _rounded(value: Any, argument: Any) -> int | float:
    number = number_in(value) if isinstance(value, str) else value
    return _round([number if number is not None else value, argument])


FILTER_OF: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "first": lambda value, _: _end([value], 0),
    "join": lambda value, argument: _join([value, argument]),
    "last": lambda value, _: _end([value], -1),
    "length": lambda value, _: _length([value]),
    "lower": lambda value, _: text_of(value).lower(),
    "round": _rounded,
    "title": lambda value, _: text_of(value).title(),
    "trim": lambda value, _: text_of(value).strip(),
    "truncate": _truncate,
    "upper": lambda value, _: text_of(value).upper(),
}
