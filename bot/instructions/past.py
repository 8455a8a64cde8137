"""Which version stood at a moment, and letting a workflow be so again, after a yes."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.catalogue import Entry, restored
from bot.instructions.create_and_edit import UNDO, not_theirs, runs_on, taken, unfit
from bot.instructions.turn import Ask, Outcome, Turn, name
from bot.replies import Saying
from engine.ports import RevisionRecord
from grammar.instruction import Past, Restore
from grammar.say_manage import say_past
from grammar.starts import WEEKDAYS


def moment_of(past: Past, now: float, zone: ZoneInfo, *, begun: bool = False) -> float | None:
    """The moment that is meant, as UTC seconds; None if the calendar has no such day.

    Args:
        past: What was said; a day is as it ended.
        now: The present.
        zone: The community's.
        begun: Whether a day counts from its beginning: since then, not as it was then.
    """
    here = datetime.fromtimestamp(now, zone)
    if past.seconds is not None:
        return now - past.seconds
    try:
        clock = time.fromisoformat(past.time) if past.time is not None else None
        day = _day_of(past, here)
    except ValueError:
        return None
    if day is None:
        shown = datetime.combine(here.date(), clock or time(), zone)
        return (shown if shown <= here else shown - timedelta(days=1)).timestamp()
    if clock is not None:
        return datetime.combine(day, clock, zone).timestamp()
    return datetime.combine(day if begun else day + timedelta(days=1), time(), zone).timestamp()


def _day_of(past: Past, here: datetime) -> date | None:
    """The day that is meant, if one is.

    Raises:
        ValueError: The calendar has no such day.
    """
    if past.yesterday:
        return here.date() - timedelta(days=1)
    if past.weekday is not None:
        back = (here.isoweekday() - WEEKDAYS.index(past.weekday)) % 7 or 7
        return here.date() - timedelta(days=back)
    return None if past.date is None else datetime.fromisoformat(past.date).date()


async def revision_of(turn: Turn, entry: Entry, to: int | Past, *, begun: bool = False) -> RevisionRecord | str:
    """The version that is meant, or why there is none; since a day when it was not there yet means since it was made."""
    desk = turn.desk
    if isinstance(to, int):
        found = await desk.catalogue.revision(entry.id, to)
        return found or f"{name(entry)} has the versions v1 to v{entry.current.number}; there is no v{to}."
    at = moment_of(to, desk.clock.now(), ZoneInfo(desk.zone()), begun=begun)
    if at is None:
        return f"There is no such day as {to.date}."
    known = await desk.store.revisions(desk.community, entry.id)
    before = [each for each in known if each.at < at]
    if before:
        return max(before, key=lambda each: each.number)
    first = min(known, key=lambda each: each.number, default=None)
    if first is not None and begun:
        return first
    made = "" if first is None else f"; it was made at {desk.time(first.at)} by {first.author.name}"
    return f"{name(entry)} was not there yet{made}."


async def restore(turn: Turn, instruction: Restore) -> Outcome:
    """Let a workflow be as it was; that is a new version, and can be undone."""
    entry = turn.entry(instruction.workflow)
    if (refused := not_theirs(turn, entry)) is not None:
        return turn.refuse(refused, entry)
    found = await revision_of(turn, entry, instruction.to)
    if isinstance(found, str):
        return turn.refuse(found, entry)
    when = say_past(instruction.to)
    if found.definition == entry.definition:
        return turn.tell("answer", Saying(f"{name(entry)} is as it was then (v{found.number}, {when})."), entry)
    if (problem := taken(turn, found.definition, entry)) is not None:
        return turn.refuse(problem, entry)
    if (problem := unfit(turn, found.definition, entry.definition, former=entry)) is not None:
        return turn.refuse(problem, entry)
    exact = Restore(entry.id, found.number)
    if not turn.confirmed:
        by = f"v{found.number} of {turn.desk.time(found.at)} by {found.author.name}"
        return Ask(f"Let {name(entry)} be as in {by} ({found.summary or 'as it was made'})?", exact, (entry.id,))
    await turn.save(restored(entry, found, turn.origin(), turn.said), entry.id)
    after = turn.entry(entry.id)
    going_on = runs_on(turn, after, besides=after.record.revision)
    tail = f". {name(after)} v{after.record.revision} is as v{found.number} was. {going_on}{UNDO}"
    return turn.tell("done", Saying("Done: ", turn.said, tail), after)
