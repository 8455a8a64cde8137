"""From trees of conditions to guards: comparisons in words, formulas in parentheses, "and" before "or".

The guards are the same as those of formulas; `grammar.say_conditions` says them.
"""

from collections.abc import Mapping
from typing import Final, cast, get_args

from engine.formulas import (
    And,
    Between,
    Compare,
    CompareOperator,
    Formula,
    IsEmpty,
    IsOneOf,
    Literal,
    Not,
    Or,
    TextTest,
    Variable,
)
from engine.people import KNOWN_BOTS
from grammar.leaves import NotBuilt, value_of
from grammar.tree import Leaf, Node

ROLES_OF_USER: Final = "user.roles"
IS_A_BOT: Final = IsOneOf(Variable("user"), tuple(Literal(name) for name in KNOWN_BOTS))
_OPPOSITES: Final[Mapping[CompareOperator, CompareOperator]] = {
    "==": "!=",
    "!=": "==",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
}


def condition(node: Node) -> Formula:
    """A condition in words or in parentheses."""
    parts = tuple(_part(child) for child in node.nodes())
    return parts[0] if len(parts) == 1 else Or(parts)


def condition_in(node: Node) -> Formula | None:
    """The first condition directly in a node, if there is one."""
    return next((condition(child) for child in node.nodes() if child.rule.startswith("condition")), None)


def opposite(formula: Formula) -> Formula:
    """What holds where a condition does not, without a "not" where there is another word."""
    match formula:
        case Not(operand=operand):
            return operand
        case Compare(operator=operator, left=left, right=right):
            return Compare(_OPPOSITES[operator], left, right)
        case _:
            return Not(formula)


def _part(node: Node) -> Formula:
    if node.rule == "all":
        return And(tuple(_comparison(child) for child in node.nodes()))
    return _comparison(node)


def _comparison(node: Node) -> Formula:  # noqa: C901  one line per rule
    match node.rule:
        case "formula":
            return cast("Formula", value_of(node, "FORMULA"))
        case "compare" | "compare_suffix":
            return _compare(node)
        case "is_name" | "is_not_name":
            if _begins_with_a_number(node):
                raise NotBuilt("is that a number to compare with? Put a name that begins with one in quotes")
            named = Literal(_text(node))
            return Compare("==" if node.rule == "is_name" else "!=", _variable(node), named)
        case "between":
            low, high = (Literal(leaf.value) for leaf in node.leaves() if leaf.type == "NUMBER")
            return Between(_variable(node), low, high)
        case "one_of":
            return IsOneOf(
                _variable(node), tuple(Literal(leaf.value) for leaf in node.leaves() if leaf.type == "STRING")
            )
        case "text_test":
            return TextTest(value_of(node, "CONTAINS"), _variable(node), Literal(_text(node)))
        case "text_test_not":
            return Not(TextTest(value_of(node, "CONTAINS_NOT"), _variable(node), Literal(_text(node))))
        case "is_empty":
            return IsEmpty(_variable(node))
        case "is_not_empty":
            return Not(IsEmpty(_variable(node)))
        case "there_are":
            operator = value_of(node, "COMPARE", "COMPARE_SUFFIX")
            return Compare(operator, Variable(str(value_of(node, "UNIT"))), Literal(value_of(node, "NUMBER")))
        case "it_counts":
            raise NotBuilt("what is it that counts? Say what, such as: if there are 500 bits or more")
        case "is_bot":
            return IS_A_BOT
        case "is_no_bot":
            return Not(IS_A_BOT)
        case "has_role":
            return any_role(node)
        case "has_no_role":
            without = tuple(Not(role) for role in _roles(node))
            return without[0] if len(without) == 1 else And(without)
        case other:
            raise AssertionError(f"steps.lark has no comparison {other}")


def _compare(node: Node) -> Formula:
    operator = value_of(node, "COMPARE", "COMPARE_SUFFIX")
    if operator not in get_args(CompareOperator):
        raise AssertionError(operator)
    leaf = cast("Leaf", node.leaf("NUMBER", "STRING", "TRUTH"))
    value = leaf.value == "true" if leaf.type == "TRUTH" else leaf.value
    return Compare(operator, _variable(node), Literal(value))


def _variable(node: Node) -> Variable:
    return Variable(str(value_of(node, "VARIABLE")))


def _begins_with_a_number(node: Node) -> bool:
    """`viewers is 20 or more play`: no name that anybody means."""
    leaf = node.leaf("NEW_NAME")
    return leaf is not None and not leaf.quoted and leaf.text[:1].isdigit()


def _text(node: Node) -> str:
    leaf = cast("Leaf", node.leaf("STRING", "COMMAND", "NEW_NAME"))
    return leaf.text if leaf.type == "COMMAND" else str(leaf.value)


def any_role(node: Node) -> Formula:
    """That somebody is of one of the roles that are named."""
    roles = _roles(node)
    return roles[0] if len(roles) == 1 else Or(roles)


def has_role(role: str) -> Formula:
    """That somebody is of a role."""
    return TextTest("contains", Variable(ROLES_OF_USER), Literal(role))


def _roles(node: Node) -> tuple[Formula, ...]:
    return tuple(has_role(leaf.value) for leaf in node.leaves() if leaf.type in ("ROLE", "DOER"))
