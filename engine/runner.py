"""The shell around the machine: one event, one commit; commit first, then act.

Every input of an execution (a result, a due time, a control) is turned into its next form at once, in the order of
arrival, and joins the open commit; what it asks of services is handed over only when that commit has returned. Results
come back as inputs. Opening a community takes up what its store says: due effects are performed, begun ones repeated,
settled or left unknown, due times armed. There is no recovery mode: the same path mends memory after a failed commit.
The runner decides nothing: `engine.machine` says what happens next, `engine.admission` who may start what; `engine.outbox`
sees effects through.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, Final

from engine.admission import Answer, Let, Moment, Refuse, admit_by_hand
from engine.appointments import DUE, Appointments
from engine.clock import Shift, SleepingClock
from engine.community import Community, Loaded, load
from engine.context import Context
from engine.data import DATA_METHODS
from engine.declare import Declarations
from engine.errors import EngineError
from engine.events import Event, canonical
from engine.execution import FINAL, Execution, Person
from engine.inbox import Inbox, Posted
from engine.inputs import Control, OutcomeUnknown, Retry, TimeReached, Verb, control
from engine.measure import measure, timed
from engine.metrics import Metrics, NoMetrics
from engine.moving import MovedRuns, movable, moved
from engine.outbox import Outbox
from engine.people import all_roles
from engine.performer import Attempt
from engine.ports import AdmissionRecord, Batch, Service, Store
from engine.progress import Progress
from engine.quiet import Quiet
from engine.recall import fetch, recall
from engine.reception import HELD, Reception
from engine.roster import AWAKE, Roster
from engine.scope import Scope
from engine.settings import Setting, misfit, overrides_in
from engine.storable import size_of
from engine.tasks import Tasks
from engine.timers import Timers
from engine.trouble import Trouble
from engine.writer import Ended, Group, Writer

__all__ = ["Attempt", "NotOpen", "Posted", "Runner", "Verb"]

log = logging.getLogger(__name__)

MAX_PAYLOAD: Final = 64_000
MAX_PUT_OFF: Final = 366 * 86_400.0
TIDIED_AT_ONCE: Final = 100
"""Commits wait for no longer than it takes to forget so many."""
GRACE: Final = 0.5
"""Seconds that effects in flight get to end when the engine is closed."""


_NOTHING: Final = Context()


class NotOpen(EngineError):
    """The community has not been opened, or the runner has been closed."""


class NotStorable(EngineError):
    """What was given cannot be kept: it is too large, or not made of texts, numbers, lists and the like."""


def _log_notice(community: str, sentence: str) -> None:
    log.warning("%s: %s", community, sentence, extra={"community": community})


class Runner:
    """Runs the executions of the communities it has opened.

    Args:
        store: Everything durable.
        services: Who performs effects, one of each name.
        clock: Time. A service that sleeps does so on the same clock and in the task that performs.
        ids: Draws ids of executions and admissions, never the same twice.
        chance: Draws numbers in [0, 1).
        on_attempt: Told of every try handed to a service, when it has ended.
        notices: Told once what people should know: `notices(community, sentence)`.
        metrics: Told of whatever is counted and timed; None if nobody counts.
        declared: The settings that there are, for runs that bring their own.
        awake: So many runs of a community stay in memory although they only wait.
    """

    def __init__(
        self,
        store: Store,
        services: Sequence[Service],
        clock: SleepingClock,
        *,
        ids: Callable[[], str],
        chance: Callable[[], float],
        on_attempt: Callable[[Attempt], None] | None = None,
        notices: Callable[[str, str], None] = _log_notice,
        metrics: Metrics | None = None,
        declared: Sequence[Setting] = (),
        awake: int = AWAKE,
    ) -> None:
        metrics = NoMetrics() if metrics is None else metrics
        self._metrics = metrics
        self._declared = tuple(declared)
        self._depth = 0
        self._awake = awake
        self._store = store
        self._declarations = Declarations(
            (*(method for service in services for method in service.methods), *DATA_METHODS)
        )
        self._clock = clock
        self._ids = ids
        self._chance = chance
        self._notices = notices
        self._communities: dict[str, Community] = {}
        self._surroundings: dict[str, Context] = {}
        self._standing: dict[str, Mapping[str, Sequence[str]]] = {}
        self._still: dict[str, Context] = {}  # what is around a community, for as long as nothing of it changes
        self._quiet = Quiet(self._is_quiet)
        self._tasks = Tasks(clock, self._quiet.look)
        self._trouble = Trouble(
            self._communities,
            clock,
            self._tasks,
            self._mend,
            self._record,
            self._take_up,
            self._tell_all,
        )
        commit = timed(store.commit, metrics, time.perf_counter)
        self._writer = Writer(commit, self._committed, self._trouble.failed, self._quiet.look)
        self._progress = Progress(
            clock.now, ids, self._context, lambda: not self._trouble.held, self._writer.open_group
        )
        self._outbox = Outbox(
            self._communities,
            services,
            self._declarations,
            clock,
            self._tasks,
            self._writer,
            self._progress,
            self._trouble,
            chance=chance,
            zone=lambda community: self._around(community).zone,
            standing=lambda community: self._standing.get(community, {}),
            tell=self._tell,
            on_attempt=on_attempt,
        )
        self._reception = Reception(store, clock, self._writer, self._progress, self._context)
        self._appointments = Appointments(clock, self._writer, self._reception, self._context, self._tell)
        self._writing: asyncio.Task[None] | None = None
        self._closing = False
        self._closed = False
        self._mending = asyncio.Lock()
        self._retrying = asyncio.Lock()
        clock.watch(self._quiet.look)
        clock.when_shifted(self._shifted)

    # Opening and closing ---------------------------------------------------------------------------------------------

    async def open(self, community: str) -> None:
        """Take up everything a community has in the store, where it was left.

        Raises:
            StoreError: It cannot be read.
        """
        if self._closed:
            raise NotOpen("the engine has been closed")
        if community in self._communities:
            return
        opened = Community(community)
        opened.inbox = Inbox(
            self._tasks, partial(self._prepare, opened), partial(self._reception.receive, opened), self._writer.done
        )
        opened.timers = Timers(self._clock, partial(self._time_reached, opened), self._metrics.timer_late)
        opened.roster = Roster(self._clock, self._tasks, self._store.executions_of, self._awake)
        await self._recall(opened)
        self._communities[community] = opened
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._writer.run(), name="writer")
        if not self._trouble.held:
            self._take_up(opened)

    async def close(self, within: float = GRACE) -> None:
        """Take no more work, end the last commit, and drop everything that is in memory.

        Waits are not waited for, effects in flight for so many seconds only: they stand in the store and are taken up at
        the next start.
        """
        if self._closing:
            return
        self._closing = True
        for community in self._communities.values():
            community.timers.close()
        await self._outbox.close(within)
        self._closed = True
        self._tasks.close()
        self._writer.close()
        for community in self._communities.values():
            community.inbox.refuse(NotOpen("the engine has been closed"))
        if self._writing is not None:
            await self._writing
        self._communities.clear()
        self._surroundings.clear()
        self._still.clear()

    def surround(
        self,
        community: str,
        *,
        config: Mapping[str, Any] | None = None,
        stream: Mapping[str, Any] | None = None,
        zone: str | None = None,
    ) -> None:
        """Replace what transitions see outside their execution; None leaves a part as it is."""
        given = {"config": config, "stream": stream, "zone": zone}
        changed: dict[str, Any] = {part: value for part, value in given.items() if value is not None}
        self._surroundings[community] = replace(self._around(community), **changed)
        self._still.pop(community, None)
        opened = self._communities.get(community)
        if opened is not None and zone is not None:
            self._appointments.move_to(opened, zone)

    def stand(self, community: str, standing: Mapping[str, Sequence[str]]) -> None:
        """Know which roles people hold now, by `standing_key`, where that may not be what they held when they wrote a step."""
        self._standing[community] = standing

    def surroundings(self, community: str) -> Context:
        """What transitions see outside their execution, without what is kept."""
        return self._around(community)

    # What comes from outside -------------------------------------------------------------------------------------------

    async def post(self, event: Event) -> Posted:
        """Let something have happened: the event and all it leads to at once are one commit, done when this returns.

        Raises:
            StoreError: Nothing of it happened.
        """
        community = self._opened(event.community)
        _check_storable(event.payload, "event")
        return await community.inbox.put(event)

    async def run(
        self,
        community: str,
        workflow: str,
        arguments: Mapping[str, Any],
        caller: Person,
        *,
        at: float | None = None,
    ) -> Execution | AdmissionRecord:
        """Start a workflow by hand, now or at a time; an admission record instead of an execution says why not.

        Raises:
            StoreError: Nothing of it happened.
            NotStorable: What is given is too large, or the time too far away.
        """
        opened = self._opened(community)
        _check_storable(arguments, "run")
        await self._mend(opened)
        now = self._clock.now()
        if at is not None and at > now + MAX_PUT_OFF:
            raise NotStorable("a run can be put off for a year at most")
        who = {"name": caller.name, "roles": all_roles(caller.roles)}
        happening = Event("", canonical("manual"), now, community, {"user": who})
        loaded = opened.current(workflow)
        if loaded is None:
            return self._progress.admission(happening, workflow, caller.name, None, f"there is no workflow {workflow}")
        answer = self._by_hand(opened, loaded, arguments, caller, who)
        if isinstance(answer, Let) and (wrong := misfit(overrides_in(arguments), self._declared)) is not None:
            answer = Refuse(workflow, wrong)
        group = self._writer.open_group(3)
        if isinstance(answer, Refuse):
            self._metrics.start_refused("by hand")
            record = self._progress.admission(happening, workflow, caller.name, None, answer.reason, answer.allowed_at)
            group.batch.admissions.append(record)
            await self._writer.done(group)
            return record
        due = None if at is None or at <= now else at
        execution = self._progress.start(
            opened, loaded, group, happening, arguments, answer, caller=who, user=who, due=due
        )
        await self._writer.done(group)
        return execution

    def _by_hand(
        self, community: Community, loaded: Loaded, arguments: Mapping[str, Any], caller: Person, who: Mapping[str, Any]
    ) -> Answer:
        context = self._context(community.name)
        scope = Scope(
            variables=arguments, user=who, caller=who, config=context.config, data=context.data, stream=context.stream
        )
        moment = Moment(self._clock.now(), context.zone, context.stream.get("live") is True)
        return admit_by_hand(self._progress.standing(community, loaded), arguments, caller, scope, moment)

    async def control(
        self, community: str, verb: Verb, workflow: str | None, by: Person, *, run: str | None = None
    ) -> tuple[Execution, ...]:
        """Stop, cancel, pause or resume what is going on: of a workflow, one run, or all; tells which runs changed.

        Raises:
            StoreError: Nothing of it happened.
        """
        return await self.steer(community, control(verb, self._clock.now(), by.name), workflow, run=run)

    async def steer(
        self, community: str, input: Control, workflow: str | None, *, run: str | None = None
    ) -> tuple[Execution, ...]:
        """Let somebody's wish move what is going on: of a workflow, one run, or all; tells which runs changed.

        Raises:
            StoreError: Nothing of it happened.
        """
        opened = self._opened(community)
        await self._mend(opened)
        wanted = opened.roster.ids(workflow) if run is None else [run]
        while any(opened.roster.is_asleep(id) for id in wanted):
            await opened.roster.wake(wanted)
        changed, group = self._progress.move_all(opened, wanted, input)
        if group is not None:
            await self._writer.done(group)
        return tuple(changed)

    async def retry(
        self, community: str, run: str, by: Person, arguments: Mapping[str, Any] | None = None
    ) -> Execution | None:
        """Go on with a run that has failed where it failed, perhaps with other values; None if it has not failed.

        Raises:
            StoreError: Nothing of it happened.
        """
        opened = self._opened(community)
        _check_storable(arguments or {}, "run")
        async with self._retrying:  # one after the other: each reads what the one before it has written
            await self._mend(opened)
            return await self._retry(opened, run, by, arguments or {})

    async def _retry(self, opened: Community, run: str, by: Person, arguments: Mapping[str, Any]) -> Execution | None:
        if run not in opened.roster.awake and not self._writer.idle:
            await self._writer.done(self._writer.open_group(0))  # how it ended may be on its way to the store
        execution = opened.roster.awake.get(run) or await self._store.execution(run)
        if execution is None or execution.community != opened.name or execution.status != "failed":
            return None
        pinned = (execution.workflow, execution.revision)
        if pinned not in opened.revisions:
            opened.revisions[pinned] = await fetch(self._store, self._declarations, opened.name, *pinned)
        execution = opened.roster.awake.get(run, execution)
        step = self._progress.next(opened, execution, Retry(self._clock.now(), by.name, arguments))
        if step.execution is execution:
            return None
        group = self._writer.open_group(3)
        self._progress.take(opened, step, group)
        await self._writer.done(group)
        return step.execution

    async def move(self, community: str, workflow: str, to: int, by: Person, known: Collection[str] = ()) -> MovedRuns:
        """Let the runs of a workflow go on with another version of it, where that is safe; tells which, and why not.

        `known` are the names that settings have.

        Raises:
            StoreError: Nothing of it happened.
        """
        opened = self._opened(community)
        await self._mend(opened)
        wanted = opened.roster.ids(workflow)
        while any(opened.roster.is_asleep(id) for id in wanted):
            await opened.roster.wake(wanted)
        if (workflow, to) not in opened.revisions:
            opened.revisions[workflow, to] = await fetch(self._store, self._declarations, community, workflow, to)
        new, names = opened.revisions[workflow, to].program, {*known, *opened.kept.tree}
        group = self._writer.open_group(1)
        changed: list[Execution] = []
        left: list[tuple[Execution, str]] = []
        for run in [opened.roster.awake[id] for id in wanted if id in opened.roster.awake]:
            if run.status in FINAL or run.revision == to:
                continue
            old = opened.revisions[workflow, run.revision].program
            reason = "one of the two versions cannot be run" if old is None or new is None else None
            if old is not None and new is not None and (reason := movable(run, old, new, names)) is None:
                step = moved(run, to, new, at=self._clock.now(), by=by.name)
                self._progress.take(opened, step, group)
                group.rows += 2
                changed.append(step.execution)
            if reason is not None:
                left.append((run, reason))
        await self._writer.done(group)
        return MovedRuns(tuple(changed), tuple(left))

    async def save(self, batch: Batch) -> None:
        """Commit changes of the catalogue and other records; new triggers count from then on.

        Raises:
            StoreError: Nothing was saved.
        """
        loaded = [load(revision, self._declarations) for revision in batch.revisions]
        known = {(each.record.community, each.record.workflow, each.record.number) for each in loaded}
        for record in batch.workflows:
            await self._mend(self._opened(record.community))
            if (record.community, record.id, record.revision) not in known:
                loaded.append(
                    await fetch(self._store, self._declarations, record.community, record.id, record.revision)
                )
        await self._writer.commit_alone(batch, partial(self._learn, batch, tuple(loaded)))

    async def tidy(self, community: str) -> int:
        """Forget what is remembered of starts and looked at no more, such as cooldowns that are over; tells how much.

        Raises:
            StoreError: It could not be done to the end.
        """
        opened, gone = self._opened(community), 0
        await self._mend(opened)
        while True:
            group = self._writer.open_group(0)
            forgotten = self._progress.forget_lapsed(opened, group, TIDIED_AT_ONCE)
            await self._writer.done(group)
            gone += forgotten
            if forgotten < TIDIED_AT_ONCE:
                return gone

    # What can be asked -----------------------------------------------------------------------------------------------

    async def live(
        self, community: str, workflow: str | None = None, *, most: int | None = None
    ) -> tuple[Execution, ...]:
        """The executions that have not ended, by start; of those that sleep in the store so many at most.

        Raises:
            StoreError: Those that sleep in the store cannot be read.
        """
        roster = self._opened(community).roster
        ids = roster.ids(workflow)
        asleep = await self._store.executions_of([id for id in ids if roster.is_asleep(id)][:most])
        found = {execution.id: execution for execution in asleep}
        found |= {id: roster.awake[id] for id in ids if id in roster.awake}
        going_on = [execution for execution in found.values() if execution.status not in FINAL]
        return tuple(sorted(going_on, key=lambda execution: execution.started_at))

    def agenda(self, community: str) -> tuple[tuple[float, str], ...]:
        """What is still to come today by the clock: time and workflow, in order."""
        return self._opened(community).scheduler.today(self._clock.wall())

    def next_start(self, community: str, workflow: str) -> float | None:
        """When a clock starts a workflow next; None if none does."""
        return self._opened(community).scheduler.next_of(workflow)

    def census(self, community: str) -> Mapping[tuple[str, int], int]:
        """How many executions have not ended, by workflow and version."""
        return self._opened(community).roster.census()

    def kept(self, community: str) -> Mapping[str, Any]:
        """What a community keeps, as texts can name it: by name, and that of people under `users`."""
        return self._opened(community).kept.tree

    def refusals(self, community: str, workflow: str | None = None, most: int = 200) -> tuple[AdmissionRecord, ...]:
        """Refusals too many to be stored, newest first: chat lines that a trigger listened to and did not take."""
        return tuple(islice(self._opened(community).refusals.records(workflow), most))

    async def quiescent(self) -> None:
        """Return when nothing more can happen without input or time."""
        await self._quiet.wait()

    def _is_quiet(self) -> bool:
        return (
            self._writer.idle
            and self._outbox.idle
            and self._tasks.quiet
            and all(community.timers.settled for community in self._communities.values())
        )

    # Events and time -------------------------------------------------------------------------------------------------

    async def _prepare(self, community: Community, events: Sequence[Event]) -> frozenset[str]:
        """Which keys the store knows; memory is what the store says then."""
        await self._mend(community)
        seen = await self._reception.prepare(community, events)
        await self._mend(community)
        return seen

    def _time_reached(self, community: Community, id: str) -> None:
        if id == DUE:
            self._appointments.come(community)
        elif id.startswith(HELD):
            self._reception.let_go(community, id.removeprefix(HELD))
        else:
            community.roster.use(id, partial(self._run_due, community))
        self._quiet.look()

    def _shifted(self, _: Shift) -> None:
        """Schedules follow the wall clock wherever it goes; waits do not."""
        if not self._trouble.held and not self._closing:
            for community in self._communities.values():
                self._appointments.arm(community)

    def _run_due(self, community: Community, execution: Execution | None) -> None:
        """Something is due in a run, or the run itself."""
        if execution is None:
            return
        if execution.status == "scheduled":
            if execution.next_due is not None and execution.next_due <= self._clock.now():
                self._progress.begin_put_off(community, execution, self._writer.open_group(2))
            return
        step = self._progress.next(community, execution, TimeReached(self._clock.now()))
        if step.execution is not execution:
            self._progress.take(community, step, self._writer.open_group(2))

    def _context(self, community: str, *, draws: bool = True) -> Context:
        """What is known outside executions now; chance is drawn only for those that leave something to it."""
        still = self._still.get(community)
        if still is None:
            around = self._around(community)
            opened = self._communities.get(community)
            data = around.data if opened is None else opened.kept.tree
            still = Context(around.config, data, around.stream, around.zone, declared=self._declared)
            if opened is not None:
                self._still[community] = still
        return replace(still, chance=(self._chance(), self._chance())) if draws else still

    def _around(self, community: str) -> Context:
        return self._surroundings.get(community) or _NOTHING

    # Memory, from the store ------------------------------------------------------------------------------------------------

    async def _mend(self, community: Community) -> None:
        """Make sure that memory is what the store says."""
        if not community.stale:
            return
        async with self._mending:
            if community.stale:
                await self._recall(community)

    async def _recall(self, community: Community) -> None:
        await recall(self._store, self._declarations, community)
        self._appointments.recall(community)
        self._depth = len(community.pending)

    def _learn(self, batch: Batch, loaded: Sequence[Loaded]) -> None:
        for each in loaded:
            if (community := self._communities.get(each.record.community)) is not None:
                community.revisions[each.record.workflow, each.record.number] = each
        for record in batch.workflows:
            if (community := self._communities.get(record.community)) is not None:
                before = community.workflows.get(record.id)
                community.learn(record)
                self._appointments.learn(community, record, before)

    # After a commit --------------------------------------------------------------------------------------------------

    def _committed(self, group: Group) -> None:
        self._trouble.saved()
        self._measure(group)
        for effect in group.batch.outbox:
            self._outbox.perform(effect)
        for execution in group.batch.executions:
            if execution.status == "failed":
                self._tell_failure(execution, group)
            if (community := self._communities.get(execution.community)) is not None:
                community.roster.rest(execution)

    def _record(self, ended: Ended) -> None:
        self._outbox.record(ended)

    def _measure(self, group: Group) -> None:
        measure(self._metrics, group.batch, group.ended, group.finished)
        self._depth += len(group.batch.outbox) - len(group.batch.done)
        self._metrics.outbox(self._depth)

    def _tell_failure(self, execution: Execution, group: Group) -> None:
        """Say that a run failed: once for each reason and version, however often it happens; `why` knows the rest."""
        community = self._communities.get(execution.community)
        lost = {effect.execution for effect, input in group.ended if isinstance(input, OutcomeUnknown)}
        if community is None or execution.id in lost:
            return
        if community.first_failure(execution):
            workflow = community.workflows.get(execution.workflow)
            name = execution.workflow if workflow is None else workflow.name
            self._tell(execution.community, f"{name} (v{execution.revision}) failed: {execution.error}")

    # Taking up ------------------------------------------------------------------------------------------

    def _take_up(self, community: Community, known: frozenset[str] = frozenset()) -> None:
        """Let what the store says go on: arm due times, and perform, repeat or settle effects; not those `known`."""
        pending, community.pending = community.pending, []
        for execution in community.roster.awake.values():
            community.timers.arm(execution.id, execution.next_due)
        due = [(id, when) for id, when in community.due if community.roster.is_asleep(id)]
        community.due = []
        held = [(HELD + key, records[0].release_at) for key, records in community.held.items() if records]
        community.timers.arm_all([*due, *held])
        self._appointments.arm(community)
        for slot in community.places.free():
            self._progress.begin_next(community, slot, self._writer.open_group(2))
        self._outbox.take_up(pending, known)

    # What people are told ------------------------------------------------------------------------------------

    def _tell_all(self, sentence: str) -> None:
        for name in self._communities:
            self._tell(name, sentence)

    def _tell(self, community: str, sentence: str) -> None:
        try:
            self._notices(community, sentence)
        except Exception:
            log.exception("whoever is told of notices broke on: %s", sentence)

    def _opened(self, name: str) -> Community:
        community = self._communities.get(name)
        if self._closed or community is None:
            raise NotOpen(f"{name} is not open")
        return community


def _check_storable(values: Mapping[str, Any], what: str) -> None:
    size = size_of(values)
    if size is None:
        raise NotStorable(f"this {what} holds something that cannot be kept")
    if size > MAX_PAYLOAD:
        raise NotStorable(f"this {what} is too large ({size} bytes; {MAX_PAYLOAD} may be)")
