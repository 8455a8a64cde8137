"""Killed for real, started again: how soon 100,000 waiting executions can be woken, and 10,000 in flight go on.

    python tests/benchmarks/restart.py MODE FILE COUNT

runs one life of a bot, which says what it has to say in one line and then waits to be killed. `lay` and `fly` prepare a
file; `wake` and `again` open what was left of it and tell how long that took, from opening the store, imports excluded.
"""

import asyncio
import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bot.interpreter import begin_to_serve, opening
from engine.context import Context
from engine.declare import Declarations, Method, Param
from engine.execution import Effect, Execution, Result
from engine.inputs import Succeeded
from engine.machine import Step, start, transition
from engine.model import Definition
from engine.ports import Batch
from engine.program import compile_program
from storage.sqlite import SQLiteStore
from tests.benchmarks.said import line_of
from tests.benchmarks.workload import COMMUNITY, DONE, defined, definition, raid, runner_on, saved, state

ROOT: Final = Path(__file__).resolve().parents[2]
AT_ONCE: Final = 1_000
LONG: Final = 3_600.0
LIFE: Final = 120.0
"""Seconds within which a life has said what it has to say."""


@dataclass(frozen=True)
class Woken:
    """Seconds until the one that was due asked its service, and memory for each that waits."""

    seconds: float
    bytes_each: float


# The parent's side -------------------------------------------------------------------------------------------------------


def measure_waiting(count: int, rounds: int) -> list[Woken]:
    """Lay so many waiting executions down, be killed, and start again so many times on what was left."""
    with tempfile.TemporaryDirectory(prefix="showcaller-bench-") as folder:
        laid, tried = Path(folder, "laid"), Path(folder, "tried")
        laid.mkdir()
        _life("lay", laid / "wait.db", count)
        found = []
        for _ in range(rounds):
            shutil.copytree(laid, tried)
            told = _life("wake", tried / "wait.db", count)
            shutil.rmtree(tried)
            found.append(Woken(told["seconds"], told["bytes"] / count))
        return found


def measure_in_flight(count: int, rounds: int) -> list[float]:
    """Seconds until so many executions that were in flight at a kill have asked their service again."""
    with tempfile.TemporaryDirectory(prefix="showcaller-bench-") as folder:
        path = Path(folder, "fly.db")
        _life("fly", path, count)
        return [_life("again", path, count)["seconds"] for _ in range(rounds)]


def _life(mode: str, path: Path, count: int) -> dict[str, float]:
    """One life: begun, heard, killed with SIGKILL."""
    command = [sys.executable, str(Path(__file__).resolve()), mode, str(path), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as life:
        told: dict[str, float] = json.loads(line_of(life, LIFE))
        life.kill()
    return told


# The child's side --------------------------------------------------------------------------------------------------------


@dataclass
class EndlessService:
    """Begins whatever it is asked and never ends; tells when it has been asked so many different things."""

    expects: int
    name: str = "bench"
    simulated: bool = True
    asked: set[str] = field(default_factory=set)
    all_asked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def methods(self) -> Sequence[Method]:
        return (Method("bench", "nothing", (Param("message"), Param("title")), repeatable=True),)

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        self.asked.add(effect.id)
        await begin()
        if len(self.asked) == self.expects:
            self.all_asked.set()
        await asyncio.get_running_loop().create_future()
        return DONE

    async def settle(self, effect: Effect) -> Result | None:
        return None


def sleeper() -> Definition:
    """Asks, waits an hour, asks again."""
    wait = {"name": "nap", "action": {"kind": "wait", "seconds": LONG}, "transitions": {"success": "last"}}
    return defined([state("first", "nap"), wait, state("last", None)])


async def lay(path: Path, count: int) -> NoReturn:
    """Executions as they stand in the middle of their wait; the one in the middle is due."""
    store = await SQLiteStore.open(path, synchronous="NORMAL")
    await store.commit(saved(sleeper()))
    step = _asleep()
    now = time.time()
    for first in range(0, count, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count))
        pairs = [_numbered(step, number, now - 1 if number == count // 2 else now + LONG) for number in numbers]
        await store.commit(
            Batch(
                executions=[each.execution for each in pairs], history=[row for each in pairs for row in each.history]
            )
        )
    await _hang_with({}, store)


def _asleep() -> Step:
    """What an execution comes to that has gone to sleep, as the machine makes it."""
    program = compile_program(sleeper(), Declarations(EndlessService(1).methods))
    begun = start(
        program,
        id="",
        community=COMMUNITY,
        revision=1,
        event=raid(1, 0.0),
        arguments={},
        user={"name": "raider_1", "roles": ["subscriber"]},
        caller={"name": "raider_1", "roles": ["subscriber"]},
        at=time.time(),
        context=Context(),
    )
    return transition(program, begun.execution, Succeeded(time.time(), begun.effects[0].id, DONE.output), Context())


def _numbered(step: Step, number: int, due: float) -> Step:
    id = f"{number:08x}"
    branch = replace(step.execution.branches[0], due=due)
    execution: Execution = replace(step.execution, id=id, branches=(branch,))
    return replace(step, execution=execution, history=tuple(replace(row, execution=id) for row in step.history))


async def wake(path: Path, count: int) -> NoReturn:
    """Open all of it; ready once nothing more can happen but by time, and the one that was due has asked."""
    service = EndlessService(1)
    gc.collect()
    before = _resident()
    began = time.perf_counter()
    with opening():
        store = await SQLiteStore.open(path, synchronous="NORMAL")
        runner = runner_on(store, service)
        await runner.open(COMMUNITY)
    await service.all_asked.wait()
    took = time.perf_counter() - began
    gc.collect()
    await _hang_with({"seconds": took, "bytes": _resident() - before}, runner, store)


async def fly(path: Path, count: int) -> NoReturn:
    """All of them in flight."""
    begin_to_serve()  # as the bot does; likewise `opening`
    service = EndlessService(count)
    store = await SQLiteStore.open(path, synchronous="NORMAL")
    runner = runner_on(store, service)
    await runner.open(COMMUNITY)
    await runner.save(saved(definition()))
    await asyncio.gather(*(runner.post(raid(number, time.time())) for number in range(count)))
    await service.all_asked.wait()
    await _hang_with({}, runner, store)


async def again(path: Path, count: int) -> NoReturn:
    """Those in flight go on."""
    service = EndlessService(count)
    began = time.perf_counter()
    with opening():
        store = await SQLiteStore.open(path, synchronous="NORMAL")
        runner = runner_on(store, service)
        await runner.open(COMMUNITY)
    await service.all_asked.wait()
    await _hang_with({"seconds": time.perf_counter() - began}, runner, store)


async def _hang_with(told: Mapping[str, float], *_: object) -> NoReturn:
    """Say it and stay as it is until the kill."""
    print(json.dumps(told), flush=True)
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody ends it")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    mode, path, count = sys.argv[1:]
    life = {"lay": lay, "wake": wake, "fly": fly, "again": again}[mode]
    asyncio.run(life(Path(path), int(count)))


if __name__ == "__main__":
    main()
