"""The front end: what is heard on Twitch goes to the bot as messages and events, and its replies go back into the chat.

It hears at once and handles side by side, in the order in which things came: whoever waits for a commit keeps nobody from
sharing it. What is heard twice is handled once; what is more than can be handled is dropped and told.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

import aiohttp

from bot.drops import Drops, were
from bot.happenings import chat_event
from bot.message import Message
from bot.twitch.client import Connection, NotConnected, Refused, Request
from bot.twitch.speaking import Speaker
from bot.twitch.subscriptions import Accounts
from bot.twitch.wire import Known, Notification, channel_of, chatted, events_of
from engine.errors import EngineError
from engine.events import Event
from engine.execution import Done, Failed, Result, Unknown
from engine.wording import counted

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 2_000
REMEMBERED: Final = 20_000
PEOPLE: Final = 10_000
CHAT: Final = "channel.chat.message"
FACTS: Final[Mapping[str, str]] = {"channel.update": "channel", "stream.online": "live", "stream.offline": "live"}
"""The notifications that tell something lasting of the stream, and about what."""
REWARDS: Final = frozenset({"channel:read:redemptions", "channel:manage:redemptions"})


class Heard(Protocol):
    """What a message came to."""

    @property
    def replies(self) -> Any:
        """The bot's replies."""
        ...


class Listener(Protocol):
    """What is needed of a bot."""

    async def hear(self, message: Message) -> Heard:
        """Handle what a person typed."""
        ...

    async def happen(self, event: Event) -> Any:
        """Handle what happened."""
        ...

    async def stream_is(self, facts: Mapping[str, Any]) -> None:
        """Know this of the stream: `live`, `title`, `category`, whichever is given."""
        ...

    async def rewards_are(self, titles: tuple[str, ...]) -> None:
        """Know the channel's rewards by these names."""
        ...


def _left_out(count: int) -> str:
    return f"{counted(count, 'message')} from Twitch {were(count)} left out: more came than I can handle."


class Front:
    """One channel's front end.

    Args:
        listener: The bot.
        connection: The way to Twitch.
        speaker: The bot's voice there.
        community: Whose events these are.
        now: Seconds; only their differences matter.
        notice: Told what people should know.
        missed: Said in the chat once it is there for the first time: that nobody was, and what came due meanwhile.
    """

    def __init__(
        self,
        listener: Listener,
        connection: Connection,
        speaker: Speaker,
        *,
        community: str,
        now: Callable[[], float],
        notice: Callable[[str], None],
        missed: str | None = None,
    ) -> None:
        self._missed = missed
        self._listener = listener
        self._connection = connection
        self._speaker = speaker
        self._community = community
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._roles: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._channel: dict[str, str] = {}
        self._told_at: dict[str, float] = {}
        self._changes = 0
        self._facts = asyncio.Lock()
        self._drops = Drops(_left_out, now, notice)
        self._open = True

    def heard(self, note: Notification) -> None:
        """Something came; it is handled soon."""
        if not self._open or self._is_known(note.id):
            return
        if len(self._tasks) >= MOST_AT_ONCE:
            self._drops.add()
            return
        self._start(self._kept_alone(self._take(note)))

    def connected(self) -> None:
        """There is a connection again: whatever nobody told of meanwhile is looked up."""
        if self._open:
            self._start(self._kept_alone(self._look_around()))
            if self._missed is not None:
                self._start(self._kept_alone(self._say(self._missed)))
                self._missed = None

    async def drain(self, within: float) -> None:
        """Take nothing more, and give what was taken so many seconds."""
        self._open = False
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within)
            for task in late:
                task.cancel()
        self._drops.tell()

    # Hearing -----------------------------------------------------------------------------------------------------------------

    async def _take(self, note: Notification) -> None:
        accounts = self._connection.accounts
        if note.type == CHAT:
            await self._chat(note, accounts)
            return
        known = Known(self._community, accounts.broadcaster, dict(self._channel), lambda id: self._roles.get(id, ()))
        found = events_of(note, known)
        if note.type in FACTS:
            await self._learn(note)
        elif note.type.startswith("channel.channel_points_custom_reward."):
            await self._learn_rewards(accounts.broadcaster)
        for event in found:
            await self._listener.happen(event)

    async def _chat(self, note: Notification, accounts: Accounts) -> None:
        said = chatted(note)
        message = said.message
        if said.copied or self._is_known(f"chat:{message.id}"):
            return
        if message.author.id:
            self._remember(self._roles, message.author.id, message.author.roles, PEOPLE)
        if message.author.id == accounts.bot:
            if "broadcaster" in message.author.roles or "moderator" in message.author.roles:
                self._speaker.moderator = True
            try:
                effects = self._speaker.own(message.text, message.id, shared=accounts.bot == accounts.broadcaster)
            except KeyError:
                pass  # the streamer typed it, with the account that the bot uses
            else:
                event = chat_event(message, self._community)
                payload = {**event.payload, "effects": list(effects)} if effects else event.payload
                await self._listener.happen(replace(event, own=True, payload=payload))
                return
        heard = await self._listener.hear(message)
        for reply in heard.replies:
            await self._say(reply.text, message.id)

    async def _say(self, text: str, reply_to: str | None = None) -> None:
        result: Result = await self._speaker.say(text, reply_to=reply_to, urgent=True)
        match result:
            case Failed(message=why) | Unknown(message=why):
                log.warning("what I had to say was not shown: %s", why)
            case Done():
                pass

    # Knowing -----------------------------------------------------------------------------------------------------------------

    async def _learn(self, note: Notification) -> None:
        """What a notification tells of the stream, unless a later one has told already: Twitch keeps no order."""
        about = FACTS[note.type]
        self._changes += 1
        if note.at < self._told_at.get(about, 0.0):
            return
        self._told_at[about] = note.at
        async with self._facts:
            if about == "channel":
                self._channel = channel_of(note)
                await self._listener.stream_is(self._channel)
            else:
                await self._listener.stream_is({"live": note.type == "stream.online"})

    async def _look_around(self) -> None:
        """Whether the stream is live and what it is called; what is heard of it meanwhile counts more."""
        changes = self._changes
        try:
            accounts = self._connection.accounts
            owner = accounts.broadcaster
            streams = await self._connection.ask(Request("GET", "streams", owner, {"user_id": owner}))
            channels = await self._connection.ask(Request("GET", "channels", owner, {"broadcaster_id": owner}))
        except (NotConnected, Refused, aiohttp.ClientError, TimeoutError) as error:
            log.warning("the stream could not be looked up: %s", error)
            return
        stream = next(iter(streams.get("data") or ()), None)
        channel = next(iter(channels.get("data") or ()), None)
        async with self._facts:
            if changes == self._changes:
                facts: dict[str, Any] = {"live": stream is not None}
                if channel is not None:
                    self._channel = {
                        "title": str(channel.get("title") or ""),
                        "category": str(channel.get("game_name") or ""),
                    }
                await self._listener.stream_is({**facts, **self._channel})
        await self._learn_rewards(owner)

    async def _learn_rewards(self, owner: str) -> None:
        """What people may call the rewards, if the streamer has let that be asked and has rewards at all."""
        if REWARDS.isdisjoint(self._connection.granted.get(owner, ())):
            return
        try:
            found = await self._connection.ask(
                Request("GET", "channel_points/custom_rewards", owner, {"broadcaster_id": owner})
            )
        except (NotConnected, Refused, aiohttp.ClientError, TimeoutError) as error:
            log.info("the rewards could not be looked up: %s", error)
            return
        await self._listener.rewards_are(tuple(str(reward.get("title")) for reward in found.get("data") or ()))

    def _is_known(self, id: str) -> bool:
        if id in self._seen:
            return True
        self._remember(self._seen, id, None, REMEMBERED)
        return False

    @staticmethod
    def _remember(known: OrderedDict[str, Any], key: str, value: Any, most: int) -> None:
        known[key] = value
        known.move_to_end(key)
        while len(known) > most:
            known.popitem(last=False)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work, name="heard on Twitch")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _kept_alone(self, work: Awaitable[None]) -> None:
        try:
            await work
        except EngineError as error:
            log.warning("what was heard on Twitch could not be handled: %s", error)
        except Exception:
            log.exception("what was heard on Twitch could not be handled")
