"""Which workflows an event is for: those whose trigger listens for it and holds.

Of the workflows that listen for an event only those are looked at whose guard may hold (`engine.sieve`); all others cost
nothing, however many there are. Why one does not take an event is worked out when somebody asks, from what is kept of the
moment. It starts nothing and knows no policy.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from engine.errors import EvaluationError
from engine.evaluate import compile_guard
from engine.events import Event, canonical
from engine.explain import explain
from engine.formulas import And, Compare, Formula, Literal, Variable
from engine.frozen import quick
from engine.model import Definition, Trigger
from engine.needs import Ways, cheapest_first, needs
from engine.scope import MISSING, Scope
from engine.sieve import Sieve


@dataclass(frozen=True, slots=True)
class Match:
    """A workflow that listens for an event.

    Attributes:
        reason: Why the trigger does not hold, in words; None if it holds.
    """

    workflow: str
    trigger: Trigger
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One trigger of a workflow.

    Attributes:
        parts: What its guard cannot hold without, as far as that is known.
        address: A field and the text it must be, which the guard asks for among other things; an event with another text
            there is not meant for it and no reason is given why it does not take it.
    """

    workflow: str
    trigger: Trigger
    holds: Callable[[Scope], bool]
    parts: tuple[Ways, ...]
    address: tuple[str, str] | None

    def hears(self, event: Event) -> bool:
        """Whether it listens for this event at all, before its guard."""
        if event.own and not self.trigger.own_messages:
            return False
        if self.address is None:
            return True
        name, text = self.address
        value = event.payload.get(name, MISSING)
        # A number, a person, or to be found elsewhere: the guard knows.
        return value.casefold() == text if isinstance(value, str) else value is not None


_Candidates: TypeAlias = Mapping[str, tuple[_Candidate, ...]]


@quick
@dataclass(frozen=True, slots=True)
class Matches:
    """What the workflows that listen for an event make of it, as they were at that moment.

    Attributes:
        held: Those that take it, in the order they were made.
        missed: Whether one that it was meant for by a text of its own, such as a command, does not take it.
    """

    event: Event
    scope: Scope
    held: tuple[Match, ...]
    missed: bool
    listeners: _Candidates

    def all(self) -> tuple[Match, ...]:
        """What each workflow makes of it, one answer each, in the order they were made; reasons are worked out now."""
        return tuple(match for workflow in self.listeners for match in self.of(workflow))

    def unheld(self, workflow: str | None = None) -> Iterator[Match]:
        """Those that listen and do not take it, or the one; reasons are worked out as they are asked for."""
        for each in self.listeners if workflow is None else (workflow,):
            for match in self.of(each):
                if match.reason is not None:
                    yield match

    def of(self, workflow: str) -> tuple[Match, ...]:
        """What one workflow makes of it; nothing if it does not listen for it."""
        for match in self.held:
            if match.workflow == workflow:
                return (match,)
        for candidate in self.listeners.get(workflow, ()):
            if candidate.hears(self.event) and candidate.trigger.when is not None:
                return (Match(workflow, candidate.trigger, explain(candidate.trigger.when, self.event, self.scope)),)
        return ()


@dataclass(frozen=True, slots=True)
class _Lookup:
    """The triggers of one event as they stand, in a form to be matched; never changed."""

    candidates: tuple[_Candidate, ...]
    listeners: _Candidates
    sieve: Sieve

    def match(self, event: Event, scope: Scope) -> Matches:
        held: dict[str, Match] = {}
        missed = False
        for place in self.sieve.places(scope):
            candidate = self.candidates[place]
            if event.own and not candidate.trigger.own_messages:
                continue
            try:
                holds = candidate.holds(scope)
            except EvaluationError:
                holds = False
            if holds:
                held.setdefault(candidate.workflow, Match(candidate.workflow, candidate.trigger))
            elif candidate.address is not None:
                missed = True
        return Matches(event, scope, tuple(held.values()), missed, self.listeners)


@dataclass(slots=True)
class _Listeners:
    """All triggers of one event. A change is cheap; the next event after it pays for the lookup."""

    candidates: dict[str, tuple[_Candidate, ...]] = field(default_factory=dict)
    lookup: _Lookup | None = None

    def put(self, workflow: str, candidates: tuple[_Candidate, ...]) -> None:
        self.candidates[workflow] = candidates
        self.lookup = None

    def remove(self, workflow: str) -> None:
        del self.candidates[workflow]
        self.lookup = None

    def looked_up(self, order: Mapping[str, int]) -> _Lookup:
        if self.lookup is None:
            listeners = {
                workflow: self.candidates[workflow] for workflow in sorted(self.candidates, key=order.__getitem__)
            }
            candidates = tuple(candidate for each in listeners.values() for candidate in each)
            sieve = Sieve([candidate.parts for candidate in candidates])
            self.lookup = _Lookup(candidates, listeners, sieve)
        return self.lookup


class TriggerIndex:
    """Finds the workflows that listen for an event."""

    def __init__(self) -> None:
        self._listeners: dict[str, _Listeners] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._order: dict[str, int] = {}

    def put(self, workflow: str, definition: Definition) -> None:
        """Let a workflow be found by its triggers, and by no earlier ones."""
        self.remove(workflow)
        self._order.setdefault(workflow, len(self._order))
        by_name: dict[str, list[_Candidate]] = {}
        for trigger in definition.triggers:
            by_name.setdefault(canonical(trigger.on), []).append(_candidate(workflow, trigger))
        for name, candidates in by_name.items():
            self._listeners.setdefault(name, _Listeners()).put(workflow, tuple(candidates))
        self._names[workflow] = tuple(by_name)

    def remove(self, workflow: str) -> None:
        """Let a workflow not be found any more."""
        for name in self._names.pop(workflow, ()):
            self._listeners[name].remove(workflow)

    def match(self, event: Event, scope: Scope) -> Matches:
        """What the workflows that listen for this event make of it.

        Args:
            event: What happened.
            scope: Where the guards find their values. It is kept with the answer, and so are the mappings in it.
        """
        listeners = self._listeners.get(canonical(event.name))
        if listeners is None:
            return Matches(event, scope, (), False, _NOBODY)
        return listeners.looked_up(self._order).match(event, scope)


_NOBODY: Final[_Candidates] = {}


def _candidate(workflow: str, trigger: Trigger) -> _Candidate:
    guard = trigger.when
    holds = _always if guard is None else compile_guard(cheapest_first(guard))
    return _Candidate(workflow, trigger, holds, needs(guard), _address(guard))


def _always(_: Scope) -> bool:
    return True


def _address(guard: Formula | None) -> tuple[str, str] | None:
    """The field and the text, in lower case, of `field == "text"`, if a guard cannot hold without it."""
    match guard:
        case Compare("==", Variable(path), Literal(str(text))) | Compare("==", Literal(str(text)), Variable(path)):
            return None if "." in path else (path, text.casefold())
        case And(operands):
            return next((found for part in operands if (found := _address(part)) is not None), None)
        case _:
            return None
