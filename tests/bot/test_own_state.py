"""What the bot tells of itself unasked: that it was away, if anything came of that, once, and never on virtual time."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from bot import config
from bot.app import equipment, open_bot
from bot.config import COMMUNITY, DataFolder
from bot.log import Redacting
from bot.own_state import BEAT_EVERY, beat, resumed_words, shifted_words
from engine.clock import Shift, SystemClock, VirtualClock
from engine.errors import StoreUnwritable
from engine.ports import Batch
from storage.sqlite import SQLiteStore
from tests.fakes_metrics import CountingMetrics
from tests.fakes_store import MemoryStore
from tests.storage.records import effect, execution, revision, waiting, workflow


@pytest.mark.parametrize(
    ("down", "due", "unknown", "said"),
    [
        (240.0, 2, 1, "Back after 4 minutes: 2 waits were due meanwhile, 1 action was under way, and its outcome is unknown."),
        (299.0, 1, 0, "Back after 4 minutes: 1 wait was due meanwhile."),
        (11.0, 0, 2, "Back after 11 seconds: 2 actions were under way, and their outcome is unknown."),
        (7_500.0, 1, 0, "Back after 2 hours 5 minutes: 1 wait was due meanwhile."),
        (262_000.0, 1, 0, "Back after 3 days: 1 wait was due meanwhile."),
        (10.0, 5, 5, None),
        (-3_600.0, 5, 5, None),
        (None, 5, 5, None),
        (240.0, 0, 0, None),
    ],
)  # fmt: skip
def test_it_says_how_long_it_was_away_and_what_came_of_that(
    down: float | None, due: int, unknown: int, said: str | None
) -> None:
    assert resumed_words(down, due, unknown) == said


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        (Shift("slept", 86_400.4), "This machine was asleep for 1 day. What was due meanwhile happens now."),
        (Shift("slept", 200.0), "This machine was asleep for 3 minutes. What was due meanwhile happens now."),
        (Shift("set", 3_600.2), "The clock of this machine was put forward by 1 hour. Waits last as long as before; schedules follow the clock."),
        (Shift("set", -3_600.2), "The clock of this machine was put back by 1 hour. Waits last as long as before; schedules follow the clock."),
    ],
)  # fmt: skip
def test_it_says_that_the_machine_slept_or_its_clock_was_set(shift: Shift, said: str) -> None:
    assert shifted_words(shift) == said


async def left_behind(folder: DataFolder, *, ago: float) -> None:
    """A data folder as a bot left it that was killed that long ago, with a wait due and an action under way."""
    now = SystemClock().now()
    under_way = execution("e2", community=COMMUNITY)
    async with await SQLiteStore.open(folder.database) as store:
        await store.commit(
            Batch(
                workflows=[workflow(community=COMMUNITY)],
                revisions=[revision(community=COMMUNITY)],
                executions=[waiting("e1", due=now - ago / 2, community=COMMUNITY), under_way],
                outbox=[effect("e2/main/say/1", execution="e2", community=COMMUNITY)],
                begun=["e2/main/say/1"],
                config=[config.alive_at(now - ago)],
            )
        )


async def told_at_start(folder: DataFolder, *, virtual: bool = False) -> list[str]:
    notices: list[str] = []
    async with AsyncExitStack() as stack:
        bot = await open_bot(
            stack,
            folder,
            Redacting(),
            equipment=equipment(),
            virtual=virtual,
            on_attempt=lambda _: None,
            notice=notices.append,
        )
        await bot.runner.quiescent()
    return [notice for notice in notices if notice.startswith("Back after")]


async def test_after_a_crash_it_is_told_once_and_then_no_more(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    await left_behind(folder, ago=241.0)
    assert await told_at_start(folder) == [
        "Back after 4 minutes: 1 wait was due meanwhile, 1 action was under way, and its outcome is unknown."
    ]
    assert await told_at_start(folder) == []


async def test_on_virtual_time_nobody_was_away_and_nothing_is_written_down(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    await left_behind(folder, ago=241.0)
    async with await SQLiteStore.open(folder.database) as store:
        before = config.last_alive(await store.config(COMMUNITY))
    assert await told_at_start(folder, virtual=True) == []
    async with await SQLiteStore.open(folder.database) as store:
        assert config.last_alive(await store.config(COMMUNITY)) == before


async def test_when_it_closes_it_writes_down_that_it_was_there(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    begun = SystemClock().now()
    assert await told_at_start(folder) == []
    async with await SQLiteStore.open(folder.database) as store:
        last = config.last_alive(await store.config(COMMUNITY))
    assert last is not None
    assert begun <= last <= SystemClock().now()


async def test_whoever_measures_hears_how_late_the_loop_is(tmp_path: Path) -> None:
    metrics = CountingMetrics()
    async with AsyncExitStack() as stack:
        await open_bot(
            stack,
            DataFolder(tmp_path),
            Redacting(),
            equipment=equipment(),
            virtual=True,
            on_attempt=lambda _: None,
            notice=lambda _: None,
            metrics=metrics,
        )
        while not any(told[0] == "loop_late" for told in metrics.told):  # noqa: ASYNC110  the probe need not know who waits
            await asyncio.sleep(0.01)


async def test_it_says_that_it_is_there_every_half_minute_and_goes_on_where_it_cannot() -> None:
    store, now, slept = MemoryStore(), [1_000.0], list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds
        store.fail_with = StoreUnwritable("full") if len(slept) == 1 else None
        if len(slept) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await beat(store, lambda: now[0], sleep=sleep)
    assert slept == [BEAT_EVERY] * 3
    assert [batch.config[0].value for batch in store.commits] == [1_000.0, 1_000.0 + 2 * BEAT_EVERY]


def test_what_is_written_down_is_read_back_and_nothing_else_is() -> None:
    record = config.alive_at(5.5)
    assert config.last_alive({record.key: record}) == 5.5
    assert config.last_alive({record.key: replace(record, value="yesterday")}) is None
    assert config.last_alive({}) is None


async def test_a_bot_says_that_the_clock_of_its_machine_was_set(tmp_path: Path) -> None:
    said: list[str] = []
    async with AsyncExitStack() as stack:
        bot = await open_bot(
            stack,
            DataFolder(tmp_path),
            Redacting(),
            equipment=equipment(),
            virtual=True,
            on_attempt=lambda _: None,
            notice=said.append,
        )
        assert isinstance(bot.clock, VirtualClock)
        bot.clock.set_wall(-3_600)
    assert said == [shifted_words(Shift("set", -3_600))]
