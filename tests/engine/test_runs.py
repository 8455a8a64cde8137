"""What the runner promises of runs that start others: by running them, or by events of their own."""

from typing import Any

import pytest

from engine.errors import StoreUnwritable
from engine.execution import Done, Failed
from engine.ports import AdmissionRecord, Batch
from tests.fakes import COMMUNITY, MODERATOR, STREAMER, VIEWER, Bench, asleep_until, look, say, wait, workflow
from tests.fakes_store import MemoryStore

INNER = workflow(
    "inner",
    say("ask", "${n}?"),
    {"name": "answer", "action": {"kind": "set", "values": {"answer": "${n}!"}}},
)
BOB = {"name": "bob", "roles": []}
MO = {"name": "mo", "roles": ["moderator"]}


def call(name: str, id: str, *, detached: bool = False, more: Any = None, **arguments: Any) -> dict[str, Any]:
    """A step that runs another workflow."""
    action = {"kind": "run", "workflow": id, "arguments": arguments, "detached": detached}
    return {"name": name, "action": action, **(more or {})}


def emit(name: str, event: str, **payload: Any) -> dict[str, Any]:
    """A step that lets something happen."""
    return {"name": name, "action": {"kind": "emit", "event": event, "payload": payload}}


class TooFullForEvents(MemoryStore):
    """A store with room for everything but events."""

    full = True

    async def commit(self, batch: Batch) -> None:
        if self.full and batch.events:
            raise StoreUnwritable("the disk is full")
        await super().commit(batch)


# Running another workflow ------------------------------------------------------------------------------------------------


async def test_a_run_goes_on_with_what_the_one_it_waited_for_came_to(bench: Bench) -> None:
    await bench.save(INNER)
    await bench.save(workflow("outer", call("get", "inner", n="${word}"), say("tell", "${results.get.answer}")))
    outer = await bench.run("outer", word="really")
    assert bench.service.said == ["really?", "really!"]
    (inner,) = await bench.runs("inner")
    assert (inner.id, inner.parent, inner.depth) == (f"{outer.id}.1", outer.id, 1)
    assert (await bench.ended(outer.id)).status == inner.status == "completed"
    assert await bench.runner.live(COMMUNITY) == ()


async def test_a_workflow_is_found_by_its_name_as_people_write_it(bench: Bench) -> None:
    await bench.save(workflow("w1", say("s", "here")).model_copy(update={"name": "Big Show"}))
    await bench.save(workflow("outer", call("get", "big show")))
    await bench.run("outer")
    assert bench.service.said == ["here"]


async def test_a_failed_run_is_an_error_of_the_step_that_waited(bench: Bench) -> None:
    bench.service.answer("say", Failed("gone", "it is gone"))
    await bench.save(INNER)
    await bench.save(
        workflow("outer", call("get", "inner", n="1", more={"transitions": {"error": "sorry"}}), say("sorry", "sorry"))
    )
    outer = await bench.run("outer")
    assert bench.service.said == ["1?", "sorry"]
    assert (await bench.store.history(outer.id))[0].error == '"ask" failed: it is gone'


async def test_what_is_not_there_or_switched_off_or_needs_more_is_an_error_of_the_step(bench: Bench) -> None:
    await bench.save(workflow("off", say("s", "x")), enabled=False)
    await bench.save(workflow("gone", say("s", "x")), deleted=True)
    await bench.save(workflow("needy", say("s", "x"), variables={"n": {"required": True}}))
    words = {
        "nothing": 'there is no workflow "nothing"',
        "gone": 'there is no workflow "gone"',
        "off": "off did not start: it is switched off",
        "needy": "needy did not start: needy needs n: start it with n=...",
    }
    for id, reason in words.items():
        await bench.save(workflow(f"outer {id}", call("get", id)))
        outer = await bench.ended((await bench.run(f"outer {id}")).id)
        assert (outer.status, outer.error) == ("failed", f'"get" failed: {reason}')


async def test_a_run_that_nobody_waits_for_goes_its_own_way(bench: Bench) -> None:
    await bench.save(workflow("inner", wait("rest", 10), say("later", "late")))
    await bench.save(workflow("outer", call("off", "inner", detached=True), say("on", "on")))
    outer = await bench.run("outer")
    assert (await bench.ended(outer.id)).status == "completed"
    await bench.advance(10)
    assert bench.service.said == ["on", "late"]


async def test_a_detached_run_that_may_not_start_is_recorded_and_does_not_hold_up_the_other(bench: Bench) -> None:
    await bench.save(workflow("off", say("s", "x")), enabled=False)
    await bench.save(workflow("outer", call("go", "off", detached=True), say("on", "on")))
    await bench.run("outer")
    assert bench.service.said == ["on"]
    (record,) = await bench.store.admissions(COMMUNITY, "off")
    assert (record.execution, record.reason) == (None, "it is switched off")


@pytest.mark.parametrize(("user", "levels"), [(BOB, 1), (BOB, 2), (MO, 1), (MO, 2)])
async def test_whoever_is_behind_it_needs_the_right_to_start_at_every_level(
    bench: Bench, user: dict[str, Any], levels: int
) -> None:
    await bench.save(workflow("secret", say("s", "done"), policy={"may_run": ["moderator"]}))
    await bench.save(workflow("middle", call("go", "secret")))
    await bench.save(workflow("public", call("go", "secret" if levels == 1 else "middle"), triggers=["follow"]))
    posted = await bench.happen("follow.received", user=user)
    ended = await bench.ended(posted.started[0].id)
    if user is MO:
        assert (ended.status, bench.service.said) == ("completed", ["done"])
    else:
        assert bench.service.said == []
        assert "bob may not start it; it is for moderators" in (ended.error or "")


async def test_a_user_given_as_an_argument_brings_no_rights_along(bench: Bench) -> None:
    boss = {"name": "boss", "roles": ["broadcaster"]}
    await bench.save(workflow("secret", say("s", "done"), policy={"may_run": ["broadcaster"]}, triggers=["go.now"]))
    await bench.save(workflow("middle", call("go", "secret", user=boss), triggers=["raid"]))
    await bench.save(workflow("outer", call("go", "middle", user=boss, caller=boss), triggers=["follow"]))
    await bench.happen("follow.received", user=BOB)
    await bench.happen("raid.received", user=MO)
    assert bench.service.said == []


async def test_workflows_that_run_each_other_end_after_sixteen(bench: Bench) -> None:
    await bench.save(workflow("ping", call("go", "pong")))
    await bench.save(workflow("pong", call("go", "ping")))
    outer = await bench.run("ping")
    assert len(await bench.runs("ping")) + len(await bench.runs("pong")) == 17
    assert "16 is the limit" in ((await bench.ended(outer.id)).error or "")
    assert await bench.runner.live(COMMUNITY) == ()


async def test_a_workflow_that_starts_itself_and_does_not_wait_ends_after_sixteen_too(bench: Bench) -> None:
    await bench.save(workflow("ever", call("go", "ever", detached=True)))
    await bench.run("ever")
    assert len(await bench.runs("ever")) == 17
    assert await bench.runner.live(COMMUNITY) == ()


@pytest.mark.parametrize("policy", [{"mode": "queued"}, {"mode": "single"}, {"mode": "queued", "group": "g"}])
async def test_a_run_never_waits_for_one_that_waits_for_it(bench: Bench, policy: dict[str, Any]) -> None:
    await bench.save(workflow("middle", call("back", "solo")))
    await bench.save(workflow("solo", call("go", "middle"), policy=policy))
    outer = await bench.run("solo")
    ended = await bench.ended(outer.id)
    assert ended.status == "failed", ended
    assert await bench.runner.live(COMMUNITY) == ()


async def test_controls_of_a_run_reach_the_one_it_waits_for(bench: Bench) -> None:
    await bench.save(workflow("inner", wait("rest", 10), say("later", "late")))
    await bench.save(workflow("outer", call("go", "inner"), say("on", "on")))
    outer = await bench.run("outer")
    await bench.advance(4)
    (paused,) = await bench.runner.control(COMMUNITY, "pause", None, STREAMER, run=outer.id)
    assert (paused.id, paused.status) == (outer.id, "paused")
    assert [run.status for run in await bench.runs("inner")] == ["paused"]
    await bench.advance(100)
    await bench.runner.control(COMMUNITY, "resume", None, STREAMER, run=outer.id)
    await bench.advance(5.5)
    assert bench.service.said == []
    await bench.advance(0.5)
    assert bench.service.said == ["late", "on"]


@pytest.mark.parametrize("verb", ["stop", "cancel"])
async def test_the_end_of_a_run_is_the_end_of_the_one_it_waits_for(bench: Bench, verb: Any) -> None:
    await bench.save(workflow("inner", wait("rest", 10), say("later", "late")))
    await bench.save(workflow("outer", call("go", "inner"), say("on", "on")))
    outer = await bench.run("outer")
    await bench.runner.control(COMMUNITY, verb, None, STREAMER, run=outer.id)
    await bench.advance(10)
    assert [run.status for run in await bench.runs("inner")] == ["stopped"]
    assert bench.service.said == []


async def test_a_run_that_is_stopped_by_itself_is_an_error_of_the_one_that_waits(bench: Bench) -> None:
    await bench.save(workflow("inner", wait("rest", 10)))
    await bench.save(
        workflow("outer", call("go", "inner", more={"transitions": {"error": "sorry"}}), say("sorry", "sorry"))
    )
    await bench.run("outer")
    await bench.runner.control(COMMUNITY, "stop", "inner", STREAMER)
    await bench.runner.quiescent()
    assert bench.service.said == ["sorry"]


@pytest.mark.parametrize("verb", ["stop", "cancel"])
async def test_stop_all_lets_no_run_react_to_the_end_of_another_also_after_a_restart(bench: Bench, verb: Any) -> None:
    bench.service.answer("look", asleep_until(bench.clock, 9_000.0))
    await bench.save(workflow("inner", look("hang")))
    await bench.save(
        workflow("outer", call("go", "inner", more={"transitions": {"error": "sorry"}}), say("sorry", "sorry"))
    )
    await bench.run("outer")
    again = await bench.again()
    again.service.answer("look", asleep_until(bench.clock, 9_000.0))
    await again.open()
    await again.service.has_begun(1)
    await again.runner.control(COMMUNITY, verb, None, STREAMER)
    await again.runner.quiescent()
    assert again.service.said == []
    assert [run.status for run in await again.runs("outer")] == ["stopped"]
    await again.runner.close()


async def test_a_run_and_the_one_it_waits_for_find_each_other_after_a_restart(bench: Bench) -> None:
    await bench.save(workflow("inner", wait("rest", 10), say("later", "late")))
    await bench.save(workflow("outer", call("go", "inner"), say("on", "on")))
    outer = await bench.run("outer")
    again = await (await bench.again()).open()
    await again.advance(10)
    assert again.service.said == ["late", "on"]
    assert (await again.ended(outer.id)).status == "completed"
    await again.runner.close()


async def test_a_run_is_pinned_to_its_version_and_what_it_runs_is_what_counts_then(bench: Bench) -> None:
    await bench.save(workflow("inner", say("s", "old inner")))
    await bench.save(workflow("outer", wait("rest", 10), call("go", "inner"), say("on", "old outer")))
    await bench.run("outer")
    await bench.save(workflow("inner", say("s", "new inner")), number=2)
    await bench.save(workflow("outer", say("on", "new outer")), number=2)
    again = await (await bench.again()).open()
    await again.advance(10)
    assert again.service.said == ["new inner", "old outer"]
    await again.runner.close()


# Events of our own ---------------------------------------------------------------------------------------------------------


async def test_an_event_of_our_own_starts_others_and_tells_where_it_came_from(bench: Bench) -> None:
    await bench.save(workflow("teller", emit("tell", "show.begins", title="chess"), triggers=["raid"]))
    await bench.save(workflow("hearer", say("hi", "${user}: ${title}"), triggers=["show.begins"]))
    posted = await bench.happen("raid.received", user=BOB)
    assert bench.service.said == ["bob: chess"]
    (hearer,) = await bench.runs("hearer")
    assert (hearer.depth, hearer.caller) == (1, BOB)
    event = await bench.store.event(COMMUNITY, str(hearer.event["id"]))
    assert event is not None
    assert (event.cause, event.depth, event.caller) == (posted.started[0].id, 1, BOB)


async def test_an_event_of_our_own_happens_once_whatever_is_done_again(bench: Bench) -> None:
    await bench.save(workflow("teller", emit("tell", "show.begins")))
    await bench.save(workflow("hearer", say("hi", "hi"), triggers=["show.begins"]))
    started = await bench.run("teller")
    (hearer,) = await bench.runs("hearer")
    again = await bench.happen("show.begins", id=hearer.event["id"])
    assert again.duplicate
    assert str(hearer.event["id"]) == f"emitted/{started.id}/main/tell/1"
    assert bench.service.said == ["hi"]


async def test_a_chain_of_our_own_events_ends_after_sixteen_and_says_so(bench: Bench) -> None:
    await bench.save(workflow("echo", say("s", "echo"), emit("go", "echo.heard"), triggers=["raid", "echo.heard"]))
    await bench.happen("raid.received")
    assert len(bench.service.said) == 17
    record = (await bench.store.admissions(COMMUNITY, "echo"))[0]
    assert (record.execution, record.reason) == (
        None,
        "our own workflows led to this event in a chain of 17; 16 is the limit",
    )


async def test_runs_and_events_of_our_own_count_in_one_chain(bench: Bench) -> None:
    await bench.save(workflow("a", call("go", "b"), triggers=["b.done"]))
    await bench.save(workflow("b", emit("go", "b.done")))
    await bench.run("a")
    assert len(await bench.runs("a")) + len(await bench.runs("b")) == 17


@pytest.mark.parametrize(
    "payload",
    [
        {"user": {"name": "boss", "roles": ["broadcaster"]}},
        {"user": {"name": "bob", "roles": ["broadcaster"]}},
        {"caller": {"name": "bob", "roles": ["broadcaster"]}},
        {"roles": ["broadcaster"], "is_mod": True},
    ],
)
async def test_roles_in_an_event_of_our_own_give_no_rights(bench: Bench, payload: dict[str, Any]) -> None:
    await bench.save(workflow("secret", say("s", "done"), policy={"may_run": ["moderator"]}, triggers=["go.now"]))
    await bench.save(workflow("teller", emit("tell", "go.now", **payload), triggers=["raid"]))
    await bench.happen("raid.received", user=BOB)
    assert bench.service.said == []
    (record,) = await bench.store.admissions(COMMUNITY, "secret")
    assert record.reason == "bob may not start it; it is for moderators"


@pytest.mark.parametrize("way", ["emit", "run"])
async def test_nobody_behind_an_event_gets_no_rights_by_naming_somebody(bench: Bench, way: str) -> None:
    boss = {"name": "boss", "roles": ["broadcaster"]}
    middle = emit("tell", "go.now") if way == "emit" else emit("tell", "then.run")
    await bench.save(workflow("secret", say("s", "done"), policy={"may_run": ["moderator"]}, triggers=["go.now"]))
    await bench.save(workflow("relay", call("go", "secret"), triggers=["then.run"]))
    await bench.save(workflow("middle", middle))
    await bench.save(workflow("outer", call("go", "middle", user=boss), triggers=["stream.started"]))
    await bench.happen("stream.started", user=None)
    assert bench.service.said == []
    (record,) = await bench.store.admissions(COMMUNITY, "secret")
    assert "nobody in particular may not start it" in (record.reason or "")


async def test_an_event_of_our_own_ends_waits_and_says_who_is_behind_it(bench: Bench) -> None:
    waits = {"name": "w", "action": {"kind": "wait_for", "event": "go.now", "who": "mod"}}
    await bench.save(workflow("waiter", waits, say("s", "${results.w.word}")))
    await bench.save(workflow("teller", emit("tell", "go.now", word="${word}")))
    await bench.run("waiter")
    await bench.run("teller", STREAMER, word="not me")
    await bench.run("teller", MODERATOR, word="me")
    assert bench.service.said == ["me"]


async def test_a_step_that_waits_for_what_it_lets_happen_itself_hears_it(bench: Bench) -> None:
    waits = {"name": "w", "action": {"kind": "wait_for", "event": "go.now"}}
    await bench.save(workflow("both", emit("tell", "go.now", word="mine"), waits, say("s", "${results.w.word}")))
    await bench.run("both")
    assert bench.service.said == ["mine"]


async def test_what_steps_let_happen_comes_one_after_the_other_each_step_over_before_the_next_event(
    bench: Bench,
) -> None:
    gather = {"kind": "collect", "event": "go.now", "seconds": 0, "once_per_user": False}
    heard = {"name": "heard", "action": gather}
    waits = {"name": "w", "action": {"kind": "wait_for", "event": "begin"}}
    told = say("told", "${results.heard.count}")
    await bench.save(workflow("both", waits, emit("tell", "go.now"), heard, told))
    await bench.run("both")
    await bench.run("both")
    await bench.happen("begin")
    assert bench.service.said == ["1", "2"]


async def test_an_event_and_the_end_of_the_step_that_let_it_happen_are_one_commit() -> None:
    store = MemoryStore()
    bench = await Bench(store).open(workflow("teller", emit("tell", "show.begins")))
    started = await bench.run("teller")
    effect = f"{started.id}/main/tell/1"
    (commit,) = [batch for batch in store.commits if batch.events]
    assert ([event.id for event in commit.events], commit.done) == ([f"emitted/{effect}"], [effect])
    assert [row.outcome for row in commit.history] == ["success"]
    await bench.runner.close()


@pytest.mark.parametrize("dies", [False, True], ids=["the disk is full", "it dies"])
async def test_an_event_of_a_step_that_could_not_be_saved_happens_later_and_once(dies: bool) -> None:
    store = TooFullForEvents()
    bench = await Bench(store).open(
        workflow("teller", look("ask"), emit("tell", "show.begins")),
        workflow("hearer", say("hi", "hi"), triggers=["show.begins"]),
    )
    started = await bench.run("teller")
    assert bench.service.said == []
    if dies:
        before, bench = bench, Bench(store.reopen(), bench.clock, bench.service, prefix="again")
        await bench.open()
        await bench.runner.quiescent()
        await before.runner.close()
    else:
        store.full = False
        await bench.advance(60)
    assert bench.service.said == ["hi"]
    assert (await bench.ended(started.id)).status == "completed"
    assert not any("cannot tell" in notice for notice in bench.notices)
    await bench.runner.close()


async def test_nobody_writes_a_step_that_says_who_is_behind_an_event(bench: Bench) -> None:
    boss = {"name": "boss", "roles": ["broadcaster"]}
    params = {"event": "go.now", "payload": {}, "depth": 0, "caller": boss}
    await bench.save(
        workflow("forger", {"name": "f", "action": {"service": "engine", "method": "emit", "params": params}})
    )
    await bench.save(workflow("secret", say("s", "done"), policy={"may_run": ["broadcaster"]}, triggers=["go.now"]))
    refused = await bench.runner.run(COMMUNITY, "forger", {}, MODERATOR)
    assert isinstance(refused, AdmissionRecord)
    assert "engine" in (refused.reason or "")
    assert bench.service.said == []


async def test_whoever_ends_as_soon_as_it_begins_lets_the_next_in_line_begin(bench: Bench) -> None:
    slow = {"when": "slow == 1", "block": {"initial_state": "rest", "states": [wait("rest", 10)]}}
    choice = {"name": "choice", "action": {"kind": "choose", "cases": [slow]}}
    await bench.save(workflow("w", choice, policy={"mode": "queued"}))
    for number in (1, 0, 0, 1):
        await bench.runner.run(COMMUNITY, "w", {"slow": number}, STREAMER)
    await bench.advance(10)
    assert [run.status for run in await bench.runs("w")] == ["completed", "completed", "completed", "waiting"]


# What is remembered of starts -----------------------------------------------------------------------------------------------


async def test_cooldowns_that_are_over_are_forgotten_and_no_others(bench: Bench) -> None:
    policy = {"cooldown": {"seconds": 60, "per": "user"}, "once_per_user": False}
    await bench.save(workflow("hi", say("s", "hi ${user}"), policy=policy, triggers=["raid"]))
    await bench.save(workflow("gift", say("s", "a gift"), policy={"once_per_user": True}, triggers=["raid"]))
    for number in range(120):
        await bench.happen("raid.received", user=f"viewer{number}")
    assert await bench.runner.tidy(COMMUNITY) == 0
    await bench.advance(30)
    await bench.happen("raid.received", user="late")
    await bench.advance(30)
    assert await bench.runner.tidy(COMMUNITY) == 120
    left = [(record.workflow, record.key) for record in await bench.store.marks(COMMUNITY)]
    assert [key for workflow, key in left if workflow == "hi"] == ["cooldown late"]
    assert len(left) == 1 + 121
    before = len(bench.service.said)
    await bench.happen("raid.received", user="late")
    await bench.happen("raid.received", user="viewer7")
    assert bench.service.said[before:] == ["hi viewer7"]


# Run modes -----------------------------------------------------------------------------------------------------------------


def busy(id: str, mode: str, **policy: Any) -> Any:
    """A workflow whose runs go on for ten seconds."""
    clean = {"transitions": {"cancel": "tidy", "success": "end"}}
    return workflow(
        id,
        say("begin", "${user} begins"),
        wait("rest", 10, **clean),
        {"name": "tidy", "action": {"kind": "transform", "formula": "1"}, "transitions": {"success": "bye"}},
        say("bye", "${user} tidies", transitions={"success": "last"}),
        {"name": "last", "action": {"kind": "stop"}},
        say("end", "${user} ends"),
        triggers=["raid"],
        policy={"mode": mode, **policy},
    )


async def test_queued_runs_go_one_after_the_other_in_their_order_also_over_a_restart(bench: Bench) -> None:
    await bench.save(busy("w", "queued"))
    for user in "abc":
        await bench.happen("raid.received", user=user)
    assert [run.status for run in await bench.runs("w")] == ["waiting", "queued", "queued"]
    await bench.advance(10)
    assert bench.service.said == ["a begins", "a ends", "b begins"]
    again = await (await bench.again()).open()
    await again.happen("raid.received", user="d")
    await again.advance(10)
    await again.advance(20)
    assert again.service.said == ["b ends", "c begins", "c ends", "d begins", "d ends"]
    await again.runner.close()


async def test_a_line_that_is_full_takes_no_more(bench: Bench) -> None:
    await bench.save(busy("w", "queued", max=1))
    for user in "ab":
        await bench.happen("raid.received", user=user)
    posted = await bench.happen("raid.received", user="c")
    assert [record.reason for record in posted.refused] == ["1 run of it stands in line, and no more may"]


async def test_who_stands_in_line_may_leave_it_and_the_next_one_moves_up(bench: Bench) -> None:
    await bench.save(busy("w", "queued"))
    started = [(await bench.happen("raid.received", user=user)).started[0] for user in "abc"]
    await bench.runner.control(COMMUNITY, "cancel", None, STREAMER, run=started[1].id)
    await bench.advance(10)
    assert bench.service.said == ["a begins", "a ends", "c begins"]


async def test_a_failure_or_a_stop_lets_the_next_one_begin(bench: Bench) -> None:
    await bench.save(busy("w", "queued"))
    bench.service.answer("say", Failed("gone", "it is gone"))
    for user in "abc":
        await bench.happen("raid.received", user=user)
    (b, _) = await bench.runner.live(COMMUNITY)
    assert bench.service.said == ["a begins", "b begins"]
    await bench.runner.control(COMMUNITY, "stop", None, STREAMER, run=b.id)
    await bench.runner.quiescent()
    assert bench.service.said == ["a begins", "b begins", "c begins"]


async def test_keys_have_a_place_each(bench: Bench) -> None:
    await bench.save(busy("w", "queued", key="user.name"))
    for user in ("ann", "bob", "Ann", "Bob"):
        await bench.happen("raid.received", user=user)
    assert [run.status for run in await bench.runs("w")] == ["waiting", "waiting", "queued", "queued"]
    again = await (await bench.again()).open()
    await again.happen("raid.received", user="ann")
    assert [run.status for run in await again.runs("w")][-1] == "queued"
    await again.advance(10)
    assert sorted(again.service.said) == ["Ann begins", "Bob begins", "ann ends", "bob ends"]
    await again.runner.close()


async def test_a_group_shares_its_place_between_workflows(bench: Bench) -> None:
    await bench.save(busy("one", "queued", group="stage"))
    await bench.save(workflow("two", say("s", "two"), policy={"mode": "single", "group": "stage"}, triggers=["follow"]))
    await bench.happen("raid.received", user="a")
    refused = await bench.happen("follow.received")
    assert [record.reason for record in refused.refused] == ["it is still running, and it runs once at a time"]
    await bench.advance(10)
    assert len((await bench.happen("follow.received")).started) == 1


async def test_a_newer_start_takes_the_place_of_all_others_once_they_have_cleaned_up(bench: Bench) -> None:
    bench.service.answer("say", Done(), asleep_until(bench.clock, 1_005.0))
    await bench.save(busy("w", "restart"))
    for user in "abc":
        await bench.happen("raid.received", user=user)
    assert [run.status for run in await bench.runs("w")] == ["stopping", "stopped", "queued"]
    assert bench.service.said == ["a begins", "a tidies"]
    await bench.advance(5)
    assert bench.service.said == ["a begins", "a tidies", "c begins"]
    assert [run.status for run in await bench.runs("w")] == ["cancelled", "stopped", "waiting"]
    assert (await bench.runs("w"))[1].error == "a newer start took its place"


async def test_a_restart_while_the_older_run_cleans_up_survives_a_restart_of_the_bot(bench: Bench) -> None:
    bench.service.answer("say", Done(), asleep_until(bench.clock, 9_000.0))
    await bench.save(busy("w", "restart"))
    for user in "ab":
        await bench.happen("raid.received", user=user)
    again = await (await bench.again()).open()
    await again.runner.quiescent()
    assert [run.status for run in await again.runs("w")] == ["cancelled", "waiting"]
    assert again.service.said == ["b begins"]
    await again.runner.close()


async def test_side_by_side_only_so_many_go_on(bench: Bench) -> None:
    await bench.save(busy("w", "parallel", max=2))
    started = [len((await bench.happen("raid.received", user=user)).started) for user in "abc"]
    assert started == [1, 1, 0]
    again = await (await bench.again()).open()
    assert (await again.happen("raid.received", user="d")).started == ()
    await again.advance(10)
    assert len((await again.happen("raid.received", user="e")).started) == 1
    await again.runner.close()


async def test_a_retry_takes_its_place_again(bench: Bench) -> None:
    bench.service.answer("say", Failed("gone", "it is gone"))
    await bench.save(busy("w", "single"))
    (failed,) = (await bench.happen("raid.received", user="a")).started
    await bench.runner.retry(COMMUNITY, failed.id, STREAMER)
    await bench.runner.quiescent()
    assert (await bench.happen("raid.received", user="b")).started == ()


# Cooldowns and the like ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "again_after"),
    [
        ({"cooldown": {"seconds": 60}}, 60),
        ({"cooldown": {"seconds": 60, "per": "user.name"}}, 60),
        ({"rate": {"count": 1, "seconds": 60}}, 60),
        ({"once_per_user": True}, None),
    ],
)
async def test_what_comes_too_soon_comes_too_soon_after_a_restart_too(
    bench: Bench, policy: dict[str, Any], again_after: float | None
) -> None:
    await bench.save(workflow("w", say("s", "hi"), triggers=["raid"], policy=policy))
    assert len((await bench.happen("raid.received", user="bob")).started) == 1
    again = await (await bench.again()).open()
    (refused,) = (await again.happen("raid.received", user="BOB")).refused
    assert refused.allowed_at == (None if again_after is None else 1_000.0 + again_after)
    await again.advance(60)
    started = (await again.happen("raid.received", user="Bob")).started
    assert len(started) == (0 if again_after is None else 1)
    await again.runner.close()


async def test_a_start_by_hand_of_a_viewer_meets_the_cooldown_of_the_events(bench: Bench) -> None:
    policy = {"cooldown": {"seconds": 60}, "may_run": ["everyone"]}
    await bench.save(workflow("w", say("s", "hi"), triggers=["raid"], policy=policy))
    await bench.happen("raid.received", user="bob")
    refused = await bench.runner.run(COMMUNITY, "w", {}, VIEWER)
    assert isinstance(refused, AdmissionRecord)
    assert refused.allowed_at == 1_060.0


# Several at once -----------------------------------------------------------------------------------------------------------


def beside(name: str, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A step with a branch for each of these."""
    branches = [{"name": step["name"], "block": {"initial_state": step["name"], "states": [step]}} for step in steps]
    return {"name": name, "action": {"kind": "parallel", "branches": branches, **more}}


async def test_runs_that_are_over_at_once_are_all_told_to_the_one_that_waits_for_them(bench: Bench) -> None:
    await bench.save(workflow("quick", {"name": "x", "action": {"kind": "set", "values": {"answer": "${n}"}}}))
    both = beside("both", call("a", "quick", n=1), call("b", "quick", n=2))
    await bench.save(workflow("outer", both, say("tell", "${results.a.answer} ${results.b.answer}")))
    outer = await bench.run("outer")
    assert bench.service.said == ["1 2"]
    history = await bench.store.history(outer.id)
    assert [row.seq for row in history] == [0, 1, 2, 3]
    assert (await bench.ended(outer.id)).status == "completed"


async def test_of_two_that_run_the_same_at_once_only_one_does_if_it_runs_once_at_a_time(bench: Bench) -> None:
    await bench.save(workflow("solo", wait("rest", 10), say("s", "solo"), policy={"mode": "single"}))
    both = beside("both", call("a", "solo"), call("b", "solo"))
    await bench.save(workflow("outer", both))
    outer = await bench.run("outer")
    await bench.advance(10)
    assert bench.service.said == ["solo"]
    assert 'branch "b" failed: solo did not start: it is still running' in ((await bench.ended(outer.id)).error or "")


async def test_of_two_that_run_the_same_at_once_one_stands_in_line_if_it_is_queued(bench: Bench) -> None:
    await bench.save(workflow("solo", wait("rest", 10), say("s", "solo"), policy={"mode": "queued"}))
    await bench.save(workflow("outer", beside("both", call("a", "solo"), call("b", "solo"))))
    outer = await bench.run("outer")
    await bench.advance(10)
    assert bench.service.said == ["solo"]
    await bench.advance(10)
    assert bench.service.said == ["solo", "solo"]
    assert (await bench.ended(outer.id)).status == "completed"


async def test_runs_that_would_wait_for_each_other_in_a_ring_do_not(bench: Bench) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        await bench.save(workflow(one, wait("rest", 5), call(f"go {one}", other), policy={"mode": "queued"}))
    await bench.run("a")
    await bench.run("b")
    await bench.advance(5)
    await bench.advance(5)
    assert await bench.runner.live(COMMUNITY) == ()


async def test_a_workflow_that_takes_its_own_place_ends_and_nothing_is_stuck(bench: Bench) -> None:
    await bench.save(workflow("again", wait("rest", 1), call("go", "again"), policy={"mode": "restart"}))
    await bench.run("again")
    await bench.advance(1)
    assert [run.status for run in await bench.runs("again")] == ["stopped", "stopped"]


async def test_stopping_all_stops_also_what_would_begin_next(bench: Bench) -> None:
    await bench.save(busy("w", "queued"))
    for user in "abc":
        await bench.happen("raid.received", user=user)
    await bench.runner.control(COMMUNITY, "stop", None, STREAMER)
    await bench.runner.quiescent()
    assert [run.status for run in await bench.runs("w")] == ["stopped"] * 3
    assert bench.service.said == ["a begins"]
