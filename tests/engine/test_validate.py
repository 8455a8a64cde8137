"""Promises of validation: every problem with its place, in one sentence, with what would mend it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from bot.services.declared import DECLARATIONS
from engine.convert import read_data, read_json
from engine.model import Definition
from engine.program import compile_program
from engine.validate import Problem, check, never_by_itself
from tests.strategies import definitions

DATA = Path(__file__).parent.parent / "data"
SAY = {"service": "twitch", "method": "send_chat_message", "params": {"message": "hi"}}
WAIT = {"service": "internal", "method": "wait", "params": {"seconds": 5}}


def problems(data: dict[str, Any], known: tuple[str, ...] = ()) -> list[Problem]:
    return list(check(read_data(data), DECLARATIONS, known))


def flow(*actions: Any, **fields: Any) -> dict[str, Any]:
    """States s1, s2, ... one after the other."""
    states = [
        {"name": f"s{n}", "action": action, "transitions": {"success": f"s{n + 1}"} if n < len(actions) else {}}
        for n, action in enumerate(actions, 1)
    ]
    return {"id": "w", "name": "w", "initial_state": "s1", "states": states, **fields}


def call(service: str, method: str, **params: Any) -> dict[str, Any]:
    return {"service": service, "method": method, "params": params}


def say(message: str) -> dict[str, Any]:
    return call("twitch", "send_chat_message", message=message)


def test_a_sound_workflow_has_no_problems() -> None:
    assert problems(flow(SAY, WAIT, say("bye ${user} and ${viewers}"), triggers=["raid"])) == []


def test_what_a_step_keeps_for_everybody_is_set_for_the_steps_after_it() -> None:
    assert problems(flow(call("data", "add_to_counter", counter="My Deaths"), say("${my_deaths}"))) == []


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("raid_workflow", (), ['warning step 2 ("announce_raid"): nothing sets "raid_target"']),
        ("raid_workflow", ("raid_target",), []),
        (
            "stream_start",
            ("discord.announcement_channel",),
            ['warning trigger "scheduled.stream_start": the schedule is named'],
        ),
    ],
)
def test_the_workflows_people_have_can_run(name: str, known: tuple[str, ...], expected: list[str]) -> None:
    found = check(read_json((DATA / f"{name}.json").read_text()), DECLARATIONS, known)
    assert len(found) == len(expected)
    for problem, start in zip(found, expected, strict=True):
        assert f"{problem.severity} {problem}".startswith(start)


def edges(number: int, **transitions: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["states"][number - 1]["transitions"].update(transitions)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            flow(call("twich", "x")),
            'error step 1 ("s1"): there is no service "twich"; there are ai, data, discord, http, internal, obs, overlay, twitch; did you mean "twitch"?',
        ),
        (
            flow(call("twitch", "send_chat_mesage")),
            'error step 1 ("s1"): twitch cannot do "send_chat_mesage"; did you mean "send_chat_message"?',
        ),
        (flow(call("twitch", "send_chat_message", mesage="x")), 'has no param "mesage"; did you mean "message"?'),
        (flow(call("twitch", "send_chat_message")), 'error step 1 ("s1"): twitch.send_chat_message needs "message"'),
        (flow(call("twitch", "timeout_user", user="x", duration="long")), "duration must be a number"),
        (flow(call("obs", "set_input_mute", input_name="mic", muted="very")), "muted must be true or false"),
        (flow(call("twitch", "send_chat_message", message=["x"])), "message must be a text"),
        (flow(say("${")), "is not closed"),
        (flow(say("${x|shout}")), 'There is no filter "shout"'),
        (flow(say("token oauth:abcdefghijklmnopqrstuvwxyz0123")), 'error step 1 ("s1"): a text looks like a secret'),
        (flow(say("hi @everyone")), 'warning step 1 ("s1"): a text pings everybody'),
        (flow(say("x" * 501)), "the message has 501 characters; 500 fit"),
        (
            flow(say("${target}")),
            'warning step 1 ("s1"): nothing sets "target": it has to be given at the start, with target=...',
        ),
        (
            flow(call("data", "add_to_counter", counter="Deaths", user="ann"), say("${deaths}")),
            'nothing sets "deaths"',
        ),
        (flow(say("${viewers_now}"), triggers=["raid"]), 'nothing sets "viewers_now"'),
        (flow(say("${bits}"), triggers=["raid", "cheer"]), '"bits" is not set when it is started by "raid"'),
        (flow(SAY, triggers=["message"]), 'trigger "message": it answers every single message'),
        (flow(SAY, triggers=["scheduled.friday"]), "the schedule is named but not defined"),
        (flow(SAY, triggers=[{"on": "schedule", "schedule": "every friday"}]), '"every friday" is not a schedule'),
        (flow(SAY, triggers=[{"on": "schedule", "schedule": "0 18 * * 5", "zone": "Mars"}]), 'no time zone "Mars"'),
        (
            flow(SAY, triggers=[{"on": "schedule", "schedule": "0 0 30 2 *"}]),
            '"0 0 30 2 *" names a day that never comes',
        ),
        (flow(SAY, triggers=[{"on": "schedule", "schedule": "* * * * * *"}]), '"* * * * * *" is not a schedule'),
        (flow(SAY, triggers=[{"on": "schedule", "at": "2026-02-30T19:00"}]), '"2026-02-30T19:00" is in no calendar'),
        (
            flow(SAY, triggers=[{"on": "interval", "every_seconds": 60, "every_most_seconds": 30}]),
            "the longest interval, 30 seconds, is shorter than the shortest, 60",
        ),
        (
            flow(SAY, triggers=[{"on": "interval", "every_most_seconds": 30}]),
            "it says how long its interval is at the most, and not at the least; add every_seconds",
        ),
        (
            flow(SAY, triggers=[{"on": "schedule", "every_seconds": 60, "schedule": "0 18 * * 5"}]),
            'it says its time more than once: "schedule" and "every_seconds"; make it several triggers',
        ),
        (
            flow(SAY, triggers=[{"on": "raid", "schedule": "0 18 * * 5"}]),
            'warning trigger "raid": "schedule" counts only where the clock starts it',
        ),
        (
            flow(SAY, triggers=[{"on": "raid", "min_lines": 5}]),
            'warning trigger "raid": "min_lines" counts only where the clock starts it',
        ),
        (flow(SAY, triggers=["riad"]), 'did you mean "raid"?'),
        (flow(SAY, triggers=[{"on": "message", "when": 'message matches "("'}]), "is not a pattern"),
        (flow(SAY, triggers=[{"on": "raid", "when": "round(1, 2, 3) > 1"}]), "round takes 1 to 2 values, not 3"),
        (flow(SAY, on_error="nope"), 'error on_error leads to "nope", and there is no such step'),
        (flow({"kind": "set", "values": {"caller": 1}}), '"caller" is a name of the bot itself'),
        (flow({"kind": "goto", "to": "s1"}), 'error step 1 ("s1"): this goes round for ever without a wait'),
        (flow(call("internal", "wait", seconds="soon")), '"soon" is not a number of seconds'),
    ],
)
def test_this_is_said(data: dict[str, Any], said: str) -> None:
    assert any(said in f"{problem.severity} {problem}" for problem in problems(data)), problems(data)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edges(1, success="s9"), 'error step 1 ("s1"): the edge "success" leads to "s9", and there is no such step'),
        (edges(1, success="s3"), 'warning step 2 ("s2"): no step leads here, so it never happens'),
        (edges(1, succes="s3"), 'nothing ever takes the edge "succes"; did you mean "success"?'),
    ],
)
def test_a_broken_graph_is_told(change: Callable[[dict[str, Any]], None], said: str) -> None:
    data = flow(SAY, SAY, SAY)
    change(data)
    assert said in [f"{problem.severity} {problem}"[: len(said)] for problem in problems(data)] or any(
        said in str(problem) for problem in problems(data)
    )


@pytest.mark.parametrize("actions", [(SAY, WAIT), (SAY, call("internal", "wait", seconds="${viewers}"))])
def test_an_endless_loop_that_paces_itself_is_fine(actions: tuple[Any, ...]) -> None:
    data = flow(*actions)
    edges(2, success="s1")(data)
    assert problems(data) == []


def test_a_loop_that_a_condition_can_leave_or_a_limit_ends_is_fine() -> None:
    data = flow(SAY, SAY)
    edges(2, success=[{"when": "viewers > 5", "to": "s1"}])(data)
    assert problems(data) == []
    edges(2, success="s1")(data)
    assert [problem.severity for problem in problems(data)] == ["error"]
    assert problems(data | {"max_loop_iterations": 3}) == []


def test_a_result_that_only_one_way_brings_is_told() -> None:
    data = flow(call("twitch", "create_clip"), say("clip: ${s1.url}"))
    assert problems(data) == []
    edges(1, error="s2")(data)
    assert ['"s1.url" may not be set yet' in str(problem) for problem in problems(data)] == [True]
    assert problems(json.loads(json.dumps(data).replace("s1.url", 's1.url|default \\"none\\"'))) == []


def test_errors_come_before_warnings() -> None:
    found = problems(flow(say("@here"), call("nope", "x")))
    assert [problem.severity for problem in found] == ["error", "warning"]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(definitions(depth=1, states=3))
def test_any_definition_can_be_judged_and_what_has_no_error_can_be_run(definition: Definition) -> None:
    found = check(definition, DECLARATIONS)
    if not any(problem.severity == "error" for problem in found):
        compile_program(definition, DECLARATIONS)


@pytest.mark.parametrize(
    ("now", "over"),
    [(None, False), ("2026-11-27T17:59", False), ("2026-11-27T18:00", True), ("2027-01-01T00:00", True)],
)
def test_a_moment_that_is_over_is_told_where_the_time_is_known(now: str | None, over: bool) -> None:
    definition = read_data(flow(SAY, triggers=[{"on": "schedule", "at": "2026-11-27T19:00"}]))
    at = None if now is None else datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp()
    found = check(definition, DECLARATIONS, now=at, zone="Europe/Berlin")
    told = ['trigger "schedule": 2026-11-27 19:00 is over, so it never starts by itself']
    assert [str(problem) for problem in found] == (told if over else [])


@pytest.mark.parametrize(
    "trigger",
    [
        {"on": "interval", "every_seconds": 60, "every_most_seconds": 60, "only_live": True, "min_lines": 5},
        {"on": "scheduled.friday", "schedule": "0 18 * * FRI", "zone": "Europe/Berlin"},
        {"on": "schedule", "at": "2026-11-27T19:00"},
    ],
)
def test_a_schedule_that_is_defined_is_no_problem(trigger: Any) -> None:
    assert problems(flow(SAY, triggers=[trigger], policy={"missed": "once"})) == []


def test_a_policy_that_is_heeded_is_no_problem() -> None:
    policy = {
        "mode": "queued",
        "only_live": True,
        "may_run": ["vip"],
        "cooldown": {"seconds": 60},
        "once_per_user": True,
    }
    assert problems(flow(SAY, policy=policy)) == []


# Secrets and what never starts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "fields", "refused"),
    [
        (say("${api.key}"), {}, True),
        (say("it is ${config.api.key|upper}!"), {}, True),
        ({"kind": "set", "values": {"x": "${api.key}"}}, {}, True),
        ({"kind": "wait", "seconds": "${api.key}"}, {}, True),
        (say("${api.other}"), {}, False),
        (say("${api.key}"), {"variables": {"api": {"default": "hides it"}}}, False),
    ],
)
def test_a_secret_may_be_named_only_where_one_is_asked_for(
    action: dict[str, Any], fields: dict[str, Any], refused: bool
) -> None:
    definition = read_data(flow(action, **fields))
    found = check(definition, DECLARATIONS, ("api.key", "api.other"), ("api.key",))
    said = [problem.sentence for problem in found if problem.severity == "error"]
    assert said == (['"api.key" is a secret, and may stand only where a secret is asked for'] if refused else [])


@pytest.mark.parametrize(
    ("trigger", "starts"),
    [
        ("raid", True),
        ({"on": "interval.elapsed", "every_seconds": 60}, True),
        ({"on": "interval.elapsed"}, False),
        ({"on": "schedule.fired", "schedule": "0 18 * * 5"}, True),
        ({"on": "schedule.fired", "at": "2026-11-27T19:00"}, True),
        ({"on": "scheduled.stream_start", "schedule": "0 18 * * 5"}, True),
        ("scheduled.stream_start", False),
    ],
)
def test_it_is_known_which_triggers_never_start_by_themselves(trigger: Any, starts: bool) -> None:
    [read] = read_data(flow(SAY, triggers=[trigger])).triggers
    assert (never_by_itself(read) is None) is starts


def test_every_step_of_a_loop_knows_the_round_and_no_other_does() -> None:
    inner = {"initial_state": "s", "states": [{"name": "s", "action": say("round ${loop.round}"), "transitions": {}}]}
    definition = Definition.model_validate(flow({"kind": "repeat", "times": 2, "block": inner}))
    assert not any("loop.round" in problem.sentence for problem in check(definition, DECLARATIONS))
    outside = Definition.model_validate(flow(say("round ${loop.round}")))
    assert any("loop.round" in problem.sentence for problem in check(outside, DECLARATIONS))
