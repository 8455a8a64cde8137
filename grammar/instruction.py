"""What a sentence can mean: edits, controls and queries, as frozen values with every reference resolved.

An instruction names workflows by id and states by name. `grammar.render` says any of them in canonical words, and those
words mean the same instruction in the same workspace. Nothing here reads words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pydantic import JsonValue

from engine.edits import Edit
from engine.model import Definition


@dataclass(frozen=True, slots=True)
class Create:
    """Make a new workflow. `named` tells whether its name was said or made up from what it does."""

    definition: Definition
    named: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """Edit a workflow; all edits of one message are one version."""

    workflow: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Several:
    """Do one after the other, each as things stand after those before it; none of them asks for an answer."""

    instructions: tuple["Instruction", ...]


@dataclass(frozen=True, slots=True)
class Rename:
    """Give a workflow another name; its id stays."""

    workflow: str
    name: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete workflows; asks first."""

    workflows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetEnabled:
    """Switch a workflow on or off."""

    workflow: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Copy:
    """Make a workflow like another one, under a name of its own; perhaps started by a command of its own."""

    workflow: str
    name: str
    command: str | None = None


@dataclass(frozen=True, slots=True)
class FromTemplate:
    """Make a workflow from one of those that come with the bot."""

    template: str
    name: str


@dataclass(frozen=True, slots=True)
class ListTemplates:
    """The workflows that come with the bot, to begin with."""


@dataclass(frozen=True, slots=True)
class Sort:
    """Which workflows of all are meant; those that fit everything that is said.

    Attributes:
        state: On, off, or with a run going on.
        tag: A tag they have.
        start: What starts them: `timers`, `commands`, `redeems`, `by hand`, `triggers` (anything by itself), or the name of
            an event.
        using: What they show, play, post in, are started by or run: a name, a service, or `cooldown`; only said alone.
    """

    state: Literal["enabled", "disabled", "running"] | None = None
    tag: str | None = None
    start: str | None = None
    using: str | None = None


@dataclass(frozen=True, slots=True)
class SwitchAll:
    """Switch all workflows of a sort on or off; asks first."""

    enabled: bool
    sort: Sort = Sort()


@dataclass(frozen=True, slots=True)
class Past:
    """A moment that has been: one of these is said, a time of day also together with a date.

    Attributes:
        yesterday: That day: as it ended, or since it began.
        seconds: So long ago.
        date: That day likewise, or its `time`: 2026-11-20.
        weekday: The last such day, likewise: monday.
        time: When the clock showed that last: 19:30.
    """

    yesterday: bool = False
    seconds: float | None = None
    date: str | None = None
    time: str | None = None
    weekday: str | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """Let a workflow be again as it was: in a version, or at a moment; asks first."""

    workflow: str
    to: int | Past


@dataclass(frozen=True, slots=True)
class Suppose:
    """Say which workflows would start if something happened, and why the others would not."""

    event: str
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Placeholders:
    """What a text may name as `${...}`, in a workflow or anywhere."""

    workflow: str | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """What a counter stands at; all of them if None."""

    counter: str | None = None


@dataclass(frozen=True, slots=True)
class RunWorkflow:
    """Start a workflow by hand, now or later. Dotted argument keys are kept as typed.

    Attributes:
        after: In how many seconds.
        at: When the clock next shows this, written 19:00; never together with `after`.
    """

    workflow: str
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)
    after: float | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """Act on the runs of a workflow, or on all runs if `workflow` is None.

    stop ends at once; cancel lets the workflow clean up; pause freezes; resume goes on.
    """

    verb: Literal["stop", "cancel", "pause", "resume"]
    workflow: str | None


@dataclass(frozen=True, slots=True)
class LaterEvent:
    """Something that happens so many seconds after the start of a dry run."""

    seconds: float
    event: str
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skip:
    """Let a wait that is going on be over now: the one in that state, or the one that would end first."""

    workflow: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Extend:
    """Let a wait that is going on last so many seconds longer, or less long; the workflow stays as it is written."""

    seconds: float
    workflow: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class RetryRun:
    """Go on with the latest run that failed, at the step that failed; of any workflow if None."""

    workflow: str | None = None
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DryRun:
    """Say what a workflow would do, without doing it.

    Attributes:
        event: What it is tried with; None for a start by hand.
        arguments: What the start brings, or the fields of the event; `user` is whom it is about.
        failing: A step that fails.
        later: What happens meanwhile.
    """

    workflow: str
    event: str | None = None
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)
    failing: str | None = None
    later: tuple[LaterEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Backtest:
    """Say what a version of a workflow would have done with what has happened in the last so many seconds."""

    workflow: str
    version: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class MoveRuns:
    """Let runs of older versions go on with the current one, where that is safe."""

    workflow: str


@dataclass(frozen=True, slots=True)
class Status:
    """What runs now, and where it stands."""

    workflow: str | None = None


@dataclass(frozen=True, slots=True)
class ListWorkflows:
    """All workflows, or those of one sort."""

    sort: Sort = Sort()


@dataclass(frozen=True, slots=True)
class Show:
    """Read a workflow back, whole, one step of it (1-based), or from a page on."""

    workflow: str
    step: int | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class Why:
    """Why a workflow ran, failed, waits or did not start; of all of them if None."""

    workflow: str | None = None


@dataclass(frozen=True, slots=True)
class Tell:
    """One thing that is asked of a workflow: what starts it and when next, how long a run takes, who may run it and how often."""

    workflow: str
    aspect: Literal["starts", "length", "rights"]


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is still to start by itself today."""


@dataclass(frozen=True, slots=True)
class ListRuns:
    """The latest runs and what became of them; of all workflows if None."""

    workflow: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """Who changed a workflow, when, and in which words."""

    workflow: str


@dataclass(frozen=True, slots=True)
class Diff:
    """What the last change changed, or what changed since a version or a moment, up to a version or to now."""

    workflow: str
    since: int | Past | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back the last changes of a workflow; of the one in focus if None."""

    workflow: str | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Take back what made one version of a workflow; what has been changed since stays."""

    workflow: str
    version: int


@dataclass(frozen=True, slots=True)
class Redo:
    """Take back the last undos."""

    workflow: str | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Export:
    """Print a workflow so that another bot can import it; `code` is one word, which strangers may have."""

    workflow: str
    format: Literal["text", "json", "yaml", "code"] = "text"


@dataclass(frozen=True, slots=True)
class Import:
    """Read a workflow from JSON, from the file form or from a share code."""

    source: str


@dataclass(frozen=True, slots=True)
class Help:
    """What can be said, in general or on a topic."""

    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes or no to an open question."""

    yes: bool


@dataclass(frozen=True, slots=True)
class NotYet:
    """Understood, but this bot cannot do it yet; `what` completes "I cannot ... yet"."""

    what: str


Instruction: TypeAlias = (
    Create
    | Change
    | Several
    | Rename
    | Delete
    | SetEnabled
    | Copy
    | FromTemplate
    | ListTemplates
    | SwitchAll
    | Restore
    | Suppose
    | Placeholders
    | Counters
    | RunWorkflow
    | Control
    | DryRun
    | Backtest
    | MoveRuns
    | Skip
    | Extend
    | RetryRun
    | Status
    | ListWorkflows
    | Show
    | Why
    | Tell
    | Agenda
    | ListRuns
    | History
    | Diff
    | Undo
    | TakeBack
    | Redo
    | Export
    | Import
    | Help
    | Answer
    | NotYet
)


# What understanding a message comes to ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Understood:
    """An instruction.

    Attributes:
        instruction: What it means.
        corrections: Each typo put right, as (typed, read); said in the reply, and asked about before anything runs,
            stops or is deleted because of one.
        notes: Guesses worth saying, one sentence each.
    """

    instruction: Instruction
    corrections: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A piece is missing, or two readings fit.

    Attributes:
        text: The question, such as `How long should it wait?`.
        options: Numbered answers, each a sentence this bot accepts; empty for a missing piece.
        gap: For a missing piece: the asker's words as a sentence with `{}` where the answer goes.
        verbatim: Whether the answer is a text to be taken as it is (it is then quoted into the gap).
        hints: What is known beside each option, such as what the step does that it is about.
    """

    text: str
    options: tuple[str, ...] = ()
    gap: str | None = None
    verbatim: bool = False
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """It was not understood, or may not be said so.

    Attributes:
        text: What was read, where it stopped, what was expected there, and one working sentence with the user's names.
        at: Offset in the message where reading stopped.
        suggestions: Sentences or names that would work there.
    """

    text: str
    at: int | None = None
    suggestions: tuple[str, ...] = ()


Understanding: TypeAlias = Understood | Question | Refusal
