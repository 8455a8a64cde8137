"""What is shown: an object for every line with all that came of it, and lines that people can read safely."""

import json

import pytest

from bot.message import Place, Reply
from bot.terminal.output import Entered, ObjectOutput, PlainOutput
from bot.transcript import printable
from engine.execution import Effect, Person
from engine.runner import Attempt

MO = Person("mo", "twitch", ("moderator",))
TWITCH = Place("twitch")


def attempt(text: str = "hi", outcome: str = "done", message: str | None = None, *, simulated: bool = True) -> Attempt:
    effect = Effect("e/main/say/1", "home", "e", "w", "say", "twitch", "send_chat_message", {"message": text}, False)
    return Attempt(effect, outcome, simulated, 0.0, message)  # type: ignore[arg-type]


def words(effect: Effect) -> str:
    return f'say "{effect.params["message"]}"'


def test_an_object_holds_all_that_came_of_a_line() -> None:
    written: list[str] = []
    output = ObjectOutput(written.append)
    output.begin(hold=True)
    output.attempt(attempt())
    output.replied(Entered((Reply("done", "Created.", "create", "w", 1),), note="not for programs"))
    output.attempt(attempt(outcome="error"))
    output.notice("By the way.")
    output.finish("!wf run w", MO, TWITCH)
    [line] = written
    assert line.endswith("\n")
    assert json.loads(line) == {
        "in": "!wf run w",
        "as": "mo",
        "role": "moderator",
        "platform": "twitch",
        "replies": [
            {"kind": "done", "text": "Created.", "canonical": "create", "workflow": "w", "revision": 1},
            {"kind": "answer", "text": "By the way.", "canonical": None, "workflow": None, "revision": None},
        ],
        "actions": [
            {
                "effect": "e/main/say/1",
                "service": "twitch",
                "method": "send_chat_message",
                "params": {"message": "hi"},
                "workflow": "w",
                "execution": "e",
                "state": "say",
                "outcome": outcome,
                "simulated": True,
            }
            for outcome in ("done", "error")
        ],
    }


def test_the_answer_to_a_line_comes_before_what_is_said_unasked_even_if_that_was_quicker() -> None:
    written: list[str] = []
    output = ObjectOutput(written.append)
    output.begin(hold=True)
    output.notice("It failed.")
    output.replied(Entered((Reply("done", "Started."),)))
    output.finish("!wf run w", MO, TWITCH)
    assert [reply["text"] for reply in json.loads(written[0])["replies"]] == ["Started.", "It failed."]


def test_what_happens_between_lines_is_an_object_of_its_own_if_anything_did() -> None:
    written: list[str] = []
    output = ObjectOutput(written.append)
    output.between()
    assert written == []
    output.attempt(attempt())
    assert output.happened.is_set()
    output.begin(hold=True)
    output.finish("", MO, TWITCH)
    between, line = map(json.loads, written)
    assert [between[key] for key in ("in", "as", "role", "platform")] == [None] * 4
    assert len(between["actions"]) == 1
    assert line["in"] == ""
    assert line["actions"] == []


def test_people_see_the_reply_before_what_it_set_off() -> None:
    written: list[str] = []
    output = PlainOutput(written.append, words, notes=False)
    output.begin(hold=True)
    output.attempt(attempt())
    assert written == []
    output.replied(Entered((Reply("done", "Started w."),)))
    output.attempt(attempt("later", simulated=False))
    assert written == ["Started w.\n", '  (simulated) twitch: say "hi"\n', '  twitch: say "later"\n']


@pytest.mark.parametrize(
    ("outcome", "message", "ending"),
    [
        ("error", "no", " - failed: no"),
        ("timeout", None, " - no answer in time"),
        ("unknown", "who knows", " - outcome unknown: who knows"),
    ],
)
def test_people_see_what_went_wrong(outcome: str, message: str | None, ending: str) -> None:
    written: list[str] = []
    PlainOutput(written.append, words, notes=False).attempt(attempt(outcome=outcome, message=message))
    assert written == [f'  (simulated) twitch: say "hi"{ending}\n']


def test_notes_are_for_people_at_the_prompt_only() -> None:
    for notes, shown in ((True, ["  nothing listens\n"]), (False, [])):
        written: list[str] = []
        PlainOutput(written.append, words, notes=notes).replied(Entered(note="nothing listens"))
        assert written == shown


def test_a_viewers_text_cannot_move_the_cursor_or_hide_what_it_says() -> None:
    assert printable("a\x1b[2Jb\x07\x9bc\u202ed\r\n\te") == "a�[2Jb��c�d�\n\te"
