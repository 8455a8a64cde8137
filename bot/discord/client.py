"""One connection to Discord: hands what comes in to the bot, and its answers back.

It decides nothing about workflows and keeps nothing that must outlive it: a client that has died is replaced by a new
one. Only servers that count as home are listened to, since whoever may manage any other server is nobody here.
"""

import asyncio
import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import aiohttp
import discord
from discord import Interaction, app_commands

from bot import config
from bot.discord import answers, wire
from bot.discord.answers import Button, Menu, Outgoing
from bot.discord.attachments import with_files
from bot.discord.commands import hash_of, workflow_command
from bot.discord.controls import ITEMS, InWords, view_of
from bot.discord.house import House, kept, last_change
from bot.discord.options import Options
from bot.discord.people import person_of
from bot.discord.pictures import picture_of
from bot.message import Message, Place, Reply, ReplyKind, instruction_in
from engine.ports import ConfigRecord
from grammar.names import quoted_name

log = logging.getLogger(__name__)

_COMMANDS: Final = "discord.commands."
_SPOKEN: Final = frozenset({discord.MessageType.default, discord.MessageType.reply})
IN_THE_SERVER: Final = "Talk to me in a channel of the server: only there I can see who may do what."
NOT_HERE: Final = "This server is not the one I work for."
CLOSED: Final = "That question is not open any more. Say it again if it still counts."
NOT_YOURS: Final = "Somebody else was asked that; only they can answer."
PERMISSIONS: Final = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
    add_reactions=True,
    manage_messages=True,
    manage_roles=True,
    moderate_members=True,
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things are waited for; shorter in tests.

    Attributes:
        guilds: For each server to be told of at the start.
        heartbeat: For any sign of life.
        identify: Before it says again who it is, since that is rationed.
        rate: At most, for a rate limit to be over; if it lasts longer, the request fails.
    """

    guilds: float = 2.0
    heartbeat: float = 60.0
    identify: float = 5.0
    rate: float = 30.0


PACE: Final = Pace()


def intents_of(options: Options) -> discord.Intents:
    """What Discord is asked to tell; the last two it tells only if that is switched on in its developer portal."""
    intents = discord.Intents.none()
    intents.guilds = intents.guild_messages = intents.guild_reactions = True
    intents.voice_states = intents.emojis_and_stickers = intents.dm_messages = True
    intents.message_content = options.message_content
    intents.members = options.members
    return intents


class Front(discord.Client):
    """The client.

    Args:
        up: Called whenever it is connected; `down` whenever it is not.
        notice: Told what people should know.
    """

    def __init__(
        self,
        house: House,
        options: Options,
        community: str,
        *,
        up: Callable[[], None],
        down: Callable[[str], None],
        notice: Callable[[str], None],
        pace: Pace = PACE,
    ) -> None:
        super().__init__(
            intents=intents_of(options),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=pace.guilds,
            heartbeat_timeout=pace.heartbeat,
            max_ratelimit_timeout=pace.rate,
        )
        self.options = options
        self.homes: frozenset[int] = frozenset(options.guilds)
        self._house = house
        self._community = community
        self._up = up
        self._down = down
        self._notice = notice
        self._pace = pace
        self._leaving = False
        self._in_hand: set[asyncio.Task[None]] = set()
        self._tree: app_commands.CommandTree[Front] = app_commands.CommandTree(self)

    # Taking and leaving --------------------------------------------------------------------------------------------------

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Take what comes in, until it is being left; the library itself would break on what comes then."""
        if not self._leaving and not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    def _schedule_event(self, *args: Any, **kwargs: Any) -> "asyncio.Task[None]":
        task = super()._schedule_event(*args, **kwargs)
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)
        return task

    async def drain(self, within: float) -> None:
        """Take nothing more, and give what was taken so many seconds to end."""
        self._leaving = True
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=within)

    async def close(self) -> None:
        """Leave; whatever is still in hand ends here."""
        self._leaving = True
        in_hand = {task for task in self._in_hand if task is not asyncio.current_task()}
        for task in in_hand:
            task.cancel()
        await super().close()
        if in_hand:
            await asyncio.wait(in_hand, timeout=1.0)

    # Coming and going ----------------------------------------------------------------------------------------------------

    async def setup_hook(self) -> None:
        """Before the first connection: what presses and commands mean."""
        self.add_dynamic_items(*ITEMS)
        self._tree.add_command(workflow_command(self._slash, self._complete))

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait before saying again who it is."""
        if not initial:
            await asyncio.sleep(self._pace.identify)

    async def on_ready(self) -> None:
        """Connected anew; may happen many times."""
        self._up()
        await self._settle_in()

    async def on_resumed(self) -> None:
        """Connected again, with nothing missed."""
        self._up()

    async def on_disconnect(self) -> None:
        """Not connected."""
        self._down("the connection was lost")

    async def on_guild_join(self, _: discord.Guild) -> None:
        """Invited to a server."""
        await self._settle_in()

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """One thing that came in could not be handled; the rest goes on."""
        log.error("%s was not handled", event_method, exc_info=True)  # noqa: LOG014  called while it is handled

    async def _settle_in(self) -> None:
        """Find out which server is home, what its channels are called, and whether the command is known there."""
        if not self.homes:
            await self._find_home()
        for guild in filter(self.is_home, self.guilds):
            await self._tell_commands(guild)
        await self._learn_channels()

    async def _find_home(self) -> None:
        if len(self.guilds) == 1:
            # Kept, so that being invited elsewhere later does not give anybody there a say.
            changed = config.with_value(self._house.settings, "discord.guilds", str(self.guilds[0].id), secret=False)
            self.homes = frozenset({self.guilds[0].id})
            await self._house.set(changed)
        elif self.guilds:
            known = ", ".join(f"{guild.name} ({guild.id})" for guild in self.guilds[:10])
            self._notice(
                f"I am in several Discord servers and listen to none: set discord.guilds to yours. I am in {known}."
            )
        else:
            link = discord.utils.oauth_url(
                self.application_id or 0, permissions=PERMISSIONS, scopes=("bot", "applications.commands")
            )
            self._notice(f"I am in no Discord server yet. Invite me: {link}")

    def is_home(self, guild: discord.Guild | None) -> bool:
        """Whether it is listened to."""
        return guild is not None and guild.id in self.homes

    def home_guilds(self) -> list[discord.Guild]:
        """The servers that count."""
        return [guild for guild in self.guilds if self.is_home(guild)]

    async def _tell_commands(self, guild: discord.Guild) -> None:
        self._tree.copy_global_to(guild=guild)
        key = f"{_COMMANDS}{guild.id}"
        mark = f"{self.application_id}:{hash_of(self._tree, guild)}"
        record = (await kept(self._house, self._community)).get(key)
        if record is not None and record.value == mark:
            return
        try:
            await self._tree.sync(guild=guild)
        except discord.Forbidden:
            self._notice(
                f"{guild.name} does not let me have slash commands: invite me again with the scope applications.commands."
            )
            return
        await self._house.keep([ConfigRecord(self._community, key, mark)])

    async def _learn_channels(self, *_: Any) -> None:
        names = sorted({channel.name for guild in self.home_guilds() for channel in guild.text_channels})
        if tuple(names) != self._house.settings.names.channels:
            await self._house.set(config.with_names(self._house.settings, "channels", tuple(names)))

    on_guild_channel_create = on_guild_channel_delete = on_guild_channel_update = _learn_channels

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
                await message.channel.send(**_arguments(each), reference=reference, mention_author=False)
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

    async def say_aside(self, sentence: str) -> None:
        """Say something in the channel for moderators. Whether that can be done is nobody's concern: the log has it, too."""
        wanted = self.options.mod_channel.casefold()
        for guild in self.home_guilds():
            for channel in guild.text_channels:
                if wanted in (channel.name.casefold(), str(channel.id)):
                    try:
                        await channel.send(answers.parted(sentence)[0])
                    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                        log.warning("it could not be said in #%s: %s", channel.name, error)
                    return
        log.warning("there is no channel %s in Discord to say things in", wanted)

    # Slash commands --------------------------------------------------------------------------------------------------------

    async def _slash(self, interaction: "Interaction[Any]", text: str, file: discord.Attachment | None) -> None:
        if not self.is_home(interaction.guild):
            await interaction.response.send_message(NOT_HERE, ephemeral=True)
            return
        await interaction.response.defer(thinking=True)  # at once: Discord waits three seconds, the bot may need longer
        names = wire.names_in(text, interaction.guild, ())
        said = self._said(interaction, f"!workflow {wire.in_words(text, names)}")
        said = await with_files(said, () if file is None else (file,))
        _, found = await self._heard(said)
        await self._follow_up(interaction, found)

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
            await interaction.followup.send(**_arguments(each), ephemeral=ephemeral)
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
            await self._follow_up(interaction, found)

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
        """Somebody takes a change back, if it is still the last one."""
        changes = await self._house.store.changes(self._community, limit=1_000)
        meant = next((each for each in changes if each.id == change), None)
        if not self.is_home(interaction.guild) or meant is None:
            await self._close(interaction, "That change is not known any more.")
            return
        last = next(each for each in changes if each.workflow == meant.workflow)
        if last.id != change:
            name = last.after.name
            since = f"{name} has changed since, by {last.by.name}: {last.summary}."
            await self._close(
                interaction, answers.as_written(f"{since} To undo that: !workflow undo {quoted_name(name)}")
            )
            return
        word = "redo" if meant.kind == "undo" else "undo"
        said = self._said(interaction, f"!workflow {word} {quoted_name(last.after.name)}")
        await interaction.response.defer()
        kinds, found = await self._heard(said)
        if "refusal" in kinds:  # whoever may not change it must not take the button from those who may
            await self._follow_up(interaction, found, ephemeral=True)
            return
        await interaction.edit_original_response(view=None)
        await self._follow_up(interaction, found)

    async def _close(self, interaction: "Interaction[Any]", why: str) -> None:
        """A press that came too late: its buttons go, and the one who pressed is told why."""
        if interaction.message is not None and interaction.type is discord.InteractionType.component:
            await interaction.response.edit_message(view=None)
            await interaction.followup.send(why, ephemeral=True)
        else:
            await interaction.response.send_message(why, ephemeral=True)

    async def press(self, interaction: "Interaction[Any]", label: str) -> None:
        """Somebody presses a button of a workflow's post."""
        await interaction.response.defer()
        if self.is_home(interaction.guild) and interaction.message is not None:
            place = wire.place_of(interaction.channel, interaction.guild)
            happening = self._happening(id=str(interaction.id))
            await self._house.happen(happening.button(interaction.user, label, place, interaction.message.id))

    # What happens ----------------------------------------------------------------------------------------------------------

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
        if self.is_home(member.guild):
            await self._house.happen(self._happening().joined(member))

    async def on_raw_member_remove(self, payload: discord.RawMemberRemoveEvent) -> None:
        """Somebody leaves it, whether or not they were known."""
        if payload.guild_id in self.homes:
            await self._house.happen(self._happening().left(payload.user))

    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        """Something about a member changed; roles count."""
        if not self.is_home(after.guild):
            return
        for role in sorted(set(after.roles) - set(before.roles)):
            await self._house.happen(self._happening().role(after, role, given=True))
        for role in sorted(set(before.roles) - set(after.roles)):
            await self._house.happen(self._happening().role(after, role, given=False))

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


def _arguments(message: Outgoing) -> dict[str, Any]:
    """A message as the library's senders take it."""
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


async def _fetched(guild: discord.Guild, id: int) -> discord.Member | None:
    try:
        return await guild.fetch_member(id)
    except discord.HTTPException:
        return None
