"""What a message means as a second thought about what the same person did last there.

It finds that out and says what is to be done; it takes nothing back itself. What the words of second thoughts are is the
business of `bot.answers`, what they make of a change that of `bot.corrections`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bot.answers import RATHER, Thought, chosen, gives_value, is_other, thoughts
from bot.corrections import about, corrected
from bot.hearing import Heard, Hearing, is_full, kept_words
from bot.instructions.concerns import is_edit
from bot.lately import Lately, lately
from bot.questions import hints_of, options_of
from bot.replies import titled
from bot.rereading import Anew, Which
from bot.rights import is_staff
from engine.ports import ProposalRecord
from grammar.instruction import (
    Change,
    Create,
    Import,
    Instruction,
    Question,
    Redo,
    Refusal,
    TakeBack,
    Understanding,
    Understood,
    Undo,
)
from grammar.names import lookup
from grammar.workspace import Workspace

Pick: TypeAlias = tuple[ProposalRecord, str]
"""A question with numbered answers, and the one that was picked."""


@dataclass(frozen=True, slots=True)
class Corrects:
    """It corrects the change made last."""

    last: Lately
    correction: Anew | Which


@dataclass(frozen=True, slots=True)
class Says:
    """Not what was done, but what this sentence says; a mere sigh before it makes it no less sure."""

    sentence: str
    doubted: bool = True


@dataclass(frozen=True, slots=True)
class Does:
    """The same, about another workflow."""

    instruction: Instruction


SecondThought: TypeAlias = Corrects | Says | Does


def may_be_thought(hearing: Hearing, heard: Heard, understanding: Understanding, workspace: Workspace) -> bool:
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
            return left_over and str("".join(last_word)).casefold() in hearing.say(instruction, workspace).casefold()


async def second_thought(
    hearing: Hearing, heard: Heard, pick: Pick | None, *, after_refusal: bool = False
) -> SecondThought | None:
    """What a message means as a correction of what this person did last here; None if it means nothing so.

    Args:
        hearing: How it is read.
        heard: The message.
        pick: What this person picked last here, if they were asked which of several.
        after_refusal: Whether what they said last was refused: then it is that which is put right, and nothing that
            was done before.

    Raises:
        StoreError: What was done last cannot be read.
    """
    message = heard.message
    found = thoughts(heard.text, begun=True)
    focus = hearing.focus.workflow(message)
    if not found or focus is None or not is_staff(message.author):
        return None
    workspace = hearing.workspace(message)
    if after_refusal:
        said = (thought.rest for thought in found if thought.rest)
        whole = (each for each in said if is_full(hearing.desk.language.understand(each, workspace, teaching=False)))
        sentence = next(whole, None)
        return None if sentence is None else Says(sentence)
    last = await lately(hearing.desk, message.author, focus, workspace)
    deed = hearing.focus.deed(message)
    is_last = last is not None and deed == kept_words(last.said)
    done = None if is_last else _no_change(hearing, deed, workspace)
    if not is_last:  # a gripe without a word of what was meant takes back only what was done just before it
        found = tuple(thought for thought in found if thought.rest)
    if done is None and last is not None and (other := _other_pick(pick, last, found)) is not None:
        return Corrects(last, Anew(back=True, sentence=other))
    if done is None:
        correction = None if last is None else corrected(last, found, workspace, hearing.desk.language)
        return None if last is None or correction is None else Corrects(last, correction)
    for thought in found:
        meant = _thought_about(hearing, done, thought, workspace)
        if meant is not None:
            return meant
    return None


def _no_change(hearing: Hearing, deed: str, workspace: Workspace) -> Instruction | None:
    """What was done last, if that changed no workflow."""
    match hearing.desk.language.understand(deed, workspace, teaching=False):
        case Understood(instruction=instruction) if not _changes(instruction):
            return instruction
        case _:
            return None


def _other_pick(pick: Pick | None, last: Lately, found: Sequence[Thought]) -> str | None:
    """Another of the numbered answers than the one whose change was made last."""
    if pick is None or last.words != pick[1]:
        return None
    question, picked = pick
    options = options_of(question)
    for thought in found:
        others = [option for option in options if option != picked]
        if len(others) == 1 and is_other(thought.rest):
            return others[0]
        place = chosen(thought.rest, options, hints_of(question)) if thought.rest else None
        if place is not None and options[place] != picked:
            return options[place]
    return None


def _thought_about(hearing: Hearing, done: Instruction, thought: Thought, workspace: Workspace) -> Says | Does | None:
    """After something that changed no workflow: another sentence, or the same about another workflow."""
    if not thought.rest:
        return None
    understanding = hearing.desk.language.understand(thought.rest, workspace, teaching=False)
    if is_full(understanding) or isinstance(understanding, Question):
        return Says(thought.rest, doubted=thought.rejects or thought.means)
    meant = lookup(thought.rest, workspace)
    other = None if meant is None else about(done, meant.definition.id)
    return None if other is None else Does(other)


def _changes(instruction: Instruction) -> bool:
    return is_edit(instruction) or isinstance(instruction, Create | Import | Undo | TakeBack | Redo)


def nothing_just_changed(heard: Heard, workspace: Workspace) -> str | None:
    """What is said to a mere `that's wrong` or `go back` of somebody who has just done something else, or nothing."""
    if heard.answers or not any(thought.rejects and not thought.rest for thought in thoughts(heard.text)):
        return None
    view = workspace.workflows.get(workspace.focus or "")
    undo = "" if view is None else f" To undo the last change of {titled(view.definition.name)}: !workflow undo"
    return f"You have not changed anything here just now, so nothing is taken back.{undo}"
