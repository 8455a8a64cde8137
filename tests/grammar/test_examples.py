"""Every refusal ends with one example, and typing it works right there; talk that is no instruction is never taken for one."""

import re
from pathlib import Path
from typing import Final

import pytest

from grammar.instruction import Answer, Help, NotYet, Refusal, Status, Understood
from grammar.workspace import Workspace
from tests.grammar.test_cases import NAMES, language, stage

FOLDER: Final = Path(__file__).parent
WRONG: Final = (FOLDER / "wrong.txt").read_text(encoding="utf-8").splitlines()
TALK: Final = (FOLDER / "talk.txt").read_text(encoding="utf-8").splitlines()
EXAMPLE: Final = re.compile(r"(?:Try|such as): (?P<example>.*?)(?:, or: help)?$")
PLACES: Final = ("stage", "names only", "bare", "nothing in focus")


def place(name: str) -> Workspace:
    match name:
        case "stage":
            return stage()
        case "names only":
            return Workspace(names=NAMES)
        case "bare":
            return Workspace()
        case _:
            return Workspace(stage().workflows, None, NAMES)


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("sentence", WRONG)
def test_the_example_of_a_refusal_is_understood_where_it_is_given(sentence: str, name: str) -> None:
    answer = language().understand(sentence, place(name))
    if not isinstance(answer, Refusal):
        return
    shown = EXAMPLE.search(answer.text)
    if shown is not None:
        again = language().understand(shown.group("example"), place(name))
        assert isinstance(again, Understood), (answer.text, again)


def test_most_refusals_have_an_example() -> None:
    answers = [language().understand(sentence, stage()) for sentence in WRONG]
    refused = [answer.text for answer in answers if isinstance(answer, Refusal)]
    assert len(refused) > len(WRONG) / 2
    assert sum(EXAMPLE.search(text) is not None for text in refused) > len(refused) * 0.7


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("sentence", TALK)
def test_talk_is_never_taken_for_an_instruction(sentence: str, name: str) -> None:
    answer = language().understand(sentence, place(name))
    harmless = isinstance(answer, Understood) and isinstance(answer.instruction, Answer | Help | NotYet | Status)
    assert harmless or not isinstance(answer, Understood), answer
