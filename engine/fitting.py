"""Makes of a value what its declaration asks for: a text, a number, yes or no, a list; or says why it cannot be that.

Numbers and yes or no come from chat as texts, and people stand for their names. It knows neither methods nor workflows,
only the name that a sentence calls the value by.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.errors import EvaluationError
from engine.values import bounded, is_number, is_person, number_in, shown, text_of, within


def as_text(_: str, value: Any) -> str:
    """The value as it prints, short enough to be kept."""
    return bounded(text_of(value))


def as_number(name: str, value: Any) -> int | float:
    """The number that a value is or reads as.

    Raises:
        EvaluationError: It is none.
    """
    number: int | float | None = number_in(value) if isinstance(value, str) else value
    if number is not None and is_number(number):
        return number
    raise EvaluationError(f"{name} must be a number, not {shown(value)}")


_YES: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def as_boolean(name: str, value: Any) -> bool:
    """Yes or no, also in words.

    Raises:
        EvaluationError: It is neither.
    """
    if isinstance(value, bool):
        return value
    known = _YES.get(value.strip().casefold()) if isinstance(value, str) else None
    if known is None:
        raise EvaluationError(f"{name} must be true or false, not {shown(value)}")
    return known


def _as_list(name: str, value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return [_simple(part) for part in within(value)]
    raise EvaluationError(f"{name} must be a list, not {shown(value)}")


def _as_it_is(_: str, value: Any) -> Any:
    return _simple(within(value))


def _simple(value: Any) -> Any:
    """A nested value in which every person is a name."""
    if is_person(value):
        return value["name"]
    if isinstance(value, Mapping):
        return {key: _simple(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_simple(part) for part in value]
    return value


FITS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "any": _as_it_is,
    "boolean": as_boolean,
    "list": _as_list,
    "number": as_number,
    "seconds": as_number,
}
"""By the type of a param; all other types are texts."""
