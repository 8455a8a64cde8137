"""Queues of people. Nobody stands in one twice, and who comes first is first."""

from typing import Final

from engine.data.ask import MAX_ITEMS, Answer, Ask, Refused, full, person_key
from engine.data.entries import Queue

DEFAULT: Final = "queue"
"""The name of the queue if none is said."""


def join_queue(ask: Ask) -> Answer:
    """Stand at the end, or stay where one stands already."""
    place, found = _queue(ask)
    name = ask.person("user")
    stands = _position(found, name)
    if stands:
        return Answer({"joined": False, "position": stands, "count": len(found.people)})
    if len(found.people) >= MAX_ITEMS:
        raise full(f'the queue "{place[1]}"', MAX_ITEMS, "people")
    count = len(found.people) + 1
    return Answer({"joined": True, "position": count, "count": count}, place, Queue((*found.people, name)))


def leave_queue(ask: Ask) -> Answer:
    """Stand in it no more."""
    place, found = _queue(ask)
    stands = _position(found, ask.person("user"))
    if not stands:
        return Answer({"left": False, "count": len(found.people)})
    people = (*found.people[: stands - 1], *found.people[stands:])
    return Answer({"left": True, "count": len(people)}, place, Queue(people))


def next_in_queue(ask: Ask) -> Answer:
    """Call the first one, who then stands in it no more."""
    place, found = _queue(ask)
    if not found.people:
        raise Refused("empty", f'there is nobody in the queue "{place[1]}"')
    first, *rest = found.people
    return Answer({"user": first, "count": len(rest)}, place, Queue(tuple(rest)))


def queue_position(ask: Ask) -> Answer:
    """Where somebody stands, from 1; 0 for who does not."""
    _, found = _queue(ask)
    return Answer({"position": _position(found, ask.person("user")), "count": len(found.people)})


def clear_queue(ask: Ask) -> Answer:
    """Send everybody away."""
    place, found = _queue(ask)
    if not found.people:
        return Answer({"removed": 0})
    return Answer({"removed": len(found.people)}, place, Queue())


def _queue(ask: Ask) -> tuple[tuple[str, str], Queue]:
    place = ("", ask.key("queue", DEFAULT))
    return place, ask.entry(place, Queue, "queue") or Queue()


def _position(queue: Queue, name: str) -> int:
    wanted = person_key(name)
    return next((at for at, other in enumerate(queue.people, 1) if person_key(other) == wanted), 0)
