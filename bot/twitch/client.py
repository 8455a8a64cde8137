"""The connection to Twitch: signs in, asks, hears, and keeps hearing.

One connection serves one attempt of a supervisor; a fresh one is made for the next. It compares again and again what is
wanted with what is live and mends the difference, whatever made it; that is the only way a subscription comes to be. It
translates nothing: notifications are handed on as they came, requests are values.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote_plus

import aiohttp
import twitchio
from twitchio.authentication.payloads import RefreshTokenPayload
from twitchio.eventsub.subscriptions import SubscriptionPayload
from twitchio.exceptions import HTTPException, InvalidTokenException, TwitchioException
from twitchio.http import Route

from bot.supervise import GivesUp, Line
from bot.tokens import Token, TokenFile
from bot.twitch.cured import (
    RefreshesTooOften,
    Servers,
    is_moving,
    keep_validating,
    point_at,
    refresh_once,
    sockets_of,
    subscriptions_of,
)
from bot.twitch.sources import ALWAYS, BY_TYPE
from bot.twitch.subscriptions import Accounts, Subscription, Trouble, after_failure, difference, live_one, wanted
from bot.twitch.wire import Notification, notification

log = logging.getLogger(__name__)

BOT: Final = "twitch.bot"
BROADCASTER: Final = "twitch.broadcaster"
LOOK_EVERY: Final = 3.0
VALIDATE_EVERY: Final = 60.0
REQUEST_WITHIN: Final = 15.0
IDLE_AT_MOST: Final = 10.0
DEAF_AFTER: Final = 5
"""Failures in a row after which people are told what is not heard: with the pauses between them, half a minute."""
SIGN_IN_AGAIN: Final = "Sign in again with: showcaller setup twitch."


@dataclass(frozen=True, slots=True)
class Request:
    """Something asked of Helix.

    Attributes:
        token_for: Id of the account in whose name it is asked.
        query: A key with several values is repeated.
    """

    verb: str
    path: str
    token_for: str
    query: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None


class Refused(Exception):
    """Twitch answered with an error.

    Attributes:
        status: Of HTTP.
        message: As Twitch says it; it holds no secret.
        retry_at: When it wants to be asked again, in UTC seconds, if it said so.
    """

    def __init__(self, status: int, message: str, retry_at: float | None = None) -> None:
        super().__init__(f"Twitch answered {status}: {message}")
        self.status = status
        self.message = message
        self.retry_at = retry_at


_MAY_FAIL: Final = (
    TwitchioException,
    aiohttp.ClientError,
    Refused,
    RefreshesTooOften,
    OSError,
    TimeoutError,
    ValueError,
)
"""Whatever may keep a single request from its end; the connection goes on."""


class NotConnected(Exception):
    """There is no signed-in connection at the moment."""

    def __init__(self) -> None:
        super().__init__("Twitch is not connected at the moment")


@dataclass(frozen=True, slots=True)
class Ears:
    """What a connection is told from outside, and whom it tells.

    Attributes:
        events: Names of the events that workflows wait for now.
        heard: Told of every notification; must return at once.
        connected: Told when it has signed in and hears the chat, and whenever it hears anew of what is always heard: what
            happened in between nobody told it.
        notice: Told what people should know.
    """

    events: Callable[[], Iterable[str]]
    heard: Callable[[Notification], None]
    connected: Callable[[], None]
    notice: Callable[[str], None]


class _Payload(SubscriptionPayload):
    def __init__(self, subscription: Subscription) -> None:
        self.type = subscription.type  # type: ignore[misc]
        self.version = subscription.version  # type: ignore[misc]
        self._condition: Any = dict(subscription.condition)

    @property
    def condition(self) -> Any:
        return self._condition


class _Client(twitchio.Client):
    """twitchio's client, telling what happens on its sockets."""

    def __init__(self, client_id: str, session: aiohttp.ClientSession, raw: Callable[[Any], None]) -> None:
        super().__init__(client_id=client_id, session=session, fetch_client_user=False)
        self._raw = raw
        self.changed = asyncio.Event()
        self.revoked: list[str] = []

    def hear_raw(self, data: Any) -> None:
        """A notification came."""
        self._raw(data)

    async def event_websocket_closed(self, payload: Any) -> None:
        """A socket is gone."""
        self.changed.set()

    async def event_subscription_revoked(self, payload: Any) -> None:
        """Twitch took a subscription away."""
        self.revoked.append(str(payload.type))
        self.changed.set()

    async def event_error(self, payload: Any) -> None:
        """A listener broke."""
        log.error("a listener broke", exc_info=payload.error)

    async def load_tokens(self, path: str | None = None, /) -> None:
        """They are ours to load."""

    async def save_tokens(self, path: str | None = None, /) -> None:
        """They are ours to save."""


class Connection:
    """The way to Twitch.

    Args:
        client_id: Of the application; public.
        servers: Where Twitch is.
        tokens: Holds a pair for each account.
        ears: See there.
    """

    def __init__(self, client_id: str, servers: Servers, tokens: TokenFile, ears: Ears) -> None:
        self._client_id = client_id
        self._servers = servers
        self._tokens = tokens
        self._ears = ears
        self._client: _Client | None = None
        self._granted: dict[str, tuple[str, ...]] = {}
        self._accounts: Accounts | None = None
        self._dead: dict[str, str] = {}
        self._trouble: dict[Subscription, Trouble] = {}
        self._told: set[str] = set()
        self._anew = False
        self._deaf: set[str] = set()
        self._reset_at: float | None = None
        self._here = asyncio.Event()
        self._off = False

    # For those who ask -------------------------------------------------------------------------------------------------

    @property
    def accounts(self) -> Accounts:
        """Who is who.

        Raises:
            NotConnected: Nobody has signed in yet.
        """
        if self._accounts is None:
            raise NotConnected
        return self._accounts

    @property
    def granted(self) -> Mapping[str, tuple[str, ...]]:
        """The scopes of each account, by id; what is known of them lasts when the connection does not."""
        return self._granted

    async def ready(self, within: float) -> bool:
        """Wait for a signed-in connection, so many seconds at most, and not at all where only a person can bring it about."""
        if self._client is None and not self._off:
            with suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._here.wait()
        return self._client is not None

    async def ask(self, request: Request) -> Any:
        """Ask Helix.

        Raises:
            NotConnected: There is no connection; nothing was asked.
            Refused: Twitch said no.
            aiohttp.ClientError, TimeoutError: It was asked, and there was no answer.
        """
        client = self._client
        if client is None:
            raise NotConnected
        params: Any = {
            key: quote_plus(value) if isinstance(value, str) else [quote_plus(each) for each in value]
            for key, value in request.query.items()
        }
        verb: Any = request.verb
        body: Any = dict(request.body) if request.body is not None else {}
        route = Route(verb, request.path, params=params, json=body, token_for=request.token_for)
        try:
            return await client.http.request(route)
        except HTTPException as error:
            raise self._refused(error) from None
        except RefreshesTooOften:
            raise Refused(401, "its tokens do not last") from None

    def _refused(self, error: HTTPException) -> Refused:
        return Refused(
            error.status, str(error.extra.get("message", "")), self._reset_at if error.status == 429 else None
        )

    # One attempt -----------------------------------------------------------------------------------------------------------

    async def attempt(self, line: Line) -> None:
        """Connect and stay connected until that can no longer be done here.

        Raises:
            GivesUp: Somebody has to sign in again.
            Exception: Whatever ended it; another attempt may do better.
        """
        try:
            await self._attempt(line)
        except GivesUp:
            self._off = True
            self._here.set()
            raise

    async def _attempt(self, line: Line) -> None:
        if BROADCASTER not in self._tokens.tokens and BOT not in self._tokens.tokens:
            raise GivesUp("Nobody has signed in to Twitch yet. Sign in with: showcaller setup twitch.")
        point_at(self._servers)
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(self._note_rate)
        timeout = aiohttp.ClientTimeout(total=REQUEST_WITHIN)
        # A connection that Twitch closes just when it is used leaves it open what became of the request, so none idles long.
        connector = aiohttp.TCPConnector(keepalive_timeout=IDLE_AT_MOST)
        async with aiohttp.ClientSession(trace_configs=[trace], timeout=timeout, connector=connector) as session:
            client = _Client(self._client_id, session, self._hear)
            try:
                await self._sign_in(client)
                self._client = client
                self._here.set()
                await self._stay(client, line)
            finally:
                self._client = None
                self._here.clear()
                self._trouble.clear()
                await client.close(save_tokens=False)

    async def _sign_in(self, client: _Client) -> None:
        refresh_once(client, self._keep)
        # The library wants a token of the application, which public clients have none of; every request names an account.
        await client.login(token="none", load_tokens=False, save_tokens=False)  # noqa: S106
        self._dead.clear()
        ids: dict[str, str] = {}
        for key in (BOT, BROADCASTER):
            if (token := self._tokens.tokens.get(key)) is not None:
                ids[key] = await self._add(client, key, token)
        broadcaster = ids.get(BROADCASTER) or ids[BOT]
        self._accounts = Accounts(broadcaster, ids.get(BOT) or broadcaster)

    async def _add(self, client: _Client, key: str, token: Token) -> str:
        try:
            valid = await client.add_token(token.access, token.refresh)
        except InvalidTokenException as error:
            if error.status >= 500 or error.status == 429:
                raise Refused(error.status, "its sign-in does not work at the moment") from None
            raise GivesUp(_sign_in_again(token)) from None
        except RefreshesTooOften:
            raise GivesUp(_sign_in_again(token)) from None
        user_id = str(valid.user_id)
        self._granted[user_id] = tuple(valid.scopes or ())
        now = self._tokens.tokens[key]
        if (now.user_id, now.scopes, now.login) != (user_id, self._granted[user_id], str(valid.login)):
            self._tokens.put(key, Token(now.access, now.refresh, self._granted[user_id], user_id, str(valid.login)))
        return user_id

    def _keep(self, refresh: str, pair: RefreshTokenPayload | None) -> None:
        """A pair came for a refresh token, or None if that is dead."""
        keys = [key for key, token in self._tokens.tokens.items() if token.refresh == refresh]
        if pair is None:
            for key in keys:
                self._dead[key] = _sign_in_again(self._tokens.tokens[key])
            if self._client is not None:
                self._client.changed.set()
            return
        for key in keys:
            old = self._tokens.tokens[key]
            try:
                self._tokens.put(key, Token(pair.access_token, pair.refresh_token, old.scopes, old.user_id, old.login))
            except OSError:
                log.exception("a new pair of tokens could not be kept")
                self._tell(
                    "I cannot write my tokens to the disk. If I am stopped now, Twitch has to be signed in to again."
                )

    async def _stay(self, client: _Client, line: Line) -> None:
        validated, heard = time.monotonic(), False
        while True:
            client.changed.clear()
            self._look_at_tokens()
            trouble = await self._reconcile(client)
            if trouble:
                heard = False
                line.down(trouble)
            elif trouble is not None and (self._anew or not heard):
                # A lost socket may be mended before it was missed here, and what it would have told is told nobody.
                heard, self._anew = True, False
                line.up()
                self._ears.connected()
            if time.monotonic() - validated > VALIDATE_EVERY:
                validated = time.monotonic()
                keep_validating(client)
            with suppress(TimeoutError):  # not by `wait_for`, which forgets that it was cancelled if both come at once
                async with asyncio.timeout(LOOK_EVERY):
                    await client.changed.wait()

    def _look_at_tokens(self) -> None:
        """What to do about a sign-in that no longer counts: without the bot's nothing goes, without the other one much does."""
        for key, sentence in self._dead.items():
            if key == BOT or BOT not in self._tokens.tokens:
                raise GivesUp(sentence)
            self._tell(f"{sentence} Until then I do without what only the streamer's account may do.")
            self._granted.pop(self.accounts.broadcaster, None)

    # Hearing ---------------------------------------------------------------------------------------------------------------

    def _hear(self, data: Any) -> None:
        try:
            note = notification(data, time.time())
        except (KeyError, TypeError, AttributeError):
            log.warning("a notification without head or body was left out")
            return
        self._ears.heard(note)

    async def _reconcile(self, client: _Client) -> str | None:
        """Mend what differs. Tells why the chat is not heard, nothing if it is; None if that is about to be known."""
        if is_moving(client):
            return None
        desired, lacking = wanted(self._ears.events(), self.accounts, self._granted)
        for source, scopes in lacking:
            self._tell(
                f"I cannot hear of {source.events[0]}: Twitch has not granted me {' or '.join(scopes)}. "
                "Grant it with: showcaller setup twitch."
            )
        live = {live_one(data): id for id, data in subscriptions_of(client).items()}
        change = difference(desired, live)
        now = time.monotonic()
        for subscription in change.missing:
            trouble = self._trouble.get(subscription)
            if trouble is None or trouble.again_at <= now:
                await self._subscribe(client, subscription, trouble)
        for subscription in change.extra:
            await self._unsubscribe(client, live[subscription])
        for gone in set(self._trouble) - desired:
            del self._trouble[gone]
        why = self._why_deaf(client)
        if not why:
            self._tell_what_is_not_heard({each.type for each in desired})
        return why

    def _tell_what_is_not_heard(self, desired: Collection[str]) -> None:
        """Tell once of what cannot be heard for long while the chat can, and once that it is heard again."""
        failing = {each.type: trouble for each, trouble in self._trouble.items() if not trouble.refused}
        for type in sorted(self._deaf - failing.keys()):
            self._deaf.remove(type)
            if type in desired:
                self._ears.notice(f"I hear of {BY_TYPE[type].events[0]} again.")
        for type, trouble in failing.items():
            if trouble.times >= DEAF_AFTER and type not in self._deaf:
                self._deaf.add(type)
                self._ears.notice(
                    f"I do not hear of {BY_TYPE[type].events[0]} at the moment: Twitch does not let me subscribe to it. "
                    "I keep trying; everything else goes on."
                )

    def _why_deaf(self, client: _Client) -> str:
        live = {live_one(data).type for data in subscriptions_of(client).values()}
        if "channel.chat.message" in live:
            return ""
        refused = any(each.refused for sub, each in self._trouble.items() if sub.type == "channel.chat.message")
        return "it does not let me read the chat" if refused else "its events do not reach me"

    async def _subscribe(self, client: _Client, subscription: Subscription, before: Trouble | None) -> None:
        status: int | None = None
        try:
            made = await client.subscribe_websocket(
                _Payload(subscription), as_bot=False, token_for=subscription.token_for
            )
            if made is not None:
                self._made(subscription)
                return
            await self._clear_away(subscription)
            made = await client.subscribe_websocket(
                _Payload(subscription), as_bot=False, token_for=subscription.token_for
            )
            if made is not None:
                self._made(subscription)
                return
        except HTTPException as error:
            status = error.status
            log.warning("not subscribed to %s: %s", subscription.type, self._refused(error))
        except _MAY_FAIL as error:
            log.warning("not subscribed to %s: %s", subscription.type, type(error).__name__)
        trouble = after_failure(before, time.monotonic(), status)
        self._trouble[subscription] = trouble
        if trouble.refused:
            self._tell(f"Twitch does not let me hear of {subscription.type}. {SIGN_IN_AGAIN}")

    def _made(self, subscription: Subscription) -> None:
        self._trouble.pop(subscription, None)
        self._anew |= subscription.type in ALWAYS

    async def _clear_away(self, subscription: Subscription) -> None:
        """Delete what stands in the way: a subscription of a process that is no more, or of a socket that is.

        One of another channel is another bot's of the same account.
        """
        mine = set() if self._client is None else {socket.session_id for socket in sockets_of(self._client)}
        in_the_way = [
            str(old["id"])
            async for old in self._subscribed(subscription)
            if old.get("transport", {}).get("session_id") not in mine
            and {key: value for key, value in (old.get("condition") or {}).items() if value}
            == dict(subscription.condition)
        ]
        for id in in_the_way:
            await self.ask(Request("DELETE", "eventsub/subscriptions", subscription.token_for, {"id": id}))

    async def _subscribed(self, subscription: Subscription) -> AsyncIterator[Mapping[str, Any]]:
        """All that Twitch keeps of its type, a page at a time."""
        query = {"type": subscription.type}
        while True:
            found = await self.ask(Request("GET", "eventsub/subscriptions", subscription.token_for, query))
            for each in found.get("data") or ():
                yield each
            cursor = (found.get("pagination") or {}).get("cursor")
            if not cursor:
                return
            query["after"] = str(cursor)

    async def _unsubscribe(self, client: _Client, id: str) -> None:
        try:
            await client.delete_websocket_subscription(id, force=True)
        except _MAY_FAIL as error:
            log.warning("a subscription could not be given back: %s", type(error).__name__)

    async def _note_rate(self, _: Any, __: Any, params: aiohttp.TraceRequestEndParams) -> None:
        if params.response.status == 429:
            reset = params.response.headers.get("Ratelimit-Reset", "")
            self._reset_at = float(reset) if reset.isdecimal() else None

    def _tell(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._ears.notice(sentence)


def _sign_in_again(token: Token) -> str:
    return f"Twitch no longer accepts the sign-in of {token.login or 'an account'}. {SIGN_IN_AGAIN}"
