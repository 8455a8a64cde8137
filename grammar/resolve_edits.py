"""From an edit as it was said to edits of the workflow as it is: which steps are meant, and what they become.

What is not clear is asked about, never chosen. No words are read, nothing is changed, and which workflow is meant is
settled before.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, assert_never

from engine.edits import (
    Edit,
    InsertSteps,
    MoveStep,
    RemoveSteps,
    ReplaceStep,
    SetAction,
    SetCritical,
    SetRetry,
    SetStepTimeout,
    SetTransition,
    SetTriggers,
    SwapSteps,
)
from engine.model import Action, Call, Definition, State, Target, Wait, Way, all_states
from grammar import headings, names, resolve_starts, starts
from grammar.altering import altered, had, is_sure
from grammar.context import ASK_STEPS, MAX_OPTIONS, Context
from grammar.drafts import Draft, MissingPiece, loose
from grammar.instruction import Delete, Question
from grammar.rearranging import rearranged
from grammar.references import (
    Unclear,
    Unsettled,
    Within,
    all_of,
    both,
    candidates,
    exactly,
    key,
    moved_place,
    names_beside,
    number_of,
    one_of,
    only,
    overview,
    place,
    refuse,
)
from grammar.retelling import said_otherwise, speaker, speakers
from grammar.spoken_values import marked
from grammar.starts import address_of, addressed
from grammar.syntax import (
    About,
    Add,
    Again,
    Alter,
    Become,
    Bound,
    By,
    CarryOn,
    Catch,
    Contrast,
    Drop,
    Duration,
    EditSyntax,
    Exchange,
    Forget,
    Head,
    Hold,
    It,
    Kind,
    Lead,
    Liken,
    MoreDays,
    Nested,
    OfKind,
    Order,
    Position,
    Reference,
    Retell,
    Retime,
    Shift,
    Start,
    Substitute,
    Trade,
    Value,
    Welcome,
    Wish,
    Words,
    Wrap,
)
from grammar.units import UnitUnsaid
from grammar.wrapping import wrapped


def edits_of(syntax: EditSyntax, within: Within, context: Context) -> tuple[Edit, ...]:  # noqa: C901  one line for each
    """What one edit comes to, in the workflow as it is after those before it.

    Raises:
        Unsettled: It has to be asked about or refused.
        Unclear: A reference fits several steps.
        MissingPiece: Something is not said.
    """
    definition = within.definition
    match syntax:
        case Add() if names.is_blank(definition) and syntax.steps and not _has_a_number(syntax):
            place(syntax.position, within)  # a step beside which it is to stand must be there
            blank = definition.states[0].name
            return (ReplaceStep(blank, context.loose(syntax.steps, definition, without=blank)),)
        case Add():
            if (inside := _beside_nested(syntax, within, context)) is not None:
                return (inside,)
            at = place(syntax.position, within)
            return (InsertSteps(at, context.loose(syntax.steps, definition)),)
        case Drop():
            return (_drop(syntax, within, context),)
        case Shift():
            return (_move(syntax, within),)
        case Exchange():
            first, second = both(syntax.both, within)
            return (SwapSteps(first.name, second.name),)
        case Trade() | Order():
            return rearranged(syntax, within, context)
        case Substitute():
            return _substitute(syntax, within, context)
        case Become():
            return _become(syntax, within, context)
        case Contrast():
            return _contrast(syntax, within, context)
        case Wrap():
            return wrapped(syntax, within, context.declarations)
        case Wish():
            return _wish(syntax, within, context)
        case About():
            raise AssertionError("it is only what the next edit is about")
        case Alter() | Retell() if (heard := _elsewhere_heard(syntax, within)) is not None:
            return (heard,)
        case Alter():
            return _alter(syntax, within, context)
        case Liken():
            return _alter(Alter(syntax.reference, _length_of(syntax.other, within)), within, context)
        case Retell():
            return _retell(syntax, within, context)
        case Start():
            if syntax.mode == "other" and (emoji := _other_emoji(syntax, within)) is not None:
                return (emoji,)
            return resolve_starts.start(syntax, within, context)
        case Head():
            return (headings.head(syntax, within, context),)
        case Catch():
            return headings.catch(syntax, within, context)
        case Hold():
            return (resolve_starts.hold(syntax, within),)
        case MoreDays():
            return (resolve_starts.more_days(syntax, within, context),)
        case Retime():
            return (resolve_starts.retime(syntax, within, context),)
        case Welcome():
            return (resolve_starts.welcome(syntax, within),)
        case Forget():
            return (resolve_starts.forget(syntax, within, context),)
        case Lead() | Bound() | Again() | CarryOn():
            return tuple(_option(syntax, state, within) for state in all_of(syntax.reference, within))
        case _:
            assert_never(syntax)


def _has_a_number(syntax: Add) -> bool:
    """`add as step 1 say hi` is meant to the letter, even where there is only the placeholder of a blank workflow."""
    return syntax.position is not None and syntax.position.where == "number"


def _beside_nested(syntax: Add, within: Within, context: Context) -> ReplaceStep | None:
    """Steps before or after one that stands inside another: they take its place together with it."""
    position = syntax.position
    if position is None or position.where not in ("before", "after") or not isinstance(position.references[0], Nested):
        return None
    old = one_of(position.references[0], within)
    edges = {event: target for event, target in old.transitions.items() if event != "success"}
    kept = old.model_copy(update={"transitions": edges})
    new = context.loose(syntax.steps, within.definition)
    return ReplaceStep(old.name, (kept, *new) if position.where == "after" else (*new, kept))


def _move(syntax: Shift, within: Within) -> MoveStep:
    state = one_of(syntax.reference, within)
    number = number_of(within.definition, state.name)
    if number is None:
        raise refuse(f'Step "{state.name}" stands inside another step; I can move only the outer ones.')
    return MoveStep(state.name, moved_place(number, syntax.position, within))


def _substitute(syntax: Substitute, within: Within, context: Context) -> tuple[Edit, ...]:
    """Several steps that stand together are replaced as one; of others it is asked where the new ones go."""
    going = all_of(syntax.reference, within)
    is_same = len(going) == len(syntax.steps) == 1 and key(going[0].action) == key(syntax.steps[0].state.action)
    if syntax.changes and is_same:
        return _instead(going[0], syntax.steps, within, context)
    ways = [_in_place_of(state, going, syntax.steps, within, context) for state in going]
    numbers = [number_of(within.definition, state.name) or 0 for state in going]
    if len(going) == 1 or numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return ways[0]
    options = tuple(context.change(way, within.definition) for way in ways[:MAX_OPTIONS])
    raise Unsettled(Question(f"In the place of which one? {', or: '.join(options)}", options))


def _in_place_of(
    state: State, going: tuple[State, ...], steps: tuple[Draft, ...], within: Within, context: Context
) -> tuple[Edit, ...]:
    others = tuple(each.name for each in going if each is not state)
    new = ReplaceStep(state.name, context.loose(steps, within.definition, without=state.name))
    return (RemoveSteps(others), new) if others else (new,)


def _become(syntax: Become, within: Within, context: Context) -> tuple[Edit, ...]:
    if syntax.is_open:
        ways = (_become(replace(syntax, is_open=False), within, context), edits_of(Add(syntax.steps), within, context))
        raise _instead_or_more(ways, within, context)
    if syntax.old is None:
        state = one_of(syntax.reference, within)
    else:
        (state,) = _meant(Alter(syntax.reference, Words(""), None, syntax.old), within)
    if len(syntax.steps) > 1:
        return (ReplaceStep(state.name, context.loose(syntax.steps, within.definition, without=state.name)),)
    new = _in_its_place(syntax.steps, state, within, context)
    if syntax.before and _in_its_place(syntax.before, state, within, context) != state.action:
        raise refuse(f"{within.name} has another step there by now: {within.describe(state)}.")
    return (SetAction(state.name, new),)


def _in_its_place(steps: tuple[Draft, ...], state: State, within: Within, context: Context) -> Action:
    """What a step does that keeps its name."""
    if not steps:
        raise MissingPiece(ASK_STEPS)
    definition = within.definition
    known = context.known(definition)
    first = replace(steps[0], named=True, state=steps[0].state.model_copy(update={"name": state.name}))
    taken, counts = names_beside(definition, state.name), context.counts(definition)
    return loose((first,), known, taken, context.declarations, counts, definition)[0].action


def _contrast(syntax: Contrast, within: Within, context: Context) -> tuple[Edit, ...]:
    """The step that is like the new ones but for the old value does that now; a step that is named as old goes."""
    return _instead(_replaced(syntax, within, context), syntax.steps, within, context)


def _replaced(syntax: Contrast, within: Within, context: Context) -> State:
    """The step that is meant by what it has now, and by where it stands if that was said."""
    new = context.loose(syntax.steps, within.definition)
    like = OfKind(Kind("step like that", frozenset({key(new[0].action)})))
    if syntax.old is None:
        return one_of(like, within)
    if isinstance(syntax.old, Duration | By | Words):
        same = had(_of_kind(like, within), syntax.old, new[0].action)
        found = same or had(tuple(all_states(within.definition.states)), syntax.old, new[0].action)
    else:
        found = candidates(syntax.old, within)
    if syntax.position is not None:
        there = place(syntax.position, within)
        before = syntax.position.where in ("end", "before")
        found = tuple(each for each in found if number_of(within.definition, each.name) == there - before)
    if not found:
        raise refuse(f"{within.name} has no step with that{' there' if syntax.position else ''}. {overview(within)}")
    return only(found, syntax.old if not isinstance(syntax.old, Duration | By | Words) else like, within)


def _of_kind(kind: OfKind, within: Within) -> tuple[State, ...]:
    return tuple(state for state in all_states(within.definition.states) if key(state.action) in kind.kind.keys)


def _instead(state: State, steps: tuple[Draft, ...], within: Within, context: Context) -> tuple[Edit, ...]:
    return _become(Become(exactly(state, within.definition), steps), within, context)


def _drop(syntax: Drop, within: Within, context: Context) -> RemoveSteps:
    going = all_of(syntax.reference, within)
    kept = {state.name for state in all_of(syntax.keep, within)} if syntax.keep is not None else set()
    if kept & {state.name for state in going}:
        raise refuse(f"It cannot both go and stay. {overview(within)}")
    left = [state for state in within.definition.states if state not in going and state.name not in kept]
    if syntax.rest and left:
        ways = (RemoveSteps(tuple(state.name for state in each)) for each in (going, (*going, *left)))
        options = tuple(context.change((way,), within.definition) for way in ways)
        raise Unsettled(Question(f"There is more than that. {overview(within)} Which is meant?", options))
    if {state.name for state in within.definition.states} <= {state.name for state in going}:
        said = context.say.instruction(Delete((within.definition.id,)), context.workspace)
        raise Unsettled(Question(f"Nothing would be left of {within.name}. Should it be deleted?", (said,)))
    return RemoveSteps(tuple(state.name for state in going))


def _wish(syntax: Wish, within: Within, context: Context) -> tuple[Edit, ...]:
    """One more step, unless there is one like it: then it is asked which is meant."""
    made = edits_of(Add(syntax.steps), within, context)
    like = OfKind(Kind("step like that", frozenset({key(syntax.steps[0].state.action)})))
    same = _of_kind(like, within)
    if not same:
        return made
    ways = [_instead(state, syntax.steps, within, context) for state in same[: MAX_OPTIONS - 1]]
    raise _instead_or_more((*ways, made), within, context)


def _instead_or_more(ways: Iterable[tuple[Edit, ...]], within: Within, context: Context) -> Unsettled:
    options = tuple(context.change(edits, within.definition) for edits in ways)
    return Unsettled(Question(f"Instead of what it does now, or as one more step? {', or: '.join(options)}", options))


def _retell(syntax: Retell, within: Within, context: Context) -> tuple[Edit, ...]:
    """The same text in another way; it is asked whether it comes in the place of what is there, where that was not said."""
    if several := speakers(syntax, within, context.declarations):
        return tuple(SetAction(state.name, said_otherwise(syntax, state, within, context)) for state in several)
    if syntax.old is None:
        state = speaker(syntax, within, context.declarations)
    else:
        (state,) = _meant(Alter(syntax.reference, Words(""), None, syntax.old), within)
    action = said_otherwise(syntax, state, within, context)
    changed: tuple[Edit, ...] = (SetAction(state.name, action),)
    if syntax.mode == "instead":
        return changed
    again = Draft(State(name=state.name, action=action), typed=False)
    added = edits_of(Add((again,), Position("after", (exactly(state, within.definition),))), within, context)
    if syntax.mode == "too":
        return added
    if action == state.action:
        said = context.change(added, within.definition)
        raise Unsettled(Question(f"Once more? Then it means: {said}", (said,)))
    options = tuple(context.change(edits, within.definition) for edits in (changed, added))
    raise Unsettled(Question(f"Instead of where it goes now, or there as well? {', or: '.join(options)}", options))


def _length_of(reference: Reference, within: Within) -> Duration:
    state = one_of(reference, within)
    if not isinstance(state.action, Wait) or isinstance(state.action.seconds, str):
        raise refuse(f"That step has no length: {within.describe(state)}. {overview(within)}")
    return Duration(state.action.seconds)


def _other_emoji(syntax: Start, within: Within) -> Edit | None:
    """`use 🖌️ instead of 🎨`, where it is what a step reacts with, and nothing that starts it."""
    field, new = address_of(syntax.triggers[0].when)
    _, old = address_of(syntax.before.when) if syntax.before is not None else (None, None)
    if field != "emoji" or addressed(within.definition.triggers, syntax.triggers[0], syntax.before):
        return None
    found = [
        (state, state.action)
        for state in all_states(within.definition.states)
        if isinstance(state.action, Call) and state.action.params.get("emoji") in ((old,) if old else _any_emoji(state))
    ]
    if not found:
        return None
    only(tuple(state for state, _ in found), OfKind(Kind("reaction")), within)
    ((state, call),) = found
    return SetAction(state.name, call.model_copy(update={"params": {**call.params, "emoji": new}}))


def _any_emoji(state: State) -> tuple[object, ...]:
    emoji = state.action.params.get("emoji") if isinstance(state.action, Call) else None
    return () if emoji is None else (emoji,)


def _elsewhere_heard(syntax: Alter | Retell, within: Within) -> Edit | None:
    """`do it in #fanart instead of #art`, where that is the channel in which it is heard, and no step goes there."""
    value = syntax.value if isinstance(syntax, Alter) else syntax.place
    old = syntax.old
    if not isinstance(value, Words) or not isinstance(old, Words) or value.type != "channel" or old.type != "channel":
        return None
    if had(tuple(all_states(within.definition.states)), old, None):
        return None
    new, before = (starts.in_channel(each.text.lstrip("#")) for each in (value, old))
    ways = addressed(within.definition.triggers, new, before)
    return SetTriggers(ways[0]) if len(ways) == 1 else None


def _sure_of_it(syntax: Alter, edits: tuple[Edit, ...], within: Within, context: Context) -> tuple[Edit, ...]:
    """`it should be named x` may be about the workflow: where no step was talked about, words alone are asked about."""
    if not isinstance(syntax.reference, It) or within.it is not None or not _is_loose(syntax.value):
        return edits
    said = context.change(edits, within.definition)
    raise Unsettled(Question(f"Do you mean a step? Then it means: {said}", (said,)))


def _alter(syntax: Alter, within: Within, context: Context) -> tuple[Edit, ...]:
    """Steps with another value; words that sound like a wish and no text are asked about first."""
    definition = within.definition
    said = syntax.value
    if _is_of_no_step(syntax):
        starting = _of_the_start(said, syntax.old, within)
        if starting is not None:
            return _starting_or_altered(starting, syntax, within, context)
        if isinstance(said, Words) and said.unit is not None:
            raise refuse(f"Nothing that starts {within.name} counts {said.unit}. {overview(within)}")
    made = _altered(syntax, within, context)
    if isinstance(said, Words) and not said.quoted and said.type == "text" and _is_like_a_wish(said.text):
        meant = context.change(made, definition)
        raise Unsettled(Question(f'Is "{said.text}" what it should say? Then it means: {meant}', (meant,)))
    return _sure_of_it(syntax, made, within, context)


def _is_of_no_step(syntax: Alter) -> bool:
    """Whether no step was named: `make it 1000`, `500 is too low, make it 1000`."""
    return isinstance(syntax.reference, It) or (isinstance(syntax.reference, OfKind) and not syntax.reference.kind.keys)


def _of_the_start(said: Value, old: Value | Reference | None, within: Within) -> Edit | None:
    """What a number or a length comes to that may be one of what starts the workflow; None if there is none such."""
    counted = resolve_starts.recounted(said, old, within) if isinstance(said, Words) and said.type == "number" else None
    return counted or resolve_starts.respaced(said, old, within)


def _starting_or_altered(starting: Edit, syntax: Alter, within: Within, context: Context) -> tuple[Edit, ...]:
    """A number of the start, unless a step has one, too: then it is asked which is meant, if none was talked about."""
    said = syntax.value
    made: tuple[Edit, ...] = ()
    if not isinstance(said, Words) or said.unit is None:
        try:
            made = _altered(syntax, within, context)
        except (Unsettled, Unclear, UnitUnsaid):
            made = ()
    if not any(isinstance(edit, SetAction) and _is_of_numbers(edit, within, said) for edit in made):
        return (starting,)
    if within.it is not None and isinstance(syntax.reference, It):
        return made
    options = tuple(context.change(edits, within.definition) for edits in ((starting,), made))
    raise Unsettled(Question(f"Which number is meant? {', or: '.join(options)}", options))


def _is_of_numbers(edit: SetAction, within: Within, said: Value) -> bool:
    """Whether a step gets a number, and no text that is one."""
    if not isinstance(edit.action, Call):
        return isinstance(edit.action, Wait)
    text = said.text if isinstance(said, Words) else None
    old = next(state.action for state in all_states(within.definition.states) if state.name == edit.name)
    were = old.params if isinstance(old, Call) else {}
    return any(value != were.get(name) and value != text for name, value in edit.action.params.items())


def _altered(syntax: Alter, within: Within, context: Context) -> tuple[Edit, ...]:
    """The same steps with the value; "it" is another than the last one if that has no such value."""
    try:
        return tuple(
            SetAction(state.name, _action_of(state, syntax, within.definition, context))
            for state in _meant(syntax, within)
        )
    except Unsettled:
        if not isinstance(syntax.reference, It) or within.it is None or not is_sure(syntax.value, context.workspace):
            raise
        return _altered(syntax, replace(within, it=None), context)


def _is_loose(value: Value) -> bool:
    return isinstance(value, Words) and value.type in ("text", "number") and not value.quoted


def _action_of(state: State, syntax: Alter, definition: Definition, context: Context) -> Action:
    value = syntax.value
    if isinstance(value, Words):
        said = marked(value.text) if value.type == "text" and not value.quoted else value.text
        value = replace(value, text=context.said(said, definition))
    return altered(state, replace(syntax, value=value), context.workspace, context.declarations)


def _meant(syntax: Alter, within: Within) -> tuple[State, ...]:
    """The steps that are to be altered; where an old value was said, only one that has it."""
    if syntax.old is None:
        return all_of(syntax.reference, within)
    fitting = candidates(syntax.reference, within)
    if isinstance(syntax.old, Duration | By | Words):
        found = had(fitting, syntax.old, None)
    else:
        others = {state.name for state in candidates(syntax.old, within)}
        found = tuple(state for state in fitting if state.name in others)
    if not found:
        shown = f"Step {number_of(within.definition, fitting[0].name)} is" if len(fitting) == 1 else "No step is"
        raise refuse(f"{shown} not like that in {within.name}. {overview(within)}")
    return (only(found, syntax.reference, within),)


def _option(syntax: Lead | Bound | Again | CarryOn, state: State, within: Within) -> Edit:
    match syntax:
        case Lead():
            return SetTransition(state.name, syntax.event, _target(syntax, within))
        case Bound():
            return SetStepTimeout(state.name, syntax.seconds)
        case Again():
            return SetRetry(state.name, syntax.retry)
        case CarryOn():
            return SetCritical(state.name, syntax.critical)
        case _:
            assert_never(syntax)


def _target(lead: Lead, within: Within) -> Target | None:
    if not lead.ways:
        return None
    if len(lead.ways) == 1 and lead.ways[0][0] is None:
        return one_of(lead.ways[0][1], within).name
    return tuple(Way(when=guard, to=one_of(to, within).name) for guard, to in lead.ways)


_PARTS_OF_TEXTS: Final = frozenset("/+*%=<>-,.;)]")
"""What no text begins with, but the end of one may: `it should say /5`."""
_WISHES: Final = frozenset(
    {"only", "no", "not", "never", "always", "start", "run", "stop", "work", "begin", "happen", "come", "go", "end"}
)


def _is_like_a_wish(text: str) -> bool:
    """Whether words after "should" are rather about what happens than a text: `it should only work while live`."""
    first = text.split(maxsplit=1)[:1]
    return bool(first) and (first[0].casefold() in _WISHES or text[0] in _PARTS_OF_TEXTS)
