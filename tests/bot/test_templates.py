"""Every workflow that comes with the bot is one: it is read, runs as it is, and is called what its file is."""

from functools import cache

import pytest

from bot import templates
from bot.config import tables_folder
from bot.services.declared import DECLARATIONS
from engine.validate import check
from grammar.language import Language


@cache
def language() -> Language:
    return Language(DECLARATIONS, tables_folder())


@pytest.mark.parametrize("name", templates.names())
def test_a_template_is_a_workflow_without_a_mistake(name: str) -> None:
    definition = language().read_definition(templates.text(name))

    assert definition.name == name
    assert definition.description
    assert [str(problem) for problem in check(definition, DECLARATIONS, frozenset(), frozenset())] == []
    assert language().read_definition(language().say_definition(definition)) == definition


def test_there_is_no_template_of_another_name() -> None:
    with pytest.raises(KeyError):
        templates.text("../conversation")
