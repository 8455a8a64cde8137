"""What can be kept under a name, and the JSON it is kept as.

Everything is frozen: a change makes another entry, so whoever holds an old one keeps what it was. An entry knows no name
and no owner, and judges nothing: what may be done to it is said by the module of its kind.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from pydantic import JsonValue

from engine.errors import StoreCorrupt
from engine.frozen import quick


@dataclass(frozen=True, slots=True)
class Value:
    """A variable or a counter: a counter is a variable that holds a number."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class Items:
    """A list.

    Attributes:
        at: Index of the item whose turn is next, for walking it in order; may be the length.
    """

    items: tuple[JsonValue, ...] = ()
    at: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """How far somebody has come in walking a list that is written in a step."""

    at: int


@dataclass(frozen=True, slots=True)
class Queue:
    """People in the order of their coming, named as they came."""

    people: tuple[str, ...] = ()


@quick
@dataclass(frozen=True, slots=True)
class Quote:
    """Something that was said.

    Attributes:
        author: Who said it; empty if that is not known.
        by: Who kept it.
        at: When, UTC seconds.
    """

    number: int
    text: str
    author: str
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class Quotes:
    """All quotes by number; `last` is the highest number ever given, so that none is given twice."""

    last: int = 0
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class Countdown:
    """A moment that is waited for, UTC seconds."""

    until: float


Entry: TypeAlias = Value | Items | Turn | Queue | Quotes | Countdown


def kind_of(entry: Entry) -> str:
    """What people call it."""
    match entry:
        case Value():
            return "variable"
        case Items():
            return "list"
        case Turn():
            return "choice in order"
        case Queue():
            return "queue"
        case Quotes():
            return "collection of quotes"
        case Countdown():
            return "countdown"
        case _ as never:
            assert_never(never)


def written(entry: Entry) -> dict[str, Any]:
    """An entry as it stands in the store."""
    match entry:
        case Value():
            return {"kind": "value", "value": entry.value}
        case Items():
            return {"kind": "list", "items": list(entry.items), "at": entry.at}
        case Turn():
            return {"kind": "turn", "at": entry.at}
        case Queue():
            return {"kind": "queue", "people": list(entry.people)}
        case Quotes():
            # Fields by place: a full collection is written whole for each new quote.
            rows = [[each.number, each.text, each.author, each.by, each.at] for each in entry.quotes]
            return {"kind": "quotes", "last": entry.last, "quotes": rows}
        case Countdown():
            return {"kind": "countdown", "until": entry.until}
        case _ as never:
            assert_never(never)


def told(quote: Quote) -> dict[str, JsonValue]:
    """A quote as a step's result tells it."""
    return {"number": quote.number, "text": quote.text, "author": quote.author, "by": quote.by, "at": quote.at}


def read(data: Any) -> Entry:
    """An entry as it was written.

    Raises:
        StoreCorrupt: It is none of ours.
    """
    try:
        match data["kind"]:
            case "value":
                return Value(data["value"])
            case "list":
                return Items(tuple(data["items"]), int(data["at"]))
            case "turn":
                return Turn(int(data["at"]))
            case "queue":
                return Queue(tuple(str(name) for name in data["people"]))
            case "quotes":
                return Quotes(int(data["last"]), tuple(Quote(*quote) for quote in data["quotes"]))
            case "countdown":
                return Countdown(float(data["until"]))
            case other:
                raise ValueError(other)
    except (TypeError, ValueError, KeyError) as error:
        raise StoreCorrupt(
            "Something the community keeps (a counter, a list) cannot be read. It was written by another version of "
            "Showcaller, or it is damaged. Upgrade, or restore a backup."
        ) from error


def shown(entry: Entry) -> JsonValue:
    """What a template sees: the plain value, the items, the people, how many quotes, when a countdown ends."""
    match entry:
        case Value():
            return entry.value
        case Items():
            return list(entry.items)
        case Turn():
            return entry.at
        case Queue():
            return list(entry.people)
        case Quotes():
            return len(entry.quotes)
        case Countdown():
            return entry.until
        case _ as never:
            assert_never(never)
