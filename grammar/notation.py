"""Reads the notation of the grammar's files into plain rules: what may be left out, repeated or chosen is written out.

The notation is a part of Lark's, so that whoever knows that can read the files and Lark's tools can; Lark itself is not
asked, as to read them takes it as long as all the rest of making a table. What comes of them is the same: a test holds it
against Lark's (`tests/grammar/test_driver_table.py`).

    rule: part [may_be_left_out] (this | that)* -> name of this alternative
    ?rule: ...      a single part stands for the whole
    _rule: ...      its parts stand in its place
    %declare WORD _WORD_THAT_IS_IN_NO_TREE
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

Symbols: TypeAlias = tuple[str, ...]

_DECLARED: Final = re.compile(r"^%declare\b(.*)$", re.MULTILINE)
_DEFINED: Final = re.compile(r"^(?P<alone>\??)(?P<name>_?[a-z]\w*)[ \t]*:", re.MULTILINE)
_PIECE: Final = re.compile(r"->|\w+|\S")
_NAME: Final = re.compile(r"\w+")


class NotationError(ValueError):
    """A grammar that is none; the message says why."""


class Written(NamedTuple):
    """One alternative of a rule, with nothing left to choose.

    Attributes:
        origin: The rule.
        symbols: What it is made of.
        alias: What its tree is called, if not like the rule.
        alone: Whether a single part stands for the whole.
    """

    origin: str
    symbols: Symbols
    alias: str | None
    alone: bool


def is_terminal(symbol: str) -> bool:
    """Whether it is a word; the names of rules are written small."""
    return symbol.lstrip("_")[:1].isupper()


def rules_of(text: str, starts: Iterable[str]) -> list[Written]:
    """The rules that can be come to, those of repetitions after all others.

    Raises:
        NotationError: Something is not closed, not declared, or there twice.
    """
    repeated = _Repeated()
    found: dict[tuple[str, Symbols], Written] = {}
    defined = list(_DEFINED.finditer(text))
    for definition, following in zip(defined, [*defined[1:], None], strict=True):
        body = text[definition.end() : following.start() if following is not None else len(text)]
        repeated.rule = definition["name"]
        for symbols, alias in _Body(_DECLARED.sub("", body), repeated).alternatives():
            rule = Written(definition["name"], symbols, alias, bool(definition["alone"]) and alias is None)
            if found.setdefault(rule[:2], rule) != rule:
                raise NotationError(f"{rule.origin}: {' '.join(symbols)} is there twice")
    rules = [*found.values(), *repeated.rules]
    known = {rule.origin for rule in rules} | {name for line in _DECLARED.findall(text) for name in line.split()}
    for symbol in (*starts, *(symbol for rule in rules for symbol in rule.symbols)):
        if symbol not in known:
            raise NotationError(f"{symbol} is used but not defined")
    return _used(rules, frozenset(starts))


def _used(rules: list[Written], starts: frozenset[str]) -> list[Written]:
    while True:
        used = starts.union(symbol for rule in rules for symbol in rule.symbols if symbol != rule.origin)
        left = [rule for rule in rules if rule.origin in used]
        if len(left) == len(rules):
            return rules
        rules = left


class _Repeated:
    """The rules for what may come many times; what is repeated in several places has one."""

    def __init__(self) -> None:
        self.rule = ""
        self.rules: list[Written] = []
        self._names: dict[tuple[Symbols, ...], str] = {}

    def of(self, choices: Sequence[Symbols]) -> str:
        """The name of the rule for one of some choices, over and over."""
        key = tuple(choices)
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"__{self.rule}_{len(self._names)}"
            self.rules += [Written(name, each, None, alone=False) for each in key]
            self.rules += [Written(name, (name, *each), None, alone=False) for each in key]
        return name


class _Body:
    """What stands after the colon of a rule, read from the left: each part is the list of all that it may be."""

    def __init__(self, text: str, repeated: _Repeated) -> None:
        self._pieces = _PIECE.findall(text)
        self._at = 0
        self._repeated = repeated

    def alternatives(self) -> Iterator[tuple[Symbols, str | None]]:
        """All that the rule may be, each with its own name if it has one."""
        while True:
            choices = self._sequence()
            alias = None
            if self._next() == "->":
                alias = self._pieces[self._at + 1]
                self._at += 2
            yield from ((symbols, alias) for symbols in choices)
            if self._next() != "|":
                break
            self._at += 1
        if self._next():
            raise NotationError(f"{self._next()!r} is not expected in {self._repeated.rule}")

    def _next(self) -> str:
        return self._pieces[self._at] if self._at < len(self._pieces) else ""

    def _choice(self) -> list[Symbols]:
        found = self._sequence()
        while self._next() == "|":
            self._at += 1
            found += self._sequence()
        return list(dict.fromkeys(found))

    def _sequence(self) -> list[Symbols]:
        found: list[Symbols] = [()]
        while _NAME.fullmatch(self._next()) or self._next() in ("(", "["):
            part = self._part()
            found = [before + after for before in found for after in part]
        return list(dict.fromkeys(found))

    def _part(self) -> list[Symbols]:
        piece = self._pieces[self._at]
        self._at += 1
        if piece not in ("(", "["):
            found: list[Symbols] = [(piece,)]
        else:
            found = self._choice()
            if self._next() != (")" if piece == "(" else "]"):
                raise NotationError(f"{piece!r} is not closed in {self._repeated.rule}")
            self._at += 1
            found = found if piece == "(" else [*found, ()]
        while self._next() in ("*", "+", "?"):
            how_often = self._pieces[self._at]
            self._at += 1
            if how_often != "?":
                found = [(self._repeated.of(found),)]
            found = found if how_often == "+" else [*found, ()]
        return list(dict.fromkeys(found))
