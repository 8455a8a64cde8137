"""Whether a value can be kept, and how much room it takes: the store keeps JSON. It sets no limits; who asks does."""

import json
from typing import Any, Final

_ENCODER: Final = json.JSONEncoder(allow_nan=False, ensure_ascii=False)
"""Made once; `json.dumps` makes one at every call."""


def size_of(value: Any) -> int | None:
    """The bytes a value takes as JSON; None if it holds anything but texts, finite numbers, lists and the like."""
    try:
        text = _ENCODER.encode(value)
        return len(text) if text.isascii() else len(text.encode())
    except (TypeError, ValueError, RecursionError):
        return None
