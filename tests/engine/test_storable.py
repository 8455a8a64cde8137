"""What can be kept, and how much room it takes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.storable import SMALL, is_small, size_of

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)


@given(_VALUES | st.dictionaries(st.text(), _SCALARS))
def test_what_is_plainly_small_can_be_kept_and_takes_little_room(value: Any) -> None:
    size = size_of(value)
    assert not is_small(value) or (size is not None and size <= SMALL)


def test_the_largest_that_is_plainly_small_is_not_too_large() -> None:
    worst = {f"{chr(number)}".ljust(100, "\x01"): "\x01" * 100 for number in range(65, 65 + 16)}
    assert is_small(worst)
    assert (size_of(worst) or SMALL) < SMALL


@pytest.mark.parametrize("value", [None, True, 7, "said", {}, {"id": "5f2c", "sent": True, "length": 17}])
def test_usual_results_are_plainly_small(value: Any) -> None:
    assert is_small(value)


@pytest.mark.parametrize("value", ["\ud800", {"a": {"b": 1}}, {"a": 1.5}, [1], {"a": "ä"}, {1: 2}, "x" * 101, 1 << 64])
def test_what_has_to_be_looked_at_is_not_plainly_small(value: Any) -> None:
    assert not is_small(value)


@given(_VALUES)
def test_the_size_is_what_json_takes(value: Any) -> None:
    try:
        expected = len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except ValueError:
        expected = None
    assert size_of(value) == expected
