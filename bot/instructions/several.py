"""Several instructions of one message, one after the other. What needs a yes is asked about for all of them first."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.instructions.concerns import concerned
from bot.instructions.turn import Ask, Outcome, Told, Turn
from bot.message import Reply
from bot.replies import LIMITS, in_one_line
from grammar.afterwards import after
from grammar.instruction import Control, Delete, Instruction, Several

CarryOut = Callable[[Turn, Instruction], Awaitable[Outcome]]


async def several(turn: Turn, instruction: Several, carry_out: CarryOut) -> Outcome:
    """Do one after the other; where one is refused, the rest is left."""
    if not turn.confirmed and (turn.unsure or any(_asks(each) for each in instruction.instructions)):
        return Ask(f"Shall I do all of that: {turn.said}?", instruction, concerned(instruction))
    replies: list[Reply] = []
    focus: str | None = None
    here = replace(turn, among_others=True)
    for each in instruction.instructions:
        here = replace(here, said=_said(here, each))
        outcome = await carry_out(here, each)
        if isinstance(outcome, Ask):
            left = here.refuse(
                f"{outcome.text} That has to be said by itself, and nothing after it was done: {here.said}"
            )
            return Told((*_joined(replies, turn), *left.replies), focus)
        replies.extend(outcome.replies)
        focus = outcome.focus or focus
        if any(reply.kind == "refusal" for reply in outcome.replies):
            return Told((*_joined(replies[:-1], turn), replies[-1]), focus)
        here = replace(here, workspace=after(each, here.workspace), corrections=(), notes=(), closes=())
    return Told(_joined(replies, turn), focus)


def _asks(instruction: Instruction) -> bool:
    """Whether it would ask for a yes."""
    return isinstance(instruction, Delete) or (isinstance(instruction, Control) and instruction.workflow is None)


def _said(turn: Turn, instruction: Instruction) -> str:
    said = turn.desk.language.say(instruction, turn.workspace)
    return in_one_line(said) if turn.platform == "twitch" else said.strip()


def _joined(replies: list[Reply], turn: Turn) -> tuple[Reply, ...]:
    """The answers as one, if there is room for that."""
    text = " ".join(reply.text for reply in replies)
    if len(replies) < 2 or len(text) > LIMITS[turn.platform]:
        return tuple(replies)
    last = replies[-1]
    return (Reply(last.kind, text, turn.said, last.workflow, last.revision),)
