"""Killed two hundred times, with workflows of every kind going on and somebody steering them, the bot loses nothing.

Several bots live side by side, each with workflows drawn from a number of its own. At each kill what is left in the file
is looked at, and at the end of the last life it is held against what the witness saw and what somebody was answered. To
see one again: `SHOWCALLER_TEST_SEED=NUMBER uv run pytest -n 0 -m slow tests/crash/test_anything.py`.
"""

import asyncio
import json
import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args

import pytest

from engine.execution import HistoryRow
from engine.model import Action, all_states
from tests.crash.anything import Plan
from tests.crash.bot import POINTS, Point
from tests.crash.nursery import nursery, started
from tests.crash.ruins import Remains, calls, check_end, check_ruin, effect_of, read
from tests.crash.witness import request

BOTS, KILLS = 8, 25
SIDE_BY_SIDE: Final = 3
MOST_COMMITS: Final = 80
"""A life ends at the latest at the so many-th commit that passes its point."""


@dataclass
class Ordeal:
    """All lives of one bot.

    Attributes:
        number: What its workflows followed from.
        kills: How often it was killed at each point.
        in_flight: How many effects were under way at each kill; likewise `begun`, those that may not be repeated.
        witnessed: How often the witness saw each effect.
        remains: What was in the file at the end.
        live: How many runs went on at each kill.
    """

    number: int
    kills: Counter[Point] = field(default_factory=Counter)
    in_flight: list[int] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    live: list[int] = field(default_factory=list)
    witnessed: Counter[str] = field(default_factory=Counter)
    remains: Remains = field(default_factory=lambda: Remains({}, {}, {}))


def _endure(folder: Path, number: int, kills: int) -> Ordeal:
    """Kill a bot so many times, at every point in turn, then let it see everything through."""
    folder.mkdir()
    chance = random.Random(number)
    ordeal = Ordeal(number)
    database, log, promises = folder / "bot.db", folder / "witness.log", folder / "promises"
    with (
        started(folder / "witness.txt", "tests.crash.witness", str(log)) as witness,
        nursery("tests.crash.anything", folder / "errors.txt") as live,
    ):
        assert witness.stdout is not None
        port = int(witness.stdout.readline())
        for life in range(1, kills + 1):
            point = POINTS[life % len(POINTS)]
            at = chance.randint(1, MOST_COMMITS)
            plan = Plan(str(database), port, str(promises), number, life, point, at)
            assert live(plan), f"bot {number} ended in life {life} before it could be killed"
            asyncio.run(request(port, drain=1))  # nothing of it is on its way any more
            ordeal.kills[point] += 1
            remains = read(database)
            check_ruin(remains, log.read_text().splitlines())
            ordeal.in_flight.append(len(remains.outbox))
            ordeal.begun.append(sum(record.status == "begun" for record in remains.outbox.values()))
            ordeal.live.append(sum(run.ended_at is None for run in remains.executions.values()))
        assert not live(Plan(str(database), port, str(promises), number, kills + 1))
    ordeal.witnessed = Counter(log.read_text().splitlines())
    ordeal.remains = read(database)
    answers: list[dict[str, Any]] = [json.loads(line) for line in promises.read_text().splitlines()]
    check_end(ordeal.remains, ordeal.witnessed, answers)
    _check_only_what_was_in_flight_was_done_again(ordeal)
    return ordeal


def _check_only_what_was_in_flight_was_done_again(ordeal: Ordeal) -> None:
    again = sum(count - 1 for count in ordeal.witnessed.values())
    assert again <= sum(ordeal.in_flight)
    assert _outcomes(ordeal)["unknown"] <= sum(ordeal.begun), "only what was handed over can be unknown"


def _outcomes(ordeal: Ordeal) -> Counter[str]:
    methods = calls(ordeal.remains)
    return Counter(
        row.outcome.removeprefix("late ")
        for row in ordeal.remains.rows
        if (ordeal.remains.executions[row.execution].workflow, row.state) in methods
    )


def _report(ordeal: Ordeal) -> str:
    statuses = Counter(run.status for run in ordeal.remains.executions.values())
    again = sum(count - 1 for count in ordeal.witnessed.values())
    return (
        f"bot {ordeal.number}: killed {ordeal.kills.total()} times with {ordeal.live} going on and {ordeal.in_flight} "
        f"in flight; {len(ordeal.witnessed)} things done, {again} again; {dict(statuses)}; {dict(_outcomes(ordeal))}"
    )


def _check_it_was_hard(ordeals: list[Ordeal]) -> None:
    """A test of crashes in which nothing could go wrong would promise nothing."""
    kills = sum((ordeal.kills for ordeal in ordeals), Counter[Point]())
    assert kills.total() == BOTS * KILLS
    assert min(kills[point] for point in POINTS) >= BOTS * KILLS // len(POINTS) - BOTS
    outcomes = sum((_outcomes(ordeal) for ordeal in ordeals), Counter[str]())
    assert {"success", "error", "timeout", "unknown", "cancel", "stopped"} <= outcomes.keys()
    assert any(count > 1 for ordeal in ordeals for count in ordeal.witnessed.values()), "nothing had to be repeated"
    assert any(ordeal.remains.counted > 0 for ordeal in ordeals)
    assert any(row.output == "settled" for ordeal in ordeals for row in ordeal.remains.rows)
    assert _kinds_seen(ordeals) == {get_args(kind)[1].tag for kind in get_args(get_args(Action)[0])}
    wishes = {row.outcome for ordeal in ordeals for row in ordeal.remains.rows if row.by is not None}
    assert {"paused", "resumed", "skipped by hand", "extended", "retried", "cancel", "stopped"} <= wishes
    assert any(run.parent is not None for ordeal in ordeals for run in ordeal.remains.executions.values())


def _kinds_seen(ordeals: list[Ordeal]) -> set[str]:
    """The kinds of actions of which the histories tell."""
    return {
        state.action.kind
        for ordeal in ordeals
        for run in ordeal.remains.executions.values()
        for state in all_states(ordeal.remains.definitions[run.workflow].states)
        if any(row.state == state.name for row in ordeal.remains.history.get(run.id, ()))
    }


def _numbers() -> list[int]:
    if (wanted := os.environ.get("SHOWCALLER_TEST_SEED")) is not None:
        return [int(wanted)]
    return list(range(1, BOTS + 1))


def test_a_few_kills_amid_workflows_of_all_kinds_lose_nothing(tmp_path: Path) -> None:
    _endure(tmp_path / "bot", 1, len(POINTS))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_hundred_kills_amid_workflows_of_all_kinds_lose_nothing(tmp_path: Path) -> None:
    numbers = _numbers()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        ordeals = list(pool.map(lambda number: _endure(tmp_path / str(number), number, KILLS), numbers))
    for ordeal in ordeals:
        print(_report(ordeal))
    if len(numbers) == BOTS:
        _check_it_was_hard(ordeals)


def test_a_try_is_found_by_the_id_of_its_effect() -> None:
    assert effect_of(HistoryRow("x", 0, "main", "a/b", 2, 3, "success", 0.0, 0.0)) == "x/main/a%2Fb/2#3"
