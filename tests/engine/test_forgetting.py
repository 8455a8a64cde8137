"""Whatever a record holds, afterwards the person is not in it."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.events import Event
from engine.execution import Execution, HistoryRow
from engine.forgetting import FORGOTTEN, NOBODY, Forgetting
from engine.ports import AdmissionRecord, AuditRecord, ProposalRecord
from tests.storage.records import event, execution, records

STRUCTURE = {
    "id", "community", "workflow", "revision", "status", "outcome", "path", "state", "to", "effect", "execution",
    "event_name", "child", "parent", "cause", "visits", "rounds", "orphans", "kind",
}  # fmt: skip


def texts(value: Any, field: str = "") -> Iterator[str]:
    """Every text in a record that is not there to say how records belong together."""
    if field in STRUCTURE:
        return
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value):
        kept = ("name", "at") if isinstance(value, Event) else ()
        for each in dataclasses.fields(value):
            inner = getattr(value, each.name)
            if each.name not in kept and not (each.name == "event" and isinstance(inner, str)):
                yield from texts(inner, each.name)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from texts(key)
            yield from texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts(part)


TEXT = st.sampled_from(["bob", "@Bob", "hi BOB!", "bobby", "raid by bob: 6", "ann", '"bob"'])
VALUES = st.recursive(
    st.none() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.just("name"), inner, max_size=3),
    max_leaves=8,
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "params": VALUES,
    "output": VALUES,
    "error": st.none() | TEXT,
    "by": st.none() | TEXT,
    "who": st.none() | TEXT,
    "reason": st.none() | TEXT,
    "natural": st.none() | TEXT,
    "instruction": TEXT,
    "asker": TEXT,
    "detail": VALUES,
}
KEYED = ("payload", "variables", "results", "user", "caller")


def drawn(kind: type[Any]) -> st.SearchStrategy[Any]:
    """A record of that kind with the person here and there."""
    names = {field.name for field in dataclasses.fields(kind)}
    known = {name: strategy for name, strategy in FIELDS.items() if name in names}
    keyed = st.dictionaries(TEXT | st.sampled_from(["name", "user"]), VALUES, max_size=3)
    return records(kind, **known, **{name: keyed for name in KEYED if name in names})


@settings(max_examples=60, deadline=None)
@given(st.one_of(*map(drawn, (Event, Execution, HistoryRow, AdmissionRecord, ProposalRecord, AuditRecord))))
def test_afterwards_the_person_is_nowhere_and_doing_it_again_changes_nothing(record: Any) -> None:
    forgetting = Forgetting("bob")
    without = forgetting.out_of(record)
    for text in texts(without):
        assert "bob" not in text.casefold().replace("bobby", "")
    assert forgetting.out_of(without) is without


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("bob", FORGOTTEN),
        ("@BoB", FORGOTTEN),
        ("bob, bob and bobby", f"{FORGOTTEN}, {FORGOTTEN} and bobby"),
        ("bob_7 bob7 xbob", "bob_7 bob7 xbob"),
        ("bob's", f"{FORGOTTEN}'s"),
        ("nobody", "nobody"),
    ],
)
def test_a_name_is_a_whole_word_in_any_case_with_or_without_an_at(text: str, left: str) -> None:
    run = execution(variables={"text": text})
    assert Forgetting("Bob").out_of(run).variables == {"text": left}


@pytest.mark.parametrize("name", ["Jörg", "名前", "a.b-c", "Two Words", "(*)", "ß", 'a"b'])
def test_a_name_may_be_written_in_any_script(name: str) -> None:
    happened = event(payload={"message": f"hi {name}!", "user": {"name": "ann"}})
    assert Forgetting(name).out_of(happened).payload["message"] == f"hi {FORGOTTEN}!"
    assert Forgetting(name).may_be_in(f'{{"message": "hi {name}!"}}')


def test_an_event_about_somebody_keeps_that_it_happened_and_nothing_else() -> None:
    happened = event(payload={"user": "Bob", "message": "my address is ..."}, natural="x")
    without = Forgetting("bob").out_of(happened)
    assert without == dataclasses.replace(happened, payload={"user": NOBODY}, natural=None)
