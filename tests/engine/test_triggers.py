"""Triggers: every workflow that listens is found, no other is looked at, and a refusal says what was seen."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.context import Context, event_scope
from engine.events import Event
from engine.model import Definition, Trigger
from engine.secrets import Secret
from engine.triggers import Match, TriggerIndex
from tests.fakes import look, workflow


def listening(id: str, *triggers: Any, **more: Any) -> Definition:
    return workflow(id, look("l"), triggers=list(triggers), **more)


def event(name: str, *, own: bool = False, **payload: Any) -> Event:
    return Event("e1", name, 1_000.0, "home", {"user": {"name": "bob", "roles": ["vip"]}, **payload}, own=own)


def index(*definitions: Definition) -> TriggerIndex:
    made = TriggerIndex()
    for definition in definitions:
        made.put(definition.id, definition)
    return made


def matches(made: TriggerIndex, happened: Event, **context: Any) -> tuple[Match, ...]:
    return made.match(happened, event_scope(happened, Context(**context))).all()


def found(made: TriggerIndex, happened: Event) -> list[str]:
    return [match.workflow for match in made.match(happened, event_scope(happened, Context())).held]


@pytest.mark.parametrize("written", ["raid", "raid.received", "channel.raid", "Raid"])
def test_any_name_of_an_event_is_the_same_event(written: str) -> None:
    assert found(index(listening("w", written)), event("raid.received", viewers=1)) == ["w"]
    assert found(index(listening("w", "raid")), event("channel.raid", viewers=1)) == ["w"]


def test_other_events_are_not_even_looked_at() -> None:
    assert matches(index(listening("w", "follow")), event("raid.received")) == ()


def test_a_command_finds_its_own_workflows_only() -> None:
    made = index(
        listening("lurk", {"on": "message", "when": 'command == "!lurk"'}),
        listening("hi", {"on": "message", "when": '"!hi" == command and words > 1'}),
        listening("all", "message"),
    )
    assert matches(made, event("message.received", command="!LURK", words=1)) == (
        Match("lurk", Trigger.model_validate({"on": "message", "when": 'command == "!lurk"'})),
        Match("all", Trigger(on="message")),
    )
    assert [match.workflow for match in matches(made, event("message.received", command="!hi", words=1))] == [
        "hi",
        "all",
    ]
    assert [match.workflow for match in matches(made, event("message.received", command=None))] == ["all"]


def test_workflows_come_in_the_order_they_were_made_also_after_a_change() -> None:
    made = index(listening("a", "raid"), listening("b", "raid"), listening("c", "raid"))
    made.put("a", listening("a", {"on": "raid", "when": "viewers > 0"}))
    assert found(made, event("raid.received", viewers=3)) == ["a", "b", "c"]


def test_a_workflow_answers_once_and_any_of_its_triggers_is_enough() -> None:
    made = index(listening("w", {"on": "raid", "when": "viewers > 5"}, {"on": "raid", "when": "viewers < 2"}))
    assert [match.reason for match in matches(made, event("raid.received", viewers=1))] == [None]
    (refused,) = matches(made, event("raid.received", viewers=3))
    assert refused.reason == "the raid had 3 viewers; it needs viewers > 5"


def test_what_was_removed_or_changed_is_not_found_by_its_old_triggers() -> None:
    made = index(listening("w", {"on": "message", "when": 'command == "!a"'}), listening("x", "raid"))
    made.put("w", listening("w", {"on": "message", "when": 'command == "!b"'}))
    made.remove("x")
    assert matches(made, event("message.received", command="!a")) == ()
    assert found(made, event("message.received", command="!b")) == ["w"]
    assert matches(made, event("raid.received")) == ()


def test_the_bots_own_messages_match_nothing_unless_a_trigger_says_so() -> None:
    made = index(listening("w", "message"), listening("own", {"on": "message", "own_messages": True}))
    assert found(made, event("message.received", command=None, own=True)) == ["own"]


@pytest.mark.parametrize(
    ("name", "when", "payload", "words"),
    [
        ("raid.received", "viewers > 5", {"viewers": 3}, "the raid had 3 viewers; it needs viewers > 5"),
        ("cheer.received", "bits >= 500", {"bits": 100.0}, "the cheer had 100 bits; it needs bits >= 500"),
        ("gift.received", "count > 4", {"count": 1}, "the gift had 1 subs; it needs count > 4"),
        ("raid.received", "viewers > 5", {}, "viewers was not known; it needs viewers > 5"),
        (
            "raid.received",
            'viewers > 1 and user.roles contains "moderator"',
            {"viewers": 3},
            'user.roles was ["vip"]; it needs user.roles contains "moderator"',
        ),
        ("follow.received", "false", {}, "it needs false"),
        ("x.happened", "a == 1 or b == 2", {"a": 3, "b": 4}, "a was 3 and b was 4; it needs a == 1 or b == 2"),
        ("x.happened", 'user == "ann"', {}, 'user was "bob"; it needs user == "ann"'),
        ("x.happened", "1 / n > 2", {"n": 0}, "its condition 1 / n > 2 could not be worked out: "),
    ],
)
def test_a_refusal_says_what_was_seen_and_what_is_needed(
    name: str, when: str, payload: dict[str, Any], words: str
) -> None:
    (match,) = matches(index(listening("w", {"on": name, "when": when})), event(name, **payload))
    assert (match.reason or "").startswith(words)


def test_a_secret_is_never_told_in_a_refusal() -> None:
    made = index(listening("w", {"on": "x.happened", "when": 'config.key is empty or key == "guess"'}))
    config = {"key": Secret("key", "hunter2")}
    (match,) = matches(made, event("x.happened"), config=config)
    assert match.reason is not None
    assert "hunter2" not in match.reason


def test_a_long_text_is_shortened_in_a_refusal() -> None:
    made = index(listening("w", {"on": "message", "when": 'message contains "x"'}))
    (match,) = matches(made, event("message.received", message="y" * 4_000))
    assert len(match.reason or "") < 200


_WORDS = st.sampled_from(["!a", "!B", "!b", "straße", "STRASSE", ""])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(_WORDS, min_size=1, max_size=6), st.one_of(_WORDS, st.none(), st.integers(0, 3), st.just({"name": "!a"}))
)
def test_the_index_finds_exactly_what_looking_at_every_guard_would(commands: list[str], said: Any) -> None:
    definitions = [
        listening(f"w{n}", {"on": "message", "when": f'command == "{command}"'}) for n, command in enumerate(commands)
    ]
    happened = event("message.received", command=said)
    one_by_one = [d.id for d in definitions if found(index(d), happened)]
    disguised = [  # the same condition in a form that no index can use
        listening(
            f"w{n}",
            {"on": "message", "when": f'not (command != "{command}") and not (command is empty and "{command}" != "")'},
        )
        for n, command in enumerate(commands)
    ]
    assert found(index(*definitions), happened) == one_by_one
    if said is not None:
        assert found(index(*disguised), happened) == one_by_one
