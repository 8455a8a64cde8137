"""From what was said of the start of a workflow to edits of its triggers: added, taken out, or held under a condition.

Which triggers are meant is settled here; what becomes of them is for `grammar.starts`.
"""

from typing import Final, assert_never

from engine.edits import AddTrigger, Edit, RemoveTrigger, SetPolicy, SetTriggers
from engine.events import canonical
from engine.formulas import And, Not
from engine.model import Cooldown, Definition, Trigger
from grammar import starts
from grammar.build_conditions import has_role
from grammar.context import MAX_OPTIONS, Context
from grammar.instruction import Change, Instruction, Question, RunWorkflow
from grammar.references import Unsettled, Within, one_of, refuse
from grammar.rules import Permitted, ruled, with_fields
from grammar.say_parts import say_formula
from grammar.syntax import Duration, Forget, Hold, It, MoreDays, Reference, Retime, Start, Value, Welcome, Words
from grammar.units import plain_unit


def start(syntax: Start, within: Within, context: Context) -> tuple[Edit, ...]:
    """What starts it, instead, as well, or no longer."""
    definition = within.definition
    if syntax.old is not None and respaced(syntax.old, syntax.old, within) is None:
        raise refuse(f"Nothing starts {within.name} that often. To see what does: show {within.name}")
    match syntax.mode:
        case "timed":
            return _timed(syntax, within, context)
        case "scaled":
            return (_scaled(syntax.factor, within),)
        case "only":
            return (SetTriggers(syntax.triggers),)
        case "add":
            return tuple(AddTrigger(trigger) for trigger in syntax.triggers)
        case "other":
            return (_other(syntax, within, context),)
        case "remove":
            return tuple(RemoveTrigger(_own(trigger, definition)) for trigger in syntax.triggers)
        case _:
            assert_never(syntax.mode)


def respaced(said: Value, old: Value | Reference | None, within: Within) -> Edit | None:
    """`make it 45 minutes`: how often a clock starts it; None if there is not just one length like that.

    A bare number counts what the length in whose place it comes is counted in, where that is plain.
    """
    triggers = within.definition.triggers
    spaced = [each for each in triggers if each.every_seconds is not None and each.every_most_seconds is None]
    if len(spaced) != 1:
        return None
    length = spaced[0].every_seconds or 0
    if old is not None and length not in _lengths(old, length):
        return None
    new = next(iter(_lengths(said, length)), None)
    if new is None or new <= 0:
        return None
    every = Trigger.model_validate({**spaced[0].model_dump(exclude_unset=True), "every_seconds": new})
    return SetTriggers(tuple(every if each is spaced[0] else each for each in triggers))


def _lengths(said: Value | Reference, like: float) -> tuple[float, ...]:
    """The length that is said, a bare number counted as one like it plainly is."""
    match said:
        case Duration(seconds):
            return (seconds,)
        case Words(type="number", number=float() | int() as number, unit=None):
            unit = plain_unit(like, number)
            return () if unit is None else (number * unit,)
        case _:
            return ()


def recounted(said: Words, old: Value | Reference | None, within: Within) -> Edit | None:
    """`make it 1000 bits`: what the workflow's start counts to; None if it counts nothing such."""
    before = old.number if isinstance(old, Words) else None
    if said.number is None or (old is not None and before is None):
        return None
    number = int(said.number) if float(said.number).is_integer() else said.number
    triggers = starts.recounted(within.definition.triggers, number, said.unit, before)
    return None if triggers is None else SetTriggers(triggers)


def _other(syntax: Start, within: Within, context: Context) -> Edit:
    """Another command, reward or emoji; where none starts it yet, it is asked whether it comes in the place of what does."""
    definition = within.definition
    (new,) = syntax.triggers
    if syntax.before is not None and new.on != syntax.before.on:
        raise refuse(
            "Those start a workflow in two ways. Say the new one whole, such as: only when someone types !away"
        )
    if not starts.addressed((new,), new, None):
        raise refuse(f"Say it whole, such as: in {within.name} only when someone types !away")
    ways = starts.addressed(definition.triggers, new, syntax.before)
    if len(ways) == 1:
        return SetTriggers(ways[0])
    if syntax.before is not None and not ways:
        raise refuse(f"Nothing like that starts {within.name}. To see what does: show {within.name}")
    if syntax.instead and len(definition.triggers) <= 1:
        return SetTriggers((new,))
    meant: list[Edit] = [SetTriggers(each) for each in ways] or [SetTriggers((new,)), AddTrigger(new)]
    raise _which(within, context, tuple(Change(definition.id, (each,)) for each in meant[:MAX_OPTIONS]))


NEAR_BY: Final = 5 * 60
"""So many minutes from the time that is there a time is of the same half of the day, if that was not said."""


def retime(syntax: Retime, within: Within, context: Context) -> Edit:
    """Another time of day, or other days, of the one schedule there is that has such."""
    triggers = within.definition.triggers
    if syntax.about is not None and not isinstance(syntax.about, It):
        one_of(syntax.about, within)
    timed = [at for at, each in enumerate(triggers) if starts.minutes_of(each) is not None]
    if syntax.before is not None:
        days = starts.weekdays_in(syntax.before)
        timed = [at for at in timed if starts.weekdays_in((triggers[at].schedule or "").split()[-1]) == days]
    if syntax.was is not None:
        timed = [at for at in timed if ((starts.minutes_of(triggers[at]) or 0) - syntax.was) % 720 == 0]
    if len(timed) != 1:
        many = "at several times" if timed else "at no such time of day"
        raise refuse(f"{within.name} starts {many}. Say it whole, such as: in {within.name} only every friday at 19:00")
    (at,) = timed
    ways: list[Edit] = []
    for minutes in _halves(syntax, starts.minutes_of(triggers[at]) or 0):
        changed = starts.retimed(triggers[at], minutes, syntax.weekdays)
        if changed is not None:
            ways.append(SetTriggers((*triggers[:at], changed, *triggers[at + 1 :])))
    if len(ways) == 1:
        return ways[0]
    raise _which(within, context, tuple(Change(within.definition.id, (each,)) for each in ways))


def _halves(syntax: Retime, now: int) -> tuple[int | None, ...]:
    """The times that are meant: that of the same half of the day as now, or both where neither is near."""
    if syntax.minutes is None or not syntax.half_open:
        return (syntax.minutes,)
    both = (syntax.minutes, (syntax.minutes + 720) % 1440)
    near = [each for each in both if min((each - now) % 1440, (now - each) % 1440) <= NEAR_BY]
    return tuple(near) if len(near) == 1 else both


def welcome(syntax: Welcome, within: Within) -> Edit:
    """People for whom what keeps others out, or lets only others in, shall not hold."""
    definition = within.definition
    others = tuple(Not(has_role(role)) for role in syntax.roles)
    triggers = starts.also_not_for(definition.triggers, others[0] if len(others) == 1 else And(others))
    rule = ruled(definition.policy, Permitted("may_run", syntax.roles, "add"))
    if triggers is not None:
        return SetTriggers(triggers)
    if definition.policy.may_run is None or rule is None:
        raise refuse(f"Nothing keeps anybody in particular from {within.name}.")
    return SetPolicy(rule)


def _timed(syntax: Start, within: Within, context: Context) -> tuple[Edit, ...]:
    """`hydrate every hour`: as well, where no clock starts it yet; another length in the place of the only one there is."""
    triggers = within.definition.triggers
    new = tuple(AddTrigger(trigger) for trigger in syntax.triggers)
    clocks = [each for each in triggers if each.on in starts.BY_THE_CLOCK]
    is_timed = all(each.on in starts.BY_THE_CLOCK for each in syntax.triggers)
    made = Change(within.definition.id, new)
    if syntax.once:
        clock = ":".join(f"{int(part):02}" for part in (syntax.triggers[0].schedule or "").split()[1::-1])
        raise _which(within, context, (RunWorkflow(within.definition.id, at=clock), made))
    if not clocks and syntax.limits:
        often = SetPolicy(with_fields(within.definition.policy, {"cooldown": _as_often(syntax.triggers[0])}))
        raise _which(within, context, (made, Change(within.definition.id, (often,))))
    if not clocks or not is_timed:
        return new
    if len(clocks) == 1 and [each.on for each in (*clocks, *syntax.triggers)] == ["interval.elapsed"] * 2:
        return (SetTriggers(tuple(syntax.triggers[0] if each == clocks[0] else each for each in triggers)),)
    others = tuple(each for each in triggers if each not in clocks)
    instead = Change(within.definition.id, (SetTriggers((*others, *syntax.triggers)),))
    raise _which(within, context, (instead, made))


def _scaled(factor: float, within: Within) -> Edit:
    """`twice as often`, of the one interval there is."""
    intervals = [each for each in within.definition.triggers if each.every_seconds is not None]
    if len(intervals) != 1:
        raise refuse(f"Say how often {within.name} should start, such as: in {within.name} only every 45 minutes")
    (old,) = intervals
    most = None if old.every_most_seconds is None else old.every_most_seconds * factor
    changed = {"every_seconds": (old.every_seconds or 0) * factor, "every_most_seconds": most}
    new = Trigger.model_validate({**old.model_dump(exclude_unset=True), **changed})
    return SetTriggers(tuple(new if each == old else each for each in within.definition.triggers))


def _as_often(trigger: Trigger) -> Cooldown:
    return Cooldown(seconds=trigger.every_seconds or 0)


def _which(within: Within, context: Context, meant: tuple[Instruction, ...]) -> Unsettled:
    options = tuple(context.say.instruction(each, context.workspace) for each in meant)
    return Unsettled(Question(f"Which of these is meant for {within.name}?", options))


def hold(syntax: Hold, within: Within) -> Edit:
    """The triggers that are there, under a condition, or without any."""
    triggers = within.definition.triggers
    if not triggers:
        raise _by_hand(syntax, within)
    if syntax.lines is not None:
        held = tuple(
            each.model_copy(update={"min_lines": syntax.lines}) if each.on in starts.BY_THE_CLOCK else each
            for each in triggers
        )
        if held == triggers:
            raise refuse(f"No clock starts {within.name}, so that chat lines hold nothing back.")
        return SetTriggers(held)
    if syntax.days is not None:
        changed = starts.on_days(triggers, syntax.days, only=syntax.only)
        if changed is None:
            raise refuse(f"Then {within.name} would never start. To switch it off: disable {within.name}")
        return SetTriggers(changed)
    if syntax.condition is None:
        return SetTriggers(starts.without_conditions(triggers))
    return SetTriggers(starts.with_condition(triggers, syntax.condition))


def _by_hand(syntax: Hold, within: Within) -> Unsettled:
    """Nothing starts it by itself, so that it can only be checked first."""
    if syntax.condition is None or syntax.lines is not None:
        return refuse(f"{within.name} starts only by hand. Say when it starts: in {within.name} also when ...")
    first = f"in {within.name} add as step 1 unless {say_formula(syntax.condition)} stop"
    return Unsettled(
        Question(f"{within.name} starts only by hand. Should it check that first? Then it means: {first}", (first,))
    )


def forget(syntax: Forget, within: Within, context: Context) -> Edit:
    """The end of what starts it; asked about where several things do."""
    triggers = within.definition.triggers
    fitting = [each for each in triggers if syntax.event is None or canonical(each.on) == syntax.event]
    if not fitting:
        raise refuse(f"Nothing like that starts {within.name}. To see what does: show {within.name}")
    if len(fitting) == 1:
        return RemoveTrigger(fitting[0])
    if syntax.everything:
        return SetTriggers(())
    made = [Change(within.definition.id, (RemoveTrigger(each),)) for each in fitting]
    options = tuple(context.say.instruction(each, context.workspace) for each in made[:MAX_OPTIONS])
    raise Unsettled(Question(f"{len(fitting)} things start {within.name}. Which one should not any more?", options))


def more_days(syntax: MoreDays, within: Within, context: Context) -> Edit:
    """A schedule on these days, too; asked about where there are several."""
    triggers = within.definition.triggers
    changed = [
        (at, more) for at, each in enumerate(triggers) if (more := starts.also_on(each, syntax.days)) is not None
    ]
    if not changed:
        raise refuse(f"{within.name} starts at no time of day. Say at which, such as: also on sundays at 19:00")
    made = [SetTriggers((*triggers[:at], more, *triggers[at + 1 :])) for at, more in changed]
    if len(made) == 1:
        return made[0]
    meant = [Change(within.definition.id, (each,)) for each in made[:MAX_OPTIONS]]
    options = tuple(context.say.instruction(each, context.workspace) for each in meant)
    raise Unsettled(Question(f"{within.name} starts at several times. At which of them?", options))


def _own(trigger: Trigger, definition: Definition) -> Trigger:
    """The workflow's trigger that is meant: that very one, or the only one on that event."""
    if trigger in definition.triggers:
        return trigger
    same = [own for own in definition.triggers if own.on == trigger.on]
    if len(same) == 1 and trigger.when is None:
        return same[0]
    return trigger
