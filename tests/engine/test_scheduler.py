"""What is due in a community: nothing twice, nothing lost, whatever is restarted, edited or slept through."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.agenda import agenda
from engine.events import Event
from engine.model import Definition, Trigger
from engine.scheduler import Scheduler, held_back, trigger_of
from engine.schedules import keyed_schedules

BERLIN = "Europe/Berlin"
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp()
DAILY = {"on": "schedule.fired", "schedule": "0 19 * * *"}  # 18:00 UTC
EVERY_10 = {"on": "interval.elapsed", "every_seconds": 600}
RANDOM = {"on": "interval.elapsed", "every_seconds": 600, "every_most_seconds": 1_200}


def flow(*triggers: Any, missed: str | None = None) -> Definition:
    wait = {"service": "internal", "method": "wait", "params": {"seconds": 1}}
    states = [{"name": "a", "action": wait, "transitions": {}}]
    policy = {"missed": missed} if missed else {}
    data = {"id": "w", "name": "w", "initial_state": "a", "states": states, "triggers": triggers, "policy": policy}
    return Definition.model_validate(data)


class Room:
    """A scheduler with the store beside it: what has happened, and what is kept."""

    def __init__(self, *triggers: Any, missed: str | None = None) -> None:
        self.definition = flow(*triggers, missed=missed)
        self.events: list[Event] = []
        self.left_out = 0
        self.start(NOON)
        self.kept = self.scheduler.put("w", self.definition, saved=NOON, now=NOON)

    def start(self, now: float) -> None:
        """A new process, which knows only what was kept."""
        self.scheduler = Scheduler("c", BERLIN)
        if hasattr(self, "kept"):
            self.scheduler.put("w", self.definition, saved=NOON, now=now, since=self.kept)

    def until(self, now: float) -> list[float]:
        """Ask whenever something is due; when it was due that happened, in seconds since noon."""
        happened = []
        while (due := self.scheduler.next_due) is not None and due <= now:
            happened += self.ask(due)
        return happened

    def ask(self, now: float) -> list[float]:
        fallen = self.scheduler.due(now)
        assert fallen == self.scheduler.due(now)
        for each in fallen:
            self.events += each.events
            self.left_out += each.left_out
            self.kept[each.id.key] = each.since
            self.scheduler.settle(each)
        assert self.scheduler.due(now) == ()
        return [event.payload["due"] - NOON for each in fallen for event in each.events]


def test_what_is_due_comes_at_its_time_with_a_name_of_its_own() -> None:
    room = Room(DAILY)
    assert room.scheduler.next_due == NOON + 6 * 3_600
    assert room.until(NOON + 6 * 3_600 - 1) == []
    assert room.until(NOON + 6 * 3_600) == [6 * 3_600]
    [event] = room.events
    [key] = keyed_schedules(room.definition)
    assert event.id == f"schedule/w/{key}/{NOON + 6 * 3_600:.3f}"
    assert (event.name, event.community, event.at) == ("schedule.fired", "c", NOON + 6 * 3_600)
    assert event.payload["schedule"] == "0 19 * * *"
    assert room.scheduler.next_due == NOON + 30 * 3_600


def test_a_named_schedule_and_an_interval_are_called_what_they_are() -> None:
    room = Room({"on": "scheduled.stream_start", "schedule": "0 14 * * *"}, {"on": "interval", "every_seconds": 3_600})
    room.until(NOON + 3_600)
    assert {(event.name, event.payload["schedule"]) for event in room.events} == {
        ("scheduled.stream_start", "stream_start"),
        ("interval.elapsed", "interval"),
    }


def test_what_is_due_together_comes_in_the_order_of_its_times() -> None:
    room = Room(DAILY, {**EVERY_10, "every_seconds": 21_590}, {"on": "schedule.fired", "at": "2026-11-26T18:59"})
    room.start(NOON + 21_605)
    assert room.ask(NOON + 21_605) == [21_590, 21_600]
    assert room.left_out == 1  # 18:59 was 65 seconds ago


@pytest.mark.parametrize(
    ("missed", "happened", "left_out"),
    [(None, [], 3), ("skip", [], 3), ("once", [1_800], 2), ("all", [600, 1_200, 1_800], 0)],
)
def test_after_a_downtime_the_rule_says_what_is_made_up_for(
    missed: str | None, happened: list[float], left_out: int
) -> None:
    room = Room(EVERY_10, missed=missed)
    room.start(NOON + 2_000)
    assert room.ask(NOON + 2_000) == happened
    assert room.left_out == left_out
    assert room.scheduler.next_due == NOON + 2_400, "it keeps its beat"


def test_a_machine_that_slept_is_asked_the_same_question() -> None:
    asleep, restarted = Room(EVERY_10, missed="all"), Room(EVERY_10, missed="all")
    restarted.start(NOON + 2_000)
    assert asleep.ask(NOON + 2_000) == restarted.ask(NOON + 2_000)
    assert asleep.events == restarted.events


def test_what_could_not_be_committed_is_asked_for_again_under_the_same_id() -> None:
    room = Room(RANDOM)
    due = room.scheduler.next_due
    assert due is not None
    [lost] = room.scheduler.due(due)
    room.start(due + 5)
    [again] = room.scheduler.due(due + 5)
    assert [event.id for event in again.events] == [event.id for event in lost.events]


def test_random_intervals_differ_and_lie_between_their_lengths() -> None:
    room = Room(RANDOM)
    happened = [0.0, *room.until(NOON + 86_400)]
    lengths = [later - earlier for earlier, later in pairwise(happened)]
    assert all(599.999 <= length <= 1_200.001 for length in lengths)
    assert len({round(length, 3) for length in lengths}) > len(lengths) // 2
    other = Scheduler("another", BERLIN)
    other.put("w", room.definition, saved=NOON, now=NOON)
    assert other.next_due != NOON + happened[1], "two communities do not speak at the same time"


def test_a_random_interval_that_was_missed_counts_from_now() -> None:
    room = Room(RANDOM)
    room.start(NOON + 5_000)
    assert room.ask(NOON + 5_000) == []
    assert list(room.kept.values()) == [NOON + 5_000]
    assert room.scheduler.next_due is not None
    assert NOON + 5_600 <= room.scheduler.next_due <= NOON + 6_200


def test_an_edit_of_another_trigger_resets_nothing() -> None:
    room = Room(EVERY_10)
    room.until(NOON + 600)
    changed = flow("raid", {**EVERY_10, "min_lines": 5}, DAILY)
    room.kept = room.scheduler.put("w", changed, saved=NOON + 900, now=NOON + 900)
    assert room.scheduler.next_due == NOON + 1_200
    assert sorted(room.kept.values()) == [NOON + 600, NOON + 900]


def test_an_edit_of_its_time_begins_anew_and_the_old_one_is_gone() -> None:
    room = Room(EVERY_10)
    changed = {**EVERY_10, "every_seconds": 1_000}
    room.kept = room.scheduler.put("w", flow(changed), saved=NOON + 300, now=NOON + 300)
    assert room.scheduler.next_due == NOON + 1_300
    assert list(room.kept.values()) == [NOON + 300]


def test_a_workflow_that_was_removed_meanwhile_is_passed_over() -> None:
    room = Room(EVERY_10)
    [fallen] = room.scheduler.due(NOON + 600)
    room.scheduler.remove("w")
    room.scheduler.settle(fallen)
    assert room.scheduler.next_due is None
    assert room.scheduler.due(NOON + 86_400) == ()
    room.scheduler.put("w", room.definition, saved=NOON + 900, now=NOON + 900)
    assert room.scheduler.next_due == NOON + 1_500, "switched on again, it makes up for nothing"


def test_what_is_settled_late_or_twice_does_not_turn_a_schedule_back() -> None:
    room = Room(EVERY_10)
    [early] = room.scheduler.due(NOON + 600)
    room.until(NOON + 1_200)
    room.scheduler.settle(early)
    assert room.scheduler.next_due == NOON + 1_800


def test_what_comes_again_after_the_wall_clock_jumped_back_an_hour_has_the_id_it_had() -> None:
    room = Room(DAILY, EVERY_10)
    room.until(NOON + 6 * 3_600)
    known = {event.id for event in room.events}
    room.start(NOON + 5 * 3_600)
    room.until(NOON + 7 * 3_600)
    again = room.events[len(known) :]
    assert {event.id for event in again if event.payload["due"] <= NOON + 6 * 3_600} <= known
    new = [event.payload["due"] - NOON for event in again if event.id not in known]
    assert new == [6 * 3_600 + 600 * number for number in range(1, 7)]


def test_a_running_bots_wall_clock_that_jumps_back_brings_nothing_twice() -> None:
    room = Room(DAILY, missed="all")
    assert room.until(NOON + 6 * 3_600) == [6 * 3_600]
    assert room.ask(NOON + 5 * 3_600) == []
    assert room.until(NOON + 7 * 3_600) == []


def test_a_time_kept_by_a_clock_that_ran_years_ahead_does_not_silence_a_schedule() -> None:
    room = Room(EVERY_10)
    room.kept = dict.fromkeys(room.kept, NOON + 1e8)
    room.start(NOON + 60)
    assert room.scheduler.next_due == NOON + 660


def test_another_time_zone_of_the_community_moves_what_is_due() -> None:
    room = Room(DAILY, {**DAILY, "zone": BERLIN})
    room.scheduler.move_to("America/New_York")
    assert room.until(NOON + 12 * 3_600) == [6 * 3_600, 12 * 3_600]


def test_a_moment_comes_once() -> None:
    room = Room({"on": "schedule.fired", "at": "2026-11-27T19:00"})
    assert room.until(NOON + 1e7) == [30 * 3_600]
    assert room.scheduler.next_due is None


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.sampled_from([DAILY, EVERY_10, RANDOM, {"on": "scheduled.x", "schedule": "*/7 1-3,12 * * *"}]), max_size=4
    ),
    st.sampled_from([None, "once", "all"]),
    st.lists(st.tuples(st.booleans(), st.floats(0, 40_000)), max_size=12),
)
def test_restarts_and_sleep_bring_nothing_twice_and_lose_no_schedule(
    triggers: list[dict[str, Any]], missed: str | None, steps: list[tuple[bool, float]]
) -> None:
    room = Room(*triggers, missed=missed)
    now = NOON
    for restart, seconds in steps:
        now += seconds
        if restart:
            room.start(now)
            room.ask(now)
        else:
            room.until(now)
    ids = [event.id for event in room.events]
    assert len(ids) == len(set(ids))
    for key in keyed_schedules(room.definition):
        dues = [event.payload["due"] for event in room.events if event.payload["key"] == key]
        assert dues == sorted(dues)
        assert all(event.payload["due"] <= event.at <= now for event in room.events)
    assert all(NOON <= since <= now for since in room.kept.values())
    assert room.scheduler.next_due is None if not triggers else room.scheduler.next_due > now  # type: ignore[operator]


# Whose an event is, and what holds it back --------------------------------------------------------------------------------


def test_an_event_of_the_clock_is_for_one_trigger_of_one_workflow() -> None:
    room = Room(EVERY_10, RANDOM)
    room.until(NOON + 600)
    [event] = room.events
    assert trigger_of(event, "w", room.definition) == room.definition.triggers[0]
    assert trigger_of(event, "another", room.definition) is None
    assert trigger_of(event, "w", flow(RANDOM)) is None
    assert trigger_of(Event("1", "raid.received", NOON, "c", {}), "w", room.definition) is None


@pytest.mark.parametrize(
    ("fields", "live", "lines", "reason"),
    [
        ({}, False, 0, None),
        ({"only_live": True}, False, 0, "the stream is not live"),
        ({"only_live": True}, True, 0, None),
        ({"min_lines": 10}, True, 3, "only 3 chat lines since it last ran; it needs 10"),
        ({"min_lines": 10}, True, 1, "only 1 chat line since it last ran; it needs 10"),
        ({"min_lines": 10}, True, 0, "no chat lines since it last ran; it needs 10"),
        ({"min_lines": 10}, False, 10, None),
        ({"min_lines": 10, "only_live": True}, False, 10, "the stream is not live"),
    ],
)
def test_a_trigger_holds_back_with_a_reason(fields: dict[str, Any], live: bool, lines: int, reason: str | None) -> None:
    assert held_back(Trigger(on="interval.elapsed", every_seconds=60, **fields), live=live, lines=lines) == reason


# Today, in words ----------------------------------------------------------------------------------------------------------


def test_what_is_scheduled_today_is_said_in_the_communitys_time() -> None:
    scheduler = Scheduler("c", BERLIN)
    scheduler.put("show", flow(DAILY), saved=NOON, now=NOON)
    scheduler.put("hydrate", flow({**EVERY_10, "every_seconds": 7_200}), saved=NOON, now=NOON)
    assert agenda(scheduler.today(NOON), ZoneInfo(BERLIN)) == (
        "Still to come today (Europe/Berlin): 15:00 hydrate and 4 more times · 19:00 show."
    )
    assert agenda(scheduler.today(NOON + 9 * 3_600), ZoneInfo(BERLIN)) == (
        "Still to come today (Europe/Berlin): 23:00 hydrate."
    )
    assert agenda((), ZoneInfo(BERLIN)) == "Nothing more is scheduled today."


def test_a_full_day_still_fits_into_a_message() -> None:
    times = [(NOON + number * 60, f"{number} " + "x" * 60) for number in range(300)]
    said = agenda(times, ZoneInfo(BERLIN))
    assert said.endswith("and 290 more workflows.")
    assert len(said) < 1_000
    three = [(NOON + number, "seconds") for number in range(3)]
    assert agenda(three, ZoneInfo(BERLIN)) == "Still to come today (Europe/Berlin): 13:00 seconds."
