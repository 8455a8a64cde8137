"""The slash command: one, with free text, so that whatever can be said with the prefix can be said here.

Discord is told of it only when it has changed: telling is rationed. It shows the command to those who may manage the
server; others whom a workflow's policy lets in use the prefix, and who may do what is decided by the bot each time.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import discord
from discord import Interaction, app_commands

NAME: Final = "workflow"
MOST_CHOICES: Final = 25
LONGEST_CHOICE: Final = 100

Handler = Callable[["Interaction[Any]", str, discord.Attachment | None, bool], Awaitable[None]]
Completer = Callable[["Interaction[Any]", str], list[str]]


def workflow_command(handle: Handler, complete: Completer) -> app_commands.Command[Any, ..., None]:
    """`/workflow text:`."""

    @app_commands.command(name=NAME, description="Make, change, run or show a workflow, in plain words")
    @app_commands.describe(
        text="As after !workflow: when someone raids, say “hi” · list · show raid · help",
        file="A workflow to import: .workflow, .json or .yaml",
        only_me="Whether only you see the answer",
    )
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def workflow(
        interaction: "Interaction[Any]",
        text: app_commands.Range[str, 0, 6000] = "",
        file: discord.Attachment | None = None,
        only_me: bool = False,
    ) -> None:
        await handle(interaction, text, file, only_me)

    async def completed(interaction: "Interaction[Any]", current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=text, value=text) for text in choices(current, complete(interaction, current))]

    workflow.autocomplete("text")(completed)
    return workflow


def choices(typed: str, words: Sequence[str]) -> list[str]:
    """What a text being typed could become, as whole texts: Discord puts a choice in the place of all that was typed."""
    head = typed[: typed.rfind(" ") + 1]
    found = dict.fromkeys(f"{head}{word}" for word in words)
    return [text for text in found if text.strip() and len(text) <= LONGEST_CHOICE][:MOST_CHOICES]


def hash_of(tree: "app_commands.CommandTree[Any]", guild: discord.abc.Snowflake) -> str:
    """What tells whether Discord has to be told again."""
    told = [command.to_dict(tree) for command in tree.get_commands(guild=guild)]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
