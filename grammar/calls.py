"""Which phrases of services are still possible while a call is read: the table knows only their shapes.

A state of the table that stands within a call belongs to the phrases of all shapes that come through it. Words narrow
them, slots narrow them by coming at all, and a call may end only if one is left. The numbers are bits of phrases.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from grammar.phrases import SAID, SAID_ON, Group, PhraseGrammar
from grammar.table import Table

_RULE = "call"


@dataclass(frozen=True, slots=True)
class Within:
    """A state within a call.

    Attributes:
        phrases: Those whose shape comes through it.
        first: Whether it stands after the first symbol, so that nothing before it counts.
        stretch: How many slots were read before what led here, if that was words.
        only: Whether nothing but calls comes through it.
    """

    phrases: int
    first: bool
    stretch: int
    only: bool


@dataclass(frozen=True, slots=True)
class Calls:
    """What is known of calls, by state and by rule of the table.

    Attributes:
        within: The states within calls.
        ending: The phrases of each rule that is a shape.
        reductions: By number what a rule takes off the stack, what it comes to, and its phrases if it is a shape.
        groups: The words of calls, by number.
        beginning: One of those that begin a call; where it may come all of them may.
        begins: The names of all of them.
    """

    within: Mapping[int, Within]
    ending: Mapping[int, int]
    reductions: tuple[tuple[int, str, int], ...]
    groups: tuple[Group, ...]
    beginning: int
    begins: frozenset[str]

    def left(self, state: int, before: int, group: int | None) -> int:
        """The phrases that are possible when a state is come to, by words of a group or by a slot; 0 if none is."""
        within = self.within[state]
        left = within.phrases if within.first else within.phrases & before
        return left if group is None else left & self.groups[group].phrases[within.stretch]


def calls_of(table: Table, phrases: PhraseGrammar) -> Calls:
    """Follow every shape through the table."""
    found: dict[int, Within] = {}
    explained: dict[int, set[str]] = {}
    ending = {place: phrases.alike[rule.node] for place, rule in enumerate(table.rules) if rule.node in phrases.alike}
    beginnings = {
        (name, actions[shape[0]])
        for actions, gotos in zip(table.actions, table.gotos, strict=True)
        if _RULE in gotos
        for name, shape in phrases.shapes.items()
    }
    for name, at in beginnings:
        first, *others = phrases.shapes[name]
        slots = int(first not in (SAID, SAID_ON))
        _come_through(found, at, Within(phrases.alike[name], first=True, stretch=0, only=False))
        for symbol in others:
            explained.setdefault(at, set()).add(symbol)
            at = table.actions[at][symbol]
            _come_through(found, at, Within(phrases.alike[name], first=False, stretch=slots, only=False))
            slots += symbol not in (SAID, SAID_ON)
    for state, within in found.items():
        only = all(
            terminal in explained.get(state, ()) if action >= 0 else ~action in ending
            for terminal, action in table.actions[state].items()
        )
        found[state] = replace(within, only=only)
    begins = {group.name: number for number, group in enumerate(phrases.groups) if group.terminal == SAID}
    reductions = tuple((rule.length, rule.origin, ending.get(place, 0)) for place, rule in enumerate(table.rules))
    return Calls(found, ending, reductions, phrases.groups, next(iter(begins.values()), 0), frozenset(begins))


def _come_through(found: dict[int, Within], state: int, within: Within) -> None:
    known = found.get(state)
    found[state] = within if known is None else replace(within, phrases=within.phrases | known.phrases)
