"""What a second thought means for the change just made: `no, the other one`, `I meant step 3`, `make it 20 instead`.

A choice that was wrong is taken back and made anew, on the workflow as it was; a value that was wrong is set again. What
the words name is found by reading whole sentences made of them, so everything the language understands can be corrected
with. Nothing is guessed: two that fit become a question, and what fits nowhere is no correction. It changes nothing itself.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.amendments import FIRST_AMENDMENTS, LAST_AMENDMENTS, amended_roles
from bot.answers import Thought, gives_value, is_other, other_kind
from bot.lately import Lately, at_that_time
from bot.replies import spoken, titled
from bot.rereading import Anew, Correction, Reading, Which
from engine.edits import (
    AddTrigger,
    Edit,
    InsertSteps,
    MoveStep,
    RemoveSteps,
    RemoveTrigger,
    ReplaceStep,
    SetAction,
    SetCritical,
    SetRetry,
    SetStepTimeout,
    SetTransition,
    SetTriggers,
    SwapSteps,
    apply,
    names_in,
    touched,
)
from engine.errors import EngineError
from engine.model import Action, Call, Definition, State, Wait, all_states
from grammar.instruction import (
    Backtest,
    Change,
    Control,
    Create,
    Delete,
    Diff,
    DryRun,
    Export,
    History,
    Instruction,
    ListRuns,
    MoveRuns,
    Question,
    Rename,
    RunWorkflow,
    SetEnabled,
    Show,
    Status,
    Understanding,
    Understood,
    Why,
)
from grammar.language import Language
from grammar.names import lookup
from grammar.references import key
from grammar.workspace import Workspace

MOST_OPTIONS: Final = 9
_MAKE_IT: Final = re.compile(r"(?:make|set|change|turn) (?:it|that)(?: to(?: be)?)?\s+", re.IGNORECASE)
_CONTRAST: Final = re.compile(r"not\s", re.IGNORECASE)
"""`not this, that` says by itself what is to be changed, so that nothing is taken back for it."""
_SOME_STEP: Final = re.compile(r"(?:in|for|the workflow|workflow)\s+", re.IGNORECASE)
_QUANTITY: Final = re.compile(
    r"(?<![\w.])\d+(?:[.:,]\d+)*(?:\s?(?:ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|days?))?\b"
)
_UNIT: Final = re.compile(r"\d\s?(?P<unit>[a-z]+)\b", re.IGNORECASE)
_PLAIN_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_POINTING: Final = re.compile(r"\b(?:it|that one|this one|that|this)\b", re.IGNORECASE)
_PLACE_WORD: Final = re.compile(r"\b(?P<where>before|after)\b", re.IGNORECASE)


def corrected(lately: Lately, found: Sequence[Thought], workspace: Workspace, language: Language) -> Correction | None:
    """What a second thought means, which may be any of these; None if it means nothing here.

    What is clear comes before what has to be asked about.
    """
    for asking in (False, True):
        for thought in found:
            correction = _corrected(lately, thought, workspace, language, asking=asking)
            if correction is not None:
                return correction
    return None


def _corrected(
    lately: Lately, thought: Thought, workspace: Workspace, language: Language, *, asking: bool
) -> Correction | None:
    now = (
        workspace
        if lately.deleted
        else replace(workspace, focus=lately.workflow, step=touched(lately.edits, lately.after))
    )
    reading = Reading(language, now, at_that_time(workspace, lately), asking)
    if not thought.rest:
        return _taken_back(lately, thought)
    if is_other(thought.rest) or other_kind(thought.rest) is not None:
        return _the_other(lately, other_kind(thought.rest), reading)
    if thought.turn in ("more", "less"):
        return amended_roles(lately, thought, reading)
    for way in (*FIRST_AMENDMENTS, _workflow, _start, _whole, _name, _value, _same_verb, _place, _step, _quantity):
        found = way(lately, thought, reading)
        if found is not None and not _is_the_same(found, lately, reading):
            return found
    last = (way(lately, thought, reading) for way in (_same_head, *LAST_AMENDMENTS))
    return next((found for found in last if found is not None and not _is_the_same(found, lately, reading)), None)


def _is_the_same(found: Correction, lately: Lately, reading: Reading) -> bool:
    """Whether it would be taken back only to be done again: `1` in the canonical words for a step is no number to change."""
    if not isinstance(found, Anew) or not found.back or found.instruction is not None or found.sentence is None:
        return False
    again, before = reading.then_means(found.sentence), reading.then_means(lately.said)
    return isinstance(again, Understood) and isinstance(before, Understood) and again.instruction == before.instruction


def begins_anew(
    asked: Change, before: Definition, thought: Thought, workspace: Workspace, language: Language
) -> Instruction | None:
    """What was asked about and has not been done, with what a second thought puts in: another step, place or value."""
    if is_other(thought.rest):
        return None
    words = language.say(asked, workspace)
    view = workspace.workflows[asked.workflow]
    unmade = Lately(asked.workflow, before.name, "edit", before, before, asked.edits, words, words, view.revision)
    reading = Reading(language, workspace, at_that_time(workspace, unmade), asking=False)
    for way in (_same_verb, _place, _step):
        match way(unmade, thought, reading):
            case Anew(instruction=instruction) if instruction is not None:
                return instruction
            case _:
                pass
    return None


# Only a no -----------------------------------------------------------------------------------------------------------------


def _taken_back(lately: Lately, thought: Thought) -> Correction | None:
    if not thought.wrong:
        was_there = lately.before is not None or thought.turn != "back"
        return Anew(back=True) if thought.rejects and was_there else None
    others = _others(lately)
    return Which(others) if others else Anew(back=True)


def _the_other(lately: Lately, noun: str | None, reading: Reading) -> Correction | None:
    others = _others(lately)
    if noun is not None:
        of_that_noun = reading.then_means(f"remove the first {noun}")
        if not isinstance(of_that_noun, Understood):
            return None
    if len(others) == 1:
        return Anew(back=True, instruction=others[0])
    return Which(others) if others else None


def _others(lately: Lately) -> tuple[Instruction, ...]:
    """The same change of every other step of the same sort."""
    if lately.before is None or (old := _only_target(lately)) is None:
        return ()
    found: list[Instruction] = []
    for state in all_states(lately.before.states):
        if state.name != old.name and key(state.action) == key(old.action):
            changed = _about(lately, state)
            if changed is not None:
                found.append(changed)
    return tuple(found[:MOST_OPTIONS])


# About another step --------------------------------------------------------------------------------------------------------


def _only_target(lately: Lately) -> State | None:
    """The one step there was before that the edits are about."""
    if lately.before is None:
        return None
    names = {
        name for edit in lately.edits for name in ([edit.name] if isinstance(edit, ReplaceStep) else names_in(edit))
    }
    states = [state for state in all_states(lately.before.states) if state.name in names]
    return states[0] if len(states) == 1 and len(names) == 1 else None


def _about(lately: Lately, state: State) -> Change | None:
    """The same edits about another step, if they can be."""
    old = _only_target(lately)
    if old is None or lately.before is None:
        return None
    edits: list[Edit] = []
    for edit in lately.edits:
        moved = _moved_to(edit, old, state)
        if moved is None:
            return None
        edits.append(moved)
    return _fitting(lately, tuple(edits))


def _moved_to(edit: Edit, old: State, new: State) -> Edit | None:
    match edit:
        case RemoveSteps():
            return RemoveSteps((new.name,))
        case SetAction(action=action):
            changed = _same_change(old.action, action, new.action)
            return None if changed is None else SetAction(new.name, changed)
        case MoveStep() | ReplaceStep() | SetTransition() | SetStepTimeout() | SetRetry() | SetCritical():
            return replace(edit, name=new.name)
        case _:
            return None


def _same_change(before: Action, after: Action, other: Action) -> Action | None:
    """What another step does after the same change: only what was changed is carried over."""
    if key(before) != key(other) or key(before) != key(after):
        return None
    if not isinstance(before, Call) or not isinstance(after, Call) or not isinstance(other, Call):
        return after
    changed = {name: value for name, value in after.params.items() if before.params.get(name) != value}
    return Call(service=other.service, method=other.method, params={**other.params, **changed})


def _fitting(lately: Lately, edits: tuple[Edit, ...]) -> Change | None:
    """A change, if it can be made to the workflow as it was and is another one than the one that was made."""
    if lately.before is None or edits == lately.edits:
        return None
    definition = lately.before
    try:
        for edit in edits:
            definition = apply(definition, edit)
    except EngineError:
        return None
    return Change(lately.workflow, edits) if definition != lately.before else None


def _step(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`I meant step 3`: the same with that step."""
    named = reading.then_means(f"remove {thought.rest}")
    states = _removed(named, lately)
    if isinstance(named, Question):
        means = [reading.then_means(option) for option in named.options]
        states = [state for each in means for state in _removed(each, lately)]
    if (inserted := _inserted(lately)) is not None and len(states) == 1:
        return _beside(lately, inserted, states[0])
    changes = [change for state in states if (change := _about(lately, state)) is not None]
    if len(changes) == 1:
        read = named.corrections if isinstance(named, Understood) else ()
        return Anew(back=True, instruction=changes[0], read=read)
    return Which(tuple(changes)) if changes else None


def _removed(understanding: Understanding, lately: Lately) -> list[State]:
    """The steps that a sentence names, which would remove them."""
    if not isinstance(understanding, Understood) or lately.before is None:
        return []
    match understanding.instruction:
        case Change(workflow=workflow, edits=(RemoveSteps(names=names),)) if workflow == lately.workflow:
            return (
                [state for state in all_states(lately.before.states) if state.name in names] if len(names) == 1 else []
            )
        case _:
            return []


def _inserted(lately: Lately) -> InsertSteps | None:
    match lately.edits:
        case (InsertSteps() as insert,):
            return insert
        case _:
            return None


def _beside(lately: Lately, insert: InsertSteps, state: State) -> Correction | None:
    """Steps that were added are added beside another step: on the side that was said, else on either."""
    assert lately.before is not None  # noqa: S101  something was added to it
    number = next((n for n, each in enumerate(lately.before.states, 1) if each.name == state.name), None)
    if number is None:
        return None
    said = _PLACE_WORD.search(lately.words)
    sides = (0, 1) if said is None else (0 if said["where"].casefold() == "before" else 1,)
    changes = [
        change
        for side in sides
        if (change := _fitting(lately, (InsertSteps(number + side, insert.states),))) is not None
    ]
    if len(changes) == 1:
        return Anew(back=True, instruction=changes[0])
    return Which(tuple(changes)) if changes else None


# At another place, of other steps --------------------------------------------------------------------------------------------


def _place(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`no, after the wait`: what was added or moved goes there."""
    insert = _inserted(lately)
    if insert is not None:
        named = reading.then_means(f"add wait 1 second {thought.rest}")
        match named:
            case Understood(
                instruction=Change(edits=(InsertSteps(at=at, states=(State(action=Wait(seconds=1)),)),)),
                corrections=read,
            ):
                change = _fitting(lately, (InsertSteps(at, insert.states),))
                return None if change is None else Anew(back=True, instruction=change, read=read)
            case _:
                return None
    match lately.edits:
        case (MoveStep(name=name),) if lately.before is not None:
            number = next((n for n, state in enumerate(lately.before.states, 1) if state.name == name), None)
            return _understood_then(lately, f"move step {number} {thought.rest}", reading)
        case _:
            return None


def _same_verb(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`no, steps 2 and 3`: the verb that was said, with those."""
    match lately.edits:
        case (RemoveSteps(),):
            return _understood_then(lately, f"remove {thought.rest}", reading)
        case (SwapSteps(),):
            return _understood_then(lately, f"swap {thought.rest}", reading) or _understood_then(
                lately, f"swap steps {thought.rest}", reading
            )
        case _:
            return None


def _understood_then(lately: Lately, sentence: str, reading: Reading) -> Correction | None:
    match reading.then_means(sentence):
        case Understood(instruction=Change(workflow=workflow, edits=edits), corrections=read) if (
            workflow == lately.workflow
        ):
            change = _fitting(lately, edits)
            return None if change is None else Anew(back=True, instruction=change, read=read)
        case Question() if reading.asking:
            return Anew(back=True, sentence=sentence)
        case _:
            return None


# What starts it, and what it is called -----------------------------------------------------------------------------------


def _start(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`no, when someone follows`: that starts it instead."""
    sets_start = any(isinstance(edit, AddTrigger | RemoveTrigger | SetTriggers) for edit in lately.edits)
    if not sets_start and lately.kind != "create":
        return None
    match reading.now_means(f"only {thought.rest}"):
        case Understood(instruction=Change(edits=(SetTriggers(),)) as change, corrections=read):
            return Anew(back=False, instruction=change, read=read)
        case _:
            return None


def _name(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`no, party time`, after a rename."""
    if lately.kind != "rename" or not (thought.rejects or thought.means):
        return None
    match reading.now_means(f"rename {titled(lately.name)} to {thought.rest}"):
        case Understood(instruction=Rename() as renaming):
            return Anew(back=False, instruction=renaming)
        case _:
            return None


# A whole sentence ------------------------------------------------------------------------------------------------------------


def _whole(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`no, remove step 4`: after a no it is in place of what was done; else it is just the next instruction."""
    if _MAKE_IT.match(thought.rest) or gives_value(thought.rest) or _CONTRAST.match(thought.rest):
        return None
    if (further := _with_what_was_added(lately, thought, reading)) is not None:
        return further
    understanding = reading.then_means(thought.rest)
    instead = thought.rejects or thought.means
    match understanding:
        case Understood(instruction=Change(workflow=workflow, edits=edits), corrections=read) if (
            workflow == lately.workflow and instead
        ):
            change = _fitting(lately, edits)
            anew = Anew(back=True, instruction=change, read=read) if change is not None else None
            return _step_instead(lately, edits, thought, reading) or anew
        case Understood(instruction=instruction):
            back = instead and lately.kind == "create" and isinstance(instruction, Create)
            return Anew(back=back, sentence=thought.rest)
        case Question(gap=gap, options=options) if reading.asking and (gap is not None or options):
            return Anew(back=instead, sentence=thought.rest)
        case _:
            return None


def _with_what_was_added(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`no, put that before the shoutout`: "that" is the step just added, so it stays and something is done with it."""
    was_there = lately.before is not None and any(
        state.name == reading.now.step for state in all_states(lately.before.states)
    )
    if was_there or lately.before is None or reading.now.step is None or _POINTING.search(thought.rest) is None:
        return None
    match reading.now_means(thought.rest):
        case Understood(instruction=Change(workflow=workflow) as change, corrections=read) if (
            workflow == lately.workflow
        ):
            return Anew(back=False, instruction=change, read=read)
        case _:
            return None


def _step_instead(lately: Lately, edits: tuple[Edit, ...], thought: Thought, reading: Reading) -> Correction | None:
    """A bare step after a step was added or changed is what that step should do."""
    number = _number_now(lately, reading)
    match edits:
        case (InsertSteps(states=(_,)),) if number is not None and _is_bare(thought, edits, reading):
            match reading.now_means(f"change step {number} to {thought.rest}"):
                case Understood(instruction=Change(edits=(SetAction() | ReplaceStep(),)) as change):
                    return Anew(back=False, instruction=change)
                case _:
                    return None
        case _:
            return None


def _is_bare(thought: Thought, edits: tuple[Edit, ...], reading: Reading) -> bool:
    match reading.then_means(f"add {thought.rest}"):
        case Understood(instruction=Change(edits=same)):
            return same == edits
        case _:
            return False


# Another value ---------------------------------------------------------------------------------------------------------------


def _value(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`make it 20 instead`: the step that was added or changed gets it."""
    number = _number_now(lately, reading)
    if number is None:
        return None
    rest, was_made = _MAKE_IT.subn("", thought.rest, count=1)
    if _PLAIN_NUMBER.fullmatch(rest) and (unit := _unit(lately, reading)) is not None:
        rest = f"{rest} {unit}"
    match reading.now_means(f"change step {number} to {rest}"):
        case Understood(instruction=Change(edits=(SetAction(name=name, action=action),)) as change, corrections=()):
            is_plain = bool(was_made) and (thought.rejects or thought.means) and not _is_said(action)
            is_talk = not is_plain and _is_text(lately.after.state(name).action, action, rest)
            return None if is_talk else Anew(back=False, instruction=change)
        case _:
            return None


def _number_now(lately: Lately, reading: Reading) -> int | None:
    names = [state.name for state in lately.after.states]
    return names.index(reading.now.step) + 1 if reading.now.step in names else None


def _is_said(action: Action) -> bool:
    """Whether a step says something, so that what sounds like a wish could be meant as its words."""
    return isinstance(action, Call) and "message" in action.params


def _is_text(old: Action, new: Action, said: str) -> bool:
    """Whether the value is a text that was said without quotes, which talk is too."""
    if not isinstance(old, Call) or not isinstance(new, Call) or said.startswith(('"', "“")):
        return False
    return any(value == said and old.params.get(name) != value for name, value in new.params.items())


def _unit(lately: Lately, reading: Reading) -> str | None:
    """The unit that the wait has in words, if it is one: a bare number is so many of it."""
    step = reading.now.step
    action = lately.after.state(step).action if step is not None else None
    if not isinstance(action, Wait) or not isinstance(action.seconds, int | float):
        return None
    said = _UNIT.search(lately.words)
    known = spoken(action.seconds).split()
    if len(known) == 2:
        return known[1] if known[1].endswith("s") else f"{known[1]}s"
    return said["unit"] if said is not None else None


def _quantity(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`actually 20`, after something with one number in it that is no step: the same words with that number."""
    rest = _MAKE_IT.sub("", thought.rest, count=1)
    words = lately.words
    found = list(_QUANTITY.finditer(words))
    if not _QUANTITY.fullmatch(rest) or len(found) != 1 or (was := found[0].group()) == rest:
        return None
    if _PLAIN_NUMBER.fullmatch(rest) and (unit := _UNIT.search(was)) is not None:
        rest = f"{rest} {unit['unit']}"
    sentence = f"{words[: found[0].start()]}{rest}{words[found[0].end() :]}"
    match reading.then_means(sentence):
        case Understood(instruction=instruction, corrections=()) if not isinstance(instruction, Change):
            is_made_anew = lately.kind == "create" and isinstance(instruction, Create)
            return Anew(back=True, sentence=sentence) if is_made_anew else None
        case Understood(instruction=Change(workflow=workflow)) if workflow == lately.workflow:
            return Anew(back=True, sentence=sentence)
        case _:
            return None


def _same_head(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`no, 1 minute per user`, after `cooldown 30 seconds`: what came before the number stays."""
    found = _QUANTITY.search(lately.words)
    if found is None or found.start() == 0 or not _QUANTITY.match(thought.rest) or _only_target(lately) is not None:
        return None
    sentence = f"{lately.words[: found.start()]}{thought.rest}"
    return None if lately.before is None else _understood_then(lately, sentence, reading)


# In another workflow ---------------------------------------------------------------------------------------------------------


def _workflow(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`no, in hype`: the same words about another workflow."""
    view = lookup(_SOME_STEP.sub("", thought.rest, count=1), reading.now)
    if view is None or view.definition.id == lately.workflow:
        return None
    words = lately.words
    named = re.compile(rf"(?<!\w){re.escape(lately.name)}(?!\w)", re.IGNORECASE)
    other = titled(view.definition.name)
    pattern = next((each for each in (named, _POINTING) if each.search(words)), None)
    sentence = f"in {other} {words}" if pattern is None else pattern.sub(lambda _: other, words, count=1)
    match reading.then_means(sentence):
        case Understood(instruction=Change(workflow=own) | SetEnabled(workflow=own), corrections=()) if (
            own == view.definition.id
        ):
            return Anew(back=True, sentence=sentence)
        case Understood(instruction=Delete(workflows=(own,)), corrections=()) if own == view.definition.id:
            return Anew(back=True, sentence=sentence)
        case _:
            return None


def about(instruction: Instruction, workflow: str) -> Instruction | None:
    """The same instruction about another workflow, where it is about one."""
    match instruction:
        case Delete():
            return Delete((workflow,))
        case (
            Rename()
            | SetEnabled()
            | RunWorkflow()
            | Control()
            | DryRun()
            | Backtest()
            | MoveRuns()
            | Show()
            | History()
            | Diff()
            | Export()
            | ListRuns()
            | Status()
            | Why()
        ):
            return replace(instruction, workflow=workflow)
        case _:
            return None
