"""The engine's numbers for a monitoring system, kept by prometheus-client in a registry of their own.

Every name people can choose is bounded: the first so many of a kind are counted under their own name, the others
together as `other`. No person, message or id is ever a label. Importing this takes a tenth of a second, so only who
measures does.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import generate_latest

OTHER: Final = "other"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_WORKFLOWS: Final = 200
_METHODS: Final = 300
_CODES: Final = 50
_EVENTS: Final = 100
_KINDS: Final = 30
_LONGEST: Final = 80
_RUN: Final = (0.1, 1, 5, 30, 60, 300, 1_800, 3_600, 21_600, 86_400)
_LAG: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300)
_COMMIT: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2)
_ROWS: Final = (1, 4, 16, 64, 256, 1_024)

disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the lines and tell nothing


class PrometheusMetrics:
    """`engine.metrics.Metrics` that can be read as text."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._workflows = _Names(_WORKFLOWS)
        self._methods = _Names(_METHODS)
        self._codes = _Names(_CODES)
        self._events = _Names(_EVENTS)
        self._kinds = _Names(_KINDS)
        self._runs = Histogram(
            "showcaller_execution_seconds",
            "How long runs lasted, by workflow and how they ended.",
            ["workflow", "status"],
            buckets=_RUN,
            registry=registry,
        )
        self._ended = Counter(
            "showcaller_executions_ended", "Runs that have ended, by how.", ["status"], registry=registry
        )
        self._rounds = Counter(
            "showcaller_loop_iterations", "Rounds of loops and steps come back to.", ["workflow"], registry=registry
        )
        self._errors = Counter(
            "showcaller_step_errors", "Actions that were not done, by reason.", ["action", "code"], registry=registry
        )
        self._received = Counter("showcaller_events_received", "Events taken in.", ["event"], registry=registry)
        self._refused = Counter("showcaller_starts_refused", "Starts refused, by why.", ["reason"], registry=registry)
        self._commits = Histogram(
            "showcaller_commit_seconds", "How long commits took.", buckets=_COMMIT, registry=registry
        )
        self._rows = Histogram("showcaller_commit_rows", "How much one commit wrote.", buckets=_ROWS, registry=registry)
        self._failed = Counter("showcaller_commits_failed", "Commits that wrote nothing.", registry=registry)
        self._outbox = Gauge(
            "showcaller_outbox_depth", "Effects committed and not known to be done.", registry=registry
        )
        self._timers = Histogram(
            "showcaller_timer_lag_seconds", "How late due times were handed out.", buckets=_LAG, registry=registry
        )
        self._loop = Histogram(
            "showcaller_loop_lag_seconds", "How late the event loop came back.", buckets=_LAG, registry=registry
        )

    def generate(self) -> str:
        """All numbers as text, to be served as `CONTENT_TYPE`."""
        return generate_latest(self.registry).decode("utf-8")

    def execution_ended(self, workflow: str, status: str, seconds: float) -> None:
        """A run has ended."""
        self._runs.labels(self._workflows.bounded(workflow), status).observe(seconds)
        self._ended.labels(status).inc()

    def iterated(self, workflow: str, rounds: int) -> None:
        """A run went round."""
        self._rounds.labels(self._workflows.bounded(workflow)).inc(rounds)

    def step_failed(self, service: str, method: str, code: str) -> None:
        """An action was not done."""
        self._errors.labels(self._methods.bounded(f"{service}.{method}"), self._codes.bounded(code)).inc()

    def event_received(self, name: str) -> None:
        """An event was taken in."""
        self._received.labels(self._events.bounded(name)).inc()

    def start_refused(self, kind: str) -> None:
        """A workflow was not started."""
        self._refused.labels(self._kinds.bounded(kind)).inc()

    def committed(self, rows: int, seconds: float) -> None:
        """A commit was written."""
        self._rows.observe(rows)
        self._commits.observe(seconds)

    def commit_failed(self) -> None:
        """A commit was not written."""
        self._failed.inc()

    def outbox(self, depth: int) -> None:
        """So many effects are under way."""
        self._outbox.set(depth)

    def timer_late(self, seconds: float) -> None:
        """A due time was handed out."""
        self._timers.observe(max(0.0, seconds))

    def loop_late(self, seconds: float) -> None:
        """The loop came back."""
        self._loop.observe(max(0.0, seconds))


class _Names:
    """The first so many names of a kind, and one for all others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[str, str] = {}

    def bounded(self, name: str) -> str:
        known = self._known.get(name)
        if known is not None:
            return known
        if len(self._known) >= self._most:
            return OTHER
        # The text is sent as UTF-8, which has no lone surrogates.
        label = name[:_LONGEST].encode("utf-8", "replace").decode("utf-8")
        self._known[name] = label
        return label
