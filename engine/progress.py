"""Makes what executions come to a part of a commit and of memory, with all that follows from it at once.

A step may start other runs, end some, or free a slot for one that stands in line; a run that ends tells the one that
waits for it. All of that happens here, one after the other, in the same commit. What may start is decided by
`engine.admission`, what happens next by `engine.machine`; this module carries it out and performs nothing.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from engine.admission import Let, Moment, Refuse, Workflow, admit_inside, admit_later, lapsed
from engine.community import Community, Loaded
from engine.context import Context
from engine.errors import EvaluationError
from engine.events import Event, canonical
from engine.execution import FINAL, Execution, Status, Values
from engine.inputs import Begin, Cancel, ChildEnded, Decline, Input, StandInLine, control
from engine.logged import about
from engine.machine import Relay, StartRun, Step, given_up, start, transition
from engine.measure import has_ended
from engine.people import name_of
from engine.ports import AdmissionRecord, MarksRecord
from engine.scope import Scope
from engine.storable import size_of
from engine.values import within
from engine.writer import Group

log = logging.getLogger(__name__)

_ON: Final = frozenset({"running", "waiting", "paused", "stopping"})

MAX_RESULT: Final = 32_000
"""Bytes of JSON that a run may hand to the one that waits for it."""

Next: TypeAlias = Callable[[], list[Step]]
"""A step that follows, if one does; worked out only when it is its turn, from what everything has come to by then."""


class Progress:
    """Carries out steps.

    Args:
        now: UTC seconds.
        ids: Draws ids.
        context: What is known outside executions, with chance drawn anew.
        armed: Whether due times are armed; while nothing can be saved they are not.
        open_group: The group that takes what comes now.
    """

    def __init__(
        self,
        now: Callable[[], float],
        ids: Callable[[], str],
        context: Callable[..., Context],
        armed: Callable[[], bool],
        open_group: Callable[[int], Group],
    ) -> None:
        self._now = now
        self._ids = ids
        self._context = context
        self._armed = armed
        self._open_group = open_group

    # Moving ----------------------------------------------------------------------------------------------------------

    def move(self, community: Community, execution: Execution, input: Input, group: Group) -> Step:
        """Let an input move an execution; what follows is in the same group. The same execution if nothing moved."""
        step = self.next(community, execution, input)
        if step.execution is not execution:
            self.take(community, step, group)
        return step

    def next(self, community: Community, execution: Execution, input: Input) -> Step:
        """What an input would do to an execution."""
        program = community.revisions[execution.workflow, execution.revision].program
        if program is None:  # it began before an upgrade that cannot run it any more
            return given_up(execution, input)
        try:
            return transition(program, execution, input, self._context(community.name, draws=program.draws))
        except Exception:
            log.exception("%s broke on %s", execution.id, input, extra=about(execution))
            return given_up(execution, input)

    def take(self, community: Community, step: Step, group: Group) -> None:
        """Make a step part of a commit and of memory, and all that follows from it at once."""
        left: deque[Next] = deque()
        self._take_one(community, step, group, left)
        if left:
            self._follow(community, group, left)

    def move_all(self, community: Community, ids: Iterable[str], input: Input) -> tuple[list[Execution], Group | None]:
        """Let an input move several executions before anything follows from it: who is to end must not react to an end.

        Gives those that moved, and the group that they are in, if there are any.
        """
        left: deque[Next] = deque()
        moved: list[Execution] = []
        group: Group | None = None
        for id in ids:
            execution = community.roster.awake.get(id)
            if execution is None or execution.status in FINAL:
                continue
            step = self.next(community, execution, input)
            if step.execution == execution:
                continue
            group = group or self._open_group(1)
            group.rows += 2
            self._take_one(community, step, group, left)
            moved.append(step.execution)
        if group is not None:
            self._follow(community, group, left)
        return moved, group

    def _follow(self, community: Community, group: Group, left: deque[Next]) -> None:
        while left:
            for each in left.popleft()():
                self._take_one(community, each, group, left)

    def _take_one(self, community: Community, step: Step, group: Group, left: deque[Next]) -> None:
        execution, batch = step.execution, group.batch
        before = community.roster.awake.get(execution.id)
        batch.executions.append(execution)
        batch.history.extend(step.history)
        batch.outbox.extend(step.effects)
        if has_ended(before, execution):
            group.finished.append(execution)
        kept = community.keep(execution)
        if self._armed():
            community.timers.arm(execution.id, execution.next_due if kept else None)
        for run in step.starts:
            left.append(partial(self._start_inside, community, execution, run, group))
        for relay in step.relays:
            left.append(partial(self._relay, community, relay))
        if execution.status in FINAL:
            left.append(partial(self._tell_parent, community, execution))
        if before is not None and before.status in _ON and execution.status in _ON:
            return  # it takes up what it took up before
        if community.places.put(slot_in(execution), execution.id, execution.status):
            left.append(partial(self._begin_next, community, slot_in(execution)))

    def _relay(self, community: Community, relay: Relay) -> list[Step]:
        child = community.roster.awake.get(relay.child)
        if child is None:
            return []
        step = self.next(community, child, control(relay.verb, self._now(), relay.by or "the run that started it"))
        return [] if step.execution is child else [step]

    def _tell_parent(self, community: Community, execution: Execution) -> list[Step]:
        parent = None if execution.parent is None else community.roster.awake.get(execution.parent)
        if parent is None:
            return []
        step = self.next(community, parent, _ended(execution, self._now()))
        return [] if step.execution is parent else [step]

    # Starting --------------------------------------------------------------------------------------------------------

    def start(
        self,
        community: Community,
        loaded: Loaded,
        group: Group,
        event: Event,
        arguments: Mapping[str, Any],
        let: Let,
        *,
        caller: Values | None,
        user: Values | None,
        due: float | None = None,
    ) -> Execution:
        """Start a run that was let in, or put it in line, or off until it is due."""
        held: Status | None = "scheduled" if due is not None else None if let.how == "at once" else "queued"
        step = self._started(loaded, community, event, arguments, let, caller=caller, user=user, held=held, due=due)
        execution = step.execution
        record = self.admission(event, execution.workflow, name_of(caller), execution.id, None)
        group.batch.admissions.append(record)
        self._remember(community, execution.workflow, let, group)
        self.take(community, step, group)
        if let.how == "instead":
            self._make_room(community, let.slot, execution.id, group)
        return community.roster.awake.get(execution.id, execution)

    def _started(
        self,
        loaded: Loaded,
        community: Community,
        event: Event,
        arguments: Mapping[str, Any],
        let: Let,
        *,
        caller: Values | None,
        user: Values | None,
        held: Status | None,
        due: float | None,
    ) -> Step:
        assert loaded.program is not None, "what cannot be run is not admitted"  # noqa: S101
        return start(
            loaded.program,
            id=self._ids(),
            community=community.name,
            revision=loaded.record.number,
            event=None if event.id == "" else event,
            arguments=arguments,
            user=user,
            caller=caller,
            at=self._now(),
            context=self._context(community.name),
            depth=event.depth,
            slot=None if let.slot == loaded.record.workflow else let.slot,
            held=held,
            due=due,
        )

    def _remember(self, community: Community, workflow: str, let: Let, group: Group) -> None:
        for key, marks in let.marks.items():
            community.marks[workflow, key] = marks
            group.batch.marks.append(MarksRecord(community.name, workflow, key, marks))

    def forget_lapsed(self, community: Community, group: Group, most: int) -> int:
        """Forget what is remembered of starts and looked at no more, so many at most; tells how many there were."""
        now, over = self._now(), list[tuple[str, str]]()
        for (workflow, key), marks in community.marks.items():
            loaded = community.current(workflow)
            if loaded is not None and lapsed(key, marks, loaded.gate.policy, loaded.record.definition.triggers, now):
                over.append((workflow, key))
            if len(over) == most:
                break
        for workflow, key in over:
            del community.marks[workflow, key]
            group.batch.marks.append(MarksRecord(community.name, workflow, key, ()))
        group.rows += len(over)
        return len(over)

    def _make_room(self, community: Community, slot: str, id: str, group: Group) -> None:
        """A newer run takes the place of those that are on and of those that stood in line; they clean up first."""
        now = self._now()
        for other in community.places.line(slot):
            if other != id:
                self._move_soon(community, other, Decline(now, "a newer start took its place"), group)
        for other in community.places.on(slot):
            if other != id:
                self._move_soon(community, other, Cancel(now, "a newer start"), group)

    def _move_soon(self, community: Community, id: str, input: Input, group: Group) -> None:
        """Move a run in this commit if it is awake, else in another one once it has been fetched."""
        if (run := community.roster.awake.get(id)) is not None:
            self.move(community, run, input, group)
            return

        def use(run: Execution | None) -> None:
            if run is not None:
                self.move(community, run, input, self._open_group(2))

        community.roster.use(id, use)

    def _start_inside(self, community: Community, parent: Execution, run: StartRun, group: Group) -> list[Step]:
        """Start a run that another one asked for; what keeps it from starting is told to that one."""
        loaded = community.named(run.workflow)
        if loaded is None:
            return self._not_started(community, parent, run, f'there is no workflow "{run.workflow}"')
        scope = _scope_inside(parent, run, self._context(community.name))
        answer = admit_inside(self.standing(community, loaded), run.arguments, parent.caller, scope)
        event = Event("", canonical("manual"), self._now(), community.name, {}, depth=run.depth, cause=parent.id)
        if isinstance(answer, Let) and answer.how == "in line" and not run.detached:
            answer = self._unless_knotted(community, parent, answer)
        if isinstance(answer, Refuse):
            record = self.admission(event, answer.workflow, name_of(parent.caller), None, answer.reason)
            group.batch.admissions.append(record)
            name = community.workflows[answer.workflow].name
            return self._not_started(community, parent, run, f"{name} did not start: {answer.reason}")
        assert loaded.program is not None, "what cannot be run is not admitted"  # noqa: S101
        step = start(
            loaded.program,
            id=run.id,
            community=community.name,
            revision=loaded.record.number,
            event=None,
            arguments=run.arguments,
            user=parent.user,
            caller=parent.caller,
            at=self._now(),
            context=self._context(community.name),
            depth=run.depth,
            parent=None if run.detached else parent.id,
            slot=None if answer.slot == loaded.record.workflow else answer.slot,
            held=None if answer.how == "at once" else "queued",
        )
        record = self.admission(event, loaded.record.workflow, name_of(parent.caller), run.id, None)
        group.batch.admissions.append(record)
        self.take(community, step, group)
        if answer.how == "instead":
            self._make_room(community, answer.slot, run.id, group)
        return []

    def _unless_knotted(self, community: Community, parent: Execution, let: Let) -> Let | Refuse:
        """A run cannot stand in line behind one that waits, in the end, for the run that would wait for it."""
        left, seen = list(community.places.on(let.slot)), {let.slot}
        while left:
            id = left.pop()
            if id == parent.id:
                return Refuse(let.workflow, "it would have to wait for the run that waits for it")
            run = community.roster.awake.get(id)  # runs that wait for another one are awake
            if run is None:
                continue
            left.extend(branch.child for branch in run.branches if branch.child is not None)
            if run.status == "queued" and (slot := slot_in(run)) not in seen:
                seen.add(slot)
                left.extend(community.places.on(slot))
        return let

    def _not_started(self, community: Community, parent: Execution, run: StartRun, reason: str) -> list[Step]:
        now = community.roster.awake.get(parent.id)
        if run.detached or now is None:
            return []
        step = self.next(community, now, ChildEnded(self._now(), run.id, "failed", error=reason))
        return [] if step.execution is now else [step]

    def begin_put_off(self, community: Community, execution: Execution, group: Group) -> None:
        """The time of a run that was put off has come: it begins, stands in line, or does not begin after all."""
        answer = self._answer_later(community, execution)
        match answer:
            case Refuse():
                self.move(community, execution, Decline(self._now(), answer.reason), group)
            case Let(how="at once"):
                self.move(community, execution, Begin(self._now()), group)
            case Let(how=how):
                self.move(community, execution, StandInLine(self._now()), group)
                if how == "instead":
                    self._make_room(community, slot_in(execution), execution.id, group)

    def _answer_later(self, community: Community, execution: Execution) -> Let | Refuse:
        loaded = community.revisions[execution.workflow, execution.revision]
        if community.current(execution.workflow) is None:
            return Refuse(execution.workflow, "its workflow has been deleted")
        context = self._context(community.name)
        scope = Scope(
            variables=execution.variables, user=execution.user, caller=execution.caller, event=execution.event
        )
        moment = Moment(self._now(), context.zone, context.stream.get("live") is True)
        return admit_later(self.standing(community, loaded), execution.variables, scope, moment)

    def _begin_next(self, community: Community, slot: str) -> list[Step]:
        """A slot is free: whoever stands first in line begins."""
        if community.places.count(slot):
            return []
        for id in community.places.line(slot):
            run = community.roster.awake.get(id)
            if run is None:
                community.roster.use(id, lambda _: self.begin_next(community, slot, self._open_group(2)))
                return []
            step = self.next(community, run, Begin(self._now()))
            if step.execution is not run:
                return [step]
        return []

    def begin_next(self, community: Community, slot: str, group: Group) -> None:
        """See to it that a free slot is taken, if anybody stands in line for it."""
        for step in self._begin_next(community, slot):
            self.take(community, step, group)

    # What admission looks at -----------------------------------------------------------------------------------------

    def standing(self, community: Community, loaded: Loaded) -> Workflow:
        """How a workflow stands, for whoever decides whether it may start."""
        workflow = loaded.record.workflow
        return Workflow(
            community.workflows[workflow],
            loaded.gate,
            loaded.program,
            loaded.unfit,
            marks=lambda key: community.marks.get((workflow, key), ()),
            on=community.places.count,
            line=lambda slot: len(community.places.line(slot)),
        )

    def admission(
        self,
        event: Event,
        workflow: str,
        who: str | None,
        execution: str | None,
        reason: str | None,
        allowed_at: float | None = None,
    ) -> AdmissionRecord:
        """The record of a start or a refusal."""
        return AdmissionRecord(
            self._ids(),
            event.community,
            workflow,
            self._now(),
            event.id,
            canonical(event.name),
            execution,
            reason,
            allowed_at,
            who=who,
        )


def slot_in(execution: Execution) -> str:
    """What a run takes up."""
    return execution.slot or execution.workflow


def _scope_inside(parent: Execution, run: StartRun, context: Context) -> Scope:
    return Scope(
        variables=run.arguments,
        event=parent.event,
        user=parent.user,
        caller=parent.caller,
        config=context.config,
        data=context.data,
        stream=context.stream,
        zone=context.zone,
    )


def _ended(execution: Execution, at: float) -> ChildEnded:
    """The end of a run, for the one that waits for it: what it set and what its steps came to are its result."""
    if execution.status != "completed":
        return ChildEnded(at, execution.id, execution.status, error=execution.error)
    output: dict[str, Any] = {**execution.variables, **execution.results}
    try:
        size = size_of(within(output))
    except EvaluationError:
        size = None
    if size is None or size > MAX_RESULT:
        output = {name: value for name, value in output.items() if (size_of(value) or MAX_RESULT) < MAX_RESULT // 32}
    return ChildEnded(at, execution.id, "completed", output)
