"""A small Twitch on loopback, under the test's control: sign-in, Helix and EventSub's websocket.

It is strict where Twitch is: refresh tokens count once, a session without a subscription is closed after a while, a
subscription for a session that is gone is refused. Everything that comes in is written down; what goes out may be changed,
delayed or left out by the test.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

CHAT = "channel.chat.message"
WITHIN = 20.0
"""Seconds after which a test no longer waits for what should have happened."""


@dataclass
class Account:
    """Somebody on Twitch."""

    id: str
    login: str

    @property
    def name(self) -> str:
        return self.login.capitalize()


@dataclass
class Grant:
    """An access token."""

    account: Account
    scopes: tuple[str, ...]
    expires_in: int = 14_000
    valid: bool = True


@dataclass
class Call:
    """A request that came in."""

    verb: str
    path: str
    query: dict[str, list[str]]
    body: Any
    token: str
    cut: Callable[[], None] = lambda: None


@dataclass
class Answer:
    """What a test wants said in the place of the usual; a status of 0 cuts the line."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    before: Callable[[], Awaitable[None]] | None = None


@dataclass(eq=False)
class Session:
    """One websocket."""

    id: str
    ws: web.WebSocketResponse
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class FakeTwitch:
    """One Twitch for one test.

    Attributes:
        calls: Requests in their order.
        sessions: Open websockets in their order.
        greet: While clear, no welcome is sent.
        last_words: What comes on a socket that moves a moment after its new place has been welcomed.
        keep_session_ids: Whether a session keeps its id when it moves.
        unused_after: Seconds without a subscription after which a session is closed with 4003.
        held: Requests that are carried out and then never answered, as (verb, path, words in the body).
        no_moderators: Ids of those that are none when that is asked.
        issued: Every token and code that was ever handed out.
        echoes: Whether what the bot says comes back as a chat message, the bot being a moderator.
    """

    def __init__(self) -> None:
        self.accounts = {
            each.id: each for each in (Account("1", "streamer"), Account("2", "bot"), Account("3", "ninja"))
        }
        self.grants: dict[str, Grant] = {}
        self.refreshes: dict[str, tuple[Account, tuple[str, ...]]] = {}
        self.devices: dict[str, tuple[str, tuple[str, ...], Account | None]] = {}
        self.denied: set[str] = set()
        self.issued: set[str] = set()
        self.calls: list[Call] = []
        self.sessions: list[Session] = []
        self.welcomes = 0
        self.greet = asyncio.Event()
        self.greet.set()
        self.last_words: Mapping[str, Any] | None = None
        self.keep_session_ids = False
        self.unused_after = 10.0
        self.held: set[tuple[str, str, str]] = set()
        self.live = False
        self.no_moderators: set[str] = set()
        self.echoes = False
        self._answers: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        self._moving: dict[str, dict[str, dict[str, Any]]] = {}
        self._numbers = count(1)
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self.port = 0

    # Opening -------------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> "FakeTwitch":
        app = web.Application()
        app.router.add_get("/ws", self._websocket)
        app.router.add_post("/oauth2/device", self._device)
        app.router.add_post("/oauth2/token", self._token)
        app.router.add_get("/oauth2/validate", self._validate)
        app.router.add_route("*", "/helix/{path:.*}", self._helix)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Be gone, as in an outage; entering again brings it back under the same port."""
        if self._runner is not None:  # first of all: who is sent away comes again at once
            for site in tuple(self._runner.sites):
                await site.stop()
        for session in tuple(self.sessions):
            await self.drop(session, 1006)
        for task in tuple(self._tasks):
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def api_base(self) -> str:
        return f"http://127.0.0.1:{self.port}/helix/"

    @property
    def id_base(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def eventsub_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    # What a test says ------------------------------------------------------------------------------------------------------

    def grant(self, account: str, *scopes: str, expires_in: int = 14_000) -> tuple[str, str]:
        """A pair of tokens for somebody."""
        return self._grant(self.accounts[account], scopes, expires_in)

    def expire(self) -> None:
        """Let no access token count any more."""
        for grant in self.grants.values():
            grant.valid = False

    def answer(self, verb: str, path: str, status: int, body: Any = None, *, times: int = 1, **more: Any) -> None:
        """Answer the next requests of that path differently."""
        self._answers[verb, path].append(Answer(status, body, times=times, **more))

    def approve(self, user_code: str, account: str) -> None:
        """Let somebody type the code and agree."""
        for device, (code, scopes, _) in self.devices.items():
            if code == user_code:
                self.devices[device] = (code, scopes, self.accounts[account])

    def deny(self, user_code: str) -> None:
        """Let the code run out."""
        self.denied.add(user_code)

    def count(self, verb: str, path: str) -> int:
        """How many requests of that kind came."""
        return sum(call.verb == verb and call.path == path for call in self.calls)

    def made(self, verb: str, path: str) -> list[Call]:
        """The requests of that kind."""
        return [call for call in self.calls if call.verb == verb and call.path == path]

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds that can only change when something comes in or goes out."""
        async with asyncio.timeout(WITHIN), self._changed:
            await self._changed.wait_for(lambda: bool(holds()))

    async def subscribed(self, *types: str) -> None:
        """Wait until all of these are live."""
        await self.until(lambda: set(types) <= self.live_types())

    def live_types(self) -> set[str]:
        """The types of all live subscriptions."""
        return {sub["type"] for session in self.sessions for sub in session.subscriptions.values()}

    def session_of(self, type: str) -> Session:
        """The socket that hears of something."""
        return next(s for s in self.sessions if any(sub["type"] == type for sub in s.subscriptions.values()))

    async def notify(
        self,
        type: str,
        event: Mapping[str, Any],
        *,
        id: str | None = None,
        session: Session | None = None,
        at: str | None = None,
    ) -> str:
        """Tell of something on the socket that is subscribed to it, as of now or of then."""
        session = session or self.session_of(type)
        sub = next(sub for sub in session.subscriptions.values() if sub["type"] == type)
        id = id or f"notification-{next(self._numbers)}"
        meta = {"subscription_type": type, "subscription_version": sub["version"], "message_timestamp": at or NOW}
        await self._say(session, "notification", {"subscription": sub, "event": dict(event)}, id, **meta)
        return id

    async def keepalive(self) -> None:
        """Say on every socket that nothing happens."""
        for session in self.sessions:
            await self._say(session, "session_keepalive", {})

    async def move(self, session: Session) -> None:
        """Ask a socket to move to another place; it is still told of things until it is closed."""
        token = f"move-{next(self._numbers)}"
        self._moving[token] = session.subscriptions
        id = session.id if self.keep_session_ids else f"session-{next(self._numbers)}"
        url = f"{self.eventsub_url}?move={token}&id={id}"
        entry = {"id": session.id, "status": "reconnecting", "connected_at": NOW, "keepalive_timeout_seconds": None}
        await self._say(session, "session_reconnect", {"session": {**entry, "reconnect_url": url}})

    async def revoke(self, type: str) -> None:
        """Take a subscription away."""
        session = self.session_of(type)
        id = next(id for id, sub in session.subscriptions.items() if sub["type"] == type)
        sub = session.subscriptions.pop(id)
        await self._say(session, "revocation", {"subscription": {**sub, "status": "authorization_revoked"}})

    async def drop(self, session: Session, code: int) -> None:
        """Close a socket."""
        if session in self.sessions:
            self.sessions.remove(session)
        if code == 1006:  # no close frame at all
            transport = session.ws._req.transport if session.ws._req is not None else None
            if transport is not None:
                transport.close()
        else:
            with suppress(ConnectionError):
                await asyncio.wait_for(session.ws.close(code=code), 1.0)
        session.over.set()
        await self._note()

    # Sign-in -----------------------------------------------------------------------------------------------------------------

    async def _device(self, request: web.Request) -> web.Response:
        call = await self._written(request)
        if (special := await self._special(call)) is not None:
            return special
        number = next(self._numbers)
        scopes = tuple(call.query.get("scopes", [""])[0].replace("+", " ").split())
        self.devices[f"device-{number}"] = (f"CODE{number}", scopes, None)
        self.issued.add(f"device-{number}")
        return web.json_response(
            {
                "device_code": f"device-{number}",
                "user_code": f"CODE{number}",
                "verification_uri": f"https://www.twitch.tv/activate?device-code=CODE{number}",
                "interval": 0,
                "expires_in": 1800,
            }
        )

    async def _token(self, request: web.Request) -> web.Response:
        call = await self._written(request)
        if (special := await self._special(call)) is not None:
            return special
        kind = call.query["grant_type"][0]
        if kind == "refresh_token":
            pair = self.refreshes.pop(call.query["refresh_token"][0], None)
            if pair is None:
                return _error(400, "Invalid refresh token")
            return self._pair(*pair)
        code, scopes, account = self.devices.get(call.query["device_code"][0], ("", (), None))
        if code in self.denied or not code:
            return _error(400, "invalid device code")
        if account is None:
            return _error(400, "authorization_pending")
        return self._pair(account, scopes)

    async def _validate(self, request: web.Request) -> web.Response:
        call = await self._written(request)
        if (special := await self._special(call)) is not None:
            return special
        grant = self.grants.get(call.token)
        if grant is None or not grant.valid:
            return _error(401, "invalid access token")
        who = grant.account
        return web.json_response(
            {
                "client_id": "client",
                "login": who.login,
                "scopes": list(grant.scopes),
                "user_id": who.id,
                "expires_in": grant.expires_in,
            }
        )

    def _grant(self, account: Account, scopes: tuple[str, ...], expires_in: int) -> tuple[str, str]:
        number = next(self._numbers)
        access, refresh = f"access-token-{number}", f"refresh-token-{number}"
        self.grants[access] = Grant(account, scopes, expires_in)
        self.refreshes[refresh] = (account, scopes)
        self.issued |= {access, refresh}
        return access, refresh

    def _pair(self, account: Account, scopes: tuple[str, ...]) -> web.Response:
        access, refresh = self._grant(account, scopes, 14_000)
        body = {"access_token": access, "refresh_token": refresh, "scope": list(scopes), "token_type": "bearer"}
        return web.json_response({**body, "expires_in": 14_000})

    # Helix ---------------------------------------------------------------------------------------------------------------------

    async def _helix(self, request: web.Request) -> web.Response:
        call = await self._written(request)
        if (special := await self._special(call)) is not None:
            return special
        answer = await self._carried_out(call)
        if any((call.verb, call.path) == (verb, path) and words in str(call.body) for verb, path, words in self.held):
            await asyncio.Event().wait()
        return answer

    async def _carried_out(self, call: Call) -> web.Response:
        grant = self.grants.get(call.token)
        if grant is None or not grant.valid:
            return _error(401, "Invalid OAuth token")
        match call.verb, call.path:
            case "GET", "users":
                return web.json_response({"data": self._users(call)})
            case "POST", "eventsub/subscriptions":
                return await self._subscribe(call)
            case "GET", "eventsub/subscriptions":
                subs = [sub for session in self.sessions for sub in session.subscriptions.values()]
                return web.json_response(
                    {"data": subs, "total": len(subs), "total_cost": 0, "max_total_cost": 10, "pagination": {}}
                )
            case "DELETE", "eventsub/subscriptions":
                for session in self.sessions:
                    session.subscriptions.pop(call.query["id"][0], None)
                await self._note()
                return web.Response(status=204)
            case "POST", "chat/messages":
                id = f"sent-{next(self._numbers)}"
                if self.echoes:
                    own = chat_message(call.body["message"], id=id, login="bot", user="2", badges=("moderator",))
                    self._start(self._echoed(own))
                return web.json_response({"data": [{"message_id": id, "is_sent": True, "drop_reason": None}]})
            case "GET", "moderation/moderators":
                asked = [id for id in call.query.get("user_id", []) if id not in self.no_moderators]
                return web.json_response({"data": [{"user_id": id} for id in asked]})
            case "GET", "streams":
                stream = {
                    "id": "9",
                    "user_login": "streamer",
                    "title": "Hello",
                    "game_name": "Chess",
                    "viewer_count": 12,
                    "started_at": NOW,
                }
                return web.json_response({"data": [stream] if self.live else []})
            case "GET", _:
                return web.json_response({"data": []})
            case _:
                return web.Response(status=204)

    def _users(self, call: Call) -> list[dict[str, Any]]:
        logins, ids = call.query.get("login", []), call.query.get("id", [])
        return [
            {
                "id": each.id,
                "login": each.login,
                "display_name": each.name,
                "type": "",
                "broadcaster_type": "",
                "description": "",
                "profile_image_url": "",
                "offline_image_url": "",
                "created_at": NOW,
            }
            for each in self.accounts.values()
            if each.login in logins or each.id in ids
        ]

    async def _subscribe(self, call: Call) -> web.Response:
        wanted = call.body
        session = next((s for s in self.sessions if s.id == wanted["transport"]["session_id"]), None)
        if session is None:
            return _error(400, "websocket transport session does not exist or has already disconnected")
        for other in self.sessions:
            for id, sub in other.subscriptions.items():
                if (sub["type"], sub["condition"]) == (wanted["type"], wanted["condition"]):
                    return _error(409, f"subscription already exists; id={id}")
        id = f"subscription-{next(self._numbers)}"
        sub = {"id": id, "status": "enabled", "cost": 0, "created_at": NOW, **wanted}
        session.subscriptions[id] = sub
        await self._note()
        return web.json_response({"data": [sub], "total": 1, "total_cost": 0, "max_total_cost": 10}, status=202)

    async def _echoed(self, own: Mapping[str, Any]) -> None:
        await self.notify("channel.chat.message", own)

    # EventSub ------------------------------------------------------------------------------------------------------------------

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await self.greet.wait()
        subscriptions = self._moving.pop(request.query.get("move", ""), None)
        id = request.query.get("id") or f"session-{next(self._numbers)}"
        session = Session(id, ws, subscriptions if subscriptions is not None else {})
        old = [each for each in self.sessions if subscriptions is not None and each.subscriptions is subscriptions]
        self.sessions.append(session)
        self.welcomes += 1
        entry = {
            "id": id,
            "status": "connected",
            "connected_at": NOW,
            "keepalive_timeout_seconds": 10,
            "reconnect_url": None,
        }
        await self._say(session, "session_welcome", {"session": entry})
        for each in old:  # what is told from now on is told here
            self.sessions.remove(each)
            if self.last_words is not None:
                self._start(self._late(self.last_words, each))
        self._start(self._close_unused(session))
        await self._note()
        try:
            async for message in ws:
                assert message.type is not WSMsgType.TEXT, "a client must not send anything"
        finally:
            session.over.set()
            if session in self.sessions:
                self.sessions.remove(session)
            await self._note()
        return ws

    async def _late(self, event: Mapping[str, Any], session: Session) -> None:
        await asyncio.sleep(0.1)
        with suppress(ConnectionError):
            await self.notify(CHAT, event, session=session)

    async def _close_unused(self, session: Session) -> None:
        await asyncio.sleep(self.unused_after)
        if session in self.sessions and not session.subscriptions:
            await self.drop(session, 4003)

    async def _say(self, session: Session, type: str, payload: Any, id: str | None = None, **meta: str) -> None:
        id = id or f"message-{next(self._numbers)}"
        head = {"message_id": id, "message_type": type, "message_timestamp": NOW, **meta}
        await session.ws.send_str(json.dumps({"metadata": head, "payload": payload}))

    # Bookkeeping ---------------------------------------------------------------------------------------------------------------

    async def _written(self, request: web.Request) -> Call:
        text = await request.text()
        head = request.headers.get("Authorization", "")
        token = head.removeprefix("Bearer ").removeprefix("OAuth ")
        query = {key: request.query.getall(key) for key in request.query}
        path = request.path.removeprefix("/helix/").removeprefix("/")

        def cut() -> None:
            if request.transport is not None:
                request.transport.abort()

        call = Call(request.method, path, query, json.loads(text) if text.startswith(("{", "[")) else text, token, cut)
        self.calls.append(call)
        await self._note()
        return call

    async def _special(self, call: Call) -> web.Response | None:
        planned = self._answers.get((call.verb, call.path))
        if not planned:
            return None
        answer = planned[0]
        answer.times -= 1
        if answer.times <= 0:
            planned.pop(0)
        if answer.before is not None:
            await answer.before()
        if answer.status == 0:
            call.cut()
            return web.Response()
        if answer.status >= 400 and not isinstance(answer.body, dict):
            return _error(answer.status, str(answer.body or "no"), answer.headers)
        if answer.status == 204:
            return web.Response(status=204)
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _note(self) -> None:
        async with self._changed:
            self._changed.notify_all()


NOW = "2026-11-21T12:00:00.123456789Z"


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    names = {
        400: "Bad Request",
        401: "Unauthorized",
        403: "Forbidden",
        404: "Not Found",
        409: "Conflict",
        429: "Too Many Requests",
    }
    body = {"error": names.get(status, "Error"), "status": status, "message": message}
    return web.json_response(body, status=status, headers=headers)


def chat_message(
    text: str, *, id: str = "m1", user: str = "3", login: str = "ninja", badges: tuple[str, ...] = (), **more: Any
) -> dict[str, Any]:
    """The event of `channel.chat.message`."""
    return {
        "broadcaster_user_id": "1",
        "broadcaster_user_login": "streamer",
        "broadcaster_user_name": "Streamer",
        "chatter_user_id": user,
        "chatter_user_login": login,
        "chatter_user_name": login.capitalize(),
        "message_id": id,
        "message": {
            "text": text,
            "fragments": [{"type": "text", "text": text, "cheermote": None, "emote": None, "mention": None}],
        },
        "color": "",
        "badges": [{"set_id": badge, "id": "1", "info": ""} for badge in badges],
        "message_type": "text",
        "cheer": None,
        "reply": None,
        "channel_points_custom_reward_id": None,
        "channel_points_animation_id": None,
        "source_broadcaster_user_id": None,
        "source_broadcaster_user_login": None,
        "source_broadcaster_user_name": None,
        "source_message_id": None,
        "source_badges": None,
        **more,
    }
