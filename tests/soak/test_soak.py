"""A busy chat for minutes: memory flat, no task left behind, the journal bounded, every event accounted for, nothing stuck.

How long is a parameter: `SHOWCALLER_TEST_SOAK=3600 uv run pytest -n 0 -m slow tests/soak`. The rate that was reached and how
late the event loop was are printed; what is asserted holds at any rate.
"""

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
RATE: Final = 2_000
SECONDS: Final = float(os.environ.get("SHOWCALLER_TEST_SOAK", "180"))
MB: Final = 1_000_000
GROWTH: Final = 1.06
"""How much larger the last quarter may be than the second one: names that are met for the first time are remembered."""
LARGEST_JOURNAL: Final = 64 * MB


def _soak(database: Path, seconds: float, rate: float) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.soak.life", str(database), str(seconds), str(rate)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds * 2 + 150,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4_000:]
    assert "Traceback" not in ended.stderr, ended.stderr[-4_000:]
    return dict(json.loads(ended.stdout))


def _report(figures: dict[str, Any]) -> str:
    p50, p99, worst = figures["lag"]
    return (
        f"{figures['offered'] / figures['took']:,.0f} events/s of {RATE:,} for {figures['took']:.0f} s: "
        f"{figures['answers']}; runs {figures['expected']}; tries {figures['attempts']}; "
        f"loop late by {p50:.1f} ms, p99 {p99:.1f} ms, worst {worst:.0f} ms; "
        f"memory {figures['memory'][0] / MB:.0f} -> {figures['memory'][-1] / MB:.0f} MB, "
        f"journal at most {max(figures['journal']) / MB:.1f} MB, tasks at most {figures['most_tasks']}, "
        f"{figures['live']} runs going on at the end; told {figures['notices']}"
    )


def _check(figures: dict[str, Any], database: Path) -> None:
    _check_nothing_is_left(figures)
    _check_every_event_is_accounted_for(figures, database)
    assert max(figures["journal"]) < LARGEST_JOURNAL


def _check_nothing_is_left(figures: dict[str, Any]) -> None:
    assert figures["stuck"] == []
    assert figures["tasks"] == 0, "tasks were left behind"


def _check_every_event_is_accounted_for(figures: dict[str, Any], database: Path) -> None:
    answers, expected = Counter(figures["answers"]), Counter(figures["expected"])
    assert answers.total() == figures["offered"]
    with closing(sqlite3.connect(database)) as raw:

        def count(what: str) -> dict[str, int]:
            return dict(raw.execute(what).fetchall())

        ((events,),) = raw.execute("SELECT count(*) FROM events WHERE id NOT LIKE 'emitted/%'")
        ((emitted,),) = raw.execute("SELECT count(*) FROM events WHERE id LIKE 'emitted/%'")
        ((held,),) = raw.execute("SELECT count(*) FROM held")
        ((outbox,),) = raw.execute("SELECT count(*) FROM outbox")
        ((refused,),) = raw.execute("SELECT count(*) FROM admissions WHERE json_extract(body, '$.execution') IS NULL")
        ((gaps,),) = raw.execute(
            "SELECT count(*) FROM executions AS run WHERE json_extract(run.body, '$.seq')"
            " != (SELECT count(*) FROM history WHERE history.execution = run.id)"
        )
        runs = Counter(count("SELECT workflow, count(*) FROM executions GROUP BY workflow"))
        completed = count("SELECT status, count(*) FROM executions GROUP BY status")
    assert events == figures["offered"] - answers["duplicate"], "an event was lost, or counted twice"
    assert (held, outbox, gaps) == (0, 0, 0)
    assert refused == figures["refusals"]
    for inner, outer in (("thanks", "arrival"), ("counted", "bits")):
        assert 0 < runs[inner] <= runs[outer]
        del runs[inner]
    assert emitted > 0
    assert runs == expected, "a run too many, or one too few"
    assert set(completed) <= {"completed", "failed"}


def _check_memory_is_flat(figures: dict[str, Any]) -> None:
    for what in ("memory", "objects"):
        seen = figures[what]
        quarter = len(seen) // 4
        before, after = median(seen[quarter : 2 * quarter]), median(seen[-quarter:])
        assert after <= before * GROWTH, f"{what} grew from {before:,.0f} to {after:,.0f}: {seen[::quarter]}"


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_minutes_of_a_busy_chat_leave_nothing_behind_and_are_accounted_for(tmp_path: Path) -> None:
    figures = _soak(tmp_path / "bot.db", SECONDS, RATE)
    print(_report(figures))
    (tmp_path / "figures.json").write_text(json.dumps(figures))
    _check(figures, tmp_path / "bot.db")
    _check_memory_is_flat(figures)
    assert {"started", "refused", "heard", "folded", "duplicate", "recorded"} <= figures["answers"].keys()
