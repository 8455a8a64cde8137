"""Messages that are put together to cost much: fragments that once did, repeated, and changed over and over."""

import random
from collections.abc import Iterator

FRAGMENTS = (
    "say ", "say and ", "and ", "then ", ", ", "wait ", "wiat ", "zzzq ", "announcemnt ", "in raid ", "in riad ", "raid ", "step ", "2 ", "1m30 ",
    "when someone raids ", "when ", "if ", "more than ", "5 viewers ", "5 or more ", "before ", "after ", "the second wait ", "(", ")", "((", '"', '"x" ',
    "{", '{"a":', "[", "${user} ", "#general ", "!lurk ", "a=b ", "· ", "-> ", "1:30 ", "twenty and four hours and ", "half a ", "to ", "with ", "create ",
    "post x in ", "in discord ", "shout out ", "switch to ", "BRB ", "every ", "friday and ", "on ", "at ", "please ", "ok ", "x ", "sombody ", "folows ",
    "move ", "remove ", "replace ", "change ", "it ", "all ", "undo ", "yes ", "run ", "delete ", 'if (a) go to step "x", ', "(then stop; ", "; ", "'", "\\",
    "if viewers > 5 (", "(say \"a\", ", ") otherwise (", "otherwise if ", "otherwise ", "otherwise nothing ", "repeat 3 times ", "repeat 3 times: (", "for each ",
    "until ", "while ", "at the same time ", "wait for ", "up to ", "viewers is over 1 ", "viewers > 5 and ", "or ", "not ", "(viewers > 1) ", "instead ", "unless ",
    "collect ", "for 5 minutes ", "set x to ", "only ", "once per user ", "cooldown 5 minutes ", "\n", "  ", "1. ", "a, then b ", "vexa zanko pola ", "creaet ", "\u034f",
)  # fmt: skip
"""Words of every part of the language, some mistyped, and marks that open what is never closed."""


def repeated(longest: int) -> Iterator[str]:
    """Each fragment by itself, over and over."""
    for fragment in FRAGMENTS:
        yield (fragment * longest)[:longest]


def changed(message: str, chance: random.Random, longest: int) -> str:
    """A message with a few pieces put in, taken out or repeated."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(message) + 1)
        length = chance.randint(0, 40)
        match chance.randrange(5):
            case 0:
                message = message[:at] + chance.choice(FRAGMENTS) + message[at:]
            case 1:
                message = message[:at] + message[at + length :]
            case 2:
                message = message[:at] + message[at : at + length] * chance.randint(2, 8) + message[at + length :]
            case 3:
                message = message[:at] + chance.choice(FRAGMENTS) * chance.randint(2, 30) + message[at:]
            case _:
                pair = chance.choice(FRAGMENTS) + chance.choice(FRAGMENTS)
                message = message[:at] + pair * chance.randint(2, 30) + message[at:]
    return message[:longest]
