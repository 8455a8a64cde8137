"""When a trigger's time comes: cron lines, intervals and single moments, as UTC seconds. Pure: no clock, no chance drawn.

Cron lines and moments follow the wall clock of a zone, the trigger's own or the community's. Three rules settle what a
clock change does:

1. A cron line that names hours means times of day. A time that the change leaves out comes once, at the first moment
   after the gap; one that the change repeats comes once, the first time.
2. A cron line for every hour means every minute that the wall clock shows, so it goes on through a repeated hour.
3. An interval is a length of time and does not notice.

An interval counts from its last time, or from when the workflow was saved; after a downtime it keeps its beat. A random
one has no beat to keep: after a downtime at most its next time was missed, or with `all` as many as were drawn.

Times that fell into a downtime are left out (`skip`, also when nothing is said), made up for once (`once`) or each
(`all`, the latest hundred). Whatever the rule, the last one still happens if it is less than a minute late: a restart is
no reason to lose it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from hashlib import blake2b
from itertools import islice, takewhile
from math import floor
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from engine.events import canonical
from engine.model import Definition, Trigger

Rule: TypeAlias = Literal["skip", "once", "all"]
Draw: TypeAlias = Callable[[float], float]
"""Chance, 0 to 1, for the interval that begins at that time."""

GRACE_SECONDS: Final = 60.0
MOST_MADE_UP: Final = 100
MOST_TODAY: Final = 1_440
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = 3_600.0
_DAY: Final = 86_400.0
_HOURS: Final = 24
_FIELDS: Final = 5
_BEFORE_ALL: Final = datetime(2026, 1, 1)  # noqa: DTZ001  a wall clock's time, of no zone


@dataclass(frozen=True, slots=True, order=True)
class ScheduleKey:
    """Which schedule: a workflow's, by what it says of its time, so that editing another trigger leaves it alone."""

    workflow: str
    key: str


def by_the_clock(name: str) -> bool:
    """Whether an event of that name is one that the clock brings."""
    return name.startswith("scheduled.") or canonical(name) in ("schedule.fired", "interval.elapsed")


def is_defined(trigger: Trigger) -> bool:
    """Whether a trigger starts by the clock and says when."""
    return by_the_clock(trigger.on) and bool(times_said(trigger))


def times_said(trigger: Trigger) -> tuple[str, ...]:
    """The fields in which a trigger says its time; more than one is a mistake, and the first counts."""
    return tuple(name for name in ("at", "schedule", "every_seconds") if getattr(trigger, name) is not None)


def keyed_schedules(definition: Definition) -> dict[str, Trigger]:
    """The schedules of a workflow by their keys."""
    found: dict[str, Trigger] = {}
    for trigger in definition.triggers:
        if is_defined(trigger):
            key = _key(trigger)
            again = sum(1 for other in found if other.partition("-")[0] == key)
            found[f"{key}-{again + 1}" if again else key] = trigger
    return found


def _key(trigger: Trigger) -> str:
    content = (
        canonical(trigger.on),
        trigger.at,
        trigger.schedule,
        trigger.every_seconds,
        trigger.every_most_seconds,
        trigger.zone,
    )
    return blake2b(json.dumps(content).encode(), digest_size=8).hexdigest()


# The next time ---------------------------------------------------------------------------------------------------------


def next_time(trigger: Trigger, *, after: float, zone: str, chance: float) -> float | None:
    """The first time later than `after`, or None if there is none.

    Args:
        trigger: What says when.
        after: UTC seconds; for an interval its last time, or when the workflow was saved.
        zone: The community's.
        chance: 0 to 1, for a random interval.
    """
    where = _zone_of(trigger, zone)
    if trigger.at is not None:
        once = moment(trigger.at, where)
        return once if once is not None and once > after else None
    if trigger.schedule is not None:
        return _next_of_cron(trigger.schedule, after, where)
    if trigger.every_seconds is not None:
        return after + _length(trigger.every_seconds, trigger.every_most_seconds, chance)
    return None


def _zone_of(trigger: Trigger, zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(trigger.zone or zone)
    except (KeyError, ValueError, OSError):  # validation tells of it
        return ZoneInfo("UTC")


def moment(at: str, zone: ZoneInfo) -> float | None:
    """A local date and time as UTC seconds, or None if the calendar has no such date."""
    try:
        return _utc(datetime.fromisoformat(at), zone)
    except ValueError:
        return None


def _length(least: float, most: float | None, chance: float) -> float:
    return least if most is None else least + chance * max(0.0, most - least)


# Cron ------------------------------------------------------------------------------------------------------------------


def what_is_wrong(cron: str) -> str | None:
    """Why a text is no schedule, as what it is, or None if it is one."""
    if _parsed(cron, _BEFORE_ALL) is not None:
        return None if _next_of_cron(cron, 0.0, ZoneInfo("UTC")) is not None else "names a day that never comes"
    fields = cron.split()
    any_day = " ".join((*fields[:2], "*", *fields[3:]))
    never = len(fields) == _FIELDS and _parsed(any_day, _BEFORE_ALL) and _readable(fields[2])
    return "names a day that never comes" if never else "is not a schedule"


def _readable(day: str) -> bool:
    return _parsed(f"0 0 {day} * *", _BEFORE_ALL) is not None


def _parsed(cron: str, after: datetime) -> CronSim | None:
    """The times of a cron line on a wall clock of no zone."""
    if len(cron.split()) != _FIELDS:
        return None
    try:
        return CronSim(cron, after)
    except (CronSimError, ValueError):
        return None


def _next_of_cron(cron: str, after: float, zone: ZoneInfo) -> float | None:
    start = floor(after)  # cron's times are whole seconds, and a wall clock's fractions are rounded
    times = _parsed(cron, _wall(start, zone))
    if times is None:
        return None
    if len(times.hours) == _HOURS:
        return _next_shown(cron, start, zone)
    return next((at for wall in times if (at := _utc(wall, zone)) > start), None)


def _next_shown(cron: str, after: float, zone: ZoneInfo) -> float | None:
    """The next minute of every hour: as the wall clock goes on until it is changed, then as it goes on from there."""
    wall = _wall(after, zone)
    while (times := _parsed(cron, wall)) is not None and (found := next(times, None)) is not None:
        at = found.replace(tzinfo=timezone(_offset(after, zone))).timestamp()
        change = _next_change(zone, after, at)
        if change is None:
            return at
        after = change
        wall = _wall(change, zone) - timedelta(seconds=1)  # the very moment of the change counts too
    return None


def _next_change(zone: ZoneInfo, after: float, until: float) -> float | None:
    """When the wall clock is changed for the first time in (after, until], to the second."""
    before = _offset(after, zone)
    start = after
    while start < until:
        end = min(start + _DAY, until)
        if _offset(end, zone) != before:
            return _edge(zone, floor(start), end, before)
        start = end
    return None


def _edge(zone: ZoneInfo, start: float, end: float, before: timedelta) -> float:
    while end - start > 1:
        middle = floor((start + end) / 2)
        if _offset(middle, zone) == before:
            start = middle
        else:
            end = middle
    return float(floor(end))


def _offset(at: float, zone: ZoneInfo) -> timedelta:
    return datetime.fromtimestamp(at, zone).utcoffset() or timedelta()


def _wall(at: float, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)


def _utc(wall: datetime, zone: ZoneInfo) -> float:
    """When the wall clock shows that: the first time if it does so twice, the end of the gap if it never does."""
    while not _is_shown(wall, zone):
        wall += _MINUTE
    return wall.replace(tzinfo=zone).timestamp()


def _is_shown(wall: datetime, zone: ZoneInfo) -> bool:
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall


# Several times ---------------------------------------------------------------------------------------------------------


def _times(trigger: Trigger, after: float, zone: str, draw: Draw) -> Iterator[float]:
    at = next_time(trigger, after=after, zone=zone, chance=draw(after))
    while at is not None:
        yield at
        at = next_time(trigger, after=at, zone=zone, chance=draw(at))


def _is_beat(trigger: Trigger) -> bool:
    return times_said(trigger) == ("every_seconds",) and trigger.every_most_seconds is None


def latest(trigger: Trigger, *, after: float, until: float, zone: str, draw: Draw, most: int) -> tuple[float, ...]:
    """The last `most` times in (after, until], oldest first; of a random interval the first ones, as many as that."""
    if _is_beat(trigger) and trigger.every_seconds is not None:
        return _beats(trigger.every_seconds, after, until, most)
    if times_said(trigger)[:1] == ("every_seconds",):
        return tuple(islice(_until(_times(trigger, after, zone, draw), until), most))
    span = _HOUR
    while True:
        start = max(after, until - span)
        found = tuple(_until(_times(trigger, start, zone, draw), until))
        if len(found) >= most or start == after:
            return found[-most:]
        span *= 8


def _until(times: Iterator[float], end: float) -> Iterator[float]:
    for at in times:
        if at > end:
            return
        yield at


def _beats(every: float, after: float, until: float, most: int) -> tuple[float, ...]:
    count = floor((until - after) / every)
    count += after + (count + 1) * every <= until  # division rounds where multiplication does not
    count -= after + count * every > until
    return tuple(after + number * every for number in range(max(1, count - most + 1), count + 1))


def _middle(_: float) -> float:
    return 0.5


def missed(
    trigger: Trigger, *, last: float, now: float, zone: str, rule: Rule | None, draw: Draw = _middle
) -> tuple[float, ...]:
    """Which of the times since the last one are to happen now, oldest first.

    Args:
        trigger: What says when.
        last: Its last time, or when the workflow was saved.
        now: The present.
        zone: The community's.
        rule: What the workflow says of missed times; nothing said is `skip`.
        draw: Chance for a random interval.
    """
    return made_up(latest(trigger, after=last, until=now, zone=zone, draw=draw, most=MOST_MADE_UP), now, rule)


def made_up(times: tuple[float, ...], now: float, rule: Rule | None) -> tuple[float, ...]:
    """Which of the times that have come are to happen now, by the rule for missed ones."""
    match rule:
        case "all":
            return times
        case "once":
            return times[-1:]
        case "skip" | None:
            return tuple(at for at in times[-1:] if now - at < GRACE_SECONDS)


def today(trigger: Trigger, *, last: float, now: float, zone: str, draw: Draw = _middle) -> tuple[float, ...]:
    """Its times in what is left of the day that `now` is in, in the community's zone.

    Of an interval they follow from its last time; of a random one only the next is known.
    """
    where = ZoneInfo(zone)
    midnight = datetime.combine(_wall(now, where).date() + timedelta(days=1), datetime.min.time())
    times, most = _times(trigger, now, zone, draw), MOST_TODAY
    if times_said(trigger)[:1] == ("every_seconds",):
        beats = _beats(trigger.every_seconds or _DAY, last, now, 1) if _is_beat(trigger) else ()
        times = _times(trigger, max((last, *beats)), zone, draw)
        most = MOST_TODAY if _is_beat(trigger) else 1
    end = _utc(midnight, where)
    return tuple(at for at in islice(takewhile(lambda at: at < end, times), most) if at > now)
