"""The shell around the machine: one event, one commit; commit first, then act.

Every input of an execution (a result, a due time, a control) is turned into its next form at once, in the order of
arrival, and joins the open commit; what it asks of services is handed over only when that commit has returned. Results
come back as inputs. Opening a community takes up what its store says: due effects are performed, begun ones repeated,
settled or left unknown, due times armed. There is no recovery mode: the same path mends memory after a failed commit.
The runner decides nothing: `engine.machine` says what happens next, `engine.admission` who may start what.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, Final

from engine.admission import Let, Refuse, Workflow, admit, admit_by_hand
from engine.clock import SleepingClock
from engine.community import Community, Loaded, load
from engine.context import Context, event_scope
from engine.declare import Declarations
from engine.errors import EngineError
from engine.events import Event, canonical
from engine.execution import FINAL, Effect, Execution, Failed, Person, Result, Unknown, Values
from engine.inbox import Inbox, Posted, Saved
from engine.inputs import Input, OutcomeUnknown, TimeReached, Verb, control, ending
from engine.machine import Step, given_up, start, transition
from engine.people import name_of, person_in
from engine.performer import Attempt, Performer
from engine.ports import AdmissionRecord, Batch, Service, Store
from engine.quiet import Quiet
from engine.recall import fetch, recall
from engine.storable import size_of
from engine.tasks import Tasks
from engine.timers import Timers
from engine.triggers import Match, Matches
from engine.trouble import Trouble
from engine.unheld import Line
from engine.writer import Ended, Group, Writer

__all__ = ["Attempt", "NotOpen", "Posted", "Runner", "Verb"]

log = logging.getLogger(__name__)

SEEN_FOR: Final = 86_400.0
"""How long a second event with the same key is the same event."""

MAX_PAYLOAD: Final = 64_000
GRACE: Final = 0.5
"""Seconds that effects in flight get to end when the engine is closed."""
FLOODS: Final = frozenset({"message.received", "discord.message.received"})
"""Events that come so often that those no trigger took are not recorded one by one."""


class NotOpen(EngineError):
    """The community has not been opened, or the runner has been closed."""


class NotStorable(EngineError):
    """What was given cannot be kept: it is too large, or not made of texts, numbers, lists and the like."""


def _log_notice(community: str, sentence: str) -> None:
    log.warning("%s: %s", community, sentence)


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
    ) -> None:
        self._store = store
        self._declarations = Declarations(method for service in services for method in service.methods)
        self._clock = clock
        self._ids = ids
        self._chance = chance
        self._notices = notices
        self._communities: dict[str, Community] = {}
        self._surroundings: dict[str, Context] = {}
        self._quiet = Quiet(self._is_quiet)
        self._tasks = Tasks(clock, self._quiet.look)
        self._performer = Performer(services, clock, self._tasks, self._mark_begun, self._ended, on_attempt)
        self._trouble = Trouble(
            self._communities, clock, self._tasks, self._mend, self._record, self._take_up, self._tell_all
        )
        self._writer = Writer(store.commit, self._committed, self._trouble.failed, self._quiet.look)
        self._writing: asyncio.Task[None] | None = None
        self._closing = False
        self._closed = False
        self._mending = asyncio.Lock()
        clock.watch(self._quiet.look)

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
        opened.inbox = Inbox(self._tasks, partial(self._seen, opened), partial(self._receive, opened))
        opened.timers = Timers(self._clock, partial(self._time_reached, opened))
        await recall(self._store, self._declarations, opened)
        self._communities[community] = opened
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._writer.run(), name="writer")
        if not self._trouble.held:
            self._take_up(opened)

    async def close(self) -> None:
        """Take no more work, end the last commit, and drop everything that is in memory.

        Waits are not waited for, effects in flight for a moment only: they stand in the store and are taken up at the
        next start.
        """
        if self._closing:
            return
        self._closing = True
        for community in self._communities.values():
            community.timers.close()
        await self._performer.rest(GRACE)
        self._closed = True
        self._tasks.close()
        self._writer.close()
        for community in self._communities.values():
            community.inbox.refuse(NotOpen("the engine has been closed"))
        if self._writing is not None:
            await self._writing
        self._communities.clear()
        self._surroundings.clear()

    def surround(
        self,
        community: str,
        *,
        config: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        stream: Mapping[str, Any] | None = None,
        zone: str | None = None,
    ) -> None:
        """Replace what transitions see outside their execution; None leaves a part as it is."""
        given = {"config": config, "data": data, "stream": stream, "zone": zone}
        changed: dict[str, Any] = {part: value for part, value in given.items() if value is not None}
        self._surroundings[community] = replace(self._around(community), **changed)

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
        self, community: str, workflow: str, arguments: Mapping[str, Any], caller: Person
    ) -> Execution | AdmissionRecord:
        """Start a workflow by hand; an admission record instead of an execution says why not.

        Raises:
            StoreError: Nothing of it happened.
        """
        opened = self._opened(community)
        _check_storable(arguments, "run")
        await self._mend(opened)
        now = self._clock.now()
        who = {"name": caller.name, "roles": list(caller.roles)}
        happening = Event("", canonical("manual"), now, community, {"user": who})
        loaded = opened.current(workflow)
        if loaded is None:
            return self._admission(happening, workflow, caller.name, None, f"there is no workflow {workflow}")
        answer = admit_by_hand(self._standing(opened, loaded), arguments, caller, live=self._is_live(community))
        group = self._writer.open_group(1)
        if isinstance(answer, Refuse):
            record = self._admission(happening, workflow, caller.name, None, answer.reason)
            group.batch.admissions.append(record)
            await self._writer.done(group)
            return record
        execution = self._start(opened, loaded, group, happening, arguments, caller=who)
        await self._writer.done(group)
        return execution

    async def control(self, community: str, verb: Verb, workflow: str | None, by: Person) -> tuple[Execution, ...]:
        """Stop, cancel, pause or resume what is going on of a workflow, or of all; tells which executions changed.

        Raises:
            StoreError: Nothing of it happened.
        """
        opened = self._opened(community)
        await self._mend(opened)
        group: Group | None = None
        changed: list[Execution] = []
        for execution in self.live(community, workflow):
            step = self._next(opened, execution, control(verb, self._clock.now(), by.name))
            if step.execution is execution or step.execution == execution:
                continue
            group = group or self._writer.open_group(1)
            self._take(opened, step, group)
            changed.append(step.execution)
        if group is not None:
            await self._writer.done(group)
        return tuple(changed)

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

    # What can be asked -----------------------------------------------------------------------------------------------

    def live(self, community: str, workflow: str | None = None) -> tuple[Execution, ...]:
        """Every execution that has not ended, by start."""
        return tuple(
            execution
            for execution in self._opened(community).executions.values()
            if workflow in (None, execution.workflow) and execution.status not in FINAL
        )

    def refusals(self, community: str, workflow: str | None = None, most: int = 200) -> tuple[AdmissionRecord, ...]:
        """Refusals too many to be stored, newest first: chat lines that a trigger listened to and did not take."""
        return tuple(islice(self._opened(community).refusals.records(workflow), most))

    async def quiescent(self) -> None:
        """Return when nothing more can happen without input or time."""
        await self._quiet.wait()

    def _is_quiet(self) -> bool:
        return (
            self._writer.idle
            and self._performer.idle
            and self._tasks.quiet
            and all(community.timers.settled for community in self._communities.values())
        )

    # Events ------------------------------------------------------------------------------------------------------------

    async def _seen(self, community: Community, keys: Sequence[str]) -> frozenset[str]:
        """Which keys the store knows; memory is what the store says then."""
        seen = await self._store.seen(community.name, keys, self._clock.now())
        await self._mend(community)
        return seen

    def _receive(self, community: Community, event: Event, keys: Sequence[str]) -> tuple[Posted, Saved]:
        """Let an event happen that has not been seen before."""
        matches, line = self._matches(community, event), None
        if canonical(event.name) in FLOODS:
            line = Line(self._clock.now(), matches)
            community.refusals.add(line)
        answers = [self._answer(community, event, match) for match in (matches.all() if line is None else matches.held)]
        group = self._writer.open_group(1 + len(answers))
        group.batch.events.append(event)
        expires = self._clock.now() + SEEN_FOR
        for key in keys:
            group.batch.seen[community.name, key] = expires
        posted = Posted(
            event,
            duplicate=False,
            started=tuple(
                self._start_by_event(community, loaded, group, event)
                for answer, loaded in answers
                if isinstance(answer, Let)
            ),
            refused=tuple(self._refuse(group, event, answer) for answer, _ in answers if isinstance(answer, Refuse)),
            line=line,
        )
        return posted, partial(self._writer.done, group)

    def _matches(self, community: Community, event: Event) -> Matches:
        scope = event_scope(event, self._context(community.name), caller=person_in(event.payload.get("user")))
        return community.triggers.match(event, scope)

    def _answer(self, community: Community, event: Event, match: Match) -> tuple[Let | Refuse, Loaded]:
        loaded = community.current(match.workflow)
        assert loaded is not None, "the index only knows workflows that are there"  # noqa: S101
        standing = self._standing(community, loaded)
        return admit(event, match, standing, live=self._is_live(community.name)), loaded

    def _start_by_event(self, community: Community, loaded: Loaded, group: Group, event: Event) -> Execution:
        return self._start(community, loaded, group, event, {}, caller=person_in(event.payload.get("user")))

    def _refuse(self, group: Group, event: Event, refusal: Refuse) -> AdmissionRecord:
        who = name_of(event.payload.get("user"))
        record = self._admission(event, refusal.workflow, who, None, refusal.reason)
        group.batch.admissions.append(record)
        return record

    def _admission(
        self, event: Event, workflow: str, who: str | None, execution: str | None, reason: str | None
    ) -> AdmissionRecord:
        return AdmissionRecord(
            self._ids(),
            event.community,
            workflow,
            self._clock.now(),
            event.id,
            canonical(event.name),
            execution,
            reason,
            who=who,
        )

    def _standing(self, community: Community, loaded: Loaded) -> Workflow:
        workflow, policy = loaded.record.workflow, loaded.record.definition.policy
        # Counting costs as much as there are executions, so it is done only where somebody asks for it.
        running = 0 if policy.mode is None else len(self.live(community.name, workflow))
        return Workflow(community.workflows[workflow], policy, loaded.program, loaded.unfit, running)

    # Executions ----------------------------------------------------------------------------------------------------------

    def _start(
        self,
        community: Community,
        loaded: Loaded,
        group: Group,
        event: Event,
        arguments: Mapping[str, Any],
        caller: Values | None,
    ) -> Execution:
        assert loaded.program is not None, "what cannot be run is not admitted"  # noqa: S101
        by_hand = event.id == ""
        step = start(
            loaded.program,
            id=self._ids(),
            community=community.name,
            revision=loaded.record.number,
            event=None if by_hand else event,
            arguments=arguments,
            user=caller,
            caller=caller,
            at=self._clock.now(),
            context=self._context(community.name),
            depth=event.depth,
        )
        execution = step.execution
        group.batch.admissions.append(self._admission(event, execution.workflow, name_of(caller), execution.id, None))
        self._take(community, step, group)
        return execution

    def _next(self, community: Community, execution: Execution, input: Input) -> Step:
        program = community.revisions[execution.workflow, execution.revision].program
        if program is None:  # it began before an upgrade that cannot run it any more
            return given_up(execution, input)
        try:
            return transition(program, execution, input, self._context(community.name))
        except Exception:
            log.exception("%s broke on %s", execution.id, input)
            return given_up(execution, input)

    def _take(self, community: Community, step: Step, group: Group) -> None:
        """Make a step part of a commit, and of memory."""
        execution, batch = step.execution, group.batch
        batch.executions.append(execution)
        batch.history.extend(step.history)
        batch.outbox.extend(step.effects)
        due = execution.next_due if community.keep(execution) else None
        if not self._trouble.held:
            community.timers.arm(execution.id, due)

    def _time_reached(self, community: Community, id: str) -> None:
        execution = community.executions.get(id)
        if execution is not None:
            step = self._next(community, execution, TimeReached(self._clock.now()))
            if step.execution is not execution:
                self._take(community, step, self._writer.open_group(2))
        self._quiet.look()

    def _context(self, community: str) -> Context:
        around = self._around(community)
        chance = (self._chance(), self._chance())
        return Context(around.config, around.data, around.stream, around.zone, chance)

    def _around(self, community: str) -> Context:
        return self._surroundings.setdefault(community, Context())

    def _is_live(self, community: str) -> bool:
        return self._around(community).stream.get("live") is True

    # Memory, from the store ------------------------------------------------------------------------------------------------

    async def _mend(self, community: Community) -> None:
        """Make sure that memory is what the store says."""
        if not community.stale:
            return
        async with self._mending:
            if community.stale:
                await recall(self._store, self._declarations, community)

    def _learn(self, batch: Batch, loaded: Sequence[Loaded]) -> None:
        for each in loaded:
            if (community := self._communities.get(each.record.community)) is not None:
                community.revisions[each.record.workflow, each.record.number] = each
        for record in batch.workflows:
            if (community := self._communities.get(record.community)) is not None:
                community.learn(record)

    # Effects ---------------------------------------------------------------------------------------------------------

    def _committed(self, group: Group) -> None:
        self._trouble.saved()
        for effect in group.batch.outbox:
            self._perform(effect)
        for execution in group.batch.executions:
            if execution.status == "failed":
                self._tell_failure(execution, group)

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

    def _perform(self, effect: Effect) -> None:
        community = self._communities.get(effect.community)
        execution = None if community is None else community.executions.get(effect.execution)
        forbidden = None
        if community is not None and execution is not None:
            loaded = community.revisions[execution.workflow, execution.revision]
            forbidden = loaded.forbidden.get(effect.state)
        self._performer.perform(effect, forbidden)

    async def _mark_begun(self, effect: Effect) -> None:
        group = self._writer.open_group(1)
        group.batch.begun.append(effect.id)
        await self._writer.done(group)

    def _ended(self, effect: Effect, result: Result) -> None:
        """The result of an effect has come; it is an input of its execution."""
        if self._closed:
            return
        if isinstance(result, Unknown):
            self._tell(effect.community, _unknown_in_words(effect, result))
        ended = (effect, ending(effect, result, self._clock.now()))
        if self._trouble.held:
            self._trouble.keep(ended)
        else:
            self._record(ended)

    def _record(self, ended: Ended) -> None:
        effect, input = ended
        community = self._communities.get(effect.community)
        if community is None:
            return
        group = self._writer.open_group(3)
        group.batch.done.append(effect.id)
        group.ended.append(ended)
        execution = community.executions.get(effect.execution)
        if execution is not None:
            self._take(community, self._next(community, execution, input), group)

    # Taking up ------------------------------------------------------------------------------------------

    def _take_up(self, community: Community, known: frozenset[str] = frozenset()) -> None:
        """Let what the store says go on: arm due times, and perform, repeat or settle effects; not those `known`."""
        pending, community.pending = community.pending, []
        for execution in community.executions.values():
            community.timers.arm(execution.id, execution.next_due)
        for record in pending:
            effect = record.effect
            if effect.id in known or self._performer.has(effect.id):
                continue
            owner = community.executions.get(effect.execution)
            if record.status == "begun" and not effect.repeatable:
                self._performer.settle(effect)
            elif record.status == "due" and (owner is None or effect.id in owner.orphans):
                self._ended(effect, Failed("stopped", "it was stopped before this was handed over"))
            else:
                self._perform(effect)

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


def _unknown_in_words(effect: Effect, result: Unknown) -> str:
    return (
        f'I cannot tell whether step "{effect.state}" of {effect.workflow} ({effect.service}.{effect.method}) was '
        f"done, so I do not do it again: {result.message}"
    )
