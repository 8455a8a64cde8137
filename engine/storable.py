"""Whether a value can be kept, and how much room it takes: the store keeps JSON. It sets no limits; who asks does."""

import json
from typing import Any, Final

_ENCODER: Final = json.JSONEncoder(allow_nan=False, ensure_ascii=False)
"""Made once; `json.dumps` makes one at every call."""

SMALL: Final = 20_000
"""Bytes that a value takes at most of which `is_small` holds."""
_PARTS: Final = 16
_LENGTH: Final = 100


def size_of(value: Any) -> int | None:
    """The bytes a value takes as JSON; None if it holds anything but texts, finite numbers, lists and the like."""
    try:
        text = _ENCODER.encode(value)
        return len(text) if text.isascii() else len(text.encode())
    except (TypeError, ValueError, RecursionError):
        return None


def is_small(value: Any) -> bool:
    """Whether a value can plainly be kept and is short; what is not so plain may be so too.

    Most results are a few short texts and numbers, and working out their size takes five times as long as this.
    """
    if value.__class__ is not dict:
        return _is_short(value)
    if len(value) > _PARTS:
        return False
    for key, part in value.items():  # noqa: SIM110  a generator takes longer than what it asks
        if not (key.__class__ is str and _is_short(key) and _is_short(part)):
            return False
    return True


def _is_short(value: Any) -> bool:
    kind = value.__class__
    if kind is str:
        return len(value) <= _LENGTH and value.isascii()
    return value is None or kind is bool or (kind is int and value.bit_length() <= 64)
