"""The guided set-up: each step tried at once, each one skippable, and nothing shown that is secret. Twitch is on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.config import COMMUNITY, DataFolder, Settings, settings_from, with_value
from bot.setup import set_up
from bot.tokens import FILE, TokenFile
from bot.twitch.client import BOT, BROADCASTER
from bot.twitch.sign_in import BOT_SCOPES, BROADCASTER_SCOPES
from engine.errors import StoreError
from engine.ports import Batch
from storage.sqlite import SQLiteStore
from tests.servers.discord import TOKEN, DiscordServer, user
from tests.servers.twitch import Account, FakeTwitch


class Person:
    """Somebody at the keyboard, with a browser beside it.

    Attributes:
        answers: What is typed, one for each question; nothing when they run out.
        browses: What is done with each code.
        skips: Whether the wait for a code is broken off.
    """

    def __init__(self, *answers: str, browses: Callable[[str], None] = lambda _: None, skips: bool = False) -> None:
        self.answers = list(answers)
        self.browses = browses
        self.skips = skips
        self.seen: list[str] = []

    def say(self, line: str) -> None:
        self.seen.append(line)
        if "confirm the code " in line:
            self.browses(line.split("confirm the code ")[1].split(".")[0])

    async def ask(self, question: str) -> str:
        self.seen.append(question)
        return self.answers.pop(0) if self.answers else ""

    async def ask_hidden(self, question: str) -> str:
        return await self.ask(question)

    async def confirm(self, question: str) -> bool:
        return await self.ask(question) == "y"

    async def unless_skipped(self, work: Awaitable[None]) -> bool:
        task = asyncio.ensure_future(work)
        if self.skips:
            task.cancel()
            await asyncio.wait({task})
            return False
        await asyncio.wait_for(task, 20)
        return True


@pytest.fixture
async def twitch() -> AsyncIterator[FakeTwitch]:
    async with FakeTwitch() as server:
        yield server


@pytest.fixture
async def folder(tmp_path: Path, twitch: FakeTwitch) -> DataFolder:
    settings, records = Settings(), []
    for key, value in (("twitch.api_base", twitch.api_base), ("twitch.id_base", twitch.id_base)):
        settings, record = with_value(settings, key, value, secret=False)
        records.append(record)
    folder = DataFolder(tmp_path)
    async with await SQLiteStore.open(folder.database) as store:
        await store.commit(Batch(config=records))
    return folder


async def settings_in(folder: DataFolder) -> Settings:
    async with await SQLiteStore.open(folder.database, read_only=True) as store:
        return settings_from(await store.config(COMMUNITY))


async def test_both_accounts_are_signed_in_by_codes_typed_elsewhere(folder: DataFolder, twitch: FakeTwitch) -> None:
    accounts = iter(("2", "1"))
    person = Person("abc123", "y", "y", browses=lambda code: twitch.approve(code, next(accounts)))

    await set_up(folder, person)

    tokens = TokenFile.open(folder.path).tokens
    assert (tokens[BOT].login, tokens[BOT].scopes) == ("bot", tuple(tokens[BOT].scopes))
    assert set(tokens[BOT].scopes) == set(BOT_SCOPES)
    assert (tokens[BROADCASTER].login, set(tokens[BROADCASTER].scopes)) == ("streamer", set(BROADCASTER_SCOPES))
    assert (await settings_in(folder)).values["twitch.client_id"] == "abc123"
    assert "Signed in as bot." in person.seen
    shown = "\n".join(person.seen)
    assert not [secret for token in tokens.values() for secret in (token.access, token.refresh) if secret in shown]
    assert "device-" not in shown.replace("device-code", "")


async def test_everything_can_be_skipped(folder: DataFolder, twitch: FakeTwitch) -> None:
    person = Person()

    await set_up(folder, person)

    assert twitch.calls == []
    assert not (folder.path / FILE).exists()
    assert person.seen[-1] == "That was all. Start the bot with: showcaller run"


async def test_a_client_id_that_twitch_does_not_know_is_asked_for_again(folder: DataFolder, twitch: FakeTwitch) -> None:
    twitch.answer("POST", "oauth2/device", 400, "invalid client")
    person = Person("wrong", "right")

    await set_up(folder, person)

    assert any("does not know this client id (invalid client)" in line for line in person.seen)
    assert (await settings_in(folder)).values["twitch.client_id"] == "right"


async def test_a_code_that_is_refused_is_told_and_the_next_step_comes(folder: DataFolder, twitch: FakeTwitch) -> None:
    person = Person("abc123", "y", "", browses=twitch.deny)

    await set_up(folder, person)

    assert "The code was not accepted, or it is too late for it." in person.seen
    assert not (folder.path / FILE).exists()


@pytest.mark.parametrize("status", [0, 503])
async def test_a_twitch_that_is_away_while_a_code_is_typed_does_not_throw_it_away(
    folder: DataFolder, twitch: FakeTwitch, status: int
) -> None:
    twitch.answer("POST", "oauth2/token", status, "away", times=2)
    person = Person("abc123", "y", browses=lambda code: twitch.approve(code, "2"))

    await set_up(folder, person, "twitch")

    assert "Signed in as bot." in person.seen
    assert twitch.count("POST", "oauth2/token") == 3


async def test_the_wait_for_a_code_can_be_broken_off(folder: DataFolder, twitch: FakeTwitch) -> None:
    person = Person("abc123", "y", "", skips=True)

    await set_up(folder, person)

    assert "Skipped." in person.seen


async def test_what_is_there_is_shown_and_kept_when_it_is_not_replaced(folder: DataFolder, twitch: FakeTwitch) -> None:
    await set_up(folder, Person("abc123", "y", browses=lambda code: twitch.approve(code, "2")))
    again = Person()

    await set_up(folder, again)

    assert "Twitch: the client id is abc123." in again.seen
    assert "Signed in as bot (everything is granted)." in again.seen
    assert TokenFile.open(folder.path).tokens[BOT].login == "bot"


async def test_one_account_does_for_both_and_that_is_said(folder: DataFolder, twitch: FakeTwitch) -> None:
    person = Person("abc123", "y", "y", browses=lambda code: twitch.approve(code, "1"))

    await set_up(folder, person, "twitch")

    assert "That is the same account as the other one; it does for both." in person.seen


async def test_twitch_being_away_is_told_and_nothing_is_lost(folder: DataFolder, twitch: FakeTwitch) -> None:
    await set_up(folder, Person("abc123"))
    await twitch.stop()
    person = Person("", "y", "")

    await set_up(folder, person)

    assert "Twitch cannot be reached. Try again in a moment." in person.seen


async def test_beside_a_running_bot_nothing_is_changed(folder: DataFolder) -> None:
    async with await SQLiteStore.open(folder.database):
        with pytest.raises(StoreError):
            await set_up(folder, Person("abc123"))


# Discord -----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def discord(folder: DataFolder) -> AsyncIterator[DiscordServer]:
    server = await DiscordServer().start()
    _, record = with_value(Settings(), "discord.api_base", server.api_base, secret=False)
    async with await SQLiteStore.open(folder.database) as store:
        await store.commit(Batch(config=[record]))
    yield server
    await server.stop()


async def test_a_discord_token_is_tried_before_it_is_kept(folder: DataFolder, discord: DiscordServer) -> None:
    discord.invalid_token = True
    person = Person("wrong-token")
    await set_up(folder, person, "discord")
    assert "Discord does not take this token. Reset it in the portal and copy it anew." in person.seen
    assert not (folder.path / FILE).exists()
    discord.invalid_token = False
    person = Person(TOKEN)

    await set_up(folder, person, "discord")

    assert TokenFile.open(folder.path).tokens["discord.bot"].access == TOKEN
    assert "Signed in as showcaller." in person.seen
    assert any(f"client_id={discord.application}&scope=bot" in line for line in person.seen)
    assert not [line for line in person.seen if TOKEN in line]


async def test_what_is_switched_off_at_discord_is_told_and_done_without(
    folder: DataFolder, discord: DiscordServer
) -> None:
    person = Person(TOKEN)

    await set_up(folder, person, "discord")

    assert [line.split(" is off")[0] for line in person.seen if " is off" in line] == [
        "Message Content Intent",
        "Server Members Intent",
    ]
    assert (await settings_in(folder)).values["discord.message_content"] == "off"


async def test_a_discord_that_cannot_be_asked_costs_nothing(folder: DataFolder, discord: DiscordServer) -> None:
    await discord.stop()
    person = Person("some\ntoken", TOKEN)

    await set_up(folder, person, "discord")

    assert sum("cannot be asked with that" in line for line in person.seen) == 2


class Answering(Person):
    """Somebody who reads the questions.

    Attributes:
        given: What is typed, by a word of the question; several in turn, with a bar between.
    """

    def __init__(self, given: dict[str, str], **options: Any) -> None:
        super().__init__(**options)
        self.given = {word: typed.split("|") for word, typed in given.items()}

    async def ask(self, question: str) -> str:
        self.seen.append(question)
        word = next((word for word, typed in self.given.items() if typed and word in question), None)
        return "" if word is None else self.given[word].pop(0)


async def test_which_server_is_home_and_who_and_what_is_what_in_it_is_asked_looked_up_and_kept_with_its_number(
    folder: DataFolder, discord: DiscordServer
) -> None:
    discord.other_guilds.append(dict(discord._guild(), id="555555555555555555", name="Home"))
    mods, eve = discord.add_channel("mods"), discord.add_member(user("eve"))
    person = Answering(
        {
            "Token": TOKEN, "Which server": "3|1", "Who are you": "eve", "post": "#nowhere|general", "read": "#mods",
            "roles": "@crew, Nobody|Crew", "Who else": "bob, eve", "Tell": "y",
        }
    )  # fmt: skip

    await set_up(folder, person, "discord")

    values = (await settings_in(folder)).values
    kept = {key: value for key, value in values.items() if key.startswith("discord.") and "_base" not in key}
    assert kept == {
        "discord.message_content": "off",
        "discord.members": "off",
        "discord.guilds": discord.guild,
        "discord.people.broadcaster": f"eve ({eve['id']})",
        "discord.channel": f"general ({discord.general})",
        "discord.mod_channel": f"mods ({mods})",
        "discord.roles.moderator": f"Crew ({discord.crew})",
        "discord.people.moderator": f"bob ({discord.viewer['id']}), eve ({eve['id']})",
        "discord.edits": "on",
    }
    assert "There are general and mods." in person.seen
    assert "I do not find Nobody." in person.seen


async def test_no_server_becomes_home_without_a_word(folder: DataFolder, discord: DiscordServer) -> None:
    person = Answering({"Token": TOKEN})

    await set_up(folder, person, "discord")

    assert "Until you say which server is yours I listen to nobody on Discord." in person.seen
    assert "discord.guilds" not in (await settings_in(folder)).values


async def test_what_is_kept_of_a_server_is_shown_and_stays_if_nothing_is_said_and_goes_with_none(
    folder: DataFolder, discord: DiscordServer
) -> None:
    await set_up(folder, Answering({"Token": TOKEN, "server": "1", "post": "general", "read": "general"}), "discord")
    before = (await settings_in(folder)).values
    again = Answering({})
    await set_up(folder, again, "discord")

    assert (await settings_in(folder)).values == before
    assert any(f"(Enter to keep general ({discord.general}), none to take it back)" in line for line in again.seen)

    await set_up(folder, Answering({"post": "none"}), "discord")

    assert (await settings_in(folder)).values == {**before, "discord.channel": ""}


async def test_a_server_it_is_asked_into_meanwhile_is_found(folder: DataFolder, discord: DiscordServer) -> None:
    discord.invited = False
    person = Answering({"Token": TOKEN, "server": "1"})
    ask = person.ask

    async def invite(question: str) -> str:
        discord.invited |= "Ask me into yours" in question
        return "" if "Ask me into yours" in question else await ask(question)

    person.ask = invite  # type: ignore[method-assign]

    await set_up(folder, person, "discord")

    assert (await settings_in(folder)).values["discord.guilds"] == discord.guild


async def test_who_else_may_change_workflows_is_looked_up_on_twitch(folder: DataFolder, twitch: FakeTwitch) -> None:
    twitch.accounts["77"] = Account("77", "helper")
    person = Answering({"Client id": "abc123", "account that is to speak": "y", "Who else": "@Helper, nobody|@Helper"})
    person.browses = lambda code: twitch.approve(code, "2")

    await set_up(folder, person, "twitch")

    assert "I do not find nobody." in person.seen
    assert (await settings_in(folder)).values["twitch.people.moderator"] == "helper (77)"


async def test_where_twitch_cannot_be_asked_a_name_alone_is_kept(folder: DataFolder, twitch: FakeTwitch) -> None:
    twitch.answer("GET", "users", 401, "invalid token", times=9)
    person = Answering({"Client id": "abc123", "account that is to speak": "y", "Who else": "@Helper"})
    person.browses = lambda code: twitch.approve(code, "2")

    await set_up(folder, person, "twitch")

    assert (await settings_in(folder)).values["twitch.people.moderator"] == "helper"


def test_the_library_can_ask_for_every_scope_that_is_needed() -> None:
    from twitchio import Scopes

    for scopes in (BOT_SCOPES, BROADCASTER_SCOPES):
        assert set(Scopes(list(scopes))) == set(scopes)


# OBS ---------------------------------------------------------------------------------------------------------------------------


async def test_an_obs_that_is_not_open_is_told_and_nothing_is_kept(folder: DataFolder) -> None:
    person = Person("y", "127.0.0.1:1", "a-password", "y", "what is this", "1", "a-password", "n")

    await set_up(folder, person, "obs")

    assert person.seen.count("OBS cannot be used there: it is not open, or cannot be reached.") == 2
    assert "That is no address; it is one like 192.168.1.5:4455." in person.seen
    assert not (folder.path / FILE).exists()
    assert "obs.port" not in (await settings_in(folder)).values
    assert not [line for line in person.seen if "a-password" in line]


async def test_a_server_that_is_no_obs_is_told_as_that(folder: DataFolder, twitch: FakeTwitch) -> None:
    address = twitch.api_base.removeprefix("http://").split("/")[0]
    person = Person("y", address, "", "n")

    await set_up(folder, person, "obs")

    assert "OBS cannot be used there: what answers there is not OBS." in person.seen
