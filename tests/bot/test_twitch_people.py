"""Who has written in the chat and as what, over restarts: the same keys with a new memory are a restart."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from bot.message import Message, Place
from bot.twitch import people
from bot.twitch.people import People, named_in
from engine.execution import Person


class Kept:
    """Keys that outlive a restart, and how often they were asked for and written."""

    def __init__(self) -> None:
        self.keys: dict[str, float] = {}
        self.now = 1_000.0
        self.asked = 0
        self.written = 0
        self.new: list[str] = []

    def people(self) -> People:
        return People(self.seen, self.remember, lambda: self.now, self.first)

    async def seen(self, keys: Collection[str]) -> Collection[str]:
        self.asked += 1
        return {key for key in keys if self.keys.get(key, 0.0) > self.now}

    async def remember(self, keys: Mapping[str, float]) -> None:
        self.written += 1
        self.keys |= keys

    async def first(self, message: Message) -> None:
        self.new.append(message.author.id)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    monkeypatch.setattr(people, "GATHERED_FOR", 0.0)
    return Kept()


def wrote(id: str, *roles: str) -> Message:
    return Message("m", "hello", Person(id, "twitch", roles, id), Place("twitch", ""), 0.0)


async def say(those: People, *messages: Message) -> None:
    """All of it before anything could be looked up."""
    settling = [those.settle() for message in messages if those.wrote(message)]
    assert len(settling) <= 1
    await asyncio.gather(*settling)


async def test_somebody_writes_for_the_first_time_once_whatever_restarts(kept: Kept) -> None:
    those = kept.people()
    await say(those, wrote("3"), wrote("3"), wrote("4"))
    await say(those, wrote("3", "vip"))
    await say(kept.people(), wrote("3"), wrote("5"))

    assert kept.new == ["3", "4", "5"]


async def test_a_raid_of_new_people_is_one_look_and_one_commit_and_those_who_are_known_cost_nothing(kept: Kept) -> None:
    those = kept.people()
    raid = [wrote(str(number)) for number in range(people.AT_ONCE)]
    await say(those, *raid)
    await say(those, *raid)

    assert (kept.asked, kept.written) == (1, 1)


async def test_somebody_is_after_a_restart_what_they_were_when_they_wrote_last(kept: Kept) -> None:
    await say(kept.people(), wrote("3", "vip", "subscriber"), wrote("4", "moderator"))
    await say(kept.people(), wrote("4"))
    those = kept.people()
    await those.recall(["3", "4", "5"])

    assert [those.roles(id) for id in ("3", "4", "5")] == [("vip", "subscriber"), (), ()]


async def test_what_somebody_was_long_ago_is_forgotten(kept: Kept) -> None:
    await say(kept.people(), wrote("3", "vip"))
    kept.now += people.KEPT_FOR + 1.0
    those = kept.people()
    await those.recall(["3"])

    assert those.roles("3") == ()
    await say(those, wrote("3"))
    assert kept.new == ["3"]


async def test_a_role_that_is_given_or_taken_counts_at_once_and_after_a_restart(kept: Kept) -> None:
    await say(kept.people(), wrote("3", "moderator", "subscriber"))
    those = kept.people()
    await those.become("3", "moderator", holds=False)
    await those.become("3", "vip", holds=True)
    later = kept.people()
    await later.recall(["3"])

    assert those.roles("3") == later.roles("3") == ("vip", "subscriber")


async def test_whoever_writes_while_they_are_recalled_is_what_they_write_as(kept: Kept) -> None:
    await say(kept.people(), wrote("3", "moderator"))
    those = kept.people()
    recalling = asyncio.create_task(those.recall(["3"]))
    those.wrote(wrote("3"))
    await recalling

    assert those.roles("3") == ()


def test_a_notification_names_all_people_in_it() -> None:
    gift: Mapping[str, Any] = {
        "broadcaster_user_id": "1",
        "chatter_user_id": "3",
        "sub_gift": {"recipient_user_id": "4", "recipient_user_name": "Four"},
        "from_user_id": "",
        "message": {"text": "user_id"},
    }

    assert list(named_in(gift)) == ["1", "3", "4"]
