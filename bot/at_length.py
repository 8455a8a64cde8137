"""Answers that are too long for where they were asked for: all of it goes where moderators read, the asker gets its beginning.

Twitch has room for a thousand characters at most. Where no other platform can take more, an answer stays in the pages it has.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final, TypeAlias

from bot.message import Message, Platform, Reply
from bot.replies import LIMITS, clipped, pieces
from bot.rights import is_staff

File: TypeAlias = tuple[str, str]
Poster: TypeAlias = Callable[[str, str, File], Awaitable[str | None]]
"""Posts a file with a sentence where moderators read, elsewhere than on the named platform, and tells where that is."""
_LONGEST_PLACE: Final = 60


async def at_length(message: Message, replies: Sequence[Reply], post: Poster) -> list[Reply]:
    """The replies to a message; what has more to it than they show is posted, if it can be, and its beginning is left."""
    found: list[Reply] = []
    for whole, some in groupby(replies, key=lambda reply: reply.whole):
        said = list(some)
        where = None
        if whole is not None and is_staff(message.author):
            where = await post(message.place.platform, asked_words(message), whole)
        found += said if where is None else [beginning(said[0], where, message.place.platform)]
    return found


def asked_words(message: Message) -> str:
    """What is said with a file that answers somebody elsewhere."""
    return f"{message.author.name} asked on {message.place.platform.capitalize()}: {' '.join(message.text.split())}"


def beginning(reply: Reply, where: str, platform: Platform) -> Reply:
    """So much of an answer as is left room for, and where the rest is; what has nothing to show but that is done now."""
    note = f"All of it is in {clipped(where, _LONGEST_PLACE)}."
    if reply.kind == "refusal":
        return replace(reply, kind="answer", text=note, whole=None)
    room = LIMITS[platform] - len(note) - 1
    kept = pieces(reply.text)
    while len(kept) > 1 and len("".join(kept)) > room:
        kept.pop()
    return replace(reply, text=f"{clipped(''.join(kept).rstrip(), room)} {note}", whole=None)
