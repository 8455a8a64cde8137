"""A definition made ready to run: everything that can be worked out once is worked out here, once per revision.

Guards, templates and params become closures, edges become tuples, nested states know their owner. A program is shared by
all executions of its revision and never changes. It holds no execution and decides nothing; `engine.machine` does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from engine.declare import Declarations, Method
from engine.effect_ids import escaped
from engine.errors import DefinitionError, EvaluationError, ExpressionError
from engine.evaluate import compile_formula, compile_guard
from engine.fitting import FITS, as_number, as_text
from engine.model import (
    Action,
    Block,
    Call,
    Choose,
    Definition,
    Goto,
    Params,
    Retry,
    Set,
    State,
    Stop,
    Target,
    Transform,
    Wait,
    blocks,
)
from engine.scope import RESERVED, Evaluate, Scope
from engine.secrets import Secret, holds_secret
from engine.templates import compile_params, is_constant
from engine.values import bounded, text_of, within

LONGEST_WAIT: Final = 366 * 86_400.0
RUNNABLE: Final = frozenset({"call", "wait", "goto", "stop", "set", "transform", "choose"})
"""The kinds of action this engine runs; the others are read, shown and kept, and answered with "not yet"."""


@dataclass(frozen=True, slots=True)
class CompiledWay:
    """A guarded target."""

    guard: Callable[[Scope], bool] | None
    to: str


Ways: TypeAlias = tuple[CompiledWay, ...]


@dataclass(frozen=True, slots=True)
class CompiledState:
    """A state ready to be entered.

    Attributes:
        key: The name as it stands in effect ids: `/`, `#` and `%` are escaped.
        kind: The action's kind, one of `RUNNABLE`.
        edges: Where it leads, by event.
        owner: The state whose block it belongs to, if it is nested.
        work: For a call its params, for a wait {"seconds"}, for `set` its values, for `transform` its result.
        service: For a call; likewise `method` and `repeatable`.
        secret: Whether a param may hold a secret, which is then asked for anew at every try.
        to: For `goto`.
        into: For `transform`: the variable its result goes to.
        cases: For `choose`: where each case begins.
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


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled definition.

    Attributes:
        states: All states by name, nested ones too.
        defaults: Values of variables that a start does not bring; worked out at start if they have placeholders.
    """

    definition: Definition
    states: Mapping[str, CompiledState]
    defaults: Mapping[str, Evaluate] = field(default_factory=dict)


def compile_program(definition: Definition, declarations: Declarations) -> Program:
    """Make a definition ready to run.

    Raises:
        DefinitionError: It cannot be run as it is written; the message names the place.
    """
    states: dict[str, CompiledState] = {}
    _add_block(definition.states, None, declarations, states)
    _check_target(definition.on_error, "on_error", states)
    for variable in definition.variables:
        _check_free(variable, f'variable "{variable}"')
    return Program(definition, states, _defaults(definition))


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
    _check_free(state.name, place)
    try:
        edges = {event: compile_target(target) for event, target in state.transitions.items()}
        particulars = _particulars(state.action, declarations, place)
    except ExpressionError as error:
        raise DefinitionError(f"{place}: {error}") from error
    for event, ways in edges.items():
        for way in ways:
            _check_target(way.to, f"{place}, on {event}", siblings)
    _check_target(particulars.get("to"), place, siblings)
    if isinstance(state.action, Choose) and (state.timeout_seconds is not None or state.retry is not None):
        raise DefinitionError(f"{place}: a time limit or a retry around a choice cannot be run yet")
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
        **particulars,
    )


def _particulars(action: Action, declarations: Declarations, place: str) -> dict[str, Any]:
    match action:
        case Call():
            return _call(action, declarations)
        case Wait():
            return _wait(action)
        case Goto():
            return {"to": action.to}
        case Stop():
            return {}
        case Set():
            for name in action.values:
                _check_free(name, place)
            return {"work": _values(action.values)}
        case Transform():
            if action.into is not None:
                _check_free(action.into, place)
            return {"work": _result(compile_formula(action.formula)), "into": action.into}
        case Choose():
            return {"cases": tuple(_case(case.when, case.block, place) for case in action.cases)}
        case _:
            raise DefinitionError(f'{place}: "{action.kind}" cannot be run yet')


def _case(when: Any, block: Block, place: str) -> CompiledWay:
    if block.initial_state not in {state.name for state in block.states}:
        raise DefinitionError(f'{place}: a case begins at "{block.initial_state}", which is not one of its steps')
    return CompiledWay(None if when is None else compile_guard(when), block.initial_state)


def compile_target(target: Target) -> Ways:
    """The ways of a target in order; a bare name is one way without a guard.

    Raises:
        ExpressionError: A guard is nested too deep.
    """
    if isinstance(target, str):
        return (CompiledWay(None, target),)
    return tuple(CompiledWay(None if way.when is None else compile_guard(way.when), way.to) for way in target)


def _check_free(name: str, place: str) -> None:
    if name in RESERVED:
        raise DefinitionError(f'{place}: "{name}" is a name of the bot itself; take another one')


def _check_target(name: str | None, place: str, known: Any) -> None:
    if name is not None and name not in known:
        raise DefinitionError(f'{place}: there is no step "{name}" to go to')


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


# What states do --------------------------------------------------------------------------------------------------------


def _wait(action: Wait) -> dict[str, Any]:
    if not isinstance(action.seconds, str):
        seconds = {"seconds": int(action.seconds) if float(action.seconds).is_integer() else action.seconds}
        return {"work": lambda _: seconds}
    read = compile_params(action.seconds)
    return {"work": lambda scope: {"seconds": duration(read(scope))}}


def duration(value: Any) -> int | float:
    """The seconds that a value means.

    Raises:
        EvaluationError: It is no number, negative, or longer than a wait may be.
    """
    seconds = as_number("seconds", value)
    if not 0 <= seconds <= LONGEST_WAIT:
        raise EvaluationError(f"a wait may have 0 to {LONGEST_WAIT:,.0f} seconds, not {text_of(seconds)}")
    return seconds


def _values(values: Params) -> Evaluate:
    fill = compile_params(values)

    def work(scope: Scope) -> Any:
        filled = within(fill(scope))
        if holds_secret(filled):
            raise EvaluationError("a secret cannot be put into a variable")
        return filled

    return work


def _result(formula: Evaluate) -> Evaluate:
    def work(scope: Scope) -> Any:
        value = within(formula(scope))
        if holds_secret(value):
            raise EvaluationError("a secret cannot be put into a variable")
        return value

    return work


def _call(action: Call, declarations: Declarations) -> dict[str, Any]:
    method = declarations.find(action.service, action.method)
    return {
        "work": _call_params(action.params, method),
        "service": action.service,
        "method": action.method,
        "repeatable": method is not None and method.repeatable,
        "secret": method is not None and any(param.secret for param in method.params),
    }


def _call_params(params: Params, method: Method | None) -> Evaluate:
    if is_constant(params):
        return lambda _: params
    parts = tuple(
        (name, value, None if is_constant(value) else _fitted(name, value, method)) for name, value in params.items()
    )

    def fill(scope: Scope) -> dict[str, Any]:
        return {name: value if read is None else read(scope) for name, value, read in parts}

    return fill


def _fitted(name: str, value: Any, method: Method | None) -> Evaluate:
    """One param worked out, and made what its declaration asks for."""
    read = compile_params(value)
    param = None if method is None else method.param(name)
    fit: Callable[[str, Any], Any] = FITS.get(param.type if param is not None else "any", as_text)
    secret = param is not None and param.secret

    def fitted(scope: Scope) -> Any:
        filled = read(scope)
        if filled.__class__ is str and fit is as_text:
            return filled if len(filled) <= 4_000 else bounded(filled)
        if secret and isinstance(filled, Secret):
            return filled
        if holds_secret(filled):
            raise EvaluationError(f'"{name}" would show a secret; it may stand only where a secret is asked for')
        return fit(name, filled)

    return fitted
