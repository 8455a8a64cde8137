"""Killed in the middle of a migration, a backup or a restore, there is an old file or a new one, and each is whole."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count, cycle
from pathlib import Path
from typing import Final

import pytest

from engine.errors import StoreError
from storage.backup import backup, restore
from storage.codec import encode_execution
from storage.examine import examine
from storage.migrate import MIGRATIONS, copy_before
from storage.sqlite import SQLiteStore
from tests.crash.deeds import Plan
from tests.crash.nursery import nursery
from tests.storage.records import HERE, execution

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # a slow machine dies as often, more slowly
ROWS: Final = 200
MOMENTS: Final = (0.001, 0.003, 0.006, 0.01)
Live = Callable[[Plan], bool]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with nursery("tests.crash.deeds", tmp_path_factory.mktemp("deeds") / "errors.txt") as live:
        yield live


def make(database: Path, prefix: str, version: int = len(MIGRATIONS)) -> None:
    """A file of a schema, as an older version may have left it, with runs that wait."""
    database.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(database, isolation_level=None)) as raw:
        raw.execute("PRAGMA application_id = " + str(int.from_bytes(b"SHOW", "big")))
        for migration in MIGRATIONS[:version]:
            raw.executescript(f"BEGIN; {migration.sql} PRAGMA user_version = {migration.number}; COMMIT;")
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("BEGIN")
        for number in range(ROWS):
            run = execution(f"{prefix}{number}", variables={"text": "x" * 4_000})
            raw.execute(
                "INSERT INTO executions (id, community, workflow, revision, status, started_at, body)"
                " VALUES (?, ?, ?, 1, 'running', 100.0, ?)",
                (run.id, HERE, run.workflow, encode_execution(run)),
            )
        raw.execute("COMMIT")


def copied(folder: Path, to: Path) -> Path:
    """A fresh copy of a folder."""
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(folder, to))


async def whole(database: Path, prefix: str) -> bool:
    """Whether it opens and holds all runs of that prefix and no others; the file itself stays as it is."""
    async with await SQLiteStore.open(database) as store:
        found = {run.id for run in await store.live_executions(HERE)}
    return found == {f"{prefix}{number}" for number in range(ROWS)}


def version(database: Path) -> int:
    with closing(sqlite3.connect(database)) as raw:
        ((problem,),) = raw.execute("PRAGMA quick_check(1)").fetchall()
        assert problem == "ok"
        ((number,),) = raw.execute("PRAGMA user_version").fetchall()
    return int(number)


def plans(deed: str, database: Path, other: Path, live: Live, again: Callable[[], None]) -> Iterator[Plan]:
    """Every kill: before, after and during each call, until the deed is done without one; `again` begins anew."""
    for when in ("before", "after"):
        for at in count(1):
            again()
            plan = Plan(deed, str(database), str(other), when, at)  # type: ignore[arg-type]
            if not live(plan):
                assert at > 10, "the deed has hardly begun"
                break
            yield plan
    for number, seconds in zip(range(1, at, 2), cycle(MOMENTS), strict=False):
        again()
        plan = Plan(deed, str(database), str(other), "during", number, seconds)  # type: ignore[arg-type]
        if live(plan):
            yield plan


async def test_killed_in_a_migration_the_file_is_old_or_new_and_its_copy_is_whole(tmp_path: Path, live: Live) -> None:
    make(tmp_path / "old" / "bot.db", "a", version=1)
    database = tmp_path / "tried" / "bot.db"
    versions: set[int] = set()
    for plan in plans(
        "migrate", database, database, live, lambda: _ignore(copied(tmp_path / "old", tmp_path / "tried"))
    ):
        versions.add(version(database))
        copy = copy_before(database, 1)
        if copy.exists():
            assert (await examine(copy)).version == 1, plan
        assert copy.exists() or version(database) == 1, "it was changed before there was a copy"
        assert await whole(database, "a"), plan
        assert version(database) == len(MIGRATIONS)
    assert versions == set(range(1, len(MIGRATIONS) + 1)), "not every step was cut off"


async def test_killed_in_a_backup_there_is_none_or_a_whole_one(tmp_path: Path, live: Live) -> None:
    make(tmp_path / "old" / "bot.db", "a")
    database, target = tmp_path / "old" / "bot.db", tmp_path / "copy.db"
    found = set()
    for plan in plans("backup", database, target, live, lambda: target.unlink(missing_ok=True)):
        found.add(target.exists())
        if target.exists():
            assert await whole(target, "a"), plan
        else:
            await backup(database, target)  # what was left behind is in nobody's way
            assert await whole(target, "a"), plan
        for partial in tmp_path.glob("*.partial"):
            with pytest.raises(StoreError):
                await backup(partial, target)
    assert found == {False, True}
    assert await whole(database, "a")


async def test_killed_in_a_restore_the_file_is_the_old_one_or_the_new_one(tmp_path: Path, live: Live) -> None:
    make(tmp_path / "old" / "bot.db", "a")
    make(tmp_path / "copy.db", "b")
    tried, copy = tmp_path / "tried", tmp_path / "copy.db"
    database = tried / "bot.db"
    became = set()
    for plan in plans("restore", database, copy, live, lambda: _ignore(copied(tmp_path / "old", tried))):
        is_old = await whole(database, "a")
        became.add(is_old)
        assert is_old or await whole(database, "b"), plan
        kept = [path for path in tried.glob("bot.db.replaced-*") if path.suffix.removeprefix(".replaced-").isdigit()]
        assert is_old or kept, "what was there before is gone"
        for each in kept:
            assert await whole(each, "a"), plan
        assert await restore(copy, database) is not None
        assert await whole(database, "b"), plan
    assert became == {True, False}


def _ignore(_: object) -> None:
    """For the sake of what is done."""
