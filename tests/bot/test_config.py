"""Settings: what is set comes back from the records it was stored as, and secrets are seen nowhere."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import config
from bot.config import NotSettable, Settings, data_folder, masked, settings_from
from bot.log import log_to
from engine.ports import ConfigRecord
from engine.secrets import Secret
from engine.settings import Setting


def test_everything_that_is_set_comes_back_from_its_records() -> None:
    settings, records = Settings(), []
    for change in (
        lambda old: config.with_value(old, "discord.announcement_channel", "news", secret=False),
        lambda old: config.with_value(old, "discord.goal", 5, secret=False),
        lambda old: config.with_value(old, "api.key", "hunter22", secret=True),
        lambda old: config.with_zone(old, "Europe/Berlin"),
        lambda old: config.with_live(old, on=True),
        lambda old: config.with_names(old, "scenes", ("BRB", "Hype")),
        lambda old: config.with_virtual_now(old, 1_800_000_000.25),
    ):
        settings, record = change(settings)
        records.append(record)
    assert settings_from({record.key: record for record in records}) == settings
    assert [record.key for record in records if record.secret] == ["config.api.key"]
    assert settings.tree() == {
        "discord": {"announcement_channel": "news", "goal": 5},
        "api": {"key": Secret("api.key", "hunter22")},
    }


def test_records_of_others_are_left_alone() -> None:
    assert settings_from({"focus": ConfigRecord("home", "focus", {"a": 1})}) == Settings()


def test_a_key_is_a_value_or_a_branch_but_not_both() -> None:
    settings, _ = config.with_value(Settings(), "discord.channel", "news", secret=False)
    for key in ("discord", "discord.channel.name"):
        with pytest.raises(NotSettable, match="discord"):
            config.with_value(settings, key, "x", secret=False)
    settings, _ = config.with_value(settings, "discord.channel", "other", secret=True)
    assert settings.values == {}


DECLARED = (
    Setting("discord.channel", default="general"),
    Setting("discord.retries", "number", default=3),
    Setting("api.key", secret=True),
)


def test_what_nobody_has_set_has_the_default_that_was_declared() -> None:
    settings, _ = config.with_value(Settings(), "discord.channel", "news", secret=False, declared=DECLARED)
    assert settings.tree(DECLARED) == {"discord": {"channel": "news", "retries": 3}}
    assert settings.tree() == {"discord": {"channel": "news"}}


def test_a_declared_setting_gets_its_type_and_its_secrecy() -> None:
    settings, record = config.with_value(Settings(), "discord.retries", "5", secret=False, declared=DECLARED)
    assert record.value == 5
    settings, record = config.with_value(settings, "api.key", "hunter22", secret=False, declared=DECLARED)
    assert record.secret
    assert "hunter22" not in str(settings.tree(DECLARED))
    with pytest.raises(NotSettable, match=r"discord.retries must be a number, not \"many\"."):
        config.with_value(settings, "discord.retries", "many", secret=False, declared=DECLARED)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/config secret api.key hunter22", "/config secret api.key ***"),
        ("  /CONFIG   Secret api.key  hunter 22\nand more", "  /CONFIG   Secret api.key  ***"),
        ("/config api.key hunter22", "/config api.key hunter22"),
        ("/say bob /config secret a b", "/say bob /config secret a b"),
    ],
)
def test_what_is_typed_as_a_secret_is_not_shown(line: str, shown: str) -> None:
    assert masked(line) == shown


@pytest.fixture
def own_logging() -> Iterator[None]:
    """The root logger as it was, whatever a test does to it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


@pytest.mark.usefixtures("own_logging")
def test_a_secret_is_not_logged_not_even_in_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log_to(path).secrets = lambda: ["hunter22"]
    logging.getLogger("x").warning("the key is %s", "hunter22")
    try:
        raise ValueError("hunter22 was wrong")
    except ValueError:
        logging.getLogger("x").exception("broke")
    written = path.read_text(encoding="utf-8")
    assert "hunter22" not in written
    assert "the key is ***" in written
    assert "Traceback" in written
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_folder_is_the_one_asked_for_then_the_environments_then_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOWCALLER_DATA", str(tmp_path / "env"))
    assert data_folder(tmp_path / "given").path == tmp_path / "given"
    assert data_folder(None).path == tmp_path / "env"
    monkeypatch.delenv("SHOWCALLER_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    assert data_folder(None).path.name == "showcaller"


@pytest.mark.parametrize(
    ("name", "known"), [("Europe/Berlin", True), ("Mars/Olympus", False), ("../etc", False), ("", False)]
)
def test_a_zone_is_known_or_not(name: str, known: bool) -> None:
    assert config.is_zone(name) is known


def test_the_machine_has_a_zone() -> None:
    assert config.is_zone(config.machine_zone())


def test_what_settings_say_of_the_stream_is_what_templates_find_there() -> None:
    settings = Settings(live=True)
    for key, value in (("stream.title", "Chess"), ("stream.viewers", 12), ("stream.live", "no"), ("streamer", "sam")):
        settings, _ = config.with_value(settings, key, value, secret=False)
    assert settings.stream() == {"title": "Chess", "viewers": 12, "live": True}


@pytest.mark.parametrize(
    "change",
    [
        lambda settings: config.with_value(settings, "a.b", "x", secret=False),
        lambda settings: config.with_value(settings, "a.b", "x", secret=True),
        lambda settings: config.with_zone(settings, "Europe/Berlin"),
        lambda settings: config.with_live(settings, on=True),
        lambda settings: config.with_names(settings, "rewards", ("Hydrate",)),
        lambda settings: config.with_virtual_now(settings, 5.0),
    ],
)
def test_a_change_that_was_stored_takes_nothing_back_that_was_stored_meanwhile(change: Any) -> None:
    before = Settings()
    intended, record = change(before)
    meanwhile, _ = config.with_value(before, "other", "y", secret=False)
    meanwhile, _ = config.with_names(meanwhile, "scenes", ("Main",))

    assert config.with_record(before, record) == intended
    both = config.with_record(meanwhile, record)
    assert both.values["other"] == "y"
    assert both.names.scenes == ("Main",)
