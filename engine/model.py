"""The nouns of a workflow as written: definition, states, actions, triggers, policy. Frozen, strict, and loadable as JSON.

The state-machine JSON that people already have is the canonical form and loads unchanged; everything else extends it.
A guard is written as a formula string in JSON and held as its syntax tree. Texts are kept byte for byte. This module
knows no service, no event and no execution: whether a method exists or a target can be reached is `engine.validate`'s
business, so a definition with such a mistake can still be loaded, shown and mended.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    StringConstraints,
    Tag,
    model_serializer,
    model_validator,
)

from engine.errors import ExpressionError
from engine.expressions import format_formula, parse_formula
from engine.formulas import Formula

MAX_STATES: Final = 200
MAX_NESTING: Final = 8
MAX_NAME: Final = 64
MAX_TEXT: Final = 4_000


class Frozen(BaseModel):
    """Base of every model: immutable, no unknown keys, no infinities."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        populate_by_name=True,
        arbitrary_types_allowed=True,
        defer_build=True,  # a definition builds them all; most starts need no other
    )


def _read_guard(value: object) -> object:
    if not isinstance(value, str):
        if value is not None and not isinstance(value, Formula):
            raise ValueError("a condition is written as a text")
        return value
    try:
        return parse_formula(value)
    except ExpressionError as error:
        raise ValueError(str(error)) from error  # so that the mistake is told together with its place


Guard: TypeAlias = Annotated[Formula, BeforeValidator(_read_guard), PlainSerializer(format_formula, return_type=str)]
Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
Text: TypeAlias = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=366 * 86_400)]
Period: TypeAlias = Annotated[float, Field(ge=1, le=366 * 86_400)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]
Params: TypeAlias = dict[str, JsonValue]
Role: TypeAlias = Literal["broadcaster", "moderator", "vip", "subscriber", "everyone"]


# Actions -----------------------------------------------------------------------------------------------------------


class _Kinded(Frozen):
    """An action kind; JSON names it in `kind`, except calls and waits, which have the older form."""

    kind: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _without_kind(cls, data: object) -> object:
        if isinstance(data, dict) and data.get("kind") == cls.kind:
            return {key: value for key, value in data.items() if key != "kind"}
        return data

    @model_serializer(mode="wrap")
    def _with_kind(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"kind": self.kind, **handler(self)}


class Call(_Kinded):
    """Ask a service to do something."""

    kind: ClassVar[str] = "call"
    service: Name
    method: Name
    params: Params = {}

    @model_serializer(mode="wrap")
    def _with_kind(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"service": self.service, "method": self.method, "params": self.params}


class Wait(_Kinded):
    """Rest for a time. In JSON: a call of `internal.wait` with `seconds`, a number or a template."""

    kind: ClassVar[str] = "wait"
    seconds: Seconds | Text

    @model_validator(mode="before")
    @classmethod
    def _from_call(cls, data: object) -> object:
        if not isinstance(data, dict) or "service" not in data:
            return data
        params = data.get("params")
        if (
            not isinstance(params, dict)
            or set(params) != {"seconds"}
            or set(data) - {"kind"} != {"service", "method", "params"}
        ):
            raise ValueError('a wait has the one param "seconds"')
        return {"seconds": params["seconds"]}

    @model_serializer(mode="wrap")
    def _with_kind(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"service": "internal", "method": "wait", "params": {"seconds": _plain(self.seconds)}}


class WaitFor(_Kinded):
    """Rest until an event comes; the state's `timeout_seconds` and `timeout` transition bound it."""

    kind: ClassVar[str] = "wait_for"
    event: Name
    when: Guard | None = None
    who: Text | None = None
    consume: bool = False


class Collect(_Kinded):
    """Gather events for a time, or until there are enough: giveaways, votes."""

    kind: ClassVar[str] = "collect"
    event: Name
    when: Guard | None = None
    seconds: Seconds | None = None
    count: Count | None = None
    once_per_user: bool = True
    weights: dict[str, Annotated[float, Field(ge=0, le=1_000)]] = {}
    consume: bool = False


class Block(Frozen):
    """States that belong to a larger one. Their names are unique in the whole definition."""

    initial_state: Name
    states: tuple["State", ...] = Field(min_length=1)


class Case(Frozen):
    """One way of a choice; without a guard it is the way otherwise taken."""

    when: Guard | None = None
    block: Block


class Choose(_Kinded):
    """Take the first case whose guard holds, or none."""

    kind: ClassVar[str] = "choose"
    cases: tuple[Case, ...] = Field(min_length=1)


class ParallelBranch(Frozen):
    """One of several blocks that run side by side; it starts when all it needs have ended well."""

    name: Name
    block: Block
    needs: tuple[Name, ...] = ()
    critical: bool = True


class Parallel(_Kinded):
    """Run blocks side by side and go on when all have ended, when any has, or at once."""

    kind: ClassVar[str] = "parallel"
    branches: tuple[ParallelBranch, ...] = Field(min_length=1)
    join: Literal["all", "any", "none"] = "all"


class Repeat(_Kinded):
    """Run a block a number of times, or while a guard holds."""

    kind: ClassVar[str] = "repeat"
    block: Block
    times: Count | Text | None = None
    while_: Guard | None = Field(default=None, alias="while")


class ForEach(_Kinded):
    """Run a block once for each item of a list; `variable` names the item."""

    kind: ClassVar[str] = "for_each"
    items: tuple[JsonValue, ...] | Text
    variable: Name
    block: Block


class Goto(_Kinded):
    """Go on at a state of the same block."""

    kind: ClassVar[str] = "goto"
    to: Name


class Run(_Kinded):
    """Run another workflow: inline and wait for it, or detached."""

    kind: ClassVar[str] = "run"
    workflow: Name
    arguments: Params = {}
    detached: bool = False


class Emit(_Kinded):
    """Let an event of our own happen; other workflows may react to it."""

    kind: ClassVar[str] = "emit"
    event: Name
    payload: Params = {}


class Set(_Kinded):
    """Set variables to values or templates."""

    kind: ClassVar[str] = "set"
    values: Params = Field(min_length=1)


class Transform(_Kinded):
    """Work out a formula; the result goes under the step's name, or under `into`."""

    kind: ClassVar[str] = "transform"
    formula: Guard
    into: Name | None = None


class Stop(_Kinded):
    """End this path well."""

    kind: ClassVar[str] = "stop"


def _kind_of(value: object) -> str | None:
    if isinstance(value, _Kinded):
        return value.kind
    if not isinstance(value, dict):
        return None
    kind = value.get("kind", "call")
    if kind == "call" and value.get("service") == "internal" and value.get("method") == "wait":
        return "wait"
    return kind if isinstance(kind, str) else None


Action: TypeAlias = Annotated[
    Annotated[Call, Tag("call")]
    | Annotated[Wait, Tag("wait")]
    | Annotated[WaitFor, Tag("wait_for")]
    | Annotated[Collect, Tag("collect")]
    | Annotated[Choose, Tag("choose")]
    | Annotated[Parallel, Tag("parallel")]
    | Annotated[Repeat, Tag("repeat")]
    | Annotated[ForEach, Tag("for_each")]
    | Annotated[Goto, Tag("goto")]
    | Annotated[Run, Tag("run")]
    | Annotated[Emit, Tag("emit")]
    | Annotated[Set, Tag("set")]
    | Annotated[Transform, Tag("transform")]
    | Annotated[Stop, Tag("stop")],
    Discriminator(_kind_of),
]


# States ------------------------------------------------------------------------------------------------------------


class Way(Frozen):
    """A guarded target; without a guard it always holds."""

    when: Guard | None = None
    to: Name


Target: TypeAlias = Name | Annotated[tuple[Way, ...], Field(min_length=1)]


class Retry(Frozen):
    """How often and how soon a failed call is tried again. `max_attempts` counts all tries: "retry 3 times" is 4."""

    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    delay_seconds: Seconds = 1
    backoff: Annotated[float, Field(ge=1, le=10)] = 1
    max_delay_seconds: Seconds | None = None
    jitter: Annotated[float, Field(ge=0, le=1)] = 0
    on: tuple[Name, ...] = ()


class State(Frozen):
    """Where an execution rests, with one action; counted in chat it is a step."""

    name: Name
    action: Action
    transitions: dict[Name, Target] = {}
    timeout_seconds: Seconds | None = None
    retry: Retry | None = None
    critical: bool = True
    enabled: bool = True
    description: Text | None = None

    @model_serializer(mode="wrap")
    def _always_with_transitions(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data = cast("dict[str, Any]", handler(self))
        return {
            "name": data.pop("name"),
            "action": data.pop("action"),
            "transitions": data.pop("transitions", {}),
            **data,
        }


# Triggers, policy, variables ------------------------------------------------------------------------------------------


class Trigger(Frozen):
    """What starts an execution. In JSON just the event's name if there is nothing else to say.

    Times are said in one of three ways: `schedule`, a cron line of five fields; `every_seconds`, with `every_most_seconds`
    a random length between the two each time; `at`, one local date and time. `zone` is the community's unless said.
    `only_live` holds any start back, `min_lines`, the chat lines since it last ran, one by the clock.
    """

    on: Name
    when: Guard | None = None
    schedule: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    every_seconds: Period | None = None
    every_most_seconds: Period | None = None
    at: Annotated[str, StringConstraints(pattern=r"^20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d$")] | None = None
    zone: Name | None = None
    only_live: bool = False
    min_lines: Count | None = None
    cooldown_seconds: Seconds | None = None
    own_messages: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, data: object) -> object:
        return {"on": data} if isinstance(data, str) else data

    @model_serializer(mode="wrap")
    def _as_name_if_bare(self, handler: SerializerFunctionWrapHandler) -> Any:
        data = cast("dict[str, Any]", handler(self))
        bare = {key: value for key, value in data.items() if value is not None and value is not False}
        return self.on if set(bare) == {"on"} else bare


class Cooldown(Frozen):
    """The least time between two starts, for all or per key."""

    seconds: Seconds
    per: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None


class Rate(Frozen):
    """At most `count` starts in any `seconds`."""

    count: Count
    seconds: Annotated[float, Field(gt=0, le=366 * 86_400)]


class QuietHours(Frozen):
    """No starts between two clock times, written 22:00, in the community's zone; may cross midnight."""

    start: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    end: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Policy(Frozen):
    """When a start is let in, how runs share the stage, and who may do what."""

    mode: Literal["single", "restart", "queued", "parallel"] | None = None
    max: Count | None = None
    key: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    group: Name | None = None
    cooldown: Cooldown | None = None
    rate: Rate | None = None
    once_per_user: bool = False
    only_live: bool = False
    quiet_hours: QuietHours | None = None
    exempt: tuple[Role, ...] = ()
    may_run: tuple[Role, ...] | None = None
    may_edit: tuple[Role, ...] | None = None
    missed: Literal["skip", "once", "all"] | None = None
    late_seconds: Seconds | None = None


class VariableDeclaration(Frozen):
    """A default, or an input that a start must bring. In JSON a bare text, number, boolean or list is the default."""

    default: JsonValue = None
    type: Literal["text", "number", "boolean", "list"] | None = None
    required: bool = False
    description: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_default(cls, data: object) -> object:
        return {"default": data} if isinstance(data, str | int | float | list) else data


class Definition(Frozen):
    """A workflow as written. Its revision number belongs to the store, not to it."""

    id: Name
    name: Name
    description: Text | None = None
    initial_state: Name
    states: Annotated[tuple[State, ...], Field(min_length=1, max_length=MAX_STATES)]
    triggers: tuple[Trigger, ...] = ()
    version: Annotated[str, StringConstraints(max_length=32)] | None = None
    tags: tuple[Name, ...] = ()
    on_error: Name | None = None
    timeout_seconds: Seconds | None = None
    max_loop_iterations: Count | None = None
    policy: Policy = Policy()
    variables: dict[Name, VariableDeclaration] = {}

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Definition":
        seen: set[str] = set()
        count = 0
        for state in all_states(self.states):
            count += 1
            if state.name in seen:
                raise ValueError(f'two states are named "{state.name}"; every name may be used once')
            seen.add(state.name)
        if count > MAX_STATES:
            raise ValueError(f"a workflow may have {MAX_STATES} states; this one has {count}")
        if self.initial_state not in {state.name for state in self.states}:
            raise ValueError(f'initial_state "{self.initial_state}" is not one of the states')
        return self

    def state(self, name: str) -> State:
        """The state of that name, nested ones too.

        Raises:
            KeyError: There is none.
        """
        for state in all_states(self.states):
            if state.name == name:
                return state
        raise KeyError(name)


_OWNING: Final = frozenset(("choose", "parallel", "repeat", "for_each"))


def blocks(action: Action) -> tuple[Block, ...]:
    """The blocks an action owns, in order."""
    if action.kind not in _OWNING:
        return ()  # most own none, and to ask each class whether it is one takes ten times as long
    match action:
        case Choose():
            return tuple(case.block for case in action.cases)
        case Parallel():
            return tuple(branch.block for branch in action.branches)
        case Repeat() | ForEach():
            return (action.block,)
        case _:
            return ()


def destinations(target: Target | None) -> tuple[str, ...]:
    """Every state that a target may lead to, whatever its guards say."""
    if target is None:
        return ()
    return (target,) if isinstance(target, str) else tuple(way.to for way in target)


def all_states(states: tuple[State, ...]) -> Iterator[State]:
    """Every state in the order it is written, nested ones after their owner."""
    for state in states:
        yield state
        for block in blocks(state.action):
            yield from all_states(block.states)


def _plain(number: float | str) -> float | int | str:
    return int(number) if isinstance(number, float) and number.is_integer() else number


def to_json(definition: Definition) -> dict[str, JsonValue]:
    """The canonical JSON of a definition: what it says, without defaults it does not."""
    return definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
