"""What is wrong with what a step says to people: that it pings all of them, or may come out longer than fits.

How long a text may get is estimated from what is known of its placeholders; one that nothing is known of counts as empty,
so that nobody is warned for nothing.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from engine.declare import Declarations
from engine.errors import ExpressionError
from engine.events import EventType, kind_of
from engine.expressions import parse_template
from engine.formulas import Filter, Placeholder
from engine.model import Call, Definition, State, WaitFor, all_states
from engine.validate.paths import names_set
from engine.validate.problem import Places, Problem, changed, retold
from engine.validate.texts import MASS_PING, pings_everybody, strings

_ROLE_PING: Final = re.compile(r"<@&\d+>")
_ANNOUNCE: Final = re.compile(r"\s*[/.]announce(?:blue|green|orange|purple)?\s+(?P<rest>\S.*)", re.DOTALL)
LIMITS: Final[Mapping[str, tuple[str, int]]] = {
    "twitch.send_chat_message": ("message", 500),
    "twitch.send_chat_announcement": ("message", 500),
    "twitch.update_channel": ("title", 140),
    "discord.send_message": ("message", 2_000),
    "discord.edit_message": ("message", 2_000),
}
"""The param of a method that has a limit, and the limit in characters."""
_TEXTS: Final[Mapping[str, int]] = {
    "message": 500,
    "arguments": 500,
    "target": 500,
    "title": 140,
    "before": 140,
    "reward": 45,
    "winner": 25,
    "gifter": 25,
    "link": 100,
    "tier": 4,
}
"""The longest that text fields of events get; others are left out."""
_ALWAYS: Final[Mapping[str, int]] = {
    "date": 10,
    "time": 8,
    "clock": 5,
    "weekday": 9,
    "late": 10,
    "viewers": 10,
    "title": 140,
}
_TWITCH_NAME: Final = 25
_DISCORD_NAME: Final = 32
_NUMBER: Final = 10
_SHORTEST: Final = 20
"""Fewer characters are not worth cutting a text down to."""


def speech_problems(definition: Definition, places: Places, declarations: Declarations) -> Iterator[Problem]:
    """Problems of all texts that people get to read."""
    for state in all_states(definition.states):
        if isinstance(state.action, Call):
            yield from _pings(state, state.action, places)
            method = declarations.find(state.action.service, state.action.method)
            limited = LIMITS.get(method.key) if method is not None else None
            if limited is not None:
                yield from _length(state, state.action, limited, places, definition)


# Pings ---------------------------------------------------------------------------------------------------------------------


def _pings(state: State, call: Call, places: Places) -> Iterator[Problem]:
    place = places.where[state.name]
    if pings_everybody(call.params):
        mend = _mended(state, call, _without(call, MASS_PING, r"\1"), places, "leave out the @")
        yield Problem(place, "warning", "a text pings everybody", mend, state.name, asks=True)
    if call.service == "discord" and any(_ROLE_PING.search(text) for text in strings(call.params)):
        mend = _mended(state, call, _without(call, _ROLE_PING, ""), places, "leave out the role")
        yield Problem(place, "warning", "a text pings all who have a role", mend, state.name, asks=True)
    message = call.params.get("message")
    if call.service == "twitch" and isinstance(message, str) and (found := _ANNOUNCE.match(message)):
        announcing = Call(
            service="twitch", method="send_chat_announcement", params={**call.params, "message": found["rest"]}
        )
        mend = changed(places, state.name, announcing, "announce it, or leave it out")
        yield Problem(place, "warning", "a text is written as an announcement to everybody", mend, state.name)


def _mended(state: State, call: Call, better: Call, places: Places, otherwise: str) -> str | None:
    """The suggestion to say something better: only the text, where nothing else is changed by it."""
    text = better.params.get("message")
    if (
        call.service == "twitch"
        and isinstance(text, str)
        and text.strip()
        and better.params == {**call.params, "message": text}
    ):
        return retold(places, state.name, text, otherwise)
    return changed(places, state.name, better, otherwise)


def _without(call: Call, pattern: re.Pattern[str], instead: str) -> Call:
    return call.model_copy(update={"params": _replaced(call.params, pattern, instead)})


def _replaced(value: Any, pattern: re.Pattern[str], instead: str) -> Any:
    if isinstance(value, str):
        return pattern.sub(instead, value)
    if isinstance(value, dict):
        return {key: _replaced(part, pattern, instead) for key, part in value.items()}
    return [_replaced(part, pattern, instead) for part in value] if isinstance(value, list) else value


# Lengths -------------------------------------------------------------------------------------------------------------------


def _length(
    state: State, call: Call, limited: tuple[str, int], places: Places, definition: Definition
) -> Iterator[Problem]:
    name, limit = limited
    text = call.params.get(name)
    if not isinstance(text, str):
        return
    try:
        parts = parse_template(text).parts
    except ExpressionError:
        return  # said already
    place = places.where[state.name]
    fixed = sum(len(part) for part in parts if isinstance(part, str))
    if fixed > limit:
        cut = f"shorten it by {fixed - limit:,}"
        yield Problem(place, "warning", f"the {name} has {fixed:,} characters; {limit:,} fit", cut, state.name)
        return
    lengths = {part: _longest(part, definition) for part in parts if isinstance(part, Placeholder)}
    worst = fixed + sum(lengths[part] for part in parts if isinstance(part, Placeholder))
    if worst > limit:
        longest = max(lengths, key=lambda part: lengths[part])
        sentence = f"with a long {longest.path} the {name} may have {worst:,} characters; {limit:,} fit"
        fits = limit - (worst - lengths[longest])
        mend = _cut(state, call, name, longest, fits, places) if fits >= _SHORTEST and not longest.filters else None
        yield Problem(place, "warning", sentence, mend or f"cut it, as in ${{{longest.path}|truncate 100}}", state.name)


def _cut(state: State, call: Call, name: str, part: Placeholder, most: int, places: Places) -> str | None:
    """The suggestion to let one placeholder have at most so many characters, all its uses together."""
    text = str(call.params[name])
    written = f"${{{part.path}}}"
    if text.count(written) != 1:
        return None
    shorter = text.replace(written, f"${{{part.path}|truncate {most}}}")
    return changed(places, state.name, call.model_copy(update={"params": {**call.params, name: shorter}}))


def _longest(placeholder: Placeholder, definition: Definition) -> int:
    """The most characters that a placeholder is known to come to; 0 if nothing is known."""
    length = _known_length(placeholder.path, definition)
    for written in placeholder.filters:
        length = _filtered(length, written)
    return length


def _filtered(length: int, written: Filter) -> int:
    match written.name:
        case "truncate":
            most = written.argument if isinstance(written.argument, int) else 100
            return min(length, most)
        case "length" | "round":
            return min(length, _NUMBER)
        case "default":
            return max(length, len(str(written.argument or "")))
        case _:
            return length


def _known_length(path: str, definition: Definition) -> int:
    head, _, rest = path.partition(".")
    kinds = [kind for trigger in definition.triggers if (kind := kind_of(trigger.on)) is not None]
    if head == "event":
        return max((_field(kind, rest) for kind in kinds), default=0)
    if head in ("user", "caller"):
        on_discord = any(kind.platform == "discord" for kind in kinds)
        return (_DISCORD_NAME if on_discord else _TWITCH_NAME) if rest in ("", "name") else 0
    for state in all_states(definition.states):
        if head in names_set(state):
            heard = kind_of(state.action.event) if isinstance(state.action, WaitFor) else None
            return 0 if heard is None else _field(heard, rest)
    if head in definition.variables:
        return 0
    brought = max((_field(kind, path) for kind in kinds), default=0)
    return brought or _ALWAYS.get(path, 0)


def _field(kind: EventType, name: str) -> int:
    """How long a field of an event gets."""
    match kind.fields.get(name.removesuffix(".name")):
        case "number":
            return _NUMBER
        case "user":
            return _DISCORD_NAME if kind.platform == "discord" else _TWITCH_NAME
        case "text":
            return _TEXTS.get(name, 0)
        case _:
            return 0
