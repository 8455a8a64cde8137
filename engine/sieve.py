"""Many guards at once: the few of them that may hold in a scope, found without working out the others.

Guards are sorted by what they cannot hold without (`engine.needs`): a text that a value must be is looked up, texts to be
found in a value are searched in one pass for all, numbers are held against the ends of ranges. Each name is read once for
all guards, by the same rules as in a guard. It errs on one side only: a value of a strange kind lets every guard through
that asks for it. It knows no event, no trigger and no wait.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from math import inf
from operator import is_
from typing import Any, Final, TypeAlias, assert_never, cast

import re2  # type: ignore[import-untyped]

from engine.errors import EvaluationError
from engine.evaluate import compile_pattern
from engine.needs import Need, RangeNeed, Test, TextNeed, Ways
from engine.scope import MISSING, Evaluate, Scope, compile_path, under_root, walk
from engine.values import number_in, plain

Mark: TypeAlias = int
"""A need that is met: of a guard by its place; below zero, a further need of a guard that has several."""
Search: TypeAlias = Callable[[str], list[Mark]]

SEARCH_MEMORY: Final = 8 << 20
MAX_PROGRAM: Final = 1_000
_PROBE: Final = "\0"
_PROBE_PATTERN: Final = r"\x00"
_UNSEARCHABLE: Final = "("


class Sieve:
    """Tells which of many guards may hold. Made once for one list of guards; a new list needs a new sieve.

    Args:
        guards: What `needs` says of each guard; its place in this list is what it is known by.
    """

    __slots__ = ("_always", "_counters", "_more", "_others")

    def __init__(self, guards: Sequence[Sequence[Ways]]) -> None:
        self._always = tuple(place for place, parts in enumerate(guards) if not parts)
        self._more: dict[Mark, frozenset[Mark]] = {}
        fields: dict[str, _Field] = {}
        further = count(-1, -1)
        for place, parts in enumerate(guards):
            marks = [place, *islice(further, max(0, len(parts) - 1))]
            if len(marks) > 1:
                self._more[place] = frozenset(marks[1:])
            for mark, ways in zip(marks, parts, strict=False):
                for need in ways:
                    fields.setdefault(need.path, _Field()).put(need, mark)
        self._counters = _by_root({path: each.ranges for path, each in fields.items() if not each.texts})
        self._others = tuple(
            (compile_path(path), each.built() if each.texts else each.ranges)
            for path, each in fields.items()
            if each.texts or under_root(path) is None
        )

    def places(self, scope: Scope) -> list[int]:
        """The guards that may hold, in the order they were given. Every guard that is left out does not hold.

        A name that cannot be read, or stands for nothing, lets through none of the guards that need it.
        """
        found: list[Mark] = []
        for counters in self._counters:
            found += counters.of(scope)
        for read, asked in self._others:
            try:
                value = read(scope)
            except EvaluationError:
                continue
            if value is not None and value is not MISSING:
                found += asked.of(value)
        if not found:
            return [*self._always]
        marks, more = set(found), self._more
        met = [mark for mark in marks if mark >= 0 and (mark not in more or more[mark] <= marks)]
        return sorted([*self._always, *met]) if met else [*self._always]


def _by_root(numbers: "Mapping[str, _Ranges]") -> tuple["_Counters", ...]:
    found: dict[str, dict[str, _Ranges]] = {}
    for path, ranges in numbers.items():
        if (parts := under_root(path)) is not None:
            found.setdefault(parts[0], {})[parts[1]] = ranges
    return tuple(_Counters(compile_path(root), tuple(below), tuple(below.values())) for root, below in found.items())


class _Counters:
    """Numbers right under a root: there may be a hundred, all are read for every event, and they hardly ever change.

    While each is the very object it was the time before, the answer is the same: numbers and texts do not change in place,
    and of anything else only the kind counts.
    """

    __slots__ = ("_before", "_marks", "_names", "_ranges", "_root")

    def __init__(self, root: Evaluate, names: tuple[str, ...], ranges: "tuple[_Ranges, ...]") -> None:
        self._root = root
        self._names = names
        self._ranges = ranges
        self._before: list[Any] = []
        self._marks: list[Mark] = []

    def of(self, scope: Scope) -> list[Mark]:
        """All needs that are met by what the names stand for."""
        values = self._root(scope)
        if values.__class__ is dict:
            now = list(map(values.get, self._names))
        else:
            now = [walk(values, (name,)) for name in self._names]
        if not self._before or not all(map(is_, now, self._before)):
            self._marks = [
                mark
                for value, ranges in zip(now, self._ranges, strict=True)
                if value is not None and value is not MISSING
                for mark in ranges.of(value)
            ]
            self._before = now
        return self._marks


@dataclass(slots=True)
class _Ranges:
    """Ranges that a number may be in, and what is asked for by each."""

    low: float = inf
    high: float = -inf
    all: list[tuple[float, float, Mark]] = field(default_factory=list)

    def put(self, need: RangeNeed, mark: Mark) -> None:
        self.low, self.high = min(self.low, need.low), max(self.high, need.high)
        self.all.append((need.low, need.high, mark))

    def around(self, number: float) -> list[Mark]:
        if self.low <= number <= self.high:
            return [mark for low, high, mark in self.all if low <= number <= high]
        return []

    def of(self, value: Any) -> list[Mark]:
        if value.__class__ is float or value.__class__ is int:
            return self.around(value)
        if value.__class__ is str:
            number = number_in(value)
            return [] if number is None else self.around(number)
        return [mark for _, _, mark in self.all]


@dataclass(slots=True)
class _Field:
    """All that is asked of the value of one name."""

    ranges: _Ranges = field(default_factory=_Ranges)
    texts: list[Mark] = field(default_factory=list)
    exact: dict[str, list[Mark]] = field(default_factory=dict)
    items: dict[str, list[Mark]] = field(default_factory=dict)
    loose: list[Mark] = field(default_factory=list)  # tests that read a list as one text
    words: dict[str, list[Mark]] = field(default_factory=dict)
    patterns: dict[str, list[Mark]] = field(default_factory=dict)

    def put(self, need: Need, mark: Mark) -> None:
        match need:
            case RangeNeed():
                self.ranges.put(need, mark)
            case TextNeed():
                self.texts.append(mark)
                self._put_text(need.test, need.text, mark)
            case _:
                assert_never(need)

    def _put_text(self, test: Test, text: str, mark: Mark) -> None:
        folded = text.casefold()
        if test not in ("is", "contains"):
            self.loose.append(mark)
        match test:
            case "is":
                _add(self.exact, folded, mark)
            case "contains":
                _add(self.items, folded, mark)
                _add(self.words, _escaped(folded), mark)
            case "starts with":
                _add(self.words, rf"\A{_escaped(folded)}", mark)
            case "ends with":
                _add(self.words, rf"{_escaped(folded)}\z", mark)
            case "matches":
                _add(self.patterns, text, mark)
            case _:
                assert_never(test)

    def built(self) -> "_Texts":
        """The same in a form to be looked at."""
        return _Texts(
            self.exact,
            self.items,
            self.loose,
            _search(self.words, ignoring_case=False) if self.words else None,
            _search(self.patterns, ignoring_case=True) if self.patterns else None,
            self.ranges if self.ranges.all else None,
            [*self.texts, *(mark for _, _, mark in self.ranges.all)],
        )


def _add(shelves: dict[str, list[Mark]], key: str, mark: Mark) -> None:
    shelves.setdefault(key, []).append(mark)


@dataclass(frozen=True, slots=True)
class _Texts:
    """Finds what a value may be meant by, among all that is asked of one name."""

    exact: Mapping[str, list[Mark]]
    items: Mapping[str, list[Mark]]
    loose: list[Mark]
    words: Search | None
    patterns: Search | None
    ranges: _Ranges | None
    everything: list[Mark]

    def of(self, value: Any) -> list[Mark]:
        """All guards that may hold with a value that is there."""
        kind = value.__class__
        if kind is dict or kind is str:
            value = plain(value)  # a person is its name
            if value.__class__ is str:
                return self._of_text(value)
        elif kind is list and all(part.__class__ is str for part in value):
            return self._of_list(value)
        return self.everything

    def _of_text(self, text: str) -> list[Mark]:
        folded = text.casefold()
        found = [*self.exact.get(folded, ())]
        if self.words is not None:
            found += self.words(folded)
        if self.patterns is not None:
            found += self.patterns(text)
        if self.ranges is not None:
            found += self.ranges.of(text)
        return found

    def _of_list(self, texts: list[str]) -> list[Mark]:
        found = [*self.loose]
        for text in texts:
            found += self.items.get(text.casefold(), ())
        return found


# Many texts searched at once -----------------------------------------------------------------------------------------


def _escaped(text: str) -> str:
    try:
        return cast("str", re2.escape(text))
    except UnicodeError:  # half of a character; no pattern can say it
        return _UNSEARCHABLE


def _search(shelves: Mapping[str, list[Mark]], *, ignoring_case: bool) -> Search:
    """A function that finds, in one pass over a text, everything whose pattern is in it.

    A pattern that cannot be searched together with others is as good as found, and so are all if the search cannot be
    made: its guard then decides.
    """
    options = re2.Options()
    options.case_sensitive = not ignoring_case
    options.log_errors = False
    options.max_mem = SEARCH_MEMORY
    together, found_at, unsearched = re2.Set.SearchSet(options), [], []
    for pattern, marks in shelves.items():
        if (_small(pattern) if ignoring_case else len(pattern) <= MAX_PROGRAM) and _added(together, pattern):
            found_at.append(marks)
        else:
            unsearched += marks
    everything = [mark for marks in shelves.values() for mark in marks]
    probe = len(found_at)
    if not _added(together, _PROBE_PATTERN) or not _works(together, probe):
        return lambda _: everything
    found_at.append([])

    def search(text: str) -> list[Mark]:
        try:
            hits = together.Match(text.encode())
        except UnicodeError:
            return everything
        if hits is None:
            return unsearched
        found = [*unsearched]
        for hit in hits:
            found += found_at[hit]
        return found

    return search


def _small(pattern: str) -> bool:
    """Whether a pattern is one, and small enough that it slows nobody else's search."""
    try:
        return bool(compile_pattern(pattern).programsize <= MAX_PROGRAM)
    except EvaluationError:
        return False


def _added(together: Any, pattern: str) -> bool:
    try:
        together.Add(pattern)
    except (re2.error, UnicodeError):
        return False
    return True


def _works(together: Any, probe: int) -> bool:
    """Whether the search finds what is there; one that lacks memory is silent about it."""
    try:
        together.Compile()
    except re2.error:
        return False
    return probe in (together.Match(_PROBE) or ())
