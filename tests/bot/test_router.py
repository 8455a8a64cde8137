"""Who a message is for, with and without an open question."""

import pytest

from bot.router import Addressed, Answering, Chat, chosen, is_dropped, route, verdict
from engine.ports import ProposalRecord


def question(kind: str = "missing", **detail: object) -> ProposalRecord:
    return ProposalRecord("q", "home", "twitch:mo", "twitch:", kind, "add wait {}", None, None, 60.0, detail)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("!workflow list", "list"),
        ("!wf list", "list"),
        ("!WF List", "List"),
        ("!Workflow", ""),
        ("@showcaller !wf list", "list"),
        ("  !wf   list  ", "list  "),
        ('!wf say "a  b"', 'say "a  b"'),
    ],
)
def test_the_prefix_addresses_the_bot_and_keeps_every_character_after_it(text: str, said: str) -> None:
    assert route(text, None) == Addressed(said)
    assert route(text, question()) == Addressed(said)


@pytest.mark.parametrize("text", ["list", "", "   ", "!workflows", "!wfx list", "hey !wf list", "yes", "2", "!lurk"])
def test_without_prefix_and_question_it_is_chat(text: str) -> None:
    assert route(text, None) == Chat()


def test_another_command_is_no_answer() -> None:
    assert route("!lurk", question()) == Chat()
    assert route("/me waves", question(verbatim=True)) == Chat()


@pytest.mark.parametrize(
    ("text", "yes"), [("yes", True), ("YES!", True), ("Yep.", True), ("no", False), ("never mind", False)]
)
def test_a_yes_or_no_answers_a_confirmation(text: str, yes: bool) -> None:
    assert route(text, question("confirm")) == Answering(text)
    assert verdict(text) is yes


@pytest.mark.parametrize("text", ["yes that was a good game", "not now", "ok", "2", "delete it", "noo"])
def test_nothing_else_answers_a_confirmation(text: str) -> None:
    assert route(text, question("confirm")) == Chat()


@pytest.mark.parametrize(
    ("text", "place"),
    [("2", 1), ("2.", 1), ("#1", 0), ("option 2", 1), ("the second one", 1), ("last", 1), ("First!", 0),
     ("remove step 4", 1), ("Remove  step 2", 0), ("3", None), ("0", None), ("the third", None), ("2 of them", None)],
)  # fmt: skip
def test_numbered_options_are_answered_by_number_or_words(text: str, place: int | None) -> None:
    options = ("remove step 2", "remove step 4")
    assert chosen(text, options) == place
    expected = Chat() if place is None else Answering(text)
    assert route(text, question(options=list(options))) == expected


def test_a_missing_piece_takes_the_next_plain_message() -> None:
    assert route("@showcaller 20 seconds", question()) == Answering("20 seconds")
    assert route("hello, everyone", question(verbatim=True)) == Answering("hello, everyone")


def test_a_text_may_be_stop_but_no_and_never_mind_drop_it() -> None:
    assert not is_dropped("stop", verbatim=True)
    assert is_dropped("no", verbatim=True)
    assert is_dropped("never mind", verbatim=True)
    assert is_dropped("no")
