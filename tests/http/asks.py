"""Asks of the service `http`, as a workflow makes them."""

from typing import Any

from bot.http.service import HttpService
from engine.execution import Effect, Result


async def ask(http: HttpService, method: str, **params: Any) -> Result:
    """What a call comes to."""

    async def begin() -> None:
        pass

    effect = Effect("e/main/s/1", "home", "e", "w", "s", "http", method, params, repeatable=method != "post")
    return await http.perform(effect, begin)
