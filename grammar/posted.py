"""Which message of Discord is meant by "it" and "that post": one that a step before has posted, or the one that started it all.

How that is written depends on the names that steps get, so it is found out when they have them. Nothing here reads.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, cast

from pydantic import JsonValue

from engine.declare import Declarations
from engine.edits import map_blocks
from engine.errors import EngineError
from engine.events import kind_of
from engine.model import Block, Call, Choose, Parallel, State, Trigger, blocks

POSTED: Final = "${\ufdd0posted}"
"""What was posted last, as "that post" says; else the message that started it."""
STARTING: Final = "${\ufdd0starting}"
"""The message that started it, which goes without saying; where none did, what was posted last."""
STARTED_BY: Final = "${message_id}"
_NAME: Final = re.compile(r"[^\W\d]\w*")
_WHICH: Final = 'which message? Say it as what a step gave, such as: pin "${post.message_id}"'


@dataclass(frozen=True, slots=True)
class Posts:
    """The messages that may be meant at a step.

    Attributes:
        started: The one that started it, if it was one of Discord.
        last: The one that was posted last.
        unsure: Whether one may have been posted since, or not.
        home: The service from which everybody comes whom it may be about, if that is told.
        answered: Whether all that starts it happens in a channel there, so that it can be answered in that.
    """

    started: str | None = None
    last: str | None = None
    unsure: bool = False
    home: str | None = None
    answered: bool = False

    def meant(self, value: object) -> object:
        """A param's value, with the message that it means."""
        match value:
            case "${\ufdd0posted}":
                found = self.last or self.started
                if found is None or self.unsure:
                    raise EngineError(_WHICH)
                return found
            case "${\ufdd0starting}":
                if self.started is None and self.unsure:
                    raise EngineError(_WHICH)
                return self.started or self.last or STARTED_BY
            case _:
                return value


OF_A_FILE: Final = Posts(started=STARTED_BY)
"""In a file everything is written out."""


def started_by(triggers: Iterable[Trigger]) -> Posts:
    """What may be meant at the first step."""
    kinds = [kind_of(trigger.on) for trigger in triggers]
    told = any(kind is not None and kind.platform == "discord" and "message_id" in kind.fields for kind in kinds)
    homes = {None if kind is None else kind.platform for kind in kinds}
    home = next(iter(homes)) if len(homes) == 1 else None
    answered = all(kind is not None and {"channel", "message_id"} <= kind.fields.keys() for kind in kinds)
    return Posts(started=STARTED_BY if told else None, home=home, answered=answered)


def after(states: Iterable[State], posts: Posts, declarations: Declarations) -> Posts:
    """What may be meant after these steps."""
    for state in states:
        posts = _after(state, posts, declarations)
    return posts


def with_messages(states: tuple[State, ...], posts: Posts, declarations: Declarations) -> tuple[State, ...]:
    """The same states with the message that each "it" means.

    Raises:
        EngineError: There is none, or it may be one of several.
    """
    made: list[State] = []
    for state in states:
        made.append(_with_message(state, posts, declarations))
        posts = _after(made[-1], posts, declarations)
    return tuple(made)


def _with_message(state: State, posts: Posts, declarations: Declarations) -> State:
    action = state.action
    if isinstance(action, Call) and (POSTED in action.params.values() or STARTING in action.params.values()):
        params = {name: posts.meant(value) for name, value in action.params.items()}
        call = Call(service=action.service, method=action.method, params=cast("dict[str, JsonValue]", params))
        return state.model_copy(update={"action": call})

    def inside(block: Block) -> Block:
        return block.model_copy(update={"states": with_messages(block.states, posts, declarations)})

    inner = map_blocks(action, inside)
    return state if inner is action else state.model_copy(update={"action": inner})


def _after(state: State, posts: Posts, declarations: Declarations) -> Posts:
    action = state.action
    if isinstance(action, Call):
        method = declarations.find(action.service, action.method)
        if method is None or not method.posts:
            return posts
        return replace(posts, last=f"${{{state.name}.message_id}}", unsure=_NAME.fullmatch(state.name) is None)
    within = [after(block.states, posts, declarations) for block in blocks(action)]
    told = [found for found in within if found != posts]
    if not told:
        return posts
    if isinstance(action, Choose) or (isinstance(action, Parallel) and len(told) > 1):
        return replace(posts, unsure=True)
    return told[-1]
