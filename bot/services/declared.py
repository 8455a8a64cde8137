"""All methods this bot knows without plugins."""

from typing import Final

from bot.services import ai, discord, http, internal, obs, overlay, twitch
from engine.data import DATA_METHODS
from engine.declare import Declarations

DECLARATIONS: Final = Declarations(
    (
        *twitch.METHODS,
        *discord.METHODS,
        *obs.METHODS,
        *overlay.METHODS,
        *http.METHODS,
        *ai.METHODS,
        *internal.METHODS,
        *DATA_METHODS,
    )
)
