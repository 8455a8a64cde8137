"""What the commands beside the chat do to tell what a workflow would do, or would have done.

Reading only: it works beside a running bot, which hears nothing of it.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot import app
from bot.catalogue import folded
from bot.config import COMMUNITY, DataFolder, machine_zone, settings_from, zone_info
from bot.message import roles_of
from bot.replies import clipped, sentence, spoken
from bot.simulation import Telling, as_data, as_lines, in_short
from bot.terminal import words
from bot.terminal.session import BROADCASTER
from bot.transcript import as_json, printable
from bot.trial import against_the_past, person_of, pretended, recorded, stage_of
from engine import simulate
from engine.clock import SystemClock
from engine.context import Context
from engine.declare import Declarations
from engine.errors import EngineError, StoreMissing
from engine.execution import Person
from engine.model import all_states
from engine.ports import Store, WorkflowRecord
from engine.simulation import Cue, Stage, Trace

_SHOWN: Final = 5
_MOST: Final = 20


class NotTried(EngineError):
    """It cannot be told; the text says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked.

    Attributes:
        given: `name=value`, each.
        event: What it is tried with; None for a start by hand.
        user: Whom it is about.
        failing: Steps that fail.
        later: What happens meanwhile, each as `5m follow user=bob`.
    """

    workflow: str
    given: Sequence[str] = ()
    event: str | None = None
    user: str | None = None
    failing: Sequence[str] = ()
    later: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What is read of a data folder before anything is tried."""

    store: Store
    declarations: Declarations
    record: WorkflowRecord
    around: Context
    telling: Telling
    now: float


async def try_out(folder: DataFolder, trial: Trial, *, as_object: bool) -> list[str]:
    """What a workflow would do now, as lines or as one JSON object.

    Raises:
        NotTried: There is no such workflow or step, or something that was given cannot be read.
        StoreError: It cannot be read.
    """
    given, script = _pairs(trial.given), [_later(each) for each in trial.later]
    if trial.user is not None:
        given["user"] = trial.user
    try:
        async with app.stored(folder, read_only=True) as store:
            shelf = await _shelf(store, trial.workflow, dated=False)
            stage = await _stage(shelf, failing=trial.failing)
    except StoreMissing:
        raise NotTried(_none(trial.workflow, ())) from None
    _check_steps(stage, shelf.record.id, trial.failing)
    trace = _played(stage, shelf.record.id, trial.event, given, script)
    if as_object:
        return [as_json(as_data(trace, shelf.telling))]
    off = [] if shelf.record.enabled else [f"{shelf.record.name} is switched off. If it were on:"]
    return [*map(printable, off), *_lines(trace, shelf.telling), "Nothing was done."]


def _played(
    stage: Stage,
    workflow: str,
    event: str | None,
    given: dict[str, Any],
    later: Sequence[tuple[float, str, dict[str, Any]]],
) -> Trace:
    script = [
        Cue(after, pretended(name, fields, id=f"later/{at}", at=stage.at + after, community=COMMUNITY))
        for at, (after, name, fields) in enumerate(later)
    ]
    if event is not None:
        tried = pretended(event, given, id="tried", at=stage.at, community=COMMUNITY)
        return simulate.by_event(stage, workflow, tried, script=script)
    arguments = {key: value for key, value in given.items() if key not in ("user", "user.roles")}
    by = Person(BROADCASTER, "twitch", roles_of("broadcaster"), f"twitch:{BROADCASTER}")
    return simulate.by_hand(stage, workflow, arguments, by, user=person_of(given), script=script)


async def backtest(folder: DataFolder, workflow: str, version: int | None, since: str, *, as_object: bool) -> list[str]:
    """What a version of a workflow would have done with what has happened, as lines or as one JSON object.

    Raises:
        NotTried: There is no such workflow or version, or the length of time cannot be read.
        StoreError: It cannot be read.
    """
    seconds = _length(since)
    try:
        async with app.stored(folder, read_only=True) as store:
            shelf = await _shelf(store, workflow, dated=True)
            stage = await _stage(shelf, version=version)
            events = await recorded(store, COMMUNITY, shelf.now - seconds, shelf.now)
    except StoreMissing:
        raise NotTried(_none(workflow, ())) from None
    trace = simulate.backtest(against_the_past(stage), shelf.record.id, events)
    if as_object:
        return [as_json(as_data(trace, shelf.telling))]
    number = version or shelf.record.revision
    head = f"{shelf.record.name} v{number} over the last {spoken(seconds)}, {in_short(trace)}."
    return [printable(head), *_lines(trace, shelf.telling), "Nothing was done."]


def _lines(trace: Trace, telling: Telling) -> list[str]:
    return [printable(sentence(line)).replace("\n", " ") for line in as_lines(trace, telling)]


# What is read ------------------------------------------------------------------------------------------------------------


async def _shelf(store: Store, workflow: str, *, dated: bool) -> _Shelf:
    settings = settings_from(await store.config(COMMUNITY))
    records = await store.workflows(COMMUNITY)
    found = next((each for each in records if folded(workflow) in (folded(each.id), folded(each.name))), None)
    if found is None:
        raise NotTried(_none(workflow, [record.name for record in records]))
    zone = zone_info(settings, machine_zone())
    declarations = app.equipment().declarations
    return _Shelf(
        store,
        declarations,
        found,
        Context(settings.tree(), stream=settings.stream(), zone=zone.key),
        Telling(declarations, {record.id: record.name for record in records}, zone, dated),
        max(SystemClock().now(), settings.virtual_now or 0),
    )


async def _stage(shelf: _Shelf, *, version: int | None = None, failing: Sequence[str] = ()) -> Stage:
    id = shelf.record.id
    stage = await stage_of(
        shelf.store, COMMUNITY, shelf.declarations, shelf.around, shelf.now, id, version=version, failing=failing
    )
    if stage is None:
        raise NotTried(f"There is no v{version} of {shelf.record.name}; the last one is v{shelf.record.revision}.")
    return stage


def _none(workflow: str, names: Sequence[str]) -> str:
    return f'There is no workflow "{clipped(workflow, 60)}". Those there are: {", ".join(names[:_SHOWN]) or "none"}.'


def _check_steps(stage: Stage, workflow: str, steps: Sequence[str]) -> None:
    """A step that is not there cannot fail, and it would be idle to say that all went well."""
    cast = next(each for each in stage.workflows if each.workflow.id == workflow)
    known = [state.name for state in all_states(cast.revision.definition.states)]
    for step in steps:
        if step not in known:
            raise NotTried(f'There is no step "{clipped(step, 60)}". Those there are: {", ".join(known[:_MOST])}.')


# What is given -----------------------------------------------------------------------------------------------------------


def _pairs(given: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not key.strip():
            raise NotTried(f'"{clipped(each, 60)}" is no value: write it as name=value.')
        found[key.strip()] = value
    return found


def _later(written: str) -> tuple[float, str, dict[str, Any]]:
    try:
        first, *rest = shlex.split(written)
        name, *given = rest
    except ValueError:
        raise NotTried(f'"{clipped(written, 60)}" is no later event: write it as "5m follow user=bob".') from None
    return _length(first), name, _pairs(given)


def _length(written: str) -> float:
    seconds = words.seconds(written)
    if seconds is None or seconds <= 0:
        raise NotTried(f'"{clipped(written, 60)}" is no length of time, such as 24h or 5m.')
    return seconds
