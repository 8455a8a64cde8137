"""How people change what they have just made, as data: `changes.toml`.

Each table makes a workflow with one sentence, which is then talked about. What `means` something comes to the canonical words
beside it, which are understood as the same there; what `asks` is a question or a refusal that holds the words beside it,
and whose options are all understood. `before` changes it first, so that its step was talked about last.
"""

import tomllib
from functools import cache
from pathlib import Path

import pytest

from engine.edits import apply, touched
from grammar.instruction import Change, Create, Question, Refusal, Understood
from grammar.workspace import LiveNames, WorkflowView, Workspace
from tests.grammar.test_cases import language

TABLES = tomllib.loads((Path(__file__).parent / "changes.toml").read_text(encoding="utf-8"))["workflow"]
NAMES = LiveNames(sounds=("airhorn", "choochoo"))


@cache
def place_of(made: str, before: str) -> Workspace:
    """A workflow that was just made by a sentence, and perhaps changed by another."""
    answer = language().understand(made, Workspace(names=NAMES))
    assert isinstance(answer, Understood), answer
    assert isinstance(answer.instruction, Create)
    definition = answer.instruction.definition
    workspace = Workspace({definition.id: WorkflowView(definition)}, definition.id, NAMES)
    if not before:
        return workspace
    changed = language().understand(before, workspace)
    assert isinstance(changed, Understood), changed
    assert isinstance(changed.instruction, Change)
    for edit in changed.instruction.edits:
        definition = apply(definition, edit)
    step = touched(changed.instruction.edits, definition)
    return Workspace({definition.id: WorkflowView(definition, revision=2)}, definition.id, NAMES, step=step)


def told(kind: str) -> list[object]:
    return [
        pytest.param(table["made"], table.get("before", ""), said, words, id=said)
        for table in TABLES
        for said, words in table.get(kind, ())
    ]


@pytest.mark.parametrize(("made", "before", "said", "canonical"), told("means"))
def test_a_change_comes_to_what_is_written(made: str, before: str, said: str, canonical: str) -> None:
    workspace = place_of(made, before)
    answer = language().understand(said, workspace)
    assert isinstance(answer, Understood), answer
    assert language().say(answer.instruction, workspace) == canonical
    again = language().understand(canonical, workspace)
    assert isinstance(again, Understood), again
    assert again.instruction == answer.instruction


@pytest.mark.parametrize(("made", "before", "said", "words"), told("asks"))
def test_what_is_not_clear_is_asked_or_refused(made: str, before: str, said: str, words: str) -> None:
    workspace = place_of(made, before)
    answer = language().understand(said, workspace)
    assert isinstance(answer, Question | Refusal), language().say(answer.instruction, workspace)
    assert words in answer.text
    for option in answer.options if isinstance(answer, Question) else ():
        assert isinstance(language().understand(option, workspace), Understood), option
