"""Which steps of a workflow a reference means, and where a position is: numbers, kinds, names, contents.

Two steps that fit are never chosen between: the answer is a question whose options are references that mean one. Nothing
here knows sentences; it raises what has to be asked or refused as `Unsettled`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, assert_never

from pydantic import JsonValue
from rapidfuzz import process
from rapidfuzz.distance import OSA

from engine.model import Action, Call, Definition, Goto, State, Stop, Wait, all_states, blocks, destinations
from grammar.instruction import Instruction, Question, Refusal
from grammar.syntax import Called, It, Near, Nested, Numbered, OfKind, Position, Reference, Rest, Saying, Several, Span
from grammar.words import fold

BRACE: Final = re.compile(r"(?<![$\\])\{([^{}]*)\}")
"""A variable as it is typed, without its `$`."""


class Unsettled(Exception):
    """A sentence that has to be asked about or refused.

    Attributes:
        answer: What is asked or told.
        meant: What each of the numbered answers of a question means, as far as that is known.
    """

    def __init__(self, answer: Question | Refusal, meant: tuple[Instruction, ...] = ()) -> None:
        super().__init__(answer.text)
        self.answer = answer
        self.meant = meant


class Unclear(Exception):
    """A reference that fits several steps; whoever knows the whole sentence makes the question of it.

    Attributes:
        reference: What was said.
        exact: A reference for each step that fits, which fits nothing else.
        told: Each of them in words.
    """

    def __init__(self, reference: Reference, exact: "tuple[Numbered | Called, ...]", told: tuple[str, ...]) -> None:
        super().__init__(", ".join(told))
        self.reference = reference
        self.exact = exact
        self.told = told


def refuse(text: str, *suggestions: str, at: int | None = None) -> Unsettled:
    """A refusal to raise."""
    return Unsettled(Refusal(text, at, suggestions))


@dataclass(frozen=True, slots=True)
class Within:
    """A workflow's steps and the words for asking about them.

    Attributes:
        definition: The workflow as it is when this edit is made.
        name: Its name as it is said.
        describe: A step in canonical words.
        it: The step that was talked about last.
    """

    definition: Definition
    name: str
    describe: Callable[[State], str]
    it: str | None = None


def key(action: Action) -> str:
    """What a step does, as in `Kind.keys`."""
    return f"{action.service}.{action.method}" if isinstance(action, Call) else action.kind


def number_of(definition: Definition, name: str) -> int | None:
    """The number of an outermost step."""
    return next((n for n, state in enumerate(definition.states, 1) if state.name == name), None)


def names_beside(definition: Definition, without: str | None) -> frozenset[str]:
    """The names that are taken, but for one step and those inside it."""
    gone = set()
    if without is not None:
        gone = {state.name for state in all_states((definition.state(without),))}
    return frozenset(state.name for state in all_states(definition.states) if state.name not in gone)


def path_of(definition: Definition, name: str) -> str | None:
    """`3`, or `3.1` for a step inside another."""
    return _path(definition.states, name, "")


def _path(states: Iterable[State], name: str, above: str) -> str | None:
    for number, state in enumerate(states, 1):
        path = f"{above}{number}"
        if state.name == name:
            return path
        if (inside := _path(inside_of(state), name, f"{path}.")) is not None:
            return inside
    return None


def inside_of(state: State) -> tuple[State, ...]:
    """The steps of all the blocks of a step, in the order they are counted."""
    return tuple(inner for block in blocks(state.action) for inner in block.states)


def _nested(path: tuple[int, ...], within: Within) -> State:
    state = _numbered(path[0], within)
    for depth, number in enumerate(path[1:], 1):
        inside = inside_of(state)
        outer = ".".join(map(str, path[:depth]))
        if not 1 <= number <= len(inside):
            there = f"there are {steps(len(inside))} in it" if inside else "there are no steps in it"
            raise refuse(f"There is no step {outer}.{number} in {within.name}: step {outer} is there, and {there}.")
        state = inside[number - 1]
    return state


def all_of(reference: Reference, within: Within) -> tuple[State, ...]:
    """Every step a reference means, in the order they stand; at least one.

    Raises:
        Unsettled: None fits, or one is meant and several fit.
    """
    match reference:
        case Span():
            first, last = sorted((reference.first, reference.last))
            return tuple(_numbered(n, within) for n in _bounded(first, last, within))
        case Rest():
            return _rest(reference, within)
        case Near(reference=OfKind(every=True)):
            return tuple(_on_that_side(reference, within).values())
        case Several():
            found = {state.name: state for part in reference.parts for state in all_of(part, within)}
            return tuple(state for state in all_states(within.definition.states) if state.name in found)
        case OfKind(every=True):
            return _fitting(reference, within)
        case _:
            return (one_of(reference, within),)


def _rest(rest: Rest, within: Within) -> tuple[State, ...]:
    """The outermost steps on one side of another, between two, or all but some."""
    states = within.definition.states
    if rest.where == "but":
        kept = {_outermost(state, within) for state in all_of(_widely(rest.references[0]), within)}
        found = [state for number, state in enumerate(states, 1) if number not in kept]
    else:
        at = [_outermost(one_of(reference, within), within) for reference in rest.references]
        low, high = {
            "after": (at[0] + 1, len(states)),
            "from": (at[0], len(states)),
            "before": (1, at[0] - 1),
            "between": (min(at) + 1, max(at) - 1),
        }[rest.where]
        found = list(states[low - 1 : high])
    if not found:
        raise refuse(f"There are no such steps in {within.name}. {overview(within)}", *_numbers(within))
    return tuple(found)


def _near(near: Near, within: Within) -> State:
    """The one beside a step; if that is another, the only one there is on that side."""
    there = _on_that_side(near, within)
    at = _outermost(one_of(near.other, within), within)
    beside = there.get(at + 1 if near.where == "after" else at - 1)
    return beside if beside is not None else only(tuple(there.values()), near, within)


def _on_that_side(near: Near, within: Within) -> dict[int, State]:
    """Those that may be meant on one side of a step, by their outermost numbers."""
    at = _outermost(one_of(near.other, within), within)
    fitting = {_outermost(state, within): state for state in candidates(near.reference, within)}
    there = {
        number: state for number, state in fitting.items() if (number > at if near.where == "after" else number < at)
    }
    if not there:
        raise refuse(f"There is none {near.where} step {at} of {within.name}. {overview(within)}", *_numbers(within))
    return there


def _widely(reference: Reference) -> Reference:
    """What is kept where all else goes is meant in the wide sense: announcements are messages, too."""
    match reference:
        case OfKind(kind=kind) if kind.plural and kind.wider:
            return replace(reference, kind=replace(kind, keys=kind.keys | kind.wider))
        case _:
            return reference


def _outermost(state: State, within: Within) -> int:
    """The number of a step, or of the outermost one that it stands in."""
    path = path_of(within.definition, state.name)
    return int(path.split(".")[0]) if path is not None else 0


def one_of(reference: Reference, within: Within) -> State:
    """The one step a reference means.

    Raises:
        Unsettled: None fits, or several do.
    """
    match reference:
        case Numbered():
            return _numbered(reference.number, within)
        case Nested():
            return _nested(reference.path, within)
        case Called():
            return _called(reference.name, within)
        case Saying():
            return only(_containing(within.definition.states, reference.text), reference, within)
        case OfKind():
            fitting = _fitting(reference, within)
            talked_about = tuple(state for state in fitting if reference.it and state.name == within.it)
            return only(talked_about or fitting, reference, within)
        case Near():
            return _near(reference, within)
        case It():
            last = next((state for state in all_states(within.definition.states) if state.name == within.it), None)
            return last if last is not None else only(within.definition.states, reference, within)
        case Span() | Several() | Rest():
            return only(all_of(reference, within), reference, within)
        case _:
            assert_never(reference)


def candidates(reference: Reference, within: Within) -> tuple[State, ...]:
    """Every step that may be meant by a reference, whether or not it means one only; at least one.

    Raises:
        Unsettled: None fits.
    """
    match reference:
        case OfKind():
            return _fitting(reference, within)
        case Saying() if found := _containing(within.definition.states, reference.text):
            return found
        case It() if within.it is None:
            return within.definition.states
        case _:
            return all_of(reference, within)


def both(reference: Reference, within: Within) -> tuple[State, State]:
    """The two steps a reference means.

    Raises:
        Unsettled: It means another number of them.
    """
    if isinstance(reference, Several) and len(reference.parts) == 2:
        first, second = (one_of(part, within) for part in reference.parts)  # as said: the first takes the other's place
        return first, second
    found = candidates(reference, within)
    if len(found) != 2:
        raise refuse(f"Which two steps? {overview(within)}", *_numbers(within))
    return found[0], found[1]


def place(position: Position | None, within: Within) -> int:
    """The number a new step will have at a position.

    Raises:
        Unsettled: The position names a step that is not there, or is not clear.
    """
    count = len(within.definition.states)
    if position is None or position.where == "end":
        return _end(within.definition)
    if position.where == "start":
        return 1
    if position.where == "number":
        return _checked(position.number or 0, count, within)
    numbers = [_outer_number(one_of(reference, within), within) for reference in position.references]
    if position.where == "between":
        low, high = sorted(numbers)
        if high != low + 1:
            raise refuse(
                f"Steps {low} and {high} of {within.name} are not next to each other. Say before or after which one."
            )
        return high
    return numbers[0] + (position.where == "after")


def _end(definition: Definition) -> int:
    """The number of a step at the end of what is done when all goes well, which is not beyond a stop or inside what is done on a failure."""
    states = definition.states
    along = _along(definition)
    last = max((n for n, state in enumerate(states, 1) if state.name in along), default=len(states))
    leads_there = last == 1 or not isinstance(states[last - 2].action, Goto | Stop)
    return last if isinstance(states[last - 1].action, Stop) and leads_there else last + 1


def _along(definition: Definition) -> frozenset[str]:
    """The outermost steps that are come to if all goes well."""
    by_name = {state.name: state for state in definition.states}
    found: set[str] = set()
    ahead = [definition.initial_state]
    while ahead:
        state = by_name.get(ahead.pop())
        if state is None or state.name in found:
            continue
        found.add(state.name)
        if isinstance(state.action, Goto):
            ahead.append(state.action.to)
        elif "success" in state.transitions:
            ahead.extend(destinations(state.transitions["success"]))
    return frozenset(found)


def moved_place(current: int, position: Position, within: Within) -> int:
    """The number a step will have after it was moved from its number to a position."""
    count = len(within.definition.states)
    if position.where in ("start", "end"):
        return 1 if position.where == "start" else _before_leaving(_end(within.definition), current)
    if position.where == "number":
        return _checked(position.number or 0, count - 1, within)
    if position.where in ("up", "down"):
        at = current - 1 if position.where == "up" else current + 1
        if not 1 <= at <= count:
            raise refuse(f"It is the {'first' if at < 1 else 'last'} step of {within.name} already.")
        return at
    return _before_leaving(place(position, within), current)


def _before_leaving(at: int, current: int) -> int:
    """A place as it is counted once the step that goes there is out of the way."""
    return at - 1 if at > current else at


def _checked(number: int, count: int, within: Within) -> int:
    if not 1 <= number <= count + 1:
        raise refuse(f"There is no place {number}: {within.name} has {steps(count)}.", "at the end")
    return number


def _outer_number(state: State, within: Within) -> int:
    number = number_of(within.definition, state.name)
    if number is None:
        raise refuse(f'Step "{state.name}" stands inside another step; I can put steps only between the outer ones.')
    return number


def _numbered(number: int, within: Within) -> State:
    states = within.definition.states
    if not 1 <= number <= len(states):
        raise refuse(f"There is no step {number}: {within.name} has {steps(len(states))}.", *_numbers(within))
    return states[number - 1]


def _bounded(first: int, last: int, within: Within) -> range:
    _numbered(first, within)
    _numbered(last, within)
    return range(first, last + 1)


def _called(name: str, within: Within) -> State:
    states = tuple(all_states(within.definition.states))
    for state in states:
        if state.name == name:
            return state
    folded = fold(name)
    same = [state for state in states if fold(state.name) == folded]
    if len(same) == 1:
        return same[0]
    near = nearest(name, [state.name for state in states])
    hint = f" Did you mean {near[0]}?" if near else ""
    raise refuse(f'{within.name} has no step "{name}".{hint}', *near)


def _most(states: list[State], extreme: Literal["longest", "shortest"]) -> list[State]:
    """The waits that take the longest or the least of those of which that is known; one alone is neither."""
    lengths = [
        s.action.seconds for s in states if isinstance(s.action, Wait) and isinstance(s.action.seconds, int | float)
    ]
    if len(lengths) < 2:
        return []
    wanted = max(lengths) if extreme == "longest" else min(lengths)
    return [s for s in states if isinstance(s.action, Wait) and s.action.seconds == wanted]


def _fitting(reference: OfKind, within: Within) -> tuple[State, ...]:
    kind = reference.kind
    states = within.definition.states if not kind.keys else tuple(all_states(within.definition.states))
    fitting = [state for state in states if not kind.keys or key(state.action) in kind.keys]
    fitting = fitting or [state for state in states if key(state.action) in kind.wider]
    if reference.content is not None:
        fitting = list(_containing(tuple(fitting), reference.content)) or _by_name(fitting, reference.content)
    if reference.seconds is not None:
        fitting = [s for s in fitting if isinstance(s.action, Wait) and s.action.seconds == reference.seconds]
    if reference.extreme is not None:
        fitting = _most(fitting, reference.extreme)
    if reference.content is None and reference.seconds is None and reference.extreme is None:
        fitting = fitting or _by_name(states, kind.words)
    if not fitting:
        shown = kind.words if reference.content is None else f'{kind.words} with "{reference.content}"'
        shown += " of that length" if reference.seconds is not None else ""
        shown += f" to call the {reference.extreme}" if reference.extreme is not None else ""
        raise refuse(f"{within.name} has no {shown}. {overview(within)}", *_numbers(within))
    if reference.ordinal is None:
        return tuple(fitting)
    index = reference.ordinal - 1 if reference.ordinal > 0 else reference.ordinal
    if not -len(fitting) <= index < len(fitting):
        many = f"only {len(fitting)} of those" if len(fitting) > 1 else "only one of those"
        raise refuse(f"{within.name} has {many}. {overview(within)}", *_numbers(within))
    return (fitting[index],)


def _by_name(states: Iterable[State], words: str) -> list[State]:
    return [state for state in states if fold(state.name) == fold(words)]


def _containing(states: tuple[State, ...], text: str) -> tuple[State, ...]:
    wanted = BRACE.sub(r"${\1}", " ".join(text.casefold().split()))
    return tuple(state for state in all_states(states) if any(wanted in said for said in _texts(state.action)))


def _texts(action: Action) -> list[str]:
    values: list[JsonValue] = list(action.params.values()) if isinstance(action, Call) else []
    return [" ".join(value.casefold().split()) for value in values if isinstance(value, str)]


def only(states: tuple[State, ...], reference: Reference, within: Within) -> State:
    """The one state there is.

    Raises:
        Unsettled: There is none.
        Unclear: There are several.
    """
    if not states:
        said = f' that says "{reference.text}"' if isinstance(reference, Saying) else " like that"
        raise refuse(f"{within.name} has no step{said}. {overview(within)}", *_numbers(within))
    if len(states) == 1:
        return states[0]
    exact = tuple(exactly(state, within.definition) for state in states[:9])
    told = tuple(f"{_said(each)} {within.describe(state)}" for each, state in zip(exact, states, strict=False))
    raise Unclear(reference, exact, told)


def exactly(state: State, definition: Definition) -> Numbered | Called:
    """A reference to that step and no other."""
    number = number_of(definition, state.name)
    return Called(state.name) if number is None else Numbered(number)


def _said(reference: Numbered | Called) -> str:
    return f"step {reference.number}:" if isinstance(reference, Numbered) else f'step "{reference.name}":'


def overview(within: Within) -> str:
    """The steps of a workflow in one line, for answers."""
    shown = [f"{n} {within.describe(state)}" for n, state in enumerate(within.definition.states, 1)]
    more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
    return f"Its steps: {' · '.join(shown[:6])}{more}."


def _numbers(within: Within) -> tuple[str, ...]:
    return tuple(f"step {n}" for n in range(1, min(len(within.definition.states), 9) + 1))


def steps(count: int) -> str:
    """`1 step`, `3 steps`."""
    return "1 step" if count == 1 else f"{count} steps"


def nearest(name: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Known names that look like this one, best first."""
    folded = fold(name)[:64]
    by_fold = {fold(each): each for each in known}
    cutoff = max(1, len(folded) // 3)
    found = process.extract(folded, list(by_fold), scorer=OSA.distance, score_cutoff=cutoff, limit=limit)
    return tuple(by_fold[match] for match, _, _ in found)
