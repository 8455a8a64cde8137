"""What tests of `ai` ask with: models on a server of their own, a budget in memory, and an effect as a workflow makes it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bot.ai.asking import Answered, Asker, Send, Wanted, loaded
from bot.ai.budget import Budget
from bot.ai.models import Model, options_of
from bot.ai.service import AiService
from bot.config import Settings
from engine.execution import Effect, Result
from engine.ports import Store
from tests.fakes_store import MemoryStore
from tests.servers.models import ModelServer

HOME = "home"
KEY = "sesame-open-42"


def settings(server: ModelServer, *names: str, **more: Any) -> Settings:
    """One model of each name on that server, the first one asked first; `more` are settings under `ai.`, dots as `__`."""
    named = names or ("local",)
    values: dict[str, Any] = {"ai.models": ",".join(named), "ai.timeout": 10}
    values |= {f"ai.model.{name}.url": server.url for name in named}
    values |= {f"ai.{key.replace('__', '.')}": value for key, value in more.items()}
    return Settings(values=values, secrets={f"ai.model.{name}.key": KEY for name in named})


class Day:
    """A date that a test turns."""

    def __init__(self) -> None:
        self.date = "2026-11-27"

    def __call__(self) -> str:
        return self.date


def asker(
    settings: Settings,
    store: Store | None = None,
    today: Callable[[], str] | None = None,
    load: Callable[[], Awaitable[Send]] = loaded,
) -> Asker:
    """Asks as these settings say."""
    budget = Budget(HOME, MemoryStore() if store is None else store, today or Day())
    return Asker(lambda: options_of(settings), budget, settings.secrets.values, load)


async def ask(asking: Asker, **params: Any) -> Result:
    """What a step comes to."""

    async def begin() -> None:
        pass

    effect = Effect("e/main/s/1", HOME, "e", "w", "s", "ai", "ask", {"prompt": "greet them", **params}, repeatable=True)
    return await AiService(asking).perform(effect, begin)


class Crowd:
    """Stands for what sends: answers late, and counts how many are asked at once."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def load(self) -> Send:
        """There is nothing to load."""
        return self

    async def __call__(self, model: Model, wanted: Wanted, within: float) -> Answered:
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(10):
            await asyncio.sleep(0)
        self.now -= 1
        return Answered("hello", 10)
