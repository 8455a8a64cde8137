"""The picture that goes with an answer about a whole workflow; its words are what stands under it for those who cannot see it."""

import re
from collections.abc import Sequence
from typing import Final

from bot.discord.answers import Image
from bot.discord.house import House
from bot.message import Reply
from bot.picture.graph import graph_of, marks_of
from bot.picture.png import image_of
from bot.replies import clipped

_WHOLE: Final = re.compile(r"(show|status) (?!step\b)")
LONGEST_WORDS: Final = 1_000
_MOST_RUNS: Final = 50


async def picture_of(house: House, community: str, replies: Sequence[Reply]) -> Image | None:
    """The picture for these answers; None if they are about something else, or it cannot be drawn."""
    reply = replies[0]
    asked = None if reply.canonical is None else _WHOLE.match(reply.canonical)
    if asked is None or reply.kind != "answer" or reply.workflow is None:
        return None
    entry = house.conversation.catalogue.get(reply.workflow)
    if entry is None:
        return None
    live = await house.runner.live(community, entry.id, most=_MOST_RUNS)
    last = None
    if not live and asked.group(1) == "status":
        last = next(iter(await house.store.executions(community, entry.id, limit=1)), None)
    marks = marks_of(entry.definition, live, last)
    graph = graph_of(entry.definition, marks, house.language.say_step, house.language.say_trigger)
    content = None if graph is None else await image_of(graph)
    return None if content is None else Image(f"{entry.id}.png", content, clipped(reply.text, LONGEST_WORDS))
