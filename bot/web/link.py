"""Tells whoever sits at the machine the link that OBS shows the overlay by; it holds the token, so nobody else is told."""

import secrets
from collections.abc import Iterator

from bot import config
from bot.app import stored
from bot.config import COMMUNITY, DataFolder, Settings
from bot.web.options import TOKEN, options_of
from engine.errors import EngineError
from engine.ports import Batch, ConfigRecord


class NotOn(EngineError):
    """There is no link, as the web server is off."""

    def __init__(self) -> None:
        super().__init__("The overlay is not switched on. Do it with: showcaller overlay --on")


async def switch_on(folder: DataFolder) -> None:
    """Switch the web server on for the next start, and make its token.

    Raises:
        StoreError: The bot is running, or the folder cannot be used.
    """
    async with stored(folder, read_only=False) as store:
        settings = config.settings_from(await store.config(COMMUNITY))
        await store.commit(Batch(config=list(_switched(settings))))


def _switched(settings: Settings) -> Iterator[ConfigRecord]:
    settings, record = config.with_value(settings, "web.on", "on", secret=False)
    yield record
    if not options_of(settings).token:
        yield config.with_value(settings, TOKEN, secrets.token_urlsafe(24), secret=True)[1]


async def told(folder: DataFolder) -> list[str]:
    """The link, and what to do with it, a line each.

    Raises:
        NotOn: The web server is off.
        StoreError: The folder cannot be read.
    """
    async with stored(folder, read_only=True) as store:
        options = options_of(config.settings_from(await store.config(COMMUNITY)))
    if not options.on or not options.token:
        raise NotOn
    return [
        f"http://127.0.0.1:{options.port}/overlay?token={options.token}",
        "Add it in OBS as a browser source, as large as the picture. Do not show it to anybody: it is the key.",
        f"Sounds and images lie in {folder.media}.",
    ]
