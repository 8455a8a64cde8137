r"""Steps as they were said, on their way to states: names still to be given, variables still to be recognised.

`linked` makes the states of a new workflow, which follow each other; `loose` makes states to be put into one, which
`engine.edits` links. `{name}` in a typed text becomes `${name}` if that variable is known there, `\\{` stays a brace.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from engine.declare import Declarations
from engine.edits import map_blocks
from engine.events import kind_of
from engine.expressions import paths_in
from engine.keys import key_of
from engine.model import (
    Action,
    Block,
    Call,
    Definition,
    Emit,
    ForEach,
    Goto,
    Repeat,
    Run,
    Set,
    State,
    Stop,
    Target,
    Trigger,
    Wait,
    WaitFor,
    all_states,
)
from engine.names import expected, fresh, verb
from grammar.at_home import at_home
from grammar.counters import Counts, mark, valued
from grammar.posted import OF_A_FILE, after, started_by, with_messages
from grammar.spoken_values import BY_COMMAND, meant, near, settled

ALWAYS_KNOWN: Final = frozenset(
    {"user", "caller", "event", "date", "time", "clock", "weekday", "title", "category", "viewers"}
)
NO_COUNTS: Final = Counts()
_MARK: Final = "\0\ufdd0"
THEM: Final = "${\ufdd0them}"
"""Whom a step before it is about, as "them" says; who that is depends on the steps before."""
OTHER: Final = "${\ufdd0other}"
"""The same of a deed that nobody asks for for themselves: whom a command names, if a command starts it."""
PICKED: Final = "${\ufdd0picked}"
"""What the step before it has picked; how that is written depends on the name that step gets."""
_BRACE: Final = re.compile(r"\\\{|(?<![$\\])\{(?P<name>[^\W\d]\w*(?:\.\w+)*)\}")
_VARIABLE: Final = re.compile(r"\$\{([^\W\d]\w*)\}")
_ABOUT: Final = "${user}"
_NAME_IN_TEXT: Final = re.compile(r"[^\W\d]\w*")
_NAMED: Final = re.compile(r"\$\{([^\W\d]\w*)")
_TO_ESCAPE: Final = re.compile(r"(?<=\\)\{|(?<![$\\])\{(?=[^\W\d]\w*(?:\.\w+)*\})")


class MissingPiece(Exception):
    """Something was left out that only the asker can say.

    Attributes:
        question: How it is asked for.
        end: Offset in the sentence after which the answer goes; its end if None.
        joint: What stands between the sentence and the answer.
        verbatim: Whether the answer is a text, to be quoted.
    """

    def __init__(self, question: str, *, end: int | None = None, joint: str = "", verbatim: bool = False) -> None:
        super().__init__(question)
        self.question = question
        self.end = end
        self.joint = joint
        self.verbatim = verbatim

    def gap(self, sentence: str) -> str:
        """The sentence with `{}` where the answer goes; its own braces are not doubled, there is one `{}` only."""
        end = len(sentence) if self.end is None else self.end
        return f"{sentence[:end].rstrip()}{self.joint} {{}}{sentence[end:]}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A step as it was said. It and the steps inside it that were given no name have a placeholder for one.

    Attributes:
        state: The step; its name counts only if `named`.
        named: Whether its name was written.
        typed: Whether its texts were typed in a sentence; those of JSON are kept as they are.
        ends: Whether it was said that nothing follows.
        verbatim: Names of the steps inside it whose texts are kept as they are.
    """

    state: State
    named: bool = False
    typed: bool = True
    ends: bool = False
    verbatim: frozenset[str] = frozenset()


def variables_of(triggers: Iterable[Trigger], known: Iterable[str]) -> frozenset[str]:
    """The names that `{name}` in a text may mean without `$`: what the triggers bring, and what is known beside."""
    fields = {name for trigger in triggers if (kind := kind_of(trigger.on)) is not None for name in kind.fields}
    return frozenset({*ALWAYS_KNOWN, *fields, *known})


def named_in(states: tuple[State, ...]) -> frozenset[str]:
    """The variables that texts of these states name already."""
    found: set[str] = set()
    for state in all_states(states):
        if isinstance(state.action, Call):
            texts = [value for value in state.action.params.values() if isinstance(value, str)]
            found.update(name for text in texts for name in _NAMED.findall(text))
    return frozenset(found)


def _kept_in(drafts: Iterable[Draft]) -> frozenset[str]:
    """The variables that some steps keep themselves."""
    found: set[str] = set()
    for state in all_states(tuple(draft.state for draft in drafts)):
        match state.action:
            case Set(values=values):
                found.update(values)
            case ForEach(variable=variable):
                found.add(variable)
            case _:
                pass
    return frozenset(found)


def flows_on(action: Action) -> bool:
    """Whether the next line follows by itself; after `go to` and `stop` nothing does."""
    return not isinstance(action, Goto | Stop)


def in_a_row(drafts: Sequence[Draft]) -> tuple[State, ...]:
    """The states of steps that follow each other, each leading to the next unless it says otherwise."""
    following = (*(draft.state.name for draft in drafts[1:]), None)
    return tuple(
        draft.state if to is None or draft.ends else _leading(draft.state, to)
        for draft, to in zip(drafts, following, strict=True)
    )


def _leading(state: State, to: str) -> State:
    if "success" in state.transitions or not flows_on(state.action):
        return state
    return state.model_copy(update={"transitions": {"success": to, **state.transitions}})


def linked(
    steps: tuple[Draft, ...],
    known: frozenset[str] | None,
    declarations: Declarations,
    counts: Counts = NO_COUNTS,
    triggers: tuple[Trigger, ...] | None = None,
) -> tuple[State, ...]:
    """The states of a new workflow, each leading to the next unless it says otherwise.

    Args:
        steps: The outermost steps.
        known: The variables that `{name}` may mean; None keeps all texts as they are.
        declarations: Where the usual names come from.
        counts: The counters that it may mean, beside those that these steps count.
        triggers: What starts it; None in a file, where everything is written out.
    """
    apart = _apart(steps)
    counts = counts.among(all_states(tuple(draft.state for draft in apart)))
    known = None if known is None else known | _kept_in(apart) | _typed_to(triggers or ())
    states = in_a_row(tuple(_with_variables(draft, known, counts) for draft in apart))
    posts = OF_A_FILE if triggers is None else started_by(triggers)
    there = at_home(states, posts, declarations, THEM)
    about = _Told(*_whom(triggers or ()), {}, declarations)
    told = _finished(there, _usual_names(there, declarations), counts, about)
    return with_messages(told, posts, declarations)


def _finished(states: tuple[State, ...], names: Mapping[str, str], counts: Counts, about: "_Told") -> tuple[State, ...]:
    """States under their names, with what texts and params mean by the steps before them."""
    told = _with_persons(_renamed(states, names), about)
    return _with_counts(told, counts) if counts.meant else told


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told behind some steps.

    Attributes:
        them: Whom it is about.
        other: The same of a deed that nobody asks for for themselves.
        made: What words may mean of the results so far, with where it is.
        declarations: What steps give.
    """

    them: str
    other: str
    made: Mapping[str, str]
    declarations: Declarations

    def after(self, state: State) -> "_Told":
        """The same behind one more step."""
        action = state.action
        if _NAME_IN_TEXT.fullmatch(state.name) is None:
            return self
        if isinstance(action, WaitFor) and action.who is None and _is_about_somebody(action.event):
            return replace(self, them=f"${{{state.name}.user}}", other=f"${{{state.name}.user}}")
        method = self.declarations.find(action.service, action.method) if isinstance(action, Call) else None
        if method is None or not method.gives:
            return self
        return replace(self, made={**self.made, **{name: f"${{{state.name}.{name}}}" for name in method.gives}})


def _whom(triggers: Iterable[Trigger]) -> tuple[str, str]:
    """Whom it is about, and whom a command names if only commands start it."""
    return _ABOUT, "${target}" if _typed_to(triggers) else _ABOUT


def _typed_to(triggers: Iterable[Trigger]) -> frozenset[str]:
    """That only commands start it, if so."""
    guards = [trigger.when for trigger in triggers]
    commanded = bool(guards) and all(guard is not None and "command" in paths_in(guard) for guard in guards)
    return frozenset({BY_COMMAND} if commanded else ())


def _usual_names(states: tuple[State, ...], declarations: Declarations) -> dict[str, str]:
    """For each placeholder the name the rules give at its place, or a free one if that is taken."""
    taken = {state.name for state in all_states(states)}
    names: dict[str, str] = {}
    stems: list[str] = []
    for state in all_states(states):
        usual = expected(state.action, stems, declarations)
        stems.append(verb(state.action, declarations))
        if is_placeholder(state.name):
            names[state.name] = fresh(state.action, taken, declarations) if usual in taken else usual
            taken.add(names[state.name])
    return names


def loose(
    steps: tuple[Draft, ...],
    known: frozenset[str],
    taken: Iterable[str],
    declarations: Declarations,
    counts: Counts = NO_COUNTS,
    definition: Definition | None = None,
) -> tuple[State, ...]:
    """States with names of their own that lead nowhere unless they say so, for a workflow."""
    posts = OF_A_FILE
    if definition is not None:
        posts = after(definition.states, started_by(definition.triggers), declarations)
    apart = _apart(steps)
    counts = counts.among(all_states(tuple(draft.state for draft in apart)))
    known |= _kept_in(apart) | _typed_to(definition.triggers if definition is not None else ())
    said = tuple(_with_variables(draft, known, counts).state for draft in apart)
    states = at_home(said, posts, declarations, THEM)
    used = {*taken, *(state.name for state in all_states(states))}
    names: dict[str, str] = {}
    for state in all_states(states):
        if is_placeholder(state.name):
            names[state.name] = fresh(state.action, used, declarations)
            used.add(names[state.name])
    about = _Told(*_whom(definition.triggers if definition is not None else ()), {}, declarations)
    for state in all_states(definition.states) if definition is not None else ():
        about = replace(about, made=about.after(state).made)
    return with_messages(_finished(states, names, counts, about), posts, declarations)


# Placeholders -----------------------------------------------------------------------------------------------------------


def placeholder(path: str) -> str:
    """What a step is called until it has a name; no two in one row of steps have the same path."""
    return f"{_MARK}{path}"


def is_placeholder(name: str) -> bool:
    """Whether a step still has no name."""
    return name.startswith(_MARK)


def _apart(steps: tuple[Draft, ...]) -> tuple[Draft, ...]:
    """The same steps with placeholders that differ, also where they come from different sentences."""
    apart: list[Draft] = []
    for number, draft in enumerate(steps):
        mapping = {
            state.name: placeholder(f"{number}:{state.name}")
            for state in all_states((draft.state,))
            if is_placeholder(state.name)
        }
        if not draft.named:
            mapping[draft.state.name] = placeholder(f"{number}:")
        (state,) = _renamed((draft.state,), mapping)
        verbatim = frozenset(mapping.get(name, name) for name in draft.verbatim)
        apart.append(replace(draft, state=state, verbatim=verbatim))
    return tuple(apart)


def _renamed(states: tuple[State, ...], names: Mapping[str, str]) -> tuple[State, ...]:
    """The same states, however deep, under other names."""
    if not names:
        return states
    return tuple(_under_name(state, names) for state in states)


def _under_name(state: State, names: Mapping[str, str]) -> State:
    transitions = {event: _led(target, names) for event, target in state.transitions.items()}
    action = map_blocks(state.action, lambda block: _renamed_block(block, names))
    if action.kind == "goto" and isinstance(action, Goto) and action.to in names:
        action = Goto(to=names[action.to])
    name = names.get(state.name, state.name)
    if name == state.name and action is state.action and transitions == state.transitions:
        return state
    return state.model_copy(update={"name": name, "transitions": transitions, "action": action})


def _renamed_block(block: Block, names: Mapping[str, str]) -> Block:
    initial = names.get(block.initial_state, block.initial_state)
    return block.model_copy(update={"initial_state": initial, "states": _renamed(block.states, names)})


def _led(target: Target, names: Mapping[str, str]) -> Target:
    if isinstance(target, str):
        return names.get(target, target)
    return tuple(way.model_copy(update={"to": names.get(way.to, way.to)}) for way in target)


def _with_persons(states: tuple[State, ...], about: _Told) -> tuple[State, ...]:
    """The same states with a person for each "them": who was waited for in a step before, else whom the start is about."""
    made: list[State] = []
    for before, state in zip((None, *states), states, strict=False):
        told = state if before is None else _with_picked(state, before.name)
        made.append(_with_person(told, about))
        about = about.after(state)
    return tuple(made)


def _with_person(state: State, about: _Told) -> State:
    action = state.action
    persons = {THEM: about.them, OTHER: about.other}
    if isinstance(action, Call) and any(
        isinstance(value, str) and value in persons for value in action.params.values()
    ):
        params = {
            name: persons.get(value, value) if isinstance(value, str) else value
            for name, value in action.params.items()
        }
        action = Call(service=action.service, method=action.method, params=params)
    action = map_texts(action, lambda text: meant(text, about.made))
    inner = map_blocks(action, lambda block: block.model_copy(update={"states": _with_persons(block.states, about)}))
    return state if inner is state.action else state.model_copy(update={"action": inner})


def _with_picked(state: State, name: str) -> State:
    action = state.action
    if not isinstance(action, Call) or PICKED not in action.params.values():
        return state
    params = {key: f"${{{name}}}" if value == PICKED else value for key, value in action.params.items()}
    return state.model_copy(update={"action": Call(service=action.service, method=action.method, params=params)})


def _is_about_somebody(event: str) -> bool:
    kind = kind_of(event)
    return kind is not None and "user" in kind.fields


def _with_counts(states: tuple[State, ...], counts: Counts) -> tuple[State, ...]:
    """The same states with a value for each counter that a text of theirs means, as things stand behind those before."""
    made: list[State] = []
    for state in states:
        made.append(_with_count(state, counts))
        counts = counts.after(state)
    return tuple(made)


def _with_count(state: State, counts: Counts) -> State:
    action = map_texts(state.action, lambda text: valued(text, counts))
    inner = map_blocks(action, lambda block: block.model_copy(update={"states": _with_counts(block.states, counts)}))
    return state if inner is state.action else state.model_copy(update={"action": inner})


# Texts ------------------------------------------------------------------------------------------------------------------


def _with_variables(draft: Draft, known: frozenset[str] | None, counts: Counts) -> Draft:
    """A step whose typed texts name known variables properly; where none are known they are as they were typed."""
    raw = draft.verbatim if draft.typed else draft.verbatim | {draft.state.name}

    def proper(text: str) -> str:
        return meant(text, {}) if known is None else recognise(settled(text, known), known, counts)

    state = map_state_texts(draft.state, proper, lambda state: state.name not in raw)
    return draft if state is draft.state else replace(draft, state=state)


def map_state_texts(state: State, change: Callable[[str], str], typed: Callable[[State], bool]) -> State:
    """A state with the texts of its action changed, and of those inside it, where they were typed."""
    action = map_texts(state.action, change) if typed(state) else state.action
    inner = map_blocks(
        action,
        lambda block: block.model_copy(
            update={"states": tuple(map_state_texts(each, change, typed) for each in block.states)}
        ),
    )
    return state if inner is state.action else state.model_copy(update={"action": inner})


def recognise(text: str, known: frozenset[str], counts: Counts = NO_COUNTS) -> str:
    r"""A typed text with `{name}` as `${name}` if that or what it nearly names is known, a mark if it is a counter, and `\{` as `{`."""
    if "{" not in text:
        return text

    def put(match: re.Match[str]) -> str:
        name = match.group("name")
        if name is None:
            return "{"
        if name.partition(".")[0] in known or name in known:
            return f"${match.group()}"
        if key_of(name) in counts.meant:
            return mark(counts.meant[key_of(name)])
        nearly = near(name, known)
        return match.group() if nearly is None else f"${{{nearly}}}"

    def meaning(match: re.Match[str]) -> str:
        name = match.group(1)
        nearly = None if name in known else near(name, known - ALWAYS_KNOWN)
        return match.group() if nearly is None else f"${{{nearly}}}"

    return _VARIABLE.sub(meaning, _BRACE.sub(put, text))


def escaped(text: str) -> str:
    r"""The text that `recognise` turns into this one, whatever is known."""
    return _TO_ESCAPE.sub(r"\\{", text)


def map_texts(action: Action, change: Callable[[str], str]) -> Action:
    """An action with its own texts changed, in which variables may stand."""
    match action:
        case Call():
            params = _changed(action.params, change)
            same = params == action.params
            return action if same else Call(service=action.service, method=action.method, params=params)
        case Wait(seconds=str() as seconds):
            return Wait(seconds=change(seconds))
        case WaitFor(who=str() as who):
            return action.model_copy(update={"who": change(who)})
        case ForEach(items=str() as items):
            return action.model_copy(update={"items": change(items)})
        case Repeat(times=str() as times):
            return action.model_copy(update={"times": change(times)})
        case Set():
            return Set(values=_changed(action.values, change))
        case Run():
            return action.model_copy(update={"arguments": _changed(action.arguments, change)})
        case Emit():
            return action.model_copy(update={"payload": _changed(action.payload, change)})
        case _:
            return action


def _changed(values: Mapping[str, JsonValue], change: Callable[[str], str]) -> dict[str, JsonValue]:
    return {name: change(value) if isinstance(value, str) else value for name, value in values.items()}
