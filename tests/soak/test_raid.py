"""A raid on both platforms, short: what it may cost is measured by the benchmark, what it must not do is tested here."""

from pathlib import Path

import pytest

from bot.config import DataFolder
from tests.benchmarks.raid import RATE, faults, raid

SECONDS = 20.0


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_of_a_raid_nothing_is_lost_nothing_is_done_twice_and_every_line_is_accounted_for(tmp_path: Path) -> None:
    outcome = await raid(DataFolder(tmp_path / "data"), SECONDS, RATE, 0.0)

    assert faults(outcome, SECONDS) == []
    fates = outcome.books.fates
    assert fates["twitchhype done"]
    assert fates["twitchhype dropped"]
    assert fates["twitchinfo done"] > outcome.came_in["informed"], "the same lines that wait should be said once"
    assert outcome.left["twitchhype"], "some lines should still wait for their turn"
    assert [sentence for sentence in outcome.books.notices if sentence.endswith("were dropped: it takes no more.")]
    assert min(outcome.written["moves"], outcome.written["drops"]) > 0
