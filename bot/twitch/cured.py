"""twitchio's sockets and sign-in without their known faults. Nothing else in here touches the library's private parts.

A socket of the library mends itself, and loses subscriptions, itself or its place in the books on the way (a close with 4003
ends it for good, an error while it subscribes again loses what it was subscribing to). Here a socket lives once: when it is
gone it is gone from the books, too, and whoever compares what is wanted with what is live makes a new one. Only the
move that Twitch itself asks for is made by the socket, beside its listening, as the old place tells of things until the
new one has said welcome.

Refreshing is done once for all who need it, as a refresh token of a public client counts once; the new pair is kept before
anybody uses it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import twitchio.client
import twitchio.eventsub.websockets
import twitchio.http
from twitchio.authentication.payloads import RefreshTokenPayload
from twitchio.eventsub.websockets import Websocket
from twitchio.exceptions import HTTPException

log = logging.getLogger(__name__)

LAST_WORDS: Final = 0.5
"""Seconds for which a socket is still heard when the one that follows it has been welcomed: what was under way then comes late."""
REFRESHES: Final = 5
REFRESHES_WITHIN: Final = 60.0
_REMEMBERED: Final = 16


@dataclass(frozen=True, slots=True)
class Servers:
    """Where Twitch is; other places are for tests and for servers that pretend."""

    api_base: str = "https://api.twitch.tv/helix/"
    id_base: str = "https://id.twitch.tv/"
    eventsub_url: str = "wss://eventsub.wss.twitch.tv/ws"


def point_at(servers: Servers, socket: Callable[..., Websocket] | None = None) -> None:
    """Let the library talk to these servers, through sockets without its faults. It keeps both for the whole process.

    Args:
        servers: Where Twitch is.
        socket: Makes other sockets: to see what the library does by itself.
    """
    twitchio.http.Route.BASE = _folder(servers.api_base)
    twitchio.http.Route.ID_BASE = _folder(servers.id_base)
    twitchio.eventsub.websockets.WSS = servers.eventsub_url
    for module in (twitchio.eventsub.websockets, twitchio.client):
        module.Websocket = socket or CuredWebsocket  # type: ignore[attr-defined]


def _folder(url: str) -> str:
    return url if url.endswith("/") else url + "/"


class CuredWebsocket(Websocket):
    """A socket that lives once, and hands whole notifications to its client."""

    __slots__ = ("_before", "_move")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._before: CuredWebsocket | None = None
        self._move: asyncio.Task[None] | None = None

    @property
    def moving(self) -> bool:
        """Whether it is about to be followed by another one that has its subscriptions."""
        return self._move is not None and not self._move.done()

    async def close(self, cleanup: bool = True, *, reassociate: bool = True) -> None:
        """Close it, with the one that it follows, and give up a move."""
        if self.moving and self._move is not asyncio.current_task() and self._move is not None:
            self._move.cancel()
        before, self._before = self._before, None
        if before is not None:
            await before.close()
        await super().close(cleanup, reassociate=reassociate)

    async def _process_reconnect(self, data: Any) -> None:
        # Awaited, it would keep this socket from hearing what is still told to it.
        if self._move is None:
            url = data["payload"]["session"]["reconnect_url"]
            self._move = asyncio.create_task(self._moved(url), name="EventSub socket moves")

    async def _moved(self, url: str) -> None:
        new = CuredWebsocket(
            keep_alive_timeout=self._keep_alive_timeout, client=self._client, token_for=self._token_for, http=self._http
        )
        new._subscriptions = self._subscriptions
        try:
            await new.connect(url=url, fail_once=True)
        except asyncio.CancelledError:
            await new.close()
            raise
        except Exception:  # noqa: BLE001  however it fails, this socket's time is over
            log.warning("an EventSub socket could not move; another one takes its place")
        if self._client is not None and self._token_for is not None and new.connected and new.session_id:
            self._client._websockets[self._token_for][new.session_id] = new
            new._before = self
            await asyncio.sleep(LAST_WORDS)
            new._before = None
        await self.close()

    async def _create_connection_task(self) -> None:
        # Where the library would connect again, this one ends; while it moves, that is expected and done by the move.
        if not (self._closing or self._closed or self.moving):
            task = asyncio.create_task(self.close(), name="EventSub socket closes")
            self._connection_tasks.add(task)
            task.add_done_callback(self._connection_tasks.discard)

    async def _process_notification(self, data: Any) -> None:
        # Not as the library's objects: they refuse what has a field less than they know of.
        if self._client is not None:
            self._client.hear_raw(data)  # type: ignore[attr-defined]

    def _cleanup(self, closed: bool = True) -> None:
        # By identity: a socket that moved may have left its id to the new one.
        self._closed = closed
        if self._client is not None and self._token_for is not None:
            sockets = self._client._websockets.get(self._token_for, {})
            for id in [id for id, socket in sockets.items() if socket is self]:
                del sockets[id]


def sockets_of(client: twitchio.Client) -> tuple[Websocket, ...]:
    """The sockets in a client's books that are connected."""
    return tuple(socket for of_one in client._websockets.values() for socket in of_one.values() if socket.connected)


def is_moving(client: twitchio.Client) -> bool:
    """Whether a socket is about to be followed by another one."""
    return any(isinstance(socket, CuredWebsocket) and socket.moving for socket in sockets_of(client))


def subscriptions_of(client: twitchio.Client) -> dict[str, Any]:
    """What is subscribed to on connected sockets, by id."""
    return {id: data for socket in sockets_of(client) for id, data in socket._subscriptions.items()}


class RefreshesTooOften(Exception):
    """New tokens are refused as soon as they are made."""


Refresh: TypeAlias = Callable[[str], Awaitable[RefreshTokenPayload]]
Keep: TypeAlias = Callable[[str, RefreshTokenPayload | None], None]
"""Keeps the pair that came for a refresh token, so that it is kept when this returns; None if the token is dead."""


class SingleFlight:
    """Refreshes each token once, whoever asks and however many do.

    Args:
        refresh: Asks Twitch for a new pair.
        keep: See `Keep`.
        now: Seconds that only go forward.
    """

    def __init__(self, refresh: Refresh, keep: Keep, now: Callable[[], float]) -> None:
        self._refresh = refresh
        self._keep = keep
        self._now = now
        self._flights: dict[str, asyncio.Task[RefreshTokenPayload]] = {}
        self._made: list[float] = []

    async def __call__(self, token: str, /) -> RefreshTokenPayload:
        """The pair that comes for a refresh token.

        Raises:
            HTTPException: Twitch gives none.
            RefreshesTooOften: It gave too many already.
        """
        flight = self._flights.get(token)
        if flight is None or (flight.done() and (flight.cancelled() or flight.exception() is not None)):
            flight = asyncio.create_task(self._fly(token), name="token refresh")
            self._flights[token] = flight
            while len(self._flights) > _REMEMBERED:
                del self._flights[next(iter(self._flights))]
        return await asyncio.shield(flight)

    async def _fly(self, token: str) -> RefreshTokenPayload:
        now = self._now()
        self._made = [at for at in self._made if now - at < REFRESHES_WITHIN]
        if len(self._made) >= REFRESHES:
            raise RefreshesTooOften
        self._made.append(now)
        try:
            pair = await self._refresh(token)
        except HTTPException as error:
            if error.status == 429:  # the library drops a token for any 4xx, and this one says nothing about it
                raise HTTPException("too many requests", status=503, extra={"message": "later"}) from None
            if error.status < 500:
                self._keep(token, None)
            raise
        self._keep(token, pair)
        return pair


def refresh_once(client: twitchio.Client, keep: Keep) -> None:
    """Let a client refresh in single flight."""
    oauth: Any = client._http._ManagedHTTPClient__isolated  # type: ignore[attr-defined]
    oauth.refresh_token = SingleFlight(oauth.refresh_token, keep, asyncio.get_running_loop().time)


def keep_validating(client: twitchio.Client) -> None:
    """Start the library's hourly validation again if a hiccup has killed it."""
    http: Any = client._http
    if http._validate_task is not None and http._validate_task.done():
        http._validate_task = asyncio.create_task(http._ManagedHTTPClient__validate_loop())
