"""From trees of edits that hold no steps to what they say: each is built from its own words alone.

Edits that hold steps, or say where one leads, need the builder of steps: `grammar.build_edits`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from pydantic import TypeAdapter

from engine.formulas import Not
from engine.model import Retry, State, Wait
from grammar import build_policies
from grammar.build_blocks import times
from grammar.build_conditions import IS_A_BOT, condition_in, opposite
from grammar.build_references import (
    ANY_STEP,
    first_in,
    is_bare,
    old_in,
    old_value_in,
    position_in,
    quoted_part,
    reference_in,
    value_in,
)
from grammar.drafts import Draft, MissingPiece
from grammar.leaves import NotBuilt, leaf_of, plain_seconds, whole
from grammar.scanners import Days, NoHalf, NoUnit
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
    Liken,
    Near,
    OfKind,
    Order,
    Position,
    Rest,
    Retell,
    Retime,
    Shift,
    Substitute,
    Trade,
    Welcome,
    Words,
    Wrap,
)
from grammar.tree import Leaf, Node, find

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


def _gripe_value(node: Node) -> EditSyntax:
    """`500 is too low, ...`: what is to be another; a bare number is not yet a length."""
    length = node.node("duration")
    if length is not None and isinstance(leaf_of(length, "DURATION").value, NoUnit):
        raise NotBuilt("say what should be another way, such as: change the wait to 20 seconds")
    return About(It(), value_in(node.nodes()[0]))


def _gripe_time(node: Node) -> EditSyntax:
    """`6pm is too late, ...`."""
    time = leaf_of(node, "TIME")
    minutes = time.value.hour % 12 * 60 + time.value.minute if isinstance(time.value, NoHalf) else time.value
    return About(It(), Words(time.text, number=float(minutes)))


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


def _drop_but(node: Node) -> EditSyntax:
    """`lose the sound bit, just the message is fine`."""
    dropped = _drop(node)
    return replace(dropped, rest=True) if isinstance(dropped, Drop) else dropped


def _drop_last(node: Node) -> EditSyntax:
    """`step 3 remove`."""
    _sure_it_is_a_step(node)
    return _drop(node)


def _clear(node: Node) -> EditSyntax:
    """`clear it`: all there is; or but some steps."""
    if node.rule == "clear_all" or isinstance(reference_in(first_in(node)), It):
        return Drop(OfKind(ANY_STEP, every=True))
    reference = reference_in(first_in(node))
    if isinstance(reference, OfKind) and not reference.every and is_bare(Node("topic", [first_in(node)])):
        raise NotBuilt('say "the" before it, if that is a step there is')  # `clear raid` is about the workflow
    return _drop(node)


def _keep_only(node: Node) -> EditSyntax:
    """`keep only the waits`."""
    return Drop(Rest("but", (reference_in(first_in(node)),)))


def _shift_verbless(node: Node) -> EditSyntax:
    """`the welcome before everything else`, `the wait after step 1 put`."""
    _sure_it_is_a_step(node)
    return _shift(node)


def _sure_it_is_a_step(node: Node) -> None:
    """Refuses a mere noun where the verb comes last or not at all: `raid remove` may be about the workflow."""
    topic = node.node("topic")
    if topic is not None and is_bare(topic):
        raise NotBuilt('say "the" before it, if that is a step there is')


def _exchange_all(node: Node) -> EditSyntax:
    """`swap the order`: of the two there are."""
    return Exchange(OfKind(ANY_STEP, every=True))


def _put_in_order(node: Node) -> EditSyntax:
    """`first the scene, then the welcome`."""
    place = position_in(node)
    if place is not None and place.where != "start":
        raise NotBuilt("say which comes first, such as: first the raid, then the post")
    first, second = (reference_in(each) for each in node.nodes() if each.rule not in ("in", "at_start"))
    return Order(first, second)


def _trade(node: Node) -> EditSyntax:
    """`swap hype and gameplay`."""
    first, second = (value_in(each) for each in node.nodes() if each.rule != "in")
    if not isinstance(first, Words) or not isinstance(second, Words):
        raise AssertionError(node.rule)
    return Trade(first, second)


def _substitute_by_one(node: Node) -> EditSyntax:
    """`replace both waits with one of 5 seconds`."""
    reference = reference_in(first_in(node))
    if not isinstance(reference, OfKind) or "wait" not in reference.kind.keys:
        raise NotBuilt("say what is to be done instead, such as: replace steps 2 to 4 with wait 5 seconds")
    return Substitute(
        reference, (Draft(State(name="wait", action=Wait(seconds=plain_seconds(leaf_of(node, "DURATION"))))),)
    )


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
    """Steps and the block they go into; a condition may be said before them."""
    first = first_in(node)
    reference = reference_in(first if not first.rule.startswith("condition") else node.nodes()[1])
    deed = node.leaf("DEED_BASE")
    if deed is not None and isinstance(reference, It) and isinstance(deed.value, Kind):
        reference = OfKind(deed.value, it=True)
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


MOST_OF_AN_OPINION: Final = 3
_SAYING: Final = frozenset(("text", "message", "msg", "line", "title", "announcement", "post"))
_OPINIONS: Final = frozenset(
    (
        "too",
        "way",
        "so",
        "not",
        "very",
        "really",
        "much",
        "kinda",
        "a",
        "bad",
        "wrong",
        "boring",
        "broken",
        "still",
        "no",
    )
)


def _alter_text(node: Node) -> EditSyntax:
    """`make it "hey"`."""
    meant = first_in(node)
    return Alter(reference_in(meant), Words(str(leaf_of(node, "STRING").value), quoted=True), part=quoted_part(meant))


def _alter_is(node: Node) -> EditSyntax:
    """`text is thanks for the follow`: what a step says; a word or two, such as `text is boring`, may be no text at all."""
    noun, text = leaf_of(node, "NOUN"), leaf_of(node, "TEXT", "STRING")
    kind = noun.value if isinstance(noun.value, Kind) else ANY_STEP
    said = str(text.value)
    if noun.text.casefold().split()[-1] not in _SAYING:
        raise NotBuilt(f"say what should change: change the {noun.text} to ...")
    words = said.casefold().split()
    if not text.quoted and (len(words) <= MOST_OF_AN_OPINION or words[0] in _OPINIONS):
        raise NotBuilt(f'is that what it should be? Say: change the {noun.text} to "{said}"')
    return Alter(OfKind(kind), Words(said, text.quoted, "text"))


def _alter_new(node: Node) -> EditSyntax:
    """`new announcement text: bye`."""
    noun, text = leaf_of(node, "NOUN"), leaf_of(node, "TEXT")
    kind = noun.value if isinstance(noun.value, Kind) else ANY_STEP
    return Alter(OfKind(kind), Words(str(text.value), text.quoted, "text"))


def _alter_param_of_it(node: Node) -> EditSyntax:
    """`change the time to 90 seconds`: of the one step that has such a thing."""
    value = [each for each in node.nodes() if each.rule != "in"][-1]
    return Alter(It(), value_in(value), str(leaf_of(node, "PARAM").value))


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


_NO_REFERENCE: Final = ("in", "a_kind", "where", "old")


def _retell(node: Node) -> EditSyntax:
    """`announce it instead`, `post the first message in #clips too`."""
    kind, where = node.node("a_kind"), node.node("where")
    about = next((each for each in node.nodes() if each.rule not in _NO_REFERENCE), None)
    if where is not None and _is_a_verb_after_all(node):
        raise NotBuilt('say "the" before it, if that is a step there is')
    deed = kind.leaf("NOUN") if kind is not None else node.leaf("DEED_BASE", "NOUN")
    place = where.leaf("CHANNEL", "SPOT") if where is not None else None
    title = kind.leaf("TEXT", "STRING") if kind is not None else None
    mode: Any = {"retell_somehow": None, "retell_too": "too"}.get(node.rule, "instead")
    return Retell(
        It() if about is None else reference_in(about),
        deed.value if deed is not None and isinstance(deed.value, Kind) else None,
        None
        if place is None
        else Words(str(place.value), place.quoted, "channel" if place.type == "CHANNEL" else "service"),
        mode,
        old_in(node),
        None if title is None else str(title.value),
    )


def _is_a_verb_after_all(node: Node) -> bool:
    """`post step 1 in #general`: not the first post, but step 1, posted."""
    topic = node.node("topic")
    return topic is not None and is_bare(topic) and find(topic, "nth") is not None


def _alter_value(node: Node) -> EditSyntax:
    """`use BRB rather than ending`, `not ending, BRB`."""
    old = old_in(node)
    if old is None:
        raise AssertionError(node.rule)
    value = next(child for child in node.nodes() if child.rule != "old")
    return Alter(WITH_THAT, value_in(value), None, old)


def _alter_bare(node: Node) -> EditSyntax:
    """`10 seconds longer`, `raid but with 20 seconds`: what was just talked about, or the one step that has such a value."""
    return Alter(It(), value_in(node.nodes()[0]))


def _alter_wait(node: Node) -> EditSyntax:
    """`wait longer`: the wait."""
    return Alter(OfKind(Kind("wait", frozenset({"wait"}))), value_in(node.nodes()[0]))


def _alter_to_thing(node: Node) -> EditSyntax:
    """`first scene brb`, `step 3 gameplay not hype`, `the scene brb`."""
    rule = "ordinal" if node.leaf("ORDINAL") is not None else "kind" if node.leaf("THE") is not None else "numbered"
    step = Node(rule, [each for each in node.children if isinstance(each, Leaf)])
    return Alter(reference_in(step), value_in(cast("Node", node.node("scene", "sound", "source"))), old=old_in(node))


def _alter_given(node: Node) -> EditSyntax:
    """`give the second wait 5 more seconds`."""
    more = Node("longer", [leaf_of(node, "NUMBER"), leaf_of(node, "MORE_UNITS")])
    return Alter(reference_in(first_in(node)), value_in(more))


def _alter_near(node: Node) -> EditSyntax:
    """`the wait after the hype scene should be 5 seconds`."""
    position = position_in(node)
    if position is None or position.where not in ("before", "after"):
        raise NotBuilt("say which step by its number")
    where: Any = position.where
    near = Near(reference_in(first_in(node)), where, position.references[0])
    return Alter(near, value_in(node.nodes()[-1]))


def _alter_for(node: Node) -> EditSyntax:
    """`20 seconds, not 30 for the wait`."""
    value, _, reference = (each for each in node.nodes() if each.rule != "in")
    return Alter(reference_in(reference), value_in(value), None, old_in(node))


def _alter_param(node: Node) -> EditSyntax:
    """`announcement text: bye`, `the target of the raid step should be ninja`."""
    value = [each for each in node.nodes() if each.rule != "in"][-1]
    noun = node.leaf("NOUN")
    reference = (
        OfKind(noun.value) if noun is not None and isinstance(noun.value, Kind) else reference_in(first_in(node))
    )
    return Alter(reference, value_in(value), str(leaf_of(node, "PARAM").value))


def _alter_towards(node: Node) -> EditSyntax:
    """`shorten the wait to 5 seconds`."""
    reference, value = (each for each in node.nodes() if each.rule != "in")
    direction: Any = "longer" if node.rule == "alter_up" else "shorter"
    return Alter(reference_in(reference), value_in(value), direction=direction)


def _liken(node: Node) -> EditSyntax:
    """`make the first wait as long as the second`."""
    reference, other = (each for each in node.nodes() if each.rule != "in")
    meant = reference_in(reference)
    if other.rule != "kept_ordinal":
        return Liken(meant, reference_in(other.nodes()[0]))
    kind = meant.kind if isinstance(meant, OfKind) else ANY_STEP
    return Liken(meant, OfKind(kind, int(leaf_of(other, "ORDINAL").value)))


def _alter_at(node: Node) -> EditSyntax:
    """`use gameplay in step 3`, `in the third step i want gameplay instead of hype`."""
    at = next(each for each in node.nodes() if each.rule in ("numbered", "ordinal"))
    value = next(each for each in node.nodes() if each is not at and each.rule != "old")
    return Alter(reference_in(at), value_in(value), None, old_in(node))


def _alter_enough(node: Node) -> EditSyntax:
    """`the wait is too long, 10 seconds is enough`: what was just talked about."""
    return Alter(It(), value_in(node.nodes()[0]))


def _alter_by(node: Node) -> EditSyntax:
    """`extend the wait by 5 seconds`."""
    duration = node.leaf("DURATION")
    direction: Any = "longer" if node.rule == "alter_longer" else "shorter"
    return Alter(reference_in(first_in(node)), By(plain_seconds(duration) if duration else None, None, direction))


def _alter_scaled(node: Node) -> EditSyntax:
    """`double the wait`, `half of that`."""
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
        case "guard_lines":
            return Hold(lines=build_policies.count(node))
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


def _other_time(node: Node) -> EditSyntax:
    """`make it 5pm`, `on saturdays instead`."""
    time = node.leaf("TIME")
    days = [leaf for leaf in node.leaves() if leaf.type == "DAYS"]
    if any(leaf.value != Days(weekday=leaf.value.weekday) for leaf in days):
        raise NotBuilt("only days of the week can be put in the place of others, such as saturdays")
    weekdays = [str(leaf.value.weekday) for leaf in days]
    value = None if time is None else time.value
    half_open = isinstance(value, NoHalf)
    refs = next((each for each in node.nodes() if each.rule != "in"), None)
    return Retime(
        None if value is None else value.hour % 12 * 60 + value.minute if isinstance(value, NoHalf) else int(value),
        half_open,
        weekdays[0] if weekdays else None,
        None if refs is None else reference_in(refs),
        weekdays[1] if len(weekdays) > 1 else None,
    )


def _welcome(node: Node) -> EditSyntax:
    """`subs are fine too`."""
    return Welcome(build_policies.roles_in(node))


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
    "exchange_all": _exchange_all,
    "substitute_nothing": _substitute_nothing,
    "alter_channel": _alter_channel,
    "alter_channel_of_it": _alter_channel_of_it,
    **dict.fromkeys(("retell_somehow", "retell_too", "retell_instead", "retell_as"), _retell),
    "alter_new": _alter_new,
    "alter_is": _alter_is,
    "alter_text": _alter_text,
    "gripe": _gripe,
    "gripe_wrong": _gripe,
    "gripe_value": _gripe_value,
    "gripe_time": _gripe_time,
    "alter_from": _alter_from,
    "alter_value": _alter_value,
    "alter_bare": _alter_bare,
    "alter_but": _alter_bare,
    "alter_wait": _alter_wait,
    "alter_at": _alter_at,
    "alter_up": _alter_towards,
    "alter_down": _alter_towards,
    "liken": _liken,
    "alter_for": _alter_for,
    "alter_near": _alter_near,
    "alter_given": _alter_given,
    "alter_to_thing": _alter_to_thing,
    "alter_param": _alter_param,
    "alter_param_of": _alter_param,
    "alter_param_of_it": _alter_param_of_it,
    "drop_last": _drop_last,
    "drop_but": _drop_but,
    "clear": _clear,
    "clear_all": _clear,
    "keep_only": _keep_only,
    "shift_verbless": _shift_verbless,
    "put_in_order": _put_in_order,
    "trade": _trade,
    "substitute_by_one": _substitute_by_one,
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
    "welcome": _welcome,
    "other_time": _other_time,
    **dict.fromkeys(("wrap", "wrap_if", "wrap_unless", "wrap_again", "wrap_beside", "wrap_for"), _wrap),
    **dict.fromkeys(
        ("guard", "guard_lines", "guard_not", "guard_roles", "guard_bots", "guard_days", "guard_no_days", "no_guard"),
        _hold,
    ),
}
"""What each rule says that holds no steps."""
