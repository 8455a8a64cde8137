"""What is put right in the change just made without naming a step: its words, one of its two, later, per person, vips too.

As in `bot.corrections`, which tries these among its own ways, what the words mean is found by reading whole sentences made
of them, and nothing is changed here.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from rapidfuzz import fuzz

from bot.answers import Thought
from bot.lately import Lately
from bot.rereading import Anew, Correction, Reading
from engine.edits import (
    AddTrigger,
    Edit,
    InsertSteps,
    RemoveSteps,
    ReplaceStep,
    SetAction,
    SetPolicy,
    SetTriggers,
    SetVariable,
    names_in,
)
from engine.model import Call, State, Wait
from grammar.instruction import Change, Understood
from grammar.references import key

Way: TypeAlias = Callable[[Lately, Thought, Reading], Correction | None]

_MAKE_IT: Final = re.compile(
    r"(?:(?:make|set|change) (?:it|that|them|both|those)(?: to(?: be)?)?|both)\s+", re.IGNORECASE
)
_ONLY: Final = re.compile(
    r"(?:only|just) (?:the )?(?P<place>first|1st|second|2nd|third|3rd|last)(?: (?:one|wait|step|message))?"
    r"(?:,? (?:to|should be|is)?\s*(?P<value>.+))?",
    re.IGNORECASE,
)
_PLACES: Final = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "last": -1}
_LATER: Final = re.compile(r"(?:but )?(?:only )?(?:after|in)\s+(?P<length>.+?)(?: later)?", re.IGNORECASE)
_RIGHT_AWAY: Final = frozenset(
    {"right away", "immediately", "at once", "straight away", "instantly", "so soon", "yet", "right now", "that fast"}
)
_ROLES: Final = re.compile(r"only (?P<roles>.+) may run it")
_ALIKE: Final = 70.0
_MOST_WORDS: Final = 12
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


# One of those, or all of them ------------------------------------------------------------------------------------------------


def _several_values(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`make it 20 instead`, after two waits were changed: both of them."""
    numbers = _altered(lately)
    value = _MAKE_IT.sub("", thought.rest, count=1)
    if len(numbers) < 2 or (value == thought.rest and not _NUMBER.match(value)):
        return None
    steps = " and ".join(f"step {number}" for number in numbers)
    return _changed_now(f"change {steps} to {value}", lately, reading)


def _only_one(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`only the second one 20`: that of those that were changed; without a value the others stay as they were."""
    said = _ONLY.fullmatch(thought.rest)
    if said is None or lately.before is None:
        return None
    place, value = _PLACES[said["place"].casefold()], said["value"]
    if value:
        numbers = _altered(lately)
        if len(numbers) < 2 or not -len(numbers) <= place < len(numbers):
            return None
        return _changed_now(f"change step {numbers[place]} to {value}", lately, reading)
    each = tuple(_each(lately.edits))
    if len(each) < 2 or not -len(each) <= place < len(each):
        return None
    return Anew(back=True, instruction=Change(lately.workflow, (each[place],)))


def _each(edits: tuple[Edit, ...]) -> Iterator[Edit]:
    """Edits of one step each, where several were made alike."""
    for edit in edits:
        match edit:
            case RemoveSteps(names=names):
                yield from (RemoveSteps((name,)) for name in names)
            case SetAction():
                yield edit
            case _:
                return


def _altered(lately: Lately) -> list[int]:
    """The numbers of the steps that were altered, if nothing else was done."""
    if not all(isinstance(edit, SetAction) for edit in lately.edits):
        return []
    names = {name for edit in lately.edits for name in names_in(edit)}
    return [number for number, state in enumerate(lately.after.states, 1) if state.name in names]


def _changed_now(sentence: str, lately: Lately, reading: Reading) -> Correction | None:
    match reading.now_means(sentence):
        case Understood(instruction=Change(workflow=workflow, edits=edits) as change, corrections=()) if (
            workflow == lately.workflow and all(isinstance(edit, SetAction) for edit in edits)
        ):
            return Anew(back=False, instruction=change)
        case _:
            return None


# Other words -----------------------------------------------------------------------------------------------------------------


def _other_words(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`oops I mean happy birthday`: the text just written, or the part of it that looks like that."""
    if not (thought.means or thought.rejects) or len(thought.rest.split()) > _MOST_WORDS:
        return None
    texts = [(state, param, text) for state in _made(lately) for param, text in _texts(state)]
    found = [(state, param, new) for state, param, text in texts if (new := _put_right(text, thought.rest)) is not None]
    if len(found) != 1:
        return None
    state, param, new = found[0]
    assert isinstance(state.action, Call)  # noqa: S101  only a call has texts
    action = state.action.model_copy(update={"params": {**state.action.params, param: new}})
    return Anew(back=False, instruction=Change(lately.workflow, (SetAction(state.name, action),)))


def _made(lately: Lately) -> tuple[State, ...]:
    """The steps that were made or altered last, as they are."""
    if lately.before is None:
        return lately.after.states
    names = {name for edit in lately.edits for name in names_in(edit)}
    return tuple(state for state in lately.after.states if state.name in names)


def _texts(state: State) -> Iterator[tuple[str, str]]:
    if isinstance(state.action, Call):
        yield from ((key, value) for key, value in state.action.params.items() if isinstance(value, str))


def _put_right(text: str, meant: str) -> str | None:
    """A text with what looks like the words that were meant replaced by them; None if nothing does, or it says them already."""
    words, length = text.split(), len(meant.split())
    if meant.casefold() == text.casefold() or not words:
        return None
    if fuzz.ratio(text.casefold(), meant.casefold()) >= _ALIKE:
        return meant
    starts = [match.start() for match in re.finditer(r"\S+", text)]
    ends = [match.end() for match in re.finditer(r"\S+", text)]
    spans = [(starts[at], ends[at + length - 1]) for at in range(len(words) - length + 1)]
    rated = [(fuzz.ratio(text[begin:end].casefold(), meant.casefold()), begin, end) for begin, end in spans]
    score, begin, end = max(rated, default=(0.0, 0, 0))
    if not _ALIKE <= score < 100:
        return None
    return f"{text[:begin]}{meant}{text[end:]}"


# Instead of a part ----------------------------------------------------------------------------------------------------------


def _in_place_of(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`not #clips, general`: the step that had the one has the other."""
    if not thought.denied:
        return None
    for value in (thought.rest, f"#{thought.rest}"):
        found = _changed_now(f"use {value} instead of {thought.denied}", lately, reading)
        if found is not None and _does_the_same(found, lately):
            return found
    return None


def _does_the_same(correction: Correction, lately: Lately) -> bool:
    """Whether every step goes on doing what it does, with another value."""
    match correction:
        case Anew(instruction=Change(edits=edits)):
            pairs = [
                (lately.after.state(edit.name).action, edit.action) for edit in edits if isinstance(edit, SetAction)
            ]
            return all(key(old) == key(new) for old, new in pairs)
        case _:
            return False


def _later(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`not right away, after 10 min`: a wait comes before what was just put in."""
    said = _LATER.fullmatch(thought.rest)
    if said is None or (thought.denied and thought.denied.casefold() not in _RIGHT_AWAY):
        return None
    first = _first_put_in(lately)
    if first is None or not (thought.denied or thought.rejects):
        return None
    match reading.now_means(f"add wait {said['length']} before step {first}"):
        case Understood(
            instruction=Change(workflow=workflow, edits=(InsertSteps(states=(State(action=Wait()),)),)) as change,
            corrections=(),
        ) if workflow == lately.workflow:
            return Anew(back=False, instruction=change)
        case _:
            return None


def _first_put_in(lately: Lately) -> int | None:
    """The number of the first step that came with the change."""
    if lately.before is None:
        return 1
    match lately.edits:
        case (InsertSteps(states=(first, *_)) | ReplaceStep(states=(first, *_)),):
            names = [state.name for state in lately.after.states]
            return names.index(first.name) + 1 if first.name in names else None
        case _:
            return None


# More of it -------------------------------------------------------------------------------------------------------------------


def _with_that(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`per person I mean`, after a cooldown: what was said, with that."""
    is_heading = lately.edits and all(
        isinstance(edit, SetPolicy | SetTriggers | AddTrigger | SetVariable) for edit in lately.edits
    )
    if not thought.means or not is_heading:
        return None
    match reading.then_means(f"{lately.said} {thought.rest}"):
        case Understood(instruction=Change(workflow=workflow, edits=edits) as change, corrections=()) if (
            workflow == lately.workflow
            and edits != lately.edits
            and [type(edit) for edit in edits] == [type(edit) for edit in lately.edits]
        ):
            return Anew(back=True, instruction=change)
        case _:
            return None


def amended_roles(lately: Lately, thought: Thought, reading: Reading) -> Correction | None:
    """`vips too`, `no vips after all`: who may run it, as it is, with them or without; `no cooldown either` is that rule gone."""
    said = _ROLES.search(reading.language.say_definition(lately.after))
    if thought.turn == "less" and (gone := _rules_now(f"no {thought.rest}", lately, reading)) is not None:
        return gone
    if said is None or (thought.turn == "more" and not _ROLES.search(lately.said)):
        return None
    roles = re.split(r",\s+|\s+and\s+", said["roles"])
    named = re.split(r",\s+|\s+and\s+", thought.rest)
    left = [*roles, *named] if thought.turn == "more" else [role for role in roles if not _is_one_of(role, named)]
    if not left or len(left) == len(roles):
        return None
    return _rules_now(f"only {', '.join(left[:-1])}{' and ' if left[1:] else ''}{left[-1]} may run it", lately, reading)


def _rules_now(sentence: str, lately: Lately, reading: Reading) -> Correction | None:
    match reading.now_means(sentence):
        case Understood(instruction=Change(workflow=workflow, edits=(SetPolicy(),)) as change, corrections=read) if (
            workflow == lately.workflow
        ):
            return Anew(back=False, instruction=change, read=read)
        case _:
            return None


def _is_one_of(role: str, named: list[str]) -> bool:
    """Whether a role as it is said back is one of those typed: `moderators` is `mods`, or `mod`."""
    return any(role.startswith(each.casefold().removeprefix("the ").rstrip("s")) for each in named)


FIRST_AMENDMENTS: Final[tuple[Way, ...]] = (_several_values, _only_one, _in_place_of, _later)
"""What is tried before a message is read as the next sentence."""
LAST_AMENDMENTS: Final[tuple[Way, ...]] = (_with_that, _other_words)
"""What is tried when nothing else is found."""
