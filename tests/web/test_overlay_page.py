"""The overlay in a real browser: what counts as done is there to be seen and heard, and nothing is shown twice."""

import asyncio
import math
import struct
import wave
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bot.web.options import Options
from bot.web.overlay.media import Media
from bot.web.overlay.pages import Pages
from bot.web.overlay.routes import routes
from bot.web.overlay.service import OverlayService
from bot.web.server import Inside, application
from bot.web.serving import listening, serve
from engine.execution import Done, Effect, Failed, Result
from tests.web.chromium import PROGRAM, WITHIN, Chromium
from tests.web.conftest import Behind

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium on this machine"),
    pytest.mark.timeout(120),
]
TOKEN = "open-sesame"


def _sound(path: Path) -> None:
    with wave.open(str(path), "wb") as made:
        made.setparams((1, 2, 8_000, 0, "NONE", "none"))
        made.writeframes(b"".join(struct.pack("<h", int(9_000 * math.sin(n / 3))) for n in range(24_000)))


def _image(path: Path) -> None:
    """Forty pixels square, all red."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\x00" + b"\xff\x00\x00" * 40) * 40)
    head = struct.pack(">IIBBBBB", 40, 40, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


class Stage:
    """A web server with an overlay, that can be ended and begun again as another bot on the same port."""

    def __init__(self, folder: Path) -> None:
        self.media = Media(folder)
        folder.mkdir()
        _sound(folder / "Air Horn.wav")
        _image(folder / "cat.png")
        (folder / "broken.png").write_bytes(b"no picture at all")
        (folder / "broken.mp3").write_bytes(b"no sound at all")
        self.port = 0
        self.number = 0
        self.pages: Pages
        self.service: OverlayService
        self._serving: asyncio.Task[None]

    async def begin(self) -> None:
        self.pages = Pages()
        self.service = OverlayService(self.pages, self.media, patience=WITHIN, answer_within=WITHIN)
        listener = listening(self.port)
        self.port = listener.getsockname()[1]
        behind = Behind(options=Options(True, self.port, (), TOKEN))
        inside = Inside(lambda: behind.options, lambda: 0.0, behind.hooked, behind.healthy, str)
        app = application(inside, [routes(self.pages, self.media)])
        self._serving = asyncio.create_task(serve(app, listener, self.pages.close))

    async def end(self) -> None:
        self._serving.cancel()
        with suppress(asyncio.CancelledError):
            await self._serving

    def effect(self, method: str, id: str | None = None, **params: Any) -> Effect:
        self.number += 1
        return Effect(id or f"e{self.number}/main/s/1", "home", "e", "w", "s", "overlay", method, params, False)

    async def do(self, method: str, id: str | None = None, **params: Any) -> Result:
        async def begin() -> None:
            pass

        return await self.service.perform(self.effect(method, id, **params), begin)

    @property
    def link(self) -> str:
        return f"http://127.0.0.1:{self.port}/overlay?token={TOKEN}"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = Stage(tmp_path / "media")
    await made.begin()
    yield made
    await made.end()


@pytest.fixture
async def browser(stage: Stage, tmp_path: Path) -> AsyncIterator[Chromium]:
    async with Chromium(tmp_path / "profile") as opened:
        await opened.open(stage.link)
        yield opened


def seen(part: str) -> str:
    """Code for whether a part of the page is there to be seen."""
    element = f"document.getElementById('{part}')"
    return f"getComputedStyle({element}).visibility === 'visible' && {element}.getBoundingClientRect().width > 0"


async def test_what_is_done_is_there_to_be_seen_and_goes_again(stage: Stage, browser: Chromium) -> None:
    assert await stage.do("show_text", text="Welcome <b>ninja</b>\nto the show", seconds=600) == Done()
    assert await browser.look(seen("text"))
    assert await browser.look("document.getElementById('text').innerText") == "Welcome <b>ninja</b>\nto the show"
    assert await browser.look("document.getElementById('text').children.length") == 0, "what viewers write is text"
    assert await stage.do("show_image", image="CAT", seconds=600) == Done()
    assert await browser.look(seen("image"))
    assert await browser.look("document.getElementById('image').naturalWidth") == 40
    assert await stage.do("show_text", text="short", seconds=0.5) == Done()
    await browser.until(f"!({seen('text')})")
    assert await stage.do("clear") == Done()
    assert not await browser.look(seen("image"))
    assert browser.complaints == []


async def test_a_sound_is_done_when_it_plays(stage: Stage, browser: Chromium) -> None:
    await browser.look(
        "void (window.RealAudio = Audio, window.made = [], window.Audio = function (url) "
        "{ const sound = new RealAudio(url); made.push(sound); return sound; })"
    )
    assert await stage.do("play_sound", sound="air horn") == Done()
    assert await browser.look("made.length === 1 && !made[0].paused")
    await browser.until("made[0].currentTime > 0")
    assert await stage.do("stop_sounds") == Done()
    assert await browser.look("made[0].paused")


async def test_a_countdown_counts(stage: Stage, browser: Chromium) -> None:
    assert await stage.do("show_countdown", seconds=5_400, text="Back in") == Done()
    assert (await browser.look("document.getElementById('countdown').innerText")).startswith("Back in 01:")
    assert await stage.do("show_countdown", seconds=2) == Done()
    await browser.until("document.getElementById('countdown').innerText === '00:00'")
    await browser.until(f"!({seen('countdown')})")


async def test_alerts_come_one_after_the_other(stage: Stage, browser: Chromium) -> None:
    first = await stage.do("show_alert", text="first", image="cat", sound="air horn", seconds=5)
    assert first == Done()
    assert await browser.look(f"{seen('alert')} && {seen('alert-image')}")
    second = asyncio.create_task(stage.do("show_alert", text="second", seconds=600))
    assert await browser.look("document.getElementById('alert').innerText.trim()") == "first"
    assert await second == Done()
    assert await browser.look("document.getElementById('alert').innerText.trim()") == "second"
    waiting = asyncio.create_task(stage.do("show_alert", text="third"))
    await browser.until("alerts.length === 1")
    await stage.do("clear")
    result = await waiting
    assert isinstance(result, Failed)
    assert "before its turn" in result.message


@pytest.mark.parametrize(
    ("method", "params", "reason"),
    [("show_image", {"image": "broken"}, "cannot be read"), ("play_sound", {"sound": "broken"}, "cannot be played")],
)
async def test_what_cannot_be_shown_is_not_done(
    stage: Stage, browser: Chromium, method: str, params: dict[str, str], reason: str
) -> None:
    result = await stage.do(method, **params)
    assert isinstance(result, Failed)
    assert (result.error, result.retryable) == ("not_shown", False)
    assert reason in result.message


async def test_a_browser_that_plays_no_sounds_by_itself_says_so(stage: Stage, tmp_path: Path) -> None:
    async with Chromium(tmp_path / "silent", sounds=False) as browser:
        await browser.open(stage.link)
        result = await stage.do("play_sound", sound="air horn")
    assert isinstance(result, Failed)
    assert "lets no page play" in result.message


async def test_a_page_comes_back_by_itself_and_remembers_what_it_has_shown(stage: Stage, browser: Chromium) -> None:
    assert await stage.do("show_text", id="before/main/s/1", text="before", seconds=600) == Done()
    await stage.end()
    assert await browser.look(seen("text")), "what is shown stays while the bot is away"
    await stage.begin()
    assert await stage.service.settle(stage.effect("show_text", "before/main/s/1", text="before")) == Done()
    assert await stage.service.settle(stage.effect("show_text", "other/main/s/1", text="x")) is None
    assert await stage.do("show_text", text="after", seconds=600) == Done()
    assert await browser.look("document.getElementById('text').innerText") == "after"


async def test_without_its_token_there_is_no_page(stage: Stage, browser: Chromium) -> None:
    await browser.open(stage.link.replace(TOKEN, "guess"))
    assert "showcaller overlay" in await browser.look("document.body.innerText")
