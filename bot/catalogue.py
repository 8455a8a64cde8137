"""The workflows of a community as they stand, and what each change of one writes.

`Catalogue` is a cache of the store and of nothing else: it learns a batch once that is committed. Every function that
makes a batch is pure: who, when, in which words and under which id come in as an `Origin`. Undo and redo are worked out
from the list of changes alone, so a restart forgets nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.execution import Person
from engine.model import Definition, State, all_states
from engine.ports import (
    Batch,
    ChangeKind,
    ChangeRecord,
    RevisionRecord,
    Standing,
    Store,
    WorkflowRecord,
)

MAX_WORKFLOWS: Final = 500
MAX_CHANGES: Final = 1_000
_REVISIONS_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """A workflow and the version of it that counts."""

    record: WorkflowRecord
    current: RevisionRecord

    @property
    def id(self) -> str:
        """The workflow's id."""
        return self.record.id

    @property
    def definition(self) -> Definition:
        """As it is written now."""
        return self.current.definition


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change comes from.

    Attributes:
        words: What was typed.
        ids: Draws the ids of changes.
    """

    by: Person
    at: float
    words: str
    ids: Callable[[], str]


class Catalogue:
    """All workflows of one community, deleted ones too."""

    def __init__(self, community: str, store: Store) -> None:
        self.community = community
        self._store = store
        self._records: dict[str, WorkflowRecord] = {}
        self._current: dict[str, RevisionRecord] = {}
        self._older: dict[tuple[str, int], RevisionRecord] = {}

    async def load(self) -> None:
        """Read everything anew.

        Raises:
            StoreError: It cannot be read.
        """
        records = await self._store.workflows(self.community, deleted=True)
        current = await self._store.current_revisions(self.community)
        self._records = {record.id: record for record in records}
        self._current = {revision.workflow: revision for revision in current}
        self._older = {}

    def learn(self, batch: Batch) -> None:
        """Take note of what has been committed."""
        for revision in batch.revisions:
            self._current[revision.workflow] = revision
        for record in batch.workflows:
            self._records[record.id] = record

    def get(self, id: str) -> Entry | None:
        """The workflow of that id, if it is there and not deleted."""
        record, current = self._records.get(id), self._current.get(id)
        return None if record is None or current is None or record.deleted else Entry(record, current)

    async def find(self, id: str) -> Entry | None:
        """The workflow of that id, deleted or not."""
        record = self._records.get(id)
        if record is None:
            return None
        current = self._current.get(id)
        if current is None:
            current = await self._store.revision(self.community, id, record.revision)
            if current is None:
                return None
            self._current[id] = current
        return Entry(record, current)

    def there(self) -> tuple[Entry, ...]:
        """Every workflow that is not deleted, by name."""
        entries = (self.get(id) for id in self._records)
        return tuple(sorted((entry for entry in entries if entry), key=lambda entry: folded(entry.record.name)))

    async def gone(self, limit: int = 50) -> tuple[Entry, ...]:
        """The workflows deleted last."""
        deleted = sorted(
            (record for record in self._records.values() if record.deleted), key=lambda record: -record.updated_at
        )
        return tuple([entry for record in deleted[:limit] if (entry := await self.find(record.id)) is not None])

    def records(self) -> tuple[WorkflowRecord, ...]:
        """How every workflow stands, deleted ones too."""
        return tuple(self._records.values())

    def holder(self, name: str, besides: str | None = None) -> Entry | None:
        """The workflow that answers to a name or id: case does not count, blanks are underscores."""
        wanted = folded(name)
        for entry in self.there():
            if entry.id != besides and wanted in (folded(entry.id), folded(entry.record.name)):
                return entry
        return None

    async def revision(self, workflow: str, number: int) -> RevisionRecord | None:
        """One version of a workflow."""
        current = self._current.get(workflow)
        if current is not None and current.number == number:
            return current
        key = (workflow, number)
        if key not in self._older:
            found = await self._store.revision(self.community, workflow, number)
            if found is None:
                return None
            if len(self._older) >= _REVISIONS_KEPT:
                self._older.pop(next(iter(self._older)))
            self._older[key] = found
        return self._older[key]

    async def changes(self, workflow: str | None = None, limit: int = MAX_CHANGES) -> list[ChangeRecord]:
        """The changes of a workflow or of all, newest first."""
        return await self._store.changes(self.community, workflow, limit)


def folded(name: str) -> str:
    """A name as names are compared."""
    return "_".join(name.casefold().split())


def standing(record: WorkflowRecord) -> Standing:
    """What an undo would restore."""
    return Standing(record.name, record.revision, record.enabled, record.deleted)


# What changes write ----------------------------------------------------------------------------------------------------


def creation(community: str, definition: Definition, origin: Origin, summary: str, former: Entry | None) -> Batch:
    """A new workflow. `former` is a deleted one that had the same id; its numbers go on."""
    number = 1 if former is None else former.current.number + 1
    after = WorkflowRecord(community, definition.id, definition.name, number, updated_at=origin.at)
    before = None if former is None else standing(former.record)
    return _batch(after, before, "create", origin, summary, _revision(after, definition, origin, summary, None))


def revised(entry: Entry, definition: Definition, origin: Origin, kind: ChangeKind, summary: str) -> Batch:
    """A new version of a workflow. Its name follows the definition's."""
    after = replace(
        entry.record, name=definition.name, revision=entry.current.number + 1, deleted=False, updated_at=origin.at
    )
    revision = _revision(after, definition, origin, summary, entry.current)
    return _batch(after, standing(entry.record), kind, origin, summary, revision)


def switched(entry: Entry, origin: Origin, summary: str, *, enabled: bool) -> Batch:
    """A workflow switched on or off; its version stays."""
    after = replace(entry.record, enabled=enabled, updated_at=origin.at)
    return _batch(after, standing(entry.record), "enable" if enabled else "disable", origin, summary)


def deletion(entry: Entry, origin: Origin, summary: str) -> Batch:
    """A workflow deleted; everything about it stays, for undo."""
    after = replace(entry.record, deleted=True, updated_at=origin.at)
    return _batch(after, standing(entry.record), "delete", origin, summary)


def restoration(
    entry: Entry,
    target: Standing | None,
    content: RevisionRecord,
    reverses: Sequence[ChangeRecord],
    origin: Origin,
    kind: ChangeKind,
    summary: str,
) -> Batch:
    """A new version that is how the workflow stood before: an undo, or a redo.

    Args:
        entry: How it stands now.
        target: How it will stand; None = it was not there.
        content: The version whose definition and authors come back.
        reverses: The changes taken back, newest first; each gets a record of its own.
        origin: Who does it.
        kind: Undo or redo.
        summary: In one line.
    """
    number = entry.current.number + 1
    restored = replace(
        entry.record,
        name=target.name if target is not None else entry.record.name,
        enabled=target.enabled if target is not None else entry.record.enabled,
        deleted=target is None or target.deleted,
        revision=number,
        updated_at=origin.at,
    )
    revision = replace(content, number=number, author=origin.by, at=origin.at, words=origin.words, summary=summary)
    before, after = standing(entry.record), standing(restored)
    changes = [_change(restored, before, after, kind, origin, summary, undoes=change.id) for change in reverses]
    return Batch(workflows=[restored], revisions=[revision], changes=changes)


def restored(entry: Entry, content: RevisionRecord, origin: Origin, summary: str) -> Batch:
    """A new version that is as an older one was, with the authors its steps had then."""
    after = replace(entry.record, name=content.definition.name, revision=entry.current.number + 1, updated_at=origin.at)
    revision = replace(
        content, number=after.revision, author=origin.by, at=origin.at, words=origin.words, summary=summary
    )
    return _batch(after, standing(entry.record), "restore", origin, summary, revision)


def joined(batches: Iterable[Batch]) -> Batch:
    """Several changes as one commit."""
    whole = Batch()
    for batch in batches:
        whole.workflows.extend(batch.workflows)
        whole.revisions.extend(batch.revisions)
        whole.changes.extend(batch.changes)
        whole.proposals.extend(batch.proposals)
        whole.proposals_answered.extend(batch.proposals_answered)
        whole.config.extend(batch.config)
    return whole


def authors(definition: Definition, before: RevisionRecord | None, by: Person) -> Mapping[str, Person]:
    """Who made or last changed each step. Where a step leads is not the step: edges move when others are put in."""
    former: dict[str, State] = {}
    if before is not None:
        former = {state.name: state for state in all_states(before.definition.states)}
    found: dict[str, Person] = {}
    for state in all_states(definition.states):
        old = former.get(state.name)
        same = before is not None and old is not None and _without_edges(old) == _without_edges(state)
        found[state.name] = before.step_authors.get(state.name, before.author) if before is not None and same else by
    return found


def _without_edges(state: State) -> State:
    return state.model_copy(update={"transitions": {}})


def _revision(
    record: WorkflowRecord, definition: Definition, origin: Origin, summary: str, before: RevisionRecord | None
) -> RevisionRecord:
    return RevisionRecord(
        record.community,
        record.id,
        record.revision,
        definition,
        origin.by,
        origin.at,
        words=origin.words,
        summary=summary,
        step_authors=authors(definition, before, origin.by),
    )


def _batch(
    after: WorkflowRecord,
    before: Standing | None,
    kind: ChangeKind,
    origin: Origin,
    summary: str,
    revision: RevisionRecord | None = None,
) -> Batch:
    return Batch(
        workflows=[after],
        revisions=[] if revision is None else [revision],
        changes=[_change(after, before, standing(after), kind, origin, summary)],
    )


def _change(
    record: WorkflowRecord,
    before: Standing | None,
    after: Standing,
    kind: ChangeKind,
    origin: Origin,
    summary: str,
    undoes: str | None = None,
) -> ChangeRecord:
    return ChangeRecord(
        origin.ids(),
        record.community,
        record.id,
        origin.at,
        origin.by,
        kind,
        words=origin.words,
        summary=summary,
        before=before,
        after=after,
        undoes=undoes,
    )


# Undo and redo over the list of changes ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that was taken back, and the undo that did it."""

    change: ChangeRecord
    undo: ChangeRecord


def undoable(changes: Sequence[ChangeRecord]) -> tuple[ChangeRecord, ...]:
    """The changes of one workflow that count, the last one first; each can be taken back after those before it."""
    return _stacks(changes)[0]


def redoable(changes: Sequence[ChangeRecord]) -> tuple[Undone, ...]:
    """What was taken back and can be brought back, the last one first. A new change ends that."""
    return _stacks(changes)[1]


def _stacks(changes: Sequence[ChangeRecord]) -> tuple[tuple[ChangeRecord, ...], tuple[Undone, ...]]:
    """Play the changes, given newest first, in the order they were made."""
    done: list[ChangeRecord] = []
    undone: list[Undone] = []
    for change in reversed(changes):
        match change.kind:
            case "undo":
                if done and done[-1].id == change.undoes:
                    undone.append(Undone(done.pop(), change))
            case "redo":
                if undone and undone[-1].undo.id == change.undoes:
                    done.append(undone.pop().change)
            case _:
                done.append(change)
                undone.clear()
    return tuple(reversed(done)), tuple(reversed(undone))
