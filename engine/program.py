"""A definition made ready to run: everything that can be worked out once is worked out here, once per revision.

Edges become tuples, nested states know their owner, and each state knows which waits may come right after it. It holds no
execution and decides nothing; `engine.machine` does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from engine.actions import check_free, particulars
from engine.compiled import CompiledState, CompiledWay, Program, Ways
from engine.declare import Declarations
from engine.effect_ids import escaped
from engine.errors import DefinitionError, ExpressionError
from engine.evaluate import compile_guard
from engine.events import canonical
from engine.model import Definition, State, Target, blocks
from engine.scope import Evaluate
from engine.templates import compile_params, is_constant

__all__ = ["CompiledState", "Program", "compile_program", "compile_target"]

_PASSED: Final = frozenset({"set", "transform", "goto", "choose", "parallel", "repeat", "for_each", "run", "emit"})
"""Kinds that may be over as soon as they are entered."""

_NEVER_AGAIN: Final = frozenset({"choose", "parallel", "repeat", "for_each", "run"})
"""Kinds whose failure is that of another step, which is the one to be tried again."""

OUTCOMES: Final = frozenset({"success", "error", "timeout", "unknown", "cancel"})
"""The edges that the engine itself takes; any other one is taken when an event of that name happens."""


def compile_program(definition: Definition, declarations: Declarations) -> Program:
    """Make a definition ready to run.

    Raises:
        DefinitionError: It cannot be run as it is written; the message names the place.
    """
    states: dict[str, CompiledState] = {}
    _add_block(definition.states, None, declarations, states)
    _check_target(definition.on_error, "on_error", states)
    for variable in definition.variables:
        check_free(variable, f'variable "{variable}"')
    waits = any(state.listening is not None for state in states.values())
    listens = waits or any(state.own_events for state in states.values())
    if waits:
        states = {name: replace(state, next_waits=_next_waits(state, states)) for name, state in states.items()}
    draws = any(state.gathering is not None or (state.retry and state.retry.jitter) for state in states.values())
    return Program(definition, states, _defaults(definition), _constants(definition), listens, draws)


def _add_block(
    members: tuple[State, ...],
    owner: str | None,
    declarations: Declarations,
    states: dict[str, CompiledState],
) -> None:
    names = {state.name for state in members}
    for state in members:
        states[state.name] = _state(state, owner, declarations, names)
        for block in blocks(state.action):
            _add_block(block.states, state.name, declarations, states)


def _state(state: State, owner: str | None, declarations: Declarations, siblings: set[str]) -> CompiledState:
    place = f'step "{state.name}"'
    check_free(state.name, place)
    try:
        edges = {event: compile_target(target) for event, target in state.transitions.items()}
        particular = particulars(state.action, declarations, place)
    except ExpressionError as error:
        raise DefinitionError(f"{place}: {error}") from error
    for event, ways in edges.items():
        for way in ways:
            _check_target(way.to, f"{place}, on {event}", siblings)
    _check_target(particular.get("to"), place, siblings)
    if state.retry is not None and state.action.kind in _NEVER_AGAIN:
        raise DefinitionError(f"{place}: only a step that asks a service can be tried again")
    return CompiledState(
        name=state.name,
        key=escaped(state.name),
        kind=state.action.kind,
        edges=edges,
        owner=owner,
        timeout=state.timeout_seconds,
        retry=state.retry,
        critical=state.critical,
        enabled=state.enabled,
        own_events={canonical(event): event for event in edges if event not in OUTCOMES},
        **particular,
    )


def compile_target(target: Target) -> Ways:
    """The ways of a target in order; a bare name is one way without a guard.

    Raises:
        ExpressionError: A guard is nested too deep.
    """
    if isinstance(target, str):
        return (CompiledWay(None, target),)
    return tuple(CompiledWay(None if way.when is None else compile_guard(way.when), way.to) for way in target)


def _check_target(name: str | None, place: str, known: Any) -> None:
    if name is not None and name not in known:
        raise DefinitionError(f'{place}: there is no step "{name}" to go to')


def _constants(definition: Definition) -> dict[str, Any]:
    """Defaults that need no working out: plain numbers and texts, which nobody can change."""
    return {
        name: declaration.default
        for name, declaration in definition.variables.items()
        if isinstance(declaration.default, str | int | float) and is_constant(declaration.default) and "." not in name
    }


def _defaults(definition: Definition) -> dict[str, Evaluate]:
    defaults: dict[str, Evaluate] = {}
    for name, declaration in definition.variables.items():
        if declaration.default is None:
            continue
        try:
            defaults[name] = compile_params(declaration.default)
        except ExpressionError as error:
            raise DefinitionError(f'variable "{name}": {error}') from error
    return defaults


# Which waits come next ---------------------------------------------------------------------------------------------------


def _next_waits(state: CompiledState, states: Mapping[str, CompiledState]) -> tuple[str, ...]:
    """The waits for events that may be entered in the very transition that leaves a state."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    left = list(_after(state, states))
    while left:
        name = left.pop()
        if name in seen or name not in states:
            continue
        seen.add(name)
        following = states[name]
        if following.listening is not None and following.enabled:
            found[name] = None
        elif following.kind in _PASSED or not following.enabled:
            left.extend(_inside(following))
            left.extend(_after(following, states))
    return tuple(found)


def _after(state: CompiledState, states: Mapping[str, CompiledState]) -> Iterator[str]:
    """Where a state may lead, also as the end of the blocks around it."""
    while True:
        yield from (way.to for ways in state.edges.values() for way in ways)
        if state.to is not None:
            yield state.to
        if state.owner is None:
            return
        state = states[state.owner]
        yield from _once_more(state)


def _once_more(state: CompiledState) -> Iterator[str]:
    """What of the blocks of a state may begin when a part of them has ended: a next round, or a branch that needs another."""
    if state.loop is not None:
        yield state.loop.initial
    if state.sides is not None:
        yield from (lane.initial for lane in state.sides.lanes if lane.needs)


def _inside(state: CompiledState) -> Iterator[str]:
    """Where the blocks of a state begin."""
    yield from (case.to for case in state.cases)
    if state.loop is not None:
        yield state.loop.initial
    if state.sides is not None:
        yield from (lane.initial for lane in state.sides.lanes)
