"""Workflows as share codes: given to strangers, and let in from strangers after a look at what they would do."""

from typing import Final

from bot import sharing
from bot.catalogue import MAX_WORKFLOWS, folded
from bot.instructions.create_and_edit import daring, unfit
from bot.instructions.files import keep, no_name
from bot.instructions.turn import Ask, Outcome, Turn, name
from bot.replies import LIMITS, clipped, in_one_line, listed, sentence, titled
from engine.convert import Imported
from engine.errors import EngineError
from engine.model import Definition
from grammar.instruction import Create, Export, Import

_COMMAND: Final = "!workflow import "
_BESIDES: Final = 60
"""Characters that are said around a question, which has one message."""
_LEAST_SHOWN: Final = 20


async def share(turn: Turn, instruction: Export) -> Outcome:
    """Print a workflow as one word; it must fit into the message by which it is imported."""
    entry = turn.entry(instruction.workflow)
    try:
        code, left_out = sharing.share_code(entry.definition, turn.desk.language, turn.desk.declarations)
    except EngineError as error:
        return turn.refuse(sentence(str(error)), entry)
    without = f" Not in it: {listed(left_out)}." if left_out else ""
    head = f"{name(entry)} (v{entry.record.revision}) as a share code; whoever gets it: {_COMMAND}CODE.{without}"
    if len(_COMMAND) + len(code) <= LIMITS[turn.platform]:
        return turn.print((head, code), entry)
    if turn.message.place.takes_files:
        return turn.print_file(head, (f"{entry.id}.txt", f"{code}\n"), entry)
    return turn.refuse(
        f"The share code of {name(entry)} has {len(code):,} characters, which is too long for this chat. Say it in Discord, or "
        f"on the computer: showcaller workflows share {entry.id}",
        entry,
    )


async def let_in(turn: Turn, instruction: Import) -> Outcome:
    """Read a workflow from a share code. It is shown first, and takes the place of nothing that is there or was."""
    desk = turn.desk
    try:
        parcel = sharing.received(instruction.source, desk.language, desk.declarations)
    except EngineError as error:
        return turn.refuse(f"{sentence(str(error))} Nothing was imported.")
    if len(desk.catalogue.there()) >= MAX_WORKFLOWS:
        return turn.refuse(f"There are {MAX_WORKFLOWS} workflows already; that is the limit. Delete one first.")
    taken = {folded(each) for record in desk.catalogue.records() for each in (record.id, record.name)}
    definition = sharing.freely_named(parcel.definition, lambda wanted: folded(wanted) in taken)
    if (refused := no_name(turn, definition) or unfit(turn, definition, None, former=None)) is not None:
        return turn.refuse(refused)
    if not turn.confirmed:
        described = _described(turn, definition, parcel.left_out)
        if described is None:
            return turn.refuse("It does more sorts of things than I can tell here. Import it on the computer.")
        return Ask(described, instruction)
    twin = next((entry for entry in desk.catalogue.there() if sharing.starts_alike(entry.definition, definition)), None)
    off = (
        ""
        if twin is None
        else f"It is off, since {name(twin)} starts on the same; to switch it on: enable {titled(definition.name)}. "
    )
    return await keep(turn, Imported(definition), enabled=twin is None, more=off)


def _described(turn: Turn, definition: Definition, left_out: tuple[str, ...]) -> str | None:
    """What is said of it before it is let in: every sort of thing it does, and as many of its words as there is room for.

    None if not even the sorts can all be told there.
    """
    short = sharing.in_short(definition, turn.desk.language, turn.desk.declarations)
    without = f" Left out: {listed(left_out)}." if left_out else ""
    dared = daring(turn, definition)
    warned = "" if dared is None else f" {dared.removesuffix(' Keep it so?')}"
    head, tail = f"From a share code: {short}{without}{warned}", f" Import it as {titled(definition.name)}?"
    room = LIMITS[turn.platform] - _BESIDES - len(head) - len(tail)
    if room < _LEAST_SHOWN:
        return None
    said = in_one_line(turn.desk.language.say(Create(definition), turn.workspace))
    return f"{head} {sentence(clipped(said, room))}{tail}"
