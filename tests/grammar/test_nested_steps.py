"""Steps inside others are counted 2.1, 2.2, and edits reach them by that number; layouts of blocks in files and messages."""

from functools import cache

import pytest

from bot.config import tables_folder
from bot.services.declared import DECLARATIONS
from engine.model import Choose, Definition, Parallel, all_states
from grammar.files import FileError
from grammar.instruction import Create, Refusal, Understood
from grammar.language import Language
from grammar.workspace import LiveNames, WorkflowView, Workspace

NAMES = LiveNames(scenes=("Hype", "BRB"), sounds=("airhorn",))
FILE = (
    'workflow "raid"\n1. say "a"\n2. if viewers > 5 (say "big", then wait 5 seconds) otherwise (say "small")\n'
    '3. repeat 2 times (if bits > 3 (say "x"), then wait 2 seconds)'
)


@cache
def language() -> Language:
    return Language(DECLARATIONS, tables_folder())


@cache
def stage() -> Workspace:
    return Workspace({"raid": WorkflowView(language().read_definition(FILE), revision=3)}, "raid", NAMES)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("remove step 2.2", "raid v4: remove step 2.2"),
        ("change step 2.2 to 20 seconds", "raid v4: step 2.2 wait 5 seconds -> wait 20 seconds"),
        ("after step 2.1 add play airhorn", 'raid v4: replace step 2.1 with say "big" · play "airhorn"'),
        ("add wait 5s before step 2.3", 'raid v4: replace step 2.3 with wait 5 seconds · say "small"'),
        ("step 2.3 should say hello", 'raid v4: step 2.3 say "small" -> say "hello"'),
        ("replace step 3.1.1 with wait 3s", "raid v4: replace step 3.1.1 with wait 3 seconds"),
        ("step 3.1.1 time limit 5s", "raid v4: step 3.1.1 time limit 5 seconds"),
        ("swap step 2.1 and step 2.2", "raid v4: swap step 2.1 and step 2.2"),
        ("put step 2.2 in repeat 3 times", "raid v4: replace step 2.2 with repeat 3 times (wait 5 seconds)"),
    ],
)
def test_an_edit_reaches_a_step_inside_another(typed: str, canonical: str) -> None:
    answer = language().understand(typed, stage())
    assert isinstance(answer, Understood), answer
    assert language().say(answer.instruction, stage()) == canonical
    again = language().understand(canonical, stage())
    assert isinstance(again, Understood), again
    assert again.instruction == answer.instruction


def test_a_long_sentence_about_a_workflow_called_like_a_step_is_not_a_text() -> None:
    small = language().read_definition('workflow "say"\n1. [wait] wait 5 seconds')
    workspace = Workspace({"say": WorkflowView(small)}, "say", NAMES)
    steps = ", then ".join(f'say "{number}"' for number in range(30))
    said = f"say v2: step 1 wait 5 seconds -> if viewers > 5 ({steps})"
    answer = language().understand(said, workspace)
    assert isinstance(answer, Understood), answer
    assert language().say(answer.instruction, workspace) == said


def test_a_step_that_is_not_inside_is_named_with_what_there_is() -> None:
    answer = language().understand("remove step 2.9", stage())
    assert isinstance(answer, Refusal)
    assert "no step 2.9" in answer.text
    assert "3 steps" in answer.text


LONG = "a text so long that the whole step does not fit on one line of a file any more, however it is cut"
IN_BRACKETS = (
    f'workflow "x"\n\n1. if viewers > 5 (\n     1.1. say "{LONG}"\n     1.2. wait 5 seconds\n   ) otherwise (\n'
    '     1.3. say "b"\n   )\n2. wait 1 second\n'
)


def test_a_long_block_is_printed_over_several_lines_and_read_back() -> None:
    read = language().read_definition(IN_BRACKETS)
    assert language().say_definition(read) == IN_BRACKETS


@pytest.mark.parametrize(
    "lines",
    [
        f'1. if viewers > 5:\n   1.1 say "{LONG}"\n   1.2 wait 5s\n   otherwise:\n   1.3 say "b"\n2. wait 1s',
        f'if viewers > 5\n  say "{LONG}"\n  wait 5 seconds\notherwise\n  say "b"\nwait 1 second',
        f'1. if viewers > 5:\n1.1. say "{LONG}"\n1.2. wait 5s\notherwise:\n1.3. say "b"\n2. wait 1s',
        f'if viewers > 5 (\nsay "{LONG}"\nwait 5s\n)\notherwise say "b"\nwait 1s',
    ],
    ids=("numbers", "indentation", "numbers alone", "brackets"),
)
def test_a_block_may_be_laid_out_as_people_do(lines: str) -> None:
    assert language().read_definition(f'workflow "x"\n{lines}\n') == language().read_definition(IN_BRACKETS)


def test_a_message_of_several_lines_may_hold_blocks() -> None:
    said = (
        "create x:\nif viewers > 50:\n  say big\n  repeat 2 times\n    play airhorn\notherwise:\n  say small\nwait 5s"
    )
    answer = language().understand(said, Workspace(names=NAMES))
    assert isinstance(answer, Understood), answer
    assert isinstance(answer.instruction, Create)
    made = answer.instruction.definition
    assert [state.name for state in made.states] == ["choose", "wait"]
    assert [state.name for state in all_states(made.states)] == ["choose", "say", "repeat", "sound", "say_2", "wait"]


def test_branches_are_kept_apart_by_semicolons_and_never_by_joints() -> None:
    read = language().read_definition('workflow "x"\nat the same time (say "a", then say "b"; say "c")')
    action = read.states[0].action
    assert isinstance(action, Parallel)
    assert [len(branch.block.states) for branch in action.branches] == [2, 1]


def test_otherwise_belongs_to_the_nearest_if() -> None:
    read = language().read_definition('workflow "x"\nif viewers > 5 if bits > 3 say "a" otherwise say "b"')
    outer = read.states[0].action
    assert isinstance(outer, Choose)
    inner = outer.cases[0].block.states[0].action
    assert isinstance(inner, Choose)
    assert (len(outer.cases), len(inner.cases)) == (1, 2)


def test_lines_that_open_blocks_for_ever_are_only_a_mistake() -> None:
    lines = "\n".join(f"{' ' * depth}if viewers > {depth}:" for depth in range(300))
    with pytest.raises(FileError):
        language().read_definition(f'workflow "x"\n{lines}\n')


def test_a_definition_is_the_same_however_its_blocks_are_written() -> None:
    one_line = language().read_definition(FILE)
    assert isinstance(one_line, Definition)
    assert language().read_definition(language().say_definition(one_line)) == one_line
