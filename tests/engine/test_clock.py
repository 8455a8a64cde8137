"""Clocks: virtual time stops at every due time in order, and both know who sleeps."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from engine.clock import Shift, SystemClock, VirtualClock


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


class Machine:
    """The clocks of a machine that can be suspended and set."""

    def __init__(self) -> None:
        self.wall, self.steady, self.awake = 1_000_000.0, 500.0, 50.0
        self.told: list[Shift] = []
        self.clock = SystemClock(
            wall=lambda: self.wall, monotonic=lambda: self.steady, awake=lambda: self.awake, pieces=0.001
        )
        self.clock.when_shifted(self.told.append)

    def go_on(self, seconds: float) -> None:
        self.wall, self.steady, self.awake = self.wall + seconds, self.steady + seconds, self.awake + seconds

    def suspend(self, seconds: float) -> None:
        self.wall, self.steady = self.wall + seconds, self.steady + seconds

    def set_by(self, seconds: float) -> None:
        self.wall += seconds


async def _looked_at(machine: Machine) -> None:
    """Let somebody sleep on its clock for a few pieces."""
    sleeper = asyncio.create_task(machine.clock.sleep_until(machine.clock.now() + 1_000_000))
    await asyncio.sleep(0.02)
    sleeper.cancel()


async def test_a_wait_is_over_after_a_day_of_suspension_and_not_a_day_later_and_that_is_told_once() -> None:
    machine = Machine()
    waiting = asyncio.create_task(machine.clock.sleep_until(machine.clock.now() + 7_200))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    machine.suspend(86_400)
    await asyncio.wait_for(waiting, 5)
    await _looked_at(machine)
    assert machine.told == [Shift("slept", 86_400)]
    machine.suspend(600)
    machine.go_on(1_000)
    await _looked_at(machine)
    assert machine.told == [Shift("slept", 86_400), Shift("slept", 600)]


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_wall_clock_set_by_an_hour_moves_no_wait_and_is_told_once(hours: int) -> None:
    machine = Machine()
    due = machine.clock.now() + 60
    waiting = asyncio.create_task(machine.clock.sleep_until(due))
    machine.set_by(3_600 * hours)
    await _looked_at(machine)
    assert machine.told == [Shift("set", 3_600 * hours)]
    assert not waiting.done()
    assert machine.clock.now() == due - 60
    await _looked_at(machine)
    machine.go_on(59)
    await asyncio.sleep(0.01)
    assert not waiting.done()
    machine.go_on(2)
    await asyncio.wait_for(waiting, 5)
    assert len(machine.told) == 1


async def test_a_wall_clock_set_back_again_is_told_again() -> None:
    machine = Machine()
    machine.set_by(3_600)
    await _looked_at(machine)
    machine.set_by(-3_600)
    await _looked_at(machine)
    assert machine.told == [Shift("set", 3_600), Shift("set", -3_600)]


async def test_small_corrections_of_the_wall_clock_are_followed_and_not_told() -> None:
    machine = Machine()
    for _ in range(3):
        machine.set_by(20)
        await _looked_at(machine)
    assert machine.told == []
    assert machine.clock.wall() == machine.wall


async def test_a_schedule_follows_the_wall_clock_through_a_jump_and_through_suspension() -> None:
    machine = Machine()
    seven = machine.wall + 3_600
    assert machine.clock.at_wall(seven) - machine.clock.now() == 3_600
    machine.set_by(1_800)
    assert machine.clock.at_wall(seven) - machine.clock.now() == 1_800
    machine.suspend(86_400)
    assert machine.clock.at_wall(seven) < machine.clock.now()


async def test_virtual_time_has_a_wall_clock_that_can_be_set() -> None:
    clock = VirtualClock(1_000.0)
    told: list[Shift] = []
    clock.when_shifted(told.append)
    clock.set_wall(3_600)
    assert told == [Shift("set", 3_600)]
    assert clock.now() == 1_000.0
    assert clock.wall() == 4_600.0
    assert clock.at_wall(4_700.0) == 1_100.0


async def test_a_sleep_longer_than_one_piece_ends_when_it_is_due_and_not_before() -> None:
    clock = SystemClock(pieces=0.005)
    due = clock.now() + 0.03
    await clock.sleep_until(due)
    assert clock.now() >= due
