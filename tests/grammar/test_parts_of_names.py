"""`the trombone`: a name on the stream by its last word, where no other of its kind has that word."""

import pytest

from grammar.instruction import Question, Refusal, Understood
from grammar.workspace import LiveNames, Workspace
from tests.grammar.test_cases import language, workspace_with

FILE = 'workflow "raid"\n1. announce "off we go"\n2. play "airhorn"'
NAMES = LiveNames(
    scenes=("Just Chatting", "Big Game", "Small Game"), sounds=("airhorn", "sad trombone"), sources=("alert box",)
)


def stage() -> Workspace:
    return workspace_with(FILE, names=NAMES)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("play the trombone", 'add as step 3 play "sad trombone"'),
        ("use the trombone rather than the horn", 'step 2 play "airhorn" -> play "sad trombone"'),
        ("switch to chatting", 'add as step 3 switch to scene "Just Chatting"'),
        ("hide the box", 'add as step 3 hide "alert box"'),
        ("say play the trombone", 'add as step 3 say "play the trombone"'),
    ],
)
def test_a_name_is_known_by_its_last_word(said: str, meant: str) -> None:
    workspace = stage()
    answer = language().understand(said, workspace)

    assert isinstance(answer, Understood), answer
    assert language().say(answer.instruction, workspace) == f"raid v2: {meant}"


def test_a_word_that_two_names_have_is_no_name() -> None:
    assert isinstance(language().understand("switch to game", stage()), Question | Refusal)
