"""Promises of reading and writing workflows as JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.convert import parse_json, read_data, read_json, write_json
from engine.errors import DefinitionError
from engine.model import Definition
from tests.effort import calls_of
from tests.strategies import definitions

DATA = Path(__file__).parent.parent / "data"
RAID = json.loads((DATA / "raid_workflow.json").read_text())


@pytest.mark.parametrize("name", ["raid_workflow", "stream_start"])
def test_a_workflow_that_people_have_is_read_unchanged_and_written_so_that_it_is_read_the_same(name: str) -> None:
    definition = read_json((DATA / f"{name}.json").read_text())
    assert definition.id == name
    assert read_json(write_json(definition)) == definition


def test_every_kind_of_action_survives_writing_and_reading() -> None:
    block = {"initial_state": "in_{}", "states": [{"name": "in_{}", "action": {"kind": "stop"}}]}

    def inner(number: int) -> Any:
        return json.loads(json.dumps(block).replace("{}", str(number)))

    actions: list[dict[str, Any]] = [
        {
            "service": "twitch",
            "method": "send_chat_message",
            "params": {"message": 'a "b"\n\\ 🎉\0', "x": [None, 1.5, {}]},
        },
        {"service": "internal", "method": "wait", "params": {"seconds": 2.5}},
        {"service": "internal", "method": "wait", "params": {"seconds": "${n}"}},
        {"kind": "wait_for", "event": "message", "when": 'message == "!join"', "who": "${user}", "consume": True},
        {"kind": "collect", "event": "message", "seconds": 30, "weights": {"subscriber": 2}},
        {"kind": "choose", "cases": [{"when": "viewers > 5 and not live", "block": inner(1)}, {"block": inner(2)}]},
        {
            "kind": "parallel",
            "branches": [{"name": "p", "block": inner(3), "needs": [], "critical": False}],
            "join": "any",
        },
        {"kind": "repeat", "block": inner(4), "while": "n < 3"},
        {"kind": "for_each", "items": [1, "b"], "variable": "item", "block": inner(5)},
        {"kind": "goto", "to": "s0"},
        {"kind": "run", "workflow": "other", "arguments": {"a": 1}, "detached": True},
        {"kind": "emit", "event": "my.event", "payload": {"a": "${b}"}},
        {"kind": "set", "values": {"a": None}},
        {"kind": "transform", "formula": "a + 1", "into": "b"},
        {"kind": "stop"},
    ]
    states = [
        {"name": f"s{index}", "action": action, "transitions": {"success": [{"when": "a is empty", "to": "s0"}]}}
        for index, action in enumerate(actions)
    ]
    definition = read_json(json.dumps({"id": "all", "name": "all", "initial_state": "s0", "states": states}))
    assert read_json(write_json(definition)) == definition


def test_comments_and_trailing_commas_are_read_and_texts_keep_theirs() -> None:
    text = """\ufeff// a comment
    {"a": "// no comment, ] /* } ", /* a
    comment, */ "b": [1, 2, // two
    ], "c": {"d": "\\"//",},}"""
    assert parse_json(text) == {"a": "// no comment, ] /* } ", "b": [1, 2], "c": {"d": '"//'}}


def test_javascript_is_read_where_it_is_only_another_way_to_write_json() -> None:
    text = """{ // a comment
    name: 'It\\'s "so" \\"', $a_1: [1, 'x',], 5000: {true: true, é: null, 'k k': "'"},}"""
    expected = {"name": 'It\'s "so" "', "$a_1": [1, "x"], "5000": {"true": True, "é": None, "k k": "'"}}
    assert parse_json(text) == expected


@pytest.mark.parametrize("text", ["steps: [1], // x", '"steps": [1]', "'steps' /* x */ : [1,],\n"])
def test_an_object_without_its_braces_is_read_as_one(text: str) -> None:
    assert parse_json(text) == {"steps": [1]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing in it"),
        (" \n", "nothing in it"),
        ("nonsense", "not JSON"),
        ("\0🎉", "not JSON"),
        ('{"id": "a"', "ends too early"),
        ('{"id": "a" "b": 1}', "I expected a comma or the closing bracket in line 1, column 12"),
        ('{"a": "x\ny"}', "line break"),
        ('{\n"a": "xy', "begins in line 2, column 6 is not closed"),
        ("{} /* x", "comment that begins in line 1, column 4 is not closed"),
        ("[,]", "expected a value"),
        ("[1,,2]", "expected a value"),
        ("[1 2]", "comma"),
        ('{"a": NaN}', "NaN is not a number"),
        ('{"a": 1, "a": 2}', '"a" stands twice'),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"a": ' + "9" * 5_000 + "}", "too large a number"),
        ("[" * 1_000 + "]" * 1_000, "nested more than 64 deep in line 1, column 65"),
        ('{"a":' * 1_000, "nested more than 64 deep"),
        ("x" * 600_000, "500,000 is the most"),
        ("[]", "This is a list"),
        ("5", "not a workflow"),
        ('{"id": "a", "steps": []}', "Steps: it needs at least one"),
        ('{"id": "a", "nodes": []}', "Nodes: it needs at least one"),
        ('{"id": "a", "initial": "x", "states": {}}', "States: it needs at least one"),
        ("{a: 1, 'b': c}", "I expected a value in line 1, column 13"),
        ("{a: 'x' 'y'}", "I expected a comma or the closing bracket in line 1, column 9"),
        ("{a: 'it\\'s \"so\"', /* c */ b: ?}", "I expected a value in line 1, column 30"),
        ("steps: [}", "I expected a value in line 1, column 9"),
        ("{a: 'x", "text that begins in line 1, column 5 is not closed"),
        ("{a: '\\x41'}", "a backslash stands before the wrong character in line 1, column 6"),
    ],
)
def test_what_is_no_workflow_is_told_in_one_sentence_at_once(text: str, said: str) -> None:
    def read() -> None:
        with pytest.raises(DefinitionError) as caught:
            read_json(text)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 300

    assert calls_of(read) < 20_000


def _state(index: int, **fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["states"][index].update(fields)


def _whole(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data.update(fields)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data.pop("name"), '"name" is missing.'),
        (lambda data: data["states"][1].pop("action"), 'Step 2 ("announce_raid"): "action" is missing.'),
        (
            lambda data: data["states"][1]["action"].pop("method"),
            'Step 2 ("announce_raid"), action: "method" is missing.',
        ),
        (_state(1, foo=1), 'Step 2 ("announce_raid"), foo: there is no such key here.'),
        (_state(1, name="prepare_raid"), 'Two states are named "prepare_raid"; every name may be used once.'),
        (_state(1, name=""), 'Step 2 (""), name: it must not be empty.'),
        (_whole(initial_state="zz"), 'Initial_state "zz" is not one of the states.'),
        (_whole(states=[]), "states: it needs at least one."),
        (
            _state(1, transitions={"success": [{"when": "viewers >", "to": "x"}]}),
            "transitions.success 1.when: This condition ends too early",
        ),
        (_state(1, transitions={"success": 5}), "transitions.success: it must be a text or a list."),
        (_state(1, action={"kind": "zap"}), 'there is no kind of action "zap"'),
        (_state(1, action={"kind": "wait_for"}), '"event" is missing'),
        (_state(1, action={"kind": "transform", "formula": {"path": "x"}}), "a condition is written as a text"),
        (
            _state(2, action={"service": "internal", "method": "wait", "params": {}}),
            'a wait has the one param "seconds"',
        ),
        (_state(1, timeout_seconds="x"), "timeout_seconds: it must be a number."),
        (_state(1, retry={"max_attempts": 0}), "retry.max_attempts: it must be 1 or more."),
        (_whole(policy={"mode": "zz"}), "policy.mode: it must be one of"),
        (_whole(name="x" * 100), "name: it has more than 64 characters."),
    ],
)
def test_a_mistake_is_told_with_its_place(spoil: Callable[[dict[str, Any]], Any], said: str) -> None:
    data = json.loads(json.dumps(RAID))
    spoil(data)
    with pytest.raises(DefinitionError) as caught:
        read_json(json.dumps(data))
    assert said in str(caught.value)
    assert "pydantic" not in str(caught.value)


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.text(st.characters(exclude_categories=["Cs"]))
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
)


@given(JSON)
def test_plain_json_is_read_as_it_is(data: Any) -> None:
    try:
        assert parse_json(json.dumps(data, ensure_ascii=False)) == data
    except DefinitionError as error:
        assert "half a character" in str(error)  # noqa: PT017


@given(st.text(alphabet="{}[],:\"'/*\\ \n01atrue", max_size=60))
def test_no_text_makes_reading_raise_anything_else(text: str) -> None:
    try:
        read_json(text)
    except DefinitionError:
        return
    raise AssertionError("that was no workflow")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(definitions(depth=1, states=3))
def test_any_definition_is_written_so_that_it_is_read_the_same(definition: Definition) -> None:
    assert read_json(write_json(definition)) == definition


def test_a_list_whose_only_element_is_wrong_is_not_called_too_short() -> None:
    state = {"name": "a", "action": {"kind": "wait", "seconds": 1}, "bar": 2}
    with pytest.raises(DefinitionError) as refused:
        read_data({"id": "w", "name": "w", "initial_state": "a", "states": [state]})
    assert str(refused.value) == 'Step 1 ("a"), bar: there is no such key here.'
    with pytest.raises(DefinitionError, match="states: it needs at least one"):
        read_data({"id": "w", "name": "w", "initial_state": "a", "states": []})
