"""The parts of lines that begin with `/`: names, numbers, durations, texts in quotes, fields.

Each is read, or refused with `NotReadable`.
"""

import json
import re
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.drive import MAX_DURATION, Seconds
from bot.message import is_name

MAX_NAMES: Final = 500
MAX_NESTING: Final = 8
_COUNT: Final = re.compile(r"\d{1,9}")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ITEM: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^",]+?))\s*(?:,|$)', re.DOTALL)


class NotReadable(ValueError):
    """Why a line cannot be read; empty = it only needs its usage line."""


def halves(text: str) -> tuple[str, str]:
    """The first word and the rest, which may be empty."""
    head, _gap, tail = text.partition(" ")
    return head, tail.strip()


def split(text: str) -> tuple[str, str]:
    """The first word and the rest, which must be there."""
    head, tail = halves(text)
    if not tail:
        raise NotReadable
    return head, tail


def person(word: str) -> str:
    """A name as people write it."""
    name = word.removeprefix("@")
    if not is_name(name):
        raise NotReadable("A name is one word of at most 64 characters." if name else "")
    return name


def channel(word: str) -> str:
    """A channel's name, with or without `#`."""
    return person(word.removeprefix("#"))


def count(word: str) -> int:
    """A whole number, not below zero."""
    if not _COUNT.fullmatch(word.strip()):
        raise NotReadable(f'"{word[:20]}" is not a number.' if word else "")
    return int(word)


def duration(text: str, seconds: Seconds) -> float:
    """Seconds, a year of them at most."""
    found = seconds(text.strip()) if text else None
    if found is None:
        raise NotReadable(f'"{text[:40]}" is not a duration.' if text else "")
    if not 0 <= found <= MAX_DURATION:
        raise NotReadable("That is longer than a year.")
    return found


def first(text: str) -> tuple[str, str]:
    """What is quoted at the beginning, or else the first word; and the rest."""
    quoted = _QUOTED.match(text)
    return (_unescaped(quoted[1]), text[quoted.end() :]) if quoted else halves(text)


def unquoted(text: str) -> str:
    """A text without the quotes around all of it, if they are."""
    stripped = text.strip()
    quoted = _QUOTED.fullmatch(stripped)
    return _unescaped(quoted[1]) if quoted else stripped


def _unescaped(inside: str) -> str:
    return re.sub(r'\\(["\\])', r"\1", inside)


def scalar(text: str) -> str | int | float | bool:
    """A number, true or false if it is written as one, else the text."""
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?(0|[1-9]\d{0,17})", text):
        return int(text)
    if re.fullmatch(r"-?(0|[1-9]\d{0,14})\.\d{1,9}", text):
        return float(text)
    return unquoted(text)


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise NotReadable(f'There is no time zone "{name[:40]}"; they are called like Europe/Berlin.') from None


def items(text: str) -> tuple[str, ...]:
    """Names separated by commas, quoted or not."""
    names: list[str] = []
    at = 0
    while at < len(text):
        item = _ITEM.match(text, at)
        if item is None:
            raise NotReadable("Names are separated by commas, each in quotes if need be.")
        names.append(_unescaped(item[1]) if item[1] is not None else item[2])
        at = item.end()
    if len(names) > MAX_NAMES or any(len(name) > 200 for name in names):
        raise NotReadable(f"At most {MAX_NAMES} names of 200 characters each.")
    return tuple(names)


def json_object(text: str) -> dict[str, Any]:
    """The fields of an event."""
    try:
        # A line break inside a text has already been made one when the line was read.
        value = json.loads(text, strict=False, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise NotReadable("The fields must be one JSON object.")
    if _deeper_than(value, MAX_NESTING):
        raise NotReadable(f"The fields may be nested {MAX_NESTING} deep.")
    return value


def _deeper_than(value: object, most: int) -> bool:
    layer: list[Any] = [value]
    for _ in range(most):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return any(isinstance(inner, dict | list) for inner in layer)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
