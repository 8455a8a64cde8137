"""Fills the memory of a community with what its store says; nothing is started by it, and nothing written.

Runs that only wait are not read: of them it is enough to know when they are due and what they listen for.
"""

import asyncio
from collections.abc import Sequence

from engine.community import Community, Loaded, all_held, load
from engine.declare import Declarations
from engine.ears import Ears
from engine.errors import StoreError
from engine.places import Places
from engine.ports import OutboxRecord, RevisionRecord, Sleeper, Store
from engine.triggers import TriggerIndex


async def recall(store: Store, declarations: Declarations, community: Community) -> None:
    """Hold what the store says, and nothing else.

    Raises:
        StoreError: It cannot be read.
    """
    name = community.name
    workflows = await store.workflows(name)
    current, sleepers, pending, marks, held, data = await asyncio.gather(  # one is made while the next is read
        store.current_revisions(name),
        store.sleepers(name),
        store.outbox(name),
        store.marks(name),
        store.held(name),
        store.data(name),
    )
    awake = await store.executions_of(_awake(sleepers, pending))
    revisions = await _revisions(
        store, declarations, name, current, {(each.workflow, each.revision) for each in sleepers}
    )
    for execution in awake:
        pinned = (execution.workflow, execution.revision)
        if pinned not in revisions:
            revisions[pinned] = await fetch(store, declarations, name, *pinned)
    # From here on without an await: memory is either the old one or the new one.
    community.workflows = {}
    community.revisions = revisions
    community.triggers = TriggerIndex()
    community.ears = Ears()
    community.places = Places()
    community.marks = {(record.workflow, record.key): record.marks for record in marks}
    community.held = all_held(held)
    community.kept.fill(data)
    community.pending = pending
    community.inbox.forget()
    community.roster.fill(awake, sleepers)
    community.due = []
    put, due = community.places.put, community.due
    for each in sleepers:  # one pass, since there may be very many
        put(each.slot or each.workflow, each.id, each.status)
        if each.ears:
            community.ears.listen(each.id, each.ears)
        if each.next_due is not None:
            due.append((each.id, each.next_due))
    for record in workflows:
        community.learn(record)
    community.stale = False


def _awake(sleepers: Sequence[Sleeper], pending: Sequence[OutboxRecord]) -> list[str]:
    """The runs that must be in memory: those with something under way, and those that belong together."""
    wanted = {record.effect.execution: None for record in pending}
    for each in sleepers:
        if each.status in ("running", "stopping"):
            wanted[each.id] = None
        if "." in each.id:
            wanted[each.id] = None
            wanted[each.id.rpartition(".")[0]] = None
    return list(wanted)


async def _revisions(
    store: Store,
    declarations: Declarations,
    community: str,
    current: Sequence[RevisionRecord],
    pinned: set[tuple[str, int]],
) -> dict[tuple[str, int], Loaded]:
    loaded = {(each.workflow, each.number): load(each, declarations) for each in current}
    for key in pinned - loaded.keys():
        loaded[key] = await fetch(store, declarations, community, *key)
    return loaded


async def fetch(store: Store, declarations: Declarations, community: str, workflow: str, number: int) -> Loaded:
    """One revision.

    Raises:
        StoreError: It cannot be read, or is not there.
    """
    revision = await store.revision(community, workflow, number)
    if revision is None:
        raise StoreError(f"Version {number} of {workflow} is not in the store.")
    return load(revision, declarations)
