"""From trees of events and schedules to the fields of a trigger: what happens, and what has to hold of it.

`wait until`, `collect` and triggers share the same events. One function for each sort; nothing is looked up here.
"""

import re
from typing import Any, Final

from engine.events import kind_of
from engine.formulas import Compare, Formula, Literal, TextTest, Variable
from grammar.leaves import NotBuilt, seconds_in, seconds_of, value_of
from grammar.scanners import NoUnit
from grammar.tree import Leaf, Node

HOUR: Final = 3_600
HOURLY: Final = "0 * * * *"


def event(node: Node) -> dict[str, Any]:
    """The fields of a trigger that say what happens."""
    match node.rule:
        case "event_plain":
            return {"on": value_of(node, "EVENT")}
        case "event_measured":
            return _measured(node)
        case "event_command":
            return _command(node)
        case "event_reward":
            return {"on": "reward.redeemed", "when": _equals("reward", value_of(node, "REWARD"))}
        case "event_category":
            return {"on": "category.changed", "when": _equals("category", value_of(node, "NEW_NAME", "STRING"))}
        case "event_named":
            return {"on": value_of(node, "STRING")}
        case "every":
            return _every(seconds_in(node))
        case "every_random":
            return _random_interval(node)
        case "at_once":
            return _once(node)
        case "at_days":
            return _schedule(node)
        case "hourly":
            return _hourly(node)
        case other:
            raise AssertionError(f"steps.lark has no event {other}")


def _equals(path: str, value: str) -> Formula:
    return Compare("==", Variable(path), Literal(value))


def _command(node: Node) -> dict[str, Any]:
    typed = str(value_of(node, "COMMAND", "STRING"))
    where = node.leaf("WHERE")
    name = "discord.message.received" if where is not None and where.value == "discord" else "message.received"
    if typed.startswith("!") and " " not in typed:
        return {"on": name, "when": _equals("command", typed.lower())}
    return {"on": name, "when": TextTest("contains", Variable("message"), Literal(typed))}


def _measured(node: Node) -> dict[str, Any]:
    name = value_of(node, "EVENT")
    kind = kind_of(name)
    measure = node.node("measure")
    if kind is None or measure is None or kind.measure is None:
        counted = kind.clause if kind is not None else name
        raise NotBuilt(f'"{counted}" cannot be counted; say the condition with if')
    compared = measure.leaf("COMPARE", "COMPARE_SUFFIX")
    unit = measure.leaf("UNIT")
    if unit is not None and unit.value != kind.measure:
        raise NotBuilt(f'"{kind.clause}" is counted in {kind.unit or kind.measure}, not in {unit.text}')
    operator: Any = compared.value if compared is not None else "=="
    number = Literal(value_of(measure, "NUMBER"))
    return {"on": name, "when": Compare(operator, Variable(kind.measure), number)}


def _hourly(node: Node) -> dict[str, Any]:
    if seconds_in(node) != HOUR:
        raise NotBuilt("only every hour can be on the hour; for other times say at which, such as every day at 19:30")
    return {"on": "schedule.fired", "schedule": HOURLY}


def _random_interval(node: Node) -> dict[str, Any]:
    """`every 20 to 40 minutes`: a first length without a unit has the second's."""
    least, most = (child for child in node.children if isinstance(child, Leaf))
    longest = seconds_of(most)
    if isinstance(least.value, NoUnit):
        return {**_every(least.value.number * _unit_of(most, longest)), "every_most_seconds": longest}
    return {**_every(seconds_of(least)), "every_most_seconds": longest}


def _every(seconds: float) -> dict[str, Any]:
    return {"on": "interval.elapsed", "every_seconds": seconds}


def _unit_of(leaf: Leaf, seconds: float) -> float:
    """The seconds of the unit in `40 minutes`."""
    number = re.match(r"\d+(?:\.\d+)?", leaf.text)
    if number is None or not float(number.group()):
        raise NotBuilt(f"say both lengths with their units, such as every 20 minutes to {leaf.text}")
    return seconds / float(number.group())


def _once(node: Node) -> dict[str, Any]:
    minutes = int(value_of(node, "TIME"))
    at = f"{value_of(node, 'DATE')}T{minutes // 60:02}:{minutes % 60:02}"
    return {"on": "schedule.fired", "at": at}


def _schedule(node: Node) -> dict[str, Any]:
    minutes = int(value_of(node, "TIME"))
    days = node.leaf("DAYS")
    return {
        "on": "schedule.fired",
        "schedule": f"{minutes % 60} {minutes // 60} * * {days.value if days is not None else '*'}",
    }
