"""The language's own words where the terminal needs them: for durations that are typed, and for actions that are shown."""

import json
import re

from engine.execution import Effect


def of(effect: Effect) -> str:
    """An action as a sentence."""
    return " ".join(
        (effect.method, *(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in effect.params.items()))
    )


def seconds(text: str) -> float | None:
    """A duration, or None if it is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)", text)
    return None if match is None else float(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
