"""What a correction comes to, and how the sentences are read that it is found by."""

from dataclasses import dataclass
from typing import TypeAlias

from grammar.instruction import Instruction, Understanding
from grammar.language import Language
from grammar.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Anew:
    """Take the change back if `back`, then carry the instruction out, or read the sentence.

    `read` are the typos put right to find the instruction, as (typed, read).
    """

    back: bool
    instruction: Instruction | None = None
    sentence: str | None = None
    read: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Which:
    """Take the change back, then ask which of these is meant instead."""

    options: tuple[Instruction, ...]


Correction: TypeAlias = Anew | Which


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads sentences against the workflow as it was and as it is; `asking` tells whether a question will do."""

    language: Language
    now: Workspace
    then: Workspace
    asking: bool

    def then_means(self, sentence: str) -> Understanding:
        """What a sentence would have meant before the change."""
        return self.language.understand(sentence, self.then, teaching=False)

    def now_means(self, sentence: str) -> Understanding:
        """What a sentence means now."""
        return self.language.understand(sentence, self.now, teaching=False)
