"""What a trial makes up where nobody says with what: just what the trigger brings, so that it would start."""

from typing import Any

import pytest

from bot.config import tables_folder
from bot.samples import sample_of
from bot.services.declared import DECLARATIONS
from grammar.language import Language

LANGUAGE = Language(DECLARATIONS, tables_folder())


def sample(written: str) -> tuple[str, dict[str, Any]] | None:
    return sample_of(LANGUAGE.read_definition(f'workflow "x"\n{written}'))


@pytest.mark.parametrize(
    ("written", "fields"),
    [
        ('when a raid comes in\n1. say "${viewers} are here"', {"viewers": "10"}),
        ('when a raid of more than 50 viewers comes in\n1. say "${viewers} are here"', {"viewers": "51"}),
        (
            'when a cheer of at least 500 bits comes in\n1. say "${bits} bits, ${message}"',
            {"bits": "500", "message": "hello"},
        ),
        ('when someone redeems "Hydrate"\n1. say "${user} pays ${cost}"', {"reward": "Hydrate", "cost": "10"}),
        ('when someone types !hug\n1. say "${user} hugs ${target}"', {"command": "!hug", "arguments": "somebody"}),
        (
            'when a raid comes in, if they are a vip\n1. if viewers > 5 (say "a")',
            {"viewers": "10", "user.roles": "vip"},
        ),
        ('every 30 minutes\nwhen a raid comes in\n1. say "${viewers}"', {"viewers": "10"}),
    ],
)
def test_what_the_steps_name_is_made_up_so_that_the_trigger_takes_it(written: str, fields: dict[str, Any]) -> None:
    found = sample(written)

    assert found is not None
    assert found[1] == fields


@pytest.mark.parametrize(
    "written",
    [
        'when a raid comes in\n1. say "hi ${user}"',
        'every 30 minutes\n1. say "${viewers}"',
        '1. say "${viewers}"',
        'when a raid comes in\nvariable "viewers" default 5\n1. say "${viewers}"',
    ],
)
def test_what_needs_nothing_of_its_trigger_is_tried_by_hand(written: str) -> None:
    assert sample(written) is None
