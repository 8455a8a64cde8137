"""What reading a sentence gives: a tree of rules over words with their values. No behaviour, and no parser library."""

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias


class Leaf(NamedTuple):
    """A word, or several, as one terminal.

    Attributes:
        type: The terminal.
        value: What it means: a number, seconds, a name as it is spelled on the stream, a formula.
        text: As typed.
        start: Offset in the sentence.
        end: Offset after it.
        quoted: Whether it stood in quotes.
    """

    type: str
    value: Any
    text: str
    start: int
    end: int
    quoted: bool = False


class Node:
    """A rule (or the name of its alternative) with what it is made of."""

    __slots__ = ("children", "rule")

    def __init__(self, rule: str, children: list["Tree"]) -> None:
        self.rule = str(rule)
        self.children = children

    def leaves(self) -> Iterator[Leaf]:
        """All words under this node, in order."""
        for child in self.children:
            if isinstance(child, Leaf):
                yield child
            else:
                yield from child.leaves()

    def leaf(self, *types: str) -> Leaf | None:
        """The first direct word of one of these terminals."""
        for child in self.children:
            if isinstance(child, Leaf) and child.type in types:
                return child
        return None

    def nodes(self, *rules: str) -> list["Node"]:
        """The direct nodes, all or of these rules."""
        return [child for child in self.children if isinstance(child, Node) and (not rules or child.rule in rules)]

    def node(self, *rules: str) -> "Node | None":
        """The first direct node, of any or of these rules."""
        for child in self.children:
            if isinstance(child, Node) and (not rules or child.rule in rules):
                return child
        return None

    def __repr__(self) -> str:
        return f"{self.rule}({', '.join(map(repr, self.children))})"


Tree: TypeAlias = Node | Leaf


def find(node: Node, rule: str) -> Node | None:
    """The first node of a rule, however deep."""
    for child in node.children:
        if isinstance(child, Node):
            if child.rule == rule:
                return child
            found = find(child, rule)
            if found is not None:
                return found
    return None


def alike(one: Tree, other: Tree) -> bool:
    """Whether two trees say the same in the same words, wherever these stood."""
    if isinstance(one, Leaf) or isinstance(other, Leaf):
        return (
            isinstance(one, Leaf)
            and isinstance(other, Leaf)
            and (one.type, one.value, one.text, one.quoted) == (other.type, other.value, other.text, other.quoted)
        )
    return (
        one.rule == other.rule
        and len(one.children) == len(other.children)
        and all(alike(first, second) for first, second in zip(one.children, other.children, strict=True))
    )
