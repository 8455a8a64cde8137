"""What the Discord front end needs of the bot behind it, as a Protocol: it names no composition root."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from bot.catalogue import Catalogue
from bot.config import Settings
from bot.message import Message, Reply
from engine.events import Event
from engine.execution import Person
from engine.ports import ChangeRecord, Clock, ConfigRecord, ProposalRecord, Store
from engine.runner import Posted, Runner
from grammar.instruction import Instruction
from grammar.language import Language


class Talk(Protocol):
    """The dialogues."""

    @property
    def catalogue(self) -> Catalogue:
        """The workflows there are."""
        ...

    def complete(self, message: Message) -> list[str]:
        """What the word being typed could become."""
        ...

    def may(self, person: Person, instruction: Instruction) -> bool:
        """Whether somebody may give that instruction at all."""
        ...

    def question(self, id: str) -> ProposalRecord | None:
        """An open question, whoever was asked."""
        ...

    def asked(self, message: Message) -> ProposalRecord | None:
        """What the author of a message has been asked there."""
        ...


class HeardThere(Protocol):
    """What a message came to."""

    @property
    def replies(self) -> Sequence[Reply]:
        """What to answer."""
        ...


class House(Protocol):
    """The bot."""

    @property
    def settings(self) -> Settings:
        """As they are now."""
        ...

    @property
    def clock(self) -> Clock:
        """The bot's."""
        ...

    @property
    def ids(self) -> Callable[[], str]:
        """Draws ids."""
        ...

    @property
    def store(self) -> Store:
        """For reading."""
        ...

    @property
    def language(self) -> Language:
        """Says steps in words."""
        ...

    @property
    def runner(self) -> Runner:
        """Knows what goes on."""
        ...

    @property
    def conversation(self) -> Talk:
        """The dialogues."""
        ...

    async def hear(self, message: Message) -> HeardThere:
        """Somebody wrote something."""
        ...

    async def happen(self, event: Event) -> Posted:
        """Something happened."""
        ...

    async def stands(self, person: Person) -> None:
        """Somebody was seen with these roles."""
        ...

    async def set(self, changed: tuple[Settings, ConfigRecord]) -> None:
        """Keep a changed setting."""
        ...

    async def keep(self, records: Sequence[ConfigRecord]) -> None:
        """Keep what is no setting of people."""
        ...


async def last_change(house: House, community: str, workflow: str) -> ChangeRecord | None:
    """The last change of a workflow."""
    changes = await house.store.changes(community, workflow, limit=1)
    return changes[0] if changes else None


async def kept(house: House, community: str) -> Mapping[str, ConfigRecord]:
    """What has been kept."""
    return await house.store.config(community)
