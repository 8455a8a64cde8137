"""From trees to what is said of steps and their places: which step, where it goes, which value it gets.

Nothing is looked up: that step 3 exists, or that only one wait is there, is asked of the workflow later.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from grammar.leaves import NotBuilt, leaf_of, plain_seconds, whole
from grammar.syntax import (
    By,
    Called,
    Duration,
    It,
    Kind,
    Near,
    Nested,
    Numbered,
    OfKind,
    Position,
    Reference,
    Rest,
    Saying,
    Several,
    Span,
    Value,
    Words,
)
from grammar.tree import Node, find

ANY_STEP: Final = Kind("step")
MAX_AT_AN_END: Final = 50
_BY_NUMBER: Final = "\0\ufdd1"
"""Before the number of a step that is led to by number, until its name is known; no name is typed so."""


# Which step --------------------------------------------------------------------------------------------------------------


def first_in(node: Node) -> Node:
    """The first thing an edit is about."""
    return next(child for child in node.nodes() if child.rule not in ("in", "scope", "param_of"))


def is_bare(topic: Node) -> bool:
    """Whether a step is named by a noun or a word of its text and no more: `raid`, `post step 1`, not `the raid` and not `step 1`."""
    node = topic.nodes()[0]
    parts = node.nodes() if node.rule == "several" else []
    if len(parts) != 1 or parts[0].leaf("THE") is not None:
        return False
    return parts[0].rule in ("kind", "nth") or (parts[0].rule == "containing" and parts[0].leaf("NOUN") is None)


def reference_in(node: Node) -> Reference:  # noqa: C901  one line each
    """The step, or the steps, that are meant."""
    match node.rule:
        case "ref" | "topic" | "done":
            return reference_in(node.nodes()[0])
        case "topic_saying":
            meant = reference_in(node.nodes()[0])
            text = str(leaf_of(node, "TEXT").value)
            return OfKind(meant.kind, content=text) if isinstance(meant, OfKind) else Saying(text)
        case "several":
            parts = tuple(reference_in(child) for child in node.nodes())
            return parts[0] if len(parts) == 1 else Several(parts)
        case "numbers":
            return Several(tuple(Numbered(whole(leaf)) for leaf in node.leaves()))
        case "span":
            first, last = (whole(leaf) for leaf in node.leaves() if leaf.type == "NUMBER")
            return Span(first, last)
        case "numbered":
            return Numbered(whole(node.leaf("NUMBER", "PLACE_NUMBER")))
        case "called":
            leaf = node.leaf("STRING", "STEP_NAME")
            return Called(str(leaf.value) if leaf else "")
        case "nested":
            return Nested(leaf_of(node, "STEP_PATH").value)
        case "saying":
            leaf = node.leaf("TEXT", "STRING")
            return Saying(str(leaf.value) if leaf else "")
        case "containing":
            return _containing(node)
        case "several_at_an_end":
            return _at_an_end(node)
        case "near_before" | "near_after":
            near, other = (reference_in(child) for child in node.nodes())
            side: Any = node.rule.removeprefix("near_")
            return Near(near, side, other)
        case "rest_on":
            return Rest("from", (reference_in(node.nodes()[0]),))
        case "rest_after" | "rest_before" | "rest_from" | "rest_between" | "rest_but":
            where: Any = node.rule.removeprefix("rest_")
            return Rest(where, tuple(reference_in(child) for child in node.nodes()))
        case "it":
            return It()
        case "both":
            return OfKind(Kind("both"), every=True)
        case _:
            return _kind_reference(node)


def quoted_part(node: Node) -> str | None:
    """The words in quotes by which alone a step is meant: `change "soon" to "now"` is about these words of its text."""
    named = find(node, "saying") if isinstance(reference_in(node), Saying) else None
    leaf = named.leaf("STRING") if named is not None else None
    return None if leaf is None else str(leaf.value)


def _containing(node: Node) -> Reference:
    """`the welcome`, `the starting soon scene`: steps by what is in them."""
    noun, content = node.leaf("NOUN"), leaf_of(node, "CONTENT")
    kind = noun.value if noun is not None and isinstance(noun.value, Kind) else ANY_STEP
    return OfKind(kind, content=str(content.value))


def _at_an_end(node: Node) -> Reference:
    """`the last 2 steps`, `the first two waits`."""
    noun = node.leaf("NOUN")
    kind = noun.value if noun is not None and isinstance(noun.value, Kind) else ANY_STEP
    count, ordinal = whole(node.leaf("NUMBER")), int(leaf_of(node, "ORDINAL").value)
    places = range(1, count + 1) if ordinal == 1 else range(-count, 0) if ordinal == -1 else ()
    if not places or count > MAX_AT_AN_END:
        raise NotBuilt("say which steps by their numbers, such as steps 2 to 4")
    return Several(tuple(OfKind(kind, place) for place in places))


def _kind_reference(node: Node) -> Reference:
    noun = node.leaf("NOUN", "DEED", "DEED_BASE")
    kind = noun.value if noun is not None and isinstance(noun.value, Kind) else ANY_STEP
    ordinal, number, duration = node.leaf("ORDINAL"), node.leaf("NUMBER"), node.leaf("DURATION")
    about = node.leaf("SCENE", "SOURCE", "SOUND", "CHANNEL", "USER", "STRING")
    place = int(ordinal.value) if ordinal is not None else whole(number) if number is not None else None
    return OfKind(
        kind,
        place,
        every=node.rule == "every" or (kind.plural and place is None),
        seconds=plain_seconds(duration) if duration is not None else None,
        content=str(about.value) if about is not None else None,
        extreme=cast("Any", extreme.value) if (extreme := node.leaf("EXTREME")) is not None else None,
    )


def by_number(number: int) -> str:
    """A name for the step with a number, where that has to be a name."""
    return f"{_BY_NUMBER}{number}"


def named_place(name: str) -> Reference:
    """A step that was named, or numbered (`by_number`)."""
    number = name.removeprefix(_BY_NUMBER)
    return Numbered(int(number)) if number != name and number.isdecimal() else Called(name)


# Where it goes, and what it gets -----------------------------------------------------------------------------------------


def position_in(node: Node) -> Position | None:
    """Where something goes, if that was said."""
    place = next((child for child in node.nodes() if child.rule in _PLACES), None)
    if place is None:
        return None
    where = _PLACES[place.rule]
    if place.rule == "as_step":
        return Position("number", number=whole(place.leaf("NUMBER")))
    if place.rule == "in_place":
        ordinal = int(leaf_of(place, "ORDINAL").value)
        return Position("end") if ordinal < 0 else Position("number", number=ordinal)
    if place.rule == "between_numbers":
        numbers = [Numbered(whole(leaf)) for leaf in place.leaves() if leaf.type == "NUMBER"]
        return Position("between", tuple(numbers))
    return Position(where, tuple(reference_in(child) for child in place.nodes()))


_PLACES: Final[Mapping[str, Any]] = {
    "before": "before",
    "after": "after",
    "between": "between",
    "between_numbers": "between",
    "at_start": "start",
    "at_end": "end",
    "as_step": "number",
    "in_place": "number",
}


def old_in(node: Node) -> Value | Reference | None:
    """What was there before, where it was said: `instead of 10 seconds`."""
    old = node.node("old")
    return None if old is None else old_value_in(old.nodes()[0])


def old_value_in(node: Node) -> Value | Reference:
    """A value, or the steps, that were there before: `instead of it` means a step, not the word."""
    if node.rule in _SEVERAL:
        return reference_in(node)
    if node.rule == "a_kind":
        return _kind_reference(node)
    value = value_in(node)
    is_pronoun = isinstance(value, Words) and not value.quoted and value.text.casefold() in _PRONOUNS
    return It() if is_pronoun else value


_PRONOUNS: Final = frozenset({"it", "that", "this", "them"})
_SEVERAL: Final = frozenset(
    {
        "several",
        "numbers",
        "span",
        "every",
        "several_at_an_end",
        "rest_after",
        "rest_on",
        "rest_before",
        "rest_from",
        "rest_between",
        "rest_but",
    }
)


def value_in(node: Node) -> Value:
    """What a value becomes."""
    match node.rule:
        case "duration":
            leaf = leaf_of(node, "DURATION")
            return Words(str(leaf.value), True, "text") if leaf.quoted else Duration(plain_seconds(leaf))
        case "longer" | "shorter":
            units = node.leaf("MORE_UNITS", "FEWER_UNITS")
            if units is not None:
                seconds = float(leaf_of(node, "NUMBER").value) * int(units.value)
            else:
                seconds = plain_seconds(leaf_of(node, "DURATION"))
            return By(seconds, None, "longer" if node.rule == "longer" else "shorter")
        case "just_longer" | "just_shorter":
            return By(None, None, "longer" if node.rule == "just_longer" else "shorter")
        case "double" | "triple" | "half":
            return By(None, {"double": 2.0, "triple": 3.0, "half": 0.5}[node.rule])
        case "value":
            return value_in(node.nodes()[0])
        case "counted":
            number = leaf_of(node, "NUMBER")
            said = f"{number.text} {leaf_of(node, 'UNIT').text}"
            return Words(said, False, "number", number.value, str(leaf_of(node, "UNIT").value))
        case "spot":
            return Words("discord" if leaf_of(node, "SPOT").value == "discord" else "chat")
        case kind:
            leaf = next(node.leaves())
            type_: Any = kind
            if kind == "number":
                return Words(leaf.text, leaf.quoted, type_, leaf.value)
            return Words(str(leaf.value), leaf.quoted, type_)


def event_in(edge: Node) -> str:
    """The event an edge is taken on."""
    leaf = edge.leaf("EDGE_NAME", "STRING", "EDGE")
    return str(leaf.value) if leaf is not None else "error"
