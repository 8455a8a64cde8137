"""What services say in their declarations, as grammar: each phrase becomes words of the lexicon, each *shape* one alternative.

A shape is the order of slots and words: all phrases like `say {text}` are one alternative of the rule `call`, `_SAID TEXT`,
whichever the words are. So the parser's table grows with the kinds of sentences and not with their number: fifty methods
of a plugin add next to nothing. Which words may begin a call, and which may go on with it after its slots, is told by the
group of the words as they are read, `Calls` says which phrases are left, and the tree is named for the one that was meant.
Nothing here names a service: a plugin's sentences come about the same way.
"""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from engine.declare import Declarations, Method, Param, ParamType
from grammar.kept import kept
from grammar.lexicon import expand
from grammar.words import SHORT_WAYS, keys

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
        "filter": "FILTER",
        "sound": "SOUND",
        "reward": "REWARD",
        "role": "DISCORD_ROLE",
        "counter": "COUNTER",
        "list": "LIST",
        "any": "TEXT",
    }
)
_FORMS: Final = {"emoji": "EMOJIS", "message": "POSTED"}
_SLOT: Final = re.compile(r"\{(\w+)\}")
_LEADS: Final = "[saying|that says|with|of|to|for]"
SAID: Final = "_SAID"
"""Words that begin a call."""
SAID_ON: Final = "_SAID_ON"
"""Words of a call after its first slot."""
MAX_STRETCHES: Final = 8
Words: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Phrase:
    """One sentence form of a method, cut at its slots: `stretches[0] slots[0] stretches[1] ... stretches[n]`.

    Attributes:
        method: Whose it is.
        index: Its place in `Method.phrases`.
        slots: The params named in it, in order.
        stretches: What is said before, between and after them; each in a few ways, with options.
    """

    method: Method
    index: int
    slots: tuple[Param, ...]
    stretches: tuple[Words, ...]

    @cached_property
    def words(self) -> tuple[tuple[Words, ...], ...]:
        """Every wording of each stretch; one may be empty. Where all that was made of them is kept, nobody asks.

        Raises:
            ValueError: A stretch is cut within brackets.
        """
        return tuple(
            tuple(dict.fromkeys(keys(wording) for way in stretch for wording in expand(way)))
            for stretch in self.stretches
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Wordings that stand in the same places of the same phrases.

    Attributes:
        name: What it is called where one says what could have been said.
        terminal: `SAID` if they begin a call, `SAID_ON` if they go on with one.
        phrases: By stretch, the phrases in which they may stand there, as bits.
        words: The first of them.
    """

    name: str
    terminal: str
    phrases: tuple[int, ...]
    words: str


@dataclass(frozen=True, slots=True)
class PhraseGrammar:
    """The phrases of all methods, ready for the parser.

    Attributes:
        rules: Grammar text that defines the rule `call`.
        shapes: The symbols of each of its alternatives, by name.
        alike: The phrases of each, as bits.
        entries: (terminal, group, words with blanks between them) for the lexicon.
        groups: By number.
        continues: Groups that follow a text, by the slot's terminal after them or "" if none follows.
        by_rule: The phrase of each name that a tree may have.
        own: Those of them that are declared; the others say a deed by its noun.
        made_of: All that it was made of.
    """

    rules: str
    shapes: Mapping[str, Words]
    alike: Mapping[str, int]
    entries: tuple[tuple[str, int, str], ...]
    groups: tuple[Group, ...]
    continues: Mapping[int, frozenset[str]]
    by_rule: Mapping[str, Phrase]
    own: tuple[Phrase, ...]
    made_of: str

    def meant(self, shape: str, groups: Iterable[int]) -> str:
        """The name of the phrase that was read: of those with this shape and these words the one declared first has it.

        Raises:
            LookupError: There is none.
        """
        left = self.alike[shape]
        for stretch, group in zip(_stretches(self.shapes[shape]), groups, strict=True):
            left &= self.groups[group].phrases[stretch]
        if not left:
            raise LookupError(f"no phrase is like {shape}")
        return f"call_{(left & -left).bit_length() - 1}"


def slot_of(param: Param) -> str:
    """The terminal that a param is in a sentence."""
    return _FORMS[param.form] if param.form else SLOTS[param.type]


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
    if len(slots) >= MAX_STRETCHES:
        raise ValueError(f"{method.key} has a phrase with {len(slots)} slots; {MAX_STRETCHES - 1} are the most")
    return Phrase(method, index, tuple(slots), tuple((part,) for part in parts[::2]))


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
    begun = [f"(a|an|another) {sort}({nouns}){lead}"]
    if sort:
        # Only of what says a text: there may well be a second message, and each wording costs a line of the lexicon.
        begun.append(f"(a second|a third|one more|a new|a last|a final|a short) ({nouns}) [saying|that says]")
    return Phrase(method, 0, phrase.slots, (tuple(begun), *([("",)] if phrase.slots else [])))


def grammar_of(declarations: Declarations, folder: Path | None = None) -> PhraseGrammar:
    """The words and rules of everything that services can be asked in a sentence.

    Args:
        declarations: What services say of themselves.
        folder: Where what was made of it is kept from one start to the next; None if it is not.
    """
    own = tuple(cut(method, index) for method in declarations for index in range(len(method.phrases)))
    phrases = (*own, *(phrase for method in declarations if (phrase := by_noun(method)) is not None))
    made_of = said_in(declarations)
    written = kept(
        folder,
        "phrases",
        (made_of,),
        ("phrases.py", "lexicon.py", "words.py", SHORT_WAYS),
        lambda: _worked_out(phrases),
    )
    return PhraseGrammar(
        written["rules"],
        MappingProxyType({name: tuple(shape) for name, shape in written["shapes"].items()}),
        MappingProxyType(written["alike"]),
        tuple((terminal, group, words) for terminal, group, words in written["entries"]),
        tuple(Group(name, terminal, tuple(bits), words) for name, terminal, bits, words in written["groups"]),
        MappingProxyType({number: frozenset(slots) for number, slots in written["continues"]}),
        MappingProxyType({f"call_{number}": phrase for number, phrase in enumerate(phrases)}),
        own,
        made_of,
    )


def said_in(declarations: Declarations) -> str:
    """All in declarations of which words and sentences are made."""
    return json.dumps(
        [
            (
                method.key,
                method.phrases,
                method.noun,
                method.aliases,
                [astuple(param) for param in method.params],
                list(method.fixed.items()),
                method.verb,
            )
            for method in declarations
        ]
    )


def _worked_out(phrases: Sequence[Phrase]) -> dict[str, Any]:
    """Rules, shapes and groups as JSON."""
    names: dict[Words, str] = {}
    alike: dict[str, int] = {}
    for number, phrase in enumerate(phrases):
        for shape in _shapes(phrase):
            name = names.setdefault(shape, f"shape_{len(names)}")
            alike[name] = alike.get(name, 0) | 1 << number
    groups, entries = _groups(phrases)
    rules = "\n    | ".join(f"{' '.join(shape)} -> {name}" for shape, name in names.items())
    after = ((number, sorted(_after(group, phrases))) for number, group in enumerate(groups))
    return {
        "rules": f"call: {rules}\n" if names else "",
        "shapes": {name: shape for shape, name in names.items()},
        "alike": alike,
        "entries": entries,
        "groups": [(group.name, group.terminal, group.phrases, group.words) for group in groups],
        "continues": [(number, slots) for number, slots in after if slots],
    }


def _shapes(phrase: Phrase) -> Iterator[Words]:
    """Every order of slots and words that is this phrase: a stretch of words may be left out if one of its wordings is.

    Several things are said as one text or as texts in quotes.
    """
    stretches = [
        dict.fromkeys(("" if not words else SAID_ON if place else SAID) for words in wordings)
        for place, wordings in enumerate(phrase.words)
    ]
    slots = [(slot_of(param), "LIST") if param.several else (slot_of(param),) for param in phrase.slots]
    for choice, filled in itertools.product(itertools.product(*stretches), itertools.product(*slots)):
        woven = itertools.chain.from_iterable(itertools.zip_longest(choice, filled))
        shape = tuple(part for part in woven if part)
        if shape:
            yield shape


def _stretches(shape: Words) -> Iterator[int]:
    """Which stretch each of a shape's words are: the number of slots before them."""
    slots = 0
    for symbol in shape:
        if symbol in (SAID, SAID_ON):
            yield slots
        else:
            slots += 1


def _groups(phrases: Sequence[Phrase]) -> tuple[tuple[Group, ...], tuple[tuple[str, int, str], ...]]:
    """All wordings by where they may stand; those that may stand in the same places are one group."""
    places: dict[tuple[str, Words], dict[int, int]] = {}
    for number, phrase in enumerate(phrases):
        for stretch, wordings in enumerate(phrase.words):
            for words in filter(None, wordings):
                used = places.setdefault((SAID_ON if stretch else SAID, words), {})
                used[stretch] = used.get(stretch, 0) | 1 << number
    numbers: dict[tuple[str, tuple[tuple[int, int], ...]], int] = {}
    groups: list[Group] = []
    entries: list[tuple[str, int, str]] = []
    for (terminal, words), used in places.items():
        number = numbers.setdefault((terminal, tuple(used.items())), len(groups))
        if number == len(groups):
            bits = tuple(used.get(stretch, 0) for stretch in range(MAX_STRETCHES))
            groups.append(Group(f"_P{number}", terminal, bits, " ".join(words)))
        entries.append((terminal, number, " ".join(words)))
    return tuple(groups), tuple(entries)


def _after(group: Group, phrases: Sequence[Phrase]) -> frozenset[str]:
    """What follows these words where they follow a text."""
    found: set[str] = set()
    for stretch, bits in enumerate(group.phrases[1:]):
        for number in _numbers(bits):
            slots = phrases[number].slots
            if slot_of(slots[stretch]) == "TEXT":
                found.add(slot_of(slots[stretch + 1]) if stretch + 1 < len(slots) else "")
    return frozenset(found)


def _numbers(bits: int) -> Iterator[int]:
    while bits:
        yield (bits & -bits).bit_length() - 1
        bits &= bits - 1
