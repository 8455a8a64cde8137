"""Whether OBS's state is what was asked for: it gives numbers back a little rounded, and settings with all the others. Pure."""

import math
from collections.abc import Mapping
from typing import Any, Final

_NEAR: Final = 0.01


def within(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether settings hold what is wanted; of numbers, nearly."""
    return all(_alike(found.get(name), value) for name, value in wanted.items())


def _alike(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and within(found, wanted)
    if isinstance(wanted, int | float) and isinstance(found, int | float):
        return math.isclose(found, wanted, rel_tol=1e-4, abs_tol=_NEAR)
    return bool(found == wanted)
