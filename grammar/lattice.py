"""What the words of one sentence could be: for each place the terminals that may begin there, with value, end and cost.

Nothing is decided here: "wait" may be a verb, a kind of step and part of a text, and the parser's state chooses. Costs
order readings: long matches and live names are cheap, free text is dearer, passed-over fillers and corrected typos cost
more. Only words that no lexicon knows are corrected, equally near candidates are all kept, and look-ups are capped.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias, cast

from grammar import scanners
from grammar.lexicon import MAX_PHRASE_WORDS, WORD_COST, Correction, Edge, Lexicon, LiveLexicon, Node, Page, Vocabulary
from grammar.phrases import SAID_ON
from grammar.scanners import NoUnit, Sentence
from grammar.words import ARTICLES, Word, keys, split

LIVE_BONUS: Final = 0.15
TEXT_COST: Final = 0.5
TEXT_STEP: Final = 0.8
NAME_COST: Final = 0.6
SAID_WORDS_COST: Final = 0.4
SUBJECT_WORD_COST: Final = 0.12
BARE_USER_COST: Final = 0.7
FILLER_COST: Final = 0.15
BARE_PLACE_COST: Final = 0.3
TYPO_COST: Final = 0.9
NO_UNIT_COST: Final = 0.5
UNKNOWN_NAME_COST: Final = 0.55
LONGER_NAME_COST: Final = 0.1
CALLED_SO_BONUS: Final = 0.2
"""What is called a role is one."""
NO_SUCH_NAME_COST: Final = 1.1
NEW_COUNTER_COST: Final = 0.45
UNKNOWN_CHANNEL_COST: Final = 0.3
QUOTES_IN_TEXT_COST: Final = 3.0
PLACE_IN_TEXT_COST: Final = 1.0
STEP_IN_TEXT_COST: Final = 0.25
OTHERWISE_IN_TEXT_COST: Final = 0.5
MAX_TEXT_ENDS: Final = 3
MAX_LISTED_WORDS: Final = 3
MAX_NAME_WORDS: Final = 4
MAX_SUBJECT_WORDS: Final = 5
MAX_UNKNOWN_WORDS: Final = 5
MAX_LOOKUPS: Final = 16
WORD_WORK: Final = 2
LOOKUP_WORK: Final = 20
PLACE_WORK: Final = 3
FORMULA_WORK: Final = 15
MAX_TIES: Final = 4
MIN_TYPO_LENGTH: Final = 4
SHORT_TYPO_LENGTH: Final = 3
"""A word of three letters may be one of four that lost one: `stp 2`."""
MAX_TYPO_LENGTH: Final = 24

QUOTABLE: Final = frozenset(
    {
        "TEXT",
        "STRING",
        "DURATION",
        "USER",
        "CHANNEL",
        "SCENE",
        "SOURCE",
        "FILTER",
        "SOUND",
        "REWARD",
        "DISCORD_ROLE",
        "COUNTER",
        "NEW_NAME",
        "WORKFLOW",
        "EMOJIS",
        "POSTED",
    }
)
_NAME_STOPS: Final = frozenset(
    [
        "that",
        "which",
        "when",
        "whenever",
        "with",
        "called",
        "named",
        "if",
        "then",
        "every",
        "from",
        "where",
        "and",
        "on",
        "at",
        "to",
        "otherwise",
        "else",
        "unless",
    ]
)
_TEXT_LEADS: Final = frozenset(("that", "saying", ":"))
_NO_SUBJECT: Final = frozenset(
    [
        "i",
        "we",
        "you",
        "they",
        "he",
        "she",
        "it",
        "me",
        "us",
        "them",
        "people",
        "nothing",
        "anything",
        "everything",
        "something",
        "everyone",
        "everybody",
        "someone",
        "somebody",
        "nobody",
        "anyone",
        "anybody",
        "step",
        "steps",
        "when",
        "if",
        "then",
        "because",
    ]
)
"""What no workflow is asked about with."""
_SOUND_FILES: Final = (".mp3", ".wav", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".flac", ".weba")
_LISTING: Final = frozenset(("and", "or", "/"))
"""What stands between two things of which one is to be chosen: `with yes and no`."""
_CHANNEL_LEADS: Final = frozenset(("in", "to", "into", "on"))
_IN_ADDRESSES: Final = frozenset("/=&#")
"""What is written right after these belongs to a web address, whatever word it is: `example.com/now`."""
_KIND_WORDS: Final = frozenset(
    ("scene", "sound", "source", "filter", "reward", "redeem", "redemption", "channel", "role")
)
_TIMES: Final = frozenset(("times", "time", "x"))
_ENDING_NAMES: Final = frozenset(("for", "in", "until", "because", "instead", "please", "twice", "thrice"))
"""A name that nobody knows ends before these."""
_WHOM: Final = frozenset(("them", "him", "her"))
"""What is said or sent to somebody hardly begins so: `send them a dm`."""
_NO_ROLE: Final = frozenset(("discord", "new", "server", "certain"))
"""`a new role` is any."""
_COUNTER_WORDS: Final = frozenset(("counter", "counters", "count", "tally"))
_BEFORE_COUNTED: Final = frozenset(("to", "from", "off", "a", "an", "the", "my", "our"))
_NAMES_OF_THINGS: Final = frozenset(("STEP_NAME", "SCENE", "SOURCE", "FILTER", "SOUND", "REWARD", "DISCORD_ROLE"))
_OTHER_NAMES: Final = _NAMES_OF_THINGS | {"NOUN"}
"""What is called so already is no new counter."""
_NO_LIVE_NAME: Final = frozenset(
    [
        "the",
        "a",
        "an",
        "my",
        "your",
        "our",
        "some",
        "any",
        "this",
        "that",
        "these",
        "those",
        "it",
        "them",
        "me",
        "us",
        "all",
        "every",
        "back",
        "step",
        "text",
    ]
)
_NAMING: Final = frozenset(("called", "named", "titled"))
_NO_NAME_START: Final = frozenset(
    ("workflow", "workflows", "flow", "automation", "routine", "all", "every", "each", "both", "it", "them")
)
_PRONOUNS: Final = frozenset(("it", "that", "this"))
_OPENS_TRIGGER: Final = frozenset(("_WHEN", "_EVERY"))
_TRIGGERS: Final = frozenset(
    ("EVENT", "_SOMEONE_TYPES", "WHO_TYPES", "_SOMEONE_REDEEMS", "_CATEGORY_BECOMES", "UNIT_LENGTH")
)
_OPTIONS: Final = frozenset(
    ("_IF_IT_FAILS", "_TIME_LIMIT", "_RETRY", "_THEN_STOP", "EDGE", "_CARRY_ON", "_SWITCHED_OFF", "_NOTE")
)
_BEFORE_QUOTED: Final = frozenset(("in", "of", "from", "inside", "within"))
_QUOTING: Final = frozenset(("quote", "json"))
_LETTERS: Final = frozenset("bcdefghjklmnopqrstvxyz")
"""Letters that people call a variable; "a", "i", "u" and "w" are words."""
_SET_OFF: Final = frozenset(",:;-")
"""Marks that set off a word at the beginning."""
_EYES: Final = frozenset(":;=")
_NO_TEXT_START: Final = frozenset(',:;.()·\n"“”„')
"""A text that begins with a quote mark ends with one; where it does not, the sentence is refused and not guessed at."""


class Place(NamedTuple):
    """All that is known of the words from a place on.

    Attributes:
        form: What can be told of the first before anything is looked for.
        fixed: What lexicon and live names say, typos put right.
        fillers: Where passing over what may be passed over leads, and what that costs.
        scanned: What was looked for by its form so far, by terminal.
    """

    form: str
    fixed: list[Edge]
    fillers: list[tuple[int, float]]
    scanned: dict[str, list[Edge]]


_OpenEnd: TypeAlias = tuple[Node, int, float, tuple[Correction, ...]]
"""(branch, place, cost, corrections) of a phrase of which words are corrected."""
_MEASURING: Final = Vocabulary(scanners.VOCABULARY)


def _slips_in(typed: str) -> int:
    """How many slips an unknown word may have."""
    return 1 if len(typed) < 7 else 2


def vocabulary_of(lexicon: Lexicon) -> Vocabulary:
    """All the words that are the same for every sentence."""
    return Vocabulary(frozenset(lexicon.vocabulary | scanners.VOCABULARY))


class Lattice:
    """The edges of one sentence, worked out where they are asked for.

    Args:
        text: The cleaned sentence.
        words: Its words.
        lexicon: Words that are always known.
        vocabulary: The same words, for finding the nearest.
        live: Names known right now.
        continues: Groups of a call's words that may follow a text, with what follows them.
    """

    def __init__(
        self,
        text: str,
        words: tuple[Word, ...],
        lexicon: Lexicon,
        vocabulary: Vocabulary,
        live: LiveLexicon,
        continues: Mapping[int, frozenset[str]],
    ) -> None:
        self.text = text
        self.words = words
        self._lexicon = lexicon
        self._vocabulary = vocabulary
        self._live = live
        self.nameless = live.nameless
        """Kinds of live names of which none is known."""
        calls_a_role = any(word.key == "role" for word in words)
        self.unsure = live.nameless | {"DISCORD_ROLE"} if calls_a_role else live.nameless
        """Those of which one may be said that is not known."""
        self._vocabularies = (vocabulary, *live.vocabularies)
        self._continues = continues
        self.work = WORD_WORK * len(words)
        """What has been done for this sentence, over all families and hypotheses; whoever works counts it."""
        self._near: dict[int, tuple[tuple[str, int], ...]] = {}
        self._exact: list[list[Edge] | None] = [None] * len(words)
        self._places: list[Place | None] = [None] * (len(words) + 1)
        self._passed: list[list[tuple[str, int]] | None] = [None] * len(words)
        self._ends: list[int] = []
        self._looked = 1
        self._closings: list[tuple[int, int]] | None = None
        self._quotes = [place for place, word in enumerate(words) if word.kind in _QUOTING]
        self._sentence: Sentence | None = None
        self._mended: dict[int, str] = {}

    def place(self, at: int) -> "Place":
        """All that is known of a place; it is the same for every family that the sentence is read as."""
        found = self._places[at]
        if found is None:
            found = self._places[at] = Place(self.form(at), self._fixed(at), self._fillers(at), {})
        return found

    # Words of lexicons ---------------------------------------------------------------------------------------------------

    def _fixed(self, at: int) -> list[Edge]:
        """What lexicon and live names say of the words from a place on, typos put right."""
        strange = bisect_left(self.strange, at)
        near = strange < len(self.strange) and self.strange[strange] < at + MAX_PHRASE_WORDS
        return [*self.exact(at), *self._corrected(at)] if near else self.exact(at)

    def exact(self, at: int) -> list[Edge]:
        """What they say of the words as typed."""
        edges = self._exact[at]
        if edges is None:
            edges = self._exact[at] = []
            self.work += PLACE_WORK
            words, key = self.words, self.words[at].key
            page: Page | None = self._lexicon.trie.get(key)
            place = at + 1
            while page is not None:
                edges += page.edges
                if place == len(words):
                    break
                word = words[place]
                page = page.get(word.key) if word.kind != "quote" else cast("Page", self._after_quote(page, word, at))
                place += 1
            for begun in self._live.begun(key):
                branch: Node | None = begun
                place = at + 1
                while branch is not None:
                    for terminal, value, cost in branch.entries:
                        edges.append(Edge(terminal, value, place - at, WORD_COST + cost - LIVE_BONUS * (place - at)))
                    if place == len(words):
                        break
                    word = words[place]
                    branch = branch.get(word.key) if word.kind != "quote" else self._after_quote(branch, word, at)
                    place += 1
        return edges

    def _after_quote(self, branch: Node, word: Word, at: int) -> Node | None:
        """The branch after a quoted word; after "in" a quoted name is as good as a bare one: `in "go live"`."""
        if self.words[at].key not in _BEFORE_QUOTED:
            return branch.get(word.key)
        after: Node | None = branch
        for key in keys(str(word.value))[:MAX_PHRASE_WORDS]:
            after = after.get(key) if after is not None else None
        return after if after is not branch else None

    def _corrected(self, at: int) -> list[Edge]:
        """The same with unknown words read as their nearest known ones; at least one word is corrected."""
        edges: list[Edge] = []
        for begun, bonus in self._openings(at):
            open_ends = [begun]
            while open_ends:
                branch, place, cost, corrections = open_ends.pop()
                if corrections:
                    edges.extend(
                        Edge(
                            terminal,
                            value,
                            place - at,
                            WORD_COST + extra + cost - bonus * (place - at),
                            False,
                            corrections,
                        )
                        for terminal, value, extra in branch.entries
                    )
                if place >= len(self.words):
                    continue
                word = self.words[place]
                following = branch.get(word.key)
                if following is not None:
                    open_ends.append((following, place + 1, cost, corrections))
                    continue
                for near, distance in self.nearest(place):
                    following = branch.get(near)
                    if following is not None:
                        correction = (word.text, near)
                        open_ends.append(
                            (following, place + 1, cost + TYPO_COST * distance, (*corrections, correction))
                        )
        return edges

    def _openings(self, at: int) -> Iterator[tuple["_OpenEnd", float]]:
        """Where a phrase may begin in which words are corrected, with what a word of it is better than others."""
        if self.nearest(at):
            yield (self._lexicon.trie, at, 0.0, ()), 0.0
            for root in self._live.roots:
                yield (root, at, 0.0, ()), LIVE_BONUS
            return
        key = self.words[at].key
        page = self._lexicon.trie.get(key)
        if page is not None:
            yield (page, at + 1, 0.0, ()), 0.0
        for branch in self._live.begun(key):
            yield (branch, at + 1, 0.0, ()), LIVE_BONUS

    @cached_property
    def strange(self) -> list[int]:
        """Places of words that may be mistyped: no lexicon knows them."""
        found = []
        for place, word in enumerate(self.words):
            key = word.key
            if word.kind == "word" and SHORT_TYPO_LENGTH <= len(key) <= MAX_TYPO_LENGTH:
                for vocabulary in self._vocabularies:
                    if key in vocabulary.known:
                        break
                else:
                    found.append(place)
        return found

    def nearest(self, at: int) -> tuple[tuple[str, int], ...]:
        """The known words nearest to an unknown one, all that are equally near, with their distance.

        It is looked for where somebody asks: most unknown words stand in texts, which nobody corrects.
        """
        found = self._near.get(at)
        if found is None:
            found = self._near[at] = self._look_up(at) if at in self.strange[:MAX_LOOKUPS] else ()
        return found

    def _look_up(self, at: int) -> tuple[tuple[str, int], ...]:
        self.work += LOOKUP_WORK
        typed = self.words[at].key
        limit = _slips_in(typed)
        found = [near for vocabulary in self._vocabularies for near in vocabulary.nearest(typed, limit)]
        if len(typed) < MIN_TYPO_LENGTH:
            found = [near for near in found if len(near[0]) == MIN_TYPO_LENGTH]
        least = min((distance for _, distance in found), default=0)
        return tuple(dict.fromkeys(near for near in found if near[1] == least))[:MAX_TIES]

    def _fillers(self, at: int) -> list[tuple[int, float]]:
        """Words that may be passed over from a place on: (place after, cost)."""
        return [
            (end, FILLER_COST)
            for role, end in self._passed_over(at)
            if role == "fillers" or (at in self._opening if role == "openers" else end in self._closing)
        ]

    def _passed_over(self, at: int) -> list[tuple[str, int]]:
        """What may be passed over from a place on, each with where that may be."""
        found = self._passed[at]
        if found is not None:
            return found
        found = self._passed[at] = []
        first = self._lexicon.fillers.get(self.words[at].key)
        branch: Node | None = first
        place = at + 1
        while branch is not None:
            found.extend([(role, place) for role, _, _ in branch.entries])
            branch = branch.get(self.words[place].key) if place < len(self.words) else None
            place += 1
        word = self.words[at]
        if word.kind == "mark" and (word.text in "!?.'" or (first is not None and at + 1 == len(self.words))):
            found.append(("fillers", at + 1))
        elif word.text in _SET_OFF:
            found.append(("openers", at + 1))
        return found

    @cached_property
    def _opening(self) -> frozenset[int]:
        """The places before which nothing stands but words that are passed over."""
        found = {0}
        for place in range(len(self.words)):
            if place > max(found):
                break
            if place in found:
                found.update(end for role, end in self._passed_over(place) if role in ("fillers", "openers"))
        return frozenset(found)

    @cached_property
    def _closing(self) -> frozenset[int]:
        """The places after which nothing stands but words that are passed over."""
        found = {len(self.words)}
        for place in range(len(self.words) - 1, 0, -1):
            if place + MAX_PHRASE_WORDS < min(found):
                break
            if any(end in found for role, end in self._passed_over(place) if role in ("fillers", "closers")):
                found.add(place)
        return frozenset(found)

    # Words by their form -------------------------------------------------------------------------------------------------

    def form(self, at: int) -> str:
        """What can be told of a word before anything is looked for: its kind, or that it may open a measure."""
        kind = self.words[at].kind
        return OPENING if kind == "word" and self.sentence.mended[at] in scanners.OPENING else kind

    def scanned(self, at: int, terminal: str) -> list[Edge]:
        """What the words from a place on could be as a terminal that is known by its form."""
        known = self.place(at).scanned
        edges = known.get(terminal)
        if edges is None:
            edges = []
            word = self.words[at]
            self.work += FORMULA_WORK if terminal == "FORMULA" and word.text == "(" else 1
            if word.kind == "quote" and terminal in QUOTABLE:
                edges.append(Edge(terminal, word.value, 1, WORD_COST, True))
            scanner = _SCANNERS.get(terminal)
            if scanner is not None:
                edges.extend(scanner(self, at))
            known[terminal] = edges
        return edges

    @property
    def sentence(self) -> Sentence:
        """The words as scanners want them; slips in units and number words are put right."""
        if self._sentence is None:
            for place in self.strange:
                typed = self.words[place].key
                if not _MEASURING.nearest(typed, _slips_in(typed)):
                    continue  # whatever it is near to, it is no unit and no number
                near = [candidate for candidate, _ in self.nearest(place) if candidate in scanners.VOCABULARY]
                # "second" and "seconds" may be equally near; they mean the same.
                if near and len({scanners.UNITS.get(candidate, candidate) for candidate in near}) == 1:
                    self._mended[place] = max(near, key=len)
            self._sentence = Sentence(self.text, self.words, scanners.mend(self.words, self._mended))
        return self._sentence

    def _by(
        self, scanner: Callable[[Sentence, int], scanners.Found], terminal: str, at: int, cost: float
    ) -> list[Edge]:
        edges = []
        mended = self._mended
        for rank, (value, end) in enumerate(scanner(self.sentence, at)):
            slips = (
                tuple((self.words[place].text, mended[place]) for place in range(at, end) if place in mended)
                if mended
                else ()
            )
            edges.append(Edge(terminal, value, end - at, cost + rank * 0.6 + TYPO_COST * len(slips), False, slips))
        return edges

    def _durations(self, at: int) -> list[Edge]:
        """Lengths of time, and a bare number as one whose unit has to be asked."""
        edges = self._by(scanners.duration, "DURATION", at, -0.2)
        if self.words[at].kind == "number" and ":" not in self.words[at].text:
            for edge in self._by(scanners.number, "DURATION", at, NO_UNIT_COST):
                edges.append(edge._replace(value=NoUnit(edge.value)))
        return edges

    def _times(self, at: int) -> list[Edge]:
        """Times of day; of a bare hour it may have to be asked which half of the day is meant."""
        edges = self._by(scanners.clock, "TIME", at, -0.2)
        return [
            edge._replace(cost=NO_UNIT_COST) if self.words[at].text.isdecimal() and edge.length == 1 else edge
            for edge in edges
        ]

    def unknown(self, at: int, terminal: str) -> list[Edge]:
        """Words as a live name where none of that kind is known, so that a newcomer without OBS is understood too."""
        if self.words[at].kind not in ("word", "number"):
            return []
        if terminal not in self.nameless:
            return self._no_such_role(at) if terminal == "DISCORD_ROLE" else []
        if terminal == "CHANNEL" and (at == 0 or self.words[at - 1].key != "discord"):
            return []  # "say see you in there" names no channel
        begins = at == 0 or self._connects(at - 1) or self.words[at - 1].key in _PRONOUNS
        if terminal != "REWARD" and begins and self._begins_step(at):
            return []  # "and play the airhorn sound" plays it; nobody knows a sound called "play the airhorn"
        if at in self._opening and self._passed_over(at) and not self.words[at].text[0].isupper():
            return []  # "ok the Party reward" is no reward called "ok the Party"
        lead = 1 if self.words[at].key in _KIND_WORDS and at + 1 < len(self.words) else 0
        begin = at + lead
        end = self._end_of_name(begin, terminal)
        if end is None or (terminal == "CHANNEL" and end > begin + 1):
            return []
        if terminal == "DISCORD_ROLE" and end == begin + 1 and self.words[begin].key in _NO_ROLE:
            return []
        value = self.text[self.words[begin].start : self.words[end - 1].end]
        cost = UNKNOWN_CHANNEL_COST if terminal == "CHANNEL" else UNKNOWN_NAME_COST
        if terminal == "DISCORD_ROLE" and end < len(self.words) and self.words[end].key == "role":
            cost -= CALLED_SO_BONUS
        edges = [Edge(terminal, value, end - at, cost, lead=lead)]
        if end < len(self.words) and self.words[end].key in _KIND_WORDS:
            edges.append(Edge(terminal, value, end + 1 - at, cost, lead=lead))
        longer = self._end_of_name(begin, terminal, 1) if terminal == "REWARD" else end
        if longer is not None and longer > end:
            value = self.text[self.words[begin].start : self.words[longer - 1].end]
            edges.append(Edge(terminal, value, longer - at, cost + LONGER_NAME_COST, lead=lead))
        return edges

    def _no_such_role(self, at: int) -> list[Edge]:
        """What is said to be a role and is none that there is, so that it can be asked which one is meant."""
        end = self._end_of_name(at, "DISCORD_ROLE")
        if end is None:
            return []
        before, after = self.words[at - 1].key if at else "", self.words[end].key if end < len(self.words) else ""
        if "role" not in (before, after) or (end == at + 1 and self.words[at].key in _NO_ROLE):
            return []
        name = self.text[self.words[at].start : self.words[end - 1].end]
        may_be_a_slip = any(self.nearest(place) for place in range(at, end))
        cost = NO_SUCH_NAME_COST if may_be_a_slip else UNKNOWN_NAME_COST - CALLED_SO_BONUS
        return [Edge("DISCORD_ROLE", name, end - at, cost)]

    def _end_of_name(self, at: int, terminal: str, passed: int = 0) -> int | None:
        """Where an unquoted name that nobody knows ends: at a connector, or a word that names never hold.

        A reward's ends where a step may begin, but for as many such places as are passed over: `Song request`.
        """
        words = self.words
        if words[at].key in _NO_LIVE_NAME or words[at].key in ("for", "until"):
            return None  # "gets a discord role for 1 hour" names no role
        if at + 1 < len(words) and words[at + 1].kind == "number" and self._begins_step(at):
            return None  # "wait 5 bananas" is a step said wrongly, not a scene
        end = at
        while end < len(words) and self._goes_on_as_name(end, at):
            if end > at and words[end - 1].key.endswith(_SOUND_FILES):
                break
            if end > at and self._begins_step(end) and end + 1 < len(words) and not self._is_in_title(end, at):
                if terminal == "REWARD" and passed:
                    passed -= 1
                    end += 1
                    continue
                # A reward may be followed by a step at once; anything else would swallow one.
                if terminal == "REWARD" or self.words[end + 1].kind == "quote":
                    break
                if self._goes_on_as_name(end + 1, at):
                    return None
            end += 1
        return end if at < end <= at + MAX_UNKNOWN_WORDS else None

    def _goes_on_as_name(self, place: int, at: int) -> bool:
        word = self.words[place]
        if word.kind not in ("word", "number"):
            return False
        if place == at:
            return word.key not in _NAME_STOPS
        if self._is_in_title(place, at):
            return True  # `VIP For A Day`
        if word.kind == "number" and place + 1 < len(self.words) and self.words[place + 1].key in _TIMES:
            return False  # `play airhorn 3 times`
        if word.key in _NAME_STOPS or word.key in _KIND_WORDS or word.key in _ENDING_NAMES:
            return False
        if word.key == "now" and place == len(self.words) - 1:
            return False  # `the reward is called Dance Party now`
        return not self._may_end_text(place)

    def _is_in_title(self, place: int, at: int) -> bool:
        """Whether a name that is written in capital letters goes on with a word of that kind."""
        return all(self.words[each].text[0].isupper() for each in (at, place))

    def _begins_step(self, at: int) -> bool:
        """Whether a step may begin there; an article alone, as in "the airhorn", may as well go on with what stands before it."""
        alone = self.words[at].key in ARTICLES
        return any(
            edge.terminal in self._lexicon.starts_step and not (alone and edge.length == 1) for edge in self.exact(at)
        )

    def _connects(self, at: int) -> bool:
        return any(edge.terminal in self._lexicon.connects for edge in self.exact(at))

    def _kind(self, kind: str, terminal: str, at: int, cost: float = WORD_COST) -> list[Edge]:
        word = self.words[at]
        return [Edge(terminal, word.value, 1, cost)] if word.kind == kind else []

    def _users(self, at: int) -> list[Edge]:
        word = self.words[at]
        match word.kind:
            case "user":
                return [Edge("USER", word.value, 1, WORD_COST)]
            case "variable":
                return [Edge("USER", word.text, 1, WORD_COST)]
            case "brace":
                return [Edge("USER", f"${{{word.value}}}", 1, WORD_COST)]
            case "word" if word.key not in self._vocabulary.known and word.text.isascii():
                return [Edge("USER", word.text, 1, BARE_USER_COST)]
            case _:
                return []

    def _emojis(self, at: int) -> list[Edge]:
        """What somebody reacts with, one emoji or several, or a variable that holds it."""
        word = self.words[at]
        if word.kind in ("variable", "brace"):
            return [Edge("EMOJIS", word.text if word.kind == "variable" else f"${{{word.value}}}", 1, WORD_COST)]
        return self._by(scanners.emojis, "EMOJIS", at, 0.0)

    def _posted(self, at: int) -> list[Edge]:
        """A message by what a step gave, or its number."""
        word = self.words[at]
        if word.kind in ("variable", "brace"):
            return [Edge("POSTED", word.text if word.kind == "variable" else f"${{{word.value}}}", 1, WORD_COST)]
        return [Edge("POSTED", word.text, 1, WORD_COST)] if word.kind == "number" and len(word.text) > 14 else []

    def _persons(self, at: int) -> list[Edge]:
        """Somebody by name where anybody could stand: a word that may be a mistyped one of ours is no name."""
        word = self.words[at]
        if word.kind == "user":
            return [Edge("PERSON", word.value, 1, WORD_COST)]
        known = word.key in self._vocabulary.known or at not in self.strange
        if word.kind != "word" or known or not word.text.isascii() or self.nearest(at):
            return []
        return [Edge("PERSON", word.text, 1, BARE_USER_COST)]

    def _variables(self, at: int) -> list[Edge]:
        word = self.words[at]
        if word.kind in ("variable", "brace"):
            return [Edge("VARIABLE", word.value, 1, WORD_COST)]
        abbreviation = at + 1 < len(self.words) and self.words[at + 1].glued and self.words[at + 1].text == "/"
        if (
            word.kind == "word"
            and not abbreviation
            and ("_" in word.text or word.key not in self._vocabulary.known or word.text.lower() in _LETTERS)
        ):
            end = at + 1
            while end + 1 < len(self.words) and self.words[end].text == "." and self.words[end + 1].glued:
                end += 2
            return [Edge("VARIABLE", self.text[word.start : self.words[end - 1].end], end - at, WORD_COST + 0.3)]
        return []

    def _counters(self, at: int) -> list[Edge]:
        """A counter nobody has used yet: any words before "counter", else one word that means nothing else."""
        words = self.words
        if words[at].key in _NO_LIVE_NAME or self._may_begin_step(at):
            return []
        for end in range(at, min(len(words), at + MAX_NAME_WORDS + 1)):
            if end > at and words[end].key in _COUNTER_WORDS:
                name = self.text[words[at].start : words[end - 1].end]
                return [Edge("COUNTER", name, end - at, NEW_COUNTER_COST)]
            if words[end].kind not in ("word", "number") or words[end].key in _NAME_STOPS:
                break
        word, before = words[at], words[at - 1].key if at else ""
        # What happens may be counted, too: `add 1 to raids`; "count raids" alone is a wish for a workflow that does.
        happens = before in _BEFORE_COUNTED and self._happens(at)
        if word.kind != "word" or self._is_something_else(at, _NAMES_OF_THINGS if happens else _OTHER_NAMES):
            return []
        if before == "set" or (word.key in self._vocabulary.known and not happens):
            return []  # `set wins to 0` may as well be a value of that one run
        return [Edge("COUNTER", word.text, 1, NEW_COUNTER_COST)]

    def _may_begin_step(self, at: int) -> bool:
        """Whether nothing before a word tells that it may be a counter; then only `wins + 1` does.

        `add a death` and `add 1 death` tell it of one that is known: anything else may be added as well.
        """
        if at + 1 < len(self.words) and self.words[at + 1].text == "+":
            return False
        before = self.words[at - 1] if at else None
        if before is None or before.kind != "word" or before.key in scanners.NUMBER_WORDS or self._connects(at - 1):
            return True
        return before.key == "add"

    def _happens(self, at: int) -> bool:
        return any(edge.terminal == "COUNTED" and edge.length == 1 for edge in self.exact(at))

    def _is_something_else(self, at: int, names: frozenset[str]) -> bool:
        """Whether a word is the name of something that is no counter, or may be a slip in that of a counter."""
        if any(edge.terminal in names for edge in self.exact(at)):
            return True
        known = (branch for near, _ in self.nearest(at) for root in self._live.roots if (branch := root.get(near)))
        return any(terminal == "COUNTER" for branch in known for terminal, _, _ in branch.entries)

    # Free text -----------------------------------------------------------------------------------------------------------

    def _texts(self, at: int) -> list[Edge]:
        """Unquoted text: to the first place where a known step could begin, and to a few later ones at rising cost."""
        lead = at
        if self.words[at].key in _TEXT_LEADS and at + 1 < len(self.words):
            lead = at + 1
            if self.words[lead].kind == "quote":
                return [Edge("TEXT", self.words[lead].value, 2, WORD_COST * 1.5, True, (), 1)]
        first = self.words[lead]
        if first.kind == "quote" or first.text in _NO_TEXT_START:
            return []
        edges = []
        before = bisect_left(self._quotes, lead)
        is_step = self._begins_step(lead)
        after_quoted = lead > 0 and self.words[lead - 1].kind == "quote"
        # Right after one text, a word that goes on with the sentence is none of another.
        is_place = any(
            edge.terminal in self._lexicon.ends_text or (after_quoted and edge.terminal == SAID_ON)
            for edge in self.exact(lead)
        )
        is_place = is_place or self._in_channel(lead) or first.key in _WHOM
        ends = self._text_ends(lead)
        others = [end for end in ends if end < len(self.words) and self._is_otherwise(end)]
        for rank, end in enumerate(ends):
            value = self.text[first.start : self.words[end - 1].end]
            # Whoever quotes, quotes the text itself: quotes inside an unquoted one are the last way to read a sentence.
            unlikely = QUOTES_IN_TEXT_COST * (bisect_right(self._quotes, end - 1) - before)
            unlikely += OTHERWISE_IN_TEXT_COST * bisect_left(others, end)
            unlikely += PLACE_IN_TEXT_COST if is_place else STEP_IN_TEXT_COST if is_step else 0.0
            edges.append(Edge("TEXT", value, end - at, TEXT_COST + TEXT_STEP * rank + unlikely, False, (), lead - at))
        return edges

    def _in_channel(self, at: int) -> bool:
        """`in #general ...`: where something is said."""
        return (
            self.words[at].key in _CHANNEL_LEADS and at + 1 < len(self.words) and self.words[at + 1].kind == "channel"
        )

    def _is_otherwise(self, at: int) -> bool:
        """Whether "otherwise" stands there with a step after it."""
        return any(
            edge.terminal == "_OTHERWISE" and at + edge.length < len(self.words) and self._begins_step(at + edge.length)
            for edge in self.exact(at)
        )

    def _text_ends(self, at: int) -> list[int]:
        first = bisect_right(self._ends, at)
        # They are looked for as far as they are needed: a long message has many that no text comes to.
        while self._looked < len(self.words) and len(self._ends) - first < MAX_TEXT_ENDS:
            if self._may_end_text(self._looked):
                self._ends.append(self._looked)
            self._looked += 1
            first = bisect_right(self._ends, at)
        ends = self._ends[first : first + MAX_TEXT_ENDS]
        ends = ends if ends and ends[-1] == len(self.words) else [*ends, len(self.words)]
        # The dot between steps is never part of an unquoted text: it may stand for the end of a line.
        dot = next((place for place in ends if place < len(self.words) and self.words[place].text == "·"), None)
        ends = ends if dot is None else [place for place in ends if place <= dot]
        # Nor is the bracket that closes the block in which the text stands.
        closing = self._closing_around(at)
        return ends if closing is None else [*(place for place in ends if place < closing), closing]

    def _closing_around(self, at: int) -> int | None:
        """The place of the bracket that closes what was open before a place; the mouth of a smiley is none."""
        if self._closings is None:
            self._closings = []
            opened: list[int] = []
            for place, word in enumerate(self.words):
                if word.text == "(":
                    opened.append(place)
                elif word.text == ")" and opened and not (word.glued and self.words[place - 1].text in _EYES):
                    self._closings.append((opened.pop(), place))
        return next((close for begin, close in self._closings if begin < at < close), None)

    def _may_end_text(self, at: int) -> bool:
        lexicon = self._lexicon
        if self.words[at].glued and self.words[at - 1].text in _IN_ADDRESSES:
            return False
        for edge in self.exact(at):
            terminal, end = edge.terminal, at + edge.length
            if terminal in lexicon.ends_text:
                return True
            if terminal == "_OPEN" and end < len(self.words):
                return any(after.terminal in _OPTIONS for after in self.exact(end))
            if terminal in lexicon.connects and end < len(self.words):
                following = self.exact(end)
                if any(
                    after.terminal in lexicon.starts_step or after.terminal in lexicon.ends_text for after in following
                ):
                    return True
                if self.words[end].kind == "name" or self.words[at].text == "·" or self._numbers_a_step(end):
                    return True
            if terminal in _OPENS_TRIGGER and self._begins_trigger(end):
                return True
            slots = self._continues.get(edge.value) if terminal == SAID_ON else None
            if slots is not None and self._goes_on(at, end, slots):
                return True
        return False

    def _begins_trigger(self, at: int) -> bool:
        """Whether a known event, or how often, stands there: `say hi when someone follows`."""
        return at < len(self.words) and (
            self.words[at].kind == "number" or any(edge.terminal in _TRIGGERS for edge in self.exact(at))
        )

    def _numbers_a_step(self, at: int) -> bool:
        """Whether `2 wait` stands there, or `10 minutes later`."""
        if self.words[at].kind == "number" and any(word.key == "later" for word in self.words[at + 1 : at + 4]):
            return True
        return (
            self.words[at].kind == "number"
            and at + 1 < len(self.words)
            and any(edge.terminal in self._lexicon.starts_step for edge in self.exact(at + 1))
        )

    def _goes_on(self, at: int, end: int, slots: frozenset[str]) -> bool:
        """Whether the words after a text that belong to the same sentence really do."""
        if "" in slots:
            return True
        if end >= len(self.words):
            return False
        after = self.words[end]
        if after.kind in ("quote", "variable") or end - at > 1:
            return True
        if after.kind == "number" and ("NUMBER" in slots or "DURATION" in slots):
            return True
        if "TEXT" in slots and any(word.key in _LISTING for word in self.words[end + 1 : end + MAX_LISTED_WORDS + 1]):
            return True
        return "CHANNEL" in slots and (
            after.kind == "channel" or any(found.terminal == "CHANNEL" for found in self.exact(end))
        )

    def _sound_files(self, at: int) -> list[Edge]:
        """A sound that is told by its file alone: `bell.mp3 plays`."""
        word = self.words[at]
        return [Edge("BARE_SOUND", word.text, 1, WORD_COST)] if word.key.endswith(_SOUND_FILES) else []

    def _subject_words(self, at: int) -> list[Edge]:
        """Words by which a workflow may be asked about that are not its name: `that merch timer`, `the stage/speaker one`."""
        edges: list[Edge] = []
        for end in range(at + 1, min(len(self.words), at + MAX_SUBJECT_WORDS) + 1):
            word = self.words[end - 1]
            is_mark = word.text == "/" and end > at + 1
            if word.key in _NO_SUBJECT or (word.kind not in ("word", "number") and not is_mark):
                break
            if is_mark or (end == at + 1 and word.key in _NO_LIVE_NAME):
                continue
            value = self.text[self.words[at].start : word.end]
            edges.append(Edge("SUBJECT_WORDS", value, end - at, NAME_COST + SUBJECT_WORD_COST * (end - at)))
        return edges

    def _said_words(self, at: int) -> list[Edge]:
        """What somebody says, after `the word`: as few words as the rest of the sentence leaves to it."""
        edges: list[Edge] = []
        for end in range(at + 1, min(len(self.words), at + 2 * MAX_NAME_WORDS) + 1):
            if self.words[end - 1].kind not in ("word", "number", "command") and not self._is_in_address(end - 1, at):
                break
            if sum(not word.glued for word in self.words[at:end]) > MAX_NAME_WORDS:
                break
            value = self.text[self.words[at].start : self.words[end - 1].end]
            edges.append(Edge("SAID_WORDS", value, end - at, SAID_WORDS_COST * (end - at)))
        return edges

    def _is_in_address(self, place: int, at: int) -> bool:
        """Whether a mark is part of `discord.gg/`."""
        word = self.words[place]
        if place == at or not word.glued or word.text not in "./-":
            return False
        return word.text == "/" or (place + 1 < len(self.words) and self.words[place + 1].glued)

    def _new_names(self, at: int) -> list[Edge]:
        """An unquoted new name: a few plain words before anything that begins a clause."""
        edges: list[Edge] = []
        words = self.words
        if words[at].key == "step" and at + 1 < len(words) and words[at + 1].kind == "number":
            return []  # `make step 1 say bye` changes a step
        if words[at].key in _NO_NAME_START and at + 1 < len(words):
            return []  # `new workflow hype` has said what it is before it says the name
        for end in range(at + 1, min(len(words), at + MAX_NAME_WORDS) + 1):
            word = words[end - 1]
            if word.kind not in ("word", "number") or word.key in _NAME_STOPS:
                break
            if any(near in _NAMING for near, _ in self.nearest(end - 1)):
                return []  # `calld outro` is a slip, not a name
            if end == at + 1 and word.key in ARTICLES:
                continue  # `make the wait 20 seconds` names nothing "the"
            name = self.text[words[at].start : word.end]
            edges.append(Edge("NEW_NAME", name, end - at, NAME_COST + 0.04 * (end - at)))
        return edges


_Scanner = Callable[[Lattice, int], list[Edge]]


def _channel(lattice: Lattice, at: int) -> list[Edge]:
    """`#general`, or `#general channel`."""
    edges = lattice._kind("channel", "CHANNEL", at)  # noqa: SLF001  the table below is part of the lattice
    if edges and at + 1 < len(lattice.words) and lattice.words[at + 1].key == "channel":
        edges.append(edges[0]._replace(length=2))
    return edges


def _table() -> Mapping[str, _Scanner]:
    def kind(kind: str, terminal: str) -> _Scanner:
        return lambda lattice, at: lattice._kind(kind, terminal, at)  # noqa: SLF001

    def form(scanner: Callable[[Sentence, int], scanners.Found], terminal: str, cost: float) -> _Scanner:
        return lambda lattice, at: lattice._by(scanner, terminal, at, cost)  # noqa: SLF001

    return MappingProxyType(
        {
            "TEXT": lambda lattice, at: lattice._texts(at),  # noqa: SLF001
            "NEW_NAME": lambda lattice, at: lattice._new_names(at),  # noqa: SLF001
            "BARE_SOUND": lambda lattice, at: lattice._sound_files(at),  # noqa: SLF001
            "SUBJECT_WORDS": lambda lattice, at: lattice._subject_words(at),  # noqa: SLF001
            "SAID_WORDS": lambda lattice, at: lattice._said_words(at),  # noqa: SLF001
            "COUNTER": lambda lattice, at: lattice._counters(at),  # noqa: SLF001
            "USER": lambda lattice, at: lattice._users(at),  # noqa: SLF001
            "PERSON": lambda lattice, at: lattice._persons(at),  # noqa: SLF001
            "VARIABLE": lambda lattice, at: lattice._variables(at),  # noqa: SLF001
            "NUMBER": form(scanners.number, "NUMBER", WORD_COST),
            "DURATION": lambda lattice, at: lattice._durations(at),  # noqa: SLF001
            "TIME": lambda lattice, at: lattice._times(at),  # noqa: SLF001
            "DATE": form(scanners.date, "DATE", -0.2),
            "DAYS": form(scanners.days, "DAYS", 0.0),
            "ZONE": form(scanners.zone, "ZONE", 0.0),
            "EMOJI": form(scanners.emoji, "EMOJI", 0.0),
            "EMOJIS": lambda lattice, at: lattice._emojis(at),  # noqa: SLF001
            "POSTED": lambda lattice, at: lattice._posted(at),  # noqa: SLF001
            "FORMULA": form(scanners.formula, "FORMULA", 0.0),
            "IDENTIFIER": form(scanners.identifier, "IDENTIFIER", 0.0),
            "METHOD": form(scanners.method, "METHOD", 0.0),
            "STEP_NUMBER": form(scanners.step_number, "STEP_NUMBER", WORD_COST),
            "PLACE_NUMBER": form(scanners.place_number, "PLACE_NUMBER", BARE_PLACE_COST),
            "WORD_NAME": form(scanners.plain_name, "WORD_NAME", WORD_COST),
            "STEP_PATH": form(scanners.step_path, "STEP_PATH", 0.0),
            "LIST": form(scanners.listed, "LIST", 0.0),
            "CHANNEL": _channel,
            "JSON": kind("json", "JSON"),
            "NAME": kind("name", "NAME"),
            "COMMAND": kind("command", "COMMAND"),
            "ARGUMENT": kind("argument", "ARGUMENT"),
        }
    )


_SCANNERS: Final = _table()
OPENING: Final = "opening"
_ANY_FORM: Final = frozenset({"TEXT", "SAID_WORDS"})
_NAMES: Final = frozenset(
    {"BARE_SOUND", "SUBJECT_WORDS", "NEW_NAME", "USER", "PERSON", "COUNTER", "VARIABLE", "WORD_NAME", "METHOD", "ZONE"}
)
_MEASURES: Final = frozenset({"NUMBER", "DURATION", "TIME", "DAYS"})
_NUMBERS: Final = frozenset({"SUBJECT_WORDS", "NEW_NAME", "DATE", "STEP_NUMBER", "PLACE_NUMBER", "STEP_PATH", "POSTED"})
BY_FORM: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        form: _ANY_FORM | terminals
        for form, terminals in {
            "word": _NAMES,
            OPENING: _NAMES | _MEASURES,
            "number": _NUMBERS | _MEASURES,
            "quote": QUOTABLE | {"LIST"},
            "variable": frozenset({"USER", "VARIABLE", "EMOJIS", "POSTED"}),
            "brace": frozenset({"USER", "VARIABLE", "EMOJIS", "POSTED"}),
            "user": frozenset({"USER", "PERSON"}),
            "channel": frozenset({"CHANNEL"}),
            "command": frozenset({"COMMAND"}),
            "argument": frozenset({"ARGUMENT"}),
            "json": frozenset({"JSON"}),
            "name": frozenset({"NAME"}),
            "mark": frozenset({"EMOJI", "EMOJIS", "FORMULA", "IDENTIFIER"}),
        }.items()
    }
)
"""What a word of each form may be, or begin, of all that is known by its form; nothing else is tried."""


def read_words(text: str, limit: int) -> tuple[Word, ...]:
    """The words of a sentence; one more than the limit tells that there are more."""
    return split(text, limit + 1)
