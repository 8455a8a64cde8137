"""What can move an execution: what came of an effect, a time that was reached, or a control somebody gave.

Each is a fact with its time, made outside and kept as it is, so that a run can be replayed from them. This module does
not know what an input does to an execution; `engine.machine` does.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, assert_never

from engine.execution import Done, Effect, Failed, Result, Unknown

Verb: TypeAlias = Literal["stop", "cancel", "pause", "resume"]
"""What somebody may want of a run that is going on."""


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


Ending: TypeAlias = Succeeded | Errored | OutcomeUnknown
"""What came of an effect."""

Control: TypeAlias = Cancel | Stop | Pause | Resume

Input: TypeAlias = Ending | TimeReached | Control


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
