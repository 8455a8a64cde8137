"""Results of look-ups that a service lets be used again for a while (`Method.cacheable_seconds`).

A bounded table from a call to its result; the one unused for longest goes first. Time comes in with every question. It is
memory only: after a restart everything is looked up anew. Only what was done is kept, never a failure.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.execution import Done, Result

MAX_ENTRIES: Final = 500
MAX_KEY: Final = 4_000
"""Characters a call may have; longer ones are not kept."""


@dataclass(frozen=True, slots=True)
class _Kept:
    result: Done
    until: float


def cache_key(community: str, service: str, method: str, params: Mapping[str, Any]) -> str | None:
    """What stands for a call: the same call has the same key, whatever the order of its params; None if it has none.

    A call with a secret in its params has none, so that the table never holds one.
    """
    try:
        key = json.dumps([community, f"{service}.{method}", params], sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
    return key if len(key) <= MAX_KEY else None


class ResultCache:
    """Results by key, each until its time is over."""

    def __init__(self, most: int = MAX_ENTRIES) -> None:
        self._most = most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str | None, now: float) -> Result | None:
        """The result that still counts for a key, if there is one."""
        kept = None if key is None else self._kept.get(key)
        if key is None or kept is None:
            return None
        if now >= kept.until:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return kept.result

    def put(self, key: str | None, result: Result, now: float, ttl: float) -> None:
        """Let a result count for so many seconds; what failed, or may not be used again, is not kept."""
        if key is None or ttl <= 0 or not isinstance(result, Done):
            return
        self._kept[key] = _Kept(result, now + ttl)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """Hold nothing, so that everything is looked up anew."""
        self._kept.clear()
