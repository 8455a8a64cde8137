"""What a picture of a workflow shows: its steps, the ways between them, and how far its runs have come. Pure.

A block is one node, whatever is in it: a picture is for the whole, the words beside it for the rest.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from bot.replies import clipped
from engine.execution import Execution
from engine.model import Definition, State, Trigger, all_states

Mark: TypeAlias = Literal["plain", "start", "done", "here", "waiting", "failed"]
LONGEST_LABEL: Final = 46
MOST_STATES: Final = 60
_TRIGGER: Final = "\0start"


@dataclass(frozen=True, slots=True)
class Node:
    """One step, or what starts it."""

    id: str
    label: str
    mark: Mark = "plain"


@dataclass(frozen=True, slots=True)
class Edge:
    """One way; `main` is the one taken where nothing special happens."""

    source: str
    target: str
    label: str = ""
    main: bool = True


@dataclass(frozen=True, slots=True)
class Graph:
    """All of it."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(
    definition: Definition,
    marks: Mapping[str, Mark],
    say_step: Callable[[Definition, str], str],
    say_trigger: Callable[[Trigger], str],
) -> Graph | None:
    """A workflow's graph; None if it is too large to be looked at."""
    if len(definition.states) > MOST_STATES:
        return None
    nodes = [
        Node(state.name, f"{number} {_label(say_step(definition, state.name))}", marks.get(state.name, "plain"))
        for number, state in enumerate(definition.states, 1)
    ]
    there = {node.id for node in nodes}
    edges = [edge for state in definition.states for edge in _ways(state) if edge.target in there]
    if definition.triggers:
        said = " · ".join(say_trigger(trigger) for trigger in definition.triggers)
        nodes.insert(0, Node(_TRIGGER, _label(said), "start"))
        edges.insert(0, Edge(_TRIGGER, definition.initial_state))
    return Graph(tuple(nodes), tuple(edges))


def _label(words: str) -> str:
    return clipped(" ".join(words.split()), LONGEST_LABEL)


def _ways(state: State) -> Iterator[Edge]:
    for event, target in state.transitions.items():
        main = event == "success"
        if isinstance(target, str):
            yield Edge(state.name, target, "" if main else event, main)
            continue
        for number, choice in enumerate(target):
            last = choice.when is None
            label = ("else" if number else "") if last else "if"
            yield Edge(state.name, choice.to, label if main else f"{event} {label}".strip(), main and last)


# How far runs have come ----------------------------------------------------------------------------------------------------


def marks_of(definition: Definition, live: Sequence[Execution], last: Execution | None) -> dict[str, Mark]:
    """Where runs rest and have been; where none goes on, how far the last one came."""
    owner = {inner.name: state.name for state in definition.states for inner in all_states((state,))}
    runs = live or ([] if last is None else [last])
    marks: dict[str, Mark] = {}
    for run in runs:
        marks |= dict.fromkeys(_known(owner, (place.rpartition("/")[2] for place in run.visits)), "done")
    for run in runs:
        if run.status == "failed":
            marks |= dict.fromkeys(_known(owner, (branch.state for branch in run.wreck[:1])), "failed")
        for branch in run.branches:
            waits = branch.due is not None or branch.effect is None
            marks |= dict.fromkeys(_known(owner, [branch.state]), "waiting" if waits else "here")
    return marks


def _known(owner: Mapping[str, str], names: Iterable[str]) -> list[str]:
    return [owner[name] for name in names if name in owner]
