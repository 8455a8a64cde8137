"""What there is before a sentence is said: workflows, names, focus and runs, as data or as somebody described it.

A context is the object of a file like `tests/data/utterances/contexts.json`, or a few words such as
`editing raid: 1 say "hi"; 2 wait 10s`, `raid running`, `after an edit` or `none (no workflow open)`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.formulas import And, Compare, Formula, IsEmpty, Literal, Variable
from engine.model import Action, Call, Definition, Run, State, Stop, Trigger, Wait
from grammar.names import slug
from grammar.workspace import LiveNames

READ_DEED = Callable[[str], Action | None]

EVENTS: Final[Mapping[str, str]] = {
    "follow": "follow.received",
    "sub": "subscription.received",
    "gift_sub": "gift.received",
    "raid": "raid.received",
    "cheer": "cheer.received",
    "first_chat": "message.first",
    "stream_online": "stream.started",
    "stream_offline": "stream.ended",
    "hype_train": "hype_train.started",
}
_EDITING: Final = re.compile(r"editing (?P<name>[\w -]+?)\s*(?::\s*(?P<steps>.+))?\Z", re.DOTALL)
_RUN: Final = re.compile(r"(?P<name>[\w-]+) (?:run )?(?P<how>running|paused|waiting)\b(?P<rest>.*)\Z")
_VERSIONS: Final = re.compile(r"(?P<name>[\w-]+) has (?P<count>\d+) versions")
_STEP: Final = re.compile(r"(?:^|[;,·]\s*)\d+[.)]?\s+(.*?)(?=\s*[;,·]\s*\d+[.)]?\s|\s*\Z)", re.DOTALL)
_ASKED: Final = re.compile(r"what should it say", re.IGNORECASE)


@dataclass(frozen=True)
class Context:
    """What there is.

    Attributes:
        versions: How many versions the workflow in focus has.
        before: What is typed before, such as an edit.
        platform: Where everything is typed.
        unspecified: Whether nothing is told of the workflows there are.
    """

    workflows: tuple[Definition, ...] = ()
    disabled: tuple[str, ...] = ()
    focus: str | None = None
    running: tuple[str, ...] = ()
    paused: tuple[str, ...] = ()
    names: LiveNames = field(default_factory=LiveNames)
    versions: int = 3
    before: tuple[str, ...] = ()
    platform: str = "twitch"
    unspecified: bool = False


def written(context: Mapping[str, Any]) -> Context:
    """A context of the file."""
    made = {name: _workflow(name, said) for name, said in context["workflows"].items()}

    def ids(names: list[str]) -> tuple[str, ...]:
        return tuple(made[name].id for name in names)

    return Context(
        workflows=tuple(made.values()),
        disabled=ids([name for name, said in context["workflows"].items() if not said.get("enabled", True)]),
        focus=made[context["current"]].id if context.get("current") else None,
        running=ids(context.get("running") or []),
        names=LiveNames(
            scenes=tuple(context.get("scenes") or ()),
            sources=tuple(context.get("sources") or ()),
            sounds=tuple(context.get("sounds") or ()),
            rewards=tuple(context.get("rewards") or ()),
            roles=tuple(context.get("roles") or ()),
            channels=tuple(context.get("discord") or ()),
        ),
    )


def described(words: str, deed: READ_DEED) -> Context:
    """A context in words; what is not understood of it is left out."""
    if (match := _EDITING.fullmatch(words.strip())) is not None:
        made = in_words(match["name"], match["steps"] or "", deed)
        return Context(workflows=(made,), focus=made.id)
    if (match := _VERSIONS.match(words)) is not None:
        made = in_words(match["name"], "1 say hi", deed)
        return Context(workflows=(made,), focus=made.id, versions=int(match["count"]))
    if (match := _RUN.fullmatch(words)) is not None:
        made = in_words(match["name"], "1 say hi; 2 wait 20m; 3 say bye", deed)
        paused = (made.id,) if match["how"] == "paused" else ()
        return Context(workflows=(made,), focus=made.id, running=(made.id,), paused=paused)
    if words.startswith("after an edit"):
        made = in_words("raid", "1 say hi; 2 wait 10s", deed)
        return Context(workflows=(made,), focus=made.id, before=("in raid make the wait 20 seconds", "add say bye"))
    if _ASKED.search(words) is not None:
        made = in_words("welcome", "1 wait 5s", deed)
        return Context(workflows=(made,), focus=made.id, before=("add a message",))
    return Context(platform="discord" if words.strip() == "discord" else "twitch", unspecified=True)


def in_words(name: str, text: str, deed: READ_DEED) -> Definition:
    """A workflow of numbered steps in words; a step that is not understood is a comment."""
    parts = _STEP.findall(text) or ["comment"]
    actions = [deed(part) or _comment(part) for part in parts]
    return _linked(name, actions)


def _comment(text: str) -> Action:
    return Call(service="internal", method="comment", params={"text": text})


def _linked(
    name: str, actions: list[Action], own: tuple[str | None, ...] = (), trigger: Trigger | None = None
) -> Definition:
    named: list[str] = []
    for place, action in enumerate(actions):
        stem = _stem(action)
        taken = sum(1 for other in actions[:place] if _stem(other) == stem)
        given = own[place] if place < len(own) else None
        named.append(given or (stem if not taken else f"{stem}_{taken + 1}"))
    states = tuple(
        State(name=at, action=action, transitions={"success": to} if to else {})
        for at, action, to in zip(named, actions, [*named[1:], None], strict=True)
    )
    return Definition(
        id=slug(name),
        name=name,
        initial_state=named[0],
        states=states,
        triggers=(trigger,) if trigger is not None else (),
    )


_STEMS: Final[Mapping[str, str]] = {
    "send_chat_message": "say",
    "send_message": "post",
    "send_chat_announcement": "announce",
    "set_current_scene": "scene",
    "set_scene_item_enabled": "source",
    "play_sound": "sound",
    "send_shoutout": "shoutout",
    "raid_channel": "raid",
    "start_commercial": "ad",
    "create_stream_marker": "marker",
    "update_channel": "channel",
    "update_chat_settings": "chat_mode",
    "timeout_user": "timeout",
    "update_redemption_status": "redemption",
}


def _stem(action: Action) -> str:
    return _STEMS.get(action.method, action.method) if isinstance(action, Call) else action.kind


# Workflows as data ------------------------------------------------------------------------------------------------------


def _workflow(name: str, said: Mapping[str, Any]) -> Definition:
    actions = [_action(step) for step in said["steps"]] or [_comment(name)]
    own = tuple(None if step["do"] in ("scene", "sound") else step.get("name") for step in said["steps"])
    return _linked(name, actions, own, _trigger(said.get("trigger")))


def _action(step: Mapping[str, Any]) -> Action:  # noqa: C901  one case for each deed
    called = step.get("name_", step.get("name"))
    match step["do"]:
        case "say" if str(step.get("to", "chat")).startswith("discord"):
            channel = str(step["to"]).partition(":")[2]
            about = {"channel_id": channel} if channel else {}
            return Call(service="discord", method="send_message", params={**about, "message": step["text"]})
        case "say":
            return Call(service="twitch", method="send_chat_message", params={"message": step["text"]})
        case "announce":
            return Call(service="twitch", method="send_chat_announcement", params={"message": step["text"]})
        case "wait":
            return Wait(seconds=step["s"])
        case "scene":
            return Call(service="obs", method="set_current_scene", params={"scene_name": called})
        case "show" | "hide" as verb:
            params = {"source": step["source"], "enabled": verb == "show"}
            return Call(service="obs", method="set_scene_item_enabled", params=params)
        case "sound":
            return Call(service="overlay", method="play_sound", params={"sound": called})
        case "shoutout":
            return Call(service="twitch", method="send_shoutout", params={"user": step["user"]})
        case "raid":
            return Call(service="twitch", method="raid_channel", params={"target_channel": step["to"]})
        case "ad":
            return Call(service="twitch", method="start_commercial", params={"length": step["s"]})
        case "marker":
            return Call(service="twitch", method="create_stream_marker", params={"description": step["text"]})
        case "title":
            return Call(service="twitch", method="update_channel", params={"title": step["text"]})
        case "emote_only":
            return Call(service="twitch", method="update_chat_settings", params={"emote_mode": step["on"]})
        case "run":
            return Run(workflow=slug(step["wf"]))
        case "stop":
            return Stop()
        case other:
            return _comment(str(other))


def _trigger(said: Mapping[str, Any] | None) -> Trigger | None:
    if not said:
        return None
    guard = _guard(said.get("where"))
    match said["on"]:
        case "every":
            return Trigger(on="interval.elapsed", every_seconds=said["s"], when=guard)
        case "schedule":
            return Trigger(on="schedule.fired", schedule=said["cron"], when=guard)
        case "command":
            return Trigger(
                on="message.received", when=_both(Compare("==", Variable("command"), Literal(said["name"])), guard)
            )
        case "redeem":
            return Trigger(
                on="reward.redeemed", when=_both(Compare("==", Variable("reward"), Literal(said["name"])), guard)
            )
        case other:
            return Trigger(on=EVENTS.get(other, other), when=guard)


def _both(first: Formula, second: Formula | None) -> Formula:
    return first if second is None else And((first, second))


def _guard(said: Mapping[str, Any] | None) -> Formula | None:
    if not said:
        return None
    variable = Variable(said["var"])
    return IsEmpty(variable) if said["op"] == "empty" else Compare(said["op"], variable, Literal(said.get("value")))
