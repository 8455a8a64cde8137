"""What makes up a definition, in canonical words: actions, steps with their options, triggers, durations, the file form.

Every function is the exact inverse of reading: whatever has no words of its own is said as JSON on one line. The forms
are listed in `docs/language.md`. Nothing here reads, and nothing here knows a workspace.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeGuard

from pydantic import JsonValue

from engine.declare import Declarations, Method, ParamType
from engine.expressions import quote
from engine.model import (
    Action,
    Block,
    Call,
    Definition,
    Goto,
    Retry,
    State,
    Stop,
    Target,
    Wait,
    all_states,
    blocks,
)
from engine.names import expected, verb
from grammar.at_home import SAID_HERE
from grammar.drafts import flows_on
from grammar.say_blocks import SayBlock, say_kind, says_json
from grammar.say_parts import say_duration as say_duration
from grammar.say_parts import say_formula as say_formula
from grammar.say_parts import say_json as say_json
from grammar.say_parts import say_number as say_number
from grammar.say_policies import say_policy
from grammar.say_triggers import say_happening
from grammar.say_triggers import say_trigger as say_trigger
from grammar.say_variables import say_variable
from grammar.scanners import MAX_DURATION

_PLAIN_NAME: Final = re.compile(r"[\w\-]+(?: [\w\-]+)*")
_PLAIN_ID: Final = re.compile(r"[\w\-]+")
_PLACEHOLDER: Final = re.compile(r"\$\{[^{}\n]{1,200}\}")
_METHOD: Final = re.compile(r"[^\W\d]\w*")
_COMMAND: Final = re.compile(r"![^\W_][\w\-]*")
_CRON: Final = re.compile(r"(0|[1-5]?[1-9]|[1-5]0) (0|1?[1-9]|10|2[0-3]) \* \* (\*|1-5|0,6|[0-6](?:,[0-6])*)")
_SLOT: Final = re.compile(r"\{(\w+)\}")
_BLANKS_AT_END: Final = re.compile(r" +\n")
WIDTH: Final = 100
"""How long a line of a file may be before the blocks in it get lines of their own."""
_MAX_NUMBER: Final = 10**18
_MEASURES: Final = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most", "==": "exactly"}
Named = Callable[[State], bool]
"""Whether a step is said with its name, since it is not the one the rules would give."""
NO_NAMES: Final[Named] = lambda _: False  # noqa: E731
_EDGES: Final = {"timeout": "on timeout", "cancel": "on cancel", "unknown": "on unknown"}
_DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_DAY_GROUPS: Final = {"*": "day", "1-5": "weekday", "0,6": "weekend"}


# Small parts ------------------------------------------------------------------------------------------------------------


def say_name(name: str) -> str:
    """The name of a state in front of its step."""
    return f"[{name}]" if _PLAIN_NAME.fullmatch(name) else f"[{quote(name)}]"


def say_id(identifier: str) -> str:
    """An id: bare if it is made of letters, digits, `_` and `-`."""
    return identifier if _PLAIN_ID.fullmatch(identifier) else quote(identifier)


def say_state_name(name: str) -> str:
    """`step "again"`."""
    return f"step {quote(name)}"


def default_id(name: str) -> str:
    """The id a workflow has if none is written."""
    return name.lower().replace(" ", "_")


# Actions ----------------------------------------------------------------------------------------------------------------


def say_action(
    action: Action, declarations: Declarations, named: Named = NO_NAMES, block: SayBlock | None = None
) -> str:
    """What a step does.

    Args:
        action: What it does.
        declarations: Whose phrases are used.
        named: Which of the steps inside it are said with their names.
        block: How a block is said; on one line if left out.
    """
    match action:
        case Call():
            return _say_call(action, declarations)
        case Wait():
            return f"wait {say_duration(action.seconds)}"
        case Goto():
            return f"go to {say_state_name(action.to)}"
        case Stop():
            return "stop"
        case _:
            inside = block if block is not None else (lambda each: say_block(each, declarations, named))
            return say_kind(action, inside, say_happening, say_value)


def say_block(block: Block, declarations: Declarations, named: Named) -> str:
    """The steps between two parentheses, on one line."""
    said = [
        say_state(state, following, declarations, named)
        for state, following in zip(block.states, [*(state.name for state in block.states[1:]), None], strict=True)
    ]
    return f"{say_beginning(block)}{', then '.join(said)}"


def say_beginning(block: Block) -> str:
    """Where a block begins, if not at its first step."""
    usual = block.initial_state == block.states[0].name
    return "" if usual else f"start at {say_state_name(block.initial_state)}: "


def in_words(action: Action, declarations: Declarations) -> bool:
    """Whether the texts of an action are said as they are typed, and not as JSON."""
    if isinstance(action, Call):
        return not _say_call(action, declarations).startswith("do ")
    return not says_json(action)


def _dump(model: Any) -> dict[str, Any]:
    dumped: dict[str, Any] = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return dumped


def _say_call(call: Call, declarations: Declarations) -> str:
    method = declarations.find(call.service, call.method)
    if method is not None and method.name == call.method:
        for index in range(len(method.phrases)):
            said = _say_phrase(method, index, call.params)
            if said is not None:
                return said
    if not (_METHOD.fullmatch(call.service) and _METHOD.fullmatch(call.method)):
        written = {"kind": "call", "service": call.service, "method": call.method, "params": call.params}
        return f"do {say_json(written)}"
    name = f"{call.service}.{call.method}"
    return f"do {name} with {say_json(call.params)}" if call.params else f"do {name}"


def _say_phrase(method: Method, index: int, params: Mapping[str, JsonValue]) -> str | None:
    """A phrase with its slots filled, if it says exactly these params."""
    phrase = method.phrases[index]
    if any(character in phrase for character in "[](|)"):
        return None
    fixed = method.fixed.get(index, {})
    slots = _SLOT.findall(phrase)
    if set(params) != {*slots, *fixed} or SAID_HERE in fixed.values():
        return None  # what is said where it was asked for is never left as that
    if any(type(params[name]) is not type(value) or params[name] != value for name, value in fixed.items()):
        return None
    said: dict[str, str] = {}
    for name in slots:
        param = method.param(name)
        value = None if param is None else say_value(params[name], param.type)
        if value is None:
            return None
        said[name] = value
    return _SLOT.sub(lambda match: said[match.group(1)], phrase)


def say_value(value: JsonValue, kind: ParamType) -> str | None:
    """A param's value as its slot takes it, or None if no words can say it."""
    match kind:
        case "text" | "any" | "scene" | "source" | "filter" | "sound" | "reward" | "role" | "counter":
            return quote(value) if isinstance(value, str) else None
        case "user":
            if not isinstance(value, str):
                return None
            return value if _PLACEHOLDER.fullmatch(value) else quote(value)
        case "channel":
            if not isinstance(value, str):
                return None
            return f"#{value}" if _PLAIN_ID.fullmatch(value) else quote(value)
        case "seconds":
            if isinstance(value, str):
                return quote(value)
            return say_duration(value) if _is_number(value) and 0 <= value <= MAX_DURATION else None
        case "number":
            return say_number(value) if _is_number(value) and 0 <= value < _most(value) else None
        case "boolean":
            return {True: "on", False: "off"}[value] if isinstance(value, bool) else None
        case "list":
            texts = [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
            return ", ".join(map(quote, texts)) if texts and texts == value else None


def _most(value: float) -> float:
    """Below which a number is read back as it is: digits stand for a whole number, which a float beyond that is not quite."""
    return 2**53 if value.__class__ is float else _MAX_NUMBER


def _is_number(value: JsonValue) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


# Steps ------------------------------------------------------------------------------------------------------------------


def say_target(target: Target) -> str:
    """`go to step "x"`, or ways in order."""
    if isinstance(target, str):
        return f"go to {say_state_name(target)}"
    ways = [
        f"{'otherwise' if way.when is None else f'if {say_formula(way.when)}'} go to {say_state_name(way.to)}"
        for way in target
    ]
    return ", ".join(ways)


def say_options(state: State, following: str | None) -> tuple[str, ...]:
    """What is said of a step beside its action.

    Args:
        state: The step.
        following: The name of the next one, None at the last.
    """
    return (*_say_success(state, following), *_say_edges(state.transitions), *_say_settings(state))


def _say_success(state: State, following: str | None) -> tuple[str, ...]:
    target = state.transitions.get("success")
    usual = following if flows_on(state.action) else None
    if target == usual:
        return ()
    return ("then stop",) if target is None else (f"then {say_target(target)}",)


def _say_edges(transitions: Mapping[str, Target]) -> Iterable[str]:
    for event, target in transitions.items():
        if event == "error":
            yield f"if it fails {say_target(target)}"
        elif event != "success":
            yield f"{_EDGES.get(event) or f'on {quote(event)}'} {say_target(target)}"


def _say_settings(state: State) -> Iterable[str]:
    if state.timeout_seconds is not None:
        yield f"time limit {say_duration(state.timeout_seconds)}"
    if state.retry is not None:
        yield say_retry(state.retry)
    if not state.critical:
        yield "carry on if it fails"
    if not state.enabled:
        yield "switched off"
    if state.description is not None:
        yield f"note {quote(state.description)}"


def say_retry(retry: Retry) -> str:
    """`retry 3 times waiting 5 seconds`, or all of it as JSON."""
    times = f"retry {retry.max_attempts - 1} times"
    if retry == Retry(max_attempts=retry.max_attempts):
        return times
    if retry == Retry(max_attempts=retry.max_attempts, delay_seconds=retry.delay_seconds):
        return f"{times} waiting {say_duration(retry.delay_seconds)}"
    return f"retry {say_json(_dump(retry))}"


def say_state(
    state: State,
    following: str | None,
    declarations: Declarations,
    named: Named,
    block: SayBlock | None = None,
) -> str:
    """A step with its name, where that is not the usual one, and its options.

    Args:
        state: The step.
        following: The name of the next one, None at the last.
        declarations: Whose phrases are used.
        named: Which steps are said with their names.
        block: How a block inside it is said; on one line if left out.
    """
    name = f"{say_name(state.name)} " if named(state) else ""
    options = "; ".join(say_options(state, following))
    return f"{name}{say_action(state.action, declarations, named, block)}{f' ({options})' if options else ''}"


def not_usual(states: Iterable[State], declarations: Declarations) -> Named:
    """The steps, however deep, whose names are not those the rules give at their places."""
    stems: list[str] = []
    unusual: set[str] = set()
    for state in all_states(tuple(states)):
        if state.name != expected(state.action, stems, declarations):
            unusual.add(state.name)
        stems.append(verb(state.action, declarations))
    return lambda state: state.name in unusual


def say_states(states: Sequence[State], declarations: Declarations) -> tuple[str, ...]:
    """Each of the steps of a workflow on one line, without its number."""
    named = not_usual(states, declarations)
    following = [*(state.name for state in states[1:]), None]
    return tuple(say_state(state, after, declarations, named) for state, after in zip(states, following, strict=True))


# The file form ----------------------------------------------------------------------------------------------------------


def say_definition(definition: Definition, declarations: Declarations) -> str:
    """A workflow as a file."""
    named = not_usual(definition.states, declarations)
    following = [*(state.name for state in definition.states[1:]), None]
    steps = [
        _say_lines(str(number), state, after, named, declarations, "")
        for number, (state, after) in enumerate(zip(definition.states, following, strict=True), start=1)
    ]
    reached = reachable(definition)
    lines = [*_say_head(definition), ""]
    lines.extend(said for state, said in zip(definition.states, steps, strict=True) if state.name in reached)
    lost = [said for state, said in zip(definition.states, steps, strict=True) if state.name not in reached]
    if lost:
        lines.extend(("", "never reached:", *lost))
    return "\n".join(lines) + "\n"


def _say_lines(
    number: str, state: State, following: str | None, named: Named, declarations: Declarations, indent: str
) -> str:
    """A step on one line, or with the steps of its blocks on lines of their own if that is too long to read."""
    line = f"{indent}{number}. {say_state(state, following, declarations, named)}"
    if len(line) <= WIDTH or not blocks(state.action):
        return line
    count = itertools.count(1)

    def block(each: Block) -> str:
        after = [*(inner.name for inner in each.states[1:]), None]
        inside = f"{indent}     "
        beginning = [f"{inside}{said.rstrip()}"] if (said := say_beginning(each)) else []
        steps = [
            _say_lines(f"{number}.{next(count)}", inner, to, named, declarations, inside)
            for inner, to in zip(each.states, after, strict=True)
        ]
        return "\n".join(("", *beginning, *steps, f"{indent}   "))

    lines = f"{indent}{number}. {say_state(state, following, declarations, named, block)}"
    return _BLANKS_AT_END.sub("\n", lines)


def _say_head(definition: Definition) -> Iterable[str]:
    usual = definition.id == default_id(definition.name)
    yield f"workflow {quote(definition.name)}{'' if usual else f' ({say_id(definition.id)})'}"
    if definition.description is not None:
        yield f"description {quote(definition.description)}"
    if definition.version is not None:
        yield f"version {quote(definition.version)}"
    if definition.tags:
        yield f"tags {', '.join(quote(tag) for tag in definition.tags)}"
    yield from (say_trigger(trigger) for trigger in definition.triggers)
    for name, declaration in definition.variables.items():
        yield say_variable(name, declaration)
    yield from say_policy(definition.policy)
    if definition.on_error is not None:
        yield f"on error go to {say_state_name(definition.on_error)}"
    if definition.timeout_seconds is not None:
        yield f"time limit {say_duration(definition.timeout_seconds)}"
    if definition.max_loop_iterations is not None:
        yield f"at most {definition.max_loop_iterations} rounds"
    if definition.initial_state != definition.states[0].name:
        yield f"start at {say_state_name(definition.initial_state)}"


def reachable(definition: Definition) -> frozenset[str]:
    """The names of the outermost states that a run can come to."""
    states = {state.name: state for state in definition.states}
    waiting = [definition.initial_state, *([definition.on_error] if definition.on_error is not None else [])]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        state = states.get(name)
        if state is None or name in seen:
            continue
        seen.add(name)
        if isinstance(state.action, Goto):
            waiting.append(state.action.to)
        for target in state.transitions.values():
            waiting.extend([target] if isinstance(target, str) else [way.to for way in target])
    return frozenset(seen)
