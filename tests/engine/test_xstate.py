"""Promises of reading XState machines: what each part of one becomes, and what is told of the rest."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.convert import Imported, Naming, export_data, import_data
from engine.errors import DefinitionError, NotExpressible
from engine.model import Call, Definition, Goto, Parallel, Set, Stop, Wait, WaitFor, all_states, to_json
from tests.seeds import read


def machine(states: dict[str, Any], initial: str = "a", **more: Any) -> dict[str, Any]:
    return {"id": "m", "initial": initial, "states": states, **more}


def definition_of(states: dict[str, Any], initial: str = "a", **more: Any) -> Definition:
    return import_data(machine(states, initial, **more)).definition


def flow(definition: Definition) -> dict[str, Any]:
    """Where each state leads, as JSON writes it."""
    states: Any = to_json(definition)["states"]
    return {state["name"]: state["transitions"] for state in states}


def lost_in(imported: Imported) -> list[str]:
    return [str(note) for note in imported.notes if note.sort == "lost"]


ENDS = {"type": "final"}


def test_an_invocation_leads_on_when_it_is_done_fails_or_takes_too_long() -> None:
    invoke = {"src": "twitch.create_clip", "input": {"title": "T"}, "onDone": "b", "onError": {"target": "c"}}
    definition = definition_of({"a": {"invoke": invoke, "after": {"2500": "c"}}, "b": ENDS, "c": ENDS})
    state = definition.state("a")
    assert state.action == Call(service="twitch", method="create_clip", params={"title": "T"})
    assert state.transitions == {"success": "b", "error": "c", "timeout": "c"}
    assert state.timeout_seconds == 2.5
    assert definition.state("b").action == Stop()


def test_the_importer_says_which_service_a_bare_source_means() -> None:
    data = machine({"a": {"invoke": {"src": "fetchUser"}}})
    naming = Naming(service="plugin")
    assert import_data(data, naming).definition.state("a").action == Call(service="plugin", method="fetchUser")
    assert import_data(data, Naming(deeds={"fetchUser": "http.get"})).definition.state("a").action == Call(
        service="http", method="get"
    )
    assert 'state "a", invoke, input: "fetchUser" is asked of the service plugin' in map(
        str, import_data(data, naming).notes
    )


def test_delays_are_waits_and_later_ones_come_after_those_that_lead_on_under_conditions_only() -> None:
    after = {"5000": "c", "1000": {"target": "b", "guard": "viewers > 5"}}
    definition = definition_of({"a": {"after": after}, "b": ENDS, "c": ENDS})
    assert [state.action for state in definition.states[:2]] == [Wait(seconds=1), Wait(seconds=4)]
    assert flow(definition)["a"] == {"success": [{"when": "viewers > 5", "to": "b"}, {"to": "a_after"}]}
    assert flow(definition)["a_after"] == {"success": "c"}


def test_a_delay_that_is_only_named_is_a_variable() -> None:
    imported = import_data(machine({"a": {"after": {"PATIENCE": "b"}}, "b": ENDS}))
    assert imported.definition.state("a").action == Wait(seconds="${PATIENCE}")
    assert any("the variable PATIENCE, in seconds" in str(note) for note in imported.notes)


def test_a_check_takes_the_first_way_that_is_open() -> None:
    always = [{"guard": "bits >= 100", "target": "b"}, {"guard": {"type": "isVip"}, "target": "c"}, {"target": "d"}]
    imported = import_data(machine({"a": {"always": always}, "b": ENDS, "c": ENDS, "d": ENDS}))
    assert flow(imported.definition)["a"] == {
        "success": [{"when": "bits >= 100", "to": "b"}, {"when": "isVip", "to": "c"}, {"to": "d"}]
    }
    assert any('"isVip" holds if the variable isVip does' in str(note) for note in imported.notes)


def test_a_state_that_only_leads_on_is_a_jump() -> None:
    assert definition_of({"a": {"always": "b"}, "b": ENDS}).state("a").action == Goto(to="b")


@pytest.mark.parametrize("guard", ["is it big?", {"type": "is it big?", "params": {"than": 5}}])
def test_a_guard_that_cannot_be_read_never_opens_its_way_by_itself(guard: Any) -> None:
    imported = import_data(machine({"a": {"always": [{"guard": guard, "target": "b"}, "c"]}, "b": ENDS, "c": ENDS}))
    assert flow(imported.definition)["a"] == {"success": [{"when": "is_it_big", "to": "b"}, {"to": "c"}]}
    assert any("cannot be read as a condition" in said for said in lost_in(imported))


def test_an_old_name_of_a_guard_is_a_guard_too() -> None:
    assert flow(definition_of({"a": {"always": [{"cond": "x", "target": "b"}, "c"]}, "b": ENDS, "c": ENDS}))["a"] == {
        "success": [{"when": "x", "to": "b"}, {"to": "c"}]
    }


def test_entry_actions_come_first_and_who_leads_here_leads_to_them() -> None:
    entry = ["obs.start_recording", {"type": "xstate.assign", "assignment": {"n": 1}}]
    definition = definition_of(
        {"z": {"always": "a"}, "a": {"entry": entry, "invoke": {"src": "x.y", "onDone": "z"}}}, initial="a"
    )
    assert definition.initial_state == "a_entry"
    assert definition.state("z").action == Goto(to="a_entry")
    assert flow(definition)["a_entry"] == {"success": "a_entry_2"}
    assert definition.state("a_entry_2").action == Set(values={"n": 1})
    assert flow(definition)["a_entry_2"] == {"success": "a"}


def test_a_check_comes_between_entry_and_what_is_waited_for() -> None:
    definition = definition_of(
        {"a": {"entry": "x.y", "always": {"guard": "live", "target": "b"}, "after": {"1000": "b"}}, "b": ENDS}
    )
    assert flow(definition)["a_entry"] == {"success": [{"when": "live", "to": "b"}, {"to": "a"}]}
    without = definition_of({"a": {"always": {"guard": "live", "target": "b"}, "after": {"1000": "b"}}, "b": ENDS})
    assert without.initial_state == "a_entry"
    assert flow(without)["a_entry"] == {"success": [{"when": "live", "to": "b"}, {"to": "a"}]}


def test_what_is_done_on_the_way_is_done_between() -> None:
    arrow = {"target": "b", "actions": ["x.one", "x.two"]}
    definition = definition_of({"a": {"invoke": {"src": "x.y", "onDone": arrow}}, "b": ENDS})
    path, at = [], flow(definition)["a"]["success"]
    while at is not None:
        path.append(definition.state(at).action)
        at = flow(definition)[at].get("success")
    assert path == [Call(service="x", method="one"), Call(service="x", method="two"), Stop()]


def test_an_event_is_waited_for_and_bounded_in_time() -> None:
    on = {"message.received": {"target": "b", "guard": 'command == "!join"'}}
    definition = definition_of({"a": {"on": on, "after": {"9000": "c"}}, "b": ENDS, "c": ENDS})
    action = definition.state("a").action
    assert isinstance(action, WaitFor)
    assert to_json(definition)["states"][0]["action"] == {  # type: ignore[index,call-overload]
        "kind": "wait_for",
        "event": "message.received",
        "when": 'command == "!join"',
    }
    assert flow(definition)["a"] == {"success": "b", "timeout": "c"}


def test_an_event_that_fits_no_condition_is_waited_for_again() -> None:
    on = {"E": [{"target": "b", "guard": "x"}, {"target": "c", "guard": "y"}]}
    definition = definition_of({"a": {"on": on}, "b": ENDS, "c": ENDS})
    assert flow(definition)["a"]["success"][-1] == {"to": "a"}
    nothing = definition_of({"a": {"on": {"E": {"actions": "x.y"}}}})
    assert flow(nothing)["a"] == {"success": "a"}


def test_of_several_events_the_first_that_comes_leads_on() -> None:
    on = {"SUBMIT": "b", "go.back": {"target": "c", "guard": "live"}}
    definition = definition_of({"a": {"on": on}, "b": ENDS, "c": ENDS})
    state = definition.state("a")
    assert isinstance(state.action, Parallel)
    assert state.action.join == "any"
    assert flow(definition)["a"] == {
        "success": [{"when": 'a_event == "SUBMIT"', "to": "b"}, {"when": 'a_event == "go.back"', "to": "c"}]
    }
    assert definition.state("a_go_back_came").action == Set(values={"a_event": "go.back"})
    assert import_data(export_data(definition, "xstate")).definition == definition


def test_cancel_is_our_own_cancel_and_other_events_of_a_busy_step_are_told() -> None:
    imported = import_data(
        machine({"a": {"invoke": {"src": "x.y", "onDone": "b"}, "on": {"cancel": "b", "STOP": "b"}}, "b": ENDS})
    )
    assert imported.definition.state("a").transitions == {"success": "b", "cancel": "b"}
    assert lost_in(imported) == ['state "a", "STOP": a step that is busy, or that waits for a time, hears no events']


def test_events_of_the_states_around_are_heard_inside_and_the_inner_ones_come_first() -> None:
    definition = definition_of(
        {
            "outer": {
                "initial": "in",
                "states": {"in": {"on": {"E": {"target": "#m.b", "guard": "live"}}}},
                "on": {"E": "c"},
            },
            "b": ENDS,
            "c": ENDS,
        },
        "outer",
    )
    assert definition.initial_state == "in"
    assert flow(definition)["in"] == {"success": [{"when": "live", "to": "b"}, {"to": "c"}]}


def test_nested_states_stand_beside_those_around_them() -> None:
    inside = {"one": {"after": {"1000": "two"}}, "two": ENDS}
    definition = definition_of(
        {"a": {"entry": "x.y", "initial": "one", "states": inside, "onDone": "b"}, "b": {"type": "final"}}
    )
    assert flow(definition) == {"a_entry": {"success": "one"}, "one": {"success": "two"}, "two": {}, "b": {}}
    assert definition.state("two").action == Goto(to="b")


def test_states_of_the_same_name_in_different_places_get_their_whole_path() -> None:
    region = {"initial": "on", "states": {"on": {"after": {"5": "off"}}, "off": ENDS}}
    definition = definition_of(
        {"a": {"type": "parallel", "states": {"l": region, "r": region}, "onDone": "b"}, "b": ENDS}
    )
    assert [state.name for state in all_states(definition.states)] == [
        "a",
        "a_l_on",
        "a_l_off",
        "a_r_on",
        "a_r_off",
        "b",
    ]


def test_regions_are_branches_that_are_all_waited_for() -> None:
    definition = read("formats/raid_guard.xstate.json").definition
    state = definition.state("celebrating")
    assert isinstance(state.action, Parallel)
    assert state.action.join == "all"
    assert [(branch.name, branch.block.initial_state) for branch in state.action.branches] == [
        ("picture", "switching"),
        ("words", "thanking"),
    ]
    assert state.transitions == {"success": "listening"}


def test_a_machine_that_is_parallel_itself_is_one_step() -> None:
    region = {"initial": "x", "states": {"x": {"after": {"5": "y"}}, "y": ENDS}}
    definition = import_data(
        {"id": "m", "type": "parallel", "states": {"l": region, "r": {"type": "final"}}}
    ).definition
    [state] = definition.states
    assert isinstance(state.action, Parallel)
    assert [branch.block.initial_state for branch in state.action.branches] == ["x", "r"]


def test_the_context_becomes_variables_whatever_their_values_look_like() -> None:
    context = {"n": 1, "none": None, "object": {"default": 5}, "list": [1], "text": "${x}"}
    variables = definition_of({"a": ENDS}, context=context).variables
    assert {name: declared.default for name, declared in variables.items()} == context
    assert not any(declared.required for declared in variables.values())


@pytest.mark.parametrize("target", ["b", "#m.b", {"target": "b"}, [{"target": "b"}], "#the_b", {"target": ["b"]}])
def test_a_target_may_be_written_in_every_way(target: Any) -> None:
    definition = definition_of({"a": {"after": {"5": target}}, "b": {**ENDS, "id": "the_b"}})
    assert definition.state("a").transitions == {"success": "b"}


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ({"a": {"exit": "x.y", "after": {"5": "b"}}, "b": ENDS}, 'state "a": "exit" means nothing to me'),
        ({"a": {"invoke": [{"src": "x.y"}, {"src": "x.z"}]}}, "it invokes several at once"),
        ({"a": {"invoke": {"src": "x.y", "onSnapshot": "a"}}}, '"onSnapshot" means nothing'),
        ({"a": {"initial": "c", "states": {"c": ENDS}, "after": {"5": "a"}}}, '"after" of a state with states inside'),
        ({"a": {"entry": {"type": "xstate.raise"}}}, '"xstate.raise" without values'),
        ({"a": {"entry": "assign"}}, '"assign" without values'),
        ({"a": {"always": {"target": ["b", "c"]}}, "b": ENDS, "c": ENDS}, "several states at once"),
        ({"a": {"on": {"E": {"actions": "x.y"}}}}, "it does something without leading anywhere"),
        ({"a": {"on": {"*": "a"}}}, 'state "a", "*": a step that is busy'),
        ({"a": {"tags": ["t"]}}, '"tags" means nothing'),
        (
            {
                "a": {"type": "parallel", "states": {"l": {"initial": "c", "states": {"c": {"after": {"5": "#m.b"}}}}}},
                "b": ENDS,
            },
            '"#m.b" is outside of the states that run beside each other',
        ),
    ],
)
def test_what_cannot_be_said_here_is_told_with_its_place(states: dict[str, Any], said: str) -> None:
    imported = import_data(machine(states))
    assert any(said in line for line in lost_in(imported)), lost_in(imported)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (machine({}), "States: it needs at least one."),
        (machine({"a": ENDS}, initial="b"), 'Initial: there is no state "b" in it.'),
        ({"id": "m", "states": {"a": ENDS}}, '"initial" is missing.'),
        (machine({"a": {"after": {"5": "nowhere"}}}), 'State "a", after 5: there is no state "nowhere".'),
        (machine({"a": {"after": {"-5": "a"}}}), "it must be a number of milliseconds from 0 on."),
        (machine({"a": {"after": {"nan": "a"}}}), "it must be a number of milliseconds from 0 on."),
        (machine({"a": {"invoke": {"onDone": "a"}}}), 'State "a", invoke: "src" is missing.'),
        (machine({"a": {"type": "history"}}), "a history state cannot be said here"),
        (machine({"a": {"type": "parallel"}}), 'State "a": it is parallel and has no states.'),
        (machine({"a": {"always": [{"target": 5}]}}), 'State "a", always: a target must be a text.'),
        (machine({"a": {"always": [{"target": "a", "guard": 5}]}}), "a guard must be a text"),
        (machine({"a": {"on": []}, "b": {"on": 5}}), 'State "b", on: it must be an object.'),
        (machine({"a": 5}), 'State "a": it must be an object.'),
        (machine({str(number): {} for number in range(500)}), "States: there are more than 400."),
        (machine({"a": ENDS}, context=[1]), "Context: it must be an object."),
    ],
)
def test_a_mistake_in_a_machine_is_told_with_its_place(data: Any, said: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        import_data(data)
    assert said in str(caught.value)


# Machines of every shape -----------------------------------------------------------------------------------------------

TARGETS = st.sampled_from(("#m.a", "#m.b", "#m.c", "#m.b", "#m"))
ACTIONS = st.sampled_from(("x.y", "log", {"type": "assign", "params": {"n": 1}}, {"type": "x.z", "params": {"k": "v"}}))
ARROWS = st.one_of(
    TARGETS,
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "target": TARGETS,
                "guard": st.sampled_from(("n > 1", "named", "not (")),
                "actions": st.lists(ACTIONS, max_size=2),
            },
        ),
        max_size=3,
    ),
)
INVOCATIONS = st.fixed_dictionaries(
    {"src": st.sampled_from(("x.y", "z"))}, optional={"onDone": ARROWS, "onError": ARROWS}
)


def nodes(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    optional: dict[str, Any] = {
        "type": st.sampled_from(("final", "atomic")),
        "entry": st.lists(ACTIONS, max_size=2),
        "invoke": INVOCATIONS,
        "on": st.dictionaries(st.sampled_from(("E", "F.g", "cancel", "*")), ARROWS, max_size=3),
        "after": st.dictionaries(st.sampled_from(("5", "10", "LATER")), ARROWS, max_size=2),
        "always": ARROWS,
        "onDone": ARROWS,
        "description": st.just("Why"),
    }
    plain = st.fixed_dictionaries({}, optional=optional)
    if not depth:
        return plain
    inner = st.fixed_dictionaries({"c": nodes(depth - 1), "d": nodes(depth - 1)})
    around = {
        "type": st.sampled_from(("parallel", "compound")),
        "initial": st.sampled_from(("c", "d")),
        "states": inner,
    }
    return st.one_of(
        plain,
        plain,
        st.fixed_dictionaries(around, optional={key: value for key, value in optional.items() if key != "type"}),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.fixed_dictionaries({key: nodes(2) for key in "abc"}), st.sampled_from("abc"))
def test_any_machine_is_read_or_refused_in_a_sentence_and_what_is_read_leads_only_to_its_own_states(
    states: dict[str, Any], initial: str
) -> None:
    try:
        definition = import_data(machine(states, initial)).definition
    except DefinitionError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    blocks = [(definition.initial_state, definition.states)]
    while blocks:
        begin, members = blocks.pop()
        names = {state.name for state in members}
        assert begin in names
        for state in members:
            for target in state.transitions.values():
                assert {target} <= names if isinstance(target, str) else {way.to for way in target} <= names
            if isinstance(state.action, Goto):
                assert state.action.to in names
            if isinstance(state.action, Parallel):
                blocks += [(branch.block.initial_state, branch.block.states) for branch in state.action.branches]
    try:
        written = export_data(definition, "xstate")
    except NotExpressible:
        return
    assert import_data(json.loads(json.dumps(written))).definition == definition
