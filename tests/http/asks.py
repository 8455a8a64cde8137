"""Asks of the service `http`, as a workflow makes them, and a server to be asked."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.http.addresses import doors_of
from bot.http.service import HttpService
from bot.pace import Pace
from engine.execution import Effect, Result


async def ask(http: HttpService, method: str, **params: Any) -> Result:
    """What a call comes to."""

    async def begin() -> None:
        pass

    effect = Effect("e/main/s/1", "home", "e", "w", "s", "http", method, params, repeatable=method != "post")
    return await http.perform(effect, begin)


class Server:
    """Answers as the test wants, and keeps what came."""

    def __init__(self) -> None:
        self.port = 0
        self.came: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = self._hello

    async def _hello(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"main": {"temp": 21.5, "all": [1, {"name": "sun"}]}})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.came.append((request.method, request.path_qs, dict(request.headers), body))
        return await self.answer(request)

    def says(self, body: bytes, status: int = 200, **headers: str) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(body=body, status=status, headers=named)

        self.answer = answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"


def service(server: Server, within: float = 10.0, pace: Pace | None = None) -> HttpService:
    doors = doors_of([f"127.0.0.1:{server.port}"])
    return HttpService(lambda: doors, lambda: 0.0, within=within, pace=pace or Pace(1_000))
