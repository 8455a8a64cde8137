"""Buttons and menus under the bot's messages. Everything a press needs is in its id, so it counts after a restart, too.

An id is `wf:deed:id`; whose question that is and whether it still counts is asked of the bot at every press. A button of
a workflow's own post is `press:label`, and what comes of it is an event.
"""

import re
from collections.abc import Sequence
from typing import Any, Protocol, Self, cast

import discord
from discord import ButtonStyle, Interaction, SelectOption, ui

from bot.discord.answers import Button, Menu

_STYLES = {"yes": ButtonStyle.success, "no": ButtonStyle.secondary, "undo": ButtonStyle.secondary}


class Desk(Protocol):
    """What presses come to; the client is one."""

    async def answer(self, interaction: "Interaction[Any]", question: str, said: str) -> None:
        """Somebody answers a question."""
        ...

    async def ask_in_words(self, interaction: "Interaction[Any]", question: str) -> None:
        """Somebody wants to answer in words of their own."""
        ...

    async def undo(self, interaction: "Interaction[Any]", change: str) -> None:
        """Somebody takes a change back."""
        ...

    async def press(self, interaction: "Interaction[Any]", label: str) -> None:
        """Somebody presses a button of a workflow."""
        ...


def _desk(interaction: "Interaction[Any]") -> Desk:
    return cast("Desk", interaction.client)


class Pressed(ui.DynamicItem[ui.Button[ui.View]], template=r"wf:(?P<deed>yes|no|say|undo):(?P<id>[\w-]{1,80})"):
    """Yes, no, an answer in words, or undo."""

    def __init__(self, deed: str, id: str, label: str = "") -> None:
        style = _STYLES.get(deed, ButtonStyle.primary)
        super().__init__(ui.Button(label=label or deed, style=style, custom_id=f"wf:{deed}:{id}"))
        self._deed = deed
        self._about = id

    @classmethod
    async def from_custom_id(cls, _: "Interaction[Any]", __: ui.Item[Any], match: re.Match[str], /) -> Self:
        """The button somebody pressed."""
        return cls(match["deed"], match["id"])

    async def callback(self, interaction: "Interaction[Any]") -> None:
        """What it comes to."""
        desk = _desk(interaction)
        match self._deed:
            case "undo":
                await desk.undo(interaction, self._about)
            case "say":
                await desk.ask_in_words(interaction, self._about)
            case deed:
                await desk.answer(interaction, self._about, deed)


class Chosen(ui.DynamicItem[ui.Select[ui.View]], template=r"wf:pick:(?P<id>[\w-]{1,80})"):
    """One of the numbered answers."""

    def __init__(self, id: str, labels: Sequence[str] = ("1",)) -> None:
        options = [SelectOption(label=label, value=str(number)) for number, label in enumerate(labels, 1)]
        super().__init__(ui.Select(custom_id=f"wf:pick:{id}", placeholder="Which one?", options=options))
        self._about = id

    @classmethod
    async def from_custom_id(cls, _: "Interaction[Any]", __: ui.Item[Any], match: re.Match[str], /) -> Self:
        """The menu somebody chose from."""
        return cls(match["id"])

    async def callback(self, interaction: "Interaction[Any]") -> None:
        """What it comes to."""
        data = cast("dict[str, Any]", interaction.data or {})
        values = data.get("values") or ["0"]
        await _desk(interaction).answer(interaction, self._about, str(values[0]))


class Own(ui.DynamicItem[ui.Button[ui.View]], template=r"press:(?P<label>[\s\S]{1,80})"):
    """A button of a workflow's post."""

    def __init__(self, label: str) -> None:
        super().__init__(ui.Button(label=label, style=ButtonStyle.primary, custom_id=f"press:{label}"))
        self._word = label

    @classmethod
    async def from_custom_id(cls, _: "Interaction[Any]", __: ui.Item[Any], match: re.Match[str], /) -> Self:
        """The button somebody pressed."""
        return cls(match["label"])

    async def callback(self, interaction: "Interaction[Any]") -> None:
        """What it comes to."""
        await _desk(interaction).press(interaction, self._word)


class InWords(ui.Modal, title="Your answer"):
    """Where an answer is typed that is neither yes nor a number."""

    said: ui.TextInput[Self] = ui.TextInput(label="Answer", style=discord.TextStyle.paragraph, max_length=2_000)

    def __init__(self, question: str) -> None:
        super().__init__(timeout=120.0)
        self._question = question

    async def on_submit(self, interaction: "Interaction[Any]", /) -> None:
        """It was typed."""
        await _desk(interaction).answer(interaction, self._question, self.said.value)


ITEMS = (Pressed, Chosen, Own)


def view_of(controls: Sequence[Button | Menu]) -> ui.View | None:
    """Controls as Discord wants them; nothing of them is kept in memory."""
    if not controls:
        return None
    view = ui.View(timeout=None)
    for control in controls:
        view.add_item(
            Pressed(control.deed, control.id, control.label) if isinstance(control, Button) else _menu(control)
        )
    return view


def _menu(menu: Menu) -> Chosen:
    return Chosen(menu.id, menu.labels)
