"""The language's words in the terminal: durations that are typed, actions that are shown."""

from typing import Any

import pytest

from bot.services.declared import DECLARATIONS
from bot.terminal.words import of, seconds
from engine.execution import Effect
from engine.secrets import Secret


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5m", 300),
        ("10s", 10),
        ("1h 30m", 5_400),
        ("half an hour", 1_800),
        ("two minutes", 120),
        ("1.5 hours", 5_400),
        ("a minute and a half", 90),
        ("1 day", 86_400),
        ("", None),
        ("soon", None),
        ("-5m", None),
        ("5m and more", None),
    ],
)
def test_a_duration_is_read_in_the_languages_words(text: str, expected: float | None) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    ("service", "method", "params", "shown"),
    [
        ("twitch", "send_chat_message", {"message": "welcome ninja!"}, 'say "welcome ninja!"'),
        ("twitch", "send_chat_message", {"message": "two\nlines"}, 'say "two\\nlines"'),
        ("obs", "set_current_scene", {"scene_name": "BRB"}, 'switch to scene "BRB"'),
        ("obs", "explode", {}, "do obs.explode"),
        ("obs", "login", {"key": Secret("key", "hunter22")}, 'do obs.login with {"key": "(secret)"}'),
    ],
)
def test_an_action_is_shown_as_the_step_that_asks_for_it(
    service: str, method: str, params: dict[str, Any], shown: str
) -> None:
    assert of(Effect("e", "home", "e", "w", "s", service, method, params, repeatable=False), DECLARATIONS) == shown


def test_an_action_is_shown_on_one_line_of_bounded_length() -> None:
    effect = Effect("e", "home", "e", "w", "s", "twitch", "send_chat_message", {"message": "x\n" * 5_000}, False)
    long = of(effect, DECLARATIONS)
    assert "\n" not in long
    assert len(long) <= 600
