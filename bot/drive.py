"""The lines that begin with `/`: what they are, as data, and how each is read. They drive the terminal; no platform has them.

Reading is pure: a line comes to a `Drive`, or to one sentence on what is wrong with it. How a duration is worded is the
language's business, so that reader comes in as a function.
"""

import difflib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias, cast, get_args
from zoneinfo import ZoneInfo

from bot.config import NAME_KINDS, NameKind
from bot.message import ROLES, Place, Role, is_name
from bot.services.simulated import Failure, FailureKind

MAX_NAMES: Final = 500
MAX_VALUE: Final = 4_000
MAX_NESTING: Final = 8
MAX_DURATION: Final = 366 * 86_400.0
_COUNT: Final = re.compile(r"\d{1,9}")
_EVENT: Final = re.compile(r"[A-Za-z_][\w.\-]{0,63}")
_KEY: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){0,7}")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ITEM: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^",]+?))\s*(?:,|$)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Become:
    """Type as another person from now on. Without a role it is the one that person had."""

    name: str
    role: Role | None
    place: Place


@dataclass(frozen=True, slots=True)
class Say:
    """Someone writes something somewhere."""

    who: str
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Happen:
    """Something happens on the stream; `user` is whom it is about, None for whoever types if the event has one."""

    event: str
    user: str | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class React:
    """Someone puts an emoji on a message, given by its text or its id."""

    who: str
    emoji: str
    message: str


@dataclass(frozen=True, slots=True)
class GoLive:
    """The stream starts or ends."""

    on: bool


@dataclass(frozen=True, slots=True)
class SetNames:
    """The names of one kind that exist on the stream now."""

    kind: NameKind
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetConfig:
    """Keep a setting."""

    key: str
    value: str | int | float | bool
    secret: bool = False


@dataclass(frozen=True, slots=True)
class ShowConfig:
    """Tell the settings; secrets only by name."""


@dataclass(frozen=True, slots=True)
class PlanFailure:
    """Let a method fail from now on, or work again."""

    service: str
    method: str
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Advance:
    """Move virtual time on by a duration."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AdvanceUntil:
    """Move virtual time on to a moment; without a zone it is meant in the community's."""

    moment: datetime
    zone: ZoneInfo | None


@dataclass(frozen=True, slots=True)
class AdvanceToTime:
    """Move virtual time on to when the community's clock next shows this."""

    hour: int
    minute: int


@dataclass(frozen=True, slots=True)
class Rest:
    """Let real time pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ShowDrives:
    """Tell which of these lines there are, or how one of them goes."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave."""


Drive: TypeAlias = (
    Become
    | Say
    | Happen
    | React
    | GoLive
    | SetNames
    | SetConfig
    | ShowConfig
    | PlanFailure
    | Advance
    | AdvanceUntil
    | AdvanceToTime
    | Rest
    | ShowDrives
    | Quit
)

Seconds: TypeAlias = Callable[[str], float | None]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that comes to nothing, and why, in one sentence."""

    text: str


class _NotReadable(ValueError):
    """Why a line cannot be read; empty = it only needs its usage line."""


USAGE: Final[Mapping[str, str]] = {
    "as": "/as NAME broadcaster|moderator|vip|subscriber|viewer [twitch|discord [#channel]]",
    "say": "/say NAME TEXT",
    "discord": "/discord #CHANNEL NAME TEXT",
    "react": "/react NAME EMOJI MESSAGE",
    "follow": "/follow NAME",
    "raid": "/raid NAME VIEWERS",
    "cheer": "/cheer NAME BITS [TEXT]",
    "sub": "/sub NAME [MONTHS [TEXT]]",
    "gift": "/gift NAME COUNT",
    "redeem": '/redeem NAME "REWARD" [TEXT]',
    "live": "/live on|off",
    "event": '/event NAME {"field": "value"}',
    "names": '/names scenes|sources|sounds|rewards|channels|filters "ONE","TWO"',
    "config": "/config KEY VALUE, /config secret KEY VALUE, /config timezone Europe/Berlin, or /config list",
    "fail": '/fail SERVICE.METHOD error|timeout|unknown|off [TIMES] ["REASON"]',
    "advance": "/advance 5m, /advance until 19:00, or /advance until 2026-11-22T19:00 [Europe/Berlin]",
    "wait": "/wait 2s",
    "help": "/help [NAME]",
    "quit": "/quit",
}


def read(line: str, seconds: Seconds) -> Drive | Unreadable:
    """What a line that begins with `/` asks for.

    Args:
        line: The whole line.
        seconds: Reads a duration in the language's words, or returns None.
    """
    head, _, rest = line.strip().removeprefix("/").partition(" ")
    word = head.casefold()
    reader = _READERS.get(word)
    if reader is None:
        return Unreadable(_unknown(head))
    try:
        return reader(rest.strip(), seconds)
    except _NotReadable as refused:
        reason = f"{refused} " if str(refused) else ""
        return Unreadable(f"{reason}It goes like this: {USAGE[word]}")


def _unknown(head: str) -> str:
    shown = head if len(head) <= 20 else head[:19] + "…"
    near = difflib.get_close_matches(head.casefold(), USAGE, n=1)
    hint = f" Did you mean /{near[0]}?" if near else ""
    return f"There is no /{shown} here.{hint} /help lists what there is; to talk to the bot begin with !workflow."


# Readers -------------------------------------------------------------------------------------------------------------


def _as(rest: str, _: Seconds) -> Drive:
    words = rest.split()
    if not 1 <= len(words) <= 4:
        raise _NotReadable
    role = _role(words[1]) if len(words) > 1 else None
    return Become(_person(words[0]), role, _place(words[2:]))


def _role(word: str) -> Role:
    found = {"mod": "moderator", "streamer": "broadcaster", "sub": "subscriber"}.get(word.casefold(), word.casefold())
    if found not in ROLES:
        raise _NotReadable(f'There is no role "{word[:20]}".')
    return found


def _place(words: list[str]) -> Place:
    match [word.casefold() for word in words]:
        case [] | ["twitch"]:
            return Place("twitch")
        case ["discord"]:
            return Place("discord", "general")
        case ["discord", channel]:
            return Place("discord", _channel(channel))
        case _:
            raise _NotReadable


def _say(rest: str, _: Seconds) -> Drive:
    who, text = _split(rest)
    return Say(_person(who), _unquoted(text), Place("twitch"))


def _discord(rest: str, _: Seconds) -> Drive:
    channel, rest = _split(rest)
    who, text = _split(rest)
    return Say(_person(who), _unquoted(text), Place("discord", _channel(channel)))


def _react(rest: str, _: Seconds) -> Drive:
    who, rest = _split(rest)
    emoji, message = _split(rest)
    return React(_person(who), emoji, _unquoted(message))


def _follow(rest: str, _: Seconds) -> Drive:
    return Happen("follow.received", _person(rest), {})


def _raid(rest: str, _: Seconds) -> Drive:
    who, viewers = _split(rest)
    return Happen("raid.received", _person(who), {"viewers": _count(viewers)})


def _cheer(rest: str, _: Seconds) -> Drive:
    who, rest = _split(rest)
    bits, _gap, text = rest.partition(" ")
    return Happen("cheer.received", _person(who), {"bits": _count(bits), "message": _unquoted(text)})


def _sub(rest: str, _: Seconds) -> Drive:
    who, _gap, rest = rest.partition(" ")
    months, _gap, text = rest.strip().partition(" ")
    payload = {"tier": "1", "months": _count(months) if months else 1}
    if payload["months"] == 1:
        return Happen("subscription.received", _person(who), payload)
    return Happen("resubscription.received", _person(who), {**payload, "message": _unquoted(text)})


def _gift(rest: str, _: Seconds) -> Drive:
    who, count = _split(rest)
    name = _person(who)
    return Happen("gift.received", name, {"count": _count(count), "tier": "1", "gifter": name})


def _redeem(rest: str, _: Seconds) -> Drive:
    who, rest = _split(rest)
    quoted = _QUOTED.match(rest)
    reward, text = (_unescaped(quoted[1]), rest[quoted.end() :]) if quoted else _halves(rest)
    if not reward:
        raise _NotReadable
    return Happen("reward.redeemed", _person(who), {"reward": reward, "message": _unquoted(text), "cost": 0})


def _live(rest: str, _: Seconds) -> Drive:
    match rest.casefold():
        case "on":
            return GoLive(on=True)
        case "off":
            return GoLive(on=False)
        case _:
            raise _NotReadable


def _event(rest: str, _: Seconds) -> Drive:
    name, payload = _halves(rest)
    if not _EVENT.fullmatch(name):
        raise _NotReadable("An event's name is letters, digits and dots.")
    fields = _json_object(payload) if payload else {}
    user = fields.pop("user", None)
    if isinstance(user, Mapping):
        user = user.get("name")
    if user is not None and not isinstance(user, str):
        raise _NotReadable('"user" must be a name.')
    return Happen(name, None if user is None else _person(user), fields)


def _names(rest: str, _: Seconds) -> Drive:
    kind, names = _halves(rest)
    if kind.casefold() not in NAME_KINDS:
        raise _NotReadable
    return SetNames(cast("NameKind", kind.casefold()), _items(names))


def _config(rest: str, _: Seconds) -> Drive:
    if rest.casefold() == "list":
        return ShowConfig()
    key, value = _halves(rest)
    secret = key.casefold() == "secret"
    if secret:
        key, value = _halves(value)
    if not value or not _KEY.fullmatch(key) or len(key) > 100:
        raise _NotReadable
    if len(value) > MAX_VALUE:
        raise _NotReadable(f"A value has at most {MAX_VALUE} characters.")
    return SetConfig(key, _unquoted(value) if secret else _scalar(value), secret)


def _fail(rest: str, _: Seconds) -> Drive:
    target, rest = _split(rest)
    service, dot, method = target.partition(".")
    kind, _gap, rest = rest.partition(" ")
    times, reason = rest.strip(), ""
    if '"' in rest:
        times, _gap, reason = rest.strip().partition('"')
        reason = '"' + reason
    if not dot or kind.casefold() not in (*get_args(FailureKind), "off"):
        raise _NotReadable
    if kind.casefold() == "off":
        return PlanFailure(service, method, None)
    count = _count(times) if times.strip() else None
    if count == 0:
        raise _NotReadable("Zero times would be never.")
    return PlanFailure(
        service, method, Failure(cast("FailureKind", kind.casefold()), count, _unquoted(reason)[:500] or None)
    )


def _advance(rest: str, seconds: Seconds) -> Drive:
    head, _gap, tail = rest.partition(" ")
    if head.casefold() == "until":
        return _until(tail.split())
    return Advance(_duration(rest, seconds))


def _until(words: list[str]) -> Drive:
    if not 1 <= len(words) <= 2:
        raise _NotReadable
    if len(words) == 1 and (clock := _CLOCK.fullmatch(words[0])) is not None:
        return AdvanceToTime(int(clock.group(1)), int(clock.group(2)))
    try:
        moment = datetime.fromisoformat(words[0])
    except ValueError:
        raise _NotReadable(f'"{words[0][:40]}" is no moment.') from None
    return AdvanceUntil(moment, zone(words[1]) if len(words) == 2 else None)


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        ValueError: There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise _NotReadable(f'There is no time zone "{name[:40]}"; they are called like Europe/Berlin.') from None


def _wait(rest: str, seconds: Seconds) -> Drive:
    return Rest(_duration(rest, seconds))


def _help(rest: str, _: Seconds) -> Drive:
    name = rest.removeprefix("/").casefold()
    if name and name not in USAGE:
        raise _NotReadable(f"There is no /{name[:20]}.")
    return ShowDrives(name or None)


def _quit(_rest: str, _: Seconds) -> Drive:
    return Quit()


_READERS: Final[Mapping[str, Callable[[str, Seconds], Drive]]] = {
    "as": _as,
    "say": _say,
    "discord": _discord,
    "react": _react,
    "follow": _follow,
    "raid": _raid,
    "cheer": _cheer,
    "sub": _sub,
    "gift": _gift,
    "redeem": _redeem,
    "live": _live,
    "event": _event,
    "names": _names,
    "config": _config,
    "fail": _fail,
    "advance": _advance,
    "wait": _wait,
    "help": _help,
    "quit": _quit,
}


# Small parts ---------------------------------------------------------------------------------------------------------


def _halves(text: str) -> tuple[str, str]:
    head, _gap, tail = text.partition(" ")
    return head, tail.strip()


def _split(text: str) -> tuple[str, str]:
    """The first word and the rest, which must be there."""
    head, tail = _halves(text)
    if not tail:
        raise _NotReadable
    return head, tail


def _person(word: str) -> str:
    name = word.removeprefix("@")
    if not is_name(name):
        raise _NotReadable("A name is one word of at most 64 characters." if name else "")
    return name


def _channel(word: str) -> str:
    return _person(word.removeprefix("#"))


def _count(word: str) -> int:
    if not _COUNT.fullmatch(word.strip()):
        raise _NotReadable(f'"{word[:20]}" is not a number.' if word else "")
    return int(word)


def _duration(text: str, seconds: Seconds) -> float:
    found = seconds(text.strip()) if text else None
    if found is None:
        raise _NotReadable(f'"{text[:40]}" is not a duration.' if text else "")
    if not 0 <= found <= MAX_DURATION:
        raise _NotReadable("That is longer than a year.")
    return found


def _unquoted(text: str) -> str:
    """A text without the quotes around all of it, if they are."""
    stripped = text.strip()
    quoted = _QUOTED.fullmatch(stripped)
    return _unescaped(quoted[1]) if quoted else stripped


def _unescaped(inside: str) -> str:
    return re.sub(r'\\(["\\])', r"\1", inside)


def _scalar(text: str) -> str | int | float | bool:
    """A number, true or false if it is written as one, else the text."""
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?(0|[1-9]\d{0,17})", text):
        return int(text)
    if re.fullmatch(r"-?(0|[1-9]\d{0,14})\.\d{1,9}", text):
        return float(text)
    return _unquoted(text)


def _items(text: str) -> tuple[str, ...]:
    """Names separated by commas, quoted or not."""
    names: list[str] = []
    at = 0
    while at < len(text):
        item = _ITEM.match(text, at)
        if item is None:
            raise _NotReadable("Names are separated by commas, each in quotes if need be.")
        names.append(_unescaped(item[1]) if item[1] is not None else item[2])
        at = item.end()
    if len(names) > MAX_NAMES or any(len(name) > 200 for name in names):
        raise _NotReadable(f"At most {MAX_NAMES} names of 200 characters each.")
    return tuple(names)


def _json_object(text: str) -> dict[str, Any]:
    try:
        # A line break inside a text has already been made one when the line was read.
        value = json.loads(text, strict=False, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _NotReadable("The fields must be one JSON object.")
    if _deeper_than(value, MAX_NESTING):
        raise _NotReadable(f"The fields may be nested {MAX_NESTING} deep.")
    return value


def _deeper_than(value: object, most: int) -> bool:
    layer: list[Any] = [value]
    for _ in range(most):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return any(isinstance(inner, dict | list) for inner in layer)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
