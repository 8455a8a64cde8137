"""What each kind of action needs when it is run, worked out once: params, guards and templates become closures.

One function a kind, each from an action to the fields of a compiled state. It knows neither edges nor other states.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from engine.compiled import CompiledLane, CompiledWay, Gathering, Listening, Loop, Sides
from engine.declare import Declarations, Method
from engine.effect_ids import lane_key
from engine.errors import DefinitionError, EvaluationError
from engine.evaluate import compile_formula, compile_guard
from engine.events import canonical, kind_of
from engine.expressions import paths_in
from engine.fitting import FITS, as_number, as_text
from engine.model import (
    Action,
    Block,
    Call,
    Choose,
    Collect,
    Emit,
    ForEach,
    Goto,
    Parallel,
    Params,
    Repeat,
    Run,
    Set,
    Stop,
    Transform,
    Wait,
    WaitFor,
    blocks,
)
from engine.scope import MISSING, RESERVED, Evaluate, Scope
from engine.secrets import Secret, holds_secret
from engine.templates import compile_params, compile_value, is_constant
from engine.values import MAX_PARTS, bounded, plain, text_of, within

LONGEST_WAIT: Final = 366 * 86_400.0
MAX_TIMES: Final = 1_000_000
ENGINE: Final = "engine"
"""The service that does what the engine itself is asked for; `EMIT` is its method."""
EMIT: Final = "emit"
ANYBODY: Final = frozenset({"", "anyone", "anybody", "everyone", "everybody", "someone"})


def particulars(action: Action, declarations: Declarations, place: str) -> dict[str, Any]:  # noqa: C901  one line a kind
    """The fields of a compiled state that its action fills.

    Raises:
        DefinitionError: It cannot be run as it is written.
        ExpressionError: A formula or a placeholder cannot be read.
    """
    match action:
        case Call():
            return _call(action, declarations)
        case Wait():
            return _wait(action)
        case WaitFor():
            return {"listening": _listening(action, action.who)}
        case Collect():
            gathering = Gathering(action.seconds, action.count, action.once_per_user, dict(action.weights))
            return {"listening": _listening(action, None), "gathering": gathering}
        case Goto():
            return {"to": action.to}
        case Stop():
            return {}
        case Set():
            for name in action.values:
                check_free(name, place)
            return {"work": _without_secrets(compile_params(action.values))}
        case Transform():
            if action.into is not None:
                check_free(action.into, place)
            return {"work": _without_secrets(compile_formula(action.formula)), "into": action.into}
        case Choose():
            return {"cases": tuple(_case(case.when, case.block, place) for case in action.cases)}
        case Parallel():
            return {"sides": _sides(action, place)}
        case Repeat():
            return {"loop": _repeat(action, place)}
        case ForEach():
            check_free(action.variable, place)
            return {"loop": _for_each(action, place)}
        case Run():
            work = _without_secrets(compile_params(action.arguments))
            return {"work": work, "workflow": action.workflow, "detached": action.detached}
        case Emit():
            return {
                "work": _without_secrets(compile_params(action.payload)),
                "event": canonical(action.event),
                "service": ENGINE,
                "method": EMIT,
                "repeatable": True,
            }


def check_free(name: str, place: str) -> None:
    """Raise a DefinitionError if a name is one of the bot's own."""
    if name in RESERVED:
        raise DefinitionError(f'{place}: "{name}" is a name of the bot itself; take another one')


# Time and events ---------------------------------------------------------------------------------------------------------


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


def _listening(action: WaitFor | Collect, who: str | None) -> Listening:
    guard = None if action.when is None else compile_guard(action.when)
    return Listening(
        event=canonical(action.event),
        guard=guard,
        who=None if who is None or who.strip().casefold() in ANYBODY else _person(who),
        consume=action.consume,
        settled=action.when is None or _of_the_event(action.event, paths_in(action.when)),
    )


def _of_the_event(event: str, paths: Iterable[str]) -> bool:
    """Whether names are all the event's own, so that a guard over them says the same at any time."""
    kind = kind_of(event)
    own = {"event", "user", "caller", *(kind.fields if kind is not None else ())}
    return all(path.split(".")[0] in own for path in paths)


def _person(who: str) -> Evaluate:
    """The name of a person, folded; a template may stand for a person or for a name."""
    read = compile_value(who)

    def name(scope: Scope) -> str | None:
        said = text_of(read(scope)).strip().removeprefix("@").casefold()
        return None if said in ANYBODY else said

    return name


# Blocks ------------------------------------------------------------------------------------------------------------------


def _begins(block: Block, place: str, what: str) -> str:
    if block.initial_state not in {state.name for state in block.states}:
        raise DefinitionError(f'{place}: {what} begins at "{block.initial_state}", which is not one of its steps')
    return block.initial_state


def _case(when: Any, block: Block, place: str) -> CompiledWay:
    return CompiledWay(None if when is None else compile_guard(when), _begins(block, place, "a case"))


def _sides(action: Parallel, place: str) -> Sides:
    names = [branch.name for branch in action.branches]
    if len(set(names)) < len(names):
        raise DefinitionError(f"{place}: two branches have the same name")
    for branch in action.branches:
        for need in branch.needs:
            if need not in names or need == branch.name:
                raise DefinitionError(f'{place}: branch "{branch.name}" needs "{need}", which is no other branch')
    if not any(not branch.needs for branch in action.branches):
        raise DefinitionError(f"{place}: every branch needs another one, so none can begin")
    lanes = tuple(
        CompiledLane(
            branch.name,
            lane_key(branch.name),
            _begins(branch.block, place, f'branch "{branch.name}"'),
            branch.needs,
            branch.critical,
        )
        for branch in action.branches
    )
    return Sides(lanes, action.join)


def _members(block: Block) -> tuple[str, ...]:
    """The states whose results a round gathers; those of a loop inside are gathered by that."""
    names: list[str] = []
    for state in block.states:
        names.append(state.name)
        if not isinstance(state.action, Repeat | ForEach):
            names.extend(name for inner in blocks(state.action) for name in _members(inner))
    return tuple(names)


def _repeat(action: Repeat, place: str) -> Loop:
    times: Evaluate | None = None
    if action.times is not None:
        read = compile_params(action.times)
        times = lambda scope: _times(read(scope))  # noqa: E731
    holds = None if action.while_ is None else compile_guard(action.while_)
    return Loop(_begins(action.block, place, "the loop"), _members(action.block), times, holds)


def _times(value: Any) -> int:
    times = as_number("how often", value)
    if not 0 <= times <= MAX_TIMES or times != int(times):
        raise EvaluationError(f"a loop goes round 0 to {MAX_TIMES:,} times, not {text_of(times)}")
    return int(times)


def _for_each(action: ForEach, place: str) -> Loop:
    read = compile_params(action.items if isinstance(action.items, str) else list(action.items))
    return Loop(
        _begins(action.block, place, "the loop"),
        _members(action.block),
        items=lambda scope: _items(read(scope)),
        variable=action.variable,
    )


def _items(value: Any) -> tuple[Any, ...]:
    """The items of a list; a text is a list with commas, as people write it."""
    value = plain(value)
    if value is None or value is MISSING:
        return ()
    if isinstance(value, str):
        items: Iterable[Any] = (part.strip() for part in value.split(",") if part.strip())
    elif isinstance(value, list | tuple):
        items = value
    else:
        items = (value,)
    found = tuple(items)
    if len(found) > MAX_PARTS:
        raise EvaluationError(f"a list of {len(found):,} is too long to go through; {MAX_PARTS:,} may be")
    if holds_secret(found):
        raise EvaluationError("a secret cannot be gone through")
    return tuple(within(item) for item in found)


# Values and params -------------------------------------------------------------------------------------------------------


def _without_secrets(fill: Evaluate) -> Evaluate:
    """What is worked out is kept and may be shown, so no secret may be in it."""

    def work(scope: Scope) -> Any:
        value = within(fill(scope))
        if holds_secret(value):
            raise EvaluationError("a secret cannot be put into a variable")
        return value

    return work


def _call(action: Call, declarations: Declarations) -> dict[str, Any]:
    if action.service == ENGINE:  # whose params say who is behind an event, which nobody may write
        raise DefinitionError(f'there is no service "{ENGINE}"')
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
