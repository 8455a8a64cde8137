"""Both platforms in one bot: workflows that hear on one and act on the other, and one that is gone does not take the other along."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.equipment import Equipment
from bot.platforms import DiscordThere
from tests.discord.conftest import QUICK
from tests.on_air import OnAir, in_no_time, on_air, set_up
from tests.servers.discord import DiscordServer, buttons
from tests.servers.twitch import FakeTwitch

RAID = {
    "from_broadcaster_user_id": "3",
    "from_broadcaster_user_login": "ninja",
    "from_broadcaster_user_name": "Ninja",
    "to_broadcaster_user_id": "1",
    "to_broadcaster_user_login": "streamer",
    "to_broadcaster_user_name": "Streamer",
    "viewers": 12,
}


@pytest.fixture
async def both(
    discord: DiscordServer, tmp_path: Path, equipped: Equipment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OnAir]:
    in_no_time(monkeypatch)
    monkeypatch.setattr(DiscordThere, "pace", QUICK)
    async with AsyncExitStack() as stack:
        twitch = await stack.enter_async_context(FakeTwitch())
        folder = await set_up(tmp_path / "data", twitch, discord)
        yield await on_air(stack, folder, equipped, twitch, discord)


async def test_a_workflow_written_on_either_side_hears_on_one_and_acts_on_both(both: OnAir):
    await both.in_twitch(
        '!wf when someone raids with more than 5 viewers, say "welcome ${user}!", '
        'then post "${user} came with ${viewers}" in #general'
    )
    await both.in_discord('!wf when someone reacts with "🎉" in discord, say "party!"')
    await both.twitch.subscribed("channel.raid")
    await both.twitch.notify("channel.raid", RAID)
    await both.discord.until(lambda: [text for text in both.posted() if text.endswith("came with 12")])
    await both.discord.react(both.discord.viewer, both.discord.said()[-1]["id"], "🎉")
    await both.twitch.until(lambda: "party!" in both.said())

    assert [text for text in both.said() if text in ("welcome Ninja!", "party!")] == ["welcome Ninja!", "party!"]
    assert len([text for text in both.posted() if text.endswith("came with 12")]) == 1


async def test_what_was_written_on_one_side_is_read_and_taken_back_on_the_other(both: OnAir):
    await both.in_twitch('!wf when someone raids, say "welcome!"')

    assert "raid" in await both.in_discord("!wf list")
    assert "That was Mod's change" in await both.in_discord("!wf undo raid")
    asked = both.discord.said()[-1]
    used = await both.discord.click(both.discord.mo, asked, buttons(asked)["Yes"])
    await both.discord.until(lambda: used.followups)
    assert both.bot.conversation.catalogue.there() == ()


async def test_a_discord_that_is_gone_leaves_twitch_alone_and_is_there_again_by_itself(both: OnAir):
    await both.discord.stop()
    assert "Created" in await both.in_twitch('!wf when someone raids, say "welcome!"')
    sessions, resumed = len(both.discord.sessions), len(both.discord.resumed)
    await both.discord.start()
    await both.discord.until(
        lambda: len(both.discord.sessions) > sessions or len(both.discord.resumed) > resumed, within=30
    )

    assert "raid" in await both.in_discord("!wf list")
