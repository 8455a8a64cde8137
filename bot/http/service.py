"""The service `http`: sends what was asked, follows redirects one by one, and says honestly what became of it.

Each ask has a session of its own: no cookie, no connection and no looked-up name is shared between workflows. The number
of whatever is connected to is judged right where its socket is made, so it is the one that was judged.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.http.addresses import Doors, Refused
from bot.http.asking import MAX_ANSWER, MAX_REDIRECTS, Asking, Misasked, answered, asking, host_of, sent_on
from bot.pace import Pace
from bot.services.http import METHODS, SERVICE
from engine.declare import Method
from engine.execution import Effect, Failed, Result, Unknown

WITHIN: Final = 15.0
"""Seconds an ask may take in all, redirects included."""
AT_ONCE: Final = 20
"""Asks under way at most; more wait for their turn."""
_CHUNK: Final = 16_384
_ON: Final = frozenset({301, 302, 303, 307, 308})


class HttpService:
    """Performs the methods of `http`.

    Args:
        doors: Which numbers may be connected to, asked at every ask.
        now: Seconds that only grow.
        resolver: Looks names up; None = as the system does.
        within: Seconds an ask may take.
    """

    name: Final = SERVICE
    methods: Sequence[Method] = METHODS
    simulated: Final = False

    def __init__(
        self,
        doors: Callable[[], Doors],
        now: Callable[[], float],
        *,
        resolver: Callable[[], AbstractResolver] | None = None,
        pace: Pace | None = None,
        within: float = WITHIN,
    ) -> None:
        self._doors = doors
        self._now = now
        self._resolver = resolver or aiohttp.ThreadedResolver
        self._pace = pace or Pace()
        self._within = within
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        """Send it, if the address may be asked."""
        try:
            asked = asking(effect.method, effect.params)
        except Misasked as error:
            return Failed("wrong_param", str(error))
        except Refused as error:
            return _refused(error)
        wait = self._pace.take(host_of(asked), self._now())
        if wait:
            sentence = f"{host_of(asked)} has been asked too often just now; again in {wait:.0f} seconds"
            return Failed("rate_limited", sentence, retryable=True)
        async with self._turns:
            await begin()
            return await self._sent(asked)

    async def settle(self, effect: Effect) -> Result | None:
        """Nobody can be asked whether a call of before has arrived."""
        return None

    async def _sent(self, asked: Asking) -> Result:
        """What came of it. No text of a library is told: it may hold the address, and that a key."""
        doors = self._doors()
        try:
            async with asyncio.timeout(self._within), self._session(doors) as session:
                return await _followed(session, asked)
        except Refused as error:
            return _refused(error)
        except _TooLong:
            return Failed("too_long", f"{host_of(asked)} answered with more than {MAX_ANSWER:,} bytes")
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _NotOpen):
                return _refused(error.os_error.why)
            return Failed("unreachable", f"{host_of(asked)} cannot be reached", retryable=True)
        except TimeoutError:
            return _silence(asked, "timeout", f"{host_of(asked)} did not answer within {self._within:g} seconds")
        except (aiohttp.ClientError, ValueError, OSError):
            return _silence(asked, "unreachable", f"{host_of(asked)} broke off, or answered with what is no answer")

    def _session(self, doors: Doors) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=_Checking(self._resolver(), doors),
            use_dns_cache=False,
            socket_factory=lambda info: _socket(info, doors),
            force_close=True,
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)


async def _followed(session: aiohttp.ClientSession, asked: Asking) -> Result:
    """Ask, and go where the answer sends on to, a few times at most."""
    for _ in range(MAX_REDIRECTS + 1):
        request = session.request(
            asked.verb,
            asked.url,
            headers={**asked.headers, **(asked.key or {})},
            data=asked.body,
            allow_redirects=False,
        )
        async with request as answer:
            location = answer.headers.get("Location")
            if answer.status not in _ON or location is None:
                body = await _read(answer) if answer.status < 300 else b""
                return answered(asked, answer.status, answer.content_type, body, answer.charset or "utf-8")
            asked = sent_on(asked, answer.status, location)
    raise Refused(f"the server sends on and on; {MAX_REDIRECTS} times are the most")


class _TooLong(Exception):
    """More came than is read."""


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """All of an answer; it is counted after unpacking, as little can be packed to be much."""
    read = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        read += chunk
        if len(read) > MAX_ANSWER:
            raise _TooLong
    return bytes(read)


# The guard ---------------------------------------------------------------------------------------------------------------


class _NotOpen(OSError):
    """A socket that is not made; the library passes on only such errors."""

    def __init__(self, why: Refused) -> None:
        super().__init__(str(why))
        self.why = why


def _socket(info: Any, doors: Doors) -> socket.socket:
    """A socket for an address, judged by its number: what has no name to be looked up comes by here, too."""
    family, kind, protocol, _, address = info
    try:
        doors.check(str(address[0]), int(address[1]))
    except (Refused, ValueError) as error:
        raise _NotOpen(error if isinstance(error, Refused) else Refused("that is no web address")) from None
    return socket.socket(family, kind, protocol)


class _Checking(AbstractResolver):
    """Looks a name up, and takes none of its numbers if one of them is not open: such a name means harm."""

    def __init__(self, inner: AbstractResolver, doors: Doors) -> None:
        self._inner = inner
        self._doors = doors

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for each in found:
            self._doors.check(each["host"], port)
        return found

    async def close(self) -> None:
        with suppress(OSError):
            await self._inner.close()


# Results -----------------------------------------------------------------------------------------------------------------


def _refused(error: Refused) -> Failed:
    return Failed("refused_address", f"I do not ask that address: {error}")


def _silence(asked: Asking, error: str, sentence: str) -> Result:
    """It was sent, and nobody knows what the other side made of it."""
    return Failed(error, sentence, retryable=True) if asked.repeatable else Unknown(sentence)
