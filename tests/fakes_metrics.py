"""Metrics that remember everything they were told, in order."""

from typing import Any


class CountingMetrics:
    """`engine.metrics.Metrics` as a list.

    Attributes:
        told: (method, *arguments) of every call.
    """

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def execution_ended(self, workflow: str, status: str, seconds: float) -> None:
        self.told.append(("execution_ended", workflow, status, seconds))

    def iterated(self, workflow: str, rounds: int) -> None:
        self.told.append(("iterated", workflow, rounds))

    def step_failed(self, service: str, method: str, code: str) -> None:
        self.told.append(("step_failed", service, method, code))

    def event_received(self, name: str) -> None:
        self.told.append(("event_received", name))

    def start_refused(self, kind: str) -> None:
        self.told.append(("start_refused", kind))

    def committed(self, rows: int, seconds: float) -> None:
        self.told.append(("committed", rows, seconds))

    def commit_failed(self) -> None:
        self.told.append(("commit_failed",))

    def outbox(self, depth: int) -> None:
        self.told.append(("outbox", depth))

    def timer_late(self, seconds: float) -> None:
        self.told.append(("timer_late", seconds))

    def loop_late(self, seconds: float) -> None:
        self.told.append(("loop_late", seconds))
