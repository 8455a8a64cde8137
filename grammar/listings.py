"""Several things that are said as one text: `pizza or tacos`, `red, green and blue`, `yes/no`.

In a model they are a text with commas. What is quoted as one text is kept as it is; nothing here knows a sentence.
"""

import re
from typing import Final

from pydantic import JsonValue

from grammar.drafts import MissingPiece
from grammar.leaves import NotBuilt
from grammar.tree import Leaf

_ENDING: Final = re.compile(r"[\s?!.,;:]+\Z")
_BETWEEN: Final = (
    re.compile(r"\s*,\s*(?:(?:and|or)\s+)?|\s+(?:and|or)\s+(?=[^,]*\Z)", re.IGNORECASE),
    re.compile(r"\s*/\s*"),
    re.compile(r"\s+(?:or|vs\.?|versus)\s+", re.IGNORECASE),
    re.compile(r"\s+(?:and|&)\s+", re.IGNORECASE),
)
"""What parts the things: the first of these that is there at all, so that `rock and roll or jazz` are two."""
_NO_BEGINNING: Final = frozenset({"with", "between"})
"""What stands before the things, and is no part of the first."""
_MOST_WORDS: Final = 2
"""An answer that a question names has no more words: `hades or celeste?`, but not `should i play hades or stop?`."""


def parted(text: str) -> list[str]:
    """The things in a text."""
    said = _ENDING.sub("", text.strip())
    for place, between in enumerate(_BETWEEN):
        if between.search(said) and (place > 0 or "," in said):
            return [each for each in between.split(said) if each]
    return [said] if said else []


def one_after_another(leaf: Leaf) -> JsonValue:
    """The text that stands for several things, as they were said.

    Raises:
        NotBuilt: It is one only.
    """
    if leaf.type == "LIST":
        return ", ".join(map(str, leaf.value))
    if leaf.quoted:
        return str(leaf.value)
    things = parted(str(leaf.value))
    if len(things) < 2 or things[0].split()[0].casefold() in _NO_BEGINNING:
        raise NotBuilt(f'"{leaf.value}" is no choice; say: with "yes", "no"')
    return ", ".join(things)


def answers_to(texts: list[Leaf]) -> str:
    """The answers that a question itself names.

    Raises:
        MissingPiece: It names none.
        NotBuilt: Nor does it look like a question.
    """
    question = texts[0]
    named = parted(str(question.value)) if len(texts) == 1 else []
    if len(named) < 2 or any(len(each.split()) > _MOST_WORDS for each in named):
        if not question.quoted and not str(question.value).endswith("?"):
            raise NotBuilt('which answers can be given? Say the question in quotes and then: with "yes", "no"')
        raise MissingPiece("Which answers can be given? Such as: yes, no.", joint=" with")
    return ", ".join(named)
