"""What every store promises, whatever it keeps things in."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import RevisionMoved, StoreError
from engine.execution import FINAL
from engine.forgetting import FORGOTTEN, NOBODY
from engine.ports import Batch, Forgotten, OutboxRecord, Pruned, Retention, Store, Unfinished
from storage.sqlite import SQLiteStore
from tests.fakes_store import MemoryStore
from tests.storage.records import (
    ANN,
    DEFINITION,
    ELSEWHERE,
    HERE,
    admission,
    asked,
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
    assert await store.audit(HERE) == []
    assert await store.unfinished(HERE, 1e9) == Unfinished(0, 0)


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
            audit=[asked()],
        )
    )
    assert await store.audit(HERE) == [asked()]
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
            audit=[asked(community=ELSEWHERE)],
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


async def test_the_bots_own_events_are_found_behind_any_number_of_others(store: Store) -> None:
    own = [event(f"own{n}", own=True) for n in range(2)]
    others = [event(f"m{n}", payload={"own": True, "text": '"own":true'}) for n in range(30)]
    await store.commit(Batch(events=[*own, event("there", own=True, community=ELSEWHERE), *others]))

    assert await store.events(HERE, 20, own=True) == own[::-1]
    assert await store.events(HERE, 1, own=True) == own[1:]


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


async def test_what_was_asked_for_comes_newest_first_and_is_recorded_once(store: Store) -> None:
    await store.commit(Batch(audit=[asked("q1"), asked("q2"), asked("q3")]))
    assert await store.audit(HERE, limit=2) == [asked("q3"), asked("q2")]
    with pytest.raises(StoreError):
        await store.commit(Batch(audit=[asked("q1", what="other")]))
    assert len(await store.audit(HERE)) == 3


async def test_what_was_going_on_is_counted_by_what_is_due_and_what_nobody_knows(store: Store) -> None:
    await store.commit(
        Batch(
            executions=[waiting("e1", due=110.0), waiting("e2", due=120.0), waiting("e3", due=121.0), execution("e4")],
            outbox=[effect("due"), effect("begun"), effect("again", repeatable=True), effect("done")],
            begun=["begun", "again", "done"],
            done=["done"],
        )
    )
    assert await store.unfinished(HERE, 120.0) == Unfinished(due=2, unknown=1)


# Keeping -----------------------------------------------------------------------------------------------------------------

DAY = 86_400.0
NOW = 100.0 + 31 * DAY
ENDED = execution("old", status="completed", ended_at=120.0)


async def test_what_is_older_than_it_is_kept_goes_and_nothing_else(store: Store) -> None:
    young = execution("young", status="failed", ended_at=NOW - 1.0)
    await store.commit(
        Batch(
            executions=[ENDED, young, waiting("live")],
            history=[row(0, "old"), row(1, "old"), row(0, "young"), row(0, "live")],
            events=[event("old"), event("young", at=NOW - 1.0)],
            admissions=[admission("old"), admission("young", at=NOW - 1.0)],
            seen={(HERE, "gone"): NOW, (HERE, "counts"): NOW + 1.0},
            proposals=[proposal("gone", expires_at=NOW), proposal("open", expires_at=NOW + 1.0)],
            workflows=[workflow()],
            revisions=[revision()],
            changes=[change()],
            config=[setting()],
            audit=[asked()],
        )
    )

    assert await store.prune(Retention(), NOW) == Pruned(gone=7, more=False)

    assert await store.executions(HERE) == [waiting("live"), young]
    assert await store.history("old") == []
    assert await store.history("young") == [row(0, "young")]
    assert await store.history("live") == [row(0, "live")]
    assert [found.id for found in await store.events(HERE)] == ["young"]
    assert [found.id for found in await store.admissions(HERE)] == ["young"]
    assert await store.seen(HERE, ["gone", "counts"], 0.0) == {"counts"}
    assert [found.id for found in await store.proposals(HERE, 0.0)] == ["open"]
    assert await store.revisions(HERE, "raid") == [revision()]
    assert await store.changes(HERE) == [change()]
    assert await store.audit(HERE) == [asked()]
    assert await store.prune(Retention(), NOW) == Pruned(gone=0, more=False)


async def test_each_kind_is_kept_for_its_own_time(store: Store) -> None:
    await store.commit(Batch(executions=[ENDED], events=[event()], admissions=[admission()]))
    keep = Retention(events_seconds=40 * DAY, admissions_seconds=40 * DAY, executions_seconds=40 * DAY)
    assert await store.prune(keep, NOW) == Pruned(0, more=False)
    await store.prune(replace(keep, events_seconds=DAY), NOW)
    assert (len(await store.events(HERE)), len(await store.admissions(HERE))) == (0, 1)
    await store.prune(replace(keep, admissions_seconds=DAY), NOW)
    assert (len(await store.executions(HERE)), len(await store.admissions(HERE))) == (1, 0)
    await store.prune(replace(keep, executions_seconds=DAY), NOW)
    assert await store.executions(HERE) == []


async def test_of_events_that_are_too_large_the_oldest_go(store: Store) -> None:
    await store.commit(Batch(events=[event(f"m{n}", at=NOW, payload={"text": "x" * 100_000}) for n in range(10)]))
    keep = Retention(events_bytes=350_000)
    assert await store.prune(keep, NOW) == Pruned(7, more=False)
    assert [found.id for found in await store.events(HERE)] == ["m9", "m8", "m7"]
    assert await store.prune(keep, NOW) == Pruned(0, more=False)


async def test_a_run_that_something_still_hangs_on_is_kept_however_old(store: Store) -> None:
    orphaned = replace(ENDED, id="orphaned", orphans=("orphaned/main/say/1",))
    handed_over = replace(ENDED, id="handed_over")
    await store.commit(
        Batch(
            executions=[orphaned, handed_over],
            history=[row(0, "orphaned"), row(0, "handed_over")],
            outbox=[effect("handed_over/main/say/1", execution="handed_over")],
        )
    )
    assert await store.prune(Retention(), NOW) == Pruned(0, more=False)
    await store.commit(Batch(executions=[replace(orphaned, orphans=())], done=["handed_over/main/say/1"]))
    assert await store.prune(Retention(), NOW) == Pruned(4, more=False)
    assert await store.executions(HERE) == []


async def test_one_go_is_bounded_and_says_that_there_is_more(store: Store) -> None:
    runs = [replace(ENDED, id=f"e{n}", ended_at=120.0 + n) for n in range(3)]
    await store.commit(
        Batch(
            executions=runs,
            history=[row(seq, run.id) for run in runs for seq in range(4)],
            events=[event(f"m{n}") for n in range(5)],
        )
    )
    goes = []
    while (pruned := await store.prune(Retention(), NOW, most=4)).more:
        goes.append(pruned.gone)
        assert pruned.gone <= 4
    assert sum(goes) + pruned.gone == 5 + 12 + 3
    assert await store.executions(HERE) == []
    assert await store.history("e2") == []


async def test_a_run_outlives_its_history_and_never_the_other_way_round(store: Store) -> None:
    await store.commit(Batch(executions=[ENDED], history=[row(seq, "old") for seq in range(6)]))
    for left in (4, 2, 0):
        await store.prune(Retention(), NOW, most=2)
        assert len(await store.history("old")) == left
        assert await store.execution("old") == ENDED
    await store.prune(Retention(), NOW, most=2)
    assert await store.execution("old") is None


# Forgetting --------------------------------------------------------------------------------------------------------------

BOB = {"name": "Bob", "roles": ["vip"], "id": "77"}
KNOWS_BOB = replace(
    execution("e1", status="completed", ended_at=120.0),
    event={"name": "raid.received", "id": "m1", "at": 100.0, "user": BOB, "viewers": 6},
    user=BOB,
    caller=BOB,
    variables={"winner": "bob", "votes": {"bob": 2, "ann": 1}},
    results={"say": "sent: hi @Bob, and bobby"},
    error="bob is not allowed",
)


async def test_a_person_is_taken_out_of_all_that_happened(store: Store) -> None:
    about = event("m1", payload={"user": BOB, "viewers": 6}, natural="raid:bob:6")
    mentions = event("m2", payload={"user": {"name": "ann"}, "message": "thanks BOB!"})
    await store.commit(
        Batch(
            executions=[KNOWS_BOB],
            history=[row(params={"message": "welcome Bob"}, output={"to": "bob"}, error="no Bob", by="bob")],
            events=[about, mentions],
            admissions=[admission(who="bob", reason="Bob is not a moderator")],
            proposals=[proposal(asker="twitch:bob")],
        )
    )

    forgotten = await store.forget(HERE, "@BOB")

    assert forgotten == Forgotten(events=2, admissions=1, executions=1, history=1, proposals=1)
    assert await store.event(HERE, "m1") == replace(about, payload={"user": NOBODY}, natural=None)
    assert await store.event(HERE, "m2") == replace(
        mentions, payload={"user": {"name": "ann"}, "message": f"thanks {FORGOTTEN}!"}
    )
    [admitted] = await store.admissions(HERE)
    assert (admitted.who, admitted.reason) == (FORGOTTEN, f"{FORGOTTEN} is not a moderator")
    assert await store.execution("e1") == replace(
        KNOWS_BOB,
        event={"name": "raid.received", "id": "m1", "at": 100.0, "user": NOBODY},
        user=NOBODY,
        caller=NOBODY,
        variables={"winner": FORGOTTEN, "votes": {FORGOTTEN: 2, "ann": 1}},
        results={"say": f"sent: hi {FORGOTTEN}, and bobby"},
        error=f"{FORGOTTEN} is not allowed",
    )
    assert await store.history("e1") == [
        row(
            params={"message": f"welcome {FORGOTTEN}"},
            output={"to": FORGOTTEN},
            error=f"no {FORGOTTEN}",
            by=FORGOTTEN,
        )
    ]
    assert await store.forget(HERE, "bob") == Forgotten()


async def test_runs_that_go_on_keep_whom_they_know_until_they_have_ended(store: Store) -> None:
    live = waiting("e1", variables={"winner": "bob"})
    await store.commit(Batch(executions=[live], history=[row(params={"message": "hi bob"})]))
    assert await store.forget(HERE, "bob") == Forgotten(live=1)
    assert await store.execution("e1") == live
    assert await store.history("e1") == [row(params={"message": "hi bob"})]
    await store.commit(Batch(executions=[replace(live, status="completed", branches=(), ended_at=120.0)]))
    assert await store.forget(HERE, "bob") == Forgotten(executions=1, history=1)


async def test_who_else_is_known_and_who_wrote_what_is_left_alone(store: Store) -> None:
    kept = Batch(
        executions=[replace(KNOWS_BOB, id="e2", community=ELSEWHERE)],
        events=[event("m1", payload={"user": {"name": "bobby"}, "message": "bob_by bobs"})],
        revisions=[revision()],
        changes=[change()],
        workflows=[workflow()],
    )
    await store.commit(kept)
    assert await store.forget(HERE, "bob") == Forgotten()
    assert await store.forget(HERE, "ann") == Forgotten()
    assert await store.changes(HERE) == [change()]
    assert await store.execution("e2") == kept.executions[0]


async def test_what_says_how_records_belong_together_survives_even_if_it_reads_like_a_name(store: Store) -> None:
    run = execution("raid", status="failed", ended_at=120.0, error="no raid", visits={"main/raid": 1})
    happened = event("raid", name="raid.received")
    await store.commit(
        Batch(
            executions=[run],
            history=[row(0, "raid", state="raid", to="raid", path="raid", outcome="raid")],
            events=[happened],
            admissions=[admission(event="raid", event_name="raid.received", execution="raid")],
        )
    )
    await store.forget(HERE, "raid")
    assert await store.execution("raid") == replace(run, error=f"no {FORGOTTEN}")
    assert await store.history("raid") == [row(0, "raid", state="raid", to="raid", path="raid", outcome="raid")]
    assert await store.event(HERE, "raid") == happened
    assert await store.admissions(HERE) == [admission(event="raid", event_name="raid.received", execution="raid")]
    assert (await store.executions(HERE, "raid"))[0].workflow == "raid"


@pytest.mark.parametrize("name", ["", " ", "@"])
async def test_nobody_is_not_forgotten(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        await store.forget(HERE, name)
