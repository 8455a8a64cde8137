"""What docs/obs.md says of OBS is what the bot understands: each sentence, each method, each error and each event."""

import re
from functools import cache
from pathlib import Path

import pytest

from bot.config import tables_folder
from bot.obs.deeds import DEEDS
from bot.services.declared import DECLARATIONS
from bot.services.obs import METHODS
from engine.events import types
from engine.model import Call, Definition
from grammar.instruction import Create
from grammar.language import Language, Understood
from grammar.workspace import Workspace

TEXT = (Path(__file__).parents[2] / "docs" / "obs.md").read_text(encoding="utf-8")
TABLE = TEXT.partition("| in words | method |")[2].partition("\n\n")[0]
SENTENCES = [
    (sentence, row)
    for row in TABLE.splitlines()
    for sentence in re.findall(r"`([^`]*)`", row)
    if " " in sentence and "…" not in sentence
]


@cache
def language() -> Language:
    """The language is built once."""
    return Language(DECLARATIONS, tables_folder())


def made(sentence: str) -> Definition:
    """The workflow that a sentence makes."""
    found = language().understand(f"create clip: {sentence}", Workspace())
    assert isinstance(found, Understood), found
    assert isinstance(found.instruction, Create), found
    return found.instruction.definition


@pytest.mark.parametrize(("sentence", "row"), SENTENCES, ids=[sentence for sentence, _ in SENTENCES])
def test_each_sentence_of_the_docs_is_a_step_of_its_method(sentence: str, row: str):
    (state,) = made(sentence).states

    assert isinstance(state.action, Call)
    if state.action.service == "obs":
        named = {name for name in re.findall(r"`(\w+)`", row) if any(method.name == name for method in METHODS)}
        assert state.action.method in named or f"obs.{state.action.method}" in row or sentence in SAID_TOGETHER


SAID_TOGETHER = frozenset(
    {
        "start recording",
        "stop recording",
        "pause recording",
        "resume recording",
        "start the replay buffer",
        'save the replay as "raid"',
        "stop the replay buffer",
    }
)
"""Rows that name no method: what comes of it is told there instead."""


def test_each_method_is_known_to_the_real_service():
    assert set(DEEDS) == {method.name for method in METHODS}


def test_each_method_is_in_the_docs():
    said = {
        state.action.method
        for sentence, _ in SENTENCES
        for state in made(sentence).states
        if isinstance(state.action, Call)
    }

    assert [method.name for method in METHODS if method.name not in said and f"`{method.name}`" not in TEXT] == [
        "set_source_filter_settings",
        "set_input_settings",
    ]
    assert all(f"obs.{name} with" in TEXT for name in ("set_source_filter_settings", "set_input_settings"))


def test_each_event_of_obs_is_heard_in_words():
    for kind in types():
        if kind.platform == "obs":
            found = language().understand(f'when {kind.clause} say "hi"', Workspace())
            assert isinstance(found, Understood), kind.clause
            assert isinstance(found.instruction, Create)
            assert [trigger.on for trigger in found.instruction.definition.triggers] == [kind.name]
