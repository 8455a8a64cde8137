"""One answer more or less where several are listed: `add Tetris as a third option`."""

import pytest

from grammar.instruction import Refusal, Understood
from grammar.workspace import LiveNames, Workspace
from tests.grammar.test_cases import language, workspace_with

FILE = 'workflow "vote"\n1. start a poll "what next?" with "Hades, Celeste" for 2 minutes\n2. say "hi"'


def stage() -> Workspace:
    return workspace_with(FILE, names=LiveNames(sounds=("airhorn",)))


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        ("add Tetris as a third option", "Hades, Celeste, Tetris"),
        ('add "Elden Ring" to the poll', "Hades, Celeste, Elden Ring"),
        ("add another option: rock and roll", "Hades, Celeste, rock and roll"),
        ("remove hades from the poll", "Celeste"),
        ("remove the option Celeste", "Hades"),
    ],
)
def test_an_answer_comes_or_goes(said: str, answers: str) -> None:
    workspace = stage()
    answer = language().understand(said, workspace)

    assert isinstance(answer, Understood), answer
    words = language().say(answer.instruction, workspace)
    assert words.endswith(f'-> start a poll "what next?" with "{answers}" for 2 minutes')
    again = language().understand(words, workspace)
    assert isinstance(again, Understood)
    assert again.instruction == answer.instruction


@pytest.mark.parametrize("said", ["add Hades as an option", "remove Zelda from the options"])
def test_what_is_there_already_or_not_at_all_is_told(said: str) -> None:
    answer = language().understand(said, stage())

    assert isinstance(answer, Refusal)
    assert "Hades, Celeste" in answer.text


def test_a_step_is_still_a_step() -> None:
    workspace = stage()
    answer = language().understand("add 30 seconds to the poll", workspace)

    assert isinstance(answer, Understood)
    assert language().say(answer.instruction, workspace).endswith('with "Hades, Celeste" for 2 minutes 30 seconds')
