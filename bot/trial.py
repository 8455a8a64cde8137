"""What a dry run is made of: the stage from what is stored, the events people name, and what services would answer.

Reading only. What comes of it is told by `bot.simulation`.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from bot.happenings import target_of, user_fields
from bot.services.internal import picked
from bot.services.simulated import SERVICES, output_of
from engine.context import Context
from engine.data import Kept
from engine.declare import Declarations
from engine.events import Event, canonical, kind_of
from engine.execution import Done, Effect, Failed, Result
from engine.ports import Store
from engine.simulation import Answer, Cast, Limits, Stage

SOMEONE: Final = "someone"
"""Whom a made-up event is about, if nobody is named."""
DAY: Final = 86_400.0
MOST_EVENTS: Final = 50_000
_CHANCE: Final = 0.5
_TRIED: Final = Limits(lines=500, runs=50)
_SUPPOSED: Final = Limits(lines=60, runs=10)
_TESTED: Final = Limits(lines=5_000, runs=1_000, seconds=366 * DAY)


async def stage_of(
    store: Store,
    community: str,
    declarations: Declarations,
    around: Context,
    at: float,
    workflow: str,
    *,
    version: int | None = None,
    failing: Collection[str] = (),
) -> Stage | None:
    """The community as it is stored, with one workflow switched on, in its current version or another one.

    None if there is no such version.

    Raises:
        StoreError: It cannot be read.
    """
    records = {record.id: record for record in await store.workflows(community)}
    casts = {each.workflow: Cast(records[each.workflow], each) for each in await store.current_revisions(community)}
    if workflow not in casts:
        return None
    tried = casts[workflow]
    revision = tried.revision if version is None else await store.revision(community, workflow, version)
    if revision is None:
        return None
    casts[workflow] = Cast(replace(tried.workflow, revision=revision.number, enabled=True), revision)
    return Stage(
        community,
        declarations,
        at,
        tuple(casts.values()),
        config=around.config,
        stream=around.stream,
        zone=around.zone,
        kept=Kept(community, await store.data(community)),
        marks={(record.workflow, record.key): record.marks for record in await store.marks(community)},
        chance=_CHANCE,
        answer=answering(declarations, workflow, failing),
        limits=_TRIED,
    )


async def standing_stage(store: Store, community: str, declarations: Declarations, around: Context, at: float) -> Stage:
    """The community as it is stored, every workflow as it stands: those that are off are off.

    Raises:
        StoreError: It cannot be read.
    """
    records = {record.id: record for record in await store.workflows(community)}
    current = await store.current_revisions(community)
    return Stage(
        community,
        declarations,
        at,
        tuple(Cast(records[each.workflow], each) for each in current if each.workflow in records),
        config=around.config,
        stream=around.stream,
        zone=around.zone,
        kept=Kept(community, await store.data(community)),
        marks={(record.workflow, record.key): record.marks for record in await store.marks(community)},
        chance=_CHANCE,
        answer=answering(declarations, "", ()),
        limits=_SUPPOSED,
    )


def against_the_past(stage: Stage) -> Stage:
    """The same stage for what has happened: it may be long, and nothing is remembered of starts before it."""
    return replace(stage, marks={}, limits=_TESTED)


async def recorded(store: Store, community: str, since: float, until: float) -> list[Event]:
    """What is recorded of that time, the latest first; so much at most.

    Raises:
        StoreError: It cannot be read.
    """
    found = await store.events(community, MOST_EVENTS)
    return [event for event in found if since <= event.at <= until]


def answering(declarations: Declarations, workflow: str, failing: Collection[str]) -> Answer:
    """What services would answer: what simulated ones do, but these steps of the workflow fail."""

    def answer(effect: Effect) -> Result | None:
        if effect.workflow == workflow and effect.state in failing:
            return Failed("simulated", "it is to fail in this test")
        if effect.service == "internal" and effect.method == "random_choice":
            return picked(effect.params, _CHANCE)
        method = declarations.find(effect.service, effect.method)
        output = output_of(method, effect) if method is not None and effect.service in SERVICES else None
        return None if output is None else Done(output)

    return answer


# Events that people name -------------------------------------------------------------------------------------------------


def pretended(name: str, given: Mapping[str, Any], *, id: str, at: float, community: str) -> Event:
    """An event as if it happened, with the fields that were given as texts; `user.roles` are roles by commas."""
    kind = kind_of(name)
    types = {} if kind is None else kind.fields
    fields = {key: _typed(value, types.get(key)) for key, value in given.items() if key not in ("user", "user.roles")}
    person = person_of(given)
    if person is None and "user" in types:
        person = user_fields(SOMEONE, ())
    if "message" in types:
        fields = {**_said(fields), **fields}
    return Event(id, canonical(name), at, community, fields if person is None else {"user": person, **fields})


def person_of(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Whom `user` and `user.roles` name."""
    if "user" not in given and "user.roles" not in given:
        return None
    roles = [role.strip().casefold() for role in str(given.get("user.roles", "")).split(",")]
    return user_fields(str(given.get("user", SOMEONE)), [role for role in roles if role])


def _typed(value: Any, type_: str | None) -> Any:
    if not isinstance(value, str):
        return value
    match type_:
        case "number":
            return _number(value)
        case "boolean":
            return value.strip().casefold() in ("true", "yes", "on", "1")
        case "list":
            return [part.strip() for part in value.split(",") if part.strip()]
        case _:
            return value


def _number(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What follows from a message, or makes one of a command."""
    command, rest = str(fields.get("command", "")), str(fields.get("arguments", ""))
    message = str(fields.get("message", f"{command} {rest}".strip()))
    head, _, tail = message.partition(" ")
    is_command = head.startswith("!")
    return {
        "message": message,
        "command": head.casefold() if is_command else "",
        "arguments": tail if is_command else "",
        **target_of(tail if is_command else ""),
        "words": len(message.split()),
    }
