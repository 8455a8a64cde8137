"""What each edit does to the graph, on written cases and on any workflow of waits that hypothesis can think of."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.edits import (
    AddTrigger,
    Edit,
    InsertSteps,
    MoveStep,
    RemoveSteps,
    RemoveTrigger,
    ReplaceStep,
    SetAction,
    SetCritical,
    SetName,
    SetOnError,
    SetRetry,
    SetStepTimeout,
    SetTransition,
    SetVariable,
    SwapSteps,
    apply,
)
from engine.errors import EditError
from engine.formulas import Compare, Literal, Variable
from engine.model import (
    Block,
    Definition,
    Goto,
    Repeat,
    Retry,
    State,
    Stop,
    Trigger,
    VariableDeclaration,
    Wait,
    Way,
    all_states,
)

RAID = Definition.model_validate(json.loads((Path(__file__).parents[1] / "data" / "raid_workflow.json").read_text()))
GUARD = Compare(">", Variable("viewers"), Literal(5))


def step(name: str, *, to: str | None = None, seconds: float = 1) -> State:
    return State(name=name, action=Wait(seconds=seconds), transitions={} if to is None else {"success": to})


def line(*names: str) -> Definition:
    """A workflow whose steps follow each other."""
    following = (*names[1:], None)
    states = tuple(step(name, to=to, seconds=i) for i, (name, to) in enumerate(zip(names, following, strict=True)))
    return Definition(id="w", name="w", initial_state=names[0], states=states)


def order(definition: Definition) -> list[str]:
    """The steps as they are walked on success."""
    walked: list[str] = []
    name: str | None = definition.initial_state
    while name is not None and name not in walked:
        walked.append(name)
        target = definition.state(name).transitions.get("success")
        name = target if isinstance(target, str) else None
    return walked


# Written cases -------------------------------------------------------------------------------------------------------


def test_a_step_put_in_takes_over_the_edge_to_the_next_step() -> None:
    assert order(apply(line("a", "b", "c"), InsertSteps(2, (step("x"), step("y"))))) == ["a", "x", "y", "b", "c"]


def test_a_step_put_in_first_is_where_it_begins() -> None:
    changed = apply(line("a", "b"), InsertSteps(1, (step("x"),)))
    assert changed.initial_state == "x"
    assert order(changed) == ["x", "a", "b"]


def test_a_step_put_in_last_follows_the_last() -> None:
    assert order(apply(line("a", "b"), InsertSteps(3, (step("x"),)))) == ["a", "b", "x"]


def test_a_step_after_one_that_leads_elsewhere_is_walked_too() -> None:
    around = Definition(id="w", name="w", initial_state="a", states=(step("a", to="c"), step("b"), step("c")))
    assert order(apply(around, InsertSteps(2, (step("x"),)))) == ["a", "x", "c"]


def test_a_step_after_a_stop_does_not_revive_it() -> None:
    halted = Definition(id="w", name="w", initial_state="a", states=(State(name="a", action=Stop()), step("b")))
    changed = apply(halted, InsertSteps(2, (step("x"),)))
    assert changed.state("a").transitions == {}
    assert changed.state("x").transitions == {"success": "b"}


def test_error_edges_to_the_next_step_go_to_the_new_one() -> None:
    first = State(name="a", action=Wait(seconds=1), transitions={"success": "b", "error": "b"})
    both = Definition(id="w", name="w", initial_state="a", states=(first, step("b")))
    assert apply(both, InsertSteps(2, (step("x"),))).state("a").transitions == {"success": "x", "error": "x"}


def test_what_is_done_only_on_an_error_stays_so_when_a_step_is_put_in_before_it() -> None:
    first = State(name="a", action=Wait(seconds=1), transitions={"error": "b"})
    handled = Definition(id="w", name="w", initial_state="a", states=(first, step("b")))
    changed = apply(handled, InsertSteps(2, (step("x"),)))
    assert changed.state("a").transitions == {"success": "x", "error": "b"}
    assert changed.state("x").transitions == {}


def test_guarded_ways_to_the_next_step_go_to_the_new_one() -> None:
    ways = (Way(when=GUARD, to="c"), Way(to="b"))
    first = State(name="a", action=Wait(seconds=1), transitions={"success": ways})
    chosen = Definition(id="w", name="w", initial_state="a", states=(first, step("b"), step("c")))
    changed = apply(chosen, InsertSteps(2, (step("x"),)))
    assert changed.state("a").transitions["success"] == (Way(when=GUARD, to="c"), Way(to="x"))
    assert changed.state("x").transitions == {"success": "b"}


def test_edges_to_removed_steps_go_where_those_led() -> None:
    changed = apply(RAID, RemoveSteps(("announce_raid", "wait_for_raid")))
    assert order(changed) == ["prepare_raid", "execute_raid", "end_stream"]


def test_removing_the_first_step_begins_at_the_next() -> None:
    assert apply(RAID, RemoveSteps(("prepare_raid",))).initial_state == "announce_raid"


def test_jumps_to_a_removed_step_go_where_it_led() -> None:
    states = (step("a", to="b"), step("b", to="j"), State(name="j", action=Goto(to="a")))
    again = Definition(id="w", name="w", initial_state="a", states=states)
    assert apply(again, RemoveSteps(("a",))).state("j").action == Goto(to="b")


def test_a_removed_handler_of_all_errors_hands_on_or_is_gone() -> None:
    handled = line("a", "b").model_copy(update={"on_error": "b"})
    assert apply(handled, RemoveSteps(("b",))).on_error is None


def test_a_condition_is_never_silently_changed_by_a_removal() -> None:
    ways = (Way(when=GUARD, to="b"), Way(to="c"))
    states = (State(name="a", action=Wait(seconds=1), transitions={"success": ways}), step("b"), step("c"))
    chosen = Definition(id="w", name="w", initial_state="a", states=states)
    with pytest.raises(EditError, match="under a condition"):
        apply(chosen, RemoveSteps(("b",)))


def test_a_moved_step_is_walked_at_its_new_place_and_keeps_its_handlers() -> None:
    changed = apply(RAID, MoveStep("wait_for_raid", 2))
    assert order(changed) == ["prepare_raid", "wait_for_raid", "announce_raid", "execute_raid", "end_stream"]
    assert changed.state("wait_for_raid").transitions["cancel"] == "end_stream"
    moved = apply(RAID, MoveStep("end_stream", 4))
    assert moved.state("prepare_raid").transitions["error"] == "end_stream"


def test_swapped_steps_do_their_actions_at_each_others_place() -> None:
    changed = apply(RAID, SwapSteps("prepare_raid", "announce_raid"))
    assert order(changed)[:3] == ["announce_raid", "prepare_raid", "wait_for_raid"]
    assert changed.initial_state == "announce_raid"


def test_a_replaced_step_gives_its_edges_to_the_new_ones() -> None:
    changed = apply(RAID, ReplaceStep("announce_raid", (step("x"), step("y"))))
    assert order(changed) == ["prepare_raid", "x", "y", "wait_for_raid", "execute_raid", "end_stream"]


def test_a_nested_step_is_changed_where_it_stands() -> None:
    inner = Block(initial_state="i", states=(step("i", to="k"), step("k")))
    states = (State(name="r", action=Repeat(block=inner, times=3)), step("z"))
    nested = Definition(id="w", name="w", initial_state="r", states=states)
    assert apply(nested, SetAction("k", Wait(seconds=9))).state("k").action == Wait(seconds=9)
    assert [s.name for s in all_states(apply(nested, RemoveSteps(("i",))).states)] == ["r", "k", "z"]
    with pytest.raises(EditError, match="no step"):
        apply(nested, SetTransition("k", "error", "z"))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (InsertSteps(7, (step("x"),)), "no place 7"),
        (InsertSteps(1, (step("end_stream"),)), "there already"),
        (InsertSteps(1, ()), "nothing"),
        (RemoveSteps(("nope",)), 'no step "nope"'),
        (RemoveSteps(tuple(s.name for s in RAID.states)), "nothing would be left"),
        (MoveStep("end_stream", 6), "no place 6"),
        (SwapSteps("end_stream", "end_stream"), "itself"),
        (ReplaceStep("end_stream", (step("prepare_raid"),)), "there already"),
        (SetAction("nope", Stop()), 'no step "nope"'),
        (SetTransition("end_stream", "success", "nope"), 'no step "nope"'),
        (SetTransition("end_stream", "success", None), "already"),
        (SetOnError("nope"), 'no step "nope"'),
        (RemoveTrigger(Trigger(on="follow.received")), "does not start"),
        (SetVariable("nope", None), "no variable"),
        (SetName(""), "at least 1 character"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value,
)
def test_an_edit_that_does_not_fit_says_why(edit: Edit, words: str) -> None:
    with pytest.raises(EditError, match=words):
        apply(RAID, edit)


def test_options_and_headings_are_set_and_lifted() -> None:
    changed = apply(apply(RAID, SetStepTimeout("end_stream", 5)), SetRetry("end_stream", Retry(max_attempts=4)))
    assert changed.state("end_stream").timeout_seconds == 5
    assert apply(apply(changed, SetStepTimeout("end_stream", None)), SetRetry("end_stream", None)) == RAID
    assert not apply(RAID, SetCritical("end_stream", False)).state("end_stream").critical
    trigger = Trigger(on="follow.received")
    assert apply(apply(RAID, AddTrigger(trigger)), RemoveTrigger(trigger)) == RAID
    declared = apply(RAID, SetVariable("x", VariableDeclaration(required=True)))
    assert apply(declared, SetVariable("x", None)) == RAID


# Any workflow ----------------------------------------------------------------------------------------------------------

NAMES = ("a", "b", "c", "d", "e", "f")


@st.composite
def graphs(draw: st.DrawFn) -> Definition:
    """Up to six waits, jumps and stops, with edges anywhere, back edges and guarded ways too."""
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    name = st.sampled_from(names)
    target = name | st.tuples(name.map(lambda to: Way(when=GUARD, to=to)), st.one_of(name.map(lambda to: Way(to=to))))
    states = []
    for own in names:
        action = draw(st.sampled_from([Wait(seconds=3), Stop()]) | name.map(lambda to: Goto(to=to)))
        edges = draw(st.dictionaries(st.sampled_from(["success", "error", "cancel"]), target, max_size=3))
        states.append(State(name=own, action=action, transitions=edges))
    return Definition(id="w", name="w", initial_state=draw(name), states=tuple(states), on_error=draw(st.none() | name))


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    name, at = st.sampled_from(NAMES), st.integers(0, 8)
    new = st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=3, unique=True).map(
        lambda names: tuple(step(each) for each in names)
    )
    return draw(
        st.builds(InsertSteps, at, new)
        | st.builds(RemoveSteps, st.lists(name, min_size=1, max_size=4).map(tuple))
        | st.builds(MoveStep, name, at)
        | st.builds(SwapSteps, name, name)
        | st.builds(ReplaceStep, name, new)
        | st.builds(SetTransition, name, st.just("success"), st.none() | name)
        | st.builds(SetOnError, st.none() | name)
    )


def dangling(definition: Definition) -> set[str]:
    """Names something leads to although no step has them."""
    led_to = {definition.initial_state} | ({definition.on_error} if definition.on_error else set())
    for state in all_states(definition.states):
        for target in state.transitions.values():
            led_to |= {target} if isinstance(target, str) else {way.to for way in target}
        if isinstance(state.action, Goto):
            led_to.add(state.action.to)
    return led_to - {state.name for state in all_states(definition.states)}


@given(graphs(), edits())
def test_an_edit_leaves_a_workflow_whose_every_edge_leads_somewhere_or_says_why_not(
    before: Definition, edit: Edit
) -> None:
    try:
        after = apply(before, edit)
    except EditError:
        return
    assert dangling(after) == set()
    assert Definition.model_validate(after.model_dump(by_alias=True)) == after


@given(graphs(), st.sampled_from(NAMES), st.integers(1, 6))
def test_a_move_keeps_all_steps_and_puts_the_moved_one_where_it_was_told(
    before: Definition, name: str, at: int
) -> None:
    try:
        after = apply(before, MoveStep(name, at))
    except EditError:
        return
    assert sorted(s.name for s in after.states) == sorted(s.name for s in before.states)
    assert after.states[at - 1].name == name
    assert [s.name for s in after.states if s.name != name] == [s.name for s in before.states if s.name != name]


@given(st.integers(1, 6), st.integers(1, 7), st.integers(1, 3))
def test_taking_out_what_was_put_in_restores_a_line(length: int, at: int, count: int) -> None:
    before = line(*NAMES[:length])
    new = tuple(step(name) for name in ("x", "y", "z")[:count])
    at = min(at, length + 1)
    after = apply(before, InsertSteps(at, new))
    assert order(after) == [s.name for s in after.states]
    assert apply(after, RemoveSteps(tuple(s.name for s in new))) == before


@given(st.integers(2, 6), st.data())
def test_a_line_stays_a_line_whatever_is_moved_or_swapped(length: int, data: st.DataObject) -> None:
    before = line(*NAMES[:length])
    name, other = data.draw(st.permutations(NAMES[:length]))[:2]
    moved = apply(before, MoveStep(name, data.draw(st.integers(1, length))))
    assert order(moved) == [s.name for s in moved.states]
    swapped = apply(before, SwapSteps(name, other))
    assert order(swapped) == [s.name for s in swapped.states]
    assert apply(swapped, SwapSteps(name, other)) == before
