"""A change taken out from among later ones: what came after it stays, and where both touch the same nothing is done."""

import pytest
from hypothesis import given, settings

from engine.edits import (
    Edit,
    Handle,
    InsertSteps,
    MoveStep,
    RemoveSteps,
    SetAction,
    SetTimeout,
    SetTransition,
    apply,
)
from engine.errors import EditError
from engine.merging import without
from engine.model import Call, Definition, State, Wait
from tests.engine.test_edits import edits, graphs, line, step

START = line("a", "b", "c")
LONGER = SetAction("b", Wait(seconds=60))
SAYS = SetAction("c", Call(service="twitch", method="send_chat_message", params={"message": "hi"}))


def taken_out(change: Edit, *since: Edit) -> Definition:
    after = apply(START, change)
    now = after
    for edit in since:
        now = apply(now, edit)
    return without(START, after, now)


@pytest.mark.parametrize(
    ("change", "since"),
    [
        (LONGER, SAYS),
        (LONGER, InsertSteps(1, (step("x"),))),
        (LONGER, RemoveSteps(("a",))),
        (SetTimeout(30), LONGER),
        (InsertSteps(4, (step("x"),)), LONGER),
        (RemoveSteps(("a",)), SAYS),
        (MoveStep("a", 3), LONGER),
    ],
)
def test_what_was_changed_since_stays(change: Edit, since: Edit) -> None:
    assert taken_out(change, since) == apply(START, since)


@pytest.mark.parametrize(
    ("change", "since"),
    [
        (LONGER, SetAction("b", Wait(seconds=7))),
        (LONGER, RemoveSteps(("b",))),
        (SetTimeout(30), SetTimeout(40)),
        (InsertSteps(2, (step("x"),)), SetAction("x", Wait(seconds=9))),
        (InsertSteps(2, (step("x"),)), InsertSteps(3, (step("y"),))),
        (InsertSteps(4, (step("x"),)), SetTransition("a", "error", "x")),
        (Handle((step("x"),)), SetTransition("a", "error", "x")),
        (MoveStep("a", 3), MoveStep("b", 3)),
    ],
)
def test_where_both_touch_the_same_nothing_is_done(change: Edit, since: Edit) -> None:
    with pytest.raises(EditError):
        taken_out(change, since)


def test_a_step_that_went_comes_back_to_its_place_among_those_that_came() -> None:
    back = taken_out(RemoveSteps(("b",)), InsertSteps(3, (step("x"),)))
    assert [state.name for state in back.states] == ["a", "b", "c", "x"]


@settings(deadline=None)
@given(graphs(), edits())
def test_the_last_change_taken_out_leaves_what_was_before(definition: Definition, edit: Edit) -> None:
    try:
        after = apply(definition, edit)
    except EditError:
        return
    assert without(definition, after, after) == definition


@settings(deadline=None)
@given(graphs(), edits(), edits())
def test_nothing_that_is_taken_out_leaves_an_edge_into_nowhere(definition: Definition, edit: Edit, later: Edit) -> None:
    try:
        after = apply(definition, edit)
        merged = without(definition, after, apply(after, later))
    except EditError:
        return
    there = {state.name for state in merged.states}
    was_there: set[str] = {state.name for state in definition.states} | {state.name for state in after.states}
    assert {to for state in merged.states for to in map(str, _targets(state))} & was_there <= there


def _targets(state: State) -> list[str]:
    found: list[str] = []
    for target in state.transitions.values():
        found.extend([target] if isinstance(target, str) else [way.to for way in target])
    return found
