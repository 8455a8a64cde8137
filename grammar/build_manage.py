"""From trees of `manage.lark` to commands about many workflows, copies, templates, and the past."""

from typing import Any, cast

from grammar.drafts import MissingPiece
from grammar.instruction import Past, Sort
from grammar.leaves import NotBuilt, leaf_of, seconds_of, value_of
from grammar.scanners import Days, NoHalf
from grammar.starts import WEEKDAYS
from grammar.syntax import (
    Command,
    CopyCommand,
    CountCommand,
    CounterWish,
    DiffCommand,
    Named,
    RestoreCommand,
    SortCommand,
    TemplateCommand,
)
from grammar.tree import Leaf, Node

RULES = frozenset(
    {
        "copy",
        "from_template",
        "enable_many",
        "disable_many",
        "list_sort",
        "list_using",
        "restore",
        "take_back",
        "diff",
        "counters",
        "count_of",
        "counter_wish",
    }
)


def command(tree: Node, workflow: str | None) -> Command:
    """What one of `RULES` says, about the workflow that was named."""
    match tree.rule:
        case "copy":
            name, typed = _name(tree.node("name")), tree.node("event_command")
            command = None if typed is None else str(value_of(typed, "COMMAND")).lower()
            if name is None and command is not None:
                return CopyCommand(workflow, command.removeprefix("!"), command=command)
            if name is None:
                raise MissingPiece("What should the copy be called?", joint=" as")
            # All that is left of the sentence is its name.
            return CopyCommand(workflow, str(name.value), quoted=True, command=command)
        case "from_template":
            return _from_template(tree)
        case "enable_many" | "disable_many":
            return SortCommand(sort(tree.node("many")), tree.rule == "enable_many")
        case "list_using":
            used = next(cast("Node", tree.node("used")).leaves())
            return SortCommand(Sort(using=str(used.value)))
        case "list_sort":
            return SortCommand(sort(tree))
        case "restore":
            return RestoreCommand(workflow, past(tree))
        case "take_back":
            return Named("take back", () if workflow is None else (workflow,), int(value_of(tree, "VERSION")))
        case "diff":
            return _diff(tree, workflow)
        case "counters" | "count_of" | "counter_wish":
            return _counting(tree)
        case other:
            raise AssertionError(other)


def _counting(tree: Node) -> Command:
    """Counters: what they stand at, or that something should be counted."""
    if tree.rule == "counters":
        return CountCommand()
    if tree.rule == "count_of":
        counter = leaf_of(tree, "COUNTER", "A_COUNT", "ASKED_COUNT")
        return CountCommand(str(counter.value), counter.quoted)
    what = tree.leaf("COUNTER", "COUNTED")
    if what is None:
        return CounterWish(None)
    event = str(what.value) if what.type == "COUNTED" else None
    return CounterWish(what.text if event is not None else str(what.value), event)


def _from_template(tree: Node) -> TemplateCommand:
    template = tree.node("template")
    leaf = (template or tree).leaf("TEMPLATE", "A_TEMPLATE", "NEW_NAME", "STRING")
    if leaf is None:
        raise AssertionError("a template has a name")
    name = _name(tree.node("name"))
    said = str(leaf.value)
    return TemplateCommand(said, None) if name is None else TemplateCommand(said, str(name.value), quoted=True)


def _diff(tree: Node, workflow: str | None) -> DiffCommand:
    since = _past_of(tree)
    versions = [int(leaf.value) for leaf in tree.leaves() if leaf.type == "VERSION"]
    if versions and (since is None or since.leaf("VERSION") is not None):
        return DiffCommand(workflow, min(versions), max(versions) if len(versions) > 1 else None)
    until = tree.node("until")
    last = None if until is None else int(value_of(until, "VERSION"))
    return DiffCommand(workflow, None if since is None else past(tree), last)


def _name(node: Node | None) -> Leaf | None:
    return None if node is None else node.leaf("NEW_NAME", "STRING")


def sort(node: Node | None) -> Sort:
    """Which workflows are meant."""
    if node is None:
        return Sort()
    said = node.node("sort")
    only = node.leaf("ONLY")
    state: Any = None if only is None else str(only.value)
    if said is None:
        return Sort(state)
    tag, start = said.leaf("TAG", "STRING", "NEW_NAME"), said.leaf("SORT", "EVENT")
    twice = len(list(said.leaves())) > (tag is not None) + (start is not None)
    if twice:
        raise NotBuilt("one tag and one sort of start can be said at a time")
    return Sort(state, None if tag is None else str(tag.value), None if start is None else str(start.value))


# The past ----------------------------------------------------------------------------------------------------------------


def past(tree: Node) -> int | Past:
    """A version, or a moment that has been."""
    node = _past_of(tree)
    if node is None:
        raise AssertionError("it is said when")
    version = node.leaf("VERSION")
    if version is not None:
        return int(version.value)
    inner = node.node() or node
    match inner.rule:
        case "yesterday":
            return Past(yesterday=True)
        case "ago":
            return Past(seconds=seconds_of(cast("Leaf", inner.leaf("DURATION"))))
        case "past_time":
            return Past(time=_clock(inner))
        case "past_day":
            return Past(weekday=_weekday(cast("Leaf", inner.leaf("DAYS")).value))
        case "past_date":
            time = _clock(inner) if inner.leaf("TIME") is not None else None
            return Past(date=str(cast("Leaf", inner.leaf("DATE")).value), time=time)
        case other:
            raise AssertionError(other)


def _weekday(days: Days) -> str:
    if days != Days(weekday=days.weekday) or not days.weekday.isdecimal():
        raise NotBuilt("say one day, such as monday, or a date, such as 2026-11-20")
    return WEEKDAYS[int(days.weekday)]


def _past_of(tree: Node) -> Node | None:
    return tree.node("past", "yesterday", "ago", "past_time", "past_date", "past_day")


def _clock(node: Node) -> str:
    minutes = cast("Leaf", node.leaf("TIME")).value
    if isinstance(minutes, NoHalf):
        raise NotBuilt("say in which half of the day, such as 20:00")
    return f"{int(minutes) // 60:02}:{int(minutes) % 60:02}"
