"""What is known outside an execution at this moment, and what the guard of a trigger sees of it.

Chance is drawn before and brought along, so that working with a context draws nothing. It knows no program.
"""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.events import Event
from engine.execution import Values
from engine.frozen import quick
from engine.people import name_of, person_in
from engine.scope import Scope
from engine.settings import Setting


@quick
@dataclass(frozen=True, slots=True)
class Context:
    """What is known outside the execution at this moment.

    Attributes:
        config: Settings as a tree; dotted paths in templates reach into it.
        data: What the community keeps, plain values by key; people's own under `users` and their name.
        stream: What is known of the stream: {"live": bool, "viewers": int, "title": ..., "category": ...}.
        zone: IANA name of the community's time zone.
        declared: The settings that there are.
        chance: Numbers in [0, 1) drawn by the runner, for jitter and picks.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    stream: Mapping[str, Any] = field(default_factory=dict)
    zone: str = "UTC"
    chance: tuple[float, ...] = (0.5,)
    declared: tuple[Setting, ...] = ()


def data_about(data: Mapping[str, Any], user: object) -> Mapping[str, Any]:
    """What is kept, with one person's own data also under `user`: `${data.user.points}`."""
    people, name = data.get("users"), name_of(user)
    if not isinstance(people, Mapping) or name is None:
        return data
    own = people.get(name.strip().removeprefix("@").casefold())
    # Layers are not copied, because this is done for every event.
    return data if own is None else ChainMap({"user": own}, data)  # type: ignore[arg-type]  # it is only read


def event_scope(
    event: Event, context: Context, *, variables: Values | None = None, caller: Values | None = None
) -> Scope:
    """What the guard of a trigger sees: the event, the community and the stream, but no run yet."""
    payload = event.payload
    return Scope(
        variables=variables or {},
        event={"name": event.name, "id": event.id, "at": event.at, **payload},
        user=person_in(payload.get("user")),
        caller=caller,
        config=context.config,
        data=data_about(context.data, payload.get("user")),
        stream=context.stream,
        zone=context.zone,
        now=event.at,
    )
