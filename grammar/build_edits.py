"""From trees of edits to what they say, where they hold steps of their own or lead to one.

Which workflow is meant is the caller's matter, and nothing is looked up in one. Edits made of nothing but their own words
are built by `grammar.build_changes`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.formulas import Formula
from engine.model import State, Wait
from grammar import build_heading, build_policies
from grammar.build_changes import CHANGES
from grammar.build_references import (
    by_number,
    event_in,
    first_in,
    is_bare,
    named_place,
    old_in,
    position_in,
    quoted_part,
    reference_in,
    value_in,
)
from grammar.build_steps import StepBuilder
from grammar.drafts import Draft, MissingPiece
from grammar.leaves import NotBuilt, leaf_of, plain_seconds, value_of
from grammar.phrases import Phrase
from grammar.starts import BY_THE_CLOCK
from grammar.syntax import (
    Add,
    Alter,
    Become,
    Catch,
    Contrast,
    EditSyntax,
    Head,
    It,
    Kind,
    Lead,
    MoreDays,
    OfKind,
    Position,
    Reference,
    Start,
    Substitute,
    Wish,
    Words,
)
from grammar.tree import Node, find
from grammar.words import quoted

_NO_REFERENCE: Final = frozenset({"caught", "caught_new", "edge", "in", "workflow"})
_NAMES_A_DEED: Final = re.compile(r"(?:an?|the) \w+ (?:saying|that says|of|with|called)\b|raid \S+\Z", re.IGNORECASE)
"""Words that are rather a step than a text: `an announcement saying hi`, `raid ninja`."""


class EditBuilder:
    """Builds edits; their steps are handed on to the builder of steps.

    Args:
        by_rule: The phrase of each generated rule (`Driver.phrases.by_rule`).
        read_steps: Reads words as steps, where an edit may hold either.
    """

    def __init__(self, by_rule: Mapping[str, Phrase], read_steps: Callable[[str], Node | None]) -> None:
        self._steps = StepBuilder(by_rule)
        self._by_rule = by_rule
        self._read_steps = read_steps
        self._targets = StepBuilder(by_rule, by_number)

    def edit(self, node: Node) -> EditSyntax:
        """What one edit says."""
        if node.rule in CHANGES:
            return CHANGES[node.rule](node)
        builder = _EDITS.get(node.rule)
        if builder is None:
            raise AssertionError(node.rule)
        return builder(self, node)

    def add(self, node: Node) -> EditSyntax:
        """Steps, and where they go."""
        return Add(self._all_steps(node), position_in(node))

    def add_at_end(self, node: Node) -> EditSyntax:
        """`begin with ...`, `end it with ...`."""
        return Add(self._all_steps(node), Position("start" if node.rule == "add_first" else "end"))

    def add_said(self, node: Node) -> EditSyntax:
        """Steps and nothing else; a check after which the rest goes on comes first."""
        first = find(node, "choose") or find(node, "choose_unless")
        is_check = first is not None and first.node("otherwise_nothing") is not None
        steps = self._all_steps(node)
        return Add(steps, Position("start") if is_check and len(steps) == 1 else None)

    def add_gap_filled(self, node: Node) -> EditSyntax:
        """`add an announcement between 2 and 3: last chance`: a step by its noun, and its text; perhaps after a wait."""
        gap = node.node("gap")
        noun = gap.leaf("NOUN") if gap is not None else None
        text = leaf_of(node, "TEXT")
        for lead in ("a", "an"):
            steps = self._read_steps(f"{lead} {noun.text if noun is not None else ''} saying {quoted(str(text.value))}")
            if steps is not None:
                return Add((*_wait_of(node), *self._steps.steps(steps)), position_in(node))
        raise NotBuilt("say what that step does")

    def add_before(self, node: Node) -> EditSyntax:
        """`the role should come 10 minutes later`."""
        return Add(_wait_of(node), Position("before", (reference_in(first_in(node)),)))

    def wish(self, node: Node) -> EditSyntax:
        """`raid should wait a minute`."""
        old = old_in(node)
        return Wish(self._all_steps(node)) if old is None else Contrast(self._all_steps(node), old)

    def wish_there(self, node: Node) -> EditSyntax:
        """`go live should switch to brb at the end`, perhaps instead of what it shows now."""
        old = old_in(node)
        steps, position = self._all_steps(node), position_in(node)
        return Add(steps, position) if old is None else Contrast(steps, old, position)

    def substitute(self, node: Node) -> EditSyntax:
        """A step and what comes in its place."""
        same = node.rule == "substitute_there"
        return Substitute(reference_in(first_in(node)), self._all_steps(node), same)

    def substitute_quoted(self, node: Node) -> EditSyntax:
        """In the place of a step quotes only delimit: `replace step 2 with "say bye"`."""
        written = leaf_of(node, "STRING")
        steps = self._read_steps(str(written.value))
        if steps is None:
            meant = first_in(node)
            return Alter(reference_in(meant), Words(str(written.value), quoted=True), part=quoted_part(meant))
        return Substitute(reference_in(first_in(node)), (*self._steps.steps(steps), *self._all_steps(node)))

    def become(self, node: Node) -> EditSyntax:
        """A step and what it does now."""
        steps = [self._steps.steps(each) for each in node.nodes("steps")]
        return Become(reference_in(first_in(node)), steps[-1], steps[0] if len(steps) == 2 else ())

    def become_said(self, node: Node) -> EditSyntax:
        """`step 2: say bye`; the last step may as well be one more."""
        ordinal = find(first_in(node), "ordinal")
        last = ordinal is not None and ordinal.leaf("NOUN") is None and value_of(ordinal, "ORDINAL") == "-1"
        return Become(reference_in(first_in(node)), self._all_steps(node), is_open=last)

    def become_in_step(self, node: Node) -> EditSyntax:
        """`in step 4 switch to Gameplay`, `in the last step say bye`."""
        return Become(reference_in(node.nodes()[0]), self._all_steps(node), old=old_in(node))

    def become_from(self, node: Node) -> EditSyntax:
        """`step 2 should wait 20 seconds, not 30`."""
        return Become(reference_in(first_in(node)), self._all_steps(node), old=old_in(node))

    def alter(self, node: Node) -> EditSyntax:
        """A step and a value, perhaps with the one it had; a step in the place of a value takes its place."""
        parts = [child for child in node.nodes() if child.rule not in ("in", "param_of", "old")]
        param = node.node("param_of")
        leaf = param.leaf("PARAM") if param is not None else None
        value = value_in(parts[-1])
        if leaf is None and isinstance(value, Words) and value.type == "text" and not value.quoted:
            steps = self._read_steps(value.text) if _NAMES_A_DEED.match(value.text) else None
            if steps is not None:
                return Become(reference_in(parts[0]), self._steps.steps(steps))
        reference = reference_in(parts[0])
        named = str(leaf.value) if leaf is not None else None
        return Alter(reference, value, named, old_in(node), quoted_part(parts[0]))

    def answer(self, node: Node) -> EditSyntax:
        """`add Tetris as a third option`: one more thing where several are listed, or one less."""
        keys = frozenset(phrase.method.key for phrase in self._by_rule.values() if any(p.several for p in phrase.slots))
        inner = node.node("answer")
        leaves = list(inner.leaves()) if inner is not None else [leaf_of(node, "TEXT")]
        said = " ".join(leaf.text if leaf.type == "VARIABLE" else str(leaf.value) for leaf in leaves)
        kind = OfKind(Kind("poll", keys))
        return Alter(kind, Words(said, True, "text"), listed="more" if node.rule == "answer_more" else "less")

    def alter_verbless(self, node: Node) -> EditSyntax:
        """`the wait 10 seconds`."""
        if _is_a_step_itself(node):
            raise NotBuilt('say "the" before it, if that is a step there is')
        return self.alter(node)

    def alter_named(self, node: Node) -> EditSyntax:
        """`the thread should be called Feedback`; `raid should be called x` is about the workflow."""
        if is_bare(first_in(node)) or isinstance(reference_in(first_in(node)), It):
            raise NotBuilt('say "the" before it, if that is a step there is')
        return self.alter(node)

    def alter_contrast(self, node: Node) -> EditSyntax:
        """`switch to BRB instead of ending`, `play airhorn instead of the wait`."""
        return Contrast(self._all_steps(node), old_in(node), position_in(node))

    def lead(self, node: Node) -> EditSyntax:
        """Where a step leads on an event."""
        target = node.node("target_step", "target_ways")
        edge = node.node("edge")
        return Lead(reference_in(first_in(node)), event_in(edge) if edge is not None else "error", self._ways(target))

    def start(self, node: Node) -> EditSyntax:
        """What starts the workflow."""
        modes = {
            "also": "add",
            "also_days": "add",
            "only": "only",
            "by_hand": "only",
            "no_longer": "remove",
            "timed": "timed",
            "timed_run": "timed",
            "other": "other",
            "other_instead": "other",
        }
        if node.rule == "as_often":
            return Start("scaled", factor=float(value_of(node, "AS_OFTEN")))
        if node.rule == "rarer":
            raise MissingPiece("How often? Such as: every 45 minutes.", joint=":")
        mode: Any = modes[node.rule]
        days = node if node.rule == "also_days" else find(node, "some_time")
        if mode == "add" and days is not None:
            return MoreDays(build_policies.weekdays(days))
        triggers = find(node, "triggers")
        if triggers is not None:
            limits = any(leaf.type == "ONCE_A" for leaf in triggers.leaves())
            once = mode == "timed" and any(_is_one_time(each) for each in triggers.nodes("trigger"))
            said = self._steps.all_triggers(triggers)
            if node.rule == "timed_run" and any(trigger.on not in BY_THE_CLOCK for trigger in said):
                raise NotBuilt("a step that runs it is meant")
            return Start(mode, said, limits, once)
        if mode == "other":
            return self._other(node)
        events = [each for each in node.nodes() if each.rule.startswith("event")]
        return Start(mode, self._steps.all_triggers(Node("triggers", list(events))))

    def _other(self, node: Node) -> EditSyntax:
        """`make it !away`, `rename !lurk to !away`: another command, reward or emoji than the one that starts it now."""
        said = node.node("a_start")
        if said is not None:
            _of_the_workflow(node)
        reward = node.leaf("REWARD")
        events = [each for each in node.nodes() if each.rule.startswith("event")]
        found = [*(said.nodes() if said is not None else []), *reversed(events)]
        if reward is not None:
            found = [Node("event_reward", [reward])]
        new, *before = (self._steps.all_triggers(Node("triggers", [each]))[0] for each in found)
        return Start("other", (new,), before=before[0] if before else None, instead=node.rule == "other_instead")

    def head(self, node: Node) -> EditSyntax:
        """A line of the heading."""
        if node.rule == "head_on_error":
            ways = self._ways(node.node("target_step", "target_ways"))
            return Head("on_error", ways[0][1] if ways else None)
        return build_heading.heading(node)

    def handle(self, node: Node) -> EditSyntax:
        """What is done when a step fails, or any."""
        caught = node.node("caught", "caught_new") or node
        new = caught.rule == "caught_new"
        steps = caught.node("steps")
        drafts = self._targets.steps(steps) if steps is not None else ()
        # "stop" is how it ends by itself; it is kept where steps of their own are meant.
        rest = drafts if new else build_heading.without_stop(drafts)
        if not rest or (not new and build_heading.only_jumps(rest)):
            raise NotBuilt("nothing is done there but going elsewhere")
        edge, said = node.node("edge"), node.leaf("EDGE_SO")
        event = event_in(edge) if edge is not None else str(said.value) if said is not None else "error"
        reference = next((each for each in node.nodes() if each.rule not in _NO_REFERENCE), None)
        return Catch(
            rest,
            None if reference is None else reference_in(reference),
            event,
            True if caught.node("ending") is not None else False if len(rest) < len(drafts) else None,
            new,
        )

    def _all_steps(self, node: Node) -> tuple[Draft, ...]:
        steps = node.node("steps")
        return self._steps.steps(steps) if steps is not None else ()

    def _ways(self, target: Node | None) -> tuple[tuple[Formula | None, Reference], ...]:
        if target is None:
            return ()
        meant = self._targets.target(target)
        if isinstance(meant, str):
            return ((None, named_place(meant)),)
        return tuple((way.when, named_place(way.to)) for way in meant)


def _of_the_workflow(node: Node) -> None:
    """Refuses a step: `make step 2 !away` is about none that a command starts."""
    refs = next(
        (each for each in node.nodes() if each.rule not in ("a_start", "in") and not each.rule.startswith("event")),
        None,
    )
    if refs is not None and not isinstance(reference_in(refs), It):
        raise NotBuilt("a command starts a workflow, and no step")


def _wait_of(node: Node) -> tuple[Draft, ...]:
    """The wait of the length that a node names, if it names one."""
    length = node.leaf("DURATION")
    return () if length is None else (Draft(State(name="wait", action=Wait(seconds=plain_seconds(length)))),)


def _is_one_time(trigger: Node) -> bool:
    """`at 20:00`: today, or every day."""
    said = trigger.node("at_days")
    return said is not None and [leaf.type for leaf in said.leaves()] == ["TIME"]


def is_rather_steps(tree: Node) -> bool:
    """Whether what reads as a change without a verb is a step as it stands: `wait 10 seconds`, not `the wait 10 seconds`."""
    return any(node.rule == "alter_verbless" and _is_a_step_itself(node) for node in tree.nodes())


def _is_a_step_itself(verbless: Node) -> bool:
    """`wait 10 seconds`, and not `slow mode 30s`, which begins no step."""
    kind = find(first_in(verbless), "kind") if is_bare(first_in(verbless)) else None
    noun = kind.leaf("NOUN") if kind is not None else None
    return noun is not None and (" " not in noun.text or "wait" in noun.value.keys)


_Builder = Callable[[EditBuilder, Node], EditSyntax]
_I = EditBuilder
_EDITS: Final[Mapping[str, _Builder]] = {
    "add": _I.add,
    "ambient_steps": _I.add_said,
    "add_first": _I.add_at_end,
    "add_last": _I.add_at_end,
    "substitute": _I.substitute,
    "substitute_there": _I.substitute,
    "wish_there": _I.wish_there,
    "wish_instead": _I.alter_contrast,
    "substitute_quoted": _I.substitute_quoted,
    "become": _I.become,
    "become_new": _I.become,
    "become_said": _I.become_said,
    "alter": _I.alter,
    "wish": _I.wish,
    "add_gap_filled": _I.add_gap_filled,
    "add_before": _I.add_before,
    "become_in_step": _I.become_in_step,
    "become_from": _I.become_from,
    "alter_verbless": _I.alter_verbless,
    "alter_named": _I.alter_named,
    "answer_more": _I.answer,
    "answer_less": _I.answer,
    "alter_contrast": _I.alter_contrast,
    "alter_like": _I.alter_contrast,
    "lead": _I.lead,
    "lead_nowhere": _I.lead,
    "also": _I.start,
    "also_days": _I.start,
    "only": _I.start,
    "other": _I.start,
    "other_instead": _I.start,
    "by_hand": _I.start,
    "no_longer": _I.start,
    "timed": _I.start,
    "timed_run": _I.start,
    "rarer": _I.start,
    "as_often": _I.start,
    "handle": _I.handle,
    **dict.fromkeys(
        (
            "head_name",
            "head_description",
            "head_no_description",
            "head_version",
            "head_no_version",
            "head_tags",
            "head_no_tags",
            "head_tag",
            "head_untag",
            "head_policy",
            "head_rule",
            "head_rule_of",
            "head_variable",
            "variable_more",
            "variable_needed",
            "head_no_variable",
            "head_rounds",
            "head_usual_rounds",
            "head_start",
            "head_on_error",
            "head_no_on_error",
            "head_timeout",
            "head_no_timeout",
        ),
        _I.head,
    ),
}
