"""`engine.ports.Store` on one SQLite file.

Every call here is one statement on the connection's own thread: a commit is one, a read is one, so none can fall apart
in the middle or interleave with another. The connection is in autocommit, so a statement is its transaction.
This module knows no SQL beyond the names in `queries.sql` and no JSON beyond the names in `storage.codec`.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

import aiosqlite
from filelock import BaseFileLock

from engine.errors import StoreError, StoreMissing
from engine.events import Event
from engine.execution import Execution, HistoryRow
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
from storage import codec
from storage.examine import examine, readable_uri, reading
from storage.failures import in_words
from storage.forget import forget, leaving_nothing
from storage.lock import hold
from storage.migrate import MIGRATIONS, Migration, migrate, refuse_newer
from storage.prune import find_over, give_back, slices
from storage.statements import STATEMENTS, WRITE_PATH

Synchronous = Literal["FULL", "NORMAL"]

READ_AT_ONCE: Final = 1_000
"""Of many records so many are made in one go, while the connection's thread reads the next; nobody waits for all of them."""

_SETTINGS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA temp_store = MEMORY",
)
_OF_A_NEW_FILE: Final = "PRAGMA auto_vacuum = INCREMENTAL"
"""So that room can be given back a little at a time; a file keeps what it was made with, so this comes first."""


class SQLiteStore:
    """Everything durable, in one file that one process writes and any number may read.

    `synchronous="FULL"` survives power loss; `NORMAL` survives the death of the process, and is faster.
    """

    def __init__(self, connection: aiosqlite.Connection, path: Path, lock: BaseFileLock | None) -> None:
        self._connection = connection
        self._path = path
        self._lock = lock

    @classmethod
    async def open(
        cls,
        path: Path | str,
        *,
        synchronous: Synchronous = "FULL",
        read_only: bool = False,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> Self:
        """Open a database, making or upgrading it where needed; `read_only` works beside a running bot.

        Raises:
            StoreBusy: Another process writes to it.
            StoreTooNew: It is from a newer version.
            StoreCorrupt: It is damaged.
            StoreUnwritable: It cannot be made or written.
            StoreMissing: It was to be read only and is not there.
        """
        path = Path(path)
        if read_only:
            return await cls._open_to_read(path, migrations)
        with in_words(path):
            _make_folder(path)
        lock = hold(path)
        try:
            return await cls._open_to_write(path, lock, synchronous, migrations)
        except BaseException:
            lock.release()
            raise

    @classmethod
    async def _open_to_write(
        cls, path: Path, lock: BaseFileLock, synchronous: Synchronous, migrations: Sequence[Migration]
    ) -> Self:
        with in_words(path):
            _make_file(path)
        found = await examine(path)
        refuse_newer(path, found.version, migrations)
        with in_words(path):
            connection = await aiosqlite.connect(_uri(path), uri=True, isolation_level=None)
            try:
                made = (_OF_A_NEW_FILE,) if found.version == 0 else ()
                for setting in (*made, *_SETTINGS, f"PRAGMA synchronous = {synchronous}"):
                    await connection.execute_fetchall(setting)
                await migrate(connection, path, found.version, migrations)
                await _lay_write_path(connection)
            except BaseException:
                await connection.close()
                raise
        return cls(connection, path, lock)

    @classmethod
    async def _open_to_read(cls, path: Path, migrations: Sequence[Migration]) -> Self:
        if not _exists(path):
            raise StoreMissing(f"There is nothing at {path} yet. Start the bot once with `showcaller chat`.")
        found = await examine(path)
        refuse_newer(path, found.version, migrations)
        if found.version < len(migrations):
            raise StoreError(f"{path} is from an older version of Showcaller. Start the bot once to upgrade it.")
        with in_words(path):
            connection = await aiosqlite.connect(readable_uri(path), uri=True, isolation_level=None)
            try:
                await _lay_write_path(connection)  # so that writing is refused by the file, in the same words as ever
            except BaseException:
                await connection.close()
                raise
        return cls(connection, path, None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let the last commit end and release the file. Closing twice is harmless."""
        try:
            with in_words(self._path):
                await self._connection.close()
        finally:
            if self._lock is not None:
                self._lock.release()

    # Writing ----------------------------------------------------------------------------------------------------------

    async def commit(self, batch: Batch) -> None:
        """Write a batch in one transaction, durable when this returns. If the waiting is cancelled, it may still be."""
        if batch:
            await self._run("commit", *codec.encode_batch(batch))

    async def prune(self, retention: Retention, now: float, most: int = 5_000) -> Pruned:
        """Delete at most so many rows of what need not be kept any more, in all communities."""
        with in_words(self._path):
            async with reading(self._path) as look:
                over, more = await find_over(look, retention, now, most)
        for part in slices(over):
            await self._run("prune", codec.encode_rows(part))
        with in_words(self._path):
            await give_back(self._connection)
        return Pruned(sum(len(rows) for rows in over.values()), more)

    async def forget(self, community: str, person: str) -> Forgotten:
        """Take a person out of what happened: events about them, and their name wherever it stands."""
        forgetting = Forgetting(person)
        with in_words(self._path):
            async with reading(self._path) as look, leaving_nothing(self._connection):
                return await forget(look, forgetting, codec.escape(community), self._rewrite)

    async def _rewrite(self, rows: Mapping[str, Sequence[Any]]) -> None:
        await self._run("rewrite", codec.encode_rows(rows))

    # Reading ----------------------------------------------------------------------------------------------------------

    async def live_executions(self, community: str) -> list[Execution]:
        """Every execution that has not ended, by start."""
        return [codec.decode_execution(body) for (body,) in await self._fetch("live_executions", community)]

    async def sleepers(self, community: str) -> list[Sleeper]:
        """What has to be known of every execution that has not ended, by start."""
        return [codec.decode_sleeper(*row) for row in await self._fetch("sleepers", community)]

    async def executions_of(self, ids: Sequence[str]) -> list[Execution]:
        """Those of these executions that are there, ended or not."""
        parts = [ids[first : first + READ_AT_ONCE] for first in range(0, len(ids), READ_AT_ONCE)]
        return [execution for part in await asyncio.gather(*map(self._some_of, parts)) for execution in part]

    async def _some_of(self, ids: Sequence[str]) -> list[Execution]:
        rows = await self._run("executions_of", codec.encode_keys(ids))
        return [codec.decode_execution(body) for (body,) in rows]

    async def marks(self, community: str) -> list[MarksRecord]:
        """What is remembered of starts."""
        return [codec.decode_marks(body) for (body,) in await self._fetch("marks", community)]

    async def held(self, community: str) -> list[HeldRecord]:
        """Every event that waits for another one, in the order they came."""
        return [codec.decode_held(body) for (body,) in await self._fetch("held", community)]

    async def outbox(self, community: str) -> list[OutboxRecord]:
        """Every effect not known to be done, in the order it was committed."""
        return [codec.decode_outbox(status, body) for status, body in await self._fetch("outbox", community)]

    async def execution(self, id: str) -> Execution | None:
        """One execution, ended or not."""
        body = await self._fetch_one("execution", id)
        return None if body is None else codec.decode_execution(body)

    async def executions(self, community: str, workflow: str | None = None, limit: int = 20) -> list[Execution]:
        """The latest executions, newest first."""
        rows = await self._fetch_latest("executions", community, workflow, limit)
        return [codec.decode_execution(body) for (body,) in rows]

    async def history(self, execution: str) -> list[HistoryRow]:
        """All rows of one execution, in order."""
        return [codec.decode_history(body) for (body,) in await self._fetch("history", execution)]

    async def workflows(self, community: str, *, deleted: bool = False) -> list[WorkflowRecord]:
        """All workflows by name; deleted ones only if asked for."""
        rows = await self._fetch("workflows", community, int(deleted))
        return [codec.decode_workflow(body) for (body,) in rows]

    async def revision(self, community: str, workflow: str, number: int) -> RevisionRecord | None:
        """One version."""
        body = await self._fetch_one("revision", community, workflow, number)
        return None if body is None else codec.decode_revision(body)

    async def current_revisions(self, community: str) -> list[RevisionRecord]:
        """The revision that counts of every workflow that is not deleted."""
        return [codec.decode_revision(body) for (body,) in await self._fetch("current_revisions", community)]

    async def revisions(self, community: str, workflow: str) -> list[RevisionRecord]:
        """All versions, oldest first."""
        return [codec.decode_revision(body) for (body,) in await self._fetch("revisions", community, workflow)]

    async def changes(self, community: str, workflow: str | None = None, limit: int = 100) -> list[ChangeRecord]:
        """The latest changes, newest first."""
        rows = await self._fetch_latest("changes", community, workflow, limit)
        return [codec.decode_change(body) for (body,) in rows]

    async def seen(self, community: str, keys: Sequence[str], now: float) -> frozenset[str]:
        """Which of these de-duplication keys still count."""
        if not keys:
            return frozenset()
        rows = await self._run("seen", codec.escape(community), codec.encode_keys(keys), now)
        return frozenset(codec.decode_key(key) for (key,) in rows)

    async def admissions(self, community: str, workflow: str | None = None, limit: int = 20) -> list[AdmissionRecord]:
        """The latest admissions and refusals, newest first."""
        rows = await self._fetch_latest("admissions", community, workflow, limit)
        return [codec.decode_admission(body) for (body,) in rows]

    async def event(self, community: str, id: str) -> Event | None:
        """One recorded event."""
        body = await self._fetch_one("event", community, id)
        return None if body is None else codec.decode_event(body)

    async def events(self, community: str, limit: int = 20, *, own: bool = False) -> list[Event]:
        """The latest recorded events, newest first; or only those that are the bot's own."""
        statement = "own_events" if own else "events"
        return [codec.decode_event(body) for (body,) in await self._fetch(statement, community, limit)]

    async def proposals(self, community: str, now: float) -> list[ProposalRecord]:
        """Every question still open."""
        return [codec.decode_proposal(body) for (body,) in await self._fetch("proposals", community, now)]

    async def config(self, community: str) -> dict[str, ConfigRecord]:
        """All settings by key."""
        records = [codec.decode_config(body) for (body,) in await self._fetch("config", community)]
        return {record.key: record for record in records}

    async def data(self, community: str) -> list[DataRecord]:
        """Everything it keeps, by owner and key."""
        return [codec.decode_data(body) for (body,) in await self._fetch("data", community)]

    async def audit(self, community: str, limit: int = 20) -> list[AuditRecord]:
        """What was asked for last, newest first."""
        return [codec.decode_audit(body) for (body,) in await self._fetch("audit", community, limit)]

    async def unfinished(self, community: str, now: float) -> Unfinished:
        """How much was going on when the last commit was made, counted, not read."""
        ((due, unknown),) = await self._fetch("unfinished", community, now, community)
        return Unfinished(due, unknown)

    # One statement ----------------------------------------------------------------------------------------------------

    async def _run(self, statement: str, *parameters: str | float | bytes | None) -> Sequence[Any]:
        with in_words(self._path):
            try:
                return list(await self._connection.execute_fetchall(STATEMENTS[statement], parameters))
            except ValueError as error:  # what aiosqlite says of a connection that was closed
                raise StoreError(f"{self._path} is closed.") from error

    async def _fetch(self, statement: str, *parameters: str | float) -> Sequence[Any]:
        """Rows by keys, which stand in the file as `codec` writes them."""
        return await self._run(statement, *(codec.escape(key) if isinstance(key, str) else key for key in parameters))

    async def _fetch_one(self, statement: str, *parameters: str | float) -> str | None:
        rows = await self._fetch(statement, *parameters)
        return rows[0][0] if rows else None

    async def _fetch_latest(self, statement: str, community: str, workflow: str | None, limit: int) -> Sequence[Any]:
        if workflow is None:
            return await self._fetch(statement, community, limit)
        return await self._fetch(f"{statement}_of_workflow", community, workflow, limit)


async def _lay_write_path(connection: aiosqlite.Connection) -> None:
    for statement in WRITE_PATH:
        await connection.execute_fetchall(statement)


def _uri(path: Path) -> str:
    return f"{path.resolve().as_uri()}?mode=rw"


def _exists(path: Path) -> bool:
    return path.exists()


def _make_folder(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)


def _make_file(path: Path) -> None:
    """Settings may be secret, so the file is its owner's alone; its journals inherit that."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o600)
