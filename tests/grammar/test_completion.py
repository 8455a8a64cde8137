"""What the word being typed could become: whole words and names that go on from what was typed, few and short."""

import pytest

from grammar.instruction import Understood
from grammar.workspace import LiveNames, WorkflowView, Workspace
from tests.fakes_room import LANGUAGE

NAMES = LiveNames(scenes=("BRB", "Main"), sounds=("airhorn", "x" * 200), channels=("general",))


def there() -> Workspace:
    made = LANGUAGE.understand('create raid: when someone raids say "hi", wait 10 seconds', Workspace())
    assert isinstance(made, Understood)
    definition = made.instruction.definition  # type: ignore[union-attr]
    return Workspace({definition.id: WorkflowView(definition)}, definition.id, NAMES)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", "create"), ("r", "run"), ("r", "raid"), ("run ", "raid"), ("in ra", "raid"), ("in raid ", '"BRB"'),
        ("switch to ", '"BRB"'), ('switch to "M', '"Main"'), ('post "hi" in ', "#general"), ('post "hi" in #g', "#general"),
        ("when someone f", "follows"), ("move step 1 ", "before"), ("rename raid ", "to"),
    ],
)  # fmt: skip
def test_what_can_come_next_is_offered(typed: str, offered: str) -> None:
    assert offered in LANGUAGE.complete(typed, there())


@pytest.mark.parametrize(
    "typed", ["", "in raid ", "in raid add ", "run ", "when ", "change the wait ", "play ", "xyz ", "  "]
)
def test_completions_are_few_and_short_and_no_mere_signs(typed: str) -> None:
    offered = LANGUAGE.complete(typed, there())
    assert len(offered) <= 25
    assert all(len(each) <= 100 and any(map(str.isalnum, each)) for each in offered)
    assert len(set(offered)) == len(offered)
