"""Plays what would happen: the very admission, machine and bookkeeping of the runner, on copies and a clock that jumps.

    by_hand(stage, workflow, ...)    what if somebody ran it now
    by_event(stage, workflow, ...)   what if this happened now
    backtest(stage, workflow, ...)   what would it have done with what has happened

Nothing is performed and nothing is kept: a service is not asked but taken to succeed, unless the stage says what it would
answer, and only what concerns the community's own data is worked out, on a copy. Services answer in the order in which
they are asked, after all that is done by a commit, as whoever asks over a network sees it. The community begins with
nothing going on. The same stage comes to the same trace. Whatever goes on for too long is cut off, and the trace says so.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final, Generic, TypeVar

from engine.actions import EMIT, ENGINE
from engine.admission import Let, Moment, Refuse, admit, admit_by_hand
from engine.clock import VirtualClock
from engine.community import Community, load
from engine.context import Context, event_scope
from engine.data import SERVICE as DATA
from engine.data import Kept, apply
from engine.emitting import emitted
from engine.events import Event, canonical
from engine.execution import FINAL, Branch, Done, Effect, Execution, Failed, HistoryRow, Person, Result, Values
from engine.folding import PATIENCE, Header, Single, fold_of
from engine.inputs import Heard, TimeReached, ending
from engine.machine import heard_as
from engine.model import Emit, all_states
from engine.people import all_roles, name_of, person_in
from engine.ports import AdmissionRecord, Batch
from engine.progress import Progress
from engine.roster import Roster
from engine.scope import Scope
from engine.simulation import Asked, Begun, Cue, Ended, Happened, Left, Line, Refused, Stage, Trace, Waits
from engine.storable import size_of
from engine.tasks import Tasks
from engine.triggers import Match
from engine.wording import counted
from engine.writer import IN_A_COMMIT, Group

MANUAL: Final = canonical("manual")
_CLOCKED: Final = frozenset({"schedule.fired", "interval.elapsed"})
_MAX_OUTPUT: Final = 32_000
_T = TypeVar("_T")


def by_hand(
    stage: Stage,
    workflow: str,
    arguments: Mapping[str, Any],
    caller: Person,
    *,
    user: Values | None = None,
    script: Sequence[Cue] = (),
) -> Trace:
    """What would happen if somebody ran a workflow now; `user` is whom it would be about, if not the one who runs it."""
    play = _Play(stage, workflow)
    return play.through(lambda: play.run(arguments, caller, user), script)


def by_event(stage: Stage, workflow: str, event: Event, *, script: Sequence[Cue] = ()) -> Trace:
    """What a workflow would make of an event that happens now, and what would come of it."""
    play = _Play(stage, workflow)
    return play.through(lambda: play.happen(event), script)


def backtest(stage: Stage, workflow: str, events: Iterable[Event]) -> Trace:
    """What a workflow, as it stands on the stage, would have done with what has happened.

    Only events that something would have come of are in the trace. What it would have let happen by itself takes the place
    of what was recorded of that.
    """
    recorded = sorted(events, key=lambda event: event.at)
    if not recorded:
        return Trace(stage.at, ())
    stage = replace(stage, at=recorded[0].at, stream={**stage.stream, **_live_before(recorded)})
    play = _Play(stage, workflow, quiet=True)
    cues = [Cue(event.at - stage.at, event) for event in _folded(recorded) if not _own(event, play.emits())]
    return play.through(lambda: None, cues)


def _live_before(events: Sequence[Event]) -> dict[str, bool]:
    """Whether the stream was live before the first of these, where they tell."""
    names = (canonical(event.name) for event in events)
    first = next((name for name in names if name in ("stream.started", "stream.ended")), None)
    return {} if first is None else {"live": first == "stream.ended"}


def _folded(events: Sequence[Event]) -> Iterable[Event]:
    """Without the gifts that belong to a header; those without one stand for themselves, once nobody waits for it."""
    headers = {fold.key for event in events if isinstance(fold := fold_of(event), Header)}
    for event in events:
        fold = fold_of(event)
        if not isinstance(fold, Single):
            yield event
        elif fold.key not in headers:
            yield replace(event, at=event.at + PATIENCE)


def _own(event: Event, emits: frozenset[str]) -> bool:
    return event.cause is not None and canonical(event.name) in emits


class _Enough(Exception):
    """It has gone far enough; the text says why it is cut off."""


class _Noted(list[_T], Generic[_T]):
    """A part of a commit that tells what is put into it, in the order in which it is."""

    def __init__(self, note: Callable[[_T], None]) -> None:
        super().__init__()
        self._note = note

    def append(self, item: _T) -> None:
        super().append(item)
        self._note(item)

    def extend(self, items: Iterable[_T]) -> None:
        for item in items:
            self.append(item)


class _Play:
    """One dry run."""

    def __init__(self, stage: Stage, workflow: str, *, quiet: bool = False) -> None:
        self._stage = stage
        self._workflow = workflow
        self._quiet = quiet
        self._now = stage.at
        self._stream = dict(stage.stream)
        self._lines: list[Line] = []
        self._own: deque[Effect] = deque()  # what the bot does itself, and has done before any service answers
        self._effects: deque[Effect] = deque()
        self._due: list[tuple[float, int, str]] = []
        self._order = count()
        self._form: Execution | None = None
        self._told: set[object] = set()
        self._runs = self._events = self._unmatched = 0
        ids = count(1)
        self._community = _staged(stage)
        self._progress = Progress(
            lambda: self._now,
            lambda: f"run{next(ids)}",
            self._context_of,
            lambda: False,
            lambda _: self._page(),
        )

    def emits(self) -> frozenset[str]:
        """The events that the workflow itself lets happen."""
        loaded = self._community.current(self._workflow)
        states = () if loaded is None else all_states(loaded.record.definition.states)
        return frozenset(canonical(state.action.event) for state in states if isinstance(state.action, Emit))

    # Going through it ------------------------------------------------------------------------------------------------

    def through(self, opening: Callable[[], None], script: Iterable[Cue]) -> Trace:
        """Everything from the opening on, until nothing more would happen, or it has gone far enough."""
        cues = deque(sorted(script, key=lambda cue: cue.after))
        cut: str | None = None
        try:
            opening()
            while self._own or self._effects or self._goes_on(cues):
                if asked := self._own or self._effects:
                    self._perform(asked.popleft())
        except _Enough as enough:
            cut = str(enough)
        live = tuple(run.id for run in self._community.roster.awake.values() if run.status not in FINAL)
        return Trace(self._stage.at, tuple(self._lines), cut, self._events, self._unmatched, live)

    def _goes_on(self, cues: deque[Cue]) -> bool:
        """Let the next thing happen that time brings: what is due, or an event; tells whether there was any."""
        while self._due and not self._is_due(*self._due[0]):
            heappop(self._due)
        cue = self._stage.at + cues[0].after if cues else None
        due = self._due[0][0] if self._due else None
        if cue is None and due is None:
            return False
        if due is not None and (cue is None or due <= cue):
            self._reach(due)
            self._come(heappop(self._due)[2])
        elif cue is not None:
            self._reach(cue)
            self.happen(cues.popleft().event)
        return True

    def _reach(self, when: float) -> None:
        most = self._stage.limits.seconds
        if when > self._stage.at + most:
            raise _Enough(f"What would come after more than {counted(round(most / 86_400), 'day')} is left out.")
        self._now = max(self._now, when)

    def _is_due(self, when: float, _: int, id: str) -> bool:
        run = self._community.roster.awake.get(id)
        return run is not None and run.next_due is not None and run.next_due <= when

    def _come(self, id: str) -> None:
        """What a run waited for is there."""
        run = self._community.roster.awake[id]
        if run.status == "scheduled":
            self._progress.begin_put_off(self._community, run, self._page())
        else:
            self._progress.move(self._community, run, TimeReached(self._now), self._page())
        self._flush()

    # What comes in ---------------------------------------------------------------------------------------------------

    def run(self, arguments: Mapping[str, Any], caller: Person, user: Values | None) -> None:
        """Somebody runs the workflow."""
        who = {"name": caller.name, "roles": all_roles(caller.roles)}
        happening = Event("", MANUAL, self._now, self._community.name, {"user": who})
        loaded = self._community.current(self._workflow)
        if loaded is None:
            self._refuse(happening, Refuse(self._workflow, f"there is no workflow {self._workflow}"))
            return
        context = self._context()
        scope = Scope(
            variables=arguments, user=who, caller=who, config=context.config, data=context.data, stream=context.stream
        )
        standing = self._progress.standing(self._community, loaded)
        answer = admit_by_hand(standing, arguments, caller, scope, self._moment(context))
        match answer:
            case Let():
                self._progress.start(
                    self._community, loaded, self._page(), happening, arguments, answer, caller=who, user=user or who
                )
            case Refuse():
                self._refuse(happening, answer)
        self._flush()

    def happen(self, event: Event, by: str | None = None) -> None:
        """Something happens, by itself or because a run lets it."""
        if by is None:
            self._events += 1
        self._follow_stream(event)
        name, who = canonical(event.name), name_of(event.payload.get("user"))
        at, before, heard = len(self._lines), self._unmatched, list[str]()
        try:
            self._lead_to(event, by, heard)
        finally:
            if by is not None or not self._quiet or len(self._lines) > at:
                payload = {name: value for name, value in event.payload.items() if name != "user"}
                self._lines.insert(at, Happened(self._now, name, who, payload, by, tuple(heard)))
        if by is None and not self._quiet and not heard and len(self._lines) == at + 1 and before == self._unmatched:
            self._note(Refused(self._now, self._workflow, name, who, "it does not listen for that"))

    def _lead_to(self, event: Event, by: str | None, heard: list[str]) -> None:
        """Let those hear who wait, and start what it starts."""
        if not self._let_hear(event, heard):
            scope = event_scope(event, self._context(), caller=person_in(event.payload.get("user")))
            for match in self._matches(event, scope, by):
                self._answer(event, match, scope)
        self._flush()

    def _follow_stream(self, event: Event) -> None:
        if (name := canonical(event.name)) in ("stream.started", "stream.ended"):
            self._stream["live"] = name == "stream.started"

    def _let_hear(self, event: Event, heard: list[str]) -> bool:
        """Let those hear who wait, those first that have waited longest; whether one keeps the event to itself."""
        if event.own:
            return False
        name = canonical(event.name)
        input = Heard(self._now, name, {**heard_as(event), "name": name})
        for id in self._community.ears.of(name, name_of(event.payload.get("user"))):
            run = self._community.roster.awake.get(id)
            if run is None:
                continue
            step = self._progress.move(self._community, run, input, self._page())
            if step.execution is not run:
                heard.append(id)
            if step.consumed:
                return True
        return False

    def _matches(self, event: Event, scope: Scope, by: str | None) -> tuple[Match, ...]:
        """What is tried to be started: the workflow this is about, or whatever listens for an event of our own."""
        matches = self._community.triggers.match(event, scope)
        if by is not None:
            return matches.all()
        if canonical(event.name) in _CLOCKED and event.payload.get("workflow", self._workflow) != self._workflow:
            return ()
        found = matches.of(self._workflow)
        if self._quiet and any(match.reason is not None for match in found):
            self._unmatched += 1
            return ()
        return found

    def _answer(self, event: Event, match: Match, scope: Scope) -> None:
        loaded = self._community.current(match.workflow)
        assert loaded is not None, "the index only knows workflows that are there"  # noqa: S101
        standing = self._progress.standing(self._community, loaded)
        answer = admit(event, match, standing, scope, self._moment(self._context()))
        match answer:
            case Let():
                user = person_in(event.payload.get("user"))
                caller = user if event.caller is None else event.caller
                self._progress.start(self._community, loaded, self._page(), event, {}, answer, caller=caller, user=user)
            case Refuse():
                self._refuse(event, answer)

    def _refuse(self, event: Event, refusal: Refuse) -> None:
        who, name = name_of(event.payload.get("user")), canonical(event.name)
        self._note(Refused(self._now, refusal.workflow, name, who, refusal.reason, refusal.allowed_at))

    def _moment(self, context: Context) -> Moment:
        return Moment(self._now, context.zone, context.stream.get("live") is True)

    def _context_of(self, _: str, *, draws: bool = True) -> Context:
        return self._context()

    def _context(self) -> Context:
        stage = self._stage
        chance = (stage.chance, stage.chance)
        return Context(stage.config, self._community.kept.tree, self._stream, stage.zone, chance)

    # What services would do ------------------------------------------------------------------------------------------

    def _ask(self, effect: Effect) -> None:
        (self._own if effect.service in IN_A_COMMIT else self._effects).append(effect)

    def _perform(self, effect: Effect) -> None:
        run = self._community.roster.awake.get(effect.execution)
        result, made_up = self._result(effect, run)
        if effect.service != ENGINE:
            self._note(Asked(self._now, effect.execution, effect, result, made_up))
        run = self._community.roster.awake.get(effect.execution)
        if run is not None:
            step = self._progress.next(self._community, run, ending(effect, result, self._now))
            self._progress.take(self._community, step, self._page())
        self._flush()

    def _result(self, effect: Effect, run: Execution | None) -> tuple[Result, bool]:
        """What it would come to, and whether that is made up."""
        if run is not None:
            forbidden = self._community.revisions[run.workflow, run.revision].forbidden.get(effect.state)
            if forbidden is not None:
                return Failed("forbidden", forbidden), False
        answer = self._stage.answer(effect)
        if answer is not None:
            return _fit(effect, answer), False
        if effect.service == DATA:
            return self._keep(effect, run), False
        if (effect.service, effect.method) == (ENGINE, EMIT):
            self.happen(emitted(effect, self._now), by=effect.execution)
            return Done(), False
        return Done(), True

    def _keep(self, effect: Effect, run: Execution | None) -> Result:
        """Do what a step asks of what the community keeps, to the copy."""
        user = None if run is None else name_of(run.user) or name_of(run.caller)
        method = self._stage.declarations.find(effect.service, effect.method)
        result, rows = apply(
            effect.method if method is None else method.name,
            effect.params,
            self._community.kept,
            now=self._now,
            chance=self._stage.chance,
            by=user or "",
            zone=self._stage.zone,
        )
        self._community.kept.take(rows)
        return result

    # The trace -------------------------------------------------------------------------------------------------------

    def _page(self) -> Group:
        """A commit that is never made: whatever would be in it is told instead."""
        batch = Batch(
            executions=_Noted(self._stands),
            history=_Noted(self._left),
            outbox=_Noted(self._ask),
            admissions=_Noted(self._admitted),
        )
        return Group(batch)

    def _note(self, line: Line) -> None:
        most = self._stage.limits.lines
        if len(self._lines) >= most:
            raise _Enough(f"It goes on, but more than {counted(most, 'line')} of it are too many.")
        self._lines.append(line)

    def _admitted(self, record: AdmissionRecord) -> None:
        self._flush()
        if record.execution is None:
            reason = record.reason or ""
            self._note(Refused(self._now, record.workflow, record.event_name, record.who, reason, record.allowed_at))
            return
        self._runs += 1
        if self._runs > (most := self._stage.limits.runs):
            raise _Enough(f"It would start more than {counted(most, 'run')}; the rest is left out.")
        loaded = self._community.current(record.workflow)
        revision = 0 if loaded is None else loaded.record.number
        parent, dot, _ = record.execution.rpartition(".")
        self._note(
            Begun(
                self._now,
                record.execution,
                record.workflow,
                revision,
                record.event_name,
                record.who,
                parent if dot else None,
            )
        )

    def _stands(self, run: Execution) -> None:
        self._flush()
        self._form = run

    def _left(self, row: HistoryRow) -> None:
        run = self._form
        assert run is not None, "a row comes with its run"  # noqa: S101
        self._note(
            Left(
                self._now,
                row.execution,
                run.workflow,
                row.state,
                row.path,
                row.visit,
                row.attempt,
                self._kind(run, row.state),
                row.outcome,
                row.entered_at,
                row.params,
                row.output,
                row.error,
                row.to,
                row.by,
            )
        )

    def _flush(self) -> None:
        """Tell how the run stands that moved last: what it waits for, or that it is over."""
        run, self._form = self._form, None
        if run is None:
            return
        if run.next_due is not None:
            heappush(self._due, (run.next_due, next(self._order), run.id))
        if run.status in FINAL:
            self._once(run.id, Ended(self._now, run.id, run.workflow, run.status, run.error))
        elif run.status in ("queued", "scheduled"):
            self._once((run.id, "line"), Waits(self._now, run.id, run.workflow, "", "", "line", run.start_due))
        for branch in run.branches:
            if branch.effect is None and branch.visit > 0:
                key = (run.id, branch.path, branch.state, branch.visit, branch.attempt)
                self._once(key, self._waits(run, branch))

    def _once(self, key: object, line: Line) -> None:
        if key not in self._told:
            self._told.add(key)
            self._note(line)

    def _waits(self, run: Execution, branch: Branch) -> Waits:
        kind = self._kind(run, branch.state)
        params = branch.params if isinstance(branch.params, Mapping) else {}
        listens = kind in ("wait_for", "collect")
        until = min((due for due in (branch.due, branch.timeout_due) if due is not None), default=None)
        return Waits(
            self._now,
            run.id,
            run.workflow,
            branch.state,
            branch.path,
            "retry" if kind in ("call", "emit") else kind,
            until,
            params.get("event") if listens else None,
            params.get("who") if listens else None,
        )

    def _kind(self, run: Execution, state: str) -> str:
        program = self._community.revisions[run.workflow, run.revision].program
        return "" if program is None else program.states[state].kind


def _staged(stage: Stage) -> Community:
    """A community that has all the workflows, and in which nothing goes on."""
    clock = VirtualClock(stage.at)
    community = Community(stage.community)
    community.roster = Roster(clock, Tasks(clock, lambda: None), _nobody)
    community.kept = Kept(stage.community) if stage.kept is None else stage.kept.copy()
    community.marks = dict(stage.marks)
    for cast in stage.workflows:
        key = (cast.revision.workflow, cast.revision.number)
        community.revisions[key] = load(cast.revision, stage.declarations)
        community.learn(cast.workflow)
    return community


async def _nobody(_: Sequence[str]) -> Sequence[Execution]:
    """Nobody sleeps in a store that is not there."""
    return ()


def _fit(effect: Effect, result: Result) -> Result:
    """A declared answer, if it is one that could be kept."""
    if not isinstance(result, Done):
        return result
    size = size_of(result.output)
    if size is None or size > _MAX_OUTPUT:
        return Failed("bad_result", f"{effect.service}.{effect.method} would answer with something that cannot be kept")
    return result
