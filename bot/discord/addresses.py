"""The one place that tells the library where Discord is: it has no argument for that, only two names of its classes."""

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route


def use(api_base: str, gateway_url: str) -> None:
    """Let every client from now on talk to these addresses."""
    Route.BASE = api_base
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
