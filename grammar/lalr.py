"""Makes the LALR(1) table of a grammar, by DeRemer and Pennello's method.

Lark reads the grammar and could make the table as well; with sets of objects, though, that takes a second, which was most
of a start. Here symbols, items and states are numbers and a set of terminals is the bits of one number. The tables are the
same: a test holds them against Lark's (`tests/grammar/test_driver_table.py`). Where a terminal may be shifted or end a
rule, it is shifted, as with Lark; two rules that could end at the same terminal are an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

END: Final = "$END"
_Place: TypeAlias = tuple[int, int]
"""(state, rule that is read from there), or (state, production that ends there)."""


class Production(NamedTuple):
    """One alternative of a rule."""

    origin: str
    symbols: tuple[str, ...]


class GrammarConflict(ValueError):
    """Two rules end with the same words before the same terminal."""


@dataclass(frozen=True, slots=True)
class State:
    """What may come in one state.

    Attributes:
        shifts: The next state by terminal.
        gotos: The next state by rule.
        reduces: (production, terminals before which it ends).
    """

    shifts: dict[str, int]
    gotos: dict[str, int]
    reduces: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Automaton:
    """All states, and where each start rule begins and ends."""

    states: tuple[State, ...]
    starts: dict[str, int]
    ends: dict[str, int]


def automaton_of(productions: Sequence[Production], starts: Sequence[str]) -> Automaton:
    """The table of a grammar.

    Raises:
        GrammarConflict: It is ambiguous for one word of look-ahead.
    """
    return _Analysis(productions, starts).automaton()


class _Analysis:
    """Numbers for everything: rules come before terminals among the symbols; an item is a place in a production.

    A production's items are numbered in a row, so the item after a symbol is the next number.
    """

    def __init__(self, productions: Sequence[Production], starts: Sequence[str]) -> None:
        roots = [Production(f"$root_{start}", (start,)) for start in starts]
        self._productions = [*productions, *roots]
        self._start_names = starts
        names = list(dict.fromkeys(production.origin for production in self._productions))
        self._rules = len(names)
        number = {name: place for place, name in enumerate(names)}
        for production in self._productions:
            for symbol in production.symbols:
                number.setdefault(symbol, len(number))
        self._end = number.setdefault(END, len(number))
        self._names = list(number)
        self._origins = [number[production.origin] for production in self._productions]
        self._expansions = [tuple(number[symbol] for symbol in production.symbols) for production in self._productions]
        self._of_rule: list[list[int]] = [[] for _ in range(self._rules)]
        self._first_items: list[int] = []
        self._next_symbol: list[int] = []
        self._production_of: dict[int, int] = {}
        for place, (origin, expansion) in enumerate(zip(self._origins, self._expansions, strict=True)):
            self._of_rule[origin].append(place)
            self._first_items.append(len(self._next_symbol))
            self._next_symbol.extend((*expansion, -1))
            self._production_of[len(self._next_symbol) - 1] = place
        self._nullable = self._all_nullable()
        self._ended: list[tuple[int, int, _Place]] = []
        self._moves: list[dict[int, int]] = []
        self._complete: list[list[int]] = []

    def automaton(self) -> Automaton:
        """Everything, step by step."""
        starts = self._number_states(self._first_items[-len(self._start_names) :])
        follow = self._follows(starts)
        lookaheads = self._lookaheads(follow)
        decode = _Decoder(self._names)
        states = tuple(self._state(state, lookaheads, decode) for state in range(len(self._moves)))
        begins = dict(zip(self._start_names, starts, strict=True))
        number = {name: place for place, name in enumerate(self._names)}
        ends = {name: self._moves[state][number[name]] for name, state in begins.items()}
        return Automaton(states, begins, ends)

    def _all_nullable(self) -> list[bool]:
        nullable = [False] * len(self._names)
        changed = True
        while changed:
            changed = False
            for origin, expansion in zip(self._origins, self._expansions, strict=True):
                if not nullable[origin] and all(nullable[symbol] for symbol in expansion):
                    nullable[origin] = changed = True
        return nullable

    # States ----------------------------------------------------------------------------------------------------------------

    def _number_states(self, firsts: Sequence[int]) -> list[int]:
        """The states that can be come to; those of the given first items are the first."""
        known: dict[tuple[int, ...], int] = {}
        waiting: list[tuple[int, ...]] = []

        def numbered(kernel: tuple[int, ...]) -> int:
            state = known.get(kernel)
            if state is None:
                state = known[kernel] = len(waiting)
                waiting.append(kernel)
            return state

        starts = [numbered((first,)) for first in firsts]
        begins = _Closure(self._rules, self._of_rule, self._expansions, self._first_items)
        for kernel in waiting:
            after: dict[int, list[int]] = {}
            complete: list[int] = []
            wanted: set[int] = set()
            for item in kernel:
                symbol = self._next_symbol[item]
                if symbol < 0:
                    complete.append(self._production_of[item])
                    continue
                after.setdefault(symbol, []).append(item + 1)
                if symbol < self._rules:
                    wanted.add(symbol)
            empty, opened = begins.of(frozenset(wanted))
            complete.extend(empty)
            for symbol, items in opened.items():
                own = after.get(symbol)
                after[symbol] = items if own is None else sorted({*own, *items})
            self._moves.append({symbol: numbered(tuple(items)) for symbol, items in after.items()})
            self._complete.append(complete)
        return starts

    # Lookaheads ------------------------------------------------------------------------------------------------------------

    def _follows(self, starts: Sequence[int]) -> dict[_Place, int]:
        """The terminals that can follow each rule from each state, as bits."""
        reads: dict[_Place, list[_Place]] = {}
        direct: dict[_Place, int] = {}
        rules, nullable = self._rules, self._nullable
        shifted = [sum(1 << symbol for symbol in moves if symbol >= rules) for moves in self._moves]
        for state, moves in enumerate(self._moves):
            for symbol, after in moves.items():
                if symbol < rules:
                    direct[state, symbol] = shifted[after]
                    for each in self._moves[after]:
                        if nullable[each]:
                            reads.setdefault((after, each), []).append((state, symbol))
        for place, state in enumerate(starts):
            symbol = self._expansions[len(self._expansions) - len(starts) + place][0]
            direct[state, symbol] |= 1 << self._end
        return _spread(_spread(direct, reads), self._includes())

    def _includes(self) -> dict[_Place, list[_Place]]:
        """What follows a rule follows those that end it too; on the way, which productions end where."""
        includes: dict[_Place, list[_Place]] = {}
        rules, nullable = self._rules, self._nullable
        for state, moves in enumerate(self._moves):
            for origin in moves:
                if origin >= rules:
                    continue
                place = (state, origin)
                for production in self._of_rule[origin]:
                    expansion = self._expansions[production]
                    at = state
                    tail = len(expansion) - 1
                    while tail > 0 and nullable[expansion[tail]]:
                        tail -= 1
                    for index, symbol in enumerate(expansion):
                        if index >= tail and symbol < rules:
                            includes.setdefault(place, []).append((at, symbol))
                        at = self._moves[at][symbol]
                    self._ended.append((at, production, place))
        return includes

    def _lookaheads(self, follow: dict[_Place, int]) -> dict[_Place, int]:
        found: dict[_Place, int] = {}
        for state, production, place in self._ended:
            found[state, production] = found.get((state, production), 0) | follow[place]
        return found

    # Rows ------------------------------------------------------------------------------------------------------------------

    def _state(self, state: int, lookaheads: dict[_Place, int], decode: "_Decoder") -> State:
        names, rules = self._names, self._rules
        moves = self._moves[state]
        taken = sum(1 << symbol for symbol in moves if symbol >= rules)
        seen = 0
        reduces: list[tuple[int, tuple[str, ...]]] = []
        for production in self._complete[state]:
            bits = lookaheads.get((state, production), 0) & ~taken
            if bits & seen:
                raise self._conflict(state, lookaheads, decode)
            seen |= bits
            if bits:
                reduces.append((production, decode.of(bits)))
        return State(
            {names[symbol]: after for symbol, after in moves.items() if symbol >= rules},
            {names[symbol]: after for symbol, after in moves.items() if symbol < rules},
            tuple(reduces),
        )

    def _conflict(self, state: int, lookaheads: dict[_Place, int], decode: "_Decoder") -> GrammarConflict:
        told = []
        for production in self._complete[state]:
            origin, symbols = self._productions[production]
            before = decode.of(lookaheads.get((state, production), 0))
            told.append(f"{origin}: {' '.join(symbols)}  (before {' '.join(before)})")
        return GrammarConflict("these rules end alike before the same terminal:\n  " + "\n  ".join(told))


class _Closure:
    """What may begin where some rules are wanted; many states want the same."""

    def __init__(
        self, rules: int, of_rule: list[list[int]], expansions: list[tuple[int, ...]], first_items: list[int]
    ) -> None:
        self._of_rule = of_rule
        self._expansions = expansions
        self._first_items = first_items
        self._rules = rules
        self._known: dict[frozenset[int], tuple[list[int], dict[int, list[int]]]] = {}

    def of(self, wanted: frozenset[int]) -> tuple[list[int], dict[int, list[int]]]:
        """(productions without symbols, items after each symbol that may come first)."""
        found = self._known.get(wanted)
        if found is None:
            found = self._known[wanted] = self._work_out(wanted)
        return found

    def _work_out(self, wanted: frozenset[int]) -> tuple[list[int], dict[int, list[int]]]:
        empty: list[int] = []
        after: dict[int, list[int]] = {}
        waiting = list(wanted)
        seen = set(wanted)
        for rule in waiting:
            for production in self._of_rule[rule]:
                expansion = self._expansions[production]
                if not expansion:
                    empty.append(production)
                    continue
                first = expansion[0]
                after.setdefault(first, []).append(self._first_items[production] + 1)
                if first < self._rules and first not in seen:
                    seen.add(first)
                    waiting.append(first)
        for items in after.values():
            items.sort()
        return empty, after


class _Decoder:
    """Bits back into terminals; the same sets come again and again."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._known: dict[int, tuple[str, ...]] = {}

    def of(self, bits: int) -> tuple[str, ...]:
        """The terminals."""
        found = self._known.get(bits)
        if found is None:
            found = self._known[bits] = tuple(name for place, name in enumerate(self._names) if bits >> place & 1)
        return found


def _spread(sets: dict[_Place, int], feeds: dict[_Place, list[_Place]]) -> dict[_Place, int]:
    """The least sets that hold the given ones and, where one feeds another, are held by it."""
    found = dict(sets)
    waiting = list(sets)
    for place in waiting:  # it grows meanwhile
        bits = found[place]
        for fed in feeds.get(place, ()):
            if bits & ~found[fed]:
                found[fed] |= bits
                waiting.append(fed)
    return found
