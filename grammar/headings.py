"""What a change of the heading comes to in a workflow: its tags, its variables, and what is done about errors.

What starts a workflow is for `grammar.resolve_starts`. No words are read and nothing is changed here.
"""

from dataclasses import replace
from typing import Any, Final, assert_never, cast

from engine.edits import (
    Edit,
    Handle,
    SetDescription,
    SetMaxRounds,
    SetName,
    SetOnError,
    SetPolicy,
    SetStart,
    SetTags,
    SetTimeout,
    SetVariable,
    SetVersion,
)
from engine.events import kind_of
from engine.model import Definition, Goto, Policy, State, Stop, Target, to_json
from grammar import names
from grammar.build_heading import declaration
from grammar.build_references import named_place
from grammar.context import Context
from grammar.drafts import Draft, placeholder
from grammar.instruction import Change, Question
from grammar.references import Unsettled, Within, number_of, one_of, refuse
from grammar.rules import Permitted, Rule, ruled
from grammar.say_policies import say_policy
from grammar.syntax import Catch, Declared, Head, It, Numbered, Reference
from grammar.words import fold

_FEWER: Final = ("moderators", "moderators and vips", "moderators, vips and subscribers", "the broadcaster")
"""Whom people mean when they take a right from all viewers."""


def head(syntax: Head, within: Within, context: Context) -> Edit:  # noqa: C901  one line each
    """A change of one line of the heading."""
    value: Any = syntax.value
    definition = within.definition
    match syntax.what:
        case "name":
            return SetName(names.checked(value, context.workspace, quoted=True, own=definition.id))
        case "description":
            return SetDescription(value)
        case "version":
            return SetVersion(value)
        case "tags":
            return SetTags(value)
        case "tag":
            return SetTags((*definition.tags, *(tag for tag in value if tag not in definition.tags)))
        case "untag":
            return SetTags(_untagged(definition, value, within.name))
        case "policy":
            return SetPolicy(cast("Policy", value))
        case "rule":
            return SetPolicy(_ruled(within, cast("Rule", value)))
        case "variable":
            return _variable(cast("Declared", value), within, context)
        case "on_error":
            return SetOnError(None if value is None else one_of(cast("Reference", value), within).name)
        case "timeout":
            return SetTimeout(value)
        case "rounds":
            return SetMaxRounds(value)
        case "start":
            return SetStart(one_of(cast("Reference", value), within).name)
        case _:
            assert_never(syntax.what)


def _variable(said: Declared, within: Within, context: Context) -> Edit:
    edit = _declared(said, within.definition)
    if said.needed and not _is_used(said.name, within.definition):
        meant = context.change((edit,), within.definition)
        raise Unsettled(Question(f'Is "{said.name}" what a run must be given? Then it means: {meant}', (meant,)))
    return edit


def _declared(said: Declared, definition: Definition) -> SetVariable:
    """The declaration of a variable, or its end; case does not tell two variables apart in what people type."""
    known = next((name for name in definition.variables if not said.whole and fold(name) == fold(said.name)), said.name)
    if said.gone:
        return SetVariable(known, None)
    return SetVariable(known, declaration(said, definition.variables.get(known)))


def _is_used(name: str, definition: Definition) -> bool:
    """Whether a word is surely a variable: it looks like one, is declared, or stands in a text."""
    return "_" in name or name in definition.variables or f"${{{name}" in str(to_json(definition))


def _ruled(within: Within, rule: Rule) -> Policy:
    """The policy after a rule; whose right is to go must have been named as having it."""
    policy = ruled(within.definition.policy, rule)
    if policy is not None and _shuts_others_out(within.definition, rule):
        told = next(said for said in say_policy(Policy(may_run=policy.may_run)))
        fewer = (f"in {within.name} {told}", f"in {within.name} everyone may run it")
        raise Unsettled(
            Question(f"Whoever does what starts {within.name} may start it now. Only those from now on?", fewer)
        )
    if policy is not None:
        return policy
    if isinstance(rule, Permitted) and rule.right == "may_run" and "everyone" in rule.roles:
        options = tuple(f"in {within.name} only {roles} may run it" for roles in _FEWER)
        raise Unsettled(Question(f"Who may run {within.name} then?", options))
    raise refuse(f"{within.name} does not name them as those who may. Say who may, such as: only mods can run it")


def _shuts_others_out(definition: Definition, rule: Rule) -> bool:
    """`vips can use it too`, where everybody can by now: whoever says so would not shut the others out."""
    if not isinstance(rule, Permitted) or rule.right != "may_run" or rule.how != "add" or "everyone" in rule.roles:
        return False
    events = (kind_of(trigger.on) for trigger in definition.triggers)
    return definition.policy.may_run is None and any(kind is not None and "user" in kind.fields for kind in events)


def _untagged(definition: Definition, gone: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The tags that are left.

    Raises:
        Unsettled: It has no such tag.
    """
    folded = {fold(tag) for tag in gone}
    for tag in gone:
        if fold(tag) not in {fold(own) for own in definition.tags}:
            has = f"its tags are {', '.join(definition.tags)}" if definition.tags else "it has none"
            raise refuse(f'{name} has no tag "{tag}"; {has}.')
    return tuple(tag for tag in definition.tags if fold(tag) not in folded)


# What is done about errors ---------------------------------------------------------------------------------------------


def catch(syntax: Catch, within: Within, context: Context) -> tuple[Edit, ...]:
    """Steps that are done when something fails, or the jump that does it."""
    definition = within.definition
    state = _caught(syntax, within, context)
    following = None if state is None else state.transitions.get("success")
    steps = tuple(_led(draft, within) for draft in syntax.steps)
    if state is not None and following is None and syntax.goes_on is False:
        # After the last step nothing follows either way; that it ends there was said and stays.
        steps = (*steps, Draft(State(name=placeholder("stop"), action=Stop())))
    states = context.loose(steps, definition)
    if syntax.goes_on and state is None:
        raise refuse(
            'Only what a single step leads to can go on after it, such as: if step 1 fails say "oops" and carry on'
        )
    if following is None or syntax.new or syntax.goes_on is False:
        return (Handle(states, None if state is None else state.name, syntax.event),)
    going_on = Handle(_leading_on(states, following), state.name if state else None, syntax.event)
    if syntax.goes_on or going_on.states == states:
        return (going_on,)
    return _stops_or_goes_on(Handle(states, going_on.step, syntax.event), going_on, within, context)


def _led(draft: Draft, within: Within) -> Draft:
    """A step that jumps to another one by its number, with that one's name."""
    action = draft.state.action
    to = named_place(action.to) if isinstance(action, Goto) else None
    if not isinstance(to, Numbered):
        return draft
    return replace(draft, state=draft.state.model_copy(update={"action": Goto(to=one_of(to, within).name)}))


def _caught(syntax: Catch, within: Within, context: Context) -> State | None:
    """The step whose failure is meant; None for that of any.

    "If it fails" is said of the step of this message, else of the workflow; of a step that was talked about before it
    may be said just as well.
    """
    if syntax.reference is None:
        return None
    if not isinstance(syntax.reference, It) or len(within.definition.states) == 1:
        return one_of(syntax.reference, within)
    if within.it is None:
        return None
    step = one_of(syntax.reference, within)
    if within.it != context.workspace.step:
        return step
    number = number_of(within.definition, step.name)
    if number is None:
        return step
    rest = context.sentence.partition(" fails ")[2] or 'say "oops"'
    options = (f"in {within.name} if step {number} fails {rest}", f"in {within.name} if anything fails {rest}")
    raise Unsettled(Question(f"If step {number} fails, or any step of {within.name}?", options))


def _stops_or_goes_on(stops: Handle, goes_on: Handle, within: Within, context: Context) -> tuple[Edit, ...]:
    """What follows what is done about a failed step was not said, and both are likely."""
    meant = [Change(within.definition.id, (edit,)) for edit in (stops, goes_on)]
    options = tuple(context.say.instruction(each, context.workspace) for each in meant)
    raise Unsettled(Question("Should it stop after that, or carry on with the next step?", options))


def _leading_on(states: tuple[State, ...], target: Target) -> tuple[State, ...]:
    """States of which the last leads on, unless it says something else itself."""
    last = states[-1]
    if "success" in last.transitions or isinstance(last.action, Goto | Stop):
        return states
    return (*states[:-1], last.model_copy(update={"transitions": {"success": target, **last.transitions}}))
