"""The sieve lets through every guard that holds: what it finds is what working out every guard would, whatever the values."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.context import Context, event_scope
from engine.errors import EvaluationError
from engine.evaluate import compile_guard
from engine.events import Event, canonical
from engine.expressions import parse_formula
from engine.formulas import And, Between, Compare, Formula, IsOneOf, Literal, Or, TextTest, Variable
from engine.model import Definition
from engine.needs import RangeNeed, TextNeed, cheapest_first, needs
from engine.scope import Scope
from engine.secrets import Secret
from engine.sieve import Sieve
from engine.triggers import TriggerIndex
from tests.fakes import look, workflow
from tests.strategies import guards as any_guards

# Few words and few numbers, so that what is asked for and what is there meet; some fold, some are no whole characters.
TEXTS = st.sampled_from(
    (*("gg", "GG", "gg wp", "g", "", "!lurk", "!Lurk", "straße", "STRASSE", "ss", "İ", "i̇", "5", "5.0", " 5", "true", "\0", "a\nb"),
    *("\ud800", "ſ", "k", "\u212a", "vip", "(", "[", "a.b", "a+b", "bob", "x" * 600))
)  # fmt: skip
PATTERNS = st.sampled_from(
    ("gg", r"\bgg\b", "^gg$", "(?i)G", "", "(", "s+", r"\x00", "x{400}", "(?-i)GG", "(?s)a.b", "[k-m]", "z" * 501)
)
NUMBERS = st.sampled_from((0, 1, 5, 5.0, 5.5, -1, 2**63, 10**30, 1e20))
PATHS = (
    "message",
    "command",
    "words",
    "user",
    "user.name",
    "user.roles",
    "data.deaths",
    "data.a.b",
    "stream.live",
    "late",
)
PATHS += ("event.message", "config.key", "stream.viewers", "deaths", "date", "caller.roles", "clock.x")

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, TEXTS, st.just(float("nan")), st.just(Secret("key", "gg"))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(TEXTS, max_size=3),
        st.lists(inner, max_size=2).map(tuple),
        st.fixed_dictionaries({"name": st.one_of(TEXTS, st.just(5))}, optional={"roles": st.lists(TEXTS, max_size=2)}),
        st.dictionaries(st.sampled_from(("b", "live", "viewers")), inner, max_size=2),
    ),
    max_leaves=4,
)
VARIABLES = st.sampled_from(PATHS).map(Variable)
WRITTEN = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none()).map(Literal)
SIGNS = st.sampled_from(("==", "==", "!=", "<", "<=", ">", ">="))
TESTS = st.sampled_from(("contains", "contains", "starts with", "ends with"))


def _tests() -> st.SearchStrategy[Formula]:
    """Guards that a need can be read off, and some that look like them."""
    return st.one_of(
        st.builds(Compare, SIGNS, VARIABLES, WRITTEN),
        st.builds(Compare, SIGNS, WRITTEN, VARIABLES),
        st.builds(TextTest, TESTS, VARIABLES, WRITTEN),
        st.builds(TextTest, st.just("matches"), VARIABLES, PATTERNS.map(Literal)),
        st.builds(TextTest, TESTS, WRITTEN, VARIABLES),
        st.builds(IsOneOf, VARIABLES, st.lists(WRITTEN, min_size=1, max_size=3).map(tuple)),
        st.builds(Between, VARIABLES, NUMBERS.map(Literal), NUMBERS.map(Literal)),
        WRITTEN,
        VARIABLES,
    )


def _joined(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several))


GUARDS = st.one_of(st.recursive(_tests(), _joined, max_leaves=5), any_guards())


@st.composite
def surroundings(draw: Any) -> dict[str, Any]:
    def tree(*names: str) -> dict[str, Any]:
        return draw(st.dictionaries(st.sampled_from(names), VALUES, max_size=3))

    return {
        "config": tree("key", "message", "deaths"),
        "data": tree("deaths", "a", "a.b", "message", "command"),
        "stream": tree("live", "viewers", "words"),
    }


@st.composite
def events(draw: Any) -> Event:
    payload = draw(
        st.dictionaries(st.sampled_from(("message", "command", "words", "user", "deaths")), VALUES, max_size=5)
    )
    name = draw(st.sampled_from(("message.received", "message", "raid.received")))
    return Event("e", name, draw(st.sampled_from((1_000.0, 1e18))), "home", payload, own=draw(st.booleans()))


def holds(guard: Formula | None, scope: Scope) -> bool:
    try:
        return guard is None or compile_guard(guard)(scope)
    except EvaluationError:
        return False


@settings(max_examples=60, deadline=None)
@given(st.lists(GUARDS, min_size=1, max_size=6), st.lists(st.tuples(events(), surroundings()), min_size=1, max_size=4))
@example([parse_formula("1 / words > 0 or words == 0")], [(Event("e", "x", 1.0, "home", {"words": 0}), {})])
@example([parse_formula("clock.x > 5")], [(Event("e", "x", 1e18, "home", {}), {})])
def test_a_guard_that_is_left_out_does_not_hold(
    written: list[Formula], happened: list[tuple[Event, dict[str, Any]]]
) -> None:
    sieve = Sieve([needs(guard) for guard in written])
    for event, around in happened:
        scope = event_scope(event, Context(**around))
        found = sieve.places(scope)
        assert found == sorted(set(found))
        assert {place for place, guard in enumerate(written) if holds(guard, scope)} <= set(found)


@settings(max_examples=40, deadline=None)
@given(GUARDS, events(), surroundings())
def test_the_order_of_a_conjunction_does_not_change_whether_it_holds(
    guard: Formula, event: Event, around: dict[str, Any]
) -> None:
    scope = event_scope(event, Context(**around))
    assert holds(cheapest_first(guard), scope) == holds(guard, scope)


@st.composite
def definitions(draw: Any) -> list[Definition]:
    made = []
    for number in range(draw(st.integers(1, 5))):
        triggers = [
            {
                "on": draw(st.sampled_from(("message", "message.received", "Chat", "raid"))),
                "when": draw(st.one_of(st.none(), GUARDS)),
                "own_messages": draw(st.booleans()),
            }
            for _ in range(draw(st.integers(0, 3)))
        ]
        made.append(workflow(f"w{number}", look("l"), triggers=triggers))
    return made


def by_hand(written: list[Definition], event: Event, scope: Scope) -> list[str]:
    """The workflows that take an event, by working out every guard of every trigger."""
    return [
        definition.id
        for definition in written
        if any(
            canonical(trigger.on) == canonical(event.name)
            and (trigger.own_messages or not event.own)
            and holds(trigger.when, scope)
            for trigger in definition.triggers
        )
    ]


@settings(max_examples=40, deadline=None)
@given(
    definitions(), definitions(), st.sets(st.integers(0, 4)), st.lists(events(), min_size=1, max_size=3), surroundings()
)
def test_the_index_finds_what_working_out_every_guard_would_also_after_changes(
    written: list[Definition],
    rewritten: list[Definition],
    removed: set[int],
    happened: list[Event],
    around: dict[str, Any],
) -> None:
    index = TriggerIndex()
    stands = {definition.id: definition for definition in written}
    for definition in written:
        index.put(definition.id, definition)
    _same(index, list(stands.values()), happened, around)
    for definition in rewritten:  # what is there already keeps its place
        stands[definition.id] = definition
        index.put(definition.id, definition)
    _same(index, list(stands.values()), happened, around)
    for number in removed:
        stands.pop(f"w{number}", None)
        index.remove(f"w{number}")
    _same(index, list(stands.values()), happened, around)


def _same(index: TriggerIndex, written: list[Definition], happened: list[Event], around: dict[str, Any]) -> None:
    for event in happened:
        scope = event_scope(event, Context(**around))
        matches = index.match(event, scope)
        taken = by_hand(written, event, scope)
        assert [match.workflow for match in matches.held] == taken
        answers = matches.all()
        assert [match.workflow for match in answers if match.reason is None] == taken
        assert [match for match in answers if match.reason is not None] == list(matches.unheld())
        order = [definition.id for definition in written]
        assert [match.workflow for match in answers] == sorted((each.workflow for each in answers), key=order.index)


def test_a_counter_that_changes_in_place_is_seen() -> None:
    sieve = Sieve([needs(parse_formula("data.deaths > 5")), needs(parse_formula("data.list == 1"))])
    data: dict[str, Any] = {"deaths": 5}
    scope = Scope(data=data)
    found = [sieve.places(scope)]
    for value in (6, 1_000_000, True, "7", None, [6], 6.5, 0):
        data["deaths"] = value
        found.append(sieve.places(scope))
    assert found == [[0], [0], [0], [0], [0], [], [0], [0], []]  # at 5 and for a list the guard itself decides
    changing: dict[str, Any] = {"name": "9"}
    data["deaths"] = changing
    assert sieve.places(scope) == [0]


@pytest.mark.parametrize(
    ("guard", "needed"),
    [
        ('command == "!lurk"', ((TextNeed("command", "is", "!lurk"),),)),
        ('"!lurk" == command and words > 1', ((TextNeed("command", "is", "!lurk"),),)),
        ('message contains "a" or message contains "b"', ((TextNeed("message", "contains", "a"), TextNeed("message", "contains", "b")),)),
        ("data.deaths >= 5", ((RangeNeed("data.deaths", 5, float("inf")),),)),
        ("5 < data.deaths", ((RangeNeed("data.deaths", 5, float("inf")),),)),
        ("5 > data.deaths", ((RangeNeed("data.deaths", float("-inf"), 5),),)),
        (
            'words > 3 and user.roles contains "vip"',
            ((TextNeed("user.roles", "contains", "vip"),), (RangeNeed("words", 3, float("inf")),)),
        ),
        ("words between 2 and 4", ((RangeNeed("words", 2, 4),),)),
        ('command is one of ("!a", 5)', ((TextNeed("command", "is", "!a"), RangeNeed("command", 5, 5)),)),
        ("false", ((),)),
        ('not message contains "a"', ()),
        ('message contains "a" or words', ()),
        ('message contains ""', ()),
        ("words != 1", ()),
        ("command == true", ()),
        ('lower(message) contains "a"', ()),
    ],
)  # fmt: skip
def test_what_a_guard_cannot_hold_without_is_read_off_it(guard: str, needed: Any) -> None:
    assert needs(parse_formula(guard)) == needed


@pytest.mark.parametrize(
    ("guard", "seen", "left"),
    [
        ('message contains "gg"', {"message": "good game"}, []),
        ('message contains "gg"', {"message": "GGs"}, [0]),
        ('message contains "vip"', {"message": ["vip", "mod"]}, [0]),
        ('message contains "vip"', {"message": ["vips"]}, []),
        ('message starts with "gg"', {"message": "so gg"}, []),
        ('message ends with "gg"', {"message": "so GG"}, [0]),
        ('message ends with "gg"', {"message": "gg\n"}, []),
        (r'message matches "\\bgg\\b"', {"message": "ggs"}, []),
        (r'message matches "\\bgg\\b"', {"message": "gg!"}, [0]),
        ('command == "!a"', {"command": "!b"}, []),
        ('command == "!a"', {"command": {"name": "!A"}}, [0]),
        ("words > 3 and message contains \"a\"", {"words": 2, "message": "a"}, []),
        ("words > 3", {"words": "4"}, [0]),
        ("words > 3", {"words": "four"}, []),
        ("words > 3", {}, []),
        ("data.deaths > 3", {}, []),
    ],
)  # fmt: skip
def test_guards_that_cannot_hold_are_not_worked_out(guard: str, seen: dict[str, Any], left: list[int]) -> None:
    sieve = Sieve([needs(parse_formula(guard))])
    assert sieve.places(event_scope(Event("e", "x", 1.0, "home", seen), Context())) == left


def test_more_texts_than_one_search_can_hold_are_still_found() -> None:
    written = [TextTest("contains", Variable("message"), Literal(f"{n:>900}")) for n in range(900)]
    sieve = Sieve([needs(guard) for guard in written])
    event = Event("e", "x", 1.0, "home", {"message": f"{'x':>900}{77:>900}"})
    assert 77 in sieve.places(event_scope(event, Context()))
