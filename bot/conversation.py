"""What the bot answers to a person: understands, asks what is missing or must be confirmed, and has it carried out.

Nothing that happens in here reaches the front ends but replies: every failure is one honest sentence, and the log has the
rest. One message is handled at a time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, assert_never

from bot.answering import Answered, Decided, Filled, Instead, Misfit, Picked, answer_to
from bot.answers import NO, bare, is_dropped, without_sigh
from bot.asking import Asking
from bot.catalogue import Catalogue, undoable
from bot.focus import Focus
from bot.hearing import Heard, Hearing, is_full, noted
from bot.instructions import carry_out
from bot.instructions.concerns import concerned, is_edit, works_on_deleted
from bot.instructions.files import as_lines
from bot.instructions.turn import Ask, Desk, Told, name
from bot.lately import Lately, lately
from bot.message import Message, Reply, instruction_in
from bot.open_questions import OpenQuestions
from bot.pointing import pointed
from bot.questions import detail, filled, focus_then, has_missed, is_verbatim, left_of, options_of, words_of
from bot.replies import clipped, one, refusal, sentence
from bot.rereading import Anew, Which
from bot.rewording import MOST_TYPED, Rewriter, Unread, offered, unread
from bot.rights import ONLY_STAFF, is_staff, may_edit, may_run
from bot.router import Addressed, Answering, Chat, Thinking, route
from bot.second_thoughts import (
    Corrects,
    Does,
    Pick,
    Says,
    SecondThought,
    may_be_thought,
    nothing_just_changed,
    second_thought,
)
from bot.which_change import points_back, which_change
from engine.declare import Declarations
from engine.errors import EngineError, RevisionMoved, StoreError
from engine.execution import Person
from engine.model import Definition
from engine.ports import Clock, ProposalRecord, Store
from engine.runner import Runner
from grammar.instruction import (
    Answer,
    Help,
    Instruction,
    Question,
    Refusal,
    RunWorkflow,
    Understanding,
    Understood,
    Undo,
)
from grammar.language import Language
from grammar.workspace import LiveNames, Workspace

log = logging.getLogger(__name__)

MAX_MESSAGE: Final = 200_000
LEFT: Final = "All right, nothing was changed."
_LONGEST_TAKEN_BACK: Final = 120


class _NotUnderstood(Exception):
    """Not an error: it ends the turn of words that mean nothing, so that others have theirs while somebody guesses."""

    def __init__(self, heard: Heard, unread: Unread, told: Sequence[Reply]) -> None:
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
        self._hearing = Hearing(self._desk, self._focus)
        self._asking = Asking(self._hearing, self._questions)
        self._picks: dict[str, Pick] = {}
        self._refused: set[str] = set()
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
                answered = answer_to(self._hearing, message, question, said)
                return answered is not None and not (isinstance(answered, Misfit) and has_missed(question))

    async def handle(self, message: Message) -> list[Reply]:
        """Answer a message. Nothing is raised: what goes wrong is said."""
        try:
            told = await self._in_turn(message, partial(self._handle, message))
        except _NotUnderstood as words:
            guesses = await self._guesses(words.unread)
            told = await self._in_turn(message, partial(self._offer, words, guesses))
        if told:
            (self._refused.add if told[-1].kind == "refusal" else self._refused.discard)(self._focus.key(message))
        return told

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
        """What the word being typed could become, if what is typed is for the bot and its author may say anything to it.

        Whoever only a policy lets in is offered the names of those workflows, and nothing else of the stream's.
        """
        said = instruction_in(message.text)
        if said is None or not self._may_talk(message.author):
            return []
        workspace = self._hearing.workspace(message)
        if not is_staff(message.author):
            theirs = {id: view for id, view in workspace.workflows.items() if _lets_in(view.definition, message.author)}
            workspace = Workspace(
                theirs, workspace.focus if workspace.focus in theirs else None, platform=workspace.platform
            )
        return self._desk.language.complete(said, workspace)

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
                answered = answer_to(self._hearing, message, question, said)
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
            return await self._carry_out(
                Heard(message, said, said), self._hearing.workspace(message), Understood(Help())
            )
        if (plain := without_sigh(said)) != said and not isinstance(self._hearing.understand(message, plain), Refusal):
            said = plain
        understanding = self._hearing.understand(message, said)
        if question is not None:
            if isinstance(understanding, Understood) and isinstance(understanding.instruction, Answer):
                return await self._answer(message, question, Decided(understanding.instruction.yes, said))
            if not is_full(understanding):
                is_text = not is_verbatim(question) or _is_no_instruction(understanding)
                answered = answer_to(self._hearing, message, question, said) if is_text else None
                if isinstance(answered, Misfit):
                    answered = None
                if answered is None and is_dropped(said, verbatim=is_verbatim(question)):
                    answered = Decided(yes=False, said=said)
                if answered is not None:
                    return await self._answer(message, question, answered)
        return await self._process(Heard(message, said, said, question))

    async def _answer(self, message: Message, question: ProposalRecord, answered: Answered) -> Sequence[Reply]:
        """Somebody answers their open question."""
        match answered:
            case Decided(yes=yes, said=said):
                return await self._decide(message, question, yes=yes, said=said)
            case Picked(option=option):
                return await self._pick(message, question, option)
            case Instead(sentence=said):
                words = f"{words_of(question)} / {said}"
                return await self._process(Heard(message, said, words, question, True, focus_then(question)))
            case Misfit(said=said):
                return await self._asking.ask_once_more(message, question, said)
            case Filled(sentence=text, said=said):
                words = f"{words_of(question)} / {said}"
                return await self._process(Heard(message, text, words, question, True, focus_then(question)))
            case _:
                assert_never(answered)

    async def _decide(
        self, message: Message, question: ProposalRecord, *, yes: bool, said: str = ""
    ) -> Sequence[Reply]:
        """A yes or no."""
        platform = message.place.platform
        if not yes:
            await self._questions.close(question)
            if left := left_of(question):
                heard = Heard(message, question.instruction, words_of(question), focus=focus_then(question))
                return await self._asking.ask_missing(heard, left[0], left[1:])
            return one("answer", f"{LEFT}{_as_a_text(question, said)}", platform)
        if question.kind == "missing":
            options = options_of(question)
            if len(options) == 1:
                return await self._pick(message, question, options[0])
            return one("question", str(detail(question, "text")), platform)
        moved = self._asking.has_moved(question)
        heard = Heard(message, question.instruction, words_of(question), question, True, focus_then(question))
        return await self._process(replace(heard, confirmed=not moved, moved=moved))

    async def _pick(self, message: Message, question: ProposalRecord, option: str) -> Sequence[Reply]:
        """One of the numbered answers; if the workflow has changed since, its numbers may mean something else."""
        text = question.instruction if self._asking.has_moved(question) else option
        self._picks[self._focus.key(message)] = (question, option)
        words = f"{words_of(question)} / {option}"
        return await self._process(Heard(message, text, words, question, True, focus_then(question)))

    # Understanding -------------------------------------------------------------------------------------------------------

    async def _process(self, heard: Heard) -> Sequence[Reply]:
        """Understand words and do what they say."""
        platform = heard.message.place.platform
        workspace = self._hearing.workspace(heard.message, heard.focus)
        understanding = self._desk.language.understand(as_lines(heard.text.strip()), workspace)
        if not heard.answers and not heard.doubted:
            if (taken_back := await self._take_back(heard, understanding, workspace)) is not None:
                return taken_back
            understanding = await self._pointed(heard, understanding, workspace)
        if not heard.answers and not heard.doubted and may_be_thought(self._hearing, heard, understanding, workspace):
            own = self._focus.key(heard.message)
            refused = own in self._refused
            thought = await second_thought(self._hearing, heard, self._picks.get(own), after_refusal=refused)
            followed = None if thought is None else await self._follow(heard, thought)
            if followed is not None:
                return followed
        if isinstance(understanding, Refusal):
            wider, of_deleted = await self._hearing.about_deleted(heard, workspace)
            if of_deleted is None:
                idle = nothing_just_changed(heard, workspace)
                text = f"{noted(heard)}{idle or understanding.text}{_still_open(heard)}"
                told = one("refusal", text, platform)
                if idle is None and self._is_guessed_at(heard):
                    raise _NotUnderstood(heard, unread(heard.text, understanding, self._desk.language, workspace), told)
                return told
            workspace, understanding = wider, of_deleted
        match understanding:
            case Question():
                if not is_staff(heard.message.author):
                    return refusal(ONLY_STAFF, platform)
                return await self._asking.ask_missing(heard, understanding)
            case Understood():
                return await self._carry_out(heard, workspace, understanding)

    async def _take_back(
        self, heard: Heard, understanding: Understanding, workspace: Workspace
    ) -> Sequence[Reply] | None:
        """Take back the change that is meant without its version; None if none is."""
        meant = await which_change(self._hearing, heard, understanding, workspace)
        if meant is None:
            return None
        if isinstance(meant, str):
            return refusal(meant, heard.message.place.platform)
        return await self._carry_out(heard, await self._with_deleted(workspace, meant), Understood(meant))

    async def _pointed(self, heard: Heard, understanding: Understanding, workspace: Workspace) -> Understanding:
        """What the words mean with the steps they point at in their place, if that is plain."""
        for said in await pointed(self._hearing, heard, is_read=isinstance(understanding, Understood)):
            meant = self._desk.language.understand(said, workspace, teaching=False)
            if not isinstance(meant, Refusal):
                return meant
        return understanding

    # Guessing ------------------------------------------------------------------------------------------------------------

    def _is_guessed_at(self, heard: Heard) -> bool:
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
        workspace = self._hearing.workspace(heard.message)
        found = offered(guesses, self._desk.language, workspace, partial(self.may, heard.message.author))
        said = tuple(dict.fromkeys(self._hearing.say(each, workspace) for each in found))
        if not said or (open_now is not None and open_now != heard.question):
            return words.told
        one_of_them = f" {said[0]}. Is that what you mean?" if len(said) == 1 else ""
        return await self._asking.ask_missing(heard, Question(f"A model reads that as:{one_of_them}", said))

    # Second thoughts -------------------------------------------------------------------------------------------------------

    async def _follow(self, heard: Heard, thought: SecondThought) -> Sequence[Reply] | None:
        """Do what a second thought means; None if that cannot be done."""
        match thought:
            case Corrects(last=last, correction=correction):
                return await self._correct(heard, last, correction)
            case Says(sentence=said, doubted=doubted):
                is_all = len(said) >= len(heard.text.strip())  # nothing was taken off it that would have to be again
                return await self._process(replace(heard, text=said, doubted=doubted or is_all))
            case Does(instruction=instruction):
                workspace = self._hearing.workspace(heard.message)
                return await self._carry_out(replace(heard, doubted=True), workspace, Understood(instruction))
            case _:
                assert_never(thought)

    async def _correct(self, heard: Heard, last: Lately, correction: Anew | Which) -> Sequence[Reply] | None:
        """Take the last change back, and do or ask what is meant instead."""
        back = isinstance(correction, Which) or correction.back
        if back:
            workspace = self._hearing.workspace(heard.message)
            understood = Understood(Undo(last.workflow))
            outcome = await carry_out(self._hearing.turn(heard, workspace, understood), Undo(last.workflow))
            if isinstance(outcome, Ask) or all(reply.kind != "done" for reply in outcome.replies):
                return None
            await self._asking.settle(heard, replace(outcome, step=workspace.step), understood.instruction)
            if isinstance(correction, Anew) and correction.instruction is None and correction.sentence is None:
                return outcome.replies
            taken_back = clipped(last.said, _LONGEST_TAKEN_BACK)
            heard = replace(heard, notes=(*heard.notes, f"Took back: {sentence(taken_back)}"), question=None)
        workspace = self._hearing.workspace(heard.message)
        match correction:
            case Anew(instruction=instruction) if instruction is not None:
                understood = Understood(instruction, correction.read)
                return await self._carry_out(replace(heard, doubted=True), workspace, understood)
            case Anew(sentence=text):
                return await self._process(replace(heard, text=text or "", answers=True, doubted=True))
            case Which(options=options):
                shown = tuple(self._hearing.say(option, workspace) for option in options)
                return await self._asking.ask_missing(heard, Question("Which one then?", shown))
            case _:
                assert_never(correction)

    # Doing ---------------------------------------------------------------------------------------------------------------

    async def _carry_out(self, heard: Heard, workspace: Workspace, understood: Understood) -> Sequence[Reply]:
        message, instruction = heard.message, understood.instruction
        platform = message.place.platform
        if isinstance(instruction, Answer):
            return await self._nothing_asked(heard, instruction)
        if not self.may(message.author, instruction):
            return refusal(ONLY_STAFF, platform)
        if (deleted := await self._deleted(instruction)) is not None:
            return refusal(deleted, platform)
        if (asked := await self._what_is_undone(heard, workspace, instruction)) is not None:
            return await self._asking.ask_missing(heard, asked)
        turn = self._hearing.turn(heard, workspace, understood)
        outcome = await carry_out(turn, instruction)
        match outcome:
            case Ask():
                return await self._asking.ask_first(heard, turn, outcome)
            case Told():
                await self._asking.settle(heard, outcome, instruction)
                return (*outcome.replies, *await self._asking.ask_next(heard, outcome))

    async def _what_is_undone(self, heard: Heard, workspace: Workspace, instruction: Instruction) -> Question | None:
        """Whether an earlier change is meant by `undo that` of somebody whose last words were not understood."""
        if heard.answers or heard.confirmed or instruction != Undo(None) or workspace.focus is None:
            return None
        if self._focus.key(heard.message) not in self._refused or not points_back(heard.text):
            return None
        changes = undoable(await self.catalogue.changes(workspace.focus))
        if not changes:
            return None
        said = clipped(changes[0].summary or changes[0].kind, _LONGEST_TAKEN_BACK)
        nothing = "What you said last I did not understand, so there is nothing of it to undo."
        text = f"{nothing} The last change there is: {sentence(said)} Take that one back?"
        return Question(text, (self._hearing.say(Undo(workspace.focus), workspace),))

    async def _nothing_asked(self, heard: Heard, instruction: Answer) -> Sequence[Reply]:
        """A yes or no to nothing; what it may have been about is said."""
        platform = heard.message.place.platform
        if instruction.yes:
            return refusal("No question of mine is open for you", platform)
        focus = self._focus.workflow(heard.message)
        workspace = self._hearing.workspace(heard.message)
        last = None if focus is None else await lately(self._desk, heard.message.author, focus, workspace)
        if last is None:
            return one("answer", "No question of mine is open for you, so there is nothing to drop.", platform)
        done = clipped(last.said, _LONGEST_TAKEN_BACK)
        return one(
            "answer", f"Nothing is open. What you did last stands: {sentence(done)} Take it back: !wf undo", platform
        )

    async def _with_deleted(self, workspace: Workspace, instruction: Instruction) -> Workspace:
        """The workspace with the workflows that an instruction is about, deleted ones too."""
        ids = [id for id in concerned(instruction) if id not in workspace.workflows]
        entries = [entry for id in ids if (entry := await self.catalogue.find(id)) is not None]
        return replace(workspace, workflows={**self._hearing.views(entries), **workspace.workflows})

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

    # Rights and failures ---------------------------------------------------------------------------------------------------

    def _may_talk(self, person: Person) -> bool:
        """Staff may; others only where some workflow's policy lets them."""
        if is_staff(person):
            return True
        return any(_lets_in(entry.definition, person) for entry in self.catalogue.there())

    def may(self, person: Person, instruction: Instruction) -> bool:
        """Whether somebody may give that instruction at all; a workflow's own policy may still forbid it to them."""
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


def _lets_in(definition: Definition, person: Person) -> bool:
    """Whether a workflow's policy lets somebody do anything with it."""
    return may_edit(person, definition) or may_run(person, definition)


def _unsaved(error: StoreError) -> str:
    said = sentence(str(error) or "It could not be stored")
    return said if "othing" in said else f"{said} Nothing was changed."


def _still_open(heard: Heard) -> str:
    """That a text is still waited for, which whatever is typed next would be taken for."""
    if heard.question is None or heard.answers or not is_verbatim(heard.question):
        return ""
    return f" I still wait for an answer: {detail(heard.question, 'text')} (or: never mind)"


def _as_a_text(question: ProposalRecord, said: str) -> str:
    """How a no is said that was to be the text that was asked for."""
    if not is_verbatim(question) or bare(said) not in NO:
        return ""
    return f" If that is the text: !wf {filled(question, said)[0]}"


def _is_no_instruction(understanding: Understanding) -> bool:
    """Whether not even the beginning of an instruction could be read."""
    return isinstance(understanding, Refusal) and understanding.at == 0
