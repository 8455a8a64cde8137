"""OBS that hangs, is killed, comes back, is not there, or does not take the password: nobody waits in vain, nothing is done twice."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.obs.connection import Connection
from engine.execution import Done, Failed, Unknown
from tests.obs import studio as real
from tests.obs.bench import Bench, benched
from tests.obs.studio import Studio

pytestmark = pytest.mark.obs


@pytest.fixture(autouse=True)
def going_on(studio: Studio) -> AsyncIterator[None]:
    """Whatever a test does to it, OBS goes on afterwards."""
    yield  # type: ignore[misc]
    if studio.runs:
        studio.signal(signal.SIGCONT)


async def test_what_is_asked_of_a_closed_obs_fails_soon_and_works_once_it_is_open_again(bench: Bench):
    bench.platform.service._patience = 0.2
    bench.studio.signal(signal.SIGKILL)
    await bench.down()
    failure = await bench.failed("set_current_scene", scene_name="Main")
    assert (failure.error, failure.retryable) == ("not_connected", True)
    bench.studio.start()
    await bench.up()

    assert (await bench.done("set_current_scene", scene_name="Main"))["scene"] == "Main"
    there = [event.name for event in bench.house.events if event.name in ("obs.connected", "obs.disconnected")]
    assert there == ["obs.disconnected", "obs.connected"]


async def test_a_start_while_obs_is_closed_waits_for_nothing_and_connects_by_itself(studio: Studio, tmp_path: Path):
    studio.signal(signal.SIGKILL)
    starting = asyncio.get_running_loop().run_in_executor(None, _later, studio)
    async with benched(studio, tmp_path, hand=False) as bench:
        assert not bench.supervisor.standing.up
        await starting
        await bench.up()

        assert bench.house.settings.names.scenes == ("Starting Soon", "Main", "Raid Screen", "BRB", "Ending")


def _later(studio: Studio) -> None:
    studio.start()


async def test_killed_in_the_midst_of_something_harmless_it_is_done_again_later_not_now(bench: Bench):
    bench.platform.service._back_within = 30.0
    bench.studio.signal(signal.SIGSTOP)
    began = asyncio.get_running_loop().time()
    doing = asyncio.create_task(bench.do("set_input_mute", input_name="Mic", muted=True))
    await asyncio.sleep(0.2)
    bench.studio.signal(signal.SIGKILL)
    await bench.down()
    assert asyncio.get_running_loop().time() - began < 5.0
    bench.studio.start()

    result = await doing
    assert isinstance(result, Failed)
    assert result.retryable
    assert bench.begun == []


async def test_killed_in_the_midst_of_a_replay_its_outcome_is_unknown(bench: Bench):
    await bench.done("start_replay_buffer")
    await asyncio.sleep(0.5)
    doing = asyncio.create_task(bench.do("save_replay_buffer"))
    await bench.until(lambda: len(bench.begun) == 2)
    bench.studio.signal(signal.SIGKILL)
    bench.studio.start()

    result = await doing
    assert isinstance(result, Unknown | Done), result
    if isinstance(result, Done):  # it was quicker than the signal
        assert Path(result.output["path"]).is_file()


async def test_lost_after_it_was_done_it_is_read_from_the_state_and_not_sent_again(bench: Bench):
    bench.platform.service._back_within = 30.0
    connection = bench.platform._link._connection
    assert connection is not None
    sent: list[str] = []
    original = connection._client.call

    async def call_and_lose(request: Any, seconds: float) -> Any:
        sent.append(request.requestType)
        answer = await original(request, seconds)
        if request.requestType == "SetCurrentProgramScene":
            await connection.close()
            await asyncio.sleep(10)
        return answer

    connection._client.call = call_and_lose
    result = await bench.do("set_current_scene", scene_name="BRB")

    assert result == Done({"scene": "BRB", "before": "Starting Soon"})
    assert sent.count("SetCurrentProgramScene") == 1
    assert (await bench.ask("GetCurrentProgramScene"))["currentProgramSceneName"] == "BRB"


async def test_one_that_hangs_is_waited_for_only_so_long_and_answers_right_afterwards(bench: Bench):
    connection = bench.platform._link._connection
    assert connection is not None
    bench.studio.signal(signal.SIGSTOP)
    with pytest.raises(Exception, match="did not answer within"):
        await connection.ask("GetVersion", within=0.3)
    bench.studio.signal(signal.SIGCONT)

    assert (await connection.ask("GetCurrentProgramScene"))["currentProgramSceneName"] == "Starting Soon"
    assert "scenes" in await connection.ask("GetSceneList")


async def test_that_it_hangs_is_noticed_without_anything_being_asked(studio: Studio, tmp_path: Path):
    async with benched(studio, tmp_path, pulse=0.1, pulse_within=0.3) as bench:
        await bench.up()
        studio.signal(signal.SIGSTOP)
        await bench.down()
        studio.signal(signal.SIGCONT)
        await bench.up()


async def test_a_wrong_password_is_told_once_with_what_to_do_and_is_in_no_text(
    studio: Studio, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    async with benched(studio, tmp_path, password="not-the-secret") as bench:
        await bench.until(lambda: bench.supervisor.standing.why)
        bench.platform.service._patience = 0.1
        failure = await bench.failed("start_recording")

    assert "showcaller setup obs" in bench.supervisor.standing.why
    assert failure.error == "not_connected"
    for text in (caplog.text, bench.supervisor.standing.why, failure.message):
        assert "not-the-secret" not in text
        assert real.PASSWORD not in text


async def test_many_at_once_each_get_their_own_answer(bench: Bench):
    names = ["Starting Soon", "Main", "Raid Screen", "BRB"]
    connection = bench.platform._link._connection
    assert connection is not None
    asked = [names[number % 4] for number in range(200)]
    answers = await asyncio.gather(*(connection.ask("GetSceneItemList", {"sceneName": name}) for name in asked))

    first = {name: await bench.ask("GetSceneItemList", sceneName=name) for name in names}
    assert all(answer == first[name] for name, answer in zip(asked, answers, strict=True))


async def test_nothing_is_sent_while_the_scene_collection_is_switched(bench: Bench):
    connection = bench.platform._link._connection
    assert isinstance(connection, Connection)
    asking = True

    async def ask_on() -> int:
        count = 0
        while asking:
            await connection.ask("GetCurrentProgramScene")
            count += 1
        return count

    others = [asyncio.create_task(ask_on()) for _ in range(20)]
    for name in ("Other", "CI"):
        known = (await connection.ask("GetSceneCollectionList"))["sceneCollections"]
        request = "SetCurrentSceneCollection" if name in known else "CreateSceneCollection"
        await connection.ask(request, {"sceneCollectionName": name})
        await asyncio.sleep(0.2)
    asking = False

    assert all(await asyncio.gather(*others))
    assert bench.studio.runs
    await bench.until(lambda: len(bench.told("obs.collection.changed")) == 2)
    assert bench.told("obs.scene.removed") == []
    await bench.until(lambda: "Raid Screen" in bench.house.settings.names.scenes)
