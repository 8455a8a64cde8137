"""Works out formulas: each is compiled once to closures, which then only look up and compute.

Everything is typed and bounded: arithmetic on numbers only, regular expressions in linear time, nothing called but the
closed list of functions. A missing variable is null: it is empty, and every comparison with a value is false. The only
exception that leaves a compiled function is `EvaluationError`. It reads no text: `engine.expressions` does.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, assert_never

import re2  # type: ignore[import-untyped]

from engine.errors import EvaluationError, ExpressionError
from engine.formulas import (
    FUNCTIONS,
    MAX_DEPTH,
    And,
    Arithmetic,
    ArithmeticOperator,
    Between,
    Call,
    Compare,
    CompareOperator,
    Formula,
    IsEmpty,
    IsOneOf,
    Literal,
    Negate,
    Not,
    Or,
    TextOperator,
    TextTest,
    Variable,
)
from engine.functions import ARITY, FUNCTION_OF, amount
from engine.scope import MISSING, Evaluate, Scope, compile_path, under_root, walk
from engine.values import STRAY, demand_number, in_bounds, is_empty, ordered, plain, same, shown, text_of, truth

MAX_PATTERN: Final = 500


def compile_formula(formula: Formula) -> Evaluate:
    """A function that works a formula out; it raises nothing but `EvaluationError`.

    Raises:
        ExpressionError: The formula is nested deeper than formulas may be.
    """
    inner = _compile(formula, 0)

    def evaluate(scope: Scope) -> Any:
        try:
            return inner(scope)
        except STRAY as stray:  # a last net: every known case has its own sentence
            raise EvaluationError(f"a condition cannot be worked out ({type(stray).__name__})") from stray

    return evaluate


def compile_guard(formula: Formula) -> Callable[[Scope], bool]:
    """A function that tells whether a formula holds; it raises nothing but `EvaluationError`."""
    inner = _compile(formula, 0)

    def holds(scope: Scope) -> bool:
        try:
            value = inner(scope)
            return value if value.__class__ is bool else truth(value)
        except STRAY as stray:
            raise EvaluationError(f"a condition cannot be worked out ({type(stray).__name__})") from stray

    return holds


def _compile(formula: Formula, depth: int) -> Evaluate:  # noqa: C901  one line per form of a closed union
    if depth >= MAX_DEPTH:
        raise ExpressionError(f"A condition may be nested {MAX_DEPTH} deep", text="", at=0)
    deeper = depth + 1
    match formula:
        case Literal():
            value = formula.value
            return lambda _: value
        case Variable():
            return _variable(formula.path)
        case Compare():
            return _comparison(formula, deeper)
        case TextTest():
            return _text_test(formula, deeper)
        case IsOneOf():
            return _one_of(_compile(formula.operand, deeper), _compile_all(formula.options, deeper))
        case IsEmpty():
            operand = _compile(formula.operand, deeper)
            return lambda scope: is_empty(operand(scope))
        case Between():
            return _between(*_compile_all((formula.operand, formula.low, formula.high), deeper))
        case And():
            return _all(_compile_all(formula.operands, deeper))
        case Or():
            return _any(_compile_all(formula.operands, deeper))
        case Not():
            negated = _compile(formula.operand, deeper)
            return _negation(negated)
        case Arithmetic():
            return _arithmetic(formula, deeper)
        case Negate():
            number = _numeric(formula.operand, deeper)
            return lambda scope: in_bounds(-number(scope))
        case Call():
            return _call(formula, deeper)
        case _:
            assert_never(formula)


def _compile_all(formulas: Sequence[Formula], depth: int) -> tuple[Evaluate, ...]:
    return tuple(_compile(formula, depth) for formula in formulas)


def _variable(path: str) -> Evaluate:
    if (parts := under_root(path)) is not None:
        return _key(compile_path(parts[0]), parts[1])
    read = compile_path(path)

    def value(scope: Scope) -> Any:
        found = read(scope)
        return None if found is MISSING else found

    return value


def _key(root: Evaluate, name: str) -> Evaluate:
    """A variable right under a root, such as a counter."""

    def value(scope: Scope) -> Any:
        values = root(scope)
        found = values.get(name) if values.__class__ is dict else walk(values, (name,))
        return None if found is MISSING else found

    return value


_ORDER: Final[Mapping[CompareOperator, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _comparison(formula: Compare, depth: int) -> Evaluate:
    left, right = _compile(formula.left, depth), _compile(formula.right, depth)
    compare = _compare(formula.operator, left, right)
    limit = formula.right.value if isinstance(formula.right, Literal) else None
    if limit.__class__ is not int or formula.operator not in _ORDER:
        return compare
    holds = _ORDER[formula.operator]

    def compare_with_limit(scope: Scope) -> bool:
        value = left(scope)
        if value.__class__ is int:  # by far the most frequent case
            return holds(value, limit)
        pair = ordered(value, limit)
        return pair is not None and holds(*pair)

    return compare_with_limit


def _compare(sign: CompareOperator, left: Evaluate, right: Evaluate) -> Evaluate:
    if sign == "==":
        return lambda scope: same(left(scope), right(scope))
    if sign == "!=":
        return lambda scope: not same(left(scope), right(scope))
    holds = _ORDER[sign]

    def compare(scope: Scope) -> bool:
        first, second = left(scope), right(scope)
        if first.__class__ is int and second.__class__ is int:  # by far the most frequent case
            return holds(first, second)
        pair = ordered(first, second)
        return pair is not None and holds(*pair)

    return compare


def _between(operand: Evaluate, low: Evaluate, high: Evaluate) -> Evaluate:
    def between(scope: Scope) -> bool:
        value = operand(scope)
        above, below = ordered(low(scope), value), ordered(value, high(scope))
        return above is not None and below is not None and above[0] <= above[1] and below[0] <= below[1]

    return between


def _one_of(operand: Evaluate, options: tuple[Evaluate, ...]) -> Evaluate:
    def one_of(scope: Scope) -> bool:
        value = operand(scope)
        return any(_is_or_holds(option(scope), value) for option in options)

    return one_of


def _is_or_holds(option: Any, value: Any) -> bool:
    """An option that is a list offers each of its items."""
    if isinstance(option, list | tuple) and not isinstance(value, list | tuple):
        return any(same(part, value) for part in option)
    return same(option, value)


def _all(operands: tuple[Evaluate, ...]) -> Evaluate:
    def conjunction(scope: Scope) -> bool:
        for operand in operands:
            value = operand(scope)
            if value is False or (value is not True and not truth(value)):
                return False
        return True

    return conjunction


def _any(operands: tuple[Evaluate, ...]) -> Evaluate:
    def disjunction(scope: Scope) -> bool:
        return any(truth(operand(scope)) for operand in operands)

    return disjunction


def _negation(negated: Evaluate) -> Evaluate:
    def negation(scope: Scope) -> bool:
        value = negated(scope)
        return not (value if value.__class__ is bool else truth(value))

    return negation


# Tests on texts --------------------------------------------------------------------------------------------------------


def _text_test(formula: TextTest, depth: int) -> Evaluate:
    left, right = _compile(formula.left, depth), _compile(formula.right, depth)
    if formula.operator == "matches":
        return _matches(left, right)
    if formula.operator == "contains" and isinstance(formula.right, Literal) and isinstance(formula.right.value, str):
        return _contains_text(left, formula.right.value)
    test = _TESTS[formula.operator]

    def check(scope: Scope) -> bool:
        haystack, needle = plain(left(scope)), plain(right(scope))
        return haystack is not None and needle is not None and test(haystack, needle)

    return check


def _contains_text(left: Evaluate, needle: str) -> Evaluate:
    """What `_contains` does with a text written out, as nearly all are."""
    folded = needle.casefold()

    def contains(scope: Scope) -> bool:
        haystack = left(scope)
        if haystack.__class__ is str:
            return folded in haystack.casefold()
        if haystack.__class__ is list:
            for part in haystack:  # noqa: SIM110  a loop is twice as fast as any() here, and roles are asked for a lot
                if part.casefold() == folded if part.__class__ is str else same(part, needle):
                    return True
            return False
        haystack = plain(haystack)
        return haystack is not None and _contains(haystack, needle)

    return contains


def _contains(haystack: Any, needle: Any) -> bool:
    if isinstance(haystack, list | tuple):
        return any(same(part, needle) for part in haystack)
    return text_of(needle).casefold() in text_of(haystack).casefold()


def _starts_with(haystack: Any, needle: Any) -> bool:
    return text_of(haystack).casefold().startswith(text_of(needle).casefold())


def _ends_with(haystack: Any, needle: Any) -> bool:
    return text_of(haystack).casefold().endswith(text_of(needle).casefold())


_TESTS: Final[Mapping[TextOperator, Callable[[Any, Any], bool]]] = {
    "contains": _contains,
    "starts with": _starts_with,
    "ends with": _ends_with,
}


def _matches(left: Evaluate, right: Evaluate) -> Evaluate:
    def matches(scope: Scope) -> bool:
        text, pattern = plain(left(scope)), plain(right(scope))
        if text is None or pattern is None:
            return False
        return compile_pattern(text_of(pattern)).search(text_of(text)) is not None

    return matches


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Any:
    """A linear-time regular expression, ignoring case.

    Raises:
        EvaluationError: It is too long or not one.
    """
    if len(pattern) > MAX_PATTERN:
        raise EvaluationError(f"a pattern after matches may have {MAX_PATTERN} characters")
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError):
        raise EvaluationError(f"{shown(pattern)} after matches is not a pattern I can use") from None


# Arithmetic and calls --------------------------------------------------------------------------------------------------


def _numeric(formula: Formula, depth: int) -> Callable[[Scope], int | float]:
    """Like `_compile`, for a place where only a number will do."""
    inner = _compile(formula, depth)
    name = formula.path if isinstance(formula, Variable) else None

    def number(scope: Scope) -> int | float:
        value: Any = inner(scope)
        if value.__class__ is int or value.__class__ is float:
            return value
        return demand_number(value, name)

    return number


def _arithmetic(formula: Arithmetic, depth: int) -> Evaluate:
    left, right = _numeric(formula.left, depth), _numeric(formula.right, depth)
    compute = _COMPUTE[formula.operator]

    def calculate(scope: Scope) -> int | float:
        first, second = left(scope), right(scope)
        try:
            if (
                first.__class__ is int
                and -_SMALL < first < _SMALL
                and second.__class__ is int
                and -_SMALL < second < _SMALL
            ):
                return compute(first, second)  # of such numbers nothing too large can come
            return in_bounds(compute(in_bounds(first), in_bounds(second)))
        except OverflowError:
            raise EvaluationError("a number is too large") from None

    return calculate


_SMALL: Final = 2**31


def _divide(left: float, right: float) -> int | float:
    if right == 0:
        raise EvaluationError("nothing can be divided by 0")
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right


def _remainder(left: float, right: float) -> int | float:
    if right == 0:
        raise EvaluationError("nothing can be divided by 0")
    return left % right


_COMPUTE: Final[Mapping[ArithmeticOperator, Callable[[Any, Any], int | float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _remainder,
}


def _call(formula: Call, depth: int) -> Evaluate:
    name = formula.function
    if name not in FUNCTIONS:
        raise ExpressionError(f'There is no function "{name}"', text="", at=0)
    (low, high), function = ARITY[name], FUNCTION_OF[name]
    if not low <= len(formula.arguments) <= high:
        return _wrong_count(name, low, high)
    arguments = _compile_all(formula.arguments, depth)

    def call(scope: Scope) -> Any:
        return function([plain(argument(scope)) for argument in arguments])

    return call


def _wrong_count(name: str, low: int, high: int) -> Evaluate:
    def refuse(_: Scope) -> Any:
        raise EvaluationError(f"{name} takes {amount(low, high)}")

    return refuse
