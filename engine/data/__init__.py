"""What a community keeps: variables, counters, lists, queues, quotes, countdowns; and what a call of `data` does to it.

`apply` is pure: it reads a view and answers with a result and the rows that change. Whoever performs the effect puts the
rows into the very commit that records the effect as done, so a change happens exactly once, and doing it again after a
crash before that commit is harmless: that is why every method here is repeatable.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.data import countdowns, lists, queues, quotes, variables
from engine.data.ask import MAX_VALUE, QUOTES, Answer, Ask, Refused, person_key
from engine.data.entries import Queue, written
from engine.data.kept import DataView, Kept
from engine.data.methods import DATA_METHODS, SERVICE
from engine.errors import EvaluationError
from engine.execution import Done, Failed, Result
from engine.ports import DataRecord
from engine.storable import size_of
from engine.values import STRAY

__all__ = ["DATA_METHODS", "LIMITS", "SERVICE", "DataView", "Kept", "Limits", "apply", "forgotten"]

MAX_QUOTES_SIZE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one community may keep.

    Attributes:
        keys: Names the community itself keeps something under.
        keys_of_user: Likewise for each person.
        rows: All of these together.
        size: Bytes of JSON of all rows.
    """

    keys: int = 1_000
    keys_of_user: int = 100
    rows: int = 50_000
    size: int = 16_000_000


LIMITS: Final = Limits()

_OPERATIONS: Final[Mapping[str, Callable[[Ask], Answer]]] = {
    operation.__name__: operation
    for operation in (
        variables.set_variable,
        variables.toggle_variable,
        variables.get_variable,
        variables.remove_variable,
        variables.add_to_counter,
        variables.take_from_counter,
        variables.set_counter,
        variables.get_counter,
        lists.add_to_list,
        lists.remove_from_list,
        lists.pick_from_list,
        lists.next_of,
        lists.list_items,
        lists.clear_list,
        queues.join_queue,
        queues.leave_queue,
        queues.next_in_queue,
        queues.queue_position,
        queues.clear_queue,
        quotes.add_quote,
        quotes.get_quote,
        quotes.remove_quote,
        countdowns.set_countdown,
        countdowns.add_to_countdown,
        countdowns.countdown_left,
    )
}


def apply(
    method: str,
    params: Mapping[str, Any],
    current: DataView,
    *,
    now: float,
    chance: float,
    by: str,
    zone: str = "UTC",
    limits: Limits = LIMITS,
) -> tuple[Result, tuple[DataRecord, ...]]:
    """What a call comes to, and the rows it changes; none where it failed.

    Args:
        method: Its canonical name.
        params: After substitution.
        current: What is kept, every earlier change included.
        now: UTC seconds.
        chance: A number in [0, 1).
        by: Name of the person it is done for; empty if there is none.
        zone: The community's time zone.
        limits: How much may be kept.
    """
    operation = _OPERATIONS.get(method)
    if operation is None:
        return Failed("unknown_method", f"{SERVICE} cannot do {method}"), ()
    try:
        answer = operation(Ask(params, current, now, chance, by, zone))
        return Done(answer.output), _rows(answer, current, limits)
    except Refused as refused:
        return Failed(refused.error, str(refused)), ()
    except EvaluationError as error:
        return Failed("wrong_param", error.reason), ()
    except STRAY:
        return Failed("wrong_param", f"{SERVICE}.{method} cannot work with these values"), ()


def forgotten(current: DataView, user: str) -> tuple[DataRecord, ...]:
    """The rows that change when a person is to be forgotten: their own go, and they leave every queue."""
    person = person_key(user)
    own = [DataRecord(current.community, person, key) for key in current.keys_of(person)] if person else []
    left = []
    for key in current.keys_of(""):
        entry = current.entry("", key)
        if isinstance(entry, Queue) and any(person_key(name) == person for name in entry.people):
            others = Queue(tuple(name for name in entry.people if person_key(name) != person))
            left.append(DataRecord(current.community, "", key, written(others)))
    return (*own, *left)


def _rows(answer: Answer, current: DataView, limits: Limits) -> tuple[DataRecord, ...]:
    if answer.place is None:
        return ()
    owner, key = answer.place
    value = None if answer.entry is None else written(answer.entry)
    if value is not None:
        _check_room(owner, key, size_of(value), current, limits)
    return (DataRecord(current.community, owner, key, value),)


def _check_room(owner: str, key: str, size: int | None, current: DataView, limits: Limits) -> None:
    """Let a row pass that fits, or that at least does not grow."""
    before = current.size_of(owner, key)
    if size is None:
        raise Refused("wrong_param", f'what "{key}" would hold cannot be kept')
    if 0 < before >= size:
        return
    most = MAX_QUOTES_SIZE if (owner, key) == ("", QUOTES) else MAX_VALUE + 100
    if size > most:
        raise Refused("full", f'"{key}" would be too large ({size:,} bytes; {most:,} is the most)')
    if not before:
        _check_names(owner, current, limits)
    if current.size - before + size > limits.size:
        raise Refused("full", f"the community keeps {current.size:,} bytes already; {limits.size:,} is the limit")


def _check_names(owner: str, current: DataView, limits: Limits) -> None:
    most = limits.keys_of_user if owner else limits.keys
    if len(current.keys_of(owner)) >= most:
        whose = owner or "the community"
        raise Refused("full", f"{whose} keeps {most:,} things already, and that is the limit; forget one first")
    if len(current) >= limits.rows:
        raise Refused("full", f"{limits.rows:,} things are kept already, and that is the limit; forget some first")
