"""What is asked back: for a yes, for a missing piece, for one of several; and what is kept once that is dealt with.

It decides neither what needs a yes nor what an answer means, and carries nothing out.
"""

from collections.abc import Sequence
from dataclasses import replace
from logging import getLogger
from typing import Any

from bot.catalogue import Entry
from bot.hearing import Heard, Hearing, kept_words, noted
from bot.instructions.concerns import concerned, only_looks
from bot.instructions.turn import Ask, Told, Turn, name
from bot.message import Message, Reply
from bot.open_questions import ANSWER_WITHIN, OpenQuestions, asker_of
from bot.questions import detail, is_verbatim, left_of
from bot.replies import About, Saying, one, quoted, replies
from engine.errors import StoreError
from engine.ports import Batch, ProposalRecord
from grammar.instruction import Instruction, Question, Understood

log = getLogger(__name__)


class Asking:
    """The questions of one community as they are put to people."""

    def __init__(self, hearing: Hearing, questions: OpenQuestions) -> None:
        self._hearing = hearing
        self._desk = hearing.desk
        self._focus = hearing.focus
        self._questions = questions

    async def ask_first(self, heard: Heard, turn: Turn, ask: Ask) -> Sequence[Reply]:
        """It needs a yes."""
        entries = [entry for id in ask.workflows if (entry := await self._desk.catalogue.find(id)) is not None]
        views = self._hearing.views(entries)
        workspace = replace(turn.workspace, workflows={**views, **turn.workspace.workflows})
        canonical = self._hearing.say(ask.instruction, workspace)
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
            await self.settle(replace(heard, question=None), Told((), single.id, turn.workspace.step), ask.instruction)
        about = About(canonical, single.id if single else None, single.record.revision if single else None)
        saying = Saying(f"{moved}{turn.preface()}{ask.text} Say yes or no.")
        return replies("question", saying, heard.message.place.platform, about)

    async def ask_next(self, heard: Heard, told: Told) -> Sequence[Reply]:
        """What can be filled in of what was made just now, or is left to be after an answer."""
        left = told.asks or (left_of(heard.question) if heard.question is not None and heard.answers else ())
        if not left:
            return ()
        fresh = replace(heard, question=None, answers=False, focus=told.focus, notes=())
        return await self.ask_missing(fresh, left[0], left[1:])

    async def ask_missing(self, heard: Heard, question: Question, then: Sequence[Question] = ()) -> Sequence[Reply]:
        """A piece is missing, or two readings fit; other pieces may be asked for after it."""
        kept = {
            "text": question.text,
            "verbatim": question.verbatim,
            "options": list(question.options),
            "hints": list(question.hints),
            "revisions": self._revisions_of(heard, question.options),
            "misses": 0,
            "then": [{"text": each.text, "gap": each.gap} for each in then],
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
        return replies("question", Saying(f"{noted(heard)}{question.text}", shown), heard.message.place.platform)

    async def ask_once_more(self, message: Message, question: ProposalRecord, said: str) -> Sequence[Reply]:
        """It does not fit. This is said once; after that, what does not fit is taken for chat."""
        await self._questions.change(replace(question, detail={**question.detail, "misses": 1}))
        text = f"I cannot use {quoted(said[:60])} there. {detail(question, 'text')} (or: never mind)"
        return one("question", text, message.place.platform)

    async def settle(self, heard: Heard, told: Told, instruction: Instruction) -> None:
        """Remember what was talked about, and that the question has been dealt with; what cannot be stored of it is logged."""
        batch = Batch()
        question = heard.question
        stays = question is not None and only_looks(instruction) and not is_verbatim(question)
        if question is not None and (heard.answers or not stays):
            batch.proposals_answered.append(question.id)
            self._questions.forget(question)
        if told.replies and (only_looks(instruction) or any(reply.kind == "done" for reply in told.replies)):
            deed = kept_words(told.replies[0].canonical or "")
            batch.config.extend(self._focus.remember(heard.message, deed))
        batch.config.extend(self._focus.turn_to(heard.message, told.focus, told.step))
        if batch:
            try:
                await self._desk.runner.save(batch)
            except StoreError as error:
                log.warning("what was talked about could not be stored: %s", error)

    def has_moved(self, question: ProposalRecord) -> bool:
        """Whether a workflow that a question is about has changed since."""
        return any(number != now for number, now in self._seen_and_now(question).values())

    def _record(
        self, heard: Heard, kind: Any, instruction: str, detail: dict[str, Any], entry: Entry | None
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

    def _revisions_of(self, heard: Heard, options: Sequence[str]) -> dict[str, int]:
        """The versions that numbered answers rest on."""
        found: dict[str, int] = {}
        for option in options:
            understanding = self._hearing.understand(heard.message, option, heard.focus)
            if isinstance(understanding, Understood):
                for id in concerned(understanding.instruction):
                    if (entry := self._desk.catalogue.get(id)) is not None:
                        found[id] = entry.record.revision
        return found

    def _seen_and_now(self, question: ProposalRecord) -> dict[str, tuple[int, int]]:
        revisions = detail(question, "revisions") or {}
        standing = {record.id: record.revision for record in self._desk.catalogue.records()}
        return {id: (number, standing.get(id, 0)) for id, number in revisions.items()}

    def _what_moved(self, heard: Heard) -> str:
        """Said before asking again: what has changed since the first time."""
        if heard.question is None:
            return ""
        moved = [id for id, (seen, now) in self._seen_and_now(heard.question).items() if seen != now]
        entries = [entry for id in moved if (entry := self._desk.catalogue.get(id)) is not None]
        return "".join(
            f"{name(entry)} has changed meanwhile: v{entry.record.revision} by {entry.current.author.name}, "
            f"{entry.current.summary}. "
            for entry in entries
        )
