"""Countdowns: moments that are waited for. Nothing happens by itself when one is over; whoever looks is told what is left."""

import re
from datetime import datetime, timedelta
from typing import Any, Final

from engine.data.ask import Answer, Ask, Refused
from engine.data.entries import Countdown
from engine.scope import local_time
from engine.wording import counted

MAX_SECONDS: Final = 10 * 366 * 86_400
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def set_countdown(ask: Ask) -> Answer:
    """Let a countdown end in so many seconds, or at a time."""
    key = ask.key("name")
    if ask.given("seconds") == ask.given("until"):
        raise Refused("wrong_param", "a countdown needs either seconds or until")
    until = ask.now + ask.number("seconds") if ask.given("seconds") else _moment(ask)
    if until <= ask.now:
        raise Refused("wrong_param", "that time is over already")
    return _ending(ask, key, until)


def add_to_countdown(ask: Ask) -> Answer:
    """Let a countdown end later, or earlier; one that is over or was never set counts from now."""
    key = ask.key("name")
    found = _set(ask, key)
    start = ask.now if found is None else max(found.until, ask.now)
    return _ending(ask, key, max(start + ask.number("seconds"), ask.now))


def countdown_left(ask: Ask) -> Answer:
    """How long it still is, in seconds and in words; 0 when it is over."""
    key = ask.key("name")
    found = _set(ask, key)
    if found is None:
        raise Refused("not_found", f'there is no countdown "{key}"')
    return Answer(_left(ask, found.until))


def _set(ask: Ask, key: str) -> Countdown | None:
    return ask.entry(("", key), Countdown, "countdown")


def _ending(ask: Ask, key: str, until: float) -> Answer:
    place = ("", key)
    _set(ask, key)  # nothing else may stand there
    if until - ask.now > MAX_SECONDS:
        raise Refused("too_large", f"a countdown may last {_in_words(MAX_SECONDS)} at most")
    return Answer(_left(ask, until), place, Countdown(until))


def _left(ask: Ask, until: float) -> dict[str, Any]:
    seconds = max(0, round(until - ask.now))
    return {"seconds": seconds, "over": until <= ask.now, "text": _in_words(seconds), "until": until}


def _moment(ask: Ask) -> float:
    """The time in `until`: `19:30` is the next one, a date is the community's, a number is UTC seconds."""
    given = ask.params["until"]
    if not isinstance(given, str):
        return float(ask.number("until"))
    text = ask.text("until", 40)
    here = local_time(ask.now, ask.zone)
    try:
        if (clock := _CLOCK.fullmatch(text)) is not None:
            at = here.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0, fold=0)
            return (at if at.timestamp() > ask.now else at + timedelta(days=1)).timestamp()
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=here.tzinfo)).timestamp()
    except (ValueError, OverflowError):
        raise Refused("wrong_param", f'"{text}" is no time: write 19:30, 2026-12-24 or 2026-12-24 18:00') from None


def _in_words(seconds: int) -> str:
    """The two largest units: `2 hours 5 minutes`."""
    parts = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(counted(count, unit))
    return " ".join(parts[:2]) or "0 seconds"
