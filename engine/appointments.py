"""Lets happen what is due by the clock: schedules and intervals, also those that fell into a time when nobody was there.

When something is due is `engine.scheduler`'s business, whether it starts a workflow `engine.admission`'s. What has come is
committed together with what is kept of the schedule, so a crash neither loses a start nor makes it twice.
"""

from collections.abc import Callable, Mapping
from typing import Final

from engine.clock import SleepingClock
from engine.community import Community
from engine.context import Context, event_scope
from engine.errors import EvaluationError
from engine.evaluate import compile_guard
from engine.events import Event
from engine.explain import explain
from engine.marks import Mark
from engine.model import Trigger
from engine.ports import MarksRecord, WorkflowRecord
from engine.reception import Reception
from engine.scheduler import Fallen, Scheduler, held_back
from engine.triggers import Match
from engine.wording import counted
from engine.writer import Group, Writer

DUE: Final = "schedules"
"""The name of the due time at which the next schedule comes."""
_KEPT: Final = "schedule "
"""What the key of a mark begins with that is kept of a schedule."""


class Appointments:
    """Keeps the schedules of communities.

    Args:
        clock: Says what time it is; schedules follow its wall clock, also when somebody sets that.
        writer: Takes what comes of a schedule.
        reception: Lets an event start what listens for it.
        context: What is known outside executions.
        tell: Says a sentence to a community.
    """

    def __init__(
        self,
        clock: SleepingClock,
        writer: Writer,
        reception: Reception,
        context: Callable[[str], Context],
        tell: Callable[[str, str], None],
    ) -> None:
        self._clock = clock
        self._writer = writer
        self._reception = reception
        self._context = context
        self._tell = tell

    def recall(self, community: Community) -> None:
        """Know the schedules of all workflows that are switched on, from what memory says."""
        community.scheduler = Scheduler(community.name, self._context(community.name).zone)
        now = self._clock.wall()
        for record in community.workflows.values():
            loaded = community.current(record.id)
            if loaded is not None and record.enabled:
                definition, saved = loaded.record.definition, loaded.record.at
                community.scheduler.put(record.id, definition, saved=saved, now=now, since=_since(community, record.id))

    def learn(self, community: Community, record: WorkflowRecord, before: WorkflowRecord | None) -> None:
        """A workflow was saved, switched or deleted: its schedules are others from now on."""
        loaded = community.current(record.id)
        now = self._clock.wall()
        kept: Mapping[str, float] = {}
        if loaded is None or not record.enabled:
            community.scheduler.remove(record.id)
        else:
            was_on = before is not None and before.enabled and not before.deleted
            since = _since(community, record.id) if was_on else {}
            definition = loaded.record.definition
            saved = loaded.record.at if was_on else now
            kept = community.scheduler.put(record.id, definition, saved=saved, now=now, since=since)
        self._keep(community, record.id, kept)
        self.arm(community)

    def move_to(self, community: Community, zone: str) -> None:
        """Wall clocks are read in another zone from now on."""
        community.scheduler.move_to(zone)
        self.arm(community)

    def arm(self, community: Community) -> None:
        """See to it that the next one is not missed; to be called again when the wall clock was set."""
        due = community.scheduler.next_due
        community.timers.arm(DUE, None if due is None else self._clock.at_wall(due))

    def come(self, community: Community) -> None:
        """Let happen whatever is due."""
        for fallen in community.scheduler.due(self._clock.wall()):
            community.scheduler.settle(fallen)
            self._come(community, fallen)
        self.arm(community)

    def _come(self, community: Community, fallen: Fallen) -> None:
        workflow, key = fallen.id.workflow, fallen.id.key
        loaded = community.current(workflow)
        if loaded is None:
            return
        group = self._writer.open_group(1 + 3 * len(fallen.events))
        self._mark(community, workflow, _KEPT + key, ((fallen.since, 1),), group)
        for event in fallen.events:
            self._reception.appointed(community, event, self._match(community, fallen, event), group)
        if fallen.left_out:
            name = community.workflows[workflow].name
            more = " or more" if fallen.left_out >= 100 else ""
            self._tell(community.name, f"{counted(fallen.left_out, 'run')}{more} of {name} would have come meanwhile.")

    def _match(self, community: Community, fallen: Fallen, event: Event) -> Match:
        context, trigger = self._context(community.name), fallen.trigger
        lines = community.lines - community.lines_at.get((fallen.id.workflow, fallen.id.key), 0)
        reason = held_back(trigger, live=context.stream.get("live") is True, lines=lines)
        if reason is None:
            reason = _unheld(trigger, event, context)
        if reason is None:
            community.lines_at[fallen.id.workflow, fallen.id.key] = community.lines
        return Match(fallen.id.workflow, trigger, reason)

    def _keep(self, community: Community, workflow: str, since: Mapping[str, float]) -> None:
        """Keep these of a workflow and no others, where that is not known already."""
        wanted: dict[str, tuple[Mark, ...]] = {_KEPT + key: ((at, 1),) for key, at in since.items()}
        for owner, key in [*community.marks]:
            if owner == workflow and key.startswith(_KEPT):
                wanted.setdefault(key, ())
        changed = {key: marks for key, marks in wanted.items() if community.marks.get((workflow, key), ()) != marks}
        if changed:
            group = self._writer.open_group(len(changed))
            for key, marks in changed.items():
                self._mark(community, workflow, key, marks, group)

    @staticmethod
    def _mark(community: Community, workflow: str, key: str, marks: tuple[Mark, ...], group: Group) -> None:
        if marks:
            community.marks[workflow, key] = marks
        else:
            community.marks.pop((workflow, key), None)
        group.batch.marks.append(MarksRecord(community.name, workflow, key, marks))


def _since(community: Community, workflow: str) -> dict[str, float]:
    return {
        key.removeprefix(_KEPT): marks[-1][0]
        for (owner, key), marks in community.marks.items()
        if owner == workflow and key.startswith(_KEPT) and marks
    }


def _unheld(trigger: Trigger, event: Event, context: Context) -> str | None:
    """Why the guard of a trigger does not hold, if it does not."""
    if trigger.when is None:
        return None
    scope = event_scope(event, context)
    try:
        if compile_guard(trigger.when)(scope):
            return None
    except EvaluationError as error:
        return f"its condition could not be worked out: {error.reason}"
    return explain(trigger.when, event, scope)
