"""What lines begin with: blocks that go on below, and what goes on with the block above.

The words are those of the lexicon; whether a line that begins like a block really is one, the parser says.
"""

from dataclasses import dataclass
from typing import Final

from grammar.driver import Driver, Limits, Parsed
from grammar.layout import bare
from grammar.lexicon import LiveLexicon, Node
from grammar.words import split

_MORE: Final = frozenset({"_OTHERWISE", "_OTHERWISE_IF", "_OTHERWISE_NOTHING"})
_CHOICE: Final = frozenset({"_IF", "_UNLESS", "_IN_ANY_CASE"})
_BRANCH: Final = frozenset({"_BRANCH"})
_LOOKED_AT: Final = 6


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Tells the lines of blocks from others.

    Attributes:
        driver: The parser and its words.
        live: Names known right now.
        limits: How much one line may ask.
    """

    driver: Driver
    live: LiveLexicon
    limits: Limits

    def block(self, line: str) -> bool:
        """Whether the steps of a block may stand below: `if viewers > 50:`, `otherwise`, `branch "x":`."""
        if self.more(line) or self.branch(line):
            return True
        head = f"{line.rstrip(' :')} (stop)"
        return isinstance(self.driver.parse(head, self.live, "steps_line", self.limits), Parsed)

    def choice(self, line: str) -> bool:
        """Whether "otherwise" may go on with a line."""
        return self._begins(line, _CHOICE)

    def more(self, line: str) -> bool:
        """Whether a line goes on with the block above: `otherwise say bye`."""
        return self._begins(line, _MORE)

    def branch(self, line: str) -> bool:
        """Whether a line is the heading of a branch."""
        return self._begins(line, _BRANCH)

    def _begins(self, line: str, terminals: frozenset[str]) -> bool:
        place: Node | None = self.driver.lexicon.trie
        for word in split(bare(line), _LOOKED_AT):
            place = place.get(word.key) if place is not None else None
            if place is None:
                return False
            if any(terminal in terminals for terminal, _, _ in place.entries):
                return True
        return False
