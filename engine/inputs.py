"""What can move an execution: a result, an event, a time that was reached, or a control somebody gave.

Each is a fact with its time, made outside and kept as it is, so that a run can be replayed from them. This module does
not know what an input does to an execution; `engine.machine` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, assert_never

from engine.execution import Done, Effect, Failed, Result, Status, Unknown, Values
from engine.frozen import quick

Verb: TypeAlias = Literal["stop", "cancel", "pause", "resume"]
"""What somebody may want of a run that is going on, or of the one that it waits for."""


@quick
@dataclass(frozen=True, slots=True)
class Succeeded:
    """A service did what an effect asked."""

    at: float
    effect: str
    output: Any = None


@quick
@dataclass(frozen=True, slots=True)
class Errored:
    """A service did not do what an effect asked. The code `timeout` takes the timeout edge."""

    at: float
    effect: str
    error: str
    message: str
    retryable: bool = False


@quick
@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """Nobody can say whether an effect was done."""

    at: float
    effect: str
    message: str


@dataclass(frozen=True, slots=True)
class ChildEnded:
    """A run that was waited for has ended, or could not begin."""

    at: float
    child: str
    status: Status
    output: Any = None
    error: str | None = None


@quick
@dataclass(frozen=True, slots=True)
class Heard:
    """Something happened.

    Attributes:
        name: Canonical name of the event.
        event: Its payload with `name`, `id` and `at`.
    """

    at: float
    name: str
    event: Values


@quick
@dataclass(frozen=True, slots=True)
class TimeReached:
    """It is `at` now: whatever was due by then happens."""

    at: float


@dataclass(frozen=True, slots=True)
class Begin:
    """A run that stood in line, or was put off, may begin."""

    at: float


@dataclass(frozen=True, slots=True)
class StandInLine:
    """A run that was put off has to wait for others to end."""

    at: float


@dataclass(frozen=True, slots=True)
class Decline:
    """A run that was put off, or stood in line, does not begin after all."""

    at: float
    reason: str


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


@dataclass(frozen=True, slots=True)
class Skip:
    """Let a wait be over: the one in that state, or the one that would end first."""

    at: float
    by: str
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Extend:
    """Let a wait last longer, or less long: the one in that state, or the one that would end first."""

    at: float
    by: str
    seconds: float
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Go on with a failed run at the step that failed, perhaps with other values."""

    at: float
    by: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


Ending: TypeAlias = Succeeded | Errored | OutcomeUnknown
"""What came of an effect."""

Control: TypeAlias = Cancel | Stop | Pause | Resume | Skip | Extend | Retry

Input: TypeAlias = Ending | ChildEnded | Heard | TimeReached | Begin | StandInLine | Decline | Control


def ending(effect: Effect, result: Result, at: float) -> Ending:
    """A service's result as an input of the execution that asked for the effect."""
    match result:
        case Done():
            return Succeeded(at, effect.id, result.output)
        case Failed():
            return Errored(at, effect.id, result.error, result.message, result.retryable)
        case Unknown():
            return OutcomeUnknown(at, effect.id, result.message)
        case _:
            assert_never(result)


def control(verb: Verb, at: float, by: str) -> Control:
    """A verb as an input."""
    match verb:
        case "stop":
            return Stop(at, by)
        case "cancel":
            return Cancel(at, by)
        case "pause":
            return Pause(at, by)
        case "resume":
            return Resume(at, by)
        case _:
            assert_never(verb)
