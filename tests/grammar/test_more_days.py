"""`and saturdays`: the days of a schedule that is there, and these; never a condition on what else starts it."""

import pytest

from grammar.instruction import Question, Refusal, Understood
from grammar.workspace import Workspace
from tests.grammar.test_cases import language, workspace_with

FILES = (
    'workflow "hydrate"\nevery 30 minutes\nevery friday at 19:00\n1. say "drink"',
    'workflow "twice"\nevery monday at 12:00\nevery friday at 19:00\n1. say "hi"',
    'workflow "raid"\n1. wait 30 seconds',
)


def stage() -> Workspace:
    return workspace_with(*FILES)


@pytest.mark.parametrize(
    ("said", "starts"),
    [
        ("and saturdays", "only every 30 minutes or every friday and saturday at 19:00"),
        ("saturdays too", "only every 30 minutes or every friday and saturday at 19:00"),
        ("also on tuesdays please", "only every 30 minutes or every tuesday and friday at 19:00"),
        ("and every sunday", "only every 30 minutes or every sunday and friday at 19:00"),
        ("and sunday at 20:00", "also every sunday at 20:00"),
        ("and when someone follows", "also when someone follows"),
        ("when someone follows too", "also when someone follows"),
    ],
)
def test_more_days_come_to_the_schedule_that_is_there(said: str, starts: str) -> None:
    workspace = stage()
    answer = language().understand(said, workspace)

    assert isinstance(answer, Understood), answer
    assert language().say(answer.instruction, workspace) == f"hydrate v2: {starts}"


def test_of_several_times_it_is_asked_which_one_gets_the_day() -> None:
    workspace = stage()
    answer = language().understand("in twice also saturdays", workspace)

    assert isinstance(answer, Question)
    assert len(answer.options) == 2
    assert all(isinstance(language().understand(option, workspace), Understood) for option in answer.options)


@pytest.mark.parametrize("said", ["in raid also saturdays", "saturdays", "and fridays"])
def test_without_a_time_or_with_nothing_new_it_is_refused(said: str) -> None:
    assert isinstance(language().understand(said, stage()), Refusal)
