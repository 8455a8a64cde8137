"""What was too much, counted and told: at once when it begins, then now and then, and the rest when it ends."""

from collections.abc import Callable
from typing import Final

from engine.wording import counted

TELL_EVERY: Final = 60.0


def lines_for(where: str) -> Callable[[int], str]:
    """Says how many lines a place would not take in time."""
    return lambda count: f"{counted(count, 'line')} for {where} {were(count)} dropped: it takes no more."


def were(count: int) -> str:
    """Was or were."""
    return "was" if count == 1 else "were"


class Drops:
    """What was dropped at one place.

    Args:
        words: Says how many it was.
        now: Seconds; only their differences matter.
        notice: Told what people should know.
    """

    def __init__(self, words: Callable[[int], str], now: Callable[[], float], notice: Callable[[str], None]) -> None:
        self._words = words
        self._now = now
        self._notice = notice
        self._untold = 0
        self._told_at = now() - TELL_EVERY

    def add(self) -> None:
        """One more was dropped."""
        self._untold += 1
        if self._now() - self._told_at >= TELL_EVERY:
            self.tell()

    def tell(self) -> None:
        """Tell of those nobody was told of yet, if there are any."""
        if self._untold:
            self._notice(self._words(self._untold))
            self._told_at, self._untold = self._now(), 0
