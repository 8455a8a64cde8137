"""From what was said of the start of a workflow to edits of its triggers: added, taken out, or held under a condition.

Which triggers are meant is settled here; what becomes of them is for `grammar.starts`.
"""

from typing import assert_never

from engine.edits import AddTrigger, Edit, RemoveTrigger, SetTriggers
from engine.events import canonical
from engine.model import Definition, Trigger
from grammar import starts
from grammar.context import MAX_OPTIONS, Context
from grammar.instruction import Change, Question
from grammar.references import Unsettled, Within, refuse
from grammar.say_parts import say_formula
from grammar.syntax import Forget, Hold, MoreDays, Start


def start(syntax: Start, definition: Definition) -> tuple[Edit, ...]:
    """What starts it, instead, as well, or no longer."""
    match syntax.mode:
        case "only":
            return (SetTriggers(syntax.triggers),)
        case "add":
            return tuple(AddTrigger(trigger) for trigger in syntax.triggers)
        case "remove":
            return tuple(RemoveTrigger(_own(trigger, definition)) for trigger in syntax.triggers)
        case _:
            assert_never(syntax.mode)


def hold(syntax: Hold, within: Within) -> Edit:
    """The triggers that are there, under a condition, or without any."""
    triggers = within.definition.triggers
    if not triggers:
        raise _by_hand(syntax, within)
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
    if syntax.condition is None:
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
