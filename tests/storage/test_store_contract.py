"""What every store promises, whatever it keeps things in."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import RevisionMoved, StoreError
from engine.execution import FINAL
from engine.ports import Batch, OutboxRecord, Store
from storage.sqlite import SQLiteStore
from tests.fakes_store import MemoryStore
from tests.storage.records import (
    ANN,
    DEFINITION,
    ELSEWHERE,
    HERE,
    admission,
    change,
    datum,
    effect,
    event,
    execution,
    proposal,
    revision,
    row,
    setting,
    waiting,
    workflow,
)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else await SQLiteStore.open(tmp_path / "bot.db")
    yield made
    await made.close()


async def test_a_new_store_has_nothing(store: Store) -> None:
    assert await store.live_executions(HERE) == []
    assert await store.outbox(HERE) == []
    assert await store.execution("e1") is None
    assert await store.executions(HERE) == []
    assert await store.history("e1") == []
    assert await store.workflows(HERE) == []
    assert await store.revision(HERE, "raid", 1) is None
    assert await store.current_revisions(HERE) == []
    assert await store.revisions(HERE, "raid") == []
    assert await store.changes(HERE) == []
    assert await store.seen(HERE, ["m1"], 0.0) == frozenset()
    assert await store.seen(HERE, [], 0.0) == frozenset()
    assert await store.admissions(HERE) == []
    assert await store.event(HERE, "m1") is None
    assert await store.events(HERE) == []
    assert await store.proposals(HERE, 0.0) == []
    assert await store.config(HERE) == {}
    assert await store.data(HERE) == []


async def test_an_empty_batch_is_no_commit(store: Store) -> None:
    await store.commit(Batch())
    assert await store.executions(HERE) == []


async def test_one_batch_writes_every_kind_of_record(store: Store) -> None:
    await store.commit(
        Batch(
            executions=[waiting()],
            history=[row()],
            outbox=[effect()],
            events=[event()],
            seen={(HERE, "m1"): 200.0},
            admissions=[admission()],
            workflows=[workflow()],
            revisions=[revision()],
            changes=[change()],
            proposals=[proposal()],
            config=[setting()],
            data=[datum()],
        )
    )
    assert await store.execution("e1") == waiting()
    assert await store.history("e1") == [row()]
    assert await store.outbox(HERE) == [OutboxRecord(effect(), "due")]
    assert await store.event(HERE, "m1") == event()
    assert await store.seen(HERE, ["m1", "m2"], 100.0) == {"m1"}
    assert await store.admissions(HERE) == [admission()]
    assert await store.workflows(HERE) == [workflow()]
    assert await store.revision(HERE, "raid", 1) == revision()
    assert await store.changes(HERE) == [change()]
    assert await store.proposals(HERE, 100.0) == [proposal()]
    assert await store.config(HERE) == {"timezone": setting()}
    assert await store.data(HERE) == [datum()]


async def test_communities_do_not_see_each_other(store: Store) -> None:
    await store.commit(
        Batch(
            executions=[execution("e2", community=ELSEWHERE)],
            outbox=[effect("x", community=ELSEWHERE)],
            events=[event(community=ELSEWHERE)],
            seen={(ELSEWHERE, "m1"): 200.0},
            admissions=[admission(community=ELSEWHERE)],
            workflows=[workflow(community=ELSEWHERE)],
            revisions=[revision(community=ELSEWHERE)],
            changes=[change(community=ELSEWHERE)],
            proposals=[proposal(community=ELSEWHERE)],
            config=[setting(community=ELSEWHERE)],
            data=[datum(community=ELSEWHERE)],
        )
    )
    await test_a_new_store_has_nothing(store)


async def test_the_last_state_of_an_execution_wins_and_it_keeps_its_place(store: Store) -> None:
    await store.commit(Batch(executions=[execution("e1"), waiting("e1"), execution("e2")]))
    await store.commit(Batch(executions=[waiting("e1", due=50.0, seq=3)]))
    assert await store.live_executions(HERE) == [waiting("e1", due=50.0, seq=3), execution("e2")]


@pytest.mark.parametrize("status", sorted(FINAL))
async def test_an_ended_execution_is_kept_but_not_live(store: Store, status: str) -> None:
    ended = execution(status=status, ended_at=120.0)
    await store.commit(Batch(executions=[execution()]))
    await store.commit(Batch(executions=[ended]))
    assert await store.live_executions(HERE) == []
    assert await store.execution("e1") == ended
    assert await store.executions(HERE) == [ended]


@pytest.mark.parametrize("status", ["scheduled", "queued", "running", "waiting", "paused", "stopping"])
async def test_what_has_not_ended_is_live(store: Store, status: str) -> None:
    await store.commit(Batch(executions=[execution(status=status)]))
    assert [found.status for found in await store.live_executions(HERE)] == [status]


async def test_executions_come_newest_first_by_workflow_and_no_more_than_asked(store: Store) -> None:
    await store.commit(Batch(executions=[execution(f"e{n}", workflow="ab"[n % 2]) for n in range(6)]))
    assert [found.id for found in await store.executions(HERE, limit=3)] == ["e5", "e4", "e3"]
    assert [found.id for found in await store.executions(HERE, "a")] == ["e4", "e2", "e0"]


async def test_history_is_in_order_whatever_the_order_it_was_written_in(store: Store) -> None:
    await store.commit(Batch(executions=[execution(), execution("e2")], history=[row(1), row(0, "e2"), row(0)]))
    assert await store.history("e1") == [row(0), row(1)]


async def test_a_second_history_row_under_one_number_is_refused_with_the_whole_batch(store: Store) -> None:
    await store.commit(Batch(executions=[execution()], history=[row()]))
    with pytest.raises(StoreError):
        await store.commit(Batch(executions=[waiting()], history=[row(outcome="error")], outbox=[effect()]))
    assert await store.execution("e1") == execution()
    assert await store.history("e1") == [row()]
    assert await store.outbox(HERE) == []


async def test_history_of_an_execution_nobody_knows_is_refused(store: Store) -> None:
    with pytest.raises(StoreError):
        await store.commit(Batch(events=[event()], history=[row()]))
    assert await store.events(HERE) == []


async def test_an_effect_is_due_then_begun_then_gone(store: Store) -> None:
    await store.commit(Batch(outbox=[effect("a"), effect("b")]))
    await store.commit(Batch(begun=["b"]))
    assert await store.outbox(HERE) == [OutboxRecord(effect("a"), "due"), OutboxRecord(effect("b"), "begun")]
    await store.commit(Batch(done=["a"], begun=["a", "nobody"]))
    assert await store.outbox(HERE) == [OutboxRecord(effect("b"), "begun")]


async def test_asking_again_for_a_begun_effect_does_not_make_it_due(store: Store) -> None:
    await store.commit(Batch(outbox=[effect()]))
    await store.commit(Batch(begun=[effect().id]))
    await store.commit(Batch(outbox=[effect()]))
    assert await store.outbox(HERE) == [OutboxRecord(effect(), "begun")]


async def test_an_effect_may_become_due_and_done_in_one_batch(store: Store) -> None:
    await store.commit(Batch(outbox=[effect()], begun=[effect().id], done=[effect().id]))
    assert await store.outbox(HERE) == []


async def test_effects_come_in_the_order_they_were_committed(store: Store) -> None:
    ids = ["z", "a", "m"]
    for id in ids:
        await store.commit(Batch(outbox=[effect(id)]))
    assert [record.effect.id for record in await store.outbox(HERE)] == ids


async def test_workflows_come_by_name_and_deleted_ones_only_if_asked_for(store: Store) -> None:
    zoo, ant = workflow("1", name="zoo"), workflow("2", name="ant")
    gone = workflow("3", name="bee", deleted=True)
    await store.commit(Batch(workflows=[zoo, ant, gone]))
    assert await store.workflows(HERE) == [ant, zoo]
    assert await store.workflows(HERE, deleted=True) == [ant, gone, zoo]


async def test_a_workflow_can_be_switched_off_renamed_and_deleted(store: Store) -> None:
    await store.commit(Batch(workflows=[workflow()]))
    moved = workflow(name="welcome", enabled=False, revision=2, updated_at=105.0)
    await store.commit(Batch(workflows=[moved]))
    assert await store.workflows(HERE) == [moved]
    await store.commit(Batch(workflows=[replace(moved, deleted=True)]))
    assert await store.workflows(HERE) == []


async def test_the_revision_that_counts_is_the_one_its_workflow_names(store: Store) -> None:
    await store.commit(Batch(workflows=[workflow(revision=2)], revisions=[revision(1), revision(2), revision(3)]))
    await store.commit(Batch(workflows=[workflow("gone", deleted=True)], revisions=[revision(1, "gone")]))
    assert await store.current_revisions(HERE) == [revision(2)]
    assert [found.number for found in await store.revisions(HERE, "raid")] == [1, 2, 3]


async def test_a_revision_comes_back_with_its_definition_and_authors(store: Store) -> None:
    await store.commit(Batch(revisions=[revision()]))
    found = await store.revision(HERE, "raid", 1)
    assert found is not None
    assert found.definition == DEFINITION
    assert found.step_authors == {"say": ANN}


async def test_a_revision_is_never_written_over(store: Store) -> None:
    await store.commit(Batch(revisions=[revision()]))
    with pytest.raises(RevisionMoved):
        await store.commit(Batch(workflows=[workflow()], revisions=[revision(words="other")]))
    assert await store.revision(HERE, "raid", 1) == revision()
    assert await store.workflows(HERE) == []


async def test_changes_come_newest_first_by_workflow_and_no_more_than_asked(store: Store) -> None:
    made = [change(f"c{n}", workflow="ab"[n % 2]) for n in range(5)]
    await store.commit(Batch(changes=made))
    assert await store.changes(HERE, limit=2) == [made[4], made[3]]
    assert await store.changes(HERE, "b") == [made[3], made[1]]


async def test_a_change_is_recorded_once(store: Store) -> None:
    await store.commit(Batch(changes=[change()]))
    with pytest.raises(StoreError):
        await store.commit(Batch(changes=[change(summary="other")]))
    assert await store.changes(HERE) == [change()]


async def test_a_key_counts_until_its_time_and_can_be_given_more(store: Store) -> None:
    await store.commit(Batch(seen={(HERE, "m1"): 200.0, (HERE, "m2"): 300.0}))
    assert await store.seen(HERE, ["m1", "m2", "m3"], 199.9) == {"m1", "m2"}
    assert await store.seen(HERE, ["m1", "m2"], 200.0) == {"m2"}
    await store.commit(Batch(seen={(HERE, "m1"): 400.0}))
    assert await store.seen(HERE, ["m1", "m2"], 350.0) == {"m1"}


async def test_the_first_event_of_an_id_counts(store: Store) -> None:
    await store.commit(Batch(events=[event(), event(payload={"viewers": 7})]))
    await store.commit(Batch(events=[event(payload={"viewers": 8}), event("m2")]))
    assert await store.event(HERE, "m1") == event()
    assert await store.events(HERE) == [event("m2"), event()]
    assert await store.events(HERE, limit=1) == [event("m2")]


async def test_admissions_come_newest_first_by_workflow_and_no_more_than_asked(store: Store) -> None:
    made = [admission(f"a{n}", workflow="ab"[n % 2]) for n in range(5)]
    await store.commit(Batch(admissions=made))
    assert await store.admissions(HERE, limit=2) == [made[4], made[3]]
    assert await store.admissions(HERE, "a") == [made[4], made[2], made[0]]


async def test_a_question_is_open_until_it_is_answered_or_its_time_is_over(store: Store) -> None:
    await store.commit(Batch(proposals=[proposal("p1"), proposal("p2", expires_at=120.0), proposal("p3")]))
    await store.commit(Batch(proposals_answered=["p3", "nobody"]))
    assert await store.proposals(HERE, 100.0) == [proposal("p1"), proposal("p2", expires_at=120.0)]
    assert await store.proposals(HERE, 120.0) == [proposal("p1")]


async def test_the_last_value_of_a_setting_counts_even_if_it_is_nothing(store: Store) -> None:
    await store.commit(Batch(config=[setting(), setting("key", "abc", secret=True)]))
    await store.commit(Batch(config=[setting(value=None)]))
    assert await store.config(HERE) == {"key": setting("key", "abc", secret=True), "timezone": setting(value=None)}


async def test_the_last_value_that_is_kept_counts_and_nothing_takes_it_away(store: Store) -> None:
    mine, other = datum(owner="ann"), datum(owner="bob")
    await store.commit(Batch(data=[datum("z"), other, datum(), mine]))
    assert await store.data(HERE) == [datum(), datum("z"), mine, other]
    await store.commit(Batch(data=[datum(value=[6]), datum("z", None), datum(value={"a": 7}), datum("never", None)]))
    assert await store.data(HERE) == [datum(value={"a": 7}), mine, other]


async def test_what_is_kept_follows_its_changes_within_one_batch(store: Store) -> None:
    await store.commit(Batch(data=[datum(value=1), datum(value=None), datum(value=2)]))
    assert await store.data(HERE) == [datum(value=2)]
    await store.commit(Batch(data=[datum(value=3), datum(value=None)]))
    assert await store.data(HERE) == []


async def test_what_is_kept_is_written_with_the_rest_of_its_batch_or_not_at_all(store: Store) -> None:
    await store.commit(Batch(executions=[execution()], history=[row()], data=[datum(value=1)]))
    with pytest.raises(StoreError):
        await store.commit(Batch(history=[row()], data=[datum(value=2)]))
    assert await store.data(HERE) == [datum(value=1)]


async def test_what_was_committed_cannot_be_changed_from_outside(store: Store) -> None:
    variables = {"list": [1]}
    await store.commit(Batch(executions=[execution(variables=variables)]))
    variables["list"].append(2)
    found = await store.execution("e1")
    assert found is not None
    found.variables["list"].append(3)
    assert await store.execution("e1") == execution(variables={"list": [1]})


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.outbox(HERE)
    with pytest.raises(StoreError, match="closed"):
        await store.commit(Batch(begun=["x"]))
