"""What people say to the bot on Discord, and what they get: messages, the slash command, presses, and the answers to them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import discord
from discord import Interaction

from bot.discord import answers, wire
from bot.discord.answers import Button, Menu, Outgoing
from bot.discord.attachments import with_files
from bot.discord.commands import workflow_command
from bot.discord.controls import ITEMS, InWords
from bot.discord.hearing import Hearing
from bot.discord.house import last_change
from bot.discord.people import person_of
from bot.discord.pictures import picture_of
from bot.discord.sending import arguments_of
from bot.message import Message, Reply, ReplyKind, instruction_in
from bot.rendering import harmless
from bot.rights import ONLY_STAFF
from grammar.instruction import Undo
from grammar.names import quoted_name

_SPOKEN: Final = frozenset({discord.MessageType.default, discord.MessageType.reply})
IN_THE_SERVER: Final = "Talk to me in a channel of the server: only there I can see who may do what."
NOT_HERE: Final = "This server is not the one I work for."
CLOSED: Final = "That question is not open any more. Say it again if it still counts."
NOT_YOURS: Final = "Somebody else was asked that; only they can answer."


class Front(Hearing):
    """The client."""

    async def setup_hook(self) -> None:
        """Before the first connection: what presses and commands mean."""
        self.add_dynamic_items(*ITEMS)
        self._tree.add_command(workflow_command(self._slash, self._complete))

    # What is written -----------------------------------------------------------------------------------------------------

    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote something. Other bots are not listened to: two that answer each other never end."""
        if message.author.bot or message.webhook_id is not None or message.type not in _SPOKEN:
            return
        me = self.application_id or 0 if self.user is None else self.user.id
        said = wire.message_of(message, self.options, me)
        if not self.is_home(message.guild):
            if message.guild is None and instruction_in(said.text) is not None:
                await message.channel.send(IN_THE_SERVER)
            return
        said = await with_files(said, message.attachments)
        _, found = await self._heard(said)
        try:
            reference = message.to_reference(fail_if_not_exists=False)
            for each in found:
                await message.channel.send(**arguments_of(each), reference=reference, mention_author=False)
        except discord.Forbidden:
            self._notice(f"I may not answer in #{said.place.channel} of Discord: give me the right to write there.")

    async def _heard(self, said: Message) -> tuple[frozenset[ReplyKind], list[Outgoing]]:
        """What to answer to a message, with what can be pressed under it; and of which kinds that is."""
        before = self._house.clock.now()
        replies = (await self._house.hear(said)).replies
        if not replies:
            return frozenset(), []
        image = await picture_of(self._house, self._community, replies)
        found = answers.outgoing(replies, await self._controls(said, replies, before), image)
        return frozenset(reply.kind for reply in replies), found

    async def _controls(self, said: Message, replies: Sequence[Reply], before: float) -> tuple[Button | Menu, ...]:
        last = replies[-1]
        if any(reply.kind == "question" for reply in replies):
            question = self._house.conversation.asked(said)
            return () if question is None else answers.of_question(question)
        if last.kind != "done" or last.workflow is None:
            return ()
        change = await last_change(self._house, self._community, last.workflow)
        made_it = change is not None and change.at >= before and change.by.id == said.author.id
        return answers.of_change(change) if change is not None and made_it else ()

    # Slash commands --------------------------------------------------------------------------------------------------------

    async def _slash(
        self, interaction: "Interaction[Any]", text: str, file: discord.Attachment | None, only_me: bool
    ) -> None:
        if not self.is_home(interaction.guild):
            await interaction.response.send_message(NOT_HERE, ephemeral=True)
            return
        await interaction.response.defer(
            thinking=True, ephemeral=only_me
        )  # at once: Discord waits three seconds, the bot may need longer
        names = wire.names_in(text, interaction.guild, ())
        said = self._said(interaction, f"!workflow {wire.in_words(text, names)}")
        said = await with_files(said, () if file is None else (file,))
        _, found = await self._heard(said)
        await self._follow_up(interaction, found, ephemeral=only_me)

    def _complete(self, interaction: "Interaction[Any]", typed: str) -> list[str]:
        if not self.is_home(interaction.guild):
            return []
        return self._house.conversation.complete(self._said(interaction, f"!workflow {typed}"))

    def _said(self, interaction: "Interaction[Any]", text: str) -> Message:
        author = person_of(interaction.user, self.options)
        place = wire.place_of(interaction.channel, interaction.guild)
        return Message(str(interaction.id), text, author, place, interaction.created_at.timestamp())

    async def _follow_up(
        self, interaction: "Interaction[Any]", found: Sequence[Outgoing], *, ephemeral: bool = False
    ) -> None:
        for each in found:
            await interaction.followup.send(**arguments_of(each), ephemeral=ephemeral)
        if not found:
            await interaction.followup.send("There is nothing to say to that.", ephemeral=True)

    # Presses ---------------------------------------------------------------------------------------------------------------

    async def answer(self, interaction: "Interaction[Any]", question: str, said: str) -> None:
        """Somebody answers a question by a press, or in a window."""
        talk = self._house.conversation
        message = self._said(interaction, said)
        mine = talk.asked(message)
        if not self.is_home(interaction.guild) or talk.question(question) is None:
            await self._close(interaction, CLOSED)
        elif mine is None or mine.id != question:
            await interaction.response.send_message(NOT_YOURS, ephemeral=True)
        else:
            await interaction.response.edit_message(view=None)
            addressed = said if answers.is_in_words(mine) and said != "no" else f"!workflow {said}"
            _, found = await self._heard(replace(message, text=addressed))
            await self._follow_up(interaction, found, ephemeral=_is_private(interaction))

    async def ask_in_words(self, interaction: "Interaction[Any]", question: str) -> None:
        """Somebody wants to type the answer."""
        mine = self._house.conversation.asked(self._said(interaction, ""))
        if self._house.conversation.question(question) is None:
            await self._close(interaction, CLOSED)
        elif mine is None or mine.id != question:
            await interaction.response.send_message(NOT_YOURS, ephemeral=True)
        else:
            await interaction.response.send_modal(InWords(question))

    async def undo(self, interaction: "Interaction[Any]", change: str) -> None:
        """Somebody takes a change back, if it is still the last one. Strangers hear of no change, and leave the button there."""
        if not self.is_home(interaction.guild):
            await interaction.response.send_message(NOT_HERE, ephemeral=True)
            return
        changes = await self._house.store.changes(self._community, limit=1_000)
        meant = next((each for each in changes if each.id == change), None)
        author = person_of(interaction.user, self.options)
        if not self._house.conversation.may(author, Undo(None if meant is None else meant.workflow)):
            await interaction.response.send_message(ONLY_STAFF, ephemeral=True)
            return
        if meant is None:
            await self._close(interaction, "That change is not known any more.")
            return
        last = next(each for each in changes if each.workflow == meant.workflow)
        if last.id != change:
            name = last.after.name
            since = f"{name} has changed since, by {last.by.name}: {last.summary}."
            await self._close(interaction, harmless(f"{since} To undo that: !workflow undo {quoted_name(name)}"))
            return
        word = "redo" if meant.kind == "undo" else "undo"
        said = self._said(interaction, f"!workflow {word} {quoted_name(last.after.name)}")
        await interaction.response.defer()
        kinds, found = await self._heard(said)
        if "refusal" in kinds:  # whoever may not change it must not take the button from those who may
            await self._follow_up(interaction, found, ephemeral=True)
            return
        await interaction.edit_original_response(view=None)
        await self._follow_up(interaction, found, ephemeral=_is_private(interaction))

    async def _close(self, interaction: "Interaction[Any]", why: str) -> None:
        """A press that came too late: its buttons go, and the one who pressed is told why."""
        if interaction.message is not None and interaction.type is discord.InteractionType.component:
            await interaction.response.edit_message(view=None)
            await interaction.followup.send(why, ephemeral=True)
        else:
            await interaction.response.send_message(why, ephemeral=True)


def _is_private(interaction: "Interaction[Any]") -> bool:
    """Whether what was pressed is seen by nobody else, so that what comes of it is not either."""
    return interaction.message is not None and interaction.message.flags.ephemeral
