"""What is measured of a running engine, as a port: numbers go out, nothing comes back.

Whoever collects them must be quick, since they are told in the middle of the work, and must keep every name bounded:
workflows, events and error codes are named by people. The engine knows no collector; `bot.metrics` is one.
"""

from typing import Protocol


class Metrics(Protocol):
    """Told of everything that is counted or timed. No method may raise or wait."""

    def execution_ended(self, workflow: str, status: str, seconds: float) -> None:
        """A run has ended so, that long after its start."""
        ...

    def iterated(self, workflow: str, rounds: int) -> None:
        """A run has begun so many more rounds of a loop, or come back to a step it has been at."""
        ...

    def step_failed(self, service: str, method: str, code: str) -> None:
        """An action was not done; `code` is its short reason, `unknown` where nobody can say whether it was done."""
        ...

    def event_received(self, name: str) -> None:
        """An event was taken in that had not been seen before."""
        ...

    def start_refused(self, kind: str) -> None:
        """An event or a person did not start a workflow; `kind` is one short word on why."""
        ...

    def committed(self, rows: int, seconds: float) -> None:
        """So many rows were written in one commit, which took that long."""
        ...

    def commit_failed(self) -> None:
        """A commit wrote nothing."""
        ...

    def outbox(self, depth: int) -> None:
        """So many effects are committed and not known to be done."""
        ...

    def timer_late(self, seconds: float) -> None:
        """A due time was handed out that long after it was due."""
        ...

    def loop_late(self, seconds: float) -> None:
        """The event loop came back to a task that long after it should have."""
        ...


class NoMetrics:
    """Nobody counts."""

    def execution_ended(self, workflow: str, status: str, seconds: float) -> None:
        """Not counted."""

    def iterated(self, workflow: str, rounds: int) -> None:
        """Not counted."""

    def step_failed(self, service: str, method: str, code: str) -> None:
        """Not counted."""

    def event_received(self, name: str) -> None:
        """Not counted."""

    def start_refused(self, kind: str) -> None:
        """Not counted."""

    def committed(self, rows: int, seconds: float) -> None:
        """Not counted."""

    def commit_failed(self) -> None:
        """Not counted."""

    def outbox(self, depth: int) -> None:
        """Not counted."""

    def timer_late(self, seconds: float) -> None:
        """Not counted."""

    def loop_late(self, seconds: float) -> None:
        """Not counted."""
