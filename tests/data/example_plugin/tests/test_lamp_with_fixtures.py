"""The same with pytest-asyncio: a bench is what a fixture yields."""

from collections.abc import AsyncIterator

import pytest_asyncio
from showcaller_lamp import Lamp

from bot.testkit import Bench


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    """A bot with a lamp."""
    async with Bench(Lamp()) as bench:
        yield bench


async def test_blinking_is_counted(bench: Bench) -> None:
    await bench.load('create hello: blink "ceiling" 3 times then say "${blink.times} times"')
    await bench.run("hello")

    bench.assert_said("3 times")


async def test_a_wait_goes_on_after_a_restart(bench: Bench) -> None:
    night = await bench.load('create night: wait 1 hour then darken "ceiling"')
    await bench.run("night")
    await bench.restart()
    await bench.assert_status(night, "waiting")

    await bench.advance(3_600)
    await bench.assert_status(night, "completed")
