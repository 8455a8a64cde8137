"""A web server on a port of this machine, with a bot behind it that only remembers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from bot.pace import Pace
from bot.web.options import Options
from bot.web.server import Inside, Taken, application
from bot.web.serving import listening, serve

NOW = 1_800_000_000.0


@dataclass
class Behind:
    """What stands behind the server."""

    now: float = NOW
    well: bool = True
    options: Options = field(default_factory=Options)
    heard: list[tuple[str, str, Any]] = field(default_factory=list)

    async def hooked(self, name: str, id: str, said: Any) -> Taken:
        known = any((name, id) == each[:2] for each in self.heard)
        self.heard.append((name, id, said))
        return "known" if known else "new"

    async def healthy(self) -> tuple[bool, Mapping[str, Any]]:
        return self.well, {"status": "ok" if self.well else "ill"}


class Served:
    """The server, and a client that asks it as the test wants."""

    def __init__(self, behind: Behind, port: int, session: aiohttp.ClientSession) -> None:
        self.behind = behind
        self.port = port
        self._session = session

    async def ask(
        self, verb: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, str, Mapping[str, str]]:
        """Status, text and headers of an answer."""
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self._session.request(verb, url, headers=headers or {}, data=body) as answer:
            return answer.status, await answer.text(), answer.headers


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    behind = Behind()
    listener = listening(0)
    port = listener.getsockname()[1]
    behind.options = Options(True, port, ("hooks.example.com",), "open-sesame", {"gifts": "s3cret-of-gifts"})
    inside = Inside(lambda: behind.options, lambda: behind.now, behind.hooked, behind.healthy, lambda: "up 1\n")
    serving = asyncio.create_task(serve(application(inside, pace=Pace(burst=5, a_second=0.001)), listener))
    async with aiohttp.ClientSession() as session:
        yield Served(behind, port, session)
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
