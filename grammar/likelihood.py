"""How likely a reading is before anything is known of what it means here: what it costs, and how much of it is free text.

It knows no workspace and builds nothing; which of the likely readings is taken is decided by whoever knows their meaning.
"""

import math
from itertools import pairwise
from typing import Final

from grammar.driver import Reading
from grammar.tree import Node

NEARLY: Final = 0.6
ROUNDING: Final = 0.01
AMBIENT_COST: Final = 0.5
NOT_YET_COST: Final = 0.5
DAILY_COST: Final = 0.5
_MAKING_RUN: Final = frozenset(("_RUN", "_START_IT", "_SCHEDULE", "_MAKE_IT"))
SAYS_BONUS: Final = 0.01
MERE_RUN_COST: Final = 1.0
"""`run hydrate meanwhile` runs it, and is no step that does."""
_BEFORE_A_TEXT: Final = frozenset(("_ARROW", "_SHOULD_BE"))
QUOTED_CHANNEL_COST: Final = 1.0
"""What is quoted after "to" is what a step says, and hardly a channel it is said in."""


def by_likelihood(readings: list[Reading]) -> list[tuple[tuple[float, int], Reading]]:
    """Readings by likelihood; what costs too much before anything is known of its tree is left out."""
    likely: dict[int, tuple[float, int]] = {}
    least = math.inf
    for place, reading in sorted(enumerate(readings), key=lambda each: each[1].cost):
        if reading.cost > least + NEARLY + ROUNDING:
            break
        likely[place] = likelihood(reading)
        least = min(least, likely[place][0])
    return sorted(((likely[place], readings[place]) for place in sorted(likely)), key=_likelier)


def likelihood(reading: Reading) -> tuple[float, int]:
    """Cheap readings first; of those that cost the same, the one that takes fewer words for free text."""
    free = sum([leaf.end - leaf.start for leaf in reading.tokens if leaf.type == "TEXT" and not leaf.quoted])
    cost = reading.cost
    if reading.start == "edit":
        cost -= SAYS_BONUS * _gives_a_text(reading)
        cost += QUOTED_CHANNEL_COST * _is_moved_to_a_quote(reading)
        cost += MERE_RUN_COST * ([leaf.type for leaf in reading.tokens] == ["_RUN_STEP", "WORKFLOW"])
        cost += AMBIENT_COST * (ambient_steps(reading.tree) is not None) + DAILY_COST * _is_daily(reading)
    if reading.start != "manage":
        cost += NOT_YET_COST * is_later(reading.tree)
    return round(cost, 2), free


def _likelier(rated: tuple[tuple[float, int], Reading]) -> tuple[float, int]:
    return rated[0]


def ambient_steps(tree: Node) -> Node | None:
    """Steps that are said to no workflow by name and with no word for adding."""
    return tree.node("ambient_steps") if tree.node("in_workflow") is None else None


def _gives_a_text(reading: Reading) -> bool:
    """`make the announcement say bye`: an announcement it stays, whatever else "say" would be."""
    return any(leaf.type == "_TO" and leaf.text.casefold() == "say" for leaf in reading.tokens)


def _is_moved_to_a_quote(reading: Reading) -> bool:
    """`change the text of step 1 to "hello"`, read as the same words said in a channel of that name."""
    return any(
        leaf.type == "CHANNEL" and leaf.quoted and before.type in _BEFORE_A_TEXT
        for before, leaf in pairwise(reading.tokens)
    ) or (
        any(leaf.type == "_INTO_CHANNEL" for leaf in reading.tokens)
        and any(leaf.type == "CHANNEL" and leaf.quoted for leaf in reading.tokens)
    )


def _is_daily(reading: Reading) -> bool:
    """`run raid at 19:00`, read as what it does every day from now on; once is likelier."""
    first, last = reading.tokens[0].type, reading.tokens[-2:]
    return first in _MAKING_RUN and tuple(leaf.type for leaf in last) == ("_AT", "TIME")


def is_later(tree: Node) -> bool:
    """Whether it is something this bot cannot do yet, so that asking for details would be idle."""
    return tree.rule.startswith("later") or any(
        isinstance(child, Node) and child.rule.startswith("later") for child in tree.children
    )
