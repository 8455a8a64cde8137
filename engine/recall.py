"""Fills the memory of a community with what its store says; nothing is started by it, and nothing written."""

from engine.community import Community, Loaded, load
from engine.declare import Declarations
from engine.errors import StoreError
from engine.ports import Store


async def recall(store: Store, declarations: Declarations, community: Community) -> None:
    """Hold what the store says, and nothing else.

    Raises:
        StoreError: It cannot be read.
    """
    name = community.name
    workflows = await store.workflows(name)
    current = await store.current_revisions(name)
    executions = {execution.id: execution for execution in await store.live_executions(name)}
    pending = await store.outbox(name)
    for id in {record.effect.execution for record in pending} - executions.keys():
        ended = await store.execution(id)
        if ended is not None:
            executions[id] = ended
    revisions = {(each.workflow, each.number): load(each, declarations) for each in current}
    for execution in executions.values():
        pinned = (execution.workflow, execution.revision)
        if pinned not in revisions:
            revisions[pinned] = await fetch(store, declarations, name, *pinned)
    community.fill(workflows, revisions, executions, pending)


async def fetch(store: Store, declarations: Declarations, community: str, workflow: str, number: int) -> Loaded:
    """One revision.

    Raises:
        StoreError: It cannot be read, or is not there.
    """
    revision = await store.revision(community, workflow, number)
    if revision is None:
        raise StoreError(f"Version {number} of {workflow} is not in the store.")
    return load(revision, declarations)
