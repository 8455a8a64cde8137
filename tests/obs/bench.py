"""The obs service on a supervised connection to a real OBS, with a bot that only writes down, and a second hand on OBS."""

import asyncio
import itertools
import random
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.config import Settings, with_record, with_value
from bot.obs.connection import Connection
from bot.obs.options import HOST, PORT
from bot.obs.platform import PASSWORD, ObsPlatform
from bot.services.declared import DECLARATIONS
from bot.snapshots import Snapshots
from bot.supervise import Supervisor, supervised
from bot.tokens import Token, TokenFile
from engine.clock import SystemClock
from engine.events import Event
from engine.execution import Done, Effect, Failed, Result
from engine.ports import ConfigRecord
from tests.obs import studio as real
from tests.obs.studio import Studio

COMMUNITY = "home"


class House:
    """A bot that only writes down what it is told."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self.events: list[Event] = []
        self._numbers = itertools.count()

    def ids(self) -> str:
        """The next id."""
        return f"id-{next(self._numbers)}"

    def local(self, moment: float) -> datetime:
        """A moment, in UTC."""
        return datetime.fromtimestamp(moment, UTC)

    async def happen(self, event: Event) -> None:
        """Write down an event."""
        self.events.append(event)

    async def set(self, changed: tuple[Settings, ConfigRecord]) -> None:
        """Know a setting."""
        self.settings = with_record(self.settings, changed[1])


@dataclass
class Opening:
    """What a bot begins with."""

    folder: Path
    settings: Settings
    notices: list[str] = field(default_factory=list)
    clock: SystemClock = field(default_factory=SystemClock)

    @property
    def notice(self) -> Callable[[str], None]:
        """Writes down what people are told."""
        return self.notices.append


@dataclass
class Bench:
    """The service on a supervised connection to OBS, and a second hand on OBS that sets up and looks."""

    studio: Studio
    house: House
    opening: Opening
    platform: ObsPlatform
    supervisor: Supervisor
    hand: Connection | None
    snapshots: Snapshots
    begun: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def ask(self, request: str, **data: Any) -> dict[str, Any]:
        """Ask OBS directly, over a connection of the test's own."""
        if self.hand is None or not self.hand._client.identified:
            self.hand = await _hand(self.studio)
        return await self.hand.ask(request, data or None)

    def effect(self, method: str, **params: Any) -> Effect:
        """What the service is asked for."""
        found = DECLARATIONS.find("obs", method)
        assert found is not None
        id = f"run{next(self._numbers)}/main/step/1"
        return Effect(
            id, COMMUNITY, id.split("/")[0], "flow", "step", "obs", method, params, repeatable=found.repeatable
        )

    async def perform(self, effect: Effect) -> Result:
        """Let the service do it."""

        async def begin() -> None:
            if effect.id not in self.begun:
                self.begun.append(effect.id)

        return await self.platform.service.perform(effect, begin)

    async def do(self, method: str, **params: Any) -> Result:
        """Let the service do something."""
        return await self.perform(self.effect(method, **params))

    async def done(self, method: str, **params: Any) -> Mapping[str, Any]:
        """Let the service do something that has to be done: what came of it."""
        result = await self.do(method, **params)
        assert isinstance(result, Done), result
        return result.output or {}

    async def failed(self, method: str, **params: Any) -> Failed:
        """Let the service do something that has to fail: how it did."""
        result = await self.do(method, **params)
        assert isinstance(result, Failed), result
        return result

    async def set(self, key: str, value: str) -> None:
        """Change a setting."""
        await self.house.set(with_value(self.house.settings, key, value, secret=False))

    def told(self, name: str) -> list[Mapping[str, Any]]:
        """What has happened of one kind."""
        return [event.payload for event in self.house.events if event.name == name]

    async def until(self, holds: Callable[[], Any], within: float = 20.0) -> Any:
        """Wait until something holds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        while not (found := holds()):
            assert loop.time() < end, f"it did not come to that in time; told: {[e.name for e in self.house.events]}"
            await asyncio.sleep(0.02)
        return found

    async def up(self) -> None:
        """Wait until it is connected."""
        await self.until(lambda: self.supervisor.standing.up)

    async def down(self) -> None:
        """Wait until it is not."""
        await self.until(lambda: not self.supervisor.standing.up)


@asynccontextmanager
async def benched(
    studio: Studio,
    folder: Path,
    *,
    password: str = real.PASSWORD,
    pulse: float = 10.0,
    pulse_within: float = 10.0,
    hand: bool = True,
) -> AsyncIterator[Bench]:
    """A bench, whether or not OBS is there."""
    settings = with_value(Settings(), PORT, studio.port, secret=False)[0]
    settings = with_value(settings, HOST, "127.0.0.1", secret=False)[0]
    tokens = TokenFile.open(folder)
    tokens.put(PASSWORD, Token(password))
    opening, house = Opening(folder, settings), House(settings)
    platform = ObsPlatform(opening, tokens, pulse, pulse_within)
    supervisor = platform.supervisor(house)
    supervisor._chance = random.Random(1).random
    supervisor._sleep = _nap
    other = await _hand(studio) if hand else None
    async with supervised([supervisor]):
        try:
            yield Bench(studio, house, opening, platform, supervisor, other, Snapshots(folder / "snapshots"))
        finally:
            if other is not None:
                await other.close()


async def _nap(seconds: float) -> None:
    await asyncio.sleep(0.05)


async def _hand(studio: Studio) -> Connection:
    return await Connection.open(f"ws://127.0.0.1:{studio.port}", real.PASSWORD, lambda *_: None, 30.0)


class Stuck(Exception):
    """OBS cannot be put back any more."""


async def put_back(studio: Studio) -> None:
    """Put everything back that tests change.

    Raises:
        Stuck: OBS does not end what it does.
    """
    hand = await _hand(studio)
    try:
        await _as_at_the_start(hand)
    finally:
        await hand.close()


async def _as_at_the_start(hand: Connection) -> None:
    for status, stop in (
        ("GetStreamStatus", "StopStream"),
        ("GetRecordStatus", "StopRecord"),
        ("GetReplayBufferStatus", "StopReplayBuffer"),
    ):
        if (await hand.ask(status))["outputActive"]:
            await hand.ask(stop)
            for _ in range(250):
                if not (await hand.ask(status))["outputActive"]:
                    break
                await asyncio.sleep(0.02)
            else:
                raise Stuck(status)
    for request, data in _STARTING_POINT:
        await hand.ask(request, data)
    await asyncio.gather(*(_scene_as_at_the_start(hand, scene) for scene in ("Starting Soon", "Main", "Raid Screen")))


async def _scene_as_at_the_start(hand: Connection, scene: str) -> None:
    plain = {"positionX": 0.0, "positionY": 0.0, "scaleX": 1.0, "scaleY": 1.0, "rotation": 0.0}
    for item in (await hand.ask("GetSceneItemList", {"sceneName": scene}))["sceneItems"]:
        there = {"sceneName": scene, "sceneItemId": item["sceneItemId"]}
        await hand.ask("SetSceneItemEnabled", {**there, "sceneItemEnabled": True})
        await hand.ask("SetSceneItemTransform", {**there, "sceneItemTransform": plain})


_STARTING_POINT: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("SetStudioModeEnabled", {"studioModeEnabled": False}),
    ("SetCurrentSceneTransition", {"transitionName": "Cut"}),
    ("SetCurrentProgramScene", {"sceneName": "Starting Soon"}),
    ("SetInputMute", {"inputName": "Mic", "inputMuted": False}),
    ("SetInputVolume", {"inputName": "Mic", "inputVolumeMul": 1.0}),
    ("SetInputSettings", {"inputName": "Title", "inputSettings": {"text": "hello"}}),
    ("SetInputSettings", {"inputName": "Logo", "inputSettings": {"file": ""}}),
    ("SetSourceFilterEnabled", {"sourceName": "Background", "filterName": "Grey", "filterEnabled": False}),
    (
        "SetSourceFilterSettings",
        {"sourceName": "Background", "filterName": "Grey", "filterSettings": {"saturation": -1.0}},
    ),
)


def pixel(png: bytes, x: int, y: int) -> tuple[int, int, int]:
    """Red, green and blue at one place of a picture."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        "-",
        "-vf",
        f"crop=1:1:{x}:{y}",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]
    red, green, blue = subprocess.run(command, input=png, capture_output=True, check=True, timeout=30).stdout[:3]
    return red, green, blue
