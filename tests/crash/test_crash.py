"""Killed again and again, the bot loses nothing and does nothing twice that must not be.

A witness in another process knows what was really done; the bot is killed at chosen points and started again until
everything has ended; then what the witness saw is compared with what the history tells.
"""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

import pytest

from engine.execution import Execution, HistoryRow
from storage.codec import decode_history
from storage.sqlite import SQLiteStore
from tests.crash.bot import COMMUNITY, POINTS, Plan, Point, as_arguments
from tests.crash.witness import request

ROOT: Final = Path(__file__).parents[2]
NEW_ACTORS: Final = 4
LIFE: Final = 120.0
"""Seconds within which a life has to end, or something is stuck."""


@dataclass
class Ruin:
    """What a killed bot left.

    Attributes:
        waiting: How many of its executions waited.
        due: How many effects were due; likewise `begun`.
        unforeseen: What the witness saw although neither outbox nor history know of it.
    """

    waiting: int
    due: int
    begun: int
    unforeseen: frozenset[str]


@dataclass
class Ordeal:
    """All lives of one bot.

    Attributes:
        plan: What it had to do in its last life.
        kills: How often it was killed at each point.
        ruins: What each kill left.
        witnessed: How often the witness saw each effect.
        executions: All of them at the end, with their history.
        left: What is in the outbox at the end.
    """

    plan: Plan
    kills: Counter[Point] = field(default_factory=Counter)
    ruins: list[Ruin] = field(default_factory=list)
    witnessed: Counter[str] = field(default_factory=Counter)
    executions: list[tuple[Execution, list[HistoryRow]]] = field(default_factory=list)
    left: int = 0


@contextmanager
def _witness(log: Path) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.witness", str(log)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def _live(plan: Plan) -> bool:
    """Let a bot live by a plan; tells whether it was killed."""
    ended = subprocess.run(as_arguments(plan), cwd=ROOT, timeout=LIFE, check=False, capture_output=True, text=True)
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr[-4_000:]
    asyncio.run(request(plan.witness, drain=1))
    return ended.returncode != 0


def _endure(folder: Path, plan: Plan, kills: int, chance: random.Random) -> Ordeal:
    """Kill a bot so many times, at every point in turn, then let it come to its end.

    The first lives end while the executions are being made, one when all of them rest, the others wherever they are;
    a few new executions in each see to it that there is something to die of, however fast or slow the machine is.
    """
    ordeal = Ordeal(plan)
    log = folder / "witness.log"
    with _witness(log) as port:
        plan = replace(plan, database=str(folder / "bot.db"), witness=port)
        for number in range(kills):
            if number == 2 * len(POINTS):
                time.sleep(plan.first_wait[0])  # dead while waits fall due; from here on they are over
            point = POINTS[number % len(POINTS)]
            full = number == len(POINTS)
            if number > len(POINTS):
                plan = replace(plan, actors=plan.actors + NEW_ACTORS)
            at = chance.randint(1, 4 if full else 20)
            assert _live(replace(plan, point=point, at=at, when_all_rest=full)), "it ended before it could be killed"
            ordeal.kills[point] += 1
            ordeal.ruins.append(_look_at(folder / "bot.db", frozenset(log.read_text().splitlines())))
        assert not _live(plan)
    ordeal.plan = plan
    ordeal.witnessed = Counter(log.read_text().splitlines())
    asyncio.run(_read_end(folder / "bot.db", ordeal))
    return ordeal


def _look_at(database: Path, witnessed: frozenset[str]) -> Ruin:
    raw = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        ((waiting,),) = raw.execute("SELECT count(*) FROM executions WHERE status = 'waiting'")
        statuses = dict(raw.execute("SELECT id, status FROM outbox").fetchall())
        told = {_effect(decode_history(body)) for (body,) in raw.execute("SELECT body FROM history")}
    finally:
        raw.close()
    count = Counter(statuses.values())
    return Ruin(waiting, count["due"], count["begun"], witnessed - statuses.keys() - told)


async def _read_end(database: Path, ordeal: Ordeal) -> None:
    async with await SQLiteStore.open(database) as store:
        for execution in await store.executions(COMMUNITY, limit=1_000_000):
            ordeal.executions.append((execution, await store.history(execution.id)))
        ordeal.left = len(await store.outbox(COMMUNITY)) + len(await store.live_executions(COMMUNITY))


# What must hold ----------------------------------------------------------------------------------------------------------

_KINDS: Final = ("once", "checked", "note")


def _method(row: HistoryRow) -> str | None:
    """What a state does; None for a wait."""
    if row.state.startswith("act_"):
        return _KINDS[(int(row.state.removeprefix("act_")) - 1) % 3]
    return {"greet": "note", "tell": "once", "finish": "checked"}.get(row.state)


def _effect(row: HistoryRow) -> str:
    ask = f"{row.execution}/{row.path}/{row.state}/{row.visit}"
    return ask if row.attempt == 1 else f"{ask}#{row.attempt}"


def _check(ordeal: Ordeal) -> None:
    _check_nothing_was_done_before_it_was_committed(ordeal)
    _check_everything_ended(ordeal, ordeal.plan)
    for execution, history in ordeal.executions:
        _check_history(execution, history, ordeal.plan)
    _check_against_the_witness(ordeal)


def _check_nothing_was_done_before_it_was_committed(ordeal: Ordeal) -> None:
    for ruin in ordeal.ruins:
        assert not ruin.unforeseen


def _check_everything_ended(ordeal: Ordeal, plan: Plan) -> None:
    assert ordeal.left == 0
    assert {execution.status for execution, _ in ordeal.executions} == {"completed"}
    started = Counter(execution.event["id"] for execution, _ in ordeal.executions)
    expected = [f"waiter-{n}" for n in range(plan.waiters)] + [f"actor-{n}" for n in range(plan.actors)]
    assert started == Counter(expected), "an event was lost or counted twice"


def _check_history(execution: Execution, history: list[HistoryRow], plan: Plan) -> None:
    assert [row.seq for row in history] == list(range(execution.seq)), "a gap or a duplicate"
    steps = [state for state, _ in groupby(row.state for row in history)]
    if execution.workflow == "waiter":
        assert steps == ["greet", "rest", "tell", "rest_again", "finish"]
    else:
        assert steps == [f"act_{number}" for number in range(1, plan.steps + 1)]
    for before, after in pairwise(history):
        assert after.state == (before.to or before.state), "the next step is where the last one led"


def _check_against_the_witness(ordeal: Ordeal) -> None:
    told: dict[str, str] = {}
    for _, history in ordeal.executions:
        for row in history:
            method = _method(row)
            if method is None:
                continue
            effect, seen = _effect(row), ordeal.witnessed[_effect(row)]
            assert effect not in told, "one try is told once"
            told[effect] = row.outcome
            match method, row.outcome:
                case "note", "success":
                    assert seen >= 1
                case (("once" | "checked"), "success"):
                    assert seen == 1, f"{effect} was seen {seen} times"
                case "once", "unknown":
                    assert seen <= 1, f"{effect} was seen {seen} times"
                case "checked", "error":
                    assert seen == 0, f"{effect} was done, but was tried again"
                case other:
                    raise AssertionError(f"{effect} ended as {other}")
    assert set(ordeal.witnessed) <= set(told), "something was done that nobody tells of"


def _unknowns(ordeal: Ordeal) -> int:
    return sum(row.outcome == "unknown" for _, history in ordeal.executions for row in history)


def _settled(ordeal: Ordeal) -> int:
    return sum(row.output == {"settled": True} for _, history in ordeal.executions for row in history)


def _check_it_was_hard(ordeal: Ordeal, kills: int) -> None:
    """A test of crashes in which nothing could go wrong would promise nothing."""
    assert ordeal.kills == {point: kills // len(POINTS) for point in POINTS}
    fullest = max(ordeal.ruins, key=lambda ruin: (ruin.waiting, ruin.due + ruin.begun))
    assert fullest.waiting >= 1_000
    assert fullest.due + fullest.begun >= 100
    assert len({ruin.waiting for ruin in ordeal.ruins if ruin.waiting < fullest.waiting}) > 4, (
        "no wait was over in time"
    )
    assert _unknowns(ordeal) > 0
    assert _settled(ordeal) > 0
    assert 0 < _repeated(ordeal) <= sum(ruin.due + ruin.begun for ruin in ordeal.ruins), "only what was in flight"


def _repeated(ordeal: Ordeal) -> int:
    return sum(count - 1 for count in ordeal.witnessed.values())


def _report(ordeal: Ordeal) -> str:
    tries: defaultdict[str, int] = defaultdict(int)
    for _, history in ordeal.executions:
        for row in history:
            tries[row.outcome] += 1
    again = f"settled {_settled(ordeal)}, repeated {_repeated(ordeal)}"
    return f"{dict(ordeal.kills)}; ruins {[(ruin.waiting, ruin.due, ruin.begun) for ruin in ordeal.ruins]}; tries {dict(tries)}; {again}"


_SMALL: Final = Plan("", 0, waiters=60, actors=20, steps=30, first_wait=(3.0, 5.0), second_wait=(0.2, 1.0), seed=1)
_LARGE: Final = Plan(
    "", 0, waiters=1_050, actors=105, steps=60, first_wait=(12.0, 20.0), second_wait=(0.5, 6.0), seed=2
)


def test_four_kills_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    ordeal = _endure(tmp_path, _SMALL, 4, random.Random(os.environ.get("SHOWCALLER_TEST_SEED", "1")))
    _check(ordeal)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_kills_among_1000_waits_and_100_actions_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    kills = 20
    ordeal = _endure(tmp_path, _LARGE, kills, random.Random(os.environ.get("SHOWCALLER_TEST_SEED", "2")))
    print(_report(ordeal))
    _check(ordeal)
    _check_it_was_hard(ordeal, kills)
