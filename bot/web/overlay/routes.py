"""What the overlay's page asks the web server: itself, its line, its files; and what it tells of what it has shown."""

import asyncio
import contextlib
import json
import re
import secrets
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from bot.web.overlay.media import Media
from bot.web.overlay.pages import Pages

_PAGE: Final = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
_BEAT: Final = 15.0
"""Seconds after which something is sent so that both sides notice a dead line."""
_RETRY: Final = 1_000
"""Milliseconds after which a page comes back."""
_NAME: Final = re.compile(r"[a-f0-9]{8,64}")
MAX_IDS: Final = 200


class Told(BaseModel):
    """What a page tells of one thing it was sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: str = Field(max_length=64)
    id: str = Field(max_length=500)
    why_not: str | None = Field(default=None, max_length=300)


class Remembered(BaseModel):
    """What a page tells of itself before it asks for its line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: str = Field(max_length=64)
    shown: list[Annotated[str, Field(max_length=500)]] = Field(default_factory=list, max_length=MAX_IDS)


def routes(pages: Pages, media: Media) -> APIRouter:
    """The routes below `/overlay`, to which the door lets only who has the token."""
    router = APIRouter(prefix="/overlay")
    remembered: dict[str, tuple[str, ...]] = {}

    @router.get("")
    async def page() -> Response:
        nonce = secrets.token_urlsafe(16)
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; "
            "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return HTMLResponse(_PAGE.replace("{nonce}", nonce), headers={"Content-Security-Policy": policy})

    @router.post("/hello")
    async def hello(told: Remembered) -> Response:
        remembered.pop(told.page, None)
        remembered[told.page] = tuple(told.shown)
        while len(remembered) > MAX_IDS:
            del remembered[next(iter(remembered))]
        return Response(status_code=204)

    @router.get("/events")
    async def events(page: Annotated[str, Query(max_length=64)]) -> Response:
        if not _NAME.fullmatch(page):
            return PlainTextResponse("That is no page.", 400)
        line = pages.line(page, remembered.pop(page, ()))
        return StreamingResponse(_events(line), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    @router.post("/told")
    async def told(told: Told) -> Response:
        pages.said(told.page, told.id, told.why_not)
        return Response(status_code=204)

    @router.get("/media/{file}")
    async def medium(file: str) -> Response:
        found = await asyncio.to_thread(media.file, file)
        if found is None:
            return PlainTextResponse("There is no such file.", 404)
        return FileResponse(found.path, media_type=found.type)

    return router


async def _events(line: AsyncGenerator[Mapping[str, Any], None]) -> AsyncGenerator[str, None]:
    """A line as the browser reads it, with a beat while nothing is sent."""
    yield f"retry: {_RETRY}\n: here\n\n"
    coming: asyncio.Future[Mapping[str, Any]] = asyncio.ensure_future(anext(line))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=_BEAT)
            if not done:
                yield ": beat\n\n"
                continue
            yield f"data: {json.dumps(coming.result())}\n\n"
            coming = asyncio.ensure_future(anext(line))
    except StopAsyncIteration:
        return
    finally:
        coming.cancel()
        with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
            await coming
        await line.aclose()
