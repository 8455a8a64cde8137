"""Looks at a bot's token before it is kept: whose it is, which of its switches are on, and by which link it is invited."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

_WITHIN: Final = 15.0
_MEMBERS: Final = 1 << 14 | 1 << 15
_CONTENT: Final = 1 << 18 | 1 << 19
PERMISSIONS: Final = (
    1 << 6  # add reactions
    | 1 << 10  # view channels
    | 1 << 11  # send messages
    | 1 << 13  # manage messages, to delete and pin
    | 1 << 14  # embed links
    | 1 << 15  # attach files
    | 1 << 16  # read message history
    | 1 << 28  # manage roles
    | 1 << 35  # create public threads
    | 1 << 38  # send messages in threads
    | 1 << 40  # time members out
)


class TokenRefused(Exception):
    """It is none to be kept; the text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Application:
    """What Discord says of the bot.

    Attributes:
        name: As people see it.
        content: Whether it may read what people write.
        members: Whether it is told who is there.
        invite: The link that asks it into a server.
    """

    name: str
    content: bool
    members: bool
    invite: str


async def looked_up(token: str, api_base: str) -> Application:
    """Whose token that is.

    Raises:
        TokenRefused: Discord does not take it, or cannot be asked.
    """
    try:
        async with asking(token) as session:
            me = await got(session, f"{api_base}/users/@me")
            application = await got(session, f"{api_base}/oauth2/applications/@me")
    except (aiohttp.ClientError, TimeoutError, ValueError):
        # A token that cannot stand in a header is refused here, too, and must not be quoted.
        raise TokenRefused("Discord cannot be asked with that. Check the token, or try again in a moment.") from None
    flags, id = int(application.get("flags") or 0), str(application.get("id"))
    link = (
        f"https://discord.com/oauth2/authorize?client_id={id}&scope=bot+applications.commands&permissions={PERMISSIONS}"
    )
    return Application(str(me.get("username")), bool(flags & _CONTENT), bool(flags & _MEMBERS), link)


def asking(token: str) -> aiohttp.ClientSession:
    """Asks Discord as the bot."""
    timeout = aiohttp.ClientTimeout(total=_WITHIN)
    return aiohttp.ClientSession(timeout=timeout, headers={"Authorization": f"Bot {token}"})


async def got(session: aiohttp.ClientSession, url: str, query: Mapping[str, str] | None = None) -> Any:
    """What is there.

    Raises:
        TokenRefused: Discord does not show it.
    """
    async with session.get(url, params=query) as answer:
        if answer.status == 401:
            raise TokenRefused("Discord does not take this token. Reset it in the portal and copy it anew.")
        if answer.status != 200:
            raise TokenRefused(f"Discord answers {answer.status}. Try again in a moment.")
        return await answer.json(content_type=None)
