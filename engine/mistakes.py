"""What is wrong with a value that does not fit the model, in words for people: the mistake and its place.

Never the validator's own sentence.

It knows no format: it is told the data that was read and what the validator complains of.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_Path: TypeAlias = tuple[str | int, ...]


def mistake(error: ValidationError) -> str:
    """The first thing wrong with a value that was not read from JSON, and where, in words for people."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"] if isinstance(part, str))
    return f"{place}: {_what(first)}" if place else _what(first)


def sentence(error: ValidationError, data: object) -> str:
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
