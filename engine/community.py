"""What the runner holds in memory for one community: a cache of its store.

Made when the community is opened, dropped when the runner closes, and rebuilt from the store whenever a commit fails.
Nothing in here is the truth; it performs nothing and commits nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.declare import Declarations
from engine.errors import EngineError
from engine.execution import FINAL, Execution
from engine.inbox import Inbox
from engine.model import Call, all_states
from engine.ports import OutboxRecord, RevisionRecord, WorkflowRecord
from engine.program import Program, compile_program
from engine.timers import Timers
from engine.triggers import TriggerIndex
from engine.unheld import Unheld

FAILURES_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """A revision that can be run.

    Attributes:
        program: None if it cannot be run as it is written; `unfit` then says why.
        forbidden: Why a step must not be performed, by state: its author does not hold the right its method asks for.
    """

    record: RevisionRecord
    program: Program | None
    unfit: str | None
    forbidden: Mapping[str, str]


def load(record: RevisionRecord, declarations: Declarations) -> Loaded:
    """Compile a revision; one that cannot be run can still be held, shown and mended."""
    program, unfit = None, None
    try:
        program = compile_program(record.definition, declarations)
    except EngineError as error:
        unfit = str(error)
    return Loaded(record, program, unfit, _forbidden(record, declarations))


def _forbidden(record: RevisionRecord, declarations: Declarations) -> dict[str, str]:
    found: dict[str, str] = {}
    for state in all_states(record.definition.states):
        if not isinstance(state.action, Call):
            continue
        method = declarations.find(state.action.service, state.action.method)
        author = record.step_authors.get(state.name, record.author)
        if method is not None and method.right == "broadcaster" and "broadcaster" not in author.roles:
            found[state.name] = (
                f'only the broadcaster may let a workflow do {method.key}, and step "{state.name}" '
                f"was written by {author.name}"
            )
    return found


@dataclass(slots=True, eq=False)
class Community:
    """One community, open.

    Attributes:
        inbox: Events that have come and are not yet admitted.
        stale: Whether memory is not what the store says and has to be rebuilt before use.
        refusals: Latest refusals that are too many to be stored.
        executions: Every execution that has not ended, and ended ones with an effect still in flight.
        pending: Effects found in the store that have not been taken up yet.
        failures: Workflow, version and reason of the failures people have been told of.
    """

    name: str
    inbox: Inbox = field(init=False)
    stale: bool = True
    refusals: Unheld = field(default_factory=Unheld)
    workflows: dict[str, WorkflowRecord] = field(default_factory=dict)
    revisions: dict[tuple[str, int], Loaded] = field(default_factory=dict)
    triggers: TriggerIndex = field(default_factory=TriggerIndex)
    timers: Timers = field(init=False)
    executions: dict[str, Execution] = field(default_factory=dict)
    pending: list[OutboxRecord] = field(default_factory=list)
    failures: dict[tuple[str, int, str | None], None] = field(default_factory=dict)

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

    def fill(
        self,
        workflows: Iterable[WorkflowRecord],
        revisions: dict[tuple[str, int], Loaded],
        executions: dict[str, Execution],
        pending: list[OutboxRecord],
    ) -> None:
        """Hold what the store says, and nothing else."""
        self.workflows = {}
        self.revisions = revisions
        self.triggers = TriggerIndex()
        self.executions = executions
        self.pending = pending
        self.inbox.forget()
        for record in workflows:
            self.learn(record)
        self.stale = False

    def learn(self, record: WorkflowRecord) -> None:
        """A workflow stands like this from now on; its revision has been loaded."""
        self.workflows[record.id] = record
        loaded = self.current(record.id)
        if loaded is None:
            self.triggers.remove(record.id)
        else:
            self.triggers.put(record.id, loaded.record.definition)
        pinned = {(execution.workflow, execution.revision) for execution in self.executions.values()}
        for key in [key for key in self.revisions if key[0] == record.id and key not in pinned]:
            if key[1] != record.revision:
                del self.revisions[key]

    def keep(self, execution: Execution) -> bool:
        """Hold an execution in its new form, or let it go once nothing more can come; tells which."""
        if execution.status in FINAL and not execution.orphans:
            self.executions.pop(execution.id, None)
            return False
        self.executions[execution.id] = execution
        return True
