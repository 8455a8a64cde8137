"""The values that stand in trees: what a word means, lengths of time, and models made of them.

What cannot be built is a `NotBuilt` in plain words. Nothing here knows a rule of the grammar.
"""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from pydantic import JsonValue, ValidationError

from engine.convert import mistake
from engine.errors import EngineError
from grammar.drafts import THEM
from grammar.posted import POSTED, STARTING
from grammar.scanners import NoUnit
from grammar.spoken_values import marked
from grammar.tree import Leaf, Node

_Model = TypeVar("_Model")
WHOM_IT_IS_ABOUT: Final = "${user}"
CALLER: Final = "${caller}"
"""Who started the run: "i" where a run waits."""


_THAT_MESSAGE: Final = {"posted": POSTED, "starting": STARTING}


_LINKED: Final = re.compile(
    r"(?:the |our |my |this )?(?:link|url|website)(?: to| is)?:? (?P<address>[^\s.]\S*\.\S+)", re.IGNORECASE
)
"""`reply with the link example.com/me`: the address is what is said."""


class NotBuilt(EngineError):
    """A sentence has the right form but no meaning; the text says why."""


def without_lead(text: str) -> str:
    """A text that was not quoted; of `the link example.com/me` just the address."""
    named = _LINKED.fullmatch(text)
    return text if named is None else named["address"]


def leaf_of(node: Node, *types: str) -> Leaf:
    """The first direct word of one of these terminals, which the rule always has."""
    leaf = node.leaf(*types)
    if leaf is None:
        raise AssertionError(f"{node.rule} has no {' or '.join(types)}")
    return leaf


def value_of(node: Node, *types: str) -> Any:
    """What the first direct word of one of these terminals means."""
    return leaf_of(node, *types).value


def slot_value(leaf: Leaf) -> JsonValue:
    """The value of a param as it stood in a sentence."""
    match leaf.type:
        case "DURATION":
            with_unit(leaf)
            return leaf.value if isinstance(leaf.value, str) else plain_number(leaf.value)
        case "ONOFF":
            return bool(leaf.value == "true")
        case "LIST":
            return list(leaf.value)
        case "USER" if leaf.value == WHOM_IT_IS_ABOUT and not leaf.text.startswith(("$", "{")):
            return THEM
        case "POSTED" if leaf.value in _THAT_MESSAGE and not leaf.quoted:
            return _THAT_MESSAGE[leaf.value]
        case "TEXT" if not leaf.quoted:
            return marked(without_lead(str(leaf.value)))
        case _:
            return cast("str | float", leaf.value)


def plain_number(number: float) -> float | int:
    """A number without a fraction as a whole one."""
    return int(number) if number == int(number) else number


def whole(leaf: Leaf | None) -> int:
    """The whole number a word means; 0, which no step and no version has, where it is none."""
    value = leaf.value if leaf is not None else 0
    return int(value) if float(value).is_integer() else 0


# Lengths of time --------------------------------------------------------------------------------------------------------


def with_unit(leaf: Leaf) -> None:
    """Refuses a length of time whose unit was not said; a conversation asks for it before anything is built."""
    if isinstance(leaf.value, NoUnit):
        raise NotBuilt(f"{leaf.text} what? Say {leaf.text} seconds, or {leaf.text} minutes")


def length_in(node: Node) -> Any:
    """The length of time in a node: seconds, or a quoted template."""
    leaf = node.leaf("DURATION")
    if leaf is None:
        raise AssertionError(f"{node.rule} has no DURATION")
    with_unit(leaf)
    return leaf.value


def seconds_in(node: Node) -> float:
    """The length of time in a node, written out."""
    leaf = node.leaf("DURATION", "UNIT_LENGTH", "OFTEN", "SO_OFTEN")
    if leaf is None:
        raise AssertionError(f"{node.rule} has no DURATION")
    return seconds_of(leaf)


def seconds_of(leaf: Leaf) -> float:
    """A length of time, written out."""
    with_unit(leaf)
    if leaf.quoted:
        raise NotBuilt("this time has to be written out, such as 10 seconds")
    return float(leaf.value)


def plain_seconds(leaf: Leaf) -> float:
    """A length of time where a quoted text could be meant as well, which is then said back."""
    with_unit(leaf)
    if leaf.quoted:
        raise NotBuilt(f'"{leaf.value}" is no length of time, such as 10 seconds')
    return float(leaf.value)


# Models -----------------------------------------------------------------------------------------------------------------


def valid(model: Callable[..., Any], **values: Any) -> Any:
    """A model of these values."""
    return checked(lambda: model(**values))


def checked(make: Callable[[], _Model]) -> _Model:
    """What is made, its mistakes in plain words."""
    try:
        return make()
    except ValidationError as error:
        raise NotBuilt(mistake(error)) from None
