"""What is measured: a workflow of ten states as people write them, a service that does nothing, and the real store and runner.

Every execution is started by an event, which is stored with its key and its admission. Each state fills in two templates,
asks the service, keeps what it answered and passes a guard; 400 bytes of variables come along. A transition is one row of
history that can be read back.
"""

import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from engine.clock import SystemClock
from engine.declare import Method, Param
from engine.events import Event
from engine.execution import Done, Effect, Execution, Person, Result
from engine.model import Definition
from engine.ports import Batch, RevisionRecord, WorkflowRecord
from engine.runner import Runner
from storage.sqlite import SQLiteStore

Synchronous = Literal["FULL", "NORMAL"]
T = TypeVar("T")

STATES: Final = 10
COMMUNITY: Final = "bench"
OWNER: Final = Person("streamer", roles=("broadcaster",))
VARIABLES: Final = {f"setting_{number}": "x" * 36 for number in range(8)}
"""As JSON 400 bytes with their names."""
DONE: Final = Done({"id": "5f2c", "sent": True, "length": 17})


def state(name: str, following: str | None) -> dict[str, Any]:
    """A state with two templates and a guard."""
    params = {"message": f"{name}: ${{greeting}} ${{user}}", "title": "${user} came with ${viewers} viewers"}
    guarded = [{"when": 'viewers >= 100 and greeting != "bye"', "to": following}]
    return {
        "name": name,
        "action": {"service": "bench", "method": "nothing", "params": params},
        "transitions": {"success": guarded} if following else {},
    }


def definition(states: int = STATES) -> Definition:
    """So many states in a row, started by a raid."""
    names = [f"step_{number}" for number in range(states)]
    return defined([state(name, following) for name, following in zip(names, [*names[1:], None], strict=True)])


def defined(states: Sequence[dict[str, Any]]) -> Definition:
    """These states, with the variables they all carry and the trigger that starts them."""
    return Definition.model_validate(
        {
            "id": "bench",
            "name": "bench",
            "initial_state": states[0]["name"],
            "states": states,
            "triggers": [{"on": "raid.received", "when": "viewers >= 100"}],
            "variables": {
                "greeting": {"default": "hello"},
                **{key: {"default": text} for key, text in VARIABLES.items()},
            },
        }
    )


def saved(written: Definition) -> Batch:
    """A workflow as it is first saved."""
    return Batch(
        revisions=[RevisionRecord(COMMUNITY, "bench", 1, written, OWNER, 0.0)],
        workflows=[WorkflowRecord(COMMUNITY, "bench", "bench", 1)],
    )


def raid(number: int, at: float) -> Event:
    """What starts an execution."""
    payload = {"user": {"name": f"raider_{number}", "roles": ["subscriber"]}, "viewers": 150}
    return Event(f"raid-{number:08x}", "raid.received", at, COMMUNITY, payload)


@dataclass
class NothingService:
    """Does nothing; notes how long transitions took, and tells when an execution has come to its last state."""

    last_state: str = f"step_{STATES - 1}"
    repeatable: bool = True
    name: str = "bench"
    simulated: bool = True
    latencies: list[float] = field(default_factory=list)
    first_asked: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    ending: dict[str, "asyncio.Future[None]"] = field(default_factory=dict)

    @property
    def methods(self) -> Sequence[Method]:
        return (Method("bench", "nothing", (Param("message"), Param("title")), repeatable=self.repeatable),)

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        now = time.perf_counter()
        before = self.answered.get(effect.execution)
        if before is None:
            self.first_asked[effect.execution] = now
        else:
            self.latencies.append(now - before)
        await begin()
        if effect.state == self.last_state:
            self.answered.pop(effect.execution, None)
            self.end_of(effect.execution).set_result(None)
        else:
            self.answered[effect.execution] = time.perf_counter()
        return DONE

    async def settle(self, effect: Effect) -> Result | None:
        return None

    def end_of(self, execution: str) -> "asyncio.Future[None]":
        """Ends when that execution has asked for its last effect."""
        if execution not in self.ending:
            self.ending[execution] = asyncio.get_running_loop().create_future()
        return self.ending[execution]


class Recording(SQLiteStore):
    """The real store, which also counts its commits and keeps what it was given, if that is wanted."""

    keeps: bool = False
    commits: int = 0
    batches: list[Batch]

    async def commit(self, batch: Batch) -> None:
        self.commits += 1
        if self.keeps:
            self.batches.append(batch)
        await super().commit(batch)


@dataclass
class Bench:
    """A runner with one community and one workflow."""

    store: Recording
    service: NothingService
    runner: Runner
    numbers: "count[int]" = field(default_factory=count)

    async def start_one(self) -> Execution:
        """Let a raid come in; the execution it started."""
        number = next(self.numbers)
        posted = await self.runner.post(raid(number, time.time()))
        return posted.started[0]

    async def run_one(self) -> None:
        """Let a raid come in and its execution come to its last state."""
        execution = await self.start_one()
        await self.service.end_of(execution.id)
        del self.service.ending[execution.id]


def runner_on(store: SQLiteStore, service: Any) -> Runner:
    """A runner as the bot makes one; ids are short and in order."""
    ids, chance = count(), random.Random(1)
    return Runner(store, [service], SystemClock(), ids=lambda: f"{next(ids):08x}", chance=chance.random)


@asynccontextmanager
async def opened(
    path: Path, synchronous: Synchronous, service: NothingService, written: Definition
) -> AsyncIterator[Bench]:
    """A new file, a runner on it, and the workflow saved."""
    store = await Recording.open(path, synchronous=synchronous)
    store.batches = []
    runner = runner_on(store, service)
    await runner.open(COMMUNITY)
    await runner.save(saved(written))
    store.batches.clear()
    store.commits = 0
    try:
        yield Bench(store, service, runner)
    finally:
        await runner.close()
        await store.close()


def read_back(path: Path) -> int:
    """How many transitions are in a file; whole, in order, and with nothing left undone."""
    connection = sqlite3.connect(path)
    (rows,) = connection.execute("SELECT count(*) FROM history").fetchone()
    (gaps,) = connection.execute(
        "SELECT count(*) FROM (SELECT count(*) AS n, max(seq) AS last FROM history GROUP BY execution) WHERE n <> last + 1"
    ).fetchone()
    (undone,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
    connection.close()
    assert (gaps, undone) == (0, 0), (gaps, undone)
    return int(rows)


def in_folder(run: Callable[[Path], Awaitable[T]]) -> T:
    """Run something in a folder and an event loop of its own."""

    async def running() -> T:
        with tempfile.TemporaryDirectory(prefix="showcaller-bench-") as folder:
            return await run(Path(folder))

    return asyncio.run(running())


def percentile(values: Sequence[float], part: float) -> float:
    """The value that so many of them do not exceed; 0 if there are none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0
