"""Admission: each reason against a start, in the order they count, in one sentence."""

from typing import Any

import pytest

from engine.admission import Let, Refuse, Workflow, admit, admit_by_hand, may_start
from engine.declare import Declarations
from engine.events import Event
from engine.execution import Person
from engine.model import Trigger
from engine.ports import WorkflowRecord
from engine.program import compile_program
from engine.triggers import Match
from tests.fakes import METHODS, look, workflow

MATCH = Match("w", Trigger(on="raid"))


def standing(*, enabled: bool = True, running: int = 0, unfit: str | None = None, **more: Any) -> Workflow:
    definition = workflow("w", look("l"), **more)
    program = None if unfit else compile_program(definition, Declarations(METHODS))
    return Workflow(WorkflowRecord("home", "w", "w", 1, enabled), definition.policy, program, unfit, running)


def raid(*roles: str, depth: int = 0) -> Event:
    return Event("e", "raid.received", 0.0, "home", {"user": {"name": "bob", "roles": list(roles)}}, depth=depth)


def test_a_trigger_that_holds_starts_for_everyone() -> None:
    assert admit(raid(), MATCH, standing(), live=False) == Let("w")


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
        (standing(policy={"mode": "single"}, running=1), raid(), "it is still running"),
        (standing(policy={"mode": "parallel", "max": 2}, running=2), raid(), "2 runs of it are going on, and 2 may"),
        (standing(variables={"target": {"required": True}}), raid(), "needs target"),
    ],
)
def test_a_refusal_is_a_sentence(workflow_now: Workflow, event: Event, words: str) -> None:
    answer = admit(event, MATCH, workflow_now, live=False)
    assert isinstance(answer, Refuse)
    assert words in answer.reason
    assert not answer.unmatched


def test_a_guard_that_does_not_hold_is_the_reason_before_all_others() -> None:
    answer = admit(raid(), Match("w", MATCH.trigger, "no"), standing(enabled=False), live=False)
    assert answer == Refuse("w", "no", unmatched=True)


def test_the_sixteenth_link_of_a_chain_still_starts() -> None:
    assert admit(raid(depth=16), MATCH, standing(), live=False) == Let("w")


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
    answer = admit_by_hand(standing(policy=policy), {}, Person("ann", roles=roles), live=False)
    assert isinstance(answer, Let) is let
