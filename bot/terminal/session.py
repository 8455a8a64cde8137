"""The person at the keyboard: who types, and what each line comes to. The same for the prompt and the pipe.

A line that begins with `/` drives; every other is a chat message of whoever is typing. It prints nothing.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC
from itertools import islice
from logging import getLogger
from typing import Any, Final, assert_never

from bot import config, drive, drive_lines, happenings
from bot.app import Bot, Heard, OnlyVirtual
from bot.config import COMMUNITY, NotSettable
from bot.drive import Drive, Unreadable
from bot.message import Message, Place, Reply, Role, role_of, roles_of
from bot.services.declared import DECLARATIONS
from bot.services.simulated import SERVICES
from bot.terminal.output import Entered
from engine.errors import EngineError
from engine.execution import Person
from engine.model import Trigger
from engine.runner import Posted
from engine.schedules import next_time

log = getLogger(__name__)

BROADCASTER: Final = "streamer"
_REMEMBERED: Final = 50


class Session:
    """One person after another, at one keyboard.

    Args:
        seconds: Reads a duration in the language's words.
        log_path: Where to look when something broke, as told to people.
    """

    def __init__(self, bot: Bot, name: str, role: Role, seconds: Callable[[str], float | None], log_path: str) -> None:
        self._bot = bot
        self._seconds = seconds
        self._log_path = log_path
        self._roles: dict[str, Role] = {BROADCASTER: "broadcaster", name.casefold(): role}
        self._discord: list[Message] = []
        self.place = Place("twitch")
        self.person = self._person(name, self.place)

    async def enter(self, text: str) -> Entered:
        """Handle one line; whatever goes wrong is answered in words."""
        try:
            if text.lstrip().startswith("/"):
                return await self._drive(drive_lines.read(text, self._seconds))
            return _entered(await self._hear(self.person, self.place, text))
        except EngineError as error:
            return _refusal(str(error))
        except Exception:  # a line must never end the bot
            log.exception("a line was not handled")
            return _refusal(f"That went wrong inside the bot, not with you. What happened is in {self._log_path}.")

    def complete(self, text: str) -> list[str]:
        """What the word being typed could become, if what is typed is for the bot."""
        message = Message("", text, self.person, self.place, self._bot.clock.now())
        return self._bot.conversation.complete(message)

    async def _drive(self, asked: Drive | Unreadable) -> Entered:  # noqa: C901  one flat match over a closed union
        match asked:
            case Unreadable():
                return _refusal(asked.text)
            case drive.Become():
                return self._become(asked)
            case drive.Say():
                return _entered(await self._hear(self._person(asked.who, asked.place), asked.place, asked.text))
            case drive.Happen():
                return await self._happen(asked)
            case drive.React():
                return await self._react(asked)
            case drive.GoLive():
                return await self._go_live(asked)
            case drive.SetNames():
                await self._bot.set(config.with_names(self._bot.settings, asked.kind, asked.names))
                return _noted(f"{asked.kind}: {', '.join(asked.names) or 'none'}"[:480])
            case drive.SetConfig():
                return await self._set(asked)
            case drive.ShowConfig():
                return self._show_config()
            case drive.PlanFailure():
                return self._plan(asked)
            case drive.Advance():
                return await self._advance_to(self._bot.clock.now() + asked.seconds)
            case drive.AdvanceUntil():
                moment = asked.moment
                if moment.tzinfo is None:
                    moment = moment.replace(tzinfo=asked.zone or self._bot.zone)
                return await self._advance_to(moment.astimezone(UTC).timestamp())
            case drive.AdvanceToTime(hour=hour, minute=minute):
                return await self._advance_to(self._next_time(hour, minute))
            case drive.Rest():
                await asyncio.sleep(asked.seconds)
                return Entered()
            case drive.ShowDrives():
                return _answer(_usage(asked.name))
            case drive.Quit():
                return Entered(leave=True)
            case _:
                assert_never(asked)

    # People --------------------------------------------------------------------------------------------------------

    def _person(self, name: str, place: Place) -> Person:
        roles = roles_of(self._roles.get(name.casefold(), "viewer"))
        return Person(name, place.platform, roles, f"{place.platform}:{name.casefold()}")

    def _become(self, asked: drive.Become) -> Entered:
        if asked.role is not None:
            self._roles[asked.name.casefold()] = asked.role
        self.place = asked.place
        self.person = self._person(asked.name, asked.place)
        return Entered(note=f"You are {asked.name}, {role_of(self.person)}, on {_where(asked.place)}.")

    async def _hear(self, person: Person, place: Place, text: str) -> Heard:
        message = Message(self._bot.ids(), text, person, place, self._bot.clock.now())
        if place.platform == "discord":
            self._discord = [*self._discord[1 - _REMEMBERED :], message]
        return await self._bot.hear(message)

    # Events --------------------------------------------------------------------------------------------------------

    async def _happen(self, asked: drive.Happen) -> Entered:
        payload = dict(asked.payload)
        name = asked.user
        if name is None and happenings.is_about_someone(asked.event):
            name = self.person.name
        if name is not None:
            payload["user"] = happenings.user_fields(name, self._person(name, Place("twitch")).roles)
        return _posted(await self._post(asked.event, payload))

    async def _react(self, asked: drive.React) -> Entered:
        written = next((each for each in reversed(self._discord) if asked.message in (each.text, each.id)), None)
        text = asked.message if written is None else written.text
        id = self._bot.ids() if written is None else written.id
        channel = (self.place if written is None else written.place).channel or "general"
        payload = {
            "user": happenings.user_fields(asked.who, self._person(asked.who, Place("discord")).roles),
            "emoji": asked.emoji,
            "message": text,
            "message_id": id,
            "channel": channel,
            "link": happenings.discord_link(Place("discord", channel), id),
        }
        return _posted(await self._post("discord.reaction.added", payload))

    async def _go_live(self, asked: drive.GoLive) -> Entered:
        await self._bot.set(config.with_live(self._bot.settings, on=asked.on))
        stream = self._bot.settings.values
        if not asked.on:
            return _posted(await self._post("stream.ended", {}))
        title, category = (str(stream.get(f"stream.{key}", "")) for key in ("title", "category"))
        return _posted(await self._post("stream.started", {"title": title, "category": category}))

    async def _post(self, name: str, fields: Mapping[str, Any]) -> Posted:
        bot, payload = self._bot, dict(fields)
        if name == "gift.received" and "gift_id" not in payload:
            payload["gift_id"] = bot.ids()
        if name == "reward.redeemed" and "redemption_id" not in payload:
            payload["redemption_id"] = bot.ids()
        return await bot.happen(happenings.event(name, payload, id=bot.ids(), at=bot.clock.now(), community=COMMUNITY))

    # Settings ------------------------------------------------------------------------------------------------------

    async def _set(self, asked: drive.SetConfig) -> Entered:
        bot = self._bot
        if asked.key.casefold() == "timezone" and not asked.secret:
            zone = str(asked.value)
            if not config.is_zone(zone):
                return _refusal(f'There is no time zone "{zone[:40]}"; they are called like Europe/Berlin.')
            await bot.set(config.with_zone(bot.settings, zone))
            return _noted(f"timezone = {zone}; it is {bot.local(bot.clock.now()):%H:%M} there.")
        try:
            changed = config.with_value(bot.settings, asked.key, asked.value, secret=asked.secret)
        except NotSettable as refused:
            return _refusal(str(refused))
        await bot.set(changed)
        shown = "(secret)" if asked.secret else str(asked.value)[:300]
        return _noted(f"{asked.key} = {shown}")

    def _show_config(self) -> Entered:
        settings = self._bot.settings
        lines = [f"timezone = {self._bot.zone.key}", *(f"{key} = {value}" for key, value in settings.values.items())]
        lines += [f"{key} = (secret)" for key in settings.secrets]
        text = "; ".join(line[:80] for line in lines)
        return _answer(text if len(text) <= 480 else text[:479] + "…")

    def _plan(self, asked: drive.PlanFailure) -> Entered:
        method = DECLARATIONS.find(asked.service, asked.method)
        if method is None or asked.service not in SERVICES:
            return _refusal(_not_simulated(asked.service, asked.method))
        if asked.failure is None:
            self._bot.plan.lift(method)
            return _noted(f"{method.key} works again.")
        self._bot.plan.fail(method, asked.failure)
        kind = {"error": "fails", "timeout": "does not answer", "unknown": "ends unknown"}[asked.failure.kind]
        if asked.failure.times is None:
            return _noted(f"{method.key} {kind} from now on; /fail {method.key} off ends that.")
        times = "once" if asked.failure.times == 1 else f"{asked.failure.times} times"
        return _noted(f"{method.key} {kind} {times}.")

    # Time ----------------------------------------------------------------------------------------------------------

    async def _advance_to(self, when: float) -> Entered:
        bot = self._bot
        if when < bot.clock.now():
            return _refusal(f"Time only goes forward; it is {self._now()} already.")
        if when - bot.clock.now() > drive.MAX_DURATION:
            return _refusal("That is more than a year away; at most a year at a time.")
        try:
            await bot.advance_to(when)
        except OnlyVirtual:
            return _refusal("This bot runs on real time, which moves by itself; begin the chat with --virtual-time.")
        return _noted(f"It is {self._now()}.")

    def _next_time(self, hour: int, minute: int) -> float:
        """When the community's clock next shows this; a whole day ahead if it does now."""
        now = self._bot.clock.now()
        once_a_day = Trigger(on="schedule.fired", schedule=f"{minute} {hour} * * *")
        found = next_time(once_a_day, after=now, zone=self._bot.zone.key, chance=0.0)
        return now if found is None else found

    def _now(self) -> str:
        now = self._bot.local(self._bot.clock.now())
        return f"{now:%a %Y-%m-%d %H:%M:%S} ({self._bot.zone.key})"


def _entered(heard: Heard) -> Entered:
    return Entered(heard.replies)


def _posted(posted: Posted) -> Entered:
    if posted.started:
        return Entered()
    refused = posted.refused or (() if posted.line is None else tuple(islice(posted.line.records(), 1)))
    if refused:
        return Entered(note=f"Nothing starts: {refused[0].reason}")
    return Entered(note="No workflow listens to that.")


def _refusal(text: str) -> Entered:
    return Entered((Reply("refusal", text),))


def _noted(text: str) -> Entered:
    """Nobody in chat is told: a pipe stays silent, a person at the prompt sees it."""
    return Entered(note=text)


def _answer(text: str) -> Entered:
    return Entered((Reply("answer", text),))


def _where(place: Place) -> str:
    return f"discord #{place.channel}" if place.platform == "discord" else place.platform


def _usage(name: str | None) -> str:
    if name is not None:
        return f"It goes like this: {drive.USAGE[name]}"
    names = ", ".join(f"/{name}" for name in drive.USAGE)
    return f"Lines that drive this terminal: {names}. How one goes: /help raid. Everything else is chat; talk to the bot with !workflow."


def _not_simulated(service: str, method: str) -> str:
    known = [found.key for found in DECLARATIONS if found.service == service and service in SERVICES]
    if known:
        return f"{service} has no {method[:40]}; it has {', '.join(known)}"[:480]
    return f"Only {', '.join(SERVICES)} are simulated, so only they fail on request: /fail obs.set_current_scene error"
