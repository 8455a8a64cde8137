"""The lines that begin with `/`, as data: what each asks for, and how it is written.

They drive the terminal; no platform has them. `bot.drive_lines` reads them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from bot.config import NameKind
from bot.message import Place, Role
from bot.services.simulated import Failure

MAX_DURATION: Final = 366 * 86_400.0


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
    "names": '/names scenes|sources|sounds|rewards|channels|filters|roles "ONE","TWO"',
    "config": "/config KEY VALUE, /config secret KEY VALUE, /config timezone Europe/Berlin, or /config list",
    "fail": '/fail SERVICE.METHOD error|timeout|unknown|off [TIMES] ["REASON"]',
    "advance": "/advance 5m, /advance until 19:00, or /advance until 2026-11-22T19:00 [Europe/Berlin]",
    "wait": "/wait 2s",
    "help": "/help [NAME]",
    "quit": "/quit",
}
