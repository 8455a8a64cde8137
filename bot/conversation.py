"""What the bot answers to a person: understands, asks what is missing or must be confirmed, and has it carried out.

A question belongs to one asker in one place, is stored, and counts for a minute. Nothing that happens in here reaches the
front ends but replies: every failure is one honest sentence, and the log has the rest. One message is handled at a time.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bot import templates
from bot.catalogue import Catalogue, Entry
from bot.instructions import carry_out
from bot.instructions.concerns import concerned, is_edit, works_on_deleted
from bot.instructions.files import as_lines
from bot.instructions.turn import Ask, Desk, Told, Turn, name
from bot.message import Message, Reply, instruction_in
from bot.replies import About, Saying, in_one_line, one, quoted, refusal, replies, sentence
from bot.rights import is_staff, may_edit, may_run
from bot.router import (
    Addressed,
    Answering,
    Chat,
    chosen,
    is_dropped,
    options_of,
    route,
    verdict,
)
from engine.declare import Declarations
from engine.errors import EngineError, RevisionMoved, StoreError
from engine.execution import Person
from engine.ports import Batch, Clock, ConfigRecord, ProposalRecord, Store
from engine.runner import Runner
from grammar.instruction import (
    Answer,
    Help,
    Import,
    Instruction,
    Question,
    Refusal,
    RunWorkflow,
    Understanding,
    Understood,
)
from grammar.language import Language
from grammar.workspace import LiveNames, WorkflowView, Workspace

log = logging.getLogger(__name__)

ANSWER_WITHIN: Final = 60.0
MAX_MESSAGE: Final = 200_000
ONLY_STAFF: Final = "Only the streamer and moderators can change workflows."
LEFT: Final = "All right, nothing was changed."
_FOCUS: Final = "focus."
_Asker = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Heard:
    """Words to be understood, and what led to them.

    Attributes:
        text: To be understood now.
        words: All that the asker typed to get here, for the history.
        question: The open question that this answers or leaves behind.
        answers: Whether it answers it.
        focus: The workflow in focus then, if it is not the one in focus now.
        confirmed: Whether it was said yes to.
        moved: Whether it was said yes to, but about a version that no longer counts.
    """

    message: Message
    text: str
    words: str
    question: ProposalRecord | None = None
    answers: bool = False
    focus: str | None = None
    confirmed: bool = False
    moved: bool = False


class Conversation:
    """All dialogues of one community.

    Args:
        names: Tells the live names of the stream.
        config: Tells the settings as a tree.
        zone: Tells the IANA name of the community's time zone.
    """

    def __init__(
        self,
        *,
        community: str,
        language: Language,
        runner: Runner,
        store: Store,
        clock: Clock,
        ids: Callable[[], str],
        declarations: Declarations,
        names: Callable[[], LiveNames],
        config: Callable[[], Mapping[str, Any]],
        zone: Callable[[], str],
    ) -> None:
        self.catalogue = Catalogue(community, store)
        self._desk = Desk(
            community, language, runner, store, clock, ids, declarations, self.catalogue, names, config, zone
        )
        self._questions: dict[_Asker, ProposalRecord] = {}
        self._focus: dict[str, str] = {}
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Take up what the store has: workflows, open questions, what each person talked about last.

        Raises:
            StoreError: It cannot be read.
        """
        desk = self._desk
        await self.catalogue.load()
        for question in await desk.store.proposals(desk.community, desk.clock.now()):
            self._questions[question.asker, question.channel] = question
        settings = await desk.store.config(desk.community)
        self._focus = {key: str(record.value) for key, record in settings.items() if key.startswith(_FOCUS)}

    async def wants(self, message: Message) -> bool:
        """Whether a message is for the bot: by its prefix, or because its author has been asked something here."""
        question = self._question(message)
        match route(message.text, question):
            case Addressed():
                return True
            case Chat():
                return False
            case Answering(text=said):
                return question is None or not _missed(question) or self._fits(message, question, said)

    async def handle(self, message: Message) -> list[Reply]:
        """Answer a message. Nothing is raised: what goes wrong is said."""
        async with self._lock:
            try:
                return list(await self._handle(message))
            except StoreError as error:
                await self._look_again(error)
                return list(refusal(_unsaved(error), message.place.platform))
            except EngineError as error:
                return list(refusal(str(error), message.place.platform))
            except Exception:
                log.exception("an instruction broke")
                return list(
                    refusal(
                        "Something went wrong inside me, and I have written it to my log. "
                        "What stands now: !wf list and !wf status",
                        message.place.platform,
                    )
                )

    def complete(self, message: Message) -> list[str]:
        """What the word being typed could become, if what is typed is for the bot."""
        said = instruction_in(message.text)
        return [] if said is None else self._desk.language.complete(said, self._workspace(message))

    async def _handle(self, message: Message) -> Sequence[Reply]:
        question = self._question(message)
        match route(message.text, question):
            case Addressed(text=said):
                return await self._addressed(message, question, said)
            case Answering(text=said) if question is not None:
                return await self._answer(message, question, said)
            case Answering() | Chat():
                return ()

    # What the message is -----------------------------------------------------------------------------------------------

    async def _addressed(self, message: Message, question: ProposalRecord | None, said: str) -> Sequence[Reply]:
        if len(said) > MAX_MESSAGE:
            return refusal(
                f"That has {len(said):,} characters; {MAX_MESSAGE:,} is the most I read", message.place.platform
            )
        if not self._may_talk(message.author):
            return refusal(ONLY_STAFF, message.place.platform)
        if not said.strip():
            return await self._carry_out(_Heard(message, said, said), self._workspace(message), Understood(Help()))
        understanding = self._understand(message, said)
        if question is not None:
            if isinstance(understanding, Understood) and isinstance(understanding.instruction, Answer):
                return await self._decide(message, question, yes=understanding.instruction.yes)
            if not _is_full(understanding) and self._is_answer(message, question, said, understanding):
                return await self._answer(message, question, said)
        return await self._process(_Heard(message, said, said, question))

    def _is_answer(self, message: Message, question: ProposalRecord, said: str, alone: Understanding) -> bool:
        """Whether an addressed message that is no full instruction answers the open question."""
        if question.kind == "confirm":
            return verdict(said) is not None
        options = options_of(question)
        if options:
            return chosen(said, options) is not None or is_dropped(said)
        if _detail(question, "verbatim"):
            return isinstance(alone, Refusal) or is_dropped(said, verbatim=True)
        return is_dropped(said) or self._fits(message, question, said)

    async def _answer(self, message: Message, question: ProposalRecord, said: str) -> Sequence[Reply]:
        """Somebody answers their open question."""
        if question.kind == "confirm":
            return await self._decide(message, question, yes=verdict(said) is True)
        verbatim = bool(_detail(question, "verbatim"))
        if is_dropped(said, verbatim=verbatim):
            return await self._decide(message, question, yes=False)
        options = options_of(question)
        if options:
            place = chosen(said, options)
            return await self._pick(message, question, options[place]) if place is not None else ()
        if not verbatim and not self._fits(message, question, said):
            return await self._ask_once_more(message, question, said)
        heard = _Heard(
            message, _filled(question, said), f"{_words(question)} / {said}", question, True, _focus_then(question)
        )
        return await self._process(heard)

    async def _decide(self, message: Message, question: ProposalRecord, *, yes: bool) -> Sequence[Reply]:
        """A yes or no."""
        platform = message.place.platform
        if not yes:
            await self._close(question)
            return one("answer", LEFT, platform)
        if question.kind == "missing":
            return one("question", str(_detail(question, "text")), platform)
        moved = self._has_moved(question)
        heard = _Heard(message, question.instruction, _words(question), question, True, _focus_then(question))
        return await self._process(replace(heard, confirmed=not moved, moved=moved))

    async def _pick(self, message: Message, question: ProposalRecord, option: str) -> Sequence[Reply]:
        """One of the numbered answers; if the workflow has changed since, its numbers may mean something else."""
        text = question.instruction if self._has_moved(question) else option
        words = f"{_words(question)} / {option}"
        return await self._process(_Heard(message, text, words, question, True, _focus_then(question)))

    async def _ask_once_more(self, message: Message, question: ProposalRecord, said: str) -> Sequence[Reply]:
        """It does not fit. This is said once; after that, what does not fit is taken for chat."""
        asked = replace(question, detail={**question.detail, "misses": 1})
        await self._desk.runner.save(Batch(proposals=[asked]))
        self._questions[question.asker, question.channel] = asked
        text = f"I cannot use {quoted(said[:60])} there. {_detail(question, 'text')} (or: never mind)"
        return one("question", text, message.place.platform)

    # Understanding -------------------------------------------------------------------------------------------------------

    def _workspace(self, message: Message, focus: str | None = None) -> Workspace:
        desk = self._desk
        focused = focus or self._focus.get(_focus_key(message))
        views = self._views(self.catalogue.there())
        return Workspace(
            views,
            focused if focused in views else None,
            desk.names(),
            desk.settings(),
            message.place.platform,
            templates.names(),
        )

    def _views(self, entries: Iterable[Entry]) -> dict[str, WorkflowView]:
        running = {workflow for workflow, _ in self._desk.running()}
        return {
            entry.id: WorkflowView(entry.definition, entry.record.revision, entry.record.enabled, entry.id in running)
            for entry in entries
        }

    def _understand(self, message: Message, text: str, focus: str | None = None) -> Understanding:
        return self._desk.language.understand(as_lines(text.strip()), self._workspace(message, focus))

    def _fits(self, message: Message, question: ProposalRecord, said: str) -> bool:
        understanding = self._understand(message, _filled(question, said), _focus_then(question))
        return not isinstance(understanding, Refusal)

    async def _process(self, heard: _Heard) -> Sequence[Reply]:
        """Understand words and do what they say."""
        platform = heard.message.place.platform
        workspace = self._workspace(heard.message, heard.focus)
        understanding = self._desk.language.understand(as_lines(heard.text.strip()), workspace)
        if isinstance(understanding, Refusal):
            wider, of_deleted = await self._about_deleted(heard, workspace)
            if of_deleted is None:
                return one("refusal", understanding.text, platform)
            workspace, understanding = wider, of_deleted
        match understanding:
            case Question():
                if not is_staff(heard.message.author):
                    return refusal(ONLY_STAFF, platform)
                return await self._ask_missing(heard, understanding)
            case Understood():
                return await self._carry_out(heard, workspace, understanding)

    async def _about_deleted(self, heard: _Heard, workspace: Workspace) -> tuple[Workspace, Understood | None]:
        """The same words, if they make sense of a workflow that has been deleted."""
        gone = self._views(await self.catalogue.gone())
        if not gone:
            return workspace, None
        wider = replace(workspace, workflows={**gone, **workspace.workflows})
        understanding = self._desk.language.understand(heard.text.strip(), wider)
        if not isinstance(understanding, Understood) or understanding.corrections:
            return workspace, None
        return (wider, understanding) if set(concerned(understanding.instruction)) & set(gone) else (workspace, None)

    # Doing ---------------------------------------------------------------------------------------------------------------

    async def _carry_out(self, heard: _Heard, workspace: Workspace, understood: Understood) -> Sequence[Reply]:
        message, instruction = heard.message, understood.instruction
        platform = message.place.platform
        if not self._may(message.author, instruction):
            return refusal(ONLY_STAFF, platform)
        if (deleted := await self._deleted(instruction)) is not None:
            return refusal(deleted, platform)
        turn = self._turn(heard, workspace, understood)
        outcome = await carry_out(turn, instruction)
        match outcome:
            case Ask():
                return await self._ask_first(heard, turn, outcome)
            case Told():
                await self._settle(heard, outcome)
                return outcome.replies

    def _turn(self, heard: _Heard, workspace: Workspace, understood: Understood) -> Turn:
        key = _focus_key(heard.message)
        return Turn(
            self._desk,
            heard.message,
            workspace,
            heard.words,
            self._say(understood.instruction, workspace),
            understood.corrections,
            understood.notes,
            heard.confirmed,
            heard.moved,
            (heard.question.id,) if heard.question is not None else (),
            heard.focus or self._focus.get(key),
            lambda workflow: self._focus_record(key, workflow),
        )

    def _say(self, instruction: Instruction, workspace: Workspace) -> str:
        """Canonical words as they can be typed there: where a message has one line, so have they."""
        said = self._desk.language.say(instruction, workspace)
        # JSON keeps its lines: a comment in it ends with one.
        keep_lines = workspace.platform != "twitch" or isinstance(instruction, Import)
        return said.strip() if keep_lines else in_one_line(said)

    async def _deleted(self, instruction: Instruction) -> str | None:
        """What is said where a workflow is meant that has been deleted."""
        if works_on_deleted(instruction):
            return None
        for id in concerned(instruction):
            entry = await self.catalogue.find(id)
            if entry is not None and entry.record.deleted:
                at = self._desk.time(entry.record.updated_at)
                return f"{name(entry)} was deleted at {at}. Bring it back: !workflow undo {name(entry)}"
        return None

    async def _settle(self, heard: _Heard, told: Told) -> None:
        """Remember what was talked about, and that the question has been dealt with."""
        batch = Batch()
        if heard.question is not None:
            batch.proposals_answered.append(heard.question.id)
            self._questions.pop((heard.question.asker, heard.question.channel), None)
        key = _focus_key(heard.message)
        if told.focus is not None and self._focus.get(key) != told.focus:
            self._focus[key] = told.focus
            batch.config.append(ConfigRecord(self._desk.community, key, told.focus))
        if batch:
            try:
                await self._desk.runner.save(batch)
            except StoreError as error:
                log.warning("what was talked about could not be stored: %s", error)

    def _focus_record(self, key: str, workflow: str) -> ConfigRecord | None:
        return None if self._focus.get(key) == workflow else ConfigRecord(self._desk.community, key, workflow)

    # Asking --------------------------------------------------------------------------------------------------------------

    async def _ask_first(self, heard: _Heard, turn: Turn, ask: Ask) -> Sequence[Reply]:
        """It needs a yes."""
        entries = [entry for id in ask.workflows if (entry := await self.catalogue.find(id)) is not None]
        views = self._views(entries)
        workspace = replace(turn.workspace, workflows={**views, **turn.workspace.workflows})
        canonical = self._say(ask.instruction, workspace)
        moved = self._what_moved(heard) if heard.answers else ""
        single = entries[0] if len(entries) == 1 else None
        record = self._record(
            heard,
            "confirm",
            canonical,
            {"text": ask.text, "revisions": {entry.id: entry.record.revision for entry in entries}},
            single,
        )
        await self._open(heard, record)
        if single is not None:  # whoever asks about several still talks about the one they talked about
            await self._settle(replace(heard, question=None), Told((), single.id))
        about = About(canonical, single.id if single else None, single.record.revision if single else None)
        saying = Saying(f"{moved}{turn.preface()}{ask.text} Say yes or no.")
        return replies("question", saying, heard.message.place.platform, about)

    async def _ask_missing(self, heard: _Heard, question: Question) -> Sequence[Reply]:
        """A piece is missing, or two readings fit."""
        detail = {
            "text": question.text,
            "verbatim": question.verbatim,
            "options": list(question.options),
            "revisions": self._revisions_of(heard, question.options),
            "misses": 0,
        }
        if question.gap is not None or question.options:
            await self._open(heard, self._record(heard, "missing", question.gap or heard.text, detail, None))
        elif heard.question is not None and heard.answers:
            await self._close(heard.question)
        numbered = "\n".join(f"{number} {option}" for number, option in enumerate(question.options, 1))
        shown = "" if all(option in question.text for option in question.options) else f"\n{numbered}"
        return replies("question", Saying(question.text, shown), heard.message.place.platform)

    def _record(
        self, heard: _Heard, kind: Any, instruction: str, detail: dict[str, Any], entry: Entry | None
    ) -> ProposalRecord:
        desk, message = self._desk, heard.message
        focus = heard.focus or self._focus.get(_focus_key(message))
        return ProposalRecord(
            desk.ids(),
            desk.community,
            _asker(message.author),
            message.place.key,
            kind,
            instruction,
            entry.id if entry is not None else None,
            entry.record.revision if entry is not None else None,
            desk.clock.now() + ANSWER_WITHIN,
            {**detail, "words": heard.words, "focus": focus},
        )

    async def _open(self, heard: _Heard, record: ProposalRecord) -> None:
        """Store a question in the place of the one before."""
        former = self._questions.get((record.asker, record.channel))
        answered = [] if former is None else [former.id]
        await self._desk.runner.save(Batch(proposals=[record], proposals_answered=answered))
        self._questions[record.asker, record.channel] = record

    async def _close(self, question: ProposalRecord) -> None:
        await self._desk.runner.save(Batch(proposals_answered=[question.id]))
        self._questions.pop((question.asker, question.channel), None)

    def _question(self, message: Message) -> ProposalRecord | None:
        """The question that is open for this person here."""
        question = self._questions.get((_asker(message.author), message.place.key))
        return None if question is None or question.expires_at <= self._desk.clock.now() else question

    def _revisions_of(self, heard: _Heard, options: Sequence[str]) -> dict[str, int]:
        """The versions that numbered answers rest on."""
        found: dict[str, int] = {}
        for option in options:
            understanding = self._understand(heard.message, option, heard.focus)
            if isinstance(understanding, Understood):
                for id in concerned(understanding.instruction):
                    if (entry := self.catalogue.get(id)) is not None:
                        found[id] = entry.record.revision
        return found

    def _has_moved(self, question: ProposalRecord) -> bool:
        return any(number != now for number, now in self._seen_and_now(question).values())

    def _seen_and_now(self, question: ProposalRecord) -> dict[str, tuple[int, int]]:
        revisions = _detail(question, "revisions") or {}
        standing = {record.id: record.revision for record in self.catalogue.records()}
        return {id: (number, standing.get(id, 0)) for id, number in revisions.items()}

    def _what_moved(self, heard: _Heard) -> str:
        """Said before asking again: what has changed since the first time."""
        if heard.question is None:
            return ""
        moved = [id for id, (seen, now) in self._seen_and_now(heard.question).items() if seen != now]
        entries = [entry for id in moved if (entry := self.catalogue.get(id)) is not None]
        return "".join(
            f"{name(entry)} has changed meanwhile: v{entry.record.revision} by {entry.current.author.name}, "
            f"{entry.current.summary}. "
            for entry in entries
        )

    # Rights and failures ---------------------------------------------------------------------------------------------------

    def _may_talk(self, person: Person) -> bool:
        """Staff may; others only where some workflow's policy lets them."""
        if is_staff(person):
            return True
        definitions = [entry.definition for entry in self.catalogue.there()]
        return any(may_edit(person, definition) or may_run(person, definition) for definition in definitions)

    def _may(self, person: Person, instruction: Instruction) -> bool:
        if is_staff(person):
            return True
        named = [entry.definition for id in concerned(instruction) if (entry := self.catalogue.get(id)) is not None]
        if isinstance(instruction, RunWorkflow):
            return bool(named) and all(may_run(person, definition) for definition in named)
        return is_edit(instruction) and bool(named) and all(may_edit(person, definition) for definition in named)

    async def _look_again(self, error: StoreError) -> None:
        """After a failure memory must not be ahead of the store, nor behind it."""
        log.warning("an instruction could not be stored: %s", error)
        if not isinstance(error, RevisionMoved):
            return
        try:
            await self.catalogue.load()
        except StoreError as again:
            log.warning("the workflows could not be read again: %s", again)


def _unsaved(error: StoreError) -> str:
    said = sentence(str(error) or "It could not be stored")
    return said if "othing" in said else f"{said} Nothing was changed."


def _is_full(understanding: Understanding) -> bool:
    return isinstance(understanding, Understood) and not understanding.corrections


def _asker(person: Person) -> str:
    return f"{person.platform}:{person.id or person.name.casefold()}"


def _focus_key(message: Message) -> str:
    return f"{_FOCUS}{message.place.key}.{_asker(message.author)}"


def _detail(question: ProposalRecord, key: str) -> Any:
    return question.detail.get(key) if isinstance(question.detail, dict) else None


def _missed(question: ProposalRecord) -> bool:
    return question.kind == "missing" and bool(_detail(question, "misses"))


def _words(question: ProposalRecord) -> str:
    return str(_detail(question, "words") or question.instruction)


def _focus_then(question: ProposalRecord) -> str | None:
    focus = _detail(question, "focus")
    return focus if isinstance(focus, str) else None


def _filled(question: ProposalRecord, said: str) -> str:
    """The sentence with the answer in its gap; a text is quoted, unless the asker did that."""
    if not _detail(question, "verbatim"):
        return question.instruction.replace("{}", said, 1)
    return question.instruction.replace("{}", quoted(_unquoted(said)), 1)


def _unquoted(said: str) -> str:
    for opening, closing in (('"', '"'), ("“", "”")):
        inner = said[1:-1]
        if len(said) > 2 and said.startswith(opening) and said.endswith(closing):
            return said if opening in inner or closing in inner else inner
    return said
