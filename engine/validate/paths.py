"""Which names are set on all ways to each state: through choices, branches side by side, and loops.

Names are followed along the edges, not values, and guards are not looked at. What a state sets counts where it has
succeeded, and not behind a failure that is carried on from. A branch sees what those it needs have set; a join has what
all its branches set, if it waits for all of them.
"""

from collections.abc import Iterable, Iterator, Mapping

from engine.keys import filled_by
from engine.model import (
    Call,
    Choose,
    Collect,
    Definition,
    ForEach,
    Goto,
    Parallel,
    ParallelBranch,
    Repeat,
    Run,
    Set,
    State,
    Stop,
    Transform,
    WaitFor,
    all_states,
    blocks,
    destinations,
)

Names = frozenset[str]


def names_set(state: State) -> Names:
    """The names that a step by itself gives a value to when it succeeds."""
    match state.action:
        case Set():
            return frozenset(name.split(".")[0] for name in state.action.values)
        case Transform():
            return frozenset({state.action.into or state.name})
        case Call():
            kept = filled_by(state.action)
            return frozenset({state.name} if kept is None else {state.name, kept})
        case WaitFor() | Collect() | Run():
            return frozenset({state.name})
        case _:
            return frozenset()


class Paths:
    """The ways through a definition.

    Attributes:
        arrives: For every state that can be reached, the names that are set on all ways to it found so far.
    """

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._by_name = {state.name: state for state in all_states(definition.states)}
        self._owners = {
            member.name: (owner.name, at)
            for owner in self._by_name.values()
            for at, block in enumerate(blocks(owner.action))
            for member in block.states
        }
        self.arrives: dict[str, Names] = {}
        self._ends: dict[tuple[str, int], Names] = {}
        self._left: list[tuple[str, Names]] = []

    def arrivals(self, base: Names) -> Mapping[str, Names]:
        """Follow all ways from the start, with names that are set from the beginning."""
        self._left.append((self._definition.initial_state, base))
        if self._definition.on_error is not None:
            self._left.append((self._definition.on_error, base))
        return self.arrivals_from(())

    def arrivals_from(self, places: Iterable[tuple[str, Names]]) -> Mapping[str, Names]:
        """Follow all ways from these states, each with the names that are set there."""
        self._left.extend(places)
        while self._left:
            name, names = self._left.pop()
            if name not in self._by_name:
                continue
            before = self.arrives.get(name)
            names = names if before is None else before & names
            if names != before:
                self.arrives[name] = names
                self._follow(self._by_name[name], names)
        return self.arrives

    def _follow(self, state: State, names: Names) -> None:
        """Where a state leads, with what is set then."""
        for event, target in state.transitions.items():
            if event != "success":
                self._left.extend((to, names) for to in destinations(target))
        if not state.enabled or (not state.critical and "error" not in state.transitions):
            self._succeed(state, names)
        if state.enabled:
            self._enter(state, names)

    def _enter(self, state: State, names: Names) -> None:
        """What the action of a state leads to."""
        match state.action:
            case Goto():
                self._left.append((state.action.to, names))
            case Stop():
                self._block_ends(state, names)
            case Choose():
                for case in state.action.cases:
                    self._left.append((case.block.initial_state, names))
                if all(case.when is not None for case in state.action.cases):
                    self._succeed(state, names)
            case Parallel():
                self._branches(state, state.action, names)
            case Repeat() | ForEach():
                item = frozenset({state.action.variable}) if isinstance(state.action, ForEach) else frozenset()
                self._left.append((state.action.block.initial_state, names | item))
                if not _surely_once(state.action):
                    self._succeed(state, names)
            case _:
                self._succeed(state, names | names_set(state))

    def _succeed(self, state: State, names: Names) -> None:
        """A state is over, well or passed over."""
        target = state.transitions.get("success")
        self._left.extend((to, names) for to in destinations(target))
        if target is None or (not isinstance(target, str) and all(way.when is not None for way in target)):
            self._block_ends(state, names)

    def _block_ends(self, state: State, names: Names) -> None:
        """The block around a state may end behind it."""
        around = self._owners.get(state.name)
        if around is None or around[0] not in self.arrives:  # an edge may lead into a block, which is told elsewhere
            return
        before = self._ends.get(around)
        names = names if before is None else before & names
        if names == before:
            return
        self._ends[around] = names
        owner = self._by_name[around[0]]
        match owner.action:
            case Parallel():
                self._branches(owner, owner.action, self.arrives[owner.name])
            case ForEach():
                self._succeed(owner, names - ({owner.action.variable} - self.arrives[owner.name]))
            case Repeat() if owner.action.times is None and owner.action.while_ is None:
                pass  # it never ends well
            case _:
                self._succeed(owner, names)

    # Branches side by side. What is set at a branch's end is not known before one way to it has been followed, so
    # nothing that rests on it goes on before.

    def _branches(self, state: State, action: Parallel, names: Names) -> None:
        ends = {lane.name: self._ends.get((state.name, at)) for at, lane in enumerate(action.branches)}
        for lane in action.branches:
            brought = _joined(names, lane.needs, action, ends)
            if brought is not None:
                self._left.append((lane.block.initial_state, brought))
        match action.join:
            case "none":
                self._succeed(state, names)
            case "any":
                for end in ends.values():
                    if end is not None:
                        self._succeed(state, end)
            case "all":
                joined = _joined(names, tuple(lane.name for lane in action.branches), action, ends)
                if joined is not None:
                    self._succeed(state, joined)


def _joined(names: Names, needs: tuple[str, ...], action: Parallel, ends: Mapping[str, Names | None]) -> Names | None:
    """What is set once some branches have ended; None if one of them that has to end well is not known to."""
    brought = names
    for lane in _named(action, needs):
        end = ends[lane.name]
        if lane.critical:
            if end is None:
                return None
            brought |= end
    return brought


def _named(action: Parallel, names: tuple[str, ...]) -> Iterator[ParallelBranch]:
    return (lane for lane in action.branches if lane.name in names)


def _surely_once(action: Repeat | ForEach) -> bool:
    """Whether a loop goes round at least once."""
    if isinstance(action, ForEach):
        return isinstance(action.items, tuple) and len(action.items) > 0
    return action.while_ is None and not isinstance(action.times, str)
