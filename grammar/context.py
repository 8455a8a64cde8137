"""What a sentence is resolved in: the workspace, what can be declared, the words for questions, the sentence itself.

It knows no command and no edit; steps are only made whole here, as every edit that brings some needs it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.declare import Declarations
from engine.edits import Edit
from engine.model import Definition, State, Trigger
from grammar.counters import Counts, counts_of, valued
from grammar.drafts import Draft, MissingPiece, loose, named_in, recognise, variables_of
from grammar.instruction import Change, Instruction
from grammar.references import names_beside, refuse
from grammar.spoken_values import meant, settled
from grammar.workspace import Workspace

MAX_OPTIONS: Final = 9
ASK_STEPS: Final = "What should it do?"


@dataclass(frozen=True, slots=True)
class Telling:
    """The words questions need; handed in, because saying stands above it."""

    instruction: Callable[[Instruction, Workspace], str]
    step: Callable[[Definition, State], str]
    trigger: Callable[[Trigger], str]


@dataclass(frozen=True, slots=True)
class Context:
    """What every part of one message is resolved in.

    Attributes:
        workspace: What there is, and what is talked about.
        declarations: What services can do.
        say: Says instructions and steps back, for questions.
        sentence: The message as it was typed.
    """

    workspace: Workspace
    declarations: Declarations
    say: Telling
    sentence: str

    def known(self, definition: Definition) -> frozenset[str]:
        """The variables that a text here may mean without `$`, those of its other texts too."""
        told = named_in(definition.states) - self.counts(definition).meant.keys()
        return variables_of(definition.triggers, {*definition.variables, *self.workspace.variables, *told})

    def loose(self, steps: tuple[Draft, ...], definition: Definition, without: str | None = None) -> tuple[State, ...]:
        """Steps with the names and edges they get beside those that are there.

        Raises:
            MissingPiece: There are none.
        """
        if not steps:
            raise MissingPiece(ASK_STEPS)
        taken = names_beside(definition, without)
        known, counts = self.known(definition), self.counts(definition)
        return loose(steps, known, taken, self.declarations, counts, definition)

    def counts(self, definition: Definition | None = None) -> Counts:
        """The counters that a text may mean in this workflow, or in a new one."""
        known = (name for name in self.workspace.names.counters if name not in self.workspace.counting)
        return counts_of(known, definition)

    def said(self, text: str, definition: Definition) -> str:
        """A text that one of its steps is to say, with what `{name}` means there."""
        counts, known = self.counts(definition), self.known(definition)
        return valued(recognise(meant(settled(text, known), {}), known, counts), counts)

    def change(self, edits: tuple[Edit, ...], definition: Definition) -> str:
        """A change in words, for a question about it; it stands by itself, as an answer is all that is done then.

        Raises:
            Unsettled: Other changes were said before it in the same message, which an answer would lose.
        """
        view = self.workspace.workflows.get(definition.id)
        if view is None or view.definition != definition:
            raise refuse("One of these changes may mean several things: say it by itself. Nothing was changed.")
        return self.say.instruction(Change(definition.id, edits), self.workspace)
