"""An XState machine as it is written: a tree of nodes, and arrows between them. Looked at once, changed nowhere.

It knows where an arrow leads (`next`, `.child`, `#machine.a.b`) and what every node is called as a state; what a node does
is `engine.formats.xstate`'s business.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from engine.errors import ExpressionError
from engine.expressions import PATH, format_formula, parse_formula
from engine.formats.reading import Data, Report, an_object, fresh, text_in, within, wrong
from engine.formulas import Variable
from engine.model import MAX_NAME
from engine.wording import shortened

Kind: TypeAlias = Literal["atomic", "compound", "parallel", "final"]
MAX_NODES: Final = 400


@dataclass(slots=True, eq=False)
class Node:
    """A node of the machine.

    Attributes:
        name: What its state is called; unique in the whole machine.
        ends: Whether it is a final node that only marks where a path ends, and no step.
    """

    key: str
    data: Data
    parent: "Node | None"
    kind: Kind
    name: str = ""
    ends: bool = False
    children: dict[str, "Node"] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Words for where it stands."""
        return "" if self.parent is None else f'state "{shortened(".".join(self.path), 80)}"'

    @property
    def path(self) -> tuple[str, ...]:
        """The keys that lead to it from the root."""
        return () if self.parent is None else (*self.parent.path, self.key)

    @property
    def block(self) -> "Node":
        """The root, or the region of a parallel node, that it belongs to."""
        node = self
        while node.parent is not None and node.parent.kind != "parallel":
            node = node.parent
        return node

    def first(self) -> "Node":
        """The child it begins with."""
        initial = text_in(self.data, "initial", self.place)
        if initial is None:
            raise wrong(self.place, '"initial" is missing')
        if initial not in self.children:
            raise wrong(within(self.place, "initial"), f'there is no state "{shortened(initial, 40)}" in it')
        return self.children[initial]

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, in the order they are written."""
        yield self
        for child in self.children.values():
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Arrow:
    """A transition: where it leads if its guard holds, and what is done on the way."""

    target: Node
    guard: str | None
    actions: tuple[Any, ...]


# The tree --------------------------------------------------------------------------------------------------------------


def read_tree(data: Data) -> Node:
    """The nodes of a machine.

    Raises:
        DefinitionError: It is none.
    """
    root = _node("", data, None)
    if not root.children:
        raise wrong("states", "it needs at least one")
    nodes = list(root.walk())
    if len(nodes) > MAX_NODES:
        raise wrong("states", f"there are more than {MAX_NODES}")
    _name(nodes)
    return root


def _node(key: str, data: Data, parent: Node | None) -> Node:
    node = Node(key, data, parent, "atomic")
    place = node.place
    states = an_object(data.get("states") or {}, within(place, "states"))
    for child, value in states.items():
        node.children[child] = _node(child, an_object(value or {}, f'state "{shortened(child, 80)}"'), node)
    match text_in(data, "type", place):
        case "final":
            node.kind = "final"
            meta = data.get("meta")
            node.ends = isinstance(meta, Mapping) and meta.get("end") is True
        case "parallel":
            node.kind = "parallel"
        case "history":
            raise wrong(place, "a history state cannot be said here; lead to the state it stands for")
        case _:
            node.kind = "compound" if states else "atomic"
    if node.kind == "parallel" and not states:
        raise wrong(place, "it is parallel and has no states")
    return node


def _name(nodes: list[Node]) -> None:
    """Name every node by its key, or by its whole path where keys meet."""
    keys = [node.key for node in nodes if node.kind != "compound"]
    taken: set[str] = set()
    for node in nodes:
        stem = node.key if node.kind == "compound" or keys.count(node.key) == 1 else "_".join(node.path)
        node.name = fresh(stem or "parallel", taken)
        if node.kind != "compound":
            taken.add(node.name)


# Arrows ----------------------------------------------------------------------------------------------------------------


def arrows_of(source: Node, value: Any, place: str, report: Report) -> list[Arrow]:
    """What is written under `onDone`, `always`, an event or a delay: those arrows that can be followed here."""
    if value is None:
        return []
    found = []
    for written in value if isinstance(value, list | tuple) else [value]:
        data: Data = {"target": written} if isinstance(written, str) else an_object(written or {}, place)
        report.unknown(
            place, data, {"target", "guard", "cond", "actions", "description", "meta", "reenter", "internal"}
        )
        actions = as_tuple(data.get("actions"))
        target = data.get("target")
        if isinstance(target, list | tuple):
            if len(target) > 1:
                report.lost(place, "it leads to several states at once; only the first was taken")
            target = target[0] if target else None
        if target is None:
            if actions:
                report.lost(place, "it does something without leading anywhere, and was left out")
            continue
        if not isinstance(target, str):
            raise wrong(place, "a target must be a text")
        node = _resolved(source, target)
        if node is None:
            raise wrong(place, f'there is no state "{shortened(target, 40)}"')
        if node.block is not source.block:
            report.lost(place, f'"{shortened(target, 40)}" is outside of the states that run beside each other here')
            continue
        guard = data.get("guard", data.get("cond"))
        found.append(Arrow(node, None if guard is None else guard_in(guard, place, report), actions))
    return found


def as_tuple(value: Any) -> tuple[Any, ...]:
    """A list, one value alone, or nothing."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _resolved(source: Node, target: str) -> Node | None:
    root = source
    while root.parent is not None:
        root = root.parent
    if target.startswith("#"):
        return _by_id(root, target[1:])
    if target.startswith("."):
        return _below(source, target[1:].split("."))
    base = source.parent if source.parent is not None else source
    return _below(base, [target]) or _below(base, target.split("."))


def _by_id(root: Node, target: str) -> Node | None:
    for node in root.walk():
        id_ = node.data.get("id")
        if isinstance(id_, str) and target == id_:
            return node
        if isinstance(id_, str) and target.startswith(f"{id_}."):
            return _below(node, target.removeprefix(f"{id_}.").split("."))
    return None


def _below(node: Node, keys: list[str]) -> Node | None:
    found: Node | None = node
    for key in keys:
        found = None if found is None else found.children.get(key)
    return found


def guard_in(guard: Any, place: str, report: Report) -> str:
    """A guard as a formula; one that is only named is a variable of that name."""
    name = guard
    if isinstance(guard, Mapping):
        name = guard.get("type")
        if guard.get("params"):
            report.lost(place, f'the params of the guard "{shortened(str(name), 40)}"')
    if not isinstance(name, str) or not name:
        raise wrong(place, "a guard must be a text, or an object with a type")
    try:
        formula = parse_formula(name)
    except ExpressionError:
        formula = Variable(_as_path(name))
        report.lost(place, f'the guard "{shortened(name, 40)}" cannot be read as a condition')
    if isinstance(formula, Variable):
        report.default(place, f'the guard "{shortened(name, 40)}" holds if the variable {formula.path} does')
    return format_formula(formula)


def _as_path(name: str) -> str:
    path = re.sub(r"\W+", "_", name)[:MAX_NAME].strip("_")
    return path if PATH.fullmatch(path) else f"guard_{path}"
