"""What is in memory of one community while it is open, all of it rebuilt from the store whenever that is needed.

A value with rules about itself, and nothing else: it does no I/O and starts nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.admission import Gate, gate_of
from engine.data import Kept
from engine.declare import Declarations, Right
from engine.ears import Ears
from engine.errors import EngineError
from engine.execution import Execution, Person
from engine.inbox import Inbox
from engine.marks import Mark
from engine.model import Call, Policy, all_states
from engine.places import Places
from engine.ports import HeldRecord, OutboxRecord, RevisionRecord, WorkflowRecord
from engine.program import Program, compile_program
from engine.roster import Roster
from engine.scheduler import Scheduler
from engine.timers import Timers
from engine.triggers import TriggerIndex
from engine.unheld import Unheld

FAILURES_KEPT: Final = 1_000
FOLDS_KEPT: Final = 4_096
"""Headers of gifts that are remembered here; the store knows them all, and is asked before a single is received."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A revision that can be run.

    Attributes:
        program: None if it cannot be run as it is written; `unfit` then says why.
        gate: Its policy, made ready.
        written: What stands behind each step that asks a method for something, by state.
    """

    record: RevisionRecord
    program: Program | None
    unfit: str | None
    gate: Gate
    written: Mapping[str, "Written"]

    def forbidden(self, state: str, standing: Mapping[str, Sequence[str]]) -> str | None:
        """Why a step must not be performed: its author does not hold the right that its method asks for, or no longer does.

        `standing` are the roles of people in whom something may have changed since they wrote, by `standing_key`.
        """
        step = self.written.get(state)
        if step is None:
            return None
        now = standing.get(standing_key(step.author))
        roles = step.author.roles if now is None else now
        if "broadcaster" in roles or (step.right == "moderator" and (now is None or "moderator" in now)):
            return None
        may = "the broadcaster" if step.right == "broadcaster" else "the broadcaster and moderators"
        lost = ", who is none of them any more" if now is not None and now != step.author.roles else ""
        return f'only {may} may let a workflow do {step.method}, and step "{state}" was written by {step.author.name}{lost}'


@dataclass(frozen=True, slots=True)
class Written:
    """Who wrote a step, and which right it takes.

    Attributes:
        method: The key of what it asks for.
        right: The least role that its author must hold.
    """

    method: str
    right: Right
    author: Person


def standing_key(person: Person) -> str:
    """Under which somebody's standing is known: names change, and two platforms may have the same one."""
    return f"{person.platform}:{person.id or person.name}"


def load(record: RevisionRecord, declarations: Declarations) -> Loaded:
    """Compile a revision; one that cannot be run can still be held, shown and mended."""
    program, unfit = None, None
    gate = gate_of(record.workflow, Policy())
    try:
        gate = gate_of(record.workflow, record.definition.policy)
        program = compile_program(record.definition, declarations)
    except EngineError as error:
        unfit = str(error)
    return Loaded(record, program, unfit, gate, _written(record, declarations))


def _written(record: RevisionRecord, declarations: Declarations) -> dict[str, Written]:
    found: dict[str, Written] = {}
    for state in all_states(record.definition.states):
        if isinstance(state.action, Call):
            method = declarations.find(state.action.service, state.action.method)
            if method is not None:
                author = record.step_authors.get(state.name, record.author)
                found[state.name] = Written(method.key, method.right, author)
    return found


@dataclass(slots=True, eq=False)
class Community:
    """One community, open.

    Attributes:
        inbox: Events that have come and are not yet admitted.
        roster: Every execution that has not ended, and ended ones with an effect still in flight.
        ears: Who of them listens for which event.
        places: Which of them take up what.
        scheduler: What is due by the clock.
        kept: What the community keeps.
        lines: How many chat lines there have been, and `lines_at` how many when a schedule last started a workflow.
        marks: What is remembered of starts, by workflow and key.
        held: Events that wait for another one, by the key of that; `folded` are keys of those that have come.
        stale: Whether memory is not what the store says and has to be rebuilt before use.
        refusals: Latest refusals that are too many to be stored.
        pending: Effects found in the store that have not been taken up yet; likewise `due`, times by execution.
        failures: Workflow, version and reason of the failures people have been told of.
    """

    name: str
    inbox: Inbox = field(init=False)
    timers: Timers = field(init=False)
    roster: Roster = field(init=False)
    stale: bool = True
    refusals: Unheld = field(default_factory=Unheld)
    workflows: dict[str, WorkflowRecord] = field(default_factory=dict)
    revisions: dict[tuple[str, int], Loaded] = field(default_factory=dict)
    triggers: TriggerIndex = field(default_factory=TriggerIndex)
    ears: Ears = field(default_factory=Ears)
    places: Places = field(default_factory=Places)
    scheduler: Scheduler = field(init=False)
    kept: Kept = field(init=False)
    lines: int = 0
    lines_at: dict[tuple[str, str], int] = field(default_factory=dict)
    marks: dict[tuple[str, str], tuple[Mark, ...]] = field(default_factory=dict)
    held: dict[str, list[HeldRecord]] = field(default_factory=dict)
    folded: dict[str, None] = field(default_factory=dict)
    pending: list[OutboxRecord] = field(default_factory=list)
    due: list[tuple[str, float]] = field(default_factory=list)
    failures: dict[tuple[str, int, str | None], None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(self.name, "UTC")
        self.kept = Kept(self.name)

    def first_failure(self, execution: Execution) -> bool:
        """Take note of why an execution failed; False if that is known already."""
        reason = (execution.workflow, execution.revision, execution.error)
        if reason in self.failures:
            return False
        self.failures[reason] = None
        if len(self.failures) > FAILURES_KEPT:
            del self.failures[next(iter(self.failures))]
        return True

    def current(self, workflow: str) -> Loaded | None:
        """The revision that counts; None if there is no such workflow."""
        record = self.workflows.get(workflow)
        return None if record is None or record.deleted else self.revisions.get((workflow, record.revision))

    def named(self, name: str) -> Loaded | None:
        """The revision that counts of a workflow, by its id or its name as people write it."""
        if (found := self.current(name)) is not None:
            return found
        folded = _folded(name)
        for record in self.workflows.values():
            if folded in (_folded(record.id), _folded(record.name)):
                return self.current(record.id)
        return None

    def learn(self, record: WorkflowRecord) -> None:
        """A workflow stands like this from now on; its revision has been loaded."""
        self.workflows[record.id] = record
        loaded = self.current(record.id)
        if loaded is None:
            self.triggers.remove(record.id)
        else:
            self.triggers.put(record.id, loaded.record.definition)
        pinned = set(self.roster.pinned())
        for key in [key for key in self.revisions if key[0] == record.id and key not in pinned]:
            if key[1] != record.revision:
                del self.revisions[key]

    def keep(self, execution: Execution) -> bool:
        """Hold an execution in its new form, or let it go once nothing more can come; tells which."""
        if execution.ears or self.ears:
            self.ears.listen(execution.id, execution.ears)
        return self.roster.keep(execution)

    def remember(self, fold: str) -> None:
        """What others may belong to has come."""
        self.folded[fold] = None
        if len(self.folded) > FOLDS_KEPT:
            del self.folded[next(iter(self.folded))]

    def release(self, fold: str) -> list[HeldRecord]:
        """The events that waited for this wait no longer."""
        return self.held.pop(fold, [])


def _folded(name: str) -> str:
    return name.casefold().replace(" ", "_")


def all_held(records: Iterable[HeldRecord]) -> dict[str, list[HeldRecord]]:
    """Held events by the key of what they wait for."""
    found: dict[str, list[HeldRecord]] = {}
    for record in records:
        found.setdefault(record.fold, []).append(record)
    return found
