"""What the bot can do on Discord, method by method: first everything is looked up, and only then anything is done.

Each deed takes the params of an action and returns what remains to be done, as one request. So whatever is wrong with
the params is known before the request is handed over, and is a failure, never an unknown outcome.
"""

import hashlib
import io
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias

import discord

from bot.discord.controls import Own
from bot.discord.finding import Finder, NotFound
from bot.replies import LIMITS, clipped

Output: TypeAlias = Mapping[str, Any] | None
Rest: TypeAlias = Callable[[], Awaitable[Output]]
Deed: TypeAlias = Callable[["Asked"], Awaitable[Rest]]

LONGEST_TIMEOUT: Final = timedelta(days=28)
MOST_REACTIONS: Final = 20
"""A message has so many different ones at most."""
_BETWEEN: Final = re.compile(r"\s+(?:and\s+)?|\s*,\s*")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked.

    Attributes:
        nonce: The same for the same ask: Discord makes one message of it, however often it is sent within minutes.
        mentions: Whom it may ping.
        picture: Finds a picture that the run has made, by its name, or the newest for "".
        answered: The message that it answers.
    """

    finder: Finder
    params: Mapping[str, Any]
    nonce: str
    mentions: discord.AllowedMentions
    picture: Callable[[str], tuple[str, bytes] | None]
    answered: discord.MessageReference | None = None

    def text(self, name: str, most: int = LIMITS["discord"], *, needed: bool = True) -> str:
        """A text of the action.

        Raises:
            NotFound: It is empty or too long.
        """
        value = self.params.get(name)
        text = "" if value is None else _spelled(value)
        if needed and not text.strip():
            raise NotFound("empty", f"{name} is empty, and Discord takes nothing empty")
        if len(text) > most:
            raise NotFound("too_long", f"{name} has {len(text):,} characters; Discord takes {most:,}")
        return text


def nonce_of(effect: str) -> str:
    """An effect's name as Discord takes one."""
    return hashlib.sha256(effect.encode()).hexdigest()[:25]


def _spelled(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


# Posts -------------------------------------------------------------------------------------------------------------------


async def send_message(asked: Asked) -> Rest:
    """Post in a channel, or answer a message where it is."""
    where = asked.text("channel_id", 200, needed=False)
    answered = None if where else asked.answered
    channel = asked.finder.channel(where if answered is None else str(answered.channel_id))
    text = asked.text("message")
    label = asked.text("button", 80, needed=False).strip()
    more: dict[str, Any] = {}
    if label:
        more["view"] = discord.ui.View(timeout=None).add_item(Own(label))
    if answered is not None:
        more["reference"] = answered

    async def rest() -> Output:
        return _posted(await channel.send(text, nonce=asked.nonce, allowed_mentions=asked.mentions, **more))

    return rest


async def send_embed(asked: Asked) -> Rest:
    """Post a card."""
    channel = asked.finder.channel(asked.text("channel_id", 200, needed=False))
    card = discord.Embed(
        title=asked.text("title", 256, needed=False) or None,
        description=asked.text("description", 4_096),
        url=asked.text("url", 2_000, needed=False) or None,
        colour=_colour(asked.text("color", 20, needed=False)),
    )
    if image := asked.text("image", 2_000, needed=False):
        card.set_image(url=image)

    async def rest() -> Output:
        return _posted(await channel.send(embed=card, nonce=asked.nonce, allowed_mentions=asked.mentions))

    return rest


def _colour(written: str) -> discord.Colour | None:
    if not written:
        return None
    try:
        return discord.Colour.from_str(written if written.startswith(("#", "0x", "rgb")) else f"#{written}")
    except ValueError:
        raise NotFound("unknown_color", f"{clipped(written, 20)} is no color; write it like #9146ff") from None


async def send_picture(asked: Asked) -> Rest:
    """Post a picture that the run has made, such as a screenshot; the newest, if none is named."""
    channel = asked.finder.channel(asked.text("channel_id", 200, needed=False))
    text = asked.text("message", needed=False)
    found = asked.picture(asked.text("picture", 100, needed=False))
    if found is None:
        raise NotFound("no_picture", "there is no picture; a step before has to make one, such as: take a screenshot")
    name, content = found

    async def rest() -> Output:
        file = discord.File(io.BytesIO(content), filename=name)
        return _posted(await channel.send(text, file=file, nonce=asked.nonce, allowed_mentions=asked.mentions))

    return rest


async def send_direct_message(asked: Asked) -> Rest:
    """Write to somebody alone."""
    member = await asked.finder.member(asked.text("user", 100))
    text = asked.text("message")
    channel = member.dm_channel or await member.create_dm()

    async def rest() -> Output:
        return {"message_id": str((await channel.send(text, nonce=asked.nonce, allowed_mentions=asked.mentions)).id)}

    return rest


def _posted(message: discord.Message) -> Output:
    name = getattr(message.channel, "name", "")
    return {"message_id": str(message.id), "url": message.jump_url, "channel": name}


async def edit_message(asked: Asked) -> Rest:
    """Let a post say something else: of a card what stands on it, as people see no other text there."""
    message = await asked.finder.message(asked.text("message_id", 200))
    card = await _card_of(message)
    if card is None:
        said: dict[str, Any] = {"content": asked.text("message")}
    else:
        card.description = asked.text("message", 4_096)
        said = {"embed": card}

    async def rest() -> Output:
        return _posted(await message.edit(**said, allowed_mentions=asked.mentions))

    return rest


async def _card_of(message: discord.PartialMessage) -> discord.Embed | None:
    """The card that a post is, if it is one and may be looked at."""
    try:
        found = await message.fetch()
    except discord.Forbidden:
        return None
    return found.embeds[0].copy() if len(found.embeds) == 1 and not found.content else None


async def delete_message(asked: Asked) -> Rest:
    """Take a message away; one that is not there any more needs nothing."""
    message = await asked.finder.message(asked.text("message_id", 200))

    async def rest() -> Output:
        try:
            await message.delete()
        except discord.NotFound:
            return None
        return None

    return rest


async def add_reaction(asked: Asked) -> Rest:
    """React to a message, with one emoji or several."""
    message = await asked.finder.message(asked.text("message_id", 200))
    written = _BETWEEN.split(asked.text("emoji", 400).strip())[:MOST_REACTIONS]
    emojis = [asked.finder.emoji(each) for each in written if each]

    async def rest() -> Output:
        for emoji in emojis:
            await message.add_reaction(emoji)
        return None

    return rest


async def pin_message(asked: Asked) -> Rest:
    """Pin a message."""
    message = await asked.finder.message(asked.text("message_id", 200))

    async def rest() -> Output:
        await message.pin()
        return None

    return rest


async def unpin_message(asked: Asked) -> Rest:
    """Let a message be pinned no more."""
    message = await asked.finder.message(asked.text("message_id", 200))

    async def rest() -> Output:
        await message.unpin()
        return None

    return rest


async def create_thread(asked: Asked) -> Rest:
    """Begin a thread, on a message if one is named."""
    name = asked.text("name", 100)
    written = asked.text("message_id", 200, needed=False)
    if written:
        message = await asked.finder.message(written)

        async def on_message() -> Output:
            return _thread(await message.create_thread(name=name))

        return on_message
    channel = asked.finder.channel(asked.text("channel_id", 200, needed=False))
    if not isinstance(channel, discord.TextChannel):
        raise NotFound("no_threads", f"#{channel.name} cannot have threads")

    async def rest() -> Output:
        return _thread(await channel.create_thread(name=name, type=discord.ChannelType.public_thread))

    return rest


def _thread(thread: discord.Thread) -> Output:
    return {"thread_id": str(thread.id), "name": thread.name, "url": thread.jump_url}


# People ------------------------------------------------------------------------------------------------------------------


async def add_role(asked: Asked) -> Rest:
    """Give somebody a role."""
    member, role = await _member_and_role(asked)

    async def rest() -> Output:
        await member.add_roles(role, reason="a workflow")
        return None

    return rest


async def remove_role(asked: Asked) -> Rest:
    """Take a role from somebody."""
    member, role = await _member_and_role(asked)

    async def rest() -> Output:
        await member.remove_roles(role, reason="a workflow")
        return None

    return rest


async def _member_and_role(asked: Asked) -> tuple[discord.Member, discord.Role]:
    member = await asked.finder.member(asked.text("user", 100))
    return member, asked.finder.role(asked.text("role", 100), member.guild)


async def timeout_member(asked: Asked) -> Rest:
    """Let somebody not write for a while."""
    member = await asked.finder.member(asked.text("user", 100))
    seconds = asked.params.get("duration")
    if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_TIMEOUT.total_seconds():
        raise NotFound("bad_duration", "a timeout in Discord lasts more than nothing and at most 28 days")
    until = timedelta(seconds=float(seconds))
    reason = asked.text("reason", 400, needed=False) or "a workflow"

    async def rest() -> Output:
        await member.timeout(until, reason=reason)
        return None

    return rest


async def set_activity(asked: Asked) -> Rest:
    """Show what the bot is about."""
    text = asked.text("activity", 128)
    client = asked.finder.client

    async def rest() -> Output:
        await client.change_presence(activity=discord.CustomActivity(name=text))
        return None

    return rest


DEEDS: Final[Mapping[str, Deed]] = {
    deed.__name__: deed
    for deed in (
        send_message,
        send_embed,
        send_picture,
        send_direct_message,
        edit_message,
        delete_message,
        add_reaction,
        pin_message,
        unpin_message,
        create_thread,
        add_role,
        remove_role,
        timeout_member,
        set_activity,
    )
}
"""By the canonical name of the method."""
