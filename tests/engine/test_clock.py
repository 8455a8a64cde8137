"""Clocks: virtual time stops at every due time in order, and both know who sleeps."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from engine.clock import SystemClock, VirtualClock


def settle(*, turns: int = 20) -> Callable[[], Awaitable[None]]:
    async def settled() -> None:
        for _ in range(turns):
            await asyncio.sleep(0)

    return settled


async def test_virtual_time_stands_still_until_it_is_advanced() -> None:
    clock = VirtualClock(1_000.0)
    sleeper = asyncio.create_task(clock.sleep_until(1_001.0))
    await settle()()
    assert clock.now() == 1_000.0
    assert not sleeper.done()
    sleeper.cancel()


async def test_advancing_stops_at_each_due_time_in_order_and_now_is_that_time() -> None:
    clock = VirtualClock(0.0)
    woken: list[tuple[str, float]] = []

    async def sleep(name: str, when: float) -> None:
        await clock.sleep_until(when)
        woken.append((name, clock.now()))

    tasks = [asyncio.create_task(sleep(name, when)) for name, when in (("c", 30.0), ("a", 10.0), ("b", 20.0))]
    await clock.advance(25.0, settle())
    assert woken == [("a", 10.0), ("b", 20.0)]
    assert clock.now() == 25.0
    await clock.advance_to(30.0, settle())
    assert woken[-1] == ("c", 30.0)
    await asyncio.gather(*tasks)


async def test_a_sleep_that_begins_while_time_is_advanced_is_met_too() -> None:
    clock = VirtualClock(0.0)
    woken: list[float] = []

    async def twice() -> None:
        await clock.sleep_until(10.0)
        woken.append(clock.now())
        await clock.sleep_until(15.0)
        woken.append(clock.now())

    task = asyncio.create_task(twice())
    await clock.advance_to(100.0, settle())
    assert woken == [10.0, 15.0]
    await task


async def test_virtual_time_never_goes_backward() -> None:
    clock = VirtualClock(50.0)
    with pytest.raises(ValueError, match="forward"):
        await clock.advance_to(49.0, settle())
    assert clock.now() == 50.0


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = VirtualClock(0.0)
    task = asyncio.create_task(clock.sleep_until(10.0))
    await settle()()
    assert clock.next_wake == 10.0
    task.cancel()
    await settle()()
    assert clock.next_wake is None


async def test_a_task_is_asleep_until_its_time_has_come_and_not_a_moment_longer() -> None:
    clock = VirtualClock(0.0)
    task = asyncio.create_task(clock.sleep_until(10.0))
    fell_asleep: list[bool] = []
    clock.watch(lambda: fell_asleep.append(True))
    await settle()()
    assert clock.is_asleep(task)
    assert fell_asleep
    seen_at_due: list[bool] = []

    async def look() -> None:
        seen_at_due.append(clock.is_asleep(task))
        await settle()()

    await clock.advance_to(10.0, look)
    assert seen_at_due[1] is False
    await task


async def test_a_jump_of_the_wall_clock_moves_nothing() -> None:
    wall, mono = [1_000_000.0], [5.0]
    clock = SystemClock(wall=lambda: wall[0], monotonic=lambda: mono[0])
    wall[0] = 0.0
    mono[0] = 7.5
    assert clock.now() == 1_000_002.5


async def test_the_system_clock_wakes_when_due() -> None:
    clock = SystemClock()
    due = clock.now() + 0.02
    task = asyncio.create_task(clock.sleep_until(due))
    await asyncio.sleep(0)
    assert clock.is_asleep(task)
    await task
    assert clock.now() >= due - 0.005
