"""A store without a file, under the same contract as the real one (`tests/storage/test_store_contract.py`).

It keeps copies, so nobody can change what was committed; it applies a batch whole or not at all; and it can be told to
fail, which is how tests reach a full disk.
"""

import copy
import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from engine.errors import RevisionMoved, StoreError
from engine.events import Event
from engine.execution import FINAL, Execution, HistoryRow
from engine.forgetting import Forgetting
from engine.ports import (
    AdmissionRecord,
    AuditRecord,
    Batch,
    ChangeRecord,
    ConfigRecord,
    DataRecord,
    Forgotten,
    HeldRecord,
    MarksRecord,
    OutboxRecord,
    ProposalRecord,
    Pruned,
    Retention,
    RevisionRecord,
    Sleeper,
    Unfinished,
    WorkflowRecord,
)

_T = TypeVar("_T")


@dataclasses.dataclass
class _Tables:
    """Everything kept; dictionaries keep the order of first insertion, which is the order of commits."""

    executions: dict[str, Execution] = dataclasses.field(default_factory=dict)
    history: dict[tuple[str, int], HistoryRow] = dataclasses.field(default_factory=dict)
    outbox: dict[str, OutboxRecord] = dataclasses.field(default_factory=dict)
    events: dict[tuple[str, str], Event] = dataclasses.field(default_factory=dict)
    seen: dict[tuple[str, str], float] = dataclasses.field(default_factory=dict)
    admissions: dict[tuple[str, str], AdmissionRecord] = dataclasses.field(default_factory=dict)
    workflows: dict[tuple[str, str], WorkflowRecord] = dataclasses.field(default_factory=dict)
    revisions: dict[tuple[str, str, int], RevisionRecord] = dataclasses.field(default_factory=dict)
    changes: dict[tuple[str, str], ChangeRecord] = dataclasses.field(default_factory=dict)
    proposals: dict[str, ProposalRecord] = dataclasses.field(default_factory=dict)
    config: dict[tuple[str, str], ConfigRecord] = dataclasses.field(default_factory=dict)
    marks: dict[tuple[str, str, str], MarksRecord] = dataclasses.field(default_factory=dict)
    held: dict[tuple[str, str], HeldRecord] = dataclasses.field(default_factory=dict)
    data: dict[tuple[str, str, str], DataRecord] = dataclasses.field(default_factory=dict)
    audit: dict[tuple[str, str], AuditRecord] = dataclasses.field(default_factory=dict)

    def clone(self) -> "_Tables":
        """The same rows in tables of their own."""
        return _Tables(**{field.name: dict(getattr(self, field.name)) for field in dataclasses.fields(self)})


class MemoryStore:
    """`engine.ports.Store` in memory.

    Attributes:
        commits: Every batch that was written, oldest first.
        fail_with: If set, every commit raises it and writes nothing.
    """

    def __init__(self) -> None:
        self._tables = _Tables()
        self._closed = False
        self.commits: list[Batch] = []
        self.fail_with: StoreError | None = None

    async def commit(self, batch: Batch) -> None:
        self._check_open()
        if self.fail_with is not None:
            raise self.fail_with
        if not batch:
            return
        batch = copy.deepcopy(batch)
        tables = self._tables.clone()
        _apply(tables, batch)
        self._tables = tables
        self.commits.append(batch)

    async def live_executions(self, community: str) -> list[Execution]:
        return self._read(
            execution
            for execution in self._tables.executions.values()
            if execution.community == community and execution.status not in FINAL
        )

    async def sleepers(self, community: str) -> list[Sleeper]:
        return [
            Sleeper(run.id, run.workflow, run.revision, run.status, run.next_due, run.slot, run.ears)
            for run in await self.live_executions(community)
        ]

    async def executions_of(self, ids: Sequence[str]) -> list[Execution]:
        return self._read(self._tables.executions[id] for id in dict.fromkeys(ids) if id in self._tables.executions)

    async def marks(self, community: str) -> list[MarksRecord]:
        found = (record for record in self._tables.marks.values() if record.community == community)
        return self._read(sorted(found, key=lambda record: (record.workflow, record.key)))

    async def held(self, community: str) -> list[HeldRecord]:
        return self._read(record for record in self._tables.held.values() if record.event.community == community)

    async def outbox(self, community: str) -> list[OutboxRecord]:
        return self._read(record for record in self._tables.outbox.values() if record.effect.community == community)

    async def execution(self, id: str) -> Execution | None:
        return self._one(self._tables.executions.get(id))

    async def executions(self, community: str, workflow: str | None = None, limit: int = 20) -> list[Execution]:
        return self._latest(self._tables.executions.values(), community, workflow, limit)

    async def history(self, execution: str) -> list[HistoryRow]:
        rows = (row for row in self._tables.history.values() if row.execution == execution)
        return self._read(sorted(rows, key=lambda row: row.seq))

    async def workflows(self, community: str, *, deleted: bool = False) -> list[WorkflowRecord]:
        found = (
            record
            for record in self._tables.workflows.values()
            if record.community == community and (deleted or not record.deleted)
        )
        return self._read(sorted(found, key=lambda record: (record.name, record.id)))

    async def revision(self, community: str, workflow: str, number: int) -> RevisionRecord | None:
        return self._one(self._tables.revisions.get((community, workflow, number)))

    async def current_revisions(self, community: str) -> list[RevisionRecord]:
        numbers = [
            (community, record.id, record.revision)
            for record in await self.workflows(community)
            if (community, record.id, record.revision) in self._tables.revisions
        ]
        return self._read(self._tables.revisions[number] for number in numbers)

    async def revisions(self, community: str, workflow: str) -> list[RevisionRecord]:
        found = (
            record
            for record in self._tables.revisions.values()
            if (record.community, record.workflow) == (community, workflow)
        )
        return self._read(sorted(found, key=lambda record: record.number))

    async def changes(self, community: str, workflow: str | None = None, limit: int = 100) -> list[ChangeRecord]:
        return self._latest(self._tables.changes.values(), community, workflow, limit)

    async def seen(self, community: str, keys: Sequence[str], now: float) -> frozenset[str]:
        self._check_open()
        return frozenset(key for key in keys if self._tables.seen.get((community, key), now) > now)

    async def admissions(self, community: str, workflow: str | None = None, limit: int = 20) -> list[AdmissionRecord]:
        return self._latest(self._tables.admissions.values(), community, workflow, limit)

    async def event(self, community: str, id: str) -> Event | None:
        return self._one(self._tables.events.get((community, id)))

    async def events(self, community: str, limit: int = 20, *, own: bool = False) -> list[Event]:
        found = [event for event in self._tables.events.values() if event.community == community and event.own >= own]
        return self._read(found[::-1][:limit])

    async def proposals(self, community: str, now: float) -> list[ProposalRecord]:
        return self._read(
            record
            for record in self._tables.proposals.values()
            if record.community == community and record.expires_at > now
        )

    async def config(self, community: str) -> dict[str, ConfigRecord]:
        self._check_open()
        return {
            record.key: copy.deepcopy(record)
            for record in self._tables.config.values()
            if record.community == community
        }

    async def data(self, community: str) -> list[DataRecord]:
        found = (record for record in self._tables.data.values() if record.community == community)
        return self._read(sorted(found, key=lambda record: (record.owner, record.key)))

    async def audit(self, community: str, limit: int = 20) -> list[AuditRecord]:
        found = [record for record in self._tables.audit.values() if record.community == community]
        return self._read(found[::-1][:limit])

    async def unfinished(self, community: str, now: float) -> Unfinished:
        due = [run for run in await self.live_executions(community) if run.next_due is not None and run.next_due <= now]
        begun = [record for record in await self.outbox(community) if record.status == "begun"]
        return Unfinished(len(due), sum(not record.effect.repeatable for record in begun))

    async def prune(self, retention: Retention, now: float, most: int = 5_000) -> Pruned:
        self._check_open()
        tables = self._tables.clone()
        over = _over(tables, retention, now)[:most]
        for table, key in over:
            del getattr(tables, table)[key]
        self._tables = tables
        return Pruned(len(over), len(over) == most)

    async def forget(self, community: str, person: str) -> Forgotten:
        self._check_open()
        tables, forgetting = self._tables.clone(), Forgetting(person)
        counts = {
            table: _forget_in(getattr(tables, table), _knowing(tables, table, community), forgetting)
            for table in ("events", "admissions", "proposals", "history", "executions")
        }
        live = [run for run in await self.live_executions(community) if forgetting.out_of(run) is not run]
        self._tables = tables
        return Forgotten(**counts, live=len(live))

    async def close(self) -> None:
        self._closed = True

    def reopen(self) -> "MemoryStore":
        """A new store on what this one has committed, as after a crash."""
        store = MemoryStore()
        store._tables = self._tables.clone()
        return store

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("The store is closed.")

    def _read(self, found: Iterable[_T]) -> list[_T]:
        self._check_open()
        return [copy.deepcopy(record) for record in found]

    def _one(self, found: _T | None) -> _T | None:
        self._check_open()
        return copy.deepcopy(found)

    def _latest(self, rows: Iterable[_T], community: str, workflow: str | None, limit: int) -> list[_T]:
        mine = [row for row in rows if _belongs(row, community, workflow)]
        return self._read(mine[::-1][:limit])


def _belongs(row: object, community: str, workflow: str | None) -> bool:
    assert isinstance(row, Execution | ChangeRecord | AdmissionRecord)
    return row.community == community and workflow in (None, row.workflow)


def _over(tables: _Tables, retention: Retention, now: float) -> list[tuple[str, Any]]:
    """What may go, as (table, key), in the order in which it goes."""
    over: list[tuple[str, Any]] = [("seen", key) for key, expires in tables.seen.items() if expires <= now]
    over += [("proposals", id) for id, record in tables.proposals.items() if record.expires_at <= now]
    old = [key for key, event in tables.events.items() if event.at < now - retention.events_seconds]
    over += [("events", key) for key in old or _beyond(tables, retention.events_bytes)]
    admitted = now - retention.admissions_seconds
    over += [("admissions", key) for key, record in tables.admissions.items() if record.at < admitted]
    held = {record.effect.execution for record in tables.outbox.values()}
    held |= {getattr(run, "parent", None) or "" for run in tables.executions.values() if run.status not in FINAL}
    ended = now - retention.executions_seconds
    gone = [
        run.id
        for run in sorted(tables.executions.values(), key=lambda run: run.ended_at or 0.0)
        if run.status in FINAL
        and run.ended_at is not None
        and run.ended_at < ended
        and not run.orphans
        and run.id not in held
    ]
    over += [("history", key) for key in tables.history if key[0] in gone]
    return over + [("executions", id) for id in gone]


def _beyond(tables: _Tables, most: int) -> list[tuple[str, str]]:
    """The oldest events that are too many if the newest are kept."""
    size, over = 0, list[tuple[str, str]]()
    for key, event in reversed(tables.events.items()):
        size += len(str(event).encode())
        if size > most:
            over.append(key)
    return over[::-1]


def _knowing(tables: _Tables, table: str, community: str) -> list[Any]:
    """The keys of the rows in which a person is looked for."""
    ended = {run.id for run in tables.executions.values() if run.status in FINAL and run.community == community}
    match table:
        case "history":
            return [key for key in tables.history if key[0] in ended]
        case "executions":
            return list(ended)
        case _:
            return [key for key, record in getattr(tables, table).items() if record.community == community]


def _forget_in(rows: dict[Any, Any], keys: Iterable[Any], forgetting: Forgetting) -> int:
    changed = {key: without for key in keys if (without := forgetting.out_of(rows[key])) is not rows[key]}
    rows.update(changed)
    return len(changed)


def _apply(tables: _Tables, batch: Batch) -> None:
    """Write a batch into tables that are thrown away if this raises."""
    _apply_catalogue(tables, batch)
    for execution in batch.executions:
        tables.executions[execution.id] = execution
    for row in batch.history:
        if row.execution not in tables.executions:
            raise StoreError(f"Execution {row.execution} is not known, so it can have no history.")
        if (row.execution, row.seq) in tables.history:
            raise StoreError(f"The history of execution {row.execution} already has a row {row.seq}.")
        tables.history[row.execution, row.seq] = row
    _apply_kept(tables, batch)
    _apply_outbox(tables, batch)
    _apply_events(tables, batch)


def _apply_outbox(tables: _Tables, batch: Batch) -> None:
    for effect in batch.outbox:
        tables.outbox.setdefault(effect.id, OutboxRecord(effect, "due"))
    for id in batch.begun:
        if id in tables.outbox:
            tables.outbox[id] = dataclasses.replace(tables.outbox[id], status="begun")
    for id in batch.done:
        tables.outbox.pop(id, None)


def _apply_events(tables: _Tables, batch: Batch) -> None:
    for event in batch.events:
        tables.events.setdefault((event.community, event.id), event)
    tables.seen.update(batch.seen)
    for record in batch.marks:
        tables.marks[record.community, record.workflow, record.key] = record
        if not record.marks:
            del tables.marks[record.community, record.workflow, record.key]
    for held in batch.held:
        tables.held.setdefault((held.event.community, held.event.id), held)
    for released in batch.released:
        tables.held.pop(released, None)
    for admission in batch.admissions:
        tables.admissions[admission.community, admission.id] = admission


def _apply_catalogue(tables: _Tables, batch: Batch) -> None:
    for revision in batch.revisions:
        key = (revision.community, revision.workflow, revision.number)
        if key in tables.revisions:
            raise RevisionMoved(f"Version {revision.number} of {revision.workflow} is already there.")
        tables.revisions[key] = revision
    for workflow in batch.workflows:
        tables.workflows[workflow.community, workflow.id] = workflow
    for change in batch.changes:
        if (change.community, change.id) in tables.changes:
            raise StoreError(f"The change {change.id} is already recorded.")
        tables.changes[change.community, change.id] = change
    for proposal in batch.proposals:
        tables.proposals[proposal.id] = proposal
    for id in batch.proposals_answered:
        tables.proposals.pop(id, None)
    for setting in batch.config:
        tables.config[setting.community, setting.key] = setting


def _apply_kept(tables: _Tables, batch: Batch) -> None:
    for kept in batch.data:
        if kept.value is None:
            tables.data.pop((kept.community, kept.owner, kept.key), None)
        else:
            tables.data[kept.community, kept.owner, kept.key] = kept
    for asked in batch.audit:
        if (asked.community, asked.id) in tables.audit:
            raise StoreError(f"The request {asked.id} is already recorded.")
        tables.audit[asked.community, asked.id] = asked
