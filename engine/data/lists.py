"""Lists: adding, removing, picking by chance, and walking in order with a place that is remembered."""

from typing import Any

from pydantic import JsonValue

from engine.data.ask import MAX_ITEM, MAX_ITEMS, Answer, Ask, Refused, full, kept
from engine.data.entries import Items, Turn
from engine.values import same

_Place = tuple[str, str]


def add_to_list(ask: Ask) -> Answer:
    """Put an item at the end; with `once`, only if it is not there yet."""
    place, found = _list(ask)
    item = ask.value("item", MAX_ITEM)
    index = _index(found, item) if ask.flag("once") else None
    if index is not None:
        return Answer({"added": False, "position": index + 1, "count": len(found.items)})
    if len(found.items) >= MAX_ITEMS:
        raise full(f'the list "{place[1]}"', MAX_ITEMS, "items")
    count = len(found.items) + 1
    return Answer({"added": True, "position": count, "count": count}, place, Items((*found.items, item), found.at))


def remove_from_list(ask: Ask) -> Answer:
    """Take the first item out that is the same to people: case does not count, `5` is 5."""
    place, found = _list(ask)
    index = _index(found, ask.value("item", MAX_ITEM))
    if index is None:
        return Answer({"removed": False, "count": len(found.items)})
    return Answer({"removed": True, "count": len(found.items) - 1}, place, without(found, index))


def pick_from_list(ask: Ask) -> Answer:
    """One item, each as likely; with `remove`, it is taken out."""
    place, found = _list(ask)
    _demand_items(place, found)
    index = ask.one_of(len(found.items))
    output = {"item": found.items[index], "position": index + 1, "count": len(found.items)}
    if not ask.flag("remove"):
        return Answer(output)
    return Answer({**output, "count": len(found.items) - 1}, place, without(found, index))


def list_items(ask: Ask) -> Answer:
    """All items."""
    _, found = _list(ask)
    return Answer({"items": list(found.items), "count": len(found.items)})


def clear_list(ask: Ask) -> Answer:
    """Take every item out."""
    place, found = _list(ask)
    if not found.items:
        return Answer({"removed": 0})
    return Answer({"removed": len(found.items)}, place, Items())


def next_of(ask: Ask) -> Answer:
    """The item whose turn it is, from the first again after the last: of a list, or of `options` written in the step."""
    if ask.given("options"):
        return _next_option(ask)
    place, found = _list(ask)
    _demand_items(place, found)
    at = found.at % len(found.items)
    return Answer(_turn(found.items, at), place, Items(found.items, at + 1))


def without(found: Items, index: int) -> Items:
    """A list without one item; whose turn is next stays whose turn is next."""
    return Items((*found.items[:index], *found.items[index + 1 :]), found.at - 1 if index < found.at else found.at)


def _next_option(ask: Ask) -> Answer:
    options = _options(ask.params["options"])
    place = (ask.owner(), ask.key("list"))
    found = ask.entry(place, Turn, "choice in order")
    at = (0 if found is None else found.at) % len(options)
    return Answer(_turn(options, at), place, Turn(at + 1))


def _options(given: Any) -> tuple[JsonValue, ...]:
    """What may be chosen from; texts from one box may be separated by commas."""
    if isinstance(given, str):
        given = [part.strip() for part in given.split(",") if part.strip()]
    if not isinstance(given, list | tuple) or not 0 < len(given) <= MAX_ITEMS:
        raise Refused("wrong_param", f"options must be a list of 1 to {MAX_ITEMS:,} things to choose from")
    return tuple(kept("an option", option, MAX_ITEM) for option in given)


def _turn(items: tuple[JsonValue, ...], at: int) -> dict[str, Any]:
    return {"item": items[at], "position": at + 1, "count": len(items), "last": at + 1 == len(items)}


def _list(ask: Ask) -> tuple[_Place, Items]:
    place = (ask.owner(), ask.key("list"))
    return place, ask.entry(place, Items, "list") or Items()


def _index(found: Items, item: JsonValue) -> int | None:
    return next((index for index, other in enumerate(found.items) if same(other, item)), None)


def _demand_items(place: _Place, found: Items) -> None:
    if not found.items:
        raise Refused("empty", f'there is nothing in the list "{place[1]}"')
