"""What the overlay's service promises, with pages that say what the test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.web.options import Options
from bot.web.overlay.media import MAX_SIZE, Media
from bot.web.overlay.pages import MOST_PAGES, MOST_WAITING, NotShown, Pages, Shown, Silence
from bot.web.overlay.routes import routes
from bot.web.overlay.service import NO_PAGE, OverlayService
from bot.web.server import Inside, application
from bot.web.serving import listening, serve
from engine.execution import Done, Effect, Failed, Result, Unknown
from tests.web.conftest import Behind

A, B = "aaaaaaaa", "bbbbbbbb"


class Page:
    """A page with a line, that keeps what it is sent."""

    def __init__(self, pages: Pages, name: str = A, *shown: str) -> None:
        self.pages = pages
        self.name = name
        self.came: list[Any] = []
        self._more = asyncio.Event()
        self._line = asyncio.create_task(self._listen(shown))

    async def _listen(self, shown: tuple[str, ...]) -> None:
        async for sent in self.pages.line(self.name, shown):
            self.came.append(sent)
            self._more.set()

    async def sent(self, count: int = 1) -> None:
        async with asyncio.timeout(5):
            while len(self.came) < count:
                self._more.clear()
                await self._more.wait()

    def says(self, why_not: str | None = None) -> None:
        self.pages.said(self.name, self.came[-1]["id"], why_not)

    async def over(self) -> None:
        await asyncio.wait_for(self._line, 5)

    async def leave(self) -> None:
        self._line.cancel()
        with suppress(asyncio.CancelledError):
            await self._line


@pytest.fixture
def media(tmp_path: Path) -> Media:
    folder = tmp_path / "media"
    folder.mkdir()
    for name in ("airhorn.mp3", "Cat.PNG", "evil.svg", "notes.txt"):
        (folder / name).write_bytes(b"x")
    (tmp_path / "secret.png").write_bytes(b"secret")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    return Media(folder)


def effect(method: str, id: str = "e/main/s/1", **params: Any) -> Effect:
    return Effect(id, "home", "e", "w", "s", "overlay", method, params, repeatable=False)


class Asking:
    """Asks of the service, as the engine makes them."""

    def __init__(self, pages: Pages, media: Media, patience: float = 5, answer_within: float = 5) -> None:
        self.service = OverlayService(pages, media, patience=patience, answer_within=answer_within)
        self.begun = 0

    async def _begin(self) -> None:
        self.begun += 1

    def do(self, method: str, id: str = "e/main/s/1", **params: Any) -> "asyncio.Task[Result]":
        return asyncio.create_task(self.service.perform(effect(method, id, **params), self._begin))


async def test_it_is_done_when_a_page_says_so_and_not_before(media: Media) -> None:
    pages = Pages()
    asking, page = Asking(pages, media), Page(pages)
    result = asking.do("show_text", text="hi", seconds=5)
    await page.sent()
    assert page.came == [{"id": "e/main/s/1", "show": "text", "text": "hi", "seconds": 5.0}]
    assert (asking.begun, result.done()) == (1, False)
    page.says()
    assert await result == Done()
    await page.leave()


async def test_of_what_no_page_speaks_the_outcome_is_unknown(media: Media) -> None:
    pages = Pages()
    asking, page = Asking(pages, media, answer_within=0.05), Page(pages)
    assert isinstance(await asking.do("show_text", text="hi"), Unknown)
    await page.leave()


async def test_without_a_page_nothing_begins_and_it_may_be_tried_again(media: Media) -> None:
    asking = Asking(Pages(), media, patience=0.02)
    assert await asking.do("show_text", text="hi") == NO_PAGE
    assert NO_PAGE.retryable
    assert asking.begun == 0


async def test_one_waits_for_a_page_that_is_about_to_come(media: Media) -> None:
    pages = Pages()
    result = Asking(pages, media).do("play_sound", sound="AIRHORN")
    page = Page(pages)
    await page.sent()
    page.says()
    assert await result == Done()
    await page.leave()


async def test_one_page_that_shows_it_is_enough_and_only_all_together_fail() -> None:
    pages = Pages()
    first, second = Page(pages, A), Page(pages, B)
    await asyncio.sleep(0)
    showing = asyncio.create_task(pages.show("x", {}, 5))
    await asyncio.gather(first.sent(), second.sent())
    first.says("no sound here")
    second.says()
    assert await showing == Shown()
    showing = asyncio.create_task(pages.show("y", {}, 5))
    await asyncio.gather(first.sent(2), second.sent(2))
    first.says("no")
    first.says()
    second.says("neither")
    assert await showing == NotShown("neither"), "who has said no is not asked again"
    await asyncio.gather(first.leave(), second.leave())


async def test_a_page_that_comes_back_is_sent_what_it_owes_and_a_new_one_is_not() -> None:
    pages = Pages()
    first = Page(pages, A)
    await asyncio.sleep(0)
    showing = asyncio.create_task(pages.show("x", {"show": "text"}, 5))
    await first.sent()
    await first.leave()
    stranger, again = Page(pages, B), Page(pages, A)
    await again.sent()
    assert again.came == first.came
    assert stranger.came == []
    again.says()
    assert await showing == Shown()
    await asyncio.gather(stranger.leave(), again.leave())
    later = Page(pages, A)
    await asyncio.sleep(0.01)
    assert later.came == [], "what is over is not sent again"
    await later.leave()


async def test_a_page_of_before_tells_what_it_has_shown(media: Media) -> None:
    pages = Pages()
    asking, page = Asking(pages, media), Page(pages, A, "old/main/s/1")
    assert await asking.service.settle(effect("play_sound", "old/main/s/1", sound="airhorn")) == Done()
    assert await asking.service.settle(effect("play_sound", "new/main/s/1", sound="airhorn")) is None
    await page.leave()


async def test_a_page_that_does_not_keep_up_is_let_go_and_costs_nobody_else_anything() -> None:
    pages = Pages()
    line = pages.line(A, ())
    coming = asyncio.ensure_future(anext(line))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(pages.show(str(number), {}, 0.05)) for number in range(MOST_WAITING + 5)]
    assert set(await asyncio.gather(*waiting)) == {Silence()}
    await coming
    left = 0
    async for _ in line:
        left += 1
    assert left < MOST_WAITING
    assert pages.open == 0


async def test_there_are_never_more_pages_than_may_be() -> None:
    pages = Pages()
    made = [Page(pages, f"{number:08x}") for number in range(MOST_PAGES + 1)]
    await made[0].over()
    assert pages.open == MOST_PAGES
    pages.close()
    await asyncio.gather(*(page.over() for page in made))
    assert pages.open == 0


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("play_sound", {"sound": "nothing"}, "not_found"),
        ("play_sound", {"sound": "cat"}, "not_found"),
        ("show_image", {"image": "airhorn"}, "not_found"),
        ("show_image", {"image": "evil"}, "not_found"),
        ("show_image", {"image": "link"}, "not_found"),
        ("show_image", {"image": "../secret.png"}, "not_found"),
        ("show_alert", {"text": "hi", "sound": "nothing"}, "not_found"),
        ("show_text", {"text": "  "}, "wrong_param"),
        ("show_text", {"text": "x" * 501}, "wrong_param"),
        ("show_text", {"text": "hi", "seconds": 0}, "wrong_param"),
        ("show_text", {"text": "hi", "seconds": 90_000}, "wrong_param"),
        ("dance", {}, "unknown_method"),
    ],
)
async def test_what_cannot_be_shown_never_begins(media: Media, method: str, params: dict[str, Any], error: str) -> None:
    pages = Pages()
    asking, page = Asking(pages, media), Page(pages)
    result = await asking.do(method, **params)
    assert isinstance(result, Failed)
    assert (result.error, asking.begun, page.came) == (error, 0, [])
    await page.leave()


async def test_every_method_is_something_the_page_knows(media: Media) -> None:
    pages = Pages()
    asking, page = Asking(pages, media), Page(pages)
    given = {"sound": "airhorn", "text": "hi", "image": "cat", "seconds": 5}
    script = (Path(routes.__code__.co_filename).parent / "page.html").read_text(encoding="utf-8")
    for number, method in enumerate(asking.service.methods):
        result = asking.do(method.name, f"{number}", **given)
        await page.sent(number + 1)
        page.says()
        assert await result == Done(), method.key
        show = page.came[-1]["show"]
        assert f"  {show}: " in script or f"  {show}," in script, f"the page does not know {show}"
    await page.leave()


# Over the network --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def url(media: Media) -> AsyncIterator[str]:
    listener = listening(0)
    port = listener.getsockname()[1]
    behind = Behind(options=Options(True, port, (), "t"))
    inside = Inside(lambda: behind.options, lambda: 0.0, behind.hooked, behind.healthy, str)
    pages = Pages()
    serving = asyncio.create_task(serve(application(inside, [routes(pages, media)]), listener, pages.close))
    yield f"http://127.0.0.1:{port}"
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def status(url: str, verb: str = "GET", **options: Any) -> int:
    async with aiohttp.ClientSession() as session, session.request(verb, url, **options) as answer:
        return answer.status


@pytest.mark.parametrize("path", ["", "/events?page=aaaaaaaa", "/media/airhorn.mp3", "/nothing"])
async def test_nothing_of_the_overlay_is_there_without_the_token(url: str, path: str) -> None:
    assert await status(f"{url}/overlay{path}") == 401
    assert await status(f"{url}/overlay{path}{'&' if '?' in path else '?'}token=x") == 401
    for told in ("hello", "told"):
        assert await status(f"{url}/overlay/{told}", "POST", json={"page": A}) == 401


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("airhorn.mp3", 200),
        ("Cat.PNG", 200),
        ("evil.svg", 404),
        ("notes.txt", 404),
        ("link.png", 404),
        ("..%2Fsecret.png", 404),
        ("%2e%2e%2fsecret.png", 404),
        ("nothing.mp3", 404),
    ],
)
async def test_only_what_lies_in_the_folder_is_handed_out(url: str, file: str, expected: int) -> None:
    async with aiohttp.ClientSession() as session:
        raw = aiohttp.client.URL(f"{url}/overlay/media/{file}?token=t", encoded=True)
        async with session.get(raw) as answer:
            assert answer.status == expected
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "body",
    [
        {"page": "x" * 65, "id": "1"},
        {"page": A, "id": "x" * 501},
        {"page": A, "id": "1", "why_not": "x" * 301},
        {"page": A, "id": "1", "more": 1},
        ["page"],
    ],
)
async def test_what_a_page_tells_is_read_strictly(url: str, body: Any) -> None:
    assert await status(f"{url}/overlay/told?token=t", "POST", json=body) == 422


async def test_a_line_is_sent_as_the_browser_reads_it(url: str) -> None:
    assert await status(f"{url}/overlay/events?page=..&token=t") == 400
    async with aiohttp.ClientSession() as session, session.get(f"{url}/overlay/events?page={A}&token=t") as answer:
        assert answer.content_type == "text/event-stream"
        assert (await answer.content.readuntil(b"\n\n")).startswith(b"retry: 1000")


def test_a_file_that_is_too_large_is_not_there(tmp_path: Path) -> None:
    with (tmp_path / "long.mp3").open("wb") as made:
        made.truncate(MAX_SIZE + 1)
    assert Media(tmp_path).named("sound", "long") is None
    assert Media(tmp_path / "nowhere").all() == ()
    assert Media(tmp_path).all() == ()
