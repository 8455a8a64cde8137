"""Signs an account in to Twitch by a code that a person types into a browser: no secret, no address to come back to.

Which rights are asked for follows from what workflows can ask for and hear; one list for the account that speaks and one for
the streamer's.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import twitchio
from twitchio.authentication.oauth import OAuth
from twitchio.exceptions import HTTPException

from bot.services.twitch import METHODS
from bot.tokens import Token
from bot.twitch.cured import Servers, point_at
from bot.twitch.sources import SOURCES

log = logging.getLogger(__name__)

_SPEAKING: Final = ("user:read:chat", "user:write:chat", "user:bot")
_NEEDED: Final = frozenset(
    {scope for method in METHODS for scope in method.scopes}
    | {scope for source in SOURCES for scope in source.all_scopes}
)
BOT_SCOPES: Final = tuple(
    sorted({*_SPEAKING, *(each for each in _NEEDED if each.startswith(("user:", "moderator:manage:", "clips:")))})
)
"""What the account that speaks is asked for: to chat, and to do what moderators do, if it is one."""
BROADCASTER_SCOPES: Final = tuple(sorted({*_SPEAKING, "channel:bot", *_NEEDED}))
"""What the streamer's account is asked for: everything, so that it does for both if there is no other."""
_WITHIN: Final = 15.0


class SignInFailed(Exception):
    """It did not work; the text is a sentence for people."""


class _Away(SignInFailed):
    """It did not work this time, whatever was asked."""


@dataclass(frozen=True, slots=True)
class Code:
    """What a person has to type, and where.

    Attributes:
        device: By which we ask whether that was done; a secret.
        within: Seconds until it is too late.
        every: Seconds between two questions.
    """

    device: str
    typed: str
    address: str
    within: float
    every: float


class SignIn:
    """One account's way in.

    Args:
        client_id: Of the application; public.
        servers: Where Twitch is.
        scopes: What is asked for.
    """

    def __init__(self, client_id: str, servers: Servers, scopes: tuple[str, ...]) -> None:
        point_at(servers)
        self._client_id = client_id
        self._scopes = twitchio.Scopes(list(scopes))

    async def begin(self) -> Code:
        """Get a code.

        Raises:
            SignInFailed: There is none to be had.
        """
        answer = await self._asked("device_code_flow", scopes=self._scopes)
        return Code(
            str(answer["device_code"]),
            str(answer["user_code"]),
            str(answer["verification_uri"]),
            float(answer.get("expires_in", 1_800)),
            float(answer.get("interval", 5)),
        )

    async def finish(self, code: Code) -> Token:
        """Wait until somebody has typed it, and tell with what the account is signed in.

        Raises:
            SignInFailed: Nobody has, or not in time.
        """
        try:
            async with asyncio.timeout(code.within):
                pair = await self._pair(code)
        except TimeoutError:
            raise SignInFailed("Nobody typed the code in time.") from None
        access = str(pair["access_token"])
        who = await self._asked("validate_token", access)
        return Token(
            access, str(pair["refresh_token"]), tuple(who["scopes"] or ()), str(who["user_id"]), str(who["login"])
        )

    async def _pair(self, code: Code) -> Any:
        """What comes of the code once it was typed; Twitch may be away meanwhile, and the code still counts."""
        while True:
            try:
                return await self._asked(
                    "device_code_authorization", scopes=self._scopes, device_code=code.device, interval=code.every
                )
            except _Away as error:
                log.info("whether the code was typed could not be asked: %s", error)
                await asyncio.sleep(code.every)

    async def _asked(self, method: str, *args: Any, **options: Any) -> Any:
        timeout = aiohttp.ClientTimeout(total=_WITHIN)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            oauth = OAuth(client_id=self._client_id, session=session)
            try:
                return await getattr(oauth, method)(*args, **options)
            except HTTPException as error:
                kind = _Away if error.status >= 500 else SignInFailed
                raise kind(_sentence(error)) from None
            except ValueError:  # an answer that the library has no name for
                raise SignInFailed("Twitch refuses the code.") from None
            except (aiohttp.ClientError, TimeoutError):
                raise _Away("Twitch cannot be reached. Try again in a moment.") from None


async def people(token: Token, client_id: str, servers: Servers, logins: Sequence[str]) -> dict[str, str] | None:
    """The ids of people by their login; None if Twitch cannot be asked with that token, as one that has ended."""
    headers = {"Authorization": f"Bearer {token.access}", "Client-Id": client_id}
    timeout = aiohttp.ClientTimeout(total=_WITHIN)
    query = [("login", login.casefold()) for login in logins]
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.get(f"{servers.api_base.rstrip('/')}/users", params=query) as answer,
        ):
            found = (await answer.json())["data"] if answer.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError):
        return None
    return None if found is None else {str(each["login"]): str(each["id"]) for each in found}


def _sentence(error: HTTPException) -> str:
    said = str(error.extra.get("message", "")).strip().rstrip(".")
    if "client" in said.casefold() and error.status in (400, 401, 403):
        return f"Twitch does not know this client id ({said}). It stands in the console where the application was registered."
    if "device code" in said.casefold():
        return "The code was not accepted, or it is too late for it."
    return f"Twitch refuses it: {said or error.status}."
