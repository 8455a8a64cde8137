"""What "it" counts where no unit is said: `if its 500 or more` are bits after a cheer, viewers after a raid.

It is what the event counts that the sentence names, or the one that starts the workflow it is about; where that is not
clear it is refused with what to say. Trees are completed, nothing is built.
"""

from collections.abc import Iterator

from engine.events import kind_of
from grammar.references import refuse
from grammar.tree import Leaf, Node
from grammar.workspace import Workspace

_EVENTS = ("EVENT", "DOES")
_NAMES = ("WORKFLOW", "IN_WORKFLOW")


def with_units(tree: Node, workspace: Workspace) -> Node:
    """The same tree, in which every count has its unit.

    Raises:
        Unsettled: It is not clear what is counted.
    """
    open_counts = list(_open_counts(tree))
    if open_counts:
        unit = _unit(tree, workspace)
        for count in open_counts:
            count.children = [*count.children, Leaf("UNIT", unit, "", 0, 0)]
            count.rule = "there_are"
    return tree


def _open_counts(node: Node) -> Iterator[Node]:
    for child in node.nodes():
        if child.rule == "it_counts":
            yield child
        yield from _open_counts(child)


def _unit(tree: Node, workspace: Workspace) -> str:
    named = [str(leaf.value) for leaf in tree.leaves() if leaf.type in _EVENTS]
    if not named:
        meant = next((str(leaf.value) for leaf in tree.leaves() if leaf.type in _NAMES), workspace.focus or "")
        view = workspace.workflows.get(meant)
        named = [trigger.on for trigger in view.definition.triggers] if view is not None else []
    kinds = [kind_of(name) for name in named]
    measures = {kind.measure for kind in kinds if kind is not None and kind.measure is not None}
    if len(measures) != 1:
        raise refuse("What is it that counts there? Say what, such as: if there are 500 bits or more")
    return measures.pop()
