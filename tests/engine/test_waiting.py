"""What the runner promises of runs that wait: for an event, for their time, for somebody to say so."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StoreError
from engine.execution import Execution, Failed, Person
from engine.inputs import Extend, Skip
from engine.ports import AdmissionRecord, Sleeper, Store
from engine.runner import NotStorable
from storage.sqlite import SQLiteStore
from tests.fakes import COMMUNITY, MODERATOR, STREAMER, Bench, say, wait, workflow
from tests.fakes_store import MemoryStore


def hears(name: str, event: str, **more: Any) -> dict[str, Any]:
    """A step that waits for an event."""
    action = {key: more.pop(key) for key in ("when", "who", "consume") if key in more}
    return {"name": name, "action": {"kind": "wait_for", "event": event, **action}, **more}


ASK = workflow("ask", hears("w", "raid", consume=True), say("s", "${caller}: ${results.w.viewers}"))


# Waiting for an event ------------------------------------------------------------------------------------------------------


async def test_waits_come_before_triggers(bench: Bench) -> None:
    await bench.save(workflow("hears", hears("w", "raid"), say("s", "waited")))
    await bench.save(workflow("starts", say("s", "started"), triggers=["raid"]))
    waiting = await bench.run("hears")
    posted = await bench.happen("raid.received")
    assert posted.heard == (waiting.id,)
    assert bench.service.said == ["waited", "started"]


async def test_an_event_that_is_kept_goes_to_the_oldest_wait_only_and_starts_nothing(bench: Bench) -> None:
    await bench.save(ASK)
    await bench.save(workflow("starts", say("s", "started"), triggers=["raid"]))
    await bench.run("ask", MODERATOR)
    await bench.run("ask", STREAMER)
    assert (await bench.happen("raid.received", viewers=1)).started == ()
    await bench.happen("raid.received", viewers=2)
    await bench.happen("raid.received", viewers=3)
    assert bench.service.said == ["mod: 1", "streamer: 2", "started"]


async def test_the_oldest_wait_is_the_oldest_after_a_restart_too(bench: Bench) -> None:
    await bench.save(ASK)
    for name in "abc":
        await bench.run("ask", Person(name, roles=("moderator",)))
        await bench.advance(1)
    again = await (await bench.again()).open()
    for viewers in (1, 2, 3):
        await again.happen("raid.received", viewers=viewers)
    assert again.service.said == ["a: 1", "b: 2", "c: 3"]
    await again.runner.close()


async def test_the_end_of_a_wait_and_its_event_are_one_commit(bench: Bench) -> None:
    await bench.save(ASK)
    waiting = await bench.run("ask")
    posted = await bench.runner.post(bench.event("raid.received", viewers=5))
    assert await bench.store.event(COMMUNITY, posted.event.id) is not None
    assert [row.state for row in await bench.store.history(waiting.id)] == ["w"]
    await bench.runner.quiescent()


async def test_an_event_seen_before_ends_no_second_wait(bench: Bench) -> None:
    await bench.save(ASK)
    await bench.run("ask")
    await bench.run("ask")
    await bench.happen("raid.received", id="r1", viewers=1)
    again = await (await bench.again()).open()
    assert (await again.happen("raid.received", id="r1", viewers=1)).duplicate
    assert len(await again.runner.live(COMMUNITY)) == 1
    await again.runner.close()


async def test_what_the_bot_says_itself_ends_no_wait(bench: Bench) -> None:
    await bench.save(workflow("hears", hears("w", "message"), say("s", "heard")))
    await bench.run("hears")
    await bench.happen("message.received", message="hello", own=True)
    assert bench.service.said == []


async def test_a_quick_answer_during_the_question_counts_also_over_a_restart(bench: Bench) -> None:
    question = say("q", "yes or no?", retry={"max_attempts": 2, "delay_seconds": 5})
    await bench.save(workflow("ask", question, hears("w", "message"), say("s", "${results.w.message}")))
    bench.service.answer("say", Failed("busy", "busy", retryable=True))
    await bench.run("ask")
    await bench.happen("message.received", message="yes")
    again = await (await bench.again()).open()
    await again.advance(5)
    assert again.service.said == ["yes or no?", "yes"]
    await again.runner.close()


async def test_what_happens_during_a_pause_right_before_a_wait_is_taken_at_resume_over_a_restart(bench: Bench) -> None:
    await bench.save(workflow("ask", wait("rest", 5), hears("w", "raid"), say("s", "${results.w.viewers}")))
    run = await bench.run("ask")
    await bench.advance(1)
    await bench.runner.control(COMMUNITY, "pause", "ask", STREAMER)
    await bench.runner.steer(COMMUNITY, Skip(bench.clock.now(), "ann"), "ask")
    await bench.happen("raid.received", viewers=1)
    again = await (await bench.again()).open()
    await again.happen("raid.received", viewers=2)
    await again.runner.control(COMMUNITY, "resume", None, STREAMER, run=run.id)
    await again.advance(0)
    assert again.service.said == ["1"]
    await again.runner.close()


async def test_only_so_many_events_are_kept_for_a_paused_wait(bench: Bench) -> None:
    action = {"kind": "collect", "event": "message", "count": 500, "once_per_user": False}
    await bench.save(workflow("vote", {"name": "v", "action": action}))
    run = await bench.run("vote")
    await bench.runner.control(COMMUNITY, "pause", "vote", STREAMER)
    for n in range(150):
        await bench.runner.post(bench.event("message.received", message=str(n)))
    await bench.runner.control(COMMUNITY, "resume", "vote", STREAMER)
    assert len((await bench.ended(run.id)).branches[0].gathered) == 100


async def test_an_edge_for_an_event_is_taken_also_after_a_restart(bench: Bench) -> None:
    await bench.save(workflow("w", wait("rest", 100, transitions={"raid": "s", "success": "s"}), say("s", "raided")))
    await bench.run("w")
    again = await (await bench.again()).open()
    await again.happen("raid.received")
    assert again.service.said == ["raided"]
    await again.runner.close()


# Gifts that come as one ----------------------------------------------------------------------------------------------------

GIFTS = [
    workflow("header", say("s", "${count} gifts"), triggers=["gift"]),
    workflow("single", say("s", "a sub for ${user}"), triggers=["sub"]),
]


async def gifts(bench: Bench, *events: str) -> None:
    """`h` is the header, anything else a single for that user."""
    for event in events:
        if event == "h":
            await bench.happen("gift.received", gift_id="g1", count=2, user="ann")
        else:
            await bench.happen("subscription.received", gift_id="g1", user=event)


@pytest.mark.parametrize("order", ["h b c", "b h c", "b c h"])
@pytest.mark.parametrize("restarted_after", [0, 1, 2])
async def test_gifts_that_come_as_one_count_as_one_whatever_comes_first(
    bench: Bench, order: str, restarted_after: int
) -> None:
    for each in GIFTS:
        await bench.save(each)
    events = order.split()
    await gifts(bench, *events[:restarted_after])
    again = await (await bench.again()).open()
    await gifts(again, *events[restarted_after:])
    await again.advance(60)
    assert [*bench.service.said, *again.service.said] == ["2 gifts"]
    assert await again.store.held(COMMUNITY) == []
    await again.runner.close()


@pytest.mark.parametrize("restarted", [False, True])
async def test_singles_whose_header_does_not_come_stand_for_themselves(bench: Bench, restarted: bool) -> None:
    for each in GIFTS:
        await bench.save(each)
    await gifts(bench, "b", "c")
    if restarted:
        bench = await (await bench.again()).open()
    await bench.advance(9.5)
    assert bench.service.said == []
    await bench.advance(0.5)
    assert bench.service.said == ["a sub for b", "a sub for c"]
    assert await bench.store.held(COMMUNITY) == []
    await bench.runner.close()


async def test_singles_held_while_the_bot_was_down_are_let_go_when_it_is_back(bench: Bench) -> None:
    for each in GIFTS:
        await bench.save(each)
    await gifts(bench, "b")
    again = await bench.again()
    await bench.advance(100)
    await again.open()
    await again.advance(0)
    assert again.service.said == ["a sub for b"]
    await again.runner.close()


async def test_a_subscription_that_is_no_gift_waits_for_nothing(bench: Bench) -> None:
    await bench.save(GIFTS[1])
    await bench.happen("subscription.received", user="dan")
    assert bench.service.said == ["a sub for dan"]


# Run later -----------------------------------------------------------------------------------------------------------------


async def later(bench: Bench, id: str, seconds: float) -> Execution:
    started = await bench.runner.run(COMMUNITY, id, {}, MODERATOR, at=bench.clock.now() + seconds)
    assert isinstance(started, Execution), started
    await bench.runner.quiescent()
    return started


async def test_a_run_can_be_put_off_and_survives_a_restart(bench: Bench) -> None:
    await bench.save(workflow("w", say("s", "hi ${caller}")))
    run = await later(bench, "w", 60)
    assert (run.status, run.next_due) == ("scheduled", 1_060.0)
    again = await (await bench.again()).open()
    await again.advance(59)
    assert again.service.said == []
    await again.advance(1)
    assert again.service.said == ["hi mod"]
    assert (await again.ended(run.id)).started_at == 1_060.0
    await again.runner.close()


async def test_a_run_whose_time_came_while_the_bot_was_down_begins_late(bench: Bench) -> None:
    await bench.save(workflow("w", say("s", "hi")))
    await later(bench, "w", 60)
    again = await bench.again()
    await bench.advance(3_600)
    await again.open()
    await again.advance(0)
    assert again.service.said == ["hi"]
    await again.runner.close()


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("change", "words"),
    [({"deleted": True}, "its workflow has been deleted"), ({"enabled": False}, "it is switched off")],
)
async def test_a_run_that_was_put_off_does_not_begin_if_its_workflow_is_off_or_gone_by_then(
    bench: Bench, restarted: bool, change: dict[str, Any], words: str
) -> None:
    definition = workflow("w", say("s", "hi"))
    await bench.save(definition)
    run = await later(bench, "w", 60)
    await bench.save(definition, number=2, **change)
    if restarted:
        bench = await (await bench.again()).open()
    await bench.advance(60)
    ended = await bench.ended(run.id)
    assert (ended.status, ended.error) == ("stopped", words)
    assert bench.service.said == []
    await bench.runner.close()


async def test_a_run_that_was_put_off_keeps_to_its_version(bench: Bench) -> None:
    await bench.save(workflow("w", say("s", "old")))
    await later(bench, "w", 60)
    await bench.save(workflow("w", say("s", "new")), number=2)
    await bench.advance(60)
    assert bench.service.said == ["old"]


async def test_a_run_that_was_put_off_stands_in_line_when_its_time_comes(bench: Bench) -> None:
    await bench.save(workflow("w", wait("rest", 30), say("s", "${caller}"), policy={"mode": "queued"}))
    put_off = await later(bench, "w", 20)
    await bench.run("w", STREAMER)
    await bench.advance(20)
    assert (await bench.ended(put_off.id)).status == "queued"
    again = await (await bench.again()).open()
    await again.advance(10)
    await again.advance(30)
    assert again.service.said == ["streamer", "mod"]
    await again.runner.close()


async def test_a_run_that_was_put_off_is_declined_when_there_is_no_room(bench: Bench) -> None:
    await bench.save(workflow("w", wait("rest", 30), policy={"mode": "single"}))
    put_off = await later(bench, "w", 20)
    await bench.run("w", STREAMER)
    await bench.advance(20)
    ended = await bench.ended(put_off.id)
    assert (ended.status, ended.error) == ("stopped", "it is still running, and it runs once at a time")


@pytest.mark.parametrize("verb", ["stop", "cancel"])
async def test_a_run_that_was_put_off_can_be_called_off(bench: Bench, verb: Any) -> None:
    await bench.save(workflow("w", say("s", "hi")))
    run = await later(bench, "w", 60)
    await bench.runner.control(COMMUNITY, verb, "w", STREAMER)
    again = await (await bench.again()).open()
    await again.advance(60)
    assert again.service.said == []
    assert (await again.ended(run.id)).status == "stopped"
    await again.runner.close()


async def test_a_run_cannot_be_put_off_for_ever_and_one_in_the_past_begins_now(bench: Bench) -> None:
    await bench.save(workflow("w", say("s", "hi")))
    with pytest.raises(NotStorable):
        await bench.runner.run(COMMUNITY, "w", {}, STREAMER, at=bench.clock.now() + 400 * 86_400)
    assert (await later(bench, "w", -5)).status == "running"


async def test_who_may_not_run_it_now_may_not_put_it_off_either(bench: Bench) -> None:
    await bench.save(workflow("w", say("s", "hi")))
    refused = await bench.runner.run(COMMUNITY, "w", {}, Person("bob"), at=bench.clock.now() + 60)
    assert isinstance(refused, AdmissionRecord)
    assert await bench.runner.live(COMMUNITY) == ()


# What people say to a wait -------------------------------------------------------------------------------------------------


async def reopened(bench: Bench, path: Path) -> Bench:
    """Another runner on the file itself."""
    await bench.runner.close()
    await bench.store.close()
    return await Bench(await SQLiteStore.open(path), bench.clock, prefix="again-").open()


async def test_skip_extend_and_retry_are_durable_and_say_who_did_it(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    bench = await Bench(await SQLiteStore.open(path)).open(
        workflow("w", wait("rest", 10), wait("more", 10), say("s", "${word}", retry=None))
    )
    run = await bench.run("w")
    await bench.runner.steer(COMMUNITY, Extend(bench.clock.now(), "ann", 20), None, run=run.id)
    bench = await reopened(bench, path)
    await bench.advance(29)
    assert [branch.state for branch in (await bench.ended(run.id)).branches] == ["rest"]
    await bench.runner.steer(COMMUNITY, Skip(bench.clock.now(), "bob"), "w")
    bench = await reopened(bench, path)
    await bench.advance(10)
    assert (await bench.ended(run.id)).status == "failed"
    retried = await bench.runner.retry(COMMUNITY, run.id, MODERATOR, {"word": "hi"})
    assert retried is not None
    await bench.runner.quiescent()
    assert bench.service.said == ["hi"]
    bench = await reopened(bench, path)
    assert bench.service.said == []
    history = await bench.store.history(run.id)
    assert [(row.seq, row.state, row.outcome, row.by) for row in history] == [
        (0, "rest", "extended", "ann"),
        (1, "rest", "skipped by hand", "bob"),
        (2, "rest", "success", None),
        (3, "more", "success", None),
        (4, "s", "error", None),
        (5, "s", "retried", "mod"),
        (6, "s", "success", None),
    ]
    await bench.runner.close()
    await bench.store.close()


async def test_the_same_wish_twice_is_the_same_as_once(bench: Bench) -> None:
    await bench.save(workflow("w", wait("rest", 10), say("s", "done"), wait("more", 10)))
    run = await bench.run("w")
    skip = Skip(bench.clock.now(), "ann", "rest")
    both = await asyncio.gather(*(bench.runner.steer(COMMUNITY, skip, "w") for _ in range(2)))
    assert sorted(len(changed) for changed in both) == [0, 1]
    await bench.runner.quiescent()
    assert bench.service.said == ["done"]
    for verb, changes in (("pause", 1), ("pause", 0), ("resume", 1), ("resume", 0), ("stop", 1), ("stop", 0)):
        changed = await bench.runner.control(COMMUNITY, verb, None, STREAMER, run=run.id)  # type: ignore[arg-type]
        assert len(changed) == changes, verb


async def test_two_retries_at_once_are_one(bench: Bench) -> None:
    await bench.save(workflow("w", {"name": "x", "action": {"kind": "transform", "formula": "n + 1"}}))
    run = await bench.run("w", n="many")
    assert (await bench.ended(run.id)).status == "failed"
    both = await asyncio.gather(*(bench.runner.retry(COMMUNITY, run.id, MODERATOR, {"n": 1}) for _ in range(2)))
    assert sum(each is not None for each in both) == 1
    assert (await bench.ended(run.id)).status == "completed"
    assert [row.seq for row in await bench.store.history(run.id)] == [0, 1, 2]


async def test_a_run_that_goes_on_or_ended_well_or_is_not_there_is_not_retried(bench: Bench) -> None:
    await bench.save(workflow("w", wait("rest", 10)))
    run = await bench.run("w")
    assert await bench.runner.retry(COMMUNITY, run.id, MODERATOR) is None
    await bench.advance(10)
    assert await bench.runner.retry(COMMUNITY, run.id, MODERATOR) is None
    assert await bench.runner.retry(COMMUNITY, "nothing", MODERATOR) is None


async def test_a_retry_of_an_old_version_after_a_restart_runs_that_version(bench: Bench) -> None:
    bench.service.answer("say", Failed("gone", "it is gone"))
    await bench.save(workflow("w", say("s", "old")))
    run = await bench.run("w")
    await bench.save(workflow("w", say("s", "new")), number=2)
    again = await (await bench.again()).open()
    await again.runner.retry(COMMUNITY, run.id, MODERATOR)
    await again.runner.quiescent()
    assert again.service.said == ["old"]
    await again.runner.close()


# Asleep in the store ---------------------------------------------------------------------------------------------------------

SLEEPY = workflow("w", wait("rest", "${seconds}"), say("s", "${seconds}"))  # type: ignore[arg-type]


class FailingReads(MemoryStore):
    """Cannot read executions for a while."""

    failing = 0

    async def executions_of(self, ids: Sequence[str]) -> list[Execution]:
        if ids and self.failing:
            self.failing -= 1
            raise StoreError("the disk hums")
        return await super().executions_of(ids)


@pytest.fixture
async def sleepy(store: Store) -> Any:
    opened = await Bench(store, awake=5).open(SLEEPY)
    yield opened
    await opened.runner.close()


async def crowd(bench: Bench, seconds: Sequence[float]) -> None:
    started = [bench.runner.run(COMMUNITY, "w", {"seconds": each}, STREAMER) for each in seconds]
    await asyncio.gather(*started)
    await bench.runner.quiescent()


@pytest.mark.parametrize("many", [100, pytest.param(3_000, marks=pytest.mark.slow)])
async def test_thousands_that_wait_are_fetched_when_they_are_due_in_due_order(sleepy: Bench, many: int) -> None:
    times = [5 + (n * 7_919) % many for n in range(many)]
    await crowd(sleepy, times)
    assert len(sleepy.runner._communities[COMMUNITY].roster.awake) <= 5
    assert sum(sleepy.runner.census(COMMUNITY).values()) == many
    await sleepy.advance(many + 5)
    assert sleepy.service.said == [str(each) for each in sorted(times)]
    assert await sleepy.runner.live(COMMUNITY) == ()


async def test_those_due_while_the_bot_was_down_come_in_due_order(sleepy: Bench) -> None:
    times = [5 + (n * 7) % 40 for n in range(40)]
    await crowd(sleepy, times)
    again = await sleepy.again()
    await sleepy.advance(100)
    await again.open()
    assert len(again.runner._communities[COMMUNITY].roster.awake) == 0
    await again.advance(0)
    assert again.service.said == [str(each) for each in sorted(times)]
    await again.runner.close()


async def test_an_event_wakes_those_who_wait_for_it_and_no_others(sleepy: Bench) -> None:
    who = hears("w", "message", who="${name}", when='message == "yes"')
    await sleepy.save(workflow("ask", who, say("s", "${name}")))
    for n in range(30):
        await sleepy.run("ask", name=f"user{n}")
    await crowd(sleepy, range(50, 80))
    before = set(sleepy.runner._communities[COMMUNITY].roster.awake)
    await sleepy.happen("message.received", user="USER3", message="no")
    posted = await sleepy.happen("message.received", user="User3", message="yes")
    assert len(posted.heard) == 1
    assert sleepy.service.said == ["user3"]
    assert len(set(sleepy.runner._communities[COMMUNITY].roster.awake) - before) <= 1


async def test_whoever_was_woken_by_an_event_that_does_not_fit_sleeps_again(sleepy: Bench) -> None:
    await sleepy.save(workflow("any", hears("w", "message", when='message == "yes"'), say("s", "yes")))
    for _ in range(30):
        await sleepy.run("any")
    roster = sleepy.runner._communities[COMMUNITY].roster

    posted = await sleepy.happen("message.received", message="no")

    assert posted.heard == ()
    assert len(roster.awake) <= 5
    assert len(roster) == 30
    assert len((await sleepy.happen("message.received", message="yes")).heard) == 30


async def test_what_is_not_in_the_store_is_not_waited_for_for_ever(bench: Bench) -> None:
    roster = bench.runner._communities[COMMUNITY].roster
    roster.fill([], [Sleeper("lost", "w", 1, "waiting", None, None, ())])
    await bench.runner.control(COMMUNITY, "stop", None, STREAMER)
    assert roster.ids() == []


async def test_what_cannot_be_read_is_asked_for_again() -> None:
    store = FailingReads()
    bench = await Bench(store, awake=5).open(SLEEPY)
    await crowd(bench, range(10, 30))
    store.failing = 3
    await bench.advance(40)
    assert bench.service.said == [str(n) for n in range(10, 30)]
    await bench.runner.close()


async def test_an_event_that_cannot_be_received_as_nobody_can_be_read_has_not_happened() -> None:
    store = FailingReads()
    bench = await Bench(store, awake=0).open(ASK)
    await bench.run("ask")
    store.failing = 1
    with pytest.raises(StoreError):
        await bench.runner.post(bench.event("raid.received", id="r1", viewers=4))
    assert not (await bench.happen("raid.received", id="r1", viewers=4)).duplicate
    assert bench.service.said == ["streamer: 4"]
    await bench.runner.close()


async def test_stop_all_and_pause_all_reach_those_who_sleep(sleepy: Bench) -> None:
    await crowd(sleepy, range(10, 50))
    assert len(await sleepy.runner.control(COMMUNITY, "pause", None, STREAMER)) == 40
    await sleepy.advance(100)
    assert sleepy.service.said == []
    assert len(await sleepy.runner.control(COMMUNITY, "resume", None, STREAMER)) == 40
    await sleepy.advance(5)
    assert len(await sleepy.runner.control(COMMUNITY, "stop", None, STREAMER)) == 40
    await sleepy.advance(100)
    assert sleepy.service.said == []
    assert {run.status for run in await sleepy.runs("w")} == {"stopped"}


async def test_one_that_sleeps_can_be_told_and_moved_by_itself(sleepy: Bench) -> None:
    await crowd(sleepy, range(10, 50))
    live = await sleepy.runner.live(COMMUNITY)
    assert len(live) == 40
    one = next(run for run in live if run.variables["seconds"] == 30)
    await sleepy.runner.steer(COMMUNITY, Skip(sleepy.clock.now(), "ann"), None, run=one.id)
    await sleepy.runner.quiescent()
    assert sleepy.service.said == ["30"]


async def test_who_stands_in_line_asleep_is_fetched_when_it_is_its_turn(sleepy: Bench) -> None:
    await sleepy.save(workflow("q", wait("rest", 10), say("s", "${caller}"), policy={"mode": "queued"}))
    for name in "abc":
        await sleepy.run("q", Person(name, roles=("moderator",)))
    await crowd(sleepy, range(500, 520))
    await sleepy.advance(10)
    await sleepy.advance(10)
    again = await (await sleepy.again()).open()
    await again.advance(10)
    assert [*sleepy.service.said, *again.service.said] == ["a", "b", "c"]
    await again.runner.close()


async def test_a_newer_start_ends_those_that_sleep_in_its_place(sleepy: Bench) -> None:
    await sleepy.save(workflow("r", wait("rest", 10), say("s", "${caller}"), policy={"mode": "restart"}))
    await sleepy.run("r", Person("a", roles=("moderator",)))
    await crowd(sleepy, range(500, 520))
    await sleepy.run("r", Person("b", roles=("moderator",)))
    await sleepy.advance(10)
    assert sleepy.service.said == ["b"]


async def test_those_who_sleep_keep_to_their_version(sleepy: Bench) -> None:
    await crowd(sleepy, range(10, 30))
    await sleepy.save(workflow("w", say("s", "new")), number=2)
    assert dict(sleepy.runner.census(COMMUNITY)) == {("w", 1): 20}
    await sleepy.advance(40)
    assert sleepy.service.said == [str(n) for n in range(10, 30)]
