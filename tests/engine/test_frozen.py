"""A quick frozen dataclass is a frozen dataclass in everything but the time it takes to make one."""

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest

from engine.execution import Branch, Effect, Execution, HistoryRow
from engine.frozen import quick


@quick
@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list)

    @property
    def sum(self) -> int:
        return self.x + self.y


def test_it_is_made_with_the_same_parameters_and_defaults() -> None:
    assert (Point(1).x, Point(1).y, Point(1).tags) == (1, 2, [])
    assert Point(1, 5, ["a"]) == Point(x=1, tags=["a"], y=5)
    assert Point(1).tags is not Point(1).tags
    assert Point(3).sum == 5
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Point(1, z=3)  # type: ignore[call-arg]


def test_it_cannot_be_changed() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 3  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.x
    assert type(point) is Point


def test_it_is_replaced_copied_and_pickled() -> None:
    point = Point(1, tags=["a"])
    assert replace(point, x=4) == Point(4, tags=["a"])
    assert copy.deepcopy(point) == point
    assert pickle.loads(pickle.dumps(point)) == point
    assert repr(point) == "Point(x=1, y=2, tags=['a'])"


@pytest.mark.parametrize("kind", [Branch, Effect, Execution, HistoryRow])
def test_every_field_gets_its_own_value(kind: type[Any]) -> None:
    values = {each.name: object() for each in fields(kind)}
    made = kind(**values)
    assert {name: getattr(made, name) for name in values} == values
    assert kind(*values.values()) is not made
