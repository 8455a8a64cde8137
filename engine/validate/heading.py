"""What is wrong with a workflow's heading, that is everything but its steps: variables, policy, triggers, schedules."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from engine.events import BY_NAME, canonical, kind_of
from engine.model import Call as CallAction
from engine.model import (
    Definition,
    Policy,
    State,
    Trigger,
    all_states,
)
from engine.scope import RESERVED
from engine.validate.problem import Problem, nearest
from engine.validate.texts import formula_problems, text_problems

_SOME_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
_HEEDED: Final = frozenset({"mode", "max", "only_live", "may_run", "may_edit"})
"""What of a policy admission and the bot look at."""


def heading_problems(definition: Definition) -> Iterator[Problem]:
    """Problems of the workflow as a whole."""
    for name, declaration in definition.variables.items():
        place = f'variable "{name}"'
        if name in RESERVED:
            yield Problem(place, "error", f'"{name}" is a name of the bot itself', "take another name")
        yield from text_problems(declaration.default, place, None)
    if definition.timeout_seconds == 0:
        yield Problem("", "error", "a time limit of 0 seconds ends every run at once", "lift it or make it longer")
    for rule in _unheeded(definition.policy):
        yield Problem("policy", "warning", f"I keep {rule}, but do not heed it yet")


def _unheeded(policy: Policy) -> Iterator[str]:
    """What a policy asks for and admission does not look at."""
    written = set(policy.model_dump(exclude_defaults=True))
    yield from (f'"{name}"' for name in Policy.model_fields if name in written - _HEEDED)
    if policy.mode in ("restart", "queued"):
        yield f'the mode "{policy.mode}"'


def trigger_problems(trigger: Trigger, definition: Definition) -> Iterator[Problem]:
    """Problems of one trigger."""
    place = f'trigger "{trigger.on}"'
    name = canonical(trigger.on)
    if trigger.when is not None:
        yield from formula_problems(trigger.when, place, None)
    yield from _schedule(trigger, name, place)
    if kind_of(trigger.on) is None and not is_schedule(trigger.on):
        near = nearest(trigger.on, BY_NAME)
        if near is not None:
            yield Problem(
                place, "warning", "I know no such event; it starts only if somebody sends it", f'did you mean "{near}"?'
            )
    if name in {"message.received", "discord.message.received"} and trigger.when is None:
        policy = definition.policy
        if not (trigger.cooldown_seconds or policy.cooldown or policy.rate or policy.once_per_user):
            yield Problem(
                place, "warning", "it answers every single message, without a cooldown", "add a condition or a cooldown"
            )
    if trigger.cooldown_seconds is not None:
        yield Problem(place, "warning", "I keep its cooldown, but do not heed it yet")
    if trigger.own_messages and any(_speaks(state) for state in all_states(definition.states)):
        yield Problem(place, "warning", "it hears the bot itself and may start itself again and again")


def _speaks(state: State) -> bool:
    return isinstance(state.action, CallAction) and "message" in state.action.method


def is_schedule(name: str) -> bool:
    """Whether an event comes by the clock."""
    return name.startswith("scheduled.") or canonical(name) == "schedule.fired"


def _schedule(trigger: Trigger, name: str, place: str) -> Iterator[Problem]:
    if trigger.zone is not None:
        try:
            ZoneInfo(trigger.zone)
        except (KeyError, ValueError, OSError):
            yield Problem(place, "error", f'there is no time zone "{trigger.zone}"', "write one like Europe/Berlin")
    if trigger.schedule is not None:
        try:
            CronSim(trigger.schedule, _SOME_DAY)
        except (CronSimError, ValueError, KeyError):
            yield Problem(
                place, "error", f'"{trigger.schedule}" is not a schedule', 'write one like "0 18 * * 5" (Friday 18:00)'
            )
    if (reason := never_by_itself(trigger)) is not None:
        unsaid = name == "interval.elapsed" and trigger.every_seconds is None
        yield Problem(place, "warning", reason, "add every_seconds" if unsaid else None)


def never_by_itself(trigger: Trigger) -> str | None:
    """Why a trigger never starts anything by itself, if it never does."""
    if trigger.schedule is not None or trigger.every_seconds is not None:
        return "I cannot start workflows by the clock yet, so it never starts by itself"
    if is_schedule(trigger.on):
        return "the schedule is named but not defined, so it never starts by itself"
    if canonical(trigger.on) == "interval.elapsed":
        return "how often is not said, so it never starts by itself"
    return None
