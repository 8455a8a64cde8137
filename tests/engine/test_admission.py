"""Admission: each reason against a start, in the order they count, in one sentence."""

from typing import Any

import pytest

from engine.admission import Gate, Let, Moment, Refuse, Workflow, admit, admit_by_hand, gate_of, lapsed, may_start
from engine.context import Context, event_scope
from engine.declare import Declarations
from engine.events import Event
from engine.execution import Person
from engine.model import Policy, Trigger
from engine.ports import WorkflowRecord
from engine.program import compile_program
from engine.scope import Scope
from engine.triggers import Match
from tests.fakes import METHODS, look, workflow

MATCH = Match("w", Trigger(on="raid"))


NOW = 1_000_000.0
LIVE = Moment(NOW, "UTC", live=True)
OFF_AIR = Moment(NOW, "UTC", live=False)


def gate(policy: dict[str, Any]) -> Gate:
    return gate_of("w", workflow("w", look("l"), policy=policy).policy)


def standing(
    *,
    enabled: bool = True,
    on: int = 0,
    line: int = 0,
    unfit: str | None = None,
    marks: dict[str, Any] | None = None,
    **more: Any,
) -> Workflow:
    definition = workflow("w", look("l"), **more)
    program = None if unfit else compile_program(definition, Declarations(METHODS))
    return Workflow(
        WorkflowRecord("home", "w", "w", 1, enabled),
        gate_of("w", definition.policy),
        program,
        unfit,
        marks=lambda key: (marks or {}).get(key, ()),
        on=lambda _: on,
        line=lambda _: line,
    )


def answered(workflow_now: Workflow, event: Event, match: Match = MATCH, moment: Moment = OFF_AIR) -> Any:
    return admit(event, match, workflow_now, event_scope(event, Context()), moment)


def by_hand(workflow_now: Workflow, who: Person, moment: Moment = OFF_AIR) -> Any:
    scope = Scope(user={"name": who.name, "roles": list(who.roles)})
    return admit_by_hand(workflow_now, {}, who, scope, moment)


def raid(*roles: str, depth: int = 0) -> Event:
    return Event("e", "raid.received", 0.0, "home", {"user": {"name": "bob", "roles": list(roles)}}, depth=depth)


def test_a_trigger_that_holds_starts_for_everyone() -> None:
    assert answered(standing(), raid(), MATCH) == Let("w", "w")


@pytest.mark.parametrize(
    ("workflow_now", "event", "words"),
    [
        (standing(enabled=False), raid(), "it is switched off"),
        (standing(unfit="step 1 is odd"), raid(), "it cannot be run as it is written: step 1 is odd"),
        (standing(), raid(depth=17), "in a chain of 17; 16 is the limit"),
        (standing(policy={"may_run": ["vip"]}), raid("subscriber"), "bob may not start it; it is for VIPs"),
        (
            standing(policy={"may_run": ["subscriber", "vip"]}),
            raid(),
            "bob may not start it; it is for subscribers and VIPs",
        ),
        (standing(policy={"only_live": True}), raid(), "not live"),
        (standing(policy={"mode": "single"}, on=1), raid(), "it is still running"),
        (standing(policy={"mode": "parallel", "max": 2}, on=2), raid(), "2 runs of it are going on, and 2 may"),
        (standing(variables={"target": {"required": True}}), raid(), "needs target"),
    ],
)
def test_a_refusal_is_a_sentence(workflow_now: Workflow, event: Event, words: str) -> None:
    answer = answered(workflow_now, event)
    assert isinstance(answer, Refuse)
    assert words in answer.reason
    assert not answer.unmatched


def test_a_guard_that_does_not_hold_is_the_reason_before_all_others() -> None:
    answer = answered(standing(enabled=False), raid(), Match("w", MATCH.trigger, "no"))
    assert answer == Refuse("w", "no", unmatched=True)


def test_reasons_count_in_one_order_from_whether_it_may_at_all_to_whether_there_is_room() -> None:
    policy: dict[str, Any] = {
        "may_run": ["vip"],
        "only_live": True,
        "quiet_hours": {"start": "13:00", "end": "14:00"},
        "cooldown": {"seconds": 60},
        "rate": {"count": 1, "seconds": 3_600},
        "once_per_user": True,
        "mode": "single",
    }
    marks = {"cooldown ": [(NOW - 1, 1)], "rate": [(NOW - 1, 1)], "once bob": [(1.0, 1)]}
    more: dict[str, Any] = {"enabled": False, "on": 1, "marks": marks, "variables": {"target": {"required": True}}}
    event, moment, reasons = raid(depth=17), OFF_AIR, list[str]()

    def look_again() -> None:
        answer = answered(standing(policy=policy, **more), event, moment=moment)
        reasons.append(answer.reason if isinstance(answer, Refuse) else "let in")

    look_again()
    more["enabled"] = True
    look_again()
    event = raid()
    look_again()
    event = raid("vip")
    look_again()
    moment = LIVE
    look_again()
    for obstacle in ("quiet_hours", "cooldown", "rate", "once_per_user"):
        del policy[obstacle]
        look_again()
    del more["variables"]
    look_again()
    more["on"] = 0
    look_again()
    said = ["off", "chain of 17", "may not start", "not live", "quiet from", "rests for", "more may not be"]
    said += ["has had it already", "needs target", "still running", "let in"]
    assert all(words in reason for words, reason in zip(said, reasons, strict=True)), reasons


@pytest.mark.parametrize("live", [False, True])
def test_a_trigger_that_is_for_a_live_stream_starts_nothing_before_it(live: bool) -> None:
    match = Match("w", Trigger(on="raid.received", only_live=True), None)
    answer = admit(raid(), match, standing(), Scope(), Moment(0.0, "UTC", live))
    assert answer == (Let("w", "w") if live else Refuse("w", "the stream is not live, and it runs only while it is"))


def test_the_sixteenth_link_of_a_chain_still_starts() -> None:
    assert answered(standing(), raid(depth=16), MATCH) == Let("w", "w")


@pytest.mark.parametrize(
    ("roles", "allowed", "let"),
    [
        ((), ("everyone",), True),
        ((), ("vip",), False),
        (("vip",), ("vip",), True),
        (("subscriber",), ("vip",), False),
        (("moderator",), ("vip",), True),
        (("moderator",), ("broadcaster",), False),
        (("broadcaster",), ("subscriber",), True),
    ],
)
def test_rights_to_start(roles: tuple[str, ...], allowed: Any, let: bool) -> None:
    assert may_start(roles, allowed) is let


@pytest.mark.parametrize(
    ("roles", "policy", "let"),
    [
        ((), {}, False),
        (("vip",), {}, False),
        (("moderator",), {}, True),
        (("broadcaster",), {}, True),
        (("vip",), {"may_run": ["vip"]}, True),
        (("moderator",), {"may_run": ["broadcaster"]}, False),
    ],
)
def test_by_hand_only_staff_starts_it_unless_its_policy_says_who(
    roles: tuple[str, ...], policy: dict[str, Any], let: bool
) -> None:
    answer = by_hand(standing(policy=policy), Person("ann", roles=roles))
    assert isinstance(answer, Let) is let


# Time ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "marks", "roles", "words", "allowed_at"),
    [
        ({"cooldown": {"seconds": 60}}, {"cooldown ": [(NOW - 20, 1)]}, (), "40 seconds left", NOW + 40),
        ({"cooldown": {"seconds": 60, "per": "user"}}, {"cooldown bob": [(NOW - 59, 1)]}, (), "for bob", NOW + 1),
        ({"rate": {"count": 2, "seconds": 30}}, {"rate": [(NOW - 29, 1), (NOW - 1, 1)]}, (), "2 times", NOW + 1),
        ({"once_per_user": True}, {"once bob": [(1.0, 1)]}, (), "bob has had it already", None),
        ({"quiet_hours": {"start": "13:00", "end": "14:00"}}, {}, (), "it is 13:46", NOW + 800),
        ({"quiet_hours": {"start": "22:00", "end": "13:50"}}, {}, (), "from 22:00 to 13:50", NOW + 200),
    ],
)
def test_what_comes_too_soon_is_refused_with_the_time_at_which_it_would_be_let_in(
    policy: dict[str, Any], marks: dict[str, Any], roles: tuple[str, ...], words: str, allowed_at: float | None
) -> None:
    refused = answered(standing(policy=policy, marks=marks), raid(*roles))

    assert isinstance(refused, Refuse)
    assert words in refused.reason
    assert refused.allowed_at == allowed_at


@pytest.mark.parametrize(
    ("policy", "marks", "remembered"),
    [
        ({"cooldown": {"seconds": 60}}, {"cooldown ": [(NOW - 60, 1)]}, {"cooldown ": ((NOW, 1),)}),
        (
            {"cooldown": {"seconds": 60, "per": "user"}},
            {"cooldown ann": [(NOW, 1)]},
            {"cooldown bob": ((NOW, 1),)},
        ),
        (
            {"rate": {"count": 2, "seconds": 30}},
            {"rate": [(NOW - 30, 1), (NOW - 1, 1)]},
            {"rate": ((NOW - 1, 1), (NOW, 1))},
        ),
        ({"once_per_user": True}, {"once ann": [(1.0, 1)]}, {"once bob": ((NOW, 1),)}),
        ({"quiet_hours": {"start": "13:47", "end": "13:46"}}, {}, {}),
    ],
)
def test_a_start_that_is_let_in_tells_what_is_to_be_remembered_of_it(
    policy: dict[str, Any], marks: dict[str, Any], remembered: dict[str, Any]
) -> None:
    assert answered(standing(policy=policy, marks=marks), raid()) == Let("w", "w", marks=remembered)


def test_exempt_roles_and_staff_by_hand_meet_no_cooldown() -> None:
    policy: dict[str, Any] = {"cooldown": {"seconds": 60}, "exempt": ["vip"]}
    marks = {"cooldown ": [(NOW, 1)]}

    assert isinstance(answered(standing(policy=policy, marks=marks), raid()), Refuse)
    assert isinstance(answered(standing(policy=policy, marks=marks), raid("vip")), Let)
    assert isinstance(by_hand(standing(policy=policy, marks=marks), Person("mo", roles=("moderator",))), Let)


@pytest.mark.parametrize(
    ("name", "at", "gone"),
    [
        ("cooldown ", NOW - 59, False),
        ("cooldown bob", NOW - 60, True),
        ("rate", NOW - 299, False),
        ("rate", NOW - 300, True),
        ("trigger raid", NOW - 9, False),
        ("trigger raid", NOW - 10, True),
        ("trigger follow", NOW, True),
        ("once bob", 0.0, False),
    ],
)
def test_what_is_remembered_of_starts_may_go_once_no_rule_looks_at_it(name: str, at: float, gone: bool) -> None:
    policy = Policy.model_validate({"cooldown": {"seconds": 60}, "rate": {"count": 3, "seconds": 300}})
    triggers = (Trigger(on="raid", cooldown_seconds=10), Trigger(on="raid"), Trigger(on="follow"))
    assert lapsed(name, [(at - 500, 2), (at, 1)], policy, triggers, NOW) is gone


def test_a_cooldown_of_the_trigger_counts_beside_that_of_the_workflow() -> None:
    match = Match("w", Trigger(on="raid", cooldown_seconds=10))

    refused = answered(standing(marks={"trigger raid": [(NOW - 4, 1)]}), raid(), match)

    assert isinstance(refused, Refuse)
    assert refused.allowed_at == NOW + 6


def test_a_key_that_cannot_be_worked_out_is_a_refusal_in_words() -> None:
    refused = answered(standing(policy={"mode": "single", "key": "user / 2"}), raid())

    assert isinstance(refused, Refuse)
    assert "its key could not be worked out" in refused.reason


# Room ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "on", "line", "answer"),
    [
        ({"mode": "queued"}, 0, 0, Let("w", "w")),
        ({"mode": "queued"}, 1, 0, Let("w", "w", "in line")),
        ({"mode": "queued"}, 1, 99, Let("w", "w", "in line")),
        ({"mode": "queued", "max": 2}, 1, 2, Refuse("w", "2 runs of it stand in line, and no more may")),
        ({"mode": "restart"}, 0, 0, Let("w", "w")),
        ({"mode": "restart"}, 1, 0, Let("w", "w", "instead")),
        ({"mode": "single"}, 0, 1, Refuse("w", "it is still running, and it runs once at a time")),
        ({"mode": "parallel"}, 9, 0, Let("w", "w")),
        ({}, 9, 0, Let("w", "w")),
    ],
)
def test_run_modes(policy: dict[str, Any], on: int, line: int, answer: Any) -> None:
    assert answered(standing(policy=policy, on=on, line=line), raid()) == answer


@pytest.mark.parametrize(
    ("policy", "slot"),
    [
        ({"mode": "single"}, "w"),
        ({"mode": "single", "key": "user"}, "w bob"),
        ({"mode": "single", "group": "stage"}, "group stage"),
        ({"mode": "single", "group": "stage", "key": "missing"}, "group stage "),
    ],
)
def test_runs_that_must_not_go_on_side_by_side_share_a_slot(policy: dict[str, Any], slot: str) -> None:
    assert answered(standing(policy=policy), raid()) == Let("w", slot)
