"""How often somebody may ask or be asked: a small burst, and then steadily. Pure; time comes in."""

from collections import OrderedDict
from typing import Final

BURST: Final = 10.0
"""Asks that one name gets at once."""
A_SECOND: Final = 1.0
"""Asks that come free each second."""
MOST_NAMES: Final = 1_000


class Pace:
    """What is left for each name, such as a host; the one asked longest ago is forgotten first, and by then has all of it again."""

    def __init__(self, burst: float = BURST, a_second: float = A_SECOND, most: int = MOST_NAMES) -> None:
        self._burst = burst
        self._a_second = a_second
        self._most = most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, now: float) -> float:
        """Take one ask; tells for how many seconds to wait if there is none left, and 0 if it may be sent."""
        left, at = self._left.pop(name, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - at) * self._a_second)
        taken = left >= 1
        self._left[name] = (left - 1 if taken else left, now)
        while len(self._left) > self._most:
            self._left.popitem(last=False)
        return 0.0 if taken else (1 - left) / self._a_second
