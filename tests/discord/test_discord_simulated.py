"""The client in a Discord that checks what the real one checks: limits, permissions, what a press may be answered with."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord as library
import pytest
import simcord

from bot.app import Bot, equipment, open_bot
from bot.config import COMMUNITY, DataFolder
from bot.discord.client import Front
from bot.discord.options import options_of
from bot.equipment import Equipment
from bot.log import Redacting

GUILD = 4_242
RAID = '!wf when a raid comes in, say "welcome!"'


@pytest.fixture(scope="module")
def equipped() -> Equipment:
    return equipment()


@dataclass
class Stage:
    """A server with a bot, a moderator and a viewer in it."""

    env: simcord.Env
    bot: Bot
    general: Any
    mo: Any
    viewer: Any
    guild: Any
    notices: list[str]

    def front(self) -> Front:
        """A client as it is made for every connection."""
        options = options_of({"discord.guilds": str(GUILD)})
        return Front(self.bot, options, COMMUNITY, up=lambda: None, down=lambda _: None, notice=self.notices.append)

    def last(self) -> library.Message:
        """What was written last."""
        return self.general.history()[-1]


@pytest.fixture
async def stage(tmp_path: Path, equipped: Equipment) -> AsyncIterator[Stage]:
    notices: list[str] = []
    folder = DataFolder(tmp_path / "data")
    folder.make()
    async with AsyncExitStack() as stack:
        bot = await open_bot(
            stack,
            folder,
            Redacting(),
            equipment=equipped,
            virtual=False,
            on_attempt=lambda _: None,
            notice=notices.append,
        )
        options = options_of({"discord.guilds": str(GUILD)})
        front = Front(bot, options, COMMUNITY, up=lambda: None, down=lambda _: None, notice=notices.append)
        env = simcord.Env(front, strict_sync=False)
        await env.start()
        stack.push_async_callback(env.shutdown)
        guild = env.create_guild(id=GUILD)
        general = guild.create_text_channel("general")
        crew = guild.create_role("crew", permissions=library.Permissions(manage_guild=True))
        mo = guild.add_member(env.create_user("mo"), roles=[crew])
        viewer = guild.add_member(env.create_user("bob"))
        yield Stage(env, bot, general, mo, viewer, guild, notices)


async def test_an_answer_keeps_all_limits_of_discord_however_long_the_workflow_is(stage: Stage):
    steps = ", ".join(f'say "{"*_`" * 40} {number}"' for number in range(14))
    await stage.mo.send(stage.general, f"!wf create long: {steps}"[:1_990].rsplit(", ", 1)[0])
    await stage.mo.send(stage.general, "!wf show long")

    told = [message for message in stage.general.history() if message.author.bot]
    assert len(told) >= 2
    assert all(len(message.content) <= 2_000 for message in told)


async def test_a_press_and_an_undo_go_through_its_checks(stage: Stage):
    await stage.mo.send(stage.general, RAID)
    await stage.mo.click(stage.last(), label="Undo")

    assert stage.bot.conversation.catalogue.there() == ()
    await stage.mo.click(stage.last(), label="Redo")
    assert [entry.id for entry in stage.bot.conversation.catalogue.there()] == ["raid"]


async def test_a_question_is_answered_after_the_bot_was_started_again(stage: Stage):
    await stage.mo.send(stage.general, RAID)
    await stage.mo.send(stage.general, "!wf delete raid")
    asked = stage.last()
    await stage.env.restart_bot(stage.front())
    await stage.mo.click(asked, label="Yes")

    assert stage.bot.conversation.catalogue.there() == ()


async def test_a_window_takes_an_answer_in_words(stage: Stage):
    await stage.mo.send(stage.general, RAID)
    await stage.mo.send(stage.general, "!wf in raid add a message")
    shown = await stage.mo.click(stage.last(), label="Answer")
    assert shown.modal is not None
    (item,) = [row["component"] if "component" in row else row["components"][0] for row in shown.modal["components"]]
    await stage.mo.submit_modal(shown, {item["custom_id"]: "bye all"})

    (entry,) = stage.bot.conversation.catalogue.there()
    assert [dict(state.action.params) for state in entry.definition.states] == [
        {"message": "welcome!"},
        {"message": "bye all"},
    ]


async def test_where_it_may_not_write_it_says_so_elsewhere_and_goes_on(stage: Stage):
    me = stage.guild.me
    assert me is not None
    quiet = stage.guild.create_text_channel("quiet", overwrites={me: library.PermissionOverwrite(send_messages=False)})
    await stage.mo.send(quiet, RAID)
    await stage.mo.send(stage.general, "!wf list")

    assert any("#quiet" in notice for notice in stage.notices) or quiet.history()[-1].author.bot
    assert "raid" in stage.last().content
