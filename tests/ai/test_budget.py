"""What asking costs is counted first, kept, and forgotten when the day is over."""

import asyncio

import pytest

from bot.ai.budget import Budget, Limits, OverBudget
from tests.ai.asks import HOME, Day
from tests.fakes_store import MemoryStore

LIMITS = Limits(requests=3, tokens=1_000)


def budget(store: MemoryStore, day: Day | None = None) -> Budget:
    return Budget(HOME, store, day or Day())


async def test_a_day_has_so_many_asks_and_the_next_has_as_many_again() -> None:
    store, day = MemoryStore(), Day()
    for _ in range(3):
        await budget(store, day).take(10, LIMITS)
    with pytest.raises(OverBudget, match="asked 3 times today"):
        await budget(store, day).take(10, LIMITS)
    day.date = "2026-11-28"
    assert await budget(store, day).take(10, LIMITS) == "2026-11-28"


async def test_a_restart_forgets_nothing() -> None:
    store = MemoryStore()
    await budget(store).take(600, LIMITS)
    with pytest.raises(OverBudget, match="could take 500 tokens; 600 of the 1,000 for today are used"):
        await budget(store).take(500, LIMITS)


async def test_what_was_not_used_is_given_back_but_not_to_another_day() -> None:
    store, day = MemoryStore(), Day()
    taken = await budget(store, day).take(900, LIMITS)
    await budget(store, day).give_back(taken, 800)
    await budget(store, day).take(900, LIMITS)
    day.date = "2026-11-28"
    await budget(store, day).take(900, LIMITS)
    await budget(store, day).give_back(taken, 900)
    with pytest.raises(OverBudget):
        await budget(store, day).take(200, LIMITS)


async def test_more_than_was_taken_counts_too() -> None:
    store = MemoryStore()
    taken = await budget(store).take(100, LIMITS)
    await budget(store).give_back(taken, -850)
    with pytest.raises(OverBudget, match="950 of the 1,000"):
        await budget(store).take(100, LIMITS)


async def test_asks_side_by_side_share_one_budget() -> None:
    one = budget(MemoryStore())
    took = await asyncio.gather(*(one.take(10, LIMITS) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(each, str) for each in took) == LIMITS.requests


async def test_what_is_refused_costs_nothing() -> None:
    store = MemoryStore()
    with pytest.raises(OverBudget):
        await budget(store).take(2_000, LIMITS)
    await budget(store).take(1_000, LIMITS)
