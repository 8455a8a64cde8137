"""Instructions about many workflows, copies, templates and the past in canonical words. Nothing here reads."""

from typing import Final

from engine.events import kind_of
from engine.expressions import quote
from grammar.instruction import Past, Sort
from grammar.say_parts import say_duration

_STARTS: Final = {
    "timers": "timers",
    "commands": "commands",
    "redeems": "redeems",
    "by hand": "hand",
    "triggers": "triggers",
}


def say_sort(sort: Sort) -> str:
    """`enabled`, `tagged "redeems"`, `started by timers`, `started by a raid comes in`; empty for all."""
    parts: list[str] = [sort.state or ""]
    if sort.tag is not None:
        parts.append(f"tagged {quote(sort.tag)}")
    if sort.start is not None:
        parts.append(f"started by {_STARTS.get(sort.start) or _event(sort.start)}")
    if sort.using is not None:
        parts.append(f"using {quote(sort.using)}")
    return " ".join(part for part in parts if part)


def _event(name: str) -> str:
    kind = kind_of(name)
    return kind.clause if kind is not None else name


def say_past(past: int | Past) -> str:
    """`v3`, `yesterday`, `2 hours ago`, `2026-11-20 at 19:30`, `19:30`."""
    match past:
        case int():
            return f"v{past}"
        case Past(yesterday=True):
            return "yesterday"
        case Past(seconds=float() | int() as seconds):
            return f"{say_duration(seconds)} ago"
        case Past(date=str(date), time=time):
            return date if time is None else f"{date} at {time}"
        case Past(weekday=str(day)):
            return day
        case Past(time=time):
            return f"at {time}"
