"""Words in which a word of the language may hide: `eles` in `say b eles say c`, taken for a part of a text or for a name.

Pure, and no meaning is known here: it tells which words may be slips, and of what. Whether the sentence means something
else with the word put right, and so has to be asked about, is for whoever reads sentences.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import OSA

from grammar.scanners import NUMBER_WORDS, UNITS
from grammar.words import Word

SHORTEST: Final = 3
_ALSO_WORDS: Final = {"ten": "then", "top": "stop"}
"""Words of the language that are slips of others where those make sense."""
_FIRST_WORDS: Final = {"the": "then"}
"""The same, where they begin a sentence before a verb: `the run raid` does not run it unasked."""
_EVERYDAY: Final = frozenset(
    {
        "here",
        "there",
        "these",
        "those",
        "their",
        "hey",
        "form",
        "same",
        "mode",
        "lost",
        "made",
        "said",
        "old",
        "well",
        "being",
    }
    | {
        "given",
        "gave",
        "love",
        "took",
        "short",
        "low",
        "cat",
        "wish",
        "safe",
        "dead",
        "host",
        "real",
        "used",
        "rain",
        "lead",
    }
    | {
        "road",
        "shot",
        "fall",
        "deep",
        "pay",
        "told",
        "rest",
        "rock",
        "loss",
        "red",
        "hat",
        "than",
        "cover",
        "found",
        "cold",
    }
)
"""Words that people mean when they type them."""
_JOINING: Final = frozenset(
    {"then", "and", "else", "otherwise", "unless", "while", "until", "when", "whenever", "after", "before", "later"}
    | {
        "afterwards",
        "meanwhile",
        "with",
        "where",
        "using",
        "that",
        "which",
        "saying",
        "called",
        "named",
        "only",
        "from",
    }
    | {"time", "limit", "times", "minutes", "seconds", "minute", "second", "hours", "step", "steps", "between"}
    | {"they", "them", "user", "caller", "viewers", "someone", "somebody", "anyone", "everyone", "whoever", "chat"}
    | {
        "every",
        "each",
        "hour",
        "day",
        "instead",
        "there",
        "follow",
        "follows",
        "raids",
        "subs",
        "cheers",
        "redeems",
        "live",
    }
    | {
        "discord",
        "scene",
        "empty",
        "over",
        "above",
        "below",
        "under",
        "less",
        "more",
        "least",
        "most",
        "exactly",
        "missing",
    }
)
"""Words that join, compare, count or point, beside the verbs that are handed in."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A word that may be another one: where it stands, and the word it may be."""

    start: int
    end: int
    word: str


class Slips:
    """Finds them, for the verbs of all steps and edits.

    Args:
        verbs: What steps and edits begin with.
        is_known: Whether a word is one of the language, so that it is not likely to be a slip.
    """

    def __init__(self, verbs: Collection[str], is_known: Callable[[str], bool]) -> None:
        self._is_known = is_known
        self._verbs = frozenset(verbs)
        self._near: defaultdict[str, list[str]] = defaultdict(list)
        for word in sorted(self._verbs | _JOINING):
            if len(word) > SHORTEST:
                for key in {word, *_shortened(word)}:
                    self._near[key].append(word)

    def find(self, words: Sequence[Word]) -> Iterator[Slip]:
        """The words of a sentence that may be slips, from the left; quoted ones are none."""
        for place, word in enumerate(words):
            if word.kind != "word" or len(word.key) < SHORTEST:
                continue
            following = words[place + 1] if place + 1 < len(words) else None
            if _is_written_on(word, following) or (place and _is_a_unit(word, words[place - 1])):
                continue
            if place == 0 and word.key in _FIRST_WORDS and following is not None and following.key in self._verbs:
                yield Slip(word.start, word.end, _FIRST_WORDS[word.key])
            for meant in self._meant(word.key, following):
                yield Slip(word.start, word.end, meant)

    def _meant(self, typed: str, following: Word | None) -> Sequence[str]:
        if typed in _EVERYDAY:
            return ()
        if self._is_known(typed):
            begins = following is None or following.kind == "number" or following.key in self._verbs
            return (_ALSO_WORDS[typed],) if begins and typed in _ALSO_WORDS else ()
        keys = (typed, *_shortened(typed))
        near = dict.fromkeys(word for key in keys for word in self._near.get(key, ()))
        return [word for word in near if word != typed and OSA.distance(typed, word, score_cutoff=1) == 1]


def _is_a_unit(word: Word, before: Word) -> bool:
    """Whether a word is what the number before it counts: the seconds of `10 seconds` are no slip of "second"."""
    return word.key in UNITS and (before.kind == "number" or before.key in NUMBER_WORDS)


def _is_written_on(word: Word, following: Word | None) -> bool:
    """Whether a word is but the first part of one: `twitch.send_chat_message`."""
    return following is not None and following.start == word.end and following.text[:1] in "._="


def _shortened(word: str) -> Iterator[str]:
    """The word with each of its letters left out: two words that are one slip apart have one of these in common."""
    return (word[:at] + word[at + 1 :] for at in range(len(word)))
