"""What one sentence says of a policy, and the policy after it: `cooldown 30 seconds`, `let vips run it`.

A rule is a value of its own until it meets the policy it is said about, because some only add to what is there. Nothing
here reads or says words; a rule that cannot be meant so is an `Unsettled` for whoever asked.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, assert_never

from engine.model import Policy, Role

Right: TypeAlias = Literal["may_run", "may_edit", "exempt"]


@dataclass(frozen=True, slots=True)
class Ruled:
    """Fields of the policy as they will be: `cooldown 30 seconds`, `no quiet hours`."""

    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Permitted:
    """Who may do something: only these, these too, or these no longer."""

    right: Right
    roles: tuple[Role, ...]
    how: Literal["only", "add", "drop"]


Rule: TypeAlias = Ruled | Permitted

USUAL: Final = Policy()


def defaults(*names: str) -> dict[str, Any]:
    """Fields as they are where nobody has said anything."""
    return {name: getattr(USUAL, name) for name in names}


def ruled(policy: Policy, rule: Rule) -> Policy | None:
    """The policy after a rule; None if it takes a right from people who were not named as having it."""
    match rule:
        case Ruled(fields=fields):
            return with_fields(policy, fields)
        case Permitted():
            roles = _roles(getattr(policy, rule.right), rule)
            return None if roles is None else with_fields(policy, {rule.right: roles})
        case _:
            assert_never(rule)


def _roles(now: tuple[Role, ...] | None, rule: Permitted) -> tuple[Role, ...] | None:
    match rule.how:
        case "only":
            return rule.roles
        case "add":
            before = () if now is None or "everyone" in rule.roles else now
            return (*before, *(role for role in rule.roles if role not in before))
        case "drop":
            if now is None or not set(rule.roles) & set(now):
                return None
            return tuple(role for role in now if role not in rule.roles)
        case _:
            assert_never(rule.how)


def with_fields(policy: Policy, fields: dict[str, Any]) -> Policy:
    """A policy with other fields, checked again as a whole."""
    return Policy(**{**{name: getattr(policy, name) for name in Policy.model_fields}, **fields})
