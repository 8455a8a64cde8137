"""docs/catalogue.md is true: what it says is here is here, what is here it says, and what is not has a reason."""

import re
from pathlib import Path
from typing import get_args

import pytest

from bot.services.declared import DECLARATIONS
from engine.events import types
from engine.model import Action, Policy, Trigger

PAGE = (Path(__file__).parent.parent / "docs" / "catalogue.md").read_text(encoding="utf-8")
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split(" | "))
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| wanted", "|---"))
]
DECLARED = frozenset({*(kind.name for kind in types()), *(method.key for method in DECLARATIONS)})
KINDS = frozenset(get_args(arm)[1].tag for arm in get_args(get_args(Action)[0])) - {"call"}
KNOWN = {
    *DECLARED,
    *KINDS,
    *(f"policy.{field}" for field in Policy.model_fields),
    *(f"trigger.{field}" for field in Trigger.model_fields),
}


def named(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_says_how_with_names_that_are_there_or_why_not(row: tuple[str, ...]) -> None:
    assert len(row) == 3
    _, here, how = row[0], row[1], row[2].rstrip(" |")
    assert here in ("yes", "partly", "no")
    unknown = [name for name in named(how) if name not in KNOWN and name != "why"]
    assert not unknown, f"{unknown} are not declared"
    if here in ("yes", "partly"):
        assert named(how), "it does not say by what"
    if here in ("no", "partly"):
        assert len(how.split()) >= 4, "it does not say why"


def test_nothing_that_is_declared_is_left_out() -> None:
    said = {name for row in ROWS for name in named(row[2])}
    missing = sorted(DECLARED - said)
    assert not missing, f"add these to a row of docs/catalogue.md: {', '.join(missing)}"


def test_nothing_is_wanted_twice() -> None:
    for section in PAGE.split("\n## ")[1:]:
        wanted = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| ")]
        assert len(wanted) == len(set(wanted))
