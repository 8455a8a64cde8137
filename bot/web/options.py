"""What can be set about the web server, read from the community's settings into one frozen value. Pure.

`web.on` switches it on, `web.port` is its port; `web.names` are the names by which webhooks reach it through a tunnel. Each
webhook has a name and a secret, set as `/config secret webhooks.NAME SECRET`. `web.token` is the bot's own secret: it is made
when it is first needed, and stands in the links that the bot tells only to whoever sits at the machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.config import Settings

PORT: Final = 7474
TOKEN: Final = "web.token"
HOOKS: Final = "webhooks."
_ON: Final = frozenset({"on", "yes", "true", "1"})


@dataclass(frozen=True, slots=True)
class Options:
    """How the web server is.

    Attributes:
        names: Host names under which webhooks may come, beside those of this machine.
        token: What links to the overlay must have; empty as long as there is none.
        hooks: The secret of each webhook.
    """

    on: bool = False
    port: int = PORT
    names: tuple[str, ...] = ()
    token: str = field(default="", repr=False)
    hooks: Mapping[str, str] = field(default_factory=dict, repr=False)


def options_of(settings: Settings) -> Options:
    """The options in a community's settings; what cannot be read counts as not set."""
    values = settings.values
    port = values.get("web.port", PORT)
    hooks = {name.removeprefix(HOOKS): value for name, value in settings.secrets.items() if name.startswith(HOOKS)}
    return Options(
        on=str(values.get("web.on", "")).casefold() in _ON,
        port=port if isinstance(port, int) and 0 < port < 65_536 else PORT,
        names=tuple(name for part in str(values.get("web.names", "")).split(",") if (name := part.strip().casefold())),
        token=settings.secrets.get(TOKEN, ""),
        hooks=hooks,
    )
