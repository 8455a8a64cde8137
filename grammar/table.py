"""The parser's table: what may come in each state, and what a rule's tree is made of. The one module that knows Lark.

Lark reads the grammar's files into rules; `grammar.lalr` makes the states. Both are a matter of a fraction of a second, and
of the same text always come to the same, so a table can be kept in a folder.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grammar.kept import kept
from grammar.lalr import END, Automaton, Production, automaton_of
from grammar.tree import Leaf, Node, Tree


@dataclass(frozen=True, slots=True)
class Rule:
    """One alternative of a rule.

    Attributes:
        origin: The rule.
        length: How many symbols it has.
        node: What its tree is called.
        parts: Which symbols are in the tree, and whether as their own children instead (a rule that begins with `_`).
        alone: Whether a single child stands for the whole tree.
    """

    origin: str
    length: int
    node: str
    parts: tuple[tuple[int, bool], ...]
    alone: bool

    def tree(self, read: Sequence[Tree]) -> Tree:
        """The tree of what was read."""
        children: list[Tree] = []
        for place, is_spread in self.parts:
            part = read[place]
            if is_spread and isinstance(part, Node):
                children.extend(part.children)
            else:
                children.append(part)
        return children[0] if self.alone and len(children) == 1 else Node(self.node, children)


@dataclass(frozen=True, slots=True)
class Table:
    """Everything a parser does, by state.

    Attributes:
        actions: By terminal the next state, or `~rule` for the rule that ends before it.
        gotos: By rule the next state.
        rules: By number.
        starts: The first state of each start rule.
        ends: The last one.
    """

    actions: list[dict[str, int]]
    gotos: list[dict[str, int]]
    rules: list[Rule]
    starts: dict[str, int]
    ends: dict[str, int]

    def tree(
        self, start: str, leaves: Sequence[Leaf], name: Callable[[Node, Sequence[Tree]], None] | None = None
    ) -> Node:
        """The tree of words that the table accepts; words whose terminal begins with `_` are not in it.

        Args:
            start: The start rule.
            leaves: The words.
            name: Gets each node that is made with all that was read for it, and may call it something else.

        Raises:
            KeyError: It does not accept them.
        """
        actions, gotos, rules = self.actions, self.gotos, self.rules
        states: list[int] = [self.starts[start]]
        read: list[Tree] = []
        end = self.ends[start]
        for leaf in (*leaves, None):
            terminal = END if leaf is None else leaf.type
            while leaf is not None or states[-1] != end:
                action = actions[states[-1]][terminal]
                if action >= 0:
                    states.append(action)
                    read.append(leaf)  # type: ignore[arg-type]  # the end of a sentence is never shifted
                    break
                rule = rules[~action]
                first = len(read) - rule.length
                parts = read[first:]
                del read[first:], states[first + 1 :]
                tree = rule.tree(parts)
                if name is not None and isinstance(tree, Node):
                    name(tree, parts)
                read.append(tree)
                states.append(gotos[states[-1]][rule.origin])
        (tree,) = read
        return tree if isinstance(tree, Node) else Node(start, [tree])


def table_of(text: str, starts: Sequence[str], folder: Path | None = None) -> Table:
    """The table of a grammar, from the folder if an earlier start kept it there.

    Raises:
        GrammarConflict: The grammar is ambiguous for one word of look-ahead.
        lark.GrammarError: It is no grammar.
    """
    with no_collecting():
        written = kept(folder, "table", (text, *starts), ("table.py", "lalr.py"), lambda: _worked_out(text, starts))
        return _table(written)


@contextmanager
def no_collecting() -> Iterator[None]:
    """Making much that stays allocates much and frees little: looking for garbage meanwhile would be idle."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _worked_out(text: str, starts: Sequence[str]) -> dict[str, Any]:
    """The table as JSON: rules, sets of terminals, and for each state its shifts, gotos and (rule, set) where one ends."""
    from lark import Lark  # it takes longer to import than a table to load

    rules = Lark(text, parser=None, lexer="basic", start=list(starts), maybe_placeholders=False).rules
    productions = [
        Production(str(rule.origin.name), tuple(str(part.name) for part in rule.expansion)) for rule in rules
    ]
    automaton = automaton_of(productions, starts)
    sets, states = _numbered(automaton)
    return {
        "rules": [_shape(rule) for rule in rules],
        "sets": sets,
        "states": states,
        "starts": automaton.starts,
        "ends": automaton.ends,
    }


def _shape(rule: Any) -> list[Any]:
    """What a tree is made of, as Lark makes it: without words that begin with `_`, and rules that do are spread."""
    origin = str(rule.origin.name)
    parts = [
        [place, not part.is_term and part.name.startswith("_")]
        for place, part in enumerate(rule.expansion)
        if not (part.is_term and part.filter_out)
    ]
    alone = bool(rule.options and rule.options.expand1) and not rule.alias
    return [origin, len(rule.expansion), str(rule.alias or origin), parts, alone]


def _numbered(automaton: Automaton) -> tuple[list[tuple[str, ...]], list[Any]]:
    numbers: dict[tuple[str, ...], int] = {}
    states = [
        [
            state.shifts,
            state.gotos,
            [(rule, numbers.setdefault(before, len(numbers))) for rule, before in state.reduces],
        ]
        for state in automaton.states
    ]
    return list(numbers), states


def _table(written: dict[str, Any]) -> Table:
    sets: list[Sequence[str]] = written["sets"]
    actions: list[dict[str, int]] = []
    gotos: list[dict[str, int]] = []
    for shifts, after, reduces in written["states"]:
        for rule, before in reduces:
            shifts |= dict.fromkeys(sets[before], ~rule)
        actions.append(shifts)
        gotos.append(after)
    rules = [
        Rule(origin, length, node, tuple((place, is_spread) for place, is_spread in parts), alone)
        for origin, length, node, parts, alone in written["rules"]
    ]
    return Table(actions, gotos, rules, written["starts"], written["ends"])
