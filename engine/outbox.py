"""Committed effects on their way: each is handed to whoever does it, and what came of it becomes an input of its run.

Most are done by a service. What is done by a commit, a change of the community's data or an event of a step, is done here,
in the very commit that records it as done. Of what was on its way at a crash, what may be repeated is, and the rest is
settled or left unknown. This module decides nothing about executions, and draws no commit of its own: a result joins the
open group.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from engine.actions import EMIT, ENGINE
from engine.clock import SleepingClock
from engine.community import Community
from engine.data import SERVICE as DATA
from engine.data import apply
from engine.declare import Declarations
from engine.emitting import emitted
from engine.errors import EngineError
from engine.execution import Done, Effect, Execution, Failed, Result, Unknown
from engine.inbox import Posted
from engine.inputs import ending
from engine.people import name_of
from engine.performer import Attempt, Performer
from engine.ports import DataRecord, OutboxRecord, Service
from engine.progress import Progress
from engine.tasks import Tasks
from engine.trouble import Trouble
from engine.writer import Ended, Group, Writer


class Outbox:
    """Sees every committed effect through to its recorded result.

    Args:
        communities: Those that are open.
        services: Who performs effects, one of each name.
        declarations: Of all methods there are.
        clock: Says when something ended.
        tasks: Owns the work.
        writer: Takes what came of effects.
        progress: Carries out what follows from it.
        trouble: Holds results back while nothing can be saved.
        chance: Draws numbers in [0, 1).
        zone: The time zone of a community.
        tell: Says a sentence to a community.
        on_attempt: Told of every try handed to a service, when it has ended.
    """

    def __init__(
        self,
        communities: Mapping[str, Community],
        services: Sequence[Service],
        declarations: Declarations,
        clock: SleepingClock,
        tasks: Tasks,
        writer: Writer,
        progress: Progress,
        trouble: Trouble,
        *,
        chance: Callable[[], float],
        zone: Callable[[str], str],
        tell: Callable[[str, str], None],
        on_attempt: Callable[[Attempt], None] | None,
    ) -> None:
        self._communities = communities
        self._declarations = declarations
        self._clock = clock
        self._writer = writer
        self._progress = progress
        self._trouble = trouble
        self._chance = chance
        self._zone = zone
        self._tell = tell
        self._performer = Performer(services, clock, tasks, self._mark_begun, self._ended, on_attempt, declarations)
        self._closed = False

    @property
    def idle(self) -> bool:
        """Nothing is left to be handed over."""
        return self._performer.idle

    async def close(self, within: float) -> None:
        """Hand over nothing more, give what has been handed over so many seconds to end, and record nothing after that."""
        await self._performer.rest(within)
        self._closed = True

    def take_up(self, pending: Sequence[OutboxRecord], known: Collection[str]) -> None:
        """Perform, repeat or settle what the store says is on its way; not that of which the result is `known`."""
        for record in pending:
            effect = record.effect
            if effect.id in known or self._performer.has(effect.id):
                continue
            community = self._communities.get(effect.community)
            owner = None if community is None else community.roster.awake.get(effect.execution)
            if record.status == "begun" and not effect.repeatable:
                self._performer.settle(effect)
            elif record.status == "due" and (owner is None or effect.id in owner.orphans):
                self._ended(effect, Failed("stopped", "it was stopped before this was handed over"))
            else:
                self.perform(effect)

    # On its way ------------------------------------------------------------------------------------------------------

    def perform(self, effect: Effect) -> None:
        """Do it, or have it done."""
        community = self._communities.get(effect.community)
        execution = None if community is None else community.roster.awake.get(effect.execution)
        forbidden = None
        if community is not None and execution is not None:
            loaded = community.revisions[execution.workflow, execution.revision]
            forbidden = loaded.forbidden.get(effect.state)
        if effect.service == DATA and forbidden is None and community is not None:
            self._keep(community, effect, execution)
        elif (effect.service, effect.method) == (ENGINE, EMIT) and community is not None:
            self._let_happen(community, effect)
        else:
            self._performer.perform(effect, forbidden)

    def _keep(self, community: Community, effect: Effect, execution: Execution | None) -> None:
        """Do what a step asks of what the community keeps: in the very commit that records it as done."""
        if self._trouble.held or self._closed:
            return  # it stays due, and nothing of it has happened
        user = None if execution is None else name_of(execution.user) or name_of(execution.caller)
        method = self._declarations.find(effect.service, effect.method)
        name = effect.method if method is None else method.name
        now, zone = self._clock.now(), self._zone(community.name)
        result, rows = apply(
            name, effect.params, community.kept, now=now, chance=self._chance(), by=user or "", zone=zone
        )
        community.kept.take(rows)
        self.record((effect, ending(effect, result, now)), rows)

    def _let_happen(self, community: Community, effect: Effect) -> None:
        """Let the event of a step happen: in its turn, and in the very commit that records the step as done."""

        def then(came: Posted | EngineError, group: Group | None) -> None:
            if self._trouble.held or self._closed:
                return  # it stays due; if the event did happen, that is known when it is taken up again
            result: Result = Done()
            if isinstance(came, EngineError):
                result = Failed("broken", f"the event did not happen: {came}")
            self.record((effect, ending(effect, result, self._clock.now())), group=group)

        if not self._trouble.held and not self._closed:
            community.inbox.line_up(emitted(effect, self._clock.now()), then)

    async def _mark_begun(self, effect: Effect) -> None:
        group = self._writer.open_group(1)
        group.batch.begun.append(effect.id)
        await self._writer.done(group)

    # What came of it -------------------------------------------------------------------------------------------------

    def _ended(self, effect: Effect, result: Result) -> None:
        """The result of an effect has come."""
        if self._closed:
            return
        if isinstance(result, Unknown):
            self._tell(effect.community, _unknown_in_words(effect, result))
        ended = (effect, ending(effect, result, self._clock.now()))
        if self._trouble.held:
            self._trouble.keep(ended)
        else:
            self.record(ended)

    def record(self, ended: Ended, kept: Sequence[DataRecord] = (), group: Group | None = None) -> None:
        """Put what came of an effect into a commit, with what it changed, and all that follows from it at once."""
        effect, input = ended
        community = self._communities.get(effect.community)
        if community is None:
            return
        if group is None:
            group = self._writer.open_group(3)
        group.batch.done.append(effect.id)
        group.batch.data.extend(kept)
        group.ended.append(ended)
        execution = community.roster.awake.get(effect.execution)
        if execution is not None:
            self._progress.take(community, self._progress.next(community, execution, input), group)


def _unknown_in_words(effect: Effect, result: Unknown) -> str:
    return (
        f'I cannot tell whether step "{effect.state}" of {effect.workflow} ({effect.service}.{effect.method}) was '
        f"done, so I do not do it again: {result.message}"
    )
