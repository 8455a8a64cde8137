"""Puts the parts of Twitch together: settings and tokens in, a service and a supervised connection out."""

import random
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from bot.catalogue import Entry
from bot.config import COMMUNITY, Settings, is_off
from bot.services.twitch import METHODS
from bot.supervise import Supervisor
from bot.tokens import TokenFile
from bot.twitch.client import BOT, BROADCASTER, Connection, Ears
from bot.twitch.cured import Servers
from bot.twitch.front import Front, Listener
from bot.twitch.service import TwitchService
from bot.twitch.speaking import Speaker
from bot.twitch.subscriptions import Accounts, unheard
from bot.twitch.wire import Notification
from engine.model import Collect, Definition, State, WaitFor, all_states

CLIENT_ID: Final = "twitch.client_id"
API_BASE: Final = "twitch.api_base"
ID_BASE: Final = "twitch.id_base"
EVENTSUB_URL: Final = "twitch.eventsub_url"
NOTICES: Final = "twitch.notices"
"""Set to off, nothing is said in the chat that nobody asked for."""
_CHANCE: Final = random.SystemRandom().random
_LOOKED_THROUGH: Final = 500
"""The latest events of its own among which a cut-off line's message is looked for."""


class _Opening(Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def store(self) -> Any: ...
    @property
    def clock(self) -> Any: ...
    @property
    def notice(self) -> Any: ...


class _Bot(Listener, Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def missed(self) -> str | None: ...
    @property
    def conversation(self) -> Any: ...
    @property
    def zone(self) -> ZoneInfo: ...
    def local(self, moment: float) -> Any: ...


def servers_of(settings: Settings) -> Servers:
    """Where Twitch is, by the settings."""
    usual = Servers()
    given = {
        "api_base": settings.values.get(API_BASE),
        "id_base": settings.values.get(ID_BASE),
        "eventsub_url": settings.values.get(EVENTSUB_URL),
    }
    return replace(usual, **{name: str(value) for name, value in given.items() if value})


def awaited(entries: Iterable[Entry]) -> Iterator[str]:
    """The names of all events that workflows start on or wait for; what is switched off may still have runs that wait."""
    for entry in entries:
        if entry.record.enabled:
            for trigger in entry.definition.triggers:
                yield trigger.on
        yield from _waited_for(entry.definition)


def _waited_for(definition: Definition) -> Iterator[str]:
    for state in all_states(definition.states):
        if (event := _event_of(state)) is not None:
            yield event


def _event_of(state: State) -> str | None:
    return state.action.event if isinstance(state.action, WaitFor | Collect) else None


@dataclass(slots=True)
class _Ends:
    """Where the connection's ends are tied to once there is a bot."""

    front: Front | None = None
    bot: Any = None

    def events(self) -> Iterable[str]:
        return () if self.bot is None else tuple(awaited(self.bot.conversation.catalogue.there()))

    def heard(self, note: Notification) -> None:
        if self.front is not None:
            self.front.heard(note)

    def connected(self) -> None:
        if self.front is not None:
            self.front.connected()


class TwitchPlatform:
    """Twitch, set up."""

    def __init__(self, opening: _Opening, tokens: TokenFile, client_id: str) -> None:
        self._opening = opening
        self._tokens = tokens
        self._ends = _Ends()
        store, notice = opening.store, opening.notice
        ears = Ears(self._ends.events, self._ends.heard, self._ends.connected, notice)
        self._connection = Connection(client_id, servers_of(opening.settings), tokens, ears)
        self._speaker = Speaker(self._connection, opening.clock.now, notice)

        async def event_of(run: str) -> Mapping[str, Any]:
            execution = await store.execution(run)
            return {} if execution is None else execution.event

        async def seen(effect: str) -> str | None:
            for event in await store.events(COMMUNITY, _LOOKED_THROUGH, own=True):
                if effect in event.payload.get("effects", ()):
                    return str(event.payload.get("message_id"))
            return None

        self.service = TwitchService(
            METHODS, self._connection, self._speaker, event_of=event_of, seen=seen, now=opening.clock.now
        )

    @classmethod
    def set_up(cls, opening: _Opening, tokens: TokenFile) -> "TwitchPlatform | None":
        """Twitch, if somebody has set it up."""
        client_id = opening.settings.values.get(CLIENT_ID)
        signed_in = BOT in tokens.tokens or BROADCASTER in tokens.tokens
        return cls(opening, tokens, str(client_id)) if client_id and signed_in else None

    def granted(self) -> Collection[str]:
        """The scopes of all accounts."""
        return {scope for scopes in self._scopes().values() for scope in scopes}

    def unheard(self) -> Mapping[str, Collection[str]]:
        """The events it does not tell of, with the scopes that would change that."""
        return unheard(self._accounts(), self._scopes())

    def _scopes(self) -> Mapping[str, Collection[str]]:
        """By account: as validated, or as they were when they were last used."""
        there = [self._tokens.tokens[key] for key in (BOT, BROADCASTER) if key in self._tokens.tokens]
        return self._connection.granted or {token.user_id: token.scopes for token in there}

    def _accounts(self) -> Accounts:
        tokens = self._tokens.tokens
        ids = [tokens[key].user_id for key in (BROADCASTER, BOT) if key in tokens]
        return Accounts(ids[0], ids[-1])

    def supervisor(self, bot: _Bot) -> Supervisor:
        """Keeps it connected, and lets the bot hear."""
        notice = self._opening.notice
        self._ends.bot = bot
        missed = None if is_off(bot.settings.values.get(NOTICES)) else bot.missed
        self._ends.front = Front(
            bot,
            self._connection,
            self._speaker,
            community=COMMUNITY,
            now=self._opening.clock.now,
            notice=notice,
            awaited=self._ends.events,
            missed=missed,
        )
        return Supervisor(
            "Twitch",
            self._connection.attempt,
            now=self._opening.clock.now,
            local=bot.local,
            notice=notice,
            chance=_CHANCE,
        )

    def tell(self, sentence: str) -> None:
        """Say something in the chat."""
        if self._ends.front is not None:
            self._ends.front.tell(sentence)

    async def drain(self, within: float) -> None:
        """Take nothing more, and give what was taken so many seconds to end."""
        if self._ends.front is not None:
            await self._ends.front.drain(within)
        self._speaker.tell_dropped()
