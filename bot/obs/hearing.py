"""What OBS tells, brought to the bot: its events, in order and without those that are not true, and the names of its things.

It lives as long as one connection does. What comes faster than it can be handled is dropped and told in the log.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, Protocol

from bot import config
from bot.config import NameKind, Settings
from bot.happenings import event
from bot.obs.connection import Connection, Data
from bot.obs.errors import ObsError
from bot.obs.names import names_of
from bot.obs.wire import ITEM, STALE, event_of
from engine.errors import EngineError
from engine.events import Event
from engine.ports import Clock, ConfigRecord

log = logging.getLogger(__name__)

MOST_WAITING: Final = 1_000
CALM: Final = 0.3
"""Seconds without a further change after which names are read again: changes come in crowds."""
_OUTPUTS: Final = ("obs.stream.", "obs.recording.", "obs.replay.", "obs.camera.")
_ENDS: Final = ("started", "ended")


class House(Protocol):
    """The bot, as far as it is needed here."""

    @property
    def settings(self) -> Settings:
        """As they are now."""
        ...

    @property
    def clock(self) -> Clock:
        """The bot's."""
        ...

    def ids(self) -> str:
        """Draws an id."""
        ...

    async def happen(self, event: Event) -> Any:
        """Something happened."""
        ...

    async def set(self, changed: tuple[Settings, ConfigRecord]) -> None:
        """Keep a changed setting."""
        ...


class Hearing:
    """Hears one connection.

    Args:
        house: The bot.
        community: Whose OBS it is.
    """

    def __init__(self, house: House, community: str) -> None:
        self._house = house
        self._community = community
        self._connection: Connection | None = None
        self._waiting: deque[tuple[str, Data]] = deque()
        self._came = asyncio.Event()
        self._stale = asyncio.Event()
        self._scene = ""
        self._studio = False
        self._gone: set[str] = set()
        self._ends: dict[str, str] = {}
        self._switching = False
        self.closing = False

    def heard(self, kind: str, data: Data) -> None:
        """Take in what OBS tells; what it tells of things that are only taken down and set up again is left out."""
        if kind == "CurrentSceneCollectionChanging":
            self._switching = True
        elif kind == "CurrentSceneCollectionChanged":
            self._switching = False
        if self._switching or self.closing:
            return
        self.closing = kind == "ExitStarted"
        self._note_gone(kind, data)
        if kind in STALE:
            self._stale.set()
        if len(self._waiting) >= MOST_WAITING:
            log.warning("OBS tells more than can be handled; %s is dropped", kind)
            return
        self._waiting.append((kind, data))
        self._came.set()

    def _note_gone(self, kind: str, data: Data) -> None:
        """Know what is removed: OBS lists it for as long as the scene it was in is not drawn again."""
        if kind == "InputRemoved":
            self._gone.add(str(data.get("inputName")))
        elif kind in ("InputCreated", "InputNameChanged"):
            self._gone.discard(str(data.get("inputName")))
        elif kind == "CurrentSceneCollectionChanged":
            self._gone.clear()

    async def settle_in(self, connection: Connection) -> None:
        """Know what is, on a new connection.

        Raises:
            ObsError: It could not be asked.
        """
        self._connection = connection
        self._scene = str((await connection.ask("GetCurrentProgramScene"))["currentProgramSceneName"])
        self._studio = (await connection.ask("GetStudioModeEnabled")).get("studioModeEnabled") is True
        await self._learn_names()

    async def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """Let the bot know that something happened; what it does with that must not end the hearing."""
        house = self._house
        happened = event(name, fields, id=house.ids(), at=house.clock.now(), community=self._community)
        try:
            await house.happen(happened)
        except EngineError as error:
            log.warning("%s was not taken: %s", name, error)

    async def run(self) -> None:
        """Bring what is heard to the bot, one after the other, for as long as it lasts."""
        while True:
            await self._came.wait()
            await self.empty()

    async def empty(self) -> None:
        """Bring everything that waits."""
        while self._waiting:
            kind, data = self._waiting.popleft()
            found = event_of(kind, data)
            if kind == "StudioModeStateChanged":
                self._studio = data.get("studioModeEnabled") is True
            if found is not None:
                await self._bring(*found)
        self._came.clear()

    async def keep_names(self) -> None:
        """Read the names again whenever they have changed, for as long as it lasts."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            await asyncio.sleep(CALM)
            if not self._stale.is_set():
                try:
                    await self._learn_names()
                except ObsError as error:
                    log.warning("the names of things in OBS could not be read: %s", error)

    # One by one ----------------------------------------------------------------------------------------------------------

    async def _bring(self, name: str, fields: Mapping[str, Any]) -> None:
        if name == "obs.scene.changed":
            scene = str(fields["scene"])
            if not await self._is_on(scene):
                return
            fields, self._scene = {"scene": scene, "before": self._scene}, scene
        elif name.startswith(_OUTPUTS) and name.endswith(_ENDS):
            output, _, end = name.rpartition(".")
            if self._ends.get(output) == end:  # told twice
                return
            self._ends[output] = end
        if ITEM in fields:
            fields = await self._with_source(fields)
        await self.tell(name, fields)

    async def _is_on(self, scene: str) -> bool:
        """Whether that is news: on leaving studio mode OBS tells of the scene in the preview, which never was on."""
        if scene == self._scene:
            return False
        if not self._studio or self._connection is None:
            return True
        try:
            found = await self._connection.ask("GetCurrentProgramScene")
        except ObsError:
            return True
        return bool(found["currentProgramSceneName"] == scene)

    async def _with_source(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same with the name of the source in the place of its number in the scene."""
        scene, number = str(fields["scene"]), fields[ITEM]
        found: list[Mapping[str, Any]] = []
        for request in ("GetSceneItemList", "GetGroupSceneItemList"):
            try:
                found = (await self._ask(request, scene))["sceneItems"]
                break
            except ObsError:  # it is a group, or gone by now
                continue
        source = next((str(item["sourceName"]) for item in found if item["sceneItemId"] == number), "")
        return {"source": source, "scene": scene}

    async def _ask(self, request: str, scene: str) -> Mapping[str, Any]:
        if self._connection is None:
            return {"sceneItems": []}
        return await self._connection.ask(request, {"sceneName": scene})

    async def _learn_names(self) -> None:
        connection = self._connection
        if connection is None:
            return

        async def look(request: str, **data: Any) -> dict[str, Any]:
            return await connection.ask(request, data or None)

        names = await names_of(look)
        found: Mapping[NameKind, tuple[str, ...]] = {
            "scenes": names.scenes,
            "sources": tuple(name for name in names.sources if name not in self._gone),
            "filters": names.filters,
        }
        for kind, there in found.items():
            if there != getattr(self._house.settings.names, kind):
                await self._house.set(config.with_names(self._house.settings, kind, there))
