"""The pure heart: what happens next. No I/O, no clock, no chance, no ids drawn here.

    start(program, ...)                            -> Step
    transition(program, execution, input, context) -> Step

A `Step` is the new execution, the effects to commit and then perform, and the history rows to commit with them. Time
comes in with every input, chance and settings with the context, so that replay, recovery and simulation are this same
code with another clock and another performer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from engine.execution import Effect, Execution, HistoryRow


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A service did what an effect asked."""

    at: float
    effect: str
    output: Any = None


@dataclass(frozen=True, slots=True)
class Errored:
    """A service did not do what an effect asked. The code `timeout` takes the timeout edge."""

    at: float
    effect: str
    error: str
    message: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """Nobody can say whether an effect was done."""

    at: float
    effect: str
    message: str


@dataclass(frozen=True, slots=True)
class TimeReached:
    """It is `at` now: whatever was due by then happens."""

    at: float


@dataclass(frozen=True, slots=True)
class Cancel:
    """Let every branch clean up, and end."""

    at: float
    by: str


@dataclass(frozen=True, slots=True)
class Stop:
    """End at once, without handlers."""

    at: float
    by: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Freeze what is left of waits and timeouts."""

    at: float
    by: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on where it was paused."""

    at: float
    by: str


Input: TypeAlias = Succeeded | Errored | OutcomeUnknown | TimeReached | Cancel | Stop | Pause | Resume


@dataclass(frozen=True, slots=True)
class Context:
    """What is known outside the execution at this moment.

    Attributes:
        config: Settings as a tree; dotted paths in templates reach into it.
        data: The community's own variables.
        stream: What is known of the stream: {"live": bool, "viewers": int, "title": ..., "category": ...}.
        zone: IANA name of the community's time zone.
        chance: Numbers in [0, 1) drawn by the runner, for jitter and picks.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    stream: Mapping[str, Any] = field(default_factory=dict)
    zone: str = "UTC"
    chance: tuple[float, ...] = (0.5,)


@dataclass(frozen=True, slots=True)
class Step:
    """What a start or an input comes to; commit all of it, then perform the effects."""

    execution: Execution
    effects: tuple[Effect, ...] = ()
    history: tuple[HistoryRow, ...] = ()
