"""Bad hours of the machine, with the real runner on a real file: no room, a locked file, suspension, a clock that is set.

In each nothing is lost, nothing is done that was not committed, everything goes on afterwards, and people are told once.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.own_state import shifted_words
from engine.clock import SystemClock, VirtualClock
from engine.errors import StoreBusy, StoreUnwritable
from engine.execution import Execution
from engine.ports import Batch, RevisionRecord, WorkflowRecord
from engine.runner import Runner
from storage.sqlite import SQLiteStore
from tests.fakes import COMMUNITY, STREAMER, Bench, RecordingService, counting, say, wait, workflow

GREETING = workflow(
    "greeting", say("hello", "hello ${user}"), wait("rest", 60), say("bye", "bye ${user}"), triggers=["raid"]
)
LONG_GOODBYE = workflow(
    "goodbye", say("hello", "hello ${user}"), wait("rest", 60), say("bye", "bye ${user} ${note}"), triggers=["raid"]
)
"""Its second saying needs room of its own."""
LOCKING = """
import sqlite3, sys
raw = sqlite3.connect(sys.argv[1], isolation_level=None)
raw.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""


class ToughStore(SQLiteStore):
    """The real store, on a disk whose room can be taken away, and less patient."""

    async def leave_room(self, pages: int) -> None:
        """Let the file grow by so many pages and no more, and have none that are free."""
        await self._connection.execute_fetchall("PRAGMA incremental_vacuum")
        ((now,),) = await self._connection.execute_fetchall("PRAGMA page_count")
        await self._connection.execute_fetchall(f"PRAGMA max_page_count = {now + pages}")

    failures = 0

    async def fail_at_counting(self, times: int) -> None:
        """Have no room for the next commits in which something is counted."""
        self.failures = times

    async def commit(self, batch: Batch) -> None:
        if batch.data and self.failures:
            self.failures -= 1
            raise StoreUnwritable("the disk is full")
        await super().commit(batch)

    async def wait_for_lock(self, milliseconds: int) -> None:
        """How long to wait for others who write."""
        await self._connection.execute_fetchall(f"PRAGMA busy_timeout = {milliseconds}")


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another program keeps the file to itself."""
    with subprocess.Popen(
        [sys.executable, "-c", LOCKING, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            program.kill()


async def _raid(bench: Bench, who: str) -> tuple[Execution, ...]:
    event = bench.event("raid.received", id=f"raid of {who}", user={"name": who, "roles": []}, note="x" * 3_000)
    return (await bench.runner.post(event)).started


def _short(said: list[Any]) -> list[str]:
    return [" ".join(text.split()[:2]) for text in said]


def _is_for_people(notice: str) -> None:
    assert "\n" not in notice
    assert not any(word in notice for word in ("sqlite", "Error", "Traceback"))


async def test_with_a_full_disk_nothing_happens_it_is_said_once_and_all_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    async with await ToughStore.open(tmp_path / "bot.db", synchronous="NORMAL") as store:
        bench = await Bench(store).open(LONG_GOODBYE)
        assert await _raid(bench, "early")
        await bench.runner.quiescent()
        await store.leave_room(0)
        for number in range(3):
            with pytest.raises(StoreUnwritable, match="disk is full"):
                await _raid(bench, f"full{number}")
        await bench.advance(100)  # the first one's wait is over meanwhile
        assert _short(bench.service.said) == ["hello early"]
        (told,) = bench.notices
        assert "cannot save anything" in told
        assert "the disk is full" in told
        _is_for_people(told)

        await store.leave_room(10_000)
        await bench.advance(60)
        assert _short(bench.service.said) == ["hello early", "bye early"]
        assert bench.notices[1:] == ["I can save again, and go on."]
        assert await _raid(bench, "full0"), "what was refused has not happened, so it can happen now"
        await bench.advance(100)
        assert _short(bench.service.said)[2:] == ["hello full0", "bye full0"]
        assert {run.status for run in await store.executions(COMMUNITY)} == {"completed"}
        assert len(await store.executions(COMMUNITY)) == 2
        await bench.runner.close()


async def test_a_file_that_another_program_locks_is_said_once_and_nothing_is_done_until_it_lets_go(
    tmp_path: Path,
) -> None:
    async with await ToughStore.open(tmp_path / "bot.db", synchronous="NORMAL") as store:
        bench = await Bench(store).open(GREETING)
        await store.wait_for_lock(20)
        assert await _raid(bench, "early")
        await bench.runner.quiescent()
        with locked(tmp_path / "bot.db"):
            with pytest.raises(StoreBusy, match="Another program"):
                await _raid(bench, "late")
            await bench.advance(100)
            assert bench.service.said == ["hello early"]
        (told,) = bench.notices
        assert "Another program keeps" in told
        assert "close that program" in told
        _is_for_people(told)
        await bench.advance(60)
        assert bench.service.said == ["hello early", "bye early"]
        assert bench.notices[1:] == ["I can save again, and go on."]
        assert await _raid(bench, "late")
        await bench.advance(100)
        await bench.runner.close()
        assert bench.service.said[2:] == ["hello late", "bye late"]


async def test_what_is_counted_while_there_is_no_room_is_counted_once_there_is(tmp_path: Path) -> None:
    count = {"service": "data", "method": "add_to_counter", "params": {"counter": "raids"}}
    counting_raids = workflow(
        "counting", wait("rest", 5), {"name": "count", "action": count}, say("bye", "bye"), triggers=["raid"]
    )
    async with await ToughStore.open(tmp_path / "bot.db", synchronous="NORMAL") as store:
        bench = await Bench(store).open(counting_raids)
        assert await _raid(bench, "ann")
        await store.fail_at_counting(2)
        await bench.advance(100)
        assert bench.notices[1:] == ["I can save again, and go on."]
        assert bench.service.said == ["bye"]
        (kept,) = await store.data(COMMUNITY)
        assert kept.key == "raids"
        assert "1" in str(kept.value)
        await bench.runner.close()


async def test_a_file_that_is_locked_for_a_moment_is_waited_for_and_nobody_hears_of_it(tmp_path: Path) -> None:
    async with await ToughStore.open(tmp_path / "bot.db", synchronous="NORMAL") as store:
        bench = await Bench(store).open(GREETING)
        await store.wait_for_lock(30_000)
        with locked(tmp_path / "bot.db"):
            posting = asyncio.create_task(_raid(bench, "patient"))
            done, _ = await asyncio.wait([posting], timeout=0.2)
            assert not done
        assert await posting
        assert bench.notices == []
        await bench.runner.close()


# Clocks ----------------------------------------------------------------------------------------------------------------


class Machine:
    """A machine that can be suspended and whose clock can be set; a runner lives on it."""

    def __init__(self, store: SQLiteStore) -> None:
        self.wall, self.steady, self.awake = 1_700_000_000.0, 500.0, 50.0
        self.clock = SystemClock(
            wall=lambda: self.wall, monotonic=lambda: self.steady, awake=lambda: self.awake, pieces=0.002
        )
        self.told: list[str] = []
        self.clock.when_shifted(lambda shift: self.told.append(shifted_words(shift)))
        self.service = RecordingService()
        self.runner = Runner(store, [self.service], self.clock, ids=counting("id"), chance=lambda: 0.5)

    def go_on(self, seconds: float) -> None:
        self.wall, self.steady, self.awake = self.wall + seconds, self.steady + seconds, self.awake + seconds

    def suspend(self, seconds: float) -> None:
        self.wall, self.steady = self.wall + seconds, self.steady + seconds

    async def start(self) -> None:
        await self.runner.open(COMMUNITY)
        await self.runner.save(
            Batch(
                revisions=[RevisionRecord(COMMUNITY, "greeting", 1, GREETING, STREAMER, 0.0)],
                workflows=[WorkflowRecord(COMMUNITY, "greeting", "greeting", 1)],
            )
        )
        await self.runner.run(COMMUNITY, "greeting", {"user": "bob"}, STREAMER)
        await self.runner.quiescent()
        assert len(self.service.said) == 1

    async def said(self, count: int, within: float = 10.0) -> list[Any]:
        """What has been said, once there is so much of it."""
        async with asyncio.timeout(within):
            while len(self.service.said) < count:  # noqa: ASYNC110  the service need not know who waits
                await asyncio.sleep(0.002)
        return self.service.said


async def test_a_wait_that_was_due_while_the_machine_was_suspended_for_a_day_is_over_at_once(tmp_path: Path) -> None:
    async with await SQLiteStore.open(tmp_path / "bot.db", synchronous="NORMAL") as store:
        machine = Machine(store)
        await machine.start()
        machine.suspend(86_400)
        assert len(await machine.said(2)) == 2
        assert machine.told == ["This machine was asleep for 1 day. What was due meanwhile happens now."]
        await machine.runner.quiescent()
        await machine.runner.close()
        (run,) = await store.executions(COMMUNITY)
        assert run.status == "completed"
        assert run.late == 86_400 - 60


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_is_set_by_an_hour_moves_no_wait_and_is_told(hours: int, tmp_path: Path) -> None:
    async with await SQLiteStore.open(tmp_path / "bot.db", synchronous="NORMAL") as store:
        machine = Machine(store)
        await machine.start()
        machine.wall += 3_600 * hours
        machine.go_on(59)
        await asyncio.sleep(0.1)
        assert len(machine.service.said) == 1
        machine.go_on(2)
        await machine.said(2)
        way = "forward" if hours > 0 else "back"
        (told,) = machine.told
        assert told.startswith(f"The clock of this machine was put {way} by 1 hour.")
        await machine.runner.quiescent()
        await machine.runner.close()


DAILY = workflow(
    "daily",
    say("hello", "good evening"),
    triggers=[{"on": "scheduled.evening", "schedule": "0 19 * * *", "zone": "UTC"}],
)
SIX = 1_700_071_200.0  # on 15 November 2023, in UTC


async def test_a_schedule_follows_a_clock_that_is_put_forward_and_does_not_come_twice_when_it_is_put_back(
    tmp_path: Path,
) -> None:
    async with await SQLiteStore.open(tmp_path / "bot.db", synchronous="NORMAL") as store:
        bench = Bench(store, VirtualClock(SIX))
        await bench.open(DAILY)
        await bench.advance(30)
        assert bench.service.said == []
        bench.clock.set_wall(3_600)  # it is half a minute past seven there
        await bench.runner.quiescent()
        assert bench.service.said == ["good evening"]
        bench.clock.set_wall(-3_600)
        await bench.advance(3_600)
        assert bench.service.said == ["good evening"]
        await bench.advance(86_400)
        assert bench.service.said == ["good evening", "good evening"]
        await bench.runner.close()
