"""Say what a workflow would do, or would have done: nothing is done, and nothing is kept of it."""

import asyncio
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

from bot.catalogue import Entry
from bot.instructions.turn import Outcome, Turn, name
from bot.replies import Saying, spoken
from bot.samples import sample_of
from bot.simulation import Telling, as_lines, in_short
from bot.trial import DAY, against_the_past, person_of, pretended, recorded, stage_of
from engine import simulate
from engine.simulation import Cue, Stage, Trace
from grammar.instruction import Backtest, DryRun

_DRY = "Dry run: "
_MADE_UP = "Dry run with made-up values: "
_NOTHING_DONE = "Nothing was done."
_MORE = "… and {} more lines. "


async def dry_run(turn: Turn, instruction: DryRun) -> Outcome:
    """What a workflow would do now."""
    entry = turn.entry(instruction.workflow)
    failing = () if instruction.failing is None else (instruction.failing,)
    stage = await _stage(turn, entry, failing=failing)
    if stage is None:
        return turn.refuse(f"{name(entry)} is not there any more", entry)
    sample = None if instruction.event is not None or instruction.arguments else sample_of(entry.definition)
    if sample is not None:
        instruction = replace(instruction, event=sample[0], arguments=sample[1])
    trace = await asyncio.to_thread(_tried, turn, instruction, stage)
    off = "" if entry.record.enabled else f"{name(entry)} is switched off. If it were on: "
    off += "" if sample is None else _MADE_UP
    body = " · ".join(as_lines(trace, _telling(turn)))
    return turn.tell("answer", Saying(off or _DRY, body, f". {_NOTHING_DONE}", rest=_MORE), entry)


def _tried(turn: Turn, instruction: DryRun, stage: Stage) -> Trace:
    made = partial(pretended, community=stage.community)
    script = [
        Cue(each.seconds, made(each.event, each.arguments, id=f"later/{number}", at=stage.at + each.seconds))
        for number, each in enumerate(instruction.later)
    ]
    if instruction.event is not None:
        event = made(instruction.event, instruction.arguments, id="tried", at=stage.at)
        return simulate.by_event(stage, instruction.workflow, event, script=script)
    about = person_of(instruction.arguments)
    given = {key: value for key, value in instruction.arguments.items() if key not in ("user", "user.roles")}
    return simulate.by_hand(stage, instruction.workflow, given, turn.by, user=about, script=script)


async def backtest(turn: Turn, instruction: Backtest) -> Outcome:
    """What a version of a workflow would have done with what has happened."""
    entry, now = turn.entry(instruction.workflow), turn.desk.clock.now()
    stage = await _stage(turn, entry, version=instruction.version)
    number = instruction.version or entry.record.revision
    if stage is None:
        return turn.refuse(f"There is no v{number} of {name(entry)}", entry)
    seconds = DAY if instruction.seconds is None else instruction.seconds
    events = await recorded(turn.desk.store, turn.desk.community, now - seconds, now)
    trace = await asyncio.to_thread(simulate.backtest, against_the_past(stage), entry.id, events)
    head = f"{name(entry)} v{number} over the last {spoken(seconds)}, {in_short(trace)}. "
    lines = as_lines(trace, _telling(turn, dated=True))
    body = f"{' · '.join(lines)}. " if lines else ""
    return turn.tell("answer", Saying(head, body, _NOTHING_DONE, rest=_MORE), entry)


async def _stage(
    turn: Turn, entry: Entry, *, version: int | None = None, failing: tuple[str, ...] = ()
) -> Stage | None:
    desk = turn.desk
    return await stage_of(
        desk.store,
        desk.community,
        desk.declarations,
        desk.runner.surroundings(desk.community),
        desk.clock.now(),
        entry.id,
        version=version,
        failing=failing,
    )


def _telling(turn: Turn, *, dated: bool = False) -> Telling:
    names = {record.id: record.name for record in turn.desk.catalogue.records()}
    return Telling(turn.desk.declarations, names, ZoneInfo(turn.desk.zone()), dated)
