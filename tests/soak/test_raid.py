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
    assert fates["twitch.send_chat_message done"]
    assert fates["twitch.send_chat_message dropped"]
    assert outcome.left["twitch.send_chat_message"], "some lines should still wait for their turn"
    assert min(outcome.written["moves"], outcome.written["drops"]) > 0
