"""What is wrong with a workflow's heading, that is everything but its steps: variables, policy, triggers, schedules."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from engine.events import BY_NAME, canonical, kind_of
from engine.model import Definition, Trigger
from engine.scope import RESERVED
from engine.validate.problem import Problem, as_json, nearest, paced, quoted, say
from engine.validate.texts import formula_problems, pings_everybody, text_problems

_SOME_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)


def heading_problems(definition: Definition) -> Iterator[Problem]:
    """Problems of the workflow as a whole."""
    for name, declaration in definition.variables.items():
        place = f'variable "{name}"'
        if name in RESERVED:
            yield Problem(place, "error", f'"{name}" is a name of the bot itself', _renamed(definition, name))
        yield from text_problems(declaration.default, place, None)
        if pings_everybody(declaration.default):
            yield Problem(place, "warning", "a text pings everybody", "leave out the @")
    if definition.timeout_seconds == 0:
        yield Problem("", "error", "a time limit of 0 seconds ends every run at once", say("never give up"))


def _renamed(definition: Definition, name: str) -> str:
    """The advice to call a variable something else."""
    kept = definition.variables[name].model_dump(mode="json", exclude_defaults=True)
    other = f"my_{name}"
    edits = (f"no variable {quoted(name)}", f"variable {quoted(other)} {as_json(kept)}")
    return (say(*edits) if other not in definition.variables else None) or "take another name"


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
            mend = say(paced(policy, 10)) or "add a condition or a cooldown"
            yield Problem(place, "warning", "it answers every single message, without a cooldown", mend)


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
