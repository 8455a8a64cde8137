"""Results that may be used again: the same call, for a while, and never a failure."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cache import MAX_KEY, ResultCache, cache_key
from engine.execution import Done, Failed, Result, Unknown
from engine.secrets import Secret


def test_a_result_counts_until_its_time_is_over() -> None:
    cache = ResultCache()
    cache.put("k", Done(1), now=100.0, ttl=10.0)
    assert cache.get("k", 109.9) == Done(1)
    assert cache.get("k", 110.0) is None
    assert len(cache) == 0


def test_the_latest_result_counts() -> None:
    cache = ResultCache()
    cache.put("k", Done(1), now=100.0, ttl=10.0)
    cache.put("k", Done(2), now=105.0, ttl=10.0)
    assert cache.get("k", 112.0) == Done(2)


@pytest.mark.parametrize(
    ("key", "result", "ttl"),
    [("k", Failed("not_found", "x"), 9.0), ("k", Unknown("x"), 9.0), ("k", Done(1), 0.0), (None, Done(1), 9.0)],
)
def test_what_failed_or_may_not_be_used_again_is_not_kept(key: str | None, result: Result, ttl: float) -> None:
    cache = ResultCache()
    cache.put(key, result, now=0.0, ttl=ttl)
    assert len(cache) == 0
    assert cache.get(key, 1.0) is None


def test_a_failure_leaves_what_was_known() -> None:
    cache = ResultCache()
    cache.put("k", Done(1), now=0.0, ttl=9.0)
    cache.put("k", Failed("x", "x"), now=1.0, ttl=9.0)
    assert cache.get("k", 2.0) == Done(1)


def test_what_was_unused_for_longest_goes_first() -> None:
    cache = ResultCache(most=2)
    cache.put("a", Done("a"), now=0.0, ttl=9.0)
    cache.put("b", Done("b"), now=0.0, ttl=9.0)
    cache.get("a", 1.0)
    cache.put("c", Done("c"), now=1.0, ttl=9.0)
    assert [cache.get(key, 2.0) for key in "abc"] == [Done("a"), None, Done("c")]
    cache.forget()
    assert cache.get("a", 2.0) is None


@given(st.lists(st.tuples(st.text(max_size=2), st.integers(0, 9)), max_size=40))
def test_it_never_holds_more_than_it_may(puts: list[tuple[str, int]]) -> None:
    cache = ResultCache(most=3)
    for now, (key, ttl) in enumerate(puts):
        cache.put(key, Done(now), float(now), float(ttl))
        assert len(cache) <= 3
        if ttl:
            assert cache.get(key, float(now)) == Done(now)


def test_the_same_call_has_the_same_key_and_another_one_another() -> None:
    key = cache_key("home", "twitch", "get_user", {"a": 1, "b": [True, None]})
    assert key == cache_key("home", "twitch", "get_user", {"b": [True, None], "a": 1})
    others: list[tuple[str, str, str, dict[str, Any]]] = [
        ("away", "twitch", "get_user", {"a": 1, "b": [True, None]}),
        ("home", "discord", "get_user", {"a": 1, "b": [True, None]}),
        ("home", "twitch", "get_game", {"a": 1, "b": [True, None]}),
        ("home", "twitch", "get_user", {"a": "1", "b": [True, None]}),
        ("home", "twitch", "get_user", {"a": 1, "b": [1, None]}),
    ]
    assert key not in {cache_key(*other) for other in others}


@pytest.mark.parametrize("value", [Secret("token", "hunter22"), object(), float("nan"), "x" * MAX_KEY])
def test_a_call_with_a_secret_or_something_strange_or_huge_has_no_key(value: object) -> None:
    assert cache_key("home", "http", "get", {"a": [value]}) is None
