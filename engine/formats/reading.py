"""What all readers of other forms share: plain data looked at once, and a report that grows while it is read.

A value of the wrong type is a mistake with its place; a key that nobody knows is a line in the report.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from engine.errors import DefinitionError
from engine.formats.imported import Imported, Note
from engine.formats.naming import Naming
from engine.mistakes import sentence
from engine.model import MAX_NAME, Definition
from engine.wording import shortened

Data: TypeAlias = Mapping[str, Any]

HEADING: Final = frozenset({"id", "name", "description", "version", "tags", "trigger"})
"""The keys that every list form has around its steps."""

MAX_NOTES: Final = 200


class Report:
    """Collects the notes of one import, each once."""

    def __init__(self) -> None:
        self._notes: dict[Note, None] = {}

    def lost(self, place: str, said: str) -> None:
        """Something does not carry over."""
        self._add(Note("lost", place, said))

    def default(self, place: str, said: str) -> None:
        """Something was not said, and this was chosen."""
        self._add(Note("default", place, said))

    def unknown(self, place: str, data: Data, known: Collection[str], before: str = "") -> None:
        """Every key that the reader does not look at is lost."""
        for key in data:
            if key not in known:
                self.lost(place, f'"{shortened(before + key, 40)}" means nothing to me and was left out')

    def on(self, definition: Definition) -> Imported:
        """The definition with all that was noted."""
        return Imported(definition, tuple(self._notes))

    def _add(self, note: Note) -> None:
        if len(self._notes) < MAX_NOTES:
            self._notes[note] = None


# Places and types ------------------------------------------------------------------------------------------------------


def place_of(number: int, name: object, noun: str = "step") -> str:
    """Words for a step: `step 2 ("say")`."""
    return f'{noun} {number} ("{shortened(name, MAX_NAME)}")' if isinstance(name, str) and name else f"{noun} {number}"


def wrong(place: str, what: str) -> DefinitionError:
    """The error for something that cannot be read, with its place."""
    said = f"{place}: {what}" if place else what
    return DefinitionError(f"{said[0].upper()}{said[1:]}.")


def within(place: str, key: str) -> str:
    """Words for a key at a place."""
    return f"{place}, {key}" if place else key


def an_object(value: Any, place: str) -> Data:
    """The value, which has to be an object with texts as keys."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise wrong(place, "it must be an object")
    return value


def a_list(value: Any, place: str) -> Sequence[Any]:
    """The value, which has to be a list."""
    if not isinstance(value, list | tuple):
        raise wrong(place, "it must be a list")
    return value


def text_in(data: Data, key: str, place: str) -> str | None:
    """The text under a key; None if there is none."""
    value = data.get(key)
    if value is not None and not isinstance(value, str):
        raise wrong(within(place, key), "it must be a text")
    return value or None


def flag_in(data: Data, key: str, place: str, otherwise: bool) -> bool:
    """True or false under a key."""
    value = data.get(key)
    if value is not None and not isinstance(value, bool):
        raise wrong(within(place, key), "it must be true or false")
    return otherwise if value is None else value


def number_in(data: Data, key: str, place: str) -> float | None:
    """The number under a key, which is 0 or more; None if there is none."""
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(within(place, key), "it must be a number")
    if not 0 <= value <= 1e15:
        raise wrong(within(place, key), "it must be a number from 0 on")
    return value


def texts_in(data: Data, key: str, place: str) -> tuple[str, ...]:
    """The texts under a key: a list of them, or one alone."""
    value = data.get(key)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
        raise wrong(within(place, key), "it must be a list of texts")
    return tuple(value)


# Around the steps ------------------------------------------------------------------------------------------------------


def heading(data: Data, report: Report, naming: Naming, id_key: str = "id") -> dict[str, Any]:
    """The canonical keys of what stands around the steps."""
    name, id_ = text_in(data, "name", ""), text_in(data, id_key, "")
    if id_ is None:
        id_ = "_".join((name or naming.workflow).lower().split())[:MAX_NAME] or "imported"
        report.default("", f'it has no "{id_key}"; it is called {id_}')
    if name is None:
        name = id_
        report.default("", f'it has no name; it is named "{shortened(id_, MAX_NAME)}"')
    made: dict[str, Any] = {"id": id_, "name": name}
    for key in ("description", "version"):
        if (text := text_in(data, key, "")) is not None:
            made[key] = text
    if tags := texts_in(data, "tags", ""):
        made["tags"] = list(tags)
    if triggers := texts_in(data, "trigger", ""):
        made["triggers"] = list(triggers)
    else:
        report.default("", "it names no trigger, so it is run by hand")
    return made


def steps_in(data: Data, key: str, noun: str = "step") -> Iterator[tuple[int, str, Data]]:
    """Number, place and data of each step."""
    listed = a_list(data.get(key), key)
    if not listed:
        raise wrong(key, "it needs at least one")
    for number, value in enumerate(listed, 1):
        name = value.get("id") if isinstance(value, Mapping) else None
        place = place_of(number, name, noun)
        yield number, place, an_object(value, place)


def id_of(step: Data, number: int, place: str, report: Report) -> str:
    """The id of a step, or the one it is given."""
    id_ = text_in(step, "id", place)
    if id_ is None:
        id_ = f"step_{number}"
        report.default(place, f"it has no id; it is called {id_}")
    return id_


def call_in(step: Data, place: str, report: Report, naming: Naming) -> dict[str, Any]:
    """The action of a step that names `service`, `action` and `params`."""
    action, service = text_in(step, "action", place), text_in(step, "service", place)
    if action is None:
        raise wrong(place, '"action" is missing')
    if service is None:
        if not naming.knows(action):
            report.default(place, f'it names no service; "{shortened(action, 40)}" is asked of {naming.service}')
        service, action = naming.call(action)
    params = step.get("params")
    return {
        "service": service,
        "method": action,
        "params": {} if params is None else dict(an_object(params, within(place, "params"))),
    }


def fresh(stem: str, taken: Collection[str]) -> str:
    """The first name of a stem that is not taken: `wait`, `wait_2`, ..."""
    stem = stem[:MAX_NAME]
    name, number = stem, 2
    while name in taken:
        end = f"_{number}"
        name, number = f"{stem[: MAX_NAME - len(end)]}{end}", number + 1
    return name


def in_order(states: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """States that lead from each to the next."""
    for state, following in pairwise(states):
        state["transitions"] = {"success": following["name"]}
    return list(states)


def definition_of(data: object) -> Definition:
    """The definition in canonical data.

    Raises:
        DefinitionError: Something in it does not fit the model.
    """
    try:
        return Definition.model_validate(data)
    except ValidationError as error:
        raise DefinitionError(sentence(error, data)) from error
    except RecursionError:
        raise DefinitionError("The workflow is nested too deep.") from None
