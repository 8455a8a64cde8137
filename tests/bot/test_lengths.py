"""How long a run takes, as far as a workflow says so itself."""

import pytest

from bot.config import tables_folder
from bot.lengths import Length, length_of
from bot.services.declared import DECLARATIONS
from grammar.language import Language

LANGUAGE = Language(DECLARATIONS, tables_folder())


def length(steps: str, **others: str) -> Length:
    there = {name: LANGUAGE.read_definition(f'workflow "{name}"\n{text}') for name, text in others.items()}
    return length_of(LANGUAGE.read_definition(f'workflow "x"\n{steps}'), there)


@pytest.mark.parametrize(
    ("steps", "seconds"),
    [
        ('1. say "a"\n2. say "b"', (0, 0)),
        ("1. wait 5 seconds\n2. wait 1 minute", (65, 65)),
        ('1. if viewers > 5 (wait 10 seconds) otherwise (say "a")', (0, 10)),
        ("1. if viewers > 5 (wait 10 seconds)\n2. wait 1 second", (1, 11)),
        ("1. repeat 3 times (wait 10 seconds)", (30, 30)),
        ("1. at the same time (wait 10 seconds; wait 4 seconds)", (10, 10)),
        ("1. at the same time until one ends (wait 10 seconds; wait 4 seconds)", (4, 4)),
        ("1. at the same time without waiting (wait 10 seconds; wait 4 seconds)", (0, 0)),
        ("1. wait until someone follows (time limit 20 seconds)", (0, 20)),
        ("1. collect every time someone types !join for 30 seconds", (30, 30)),
        ("1. collect every time someone types !join for 30 seconds until there are 5", (0, 30)),
        ('1. go to step "b"\n2. [a] wait 9 seconds\n3. [b] wait 2 seconds', (2, 2)),
        ("1. wait 3 seconds (then stop)\n\nnever reached:\n2. wait 9 seconds", (3, 3)),
    ],
)
def test_waits_are_added_up_along_the_way(steps: str, seconds: tuple[float, float]) -> None:
    found = length(steps)

    assert (found.least, found.most, found.open) == (*seconds, ())


def test_another_workflow_that_is_waited_for_counts() -> None:
    assert length('1. run workflow "y"\n2. wait 1 second', y="1. wait 4 seconds") == Length(5, 5)
    assert length('1. run workflow "y" in the background', y="1. wait 4 seconds") == Length()


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ("1. wait until someone follows", 'step "wait_for" waits for what happens'),
        ('1. wait "${n}"', 'step "wait" is told to wait'),
        ("1. repeat forever (wait 5 seconds)", "its loop goes on"),
        ('1. [a] wait 5 seconds\n2. go to step "a"', "it goes round"),
        (
            '1. wait 5 seconds (then if (viewers > 5) go to step "b", otherwise go to step "c")\n2. [b] stop\n3. [c] stop',
            "the way it goes on",
        ),
    ],
)
def test_what_nobody_can_know_is_named(steps: str, named: str) -> None:
    assert length(steps).open == (named,)


def test_workflows_that_run_each_other_end() -> None:
    found = length('1. run workflow "y"', y='1. run workflow "z"', z='1. wait 1 second\n2. run workflow "y"')

    assert found.open == ("what is deeper inside it",)
