"""How many chat lines a run of a workflow may say within half a minute: what a platform counts.

The worst way through the steps is taken. A loop counts as often as it is known to go round, else once; a wait for an event
may be over at once, a wait of a length that is not known too.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from engine.events import canonical
from engine.execution import MAX_DEPTH
from engine.model import (
    Block,
    Call,
    Choose,
    Definition,
    Emit,
    ForEach,
    Goto,
    Parallel,
    Repeat,
    Run,
    State,
    Stop,
    Wait,
    destinations,
)

WINDOW: Final = 30
MANY: Final = 1_000
_CHAT: Final = frozenset({("twitch", "send_chat_message"), ("twitch", "send_chat_announcement")})

Spent: TypeAlias = tuple[int, int]
"""Chat lines said, and whole seconds that went by while they were."""


class Lines:
    """Counts chat lines over all workflows: what they run and set off counts as theirs.

    Args:
        workflows: By id.
        listeners: The workflows that an event of one's own starts, by its canonical name.
    """

    def __init__(self, workflows: Mapping[str, Definition], listeners: Mapping[str, tuple[str, ...]]) -> None:
        self._workflows = workflows
        self._listeners = listeners
        self._known: dict[str, int] = {}
        self._open: set[str] = set()

    def of(self, workflow: str) -> int:
        """The most lines that one start may lead to in half a minute, `MANY` at most."""
        if workflow in self._known:
            return self._known[workflow]
        definition = self._workflows.get(workflow)
        if definition is None or workflow in self._open or len(self._open) >= MAX_DEPTH:
            return 0
        self._open.add(workflow)
        lines, _ = self._ways(definition.states, definition.initial_state)
        self._open.discard(workflow)
        self._known[workflow] = lines
        return lines

    def _ways(self, states: tuple[State, ...], initial: str) -> Spent:
        """The worst way through a block; each state counts once on it."""
        by_name = {state.name: state for state in states}
        costs: dict[str, Spent] = {}
        worst: dict[str, Spent] = {}
        order = _backwards(by_name, initial)
        for name in order:  # those that come later first
            costs[name] = self._cost(by_name[name])
            rest = max((worst[to] for to in _next(by_name[name]) if to in worst), default=(0, 0))
            worst[name] = _after(costs[name], rest)
        return worst.get(initial, (0, 0))

    def _block(self, block: Block) -> Spent:
        return self._ways(block.states, block.initial_state)

    def _cost(self, state: State) -> Spent:
        if not state.enabled:
            return 0, 0
        match state.action:
            case Call():
                return int(says(state)), 0
            case Wait() as wait:
                return 0, 0 if isinstance(wait.seconds, str) else int(wait.seconds)
            case Choose() as choose:
                return max(self._block(case.block) for case in choose.cases)
            case Parallel() as parallel:
                sides = [self._block(lane.block) for lane in parallel.branches]
                return min(MANY, sum(lines for lines, _ in sides)), min(seconds for _, seconds in sides)
            case Repeat() | ForEach() as loop:
                return _rounds(self._block(loop.block), _times(loop))
            case Run() as run:
                return self.of(run.workflow), 0
            case Emit() as emit:
                return sum(self.of(each) for each in self._listeners.get(canonical(emit.event), ())), 0
            case _:
                return 0, 0


def says(state: State) -> bool:
    """Whether a state by itself says a line in chat."""
    return isinstance(state.action, Call) and (state.action.service, state.action.method) in _CHAT


def _after(first: Spent, rest: Spent) -> Spent:
    """One after the other; what is said more than half a minute later does not count."""
    (lines, seconds), (more, longer) = first, rest
    return (min(MANY, lines + more), seconds + longer) if seconds < WINDOW else (lines, seconds)


def _rounds(once: Spent, times: int) -> Spent:
    lines, seconds = once
    within = times if seconds == 0 else min(times, -(-WINDOW // seconds))
    return min(MANY, lines * within), seconds * times


def _times(loop: Repeat | ForEach) -> int:
    """How often a loop is known to go round."""
    if isinstance(loop, ForEach):
        return len(loop.items) if isinstance(loop.items, tuple) else 1
    return loop.times if isinstance(loop.times, int) else 1


def _next(state: State) -> tuple[str, ...]:
    if state.enabled and isinstance(state.action, Stop):
        return ()
    if state.enabled and isinstance(state.action, Goto):
        return (state.action.to,)
    return tuple(to for target in state.transitions.values() for to in destinations(target))


def _backwards(states: Mapping[str, State], initial: str) -> list[str]:
    """The states that can be reached, each after those it leads to, except where it goes round."""
    done: list[str] = []
    seen: set[str] = set()
    left: list[tuple[str, bool]] = [(initial, False)]
    while left:
        name, over = left.pop()
        if over:
            done.append(name)
        elif name in states and name not in seen:
            seen.add(name)
            left.append((name, True))
            left.extend((to, False) for to in _next(states[name]))
    return done
