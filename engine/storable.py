"""Whether a value can be kept, and how much room it takes: the store keeps JSON. It sets no limits; who asks does."""

import json
from typing import Any


def size_of(value: Any) -> int | None:
    """The bytes a value takes as JSON; None if it holds anything but texts, finite numbers, lists and the like."""
    try:
        return len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError):
        return None
