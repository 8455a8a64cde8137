"""Variables of a workflow in canonical words: what a start must bring, of which type, and what stands in for it.

A default that no words say, such as a list, makes the whole declaration JSON. Nothing here reads.
"""

from typing import Final

from pydantic import JsonValue

from engine.expressions import quote
from engine.model import VariableDeclaration
from grammar.say_parts import say_json, say_number

_MOST_FLOAT: Final = 2**53
_MOST_WHOLE: Final = 10**18


def say_variable(name: str, declaration: VariableDeclaration) -> str:
    """`variable "target" text required default "ninja" note "whom we raid"`."""
    default = "" if declaration.default is None else _say_default(declaration.default)
    if default is None:
        dumped = declaration.model_dump(mode="json", exclude_defaults=True)
        return f"variable {quote(name)} {say_json(dumped)}"
    parts = (
        f"variable {quote(name)}",
        declaration.type or "",
        "required" if declaration.required else "",
        default,
        "" if declaration.description is None else f"note {quote(declaration.description)}",
    )
    return " ".join(part for part in parts if part)


def _say_default(value: JsonValue) -> str | None:
    match value:
        case bool():
            return f"default {'on' if value else 'off'}"
        case str():
            return f"default {quote(value)}"
        case int() if 0 <= value < _MOST_WHOLE:
            return f"default {value}"
        case float() if 0 <= value < _MOST_FLOAT:
            return f"default {say_number(value)}"
        case _:
            return None
