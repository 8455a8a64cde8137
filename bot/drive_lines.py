"""Reads the lines that begin with `/`: each comes to a `Drive`, or to one sentence on what is wrong with it.

Reading is pure. How a duration is worded is the language's business, so that reader comes in as a function.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, cast, get_args

from bot import drive_parts as parts
from bot.config import NAME_KINDS, NameKind
from bot.drive import (
    USAGE,
    Advance,
    AdvanceToTime,
    AdvanceUntil,
    Become,
    Drive,
    GoLive,
    Happen,
    PlanFailure,
    Quit,
    React,
    Rest,
    Say,
    Seconds,
    SetConfig,
    SetNames,
    ShowConfig,
    ShowDrives,
    Unreadable,
)
from bot.message import ROLES, Place, Role
from bot.services.simulated import Failure, FailureKind

MAX_VALUE: Final = 4_000
_EVENT: Final = re.compile(r"[A-Za-z_][\w.\-]{0,63}")
_KEY: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){0,7}")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


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
    except parts.NotReadable as refused:
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
        raise parts.NotReadable
    role = _role(words[1]) if len(words) > 1 else None
    return Become(parts.person(words[0]), role, _place(words[2:]))


def _role(word: str) -> Role:
    found = {"mod": "moderator", "streamer": "broadcaster", "sub": "subscriber"}.get(word.casefold(), word.casefold())
    if found not in ROLES:
        raise parts.NotReadable(f'There is no role "{word[:20]}".')
    return found


def _place(words: list[str]) -> Place:
    match [word.casefold() for word in words]:
        case [] | ["twitch"]:
            return Place("twitch")
        case ["discord"]:
            return Place("discord", "general")
        case ["discord", channel]:
            return Place("discord", parts.channel(channel))
        case _:
            raise parts.NotReadable


def _say(rest: str, _: Seconds) -> Drive:
    who, text = parts.split(rest)
    return Say(parts.person(who), parts.unquoted(text), Place("twitch"))


def _discord(rest: str, _: Seconds) -> Drive:
    channel, rest = parts.split(rest)
    who, text = parts.split(rest)
    return Say(parts.person(who), parts.unquoted(text), Place("discord", parts.channel(channel)))


def _react(rest: str, _: Seconds) -> Drive:
    who, rest = parts.split(rest)
    emoji, message = parts.split(rest)
    return React(parts.person(who), emoji, parts.unquoted(message))


def _follow(rest: str, _: Seconds) -> Drive:
    return Happen("follow.received", parts.person(rest), {})


def _raid(rest: str, _: Seconds) -> Drive:
    who, viewers = parts.split(rest)
    return Happen("raid.received", parts.person(who), {"viewers": parts.count(viewers)})


def _cheer(rest: str, _: Seconds) -> Drive:
    who, rest = parts.split(rest)
    bits, _gap, text = rest.partition(" ")
    return Happen("cheer.received", parts.person(who), {"bits": parts.count(bits), "message": parts.unquoted(text)})


def _sub(rest: str, _: Seconds) -> Drive:
    who, _gap, rest = rest.partition(" ")
    months, _gap, text = rest.strip().partition(" ")
    payload = {"tier": "1", "months": parts.count(months) if months else 1}
    if payload["months"] == 1:
        return Happen("subscription.received", parts.person(who), payload)
    return Happen("resubscription.received", parts.person(who), {**payload, "message": parts.unquoted(text)})


def _gift(rest: str, _: Seconds) -> Drive:
    who, count = parts.split(rest)
    name = parts.person(who)
    return Happen("gift.received", name, {"count": parts.count(count), "tier": "1", "gifter": name})


def _redeem(rest: str, _: Seconds) -> Drive:
    who, rest = parts.split(rest)
    reward, text = parts.first(rest)
    if not reward:
        raise parts.NotReadable
    return Happen("reward.redeemed", parts.person(who), {"reward": reward, "message": parts.unquoted(text), "cost": 0})


def _live(rest: str, _: Seconds) -> Drive:
    match rest.casefold():
        case "on":
            return GoLive(on=True)
        case "off":
            return GoLive(on=False)
        case _:
            raise parts.NotReadable


def _event(rest: str, _: Seconds) -> Drive:
    name, payload = parts.halves(rest)
    if not _EVENT.fullmatch(name):
        raise parts.NotReadable("An event's name is letters, digits and dots.")
    fields = parts.json_object(payload) if payload else {}
    user = fields.pop("user", None)
    if isinstance(user, Mapping):
        user = user.get("name")
    if user is not None and not isinstance(user, str):
        raise parts.NotReadable('"user" must be a name.')
    return Happen(name, None if user is None else parts.person(user), fields)


def _names(rest: str, _: Seconds) -> Drive:
    kind, names = parts.halves(rest)
    if kind.casefold() not in NAME_KINDS:
        raise parts.NotReadable
    return SetNames(cast("NameKind", kind.casefold()), parts.items(names))


def _config(rest: str, _: Seconds) -> Drive:
    if rest.casefold() == "list":
        return ShowConfig()
    key, value = parts.halves(rest)
    secret = key.casefold() == "secret"
    if secret:
        key, value = parts.halves(value)
    if not value or not _KEY.fullmatch(key) or len(key) > 100:
        raise parts.NotReadable
    if len(value) > MAX_VALUE:
        raise parts.NotReadable(f"A value has at most {MAX_VALUE} characters.")
    return SetConfig(key, parts.unquoted(value) if secret else parts.scalar(value), secret)


def _fail(rest: str, _: Seconds) -> Drive:
    target, rest = parts.split(rest)
    service, dot, method = target.partition(".")
    kind, _gap, rest = rest.partition(" ")
    times, reason = rest.strip(), ""
    if '"' in rest:
        times, _gap, reason = rest.strip().partition('"')
        reason = '"' + reason
    if not dot or kind.casefold() not in (*get_args(FailureKind), "off"):
        raise parts.NotReadable
    if kind.casefold() == "off":
        return PlanFailure(service, method, None)
    count = parts.count(times) if times.strip() else None
    if count == 0:
        raise parts.NotReadable("Zero times would be never.")
    return PlanFailure(
        service, method, Failure(cast("FailureKind", kind.casefold()), count, parts.unquoted(reason)[:500] or None)
    )


def _advance(rest: str, seconds: Seconds) -> Drive:
    head, _gap, tail = rest.partition(" ")
    if head.casefold() == "until":
        return _until(tail.split())
    return Advance(parts.duration(rest, seconds))


def _until(words: list[str]) -> Drive:
    if not 1 <= len(words) <= 2:
        raise parts.NotReadable
    if len(words) == 1 and (clock := _CLOCK.fullmatch(words[0])) is not None:
        return AdvanceToTime(int(clock.group(1)), int(clock.group(2)))
    try:
        moment = datetime.fromisoformat(words[0])
    except ValueError:
        raise parts.NotReadable(f'"{words[0][:40]}" is no moment.') from None
    return AdvanceUntil(moment, parts.zone(words[1]) if len(words) == 2 else None)


def _wait(rest: str, seconds: Seconds) -> Drive:
    return Rest(parts.duration(rest, seconds))


def _help(rest: str, _: Seconds) -> Drive:
    name = rest.removeprefix("/").casefold()
    if name and name not in USAGE:
        raise parts.NotReadable(f"There is no /{name[:20]}.")
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
