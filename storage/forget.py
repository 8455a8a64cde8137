"""Goes through everything that happened, a page at a time, and writes again what knew a person.

A reader beside the writer finds it; the writer gets only what changes. Each page is one statement, so it is whole or not
there, and going through it all again changes nothing more.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import aiosqlite

from engine.execution import FINAL, Execution
from engine.forgetting import Forgetting
from engine.ports import Forgotten
from storage import codec
from storage.statements import STATEMENTS

PAGE: Final = 500

Rewrite: TypeAlias = Callable[[Mapping[str, Sequence[Any]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Table:
    """How a table's rows become records and rows again."""

    name: str
    decode: Callable[[str], Any]
    encode: Callable[[Any], str]


_TABLES: Final = (
    _Table("events", codec.decode_event, codec.encode_event),
    _Table("admissions", codec.decode_admission, codec.encode_admission),
    _Table("proposals", codec.decode_proposal, codec.encode_proposal),
    _Table("executions", codec.decode_execution, codec.encode_execution),
    _Table("history", codec.decode_history, codec.encode_history),
)


async def forget(look: aiosqlite.Connection, forgetting: Forgetting, community: str, rewrite: Rewrite) -> Forgotten:
    """Take a person out of all rows of a community; see `engine.ports.Store.forget`."""
    counts: dict[str, int] = {"live": 0}
    for table in _TABLES:
        counts[table.name] = 0
        async for page in _pages(look, table, community):
            rows = []
            for number, body in page:
                changed = _changed(forgetting, table, body)
                if isinstance(changed, Execution) and changed.status not in FINAL:
                    counts["live"] += 1
                elif changed is not None:
                    rows.append([number, table.encode(changed)])
            if rows:
                await rewrite({table.name: rows})
            counts[table.name] += len(rows)
    return Forgotten(**counts)


def _changed(forgetting: Forgetting, table: _Table, body: str) -> Any:
    """The record without the person, or None if it does not know them."""
    if not forgetting.may_be_in(body):
        return None
    record = table.decode(body)
    without = forgetting.out_of(record)
    return None if without is record else without


async def _pages(look: aiosqlite.Connection, table: _Table, community: str) -> AsyncIterator[Sequence[Any]]:
    last = -1
    while page := list(await look.execute_fetchall(STATEMENTS[f"page_of_{table.name}"], (community, last, PAGE))):
        yield page
        last = page[-1][0]


@asynccontextmanager
async def leaving_nothing(connection: aiosqlite.Connection) -> AsyncIterator[None]:
    """Within this, what is written over is wiped from the file, and afterwards from its journal, where readers allow it.

    Copies in room that was free before, where an SQLite does not wipe by itself, last until that room is used again.
    """
    ((before,),) = await connection.execute_fetchall("PRAGMA secure_delete")
    await connection.execute_fetchall("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        await connection.execute_fetchall(f"PRAGMA secure_delete = {int(before)}")
        await _empty_journal(connection)


async def _empty_journal(connection: aiosqlite.Connection) -> None:
    """Nobody is waited for: if somebody reads just now, the journal is written over later, as ever."""
    ((patience,),) = await connection.execute_fetchall("PRAGMA busy_timeout")
    await connection.execute_fetchall("PRAGMA busy_timeout = 0")
    try:
        await connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        await connection.execute_fetchall(f"PRAGMA busy_timeout = {int(patience)}")
