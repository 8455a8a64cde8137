"""What the engine can do, beside SQLite by itself, a durable peer, and its own goals.

    uv run python tests/benchmarks/engine.py [--quick] [--only PART ...]

Everything that is compared is measured in this run on this machine, in rounds that take turns, so that a busy machine slows
all of it; of the rounds the median counts, of a ratio the median of the rounds' ratios. The parts: `rates` (against raw
sqlite3 and, if it can be installed, DBOS on SQLite), `open` (latency when events come in at their own times), `waiting` and
`in_flight` (after SIGKILL), `many` (10,000 in flight), `matching` (chat lines that start nothing). What is measured is
described in `workload.py`. The last line is one JSON object; what was not measured is null.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bot.interpreter import begin_to_serve
from tests.benchmarks.closed_loop import Measured, closed_loop
from tests.benchmarks.open_loop import RATE, open_loop
from tests.benchmarks.peer import Peer, peer
from tests.benchmarks.raw import Rows, raw_run, rows_of, sync_times
from tests.benchmarks.restart import measure_in_flight, measure_waiting
from tests.benchmarks.said import Silent
from tests.benchmarks.workload import STATES, Synchronous, in_folder, percentile

MODES: Final[tuple[Synchronous, ...]] = ("NORMAL", "FULL")
WAITING: Final = 100_000
MANY: Final = 10_000


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        rounds: Of rates; likewise `peer_rounds`, `latency_rounds`, `restart_rounds` and `many_rounds`.
        executions: At 100 in flight; a sixteenth of it at 1.
        peer_workflows: Of the peer at 100 in flight.
        latency_seconds: Of events coming in.
        many_states: Transitions of each of the 10,000 in flight.
        matching_seconds: Of chat lines.
    """

    rounds: int
    executions: int
    peer_rounds: int
    peer_workflows: int
    latency_rounds: int
    latency_seconds: float
    restart_rounds: int
    many_rounds: int
    many_states: int
    matching_seconds: float


QUICK: Final = Size(3, 300, 1, 50, 3, 1.0, 1, 1, 2, 0.5)
WHOLE: Final = Size(3, 5_000, 3, 300, 3, 8.0, 3, 3, STATES, 5.0)


@dataclass
class Report:
    """Prints what was found as it comes, each beside its goal, and keeps it for the last line."""

    figures: dict[str, float | None] = field(default_factory=dict)

    def tell(
        self, words: str, value: float | None, form: str = ",.0f", *, key: str | None = None, goal: str | None = None
    ) -> None:
        """One figure. A goal is `>= number` or `<= number`."""
        if key is not None:
            self.figures[key] = None if value is None else round(value, 4)
        said = "not measured" if value is None else f"{value:{form}}"
        print(f"{words:58}{said:>14}{_beside(value, goal)}", flush=True)


def _beside(value: float | None, goal: str | None) -> str:
    if goal is None:
        return ""
    if value is None:
        return f"   goal {goal}"
    relation, number = goal.split()
    limit = float(number.replace(",", ""))
    held = value >= limit if relation == ">=" else value <= limit
    return f"   goal {goal}: {'reached' if held else 'MISSED'}"


# Rates -------------------------------------------------------------------------------------------------------------------


@dataclass
class Rounds:
    """What the rounds of one setting of `synchronous` came to."""

    alone: list[float] = field(default_factory=list)
    together: list[Measured] = field(default_factory=list)
    once: list[float] = field(default_factory=list)
    raw: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median of the rounds' ratios to raw sqlite3."""
        return median(ours.rate / raw for ours, raw in zip(self.together, self.raw, strict=True))


def rates(size: Size, report: Report) -> None:
    """Closed loop, beside raw sqlite3 and the peer."""
    found = {mode: Rounds() for mode in MODES}
    peer_alone, peer_together, syncs = list[float](), list[float](), list[float]()
    written = {mode: _written(size, mode) for mode in MODES}
    with ExitStack() as stack:
        rival = _rival(stack)
        for number in range(size.rounds):
            syncs += in_folder(lambda folder: sync_times(folder, 100))
            for mode in MODES:
                _round(found[mode], size, mode, written[mode])
            if rival is not None and number < size.peer_rounds:
                peer_together.append(rival.rate(100, size.peer_workflows))
                peer_alone.append(rival.rate(1, max(4, size.peer_workflows // 12)))
    _tell_rates(report, found, percentile(syncs, 0.99) * 1_000)
    normal = found["NORMAL"]
    together = [ours.rate / theirs for ours, theirs in zip(normal.together, peer_together, strict=False)]
    alone = [ours / theirs for ours, theirs in zip(normal.alone, peer_alone, strict=False)]
    report.tell("DBOS on SQLite (WAL, NORMAL), 100 in flight, steps/s", _median(peer_together))
    report.tell("  times as fast", _median(together), ".1f", key="dbos_100", goal=">= 100")
    report.tell("DBOS on SQLite (WAL, NORMAL), 1 in flight, steps/s", _median(peer_alone))
    report.tell("  times as fast", _median(alone), ".1f", key="dbos_1", goal=">= 12")


def _rival(stack: ExitStack) -> Peer | None:
    try:
        return stack.enter_context(peer("NORMAL"))
    except Silent as why:
        print(f"DBOS is skipped: {why}")
        return None


def _written(size: Size, mode: Synchronous) -> list[Rows]:
    """The rows of a run, which raw sqlite3 will write."""
    return rows_of(in_folder(lambda folder: closed_loop(folder, 100, size.executions, mode, keeps=True)).batches)


def _round(found: Rounds, size: Size, mode: Synchronous, written: Sequence[Rows]) -> None:
    some = max(20, size.executions // 16)
    found.alone.append(in_folder(lambda folder: closed_loop(folder, 1, some, mode)).rate)
    found.together.append(in_folder(lambda folder: closed_loop(folder, 100, size.executions, mode)))
    found.raw.append(in_folder(lambda folder: raw_run(folder, written, mode)))
    once = in_folder(lambda folder: closed_loop(folder, 100, size.executions // 4, mode, repeatable=False))
    found.once.append(once.rate)


def _tell_rates(report: Report, found: Mapping[Synchronous, Rounds], sync_ms: float) -> None:
    for mode in MODES:
        rounds, prefix = found[mode], "" if mode == "NORMAL" else "full_"
        key = f"ratio_{mode.lower()}"
        report.tell(f"{mode}: transitions/s, 1 in flight", median(rounds.alone), key=f"{prefix}rate_1")
        report.tell(
            f"{mode}: transitions/s, 100 in flight",
            median(each.rate for each in rounds.together),
            key=f"{prefix}rate_100",
        )
        report.tell(f"{mode}: the same, if no effect may be repeated", median(rounds.once))
        report.tell(f"{mode}: raw sqlite3, same rows, 100 a transaction", median(rounds.raw), key=f"{prefix}raw_100")
        report.tell(f"{mode}: ratio", rounds.ratio, ".3f", key=key, goal=">= 0.35" if mode == "NORMAL" else None)
        report.figures[f"{prefix}ratio_100"] = report.figures[key]
        p99 = median(each.p99_ms for each in rounds.together)
        report.tell(f"{mode}: p99 of a transition, 100 in flight, ms", p99, ".1f", key=f"{prefix}p99_ms_100")
        report.tell(
            f"{mode}: transitions in a commit, 100 in flight",
            median(each.transitions / each.commits for each in rounds.together),
        )
    report.tell("fdatasync of a page in this run, p99, ms", sync_ms, ".2f", key="fdatasync_p99_ms")


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


# The rest ----------------------------------------------------------------------------------------------------------------


def latency(size: Size, report: Report) -> None:
    """Open loop."""
    runs = [
        in_folder(lambda folder, seed=seed: open_loop(folder, size.latency_seconds, seed))  # type: ignore[misc]
        for seed in range(size.latency_rounds)
    ]
    report.tell(
        f"open loop, {RATE:,}/s: p99 of a transition, ms",
        median(run.transition for run in runs),
        ".2f",
        key="open_p99_ms",
        goal="<= 5",
    )
    report.tell("  p99 from an event to its first effect, ms", median(run.arrival for run in runs), ".2f")
    report.tell("  p99 of the loop's lag, ms", median(run.lag for run in runs), ".2f", key="open_lag_ms", goal="<= 5")


def waiting(size: Size, report: Report) -> None:
    """Executions that wait."""
    lives = measure_waiting(WAITING, size.restart_rounds)
    seconds, each = median(life.seconds for life in lives), median(life.bytes_each for life in lives)
    report.tell(f"{WAITING:,} waiting: memory for each, bytes", each, key="wait_bytes", goal="<= 1,024")
    report.tell("  ready after SIGKILL, s", seconds, ".2f", key="wait_restart_s", goal="<= 1")


def in_flight(size: Size, report: Report) -> None:
    """Executions in the middle of an effect."""
    seconds = median(measure_in_flight(MANY, size.restart_rounds))
    report.tell(
        f"{MANY:,} in flight: all going again after SIGKILL, s", seconds, ".2f", key="inflight_restart_s", goal="<= 0.5"
    )


def many(size: Size, report: Report) -> None:
    """Ten thousand in flight beside one hundred."""
    ratios, states = [], size.many_states
    for _ in range(size.many_rounds):
        few = in_folder(lambda folder: closed_loop(folder, 100, MANY // 4, "NORMAL", states=states))
        all_ = in_folder(lambda folder: closed_loop(folder, MANY, MANY, "NORMAL", states=states))
        ratios.append(all_.rate / few.rate)
    report.tell(
        f"rate at {MANY:,} in flight over rate at 100", median(ratios), ".2f", key="rate_10k_over_100", goal=">= 0.8"
    )


def matching(size: Size, report: Report) -> None:
    """Chat lines against a thousand triggers."""
    try:
        match_rate = importlib.import_module("tests.benchmarks.matching").match_rate
    except ModuleNotFoundError:
        rate = None
    else:
        rate = median(match_rate(size.matching_seconds) for _ in range(size.rounds))
    report.tell("1,000 triggers, none takes it: messages/s", rate, key="match_per_s", goal=">= 20,000")


PARTS: Final[Mapping[str, Callable[[Size, Report], None]]] = {
    "rates": rates,
    "open": latency,
    "waiting": waiting,
    "in_flight": in_flight,
    "many": many,
    "matching": matching,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under 40 seconds")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    arguments = parser.parse_args()
    begin_to_serve()  # as the bot does
    size, report = QUICK if arguments.quick else WHOLE, Report()
    print(f"{STATES} states, each 2 templates, a guard and a result kept; {size.rounds} rounds")
    for name in arguments.only:
        PARTS[name](size, report)
    print(json.dumps(report.figures))


if __name__ == "__main__":
    main()
