"""Where this bot keeps its data, and what has been set for a community.

`Settings` is one frozen value; the store holds it as records, one per key, and this module is the only place that knows
their keys. It does no I/O but making the data folder.
"""

import contextlib
import math
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs

from engine.errors import EvaluationError
from engine.ports import ConfigRecord, Retention
from engine.secrets import Secret
from engine.settings import Setting, fitted, resolve
from grammar.workspace import LiveNames

COMMUNITY: Final = "home"
"""The one community of a bot on its embedded default."""

MAX_KEYS: Final = 1_000
NameKind: TypeAlias = Literal["scenes", "sources", "sounds", "rewards", "channels", "filters"]
NAME_KINDS: Final[tuple[NameKind, ...]] = get_args(NameKind)
_VALUE: Final = "config."
_NAMES: Final = "names."
_ZONE: Final = "timezone"
_LIVE: Final = "stream.live"
_VIRTUAL_NOW: Final = "clock.virtual_now"
_LAST_ALIVE: Final = "clock.last_alive"

LONGEST_KEPT: Final = 3_650.0
"""Days for which anything is kept at most."""


class NotSettable(Exception):
    """A setting that does not fit; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where everything durable lies."""

    path: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / "showcaller.db"

    @property
    def log(self) -> Path:
        """What happened inside, for whoever mends it; no secrets."""
        return self.path / "showcaller.log"

    @property
    def typed(self) -> Path:
        """The prompt's history."""
        return self.path / "typed.txt"

    @property
    def media(self) -> Path:
        """The sounds and images of the overlay."""
        return self.path / "media"

    @property
    def snapshots(self) -> Path:
        """Pictures that workflows took, until they are posted."""
        return self.path / "snapshots"

    def make(self) -> None:
        """Make the folder if it is not there, readable for its owner only.

        Raises:
            OSError: It cannot be made.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)


def data_folder(given: Path | None) -> DataFolder:
    """The folder asked for, or that of SHOWCALLER_DATA, or the one this system keeps for applications."""
    chosen = given or os.environ.get("SHOWCALLER_DATA") or platformdirs.user_data_dir("showcaller", appauthor=False)
    return DataFolder(Path(chosen).expanduser())


def tables_folder() -> Path | None:
    """Where the language keeps what takes long to work out, readable for its owner only; None if it cannot be had."""
    folder = Path(platformdirs.user_cache_dir("showcaller", appauthor=False))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mine = folder.stat()
    except OSError:
        return None
    # What lies there decides how sentences are read, so nobody else may have put it there.
    safe = os.name != "posix" or (mine.st_uid == os.getuid() and not mine.st_mode & 0o022)
    return folder if safe and os.access(folder, os.W_OK) else None


@dataclass(frozen=True, slots=True)
class Settings:
    """What is set for a community, and what the terminal remembers of its stream.

    Attributes:
        values: By dotted key.
        secrets: Likewise; they are never shown.
        zone: IANA name; None = the machine's.
        virtual_now: How far virtual time has come; None if it never ran.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    zone: str | None = None
    live: bool = False
    names: LiveNames = field(default_factory=LiveNames)
    virtual_now: float | None = None

    def tree(self, declared: Iterable[Setting] = ()) -> dict[str, Any]:
        """All of it as a tree that dotted names of templates reach into; a secret stands there as a `Secret`.

        What is not set has the default that was declared for it, if one was.
        """
        secrets = {key: Secret(key, value) for key, value in self.secrets.items()}
        return resolve({}, {**self.values, **secrets}, declared)

    def stream(self) -> dict[str, Any]:
        """What is known of the stream: whether it is live, and what settings like `stream.title` say of it."""
        said = {key.removeprefix("stream."): value for key, value in self.values.items() if key.startswith("stream.")}
        return {**{key: value for key, value in said.items() if "." not in key}, "live": self.live}


_OFF: Final = frozenset({"off", "no", "false", "0"})


def is_off(value: Any) -> bool:
    """Whether a setting's value switches something off; what is not set does not."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip().casefold() in _OFF


def settings_from(records: Mapping[str, ConfigRecord]) -> Settings:
    """The settings a store holds; keys of others are left alone."""
    values = {key.removeprefix(_VALUE): record for key, record in records.items() if key.startswith(_VALUE)}
    names = {kind: tuple(records[_NAMES + kind].value) for kind in NAME_KINDS if _NAMES + kind in records}
    zone = records.get(_ZONE)
    live = records.get(_LIVE)
    virtual_now = records.get(_VIRTUAL_NOW)
    return Settings(
        values={key: record.value for key, record in values.items() if not record.secret},
        secrets={key: record.value for key, record in values.items() if record.secret},
        zone=None if zone is None else str(zone.value),
        live=live is not None and live.value is True,
        names=LiveNames(**names),
        virtual_now=None if virtual_now is None else float(virtual_now.value),
    )


def with_value(
    settings: Settings, key: str, value: str | float, *, secret: bool, declared: Iterable[Setting] = ()
) -> tuple[Settings, ConfigRecord]:
    """The settings with one key set; one that is declared gets its type, and is secret if it was declared so.

    Raises:
        NotSettable: A key cannot be a value and a branch at once, it does not fit, or there are too many.
    """
    setting = next((each for each in declared if each.key == key), None)
    if setting is not None:
        secret = secret or setting.secret
        value = _fitting(setting, value)
    taken = {*settings.values, *settings.secrets} - {key}
    for other in taken:
        if other.startswith(key + ".") or key.startswith(other + "."):
            raise NotSettable(f'"{other}" is set already, so "{key}" cannot be; one of them needs another name.')
    if len(taken) >= MAX_KEYS:
        raise NotSettable(f"There are {MAX_KEYS} settings already; that is the limit.")
    values = {name: kept for name, kept in settings.values.items() if name != key}
    secrets = {name: kept for name, kept in settings.secrets.items() if name != key}
    if secret:
        secrets[key] = str(value)
    else:
        values[key] = value
    return replace(settings, values=values, secrets=secrets), _record(_VALUE + key, value, secret=secret)


def _fitting(setting: Setting, value: str | float) -> Any:
    if setting.secret:
        return value
    try:
        return fitted(setting, value)
    except EvaluationError as error:
        raise NotSettable(f"{error.reason}.") from None


def with_zone(settings: Settings, zone: str) -> tuple[Settings, ConfigRecord]:
    """The settings with another time zone."""
    return replace(settings, zone=zone), _record(_ZONE, zone)


def with_live(settings: Settings, *, on: bool) -> tuple[Settings, ConfigRecord]:
    """The settings with the stream on or off."""
    return replace(settings, live=on), _record(_LIVE, on)


def with_names(settings: Settings, kind: NameKind, names: tuple[str, ...]) -> tuple[Settings, ConfigRecord]:
    """The settings with other live names of one kind."""
    return replace(settings, names=_named(settings.names, kind, names)), _record(_NAMES + kind, list(names))


def with_virtual_now(settings: Settings, now: float) -> tuple[Settings, ConfigRecord]:
    """The settings with virtual time having come that far."""
    return replace(settings, virtual_now=now), _record(_VIRTUAL_NOW, now)


def with_record(settings: Settings, record: ConfigRecord) -> Settings:
    """The settings as they are now with one record stored, whatever else has been stored meanwhile."""
    key, found = record.key, settings_from({record.key: record})
    if key == _ZONE:
        return replace(settings, zone=found.zone)
    if key == _LIVE:
        return replace(settings, live=found.live)
    if key == _VIRTUAL_NOW:
        return replace(settings, virtual_now=found.virtual_now)
    if key.startswith(_NAMES):
        kind = key.removeprefix(_NAMES)
        return replace(settings, names=replace(settings.names, **{kind: getattr(found.names, kind)}))
    if key.startswith(_VALUE):
        name = key.removeprefix(_VALUE)
        values = {other: value for other, value in settings.values.items() if other != name}
        secrets = {other: value for other, value in settings.secrets.items() if other != name}
        return replace(settings, values={**values, **found.values}, secrets={**secrets, **found.secrets})
    return settings


# Keeping -----------------------------------------------------------------------------------------------------------------


def retention_of(settings: Settings) -> Retention:
    """How long what happened is kept: `keep.events.days`, `keep.events.megabytes`, `keep.admissions.days`, `keep.runs.days`.

    What is not a number above zero counts as not set.
    """
    usual = Retention()
    return Retention(
        events_seconds=_days(settings, "keep.events.days", usual.events_seconds),
        events_bytes=int(_number(settings, "keep.events.megabytes", usual.events_bytes / 1e6) * 1e6),
        admissions_seconds=_days(settings, "keep.admissions.days", usual.admissions_seconds),
        executions_seconds=_days(settings, "keep.runs.days", usual.executions_seconds),
    )


def _days(settings: Settings, key: str, usual: float) -> float:
    return min(_number(settings, key, usual / 86_400.0), LONGEST_KEPT) * 86_400.0


def _number(settings: Settings, key: str, usual: float) -> float:
    value = settings.values.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return usual
    return float(value) if 0 < value < math.inf else usual


def last_alive(records: Mapping[str, ConfigRecord]) -> float | None:
    """When a bot on real time was last known to be there."""
    record = records.get(_LAST_ALIVE)
    return float(record.value) if record is not None and isinstance(record.value, int | float) else None


def alive_at(now: float) -> ConfigRecord:
    """That it is there now."""
    return _record(_LAST_ALIVE, now)


def _named(names: LiveNames, kind: NameKind, found: tuple[str, ...]) -> LiveNames:
    return replace(names, **{kind: found})


def _record(key: str, value: Any, *, secret: bool = False) -> ConfigRecord:
    return ConfigRecord(COMMUNITY, key, value, secret)


def masked(line: str) -> str:
    """A typed line fit to be shown, kept and logged: what `/config secret` was given is not in it."""
    return re.sub(r"(?is)^(\s*/config\s+secret\s+\S+\s+).+$", r"\1***", line)


# The machine's zone ----------------------------------------------------------------------------------------------------


def machine_zone() -> str:
    """The IANA name of the machine's time zone, or of its present offset, or UTC."""
    candidates = (*_names_of_zone(), _offset_name(-time.timezone))
    return next((name for name in candidates if is_zone(name)), "UTC")


def is_zone(name: str) -> bool:
    """Whether there is a time zone of that IANA name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _names_of_zone() -> Iterable[str]:
    yield os.environ.get("TZ", "").removeprefix(":")
    with contextlib.suppress(OSError, ValueError):
        yield Path("/etc/timezone").read_text(encoding="ascii").strip()
    with contextlib.suppress(OSError):
        yield str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]


def _offset_name(seconds: int) -> str:
    # The signs of these names are the other way round: Etc/GMT-1 is one hour east.
    return f"Etc/GMT{-seconds // 3600:+d}" if seconds % 3600 == 0 and seconds else "UTC"


def zone_info(settings: Settings, machine: str) -> ZoneInfo:
    """The community's time zone."""
    return ZoneInfo(settings.zone or machine)
