"""What a step does after one of its values was changed: `change the wait to 20 seconds`, `step 1 should say hi`.

The value is put where its type fits. What does not fit is refused with what would, and a name that is not on the stream
is taken only in quotes.
"""

import re
from typing import Final, TypeGuard

from pydantic import JsonValue

from engine.declare import Declarations, Method, Param
from engine.model import Action, Call, State, Wait
from grammar.drafts import MissingPiece
from grammar.listings import parted
from grammar.references import BRACE, nearest, refuse
from grammar.syntax import Alter, By, Duration, Value, Words
from grammar.units import UnitUnsaid, plain_unit
from grammar.workspace import Workspace

LIVE: Final = ("scene", "source", "filter", "sound", "reward", "role")
_ARTICLE: Final = re.compile(r"\A(?:the|that|my|this) ")
_EXAMPLES: Final = {
    "seconds": "a duration, like 45s",
    "text": 'a text, like "hello"',
    "user": "a user, like ninja",
    "channel": "a channel, like #general",
    "number": "a number, like 5",
    "boolean": "on or off",
}


def is_sure(value: Value, workspace: Workspace) -> bool:
    """Whether a value is plain of itself, so that a step may be found by it: no mere text, and no name nobody knows."""
    if not isinstance(value, Words) or value.quoted or value.type in ("channel", "service"):
        return True
    known: tuple[str, ...] = getattr(workspace.names, f"{value.type}s", ())
    return value.text.lstrip("#").casefold() in {name.casefold() for name in known}


def altered(state: State, change: Alter, workspace: Workspace, declarations: Declarations) -> Action:
    """The action of a step with one value changed.

    Raises:
        Unsettled: The value does not fit.
        MissingPiece: It is not said by how much.
        UnitUnsaid: It is not said, and not plain, what a number counts.
    """
    match state.action:
        case Wait() as wait:
            seconds = _new_seconds(wait.seconds, change.value, "A wait needs a duration, like 45s")
            _check_direction(wait.seconds, seconds, change)
            return Wait(seconds=seconds)
        case Call() as call:
            method = declarations.find(call.service, call.method)
            if method is not None and _is_channel(change.value):
                return _elsewhere(method, call, change.value, workspace, declarations)
            if method is None:
                raise refuse(
                    f'I do not know what {call.service}.{call.method} takes. Say: replace step "{state.name}" with ...'
                )
            if change.listed is not None and isinstance(change.value, Words):
                return _relisted(method, call, change.value.text, more=change.listed == "more")
            param = _fitting_param(method, call, change)
            old = call.params.get(param.name)
            value = _value_for(param, old, change.value, workspace)
            if change.part and param.type in ("text", "any") and isinstance(old, str) and isinstance(value, str):
                value = _with_part(old, change.part, value)
            return Call(service=call.service, method=call.method, params={**call.params, param.name: value})
        case _:
            raise refuse(
                f'Step "{state.name}" has nothing like that to change. Say: replace step "{state.name}" with ...'
            )


def _relisted(method: Method, call: Call, said: str, *, more: bool) -> Call:
    """The same with one more thing in its list, or one less."""
    param = next(param for param in method.params if param.several)
    old = str(call.params.get(param.name, ""))
    listed = [each.strip() for each in old.split(",")] if "," in old else parted(old)
    known = [each.casefold() for each in listed]
    if more == (said.casefold() in known):
        there = ", ".join(listed)
        raise refuse(f'"{said}" is one of them already: {there}.' if more else f'There is no "{said}" in it: {there}.')
    left = [*listed, said] if more else [each for each in listed if each.casefold() != said.casefold()]
    return Call(service=call.service, method=call.method, params={**call.params, param.name: ", ".join(left)})


def _with_part(text: str, part: str, new: str) -> str:
    """A text in which some of its words are said another way; all of it, if they are not in it as they were quoted.

    Whole words come first: the "it" of `wait for it` is its last word.
    """
    words = r"\s+".join(map(re.escape, BRACE.sub(r"${\1}", part).split()))
    found = re.search(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE) or re.search(words, text, re.IGNORECASE)
    return new if found is None else (text[: found.start()] + new + text[found.end() :]).strip()


def had(states: tuple[State, ...], old: Value, new: Action | None) -> tuple[State, ...]:
    """Those steps that have a value now. A bare number counts what the new length counts: `45 seconds, not 30`."""
    return tuple(state for state in states if _has(state.action, old, new))


def _has(action: Action, old: Value, new: Action | None) -> bool:
    values = (
        [action.seconds]
        if isinstance(action, Wait)
        else list(action.params.values())
        if isinstance(action, Call)
        else []
    )
    match old:
        case Duration(seconds):
            return seconds in values
        case Words(text, type="number"):
            number = _number(old)
            lengths = [value for value in values if isinstance(value, int | float)]
            return number in values or any(
                isinstance(number, int | float) and number * unit in lengths for unit in _UNITS
            )
        case Words(text) if text.casefold() in ("chat", "twitch", "twitch chat", "the chat"):
            return isinstance(action, Call) and action.service == "twitch"
        case Words(text) if text.casefold() in ("discord", "the discord"):
            return isinstance(action, Call) and action.service == "discord"
        case Words(text):
            wanted = _ARTICLE.sub("", " ".join(text.casefold().split()))
            said = [" ".join(value.casefold().split()) for value in values if isinstance(value, str)]
            return wanted in said or any(wanted in each for each in said)
        case _:
            return False


_BRACE: Final = re.compile(r"\\?\{([^\W\d]\w*)\}")
"""`{winner}` where a user is wanted can be no name, even if nobody knows the variable yet."""
_UNITS: Final = (60, 3_600)


def _new_seconds(old: object, value: Value, need: str) -> float | str:
    match value:
        case Duration(seconds):
            return seconds
        case By():
            return _changed_by(old, value)
        case Words(text, quoted) if quoted and "${" in text:
            return text
        case Words(text, type="number"):
            number = _number(value)
            unit = plain_unit(old, number) if isinstance(number, int | float) else None
            if unit is None or not isinstance(number, int | float):
                raise UnitUnsaid(text)
            return number * unit
        case _:
            raise refuse(f'{need}, not "{value.text}".')


def _check_direction(old: object, new: object, change: Alter) -> None:
    """Refuses to shorten a wait of 10 seconds to 20: one of the two is not what was meant."""
    if change.direction is None or not isinstance(old, int | float) or not isinstance(new, int | float):
        return
    if (new > old) != (change.direction == "longer"):
        raise refuse(
            f"That would not make it {change.direction}: it waits {_told(old)} now. Say how long it should be."
        )


def _told(seconds: float) -> str:
    return f"{seconds:g} seconds"


def _changed_by(old: object, by: By) -> float:
    if not isinstance(old, int | float):
        raise refuse("Its length comes from a variable, so it has no half and no double. Say how long it should be.")
    if by.factor is not None:
        return old * by.factor
    if by.seconds is None:
        raise MissingPiece("How long should it be?", joint=", like")
    seconds = old + by.seconds if by.direction == "longer" else old - by.seconds
    if seconds < 0:
        raise refuse("That would be less than no time.")
    return seconds


def _is_channel(value: Value) -> TypeGuard[Words]:
    if not isinstance(value, Words):
        return False
    return value.type == "channel" or (not value.quoted and re.fullmatch(r"#[\w-]+", value.text) is not None)


def _elsewhere(method: Method, call: Call, value: Words, workspace: Workspace, declarations: Declarations) -> Call:
    """The same said in another channel; what is said in a place without channels is said by whatever has them."""
    channel = _channel(value, workspace)
    own = next((param for param in method.params if param.type == "channel"), None)
    if own is not None:
        return Call(service=call.service, method=call.method, params={**call.params, own.name: channel})
    said = [param for param in method.params if param.type == "text" and param.required]
    for other in declarations if len(said) == 1 else ():
        texts = [param for param in other.params if param.type == "text" and param.required]
        places = [param for param in other.params if param.type == "channel"]
        if len(texts) == len(places) == 1 and method.name in SAYING and other.name in SAYING:
            text = call.params.get(said[0].name)
            return Call(service=other.service, method=other.name, params={places[0].name: channel, texts[0].name: text})
    what = (method.noun or (method.verb,))[0]
    raise refuse(f"The {what} goes to no channel; {value.text} does not fit.")


SAYING: Final = frozenset({"send_chat_message", "send_message", "send_channel_message", "send_chat_announcement"})


def _channel(value: Words, workspace: Workspace) -> str:
    """A channel that exists, as far as any are known."""
    wanted, known = value.text.lstrip("#"), workspace.names.channels
    for name in known:
        if name.casefold() == wanted.casefold():
            return name
    if not known or value.quoted:
        return wanted
    near = nearest(wanted, known)
    hint = f"Did you mean #{near[0]}?" if near else f"There is {', '.join(f'#{name}' for name in known[:6])}."
    raise refuse(f"There is no channel #{wanted}. {hint}", *(f"#{name}" for name in near))


def _fitting_param(method: Method, call: Call, change: Alter) -> Param:
    """The param that is named, or the one whose type is the value's."""
    if change.param is not None:
        for param in method.params:
            if change.param in (param.name, param.slot, param.type):
                return param
    wanted = _types_of(change.value)
    fitting = [param for param in method.params if param.type in wanted and param.form != "message"]
    named = [param for param in fitting if param.name in call.params] or fitting
    if named:
        return min(named, key=lambda param: wanted.index(param.type))
    needs = " or ".join(dict.fromkeys(_EXAMPLES.get(param.type, f"a {param.type}") for param in method.params))
    said = change.value.text if isinstance(change.value, Words) else "a duration"
    what = (method.noun or (method.verb,))[0]
    raise refuse(f"The {what} needs {needs or 'nothing'}; {said} does not fit.")


def _types_of(value: Value) -> tuple[str, ...]:
    match value:
        case Duration() | By():
            return ("seconds",)
        case Words(type="text"):
            return ("text", *LIVE, "counter", "user", "any")
        case Words(type="number"):
            return ("number", "text", "any")
        case Words(quoted=True):
            return (value.type, "text", "any")
        case Words():
            return (value.type, "any") if value.type in LIVE else (value.type, "text", "any")


def _value_for(param: Param, old: JsonValue, value: Value, workspace: Workspace) -> JsonValue:
    if param.type == "seconds":
        return _new_seconds(old, value, "It needs a duration, like 45s")
    if not isinstance(value, Words):
        raise refuse(f"It needs {_EXAMPLES.get(param.type, f'a {param.type}')}, not a duration.")
    if param.type == "number":
        return _number(value)
    if param.type == "user" and (brace := _BRACE.fullmatch(value.text)) is not None:
        return f"${{{brace[1]}}}"
    if param.type in LIVE:
        return _live(param.type, value, workspace)
    return value.text.lstrip("#") if param.type == "channel" else value.text


def _number(value: Words) -> JsonValue:
    try:
        number = float(value.text if value.number is None else value.number)
    except ValueError:
        raise refuse(f'It needs a number, not "{value.text}".') from None
    return int(number) if number.is_integer() else number


def _live(kind: str, value: Words, workspace: Workspace) -> str:
    known: tuple[str, ...] = getattr(workspace.names, f"{kind}s")
    for name in known:
        if name.casefold() == value.text.casefold():
            return name
    if value.quoted or value.type == kind:
        return value.text
    near = nearest(value.text, known)
    hint = f'Did you mean "{near[0]}"?' if near else f'If it is right all the same, put it in quotes: "{value.text}".'
    raise refuse(f'There is no {kind} "{value.text}". {hint}', *near)
