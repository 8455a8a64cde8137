"""What may be said in a Twitch chat, when, and in which words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.twitch.sending import (
    BETWEEN,
    LONGEST,
    MAX_AGE,
    MOST_PARTS,
    SAME_AGAIN,
    WINDOW,
    Later,
    Never,
    Now,
    Sent,
    decide,
    held_back,
    noted,
    parts,
    pause_before,
    plain,
)


def after(*times: float) -> Sent:
    sent = Sent()
    for place, at in enumerate(times):
        sent = noted(sent, f"line {place}", at)
    return sent


def test_the_first_line_goes_out_at_once() -> None:
    assert decide("hello", 0.0, Sent(), 0.0, moderator=False) == Now("hello")


def test_one_who_is_no_moderator_waits_a_second_between_lines() -> None:
    assert decide("hello", 10.0, after(10.0), 10.25, moderator=False) == Later(BETWEEN - 0.25)
    assert decide("hello", 10.0, after(10.0), 10.25, moderator=True) == Now("hello")


@pytest.mark.parametrize("urgent", [False, True])
@pytest.mark.parametrize(("moderator", "limit"), [(False, 20), (True, 100)])
def test_no_thirty_seconds_hold_more_lines_than_twitch_takes(moderator: bool, limit: int, urgent: bool) -> None:
    sent, now, times = Sent(), 0.0, []
    for number in range(300):
        now += pause_before(sent, now, moderator=moderator, urgent=urgent)
        sent = noted(sent, str(number), now)
        times.append(now)

    most = max(sum(start <= at < start + WINDOW for at in times) for start in times)
    assert limit * 0.8 <= most < limit


def test_where_workflows_have_said_all_they_may_there_is_room_for_answers() -> None:
    sent, now = Sent(), 0.0
    while (pause := pause_before(sent, now, moderator=True)) == 0.0:
        sent = noted(sent, str(len(sent.at)), now)

    assert pause == WINDOW
    assert pause_before(sent, now, moderator=True, urgent=True) == 0.0


def test_a_line_that_would_come_too_late_is_dropped_instead_of_queued() -> None:
    full = held_back(Sent(), 100.0)

    assert decide("hello", 100.0 - MAX_AGE, full, 50.0, moderator=True) == Later(50.0)
    assert decide("hello", 99.0 - MAX_AGE, full, 50.0, moderator=True) == Never(50.0 - (99.0 - MAX_AGE))


def test_twitch_is_left_alone_until_it_said_it_wants_to_hear_again() -> None:
    assert decide("hello", 0.0, held_back(Sent(), 12.0), 2.0, moderator=True) == Later(10.0)


def test_the_same_words_again_go_out_as_another_message_that_looks_the_same() -> None:
    first = decide("hype!", 0.0, Sent(), 0.0, moderator=True)
    assert isinstance(first, Now)
    sent = noted(Sent(), first.text, 0.0)
    second = decide("hype!", 2.0, sent, 2.0, moderator=True)
    assert isinstance(second, Now)
    third = decide("hype!", 4.0, noted(sent, second.text, 2.0), 4.0, moderator=True)
    assert isinstance(third, Now)

    assert len({first.text, second.text, third.text}) == 3
    assert {plain(first.text), plain(second.text), plain(third.text)} == {"hype!"}


def test_words_of_a_while_ago_go_out_as_they_are() -> None:
    assert decide("hype!", 0.0, noted(Sent(), "hype!", 0.0), SAME_AGAIN, moderator=True) == Now("hype!")


def test_what_is_remembered_does_not_grow() -> None:
    sent = Sent()
    for number in range(10_000):
        sent = noted(sent, str(number), number * 0.5)

    assert len(sent.at) <= WINDOW * 2 + 1
    assert len(sent.texts) <= SAME_AGAIN * 2 + 1


def test_a_long_text_is_cut_at_spaces() -> None:
    text = "word " * 150

    found = parts(text)

    assert [len(part) <= LONGEST for part in found] == [True, True]
    assert " ".join(found) == text.strip()
    assert all(not part.startswith(" ") and part.endswith("word") for part in found)


def test_a_text_without_spaces_is_cut_anyway() -> None:
    assert [len(part) for part in parts("x" * 1_200)] == [500, 500, 200]


def test_a_text_too_long_for_all_messages_says_that_it_was_cut() -> None:
    found = parts("x" * 10_000)

    assert len(found) == MOST_PARTS
    assert found[-1].endswith("…")


def test_nothing_to_say_is_no_message() -> None:
    assert parts("  \n ") == []


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="ab \n😀", max_size=2_500))
def test_every_message_fits(text: str) -> None:
    found = parts(text)

    assert len(found) <= MOST_PARTS
    assert all(0 < len(part) <= LONGEST for part in found)
