"""A dry run as data: what it begins with, how far it may go, and the trace it leaves.

A trace says in its order what would happen: which runs would begin or not, what services would be asked, what is waited
for, what ends. Nothing here runs anything, and no line of a trace has happened.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from engine.data import Kept
from engine.declare import Declarations
from engine.events import Event
from engine.execution import Effect, Result, Status, Values
from engine.marks import Mark
from engine.ports import RevisionRecord, WorkflowRecord

DAY: Final = 86_400.0

Answer: TypeAlias = Callable[[Effect], Result | None]
"""What a service would answer; None for whatever such an effect comes to when nobody says otherwise."""


# What it begins with -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a dry run may go.

    Attributes:
        lines: Of its trace.
        runs: How many may begin.
        seconds: Of simulated time.
    """

    lines: int = 500
    runs: int = 50
    seconds: float = 31 * DAY


@dataclass(frozen=True, slots=True)
class Cast:
    """A workflow as it stands in a dry run."""

    workflow: WorkflowRecord
    revision: RevisionRecord


def nothing_special(_: Effect) -> Result | None:
    """Whatever is asked for succeeds."""
    return None


@dataclass(frozen=True, slots=True)
class Stage:
    """What a dry run begins with. It is only read: what changes is changed in copies.

    Attributes:
        at: UTC seconds.
        workflows: All that may be started.
        kept: What the community keeps.
        marks: What is remembered of starts, by workflow and key.
        chance: A number in [0, 1) that stands for all that are drawn, so that the same dry run is the same.
    """

    community: str
    declarations: Declarations
    at: float
    workflows: Sequence[Cast]
    config: Mapping[str, Any] = field(default_factory=dict)
    stream: Mapping[str, Any] = field(default_factory=dict)
    zone: str = "UTC"
    kept: Kept | None = None
    marks: Mapping[tuple[str, str], tuple[Mark, ...]] = field(default_factory=dict)
    chance: float = 0.5
    answer: Answer = nothing_special
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Cue:
    """An event that happens so many seconds after the start, whatever else does."""

    after: float
    event: Event


# What came of it ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Happened:
    """An event: of the script, of the record, or one that a run would let happen.

    Attributes:
        by: The run that would let it happen; None for one from outside.
        heard: The runs that waited for it and would do something.
    """

    at: float
    event: str
    who: str | None
    payload: Values
    by: str | None = None
    heard: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Begun:
    """A run would begin.

    Attributes:
        parent: The run that would start it, if one would.
    """

    at: float
    run: str
    workflow: str
    revision: int
    event: str
    who: str | None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A workflow would not start."""

    at: float
    workflow: str
    event: str
    who: str | None
    reason: str
    allowed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A service would be asked to do something, and would answer so.

    Attributes:
        made_up: Whether nobody knows what it would answer, and success without a result was taken.
    """

    at: float
    run: str
    effect: Effect
    result: Result
    made_up: bool


@dataclass(frozen=True, slots=True)
class Waits:
    """A run would rest.

    Attributes:
        kind: `wait`, `wait_for`, `collect`, `run`, `retry` before another try, or `line` for one that stands in line.
        until: When it is over by itself.
        event: What it listens for; likewise `who`.
    """

    at: float
    run: str
    workflow: str
    step: str
    path: str
    kind: str
    until: float | None = None
    event: str | None = None
    who: str | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """A step would be over: a row of the history that would be written."""

    at: float
    run: str
    workflow: str
    step: str
    path: str
    visit: int
    attempt: int
    kind: str
    outcome: str
    entered_at: float
    params: Any = None
    output: Any = None
    error: str | None = None
    to: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A run would be over."""

    at: float
    run: str
    workflow: str
    status: Status
    error: str | None


Line: TypeAlias = Happened | Begun | Refused | Asked | Waits | Left | Ended


@dataclass(frozen=True, slots=True)
class Trace:
    """What would happen.

    Attributes:
        at: When it began; the times of its lines count from the same clock.
        cut: Why it was not followed to its end, as a sentence.
        events: How many events it was given.
        unmatched: How many of them the workflow listens for, but its trigger did not hold.
        waiting: Runs that would still go on when nothing more was due and the script was over.
    """

    at: float
    lines: tuple[Line, ...]
    cut: str | None = None
    events: int = 0
    unmatched: int = 0
    waiting: tuple[str, ...] = ()

    def of(self, kind: type[Any]) -> tuple[Any, ...]:
        """The lines of one kind."""
        return tuple(line for line in self.lines if isinstance(line, kind))
