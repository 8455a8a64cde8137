"""The pages that are open, what each has been sent, and what each has said of it.

What is sent counts as shown only once a page says so. A page that loses its line and comes back is sent again what it has
not spoken of; it knows what it has shown, so nothing is shown twice. One that was opened anew is another page, and gets
nothing of before. A page that does not keep up is let go, and comes back.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

MOST_PAGES: Final = 20
MOST_WAITING: Final = 100
_REMEMBERED: Final = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """A page shows it, or plays it."""


@dataclass(frozen=True, slots=True)
class NotShown:
    """Every page that was asked says that it could not, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Silence:
    """No page has said anything in time."""


Outcome: TypeAlias = Shown | NotShown | Silence


@dataclass(slots=True, eq=False)
class _Page:
    """One page, with or without a line at the moment.

    Attributes:
        line: What is on the way to it; None while it has no line.
        owes: What it has been sent and not spoken of, in order.
    """

    line: "asyncio.Queue[Mapping[str, Any] | None] | None" = None
    owes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    shown: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Asked:
    answer: "asyncio.Future[Outcome]"
    pages: set[str]


class Pages:
    """All pages of one overlay."""

    def __init__(self) -> None:
        self._pages: dict[str, _Page] = {}
        self._asked: dict[str, _Asked] = {}
        self._came = asyncio.Event()

    @property
    def open(self) -> int:
        """How many have a line."""
        return sum(1 for page in self._pages.values() if page.line is not None)

    async def there(self, within: float) -> bool:
        """Whether a page has a line, at once or within so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._came.wait()
        except TimeoutError:
            return False
        return True

    async def show(self, id: str, what: Mapping[str, Any], within: float) -> Outcome:
        """Send it to every page that has a line; tells what came of it."""
        ready = {name for name, page in self._pages.items() if page.line is not None}
        if not ready:
            return Silence()
        asked = self._asked[id] = _Asked(asyncio.get_running_loop().create_future(), ready)
        sent = {"id": id, **what}
        try:
            for name in tuple(ready):
                self._pages[name].owes[id] = sent
                self._put(self._pages[name], sent)
            async with asyncio.timeout(within):
                return await asked.answer
        except TimeoutError:
            return Silence()
        finally:
            self._asked.pop(id, None)
            for page in self._pages.values():
                page.owes.pop(id, None)

    def said(self, page: str, id: str, why_not: str | None) -> None:
        """A page tells that it shows something, or why it cannot."""
        known = self._pages.get(page)
        if known is None:
            return
        known.owes.pop(id, None)
        if why_not is None:
            self._remember(known, id)
        asked = self._asked.get(id)
        if asked is None or page not in asked.pages or asked.answer.done():
            return
        asked.pages.discard(page)
        if why_not is None:
            asked.answer.set_result(Shown())
        elif not asked.pages:
            asked.answer.set_result(NotShown(why_not))

    def has_shown(self, id: str) -> bool:
        """Whether a page that is known remembers having shown it, also before the bot was there."""
        return any(id in page.shown for page in self._pages.values())

    async def line(self, name: str, shown: tuple[str, ...]) -> AsyncGenerator[Mapping[str, Any], None]:
        """What a page is sent as long as its line holds.

        Args:
            name: The page's own; the same after it has come back.
            shown: What it remembers having shown.
        """
        page = self._pages.pop(name, None) or _Page()
        self._pages[name] = page
        for id in shown[-_REMEMBERED:]:
            self._remember(page, id)
        if page.line is not None:
            _end(page.line)
        line = page.line = asyncio.Queue(MOST_WAITING)
        self._let_go()
        for sent in page.owes.values():
            self._put(page, sent)
        self._came.set()
        try:
            while (sent_now := await line.get()) is not None:
                yield sent_now
        finally:
            if page.line is line:
                page.line = None
            if not self.open:
                self._came.clear()

    def close(self) -> None:
        """End every line."""
        for page in self._pages.values():
            if page.line is not None:
                _end(page.line)

    def _put(self, page: _Page, sent: Mapping[str, Any]) -> None:
        if page.line is None:
            return
        if page.line.full():
            _end(page.line)
        else:
            page.line.put_nowait(sent)

    def _remember(self, page: _Page, id: str) -> None:
        page.shown[id] = None
        while len(page.shown) > _REMEMBERED:
            del page.shown[next(iter(page.shown))]

    def _let_go(self) -> None:
        """Forget the pages that came first, those without a line before the others."""
        while len(self._pages) > MOST_PAGES:
            gone = next((name for name, page in self._pages.items() if page.line is None), next(iter(self._pages)))
            left = self._pages.pop(gone)
            if left.line is not None:
                _end(left.line)


def _end(line: "asyncio.Queue[Mapping[str, Any] | None]") -> None:
    """Let a line end, whatever is on the way."""
    while line.full():
        line.get_nowait()
    line.put_nowait(None)
