"""One real OBS for all tests here, put back after each; without OBS they skip and say so."""

import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.obs import studio as real
from tests.obs.bench import Bench, Stuck, benched, put_back
from tests.obs.studio import Studio


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """OBS, running."""
    if lacking := real.missing():
        pytest.skip(f"not installed here: {lacking} (apt-get install obs-studio xvfb ffmpeg)")
    made = Studio(tmp_path_factory.mktemp("studio"))
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
async def bench(studio: Studio, tmp_path: Path) -> AsyncIterator[Bench]:
    """A bench that is connected to an OBS as it was at the start."""
    if not studio.runs:
        studio.start()
    try:
        await put_back(studio)
    except Stuck:  # one test that broke it is enough
        studio.signal(signal.SIGKILL)
        studio.start()
        await put_back(studio)
    async with benched(studio, tmp_path) as made:
        await made.up()
        await made.ask("BroadcastCustomEvent", eventData={"put": "back"})
        await made.until(lambda: made.told("obs.custom.told"))  # whatever putting back led to is heard by now
        made.house.events.clear()
        yield made
