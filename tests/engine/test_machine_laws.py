"""Laws of the machine over drawn workflows and drawn inputs: whatever comes, in whatever order, these hold."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.context import Context
from engine.convert import read_data
from engine.execution import FINAL, Effect, Execution, Frame, HistoryRow, Status
from engine.inputs import (
    Cancel,
    ChildEnded,
    Errored,
    Extend,
    Heard,
    Input,
    OutcomeUnknown,
    Pause,
    Resume,
    Retry,
    Skip,
    Stop,
    Succeeded,
    TimeReached,
)
from engine.machine import start, transition
from engine.program import Program, compile_program
from tests.runnable import DECLARATIONS, EVENTS, definitions

CONTEXT = Context()
REPEATED = frozenset({"heard", "skip", "extend", "retry", "resume"})
PEOPLE = ("bob", "ann", "cid")
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
                "heard",
                "heard",
                "child",
                "child failed",
                "skip",
                "extend",
                "retry",
            ]
        ),
        st.integers(0, 5),
        st.sampled_from([0, 0, 1, 2.5, 60]),
    ),
    max_size=30,
)


def _input(verb: str, which: int, at: float, effects: list[Effect], execution: Execution) -> Input:
    children = [branch.child for branch in execution.branches if branch.child is not None]
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
        case "heard":
            name = EVENTS[which % len(EVENTS)]
            event = {
                "name": name,
                "id": f"e{at}",
                "at": at,
                "user": {"name": PEOPLE[which % 3], "roles": []},
                "n": which,
            }
            return Heard(at, name, event)
        case "child" | "child failed":
            status: Status = "completed" if verb == "child" else "failed"
            return ChildEnded(at, children[which % len(children)] if children else "x.9", status, {"n": 1}, None)
        case "skip":
            return Skip(at, "bob")
        case "extend":
            return Extend(at, "bob", which - 1)
        case "retry":
            return Retry(at, "bob", {"n": which})
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


@settings(max_examples=80, deadline=None)
@given(definitions(), MOVES)
def test_whatever_comes_history_has_no_gap_and_nothing_is_asked_or_recorded_twice(
    definition: dict[str, Any], moves: Any
) -> None:
    program = compile_program(read_data(definition), DECLARATIONS)
    step = _begin(program)
    rows: list[HistoryRow] = list(step.history)
    effects: list[Effect] = list(step.effects)
    at = 0.0
    for verb, which, pause in moves:
        at += pause
        before = step.execution
        input = _input(verb, which, at, effects, before)
        step = transition(program, before, input, CONTEXT)
        rows += step.history
        effects += step.effects
        check(step.execution, rows, effects)
        if before.status in FINAL and step.execution.status in FINAL and verb != "retry":  # which may fail anew at once
            assert (step.execution.status, step.execution.error, step.execution.ended_at) == (
                before.status,
                before.error,
                before.ended_at,
            )
            assert not step.effects
        if verb not in REPEATED:
            again = transition(program, step.execution, input, CONTEXT)
            assert again.execution is step.execution, "the same input a second time changes nothing"
            assert not again.effects


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
        stuck = [
            b
            for b in execution.branches
            if (b.effect, b.child, b.due, b.timeout_due) == (None, None, None, None) and not execution.ears
        ]
        assert not stuck or execution.status == "paused", "a branch waits for something"
        open_lanes = {lane for frame in execution.frames for lane in lanes_running(frame)}
        at = {branch.path for branch in execution.branches}
        assert all(any(path == lane or path.startswith(f"{lane}/") for path in at) for lane in open_lanes), (
            "whatever is open goes on"
        )
        assert all(path == "main" or path in open_lanes for path in at), "whatever goes on is open"
    told_by_hand = {"paused", "resumed", "retried", "skipped by hand", "extended", "left"}
    tries = [
        (row.path, row.state, row.visit, row.attempt)
        for row in rows
        if row.outcome not in told_by_hand and not row.outcome.startswith("late") and row.visit
    ]
    assert len(tries) == len(set(tries)), "one row for each try"


def lanes_running(frame: Frame) -> list[str]:
    """The paths of the branches of a parallel that are under way; in these workflows names need no escaping."""
    return [f"{frame.path}/{frame.state}:{frame.visit}:{lane.name}" for lane in frame.lanes if lane.status == "running"]


@settings(max_examples=60, deadline=None)
@given(definitions())
def test_left_alone_every_run_ends_or_waits_for_a_second_or_more_each_round(definition: dict[str, Any]) -> None:
    program = compile_program(read_data(definition), DECLARATIONS)
    step = _begin(program)
    at, asked, told = 0.0, list(step.effects), 0
    for number in range(2_000):
        execution = step.execution
        if execution.status in FINAL or at >= 600 or told > 50:  # whatever waits for the world may go on for ever
            return
        input = _whatever_comes_next(execution, asked, at, number)
        told += isinstance(input, Heard)
        step = transition(program, execution, input, CONTEXT)
        asked = [effect for effect in (*asked, *step.effects) if _is_open(step.execution, effect)]
        if not asked and step.execution.next_due is not None:
            at = max(at, step.execution.next_due)
    assert max(step.execution.rounds.values(), default=0) > 50, "what goes round is counted, and so will end"


def _is_open(execution: Execution, effect: Effect) -> bool:
    return any(branch.effect == effect.id for branch in execution.branches) or effect.id in execution.orphans


def _whatever_comes_next(execution: Execution, asked: list[Effect], at: float, number: int) -> Input:
    """Services answer at once, runs end well, everybody follows and talks, time passes."""
    if asked:
        return Succeeded(at, asked[-1].id)
    children = [branch.child for branch in execution.branches if branch.child is not None]
    if children:
        return ChildEnded(at, children[0], "completed")
    if execution.next_due is None and execution.ears:
        name, who = execution.ears[number % len(execution.ears)]
        return Heard(
            at, name, {"name": name, "id": "e", "at": at, "user": {"name": who or f"u{number}"}, "n": number % 5}
        )
    return TimeReached(max(at, execution.next_due or at))


@settings(max_examples=30, deadline=None)
@given(definitions(), MOVES)
def test_the_same_inputs_always_come_to_the_same(definition: dict[str, Any], moves: Any) -> None:
    program = compile_program(read_data(definition), DECLARATIONS)
    ends = []
    for _ in range(2):
        step = _begin(program)
        effects = list(step.effects)
        at = 0.0
        for verb, which, pause in moves:
            at += pause
            before = step.execution
            step = transition(program, before, _input(verb, which, at, effects, before), CONTEXT)
            effects += step.effects
        ends.append((step, effects))
    assert ends[0] == ends[1]
