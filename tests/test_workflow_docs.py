"""docs/workflows.md is true: each workflow in it is read, is without errors, and together they show all there is."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from bot.services.declared import DECLARATIONS
from engine.convert import read_data
from engine.model import Action, Policy, all_states
from engine.program import compile_program
from engine.validate import check

PAGE = Path(__file__).parents[1] / "docs" / "workflows.md"
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)]


@pytest.mark.parametrize("data", EXAMPLES, ids=lambda data: str(data["id"]))
def test_each_example_can_be_run_as_it_is_written(data: dict[str, Any]) -> None:
    definition = read_data(data)

    compile_program(definition, DECLARATIONS)
    assert [str(problem) for problem in check(definition, DECLARATIONS) if problem.severity == "error"] == []


def test_together_they_show_every_kind_of_action_and_every_rule_of_a_policy() -> None:
    definitions = [read_data(data) for data in EXAMPLES]
    shown = {state.action.kind for definition in definitions for state in all_states(definition.states)}
    kinds = {get_args(member)[0].kind for member in get_args(get_args(Action)[0])}
    rules = {rule for data in EXAMPLES for rule in data.get("policy", {})}

    assert shown == kinds
    assert rules | {"may_edit"} == set(Policy.model_fields)
