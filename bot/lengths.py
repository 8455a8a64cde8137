"""How long a run of a workflow takes, as far as its steps say so: waits are counted, what people do is not. Pure.

It is the least and the most over all ways through; what nobody can know beforehand is named instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.model import (
    Action,
    Block,
    Choose,
    Collect,
    Definition,
    ForEach,
    Goto,
    Parallel,
    Repeat,
    Run,
    State,
    Wait,
    WaitFor,
)

_DEEPEST: Final = 8


@dataclass(frozen=True, slots=True)
class Length:
    """Seconds at the least and at the most, and what else it depends on, in words."""

    least: float = 0.0
    most: float = 0.0
    open: tuple[str, ...] = ()

    def then(self, other: "Length") -> "Length":
        """This, and the other after it."""
        return Length(self.least + other.least, self.most + other.most, _joined(self.open, other.open))

    def times(self, count: int) -> "Length":
        """This so many times."""
        return Length(self.least * count, self.most * count, self.open)


def length_of(definition: Definition, workflows: Mapping[str, Definition]) -> Length:
    """How long a run takes in which nothing fails."""
    return _Walk(workflows).along(definition.states, definition.initial_state, 0)


@dataclass(frozen=True, slots=True)
class _Walk:
    workflows: Mapping[str, Definition]

    def along(self, states: tuple[State, ...], first: str, depth: int) -> Length:
        """From a state to the end, by the way of success; a way that comes back to where it was has no end."""
        by_name = {state.name: state for state in states}
        total, at, seen = Length(), by_name.get(first), set[str]()
        while at is not None:
            if at.name in seen:
                return total.then(Length(open=("it goes round",)))
            seen.add(at.name)
            total = total.then(self._of(at, depth) if at.enabled else Length())
            target = at.transitions.get("success")
            if isinstance(at.action, Goto):
                target = at.action.to
            if target is not None and not isinstance(target, str):
                return total.then(Length(open=("the way it goes on",)))
            at = None if target is None else by_name.get(target)
        return total

    def _of(self, state: State, depth: int) -> Length:
        action = state.action
        if depth > _DEEPEST:
            return Length(open=("what is deeper inside it",))
        match action:
            case Wait(seconds=float() | int() as seconds):
                return Length(seconds, seconds)
            case Wait():
                return Length(open=(f'step "{state.name}" is told to wait',))
            case WaitFor():
                return _until(state, f'step "{state.name}" waits for what happens')
            case Collect(seconds=float() | int() as seconds):
                return Length(0.0 if action.count is not None else seconds, seconds)
            case Collect():
                return _until(state, f'step "{state.name}" gathers')
            case _:
                return self._holding(action, depth)

    def _holding(self, action: Action, depth: int) -> Length:
        """Of steps that hold others."""
        match action:
            case Choose(cases=cases):
                ways = [self._block(case.block, depth) for case in cases]
                return _either([*ways, *([] if any(case.when is None for case in cases) else [Length()])])
            case Parallel(branches=branches, join=join):
                lanes = [self._block(branch.block, depth) for branch in branches]
                if join == "none":
                    return Length()
                first = min if join == "any" else max
                opened = _joined(*(lane.open for lane in lanes))
                return Length(first(lane.least for lane in lanes), first(lane.most for lane in lanes), opened)
            case Repeat(times=int() as times, while_=None):
                return self._block(action.block, depth).times(times)
            case Repeat() | ForEach():
                inner = self._block(action.block, depth)
                return Length() if inner == Length() else Length(open=("its loop goes on",))
            case Run(workflow=workflow, detached=False) if workflow in self.workflows:
                inner_definition = self.workflows[workflow]
                return self.along(inner_definition.states, inner_definition.initial_state, depth + 1)
            case _:
                return Length()

    def _block(self, block: Block, depth: int) -> Length:
        return self.along(block.states, block.initial_state, depth + 1)


def _either(ways: list[Length]) -> Length:
    return Length(min(way.least for way in ways), max(way.most for way in ways), _joined(*(way.open for way in ways)))


def _until(state: State, words: str) -> Length:
    """What is waited for, up to the step's own time limit if it has one."""
    limit = state.timeout_seconds
    return Length(open=(words,)) if limit is None else Length(0.0, limit)


def _joined(*parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for each in parts for part in each))
