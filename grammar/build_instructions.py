"""From the tree of an instruction to its abstract syntax: new workflows, trials, and which workflow each edit is of.

Edits, steps and verbs are handed on to the modules that build them. No workflow is in sight.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from pydantic import JsonValue

from engine.events import kind_of
from engine.expressions import quote
from engine.formulas import And, Compare, Formula, Literal, Variable
from engine.model import Call, Run, State, Trigger, Wait
from grammar.build_edits import EditBuilder
from grammar.build_references import ANY_STEP, first_in, is_bare, reference_in
from grammar.build_steps import StepBuilder
from grammar.build_verbs import arguments_in, command
from grammar.drafts import Draft, MissingPiece
from grammar.leaves import NotBuilt, leaf_of, plain_seconds, without_lead
from grammar.phrases import Phrase
from grammar.starts import BY_THE_CLOCK
from grammar.syntax import (
    About,
    Alter,
    Command,
    DryRunCommand,
    Edits,
    EditSyntax,
    It,
    New,
    OfKind,
    Retime,
    Start,
    SupposeCommand,
    Together,
    Value,
    Words,
)
from grammar.tree import Leaf, Node, find

_TEXTS: Final = ("saying", "perhaps_saying", "answering", "greeting")
_NAMES_A_DEED: Final = re.compile(r"an? \w+", re.IGNORECASE)
"""Words that may be rather a step than a text: `greet raiders with a shoutout`."""
_GREETINGS: Final[Mapping[str, str]] = {
    "welcome": "welcome them",
    "greeting": "welcome them",
    "thank": "thank them",
    "thanks": "thank them",
}
_MERE_GREETING: Final = frozenset({*_GREETINGS, "you", "message", "msg", "text", "greeting", "line", "note"})
_JUST_ENOUGH: Final[Mapping[str, int]] = {"==": 0, ">=": 0, "<=": 0, ">": 1, "<": -1}


class InstructionBuilder:
    """Builds commands; edits, steps and triggers are handed on to their own builders."""

    def __init__(self, by_rule: Mapping[str, Phrase], read_steps: Callable[[str], Node | None]) -> None:
        self._steps = StepBuilder(by_rule)
        self._read_steps = read_steps
        self._edit_builder = EditBuilder(by_rule, read_steps)

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
                return command(tree)

    # Trying ----------------------------------------------------------------------------------------------------------------

    def _dry_run(self, tree: Node) -> DryRunCommand:
        """`test raid`, with what it is tried with and what happens meanwhile."""
        workflow = find(tree, "workflow")
        named = None if workflow is None else str(leaf_of(workflow, "WORKFLOW").value)
        event, fields = self._tried(tree)
        parts = ("subject", "cue", "arguments", "event")
        failing = next((child for child in tree.nodes() if child.rule.split("_")[0] not in parts), None)
        later = []
        for cue in tree.nodes("cue"):
            happening, given = self._tried(cue)
            later.append((plain_seconds(leaf_of(cue, "DURATION")), happening or "", given))
        return DryRunCommand(named, event, fields, None if failing is None else reference_in(failing), tuple(later))

    def _supposed(self, tree: Node) -> tuple[str, dict[str, JsonValue]]:
        event, fields = self._tried(tree)
        if event is None:
            raise NotBuilt("if what happens?")
        return event, fields

    def _tried(self, node: Node) -> tuple[str | None, dict[str, JsonValue]]:
        """An event and its fields; what its words say of a field counts unless the field is given."""
        given = arguments_in(node)
        said = next((child for child in node.nodes() if child.rule.startswith("event")), None)
        if said is None:
            return None, given
        trigger = self._steps.trigger(Node("trigger", [said]))
        return trigger.on, {**_holding(trigger.when), **given}

    # Making ----------------------------------------------------------------------------------------------------------------

    def _new(self, tree: Node) -> New:
        named = find(tree, "named")
        name = named.node("name") if named is not None else None
        leaf = name.leaf("NEW_NAME", "STRING") if name is not None else None
        triggers = find(tree, "triggers")
        steps = find(tree, "steps")
        granting = find(tree, "granting")
        whoever, late = (
            find(tree, "for_whoever") or find(tree, "greeting") or find(tree, "shouting") or find(tree, "whispering"),
            find(tree, "after_a_while"),
        )
        if granting is not None and granting.leaf("WHO") is not None:
            whoever = granting
        starting = triggers or late
        started = self._steps.all_triggers(starting) if starting is not None else ()
        if whoever is not None:
            event = str(leaf_of(whoever, "WHOEVER", "WHO_DOES", "WHO").value)
            counted = whoever.node("measure")
            happening = Node(
                "event_plain" if counted is None else "event_measured", [_as_event(event), *whoever.nodes()]
            )
            started = self._steps.triggers(Node("trigger", [happening, *whoever.nodes()]))
        drafts = self._steps.steps(steps) if steps is not None else ()
        guessed = False
        for rule in _TEXTS:
            said = find(tree, rule)
            if said is not None:
                answered = said.node("event_command") if rule == "answering" else None
                started = (
                    started
                    if answered is None
                    else self._steps.all_triggers(Node("triggers", [Node("trigger", [answered])]))
                )
                drafts = (*self._saying(said), *drafts)
                guessed = rule == "perhaps_saying" and not leaf_of(said, "TEXT").quoted
                guessed = guessed or _is_rather_a_thing(said, drafts)
        if granting is not None:
            drafts = (*self._granting(granting), *drafts)
        typed_by = find(tree, "typed_by")
        if typed_by is not None:
            doer = typed_by.node("doer")
            commands = [each for trigger in typed_by.nodes("triggers") for each in trigger.nodes()]
            said_by = [Node(each.rule, [*([doer] if doer is not None else []), *each.children]) for each in commands]
            started = self._steps.all_triggers(Node("triggers", [Node("trigger", [each]) for each in said_by]))
        whispering = find(tree, "whispering")
        if whispering is not None:
            told = leaf_of(whispering, "TEXT")
            whispered = self._read_steps(f"whisper {quote(str(told.value))} to ${{user}}")
            drafts = self._steps.steps(whispered) if whispered is not None else ()
        if find(tree, "shouting") is not None:
            shouting = self._read_steps("shout out ${user}")
            drafts = self._steps.steps(shouting) if shouting is not None else ()
        if find(tree, "only_live") is not None:
            started = tuple(trigger.model_copy(update={"only_live": True}) for trigger in started)
        either = find(tree, "either_way")
        if either is not None:
            started, drafts = self._either_way(either, started, drafts)
        if _is_about_a_run(tree, started, drafts):
            raise NotBuilt("when another workflow runs is said of that one, such as: run raid every day at 19:00")
        return New(
            str(leaf.value) if leaf is not None else None,
            started,
            (*self._wait_before(tree), *drafts),
            quoted=leaf is not None and leaf.quoted,
            guessed=guessed,
            subject=_subject(find(tree, "happening_makes")),
        )

    def _granting(self, node: Node) -> tuple[Draft, ...]:
        """`whoever reacts with 🐸 gets the Frog role`."""
        role = quote(str(leaf_of(node, "DISCORD_ROLE").value))
        steps = self._read_steps(f"give them the role {role}")
        if steps is None:
            raise NotBuilt("nothing here gives a role")
        return self._steps.steps(steps)

    def _saying(self, node: Node) -> tuple[Draft, ...]:
        """The step that says the text of a node, where it was said by other words than that step is."""
        text = node.leaf("TEXT", "STRING")
        greeting, who = node.leaf("GREET"), node.leaf("WHO")
        kind = None if who is None else kind_of(str(who.value))
        if kind is not None and kind.platform == "discord":
            raise NotBuilt(f'say where they read that, such as: when {kind.clause} post "hi" in #general')
        usual = self._read_steps(str(greeting.value)) if text is None and greeting is not None else None
        if usual is not None:
            return self._steps.steps(usual)
        if text is None:
            whom = leaf_of(node, "WHO")
            raise MissingPiece("What should it say?", joint=" with", end=whom.end, verbatim=True)
        words = str(text.value) if text.quoted else without_lead(str(text.value))
        if not text.quoted and _NAMES_A_DEED.match(words):
            greeted = self._greeted(words)
            if greeted is not None:
                return self._steps.steps(greeted)
            for about in ("", " ${user}"):
                steps = self._read_steps(f"{words}{about}")
                if steps is not None:
                    return self._steps.steps(steps)
        replies = node.rule == "answering" or node.leaf("REPLIES") is not None
        steps = self._read_steps(f"{'reply' if replies else 'say'} {quote(words)}")
        if steps is None:
            raise NotBuilt("nothing here can say anything")
        return self._steps.steps(steps)

    def _greeted(self, words: str) -> Node | None:
        """`a welcome to the club` says it without the article; `a thank you` is the usual one, `a welcome message` as well."""
        _, *given = words.split()
        greeting = _GREETINGS.get(given[0].casefold())
        if greeting is None:
            return None
        if all(word.strip("!.").casefold() in _MERE_GREETING for word in given):
            return self._read_steps(greeting)
        return self._read_steps(f"say {quote(words.partition(' ')[2])}")

    def _either_way(
        self, node: Node, started: tuple[Trigger, ...], drafts: tuple[Draft, ...]
    ) -> tuple[tuple[Trigger, ...], tuple[Draft, ...]]:
        """`when someone cheers at least 100 bits say wow, otherwise say thanks`: it starts in any case, and chooses then."""
        if len(started) != 1 or started[0].when is None:
            raise NotBuilt('"otherwise" needs a condition before it, such as: if viewers > 5 say hi, otherwise say bye')
        if any(find(node, rule) is not None for rule in ("event_emoji", "event_emoji_back", "event_button")):
            raise NotBuilt('"otherwise" needs a condition before it, such as: if viewers > 5 say hi, otherwise say bye')
        measured = any(find(node, rule) is not None for rule in ("measure", "event_command", "event_reward"))
        counted, chosen = _apart(started[0].when) if measured else (None, started[0].when)
        choice = self._steps.choice(chosen, drafts, node)
        return (started[0].model_copy(update={"when": counted}),), (choice,)

    def _wait_before(self, tree: Node) -> tuple[Draft, ...]:
        """`10 seconds after a raid say hi` waits first."""
        late = find(tree, "after_a_while")
        if late is None:
            return ()
        return (Draft(State(name="wait", action=Wait(seconds=plain_seconds(leaf_of(late, "DURATION"))))),)

    # Changing --------------------------------------------------------------------------------------------------------------

    def _edits(self, tree: Node) -> Command:
        """Changes, each of the workflow it names, or that the one before it named."""
        meant: list[Edits] = []
        workflow: str | None = None
        scope: str | None = None
        complained: Value | None = None
        for node in tree.nodes():
            if node.rule == "in_workflow":
                scope = workflow = _names_workflow(node)
                continue
            named = _names_workflow(node)
            if named is not None and scope not in (None, named):
                raise MissingPiece("Which of the two workflows do you mean?")
            if node is tree.nodes()[-1] and _is_talk(node):
                raise NotBuilt('say "the" before it, if that is a step there is')
            edit = self._edit_builder.edit(node)
            if isinstance(edit, Start) and edit.mode == "timed" and scope is None and named is None:
                raise NotBuilt("what should start then?")
            scope, workflow = None, named or workflow
            if isinstance(edit, About) and edit.old is not None:
                complained = edit.old
                continue
            if complained is not None:
                edit, complained = _not_that(edit, complained), None
            if meant and meant[-1].workflow == workflow:
                meant[-1] = Edits((*meant[-1].edits, edit), workflow)
            else:
                meant.append(Edits((edit,), workflow))
        if complained is not None or not meant:
            raise NotBuilt("say what it should be instead, such as: make it 20")
        return meant[0] if len(meant) == 1 else Together(tuple(meant))


def _is_talk(gripe: Node) -> bool:
    """`text is boring`, `wrong one`, where nothing follows that should be another way."""
    return gripe.rule == "gripe_wrong" or (gripe.rule == "gripe" and is_bare(Node("topic", [first_in(gripe)])))


def _not_that(edit: EditSyntax, complained: Value) -> EditSyntax:
    """`500 is too low, make it 2000`: the number that was complained of is the one that is changed."""
    match edit:
        case Alter(reference=It(), old=None):
            return replace(edit, reference=OfKind(ANY_STEP), old=complained)
        case Retime() if isinstance(complained, Words):
            return replace(edit, was=complained.number)
        case Start(mode="only" | "timed") if not isinstance(complained, Words) or complained.type == "number":
            return replace(edit, old=complained)
        case _:
            raise NotBuilt("say what it should be instead, such as: make it 20")


def _is_rather_a_thing(node: Node, drafts: tuple[Draft, ...]) -> bool:
    """Whether what people get is hardly a text: `new followers get a cookie`."""
    text = node.leaf("TEXT")
    if text is None or text.quoted or not _NAMES_A_DEED.match(str(text.value)):
        return False
    action = drafts[0].state.action
    return isinstance(action, Call) and text.value in action.params.values()


def _as_event(name: str) -> Leaf:
    return Leaf("EVENT", name, "", 0, 0)


def _subject(node: Node | None) -> str | None:
    """What is to do something, as typed."""
    said = None if node is None else find(node, "event_plain")
    event = None if said is None else said.leaf("EVENT")
    return None if event is None else event.text


def _apart(guard: Formula) -> tuple[Formula | None, Formula]:
    """What an event is counted by, and the condition said after it: `someone gifts 10+ subs, if viewers > 100 ...`."""
    match guard:
        case And(operands=(Compare() as counted, *rest)) if rest:
            return counted, rest[0] if len(rest) == 1 else And(tuple(rest))
        case _:
            return None, guard


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


def _is_about_a_run(tree: Node, started: tuple[Trigger, ...], drafts: tuple[Draft, ...]) -> bool:
    """`run raid every day at 19:00`, not said to be a new workflow: it is about when raid runs."""
    said = tree.node("triggered")
    if said is None or len(drafts) != 1 or not isinstance(drafts[0].state.action, Run):
        return False
    return said.nodes()[0].rule == "steps" or any(trigger.on in BY_THE_CLOCK for trigger in started)


def _holding(guard: Formula | None) -> dict[str, JsonValue]:
    """Fields with which a guard in words holds: a text as it is, a number that is just enough."""
    match guard:
        case Compare("==", Variable(path), Literal(str(text))):
            return {path: text}
        case Compare(how, Variable(path), Literal(int(number) | float(number))) if how in _JUST_ENOUGH:
            return {path: f"{number + _JUST_ENOUGH[how]:g}"}
        case _:
            return {}
