"""The smallest parts of what is said: JSON, numbers, durations, conditions. Each is read back to exactly the same value."""

import json
from decimal import Decimal

from engine.expressions import format_formula, quote
from engine.formulas import Formula


def say_json(value: object) -> str:
    """A value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


def say_number(value: float) -> str:
    """A number in digits, never with an exponent."""
    return str(value) if isinstance(value, int) else f"{Decimal(repr(value)):f}"


def say_duration(seconds: float | str) -> str:
    """`1 hour 5 minutes`, `90.5 seconds`; a text from a variable in quotes."""
    if isinstance(seconds, str):
        return quote(seconds)
    if not float(seconds).is_integer():
        return f"{say_number(seconds)} seconds"
    rest = int(seconds)
    parts: list[str] = []
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}" if count == 1 else f"{count} {unit}s")
    return " ".join(parts) or "0 seconds"


def say_formula(formula: Formula) -> str:
    """A condition in parentheses."""
    return f"({format_formula(formula)})"
