"""Cron lines in words, where the words are read back to that very line; any other line is said as it is.

`every friday at 20:00`, `on the 1st of every month at 12:00`, `every 2 hours on the hour`. Nothing here reads.
"""

import re
from typing import Final

from grammar.say_parts import say_duration

_DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS: Final = (
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
)  # fmt: skip
_GROUPS: Final = {"*": "day", "1-5": "weekday", "0,6": "weekend"}
_NUMBER: Final = re.compile(r"0|[1-9]\d?")
_RANGE: Final = re.compile(r"(\d\d?)-(\d\d?)(?:/(\d\d?))?")
_NTH: Final = re.compile(r"([0-6])(?:#([1-5])|(L))")
_WORDS: Final = ("first", "second", "third", "fourth", "fifth")


def say_schedule(cron: object) -> str | None:
    """A cron line in words, or None if no words say exactly that line."""
    if not isinstance(cron, str) or len(fields := cron.split(" ")) != 5:
        return None
    minute, hour, *days = fields
    if days == ["*", "*", "*"] and (said := _say_hours(minute, hour)) is not None:
        return said
    times = _say_times(minute, hour)
    named = _say_days(*days)
    return None if times is None or named is None else f"{named} at {times}"


# Hours -----------------------------------------------------------------------------------------------------------------


def _say_hours(minute: str, hour: str) -> str | None:
    """`every hour at minute 15`, `every 15 minutes by the clock`, `every hour from 18:00 to 23:00`."""
    step = _step(minute, 60)
    if step is not None:
        return _say_minutes(step, hour)
    at = _whole(minute, 59)
    if at is None:
        return None
    hours = 1 if hour == "*" else _step(hour, 24)
    if hours is not None:
        sharp = "on the hour" if at == 0 else f"at minute {at}"
        return f"every {_every(hours, 3_600)} {sharp}"
    span = _span(hour)
    if span is None:
        return None
    first, last, each = span
    if (last - first) % each or (each > 1 and 24 % each):
        return None
    return f"every {_every(each, 3_600)} from {first:02}:{at:02} to {last:02}:{at:02}"


def _say_minutes(step: int, hour: str) -> str | None:
    if hour == "*":
        return f"every {_every(step, 60)} by the clock"
    span = _span(hour)
    if span is None or span[2] != 1:
        return None
    return f"every {_every(step, 60)} from {span[0]:02}:00 to {span[1]:02}:{60 - step:02}"


def _every(count: int, unit: int) -> str:
    return "hour" if count == 1 and unit == 3_600 else say_duration(count * unit)


def _step(field: str, whole: int) -> int | None:
    """The step of `*/15`, if it divides the hour or the day."""
    number = _whole(field.removeprefix("*/"), whole - 1) if field.startswith("*/") else None
    return number if number is not None and number > 1 and whole % number == 0 else None


def _span(hour: str) -> tuple[int, int, int] | None:
    found = _RANGE.fullmatch(hour)
    if found is None:
        return None
    first, last, each = int(found[1]), int(found[2]), int(found[3] or 1)
    written = f"{first}-{last}" + (f"/{each}" if each > 1 else "")
    return (first, last, each) if first < last <= 23 and each >= 1 and written == hour else None


# Times of day ----------------------------------------------------------------------------------------------------------


def _say_times(minute: str, hour: str) -> str | None:
    at = _whole(minute, 59)
    hours = [_whole(each, 23) for each in hour.split(",")]
    known = [each for each in hours if each is not None]
    if at is None or len(known) < len(hours) or known != sorted(set(known)):
        return None
    return " and ".join(f"{each:02}:{at:02}" for each in known)


def _whole(field: str, most: int) -> int | None:
    return int(field) if _NUMBER.fullmatch(field) and int(field) <= most else None


# Days ------------------------------------------------------------------------------------------------------------------


def _say_days(day: str, month: str, weekday: str) -> str | None:
    match day, month, weekday:
        case "*", "*", _:
            return _say_weekdays(weekday)
        case "L", "*", "*":
            return "on the last day of every month"
        case _, "*", "*":
            return _say_month_days(day)
        case _, _, "*":
            number, named = _whole(day, 31), _whole(month, 12)
            return f"on {_MONTHS[named - 1]} {number}" if number and named else None
        case _:
            return None


def _say_weekdays(field: str) -> str | None:
    if field in _GROUPS:
        return f"every {_GROUPS[field]}"
    nth = _NTH.fullmatch(field)
    if nth is not None:
        which = "last" if nth[3] else _WORDS[int(nth[2]) - 1]
        return f"on the {which} {_DAYS[int(nth[1])]} of every month"
    parts = field.split(",")
    plain = all(_whole(part, 6) is not None for part in parts)
    if len(set(parts)) < len(parts) or (plain and parts != sorted(parts)):
        return None
    named = [_say_part(part) for part in parts]
    said = [each for each in named if each is not None]
    return f"every {' and '.join(said)}" if len(said) == len(named) else None


def _say_part(part: str) -> str | None:
    single = _whole(part, 6)
    if single is not None:
        return _DAYS[single]
    span = re.fullmatch(r"([0-6])-([0-6])", part)
    return f"{_DAYS[int(span[1])]} to {_DAYS[int(span[2])]}" if span and span[1] < span[2] else None


def _say_month_days(field: str) -> str | None:
    numbers = [_whole(each, 31) for each in field.split(",")]
    known = [each for each in numbers if each]
    if len(known) < len(numbers) or known != sorted(set(known)):
        return None
    return f"on the {' and '.join(_nth(each) for each in known)} of every month"


def _nth(number: int) -> str:
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(0 if 10 < number < 20 else number % 10, "th")
    return f"{number}{suffix}"
