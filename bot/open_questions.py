"""The questions that are open: one at a time for each asker in each place, stored before it is asked, for a minute."""

from typing import Final

from bot.message import Message
from engine.execution import Person
from engine.ports import Batch, Clock, ProposalRecord, Store
from engine.runner import Runner

ANSWER_WITHIN: Final = 60.0


class OpenQuestions:
    """The open questions of one community."""

    def __init__(self, community: str, store: Store, runner: Runner, clock: Clock) -> None:
        self._community = community
        self._store = store
        self._runner = runner
        self._clock = clock
        self._open: dict[tuple[str, str], ProposalRecord] = {}

    async def load(self) -> None:
        """Take up what the store has.

        Raises:
            StoreError: It cannot be read.
        """
        for question in await self._store.proposals(self._community, self._clock.now()):
            self._open[question.asker, question.channel] = question

    def of(self, message: Message) -> ProposalRecord | None:
        """The question that is open for this person in that place."""
        question = self._open.get((asker_of(message.author), message.place.key))
        return None if question is None or question.expires_at <= self._clock.now() else question

    def called(self, id: str) -> ProposalRecord | None:
        """The question of that id, if it is open, whoever was asked."""
        found = next((question for question in self._open.values() if question.id == id), None)
        return None if found is None or found.expires_at <= self._clock.now() else found

    async def open(self, record: ProposalRecord) -> None:
        """Store a question in the place of the one before."""
        former = self._open.get((record.asker, record.channel))
        answered = [] if former is None else [former.id]
        await self._runner.save(Batch(proposals=[record], proposals_answered=answered))
        self._open[record.asker, record.channel] = record

    async def change(self, record: ProposalRecord) -> None:
        """Store a question anew."""
        await self._runner.save(Batch(proposals=[record]))
        self._open[record.asker, record.channel] = record

    async def close(self, record: ProposalRecord) -> None:
        """It needs no answer any more."""
        await self._runner.save(Batch(proposals_answered=[record.id]))
        self.forget(record)

    def forget(self, record: ProposalRecord) -> None:
        """It has been closed with something else that was saved."""
        held = self._open.get((record.asker, record.channel))
        if held is not None and held.id == record.id:
            del self._open[record.asker, record.channel]


def asker_of(person: Person) -> str:
    """One word for a person, fit to store."""
    return f"{person.platform}:{person.id or person.name.casefold()}"
