"""Settings: the run's own before the community's before the default, and a secret stays where it is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.secrets import Secret, holds_secret
from engine.settings import Setting, fitted, misfit, overridden, overrides_in, resolve

DECLARED = (
    Setting("discord.channel", default="general"),
    Setting("discord.retries", "number", default=3),
    Setting("discord.ping", "boolean", default=False),
    Setting("discord.roles", "list"),
    Setting("api.key", secret=True),
)
KEY = Secret("api.key", "hunter22")


def test_the_nearest_value_counts() -> None:
    assert resolve({}, {}, DECLARED) == {"discord": {"channel": "general", "retries": 3, "ping": False}}
    community = {"discord.channel": "news", "api.key": KEY, "other": 1}
    tree = resolve({}, community, DECLARED)
    assert tree == {"discord": {"channel": "news", "retries": 3, "ping": False}, "api": {"key": KEY}, "other": 1}
    own = {"discord.channel": "test", "discord.retries": "5", "discord.roles": "a, b", "new.thing": "x"}
    assert resolve(own, community, DECLARED) == {
        "discord": {"channel": "test", "retries": 5, "ping": False, "roles": ["a", "b"]},
        "api": {"key": KEY},
        "other": 1,
        "new": {"thing": "x"},
    }


def test_a_run_changes_nobody_elses_settings() -> None:
    tree = resolve({}, {"discord.channel": "news"}, DECLARED)
    assert overridden(tree, {"discord.channel": "test"}, DECLARED)["discord"]["channel"] == "test"
    assert tree["discord"]["channel"] == "news"


def test_a_value_takes_the_place_of_a_branch_and_a_branch_that_of_a_value() -> None:
    assert overridden({"a": {"b": 1}}, {"a": 2}) == {"a": 2}
    assert overridden({"a": 2}, {"a.b": 1}) == {"a": {"b": 1}}


@pytest.mark.parametrize("key", ["api", "api.key", "api.key.x"])
def test_a_secret_is_neither_replaced_nor_hidden_by_a_run(key: str) -> None:
    tree = resolve({}, {"api.key": KEY})
    assert overridden(tree, {key: "mine"}) == tree
    assert misfit({key: "mine"}, (), ["api.key"]) == "api.key is a secret setting, and a run cannot bring its own"
    assert misfit({key: "mine"}, DECLARED) == "api.key is a secret setting, and a run cannot bring its own"
    assert "mine" not in str(resolve({"api.key": "mine"}, {}, DECLARED))


def test_what_does_not_fit_is_said_before_the_run_and_left_out_in_it() -> None:
    assert misfit({"discord.retries": "many"}, DECLARED) == 'discord.retries must be a number, not "many"'
    assert misfit({"discord.ping": "perhaps"}, DECLARED) == 'discord.ping must be true or false, not "perhaps"'
    assert misfit({"discord.roles": 5}, DECLARED) == "discord.roles must be a list"
    assert misfit({"discord.retries": "4", "unknown": "x"}, DECLARED) is None
    assert resolve({"discord.retries": "many"}, {"discord.retries": 2}, DECLARED)["discord"]["retries"] == 2


def test_a_run_brings_its_own_as_arguments_called_config() -> None:
    arguments = {
        "raid_target": "ninja",
        "config.discord.channel": "test",
        "config": {"discord": {"retries": 5}, "flat": 1},
        "configure": 1,
        "config.": 2,
    }
    assert overrides_in(arguments) == {"discord.channel": "test", "discord.retries": 5, "flat": 1}


def test_a_declared_secret_is_one_whatever_it_was_given_as() -> None:
    assert fitted(DECLARED[-1], "hunter22") == KEY
    assert fitted(DECLARED[1], "5") == 5


KEYS = st.sampled_from(["a", "a.b", "a.b.c", "b", "discord.channel", "discord.retries", "api.key", "api", ".", "a."])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=3,
)


@given(st.dictionaries(KEYS, VALUES), st.dictionaries(KEYS, VALUES))
def test_any_settings_make_a_tree_and_the_secret_stays(own: dict[str, Any], community: dict[str, Any]) -> None:
    settled = {key: value for key, value in community.items() if not key.startswith("api")}
    tree = resolve(own, {**settled, "api.key": KEY}, DECLARED)
    assert tree["api"] == {"key": KEY}
    assert not holds_secret({key: value for key, value in tree.items() if key != "api"})


@given(st.dictionaries(st.text(max_size=4) | st.just("config"), VALUES))
def test_any_arguments_can_be_asked_for_settings(arguments: dict[str, Any]) -> None:
    found = overrides_in(arguments)
    assert misfit(found, DECLARED) is None or isinstance(misfit(found, DECLARED), str)
