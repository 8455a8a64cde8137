"""Promises of reading a workflow from a text: which form it is in, and how the report of the import is said."""

import pytest

from bot.config import tables_folder
from bot.reading import import_text, in_lines, in_short
from bot.services.declared import DECLARATIONS
from engine.convert import Note
from engine.errors import DefinitionError
from grammar.language import Language

LANGUAGE = Language(DECLARATIONS, tables_folder())
YAML = "# mine\nname: T\nsteps:\n  - {id: a, type: twitch.send_chat_message, config: {message: hi}}\n"


@pytest.mark.parametrize(
    ("text", "suffix", "name"),
    [
        ('workflow "S"\n1. say "hi"\n', "", "S"),
        ('workflow "S"\n1. say "hi"\n', ".workflow", "S"),
        (YAML, "", "T"),
        (YAML, ".YAML", "T"),
        ("---\n" + YAML, ".txt", "T"),
        ('{"name": "T", "steps": [{"id": "a", "action": "obs.stop_streaming"}]}', "", "T"),
        ("// mine\n{name: 'T', steps: [{action: 'obs.stop_streaming'}]}", "", "T"),
        ("steps: [{action: 'obs.stop_streaming'}], name: 'T' // mine", ".js", "T"),
        ('{"name": "T", "steps": [{"id": "a", "type": "storage"}]}', ".yaml", "T"),
    ],
)
def test_the_ending_or_the_look_of_a_text_says_how_it_is_read(text: str, suffix: str, name: str) -> None:
    assert import_text(text, LANGUAGE, suffix=suffix).definition.name == name


@pytest.mark.parametrize(("text", "said"), [("", "as JSON"), ("hello there", "line 1"), ("steps:\n\t- a", "not YAML")])
def test_what_is_no_workflow_in_any_form_is_told(text: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        import_text(text, LANGUAGE)


NOTES = [
    Note("default", "", "it names no trigger, so it is run by hand"),
    Note("lost", 'step 1 ("a")', '"x" means nothing to me and was left out'),
    Note("default", 'step 2 ("b")', "it has no id"),
]


def test_the_report_tells_first_what_is_lost() -> None:
    assert in_lines(NOTES) == [
        'not carried over: step 1 ("a"): "x" means nothing to me and was left out.',
        "taken as: it names no trigger, so it is run by hand.",
        'taken as: step 2 ("b"): it has no id.',
    ]


def test_the_report_in_short_fits_a_chat_message() -> None:
    assert in_short([]) == ""
    assert in_short(NOTES) == (
        'Not carried over: step 1 ("a"): "x" means nothing to me and was left out. '
        "I chose 2 things it did not say, such as: it names no trigger, so it is run by hand. "
    )
    many = [Note("lost", "p" * 60, "s" * 900)] * 50 + [Note("default", "", "d" * 900)] * 50
    assert len(in_short(many)) < 450
    assert "(and 48 more)" in in_short(many)
