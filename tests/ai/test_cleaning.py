"""Whatever a model writes becomes one harmless chat line, and what the broadcaster does not want to read is seen."""

import re
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ai.cleaning import MOST_CALLED, MOST_READ, cleaned, is_blocked

CASES = tomllib.loads((Path(__file__).parent / "cleaning.toml").read_text(encoding="utf-8"))["case"]
PIECES = (
    "/ban bob",
    "!so",
    "@everyone",
    "@a",
    "<@1>",
    "https://x.yz",
    "x.yz",
    "\n",
    "\u200b",
    " ",
    '"',
    "/",
    "!",
    ".",
    "a",
    "**",
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_what_a_model_wrote_becomes_a_chat_line(case: dict[str, Any]) -> None:
    assert cleaned(case["wrote"], case.get("longest", 450), links=case.get("links", False)) == case["line"]


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=20).map("".join)), st.integers(10, 450))
def test_a_line_is_one_line_commands_nobody_and_is_not_too_long(wrote: str, longest: int) -> None:
    line = cleaned(wrote, longest)
    assert len(line) <= longest
    assert line == line.strip()
    assert all(unicodedata.category(character) not in ("Cc", "Zl", "Zp") for character in line)
    assert not re.search(r"(?<!\S)[/!][^\W\d_]", line)
    assert not line.startswith(("/", "!", ".", "\\"))
    assert not re.search(r"@(everyone|here)\b|<@|://", line, re.IGNORECASE)
    assert len(re.findall(r"@\w", line)) <= MOST_CALLED


@pytest.mark.parametrize(
    "sign", ["[", "](", "<@", "<:a", "_ ", "a.", "*", "`", "@", "/", "! ", "a://", "www.", "\u200b"]
)
def test_no_text_is_looked_at_for_ever(sign: str) -> None:
    """One that were would run into the time that any test has."""
    wrote = sign * (100_000 // len(sign))
    assert len(cleaned(wrote, 450)) <= 450
    assert not is_blocked(wrote[:MOST_READ], ["bad word"])


@pytest.mark.parametrize(
    "text",
    [
        "so darn it",
        "DARN!",
        "d.a.r.n it",
        "d a r n",
        "dárn",
        "d4rn",
        "d@rn",
        "ｄａｒｎ",
        "da\u200brn",
        "this is very  BAD-word ok",
    ],
)
def test_a_blocked_word_is_seen_however_it_is_spelt(text: str) -> None:
    assert is_blocked(text, ["darn", "bad word"])


@pytest.mark.parametrize("text", ["darning socks", "a bad, sad word", "I am a d", "", "barn", "@darnell", "hi @darn2"])
def test_other_words_are_none(text: str) -> None:
    assert not is_blocked(text, ["darn", "bad word", "  "])
