"""What a text may name as `${...}`: what the start brings, what is declared or set, what is there anywhere."""

from collections.abc import Iterable

from bot.instructions.turn import Outcome, Turn, name
from bot.replies import Saying
from engine.events import kind_of
from engine.keys import key_of
from engine.model import Call, Definition, Set, all_states
from grammar.instruction import Placeholders

_ANYWHERE = ("user", "caller", "date", "time", "clock", "weekday", "title", "category", "viewers")
_MOST = 12


def placeholders(turn: Turn, instruction: Placeholders) -> Outcome:
    """The names, grouped by where their values come from."""
    entry = None if instruction.workflow is None else turn.desk.catalogue.get(instruction.workflow)
    groups = [f"anywhere {_said(_ANYWHERE)}"]
    if entry is not None:
        groups = [*_of(entry.definition), *groups]
    if counters := sorted(map(key_of, turn.workspace.names.counters)):
        groups.append(f"what is counted {_said(f'{each}|default 0' for each in counters)}")
    settings = sorted(turn.desk.settings())
    if settings:
        groups.append(f"from the settings {_said(f'config.{each}' for each in settings)}")
    head = "In a message you can use: " if entry is None else f"In a message of {name(entry)} you can use: "
    tail = '. A missing one may have something in its place: ${x|default "y"}'
    return turn.tell("answer", Saying(head, " · ".join(groups), tail, rest="and {} more"), entry)


def _of(definition: Definition) -> Iterable[str]:
    brought = {
        field: None
        for trigger in definition.triggers
        if (kind := kind_of(trigger.on)) is not None
        for field in kind.fields
        if field not in _ANYWHERE or field == "viewers"
    }
    if brought:
        yield f"from what starts it {_said(brought)}"
    if definition.variables:
        yield f"given or set {_said(definition.variables)}"
    made: dict[str, None] = {}
    for state in all_states(definition.states):
        if isinstance(state.action, Set):
            made |= dict.fromkeys(state.action.values)
        elif isinstance(state.action, Call) and state.action.service == "data":
            made[f"{state.name}.value"] = None
    if made:
        yield f"from its steps {_said(made)}"


def _said(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _MOST} more" if len(listed) > _MOST else ""
    return " ".join(f"${{{each}}}" for each in listed[:_MOST]) + more
