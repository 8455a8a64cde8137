"""Whom the streamer names holds a role, and nobody who only looks like them."""

from typing import Any

import pytest

from bot.named import as_named, event_as_named, written
from engine.events import Event
from engine.execution import Person

VIEWER = Person("Mo", "twitch", (), "123456789012345")


@pytest.mark.parametrize(
    ("setting", "counts"),
    [
        ("mo", True),
        (" @MO , eve", True),
        ("123456789012345", True),
        (123456789012345.0, True),
        ("once called otherwise (123456789012345)", True),
        (written("a, mo, b", "1"), False),
        ("mo (1)", False),
        ("mo (the great)", False),
        ("eve", False),
        ("", False),
        (None, False),
    ],
)
def test_a_number_counts_where_there_is_one_and_else_the_name(setting: Any, counts: bool) -> None:
    held = as_named(VIEWER, {"twitch.people.moderator": setting}).roles

    assert held == (("moderator",) if counts else ())


def test_whoever_calls_themselves_by_somebodys_number_is_nobody() -> None:
    assert as_named(Person("42", "twitch", (), "1"), {"twitch.people.moderator": "mo (42), 42"}).roles == ()


def test_a_name_counts_on_its_own_platform_and_takes_no_role_away() -> None:
    values = {"twitch.people.moderator": "mo", "discord.people.vip": "mo"}

    assert as_named(Person("mo", "discord", ("subscriber",)), values).roles == ("vip", "subscriber")
    assert as_named(Person("mo", "twitch", ("broadcaster",)), values).roles == ("broadcaster", "moderator")


def test_an_event_without_anybody_named_is_that_event() -> None:
    for payload in ({}, {"user": "mo"}, {"user": {"name": "eve", "roles": ["vip"]}}):
        event = Event("1", "raid.received", 0.0, "home", payload)

        assert event_as_named(event, {"twitch.people.moderator": "mo"}) is event
