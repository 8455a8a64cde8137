"""What a message says to an open question: yes or no, one of several, the missing piece, or something else instead.

It reads and decides; what comes of an answer is none of its business, and it keeps nothing.
"""

from dataclasses import dataclass
from typing import TypeAlias

from bot.answers import Thought, chosen, is_dropped, means_all, points_at_one, thoughts, verdict
from bot.corrections import about, begins_anew
from bot.hearing import Hearing, is_full
from bot.instructions.concerns import at_once, concerned
from bot.message import Message
from bot.questions import filled, focus_then, hints_of, is_verbatim, options_of
from engine.ports import ProposalRecord
from grammar.instruction import Change, Question, Refusal, Understood
from grammar.names import lookup


@dataclass(frozen=True, slots=True)
class Decided:
    """Yes or no; no also to a question for a missing piece, and then the words it was said in."""

    yes: bool
    said: str = ""


@dataclass(frozen=True, slots=True)
class Picked:
    """One of the numbered answers, as a sentence."""

    option: str


@dataclass(frozen=True, slots=True)
class Filled:
    """The missing piece, and the sentence that it makes."""

    sentence: str
    said: str


@dataclass(frozen=True, slots=True)
class Instead:
    """Not that, but what this sentence says."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Misfit:
    """An answer that cannot be used."""

    said: str


Answered: TypeAlias = Decided | Picked | Filled | Instead | Misfit


def answer_to(hearing: Hearing, message: Message, question: ProposalRecord, said: str) -> Answered | None:
    """What a message says to the open question; None if it is about something else."""
    if question.kind == "confirm":
        decided = verdict(said)
        return _instead(hearing, message, question, said) if decided is None else Decided(decided)
    if is_dropped(said, verbatim=is_verbatim(question)):
        return Decided(yes=False, said=said)
    if options := options_of(question):
        return _picked(hearing, message, question, said, options)
    if (text := _fitting(hearing, message, question, said)) is not None:
        return Filled(text, said)
    if is_verbatim(question):
        return Filled(filled(question, said)[0], said)
    return _instead(hearing, message, question, said) or Misfit(said)


def _picked(
    hearing: Hearing, message: Message, question: ProposalRecord, said: str, options: tuple[str, ...]
) -> Answered | None:
    if len(options) == 1 and (decided := verdict(said)) is not None:
        return Picked(options[0]) if decided else Decided(yes=False)
    hints = hints_of(question)
    place = chosen(said, options, hints)
    if place is None and means_all(said, options, hints):
        together = _all_of(hearing, message, question, options) if len(options) > 1 and hints else None
        return Misfit(said) if together is None else Picked(together)
    if place is None and points_at_one(said):
        place = chosen(said, options, _contents(hearing, message, question, options))
    return _instead(hearing, message, question, said) if place is None else Picked(options[place])


def _all_of(hearing: Hearing, message: Message, question: ProposalRecord, options: tuple[str, ...]) -> str | None:
    """All the answers as one sentence, where each does the same with another step or workflow."""
    workspace = hearing.workspace(message, focus_then(question))
    meant = [hearing.desk.language.understand(option, workspace, teaching=False) for option in options]
    together = at_once([each.instruction for each in meant if isinstance(each, Understood)])
    return None if together is None or not all(map(is_full, meant)) else hearing.say(together, workspace)


def _contents(
    hearing: Hearing, message: Message, question: ProposalRecord, options: tuple[str, ...]
) -> tuple[str, ...]:
    """What is in the workflow that each answer is about, in words."""
    workspace = hearing.workspace(message, focus_then(question))
    hints = hints_of(question)
    found: list[str] = []
    for place, option in enumerate(options):
        named = lookup(hints[place].strip('"'), workspace) if place < len(hints) else None
        meant = hearing.desk.language.understand(option, workspace, teaching=False) if named is None else None
        ids = concerned(meant.instruction) if isinstance(meant, Understood) else ()
        views = (named,) if named is not None else tuple(workspace.workflows[id] for id in ids)
        found.append("\n".join(hearing.desk.language.say_definition(view.definition) for view in views))
    return tuple(found)


def _instead(hearing: Hearing, message: Message, question: ProposalRecord, said: str) -> Instead | None:
    """`no, delete hype`, `I meant hype`: another sentence, or the same about another step or workflow."""
    for thought in thoughts(said):
        if not thought.rest or not (thought.rejects or thought.means):
            continue
        asked = next(iter(options_of(question)), question.instruction)
        if (other := _same_about(hearing, message, question, asked, thought)) is not None:
            return Instead(other)
        understanding = hearing.understand(message, thought.rest, focus_then(question), teaching=False)
        if is_full(understanding) or isinstance(understanding, Question):
            return Instead(thought.rest)
    return None


def _same_about(
    hearing: Hearing, message: Message, question: ProposalRecord, asked: str, thought: Thought
) -> str | None:
    """What was asked about, with the step or workflow that is meant."""
    workspace = hearing.workspace(message, focus_then(question))
    understood = hearing.desk.language.understand(asked, workspace, teaching=False)
    if not isinstance(understood, Understood):
        return None
    instruction = understood.instruction
    if isinstance(instruction, Change):
        view = workspace.workflows[instruction.workflow]
        anew = begins_anew(instruction, view.definition, thought, workspace, hearing.desk.language)
    else:
        meant = lookup(thought.rest, workspace)
        anew = None if meant is None else about(instruction, meant.definition.id)
    return None if anew is None else hearing.say(anew, workspace)


def _fitting(hearing: Hearing, message: Message, question: ProposalRecord, said: str) -> str | None:
    """The sentence that an answer makes, if it makes sense."""
    for number, text in enumerate(filled(question, said)):
        understanding = hearing.understand(message, text, focus_then(question), teaching=False)
        if is_full(understanding) or (number == 0 and not isinstance(understanding, Refusal)):
            return text
    return None
