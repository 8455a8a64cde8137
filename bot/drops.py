"""What a platform would not take in time, counted and told: at once when it begins, then now and then, and the rest when it ends."""

from collections.abc import Callable
from typing import Final

TELL_EVERY: Final = 60.0


class Drops:
    """The lines of one place that were dropped.

    Args:
        where: Completes `2 lines for … were dropped`.
        now: Seconds; only their differences matter.
        notice: Told what people should know.
    """

    def __init__(self, where: str, now: Callable[[], float], notice: Callable[[str], None]) -> None:
        self._where = where
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
            lines = "1 line" if self._untold == 1 else f"{self._untold} lines"
            were = "was" if self._untold == 1 else "were"
            self._notice(f"{lines} for {self._where} {were} dropped: it takes no more.")
            self._told_at, self._untold = self._now(), 0
