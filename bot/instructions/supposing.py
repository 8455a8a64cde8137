"""Which workflows would start if something happened, what each would do first, and why the others would not."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Final

from pydantic import JsonValue

from bot.catalogue import Entry
from bot.instructions.turn import Outcome, Turn, name
from bot.replies import Saying, clipped
from bot.trial import person_of, pretended, standing_stage
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
    saying = Saying(head, "\n".join((*started, *others)), f". Nothing was done.{more}", rest="and {} more")
    return turn.tell("answer", saying, focus=listening[0].id if len(listening) == 1 else None)


def _tried(turn: Turn, instruction: Suppose, stage: Stage, entries: list[Entry]) -> list[tuple[str, bool]]:
    return [_line(turn, instruction, stage, entry) for entry in entries]


_ROLES: Final = ("subscriber", "vip", "moderator", "broadcaster")
"""Who may start what not everybody may; the least of them is told."""


def _line(turn: Turn, instruction: Suppose, stage: Stage, entry: Entry) -> tuple[str, bool]:
    refused = _refusal(instruction.event, instruction.arguments, stage, entry)
    if refused is None:
        return f"{name(entry)} would start: {_first_step(turn, entry)}", True
    if person_of(instruction.arguments) is None:
        for role in _ROLES:
            if _refusal(instruction.event, {**instruction.arguments, "user.roles": role}, stage, entry) is None:
                who = "the streamer does it" if role == "broadcaster" else f"a {role} does it"
                return f"{name(entry)} would start if {who}: {_first_step(turn, entry)}", True
    return f"{name(entry)} would not: {clipped(refused, _LONGEST)}", False


def _refusal(event: str, given: Mapping[str, JsonValue], stage: Stage, entry: Entry) -> str | None:
    """Why it would not start; None if it would."""
    happening = pretended(event, given, id="supposed", at=stage.at, community=stage.community)
    trace = simulate.by_event(stage, entry.id, happening)
    if any(isinstance(line, Begun) and line.workflow == entry.id for line in trace.lines):
        return None
    refused = next((line for line in trace.lines if isinstance(line, Refused)), None)
    return refused.reason if refused is not None else "it does not listen for that"


def _first_step(turn: Turn, entry: Entry) -> str:
    first = entry.definition.state(entry.definition.initial_state)
    return clipped(turn.desk.language.say_step(entry.definition, first.name), _LONGEST)
