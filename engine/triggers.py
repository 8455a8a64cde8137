"""Which workflows an event is for: an index from event to candidates, then each candidate's guard.

A workflow that listens for another event, or for another command or reward, is not even looked at. Of those that are, one
whose guard does not hold comes with a sentence: what was seen and what it needs. It starts nothing and knows no policy.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from engine.errors import EvaluationError
from engine.evaluate import compile_guard
from engine.events import Event, canonical, kind_of
from engine.expressions import format_formula
from engine.formulas import (
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Formula,
    IsEmpty,
    IsOneOf,
    Literal,
    Negate,
    Not,
    Or,
    TextTest,
    Variable,
)
from engine.model import Definition, Trigger
from engine.scope import MISSING, Scope, compile_path
from engine.secrets import redacted
from engine.values import plain
from engine.wording import shortened

MAX_SHOWN: Final = 60


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
    workflow: str
    order: int
    trigger: Trigger
    holds: Callable[[Scope], bool] | None
    needs: tuple[str, str] | None  # a field and the text it must be, which the guard asks for among other things


@dataclass(slots=True)
class _Listeners:
    """All candidates of one event: under the text they need in a field, or looked at every time."""

    by_text: dict[str, dict[str, list[_Candidate]]] = field(default_factory=dict)
    others: list[_Candidate] = field(default_factory=list)

    def of(self, payload: Mapping[str, Any]) -> Iterator[_Candidate]:
        yield from self.others
        for name, by_value in self.by_text.items():
            value = payload.get(name, MISSING)
            if isinstance(value, str):
                yield from by_value.get(value.casefold(), ())
            elif value is not None:  # a number, a person, or to be found elsewhere: the guard knows
                for candidates in by_value.values():
                    yield from candidates


class TriggerIndex:
    """Finds the workflows that listen for an event."""

    def __init__(self) -> None:
        self._listeners: dict[str, _Listeners] = {}
        self._names: dict[str, set[str]] = {}
        self._order: dict[str, int] = {}

    def put(self, workflow: str, definition: Definition) -> None:
        """Let a workflow be found by its triggers, and by no earlier ones."""
        self.remove(workflow)
        order = self._order.setdefault(workflow, len(self._order))
        for trigger in definition.triggers:
            name = canonical(trigger.on)
            listeners = self._listeners.setdefault(name, _Listeners())
            candidate = _Candidate(
                workflow,
                order,
                trigger,
                None if trigger.when is None else compile_guard(trigger.when),
                _needed_text(trigger.when),
            )
            _shelf(listeners, candidate).append(candidate)
            self._names.setdefault(workflow, set()).add(name)

    def remove(self, workflow: str) -> None:
        """Let a workflow not be found any more."""
        for name in self._names.pop(workflow, ()):
            listeners = self._listeners[name]
            for shelf in (listeners.others, *(s for by_value in listeners.by_text.values() for s in by_value.values())):
                shelf[:] = [candidate for candidate in shelf if candidate.workflow != workflow]

    def match(self, event: Event, scope: Scope) -> tuple[Match, ...]:
        """What every workflow that listens for this event makes of it, one answer each, in the order they were made.

        Args:
            event: What happened.
            scope: Where the guards find their values.
        """
        listeners = self._listeners.get(canonical(event.name))
        if listeners is None:
            return ()
        found: dict[str, Match] = {}
        candidates = [c for c in listeners.of(event.payload) if c.trigger.own_messages or not event.own]
        for candidate in sorted(candidates, key=lambda candidate: candidate.order):
            known = found.get(candidate.workflow)
            if known is not None and known.reason is None:
                continue
            match = Match(candidate.workflow, candidate.trigger, _reason(candidate, event, scope))
            if known is None or match.reason is None:
                found[candidate.workflow] = match
        return tuple(found.values())


def _shelf(listeners: _Listeners, candidate: _Candidate) -> list[_Candidate]:
    if candidate.needs is None:
        return listeners.others
    name, text = candidate.needs
    return listeners.by_text.setdefault(name, {}).setdefault(text.casefold(), [])


def _needed_text(guard: Formula | None) -> tuple[str, str] | None:
    """The field and text of `field == "text"`, if a guard cannot hold without it."""
    match guard:
        case Compare("==", Variable(path), Literal(str(text))) | Compare("==", Literal(str(text)), Variable(path)):
            return None if "." in path else (path, text)
        case And(operands):
            return next((found for part in operands if (found := _needed_text(part)) is not None), None)
        case _:
            return None


# Why a trigger does not hold -----------------------------------------------------------------------------------------


def _reason(candidate: _Candidate, event: Event, scope: Scope) -> str | None:
    if candidate.holds is None or candidate.trigger.when is None:
        return None
    try:
        if candidate.holds(scope):
            return None
    except EvaluationError as error:
        return f"its condition {_written(candidate.trigger.when)} could not be worked out: {error.reason}"
    return explain(candidate.trigger.when, event, scope)


def explain(guard: Formula, event: Event, scope: Scope) -> str:
    """Why a guard does not hold: the values seen, and the part of it that fails.

    Example: `the raid had 3 viewers; it needs viewers > 5`.
    """
    failing = _failing(guard, scope)
    seen = [_seen(path, event, scope) for path in dict.fromkeys(_paths(failing))]
    needs = f"it needs {_written(failing)}"
    return f"{' and '.join(seen)}; {needs}" if seen else needs


def _failing(guard: Formula, scope: Scope) -> Formula:
    """The first part of a conjunction that does not hold, or all of it."""
    if isinstance(guard, And):
        for part in guard.operands:
            if not _holds(part, scope):
                return _failing(part, scope)
    return guard


def _holds(formula: Formula, scope: Scope) -> bool:
    try:
        return compile_guard(formula)(scope)
    except EvaluationError:
        return False


def _written(formula: Formula) -> str:
    # A field named like a function is written ${count} to be read back; people are told its name.
    return shortened(re.sub(r"\$\{([\w.]+)\}", r"\1", format_formula(formula)), 2 * MAX_SHOWN)


def _seen(path: str, event: Event, scope: Scope) -> str:
    try:
        value = plain(redacted(compile_path(path)(scope)))
    except EvaluationError:
        value = None
    if value is None:
        return f"{path} was not known"
    shown = _shown(value)
    kind = kind_of(event.name)
    if kind is not None and kind.measure == path:
        noun = kind.noun or kind.name.partition(".")[0]
        return f"the {noun} had {shown} {kind.unit or kind.measure}"
    return f"{path} was {shown}"


def _shown(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return shortened(json.dumps(value, ensure_ascii=False, default=str), MAX_SHOWN)


def _paths(formula: Formula) -> Iterator[str]:
    match formula:
        case Literal():
            return
        case Variable(path):
            yield path
        case Compare(_, left, right) | TextTest(_, left, right) | Arithmetic(_, left, right):
            yield from _all_paths(left, right)
        case IsOneOf(operand, options):
            yield from _all_paths(operand, *options)
        case IsEmpty(operand) | Not(operand) | Negate(operand):
            yield from _paths(operand)
        case Between(operand, low, high):
            yield from _all_paths(operand, low, high)
        case And(operands) | Or(operands) | Call(_, operands):
            yield from _all_paths(*operands)
        case _:
            assert_never(formula)


def _all_paths(*formulas: Formula) -> Iterator[str]:
    for formula in formulas:
        yield from _paths(formula)
