"""Which value a setting has: the run's own, else the community's, else the default that a service declared for it.

Keys are dotted and become a tree that templates reach into (`${config.discord.channel}`). A secret stands there as a
`Secret`. A run brings its own values as arguments called `config.KEY`; a secret cannot come that way. This module stores
nothing and knows no service.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from pydantic import JsonValue

from engine.errors import EvaluationError
from engine.fitting import as_boolean, as_number, as_text
from engine.secrets import Secret, holds_secret

SettingType: TypeAlias = Literal["text", "number", "boolean", "seconds", "list"]
PREFIX: Final = "config."
_ROOT: Final = "config"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting that a service or a module understands.

    Attributes:
        key: Dotted, the service's name first: `discord.channel`.
        default: What counts if nobody sets it; None = it then is not set.
        description: One line for people.
        secret: Whether it must never be shown.
    """

    key: str
    type: SettingType = "text"
    default: JsonValue = None
    description: str = ""
    secret: bool = False


def resolve(
    overrides: Mapping[str, Any], community: Mapping[str, Any], declared: Iterable[Setting] = ()
) -> dict[str, Any]:
    """The settings of one run as a tree: each value from the nearest of the three that has one.

    Args:
        overrides: The run's own, by dotted key; see `overrides_in`.
        community: Set for the community, by dotted key; secrets as `Secret`.
        declared: What services declare, with defaults.
    """
    declared = tuple(declared)
    defaults = {each.key: _secret(each, each.default) for each in declared if each.default is not None}
    return overridden(_laid(_laid({}, defaults), community), overrides, declared)


def overridden(
    tree: Mapping[str, Any], overrides: Mapping[str, Any], declared: Iterable[Setting] = ()
) -> dict[str, Any]:
    """A tree of settings as one run sees it, with its own over it; the tree itself stays as it is.

    What does not fit its declaration, or would stand where a secret stands, is left out: whoever starts a run is told so
    before, by `misfit`.
    """
    known = {setting.key: setting for setting in declared}
    fitting: dict[str, Any] = {}
    for key, value in overrides.items():
        setting = known.get(key)
        if _holds_secret_at(tree, key) or (setting is not None and setting.secret):
            continue
        try:
            fitting[key] = value if setting is None else _fitted(setting, value)
        except EvaluationError:
            continue
    return _laid(tree, fitting)


def _laid(tree: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A tree with values put over it by dotted key: a value takes the place of a branch, and a branch that of a value."""
    made = dict(tree)
    for key, value in values.items():
        *above, last = key.split(".")
        place = made
        for part in above:
            inner = place.get(part)
            place[part] = dict(inner) if isinstance(inner, Mapping) else {}
            place = place[part]
        place[last] = value
    return made


def _holds_secret_at(tree: Mapping[str, Any], key: str) -> bool:
    """Whether a secret stands at that key, above it or below it."""
    value: Any = tree
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else value
    return holds_secret(value)


def overrides_in(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The run's own settings among its arguments: `config.discord.channel`, or nested under `config`."""
    found: dict[str, Any] = {}
    for name, value in arguments.items():
        if name == _ROOT and isinstance(value, Mapping):
            found.update(_leaves(value, ""))
        elif name.startswith(PREFIX) and len(name) > len(PREFIX):
            key = name.removeprefix(PREFIX)
            found.update(_leaves(value, f"{key}.") if isinstance(value, Mapping) else {key: value})
    return found


def misfit(overrides: Mapping[str, Any], declared: Iterable[Setting], secrets: Iterable[str] = ()) -> str | None:
    """Why a run must not start with these settings of its own, in a sentence; None if nothing is against it.

    Args:
        overrides: By dotted key.
        declared: What services declare.
        secrets: Keys the community keeps secret.
    """
    known = {setting.key: setting for setting in declared}
    hidden = {*secrets, *(key for key, setting in known.items() if setting.secret)}
    for key, value in overrides.items():
        # A key above a secret would hide it, one below would take its place.
        near = next((other for other in sorted(hidden) if _touches(key, other)), None)
        if near is not None:
            return f"{near} is a secret setting, and a run cannot bring its own"
        if key in known:
            try:
                _fitted(known[key], value)
            except EvaluationError as error:
                return error.reason
    return None


def fitted(setting: Setting, value: Any) -> Any:
    """A value as the type that its setting asks for; numbers, yes or no, and lists also come as texts.

    Raises:
        EvaluationError: It does not fit.
    """
    return _secret(setting, _fitted(setting, value))


def _fitted(setting: Setting, value: Any) -> Any:
    match setting.type:
        case "number" | "seconds":
            return as_number(setting.key, value)
        case "boolean":
            return as_boolean(setting.key, value)
        case "list":
            return _as_list(setting.key, value)
        case "text":
            return as_text(setting.key, value)


def _as_list(key: str, value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list | tuple):
        return list(value)
    raise EvaluationError(f"{key} must be a list")


def _secret(setting: Setting, value: Any) -> Any:
    return Secret(setting.key, str(value)) if setting.secret and not isinstance(value, Secret) else value


def _leaves(tree: Mapping[str, Any], above: str) -> dict[str, Any]:
    """Values by dotted key; what is nested beyond reason is left as it is."""
    found: dict[str, Any] = {}
    left: list[tuple[str, Any, int]] = [(f"{above}{name}", value, 0) for name, value in tree.items()]
    while left:
        key, value, depth = left.pop()
        if isinstance(value, Mapping) and value and depth < 16:
            left.extend((f"{key}.{name}", inner, depth + 1) for name, inner in value.items())
        else:
            found[key] = value
    return found


def _touches(key: str, other: str) -> bool:
    return key == other or key.startswith(f"{other}.") or other.startswith(f"{key}.")
