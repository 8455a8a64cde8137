"""Variables and counters. A counter is a variable that holds a number, so both can be used on either."""

from typing import Any

from pydantic import JsonValue

from engine.data.ask import MAX_ITEM, MAX_ITEMS, Answer, Ask, Refused, full, kept, whole
from engine.data.entries import Entry, Items, Value
from engine.data.entries import shown as plain
from engine.fitting import as_boolean
from engine.values import is_number, number_in, shown


def set_variable(ask: Ask) -> Answer:
    """Keep a value; a list becomes a list that other steps can add to."""
    place = (ask.owner(), ask.key("name"))
    value = ask.value("value")
    before = ask.view.entry(*place)
    if not isinstance(before, Items):
        before = ask.entry(place, Value, "variable")
    return Answer({"value": value, "before": None if before is None else plain(before)}, place, _entry(value))


def _entry(value: JsonValue) -> Entry:
    if not isinstance(value, list):
        return Value(value)
    if len(value) > MAX_ITEMS:
        raise full("a list", MAX_ITEMS, "items")
    return Items(tuple(kept("an item", item, MAX_ITEM) for item in value))


def toggle_variable(ask: Ask) -> Answer:
    """Yes becomes no, and no yes; what was never set becomes yes."""
    place = (ask.owner(), ask.key("name"))
    found = ask.entry(place, Value, "variable")
    before = False if found is None else as_boolean(place[1], found.value)
    return Answer({"value": not before, "before": before}, place, Value(not before))


def get_variable(ask: Ask) -> Answer:
    """What is kept under a name, of whatever kind; `default` where nothing is."""
    place = (ask.owner(), ask.key("name"))
    found = ask.view.entry(*place)
    default = ask.value("default") if ask.given("default") else None
    return Answer({"value": default if found is None else plain(found), "found": found is not None})


def remove_variable(ask: Ask) -> Answer:
    """Keep nothing under a name any more: a variable, counter, list, queue or countdown."""
    place = (ask.owner(), ask.key("name"))
    if ask.view.entry(*place) is None:
        return Answer({"removed": False})
    return Answer({"removed": True}, place)


def add_to_counter(ask: Ask) -> Answer:
    """Count up, or down; `milestone` tells whether a multiple of `every` was reached or passed on the way up."""
    place = (ask.owner(), ask.key("counter"))
    before = _count(ask, place)
    value = whole(before + ask.number("by", 1))
    if value is None:
        raise Refused("too_large", f'the counter "{place[1]}" would be larger than a number may be')
    output = {"value": value, "before": before, "milestone": _reaches(ask, before, value)}
    return Answer(output, place, Value(value))


def take_from_counter(ask: Ask) -> Answer:
    """Count down, below zero too."""
    place = (ask.owner(), ask.key("counter"))
    before = _count(ask, place)
    value = whole(before - ask.number("by", 1))
    if value is None:
        raise Refused("too_large", f'the counter "{place[1]}" would be larger than a number may be')
    return Answer({"value": value, "before": before}, place, Value(value))


def set_counter(ask: Ask) -> Answer:
    """Let a counter stand at a number."""
    place = (ask.owner(), ask.key("counter"))
    before = _count(ask, place)
    value = ask.number("value", 0)
    return Answer({"value": value, "before": before}, place, Value(value))


def get_counter(ask: Ask) -> Answer:
    """Where a counter stands; one that was never used stands at 0."""
    return Answer({"value": _count(ask, (ask.owner(), ask.key("counter")))})


def _count(ask: Ask, place: tuple[str, str]) -> int | float:
    found = ask.entry(place, Value, "counter")
    value: Any = 0 if found is None else found.value
    number = number_in(value) if isinstance(value, str) else value
    if number is None or not is_number(number):
        raise Refused("wrong_kind", f'"{place[1]}" is {_quoted(value)}, and only a number can be counted')
    return number


def _reaches(ask: Ask, before: float, value: float) -> bool:
    if not ask.given("every"):
        return False
    every = ask.number("every")
    if every < 1:
        raise Refused("wrong_param", "every must be 1 or more")
    return value > before and value // every > before // every


def _quoted(value: Any) -> str:
    return "nothing" if value is None else shown(value)
