"""What sentences come to: canonical words, questions and refusals, as data in `cases/`; and what no message may do."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.config import tables_folder
from bot.services.declared import DECLARATIONS
from engine.model import Definition
from grammar.instruction import Create, NotYet, Question, Refusal, Understood
from grammar.language import Language
from grammar.workspace import LiveNames, WorkflowView, Workspace
from tests.effort import calls_of

CASES = [
    case
    for path in sorted((Path(__file__).parent / "cases").glob("*.toml"))
    for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
]
KINDS = {"question": Question, "refusal": Refusal}
NAMES = LiveNames(
    scenes=("Hype", "BRB", "Gameplay"),
    sources=("webcam",),
    sounds=("airhorn",),
    channels=("general",),
    roles=("Champion", "Stream Crew"),
)
FILES = (
    'workflow "raid"\n1. announce "raid soon"\n2. wait 30 seconds\n3. raid "ninja"',
    'workflow "thanks"\nwhen someone follows\n1. say "welcome ${user}"\n2. wait 2 seconds\n3. switch to scene "Hype"\n'
    '4. wait 10 seconds\n5. say "ok back to it"',
)

BUSY = (
    'workflow "hydrate"\ntags "timers"\nevery 30 minutes\n1. say "drink"',
    'workflow "lurk"\ntags "fun"\nwhen someone types !lurk\ncooldown 5 seconds\nonly moderators may run it\n1. say "bye"',
    'workflow "go live"\ntags "timers"\nwhen the stream starts\nvariable "topic" required\n1. say "live"\n2. wait 5 minutes\n'
    '3. switch to scene "BRB"',
    'workflow "cheers"\nwhen a cheer of at least 100 bits comes in\nwhen someone redeems "Hydrate"\n1. say "thx"',
    'workflow "evening"\nevery day at 19:30\nonly moderators and vips may run it\n1. say "on"',
)


@cache
def language() -> Language:
    return Language(DECLARATIONS, tables_folder())


@cache
def stage() -> Workspace:
    definitions: list[Definition] = [language().read_definition(text) for text in FILES]
    views = {definition.id: WorkflowView(definition, revision=3) for definition in definitions}
    return Workspace(views, "thanks", NAMES)


@cache
def busy() -> Workspace:
    definitions = [language().read_definition(text) for text in (*FILES, *BUSY)]
    views = {definition.id: WorkflowView(definition, revision=3) for definition in definitions}
    return Workspace(views, "lurk", NAMES, templates=("raid", "go live"))


def workspace_with(*files: str, names: LiveNames | None = None) -> Workspace:
    """The workflows of some files, the first of them talked about."""
    definitions = [language().read_definition(text) for text in files]
    return Workspace({each.id: WorkflowView(each) for each in definitions}, definitions[0].id, names or LiveNames())


def workspace_of(case: dict[str, Any]) -> Workspace:
    """No workflows and names on stream (`empty`), nothing at all (`bare`), seven workflows (`busy`), or two."""
    match case.get("in"):
        case "empty":
            return Workspace(names=NAMES)
        case "bare":
            return Workspace()
        case "busy":
            return busy()
        case _:
            return stage()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["say"])
def test_a_sentence_comes_to_what_is_written(case: dict[str, Any]) -> None:
    workspace = workspace_of(case)
    answer = language().understand(case["say"], workspace)
    if case.get("not_yet"):
        assert isinstance(answer, Understood), answer
        assert isinstance(answer.instruction, NotYet)
        return
    if "kind" in case:
        assert isinstance(answer, Question | Refusal), answer
        assert isinstance(answer, KINDS[case["kind"]]), answer
        for words in case.get("has", ()):
            assert words.casefold() in answer.text.casefold()
        return
    assert isinstance(answer, Understood), answer
    said = language().say(answer.instruction, workspace)
    assert said == case["canonical"]
    assert [typed for typed, _ in answer.corrections] == case.get("corrected", [])
    again = language().understand(said, workspace)
    assert isinstance(again, Understood), again
    assert again.instruction == answer.instruction


@pytest.mark.parametrize("case", [case for case in CASES if case.get("kind") == "question"], ids=lambda c: c["say"])
def test_every_option_of_a_question_is_a_sentence_the_bot_accepts(case: dict[str, Any]) -> None:
    answer = language().understand(case["say"], workspace_of(case))
    assert isinstance(answer, Question)
    for option in answer.options:
        assert isinstance(language().understand(option, workspace_of(case)), Understood), option


def test_a_gap_filled_is_the_whole_sentence() -> None:
    answer = language().understand("add a wait", stage())
    assert isinstance(answer, Question)
    assert answer.gap is not None
    filled = language().understand(answer.gap.replace("{}", "20 seconds"), stage())
    assert isinstance(filled, Understood)
    assert language().say(filled.instruction, stage()) == "thanks v4: add as step 6 wait 20 seconds"


HOSTILE = {
    "ten thousand characters": "a" * 10_000,
    "two thousand words": "wait " * 2_000,
    "a thousand brackets": "(" * 1_000,
    "a NUL": "\0",
    "a NUL inside": "show th\0anks",
    "emoji": "🎉🎉🎉 🏳️\u200d🌈 " * 40,
    "an unclosed quote": 'add say "hi',
    "escapes": "add say " + "\\" * 400,
    "braces": "{" * 500 + "}" * 500,
    "arrows": "-> -> ->",
    "scopes": "in raid " * 40,
    "chains": "say and " * 100,
    "typos": "wiat zzzq " * 50,
    "deep json": "import " + '{"a":' * 1_000,
    "a surrogate": "add say \udc80",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_message_is_slow_or_breaks_the_reader(text: str) -> None:
    language().understand("list", stage())
    assert calls_of(lambda: language().understand(text, stage())) < 200_000
    answer = language().understand(text, stage())
    assert isinstance(answer, Understood | Question | Refusal)
    if not isinstance(answer, Understood):
        assert len(answer.text) < 1_000
        assert "\n" not in answer.text


def test_a_file_form_is_a_new_workflow() -> None:
    text = language().say_definition(stage().workflows["thanks"].definition)
    answer = language().understand(text, Workspace())
    assert isinstance(answer, Understood)
    assert answer.instruction == Create(stage().workflows["thanks"].definition)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("re", "remove"), ("run t", "thanks"), ("in raid add switch to scene ", '"Hype"'), ("show ra", "raid")],
)
def test_what_is_being_typed_is_completed_with_words_and_own_names(typed: str, offered: str) -> None:
    assert offered in language().complete(typed, stage())
