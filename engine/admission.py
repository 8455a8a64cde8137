"""What may start a workflow, and the sentence said where it may not. Pure.

Order: the trigger's guard, switched off, the chain's length, the right to start, live or not, quiet hours, cooldowns, rate
and once per user, the inputs it needs, and room for it. The first that does not hold is the reason. De-duplication comes
before all this: an event seen twice gets here once. Nothing is recorded here; the answers are values, and say what has to
be remembered of a start.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from engine.arguments import missing_input
from engine.compiled import Program
from engine.errors import EvaluationError, ExpressionError
from engine.evaluate import compile_formula
from engine.events import Event
from engine.execution import MAX_DEPTH, Person, Values
from engine.expressions import parse_formula
from engine.marks import Mark, counted_since, with_another
from engine.model import Policy, QuietHours, Role, Trigger
from engine.people import name_of, roles_of
from engine.ports import WorkflowRecord
from engine.scope import Evaluate, Scope, local_time
from engine.triggers import Match
from engine.values import text_of
from engine.wording import counted

LONGEST_LINE: Final = 100
"""How many runs may stand in line, unless the policy says otherwise."""
STAFF: Final = frozenset({"moderator", "broadcaster"})
EVERYBODY: Final = ""
"""The key of what is counted for all together."""

Marks: TypeAlias = Callable[[str], tuple[Mark, ...]]


@dataclass(frozen=True, slots=True)
class Gate:
    """A policy made ready: what its keys stand for is worked out by closures.

    Attributes:
        slot: The name of what runs share that must not go on side by side, without the key.
        keyed: The key of the run mode, if it has one; likewise of the cooldown.
    """

    policy: Policy
    slot: str
    keyed: Evaluate | None = None
    cooldown_keyed: Evaluate | None = None


def gate_of(workflow: str, policy: Policy) -> Gate:
    """A policy made ready.

    Raises:
        ExpressionError: A key cannot be read.
    """
    cooldown = None if policy.cooldown is None else policy.cooldown.per
    slot = f"group {policy.group}" if policy.group is not None else workflow
    return Gate(policy, slot, _key(policy.key), _key(cooldown))


def _key(written: str | None) -> Evaluate | None:
    if written is None:
        return None
    try:
        read = compile_formula(parse_formula(written))
    except ExpressionError as error:
        raise ExpressionError(f"the key {written} cannot be read: {error}", text=written, at=0) from error
    return lambda scope: "" if (value := read(scope)) is None else value  # whoever is not known shares one key


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow that may be started: how it stands, as it is written, and what is known of its runs.

    Attributes:
        program: None if it cannot be run as it is written; `unfit` then says why.
        marks: What is remembered of earlier starts, by key.
        on: How many runs are on in a slot, and `line` how many stand in line there.
    """

    record: WorkflowRecord
    gate: Gate
    program: Program | None
    unfit: str | None
    marks: Marks = lambda _: ()
    on: Callable[[str], int] = lambda _: 0
    line: Callable[[str], int] = lambda _: 0


@dataclass(frozen=True, slots=True)
class Moment:
    """What counts beside the workflow: the time, the community's zone, and whether the stream is live."""

    now: float
    zone: str
    live: bool


@dataclass(frozen=True, slots=True)
class Let:
    """It starts.

    Attributes:
        slot: What its run takes up.
        how: At once, after those that are on, or instead of them.
        marks: What is to be remembered of this start, by key.
    """

    workflow: str
    slot: str
    how: Literal["at once", "in line", "instead"] = "at once"
    marks: Mapping[str, tuple[Mark, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refuse:
    """It does not start.

    Attributes:
        unmatched: Whether its trigger did not even hold.
        allowed_at: When it would be let in, if time alone will do it.
    """

    workflow: str
    reason: str
    unmatched: bool = False
    allowed_at: float | None = None


Answer: TypeAlias = Let | Refuse


def admit(event: Event, match: Match, workflow: Workflow, scope: Scope, moment: Moment) -> Answer:
    """Whether an event starts a workflow that listens for it."""
    if match.reason is not None:
        return Refuse(match.workflow, match.reason, unmatched=True)
    user = event.behind
    roles = roles_of(user)
    reason = (
        _switched_off(workflow)
        or _too_deep(event.depth)
        or _not_allowed(name_of(user), roles, workflow.gate.policy.may_run)
        or _not_live(workflow.gate.policy.only_live or match.trigger.only_live, moment.live)
    )
    if reason is not None:
        return Refuse(match.workflow, reason)
    trigger = None if match.trigger.cooldown_seconds is None else (match.trigger.on, match.trigger.cooldown_seconds)
    return _timed(workflow, scope, moment, name_of(user), roles, trigger, {})


def admit_by_hand(
    workflow: Workflow, arguments: Mapping[str, Any], caller: Person, scope: Scope, moment: Moment
) -> Answer:
    """Whether a person may run a workflow by hand: staff may, or whom its policy names.

    Cooldowns, rates and quiet hours are for others than staff: who is staff knows what it does.
    """
    allowed = workflow.gate.policy.may_run or ("moderator", "broadcaster")
    reason = (
        _switched_off(workflow)
        or _not_allowed(caller.name, caller.roles, allowed)
        or _not_live(workflow.gate.policy.only_live, moment.live)
    )
    if reason is not None:
        return Refuse(workflow.record.id, reason)
    if STAFF & set(caller.roles):
        return _missing(workflow, arguments) or _room(workflow, scope, {})
    return _timed(workflow, scope, moment, caller.name, caller.roles, None, arguments)


def admit_inside(workflow: Workflow, arguments: Mapping[str, Any], caller: Values | None, scope: Scope) -> Answer:
    """Whether a run may start another workflow: whoever is behind it must be allowed to start that one, too."""
    allowed = workflow.gate.policy.may_run
    who, roles = name_of(caller), roles_of(caller)
    reason = _switched_off(workflow) or _not_allowed(who, roles, allowed)
    if reason is not None:
        return Refuse(workflow.record.id, reason)
    return _missing(workflow, arguments) or _room(workflow, scope, {})


def admit_later(workflow: Workflow, arguments: Mapping[str, Any], scope: Scope, moment: Moment) -> Answer:
    """Whether a run that was put off may begin now; who wanted it was allowed to."""
    reason = _switched_off(workflow) or _not_live(workflow.gate.policy.only_live, moment.live)
    if reason is not None:
        return Refuse(workflow.record.id, reason)
    return _missing(workflow, arguments) or _room(workflow, scope, {})


def may_start(roles: Sequence[str], allowed: Sequence[Role]) -> bool:
    """Whether somebody with these roles is let in: by role, the broadcaster always, moderators wherever viewers are."""
    held = {*roles, "everyone"}
    if held & set(allowed) or "broadcaster" in held:
        return True
    return "moderator" in held and bool(set(allowed) - {"broadcaster"})


# Whether at all ----------------------------------------------------------------------------------------------------------


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


def _not_live(only_live: bool, live: bool) -> str | None:
    return "the stream is not live, and it runs only while it is" if only_live and not live else None


def _missing(workflow: Workflow, given: Mapping[str, Any]) -> Refuse | None:
    reason = None if workflow.program is None else missing_input(workflow.program, given)
    return None if reason is None else Refuse(workflow.record.id, reason)


# Whether now -------------------------------------------------------------------------------------------------------------


def _timed(
    workflow: Workflow,
    scope: Scope,
    moment: Moment,
    who: str | None,
    roles: Sequence[str],
    trigger: tuple[str, float] | None,
    given: Mapping[str, Any],
) -> Answer:
    policy, id = workflow.gate.policy, workflow.record.id
    marks: dict[str, tuple[Mark, ...]] = {}
    if not {*roles, "everyone"} & set(policy.exempt):
        try:
            refused = (
                _quiet(id, policy.quiet_hours, moment)
                or _too_soon(workflow, scope, moment, trigger, marks)
                or _too_often(workflow, moment, marks)
                or _once_already(workflow, moment, who, marks)
            )
        except EvaluationError as error:
            return Refuse(id, f"its cooldown could not be worked out: {error.reason}")
        if refused is not None:
            return refused
    return _missing(workflow, given) or _room(workflow, scope, marks)


def _quiet(workflow: str, hours: QuietHours | None, moment: Moment) -> Refuse | None:
    if hours is None:
        return None
    local = local_time(moment.now, moment.zone)
    clock = f"{local.hour:02}:{local.minute:02}"
    inside = hours.start <= clock < hours.end if hours.start <= hours.end else clock >= hours.start or clock < hours.end
    if not inside:
        return None
    reason = f"it is {clock}, and it keeps quiet from {hours.start} to {hours.end}"
    return Refuse(workflow, reason, allowed_at=_next(local, hours.end).timestamp())


def _next(local: datetime, clock: str) -> datetime:
    hour, minute = (int(part) for part in clock.split(":"))
    end = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return end if end > local else end + timedelta(days=1)


def _too_soon(
    workflow: Workflow,
    scope: Scope,
    moment: Moment,
    trigger: tuple[str, float] | None,
    marks: dict[str, tuple[Mark, ...]],
) -> Refuse | None:
    cooldown = workflow.gate.policy.cooldown
    rules = [] if trigger is None else [(f"trigger {trigger[0]}", trigger[1], EVERYBODY)]
    if cooldown is not None:
        keyed = workflow.gate.cooldown_keyed
        key = EVERYBODY if keyed is None else text_of(keyed(scope)).casefold()
        rules.append((f"cooldown {key}", cooldown.seconds, key))
    for name, seconds, key in rules:
        last = max((at for at, _ in workflow.marks(name)), default=None)
        if last is not None and moment.now < last + seconds:
            left = max(1, round(last + seconds - moment.now))
            whose = f" for {key}" if key else ""
            reason = f"it ran {counted(round(moment.now - last), 'second')} ago{whose}, and rests for {_shown(seconds)}"
            return Refuse(workflow.record.id, f"{reason}: {counted(left, 'second')} left", allowed_at=last + seconds)
        marks[name] = ((moment.now, 1),)
    return None


def _too_often(workflow: Workflow, moment: Moment, marks: dict[str, tuple[Mark, ...]]) -> Refuse | None:
    rate = workflow.gate.policy.rate
    if rate is None:
        return None
    recent = counted_since(workflow.marks("rate"), moment.now - rate.seconds)
    if sum(count for _, count in recent) >= rate.count:
        reason = f"it ran {counted(rate.count, 'time')} in the last {_shown(rate.seconds)}, and more may not be"
        return Refuse(workflow.record.id, reason, allowed_at=recent[0][0] + rate.seconds)
    marks["rate"] = with_another(recent, moment.now, rate.seconds)
    return None


def _once_already(
    workflow: Workflow, moment: Moment, who: str | None, marks: dict[str, tuple[Mark, ...]]
) -> Refuse | None:
    if not workflow.gate.policy.once_per_user or who is None:
        return None
    name = f"once {who.casefold()}"
    if workflow.marks(name):
        return Refuse(workflow.record.id, f"{who} has had it already, and it runs once for each")
    marks[name] = ((moment.now, 1),)
    return None


def lapsed(name: str, marks: Sequence[Mark], policy: Policy, triggers: Sequence[Trigger], now: float) -> bool:
    """Whether no rule looks at these marks of a workflow any more; who has had their one start has had it for ever."""
    kind, _, rest = name.partition(" ")
    match kind:
        case "cooldown":
            lasts = 0.0 if policy.cooldown is None else policy.cooldown.seconds
        case "trigger":
            lasts = max((each.cooldown_seconds or 0.0 for each in triggers if each.on == rest), default=0.0)
        case "rate":
            lasts = 0.0 if policy.rate is None else policy.rate.seconds
        case _:
            return False
    return all(now >= at + lasts for at, _ in marks)


def _shown(seconds: float) -> str:
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"


# Whether there is room ---------------------------------------------------------------------------------------------------


def slot_of(gate: Gate, scope: Scope) -> str:
    """What a run of this would take up.

    Raises:
        EvaluationError: Its key cannot be worked out.
    """
    return gate.slot if gate.keyed is None else f"{gate.slot} {text_of(gate.keyed(scope)).casefold()}"


def _room(workflow: Workflow, scope: Scope, marks: Mapping[str, tuple[Mark, ...]]) -> Answer:
    policy, id = workflow.gate.policy, workflow.record.id
    try:
        slot = slot_of(workflow.gate, scope)
    except EvaluationError as error:
        return Refuse(id, f"its key could not be worked out: {error.reason}")
    on, line = workflow.on(slot), workflow.line(slot)
    match policy.mode:
        case "single" if on + line:
            return Refuse(id, "it is still running, and it runs once at a time")
        case "parallel" if policy.max is not None and on >= policy.max:
            return Refuse(id, f"{counted(on, 'run')} of it {'is' if on == 1 else 'are'} going on, and {policy.max} may")
        case "queued" if line >= (policy.max or LONGEST_LINE):
            return Refuse(id, f"{counted(line, 'run')} of it stand{'s' if line == 1 else ''} in line, and no more may")
        case "queued" if on + line:
            return Let(id, slot, "in line", marks)
        case "restart" if on + line:
            return Let(id, slot, "instead", marks)
        case _:
            return Let(id, slot, "at once", marks)
