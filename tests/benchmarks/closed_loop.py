"""So many executions in flight, a new one for each that ends: how many transitions a second."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from engine.ports import Batch
from tests.benchmarks.workload import STATES, NothingService, Synchronous, definition, opened, percentile, read_back


@dataclass(frozen=True)
class Measured:
    """What one run came to."""

    rate: float
    p99_ms: float
    commits: int
    transitions: int
    batches: list[Batch] = field(repr=False)


async def closed_loop(
    folder: Path,
    in_flight: int,
    executions: int,
    synchronous: Synchronous,
    *,
    states: int = STATES,
    repeatable: bool = True,
    keeps: bool = False,
) -> Measured:
    """Run so many executions, so many at a time; keep what was written only where nobody looks at the time."""
    path = folder / "engine.db"
    service = NothingService(f"step_{states - 1}", repeatable)
    async with opened(path, synchronous, service, definition(states)) as bench:
        bench.store.keeps = keeps
        left = iter(range(executions))

        async def one_after_another() -> None:
            for _ in left:
                await bench.run_one()

        began = time.perf_counter()
        await asyncio.gather(*(one_after_another() for _ in range(in_flight)))
        await bench.runner.quiescent()
        took = time.perf_counter() - began
    transitions = read_back(path)
    assert transitions == executions * states, (transitions, executions)
    p99 = percentile(service.latencies, 0.99) * 1_000
    return Measured(transitions / took, p99, bench.store.commits, transitions, bench.store.batches)
