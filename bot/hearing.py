"""What was heard of somebody, and what it is read against there: the workflows, the one in focus, the names of the stream.

It knows no question that is open, and carries nothing out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bot import templates
from bot.catalogue import Entry
from bot.focus import Focus
from bot.instructions.concerns import concerned
from bot.instructions.files import as_lines
from bot.instructions.turn import MAX_WORDS, Desk, Turn
from bot.message import Message
from bot.replies import clipped, in_one_line
from engine.model import Definition
from engine.ports import ProposalRecord
from grammar.counters import counters_in
from grammar.instruction import Import, Instruction, Understanding, Understood
from grammar.workspace import LiveNames, WorkflowView, Workspace


@dataclass(frozen=True, slots=True)
class Heard:
    """Words to be understood, and what led to them.

    Attributes:
        text: To be understood now.
        words: All that the asker typed to get here, for the history.
        question: The open question that this answers or leaves behind.
        answers: Whether it answers it.
        focus: The workflow in focus then, if it is not the one in focus now.
        confirmed: Whether it was said yes to.
        moved: Whether it was said yes to, but about a version that no longer counts.
        doubted: Whether it came of a second thought, so that nothing runs, stops or goes before a yes.
        notes: What is said before the answer.
    """

    message: Message
    text: str
    words: str
    question: ProposalRecord | None = None
    answers: bool = False
    focus: str | None = None
    confirmed: bool = False
    moved: bool = False
    doubted: bool = False
    notes: tuple[str, ...] = ()


class Hearing:
    """How what is heard is read and said again in one community."""

    def __init__(self, desk: Desk, focus: Focus) -> None:
        self.desk = desk
        self.focus = focus
        self._counted: dict[str, tuple[Definition, tuple[str, ...]]] = {}

    def workspace(self, message: Message, focus: str | None = None) -> Workspace:
        """What words of this person are read against there, with another workflow in focus if one is given."""
        desk = self.desk
        focused = focus or self.focus.workflow(message)
        views = self.views(desk.catalogue.there())
        if focused not in views:
            focused = None
        step = self.focus.step(message) if focused == self.focus.workflow(message) else None
        if focused is not None and len(states := views[focused].definition.states) == 1:
            step = states[0].name
        place = message.place.platform
        return Workspace(views, focused, self._names(views), desk.settings(), place, step, templates.names())

    def _names(self, views: Mapping[str, WorkflowView]) -> LiveNames:
        """The names of the stream, and the counters of the workflows; each is looked into once."""
        before = self._counted
        self._counted = {
            id: before[id]
            if id in before and before[id][0] is view.definition
            else (view.definition, counters_in(view.definition))
            for id, view in views.items()
        }
        found = dict.fromkeys(name for _, names in self._counted.values() for name in names)
        return replace(self.desk.names(), counters=tuple(found)) if found else self.desk.names()

    def views(self, entries: Iterable[Entry]) -> dict[str, WorkflowView]:
        """Workflows as the language sees them, by id."""
        running = {workflow for workflow, _ in self.desk.running()}
        return {
            entry.id: WorkflowView(entry.definition, entry.record.revision, entry.record.enabled, entry.id in running)
            for entry in entries
        }

    def understand(
        self, message: Message, text: str, focus: str | None = None, *, teaching: bool = True
    ) -> Understanding:
        """What a text means if this person says it there; without `teaching` a refusal has no example."""
        workspace = self.workspace(message, focus)
        return self.desk.language.understand(as_lines(text.strip()), workspace, teaching=teaching)

    async def about_deleted(self, heard: Heard, workspace: Workspace) -> tuple[Workspace, Understood | None]:
        """The same words, if they make sense of a workflow that has been deleted.

        Raises:
            StoreError: The deleted ones cannot be read.
        """
        gone = self.views(await self.desk.catalogue.gone())
        if not gone:
            return workspace, None
        wider = replace(workspace, workflows={**gone, **workspace.workflows})
        understanding = self.desk.language.understand(heard.text.strip(), wider)
        if not isinstance(understanding, Understood) or understanding.corrections:
            return workspace, None
        return (wider, understanding) if set(concerned(understanding.instruction)) & set(gone) else (workspace, None)

    def say(self, instruction: Instruction, workspace: Workspace) -> str:
        """Canonical words as they can be typed there: where a message has one line, so have they."""
        said = self.desk.language.say(instruction, workspace)
        # JSON keeps its lines: a comment in it ends with one.
        keep_lines = workspace.platform != "twitch" or isinstance(instruction, Import)
        return said.strip() if keep_lines else in_one_line(said)

    def turn(self, heard: Heard, workspace: Workspace, understood: Understood) -> Turn:
        """What it is carried out with."""
        message = heard.message
        return Turn(
            self.desk,
            message,
            workspace,
            heard.words,
            self.say(understood.instruction, workspace),
            understood.corrections,
            (*heard.notes, *understood.notes),
            heard.confirmed,
            heard.moved or heard.doubted,
            (heard.question.id,) if heard.question is not None else (),
            heard.focus or self.focus.workflow(message),
            remember=lambda workflow: self.focus.record(message, workflow),
        )


def is_full(understanding: Understanding) -> bool:
    """Whether something is understood without a typo put right."""
    return isinstance(understanding, Understood) and not understanding.corrections


def kept_words(canonical: str) -> str:
    """So much of canonical words as is remembered of a deed."""
    return clipped(canonical, MAX_WORDS)


def noted(heard: Heard) -> str:
    """What is said before the answer, with a blank behind."""
    return "".join(f"{note} " for note in heard.notes)
