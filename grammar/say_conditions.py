"""Guards in words, where words say exactly that guard; every other one is a formula in parentheses.

`grammar.build_conditions` reads them. Names are bare where nothing else can be meant by them, else `${name}`.
"""

import re
from collections.abc import Mapping
from typing import Final

from engine.expressions import quote
from engine.formulas import And, Between, Compare, Formula, IsEmpty, IsOneOf, Literal, Not, Or, TextTest, Variable
from grammar.build_conditions import IS_A_BOT, ROLES_OF_USER
from grammar.say_parts import say_formula, say_number

_BARE: Final = frozenset(
    {"viewers", "bits", "count", "months", "level", "message", "title", "category", "reward", "tier", "weekday"}
)
_JOINED: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9]*(?:_[a-zA-Z0-9]+)+")
_BRACED: Final = re.compile(r"[^\W\d]\w*(?:\.\w+)*")
_ROLES: Final[Mapping[str, str]] = {
    "moderator": "a mod",
    "vip": "a vip",
    "subscriber": "a subscriber",
    "broadcaster": "the broadcaster",
}
_OPERATORS: Final[Mapping[str, str]] = {"==": "is", "!=": "is not"}
_NOT_TESTS: Final[Mapping[str, str]] = {
    "contains": "does not contain",
    "starts with": "does not start with",
    "ends with": "does not end with",
}
_MOST: Final = 10**18


def say_condition(formula: Formula) -> str:
    """A condition as it stands after "if", "unless" or "while"."""
    match formula:
        case And(operands=operands) | Or(operands=operands):
            parts = [_simple(operand) for operand in operands]
            said = [part for part in parts if part is not None]
            joint = " and " if isinstance(formula, And) else " or "
            return joint.join(said) if len(said) == len(parts) else say_formula(formula)
        case _:
            return _simple(formula) or say_formula(formula)


def _simple(formula: Formula) -> str | None:  # noqa: C901  one line per form
    match formula:
        case IsOneOf() if formula == IS_A_BOT:
            return "they are a bot"
        case Not(operand=operand) if operand == IS_A_BOT:
            return "they are not a bot"
        case Compare(operator=operator, left=Variable(path=path), right=Literal(value=str(text))) if (
            operator in _OPERATORS
        ):
            return _with(path, f"{_OPERATORS[operator]} {quote(text)}")
        case Compare(operator=operator, left=Variable(path=path), right=Literal(value=value)):
            number = _number(value)
            return None if number is None else _with(path, f"{operator} {number}")
        case TextTest(operator="contains", left=Variable(path=path), right=Literal(value=str(role))) if (
            path == ROLES_OF_USER and role in _ROLES
        ):
            return f"they are {_ROLES[role]}"
        case Not(operand=TextTest(operator="contains", left=Variable(path=path), right=Literal(value=str(role)))) if (
            path == ROLES_OF_USER and role in _ROLES
        ):
            return f"they are not {_ROLES[role]}"
        case TextTest(operator=operator, left=Variable(path=path), right=Literal(value=str(text))) if (
            operator in _NOT_TESTS
        ):
            return _with(path, f"{operator} {quote(text)}")
        case Not(operand=TextTest(operator=operator, left=Variable(path=path), right=Literal(value=str(text)))) if (
            operator in _NOT_TESTS
        ):
            return _with(path, f"{_NOT_TESTS[operator]} {quote(text)}")
        case IsEmpty(operand=Variable(path=path)):
            return _with(path, "is empty")
        case Not(operand=IsEmpty(operand=Variable(path=path))):
            return _with(path, "is not empty")
        case Between(operand=Variable(path=path), low=Literal(value=low), high=Literal(value=high)):
            least, most = _number(low), _number(high)
            return None if least is None or most is None else _with(path, f"is between {least} and {most}")
        case IsOneOf(operand=Variable(path=path), options=options) if options:
            texts = [each.value for each in options if isinstance(each, Literal) and isinstance(each.value, str)]
            return _with(path, f"is one of {', '.join(map(quote, texts))}") if len(texts) == len(options) else None
        case _:
            return None


def _with(path: str, said: str) -> str | None:
    if path in _BARE or _JOINED.fullmatch(path):
        return f"{path} {said}"
    return f"${{{path}}} {said}" if _BRACED.fullmatch(path) and len(path) <= 200 else None


def _number(value: object) -> str | None:
    """A number that digits say to the last bit."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST:
        return None
    if isinstance(value, float) and (value.is_integer() or "e" in repr(value)):
        return None
    return say_number(value)
