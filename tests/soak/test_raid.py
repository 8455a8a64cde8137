"""A raid on both platforms, short: what it may cost is measured by the benchmark, what it must not do is tested here."""

from pathlib import Path

import pytest

from bot.config import DataFolder
from tests.benchmarks.raid import GOALS, PUNCTUAL, QUICK_PATIENCE, QUICK_SECONDS, RATE, faults, missed, raid


@pytest.mark.parametrize(
    ("late", "over", "found"),
    [(PUNCTUAL, 1.0, len(GOALS)), (PUNCTUAL, 0.5, 0), (PUNCTUAL + 0.1, 10.0, 0)],
    ids=["over its goals", "within its goals", "on a busy machine"],
)
def test_times_over_their_goals_are_faults_where_the_crowd_was_on_time(late: float, over: float, found: int) -> None:
    told = {"crowd_late_p99_ms": late, **{key: goal * over for key, goal in GOALS.items()}}

    assert len(missed(told)) == found


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_of_a_raid_nothing_is_lost_nothing_is_done_twice_and_every_line_is_accounted_for(tmp_path: Path) -> None:
    outcome = await raid(DataFolder(tmp_path / "data"), QUICK_SECONDS, RATE, QUICK_PATIENCE)

    assert faults(outcome, QUICK_SECONDS) == []
    fates = outcome.books.fates
    assert fates["twitchhype done"]
    assert fates["twitchhype dropped"]
    assert fates["twitchinfo done"] > outcome.came_in["informed"], "the same lines that wait should be said once"
    assert outcome.left["twitchhype"], "some lines should still wait for their turn"
    assert [sentence for sentence in outcome.books.notices if sentence.endswith("were dropped: it takes no more.")]
    assert min(outcome.written["moves"], outcome.written["drops"]) > 0
