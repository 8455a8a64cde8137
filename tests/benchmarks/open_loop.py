"""Raids that come in at their own times, whatever the engine does: how long transitions take, and how late the loop is.

Arrivals are Poisson, 500 executions of ten transitions a second. What an event waits for before its first effect counts
from the time at which it should have come, so that a stall is not forgiven by coming later.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.workload import STATES, NothingService, definition, opened, percentile

RATE: Final = 5_000
LOOK: Final = 0.002


@dataclass(frozen=True)
class Latency:
    """Milliseconds that 99 of 100 do not exceed."""

    transition: float
    arrival: float
    lag: float


async def open_loop(folder: Path, seconds: float, seed: int) -> Latency:
    """Transitions a second as in `RATE`, under NORMAL."""
    service = NothingService()
    async with opened(folder / "open.db", "NORMAL", service, definition()) as bench:
        chance, due, arrivals = random.Random(seed), 0.0, dict[str, float]()
        lags: list[float] = []
        looking = asyncio.create_task(_look(lags))
        began = time.perf_counter()

        async def one(should: float) -> None:
            execution = await bench.start_one()
            arrivals[execution.id] = should
            await service.end_of(execution.id)

        running = []
        while due < seconds:
            if (ahead := began + due - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            running.append(asyncio.create_task(one(began + due)))
            due += chance.expovariate(RATE / STATES)
        await asyncio.gather(*running)
        looking.cancel()
        await bench.runner.quiescent()
    waited = [service.first_asked[id] - should for id, should in arrivals.items()]
    return Latency(*(percentile(values, 0.99) * 1_000 for values in (service.latencies, waited, lags)))


async def _look(lags: list[float]) -> None:
    """How much later than asked for the loop comes round."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(LOOK)
        lags.append(time.perf_counter() - began - LOOK)
