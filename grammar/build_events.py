"""From trees of events and schedules to the fields of a trigger: what happens, and what has to hold of it.

`wait until`, `collect` and triggers share the same events. One function for each sort; nothing is looked up here.
"""

from collections.abc import Mapping
from typing import Any, Final

from engine.events import EventType, kind_of
from engine.formulas import And, Compare, Formula, Literal, TextTest, Variable
from grammar.build_conditions import any_role, has_role
from grammar.build_schedules import Fields, schedules
from grammar.leaves import CALLER, NotBuilt, leaf_of, value_of
from grammar.tree import Node


def event(node: Node) -> dict[str, Any]:
    """The fields of a trigger that say what happens, where, and who does it if not just anybody may."""
    happening, room, doer = _happening(node), node.node("room"), node.node("doer")
    if node.rule == "event_emoji" and node.leaf("CHANNEL") is not None:
        room = node
    guards: list[Formula] = []
    if "when" in happening:
        said = happening["when"]
        guards.extend(said.operands if isinstance(said, And) else (said,))
    where, kind = node.leaf("WHERE"), kind_of(happening["on"])
    if where is not None and kind is not None and kind.platform != where.value:
        raise NotBuilt(f'"{kind.clause}" does not happen on {str(where.value).title()}')
    if room is not None:
        guards.append(_in_room(happening["on"], room))
    if doer is not None:
        guards.append(_done_by(doer))
    if not guards:
        return happening
    return {**happening, "when": guards[0] if len(guards) == 1 else And(tuple(guards))}


def _in_room(name: str, room: Node) -> Formula:
    kind = kind_of(name)
    if kind is None or "channel" not in kind.fields:
        raise NotBuilt(f'"{kind.clause if kind is not None else name}" happens in no channel of Discord')
    return _equals("channel", value_of(room, "CHANNEL"))


def _done_by(doer: Node) -> Formula:
    if doer.leaf("DOER") is not None:
        return any_role(doer)
    return Compare("==", Variable("user"), Literal(value_of(doer, "PERSON")))


def _happening(node: Node) -> dict[str, Any]:
    if node.rule in _JUST:
        name, field, terminals = _JUST[node.rule]
        return {"on": name, "when": _equals(field, str(value_of(node, *terminals)))}
    match node.rule:
        case "event_plain":
            return {"on": _on_platform(value_of(node, "EVENT", "DOES"), node)}
        case "event_measured":
            return _measured(node)
        case "event_given":
            return _given(node)
        case "event_command":
            return _command(node)
        case "event_said" | "event_first_said":
            return _saying(node)
        case "event_voice":
            return {"on": value_of(node, "VOICE"), "when": _equals("channel", value_of(node, "NEW_NAME", "STRING"))}
        case "event_channel":
            return _in_channel(node)
        case "event_discord_text":
            return _typed("discord.message.received", str(value_of(node, "STRING", "COMMAND", "SAID_WORDS")))
        case "event_named":
            return {"on": value_of(node, "STRING")}
        case _:
            return _only(schedules(node))


_JUST: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "event_reward": ("reward.redeemed", "reward", ("REWARD",)),
    "event_category": ("category.changed", "category", ("NEW_NAME", "STRING")),
    "event_scene": ("obs.scene.changed", "scene", ("SCENE",)),
    "event_emoji": ("discord.reaction.added", "emoji", ("EMOJI", "STRING")),
    "event_emoji_back": ("discord.reaction.removed", "emoji", ("EMOJI", "STRING")),
    "event_role": ("discord.role.given", "role", ("DISCORD_ROLE",)),
    "event_role_lost": ("discord.role.taken", "role", ("DISCORD_ROLE",)),
    "event_button": ("discord.button.pressed", "button", ("NEW_NAME", "STRING")),
}
"""Events of which one field has to be just what was said."""


def happenings(node: Node) -> list[Fields]:
    """The fields of each trigger that an event or a schedule says: times with different minutes are several.

    Where a run waits, "i" is who started it; nothing has started yet here, so it is the streamer: `when i type !brb`.
    """
    if not node.rule.startswith("event_"):
        return schedules(node)
    said, typing = event(node), node.leaf("WHO_TYPES")
    if typing is not None and typing.value == CALLER:
        said = {**said, "when": And((said["when"], has_role("broadcaster")))}
    return [said]


def _only(found: list[Fields]) -> Fields:
    if len(found) > 1:
        raise NotBuilt("those are several times; write a line for each")
    return found[0]


def _equals(path: str, value: str) -> Formula:
    return Compare("==", Variable(path), Literal(value))


def _saying(node: Node) -> dict[str, Any]:
    """Words in chat, by anybody or by somebody new."""
    said = _in_text("contains", str(value_of(node, "SAID_WORDS", "STRING", "COMMAND")))
    is_new = node.rule == "event_first_said"
    return {"on": _on_platform("message.first", node) if is_new else _message(node), "when": said}


def _message(node: Node) -> str:
    where = node.leaf("WHERE", "ON_DISCORD")
    there = node.node("room") is not None or (where is not None and where.value == "discord")
    return "discord.message.received" if there else "message.received"


def _on_platform(name: str, node: Node) -> str:
    """The event as it is called where it was said to happen.

    Raises:
        NotBuilt: It does not happen there.
    """
    where, kind = node.leaf("WHERE"), kind_of(name)
    if where is None or kind is None or kind.platform == where.value:
        return name
    other = kind_of(f"{where.value}.{name}") if where.value == "discord" else kind_of(name.partition(".")[2])
    if other is None:
        raise NotBuilt(f'"{kind.clause}" does not happen on {str(where.value).title()}')
    return other.name


def _command(node: Node) -> dict[str, Any]:
    typed = str(value_of(node, "COMMAND", "STRING", "WORD_NAME"))
    return _typed(_message(node), typed)


def _in_channel(node: Node) -> dict[str, Any]:
    """`someone writes in #ideas`, and what that contains."""
    there, text = _equals("channel", value_of(node, "CHANNEL")), node.leaf("STRING", "COMMAND")
    if text is None:
        return {"on": "discord.message.received", "when": there}
    how = leaf_of(node, "CONTAINS").value
    return {"on": "discord.message.received", "when": And((_in_text(how, str(text.value)), there))}


def _in_text(how: Any, text: str) -> Formula:
    return TextTest(how, Variable("message"), Literal(text))


def _typed(name: str, typed: str) -> dict[str, Any]:
    if typed.startswith("!") and " " not in typed:
        return {"on": name, "when": _equals("command", typed.lower())}
    return {"on": name, "when": _in_text("contains", typed)}


def _measured(node: Node) -> dict[str, Any]:
    name = value_of(node, "EVENT", "DOES")
    kind = kind_of(name)
    measure = node.node("measure")
    counted = None if kind is None else kind.measure or _only_number(kind)
    if kind is None or measure is None or counted is None:
        clause = kind.clause if kind is not None else name
        raise NotBuilt(f'"{clause}" cannot be counted; say the condition with if')
    compared = measure.leaf("COMPARE", "COMPARE_SUFFIX")
    unit = measure.leaf("UNIT")
    if unit is not None and unit.value != counted:
        raise NotBuilt(f'"{kind.clause}" is counted in {kind.unit or counted}, not in {unit.text}')
    # "level 4" is reached, "4 subs" are that many.
    first = next((leaf.type for leaf in measure.leaves() if leaf.type in ("UNIT", "NUMBER")), None)
    operator: Any = compared.value if compared is not None else ">=" if first == "UNIT" else "=="
    number = Literal(value_of(measure, "NUMBER"))
    return {"on": name, "when": Compare(operator, Variable(counted), number)}


def _given(node: Node) -> dict[str, Any]:
    """`more than 10 gifted subs`."""
    name = value_of(node, "GIVEN")
    kind, compared = kind_of(name), node.leaf("COMPARE", "COMPARE_SUFFIX")
    if kind is None or kind.measure is None:
        raise NotBuilt(f'"{name}" cannot be counted')
    operator: Any = "==" if compared is None else compared.value
    number = Literal(value_of(node, "NUMBER"))
    return {"on": name, "when": Compare(operator, Variable(kind.measure), number)}


def _only_number(kind: EventType) -> str | None:
    """What an event is counted by that has one number only: `a hype train reaches level 5`."""
    numbers = [name for name, type_ in kind.fields.items() if type_ == "number"]
    return numbers[0] if len(numbers) == 1 else None
