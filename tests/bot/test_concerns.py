"""What several instructions come to as one, where each of several was meant."""

from bot.instructions.concerns import at_once
from engine.edits import InsertSteps, RemoveSteps, SetAction
from engine.model import State, Wait
from grammar.instruction import Change, Delete, RunWorkflow, SetEnabled, Several

LONGER = SetAction("a", Wait(seconds=9))


def test_the_same_done_with_several_steps_is_one_change() -> None:
    other = SetAction("b", Wait(seconds=9))
    assert at_once([Change("w", (LONGER,)), Change("w", (other,))]) == Change("w", (LONGER, other))
    gone = [Change("w", (RemoveSteps(("a",)),)), Change("w", (RemoveSteps(("b",)),))]
    assert at_once(gone) == Change("w", (RemoveSteps(("a", "b")),))


def test_the_same_done_with_several_workflows_is_done_to_all() -> None:
    assert at_once([Delete(("a",)), Delete(("b",))]) == Delete(("a", "b"))
    off = (SetEnabled("a", False), SetEnabled("b", False))
    assert at_once(list(off)) == Several(off)


def test_what_is_not_the_same_or_moves_the_others_is_not_done_at_once() -> None:
    put_in = InsertSteps(1, (State(name="x", action=Wait(seconds=1)),))
    assert at_once([Change("w", (LONGER,)), Change("w", (RemoveSteps(("b",)),))]) is None
    assert at_once([Change("w", (put_in,)), Change("w", (put_in,))]) is None
    assert at_once([Change("w", (LONGER,)), Change("v", (LONGER,))]) is None
    assert at_once([Change("w", (LONGER,)), Delete(("b",))]) is None
    assert at_once([RunWorkflow("a"), RunWorkflow("b")]) is None
