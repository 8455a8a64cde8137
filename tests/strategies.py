"""Anything a definition can be, and any edit that fits one: drawn from the model's own types.

Definitions have any graph (back edges, unreachable states, custom events, guard lists), every action kind nested up to
three deep, and names and texts with quotes, line breaks, braces and command words. `DRAWN` says which fields and union
members a test has to have seen.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from hypothesis import strategies as st

from bot.services.declared import DECLARATIONS
from engine import edits, formulas
from engine.declare import Method
from engine.events import TYPES
from engine.formulas import FUNCTIONS, Formula
from engine.model import (
    Action,
    Block,
    Call,
    Case,
    Choose,
    Collect,
    Cooldown,
    Definition,
    Emit,
    ForEach,
    Goto,
    Parallel,
    ParallelBranch,
    Policy,
    QuietHours,
    Rate,
    Repeat,
    Retry,
    Run,
    Set,
    State,
    Stop,
    Transform,
    Trigger,
    VariableDeclaration,
    Wait,
    WaitFor,
    Way,
    all_states,
)

Draw = Callable[[st.SearchStrategy[Any]], Any]
_Value = TypeVar("_Value")

YEAR = 366 * 86_400
COMMAND_WORDS = (
    "say hi", "then", "then stop", "(then stop)", "wait 5 minutes", "go to step", "never reached:", "otherwise", "when",
    "step 2", "in raid", "; ", " · ", "->", "if it fails", "undo", "stop", "#general", "!lurk", "@ninja", "key=value",
    "${user}", "$${user}", "{user}", "\\{user}", "{", "}", "\\", "\\n", '"', '\\"', "“x”", "[x]", "]", ")", "(", "null", "1.", "# not a comment",
)  # fmt: skip
CHARACTERS = st.characters(exclude_categories=("Cs",))


@cache
def texts(limit: int = 60) -> st.SearchStrategy[str]:
    """Texts as people and troublemakers type them."""
    pieces = st.one_of(
        st.sampled_from(COMMAND_WORDS),
        st.text(st.sampled_from("abc ,.'\n\r\t\"{}()\u2028\u200b\u00a0é🚩"), max_size=8),
        st.text(CHARACTERS, max_size=8),
    )
    return st.lists(pieces, max_size=4).map(lambda parts: "".join(parts)[:limit])


@cache
def names(limit: int = 64) -> st.SearchStrategy[str]:
    """Names of states, workflows, variables: mostly plain, sometimes anything."""
    plain = st.sampled_from(
        (
            "say",
            "say_2",
            "say_3",
            "wait",
            "wait_2",
            "scene",
            "a",
            "step",
            "handle error",
            "then",
            "x-1",
            "stop",
            "2",
            " b ",
        )
    )
    return st.one_of(plain, plain, texts(limit)).filter(bool).map(lambda name: name[:limit])


@cache
def numbers() -> st.SearchStrategy[float | int]:
    return st.one_of(
        st.integers(-(2**53), 2**53),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from((0, 1, 0.1, -0.5)),
    )


@cache
def seconds(least: float = 0) -> st.SearchStrategy[float]:
    return st.one_of(
        st.integers(max(1, int(least)), YEAR).map(float),
        st.sampled_from((1.0, 30.0, 60.0, 90.0, 3_600.0, 86_400.0)),
        st.floats(least, YEAR, allow_nan=False),
    ).filter(lambda value: value >= least)


@cache
def json_values() -> st.SearchStrategy[Any]:
    leaves = st.one_of(st.none(), st.booleans(), numbers(), texts(30))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(texts(12), inner, max_size=2)),
        max_leaves=4,
    )


@cache
def params() -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(texts(16), json_values(), max_size=3)


# Formulas ---------------------------------------------------------------------------------------------------------------

PATHS = ("viewers", "user", "user.roles", "reply.user", "command", "bits", "and", "count", "x1")


@cache
def formula_leaves() -> st.SearchStrategy[Formula]:
    values = st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**63), texts(16), st.sampled_from((0.5, -2.25, 1e20))
    )
    return st.one_of(values.map(formulas.Literal), st.sampled_from(PATHS).map(formulas.Variable))


def _compound(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    two = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(formulas.Compare, st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), inner, inner),
        st.builds(
            formulas.TextTest, st.sampled_from(("contains", "starts with", "ends with", "matches")), inner, inner
        ),
        st.builds(formulas.IsOneOf, inner, two),
        st.builds(formulas.IsEmpty, inner),
        st.builds(formulas.Between, inner, inner, inner),
        st.builds(formulas.And, two),
        st.builds(formulas.Or, two),
        st.builds(formulas.Not, inner),
        st.builds(formulas.Arithmetic, st.sampled_from("+-*/%"), inner, inner),
        inner.filter(lambda value: not isinstance(value, formulas.Literal)).map(formulas.Negate),
        st.builds(formulas.Call, st.sampled_from(sorted(FUNCTIONS)), two),
    )


@cache
def guards() -> st.SearchStrategy[Formula]:
    return st.recursive(formula_leaves(), _compound, max_leaves=4)


@cache
def maybe(strategy: st.SearchStrategy[_Value]) -> st.SearchStrategy[_Value | None]:
    return st.one_of(st.none(), st.none(), strategy)


# Actions ----------------------------------------------------------------------------------------------------------------

METHODS = tuple(DECLARATIONS)


@cache
def _param_value(kind: str) -> st.SearchStrategy[Any]:
    match kind:
        case "seconds":
            return st.one_of(seconds(), st.integers(0, 5_000), texts(12), st.booleans())
        case "number":
            return numbers()
        case "boolean":
            return st.booleans()
        case "user":
            return st.one_of(st.just("${user}"), st.just("ninja"), texts(12))
        case "channel":
            return st.one_of(st.just("general"), st.just("${discord.channel}"), texts(12))
        case _:
            return texts()


@cache
@st.composite
def declared_calls(draw: Draw) -> Call:
    """Calls of methods that are declared, their params mostly as declared."""
    method: Method = draw(st.sampled_from(METHODS))
    given_params: dict[str, Any] = {}
    for param in method.params:
        if param.required or draw(st.booleans()):
            given_params[param.name] = draw(
                st.one_of(_param_value(param.type), _param_value(param.type), json_values())
            )
    if method.fixed and draw(st.booleans()):
        index = draw(st.sampled_from(sorted(method.fixed)))
        slots = {param.name for param in method.params if f"{{{param.name}}}" in method.phrases[index]}
        given_params = {**{n: v for n, v in given_params.items() if n in slots}, **method.fixed[index]}
    name = draw(st.sampled_from((method.name, method.name, *method.aliases)))
    return Call(service=method.service, method=name, params=given_params)


@cache
def calls() -> st.SearchStrategy[Call]:
    other = st.builds(Call, service=names(), method=names(), params=params())
    known = declared_calls()
    return st.one_of(known, known, known, other).filter(
        lambda call: (call.service, call.method) != ("internal", "wait")
    )


@cache
def aimless_actions() -> st.SearchStrategy[Action]:
    """Every kind without states of its own, but `goto`."""
    event = st.one_of(st.sampled_from([kind.name for kind in TYPES]), names())
    return st.one_of(
        calls(),
        st.builds(Wait, seconds=st.one_of(seconds(), texts())),
        calls(),
        st.builds(WaitFor, event=event, when=maybe(guards()), who=maybe(texts()), consume=st.booleans()),
        st.builds(
            Collect,
            event=event,
            when=maybe(guards()),
            seconds=maybe(seconds()),
            count=maybe(st.integers(1, 1_000_000)),
            once_per_user=st.booleans(),
            weights=st.dictionaries(texts(10), st.floats(0, 1_000, allow_nan=False), max_size=2),
            consume=st.booleans(),
        ),
        st.builds(Run, workflow=names(), arguments=params(), detached=st.booleans()),
        st.builds(Emit, event=names(), payload=params()),
        st.builds(Set, values=st.dictionaries(texts(10), json_values(), min_size=1, max_size=2)),
        st.builds(Transform, formula=guards(), into=maybe(names())),
        st.builds(Stop),
    )


def plain_action(draw: Draw, targets: list[str]) -> Action:
    """Any action without states of its own."""
    if draw(st.integers(0, 8)) == 0:
        return Goto(to=one_of_or_other(draw, targets))
    action: Action = draw(aimless_actions())
    return action


def one_of_or_other(draw: Draw, possible: list[str]) -> str:
    """Mostly a state that is there."""
    choice = draw(st.integers(0, len(possible)))
    name: str = possible[choice] if choice < len(possible) else draw(names())
    return name


class Names:
    """Hands out names that no state has yet."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self.taken: set[str] = set()

    def next(self) -> str:
        name: str = self._draw(names(60))
        base, count = name, 2
        while name in self.taken:
            name = f"{base}_{count}"
            count += 1
        self.taken.add(name)
        return name


def _action(draw: Draw, pool: Names, targets: list[str], depth: int) -> Action:
    kind = draw(st.integers(0, 11)) if depth else 11
    match kind:
        case 0:
            cases = tuple(
                Case(when=draw(maybe(guards())), block=_block(draw, pool, depth))
                for _ in range(draw(st.integers(1, 2)))
            )
            return Choose(cases=cases)
        case 1:
            return Parallel(
                branches=tuple(
                    ParallelBranch(
                        name=draw(st.one_of(st.just(f"branch_{number}"), names())),
                        block=_block(draw, pool, depth),
                        needs=draw(st.one_of(st.just(()), st.lists(names(), max_size=1).map(tuple))),
                        critical=draw(st.sampled_from((True, True, False))),
                    )
                    for number in range(1, 1 + draw(st.integers(1, 2)))
                ),
                join=draw(st.sampled_from(("all", "any", "none"))),
            )
        case 2:
            return Repeat(
                block=_block(draw, pool, depth),
                times=draw(st.one_of(st.none(), st.integers(1, 1_000_000), texts())),
                while_=draw(maybe(guards())),
            )
        case 3:
            return ForEach(
                items=draw(st.one_of(texts(), st.lists(json_values(), max_size=2).map(tuple))),
                variable=draw(names()),
                block=_block(draw, pool, depth),
            )
        case _:
            return plain_action(draw, targets)


def _block(draw: Draw, pool: Names, depth: int) -> Block:
    states = _states(draw, pool, depth - 1, draw(st.integers(1, 2)))
    return Block(initial_state=draw(st.sampled_from([state.name for state in states])), states=states)


def target_of(draw: Draw, possible: list[str]) -> Any:
    """A name, or guarded ways."""
    if draw(st.booleans()):
        return one_of_or_other(draw, possible)
    return tuple(
        Way(when=draw(maybe(guards())), to=one_of_or_other(draw, possible)) for _ in range(draw(st.integers(1, 3)))
    )


@cache
def retries() -> st.SearchStrategy[Retry]:
    return st.one_of(
        st.builds(Retry, max_attempts=st.integers(1, 100)),
        st.builds(Retry, max_attempts=st.integers(1, 100), delay_seconds=seconds()),
        st.builds(
            Retry,
            max_attempts=st.integers(1, 100),
            delay_seconds=seconds(),
            backoff=st.floats(1, 10),
            max_delay_seconds=maybe(seconds()),
            jitter=st.floats(0, 1),
            on=st.lists(names(), max_size=2).map(tuple),
        ),
    )


def _states(draw: Draw, pool: Names, depth: int, count: int) -> tuple[State, ...]:
    own = [pool.next() for _ in range(count)]
    return tuple(_state(draw, pool, name, own, place, depth) for place, name in enumerate(own))


def _state(draw: Draw, pool: Names, name: str, own: list[str], place: int, depth: int) -> State:
    transitions: dict[str, Any] = {}
    flow = draw(st.integers(0, 3))
    if flow <= 1 and place + 1 < len(own):
        transitions["success"] = own[place + 1]
    elif flow == 2:
        transitions["success"] = target_of(draw, own)
    events = st.one_of(st.sampled_from(("error", "timeout", "cancel", "unknown")), names())
    for event in draw(st.lists(events, max_size=2, unique=True)):
        transitions.setdefault(event, target_of(draw, own))
    plain = draw(st.booleans())
    return State(
        name=name,
        action=_action(draw, pool, own, depth),
        transitions=transitions,
        timeout_seconds=None if plain else draw(maybe(seconds())),
        retry=None if plain else draw(maybe(retries())),
        critical=plain or draw(st.booleans()),
        enabled=plain or draw(st.booleans()),
        description=None if plain else draw(maybe(texts())),
    )


# The rest of a definition ------------------------------------------------------------------------------------------------


@cache
@st.composite
def triggers(draw: Draw) -> Trigger:
    kind = draw(st.sampled_from(TYPES))
    on = draw(st.one_of(st.sampled_from((kind.name, kind.name, *kind.aliases)), names()))
    measured = formulas.Compare(
        draw(st.sampled_from(("==", "!=", "<", "<=", ">", ">="))),
        formulas.Variable(kind.measure or draw(st.sampled_from(("command", "reward", "category")))),
        formulas.Literal(
            draw(st.one_of(st.integers(-3, 900), st.sampled_from(("!lurk", "!Lurk", "Hydrate", "")), texts(12)))
        ),
    )
    when = draw(st.one_of(st.none(), st.just(measured), guards()))
    plain = draw(st.booleans())
    return Trigger(
        on=on,
        when=when,
        schedule=draw(
            maybe(
                st.one_of(
                    st.sampled_from(("30 19 * * 2,4", "0 0 * * *", "*/5 * * * *", "5 7 * * 1-5", "05 7 * * 1")),
                    texts(20).filter(bool),
                )
            )
        ),
        every_seconds=draw(maybe(seconds(1))),
        every_most_seconds=draw(maybe(seconds(1))),
        at=draw(maybe(moments())),
        zone=None if plain else draw(maybe(names())),
        only_live=draw(st.booleans()),
        min_lines=draw(maybe(st.integers(1, 1_000_000))),
        cooldown_seconds=None if plain else draw(maybe(seconds())),
        own_messages=not plain and draw(st.booleans()),
    )


@cache
def moments() -> st.SearchStrategy[str]:
    """Dates and times as `Trigger.at` writes them; a few are in no calendar."""
    years, months = st.integers(2000, 2099), st.integers(0, 19)
    return st.builds(
        lambda year, month, day, hour, minute: f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}",
        years,
        months,
        st.integers(0, 39),
        st.integers(0, 29),
        st.integers(0, 59),
    )


ROLES = st.lists(st.sampled_from(("broadcaster", "moderator", "vip", "subscriber", "everyone")), max_size=2).map(tuple)
KEYS = texts(20).filter(bool)


@cache
def policies() -> st.SearchStrategy[Policy]:
    clock = st.builds(lambda hour, minute: f"{hour:02}:{minute:02}", st.integers(0, 23), st.integers(0, 59))
    return st.builds(
        Policy,
        mode=maybe(st.sampled_from(("single", "restart", "queued", "parallel"))),
        max=maybe(st.integers(1, 1_000_000)),
        key=maybe(KEYS),
        group=maybe(names()),
        cooldown=maybe(st.builds(Cooldown, seconds=seconds(), per=maybe(KEYS))),
        rate=maybe(st.builds(Rate, count=st.integers(1, 1_000_000), seconds=seconds(1))),
        once_per_user=st.booleans(),
        only_live=st.booleans(),
        quiet_hours=maybe(st.builds(QuietHours, start=clock, end=clock)),
        exempt=ROLES,
        may_run=maybe(ROLES),
        may_edit=maybe(ROLES),
        missed=maybe(st.sampled_from(("skip", "once", "all"))),
        late_seconds=maybe(seconds()),
    )


@cache
def variables() -> st.SearchStrategy[VariableDeclaration]:
    return st.builds(
        VariableDeclaration,
        default=json_values(),
        type=maybe(st.sampled_from(("text", "number", "boolean", "list"))),
        required=st.booleans(),
        description=maybe(texts()),
    )


@st.composite
def definitions(draw: Draw, depth: int = 3, states: int = 4) -> Definition:
    """Any valid definition."""
    pool = Names(draw)
    made = _states(draw, pool, depth, draw(st.integers(1, states)))
    own = [state.name for state in made]
    name = draw(names())
    plain = draw(st.booleans())
    return Definition(
        id=draw(st.one_of(st.just(name.lower().replace(" ", "_")[:64]), names())),
        name=name,
        description=draw(maybe(texts())),
        initial_state=draw(st.one_of(st.just(own[0]), st.sampled_from(own))),
        states=made,
        triggers=draw(st.lists(triggers(), max_size=2).map(tuple)),
        version=draw(maybe(texts(32))),
        tags=draw(st.lists(names(), max_size=2).map(tuple)),
        on_error=draw(maybe(st.one_of(st.sampled_from(own), names()))),
        timeout_seconds=draw(maybe(seconds())),
        max_loop_iterations=draw(maybe(st.integers(1, 1_000_000))),
        policy=Policy() if plain else draw(policies()),
        variables={} if plain else draw(st.dictionaries(names(), variables(), max_size=2)),
    )


# Edits ------------------------------------------------------------------------------------------------------------------


def new_states(draw: Draw, definition: Definition, most: int = 2) -> tuple[State, ...]:
    """States that can be put into a definition: names of their own, without edges; some hold others."""
    pool = Names(draw)
    pool.taken = {state.name for state in all_states(definition.states)}
    own = [pool.next() for _ in range(draw(st.integers(1, most)))]
    return tuple(State(name=name, action=_action(draw, pool, own, depth=1)) for name in own)


@st.composite
def edits_of(draw: Draw, definition: Definition) -> edits.Edit:  # noqa: C901  one line per member of a closed union
    """Any edit that fits a definition, of any type."""
    own = [state.name for state in definition.states]
    name = draw(st.sampled_from(own))
    kind = draw(st.sampled_from(EDIT_TYPES))
    if len(own) == 1 and kind in (edits.RemoveSteps, edits.SwapSteps, edits.MoveStep):
        kind = edits.SetAction
    match kind:
        case edits.InsertSteps:
            return edits.InsertSteps(draw(st.integers(1, len(own) + 1)), new_states(draw, definition))
        case edits.RemoveSteps:
            gone = draw(st.lists(st.sampled_from(own), min_size=1, max_size=len(own) - 1, unique=True))
            return edits.RemoveSteps(tuple(step for step in own if step in gone))
        case edits.MoveStep:
            return edits.MoveStep(name, draw(st.integers(1, len(own))))
        case edits.SwapSteps:
            other = draw(st.sampled_from([step for step in own if step != name]))
            return edits.SwapSteps(name, other)
        case edits.SetAction:
            pool = Names(draw)
            pool.taken = {state.name for state in all_states(definition.states)}
            return edits.SetAction(name, _action(draw, pool, own, depth=1))
        case edits.ReplaceStep:
            return edits.ReplaceStep(name, new_states(draw, definition))
        case edits.SetTransition:
            event = draw(st.one_of(st.sampled_from(("success", "error", "timeout", "cancel", "unknown")), names()))
            ways = tuple(Way(when=draw(maybe(guards())), to=draw(st.sampled_from(own))) for _ in range(2))
            return edits.SetTransition(name, event, draw(st.sampled_from((None, own[0], name, ways))))
        case edits.SetStepTimeout:
            return edits.SetStepTimeout(name, draw(maybe(seconds())))
        case edits.SetRetry:
            return edits.SetRetry(name, draw(maybe(retries())))
        case edits.SetCritical:
            return edits.SetCritical(name, draw(st.booleans()))
        case edits.AddTrigger:
            return edits.AddTrigger(draw(triggers()))
        case edits.RemoveTrigger:
            return edits.RemoveTrigger(
                draw(st.sampled_from(definition.triggers)) if definition.triggers else draw(triggers())
            )
        case edits.SetTriggers:
            return edits.SetTriggers(draw(st.lists(triggers(), max_size=2).map(tuple)))
        case edits.SetName:
            return edits.SetName(draw(names()))
        case edits.SetDescription:
            return edits.SetDescription(draw(maybe(texts())))
        case edits.SetTags:
            return edits.SetTags(draw(st.lists(names(), max_size=2).map(tuple)))
        case edits.SetPolicy:
            return edits.SetPolicy(draw(policies()))
        case edits.SetVariable:
            known = st.sampled_from(sorted(definition.variables)) if definition.variables else names()
            declaration = draw(maybe(variables()))
            return edits.SetVariable(draw(known if declaration is None else names()), declaration)
        case edits.SetOnError:
            return edits.SetOnError(draw(maybe(st.sampled_from(own))))
        case edits.Handle:
            if draw(st.booleans()):
                return edits.Handle(new_states(draw, definition))
            event = draw(st.one_of(st.sampled_from(("error", "timeout", "success")), names()))
            return edits.Handle(new_states(draw, definition), name, event)
        case edits.SetVersion:
            return edits.SetVersion(draw(maybe(texts(32))))
        case edits.SetStart:
            return edits.SetStart(name)
        case edits.SetMaxRounds:
            return edits.SetMaxRounds(draw(maybe(st.integers(1, 1_000_000))))
        case edits.SetTimeout:
            return edits.SetTimeout(draw(maybe(seconds())))
        case other:
            raise AssertionError(other)


EDIT_TYPES = tuple(edits.Edit.__args__)
