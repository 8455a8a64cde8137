"""What services say in their declarations, as grammar: each phrase becomes words of the lexicon and alternatives of a rule.

The words between two slots are one terminal; wordings that can stand in for each other everywhere share one, so that the
parser's table stays small however many synonyms a service declares. A slot is a terminal named for its param's type.
Nothing here names a service: a plugin's sentences come about the same way.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from engine.declare import Declarations, Method, Param, ParamType
from grammar.lexicon import expand
from grammar.words import keys

SLOTS: Final[Mapping[ParamType, str]] = MappingProxyType(
    {
        "text": "TEXT",
        "number": "NUMBER",
        "boolean": "ONOFF",
        "seconds": "DURATION",
        "user": "USER",
        "channel": "CHANNEL",
        "scene": "SCENE",
        "source": "SOURCE",
        "sound": "SOUND",
        "reward": "REWARD",
        "list": "LIST",
        "any": "TEXT",
    }
)
_SLOT: Final = re.compile(r"\{(\w+)\}")
_LEADS: Final = "[saying|that says|with|of|to|for]"
Words: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One sentence form of a method, cut at its slots: `words[0] slot[0] words[1] ... words[n]`.

    Attributes:
        method: Whose it is.
        index: Its place in `Method.phrases`.
        slots: The params named in it, in order.
        words: Every wording of each stretch of words; a stretch may be empty.
    """

    method: Method
    index: int
    slots: tuple[Param, ...]
    words: tuple[tuple[Words, ...], ...]


@dataclass(frozen=True, slots=True)
class PhraseGrammar:
    """The phrases of all methods, ready for the parser.

    Attributes:
        rules: Grammar text that defines the rule `call`.
        entries: (terminal, words) for the lexicon.
        starts: Terminals that begin a step.
        continues: Terminals that follow a text, by the slot's terminal after them or "" if none follows.
        by_rule: The phrase of each alternative's name.
    """

    rules: str
    entries: tuple[tuple[str, Words], ...]
    starts: frozenset[str]
    continues: Mapping[str, frozenset[str]]
    by_rule: Mapping[str, Phrase]


def cut(method: Method, index: int) -> Phrase:
    """A phrase of a declaration, cut at its slots.

    Raises:
        ValueError: It names a param that the method does not have, or a slot stands in brackets.
    """
    parts = _SLOT.split(method.phrases[index])
    slots: list[Param] = []
    for name in parts[1::2]:
        param = method.param(name)
        if param is None:
            raise ValueError(f"{method.key} has no param {name!r}, but a phrase names it")
        slots.append(param)
    words = tuple(tuple(dict.fromkeys(keys(wording) for wording in expand(part))) for part in parts[::2])
    return Phrase(method, index, tuple(slots), words)


def by_noun(method: Method) -> Phrase | None:
    """`a message saying {message}`: the deed by its noun, if its canonical phrase has one slot at most."""
    if not method.phrases or not method.noun or method.fixed.get(0):
        return None
    phrase = cut(method, 0)
    if len(phrase.slots) > 1:
        return None
    nouns = "|".join(method.noun)
    lead = f" {_LEADS}" if phrase.slots else ""
    sort = "[welcome|thank you] " if phrase.slots and phrase.slots[0].type == "text" else ""
    stretches = [f"(a|an|another) {sort}({nouns}){lead}", *([""] if phrase.slots else [])]
    words = tuple(tuple(dict.fromkeys(keys(wording) for wording in expand(part))) for part in stretches)
    return Phrase(method, 0, phrase.slots, words)


def grammar_of(declarations: Declarations) -> PhraseGrammar:
    """The words and rules of everything that services can be asked in a sentence."""
    phrases = [cut(method, index) for method in declarations for index in range(len(method.phrases))]
    phrases.extend(phrase for method in declarations if (phrase := by_noun(method)) is not None)
    terminals = _terminals(phrases)
    alternatives: list[str] = []
    by_rule: dict[str, Phrase] = {}
    seen: set[Words] = set()
    for number, phrase in enumerate(phrases):
        name = f"call_{number}"
        by_rule[name] = phrase
        for sequence in _sequences(phrase, terminals):
            # Two services may claim the same sentence; the one declared first has it.
            if sequence and sequence not in seen:
                seen.add(sequence)
                alternatives.append(f"{' '.join(sequence)} -> {name}")
    return PhraseGrammar(
        "call: " + "\n    | ".join(alternatives) + "\n" if alternatives else "",
        tuple((terminal, words) for words, terminal in terminals.items()),
        frozenset(terminals[words] for phrase in phrases for words in phrase.words[0] if words),
        _continuations(phrases, terminals),
        MappingProxyType(by_rule),
    )


def _terminals(phrases: list[Phrase]) -> dict[Words, str]:
    """A terminal for each wording; wordings used in exactly the same places share theirs."""
    places: dict[Words, set[tuple[int, int]]] = {}
    for number, phrase in enumerate(phrases):
        for stretch, wordings in enumerate(phrase.words):
            for words in wordings:
                if words:
                    places.setdefault(words, set()).add((number, stretch))
    names: dict[frozenset[tuple[int, int]], str] = {}
    return {words: names.setdefault(frozenset(used), f"_P{len(names)}") for words, used in places.items()}


def _sequences(phrase: Phrase, terminals: Mapping[Words, str]) -> Iterator[Words]:
    """Every order of terminals that is this phrase."""
    stretches = [
        tuple(dict.fromkeys(terminals[words] if words else "" for words in wordings)) for wordings in phrase.words
    ]
    slots = [SLOTS[param.type] for param in phrase.slots]
    for choice in itertools.product(*stretches):
        woven = itertools.chain.from_iterable(itertools.zip_longest(choice, slots))
        yield tuple(part for part in woven if part)


def _continuations(phrases: list[Phrase], terminals: Mapping[Words, str]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for phrase in phrases:
        for place, param in enumerate(phrase.slots):
            if SLOTS[param.type] != "TEXT":
                continue
            following = SLOTS[phrase.slots[place + 1].type] if place + 1 < len(phrase.slots) else ""
            for words in phrase.words[place + 1]:
                if words:
                    found.setdefault(terminals[words], set()).add(following)
    return MappingProxyType({terminal: frozenset(slots) for terminal, slots in found.items()})
