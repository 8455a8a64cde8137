"""Which broadcast of the channel was last known, so that each begins and ends once, however one hears of it. Pure.

Twitch tells of a beginning and an end, but not to a socket that was lost, and never again. What was missed is found by
looking: then the broadcast that is there, or is not, differs from the last one that was known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from bot.config import COMMUNITY
from engine.ports import ConfigRecord

ONLINE: Final = "stream.online"
OFFLINE: Final = "stream.offline"
_KEY: Final = "twitch.broadcast"
STALE: Final = 180.0
"""Seconds for which what Twitch answers may be older than what it told."""

State: TypeAlias = Literal["on", "ended", "found ended"]


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The last one that was known.

    Attributes:
        id: Twitch's; empty as long as none was known.
        began: UTC seconds.
        state: Whether it goes on. One that was found ended by looking may still be told to have ended, late.
    """

    id: str = ""
    began: float = 0.0
    state: State = "ended"


def kept_in(records: Mapping[str, ConfigRecord]) -> Broadcast:
    """The last one that was known before this start."""
    value: Any = records[_KEY].value if _KEY in records else {}
    return Broadcast(**value) if isinstance(value, dict) else Broadcast()


def record_of(broadcast: Broadcast) -> ConfigRecord:
    """What has to be kept of it."""
    value = {"id": broadcast.id, "began": broadcast.began, "state": broadcast.state}
    return ConfigRecord(COMMUNITY, _KEY, value, secret=False)


def believed(last: Broadcast, there: Broadcast | None, now: float) -> Broadcast | None:
    """What goes on, as far as what was looked up can be newer than what is known."""
    if there is None and last.state == "on" and now - last.began < STALE:
        return last
    return None if there is not None and there.id == last.id and last.state == "ended" else there


def after(last: Broadcast, there: Broadcast | None) -> Broadcast:
    """The last one known once it was looked up which is there."""
    if there is not None:
        return there
    return Broadcast(last.id, last.began, "found ended") if last.state == "on" else last


def missed(last: Broadcast, there: Broadcast | None, *, live: bool) -> tuple[tuple[str, str], ...]:
    """What nobody told of: kinds of notification, each with the broadcast it is about.

    Args:
        last: Known before.
        there: Goes on now.
        live: Whether the stream was taken to be live.
    """
    found: list[tuple[str, str]] = []
    before = last.id if last.state == "on" else ""
    ended = bool(before) if there is None else before not in ("", there.id)
    if ended or (there is None and live and not last.id):
        found.append((OFFLINE, before))
    if there is not None and there.id != last.id:
        found.append((ONLINE, there.id))
    return tuple(found)


def ends(last: Broadcast) -> str:
    """The broadcast whose end Twitch tells of now; empty if that cannot be known."""
    return "" if last.state == "ended" else last.id
