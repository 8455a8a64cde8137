"""What is wrong with a workflow, or looks wrong: each problem with its place, in one sentence, with what would mend it.

An error means that it cannot run as it is written, or must not; a warning means that somebody should look. It judges a
definition against the declarations of services and the table of events, and changes nothing. It runs nothing.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from engine.declare import Declarations, Param
from engine.errors import EvaluationError, ExpressionError
from engine.evaluate import compile_pattern
from engine.events import BY_NAME, canonical, kind_of
from engine.expressions import has_placeholder, operands_of, parse_template
from engine.formulas import (
    Call,
    Formula,
    Placeholder,
    TextTest,
)
from engine.formulas import (
    Literal as Constant,
)
from engine.functions import arity_problem
from engine.model import (
    Action,
    Choose,
    Collect,
    Definition,
    Emit,
    ForEach,
    Goto,
    Policy,
    Repeat,
    Run,
    Set,
    State,
    Stop,
    Target,
    Transform,
    Trigger,
    Wait,
    WaitFor,
    all_states,
    blocks,
)
from engine.model import Call as CallAction
from engine.program import RUNNABLE
from engine.scope import RESERVED
from engine.templates import is_constant
from engine.values import is_number, number_in

Severity: TypeAlias = Literal["error", "warning"]

_SOME_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)

EVENTS: Final = ("success", "error", "timeout", "cancel", "unknown")
STREAM: Final = frozenset({"stream", "viewers", "title", "category", "live"})
_HEEDED: Final = frozenset({"mode", "max", "only_live", "may_run", "may_edit"})
"""What of a policy admission and the bot look at."""
LONGEST_MESSAGE: Final = {("twitch", "send_chat_message"): 500, ("discord", "send_message"): 2_000}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong.

    Attributes:
        place: Where, in words; empty for the workflow as a whole.
        severity: An error keeps it from running; a warning does not.
        sentence: What is wrong.
        suggestion: What would mend it, if that is known.
        state: The state it is about, if it is about one.
    """

    place: str
    severity: Severity
    sentence: str
    suggestion: str | None = None
    state: str | None = None

    def __str__(self) -> str:
        said = f"{self.place}: {self.sentence}" if self.place else self.sentence
        return f"{said}; {self.suggestion}" if self.suggestion else said


def check(
    definition: Definition, declarations: Declarations, known_variables: Collection[str] = ()
) -> tuple[Problem, ...]:
    """All problems of a workflow, errors first, in the order of its steps.

    Args:
        definition: The workflow.
        declarations: What services can do.
        known_variables: Names that the community's settings and data have, dotted ones as they are written.
    """
    places = _places(definition)
    found = [
        *_whole(definition),
        *(problem for trigger in definition.triggers for problem in _trigger(trigger, definition)),
        *(problem for state in all_states(definition.states) for problem in _state(state, places, declarations)),
        *_targets(definition, places),
        *_flow(definition, places),
        *_unset(definition, places, frozenset(known_variables)),
    ]
    unique = dict.fromkeys(found)
    return (
        *(problem for problem in unique if problem.severity == "error"),
        *(problem for problem in unique if problem.severity == "warning"),
    )


def _places(definition: Definition) -> dict[str, str]:
    places = {state.name: f'step "{state.name}"' for state in all_states(definition.states)}
    for number, state in enumerate(definition.states, 1):
        places[state.name] = f'step {number} ("{state.name}")'
    return places


def _nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    by_folded = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def _meant(word: str, known: Iterable[str]) -> str | None:
    near = _nearest(word, known)
    return None if near is None else f'did you mean "{near}"?'


# The workflow as a whole, and its triggers -------------------------------------------------------------------------------


def _whole(definition: Definition) -> Iterator[Problem]:
    for name, declaration in definition.variables.items():
        place = f'variable "{name}"'
        if name in RESERVED:
            yield Problem(place, "error", f'"{name}" is a name of the bot itself', "take another name")
        yield from _texts(declaration.default, place, None)
    if definition.timeout_seconds == 0:
        yield Problem("", "error", "a time limit of 0 seconds ends every run at once", "lift it or make it longer")
    for rule in _unheeded(definition.policy):
        yield Problem("policy", "warning", f"I keep {rule}, but do not heed it yet")


def _unheeded(policy: Policy) -> Iterator[str]:
    """What a policy asks for and admission does not look at."""
    written = set(policy.model_dump(exclude_defaults=True))
    yield from (f'"{name}"' for name in Policy.model_fields if name in written - _HEEDED)
    if policy.mode in ("restart", "queued"):
        yield f'the mode "{policy.mode}"'


def _trigger(trigger: Trigger, definition: Definition) -> Iterator[Problem]:
    place = f'trigger "{trigger.on}"'
    name = canonical(trigger.on)
    if trigger.when is not None:
        yield from _formula(trigger.when, place, None)
    yield from _schedule(trigger, name, place)
    if kind_of(trigger.on) is None and not _is_schedule(trigger.on):
        near = _nearest(trigger.on, BY_NAME)
        if near is not None:
            yield Problem(
                place, "warning", "I know no such event; it starts only if somebody sends it", f'did you mean "{near}"?'
            )
    if name in {"message.received", "discord.message.received"} and trigger.when is None:
        policy = definition.policy
        if not (trigger.cooldown_seconds or policy.cooldown or policy.rate or policy.once_per_user):
            yield Problem(
                place, "warning", "it answers every single message, without a cooldown", "add a condition or a cooldown"
            )
    if trigger.cooldown_seconds is not None:
        yield Problem(place, "warning", "I keep its cooldown, but do not heed it yet")
    if trigger.own_messages and any(_speaks(state) for state in all_states(definition.states)):
        yield Problem(place, "warning", "it hears the bot itself and may start itself again and again")


def _speaks(state: State) -> bool:
    return isinstance(state.action, CallAction) and "message" in state.action.method


def _is_schedule(name: str) -> bool:
    return name.startswith("scheduled.") or canonical(name) == "schedule.fired"


def _schedule(trigger: Trigger, name: str, place: str) -> Iterator[Problem]:
    if trigger.zone is not None:
        try:
            ZoneInfo(trigger.zone)
        except (KeyError, ValueError, OSError):
            yield Problem(place, "error", f'there is no time zone "{trigger.zone}"', "write one like Europe/Berlin")
    if trigger.schedule is not None:
        try:
            CronSim(trigger.schedule, _SOME_DAY)
        except (CronSimError, ValueError, KeyError):
            yield Problem(
                place, "error", f'"{trigger.schedule}" is not a schedule', 'write one like "0 18 * * 5" (Friday 18:00)'
            )
    if trigger.schedule is not None or trigger.every_seconds is not None:
        yield Problem(place, "warning", "I cannot start workflows by the clock yet, so it never starts by itself")
    elif _is_schedule(trigger.on):
        yield Problem(place, "warning", "the schedule is named but not defined, so it never starts by itself")
    elif name == "interval.elapsed":
        yield Problem(place, "warning", "how often is not said, so it never starts by itself", "add every_seconds")


# One state --------------------------------------------------------------------------------------------------------------------


def _state(state: State, places: Mapping[str, str], declarations: Declarations) -> Iterator[Problem]:
    place = places[state.name]
    if state.name in RESERVED:
        yield Problem(place, "error", f'"{state.name}" is a name of the bot itself', "take another name", state.name)
    if state.action.kind not in RUNNABLE:
        yield Problem(place, "error", f'"{state.action.kind}" is something I cannot run: not yet', None, state.name)
    elif isinstance(state.action, Choose) and (state.timeout_seconds is not None or state.retry is not None):
        yield Problem(place, "error", "a time limit or retry around a choice cannot be run: not yet", None, state.name)
    for event, target in state.transitions.items():
        yield from _event(event, place, state)
        yield from (problem for guard in _guards_of(target) for problem in _formula(guard, place, state.name))
    for value in _values(state.action):
        yield from _texts(value, place, state.name)
    for formula in _formulas(state.action):
        yield from _formula(formula, place, state.name)
    if isinstance(state.action, CallAction):
        yield from _call(state.action, place, state.name, declarations)
    if isinstance(state.action, Wait):
        yield from _wait(state.action, place, state.name)
    if isinstance(state.action, Set):
        for name in state.action.values:
            if name in RESERVED:
                yield Problem(place, "error", f'"{name}" is a name of the bot itself', "take another name", state.name)


def _event(event: str, place: str, state: State) -> Iterator[Problem]:
    if event in EVENTS:
        return
    near = _nearest(event, EVENTS)
    if near is not None:
        yield Problem(place, "warning", f'nothing ever takes the edge "{event}"', f'did you mean "{near}"?', state.name)


def _guards_of(target: Target) -> Iterator[Formula]:
    if not isinstance(target, str):
        yield from (way.when for way in target if way.when is not None)


def _values(action: Action) -> Iterator[Any]:
    """Every nested value of an action that is filled in."""
    match action:
        case CallAction():
            yield action.params
        case Wait():
            yield action.seconds
        case Set():
            yield action.values
        case Run():
            yield action.arguments
        case Emit():
            yield action.payload
        case ForEach():
            yield list(action.items) if isinstance(action.items, tuple) else action.items
        case Repeat():
            yield action.times
        case WaitFor():
            yield action.who
        case _:
            return


def _formulas(action: Action) -> Iterator[Formula]:
    match action:
        case Transform():
            yield action.formula
        case Choose():
            yield from (case.when for case in action.cases if case.when is not None)
        case WaitFor() | Collect() if action.when is not None:
            yield action.when
        case Repeat() if action.while_ is not None:
            yield action.while_
        case _:
            return


def _wait(action: Wait, place: str, state: str) -> Iterator[Problem]:
    if isinstance(action.seconds, str) and not has_placeholder(action.seconds) and number_in(action.seconds) is None:
        yield Problem(place, "error", f'"{action.seconds[:40]}" is not a number of seconds', None, state)


def _call(action: CallAction, place: str, state: str, declarations: Declarations) -> Iterator[Problem]:
    services = declarations.services()
    if action.service not in services:
        sentence = f'there is no service "{action.service}"; there are {", ".join(sorted(services))}'
        yield Problem(place, "error", sentence, _meant(action.service, services), state)
        return
    method = declarations.find(action.service, action.method)
    if method is None:
        names = declarations.names(action.service)
        sentence = f'{action.service} cannot do "{action.method}"'
        yield Problem(place, "error", sentence, _meant(action.method, names) or f"it can do {', '.join(names)}", state)
        return
    known = [param.name for param in method.params]
    for name, value in action.params.items():
        param = method.param(name)
        if param is None:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            yield Problem(place, "error", f'{method.key} has no param "{name}"', _meant(name, known) or takes, state)
        elif (wanted := _wanted(param, value)) is not None:
            yield Problem(place, "error", f"{name} must be {wanted}", None, state)
    for param in method.params:
        if param.required and action.params.get(param.name) is None:
            yield Problem(place, "error", f'{method.key} needs "{param.name}"', None, state)
    most = LONGEST_MESSAGE.get((method.service, method.name))
    message = action.params.get("message")
    if most is not None and isinstance(message, str) and len(message) > most:
        yield Problem(place, "warning", f"the message has {len(message):,} characters; {most:,} fit", None, state)


def _wanted(param: Param, value: Any) -> str | None:
    """What a param wants in words, if the value written there is not it."""
    if value is None or not is_constant(value):
        return None
    match param.type:
        case "any":
            return None
        case "number" | "seconds":
            fits = is_number(value) or (isinstance(value, str) and number_in(value) is not None)
            return None if fits else "a number"
        case "boolean":
            return None if isinstance(value, bool) else "true or false"
        case "list":
            return None if isinstance(value, list) else "a list"
        case _:
            return "a text" if isinstance(value, list | dict | bool) else None


# Texts and formulas -------------------------------------------------------------------------------------------------------------

_SECRETS: Final = re.compile(
    r"oauth:[a-z0-9]{20,}"
    r"|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    r"|\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"
    r"|/api/webhooks/\d{15,}/[A-Za-z0-9_-]{30,}"
    r"|\b[Bb]earer [A-Za-z0-9._-]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_MASS_PING: Final = re.compile(r"@(?:everyone|here)\b")


def _texts(value: Any, place: str, state: str | None) -> Iterator[Problem]:
    """Problems of every text in a nested value."""
    for text in _strings(value):
        try:
            parse_template(text)
        except ExpressionError as error:
            yield Problem(place, "error", str(error), None, state)
        if _SECRETS.search(text):
            yield Problem(
                place,
                "error",
                "a text looks like a secret, and everybody would see it",
                "keep it in the settings",
                state,
            )
        if _MASS_PING.search(text):
            yield Problem(place, "warning", "a text pings everybody", None, state)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _strings(part)


def _formula(formula: Formula, place: str, state: str | None) -> Iterator[Problem]:
    for part in _parts(formula):
        if isinstance(part, Call):
            problem = arity_problem(part.function, len(part.arguments))
            if problem is not None:
                yield Problem(place, "error", problem, None, state)
        elif isinstance(part, TextTest) and part.operator == "matches" and isinstance(part.right, Constant):
            try:
                compile_pattern(str(part.right.value))
            except EvaluationError as error:
                yield Problem(place, "error", error.reason, None, state)


def _parts(formula: Formula) -> Iterator[Formula]:
    left = [formula]
    while left:
        part = left.pop()
        yield part
        left.extend(operands_of(part))


# The graph ----------------------------------------------------------------------------------------------------------------------


def _to(target: Target) -> tuple[str, ...]:
    return (target,) if isinstance(target, str) else tuple(way.to for way in target)


def _blocks(definition: Definition) -> Iterator[tuple[tuple[State, ...], str, str | None]]:
    """Every block: its states, where it begins, and whose it is."""
    yield definition.states, definition.initial_state, None
    for state in all_states(definition.states):
        for block in blocks(state.action):
            yield block.states, block.initial_state, state.name


def _targets(definition: Definition, places: Mapping[str, str]) -> Iterator[Problem]:
    everywhere = set(places)
    for members, initial, owner in _blocks(definition):
        names = {state.name for state in members}
        if owner is not None and initial not in names:
            yield Problem(
                places[owner], "error", f'a block begins at "{initial}", which is not one of its steps', None, owner
            )
        for state in members:
            written = [(f'the edge "{event}"', to) for event, target in state.transitions.items() for to in _to(target)]
            if isinstance(state.action, Goto):
                written.append(("it", state.action.to))
            for what, to in written:
                if to not in names:
                    yield _no_target(f'{what} leads to "{to}"', to, names, everywhere, places[state.name], state.name)
    if definition.on_error is not None and definition.on_error not in {state.name for state in definition.states}:
        names = {state.name for state in definition.states}
        yield _no_target(f'on_error leads to "{definition.on_error}"', definition.on_error, names, everywhere, "", None)


def _no_target(what: str, to: str, names: set[str], everywhere: set[str], place: str, state: str | None) -> Problem:
    if to in everywhere:
        return Problem(place, "error", f"{what}, which belongs to another block", None, state)
    return Problem(place, "error", f"{what}, and there is no such step", _meant(to, names), state)


def _flow(definition: Definition, places: Mapping[str, str]) -> Iterator[Problem]:
    for members, initial, owner in _blocks(definition):
        by_name = {state.name: state for state in members}
        begins = {initial} & by_name.keys()
        if owner is None and definition.on_error in by_name:
            begins.add(definition.on_error)
        reached = _reached(begins, {name: _next(state) for name, state in by_name.items()})
        for name in by_name:
            if name not in reached:
                yield Problem(places[name], "warning", "no step leads here, so it never happens", None, name)
        if definition.max_loop_iterations is None:
            yield from _endless(by_name, reached, places)


def _next(state: State) -> set[str]:
    targets = {to for target in state.transitions.values() for to in _to(target)}
    return targets | {state.action.to} if isinstance(state.action, Goto) else targets


def _reached(begins: set[str], edges: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    left = list(begins)
    while left:
        name = left.pop()
        if name not in reached and name in edges:
            reached.add(name)
            left.extend(edges[name])
    return reached


def _endless(states: Mapping[str, State], reached: set[str], places: Mapping[str, str]) -> Iterator[Problem]:
    """Loops that go round without a wait and that nothing but a failure leaves."""
    onward = {name: _onward(states[name]) for name in states if name in reached}
    told: set[str] = set()
    for name in onward:
        if name in told:
            continue
        loop = _reached(set(onward[name]), {state: set(to) for state, to in onward.items()})
        if name not in loop or not all(onward[part] for part in loop):
            continue
        told |= loop
        if not any(_rests(states[part]) for part in loop):
            yield Problem(
                places[name], "error", "this goes round for ever without a wait", "add a wait or a condition", name
            )


def _onward(state: State) -> tuple[str, ...]:
    """Where a state leads if all goes well; nothing if the path may end there."""
    if not state.enabled or not isinstance(state.action, Goto | Stop):
        target = state.transitions.get("success")
        if target is None:
            return ()
        ends = not isinstance(target, str) and all(way.when is not None for way in target)
        return () if ends else _to(target)
    return (state.action.to,) if isinstance(state.action, Goto) else ()


def _rests(state: State) -> bool:
    match state.action:
        case Wait():
            return state.enabled and (isinstance(state.action.seconds, str) or state.action.seconds >= 1)
        case WaitFor() | Collect():
            return state.enabled
        case _:
            return False


# Variables that may be missing ------------------------------------------------------------------------------------------------------


def _unset(definition: Definition, places: Mapping[str, str], known: frozenset[str]) -> Iterator[Problem]:
    """Placeholders that stand for nothing on some path. Guards are not looked at: there, missing means null."""
    base = {name for name in definition.variables if _brings(definition, name)} | RESERVED | STREAM | known
    always, sometimes = _event_fields(definition)
    arrives = _arrivals(definition, frozenset(base | always))
    settable = {name for state in all_states(definition.states) for name in _sets(state)}
    anything = any(kind_of(trigger.on) is None and not _is_schedule(trigger.on) for trigger in definition.triggers)
    told: set[str] = set()
    for state in all_states(definition.states):
        here = arrives.get(state.name)
        if here is None:
            continue  # never reached; said already
        for path in dict.fromkeys(_needed(state)):
            head = path.split(".")[0]
            if path in here or head in here:
                continue
            if head in settable:
                sentence = f'"{path}" may not be set yet when this is reached'
            elif anything or path in told:
                continue  # an event of one's own may bring anything
            elif head in sometimes:
                sentence = f'"{path}" is not set when it is started by "{sometimes[head]}"'
            else:
                told.add(path)
                sentence = f'nothing sets "{path}": it has to be given at the start, with {path}=...'
            yield Problem(places[state.name], "warning", sentence, None, state.name)


def _brings(definition: Definition, name: str) -> bool:
    declaration = definition.variables[name]
    return declaration.required or declaration.default is not None


def _event_fields(definition: Definition) -> tuple[set[str], dict[str, str]]:
    """Fields that every trigger brings, and the others with a trigger that lacks them."""
    fields: dict[str, set[str]] = {}
    for trigger in definition.triggers:
        kind = kind_of(trigger.on)
        fields[trigger.on] = set(kind.fields) if kind is not None else set()
    if not fields:
        return set(), {}
    always = set.intersection(*fields.values())
    some = set.union(*fields.values()) - always
    return always, {name: next(on for on, has in fields.items() if name not in has) for name in some}


def _arrivals(definition: Definition, base: frozenset[str]) -> dict[str, frozenset[str]]:
    """For every state that can be reached, the names that are set on all ways to it."""
    arrives: dict[str, frozenset[str]] = {}
    left: list[tuple[str, frozenset[str]]] = [(definition.initial_state, base)]
    if definition.on_error is not None:
        left.append((definition.on_error, base))
    by_name = {state.name: state for state in all_states(definition.states)}
    owners = {
        part.name: state.name for state in by_name.values() for block in blocks(state.action) for part in block.states
    }
    while left:
        name, names = left.pop()
        state = by_name.get(name)
        if state is None:
            continue
        before = arrives.get(name)
        names = names if before is None else before & names
        if names == before:
            continue
        arrives[name] = names
        left.extend(_leaves(state, names, owners, by_name))
    return arrives


def _leaves(
    state: State, names: frozenset[str], owners: Mapping[str, str], by_name: Mapping[str, State]
) -> Iterator[tuple[str, frozenset[str]]]:
    """Where a state leads, with what is set then."""
    well = names | _sets(state)
    for event, target in state.transitions.items():
        for to in _to(target):
            yield to, (well if event == "success" else names)
    if isinstance(state.action, Goto):
        yield state.action.to, names
    for block in blocks(state.action):
        yield block.initial_state, names
    owner = owners.get(state.name)
    while owner is not None:  # a block may end here
        for target in by_name[owner].transitions.values():
            for to in _to(target):
                yield to, names
        owner = owners.get(owner)


def _sets(state: State) -> frozenset[str]:
    match state.action:
        case Set():
            return frozenset(name.split(".")[0] for name in state.action.values)
        case Transform():
            return frozenset({state.action.into or state.name})
        case CallAction() | WaitFor() | Collect() | Run():
            return frozenset({state.name})
        case _:
            return frozenset()


def _needed(state: State) -> Iterator[str]:
    """Names that must be set for this state to work."""
    for value in _values(state.action):
        for text in _strings(value):
            if not has_placeholder(text):
                continue
            try:
                parts = parse_template(text).parts
            except ExpressionError:
                continue
            for part in parts:
                if isinstance(part, Placeholder) and not any(filter_.name == "default" for filter_ in part.filters):
                    yield part.path
