"""How each place shows a reply: code and harmless prose in Discord, plain on Twitch, colours in a terminal."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.message import Reply
from bot.rendering import discord, terminal, twitch, wants_colours

CASES: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("rendering.toml").read_text(encoding="utf-8"))[
    "case"
]


@pytest.mark.parametrize("case", CASES, ids=[case["text"][:40] for case in CASES])
def test_a_reply_is_shown_as_the_place_shows_it(case: dict[str, Any]) -> None:
    reply = Reply("done", case["text"], case.get("canonical"))
    assert twitch(reply) == case["text"]
    assert terminal(reply, colours=False) == case["text"]
    assert discord(reply) == case["discord"]


def test_a_terminal_tells_kinds_by_colour_and_the_bots_own_words_by_weight() -> None:
    shown = terminal(
        Reply("done", "raid v2: remove step 1. Undo: !workflow undo", "raid v2: remove step 1"), colours=True
    )
    assert shown == "\x1b[1;32mraid v2: remove step 1\x1b[0m\x1b[32m. Undo: \x1b[0m\x1b[1;32m!workflow undo\x1b[0m"
    assert "\x1b[31m" in terminal(Reply("refusal", "no"), colours=True)
    assert "\x1b]0;" not in terminal(Reply("answer", "\x1b]0;title"), colours=True), "a viewer's text colours nothing"


@pytest.mark.parametrize(
    ("environment", "is_terminal", "colours"),
    [({}, True, True), ({"NO_COLOR": "1"}, True, False), ({}, False, False), ({"TERM": "dumb"}, True, False)],
)
def test_colours_are_for_terminals_that_want_them(
    environment: dict[str, str], is_terminal: bool, colours: bool
) -> None:
    assert wants_colours(environment, is_terminal=is_terminal) is colours


@settings(max_examples=200, deadline=None)
@given(st.text("`*_@everyone <>!wf\n\\#1.-", max_size=300), st.integers(0, 300), st.integers(0, 300))
def test_in_discord_nothing_pings(text: str, start: int, end: int) -> None:
    canonical = text[min(start, end) : max(start, end)]
    shown = discord(Reply("done", text, canonical or None))
    prose = shown.split("`")[::2] if "`" not in text else []
    assert not any("@everyone" in part for part in prose)
