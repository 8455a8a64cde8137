"""Action kinds beyond a call in words: choices, loops, branches, waits for events, runs, variables.

`grammar.build_blocks` reads them. How the steps of a block are said is handed in, since it depends on which of them have
the name the rules give. What words cannot say to the last bit is JSON after "with", "in" or "keep".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from pydantic import JsonValue

from engine.declare import ParamType
from engine.expressions import quote
from engine.formulas import Formula
from engine.model import (
    Action,
    Block,
    Choose,
    Collect,
    Emit,
    ForEach,
    Parallel,
    ParallelBranch,
    Repeat,
    Run,
    Set,
    Transform,
    Trigger,
    WaitFor,
)
from grammar.build_blocks import branch_name
from grammar.say_conditions import say_condition
from grammar.say_parts import say_duration, say_formula, say_json, say_number

_WORD: Final = re.compile(r"[A-Za-z]\w*", re.ASCII)
_ARGUMENT: Final = re.compile(r"[^\W\d][\w.]*")
_JOINS: Final[Mapping[str, str]] = {"all": "", "any": " until one ends", "none": " without waiting"}
_MOST: Final = 10**18

SayBlock = Callable[[Block], str]
"""The steps of a block as they stand between its parentheses."""
SayEvent = Callable[[Trigger], tuple[str, bool]]
"""What happens, as it stands after "until", and whether the guard is said by it."""
SayValue = Callable[[JsonValue, ParamType], str | None]


def say_kind(action: Action, block: SayBlock, event: SayEvent, value: SayValue) -> str:
    """An action of a kind that is said here."""
    match action:
        case Choose():
            return _choose(action, block)
        case Parallel():
            return _parallel(action, block)
        case Repeat():
            return f"repeat {_rounds(action)} ({block(action.block)})"
        case ForEach():
            return f"for each {_word(action.variable)} in {_items(action)} ({block(action.block)})"
        case WaitFor():
            who = "" if action.who is None else f" from {value(action.who, 'user')}"
            happening, guard = _happening(action.event, action.when, event)
            return f"wait until {happening}{who}{guard}{_taken(consume=action.consume)}"
        case Collect():
            return _collect(action, event)
        case Run():
            detached = " in the background" if action.detached else ""
            return f"run workflow {quote(action.workflow)}{_given(action.arguments)}{detached}"
        case Emit():
            return f"emit event {quote(action.event)}{_given(action.payload)}"
        case Set():
            return _set(action)
        case Transform():
            into = "" if action.into is None else f" as {_word(action.into)}"
            return f"work out {say_formula(action.formula)}{into}"
        case _:
            raise AssertionError(f"{action.kind} is not said here")


def says_json(action: Action) -> bool:
    """Whether the texts of such an action are said as JSON, in which they are never read as typed ones."""
    match action:
        case Set():
            return _single(action) is None
        case Run(arguments=given) | Emit(payload=given):
            return bool(given) and not _are_pairs(given)
        case _:
            return False


# Blocks -----------------------------------------------------------------------------------------------------------------


def _choose(choose: Choose, block: SayBlock) -> str:
    said: list[str] = []
    for number, case in enumerate(choose.cases):
        when = None if case.when is None else f"if {say_condition(case.when)}"
        if number:
            when = "otherwise" if when is None else f"otherwise {when}"
        said.append(f"{when or 'in any case'} ({block(case.block)})")
    return " ".join(said)


def _rounds(repeat: Repeat) -> str:
    holds = None if repeat.while_ is None else say_condition(repeat.while_)
    if repeat.times is None:
        return "forever" if holds is None else f"while {holds}"
    often = quote(repeat.times) if isinstance(repeat.times, str) else repeat.times
    return f"{often} times" if holds is None else f"{often} times, as long as {holds}"


def _items(loop: ForEach) -> str:
    if isinstance(loop.items, str):
        return quote(loop.items)
    said = [_plain_value(item) for item in loop.items]
    if not said or any(each is None for each in said):
        return say_json({"items": list(loop.items)})
    return f"the list {', '.join(each for each in said if each is not None)}"


def _plain_value(value: JsonValue) -> str | None:
    return quote(value) if isinstance(value, str) else _number(value)


def _number(value: JsonValue) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST:
        return None
    if isinstance(value, float) and (value.is_integer() or "e" in repr(value)):
        return None
    return say_number(value)


def _parallel(parallel: Parallel, block: SayBlock) -> str:
    plain = len(parallel.branches) > 1 and all(
        _is_plain(branch, number) for number, branch in enumerate(parallel.branches, 1)
    )
    said = (
        block(branch.block) if plain else f"{_branch(branch)}: {block(branch.block)}" for branch in parallel.branches
    )
    return f"at the same time{_JOINS[parallel.join]} ({'; '.join(said)})"


def _is_plain(branch: ParallelBranch, number: int) -> bool:
    return branch == ParallelBranch(name=branch_name(number), block=branch.block)


def _branch(branch: ParallelBranch) -> str:
    needs = f" after {', '.join(map(quote, branch.needs))}" if branch.needs else ""
    return f"branch {quote(branch.name)}{needs}{'' if branch.critical else ' that may fail'}"


# Waiting for what happens -------------------------------------------------------------------------------------------------


def _happening(event: str, when: Formula | None, say: SayEvent) -> tuple[str, str]:
    said, guarded = say(Trigger(on=event, when=when))
    return said, "" if guarded or when is None else f", if {say_condition(when)}"


def _taken(*, consume: bool) -> str:
    return ", keeping it to itself" if consume else ""


def _collect(collect: Collect, event: SayEvent) -> str:
    happening, guard = _happening(collect.event, collect.when, event)
    length = "" if collect.seconds is None else f" for {say_duration(collect.seconds)}"
    count = "" if collect.count is None else f" until there are {collect.count}"
    several = "" if collect.once_per_user else ", several times per user"
    weights = f", with weights {say_json(collect.weights)}" if collect.weights else ""
    return f"collect every time {happening}{guard}{length}{count}{several}{weights}{_taken(consume=collect.consume)}"


# Values -----------------------------------------------------------------------------------------------------------------


def _word(name: str) -> str:
    return name if _WORD.fullmatch(name) else quote(name)


def _given(values: Mapping[str, JsonValue]) -> str:
    if not values:
        return ""
    if not _are_pairs(values):
        return f" with {say_json(values)}"
    return f" with {' '.join(_pairs(values))}"


def _are_pairs(values: Mapping[str, JsonValue]) -> bool:
    return all(isinstance(value, str) and _ARGUMENT.fullmatch(name) for name, value in values.items())


def _pairs(values: Mapping[str, JsonValue]) -> Iterable[str]:
    return (f"{name}={quote(str(value))}" for name, value in values.items())


def _set(action: Set) -> str:
    single = _single(action)
    return f"keep {say_json(action.values)}" if single is None else f"keep {single}"


def _single(action: Set) -> str | None:
    """`5 as x`, if it is one variable and its value has words."""
    if len(action.values) != 1:
        return None
    ((name, value),) = action.values.items()
    if isinstance(value, bool):
        said: str | None = "true" if value else "false"
    else:
        said = _plain_value(value)
    return None if said is None else f"{said} as {_word(name)}"
