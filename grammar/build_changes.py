"""From trees of edits that hold no steps to what they say: each is built from its own words alone.

Edits that hold steps, or say where one leads, need the builder of steps: `grammar.build_edits`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from engine.formulas import Not
from engine.model import Retry
from grammar import build_policies
from grammar.build_blocks import times
from grammar.build_conditions import IS_A_BOT, condition_in, opposite
from grammar.build_references import ANY_STEP, first_in, old_in, old_value_in, position_in, reference_in, value_in
from grammar.drafts import MissingPiece
from grammar.leaves import NotBuilt, leaf_of, plain_seconds, whole
from grammar.syntax import (
    About,
    Again,
    Alter,
    Bound,
    By,
    CarryOn,
    Drop,
    EditSyntax,
    Exchange,
    Forget,
    Hold,
    It,
    Kind,
    OfKind,
    Position,
    Retell,
    Shift,
    Words,
    Wrap,
)
from grammar.tree import Leaf, Node

WITH_THAT: Final = OfKind(ANY_STEP)
"""The step that has the value which is to be another."""


def _add_nothing(node: Node) -> EditSyntax:
    """`add`: everything is missing."""
    raise MissingPiece("What should be added?")


def _add_gap(node: Node) -> EditSyntax:
    """`add a wait`: something is missing."""
    gap = node.node("gap")
    noun = gap.leaf("NOUN") if gap is not None else None
    raise _missing(noun, node)


def _gripe(node: Node) -> EditSyntax:
    """`the wait is too long, ...`."""
    return About(reference_in(first_in(node)))


def _drop(node: Node) -> EditSyntax:
    """Steps to take out."""
    kept = node.node("kept", "kept_ordinal")
    reference = reference_in(first_in(node))
    if kept is None:
        return Drop(reference)
    if kept.rule == "kept_ordinal":
        kind = reference.kind if isinstance(reference, OfKind) else ANY_STEP
        return Drop(reference, OfKind(kind, int(leaf_of(kept, "ORDINAL").value)))
    return Drop(reference, reference_in(kept.nodes()[0]))


def _shift(node: Node) -> EditSyntax:
    """A step and where it goes."""
    number, upwards = node.leaf("NUMBER"), node.leaf("UPWARDS")
    if upwards is not None:
        up_or_down: Any = upwards.value
        return Shift(reference_in(first_in(node)), Position(up_or_down))
    position = Position("number", number=whole(number)) if number is not None else position_in(node)
    return Shift(reference_in(first_in(node)), position or Position("end"))


def _shift_nowhere(node: Node) -> EditSyntax:
    """`move the wait`: the place is missing."""
    raise MissingPiece("Where should it go?")


def _exchange(node: Node) -> EditSyntax:
    """Two steps."""
    return Exchange(reference_in(first_in(node)))


def _substitute_nothing(node: Node) -> EditSyntax:
    """`replace step 2`: what comes instead is missing."""
    raise MissingPiece("What should it do instead?", joint=" with")


def _wrap(node: Node) -> EditSyntax:
    """Steps and the block they go into."""
    reference = reference_in(first_in(node))
    inner = node.node("wrap_if", "wrap_unless", "wrap_again", "wrap_rounds") or node
    match inner.rule:
        case "wrap_beside":
            return Wrap(reference, beside=True)
        case "wrap_for":
            return Wrap(reference, when=build_policies.of_roles(inner))
        case "wrap_again":
            return Wrap(reference, times=times(inner.nodes("times", "twice")[0]))
        case "wrap_rounds":
            rounds = inner.nodes()[0]
            held = condition_in(rounds)
            return Wrap(reference, holds=held if held is None or rounds.rule == "while_holds" else opposite(held))
        case rule:
            said = condition_in(inner)
            if said is None:
                raise AssertionError(rule)
            return Wrap(reference, when=said if rule == "wrap_if" else opposite(said))


def _alter_text(node: Node) -> EditSyntax:
    """`make it "hey"`."""
    return Alter(reference_in(first_in(node)), Words(str(leaf_of(node, "STRING").value), quoted=True))


def _alter_new(node: Node) -> EditSyntax:
    """`new announcement text: bye`."""
    noun, text = leaf_of(node, "NOUN"), leaf_of(node, "TEXT")
    kind = noun.value if isinstance(noun.value, Kind) else ANY_STEP
    return Alter(OfKind(kind), Words(str(text.value), text.quoted, "text"))


def _alter_from(node: Node) -> EditSyntax:
    """`change the wait from 10 to 20 seconds`."""
    reference, old, value = (child for child in node.nodes() if child.rule != "in")
    return Alter(reference_in(reference), value_in(value), None, old_value_in(old))


def _alter_channel(node: Node) -> EditSyntax:
    """A step and where it posts."""
    channel = leaf_of(node, "CHANNEL")
    return Alter(reference_in(first_in(node)), Words(str(channel.value), channel.quoted, "channel"), None, old_in(node))


def _alter_channel_of_it(node: Node) -> EditSyntax:
    """`post to #general instead`: what was just talked about, or the one step that posts."""
    channel = leaf_of(node, "CHANNEL")
    return Alter(It(), Words(str(channel.value), channel.quoted, "channel"))


def _retell(node: Node) -> EditSyntax:
    """`announce it instead`, `post the first message in #clips too`."""
    kind, where = node.node("a_kind"), node.node("where")
    if where is not None and _is_a_verb_after_all(node):
        raise NotBuilt('say "the" before it, if that is a step there is')
    deed = kind.leaf("NOUN") if kind is not None else node.leaf("DEED_BASE")
    place = where.leaf("CHANNEL", "SPOT") if where is not None else None
    mode: Any = {"retell_somehow": None, "retell_too": "too"}.get(node.rule, "instead")
    return Retell(
        reference_in(first_in(node)),
        deed.value if deed is not None and isinstance(deed.value, Kind) else None,
        None
        if place is None
        else Words(str(place.value), place.quoted, "channel" if place.type == "CHANNEL" else "service"),
        mode,
        old_in(node),
    )


def _is_a_verb_after_all(node: Node) -> bool:
    """`post step 1 in #general`: not the first post, but step 1, posted."""
    topic = node.node("topic")
    several = topic.nodes()[0] if topic is not None else None
    parts = several.nodes() if several is not None and several.rule == "several" else []
    return len(parts) == 1 and parts[0].rule == "nth"


def _alter_value(node: Node) -> EditSyntax:
    """`use BRB rather than ending`, `not ending, BRB`."""
    old = old_in(node)
    if old is None:
        raise AssertionError(node.rule)
    value = next(child for child in node.nodes() if child.rule != "old")
    return Alter(WITH_THAT, value_in(value), None, old)


def _alter_bare(node: Node) -> EditSyntax:
    """`10 seconds longer`: the wait, as nothing else has a length to be changed."""
    return Alter(OfKind(Kind("wait", frozenset({"wait"}))), value_in(node.nodes()[0]))


def _alter_enough(node: Node) -> EditSyntax:
    """`the wait is too long, 10 seconds is enough`: what was just talked about."""
    return Alter(It(), value_in(node.nodes()[0]))


def _alter_by(node: Node) -> EditSyntax:
    """`extend the wait by 5 seconds`."""
    duration = node.leaf("DURATION")
    direction: Any = "longer" if node.rule == "alter_longer" else "shorter"
    return Alter(reference_in(first_in(node)), By(plain_seconds(duration) if duration else None, None, direction))


def _alter_scaled(node: Node) -> EditSyntax:
    """`double the wait`."""
    scale, reference = node.nodes()[:2]
    return Alter(reference_in(reference), value_in(scale))


def _bound(node: Node) -> EditSyntax:
    """A time limit of a step."""
    duration = node.leaf("DURATION")
    return Bound(reference_in(first_in(node)), plain_seconds(duration) if duration is not None else None)


def _again(node: Node) -> EditSyntax:
    """How a step is tried again."""
    inner = node.node("again_on") or node
    reference = reference_in(next(each for each in inner.nodes() if each.rule not in ("in", "times")))
    json = inner.leaf("JSON")
    if json is not None:
        return Again(reference, TypeAdapter(Retry).validate_python(json.value))
    number = (inner.node("often") or inner).leaf("NUMBER", "HOW_OFTEN")
    delay = inner.leaf("DURATION")
    if number is None:
        return Again(reference, None)
    tries = whole(number) + 1
    return Again(
        reference,
        Retry(max_attempts=tries, delay_seconds=plain_seconds(delay)) if delay else Retry(max_attempts=tries),
    )


def _carry_on(node: Node) -> EditSyntax:
    """Whether a failure of a step is passed over."""
    return CarryOn(reference_in(first_in(node)), node.rule == "stop_if")


def _hold(node: Node) -> EditSyntax:
    """What has to hold for a start."""
    match node.rule:
        case "guard":
            return Hold(condition_in(node))
        case "guard_not":
            found = condition_in(node)
            return Hold(None if found is None else opposite(found))
        case "guard_bots":
            return Hold(Not(IS_A_BOT))
        case "guard_roles":
            return Hold(build_policies.without_roles(node))
        case "guard_days" | "guard_no_days":
            return Hold(days=build_policies.weekdays(node), only=node.rule == "guard_days")
        case _:
            return Hold()


def _forget(node: Node) -> EditSyntax:
    """What no longer starts it."""
    event = node.leaf("EVENT")
    return Forget(None if event is None else str(event.value), node.rule == "no_triggers")


def _missing(noun: Leaf | None, node: Node) -> MissingPiece:
    keys = noun.value.keys if noun is not None and isinstance(noun.value, Kind) else frozenset()
    if "wait" in keys:
        return MissingPiece("How long should it wait?", end=noun.end if noun else None)
    if keys & {"twitch.send_chat_message", "discord.send_message", "twitch.send_chat_announcement"}:
        return MissingPiece("What should it say?", end=noun.end if noun else None, verbatim=True)
    words = noun.text if noun is not None else "step"
    return MissingPiece(f"Which {words}, exactly?", end=noun.end if noun else None)


CHANGES: Final[Mapping[str, Callable[[Node], EditSyntax]]] = {
    "add_gap": _add_gap,
    "add_nothing": _add_nothing,
    "drop": _drop,
    "shift": _shift,
    "shift_number": _shift,
    "shift_by_one": _shift,
    "shift_nowhere": _shift_nowhere,
    "exchange": _exchange,
    "substitute_nothing": _substitute_nothing,
    "alter_channel": _alter_channel,
    "alter_channel_of_it": _alter_channel_of_it,
    **dict.fromkeys(("retell_somehow", "retell_too", "retell_instead", "retell_as"), _retell),
    "alter_new": _alter_new,
    "alter_text": _alter_text,
    "gripe": _gripe,
    "alter_from": _alter_from,
    "alter_value": _alter_value,
    "alter_bare": _alter_bare,
    "alter_enough": _alter_enough,
    "alter_longer": _alter_by,
    "alter_shorter": _alter_by,
    "alter_scaled": _alter_scaled,
    "bound": _bound,
    "unbound": _bound,
    "again": _again,
    "again_json": _again,
    "again_on": _again,
    "never_again": _again,
    "carry_on": _carry_on,
    "stop_if": _carry_on,
    "no_longer_the_one": _forget,
    "no_longer_on": _forget,
    "no_triggers": _forget,
    **dict.fromkeys(("wrap", "wrap_if", "wrap_unless", "wrap_again", "wrap_beside", "wrap_for"), _wrap),
    **dict.fromkeys(
        ("guard", "guard_not", "guard_roles", "guard_bots", "guard_days", "guard_no_days", "no_guard"), _hold
    ),
}
"""What each rule says that holds no steps."""
