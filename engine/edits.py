"""Changes to a definition as data, and what each does to the graph.

An edit names states, never places that could have moved: references such as "the second wait" have been resolved before.
`apply` is pure: it returns the new definition or says in one sentence why the edit does not fit. Names of new steps are
given by whoever makes the edit (`engine.names`), so applying it twice to the same definition gives the same result.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, Final, TypeAlias, assert_never

from pydantic import ValidationError

from engine.errors import EditError
from engine.model import (
    Action,
    Block,
    Choose,
    Definition,
    ForEach,
    Goto,
    Parallel,
    Policy,
    Repeat,
    Retry,
    State,
    Stop,
    Target,
    Trigger,
    VariableDeclaration,
    Way,
    all_states,
)

SUCCESS: Final = "success"


@dataclass(frozen=True, slots=True)
class InsertSteps:
    """Put new states in a row so that the first one becomes step `at` (1-based) of the outermost states.

    The new states are linked to each other by `success` where they say nothing themselves. The step before them loses
    its edge to the next step to the first new one, and the last new one takes that edge over. At the start, the first
    new state becomes the initial one and the last leads to the old initial one. A success edge of the step before that
    leads elsewhere is taken over as it is.
    """

    at: int
    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class RemoveSteps:
    """Take states out; edges to them go to their own success target, however many of these are removed together."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MoveStep:
    """Take a state out of the flow and put it in as `InsertSteps` does; `at` is the number it will have.

    Success edges to it go to its own success target; edges on other events, and jumps, still lead to it.
    """

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class SwapSteps:
    """Exchange the places of two states: each does its old action at the other's place in the flow."""

    first: str
    second: str


@dataclass(frozen=True, slots=True)
class SetAction:
    """Let a state do something else; its name, edges and options stay."""

    name: str
    action: Action


@dataclass(frozen=True, slots=True)
class ReplaceStep:
    """Put other states in the place of one; edges to it go to the first, its own success edge to the last."""

    name: str
    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class SetTransition:
    """Say where a state leads on an event; None takes that edge away."""

    name: str
    event: str
    target: Target | None


@dataclass(frozen=True, slots=True)
class SetStepTimeout:
    """Bound the time of a state; None lifts the bound."""

    name: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class SetRetry:
    """Say how a state's call is tried again; None = not."""

    name: str
    retry: Retry | None


@dataclass(frozen=True, slots=True)
class SetCritical:
    """Say whether a failure of this state may be passed over ("carry on if that fails")."""

    name: str
    critical: bool


@dataclass(frozen=True, slots=True)
class AddTrigger:
    """Start on this too."""

    trigger: Trigger


@dataclass(frozen=True, slots=True)
class RemoveTrigger:
    """No longer start on this."""

    trigger: Trigger


@dataclass(frozen=True, slots=True)
class SetTriggers:
    """Start on these and nothing else."""

    triggers: tuple[Trigger, ...]


@dataclass(frozen=True, slots=True)
class SetName:
    """Rename the workflow; its id stays."""

    name: str


@dataclass(frozen=True, slots=True)
class SetDescription:
    """Describe the workflow; None takes the description away."""

    description: str | None


@dataclass(frozen=True, slots=True)
class SetTags:
    """The workflow's tags, all of them."""

    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetPolicy:
    """The workflow's policy, all of it."""

    policy: Policy


@dataclass(frozen=True, slots=True)
class SetVariable:
    """Declare a variable, or take the declaration away."""

    name: str
    declaration: VariableDeclaration | None


@dataclass(frozen=True, slots=True)
class SetOnError:
    """Where the workflow goes when a step fails and says nothing itself; None = it fails."""

    to: str | None


@dataclass(frozen=True, slots=True)
class SetTimeout:
    """Bound the time of a whole run; None lifts the bound."""

    seconds: float | None


Edit: TypeAlias = (
    InsertSteps
    | RemoveSteps
    | MoveStep
    | SwapSteps
    | SetAction
    | ReplaceStep
    | SetTransition
    | SetStepTimeout
    | SetRetry
    | SetCritical
    | AddTrigger
    | RemoveTrigger
    | SetTriggers
    | SetName
    | SetDescription
    | SetTags
    | SetPolicy
    | SetVariable
    | SetOnError
    | SetTimeout
)


def apply(definition: Definition, edit: Edit) -> Definition:
    """The definition after an edit.

    Raises:
        EditError: The edit does not fit: a state is not there, a name is taken, nothing would be left.
    """
    match edit:
        case InsertSteps():
            return _on_top(definition, lambda row: _insert(row, edit.at, edit.states))
        case RemoveSteps():
            return _remove(definition, edit.names)
        case MoveStep():
            return _on_top(definition, lambda row: _move(row, edit.name, edit.at))
        case SwapSteps():
            return _beside(definition, edit.first, lambda row: _swap(row, edit.first, edit.second))
        case ReplaceStep():
            return _beside(definition, edit.name, lambda row: _replace(row, edit.name, edit.states))
        case SetTransition():
            return _beside(definition, edit.name, lambda row: _lead(row, edit.name, edit.event, edit.target))
        case SetAction():
            return _change_state(definition, edit.name, action=edit.action)
        case SetStepTimeout():
            return _change_state(definition, edit.name, timeout_seconds=edit.seconds)
        case SetRetry():
            return _change_state(definition, edit.name, retry=edit.retry)
        case SetCritical():
            return _change_state(definition, edit.name, critical=edit.critical)
        case _:
            return _change_heading(definition, edit)


Heading: TypeAlias = (
    AddTrigger
    | RemoveTrigger
    | SetTriggers
    | SetName
    | SetDescription
    | SetTags
    | SetPolicy
    | SetVariable
    | SetOnError
    | SetTimeout
)


def _change_heading(definition: Definition, edit: Heading) -> Definition:
    """Everything that is not about a step."""
    match edit:
        case AddTrigger() | RemoveTrigger() | SetTriggers():
            return _rebuild(definition, triggers=_triggers(definition, edit))
        case SetName():
            return _rebuild(definition, name=edit.name)
        case SetDescription():
            return _rebuild(definition, description=edit.description)
        case SetTags():
            return _rebuild(definition, tags=edit.tags)
        case SetPolicy():
            return _rebuild(definition, policy=edit.policy)
        case SetVariable():
            return _rebuild(definition, variables=_with_variable(definition, edit))
        case SetOnError():
            if edit.to is not None:
                _Row(definition.states, definition.initial_state).place(edit.to)
            return _rebuild(definition, on_error=edit.to)
        case SetTimeout():
            return _rebuild(definition, timeout_seconds=edit.seconds)
        case _:
            assert_never(edit)


def _triggers(definition: Definition, edit: AddTrigger | RemoveTrigger | SetTriggers) -> tuple[Trigger, ...]:
    match edit:
        case AddTrigger():
            if edit.trigger in definition.triggers:
                raise EditError(f'"{definition.name}" starts on that already')
            return (*definition.triggers, edit.trigger)
        case RemoveTrigger():
            if edit.trigger not in definition.triggers:
                raise EditError(f'"{definition.name}" does not start on that')
            return tuple(trigger for trigger in definition.triggers if trigger != edit.trigger)
        case SetTriggers():
            return edit.triggers
        case _:
            assert_never(edit)


def _with_variable(definition: Definition, edit: SetVariable) -> dict[str, VariableDeclaration]:
    variables = dict(definition.variables)
    if edit.declaration is not None:
        return {**variables, edit.name: edit.declaration}
    if edit.name not in variables:
        raise EditError(f'"{definition.name}" has no variable "{edit.name}"')
    del variables[edit.name]
    return variables


# A row of states: the outermost ones, or those of one block ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """States side by side, where they begin, and where names outside the row (`on_error`) have to follow."""

    states: tuple[State, ...]
    initial: str
    moved: Mapping[str, str | None] = field(default_factory=dict)

    def place(self, name: str) -> int:
        for index, state in enumerate(self.states):
            if state.name == name:
                return index
        raise _no_step(name)


def _on_top(definition: Definition, change: Callable[[_Row], _Row]) -> Definition:
    row = change(_Row(definition.states, definition.initial_state))
    return _rebuild(
        definition,
        states=row.states,
        initial_state=row.initial,
        on_error=row.moved.get(definition.on_error, definition.on_error) if definition.on_error else None,
    )


def _beside(definition: Definition, name: str, change: Callable[[_Row], _Row]) -> Definition:
    """Change the row in which a state stands, however deep."""
    if any(state.name == name for state in definition.states):
        return _on_top(definition, change)
    states = tuple(_in_blocks(state, name, change) for state in definition.states)
    if states == definition.states and name not in {state.name for state in all_states(definition.states)}:
        raise _no_step(name)
    return _rebuild(definition, states=states)


def _in_blocks(state: State, name: str, change: Callable[[_Row], _Row]) -> State:
    def inside(block: Block) -> Block:
        if any(inner.name == name for inner in block.states):
            row = change(_Row(block.states, block.initial_state))
            return Block(initial_state=row.initial, states=row.states)
        return Block(
            initial_state=block.initial_state, states=tuple(_in_blocks(inner, name, change) for inner in block.states)
        )

    action = _map_blocks(state.action, inside)
    return state if action is state.action else state.model_copy(update={"action": action})


def _map_blocks(action: Action, change: Callable[[Block], Block]) -> Action:
    match action:
        case Choose():
            cases = tuple(case.model_copy(update={"block": change(case.block)}) for case in action.cases)
            return action.model_copy(update={"cases": cases})
        case Parallel():
            branches = tuple(branch.model_copy(update={"block": change(branch.block)}) for branch in action.branches)
            return action.model_copy(update={"branches": branches})
        case Repeat() | ForEach():
            return action.model_copy(update={"block": change(action.block)})
        case _:
            return action


def _change_state(definition: Definition, name: str, **changes: Any) -> Definition:
    def change(row: _Row) -> _Row:
        at = row.place(name)
        changed = row.states[at].model_copy(update=changes)
        return _Row((*row.states[:at], changed, *row.states[at + 1 :]), row.initial)

    return _beside(definition, name, change)


# Putting in ------------------------------------------------------------------------------------------------------------


def _insert(row: _Row, at: int, states: tuple[State, ...]) -> _Row:
    count = len(row.states)
    if not 1 <= at <= count + 1:
        raise EditError(f"there is no place {at}: there are {_steps(count)}")
    if not states:
        raise EditError("there is nothing to put in")
    _refuse_taken(states, row.states)
    new = _chain(states)
    if at == 1:
        return _Row((*_ending_in(new, row.initial), *row.states), new[0].name)
    before, after = row.states[at - 2], row.states[at - 1 :]
    following = after[0].name if after else None
    before, onward = _give_way(before, following, new[0].name)
    return _Row((*row.states[: at - 2], before, *_ending_in(new, onward), *after), row.initial)


def _give_way(before: State, following: str | None, first: str) -> tuple[State, Target | None]:
    """The step before leads to the first new one; what it led to instead is what the last new one takes over."""
    if isinstance(before.action, Goto | Stop):
        return before, following
    edges = dict(before.transitions)
    if following is not None and any(_leads_to(target, following) for target in edges.values()):
        led_on = SUCCESS in edges and _leads_to(edges[SUCCESS], following)
        onward: Target | None = following if led_on else edges.get(SUCCESS)
        edges = {event: _retarget(target, {following: first}) for event, target in edges.items()}
        if not led_on:
            edges[SUCCESS] = first
    else:
        onward = edges.get(SUCCESS)
        edges[SUCCESS] = first
    return before.model_copy(update={"transitions": edges}), onward


def _chain(states: tuple[State, ...]) -> tuple[State, ...]:
    """Link states to each other where they say nothing themselves."""
    linked = tuple(_linked(state, later.name) for state, later in pairwise(states))
    return (*linked, states[-1])


def _linked(state: State, target: Target) -> State:
    if SUCCESS in state.transitions or isinstance(state.action, Goto | Stop):
        return state
    return state.model_copy(update={"transitions": {SUCCESS: target, **state.transitions}})


def _ending_in(states: tuple[State, ...], onward: Target | None) -> tuple[State, ...]:
    return states if onward is None else (*states[:-1], _linked(states[-1], onward))


def _refuse_taken(new: tuple[State, ...], old: tuple[State, ...]) -> None:
    taken = {state.name for state in all_states(old)}
    for state in all_states(new):
        if state.name in taken:
            raise EditError(f'a step named "{state.name}" is there already')


# Taking out ------------------------------------------------------------------------------------------------------------


def _remove(definition: Definition, names: tuple[str, ...]) -> Definition:
    """Take states out row by row; those that stand inside another one that goes, go with it."""
    known = {state.name for state in all_states(definition.states)}
    for name in names:
        if name not in known:
            raise _no_step(name)
    left = list(dict.fromkeys(names))
    while left:
        present = {state.name for state in all_states(definition.states)}
        left = [name for name in left if name in present]
        if not left:
            break
        definition = _beside(definition, left[0], partial(_without, names=frozenset(left)))
    return definition


def _without(row: _Row, names: frozenset[str]) -> _Row:
    gone = {state.name: state for state in row.states if state.name in names}
    kept = tuple(state for state in row.states if state.name not in gone)
    if not kept:
        raise EditError("nothing would be left; delete the workflow instead")
    onward = {name: _onward(name, gone) for name in gone}
    initial = onward[row.initial] if row.initial in gone else row.initial
    if not isinstance(initial, str):
        raise EditError(f'it begins at step "{row.initial}", and nothing says where it would begin without it')
    moved = {name: target if isinstance(target, str) else None for name, target in onward.items()}
    return _Row(tuple(_redirected(state, onward) for state in kept), initial, moved)


def _onward(name: str, gone: Mapping[str, State]) -> Target | None:
    """Where a state that goes leads on success, past others that go too."""
    seen = {name}
    target = gone[name].transitions.get(SUCCESS, _jump(gone[name]))
    while isinstance(target, str) and target in gone:
        if target in seen:
            return None
        seen.add(target)
        target = gone[target].transitions.get(SUCCESS, _jump(gone[target]))
    if isinstance(target, tuple) and any(way.to in gone for way in target):
        raise EditError(f'where step "{name}" leads depends on steps that go too; take them out one by one')
    return target


def _jump(state: State) -> str | None:
    return state.action.to if isinstance(state.action, Goto) else None


def _redirected(state: State, onward: Mapping[str, Target | None]) -> State:
    edges = {event: _past(state.name, event, target, onward) for event, target in state.transitions.items()}
    changed: dict[str, Any] = {"transitions": {event: target for event, target in edges.items() if target is not None}}
    if isinstance(state.action, Goto) and state.action.to in onward:
        changed["action"] = _jump_past(state.name, onward[state.action.to])
    if changed["transitions"] == state.transitions and "action" not in changed:
        return state
    return state.model_copy(update=changed)


def _jump_past(name: str, target: Target | None) -> Action:
    if isinstance(target, tuple):
        raise EditError(f'step "{name}" jumps to it, and where it leads depends on conditions; change that jump first')
    return Stop() if target is None else Goto(to=target)


def _past(name: str, event: str, target: Target, onward: Mapping[str, Target | None]) -> Target | None:
    if isinstance(target, str):
        return onward.get(target, target)
    ways: list[Way] = []
    for index, way in enumerate(target):
        further = onward.get(way.to, way.to)
        if isinstance(further, str):
            ways.append(way if further == way.to else way.model_copy(update={"to": further}))
        elif isinstance(further, tuple) or index < len(target) - 1:
            raise EditError(f'step "{name}" leads there on {event} under a condition; say where it goes instead first')
    return tuple(ways) or None


# Moving, swapping, replacing, leading ------------------------------------------------------------------------------------


def _move(row: _Row, name: str, at: int) -> _Row:
    place = row.place(name)
    if not 1 <= at <= len(row.states):
        raise EditError(f"there is no place {at}: there are {_steps(len(row.states))}")
    if at == place + 1:
        return row
    state = row.states[place]
    onward = {name: _onward(name, {name: state})}
    initial = onward[name] if row.initial == name else row.initial
    if not isinstance(initial, str):
        raise EditError(f'it begins at step "{name}", and nothing says where it would begin without it')
    rest = tuple(_flow_past(other, onward) for other in row.states if other.name != name)
    alone = state.model_copy(update={"transitions": _without_success(state)})
    return _insert(_Row(rest, initial), at, (alone,))


def _flow_past(state: State, onward: Mapping[str, Target | None]) -> State:
    if SUCCESS not in state.transitions:
        return state
    target = _past(state.name, SUCCESS, state.transitions[SUCCESS], onward)
    edges = {event: other if event != SUCCESS else target for event, other in state.transitions.items()}
    return state.model_copy(
        update={"transitions": {event: other for event, other in edges.items() if other is not None}}
    )


def _swap(row: _Row, first: str, second: str) -> _Row:
    if first == second:
        raise EditError("a step cannot change places with itself")
    one, two = row.place(first), row.place(second)
    names = {first: second, second: first}
    states = [_renamed_flow(state, names) for state in row.states]
    states[one], states[two] = (
        _at_place_of(row.states[two], states[one]),
        _at_place_of(row.states[one], states[two]),
    )
    return _Row(tuple(states), names.get(row.initial, row.initial))


def _renamed_flow(state: State, names: Mapping[str, str]) -> State:
    """The success edges and jumps as they are when two names have changed places."""
    changed: dict[str, Any] = {}
    if SUCCESS in state.transitions:
        changed["transitions"] = {**state.transitions, SUCCESS: _retarget(state.transitions[SUCCESS], names)}
    return state.model_copy(update=changed) if changed else state


def _at_place_of(state: State, place: State) -> State:
    """A state as it is, except that on success it leads where that place leads."""
    edges = _without_success(state)
    if SUCCESS in place.transitions and not isinstance(state.action, Goto | Stop):
        edges = {SUCCESS: place.transitions[SUCCESS], **edges}
    return state.model_copy(update={"transitions": edges})


def _replace(row: _Row, name: str, states: tuple[State, ...]) -> _Row:
    place = row.place(name)
    if not states:
        raise EditError("there is nothing to put in its place")
    old = row.states[place]
    others = (*row.states[:place], *row.states[place + 1 :])
    _refuse_taken(states, others)
    first = states[0].name
    onward = old.transitions.get(SUCCESS)
    new = _chain(states)
    if onward is not None:
        new = _ending_in(new, _retarget(onward, {name: first}))
    renamed = {name: first}
    around = tuple(_pointing(state, renamed) for state in others)
    return _Row((*around[:place], *new, *around[place:]), renamed.get(row.initial, row.initial), renamed)


def _pointing(state: State, names: Mapping[str, str]) -> State:
    changed: dict[str, Any] = {
        "transitions": {event: _retarget(target, names) for event, target in state.transitions.items()}
    }
    if isinstance(state.action, Goto) and state.action.to in names:
        changed["action"] = Goto(to=names[state.action.to])
    return state.model_copy(update=changed)


def _lead(row: _Row, name: str, event: str, target: Target | None) -> _Row:
    place = row.place(name)
    state = row.states[place]
    for to in _names_of(target):
        row.place(to)
    if target is None and event not in state.transitions:
        raise EditError(f'step "{name}" leads nowhere on {event} already')
    edges = {other: way for other, way in state.transitions.items() if other != event}
    if target is not None:
        edges = {**state.transitions, event: target}
    changed = state.model_copy(update={"transitions": edges})
    return _Row((*row.states[:place], changed, *row.states[place + 1 :]), row.initial)


# Small parts -------------------------------------------------------------------------------------------------------------


def _without_success(state: State) -> dict[str, Target]:
    return {event: target for event, target in state.transitions.items() if event != SUCCESS}


def _names_of(target: Target | None) -> tuple[str, ...]:
    if target is None:
        return ()
    return (target,) if isinstance(target, str) else tuple(way.to for way in target)


def _leads_to(target: Target, name: str) -> bool:
    return name in _names_of(target)


def _retarget(target: Target, names: Mapping[str, str]) -> Target:
    if isinstance(target, str):
        return names.get(target, target)
    return tuple(way.model_copy(update={"to": names[way.to]}) if way.to in names else way for way in target)


def _rebuild(definition: Definition, **changes: Any) -> Definition:
    """A definition with other fields, checked again as a whole."""
    fields = {name: getattr(definition, name) for name in Definition.model_fields}
    try:
        return Definition(**{**fields, **changes})
    except ValidationError as error:
        raise EditError(_reason(error)) from None


def _reason(error: ValidationError) -> str:
    first = error.errors()[0]
    words = str(first["msg"]).removeprefix("Value error, ")
    return words[:1].lower() + words[1:]


def _no_step(name: str) -> EditError:
    return EditError(f'there is no step "{name}"')


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"
