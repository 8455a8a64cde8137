"""Promises of validation, as data: what is said of a workflow, and that saying the suggestion mends it.

A case that is written without a problem must have none, so that nobody is warned for nothing.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.config import tables_folder
from bot.services.declared import DECLARATIONS
from engine.convert import read_data
from engine.edits import apply
from engine.model import Definition
from engine.validate import Problem, check, check_together
from grammar.instruction import Change, SetEnabled, Understood
from grammar.language import Language
from grammar.workspace import WorkflowView, Workspace
from tests.strategies import definitions

HERE = Path(__file__).parent
LANGUAGE = Language(DECLARATIONS, tables_folder())
DRAWN = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
Case = dict[str, Any]


def read(name: str) -> list[Case]:
    return list(tomllib.loads((HERE / name).read_text())["case"])


def named(case: Case) -> str:
    return str(case["why"]).replace(" ", "_")


FINDINGS, TOGETHER = read("findings.toml"), read("together.toml")


def action(written: Any) -> Any:
    """An action as it stands in JSON, from its short form."""
    if not isinstance(written, str):
        return written
    kind, _, rest = written.partition(" ")
    match kind:
        case "say":
            return {"service": "twitch", "method": "send_chat_message", "params": {"message": rest}}
        case "wait":
            return {"service": "internal", "method": "wait", "params": {"seconds": float(rest)}}
        case "emit":
            return {"kind": "emit", "event": rest}
        case "run":
            return {"kind": "run", "workflow": rest}
        case "goto":
            return {"kind": "goto", "to": rest}
        case "stop":
            return {"kind": "stop"}
        case _:
            raise AssertionError(written)


def workflow(id: str, actions: list[Any], case: Case, **heading: Any) -> Definition:
    """Steps s1, s2, ... one after the other."""
    states = []
    for number, written in enumerate(actions, 1):
        made = action(written)
        leads_on = number < len(actions) and made.get("kind") not in ("goto", "stop")
        transitions = {"success": f"s{number + 1}"} if leads_on else {}
        transitions |= case.get("edges", {}).get(str(number), {})
        options = case.get("options", {}).get(str(number), {})
        states.append({"name": f"s{number}", "action": made, "transitions": transitions, **options})
    return read_data({"id": id, "name": id, "initial_state": "s1", "states": states, **heading})


def of_case(case: Case) -> Definition:
    return workflow("w", case["actions"], case, **case.get("heading", {}))


def judged(definition: Definition, case: Case) -> tuple[Problem, ...]:
    others = case.get("others")
    there = None if others is None else {id: workflow(id, actions, {}) for id, actions in others.items()}
    return check(definition, DECLARATIONS, workflows=there, scopes=case.get("scopes"), roles=case.get("roles"))


def said(problem: Problem) -> str:
    place = f"{problem.place}: " if problem.place else ""
    return f"{problem.severity} {place}{problem.sentence}"


def understood(sentence: str, workflows: Mapping[str, Definition], focus: str) -> Understood:
    workspace = Workspace({id: WorkflowView(each) for id, each in workflows.items()}, focus)
    answer = LANGUAGE.understand(sentence, workspace)
    assert isinstance(answer, Understood), f"{sentence}: {answer}"
    return answer


def done(sentence: str, workflows: Mapping[str, Definition], focus: str = "") -> dict[str, Definition]:
    """The workflows that are switched on once a sentence has been said."""
    match understood(sentence, workflows, focus).instruction:
        case Change(id, edits):
            definition = workflows[id]
            for edit in edits:
                definition = apply(definition, edit)
            return {**workflows, id: definition}
        case SetEnabled(id, enabled=False):
            return {other: each for other, each in workflows.items() if other != id}
        case other:
            raise AssertionError(other)


# One workflow ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", FINDINGS, ids=named)
def test_this_is_said_of_a_workflow_and_nothing_of_a_sound_one(case: Case) -> None:
    found = judged(of_case(case), case)
    if "said" not in case:
        assert found == ()
        return
    fitting = [problem for problem in found if said(problem).startswith(case["said"])]
    assert fitting, found
    if "mend" in case:
        assert fitting[0].suggestion == case["mend"]


@pytest.mark.parametrize("case", [case for case in FINDINGS if "said" in case], ids=named)
def test_every_problem_comes_with_a_suggestion_and_one_that_can_be_said_mends_it(case: Case) -> None:
    definition = of_case(case)
    for problem in judged(definition, case):
        assert problem.suggestion
        if problem.said is not None:
            after = judged(done(problem.said, {"w": definition}, "w")["w"], case)
            assert (problem.state, problem.sentence) not in [(each.state, each.sentence) for each in after]


@DRAWN
@given(definitions(depth=2, states=4))
def test_whatever_is_drawn_is_judged_the_same_each_time_and_what_can_be_said_is_understood(
    definition: Definition,
) -> None:
    known = {definition.id: definition}
    found = check(definition, DECLARATIONS, workflows=known, scopes=(), roles={})
    assert found == check(definition, DECLARATIONS, workflows=known, scopes=(), roles={})
    for problem in found:
        assert problem.suggestion is None or problem.suggestion
        if problem.said is not None:
            understood(problem.said, known, definition.id)


# Several -----------------------------------------------------------------------------------------------------------------


def all_of(case: Case) -> dict[str, Definition]:
    made = {}
    for written in case["workflow"]:
        heading = {key: value for key, value in written.items() if key not in ("id", "actions")}
        made[written["id"]] = workflow(written["id"], written["actions"], {}, **heading)
    return made


@pytest.mark.parametrize("case", TOGETHER, ids=named)
def test_this_is_said_of_workflows_together_and_nothing_of_sound_ones(case: Case) -> None:
    found = check_together(all_of(case), DECLARATIONS, **({"chat_limit": case["limit"]} if "limit" in case else {}))
    if "said" not in case:
        assert found == ()
        return
    [problem] = found
    assert str(problem).startswith(case["said"])
    if "mend" in case:
        assert problem.suggestion == case["mend"]


@pytest.mark.parametrize("case", [case for case in TOGETHER if "said" in case], ids=named)
def test_what_is_suggested_for_several_mends_it(case: Case) -> None:
    workflows = all_of(case)
    for problem in check_together(workflows, DECLARATIONS):
        assert problem.suggestion
        if problem.said is not None:
            after = check_together(done(problem.said, workflows), DECLARATIONS)
            assert problem.sentence not in [each.sentence for each in after]


@DRAWN
@given(st.lists(definitions(depth=1, states=3), max_size=4))
def test_whatever_is_drawn_can_be_judged_together(drawn: list[Definition]) -> None:
    workflows = {definition.id: definition for definition in drawn}
    assert check_together(workflows, DECLARATIONS) == check_together(workflows, DECLARATIONS)
