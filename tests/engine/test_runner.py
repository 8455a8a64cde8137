"""What the runner promises: one event, one commit; commit first, then act; nothing lost, nothing done twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from engine.declare import Method, Param
from engine.errors import RevisionMoved, StoreError, StoreUnwritable
from engine.execution import Done, Effect, Failed, Unknown
from engine.ports import AdmissionRecord, Batch, Store, WorkflowRecord
from engine.runner import NotOpen, NotStorable
from storage.sqlite import SQLiteStore
from tests.fakes import (
    COMMUNITY,
    MODERATOR,
    STREAMER,
    VIEWER,
    Bench,
    RecordingService,
    asleep_until,
    look,
    never,
    say,
    wait,
    workflow,
)
from tests.fakes_store import MemoryStore

RAID = workflow(
    "raid",
    say("welcome", "welcome ${user}!"),
    wait("rest", 10),
    say("bye", "bye"),
    triggers=[{"on": "raid", "when": "viewers > 5"}],
)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = MemoryStore() if request.param == "memory" else await SQLiteStore.open(tmp_path / "bot.db")
    yield opened
    await opened.close()


@pytest.fixture
async def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def bench(store: Store) -> AsyncIterator[Bench]:
    opened = await Bench(store).open()
    yield opened
    await opened.runner.close()


async def restart(bench: Bench, store: Store | None = None) -> Bench:
    """As after a crash: another runner, later, on what was committed."""
    await bench.runner.close()
    return Bench(store or bench.store, bench.clock, prefix=f"again-{bench.prefix}")


# Events and starts -------------------------------------------------------------------------------------------------------


async def test_an_event_runs_the_workflow_that_listens_for_it_to_its_end(bench: Bench) -> None:
    await bench.save(RAID)
    posted = await bench.happen("raid.received", viewers=50)
    assert bench.service.said == ["welcome bob!"]
    await bench.advance(9.5)
    assert bench.service.said == ["welcome bob!"]
    await bench.advance(0.5)
    assert bench.service.said == ["welcome bob!", "bye"]
    (execution,) = posted.started
    assert (await bench.ended(execution.id)).status == "completed"
    history = await bench.store.history(execution.id)
    assert [(row.seq, row.state, row.outcome) for row in history] == [
        (0, "welcome", "success"),
        (1, "rest", "success"),
        (2, "bye", "success"),
    ]
    assert await bench.runner.live(COMMUNITY) == ()
    assert await bench.store.outbox(COMMUNITY) == []


async def test_one_event_and_all_it_leads_to_are_one_commit(memory: MemoryStore) -> None:
    others = [workflow(f"other{n}", say(f"s{n}", "hi"), triggers=["raid"]) for n in range(3)]
    bench = await Bench(memory).open(
        RAID, *others, workflow("strict", say("x", "x"), triggers=[{"on": "raid", "when": "viewers > 99"}])
    )
    memory.commits.clear()
    await bench.runner.post(bench.event("raid.received", viewers=50, natural="raid-of-bob"))
    first = memory.commits[0]
    assert [event.name for event in first.events] == ["raid.received"]
    assert {execution.workflow for execution in first.executions} == {"raid", "other0", "other1", "other2"}
    assert len(first.outbox) == 4
    assert len(first.admissions) == 5
    assert len(first.seen) == 2
    await bench.runner.close()


async def test_nothing_is_done_before_it_is_committed(memory: MemoryStore) -> None:
    gate = asyncio.Event()
    slow = SlowStore(memory, gate)
    bench = Bench(slow)
    gate.set()
    await bench.open(RAID)
    gate.clear()
    posting = asyncio.create_task(bench.runner.post(bench.event("raid.received", viewers=50)))
    await asyncio.sleep(0.02)
    assert bench.service.asked == []
    assert not posting.done()
    gate.set()
    await posting
    await bench.runner.quiescent()
    assert bench.service.said == ["welcome bob!"]
    await bench.runner.close()


async def test_what_arrives_while_a_commit_is_in_flight_goes_into_the_next_one(memory: MemoryStore) -> None:
    gate = asyncio.Event()
    gate.set()
    bench = await Bench(SlowStore(memory, gate)).open(workflow("w", look("l"), triggers=["follow"]))
    gate.clear()
    memory.commits.clear()
    posts = [asyncio.create_task(bench.runner.post(bench.event("follow.received")))]
    await asyncio.sleep(0.01)
    posts += [asyncio.create_task(bench.runner.post(bench.event("follow.received"))) for _ in range(20)]
    await asyncio.sleep(0.01)
    gate.set()
    await asyncio.gather(*posts)
    assert [len(batch.events) for batch in memory.commits[:2]] == [1, 20]
    await bench.runner.close()


async def test_a_commit_takes_no_more_than_about_256_rows(memory: MemoryStore) -> None:
    bench = await Bench(memory).open()
    memory.commits.clear()
    await asyncio.gather(*(bench.runner.post(bench.event("nothing.special")) for _ in range(1_000)))
    assert max(len(batch.events) for batch in memory.commits) <= 256
    assert sum(len(batch.events) for batch in memory.commits) == 1_000
    await bench.runner.close()


async def test_the_same_event_counts_once(bench: Bench) -> None:
    await bench.save(RAID)
    first, second = await asyncio.gather(
        bench.runner.post(bench.event("raid.received", id="r1", viewers=50)),
        bench.runner.post(bench.event("raid.received", id="r1", viewers=50)),
    )
    third = await bench.happen("raid.received", id="r1", viewers=50)
    assert (first.duplicate, second.duplicate, third.duplicate) == (False, True, True)
    assert bench.service.said == ["welcome bob!"]


async def test_an_event_told_twice_under_different_ids_counts_once_by_its_natural_key(bench: Bench) -> None:
    await bench.save(RAID)
    await bench.happen("raid.received", viewers=50, natural="bob-raids-at-8")
    again = await bench.happen("raid.received", viewers=50, natural="bob-raids-at-8")
    assert again.duplicate
    assert bench.service.said == ["welcome bob!"]


async def test_the_same_event_counts_once_across_a_restart(bench: Bench) -> None:
    await bench.save(RAID)
    await bench.happen("raid.received", id="r1", viewers=50)
    again = await restart(bench)
    await again.open()
    assert (await again.happen("raid.received", id="r1", viewers=50)).duplicate
    assert again.service.said == []
    await again.runner.close()


async def test_a_refused_event_is_recorded_with_the_values_seen(bench: Bench) -> None:
    await bench.save(RAID)
    posted = await bench.happen("raid.received", viewers=3)
    assert posted.started == ()
    (record,) = await bench.store.admissions(COMMUNITY, "raid")
    assert record.reason == "the raid had 3 viewers; it needs viewers > 5"
    assert record == posted.refused[0]
    assert (await bench.store.event(COMMUNITY, record.event)) == posted.event


async def test_chat_lines_no_trigger_took_are_remembered_but_not_stored(bench: Bench) -> None:
    await bench.save(workflow("hi", say("s", "hi"), triggers=[{"on": "message", "when": 'message contains "hello"'}]))
    await bench.happen("message.received", message="good evening", command=None)
    assert await bench.store.admissions(COMMUNITY) == []
    (refusal,) = bench.runner.refusals(COMMUNITY, "hi")
    assert refusal.reason == 'message was "good evening"; it needs message contains "hello"'


async def test_what_cannot_be_kept_is_refused_before_it_does_harm(bench: Bench) -> None:
    with pytest.raises(NotStorable):
        await bench.runner.post(bench.event("x.happened", thing=object()))
    with pytest.raises(NotStorable):
        await bench.runner.post(bench.event("x.happened", thing="x" * 100_000))
    with pytest.raises(NotStorable):
        await bench.runner.post(bench.event("x.happened", thing="\ud800"))


async def test_a_closed_community_takes_no_work(bench: Bench) -> None:
    with pytest.raises(NotOpen):
        await bench.runner.run("elsewhere", "raid", {}, STREAMER)
    await bench.runner.close()
    with pytest.raises(NotOpen):
        await bench.runner.post(bench.event("raid.received", viewers=50))


# By hand -------------------------------------------------------------------------------------------------------------------


async def test_staff_run_by_hand_with_arguments(bench: Bench) -> None:
    await bench.save(workflow("greet", say("s", "${word} ${user}"), variables={"word": {"required": True}}))
    execution = await bench.run("greet", MODERATOR, word="hello")
    assert bench.service.said == ["hello mod"]
    (record,) = await bench.store.admissions(COMMUNITY)
    assert (record.execution, record.reason, record.who) == (execution.id, None, "mod")


@pytest.mark.parametrize(
    ("id", "by", "words"),
    [
        ("raid", VIEWER, "bob may not start it; it is for moderators and the broadcaster"),
        ("off", STREAMER, "it is switched off"),
        ("needy", STREAMER, "needs target"),
        ("nothing", STREAMER, "there is no workflow nothing"),
        ("lost", STREAMER, "there is no step"),
    ],
)
async def test_a_run_that_may_not_be_is_refused_with_a_sentence(bench: Bench, id: str, by: Any, words: str) -> None:
    await bench.save(RAID)
    await bench.save(workflow("off", say("s", "x")), enabled=False)
    await bench.save(workflow("needy", say("s", "x"), variables={"target": {"required": True}}))
    await bench.save(workflow("lost", {"name": "w", "action": {"kind": "goto", "to": "nowhere"}}))
    refused = await bench.runner.run(COMMUNITY, id, {}, by)
    assert isinstance(refused, AdmissionRecord)
    assert refused.execution is None
    assert words in (refused.reason or "")
    assert bench.service.asked == []


async def test_a_step_only_the_broadcaster_may_write_is_not_done_for_a_moderator(bench: Bench) -> None:
    end = {"name": "end", "action": {"service": "stage", "method": "end_stream", "params": {}}}
    await bench.save(workflow("bad", end), step_authors={"end": MODERATOR})
    execution = await bench.run("bad", STREAMER)
    ended = await bench.ended(execution.id)
    assert ended.status == "failed"
    assert "only the broadcaster" in (ended.error or "")
    assert bench.service.asked == []


async def test_a_workflow_that_runs_once_at_a_time_is_let_in_again_when_it_has_ended(bench: Bench) -> None:
    await bench.save(workflow("solo", wait("rest", 5), say("s", "x"), triggers=["raid"], policy={"mode": "single"}))
    assert len((await bench.happen("raid.received")).started) == 1
    refused = await bench.happen("raid.received")
    assert [record.reason for record in refused.refused] == ["it is still running, and it runs once at a time"]
    await bench.advance(5)
    assert len((await bench.happen("raid.received")).started) == 1


# Catalogue -----------------------------------------------------------------------------------------------------------------


async def test_an_execution_stays_on_its_revision(bench: Bench) -> None:
    await bench.save(RAID)
    posted = await bench.happen("raid.received", viewers=50)
    await bench.save(workflow("raid", wait("rest", 1), say("bye", "changed"), triggers=["raid"]), number=2)
    await bench.advance(10)
    assert bench.service.said == ["welcome bob!", "bye"]
    assert (await bench.ended(posted.started[0].id)).revision == 1
    await bench.happen("raid.received", viewers=1)
    await bench.advance(1)
    assert bench.service.said[-1] == "changed"


async def test_an_old_revision_is_found_again_after_a_restart(bench: Bench) -> None:
    await bench.save(RAID)
    await bench.happen("raid.received", viewers=50)
    await bench.save(workflow("raid", say("bye", "changed")), number=2)
    again = await (await restart(bench)).open()
    await again.advance(10)
    assert again.service.said == ["bye"]
    await again.runner.close()


async def test_switching_off_deleting_and_going_back_to_an_old_version_count_at_once(bench: Bench) -> None:
    await bench.save(RAID)
    await bench.save(workflow("raid", say("x", "v2"), triggers=["raid"]), number=2)

    async def stands(revision: int, *, enabled: bool = True, deleted: bool = False) -> None:
        await bench.runner.save(
            Batch(workflows=[WorkflowRecord(COMMUNITY, "raid", "raid", revision, enabled, deleted)])
        )

    await stands(2, enabled=False)
    refused = await bench.happen("raid.received", viewers=50)
    assert [record.reason for record in refused.refused] == ["it is switched off"]
    await stands(1)
    await bench.happen("raid.received", viewers=50)
    assert bench.service.said == ["welcome bob!"]
    await stands(1, deleted=True)
    gone = await bench.happen("raid.received", viewers=50)
    assert (gone.started, gone.refused) == ((), ())


async def test_a_save_that_fails_fails_alone(bench: Bench) -> None:
    await bench.save(RAID)
    with pytest.raises(RevisionMoved):
        await asyncio.gather(
            bench.runner.post(bench.event("raid.received", viewers=50)),
            bench.save(RAID, number=1),
        )
    await bench.runner.quiescent()
    assert bench.service.said == ["welcome bob!"]
    assert bench.notices == []


# Controls ------------------------------------------------------------------------------------------------------------------


async def test_pause_freezes_what_is_left_of_a_wait(bench: Bench) -> None:
    await bench.save(RAID)
    await bench.happen("raid.received", viewers=50)
    await bench.advance(4)
    assert len(await bench.runner.control(COMMUNITY, "pause", "raid", MODERATOR)) == 1
    assert await bench.runner.control(COMMUNITY, "pause", "raid", MODERATOR) == ()
    await bench.advance(100)
    assert bench.service.said == ["welcome bob!"]
    await bench.runner.control(COMMUNITY, "resume", None, MODERATOR)
    await bench.advance(5.5)
    assert bench.service.said == ["welcome bob!"]
    await bench.advance(0.5)
    assert bench.service.said == ["welcome bob!", "bye"]


async def test_stop_ends_at_once_and_cancel_lets_the_workflow_clean_up(bench: Bench) -> None:
    clean = workflow(
        "clean", wait("rest", 10, transitions={"cancel": "tidy"}), say("tidy", "tidied"), triggers=["raid"]
    )
    await bench.save(clean)
    stopped = (await bench.happen("raid.received", viewers=1)).started[0]
    await bench.runner.control(COMMUNITY, "stop", "clean", MODERATOR)
    assert (await bench.ended(stopped.id)).status == "stopped"
    cancelled = (await bench.happen("raid.received", viewers=1)).started[0]
    await bench.runner.control(COMMUNITY, "cancel", "clean", MODERATOR)
    await bench.runner.quiescent()
    assert bench.service.said == ["tidied"]
    assert (await bench.ended(cancelled.id)).status == "cancelled"


async def test_an_effect_in_flight_at_a_stop_ends_and_its_late_result_is_recorded(bench: Bench) -> None:
    await bench.save(RAID)
    bench.service.answer("say", asleep_until(bench.clock, 1_005.0))
    started = (await bench.happen("raid.received", viewers=50)).started[0]
    await bench.runner.control(COMMUNITY, "stop", "raid", MODERATOR)
    assert await bench.runner.live(COMMUNITY) == ()
    await bench.advance(5)
    ended = await bench.ended(started.id)
    assert (ended.status, ended.orphans) == ("stopped", ())
    assert await bench.store.outbox(COMMUNITY) == []
    assert bench.service.said == ["welcome bob!"]


# Services that go wrong ----------------------------------------------------------------------------------------------------


async def test_what_breaks_before_it_begins_has_failed(bench: Bench) -> None:
    await bench.save(RAID)
    bench.service.early.add("say")
    started = (await bench.happen("raid.received", viewers=50)).started[0]
    ended = await bench.ended(started.id)
    assert ended.status == "failed"
    assert "broke before it did anything" in (ended.error or "")
    assert [attempt.outcome for attempt in bench.attempts] == ["error"]


async def test_what_breaks_after_it_began_is_an_unknown_outcome_told_to_people_and_never_tried_again(
    bench: Bench,
) -> None:
    await bench.save(workflow("w", say("s", "x", retry={"max_attempts": 5}), triggers=["raid"]))
    bench.service.answer("say", RuntimeError("connection lost"))
    started = (await bench.happen("raid.received")).started[0]
    await bench.advance(60)
    assert [attempt.outcome for attempt in bench.attempts] == ["unknown"]
    assert (await bench.ended(started.id)).status == "failed"
    assert len(bench.notices) == 1
    assert 'step "s" of w' in bench.notices[0]


async def test_a_retryable_failure_is_tried_again_as_another_attempt_with_its_own_id(bench: Bench) -> None:
    await bench.save(workflow("w", say("s", "x", retry={"max_attempts": 3, "delay_seconds": 5}), triggers=["raid"]))
    bench.service.answer("say", Failed("busy", "busy", retryable=True), Failed("busy", "busy", retryable=True))
    started = (await bench.happen("raid.received")).started[0]
    assert len(bench.service.asked) == 1
    await bench.advance(10)
    assert [effect.id for effect in bench.service.asked] == [
        f"{started.id}/main/s/1",
        f"{started.id}/main/s/1#2",
        f"{started.id}/main/s/1#3",
    ]
    assert [(attempt.outcome, attempt.at) for attempt in bench.attempts] == [
        ("error", 1_000.0),
        ("error", 1_005.0),
        ("done", 1_010.0),
    ]
    assert (await bench.ended(started.id)).status == "completed"


async def test_what_was_looked_up_is_used_again_for_its_time_and_a_failure_is_not(store: Store) -> None:
    lookup = Method("stage", "look", (Param("at", "any", required=False),), repeatable=True, cacheable_seconds=30)
    bench = await Bench(store, service=RecordingService("stage", (lookup,))).open(
        workflow("w", {**look("s"), "action": {"service": "stage", "method": "look", "params": {"at": "${at}"}}})
    )
    bench.service.answer("look", Failed("away", "away"), Done("a"), Done("b"), Done("c"))
    found = []
    for at, seconds in (("x", 0), ("x", 0), ("x", 29), ("y", 0), ("x", 1)):
        await bench.advance(seconds)
        run = await bench.ended((await bench.run("w", at=at)).id)
        found.append(run.results.get("s"))
    assert found == [None, "a", "a", "b", "c"]
    assert [effect.params["at"] for effect in bench.service.asked] == ["x", "x", "y", "x"]
    await bench.runner.close()


@pytest.mark.parametrize("output", [object(), float("nan"), "x" * 100_000, {"deep": {1, 2}}])
async def test_a_result_that_cannot_be_kept_is_an_error_of_that_step_only(bench: Bench, output: Any) -> None:
    await bench.save(workflow("w", say("s", "x"), triggers=["raid"]))
    bench.service.answer("say", Done(output))
    started = (await bench.happen("raid.received")).started[0]
    assert (await bench.ended(started.id)).status == "failed"
    assert (await bench.happen("raid.received")).started
    assert len(bench.notices) == 1  # told once, however often it happens
    assert bench.notices[0].startswith('w (v1) failed: "s" failed: ')


async def test_a_service_that_says_nothing_leaves_an_unknown_outcome(bench: Bench) -> None:
    await bench.save(workflow("w", say("s", "x"), triggers=["raid"]))

    async def nothing() -> None:
        return None

    bench.service.answer("say", nothing)
    started = (await bench.happen("raid.received")).started[0]
    assert [row.outcome for row in await bench.store.history(started.id)] == ["unknown"]


async def test_whoever_listens_cannot_keep_a_result_from_being_recorded(store: Store) -> None:
    class Deaf(list[Any]):
        def append(self, _: Any) -> None:
            raise RuntimeError("not listening")

    bench = await Bench(store, attempts=Deaf(), notices=Deaf()).open(RAID)
    bench.service.answer("say", Unknown("who knows"))
    started = (await bench.happen("raid.received", viewers=50)).started[0]
    assert (await bench.ended(started.id)).status == "failed"
    await bench.runner.close()


async def test_a_mistake_of_the_machine_ends_that_execution_and_no_other(bench: Bench) -> None:
    await bench.save(workflow("w", say("s", "x"), wait("rest", 5), triggers=["raid"]))
    await bench.save(workflow("v", wait("rest", 5), say("s", "fine"), triggers=["raid"]))
    posted = await bench.happen("raid.received")
    community = bench.runner._communities[COMMUNITY]
    loaded = community.revisions["w", 1]
    community.revisions["w", 1] = replace(loaded, program=replace(loaded.program, states={}))  # type: ignore[type-var]
    await bench.advance(10)
    broken, fine = [await bench.ended(execution.id) for execution in posted.started]
    assert (broken.status, fine.status) == ("failed", "completed")
    assert bench.service.said == ["x", "fine"]


async def test_a_state_that_times_out_goes_on_and_does_not_wait_for_its_effect(bench: Bench) -> None:
    slow = say("s", "slow", timeout_seconds=5, transitions={"success": "fine", "timeout": "tardy"})
    end = {"name": "end", "action": {"kind": "stop"}}
    await bench.save(workflow("w", slow, say("fine", "fine"), end, say("tardy", "late"), triggers=["raid"]))
    bench.service.answer("say", asleep_until(bench.clock, 1_100.0))
    started = (await bench.happen("raid.received")).started[0]
    await bench.advance(5)
    assert bench.service.said == ["slow", "late"]
    await bench.advance(200)
    assert bench.service.said == ["slow", "late"]
    assert (await bench.ended(started.id)).orphans == ()


# Restart -------------------------------------------------------------------------------------------------------------------


async def test_a_wait_goes_on_after_a_restart_and_overdue_ones_in_due_order(bench: Bench) -> None:
    for seconds in (30, 10, 20):
        await bench.save(workflow(f"w{seconds}", wait("rest", seconds), say("s", f"{seconds}"), triggers=["raid"]))
    await bench.save(workflow("later", wait("rest", 500), say("s", "later"), triggers=["raid"]))
    await bench.happen("raid.received")
    again = await restart(bench)
    again.clock = type(again.clock)(bench.clock.now() + 100)
    again.__post_init__()
    await again.open()
    await again.runner.quiescent()
    assert again.service.said == ["10", "20", "30"]
    await again.advance(400)
    assert again.service.said[-1] == "later"
    await again.runner.close()


async def test_what_was_due_is_done_after_a_restart_under_the_same_id(memory: MemoryStore) -> None:
    bench = await Bench(memory).open(RAID)
    bench.runner._outbox.perform = lambda effect: None  # type: ignore[method-assign]  the process dies right after the commit
    started = (await bench.happen("raid.received", viewers=50)).started[0]
    again = await (await restart(bench)).open()
    await again.runner.quiescent()
    assert [effect.id for effect in again.service.asked] == [f"{started.id}/main/welcome/1"]
    assert again.service.asked_to_settle == []
    await again.runner.close()


async def test_what_was_begun_and_may_not_be_done_twice_is_settled_or_unknown_never_repeated(bench: Bench) -> None:
    await bench.save(workflow("w", say("s", "x"), say("t", "y"), triggers=["raid"]))
    bench.service.answer("say", never, never)
    known = (await asyncio.wait_for(bench.runner.post(bench.event("raid.received")), 1)).started[0]
    unknown = (await asyncio.wait_for(bench.runner.post(bench.event("raid.received")), 1)).started[0]
    await bench.service.has_begun(2)
    again = await restart(bench)
    again.service.settled[f"{known.id}/main/s/1"] = Done("seen in chat")
    await again.open()
    await again.runner.quiescent()
    assert again.service.asked_to_settle == [f"{known.id}/main/s/1", f"{unknown.id}/main/s/1"]
    assert again.service.said == ["y"]
    assert (await again.ended(known.id)).status == "completed"
    failed = await again.ended(unknown.id)
    assert failed.status == "failed"
    assert [row.outcome for row in await again.store.history(unknown.id)] == ["unknown"]
    assert len(again.notices) == 1
    assert await again.store.outbox(COMMUNITY) == []
    await again.runner.close()


async def test_what_was_under_way_and_may_be_repeated_is_repeated_under_the_same_id(bench: Bench) -> None:
    await bench.save(workflow("w", look("l"), triggers=["raid"]))
    bench.service.answer("look", never)
    started = (await asyncio.wait_for(bench.runner.post(bench.event("raid.received")), 1)).started[0]
    await bench.service.has_begun(1)
    again = await (await restart(bench)).open()
    await again.runner.quiescent()
    assert [effect.id for effect in again.service.asked] == [f"{started.id}/main/l/1"]
    assert (await again.ended(started.id)).status == "completed"
    await again.runner.close()


async def test_a_settle_that_breaks_is_an_unknown_outcome(bench: Bench) -> None:
    await bench.save(workflow("w", say("s", "x"), triggers=["raid"]))
    bench.service.answer("say", never)
    started = (await asyncio.wait_for(bench.runner.post(bench.event("raid.received")), 1)).started[0]
    await bench.service.has_begun(1)
    again = await restart(bench)
    again.service.settled[f"{started.id}/main/s/1"] = RuntimeError("no network")
    await again.open()
    await again.runner.quiescent()
    assert (await again.ended(started.id)).status == "failed"
    await again.runner.close()


async def test_closing_does_not_wait_for_effects_in_flight(bench: Bench) -> None:
    await bench.save(RAID)
    bench.service.answer("say", never)
    await bench.runner.post(bench.event("raid.received", viewers=50))
    await bench.service.has_begun(1)
    await asyncio.wait_for(bench.runner.close(), 1)
    (record,) = await bench.store.outbox(COMMUNITY)
    assert record.status == "begun"


async def test_closing_lets_what_has_been_handed_over_end_and_hands_over_nothing_more(store: Store) -> None:
    two = workflow("two", say("a", "one"), say("b", "two"), triggers=["raid"])
    bench = await Bench(store).open(two)

    async def soon() -> Done:
        await asyncio.sleep(0.05)
        return Done()

    bench.service.answer("say", soon)
    await bench.runner.post(bench.event("raid.received", viewers=50))
    await bench.service.has_begun(1)
    await bench.runner.close()
    assert bench.service.said == ["one"]
    (record,) = await bench.store.outbox(COMMUNITY)
    assert (record.effect.state, record.status) == ("b", "due")


async def test_closing_while_an_effect_is_being_marked_leaves_nothing_unknown(store: Store) -> None:
    bench = await Bench(store).open(RAID)
    await bench.runner.post(bench.event("raid.received", viewers=50))
    await asyncio.sleep(0)  # it is on its way to the service, or just about to be
    await bench.runner.close()
    assert [record.status for record in await bench.store.outbox(COMMUNITY)] in ([], ["due"])
    (execution,) = await bench.store.executions(COMMUNITY, "raid", 1)
    assert execution.status in ("running", "waiting")


async def test_closing_writes_what_had_arrived_and_answers_those_who_wait(memory: MemoryStore) -> None:
    bench = await Bench(memory).open(RAID)
    posts = [asyncio.create_task(bench.runner.post(bench.event("raid.received", viewers=50))) for _ in range(5)]
    await asyncio.sleep(0)
    await bench.runner.close()
    answers = await asyncio.wait_for(asyncio.gather(*posts, return_exceptions=True), 1)
    saved = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert all(isinstance(answer, NotOpen) for answer in answers if isinstance(answer, BaseException))
    assert len(await memory.events(COMMUNITY)) == len(saved)


async def test_effects_that_all_have_to_wait_are_handed_over_many_in_a_turn_and_in_their_order(
    memory: MemoryStore,
) -> None:
    bench = await Bench(memory).open(workflow("w", look("ask"), triggers=["raid"]))
    bench.service.answer("look", *[asleep_until(bench.clock, 9_000.0)] * 600)
    for _ in range(300):
        await bench.runner.post(bench.event("raid.received"))
    await bench.runner.quiescent()
    again = Bench(memory.reopen(), bench.clock, bench.service, prefix="again")
    before = [effect.id for effect in bench.service.asked]
    await again.open()
    turns = 0
    while len(bench.service.asked) < 600:
        await asyncio.sleep(0)
        turns += 1
    assert [effect.id for effect in bench.service.asked] == [*before, *before]
    assert turns < 30
    for each in (again, bench):
        await each.runner.close()


# A store that cannot be written --------------------------------------------------------------------------------------------


FULL = StoreUnwritable("the disk is full")


async def test_if_a_commit_fails_nothing_of_it_happened(memory: MemoryStore) -> None:
    bench = await Bench(memory).open(RAID)
    memory.fail_with = FULL
    with pytest.raises(StoreUnwritable):
        await bench.runner.post(bench.event("raid.received", id="r1", viewers=50))
    with pytest.raises(StoreUnwritable):
        await bench.runner.run(COMMUNITY, "raid", {}, STREAMER)
    with pytest.raises(StoreUnwritable):
        await bench.save(RAID, number=2)
    assert await bench.runner.live(COMMUNITY) == ()
    assert bench.service.asked == []
    assert len(bench.notices) == 1
    memory.fail_with = None
    assert not (await bench.happen("raid.received", id="r1", viewers=50)).duplicate
    assert bench.service.said == ["welcome bob!"]
    assert bench.notices[1:] == ["I can save again, and go on."]
    await bench.runner.close()


async def test_what_was_built_on_a_commit_that_fails_does_not_happen_either(memory: MemoryStore) -> None:
    gate = asyncio.Event()
    gate.set()
    store = SlowStore(memory, gate)
    bench = await Bench(store).open(workflow("w", wait("rest", 10), say("s", "x"), triggers=["raid"]))
    gate.clear()
    posting = asyncio.create_task(bench.runner.post(bench.event("raid.received")))
    await asyncio.sleep(0.01)
    pausing = asyncio.create_task(bench.runner.control(COMMUNITY, "pause", "w", MODERATOR))
    await asyncio.sleep(0.01)
    store.fails_once_with = FULL
    gate.set()
    assert [type(told) for told in await asyncio.gather(posting, pausing, return_exceptions=True)] == [
        StoreUnwritable,
        StoreUnwritable,
    ]
    assert await memory.executions(COMMUNITY) == []
    assert await bench.runner.live(COMMUNITY) == ()
    await bench.runner.close()


async def test_a_result_that_could_not_be_saved_is_saved_later_and_its_effect_is_not_done_again(
    memory: MemoryStore,
) -> None:
    bench = await Bench(memory).open(workflow("w", say("s", "x"), say("t", "y"), triggers=["raid"]))

    async def done_as_the_disk_fills_up() -> Done:
        memory.fail_with = FULL
        return Done()

    bench.service.answer("say", done_as_the_disk_fills_up)
    started = (await bench.happen("raid.received")).started[0]
    await bench.advance(10)
    assert bench.service.said == ["x"]
    assert len(bench.notices) == 1
    memory.fail_with = None
    await bench.advance(60)
    assert bench.service.said == ["x", "y"]
    assert (await bench.ended(started.id)).status == "completed"
    assert bench.service.asked_to_settle == []
    assert len(bench.notices) == 2
    await bench.runner.close()


async def test_a_mark_that_could_not_be_saved_keeps_its_effect_due(memory: MemoryStore) -> None:
    bench = Bench(memory)
    bench.service = FullBeforeBegin(memory=memory)
    bench.__post_init__()
    await bench.open(workflow("w", say("s", "x"), triggers=["raid"]))
    started = (await bench.happen("raid.received")).started[0]
    assert bench.service.begun == []
    memory.fail_with = None
    await bench.advance(60)
    assert bench.service.begun == [f"{started.id}/main/s/1"]
    assert (await bench.ended(started.id)).status == "completed"
    await bench.runner.close()


async def test_a_wait_that_is_due_while_the_disk_is_full_goes_on_once_there_is_room(memory: MemoryStore) -> None:
    bench = await Bench(memory).open(RAID)
    started = (await bench.happen("raid.received", viewers=50)).started[0]
    memory.fail_with = FULL
    await bench.advance(100)
    assert bench.service.said == ["welcome bob!"]
    assert [execution.status for execution in await bench.runner.live(COMMUNITY)] == ["waiting"]
    memory.fail_with = None
    await bench.advance(60)
    assert bench.service.said == ["welcome bob!", "bye"]
    assert (await bench.ended(started.id)).status == "completed"
    history = await memory.history(started.id)
    assert [row.seq for row in history] == [0, 1, 2]
    await bench.runner.close()


# Quiet, exactly ------------------------------------------------------------------------------------------------------------


async def test_quiescent_waits_for_effects_but_not_for_those_that_sleep_on_the_clock(bench: Bench) -> None:
    await bench.save(workflow("w", look("l"), say("s", "x"), triggers=["raid"]))
    gate = asyncio.Event()

    async def gated() -> Done:
        await gate.wait()
        return Done()

    bench.service.answer("look", gated)
    bench.service.answer("say", asleep_until(bench.clock, 2_000.0))
    await bench.runner.post(bench.event("raid.received"))
    quiet = asyncio.create_task(bench.runner.quiescent())
    await asyncio.sleep(0.02)
    assert not quiet.done()
    gate.set()
    await asyncio.wait_for(quiet, 1)
    assert [attempt.outcome for attempt in bench.attempts] == ["done"]
    assert bench.service.said == ["x"]


async def test_quiescent_returns_also_after_a_save_that_failed(memory: MemoryStore) -> None:
    gate = asyncio.Event()
    gate.set()
    bench = await Bench(SlowStore(memory, gate)).open(RAID)
    gate.clear()
    saving = asyncio.create_task(bench.save(RAID, number=1))
    await asyncio.sleep(0.01)
    quiet = asyncio.create_task(bench.runner.quiescent())
    await asyncio.sleep(0.01)
    assert not quiet.done()
    gate.set()
    await asyncio.wait_for(quiet, 1)
    with pytest.raises(RevisionMoved):
        await saving
    await bench.runner.close()


async def test_virtual_time_meets_every_due_time_of_every_execution_in_order(bench: Bench) -> None:
    for seconds in (7, 3, 5):
        await bench.save(
            workflow(
                f"w{seconds}",
                wait("a", seconds),
                say("s", f"{seconds}"),
                wait("b", seconds),
                say("t", f"{seconds}"),
                triggers=["raid"],
            )
        )
    await bench.happen("raid.received")
    await bench.advance(100)
    assert [
        (effect.params["message"], attempt.at)
        for effect, attempt in zip(bench.service.asked, bench.attempts, strict=True)
    ] == [
        ("3", 1_003.0),
        ("5", 1_005.0),
        ("3", 1_006.0),
        ("7", 1_007.0),
        ("5", 1_010.0),
        ("7", 1_014.0),
    ]


async def test_ten_thousand_waits_cost_no_tasks(memory: MemoryStore) -> None:
    bench = await Bench(memory).open()
    community = bench.runner._communities[COMMUNITY]
    for number in range(10_000):
        community.timers.arm(f"e{number}", 5_000.0 + number)
    await bench.runner.quiescent()
    assert len(asyncio.all_tasks()) < 10
    await bench.runner.close()


# Doubles of this file ------------------------------------------------------------------------------------------------------


class SlowStore:
    """A store whose commits wait at a gate."""

    def __init__(self, inner: MemoryStore, gate: asyncio.Event) -> None:
        self._inner = inner
        self._gate = gate
        self.fails_once_with: StoreError | None = None

    async def commit(self, batch: Batch) -> None:
        await self._gate.wait()
        if self.fails_once_with is not None:
            error, self.fails_once_with = self.fails_once_with, None
            raise error
        await self._inner.commit(batch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@dataclass(eq=False)
class FullBeforeBegin(RecordingService):
    """The disk fills up right before the first effect begins."""

    memory: MemoryStore = field(default_factory=MemoryStore)
    filled: bool = False

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Done | Failed | Unknown:
        if not self.filled:
            self.filled = True
            self.memory.fail_with = FULL
        return await super().perform(effect, begin)
