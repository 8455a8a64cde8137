"""One connection to OBS, from its greeting to its end; it is never used again after that.

It is the only module that talks to the library, and it mends what that leaves open: whoever waits for an answer is told
at once when the connection ends, and nothing is sent while OBS switches its scene collection or closes, since versions
before 30 crash or hang then.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias

import simpleobsws  # type: ignore[import-untyped]
from websockets.exceptions import ConnectionClosed, WebSocketException

from bot.obs.errors import AuthFailed, Lost, NotReady, RequestFailed, TimedOut, Unavailable

log = logging.getLogger(__name__)

Data: TypeAlias = Mapping[str, Any]

ANSWER_WITHIN: Final = 8.0
"""Seconds an answer may take; it usually takes two milliseconds, or a frame."""
READY_WITHIN: Final = 2.0
"""Seconds OBS may be busy with itself."""
_AGAIN_AFTER: Final = 0.1
_GOODBYE_WITHIN: Final = 0.5
_EVENTS: Final = 0b111_1111_1111
"""All but those that come many times a second: volume meters, and sources as they are shown, used or dragged about."""
_WRONG_PASSWORD: Final = 4009
_NOT_READY: Final = 207
_SWITCH: Final = frozenset({"SetCurrentSceneCollection", "CreateSceneCollection"})


class NoObs(Exception):
    """What answers there is no OBS that can be talked to; the text says why, without a full stop."""


class Connection:
    """Asks OBS and hears it.

    Args:
        client: The library's, fresh.
        heard: Told every event, in order; must not wait.
    """

    def __init__(self, client: simpleobsws.WebSocketClient, heard: Callable[[str, Data], None]) -> None:
        self._client = client
        self._heard = heard
        self._open = asyncio.Event()
        self._open.set()
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._leaving = False
        self._end: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str, password: str, heard: Callable[[str, Data], None], within: float) -> "Connection":
        """Connect and be let in.

        Raises:
            AuthFailed: It does not take the password.
            NoObs: Nobody is there, what answers is not OBS, or nothing answers in time.
        """
        asked = simpleobsws.IdentificationParameters(eventSubscriptions=_EVENTS)
        client = simpleobsws.WebSocketClient(url, password, asked)
        made = cls(client, heard)
        client.register_event_callback(made._on_event)
        try:
            async with asyncio.timeout(within):
                await client.connect()
        except WebSocketException:
            raise NoObs("what answers there is not OBS") from None
        except TimeoutError:
            raise NoObs("it does not answer") from None
        except OSError:
            raise NoObs("it is not open, or cannot be reached") from None
        made._end = client.recv_task
        try:
            await made._let_in(within)
        except BaseException:
            await made.close()
            raise
        return made

    async def _let_in(self, within: float) -> None:
        waiting = asyncio.ensure_future(self._client.wait_until_identified(within))
        try:
            await asyncio.wait({waiting, self._ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._client.identified:
            return
        code = None if self._client.ws is None else self._client.ws.close_code
        if code == _WRONG_PASSWORD:
            raise AuthFailed
        raise NoObs("it does not answer" if code is None else f"it does not let me in (code {code})")

    @property
    def _ending(self) -> "asyncio.Task[None]":
        if self._end is None:
            raise Unavailable
        return self._end

    async def ended(self) -> None:
        """Return once the connection has ended, for whatever reason."""
        await asyncio.wait({self._ending})

    async def close(self) -> None:
        """End it; an OBS that hangs is not waited for."""
        ws = self._client.ws
        with suppress(TimeoutError, WebSocketException, OSError):
            async with asyncio.timeout(_GOODBYE_WITHIN):
                await self._client.disconnect()
        if ws is not None:
            ws.transport.abort()

    # Asking --------------------------------------------------------------------------------------------------------------

    async def ask(self, request: str, data: Data | None = None, within: float = ANSWER_WITHIN) -> dict[str, Any]:
        """Send a request and return what it is answered with.

        Raises:
            ObsError: It was refused, or nobody knows what became of it; see the types.
        """
        loop = asyncio.get_running_loop()
        patience = loop.time() + READY_WITHIN
        while True:
            try:
                return await self._once(request, data, within)
            except NotReady:
                if loop.time() >= patience:
                    raise
            await asyncio.sleep(_AGAIN_AFTER)

    async def _once(self, request: str, data: Data | None, within: float) -> dict[str, Any]:
        await self._let_through()
        if request in _SWITCH:
            return await self._alone(request, data, within)
        return await self._sent(request, data, within)

    async def _let_through(self) -> None:
        try:
            async with asyncio.timeout(READY_WITHIN):
                await self._open.wait()
        except TimeoutError:
            raise NotReady from None
        if self._leaving or not self._client.identified:
            raise Unavailable

    async def _alone(self, request: str, data: Data | None, within: float) -> dict[str, Any]:
        """Switch the scene collection: with nothing else under way."""
        self._open.clear()
        try:
            await self._idle.wait()
            return await self._sent(request, data, within)
        finally:
            self._open.set()

    async def _sent(self, request: str, data: Data | None, within: float) -> dict[str, Any]:
        self._under_way += 1
        self._idle.clear()
        asking = asyncio.ensure_future(
            self._client.call(simpleobsws.Request(request, None if data is None else dict(data)), within)
        )
        try:
            await asyncio.wait({asking, self._ending}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise Lost
            answer = asking.result()
        except simpleobsws.MessageTimeout:
            raise TimedOut(request, within) from None
        except simpleobsws.NotIdentifiedError:
            raise Unavailable from None
        except (ConnectionClosed, OSError):
            raise Lost from None
        finally:
            asking.cancel()
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()
        if answer.ok():
            return answer.responseData or {}
        if answer.requestStatus.code == _NOT_READY:
            raise NotReady
        raise RequestFailed(request, answer.requestStatus.code, answer.requestStatus.comment)

    # Hearing -------------------------------------------------------------------------------------------------------------

    async def _on_event(self, kind: str, data: Data | None) -> None:
        match kind:
            case "CurrentSceneCollectionChanging":
                self._open.clear()
            case "CurrentSceneCollectionChanged":
                self._open.set()
            case "ExitStarted":
                self._leaving = True
            case _:
                pass
        self._heard(kind, data or {})
