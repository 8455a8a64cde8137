"""One transition in the making: a working copy of an execution, what is still to be done in it, and what comes out of it.

The other modules here move it; what one of them leaves to another stands on the agenda, last put on first done, so that
none has to know the others. It knows how an execution is laid out, and decides nothing about where it goes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from engine.compiled import CompiledState, Program
from engine.context import Context, data_about
from engine.effect_ids import owner_of
from engine.execution import FINAL, MAIN, Branch, Effect, Execution, Frame, HistoryRow, Lane, Status, Values
from engine.inputs import Verb
from engine.machine.agenda import EndLane, EndRound, Enter, Fail, Item
from engine.machine.step import Relay, StartRun, Step
from engine.scope import EMPTY, Scope
from engine.settings import overridden, overrides_in
from engine.values import within

MAX_ROUNDS: Final = 1_000
"""How often a state may be entered again without a wait of a second or more, unless the definition sets a limit."""

MAX_CHAIN: Final = 10_000
"""How many states may be passed in one transition."""

MAX_HEARD: Final = 100
"""How many events are kept for a branch that cannot take them yet."""


class Work:
    """A working copy of an execution."""

    __slots__ = (
        "agenda",
        "at",
        "branches",
        "cancelled",
        "chain",
        "chance",
        "children",
        "consumed",
        "draws",
        "effects",
        "ended",
        "error",
        "execution",
        "frames",
        "gathered",
        "late",
        "limit",
        "nested",
        "orphans",
        "paused_at",
        "program",
        "relays",
        "results",
        "rounds",
        "rows",
        "scope",
        "seq",
        "slot",
        "start_due",
        "started_at",
        "starts",
        "states",
        "timed_out",
        "timeout_due",
        "variables",
        "visits",
        "waiting_as",
        "wreck",
    )

    def __init__(self, program: Program, execution: Execution, context: Context, at: float) -> None:
        self.program = program
        self.states = program.states
        self.limit = program.definition.max_loop_iterations
        self.execution = execution
        self.at = at
        self.agenda: list[Item] = []
        self.branches = list(execution.branches)
        self.frames = list(execution.frames)
        self.nested = bool(execution.frames)
        self.visits = dict(execution.visits)
        self.variables = execution.variables
        self.results = dict(execution.results)
        self.gathered = execution.gathered
        self.rounds = execution.rounds
        self.orphans = execution.orphans
        self.error = execution.error
        self.cancelled = execution.cancelled
        self.timed_out = execution.timed_out
        self.timeout_due = execution.timeout_due
        self.paused_at = execution.paused_at
        self.late = execution.late
        self.seq = execution.seq
        self.wreck = execution.wreck
        self.children = execution.children
        self.start_due = execution.start_due
        self.started_at = execution.started_at
        self.waiting_as: Status | None = execution.status if execution.status in ("scheduled", "queued") else None
        self.chance = context.chance
        self.draws = 0
        self.rows: list[HistoryRow] = []
        self.effects: list[Effect] = []
        self.starts: list[StartRun] = []
        self.relays: list[Relay] = []
        self.consumed = False
        self.ended: Status | None = execution.status if execution.status in FINAL else None
        self.chain = 0
        self.slot = 0
        self.scope = Scope(
            variables=self.variables,
            results=self.results,
            event=execution.event,
            user=execution.user,
            caller=execution.caller,
            config=_config(context, execution.variables) if execution.configured else context.config,
            data=context.data if not context.data else data_about(context.data, execution.user),
            stream=context.stream,
            zone=context.zone,
            now=at,
            late=self.late,
            gathered=self.gathered,
        )

    # The outcome

    def step(self) -> Step:
        """What the transition comes to."""
        execution = self.execution
        changed = Execution(  # by position: there are so many fields that their names would take as long as the rest
            execution.id,
            execution.community,
            execution.workflow,
            execution.revision,
            self.status(),
            self.started_at,
            self.seq,
            tuple(self.branches),
            self.visits,
            self.variables,
            self.results,
            execution.event,
            execution.user,
            execution.caller,
            None if self.ended is None else self.at if execution.ended_at is None else execution.ended_at,
            self.error,
            self.cancelled,
            self.paused_at,
            execution.depth,
            self.orphans,
            self.late,
            self.rounds,
            self.timeout_due,
            self.timed_out,
            tuple(self.frames),
            self.gathered,
            self.wreck,
            execution.parent,
            self.children,
            self.ears() if self.program.listens and self.ended is None else (),
            execution.slot,
            self.start_due,
            execution.configured,
        )
        return Step(
            changed, tuple(self.effects), tuple(self.rows), tuple(self.starts), tuple(self.relays), self.consumed
        )

    def status(self) -> Status:
        """How the execution stands."""
        if self.ended is not None:
            return self.ended
        if self.waiting_as is not None:
            return self.waiting_as
        if self.paused_at is not None:
            return "paused"
        if self.cancelled or self.timed_out:
            return "stopping"
        return "running" if any(branch.effect is not None for branch in self.branches) else "waiting"

    def ears(self) -> tuple[tuple[str, str | None], ...]:
        """What its branches listen for, now or for a wait that may come next."""
        found: dict[tuple[str, str | None], None] = {}
        for branch in self.branches:
            state = self.states[branch.state]
            if state.listening is not None:  # one that is paused right before it keeps what comes
                found[state.listening.event, (branch.params or {}).get("who")] = None
            else:
                for name in state.next_waits:
                    if (listening := self.states[name].listening) is not None:
                        found[listening.event, None] = None
            for each in (state, *(owner for _, owner in self.around(branch.path, state))):
                found.update(dict.fromkeys((event, None) for event in each.own_events))
        return tuple(found)

    # Ending it all

    def end(self, status: Status, by: str = "") -> None:
        """Nothing goes on; effects in flight are recorded when they end, those of this very transition are not begun."""
        for branch in self.branches:
            self.orphan(branch, "stop", by)
        self.agenda.clear()
        self.branches.clear()
        if status != "failed":
            self.frames.clear()
        self.ended = status
        self.waiting_as = None
        self.paused_at = None
        self.timeout_due = None

    def fail(self, sentence: str, branch: Branch | None = None) -> None:
        """The run ends here and now, as failed; where it stood is kept, so that it can be tried again from there."""
        self.error = sentence
        status: Status = "cancelled" if self.cancelled and not self.timed_out else "failed"
        if status == "failed":
            entering = [item for item in self.agenda if isinstance(item, Enter)]
            later = [Branch(item.path, item.state, 0, 0, entered_at=self.at) for item in reversed(entering)]
            self.wreck = (*(() if branch is None else (branch,)), *self.branches, *later)
        self.end(status)

    def orphan(self, branch: Branch, verb: Verb = "cancel", by: str = "") -> None:
        """Nobody waits any more for what a branch asked for; what it asked for in this very transition is not begun."""
        if branch.effect is not None:
            asked = len(self.effects)
            self.effects = [effect for effect in self.effects if effect.id != branch.effect]
            if len(self.effects) == asked:
                self.orphans = (*self.orphans, branch.effect)
        if branch.child is not None:
            started = len(self.starts)
            self.starts = [start for start in self.starts if start.id != branch.child]
            if len(self.starts) == started:
                self.relays.append(Relay(branch.child, verb, by))

    # Resting and telling

    def rest(self, branch: Branch) -> None:
        """A branch rests, where the one that moved stood."""
        self.branches.insert(self.slot, branch)
        self.slot += 1

    def take(self, branch: Branch) -> None:
        """A branch moves: it rests no longer, and what becomes of it rests in its place."""
        self.slot = self.branches.index(branch)
        del self.branches[self.slot]

    def put(self, old: Branch, new: Branch) -> None:
        """A branch goes on resting, in another form."""
        self.branches[self.branches.index(old)] = new

    def draw(self) -> float:
        """A number in [0, 1) that was drawn before."""
        self.draws += 1
        return self.chance[(self.draws - 1) % len(self.chance)]

    def row(
        self,
        branch: Branch,
        outcome: str,
        *,
        output: Any = None,
        error: str | None = None,
        to: str | None = None,
        by: str | None = None,
        params: Any = None,
    ) -> None:
        """Write a line of the history."""
        self.rows.append(
            HistoryRow(
                self.execution.id,
                self.seq,
                branch.path,
                branch.state,
                branch.visit,
                branch.attempt,
                outcome,
                branch.entered_at,
                self.at,
                branch.params if params is None else params,
                output,
                error,
                to,
                by,
            )
        )
        self.seq += 1

    # Where things are known

    def place(self, path: str, state: CompiledState) -> None:
        """Let the scope be what is known at a state: what its branch has set, and the items of the loops around it."""
        if not self.nested:
            return
        self.scope.variables, self.scope.results = self.known(path)
        self.scope.loop = self.loops(path, state)

    def known(self, path: str) -> tuple[Values, Mapping[str, Any]]:
        """The variables and results that are known on a path."""
        if path == MAIN:
            return self.variables, self.results
        frame, lane = self.lane(path)
        variables, results = self.known(frame.path)
        return {**variables, **lane.variables}, {**results, **lane.results}

    def loops(self, path: str, state: CompiledState) -> Values:
        """The items and rounds of the loops around a state, as far as they wait for it."""
        found: dict[str, Any] = {}
        for above, owner in self.waited_around(path, state):
            loop = owner.loop
            frame = self.frame(above, owner.name) if loop is not None else None
            if loop is None or frame is None:
                continue
            if loop.variable is not None and frame.round <= len(frame.items):
                found.setdefault(loop.variable, frame.items[frame.round - 1])
            found.setdefault("loop", {"round": frame.round, "total": frame.total})
        return found or EMPTY

    def set_variables(self, path: str, values: Mapping[str, Any]) -> None:
        """Set variables as a branch sees them; too large ones are an EvaluationError."""
        if path == MAIN:
            self.variables = within({**self.variables, **values})
        else:
            frame, lane = self.lane(path)
            changed = within({**lane.variables, **values})
            self.change_lane(frame, replace(lane, variables=changed))
        self.scope.variables = self.variables if path == MAIN else self.known(path)[0]

    def set_result(self, path: str, state: str, output: Any) -> None:
        """Keep a step's result, or let it have none."""
        if path != MAIN:
            frame, lane = self.lane(path)
            if output is not None or self.known(path)[1].get(state) is not None:
                self.change_lane(frame, replace(lane, results={**lane.results, state: output}))
                self.scope.results = self.known(path)[1]
        elif output is not None:
            self.results[state] = output
        elif state in self.results:
            del self.results[state]

    # Blocks that are open

    def around(self, path: str, state: CompiledState) -> Iterator[tuple[str, CompiledState]]:
        """The states whose blocks a state is in, innermost first, each with the path that it stands on."""
        while state.owner is not None:
            state = self.states[state.owner]
            if state.sides is not None:
                path = path.rpartition("/")[0]
            yield path, state

    def waited_around(self, path: str, state: CompiledState) -> Iterator[tuple[str, CompiledState]]:
        """Like `around`, up to a parallel that nobody waits for: what is around that has gone on without it."""
        below = path
        for above, owner in self.around(path, state):
            if owner.sides is not None and self.lane(below)[0].joined:
                return
            yield above, owner
            below = above

    def frame(self, path: str, state: str) -> Frame | None:
        """The block of a state that is open on a path; the latest, if branches of earlier visits still go on."""
        for frame in reversed(self.frames):
            if frame.state == state and frame.path == path:
                return frame
        return None

    def open(self, frame: Frame) -> None:
        """A block is open from now on."""
        self.frames.append(frame)
        self.nested = True

    def change(self, old: Frame, new: Frame) -> None:
        """A block that is open stands differently."""
        self.frames[self.frames.index(old)] = new

    def lane(self, path: str) -> tuple[Frame, Lane]:
        """The block and the branch of it that a path belongs to."""
        above, state, visit, key = owner_of(path)
        frame = next(each for each in self.frames if each.path == above and each.state == state and each.visit == visit)
        sides = self.states[state].sides
        assert sides is not None, "only a parallel has branches"  # noqa: S101
        index = next(index for index, lane in enumerate(sides.lanes) if lane.key == key)
        return frame, frame.lanes[index]

    def change_lane(self, frame: Frame, lane: Lane) -> Frame:
        """A branch of a parallel stands differently; gives the frame as it is now."""
        lanes = tuple(lane if each.name == lane.name else each for each in frame.lanes)
        changed = replace(frame, lanes=lanes)
        self.change(frame, changed)
        return changed

    def is_inside(self, path: str, state: str, frame: Frame) -> bool:
        """Whether a place is in a block that is open."""
        return any(
            above == frame.path
            and owner.name == frame.state
            and (owner.sides is None or self.visit_of(path, above) == frame.visit)
            for above, owner in self.around(path, self.states[state])
        )

    @staticmethod
    def visit_of(path: str, above: str) -> int:
        """Which visit of the parallel that stands on the path `above` a path goes through."""
        segment = path[len(above) + 1 :].split("/", 1)[0]
        return int(segment.rsplit(":", 2)[1])

    def close(self, frame: Frame, outcome: str | None = None, *, spare: bool = False, keep: bool = False) -> None:
        """A block is left: what went on in it ends, and is told if an outcome is given.

        With `spare` the branches that nobody waited for go on. With `keep` it may be opened again.
        """
        spared = tuple(self.lanes_of(each) for each in self.frames if spare and each.joined and each is not frame)
        for branch in [each for each in self.branches if self.is_inside(each.path, each.state, frame)]:
            if branch.path.startswith(spared):
                continue
            self.orphan(branch)
            if self.branches.index(branch) < self.slot:
                self.slot -= 1
            self.branches.remove(branch)
            if outcome is not None and branch.visit > 0:
                self.row(branch, outcome)
        self.agenda = [
            item
            for item in self.agenda
            if not self._is_item_inside(item, frame) or (spared and self._path_of(item).startswith(spared))
        ]
        self.frames = [
            each
            for each in self.frames
            if not _is_same(each, frame)
            and (
                not self.is_inside(each.path, each.state, frame)
                or self.lanes_of(each) in spared
                or each.path.startswith(spared)
            )
        ]
        if frame.lanes and not keep:
            lanes = self.lanes_of(frame)
            self.visits = {key: count for key, count in self.visits.items() if not key.startswith(lanes)}
            if self.rounds:
                self.rounds = {key: count for key, count in self.rounds.items() if not key.startswith(lanes)}

    def lanes_of(self, frame: Frame) -> str:
        """What the paths of all branches of a parallel begin with."""
        return f"{frame.path}/{self.states[frame.state].key}:{frame.visit}:"

    @staticmethod
    def _path_of(item: Item) -> str:
        return item.branch.path if isinstance(item, Fail) else item.path

    def is_alive(self, path: str) -> bool:
        """Whether anything goes on, on a path or on one that began from it."""
        below = f"{path}/"
        paths = [*(branch.path for branch in self.branches), *(self._path_of(item) for item in self.agenda)]
        return any(each == path or each.startswith(below) for each in paths)

    def forget_below(self, path: str) -> None:
        """No block is open any more on a path that has ended."""
        below = f"{path}/"
        self.frames = [each for each in self.frames if each.path != path and not each.path.startswith(below)]

    def _is_item_inside(self, item: Item, frame: Frame) -> bool:
        match item:
            case Enter():
                return self.is_inside(item.path, item.state, frame)
            case EndRound():
                is_own = (item.path, item.owner) == (frame.path, frame.state)
                return is_own or self.is_inside(item.path, item.owner, frame)
            case EndLane():
                above, state, visit, _ = owner_of(item.path)
                is_own = (above, state, visit) == (frame.path, frame.state, frame.visit)
                return is_own or self.is_inside(above, state, frame)
            case Fail():
                return self.is_inside(item.branch.path, item.branch.state, frame)

    def close_around(self, path: str, state: CompiledState, upto: str | None) -> None:
        """The blocks between a state and one around it, whose name is given and whose own block is left too."""
        for above, owner in list(self.around(path, state)):
            if (frame := self.frame(above, owner.name)) is not None and not frame.joined:
                self.close(frame)
            if owner.name == upto:
                return


def _config(context: Context, variables: Values) -> Values:
    """The settings, under those that the run brought along."""
    return overridden(context.config, overrides_in(variables), context.declared)


def _is_same(one: Frame, other: Frame) -> bool:
    return (one.path, one.state, one.visit) == (other.path, other.state, other.visit)
