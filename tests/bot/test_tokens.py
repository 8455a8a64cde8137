"""Tokens: on the disk before they are used, readable for nobody else, and shown to nobody."""

import json
import stat
from pathlib import Path

import pytest

from bot.log import Redacting
from bot.tokens import FILE, Token, TokenFile, TokensUnreadable


def test_what_was_put_is_there_for_the_next_start(tmp_path: Path) -> None:
    kept = Token("access-1", "refresh-1", ("user:read:chat",), "42", "bot")
    TokenFile.open(tmp_path).put("twitch.bot", kept)

    assert TokenFile.open(tmp_path).tokens == {"twitch.bot": kept}


def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    TokenFile.open(tmp_path).put("twitch.bot", Token("access-1"))

    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_file_that_others_can_read_is_closed_to_them_when_it_is_opened(tmp_path: Path) -> None:
    TokenFile.open(tmp_path).put("twitch.bot", Token("access-1"))
    (tmp_path / FILE).chmod(0o644)

    TokenFile.open(tmp_path)

    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_file_and_memory_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = TokenFile.open(tmp_path)
    file.put("twitch.bot", Token("access-1"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        file.put("twitch.bot", Token("access-2"))

    assert file.tokens["twitch.bot"].access == "access-1"
    assert json.loads((tmp_path / FILE).read_text())["twitch.bot"]["access"] == "access-1"
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_dropped_token_is_gone_from_the_file(tmp_path: Path) -> None:
    file = TokenFile.open(tmp_path)
    file.put("discord.bot", Token("access-1"))

    file.drop("discord.bot")

    assert "access-1" not in (tmp_path / FILE).read_text()


def test_a_token_shows_itself_to_nobody() -> None:
    assert "access-1" not in repr(Token("access-1", "refresh-1"))
    assert "refresh-1" not in repr(Token("access-1", "refresh-1"))


def test_a_rotated_pair_stays_secret_after_its_end(tmp_path: Path) -> None:
    file = TokenFile.open(tmp_path)
    file.put("twitch.bot", Token("access-1", "refresh-1"))
    file.put("twitch.bot", Token("access-2", "refresh-2"))
    log = Redacting()
    log.secrets = file.secrets

    hidden = log.hidden("access-1 refresh-1 access-2 refresh-2")

    assert hidden == "*** *** *** ***"


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"twitch.bot": "secret-token"}', '{"twitch.bot": {"refresh": "secret-token"}}']
)
def test_a_broken_file_is_told_without_what_it_holds_and_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)

    with pytest.raises(TokensUnreadable) as raised:
        TokenFile.open(tmp_path)

    assert "secret-token" not in str(raised.value)
    assert (tmp_path / FILE).read_text() == text
