"""Phrases of many owners, of which one seldom changes: the names of workflows and of their steps.

A book is never changed: the next one shares all but the words of what was changed, and branches grow only where a
message looks for them, so that an edit in a room of hundreds of workflows costs the next message next to nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from grammar.lexicon import Branch, Entry, Node, Vocabulary, grow

Phrase: TypeAlias = tuple[str, tuple[str, ...], Entry]
"""(section, words, what they are)."""

_First: TypeAlias = tuple[str, str]


class Phrasebook:
    """Phrases by section and first word.

    Args:
        owned: The phrases of each owner.
    """

    def __init__(self, owned: Mapping[str, tuple[Phrase, ...]] | None = None) -> None:
        self._owned: dict[str, tuple[Phrase, ...]] = {}
        self._by_first: dict[_First, dict[str, tuple[Phrase, ...]]] = {}
        self._counts: dict[str, int] = {}
        self._grown: dict[_First, Branch | None] = {}
        self._own(owned or {})

    def changed(self, gone: Iterable[str], come: Mapping[str, tuple[Phrase, ...]]) -> "Phrasebook":
        """A book in which some owners have left and others have come, or have other phrases now."""
        book = Phrasebook()
        book._owned = dict(self._owned)
        book._by_first = dict(self._by_first)
        book._counts = dict(self._counts)
        book._grown = dict(self._grown)
        for owner in (*gone, *(owner for owner in come if owner in self._owned)):
            book._disown(owner)
        book._own(come)
        return book

    def _own(self, come: Mapping[str, tuple[Phrase, ...]]) -> None:
        for owner, phrases in come.items():
            self._owned[owner] = phrases
            firsts: dict[_First, list[Phrase]] = {}
            for phrase in phrases:
                firsts.setdefault((phrase[0], phrase[1][0]), []).append(phrase)
                for word in phrase[1]:
                    self._counts[word] = self._counts.get(word, 0) + 1
            for first, begun in firsts.items():
                self._by_first[first] = {**self._by_first.get(first, {}), owner: tuple(begun)}
                self._grown.pop(first, None)

    def _disown(self, owner: str) -> None:
        for section, words, _ in self._owned.pop(owner):
            first = (section, words[0])
            begun = {each: own for each, own in self._by_first.pop(first, {}).items() if each != owner}
            if begun:
                self._by_first[first] = begun
            self._grown.pop(first, None)
            for word in words:
                self._counts[word] -= 1
                if not self._counts[word]:
                    del self._counts[word]

    def branch(self, section: str, word: str) -> Branch | None:
        """What begins with a word."""
        first = (section, word)
        if first not in self._by_first:
            return None
        branch = self._grown.get(first)
        if branch is None:
            branch = self._grown[first] = Branch()
            for phrases in self._by_first[first].values():
                for _, words, entry in phrases:
                    grow(branch, words[1:], entry)
        return branch

    def section(self, name: str) -> Node:
        """Where everything in a section begins."""
        return Section(self, name)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Every word in it."""
        return Vocabulary(self._counts.keys())


@dataclass(frozen=True, slots=True)
class Section:
    """The beginnings of a section."""

    book: Phrasebook
    name: str
    entries: tuple[Entry, ...] = ()

    def get(self, word: str, /) -> Branch | None:
        """The branch of a first word."""
        return self.book.branch(self.name, word)
