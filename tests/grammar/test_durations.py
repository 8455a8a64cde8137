"""Durations as people write them, against gold seconds."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given

from grammar.say_steps import say_duration
from grammar.scanners import Sentence, duration, mend
from grammar.words import split
from tests.strategies import seconds

GOLD = tomllib.loads((Path(__file__).parent / "durations.toml").read_text(encoding="utf-8"))


def whole(text: str) -> float | None:
    """The duration that a text is, if it is one from end to end."""
    words = split(text, 50)
    found = duration(Sentence(text, words, mend(words, {})), 0) if words else []
    return next((value for value, end in found if end == len(words)), None)


@pytest.mark.parametrize(("text", "gold"), [(row["text"], row["seconds"]) for row in GOLD["exact"]])
def test_an_exact_duration_is_read_to_the_second(text: str, gold: float) -> None:
    assert whole(text) == pytest.approx(gold)


@pytest.mark.parametrize(("text", "gold"), [(row["text"], row["seconds"]) for row in GOLD["vague"]])
def test_a_vague_duration_is_never_read_wrongly(text: str, gold: float) -> None:
    assert whole(text) in (None, gold)


@pytest.mark.parametrize(("text", "gold"), [(row["text"], row["seconds"]) for row in GOLD["chat"]])
def test_a_duration_as_in_chat_is_read(text: str, gold: float) -> None:
    assert whole(text) == pytest.approx(gold)


@pytest.mark.parametrize("text", GOLD["none"]["texts"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert whole(text) is None


@given(seconds())
def test_a_said_duration_reads_back_exactly(value: float) -> None:
    assert whole(say_duration(value)) == value


@pytest.mark.parametrize(
    ("text", "end"),
    [("10 seconds then say hi", 2), ("1 hour and shout them out", 2), ("5 minutes, 2 raids", 2), ("1m30 and go", 3)],
)
def test_a_duration_ends_where_something_else_begins(text: str, end: int) -> None:
    words = split(text, 50)
    assert duration(Sentence(text, words, mend(words, {})), 0)[0][1] == end
