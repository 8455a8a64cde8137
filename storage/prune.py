"""What need not be kept any more, found by a reader beside the writer, and the room it leaves given back.

Looking takes as long as there are rows; deleting, which holds the writer, takes as long as the rows it is given. This
module deletes nothing and knows no SQL beyond the names in `queries.sql`.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import aiosqlite

from engine.ports import Retention
from storage.statements import STATEMENTS

Rows: TypeAlias = dict[str, list[Any]]

SPARE: Final = 256
"""Free pages that stay in the file: what is written next takes them."""
GIVEN_BACK: Final = 1_000
"""Pages given back in one pruning."""
AT_ONCE: Final = 100
"""Rows deleted in one statement: commits wait for no longer than that takes."""
PAGES_AT_ONCE: Final = 25
"""The same for pages given back; moving them is slower."""


async def find_over(look: aiosqlite.Connection, retention: Retention, now: float, most: int) -> tuple[Rows, bool]:
    """Rows by table that may go, at most so many in all, and whether there may be more."""
    search = _Search(look, most)
    await search.add("seen", "seen_over", now)
    await search.add("proposals", "proposals_over", now)
    await search.add("events", "events_before", now - retention.events_seconds)
    if "events" not in search.found and await _size(look) > retention.events_bytes:
        await search.add("events", "events_beyond", retention.events_bytes)
    await search.add("admissions", "admissions_before", now - retention.admissions_seconds)
    await _add_executions(search, now - retention.executions_seconds)
    return search.found, search.room == 0


class _Search:
    """What has been found so far, and how much more may be."""

    def __init__(self, look: aiosqlite.Connection, most: int) -> None:
        self._look = look
        self.room = most
        self.found: Rows = {}

    async def ask(self, statement: str, *parameters: str | float) -> Sequence[Any]:
        if self.room == 0:
            return []
        return list(await self._look.execute_fetchall(STATEMENTS[statement], (*parameters, self.room)))

    def keep(self, table: str, rows: Sequence[Any]) -> None:
        if rows := rows[: self.room]:
            self.found[table] = [row[0] if len(row) == 1 else list(row) for row in rows]
            self.room -= len(rows)

    async def add(self, table: str, statement: str, *parameters: str | float) -> None:
        self.keep(table, await self.ask(statement, *parameters))


async def _add_executions(search: _Search, before: float) -> None:
    """Histories first; a run goes when nothing is left of its own."""
    runs = await search.ask("executions_before", before)
    if runs:
        await search.add("history", "history_of", json.dumps([id for _, id in runs]))
        search.keep("executions", [(number,) for number, _ in runs])


async def _size(look: aiosqlite.Connection) -> int:
    """The bytes in the file; what is in it cannot be more."""
    ((pages,),) = await look.execute_fetchall("PRAGMA page_count")
    ((size,),) = await look.execute_fetchall("PRAGMA page_size")
    return int(pages) * int(size)


def slices(rows: Rows) -> Iterator[Rows]:
    """The same rows in the same order, a few at a time."""
    flat = [(table, row) for table, found in rows.items() for row in found]
    for start in range(0, len(flat), AT_ONCE):
        part: Rows = {}
        for table, row in flat[start : start + AT_ONCE]:
            part.setdefault(table, []).append(row)
        yield part


async def give_back(connection: aiosqlite.Connection) -> None:
    """Let the file become smaller by some of the room that nothing needs; a file made without that keeps its size."""
    for _ in range(GIVEN_BACK // PAGES_AT_ONCE):
        ((free,),) = await connection.execute_fetchall("PRAGMA freelist_count")
        if free < SPARE + PAGES_AT_ONCE:
            return
        # It has a step a page and no columns, so that a plain execute would stop after one.
        await connection.executescript(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE});")
