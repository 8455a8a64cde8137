"""The data folder does not grow without end, and nobody waits for that."""

import asyncio

import pytest

from bot import config
from bot.beside import whole
from bot.config import Settings
from bot.housekeeping import EVERY, keep_house, prune_all
from engine.errors import StoreError
from engine.ports import Batch, Pruned, Retention
from tests.fakes_store import MemoryStore
from tests.storage.records import HERE, event

DAY = 86_400.0


async def nothing() -> int:
    return 0


async def test_it_prunes_in_small_goes_until_nothing_is_left() -> None:
    store, breaths = MemoryStore(), list[float]()
    await store.commit(Batch(events=[event(f"m{n}") for n in range(12_000)]))

    async def sleep(seconds: float) -> None:
        breaths.append(seconds)

    assert await prune_all(store, Retention(), 1e9, sleep=sleep) == 12_000
    assert len(breaths) == 2
    assert await store.events(HERE) == []


async def test_it_prunes_at_once_and_every_hour_by_the_settings_of_that_moment() -> None:
    store, settings, slept = MemoryStore(), [Settings()], list[float]()
    await store.commit(Batch(events=[event("old", at=0.0), event("newer", at=10 * DAY)]))
    seen: list[list[str]] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        seen.append([found.id for found in await store.events(HERE)])
        settings[0] = config.with_value(settings[0], "keep.events.days", 5, secret=False)[0]
        if len(slept) == 2:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await keep_house(store, lambda: config.retention_of(settings[0]), lambda: 16 * DAY, nothing, sleep=sleep)
    assert slept == [EVERY, EVERY]
    assert seen == [["newer"], []]


async def test_what_the_engine_remembers_is_tidied_each_time_too() -> None:
    tidied, slept = list[float](), list[float]()

    async def tidy() -> int:
        tidied.append(0.0)
        return 3

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await keep_house(MemoryStore(), Retention, lambda: 1e9, tidy, sleep=sleep)
    assert len(tidied) == 2


async def test_what_cannot_be_deleted_now_is_left_for_the_next_time() -> None:
    class Unwell(MemoryStore):
        """Cannot prune the first time."""

        tried = 0

        async def prune(self, retention: Retention, now: float, most: int = 5_000) -> Pruned:
            self.tried += 1
            if self.tried == 1:
                raise StoreError("the disk is full")
            return await super().prune(retention, now, most)

    store, slept = Unwell(), list[float]()
    await store.commit(Batch(events=[event()]))

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await keep_house(store, Retention, lambda: 1e9, nothing, sleep=sleep)
    assert await store.events(HERE) == []


async def test_who_leaves_in_the_middle_lets_what_was_begun_end() -> None:
    gate, ended = asyncio.Event(), list[str]()

    async def work() -> None:
        await gate.wait()
        ended.append("work")

    task = asyncio.create_task(whole(work()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["work"]


def test_how_long_things_are_kept_is_a_setting_and_nonsense_is_none() -> None:
    settings = Settings()
    assert config.retention_of(settings) == Retention()
    for key, value in (
        ("keep.events.days", 3),
        ("keep.events.megabytes", 1.5),
        ("keep.admissions.days", "soon"),
        ("keep.runs.days", 1e12),
    ):
        settings, _ = config.with_value(settings, key, value, secret=False)
    assert config.retention_of(settings) == Retention(
        events_seconds=3 * DAY, events_bytes=1_500_000, executions_seconds=3_650 * DAY
    )
    for nonsense in (0, -1, True, float("nan"), float("inf")):
        settings, _ = config.with_value(Settings(), "keep.runs.days", nonsense, secret=False)
        assert config.retention_of(settings) == Retention()
