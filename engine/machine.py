"""The pure heart: what happens next. No I/O, no clock, no chance, no ids drawn here.

    start(program, ...)                            -> Step
    transition(program, execution, input, context) -> Step

A `Step` is the new execution, the effects to commit and then perform, and the history rows to commit with them. Time
comes in with every input, chance and settings with the context, so that replay, recovery and simulation are this same
code with another clock and another performer.

An execution rests on branches. What lets a branch move is one of: the result of the effect it asked for, a due time, or
a control. A moving branch leaves its state by an event (`success`, `error`, `timeout`, `unknown`, `cancel`), which
writes one history row, and enters states until one of them rests: a call waits for its result, a wait for its time,
everything else is over at once. An effect that nobody waits for any more (time limit, cancel, stop) is an orphan: its
result is recorded and changes nothing. An input that fits nothing leaves the execution as it is.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, assert_never

from engine.arguments import filled_in, missing_input
from engine.context import Context
from engine.effect_ids import effect_id, place_of
from engine.errors import EvaluationError
from engine.events import Event
from engine.execution import FINAL, MAIN, Branch, Effect, Execution, HistoryRow, Status, Values
from engine.inputs import (
    Cancel,
    Ending,
    Errored,
    Input,
    OutcomeUnknown,
    Pause,
    Resume,
    Stop,
    Succeeded,
    TimeReached,
)
from engine.model import Retry
from engine.people import person_in
from engine.program import LONGEST_WAIT, CompiledState, Program
from engine.scope import Scope
from engine.secrets import redacted
from engine.values import within
from engine.ways import clean_up, first_open, onward, remedy

MAX_ROUNDS: Final = 1_000
"""How often a state may be entered again without a wait of a second or more, unless the definition sets a limit."""

MAX_CHAIN: Final = 10_000
"""How many states may be passed in one transition."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a start or an input comes to; commit all of it, then perform the effects."""

    execution: Execution
    effects: tuple[Effect, ...] = ()
    history: tuple[HistoryRow, ...] = ()


# Starting and moving ---------------------------------------------------------------------------------------------------


def start(
    program: Program,
    *,
    id: str,
    community: str,
    revision: int,
    event: Event | None,
    arguments: Values,
    user: Values | None,
    caller: Values | None,
    at: float,
    context: Context,
    depth: int = 0,
) -> Step:
    """Begin a run and go on until it rests."""
    definition = program.definition
    execution = Execution(
        id=id,
        community=community,
        workflow=definition.id,
        revision=revision,
        status="running",
        started_at=at,
        variables=dict(arguments),
        event={} if event is None else {"name": event.name, "id": event.id, "at": event.at, **event.payload},
        user=person_in(arguments.get("user")) or user,
        caller=caller,
        depth=depth,
        timeout_due=None if definition.timeout_seconds is None else at + definition.timeout_seconds,
    )
    work = _Work(program, execution, context, at)
    work.begin()
    return work.step()


def transition(program: Program, execution: Execution, input: Input, context: Context) -> Step:
    """What an input does to a run; the same execution and nothing else if it fits nothing."""
    if execution.status in FINAL and not isinstance(input, Ending):
        return Step(execution)
    work = _Work(program, execution, context, input.at)
    match input:
        case Succeeded() | Errored() | OutcomeUnknown():
            moved = work.result(input)
        case TimeReached():
            moved = work.time_reached()
        case Cancel():
            moved = work.cancel(input.by)
        case Stop():
            moved = work.stop(input.by)
        case Pause():
            moved = work.pause(input.by)
        case Resume():
            moved = work.resume(input.by)
        case _:
            assert_never(input)
    return work.step() if moved else Step(execution)


def given_up(execution: Execution, input: Input) -> Step:
    """What becomes of an execution that the machine cannot move: it ends, so that nothing is ever stuck."""
    in_flight = tuple(branch.effect for branch in execution.branches if branch.effect is not None)
    ended = input.effect if isinstance(input, Ending) else None
    failed = replace(
        execution,
        status="failed",
        branches=(),
        ended_at=input.at,
        error="it cannot go on: this version of the bot cannot run it, or made a mistake that is in the log",
        orphans=tuple(effect for effect in (*execution.orphans, *in_flight) if effect != ended),
    )
    return Step(failed)


class _Work:
    """One transition in the making: a working copy of an execution, and what comes out of it."""

    __slots__ = (
        "at",
        "branches",
        "cancelled",
        "chain",
        "chance",
        "effects",
        "ended",
        "error",
        "execution",
        "late",
        "limit",
        "orphans",
        "paused_at",
        "program",
        "results",
        "rounds",
        "rows",
        "scope",
        "seq",
        "slot",
        "states",
        "timed_out",
        "timeout_due",
        "variables",
        "visits",
    )

    def __init__(self, program: Program, execution: Execution, context: Context, at: float) -> None:
        self.program = program
        self.states = program.states
        self.limit = program.definition.max_loop_iterations
        self.execution = execution
        self.at = at
        self.branches = list(execution.branches)
        self.visits = dict(execution.visits)
        self.variables = execution.variables
        self.results = dict(execution.results)
        self.rounds = execution.rounds
        self.orphans = execution.orphans
        self.error = execution.error
        self.cancelled = execution.cancelled
        self.timed_out = execution.timed_out
        self.timeout_due = execution.timeout_due
        self.paused_at = execution.paused_at
        self.late = execution.late
        self.seq = execution.seq
        self.chance = context.chance
        self.rows: list[HistoryRow] = []
        self.effects: list[Effect] = []
        self.ended: Status | None = execution.status if execution.status in FINAL else None
        self.chain = 0
        self.slot = 0
        self.scope = Scope(
            variables=self.variables,
            results=self.results,
            event=execution.event,
            user=execution.user,
            caller=execution.caller,
            config=context.config,
            data=context.data,
            stream=context.stream,
            zone=context.zone,
            now=at,
            late=self.late,
        )

    def step(self) -> Step:
        """The outcome of the transition."""
        if self.ended is None and not self.branches:
            self.close()
        execution = self.execution
        changed = Execution(
            id=execution.id,
            community=execution.community,
            workflow=execution.workflow,
            revision=execution.revision,
            status=self.status(),
            started_at=execution.started_at,
            seq=self.seq,
            branches=tuple(self.branches),
            visits=self.visits,
            variables=self.variables,
            results=self.results,
            event=execution.event,
            user=execution.user,
            caller=execution.caller,
            ended_at=execution.ended_at if self.ended is None or execution.ended_at is not None else self.at,
            error=self.error,
            cancelled=self.cancelled,
            paused_at=self.paused_at,
            depth=execution.depth,
            orphans=self.orphans,
            late=self.late,
            rounds=self.rounds,
            timeout_due=self.timeout_due,
            timed_out=self.timed_out,
        )
        return Step(changed, tuple(self.effects), tuple(self.rows))

    def status(self) -> Status:
        if self.ended is not None:
            return self.ended
        if self.paused_at is not None:
            return "paused"
        if self.cancelled or self.timed_out:
            return "stopping"
        return "running" if any(branch.effect is not None for branch in self.branches) else "waiting"

    def close(self) -> None:
        """No branch is left: the run is over, unless its own time ran out and its `on_error` has not run yet."""
        while not self.branches and self.ended is None:
            if not self.timed_out:
                self.ended = "cancelled" if self.cancelled else "completed"
            elif self.error is None:
                self.error = self.too_long()
                if self.program.definition.on_error is None:
                    self.ended = "failed"
                else:
                    self.go(MAIN, self.program.definition.on_error)
            else:
                self.ended = "failed"
        if self.ended is not None:
            self.paused_at = None
            self.timeout_due = None

    def too_long(self) -> str:
        seconds = self.program.definition.timeout_seconds or 0
        return f"it took longer than the {_seconds(seconds)} it may take"

    def fail(self, sentence: str) -> None:
        """The run ends here and now, as failed."""
        self.error = sentence
        self.end("cancelled" if self.cancelled and not self.timed_out else "failed")

    def end(self, status: Status) -> None:
        """Nothing goes on; effects in flight are recorded when they end, those of this very transition are not begun."""
        fresh = {effect.id for effect in self.effects}
        for branch in self.branches:
            if branch.effect is not None and branch.effect not in fresh:
                self.orphans = (*self.orphans, branch.effect)
        self.effects.clear()
        self.branches.clear()
        self.ended = status
        self.paused_at = None
        self.timeout_due = None

    def begin(self) -> None:
        """Fill in declared variables and enter the first state."""
        missing = missing_input(self.program, self.variables)
        if missing is not None:
            self.fail(missing)
            return
        try:
            self.variables = self.scope.variables = filled_in(self.program, self.scope)
        except EvaluationError as error:
            self.fail(f"it could not start: {error.reason}")
            return
        self.go(MAIN, self.program.definition.initial_state)

    # Inputs. Each tells whether it moved anything.

    def result(self, input: Ending) -> bool:
        branch = next((branch for branch in self.branches if branch.effect == input.effect), None)
        if branch is None:
            return self.late_result(input)
        self.slot = self.branches.index(branch)
        del self.branches[self.slot]
        state = self.states[branch.state]
        match input:
            case Succeeded():
                self.go(branch.path, self.succeed(branch, state, input.output))
            case Errored():
                if not self.retry(branch, state, input):
                    outcome = "timeout" if input.error == "timeout" else "error"
                    self.go(branch.path, self.go_wrong(branch, state, outcome, input.message))
            case OutcomeUnknown():
                self.go(branch.path, self.go_wrong(branch, state, "unknown", input.message))
            case _:
                assert_never(input)
        return True

    def late_result(self, input: Ending) -> bool:
        """Record what came of an effect that no branch waits for any more."""
        if input.effect not in self.orphans:
            return False
        self.orphans = tuple(orphan for orphan in self.orphans if orphan != input.effect)
        path, state, visit, attempt = place_of(self.execution.id, input.effect)
        branch = Branch(path, state, visit, attempt, entered_at=self.at)
        match input:
            case Succeeded():
                self.row(branch, "late success", output=input.output)
            case Errored():
                self.row(branch, "late error", error=input.message)
            case OutcomeUnknown():
                self.row(branch, "late unknown", error=input.message)
            case _:
                assert_never(input)
        return True

    def time_reached(self) -> bool:
        """Let everything happen that is due by now, in due order."""
        if self.paused_at is not None:
            return False
        moved = False
        while self.ended is None and (index := self.earliest()) is not None:
            moved = True
            if index < 0:
                self.run_out()
                continue
            branch = self.branches.pop(index)
            self.slot = index
            state = self.states[branch.state]
            if branch.due is None or (branch.timeout_due is not None and branch.timeout_due < branch.due):
                self.orphan(branch)
                sentence = f'"{branch.state}" took longer than {_seconds(state.timeout or 0)}'
                self.go(branch.path, self.go_wrong(branch, state, "timeout", sentence))
            elif state.kind == "wait":
                self.go(branch.path, self.awake(branch, state))
            else:
                self.go(branch.path, self.ask_again(branch, state))
        return moved

    def earliest(self) -> int | None:
        """Index of the branch whose time comes first, -1 for the run itself, None if nothing is due."""
        found, first = None, self.at
        for index, branch in enumerate(self.branches):
            for due in (branch.due, branch.timeout_due):
                if due is not None and (due < first or (found is None and due <= first)):
                    found, first = index, due
        if self.timeout_due is not None and self.timeout_due <= self.at and (found is None or self.timeout_due < first):
            return -1
        return found

    def awake(self, branch: Branch, state: CompiledState) -> str | None:
        """A wait is over, perhaps late."""
        self.late = self.scope.late = max(0, int(self.at - (branch.due or self.at)))
        if self.rounds and branch.params["seconds"] >= 1:
            self.rounds = {}
        return self.succeed(branch, state, None)

    def run_out(self) -> None:
        """The time of the whole run is up: clean up, then `on_error`, then failed."""
        self.timed_out = True
        self.timeout_due = None
        self.leave_all("timeout", None)

    def cancel(self, by: str) -> bool:
        if self.cancelled or self.timed_out:
            return False
        if self.paused_at is not None:
            self.unfreeze()
        self.error = f"cancelled by {by}"
        self.cancelled = True
        if not self.leave_all("cancel", by):
            self.cancelled = False
            self.end("stopped")
        return True

    def leave_all(self, outcome: str, by: str | None) -> bool:
        """Every branch that has a `cancel` edge goes there; the others end. Tells whether any had one."""
        left = self.branches
        self.branches = []
        moves: list[tuple[str, str]] = []
        for branch in left:
            self.orphan(branch)
            to = clean_up(self.states, self.states[branch.state], self.scope)
            self.row(branch, outcome, to=to, by=by)
            if to is not None:
                moves.append((branch.path, to))
        for path, to in moves:
            self.slot = len(self.branches)
            self.go(path, to)
        return bool(moves)

    def stop(self, by: str) -> bool:
        for branch in self.branches:
            self.row(branch, "stopped", by=by)
        self.error = f"stopped by {by}"
        self.end("stopped")
        return True

    def pause(self, by: str) -> bool:
        if self.paused_at is not None:
            return False
        self.paused_at = self.at
        self.row(self.branches[0], "paused", by=by)
        return True

    def resume(self, by: str) -> bool:
        if self.paused_at is None:
            return False
        self.row(self.branches[0], "resumed", by=by)
        self.unfreeze()
        for branch in [branch for branch in self.branches if branch.visit == 0]:
            if branch in self.branches:  # a failure of an earlier one ends them all
                self.slot = self.branches.index(branch)
                del self.branches[self.slot]
                self.go(branch.path, branch.state)
        return True

    def unfreeze(self) -> None:
        """Whatever was left of waits, time limits and pauses before retries begins to run again."""
        gap = max(0.0, self.at - (self.paused_at or self.at))
        self.paused_at = None
        self.branches = [_later(branch, gap) for branch in self.branches]
        if self.timeout_due is not None:
            self.timeout_due += gap

    # Moving a branch.

    def go(self, path: str, name: str | None) -> None:
        """Enter states, one after the other, until one rests or the path ends."""
        while name is not None and self.ended is None:
            self.chain += 1
            if self.chain > MAX_CHAIN:
                self.fail(f"it passed {MAX_CHAIN:,} steps without a wait")
                return
            name = self.enter(path, name)

    def enter(self, path: str, name: str) -> str | None:
        """Enter a state; the next one if this one is over at once."""
        if self.paused_at is not None:
            self.branches.insert(self.slot, Branch(path, name, 0, 0, entered_at=self.at))
            return None
        state = self.states[name]
        key = f"{path}/{name}"
        visit = self.visits.get(key, 0) + 1
        self.visits[key] = visit
        if visit > 1 and self.too_often(key, name, visit):
            return None
        if not state.enabled:
            return self.succeed(Branch(path, name, visit, entered_at=self.at), state, None, "skipped")
        limit = None if state.timeout is None else self.at + state.timeout
        if state.kind == "call":
            return self.ask(path, state, visit, 1, self.at, limit, None)
        if state.kind == "wait":
            return self.rest(path, state, visit, limit)
        return self.pass_through(Branch(path, name, visit, entered_at=self.at), state)

    def too_often(self, key: str, name: str, visit: int) -> bool:
        """Whether a loop has gone round more often than it may; the run has failed then."""
        if self.limit is not None:
            if visit > self.limit:
                self.fail(f'"{name}" came more often than {self.limit:,} times, the limit of this workflow')
                return True
            return False
        count = self.rounds.get(key, 0) + 1
        if count >= MAX_ROUNDS:
            self.fail(f'"{name}" came {MAX_ROUNDS:,} times without a wait of a second or more in between')
            return True
        self.rounds = {**self.rounds, key: count}
        return False

    def ask_again(self, branch: Branch, state: CompiledState) -> str | None:
        """The next try, right now."""
        return self.ask(branch.path, state, branch.visit, branch.attempt, branch.entered_at, branch.timeout_due, branch)

    def ask(
        self,
        path: str,
        state: CompiledState,
        visit: int,
        attempt: int,
        entered_at: float,
        limit: float | None,
        before: Branch | None,
    ) -> str | None:
        """Ask a service; a try after the first one asks for the same."""
        if before is not None and not state.secret:
            params = before.params
        else:
            try:
                params = state.work(self.scope) if state.work is not None else {}
            except EvaluationError as error:
                branch = Branch(path, state.name, visit, attempt, None, entered_at)
                return self.go_wrong(branch, state, "error", error.reason)
        execution = self.execution
        id = effect_id(execution.id, path, state.key, visit, attempt)
        self.effects.append(
            Effect(
                id,
                execution.community,
                execution.id,
                execution.workflow,
                state.name,
                state.service,
                state.method,
                params,
                state.repeatable,
                attempt,
            )
        )
        kept = redacted(params) if state.secret else params
        self.branches.insert(self.slot, Branch(path, state.name, visit, attempt, id, entered_at, None, limit, kept))
        return None

    def rest(self, path: str, state: CompiledState, visit: int, limit: float | None) -> str | None:
        """Wait; no time at all is over at once."""
        try:
            params = state.work(self.scope) if state.work is not None else {"seconds": 0}
        except EvaluationError as error:
            return self.go_wrong(Branch(path, state.name, visit, entered_at=self.at), state, "error", error.reason)
        seconds = params["seconds"]
        branch = Branch(path, state.name, visit, 1, None, self.at, self.at + seconds, limit, params)
        if seconds <= 0:
            return self.succeed(branch, state, None)
        self.branches.insert(self.slot, branch)
        return None

    def pass_through(self, branch: Branch, state: CompiledState) -> str | None:
        """Do what needs neither a service nor time."""
        if state.kind == "goto":
            self.row(branch, "success", to=state.to)
            return state.to
        if state.kind == "stop":
            self.row(branch, "success")
            return None
        try:
            if state.kind == "choose":
                return self.choose(branch, state)
            value: Any = state.work(self.scope) if state.work is not None else {}
            if state.kind == "set":
                self.variables = self.scope.variables = within({**self.variables, **value})
                return self.succeed(branch, state, None, params=value)
            if state.into is not None:
                self.variables = self.scope.variables = within({**self.variables, state.into: value})
        except EvaluationError as error:
            return self.go_wrong(branch, state, "error", error.reason)
        return self.succeed(branch, state, value)

    def choose(self, branch: Branch, state: CompiledState) -> str | None:
        """Go into the first case that holds; past the choice if none does."""
        to = first_open(state.cases, self.scope)
        if to is None:
            return self.succeed(branch, state, None)
        self.row(branch, "success", to=to)
        return to

    # Leaving a state: each writes the row and gives the next state, or None where the path ends.

    def succeed(
        self, branch: Branch, state: CompiledState, output: Any, outcome: str = "success", params: Any = None
    ) -> str | None:
        if output is not None:
            self.results[state.name] = output
        elif state.name in self.results:
            del self.results[state.name]
        try:
            to = onward(self.states, state, self.scope)
        except EvaluationError as error:
            return self.go_wrong(branch, state, "error", error.reason, output)
        self.row(branch, outcome, output=output, to=to, params=params)
        return to

    def go_wrong(
        self, branch: Branch, state: CompiledState, outcome: str, sentence: str, output: Any = None
    ) -> str | None:
        """A try has ended badly and for good; `outcome` is error, timeout or unknown."""
        handled, to, trouble = remedy(
            self.states, state, ("error",) if outcome == "error" else (outcome, "error"), self.scope
        )
        said = sentence if trouble is None else f"{sentence}; then {trouble}"
        on_error = self.program.definition.on_error
        if not handled and on_error is not None and self.error is None:
            handled, to = True, on_error
            self.error = said
        self.row(branch, outcome, output=output, error=said, to=to)
        if not handled:
            self.fail(f'"{state.name}" failed: {said}' if outcome != "unknown" else said)
        return to

    def retry(self, branch: Branch, state: CompiledState, input: Errored) -> bool:
        """Plan another try, if the failure and the definition allow one."""
        policy = state.retry
        if policy is None or not input.retryable or branch.attempt >= policy.max_attempts:
            return False
        if policy.on and input.error not in policy.on:
            return False
        delay = _pause_before_next(policy, branch.attempt, self.chance[0])
        self.row(branch, "error", error=input.message, to=branch.state)
        since = self.at if self.paused_at is None else self.paused_at  # what is left of it begins to run at resume
        again = replace(branch, attempt=branch.attempt + 1, effect=None, due=since + delay)
        if delay <= 0 and self.paused_at is None:
            self.go(again.path, self.ask_again(again, state))
        else:
            self.branches.insert(self.slot, again)
        return True

    def orphan(self, branch: Branch) -> None:
        if branch.effect is not None:
            self.orphans = (*self.orphans, branch.effect)

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


def _later(branch: Branch, gap: float) -> Branch:
    return replace(
        branch,
        due=None if branch.due is None else branch.due + gap,
        timeout_due=None if branch.timeout_due is None else branch.timeout_due + gap,
    )


def _pause_before_next(policy: Retry, tried: int, chance: float) -> float:
    """The seconds to wait after so many tries."""
    delay = min(policy.delay_seconds * policy.backoff ** (tried - 1), LONGEST_WAIT)
    if policy.max_delay_seconds is not None:
        delay = min(delay, policy.max_delay_seconds)
    return delay * (1 + policy.jitter * (2 * chance - 1)) if policy.jitter else delay


def _seconds(seconds: float) -> str:
    return "1 second" if seconds == 1 else f"{seconds:g} seconds"
