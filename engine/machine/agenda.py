"""What one move of the machine may leave to another, to be done in the same transition."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from engine.execution import Branch, Frame, Values


@dataclass(slots=True)
class Enter:
    """A branch comes to a state; `heard` is what happened while the step before it went on."""

    path: str
    state: str
    heard: tuple[Values, ...] = ()


@dataclass(slots=True)
class EndRound:
    """A round of a loop has come to its end on a path."""

    path: str
    owner: str
    heard: tuple[Values, ...] = ()


@dataclass(slots=True)
class EndLane:
    """A branch of a `parallel` has come to its end; with an error it has failed."""

    path: str
    error: str | None = None
    heard: tuple[Values, ...] = ()
    at: str | None = None


@dataclass(slots=True)
class Fail:
    """A try has ended badly and for good; `outcome` is error, timeout or unknown.

    With a `frame` it is a parallel that failed; kept, so that only what failed in it is tried again.
    """

    branch: Branch
    outcome: str
    sentence: str
    output: Any = None
    frame: Frame | None = None


Item: TypeAlias = Enter | EndRound | EndLane | Fail
