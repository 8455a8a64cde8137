"""Which value a name has at one moment of one run: the look-up order, and the few names that are always there.

Order: loop variable, set variables and arguments, step results, event fields, config, community data, stream. The
reserved roots come before all of them, so that nobody can pass themselves off as `caller` by an argument. A dotted name
reaches into nested values and also finds a setting whose key has dots in it. Only mapping keys and list positions are
looked at, never attributes of Python objects. This module reads no formula and no template.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from engine.errors import EvaluationError
from engine.execution import Values

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
RESERVED: Final = frozenset(
    {"event", "user", "caller", "results", "config", "data", "date", "time", "clock", "weekday", "late"}
)
EMPTY: Final[Values] = {}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Missing:
    """The value of a name that stands for nothing."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


class Scope:
    """All values in reach at one moment. Made once per transition; its mappings are read, never written."""

    __slots__ = (
        "caller",
        "config",
        "data",
        "event",
        "gathered",
        "late",
        "loop",
        "now",
        "results",
        "stream",
        "user",
        "variables",
        "zone",
    )

    def __init__(
        self,
        *,
        variables: Values = EMPTY,
        results: Values = EMPTY,
        event: Values = EMPTY,
        user: Any = None,
        caller: Any = None,
        config: Values = EMPTY,
        data: Values = EMPTY,
        stream: Values = EMPTY,
        zone: str = "UTC",
        now: float = 0.0,
        late: int = 0,
        loop: Values = EMPTY,
        gathered: Values = EMPTY,
    ) -> None:
        self.variables = variables
        self.results = results
        self.event = event
        self.user = user
        self.caller = caller
        self.config = config
        self.data = data
        self.stream = stream
        self.zone = zone
        self.now = now
        self.late = late
        self.loop = loop
        self.gathered = gathered


Evaluate: TypeAlias = Callable[[Scope], Any]


def compile_path(path: str) -> Evaluate:
    """A function that finds the value of a dotted name in a scope, or `MISSING`."""
    head, *rest = path.split(".")
    if head == "results" and len(rest) > 1 and "all" in rest[1:]:
        return _all_rounds(tuple(rest), _rooted(_ROOTS[head], tuple(rest)))
    if head in _ROOTS:
        return _rooted(_ROOTS[head], tuple(rest))
    if not rest:
        return _plain(path)
    return _dotted(path)


def under_root(path: str) -> tuple[str, str] | None:
    """The root and the key of a name that lies right under one whose values are looked up, such as `data.deaths`."""
    head, *rest = path.split(".")
    return (head, rest[0]) if head in ("config", "data", "event", "results") and len(rest) == 1 else None


def _plain(name: str) -> Evaluate:
    def read(scope: Scope) -> Any:
        # Written out, without a tuple of them: most names stand in one of the first four.
        if name in scope.loop:
            return scope.loop[name]
        if name in scope.variables:
            return scope.variables[name]
        if name in scope.results:
            return scope.results[name]
        if name in scope.event:
            return scope.event[name]
        for source in (scope.config, scope.data, scope.stream):
            if name in source:
                return source[name]
        return scope.stream if name == "stream" else MISSING

    return read


def _dotted(path: str) -> Evaluate:
    ways = _ways(path)
    head, *rest = path.split(".")
    in_stream = tuple(rest) if head == "stream" else None
    deep = len(rest) > 1

    def read(scope: Scope) -> Any:
        for source in (scope.loop, scope.variables, scope.results, scope.event, scope.config, scope.data, scope.stream):
            if deep or head in source or path in source:  # most are empty, or know nothing of it
                value = _find(source, ways)
                if value is not MISSING:
                    return value
        return MISSING if in_stream is None else walk(scope.stream, in_stream)

    return read


def _rooted(root: Evaluate, rest: tuple[str, ...]) -> Evaluate:
    if not rest:
        return root
    if len(rest) == 1:
        return _below(root, rest)
    ways = _ways(".".join(rest))

    def read(scope: Scope) -> Any:
        value = root(scope)
        return _find(value, ways) if isinstance(value, Mapping) else walk(value, rest)

    return read


def _all_rounds(rest: tuple[str, ...], otherwise: Evaluate) -> Evaluate:
    """`results.x.all`: the results of `x` in all rounds of its loop, as a list."""
    at = rest.index("all", 1)
    name, inside = ".".join(rest[:at]), rest[at + 1 :]

    def read(scope: Scope) -> Any:
        return walk(scope.gathered[name], inside) if name in scope.gathered else otherwise(scope)

    return read


def _below(root: Evaluate, rest: tuple[str]) -> Evaluate:
    """What `_rooted` does for a name right under a root, which most are."""
    (name,) = rest

    def read(scope: Scope) -> Any:
        value = root(scope)
        return value.get(name, MISSING) if value.__class__ is dict else walk(value, rest)

    return read


_Ways = tuple[tuple[str, tuple[str, ...]], ...]


def _ways(path: str) -> _Ways:
    """All splits of a dotted path into a key and what is looked for inside: `a.b.c` as a[b][c], a.b[c], and a.b.c."""
    parts = path.split(".")
    return tuple((".".join(parts[:count]), tuple(parts[count:])) for count in range(1, len(parts) + 1))


def _find(source: Values, ways: _Ways) -> Any:
    for key, rest in ways:
        if key in source:
            value = walk(source[key], rest)
            if value is not MISSING:
                return value
    return MISSING


def walk(value: Any, parts: Sequence[str]) -> Any:
    """Go into nested mappings and lists; a text answers to `name` with itself, as a person does."""
    for index, part in enumerate(parts):
        if value.__class__ is dict or isinstance(value, Mapping):
            if part not in value:
                return _find(value, _ways(".".join(parts[index:]))) if index + 1 < len(parts) else MISSING
            value = value[part]
        elif isinstance(value, list | tuple):
            if not (part.isascii() and part.isdigit()) or len(part) > 6 or int(part) >= len(value):
                return MISSING
            value = value[int(part)]
        elif isinstance(value, str) and part == "name":
            continue
        else:
            return MISSING
    return value


def not_set(path: str) -> EvaluationError:
    """The error for a variable that stands for nothing, with what to do about it."""
    head, _, rest = path.partition(".")
    match head:
        case "config":
            reason = f"the setting {rest or path} is not set"
        case "data":
            reason = f"{path} is not set: nothing is kept under that name"
        case "event":
            reason = f"{path} is not set: the event that started this has no such field"
        case "user" | "caller":
            reason = f"{path} is not set: nobody is behind this run"
        case "results":
            reason = f"{path} is not set: no step of that name has given a result"
        case _ if rest:
            reason = f"{path} is not set: start it with {path}=... or set it in the configuration"
        case _:
            reason = f"{path} is not set: start it with {path}=..."
    return EvaluationError(reason, variable=path)


# The names that are always there ------------------------------------------------------------------------------------


def _date(scope: Scope) -> str:
    moment = local_time(scope.now, scope.zone)
    return f"{moment.year:04}-{moment.month:02}-{moment.day:02}"


def _time(scope: Scope) -> str:
    moment = local_time(scope.now, scope.zone)
    return f"{moment.hour:02}-{moment.minute:02}-{moment.second:02}"


def _clock(scope: Scope) -> str:
    moment = local_time(scope.now, scope.zone)
    return f"{moment.hour:02}:{moment.minute:02}"


def _weekday(scope: Scope) -> str:
    return WEEKDAYS[local_time(scope.now, scope.zone).weekday()]


_ROOTS: Final[Mapping[str, Evaluate]] = {
    "event": attrgetter("event"),
    "user": lambda scope: MISSING if scope.user is None else scope.user,
    "caller": lambda scope: MISSING if scope.caller is None else scope.caller,
    "results": attrgetter("results"),
    "config": attrgetter("config"),
    "data": attrgetter("data"),
    "date": _date,
    "time": _time,
    "clock": _clock,
    "weekday": _weekday,
    "late": attrgetter("late"),
}


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError of its own; a folder is an OSError
        return UTC
    except KeyError:
        return UTC


def local_time(now: float, zone: str) -> datetime:
    """The wall clock of a zone; an unknown zone is UTC.

    Raises:
        EvaluationError: The moment is beyond the calendar.
    """
    try:
        return (_EPOCH + timedelta(seconds=now)).astimezone(_zone(zone))
    except (OverflowError, ValueError):
        raise EvaluationError("the date is beyond the calendar") from None
