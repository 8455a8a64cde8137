"""Gifts that come as one: a header that says how many, and as many single subscriptions that belong to it.

The header starts workflows, the singles do not: they wait a little for their header, as either may come first. A single
whose header does not come stands for itself. Pure; what waits is kept elsewhere.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from engine.events import Event, canonical

PATIENCE: Final = 10.0
"""Seconds for which a single waits for its header."""

_HEADERS: Final = frozenset({"gift.received"})
_SINGLES: Final = frozenset({"subscription.received"})


@dataclass(frozen=True, slots=True)
class Header:
    """Stands for all singles of this key."""

    key: str


@dataclass(frozen=True, slots=True)
class Single:
    """May belong to the header of this key."""

    key: str


Fold: TypeAlias = Header | Single


def fold_of(event: Event) -> Fold | None:
    """What an event is among gifts; None for what is no gift."""
    gift = event.payload.get("gift_id")
    if not isinstance(gift, str | int) or not gift:
        return None
    name = canonical(event.name)
    key = f"gift:{gift}"
    if name in _HEADERS:
        return Header(key)
    return Single(key) if name in _SINGLES else None
