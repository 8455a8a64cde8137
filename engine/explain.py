"""Why a guard does not hold, in words: what was seen, and what it needs.

Only for people to read: it works the guard out again, part by part, and is never asked where many events come in. Secrets
are told by their name and long values are shortened.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, assert_never

from engine.errors import EvaluationError
from engine.evaluate import compile_guard
from engine.events import Event, kind_of
from engine.expressions import format_formula
from engine.formulas import (
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Formula,
    IsEmpty,
    IsOneOf,
    Literal,
    Negate,
    Not,
    Or,
    TextTest,
    Variable,
)
from engine.scope import Scope, compile_path
from engine.secrets import redacted
from engine.values import plain
from engine.wording import shortened

MAX_SHOWN: Final = 60


def explain(guard: Formula, event: Event, scope: Scope) -> str:
    """Why a guard does not hold: the values seen, and the part of it that fails.

    Example: `the raid had 3 viewers; it needs viewers > 5`.
    """
    try:
        compile_guard(guard)(scope)
    except EvaluationError as error:
        return f"its condition {_written(guard)} could not be worked out: {error.reason}"
    failing = _failing(guard, scope)
    seen = [_seen(path, event, scope) for path in dict.fromkeys(_paths(failing))]
    needs = f"it needs {_written(failing)}"
    return f"{' and '.join(seen)}; {needs}" if seen else needs


def _failing(guard: Formula, scope: Scope) -> Formula:
    """The first part of a conjunction that does not hold, or all of it."""
    if isinstance(guard, And):
        for part in guard.operands:
            if not _holds(part, scope):
                return _failing(part, scope)
    return guard


def _holds(formula: Formula, scope: Scope) -> bool:
    try:
        return compile_guard(formula)(scope)
    except EvaluationError:
        return False


def _written(formula: Formula) -> str:
    # A field named like a function is written ${count} to be read back; people are told its name.
    return shortened(re.sub(r"\$\{([\w.]+)\}", r"\1", format_formula(formula)), 2 * MAX_SHOWN)


def _seen(path: str, event: Event, scope: Scope) -> str:
    try:
        value = plain(redacted(compile_path(path)(scope)))
    except EvaluationError:
        value = None
    if value is None:
        return f"{path} was not known"
    shown = _shown(value)
    kind = kind_of(event.name)
    if kind is not None and kind.measure == path:
        noun = kind.noun or kind.name.partition(".")[0]
        return f"the {noun} had {shown} {kind.unit or kind.measure}"
    return f"{path} was {shown}"


def _shown(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return shortened(json.dumps(value, ensure_ascii=False, default=str), MAX_SHOWN)


def _paths(formula: Formula) -> Iterator[str]:
    match formula:
        case Literal():
            return
        case Variable(path):
            yield path
        case Compare(_, left, right) | TextTest(_, left, right) | Arithmetic(_, left, right):
            yield from _all_paths(left, right)
        case IsOneOf(operand, options):
            yield from _all_paths(operand, *options)
        case IsEmpty(operand) | Not(operand) | Negate(operand):
            yield from _paths(operand)
        case Between(operand, low, high):
            yield from _all_paths(operand, low, high)
        case And(operands) | Or(operands) | Call(_, operands):
            yield from _all_paths(*operands)
        case _:
            assert_never(formula)


def _all_paths(*formulas: Formula) -> Iterator[str]:
    for formula in formulas:
        yield from _paths(formula)
