"""From the tree of an instruction to its abstract syntax: one small function for each rule, no workflow in sight."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import JsonValue, TypeAdapter

from engine.formulas import And, Compare, Formula, Literal, Not, Variable
from engine.model import Retry, Run, State, Trigger, Wait
from grammar import build_heading, build_manage, build_policies
from grammar.build_blocks import times
from grammar.build_conditions import IS_A_BOT, condition_in, opposite
from grammar.build_steps import StepBuilder
from grammar.drafts import Draft, MissingPiece
from grammar.leaves import NotBuilt, plain_number, with_unit
from grammar.phrases import Phrase
from grammar.syntax import (
    About,
    Add,
    Again,
    Alter,
    BacktestCommand,
    Become,
    Bound,
    By,
    Called,
    CarryOn,
    Catch,
    Command,
    Contrast,
    Drop,
    DryRunCommand,
    Duration,
    Edits,
    EditSyntax,
    Exchange,
    ExtendCommand,
    Forget,
    Head,
    Hold,
    It,
    Kind,
    Lead,
    Named,
    Nested,
    New,
    Numbered,
    OfKind,
    Position,
    Reference,
    RenameCommand,
    RetryCommand,
    RunCommand,
    Saying,
    Several,
    Shift,
    SkipCommand,
    Span,
    Start,
    Substitute,
    SupposeCommand,
    Together,
    Value,
    Wish,
    Words,
    Wrap,
)
from grammar.tree import Leaf, Node

ANY_STEP: Final = Kind("step")
WITH_THAT: Final = OfKind(ANY_STEP)
"""The step that has the value which is to be another."""
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
    "runs": "runs",
    "history": "history",
    "undo": "undo",
    "redo": "redo",
    "move_runs": "move runs",
    "export": "export",
    "help": "help",
    "vague": "vague",
    "yes": "yes",
    "no": "no",
}
_TIMES: Final = frozenset({"schedule.fired", "interval.elapsed"})


class InstructionBuilder:
    """Builds commands; steps and triggers are handed on to their own builder."""

    def __init__(self, by_rule: Mapping[str, Phrase], read_steps: Callable[[str], Node | None]) -> None:
        self._steps = StepBuilder(by_rule)
        self._read_steps = read_steps
        self._targets = StepBuilder(by_rule, _by_number)

    def build(self, tree: Node) -> Command:
        """The command a tree of one of the three families says."""
        match tree.rule:
            case "new_named" | "new_unnamed":
                return self._new(tree)
            case "edit":
                return self._edits(tree)
            case "test":
                return self._dry_run(tree)
            case "suppose":
                return SupposeCommand(*self._supposed(tree))
            case _:
                return _manage(tree)

    # Trying ----------------------------------------------------------------------------------------------------------------

    def _dry_run(self, tree: Node) -> DryRunCommand:
        """`test raid`, with what it is tried with and what happens meanwhile."""
        workflow = _find(tree, "workflow")
        named = None if workflow is None else str(_leaf(workflow, "WORKFLOW").value)
        event, fields = self._tried(tree)
        parts = ("subject", "cue", "arguments", "event")
        failing = next((child for child in tree.nodes() if child.rule.split("_")[0] not in parts), None)
        later = []
        for cue in tree.nodes("cue"):
            happening, given = self._tried(cue)
            later.append((_seconds(_leaf(cue, "DURATION")), happening or "", given))
        return DryRunCommand(named, event, fields, None if failing is None else _reference(failing), tuple(later))

    def _supposed(self, tree: Node) -> tuple[str, dict[str, JsonValue]]:
        event, fields = self._tried(tree)
        if event is None:
            raise NotBuilt("if what happens?")
        return event, fields

    def _tried(self, node: Node) -> tuple[str | None, dict[str, JsonValue]]:
        """An event and its fields; what its words say of a field counts unless the field is given."""
        given = _arguments(node)
        said = next((child for child in node.nodes() if child.rule.startswith("event")), None)
        if said is None:
            return None, given
        trigger = self._steps.trigger(Node("trigger", [said]))
        return trigger.on, {**_holding(trigger.when), **given}

    # Making ----------------------------------------------------------------------------------------------------------------

    def _new(self, tree: Node) -> New:
        named = _find(tree, "named")
        name = named.node("name") if named is not None else None
        leaf = name.leaf("NEW_NAME", "STRING") if name is not None else None
        triggers = _find(tree, "triggers")
        steps = _find(tree, "steps")
        whoever, late = _find(tree, "for_whoever"), _find(tree, "after_a_while")
        starting = triggers or late
        started = self._triggers(starting) if starting is not None else ()
        if whoever is not None:
            started = (Trigger(on=str(_leaf(whoever, "WHOEVER", "WHO_DOES", "WHO").value)),)
        drafts = self._drafts(steps) if steps is not None else ()
        either = _find(tree, "either_way")
        if either is not None:
            started, drafts = self._either_way(either, started, drafts)
        if _is_about_a_run(tree, started, drafts):
            raise NotBuilt("when another workflow runs is said of that one, such as: run raid every day at 19:00")
        return New(
            str(leaf.value) if leaf is not None else None,
            started,
            (*self._wait_before(tree), *drafts),
            quoted=leaf is not None and leaf.quoted,
        )

    def _either_way(
        self, node: Node, started: tuple[Trigger, ...], drafts: tuple[Draft, ...]
    ) -> tuple[tuple[Trigger, ...], tuple[Draft, ...]]:
        """`when someone cheers at least 100 bits say wow, otherwise say thanks`: it starts in any case, and chooses then."""
        if len(started) != 1 or started[0].when is None:
            raise NotBuilt('"otherwise" needs a condition before it, such as: if viewers > 5 say hi, otherwise say bye')
        measured = any(_find(node, rule) is not None for rule in ("measure", "event_command", "event_reward"))
        counted, chosen = _apart(started[0].when) if measured else (None, started[0].when)
        choice = self._steps.choice(chosen, drafts, node)
        return (started[0].model_copy(update={"when": counted}),), (choice,)

    def _wait_before(self, tree: Node) -> tuple[Draft, ...]:
        """`10 seconds after a raid say hi` waits first."""
        late = _find(tree, "after_a_while")
        if late is None:
            return ()
        return (Draft(State(name="wait", action=Wait(seconds=_seconds(_leaf(late, "DURATION"))))),)

    def _drafts(self, steps: Node) -> tuple[Draft, ...]:
        return self._steps.steps(steps)

    def _triggers(self, triggers: Node) -> tuple[Trigger, ...]:
        """Every trigger of a list; after "or" the event may stand alone."""
        found: list[Trigger] = []
        for node in triggers.nodes():
            if node.rule == "trigger":
                found.extend(self._steps.triggers(node))
            elif node.rule.startswith("event"):
                found.extend(self._steps.triggers(Node("trigger", [node])))
        return tuple(found)

    def _ways(self, target: Node | None) -> tuple[tuple[Formula | None, Reference], ...]:
        if target is None:
            return ()
        meant = self._targets.target(target)
        if isinstance(meant, str):
            return ((None, named_place(meant)),)
        return tuple((way.when, named_place(way.to)) for way in meant)

    # Changing --------------------------------------------------------------------------------------------------------------

    def _edits(self, tree: Node) -> Command:
        """Changes, each of the workflow it names, or that the one before it named."""
        meant: list[Edits] = []
        workflow: str | None = None
        scope: str | None = None
        for node in tree.nodes():
            if node.rule == "in_workflow":
                scope = workflow = _names_workflow(node)
                continue
            named = _names_workflow(node)
            if named is not None and scope not in (None, named):
                raise MissingPiece("Which of the two workflows do you mean?")
            scope, workflow = None, named or workflow
            edit = self._edit(node)
            if meant and meant[-1].workflow == workflow:
                meant[-1] = Edits((*meant[-1].edits, edit), workflow)
            else:
                meant.append(Edits((edit,), workflow))
        return meant[0] if len(meant) == 1 else Together(tuple(meant))

    def _edit(self, node: Node) -> EditSyntax:
        builder = _EDITS.get(node.rule)
        if builder is None:
            raise AssertionError(node.rule)
        return builder(self, node)

    def add(self, node: Node) -> EditSyntax:
        """Steps, and where they go."""
        return Add(self._all_steps(node), _position(node))

    def add_at_end(self, node: Node) -> EditSyntax:
        """`begin with ...`, `end it with ...`."""
        return Add(self._all_steps(node), Position("start" if node.rule == "add_first" else "end"))

    def add_said(self, node: Node) -> EditSyntax:
        """Steps and nothing else; a check after which the rest goes on comes first."""
        first = _find(node, "choose") or _find(node, "choose_unless")
        is_check = first is not None and first.node("otherwise_nothing") is not None
        steps = self._all_steps(node)
        return Add(steps, Position("start") if is_check and len(steps) == 1 else None)

    def add_gap(self, node: Node) -> EditSyntax:
        """`add a wait`: something is missing."""
        gap = node.node("gap")
        noun = gap.leaf("NOUN") if gap is not None else None
        raise _missing(noun, node)

    def add_nothing(self, node: Node) -> EditSyntax:
        """`add`: everything is missing."""
        raise MissingPiece("What should be added?")

    def _all_steps(self, node: Node) -> tuple[Draft, ...]:
        steps = node.node("steps")
        return self._drafts(steps) if steps is not None else ()

    def add_gap_filled(self, node: Node) -> EditSyntax:
        """`add an announcement between 2 and 3: last chance`: a step by its noun, and its text."""
        gap = node.node("gap")
        noun = gap.leaf("NOUN") if gap is not None else None
        text = _leaf(node, "TEXT")
        for lead in ("a", "an"):
            steps = self._read_steps(
                f"{lead} {noun.text if noun is not None else ''} saying {_quoted(str(text.value))}"
            )
            if steps is not None:
                return Add(self._drafts(steps), _position(node))
        raise NotBuilt("say what that step does")

    def wish(self, node: Node) -> EditSyntax:
        """`raid should wait a minute`."""
        old = _old(node)
        return Wish(self._all_steps(node)) if old is None else Contrast(self._all_steps(node), old)

    def gripe(self, node: Node) -> EditSyntax:
        """`the wait is too long, ...`."""
        return About(_reference(_first(node)))

    def drop(self, node: Node) -> EditSyntax:
        """Steps to take out."""
        kept = node.node("kept", "kept_ordinal")
        reference = _reference(_first(node))
        if kept is None:
            return Drop(reference)
        if kept.rule == "kept_ordinal":
            kind = reference.kind if isinstance(reference, OfKind) else ANY_STEP
            return Drop(reference, OfKind(kind, int(_leaf(kept, "ORDINAL").value)))
        return Drop(reference, _reference(kept.nodes()[0]))

    def shift(self, node: Node) -> EditSyntax:
        """A step and where it goes."""
        number, upwards = node.leaf("NUMBER"), node.leaf("UPWARDS")
        if upwards is not None:
            up_or_down: Any = upwards.value
            return Shift(_reference(_first(node)), Position(up_or_down))
        position = Position("number", number=_whole(number)) if number is not None else _position(node)
        return Shift(_reference(_first(node)), position or Position("end"))

    def shift_nowhere(self, node: Node) -> EditSyntax:
        """`move the wait`: the place is missing."""
        raise MissingPiece("Where should it go?")

    def exchange(self, node: Node) -> EditSyntax:
        """Two steps."""
        return Exchange(_reference(_first(node)))

    def substitute(self, node: Node) -> EditSyntax:
        """A step and what comes in its place."""
        return Substitute(_reference(_first(node)), self._all_steps(node))

    def substitute_nothing(self, node: Node) -> EditSyntax:
        """`replace step 2`: what comes instead is missing."""
        raise MissingPiece("What should it do instead?", joint=" with")

    def substitute_quoted(self, node: Node) -> EditSyntax:
        """In the place of a step quotes only delimit: `replace step 2 with "say bye"`."""
        written = _leaf(node, "STRING")
        steps = self._read_steps(str(written.value))
        if steps is None:
            return Alter(_reference(_first(node)), Words(str(written.value), quoted=True))
        return Substitute(_reference(_first(node)), (*self._drafts(steps), *self._all_steps(node)))

    def become(self, node: Node) -> EditSyntax:
        """A step and what it does now."""
        steps = [self._drafts(each) for each in node.nodes("steps")]
        return Become(_reference(_first(node)), steps[-1], steps[0] if len(steps) == 2 else ())

    def wrap(self, node: Node) -> EditSyntax:
        """Steps and the block they go into."""
        reference = _reference(_first(node))
        inner = node.node("wrap_if", "wrap_unless", "wrap_again", "wrap_rounds") or node
        match inner.rule:
            case "wrap_beside":
                return Wrap(reference, beside=True)
            case "wrap_for":
                return Wrap(reference, when=build_policies.of_roles(inner))
            case "wrap_again":
                return Wrap(reference, times=times(inner.nodes("times", "twice")[0]))
            case "wrap_rounds":
                rounds = inner.nodes()[0]
                held = condition_in(rounds)
                return Wrap(reference, holds=held if held is None or rounds.rule == "while_holds" else opposite(held))
            case rule:
                said = condition_in(inner)
                if said is None:
                    raise AssertionError(rule)
                return Wrap(reference, when=said if rule == "wrap_if" else opposite(said))

    def become_in_step(self, node: Node) -> EditSyntax:
        """`in step 4 switch to Gameplay`."""
        return Become(Numbered(_whole(node.leaf("NUMBER"))), self._all_steps(node))

    def alter(self, node: Node) -> EditSyntax:
        """A step and a value, perhaps with the one it had; a step in the place of a value takes its place."""
        parts = [child for child in node.nodes() if child.rule not in ("in", "param_of", "old")]
        param = node.node("param_of")
        leaf = param.leaf("PARAM") if param is not None else None
        value = _value(parts[-1])
        if leaf is None and isinstance(value, Words) and value.type == "text" and not value.quoted:
            steps = self._read_steps(value.text) if _NAMES_A_DEED.match(value.text) else None
            if steps is not None:
                return Become(_reference(parts[0]), self._drafts(steps))
            value = replace(value, text=_SAID_TO_BE.sub("", value.text))
        return Alter(_reference(parts[0]), value, str(leaf.value) if leaf is not None else None, _old(node))

    def alter_verbless(self, node: Node) -> EditSyntax:
        """`the wait 10 seconds`."""
        if _is_a_step_itself(node):
            raise NotBuilt('say "the" before it, if that is a step there is')
        return self.alter(node)

    def alter_text(self, node: Node) -> EditSyntax:
        """`make it "hey"`."""
        return Alter(_reference(_first(node)), Words(str(_leaf(node, "STRING").value), quoted=True))

    def alter_new(self, node: Node) -> EditSyntax:
        """`new announcement text: bye`."""
        noun, text = _leaf(node, "NOUN"), _leaf(node, "TEXT")
        kind = noun.value if isinstance(noun.value, Kind) else ANY_STEP
        return Alter(OfKind(kind), Words(str(text.value), text.quoted, "text"))

    def alter_from(self, node: Node) -> EditSyntax:
        """`change the wait from 10 to 20 seconds`."""
        reference, old, value = (child for child in node.nodes() if child.rule != "in")
        return Alter(_reference(reference), _value(value), None, _old_value(old))

    def alter_channel(self, node: Node) -> EditSyntax:
        """A step and where it posts."""
        channel = _leaf(node, "CHANNEL")
        return Alter(_reference(_first(node)), Words(str(channel.value), channel.quoted, "channel"), None, _old(node))

    def alter_contrast(self, node: Node) -> EditSyntax:
        """`switch to BRB instead of ending`, `play airhorn instead of the wait`."""
        return Contrast(self._all_steps(node), _old(node))

    def alter_value(self, node: Node) -> EditSyntax:
        """`use BRB rather than ending`, `not ending, BRB`."""
        old = _old(node)
        if old is None:
            raise AssertionError(node.rule)
        value = next(child for child in node.nodes() if child.rule != "old")
        return Alter(WITH_THAT, _value(value), None, old)

    def alter_bare(self, node: Node) -> EditSyntax:
        """`10 seconds longer`: the wait, as nothing else has a length to be changed."""
        return Alter(OfKind(Kind("wait", frozenset({"wait"}))), _value(node.nodes()[0]))

    def alter_enough(self, node: Node) -> EditSyntax:
        """`the wait is too long, 10 seconds is enough`: what was just talked about."""
        return Alter(It(), _value(node.nodes()[0]))

    def alter_by(self, node: Node) -> EditSyntax:
        """`extend the wait by 5 seconds`."""
        duration = node.leaf("DURATION")
        direction: Any = "longer" if node.rule == "alter_longer" else "shorter"
        return Alter(_reference(_first(node)), By(_seconds(duration) if duration else None, None, direction))

    def alter_scaled(self, node: Node) -> EditSyntax:
        """`double the wait`."""
        scale, reference = node.nodes()[:2]
        return Alter(_reference(reference), _value(scale))

    def lead(self, node: Node) -> EditSyntax:
        """Where a step leads on an event."""
        target = node.node("target_step", "target_ways")
        edge = node.node("edge")
        return Lead(_reference(_first(node)), _event(edge) if edge is not None else "error", self._ways(target))

    def bound(self, node: Node) -> EditSyntax:
        """A time limit of a step."""
        duration = node.leaf("DURATION")
        return Bound(_reference(_first(node)), _seconds(duration) if duration is not None else None)

    def again(self, node: Node) -> EditSyntax:
        """How a step is tried again."""
        inner = node.node("again_on") or node
        reference = _reference(next(each for each in inner.nodes() if each.rule not in ("in", "times")))
        json = inner.leaf("JSON")
        if json is not None:
            return Again(reference, TypeAdapter(Retry).validate_python(json.value))
        number = (inner.node("often") or inner).leaf("NUMBER", "HOW_OFTEN")
        delay = inner.leaf("DURATION")
        if number is None:
            return Again(reference, None)
        tries = _whole(number) + 1
        return Again(
            reference,
            Retry(max_attempts=tries, delay_seconds=_seconds(delay)) if delay else Retry(max_attempts=tries),
        )

    def carry_on(self, node: Node) -> EditSyntax:
        """Whether a failure of a step is passed over."""
        return CarryOn(_reference(_first(node)), node.rule == "stop_if")

    def start(self, node: Node) -> EditSyntax:
        """What starts the workflow."""
        mode: Any = {"also": "add", "only": "only", "by_hand": "only", "no_longer": "remove"}[node.rule]
        triggers = _find(node, "triggers")
        if triggers is not None:
            return Start(mode, self._triggers(triggers))
        events = [each for each in node.nodes() if each.rule.startswith("event")]
        return Start(mode, self._triggers(Node("triggers", list(events))))

    def hold(self, node: Node) -> EditSyntax:
        """What has to hold for a start."""
        match node.rule:
            case "guard":
                return Hold(condition_in(node))
            case "guard_not":
                found = condition_in(node)
                return Hold(None if found is None else opposite(found))
            case "guard_bots":
                return Hold(Not(IS_A_BOT))
            case "guard_roles":
                return Hold(build_policies.without_roles(node))
            case "guard_days" | "guard_no_days":
                return Hold(days=build_policies.weekdays(node), only=node.rule == "guard_days")
            case _:
                return Hold()

    def forget(self, node: Node) -> EditSyntax:
        """What no longer starts it."""
        event = node.leaf("EVENT")
        return Forget(None if event is None else str(event.value), node.rule == "no_triggers")

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
        event = _event(edge) if edge is not None else str(said.value) if said is not None else "error"
        reference = next((each for each in node.nodes() if each.rule not in _NO_REFERENCE), None)
        return Catch(
            rest,
            None if reference is None else _reference(reference),
            event,
            True if caught.node("ending") is not None else False if len(rest) < len(drafts) else None,
            new,
        )


def is_rather_steps(tree: Node) -> bool:
    """Whether what reads as a change without a verb is a step as it stands: `wait 10 seconds`, not `the wait 10 seconds`."""
    return any(node.rule == "alter_verbless" and _is_a_step_itself(node) for node in tree.nodes())


def _is_a_step_itself(verbless: Node) -> bool:
    reference = _first(verbless).nodes()[0]
    parts = reference.nodes() if reference.rule == "several" else []
    return len(parts) == 1 and parts[0].rule == "kind" and parts[0].leaf("THE") is None


def _apart(guard: Formula) -> tuple[Formula | None, Formula]:
    """What an event is counted by, and the condition said after it: `someone gifts 10+ subs, if viewers > 100 ...`."""
    match guard:
        case And(operands=(Compare() as counted, *rest)) if rest:
            return counted, rest[0] if len(rest) == 1 else And(tuple(rest))
        case _:
            return None, guard


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _names_workflow(node: Node) -> str | None:
    """The workflow a change names; one that is named in a step is another matter.

    Raises:
        MissingPiece: There are two.
    """
    found = set(_workflows_in(node))
    if len(found) > 1:
        raise MissingPiece("Which of the two workflows do you mean?")
    return next(iter(found), None)


def _workflows_in(node: Node) -> Iterator[str]:
    for child in node.children:
        if isinstance(child, Leaf):
            if child.type in ("IN_WORKFLOW", "WORKFLOW", "OWNER"):
                yield str(child.value)
        elif child.rule != "steps":
            yield from _workflows_in(child)


_NO_REFERENCE: Final = frozenset({"caught", "caught_new", "edge", "in", "workflow"})


def _is_about_a_run(tree: Node, started: tuple[Trigger, ...], drafts: tuple[Draft, ...]) -> bool:
    """`run raid every day at 19:00`, not said to be a new workflow: it is about when raid runs."""
    said = tree.node("triggered")
    if said is None or len(drafts) != 1 or not isinstance(drafts[0].state.action, Run):
        return False
    return said.nodes()[0].rule == "steps" or any(trigger.on in _TIMES for trigger in started)


def _outside_steps(tree: Node) -> Iterator[Leaf]:
    """The words that are about the workflow; one that a step runs is another matter."""
    for child in tree.children:
        if isinstance(child, Leaf):
            yield child
        elif child.rule != "steps":
            yield from _outside_steps(child)


def _by_number(number: int) -> str:
    return f"\0{number}"


def named_place(name: str) -> Reference:
    """A step that was named, or numbered (`_by_number`)."""
    return Numbered(int(name[1:])) if name.startswith("\0") else Called(name)


def _missing(noun: Leaf | None, node: Node) -> MissingPiece:
    keys = noun.value.keys if noun is not None and isinstance(noun.value, Kind) else frozenset()
    if "wait" in keys:
        return MissingPiece("How long should it wait?", end=noun.end if noun else None)
    if keys & {"twitch.send_chat_message", "discord.send_message", "twitch.send_chat_announcement"}:
        return MissingPiece("What should it say?", end=noun.end if noun else None, verbatim=True)
    words = noun.text if noun is not None else "step"
    return MissingPiece(f"Which {words}, exactly?", end=noun.end if noun else None)


# References, places, values ----------------------------------------------------------------------------------------------


def _first(node: Node) -> Node:
    return next(child for child in node.nodes() if child.rule not in ("in", "scope", "param_of"))


def _position(node: Node) -> Position | None:
    place = next((child for child in node.nodes() if child.rule in _PLACES), None)
    if place is None:
        return None
    where = _PLACES[place.rule]
    if place.rule == "as_step":
        return Position("number", number=_whole(place.leaf("NUMBER")))
    if place.rule == "in_place":
        ordinal = int(_leaf(place, "ORDINAL").value)
        return Position("end") if ordinal < 0 else Position("number", number=ordinal)
    if place.rule == "between_numbers":
        numbers = [Numbered(_whole(leaf)) for leaf in place.leaves() if leaf.type == "NUMBER"]
        return Position("between", tuple(numbers))
    return Position(where, tuple(_reference(child) for child in place.nodes()))


_PLACES: Final[Mapping[str, Any]] = {
    "before": "before",
    "after": "after",
    "between": "between",
    "between_numbers": "between",
    "at_start": "start",
    "at_end": "end",
    "as_step": "number",
    "in_place": "number",
}


def _old(node: Node) -> Value | Reference | None:
    """What was there before, where it was said: `instead of 10 seconds`."""
    old = node.node("old")
    return None if old is None else _old_value(old.nodes()[0])


def _old_value(node: Node) -> Value | Reference:
    return _reference(node) if node.rule in _SEVERAL else _value(node)


_SEVERAL: Final = frozenset({"several", "numbers", "span", "every", "several_at_an_end"})


def _reference(node: Node) -> Reference:  # noqa: C901  one line each
    match node.rule:
        case "ref" | "topic":
            return _reference(node.nodes()[0])
        case "topic_saying":
            meant = _reference(node.nodes()[0])
            text = str(_leaf(node, "TEXT").value)
            return OfKind(meant.kind, content=text) if isinstance(meant, OfKind) else Saying(text)
        case "several":
            parts = tuple(_reference(child) for child in node.nodes())
            return parts[0] if len(parts) == 1 else Several(parts)
        case "numbers":
            return Several(tuple(Numbered(_whole(leaf)) for leaf in node.leaves()))
        case "span":
            first, last = (_whole(leaf) for leaf in node.leaves() if leaf.type == "NUMBER")
            return Span(first, last)
        case "numbered":
            return Numbered(_whole(node.leaf("NUMBER", "PLACE_NUMBER")))
        case "called":
            leaf = node.leaf("STRING", "STEP_NAME")
            return Called(str(leaf.value) if leaf else "")
        case "nested":
            return Nested(_leaf(node, "STEP_PATH").value)
        case "saying":
            leaf = node.leaf("TEXT", "STRING")
            return Saying(str(leaf.value) if leaf else "")
        case "containing":
            return _containing(node)
        case "several_at_an_end":
            return _at_an_end(node)
        case "it":
            return It()
        case _:
            return _kind_reference(node)


def _containing(node: Node) -> Reference:
    """`the welcome`, `the starting soon scene`: steps by what is in them."""
    noun, content = node.leaf("NOUN"), _leaf(node, "CONTENT")
    kind = noun.value if noun is not None and isinstance(noun.value, Kind) else ANY_STEP
    return OfKind(kind, content=str(content.value))


def _at_an_end(node: Node) -> Reference:
    """`the last 2 steps`, `the first two waits`."""
    noun = node.leaf("NOUN")
    kind = noun.value if noun is not None and isinstance(noun.value, Kind) else ANY_STEP
    count, ordinal = _whole(node.leaf("NUMBER")), int(_leaf(node, "ORDINAL").value)
    places = range(1, count + 1) if ordinal == 1 else range(-count, 0) if ordinal == -1 else ()
    if not places or count > MAX_AT_AN_END:
        raise NotBuilt("say which steps by their numbers, such as steps 2 to 4")
    return Several(tuple(OfKind(kind, place) for place in places))


MAX_AT_AN_END: Final = 50


def _kind_reference(node: Node) -> Reference:
    noun = node.leaf("NOUN", "DEED", "DEED_BASE")
    kind = noun.value if noun is not None and isinstance(noun.value, Kind) else ANY_STEP
    ordinal, number, duration = node.leaf("ORDINAL"), node.leaf("NUMBER"), node.leaf("DURATION")
    about = node.leaf("SCENE", "SOURCE", "SOUND", "CHANNEL", "USER", "STRING")
    place = int(ordinal.value) if ordinal is not None else _whole(number) if number is not None else None
    return OfKind(
        kind,
        place,
        every=node.rule == "every",
        seconds=_seconds(duration) if duration is not None else None,
        content=str(about.value) if about is not None else None,
    )


def _value(node: Node) -> Value:
    match node.rule:
        case "duration":
            leaf = _leaf(node, "DURATION")
            return Words(str(leaf.value), True, "text") if leaf.quoted else Duration(_seconds(leaf))
        case "longer" | "shorter":
            return By(_seconds(_leaf(node, "DURATION")), None, "longer" if node.rule == "longer" else "shorter")
        case "just_longer" | "just_shorter":
            return By(None, None, "longer" if node.rule == "just_longer" else "shorter")
        case "double" | "triple" | "half":
            return By(None, {"double": 2.0, "triple": 3.0, "half": 0.5}[node.rule])
        case "value":
            return _value(node.nodes()[0])
        case kind:
            leaf = next(node.leaves())
            type_: Any = kind
            text = leaf.text if kind == "number" else str(leaf.value)
            return Words(text, leaf.quoted, type_)


def _event(edge: Node) -> str:
    leaf = edge.leaf("EDGE_NAME", "STRING", "EDGE")
    return str(leaf.value) if leaf is not None else "error"


def _leaf(node: Node, *types: str) -> Leaf:
    leaf = node.leaf(*types)
    if leaf is None:
        raise AssertionError(f"{node.rule} has no {' or '.join(types)}")
    return leaf


def _seconds(leaf: Leaf) -> float:
    with_unit(leaf)
    if leaf.quoted:
        raise NotBuilt(f'"{leaf.value}" is no length of time, such as 10 seconds')
    return float(leaf.value)


def _whole(leaf: Leaf | None) -> int:
    value = leaf.value if leaf is not None else 0
    return int(value) if float(value).is_integer() else 0


def _find(node: Node, rule: str) -> Node | None:
    """The first node of a rule, however deep, but not inside another step."""
    for child in node.nodes():
        if child.rule == rule:
            return child
        found = _find(child, rule)
        if found is not None:
            return found
    return None


# Verbs and names -----------------------------------------------------------------------------------------------------------


def _manage(tree: Node) -> Command:
    workflows = tuple(str(leaf.value) for leaf in tree.leaves() if leaf.type in ("WORKFLOW", "IN_WORKFLOW"))
    if tree.rule in build_manage.RULES:
        return build_manage.command(tree, workflows[0] if workflows else None)
    match tree.rule:
        case "run":
            after, at = _beginning(tree.node("begin"))
            return RunCommand(workflows[0] if workflows else None, _arguments(tree), after, at)
        case "skip" | "longer_run" | "shorter_run":
            return _of_a_run(tree, workflows)
        case "retry_run":
            if not workflows and _find(tree, "spoken") is not None:
                raise NotBuilt("of which workflow, if these are values")
            return RetryCommand(workflows[0] if workflows else None, _arguments(tree))
        case "backtest":
            version, length = tree.leaf("VERSION"), tree.leaf("DURATION", "UNIT_LENGTH")
            return BacktestCommand(
                workflows[0] if workflows else None,
                None if version is None else _whole(version),
                None if length is None else _seconds(length),
            )
        case "rename":
            name = tree.node("name")
            leaf = name.leaf("NEW_NAME", "STRING") if name is not None else None
            return RenameCommand(workflows[0] if workflows else None, str(leaf.value) if leaf else "")
        case "status_until":
            return Named("status", workflows, "it")
        case "help":
            topic = _extra(tree)
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
                return _whole(leaf)
            case "HOW_OFTEN":
                return int(leaf.value)
            case "ONLY" | "FORMAT" | "TEXT":
                return str(leaf.value)
            case _:
                continue
    return None


def _holding(guard: Formula | None) -> dict[str, JsonValue]:
    """Fields with which a guard in words holds: a text as it is, a number that is just enough."""
    match guard:
        case Compare("==", Variable(path), Literal(str(text))):
            return {path: text}
        case Compare(how, Variable(path), Literal(int(number) | float(number))) if how in _JUST_ENOUGH:
            return {path: f"{number + _JUST_ENOUGH[how]:g}"}
        case _:
            return {}


_JUST_ENOUGH: Final[Mapping[str, int]] = {"==": 0, ">=": 0, "<=": 0, ">": 1, "<": -1}


def _beginning(begin: Node | None) -> tuple[float | None, str | None]:
    """When a run begins: in how many seconds, or at which time of day."""
    if begin is None:
        return None, None
    time = begin.leaf("TIME")
    if time is None:
        return _seconds(_leaf(begin, "DURATION")), None
    minutes = int(time.value)
    return None, f"{minutes // 60:02}:{minutes % 60:02}"


def _of_a_run(tree: Node, workflows: tuple[str, ...]) -> Command:
    """What is wished of a wait that is going on; nothing of it is an edit."""
    workflow = workflows[0] if workflows else None
    resting = tree.node("resting") or tree
    step = resting.leaf("NUMBER", "STRING", "STEP_NAME")
    at: Reference | None = None
    if step is not None:
        at = Numbered(_whole(step)) if step.type == "NUMBER" else Called(str(step.value))
    if tree.rule == "skip":
        return SkipCommand(workflow, at)
    seconds = _seconds(_leaf(tree, "DURATION"))
    return ExtendCommand(workflow, seconds if tree.rule == "longer_run" else -seconds, at)


_NAMES_A_DEED: Final = re.compile(r"(?:an?|the) \w+ (?:saying|that says|of|with|called)\b|raid \S+\Z", re.IGNORECASE)
"""Words that are rather a step than a text: `an announcement saying hi`, `raid ninja`."""
_SAID_TO_BE: Final = re.compile(r"\A(?:be|say|read)\s+(?=\S)", re.IGNORECASE)

_ABOUT: Final = re.compile(
    r"\A(?:(?:with|on|about|for|of) )?(?:the|a|an|my|our) |\A(?:with|on|about|for|of) |\s+(?:works?|go|behave)\s*\??\Z|\b(?:here|now)\s*\??\Z|\?\Z",
    re.IGNORECASE,
)
"""What stands around a topic that is asked about."""

_BEING: Final = re.compile(
    r"\A(?:is|being|set to|as|=|:)\s+|(?:,?\s*(?:please|pls|plz|thanks|thank you|thx|ty))?[.,]?\Z", re.IGNORECASE
)
"""What people put between the name of an argument and its value, and after it."""


def _arguments(tree: Node) -> dict[str, JsonValue]:
    arguments = (tree.node("given") or tree).node("arguments")
    found: dict[str, JsonValue] = {}
    for node in arguments.nodes() if arguments is not None else []:
        if node.rule == "pair":
            name, value = _leaf(node, "ARGUMENT").value
        elif node.rule == "counted":
            name, value = _leaf(node, "UNIT").value, str(plain_number(_leaf(node, "NUMBER").value))  # as typed: x=5
        elif node.rule == "person":
            name, value = "user", _leaf(node, "PERSON").value
        else:
            name, text = _leaf(node, "VARIABLE").value, _leaf(node, "TEXT")
            value = text.value if text.quoted else _THANKS.sub("", _BEING.sub("", str(text.value)))
        if name in found:
            raise MissingPiece(f'"{name}" is given twice. Which one is right?')
        found[str(name)] = value
    return found


_THANKS: Final = re.compile(r"(?:,?\s+(?:please|pls|plz|thanks|thx|thank you))?[.!?,;\s]*\Z", re.IGNORECASE)
"""How a sentence ends; no value does, unless it is quoted."""

_Builder = Callable[[InstructionBuilder, Node], EditSyntax]
_I = InstructionBuilder
_EDITS: Final[Mapping[str, _Builder]] = {
    "add": _I.add,
    "ambient_steps": _I.add_said,
    "add_first": _I.add_at_end,
    "add_last": _I.add_at_end,
    "add_gap": _I.add_gap,
    "add_nothing": _I.add_nothing,
    "drop": _I.drop,
    "shift": _I.shift,
    "shift_number": _I.shift,
    "shift_by_one": _I.shift,
    "shift_nowhere": _I.shift_nowhere,
    "exchange": _I.exchange,
    "substitute": _I.substitute,
    "substitute_quoted": _I.substitute_quoted,
    "substitute_nothing": _I.substitute_nothing,
    "become": _I.become,
    "become_new": _I.become,
    **dict.fromkeys(("wrap", "wrap_if", "wrap_unless", "wrap_again", "wrap_beside", "wrap_for"), _I.wrap),
    "alter": _I.alter,
    "alter_channel": _I.alter_channel,
    "alter_new": _I.alter_new,
    "alter_text": _I.alter_text,
    "wish": _I.wish,
    "gripe": _I.gripe,
    "add_gap_filled": _I.add_gap_filled,
    "become_in_step": _I.become_in_step,
    "alter_verbless": _I.alter_verbless,
    "alter_from": _I.alter_from,
    "alter_contrast": _I.alter_contrast,
    "alter_like": _I.alter_contrast,
    "alter_value": _I.alter_value,
    "alter_bare": _I.alter_bare,
    "alter_enough": _I.alter_enough,
    "alter_longer": _I.alter_by,
    "alter_shorter": _I.alter_by,
    "alter_scaled": _I.alter_scaled,
    "lead": _I.lead,
    "lead_nowhere": _I.lead,
    "bound": _I.bound,
    "unbound": _I.bound,
    "again": _I.again,
    "again_json": _I.again,
    "again_on": _I.again,
    "never_again": _I.again,
    "carry_on": _I.carry_on,
    "stop_if": _I.carry_on,
    "also": _I.start,
    "only": _I.start,
    "by_hand": _I.start,
    "no_longer": _I.start,
    "handle": _I.handle,
    "no_longer_the_one": _I.forget,
    "no_longer_on": _I.forget,
    "no_triggers": _I.forget,
    **dict.fromkeys(
        ("guard", "guard_not", "guard_roles", "guard_bots", "guard_days", "guard_no_days", "no_guard"), _I.hold
    ),
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
