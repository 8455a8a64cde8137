"""Workflows that come as files: an attachment to `!workflow import` is what is imported."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

import discord

from bot.message import Message, instruction_in

MAX_BYTES: Final = 150_000
KINDS: Final = {
    ".workflow": "",
    ".txt": "",
    ".json": "json",
    ".json5": "json5",
    ".jsonc": "json5",
    ".yaml": "yaml",
    ".yml": "yaml",
}
_IMPORT: Final = re.compile(r"\s*(?:import(?:\s+(?:this|that|it|the file))?)?\s*", re.IGNORECASE)


async def with_files(said: Message, attachments: Sequence[discord.Attachment]) -> Message:
    """The message with the first file that can be a workflow in the place of a text to import; else as it is."""
    told = instruction_in(said.text)
    if told is None or _IMPORT.fullmatch(told) is None:
        return said
    file = next((each for each in attachments if kind_of(each.filename) is not None), None)
    if file is None or file.size > MAX_BYTES:
        return said
    content = (await file.read()).decode("utf-8-sig", "replace")
    return replace(said, text=f"!workflow import {imported(content, kind_of(file.filename) or '')}")


def kind_of(filename: str) -> str | None:
    """The word for a file's form in a code block, "" for sentences; None if it is no workflow."""
    return KINDS.get(PurePosixPath(filename).suffix.casefold())


def imported(content: str, kind: str) -> str:
    """A file's content as it is typed behind `import`."""
    return f"```{kind}\n{content.strip()}\n```"
