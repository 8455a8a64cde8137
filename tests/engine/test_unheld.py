"""Chat lines that no trigger took: why is still known when somebody asks, as it was at that moment."""

from typing import Any

from engine.context import Context, event_scope
from engine.events import Event
from engine.ports import AdmissionRecord
from engine.triggers import TriggerIndex
from engine.unheld import LINES_KEPT, Line, Unheld
from tests.fakes import look, workflow


class Chat:
    """A chat whose lines are matched and remembered."""

    def __init__(self, **guards: str) -> None:
        self.index = TriggerIndex()
        self.unheld = Unheld()
        self.said = 0
        for name, guard in guards.items():
            self.write(name, guard)

    def write(self, name: str, guard: str) -> None:
        self.index.put(name, workflow(name, look("l"), triggers=[{"on": "message", "when": guard}]))

    def say(self, message: str, *, data: dict[str, Any] | None = None, by: str = "bob") -> None:
        self.said += 1
        command = message.split()[0] if message.startswith("!") else None
        payload = {"user": {"name": by, "roles": []}, "message": message, "command": command}
        event = Event(f"e{self.said}", "message", 1_000.0 + self.said, "home", payload)
        self.unheld.add(Line(event.at, self.index.match(event, event_scope(event, Context(data=data or {})))))

    def why(self, name: str | None = None) -> list[str | None]:
        return [record.reason for record in self.unheld.records(name)]


def test_a_line_is_told_with_who_said_it_and_when() -> None:
    chat = Chat(hi='message contains "hello"')
    chat.say("good evening", by="ann")
    assert list(chat.unheld.records("hi")) == [
        AdmissionRecord(
            id="e1:hi",
            community="home",
            workflow="hi",
            at=1_001.0,
            event="e1",
            event_name="message.received",
            execution=None,
            reason='message was "good evening"; it needs message contains "hello"',
            who="ann",
        )
    ]


def test_the_newest_line_comes_first_and_a_line_that_was_taken_is_no_refusal() -> None:
    chat = Chat(hi='message contains "hello"', gg='message contains "gg"')
    for message in ("one", "hello", "three gg"):
        chat.say(message)
    assert [record.event for record in chat.unheld.records("hi")] == ["e3", "e1"]
    assert [(record.event, record.workflow) for record in chat.unheld.records()] == [
        ("e3", "hi"),
        ("e2", "gg"),
        ("e1", "hi"),
        ("e1", "gg"),
    ]


def test_a_command_that_was_not_said_has_nothing_to_tell() -> None:
    chat = Chat(lurk='command == "!lurk"')
    chat.say("hello")
    chat.say("!hi")
    assert chat.why() == []


def test_talk_does_not_drive_out_why_a_command_was_not_taken() -> None:
    chat = Chat(bet='command == "!bet" and data.open == 1', hi='message contains "hello"')
    chat.say("!bet 5", data={"open": 0})
    for _ in range(2 * LINES_KEPT):
        chat.say("good evening")
    assert chat.why("bet") == ["data.open was 0; it needs data.open == 1"]
    assert len(chat.why("hi")) == LINES_KEPT + 1


def test_a_line_is_told_by_the_trigger_of_its_time() -> None:
    chat = Chat(hi='message contains "hello"')
    chat.say("good evening")
    chat.write("hi", 'message contains "evening"')
    chat.write("late", 'message contains "late"')
    assert chat.why("hi") == ['message was "good evening"; it needs message contains "hello"']
    assert chat.why("late") == []
    chat.index.remove("hi")
    chat.say("hello")
    assert chat.why("hi") == ['message was "good evening"; it needs message contains "hello"']


def test_where_nobody_listens_nothing_is_remembered() -> None:
    chat = Chat(hi='message contains "hello"')
    chat.say("good evening")
    chat.index.remove("hi")
    for _ in range(2 * LINES_KEPT):
        chat.say("talk")
    assert len(chat.why("hi")) == 1
