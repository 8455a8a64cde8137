"""The abstract syntax of guards and formulas, and of templates: frozen values, no behaviour.

A formula is what a guard, a `while` or a `transform` says; a template is a text with `${...}` in it. Both are read in
exactly one place (`engine.expressions`) and worked out in one other (`engine.evaluate`). There are no loops, no
attribute access and no calls outside the closed list `FUNCTIONS`.
"""

from dataclasses import dataclass
from typing import Literal as OneOf
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
CompareOperator: TypeAlias = OneOf["==", "!=", "<", "<=", ">", ">="]
TextOperator: TypeAlias = OneOf["contains", "starts with", "ends with", "matches"]
ArithmeticOperator: TypeAlias = OneOf["+", "-", "*", "/", "%"]

MAX_DEPTH = 32
MAX_INTEGER = 2**63
MAX_TEXT = 4_000

FUNCTIONS = frozenset(
    {
        "abs",
        "ceil",
        "count",
        "first",
        "floor",
        "join",
        "last",
        "length",
        "lower",
        "max",
        "min",
        "round",
        "sum",
        "trim",
        "upper",
    }
)
FILTERS = frozenset(
    {"default", "first", "join", "last", "length", "lower", "round", "title", "trim", "truncate", "upper"}
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written out; numbers keep whether they are whole."""

    value: Scalar

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True, slots=True)
class Variable:
    """A dotted path such as `viewers` or `reply.user`."""

    path: str


@dataclass(frozen=True, slots=True)
class Compare:
    """`left operator right`."""

    operator: CompareOperator
    left: "Formula"
    right: "Formula"


@dataclass(frozen=True, slots=True)
class TextTest:
    """A test on texts, ignoring case; `matches` takes a linear-time regular expression. `contains` works on lists too."""

    operator: TextOperator
    left: "Formula"
    right: "Formula"


@dataclass(frozen=True, slots=True)
class IsOneOf:
    """`operand is one of (a, b, c)`."""

    operand: "Formula"
    options: tuple["Formula", ...]


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """True for a missing variable, null, an empty text and an empty list."""

    operand: "Formula"


@dataclass(frozen=True, slots=True)
class Between:
    """`operand between low and high`, both ends included."""

    operand: "Formula"
    low: "Formula"
    high: "Formula"


@dataclass(frozen=True, slots=True)
class And:
    """All operands hold; at least two."""

    operands: tuple["Formula", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any operand holds; at least two."""

    operands: tuple["Formula", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The operand does not hold."""

    operand: "Formula"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Numbers only; texts are joined by templates."""

    operator: ArithmeticOperator
    left: "Formula"
    right: "Formula"


@dataclass(frozen=True, slots=True)
class Negate:
    """`-operand`; never of a number written out, which is a negative `Literal`."""

    operand: "Formula"


@dataclass(frozen=True, slots=True)
class Call:
    """One of `FUNCTIONS`."""

    function: str
    arguments: tuple["Formula", ...]


Formula: TypeAlias = (
    Literal | Variable | Compare | TextTest | IsOneOf | IsEmpty | Between | And | Or | Not | Arithmetic | Negate | Call
)


@dataclass(frozen=True, slots=True)
class Filter:
    """One of `FILTERS`, with its argument if it takes one."""

    name: str
    argument: Scalar = None


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`${path|filter "argument"}` in a text."""

    path: str
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders; `parts` alternate freely, never two texts in a row."""

    parts: tuple[str | Placeholder, ...]
