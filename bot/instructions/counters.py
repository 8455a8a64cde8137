"""Where counters stand. What is counted is found in workflows, what it has come to in what the community keeps."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bot.instructions.turn import Outcome, Turn, name
from bot.replies import Saying
from engine.data.kept import USERS
from engine.keys import key_of
from engine.model import all_states
from engine.values import is_number, text_of
from grammar.counters import counted, named
from grammar.instruction import Counters

_MOST_PEOPLE: Final = 5
_MOST_WORKFLOWS: Final = 3
_NONE_YET: Final = (
    'Nothing is counted yet. Try: !wf when someone types !death add 1 to deaths and say "deaths: {deaths}"'
)


def counters(turn: Turn, instruction: Counters) -> Outcome:
    """All of them, or one: of the community, or of each person."""
    kept, used = turn.desk.runner.kept(turn.desk.community), _used(turn)
    people = _people(kept)
    own = {key for mine in people.values() for key, value in mine.items() if is_number(value)}
    there = tuple(dict.fromkeys((*used, *(key for key, value in kept.items() if is_number(value)), *sorted(own))))
    if instruction.counter is not None:
        known = named(instruction.counter, there)
        if known is None:
            return turn.tell("answer", Saying(f'Nothing is counted as "{instruction.counter}". {_others(there)}'))
        return turn.tell("answer", Saying(f"{_stands(known, kept, people, used)}."))
    if not there:
        return turn.tell("answer", Saying(_NONE_YET))
    lines = [_stands(key, kept, people, used) for key in there]
    return turn.tell("answer", Saying(body="\n".join(lines), rest="and {} more"))


def _used(turn: Turn) -> dict[str, dict[str, bool]]:
    """By counter the workflows it is used in, each with whether everybody has one of their own there."""
    used: dict[str, dict[str, bool]] = {}
    for entry in turn.desk.catalogue.there():
        for state in all_states(entry.definition.states):
            if (about := counted(state)) is not None:
                used.setdefault(key_of(about[0]), {})[name(entry)] = about[1]
    return used


def _people(kept: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    people = kept.get(USERS)
    return people if isinstance(people, Mapping) else {}


def _stands(
    key: str, kept: Mapping[str, Any], people: Mapping[str, Mapping[str, Any]], used: Mapping[str, Mapping[str, bool]]
) -> str:
    """`deaths: 5 (death, x)`, or who has how many."""
    by = used.get(key, {})
    shared = key in kept or not all(by.values())
    where = f" ({_some(by, _MOST_WORKFLOWS)})" if by else ""
    parts = [text_of(kept.get(key, 0))] if shared else []
    own = sorted(((mine[key], who) for who, mine in people.items() if is_number(mine.get(key))), reverse=True)
    if own or any(by.values()):
        most = _some([f"{who} {text_of(number)}" for number, who in own], _MOST_PEOPLE)
        parts.append(f"each their own: {most or 'nobody yet'}")
    return f"{key}: {'; '.join(parts)}{where}"


def _some(words: Iterable[str], most: int) -> str:
    listed = list(words)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return f"{', '.join(listed[:most])}{more}"


def _others(there: Iterable[str]) -> str:
    some = _some(there, _MOST_PEOPLE)
    return f"Counted is: {some}." if some else _NONE_YET
