"""What is put right in the same breath: `delete step 2, sorry, i mean 3` asks to delete step 3. Pure; it knows no grammar.

Only a number or a length takes the place of the one right before it, and never inside quotes: what else was meant is for
second thoughts after the answer.
"""

import re
from typing import Final

_AMOUNT: Final = r"\d+(?:[.:,]\d+)*\s?(?:ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|days?)?"
_PUT_RIGHT: Final = re.compile(
    rf"""
      (?<![\w.$\#"]) (?P<old>{_AMOUNT})\b (?P<noun>(?:\s+[a-z]+)?)
      (?: \s*,\s*(?:no|no\ wait|wait\ no|err?|uhm?|rather|make\ that)\b
        | \s*,?\s*(?:sorry|sry|oops|whoops|no\ wait|wait\ no)\b\s*,?\s*(?:i\ mea?nt?|make\ that|rather)?
        | \s*,?\s*(?:(?:or|no)\s*,?\s+)?(?:i\ mea?nt?|make\ that|or\ rather)\b
      )
      [\s,]+ (?P<new>{_AMOUNT})\b (?!\s*%) (?:\s*,(?=\s+(?:after|before|at|in|to|for|between)\b))?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DIGIT: Final = re.compile(r"\d")
_QUOTED: Final = re.compile(r'("(?:[^"\\]|\\.)*"|“[^”]*”)')
_UNIT: Final = re.compile(r"\d\s?([a-z]+)\Z", re.IGNORECASE)


def put_right(sentence: str) -> str:
    """The sentence with what was put right in it; as it is, if nothing was."""
    if _DIGIT.search(sentence) is None:
        return sentence
    parts = _QUOTED.split(sentence)
    parts[::2] = [_PUT_RIGHT.sub(_new_for_old, part) for part in parts[::2]]
    return "".join(parts)


def _new_for_old(found: re.Match[str]) -> str:
    """A bare number has the unit of the one before it."""
    old, new = found["old"].strip(), found["new"].strip()
    unit = _UNIT.search(old)
    if unit is not None and _UNIT.search(new) is None:
        new = f"{new} {unit.group(1)}"
    return f"{new}{found['noun']}"
