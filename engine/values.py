"""What values are to people: when two are the same, which comes first, how one prints, what counts as a number.

Texts compare without regard to case, a text that reads as a number compares with numbers as one, and a person stands for
its name. Everything is bounded: integers up to 2^63, texts up to 4,000 characters, nested values by their parts. A value
is data, whatever it looks like: nothing here reads it as a formula or a template, and a secret is never looked into.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, Final, cast

from engine.errors import EvaluationError
from engine.formulas import MAX_INTEGER, MAX_TEXT
from engine.scope import MISSING, not_set
from engine.secrets import Secret
from engine.wording import shortened

MAX_PARTS: Final = 2_000
MAX_SIZE: Final = 64_000
MAX_SHOWN: Final = 40
STRAY: Final = (ArithmeticError, ValueError, TypeError, LookupError, RecursionError, UnicodeError)
"""What Python raises of values stranger than was foreseen; whoever computes with values turns these into words."""


def is_person(value: object) -> bool:
    """Whether a value is somebody: a mapping with a name."""
    return (value.__class__ is dict or isinstance(value, Mapping)) and isinstance(value.get("name"), str)


def plain(value: Any) -> Any:
    """The value as it compares: a person is its name, what is missing is null."""
    if value is None or isinstance(value, (str, int, float)):  # a union of types would be made anew at every call
        return value
    if value is MISSING:
        return None
    if isinstance(value, Mapping):
        name = value.get("name")
        return name if isinstance(name, str) else value
    if isinstance(value, Secret):
        raise EvaluationError(f"{value.name} is a secret and cannot be looked into")
    return value


def text_of(value: Any) -> str:
    """The value as it prints.

    Raises:
        EvaluationError: It is null or a secret, or too long.
    """
    kind = value.__class__  # the frequent kinds first
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(in_bounds(value))
    if kind is dict and isinstance(value.get("name"), str):
        return value["name"]  # type: ignore[no-any-return]
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _digits(value)
    if value is None or value is MISSING:
        raise EvaluationError("there is no value to print")
    if isinstance(value, Secret):
        raise EvaluationError(f"{value.name} is a secret and cannot be put into a text")
    if is_person(value):
        return str(value["name"])
    if isinstance(value, list | tuple):
        return bounded(", ".join(text_of(part) for part in value if part is not None))
    return bounded(json.dumps(value, ensure_ascii=False, default=text_of))


def bounded(text: str) -> str:
    """The text itself.

    Raises:
        EvaluationError: It is longer than a text may be.
    """
    if len(text) > MAX_TEXT:
        raise EvaluationError(f"the text would have {len(text):,} characters, more than the {MAX_TEXT:,} it may have")
    return text


def _digits(value: float) -> str:
    if isinstance(value, int):
        return str(in_bounds(value))
    if not math.isfinite(value):
        raise EvaluationError("a number is too large")
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.12g}"


def in_bounds(value: float) -> int | float:
    """The number itself.

    Raises:
        EvaluationError: It is larger than a number may be.
    """
    if isinstance(value, int):
        if -MAX_INTEGER <= value <= MAX_INTEGER:
            return value
    elif math.isfinite(value):
        return value
    raise EvaluationError("a number is too large")


def is_number(value: object) -> bool:
    """Whether a value is a number; true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number_in(text: str) -> int | float | None:
    """The number that a text reads as, if it does: `5`, `-2.5`, `1,000` is none."""
    stripped = text.strip()
    if not stripped or len(stripped) > 32 or not stripped.isascii() or stripped.strip("+-.0123456789eE"):
        return None
    try:
        value = int(stripped)
    except ValueError:
        try:
            number = float(stripped)
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    return value if -MAX_INTEGER <= value <= MAX_INTEGER else None


def truth(value: Any) -> bool:
    """Whether a value counts as holding: not null, false, 0, empty."""
    return bool(plain(value))


def is_empty(value: Any) -> bool:
    """True for what is missing, null, an empty text and an empty list."""
    if value is None or value is MISSING:
        return True
    return isinstance(value, str | list | tuple | Mapping) and len(value) == 0


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal as people mean it."""
    if left.__class__ is not str:
        left = plain(left)
    if right.__class__ is not str:
        right = plain(right)
    if isinstance(left, str):
        if isinstance(right, str):
            return left == right or left.casefold() == right.casefold()
        if isinstance(right, bool):
            return left.strip().casefold() == ("true" if right else "false")
        return is_number(right) and number_in(left) == right
    if isinstance(right, str):
        return same(right, left)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def ordered(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Both values in a form that can be ordered, or None: numbers as numbers, other texts ignoring case."""
    left, right = plain(left), plain(right)
    first = number_in(left) if isinstance(left, str) else left if is_number(left) else None
    second = number_in(right) if isinstance(right, str) else right if is_number(right) else None
    if first is not None and second is not None:
        return first, second
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold(), right.casefold()
    return None


def shown(value: Any) -> str:
    """A value as a sentence quotes it, shortened."""
    return f'"{shortened(text_of(value), MAX_SHOWN)}"'


def demand_number(value: Any, name: str | None) -> int | float:
    """The value, where only a number will do; `name` is what it is known by.

    Raises:
        EvaluationError: It is none.
    """
    if is_number(value):
        return cast("int | float", value)
    if value is None or value is MISSING:
        raise not_set(name) if name else EvaluationError("there is nothing to calculate with")
    what = f"{name} is" if name else "a value is"
    if isinstance(value, Secret):
        raise EvaluationError(f"{what} a secret, and only numbers can be calculated with")
    raise EvaluationError(f"{what} {shown(value)}, and only numbers can be calculated with")


_SMALL: Final = frozenset({bool, int, float})


def within(value: Any) -> Any:
    """The nested value itself, if it is small enough to be kept: a list in a loop cannot grow without end.

    Raises:
        EvaluationError: It has too many parts, or too much text.
    """
    if value is None or value.__class__ in _SMALL:
        return value
    parts, size, left = 0, 0, [value]
    while left:
        part = left.pop()
        parts += 1
        kind = part.__class__  # every result passes here, so the frequent kinds come first
        if kind is str:
            size += len(part)
        elif kind in _SMALL or part is None:
            pass
        elif kind is dict or isinstance(part, Mapping):
            left.extend(part.values())
            for key in part:
                if isinstance(key, str):
                    size += len(key)
        elif isinstance(part, (list, tuple)):
            left.extend(part)
        elif isinstance(part, str):
            size += len(part)
        if parts > MAX_PARTS or size > MAX_SIZE or len(left) > MAX_PARTS:
            raise EvaluationError(f"a value is too large: {MAX_PARTS:,} parts and {MAX_SIZE:,} characters is the most")
    return value
