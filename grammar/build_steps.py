"""From trees of `steps.lark` to values of the model: actions, steps, triggers, conditions.

One function per rule, one level each. What cannot be built (JSON that is no action, a step number where there are no
steps) is a `NotBuilt` in plain words. Nothing is looked up in a workspace here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from pydantic import JsonValue, TypeAdapter

from engine.expressions import quote
from engine.formulas import And, Formula
from engine.model import Action, Call, Goto, Repeat, Retry, State, Stop, Target, Trigger, Wait, Way, all_states, blocks
from grammar.at_home import HERE, SAID_HERE
from grammar.build_blocks import ONE_OF, Kinds, Made, body_of, times
from grammar.build_conditions import any_role, condition_in, opposite
from grammar.build_events import happenings
from grammar.build_schedules import holds
from grammar.build_singles import limit_of
from grammar.drafts import OTHER, PICKED, THEM, Draft, placeholder
from grammar.leaves import WHOM_IT_IS_ABOUT, NotBuilt, checked, length_in, seconds_in, slot_value, valid, value_of
from grammar.listings import answers_to, one_after_another
from grammar.phrases import Phrase
from grammar.posted import STARTED_BY, STARTING
from grammar.references import Unsettled
from grammar.tree import Leaf, Node
from grammar.wishes import Vague

_ACTION: Final[TypeAdapter[Action]] = TypeAdapter(Action)
_TOLD: Final = {WHOM_IT_IS_ABOUT: THEM, STARTED_BY: STARTING, SAID_HERE: HERE}
"""What a phrase that stands for a person, a message or a place by itself means by them."""
_RAW: Final = ("do_kind", "do_call", "keep_all")

PlaceName = Callable[[int], str]

_ADDRESS: Final = re.compile(r"\w[.:/]|\$\{")
"""What any web address has; a text that was not quoted and has none of it is something else."""


def _no_places(number: int) -> str:
    raise NotBuilt(f'step {number} has to be named here: go to step "name"')


@dataclass(frozen=True, slots=True)
class StepBuilder:
    """Builds what stands in trees.

    Attributes:
        by_rule: The phrase of each generated rule (`Driver.phrases.by_rule`).
        place_name: The name of the step with a number, for `go to step 3`.
    """

    by_rule: Mapping[str, Phrase]
    place_name: PlaceName = _no_places

    # Actions -----------------------------------------------------------------------------------------------------------

    def _action(self, node: Node, path: str) -> Made:
        """What a step does; the path makes the placeholders of steps inside it unique."""
        match node.rule:
            case "wait":
                return Made(valid(Wait, seconds=length_in(node)))
            case "goto":
                return Made(Goto(to=self._place(node)))
            case "stop_here":
                return Made(Stop())
            case "do_kind":
                action = checked(lambda: _ACTION.validate_python(value_of(node, "JSON")))
                inside = (state for block in blocks(action) for state in all_states(block.states))
                return Made(action, frozenset(state.name for state in inside))
            case "do_call":
                return Made(self._named_call(node))
            case "bare":
                return Made(self._named_alone(next(node.leaves())))
            case "posted_in":
                return Made(self._posted_in(node))
            case rule if rule in ONE_OF:
                raise NotBuilt("say it in two steps there: pick one of them at random, then say ${choice}")
            case rule if rule in self.by_rule:
                return Made(self._call(node))
            case _:
                return self._kinds.build(node, path)

    @property
    def _kinds(self) -> Kinds:
        """Builds what holds steps; inside a block a step is led to by its name only."""
        return Kinds(replace(self, place_name=_no_places).step, self._opposite, self._one_of)

    def _named_call(self, node: Node) -> Action:
        service, _, method = str(value_of(node, "METHOD")).partition(".")
        written = node.leaf("JSON")
        params = written.value if written is not None else {}
        return checked(
            lambda: _ACTION.validate_python({"kind": "call", "service": service, "method": method, "params": params})
        )

    def _call(self, node: Node) -> Call:
        phrase = self.by_rule[node.rule]
        params: dict[str, JsonValue] = {
            name: _TOLD.get(str(value), value) for name, value in phrase.method.fixed.get(phrase.index, {}).items()
        }
        for param, leaf in zip(phrase.slots, node.leaves(), strict=True):
            if param.name == "url" and not leaf.quoted and not _ADDRESS.search(str(leaf.value)):
                raise NotBuilt(f'"{leaf.value}" is no web address')
            params[param.name] = one_after_another(leaf) if param.several else slot_value(leaf)
        for param in phrase.method.params:
            if param.several and param.required and param.name not in params:
                params[param.name] = answers_to([leaf for leaf in node.leaves() if leaf.type == "TEXT"])
        if phrase.method.for_others:
            params = {name: OTHER if value == THEM else value for name, value in params.items()}
        return Call(service=phrase.method.service, method=phrase.method.name, params=params)

    def _opposite(self, action: Action) -> Call | None:
        """What takes a deed back: the same method with the one switch the other way that its phrases turn both ways."""
        if not isinstance(action, Call):
            return None
        methods = (phrase.method for phrase in self.by_rule.values())
        method = next((each for each in methods if each.key == f"{action.service}.{action.method}"), None)
        if method is None:
            return None
        turned = [(name, value) for said in method.fixed.values() for name, value in said.items()]
        both = [name for name in action.params if (name, True) in turned and (name, False) in turned]
        if len(both) != 1:
            return None
        needed = {param.name for param in method.params if param.required}
        kept = {name: value for name, value in action.params.items() if name in needed}
        return Call(service=action.service, method=action.method, params={**kept, both[0]: not action.params[both[0]]})

    def _one_of(self, node: Node) -> tuple[Action, Action]:
        """`say one of "a", "b"`: what picks one, and what says it."""
        leaf = node.leaf("LIST", "TEXT")
        options = list(leaf.value) if leaf is not None and leaf.type == "LIST" else _apart(str(value_of(node, "TEXT")))
        if len(options) < 2:
            raise NotBuilt("one of which? Put each in quotes, with a comma between them")
        if node.rule == "one_of_perhaps" and len(options) == 2:
            listed = ", ".join(quote(option) for option in options)
            raise Unsettled(
                Vague(
                    f"One of those at random? Then put each in quotes: say one of {listed}. Else put the text in quotes."
                )
            )
        pick, say = self._said_by("pick one of", "list"), self._said_by("say", "text")
        return (
            Call(service=pick.method.service, method=pick.method.name, params={pick.slots[0].name: options}),
            Call(service=say.method.service, method=say.method.name, params={say.slots[0].name: PICKED}),
        )

    def _posted_in(self, node: Node) -> Call:
        """`"hi" goes in #general`."""
        for phrase in self.by_rule.values():
            if [slot.type for slot in phrase.slots] == ["text", "channel"] and ("post",) in phrase.words[0]:
                text, channel = value_of(node, "STRING"), value_of(node, "CHANNEL")
                params = {phrase.slots[0].name: text, phrase.slots[1].name: channel}
                return Call(service=phrase.method.service, method=phrase.method.name, params=params)
        raise NotBuilt("nothing here can post anything")

    def _said_by(self, words: str, slot: str) -> Phrase:
        """The phrase that begins with these words and has one slot."""
        begun = tuple(words.split())
        for phrase in self.by_rule.values():
            if [each.type for each in phrase.slots] == [slot] and begun in phrase.words[0]:
                return phrase
        raise NotBuilt(f"nothing here can {words}")

    def _named_alone(self, leaf: Leaf) -> Call:
        """`airhorn`, `hype scene`: what is done with such a thing, by whichever service says it first."""
        kind = leaf.type.removeprefix("BARE_").lower()
        for phrase in self.by_rule.values():
            if [slot.type for slot in phrase.slots] == [kind]:
                method = phrase.method
                return Call(service=method.service, method=method.name, params={phrase.slots[0].name: leaf.value})
        raise NotBuilt(f"nothing here knows what to do with {leaf.text}")

    def _place(self, node: Node) -> str:
        leaf = node.leaf("STRING", "NUMBER")
        if leaf is None:
            raise NotBuilt("go to which step?")
        if leaf.type == "STRING":
            return str(leaf.value)
        if not isinstance(leaf.value, int):
            raise NotBuilt(f'step {leaf.text} has to be named here: go to step "name"')
        return self.place_name(leaf.value)

    # Steps -------------------------------------------------------------------------------------------------------------

    def steps(self, node: Node) -> tuple[Draft, ...]:
        """All the steps of a `steps` tree; numbers before them are only for people."""
        return Kinds(self.step, self._opposite, self._one_of).together(node, "")

    def step(self, node: Node, path: str = "") -> Draft:
        """One step; a name that was not written is a placeholder."""
        name = node.leaf("NAME")
        first, *rest = node.nodes()
        own = placeholder(path) if name is None else str(name.value)
        made = self._action(first, path)
        typed = first.rule not in _RAW and first.node("with_json") is None
        said: dict[str, Any] = {}
        transitions: dict[str, Target] = {}
        ends = False
        if first.rule == "wait_for" and (limit := limit_of(first)) is not None:
            said |= {"timeout_seconds": limit, "critical": False}
        for option in rest:
            match option.rule:
                case "option_end":
                    ends = True
                case "tail_after":
                    raise NotBuilt("say how long it waits first, as a step of its own")
                case "tail_for":
                    pass  # what comes after it waits: `Kinds.together`
                case "tail_if" | "tail_unless" | "tail_again":
                    inner = State(name=placeholder(f"{path}.0"), action=made.action, **said)
                    made = self._with_tail(option, Draft(inner, typed=typed, verbatim=made.verbatim), path)
                    typed, said = True, {}
                case _:
                    self._option(option, said, transitions)
        state = cast("State", valid(State, name=own, action=made.action, transitions=transitions, **said))
        return Draft(state, named=name is not None, typed=typed, ends=ends, verbatim=made.verbatim)

    def choice(self, when: Formula, drafts: tuple[Draft, ...], node: Node) -> Draft:
        """Steps under a condition, and each "otherwise" of a node."""
        made = self._kinds.choice(node, [(when, body_of(drafts))], "choice")
        return Draft(State(name=placeholder("choice"), action=made.action), verbatim=made.verbatim)

    def _with_tail(self, tail: Node, inner: Draft, path: str) -> Made:
        """`say "hi" if viewers > 50`, `say "hi" 3 times`: the step is a block of its own."""
        body = body_of((inner,))
        if tail.rule == "tail_again":
            again = cast("Node", tail.node("times", "twice"))
            return Made(valid(Repeat, block=body.block, times=times(again)), body.verbatim)
        said = cast("Formula", condition_in(tail))
        return self._kinds.choice(tail, [(said if tail.rule == "tail_if" else opposite(said), body)], path)

    def _option(self, node: Node, said: dict[str, Any], transitions: dict[str, Target]) -> None:
        target = node.node("target_step", "target_ways")
        match node.rule:
            case "option_success":
                transitions["success"] = self.target(target)
            case "option_failure":
                transitions["error"] = self.target(target)
            case "option_edge":
                transitions[str(value_of(node, "EDGE", "STRING"))] = self.target(target)
            case "option_time_limit":
                said["timeout_seconds"] = seconds_in(node)
            case "option_retry" | "option_retry_json":
                said["retry"] = retry_of(node)
            case "option_carry_on":
                said["critical"] = False
            case "option_switched_off":
                said["enabled"] = False
            case "option_note":
                said["description"] = value_of(node, "STRING")
            case other:
                raise AssertionError(f"steps.lark has no option {other}")

    def target(self, node: Node | None) -> Target:
        """Where an edge leads."""
        if node is None:
            raise NotBuilt("leads where?")
        if node.rule == "target_step":
            return self._place(node)
        return tuple(Way(when=condition_in(way), to=self._place(way)) for way in node.nodes("way"))

    # Triggers ----------------------------------------------------------------------------------------------------------

    def trigger(self, node: Node) -> Trigger:
        """What starts a workflow."""
        found = self.triggers(node)
        if len(found) > 1:
            raise NotBuilt("those are several times; write a line for each")
        return found[0]

    def triggers(self, node: Node) -> tuple[Trigger, ...]:
        """What starts a workflow, where several times may be said in one sentence."""
        happening = _happening(node)
        if happening is None:
            raise NotBuilt("when what happens?")
        return tuple(self._trigger(node, fields) for fields in happenings(happening))

    def all_triggers(self, triggers: Node) -> tuple[Trigger, ...]:
        """Every trigger of a list; after "or" the event may stand alone, or what else the same people do."""
        found: list[Trigger] = []
        doer: Node | None = None
        for node in triggers.nodes():
            if node.rule == "trigger":
                found.extend(self.triggers(node))
                first = _happening(node)
                doer = first.node("doer") if first is not None else None
            for event in [node] if node.rule.startswith("event") else node.nodes() if node.rule == "listed" else []:
                own = event.leaf("DOES") is not None or event.rule == "event_command"
                alone = doer is not None and own and event.node("doer") is None
                does = Node(event.rule, [doer, *event.children]) if doer is not None and alone else event
                found.extend(self.triggers(Node("trigger", [does])))
        return tuple(found)

    def _trigger(self, node: Node, said: dict[str, Any]) -> Trigger:
        held = holds([each for each in node.nodes() if each.rule.startswith("hold_")])
        doers = [any_role(each) for each in node.nodes("held_for")]
        if (guard := condition_in(node)) is not None:
            doers.append(guard)
        for guard in doers:
            parts = guard.operands if isinstance(guard, And) else (guard,)
            already = said.get("when")
            before = already.operands if isinstance(already, And) else (already,)
            said["when"] = guard if already is None else And((*before, *parts))
        written = node.leaf("JSON")
        extra = written.value if written is not None else {}
        if set(extra) & {"on", "when"}:
            raise NotBuilt("what happens and under which condition is said in words, not in JSON")
        if twice := sorted(set(said) & set(held)):
            raise NotBuilt(f'"{twice[0]}" is said twice')
        if twice := sorted(set(extra) & (set(said) | set(held))):
            raise NotBuilt(f'"{twice[0]}" is said in words already, and once more in JSON')
        return cast("Trigger", valid(Trigger, **said, **held, **extra))


def _apart(text: str) -> list[str]:
    """`a, b or c`: what is named one after the other."""
    return [part.strip() for part in re.split(r"\s*,\s*(?:or\s+)?|\s+or\s+", text) if part.strip()]


def _happening(trigger: Node) -> Node | None:
    """What happens in a trigger, after what holds it back if that was said first."""
    return next((each for each in trigger.nodes() if not each.rule.startswith(("hold_", "held_"))), None)


def retry_of(node: Node) -> Retry:
    """`retry 3 times waiting 5 seconds`: three more tries after the first."""
    written = node.leaf("JSON")
    if written is not None:
        return checked(lambda: Retry.model_validate(written.value))
    said: dict[str, Any] = {"max_attempts": value_of(node, "NUMBER") + 1}
    if node.leaf("DURATION") is not None:
        said["delay_seconds"] = seconds_in(node)
    return cast("Retry", valid(Retry, **said))
