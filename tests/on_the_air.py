"""`showcaller run` as a process between a Twitch and a Discord on loopback: it is talked to, killed, and comes back later.

What the two platforms have seen of it is written as lines, so that what must have happened, and what must not have happened
twice, can be said as data. Nothing of the running bot is reached into.
"""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bot.config import COMMUNITY, DataFolder, Settings, with_value
from bot.platforms import DISCORD
from bot.services.twitch import METHODS
from bot.tokens import Token, TokenFile
from bot.twitch.client import BOT, BROADCASTER
from bot.twitch.sources import SOURCES
from engine.execution import Execution
from engine.ports import Batch
from storage.sqlite import SQLiteStore
from tests.servers import discord as discord_server
from tests.servers.discord import TOKEN, DiscordServer, alone_with
from tests.servers.twitch import CHAT, Account, FakeTwitch, chat_message

ROOT = Path(__file__).resolve().parent.parent
WITHIN = 120.0
SCOPES = tuple({"user:read:chat", *(scope for each in (*METHODS, *SOURCES) for scope in each.scopes)})
BADGES: Mapping[str, tuple[str, ...]] = {"streamer": ("broadcaster",), "mod": ("moderator",)}
_OURS = frozenset({"broadcaster_id", "moderator_id", "from_broadcaster_id"})
"""What stands in every request and tells nothing."""
_OF_ITSELF = "Back after "
"""What the bot says by itself when it was away, how long, and that depends on the machine."""


class OnTheAir:
    """One bot on two platforms.

    Attributes:
        ahead: What the clock of its machine, and Discord's, show beyond the monotonic clock, in seconds.
    """

    def __init__(self, twitch: FakeTwitch, discord: DiscordServer, folder: DataFolder) -> None:
        self.twitch = twitch
        self.discord = discord
        self.folder = folder
        self.ahead = time.time() - time.monotonic()
        discord.clock = lambda: self.ahead + time.monotonic()
        self.process: asyncio.subprocess.Process | None = None
        self._typed = 0
        self._people: dict[str, dict[str, Any]] = {}

    async def set_up(self) -> None:
        """Leave behind what a set-up does."""
        self.twitch.echoes = True
        self.folder.make()
        tokens = TokenFile.open(self.folder.path)
        tokens.put(BOT, Token(*self.twitch.grant("2", *SCOPES), SCOPES))
        tokens.put(BROADCASTER, Token(*self.twitch.grant("1", *SCOPES), SCOPES))
        tokens.put(DISCORD, Token(TOKEN))
        given = {
            "twitch.client_id": "client",
            "twitch.api_base": self.twitch.api_base,
            "twitch.id_base": self.twitch.id_base,
            "twitch.eventsub_url": self.twitch.eventsub_url,
            **self.discord.settings,
        }
        settings, records = Settings(), []
        for key, value in given.items():
            settings, record = with_value(settings, key, value, secret=False)
            records.append(record)
        async with await SQLiteStore.open(self.folder.database) as store:
            await store.commit(Batch(config=records))

    # The process -----------------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Start it, and wait until it hears both platforms."""
        sessions, welcomes = len(self.discord.sessions), self.twitch.welcomes
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.servers.ahead", str(self.ahead), "run", "--data", str(self.folder.path),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, cwd=ROOT, env=dict(os.environ),
        )  # fmt: skip
        await self.until(lambda: self.twitch.welcomes > welcomes and CHAT in self.twitch.live_types())
        await self.until(lambda: len(self.discord.sessions) > sessions and self.discord.commands)

    async def kill(self, later: float) -> None:
        """End it as a power cut does; so many seconds later it is put right what broke, and it can begin again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        await self.until(lambda: not self.twitch.sessions)
        self.twitch.held.clear()
        self.discord.forget_plans()
        self.ahead += later

    async def end(self) -> None:
        """End it, if it still runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    # What people do ----------------------------------------------------------------------------------------------------

    async def type_in_twitch(self, who: str, text: str, *badges: str) -> str:
        """Somebody types in the Twitch chat; tells the message's id."""
        self._typed += 1
        id = f"typed-{self._typed}"
        worn = (*BADGES.get(who, ()), *badges)
        await self.tell_of(CHAT, chat_message(text, id=id, user=self.account(who).id, login=who, badges=worn))
        return id

    async def tell_of(self, type: str, event: Mapping[str, Any]) -> None:
        """Something happens on Twitch, which the bot has asked to be told of."""
        await self.until(lambda: type in self.twitch.live_types())
        await self.twitch.notify(type, event)

    def account(self, login: str) -> Account:
        """Somebody's account on Twitch, made if nobody has it."""
        known = next((each for each in self.twitch.accounts.values() if each.login == login), None)
        if known is None:
            known = Account(str(100 + len(self.twitch.accounts)), login)
            self.twitch.accounts[known.id] = known
        return known

    def member(self, name: str) -> dict[str, Any]:
        """Somebody in Discord, who comes into the server if nobody is known by that name."""
        for member in self.discord.members.values():
            self._people.setdefault(member["user"]["username"], member["user"])
        if name not in self._people:
            self._people[name] = self.discord.add_member(discord_server.user(name))
        return self._people[name]

    def channel(self, name: str) -> str:
        """A channel of Discord, by its name."""
        return next(id for id, channel in self.discord.channels.items() if channel["name"] == name)

    async def ask_in_twitch(self, who: str, text: str) -> str:
        """Somebody talks to the bot in the Twitch chat, and is answered."""
        id = await self.type_in_twitch(who, text)

        def answers() -> list[str]:
            sent = self.twitch.made("POST", "chat/messages")
            return [call.body["message"] for call in sent if call.body.get("reply_parent_message_id") == id]

        await self.until(answers)
        return " ".join(answers())

    async def ask_in_discord(self, who: str, text: str, channel: str = "general") -> str:
        """Somebody talks to the bot in Discord, and is answered."""
        id = await self.discord.say(self.member(who), text, self.channel(channel))

        def answers() -> list[str]:
            return [str(call.body.get("content")) for call in self._posts() if _answered(call.body) == id]

        await self.until(answers)
        return " ".join(answers())

    # What was seen of it -----------------------------------------------------------------------------------------------

    def on_twitch(self) -> list[str]:
        """What it has done on Twitch, but for its answers and what it tells of itself; what may be asked twice stands once."""
        found: list[str] = []
        for call in self.twitch.calls:
            if call.verb == "GET" or call.path.startswith(("eventsub", "oauth2")):
                continue
            if call.path == "chat/messages":
                text = call.body["message"]
                if call.body.get("reply_parent_message_id") is None and not text.startswith(_OF_ITSELF):
                    found.append(f"say {text}")
                continue
            query = {key: values[0] for key, values in call.query.items()}
            body = call.body if isinstance(call.body, dict) else {}
            words = [self._named(key, value) for key, value in {**query, **body}.items() if key not in _OURS]
            line = " ".join((call.verb, call.path, *words))
            if call.verb == "POST" or line not in found[-1:]:
                found.append(line)
        return found

    def _named(self, key: str, value: Any) -> str:
        account = self.twitch.accounts.get(str(value))
        return f"{key}={value if account is None else account.login}"

    def on_discord(self) -> list[str]:
        """What it has done on Discord, but for its answers; what may be asked twice stands once."""
        found: list[str] = []
        nonces: set[str] = set()
        for call in self.discord.calls:
            for method, pattern, line in _SEEN:
                match = re.fullmatch(pattern, call.path)
                if call.method != method or match is None:
                    continue
                said = line(self, call.body, *match.groups())
                if method == "POST":
                    nonce = str(call.body.get("nonce"))
                    there = nonce in {each.get("nonce") for each in self.discord.messages[match.group(1)].values()}
                    if said and there and nonce not in nonces:  # the same post asked for again is the same post
                        found.append(said)
                        nonces.add(nonce)
                elif said and said not in found:
                    found.append(said)
        return found

    def _posts(self) -> list[discord_server.Call]:
        return self.discord.made("POST", r"/channels/\d+/messages")

    def place(self, id: str) -> str:
        """A channel as people name it, or whom it belongs to."""
        if id in self.discord.channels:
            return f"#{self.discord.channels[id]['name']}"
        return next(f"@{name}" for name, person in self._people.items() if id == alone_with(person["id"]))

    def text_of(self, channel: str, message: str) -> str:
        """What a message of Discord says."""
        return str(self.discord.messages[channel][message]["content"])

    async def until_runs(self, holds: Callable[[list[Execution]], bool]) -> None:
        """Wait until something holds of the runs in the store, looking from outside as another process would."""
        runs: list[Execution] = []
        try:
            async with asyncio.timeout(WITHIN), await SQLiteStore.open(self.folder.database, read_only=True) as store:
                while not holds(runs := await store.executions(COMMUNITY, limit=100)):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        except TimeoutError:
            stand = [(run.workflow, run.status, [each.state for each in run.branches], run.error) for run in runs]
            raise AssertionError(f"the runs stand so: {stand}; {self._trail()}") from None

    async def until_heard_itself(self, text: str) -> None:
        """Wait until it is in the store that the bot's own line came back from the chat."""
        async with asyncio.timeout(WITHIN), await SQLiteStore.open(self.folder.database, read_only=True) as store:
            while not any(each.own and each.payload["message"] == text for each in await store.events(COMMUNITY)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def until(self, holds: Callable[[], Any]) -> Any:
        """Wait until something holds."""
        try:
            async with asyncio.timeout(WITHIN):
                while not (found := holds()):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"waited in vain; {self._trail()}") from None
        return found

    def _trail(self) -> str:
        log = self.folder.log.read_text() if self.folder.log.exists() else ""
        return f"Twitch has seen {self.on_twitch()}, Discord {self.on_discord()}; the log ends so:\n{log[-3000:]}"


def _answered(body: Any) -> str | None:
    """The message that a post answers, if any."""
    reference = body.get("message_reference") if isinstance(body, dict) else None
    return None if reference is None else str(reference["message_id"])


def _posted(air: OnTheAir, body: Any, channel: str) -> str:
    return "" if _answered(body) is not None else f"post in {air.place(channel)}: {body.get('content')}"


def _edited(air: OnTheAir, body: Any, channel: str, message: str) -> str:
    return f"edit in {air.place(channel)}: {body['content']}" if body.get("content") else ""


def _reacted(air: OnTheAir, _: Any, channel: str, message: str, emoji: str) -> str:
    return f"react {unquote(emoji)} to: {air.text_of(channel, message)}"


def _gave(air: OnTheAir, _: Any, user: str, role: str) -> str:
    return f"give {air.discord.members[user]['user']['username']} the role {air.discord.roles[role]['name']}"


def _took(air: OnTheAir, _: Any, user: str, role: str) -> str:
    return f"take the role {air.discord.roles[role]['name']} from {air.discord.members[user]['user']['username']}"


_C = r"/channels/(\d+)/messages"
_ROLE = r"/guilds/\d+/members/(\d+)/roles/(\d+)"
_SEEN: tuple[tuple[str, str, Callable[..., str]], ...] = (
    ("POST", _C, _posted),
    ("PATCH", rf"{_C}/(\d+)", _edited),
    ("PUT", rf"{_C}/(\d+)/reactions/([^/]+)/@me", _reacted),
    ("PUT", _ROLE, _gave),
    ("DELETE", _ROLE, _took),
)
