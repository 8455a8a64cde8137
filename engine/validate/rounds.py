"""Loops that nothing ends: those that go round without a wait, and those that keep others from ever starting.

A loop that waits a second or more each round may go on for ever, if that is what somebody wants; a busy one may not.
Whether a guard could end a loop is not worked out: where there is one, it is believed, except that one over values which
the loop never changes is doubted.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from engine.expressions import paths_in
from engine.model import (
    Block,
    Choose,
    Collect,
    Definition,
    ForEach,
    Goto,
    Parallel,
    Repeat,
    Run,
    State,
    Stop,
    Wait,
    WaitFor,
    all_states,
    destinations,
)
from engine.validate.graph import blocks_of, leads_to, reached_from
from engine.validate.paths import names_set
from engine.validate.problem import Places, Problem, as_json, changed, say, without

_TIMES: Final = 10


def endless_loops(definition: Definition, places: Places) -> Iterator[Problem]:
    """Loops that go round without a wait and that nothing but a failure leaves."""
    if definition.max_loop_iterations is not None:
        return
    waits = False
    for members, initial, owner in blocks_of(definition):
        by_name = {state.name: state for state in members}
        begins = {initial, definition.on_error or initial} if owner is None else {initial}
        reached = reached_from(begins, {name: leads_to(state) for name, state in by_name.items()})
        for loop in _loops(by_name, reached):
            yield from _busy(loop, definition, places)
            waits = waits or any(may_rest(state) for state in loop)
    for state in all_states(definition.states):
        if isinstance(state.action, Repeat):
            yield from _repeat(state, state.action, places)
            waits = waits or (_is_unbounded(state.action) and _block_may_rest(state.action.block))
    if waits and definition.policy.mode == "queued":
        policy = definition.policy.model_dump(mode="json", exclude_defaults=True)
        mend = say(f"policy {as_json({**policy, 'mode': 'single'})}")
        yield Problem(
            "policy", "warning", "it goes round for ever, so starts that stand in line behind it never begin", mend
        )


def _loops(states: Mapping[str, State], reached: set[str]) -> Iterator[tuple[State, ...]]:
    """Sets of states of one block that lead into each other and, if all goes well, nowhere else."""
    onward = {name: _onward(states[name]) for name in states if name in reached}
    edges = {name: set(to) for name, to in onward.items()}
    told: set[str] = set()
    for name in onward:
        if name in told:
            continue
        loop = reached_from(set(onward[name]), edges)
        if name in loop and all(onward[part] for part in loop):
            told |= loop
            yield tuple(states[part] for part in states if part in loop)


def _onward(state: State) -> tuple[str, ...]:
    """Where a state leads if all goes well; nothing if the path may end there."""
    if state.enabled and isinstance(state.action, Stop):
        return ()
    if state.enabled and isinstance(state.action, Goto):
        return (state.action.to,)
    target = state.transitions.get("success")
    if target is None:
        return ()
    ends = not isinstance(target, str) and all(way.when is not None for way in target)
    return () if ends else destinations(target)


def _busy(loop: tuple[State, ...], definition: Definition, places: Places) -> Iterator[Problem]:
    first = loop[0].name
    mend = _with_wait(loop, definition, places)
    if not any(may_rest(state) for state in loop):
        yield Problem(places.where[first], "error", "this goes round for ever without a wait", mend, first)
        return
    restless = {state.name: set(_onward(state)) for state in loop if not _rests(state)}
    restless = {name: to & restless.keys() for name, to in restless.items()}
    if any(name in reached_from(to, restless) for name, to in restless.items()):
        yield Problem(places.where[first], "warning", "this may go round for ever without a wait", mend, first)


def _with_wait(loop: tuple[State, ...], definition: Definition, places: Places) -> str:
    """The suggestion of a wait in a loop."""
    for state in loop:
        is_plain = isinstance(state.transitions.get("success"), str) and not isinstance(state.action, Goto)
        if is_plain and state.name in places.outermost:
            return say(f"add after {places.words[state.name]} wait 1 second") or "add a wait"
    [first, *others] = loop
    if not others and first.name in places.outermost:
        return without(definition, places, first.name, "add a wait or a condition")
    return "add a wait or a condition"


# Loops as steps ------------------------------------------------------------------------------------------------------------


def _repeat(state: State, action: Repeat, places: Places) -> Iterator[Problem]:
    if action.times is not None or not state.enabled:
        return
    rests, may = _block_rests(action.block), _block_may_rest(action.block)
    place = places.where[state.name]
    mend = changed(places, state.name, action.model_copy(update={"times": _TIMES}), "say how often, or add a wait")
    if _is_unbounded(action):
        if not may:
            yield Problem(place, "error", "this goes round for ever without a wait", mend, state.name)
        elif not rests:
            yield Problem(place, "warning", "this may go round for ever without a wait", mend, state.name)
    elif action.while_ is not None and not may and not _changes(action):
        sentence = "this goes round without a wait, and nothing in it changes what it goes by"
        yield Problem(place, "warning", sentence, mend, state.name)


def _is_unbounded(action: Repeat) -> bool:
    return action.times is None and action.while_ is None


def _changes(action: Repeat) -> bool:
    """Whether a loop sets a value that its condition reads."""
    reads = (
        {path.removeprefix("results.").split(".")[0] for path in paths_in(action.while_)} if action.while_ else set()
    )
    return any(not reads.isdisjoint(names_set(state)) for state in all_states(action.block.states))


# Waits ---------------------------------------------------------------------------------------------------------------------


def may_rest(state: State) -> bool:
    """Whether a state may take a second or more because it waits."""
    if not state.enabled:
        return False
    match state.action:
        case Wait():
            return isinstance(state.action.seconds, str) or state.action.seconds >= 1
        case WaitFor() | Collect():
            return True
        case Run():
            return not state.action.detached
        case Choose():
            return any(_block_may_rest(case.block) for case in state.action.cases)
        case Parallel():
            return state.action.join != "none" and any(_block_may_rest(lane.block) for lane in state.action.branches)
        case Repeat() | ForEach():
            return _is_endless(state.action) or _block_may_rest(state.action.block)
        case _:
            return False


def _is_endless(action: Repeat | ForEach) -> bool:
    """Whether a loop around this one is left to it alone: a problem of its own, told once."""
    return isinstance(action, Repeat) and _is_unbounded(action)


def _block_may_rest(block: Block) -> bool:
    return any(may_rest(state) for state in block.states)


def _rests(state: State) -> bool:
    """Whether a state certainly takes a second or more, as far as that is known."""
    match state.action:
        case Choose() if state.enabled:
            cases = state.action.cases
            return cases[-1].when is None and all(_block_rests(case.block) for case in cases)
        case Parallel() if state.enabled:
            lanes = [_block_rests(lane.block) for lane in state.action.branches]
            return state.action.join != "none" and (any(lanes) if state.action.join == "all" else all(lanes))
        case _:
            return may_rest(state)


def _block_rests(block: Block) -> bool:
    """Whether every way through a block waits."""
    by_name = {state.name: state for state in block.states}
    seen: set[str] = set()
    left = [block.initial_state]
    while left:
        name = left.pop()
        if name in seen or name not in by_name or _rests(by_name[name]):
            continue
        seen.add(name)
        onward = _onward(by_name[name])
        if not onward:
            return False
        left.extend(onward)
    return True
