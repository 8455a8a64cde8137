"""From trees of schedules to the fields of triggers: intervals, cron lines, single dates; and what holds a start back.

Times of a day with different minutes are a trigger each. Nothing is looked up here.
"""

import re
from typing import Any, Final, TypeAlias, cast

from grammar.leaves import NotBuilt, seconds_in, seconds_of, value_of
from grammar.scanners import Days, NoHalf, NoUnit
from grammar.tree import Leaf, Node

Fields: TypeAlias = dict[str, Any]
HOUR: Final = 3_600
MINUTE: Final = 60
_HOURS: Final = 24
_MOST_LINES: Final = 4


def schedules(node: Node) -> list[Fields]:  # noqa: C901  one line each
    """What a schedule says, as the fields of one trigger or of several."""
    match node.rule:
        case "every":
            return [_every(seconds_in(node))]
        case "every_random":
            return [_random_interval(node)]
        case "every_about":
            return [_about(node)]
        case "at_once":
            return [_once(node)]
        case "at_days":
            return _days(node)
        case "at_days_often":
            if seconds_in(node) != _HOURS * HOUR:
                raise NotBuilt("on which days at that time? Such as every monday at 19:30")
            return _days(node)
        case "some_time":
            raise NotBuilt(f"at what time of the day? Such as {_every_day_named(node)} at 19:00")
        case "hourly":
            return [_cron(_sharp(seconds_in(node), 0))]
        case "hourly_at":
            return [_cron(_sharp(seconds_in(node), _minute(node)))]
        case "every_between":
            return _between(node)
        case "by_cron":
            return [_cron(str(value_of(node, "STRING")))]
        case other:
            raise AssertionError(f"triggers.lark has no event {other}")


def holds(nodes: list[Node]) -> Fields:
    """What holds a start back, and the rest that is said of a trigger."""
    found: Fields = {}
    for node in nodes:
        name, value = _hold(node)
        if name in found:
            raise NotBuilt(f'"{name}" is said twice')
        found[name] = value
    return found


def _hold(node: Node) -> tuple[str, Any]:
    match node.rule:
        case "hold_lines":
            return "min_lines", value_of(node, "NUMBER")
        case "hold_live":
            return "only_live", True
        case "hold_cron":
            return "schedule", value_of(node, "STRING")
        case "hold_zone":
            return "zone", value_of(node, "STRING", "ZONE")
        case "hold_cooldown":
            return "cooldown_seconds", seconds_in(node)
        case "hold_own":
            return "own_messages", True
        case other:
            raise AssertionError(f"triggers.lark has no {other}")


# Intervals ---------------------------------------------------------------------------------------------------------------


def _every(seconds: float) -> Fields:
    return {"on": "interval.elapsed", "every_seconds": seconds}


def _random_interval(node: Node) -> Fields:
    """`every 20 to 40 minutes`: a first length without a unit has the second's."""
    least, most = _lengths(node)
    longest = seconds_of(most)
    return {**_every(_with_unit_of(least, most, longest)), "every_most_seconds": longest}


def _about(node: Node) -> Fields:
    """`every 30 minutes give or take 5 minutes`."""
    length, either = _lengths(node)
    middle, spread = seconds_of(length), seconds_of(either)
    if not 0 < spread < middle:
        raise NotBuilt(f"it cannot be {either.text} more or less than {length.text}")
    return {**_every(middle - spread), "every_most_seconds": middle + spread}


def _lengths(node: Node) -> tuple[Leaf, Leaf]:
    first, second = (child for child in node.children if isinstance(child, Leaf))
    return first, second


def _with_unit_of(least: Leaf, most: Leaf, longest: float) -> float:
    if not isinstance(least.value, NoUnit):
        return seconds_of(least)
    number = re.match(r"\d+(?:\.\d+)?", most.text)
    if number is None or not float(number.group()):
        raise NotBuilt(f"say both lengths with their units, such as every 20 minutes to {most.text}")
    return least.value.number * longest / float(number.group())


# Times of day ------------------------------------------------------------------------------------------------------------


def _once(node: Node) -> Fields:
    minutes = _clock(value_of(node, "TIME"))
    at = f"{value_of(node, 'DATE')}T{minutes // 60:02}:{minutes % 60:02}"
    return {"on": "schedule.fired", "at": at}


def _days(node: Node) -> list[Fields]:
    """Times of the same minute are one line, as cron can say them together."""
    said = node.leaf("DAYS")
    days = said.value if said is not None else Days()
    by_minute: dict[int, set[int]] = {}
    for leaf in node.leaves():
        if leaf.type == "TIME":
            minutes = _clock(leaf.value)
            by_minute.setdefault(minutes % 60, set()).add(minutes // 60)
    return [
        _cron(f"{minute} {','.join(map(str, sorted(hours)))} {days.day} {days.month} {days.weekday}")
        for minute, hours in by_minute.items()
    ]


def _every_day_named(node: Node) -> str:
    leaf = cast("Leaf", node.leaf("DAYS"))
    return f"every {leaf.text}"


def _clock(value: Any) -> int:
    if isinstance(value, NoHalf):
        raise NotBuilt(f"{value.hour} in the morning or in the evening? Say {value.hour}:00, or {value.hour + 12}:00")
    return int(value)


def _cron(line: str) -> Fields:
    return {"on": "schedule.fired", "schedule": line}


def _minute(node: Node) -> int:
    number = value_of(node, "NUMBER")
    if number not in range(60):
        raise NotBuilt(f"an hour has no minute {number}")
    return int(number)


def _sharp(seconds: float, minute: int) -> str:
    """The line for every so many minutes or hours, as the clock shows them."""
    hours, minutes = seconds / HOUR, seconds / MINUTE
    if hours == 1:
        return f"{minute} * * * *"
    if hours in range(2, _HOURS) and _HOURS % hours == 0:
        return f"{minute} */{hours:g} * * *"
    if minute == 0 and minutes in range(2, 60) and 60 % minutes == 0:
        return f"*/{minutes:g} * * * *"
    raise NotBuilt(
        "that does not come out even on a clock; say every 15 minutes or every 2 hours, or at which times, such as every day at 19:30"
    )


def _between(node: Node) -> list[Fields]:
    """`every hour from 18:00 to 23:00`, `every 30 minutes from 20:00 to 22:00`; one line where one can say it."""
    first, last = (_clock(leaf.value) for leaf in node.children if isinstance(leaf, Leaf) and leaf.type == "TIME")
    each = seconds_in(node) / MINUTE
    if each <= 0:
        raise NotBuilt("say how often, such as every 30 minutes")
    if each.is_integer() and first < last and (last - first) % each == 0:
        if each % 60 == 0 and _HOURS % (each / 60) == 0:
            step = "" if each == 60 else f"/{each / 60:g}"
            return [_cron(f"{first % 60} {first // 60}-{last // 60}{step} * * *")]
        if each < 60 and 60 % each == 0 and first % 60 == 0 and last % 60 == 60 - each:
            return [_cron(f"*/{each:g} {first // 60}-{last // 60} * * *")]
    if each.is_integer() and first != last:
        until = last if last > first else last + _HOURS * 60
        found = _at_times(range(first, until + 1, int(each)))
        if len(found) <= _MOST_LINES:
            return found
    raise NotBuilt(
        "that does not come out even on a clock; say every 30 minutes, and when it is to be quiet: quiet from 23:00 to 18:00"
    )


def _at_times(minutes: range) -> list[Fields]:
    """Times of the day, counted in minutes and perhaps beyond midnight; a line for those of the same minute."""
    by_minute: dict[int, set[int]] = {}
    for each in minutes:
        by_minute.setdefault(each % 60, set()).add(each // 60 % _HOURS)
    return [_cron(f"{minute} {','.join(map(str, sorted(hours)))} * * *") for minute, hours in by_minute.items()]
