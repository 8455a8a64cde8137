"""Promises of the forms that other people's workflows come in: read as they mean it, and written so that it is the same."""

import json
from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.convert import Form, Naming, export_data, form_of, import_data, import_json, parse_json
from engine.errors import DefinitionError, NotExpressible
from engine.model import Call, Definition, Goto, Parallel, Wait, all_states, to_json
from tests.seeds import DATA, SEEDS, Seed, read
from tests.strategies import definitions, names, texts

FORMS: tuple[Form, ...] = ("json", "steps", "dag", "delays", "yaml", "xstate")
FILES = {seed.file: seed for seed in SEEDS}


def notes_of(data: Any, naming: Naming | None = None) -> list[str]:
    return [str(note) for note in import_data(data, naming or Naming()).notes]


def lost_in(data: Any) -> list[str]:
    return [str(note) for note in import_data(data).notes if note.sort == "lost"]


# What people have ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_what_the_table_says_a_workflow_visits_is_in_it(seed: Seed) -> None:
    states = {state.name: state for state in all_states(seed.imported().definition.states)}
    assert {*seed.visits, *seed.never, *seed.fails, *seed.hangs, *chain.from_iterable(seed.before)} <= states.keys()
    actions = [states[name].action for name in seed.visits]
    assert [f"{action.service}.{action.method}" for action in actions if isinstance(action, Call)] == seed.calls


@pytest.mark.parametrize("file", FILES)
def test_what_people_have_comes_back_the_same_in_its_own_form(file: str) -> None:
    definition, form = read(file).definition, FILES[file].form
    written = export_data(definition, form)  # type: ignore[arg-type]
    assert form_of(written) == form
    assert import_json(json.dumps(written)).definition == definition


@pytest.mark.parametrize("name", ["stream_start_sequence", "stream_end_processing"])
def test_a_written_document_comes_back_key_for_key(name: str) -> None:
    document = json.loads((DATA / "formats" / f"{name}.json").read_text(encoding="utf-8"))
    written = export_data(read(f"formats/{name}.json").definition, "steps" if "steps" in document else "dag")
    for node in document.get("nodes", []):
        node.setdefault("depends_on", [])
    for node in written.get("nodes", []):
        node.setdefault("depends_on", [])
    assert {key: written[key] for key in document} == document


def test_steps_lead_from_each_to_the_next_and_start_on_their_trigger() -> None:
    definition = read("formats/stream_start_sequence.json").definition
    assert [trigger.on for trigger in definition.triggers] == ["stream_started"]
    onward = {state.name: state.transitions.get("success") for state in definition.states}
    assert onward == {
        "switch_scene": "send_discord_notification",
        "send_discord_notification": "start_countdown",
        "start_countdown": "switch_to_main",
        "switch_to_main": None,
    }
    assert definition.state("start_countdown").action == Wait(seconds=300)
    assert all(state.critical for state in definition.states)


def test_nodes_are_branches_that_need_what_they_depend_on_and_all_are_waited_for() -> None:
    [state] = read("formats/stream_end_processing.json").definition.states
    assert isinstance(state.action, Parallel)
    assert state.action.join == "all"
    assert {branch.name: branch.needs for branch in state.action.branches} == {
        "end_stream": (),
        "save_vod": ("end_stream",),
        "update_discord": ("end_stream",),
        "create_highlight": ("end_stream",),
        "share_highlight": ("create_highlight",),
    }
    for branch in state.action.branches:
        assert [inner.name for inner in branch.block.states] == [branch.name], "results are found by the node's id"


def test_the_typed_steps_ask_for_their_inputs_at_the_start_and_keep_their_config() -> None:
    imported = read("formats/document_processing.yaml")
    definition = imported.definition
    assert (definition.id, definition.name, definition.version) == ("document_processing", "Document Processing", "1.0")
    assert definition.description == "Process and analyze documents with AI"
    assert [name for name, declared in definition.variables.items() if declared.required] == [
        "document_url",
        "document_type",
    ]
    assert [state.action for state in definition.states] == [
        Call(
            service="ai_processing",
            method="execute",
            params={"model": "gpt-4", "max_tokens": 1000, "temperature": 0.7},
        ),
        Call(service="storage", method="execute", params={"storage_type": "s3", "bucket": "processed-documents"}),
    ]
    assert any("document_url, document_type has to be given" in str(note) for note in imported.notes)


def test_steps_beside_the_main_flow_are_branches_that_nobody_waits_for() -> None:
    definition = read("formats/advanced.js").definition
    action = definition.states[-1].action
    assert isinstance(action, Parallel)
    assert action.join == "none"
    assert [[state.name for state in branch.block.states] for branch in action.branches] == [
        ["wait_before_update_bio_later", "update_bio_later"],
        ["wait_before_refresh_prompt", "refresh_prompt"],
    ]
    assert [branch.block.states[0].action for branch in action.branches] == [Wait(seconds=7_200), Wait(seconds=14_400)]


def fragment(name: str) -> str:
    return (DATA / "formats" / f"{name}.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "action", "critical"),
    [
        ("step_wait", Wait(seconds=30), True),
        (
            "step_add_prompt",
            Call(service="custom", method="add_prompt", params={"model": "Lola", "channel": "gram"}),
            True,
        ),
        ("step_add_bio", Call(service="custom", method="add_bio", params={"bio": "Custom bio"}), False),
        ("step_swipe", Call(service="custom", method="swipe_with_spectre", params={"swipeCount": 20}), True),
        ("step_goto", Goto(to="target_step_id"), True),
    ],
)
def test_every_action_of_the_delayed_steps_is_read(name: str, action: Any, critical: bool) -> None:
    text = f"{{name: 'One', type: 'one', steps: [{fragment(name)}, {{id: 'target_step_id', action: 'add_bio'}}]}}"
    first = import_json(text).definition.states[0]
    assert (first.action, first.critical) == (action, critical)
    if name in ("step_wait", "step_goto"):
        assert first.description


def test_the_config_of_the_delayed_steps_becomes_retries_and_a_limit_of_rounds() -> None:
    steps = (
        "steps: [{id: 'a', action: 'x'}, {id: 'b', action: 'wait', delay: 5}, {id: 'c', action: 'goto', nextStep: 'a'}]"
    )
    definition = import_json(f"{{name: 'C', type: 'c', {steps}, {fragment('config')}}}").definition
    retry = definition.state("a").retry
    assert retry is not None
    assert (retry.max_attempts, retry.delay_seconds) == (4, 60)
    assert definition.state("b").retry is None
    assert definition.max_loop_iterations == 10
    assert definition.policy.mode == "single"


# Meaning ---------------------------------------------------------------------------------------------------------------


def delayed(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "D", "type": "d", "steps": list(steps), **more}


def test_a_delay_is_waited_before_the_step_also_when_it_is_jumped_to() -> None:
    definition = import_data(
        delayed(
            {"id": "a", "action": "x", "delay": 1500},
            {"id": "b", "action": "goto", "nextStep": "a", "delay": 60_000},
        )
    ).definition
    assert [state.name for state in definition.states] == ["wait_before_a", "a", "wait_before_b", "b"]
    assert definition.initial_state == "wait_before_a"
    assert definition.states[0].action == Wait(seconds=1.5)
    assert definition.state("b").action == Goto(to="wait_before_a")


def test_a_jump_to_a_step_beside_the_main_flow_starts_that_one_and_not_those_before_it() -> None:
    definition = import_data(
        delayed(
            {"id": "a", "action": "x", "parallel": True},
            {"id": "b", "action": "y", "parallel": True},
            {"id": "c", "action": "wait", "delay": 5_000},
            {"id": "d", "action": "z", "nextStep": "b"},
        )
    ).definition
    assert [state.name for state in definition.states] == ["parallel", "parallel_2", "c", "d"]
    assert definition.state("d").transitions == {"success": "parallel_2"}


def test_a_state_that_is_made_for_a_step_takes_no_name_that_a_step_has() -> None:
    definition = import_data(
        delayed({"id": "a", "action": "x", "delay": 5}, {"id": "wait_before_a", "action": "y", "parallel": True})
    ).definition
    assert [state.name for state in all_states(definition.states)] == [
        "wait_before_a_2",
        "a",
        "parallel",
        "wait_before_a",
    ]


def test_what_may_fail_carries_on() -> None:
    steps = [{"id": "a", "service": "obs", "action": "x"}, {"id": "b", "service": "obs", "action": "y"}]
    going_on = import_data({"id": "s", "name": "S", "error_policy": "continue", "steps": steps}).definition
    assert [state.critical for state in going_on.states] == [False, False]
    nodes = [{**steps[0], "critical": False}, {**steps[1], "depends_on": "a"}]
    action = import_data({"id": "s", "name": "S", "nodes": nodes}).definition.states[0].action
    assert isinstance(action, Parallel)
    assert [branch.critical for branch in action.branches] == [False, True]
    assert action.branches[1].needs == ("a",)


def test_the_importer_says_whose_words_they_are() -> None:
    naming = Naming(
        service="plugin", deeds={"add_bio": "profile.write", "ai_processing": "ai.complete"}, workflow="my file"
    )
    steps = [{"action": "add_bio"}, {"action": "other"}, {"action": "obs.stop_streaming"}]
    definition = import_data({"steps": steps}, naming).definition
    assert (definition.id, definition.name) == ("my_file", "my_file")
    assert [
        (state.action.service, state.action.method) for state in definition.states if isinstance(state.action, Call)
    ] == [
        ("profile", "write"),
        ("plugin", "other"),
        ("obs", "stop_streaming"),
    ]
    typed = import_data({"name": "T", "steps": [{"id": "a", "type": "ai_processing", "config": {}}]}, naming).definition
    assert typed.states[0].action == Call(service="ai", method="complete")


@pytest.mark.parametrize(
    ("data", "form"),
    [
        ({"states": []}, "json"),
        ({"states": {}}, "xstate"),
        ({"nodes": []}, "dag"),
        ({"steps": [{"service": "obs", "action": "x"}]}, "steps"),
        ({"steps": [], "error_policy": "continue"}, "steps"),
        ({"steps": [{"service": "obs", "action": "x", "delay": 5}]}, "delays"),
        ({"steps": [{"action": "x"}]}, "delays"),
        ({"steps": [{"id": "a", "type": "input"}]}, "yaml"),
        ({"type": "t", "steps": [{"id": "a", "type": "input"}]}, "delays"),
        ({"id": "a"}, "json"),
    ],
)
def test_a_form_is_known_by_its_shape(data: Any, form: str) -> None:
    assert form_of(data) == form


# The report ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"steps": [{"service": "obs", "action": "x", "colour": 1}]}, 'Step 1: "colour" means nothing to me'),
        ({"steps": [{"service": "o", "action": "x"}], "owner": "me"}, '"owner" means nothing to me and was left out'),
        ({"nodes": [{"service": "o", "action": "x", "retry": 3}]}, 'Node 1: "retry" means nothing'),
        (delayed({"id": "a", "action": "x"}, is_active=False), "is_active: false is no part of a workflow"),
        (delayed({"id": "a", "action": "x"}, config={"retryDelay": 5}), "config: retryDelay says how long"),
        (delayed({"id": "a", "action": "x"}, config={"speed": 5}), 'config: "speed" means nothing'),
        (delayed({"id": "a", "action": "wait", "delay": 5, "mood": 1}), 'Step 1 ("a"): "mood" means nothing to a step'),
        (delayed({"id": "a", "action": "goto", "nextStep": "a", "parallel": True}), "a jump beside the main flow"),
        ({"steps": [{"id": "i", "type": "input", "config": {"optional": 1}}]}, '"config.optional" means nothing'),
    ],
)
def test_what_does_not_carry_over_is_told_with_its_place(data: Any, said: str) -> None:
    assert any(said.lower() in note.lower() for note in lost_in(data)), lost_in(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"steps": [{"service": "obs", "action": "x"}]}, "it has no error_policy, so it stops at the first error"),
        ({"steps": [{"service": "obs", "action": "x"}]}, "it names no trigger, so it is run by hand"),
        ({"steps": [{"service": "obs", "action": "x"}]}, "step 1: it has no id; it is called step_1"),
        ({"steps": [{"service": "obs", "action": "x"}]}, 'it has no "id"; it is called imported'),
        ({"name": "My Flow", "nodes": [{"service": "o", "action": "x"}]}, 'it has no "id"; it is called my_flow'),
        (delayed({"id": "a", "action": "x"}), 'step 1 ("a"): "x" is asked of the service custom'),
        (delayed({"id": "a", "action": "x"}), "it runs once at a time, as this form allows"),
        (delayed({"id": "a", "action": "x"}, config={"maxRetries": 2}), "config: maxRetries 2 is 3 tries in all"),
        (delayed({"id": "a", "action": "x"}, config={"maxRetries": 2}), "so 1 second is waited"),
        ({"steps": [{"id": "a", "type": "ai"}]}, 'the type "ai" is a service that is asked to execute it'),
    ],
)
def test_every_default_is_told(data: Any, said: str) -> None:
    assert any(said in note for note in notes_of(data)), notes_of(data)


def test_what_says_everything_has_an_empty_report() -> None:
    assert read("formats/stream_start_sequence.json").notes == ()
    assert read("raid_workflow.json").notes == ()


# Mistakes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"steps": [], "error_policy": "stop_on_error"}, "Steps: it needs at least one."),
        ({"steps": {}}, "Steps: it must be a list."),
        ({"steps": [5]}, "Step 1: it must be an object."),
        ({"steps": [{"id": "a", "service": "x"}]}, 'Step 1 ("a"): "action" is missing.'),
        ({"steps": [{"id": 7, "service": "x", "action": "y"}]}, "Step 1, id: it must be a text."),
        (
            {"steps": [{"id": "a", "service": "x", "action": "y", "params": []}]},
            'Step 1 ("a"), params: it must be an object.',
        ),
        (
            {"steps": [{"service": "x", "action": "y"}], "error_policy": "z"},
            "Error_policy: it must be one of stop_on_error",
        ),
        ({"steps": [{"id": "a", "service": "x", "action": "y"}] * 2}, 'Two states are named "a"'),
        ({"steps": [{"service": "x", "action": "y"}], "trigger": [1]}, "Trigger: it must be a list of texts."),
        ({"steps": [{"service": "internal", "action": "wait"}]}, 'a wait has the one param "seconds"'),
        ({"nodes": [{"id": "a", "service": "x", "action": "y"}] * 2}, 'Node 2 ("a"): there is another node "a"'),
        (
            {"nodes": [{"id": "a", "service": "x", "action": "y", "depends_on": ["b"]}]},
            'Node 1 ("a"), depends_on: there is no node "b".',
        ),
        (
            {
                "nodes": [
                    {"id": "z", "service": "x", "action": "y", "depends_on": ["a"]},
                    {"id": "a", "service": "x", "action": "y", "depends_on": ["b"]},
                    {"id": "b", "service": "x", "action": "y", "depends_on": ["a"]},
                ]
            },
            "Nodes: they wait for each other in a circle: a -> b -> a.",
        ),
        ({"nodes": [{"id": "a", "service": "x", "action": "y", "depends_on": ["a"]}]}, "in a circle: a -> a."),
        (delayed({"id": "a", "action": "x", "delay": "5"}), 'Step 1 ("a"), delay: it must be a number.'),
        (delayed({"id": "a", "action": "x", "delay": -5}), 'Step 1 ("a"), delay: it must be a number from 0 on.'),
        (delayed({"id": "a", "action": "x", "critical": "no"}), 'Step 1 ("a"), critical: it must be true or false.'),
        (delayed({"id": "a", "action": "goto"}), 'Step 1 ("a"): it jumps, and "nextStep" does not say where to.'),
        (delayed({"id": "a", "action": "goto", "nextStep": "b"}), 'Step 1 ("a"), nextStep: there is no step "b".'),
        (
            delayed({"id": "a", "action": "goto", "nextStep": "a"}, config={"allowLoops": False}),
            'it goes back to "a", and config.allowLoops is false',
        ),
        (delayed({"id": "a", "action": "x"}, config={"maxLoopIterations": 0.5}), "max_loop_iterations: it must be"),
        ({"steps": [{"id": "a", "type": "input", "config": {"required_fields": 5}}]}, "it must be a list of texts"),
        ({"steps": [{"id": "a", "type": 5}]}, 'Step 1 ("a"), type: it must be a text.'),
        ({"steps": [{"id": "a", "config": {}, "type": None}]}, 'Step 1 ("a"): "type" is missing.'),
    ],
)
def test_a_mistake_in_another_form_is_told_with_its_place_there(data: Any, said: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        import_data(data)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


# Writing ---------------------------------------------------------------------------------------------------------------

RAID = read("raid_workflow.json").definition
CHAIN = read("formats/stream_start_sequence.json").definition


def changed(state: int, **fields: Any) -> Callable[[], Definition]:
    def made() -> Definition:
        data = json.loads(json.dumps(to_json(CHAIN)))
        data["states"][state] |= fields
        return Definition.model_validate(data)

    return made


@pytest.mark.parametrize(
    ("definition", "form", "said"),
    [
        (lambda: RAID, "steps", 'It cannot be written as a list of steps: step "prepare_raid" has an edge "error".'),
        (lambda: RAID, "dag", "It cannot be written as a graph of nodes: it is not one step of branches."),
        (lambda: RAID, "yaml", "It cannot be written as a list of typed steps:"),
        (lambda: CHAIN, "delays", "that form lets a workflow run once at a time"),
        (changed(0, critical=False), "steps", "some of its steps may fail and others may not"),
        (changed(0, retry={"max_attempts": 3}), "steps", 'that form has no words for step "switch_scene", retry.'),
        (changed(0, timeout_seconds=5), "xstate", 'no words for step "switch_scene", timeout_seconds.'),
        (changed(0, enabled=False), "xstate", 'that form has no words for step "switch_scene", enabled.'),
        (changed(0, transitions={"success": "start_countdown"}), "steps", "does not lead to the step written after it"),
        (changed(1, action={"kind": "run", "workflow": "w"}), "xstate", 'is of the kind "run"'),
        (lambda: RAID.model_copy(update={"timeout_seconds": 9.0}), "xstate", "no words for timeout_seconds."),
    ],
)
def test_what_a_form_cannot_say_is_named(definition: Callable[[], Definition], form: Form, said: str) -> None:
    with pytest.raises(NotExpressible) as refused:
        export_data(definition(), form)
    assert said in str(refused.value)


def test_a_state_machine_with_errors_and_cancel_can_be_said_as_a_statechart() -> None:
    assert import_data(export_data(RAID, "xstate")).definition == RAID


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(definitions(depth=2, states=3), st.sampled_from(FORMS))
def test_any_workflow_is_written_in_any_form_so_that_it_is_the_same_or_refused_in_a_sentence(
    definition: Definition, form: Form
) -> None:
    try:
        written = export_data(definition, form)
    except NotExpressible as refused:
        assert str(refused).startswith("It cannot be written as ")  # noqa: PT017
        return
    assert import_data(parse_json(json.dumps(written))).definition == definition


# What was imported can be exported -------------------------------------------------------------------------------------

PARAMS = st.dictionaries(texts(12), st.one_of(texts(12), st.integers(-5, 5), st.booleans(), st.none()), max_size=3)
WORDS = st.sampled_from(("say", "set_scene", "a.b", "do it", "x"))


@st.composite
def headings(draw: Any, id_key: str = "id") -> dict[str, Any]:
    made = {id_key: draw(names()), "name": draw(names())}
    for key, strategy in (("description", texts(20)), ("version", texts(8)), ("trigger", names())):
        if draw(st.booleans()):
            made[key] = draw(strategy)
    return made


def unique_ids(least: int = 1) -> st.SearchStrategy[list[str]]:
    return st.lists(names(40), min_size=least, max_size=5, unique=True)


@st.composite
def lists_of_steps(draw: Any) -> dict[str, Any]:
    steps = [
        {"id": id_, "service": draw(names()), "action": draw(WORDS), "params": draw(PARAMS)}
        for id_ in draw(unique_ids())
    ]
    policy = draw(st.sampled_from(("stop_on_error", "continue")))
    return {**draw(headings()), "error_policy": policy, "steps": steps}


@st.composite
def graphs(draw: Any) -> dict[str, Any]:
    ids = draw(unique_ids())
    nodes = []
    for number, id_ in enumerate(ids):
        node = {"id": id_, "service": draw(names()), "action": draw(WORDS), "params": draw(PARAMS)}
        if draw(st.booleans()):
            node["critical"] = draw(st.booleans())
        if number:
            node["depends_on"] = draw(st.lists(st.sampled_from(ids[:number]), max_size=3))
        nodes.append(node)
    return {**draw(headings()), "nodes": draw(st.permutations(nodes))}


@st.composite
def lists_with_delays(draw: Any) -> dict[str, Any]:
    ids = draw(unique_ids())
    steps: list[dict[str, Any]] = []
    for id_ in ids:
        action = draw(st.sampled_from(("wait", "goto", "add_prompt", "obs.stop", "x")))
        step: dict[str, Any] = {
            "id": id_,
            "action": action,
            "delay": draw(st.sampled_from((0, 1, 1500, 60_000, 7_200_000))),
        }
        if action == "goto" or draw(st.integers(0, 4)) == 0:
            step["nextStep"] = draw(st.sampled_from(ids))
        elif draw(st.integers(0, 2)) == 0 and action != "wait":
            step["parallel"] = True
        if action not in ("wait", "goto"):
            step |= draw(
                st.dictionaries(st.sampled_from(("swipeCount", "bio", "params_", "É")), st.integers(), max_size=2)
            )
        if draw(st.booleans()):
            step["critical"] = draw(st.booleans())
        steps.append(step)
    config = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "maxRetries": st.integers(0, 9),
                "retryDelay": st.integers(0, 9_000),
                "maxLoopIterations": st.integers(1, 9),
            },
        )
    )
    return {**draw(headings("type")), "steps": steps, "config": config}


@st.composite
def lists_of_typed_steps(draw: Any) -> dict[str, Any]:
    types = st.sampled_from(("ai_processing", "storage", "twitch.send_chat_message", "input", "wait"))
    steps: list[dict[str, Any]] = []
    for id_ in draw(unique_ids()):
        match draw(types):
            case "input":
                config: dict[str, Any] = {"required_fields": draw(st.lists(names(), max_size=3))}
                steps.append({"id": id_, "type": "input", "config": config})
            case "wait":
                steps.append({"id": id_, "type": "wait", "config": {"seconds": draw(st.integers(0, 99))}})
            case other:
                steps.append({"id": id_, "type": other, "config": draw(PARAMS)})
    return {**draw(headings()), "steps": steps}


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        st.tuples(st.just("steps"), lists_of_steps()),
        st.tuples(st.just("dag"), graphs()),
        st.tuples(st.just("delays"), lists_with_delays()),
        st.tuples(st.just("yaml"), lists_of_typed_steps()),
    )
)
def test_whatever_is_read_from_a_form_can_be_written_in_it_again(drawn: tuple[Form, dict[str, Any]]) -> None:
    form, data = drawn
    assert form_of(data) == form
    try:
        definition = import_data(data).definition
    except DefinitionError as error:
        assert 'the one param "seconds"' in str(error)  # noqa: PT017  a service that happens to be named so
        return
    assert import_data(export_data(definition, form)).definition == definition
