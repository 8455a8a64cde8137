"""What starts a workflow, in canonical words: events with their usual guards, times, and what holds a start back.

Whatever has no words of its own is said as a formula, a cron line or JSON. `grammar.build_events` reads it. Nothing here reads.
"""

import re
from typing import Any, Final

from engine.events import EventType, kind_of
from engine.expressions import quote
from engine.formulas import And, Compare, Formula, Literal, TextTest, Variable
from engine.model import Trigger
from grammar.say_conditions import say_condition
from grammar.say_parts import say_duration, say_json
from grammar.say_schedules import say_schedule

_PLAIN: Final = re.compile(r"[\w\-]+")
_COMMAND: Final = re.compile(r"![^\W_][\w\-]*")
_MAX_NUMBER: Final = 10**18
_IN_DISCORD: Final = " in discord"
_MEASURES: Final = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most", "==": "exactly"}


def say_trigger(trigger: Trigger) -> str:
    """`when a raid of more than 5 viewers comes in`, `every 30 minutes`, ..."""
    extra = {
        name: value
        for name in type(trigger).model_fields
        if name not in ("on", "when") and (value := getattr(trigger, name)) is not None and value is not False
    }
    addressed, guard = _split(trigger)
    said, guarded = _say_clause(addressed, extra)
    if not guarded:
        guard = trigger.when
    said += _say_holds(extra)
    when = "" if guard is None else f", if {say_condition(guard)}"
    return f"{said}{when}{f', with {say_json(extra)}' if extra else ''}"


def _split(trigger: Trigger) -> tuple[Trigger, Formula | None]:
    """The trigger with the part of its guard that its own words may say, and the rest: a command, where, and who types it."""
    match trigger.when:
        case And(operands=(first, second, *rest)) if _is_room(second) and not any(
            isinstance(part, And) for part in rest
        ):
            addressed = trigger.model_copy(update={"when": And((first, second))})
            if _say_clause(addressed, {})[1]:
                return addressed, None if not rest else rest[0] if len(rest) == 1 else And(tuple(rest))
        case _:
            pass
    match trigger.when:
        case And(operands=(first, *rest)) if not any(isinstance(part, And) for part in rest):
            left = rest[0] if len(rest) == 1 else And(tuple(rest))
            return trigger.model_copy(update={"when": first}), left
        case _:
            return trigger, None


def _is_room(part: Formula) -> bool:
    match part:
        case Compare(operator="==", left=Variable(path="channel"), right=Literal(value=str())):
            return True
        case _:
            return False


def say_happening(trigger: Trigger) -> tuple[str, bool]:
    """What happens, as it stands after "until", and whether that says the guard."""
    said, guarded = _say_clause(trigger, {})
    return said.removeprefix("when "), guarded


def _say_clause(trigger: Trigger, extra: dict[str, Any]) -> tuple[str, bool]:
    """What happens, and whether the guard is already said by it; takes what it says out of `extra`."""
    if trigger.on == "interval.elapsed" and "every_seconds" in extra:
        return f"every {_say_interval(extra)}", False
    if trigger.on == "schedule.fired" and "at" in extra and (said := _say_once(extra["at"])) is not None:
        extra.pop("at")
        return said, False
    if trigger.on == "schedule.fired" and (said := say_schedule(extra.get("schedule"))) is not None:
        extra.pop("schedule")
        return said, False
    kind = kind_of(trigger.on)
    if kind is None or kind.name != trigger.on:
        return f"when event {quote(trigger.on)}", False
    special = _say_guarded(trigger, kind)
    return (f"when {special}", True) if special is not None else (f"when {kind.clause}", False)


def _say_interval(extra: dict[str, Any]) -> str:
    least = say_duration(extra.pop("every_seconds"))
    if "every_most_seconds" not in extra:
        return least
    most = say_duration(extra.pop("every_most_seconds"))
    number, _, unit = least.partition(" ")
    return f"{number if most.endswith(f' {unit}') and most.count(' ') == 1 else least} to {most}"


def _say_once(at: str) -> str | None:
    day, _, time = at.partition("T")
    return f"once on {day} at {time}" if time < "24" else None


def _say_holds(extra: dict[str, Any]) -> str:
    """What holds a start back, and the rest that has words; takes it out of `extra`."""
    said: list[str] = []
    if (cron := extra.pop("schedule", None)) is not None:
        said.append(f"by cron {quote(cron)}")
    if (lines := extra.pop("min_lines", None)) is not None:
        said.append(f"after at least {lines} chat lines")
    if extra.pop("only_live", False):
        said.append("only while live")
    if (zone := extra.pop("zone", None)) is not None:
        said.append(f"in the zone {quote(zone)}")
    if (cooldown := extra.pop("cooldown_seconds", None)) is not None:
        said.append(f"with a cooldown of {say_duration(cooldown)}")
    if extra.pop("own_messages", False):
        said.append("own messages too")
    return "".join(f", {part}" for part in said)


def _say_guarded(trigger: Trigger, kind: EventType) -> str | None:
    """Events whose usual guard has words of its own."""
    match trigger.when:
        case Compare(operator=operator, left=Variable(path=path), right=Literal(value=value)):
            return _say_compared(kind, operator, path, value)
        case TextTest(operator="contains", left=Variable(path="message"), right=Literal(value=str(text))):
            return _say_containing(kind.name, text)
        case And(operands=(first, Compare(right=Literal(value=str(room))) as second)) if _is_room(second):
            said = _say_guarded(trigger.model_copy(update={"when": first}), kind)
            return (
                f"{said.removesuffix(_IN_DISCORD)} in {_say_room(room)}"
                if said and said.endswith(_IN_DISCORD)
                else None
            )
        case _:
            return None


def _say_compared(kind: EventType, operator: str, path: str, value: object) -> str | None:
    if path == kind.measure and operator in _MEASURES and type(value) is int:
        if 0 <= value < _MAX_NUMBER:
            return f"a {kind.noun} of {_MEASURES[operator]} {value} {kind.unit or kind.measure} comes in"
        return None
    if operator != "==" or not isinstance(value, str):
        return None
    if path == "command" and not (_COMMAND.fullmatch(value) and value == value.lower()):
        return None
    words = _SAID.get((kind.name, path))
    said = value if path == "command" else _say_room(value) if (kind.name, path) in _IN_A_ROOM else quote(value)
    return None if words is None else words.format(said)


_SAID: Final = {
    ("message.received", "command"): "someone types {}",
    ("discord.message.received", "command"): "someone types {} in discord",
    ("discord.message.received", "channel"): "someone writes in {}",
    ("discord.reaction.added", "emoji"): "someone reacts with {} in discord",
    ("discord.reaction.added", "channel"): "someone reacts in {}",
    ("discord.reaction.removed", "emoji"): "someone takes back the reaction {} in discord",
    ("discord.reaction.removed", "channel"): "someone takes a reaction back in {}",
    ("discord.button.pressed", "button"): "someone presses the button {} in discord",
    ("discord.button.pressed", "channel"): "someone presses a button in {}",
    ("discord.role.given", "role"): "someone gets the discord role {}",
    ("discord.role.taken", "role"): "someone loses the discord role {}",
    ("discord.voice.joined", "channel"): "someone joins the voice channel {}",
    ("discord.voice.left", "channel"): "someone leaves the voice channel {}",
    ("reward.redeemed", "reward"): "someone redeems {}",
    ("category.changed", "category"): "the category changes to {}",
    ("obs.scene.changed", "scene"): "the scene changes to {}",
}
"""What is said of an event where one of its fields is just that."""
_IN_A_ROOM: Final = frozenset(
    (name, "channel")
    for name in (
        "discord.message.received",
        "discord.reaction.added",
        "discord.reaction.removed",
        "discord.button.pressed",
    )
)


def _say_room(name: str) -> str:
    return f"#{name}" if _PLAIN.fullmatch(name) else quote(name)


def _say_containing(name: str, text: str) -> str | None:
    if text.startswith("!") and " " not in text:
        return None  # that is read as a command
    match name:
        case "message.received":
            return f"someone says {quote(text)}"
        case "discord.message.received":
            return f"someone says {quote(text)} in discord"
        case _:
            return None
