"""What `the one that's left`, `those two` and `between them` point at: steps, by what this person changed last.

The words are put into a sentence as the steps they mean, which is then read like any other. Nothing is chosen: where it is
not plain which steps are meant, there is no such sentence.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from bot.catalogue import undoable
from bot.hearing import Heard, Hearing
from bot.instructions.versions import same_person
from bot.lately import FOR_SO_LONG
from engine.model import Definition, State, Wait
from engine.ports import ChangeRecord
from grammar.references import key

_LEFT: Final = re.compile(
    r"\bthe (?:only )?(?:one|step)(?: that'?s| that is| which is)? (?:left|remaining|still there)\b|\bthe (?:remaining|last remaining|other) (?:one|step)\b",
    re.IGNORECASE,
)
_TWO: Final = re.compile(
    r"\b(?P<verb>swap|switch|exchange|flip|between|betwen|bewteen|beetween)(?P<around> around)? (?:them|those(?: two)?|these(?: two)?|the two(?: of them)?|both)\b(?: of them)?",
    re.IGNORECASE,
)
_AFTER_THAT: Final = re.compile(
    r"(?:then )?(?:right )?after (?:that|this|it),?\s+(?P<rest>\S.*)", re.IGNORECASE | re.DOTALL
)
_AND: Final = re.compile(r"\A(?:and|ok|okay|so|now)\s+", re.IGNORECASE)
Made: TypeAlias = tuple[Definition | None, Definition]
"""A workflow before and after a change."""
_ITS: Final = re.compile(r"\bits (?=[a-z])", re.IGNORECASE)
_TOO_LONG: Final = re.compile(
    r"(?P<what>the \w+(?: (?!is\b|was\b)\w+)?|that|it|this)(?:'?s| is| was)? (?:\w+ ){0,2}?(?:long|short)[.,;:!-]+\s*(?:make (?:it|that) )?(?P<value>\d.*)",
    re.IGNORECASE,
)
_LONGEST: Final = 300
_QUOTED: Final = re.compile(r'"[^"]*"|“[^”]*”')


async def pointed(hearing: Hearing, heard: Heard, *, is_read: bool) -> tuple[str, ...]:
    """Sentences with the steps that are pointed at, the likeliest first; none where it is not plain at which.

    Args:
        hearing: How it is read.
        heard: What was said.
        is_read: Whether that means something as it is; then only `after that` is looked at, which in a message of its own
            is about what was just done.

    Raises:
        StoreError: What has been changed cannot be read.
    """
    said = _AND.sub("", heard.text.strip(), count=1)
    focus = hearing.focus.workflow(heard.message)
    entry = None if focus is None else hearing.desk.catalogue.get(focus)
    patterns = (_AFTER_THAT,) if is_read else (_LEFT, _TWO, _AFTER_THAT, _ITS, _TOO_LONG)
    if entry is None or len(said) > _LONGEST or not any(pattern.search(_outside_quotes(said)) for pattern in patterns):
        return ()
    changes = undoable(await hearing.desk.catalogue.changes(entry.id))
    own = list(_just_made(changes, heard, hearing.desk.clock.now()))
    sentences = _sentences(said, await _definitions(hearing, own), entry.definition)
    return (*_shorter(said, entry.definition, hearing.focus.step(heard.message)), *sentences)


def _shorter(said: str, now: Definition, step: str | None) -> Iterator[str]:
    """`that's long. 2`: the wait that was talked about, or the one there is."""
    found = _TOO_LONG.fullmatch(said)
    if found is None:
        return
    about_it = any(state.name == step and isinstance(state.action, Wait) for state in now.states)
    what = found["what"] if found["what"].casefold().startswith("the ") else "it" if about_it else "the wait"
    yield f"make {what} {found['value']}"


def _sentences(said: str, changes: Sequence[Made], now: Definition) -> Iterator[str]:
    left, both = _LEFT.search(_outside_quotes(said)), _TWO.search(_outside_quotes(said))
    if left is not None and (number := _left(changes, now)) is not None:
        yield f"{said[: left.start()]}step {number}{said[left.end() :]}"
    if both is not None and (two := _last_two(changes, now)) is not None:
        verb = "between" if both["verb"][0] in "bB" else both["verb"]
        yield f"{said[: both.start()]}{verb} step {two[0]} and step {two[1]}{said[both.end() :]}"
    if (its := _ITS.search(_outside_quotes(said))) is not None:
        yield f"{said[: its.start()]}the {said[its.end() :]}"
    after = _AFTER_THAT.fullmatch(said)
    if after is not None and changes:
        made = {state.name for state in _made_or_changed(*changes[0])}
        numbers = [number for number, state in enumerate(now.states, 1) if state.name in made]
        if numbers and numbers[-1] < len(now.states) and len(numbers) == len(made):
            yield f"after step {numbers[-1]} {after['rest']}"


def _outside_quotes(said: str) -> str:
    """What was said with blanks in place of all that stands in quotes."""
    return _QUOTED.sub(lambda each: " " * len(each[0]), said)


def _just_made(changes: Sequence[ChangeRecord], heard: Heard, now: float) -> Iterator[ChangeRecord]:
    """The last changes, newest first, as far as they are this person's and of just now."""
    for change in changes[:5]:
        if not same_person(change.by, heard.message.author) or now - change.at > FOR_SO_LONG:
            return
        yield change


async def _definitions(hearing: Hearing, changes: Sequence[ChangeRecord]) -> list[Made]:
    """Before and after each change; before one that made the workflow there was nothing."""
    catalogue = hearing.desk.catalogue
    found: list[Made] = []
    for change in changes:
        after = await catalogue.revision(change.workflow, change.after.revision)
        before = None if change.before is None else await catalogue.revision(change.workflow, change.before.revision)
        if after is None:
            break
        found.append((None if before is None else before.definition, after.definition))
    return found


def _left(changes: Sequence[Made], now: Definition) -> int | None:
    """The number of the step that is left of the sort of which one was removed last."""
    for before, after in changes:
        gone = [] if before is None else _missing_from(before, after)
        if gone:
            alike = [number for number, state in enumerate(now.states, 1) if key(state.action) == key(gone[0].action)]
            return alike[0] if len(alike) == len(gone) == 1 else None
    return None


def _last_two(changes: Sequence[Made], now: Definition) -> tuple[int, int] | None:
    """The numbers of the two steps that were made or changed last; None if they were not two."""
    touched: set[str] = set()
    for before, after in changes:
        if len(touched) >= 2:
            break
        touched |= {state.name for state in _made_or_changed(before, after)}
    numbers = [number for number, state in enumerate(now.states, 1) if state.name in touched]
    return (numbers[0], numbers[1]) if len(numbers) == 2 and len(touched) == 2 else None


def _missing_from(before: Definition, after: Definition) -> list[State]:
    kept = {state.name for state in after.states}
    return [state for state in before.states if state.name not in kept]


def _made_or_changed(before: Definition | None, after: Definition) -> list[State]:
    old = {} if before is None else {state.name: state.action for state in before.states}
    return [state for state in after.states if old.get(state.name) != state.action]
