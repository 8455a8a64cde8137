"""The switchboard: opens everything a bot is made of, in order, on one exit stack, and passes what comes in to who handles it.

It is the only module that names a concrete store, clock, service or language. It decides nothing: a message goes to the
conversation or becomes an event, an event goes to the runner.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from importlib.metadata import entry_points
from logging import getLogger
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot import config, happenings
from bot.ai.asking import Asker
from bot.ai.budget import Budget
from bot.ai.models import options_of, rewords
from bot.ai.rewording import ModelRewriter
from bot.at_length import File, Poster, at_length
from bot.beside import beside, probe_loop
from bot.config import COMMUNITY, DataFolder, Settings
from bot.conversation import Conversation
from bot.equipment import Equipment, equip, offered
from bot.housekeeping import keep_house
from bot.log import Redacting
from bot.message import Message, Reply, instruction_in
from bot.named import as_named, event_as_named
from bot.own_state import away, beat, changed_words, note_alive, resumed_words, shifted_words
from bot.plugins import GROUP
from bot.rewording import Rewriter
from bot.services.declared import DECLARATIONS
from bot.services.internal import InternalService
from bot.services.simulated import SERVICES, FailurePlan, simulated_services
from bot.staging import Staging
from bot.standing import news, standing_in, told_of
from engine.clock import SleepingClock, SystemClock, VirtualClock
from engine.errors import EngineError
from engine.events import Event
from engine.execution import Person
from engine.metrics import Metrics
from engine.ports import Batch, ConfigRecord, Service, Store
from engine.runner import Attempt, Posted, Runner
from storage.backup import backup, restore
from storage.sqlite import SQLiteStore

log = getLogger(__name__)

_SAVE_NOW_EVERY: Final = 1.0
"""Real seconds between two savings of virtual time while it is being advanced."""

_CHANCE: Final = random.SystemRandom().random
RESERVED: Final = (*SERVICES, "internal", "data")
"""Names of services that are the bot's own."""


class OnlyVirtual(Exception):
    """Real time cannot be moved."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message came to: replies of the bot, or an event."""

    replies: Sequence[Reply] = ()
    posted: Posted | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What is there before a bot is: of use to those who make services for it."""

    settings: Settings
    store: Store
    clock: SleepingClock
    notice: Callable[[str], None]
    folder: DataFolder
    asker: Asker


async def _nowhere(_platform: str, _sentence: str, _file: File) -> None:
    """There is no place that has room for more."""


@dataclass(frozen=True, slots=True)
class Abroad:
    """The platforms that are really there.

    Attributes:
        services: Makes their services, before the bot is open.
        granted: Tells the scopes that they have granted, by service.
        unheard: Tells the events that they do not tell of, with the scopes that would change that.
        secrets: Tells what may never be shown.
        elsewhere: Tells people on the other platforms than the named one, if they want to know.
        at_length: Posts what is too long for the named platform where moderators read, and tells where that is.
    """

    services: Callable[[Opening], Sequence[Service]] = lambda _: ()
    granted: Callable[[], Mapping[str, Collection[str]]] = dict
    unheard: Callable[[], Mapping[str, Collection[str]]] = dict
    secrets: Callable[[], Iterable[str]] = tuple
    elsewhere: Callable[[str, str], None] = lambda _platform, _sentence: None
    at_length: Poster = _nowhere


NOWHERE: Final = Abroad()


class Bot:
    """One community's bot, open."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: SleepingClock,
        runner: Runner,
        store: Store,
        equipment: Equipment,
        plan: FailurePlan,
        ids: Callable[[], str],
        abroad: "Abroad",
        rewriter: Rewriter | None = None,
        missed: str | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.runner = runner
        self.store = store
        self.equipment = equipment
        self.language = equipment.language
        self.plan = plan
        self.ids = ids
        self.missed = missed
        """What to say of how long it was away and what came due meanwhile; nothing if that is nothing."""
        self._abroad = abroad
        self._machine_zone = config.machine_zone()
        self._standing: dict[str, tuple[str, ...]] = {}
        self.conversation = Conversation(
            community=COMMUNITY,
            language=equipment.language,
            runner=runner,
            store=store,
            clock=clock,
            ids=ids,
            declarations=equipment.declarations,
            names=lambda: self.settings.names,
            config=self.tree,
            zone=lambda: self.zone.key,
            granted=abroad.granted,
            unheard=abroad.unheard,
            rewriter=rewriter,
        )
        self._surround()

    def secrets(self) -> tuple[str, ...]:
        """What may never be shown."""
        return (*self.settings.secrets.values(), *self._abroad.secrets())

    def tree(self) -> dict[str, Any]:
        """The settings that templates can name."""
        return self.settings.tree()

    @property
    def zone(self) -> ZoneInfo:
        """The community's time zone."""
        return config.zone_info(self.settings, self._machine_zone)

    async def hear(self, message: Message) -> Heard:
        """Handle something a person typed."""
        message = replace(message, author=as_named(message.author, self.settings.values))
        await self.stands(message.author)
        if instruction_in(message.text) is not None or await self.conversation.wants(message):
            since = self.clock.now()
            replies = await self.conversation.handle(message)
            await self._tell_elsewhere(message, replies, since)
            return Heard(await at_length(message, replies, self._abroad.at_length))
        if not message.text.strip():
            return Heard()
        return Heard(posted=await self.runner.post(happenings.chat_event(message, COMMUNITY)))

    async def _tell_elsewhere(self, message: Message, replies: Sequence[Reply], since: float) -> None:
        """Let those on the other platforms know what has been changed here."""
        changed = dict.fromkeys(reply.workflow for reply in replies if reply.kind == "done" and reply.workflow)
        try:
            for id in changed:
                for change in await self.store.changes(COMMUNITY, id, limit=1):
                    if change.at >= since and change.by == message.author:
                        self._abroad.elsewhere(message.place.platform, changed_words(change))
        except EngineError:
            log.exception("what was changed could not be told elsewhere")

    async def happen(self, event: Event) -> Posted:
        """Handle something that happened on the stream."""
        if (person := told_of(event)) is not None:
            await self.stands(person)
        return await self.runner.post(event_as_named(event, self.settings.values))

    async def recall_standing(self) -> None:
        """Take up as what people were last seen, before anything runs in anybody's name.

        Raises:
            StoreError: It cannot be read.
        """
        self._standing = standing_in(await self.store.config(COMMUNITY))
        self.runner.stand(COMMUNITY, self._standing)

    @property
    def standing(self) -> Mapping[str, tuple[str, ...]]:
        """As what those were last seen who ever were staff, by `standing_key`."""
        return self._standing

    async def stands(self, person: Person) -> None:
        """Know as what somebody was seen; whom the streamer has named is that, whatever a platform tells."""
        record = news(self._standing, as_named(person, self.settings.values))
        if record is not None:
            await self.keep([record])
            self._standing |= standing_in({record.key: record})

    async def stream_is(self, facts: Mapping[str, Any]) -> None:
        """Know this of the stream: `live`, `title`, `category`, `viewers`, whichever is given."""
        settings, records = self.settings, []
        for key, value in facts.items():
            if key == "live" and value is not settings.live:
                settings, record = config.with_live(settings, on=bool(value))
                records.append(record)
            elif key != "live" and settings.values.get(f"stream.{key}") != value:
                settings, record = config.with_value(settings, f"stream.{key}", value, secret=False)
                records.append(record)
        if records:
            await self._set(records)

    async def rewards_are(self, titles: tuple[str, ...]) -> None:
        """Know the channel's rewards by these names."""
        if titles != self.settings.names.rewards:
            await self.set(config.with_names(self.settings, "rewards", titles))

    async def set(self, changed: tuple[Settings, ConfigRecord]) -> None:
        """Keep a changed setting; it counts once it is stored."""
        _, record = changed
        await self._set([record])

    async def _set(self, records: Sequence[ConfigRecord]) -> None:
        await self.runner.save(Batch(config=list(records)))
        for record in records:
            self.settings = config.with_record(self.settings, record)  # others may have been stored meanwhile
        self._surround()

    async def remember(self, keys: Mapping[str, float]) -> None:
        """Let these keys count as seen, each until then."""
        await self.runner.save(Batch(seen={(COMMUNITY, key): until for key, until in keys.items()}))

    async def keep(self, records: Sequence[ConfigRecord]) -> None:
        """Keep what a front end has to know again after a restart."""
        await self.runner.save(Batch(config=list(records)))

    async def advance_to(self, when: float) -> None:
        """Move virtual time on, letting everything due on the way happen in its order.

        Raises:
            OnlyVirtual: This bot runs on real time.
            ValueError: That would be backward.
        """
        clock = self.clock
        if not isinstance(clock, VirtualClock):
            raise OnlyVirtual
        saved = asyncio.get_running_loop().time()

        async def settle() -> None:
            nonlocal saved
            await self.runner.quiescent()
            if asyncio.get_running_loop().time() - saved >= _SAVE_NOW_EVERY:
                await self.save_now()
                saved = asyncio.get_running_loop().time()

        await clock.advance_to(when, settle)
        await self.save_now()

    async def save_now(self) -> None:
        """Keep how far virtual time has come."""
        if isinstance(self.clock, VirtualClock) and self.clock.now() != self.settings.virtual_now:
            await self.set(config.with_virtual_now(self.settings, self.clock.now()))

    def local(self, moment: float) -> datetime:
        """A moment on the community's clock."""
        return datetime.fromtimestamp(moment, self.zone)

    def _surround(self) -> None:
        settings = self.settings
        self.runner.surround(COMMUNITY, config=settings.tree(), stream=settings.stream(), zone=self.zone.key)


def equipment() -> Equipment:
    """What a bot on this machine can do: its own services, and those of the plugins that are installed."""
    return equip(DECLARATIONS, RESERVED, offered(entry_points(group=GROUP)), config.tables_folder())


async def open_bot(
    stack: AsyncExitStack,
    folder: DataFolder,
    log_file: Redacting,
    *,
    equipment: Equipment,
    virtual: bool,
    on_attempt: Callable[[Attempt], None],
    notice: Callable[[str], None],
    stand_ins: Sequence[Service] = (),
    abroad: Abroad = NOWHERE,
    chance: Callable[[], float] = _CHANCE,
    metrics: Metrics | None = None,
) -> Bot:
    """Open a bot on a data folder; the stack closes it, last opened first.

    Args:
        stack: Closes it.
        folder: Where everything is kept.
        log_file: Gets to know what may not be written.
        equipment: What it can do.
        virtual: Whether time moves only when it is told to.
        on_attempt: Told of every try handed to a service.
        notice: Told what people should know.
        stand_ins: Services in the place of its own ones of the same names.
        abroad: The platforms that are really there; their services, too, are in the place of its own.
        chance: Draws numbers in [0, 1).
        metrics: Counts and times whatever happens; the event loop is then watched, too.

    Raises:
        StoreError: The folder cannot be used; the text says why.
    """
    store = await stack.enter_async_context(await SQLiteStore.open(folder.database))
    settings = config.settings_from(await store.config(COMMUNITY))
    clock = _clock(settings, virtual=virtual)
    absence = None if virtual else await _absence(store, clock.now())
    plan = FailurePlan(DECLARATIONS)

    def told(_community: str, sentence: str) -> None:
        log.warning("told: %s", sentence)
        notice(sentence)

    clock.when_shifted(lambda shift: told(COMMUNITY, shifted_words(shift)))
    staging = Staging(clock, new_id, settings)
    equipment = await staging.open(stack, equipment)
    asker = _asker(lambda: bot, store)
    opening = Opening(settings, store, clock, partial(told, COMMUNITY), folder, asker)
    for problem in equipment.problems:
        told(COMMUNITY, problem)
    runner = Runner(
        store,
        [
            *_own_services(
                plan,
                InternalService(chance, getLogger("workflow"), opening.notice, clock.now),
                [*stand_ins, *abroad.services(opening)],
            ),
            *equipment.plugins,
        ],
        clock,
        ids=new_id,
        chance=chance,
        on_attempt=on_attempt,
        notices=told,
        metrics=metrics,
    )
    bot = Bot(
        settings=settings,
        clock=clock,
        runner=runner,
        store=store,
        equipment=equipment,
        plan=plan,
        ids=new_id,
        abroad=abroad,
        rewriter=ModelRewriter(asker, lambda: rewords(bot.settings), equipment.declarations),
        missed=absence,
    )
    log_file.secrets = bot.secrets
    if not virtual:
        stack.push_async_callback(_note_last, store, clock)
    stack.push_async_callback(runner.close)
    await bot.recall_standing()
    await runner.open(COMMUNITY)
    stack.push_async_callback(_save_last, bot)
    await bot.save_now()
    await bot.conversation.open()
    await bot.happen(happenings.event("bot.started", {}, id=new_id(), at=clock.now(), community=COMMUNITY))
    if absence is not None:
        told(COMMUNITY, absence)
    await stack.enter_async_context(
        beside(
            keep_house(store, lambda: config.retention_of(bot.settings), clock.now, partial(runner.tidy, COMMUNITY)),
            "housekeeping",
        )
    )
    if metrics is not None:
        await stack.enter_async_context(beside(probe_loop(metrics.loop_late), "loop probe"))
    if not virtual:

        async def sleep(seconds: float) -> None:  # on the clock, so that somebody always notices what the clocks do
            await clock.sleep_until(clock.now() + seconds)

        await stack.enter_async_context(beside(beat(store, clock.now, sleep=sleep), "heartbeat"))
    await staging.ready(lambda: bot.settings, bot.happen)
    return bot


def _asker(bot: Callable[[], Bot], store: Store) -> Asker:
    """Asks language models, as the bot that is soon there is set."""

    def today() -> str:
        return bot().local(bot().clock.now()).date().isoformat()

    return Asker(lambda: options_of(bot().settings), Budget(COMMUNITY, store, today), lambda: bot().secrets())


async def _absence(store: Store, now: float) -> str | None:
    down, left = await away(store, COMMUNITY, now)
    return resumed_words(down, left.due, left.unknown)


async def _note_last(store: Store, clock: SleepingClock) -> None:
    await note_alive(store, clock.now())


def _own_services(plan: FailurePlan, internal: InternalService, stand_ins: Sequence[Service]) -> list[Service]:
    own: list[Service] = [*simulated_services(DECLARATIONS, plan), internal]
    replaced = {service.name: service for service in stand_ins}
    return [replaced.get(service.name, service) for service in own]


async def _save_last(bot: Bot) -> None:
    try:
        await bot.save_now()
    except EngineError:
        log.exception("the time could not be kept")


def _clock(settings: Settings, *, virtual: bool) -> SleepingClock:
    real = SystemClock()
    return VirtualClock(real.now() if settings.virtual_now is None else settings.virtual_now) if virtual else real


@asynccontextmanager
async def stored(folder: DataFolder, *, read_only: bool) -> AsyncIterator[Store]:
    """What a data folder holds, without a bot around it; to be read only, it may have a running bot.

    Raises:
        StoreError: It cannot be opened so; the text says why.
    """
    async with await SQLiteStore.open(folder.database, read_only=read_only) as store:
        yield store


async def back_up(folder: DataFolder, target: Path) -> None:
    """Copy everything into a file that is not there yet, whoever writes meanwhile.

    Raises:
        StoreError: It could not be made.
    """
    await backup(folder.database, target)


async def put_back(folder: DataFolder, copy: Path) -> Path | None:
    """Put a copy in the place of everything there is; tells where that was kept, if there was anything.

    Raises:
        StoreError: It could not be done; nothing was changed.
    """
    return await restore(copy, folder.database)


def new_id() -> str:
    """An id that nothing else has."""
    return secrets.token_hex(8)
