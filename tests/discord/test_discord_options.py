"""What is set about Discord, and what is made of texts for it."""

import pytest

from bot.discord.answers import outgoing, parted
from bot.discord.commands import choices
from bot.discord.mentions import mentions_in
from bot.discord.options import Options, options_of, unheard
from bot.discord.wire import addressed, in_words
from bot.message import Reply
from bot.rendering import harmless
from engine.events import kind_of


def test_what_is_set_is_read_however_it_is_written():
    options = options_of(
        {
            "discord.guilds": "123456789012345678, 223456789012345678",
            "discord.channel": "#general",
            "discord.roles.moderator": "@Crew, Helpers",
            "discord.message_content": "Off",
            "discord.api_base": "http://127.0.0.1:1/api/v10/",
        }
    )

    assert options.guilds == (123456789012345678, 223456789012345678)
    assert options.channel == "general"
    assert options.roles == {"moderator": ("crew", "helpers")}
    assert (options.message_content, options.members) == (False, True)
    assert options.api_base == "http://127.0.0.1:1/api/v10"


def test_what_the_switches_keep_from_the_bot_is_known_by_events_that_there_are():
    found = unheard(Options(message_content=False, members=False))

    assert all(kind_of(name) is not None for name in found)
    assert found["discord.member.joined"] == ("its Server Members Intent",)
    assert unheard(Options()) == {}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a*b_c~d|e`f", r"a\*b\_c\~d\|e\`f"),
        ("> x\n# y\n- z\n1. w", "\\> x\n\\# y\n\\- z\n1\\. w"),
        ("[a](b)", r"\[a](b)"),
        ("see https://a.b/c_d now_", r"see https://a.b/c_d now\_"),
        (r"\{x}", r"\\{x}"),
    ],
)
def test_discord_shows_a_text_as_it_is_written(text: str, shown: str):
    assert harmless(text) == shown


@pytest.mark.parametrize("length", [10, 1_999, 2_000, 2_001, 9_000])
@pytest.mark.parametrize("text", ["*", "a", 'say "x" · ', "wort "])
def test_a_text_in_parts_is_the_text_and_no_part_is_too_long(text: str, length: int):
    whole = (text * length)[:length].strip()
    parts = parted(whole)

    assert all(0 < len(part) <= 2_000 for part in parts)
    assert "".join("".join(parts).split()) == "".join(harmless(whole).split())


@pytest.mark.parametrize("length", [10, 1_990, 2_500, 9_000])
@pytest.mark.parametrize("text", ["*", "`", 'say "x" · ', "# a\n"])
def test_no_message_is_longer_than_discord_takes_however_much_of_it_is_marked(text: str, length: int):
    said = (text * length)[:length]
    for canonical in (None, said, said[: length // 2] or None):
        for each in outgoing([Reply("done", said, canonical), Reply("answer", said, canonical, "raid", 3)]):
            assert len(each.text) <= (4_096 if each.title is not None else 2_000)


def test_a_choice_is_the_whole_text_and_never_longer_than_discord_takes():
    assert choices("show ra", ["raid", "rain"]) == ["show raid", "show rain"]
    assert choices("x" * 100 + " ", ["raid"]) == []
    assert len(choices("", [f"word{number}" for number in range(90)])) == 25


def test_marks_outside_of_quotes_are_names_and_inside_they_stay():
    names = {"<#1>": "#general", "<@2>": "@mo"}

    assert in_words('post "<#1> <@2>" in <#1> for <@2> <#9>', names) == 'post "<#1> <@2>" in #general for @mo <#9>'


@pytest.mark.parametrize("emoji", ["⭐", "❤️", "🎉", "👩‍🚀", "<:pog:123456789012345678>", ":pog:"])
def test_an_emoji_somebody_reacts_with_needs_no_quotes(emoji: str):
    assert in_words(f"when someone reacts with {emoji} in discord, say hi", {}) == (
        f'when someone reacts with "{emoji}" in discord, say hi'
    )
    assert in_words(f'react to the discord message "1" with {emoji}', {}) == (
        f'react to the discord message "1" with "{emoji}"'
    )
    assert in_words(f'reacts with "{emoji}"', {}) == f'reacts with "{emoji}"'
    assert in_words(f"say with {emoji}", {}) == f"say with {emoji}"


def test_a_message_to_the_bot_is_an_instruction_and_a_prefix_after_its_name_counts_once():
    assert addressed("<@7> list", 7) == "!workflow list"
    assert addressed("<@!7> !wf list", 7) == "!wf list"
    assert addressed("<@8> list", 7) == "<@8> list"


MENTIONS = (
    # written                              made of it                                 everybody, roles, people
    ("live @here", "live @here", (True, [], [])),
    ("hey <@&42>", "hey <@&42>", (False, [42], [])),
    ("hey <@42> and <@!43>", "hey <@42> and <@!43>", (False, [], [42, 43])),
    ("hey <@${user.id}>", "hey <@42>", (False, [], [42])),
    ("hey ${user}", "hey <@42>", (False, [], [])),
    ("${message}", "@everyone <@&1> <@2>", (False, [], [])),
    ("<@${user.id}> says ${message}", "<@42> says hi", (False, [], [42])),
    ("<@${user.id}> says ${message}", "<@42> says <@99>", (False, [], [])),
    ("<@7> and <@${user.id}>: ${message}", "<@7> and <@42>: <@99>", (False, [], [7])),
    ("${message} <@${user.id}>", "<@99> z <@42>", (False, [], [])),
    ("<@${user.id}> ${message}", "<@> <@99>", (False, [], [])),
    ("<${message} <@${user.id}>", "<@99> <@>", (False, [], [])),
    ("<@${arguments}>", "<@1> <@2>", (False, [], [])),
)


@pytest.mark.parametrize(("written", "made", "pinged"), MENTIONS)
def test_only_what_is_written_in_a_step_pings(written: str, made: str, pinged: tuple[bool, list[int], list[int]]):
    found = mentions_in({"message": written, "channel_id": "x"}, {"message": made})
    roles, users = found.roles, found.users

    assert not isinstance(roles, bool)
    assert not isinstance(users, bool)
    assert (found.everyone, [each.id for each in roles], [each.id for each in users]) == pinged


def test_each_text_of_a_step_is_looked_at_by_itself():
    found = mentions_in({"title": "<@${user.id}>", "message": "${message}"}, {"title": "<@1>", "message": "<@2>"})

    assert [each.id for each in found.users] == [1]  # type: ignore[union-attr]
