"""When a time comes: tables for the two clock changes, and laws against an oracle that walks minute by minute."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.model import Definition, Trigger
from engine.schedules import (
    GRACE_SECONDS,
    MOST_MADE_UP,
    keyed_schedules,
    latest,
    missed,
    next_time,
    today,
    what_is_wrong,
)

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
HOUR = 3_600


def cron(line: str, zone: str | None = None) -> Trigger:
    return Trigger(on="schedule.fired", schedule=line, zone=zone)


def every(seconds: float, most: float | None = None) -> Trigger:
    return Trigger(on="interval.elapsed", every_seconds=seconds, every_most_seconds=most)


def once(at: str, zone: str | None = None) -> Trigger:
    return Trigger(on="schedule.fired", at=at, zone=zone)


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def shown(at: float, zone: str) -> str:
    return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%m-%d %H:%M %z")


def times(trigger: Trigger, after: float, zone: str) -> Iterator[float]:
    at = next_time(trigger, after=after, zone=zone, chance=0.5)
    while at is not None:
        yield at
        at = next_time(trigger, after=at, zone=zone, chance=0.5)


# Clock changes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "zone", "after", "expected"),
    [
        ("30 2 * * *", BERLIN, "2026-03-28T12:00", ["03-29 03:00 +0200", "03-30 02:30 +0200"]),
        ("30 2 * * *", BERLIN, "2026-10-24T12:00", ["10-25 02:30 +0200", "10-26 02:30 +0100"]),
        ("30 2 * * *", BERLIN, "2026-10-25T01:10", ["10-26 02:30 +0100"]),  # asked within the repeated hour
        ("30 2 * * *", NEW_YORK, "2026-03-07T12:00", ["03-08 03:00 -0400", "03-09 02:30 -0400"]),
        ("30 1 * * *", NEW_YORK, "2026-10-31T12:00", ["11-01 01:30 -0400", "11-02 01:30 -0500"]),
        ("0,30 2,3 * * *", BERLIN, "2026-03-28T12:00", ["03-29 03:00 +0200", "03-29 03:30 +0200", "03-30 02:00 +0200"]),
        ("*/20 2 * * *", BERLIN, "2026-03-28T12:00", ["03-29 03:00 +0200", "03-30 02:00 +0200"]),
        ("0 */2 * * *", BERLIN, "2026-03-29T00:30", ["03-29 03:00 +0200", "03-29 04:00 +0200"]),
        ("30 * * * *", BERLIN, "2026-03-29T00:00", ["03-29 01:30 +0100", "03-29 03:30 +0200"]),
        ("30 * * * *", BERLIN, "2026-10-25T00:00", ["10-25 02:30 +0200", "10-25 02:30 +0100", "10-25 03:30 +0100"]),
        ("15,45 * * * *", "Australia/Lord_Howe", "2026-04-04T14:30", ["04-05 01:45 +1100", "04-05 01:45 +1030"]),
        ("0 0 * * *", "America/Havana", "2026-03-07T12:00", ["03-08 01:00 -0400", "03-09 00:00 -0400"]),
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00", ["12-31 00:00 +1400", "12-30 12:00 +1400"]),
    ],
)  # fmt: skip
def test_a_time_that_is_left_out_comes_once_and_one_that_is_repeated_comes_once(
    line: str, zone: str, after: str, expected: list[str]
) -> None:
    assert [shown(at, zone) for at in islice(times(cron(line), utc(after), zone), len(expected))] == expected


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        ("2026-11-27T19:00", BERLIN, "2026-11-27T18:00"),
        ("2026-03-29T02:30", BERLIN, "2026-03-29T01:00"),
        ("2026-10-25T02:30", BERLIN, "2026-10-25T00:30"),
        ("2026-03-08T02:30", NEW_YORK, "2026-03-08T07:00"),
        ("2026-11-01T01:30", NEW_YORK, "2026-11-01T05:30"),
    ],
)
def test_a_moment_comes_once_and_never_again(at: str, zone: str, expected: str) -> None:
    assert list(times(once(at), utc("2026-01-01T00:00"), zone)) == [utc(expected)]


def test_a_trigger_follows_its_own_zone_before_the_communitys() -> None:
    after = utc("2026-11-26T00:00")
    assert next(times(cron("0 19 * * *"), after, BERLIN)) == utc("2026-11-26T18:00")
    assert next(times(cron("0 19 * * *", "Asia/Tokyo"), after, BERLIN)) == utc("2026-11-26T10:00")
    assert list(times(once("2026-11-27T19:00", "Asia/Tokyo"), after, BERLIN)) == [utc("2026-11-27T10:00")]


def test_an_interval_does_not_notice_a_clock_change() -> None:
    found = list(islice(times(every(1_800), utc("2026-10-24T23:45"), BERLIN), 6))
    assert [later - earlier for earlier, later in pairwise(found)] == [1_800] * 5


@pytest.mark.parametrize("before", [2.4e-7, 1e-6, 0.4, 0.5, 0.999_999, 1.5])
def test_a_time_a_moment_ahead_is_not_passed_over(before: float) -> None:
    due = utc("2026-11-26T18:00")
    for line in ("0 19 * * *", "0 * * * *"):
        assert next(times(cron(line), due - before, BERLIN)) == due
        assert next(times(cron(line), due, BERLIN)) > due


# The oracle -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A cron line, known by what its fields admit."""

    minutes: frozenset[int]
    hours: frozenset[int] | None
    days: frozenset[int] | None
    weekdays: frozenset[int] | None

    def __str__(self) -> str:
        def field(admitted: frozenset[int] | None) -> str:
            return "*" if admitted is None else ",".join(map(str, sorted(admitted)))

        return f"{field(self.minutes)} {field(self.hours)} {field(self.days)} * {field(self.weekdays)}"

    def admits(self, wall: datetime) -> bool:
        if wall.minute not in self.minutes or (self.hours is not None and wall.hour not in self.hours):
            return False
        day = self.days is None or wall.day in self.days
        weekday = self.weekdays is None or wall.isoweekday() % 7 in self.weekdays
        both = self.days is None or self.weekdays is None
        return (day and weekday) if both else (day or weekday)


def walked(line: Line, after: float, until: float, zone: str) -> list[float]:
    """Every time of a line in (after, until]: look at the clock each minute, and at the minutes it has passed since."""
    where = ZoneInfo(zone)
    start = int(after // 60) * 60 - 26 * HOUR
    furthest = datetime.fromtimestamp(start, where).replace(tzinfo=None, fold=0)
    found = []
    for at in range(start + 60, int(until) + 1, 60):
        wall = datetime.fromtimestamp(at, where).replace(tzinfo=None, fold=0)
        passed = []
        while furthest < wall:
            furthest += timedelta(minutes=1)
            passed.append(furthest)
        if after < at and any(map(line.admits, [wall] if line.hours is None else passed)):
            found.append(float(at))
    return found


def some(low: int, high: int, most: int) -> st.SearchStrategy[frozenset[int]]:
    return st.frozensets(st.integers(low, high), min_size=1, max_size=most)


lines = st.builds(
    Line,
    some(0, 59, 4),
    st.one_of(st.none(), some(0, 23, 4), some(0, 3, 4)),
    st.one_of(st.none(), st.none(), some(1, 31, 12)),
    st.one_of(st.none(), st.none(), some(0, 6, 4)),
)
changes = st.sampled_from(
    [
        (BERLIN, "2026-03-29T01:00"),
        (BERLIN, "2026-10-25T01:00"),
        (NEW_YORK, "2026-03-08T07:00"),
        (NEW_YORK, "2026-11-01T06:00"),
        ("Australia/Lord_Howe", "2026-04-04T15:00"),
        ("Australia/Lord_Howe", "2026-10-03T15:30"),
        ("America/Havana", "2026-03-08T05:00"),
        ("America/Havana", "2026-11-01T05:00"),
        ("Africa/Cairo", "2026-04-23T22:00"),
        ("Africa/Cairo", "2026-10-29T21:00"),
        ("Pacific/Apia", "2011-12-30T10:00"),
        ("Asia/Kolkata", "2026-06-01T00:00"),
        ("UTC", "2028-02-29T00:00"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(lines, changes, st.floats(-30 * HOUR, 6 * HOUR))
@example(Line(frozenset([45]), None, None, None), ("Australia/Lord_Howe", "2026-04-04T15:00"), -600.0)
def test_no_time_is_left_out_and_none_is_made_up(line: Line, change: tuple[str, str], offset: float) -> None:
    zone, at = change
    after = utc(at) + offset
    until = after + 36 * HOUR
    found = []
    for time in times(cron(str(line)), after, zone):
        assert time > (found[-1] if found else after)
        if time > until:
            break
        found.append(time)
    assert found == walked(line, after, until, zone)


@settings(max_examples=60, deadline=None)
@given(lines, changes, st.floats(-30 * HOUR, 6 * HOUR), st.floats(0, 30 * HOUR), st.integers(1, 40))
def test_the_latest_times_are_the_last_of_all(
    line: Line, change: tuple[str, str], offset: float, gone: float, most: int
) -> None:
    zone, at = change
    after = utc(at) + offset
    found = latest(cron(str(line)), after=after, until=after + gone, zone=zone, draw=lambda _: 0.5, most=most)
    assert list(found) == walked(line, after, after + gone, zone)[-most:]


# Intervals --------------------------------------------------------------------------------------------------------------

periods = st.floats(1, 100_000)
instants = st.floats(0, 4e9)


@given(periods, st.floats(0, 100_000), instants, st.floats(0, 1))
def test_a_random_interval_lies_between_its_two_lengths(least: float, more: float, after: float, chance: float) -> None:
    found = next_time(every(least, least + more), after=after, zone=BERLIN, chance=chance)
    assert found is not None
    assert after + least <= found <= after + least + more


@given(periods, instants, st.floats(0, 1e6), st.integers(1, 5))
@example(0.1 + 1, 0.0, 3 * (0.1 + 1), 5)
def test_an_interval_keeps_its_beat_over_a_downtime(seconds: float, after: float, gone: float, most: int) -> None:
    until = after + gone
    found = latest(every(seconds), after=after, until=until, zone=BERLIN, draw=lambda _: 0.5, most=most)
    last = found[-1] if found else after
    assert len(found) <= most
    assert all(after < at <= until for at in found)
    following = next_time(every(seconds), after=last, zone=BERLIN, chance=0)
    assert following is not None
    assert following > until or following == pytest.approx(until, abs=1e-5)
    assert (last - after) / seconds == pytest.approx(round((last - after) / seconds), abs=1e-4)


@given(periods, instants)
@example(1.1, 0.3)
def test_when_an_intervals_time_comes_it_has_come(seconds: float, after: float) -> None:
    due = next_time(every(seconds), after=after, zone=BERLIN, chance=0)
    assert due is not None
    assert latest(every(seconds), after=after, until=due, zone=BERLIN, draw=lambda _: 0.5, most=1) == (due,)


def test_of_a_second_each_second_for_a_year_the_latest_are_found_at_once() -> None:
    year = 365 * 86_400.0
    found = latest(every(1), after=0.0, until=year, zone="UTC", draw=lambda _: 0, most=3)
    assert found == (year - 2, year - 1, year)


# Missed times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "away", "rule", "expected"),
    [
        (every(600), 59 + 600, None, [600]),
        (every(600), 60 + 600, None, []),
        (every(600), 59 + 1_800, "skip", [1_800]),
        (every(600), 3_599, "once", [3_000]),
        (every(600), 3_599, "all", [600, 1_200, 1_800, 2_400, 3_000]),
        (every(600), 599, "all", []),
        (cron("*/10 * * * *"), 3_599, "all", [600, 1_200, 1_800, 2_400, 3_000]),
        (cron("*/10 * * * *"), 3_599, "once", [3_000]),
        (cron("*/10 * * * *"), 3_600 + 59, None, [3_600]),
        (once("2026-11-26T01:30"), 1_859, None, [1_800]),
        (once("2026-11-26T01:30"), 1_860, None, []),
        (once("2026-11-26T01:30"), 86_400, "once", [1_800]),
    ],
)
def test_what_was_missed_is_made_up_for_by_the_rule(
    trigger: Trigger, away: float, rule: object, expected: list[float]
) -> None:
    last = utc("2026-11-26T00:00")
    found = missed(trigger, last=last, now=last + away, zone=BERLIN, rule=rule)  # type: ignore[arg-type]
    assert [at - last for at in found] == expected


def test_of_all_that_was_missed_the_latest_hundred_are_made_up_for() -> None:
    last = utc("2026-11-26T00:00")
    now = last + 7 * 86_400
    for trigger in (every(60), cron("* * * * *")):
        found = missed(trigger, last=last, now=now, zone=BERLIN, rule="all")
        assert len(found) == MOST_MADE_UP
        assert found[-1] == now


@settings(deadline=None)
@given(lines, changes, st.floats(0, 40 * HOUR))
def test_less_is_never_made_up_for_by_a_stricter_rule(line: Line, change: tuple[str, str], gone: float) -> None:
    zone, at = change
    last, trigger = utc(at), cron(str(line))
    everything, one, skipped = (
        missed(trigger, last=last, now=last + gone, zone=zone, rule=rule)  # type: ignore[arg-type]
        for rule in ("all", "once", "skip")
    )
    assert one == everything[-1:]
    assert skipped in ((), one)
    assert all(last + gone - at < GRACE_SECONDS for at in skipped)


# Today ------------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(lines, changes, st.floats(0, 23 * HOUR))
def test_today_is_what_is_left_of_the_local_day(line: Line, change: tuple[str, str], into: float) -> None:
    zone, at = change
    now = utc(at) + into
    date = datetime.fromtimestamp(now, ZoneInfo(zone)).date()
    rest = [
        at
        for at in walked(line, now, now + 26 * HOUR, zone)
        if datetime.fromtimestamp(at, ZoneInfo(zone)).date() == date
    ]
    assert list(today(cron(str(line)), last=now, now=now, zone=zone)) == rest


def test_today_an_interval_follows_from_its_last_time() -> None:
    last, now = utc("2026-11-26T08:10"), utc("2026-11-26T20:00")
    assert [shown(at, BERLIN)[6:11] for at in today(every(1_800), last=last, now=now, zone=BERLIN)] == [
        "21:10", "21:40", "22:10", "22:40", "23:10", "23:40",
    ]  # fmt: skip


def test_of_a_random_interval_only_the_next_time_is_known() -> None:
    now = utc("2026-11-26T12:00")
    assert today(every(600, 1_200), last=now, now=now, zone=BERLIN) == (now + 900,)
    assert today(every(86_400, 90_000), last=now, now=now, zone=BERLIN) == ()


def test_today_ends_at_the_communitys_midnight_whatever_the_schedules_zone() -> None:
    now = utc("2026-11-26T12:00")
    assert today(cron("0 8 * * *", "Asia/Tokyo"), last=now, now=now, zone="UTC") == (utc("2026-11-26T23:00"),)
    assert today(cron("0 8 * * *", "Asia/Tokyo"), last=now, now=now, zone=BERLIN) == ()
    assert today(Trigger(on="raid"), last=now, now=now, zone=BERLIN) == ()


# What is no schedule, and which is which ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("0 18 * * 5", None),
        ("0 18 * * FRI", None),
        ("0 0 L * *", None),
        ("0 0 29 2 *", None),
        ("0 0 30 2 1", None),  # or any Monday in February
        ("0 0 30 2 *", "names a day that never comes"),
        ("0 0 31 4,6,9,11 *", "names a day that never comes"),
        ("every friday", "is not a schedule"),
        ("0 0 33 * *", "is not a schedule"),
        ("0 0 33 2 *", "is not a schedule"),
        ("* * * * * *", "is not a schedule"),
        ("", "is not a schedule"),
    ],
)
def test_it_is_known_what_is_wrong_with_a_cron_line(line: str, wrong: str | None) -> None:
    assert what_is_wrong(line) == wrong


fields = st.text(st.sampled_from("0123456789*/,-L#WMONFRI "), max_size=12)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(fields, min_size=5, max_size=5).map(" ".join)))
def test_any_text_is_judged_and_what_is_a_schedule_comes(text: str) -> None:
    wrong = what_is_wrong(text)
    found = next_time(cron(text or "x"), after=0.0, zone="UTC", chance=0)
    assert (wrong is None) == (found is not None)


def keys(*triggers: Trigger) -> list[str]:
    wait = {"service": "internal", "method": "wait", "params": {"seconds": 1}}
    states = [{"name": "a", "action": wait, "transitions": {}}]
    data = {"id": "x", "name": "x", "initial_state": "a", "states": states, "triggers": triggers}
    return list(keyed_schedules(Definition.model_validate(data)))


def test_a_schedule_is_known_by_what_it_says_of_its_time() -> None:
    [alone] = keys(every(600))
    assert keys(Trigger(on="raid"), cron("0 18 * * 5"), every(600))[1] == alone
    assert keys(every(600).model_copy(update={"min_lines": 10, "only_live": True, "cooldown_seconds": 5})) == [alone]
    assert keys(Trigger(on="interval", every_seconds=600)) == [alone]
    others = [
        every(601), every(600, 900), cron("0 18 * * 5"), cron("0 18 * * 5", BERLIN), once("2026-11-27T19:00"),
        once("2026-11-27T19:01"), Trigger(on="scheduled.x", every_seconds=600),
    ]  # fmt: skip
    assert len({alone, *(key for other in others for key in keys(other))}) == 8
    first, second = keys(every(600), every(600))
    assert first == alone != second


def test_what_names_no_time_or_is_no_schedule_has_none() -> None:
    assert keys(Trigger(on="scheduled.friday"), Trigger(on="interval"), Trigger(on="raid", schedule="0 18 * * 5")) == []
    assert next_time(Trigger(on="raid"), after=0.0, zone=BERLIN, chance=0) is None
    assert next_time(once("2026-02-30T19:00"), after=0.0, zone=BERLIN, chance=0) is None
    assert next_time(cron("0 0 * * *", "Mars"), after=0.0, zone=BERLIN, chance=0) == 86_400.0
