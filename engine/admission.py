"""What may start a workflow, and the sentence said where it may not. Pure.

Order: the trigger's guard, switched off, the chain's length, the right to start, live or not, the inputs it needs, room
for it. The first that does not hold is the reason. De-duplication comes before all this: an event seen twice gets here
once. Nothing is recorded here; the answers are values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from engine.arguments import missing_input
from engine.compiled import Program
from engine.events import Event
from engine.execution import MAX_DEPTH, Person
from engine.model import Policy, Role
from engine.people import name_of, roles_of
from engine.ports import WorkflowRecord
from engine.triggers import Match


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow that may be started: how it stands, as it is written, and how many runs of it are going on.

    Attributes:
        program: None if it cannot be run as it is written; `unfit` then says why.
    """

    record: WorkflowRecord
    policy: Policy
    program: Program | None
    unfit: str | None
    running: int


@dataclass(frozen=True, slots=True)
class Let:
    """It starts."""

    workflow: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """It does not start.

    Attributes:
        unmatched: Whether its trigger did not even hold.
    """

    workflow: str
    reason: str
    unmatched: bool = False


Answer: TypeAlias = Let | Refuse


def admit(event: Event, match: Match, workflow: Workflow, *, live: bool) -> Answer:
    """Whether an event starts a workflow that listens for it."""
    if match.reason is not None:
        return Refuse(match.workflow, match.reason, unmatched=True)
    roles = roles_of(event.payload.get("user"))
    reason = (
        _switched_off(workflow)
        or _too_deep(event.depth)
        or _not_allowed(name_of(event.payload.get("user")), roles, workflow.policy.may_run)
        or _refused_by_state(workflow, live)
        or _missing_input(workflow, {})
    )
    return Let(match.workflow) if reason is None else Refuse(match.workflow, reason)


def admit_by_hand(workflow: Workflow, arguments: Mapping[str, Any], caller: Person, *, live: bool) -> Answer:
    """Whether a person may run a workflow by hand: staff may, or whom its policy names."""
    allowed = workflow.policy.may_run or ("moderator", "broadcaster")
    reason = (
        _switched_off(workflow)
        or _not_allowed(caller.name, caller.roles, allowed)
        or _refused_by_state(workflow, live)
        or _missing_input(workflow, arguments)
    )
    return Let(workflow.record.id) if reason is None else Refuse(workflow.record.id, reason)


def may_start(roles: Sequence[str], allowed: Sequence[Role]) -> bool:
    """Whether somebody with these roles is let in: by role, the broadcaster always, moderators wherever viewers are."""
    held = {*roles, "everyone"}
    if held & set(allowed) or "broadcaster" in held:
        return True
    return "moderator" in held and bool(set(allowed) - {"broadcaster"})


def _switched_off(workflow: Workflow) -> str | None:
    if not workflow.record.enabled:
        return "it is switched off"
    return None if workflow.unfit is None else f"it cannot be run as it is written: {workflow.unfit}"


def _too_deep(depth: int) -> str | None:
    if depth <= MAX_DEPTH:
        return None
    return f"our own workflows led to this event in a chain of {depth}; {MAX_DEPTH} is the limit"


def _not_allowed(name: str | None, roles: Sequence[str], allowed: tuple[Role, ...] | None) -> str | None:
    if allowed is None or may_start(roles, allowed):
        return None
    return f"{name or 'nobody in particular'} may not start it; it is for {_listed(allowed)}"


def _listed(allowed: Sequence[Role]) -> str:
    plurals = {
        "broadcaster": "the broadcaster",
        "moderator": "moderators",
        "vip": "VIPs",
        "subscriber": "subscribers",
        "everyone": "everyone",
    }
    words = [plurals[role] for role in allowed]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _refused_by_state(workflow: Workflow, live: bool) -> str | None:
    policy = workflow.policy
    if policy.only_live and not live:
        return "the stream is not live, and it runs only while it is"
    if policy.mode == "single" and workflow.running > 0:
        return "it is still running, and it runs once at a time"
    if policy.mode == "parallel" and policy.max is not None and workflow.running >= policy.max:
        return f"{workflow.running} runs of it are going on, and {policy.max} may"
    return None


def _missing_input(workflow: Workflow, given: Mapping[str, Any]) -> str | None:
    return None if workflow.program is None else missing_input(workflow.program, given)
