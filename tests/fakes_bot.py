"""A bot that remembers what it was told and does nothing else."""

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

from bot.app import Heard, OnlyVirtual
from bot.config import Settings
from bot.message import Message
from bot.services.declared import DECLARATIONS
from bot.services.simulated import FailurePlan
from engine.clock import VirtualClock
from engine.errors import StoreUnwritable
from engine.events import Event
from engine.ports import ConfigRecord
from engine.runner import Posted

NOON = 1_795_262_400.0  # 2026-11-21T12:00Z


class FakeBot:
    """What a session needs of a bot.

    Attributes:
        full: Whether nothing can be stored.
        broken: Whether everything goes wrong in a way nobody foresaw.
    """

    def __init__(self, *, virtual: bool = True) -> None:
        self.settings = Settings(zone="UTC")
        self.clock = VirtualClock(NOON)
        self.plan = FailurePlan(DECLARATIONS)
        self.messages: list[Message] = []
        self.events: list[Event] = []
        self.records: list[ConfigRecord] = []
        self.virtual = virtual
        self.full = False
        self.broken = False
        self._ids: Iterator[int] = count(1)

    def ids(self) -> str:
        """`id1`, `id2` and so on."""
        return f"id{next(self._ids)}"

    @property
    def zone(self) -> ZoneInfo:
        """The community's zone."""
        return ZoneInfo(self.settings.zone or "UTC")

    def local(self, moment: float) -> datetime:
        """A moment there."""
        return datetime.fromtimestamp(moment, self.zone)

    async def hear(self, message: Message) -> Heard:
        """Remember a message."""
        self._may_fail()
        self.messages.append(message)
        return Heard()

    async def happen(self, event: Event) -> Posted:
        """Remember an event."""
        self._may_fail()
        self.events.append(event)
        return Posted(event, duplicate=False)

    async def set(self, changed: tuple[Settings, ConfigRecord]) -> None:
        """Keep a setting."""
        self._may_fail()
        self.settings, record = changed
        self.records.append(record)

    async def advance_to(self, when: float) -> None:
        """Move time."""
        if not self.virtual:
            raise OnlyVirtual
        await self.clock.advance_to(when, _nothing_to_do)

    def _may_fail(self) -> None:
        if self.full:
            raise StoreUnwritable("the disk is full")
        if self.broken:
            raise RuntimeError("hunter22")


async def _nothing_to_do() -> None:
    """Nothing is going on in here."""
