"""What a community keeps: every call as data in `data/`, and what holds for all of them.

> [key=value ...] method {params}   a call; chance and now may differ from the run's
{...}                               its result
! code message                      how it failed
key = value, owner/key = value      a changed row, as a template sees it
key gone                            a row that was taken away
"""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.config import tables_folder
from bot.services.declared import DECLARATIONS
from engine.context import Context, data_about, event_scope
from engine.data import DATA_METHODS, LIMITS, Kept, Limits, apply, forgotten
from engine.data.entries import Queue, Quote, Quotes, written
from engine.errors import StoreCorrupt
from engine.evaluate import compile_formula
from engine.events import Event
from engine.execution import Done, Failed, Result
from engine.expressions import parse_formula
from engine.formulas import MAX_INTEGER
from engine.model import Call
from engine.ports import Batch, DataRecord
from engine.secrets import Secret
from engine.storable import size_of
from grammar.instruction import Create, Understood
from grammar.language import Language
from grammar.workspace import Workspace
from storage.sqlite import SQLiteStore

HERE = Path(__file__).parent
CASES = [
    pytest.param(run, id=run["promise"])
    for file in sorted((HERE / "data").glob("*.toml"))
    for run in tomllib.loads(file.read_text(encoding="utf-8"))["run"]
]


@pytest.mark.parametrize("run", CASES)
def test_calls_come_to_exactly_this(run: dict[str, Any]) -> None:
    expected = [line.strip() for line in run["script"].strip().splitlines()]
    assert list(play(run, [line for line in expected if line.startswith(">")])) == expected


def play(run: dict[str, Any], calls: list[str]) -> Iterator[str]:
    kept = Kept("home")
    for call in calls:
        yield call
        words, _, params = call.removeprefix("> ").partition(" {")
        *options, method = words.split()
        given_ = {"now": 0.0, "chance": 0.5, **run, **dict(option.split("=") for option in options)}
        result, rows = apply(
            method,
            json.loads("{" + params),
            kept,
            now=float(given_["now"]),
            chance=float(given_["chance"]),
            by=run.get("by", ""),
            zone=run.get("zone", "UTC"),
        )
        yield said(result)
        kept.take(rows)
        for row in rows:
            name = f"{row.owner}/{row.key}" if row.owner else row.key
            tree = kept.tree.get("users", {}).get(row.owner, {}) if row.owner else kept.tree
            yield f"{name} = {_json(tree[row.key])}" if row.value is not None else f"{name} gone"


def said(result: Result) -> str:
    match result:
        case Done(output):
            return _json(output)
        case Failed(error, message):
            return f"! {error} {message}"
        case other:
            return repr(other)


def _json(value: Any) -> str:
    """A value with whole numbers as such."""
    return re.sub(r"(\d)\.0(?=[,}]|$)", r"\1", json.dumps(value))


def call(kept: Kept, method: str, /, limits: Limits = LIMITS, **params: Any) -> Result:
    """One call, kept."""
    result, rows = apply(method, params, kept, now=0.0, chance=0.5, by="", limits=limits)
    kept.take(rows)
    return result


# Room --------------------------------------------------------------------------------------------------------------------


def test_a_list_and_a_queue_take_a_thousand_and_say_so() -> None:
    kept = Kept("home")
    call(kept, "set_variable", name="l", value=list(range(1_000)))
    assert call(kept, "add_to_list", list="l", item=1) == Failed(
        "full", 'the list "l" has 1,000 items already, and that is the limit'
    )
    assert isinstance(call(kept, "set_variable", name="m", value=list(range(1_001))), Failed)
    kept.take([DataRecord("home", "", "queue", written(Queue(tuple(f"u{number}" for number in range(999)))))])
    assert isinstance(call(kept, "join_queue", user="last"), Done)
    assert call(kept, "join_queue", user="late") == Failed(
        "full", 'the queue "queue" has 1,000 people already, and that is the limit'
    )
    assert isinstance(call(kept, "join_queue", user="u7"), Done)


def test_there_are_a_thousand_quotes_at_most_and_removing_one_makes_room() -> None:
    quotes = tuple(Quote(number, f"quote {number}", "", "mod", 0.0) for number in range(1, 1_000))
    kept = Kept("home", [DataRecord("home", "", "quotes", written(Quotes(999, quotes)))])
    assert isinstance(call(kept, "add_quote", text="x"), Done)
    assert call(kept, "add_quote", text="x") == Failed(
        "full", "the collection has 1,000 quotes already, and that is the limit"
    )
    call(kept, "remove_quote", number=5)
    assert call(kept, "add_quote", text="x").output["number"] == 1_001  # type: ignore[union-attr]


def test_values_items_texts_and_names_have_a_largest_size() -> None:
    kept = Kept("home")
    for method, params in (
        ("set_variable", {"name": "v", "value": "x" * 64_001}),
        ("set_variable", {"name": "v", "value": ["x" * 2_001]}),
        ("add_to_list", {"list": "l", "item": "x" * 2_001}),
        ("add_quote", {"text": "x" * 501}),
        ("set_counter", {"counter": "x" * 65}),
        ("set_counter", {"counter": "n", "user": "x" * 66}),
    ):
        result = call(kept, method, **params)
        assert isinstance(result, Failed), method
        assert result.error == "too_large", result
    assert len(kept) == 0


def test_a_list_of_long_items_is_full_before_it_has_a_thousand() -> None:
    kept = Kept("home")
    results = [call(kept, "add_to_list", list="l", item="x" * 1_900) for _ in range(40)]
    assert isinstance(results[0], Done)
    assert isinstance(results[-1], Failed)
    assert results[-1].error == "full"
    assert isinstance(call(kept, "pick_from_list", list="l", remove=True), Done)


@pytest.mark.parametrize(
    ("limits", "user", "sentence"),
    [
        (Limits(keys=3), None, "the community keeps 3 things already"),
        (Limits(keys_of_user=3), "bob", "bob keeps 3 things already"),
        (Limits(rows=3), None, "3 things are kept already"),
        (Limits(size=90), None, "the community keeps 87 bytes already"),
    ],
    ids=["keys", "keys of a user", "rows", "bytes"],
)
def test_room_runs_out_but_what_is_there_can_change_and_go(limits: Limits, user: str | None, sentence: str) -> None:
    kept = Kept("home")
    for number in range(3):
        assert isinstance(call(kept, "set_counter", limits=limits, counter=f"c{number}", user=user), Done)
    full = call(kept, "set_counter", limits=limits, counter="c3", user=user)
    assert isinstance(full, Failed)
    assert full.error == "full"
    assert full.message.startswith(sentence)
    assert isinstance(call(kept, "add_to_counter", limits=limits, counter="c2", user=user), Done)
    assert isinstance(call(kept, "remove_variable", limits=limits, name="c0", user=user), Done)
    assert isinstance(call(kept, "set_counter", limits=limits, counter="c3", user=user), Done)


# Laws --------------------------------------------------------------------------------------------------------------------

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["a", "b", "A", "@bob", "1", "1e9", "19:30", "2026-12-24", "\ud800", "\0"])
    | st.just(Secret("s", "hunter22")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
NAMES = st.sampled_from(["a", "b", "list", "x y"])
PEOPLE = st.sampled_from(["bob", "@Ann", "ann"])
LIKELY = {
    "name": NAMES,
    "counter": NAMES,
    "list": NAMES,
    "queue": NAMES,
    "user": st.none() | PEOPLE,
    "by": st.integers(-(2**63), 2**63) | st.floats(),
    "value": st.integers(-(2**63), 2**63) | st.lists(st.text(max_size=3), max_size=3),
    "number": st.integers(1, 3),
    "item": st.sampled_from(["x", "y", 5]),
    "text": st.sampled_from(["hi", "bye"]),
    "seconds": st.integers(-10, 10),
    "remove": st.booleans(),
}


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    method = draw(st.sampled_from(DATA_METHODS))
    params: dict[str, Any] = {}
    for param in method.params:
        if param.required or draw(st.booleans()):
            odd = draw(st.integers(0, 6)) == 0
            params[param.name] = draw(ODD if odd or param.name not in LIKELY else LIKELY[param.name])
    return method.name, params


MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(st.lists(calls(), max_size=25), st.floats(0, 1, exclude_max=True), st.sampled_from(["", "bob"]))
def test_whatever_is_called_it_answers_and_keeps_to_its_bounds(
    asked: list[tuple[str, dict[str, Any]]], chance: float, by: str
) -> None:
    kept = Kept("home")
    numbers: list[int] = []
    for at, (method, params) in enumerate(asked):
        before, tree = len(kept), json.dumps(kept.tree)
        result, rows = apply(method, params, kept, now=float(at), chance=chance, by=by)
        assert (len(kept), json.dumps(kept.tree)) == (before, tree), "it only reads"
        if isinstance(result, Failed):
            assert rows == ()
            assert result.message
            continue
        assert isinstance(result, Done)
        assert size_of(result.output) is not None
        assert len(rows) <= 1
        for row in rows:
            assert row.community == "home"
            assert size_of(row.value) is not None
            assert row.value == json.loads(json.dumps(row.value)), "it comes back from the store as it went"
        kept.take(rows)
        if method == "add_to_counter":
            assert -MAX_INTEGER <= result.output["value"] <= MAX_INTEGER
        if method == "add_quote":
            numbers.append(result.output["number"])
    assert numbers == sorted(set(numbers))


@MANY
@given(st.lists(calls(), max_size=25))
def test_memory_is_what_the_store_says(asked: list[tuple[str, dict[str, Any]]]) -> None:
    kept, stored = Kept("home"), dict[tuple[str, str], DataRecord]()
    for at, (method, params) in enumerate(asked):
        _, rows = apply(method, params, kept, now=float(at), chance=0.3, by="bob")
        kept.take(rows)
        for row in rows:
            stored[row.owner, row.key] = row
    records = [row for row in stored.values() if row.value is not None]
    again = Kept("home", records)
    assert again.tree == kept.tree
    assert (len(again), again.size) == (len(kept), kept.size)
    kept.fill(records)
    assert kept.tree == again.tree
    assert (len(again), again.size) == (len(kept), kept.size)


@MANY
@given(asked=st.lists(calls(), max_size=30))
def test_a_community_never_keeps_more_than_it_may(asked: list[tuple[str, dict[str, Any]]]) -> None:
    kept, limits = Kept("home"), Limits(keys=4, keys_of_user=2, rows=5, size=110)
    for method, params in asked:
        _, rows = apply(method, params, kept, now=0.0, chance=0.3, by="bob", limits=limits)
        kept.take(rows)
        assert kept.size <= limits.size
        assert len(kept) <= limits.rows
        assert len(kept.keys_of("")) <= limits.keys
        assert all(len(kept.keys_of(owner)) <= limits.keys_of_user for owner in ("bob", "ann"))


# Memory ------------------------------------------------------------------------------------------------------------------


def test_a_copy_can_be_changed_without_consequence() -> None:
    kept = Kept("home")
    call(kept, "set_counter", counter="a", value=1)
    call(kept, "set_counter", counter="a", value=1, user="bob")
    copy = kept.copy()
    call(copy, "set_counter", counter="a", value=2)
    call(copy, "set_counter", counter="a", value=2, user="bob")
    call(copy, "set_counter", counter="a", value=2, user="ann")
    assert kept.tree == {"a": 1, "users": {"bob": {"a": 1}}}
    assert len(kept) == 2


def test_a_row_that_is_none_of_ours_is_said_and_memory_stays() -> None:
    kept = Kept("home")
    call(kept, "set_counter", counter="a", value=1)
    for value in ({"kind": "poem"}, 5, {"kind": "list"}, {"kind": "quotes", "last": 1, "quotes": [{"x": 1}]}):
        with pytest.raises(StoreCorrupt, match="restore a backup"):
            kept.fill([DataRecord("home", "", "b", value)])
    assert kept.tree == {"a": 1}


def test_a_person_can_be_forgotten() -> None:
    kept = Kept("home")
    call(kept, "set_counter", counter="points", value=1, user="Bob")
    call(kept, "set_counter", counter="points", value=2, user="ann")
    call(kept, "join_queue", user="Bob")
    call(kept, "join_queue", user="ann")
    kept.take(forgotten(kept, "@bob"))
    assert kept.tree == {"users": {"ann": {"points": 2}}, "queue": ["ann"]}
    assert forgotten(kept, "bob") == ()


async def test_everything_kept_survives_a_restart(tmp_path: Path) -> None:
    kept, rows = Kept("home"), list[DataRecord]()
    for method, params in (
        ("set_counter", {"counter": "deaths", "value": 5}),
        ("set_variable", {"name": "v", "value": {"a": ["\0", 1.5]}, "user": "bob"}),
        ("set_variable", {"name": "l", "value": ["x", "y"]}),
        ("next_of", {"list": "l"}),
        ("next_of", {"list": "turn", "options": ["x", "y"]}),
        ("join_queue", {"user": "ann"}),
        ("add_quote", {"text": "never again"}),
        ("set_countdown", {"name": "start", "seconds": 90.5}),
    ):
        result, changed = apply(method, params, kept, now=0.0, chance=0.5, by="bob")
        assert isinstance(result, Done), result
        kept.take(changed)
        rows.extend(changed)
    async with await SQLiteStore.open(tmp_path / "bot.db") as store:
        await store.commit(Batch(data=rows))
    async with await SQLiteStore.open(tmp_path / "bot.db") as store:
        again = Kept("home", await store.data("home"))
    assert again.tree == kept.tree
    assert call(again, "next_of", list="l") == call(kept, "next_of", list="l")
    assert call(again, "add_quote", text="x").output["number"] == 2  # type: ignore[union-attr]


# Templates and sentences ---------------------------------------------------------------------------------------------------


def test_guards_read_what_is_kept_also_of_the_person_an_event_is_about() -> None:
    kept = Kept("home")
    call(kept, "set_counter", counter="deaths", value=12)
    call(kept, "set_counter", counter="points", value=7, user="Bob")
    context = Context(data=kept.tree)
    scope = event_scope(Event("e", "raid.received", 0.0, "home", {"user": {"name": "BOB", "roles": []}}), context)
    for formula in (
        "deaths == 12",
        "data.deaths == 12",
        "data.users.bob.points == 7",
        "data.user.points == 7",
        "points is empty",
        "data.user.gold is empty",
    ):
        assert compile_formula(parse_formula(formula))(scope) is True, formula
    call(kept, "add_to_counter", counter="deaths")
    assert compile_formula(parse_formula("deaths == 13"))(scope) is True
    assert data_about(kept.tree, {"name": "ann"}) is kept.tree
    assert data_about({}, None) == {}


@pytest.mark.parametrize("method", DATA_METHODS, ids=lambda method: method.name)
def test_every_method_can_be_done_twice_and_is_done_by_an_operation_of_its_name(method: Any) -> None:
    assert method.repeatable
    result, _ = apply(method.name, {}, Kept("home"), now=0.0, chance=0.0, by="")
    assert not (isinstance(result, Failed) and result.error == "unknown_method")


SENTENCES = {
    "add 1 to the deaths counter": ("add_to_counter", {"by": 1, "counter": "deaths"}),
    "add 10 to the points counter of them": ("add_to_counter", {"by": 10, "counter": "points", "user": "${user}"}),
    "increase the deaths counter by two": ("add_to_counter", {"by": 2, "counter": "deaths"}),
    "set the deaths counter to 0": ("set_counter", {"counter": "deaths", "value": 0}),
    "reset the deaths counter": ("set_counter", {"counter": "deaths"}),
    "set the goal variable to 50": ("set_variable", {"name": "goal", "value": "50"}),
    "add be nice to the rules list": ("add_to_list", {"item": "be nice", "list": "rules"}),
    "pick from the jokes list": ("pick_from_list", {"list": "jokes"}),
    "pick and remove from the jokes list": ("pick_from_list", {"list": "jokes", "remove": True}),
    "take the next of the socials list": ("next_of", {"list": "socials"}),
    "put them in the queue": ("join_queue", {"user": "${user}"}),
    "call the next in the duel queue": ("next_in_queue", {"queue": "duel"}),
    "add the quote never again": ("add_quote", {"text": "never again"}),
    "look up quote 12": ("get_quote", {"number": 12}),
    "set the start countdown to 10 minutes": ("set_countdown", {"name": "start", "seconds": 600}),
    "add 5 minutes to the subathon countdown": ("add_to_countdown", {"name": "subathon", "seconds": 300}),
}


@pytest.fixture(scope="module")
def language() -> Language:
    return Language(DECLARATIONS, tables_folder())


@pytest.mark.parametrize(("sentence", "expected"), SENTENCES.items(), ids=list(SENTENCES))
def test_it_is_asked_for_in_plain_words(
    language: Language, sentence: str, expected: tuple[str, dict[str, Any]]
) -> None:
    meant = language.understand(f"when someone types !x, {sentence}, then wait 5 seconds", Workspace())
    assert isinstance(meant, Understood), meant
    assert isinstance(meant.instruction, Create)
    action = meant.instruction.definition.states[0].action
    assert action == Call(service="data", method=expected[0], params=expected[1])
