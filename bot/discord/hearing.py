"""What happens on Discord besides what is said to the bot: reactions, members, roles, voice, and buttons of workflows' posts.

Other bots are not listened to: two that answer each other never end.
"""

from typing import Any

import discord
from discord import Interaction

from bot.discord import wire
from bot.discord.settled import Settled
from bot.message import Place


class Hearing(Settled):
    """A client that tells the bot what happens."""

    def _happening(self, id: str | None = None) -> wire.Happening:
        house = self._house
        return wire.Happening(
            id=id or house.ids(), at=house.clock.now(), community=self._community, options=self.options
        )

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Somebody reacts."""
        guild = self.get_guild(payload.guild_id or 0)
        member = payload.member
        if not self.is_home(guild) or guild is None or member is None or member.bot:
            return
        place = self._place(guild, payload.channel_id)
        text = await self._text_of(payload.channel_id, payload.message_id)
        await self._house.happen(
            self._happening().reaction(member, str(payload.emoji), place, payload.message_id, text)
        )

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        """Somebody takes a reaction back."""
        guild = self.get_guild(payload.guild_id or 0)
        if not self.is_home(guild) or guild is None:
            return
        member = guild.get_member(payload.user_id) or await _fetched(guild, payload.user_id)
        if member is not None and not member.bot:
            place = self._place(guild, payload.channel_id)
            await self._house.happen(
                self._happening().reaction(member, str(payload.emoji), place, payload.message_id, None)
            )

    def _place(self, guild: discord.Guild, channel: int) -> Place:
        return wire.place_of(guild.get_channel_or_thread(channel) or discord.Object(channel), guild)

    async def _text_of(self, channel: int, id: int) -> str:
        """What a message says; "" if that cannot be had."""
        known = next((message for message in reversed(self.cached_messages) if message.id == id), None)
        if known is not None:
            return known.content
        try:
            return (await self.get_partial_messageable(channel).fetch_message(id)).content
        except discord.HTTPException:
            return ""

    async def on_member_join(self, member: discord.Member) -> None:
        """Somebody comes into the server."""
        if self.is_home(member.guild) and not member.bot:
            await self._house.happen(self._happening().joined(member))

    async def on_raw_member_remove(self, payload: discord.RawMemberRemoveEvent) -> None:
        """Somebody leaves it, whether or not they were known."""
        if payload.guild_id in self.homes and not payload.user.bot:
            await self._house.happen(self._happening().left(payload.user))

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Note at once which roles changed: a member is one object, which the next change has changed before it is handled."""
        if event == "member_update":
            before, after = args
            super().dispatch("roles", after, frozenset(before.roles), frozenset(after.roles))
        else:
            super().dispatch(event, *args, **kwargs)

    async def on_roles(
        self, member: discord.Member, before: frozenset[discord.Role], after: frozenset[discord.Role]
    ) -> None:
        """Something about a member changed; roles count."""
        if not self.is_home(member.guild) or member.bot:
            return
        for role in sorted(after - before):
            await self._house.happen(self._happening().role(member, role, given=True))
        for role in sorted(before - after):
            await self._house.happen(self._happening().role(member, role, given=False))

    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        """Somebody moves between voice channels, or only mutes themselves."""
        if not self.is_home(member.guild) or member.bot or before.channel == after.channel:
            return
        if before.channel is not None:
            await self._house.happen(self._happening().voice(member, before.channel, joined=False))
        if after.channel is not None:
            await self._house.happen(self._happening().voice(member, after.channel, joined=True))

    async def press(self, interaction: "Interaction[Any]", label: str) -> None:
        """Somebody presses a button of a workflow's post."""
        await interaction.response.defer()
        if self.is_home(interaction.guild) and interaction.message is not None:
            place = wire.place_of(interaction.channel, interaction.guild)
            happening = self._happening(id=str(interaction.id))
            await self._house.happen(happening.button(interaction.user, label, place, interaction.message.id))


async def _fetched(guild: discord.Guild, id: int) -> discord.Member | None:
    try:
        return await guild.fetch_member(id)
    except discord.HTTPException:
        return None
