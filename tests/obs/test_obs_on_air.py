"""The whole bot with a real OBS beside Twitch and Discord: the workflows people have, unchanged, and seen in the picture."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.app import equipment
from bot.equipment import Equipment
from bot.files import import_workflow
from bot.obs.connection import Connection
from bot.obs.options import HOST, PORT
from bot.obs.platform import PASSWORD
from bot.tokens import Token
from tests.obs import studio as real
from tests.obs.bench import pixel, put_back
from tests.obs.studio import Sink, Studio, probed
from tests.on_air import OnAir, in_no_time, on_air, set_up
from tests.servers.discord import DiscordServer
from tests.servers.twitch import FakeTwitch

pytestmark = [pytest.mark.obs, pytest.mark.slow]

SEEDS = Path(__file__).parents[1] / "data"
RED, BLUE, BLACK = (255, 0, 0), (0, 0, 255), (0, 0, 0)


@pytest.fixture(scope="module")
def equipped() -> Equipment:
    """The language is built once."""
    return equipment()


@pytest.fixture
async def air(
    studio: Studio, tmp_path: Path, equipped: Equipment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OnAir]:
    """A bot on three platforms, with the two workflows of the streamer."""
    in_no_time(monkeypatch)
    if not studio.runs:
        studio.start()
    await put_back(studio)
    settings = {HOST: "127.0.0.1", PORT: studio.port, "stream.title": "Friday fun", "stream.category": "Art"}
    async with AsyncExitStack() as stack:
        twitch = await stack.enter_async_context(FakeTwitch())
        discord = await DiscordServer().start()
        stack.push_async_callback(discord.stop)
        folder = await set_up(tmp_path / "data", twitch, discord, settings, {PASSWORD: Token(real.PASSWORD)})
        for name in ("stream_start.json", "raid_workflow.json"):
            await import_workflow(folder, SEEDS / name)
        yield await on_air(stack, folder, equipped, twitch, discord)


class Eye:
    """Looks at what OBS shows."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def colors(self) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Those of a place in the left half, and of one in the right."""
        scene = (await self.connection.ask("GetCurrentProgramScene"))["currentProgramSceneName"]
        data = {"sourceName": scene, "imageFormat": "png", "imageWidth": real.SIZE[0]}
        picture = base64.b64decode(
            (await self.connection.ask("GetSourceScreenshot", data))["imageData"].partition(",")[2]
        )
        return pixel(picture, 100, 300), pixel(picture, 500, 300)


@pytest.fixture
async def eye(studio: Studio) -> AsyncIterator[Eye]:
    """A second connection to OBS."""
    connection = await Connection.open(f"ws://127.0.0.1:{studio.port}", real.PASSWORD, lambda *_: None, 30.0)
    yield Eye(connection)
    await connection.close()


async def scene_is(air: OnAir, name: str) -> None:
    """Wait until the bot has heard of a change to a scene."""

    for _ in range(1_000):
        events = [event for event in await air.bot.store.events("home", 50) if event.name == "obs.scene.changed"]
        if any(event.payload["scene"] == name for event in events):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"the scene did not change to {name}")


async def status_of(air: OnAir, workflow: str) -> str:
    """How the last run of a workflow ended, waited for."""
    for _ in range(1_500):
        runs = await air.bot.store.executions("home", workflow, 1)
        if runs and runs[0].ended_at is not None:
            rows = await air.bot.store.history(runs[0].id)
            return next((str(row.error) for row in rows if row.error), runs[0].status)
        await asyncio.sleep(0.02)
    raise AssertionError(f"{workflow} did not end")


async def test_the_start_of_a_stream_goes_from_scene_to_scene_and_tells_both_platforms(air: OnAir, eye: Eye):
    air.twitch.answer("GET", "games", 200, {"data": [{"id": "509660", "name": "Art"}]})
    await eye.connection.ask("SetCurrentProgramScene", {"sceneName": "Ending"})
    await scene_is(air, "Ending")
    owner = air.discord.owner
    await air.in_discord("!wf run stream_start with discord.announcement_channel=general", owner)
    await scene_is(air, "Starting Soon")
    assert (await eye.colors())[1] == pytest.approx(RED, abs=4)
    await air.discord.until(lambda: [text for text in air.posted() if "going live in 5 minutes" in text])
    await air.in_discord("!wf skip the wait in stream_start", owner)
    await scene_is(air, "Main")

    assert await eye.colors() == (pytest.approx(BLUE, abs=4), pytest.approx(RED, abs=4))
    assert air.twitch.made("PATCH", "channels")[0].body == {"title": "Friday fun", "game_id": "509660"}
    assert await status_of(air, "stream_start") == "completed"


async def test_a_raid_is_prepared_told_and_sent_and_ends_the_stream(air: OnAir, eye: Eye, studio: Studio):
    sink = Sink(studio)
    try:
        owner = air.discord.owner
        await air.in_discord("!wf create golive: start streaming", owner)
        await air.in_discord("!wf run golive", owner)
        assert await status_of(air, "golive") == "completed"
        assert (await eye.connection.ask("GetStreamStatus"))["outputActive"]
        await air.in_discord("!wf run raid_workflow with raid_target=ninja", owner)
        await scene_is(air, "Raid Screen")
        assert await eye.colors() == (pytest.approx(BLUE, abs=4), BLACK)
        await air.twitch.until(lambda: "We're raiding ninja in 30 seconds! Get ready!" in air.said())
        await air.in_discord("!wf skip the wait in raid_workflow", owner)
        await air.twitch.until(lambda: air.twitch.made("POST", "raids"))
        assert await status_of(air, "raid_workflow") == "completed"
        assert not (await eye.connection.ask("GetStreamStatus"))["outputActive"]
    finally:
        sink.close()
    assert {stream["codec_type"] for stream in probed(sink.file)["streams"]} == {"video", "audio"}


async def test_what_obs_has_is_known_in_sentences_and_what_happens_there_starts_workflows(air: OnAir, eye: Eye):
    owner = air.discord.owner
    made = await air.in_discord('!wf when the recording starts, mute mic and say "recording"', owner)
    assert 'mute "Mic"' in made
    made = await air.in_discord("!wf create cosy: turn on the filter grey of background", owner)
    assert 'turn on the filter "Grey" of "Background"' in made
    await air.in_discord("!wf run cosy", owner)
    await eye.connection.ask("StartRecord")
    await air.twitch.until(lambda: "recording" in air.said())

    assert (await eye.connection.ask("GetInputMute", {"inputName": "Mic"}))["inputMuted"] is True
    found = await eye.connection.ask("GetSourceFilter", {"sourceName": "Background", "filterName": "Grey"})
    assert found["filterEnabled"] is True
