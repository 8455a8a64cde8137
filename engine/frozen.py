"""Frozen dataclasses that are made as fast as other ones.

A frozen dataclass sets each of its fields through `object.__setattr__`, six times slower than setting an attribute. A
transition makes five of them with some seventy fields in all, which was more than half of what it cost. `quick` gives such
a class a constructor that fills an unfrozen twin of the same layout and freezes it by setting its class. Nothing else
changes: equality, `replace`, copies and the refusal to be changed are the dataclass's own.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, TypeVar

Kind = TypeVar("Kind", bound=type[Any])


def quick(kind: Kind) -> Kind:
    """Give a `dataclass(frozen=True, slots=True)` without bases and `__post_init__` a faster constructor."""
    twin = type(kind.__name__, (), {"__slots__": tuple(field.name for field in fields(kind))})
    names: dict[str, Any] = {"become": object.__setattr__, "kind": kind, "twin": twin, "MISSING": MISSING}
    parameters, lines = ["self"], ["    become(self, '__class__', twin)"]
    for field in fields(kind):
        name, value = field.name, field.name
        parameter = name
        if field.default is not MISSING:
            names[f"default_{name}"] = field.default
            parameter = f"{name}=default_{name}"
        elif field.default_factory is not MISSING:
            names[f"make_{name}"] = field.default_factory
            parameter, value = f"{name}=MISSING", f"make_{name}() if {name} is MISSING else {name}"
        parameters.append(parameter)
        lines.append(f"    self.{name} = {value}")
    lines.append("    self.__class__ = kind")
    exec("\n".join([f"def __init__({', '.join(parameters)}):", *lines]), names)  # noqa: S102  of our own field names
    constructor: Callable[..., None] = names["__init__"]
    constructor.__qualname__ = f"{kind.__qualname__}.__init__"
    kind.__init__ = constructor
    return kind
