"""Counters in the words of people, as data: `counters.toml`.

A case says something where other workflows count what is `known`, in an empty place or `in` a workflow in focus. It `means`
canonical words, which are understood as the same there, with these `notes` and one word `corrected`; or it `asks`, with these
`options`; an empty question is any question or refusal.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from bot import templates
from grammar.counters import named, spellings
from grammar.instruction import Question, Refusal, Understood
from grammar.workspace import LiveNames, WorkflowView, Workspace
from tests.grammar.test_cases import language

CASES = tomllib.loads((Path(__file__).parent / "counters.toml").read_text(encoding="utf-8"))["case"]
WORKFLOWS = {
    "waits": 'workflow "waits"\n1. say "a"\n2. wait 10 minutes',
    "told": 'workflow "told"\n1. say "${deaths|default 0}"',
}


def workspace_of(case: dict[str, Any]) -> Workspace:
    names = LiveNames(scenes=("BRB",), counters=tuple(case.get("known", ())))
    definition = language().read_definition(WORKFLOWS[case["in"]]) if "in" in case else None
    views = {} if definition is None else {definition.id: WorkflowView(definition)}
    return Workspace(views, case.get("in"), names, templates=templates.names())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['say']} {case.get('known', '')}")
def test_what_is_said_of_counters_means_what_is_written(case: dict[str, Any]) -> None:
    workspace = workspace_of(case)
    answer = language().understand(case["say"], workspace)
    if "asks" in case:
        assert isinstance(answer, Question | Refusal), answer
        assert case["asks"] in answer.text
        for option in case.get("options", ()):
            assert isinstance(answer, Question)
            assert any(each.startswith(option) for each in answer.options), answer.options
        for option in answer.options if isinstance(answer, Question) else ():
            assert isinstance(language().understand(option, workspace), Understood), option
        return
    assert isinstance(answer, Understood), answer
    assert language().say(answer.instruction, workspace).strip() == case["means"]
    again = language().understand(case["means"], workspace)
    assert isinstance(again, Understood), again
    assert again.instruction == answer.instruction
    assert len(answer.notes) == len(case.get("notes", ()))
    for note, words in zip(answer.notes, case.get("notes", ()), strict=True):
        assert words in note
    assert answer.corrections == ((tuple(case["corrected"]),) if "corrected" in case else ())


@pytest.mark.parametrize(
    ("said", "known", "meant"),
    [
        ("death", ("deaths",), "deaths"),
        ("Deaths", ("deaths",), "deaths"),
        ("boss-fight", ("Boss Fights",), "Boss Fights"),
        ("death", ("deaths", "death"), "death"),
        ("bos", ("boss",), None),
        ("wins", ("deaths",), None),
    ],
)
def test_a_counter_answers_to_its_name_of_one_and_of_many_unless_another_has_it(
    said: str, known: tuple[str, ...], meant: str | None
) -> None:
    assert named(said, known) == meant


def test_two_counters_that_differ_by_an_s_are_never_one() -> None:
    assert dict(spellings(("deaths", "death"))) == {"deaths": "deaths", "death": "death"}
