"""What is wrong with the steps that control others: branches, loops, waits for events, runs, and what is sent to others.

Where edges lead, and which names are set, is looked at elsewhere.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final, get_args

from engine.events import BY_NAME, canonical, kind_of
from engine.execution import MAX_DEPTH
from engine.model import (
    Call,
    Collect,
    Definition,
    Emit,
    ForEach,
    Parallel,
    ParallelBranch,
    Role,
    Run,
    State,
    Transform,
    WaitFor,
    all_states,
)
from engine.scope import RESERVED
from engine.validate.problem import Places, Problem, changed, meant, nearest, say, without

_ROLES: Final[tuple[str, ...]] = get_args(Role)
_A_MINUTE: Final = 60.0


def control_problems(
    definition: Definition, places: Places, workflows: Mapping[str, Definition] | None
) -> Iterator[Problem]:
    """Problems of all steps that control others.

    Args:
        definition: The workflow.
        places: Its steps in words.
        workflows: All there are, by id; None if that is not known.
    """
    bounded = _bounded(definition)
    for state in all_states(definition.states):
        place = places.where[state.name]
        if state.retry is not None and not isinstance(state.action, Call):
            sentence = "only a step that asks a service can be tried again"
            mend = say(f"{places.words[state.name]} no retry")
            yield Problem(place, "error", sentence, mend, state.name)
        match state.action:
            case Parallel():
                yield from _parallel(state, state.action, places)
            case ForEach() if state.action.variable in RESERVED:
                yield _of_the_bot(state, state.action.variable, place)
            case Transform() if state.action.into in RESERVED:
                yield _of_the_bot(state, state.action.into or "", place)
            case WaitFor() | Collect():
                yield from _event(state, state.action, places, definition, workflows)
                yield from _end(state, state.action, places, bounded)
            case Run():
                yield from _run(state, state.action, places, definition, workflows)
            case Emit():
                yield from _emit(state, state.action, places)
            case _:
                pass


def _of_the_bot(state: State, name: str, place: str) -> Problem:
    return Problem(place, "error", f'"{name}" is a name of the bot itself', "take another name", state.name)


# Branches side by side -----------------------------------------------------------------------------------------------------


def _parallel(state: State, action: Parallel, places: Places) -> Iterator[Problem]:
    place = places.where[state.name]
    names = [branch.name for branch in action.branches]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        mend = changed(places, state.name, _renamed(action), "give each branch a name of its own")
        yield Problem(place, "error", f'two branches have the name "{name}"', mend, state.name)
    for branch in action.branches:
        for need in branch.needs:
            if need not in names:
                near = nearest(need, (name for name in names if name != branch.name))
                mend = changed(places, state.name, _with_need(action, branch, need, near), f'take "{need}" out of it')
                sentence = f'branch "{branch.name}" needs "{need}", and there is no such branch'
                yield Problem(place, "error", sentence, mend, state.name)
    starts = _starting(action.branches)
    circle = _circle({branch.name: branch.needs for branch in action.branches})
    for branch in action.branches:
        if branch.name in circle:
            need = next(need for need in branch.needs if need in circle)
            mend = changed(places, state.name, _with_need(action, branch, need, None), f'take "{need}" out of it')
            sentence = f'branch "{branch.name}" needs "{need}", which needs "{branch.name}" itself'
            if need == branch.name:
                sentence = f'branch "{branch.name}" needs itself'
            yield Problem(place, "error", sentence, mend, state.name)
        elif branch.name not in starts and set(branch.needs) <= set(names):
            sentence = f'branch "{branch.name}" can never start, because what it needs never does'
            yield Problem(place, "warning", sentence, "mend what it needs first", state.name)
        elif branch.needs and action.join == "any":
            sentence = f'branch "{branch.name}" never starts: the first branch that ends, ends them all'
            mend = changed(places, state.name, action.model_copy(update={"join": "all"}), "join all of them")
            yield Problem(place, "warning", sentence, mend, state.name)


def _starting(branches: tuple[ParallelBranch, ...]) -> set[str]:
    """The branches whose needs can all have ended some time."""
    starts: set[str] = set()
    while more := {b.name for b in branches if b.name not in starts and starts.issuperset(b.needs)}:
        starts |= more
    return starts


def _circle(needs: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The branches that need themselves, directly or not."""
    return {name for name in needs if name in _needed(name, needs)}


def _needed(name: str, needs: Mapping[str, tuple[str, ...]]) -> set[str]:
    found: set[str] = set()
    left = list(needs[name])
    while left:
        need = left.pop()
        if need not in found:
            found.add(need)
            left.extend(needs.get(need, ()))
    return found


def _renamed(action: Parallel) -> Parallel:
    """With a name of its own for each branch."""
    taken: set[str] = set()
    branches = []
    for branch in action.branches:
        name, count = branch.name, 2
        while name in taken:
            name, count = f"{branch.name[:56]}_{count}", count + 1
        taken.add(name)
        branches.append(branch.model_copy(update={"name": name}))
    return action.model_copy(update={"branches": tuple(branches)})


def _with_need(action: Parallel, branch: ParallelBranch, need: str, instead: str | None) -> Parallel:
    """With another need of one branch, or without it."""
    needs = tuple(instead if each == need else each for each in branch.needs if each != need or instead is not None)
    other = branch.model_copy(update={"needs": tuple(filter(None, needs))})
    branches = tuple(other if each is branch else each for each in action.branches)
    return action.model_copy(update={"branches": branches})


# Waits for events ----------------------------------------------------------------------------------------------------------


def _bounded(definition: Definition) -> frozenset[str]:
    """The states that end some time, because they or something around them has a time limit."""
    if definition.timeout_seconds is not None:
        return frozenset(state.name for state in all_states(definition.states))
    limited = [state for state in all_states(definition.states) if state.timeout_seconds is not None]
    return frozenset(inner.name for state in limited for inner in all_states((state,)))


def _end(state: State, action: WaitFor | Collect, places: Places, bounded: frozenset[str]) -> Iterator[Problem]:
    place = places.where[state.name]
    if isinstance(action, Collect):
        for name in action.weights:
            if name not in _ROLES:
                near = nearest(name, _ROLES)
                weights = {(near if key == name else key): value for key, value in action.weights.items()}
                other = {key: value for key, value in weights.items() if key is not None}
                mend = changed(places, state.name, action.model_copy(update={"weights": other}))
                roles = f"the roles are {', '.join(_ROLES)}"
                sentence = f'a weight is for "{name}", which is no role'
                yield Problem(place, "warning", sentence, mend or meant(name, _ROLES) or roles, state.name)
        if action.seconds is None and action.count is None and state.name not in bounded:
            mend = changed(places, state.name, action.model_copy(update={"seconds": _A_MINUTE}), "say for how long")
            yield Problem(place, "error", "it collects and never ends", mend, state.name)
    elif state.name not in bounded:
        mend = say(f"{places.words[state.name]} time limit 10 minutes")
        yield Problem(place, "warning", "it waits for as long as that does not happen", mend, state.name)


def _event(
    state: State,
    action: WaitFor | Collect,
    places: Places,
    definition: Definition,
    workflows: Mapping[str, Definition] | None,
) -> Iterator[Problem]:
    if kind_of(action.event) is not None:
        return
    sent = set(_sent(definition))
    if workflows is not None:
        sent |= {name for other in workflows.values() for name in _sent(other)}
    if canonical(action.event) in sent:
        return
    near = nearest(action.event, (*BY_NAME, *sent))
    if near is None and workflows is None:
        return  # who might send it is not known
    mend = f'let a workflow emit "{action.event}"'
    if near is not None:
        other = action.model_copy(update={"event": near})
        mend = changed(places, state.name, other) or f'did you mean "{near}"?'
    sentence = f'I know no event "{action.event}"; it comes only if somebody sends it'
    yield Problem(places.where[state.name], "warning", sentence, mend, state.name)


def _sent(definition: Definition) -> Iterator[str]:
    for state in all_states(definition.states):
        if isinstance(state.action, Emit):
            yield canonical(state.action.event)


# Other workflows ----------------------------------------------------------------------------------------------------------


def _run(
    state: State, action: Run, places: Places, definition: Definition, workflows: Mapping[str, Definition] | None
) -> Iterator[Problem]:
    place = places.where[state.name]
    if action.workflow == definition.id:
        sure = state.name in _certain(definition)
        sentence = f"it runs this workflow itself again; after {MAX_DEPTH} times that is refused"
        mend = "put it under a condition"
        if state.name in places.outermost:
            mend = without(definition, places, state.name, mend)
        yield Problem(place, "error" if sure else "warning", sentence, mend, state.name)
    elif workflows is not None and action.workflow not in workflows:
        near = nearest(action.workflow, (id for id in workflows if id != definition.id))
        mend = None
        if near is not None:
            mend = changed(places, state.name, action.model_copy(update={"workflow": near}), f'did you mean "{near}"?')
        sentence = f'there is no workflow "{action.workflow}" to run'
        yield Problem(place, "warning", sentence, mend or "make it, or run another one", state.name)


def _certain(definition: Definition) -> Collection[str]:
    """The outermost states that every run enters, if nothing fails."""
    by_name = {state.name: state for state in definition.states}
    found: dict[str, None] = {}
    name: str | None = definition.initial_state
    while name is not None and name not in found:
        found[name] = None
        state = by_name.get(name)
        target = state.transitions.get("success") if state is not None and state.enabled else None
        name = target if isinstance(target, str) else None
    return found


def _emit(state: State, action: Emit, places: Places) -> Iterator[Problem]:
    kind = kind_of(action.event)
    if kind is None:
        return
    other = action.model_copy(update={"event": f"my.{kind.name}"[:64]})
    mend = changed(places, state.name, other, f'call it "{other.event}"')
    sentence = f'"{action.event}" is an event of the bot itself; a workflow sends events of its own'
    yield Problem(places.where[state.name], "error", sentence, mend, state.name)
