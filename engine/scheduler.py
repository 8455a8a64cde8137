"""What is due by the clock in one community, and when the next thing is. Memory only: it reads no clock and starts nothing.

All there is to keep of a schedule is one number, `since`: the last time it came, or when its workflow was saved. What is
due follows from it, so a restart, a machine that slept and an ordinary second are the same question:

    scheduler.put("raid", definition, ...)            # at the start, and whenever a workflow is saved
    for fallen in scheduler.due(now):                 # its events, and the `since` to commit together with them
        ...
    scheduler.settle(fallen)                          # once that is committed
    scheduler.next_due                                # when to ask again

Asking changes nothing, so what could not be committed is asked for again. An event's id names workflow, schedule and due
time, and a random interval's length follows from them too: whoever asks twice gets the same events, and the second ones
are known already.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from types import MappingProxyType
from typing import Final

from engine.events import Event, canonical
from engine.model import Definition, Trigger
from engine.schedules import (
    MOST_MADE_UP,
    Draw,
    Rule,
    ScheduleKey,
    keyed_schedules,
    latest,
    made_up,
    next_time,
    today,
)
from engine.wording import counted

_NAMED: Final = "scheduled."


@dataclass(frozen=True, slots=True)
class Fallen:
    """A schedule whose time has come.

    Attributes:
        id: Which schedule.
        trigger: The trigger it belongs to; its events are for no other.
        events: What happens of it, oldest first; none if all its times were missed and are left out.
        since: What to keep of it from now on.
        left_out: How many times were missed and are not made up for, a hundred at most.
    """

    id: ScheduleKey
    trigger: Trigger
    events: tuple[Event, ...]
    since: float
    left_out: int


@dataclass(frozen=True, slots=True)
class _Schedule:
    id: ScheduleKey
    trigger: Trigger
    rule: Rule | None
    since: float
    due: float | None


class Scheduler:
    """The schedules of one community."""

    def __init__(self, community: str, zone: str) -> None:
        self._community = community
        self._zone = zone
        self._schedules: dict[str, dict[str, _Schedule]] = {}  # by workflow, then by key

    def put(
        self,
        workflow: str,
        definition: Definition,
        *,
        saved: float,
        now: float,
        since: Mapping[str, float] = MappingProxyType({}),
    ) -> dict[str, float]:
        """Let a workflow's schedules come, and no earlier ones of it.

        Args:
            workflow: Its id.
            definition: As it is written now.
            saved: When that was saved or switched on; schedules that are new count from there.
            now: The present; nothing can have come later, whatever a wrong clock once said.
            since: What is kept of its schedules, by key. What is known here already is newer.

        Returns:
            What to keep of them, by key; nothing else of this workflow is to be kept.
        """
        known = {**since, **{key: old.since for key, old in self._schedules.get(workflow, {}).items()}}
        made: dict[str, _Schedule] = {}
        for key, trigger in keyed_schedules(definition).items():
            begins = min(known.get(key, saved), now)
            id = ScheduleKey(workflow, key)
            made[key] = self._timed(_Schedule(id, trigger, definition.policy.missed, begins, None))
        self._schedules[workflow] = made
        return {key: schedule.since for key, schedule in made.items()}

    def remove(self, workflow: str) -> None:
        """Let nothing of a workflow come any more: it was deleted, or switched off."""
        self._schedules.pop(workflow, None)

    def move_to(self, zone: str) -> None:
        """Read wall clocks in another zone from now on."""
        self._zone = zone
        for made in self._schedules.values():
            made.update({key: self._timed(schedule) for key, schedule in made.items()})

    def _all(self) -> Iterator[_Schedule]:
        for made in self._schedules.values():
            yield from made.values()

    @property
    def next_due(self) -> float | None:
        """When something is due next; None if nothing ever is."""
        return min((schedule.due for schedule in self._all() if schedule.due is not None), default=None)

    def next_of(self, workflow: str) -> float | None:
        """When a workflow is due next; None if it never is."""
        made = self._schedules.get(workflow, {}).values()
        return min((schedule.due for schedule in made if schedule.due is not None), default=None)

    def due(self, now: float) -> tuple[Fallen, ...]:
        """What has come by now, in the order of its times; changes nothing."""
        ready = [
            (schedule.due, schedule.id, schedule)
            for schedule in self._all()
            if schedule.due is not None and schedule.due <= now
        ]
        return tuple(self._fallen(schedule, now) for _, _, schedule in sorted(ready, key=lambda one: one[:2]))

    def settle(self, fallen: Fallen) -> None:
        """Let a schedule go on after what has come of it; one that is not there any more is passed over."""
        made = self._schedules.get(fallen.id.workflow, {})
        schedule = made.get(fallen.id.key)
        if schedule is not None and fallen.since > schedule.since:
            made[fallen.id.key] = self._timed(replace(schedule, since=fallen.since))

    def today(self, now: float) -> tuple[tuple[float, str], ...]:
        """What is still to come today, as (time, workflow) in order."""
        return tuple(sorted((at, each.id.workflow) for each in self._all() for at in self._rest_of_today(each, now)))

    def _rest_of_today(self, schedule: _Schedule, now: float) -> tuple[float, ...]:
        draw = self._chance_of(schedule.id)
        return today(schedule.trigger, last=schedule.since, now=now, zone=self._zone, draw=draw)

    def _timed(self, schedule: _Schedule) -> _Schedule:
        chance = self._chance_of(schedule.id)(schedule.since)
        due = next_time(schedule.trigger, after=schedule.since, zone=self._zone, chance=chance)
        return replace(schedule, due=due)

    def _chance_of(self, id: ScheduleKey) -> Draw:
        """Chance, 0 to 1, that is the same whenever it is asked for."""

        def draw(at: float) -> float:
            seed = "\n".join((self._community, id.workflow, id.key, repr(at)))
            return int.from_bytes(blake2b(seed.encode(), digest_size=6).digest(), "big") / (2**48 - 1)

        return draw

    def _fallen(self, schedule: _Schedule, now: float) -> Fallen:
        trigger, draw = schedule.trigger, self._chance_of(schedule.id)
        times = latest(trigger, after=schedule.since, until=now, zone=self._zone, draw=draw, most=MOST_MADE_UP)
        happen = made_up(times, now, schedule.rule)
        events = tuple(self._event(schedule, due, now) for due in happen)
        return Fallen(schedule.id, trigger, events, self._kept(trigger, times, happen, now), len(times) - len(happen))

    @staticmethod
    def _kept(trigger: Trigger, times: tuple[float, ...], happen: tuple[float, ...], now: float) -> float:
        """The last time; a random interval has no beat, so after a downtime it counts from now."""
        if trigger.every_most_seconds is not None and (len(times) > 1 or not happen):
            return now
        return times[-1]

    def _event(self, schedule: _Schedule, due: float, now: float) -> Event:
        trigger = schedule.trigger
        return Event(
            id=f"schedule/{schedule.id.workflow}/{schedule.id.key}/{due:.3f}",
            name=canonical(trigger.on),
            at=now,
            community=self._community,
            payload={
                "schedule": _said(trigger),
                "due": due,
                "workflow": schedule.id.workflow,
                "key": schedule.id.key,
            },
        )


def _said(trigger: Trigger) -> str:
    """The name of a schedule, or what it says of its time."""
    if trigger.on.startswith(_NAMED):
        return trigger.on.removeprefix(_NAMED)
    return trigger.at or trigger.schedule or "interval"


def trigger_of(event: Event, workflow: str, definition: Definition) -> Trigger | None:
    """The trigger of a workflow that an event of the scheduler is for, and no other; None if there is none."""
    if event.payload.get("workflow") != workflow:
        return None
    return keyed_schedules(definition).get(str(event.payload.get("key")))


def held_back(trigger: Trigger, *, live: bool, lines: int) -> str | None:
    """Why what is due does not start, if the trigger does not let it now.

    Args:
        trigger: What was due.
        live: Whether the stream is on.
        lines: How many chat lines people have written since the workflow was last started by this trigger.
    """
    if trigger.only_live and not live:
        return "the stream is not live"
    if trigger.min_lines is not None and lines < trigger.min_lines:
        seen = f"only {counted(lines, 'chat line')}" if lines else "no chat lines"
        return f"{seen} since it last ran; it needs {trigger.min_lines}"
    return None
