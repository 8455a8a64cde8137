"""The only reader of formulas and of `${...}` templates, and the only writer of formulas.

`parse_formula(format_formula(f)) == f` for every formula. Reading is a hand-written precedence climb over one linear
regex: no backtracking, bounded depth, and every error says where it stopped. This module works nothing out
(`engine.evaluate` does) and knows no workflow.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, assert_never

from engine.errors import ExpressionError
from engine.formulas import (
    FILTERS,
    FUNCTIONS,
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_TEXT,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Filter,
    Formula,
    IsEmpty,
    IsOneOf,
    Literal,
    Negate,
    Not,
    Or,
    Placeholder,
    Scalar,
    Template,
    TextTest,
    Variable,
)

KEYWORDS: Final = frozenset(
    {
        "and",
        "or",
        "not",
        "is",
        "one",
        "of",
        "empty",
        "contains",
        "starts",
        "ends",
        "with",
        "matches",
        "between",
        "true",
        "false",
        "null",
    }
)
PATH: Final = re.compile(r"[^\W\d]\w*(?:\.\w+)*")
_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<text>"(?:[^"\\]|\\.)*")
    | \$\{\s*(?P<path>[^\W\d]\w*(?:\.\w+)*)\s*\}
    | (?P<name>[^\W\d]\w*(?:\.\w+)*)
    | (?P<operator>==|!=|<=|>=|[<>=+\-*/%(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
_COMPARE: Final = {"==": "==", "=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse_formula(text: str) -> Formula:
    """Read a formula.

    Raises:
        ExpressionError: It cannot be read, is too long or too deep.
    """
    if len(text) > MAX_TEXT:
        raise ExpressionError(f"A condition may have {MAX_TEXT} characters", text=text, at=MAX_TEXT)
    reader = _Reader(text)
    formula = reader.disjunction(0)
    reader.expect_end()
    if depth_of(formula) > MAX_DEPTH:
        raise ExpressionError(_TOO_DEEP, text=text, at=0)
    return formula


_TOO_DEEP: Final = f"This condition is nested more than {MAX_DEPTH} deep"
_READING_DEPTH: Final = MAX_DEPTH * 2 + 2
"""Levels of the reader: one of a formula takes two at most, one for its parentheses and one for what stands in them."""


def depth_of(formula: Formula) -> int:
    """How many levels a formula has; a value or a variable has one. A long sum is deep, too: `a + b + c` has three."""
    deepest, left = 0, [(formula, 1)]
    while left:
        part, depth = left.pop()
        deepest = max(deepest, depth)
        left.extend((inner, depth + 1) for inner in operands_of(part))
    return deepest


def operands_of(formula: Formula) -> tuple[Formula, ...]:
    """The formulas directly inside a formula, in the order they are written."""
    match formula:
        case Literal() | Variable():
            return ()
        case Compare() | TextTest() | Arithmetic():
            return (formula.left, formula.right)
        case IsOneOf():
            return (formula.operand, *formula.options)
        case Between():
            return (formula.operand, formula.low, formula.high)
        case And() | Or():
            return formula.operands
        case Not() | Negate() | IsEmpty():
            return (formula.operand,)
        case Call():
            return formula.arguments
        case _:
            assert_never(formula)


def paths_in(formula: Formula) -> Iterator[str]:
    """The dotted names of all variables that a formula reads, in order, with repeats."""
    if isinstance(formula, Variable):
        yield formula.path
    for operand in operands_of(formula):
        yield from paths_in(operand)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            rest = text[position:].lstrip()
            raise ExpressionError(f"I cannot read {rest[:12]!r}", text=text, at=position)
        kind = str(match.lastgroup)
        tokens.append(_Token(kind, match.group(kind), match.start(kind)))
        position = match.end()
    return tokens


class _Reader:
    """Precedence climbing: or < and < not < comparison < sum < product < minus < primary."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.index = 0

    def disjunction(self, depth: int) -> Formula:
        operands = [self.conjunction(depth + 1)]
        while self.accept("or"):
            operands.append(self.conjunction(depth + 1))
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def conjunction(self, depth: int) -> Formula:
        operands = [self.negation(depth)]
        while self.accept("and"):
            operands.append(self.negation(depth))
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def negation(self, depth: int) -> Formula:
        if depth > _READING_DEPTH:
            raise self.error(_TOO_DEEP)
        if self.accept("not"):
            return Not(self.negation(depth + 1))
        return self.comparison(depth)

    def comparison(self, depth: int) -> Formula:
        left = self.sum(depth)
        token = self.peek()
        if token is None:
            return left
        if token.kind == "operator" and token.text in _COMPARE:
            self.index += 1
            return Compare(_COMPARE[token.text], left, self.sum(depth))  # type: ignore[arg-type]
        if token.kind != "name":
            return left
        return self.worded_comparison(left, depth)

    def worded_comparison(self, left: Formula, depth: int) -> Formula:
        if self.accept("not"):
            return Not(self.text_test(left, depth) or self.fail('"contains", "starts with" or "between" after "not"'))
        if self.accept("is"):
            return self.identity(left, depth)
        return self.text_test(left, depth) or left

    def identity(self, left: Formula, depth: int) -> Formula:
        negated = self.accept("not")
        result: Formula
        if self.accept("empty"):
            result = IsEmpty(left)
        elif self.accept("one"):
            self.expect("of")
            result = IsOneOf(left, self.arguments(depth))
        elif negated:
            return Compare("!=", left, self.sum(depth))
        else:
            return Compare("==", left, self.sum(depth))
        return Not(result) if negated else result

    def text_test(self, left: Formula, depth: int) -> Formula | None:
        if self.accept("contains"):
            return TextTest("contains", left, self.sum(depth))
        if self.accept("matches"):
            return TextTest("matches", left, self.sum(depth))
        if self.accept("starts"):
            self.expect("with")
            return TextTest("starts with", left, self.sum(depth))
        if self.accept("ends"):
            self.expect("with")
            return TextTest("ends with", left, self.sum(depth))
        if self.accept("between"):
            low = self.sum(depth)
            self.expect("and")
            return Between(left, low, self.sum(depth))
        return None

    def sum(self, depth: int) -> Formula:
        left = self.product(depth)
        while (token := self.accept_operator("+", "-")) is not None:
            left = Arithmetic("+" if token == "+" else "-", left, self.product(depth))
        return left

    def product(self, depth: int) -> Formula:
        left = self.minus(depth)
        while (token := self.accept_operator("*", "/", "%")) is not None:
            left = Arithmetic(token, left, self.minus(depth))  # type: ignore[arg-type]
        return left

    def minus(self, depth: int) -> Formula:
        if depth > _READING_DEPTH:
            raise self.error(_TOO_DEEP)
        if self.accept_operator("-") is None:
            return self.primary(depth)
        operand = self.minus(depth + 1)
        if (
            isinstance(operand, Literal)
            and isinstance(operand.value, int | float)
            and not isinstance(operand.value, bool)
        ):
            return Literal(-operand.value)
        return Negate(operand)

    def primary(self, depth: int) -> Formula:
        token = self.peek()
        if token is None:
            raise self.error("This condition ends too early")
        self.index += 1
        match token.kind:
            case "number":
                return Literal(_number(token, self.text))
            case "text":
                return Literal(_unquote(token.text))
            case "path":
                return Variable(token.text)
            case "name":
                return self.named(token, depth)
            case _:
                pass
        if token.text == "(":
            inner = self.disjunction(depth + 1)
            self.expect_operator(")")
            return inner
        self.index -= 1
        raise self.error(f"I did not expect {token.text!r} here")

    def named(self, token: _Token, depth: int) -> Formula:
        word = token.text
        if word in _CONSTANTS:
            return Literal(_CONSTANTS[word])
        if word in KEYWORDS:
            self.index -= 1
            raise self.error(f'I did not expect "{word}" here')
        following = self.peek()
        if word in FUNCTIONS and following is not None and following.text == "(" and following.kind == "operator":
            return Call(word, self.arguments(depth))
        return Variable(word)

    def arguments(self, depth: int) -> tuple[Formula, ...]:
        self.expect_operator("(")
        if self.accept_operator(")") is not None:
            return ()
        values = [self.disjunction(depth + 1)]
        while self.accept_operator(",") is not None:
            values.append(self.disjunction(depth + 1))
        self.expect_operator(")")
        return tuple(values)

    def peek(self) -> _Token | None:
        return self.tokens[self.index] if self.index < len(self.tokens) else None

    def accept(self, word: str) -> bool:
        token = self.peek()
        if token is None or token.kind != "name" or token.text.casefold() != word:
            return False
        self.index += 1
        return True

    def accept_operator(self, *operators: str) -> str | None:
        token = self.peek()
        if token is None or token.kind != "operator" or token.text not in operators:
            return None
        self.index += 1
        return token.text

    def expect(self, word: str) -> None:
        if not self.accept(word):
            self.fail(f'"{word}"')

    def expect_operator(self, operator: str) -> None:
        if self.accept_operator(operator) is None:
            self.fail(f'"{operator}"')

    def expect_end(self) -> None:
        if self.index < len(self.tokens):
            raise self.error(f'I did not expect "{self.tokens[self.index].text}" here')

    def fail(self, expected: str) -> Formula:
        raise self.error(f"I expected {expected}")

    def error(self, message: str) -> ExpressionError:
        token = self.peek()
        return ExpressionError(message, text=self.text, at=len(self.text) if token is None else token.at)


_CONSTANTS: Final[dict[str, Scalar]] = {"true": True, "false": False, "null": None}


def _number(token: _Token, text: str) -> int | float:
    if token.text.isdigit():
        if len(token.text) > 20 or int(token.text) > MAX_INTEGER:
            raise ExpressionError("This number is too large", text=text, at=token.at)
        return int(token.text)
    value = float(token.text)
    if not math.isfinite(value):
        raise ExpressionError("This number is too large", text=text, at=token.at)
    return value


_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}


def _unquote(quoted: str) -> str:
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m.group(1), m.group(1)), quoted[1:-1], flags=re.DOTALL)


def quote(text: str) -> str:
    """Write a text as a formula reads it: double quotes, with backslash escapes for quotes, backslashes and line breaks."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


# How tightly each form binds; a part is put in parentheses where its place asks for more than it has.
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _MINUS, _PRIMARY = range(8)


def format_formula(formula: Formula) -> str:
    """Write a formula so that `parse_formula` reads the same one."""
    return _write(formula, _OR)


def _write(formula: Formula, place: int) -> str:
    text, binding = _form(formula)
    return text if binding >= place else f"({text})"


def _form(formula: Formula) -> tuple[str, int]:  # noqa: C901  one line per form of a closed union
    match formula:
        case Literal():
            return _literal(formula.value)
        case Variable():
            return _variable(formula.path), _PRIMARY
        case Call():
            return f"{formula.function}({_list(formula.arguments)})", _PRIMARY
        case Compare():
            return _pair(formula.left, formula.operator, formula.right), _COMPARISON
        case TextTest():
            return _pair(formula.left, formula.operator, formula.right), _COMPARISON
        case IsOneOf():
            return f"{_write(formula.operand, _SUM)} is one of ({_list(formula.options)})", _COMPARISON
        case IsEmpty():
            return f"{_write(formula.operand, _SUM)} is empty", _COMPARISON
        case Between():
            low, high = _write(formula.low, _SUM), _write(formula.high, _SUM)
            return f"{_write(formula.operand, _SUM)} between {low} and {high}", _COMPARISON
        case And():
            return " and ".join(_write(part, _NOT) for part in formula.operands), _AND
        case Or():
            return " or ".join(_write(part, _AND) for part in formula.operands), _OR
        case Not():
            return f"not {_write(formula.operand, _NOT)}", _NOT
        case Negate():
            return f"-{_write(formula.operand, _MINUS)}", _MINUS
        case Arithmetic(operator=operator):
            binding = _SUM if operator in "+-" else _PRODUCT
            return f"{_write(formula.left, binding)} {operator} {_write(formula.right, binding + 1)}", binding
        case _:
            assert_never(formula)


def _pair(left: Formula, operator: str, right: Formula) -> str:
    return f"{_write(left, _SUM)} {operator} {_write(right, _SUM)}"


def _list(parts: tuple[Formula, ...]) -> str:
    return ", ".join(_write(part, _OR) for part in parts)


def _literal(value: Scalar) -> tuple[str, int]:
    if isinstance(value, str):
        return quote(value), _PRIMARY
    written = json.dumps(value)
    return written, _MINUS if written.startswith("-") else _PRIMARY


def _variable(path: str) -> str:
    word = path.casefold()
    return f"${{{path}}}" if word in KEYWORDS or word in FUNCTIONS else path


# Templates ---------------------------------------------------------------------------------------------------------

_PLACEHOLDER: Final = re.compile(r"\$\$\{|\$\{(?P<body>(?:[^{}\"\\]|\"(?:[^\"\\]|\\.)*\")*)\}|\$\{", re.DOTALL)
_FILTER: Final = re.compile(
    r"\s*\|\s*(?P<name>\w+)(?:\s+(?P<argument>\"(?:[^\"\\]|\\.)*\"|-?\d+(?:\.\d+)?))?\s*", re.DOTALL
)


def has_placeholder(text: str) -> bool:
    """Whether a text needs working out at all."""
    return "${" in text


def parse_template(text: str) -> Template:
    """Read a text with `${path|filter}` in it; `$${` stands for the two characters themselves.

    Raises:
        ExpressionError: A placeholder is not closed, empty, or uses an unknown filter; or the text is too long.
    """
    if len(text) > MAX_TEXT:
        raise ExpressionError(f"A text may have {MAX_TEXT} characters", text=text, at=MAX_TEXT)
    parts: list[str | Placeholder] = []
    literal = ""
    position = 0
    for match in _PLACEHOLDER.finditer(text):
        literal += text[position : match.start()]
        position = match.end()
        if match.group() == "$${":
            literal += "${"
            continue
        if match.group("body") is None:
            raise ExpressionError(
                '"${" is not closed; write ${name}, or $${ for the characters themselves', text=text, at=match.start()
            )
        if literal:
            parts.append(literal)
            literal = ""
        parts.append(_placeholder(match.group("body"), text, match.start()))
    literal += text[position:]
    if literal:
        parts.append(literal)
    return Template(tuple(parts))


def _placeholder(body: str, text: str, at: int) -> Placeholder:
    path = PATH.match(body.lstrip())
    if path is None:
        raise ExpressionError("A placeholder needs a name, like ${user}", text=text, at=at)
    rest = body.lstrip()[path.end() :]
    filters: list[Filter] = []
    while rest.strip():
        match = _FILTER.match(rest)
        if match is None:
            raise ExpressionError(
                f"I cannot read {rest.strip()!r} in the placeholder of {path.group()}", text=text, at=at
            )
        name = match.group("name")
        if name not in FILTERS:
            raise ExpressionError(
                f'There is no filter "{name}"; there are {", ".join(sorted(FILTERS))}', text=text, at=at
            )
        filters.append(Filter(name, _argument(match.group("argument"))))
        rest = rest[match.end() :]
    return Placeholder(path.group(), tuple(filters))


def _argument(written: str | None) -> Scalar:
    if written is None:
        return None
    if written.startswith('"'):
        return _unquote(written)
    return float(written) if "." in written else int(written)
