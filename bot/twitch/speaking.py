"""Says things in the chat, one line after another, as `bot.twitch.sending` decides; knows its own words when they come back.

Answers to people do not wait behind what workflows say: whoever wants to stop a flood must be able to see that it worked.
What could not be said is told, not lost: the line's own result says so, and people hear of it now and then.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiohttp

from bot.drops import Drops, lines_for
from bot.twitch import sending
from bot.twitch.answers import no_answer, not_granted, not_sent, refusal, unavailable
from bot.twitch.client import NotConnected, Refused, Request
from bot.twitch.sending import Later, Never, Sent
from bot.twitch.subscriptions import Accounts
from bot.twitch.waiting import Asker, Begin, Line, Waiting
from engine.execution import Done, Failed, Result, Unknown

log = logging.getLogger(__name__)

SCOPE: Final = "user:write:chat"
MOST_WAITING: Final = 200
AGAIN_AFTER: Final = 2.0
"""Seconds until Twitch is tried again where it cannot be reached."""
_REMEMBERED: Final = 500
_KNOWN_FOR: Final = 120.0


class Api(Protocol):
    """What is needed of a connection."""

    @property
    def accounts(self) -> Accounts:
        """Who is who."""
        ...

    @property
    def granted(self) -> Any:
        """Scopes by account."""
        ...

    async def ready(self, within: float) -> bool:
        """Wait for a connection, so many seconds at most."""
        ...

    async def ask(self, request: Request) -> Any:
        """Ask Helix."""
        ...


@dataclass(slots=True)
class _Said:
    text: str
    at: float
    effects: tuple[str, ...]
    id: str | None = None


async def _at_once() -> None:
    """For what has nothing to mark."""


class Speaker:
    """The bot's voice in one channel.

    Args:
        api: The way to Twitch.
        now: Seconds; only their differences matter.
        notice: Told what people should know.
        sleep: Waits.
    """

    def __init__(
        self,
        api: Api,
        now: Callable[[], float],
        notice: Callable[[str], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.moderator = False
        self._api = api
        self._now = now
        self._drops = Drops(lines_for("the Twitch chat"), now, notice)
        self._sleep = sleep
        self._sent = Sent()
        self._turns = {urgent: asyncio.Lock() for urgent in (False, True)}
        self._lines = Waiting()
        self._waiting = 0
        self._said: deque[_Said] = deque(maxlen=_REMEMBERED)

    async def say(
        self,
        text: str,
        *,
        reply_to: str | None = None,
        effect: str | None = None,
        begin: Begin = _at_once,
        urgent: bool = False,
    ) -> Result:
        """Say something, in as many messages as it takes; while the same waits to be said, once for both.

        Args:
            text: What.
            reply_to: Id of the message that it answers.
            effect: Id of the effect that this is; its message is known by it when it comes back.
            begin: Awaited right before the first message is handed over.
            urgent: Whether it answers a person, and does not wait behind what workflows say.
        """
        messages = sending.parts(text)
        if not messages:
            return Failed("rejected", "There is nothing to say.")
        words, asker = (text, reply_to), Asker(effect, begin)
        if (joined := await self._lines.joined(words, asker, self._now())) is not None:
            return joined
        if self._waiting >= MOST_WAITING and not urgent:
            return self._drop(0.0)
        self._waiting += 1
        try:
            with self._lines.line(words, asker, self._now()) as line:
                async with self._turns[urgent]:
                    result = await self._all(messages, line, urgent=urgent)
                line.outcome.set_result(result)
        finally:
            self._waiting -= 1
        if isinstance(result, Done) and not self._waiting:
            self.tell_dropped()
        return result

    async def _all(self, messages: Sequence[str], line: Line, *, urgent: bool) -> Result:
        result: Result = Done(None)
        for place, message in enumerate(messages):
            before = result
            result = await self._one(message, line, urgent=urgent, last=place == len(messages) - 1)
            if not isinstance(result, Done):
                return _partly(result) if place else result
            result = before if place else result  # the first message is what is answered to later
        return result

    def own(self, text: str, id: str, *, shared: bool) -> tuple[str, ...]:
        """Whether a message of the bot's account is one of these; tells which effects it is, which may be none.

        Args:
            text: As it came back.
            id: The message's.
            shared: Whether a person uses the same account, so that words count.

        Raises:
            KeyError: It was typed by a person.
        """
        now, plain = self._now(), sending.plain(text)
        for said in self._said:
            if said.id == id or (said.id is None and said.text == plain and now - said.at < _KNOWN_FOR):
                said.id = id
                return said.effects
        if shared:
            raise KeyError(id)
        return ()

    async def _one(self, text: str, line: Line, *, urgent: bool, last: bool) -> Result:
        varied_once, unreached = False, False
        while True:
            now = self._now()
            match sending.decide(text, line.asked_at, self._sent, now, moderator=self.moderator, urgent=urgent):
                case Never(waited=waited):
                    return unavailable() if unreached else self._drop(waited)
                case Later(seconds=seconds):
                    await self._sleep(seconds)
                    continue
                case chosen:
                    words = chosen.text
            try:
                return await self._hand_over(words, line, last=last)
            except Refused as error:
                if error.status != 429:
                    return refusal(error.status, error.message, repeatable=False)
                # It was not said for sure, so it may be said again when Twitch wants to hear of us.
                now = self._now()
                wanted = min(error.retry_at or now, now + sending.MAX_AGE)  # its clock need not be ours
                self._sent = sending.held_back(self._sent, max(now + 1.0, wanted))
            except aiohttp.ClientConnectorError:
                # Nothing was sent. It may be over in a moment, as it is after most losses.
                unreached = True
                self._sent = sending.held_back(self._sent, self._now() + AGAIN_AFTER)
            except _Duplicate as error:
                if varied_once:
                    return not_sent("msg_duplicate", str(error))
                varied_once = True

    async def _hand_over(self, text: str, line: Line, *, last: bool) -> Result:
        if not await self._api.ready(sending.MAX_AGE):
            return unavailable()
        accounts = self._api.accounts
        if SCOPE not in self._api.granted.get(accounts.bot, ()):
            return not_granted((SCOPE,))
        body = {"broadcaster_id": accounts.broadcaster, "sender_id": accounts.bot, "message": text}
        _, reply_to = line.words
        if reply_to is not None:
            body["reply_parent_message_id"] = reply_to
        self._lines.close(line)
        await line.begin()
        # Only with the last of its messages is all of it said, so only that one is known as what was asked for.
        said = _Said(sending.plain(text), self._now(), line.effects if last else ())
        self._said.append(said)  # before it is sent, as it may come back before its answer does
        before, self._sent = self._sent, sending.noted(self._sent, text, self._now())
        try:
            answer = await self._api.ask(Request("POST", "chat/messages", accounts.bot, body=body))
        except NotConnected:
            self._forget(said)
            return unavailable()
        except aiohttp.ClientConnectorError:
            self._forget(said)
            self._sent = before
            raise
        except (aiohttp.ClientError, TimeoutError):
            return no_answer(repeatable=False)
        except Refused:
            self._forget(said)
            raise
        entry = answer["data"][0] if isinstance(answer, dict) and answer.get("data") else {}
        if entry.get("is_sent") is False:
            self._forget(said)
            reason = entry.get("drop_reason") or {}
            if reason.get("code") == "msg_duplicate":
                raise _Duplicate(str(reason.get("message", "")))
            return not_sent(str(reason.get("code", "")), str(reason.get("message", "")))
        said.id = str(entry.get("message_id")) if entry.get("message_id") else said.id
        return Done({"message_id": said.id})

    def _forget(self, said: _Said) -> None:
        if said in self._said:
            self._said.remove(said)

    def _drop(self, waited: float) -> Failed:
        self._drops.add()
        # Without a number, so that a thousand of them are told as one.
        why = "the line would have come too late" if waited else "too many lines wait already"
        return Failed("dropped", f"The chat takes no more: {why}, so it was dropped.")

    def tell_dropped(self) -> None:
        """Tell people of the lines that were dropped and not told yet."""
        self._drops.tell()


class _Duplicate(Exception):
    """Twitch says that this was said a moment ago."""


def _partly(result: Result) -> Result:
    """Some of it was said, so it must not be said again from the start."""
    if isinstance(result, Unknown):
        return result
    reason = result.message if isinstance(result, Failed) else ""
    return Failed("partly", f"Only the beginning was said. {reason}".strip())
