"""A dry run in words and as data."""

import json
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.simulation import Telling, as_data, as_lines, in_short
from bot.trial import answering, person_of, pretended
from engine.data import DATA_METHODS
from engine.declare import Declarations
from engine.execution import Effect, Failed, Result, Unknown
from engine.secrets import Secret
from engine.simulate import backtest, by_event, by_hand
from engine.simulation import Limits
from tests.engine.test_simulate import HEARING, RAID, event, stage, step
from tests.fakes import METHODS, STREAMER, say, workflow

TELLING = Telling(Declarations((*METHODS, *DATA_METHODS)), {"raid": "the raid"}, ZoneInfo("UTC"))


def test_each_line_says_what_would_happen() -> None:
    assert as_lines(by_event(stage(RAID), "raid", event("raid", viewers=50)), TELLING) == [
        "if a raid comes in: bob (viewers 50)",
        '"the raid" v1 would start',
        'would do stage.say with {"message": "welcome bob, all 50!"}',
        "then waits 10 seconds",
        'would do stage.say with {"message": "bye"}',
        "then it is over after 10 seconds",
    ]


def test_a_refusal_says_why() -> None:
    lines = as_lines(by_event(stage(RAID), "raid", event("raid", viewers=2)), TELLING)
    assert lines[1] == '"the raid" would not start: the raid had 2 viewers; it needs viewers > 5'


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (Failed("x", "no luck."), ", and that fails: no luck"),
        (Unknown("gone"), ", and nobody knows whether that is done"),
    ],
)
def test_what_goes_wrong_in_a_service_is_said(result: Result, words: str) -> None:
    trace = by_hand(stage(workflow("w", say("a", "a")), answer=lambda _: result), "w", {}, STREAMER)
    assert as_lines(trace, TELLING)[1] == f'would do stage.say with {{"message": "a"}}{words}'


def test_a_wait_for_somebody_says_for_whom_and_that_nobody_came() -> None:
    lines = as_lines(by_hand(stage(HEARING), "w", {}, STREAMER), TELLING)
    assert lines[1] == "then waits until someone follows, 10 minutes at most"
    assert lines[2] == 'nobody did in time; it goes on at "sad"'


def test_runs_of_several_workflows_are_told_apart() -> None:
    parent = workflow("p", step("call", "run", workflow="c"))
    lines = as_lines(by_hand(stage(parent, workflow("c", say("a", "hi"))), "p", {}, STREAMER), TELLING)
    assert lines == [
        "p v1 would start",
        "c v1 would start",
        'c: would do stage.say with {"message": "hi"}',
        "c: then it is over",
        "p: then it is over",
    ]


def test_that_it_was_cut_off_is_the_last_that_is_said() -> None:
    loop = workflow("w", say("a", "a", transitions={"success": "a"}))
    trace = by_hand(stage(loop, limits=Limits(lines=10)), "w", {}, STREAMER)
    assert as_lines(trace, TELLING)[-1] == "It goes on, but more than 10 lines of it are too many."


def test_that_a_run_would_still_wait_is_said() -> None:
    trace = by_hand(stage(workflow("w", step("a", "wait_for", event="follow"))), "w", {}, STREAMER)
    assert as_lines(trace, TELLING)[-1] == "1 run would still wait then"


def test_a_backtest_is_summed_up_and_dated() -> None:
    events = [event("raid", at, viewers=v) for at, v in ((100.0, 9), (110.0, 9), (120.0, 1))]
    trace = backtest(stage(RAID), "raid", events)
    assert in_short(trace) == "3 events: 1 run, 1 start refused, 1 not taken by its trigger"
    dated = Telling(TELLING.declarations, TELLING.names, TELLING.zone, dated=True)
    assert as_lines(trace, dated)[0] == "1970-01-01 00:01:40 a raid comes in: bob (viewers 9)"


def test_the_data_is_json_and_holds_no_secret() -> None:
    whispering = workflow("w", say("a", "${config.key}"))
    trace = by_hand(stage(whispering, config={"key": Secret("key", "hunter2")}), "w", {}, STREAMER)
    found = json.dumps(as_data(trace, TELLING))
    assert "hunter2" not in found
    assert json.loads(found)["lines"][0]["line"] == "begun"


# What it is tried with ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "payload"),
    [
        ("raid", {"viewers": "50"}, {"user": {"name": "someone", "roles": []}, "viewers": 50}),
        (
            "raid",
            {"user": "bob", "user.roles": "VIP, moderator"},
            {"user": {"name": "bob", "roles": ["vip", "moderator"]}},
        ),
        ("stream_online", {"title": "hi"}, {"title": "hi"}),
        ("party.begun", {"n": "1"}, {"n": "1"}),
        ("raid", {"viewers": "many"}, {"user": {"name": "someone", "roles": []}, "viewers": "many"}),
    ],
)
def test_fields_are_read_as_what_the_event_carries(
    name: str, given: Mapping[str, Any], payload: dict[str, Any]
) -> None:
    made = pretended(name, given, id="x", at=1.0, community="home")
    assert made.payload == payload


def test_a_command_and_a_message_are_made_of_each_other() -> None:
    made = [
        pretended("message.received", given, id="x", at=1.0, community="home").payload
        for given in ({"message": "!So ninja now"}, {"command": "!so", "arguments": "ninja now"}, {"message": "hi all"})
    ]
    assert [
        (each["message"], each["command"], each["arguments"], each.get("target"), each["words"]) for each in made
    ] == [
        ("!So ninja now", "!so", "ninja now", "ninja", 3),
        ("!so ninja now", "!so", "ninja now", "ninja", 3),
        ("hi all", "", "", None, 2),
    ]


def test_nobody_is_named_where_nobody_is_given() -> None:
    assert person_of({"n": 1}) is None


def test_only_steps_of_the_workflow_that_is_tried_fail() -> None:
    answer = answering(TELLING.declarations, "w", ("a",))

    def asked(workflow: str, state: str) -> Result | None:
        return answer(Effect("e", "home", "r", workflow, state, "stage", "say", {}, False))

    assert isinstance(asked("w", "a"), Failed)
    assert asked("w", "b") is None
    assert asked("other", "a") is None
