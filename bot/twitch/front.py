"""The front end: what is heard on Twitch goes to the bot as messages and events, and its replies go back into the chat.

It hears at once and handles side by side, in the order in which things came: whoever waits for a commit keeps nobody from
sharing it. What is heard twice is handled once; what is more than can be handled is dropped and told.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import aiohttp

from bot.config import Settings
from bot.drops import Drops, were
from bot.happenings import chat_event
from bot.message import Message
from bot.twitch.broadcast import OFFLINE, ONLINE, Broadcast, after, believed, ends, kept_in, missed, record_of
from bot.twitch.client import Connection, NotConnected, Refused, Request
from bot.twitch.people import CHANGES, People, named_in
from bot.twitch.speaking import Speaker
from bot.twitch.subscriptions import Accounts
from bot.twitch.wire import Known, Notification, channel_of, chatted, clipped, events_of, moment
from engine.errors import EngineError
from engine.events import Event, canonical
from engine.execution import Done, Failed, Person, Result, Unknown
from engine.ports import ConfigRecord, Store
from engine.wording import counted

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 10_000
"""Twenty seconds of a raid, should a disk stand still for so long; more than that would only be answered when nobody cares."""
REMEMBERED: Final = 20_000
WATCH_EVERY: Final = 60.0
CLIPS_LATE: Final = 600.0
CHAT: Final = "channel.chat.message"
UPDATE: Final = "channel.update"
FACTS: Final[Mapping[str, str]] = {UPDATE: "channel", ONLINE: "live", OFFLINE: "live"}
"""The notifications that tell something lasting of the stream, and about what."""
MOST_ASKED: Final = 100
MODERATORS: Final = frozenset({"moderation:read", "channel:manage:moderators"})
REWARDS: Final = frozenset({"channel:read:redemptions", "channel:manage:redemptions"})


class Heard(Protocol):
    """What a message came to."""

    @property
    def replies(self) -> Any:
        """The bot's replies."""
        ...


class Listener(Protocol):
    """What is needed of a bot."""

    @property
    def settings(self) -> Settings:
        """What is known of the stream is among them."""
        ...

    @property
    def store(self) -> Store:
        """For reading."""
        ...

    @property
    def standing(self) -> Mapping[str, tuple[str, ...]]:
        """As what those were last seen who ever were staff."""
        ...

    async def stands(self, person: Person) -> None:
        """Know as what somebody was seen."""
        ...

    async def remember(self, keys: Mapping[str, float]) -> None:
        """Let these keys count as seen, each until then."""
        ...

    async def keep(self, records: Sequence[ConfigRecord]) -> None:
        """Keep what is no setting of people."""
        ...

    async def hear(self, message: Message) -> Heard:
        """Handle what a person typed."""
        ...

    async def happen(self, event: Event) -> Any:
        """Handle what happened."""
        ...

    async def stream_is(self, facts: Mapping[str, Any]) -> None:
        """Know this of the stream: `live`, `title`, `category`, `viewers`, whichever is given."""
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
        now: UTC seconds.
        notice: Told what people should know.
        awaited: Names of the events that workflows wait for now.
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
        awaited: Callable[[], Iterable[str]] = tuple,
        missed: str | None = None,
    ) -> None:
        self._missed = missed
        self._listener = listener
        self._connection = connection
        self._speaker = speaker
        self._community = community
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._watching: asyncio.Task[None] | None = None
        self._clips_since: float | None = None
        self._people = People(self._kept_keys, listener.remember, now, self._first)
        self._awaited = awaited
        self._channel: dict[str, str] = {}
        self._told_at: dict[str, float] = {}
        self._changes = 0
        self._facts = asyncio.Lock()
        self._now = now
        self._broadcast: Broadcast | None = None
        self._drops = Drops(_left_out, now, notice)
        self._open = True

    def heard(self, note: Notification) -> None:
        """Something came; it is handled soon."""
        if not self._open or note.id in self._seen:
            return
        # Only of what people write there is too much; and what was not taken may still be taken when Twitch repeats it.
        if note.type == CHAT and len(self._tasks) >= MOST_AT_ONCE:
            self._drops.add()
            return
        self._remember(self._seen, note.id, None, REMEMBERED)
        self._start(self._kept_alone(self._take(note)))

    def connected(self) -> None:
        """There is a connection again: whatever nobody told of meanwhile is looked up."""
        if self._open:
            self._start(self._kept_alone(self._look_around()))
            if self._watching is None or self._watching.done():
                self._watching = asyncio.create_task(self._watch(), name="watching the stream")
            if self._missed is not None:
                self._start(self._kept_alone(self._say(self._missed)))
                self._missed = None

    def tell(self, sentence: str) -> None:
        """Say something in the chat that answers nobody."""
        if self._open:
            self._start(self._kept_alone(self._say(sentence)))

    async def drain(self, within: float) -> None:
        """Take nothing more, and give what was taken so many seconds."""
        self._open = False
        if self._watching is not None:
            self._watching.cancel()
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
        if note.type in (ONLINE, OFFLINE):
            self._changes += 1
            async with self._facts:
                await self._broadcasts(note)
            return
        if (change := CHANGES.get(note.type)) is not None:
            await self._people.become(str(note.event.get("user_id") or ""), change[0], holds=change[1])
        await self._people.recall(named_in(note.event))
        found = events_of(note, self._known())
        if note.type == UPDATE:
            await self._learn(note)
        elif note.type.startswith("channel.channel_points_custom_reward."):
            await self._learn_rewards(accounts.broadcaster)
        for event in found:
            await self._listener.happen(event)

    def _known(self) -> Known:
        owner = self._connection.accounts.broadcaster
        return Known(self._community, owner, dict(self._channel), self._people.roles)

    async def _happens(self, note: Notification) -> None:
        for event in events_of(note, self._known()):
            await self._listener.happen(event)

    async def _chat(self, note: Notification, accounts: Accounts) -> None:
        said = chatted(note)
        message = said.message
        if said.copied or self._is_known(f"chat:{message.id}"):
            return
        if message.author.id == accounts.bot:
            self._speaker.moderator = "broadcaster" in message.author.roles or "moderator" in message.author.roles
            try:
                effects = self._speaker.own(message.text, message.id, shared=accounts.bot == accounts.broadcaster)
            except KeyError:
                pass  # the streamer typed it, with the account that the bot uses
            else:
                event = chat_event(message, self._community)
                payload = {**event.payload, "effects": list(effects)} if effects else event.payload
                await self._listener.happen(replace(event, own=True, payload=payload))
                return
        if self._people.wrote(message):
            self._start(self._kept_alone(self._people.settle()))
        heard = await self._listener.hear(message)
        for reply in heard.replies:
            await self._say(reply.text, message.id)

    async def _first(self, message: Message) -> None:
        """Somebody wrote who never did before."""
        if "message.first" in {canonical(name) for name in self._awaited()}:
            event = chat_event(message, self._community)
            await self._listener.happen(replace(event, id=f"twitch:first:{message.author.id}", name="message.first"))

    async def _kept_keys(self, keys: Collection[str]) -> Collection[str]:
        return await self._listener.store.seen(self._community, list(keys), self._now())

    async def _say(self, text: str, reply_to: str | None = None) -> None:
        result: Result = await self._speaker.say(text, reply_to=reply_to, urgent=True)
        match result:
            case Failed(message=why) | Unknown(message=why):
                log.warning("what I had to say was not shown: %s", why)
            case Done():
                pass

    # Knowing -----------------------------------------------------------------------------------------------------------------

    def _is_late(self, note: Notification) -> bool:
        """Whether a later one has told already: Twitch keeps no order."""
        about = FACTS[note.type]
        if note.at < self._told_at.get(about, 0.0):
            return True
        self._told_at[about] = note.at
        return False

    async def _learn(self, note: Notification) -> None:
        """What the channel is called and plays now."""
        self._changes += 1
        if self._is_late(note):
            return
        async with self._facts:
            self._channel = channel_of(note)
            await self._listener.stream_is(self._channel)

    async def _broadcasts(self, note: Notification) -> None:
        """A broadcast began or ended, as Twitch tells it.

        It is kept as known only when it has been told: where the bot is stopped between, it is found again by looking.
        """
        last = await self._last()
        if note.type == OFFLINE and last.state == "on" and note.at < last.began:
            return  # the end of an earlier one, which was told when this one was found
        late = self._is_late(note)
        if note.type == ONLINE:
            there = Broadcast(str(note.event.get("id") or ""), note.at, "on")
            late = late or (there.id == last.id and last.state != "on")
            if not late:
                await self._listener.stream_is({"live": True})
                await self._catch_up(last, there, note.at, but=ONLINE)
            await self._happens(note)
            if not late:
                await self._keep(there)
            return
        if not late:
            await self._listener.stream_is({"live": False, "viewers": 0})
        await self._happens(replace(note, event={**note.event, "id": ends(last)}))
        await self._keep(replace(last, state="ended"))

    async def _catch_up(
        self, last: Broadcast, there: Broadcast | None, at: float, *, live: bool = False, but: str = ""
    ) -> None:
        """Tell what nobody told of, as if Twitch had: it is the same event if Twitch still does."""
        for type, id in missed(last, there, live=live):
            if type != but:
                await self._happens(Notification(f"{type}:{id or round(at)}", type, at, {"id": id}))

    async def _last(self) -> Broadcast:
        if self._broadcast is None:
            self._broadcast = kept_in(await self._listener.store.config(self._community))
        return self._broadcast

    async def _keep(self, broadcast: Broadcast) -> None:
        if broadcast != self._broadcast:
            await self._listener.keep([record_of(broadcast)])
            self._broadcast = broadcast

    async def _watch(self) -> None:
        """Look again and again, while the stream is live, at what nobody tells of."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            if self._listener.settings.live:
                await self._kept_alone(self._look_at_stream())
                await self._kept_alone(self._look_at_clips())
            else:
                self._clips_since = None

    async def _look_at_clips(self) -> None:
        """Tell of the clips made since somebody wants to know; one may be found minutes after it was made."""
        if "clip.created" not in {canonical(name) for name in self._awaited()}:
            self._clips_since = None
            return
        now = self._now()
        self._clips_since = max(self._clips_since or now - WATCH_EVERY, now - CLIPS_LATE)
        owner = self._connection.accounts.broadcaster
        since = datetime.fromtimestamp(self._clips_since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = {"broadcaster_id": owner, "started_at": since, "first": str(MOST_ASKED)}
        try:
            found = await self._connection.ask(Request("GET", "clips", owner, query))
        except (NotConnected, Refused, aiohttp.ClientError, TimeoutError) as error:
            log.info("the clips could not be looked up: %s", error)
            return
        for clip in found.get("data") or ():
            if f"clip:{clip.get('id')}" in self._seen:
                continue
            await self._people.recall([str(clip.get("creator_id") or "")])
            await self._listener.happen(clipped(clip, self._known(), now))
            self._remember(self._seen, f"clip:{clip.get('id')}", None, REMEMBERED)

    async def _look_around(self) -> None:
        """Everything that somebody should have told of meanwhile."""
        await self._look_at_stream()
        if (owner := self._owner()) is not None:
            await self._learn_rewards(owner)
            await self._look_at_moderators(owner)

    def _owner(self) -> str | None:
        try:
            return self._connection.accounts.broadcaster
        except NotConnected:
            return None

    async def _look_at_stream(self) -> None:
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
                await self._found(stream, channel)

    async def _look_at_moderators(self, owner: str) -> None:
        """Who lost that while nobody heard of it, as far as that may be asked."""
        mods = {
            key.removeprefix("twitch:")
            for key, roles in self._listener.standing.items()
            if key.startswith("twitch:") and "moderator" in roles and "broadcaster" not in roles
        }
        known = sorted(id for id in mods if id.isdecimal() and id != owner)
        if MODERATORS.isdisjoint(self._connection.granted.get(owner, ())):
            return
        for start in range(0, len(known), MOST_ASKED):
            some = known[start : start + MOST_ASKED]
            query = {"broadcaster_id": owner, "user_id": some, "first": str(MOST_ASKED)}
            try:
                found = await self._connection.ask(Request("GET", "moderation/moderators", owner, query))
                there = {str(each.get("user_id")) for each in found.get("data") or ()}
                gone = [id for id in some if id not in there]
                logins = await self._logins(gone, owner)
            except (NotConnected, Refused, aiohttp.ClientError, TimeoutError) as error:
                log.info("the moderators could not be looked up: %s", error)
                return
            for id in gone:
                await self._people.become(id, "moderator", holds=False)
                await self._listener.stands(Person(logins.get(id, ""), "twitch", (), id))

    async def _logins(self, ids: Sequence[str], owner: str) -> Mapping[str, str]:
        """What these are called, as the streamer may have named somebody who is no moderator of Twitch's."""
        if not ids:
            return {}
        found = await self._connection.ask(Request("GET", "users", owner, {"id": ids}))
        return {str(each.get("id")): str(each.get("login")) for each in found.get("data") or ()}

    async def _found(self, stream: Mapping[str, Any] | None, channel: Mapping[str, Any] | None) -> None:
        now, last = self._now(), await self._last()
        there = None
        if stream is not None:
            began = moment(stream.get("started_at"), now)
            there = Broadcast(str(stream.get("id") or ""), began, "on")
        there = believed(last, there, now)
        if there is not None:
            self._told_at["live"] = max(there.began, self._told_at.get("live", 0.0))
        if channel is not None:
            self._channel = {
                "title": str(channel.get("title") or ""),
                "category": str(channel.get("game_name") or ""),
            }
        live = self._listener.settings.live
        viewers = 0 if stream is None or there is None else stream.get("viewer_count") or 0
        await self._listener.stream_is({"live": there is not None, "viewers": viewers, **self._channel})
        await self._catch_up(last, there, now, live=live)
        await self._keep(after(last, there))

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
