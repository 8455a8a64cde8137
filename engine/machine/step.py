"""What a transition comes to, as data: the new form of the run, and what is to be committed and done with it."""

from dataclasses import dataclass

from engine.execution import Effect, Execution, HistoryRow, Values
from engine.frozen import quick
from engine.inputs import Verb


@dataclass(frozen=True, slots=True)
class StartRun:
    """Another workflow to be started in the same commit.

    Attributes:
        id: Of the run to be.
        path: Where it was asked for, with `state`.
        detached: Whether nobody waits for its end.
    """

    id: str
    workflow: str
    arguments: Values
    detached: bool
    depth: int
    path: str
    state: str


@dataclass(frozen=True, slots=True)
class Relay:
    """Something to be done to a run that this one waits for, or no longer waits for."""

    child: str
    verb: Verb
    by: str


@quick
@dataclass(frozen=True, slots=True)
class Step:
    """What a start or an input comes to; commit all of it, then perform the effects.

    Attributes:
        starts: Runs to start in the same commit.
        relays: What to do to runs that it started, in the same commit.
        consumed: Whether the event that it heard is to reach nobody else.
    """

    execution: Execution
    effects: tuple[Effect, ...] = ()
    history: tuple[HistoryRow, ...] = ()
    starts: tuple[StartRun, ...] = ()
    relays: tuple[Relay, ...] = ()
    consumed: bool = False
