"""A workflow that is meant by what starts it or by a word in its steps: `the recap one`, `that merch timer`, `new subs`.

Only questions are asked so, as nothing is changed by a guess: all words that tell something must be said of a workflow, and
of no other. Nothing here reads a sentence.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from engine.events import kind_of
from engine.model import Definition, Trigger
from grammar.starts import BY_THE_CLOCK

_WORD: Final = re.compile(r"[^\W_]+")
_TELLING_NOTHING: Final = frozenset(
    [
        "the",
        "a",
        "an",
        "that",
        "this",
        "those",
        "these",
        "my",
        "our",
        "your",
        "new",
        "all",
        "any",
        "of",
        "for",
        "on",
        "in",
        "with",
        "to",
        "at",
        "and",
        "from",
        "one",
        "ones",
        "workflow",
        "flow",
        "thing",
        "things",
        "stuff",
        "timer",
        "timers",
        "post",
        "posts",
        "message",
        "messages",
        "msg",
        "msgs",
        "text",
        "role",
        "sound",
        "command",
        "filter",
        "reminder",
        "alert",
        "reward",
        "redeem",
        "trigger",
        "automation",
        "channel",
        "bot",
        "event",
        "events",
        "part",
    ]
)
_BY_THE_CLOCK: Final = frozenset({"timer", "reminder"})
_LEAST: Final = 3
"""A word of fewer letters ends with no "s" for many."""


def pointed_at(
    typed: str,
    definitions: Iterable[Definition],
    started: Callable[[Trigger], str],
    steps: Callable[[Definition], str],
) -> tuple[Definition, ...] | None:
    """The workflows of which all words are said; None if they are words that tell nothing.

    Args:
        typed: The words.
        definitions: The workflows there are.
        started: Says what starts one.
        steps: Says what one does.
    """
    words = _stems(typed)
    wanted = words - {_stem(word) for word in _TELLING_NOTHING}
    if not wanted and words & _BY_THE_CLOCK:
        return tuple(each for each in definitions if any(trigger.on in BY_THE_CLOCK for trigger in each.triggers))
    if not wanted:
        return None
    return tuple(each for each in definitions if wanted <= _said_of(each, started, steps))


def _said_of(definition: Definition, trigger: Callable[[Trigger], str], steps: Callable[[Definition], str]) -> set[str]:
    said = [definition.name, definition.id, steps(definition)]
    for each in definition.triggers:
        kind = kind_of(each.on)
        said.extend((trigger(each), *(() if kind is None else kind.aliases)))
    return {stem for text in said for stem in _stems(text)}


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(text.casefold().replace("'", "").replace("’", ""))}


def _stem(word: str) -> str:
    """A word in any number: `subs`, `clips`, `parties`."""
    if len(word) > _LEAST + 1 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) >= _LEAST and word.endswith("s") and not word.endswith("ss") else word
