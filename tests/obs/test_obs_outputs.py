"""Stream, recording and replay buffer of a real OBS: what counts is what became of it, not that OBS took the request."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.execution import Done, Failed
from tests.obs.bench import Bench
from tests.obs.studio import Sink, probed

pytestmark = pytest.mark.obs


@pytest.fixture
def sink(bench: Bench) -> Iterator[Sink]:
    """Somebody who takes the stream."""
    made = Sink(bench.studio)
    yield made
    made.close()


async def active(bench: Bench, status: str) -> bool:
    """Whether an output runs."""
    return bool((await bench.ask(status))["outputActive"])


# Recording ---------------------------------------------------------------------------------------------------------------


async def test_a_recording_can_be_played_once_it_has_ended(bench: Bench):
    await bench.done("start_recording")
    assert await active(bench, "GetRecordStatus")
    await bench.done("start_recording")
    await asyncio.sleep(1.2)
    path = Path(str((await bench.done("stop_recording"))["path"]))

    assert not await active(bench, "GetRecordStatus")
    found = probed(path)
    assert {stream["codec_type"] for stream in found["streams"]} == {"video", "audio"}
    assert float(found["format"]["duration"]) > 0.5
    assert await bench.done("stop_recording") == {}
    assert len(bench.told("obs.recording.started")) == 1
    await bench.until(lambda: bench.told("obs.recording.ended"))
    assert bench.told("obs.recording.ended") == [{"path": str(path)}]


async def test_starts_and_stops_at_once_come_to_one_recording_each(bench: Bench):
    results = await asyncio.gather(*(bench.do("start_recording") for _ in range(3)))
    assert all(isinstance(result, Done) for result in results), results
    results = await asyncio.gather(*(bench.do("stop_recording") for _ in range(3)))

    assert all(isinstance(result, Done) for result in results), results
    assert len([result for result in results if isinstance(result, Done) and result.output]) == 1
    again = await asyncio.gather(bench.do("start_recording"), bench.do("stop_recording"))
    assert all(isinstance(result, Done) for result in again), again
    assert len(bench.told("obs.recording.started")) == 2


async def test_a_recording_pauses_and_goes_on(bench: Bench):
    await bench.done("start_recording")
    await bench.done("pause_recording")
    paused = (await bench.ask("GetRecordStatus"))["outputPaused"]
    await bench.done("resume_recording")

    assert (paused, (await bench.ask("GetRecordStatus"))["outputPaused"]) == (True, False)
    await bench.until(lambda: bench.told("obs.recording.resumed"))
    await bench.done("stop_recording")


async def test_a_recording_into_a_folder_that_cannot_be_written_to_has_failed(bench: Bench):
    folder = bench.studio.recordings
    shutil.rmtree(folder)
    folder.write_text("no folder")  # even root cannot write into a file
    try:
        failure = await bench.failed("start_recording")
    finally:
        folder.unlink()
        folder.mkdir()

    assert (failure.error, failure.retryable) == ("output_failed", True)
    assert "folder" in failure.message
    assert not await active(bench, "GetRecordStatus")


async def test_a_chapter_is_marked_or_it_is_said_that_this_obs_is_too_old(bench: Bench):
    await bench.done("start_recording")
    result = await bench.do("create_record_chapter", chapter_name="boss")

    assert isinstance(result, Done | Failed)
    known = (await bench.ask("GetVersion"))["availableRequests"]
    if "CreateRecordChapter" not in known:
        assert isinstance(result, Failed)
        assert result.error == "too_old"


# Replays -----------------------------------------------------------------------------------------------------------------


async def test_a_replay_is_saved_under_the_name_that_was_asked_for(bench: Bench):
    await bench.done("start_replay_buffer")
    await asyncio.sleep(0.8)
    first = Path(str((await bench.done("save_replay_buffer", filename="../raid of ninja"))["path"]))
    second = Path(str((await bench.done("save_replay_buffer", filename="../raid of ninja"))["path"]))

    assert first.parent == second.parent == bench.studio.recordings
    assert (first.name, second.name) == ("raid of ninja.mkv", "raid of ninja 2.mkv")
    assert {stream["codec_type"] for stream in probed(first)["streams"]} == {"video", "audio"}
    await bench.done("stop_replay_buffer")
    assert not await active(bench, "GetReplayBufferStatus")


async def test_two_saves_at_once_are_two_files(bench: Bench):
    await bench.done("start_replay_buffer")
    await asyncio.sleep(0.8)
    results = await asyncio.gather(
        bench.do("save_replay_buffer", filename="a"), bench.do("save_replay_buffer", filename="b")
    )

    paths = {Path(result.output["path"]).name for result in results if isinstance(result, Done)}
    assert paths == {"a.mkv", "b.mkv"}
    assert all((bench.studio.recordings / name).is_file() for name in paths)


# Streaming ---------------------------------------------------------------------------------------------------------------


async def test_a_stream_is_live_once_it_has_held_and_its_pictures_arrive(bench: Bench, sink: Sink):
    began = asyncio.get_running_loop().time()
    await bench.done("start_streaming")
    assert asyncio.get_running_loop().time() - began >= 3.0
    assert await active(bench, "GetStreamStatus")
    await bench.done("start_streaming")
    await bench.done("stop_streaming")

    assert not await active(bench, "GetStreamStatus")
    sink.close()
    assert {stream["codec_type"] for stream in probed(sink.file)["streams"]} == {"video", "audio"}
    await bench.until(lambda: bench.told("obs.stream.ended"))
    assert len(bench.told("obs.stream.started")) == 1


async def test_a_stream_that_nobody_takes_has_failed(bench: Bench):
    failure = await bench.failed("start_streaming")

    assert (failure.error, failure.retryable) == ("output_failed", True)
    assert "stream settings" in failure.message
    assert not await active(bench, "GetStreamStatus")


def _takings(bench: Bench) -> int:
    return len(bench.told("obs.stream.started")) + len(bench.told("obs.stream.regained"))


async def test_a_stream_that_is_thrown_out_at_once_is_not_live_and_is_stopped(bench: Bench):
    sinks: list[Sink] = []

    async def throw_out() -> None:
        while True:
            sinks.append(Sink(bench.studio))
            before = _takings(bench)
            await bench.until(lambda before=before: _takings(bench) > before)
            await asyncio.sleep(0.2)
            sinks[-1].close()

    throwing = asyncio.create_task(throw_out())
    try:
        failure = await bench.failed("start_streaming")
    finally:
        throwing.cancel()
        await asyncio.wait({throwing})
        for each in sinks:
            each.close()

    assert failure.error == "output_failed"
    assert not await active(bench, "GetStreamStatus")


async def test_no_output_is_left_open_by_the_tests(bench: Bench):
    found: list[Any] = [await active(bench, name) for name in ("GetStreamStatus", "GetRecordStatus")]

    assert found == [False, False]
    assert os.path.isdir(bench.studio.recordings)
