"""From trees of `policies.lark` to rules: what one line of the heading or one sentence says of a policy."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from pydantic import ValidationError

from engine.convert import mistake
from engine.formulas import And, Formula, Not, Or
from engine.model import Cooldown, QuietHours, Rate, Role
from grammar.build_conditions import has_role
from grammar.leaves import NotBuilt, leaf_of, seconds_of
from grammar.rules import Permitted, Right, Rule, Ruled, defaults
from grammar.scanners import Days, NoHalf
from grammar.starts import weekdays_in
from grammar.tree import Leaf, Node

_FIXED: Final[Mapping[str, dict[str, Any]]] = {
    "once_per_user": {"once_per_user": True},
    "any_times": defaults("once_per_user"),
    "any_stream": defaults("only_live"),
    "missed_skip": {"missed": "skip"},
    "missed_once": {"missed": "once"},
    "missed_all": {"missed": "all"},
    "no_cooldown": defaults("cooldown"),
    "no_rate": defaults("rate"),
    "no_quiet": defaults("quiet_hours"),
    "no_mode": defaults("mode", "max", "key"),
    "no_group": defaults("group"),
    "no_exempt": defaults("exempt"),
    "no_may_run": defaults("may_run"),
    "no_may_edit": defaults("may_edit"),
    "no_missed": defaults("missed"),
    "no_late": defaults("late_seconds"),
}
_HIGHER: Final[Mapping[str, tuple[Role, ...]]] = {"subscriber": ("subscriber", "vip")}
"""Who else is meant by "subs and up": those above VIPs may wherever VIPs may."""


def rule(node: Node) -> Rule:
    """What a `rule` tree says.

    Raises:
        NotBuilt: It has the right form but no meaning.
    """
    if node.rule.startswith("rights_"):
        return _permitted(node)
    if node.rule == "rule_exempt":
        return _exempt(node)
    try:
        return Ruled(_fields(node))
    except ValidationError as error:
        raise NotBuilt(mistake(error)) from None


def _fields(node: Node) -> dict[str, Any]:  # noqa: C901  one line per rule
    match node.rule:
        case "rule_cooldown":
            return {"cooldown": Cooldown(seconds=_seconds(node, "DURATION", "UNIT_LENGTH"), per=_key(node))}
        case "rule_cooldown_user":
            return {"cooldown": Cooldown(seconds=_seconds(node, "DURATION", "UNIT_LENGTH"), per="user")}
        case "rule_cooldown_roles":
            if roles_in(node) != ("everyone",):
                raise NotBuilt("say who may at all, and how long each of them waits: cooldown 5 minutes per user")
            return {"cooldown": Cooldown(seconds=_seconds(node, "DURATION", "UNIT_LENGTH"), per="user")}
        case "rule_times_user":
            if count(node) != 1:
                raise NotBuilt("so often in what time? Such as: at most 2 starts in 1 hour")
            return _FIXED["once_per_user"]
        case "rule_rate":
            window, amount = node.node("window") or node, node.node("amount") or node
            if window.leaf("STREAM_LENGTH") is not None:
                raise NotBuilt("say how long that is, such as: at most 5 starts in 8 hours; streams are not counted by")
            if count(amount) == 1 and amount.leaf("HOW_OFTEN") is not None:  # once a minute is a rest of a minute
                return {"cooldown": Cooldown(seconds=_seconds(window, "DURATION", "UNIT_LENGTH"))}
            return {"rate": Rate(count=count(amount), seconds=_seconds(window, "DURATION", "UNIT_LENGTH"))}
        case "rule_quiet":
            start, end = _clocks(node)
            return {"quiet_hours": QuietHours(start=start, end=end)}
        case "rule_awake":
            start, end = _clocks(node)
            return {"quiet_hours": QuietHours(start=end, end=start)}
        case "rule_quiet_before":
            return {"quiet_hours": QuietHours(start="00:00", end=_clocks(node)[0])}
        case "rule_mode":
            return {"mode": _value(node, "MODE"), "max": _most(node), "key": _key(node)}
        case "rule_at_once":
            return {"mode": "parallel", "max": count(node), "key": _key(node)}
        case "rule_group":
            return {"group": _value(node, "STRING")}
        case "rule_late":
            return {"late_seconds": _seconds(node, "DURATION")}
        case "rule_live":
            return {"only_live": True}
        case "rule_fixed":
            return _FIXED[_value(node, "RULE")]
        case other:
            raise AssertionError(f"policies.lark has no rule {other}")


def _most(node: Node) -> int | None:
    if node.leaf("NUMBER") is None:
        return None
    if _value(node, "MODE") != "queued":
        raise NotBuilt("only runs that go one after the other stand in line")
    return count(node)


def _exempt(node: Node) -> Permitted:
    """`no cooldown for mods`."""
    if _value(node, "RULE") not in ("no_cooldown", "no_rate", "no_quiet"):
        raise NotBuilt("only cooldowns, rates and quiet hours can be for some people and not for others")
    return Permitted("exempt", roles_in(node), "add")


def _permitted(node: Node) -> Permitted:
    said = node.leaf("MAY", "MAY_NOT")
    right = cast("Right", "may_run" if said is None else str(said.value))
    if node.rule == "rights_together":  # `vips may run it too, so mods and vips`
        some, everybody = (roles_in(Node("rule", [each])) for each in node.nodes("roles"))
        if not set(some) <= set(everybody):
            raise NotBuilt("say in one way who may run it")
        return Permitted(right, everybody, "only")
    how: Any = node.rule.removeprefix("rights_")
    return Permitted(right, roles_in(node), how)


def roles_in(node: Node) -> tuple[Role, ...]:
    """The roles that are named."""
    listed = node.node("roles")
    found: list[Role] = []
    for each in listed.nodes("role") if listed is not None else ():
        role = cast("Role", _value(each, "ROLE", "EVERYONE"))
        found.extend(_HIGHER.get(role, (role,)) if each.leaf("_AND_UP") is not None else (role,))
    return tuple(found)


def without_roles(node: Node) -> Formula:
    """`not on mods or vips`: nobody who is any of them."""
    roles = roles_in(node)
    if "everyone" in roles:
        raise NotBuilt("then nobody would be left")
    found = tuple(Not(has_role(role)) for role in roles)
    return found[0] if len(found) == 1 else And(found)


def of_roles(node: Node) -> Formula:
    """`is for subs only`: somebody who is one of them."""
    roles = roles_in(node)
    if "everyone" in roles:
        raise NotBuilt("everyone may anyhow")
    found = tuple(has_role(role) for role in roles)
    return found[0] if len(found) == 1 else Or(found)


def weekdays(node: Node) -> frozenset[int]:
    """`on sundays`: days of the week, and no others."""
    days = leaf_of(node, "DAYS").value
    if days != Days(weekday=days.weekday) or not _PLAIN_DAYS.fullmatch(days.weekday):
        raise NotBuilt("only days of the week can be left out, such as sundays")
    return weekdays_in(days.weekday)


_PLAIN_DAYS: Final = re.compile(r"[0-6](?:-[0-6])?(?:,[0-6](?:-[0-6])?)*")


def _key(node: Node) -> str | None:
    per = node.node("per")
    return None if per is None else _value(per, "PER", "STRING")


def count(node: Node) -> int:
    """A whole number."""
    number = leaf_of(node, "NUMBER", "HOW_OFTEN").value
    if not float(number).is_integer():
        raise NotBuilt(f"{number} is no number of times")
    return int(number)


def _clocks(node: Node) -> list[str]:
    times = [leaf for leaf in node.children if isinstance(leaf, Leaf) and leaf.type == "TIME"]
    halved = next((leaf for leaf in times if isinstance(leaf.value, NoHalf)), None)
    if halved is not None:
        raise NotBuilt(f"{halved.text} in the morning or in the evening? Say am or pm after it")
    minutes = [int(leaf.value) for leaf in times]
    return [f"{each // 60:02}:{each % 60:02}" for each in minutes]


def _seconds(node: Node, *types: str) -> float:
    return seconds_of(leaf_of(node, *types))


def _value(node: Node, *types: str) -> str:
    return str(leaf_of(node, *types).value)
