"""What the engine needs from outside, as Protocols, and the records that cross them.

A store takes one `Batch` per commit, all or nothing. A service performs one effect. A clock tells UTC seconds and sleeps.
Nothing here says how; nothing here does I/O.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from engine.declare import Method
from engine.events import Event
from engine.execution import Effect, Execution, HistoryRow, Person, Result, Status
from engine.frozen import quick
from engine.model import Definition


class Clock(Protocol):
    """Time. `now` follows the monotonic clock while the process lives, so a jump of the wall moves no wait."""

    def now(self) -> float:
        """UTC seconds since 1970."""
        ...

    async def sleep_until(self, when: float) -> None:
        """Return once `now() >= when`; may return earlier."""
        ...


class Service(Protocol):
    """Performs the actions of one service."""

    @property
    def name(self) -> str:
        """As written in actions."""
        ...

    @property
    def methods(self) -> Sequence[Method]:
        """Its declarations."""
        ...

    @property
    def simulated(self) -> bool:
        """Whether it only says what it would do; marked in every output."""
        ...

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        """Do it.

        Await `begin()` right before handing the request over; it returns once the mark is durable (at once for a
        repeatable method). What is raised before `begin` is a failure, after it an unknown outcome.
        """
        ...

    async def settle(self, effect: Effect) -> Result | None:
        """Find out what became of an effect that was begun before a crash; None if that cannot be known.

        A failure that may be tried again says that nothing was done: it is then performed, under the same id.
        """
        ...


# Records ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorkflowRecord:
    """A workflow as it stands: which revision counts, under which name, switched on or off, there or deleted."""

    community: str
    id: str
    name: str
    revision: int
    enabled: bool = True
    deleted: bool = False
    updated_at: float = 0.0


@dataclass(frozen=True, slots=True)
class RevisionRecord:
    """One version of a definition, never changed.

    Attributes:
        words: The message that made it, as typed.
        summary: One line on what changed, in canonical words.
        step_authors: Who made or last changed each state: {state name: person}.
    """

    community: str
    workflow: str
    number: int
    definition: Definition
    author: Person
    at: float
    words: str = ""
    summary: str = ""
    step_authors: Mapping[str, Person] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """What an undo restores: everything about a workflow that a change can move."""

    name: str
    revision: int
    enabled: bool
    deleted: bool


ChangeKind: TypeAlias = Literal[
    "create", "edit", "rename", "enable", "disable", "delete", "restore", "undo", "redo", "import"
]


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """One change of one workflow, for `history` and `undo`.

    Attributes:
        before: How it stood; None for a creation.
        undoes: For an undo, the change it takes back; for a redo, the undo it takes back.
    """

    id: str
    community: str
    workflow: str
    at: float
    by: Person
    kind: ChangeKind
    words: str
    summary: str
    before: Standing | None
    after: Standing
    undoes: str | None = None


@dataclass(frozen=True, slots=True)
class AdmissionRecord:
    """Why an event or a person started a workflow, or did not.

    Attributes:
        event: Id of the event; empty for a start by hand.
        event_name: Canonical name of it.
        execution: The execution started; None where refused.
        reason: One sentence where refused: which part of the trigger or policy did not hold, with the values seen.
        allowed_at: When it would be let in, if time alone will do it.
    """

    id: str
    community: str
    workflow: str
    at: float
    event: str
    event_name: str
    execution: str | None
    reason: str | None = None
    allowed_at: float | None = None
    who: str | None = None


@dataclass(frozen=True, slots=True)
class ProposalRecord:
    """An instruction that waits for an answer of its asker.

    Attributes:
        kind: What is asked: a yes, or a missing piece.
        instruction: What will be done, as text in canonical words or as the asker's own words with a gap.
        revision: The workflow's revision it was made on; if that has moved, yes asks again.
    """

    id: str
    community: str
    asker: str
    channel: str
    kind: Literal["confirm", "missing"]
    instruction: str
    workflow: str | None
    revision: int | None
    expires_at: float
    detail: Any = None


@dataclass(frozen=True, slots=True)
class ConfigRecord:
    """One setting of a community, or one value it keeps (virtual time, live state, live names, focus)."""

    community: str
    key: str
    value: Any
    secret: bool = False


@quick
@dataclass(frozen=True, slots=True)
class Sleeper:
    """What has to be known of a live execution while it is not in memory.

    Attributes:
        slot: What it takes up; None for its workflow.
        ears: What it listens for, as in `Execution`.
    """

    id: str
    workflow: str
    revision: int
    status: Status
    next_due: float | None = None
    slot: str | None = None
    ears: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class MarksRecord:
    """What is remembered of the starts of a workflow under one key: times, each with how many fell into it."""

    community: str
    workflow: str
    key: str
    marks: tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """An event that waits for another one to which it may belong, or for its time."""

    event: Event
    fold: str
    release_at: float


@dataclass(frozen=True, slots=True)
class DataRecord:
    """Something a community keeps under a name, for itself or for one person.

    Attributes:
        owner: Key of the person; empty where it is the community's own.
        value: What `engine.data` wrote; None takes the row away.
    """

    community: str
    owner: str
    key: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class OutboxRecord:
    """An effect that is not known to be done."""

    effect: Effect
    status: Literal["due", "begun"]


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Something a person asked for that is no change of a workflow.

    Attributes:
        what: What was asked, such as `forget`.
        detail: What came of it.
    """

    id: str
    community: str
    at: float
    by: Person
    what: str
    detail: Any = None


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what happened is kept, in seconds; of events at most so many bytes, too."""

    events_seconds: float = 14 * 86_400.0
    events_bytes: int = 200_000_000
    admissions_seconds: float = 14 * 86_400.0
    executions_seconds: float = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one pruning did.

    Attributes:
        gone: How many rows it deleted.
        more: Whether there is more to delete; prune again.
    """

    gone: int
    more: bool


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What forgetting a person changed, in records.

    Attributes:
        live: Runs that still go on and know the person; they were left as they are.
    """

    events: int = 0
    admissions: int = 0
    executions: int = 0
    history: int = 0
    proposals: int = 0
    live: int = 0


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a community was in the middle of.

    Attributes:
        due: Runs whose time has come by now.
        unknown: Effects that had been handed over, may not be repeated, and of which no result is known.
    """

    due: int
    unknown: int


@dataclass(slots=True)
class Batch:
    """Everything one commit writes. All of it or nothing.

    Attributes:
        executions: New or changed; the last one of an id wins.
        outbox: Effects that are now due.
        begun: Ids of effects that are now handed over.
        done: Ids of effects that have ended; their outbox rows go.
        seen: De-duplication keys with the time until which they count: {(community, key): expires_at}.
        events: What happened, for `why`, backtest and the dashboard.
        marks: What is remembered of starts; the last record of a key wins, one without marks goes.
        held: Events that wait for others.
        released: Ids of held events that wait no longer, with their community.
        data: Changed rows of what communities keep, in the order of the changes.
    """

    executions: list[Execution] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)
    outbox: list[Effect] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    seen: dict[tuple[str, str], float] = field(default_factory=dict)
    admissions: list[AdmissionRecord] = field(default_factory=list)
    workflows: list[WorkflowRecord] = field(default_factory=list)
    revisions: list[RevisionRecord] = field(default_factory=list)
    changes: list[ChangeRecord] = field(default_factory=list)
    proposals: list[ProposalRecord] = field(default_factory=list)
    proposals_answered: list[str] = field(default_factory=list)
    config: list[ConfigRecord] = field(default_factory=list)
    marks: list[MarksRecord] = field(default_factory=list)
    held: list[HeldRecord] = field(default_factory=list)
    released: list[tuple[str, str]] = field(default_factory=list)
    data: list[DataRecord] = field(default_factory=list)
    audit: list[AuditRecord] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(
            (
                self.executions,
                self.history,
                self.outbox,
                self.begun,
                self.done,
                self.events,
                self.seen,
                self.admissions,
                self.workflows,
                self.revisions,
                self.changes,
                self.proposals,
                self.proposals_answered,
                self.config,
                self.marks,
                self.held,
                self.released,
                self.data,
                self.audit,
            )
        )


class Store(Protocol):
    """Everything durable. One writer; reads see every commit that has returned.

    Every method may raise a `StoreError`; then nothing of it happened.
    """

    async def commit(self, batch: Batch) -> None:
        """Write a batch in one transaction, durable when this returns.

        Raises:
            StoreUnwritable: Disk full or read-only; nothing was written.
        """
        ...

    async def live_executions(self, community: str) -> list[Execution]:
        """Every execution that has not ended, by start."""
        ...

    async def sleepers(self, community: str) -> list[Sleeper]:
        """What has to be known of every execution that has not ended, by start."""
        ...

    async def executions_of(self, ids: Sequence[str]) -> list[Execution]:
        """Those of these executions that are there, ended or not."""
        ...

    async def marks(self, community: str) -> list[MarksRecord]:
        """What is remembered of starts."""
        ...

    async def held(self, community: str) -> list[HeldRecord]:
        """Every event that waits for another one, in the order they came."""
        ...

    async def outbox(self, community: str) -> list[OutboxRecord]:
        """Every effect not known to be done, in the order it was committed."""
        ...

    async def execution(self, id: str) -> Execution | None:
        """One execution, ended or not."""
        ...

    async def executions(self, community: str, workflow: str | None = None, limit: int = 20) -> list[Execution]:
        """The latest executions, newest first."""
        ...

    async def history(self, execution: str) -> list[HistoryRow]:
        """All rows of one execution, in order."""
        ...

    async def workflows(self, community: str, *, deleted: bool = False) -> list[WorkflowRecord]:
        """All workflows by name; deleted ones only if asked for."""
        ...

    async def revision(self, community: str, workflow: str, number: int) -> RevisionRecord | None:
        """One version."""
        ...

    async def current_revisions(self, community: str) -> list[RevisionRecord]:
        """The revision that counts of every workflow that is not deleted."""
        ...

    async def revisions(self, community: str, workflow: str) -> list[RevisionRecord]:
        """All versions, oldest first."""
        ...

    async def changes(self, community: str, workflow: str | None = None, limit: int = 100) -> list[ChangeRecord]:
        """The latest changes, newest first."""
        ...

    async def seen(self, community: str, keys: Sequence[str], now: float) -> frozenset[str]:
        """Which of these de-duplication keys still count."""
        ...

    async def admissions(self, community: str, workflow: str | None = None, limit: int = 20) -> list[AdmissionRecord]:
        """The latest admissions and refusals, newest first."""
        ...

    async def event(self, community: str, id: str) -> Event | None:
        """One recorded event."""
        ...

    async def events(self, community: str, limit: int = 20, *, own: bool = False) -> list[Event]:
        """The latest recorded events, newest first; or only those that are the bot's own."""
        ...

    async def proposals(self, community: str, now: float) -> list[ProposalRecord]:
        """Every question still open."""
        ...

    async def config(self, community: str) -> dict[str, ConfigRecord]:
        """All settings by key."""
        ...

    async def data(self, community: str) -> list[DataRecord]:
        """Everything it keeps, by owner and key."""
        ...

    async def audit(self, community: str, limit: int = 20) -> list[AuditRecord]:
        """What was asked for last, newest first."""
        ...

    async def unfinished(self, community: str, now: float) -> Unfinished:
        """How much was going on when the last commit was made, counted, not read."""
        ...

    async def prune(self, retention: Retention, now: float, most: int = 5_000) -> Pruned:
        """Delete at most so many rows of what need not be kept any more, in all communities.

        That is: events, admissions and ended runs with their history that are older than they are kept, the oldest events
        where all of them are too large, and keys and questions whose time is over. A run is kept as long as a run it
        started goes on, or an effect of it is under way.
        """
        ...

    async def forget(self, community: str, person: str) -> Forgotten:
        """Take a person out of what happened: events about them, and their name wherever it stands.

        Runs that still go on are left as they are, and so is who wrote which version. Repeating it is harmless; if it
        breaks in the middle, repeat it.
        """
        ...

    async def close(self) -> None:
        """Let the last commit end and release the file."""
        ...
