"""Takes a person out of a record: what it holds about them goes, and their name wherever it stands.

A name counts as a whole word, in any case, with or without an @. What says how records belong together (ids, places, names
of steps and events) stays, so that a run can still be told and taken up again. A field nobody thought of here is
searched like a text of a viewer: forgetting too much is the smaller harm. It judges nobody's right to be forgotten.
"""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar

from engine.events import Event
from engine.execution import Execution, Person
from engine.people import name_of

FORGOTTEN: Final = "(forgotten)"
NOBODY: Final[Mapping[str, Any]] = {"name": FORGOTTEN, "roles": []}

_STRUCTURE: Final = frozenset(
    {
        "id",
        "community",
        "workflow",
        "revision",
        "status",
        "outcome",
        "path",
        "state",
        "to",
        "effect",
        "execution",
        "event_name",
        "child",
        "parent",
        "cause",
        "visits",
        "rounds",
        "orphans",
        "kind",
    }
)
_OF_AN_EVENT: Final = ("name", "id", "at")

_T = TypeVar("_T")


class Forgetting:
    """Knows one person's name, and takes it out of records.

    Args:
        person: The name, as it is written anywhere.

    Raises:
        ValueError: It is no name.
    """

    def __init__(self, person: str) -> None:
        written = person.strip().removeprefix("@").strip()
        if not written:
            raise ValueError("nobody has no name")
        self.name = written.casefold()
        self._anywhere = re.compile(rf"(?<!\w)@?{re.escape(written)}(?!\w)", re.IGNORECASE)
        self._plain = re.fullmatch(r"[\w .-]+", written) is not None

    def may_be_in(self, body: str) -> bool:
        """Whether a record written as JSON may know the person; quickly, so that not every record has to be read."""
        return not self._plain or self.name in body.casefold()

    def out_of(self, record: _T) -> _T:
        """The record without the person; the record itself if it does not know them."""
        without = self._record(record)
        return record if without == record else without

    def is_them(self, user: object) -> bool:
        """Whether an event's `user`, or a name, is this person."""
        name = name_of(user)
        return name is not None and name.strip().removeprefix("@").casefold() == self.name

    def _record(self, record: Any) -> Any:
        if isinstance(record, Person):
            return Person(FORGOTTEN, record.platform, record.roles) if self.is_them(record.name) else record
        changed = {
            field.name: self._value(getattr(record, field.name))
            for field in fields(record)
            if field.name not in _STRUCTURE and not _is_of_an_event(record, field.name)
        }
        if isinstance(record, Event):
            changed |= self._happening(record)
        elif isinstance(record, Execution):
            changed["event"] = self._start(record.event)
        return replace(record, **changed)

    def _happening(self, event: Event) -> dict[str, Any]:
        """An event about them keeps that it happened, and nothing of what."""
        if self.is_them(event.payload.get("user")):
            return {"payload": {"user": NOBODY}, "natural": None}
        return {"natural": self._value(event.natural)}

    def _start(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        known = {key: event[key] for key in _OF_AN_EVENT if key in event}
        if self.is_them(event.get("user")):
            return {**known, "user": NOBODY}
        return {**{key: self._value(value) for key, value in event.items()}, **known}

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._anywhere.sub(FORGOTTEN, value)
        if isinstance(value, Mapping):
            if "name" in value and self.is_them(value):
                return NOBODY
            return {self._value(key): self._value(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._value(part) for part in value)
        return self._record(value) if is_dataclass(value) else value


def _is_of_an_event(record: object, field: str) -> bool:
    """What an event is, or which one is meant; the rest of it is seen to on its own."""
    if isinstance(record, Event):
        return field in (*_OF_AN_EVENT, "natural")
    return field == "event" and isinstance(getattr(record, field), str)
