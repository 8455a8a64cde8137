"""Workflows as text and as plain data, in and out, in every form that is known.

The state-machine JSON is our own; the other forms are recognised by their shape, and a report says what was chosen and
what was lost on the way. What is written in another form is read again before it is handed out: it says the same, or
it is refused. This module knows no file and no store, and does not judge whether a workflow makes sense;
`engine.validate` does.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

from engine.errors import DefinitionError, NotExpressible
from engine.formats import dag, delays, delays_writing, steps, typed, xstate, xstate_writing
from engine.formats.imported import Imported, Note
from engine.formats.naming import Naming
from engine.formats.reading import definition_of
from engine.formats.writing import NAMES, difference
from engine.json_text import parse_json
from engine.mistakes import mistake
from engine.model import Definition, to_json

__all__ = [
    "Form",
    "Imported",
    "Naming",
    "Note",
    "export_data",
    "form_of",
    "import_data",
    "import_json",
    "mistake",
    "parse_json",
    "read_data",
    "read_json",
    "write_json",
]

Form: TypeAlias = Literal["json", "steps", "dag", "delays", "yaml", "xstate"]
_Foreign: TypeAlias = Literal["steps", "dag", "delays", "yaml", "xstate"]

_READERS: Final[Mapping[_Foreign, Callable[[Mapping[str, Any], Naming], Imported]]] = {
    "steps": steps.read,
    "dag": dag.read,
    "delays": delays.read,
    "yaml": typed.read,
    "xstate": xstate.read,
}
_WRITERS: Final[Mapping[_Foreign, Callable[[Definition], dict[str, Any]]]] = {
    "steps": steps.write,
    "dag": dag.write,
    "delays": delays_writing.write,
    "yaml": typed.write,
    "xstate": xstate_writing.write,
}
_OWN: Final = Naming()


# In --------------------------------------------------------------------------------------------------------------------


def import_json(text: str, naming: Naming = _OWN) -> Imported:
    """Read a workflow in any form that is JSON, with the import report.

    Raises:
        DefinitionError: It cannot be read; one sentence says where and why.
    """
    return import_data(parse_json(text), naming)


def import_data(data: object, naming: Naming = _OWN) -> Imported:
    """Read a workflow in any form from plain data, with the import report.

    Args:
        data: What was parsed.
        naming: What names are taken for what another form leaves open.

    Raises:
        DefinitionError: It is none.
    """
    form = form_of(data)
    if form == "json" or not isinstance(data, Mapping):
        return Imported(definition_of(data))
    return _READERS[form](data, naming)


def read_json(text: str) -> Definition:
    """Read a workflow, without the report.

    Raises:
        DefinitionError: It cannot be read; one sentence says where and why.
    """
    return import_json(text).definition


def read_data(data: object) -> Definition:
    """Read a workflow from plain data, without the report.

    Raises:
        DefinitionError: It is none.
    """
    return import_data(data).definition


def form_of(data: object) -> Form:
    """In which form a workflow is written, by its shape.

    Raises:
        DefinitionError: In none.
    """
    if isinstance(data, Mapping) and "steps" in data and not data.keys() & {"states", "nodes", "initial_state"}:
        return _form_of_steps(data, data["steps"])
    match data:
        case list():
            raise DefinitionError("This is a list; one workflow is an object with id, name, initial_state and states.")
        case {"states": Mapping()} | {"initial": str(), "states": _}:
            return "xstate"
        case {"states": _} | {"initial_state": _}:
            return "json"
        case {"nodes": _}:
            return "dag"
        case Mapping():
            return "json"
        case _:
            raise DefinitionError("This is not a workflow: an object with id, name, initial_state and states is.")


def _form_of_steps(data: Mapping[Any, Any], listed: object) -> Form:
    """Steps are told apart by what they have that no others have."""
    keys = {key for step in listed if isinstance(step, Mapping) for key in step} if isinstance(listed, list) else set()
    if keys & {"delay", "nextStep", "parallel", "critical"} or data.keys() & {"type", "config", "is_active"}:
        return "delays"
    if "type" in keys and "action" not in keys:
        return "yaml"
    return "steps" if "service" in keys or "error_policy" in data else "delays"


# Out -------------------------------------------------------------------------------------------------------------------


def write_json(definition: Definition, form: Form = "json") -> str:
    """Write a workflow so that `read_json` reads the same one.

    Raises:
        NotExpressible: That form has no words for something in it.
    """
    return json.dumps(export_data(definition, form), ensure_ascii=False, indent=2)


def export_data(definition: Definition, form: Form) -> dict[str, Any]:
    """A workflow as plain data in a form; read again it is the same one.

    Raises:
        NotExpressible: That form has no words for something in it.
    """
    if form == "json":
        return dict(to_json(definition))
    data = _WRITERS[form](definition)
    refusal = f"It cannot be written as {NAMES[form]}"
    try:
        back = _READERS[form](data, _OWN).definition if form_of(data) == form else None
    except DefinitionError as error:
        raise NotExpressible(f"{refusal}: read again, it would be none. {error}") from error
    lost = "it would be taken for another form" if back is None else difference(definition, back)
    if lost is not None:
        raise NotExpressible(f"{refusal}: {lost if back is None else f'that form has no words for {lost}'}.")
    return data
