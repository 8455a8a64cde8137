"""Drives Lark's LALR table over a word lattice: the one module that knows Lark.

    driver = Driver(declarations)                         # builds the table once, about a third of a second
    live = LiveLexicon([*names_on_stream(names), ("WORKFLOW", "raid", "raid_id"), ("IN_WORKFLOW", "in raid", "raid_id")])
    match driver.parse(sentence, live, start="trigger"):
        case Parsed(readings=(best, *others)): best.tree, best.cost, best.corrections, best.tokens
        case Stuck(at, word, expected): ...

Grammar files hold structure only; every terminal is declared here and comes from the lattice, so a terminal that begins
with `_` is dropped from trees and any other stays as a `Leaf`. Terminals known by their form (`grammar.lattice.SCANNED`):
TEXT STRING NEW_NAME USER CHANNEL SCENE SOURCE SOUND REWARD WORKFLOW NUMBER DURATION TIME DATE DAYS FORMULA IDENTIFIER JSON NAME
COMMAND ARGUMENT VARIABLE METHOD STEP_NUMBER. A quoted word is an edge for each of `QUOTABLE` that the state wants, `Leaf.quoted` says so;
STRING is only ever quoted. All others come from `grammar/lexicon/*.toml` and from the `LiveLexicon`.

A beam of the cheapest hypotheses moves over the words; hypotheses at the same place with the same stack are one (a second
is kept if it costs nearly the same). Work is counted, so the worst message ends in milliseconds with "too complicated".
Rows of Lark's table are read directly: copying its public interactive parser for every edge takes ten times as long. A
contract test (`tests/grammar/test_driver_table.py`) pins what is used of it. The winner's words are then fed to the public
interactive parser, which builds the tree.
"""

import gc
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast

from lark import Lark
from lark.lexer import Lexer
from lark.parsers.lalr_analysis import Shift

from engine.declare import Declarations
from engine.events import types
from grammar.lattice import SCANNED, Correction, Edge, Lattice, read_words, vocabulary_of
from grammar.lexicon import FOLDER, LIVE_TERMINALS, LiveLexicon, load
from grammar.phrases import PhraseGrammar, grammar_of
from grammar.tree import Leaf, Node
from grammar.words import clean, keys

_HERE: Final = Path(__file__).parent
GRAMMARS: Final = ("steps.lark", "triggers.lark", "policies.lark", "edits.lark", "manage.lark")
STARTS_MARK: Final = re.compile(r"^//\s*starts:\s*(.+)$", re.MULTILINE)
_TERMINAL: Final = re.compile(r"\b_?[A-Z][A-Z0-9_]*\b")
_COMMENT: Final = re.compile(r"//.*$", re.MULTILINE)
_ALIAS: Final = re.compile(r"->\s*\w+")
END: Final = "$END"
NEARLY_THE_SAME: Final = 0.3
NAME_PASSED_OVER: Final = 0.9


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one sentence may ask of the machine.

    Attributes:
        characters: More than this is not read at all.
        words: Nor are more words.
        steps: Moves of the parser, over all hypotheses.
        depth: How deep its stack may get.
        beams: Hypotheses kept at a place; the next number is tried when the one before finds nothing.
        readings: How many are handed back.
    """

    characters: int = 4_000
    words: int = 240
    steps: int = 3_000
    depth: int = 400
    beams: tuple[int, ...] = (4, 16)
    readings: int = 6


CHAT: Final = Limits()
FILE_LINE: Final = Limits(characters=2_000_000, words=60_000, steps=400_000, depth=10_000, beams=(4, 16), readings=1)


@dataclass(frozen=True)
class Reading:
    """One way to understand a sentence.

    Attributes:
        cost: Lower is likelier.
        corrections: Typos put right, as (typed, read).
        tokens: The words as terminals, those without a value too.
    """

    cost: float
    corrections: tuple[Correction, ...]
    tokens: tuple[Leaf, ...]
    start: str
    _lark: Lark

    @cached_property
    def tree(self) -> Node:
        """The tree, built when it is asked for."""
        parser = self._lark.parse_interactive(start=self.start)
        for token in self.tokens:
            parser.feed_token(cast("Any", token))
        return cast("Node", parser.feed_token(cast("Any", Leaf(END, None, "", 0, 0))))


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


class _NoLexer(Lexer):
    """Lark asks for a lexer; the lattice is ours."""

    def __init__(self, conf: object) -> None:
        del conf

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Any]:
        del lexer_state, parser_state
        return iter(())


class _Stack:
    """A parser's stack, shared by all hypotheses that came to it."""

    __slots__ = ("above", "below", "depth", "fed", "state")

    def __init__(self, state: int, below: "_Stack | None") -> None:
        self.state = state
        self.below = below
        self.depth: int = 0 if below is None else below.depth + 1
        self.above: dict[int, _Stack] = {}
        self.fed: dict[str, _Stack | None] = {}

    def on(self, state: int) -> "_Stack":
        """This stack with one more state on it."""
        above = self.above.get(state)
        if above is None:
            above = self.above[state] = _Stack(state, self)
        return above


_Row: TypeAlias = dict[str, tuple[int, int, str]]
"""Terminal or rule -> (next state, -1, "") for a shift or goto, or (0, length, rule) for a reduction."""

_Chain: TypeAlias = "tuple[_Chain, Edge, int] | None"
_Hypothesis: TypeAlias = tuple[float, int, _Stack, _Chain, bool]
"""(cost, order of arrival, stack, what was read, whether the last edge is a span of free text)."""


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
        self.phrases: PhraseGrammar = grammar_of(declarations)
        texts = sources if sources is not None else [path.read_text(encoding="utf-8") for path in _grammar_files()]
        files = sorted(FOLDER.glob("*.toml")) if lexicons is None else lexicons
        spoken = [(terminal, None, words) for terminal, words in self.phrases.entries]
        self.lexicon = load(files, [*spoken, *_event_words()], self.phrases.starts)
        self._vocabulary = vocabulary_of(self.lexicon)
        self._lark = _build(texts, self.phrases, tables)
        self._rows, self._starts, self._ends = _table_of(self._lark)
        self._last: tuple[LiveLexicon, Limits, Lattice] | None = None
        self._scans = [tuple(terminal for terminal in row if terminal in SCANNED) for row in self._rows]
        # Where any value may stand, one in quotes is a text; what it is of is found out from where it goes.
        self._any_value = [
            {"SCENE", "CHANNEL", "DURATION"} <= row.keys() and bool({"TEXT", "STRING"} & row.keys())
            for row in self._rows
        ]
        # Where a step may be referred to, "the hype scene" has to be a scene that is known.
        self._unknown = [
            () if "_STEP" in row else tuple(terminal for terminal in row if terminal in LIVE_TERMINALS)
            for row in self._rows
        ]

    def _lattice_of(self, sentence: str, live: LiveLexicon, limits: Limits) -> Lattice:
        """The edges of a sentence; those of the last one are kept, since a sentence is read as several families."""
        kept = self._last
        if kept is not None and kept[0] is live and kept[1] is limits and kept[2].text == sentence:
            return kept[2]
        words = read_words(sentence, limits.words)
        lattice = Lattice(sentence, words, self.lexicon, self._vocabulary, live, self.phrases.continues)
        self._last = (live, limits, lattice)
        return lattice

    @property
    def starts(self) -> frozenset[str]:
        """The start rules."""
        return frozenset(self._starts)

    def parse(self, text: str, live: LiveLexicon, start: str, limits: Limits = CHAT) -> Outcome:
        """Read one sentence."""
        sentence = clean(text)
        if len(sentence) > limits.characters:
            return Stuck(limits.characters, None, "too long")
        lattice = self._lattice_of(sentence, live, limits)
        if len(lattice.words) > limits.words:
            return Stuck(lattice.words[-1].start, lattice.words[-1].text, "too long")
        run = _Run(self._rows, self._scans, self._unknown, self._any_value, lattice, self._ends[start], limits)
        outcome: Outcome | None = None
        for beam in limits.beams:
            found = run.over(self._starts[start], beam)
            if isinstance(found, Stuck):
                outcome = found
                if found.reason != "syntax" or not run.dropped:
                    break
                continue
            readings = tuple(
                Reading(cost, _corrections(chain), run.tokens(chain), start, self._lark)
                for cost, _, _, chain, _ in found
            )
            return Parsed(readings)
        if outcome is None:
            raise AssertionError("there is at least one beam")
        return outcome


class _Run:
    """One sentence on its way through the table."""

    def __init__(
        self,
        rows: list[_Row],
        scans: list[tuple[str, ...]],
        unknown: list[tuple[str, ...]],
        any_value: list[bool],
        lattice: Lattice,
        end_state: int,
        limits: Limits,
    ) -> None:
        self._rows = rows
        self._scans = scans
        self._unknown = unknown
        self._any_value = any_value
        self._lattice = lattice
        self._end_state = end_state
        self._limits = limits
        self._steps = 0
        self._arrivals = 0
        self.dropped = False
        """Whether the last beam was too narrow for all hypotheses, so that a wider one may find more."""

    def over(self, start_state: int, beam: int) -> list[_Hypothesis] | Stuck:
        """Move a beam over the words."""
        self.dropped = False
        count = len(self._lattice.words)
        agenda: list[list[_Hypothesis] | None] = [None] * (count + 1)
        first: _Hypothesis = (0.0, 0, _Stack(start_state, None), None, False)
        agenda[0] = [first]
        furthest: tuple[int, list[_Hypothesis]] = (0, [first])
        for place in range(count + 1):
            arrived = agenda[place]
            if not arrived:
                continue
            kept = self._cheapest(arrived, beam)
            if any(not hypothesis[4] for hypothesis in kept):
                furthest = (place, [hypothesis for hypothesis in kept if not hypothesis[4]])
            if place == count:
                done = [hypothesis for hypothesis in self._cheapest(arrived, beam * 2) if self._accepts(hypothesis[2])]
                if done:
                    return _distinct(done, self._limits.readings)
                break
            for hypothesis in kept:
                self._advance(hypothesis, place, agenda)
            agenda[place] = None
            if self._steps > self._limits.steps:
                return self._stuck(place, kept, "too complicated")
        return self._stuck(*furthest, "syntax")

    def _cheapest(self, arrived: list[_Hypothesis], beam: int) -> list[_Hypothesis]:
        """The best of those that arrived at a place; of equal stacks the cheapest, and a second that costs nearly the same."""
        if len(arrived) == 1:
            return arrived
        arrived.sort(key=_cost)
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

    def _advance(self, hypothesis: _Hypothesis, place: int, agenda: list[list[_Hypothesis] | None]) -> None:
        cost, _, stack, chain, _ = hypothesis
        row = self._rows[stack.state]
        lattice = self._lattice
        for edge in lattice.fixed(place):
            if edge.terminal in row:
                self._follow(edge, place, cost, stack, chain, agenda)
        text_only = self._any_value[stack.state]
        for terminal in self._scans[stack.state]:
            for edge in lattice.scanned(place, terminal):
                if not (text_only and edge.quoted) or terminal in ("TEXT", "STRING"):
                    self._follow(edge, place, cost, stack, chain, agenda)
        for terminal in self._unknown[stack.state]:
            for edge in lattice.unknown(place, terminal):
                self._follow(edge, place, cost, stack, chain, agenda)
        # Where a new name or a text may stand, "so" and "lol" are likelier to be it than to be passed over.
        reluctance = NAME_PASSED_OVER if "NEW_NAME" in row or "TEXT" in row else 0.0
        for after, extra in lattice.fillers(place):
            self._arrive(agenda, after, (cost + extra + reluctance, self._next(), stack, chain, False))

    def _follow(
        self,
        edge: Edge,
        place: int,
        cost: float,
        stack: _Stack,
        chain: _Chain,
        agenda: list[list[_Hypothesis] | None],
    ) -> None:
        fed = self.feed(stack, edge.terminal)
        if fed is not None:
            free = edge.terminal in ("TEXT", "NEW_NAME") and not edge.quoted
            link = (chain, edge, place if edge.start < 0 else edge.start)
            self._arrive(agenda, edge.end, (cost + edge.cost, self._next(), fed, link, free))

    @staticmethod
    def _arrive(agenda: list[list[_Hypothesis] | None], place: int, hypothesis: _Hypothesis) -> None:
        waiting = agenda[place]
        if waiting is None:
            agenda[place] = [hypothesis]
        else:
            waiting.append(hypothesis)

    def _next(self) -> int:
        self._arrivals += 1
        return self._arrivals

    def feed(self, stack: _Stack, terminal: str) -> _Stack | None:
        """The stack after a terminal, or None if it cannot come here."""
        if terminal in stack.fed:
            return stack.fed[terminal]
        at: _Stack = stack
        result: _Stack | None = None
        while True:
            self._steps += 1
            action = self._rows[at.state].get(terminal)
            if action is None or at.depth > self._limits.depth:
                break
            state, length, rule = action
            if length < 0:
                result = at.on(state)
                break
            at = self._reduced(at, length, rule)
        stack.fed[terminal] = result
        return result

    def _reduced(self, stack: _Stack, length: int, rule: str) -> _Stack:
        for _ in range(length):
            stack = cast("_Stack", stack.below)  # a reduction never takes more than there is
        return stack.on(self._rows[stack.state][rule][0])

    def _accepts(self, stack: _Stack) -> bool:
        while stack.state != self._end_state:
            action = self._rows[stack.state].get(END)
            if action is None:
                return False
            state, length, rule = action
            if length < 0:
                return state == self._end_state
            stack = self._reduced(stack, length, rule)
        return True

    def tokens(self, chain: _Chain) -> tuple[Leaf, ...]:
        """What a hypothesis read, as words of the tree."""
        words, text = self._lattice.words, self._lattice.text
        found: list[Leaf] = []
        while chain is not None:
            chain, edge, place = chain
            start, end = words[place].start, words[edge.end - 1].end
            typed = text[start:end]
            value = typed if edge.value is None else edge.value
            found.append(Leaf(edge.terminal, value, typed, start, end, edge.quoted))
        return tuple(reversed(found))

    def _stuck(self, place: int, kept: list[_Hypothesis], reason: Reason) -> Stuck:
        words = self._lattice.words
        chain = min(kept)[3] if kept else None
        at, word = (words[place].start, words[place].text) if place < len(words) else (len(self._lattice.text), None)
        return Stuck(at, word, reason, lambda: self._expected(kept), lambda: self.tokens(chain))

    def _expected(self, kept: list[_Hypothesis]) -> frozenset[str]:
        return frozenset(
            terminal
            for hypothesis in kept
            for terminal in self._rows[hypothesis[2].state]
            if terminal.lstrip("_").isupper() and self.feed(hypothesis[2], terminal) is not None
        )


def _cost(hypothesis: _Hypothesis) -> tuple[float, int]:
    return hypothesis[0], hypothesis[1]


def _distinct(done: list[_Hypothesis], limit: int) -> list[_Hypothesis]:
    return sorted(done, key=_cost)[:limit]


def _corrections(chain: _Chain) -> tuple[Correction, ...]:
    found: list[Correction] = []
    while chain is not None:
        chain, edge, _ = chain
        found.extend(reversed(edge.corrections))
    return tuple(reversed(found))


def _event_words() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The canonical words of each event, so that what the bot says of one is always read back."""
    for kind in types():
        yield "EVENT", kind.name, keys(kind.clause)
        if kind.noun is not None:
            yield "EVENT", kind.name, keys(f"a {kind.noun}")


# Lark --------------------------------------------------------------------------------------------------------------------


def _grammar_files() -> list[Path]:
    return [_HERE / name for name in GRAMMARS if (_HERE / name).exists()]


def _build(texts: Sequence[str], phrases: PhraseGrammar, tables: Path | None) -> Lark:
    """One Lark grammar from all texts; every terminal is declared, none is defined."""
    starts = [start.strip() for text in texts for found in STARTS_MARK.findall(text) for start in found.split(",")]
    bare = [_COMMENT.sub("", text) for text in (*texts, phrases.rules)]
    terminals = sorted({name for text in bare for name in _TERMINAL.findall(_ALIAS.sub("", text))})
    with _no_collecting():
        return _lark_of(terminals, bare, starts, tables)


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Making the table allocates much and frees little: looking for garbage meanwhile costs a fifth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _lark_of(terminals: list[str], bare: list[str], starts: list[str], tables: Path | None) -> Lark:
    text = f"%declare {' '.join(terminals)}\n" + "\n".join(bare)
    digest = sha256("\n".join((text, *starts)).encode()).hexdigest()[:24]
    return Lark(
        text,
        cache=False if tables is None else str(tables / f"{digest}.table"),
        parser="lalr",
        lexer=_NoLexer,
        start=starts,
        maybe_placeholders=False,
        tree_class=Node,
    )


def _table_of(lark: Lark) -> tuple[list[_Row], dict[str, int], dict[str, int]]:
    """Lark's table in the form that is quickest to walk, with the start and end state of each start rule."""
    table = cast("Any", lark).parser.parser._parse_table  # noqa: SLF001  pinned by the contract test
    rows: list[_Row] = [{} for _ in range(max(table.states) + 1)]
    for state, row in table.states.items():
        for symbol, (action, argument) in row.items():
            if action is Shift:
                rows[state][str(symbol)] = (argument, -1, "")
            else:
                rows[state][str(symbol)] = (0, len(argument.expansion), str(argument.origin.name))
    return rows, dict(table.start_states), dict(table.end_states)
