"""Lines that belong together: a block that is open at the end of a line goes on in the next ones.

A block is open while a bracket of it is, or where the lines below one that begins it ("if viewers > 50:") stand further to
the right or have longer numbers (3.1 below 3). What comes out is one sentence for each step, as if it had been written on
one line. Whether a line begins a block is not known here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

MOST_LEVELS: Final = 16
_BRACKETS: Final = re.compile(
    r"""
      "(?:[^"\\]|\\.)*" | “[^”"]*[”"] | „[^“”"]*[“”"] | «[^»]*»
    | (?:^|(?<=\s))[:;=]['-]?[()]
    | (?P<open>\() | (?P<close>\))
    """,
    re.VERBOSE,
)
_DOTTED: Final = re.compile(r"\d{1,4}((?:\.\d{1,4})+)")
_BEFORE: Final = re.compile(r'(?:\d{1,4}(?:\.\d{1,4})*[.):]?\s+)?(?:\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\]\s*)?')


@dataclass(frozen=True, slots=True)
class Line:
    """A line, or several as one.

    Attributes:
        number: Its place in the text, counted from 1; that of the first of several.
        indent: How far to the right it stands.
        text: What stands there, without the blanks around it.
    """

    number: int
    indent: int
    text: str

    @classmethod
    def of(cls, number: int, written: str) -> "Line":
        """A line as it is written; the number before it counts like blanks."""
        text = written.strip()
        dotted = _DOTTED.match(text)
        return cls(
            number, max(len(written) - len(written.lstrip()), 2 * dotted.group(1).count(".") if dotted else 0), text
        )


def bare(line: str) -> str:
    """A step without the number and the name before it."""
    return line[len(match.group()) :] if (match := _BEFORE.match(line)) is not None else line


class Begins(Protocol):
    """Knows what lines begin with."""

    def block(self, line: str) -> bool:
        """Whether steps inside a block may stand below such a line."""

    def choice(self, line: str) -> bool:
        """Whether a line is a choice, with which "otherwise" may go on."""

    def more(self, line: str) -> bool:
        """Whether a line goes on with the choice above it, as "otherwise" does."""

    def branch(self, line: str) -> bool:
        """Whether a line is the heading of one of several branches."""


def sentences(lines: Sequence[Line], begins: Begins) -> list[Line]:
    """One line for each step, of what was written without empty lines and comments."""
    return _Rows(_closed(lines), begins).all()


def _closed(lines: Sequence[Line]) -> list[Line]:
    """Lines of which each closes the brackets it opens."""
    found: list[Line] = []
    depth = 0
    for line in lines:
        found[-1:] = [_joined(found[-1], line.text)] if depth else [*found[-1:], line]
        for match in _BRACKETS.finditer(line.text):
            depth += (match.group("open") is not None) - (match.group("close") is not None and depth > 0)
    return found


def _joined(line: Line, text: str) -> Line:
    together = line.text[-1:] in "(;:" or text[:1] in ");"
    return replace(line, text=f"{line.text}{' ' if together else ' · '}{text}")


class _Rows:
    """Walks over lines and puts those further to the right into the block above them."""

    def __init__(self, lines: Sequence[Line], begins: Begins) -> None:
        self._lines = lines
        self._begins = begins
        self._at = 0

    def all(self) -> list[Line]:
        found: list[Line] = []
        while self._at < len(self._lines):
            first = self._lines[self._at]
            found.append(replace(first, text=self._next(0)))
        return found

    def _next(self, level: int) -> str:
        """The sentence of the line at hand, with all that belongs to it."""
        first = self._lines[self._at]
        text = self._block(level, first.indent)
        if self._begins.choice(first.text):
            while self._indent() >= first.indent and self._begins.more(self._lines[self._at].text):
                text = f"{text} {self._block(level, first.indent)}"
        return text

    def _block(self, level: int, indent: int) -> str:
        """The line at hand with the lines below it that stand further to the right than `indent`."""
        line = self._lines[self._at]
        self._at += 1
        if self._indent() <= indent or level >= MOST_LEVELS or not self._begins.block(line.text):
            return line.text
        inside: list[str] = []
        while self._indent() > indent and not self._begins.more(self._lines[self._at].text):
            inside.append(self._next(level + 1))
        return self._around(line.text.rstrip(" :"), inside) if inside else line.text

    def _indent(self) -> int:
        """How far to the right the line at hand stands; less than any if there is none."""
        return self._lines[self._at].indent if self._at < len(self._lines) else -1

    def _around(self, head: str, inside: list[str]) -> str:
        if self._begins.branch(head):
            return f"{head}: {' · '.join(inside)}"
        joint = "; " if any(map(self._begins.branch, inside)) else " · "
        return f"{head} ({joint.join(inside)})"
