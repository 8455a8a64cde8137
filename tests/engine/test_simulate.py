"""A dry run does what the runner does, and touches nothing."""

import asyncio
import math
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.clock import VirtualClock
from engine.data import DATA_METHODS, Kept
from engine.declare import Declarations
from engine.events import Event
from engine.execution import Done, Effect, Failed, Result
from engine.model import Definition
from engine.ports import DataRecord, RevisionRecord, WorkflowRecord
from engine.simulate import backtest, by_event, by_hand
from engine.simulation import Asked, Begun, Cast, Cue, Ended, Happened, Left, Limits, Refused, Stage, Trace, Waits
from tests import runnable
from tests.fakes import (
    COMMUNITY,
    METHODS,
    MODERATOR,
    STREAMER,
    VIEWER,
    Bench,
    RecordingService,
    say,
    wait,
    workflow,
)
from tests.fakes_store import MemoryStore

NOW = 1_000.0
DECLARATIONS = Declarations((*METHODS, *DATA_METHODS))


def cast(definition: Definition, number: int = 1, *, enabled: bool = True) -> Cast:
    return Cast(
        WorkflowRecord(COMMUNITY, definition.id, definition.name, number, enabled),
        RevisionRecord(COMMUNITY, definition.id, number, definition, STREAMER, 0.0),
    )


def stage(*definitions: Definition, **more: Any) -> Stage:
    return Stage(COMMUNITY, DECLARATIONS, NOW, [cast(each) for each in definitions], **more)


def event(name: str, at: float = NOW, user: str = "bob", id: str = "", **payload: Any) -> Event:
    who = {"name": user, "roles": []}
    return Event(id or f"{name}@{at}/{user}", name, at, COMMUNITY, {"user": who, **payload})


def said(trace: Trace) -> list[tuple[float, str]]:
    """What would be said, with the seconds after the start."""
    asked: Sequence[Asked] = trace.of(Asked)
    return [(line.at - trace.at, line.effect.params["message"]) for line in asked if line.effect.method == "say"]


def ends(trace: Trace) -> list[str]:
    return [line.status for line in trace.of(Ended)]


def refusals(trace: Trace) -> list[str]:
    return [line.reason for line in trace.of(Refused)]


RAID = workflow(
    "raid",
    say("welcome", "welcome ${user}, all ${viewers}!"),
    wait("rest", 10),
    say("bye", "bye"),
    triggers=[{"on": "raid", "when": "viewers > 5"}],
    policy={"cooldown": {"seconds": 60}},
)


def step(name: str, kind: str, **more: Any) -> dict[str, Any]:
    transitions = {"transitions": more.pop("transitions")} if "transitions" in more else {}
    timeout = {"timeout_seconds": more.pop("timeout")} if "timeout" in more else {}
    return {"name": name, "action": {"kind": kind, **more}, **transitions, **timeout}


# What would happen -------------------------------------------------------------------------------------------------------


def test_an_event_is_followed_to_the_end_in_simulated_time() -> None:
    trace = by_event(stage(RAID), "raid", event("raid", viewers=50))
    assert [type(line) for line in trace.lines] == [Happened, Begun, Asked, Left, Waits, Left, Asked, Left, Ended]
    assert said(trace) == [(0, "welcome bob, all 50!"), (10, "bye")]
    (rest,) = trace.of(Waits)
    assert (rest.step, rest.kind, rest.until) == ("rest", "wait", NOW + 10)
    assert ends(trace) == ["completed"]
    assert trace.cut is None
    assert trace.waiting == ()


def test_a_trigger_that_does_not_hold_says_why() -> None:
    trace = by_event(stage(RAID), "raid", event("raid", viewers=3))
    assert [type(line) for line in trace.lines] == [Happened, Refused]
    assert "viewers" in refusals(trace)[0]


def test_an_event_it_does_not_listen_for_is_said_to_be_none_of_its_business() -> None:
    assert refusals(by_event(stage(RAID), "raid", event("follow"))) == ["it does not listen for that"]


def test_a_run_by_hand_needs_the_right_and_the_inputs() -> None:
    needing = workflow("raid", say("a", "${target}"), variables={"target": {"required": True}})
    assert "may not start it" in refusals(by_hand(stage(needing), "raid", {}, VIEWER))[0]
    assert "needs target" in refusals(by_hand(stage(needing), "raid", {}, STREAMER))[0]
    trace = by_hand(stage(needing), "raid", {"target": "ninja"}, MODERATOR)
    assert said(trace) == [(0, "ninja")]


def test_whom_it_is_about_can_be_somebody_else_than_who_runs_it() -> None:
    greeting = workflow("hi", say("a", "${user} by ${caller}"))
    bob = {"name": "bob", "roles": ["vip"]}
    assert said(by_hand(stage(greeting), "hi", {}, STREAMER, user=bob)) == [(0, "bob by streamer")]


def test_the_first_failing_step_takes_its_way_out() -> None:
    handled = workflow(
        "w",
        say("a", "a", transitions={"success": "b", "error": "c"}),
        say("b", "b", transitions={"success": "end"}),
        say("c", "it failed"),
        step("end", "stop"),
    )

    def answer(effect: Effect) -> Result | None:
        return Failed("told", "as told") if effect.state == "a" else None

    trace = by_hand(stage(handled, answer=answer), "w", {}, STREAMER)
    assert said(trace) == [(0, "a"), (0, "it failed")]
    assert [(line.step, line.outcome) for line in trace.of(Left)] == [
        ("a", "error"),
        ("c", "success"),
        ("end", "success"),
    ]


def test_a_declared_result_is_what_later_steps_see_and_nothing_else_is_made_up() -> None:
    looking = workflow(
        "w",
        {"name": "look", "action": {"service": "stage", "method": "look", "params": {}}},
        say("tell", "${results.look.colour}"),
    )
    declared = by_hand(
        stage(looking, answer=lambda e: Done({"colour": "red"}) if e.state == "look" else None), "w", {}, STREAMER
    )
    assert said(declared) == [(0, "red")]
    assert [line.made_up for line in declared.of(Asked)] == [False, True]
    undeclared = by_hand(stage(looking), "w", {}, STREAMER)
    assert ends(undeclared) == ["failed"]


def test_retries_are_waited_for() -> None:
    trying = workflow("w", say("a", "a", retry={"max_attempts": 3, "delay_seconds": 5, "backoff": 1, "jitter": 0}))
    trace = by_hand(stage(trying, answer=lambda _: Failed("x", "no", retryable=True)), "w", {}, STREAMER)
    assert said(trace) == [(0, "a"), (5, "a"), (10, "a")]
    assert [line.kind for line in trace.of(Waits)] == ["retry", "retry"]
    assert ends(trace) == ["failed"]


def test_a_step_its_author_had_no_right_to_would_be_refused() -> None:
    ending = workflow("w", {"name": "end", "action": {"service": "stage", "method": "end_stream", "params": {}}})
    by_mod = Cast(WorkflowRecord(COMMUNITY, "w", "w", 1), RevisionRecord(COMMUNITY, "w", 1, ending, MODERATOR, 0.0))
    trace = by_hand(replace(stage(), workflows=[by_mod]), "w", {}, STREAMER)
    assert ends(trace) == ["failed"]
    (asked,) = trace.of(Asked)
    assert isinstance(asked.result, Failed)
    assert asked.result.error == "forbidden"


# Waits for events --------------------------------------------------------------------------------------------------------

HEARING = workflow(
    "w",
    step("hear", "wait_for", event="follow", timeout=600, transitions={"success": "thank", "timeout": "sad"}),
    say("thank", "thanks ${results.hear.user}", transitions={"success": "end"}),
    say("sad", "nobody came"),
    step("end", "stop"),
)


def test_a_wait_for_an_event_ends_with_its_time_or_with_the_script() -> None:
    alone = by_hand(stage(HEARING), "w", {}, STREAMER)
    assert said(alone) == [(600, "nobody came")]
    (waits,) = alone.of(Waits)
    assert (waits.kind, waits.event, waits.until) == ("wait_for", "follow.received", NOW + 600)
    followed = by_hand(stage(HEARING), "w", {}, STREAMER, script=[Cue(300, event("follow", user="ann"))])
    assert said(followed) == [(300, "thanks ann")]
    late = by_hand(stage(HEARING), "w", {}, STREAMER, script=[Cue(601, event("follow", user="ann"))])
    assert said(late) == [(600, "nobody came")]


def test_a_wait_without_end_is_still_there_at_the_end() -> None:
    endless = workflow("w", step("hear", "wait_for", event="follow"))
    trace = by_hand(stage(endless), "w", {}, STREAMER)
    assert trace.waiting == (trace.of(Begun)[0].run,)
    assert ends(trace) == []


# Other workflows ---------------------------------------------------------------------------------------------------------


def test_child_runs_and_events_of_our_own_start_what_they_would_start() -> None:
    parent = workflow(
        "parent",
        step("call", "run", workflow="child", arguments={"n": 1}),
        step("tell", "emit", event="party.begun", payload={"size": 3}),
        say("done", "${results.call.n}"),
    )
    child = workflow("child", wait("w", 5), say("c", "child ${n}"))
    guest = workflow("guest", say("g", "party of ${size}"), triggers=["party.begun"])
    shy = workflow("shy", say("s", "no"), triggers=[{"on": "party.begun", "when": "size > 5"}])
    trace = by_hand(stage(parent, child, guest, shy), "parent", {}, STREAMER)
    assert said(trace) == [(5, "child 1"), (5, "party of 3"), (5, "1")]
    begun = [(line.workflow, line.parent is not None) for line in trace.of(Begun)]
    assert begun == [("parent", False), ("child", True), ("guest", False)]
    (happened,) = trace.of(Happened)
    assert (happened.event, happened.by, happened.payload) == ("party.begun", trace.of(Begun)[0].run, {"size": 3})
    (refused,) = trace.of(Refused)
    assert refused.workflow == "shy"
    assert ends(trace) == ["completed"] * 3


def test_the_event_tried_starts_only_the_workflow_that_is_tried() -> None:
    other = workflow("other", say("x", "x"), triggers=["raid"])
    assert [line.workflow for line in by_event(stage(RAID, other), "raid", event("raid", viewers=9)).of(Begun)] == [
        "raid"
    ]


# Bounds ------------------------------------------------------------------------------------------------------------------


def test_an_endless_loop_ends_with_a_sentence() -> None:
    loop = workflow("w", wait("a", 60, transitions={"success": "b"}), say("b", "again", transitions={"success": "a"}))
    trace = by_hand(stage(loop, limits=Limits(lines=40)), "w", {}, STREAMER)
    assert len(trace.lines) == 40
    assert trace.cut == "It goes on, but more than 40 lines of it are too many."


def test_what_would_come_after_too_long_a_time_is_left_out() -> None:
    trace = by_hand(stage(workflow("w", wait("a", 40 * 86_400), say("b", "b"))), "w", {}, STREAMER)
    assert said(trace) == []
    assert trace.cut == "What would come after more than 31 days is left out."
    assert len(trace.waiting) == 1


def test_a_loop_of_starts_is_cut_off_in_the_middle_of_a_step() -> None:
    many = workflow(
        "many",
        step(
            "loop",
            "repeat",
            times=900,
            block={
                "initial_state": "again",
                "states": [step("again", "run", workflow="one", detached=True, transitions={})],
            },
        ),
    )
    trace = by_hand(
        stage(many, workflow("one", wait("w", 1)), limits=Limits(runs=20, lines=10_000)), "many", {}, STREAMER
    )
    assert trace.cut == "It would start more than 20 runs; the rest is left out."
    assert len(trace.of(Begun)) == 20


# What it must not touch --------------------------------------------------------------------------------------------------


def test_what_is_kept_is_changed_in_a_copy_only() -> None:
    counting = workflow(
        "w",
        {"name": "add", "action": {"service": "data", "method": "add_to_counter", "params": {"counter": "deaths"}}},
        say("tell", "${data.deaths}"),
    )
    kept = Kept(COMMUNITY, [DataRecord(COMMUNITY, "", "deaths", {"kind": "value", "value": 41})])
    for _ in range(2):
        assert said(by_hand(stage(counting, kept=kept), "w", {}, STREAMER)) == [(0, "42")]
    assert kept.tree == {"deaths": 41}


def test_cooldowns_count_and_are_not_used_up() -> None:
    marks = {("raid", "cooldown "): ((NOW - 20, 1),)}
    (refused,) = by_event(stage(RAID, marks=marks), "raid", event("raid", viewers=50)).of(Refused)
    assert refused.allowed_at == NOW + 40
    free: dict[tuple[str, str], tuple[tuple[float, int], ...]] = {}
    assert said(by_event(stage(RAID, marks=free), "raid", event("raid", viewers=50))) != []
    assert free == {}


# Backtest ----------------------------------------------------------------------------------------------------------------


def test_a_version_is_asked_what_it_would_have_done_with_what_has_happened() -> None:
    events = [
        event("raid", 100.0, "ann", viewers=50),
        event("raid", 130.0, "ben", viewers=50),
        event("raid", 500.0, "cem", viewers=2),
        event("follow", 510.0, "dan"),
        event("raid", 600.0, "eva", viewers=7),
    ]
    trace = backtest(stage(RAID), "raid", reversed(events))
    assert trace.at == 100.0
    assert [(line.at, line.who) for line in trace.of(Begun)] == [(100.0, "ann"), (600.0, "eva")]
    assert [(line.at, line.who) for line in trace.of(Refused)] == [(130.0, "ben")]
    assert (trace.events, trace.unmatched) == (5, 1)
    assert [line.who for line in trace.of(Happened)] == ["ann", "ben", "eva"]


def test_recorded_events_are_heard_by_the_runs_they_would_have_started() -> None:
    waiting = HEARING.model_copy(update={"triggers": RAID.triggers})
    events = [event("raid", 100.0, viewers=9), event("follow", 400.0, "ann"), event("follow", 401.0, "ben")]
    assert said(backtest(stage(waiting), "w", events)) == [(300, "thanks ann")]


def test_gifts_that_belong_together_count_once_and_lone_ones_for_themselves() -> None:
    thanks = workflow("w", say("t", "thanks ${user}"), triggers=["gift", "sub"])
    events = [
        event("subscription.received", 100.0, "x", gift_id="g1"),
        event("gift.received", 101.0, "ann", gift_id="g1", count=2),
        event("subscription.received", 102.0, "y", gift_id="g1"),
        event("subscription.received", 200.0, "z", gift_id="g2"),
    ]
    assert said(backtest(stage(thanks), "w", events)) == [(1, "thanks ann"), (110, "thanks z")]


def test_what_it_let_happen_itself_is_not_counted_twice() -> None:
    telling = workflow("w", step("tell", "emit", event="hi.there"), triggers=["raid"])
    guest = workflow("guest", say("g", "hi"), triggers=["hi.there"])
    recorded = replace(event("hi.there", 100.0), cause="some-run")
    trace = backtest(stage(telling, guest), "w", [event("raid", 99.0, viewers=9), recorded])
    assert [line.workflow for line in trace.of(Begun)] == ["w", "guest"]


def test_whether_the_stream_was_live_is_taken_from_what_happened() -> None:
    live_only = workflow("w", say("a", "a"), triggers=["follow"], policy={"only_live": True})
    events = [event("follow", 100.0), event("stream.ended", 110.0), event("follow", 120.0, "ann")]
    trace = backtest(stage(live_only, stream={"live": False}), "w", events)
    assert [line.at for line in trace.of(Begun)] == [100.0]
    assert [line.at for line in trace.of(Refused)] == [120.0]


def test_nothing_recorded_is_nothing_to_say() -> None:
    assert backtest(stage(RAID), "raid", []).lines == ()


# The runner is the measure -----------------------------------------------------------------------------------------------

OTHER = {"id": "other", "name": "other", "initial_state": "o1", "states": [
    {"name": "o1", "action": {"service": "svc", "method": "say", "params": {"n": "other"}}, "transitions": {"success": "o2"}},
    {"name": "o2", "action": {"kind": "wait_for", "event": "made.up"}, "timeout_seconds": 4, "transitions": {}},
], "triggers": [{"on": "made.up"}]}  # fmt: skip


OUTSIDE = ("follow.received", "message.received")
"""Not `made.up`, for which another workflow listens: an event from outside is tried on one workflow only."""


class LineClock(VirtualClock):
    """Tasks may also sleep on it in line, until their turn comes; no time passes then."""

    def __init__(self, start: float) -> None:
        super().__init__(start)
        self._line: deque[tuple[asyncio.Task[Any], asyncio.Future[None]]] = deque()

    async def turn(self) -> None:
        task, woken = asyncio.current_task(), asyncio.get_running_loop().create_future()
        assert task is not None
        self._line.append((task, woken))
        await self._asleep(woken, math.inf)

    def next_turn(self) -> bool:
        """Wake the first in line; tells whether there is one."""
        if not self._line:
            return False
        task, woken = self._line.popleft()
        self._until[task] = -math.inf
        woken.set_result(None)
        return True


class DistantService(RecordingService):
    """Answers in the order in which it is asked, and each time only once nothing goes on in the engine any more."""

    clock: LineClock

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        await self.clock.turn()
        return await super().perform(effect, begin)


async def really(definitions: Sequence[Definition], script: Sequence[Cue]) -> tuple[list[Any], list[Any]]:
    """What services are asked, and what is written, by the runner itself."""
    clock = LineClock(NOW)
    service = DistantService("svc", tuple(runnable.DECLARATIONS))
    service.clock = clock
    bench = Bench(MemoryStore(), clock, service)

    async def settle() -> None:
        await bench.runner.quiescent()
        while clock.next_turn():
            await bench.runner.quiescent()

    await bench.open(*definitions)
    try:
        started = await bench.run(definitions[0].id, n="2")
        for cue in script:
            await clock.advance_to(NOW + cue.after, settle)
            await bench.runner.post(replace(cue.event, at=clock.now()))
            await settle()
        await clock.advance_to(NOW + 600, settle)
        runs = sorted(await bench.store.executions(COMMUNITY, limit=200), key=lambda run: (run.started_at, run.id))
        asked = [(effect.state, effect.params) for effect in bench.service.asked]
        names = {run.id: _plain(run.id, started.id) for run in runs}
        rows = [(names[run.id], row) for run in runs for row in await bench.store.history(run.id)]
        return asked, [_row(name, row) for name, row in rows if row.ended_at <= NOW + 600]
    finally:
        await bench.runner.close()


def _plain(run: str, root: str) -> str:
    return run.replace(root, "root", 1) if run == root or run.startswith(f"{root}.") else "started by an event"


def _row(run: str, row: Any) -> tuple[Any, ...]:
    state = row.step if isinstance(row, Left) else row.state
    ended = row.at if isinstance(row, Left) else row.ended_at
    return (run, row.path, state, row.visit, row.attempt, row.outcome, row.to, row.entered_at, ended, row.error)


LANES = {
    "say": {"service": "svc", "method": "say", "params": {}},
    "look": {"service": "svc", "method": "look", "params": {}},
    "emit": {"kind": "emit", "event": "made.up", "payload": {}},
}
"""A step that may not be done twice, one that may, and one that no service is asked for."""


@pytest.mark.parametrize(
    ("sides", "first"),
    [("say look", "say"), ("look say", "look"), ("say emit", "emit"), ("emit say", "emit"), ("look emit", "emit")],
)
async def test_services_answer_in_turn_and_after_all_that_the_bot_does_itself(sides: str, first: str) -> None:
    branches = [
        {"name": side, "block": {"initial_state": side, "states": [{"name": side, "action": LANES[side]}]}}
        for side in sides.split()
    ]
    race = {
        "id": "w",
        "name": "w",
        "initial_state": "race",
        "states": [{"name": "race", "action": {"kind": "parallel", "join": "any", "branches": branches}}],
    }
    trace = await compare(race, [])
    assert trace is not None
    (late,) = set(sides.split()) - {first}
    ends = {line.step: line.outcome for line in trace.of(Left) if line.outcome != "left" and line.workflow == "w"}
    assert ends == {first: "success", "race": "success", late: "late success"}


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(runnable.definitions(), st.lists(st.tuples(st.sampled_from(OUTSIDE), st.integers(0, 9)), max_size=3))
async def test_a_dry_run_goes_as_the_runner_goes(data: dict[str, Any], happening: list[tuple[str, int]]) -> None:
    assume(await compare(data, happening) is not None)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@settings(deadline=None, max_examples=1_500, suppress_health_check=list(HealthCheck))
@given(runnable.definitions(), st.lists(st.tuples(st.sampled_from(OUTSIDE), st.integers(0, 9)), max_size=4))
async def test_many_dry_runs_go_as_the_runner_goes(data: dict[str, Any], happening: list[tuple[str, int]]) -> None:
    assume(await compare(data, happening) is not None)


async def compare(data: dict[str, Any], happening: list[tuple[str, int]]) -> Trace | None:
    """See that a dry run and the runner come to the same; gives the trace, unless it had to be cut short."""
    definitions = [Definition.model_validate(each) for each in (data, OTHER)]
    # Half a second beside what is due, since what comes first at the same time is nobody's promise.
    script = [
        Cue(after + 0.5, event(name, id=f"e{n}"))
        for n, (name, after) in enumerate(sorted(happening, key=lambda h: h[1]))
    ]
    many = Limits(lines=400, runs=60, seconds=600)
    own = {"workflows": [cast(each) for each in definitions], "declarations": runnable.DECLARATIONS, "limits": many}
    trace = by_hand(replace(stage(), **own), "w", {"n": "2"}, STREAMER, script=script)
    if trace.cut is not None and "come after" not in trace.cut:
        return None
    asked, rows = await really(definitions, script)
    root = trace.of(Begun)[0].run if trace.of(Begun) else ""
    mine = [_row(_plain(line.run, root), line) for line in trace.of(Left)]
    assert Counter(mine) == Counter(rows)
    assert Counter(repr((line.effect.state, line.effect.params)) for line in trace.of(Asked)) == Counter(
        map(repr, asked)
    )
    return trace
