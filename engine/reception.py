"""What an event comes to: gifts are folded, those who wait for it hear of it, and workflows that listen for it start.

Waits come before triggers, those that have waited longest first; a wait may keep an event from all that come after it.
Everything an event leads to at once is one group, and so one commit. Whether something starts is decided by
`engine.admission`, whether it fits a wait by `engine.machine`.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from engine.admission import Let, Moment, Refuse, admit
from engine.clock import SleepingClock
from engine.community import Community
from engine.context import Context, event_scope
from engine.events import Event, canonical
from engine.execution import Execution
from engine.folding import PATIENCE, Fold, Header, Single, fold_of
from engine.inbox import Posted, keys_of
from engine.inputs import Heard
from engine.machine import heard_as
from engine.people import name_of, person_in
from engine.ports import AdmissionRecord, HeldRecord, Store
from engine.progress import Progress
from engine.scope import Scope
from engine.triggers import Match
from engine.unheld import Line
from engine.writer import Group, Writer

log = logging.getLogger(__name__)

SEEN_FOR: Final = 86_400.0
"""How long a second event with the same key is the same event."""

FLOODS: Final = frozenset({"message.received", "discord.message.received"})
"""Events that come so often that those no trigger took are not recorded one by one."""

LINES: Final = FLOODS | {"message.first"}
"""Events that are a line in chat."""

HELD: Final = "held "
"""What the name of a due time begins with at which held events are let go."""


class Reception:
    """Receives events.

    Args:
        store: Asked which events have been seen before.
        clock: Says when something was received.
        writer: Takes what an event comes to.
        progress: Carries out what it leads to.
        context: What is known outside executions.
        mend: Makes sure that memory is what the store says.
    """

    def __init__(
        self,
        store: Store,
        clock: SleepingClock,
        writer: Writer,
        progress: Progress,
        context: Callable[[str], Context],
    ) -> None:
        self._store = store
        self._clock = clock
        self._writer = writer
        self._progress = progress
        self._context = context

    async def prepare(self, community: Community, events: Sequence[Event]) -> frozenset[str]:
        """Which keys of these events the store knows; whoever may want to hear of them is awake then.

        Raises:
            StoreError: It cannot be read.
        """
        keys = [key for event in events for key in asked_of(event)]
        seen = await self._store.seen(community.name, keys, self._clock.now())
        while asleep := [id for event in events for id in _hearing(community, event) if community.roster.is_asleep(id)]:
            await community.roster.wake(asleep)
        return seen

    def receive(
        self, community: Community, event: Event, keys: Sequence[str], seen: frozenset[str]
    ) -> tuple[Posted, Group]:
        """Let an event happen that has not been seen before; tells what it came to, and in which commit."""
        group = self._writer.open_group(1)
        group.batch.events.append(event)
        expires = self._clock.now() + SEEN_FOR
        for key in keys:
            group.batch.seen[community.name, key] = expires
        fold = fold_of(event)
        if fold is not None and self._is_folded(community, event, fold, group, seen):
            return Posted(event, duplicate=False, folded=True), group
        return self._happen(community, event, group), group

    def let_go(self, community: Community, key: str) -> None:
        """The header of some gifts has not come in time: each stands for itself."""
        for record in community.release(key):
            group = self._writer.open_group(2)
            group.batch.released.append((community.name, record.event.id))
            self._happen(community, record.event, group)

    def appointed(self, community: Community, event: Event, match: Match, group: Group) -> None:
        """Let an event of the clock happen: it is for one trigger, and for whoever waits for such an event."""
        group.batch.events.append(event)
        group.batch.seen[community.name, f"id:{event.id}"] = self._clock.now() + SEEN_FOR
        _, consumed = self._let_hear(community, event, group)
        if not consumed:
            scope = event_scope(event, self._context(community.name))
            self._answer(community, event, match, scope, group)

    def _is_folded(self, community: Community, event: Event, fold: Fold, group: Group, seen: frozenset[str]) -> bool:
        match fold:
            case Header(key):
                group.batch.seen[community.name, key] = self._clock.now() + SEEN_FOR
                community.remember(key)
                for record in community.release(key):
                    group.batch.released.append((community.name, record.event.id))
                return False
            case Single(key):
                if key not in seen and key not in community.folded:
                    release_at = self._clock.now() + PATIENCE
                    waiting = community.held.setdefault(key, [])
                    if not waiting:
                        community.timers.arm(HELD + key, release_at)
                    waiting.append(HeldRecord(event, key, release_at))
                    group.batch.held.append(waiting[-1])
                return True

    def _happen(self, community: Community, event: Event, group: Group) -> Posted:
        heard, consumed = self._let_hear(community, event, group)
        if consumed:
            return Posted(event, duplicate=False, heard=heard)
        scope = event_scope(event, self._context(community.name), caller=person_in(event.behind))
        if canonical(event.name) in LINES and not event.own:
            community.lines += 1
        matches, line = community.triggers.match(event, scope), None
        if canonical(event.name) in FLOODS:
            line = Line(self._clock.now(), matches)
            community.refusals.add(line)
        held = matches.all() if line is None else matches.held
        answers = [self._answer(community, event, match, scope, group) for match in held]
        return Posted(
            event,
            duplicate=False,
            started=tuple(answer for answer in answers if isinstance(answer, Execution)),
            refused=tuple(answer for answer in answers if isinstance(answer, AdmissionRecord)),
            heard=heard,
            line=line,
        )

    def _let_hear(self, community: Community, event: Event, group: Group) -> tuple[tuple[str, ...], bool]:
        """Let those hear who wait; tells who did anything, and whether one of them keeps the event to itself."""
        if event.own:
            return (), False
        heard: list[str] = []
        input: Heard | None = None
        for id in _hearing(community, event):
            run = community.roster.awake.get(id)
            if run is None:
                continue
            if input is None:
                name = canonical(event.name)
                input = Heard(self._clock.now(), name, {**heard_as(event), "name": name})
            step = self._progress.move(community, run, input, group)
            if step.execution is not run:
                group.rows += 2
                heard.append(id)
            else:
                community.roster.doze(id)
            if step.consumed:
                return tuple(heard), True
        return tuple(heard), False

    def _answer(
        self, community: Community, event: Event, match: Match, scope: Scope, group: Group
    ) -> Execution | AdmissionRecord:
        """Start what is let in, and record what is not."""
        loaded = community.current(match.workflow)
        assert loaded is not None, "the index only knows workflows that are there"  # noqa: S101
        context = self._context(community.name)
        moment = Moment(self._clock.now(), context.zone, context.stream.get("live") is True)
        answer = admit(event, match, self._progress.standing(community, loaded), scope, moment)
        match answer:
            case Let():
                return self._start(community, event, answer, group)
            case Refuse():
                return self._refuse(group, event, answer)

    def _start(self, community: Community, event: Event, let: Let, group: Group) -> Execution:
        loaded = community.current(let.workflow)
        assert loaded is not None, "what is not there is not admitted"  # noqa: S101
        user = person_in(event.payload.get("user"))
        caller = person_in(event.behind)
        group.rows += 3
        return self._progress.start(community, loaded, group, event, {}, let, caller=caller, user=user)

    def _refuse(self, group: Group, event: Event, refusal: Refuse) -> AdmissionRecord:
        who = name_of(event.payload.get("user"))
        record = self._progress.admission(event, refusal.workflow, who, None, refusal.reason, refusal.allowed_at)
        group.batch.admissions.append(record)
        group.rows += 1
        return record


def asked_of(event: Event) -> list[str]:
    """What the store is asked about an event: whether it was seen, and for a gift whether its header was."""
    fold = fold_of(event)
    return keys_of(event) if fold is None else [*keys_of(event), fold.key]


def _hearing(community: Community, event: Event) -> list[str]:
    return [] if event.own else community.ears.of(canonical(event.name), name_of(event.payload.get("user")))
