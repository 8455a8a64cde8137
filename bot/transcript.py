"""What is shown of a conversation: as objects for programs, as lines for people. Pure.

An object says everything that came of one line; a line of an action says what was, or would have been, done. Texts of
viewers reach a terminal here, so control characters are made harmless.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from bot.config import masked
from bot.message import Place, Reply, role_of
from engine.execution import Effect, Person
from engine.runner import Attempt
from engine.secrets import redacted

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

Words = Callable[[Effect], str]


def as_object(
    line: str | None, person: Person | None, place: Place | None, replies: Sequence[Reply], attempts: Sequence[Attempt]
) -> dict[str, Any]:
    """Everything that came of one line, or of no line."""
    return {
        "in": None if line is None else masked(line),
        "as": None if person is None else person.name,
        "role": None if person is None else role_of(person),
        "platform": None if place is None else place.platform,
        "replies": [_reply(reply) for reply in replies],
        "actions": [_action(attempt) for attempt in attempts],
    }


def as_json(entry: dict[str, Any]) -> str:
    """An object on one line."""
    return json.dumps(entry, ensure_ascii=False, separators=(", ", ": "))


def _reply(reply: Reply) -> dict[str, Any]:
    return {
        "kind": reply.kind,
        "text": reply.text,
        "canonical": reply.canonical,
        "workflow": reply.workflow,
        "revision": reply.revision,
    }


def _action(attempt: Attempt) -> dict[str, Any]:
    effect = attempt.effect
    return {
        "effect": effect.id,
        "service": effect.service,
        "method": effect.method,
        "params": redacted(effect.params),
        "workflow": effect.workflow,
        "execution": effect.execution,
        "state": effect.state,
        "outcome": attempt.outcome,
        "simulated": attempt.simulated,
    }


def as_line(attempt: Attempt, words: Words) -> str:
    """What was done, in one line for people."""
    mark = "(simulated) " if attempt.simulated else ""
    return printable(f"  {mark}{attempt.effect.service}: {words(attempt.effect)}{_ending(attempt)}")


def _ending(attempt: Attempt) -> str:
    reason = f": {attempt.message}" if attempt.message else ""
    match attempt.outcome:
        case "done":
            return ""
        case "error":
            return f" - failed{reason}"
        case "timeout":
            return f" - no answer in time{reason}"
        case "unknown":
            return f" - outcome unknown{reason}"


def printable(text: str) -> str:
    """A text that cannot move the cursor, ring, or hide what it says."""
    return _CONTROL.sub("�", text)
