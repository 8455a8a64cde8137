"""One run of one revision, as data: where it rests, what it knows, what it asked for, and what came of it.

Plain frozen dataclasses, not models: they are made and stored thousands of times a second and only ever by us. Their
JSON form is `storage`'s business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from engine.frozen import quick

Status: TypeAlias = Literal[
    "scheduled", "queued", "running", "waiting", "paused", "stopping", "completed", "failed", "stopped", "cancelled"
]
FINAL: Final = frozenset({"completed", "failed", "stopped", "cancelled"})
Values: TypeAlias = Mapping[str, Any]
Outcome: TypeAlias = Literal["success", "error", "timeout", "unknown", "cancel", "stopped"]
LaneStatus: TypeAlias = Literal["waiting", "running", "done", "failed", "skipped", "left"]

MAIN: Final = "main"
MAX_DEPTH: Final = 16


@quick
@dataclass(frozen=True, slots=True)
class Branch:
    """One place where an execution rests.

    Attributes:
        path: `main`, or the way through parallel branches and loop rounds.
        state: The state's name.
        visit: How often this state has been entered on this path, from 1; 0 while paused right before it is entered.
        attempt: How many tries of its action have been asked for, from 1; grows only after a known failure.
        effect: Id of the effect that is due or begun, if one is.
        entered_at: When the visit began, UTC seconds.
        due: When a wait or the pause before the next try is over.
        timeout_due: When the state's time is up.
        params: The action's params after substitution, secrets redacted.
        child: The run it waits for, if it runs another workflow and waits for its end.
        heard: Events that came before their time: while the step before a wait went on, or during a pause.
        gathered: What a `collect` has so far.
        came_to: What came of its effect after the run had failed; a retry goes on from there.
    """

    path: str
    state: str
    visit: int
    attempt: int = 1
    effect: str | None = None
    entered_at: float = 0.0
    due: float | None = None
    timeout_due: float | None = None
    params: Any = None
    child: str | None = None
    heard: tuple[Values, ...] = ()
    gathered: tuple[Values, ...] = ()
    came_to: Values | None = None


@quick
@dataclass(frozen=True, slots=True)
class Lane:
    """One of the branches of a `parallel`, while that is open.

    Attributes:
        status: `left` is a branch that nobody waits for any more.
        variables: What was set in it, over what is set around it; merged at the join. Likewise `results`.
        error: Why it failed, and `at` which of its outermost states.
    """

    name: str
    status: LaneStatus = "waiting"
    variables: Values = field(default_factory=dict)
    results: Values = field(default_factory=dict)
    error: str | None = None
    at: str | None = None


@quick
@dataclass(frozen=True, slots=True)
class Frame:
    """A state whose block is open: a loop going round, branches side by side, or a choice with a time limit.

    Attributes:
        path: The path its owner stands on.
        state: The owner's name; likewise its `visit`.
        entered_at: When the owner was entered, UTC seconds.
        timeout_due: When the owner's time is up.
        round: Which round of a loop this is, from 1.
        total: How many rounds there are at most; None where only a guard says.
        items: What a `for_each` goes through.
        lanes: The branches of a `parallel`, in the order they are written.
        joined: Whether the owner has gone on already, and its branches only come to their end.
        closing: Whether no more rounds and branches begin, because of a cancel.
    """

    path: str
    state: str
    visit: int
    entered_at: float = 0.0
    timeout_due: float | None = None
    round: int = 0
    total: int | None = None
    items: tuple[Any, ...] = ()
    lanes: tuple[Lane, ...] = ()
    joined: bool = False
    closing: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Who did something: the name shown, the platform, and the roles held there."""

    name: str
    platform: str = "twitch"
    roles: tuple[str, ...] = ()
    id: str = ""


@quick
@dataclass(frozen=True, slots=True)
class Execution:
    """A run. Replaced whole by every transition.

    Attributes:
        id: Unique in the store.
        community: Whose it is.
        workflow: The workflow's id.
        revision: The revision it is pinned to.
        status: See `Status`.
        seq: Number of history rows written so far; the next one's position.
        branches: Where it rests; empty when it has ended.
        visits: How often each `path/state` has been entered.
        variables: Arguments and what was set.
        results: Step results by state name.
        event: The starting event's payload with `name`, `id` and `at`.
        user: Whom the starting event is about, {"name", "roles"}.
        caller: Who started the outermost run, likewise.
        started_at: UTC seconds.
        ended_at: UTC seconds, once final.
        error: One sentence on why it failed or was stopped.
        cancelled: Whether a cancel is being handled; it then ends `cancelled`.
        paused_at: When it was paused; what is left of its waits counts from here.
        depth: Length of the chain of our own events and runs that led here.
        orphans: Effects still in flight that no branch waits for any more; their result is only recorded.
        late: By how many whole seconds the last wait ended late; `${late}`.
        rounds: How often each `path/state` has been entered again since the last wait of a second or more.
        timeout_due: When the time of the whole run is up.
        timed_out: Whether that has happened; it then ends `failed`, whatever its clean-up does.
        frames: Blocks that are open, outer ones first.
        gathered: All results of a state in the rounds of the last loop it was in, by state name.
        wreck: Where it rested when it failed, the failed place first; a retry goes on from there.
        parent: The run that waits for this one, if one does.
        children: How many runs it has started; the next one's id comes from it.
        ears: What it listens for: (event, the only person who counts or None), without repeats.
        slot: What it shares with other runs that must not go on side by side with it, if anything.
        start_due: When a run that was put off begins.
        configured: Whether it brought settings of its own.
    """

    id: str
    community: str
    workflow: str
    revision: int
    status: Status
    started_at: float
    seq: int = 0
    branches: tuple[Branch, ...] = ()
    visits: Mapping[str, int] = field(default_factory=dict)
    variables: Values = field(default_factory=dict)
    results: Values = field(default_factory=dict)
    event: Values = field(default_factory=dict)
    user: Values | None = None
    caller: Values | None = None
    ended_at: float | None = None
    error: str | None = None
    cancelled: bool = False
    paused_at: float | None = None
    depth: int = 0
    orphans: tuple[str, ...] = ()
    late: int = 0
    rounds: Mapping[str, int] = field(default_factory=dict)
    timeout_due: float | None = None
    timed_out: bool = False
    frames: tuple[Frame, ...] = ()
    gathered: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    wreck: tuple[Branch, ...] = ()
    parent: str | None = None
    children: int = 0
    ears: tuple[tuple[str, str | None], ...] = ()
    slot: str | None = None
    start_due: float | None = None
    configured: bool = False

    @property
    def next_due(self) -> float | None:
        """The earliest time at which something happens by itself, or None."""
        if self.status in FINAL or self.status == "paused":
            return None
        if self.status == "scheduled":
            return self.start_due
        due = self.timeout_due
        for frame in self.frames:
            if frame.timeout_due is not None and (due is None or frame.timeout_due < due):
                due = frame.timeout_due
        for branch in self.branches:
            if branch.due is not None and (due is None or branch.due < due):
                due = branch.due
            if branch.timeout_due is not None and (due is None or branch.timeout_due < due):
                due = branch.timeout_due
        return due


@quick
@dataclass(frozen=True, slots=True)
class Effect:
    """Something a service is asked to do, committed before it is done.

    Attributes:
        id: `execution/path/state/visit`, with `#attempt` from the second try on. The same ask has the same id for ever.
        repeatable: Whether it may be done again under this id after a crash.
    """

    id: str
    community: str
    execution: str
    workflow: str
    state: str
    service: str
    method: str
    params: Mapping[str, Any]
    repeatable: bool
    attempt: int = 1


@quick
@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One ended try of one visit of a state, or one control.

    Attributes:
        seq: Position in the execution's history, from 0, without gaps.
        outcome: How it ended.
        to: The state gone to, or None where the path ended.
        by: Who asked for it, for controls.
    """

    execution: str
    seq: int
    path: str
    state: str
    visit: int
    attempt: int
    outcome: str
    entered_at: float
    ended_at: float
    params: Any = None
    output: Any = None
    error: str | None = None
    to: str | None = None
    by: str | None = None


# What a service answers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """It was done; `output` is the step's result."""

    output: Any = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It was not done.

    Attributes:
        error: A short code, such as `not_found` or `rate_limited`; `retry.on` names these.
        message: One sentence for people.
        retryable: Whether trying again may help.
    """

    error: str
    message: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether it was done."""

    message: str


Result: TypeAlias = Done | Failed | Unknown
