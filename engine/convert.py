"""Workflows as JSON text, in and out: plain data on both sides, and every mistake in it told with its place.

Reads the state-machine form with comments and trailing commas, as people write it. Other forms that people have are
recognised by their shape and answered, not guessed at. It knows no file and no store, and does not judge whether a
workflow makes sense; `engine.validate` does.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from engine.errors import DefinitionError, ExpressionError
from engine.model import Definition, to_json

MAX_SIZE: Final = 500_000
MAX_NESTING: Final = 64


def read_json(text: str) -> Definition:
    """Read a workflow.

    Raises:
        DefinitionError: It cannot be read; one sentence says where and why.
    """
    return read_data(parse_json(text))


def write_json(definition: Definition) -> str:
    """Write a workflow so that `read_json` reads the same one."""
    return json.dumps(to_json(definition), ensure_ascii=False, indent=2)


def read_data(data: object) -> Definition:
    """Read a workflow from parsed JSON.

    Raises:
        DefinitionError: It is none.
    """
    _recognise(data)
    try:
        return Definition.model_validate(data)
    except ValidationError as error:
        raise DefinitionError(_sentence(error, data)) from error
    except ExpressionError as error:
        raise DefinitionError(f"The workflow has a condition that I cannot read: {error}") from error
    except RecursionError:
        raise DefinitionError("The workflow is nested too deep.") from None


def _recognise(data: object) -> None:
    """Say what it is, if it is a form that is known but not read yet."""
    if isinstance(data, list):
        raise DefinitionError("This is a list; one workflow is an object with id, name, initial_state and states.")
    if not isinstance(data, dict):
        raise DefinitionError("This is not a workflow: an object with id, name, initial_state and states is.")
    if "states" in data and isinstance(data["states"], dict):
        raise DefinitionError("This looks like an XState machine; I do not read that form: not yet.")
    if "states" in data:
        return
    if "nodes" in data:
        raise DefinitionError('This looks like a graph of "nodes" with "depends_on"; I do not read that form: not yet.')
    if "steps" in data:
        raise DefinitionError('This looks like a workflow made of "steps"; I do not read that form: not yet.')


# JSON as people write it -------------------------------------------------------------------------------------------------


def parse_json(text: str) -> Any:
    """Parse JSON with `//` and `/* */` comments and trailing commas.

    Raises:
        DefinitionError: It is not JSON; the sentence has the line and column.
    """
    if len(text) > MAX_SIZE:
        raise DefinitionError(f"The text has {len(text):,} characters; {MAX_SIZE:,} is the most.")
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise DefinitionError("There is nothing in it; I expected a workflow as JSON.")
    strict = _strict(text)
    try:
        data = json.loads(strict, object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise DefinitionError(
            f"This is not JSON: {_explained(error, strict)} in line {error.lineno}, column {error.colno}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise DefinitionError(f"This is not JSON I can use: {error}.") from error
    _refuse_half_characters(data)
    return data


def _strict(text: str) -> str:
    """The same text with blanks for comments and trailing commas, so that every place stays where it was."""
    pieces = list(text)
    depth = 0
    comma: int | None = None  # a comma after a value, after which nothing has come yet
    before = "["
    for kind, start, end in _lexemes(text):
        if kind == "comment":
            pieces[start:end] = [character if character == "\n" else " " for character in text[start:end]]
            continue
        if kind in "]}" and comma is not None:
            pieces[comma] = " "
        comma = start if kind == "," and before not in "[{," else None
        before = kind
        if kind in "[{":
            depth += 1
            if depth > MAX_NESTING:
                raise DefinitionError(
                    f"It is nested more than {MAX_NESTING} deep in {_position(text, start)}; no workflow needs that."
                )
        elif kind in "]}":
            depth -= 1
    return "".join(pieces)


def _lexemes(text: str) -> Iterator[tuple[str, int, int]]:
    """Brackets, commas, comments and everything else, each with where it stands."""
    position, length = 0, len(text)
    while position < length:
        character = text[position]
        if character.isspace():
            position += 1
            continue
        start = position
        if character == '"':
            position = _end_of_string(text, position)
            yield "text", start, position
        elif text.startswith("//", position):
            end = text.find("\n", position)
            position = length if end < 0 else end
            yield "comment", start, position
        elif text.startswith("/*", position):
            end = text.find("*/", position + 2)
            if end < 0:
                raise DefinitionError(f"The comment that begins in {_position(text, position)} is not closed.")
            position = end + 2
            yield "comment", start, position
        else:
            position += 1
            yield character if character in "[]{}," else "other", start, position


def _end_of_string(text: str, start: int) -> int:
    position = start + 1
    while position < len(text):
        if text[position] == "\\":
            position += 2
        elif text[position] == '"':
            return position + 1
        else:
            position += 1
    raise DefinitionError(f"The text that begins in {_position(text, start)} is not closed.")


def _position(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"line {line}, column {at - text.rfind(chr(10), 0, at)}"


_EXPLAINED: Final = {
    "Expecting value": "I expected a value",
    "Expecting ',' delimiter": "I expected a comma or the closing bracket",
    "Expecting ':' delimiter": "I expected a colon",
    "Expecting property name enclosed in double quotes": "I expected a name in double quotes",
    "Extra data": "something follows after its end",
    "Invalid control character at": "a line break or control character stands inside a text",
    "Invalid \\escape": "a backslash stands before the wrong character",
    "Invalid \\uXXXX escape": "a \\u escape is not complete",
}


def _explained(error: json.JSONDecodeError, text: str) -> str:
    if error.pos >= len(text.rstrip()):
        return "it ends too early"
    return _EXPLAINED.get(error.msg, error.msg)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f'"{key}" stands twice in one object')
            seen.add(key)
    return made


def _whole(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError(f"{digits[:10]}... is too large a number")
    return int(digits)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number JSON has")


def _refuse_half_characters(data: object) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        shown = error.object[error.start].encode("unicode_escape").decode()
        raise DefinitionError(f"A text holds half a character, {shown}; write it as a whole one.") from error


# Mistakes in words ----------------------------------------------------------------------------------------------------------


_Path: TypeAlias = tuple[str | int, ...]


def mistake(error: ValidationError) -> str:
    """The first thing wrong with a value that was not read from JSON, and where, in words for people."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"] if isinstance(part, str))
    return f"{place}: {_what(first)}" if place else _what(first)


def _sentence(error: ValidationError, data: object) -> str:
    """The first mistakes of a definition, each with its place."""
    found: dict[_Path, list[str]] = {}
    for detail in error.errors(include_url=False):
        found.setdefault(_path(detail, data), []).append(_what(detail))
    problems = [
        _worded(_place(path, data), whats)
        for path, whats in found.items()
        if not (all(what in _VAGUE for what in whats) and _deeper(path, found))
    ]
    more = f" (and {len(problems) - 2} more)" if len(problems) > 2 else ""
    return f"{'; '.join(problems[:2])}{more}."


def _deeper(path: _Path, found: Mapping[_Path, object]) -> bool:
    """Whether there is something more to the point further inside.

    Of a union all members complain, and a list that lost its wrong elements may seem too short.
    """
    return any(len(other) > len(path) and other[: len(path)] == path for other in found)


def _worded(place: str, whats: list[str]) -> str:
    whats = list(dict.fromkeys(whats))
    if len(whats) > 1 and all(what in _TYPES for what in whats):
        whats = [" or ".join((whats[0], *(what.removeprefix("it must be ") for what in whats[1:])))]
    what = ", ".join(whats)
    if not place:
        return f"{what[0].upper()}{what[1:]}"
    return f"{place[0].upper()}{place[1:]}: {what}" if place.startswith("step ") else f"{place}: {what}"


def _path(detail: ErrorDetails, data: object) -> _Path:
    """The parts of the error's place that lead through the data; the names of union members are left out."""
    path: list[str | int] = []
    for part in detail["loc"]:
        match data:
            case dict() if part in data:
                data = data[part]
            case list() if isinstance(part, int) and part < len(data):
                data = data[part]
            case _:
                continue
        path.append(part)
    return tuple(path)


def _place(path: Sequence[str | int], data: object) -> str:
    """Words for a place: `step 2 ("say")`, action.params; counted from 1."""
    words: list[str] = []
    dotted = ""
    for part in path:
        data = data[part]  # type: ignore[index]
        if isinstance(part, int) and dotted in {"states", "block.states"}:
            name = data.get("name") if isinstance(data, Mapping) else None
            words.append(f'step {part + 1} ("{name}")' if isinstance(name, str) else f"step {part + 1}")
            dotted = ""
        elif isinstance(part, int):
            dotted = f"{dotted} {part + 1}"
        else:
            dotted = f"{dotted}.{part}" if dotted else part
    return ", ".join((*words, dotted) if dotted else words)


_WHAT: Final = {
    "string_type": "it must be a text",
    "bool_type": "it must be true or false",
    "bool_parsing": "it must be true or false",
    "int_type": "it must be a whole number",
    "int_parsing": "it must be a whole number",
    "int_from_float": "it must be a whole number",
    "float_type": "it must be a number",
    "float_parsing": "it must be a number",
    "finite_number": "it must be a finite number",
    "dict_type": "it must be an object",
    "model_type": "it must be an object",
    "model_attributes_type": "it must be an object",
    "tuple_type": "it must be a list",
    "list_type": "it must be a list",
    "recursion_loop": "it is nested too deep",
    "string_unicode": "it holds half a character",
    "union_tag_not_found": 'it needs "service" and "method", or a "kind"',
}


_TYPES: Final = frozenset(what for what in _WHAT.values() if what.startswith("it must be ")) | {"it must be 0 or more"}
_TOO_FEW: Final = "it needs at least one"
_VAGUE: Final = _TYPES | {_TOO_FEW}


def _what(detail: ErrorDetails) -> str:  # noqa: C901  one line per type of mistake
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f'"{detail["loc"][-1]}" is missing'
        case "extra_forbidden":
            return "there is no such key here"
        case "union_tag_invalid":
            return f'there is no kind of action "{_cut(context.get("tag"))}"'
        case "literal_error":
            return f"it must be one of {context.get('expected')}"
        case "string_too_short":
            return "it must not be empty"
        case "string_too_long":
            return f"it has more than {context.get('max_length'):,} characters"
        case "string_pattern_mismatch":
            return f'"{_cut(detail["input"])}" does not have the right form'
        case "too_short":
            return _TOO_FEW
        case "too_long":
            return f"it has more than {context.get('max_length'):,} entries"
        case "greater_than_equal":
            return f"it must be {context.get('ge'):g} or more"
        case "greater_than":
            return f"it must be more than {context.get('gt'):g}"
        case "less_than_equal":
            return f"it must be {context.get('le'):,} or less"
        case "value_error":
            return str(context.get("error"))
        case "is_instance_of" | "dataclass_type" | "dataclass_exact_type":
            return "it must be a condition as a text"
        case other:
            return _WHAT.get(other, detail["msg"])


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."
