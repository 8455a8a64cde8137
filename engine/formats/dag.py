"""A graph: `nodes` that run as soon as all they depend on have ended well.

It becomes one step of branches, a branch for each node, with the node's id as the name of the branch and of its only
step, so that `${node.field}` finds its result. `critical: false` on a node lets those that depend on it run even if it
fails; `error_policy: continue` says so of all nodes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.formats.imported import Imported
from engine.formats.naming import Naming
from engine.formats.reading import (
    HEADING,
    Data,
    Report,
    call_in,
    definition_of,
    flag_in,
    fresh,
    heading,
    id_of,
    steps_in,
    text_in,
    texts_in,
    within,
    wrong,
)
from engine.formats.steps import stops_on_error
from engine.formats.writing import call_of, cannot
from engine.formats.writing import heading as heading_of
from engine.model import Definition, Parallel, ParallelBranch

_KNOWN: Final = HEADING | {"error_policy", "nodes"}
_OF_A_NODE: Final = frozenset({"id", "service", "action", "params", "depends_on", "critical", "description"})


def read(data: Data, naming: Naming) -> Imported:
    """Read nodes.

    Raises:
        DefinitionError: They cannot be read, depend on a node that is not there, or on each other in a circle.
    """
    report = Report()
    made = heading(data, report, naming)
    report.unknown("", data, _KNOWN)
    critical = stops_on_error(data, report) if "error_policy" in data else True
    branches: list[dict[str, Any]] = []
    places: dict[str, str] = {}
    for number, place, node in steps_in(data, "nodes", "node"):
        report.unknown(place, node, _OF_A_NODE)
        id_ = id_of(node, number, place, report)
        if id_ in places:
            raise wrong(place, f'there is another node "{id_}"; every id may be used once')
        places[id_] = place
        state = {"name": id_, "action": call_in(node, place, report, naming)}
        if (description := text_in(node, "description", place)) is not None:
            state["description"] = description
        needs = texts_in(node, "depends_on", place)
        if len(set(needs)) < len(needs):
            report.default(place, "it depends twice on the same node, which is as good as once")
        branch = {
            "name": id_,
            "block": {"initial_state": id_, "states": [state]},
            "needs": list(dict.fromkeys(needs)),
            "critical": flag_in(node, "critical", place, critical),
        }
        branches.append(branch)
    needed = {branch["name"]: branch["needs"] for branch in branches}
    _refuse_strangers(needed, places)
    _refuse_circles(needed)
    report.default("", "when a node fails, those that depend on it are skipped, unless it is critical: false")
    name = fresh("parallel", places)
    action = {"kind": "parallel", "branches": branches, "join": "all"}
    return report.on(definition_of({**made, "initial_state": name, "states": [{"name": name, "action": action}]}))


def _refuse_strangers(needed: Mapping[str, Sequence[str]], places: Mapping[str, str]) -> None:
    for name, needs in needed.items():
        for need in needs:
            if need not in needed:
                raise wrong(within(places[name], "depends_on"), f'there is no node "{need}"')


def _refuse_circles(needed: Mapping[str, Sequence[str]]) -> None:
    """Take away nodes that wait for nobody until none is left, or only those in a circle and behind one."""
    left = dict(needed)
    while ready := [name for name, needs in left.items() if not any(need in left for need in needs)]:
        for name in ready:
            del left[name]
    if left:
        circle = [next(iter(left))]
        while circle[-1] not in circle[:-1]:
            circle.append(next(need for need in left[circle[-1]] if need in left))
        circle = circle[circle.index(circle[-1]) :]
        raise wrong("nodes", f"they wait for each other in a circle: {' -> '.join(circle)}")


def write(definition: Definition) -> dict[str, Any]:
    """Write nodes.

    Raises:
        NotExpressible: The workflow says more than they can.
    """
    action = definition.states[0].action
    if len(definition.states) > 1 or not isinstance(action, Parallel):
        raise cannot("dag", "it is not one step of branches")
    if action.join != "all":
        raise cannot("dag", "a graph is done when all its nodes are")
    return {**heading_of(definition, "dag"), "nodes": [_node(branch) for branch in action.branches]}


def _node(branch: ParallelBranch) -> dict[str, Any]:
    if len(branch.block.states) > 1:
        raise cannot("dag", f'the branch "{branch.name}" has more than one step')
    state = branch.block.states[0]
    if state.name != branch.name:
        raise cannot("dag", f'the branch "{branch.name}" and its step "{state.name}" have different names')
    call = call_of(state.action, state.name, "dag")
    node = {"id": state.name, "service": call["service"], "action": call["method"], "params": call["params"]}
    if branch.needs:
        node["depends_on"] = list(branch.needs)
    if not branch.critical:
        node["critical"] = False
    return {**node, "description": state.description} if state.description else node
