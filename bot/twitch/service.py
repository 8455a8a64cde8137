"""The twitch service: performs the declared methods over Helix, and finds out what became of what was cut off.

What can be known beforehand - a scope that is missing, somebody who is not there - fails before anything is handed over.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import aiohttp

from bot.twitch.answers import no_answer, not_granted, refusal, unavailable
from bot.twitch.client import NotConnected, Refused, Request
from bot.twitch.deeds import DEEDS, Asked, Deed, Given, Need, Unfit
from bot.twitch.speaking import AGAIN_AFTER, Api, Speaker
from engine.declare import Declarations, Method
from engine.execution import Done, Effect, Failed, Result

log = logging.getLogger(__name__)

NAME: Final = "twitch"
_SAY: Final = "send_chat_message"
_MESSAGES: Final = frozenset({"message.received", "message.first"})
CONNECTED_WITHIN: Final = 60.0
"""Seconds for which whatever is asked waits for a connection, as after a start or a short outage."""
_KNOWN: Final = 1_000
_KNOWN_FOR: Final = 600.0


class TwitchService:
    """Does on Twitch what workflows ask for.

    Args:
        methods: Its declarations.
        api: The way to Twitch.
        speaker: Says things in the chat.
        event_of: Tells the fields of the event that a run began with.
        seen: Tells the message that an effect was seen to become in the chat, if it was.
        now: Seconds; only their differences matter.
        sleep: Waits.
    """

    name: Final = NAME
    simulated: Final = False

    def __init__(
        self,
        methods: Sequence[Method],
        api: Api,
        speaker: Speaker,
        *,
        event_of: Callable[[str], Awaitable[Mapping[str, Any]]],
        seen: Callable[[str], Awaitable[str | None]],
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.methods = tuple(method for method in methods if method.service == NAME)
        self._declarations = Declarations(self.methods)
        self._api = api
        self._speaker = speaker
        self._event_of = event_of
        self._seen = seen
        self._now = now
        self._sleep = sleep
        self._users: OrderedDict[str, tuple[float, Mapping[str, Any]]] = OrderedDict()

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        """Do it."""
        method = self._declarations.find(NAME, effect.method)
        if method is None:
            return Failed("unknown_method", f"twitch cannot do {effect.method}")
        if method.name == _SAY:
            reply_to = effect.params.get("reply_to") or await self._answered(effect)
            text = str(effect.params.get("message") or "")
            return await self._speaker.say(
                text, reply_to=str(reply_to) if reply_to else None, effect=effect.id, begin=begin
            )
        deed = DEEDS.get(method.name)
        if deed is None:
            return Failed("unknown_method", f"twitch cannot do {effect.method}")
        if not await self._api.ready(CONNECTED_WITHIN):
            return unavailable()
        try:
            owner = self._owner(method, deed)
            if owner is None:
                return not_granted(method.scopes)
            asked = await self._prepared(effect, deed, owner)
        except NotConnected:
            return unavailable()
        except Unfit as error:
            return Failed("rejected", str(error))
        except _NotFound as error:
            return Failed("not_found", str(error))
        except Refused as error:  # a look-up: nothing was done yet, so it may be tried again
            return refusal(error.status, error.message, repeatable=True)
        except (aiohttp.ClientError, TimeoutError):
            return no_answer(repeatable=True)
        await begin()
        return await self._done(asked, deed, owner, repeatable=effect.repeatable or asked.verb == "GET")

    async def _answered(self, effect: Effect) -> str | None:
        """The message that a reply answers: the one that its run began with, if it began with one of this chat."""
        if effect.params.get("reply") is not True:
            return None
        event = await self._event_of(effect.execution)
        return event.get("message_id") if event.get("name") in _MESSAGES else None

    async def settle(self, effect: Effect) -> Result | None:
        """What was said is known by the message that came back; of the rest nothing can be known."""
        if effect.method != _SAY:
            return None
        id = await self._seen(effect.id)
        return None if id is None else Done({"message_id": id})

    def _owner(self, method: Method, deed: Deed) -> str | None:
        """In whose name: the usual account's, or the broadcaster's, whoever may."""
        accounts = self._api.accounts
        usual = accounts.bot if deed.by == "bot" else accounts.broadcaster
        for account in dict.fromkeys((usual, accounts.broadcaster)):
            if set(method.scopes) <= set(self._api.granted.get(account, ())):
                return account
        return None

    async def _prepared(self, effect: Effect, deed: Deed, owner: str) -> Asked:
        event: Mapping[str, Any] = {}
        if "reward" in deed.needs:
            event = await self._event_of(effect.execution)
        found: dict[str, Mapping[str, Any]] = {}
        for need in deed.needs:
            entry = await self._find(need, effect.params, event, owner)
            if entry is not None:
                found[need] = entry
        return deed.ask(Given(effect.params, owner, self._api.accounts.broadcaster, found, event))

    async def _done(self, asked: Asked, deed: Deed, owner: str, *, repeatable: bool) -> Result:
        try:
            answer = await self._ask(asked, owner)
        except (NotConnected, aiohttp.ClientConnectorError):
            return unavailable()
        except (aiohttp.ClientError, TimeoutError):
            return no_answer(repeatable=repeatable)
        except Refused as error:
            return refusal(error.status, error.message, repeatable=repeatable)
        return Done(deed.output(_first(answer) or {}))

    async def _ask(self, asked: Asked, owner: str) -> Any:
        """Ask Helix; where it cannot be reached nothing was asked, so it is tried again for a while."""
        request = Request(asked.verb, asked.path, owner, asked.query, asked.body)
        until = self._now() + CONNECTED_WITHIN
        while True:
            try:
                return await self._api.ask(request)
            except aiohttp.ClientConnectorError:
                if self._now() + AGAIN_AFTER > until:
                    raise
            await self._sleep(AGAIN_AFTER)

    # Looking up --------------------------------------------------------------------------------------------------------------

    async def _find(
        self, need: Need, params: Mapping[str, Any], event: Mapping[str, Any], owner: str
    ) -> Mapping[str, Any] | None:
        match need:
            case "user":
                return await self._user(str(params.get("user") or params.get("target_channel") or ""), owner)
            case "game":
                name = params.get("game_name")
                return None if name is None else await self._game(str(name), owner)
            case "reward":
                return await self._reward(str(params.get("reward") or event.get("reward") or ""), owner)
            case "poll":
                return await self._current("polls", "ACTIVE", "There is no poll going on.", owner)
            case "prediction":
                return await self._current("predictions", "ACTIVE LOCKED", "There is no prediction going on.", owner)

    async def _user(self, name: str, owner: str) -> Mapping[str, Any]:
        login = name.strip().removeprefix("@").casefold()
        if not login or not all(
            character.isascii() and (character.isalnum() or character == "_") for character in login
        ):
            raise _NotFound(f'There is nobody called "{name}" on Twitch.')
        known = self._users.get(login)
        if known is not None and self._now() - known[0] < _KNOWN_FOR:
            return known[1]
        entry = _first(await self._ask(Asked("GET", "users", {"login": login}), owner))
        if entry is None:
            raise _NotFound(f'There is nobody called "{name}" on Twitch.')
        self._users[login] = (self._now(), entry)
        while len(self._users) > _KNOWN:
            self._users.popitem(last=False)
        return entry

    async def _game(self, name: str, owner: str) -> Mapping[str, Any]:
        entry = _first(await self._ask(Asked("GET", "games", {"name": name}), owner))
        if entry is not None:
            return entry
        near = _entries(await self._ask(Asked("GET", "search/categories", {"query": name, "first": "3"}), owner))
        for each in near:
            if str(each.get("name", "")).casefold() == name.casefold():
                return each
        names = ", ".join(str(each.get("name")) for each in near)
        raise _NotFound(f'Twitch has no category "{name}"' + (f"; it has {names}." if names else "."))

    async def _reward(self, title: str, owner: str) -> Mapping[str, Any]:
        query = {"broadcaster_id": self._api.accounts.broadcaster, "only_manageable_rewards": "true"}
        entries = _entries(await self._ask(Asked("GET", "channel_points/custom_rewards", query), owner))
        for entry in entries:
            if str(entry.get("title", "")).casefold() == title.casefold():
                return entry
        what = f'the reward "{title}"' if title else "which reward that is"
        raise _NotFound(f"I do not know {what}, or I did not create it: Twitch lets me change my own only.")

    async def _current(self, path: str, statuses: str, sentence: str, owner: str) -> Mapping[str, Any]:
        query = {"broadcaster_id": self._api.accounts.broadcaster, "first": "5"}
        for entry in _entries(await self._ask(Asked("GET", path, query), owner)):
            if str(entry.get("status", "")).upper() in statuses.split():
                return entry
        raise _NotFound(sentence)


class _NotFound(Exception):
    """What is needed is not there; the text is a sentence."""


def _entries(answer: Any) -> Sequence[Mapping[str, Any]]:
    data = answer.get("data") if isinstance(answer, Mapping) else None
    return [entry for entry in data if isinstance(entry, Mapping)] if isinstance(data, list) else ()


def _first(answer: Any) -> Mapping[str, Any] | None:
    return next(iter(_entries(answer)), None)
