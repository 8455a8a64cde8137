"""What is wrong with a workflow's heading, that is everything but its steps: variables, policy, triggers, schedules."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from engine.events import BY_NAME, canonical, kind_of
from engine.model import Definition, Trigger
from engine.schedules import by_the_clock, is_defined, moment, times_said, what_is_wrong
from engine.scope import RESERVED
from engine.validate.problem import Problem, as_json, nearest, paced, quoted, say
from engine.validate.texts import formula_problems, pings_everybody, text_problems


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


def trigger_problems(
    trigger: Trigger, definition: Definition, now: float | None = None, zone: str = "UTC"
) -> Iterator[Problem]:
    """Problems of one trigger, at a time and in the community's zone."""
    place = f'trigger "{trigger.on}"'
    name = canonical(trigger.on)
    if trigger.when is not None:
        yield from formula_problems(trigger.when, place, None)
    yield from _schedule(trigger, place, now, zone)
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


def _schedule(trigger: Trigger, place: str, now: float | None, zone: str) -> Iterator[Problem]:
    if trigger.zone is not None and not _is_zone(trigger.zone):
        yield Problem(place, "error", f'there is no time zone "{trigger.zone}"', "write one like Europe/Berlin")
        return
    said = times_said(trigger)
    if len(said) > 1:
        names = " and ".join(f'"{name}"' for name in said)
        yield Problem(place, "error", f"it says its time more than once: {names}", "make it several triggers")
    if trigger.schedule is not None and (wrong := what_is_wrong(trigger.schedule)) is not None:
        yield Problem(place, "error", f'"{trigger.schedule}" {wrong}', 'write one like "0 18 * * 5" (Friday 18:00)')
    yield from _interval(trigger, place)
    yield from _once(trigger, place, now, zone)
    yield from _without_clock(trigger, place)
    if (reason := never_by_itself(trigger)) is not None:
        unsaid = canonical(trigger.on) == "interval.elapsed"
        yield Problem(place, "warning", reason, "add every_seconds" if unsaid else None)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _interval(trigger: Trigger, place: str) -> Iterator[Problem]:
    least, most = trigger.every_seconds, trigger.every_most_seconds
    if most is None:
        return
    if least is None:
        yield Problem(
            place, "error", "it says how long its interval is at the most, and not at the least", "add every_seconds"
        )
    elif most < least:
        yield Problem(
            place, "error", f"the longest interval, {most:g} seconds, is shorter than the shortest, {least:g}"
        )


def _once(trigger: Trigger, place: str, now: float | None, zone: str) -> Iterator[Problem]:
    if trigger.at is None:
        return
    at = moment(trigger.at, ZoneInfo(trigger.zone or zone))
    if at is None:
        yield Problem(place, "error", f'"{trigger.at}" is in no calendar', "write it like 2026-11-27T19:00")
    elif now is not None and at <= now:
        yield Problem(place, "warning", f"{trigger.at.replace('T', ' ')} is over, so it never starts by itself")


def _without_clock(trigger: Trigger, place: str) -> Iterator[Problem]:
    """What is said of a schedule where there is none."""
    if by_the_clock(trigger.on):
        return
    said = [*times_said(trigger), *(["min_lines"] if trigger.min_lines is not None else [])]
    for name in said:
        yield Problem(
            place, "warning", f'"{name}" counts only where the clock starts it', 'start it on "schedule.fired"'
        )


def never_by_itself(trigger: Trigger) -> str | None:
    """Why a trigger never starts anything by itself, if it never does."""
    if is_defined(trigger):
        return None
    if is_schedule(trigger.on):
        return "the schedule is named but not defined, so it never starts by itself"
    if canonical(trigger.on) == "interval.elapsed":
        return "how often is not said, so it never starts by itself"
    return None
