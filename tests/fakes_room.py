"""A room in which people talk to the bot: the real conversation, language and runner, on a store in memory and virtual time."""

import itertools
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.config import tables_folder
from bot.conversation import Conversation
from bot.happenings import chat_event, event, user_fields
from bot.message import Message, Place, Platform, Reply
from bot.rewording import Rewriter
from bot.services.declared import DECLARATIONS
from bot.services.internal import InternalService
from bot.services.simulated import FailurePlan, simulated_services
from engine.clock import VirtualClock
from engine.execution import Person
from engine.runner import Attempt, Runner
from grammar.language import Language
from grammar.workspace import LiveNames
from tests.fakes_store import MemoryStore

HOME = "home"
LANGUAGE = Language(DECLARATIONS, tables_folder())


class BrokenSettings(dict[str, Any]):
    """Settings that cannot be looked at, for a reason nobody foresaw."""

    def items(self) -> Any:
        raise RuntimeError("what nobody foresaw")


@dataclass(frozen=True)
class Said:
    """What a message came to."""

    replies: tuple[Reply, ...]
    chat: bool = False

    @property
    def kind(self) -> str:
        """The kind of the only reply, or of the first."""
        return self.replies[0].kind if self.replies else "silence"

    @property
    def text(self) -> str:
        """Everything said."""
        return "\n".join(reply.text for reply in self.replies)

    @property
    def joined(self) -> str:
        """Everything said, as one text."""
        return "".join(reply.text for reply in self.replies)

    @property
    def canonical(self) -> str | None:
        """The canonical words, whichever reply holds them."""
        return next((reply.canonical for reply in self.replies if reply.canonical is not None), None)


@dataclass
class Room:
    """People, a bot, and what it did."""

    store: MemoryStore = field(default_factory=MemoryStore)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(1_800_000_000.0))
    config: dict[str, Any] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    plan: FailurePlan = field(default_factory=lambda: FailurePlan(DECLARATIONS))
    rewriter: Rewriter | None = None

    async def open(self) -> "Room":
        services = (
            *simulated_services(DECLARATIONS, self.plan),
            InternalService(lambda: 0.5, logging.getLogger("room"), lambda _: None, lambda: 0.0),
        )
        self.runner = Runner(
            self.store, services, self.clock, ids=self.id, chance=lambda: 0.5, on_attempt=self.attempts.append
        )
        await self.runner.open(HOME)
        self.conversation = Conversation(
            community=HOME,
            language=LANGUAGE,
            runner=self.runner,
            store=self.store,
            clock=self.clock,
            ids=self.id,
            declarations=DECLARATIONS,
            names=LiveNames,
            config=lambda: self.config,
            zone=lambda: "UTC",
            rewriter=self.rewriter,
        )
        await self.conversation.open()
        return self

    async def close(self) -> None:
        await self.runner.close()

    async def restarted(self) -> "Room":
        """The same room after the process has ended and started again."""
        await self.close()
        return await Room(self.store.reopen(), self.clock, self.config, self.attempts, self.numbers, self.plan).open()

    def id(self) -> str:
        return f"id-{next(self.numbers)}"

    async def say(
        self,
        text: str,
        who: str = "mo",
        roles: Sequence[str] = ("moderator",),
        platform: Platform = "twitch",
        channel: str = "",
    ) -> Said:
        """Somebody types something; what follows at once has happened when this returns."""
        author = Person(who, platform, tuple(roles))
        message = Message(self.id(), text, author, Place(platform, channel), self.clock.now())
        if not await self.conversation.wants(message):
            await self.runner.post(chat_event(message, HOME))
            await self.runner.quiescent()
            return Said((), chat=True)
        replies = await self.conversation.handle(message)
        await self.runner.quiescent()
        return Said(tuple(replies))

    async def happens(self, name: str, who: str = "ninja", **fields: Any) -> None:
        """Something happens on the stream."""
        payload = {"user": user_fields(who, ()), **fields}
        await self.runner.post(event(name, payload, id=self.id(), at=self.clock.now(), community=HOME))
        await self.runner.quiescent()

    async def wait(self, seconds: float) -> None:
        """Time goes by."""
        await self.clock.advance_to(self.clock.now() + seconds, self.runner.quiescent)

    def did(self) -> list[str]:
        """What services were asked to do since the last time this was asked."""
        found = [f"{attempt.effect.service}.{attempt.effect.method}" for attempt in self.attempts]
        self.attempts.clear()
        return found
