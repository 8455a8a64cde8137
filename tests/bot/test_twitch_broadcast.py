"""What is found of the stream by looking, against what was known of it: each broadcast begins once and ends once."""

import pytest

from bot.twitch.broadcast import OFFLINE, ONLINE, STALE, Broadcast, after, believed, ends, kept_in, missed, record_of

ON, ENDED, FOUND = Broadcast("s1", 1.0, "on"), Broadcast("s1", 1.0, "ended"), Broadcast("s1", 1.0, "found ended")
NEXT = Broadcast("s2", 2.0, "on")
NONE = Broadcast()


@pytest.mark.parametrize(
    ("last", "there", "live", "told"),
    [
        (NONE, None, False, ()),
        (NONE, ON, False, ((ONLINE, "s1"),)),
        (NONE, None, True, ((OFFLINE, ""),)),
        (ON, ON, True, ()),
        (ON, None, True, ((OFFLINE, "s1"),)),
        (ON, None, False, ((OFFLINE, "s1"),)),
        (ON, NEXT, True, ((OFFLINE, "s1"), (ONLINE, "s2"))),
        (ENDED, None, False, ()),
        (FOUND, None, False, ()),
        (ENDED, NEXT, False, ((ONLINE, "s2"),)),
    ],
)
def test_what_nobody_told_of_is_found_and_nothing_else(
    last: Broadcast, there: Broadcast | None, live: bool, told: tuple[tuple[str, str], ...]
) -> None:
    assert missed(last, there, live=live) == told
    assert missed(after(last, there), there, live=there is not None) == ()


@pytest.mark.parametrize(
    ("last", "there", "now", "goes_on"),
    [
        (ON, None, 2.0, ON),  # it has just begun, and is not found yet
        (ON, None, 1.0 + STALE, None),
        (ENDED, ON, 2.0, None),  # it has just ended, and is found still
        (FOUND, ON, 2.0, ON),
        (ENDED, NEXT, 2.0, NEXT),
        (NONE, None, 2.0, None),
    ],
)
def test_an_answer_that_is_older_than_what_was_told_is_not_believed(
    last: Broadcast, there: Broadcast | None, now: float, goes_on: Broadcast | None
) -> None:
    assert believed(last, there, now) == goes_on


def test_a_late_end_belongs_to_the_broadcast_that_was_found_ended_and_any_other_to_one_that_nobody_knows() -> None:
    assert [ends(each) for each in (ON, FOUND, ENDED, NONE)] == ["s1", "s1", "", ""]


@pytest.mark.parametrize("broadcast", [ON, ENDED, FOUND, NONE])
def test_the_last_broadcast_outlives_a_restart(broadcast: Broadcast) -> None:
    record = record_of(broadcast)

    assert kept_in({record.key: record}) == broadcast
    assert kept_in({}) == NONE
