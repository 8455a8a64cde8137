"""Changes to a definition as data, and what each does to the graph.

An edit names states, never places that could have moved: references such as "the second wait" have been resolved before.
`apply` is pure: it returns the new definition or says in one sentence why the edit does not fit. Names of new steps are
given by whoever makes the edit (`engine.names`), so applying it twice to the same definition gives the same result.
"""

from dataclasses import dataclass
from typing import TypeAlias

from engine.model import Action, Definition, Policy, Retry, State, Target, Trigger, VariableDeclaration


@dataclass(frozen=True, slots=True)
class InsertSteps:
    """Put new states in a row so that the first one becomes step `at` (1-based) of the outermost states.

    The new states are linked to each other by `success` where they say nothing themselves. The step before them loses
    its edge to the next step to the first new one, and the last new one takes that edge over. At the start, the first
    new state becomes the initial one and the last leads to the old initial one.
    """

    at: int
    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class RemoveSteps:
    """Take states out; edges to them go to their own success target, however many of these are removed together."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MoveStep:
    """Take a state out as `RemoveSteps` does and put it in as `InsertSteps` does; `at` is the number it will have."""

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
    raise NotImplementedError
