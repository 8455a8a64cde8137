"""From trees of a verb and names to commands: running, stopping, asking, renaming; and the arguments of a run.

Whether a workflow of that name exists is not asked here. What is said of many workflows, of copies and of the past is
built by `grammar.build_manage`.
"""

import re
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from grammar import build_manage
from grammar.drafts import MissingPiece
from grammar.leaves import NotBuilt, leaf_of, plain_number, plain_seconds, whole
from grammar.syntax import (
    BacktestCommand,
    Called,
    Command,
    ExtendCommand,
    Named,
    Numbered,
    Reference,
    RenameCommand,
    RetryCommand,
    RunCommand,
    SkipCommand,
)
from grammar.tree import Node, find

_PLAIN: Final[Mapping[str, str]] = {
    "delete": "delete",
    "enable": "enable",
    "disable": "disable",
    "stop": "stop",
    "cancel": "cancel",
    "pause": "pause",
    "resume": "resume",
    "status": "status",
    "list": "list",
    "templates": "templates",
    "placeholders": "placeholders",
    "show": "show",
    "show_page": "show",
    "show_step": "show step",
    "why": "why",
    "agenda": "agenda",
    "tell_starts": "starts",
    "tell_length": "length",
    "tell_rights": "rights",
    "runs": "runs",
    "history": "history",
    "undo": "undo",
    "redo": "redo",
    "move_runs": "move runs",
    "export": "export",
    "share": "share",
    "help": "help",
    "vague": "vague",
    "yes": "yes",
    "no": "no",
}
_NAMES: Final = frozenset({"WORKFLOW", "IN_WORKFLOW", "SUBJECT_WORDS"})
_ABOUT: Final = re.compile(
    r"\A(?:(?:with|on|about|for|of) )?(?:the|a|an|my|our) |\A(?:with|on|about|for|of) |\s+(?:works?|go|behave)\s*\??\Z|\b(?:here|now)\s*\??\Z|\?\Z",
    re.IGNORECASE,
)
"""What stands around a topic that is asked about."""
_BEING: Final = re.compile(
    r"\A(?:is|being|set to|as|=|:)\s+|(?:,?\s*(?:please|pls|plz|thanks|thank you|thx|ty))?[.,]?\Z", re.IGNORECASE
)
"""What people put between the name of an argument and its value, and after it."""
_THANKS: Final = re.compile(r"(?:,?\s+(?:please|pls|plz|thanks|thx|thank you))?[.!?,;\s]*\Z", re.IGNORECASE)
"""How a sentence ends; no value does, unless it is quoted."""


def command(tree: Node) -> Command:  # noqa: C901  one line each
    """What is to be done or told, with the names as typed."""
    workflows = tuple(str(leaf.value) for leaf in tree.leaves() if leaf.type in _NAMES)
    if tree.rule in build_manage.RULES:
        return build_manage.command(tree, workflows[0] if workflows else None)
    match tree.rule:
        case "run":
            after, at = _beginning(tree.node("begin"))
            return RunCommand(workflows[0] if workflows else None, arguments_in(tree), after, at)
        case "skip" | "longer_run" | "shorter_run":
            return _of_a_run(tree, workflows)
        case "retry_run":
            if not workflows and find(tree, "spoken") is not None:
                raise NotBuilt("of which workflow, if these are values")
            return RetryCommand(workflows[0] if workflows else None, arguments_in(tree))
        case "backtest":
            version, length = tree.leaf("VERSION"), tree.leaf("DURATION", "UNIT_LENGTH")
            return BacktestCommand(
                workflows[0] if workflows else None,
                None if version is None else whole(version),
                None if length is None else plain_seconds(length),
            )
        case "rename":
            name = tree.node("name")
            leaf = name.leaf("NEW_NAME", "STRING") if name is not None else None
            return RenameCommand(workflows[0] if workflows else None, str(leaf.value) if leaf else "")
        case "status_until":
            return Named("status", workflows, "it")
        case "status" if any(leaf.type == "IT" for leaf in tree.leaves()):
            return Named("status", workflows, "it")
        case "help":
            said = tree.leaf("TEXT")
            topic = said.text if said is not None and not said.quoted else _extra(tree)
            return Named("help", extra=_ABOUT.sub("", str(topic)) or None if topic is not None else None)
        case rule if rule.endswith("_all"):
            return Named(rule.removesuffix("_all"), everything=True)
        case "stop" | "cancel" | "pause" | "resume":
            pointed = any(leaf.type == "IT" for leaf in tree.leaves())
            return Named(_PLAIN[tree.rule], workflows, "it" if pointed else None)
        case _:
            return Named(_PLAIN[tree.rule], workflows, _extra(tree))


def _extra(tree: Node) -> str | int | None:
    for leaf in tree.leaves():
        match leaf.type:
            case "NUMBER" | "VERSION":
                return whole(leaf)
            case "HOW_OFTEN":
                return int(leaf.value)
            case "ONLY" | "FORMAT" | "TEXT":
                return str(leaf.value)
            case _:
                continue
    return None


def _beginning(begin: Node | None) -> tuple[float | None, str | None]:
    """When a run begins: in how many seconds, or at which time of day."""
    if begin is None:
        return None, None
    time = begin.leaf("TIME")
    if time is None:
        return plain_seconds(leaf_of(begin, "DURATION")), None
    minutes = int(time.value)
    return None, f"{minutes // 60:02}:{minutes % 60:02}"


def _of_a_run(tree: Node, workflows: tuple[str, ...]) -> Command:
    """What is wished of a wait that is going on; nothing of it is an edit."""
    workflow = workflows[0] if workflows else None
    resting = tree.node("resting") or tree
    step = resting.leaf("NUMBER", "STRING", "STEP_NAME")
    at: Reference | None = None
    if step is not None:
        at = Numbered(whole(step)) if step.type == "NUMBER" else Called(str(step.value))
    if tree.rule == "skip":
        return SkipCommand(workflow, at)
    seconds = plain_seconds(leaf_of(tree, "DURATION"))
    return ExtendCommand(workflow, seconds if tree.rule == "longer_run" else -seconds, at)


def arguments_in(tree: Node) -> dict[str, JsonValue]:
    """What a run is given, by name.

    Raises:
        MissingPiece: A name is given twice.
    """
    arguments = (tree.node("given") or tree).node("arguments")
    found: dict[str, JsonValue] = {}
    for node in arguments.nodes() if arguments is not None else []:
        if node.rule == "pair":
            name, value = leaf_of(node, "ARGUMENT").value
        elif node.rule == "counted":
            name, value = leaf_of(node, "UNIT").value, str(plain_number(leaf_of(node, "NUMBER").value))  # as typed: x=5
        elif node.rule == "person":
            name, value = "user", leaf_of(node, "PERSON").value
        else:
            name, text = leaf_of(node, "VARIABLE").value, leaf_of(node, "TEXT")
            value = text.value if text.quoted else _THANKS.sub("", _BEING.sub("", str(text.value)))
        if name in found:
            raise MissingPiece(f'"{name}" is given twice. Which one is right?')
        found[str(name)] = value
    return found
