"""Take back one change of a workflow that others have followed: what came after it stays, unless it rests on it."""

from dataclasses import replace

from bot.catalogue import revised, undoable
from bot.instructions.create_and_edit import UNDO, not_theirs, taken, unfit
from bot.instructions.turn import Ask, Outcome, Turn, name
from bot.instructions.versions import same_person, undo
from bot.replies import Saying, clipped, listed, sentence
from engine.errors import EditError
from engine.merging import without
from engine.model import Definition
from engine.ports import ChangeRecord
from engine.wording import counted
from grammar.instruction import TakeBack, Undo

_LONGEST = 120


async def take_back(turn: Turn, instruction: TakeBack) -> Outcome:
    """A version like the one there is, without what one change did; where that cannot be, all since then is offered."""
    entry = turn.entry(instruction.workflow)
    if (refused := not_theirs(turn, entry)) is not None:
        return turn.refuse(refused, entry)
    changes = undoable(await turn.desk.catalogue.changes(entry.id))
    place = next((at for at, change in enumerate(changes) if makes_version(change, instruction.version)), None)
    if place is None:
        return turn.refuse(
            f"What made v{instruction.version} of {name(entry)} does not count any more. Nothing was changed.", entry
        )
    change = changes[place]
    if place == 0:
        return await undo(turn, Undo(entry.id))
    others = not same_person(change.by, turn.by)
    if others and not turn.confirmed:
        text = f"That was {change.by.name}'s change at {turn.desk.time(change.at)}: {_what(change)}. Take it back?"
        return Ask(text, instruction, (entry.id,))
    merged = await _without(turn, change, entry.definition)
    if isinstance(merged, str):
        return Ask(_all_of_them(changes[: place + 1], turn, merged), Undo(entry.id, place + 1), (entry.id,))
    if (refused := taken(turn, merged, entry) or unfit(turn, merged, entry.definition, former=entry)) is not None:
        return turn.refuse(refused, entry)
    await turn.save(revised(entry, merged, turn.origin(), "edit", turn.said), entry.id)
    after = turn.entry(entry.id)
    since = listed(
        list(dict.fromkeys("you" if same_person(each.by, turn.by) else each.by.name for each in changes[:place]))
    )
    stays = f"What {since} changed since stays." if place else ""
    tail = f". {name(after)} is v{after.record.revision} now. Took back: {sentence(_what(change))} {stays} {UNDO}"
    return replace(turn.tell("done", Saying("Done: ", turn.said, tail), after), step=None)


def makes_version(change: ChangeRecord, number: int) -> bool:
    """Whether a change made the version of that number; switching on and off makes none."""
    return change.after.revision == number and (change.before is None or change.before.revision != number)


async def _without(turn: Turn, change: ChangeRecord, now: Definition) -> Definition | str:
    """The definition without a change, or why there is none."""
    catalogue = turn.desk.catalogue
    after = await catalogue.revision(change.workflow, change.after.revision)
    before = None if change.before is None else await catalogue.revision(change.workflow, change.before.revision)
    if before is None or after is None or (change.before is not None and change.before.deleted):
        return "it made the workflow"
    try:
        return without(before.definition, after.definition, now)
    except EditError as error:
        return str(error)


def _all_of_them(changes: tuple[ChangeRecord, ...], turn: Turn, reason: str) -> str:
    """The question whether what came since may go, too."""
    *since, change = changes
    shown = "; ".join(f"{each.by.name}: {_what(each)}" for each in since[:3])
    more = f" and {counted(len(since) - 3, 'more change')}" if len(since) > 3 else ""
    whose = "your change" if same_person(change.by, turn.by) else f"{change.by.name}'s change"
    return (
        f"I cannot take back {whose} alone ({_what(change)}): {reason}. Take back what came since, too ({shown}{more})?"
    )


def _what(change: ChangeRecord) -> str:
    return clipped(change.summary or change.kind, _LONGEST)
