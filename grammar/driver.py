"""Drives the grammar's LALR table over a word lattice.

    driver = Driver(declarations)                         # makes the table, or takes it from a folder
    live = LiveLexicon([*names_on_stream(names), ("WORKFLOW", "raid", "raid_id"), ("IN_WORKFLOW", "in raid", "raid_id")])
    match driver.parse(sentence, live, start="trigger"):
        case Parsed(readings=(best, *others)): best.tree, best.cost, best.corrections, best.tokens
        case Stuck(at, word, expected): ...

Grammar files hold structure only; every terminal is declared here and comes from the lattice, so a terminal that begins
with `_` is dropped from trees and any other stays as a `Leaf`. Terminals known by their form (`grammar.lattice.BY_FORM`):
TEXT STRING NEW_NAME USER PERSON CHANNEL SCENE SOURCE FILTER SOUND REWARD DISCORD_ROLE WORKFLOW NUMBER DURATION TIME DATE DAYS FORMULA
IDENTIFIER JSON NAME COMMAND ARGUMENT VARIABLE METHOD STEP_NUMBER STEP_PATH WORD_NAME LIST. A quoted word is an edge for each of `QUOTABLE` that the state wants, `Leaf.quoted` says so;
STRING is only ever quoted. All others come from `grammar/lexicon/*.toml` and from the `LiveLexicon`.

A beam of the cheapest hypotheses moves over the words; hypotheses at the same place with the same stack are one (a second
is kept if it costs nearly the same). Work is counted, so the worst message ends in milliseconds with "too complicated".
The tree of the winner is made when somebody asks for it.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from engine.declare import Declarations
from engine.events import types
from grammar.calls import Calls, calls_of
from grammar.lalr import END
from grammar.lattice import BY_FORM, Lattice, Place, read_words, vocabulary_of
from grammar.lexicon import FOLDER, LIVE_TERMINALS, Correction, Edge, LiveLexicon, load
from grammar.phrases import SAID, SAID_ON, PhraseGrammar, grammar_of
from grammar.table import Table, table_of
from grammar.tree import Leaf, Node, Tree
from grammar.words import clean, keys

_HERE: Final = Path(__file__).parent
GRAMMARS: Final = ("steps.lark", "triggers.lark", "policies.lark", "edits.lark", "manage.lark")
STARTS_MARK: Final = re.compile(r"^//\s*starts:\s*(.+)$", re.MULTILINE)
_TERMINAL: Final = re.compile(r"\b_?[A-Z][A-Z0-9_]*\b")
_COMMENT: Final = re.compile(r"//.*$", re.MULTILINE)
_ALIAS: Final = re.compile(r"->\s*\w+")
DEAR: Final = 4.0
"""A reading that costs so much is not taken before a wider beam has looked for a cheaper one."""
NEARLY_THE_SAME: Final = 0.3
ANY_VALUE: Final = frozenset({"SCENE", "CHANNEL", "DURATION"})
_TEXTS: Final = ("TEXT", "STRING")
_FREE: Final = ("TEXT", "NEW_NAME")
"""What may be any words, so that having come past it says nothing."""
NAME_PASSED_OVER: Final = 0.9
SAYING: Final = frozenset((SAID, SAID_ON))
_NOT_EXPECTED: Final = frozenset((*SAYING, END))
MAX_WANTS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one sentence may ask of the machine.

    Attributes:
        characters: More than this is not read at all.
        words: Nor are more words.
        work: Moves of the parser and places come to, over all hypotheses and all families that a sentence is read as.
        depth: How deep its stack may get.
        beams: Hypotheses kept at a place; the next number is tried when the one before finds nothing, or only what is dear.
        readings: How many are handed back.
    """

    characters: int = 4_000
    words: int = 240
    work: int = 3_400
    depth: int = 400
    beams: tuple[int, ...] = (12, 24)
    readings: int = 6


CHAT: Final = Limits()
FILE_LINE: Final = Limits(characters=2_000_000, words=60_000, work=400_000, depth=10_000, beams=(12, 24), readings=1)


@dataclass(frozen=True)
class Reading:
    """One way to understand a sentence.

    Attributes:
        cost: Lower is likelier.
        start: The start rule.
    """

    cost: float
    start: str
    _table: Table
    _phrases: PhraseGrammar
    _read: Callable[[], tuple[Leaf, ...]]
    _put_right: Callable[[], tuple[Correction, ...]]

    @cached_property
    def tokens(self) -> tuple[Leaf, ...]:
        """The words as terminals, those without a value too; most readings are too dear for anybody to ask."""
        return self._read()

    @cached_property
    def corrections(self) -> tuple[Correction, ...]:
        """Typos put right, as (typed, read)."""
        return self._put_right()

    @cached_property
    def tree(self) -> Node:
        """The tree, built when it is asked for; a call in it is named for its phrase."""
        return self._table.tree(self.start, self.tokens, self._name)

    def of(self, tokens: tuple[Leaf, ...]) -> "Reading":
        """The same reading of words that mean something else."""
        return replace(self, _read=lambda: tokens)

    def _name(self, node: Node, read: Sequence[Tree]) -> None:
        if node.rule in self._phrases.shapes:
            said = (leaf.value for leaf in read if isinstance(leaf, Leaf) and leaf.type in (SAID, SAID_ON))
            node.rule = self._phrases.meant(node.rule, said)


@dataclass(frozen=True, slots=True)
class Parsed:
    """The readings, cheapest first; at least one."""

    readings: tuple[Reading, ...]

    @property
    def best(self) -> Reading:
        """The cheapest."""
        return self.readings[0]


Reason: TypeAlias = Literal["syntax", "too long", "too complicated"]


@dataclass(frozen=True)
class Stuck:
    """No reading.

    Attributes:
        at: Offset in the cleaned sentence where reading stopped.
        word: The word there, None at the end.
        reason: Whether it does not fit the grammar, or asks too much.
    """

    at: int
    word: str | None
    reason: Reason = "syntax"
    _expected: Callable[[], frozenset[str]] = frozenset
    _read: Callable[[], tuple[Leaf, ...]] = tuple

    @cached_property
    def expected(self) -> frozenset[str]:
        """Terminals that could have gone on there; worked out when asked for, as most failures are of a family not meant."""
        return self._expected()

    @cached_property
    def read(self) -> tuple[Leaf, ...]:
        """What was read up to there, by the likeliest hypothesis."""
        return self._read()


Outcome: TypeAlias = Parsed | Stuck


class _Stack:
    """A parser's stack, shared by all hypotheses that came to it."""

    __slots__ = ("above", "below", "depth", "fed", "phrases", "state")

    def __init__(self, state: int, below: "_Stack | None", phrases: int = 0) -> None:
        self.state = state
        self.below = below
        self.phrases = phrases
        """Within a call, those that are still possible."""
        self.depth: int = 0 if below is None else below.depth + 1
        self.above: dict[int | tuple[int, int], _Stack] = {}
        self.fed: dict[str | int, _Stack | None] = {}

    def on(self, state: int) -> "_Stack":
        """This stack with one more state on it."""
        above = self.above.get(state)
        if above is None:
            above = self.above[state] = _Stack(state, self)
        return above

    def within(self, state: int, phrases: int) -> "_Stack":
        """This stack with a state on it that stands within a call of one of these phrases."""
        above = self.above.get((state, phrases))
        if above is None:
            above = self.above[state, phrases] = _Stack(state, self, phrases)
        return above


_Chain: TypeAlias = "tuple[_Chain, Edge, int] | None"
_Hypothesis: TypeAlias = tuple[float, int, _Stack, _Chain, bool]
"""(cost, order of arrival, stack, what was read, whether the last edge is a span of free text)."""


class _Wants(NamedTuple):
    """What a state asks the lattice for at a word of some form.

    Attributes:
        scans: Terminals known by their form, that such a word may be.
        unknown: Live names, of which none may be known.
        text_only: Whether what is quoted is a text: where any value may stand, its kind is found out from where it goes.
        reluctance: What passing over a word costs more: where a new name or a text may stand, "so" and "lol" are likelier
            to be it than to be passed over.
    """

    scans: tuple[str, ...]
    unknown: tuple[str, ...]
    reluctance: float
    text_only: bool

    @classmethod
    def of(cls, row: Collection[str], form: str) -> "_Wants":
        """Those of the terminals that may come."""
        possible = BY_FORM[form]
        scans = tuple(terminal for terminal in row if terminal in possible)
        # Where a step may be referred to, "the hype scene" has to be a scene that is known.
        refers = "_STEP" in row or "NOUN" in row
        unknown = () if refers else tuple(terminal for terminal in row if terminal in LIVE_TERMINALS)
        text_only = ANY_VALUE.issubset(row) and ("TEXT" in row or "STRING" in row)
        return cls(scans, unknown, NAME_PASSED_OVER if "NEW_NAME" in row or "TEXT" in row else 0.0, text_only)


_WantsOf: TypeAlias = dict[int | tuple[int, int], _Wants]
"""By state, within a call by state and phrases."""


class Driver:
    """A parser for all sentences over the methods of some declarations. Keeps nothing of a sentence but what the next one shares with it.

    Args:
        declarations: Whose phrases become sentences.
        sources: Texts of `.lark` files; those beside this module if left out. A line `// starts: a, b` names start rules.
        lexicons: Lexicon files; all in `grammar/lexicon` if left out.
        tables: A folder in which tables are kept, so that each is made once; None if they are not.
    """

    def __init__(
        self,
        declarations: Declarations,
        sources: Sequence[str] | None = None,
        lexicons: Iterable[Path] | None = None,
        tables: Path | None = None,
    ) -> None:
        self.declarations = declarations
        self.phrases: PhraseGrammar = grammar_of(declarations, tables)
        files = sorted(FOLDER.glob("*.toml")) if lexicons is None else lexicons
        events = tuple(_event_words())
        made_of = (self.phrases.made_of, *(f"{name} {words}" for _, name, words in events))
        lexicon = load(files, lambda: (*self.phrases.entries, *events), made_of, (SAID,), tables)
        sayings = {group.name: group.words for group in self.phrases.groups}
        self.lexicon = replace(lexicon, first_phrase={**lexicon.first_phrase, **sayings})
        self._vocabulary = vocabulary_of(self.lexicon)
        self._table = table_of(*grammar_text(sources, self.phrases), tables)
        self._last: tuple[LiveLexicon, Limits, Lattice] | None = None
        self._read_as: set[str] = set()
        self._work = 0
        self._calls = calls_of(self._table, self.phrases)
        self._wants: dict[str, _WantsOf] = {form: {} for form in BY_FORM}

    def _lattice_of(self, sentence: str, live: LiveLexicon, limits: Limits, start: str) -> Lattice:
        """The edges of a sentence; those of the last one are kept, since a sentence is read as several families.

        Read as the same family again it is said again, and what was done for it before does not count any more.
        """
        kept = self._last
        is_same = kept is not None and kept[0] is live and kept[1] is limits and kept[2].text == sentence
        if kept is not None and is_same and start not in self._read_as:
            self._read_as.add(start)
            return kept[2]
        self._read_as = {start}
        if kept is not None:
            self._work += kept[2].work
        words = read_words(sentence, limits.words)
        lattice = Lattice(sentence, words, self.lexicon, self._vocabulary, live, self.phrases.continues)
        self._last = (live, limits, lattice)
        return lattice

    @property
    def starts(self) -> frozenset[str]:
        """The start rules."""
        return frozenset(self._table.starts)

    @property
    def work(self) -> int:
        """What has been done for all sentences so far, as it is limited for each."""
        return self._work + (self._last[2].work if self._last is not None else 0)

    @property
    def table_size(self) -> tuple[int, int]:
        """How many states the table has, and how many actions."""
        return len(self._table.actions), sum(len(row) for row in self._table.actions)

    def parse(
        self, text: str, live: LiveLexicon, start: str, limits: Limits = CHAT, until: float = math.inf
    ) -> Outcome:
        """Read one sentence.

        Args:
            text: The sentence.
            live: Names known right now.
            start: The start rule.
            limits: How much it may ask.
            until: What the work for all sentences may come to.
        """
        sentence = text if self._last is not None and self._last[2].text == text else clean(text)
        if len(sentence) > limits.characters:
            return Stuck(limits.characters, None, "too long")
        lattice = self._lattice_of(sentence, live, limits, start)
        if len(lattice.words) > limits.words:
            return Stuck(lattice.words[-1].start, lattice.words[-1].text, "too long")
        most = min(limits.work, until - self._work)
        run = _Run(self._table, self._calls, self._wants, lattice, self._table.ends[start], limits, most)
        done: list[_Hypothesis] = []
        stuck: Stuck | None = None
        for beam in limits.beams:
            found = run.over(self._table.starts[start], beam)
            if isinstance(found, Stuck):
                stuck = found
                if found.reason != "syntax" or not run.dropped:
                    break
                continue
            done = found
            if not run.dropped or found[0][0] < DEAR:
                break
        if stuck is not None and not done:
            return stuck
        return Parsed(
            tuple(
                Reading(
                    cost, start, self._table, self.phrases, partial(run.tokens, chain), partial(_corrections, chain)
                )
                for cost, _, _, chain, _ in done
            )
        )


class _Run:
    """One sentence on its way through the table."""

    def __init__(
        self,
        table: Table,
        calls: Calls,
        wants: Mapping[str, _WantsOf],
        lattice: Lattice,
        end_state: int,
        limits: Limits,
        most: float,
    ) -> None:
        self._actions = table.actions
        self._gotos = table.gotos
        self._reductions = calls.reductions
        self._within = calls.within
        self._calls = calls
        self._wants = wants
        self._lattice = lattice
        self._end_state = end_state
        self._limits = limits
        self._most = most
        self._arrivals = 0
        self.dropped = False
        """Whether the last beam was too narrow for all hypotheses, so that a wider one may find more."""

    def over(self, start_state: int, beam: int) -> list[_Hypothesis] | Stuck:
        """Move a beam over the words."""
        self.dropped = False
        lattice = self._lattice
        count = len(lattice.words)
        agenda: list[list[_Hypothesis] | None] = [None] * (count + 1)
        first: _Hypothesis = (0.0, 0, _Stack(start_state, None), None, False)
        agenda[0] = [first]
        furthest: tuple[int, list[_Hypothesis]] = (0, [first])
        for place in range(count + 1):
            arrived = agenda[place]
            if not arrived:
                continue
            kept = self._cheapest(arrived, beam)
            for hypothesis in kept:
                if not hypothesis[4]:
                    furthest = (place, kept)
                    break
            if place == count:
                done = [hypothesis for hypothesis in self._cheapest(arrived, beam * 2) if self._accepts(hypothesis[2])]
                if done:
                    return _distinct(done, self._limits.readings)
                break
            self._advance(kept, place, agenda)
            agenda[place] = None
            if lattice.work > self._most:
                return self._stuck(place, kept, "too complicated")
        place, kept = furthest
        return self._stuck(place, [hypothesis for hypothesis in kept if not hypothesis[4]], "syntax")

    def _cheapest(self, arrived: list[_Hypothesis], beam: int) -> list[_Hypothesis]:
        """The best of those that arrived at a place; of equal stacks the cheapest, and a second that costs nearly the same."""
        if len(arrived) == 1:
            return arrived
        arrived.sort()  # no two arrive as the same, so that nothing is compared after that
        seen: dict[int, float] = {}
        kept: list[_Hypothesis] = []
        for hypothesis in arrived:
            stack = id(hypothesis[2])
            if stack in seen and (seen[stack] < 0 or hypothesis[0] - seen[stack] > NEARLY_THE_SAME):
                continue
            if len(kept) >= beam:
                self.dropped = True
                break
            seen[stack] = -1.0 if stack in seen else hypothesis[0]
            kept.append(hypothesis)
        return kept

    def _advance(self, kept: list[_Hypothesis], place: int, agenda: list[list[_Hypothesis] | None]) -> None:
        """Move hypotheses over what begins at a place.

        Most of what a message costs is spent in here, so it calls as little as it can.
        """
        lattice = self._lattice
        around = lattice.place(place)
        known, before = self._wants[around.form], self._arrivals
        arrivals = before
        for cost, _, stack, chain, _ in kept:
            wants = known.get((stack.state, stack.phrases) if stack.phrases else stack.state)
            if wants is None:
                wants = self._find_wants(stack, around.form)
            fed = stack.fed
            for edge in self._edges(stack.state, wants, place, around):
                terminal, value, length, extra, quoted, _, _ = edge
                group = value if terminal in SAYING else None
                key = terminal if group is None else group
                after = fed[key] if key in fed else self.feed(stack, terminal, group)
                if after is None:
                    continue
                arrivals += 1
                free = not quoted and terminal in _FREE
                arrived: _Hypothesis = (cost + extra, arrivals, after, (chain, edge, place), free)
                waiting = agenda[place + length]
                if waiting is None:
                    agenda[place + length] = [arrived]
                else:
                    waiting.append(arrived)
            if chain is not None and chain[1].terminal == "TEXT" and not chain[1].quoted:
                continue  # what follows a text without quotes is the text's: `say not bad after all`
            for end, extra in around.fillers:
                arrivals += 1
                arrived = (cost + extra + wants.reluctance, arrivals, stack, chain, False)
                waiting = agenda[end]
                if waiting is None:
                    agenda[end] = [arrived]
                else:
                    waiting.append(arrived)
        self._arrivals = arrivals
        lattice.work += arrivals - before

    def _edges(self, state: int, wants: _Wants, place: int, around: Place) -> list[Edge]:
        """What may come in a state, of all that could begin at a place."""
        row, lattice = self._actions[state], self._lattice
        edges = [edge for edge in around.fixed if edge[0] in row]
        for terminal in wants.scans:
            found = around.scanned.get(terminal)
            if found is None:
                found = lattice.scanned(place, terminal)
            if found and wants.text_only and terminal not in _TEXTS:
                edges += [edge for edge in found if not edge.quoted]
            else:
                edges += found
        for terminal in wants.unknown:
            if terminal in lattice.unsure:
                edges += lattice.unknown(place, terminal)
        return edges

    def _find_wants(self, stack: _Stack, form: str) -> _Wants:
        """What a state asks for; within a call only what one of its phrases goes on with."""
        row, known = self._actions[stack.state], self._wants[form]
        if not stack.phrases:
            wants = known[stack.state] = _Wants.of(row, form)
            return wants
        if len(known) >= MAX_WANTS:
            known.clear()
        possible = [terminal for terminal in row if self._may_come(stack, terminal)]
        wants = known[stack.state, stack.phrases] = _Wants.of(possible, form)
        return wants

    def _may_come(self, stack: _Stack, terminal: str) -> bool:
        action = self._actions[stack.state][terminal]
        if action >= 0:
            within = self._calls.within.get(action)
            return within is None or not within.only or self._calls.left(action, stack.phrases, None) != 0
        ending = self._calls.ending.get(~action)
        return ending is None or stack.phrases & ending != 0

    def feed(self, stack: _Stack, terminal: str, group: int | None = None) -> _Stack | None:
        """The stack after a terminal, or after words of a call, or None if they cannot come here."""
        key = terminal if group is None else group
        if key in stack.fed:
            return stack.fed[key]
        actions, gotos, reductions, deepest = self._actions, self._gotos, self._reductions, self._limits.depth
        at = stack
        result: _Stack | None = None
        work = 0
        while True:
            work += 1
            action = actions[at.state].get(terminal)
            if action is None or at.depth > deepest:
                break
            if action >= 0:
                result = self._shifted(at, action, group)
                break
            # As in `_reduced`, which would be called for every one of a message's hundred.
            length, origin, ending = reductions[~action]
            if ending and not at.phrases & ending:
                break
            for _ in range(length):
                at = at.below  # type: ignore[assignment]
            state = gotos[at.state][origin]
            above = at.above.get(state)
            if above is None:
                above = at.above[state] = _Stack(state, at)
            at = above
        self._lattice.work += work
        stack.fed[key] = result
        return result

    def _shifted(self, stack: _Stack, state: int, group: int | None) -> _Stack | None:
        within = self._within.get(state)
        if within is None:
            return stack.on(state)
        left = self._calls.left(state, stack.phrases, group)
        return None if within.only and not left else stack.within(state, left)

    def _reduced(self, stack: _Stack, number: int) -> _Stack | None:
        length, origin, ending = self._reductions[number]
        if ending and not stack.phrases & ending:
            return None
        for _ in range(length):
            stack = stack.below  # type: ignore[assignment]  # a reduction never takes more than there is
        return stack.on(self._gotos[stack.state][origin])

    def _accepts(self, stack: _Stack) -> bool:
        while stack.state != self._end_state:
            action = self._actions[stack.state].get(END)
            if action is None or action >= 0:
                return False
            below = self._reduced(stack, ~action)
            if below is None:
                return False
            stack = below
        return True

    def tokens(self, chain: _Chain) -> tuple[Leaf, ...]:
        """What a hypothesis read, as words of the tree."""
        words, text = self._lattice.words, self._lattice.text
        found: list[Leaf] = []
        while chain is not None:
            chain, (terminal, value, length, _, quoted, _, lead), place = chain
            start, end = words[place + lead].start, words[place + length - 1].end
            typed = text[start:end]
            found.append(Leaf(terminal, typed if value is None else value, typed, start, end, quoted))
        found.reverse()
        return tuple(found)

    def _stuck(self, place: int, kept: list[_Hypothesis], reason: Reason) -> Stuck:
        words = self._lattice.words
        chain = min(kept)[3] if kept else None
        at, word = (words[place].start, words[place].text) if place < len(words) else (len(self._lattice.text), None)
        return Stuck(at, word, reason, lambda: self._expected(kept), lambda: self.tokens(chain))

    def _expected(self, kept: list[_Hypothesis]) -> frozenset[str]:
        """The terminals that can come after one of them; for words of calls the names of their groups."""
        found: set[str] = set()
        for stack in {id(hypothesis[2]): hypothesis[2] for hypothesis in kept}.values():
            row = self._actions[stack.state]
            self._try(stack, row.keys() - found - _NOT_EXPECTED, found)
            if SAID in row and self.feed(stack, SAID, self._calls.beginning) is not None:
                found |= self._calls.begins
            state = row.get(SAID_ON, -1)
            if state >= 0:
                for number, group in enumerate(self._calls.groups):
                    if group.terminal == SAID_ON and self._calls.left(state, stack.phrases, number):
                        found.add(group.name)
        return frozenset(found)

    def _try(self, stack: _Stack, terminals: Collection[str], found: set[str]) -> None:
        """Find those of some terminals that can come after a stack; those that end the same rule are followed together."""
        row = self._actions[stack.state]
        ended: dict[int, list[str]] = {}
        for terminal in terminals if stack.depth <= self._limits.depth else ():
            action = row.get(terminal)
            if action is None:
                continue
            if action < 0:
                ended.setdefault(~action, []).append(terminal)
            elif self._shifted(stack, action, None) is not None:
                found.add(terminal)
        self._lattice.work += 1 + len(ended)
        for rule, before in ended.items():
            after = self._reduced(stack, rule)
            if after is not None:
                self._try(after, before, found)


def _distinct(done: list[_Hypothesis], limit: int) -> list[_Hypothesis]:
    return sorted(done)[:limit]


def _corrections(chain: _Chain) -> tuple[Correction, ...]:
    found: list[Correction] = []
    while chain is not None:
        chain, edge, _ = chain
        found.extend(reversed(edge.corrections))
    return tuple(reversed(found))


def _event_words() -> Iterator[tuple[str, str, str]]:
    """The canonical words of each event, so that what the bot says of one is always read back."""
    for kind in types():
        yield "EVENT", kind.name, " ".join(keys(kind.clause))
        if kind.noun is not None:
            yield "EVENT", kind.name, " ".join(keys(f"a {kind.noun}"))


# Grammar files ----------------------------------------------------------------------------------------------------------


def _grammar_files() -> list[Path]:
    return [_HERE / name for name in GRAMMARS if (_HERE / name).exists()]


def grammar_text(texts: Sequence[str] | None, phrases: PhraseGrammar) -> tuple[str, list[str]]:
    """One grammar of all texts, those beside this module if none are given, and its start rules.

    Every terminal is declared, none is defined.
    """
    texts = [path.read_text(encoding="utf-8") for path in _grammar_files()] if texts is None else texts
    starts = [start.strip() for text in texts for found in STARTS_MARK.findall(text) for start in found.split(",")]
    bare = [_COMMENT.sub("", text) for text in (*texts, phrases.rules)]
    terminals = sorted({name for text in bare for name in _TERMINAL.findall(_ALIAS.sub("", text))})
    return f"%declare {' '.join(terminals)}\n" + "\n".join(bare), starts
