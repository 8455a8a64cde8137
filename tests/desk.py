"""Where Twitch is listened to in tests: with the bot's connection, and with the library alone."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import twitchio
from twitchio.eventsub import ChannelRaidSubscription, ChannelUpdateSubscription, ChatMessageSubscription
from twitchio.eventsub.websockets import Websocket

from bot.supervise import Line
from bot.tokens import Token, TokenFile
from bot.twitch.client import BOT, BROADCASTER, Connection, Ears, Request
from bot.twitch.cured import Servers, point_at
from bot.twitch.wire import Notification
from tests.servers.twitch import CHAT, FakeTwitch

BOT_SCOPES = ("user:read:chat", "user:write:chat", "user:bot")
STREAMER_SCOPES = ("channel:read:redemptions", "moderator:read:followers", "bits:read")


class Desk:
    """The bot's connection, what it hears, and what it says of itself."""

    PATIENCE = 10.0

    def __init__(self, twitch: FakeTwitch, folder: Path) -> None:
        self.twitch = twitch
        self.folder = folder
        self.events: list[str] = []
        self.notes: list[Notification] = []
        self.said: list[str] = []
        self.ups = 0
        self.anew = 0
        self.downs: list[str] = []
        self.happened = asyncio.Condition()
        self.tokens = TokenFile.open(folder)
        self.connection = self._connection()
        self.task: asyncio.Task[None] | None = None

    def _connection(self) -> Connection:
        servers = Servers(self.twitch.api_base, self.twitch.id_base, self.twitch.eventsub_url)
        ears = Ears(lambda: self.events, self._heard, self._connected, self.said.append)
        return Connection("client", servers, self.tokens, ears)

    def sign_in(self, *, broadcaster: bool = False, expires_in: int = 14_000) -> None:
        """Put tokens where a set-up would have put them."""
        self.tokens.put(BOT, Token(*self.twitch.grant("2", *BOT_SCOPES, expires_in=expires_in), BOT_SCOPES, "2", "bot"))
        if broadcaster:
            pair = self.twitch.grant("1", *STREAMER_SCOPES, expires_in=expires_in)
            self.tokens.put(BROADCASTER, Token(*pair, STREAMER_SCOPES, "1", "streamer"))

    def start(self) -> None:
        """Begin an attempt."""
        self.task = asyncio.create_task(self.connection.attempt(Line(self._up, self._down)))

    async def connect(self, *types: str) -> None:
        """Begin an attempt, and wait until the chat and these are heard."""
        self.start()
        await self.until(lambda: self.ups)
        await self.twitch.subscribed(CHAT, *types)

    async def end(self) -> None:
        """Give it up, as a supervisor does."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})
            self.task = None

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds that changes when something is heard or said."""
        async with asyncio.timeout(10), self.happened:
            await self.happened.wait_for(lambda: bool(holds()))

    async def listen_to_raids(self) -> None:
        """Let a workflow wait for raids."""
        self.events = ["raid"]

    def texts(self) -> list[str]:
        """What was heard in the chat."""
        return [note.event["message"]["text"] for note in self.notes if note.type == CHAT]

    async def ask(self, path: str = "users", **query: str) -> Any:
        """Ask something in the bot's name."""
        return await self.connection.ask(Request("GET", path, "2", query or {"id": "2"}))

    ask_in_nobodys_name = ask  # it has no way to do that

    def _heard(self, note: Notification) -> None:
        self.notes.append(note)
        self._wake()

    def _connected(self) -> None:
        self.anew += 1
        self._wake()

    def _up(self) -> None:
        self.ups += 1
        self._wake()

    def _down(self, why: str) -> None:
        self.downs.append(why)
        self._wake()

    def _wake(self) -> None:
        async def wake() -> None:
            async with self.happened:
                self.happened.notify_all()

        self._waking = asyncio.ensure_future(wake())


class Alone:
    """twitchio as it is, without anything that the bot does about it."""

    PATIENCE = 0.5
    """Seconds after which what has not come does not come: everything is on loopback and nothing pauses for longer."""

    def __init__(self, twitch: FakeTwitch) -> None:
        self.twitch = twitch
        self._client = _Reader()
        self._sockets: list[Websocket] = []

    async def connect(self) -> None:
        """Sign in, and listen to the chat and to one thing more."""
        point_at(Servers(self.twitch.api_base, self.twitch.id_base, self.twitch.eventsub_url), self._socket)
        access, refresh = self.twitch.grant("2", *BOT_SCOPES)
        await self._client.login(token=access, load_tokens=False, save_tokens=False)
        await self._client.add_token(access, refresh)
        for wanted in (
            ChatMessageSubscription(broadcaster_user_id="2", user_id="2"),
            ChannelUpdateSubscription(broadcaster_user_id="2"),
        ):
            await self._client.subscribe_websocket(wanted, token_for="2")

    async def listen_to_raids(self) -> None:
        """Begin to listen to one thing more, once nothing is about to change."""
        await asyncio.sleep(self.PATIENCE)
        await self._client.subscribe_websocket(ChannelRaidSubscription(to_broadcaster_user_id="2"), token_for="2")

    def texts(self) -> list[str]:
        """What was heard in the chat."""
        return self._client.texts

    async def ask(self) -> None:
        """Ask something in the bot's name."""
        await self._client.fetch_users(ids=["2"], token_for="2")

    async def ask_in_nobodys_name(self) -> None:
        """Ask something with the token that it signed in with."""
        await self._client.fetch_users(ids=["2"])

    async def end(self) -> None:
        """Close it."""
        await self._client.close()

    async def sweep(self) -> None:
        """Close what it left behind, too."""
        await self.end()
        for socket in self._sockets:
            for task in socket._connection_tasks:
                task.cancel()
            await socket.close()

    def _socket(self, **options: Any) -> Websocket:
        made = Websocket(**options)
        self._sockets.append(made)
        return made


class _Reader(twitchio.Client):
    def __init__(self) -> None:
        super().__init__(client_id="client", fetch_client_user=False)
        self.texts: list[str] = []

    async def event_message(self, payload: twitchio.ChatMessage) -> None:
        self.texts.append(payload.text)
