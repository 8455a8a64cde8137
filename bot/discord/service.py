"""The service `discord`: hands effects to the client of the moment, and says honestly what became of each.

What Discord refuses is a failure, what it was too busy for may be tried again. Of a post whose answer was lost - by a
crash, or because Discord broke - it looks whether it is there: by the nonce it was sent with, or by what it says.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

import aiohttp
import discord

from bot.discord.client import Front
from bot.discord.deeds import DEEDS, Asked, nonce_of
from bot.discord.finding import Finder, NotFound, Room, reference_in
from bot.discord.mentions import mentions_in
from bot.discord.pacing import Pacing, TooLate
from bot.replies import clipped
from bot.snapshots import Snapshots
from engine.declare import Declarations, Method
from engine.execution import Done, Effect, Execution, Failed, Result, Unknown
from engine.model import Call, all_states
from engine.ports import Store

log = logging.getLogger(__name__)

PATIENCE: Final = 30.0
"""Seconds an effect waits for Discord to be there."""
_POSTS: Final = frozenset({"send_message", "send_embed"})
"""Of these it can be seen later whether they were made."""
_PACED: Final = _POSTS | {"send_picture"}
_MOST_READ: Final = 300
_CLOCKS: Final = 5.0
"""Seconds by which Discord's clock may be behind ours."""
_BROKEN: Final = (discord.DiscordServerError, aiohttp.ClientError, OSError, TimeoutError)

NOT_THERE: Final = Failed("not_connected", "Discord is not connected", retryable=True)


class DiscordService:
    """Performs the declared methods of Discord.

    Args:
        declarations: Where its methods are declared.
        client: The client of the moment, waited for so many seconds at most.
        store: For when a step was entered, and how it is written.
        snapshots: Where pictures lie that runs have made.
        pacing: Lets posts through as fast as channels take them.
        patience: Seconds an effect waits for Discord.
    """

    name: Final = "discord"
    simulated: Final = False

    def __init__(
        self,
        declarations: Declarations,
        client: Callable[[float], Awaitable[Front | None]],
        store: Callable[[], Store],
        snapshots: Snapshots,
        pacing: Pacing,
        patience: float = PATIENCE,
    ) -> None:
        self.methods: Sequence[Method] = tuple(method for method in declarations if method.service == self.name)
        self._declarations = declarations
        self._client = client
        self._store = store
        self._snapshots = snapshots
        self._pacing = pacing
        self._patience = patience

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        """Look everything up, then do it."""
        method = self._declarations.find(self.name, effect.method)
        deed = None if method is None else DEEDS.get(method.name)
        if method is None or deed is None:
            return Failed("unknown_method", f"Discord cannot do {effect.method}")
        answered = await self._answered(effect)
        try:
            if method.name in _PACED:
                await self._pacing.turn(_channel_of(effect, answered).strip().removeprefix("#").casefold())
        except TooLate as error:
            return Failed("dropped", str(error))
        client = await self._client(self._patience)
        if client is None:
            return NOT_THERE
        try:
            rest = await deed(
                Asked(
                    Finder(client),
                    effect.params,
                    nonce_of(effect.id),
                    await self._mentions(effect),
                    partial(self._snapshots.picture, effect.execution),
                    answered,
                )
            )
        except NotFound as error:
            return Failed(error.error, str(error))
        except (discord.DiscordException, *_BROKEN) as error:
            return failed(error) or Failed("unavailable", "Discord does not answer", retryable=True)
        await begin()
        try:
            return Done(await rest())
        except (discord.DiscordException, *_BROKEN) as error:
            log.warning("%s came to %s", effect.id, error)
            return failed(error) or await self._after_silence(effect, method, client)

    async def _after_silence(self, effect: Effect, method: Method, client: Front) -> Result:
        """Discord broke, or its answer was lost."""
        if method.repeatable:
            return Failed("unavailable", "Discord does not answer", retryable=True)
        return await self._found(effect, method, client) or Unknown("Discord broke while it was under way")

    async def settle(self, effect: Effect) -> Result | None:
        """Whether a post is there that was under way when the bot was stopped."""
        method = self._declarations.find(self.name, effect.method)
        client = await self._client(self._patience)
        return None if method is None or client is None else await self._found(effect, method, client)

    async def _found(self, effect: Effect, method: Method, client: Front) -> Result | None:
        if method.name not in _POSTS:
            return None
        since = _entered(await self._store().execution(effect.execution), effect)
        if since is None:
            return None
        try:
            finder = Finder(client)
            channel = finder.channel(_channel_of(effect, await self._answered(effect)))
            return await _sent(channel, client, effect, since)
        except (NotFound, discord.DiscordException, *_BROKEN) as error:
            log.warning("what became of %s could not be found out: %s", effect.id, error)
            return None

    async def _answered(self, effect: Effect) -> discord.MessageReference | None:
        """The message that a reply answers: the one that its run began with, if it began with one of Discord."""
        if effect.params.get("reply") is not True:
            return None
        run = await self._store().execution(effect.execution)
        return None if run is None else reference_in(str(run.event.get("link") or ""))

    async def _mentions(self, effect: Effect) -> discord.AllowedMentions:
        """Whom it may ping by the step it comes from."""
        store = self._store()
        run = await store.execution(effect.execution)
        if run is None:
            return discord.AllowedMentions.none()
        record = await store.revision(effect.community, effect.workflow, run.revision)
        states = () if record is None else all_states(record.definition.states)
        action = next((state.action for state in states if state.name == effect.state), None)
        return mentions_in(action.params if isinstance(action, Call) else {}, effect.params)


def _channel_of(effect: Effect, answered: discord.MessageReference | None) -> str:
    """As it is written, or that of the message that is answered; empty where the usual one is meant."""
    written = effect.params.get("channel_id")
    if written is None:
        return "" if answered is None else str(answered.channel_id)
    return str(written)


async def _sent(channel: Room, client: Front, effect: Effect, since: float) -> Result | None:
    """What a channel says about a post; None if too much has been written since to tell."""
    nonce, read = nonce_of(effect.id), 0
    alike: list[discord.Message] = []
    after = datetime.fromtimestamp(since - _CLOCKS, UTC)
    async for message in channel.history(limit=_MOST_READ, after=after):
        read += 1
        if client.user is None or message.author.id != client.user.id:
            continue
        if message.nonce is not None and str(message.nonce) == nonce:
            return _done(message)
        if message.nonce is None and _says(message, effect):
            alike.append(message)
    if alike:
        return _done(alike[0]) if len(alike) == 1 else None
    return None if read >= _MOST_READ else Failed("not_sent", "it had not been posted", retryable=True)


def _says(message: discord.Message, effect: Effect) -> bool:
    if message.embeds:
        return message.embeds[0].description == effect.params.get("description")
    return message.content == str(effect.params.get("message"))


def _done(message: discord.Message) -> Done:
    name = getattr(message.channel, "name", "")
    return Done({"message_id": str(message.id), "url": message.jump_url, "channel": name})


def _entered(run: Execution | None, effect: Effect) -> float | None:
    """When the step of an effect was entered: it cannot have been done before."""
    if run is None:
        return None
    return next((branch.entered_at for branch in run.branches if branch.effect == effect.id), run.started_at)


def failed(error: BaseException) -> Failed | None:
    """What it means that Discord refused; None if nobody knows what it did."""
    match error:
        case discord.RateLimited():
            wait = f"Discord wants me to wait {error.retry_after:.0f} seconds"
            return Failed("rate_limited", wait, retryable=True)
        case discord.Forbidden():
            return Failed("forbidden", f"Discord does not let me: {_reason(error)}")
        case discord.NotFound():
            return Failed("not_found", f"Discord does not find it: {_reason(error)}")
        case discord.HTTPException(status=429):
            return Failed("rate_limited", "Discord wants me to wait", retryable=True)
        case discord.HTTPException(status=status) if status < 500:
            return Failed("refused", f"Discord does not take it: {_reason(error)}")
        case _:
            return None


def _reason(error: discord.HTTPException) -> str:
    return clipped(" ".join(error.text.split()), 200) or f"error {error.status}"
