"""What the steps of a workflow make happen, and whether a trigger hears it: how workflows start themselves or others.

Only a guard that certainly does not hold keeps a trigger from hearing something. Who runs whom is looked at elsewhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.declare import Declarations
from engine.errors import EvaluationError, ExpressionError
from engine.evaluate import compile_guard
from engine.events import canonical, kind_of
from engine.expressions import paths_in
from engine.formulas import And, Formula, Or
from engine.model import Call, Definition, Emit, State, Trigger, all_states
from engine.scope import Scope
from engine.templates import is_constant
from engine.validate.problem import SAY, Places, Problem, paced

ENOUGH: Final = 1.0
"""A cooldown of so many seconds keeps what follows at once from starting a workflow again."""

_FOLLOWS: Final[Mapping[str, tuple[tuple[str, Mapping[str, str]], ...]]] = {
    "twitch.send_chat_message": (("message.received", {"message": "message"}),),
    "discord.send_message": (("discord.message.received", {"message": "message"}),),
    "obs.set_current_scene": (("obs.scene.changed", {"scene": "scene_name"}),),
    "obs.save_replay_buffer": (("obs.replay.saved", {}),),
    "twitch.create_clip": (("clip.created", {"title": "title"}),),
    "twitch.start_commercial": (("ad.started", {"seconds": "length"}),),
    "twitch.update_channel": (
        ("title.changed", {"title": "title"}),
        ("category.changed", {"category": "game_name"}),
    ),
}
"""The events that follow from a method, with their fields and the params these come from."""
_MESSAGES: Final = frozenset({"message.received", "discord.message.received"})


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that a step makes happen.

    Attributes:
        event: Canonical name.
        fields: What is known of the event's fields; others may have any value.
        says: Whether it is the bot's own message, which most triggers do not hear.
    """

    state: str
    event: str
    fields: Mapping[str, Any]
    says: bool = False


def causes(definition: Definition, declarations: Declarations) -> Iterator[Cause]:
    """All that the steps of a workflow make happen."""
    for state in all_states(definition.states):
        if state.enabled:
            yield from _of(state, declarations)


def _of(state: State, declarations: Declarations) -> Iterator[Cause]:
    match state.action:
        case Emit() as emit:
            yield Cause(state.name, canonical(emit.event), _constants(emit.payload))
        case Call() as call:
            method = declarations.find(call.service, call.method)
            for event, fields in _FOLLOWS.get(method.key if method is not None else "", ()):
                given = {field: call.params[param] for field, param in fields.items() if param in call.params}
                if event in _MESSAGES:
                    yield Cause(state.name, event, _message(given.get("message")), says=True)
                elif given or not event.endswith(".changed"):
                    yield Cause(state.name, event, _constants(given))
        case _:
            return


def _constants(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if is_constant(value)}


def _message(text: Any) -> Mapping[str, Any]:
    """What is known of a message from its text: all of it, or the first word if that is constant."""
    if not isinstance(text, str):
        return {}
    command, blank, arguments = text.strip().partition(" ")
    if is_constant(text):
        words = len(text.split())
        return {"message": text, "command": command, "arguments": arguments.strip(), "words": words}
    return {"command": command} if blank and is_constant(command) else {}


def hears(trigger: Trigger, cause: Cause) -> bool:
    """Whether a trigger may be started by something."""
    if canonical(trigger.on) != cause.event or (cause.says and not trigger.own_messages):
        return False
    return trigger.when is None or not _fails(trigger.when, cause.fields)


def _fails(guard: Formula, fields: Mapping[str, Any]) -> bool:
    """Whether a guard certainly does not hold, because what it would need to hold is known and is something else."""
    match guard:
        case And(operands):
            return any(_fails(part, fields) for part in operands)
        case Or(operands):
            return all(_fails(part, fields) for part in operands)
        case _:
            pass
    if not all(path.removeprefix("event.") in fields for path in paths_in(guard)):
        return False
    try:
        return not compile_guard(guard)(Scope(event=fields))
    except (EvaluationError, ExpressionError):
        return True


def is_paced(definition: Definition, trigger: Trigger) -> bool:
    """Whether what follows at once cannot start a workflow by this trigger again."""
    policy = definition.policy
    if policy.rate is not None or policy.once_per_user or (trigger.cooldown_seconds or 0) >= ENOUGH:
        return True
    return policy.cooldown is not None and policy.cooldown.seconds >= ENOUGH


def self_starting(definition: Definition, places: Places, declarations: Declarations) -> Iterator[Problem]:
    """Steps that start the workflow they belong to, again and again."""
    made = tuple(causes(definition, declarations))
    for trigger in definition.triggers:
        if is_paced(definition, trigger):
            continue
        for cause in made:
            if hears(trigger, cause):
                yield Problem(
                    places.where[cause.state],
                    "warning",
                    _sentence(trigger, cause),
                    f"{SAY}{paced(definition.policy, 10)}",
                    cause.state,
                )
                break


def _sentence(trigger: Trigger, cause: Cause) -> str:
    if cause.says:
        return "it hears the bot itself and may start itself again and again"
    does = "sends" if kind_of(cause.event) is None else "leads to"
    maybe = "starts" if trigger.when is None else "may start"
    return f'it {does} "{trigger.on}", which {maybe} this workflow again and again'
