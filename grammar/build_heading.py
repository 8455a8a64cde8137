"""From trees of `policies.lark` to what a heading says: names, tags, variables, limits, and what is done about errors."""

import re
from collections.abc import Sequence
from typing import Any, Final

from pydantic import JsonValue, TypeAdapter, ValidationError

from engine.convert import mistake
from engine.model import Choose, Goto, Policy, Stop, VariableDeclaration
from grammar import build_policies
from grammar.drafts import Draft
from grammar.leaves import NotBuilt, leaf_of, plain_seconds
from grammar.syntax import Called, Declared, Head, Numbered, Reference
from grammar.tree import Leaf, Node

_LEAD: Final = re.compile(r"^(?:(?:as|with|the|tag) )+", re.IGNORECASE)
"""What stands before an unquoted tag and is none of it: `tag raid as the fun one`."""


def heading(node: Node) -> Head:  # noqa: C901  one line per rule
    """A line of the heading, as a change of it."""
    texts = [str(leaf.value) for leaf in node.children if isinstance(leaf, Leaf) and leaf.type in ("STRING", "TEXT")]
    match node.rule:
        case "head_name":
            return Head("name", texts[0])
        case "head_description" | "head_version":
            return Head("description" if node.rule == "head_description" else "version", texts[0])
        case "head_no_description" | "head_no_version" | "head_no_timeout" | "head_no_on_error":
            what: Any = node.rule.removeprefix("head_no_")
            return Head(what, None)
        case "head_tags" | "head_no_tags":
            return Head("tags", tuple(texts))
        case "head_tag" | "head_untag":
            return Head("tag" if node.rule == "head_tag" else "untag", _tags(node))
        case "head_policy":
            return Head("policy", TypeAdapter(Policy).validate_python(_json(node)))
        case "head_rule" | "head_rule_of":
            return Head(
                "rule",
                build_policies.rule(next(each for each in node.nodes() if each.rule not in ("in", "it", "workflow"))),
            )
        case "head_variable":
            return Head("variable", declared(node.nodes()[0]))
        case "variable_more" | "variable_needed":
            return Head("variable", _about(node))
        case "head_no_variable":
            return Head("variable", Declared(str(leaf_of(node, "STRING", "VARIABLE").value), gone=True))
        case "head_rounds":
            return Head("rounds", build_policies.count(node))
        case "head_usual_rounds":
            return Head("rounds", None)
        case "head_start":
            return Head("start", _step(node))
        case "head_timeout":
            return Head("timeout", plain_seconds(leaf_of(node, "DURATION", "UNIT_LENGTH")))
        case other:
            raise AssertionError(f"policies.lark has no heading {other}")


def _tags(node: Node) -> tuple[str, ...]:
    tagged = node.node("tagged")
    leaves = tagged.leaves() if tagged is not None else ()
    return tuple(
        str(leaf.value) if leaf.quoted else _LEAD.sub("", " ".join(str(leaf.value).split())) for leaf in leaves
    )


def _step(node: Node) -> Reference:
    leaf = leaf_of(node, "STRING", "NUMBER")
    return Called(str(leaf.value)) if leaf.type == "STRING" else Numbered(build_policies.count(node))


# Variables ---------------------------------------------------------------------------------------------------------------


def declared(node: Node) -> Declared:
    """`variable "target" text required`: all that is declared of it."""
    name = str(leaf_of(node, "STRING").value)
    if node.rule == "variable_json":
        try:
            return Declared(name, VariableDeclaration.model_validate(_json(node)).model_dump(exclude_unset=True))
        except ValidationError as error:
            raise NotBuilt(mistake(error)) from None
    return Declared(name, _parts(node))


def _about(node: Node) -> Declared:
    """`raid_target is required`, `it needs a target`: what is said of it comes to what is declared already."""
    parts = _parts(node)
    needed = node.rule == "variable_needed"
    if needed and "default" not in parts:
        parts.setdefault("required", True)
    return Declared(str(leaf_of(node, "VARIABLE").value), parts, whole=False, needed=needed)


def _parts(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in node.nodes("declared"):
        name, value = _part(part)
        if name in found:
            raise NotBuilt(f"its {name} is said twice")
        found[name] = value
    return found


def _part(node: Node) -> tuple[str, JsonValue]:
    if (type_ := node.leaf("VARIABLE_TYPE")) is not None:
        return "type", str(type_.value)
    if (required := node.leaf("REQUIRED")) is not None:
        return "required", required.value == "yes"
    if (note := node.leaf("STRING")) is not None:
        return "description", str(note.value)
    value = leaf_of(node, "TEXT", "NUMBER", "ONOFF")
    return "default", value.value == "true" if value.type == "ONOFF" else value.value


def declaration(said: Declared, before: VariableDeclaration | None) -> VariableDeclaration:
    """The declaration after something was said of it.

    Raises:
        NotBuilt: It cannot be declared so.
    """
    kept = {} if said.whole or before is None else before.model_dump(exclude_unset=True)
    if said.fields.get("required") is True and "default" not in said.fields:
        kept.pop("default", None)
    try:
        return VariableDeclaration.model_validate({**kept, **said.fields})
    except ValidationError as error:
        raise NotBuilt(mistake(error)) from None


# What is done about errors -----------------------------------------------------------------------------------------------


def only_jumps(steps: Sequence[Draft]) -> bool:
    """Whether it is said only where to go on, which is an edge and no step."""
    if len(steps) != 1 or _has_more(steps[0]):
        return False
    action = steps[0].state.action
    if isinstance(action, Choose):
        return any(isinstance(state.action, Goto) for case in action.cases for state in case.block.states)
    return isinstance(action, Goto)


def without_stop(steps: tuple[Draft, ...]) -> tuple[Draft, ...]:
    """Steps without a last `stop`: what is done about an error ends by itself."""
    last = steps[-1] if steps else None
    is_stop = last is not None and isinstance(last.state.action, Stop) and not _has_more(last)
    return steps[:-1] if is_stop else steps


def _has_more(draft: Draft) -> bool:
    """Whether a step says more than its action."""
    plain = draft.state.model_copy(update={"name": "x", "action": Stop()})
    return (
        draft.named or draft.ends or plain.model_dump(exclude_defaults=True).keys() > {"name", "action", "transitions"}
    )


def _json(node: Node) -> Any:
    return leaf_of(node, "JSON").value
