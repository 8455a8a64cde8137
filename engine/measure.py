"""Reads the numbers off what was committed, so that nothing is counted that did not happen. It keeps none itself."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias, assert_never

from engine.events import canonical
from engine.execution import FINAL, Effect, Execution
from engine.inputs import Ending, Errored, OutcomeUnknown, Succeeded
from engine.metrics import Metrics, NoMetrics
from engine.ports import Batch

UNKNOWN: Final = "unknown"
_NO_TRY: Final = frozenset({"paused", "resumed", "moved", "late success", "late error", "late unknown"})
"""Outcomes of history rows that end no try of a step."""

Commit: TypeAlias = Callable[[Batch], Awaitable[None]]


def timed(commit: Commit, metrics: Metrics, ticks: Callable[[], float]) -> Commit:
    """The same commit, with its rows and its duration told; `ticks` is a clock that only goes forward."""
    if isinstance(metrics, NoMetrics):
        return commit

    async def timed_commit(batch: Batch) -> None:
        begun = ticks()
        try:
            await commit(batch)
        except Exception:
            metrics.commit_failed()
            raise
        metrics.committed(rows_in(batch), ticks() - begun)

    return timed_commit


def rows_in(batch: Batch) -> int:
    """How many rows a commit writes or marks."""
    return sum(len(getattr(batch, name)) for name in Batch.__slots__)


def has_ended(before: Execution | None, after: Execution) -> bool:
    """Whether a run ended in this step; a late result changes an ended one again, and it has not ended twice."""
    return after.status in FINAL and (before is None or before.status not in FINAL)


def measure(
    metrics: Metrics, batch: Batch, endings: Sequence[tuple[Effect, Ending]], ended: Sequence[Execution]
) -> None:
    """Tell what a commit that has returned says: itself, the results it recorded, and the runs that ended in it."""
    if isinstance(metrics, NoMetrics):
        return
    for event in batch.events:
        metrics.event_received(canonical(event.name))
    for effect, ending in endings:
        code = _code(ending)
        if code is not None:
            metrics.step_failed(effect.service, effect.method, code)
    for execution in ended:
        lasted = (execution.ended_at or execution.started_at) - execution.started_at
        metrics.execution_ended(execution.workflow, execution.status, max(0.0, lasted))
    _measure_rounds(metrics, batch)


def _measure_rounds(metrics: Metrics, batch: Batch) -> None:
    workflows = {execution.id: execution.workflow for execution in batch.executions}
    for row in batch.history:
        again = row.visit > 1 and row.attempt == 1 and row.outcome not in _NO_TRY
        if again and row.execution in workflows:
            metrics.iterated(workflows[row.execution], 1)


def _code(ending: Ending) -> str | None:
    match ending:
        case Succeeded():
            return None
        case Errored():
            return ending.error
        case OutcomeUnknown():
            return UNKNOWN
        case _:
            assert_never(ending)
