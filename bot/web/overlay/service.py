"""The service `overlay`: sends to the page what workflows want shown, and believes that it is shown when the page says so."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from bot.services.overlay import METHODS, SERVICE
from bot.web.overlay.media import Kind, Media, Medium
from bot.web.overlay.pages import NotShown, Pages, Shown, Silence
from engine.declare import Method
from engine.execution import Done, Effect, Failed, Result, Unknown
from engine.fitting import as_number

PATIENCE: Final = 10.0
"""Seconds an effect waits for a page to be there."""
ANSWER_WITHIN: Final = 10.0
LONGEST: Final = 24 * 3_600.0
LONGEST_TEXT: Final = 500
USUAL_SECONDS: Final = 5.0
ALERTS_WITHIN: Final = 120.0
"""Seconds an alert may wait for those before it."""

NO_PAGE: Final = Failed(
    "not_connected",
    "no overlay is open; add a browser source in OBS with the link of: showcaller overlay",
    retryable=True,
)


class _Wrong(Exception):
    """A param that cannot be shown; carries the failure."""

    def __init__(self, error: str, sentence: str) -> None:
        super().__init__(sentence)
        self.failed = Failed(error, sentence)


class OverlayService:
    """Performs the methods of the overlay."""

    name: Final = SERVICE
    methods: Sequence[Method] = METHODS
    simulated: Final = False

    def __init__(
        self, pages: Pages, media: Media, *, patience: float = PATIENCE, answer_within: float = ANSWER_WITHIN
    ) -> None:
        self._pages = pages
        self._media = media
        self._patience = patience
        self._answer_within = answer_within

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        """Send it, and wait for the page to say that it is there to be seen or heard."""
        try:
            what = await asyncio.to_thread(self._what, effect.method, effect.params)
        except _Wrong as wrong:
            return wrong.failed
        if not await self._pages.there(self._patience):
            return NO_PAGE
        await begin()
        within = self._answer_within + (ALERTS_WITHIN if effect.method == "show_alert" else 0)
        match await self._pages.show(effect.id, what, within):
            case Shown():
                return Done()
            case NotShown(why):
                return Failed("not_shown", f"the overlay could not show it: {why}")
            case Silence():
                return Unknown("the overlay did not say whether it was shown")

    async def settle(self, effect: Effect) -> Result | None:
        """A page that was open all the while remembers what it has shown."""
        await self._pages.there(self._patience)
        return Done() if self._pages.has_shown(effect.id) else None

    def _what(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the page is sent."""
        match method:
            case "play_sound":
                return {"show": "sound", "sound": self._file("sound", params["sound"])}
            case "show_text":
                return {"show": "text", "text": _text(params), "seconds": _seconds(params)}
            case "show_image":
                return {"show": "image", "image": self._file("image", params["image"]), "seconds": _seconds(params)}
            case "show_countdown":
                return {"show": "countdown", "text": _text(params, needed=False), "seconds": _seconds(params)}
            case "show_alert":
                files = {kind: self._file(kind, params[kind]) for kind in ("image", "sound") if params.get(kind)}
                return {"show": "alert", "text": _text(params), "seconds": _seconds(params), **files}
            case "stop_sounds" | "clear":
                return {"show": method}
            case other:
                raise _Wrong("unknown_method", f"the overlay cannot do {other}")

    def _file(self, kind: Kind, name: object) -> str:
        found: Medium | None = self._media.named(kind, str(name))
        if found is None:
            raise _Wrong("not_found", f'there is no {kind} "{str(name)[:60]}" in {self._media.folder}')
        return found.file


def _text(params: Mapping[str, Any], *, needed: bool = True) -> str:
    text = str(params.get("text") or "").strip()
    if needed and not text:
        raise _Wrong("wrong_param", "there is no text to show")
    if len(text) > LONGEST_TEXT:
        raise _Wrong("wrong_param", f"the text has {len(text):,} characters; {LONGEST_TEXT} are the most")
    return text


def _seconds(params: Mapping[str, Any]) -> float:
    seconds = as_number("seconds", USUAL_SECONDS if params.get("seconds") is None else params["seconds"])
    if not 0 < seconds <= LONGEST:
        raise _Wrong("wrong_param", "it is shown for more than nothing and at most a day")
    return float(seconds)
