"""What the steps of the guided set-up work with: somebody to ask, and where what they say is kept. It knows no platform."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from bot import config
from bot.config import Settings
from bot.tokens import TokenFile
from engine.ports import Batch, Store


class Console(Protocol):
    """How the set-up talks to a person."""

    def say(self, line: str) -> None:
        """Show a line."""
        ...

    async def ask(self, question: str) -> str:
        """Ask for a line; nothing = skip."""
        ...

    async def ask_hidden(self, question: str) -> str:
        """Ask for a line that nobody may see."""
        ...

    async def confirm(self, question: str) -> bool:
        """Ask for yes or no."""
        ...

    async def unless_skipped(self, work: Awaitable[None]) -> bool:
        """Let something that takes long end, unless the person skips it; tells whether it ended."""
        ...


@dataclass(slots=True)
class Bench:
    """What the steps of a set-up work with."""

    console: Console
    store: Store
    tokens: TokenFile
    settings: Settings

    async def keep(self, key: str, value: str) -> None:
        """Keep a setting."""
        self.settings, record = config.with_value(self.settings, key, value, secret=False)
        await self.store.commit(Batch(config=[record]))


Step: TypeAlias = Callable[[Bench], Awaitable[None]]
