"""Which workflows a sort means, and switching them all on or off, after a yes."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from bot.catalogue import Entry, joined, switched
from bot.instructions.create_and_edit import UNDO, not_theirs
from bot.instructions.turn import Ask, Outcome, Turn, name
from bot.replies import Saying, listed
from engine.events import canonical
from engine.model import Call, Definition, Run, all_states
from engine.wording import counted
from grammar.instruction import Sort, SwitchAll
from grammar.say_manage import say_sort
from grammar.words import fold

_CLOCK = frozenset(("schedule.fired", "interval.elapsed"))
_SHOWN = 8
_QUOTED = re.compile(r'"([^"]*)"')


def is_of(entry: Entry, sort: Sort, running: Collection[str]) -> bool:
    """Whether a workflow is of that sort."""
    match sort.state:
        case "enabled" if not entry.record.enabled:
            return False
        case "disabled" if entry.record.enabled:
            return False
        case "running" if entry.id not in running:
            return False
        case _:
            pass
    definition = entry.definition
    if sort.tag is not None and fold(sort.tag) not in {fold(tag) for tag in definition.tags}:
        return False
    if sort.using is not None and not _uses(definition, sort.using):
        return False
    return sort.start is None or _starts(definition, sort.start)


def _uses(definition: Definition, name: str) -> bool:
    """Whether a workflow has to do with something: a scene, a sound, a channel, a workflow, a service, a limit."""
    sought = fold(name)
    if sought == "cooldown" and definition.policy.cooldown is not None:
        return True
    values: list[Any] = [trigger.model_dump(mode="json") for trigger in definition.triggers]
    for state in all_states(definition.states):
        match state.action:
            case Call(service=service, params=params):
                values += [service, *params.values()]
            case Run(workflow=workflow):
                values.append(workflow)
            case _:
                pass
    return any(sought in _texts(value) for value in values)


def _texts(value: Any) -> frozenset[str]:
    """All texts in a value, and those in quotes in a formula, folded."""
    if isinstance(value, Mapping):
        return frozenset().union(*map(_texts, value.values()))
    if not isinstance(value, str):
        return frozenset()
    return frozenset((fold(value.removeprefix("#")), *(fold(part) for part in _QUOTED.findall(value))))


def _starts(definition: Definition, start: str) -> bool:
    events = {canonical(trigger.on) for trigger in definition.triggers}
    match start:
        case "timers":
            return bool(events & _CLOCK)
        case "commands":
            return any("command" in str(trigger.model_dump(mode="json")) for trigger in definition.triggers)
        case "redeems":
            return "reward.redeemed" in events
        case "by hand":
            return not events
        case "triggers":
            return bool(events)
        case event:
            return event in events


async def switch_all(turn: Turn, instruction: SwitchAll) -> Outcome:
    """Switch all workflows of a sort on or off."""
    running = {workflow for workflow, _ in turn.desk.running()}
    fitting = [entry for entry in turn.desk.catalogue.there() if is_of(entry, instruction.sort, running)]
    onoff = "on" if instruction.enabled else "off"
    if not fitting:
        said = say_sort(instruction.sort)
        return turn.refuse(f"No workflow is {said}." if said else "There are no workflows yet.")
    changed = [entry for entry in fitting if entry.record.enabled != instruction.enabled]
    if not changed:
        return turn.tell("answer", Saying(f"They are {onoff} already: {_named(fitting)}."))
    for entry in changed:
        if (refused := not_theirs(turn, entry)) is not None:
            return turn.refuse(refused, entry)
    if len(changed) > 1 and not turn.confirmed:
        count = counted(len(changed), "workflow")
        return Ask(f"Switch {count} {onoff}: {_named(changed)}?", instruction, tuple(entry.id for entry in changed))
    origin = turn.origin()
    batch = joined(switched(entry, origin, turn.said, enabled=instruction.enabled) for entry in changed)
    await turn.save(batch, changed[-1].id)
    tail = f". Switched {onoff}: {_named(changed)}. {UNDO}"
    return turn.tell("done", Saying("Done: ", turn.said, tail), focus=changed[-1].id)


def _named(entries: list[Entry]) -> str:
    more = [f"{len(entries) - _SHOWN} more"] if len(entries) > _SHOWN else []
    return listed([*(name(entry) for entry in entries[:_SHOWN]), *more])
