"""What an instruction is carried out with, and what it comes to.

`Desk` is everything of one community that instructions work with; `Turn` is one instruction of one person. What it comes
to is a value: replies, or a question that has to be answered with yes first.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from bot.catalogue import Catalogue, Entry, Origin
from bot.message import Message, Platform, Reply, ReplyKind
from bot.replies import About, Saying, clipped, moment, refusal, replies, titled
from engine.declare import Declarations
from engine.execution import Execution, Person
from engine.model import Definition
from engine.ports import Batch, Clock, ConfigRecord, Store
from engine.runner import Runner
from engine.secrets import Secret
from engine.validate import Problem, check, check_together
from grammar.instruction import Instruction, Question
from grammar.language import Language
from grammar.workspace import LiveNames, Workspace

MAX_WORDS = 500
"""Of a message, so many characters are kept for the history."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything of a community that instructions work with.

    Attributes:
        names: Tells the live names.
        config: Tells the settings as a tree.
        zone: Tells the IANA name of the community's time zone.
        granted: Tells the scopes that platforms have granted, by service; of those not in there nothing is known.
        unheard: Tells the events that platforms do not tell of, with the scopes that would change that.
    """

    community: str
    language: Language
    runner: Runner
    store: Store
    clock: Clock
    ids: Callable[[], str]
    declarations: Declarations
    catalogue: Catalogue
    names: Callable[[], LiveNames]
    config: Callable[[], Mapping[str, Any]]
    zone: Callable[[], str]
    granted: Callable[[], Mapping[str, Collection[str]]] = dict
    unheard: Callable[[], Mapping[str, Collection[str]]] = dict

    async def run(self, id: str) -> Execution | None:
        """One run, ended or not."""
        return await self.store.execution(id)

    async def runs(self, workflow: str | None = None, most: int | None = None) -> tuple[Execution, ...]:
        """What runs now; of what sleeps in the store so many at most."""
        return await self.runner.live(self.community, workflow, most=most)

    def running(self, workflow: str | None = None) -> dict[tuple[str, int], int]:
        """How many runs there are, by workflow and version."""
        counts = self.runner.census(self.community)
        return {key: count for key, count in counts.items() if workflow in (None, key[0])}

    def settings(self) -> frozenset[str]:
        """The names that settings have, dotted."""
        return frozenset(name for name, _ in _flat(self.config()))

    def check(self, definition: Definition) -> tuple[Problem, ...]:
        """What is wrong with a definition here."""
        secrets = {name for name, value in _flat(self.config()) if isinstance(value, Secret)}
        there = {entry.id: entry.definition for entry in self.catalogue.there()}
        return check(
            definition,
            self.declarations,
            self.settings(),
            secrets,
            now=self.clock.now(),
            zone=self.zone(),
            workflows=there,
            scopes=self._scopes(),
            unheard=self.unheard(),
        )

    def _scopes(self) -> Collection[str] | None:
        """The scopes that are there, or may be there for all that is known; None if nothing is known of any."""
        granted = self.granted()
        if not granted:
            return None
        unknown = {scope for method in self.declarations if method.service not in granted for scope in method.scopes}
        return unknown.union(*granted.values())

    def check_together(self, definition: Definition) -> tuple[Problem, ...]:
        """What a definition, switched on, makes wrong among all workflows that was not wrong before."""
        on = {entry.id: entry.definition for entry in self.catalogue.there() if entry.record.enabled}
        before = set(check_together(on, self.declarations))
        found = check_together({**on, definition.id: definition}, self.declarations)
        return tuple(problem for problem in found if problem not in before)

    def time(self, at: float) -> str:
        """A time as people here read it."""
        return moment(at, self.clock.now(), ZoneInfo(self.zone()))


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterable[tuple[str, Any]]:
    """Settings by their dotted names."""
    for key, value in tree.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


@dataclass(frozen=True, slots=True)
class Turn:
    """One instruction of one person.

    Attributes:
        words: The asker's own words, all that led here.
        said: The instruction in canonical words.
        corrections: Typos put right, as (typed, read).
        notes: Guesses worth saying.
        confirmed: Whether the asker has said yes to it.
        moved: Whether the asker has said yes to a version that no longer counts.
        closes: Ids of the questions that this answers; they are closed with whatever is saved.
        focus: The workflow talked about last, deleted or not.
        among_others: Whether it is one of several things that one message says, none of which can be asked about.
        remember: Makes the record that keeps a workflow in focus.
    """

    desk: Desk
    message: Message
    workspace: Workspace
    words: str
    said: str
    corrections: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    confirmed: bool = False
    moved: bool = False
    closes: tuple[str, ...] = ()
    focus: str | None = None
    among_others: bool = False
    remember: Callable[[str], ConfigRecord | None] = field(default=lambda _: None)

    @property
    def by(self) -> Person:
        """Who said it."""
        return self.message.author

    @property
    def platform(self) -> Platform:
        """Where, as far as limits go."""
        return self.message.place.platform

    @property
    def unsure(self) -> bool:
        """Whether nothing may run, stop or go because of this before a yes."""
        return not self.confirmed and (self.moved or bool(self.corrections))

    def origin(self) -> Origin:
        """Where a change made by this comes from."""
        return Origin(self.by, self.desk.clock.now(), clipped(self.words, MAX_WORDS), self.desk.ids)

    def entry(self, workflow: str) -> Entry:
        """The workflow of that id.

        Raises:
            KeyError: It is not there; the language only names those that are.
        """
        entry = self.desk.catalogue.get(workflow)
        if entry is None:
            raise KeyError(workflow)
        return entry

    def about(self, entry: Entry | None = None) -> About:
        """What a reply to this is about."""
        return About(self.said, entry.id if entry else None, entry.record.revision if entry else None)

    async def save(self, batch: Batch, focus: str | None = None) -> None:
        """Commit a change together with the question it answers and the focus it leaves.

        Raises:
            StoreError: Nothing of it happened.
            DefinitionError: It cannot be run as it is; nothing of it happened.
        """
        batch.proposals_answered.extend(self.closes)
        if focus is not None and (record := self.remember(focus)) is not None:
            batch.config.append(record)
        await self.desk.runner.save(batch)
        self.desk.catalogue.learn(batch)

    async def close_question(self) -> None:
        """Let the question be answered, durably, before anything is started or stopped because of it."""
        if self.closes:
            await self.desk.runner.save(Batch(proposals_answered=list(self.closes)))

    # What it comes to ----------------------------------------------------------------------------------------------------

    def preface(self) -> str:
        """The typos put right and the guesses made, to be said first."""
        read = [f'I read "{typed}" as {meant}.' for typed, meant in self.corrections]
        return "".join(f"{each} " for each in (*read, *self.notes))

    def tell(
        self, kind: ReplyKind, saying: Saying, entry: Entry | None = None, focus: str | None = None, most: int = 2
    ) -> "Told":
        """An answer; typos put right are said first."""
        prefaced = replace(saying, head=f"{self.preface()}{saying.head}")
        made = replies(kind, prefaced, self.platform, self.about(entry), most)
        return Told(made, focus or (entry.id if entry else None))

    def print(self, texts: Sequence[str], entry: Entry, whole: tuple[str, str] | None = None) -> "Told":
        """Texts that are already cut to size, word for word; the whole is a file, where they are only a part or many."""
        about = self.about(entry)
        made = (
            Reply("answer", text, about.canonical if at == 0 else None, about.workflow, about.revision, whole=whole)
            for at, text in enumerate(texts)
        )
        return Told(tuple(made), entry.id)

    def print_file(self, text: str, file: tuple[str, str], entry: Entry) -> "Told":
        """A file, as name and content, with a text that fits."""
        said = self.print((text,), entry)
        return replace(said, replies=tuple(replace(reply, file=file) for reply in said.replies))

    def refuse(self, text: str, entry: Entry | None = None) -> "Told":
        """Nothing was done, and why."""
        return Told(refusal(f"{self.preface()}{text}", self.platform), entry.id if entry else None)

    # What is wrong with a definition ---------------------------------------------------------------------------------------

    def problems(self, definition: Definition, before: Definition | None = None) -> tuple[Problem, ...]:
        """What is wrong with a definition that was not wrong with the one before."""
        old = self.desk.check(before) if before is not None else ()
        former = {(problem.state, problem.sentence) for problem in old}
        found = self.desk.check(definition)
        return tuple(problem for problem in found if (problem.state, problem.sentence) not in former)


@dataclass(frozen=True, slots=True)
class Told:
    """It has been dealt with.

    Attributes:
        focus: The workflow it was about.
        step: The step of it, if it was about one; by name.
        asks: What could be filled in now, asked one after the other; it is whole without any answer.
    """

    replies: tuple[Reply, ...]
    focus: str | None = None
    step: str | None = None
    asks: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """It needs a yes of the asker first.

    Attributes:
        text: The question, without how to answer it.
        instruction: What yes does.
        workflows: Whose versions this rests on.
    """

    text: str
    instruction: Instruction
    workflows: tuple[str, ...] = ()


Outcome: TypeAlias = Told | Ask


def name(entry: Entry) -> str:
    """A workflow as it is called in sentences."""
    return titled(entry.record.name)
