"""Which workflows would start if something happened, what each would do first, and why the others would not."""

import asyncio
from functools import partial

from bot.catalogue import Entry
from bot.instructions.turn import Outcome, Turn, name
from bot.replies import Saying, clipped
from bot.trial import pretended, standing_stage
from engine import simulate
from engine.events import canonical, kind_of
from engine.simulation import Begun, Refused, Stage
from grammar.instruction import Suppose

_MOST = 20
_LONGEST = 120


async def suppose(turn: Turn, instruction: Suppose) -> Outcome:
    """A dry run of everything that listens for it."""
    event = canonical(instruction.event)
    listening = [
        entry
        for entry in turn.desk.catalogue.there()
        if any(canonical(trigger.on) == event for trigger in entry.definition.triggers)
    ]
    kind = kind_of(event)
    clause = kind.clause if kind is not None else f'"{event}" happens'
    if not listening:
        return turn.tell("answer", Saying(f"Nothing: no workflow starts when {clause}."))
    desk = turn.desk
    stage = await standing_stage(
        desk.store, desk.community, desk.declarations, desk.runner.surroundings(desk.community), desk.clock.now()
    )
    lines = await asyncio.to_thread(partial(_tried, turn, instruction, stage, listening[:_MOST]))
    started = [line for line, starts in lines if starts]
    others = [line for line, starts in lines if not starts]
    head = f"{len(started)} of {len(listening)} would start: " if started else "Nothing would start: "
    more = f" {len(listening) - _MOST} more were not tried." if len(listening) > _MOST else ""
    return turn.tell(
        "answer", Saying(head, "\n".join((*started, *others)), f". Nothing was done.{more}", rest="and {} more")
    )


def _tried(turn: Turn, instruction: Suppose, stage: Stage, entries: list[Entry]) -> list[tuple[str, bool]]:
    return [_line(turn, instruction, stage, entry) for entry in entries]


def _line(turn: Turn, instruction: Suppose, stage: Stage, entry: Entry) -> tuple[str, bool]:
    event = pretended(instruction.event, instruction.arguments, id="supposed", at=stage.at, community=stage.community)
    trace = simulate.by_event(stage, entry.id, event)
    if any(isinstance(line, Begun) and line.workflow == entry.id for line in trace.lines):
        first = entry.definition.state(entry.definition.initial_state)
        words = turn.desk.language.say_step(entry.definition, first.name)
        return f"{name(entry)} would start: {clipped(words, _LONGEST)}", True
    refused = next((line for line in trace.lines if isinstance(line, Refused)), None)
    reason = refused.reason if refused is not None else "it does not listen for that"
    return f"{name(entry)} would not: {clipped(reason, _LONGEST)}", False
