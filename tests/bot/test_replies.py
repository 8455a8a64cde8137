"""Replies fit where they go, are cut between steps only, and never look like commands."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.replies import LIMITS, About, Saying, fit, messages, moment, one, pieces, quoted, replies, spoken

texts = st.text(st.characters(codec="utf-8"), max_size=600)
steps = st.lists(
    st.text(st.characters(codec="utf-8"), max_size=80).map(lambda text: f"say {quoted(text)}"), max_size=40
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (1, "1 second"), (59.2, "1 minute"), (90, "1 minute 30 seconds"), (3_600, "1 hour"),
     (360.0000000001, "6 minutes"), (-5, "0 seconds"), (90_061, "1 day 1 hour 1 minute 1 second")],
)  # fmt: skip
def test_durations_are_spoken(seconds: float, words: str) -> None:
    assert spoken(seconds) == words


def test_a_time_of_another_day_has_its_date() -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert moment(0.0, 60.0, zone) == "01:00:00"
    assert moment(0.0, 86_400.0, zone) == "1970-01-01 01:00"


def test_separators_inside_of_steps_are_no_borders() -> None:
    text = 'raid v2: add as step 1 say "a · b; c" (retry 3 times; carry on) · wait 5 seconds; remove step 3'
    assert pieces(text) == [
        'raid v2: add as step 1 say "a · b; c" (retry 3 times; carry on) · ',
        "wait 5 seconds; ",
        "remove step 3",
    ]


@given(texts)
def test_the_pieces_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


@given(texts, texts, texts, st.sampled_from(["twitch", "discord"]), st.integers(1, 3))
def test_whatever_is_said_fits_and_never_begins_like_a_command(
    head: str, body: str, tail: str, platform: str, most: int
) -> None:
    found = messages(Saying(f"{head}x", body, tail), platform, most)  # type: ignore[arg-type]
    assert 1 <= len(found) <= most
    for text in found:
        assert 0 < len(text) <= LIMITS[platform]  # type: ignore[index]
        assert not text.startswith(("!", "/", "."))
        assert platform == "discord" or "\n" not in text


@given(steps)
def test_a_long_change_takes_two_messages_at_most_and_is_cut_between_steps(said: list[str]) -> None:
    body = " · ".join(f"{number} {step}" for number, step in enumerate(said, 1)) or "nothing"
    found = messages(Saying("Created raid (v1). ", body, ". Undo: !workflow undo", "… and {} more"), "twitch")
    assert len(found) <= 2
    for text in found:
        assert len(text) <= 500
    if sum(map(len, said)) < 350:
        return
    whole = " ".join(found)
    shown = [step for number, step in enumerate(said, 1) if f"{number} {fit(step, 'twitch')}" in whole]
    cut = len(said) - len(shown)
    assert cut == 0 or f"… and {cut} more" in whole or any(len(step) > 400 for step in said)


def test_the_canonical_words_stay_in_one_message_if_they_fit() -> None:
    canonical = "x" * 480
    first, second = replies(
        "done", Saying("I read a as b. ", canonical, ". Undo: !workflow undo"), "twitch", About(canonical)
    )
    assert [first.canonical, second.canonical] == [None, canonical] or canonical in first.text
    assert all(len(reply.text) <= 500 for reply in (first, second))


@given(texts)
def test_a_single_message_fits(text: str) -> None:
    (reply,) = one("answer", f"a{text}", "twitch")
    assert len(reply.text) <= 500
    assert "\n" not in reply.text


def test_a_reply_that_begins_with_a_command_is_given_a_word() -> None:
    assert messages(Saying("!lurk (on)"), "twitch") == ("Here: !lurk (on)",)
