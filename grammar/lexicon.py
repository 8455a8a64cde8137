"""Words as data: which phrases are which terminal, read from TOML files and from what services declare.

A lexicon file has these tables, all optional:

    [words]           TERMINAL = ["phrase", ...]            a terminal that carries no value (or its phrase)
    [values.TERMINAL] "value" = ["phrase", ...]             a terminal whose value is the key
    [roles]           starts_step = [terminals]             what begins a step: a text ends at a connector before one
                      connects = [terminals]                connectors between steps
                      ends_text = [terminals]               what ends a text wherever it begins
                      fillers = ["phrase", ...]             the closed list of words that may be passed over
                      openers = ["phrase", ...]             those that may be only before all others
                      closers = ["phrase", ...]             those that may be only after all others
    [verbs]           inflected = [terminals]               their first words also get -s and -ing forms
    [costs]           TERMINAL = 0.3                        what is less likely where something else fits as well

In a phrase `[word]` may be left out and `(a|b)` is a choice. This module knows no structure: which terminal may follow
which is the grammar's business.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, cast

from rapidfuzz import process
from rapidfuzz.distance import OSA

from grammar.kept import kept
from grammar.words import SHORT_WAYS, key_of, keys
from grammar.workspace import LiveNames

FOLDER: Final = Path(__file__).parent / "lexicon"
LIVE_TERMINALS: Final = ("SCENE", "SOURCE", "FILTER", "SOUND", "REWARD", "CHANNEL", "DISCORD_ROLE")
MIN_PART: Final = 3
PASSED_OVER: Final = ("fillers", "openers", "closers")
MAX_EXPANSIONS: Final = 600
MAX_PHRASE_WORDS: Final = 12
MAX_NEAREST: Final = 8
MIN_NEAR_LENGTH: Final = 3
WORD_COST: Final = 0.1
MAX_BEGUN: Final = 500
MAX_BEGUN_LENGTH: Final = 24
_PLAIN: Final = re.compile(r"[^\[\](|)]+")
_NO_VERBS: Final = frozenset({"an", "another"})
"""Steps that are said by their noun begin with them."""

Generated: TypeAlias = tuple[str, Any, str]
"""(terminal, value, words with blanks between them)."""
Entry: TypeAlias = tuple[str, Any, float]
"""(terminal, value, cost): what a phrase is; a value of None stands for the words as typed."""


Correction: TypeAlias = tuple[str, str]
"""(what was typed, what it was read as)."""


class Edge(NamedTuple):
    """One thing that the words from a place on could be; which place, it does not know, so that sentences share it.

    Attributes:
        terminal: What they are.
        value: What they mean; None stands for the words as typed.
        length: How many words.
        cost: Lower is likelier.
        quoted: Whether they stand in quotes.
        corrections: Typos put right.
        lead: How many of the words only lead to it, and are no part of what is read.
    """

    terminal: str
    value: Any
    length: int
    cost: float
    quoted: bool = False
    corrections: tuple[Correction, ...] = ()
    lead: int = 0


class Node(Protocol):
    """A place in a trie of words, or what grows such places where they are looked for."""

    @property
    def entries(self) -> Sequence[Entry]:
        """What the words up to here are."""
        ...

    def get(self, word: str, /) -> "Node | None":
        """The place after one more word."""
        ...


class Branch(dict[str, "Node"]):
    """A place in a trie, as a dict of those that follow: thousands are made at every start."""

    __slots__ = ("entries",)

    def __init__(self, following: Mapping[str, Node] | None = None) -> None:
        super().__init__(following or ())
        self.entries: Sequence[Entry] = ()


def grow(branch: Branch, words: Sequence[str], entry: Entry) -> None:
    """Put a phrase under a branch; the same meaning twice is once."""
    for word in words:
        after = branch.get(word)
        if after is None:
            after = branch[word] = Branch()
        branch = cast("Branch", after)
    if entry not in branch.entries:
        branch.entries = (*branch.entries, entry)


class Trie:
    """Phrases by their words; below a first word it grows when somebody looks there."""

    entries: Sequence[Entry] = ()

    def __init__(self) -> None:
        self.waiting: dict[str, list[tuple[Sequence[str], Entry]]] = {}
        """What has not been looked for yet, by first word."""
        self._grown: dict[str, Branch] = {}

    def add(self, words: Sequence[str], entry: Entry) -> None:
        """Put a phrase in; the same meaning twice is once."""
        if not words:
            return
        waiting = self.waiting.get(words[0])
        if waiting is None:
            self.waiting[words[0]] = [(words, entry)]
        else:
            waiting.append((words, entry))

    def get(self, word: str, /) -> Branch | None:
        """The place after a first word."""
        waiting = self.waiting.pop(word, None)
        if waiting is not None:
            branch = self._grown.setdefault(word, Branch())
            for words, entry in waiting:
                grow(branch, words[1:], entry)
        return self._grown.get(word)

    @property
    def vocabulary(self) -> frozenset[str]:
        """All words of all phrases that have not been looked for yet."""
        return frozenset().union(*(words for waiting in self.waiting.values() for words, _ in waiting))


class Page:
    """A place in a trie that is read line by line as far as somebody looks: the words after it, then what they are.

    Args:
        lines: `to the scene 12`: words that may follow, and the number of what they are with those before.
        meanings: What phrases are, by number.
        depth: How many words lead to it.
    """

    __slots__ = ("_depth", "_lines", "_meanings", "_read", "edges", "entries")

    def __init__(self, lines: Iterable[str], meanings: Sequence[Entry], depth: int = 1) -> None:
        self._meanings = meanings
        self._depth = depth
        self._lines: dict[str, list[str]] = {}
        self._read: dict[str, Page] = {}
        entries: list[Entry] = []
        for line in lines:
            word, _, rest = line.partition(" ")
            if not rest:
                entries.append(meanings[int(word)])
            elif (begun := self._lines.get(word)) is None:
                self._lines[word] = [rest]
            else:
                begun.append(rest)
        self.entries: Sequence[Entry] = tuple(entries)
        self.edges = tuple(Edge(terminal, value, depth, WORD_COST + cost) for terminal, value, cost in entries)

    def get(self, word: str, /) -> "Page | None":
        """The place after one more word."""
        page = self._read.get(word)
        if page is None and (lines := self._lines.pop(word, None)) is not None:
            page = self._read[word] = Page(lines, self._meanings, self._depth + 1)
        return page


class Pages:
    """Many phrases that are always the same, as text: it takes a tenth of the memory, and most of it is never read.

    Args:
        pages: By first word a line for each phrase.
        meanings: What phrases are, by number.
    """

    entries: Sequence[Entry] = ()

    def __init__(self, pages: dict[str, str], meanings: Sequence[Entry]) -> None:
        self._pages = pages
        self._read: dict[str, Page] = {}
        self._meanings = meanings

    def get(self, word: str, /) -> Page | None:
        """The place after a first word."""
        page = self._read.get(word)
        if page is None and (lines := self._pages.pop(word, None)) is not None:
            page = self._read[word] = Page(lines.split("\n"), self._meanings)
        return page


def pages_of(phrases: Trie, meanings: dict[Entry, int]) -> dict[str, str]:
    """The text of phrases that nobody has looked for; what they are gets numbers where it has none yet."""
    return {
        first: "\n".join(
            dict.fromkeys(
                " ".join((*words[1:], str(meanings.setdefault(entry, len(meanings))))) for words, entry in begun
            )
        )
        for first, begun in phrases.waiting.items()
    }


class Vocabulary:
    """Known words by length, for finding the nearest to one that is not known."""

    def __init__(self, words: Collection[str]) -> None:
        self.known = words
        self._by_length: dict[int, list[str]] | None = None
        self._within = lru_cache(maxsize=64)(self._of_lengths)
        self._sharing = lru_cache(maxsize=1_024)(self._of_ends)
        self.nearest = lru_cache(maxsize=1_024)(self._nearest)

    def _of_lengths(self, length: int, limit: int) -> tuple[str, ...]:
        if self._by_length is None:
            self._by_length = {}
            for word in sorted(self.known):
                if len(word) >= MIN_NEAR_LENGTH and word[0].isalpha():
                    self._by_length.setdefault(len(word), []).append(word)
        groups = self._by_length
        return tuple(word for near in range(length - limit, length + limit + 1) for word in groups.get(near, ()))

    def _of_ends(self, length: int, first: str, last: str) -> tuple[str, ...]:
        """The words that may be one slip away: a slip changes the first letter or the last one, never both."""
        return tuple(word for word in self._within(length, 1) if word[0] == first or word[-1] == last)

    def _nearest(self, typed: str, limit: int) -> tuple[tuple[str, int], ...]:
        """All the words that are equally near to one and no farther than a limit, with their distance."""
        length = len(typed)
        candidates = self._sharing(length, typed[0], typed[-1]) if limit == 1 else self._within(length, limit)
        matches = process.extract(typed, candidates, scorer=OSA.distance, score_cutoff=limit, limit=MAX_NEAREST)
        return tuple((word, int(distance)) for word, distance, _ in matches if distance == matches[0][1])


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All that the files and the declarations say of words."""

    trie: Pages
    vocabulary: frozenset[str]
    terminals: frozenset[str]
    starts_step: frozenset[str]
    connects: frozenset[str]
    ends_text: frozenset[str]
    fillers: Pages
    first_phrase: Mapping[str, str]


class LiveLexicon:
    """Names that exist right now, as phrases of terminals.

    Args:
        entries: (terminal, phrase, value). The phrase may be typed with any blanks, underscores or case. Fused words such
            as `in raid` are phrases like any other.
        beside: More of them, made beforehand: where each begins, and its words.

    Attributes:
        roots: Where phrases begin.
        vocabularies: Their words.
        nameless: Kinds of live names of which none is known; any words may be one.
    """

    def __init__(
        self, entries: Iterable[tuple[str, str, Any]] = (), beside: Sequence[tuple[Node, Vocabulary]] = ()
    ) -> None:
        trie = Trie()
        nameless = set(LIVE_TERMINALS)
        for terminal, phrase, value in entries:
            nameless.discard(terminal)
            for words in spellings(phrase):
                trie.add(words, (terminal, value, 0.0))
        self.nameless = frozenset(nameless)
        self.roots: tuple[Node, ...] = (trie, *(root for root, _ in beside))
        self._begun: dict[str, tuple[Node, ...]] = {}
        self.vocabularies = (Vocabulary(trie.vocabulary), *dict.fromkeys(vocabulary for _, vocabulary in beside))

    def begun(self, word: str) -> tuple[Node, ...]:
        """The places after a first word; most words begin no name, which is remembered as well."""
        found = self._begun.get(word)
        if found is None:
            found = tuple(branch for root in self.roots if (branch := root.get(word)) is not None)
            if len(word) <= MAX_BEGUN_LENGTH:
                if len(self._begun) >= MAX_BEGUN:
                    self._begun.clear()
                self._begun[word] = found
        return found


def spellings(phrase: str) -> Iterator[tuple[str, ...]]:
    """The ways to type a name: `go live`, `go_live`."""
    words = keys(phrase)[:MAX_PHRASE_WORDS]
    yield words
    if "_" in phrase:
        spaced = tuple(part for word in words for part in word.split("_") if part)
        if spaced != words:
            yield spaced
    if 1 < len(words) <= 4:
        yield ("_".join(words),)


def _last_words(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`trombone` for `sad trombone`: the last word of a name, where no other has it."""
    words = [name.casefold().split() for name in names]
    for name, own in zip(names, words, strict=True):
        last = own[-1] if len(own) > 1 else ""
        if len(last) >= MIN_PART and last.isalpha() and sum(last in each for each in words) == 1:
            yield last, name


def names_on_stream(names: LiveNames) -> Iterator[tuple[str, str, Any]]:
    """The live entries of scenes, sources, filters, sounds, rewards, channels and roles; a sound, and a scene called so, may be a step."""
    for terminal, group in (
        ("SCENE", names.scenes),
        ("SOURCE", names.sources),
        ("FILTER", names.filters),
        ("SOUND", names.sounds),
        ("REWARD", names.rewards),
        ("CHANNEL", names.channels),
        ("DISCORD_ROLE", names.roles),
    ):
        for name in group:
            yield terminal, name, name
        for part, name in _last_words(group):
            yield terminal, part, name
    for name in names.channels:
        for form in (f"{name} channel", f"the {name} channel", f"{name} on discord", f"the {name} channel on discord"):
            yield "CHANNEL", form, name
    for name in names.sounds:
        yield "BARE_SOUND", name, name
        yield "BARE_SOUND", f"{name} sound", name
    for name in names.scenes:
        yield "BARE_SCENE", f"{name} scene", name


# Phrases with options ---------------------------------------------------------------------------------------------------


def expand(phrase: str) -> list[str]:
    """Every wording of a phrase with `[optional]` words and `(choices|of words)`.

    Raises:
        ValueError: A bracket is not closed, or there are too many wordings.
    """
    return list(_expanded(phrase))


@lru_cache(maxsize=4_096)
def _expanded(phrase: str) -> tuple[str, ...]:
    if _PLAIN.fullmatch(phrase) or not any(character.isalnum() for character in phrase):
        return (" ".join(phrase.split()),)
    options, end = _sequence(phrase, 0, "")
    if end != len(phrase):
        raise ValueError(f"a bracket too many in {phrase!r}")
    return tuple(dict.fromkeys([" ".join(option.split()) for option in options]))


def _sequence(phrase: str, at: int, closing: str) -> tuple[list[str], int]:
    """The wordings of a choice that ends at one of the closing characters."""
    choices: list[str] = []
    options = [""]
    while at < len(phrase) and phrase[at] not in closing:
        character = phrase[at]
        if character in "([":
            inner, at = _sequence(phrase, at + 1, ")" if character == "(" else "]")
            if at >= len(phrase):
                raise ValueError(f"a bracket is not closed in {phrase!r}")
            if character == "[":
                inner = ["", *inner]
            options = [option + part for option in options for part in inner]
            if len(options) > MAX_EXPANSIONS:
                raise ValueError(f"too many wordings in {phrase!r}")
        elif character == "|":
            choices.extend(options)
            options = [""]
        else:
            plain = _PLAIN.match(phrase, at)
            run = plain.group() if plain is not None else character
            options = [option + run for option in options]
            at += len(run) - 1
        at += 1
    return [*choices, *options], at


def inflections(verb: str) -> tuple[str, ...]:
    """The other forms of a verb that people use in lists of what happens: says, saying."""
    if not verb.isalpha() or len(verb) < 2 or verb.endswith("ing") or verb in _NO_VERBS:
        return ()
    third = verb[:-1] + "ies" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "s"
    if verb.endswith(("s", "sh", "ch", "x", "o")):
        third = verb + "es"
    return third, _gerund(verb)


def _gerund(verb: str) -> str:
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1] + "ing"
    short = len(verb) <= 4 and verb[-1] not in "aeiouwxyt" and verb[-2] in "aeiou" and verb[-3:-2] not in tuple("aeiou")
    if short or (verb in ("get", "set", "put", "cut", "let", "quit", "edit") and verb != "edit"):
        return verb + verb[-1] + "ing"
    return verb + "ing"


# Files ------------------------------------------------------------------------------------------------------------------


def load(
    files: Iterable[Path],
    generated: Callable[[], Iterable[Generated]] = tuple,
    made_of: Sequence[str] = (),
    starts_step: Iterable[str] = (),
    folder: Path | None = None,
) -> Lexicon:
    """Read lexicon files and add generated entries.

    Args:
        files: TOML files in the form above.
        generated: Makes phrases that come from declarations and from the table of events.
        made_of: All that those depend on, so that they need not be made to be known.
        starts_step: Generated terminals that begin a step; their first words are inflected.
        folder: Where the outcome is kept from one start to the next; None if it is not.
    """
    texts = [path.read_text(encoding="utf-8") for path in files]
    starts = sorted(starts_step)
    written = kept(
        folder,
        "lexicon",
        (*texts, *made_of, *starts),
        ("lexicon.py", "words.py", SHORT_WAYS),
        lambda: _worked_out(texts, generated(), starts),
    )
    meanings = [(terminal, value, cost) for terminal, value, cost in written["meanings"]]
    return Lexicon(
        Pages(written["phrases"], meanings),
        frozenset(written["vocabulary"]),
        frozenset(written["terminals"]),
        frozenset(written["starts_step"]),
        frozenset(written["connects"]),
        frozenset(written["ends_text"]),
        Pages(written["fillers"], meanings),
        written["first_phrase"],
    )


def _worked_out(texts: Iterable[str], generated: Iterable[Generated], starts_step: Iterable[str]) -> dict[str, Any]:
    trie, fillers = Trie(), Trie()
    roles: dict[str, set[str]] = {"starts_step": set(starts_step), "connects": set(), "ends_text": set()}
    terminals: set[str] = set()
    first: dict[str, str] = {}
    for terminal, value, words in generated:
        terminals.add(terminal)
        first.setdefault(terminal, words)
        _add_inflected(trie, words.split(" "), terminal, value, inflected=terminal in roles["starts_step"])
    for text in texts:
        table = tomllib.loads(text)
        inflected = frozenset(table.get("verbs", {}).get("inflected", ()))
        costs = table.get("costs", {})
        for terminal, value, phrase in _entries(table):
            terminals.add(terminal)
            for wording in expand(phrase):
                first.setdefault(terminal, wording)
                cost = costs.get(terminal, 0.0)
                _add_inflected(trie, keys(wording), terminal, value, cost, inflected=terminal in inflected)
        for role, members in roles.items():
            members.update(table.get("roles", {}).get(role, ()))
        for role in PASSED_OVER:
            for phrase in table.get("roles", {}).get(role, ()):
                for wording in expand(phrase):
                    fillers.add(keys(wording), (role, None, 0.0))
    meanings: dict[Entry, int] = {}
    return {
        "phrases": pages_of(trie, meanings),
        "fillers": pages_of(fillers, meanings),
        "meanings": list(meanings),
        "vocabulary": sorted(trie.vocabulary | fillers.vocabulary),
        "terminals": sorted(terminals),
        "first_phrase": first,
        **{role: sorted(members) for role, members in roles.items()},
    }


def _entries(table: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    for terminal, phrases in table.get("words", {}).items():
        for phrase in phrases:
            yield terminal, None, phrase
    for terminal, values in table.get("values", {}).items():
        for value, phrases in values.items():
            for phrase in phrases:
                yield terminal, value, phrase


def _add_inflected(
    trie: Trie, words: Sequence[str], terminal: str, value: Any, cost: float = 0.0, *, inflected: bool
) -> None:
    trie.add(words, (terminal, value, cost))
    if inflected and words:
        for form in _forms(words[0]):
            trie.add((form, *words[1:]), (terminal, value, cost + 0.05))


@lru_cache(maxsize=2_048)
def _forms(word: str) -> tuple[str, ...]:
    return tuple(key_of(form) for form in inflections(word))
