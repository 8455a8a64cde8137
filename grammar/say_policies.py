"""Policies in canonical words: a line for each rule, and a change of one rule as the sentence that makes it.

What no rule says, such as a number of runs without a run mode, is JSON. Nothing here reads.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from engine.expressions import quote
from engine.model import Policy
from grammar.rules import USUAL
from grammar.say_parts import say_duration

_ASPECTS: Final[tuple[tuple[str, ...], ...]] = (
    ("may_run",),
    ("may_edit",),
    ("cooldown",),
    ("rate",),
    ("once_per_user",),
    ("only_live",),
    ("quiet_hours",),
    ("exempt",),
    ("mode", "max", "key"),
    ("group",),
    ("missed",),
    ("late_seconds",),
)
"""Fields that one rule says together, in the order in which rules are said."""
_MODES: Final = {
    "single": "one run at a time",
    "queued": "one run after the other",
    "restart": "a new run ends the old one",
    "parallel": "runs side by side",
}
_MISSED: Final = {
    "skip": "missed starts are left out",
    "once": "missed starts are made up once",
    "all": "missed starts are all made up",
}
_KEYS: Final = {"user": "per user", "channel": "per channel"}
_ROLES: Final = {
    "broadcaster": "the broadcaster",
    "moderator": "moderators",
    "vip": "vips",
    "subscriber": "subscribers",
    "everyone": "everyone",
}
_OFF: Final = {
    "may_run": "the usual people may run it",
    "may_edit": "the usual people may edit it",
    "cooldown": "no cooldown",
    "rate": "no rate limit",
    "once_per_user": "more than once per user",
    "only_live": "also while not live",
    "quiet_hours": "no quiet hours",
    "exempt": "nobody skips the limits",
    "mode": "no run mode",
    "group": "no group",
    "missed": "no rule for missed starts",
    "late_seconds": "late waits go on",
}


def say_policy(policy: Policy) -> Iterator[str]:
    """A line for each rule, and one of JSON for what no rule says."""
    left: dict[str, Any] = {}
    for aspect in _ASPECTS:
        if all(getattr(policy, name) == getattr(USUAL, name) for name in aspect):
            continue
        said = _say_aspect(aspect[0], policy)
        if said is None:
            left |= _json(policy, aspect)
        else:
            yield said
    if left:
        yield f"policy {json.dumps(left, ensure_ascii=False)}"


def say_new_policy(old: Policy, new: Policy) -> str:
    """The sentence that makes one policy of another: a rule if just one differs, else all of it as JSON."""
    changed = [aspect for aspect in _ASPECTS if any(getattr(old, name) != getattr(new, name) for name in aspect)]
    if len(changed) == 1:
        (aspect,) = changed
        off = all(getattr(new, name) == getattr(USUAL, name) for name in aspect)
        said = _OFF[aspect[0]] if off else _say_aspect(aspect[0], new)
        if said is not None:
            return said
    return f"policy {json.dumps(new.model_dump(mode='json', exclude_defaults=True), ensure_ascii=False)}"


def _say_aspect(name: str, policy: Policy) -> str | None:  # noqa: C901  one line per rule
    match name:
        case "may_run":
            return _say_right(policy.may_run or (), "may run it")
        case "may_edit":
            return _say_right(policy.may_edit or (), "may edit it")
        case "exempt":
            return _say_right(policy.exempt, "skip the limits")
        case "cooldown" if policy.cooldown is not None:
            return f"cooldown {say_duration(policy.cooldown.seconds)}{_say_key(policy.cooldown.per)}"
        case "rate" if policy.rate is not None:
            return f"at most {policy.rate.count} starts in {say_duration(policy.rate.seconds)}"
        case "once_per_user":
            return "once per user"
        case "only_live":
            return "only while live"
        case "quiet_hours" if policy.quiet_hours is not None:
            return f"quiet from {policy.quiet_hours.start} to {policy.quiet_hours.end}"
        case "mode":
            return _say_mode(policy)
        case "group":
            return f"in group {quote(policy.group or '')}"
        case "missed":
            return _MISSED[policy.missed or "skip"]
        case "late_seconds":
            return f"waits fail when late by more than {say_duration(policy.late_seconds or 0)}"
        case _:
            raise AssertionError(name)


def _say_right(roles: Sequence[str], deed: str) -> str:
    if not roles:
        return f"nobody {deed}"
    if list(roles) == ["everyone"]:
        return f"everyone {deed}"
    return f"only {' and '.join(_ROLES[role] for role in roles)} {deed}"


def _say_mode(policy: Policy) -> str | None:
    key = _say_key(policy.key)
    match policy.mode, policy.max:
        case None, _:
            return None
        case mode, None:
            return f"{_MODES[mode]}{key}"
        case "queued", most:
            return f"{_MODES['queued']}, at most {most} in line{key}"
        case "parallel", most:
            return f"at most {most} runs at once{key}"
        case _:
            return None


def _say_key(key: str | None) -> str:
    return "" if key is None else f" {_KEYS.get(key) or f'per {quote(key)}'}"


def _json(policy: Policy, names: Sequence[str]) -> dict[str, Any]:
    dumped: dict[str, Any] = policy.model_dump(mode="json", exclude_defaults=True, include=set(names))
    return dumped
