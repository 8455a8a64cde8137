"""A Discord on loopback: the part of its REST and gateway that a bot in one server uses, under the test's control.

It answers as the real one does where clients depend on it: bodies are exactly `application/json`, ids are strings, a
resumed session gets what it missed, a nonce that was seen gives the message it made. What a test wants to go wrong it
plans: answers in the place of the real ones, gateway closings, silence.
"""

import asyncio
import itertools
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import WSMsgType, web

TOKEN = "MTA.test.token-of-the-bot"
EPOCH = 1_420_070_400_000
POSTS_WITHIN = 5.0
"""Seconds for which a channel's posts are counted together."""
_counter = itertools.count(1)

Json = dict[str, Any]


def snowflake(at: float | None = None) -> str:
    """An id as Discord makes them: by time, then counted."""
    moment = time.time() if at is None else at
    return str((int(moment * 1000) - EPOCH << 22) | (next(_counter) & 0x3FFFFF))


@dataclass
class Call:
    """A request that came in."""

    method: str
    path: str
    body: Any
    files: dict[str, bytes]
    headers: dict[str, str]
    query: dict[str, str]
    turned_away: bool = False


@dataclass
class Planned:
    """An answer in the place of the real one."""

    method: str
    path: re.Pattern[str]
    status: int
    body: Any
    headers: dict[str, str]
    times: int
    after: bool
    text: str | None

    def meets(self, call: Call) -> bool:
        """Whether it is this request's answer."""
        said = self.text is None or (isinstance(call.body, dict) and call.body.get("content") == self.text)
        return said and self.method == call.method and self.path.fullmatch(call.path) is not None


@dataclass
class Session:
    """A gateway session; its connection may be lost and taken up again."""

    id: str
    intents: int
    socket: web.WebSocketResponse | None
    seq: int = 0
    sent: list[Json] = field(default_factory=list)


@dataclass
class Bucket:
    """What a channel still takes, until when."""

    left: int
    until: float


@dataclass
class Interaction:
    """Something a person used, and what the bot answered to it."""

    id: str
    token: str
    data: Json
    callbacks: list[Json] = field(default_factory=list)
    followups: list[Json] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """Everything that was answered in words."""
        said = [callback.get("data", {}) or {} for callback in self.callbacks]
        return [each["content"] for each in (*said, *self.followups) if each.get("content")]

    @property
    def choices(self) -> list[str]:
        """What an autocomplete offers."""
        return [choice["value"] for callback in self.callbacks for choice in callback["data"].get("choices", ())]


class DiscordServer:
    """One server ("guild") with one bot in it.

    Attributes:
        calls: Every request, in order.
        mo: Somebody who may manage the server.
        viewer: Somebody who may nothing.
        accept: Whether the gateway takes connections.
        close_at_identify: A code to close with instead of READY.
        acknowledge: Whether heartbeats are answered.
        heartbeat: Milliseconds between them.
        echo_nonce: Whether messages that are looked up show their nonce.
        clock: What its clock shows, in UTC seconds.
        invited: Whether the bot is in it.
        posts: How many messages a channel takes in five seconds; None if any number.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.interactions: list[Interaction] = []
        self.sessions: dict[str, Session] = {}
        self.identified: list[Json] = []
        self.resumed: list[Json] = []
        self.accept = True
        self.acknowledge = True
        self.close_at_identify: int | None = None
        self.heartbeat = 41_250
        self.echo_nonce = True
        self.clock: Callable[[], float] = time.time
        self.posts: int | None = None
        self._buckets: dict[str, Bucket] = {}
        self.invalid_token = False
        self.commands: dict[str, list[Json]] = {}
        self.messages: dict[str, dict[str, Json]] = {}
        self.uploads: dict[str, bytes] = {}
        self._planned: list[Planned] = []
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self._port = 0
        self.me = {"id": snowflake(), "username": "showcaller", "discriminator": "0", "avatar": None, "bot": True}
        self.application = snowflake()
        self.owner = user("streamer")
        self.guild = snowflake()
        self.roles: dict[str, Json] = {}
        self.channels: dict[str, Json] = {}
        self.members: dict[str, Json] = {}
        self.other_guilds: list[Json] = []
        self.invited = True
        self._role(self.guild, "@everyone", 0x400 | 0x800 | 0x40 | 0x10000 | 0x2000)
        self.add_channel("general")
        self.add_member(self.owner)
        self.add_member(self.me, self.add_role("bot", 0x8))
        self.crew = self.add_role("Crew", 0x20)
        self.mo = self.add_member(user("mo", shown="Mo the Great"), self.crew)
        self.viewer = self.add_member(user("bob"))

    # The world ---------------------------------------------------------------------------------------------------------

    def _role(self, id: str, name: str, permissions: int) -> str:
        self.roles[id] = {
            "id": id,
            "name": name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "position": len(self.roles),
            "permissions": str(permissions),
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }
        return id

    def add_role(self, name: str, permissions: int = 0) -> str:
        """A role."""
        return self._role(snowflake(), name, permissions)

    def add_channel(self, name: str, kind: int = 0) -> str:
        """A channel; kind 2 is for voice."""
        id = snowflake()
        self.channels[id] = {
            "id": id,
            "type": kind,
            "name": name,
            "guild_id": self.guild,
            "position": len(self.channels),
            "permission_overwrites": [],
            "nsfw": False,
            "parent_id": None,
            "last_message_id": None,
        }
        if kind == 2:
            self.channels[id] |= {"bitrate": 64_000, "user_limit": 0}
        self.messages[id] = {}
        return id

    def add_member(self, person: Json, *roles: str, joined_at: str = "2026-01-01T00:00:00+00:00") -> Json:
        """Somebody who is there from the beginning; `join` for later."""
        self.members[person["id"]] = {
            "user": person,
            "roles": list(roles),
            "joined_at": joined_at,
            "deaf": False,
            "mute": False,
            "flags": 0,
        }
        return person

    def _written(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(self.clock()))

    @property
    def general(self) -> str:
        """The first text channel."""
        return next(iter(self.channels))

    def _guild(self) -> Json:
        return {
            "id": self.guild,
            "name": "Home",
            "owner_id": self.owner["id"],
            "unavailable": False,
            "member_count": len(self.members),
            "large": False,
            "roles": list(self.roles.values()),
            "channels": list(self.channels.values()),
            "members": list(self.members.values()),
            "emojis": [],
            "stickers": [],
            "threads": [],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "features": [],
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "premium_progress_bar_enabled": False,
            "system_channel_flags": 0,
            "preferred_locale": "en-US",
            "afk_timeout": 300,
            "afk_channel_id": None,
            "system_channel_id": None,
            "icon": None,
            "joined_at": "2026-01-01T00:00:00+00:00",
        }

    # Serving -----------------------------------------------------------------------------------------------------------

    async def start(self, port: int = 0) -> Self:
        """Listen on a port of loopback."""
        app = web.Application(client_max_size=30_000_000)
        app.router.add_get("/gateway/", self._gateway)
        app.router.add_get("/files/{name}", self._file)
        app.router.add_route("*", "/api/v10/{path:.*}", self._rest)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port or self._port)
        await site.start()
        assert site._server is not None
        self._port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        return self

    async def stop(self) -> None:
        """Be gone, connections and all; `start` brings it back at the same place."""
        if self._runner is not None:  # first of all: who is sent away comes again at once
            for site in tuple(self._runner.sites):
                await site.stop()
        for session in self.sessions.values():
            if session.socket is not None and not session.socket.closed:
                await session.socket.close(code=1001)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def api_base(self) -> str:
        """Where its REST is."""
        return f"http://127.0.0.1:{self._port}/api/v10"

    @property
    def gateway_url(self) -> str:
        """Where its gateway is."""
        return f"ws://127.0.0.1:{self._port}/gateway/"

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a bot that is at home in it."""
        return {
            "discord.api_base": self.api_base,
            "discord.gateway_url": self.gateway_url,
            "discord.guilds": self.guild,
        }

    async def until(self, holds: Callable[[], Any], within: float = 10.0) -> Any:
        """Wait until something holds; looked at whenever anything happens here, and now and then."""
        deadline = time.monotonic() + within
        async with self._changed:
            while not (found := holds()):
                left = deadline - time.monotonic()
                if left <= 0:
                    trail = "\n".join(f"{call.method} {call.path} {call.body}" for call in self.calls[-20:])
                    raise AssertionError(f"waited {within:g} s in vain; the last requests:\n{trail}")
                try:
                    await asyncio.wait_for(self._changed.wait(), min(left, 0.05))
                except TimeoutError:
                    continue
        return found

    async def _happened(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def plan(
        self,
        method: str,
        path: str,
        status: int,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        times: int = 1,
        after: bool = False,
        text: str | None = None,
    ) -> None:
        """Answer the next such requests so, if given a text only those that say it.

        With `after` the request is carried out first, and only its answer is lost.
        """
        shown = {"message": "planned", "code": 0} if body is None else body
        self._planned.append(Planned(method, re.compile(path), status, shown, headers or {}, times, after, text))

    def forget_plans(self) -> None:
        """Answer everything as usual again."""
        self._planned.clear()

    def rate_limited(self, method: str, path: str, retry_after: float = 0.05, text: str | None = None) -> None:
        """Answer the next such request with 429, as Discord itself does (and not what stands before it)."""
        body = {"message": "You are being rate limited.", "retry_after": retry_after, "global": False}
        self.plan(method, path, 429, body, headers={"Via": "1.1 google", "Retry-After": str(retry_after)}, text=text)

    def made(self, method: str, path: str) -> list[Call]:
        """The requests that came in, of one kind."""
        return [call for call in self.calls if call.method == method and re.fullmatch(path, call.path)]

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.uploads[request.match_info["name"]], content_type="application/octet-stream")

    async def _rest(self, request: web.Request) -> web.Response:
        path = "/" + request.match_info["path"]
        body, files = await _read(request)
        call = Call(request.method, path, body, files, dict(request.headers), dict(request.query))
        self.calls.append(call)
        for planned in self._planned:
            if planned.meets(call):
                planned.times -= 1
                if not planned.times:
                    self._planned.remove(planned)
                if planned.after:
                    await self._answer(call)
                await self._happened()
                return _json(planned.body, planned.status, planned.headers)
        if self.invalid_token or call.headers.get("Authorization", f"Bot {TOKEN}") != f"Bot {TOKEN}":
            return _json({"message": "401: Unauthorized", "code": 0}, 401)
        response = await self._answer(call)
        await self._happened()
        return response

    async def _answer(self, call: Call) -> web.Response:
        for method, pattern, handler in _ROUTES:
            match = re.fullmatch(pattern, call.path)
            if match is not None and method == call.method:
                return await handler(self, call, *match.groups())
        return _json({"message": f"404: {call.method} {call.path} is not served here", "code": 0}, 404)

    # REST --------------------------------------------------------------------------------------------------------------

    async def _get_me(self, _: Call) -> web.Response:
        return _json(self.me)

    async def _get_guilds(self, _: Call) -> web.Response:
        return _json([{"id": each["id"], "name": each["name"]} for each in (*self.homes, *self.other_guilds)])

    async def _get_guild(self, _: Call, guild: str) -> web.Response:
        return _json(next(each for each in (*self.homes, *self.other_guilds) if each["id"] == guild))

    async def _get_channels(self, _: Call, guild: str) -> web.Response:
        return _json(next(each["channels"] for each in (*self.homes, *self.other_guilds) if each["id"] == guild))

    @property
    def homes(self) -> list[Json]:
        """The server itself, if the bot has been asked into it."""
        return [self._guild()] if self.invited else []

    async def _get_application(self, _: Call) -> web.Response:
        return _json(self._application())

    def _application(self) -> Json:
        return {
            "id": self.application,
            "name": "showcaller",
            "icon": None,
            "description": "",
            "bot_public": False,
            "bot_require_code_grant": False,
            "verify_key": "0",
            "flags": 0,
            "owner": self.owner,
            "team": None,
            "summary": "",
        }

    async def _put_commands(self, call: Call, guild: str) -> web.Response:
        registered = [
            {"options": [], **command, "id": snowflake(), "application_id": self.application, "version": snowflake()}
            | {"guild_id": guild}
            for command in call.body
        ]
        self.commands[guild] = registered
        return _json(registered)

    async def _post_message(self, call: Call, channel: str) -> web.Response:
        if channel not in self.messages:
            return _json({"message": "Unknown Channel", "code": 10003}, 404)
        if self.posts is None:
            return await self._posted(call, channel)
        now = time.monotonic()
        bucket = self._buckets.get(channel)
        if bucket is None or bucket.until <= now:
            bucket = self._buckets[channel] = Bucket(self.posts, now + POSTS_WITHIN)
        rest = f"{bucket.until - now:.3f}"
        if not bucket.left:
            call.turned_away = True
            body = {"message": "You are being rate limited.", "retry_after": float(rest), "global": False}
            return _json(body, 429, {"Via": "1.1 google", "Retry-After": rest})
        bucket.left -= 1
        answer = await self._posted(call, channel)
        answer.headers.update(
            {
                "X-RateLimit-Bucket": "posts",
                "X-RateLimit-Limit": str(self.posts),
                "X-RateLimit-Remaining": str(bucket.left),
                "X-RateLimit-Reset-After": rest,
            }
        )
        return answer

    async def _posted(self, call: Call, channel: str) -> web.Response:
        body = dict(call.body or {})
        if len(body.get("content") or "") > 2_000:
            return _json({"message": "Invalid Form Body", "code": 50035, "errors": {}}, 400)
        nonce = body.get("nonce")
        if nonce is not None and body.get("enforce_nonce"):
            for known in self.messages[channel].values():
                if known.get("nonce") == str(nonce):
                    return _json(known)
        message = self._keep(channel, self.me, body, files=call.files)
        await self.dispatch("MESSAGE_CREATE", self._event_of(message))
        return _json(message)

    def _keep(
        self, channel: str, author: Json, body: Json, *, id: str | None = None, files: dict[str, bytes] | None = None
    ) -> Json:
        message: Json = {
            "id": id or snowflake(self.clock()),
            "channel_id": channel,
            "author": author,
            "content": body.get("content") or "",
            "timestamp": self._written(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": body.get("embeds") or [],
            "components": body.get("components") or [],
            "pinned": False,
            "type": 0,
            "flags": body.get("flags") or 0,
        }
        for name, content in (files or {}).items():
            message["attachments"].append(self._upload(name, content))
        if body.get("nonce") is not None:
            message["nonce"] = str(body["nonce"])
        self.messages.setdefault(channel, {})[message["id"]] = message
        return message

    def _upload(self, name: str, content: bytes) -> Json:
        self.uploads[name] = content
        url = f"http://127.0.0.1:{self._port}/files/{name}"
        return {"id": snowflake(), "filename": name, "size": len(content), "url": url, "proxy_url": url}

    def _event_of(self, message: Json) -> Json:
        """A message as the gateway sends it: with its author's membership."""
        member = self.members.get(message["author"]["id"])
        if message["channel_id"] not in self.channels or member is None:
            return message
        return {**message, "guild_id": self.guild, "member": {key: member[key] for key in member if key != "user"}}

    async def _get_messages(self, call: Call, channel: str) -> web.Response:
        found = [dict(message) for message in reversed(self.messages.get(channel, {}).values())]
        if after := call.query.get("after"):
            found = [message for message in found if int(message["id"]) > int(after)]
        if not self.echo_nonce:
            for message in found:
                message.pop("nonce", None)
        return _json(found[: int(call.query.get("limit", 50))])

    async def _get_message(self, _: Call, channel: str, id: str) -> web.Response:
        message = self.messages.get(channel, {}).get(id)
        return _json(message) if message else _json({"message": "Unknown Message", "code": 10008}, 404)

    async def _patch_message(self, call: Call, channel: str, id: str) -> web.Response:
        message = self.messages.get(channel, {}).get(id)
        if message is None:
            return _json({"message": "Unknown Message", "code": 10008}, 404)
        message |= {key: value for key, value in call.body.items() if key in message and value is not None}
        if "components" in call.body:
            message["components"] = call.body["components"] or []
        return _json(message)

    async def _delete_message(self, _: Call, channel: str, id: str) -> web.Response:
        if self.messages.get(channel, {}).pop(id, None) is None:
            return _json({"message": "Unknown Message", "code": 10008}, 404)
        return web.Response(status=204)

    async def _nothing(self, *_: Any) -> web.Response:
        return web.Response(status=204)

    async def _thread(self, call: Call, channel: str, message: str | None = None) -> web.Response:
        id = message or snowflake()
        self.messages[id] = {}
        thread = {
            "id": id,
            "type": 11,
            "name": call.body["name"],
            "guild_id": self.guild,
            "parent_id": channel,
            "owner_id": self.me["id"],
            "message_count": 0,
            "member_count": 1,
            "rate_limit_per_user": 0,
            "thread_metadata": {
                "archived": False,
                "auto_archive_duration": 1440,
                "archive_timestamp": "2026-01-01T00:00:00+00:00",
                "locked": False,
            },
        }
        return _json(thread, 201)

    async def _get_member(self, _: Call, guild: str, id: str) -> web.Response:
        member = self.members.get(id) if guild == self.guild else None
        return _json(member) if member else _json({"message": "Unknown Member", "code": 10007}, 404)

    async def _search_members(self, call: Call, _guild: str) -> web.Response:
        query = call.query["query"].casefold()
        found = [each for each in self.members.values() if each["user"]["username"].casefold().startswith(query)]
        return _json(found[: int(call.query.get("limit", 1))])

    async def _patch_member(self, call: Call, _guild: str, id: str) -> web.Response:
        self.members[id] |= call.body
        return _json(self.members[id])

    async def _put_role(self, _: Call, _guild: str, id: str, role: str) -> web.Response:
        self.members[id]["roles"] = [*{*self.members[id]["roles"], role}]
        return web.Response(status=204)

    async def _delete_role(self, _: Call, _guild: str, id: str, role: str) -> web.Response:
        self.members[id]["roles"] = [each for each in self.members[id]["roles"] if each != role]
        return web.Response(status=204)

    async def _open_dm(self, call: Call) -> web.Response:
        person = str(call.body["recipient_id"])
        id = alone_with(person)
        self.messages.setdefault(id, {})
        return _json({"id": id, "type": 1, "last_message_id": None, "recipients": [self.members[person]["user"]]})

    async def _callback(self, call: Call, id: str, token: str) -> web.Response:
        interaction = next((each for each in self.interactions if (each.id, each.token) == (id, token)), None)
        if interaction is None:
            return _json({"message": "Unknown interaction", "code": 10062}, 404)
        if interaction.callbacks:
            return _json({"message": "Interaction has already been acknowledged.", "code": 40060}, 400)
        interaction.callbacks.append(call.body)
        made: Json = {
            "interaction": {"id": id, "type": interaction.data["type"]},
            "resource": {"type": call.body["type"]},
        }
        if call.body["type"] in (4, 5):
            message = self._keep(interaction.data["channel_id"], self.me, call.body.get("data") or {})
            made["interaction"] |= {
                "response_message_id": message["id"],
                "response_message_ephemeral": False,
                "response_message_loading": call.body["type"] == 5,
            }
            made["resource"]["message"] = message
        if call.body["type"] == 7:
            interaction.data["message"] |= {k: v for k, v in call.body["data"].items() if v is not None}
            made["resource"]["message"] = interaction.data["message"]
        if call.query.get("with_response"):
            return _json(made)
        return web.Response(status=204)

    def _of_token(self, token: str) -> Interaction | None:
        return next((each for each in self.interactions if each.token == token), None)

    async def _followup(self, call: Call, _application: str, token: str) -> web.Response:
        interaction = self._of_token(token)
        if interaction is None:
            return _json({"message": "Unknown Webhook", "code": 10015}, 404)
        interaction.followups.append(call.body)
        interaction.files |= call.files
        message = self._keep(interaction.data["channel_id"], self.me, call.body, files=call.files)
        return _json({**message, "webhook_id": self.application})

    async def _edit_original(self, call: Call, _application: str, token: str) -> web.Response:
        interaction = self._of_token(token)
        if interaction is None:
            return _json({"message": "Unknown Webhook", "code": 10015}, 404)
        if interaction.data["type"] == 3:  # of a press, the original is the message with the button
            interaction.data["message"] |= {key: value for key, value in call.body.items() if value is not None}
            return _json(interaction.data["message"])
        interaction.followups.append(call.body)
        interaction.files |= call.files
        return _json(self._keep(interaction.data["channel_id"], self.me, call.body, files=call.files))

    # The gateway ---------------------------------------------------------------------------------------------------------

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        if not self.accept:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": self.heartbeat}, "s": None, "t": None})
        async for frame in socket:
            if frame.type != WSMsgType.TEXT:
                break
            await self._gateway_frame(socket, json.loads(frame.data))
        await self._happened()
        return socket

    async def _gateway_frame(self, socket: web.WebSocketResponse, said: Json) -> None:
        match said["op"]:
            case 1:
                if self.acknowledge:
                    await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
            case 2:
                await self._identify(socket, said["d"])
            case 6:
                await self._resume(socket, said["d"])
            case 8:
                asked = said["d"]
                await self._chunk(socket, asked)
            case _:
                pass
        await self._happened()

    async def _identify(self, socket: web.WebSocketResponse, asked: Json) -> None:
        self.identified.append(asked)
        if self.close_at_identify is not None:
            await socket.close(code=self.close_at_identify)
            return
        session = Session(f"session-{len(self.sessions)}", asked["intents"], socket)
        self.sessions[session.id] = session
        guilds = [*self.homes, *self.other_guilds]
        ready = {
            "v": 10,
            "user": self.me,
            "session_id": session.id,
            "resume_gateway_url": self.gateway_url,
            "application": {"id": self.application, "flags": 0},
            "guilds": [{"id": guild["id"], "unavailable": True} for guild in guilds],
            "private_channels": [],
        }
        await self._send(session, "READY", ready)
        for guild in guilds:
            await self._send(session, "GUILD_CREATE", guild)

    async def _resume(self, socket: web.WebSocketResponse, asked: Json) -> None:
        self.resumed.append(asked)
        session = self.sessions.get(asked["session_id"])
        if session is None:
            await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
            return
        session.socket = socket
        for missed in [each for each in session.sent if each["s"] > asked["seq"]]:
            await socket.send_json(missed)
        await self._send(session, "RESUMED", {})

    async def _chunk(self, socket: web.WebSocketResponse, asked: Json) -> None:
        session = next(each for each in self.sessions.values() if each.socket is socket)
        chunk = {
            "guild_id": asked["guild_id"],
            "members": list(self.members.values()),
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [],
            "nonce": asked.get("nonce"),
        }
        await self._send(session, "GUILD_MEMBERS_CHUNK", chunk)

    async def _send(self, session: Session, name: str, data: Json) -> None:
        session.seq += 1
        frame = {"op": 0, "t": name, "s": session.seq, "d": data}
        session.sent.append(frame)
        if session.socket is not None and not session.socket.closed:
            await session.socket.send_json(frame)

    @property
    def session(self) -> Session:
        """The latest session."""
        return list(self.sessions.values())[-1]

    async def dispatch(self, name: str, data: Json) -> None:
        """Tell the bot that something happened; a session without a connection gets it when it resumes."""
        if self.sessions:
            await self._send(self.session, name, data)

    async def operate(self, op: int, data: Any = None) -> None:
        """Say something that is no event: 7 = reconnect, 9 = the session is invalid."""
        assert self.session.socket is not None
        await self.session.socket.send_json({"op": op, "d": data, "s": None, "t": None})

    async def drop(self, code: int = 1001) -> None:
        """Close the connection."""
        assert self.session.socket is not None
        await self.session.socket.close(code=code)

    # What people do ------------------------------------------------------------------------------------------------------

    async def say(
        self,
        person: Json,
        text: str,
        channel: str | None = None,
        *,
        files: dict[str, bytes] | None = None,
        webhook: str | None = None,
    ) -> str:
        """Somebody writes; tells the message's id."""
        message = self._keep(channel or self.general, person, {"content": text}, files=files)
        event = self._event_of(message)
        if webhook is not None:
            event = {**event, "webhook_id": webhook}
            event.pop("member", None)
        await self.dispatch("MESSAGE_CREATE", event)
        return str(message["id"])

    async def react(
        self, person: Json, message: str, emoji: str, *, add: bool = True, channel: str | None = None
    ) -> None:
        """Somebody reacts, or takes a reaction back."""
        data: Json = {
            "user_id": person["id"],
            "channel_id": channel or self.general,
            "message_id": message,
            "guild_id": self.guild,
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "type": 0,
        }
        if add:
            data["member"] = self.members[person["id"]]
        await self.dispatch("MESSAGE_REACTION_ADD" if add else "MESSAGE_REACTION_REMOVE", data)

    async def join(self, person: Json) -> None:
        """Somebody comes into the server."""
        self.add_member(person, joined_at=self._written())
        await self.dispatch("GUILD_MEMBER_ADD", {**self.members[person["id"]], "guild_id": self.guild})

    async def leave(self, person: Json) -> None:
        """Somebody leaves."""
        self.members.pop(person["id"], None)
        await self.dispatch("GUILD_MEMBER_REMOVE", {"guild_id": self.guild, "user": person})

    async def give(self, person: Json, *roles: str) -> None:
        """Somebody's roles are now these."""
        self.members[person["id"]]["roles"] = list(roles)
        await self.dispatch("GUILD_MEMBER_UPDATE", {**self.members[person["id"]], "guild_id": self.guild})

    async def voice(self, person: Json, channel: str | None) -> None:
        """Somebody goes into a voice channel, or out of it."""
        state = {
            "guild_id": self.guild,
            "channel_id": channel,
            "user_id": person["id"],
            "member": self.members[person["id"]],
            "session_id": f"voice-{person['id']}",
            **dict.fromkeys(("deaf", "mute", "self_deaf", "self_mute", "self_video", "suppress"), False),
        }
        await self.dispatch("VOICE_STATE_UPDATE", state)

    async def _interact(self, person: Json, kind: int, data: Json, channel: str | None, **more: Any) -> Interaction:
        id, token = snowflake(self.clock()), f"token-{snowflake()}"
        where = channel or self.general
        permissions = self._permissions(person)
        event: Json = {
            "id": id,
            "application_id": self.application,
            "type": kind,
            "token": token,
            "version": 1,
            "guild_id": self.guild,
            "guild": {"id": self.guild, "locale": "en-US", "features": []},
            "channel_id": where,
            "channel": {**self.channels[where], "permissions": permissions},
            "member": {**self.members[person["id"]], "permissions": permissions},
            "data": data,
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": "8",
            "entitlements": [],
            "authorizing_integration_owners": {"0": self.guild},
            "context": 0,
            "attachment_size_limit": 10_000_000,
            **more,
        }
        interaction = Interaction(id, token, event)
        self.interactions.append(interaction)
        await self.dispatch("INTERACTION_CREATE", event)
        return interaction

    def _permissions(self, person: Json) -> str:
        if person["id"] == self.owner["id"]:
            return str((1 << 53) - 1)
        held = int(self.roles[self.guild]["permissions"])
        for role in self.members[person["id"]]["roles"]:
            held |= int(self.roles[role]["permissions"])
        return str(held)

    async def slash(
        self,
        person: Json,
        name: str,
        options: Json,
        *,
        channel: str | None = None,
        focus: str | None = None,
        file: tuple[str, bytes] | None = None,
    ) -> Interaction:
        """Somebody uses a slash command; with a focus they are still typing that option."""
        command = next(each for each in self.commands[self.guild] if each["name"] == name)
        given: list[Json] = [
            {
                "name": key,
                "type": 5 if isinstance(value, bool) else 3,
                "value": value,
                **({"focused": True} if key == focus else {}),
            }
            for key, value in options.items()
        ]
        data: Json = {"id": command["id"], "name": name, "type": 1, "guild_id": self.guild, "options": given}
        if file is not None:
            upload = self._upload(*file)
            data["resolved"] = {"attachments": {upload["id"]: upload}}
            given.append({"name": "file", "type": 11, "value": upload["id"]})
        return await self._interact(person, 2 if focus is None else 4, data, channel)

    async def click(
        self, person: Json, message: Json, custom_id: str, *, values: list[str] | None = None
    ) -> Interaction:
        """Somebody presses a button, or chooses from a menu."""
        data: Json = {"custom_id": custom_id, "component_type": 2 if values is None else 3}
        if values is not None:
            data["values"] = values
        return await self._interact(person, 3, data, message["channel_id"], message=message)

    def said(self, channel: str | None = None) -> list[Json]:
        """What the bot has written in a channel."""
        found = self.messages[channel or self.general].values()
        return [message for message in found if message["author"]["id"] == self.me["id"]]


def user(name: str, *, shown: str | None = None, bot: bool = False) -> Json:
    """A person."""
    return {"id": snowflake(), "username": name, "discriminator": "0", "avatar": None, "global_name": shown, "bot": bot}


def alone_with(person: str) -> str:
    """The id of the channel in which the bot and a person are alone, by that person's id."""
    return f"9{person[-17:]}"


def buttons(message: Json) -> dict[str, str]:
    """The labels of a message's buttons with their ids."""
    rows = message.get("components") or ()
    return {
        str(item.get("label")): item["custom_id"] for row in rows for item in row["components"] if item["type"] == 2
    }


def menu(message: Json) -> Json | None:
    """The menu of a message."""
    rows = message.get("components") or ()
    return next((item for row in rows for item in row["components"] if item["type"] == 3), None)


async def _read(request: web.Request) -> tuple[Any, dict[str, bytes]]:
    if request.content_type == "multipart/form-data":
        body: Any = None
        files: dict[str, bytes] = {}
        async for part in await request.multipart():
            content = bytes(await part.read(decode=False))  # type: ignore[union-attr]
            if part.name == "payload_json":  # type: ignore[union-attr]
                body = json.loads(content)
            else:
                files[part.filename or "file"] = content  # type: ignore[union-attr]
        return body, files
    raw = await request.read()
    return (json.loads(raw) if raw else None), {}


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    # Exactly this content type: with a charset behind it the client takes the body for a text.
    shown = {"Content-Type": "application/json", **(headers or {})}
    return web.Response(body=json.dumps(body).encode(), status=status, headers=shown)


_C, _M, _G, _U = r"(\d+)", r"(\d+)", r"(\d+)", r"(\d+)"
_Handler = Callable[..., Awaitable[web.Response]]
_ROUTES: list[tuple[str, str, _Handler]] = [
    ("GET", r"/users/@me", DiscordServer._get_me),
    ("GET", r"/users/@me/guilds", DiscordServer._get_guilds),
    ("GET", rf"/guilds/{_G}", DiscordServer._get_guild),
    ("GET", rf"/guilds/{_G}/channels", DiscordServer._get_channels),
    ("GET", r"/oauth2/applications/@me", DiscordServer._get_application),
    ("PUT", rf"/applications/\d+/guilds/{_G}/commands", DiscordServer._put_commands),
    ("POST", rf"/channels/{_C}/messages", DiscordServer._post_message),
    ("GET", rf"/channels/{_C}/messages", DiscordServer._get_messages),
    ("GET", rf"/channels/{_C}/messages/{_M}", DiscordServer._get_message),
    ("PATCH", rf"/channels/{_C}/messages/{_M}", DiscordServer._patch_message),
    ("DELETE", rf"/channels/{_C}/messages/{_M}", DiscordServer._delete_message),
    ("PUT", rf"/channels/{_C}/messages/{_M}/reactions/[^/]+/@me", DiscordServer._nothing),
    ("PUT", rf"/channels/{_C}/(?:messages/)?pins/{_M}", DiscordServer._nothing),
    ("DELETE", rf"/channels/{_C}/(?:messages/)?pins/{_M}", DiscordServer._nothing),
    ("POST", rf"/channels/{_C}/threads", DiscordServer._thread),
    ("POST", rf"/channels/{_C}/messages/{_M}/threads", DiscordServer._thread),
    ("GET", rf"/guilds/{_G}/members/search", DiscordServer._search_members),
    ("GET", rf"/guilds/{_G}/members/{_U}", DiscordServer._get_member),
    ("PATCH", rf"/guilds/{_G}/members/{_U}", DiscordServer._patch_member),
    ("PUT", rf"/guilds/{_G}/members/{_U}/roles/(\d+)", DiscordServer._put_role),
    ("DELETE", rf"/guilds/{_G}/members/{_U}/roles/(\d+)", DiscordServer._delete_role),
    ("POST", r"/users/@me/channels", DiscordServer._open_dm),
    ("POST", r"/interactions/(\d+)/([^/]+)/callback", DiscordServer._callback),
    ("POST", r"/webhooks/(\d+)/([^/]+)", DiscordServer._followup),
    ("PATCH", r"/webhooks/(\d+)/([^/]+)/messages/@original", DiscordServer._edit_original),
]
