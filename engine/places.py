"""Which runs must not go on side by side: each slot has those that are on, and those that stand in line for it.

A slot is a workflow, or a group of workflows, perhaps for each user or whatever else its key says. It knows ids, no
executions, and no rules; `engine.admission` has them.
"""

from engine.execution import FINAL, Status


class Places:
    """Keeps the runs of each slot."""

    def __init__(self) -> None:
        self._on: dict[str, dict[str, None]] = {}
        self._line: dict[str, dict[str, None]] = {}

    def put(self, slot: str, id: str, status: Status) -> bool:
        """A run stands like this now; tells whether it has left its slot to whoever stands in line."""
        if status in FINAL:
            stood_in_line = self._take(self._line, slot, id)  # and perhaps began and ended in one go
            return self._take(self._on, slot, id) or stood_in_line
        if status == "queued":
            self._line.setdefault(slot, {})[id] = None
        elif status != "scheduled":
            if self._line:
                self._take(self._line, slot, id)
            on = self._on.get(slot)
            if on is None:
                on = self._on[slot] = {}
            on[id] = None
        return False

    def on(self, slot: str) -> tuple[str, ...]:
        """The runs that are on, by start."""
        return tuple(self._on.get(slot, ()))

    def line(self, slot: str) -> tuple[str, ...]:
        """The runs that stand in line, first come first."""
        return tuple(self._line.get(slot, ()))

    def count(self, slot: str) -> int:
        """How many are on."""
        return len(self._on.get(slot, ()))

    def free(self) -> tuple[str, ...]:
        """The slots that somebody stands in line for although nobody is on."""
        return tuple(slot for slot in self._line if slot not in self._on)

    def clear(self) -> None:
        """Nothing is on."""
        self._on.clear()
        self._line.clear()

    @staticmethod
    def _take(slots: dict[str, dict[str, None]], slot: str, id: str) -> bool:
        ids = slots.get(slot)
        if ids is None or id not in ids:
            return False
        del ids[id]
        if not ids:
            del slots[slot]
        return True
