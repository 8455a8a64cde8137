"""A message of ours as the library's senders take it: the one place where texts, files, cards and buttons become theirs."""

import io
from typing import Any

import discord

from bot.discord.answers import Outgoing
from bot.discord.controls import view_of


def arguments_of(message: Outgoing) -> dict[str, Any]:
    """What to hand over to send it."""
    arguments: dict[str, Any] = {}
    files = []
    if message.image is not None:
        image = message.image
        files.append(discord.File(io.BytesIO(image.content), filename=image.name, description=image.words))
    if message.file is not None:
        name, content = message.file
        files.append(discord.File(io.BytesIO(content.encode()), filename=name))
    if message.title is None:
        arguments["content"] = message.text
    else:
        card = discord.Embed(title=message.title[:256] or None, description=message.text, colour=message.colour)
        if message.footer:
            card.set_footer(text=message.footer)
        if message.image is not None:
            card.set_image(url=f"attachment://{message.image.name}")
        arguments["embed"] = card
    if (view := view_of(message.controls)) is not None:
        arguments["view"] = view
    if files:
        arguments["files"] = files
    return arguments
