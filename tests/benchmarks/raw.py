"""SQLite by itself: the rows that a run of the engine wrote, with prepared `executemany` on the main thread.

In transactions of 100 transitions, into the same tables, with the same settings.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from engine.ports import Batch
from storage.codec import encode_batch
from storage.sqlite import SQLiteStore
from tests.benchmarks.workload import COMMUNITY, Synchronous, read_back

EXECUTION: Final = (
    "INSERT INTO executions (id, community, workflow, revision, status, next_due, started_at, ended_at, slot, "
    "ears, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, "
    "status = excluded.status, next_due = excluded.next_due, ended_at = excluded.ended_at, "
    "ears = excluded.ears, body = excluded.body"
)
HISTORY: Final = "INSERT INTO history (community, execution, seq, body) VALUES (?, ?, ?, ?)"
OUTBOX: Final = "INSERT INTO outbox (id, community, status, body) VALUES (?, ?, 'due', ?)"
BEGUN: Final = "UPDATE outbox SET status = 'begun' WHERE id = ?"
DONE_WITH: Final = "DELETE FROM outbox WHERE id = ?"
ADMISSION: Final = "INSERT INTO admissions (community, id, workflow, at, body) VALUES (?, ?, ?, ?, ?)"
EVENT: Final = "INSERT INTO events (community, id, at, body) VALUES (?, ?, ?, ?)"
SEEN: Final = "INSERT INTO seen (community, key, expires_at) VALUES (?, ?, ?)"

Rows = dict[str, list[tuple[Any, ...]]]


def rows_of(batches: Sequence[Batch]) -> list[Rows]:
    """Everything that was committed, as rows ready for executemany, cut after every 100 transitions."""
    whole: Rows = {sql: [] for sql in (EXECUTION, OUTBOX, BEGUN, HISTORY, DONE_WITH, EVENT, SEEN, ADMISSION)}
    for batch in batches:
        document = encode_batch(batch)
        whole[EXECUTION] += _with_body(document.executions, document.bodies)
        whole[HISTORY] += [(COMMUNITY, *row) for row in _with_body(document.history, document.bodies)]
        whole[OUTBOX] += _with_body(document.outbox, document.bodies)
        whole[EVENT] += _with_body(document.events, document.bodies)
        whole[ADMISSION] += _with_body(document.admissions, document.bodies)
        whole[SEEN] += [tuple(row) for row in _listed(document.seen)]
        whole[BEGUN] += [(id,) for id in _listed(document.begun)]
        whole[DONE_WITH] += [(id,) for id in _listed(document.done)]
    pieces = max(1, len(whole[HISTORY]) // 100)
    return [{sql: list(_piece(rows, number, pieces)) for sql, rows in whole.items()} for number in range(pieces)]


def _with_body(table: str | None, bodies: bytes) -> list[tuple[Any, ...]]:
    return [
        (*columns, bodies[begins - 1 : begins - 1 + length].decode()) for *columns, begins, length in _listed(table)
    ]


def _listed(table: str | None) -> list[Any]:
    return json.loads(table) if table else []


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


async def sync_times(folder: Path, times: int) -> list[float]:
    """Seconds that the disk takes to keep a page."""
    taken = []
    with (folder / "page").open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(b"x" * 4096)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return taken
