"""Promises of the machine. Each file in `machines/` is one workflow or several, by name, with runs `of` one of them; a run
is what goes in and all that comes out.

> 0 start                        what goes in: the time in seconds, then the input
> 1 success main/say/1 {...}     an effect was done; likewise `error main/say/1 code message` (`code!` may be tried again)
> 1 unknown main/say/1 message   nobody knows whether it was done
> 1 heard raid {...}             something happened
> 1 child x.1 completed {...}    a run that was started has ended, or with another status and why
> 1 stop ann                     a control; `skip ann`, `extend ann 30` (both perhaps with a step), `retry ann {...}`
> 1 begin                        a run that was held begins; likewise `line` and `decline why`
asks main/say/1 svc.say {...}    an effect that is asked for
starts x.1 other {...}           a run that is started; `beside` if nobody waits for it
relays stop x.1                  what is done to a run that was started
say success -> rest              a history row: state, #attempt from the second try on, outcome, where it leads, (error), by whom
consumes                         the event reaches nobody else
= waiting until 30               the status after it, with the next due time
(nothing)                        the input changed nothing
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from engine.context import Context
from engine.convert import read_data, read_json
from engine.declare import Declarations, Method, Param
from engine.events import Event, canonical
from engine.execution import FINAL, Execution, Status
from engine.inputs import (
    Begin,
    Cancel,
    ChildEnded,
    Decline,
    Errored,
    Extend,
    Heard,
    Input,
    OutcomeUnknown,
    Pause,
    Resume,
    Retry,
    Skip,
    StandInLine,
    Stop,
    Succeeded,
    TimeReached,
)
from engine.machine import Step, start, transition
from engine.model import Definition
from engine.people import name_of
from engine.program import Program, compile_program
from engine.secrets import Secret

HERE = Path(__file__).parent
DATA = HERE.parent / "data"

DECLARATIONS = Declarations(
    (
        Method("svc", "say", (Param("message"),)),
        Method("svc", "look", (), repeatable=True),
        Method("svc", "count", (Param("n", "number"), Param("on", "boolean", required=False))),
        Method("svc", "send", (Param("url", "text", secret=True), Param("body", "any", required=False))),
    )
)


def cases() -> Iterator[Any]:
    for file in sorted((HERE / "machines").glob("*.toml")):
        content = tomllib.loads(file.read_text())
        for run in content["run"]:
            definition = content["definitions"][run["of"]] if "of" in run else content.get("definition")
            definition = definition or {"file": content["file"]}
            yield pytest.param(definition | run.get("changes", {}), run, id=f"{file.stem}: {run['promise']}")


@pytest.mark.parametrize(("definition", "run"), cases())
def test_a_machine_does_exactly_this(definition: dict[str, Any], run: dict[str, Any]) -> None:
    expected = [line.strip() for line in run["script"].strip().splitlines() if line.strip()]
    assert (
        list(play(load(definition), run, [line[1:].strip() for line in expected if line.startswith(">")])) == expected
    )


def load(definition: dict[str, Any]) -> Definition:
    if "file" in definition:
        return read_json((DATA / definition["file"]).read_text())
    return read_data({"id": "flow", "name": "flow", "initial_state": definition["states"][0]["name"], **definition})


def play(definition: Definition, run: dict[str, Any], inputs: list[str]) -> Iterator[str]:
    """Everything a run says, inputs included."""
    program = compile_program(definition, DECLARATIONS)
    context = Context(config=run.get("config", {}), stream=run.get("stream", {}), chance=(run.get("chance", 0.5),))
    execution: Execution | None = None
    for line in inputs:
        yield f"> {line}"
        if execution is None:
            step = begin(program, run, context)
        else:
            input = read_input(line)
            step = transition(program, execution, input, context)
            if step.execution is execution:
                assert not step.effects
                assert not step.history
                yield "(nothing)"
                continue
            assert step.execution.seq == execution.seq + len(step.history)
            if isinstance(input, Heard):
                assert is_heard(execution, input), "nobody would have told it"
        execution = step.execution
        yield from told(step)


def is_heard(execution: Execution, input: Heard) -> bool:
    """Whether a run has said that it listens for this."""
    who = (name_of(input.event.get("user")) or "").casefold()
    return bool({(input.name, None), (input.name, who)} & {*execution.ears})


def begin(program: Program, run: dict[str, Any], context: Context) -> Step:
    fields = run.get("event")
    event = None if fields is None else Event("e1", fields.get("name", "raid.received"), 0.0, "c", fields)
    user = None if fields is None else fields.get("user")
    return start(
        program,
        id="x",
        community="c",
        revision=1,
        event=event,
        arguments=run.get("arguments", {}),
        user=user,
        caller={"name": "ann", "roles": ["moderator"]},
        at=0.0,
        context=context,
        depth=run.get("depth", 0),
        held=run.get("held"),
        due=run.get("due"),
    )


def read_input(line: str) -> Input:  # noqa: C901  one line an input
    when, verb, *rest = line.split(" ", 3)
    at = float(when)
    more = rest[1] if len(rest) > 1 else ""
    match verb:
        case "success":
            return Succeeded(at, f"x/{rest[0]}", json.loads(more or "null"))
        case "error":
            code, _, message = more.partition(" ")
            return Errored(at, f"x/{rest[0]}", code.rstrip("!"), message, code.endswith("!"))
        case "unknown":
            return OutcomeUnknown(at, f"x/{rest[0]}", more)
        case "heard":
            name = canonical(rest[0])
            return Heard(at, name, {"name": name, "at": at, **json.loads(more or "{}")})
        case "child":
            status, _, said = more.partition(" ")
            well = status == "completed"
            return ChildEnded(
                at,
                rest[0],
                cast("Status", status),
                json.loads(said or "null") if well else None,
                None if well else said,
            )
        case "time":
            return TimeReached(at)
        case "skip":
            return Skip(at, rest[0], more or None)
        case "extend":
            seconds, _, state = more.partition(" ")
            return Extend(at, rest[0], float(seconds), state or None)
        case "retry":
            return Retry(at, rest[0], json.loads(more or "{}"))
        case "begin":
            return Begin(at)
        case "line":
            return StandInLine(at)
        case "decline":
            return Decline(at, " ".join(rest))
        case _:
            return {"cancel": Cancel, "stop": Stop, "pause": Pause, "resume": Resume}[verb](at, rest[0])


def told(step: Step) -> Iterator[str]:
    for row in step.history:
        said = f"{row.state}#{row.attempt}" if row.attempt > 1 else row.state
        said += f" {row.outcome}"
        said += f" {json.dumps(row.output)}" if row.output is not None else ""
        said += f" -> {row.to}" if row.to is not None else ""
        said += f" ({row.error})" if row.error is not None else ""
        yield said + (f" by {row.by}" if row.by is not None else "")
    for effect in step.effects:
        yield f"asks {effect.id.removeprefix('x/')} {effect.service}.{effect.method} {shown(effect.params)}"
    for run in step.starts:
        yield f"starts {run.id}{' beside' if run.detached else ''} {run.workflow} {shown(run.arguments)}"
    for relay in step.relays:
        yield f"relays {relay.verb} {relay.child}" + (f" by {relay.by}" if relay.by else "")
    if step.consumed:
        yield "consumes"
    execution = step.execution
    due = f" until {execution.next_due:g}" if execution.next_due is not None else ""
    yield f"= {execution.status}{due}" + (f" ({execution.error})" if execution.error is not None else "")


def shown(params: Mapping[str, Any]) -> str:
    return json.dumps(params, default=repr, ensure_ascii=False)


def test_history_has_one_row_a_try_with_params_and_times() -> None:
    program = compile_program(
        load(
            {
                "states": [
                    {
                        "name": "say",
                        "action": {"service": "svc", "method": "say", "params": {"message": "hi ${user}"}},
                        "transitions": {"success": "rest"},
                        "retry": {"max_attempts": 2, "delay_seconds": 5},
                    },
                    {"name": "rest", "action": {"service": "internal", "method": "wait", "params": {"seconds": 10}}},
                ]
            }
        ),
        DECLARATIONS,
    )
    context = Context()
    step = begin(program, {"event": {"user": {"name": "ninja", "roles": []}}}, context)
    rows = [*step.history]
    for input in (
        Errored(1, "x/main/say/1", "busy", "busy", True),
        TimeReached(6),
        Succeeded(8, "x/main/say/1#2", {"id": 7}),
        TimeReached(20),
    ):
        step = transition(program, step.execution, input, context)
        rows += step.history
    assert [row.seq for row in rows] == [0, 1, 2]
    assert [(row.state, row.attempt, row.entered_at, row.ended_at) for row in rows] == [
        ("say", 1, 0, 1),
        ("say", 2, 0, 8),
        ("rest", 1, 8, 20),
    ]
    assert [row.params for row in rows] == [{"message": "hi ninja"}, {"message": "hi ninja"}, {"seconds": 10}]
    assert rows[1].output == {"id": 7}
    assert step.execution.late == 2
    assert step.execution.results == {"say": {"id": 7}}


def test_a_secret_reaches_the_service_but_neither_branch_nor_history() -> None:
    definition = load(
        {
            "states": [
                {
                    "name": "send",
                    "action": {"service": "svc", "method": "send", "params": {"url": "${hook}", "body": {"a": [1]}}},
                    "retry": {"max_attempts": 2, "delay_seconds": 0},
                }
            ]
        }
    )
    program = compile_program(definition, DECLARATIONS)
    context = Context(config={"hook": Secret("hook", "https://hidden")})
    step = begin(program, {}, context)
    assert step.effects[0].params["url"].reveal() == "https://hidden"
    assert step.execution.branches[0].params == {"url": "(secret)", "body": {"a": [1]}}
    step = transition(program, step.execution, Errored(1, step.effects[0].id, "busy", "busy", True), context)
    assert step.history[0].params["url"] == "(secret)"
    assert step.effects[0].params["url"].reveal() == "https://hidden"


def test_a_secret_where_none_is_asked_for_is_an_error_in_words() -> None:
    for action in (
        {"service": "svc", "method": "say", "params": {"message": "${hook}"}},
        {"service": "svc", "method": "say", "params": {"message": "x${hook}"}},
        {"service": "svc", "method": "send", "params": {"url": "x", "body": ["${hook}"]}},
        {"service": "svc", "method": "other", "params": {"any": "${config}"}},
        {"kind": "set", "values": {"x": "${hook}"}},
        {"kind": "transform", "formula": "hook"},
    ):
        program = compile_program(load({"states": [{"name": "a", "action": action}]}), DECLARATIONS)
        step = begin(program, {}, Context(config={"hook": Secret("hook", "https://hidden")}))
        assert step.execution.status == "failed"
        assert not step.effects
        assert "secret" in str(step.execution.error)
        assert "hidden" not in repr(step)


def test_a_busy_loop_ends_in_one_transition_with_a_sentence() -> None:
    definition = load({"states": [{"name": "a", "action": {"kind": "goto", "to": "a"}}]})
    step = begin(compile_program(definition, DECLARATIONS), {}, Context())
    assert step.execution.status == "failed"
    assert step.execution.error == '"a" came 1,000 times without a wait of a second or more in between'
    assert len(step.history) == 1_000


def test_a_pacing_loop_may_go_on_for_ever_unless_a_limit_is_written() -> None:
    states = [
        {"name": "say", "action": {"service": "svc", "method": "look"}, "transitions": {"success": "rest"}},
        {
            "name": "rest",
            "action": {"service": "internal", "method": "wait", "params": {"seconds": 1}},
            "transitions": {"success": "say"},
        },
    ]
    for limit, rounds in ((None, 3_000), (5, 5)):
        definition = load({"states": states} | ({} if limit is None else {"max_loop_iterations": limit}))
        program = compile_program(definition, DECLARATIONS)
        step = begin(program, {}, Context())
        seen = 0
        for now in range(3_000):
            if step.execution.status in FINAL:
                break
            seen += 1
            step = transition(program, step.execution, Succeeded(now, step.effects[0].id), Context())
            step = transition(program, step.execution, TimeReached(now + 1), Context())
        assert seen == rounds
        assert (step.execution.status == "failed") is (limit is not None)


def test_a_loop_of_effects_without_a_wait_ends_too() -> None:
    states = [{"name": "say", "action": {"service": "svc", "method": "look"}, "transitions": {"success": "say"}}]
    program = compile_program(load({"states": states}), DECLARATIONS)
    step = begin(program, {}, Context())
    for _ in range(1_000):
        step = transition(program, step.execution, Succeeded(1, step.effects[0].id), Context())
        if step.execution.status in FINAL:
            break
    assert step.execution.error == '"say" came 1,000 times without a wait of a second or more in between'


def test_names_with_slashes_keep_their_effects_apart() -> None:
    states = [{"name": "a/b#1%", "action": {"service": "svc", "method": "look"}, "timeout_seconds": 5}]
    program = compile_program(load({"states": states}), DECLARATIONS)
    step = begin(program, {}, Context())
    id = step.effects[0].id
    assert id == "x/main/a%2Fb%231%25/1"
    step = transition(program, step.execution, TimeReached(5), Context())
    step = transition(program, step.execution, Succeeded(6, id), Context())
    assert [(row.state, row.path, row.visit, row.outcome) for row in step.history] == [
        ("a/b#1%", "main", 1, "late success")
    ]
