"""A definition made ready to run, as data: closures for whatever has to be worked out, tuples for whatever is fixed.

A program is shared by all executions of its revision and never changes. How it comes about is `engine.program`'s
business, what becomes of it `engine.machine`'s.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from engine.model import Definition, Retry
from engine.scope import Evaluate, Scope

Condition: TypeAlias = Callable[[Scope], bool]


@dataclass(frozen=True, slots=True)
class CompiledWay:
    """A guarded target."""

    guard: Condition | None
    to: str


Ways: TypeAlias = tuple[CompiledWay, ...]


@dataclass(frozen=True, slots=True)
class Listening:
    """What a `wait_for` or a `collect` listens for.

    Attributes:
        event: Canonical name.
        guard: What the event must fulfil.
        who: The name of the only person who counts; None if anybody does.
        consume: Whether an event it takes reaches nobody else.
        settled: Whether the guard can be judged before the state is entered.
    """

    event: str
    guard: Condition | None
    who: Evaluate | None
    consume: bool
    settled: bool


@dataclass(frozen=True, slots=True)
class Gathering:
    """How a `collect` gathers: until when, what counts, and how likely each is drawn."""

    seconds: float | None
    count: int | None
    once_per_user: bool
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Loop:
    """How a block goes round.

    Attributes:
        initial: Where a round begins.
        members: The names of all states in the block.
        times: How often at most; None for no bound.
        holds: What must hold before each round.
        items: What is gone through, for a `for_each`.
        variable: The name of the item.
    """

    initial: str
    members: tuple[str, ...]
    times: Evaluate | None = None
    holds: Condition | None = None
    items: Evaluate | None = None
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class CompiledLane:
    """One branch of a `parallel`; `key` is its name as a part of a path."""

    name: str
    key: str
    initial: str
    needs: tuple[str, ...]
    critical: bool


@dataclass(frozen=True, slots=True)
class Sides:
    """The branches of a `parallel`, and what its owner waits for."""

    lanes: tuple[CompiledLane, ...]
    join: Literal["all", "any", "none"]


@dataclass(frozen=True, slots=True)
class CompiledState:
    """A state ready to be entered.

    Attributes:
        key: The name as it stands in effect ids and paths: `/`, `#` and `%` are escaped.
        kind: The action's kind.
        edges: Where it leads, by event.
        owner: The state whose block it belongs to, if it is nested.
        work: For a call or a run its params, for a wait {"seconds"}, for `set` its values, for `transform` its result,
            for an emit its payload.
        service: For a call; likewise `method` and `repeatable`.
        secret: Whether a param may hold a secret, which is then asked for anew at every try.
        to: For `goto`.
        into: For `transform`: the variable its result goes to.
        cases: For `choose`: where each case begins.
        workflow: For `run`: which one; `detached` if nobody waits for it.
        next_waits: The waits that may come right after it: they hear what happens from here on.
        own_events: The events, by canonical name, that have an edge of their own here, with the edge's name.
    """

    name: str
    key: str
    kind: str
    edges: Mapping[str, Ways]
    owner: str | None
    timeout: float | None
    retry: Retry | None
    critical: bool
    enabled: bool
    work: Evaluate | None = None
    service: str = ""
    method: str = ""
    repeatable: bool = False
    secret: bool = False
    to: str | None = None
    into: str | None = None
    cases: Ways = ()
    event: str = ""
    listening: Listening | None = None
    gathering: Gathering | None = None
    loop: Loop | None = None
    sides: Sides | None = None
    workflow: str = ""
    detached: bool = False
    next_waits: tuple[str, ...] = ()
    own_events: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled definition.

    Attributes:
        states: All states by name, nested ones too.
        constants: Defaults that are what they are, of variables without dots in their names.
        defaults: Values of variables that a start does not bring; worked out at start if they have placeholders.
        listens: Whether any state listens for events.
        draws: Whether anything is left to chance.
    """

    definition: Definition
    states: Mapping[str, CompiledState]
    defaults: Mapping[str, Evaluate] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    listens: bool = False
    draws: bool = False
