"""Timers: every armed id once, at its time, in due order, and nothing for those that were disarmed."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clock import VirtualClock
from engine.timers import Timers


class Bell:
    """Timers on a virtual clock, and what they called."""

    def __init__(self) -> None:
        self.clock = VirtualClock(0.0)
        self.rung: list[tuple[str, float]] = []
        self.timers = Timers(self.clock, self.ring)

    def ring(self, id: str) -> None:
        self.rung.append((id, self.clock.now()))

    async def settle(self) -> None:
        while not self.timers.settled:  # noqa: ASYNC110  every turn of the loop is looked at
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        await self.clock.advance(seconds, self.settle)


async def test_ids_are_called_in_due_order_each_at_its_time() -> None:
    bell = Bell()
    bell.timers.arm("late", 30.0)
    bell.timers.arm("early", 10.0)
    await bell.advance(60)
    assert bell.rung == [("early", 10.0), ("late", 30.0)]
    assert len(bell.timers) == 0


async def test_the_last_arming_counts() -> None:
    bell = Bell()
    bell.timers.arm("a", 10.0)
    bell.timers.arm("a", 40.0)
    bell.timers.arm("b", 20.0)
    bell.timers.arm("b", None)
    bell.timers.arm("c", 50.0)
    bell.timers.arm("c", 5.0)
    await bell.advance(60)
    assert bell.rung == [("c", 5.0), ("a", 40.0)]


async def test_timers_are_settled_also_after_the_next_one_was_disarmed_while_the_sleeper_slept() -> None:
    bell = Bell()
    bell.timers.arm("a", 10.0)
    bell.timers.arm("b", 50.0)
    await bell.settle()
    bell.timers.arm("a", None)
    await asyncio.wait_for(bell.settle(), 1)
    await bell.advance(60)
    assert bell.rung == [("b", 50.0)]


async def test_what_is_overdue_comes_at_once_in_due_order_and_ties_as_armed() -> None:
    bell = Bell()
    for id, due in (("z", -5.0), ("m", -9.0), ("a", -5.0)):
        bell.timers.arm(id, due)
    await bell.settle()
    assert [id for id, _ in bell.rung] == ["m", "z", "a"]


async def test_ten_thousand_due_at_once_let_others_have_their_turn() -> None:
    bell = Bell()
    for number in range(10_000):
        bell.timers.arm(str(number), 10.0)
    turns = 0

    async def neighbour() -> None:
        nonlocal turns
        while len(bell.rung) < 10_000:
            turns += 1
            await asyncio.sleep(0)

    neighbour_task = asyncio.create_task(neighbour())
    await bell.advance(10)
    await neighbour_task
    assert len(bell.rung) == 10_000
    assert turns > 50


async def test_arming_again_and_again_does_not_fill_memory() -> None:
    bell = Bell()
    for number in range(10_000):
        bell.timers.arm("a", 1_000.0 + number)
    assert len(bell.timers._heap) <= 128
    bell.timers.close()


async def test_closed_timers_call_nobody() -> None:
    bell = Bell()
    bell.timers.arm("a", 1.0)
    bell.timers.close()
    await bell.clock.advance(5, lambda: asyncio.sleep(0))
    assert bell.rung == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.integers(1, 50).map(float)), max_size=40),
)
def test_any_sequence_of_arming_ends_in_what_was_said_last(arming: list[tuple[str, float | None]]) -> None:
    async def check() -> None:
        bell = Bell()
        for id, due in arming:
            bell.timers.arm(id, due)
        await bell.advance(100)
        expected = {id: due for id, due in dict(arming).items() if due is not None}
        assert dict(bell.rung) == expected
        assert [at for _, at in bell.rung] == sorted(expected.values())

    asyncio.run(check())
