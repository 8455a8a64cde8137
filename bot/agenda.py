"""What is scheduled today, in words. It reads no clock and knows no workflows, only times and names."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from engine.wording import counted, shortened

MAX_SHOWN: Final = 10
MAX_NAME: Final = 40
ALL_TIMES: Final = 3


def agenda(times: Sequence[tuple[float, str]], zone: ZoneInfo) -> str:
    """What is still to come today: `19:00 friday show · 20:15 hydrate and 6 more times`.

    Args:
        times: When, and the name of the workflow; in any order.
        zone: Whose wall clock is read.
    """
    if not times:
        return "Nothing more is scheduled today."
    by_name: dict[str, list[float]] = {}
    for at, name in sorted(times):
        by_name.setdefault(name, []).append(at)
    parts = [_part(name, at, zone) for name, at in by_name.items()]
    more = f" · and {counted(len(parts) - MAX_SHOWN, 'more workflow')}" if len(parts) > MAX_SHOWN else ""
    return f"Still to come today ({zone.key}): {' · '.join(parts[:MAX_SHOWN])}{more}."


def _part(name: str, times: Sequence[float], zone: ZoneInfo) -> str:
    shown = list(dict.fromkeys(f"{datetime.fromtimestamp(at, zone):%H:%M}" for at in times))
    called = shortened(name, MAX_NAME)
    if len(times) <= ALL_TIMES:
        return f"{', '.join(shown)} {called}"
    return f"{shown[0]} {called} and {len(times) - 1:,} more times"
