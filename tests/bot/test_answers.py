"""Words of answers: yes, no, which of several, and second thoughts. Talk is none of them."""

import pytest

from bot.answers import chosen, is_dropped, is_other, means_all, thoughts, verdict, without_sigh

OPTIONS = ("raid v2: remove step 2", "raid v2: remove step 4")
HINTS = ("step 2: wait 10 seconds", "step 4: wait 5 minutes")


@pytest.mark.parametrize(
    ("said", "yes"),
    [
        ("yes", True), ("Yes please!", True), ("do it", True), ("y", True),
        ("no", False), ("no wait", False), ("oh no, never mind", False), ("wait no", False), ("not that one", False),
        ("never mind", False), ("nvm", False), ("yeah do it", True), ("ok, go ahead", True), ("yes ok", True),
        ("no keep it", False), ("nah, leave it", False), ("keep it", None), ("yes but not now", None), ("right", None),
        ("yes that was good", None), ("not now", None), ("no way, what a save", None), ("noodles", None), ("ok", None),
    ],
)  # fmt: skip
def test_yes_and_no_are_nothing_but_that(said: str, yes: bool | None) -> None:
    assert verdict(said) is yes


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("2", 1), ("#1", 0), ("number 2", 1), ("two", 1), ("the second", 1), ("the 2nd one", 1), ("last", 1), ("the latter", 1),
        ("no, the first", 0), ("i meant 2", 1), ("step 4", 1), ("the one with 5 minutes", 1), ("the 10 seconds one", 0),
        ("the longer one", 1), ("the shortest", 0), ("the 10s one", 0), ("only the second", 1), ("the second wait", 1),
        ("the second step", None), ("the second message", None), ("the longer message", None), ("the long run", None),
        ("remove step 2", 0), ("wait", None), ("remove", None), ("3", None), ("2 of those lol", None), ("the wait", None),
    ],
)  # fmt: skip
def test_one_of_several_is_meant_by_number_place_or_words_only_it_has(said: str, place: int | None) -> None:
    assert chosen(said, OPTIONS, HINTS) == place


@pytest.mark.parametrize(
    ("said", "rest", "rejects", "means"),
    [
        ("no, the other one", "the other one", True, False),
        ("no I meant step 3", "step 3", True, True),
        ("no wait, step 3", "step 3", True, False),
        ("wait no, at the end", "at the end", True, False),
        ("sorry, 25", "25", False, False),
        ("step 3 instead", "step 3", False, True),
        ("not the message, the wait", "the wait", True, False),
        ("i meant step 3, not step 2", "step 3", True, True),
        ("not that one", "", True, False),
    ],
)
def test_a_second_thought_is_what_is_left_without_its_beginning(
    said: str, rest: str, rejects: bool, means: bool
) -> None:
    last = thoughts(said)[-1]
    assert (last.rest, last.rejects, last.means) == (rest, rejects, means)


@pytest.mark.parametrize(
    "said", ["add wait 5 seconds", "noodles are great", "another one", "waiting for it", "remove step 2"]
)
def test_what_does_not_begin_like_one_is_no_second_thought(said: str) -> None:
    assert thoughts(said) == ()


def test_a_value_alone_is_one_only_where_it_was_just_asked_for() -> None:
    assert thoughts("20 seconds") == ()
    assert thoughts("20 seconds", begun=True)[0].rest == "20 seconds"
    assert thoughts("make it 20", begun=True)[0].means


@pytest.mark.parametrize(
    "said", ["both", "Both!", "all", "all of them", "both of those", "the both", "each one", "both waits"]
)
def test_each_of_several_is_meant_by_both_or_all(said: str) -> None:
    assert means_all(said, OPTIONS, HINTS)


@pytest.mark.parametrize(
    "said", ["all good", "both messages", "all yours", "bothersome", "all three of you", "both hands"]
)
def test_talk_that_begins_with_all_or_both_means_none(said: str) -> None:
    assert not means_all(said, OPTIONS, HINTS)


@pytest.mark.parametrize("said", ["neither", "none of them", "neither of those", "nope", "nah not that one", "wait no"])
def test_none_of_several_is_meant_by_neither_and_all_sorts_of_no(said: str) -> None:
    assert is_dropped(said)


def test_a_text_is_dropped_by_words_that_are_none() -> None:
    assert is_dropped("never mind", verbatim=True)
    assert is_dropped("cancel", verbatim=True)
    assert is_dropped("no", verbatim=True)
    assert is_dropped("nothing", verbatim=True)
    assert not is_dropped('"no"', verbatim=True)
    assert not is_dropped("no way", verbatim=True)
    assert not is_dropped("stop", verbatim=True)


def test_a_sigh_before_a_sentence_counts_for_nothing() -> None:
    assert without_sigh("oops, remove step 2") == "remove step 2"
    assert without_sigh("oops") == "oops"
    assert without_sigh("oh yes") == "oh yes"


def test_the_other_one_is_said_in_several_ways() -> None:
    assert all(map(is_other, ["the other one", "other one", "the other", "take the other one"]))
    assert not any(map(is_other, ["another", "the others", "the other wait"]))
