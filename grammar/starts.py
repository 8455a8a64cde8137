"""The triggers of a workflow after something was said of those that are there: conditions, days, one taken out.

A condition comes to the triggers whose event has what it speaks of, or to all where none has; one on the same measure
takes the old one's place. Nothing here reads words.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from engine.events import kind_of
from engine.expressions import paths_in
from engine.formulas import And, Compare, Formula, IsOneOf, Literal, Not, TextTest, Variable
from engine.model import Trigger
from grammar.build_conditions import ROLES_OF_USER

BY_THE_CLOCK: Final = frozenset({"interval.elapsed", "schedule.fired"})
WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_WEEKLY: Final = re.compile(r"(\S+ \S+ \* \*) (\*|[0-6](?:-[0-6])?(?:,[0-6](?:-[0-6])?)*)")
_AT_ONE_TIME: Final = re.compile(r"(\d+ \d+) \* \* (\*|[0-6](?:-[0-6])?(?:,[0-6](?:-[0-6])?)*)")
_UPWARDS: Final = frozenset((">", ">=", "=="))
Triggers = tuple[Trigger, ...]


def with_condition(triggers: Triggers, condition: Formula) -> Triggers:
    """The triggers with a condition on those it fits."""
    heads = {path.partition(".")[0] for path in paths_in(condition)}
    fitting = [trigger for trigger in triggers if heads & _fields(trigger)] or list(triggers)
    return _mapped(
        triggers, fitting, lambda trigger: trigger.model_copy(update={"when": _joined(trigger.when, condition)})
    )


def recounted(triggers: Triggers, number: float, unit: str | None, old: float | None) -> Triggers | None:
    """The triggers with another number in the place of the one they count to; None if there is not just one of those.

    Args:
        triggers: As they are.
        number: What they are to count to.
        unit: What is counted, if that was said.
        old: What they count to now, if that was said.
    """
    counted = [
        (at, part)
        for at, trigger in enumerate(triggers)
        for part in parts_of(trigger.when)
        if (measure := _measured(trigger, part)) is not None
        and unit in (None, measure[0])
        and old in (None, measure[1])
    ]
    if len(counted) != 1:
        return None
    ((at, part),) = counted
    parts = tuple(
        replace(each, right=Literal(number)) if each is part and isinstance(each, Compare) else each
        for each in parts_of(triggers[at].when)
    )
    changed = triggers[at].model_copy(update={"when": parts[0] if len(parts) == 1 else And(parts)})
    return (*triggers[:at], changed, *triggers[at + 1 :])


def _measured(trigger: Trigger, part: Formula) -> tuple[str, float] | None:
    """What a part of a guard counts of its event, and to how many."""
    kind = kind_of(trigger.on)
    match part:
        case Compare(left=Variable(path=path), right=Literal(value=int() | float() as number)) if (
            kind is not None and kind.fields.get(path) == "number"
        ):
            return path, number
        case _:
            return None


def also_not_for(triggers: Triggers, others: Formula) -> Triggers | None:
    """The triggers that leave some people out, leaving out these as well; None if none leaves out anybody."""
    fitting = [each for each in triggers if any(_leaves_out(part) for part in parts_of(each.when))]
    if not fitting:
        return None
    return _mapped(triggers, fitting, lambda each: each.model_copy(update={"when": _joined(each.when, others)}))


def _leaves_out(part: Formula) -> bool:
    match part:
        case Not(operand=TextTest(operator="contains", left=Variable(path=path))):
            return path == ROLES_OF_USER
        case _:
            return False


def in_channel(name: str) -> Trigger:
    """One that is started by what is written in a channel."""
    return Trigger(on="discord.message.received", when=Compare("==", Variable("channel"), Literal(name)))


def addressed(triggers: Triggers, new: Trigger, before: Trigger | None) -> list[Triggers]:
    """The triggers with another command, reward or emoji: as often as one of them could be meant.

    Args:
        triggers: As they are.
        new: One that is started by the other, and by no more.
        before: One that is started by what it is in the place of, if that was said.
    """
    found: list[Triggers] = []
    field, _ = address_of(new.when)
    for at, trigger in enumerate(triggers):
        parts = parts_of(trigger.when)
        own = [part for part in parts if address_of(part)[0] == field is not None]
        if trigger.on != new.on or len(own) != 1 or (before is not None and own[0] != before.when):
            continue
        changed = tuple(new.when if part is own[0] and new.when is not None else part for part in parts)
        when = changed[0] if len(changed) == 1 else And(changed)
        found.append((*triggers[:at], trigger.model_copy(update={"when": when}), *triggers[at + 1 :]))
    return found


def by_command(triggers: Triggers, command: str) -> Triggers:
    """The triggers of a copy that is started by a command of its own, under what else holds for the one command there was."""
    new = Trigger(on="message.received", when=Compare("==", Variable("command"), Literal(command)))
    ways = addressed(triggers, new, None)
    return ways[0] if len(ways) == len(triggers) == 1 else (new,)


def address_of(part: Formula | None) -> tuple[str, str] | tuple[None, None]:
    """The field and the text of a part of a guard that says which command, reward, channel or emoji it must be."""
    match part:
        case Compare(operator="==", left=Variable(path=path), right=Literal(value=str(text))):
            return path, text
        case _:
            return None, None


def without_conditions(triggers: Triggers) -> Triggers:
    """The triggers without conditions, but for those that say which command, reward or channel is meant."""
    return tuple(trigger.model_copy(update={"when": _address(trigger.when)}) for trigger in triggers)


def on_days(triggers: Triggers, days: frozenset[int], *, only: bool) -> Triggers | None:
    """The triggers on these weekdays only, or on all others; None if no day is left to one of them."""
    changed = [_on_days(trigger, days, only=only) for trigger in triggers]
    known = tuple(trigger for trigger in changed if trigger is not None)
    return known if len(known) == len(changed) else None


def also_on(trigger: Trigger, days: frozenset[int]) -> Trigger | None:
    """A trigger at a time of day on these days of the week, too; None if it is at none."""
    weekly = _WEEKLY.fullmatch(trigger.schedule) if trigger.schedule is not None else None
    if weekly is None:
        return None
    return trigger.model_copy(update={"schedule": f"{weekly[1]} {_field(days | weekdays_in(weekly[2]))}"})


def retimed(trigger: Trigger, minutes: int | None, weekdays: str | None) -> Trigger | None:
    """A trigger at one time of day at another time, or on other days of the week; None if it is at none."""
    weekly = _AT_ONE_TIME.fullmatch(trigger.schedule) if trigger.schedule is not None else None
    if weekly is None:
        return None
    clock = weekly[1] if minutes is None else f"{minutes % 60} {minutes // 60}"
    return trigger.model_copy(update={"schedule": f"{clock} * * {weekdays or weekly[2]}"})


def minutes_of(trigger: Trigger) -> int | None:
    """The time of day at which a trigger is, in minutes after midnight; None if it is at none, or at several."""
    weekly = _AT_ONE_TIME.fullmatch(trigger.schedule) if trigger.schedule is not None else None
    if weekly is None:
        return None
    minute, hour = weekly[1].split()
    return int(hour) * 60 + int(minute)


def weekdays_in(field: str) -> frozenset[int]:
    """The days of cron's last field, as far as it only lists days."""
    if field == "*":
        return frozenset(range(7))
    found: set[int] = set()
    for part in field.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _fields(trigger: Trigger) -> set[str]:
    kind = kind_of(trigger.on)
    return set(kind.fields) if kind is not None else set()


def _mapped(triggers: Triggers, some: Iterable[Trigger], change: Callable[[Trigger], Trigger]) -> Triggers:
    chosen = list(some)
    return tuple(change(trigger) if trigger in chosen else trigger for trigger in triggers)


# Conditions --------------------------------------------------------------------------------------------------------------


def _joined(old: Formula | None, new: Formula) -> Formula:
    """Both conditions; of two on the same number, the new one."""
    parts = [part for part in parts_of(old) if not _is_about_the_same(part, new)]
    parts.extend(part for part in parts_of(new) if part not in parts)
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def parts_of(formula: Formula | None) -> tuple[Formula, ...]:
    """All that has to hold together."""
    match formula:
        case None:
            return ()
        case And(operands=operands):
            return operands
        case _:
            return (formula,)


def _is_about_the_same(old: Formula, new: Formula) -> bool:
    match old, new:
        case (
            Compare(operator=before, left=Variable(path=path), right=Literal(value=int() | float())),
            Compare(operator=after, left=Variable(path=same), right=Literal(value=int() | float())),
        ) if path == same:
            return (before in _UPWARDS) == (after in _UPWARDS)
        case _:
            return False


def _address(guard: Formula | None) -> Formula | None:
    kept = [part for part in parts_of(guard) if address_of(part)[0] is not None]
    return None if not kept else kept[0] if len(kept) == 1 else And(tuple(kept))


# Days --------------------------------------------------------------------------------------------------------------------


def _on_days(trigger: Trigger, days: frozenset[int], *, only: bool) -> Trigger | None:
    weekly = _WEEKLY.fullmatch(trigger.schedule) if trigger.schedule is not None else None
    if weekly is None:
        return trigger.model_copy(update={"when": _joined(_without_days(trigger.when), _day_guard(days, only=only))})
    left = days if only else weekdays_in(weekly[2]) - days
    return trigger.model_copy(update={"schedule": f"{weekly[1]} {_field(left)}"}) if left else None


def _day_guard(days: frozenset[int], *, only: bool) -> Formula:
    named = tuple(Literal(WEEKDAYS[day]) for day in sorted(days))
    if len(named) == 1:
        return Compare("==" if only else "!=", Variable("weekday"), named[0])
    return IsOneOf(Variable("weekday"), named) if only else Not(IsOneOf(Variable("weekday"), named))


def _without_days(guard: Formula | None) -> Formula | None:
    kept = [part for part in parts_of(guard) if "weekday" not in set(paths_in(part))]
    return None if not kept else kept[0] if len(kept) == 1 else And(tuple(kept))


def _field(days: frozenset[int]) -> str:
    """Cron's field for these days: runs of three or more as a span."""
    if len(days) == 7:
        return "*"
    parts: list[str] = []
    listed = sorted(days)
    while listed:
        last = next(n for n in range(len(listed), 0, -1) if listed[n - 1] == listed[0] + n - 1)
        parts.extend([f"{listed[0]}-{listed[last - 1]}"] if last > 2 else [str(day) for day in listed[:last]])
        listed = listed[last:]
    return ",".join(parts)
