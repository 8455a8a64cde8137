"""A second telling of what workflows do, slow and plain, to hold the engine against: it shares no line with the machine.

A `World` has runs; a run has a tree: each path stands on a leaf (a step that rests), or on a parallel whose branches are
paths again, and keeps the blocks it is in as a pile of levels; parallels that nobody waited for hang beside it. Whatever
happens in the world is done at once, first come first served. Formulas and texts are worked out by the engine's own
evaluation, which has tests of its own.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any

from engine.errors import EvaluationError
from engine.evaluate import compile_formula, compile_guard
from engine.events import canonical
from engine.expressions import parse_formula
from engine.model import (
    Call,
    Choose,
    Collect,
    Definition,
    Emit,
    ForEach,
    Goto,
    Parallel,
    Repeat,
    Run,
    Set,
    State,
    Stop,
    Target,
    Transform,
    Wait,
    WaitFor,
    blocks,
)
from engine.scope import Scope
from engine.templates import compile_params
from engine.values import text_of

ENDED = frozenset({"completed", "failed", "stopped", "cancelled"})
OUTCOMES = frozenset({"success", "error", "timeout", "unknown", "cancel"})
OVER = frozenset({"done", "failed", "skipped", "left"})
BUSY = 1_000
Heard = tuple[Mapping[str, Any], ...]


def drawn_by_a_half(names: list[str]) -> list[str]:
    """Who is drawn one after the other where chance is a half and nobody counts more than others."""
    found: list[str] = []
    chance = Fraction(1, 2)
    while names and len(found) < 5:
        place, chance = divmod(chance * len(names), 1)
        found.append(names[place])
        names = [name for name in names if name != found[-1]]
    return found


@dataclass(eq=False)
class Leaf:
    """A step that a path has come to, or rests at; a visit of 0 is a step right before it is entered, during a pause."""

    path: "Path"
    state: State
    visit: int
    since: float
    attempt: int = 1
    effect: str | None = None
    child: str | None = None
    due: float | None = None
    limit: float | None = None
    params: Any = None
    heard: Heard = ()
    gathered: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(eq=False)
class Level:
    """A block that is open: of a choice or a loop, or with `lanes` of a parallel."""

    path: "Path"
    state: State
    visit: int
    since: float
    number: int
    limit: float | None = None
    round: int = 1
    items: Sequence[Any] = ()
    total: int | None = None
    closing: bool = False
    lanes: "list[Path]" = field(default_factory=list)
    alone: bool = False  # nobody waits for its branches
    within: "tuple[Level, ...]" = ()
    around: Mapping[str, Any] = field(default_factory=dict)  # the loop values known when it began


@dataclass(eq=False)
class Path:
    """The run's own way, or a branch of a parallel."""

    key: str
    fork: Level | None = None
    name: str = ""
    at: Leaf | Level | None = None
    levels: list[Level] = field(default_factory=list)
    beside: list[Level] = field(default_factory=list)
    visits: Counter[str] = field(default_factory=Counter)
    fast: Counter[str] = field(default_factory=Counter)
    variables: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    status: str = "running"
    gone: bool = False

    def known(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Variables and results as they are seen here."""
        if self.fork is None:
            return self.variables, self.results
        variables, results = self.fork.path.known()
        return {**variables, **self.variables}, {**results, **self.results}

    def leaves(self) -> Iterator[Leaf]:
        """Every step that rests on this path, or on one that began from it."""
        for fork in self.beside:
            yield from leaves_in(fork)
        if isinstance(self.at, Leaf):
            yield self.at
        elif self.at is not None:
            yield from leaves_in(self.at)


def leaves_in(level: Level) -> Iterator[Leaf]:
    """Every step that rests in a block."""
    for lane in level.lanes:
        yield from lane.leaves()
    if not level.lanes and level in level.path.levels:
        for fork in level.path.beside:
            if level in fork.within:
                yield from leaves_in(fork)
        if isinstance(level.path.at, Leaf):
            yield level.path.at
        elif level.path.at is not None:
            yield from leaves_in(level.path.at)


class Going:
    """One run."""

    def __init__(
        self,
        world: "World",
        id: str,
        definition: Definition,
        variables: Mapping[str, Any],
        event: Mapping[str, Any],
        user: Any,
        caller: Any,
        depth: int,
        parent: str | None,
    ) -> None:
        self.world, self.id, self.definition, self.parent = world, id, definition, parent
        self.event, self.user, self.caller, self.depth = event, user, caller, depth
        self.states: dict[str, State] = {}
        self.owner: dict[str, State | None] = {}
        self._learn(definition.states, None)
        self.main = Path("main", variables=dict(variables))
        self.leaves: list[Leaf] = []
        self.place = 0
        self.slot = ""
        self.todo: list[tuple[Path, Callable[[], None]]] = []
        self.held: str | None = None
        self.ended: str | None = None
        self.error: str | None = None
        self.limit: float | None = None
        self.paused: float | None = None
        self.cancelled = self.timed_out = False
        self.orphans: set[str] = set()
        self.history: list[tuple[str, str, int, int, str, str | None]] = []
        self.asked: list[tuple[str, Leaf, Mapping[str, Any]]] = []
        self.started: list[tuple[str, str, Mapping[str, Any], bool]] = []
        self.relays: list[tuple[str, str]] = []
        self.children = self.numbers = 0
        self.consumed = False

    def _learn(self, states: Sequence[State], owner: State | None) -> None:
        for state in states:
            self.states[state.name], self.owner[state.name] = state, owner
            for block in blocks(state.action):
                self._learn(block.states, state)

    @property
    def now(self) -> float:
        return self.world.now

    @property
    def status(self) -> str:
        if self.ended or self.held:
            return self.ended or self.held or ""
        if self.paused is not None:
            return "paused"
        if self.cancelled or self.timed_out:
            return "stopping"
        return "running" if any(leaf.effect for leaf in self.leaves) else "waiting"

    def limited(self) -> Iterator[Level]:
        """Every open block, in the order in which they were opened."""

        def below(path: Path) -> Iterator[Level]:
            yield from path.levels
            forks = [*path.beside, *([path.at] if isinstance(path.at, Level) else [])]
            for fork in forks:
                yield fork
                for lane in fork.lanes:
                    yield from below(lane)

        return iter(sorted(below(self.main), key=lambda level: level.number))

    def next_due(self) -> float | None:
        if self.ended or self.held or self.paused is not None:
            return None
        times = [self.limit, *(level.limit for level in self.limited())]
        times += [time for leaf in self.leaves for time in (leaf.due, leaf.limit)]
        return min((time for time in times if time is not None), default=None)

    # What is known ---------------------------------------------------------------------------------------------------

    def scope(self, path: Path, state: State | None, event: Mapping[str, Any] | None = None) -> Scope:
        variables, results = path.known()
        loop = {} if state is None else self._loops(path, state)
        return Scope(
            variables=variables,
            results={name: value for name, value in results.items() if value is not None},
            event=self.event if event is None else event,
            user=self.user if event is None else event.get("user"),
            caller=self.caller,
            now=self.now,
            loop=loop if event is None else {**loop, **event},
        )

    def _loops(self, path: Path, state: State) -> dict[str, Any]:
        """Item and round of the loops around, the inner ones first."""
        found: dict[str, Any] = {}
        while (owner := self.owner[state.name]) is not None:
            if isinstance(owner.action, Parallel):
                assert path.fork is not None
                if path.fork.alone:
                    return {**path.fork.around, **found}
                path = path.fork.path
            for level in path.levels:
                if level.state is owner and isinstance(owner.action, Repeat | ForEach):
                    if isinstance(owner.action, ForEach):
                        found.setdefault(owner.action.variable, level.items[level.round - 1])
                    found.setdefault("loop", {"round": level.round, "total": level.total})
            state = owner
        return found

    def way(self, scope: Scope, target: Target | None) -> str | None:
        if target is None or isinstance(target, str):
            return target
        return next((way.to for way in target if way.when is None or compile_guard(way.when)(scope)), None)

    # Moving ----------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        self.held = None
        if self.definition.timeout_seconds is not None:
            self.limit = self.now + self.definition.timeout_seconds
        self.soon(self.main, lambda: self.enter(self.main, self.definition.initial_state))

    def soon(self, path: Path, act: Callable[[], None]) -> None:
        self.todo.append((path, act))

    def drive(self) -> None:
        """Do what is to be done; what is left then is where the run rests, or its end."""
        while not self.ended and not self.held:
            while self.todo and not self.ended:
                path, act = self.todo.pop()
                if not path.gone:
                    act()
            if self.ended or self.leaves:
                return
            if self.timed_out and self.error is None:
                self.error = "it took too long"
                if self.definition.on_error is not None:
                    self.start_over(self.definition.on_error)
                    continue
            self.end("failed" if self.timed_out else "cancelled" if self.cancelled else "completed")

    def start_over(self, state: str) -> None:
        """Nothing goes on but this."""
        self.empty("cancel")
        self.soon(self.main, lambda: self.enter(self.main, state))

    def empty(self, verb: str) -> None:
        for leaf in list(self.leaves):
            self.drop(leaf, verb)
        self.todo.clear()
        for level in list(self.limited()):
            for lane in level.lanes:
                lane.gone = True
        self.main.levels, self.main.beside, self.main.at = [], [], None

    def end(self, status: str) -> None:
        self.empty("stop")
        self.ended, self.held, self.paused, self.limit = status, None, None, None

    def fail(self, sentence: str) -> None:
        self.error = sentence
        self.end("cancelled" if self.cancelled and not self.timed_out else "failed")

    def rest(self, leaf: Leaf) -> None:
        leaf.path.at = leaf
        self.leaves.insert(self.place, leaf)
        self.place += 1

    def take(self, leaf: Leaf) -> None:
        self.place = self.leaves.index(leaf)
        del self.leaves[self.place]
        leaf.path.at = None

    def drop(self, leaf: Leaf, verb: str = "cancel") -> None:
        """Nobody waits for it any more; what was asked for in this very move is not begun."""
        if leaf in self.leaves:
            self.place -= self.leaves.index(leaf) < self.place
            self.leaves.remove(leaf)
            leaf.path.at = None
        if leaf.effect is not None:
            if any(effect == leaf.effect for effect, *_ in self.asked):
                self.asked = [each for each in self.asked if each[0] != leaf.effect]
            else:
                self.orphans.add(leaf.effect)
        if leaf.child is not None:
            if any(child == leaf.child for child, *_ in self.started):
                self.started = [each for each in self.started if each[0] != leaf.child]
            else:
                self.relays.append((leaf.child, verb))

    def row(self, leaf: Leaf, outcome: str, to: str | None = None) -> None:
        self.history.append((leaf.path.key, leaf.state.name, leaf.visit, leaf.attempt, outcome, to))

    # Blocks ----------------------------------------------------------------------------------------------------------

    def open(self, leaf: Leaf, **more: Any) -> Level:
        limit = None if leaf.state.timeout_seconds is None else self.now + leaf.state.timeout_seconds
        self.numbers += 1
        return Level(leaf.path, leaf.state, leaf.visit, self.now, self.numbers, **{"limit": limit, **more})

    def close(self, level: Level, outcome: str | None = None) -> None:
        """A block is left in the middle: all that goes on in it ends."""
        path = level.path
        inside = set(leaves_in(level))
        for leaf in [leaf for leaf in self.leaves if leaf in inside]:
            self.drop(leaf)
            if outcome is not None and leaf.visit > 0:
                self.row(leaf, outcome)
        if level.lanes:
            self.bury(level)
            path.beside = [fork for fork in path.beside if fork is not level]
        else:
            for fork in [fork for fork in path.beside if level in fork.within]:
                self.bury(fork)
                path.beside.remove(fork)
            if isinstance(path.at, Level):
                self.bury(path.at)
            path.levels = path.levels[: path.levels.index(level)]
        if path.at is level or not level.lanes:
            path.at = None

    def bury(self, fork: Level) -> None:
        for lane in fork.lanes:
            lane.gone = True
            for inner in [*lane.beside, *([lane.at] if isinstance(lane.at, Level) else [])]:
                self.bury(inner)

    def unwind(self, path: Path, state: State, upto: State) -> None:
        """Leave the blocks around a state, up to that of another one."""
        while state is not upto:
            owner = self.owner[state.name]
            assert owner is not None
            if isinstance(owner.action, Parallel):
                assert path.fork is not None
                fork, path = path.fork, path.fork.path
                self.close(fork)
            for level in [level for level in path.levels if level.state is owner]:
                self.close(level)
            state = owner

    # Entering --------------------------------------------------------------------------------------------------------

    def enter(self, path: Path, name: str, heard: Heard = ()) -> None:
        state = self.states[name]
        if self.paused is not None:
            self.rest(Leaf(path, state, 0, self.now, 0, heard=heard))
            return
        path.visits[name] += 1
        visit = path.visits[name]
        if visit > 1:
            path.fast[name] += 1
            most = self.definition.max_loop_iterations
            if visit > most if most is not None else path.fast[name] >= BUSY:
                self.fail("it went round too often")
                return
        leaf = Leaf(path, state, visit, self.now, heard=heard)
        if not state.enabled:
            self.well(leaf, None, "skipped")
            return
        try:
            self.do(leaf)
        except EvaluationError:
            self.soon(path, lambda: self.badly(leaf, "error"))

    def do(self, leaf: Leaf) -> None:  # noqa: C901  one case a kind
        path, state, action = leaf.path, leaf.state, leaf.state.action
        scope = self.scope(path, state)
        limit = None if state.timeout_seconds is None else self.now + state.timeout_seconds
        match action:
            case Call():
                leaf.params, leaf.limit, leaf.heard = compile_params(action.params)(scope), limit, ()
                self.ask(leaf)
            case Emit():
                payload = dict(compile_params(action.payload)(scope))
                who = self.user or self.caller
                if who is not None:
                    payload["user"] = who
                leaf.params, leaf.limit, leaf.heard = payload, limit, ()
                self.ask(leaf)
            case Wait():
                seconds = action.seconds
                if isinstance(seconds, str):
                    seconds = self.number(compile_params(seconds)(scope))
                if seconds > 0:
                    leaf.due, leaf.limit, leaf.heard = self.now + seconds, limit, ()
                    self.rest(leaf)
                else:
                    self.well(leaf, None)
            case WaitFor():
                who = None if action.who is None else compile_params(action.who)(scope)
                leaf.params = who["name"] if isinstance(who, Mapping) else who
                leaf.limit, heard, leaf.heard = limit, leaf.heard, ()
                for number, event in enumerate(heard):
                    if self.fits(leaf, event):
                        leaf.heard = heard[number + 1 :]
                        self.well(leaf, event)
                        return
                self.rest(leaf)
            case Collect():
                leaf.due = None if action.seconds is None else self.now + action.seconds
                leaf.limit, heard, leaf.heard = limit, leaf.heard, ()
                for event in heard:
                    if self.fits(leaf, event):
                        self.gather(leaf, event)
                if self.is_full(leaf) or (leaf.due is not None and leaf.due <= self.now):
                    self.well(leaf, self.gathered(leaf))
                else:
                    self.rest(leaf)
            case Goto():
                self.row(leaf, "success", action.to)
                self.soon(path, lambda: self.enter(path, action.to, leaf.heard))
            case Stop():
                self.row(leaf, "success")
                while path.levels:
                    self.close(path.levels[0])
                if path.fork is not None:
                    self.soon(path, lambda: self.end_lane(path))
            case Set():
                path.variables.update(compile_params(action.values)(scope))
                self.well(leaf, None)
            case Transform():
                value = compile_formula(action.formula)(scope)
                if action.into is not None:
                    path.variables[action.into] = value
                self.well(leaf, value)
            case Choose():
                case = next((c for c in action.cases if c.when is None or compile_guard(c.when)(scope)), None)
                if case is None:
                    self.well(leaf, None)
                    return
                path.levels.append(self.open(leaf))
                self.row(leaf, "success", case.block.initial_state)
                first = case.block.initial_state
                self.soon(path, lambda: self.enter(path, first, leaf.heard))
            case Repeat() | ForEach():
                self.loop(leaf, action, scope)
            case Parallel():
                self.fork(leaf, action)
            case Run():
                self.run(leaf, action, scope)

    @staticmethod
    def number(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise EvaluationError("no such number")
        return value

    def ask(self, leaf: Leaf) -> None:
        again = "" if leaf.attempt == 1 else f"#{leaf.attempt}"
        leaf.effect = f"{self.id}/{leaf.path.key}/{leaf.state.name}/{leaf.visit}{again}"
        self.asked.append((leaf.effect, leaf, leaf.params))
        self.rest(leaf)

    def run(self, leaf: Leaf, action: Run, scope: Scope) -> None:
        arguments = compile_params(action.arguments)(scope)
        if self.depth + 1 > 16:
            raise EvaluationError("too deep")
        self.children += 1
        child = f"{self.id}.{self.children}"
        self.started.append((child, action.workflow, arguments, action.detached))
        if action.detached:
            self.well(leaf, {"execution": child})
            return
        leaf.child, leaf.heard = child, ()
        leaf.limit = None if leaf.state.timeout_seconds is None else self.now + leaf.state.timeout_seconds
        self.rest(leaf)

    # Loops -----------------------------------------------------------------------------------------------------------

    def loop(self, leaf: Leaf, action: Repeat | ForEach, scope: Scope) -> None:
        items: Sequence[Any] = ()
        total = None
        if isinstance(action, ForEach):
            said = compile_params(action.items if isinstance(action.items, str) else list(action.items))(scope)
            items = [part.strip() for part in said.split(",")] if isinstance(said, str) else said
            total = len(items)
        elif action.times is not None:
            total = int(self.number(compile_params(action.times)(scope)))
        if total == 0 or not self.holds(leaf.path, leaf.state):
            self.well(leaf, {"rounds": 0})
            return
        leaf.path.levels.append(self.open(leaf, items=items, total=total))
        self.soon(leaf.path, lambda: self.enter(leaf.path, action.block.initial_state, leaf.heard))

    def holds(self, path: Path, state: State) -> bool:
        guard = state.action.while_ if isinstance(state.action, Repeat) else None
        return guard is None or bool(compile_guard(guard)(self.scope(path, state)))

    def end_round(self, path: Path, level: Level, heard: Heard) -> None:
        leaf = Leaf(path, level.state, level.visit, level.since, heard=heard)
        try:
            again = not level.closing and (level.total is None or level.round < level.total)
            again = again and self.holds(path, level.state)
        except EvaluationError:
            self.close(level)
            self.badly(leaf, "error")
            return
        if again:
            level.round += 1
            self.soon(path, lambda: self.enter(path, level.state.action.block.initial_state, heard))  # type: ignore[union-attr]
            return
        path.levels.remove(level)  # what nobody waits for goes on
        self.well(leaf, {"rounds": level.round})

    # Side by side ----------------------------------------------------------------------------------------------------

    def fork(self, leaf: Leaf, action: Parallel) -> None:
        path, alone = leaf.path, action.join == "none"
        fork = self.open(leaf, alone=alone, within=tuple(path.levels), around=self._loops(path, leaf.state))
        fork.lanes = [
            Path(f"{path.key}/{leaf.state.name}:{leaf.visit}:{branch.name}", fork, branch.name)
            for branch in action.branches
        ]
        for lane, branch in zip(fork.lanes, action.branches, strict=True):
            lane.status = "waiting" if branch.needs else "running"
        if alone:
            fork.limit = None
            path.beside.append(fork)
            self.well(leaf, None)
        else:
            path.at = fork
        self.begin_lanes(fork, [lane for lane in fork.lanes if lane.status == "running"], leaf.heard)

    def begin_lanes(self, fork: Level, lanes: list[Path], heard: Heard) -> None:
        action = fork.state.action
        assert isinstance(action, Parallel)
        first = {branch.name: branch.block.initial_state for branch in action.branches}
        for lane in reversed(lanes):
            lane.status = "running"
            self.soon(lane, partial(self.enter, lane, first[lane.name], heard))

    def end_lane(self, lane: Path, *, failed: bool = False, heard: Heard = ()) -> None:
        fork = lane.fork
        assert fork is not None
        action = fork.state.action
        assert isinstance(action, Parallel)
        if lane.beside and not failed:
            return  # what nobody waited for still goes on in it; the last of that ends it
        while lane.beside:
            self.close(lane.beside[0])
        lane.status = "failed" if failed else "done"
        if not (action.join == "any" and not failed and not fork.closing):
            self.begin_more(fork, action, heard)
        over = all(each.status in OVER for each in fork.lanes)
        if fork.alone:
            if over:
                path = fork.path
                path.beside.remove(fork)
                if path.fork is not None and path.at is None and not path.beside and not self.is_due(path):
                    self.end_lane(path)
        elif over or (action.join == "any" and any(each.status == "done" for each in fork.lanes)):
            self.join(fork, action, heard)

    def is_due(self, path: Path) -> bool:
        return any(each is path for each, _ in self.todo)

    def begin_more(self, fork: Level, action: Parallel, heard: Heard) -> None:
        """Begin what needed only what has ended well, skip what needed what has not."""
        branches = {branch.name: branch for branch in action.branches}
        ready: list[Path] = []
        changed = True
        while changed:
            changed = False
            status = {lane.name: lane.status for lane in fork.lanes}
            fine = {n for n, s in status.items() if s == "done" or (s == "failed" and not branches[n].critical)}
            lost = {n for n, s in status.items() if s in OVER} - fine
            for lane in [lane for lane in fork.lanes if lane.status == "waiting"]:
                needs = branches[lane.name].needs
                if fork.closing or set(needs) & lost:
                    lane.status, changed = "skipped", True
                elif set(needs) <= fine:
                    for each in fork.lanes:
                        if each.name in needs:
                            lane.variables.update(each.variables)
                            lane.results.update(each.results)
                    lane.status, changed = "running", True
                    ready.append(lane)
        self.begin_lanes(fork, ready, heard)

    def join(self, fork: Level, action: Parallel, heard: Heard) -> None:
        path = fork.path
        output = {lane.name: lane.status if lane.status in OVER else "left" for lane in fork.lanes}
        critical = {branch.name for branch in action.branches if branch.critical or action.join == "any"}
        bad = any(lane.status == "failed" and lane.name in critical for lane in fork.lanes)
        if action.join == "any" and "done" in output.values():
            bad = False
        self.close(fork, "left")
        for lane in fork.lanes:
            if action.join != "any" or lane.status == "done":
                path.variables.update(lane.variables)
                path.results.update(lane.results)
        leaf = Leaf(path, fork.state, fork.visit, fork.since, heard=heard)
        if bad:
            self.soon(path, lambda: self.badly(leaf, "error"))
        else:
            self.well(leaf, output)

    # Leaving ---------------------------------------------------------------------------------------------------------

    def well(self, leaf: Leaf, output: Any, outcome: str = "success") -> None:
        path, state = leaf.path, leaf.state
        path.results[state.name] = output
        try:
            last, to = self.onward(path, state)
        except EvaluationError:
            self.soon(path, lambda: self.badly(leaf, "error"))
            return
        self.row(leaf, outcome, to)
        self.go_on(path, state, last, to, leaf.heard)

    def onward(self, path: Path, state: State) -> tuple[State, str | None]:
        """Where success leads, and which state says so: the end of a choice leads where the choice does."""
        scope = self.scope(path, state)
        while True:
            to = self.way(scope, state.transitions.get("success"))
            owner = self.owner[state.name]
            if to is not None or owner is None or not isinstance(owner.action, Choose):
                return state, to
            state = owner

    def go_on(self, path: Path, state: State, last: State, to: str | None, heard: Heard) -> None:
        while state is not last:
            path.levels.pop()
            state = self.owner[state.name] or last
        owner = self.owner[last.name]
        if to is not None:
            self.soon(path, lambda: self.enter(path, to, heard))
        elif owner is not None and isinstance(owner.action, Parallel):
            self.soon(path, lambda: self.end_lane(path, heard=heard))
        elif owner is not None:
            level = path.levels[-1]
            self.soon(path, lambda: self.end_round(path, level, heard))

    def badly(self, leaf: Leaf, outcome: str) -> None:
        path, state = leaf.path, leaf.state
        while True:
            try:
                scope = self.scope(path, state)
                ways = (self.way(scope, state.transitions.get(event)) for event in dict.fromkeys((outcome, "error")))
                to = next((way for way in ways if way is not None), None)
                if to is not None:
                    self.row(leaf, outcome, to)
                    self.unwind(path, leaf.state, state)
                    self.enter_soon(path, to, leaf.heard)
                    return
                if not state.critical:
                    last, to = self.onward(path, state)
                    self.row(leaf, outcome, to)
                    self.unwind(path, leaf.state, state)
                    self.go_on(path, state, last, to, leaf.heard)
                    return
            except EvaluationError:
                pass  # who cannot say where to go says nothing
            owner = self.owner[state.name]
            if owner is None:
                break
            if isinstance(owner.action, Parallel):
                assert path.fork is not None
                critical = next(branch.critical for branch in owner.action.branches if branch.name == path.name)
                if path.fork.alone and critical:
                    break
                self.row(leaf, outcome)
                self.leave_all_levels(path)
                self.soon(path, lambda: self.end_lane(path, failed=True))
                return
            state = owner
        on_error = self.definition.on_error
        if on_error is None or self.error is not None:
            self.row(leaf, outcome)
            self.fail("it failed")
        else:
            self.error = "it failed"
            self.row(leaf, outcome, on_error)
            for beside in self.leaves:
                if beside is not leaf and beside.visit > 0:
                    self.row(beside, "left")
            self.start_over(on_error)

    def leave_all_levels(self, path: Path) -> None:
        while path.levels:
            self.close(path.levels[0])

    def enter_soon(self, path: Path, to: str, heard: Heard) -> None:
        self.soon(path, lambda: self.enter(path, to, heard))

    # What comes from outside -----------------------------------------------------------------------------------------

    def result(self, effect: str, verb: str, output: Any) -> None:
        leaf = next((leaf for leaf in self.leaves if leaf.effect == effect), None)
        if leaf is None:
            if effect in self.orphans:
                self.orphans.remove(effect)
                path, name, rest = effect.removeprefix(f"{self.id}/").rsplit("/", 2)
                visit, _, attempt = rest.partition("#")
                said = {"success": "success", "unknown": "unknown"}.get(verb, "error")
                self.history.append((path, name, int(visit), int(attempt or 1), f"late {said}", None))
            return
        self.take(leaf)
        retry = leaf.state.retry
        if verb == "success":
            self.well(leaf, output)
        elif verb == "busy" and retry is not None and leaf.attempt < retry.max_attempts:
            delay = retry.delay_seconds * retry.backoff ** (leaf.attempt - 1)
            self.row(leaf, "error", leaf.state.name)
            leaf.attempt, leaf.effect = leaf.attempt + 1, None
            leaf.due = (self.now if self.paused is None else self.paused) + delay
            if delay <= 0 and self.paused is None:
                leaf.due = None
                self.ask(leaf)
            else:
                self.rest(leaf)
        else:
            self.badly(leaf, verb if verb in ("timeout", "unknown") else "error")

    def child_ended(self, child: str, status: str, output: Any) -> None:
        leaf = next((leaf for leaf in self.leaves if leaf.child == child), None)
        if leaf is None:
            return
        self.take(leaf)
        if status == "completed":
            self.well(leaf, output)
        else:
            self.badly(leaf, "error")

    def hear(self, event: Mapping[str, Any]) -> None:
        for leaf in list(self.leaves):
            if not self.ended and leaf in self.leaves:
                self.hear_at(leaf, event)
                self.drive()

    def hear_at(self, leaf: Leaf, event: Mapping[str, Any]) -> None:
        action = leaf.state.action
        if leaf.visit > 0 and self.paused is None and self.leave_by(leaf, event):
            return
        if leaf.visit == 0 or not isinstance(action, WaitFor | Collect):
            leaf.heard = (*leaf.heard, event)[:100]
        elif self.fits(leaf, event):
            if self.paused is not None:
                leaf.heard = (*leaf.heard, event)[:100]
            elif self.take_event(leaf, event):
                self.consumed |= action.consume

    def leave_by(self, leaf: Leaf, event: Mapping[str, Any]) -> bool:
        """Take an edge named like the event, of the state or of a block around it that is waited for."""
        path, state = leaf.path, leaf.state
        while True:
            for name, target in state.transitions.items():
                if name in OUTCOMES or canonical(name) != event["name"]:
                    continue
                scope = self.scope(path, state)
                scope.loop = {**scope.loop, **event}
                try:
                    to = self.way(scope, target)
                except EvaluationError:
                    to = None
                if to is not None:
                    self.take(leaf)
                    self.drop(leaf)
                    self.row(leaf, name, to)
                    self.unwind(leaf.path, leaf.state, state)
                    self.enter_soon(path, to, ())
                    return True
            owner = self.owner[state.name]
            if owner is None:
                return False
            if isinstance(owner.action, Parallel):
                assert path.fork is not None
                if path.fork.alone:
                    return False
                path = path.fork.path
            state = owner

    def fits(self, leaf: Leaf, event: Mapping[str, Any]) -> bool:
        action = leaf.state.action
        assert isinstance(action, WaitFor | Collect)
        if event["name"] != canonical(action.event):
            return False
        if leaf.params is not None and event["user"]["name"] != leaf.params:
            return False
        try:
            return action.when is None or bool(compile_guard(action.when)(self.scope(leaf.path, leaf.state, event)))
        except EvaluationError:
            return False

    def take_event(self, leaf: Leaf, event: Mapping[str, Any]) -> bool:
        self.rested(leaf.path)
        if isinstance(leaf.state.action, WaitFor):
            self.take(leaf)
            self.well(leaf, event)
            return True
        counts = self.gather(leaf, event)
        if self.is_full(leaf):
            self.take(leaf)
            self.well(leaf, self.gathered(leaf))
        return counts

    @staticmethod
    def gather(leaf: Leaf, event: Mapping[str, Any]) -> bool:
        action = leaf.state.action
        assert isinstance(action, Collect)
        if action.once_per_user and any(each["user"]["name"] == event["user"]["name"] for each in leaf.gathered):
            return False
        leaf.gathered.append(event)
        return True

    @staticmethod
    def is_full(leaf: Leaf) -> bool:
        action = leaf.state.action
        return isinstance(action, Collect) and action.count is not None and len(leaf.gathered) >= action.count

    @staticmethod
    def gathered(leaf: Leaf) -> dict[str, Any]:
        names = [event["user"]["name"] for event in leaf.gathered]
        texts = [event["message"] for event in leaf.gathered if event.get("message")]
        tally = Counter(texts)
        most = max(tally.values(), default=0)
        best = [text for text, count in tally.items() if count == most]
        drawn = drawn_by_a_half(names)
        return {
            "count": len(names),
            "users": list(dict.fromkeys(names)),
            "texts": texts,
            "tally": dict(tally),
            "top": best[0] if best else None,
            "tied": len(best) > 1,
            "winner": next(iter(drawn), None),
            "winners": drawn,
        }

    def rested(self, path: Path | None) -> None:
        """Somebody waited, so neither this nor what is around it goes round too fast."""
        while path is not None:
            path.fast.clear()
            path = None if path.fork is None else path.fork.path

    # Time ------------------------------------------------------------------------------------------------------------

    def time_reached(self) -> None:
        while not self.ended and not self.held and self.paused is None:
            soonest = self._soonest()
            if soonest is None:
                return
            soonest()
            self.drive()

    def _soonest(self) -> Callable[[], None] | None:
        found: list[tuple[float, int, int, Callable[[], None]]] = []
        for number, leaf in enumerate(self.leaves):
            for time, act in ((leaf.due, self.wait_over), (leaf.limit, self.too_late)):
                if time is not None:
                    found.append((time, 0, number, partial(act, leaf)))
        found += [
            (level.limit, 1, level.number, partial(self.block_too_late, level))
            for level in self.limited()
            if level.limit is not None
        ]
        if self.limit is not None:
            found.append((self.limit, 2, 0, self.run_too_late))
        first = min(found, key=lambda each: each[:3], default=None)
        return None if first is None or first[0] > self.now else first[3]

    def wait_over(self, leaf: Leaf) -> None:
        self.take(leaf)
        match leaf.state.action:
            case Wait():
                if self.now - leaf.since >= 1:
                    self.rested(leaf.path)
                self.well(leaf, None)
            case Collect():
                self.rested(leaf.path)
                self.well(leaf, self.gathered(leaf))
            case WaitFor():  # skipped by hand during a pause
                self.well(leaf, None)
            case _:
                leaf.due = None
                self.ask(leaf)

    def too_late(self, leaf: Leaf) -> None:
        self.take(leaf)
        self.drop(leaf)
        self.badly(leaf, "timeout")

    def block_too_late(self, level: Level) -> None:
        self.place = len(self.leaves)
        self.close(level, "timeout")
        self.badly(Leaf(level.path, level.state, level.visit, level.since), "timeout")

    def run_too_late(self) -> None:
        self.timed_out, self.limit = True, None
        self.leave_all("timeout")

    # Controls --------------------------------------------------------------------------------------------------------

    def control(self, verb: str, seconds: float = 0.0) -> None:
        match verb:
            case _ if self.ended:
                pass
            case "stop":
                for leaf in self.leaves:
                    self.row(leaf, "stopped")
                self.error = "stopped"
                self.end("stopped")
            case "cancel" if self.held:
                self.control("stop")
            case "cancel" if not self.cancelled and not self.timed_out:
                self.unfreeze()
                self.error, self.cancelled = "cancelled", True
                if not self.leave_all("cancel"):
                    self.cancelled = False
                    self.end("stopped")
            case "pause" if self.paused is None and not self.held:
                self.paused = self.now
                self.row(self.leaves[0], "paused")
                self.relays += [(leaf.child, "pause") for leaf in self.leaves if leaf.child]
            case "resume" if self.paused is not None:
                self.resume()
            case "skip" if not self.held:
                self.skip()
            case "extend" if (leaf := self.next_wait()) is not None:
                self.extend(leaf, seconds)

    def unfreeze(self) -> None:
        gap = self.now - (self.now if self.paused is None else self.paused)
        self.paused = None
        for each in (*self.leaves, *self.limited()):
            each.limit = None if each.limit is None else each.limit + gap
            if isinstance(each, Leaf):
                each.due = None if each.due is None else each.due + gap
        self.limit = None if self.limit is None else self.limit + gap

    def resume(self) -> None:
        self.row(self.leaves[0], "resumed")
        self.unfreeze()
        self.relays += [(leaf.child, "resume") for leaf in self.leaves if leaf.child]
        for leaf in reversed(list(self.leaves)):
            if leaf.visit > 0 and isinstance(leaf.state.action, WaitFor | Collect):
                kept, leaf.heard = leaf.heard, ()
                for event in kept:
                    if leaf in self.leaves and self.fits(leaf, event):
                        self.take_event(leaf, event)
        for leaf in reversed([leaf for leaf in self.leaves if leaf.visit == 0]):
            self.take(leaf)
            self.enter_soon(leaf.path, leaf.state.name, leaf.heard)

    def extend(self, leaf: Leaf, seconds: float) -> None:
        earliest = self.now if self.paused is None else self.paused
        if leaf.due is not None:
            leaf.due = max(earliest, leaf.due + seconds)
        elif leaf.limit is not None:
            leaf.limit = max(earliest, leaf.limit + seconds)
        else:
            return
        self.row(leaf, "extended")

    def next_wait(self) -> Leaf | None:
        """The wait that would end first by itself."""
        waits = [
            leaf
            for leaf in self.leaves
            if leaf.visit > 0 and (leaf.due is not None or isinstance(leaf.state.action, WaitFor | Collect))
        ]
        never = float("inf")
        times = [leaf.due if leaf.due is not None else never if leaf.limit is None else leaf.limit for leaf in waits]
        return waits[times.index(min(times))] if waits else None

    def skip(self) -> None:
        leaf = self.next_wait()
        if leaf is None:
            return
        self.row(leaf, "skipped by hand")
        if self.paused is not None or not isinstance(leaf.state.action, WaitFor | Collect):
            leaf.due = self.now if self.paused is None else self.paused
        else:
            self.take(leaf)
            self.well(leaf, self.gathered(leaf) if isinstance(leaf.state.action, Collect) else None)
        self.drive()
        self.time_reached()

    def leave_all(self, outcome: str) -> bool:
        """Every path that has a way for a cancel goes it, innermost first; the others end."""
        left, self.leaves = self.leaves, []
        self.place = 0
        forks = [level for level in self.limited() if level.lanes]
        moves: list[tuple[Path, str]] = []
        for leaf in left:
            self.drop(leaf)
            leaf.path.at = None
            to = self.clean_up(leaf.path, leaf.state)
            self.row(leaf, outcome, to)
            if to is not None:
                moves.append((leaf.path, to))
        for level in self.limited():
            level.closing = True
        for fork in sorted(forks, key=lambda fork: -fork.path.key.count("/")):
            for lane in fork.lanes:
                if lane.status not in OVER and not self.has_move(lane, moves):
                    lane.status = "skipped"
                    lane.gone = True
            if any(self.has_move(lane, moves) for lane in fork.lanes):
                continue
            if fork.alone:
                fork.path.beside.remove(fork)
                continue
            fork.path.at = None
            if (to := self.clean_up(fork.path, fork.state)) is not None:
                moves.append((fork.path, to))
        for path, to in reversed(moves):
            self.enter_soon(path, to, ())
        return bool(moves)

    def has_move(self, path: Path, moves: list[tuple[Path, str]]) -> bool:
        return any(each is path or each.key.startswith(f"{path.key}/") for each, _ in moves)

    def clean_up(self, path: Path, state: State) -> str | None:
        """Where a cancel leads from here; the blocks that are left on the way are open no more."""
        while True:
            try:
                to = self.way(self.scope(path, state), state.transitions.get("cancel"))
            except EvaluationError:
                to = None
            if to is not None:
                return to
            owner = self.owner[state.name]
            if owner is None or isinstance(owner.action, Parallel):
                return None
            path.levels = [level for level in path.levels if level.state is not owner]
            state = owner


# The world -----------------------------------------------------------------------------------------------------------


@dataclass
class World:
    """Every run there is, the time, and what services were asked for and have not answered."""

    definitions: dict[str, Definition]
    now: float = 1_000.0
    runs: dict[str, Going] = field(default_factory=dict)
    asked: dict[str, tuple[Going, Leaf, Any]] = field(default_factory=dict)
    later: deque[Callable[[], None]] = field(default_factory=deque)
    armed: dict[str, tuple[float, int]] = field(default_factory=dict)
    numbers: int = 0
    repeatable: frozenset[str] = frozenset({"look"})
    line: deque[Callable[[], None]] = field(default_factory=deque)
    cooled: dict[tuple[str, str], float] = field(default_factory=dict)

    def move(self, *moves: tuple[Going, Callable[[], None]]) -> None:
        """Let runs move, and then all that follows from it, first come first served."""
        idle = not self.line
        self.line.extend(partial(self._move, run, act) for run, act in moves)
        while idle and self.line:
            self.line[0]()
            self.line.popleft()

    def move_first(self, run: Going, act: Callable[[], None]) -> None:
        """Let a run move, and all that follows from it, before anything else that is to be done."""
        line, self.line = self.line, deque()
        self.move((run, act))
        self.line = line

    def _move(self, run: Going, act: Callable[[], None]) -> None:
        was_over = run.ended
        act()
        run.drive()
        effects, run.asked = run.asked, []
        started, run.started = run.started, []
        relays, run.relays = run.relays, []
        for effect, leaf, params in effects:
            if isinstance(leaf.state.action, Emit):
                self.later.append(partial(self.emit, run, effect, leaf.state.action, params))
            else:
                self.asked[effect] = (run, leaf, params)
        for start in started:
            self.line.append(partial(self.start_inside, run, *start))
        for child, verb in relays:
            if child in self.runs:
                self.move((self.runs[child], partial(self.runs[child].control, verb)))
        self.arm(run)
        if run.ended and not was_over:
            self.over(run)
            self.line.append(partial(self.let_in_next, run.slot))

    def arm(self, run: Going) -> None:
        """Of runs that are due at the same moment those come first that have been so for longest."""
        due = run.next_due()
        if due is None:
            self.armed.pop(run.id, None)
        elif run.id not in self.armed or self.armed[run.id][0] != due:
            self.numbers += 1
            self.armed[run.id] = (due, self.numbers)

    def restart(self) -> None:
        """All is as it was; but what nobody waits for any more is not asked for again, if it would have to be."""
        busy = {run.id: None for run, _, _ in self.asked.values()}
        going = [run for run in self.runs.values() if not run.ended]
        for run in going:
            if run.status in ("running", "stopping"):
                busy[run.id] = None
            parent, dot, _ = run.id.rpartition(".")
            if dot:
                busy |= {run.id: None, parent: None}
        self.armed.clear()
        for id in [*(id for id in busy if id in self.runs), *(run.id for run in going if run.id not in busy)]:
            self.arm(self.runs[id])
        for effect, (run, leaf, _) in list(self.asked.items()):
            action = leaf.state.action
            if effect in run.orphans and isinstance(action, Call) and action.method in self.repeatable:
                self.answer(effect, "error", None)

    def over(self, run: Going) -> None:
        parent = None if run.parent is None else self.runs[run.parent]
        if parent is not None and not parent.ended:
            results = {name: value for name, value in run.main.results.items() if value is not None}
            output = {**run.main.variables, **results}
            status = run.ended or ""
            self.move((parent, lambda: parent.child_ended(run.id, status, output)))

    # Who may start ---------------------------------------------------------------------------------------------------

    def standing(self, slot: str) -> tuple[list[Going], list[Going]]:
        """Those that go on in a slot, and those that stand in line for it."""
        there = [run for run in self.runs.values() if run.slot == slot and not run.ended]
        return [run for run in there if not run.held], [run for run in there if run.held]

    def let_in(self, definition: Definition, scope: Scope) -> tuple[str, str] | None:
        """Where a new run finds room, and how; None if it does not."""
        policy = definition.policy
        slot = f"workflow {definition.id}" if policy.group is None else f"group {policy.group}"
        if policy.key is not None:
            try:
                slot += f" {self.key(policy.key, scope)}"
            except EvaluationError:
                return None
        on, line = self.standing(slot)
        match policy.mode:
            case "single" if on or line:
                return None
            case "parallel" if policy.max is not None and len(on) >= policy.max:
                return None
            case "queued" if policy.max is not None and len(line) >= policy.max:
                return None
            case "queued" if on or line:
                return slot, "in line"
            case "restart" if on or line:
                return slot, "instead"
        return slot, "at once"

    @staticmethod
    def key(written: str, scope: Scope) -> str:
        value = compile_formula(parse_formula(written))(scope)
        return "" if value is None else text_of(value).casefold()

    def cools(self, definition: Definition, event: Mapping[str, Any], scope: Scope) -> tuple[str, str] | bool | None:
        """Whether a start by an event comes too soon after another; if not, what is to be remembered of it, if anything."""
        cooldown = definition.policy.cooldown
        if cooldown is None:
            return None
        key = (definition.id, "" if cooldown.per is None else self.key(cooldown.per, scope))
        return True if key in self.cooled and self.now < self.cooled[key] + cooldown.seconds else key

    def let_in_next(self, slot: str) -> None:
        on, line = self.standing(slot)
        if line and not on:
            self._move(line[0], line[0].begin)

    def would_wait_for_itself(self, parent: Going, slot: str, seen: frozenset[str] = frozenset()) -> bool:
        """Whether those that a new run of `parent` would wait for wait themselves, in the end, for `parent`."""
        left, looked = list(self.standing(slot)[0]), {slot}
        while left:
            run = left.pop()
            if run is parent:
                return True
            left += [self.runs[leaf.child] for leaf in run.leaves if leaf.child in self.runs]
            if run.held and run.slot not in looked:
                looked.add(run.slot)
                left += self.standing(run.slot)[0]
        return False

    # What happens ----------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        while self.later:
            self.later.popleft()()

    def start_inside(
        self, parent: Going, child: str, workflow: str, arguments: Mapping[str, Any], detached: bool
    ) -> None:
        room = None
        if workflow in self.definitions:
            scope = Scope(variables=arguments, event=parent.event, user=parent.user, caller=parent.caller)
            room = self.let_in(self.definitions[workflow], scope)
        if room is not None and room[1] == "in line" and not detached and self.would_wait_for_itself(parent, room[0]):
            room = None
        if room is not None:
            who = None if detached else parent.id
            self.begin(child, workflow, arguments, {}, parent.user, parent.caller, *room, parent.depth + 1, who)
        elif not detached:
            self._move(parent, lambda: parent.child_ended(child, "failed", None))

    def begin(
        self,
        id: str,
        workflow: str,
        arguments: Mapping[str, Any],
        event: Mapping[str, Any],
        user: Any,
        caller: Any,
        slot: str,
        how: str,
        depth: int = 0,
        parent: str | None = None,
    ) -> None:
        run = Going(self, id, self.definitions[workflow], arguments, event, user, caller, depth, parent)
        self.runs[id], run.slot = run, slot
        if how == "at once":
            self.move_first(run, run.begin)
        else:
            run.held = "queued"
        if how == "instead":
            for other in self.standing(slot)[1]:
                if other is not run:
                    self.move_first(other, partial(other.control, "stop"))
            for other in self.standing(slot)[0]:
                self.move_first(other, partial(other.control, "cancel"))

    def by_hand(self, workflow: str, arguments: Mapping[str, Any], who: Any) -> bool:
        """Staff lets a workflow run, whatever its cooldown; tells whether it found room."""
        definition = self.definitions[workflow]
        room = self.let_in(definition, Scope(variables=arguments, user=who, caller=who))
        if room is not None:
            self.begin(f"r{len(self.runs)}", workflow, arguments, {}, who, who, *room)
        self.settle()
        return room is not None

    def emit(self, run: Going, effect: str, action: Emit, payload: Mapping[str, Any]) -> None:
        event = {"name": canonical(action.event), "id": f"emitted/{effect}", "at": self.now, **payload}
        self.happen(event, run.caller, run.depth + 1)
        self.move((run, lambda: run.result(effect, "success", None)))

    def post(self, event: Mapping[str, Any]) -> None:
        self.happen(event, event["user"], 0)
        self.settle()

    def happen(self, event: Mapping[str, Any], caller: Any, depth: int) -> None:
        going_on = [run for run in self.runs.values() if not run.held]  # who begins later has not been there
        for run in going_on:
            if run.ended:
                continue
            run.consumed = False
            self.move((run, partial(run.hear, event)))
            if run.consumed:
                return
        for name, definition in self.definitions.items():
            for trigger in definition.triggers:
                if canonical(trigger.on) == event["name"]:
                    self.start(name, event, caller, depth)
                    break

    def start(self, name: str, event: Mapping[str, Any], caller: Any, depth: int) -> None:
        """Let an event start a workflow, if it may."""
        definition = self.definitions[name]
        scope = Scope(variables={}, event=event, user=event["user"], caller=caller)
        try:
            cools = self.cools(definition, event, scope)
        except EvaluationError:
            return
        room = None if cools is True else self.let_in(definition, scope)
        if room is None:
            return
        if isinstance(cools, tuple):
            self.cooled[cools] = self.now
        self.begin(f"r{len(self.runs)}", name, {}, event, event["user"], caller, *room, depth)

    def answer(self, effect: str, verb: str, output: Any) -> None:
        run = self.asked.pop(effect)[0]
        self.move((run, lambda: run.result(effect, verb, output)))
        self.settle()

    def control(self, verb: str, seconds: float = 0.0, run: str | None = None) -> None:
        """Of all runs, or of one alone."""
        meant = self.runs.values() if run is None else [self.runs[run]]
        self.move(*((each, partial(each.control, verb, seconds)) for each in meant))
        self.settle()
        self.due_now()

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := self.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.due_now()
        self.now = end

    def next_due(self) -> float | None:
        return min((due for run in self.runs.values() if (due := run.next_due()) is not None), default=None)

    def due_now(self) -> None:
        while (due := self.next_due()) is not None and due <= self.now:
            first = min(self.armed, key=lambda id: self.armed[id])
            del self.armed[first]
            self.move((self.runs[first], self.runs[first].time_reached))
            if self.next_due() != due:
                self.settle()
