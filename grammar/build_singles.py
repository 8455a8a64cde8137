"""From trees of the action kinds that hold no steps to actions: waiting for events, runs, events of our own, values.

Each is built from its own words alone; `grammar.build_blocks` builds what holds steps.
"""

from typing import Any, Final, cast

from pydantic import JsonValue

from engine.formulas import And
from engine.model import Action, Collect, Emit, Run, Set, Transform, WaitFor
from grammar.build_conditions import condition_in
from grammar.build_events import event
from grammar.leaves import CALLER, NotBuilt, checked, seconds_in, valid, value_of
from grammar.tree import Leaf, Node

_OF_THE_STREAM: Final = frozenset({"title", "category", "viewers"})
"""`set the title to the game` is about the stream."""


def single(node: Node) -> Action:
    """The action of a tree that holds no steps."""
    match node.rule:
        case "wait_for":
            return _wait_for(node)
        case "collect":
            return _collect(node)
        case "run_step" | "run_known":
            return _run(node)
        case "emit":
            return Emit(event=name_in(node, "STRING", "METHOD", "WORD_NAME"), payload=_given(node))
        case "set_variable":
            name, value = (child for child in node.children if isinstance(child, Leaf))
            if name.value in _OF_THE_STREAM:
                raise NotBuilt(f"the {name.value} is the stream's own, and no value of a run")
            return _keep(name, value)
        case "keep":
            value, name = (child for child in node.children if isinstance(child, Leaf))
            return _keep(name, value)
        case "keep_all":
            return checked(lambda: Set(values=value_of(node, "JSON")))
        case "work_out":
            return _transform(node)
        case other:
            raise AssertionError(f"steps.lark has no action {other}")


# Waiting for what happens -------------------------------------------------------------------------------------------------


def _listening(node: Node, guards: str) -> dict[str, Any]:
    """The event that is listened for, and the guard over it."""
    happening = event(next(child for child in node.nodes() if child.rule.startswith("event")))
    said = happening.pop("when", None)
    guard = next((condition_in(child) for child in node.nodes(guards)), None)
    both = [each for each in (said, guard) if each is not None]
    return {"event": happening["on"], "when": And(tuple(both)) if len(both) == 2 else (both[0] if both else None)}


def _wait_for(node: Node) -> Action:
    _at_most_once(node)
    said = _listening(node, "waited_if")
    command = node.node("event_command")
    if command is not None and (typing := command.leaf("WHO_TYPES")) is not None:
        said["who"] = str(typing.value)
    for part in node.nodes():
        match part.rule:
            case "waited_from":
                said["who"] = str(value_of(part, "USER"))
            case "waited_from_caller":
                said["who"] = CALLER
            case "waited_taken":
                said["consume"] = True
            case _:
                pass
    return cast("Action", valid(WaitFor, **said))


def limit_of(node: Node) -> float | None:
    """`wait for !back up to 5 minutes`: the time limit that is said with the action itself."""
    limit = node if node.leaf("DURATION") is not None else node.node("waited_limit")
    return None if limit is None else seconds_in(limit)


def _collect(node: Node) -> Action:
    _at_most_once(node)
    said = _listening(node, "gathered_if")
    weights: dict[str, float] = {}
    for part in node.nodes():
        match part.rule:
            case "gathered_length":
                said["seconds"] = seconds_in(part)
            case "gathered_count":
                said["count"] = value_of(part, "NUMBER")
            case "gathered_several":
                said["once_per_user"] = False
            case "gathered_weights":
                weights |= value_of(part, "JSON")
            case "gathered_weight":
                often = part.leaf("NUMBER")
                weights[str(value_of(part, "ROLE"))] = 2 if often is None else often.value
            case "gathered_taken":
                said["consume"] = True
            case _:
                pass
    return cast("Action", valid(Collect, **said, weights=weights))


def _at_most_once(node: Node) -> None:
    rules = [child.rule for child in node.nodes() if child.rule != "gathered_weight"]
    if len(set(rules)) < len(rules):
        raise NotBuilt("the same thing is said twice of what is waited for")


# Runs, events, variables --------------------------------------------------------------------------------------------------


def name_in(node: Node, *types: str) -> str:
    """A name in a node, as a text."""
    return str(value_of(node, *types))


def _run(node: Node) -> Action:
    named = cast("Leaf", node.leaf("WORKFLOW", "WORD_NAME"))
    if named.quoted and node.rule == "run_known":
        raise NotBuilt(f"as a step that is said so: run workflow {named.text}")
    return cast(
        "Action",
        valid(Run, workflow=str(named.value), arguments=_given(node), detached=node.node("detached") is not None),
    )


def _given(node: Node) -> dict[str, JsonValue]:
    given = node.node("with_json", "with_pairs")
    if given is None:
        return {}
    if given.rule == "with_json":
        return cast("dict[str, JsonValue]", value_of(given, "JSON"))
    found: dict[str, JsonValue] = {}
    for leaf in given.leaves():
        name, value = leaf.value
        if name in found:
            raise NotBuilt(f'"{name}" is given twice')
        found[str(name)] = value
    return found


def _keep(name: Leaf, value: Leaf) -> Action:
    match value.type:
        case "FORMULA":
            return cast("Action", valid(Transform, formula=value.value, into=str(name.value)))
        case "TRUTH":
            return Set(values={str(name.value): value.value == "true"})
        case "VARIABLE":
            return Set(values={str(name.value): f"${{{value.value}}}"})
        case _:
            return Set(values={str(name.value): value.value})


def _transform(node: Node) -> Action:
    into = node.leaf("WORD_NAME", "STRING")
    return cast(
        "Action", valid(Transform, formula=value_of(node, "FORMULA"), into=None if into is None else str(into.value))
    )
