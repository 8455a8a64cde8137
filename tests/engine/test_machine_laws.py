"""Laws of the machine over drawn workflows and drawn inputs: whatever comes, in whatever order, these hold."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.context import Context
from engine.convert import read_data
from engine.declare import Declarations, Method
from engine.execution import FINAL, Effect, Execution, HistoryRow
from engine.inputs import Cancel, Errored, Input, OutcomeUnknown, Pause, Resume, Stop, Succeeded, TimeReached
from engine.machine import start, transition
from engine.program import Program, compile_program

DECLARATIONS = Declarations((Method("svc", "look"),))
NAMES = ["a", "b", "c", "d"]
CONTEXT = Context()

ACTIONS = st.sampled_from(
    [
        {"service": "svc", "method": "look", "params": {"n": "${n}"}},
        {"service": "svc", "method": "look", "params": {"n": "${missing}"}},
        {"service": "svc", "method": "look"},
        {"service": "internal", "method": "wait", "params": {"seconds": 0}},
        {"service": "internal", "method": "wait", "params": {"seconds": 3}},
        {"service": "internal", "method": "wait", "params": {"seconds": "${n}"}},
        {"kind": "set", "values": {"n": 2}},
        {"kind": "transform", "formula": "n + 1"},
        {"kind": "stop"},
    ]
)
GUARDS = st.sampled_from(["n > 1", "missing is empty", "n / 0 == 1", "a == 1"])
TARGETS = st.one_of(
    st.sampled_from(NAMES),
    st.lists(
        st.builds(lambda when, to: {"when": when, "to": to}, GUARDS, st.sampled_from(NAMES)), min_size=1, max_size=2
    ),
)
STATES = st.fixed_dictionaries(
    {
        "action": ACTIONS,
        "transitions": st.dictionaries(
            st.sampled_from(["success", "error", "timeout", "cancel", "unknown"]), TARGETS, max_size=4
        ),
    },
    optional={
        "timeout_seconds": st.sampled_from([1, 5]),
        "retry": st.just({"max_attempts": 3, "delay_seconds": 2, "backoff": 2}),
        "critical": st.booleans(),
        "enabled": st.booleans(),
    },
)
DEFINITIONS = st.builds(
    lambda states, extra: {
        "id": "w",
        "name": "w",
        "initial_state": "a",
        "states": [{"name": name, **state} for name, state in zip(NAMES, states, strict=True)],
        **extra,
    },
    st.lists(STATES, min_size=4, max_size=4),
    st.fixed_dictionaries(
        {},
        optional={
            "on_error": st.sampled_from(NAMES),
            "timeout_seconds": st.sampled_from([7, 30]),
            "max_loop_iterations": st.sampled_from([1, 3, 20]),
        },
    ),
)
# What is done next: a verb, which of the effects asked for so far, and how much time passes before.
MOVES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "success",
                "success",
                "success",
                "error",
                "busy",
                "unknown",
                "time",
                "time",
                "cancel",
                "stop",
                "pause",
                "resume",
            ]
        ),
        st.integers(0, 5),
        st.sampled_from([0, 0, 1, 2.5, 60]),
    ),
    max_size=30,
)


def _input(verb: str, which: int, at: float, effects: list[Effect]) -> Input:
    id = effects[-1 - which % len(effects)].id if effects else "x/main/a/1"
    match verb:
        case "success":
            return Succeeded(at, id, {"n": which})
        case "error":
            return Errored(at, id, "gone", "it is gone")
        case "busy":
            return Errored(at, id, "busy", "busy", True)
        case "unknown":
            return OutcomeUnknown(at, id, "nobody knows")
        case "time":
            return TimeReached(at)
        case _:
            return {"cancel": Cancel, "stop": Stop, "pause": Pause, "resume": Resume}[verb](at, "bob")


def _begin(program: Program) -> Any:
    return start(
        program,
        id="x",
        community="c",
        revision=1,
        event=None,
        arguments={"n": 1},
        user=None,
        caller=None,
        at=0.0,
        context=CONTEXT,
    )


@settings(max_examples=300, deadline=None)
@given(DEFINITIONS, MOVES)
def test_whatever_comes_history_has_no_gap_and_nothing_is_asked_or_recorded_twice(
    definition: dict[str, Any], moves: Any
) -> None:
    program = compile_program(read_data(definition), DECLARATIONS)
    step = _begin(program)
    rows: list[HistoryRow] = list(step.history)
    effects: list[Effect] = list(step.effects)
    at = 0.0
    ended: Execution | None = None
    for verb, which, pause in moves:
        at += pause
        before = step.execution
        input = _input(verb, which, at, effects)
        step = transition(program, before, input, CONTEXT)
        rows += step.history
        effects += step.effects
        check(step.execution, rows, effects)
        if before.status in FINAL:
            assert (step.execution.status, step.execution.error, step.execution.ended_at) == (
                before.status,
                before.error,
                before.ended_at,
            )
            assert not step.effects
        again = transition(program, step.execution, input, CONTEXT)
        assert again.execution is step.execution or verb == "resume", "the same input a second time changes nothing"
        assert not again.effects
        if step.execution.status in FINAL and ended is None:
            ended = step.execution


def check(execution: Execution, rows: list[HistoryRow], effects: list[Effect]) -> None:
    assert [row.seq for row in rows] == list(range(execution.seq))
    ids = [effect.id for effect in effects]
    assert len(ids) == len(set(ids)), "an effect is asked for once"
    waited_for = [branch.effect for branch in execution.branches if branch.effect is not None]
    assert set(waited_for) | set(execution.orphans) <= set(ids)
    assert not set(waited_for) & set(execution.orphans)
    if execution.status in FINAL:
        assert execution.branches == ()
        assert execution.ended_at is not None
        assert execution.next_due is None
    else:
        assert execution.branches
        assert execution.ended_at is None
        stuck = [b for b in execution.branches if b.effect is None and b.due is None and b.timeout_due is None]
        assert not stuck or execution.status == "paused", "a branch waits for something"
    tries = [
        (row.path, row.state, row.visit, row.attempt)
        for row in rows
        if row.outcome not in {"paused", "resumed"} and not row.outcome.startswith("late") and row.visit
    ]
    assert len(tries) == len(set(tries)), "one row for each try"


@settings(max_examples=150, deadline=None)
@given(DEFINITIONS)
def test_left_alone_every_run_ends_or_waits_for_a_second_or_more_each_round(definition: dict[str, Any]) -> None:
    program = compile_program(read_data(definition), DECLARATIONS)
    step = _begin(program)
    at, steps = 0.0, 0
    while step.execution.status not in FINAL and steps < 6_000 and at < 600:
        steps += 1
        if step.effects:
            step = transition(program, step.execution, Succeeded(at, step.effects[-1].id), CONTEXT)
        else:
            due = step.execution.next_due
            assert due is not None
            at = max(at, due)
            step = transition(program, step.execution, TimeReached(at), CONTEXT)
    assert step.execution.status in FINAL or at >= 600


@settings(max_examples=100, deadline=None)
@given(DEFINITIONS, MOVES)
def test_the_same_inputs_always_come_to_the_same(definition: dict[str, Any], moves: Any) -> None:
    program = compile_program(read_data(definition), DECLARATIONS)
    ends = []
    for _ in range(2):
        step = _begin(program)
        effects = list(step.effects)
        at = 0.0
        for verb, which, pause in moves:
            at += pause
            step = transition(program, step.execution, _input(verb, which, at, effects), CONTEXT)
            effects += step.effects
        ends.append((step, effects))
    assert ends[0] == ends[1]
