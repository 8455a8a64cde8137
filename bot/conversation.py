"""What the bot answers to a person: understands, asks what is missing or must be confirmed, and has it carried out.

Nothing that happens in here reaches the front ends but replies: every failure is one honest sentence, and the log has the
rest. One message is handled at a time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeAlias, assert_never

from bot import templates
from bot.answers import RATHER, Thought, chosen, gives_value, is_dropped, is_other, thoughts, verdict, without_sigh
from bot.catalogue import Catalogue, Entry
from bot.corrections import Anew, Which, about, begins_anew, corrected
from bot.focus import Focus
from bot.instructions import carry_out
from bot.instructions.concerns import concerned, is_edit, only_looks, works_on_deleted
from bot.instructions.files import as_lines
from bot.instructions.turn import MAX_WORDS, Ask, Desk, Told, Turn, name
from bot.lately import Lately, lately
from bot.message import Message, Reply, instruction_in
from bot.open_questions import ANSWER_WITHIN, OpenQuestions, asker_of
from bot.questions import detail, filled, focus_then, has_missed, hints_of, is_verbatim, options_of, words_of
from bot.replies import About, Saying, clipped, in_one_line, one, quoted, refusal, replies, sentence, titled
from bot.rewording import MOST_TYPED, Rewriter, Unread, offered, unread
from bot.rights import is_staff, may_edit, may_run
from bot.router import Addressed, Answering, Chat, Thinking, route
from engine.declare import Declarations
from engine.errors import EngineError, RevisionMoved, StoreError
from engine.execution import Person
from engine.ports import Batch, Clock, ProposalRecord, Store
from engine.runner import Runner
from grammar.instruction import (
    Answer,
    Change,
    Create,
    Help,
    Import,
    Instruction,
    Question,
    Redo,
    Refusal,
    RunWorkflow,
    Understanding,
    Understood,
    Undo,
)
from grammar.language import Language
from grammar.names import lookup
from grammar.workspace import LiveNames, WorkflowView, Workspace

log = logging.getLogger(__name__)

MAX_MESSAGE: Final = 200_000
ONLY_STAFF: Final = "Only the streamer and moderators can change workflows."
LEFT: Final = "All right, nothing was changed."
_LONGEST_TAKEN_BACK: Final = 120


# What a message says to an open question ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Decided:
    """Yes or no; no also to a question for a missing piece."""

    yes: bool


@dataclass(frozen=True, slots=True)
class _Picked:
    """One of the numbered answers, as a sentence."""

    option: str


@dataclass(frozen=True, slots=True)
class _Filled:
    """The missing piece, and the sentence that it makes."""

    sentence: str
    said: str


@dataclass(frozen=True, slots=True)
class _Instead:
    """Not that, but what this sentence says."""

    sentence: str


@dataclass(frozen=True, slots=True)
class _Misfit:
    """An answer that cannot be used."""

    said: str


_Answered: TypeAlias = _Decided | _Picked | _Filled | _Instead | _Misfit


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
        doubted: Whether it came of a second thought, so that nothing runs, stops or goes before a yes.
        notes: What is said before the answer.
    """

    message: Message
    text: str
    words: str
    question: ProposalRecord | None = None
    answers: bool = False
    focus: str | None = None
    confirmed: bool = False
    moved: bool = False
    doubted: bool = False
    notes: tuple[str, ...] = ()


class _NotUnderstood(Exception):
    """Not an error: it ends the turn of words that mean nothing, so that others have theirs while somebody guesses."""

    def __init__(self, heard: _Heard, unread: Unread, told: Sequence[Reply]) -> None:
        super().__init__(unread.refusal)
        self.heard = heard
        self.unread = unread
        self.told = told


class Conversation:
    """All dialogues of one community.

    Args:
        names: Tells the live names of the stream.
        config: Tells the settings as a tree.
        zone: Tells the IANA name of the community's time zone.
        granted: Tells the scopes that platforms have granted, by service.
        unheard: Tells the events that platforms do not tell of, with the scopes that would change that.
        rewriter: Guesses what was meant where it is not understood.
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
        granted: Callable[[], Mapping[str, Collection[str]]] = dict,
        unheard: Callable[[], Mapping[str, Collection[str]]] = dict,
        rewriter: Rewriter | None = None,
    ) -> None:
        self.catalogue = Catalogue(community, store)
        self._desk = Desk(
            community,
            language,
            runner,
            store,
            clock,
            ids,
            declarations,
            self.catalogue,
            names,
            config,
            zone,
            granted,
            unheard,
        )
        self._rewriter = rewriter
        self._questions = OpenQuestions(community, store, runner, clock)
        self._focus = Focus(community)
        self._picks: dict[str, tuple[ProposalRecord, str]] = {}
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Take up what the store has: workflows, open questions, what each person talked about last.

        Raises:
            StoreError: It cannot be read.
        """
        desk = self._desk
        await self.catalogue.load()
        await self._questions.load()
        self._focus.load(await desk.store.config(desk.community))

    async def wants(self, message: Message) -> bool:
        """Whether a message is for the bot: by its prefix, or because its author has been asked something here."""
        question = self._questions.of(message)
        match route(message.text, question):
            case Addressed():
                return True
            case Chat():
                return False
            case Answering(text=said) | Thinking(text=said):
                assert question is not None, "without a question there is nothing to answer"  # noqa: S101
                answered = self._answered(message, question, said)
                return answered is not None and not (isinstance(answered, _Misfit) and has_missed(question))

    async def handle(self, message: Message) -> list[Reply]:
        """Answer a message. Nothing is raised: what goes wrong is said."""
        try:
            return await self._in_turn(message, partial(self._handle, message))
        except _NotUnderstood as words:
            guesses = await self._guesses(words.unread)
            return await self._in_turn(message, partial(self._offer, words, guesses))

    async def _in_turn(self, message: Message, answering: Callable[[], Awaitable[Sequence[Reply]]]) -> list[Reply]:
        """Let it be answered while nothing else is."""
        async with self._lock:
            try:
                return list(await answering())
            except _NotUnderstood:
                raise
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

    def question(self, id: str) -> ProposalRecord | None:
        """An open question, whoever was asked: for front ends where an answer is a button with the question's id on it."""
        return self._questions.called(id)

    def asked(self, message: Message) -> ProposalRecord | None:
        """What the author of a message has been asked in that place and has not answered yet."""
        return self._questions.of(message)

    async def _handle(self, message: Message) -> Sequence[Reply]:
        question = self._questions.of(message)
        match route(message.text, question):
            case Addressed(text=said):
                return await self._addressed(message, question, said)
            case Answering(text=said) | Thinking(text=said) if question is not None:
                answered = self._answered(message, question, said)
                return () if answered is None else await self._answer(message, question, answered)
            case _:
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
        if (plain := without_sigh(said)) != said and not isinstance(self._understand(message, plain), Refusal):
            said = plain
        understanding = self._understand(message, said)
        if question is not None:
            if isinstance(understanding, Understood) and isinstance(understanding.instruction, Answer):
                return await self._answer(message, question, _Decided(understanding.instruction.yes))
            if not _is_full(understanding):
                is_text = not is_verbatim(question) or _is_no_instruction(understanding)
                answered = self._answered(message, question, said) if is_text else None
                if isinstance(answered, _Misfit):
                    answered = None
                if answered is None and is_dropped(said, verbatim=is_verbatim(question)):
                    answered = _Decided(yes=False)
                if answered is not None:
                    return await self._answer(message, question, answered)
        return await self._process(_Heard(message, said, said, question))

    def _answered(self, message: Message, question: ProposalRecord, said: str) -> _Answered | None:
        """What a message says to the open question; None if it is about something else."""
        if question.kind == "confirm":
            decided = verdict(said)
            return self._instead(message, question, said) if decided is None else _Decided(decided)
        if is_dropped(said, verbatim=is_verbatim(question)):
            return _Decided(yes=False)
        if options := options_of(question):
            return self._picked(message, question, said, options)
        if (text := self._fitting(message, question, said)) is not None:
            return _Filled(text, said)
        if is_verbatim(question):
            return _Filled(filled(question, said)[0], said)
        return self._instead(message, question, said) or _Misfit(said)

    def _picked(
        self, message: Message, question: ProposalRecord, said: str, options: tuple[str, ...]
    ) -> _Answered | None:
        if len(options) == 1 and (decided := verdict(said)) is not None:
            return _Picked(options[0]) if decided else _Decided(yes=False)
        place = chosen(said, options, hints_of(question))
        return self._instead(message, question, said) if place is None else _Picked(options[place])

    def _instead(self, message: Message, question: ProposalRecord, said: str) -> _Instead | None:
        """`no, delete hype`, `I meant hype`: another sentence, or the same about another step or workflow."""
        for thought in thoughts(said):
            if not thought.rest or not (thought.rejects or thought.means):
                continue
            asked = next(iter(options_of(question)), question.instruction)
            if (other := self._same_about(message, question, asked, thought)) is not None:
                return _Instead(other)
            understanding = self._understand(message, thought.rest, focus_then(question), teaching=False)
            if _is_full(understanding) or isinstance(understanding, Question):
                return _Instead(thought.rest)
        return None

    def _same_about(self, message: Message, question: ProposalRecord, asked: str, thought: Thought) -> str | None:
        """What was asked about, with the step or workflow that is meant."""
        workspace = self._workspace(message, focus_then(question))
        understood = self._desk.language.understand(asked, workspace, teaching=False)
        if not isinstance(understood, Understood):
            return None
        instruction = understood.instruction
        if isinstance(instruction, Change):
            view = workspace.workflows[instruction.workflow]
            anew = begins_anew(instruction, view.definition, thought, workspace, self._desk.language)
        else:
            meant = lookup(thought.rest, workspace)
            anew = None if meant is None else about(instruction, meant.definition.id)
        return None if anew is None else self._say(anew, workspace)

    async def _answer(self, message: Message, question: ProposalRecord, answered: _Answered) -> Sequence[Reply]:
        """Somebody answers their open question."""
        match answered:
            case _Decided(yes=yes):
                return await self._decide(message, question, yes=yes)
            case _Picked(option=option):
                return await self._pick(message, question, option)
            case _Instead(sentence=said):
                words = f"{words_of(question)} / {said}"
                return await self._process(_Heard(message, said, words, question, True, focus_then(question)))
            case _Misfit(said=said):
                return await self._ask_once_more(message, question, said)
            case _Filled(sentence=text, said=said):
                words = f"{words_of(question)} / {said}"
                return await self._process(_Heard(message, text, words, question, True, focus_then(question)))
            case _:
                assert_never(answered)

    async def _decide(self, message: Message, question: ProposalRecord, *, yes: bool) -> Sequence[Reply]:
        """A yes or no."""
        platform = message.place.platform
        if not yes:
            await self._questions.close(question)
            return one("answer", LEFT, platform)
        if question.kind == "missing":
            options = options_of(question)
            if len(options) == 1:
                return await self._pick(message, question, options[0])
            return one("question", str(detail(question, "text")), platform)
        moved = self._has_moved(question)
        heard = _Heard(message, question.instruction, words_of(question), question, True, focus_then(question))
        return await self._process(replace(heard, confirmed=not moved, moved=moved))

    async def _pick(self, message: Message, question: ProposalRecord, option: str) -> Sequence[Reply]:
        """One of the numbered answers; if the workflow has changed since, its numbers may mean something else."""
        text = question.instruction if self._has_moved(question) else option
        self._picks[self._focus.key(message)] = (question, option)
        words = f"{words_of(question)} / {option}"
        return await self._process(_Heard(message, text, words, question, True, focus_then(question)))

    async def _ask_once_more(self, message: Message, question: ProposalRecord, said: str) -> Sequence[Reply]:
        """It does not fit. This is said once; after that, what does not fit is taken for chat."""
        await self._questions.change(replace(question, detail={**question.detail, "misses": 1}))
        text = f"I cannot use {quoted(said[:60])} there. {detail(question, 'text')} (or: never mind)"
        return one("question", text, message.place.platform)

    # Understanding -------------------------------------------------------------------------------------------------------

    def _workspace(self, message: Message, focus: str | None = None) -> Workspace:
        desk = self._desk
        focused = focus or self._focus.workflow(message)
        views = self._views(self.catalogue.there())
        if focused not in views:
            focused = None
        step = self._focus.step(message) if focused == self._focus.workflow(message) else None
        if focused is not None and len(states := views[focused].definition.states) == 1:
            step = states[0].name
        place = message.place.platform
        return Workspace(views, focused, desk.names(), desk.settings(), place, step, templates.names())

    def _views(self, entries: Iterable[Entry]) -> dict[str, WorkflowView]:
        running = {workflow for workflow, _ in self._desk.running()}
        return {
            entry.id: WorkflowView(entry.definition, entry.record.revision, entry.record.enabled, entry.id in running)
            for entry in entries
        }

    def _understand(
        self, message: Message, text: str, focus: str | None = None, *, teaching: bool = True
    ) -> Understanding:
        workspace = self._workspace(message, focus)
        return self._desk.language.understand(as_lines(text.strip()), workspace, teaching=teaching)

    def _fitting(self, message: Message, question: ProposalRecord, said: str) -> str | None:
        """The sentence that an answer makes, if it makes sense."""
        for number, text in enumerate(filled(question, said)):
            understanding = self._understand(message, text, focus_then(question), teaching=False)
            if _is_full(understanding) or (number == 0 and not isinstance(understanding, Refusal)):
                return text
        return None

    async def _process(self, heard: _Heard) -> Sequence[Reply]:
        """Understand words and do what they say."""
        platform = heard.message.place.platform
        workspace = self._workspace(heard.message, heard.focus)
        understanding = self._desk.language.understand(as_lines(heard.text.strip()), workspace)
        if not heard.answers and not heard.doubted and self._may_be_thought(heard, understanding, workspace):
            thought = await self._second_thought(heard)
            if thought is not None:
                return thought
        if isinstance(understanding, Refusal):
            wider, of_deleted = await self._about_deleted(heard, workspace)
            if of_deleted is None:
                idle = _nothing_just_changed(heard, workspace)
                text = f"{_noted(heard)}{idle or understanding.text}{_still_open(heard)}"
                told = one("refusal", text, platform)
                if idle is None and self._is_guessed_at(heard):
                    raise _NotUnderstood(heard, unread(heard.text, understanding, self._desk.language, workspace), told)
                return told
            workspace, understanding = wider, of_deleted
        match understanding:
            case Question():
                if not is_staff(heard.message.author):
                    return refusal(ONLY_STAFF, platform)
                return await self._ask_missing(heard, understanding)
            case Understood():
                return await self._carry_out(heard, workspace, understanding)

    # Guessing ------------------------------------------------------------------------------------------------------------

    def _is_guessed_at(self, heard: _Heard) -> bool:
        """Whether it is guessed what was meant: only what staff typed by itself, and only if that is wanted."""
        wanted = self._rewriter is not None and self._rewriter.is_on and is_staff(heard.message.author)
        return wanted and not (heard.answers or heard.doubted) and len(heard.text) <= MOST_TYPED

    async def _guesses(self, unread: Unread) -> Sequence[str]:
        if self._rewriter is None:
            return ()
        try:
            return await self._rewriter.guesses(unread)
        except Exception:
            log.exception("what was meant could not be guessed")
            return ()

    async def _offer(self, words: _NotUnderstood, guesses: Sequence[str]) -> Sequence[Reply]:
        """Ask whether one of these was meant; told as not understood if none of them means anything, or too much came between."""
        heard = words.heard
        open_now = self._questions.of(heard.message)
        workspace = self._workspace(heard.message)
        found = offered(guesses, self._desk.language, workspace, partial(self._may, heard.message.author))
        said = tuple(dict.fromkeys(self._say(each, workspace) for each in found))
        if not said or (open_now is not None and open_now != heard.question):
            return words.told
        one_of_them = f" {said[0]}. Is that what you mean?" if len(said) == 1 else ""
        return await self._ask_missing(heard, Question(f"A model reads that as:{one_of_them}", said))

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

    def _may_be_thought(self, heard: _Heard, understanding: Understanding, workspace: Workspace) -> bool:
        """Whether a message is first looked at as a correction: if it means nothing else, or only half of it is understood."""
        match understanding:
            case Refusal():
                return True
            case Question():
                return bool(thoughts(heard.text, begun=True))
            case Understood(instruction=instruction):
                if not isinstance(instruction, Change) and gives_value(heard.text):
                    return True
                last_word = heard.text.rstrip(" .!?").rsplit(maxsplit=1)[-1:]
                left_over = "".join(last_word).casefold() in RATHER
                return left_over and str("".join(last_word)).casefold() in self._say(instruction, workspace).casefold()

    # Second thoughts -------------------------------------------------------------------------------------------------------

    async def _second_thought(self, heard: _Heard) -> Sequence[Reply] | None:
        """What a message means as a correction of what this person did last here; None if it means nothing so."""
        message = heard.message
        found = thoughts(heard.text, begun=True)
        focus = self._focus.workflow(message)
        if not found or focus is None or not is_staff(message.author):
            return None
        workspace = self._workspace(message)
        last = await lately(self._desk, message.author, focus, workspace)
        deed = self._focus.deed(message)
        is_last = last is not None and deed == _kept_words(last.said)
        done = None if is_last else self._no_change(deed, workspace)
        if not is_last:  # a gripe without a word of what was meant takes back only what was done just before it
            found = tuple(thought for thought in found if thought.rest)
        if done is None and last is not None and (other := self._other_pick(heard, last, found)) is not None:
            return await self._correct(heard, last, Anew(back=True, sentence=other))
        if done is None:
            correction = None if last is None else corrected(last, found, workspace, self._desk.language)
            return None if last is None or correction is None else await self._correct(heard, last, correction)
        for thought in found:
            said = await self._thought_about(heard, done, thought, workspace)
            if said is not None:
                return said
        return None

    def _no_change(self, deed: str, workspace: Workspace) -> Instruction | None:
        """What was done last, if that changed no workflow."""
        match self._desk.language.understand(deed, workspace, teaching=False):
            case Understood(instruction=instruction) if not _changes(instruction):
                return instruction
            case _:
                return None

    def _other_pick(self, heard: _Heard, last: Lately, found: Sequence[Thought]) -> str | None:
        """Another of the numbered answers than the one whose change was made last."""
        question, picked = self._picks.get(self._focus.key(heard.message), (None, ""))
        if question is None or last.words != picked:
            return None
        options = options_of(question)
        for thought in found:
            others = [option for option in options if option != picked]
            if len(others) == 1 and is_other(thought.rest):
                return others[0]
            place = chosen(thought.rest, options, hints_of(question)) if thought.rest else None
            if place is not None and options[place] != picked:
                return options[place]
        return None

    async def _thought_about(
        self, heard: _Heard, done: Instruction, thought: Thought, workspace: Workspace
    ) -> Sequence[Reply] | None:
        """After something that changed no workflow: another sentence, or the same about another workflow."""
        if not thought.rest:
            return None
        understanding = self._desk.language.understand(thought.rest, workspace, teaching=False)
        if _is_full(understanding) or isinstance(understanding, Question):
            return await self._process(replace(heard, text=thought.rest, doubted=True))
        meant = lookup(thought.rest, workspace)
        other = None if meant is None else about(done, meant.definition.id)
        if other is None:
            return None
        return await self._carry_out(replace(heard, doubted=True), workspace, Understood(other))

    async def _correct(self, heard: _Heard, last: Lately, correction: Anew | Which) -> Sequence[Reply] | None:
        """Take the last change back, and do or ask what is meant instead."""
        back = isinstance(correction, Which) or correction.back
        if back:
            workspace = self._workspace(heard.message)
            understood = Understood(Undo(last.workflow))
            outcome = await carry_out(self._turn(heard, workspace, understood), Undo(last.workflow))
            if isinstance(outcome, Ask) or all(reply.kind != "done" for reply in outcome.replies):
                return None
            await self._settle(heard, replace(outcome, step=workspace.step), understood.instruction)
            if isinstance(correction, Anew) and correction.instruction is None and correction.sentence is None:
                return outcome.replies
            taken_back = clipped(last.said, _LONGEST_TAKEN_BACK)
            heard = replace(heard, notes=(*heard.notes, f"Took back: {sentence(taken_back)}"), question=None)
        workspace = self._workspace(heard.message)
        match correction:
            case Anew(instruction=instruction) if instruction is not None:
                understood = Understood(instruction, correction.read)
                return await self._carry_out(replace(heard, doubted=True), workspace, understood)
            case Anew(sentence=text):
                return await self._process(replace(heard, text=text or "", answers=True, doubted=True))
            case Which(options=options):
                shown = tuple(self._say(option, workspace) for option in options)
                return await self._ask_missing(heard, Question("Which one then?", shown))
            case _:
                assert_never(correction)

    # Doing ---------------------------------------------------------------------------------------------------------------

    async def _carry_out(self, heard: _Heard, workspace: Workspace, understood: Understood) -> Sequence[Reply]:
        message, instruction = heard.message, understood.instruction
        platform = message.place.platform
        if isinstance(instruction, Answer):
            return await self._nothing_asked(heard, instruction)
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
                await self._settle(heard, outcome, instruction)
                return outcome.replies

    async def _nothing_asked(self, heard: _Heard, instruction: Answer) -> Sequence[Reply]:
        """A yes or no to nothing; what it may have been about is said."""
        platform = heard.message.place.platform
        if instruction.yes:
            return refusal("No question of mine is open for you", platform)
        focus = self._focus.workflow(heard.message)
        workspace = self._workspace(heard.message)
        last = None if focus is None else await lately(self._desk, heard.message.author, focus, workspace)
        if last is None:
            return one("answer", "No question of mine is open for you, so there is nothing to drop.", platform)
        done = clipped(last.said, _LONGEST_TAKEN_BACK)
        return one(
            "answer", f"Nothing is open. What you did last stands: {sentence(done)} Take it back: !wf undo", platform
        )

    def _turn(self, heard: _Heard, workspace: Workspace, understood: Understood) -> Turn:
        message = heard.message
        return Turn(
            self._desk,
            message,
            workspace,
            heard.words,
            self._say(understood.instruction, workspace),
            understood.corrections,
            (*heard.notes, *understood.notes),
            heard.confirmed,
            heard.moved or heard.doubted,
            (heard.question.id,) if heard.question is not None else (),
            heard.focus or self._focus.workflow(message),
            lambda workflow: self._focus.record(message, workflow),
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

    async def _settle(self, heard: _Heard, told: Told, instruction: Instruction) -> None:
        """Remember what was talked about, and that the question has been dealt with."""
        batch = Batch()
        question = heard.question
        stays = question is not None and only_looks(instruction) and not is_verbatim(question)
        if question is not None and (heard.answers or not stays):
            batch.proposals_answered.append(question.id)
            self._questions.forget(question)
        if told.replies and (only_looks(instruction) or any(reply.kind == "done" for reply in told.replies)):
            deed = _kept_words(told.replies[0].canonical or "")
            batch.config.extend(self._focus.remember(heard.message, deed))
        batch.config.extend(self._focus.turn_to(heard.message, told.focus, told.step))
        if batch:
            try:
                await self._desk.runner.save(batch)
            except StoreError as error:
                log.warning("what was talked about could not be stored: %s", error)

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
        await self._questions.open(record)
        if single is not None:  # whoever asks about several still talks about the one they talked about
            await self._settle(replace(heard, question=None), Told((), single.id, turn.workspace.step), ask.instruction)
        about = About(canonical, single.id if single else None, single.record.revision if single else None)
        saying = Saying(f"{moved}{turn.preface()}{ask.text} Say yes or no.")
        return replies("question", saying, heard.message.place.platform, about)

    async def _ask_missing(self, heard: _Heard, question: Question) -> Sequence[Reply]:
        """A piece is missing, or two readings fit."""
        kept = {
            "text": question.text,
            "verbatim": question.verbatim,
            "options": list(question.options),
            "hints": list(question.hints),
            "revisions": self._revisions_of(heard, question.options),
            "misses": 0,
        }
        if question.gap is not None or question.options:
            await self._questions.open(self._record(heard, "missing", question.gap or heard.text, kept, None))
        elif heard.question is not None and heard.answers:
            await self._questions.close(heard.question)
        hints = question.hints or ("",) * len(question.options)
        lines = [
            hint if hint and hint not in question.text else option
            for hint, option in zip(hints, question.options, strict=True)
        ]
        numbered = "\n".join(f"{number} {line}" for number, line in enumerate(lines, 1))
        shown = "" if all(option in question.text for option in question.options) else f"\n{numbered}"
        return replies("question", Saying(f"{_noted(heard)}{question.text}", shown), heard.message.place.platform)

    def _record(
        self, heard: _Heard, kind: Any, instruction: str, detail: dict[str, Any], entry: Entry | None
    ) -> ProposalRecord:
        desk, message = self._desk, heard.message
        focus = heard.focus or self._focus.workflow(message)
        return ProposalRecord(
            desk.ids(),
            desk.community,
            asker_of(message.author),
            message.place.key,
            kind,
            instruction,
            entry.id if entry is not None else None,
            entry.record.revision if entry is not None else None,
            desk.clock.now() + ANSWER_WITHIN,
            {**detail, "words": heard.words, "focus": focus},
        )

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
        revisions = detail(question, "revisions") or {}
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


def _kept_words(canonical: str) -> str:
    return clipped(canonical, MAX_WORDS)


def _changes(instruction: Instruction) -> bool:
    return is_edit(instruction) or isinstance(instruction, Create | Import | Undo | Redo)


def _is_full(understanding: Understanding) -> bool:
    return isinstance(understanding, Understood) and not understanding.corrections


def _still_open(heard: _Heard) -> str:
    """That a text is still waited for, which whatever is typed next would be taken for."""
    if heard.question is None or heard.answers or not is_verbatim(heard.question):
        return ""
    return f" I still wait for an answer: {detail(heard.question, 'text')} (or: never mind)"


def _nothing_just_changed(heard: _Heard, workspace: Workspace) -> str | None:
    """What is said to a mere `that's wrong` or `go back` of somebody who has just done something else, or nothing."""
    if heard.answers or not any(thought.rejects and not thought.rest for thought in thoughts(heard.text)):
        return None
    view = workspace.workflows.get(workspace.focus or "")
    undo = "" if view is None else f" To undo the last change of {titled(view.definition.name)}: !workflow undo"
    return f"You have not changed anything here just now, so nothing is taken back.{undo}"


def _is_no_instruction(understanding: Understanding) -> bool:
    """Whether not even the beginning of an instruction could be read."""
    return isinstance(understanding, Refusal) and understanding.at == 0


def _noted(heard: _Heard) -> str:
    return "".join(f"{note} " for note in heard.notes)
