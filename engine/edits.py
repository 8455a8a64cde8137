"""Changes to a definition as data, and which rows of states and which fields each of them changes.

An edit names states, never places that could have moved: references such as "the second wait" have been resolved before.
`apply` is pure: it returns the new definition or says in one sentence why the edit does not fit. Names of new steps are
given by whoever makes the edit (`engine.names`), so applying it twice to the same definition gives the same result.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, assert_never

from pydantic import ValidationError

from engine import rows
from engine.errors import EditError
from engine.model import (
    Action,
    Block,
    Choose,
    Definition,
    ForEach,
    Parallel,
    Policy,
    Repeat,
    Retry,
    State,
    Target,
    Trigger,
    VariableDeclaration,
    all_states,
    blocks,
)
from engine.rows import Row, no_step


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
class Handle:
    """Do these states on an event of a step, or when any step fails that says nothing itself; nothing else leads to them.

    They stand at the end of the row of that step, or of the outermost states; the last of them leads nowhere unless it
    says so.
    """

    states: tuple[State, ...]
    step: str | None = None
    event: str = "error"


@dataclass(frozen=True, slots=True)
class SetVersion:
    """What the workflow itself says which version it is; None = nothing."""

    version: str | None


@dataclass(frozen=True, slots=True)
class SetStart:
    """Which of the outermost states it begins with."""

    name: str


@dataclass(frozen=True, slots=True)
class SetMaxRounds:
    """How often a loop may go round; None = the usual limit."""

    count: int | None


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
    | Handle
    | SetVersion
    | SetStart
    | SetMaxRounds
    | SetTimeout
)


def apply(definition: Definition, edit: Edit) -> Definition:
    """The definition after an edit.

    Raises:
        EditError: The edit does not fit: a state is not there, a name is taken, nothing would be left.
    """
    match edit:
        case InsertSteps():
            return _on_top(definition, lambda row: rows.insert(row, edit.at, edit.states))
        case RemoveSteps():
            return _remove(definition, edit.names)
        case MoveStep():
            return _on_top(definition, lambda row: rows.move(row, edit.name, edit.at))
        case SwapSteps():
            return _beside(definition, edit.first, lambda row: rows.swap(row, edit.first, edit.second))
        case ReplaceStep():
            return _beside(definition, edit.name, lambda row: rows.replace(row, edit.name, edit.states))
        case SetTransition():
            return _beside(definition, edit.name, lambda row: rows.lead(row, edit.name, edit.event, edit.target))
        case SetAction():
            return _change_state(definition, edit.name, action=edit.action)
        case SetStepTimeout():
            return _change_state(definition, edit.name, timeout_seconds=edit.seconds)
        case SetRetry():
            return _change_state(definition, edit.name, retry=edit.retry)
        case SetCritical():
            return _change_state(definition, edit.name, critical=edit.critical)
        case Handle():
            return _handle(definition, edit)
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
    | SetVersion
    | SetStart
    | SetMaxRounds
    | SetTimeout
)


def _change_heading(definition: Definition, edit: Heading) -> Definition:  # noqa: C901  one line per edit
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
                Row(definition.states, definition.initial_state).place(edit.to)
            return _rebuild(definition, on_error=edit.to)
        case SetVersion():
            return _rebuild(definition, version=edit.version)
        case SetStart():
            Row(definition.states, definition.initial_state).place(edit.name)
            return _rebuild(definition, initial_state=edit.name)
        case SetMaxRounds():
            return _rebuild(definition, max_loop_iterations=edit.count)
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


def _handle(definition: Definition, edit: Handle) -> Definition:
    if edit.step is None:
        appended = _on_top(definition, lambda row: rows.append(row, edit.states))
        return _rebuild(appended, on_error=edit.states[0].name)
    appended = _beside(definition, edit.step, lambda row: rows.append(row, edit.states))
    return apply(appended, SetTransition(edit.step, edit.event, edit.states[0].name))


# Finding the row a state stands in --------------------------------------------------------------------------------------


def _on_top(definition: Definition, change: Callable[[Row], Row]) -> Definition:
    row = change(Row(definition.states, definition.initial_state))
    return _rebuild(
        definition,
        states=row.states,
        initial_state=row.initial,
        on_error=row.moved.get(definition.on_error, definition.on_error) if definition.on_error else None,
    )


def _beside(definition: Definition, name: str, change: Callable[[Row], Row]) -> Definition:
    """Change the row in which a state stands, however deep."""
    if any(state.name == name for state in definition.states):
        return _on_top(definition, change)
    states = tuple(_in_blocks(state, name, change) for state in definition.states)
    if states == definition.states and name not in {state.name for state in all_states(definition.states)}:
        raise no_step(name)
    return _rebuild(definition, states=states)


def _in_blocks(state: State, name: str, change: Callable[[Row], Row]) -> State:
    def inside(block: Block) -> Block:
        if any(inner.name == name for inner in block.states):
            row = change(Row(block.states, block.initial_state))
            return Block(initial_state=row.initial, states=row.states)
        return Block(
            initial_state=block.initial_state, states=tuple(_in_blocks(inner, name, change) for inner in block.states)
        )

    action = map_blocks(state.action, inside)
    return state if action is state.action else state.model_copy(update={"action": action})


def map_blocks(action: Action, change: Callable[[Block], Block]) -> Action:
    """An action with each block that it holds changed; one that holds none is the same object."""
    if not blocks(action):
        return action
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
    def change(row: Row) -> Row:
        at = row.place(name)
        return row.with_state(at, row.states[at].model_copy(update=changes))

    return _beside(definition, name, change)


def _remove(definition: Definition, names: tuple[str, ...]) -> Definition:
    """Take states out row by row; those that stand inside another one that goes, go with it."""
    known = {state.name for state in all_states(definition.states)}
    for name in names:
        if name not in known:
            raise no_step(name)
    left = list(dict.fromkeys(names))
    while left:
        present = {state.name for state in all_states(definition.states)}
        left = [name for name in left if name in present]
        if not left:
            break
        definition = _beside(definition, left[0], partial(rows.take_out, names=frozenset(left)))
    return definition


def _rebuild(definition: Definition, **changes: Any) -> Definition:
    """A definition with other fields, checked again as a whole."""
    try:
        return Definition(**{**vars(definition), **changes})
    except ValidationError as error:
        raise EditError(_reason(error)) from None


def _reason(error: ValidationError) -> str:
    first = error.errors()[0]
    words = str(first["msg"]).removeprefix("Value error, ")
    return words[:1].lower() + words[1:]


# What edits are about ----------------------------------------------------------------------------------------------------


def touched(edits: Sequence[Edit], after: Definition) -> str | None:
    """The one step that edits were about, if it is still there."""
    names = {name for edit in edits for name in names_in(edit)}
    there = {state.name for state in all_states(after.states)}
    return next(iter(names)) if len(names) == 1 and names <= there else None


def names_in(edit: Edit) -> Iterator[str]:
    """The names of the states an edit is about, new ones too."""
    match edit:
        case InsertSteps(states=states) | ReplaceStep(states=states):
            yield from (state.name for state in states)
        case RemoveSteps(names=names):
            yield from names
        case SwapSteps(first=first, second=second):
            yield from (first, second)
        case (
            MoveStep(name=name)
            | SetAction(name=name)
            | SetTransition(name=name)
            | SetStepTimeout(name=name)
            | SetRetry(name=name)
            | SetCritical(name=name)
        ):
            yield name
        case _:
            pass
