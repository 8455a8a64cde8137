"""What the web server answers, route by route. What it tells and whom it tells comes in as `Inside`."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.pace import Pace
from bot.web.guard import Asked, denied
from bot.web.options import Options
from bot.web.signed import NotGenuine, judge
from engine.storable import size_of

log = logging.getLogger(__name__)

MAX_BODY: Final = 64_000
MAX_KEPT: Final = 32_000
"""Bytes of JSON that an event may have of a body."""
BODY_WITHIN: Final = 10.0
"""Seconds a body may take to come."""
_METRICS: Final = "text/plain; version=0.0.4; charset=utf-8"
_ALWAYS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

Taken: TypeAlias = Literal["new", "known"]


@dataclass(frozen=True, slots=True)
class Inside:
    """What of the bot the web server needs.

    Attributes:
        options: As they are set now.
        now: UTC seconds.
        hooked: Told of a webhook's name, its id and what it says; tells whether it was known already.
        healthy: Tells whether the bot works, and how its platforms stand.
        numbers: Everything measured, as text.
    """

    options: Callable[[], Options]
    now: Callable[[], float]
    hooked: Callable[[str, str, Any], Awaitable[Taken]]
    healthy: Callable[[], Awaitable[tuple[bool, Mapping[str, Any]]]]
    numbers: Callable[[], str]


def application(inside: Inside, routers: Sequence[APIRouter] = (), pace: Pace | None = None) -> ASGIApp:
    """The web server as an application, with routes of others beside its own."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    pace = pace or Pace(burst=30, a_second=2)

    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        well, said = await inside.healthy()
        return JSONResponse(dict(said), 200 if well else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(inside.numbers(), media_type=_METRICS)

    @app.post("/hooks/{name}")
    async def hook(name: str, request: Request) -> Response:
        return await _hooked(inside, pace, name, request)

    for router in routers:
        app.include_router(router)
    return _Guarded(app, inside.options)


# Webhooks ----------------------------------------------------------------------------------------------------------------


async def _hooked(inside: Inside, pace: Pace, name: str, request: Request) -> Response:
    try:
        async with asyncio.timeout(BODY_WITHIN):
            body = await _body(request)
    except TimeoutError:
        return PlainTextResponse("That took too long.", 408)
    if body is None:
        return PlainTextResponse(f"A webhook may have {MAX_BODY:,} bytes.", 413)
    found = judge(request.headers, body, inside.options().hooks.get(name), inside.now())
    if isinstance(found, NotGenuine):
        log.warning("a webhook was refused: %s", found.why)
        return PlainTextResponse(f"Not taken: {found.why}.", 401)
    if wait := pace.take(name, inside.now()):
        return PlainTextResponse("Too many.", 429, {"Retry-After": str(int(wait) + 1)})
    said = said_in(body)
    size = size_of(said)
    if size is None:
        return PlainTextResponse("There is something in it that cannot be kept.", 400)
    if size > MAX_KEPT:
        return PlainTextResponse(f"What it says may have {MAX_KEPT:,} bytes.", 413)
    match await inside.hooked(name, found.id, said):
        case "new":
            return JSONResponse({"status": "accepted"}, 202)
        case "known":
            return JSONResponse({"status": "known already, so nothing happened"}, 409)


async def _body(request: Request) -> bytes | None:
    """All of a body; None if it is too long."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > MAX_BODY:
            return None
    return bytes(read)


def said_in(body: bytes) -> Any:
    """What a body says: JSON as values, anything else as a text."""
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


# The door ----------------------------------------------------------------------------------------------------------------


class _Guarded:
    """Lets in who may be let in, and puts what every answer has on it."""

    def __init__(self, app: ASGIApp, options: Callable[[], Options]) -> None:
        self._app = app
        self._options = options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        options, headers = self._options(), Headers(scope=scope)
        given = QueryParams(scope["query_string"]).get("token", "")
        asked = Asked(scope["method"], scope["path"], headers, given)
        refusal = denied(asked, port=options.port, names=options.names, token=options.token)
        if refusal is not None:
            await PlainTextResponse(refusal.why, refusal.status, _ALWAYS)(scope, receive, send)
            return

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                named = [(name.lower().encode(), value.encode()) for name, value in _ALWAYS.items()]
                message["headers"] = [*message["headers"], *named]
            await send(message)

        await self._app(scope, receive, sent)
