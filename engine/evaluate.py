"""Works out formulas and templates: each is compiled once to closures, which then only look up and compute.

Everything is typed and bounded: arithmetic on numbers only, integers up to 2^63, texts up to 4,000 characters, regular
expressions in linear time, nothing called but the closed list of functions. In a guard a missing variable is null: it is
empty, and every comparison with a value is false. In a template it is an error in words. Texts compare without regard to
case, a text that reads as a number compares with numbers as one, and a person stands for its name. Text that comes out
of a value is never read again, whatever it looks like. The only exception that leaves a compiled function is
`EvaluationError`.
"""

import json
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, TypeAlias, assert_never, cast

import re2  # type: ignore[import-untyped]

from engine.errors import EvaluationError, ExpressionError
from engine.expressions import has_placeholder, parse_template
from engine.formulas import (
    FUNCTIONS,
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_TEXT,
    And,
    Arithmetic,
    ArithmeticOperator,
    Between,
    Call,
    Compare,
    CompareOperator,
    Filter,
    Formula,
    IsEmpty,
    IsOneOf,
    Literal,
    Negate,
    Not,
    Or,
    Placeholder,
    Template,
    TextOperator,
    TextTest,
    Variable,
)
from engine.scope import MISSING, Scope, compile_path
from engine.secrets import Secret

Evaluate: TypeAlias = Callable[[Scope], Any]

MAX_PATTERN: Final = 500
_STRAY: Final = (ArithmeticError, ValueError, TypeError, LookupError, RecursionError, UnicodeError)


# Values --------------------------------------------------------------------------------------------------------------


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
        return str(_number(value))
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
        return str(_number(value))
    if not math.isfinite(value):
        raise EvaluationError("a number is too large")
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.12g}"


def _number(value: float) -> int | float:
    """A number within bounds."""
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


def _ordered(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Both values in a form that can be ordered, or None: numbers as numbers, other texts ignoring case."""
    left, right = plain(left), plain(right)
    first = number_in(left) if isinstance(left, str) else left if is_number(left) else None
    second = number_in(right) if isinstance(right, str) else right if is_number(right) else None
    if first is not None and second is not None:
        return first, second
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold(), right.casefold()
    return None


# Formulas --------------------------------------------------------------------------------------------------------------


def compile_formula(formula: Formula) -> Evaluate:
    """A function that works a formula out; it raises nothing but `EvaluationError`.

    Raises:
        ExpressionError: The formula is nested deeper than formulas may be.
    """
    inner = _compile(formula, 0)

    def evaluate(scope: Scope) -> Any:
        try:
            return inner(scope)
        except _STRAY as stray:  # a last net: every known case has its own sentence
            raise EvaluationError(f"a condition cannot be worked out ({type(stray).__name__})") from stray

    return evaluate


def compile_guard(formula: Formula) -> Callable[[Scope], bool]:
    """A function that tells whether a formula holds; it raises nothing but `EvaluationError`."""
    inner = _compile(formula, 0)

    def holds(scope: Scope) -> bool:
        try:
            value = inner(scope)
            return value if value.__class__ is bool else truth(value)
        except _STRAY as stray:
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
            return _compare(formula.operator, _compile(formula.left, deeper), _compile(formula.right, deeper))
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
            return lambda scope: not truth(negated(scope))
        case Arithmetic():
            return _arithmetic(formula, deeper)
        case Negate():
            number = _numeric(formula.operand, deeper)
            return lambda scope: _number(-number(scope))
        case Call():
            return _call(formula, deeper)
        case _:
            assert_never(formula)


def _compile_all(formulas: Sequence[Formula], depth: int) -> tuple[Evaluate, ...]:
    return tuple(_compile(formula, depth) for formula in formulas)


def _variable(path: str) -> Evaluate:
    read = compile_path(path)

    def value(scope: Scope) -> Any:
        found = read(scope)
        return None if found is MISSING else found

    return value


_ORDER: Final[Mapping[CompareOperator, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


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
        pair = _ordered(first, second)
        return pair is not None and holds(*pair)

    return compare


def _between(operand: Evaluate, low: Evaluate, high: Evaluate) -> Evaluate:
    def between(scope: Scope) -> bool:
        value = operand(scope)
        above, below = _ordered(low(scope), value), _ordered(value, high(scope))
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


# Tests on texts --------------------------------------------------------------------------------------------------------


def _text_test(formula: TextTest, depth: int) -> Evaluate:
    left, right = _compile(formula.left, depth), _compile(formula.right, depth)
    if formula.operator == "matches":
        return _matches(left, right)
    test = _TESTS[formula.operator]

    def check(scope: Scope) -> bool:
        haystack, needle = plain(left(scope)), plain(right(scope))
        return haystack is not None and needle is not None and test(haystack, needle)

    return check


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
        raise EvaluationError(f"{_shown(pattern)} after matches is not a pattern I can use") from None


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else text_of(value)
    return '"' + (text if len(text) <= 40 else text[:37] + "...") + '"'


# Arithmetic --------------------------------------------------------------------------------------------------------------


def _numeric(formula: Formula, depth: int) -> Callable[[Scope], int | float]:
    """Like `_compile`, for a place where only a number will do."""
    inner = _compile(formula, depth)
    name = formula.path if isinstance(formula, Variable) else None

    def number(scope: Scope) -> int | float:
        value: Any = inner(scope)
        if value.__class__ is int or value.__class__ is float:
            return value
        return _demand_number(value, name)

    return number


def _demand_number(value: Any, name: str | None) -> int | float:
    if is_number(value):
        return cast("int | float", value)
    if value is None or value is MISSING:
        raise not_set(name) if name else EvaluationError("there is nothing to calculate with")
    what = f"{name} is" if name else "a value is"
    if isinstance(value, Secret):
        raise EvaluationError(f"{what} a secret, and only numbers can be calculated with")
    raise EvaluationError(f"{what} {_shown(value)}, and only numbers can be calculated with")


def _arithmetic(formula: Arithmetic, depth: int) -> Evaluate:
    left, right = _numeric(formula.left, depth), _numeric(formula.right, depth)
    compute = _COMPUTE[formula.operator]

    def calculate(scope: Scope) -> int | float:
        first, second = left(scope), right(scope)
        try:
            return _number(compute(_number(first), _number(second)))
        except OverflowError:
            raise EvaluationError("a number is too large") from None

    return calculate


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


# Functions ---------------------------------------------------------------------------------------------------------------


def _call(formula: Call, depth: int) -> Evaluate:
    name = formula.function
    if name not in FUNCTIONS:
        raise ExpressionError(f'There is no function "{name}"', text="", at=0)
    low, high, function = _FUNCTIONS[name]
    if not low <= len(formula.arguments) <= high:
        return _wrong_count(name, low, high)
    arguments = _compile_all(formula.arguments, depth)

    def call(scope: Scope) -> Any:
        return function([plain(argument(scope)) for argument in arguments])

    return call


ARITY: Final[Mapping[str, tuple[int, int]]] = {
    name: (1, 2) if name in {"count", "join", "round"} else (1, 32) if name in {"max", "min", "sum"} else (1, 1)
    for name in FUNCTIONS
}


def arity_problem(name: str, count: int) -> str | None:
    """What is wrong with giving a function that many arguments, if anything is."""
    low, high = ARITY[name]
    return None if low <= count <= high else f"{name} takes {_amount(low, high)}, not {count}"


def _amount(low: int, high: int) -> str:
    if low == high:
        return f"{low} value" if low == 1 else f"{low} values"
    return f"{low} to {high} values"


def _wrong_count(name: str, low: int, high: int) -> Evaluate:
    def refuse(_: Scope) -> Any:
        raise EvaluationError(f"{name} takes {_amount(low, high)}")

    return refuse


def _listed(values: list[Any], name: str) -> Sequence[Any]:
    first = values[0]
    if isinstance(first, list | tuple):
        return first
    if first is None:
        return ()
    raise EvaluationError(f"{name} needs a list, and {_shown(first)} is none")


def _numbers(values: list[Any], name: str) -> list[int | float]:
    parts = list(_listed(values, name)) if len(values) == 1 and not is_number(values[0]) else values
    return [_demand_number(plain(part), None) for part in parts]


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
    value = _number(_demand_number(values[0], None))
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
    return _number(to_whole(_number(_demand_number(values[0], None))))


def _textual(values: list[Any], change: Callable[[str], str]) -> str | None:
    return None if values[0] is None else bounded(change(text_of(values[0])))


_FUNCTIONS: Final[Mapping[str, tuple[int, int, Callable[[list[Any]], Any]]]] = {
    name: (*ARITY[name], function)
    for name, function in {
        "abs": lambda values: _number(abs(_demand_number(values[0], None))),
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
        "sum": lambda values: _number(sum(_numbers(values, "sum"))),
        "trim": lambda values: _textual(values, str.strip),
        "upper": lambda values: _textual(values, str.upper),
    }.items()
}


# Templates ---------------------------------------------------------------------------------------------------------------


def not_set(path: str) -> EvaluationError:
    """The error for a variable that stands for nothing, with what to do about it."""
    head, _, rest = path.partition(".")
    match head:
        case "config":
            reason = f"the setting {rest or path} is not set"
        case "event":
            reason = f"{path} is not set: the event that started this has no such field"
        case "user" | "caller":
            reason = f"{path} is not set: nobody is behind this run"
        case "results":
            reason = f"{path} is not set: no step of that name has given a result"
        case _ if rest:
            reason = f"{path} is not set: start it with {path}=... or set it in the configuration"
        case _:
            reason = f"{path} is not set: start it with {path}=..."
    return EvaluationError(reason, variable=path)


def compile_template(template: str | Template) -> Callable[[Scope], str]:
    """A function that fills a text in; it raises nothing but `EvaluationError`.

    Raises:
        ExpressionError: The text has a placeholder that cannot be read.
    """
    parts = (parse_template(template) if isinstance(template, str) else template).parts
    if not any(isinstance(part, Placeholder) for part in parts):
        text = "".join(part for part in parts if isinstance(part, str))
        return lambda _: text
    readers = tuple((part, None) if isinstance(part, str) else ("", _placeholder(part)) for part in parts)

    def fill(scope: Scope) -> str:
        pieces = []
        for text, read in readers:
            if read is None:
                pieces.append(text)
            else:
                value = read(scope)
                pieces.append(value if value.__class__ is str else _guarded_text(value))
        filled = "".join(pieces)
        return filled if len(filled) <= MAX_TEXT else bounded(filled)

    return fill


def _guarded_text(value: Any) -> str:
    try:
        return text_of(value)
    except _STRAY as stray:
        raise EvaluationError(f"a value cannot be put into a text ({type(stray).__name__})") from stray


def compile_value(text: str) -> Evaluate:
    """Like `compile_template`, but a text that is exactly one `${x}` keeps the type of the value."""
    parts = parse_template(text).parts
    if len(parts) == 1 and isinstance(parts[0], Placeholder):
        return _placeholder(parts[0])
    return compile_template(Template(parts))


def _placeholder(placeholder: Placeholder) -> Evaluate:
    path = placeholder.path
    read = compile_path(path)
    filters = tuple(_filter(filter_) for filter_ in placeholder.filters)

    def plain_value(scope: Scope) -> Any:
        value = read(scope)
        if value is MISSING or value is None:
            raise not_set(path)
        return value

    if not filters:
        return plain_value

    def filtered(scope: Scope) -> Any:
        value = read(scope)
        try:
            for apply in filters:
                value = apply(value)
        except _STRAY as stray:
            raise EvaluationError(f"{path} cannot be filtered ({type(stray).__name__})") from stray
        if value is MISSING or value is None:
            raise not_set(path)
        return value

    return filtered


def _filter(written: Filter) -> Callable[[Any], Any]:
    """A filter as a function; all but `default` hand a missing value on."""
    argument = written.argument
    if written.name == "default":
        return lambda value: ("" if argument is None else argument) if is_empty(value) else value
    change = _FILTERS[written.name]

    def apply(value: Any) -> Any:
        return value if value is MISSING or value is None else change(plain(value), argument)

    return apply


def _truncate(value: Any, argument: Any) -> str:
    length = argument if isinstance(argument, int) and not isinstance(argument, bool) else 100
    if not 1 <= length <= MAX_TEXT:
        raise EvaluationError(f"truncate takes 1 to {MAX_TEXT} characters")
    text = text_of(value)
    return text if len(text) <= length else text[: length - 1] + "…"


def _rounded(value: Any, argument: Any) -> int | float:
    number = number_in(value) if isinstance(value, str) else value
    return _round([number if number is not None else value, argument])


_FILTERS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
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


MAX_PARTS: Final = 2_000
MAX_SIZE: Final = 64_000


def within(value: Any) -> Any:
    """The nested value itself, if it is small enough to be kept: a list in a loop cannot grow without end.

    Raises:
        EvaluationError: It has too many parts, or too much text.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    parts, size, left = 0, 0, [value]
    while left:
        part = left.pop()
        parts += 1
        if isinstance(part, str):
            size += len(part)
        elif isinstance(part, Mapping):
            left.extend(part.values())
            size += sum(len(key) for key in part if isinstance(key, str))
        elif isinstance(part, list | tuple):
            left.extend(part)
        if parts > MAX_PARTS or size > MAX_SIZE or len(left) > MAX_PARTS:
            raise EvaluationError(f"a value is too large: {MAX_PARTS:,} parts and {MAX_SIZE:,} characters is the most")
    return value


# Nested params -------------------------------------------------------------------------------------------------------------


def is_constant(value: Any) -> bool:
    """Whether nothing in a nested value needs working out."""
    if isinstance(value, str):
        return not has_placeholder(value)
    if isinstance(value, Mapping):
        return all(is_constant(part) for part in value.values())
    if isinstance(value, list | tuple):
        return all(is_constant(part) for part in value)
    return True


def compile_params(value: Any) -> Evaluate:
    """A function that fills in every text of a nested JSON value. Keys are not filled in.

    Raises:
        ExpressionError: A placeholder cannot be read, or the value is nested too deep.
    """
    return _compile_params(value, 0)


def _compile_params(value: Any, depth: int) -> Evaluate:
    if depth > MAX_DEPTH:
        raise ExpressionError(f"Params may be nested {MAX_DEPTH} deep", text="", at=0)
    if isinstance(value, str):
        return compile_value(value) if has_placeholder(value) else lambda _: value
    if isinstance(value, Mapping):
        return _compile_mapping(value, depth)
    if isinstance(value, list | tuple):
        parts = tuple(_compile_params(part, depth + 1) for part in value)
        return lambda scope: [part(scope) for part in parts]
    return lambda _: value


def _compile_mapping(value: Mapping[str, Any], depth: int) -> Evaluate:
    constant = {key: part for key, part in value.items() if is_constant(part)}
    if len(constant) == len(value):
        return lambda _: value
    parts = tuple(
        (key, None if key in constant else _compile_params(part, depth + 1), part) for key, part in value.items()
    )

    def fill(scope: Scope) -> dict[str, Any]:
        return {key: part if reader is None else reader(scope) for key, reader, part in parts}

    return fill
