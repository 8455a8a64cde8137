"""How many durable transitions a second: the real runner on the real SQLite file, beside SQLite itself writing the same rows.

    uv run python tests/benchmarks/engine.py [--quick]

Every execution goes through 10 states; each state works out two templates, asks a service that does nothing, and passes a
guard. A transition is counted when its history row can be read back. `raw` is what `sqlite3` does on the main thread with
prepared `executemany` of exactly the rows that such a run wrote, in transactions of 100 transitions, into the same tables
with the same settings. Engine and raw take turns, so that a busy machine slows both; of both the best round counts. The last line is one JSON object.
"""

import argparse
import asyncio
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.clock import SystemClock
from engine.declare import Method, Param
from engine.execution import Done, Effect, Execution, Person, Result
from engine.model import Definition
from engine.ports import Batch, RevisionRecord, WorkflowRecord
from engine.runner import Runner
from storage.codec import encode_batch
from storage.sqlite import SQLiteStore

Synchronous = Literal["FULL", "NORMAL"]

STATES: Final = 10
COMMUNITY: Final = "bench"
CALLER: Final = Person("streamer", roles=("broadcaster",))
ARGUMENTS: Final = {"greeting": "hello", "points": 150}
DONE: Final = Done()


def definition() -> Definition:
    """Ten states in a row, each with two templates and a guard."""
    names = [f"step_{number}" for number in range(STATES)]
    states = [
        {
            "name": name,
            "action": {
                "service": "bench",
                "method": "nothing",
                "params": {"message": f"{name}: ${{greeting}} ${{user}}", "title": "${user} has ${points} points"},
            },
            "transitions": {"success": [{"when": 'points >= 100 and greeting != "bye"', "to": following}]}
            if following
            else {},
        }
        for name, following in zip(names, [*names[1:], None], strict=True)
    ]
    return Definition.model_validate({"id": "bench", "name": "bench", "initial_state": names[0], "states": states})


@dataclass
class NothingService:
    """Does nothing; notes when it was asked, and tells when an execution has come to its last state."""

    repeatable: bool = True
    name: str = "bench"
    simulated: bool = True
    latencies: list[float] = field(default_factory=list)
    last: dict[str, float] = field(default_factory=dict)
    ending: dict[str, "asyncio.Future[None]"] = field(default_factory=dict)

    @property
    def methods(self) -> Sequence[Method]:
        return (Method("bench", "nothing", (Param("message"), Param("title")), repeatable=self.repeatable),)

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        now = time.perf_counter()
        before = self.last.get(effect.execution)
        if before is not None:
            self.latencies.append(now - before)
        await begin()
        if effect.state == f"step_{STATES - 1}":
            self.last.pop(effect.execution, None)
            self.ending.pop(effect.execution).set_result(None)
        else:
            self.last[effect.execution] = time.perf_counter()
        return DONE

    async def settle(self, effect: Effect) -> Result | None:
        return None


class Recording(SQLiteStore):
    """The real store, which also keeps what it was given, so that the raw run can write the same rows."""

    keeps: bool
    batches: list[Batch]
    commits: int

    async def commit(self, batch: Batch) -> None:
        self.commits += 1
        if self.keeps:
            self.batches.append(batch)
        await super().commit(batch)


@dataclass(frozen=True)
class Measured:
    rate: float
    p99_ms: float
    commits: int
    transitions: int
    batches: list[Batch] = field(repr=False)


async def engine_run(
    folder: Path,
    in_flight: int,
    executions: int,
    synchronous: Synchronous,
    *,
    repeatable: bool = True,
    keeps: bool = False,
) -> Measured:
    """Let the engine run so many executions, so many at a time; keep what was written only where nobody looks at the time."""
    path = folder / "engine.db"
    store = await Recording.open(path, synchronous=synchronous)
    store.batches, store.keeps, store.commits = [], keeps, 0
    service = NothingService(repeatable)
    ids, chance = count(), random.Random(1)
    runner = Runner(store, [service], SystemClock(), ids=lambda: f"{next(ids):08x}", chance=chance.random)
    await runner.open(COMMUNITY)
    written = definition()
    await runner.save(
        Batch(
            revisions=[RevisionRecord(COMMUNITY, "bench", 1, written, CALLER, 0.0)],
            workflows=[WorkflowRecord(COMMUNITY, "bench", "bench", 1)],
        )
    )
    store.batches.clear()
    store.commits = 0
    left = iter(range(executions))

    async def one_after_another() -> None:
        loop = asyncio.get_running_loop()
        for _ in left:
            started = await runner.run(COMMUNITY, "bench", ARGUMENTS, CALLER)
            assert isinstance(started, Execution), started
            if started.id not in service.ending:
                service.ending[started.id] = loop.create_future()
            await service.ending[started.id]

    began = time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(in_flight)))
    await runner.quiescent()
    took = time.perf_counter() - began
    await runner.close()
    await store.close()
    transitions = read_back(path)
    assert transitions == executions * STATES, (transitions, executions)
    latencies = sorted(service.latencies)
    return Measured(
        transitions / took,
        latencies[int(len(latencies) * 0.99)] * 1_000,
        store.commits,
        transitions,
        store.batches,
    )


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


# Raw ---------------------------------------------------------------------------------------------------------------------

EXECUTION: Final = (
    "INSERT INTO executions (id, community, workflow, revision, status, next_due, started_at, ended_at, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, "
    "status = excluded.status, next_due = excluded.next_due, ended_at = excluded.ended_at, body = excluded.body"
)
HISTORY: Final = "INSERT INTO history (community, execution, seq, body) VALUES (?, ?, ?, ?)"
OUTBOX: Final = "INSERT INTO outbox (id, community, status, body) VALUES (?, ?, 'due', ?)"
BEGUN: Final = "UPDATE outbox SET status = 'begun' WHERE id = ?"
DONE_WITH: Final = "DELETE FROM outbox WHERE id = ?"
ADMISSION: Final = "INSERT INTO admissions (community, id, workflow, at, body) VALUES (?, ?, ?, ?, ?)"

Rows = dict[str, list[tuple[Any, ...]]]


def rows_of(batches: Sequence[Batch]) -> list[Rows]:
    """Everything that was committed, as rows ready for executemany, cut after every 100 transitions."""
    whole: Rows = {sql: [] for sql in (EXECUTION, OUTBOX, BEGUN, HISTORY, DONE_WITH, ADMISSION)}
    for batch in batches:
        tables = json.loads(encode_batch(batch))
        for row in tables.get("executions", ()):
            columns = ("id", "community", "workflow", "revision", "status", "next_due", "started_at", "ended_at")
            whole[EXECUTION].append((*(row.get(column) for column in columns), _body(row)))
        for row in tables.get("history", ()):
            whole[HISTORY].append((COMMUNITY, row["execution"], row["seq"], _body(row)))
        for row in tables.get("outbox", ()):
            whole[OUTBOX].append((row["id"], row["community"], _body(row)))
        for row in tables.get("admissions", ()):
            whole[ADMISSION].append((row["community"], row["id"], row["workflow"], row["at"], _body(row)))
        whole[BEGUN] += [(id,) for id in tables.get("begun", ())]
        whole[DONE_WITH] += [(id,) for id in tables.get("done", ())]
    pieces = max(1, len(whole[HISTORY]) // 100)
    return [{sql: list(_piece(rows, number, pieces)) for sql, rows in whole.items()} for number in range(pieces)]


def _body(row: dict[str, Any]) -> str:
    return json.dumps(row, separators=(",", ":"))


def _piece(rows: Sequence[Any], number: int, pieces: int) -> Iterator[Any]:
    return iter(rows[len(rows) * number // pieces : len(rows) * (number + 1) // pieces])


async def raw_run(folder: Path, transactions: Sequence[Rows], synchronous: Synchronous) -> float:
    """Write those rows with nothing but sqlite3; transitions a second."""
    path = folder / "raw.db"
    await (await SQLiteStore.open(path)).close()  # the same tables
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "wal_autocheckpoint = 4000", f"synchronous = {synchronous}"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    began = time.perf_counter()
    for transaction in transactions:
        connection.execute("BEGIN IMMEDIATE")
        for sql, rows in transaction.items():
            connection.executemany(sql, rows)
        connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return read_back(path) / took


# Side by side ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Summary:
    """What one setting of `synchronous` came to: rates are the best of the rounds on both sides, the rest medians."""

    rate_1: float
    rate_100: float
    rate_100_once: float
    raw_100: float
    p99_ms_100: float
    transitions_per_commit: float

    @property
    def ratio_100(self) -> float:
        return self.rate_100 / self.raw_100


def in_folder(run: Callable[[Path], Awaitable[Any]]) -> Any:
    """Run something in a folder and a loop of its own."""

    async def running() -> Any:
        with tempfile.TemporaryDirectory(prefix="showcaller-bench-") as folder:
            return await run(Path(folder))

    return asyncio.run(running())


def measure(synchronous: Synchronous, executions: int, rounds: int) -> Summary:
    """Engine and raw in turns."""
    alone, together, once, raw = [], [], [], []
    kept = in_folder(lambda folder: engine_run(folder, 100, executions, synchronous, keeps=True))
    transactions = rows_of(kept.batches)
    for _ in range(rounds):
        alone.append(in_folder(lambda folder: engine_run(folder, 1, executions // 32, synchronous)).rate)
        together.append(in_folder(lambda folder: engine_run(folder, 100, executions, synchronous)))
        raw.append(in_folder(lambda folder: raw_run(folder, transactions, synchronous)))
        once.append(
            in_folder(lambda folder: engine_run(folder, 100, executions // 4, synchronous, repeatable=False)).rate
        )
    return Summary(
        max(alone),
        max(run.rate for run in together),
        max(once),
        max(raw),
        statistics.median(run.p99_ms for run in together),
        statistics.median(run.transitions / run.commits for run in together),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under 40 seconds")
    arguments = parser.parse_args()
    # The bot sets this at its start too: with the usual 5 ms the writer's thread waits for the interpreter lock.
    sys.setswitchinterval(0.0005)
    executions = 800 if arguments.quick else 5_000
    found = {mode: measure(mode, executions, 3) for mode in ("NORMAL", "FULL")}  # type: ignore[arg-type]
    normal, full = found["NORMAL"], found["FULL"]
    print(f"{STATES} states, 2 templates and a guard per state; {executions * STATES:,} transitions a round, 3 rounds")
    print(f"{'':44}{'NORMAL':>10}{'FULL':>10}")
    for words, name, form in (
        ("transitions/s, 1 in flight", "rate_1", ",.0f"),
        ("transitions/s, 100 in flight", "rate_100", ",.0f"),
        ("the same, if no effect may be repeated", "rate_100_once", ",.0f"),
        ("raw sqlite3, same rows, 100 a transaction", "raw_100", ",.0f"),
        ("ratio", "ratio_100", ".2f"),
        ("p99 of a transition, 100 in flight, ms", "p99_ms_100", ".1f"),
        ("transitions in a commit, 100 in flight", "transitions_per_commit", ".0f"),
    ):
        print(f"{words:44}{getattr(normal, name):>10{form}}{getattr(full, name):>10{form}}")
    figures = ("rate_1", "rate_100", "raw_100", "ratio_100", "p99_ms_100")
    print(
        json.dumps(
            {name: round(getattr(normal, name), 3) for name in figures}
            | {f"full_{name}": round(getattr(full, name), 3) for name in figures}
        )
    )


if __name__ == "__main__":
    main()
