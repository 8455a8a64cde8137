"""What an instruction means, in the vocabulary of `tests/data/utterances/vocabulary.md`.

The words come from the instruction and from the definitions before and after it, never from a sentence. A change is told
edit by edit, each against the definition it was made on, so that numbers are those that counted at that moment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from engine import edits
from engine.events import canonical
from engine.formulas import And, Compare, Formula, IsEmpty, Literal, Not, Or, TextTest, Variable
from engine.model import (
    Action,
    Block,
    Call,
    Choose,
    Definition,
    ForEach,
    Parallel,
    Policy,
    Repeat,
    Run,
    State,
    Stop,
    Trigger,
    Wait,
    blocks,
    destinations,
)
from grammar.instruction import (
    Change,
    Control,
    Copy,
    Create,
    Delete,
    Diff,
    DryRun,
    Export,
    FromTemplate,
    Help,
    History,
    Instruction,
    ListRuns,
    ListTemplates,
    ListWorkflows,
    NotYet,
    Placeholders,
    Redo,
    Rename,
    Restore,
    RunWorkflow,
    SetEnabled,
    Several,
    Show,
    Skip,
    Status,
    Suppose,
    SwitchAll,
    Undo,
    Why,
)
from grammar.names import is_blank
from grammar.say_manage import say_past, say_sort

Meaning = dict[str, Any]
Named = Mapping[str, Definition]

EVENTS: Final[Mapping[str, str]] = {
    "follow.received": "follow",
    "subscription.received": "sub",
    "gift.received": "gift_sub",
    "raid.received": "raid",
    "cheer.received": "cheer",
    "message.first": "first_chat",
    "stream.started": "stream_online",
    "stream.ended": "stream_offline",
    "hype_train.started": "hype_train",
}
ROLES: Final[Mapping[str, str]] = {
    "moderator": "mods",
    "vip": "vips",
    "subscriber": "subs",
    "everyone": "everyone",
    "broadcaster": "broadcaster",
}


def operation(instruction: Instruction, before: Named, focus: str | None = None) -> Meaning:
    """One operation: what the instruction does to these workflows.

    Args:
        instruction: What was understood.
        before: The definitions by id, as they were.
        focus: The workflow that was talked about.
    """
    return {key: value for key, value in _operation(instruction, before, focus).items() if value is not None}


def _operation(instruction: Instruction, before: Named, focus: str | None) -> Meaning:  # noqa: C901  one line each

    def name(id: str | None) -> str | None:
        id = id if id is not None else focus
        return before[id].name if id in before else id

    match instruction:
        case Create(definition):
            made = [] if is_blank(definition) else steps(definition.states)
            return {"op": "create", "wf": definition.name, **_heading(definition), "steps": made}
        case Change(workflow, made):
            return change(before[workflow], made)
        case Rename(workflow, new):
            return {"op": "rename", "wf": name(workflow), "to": new}
        case Several(instructions):
            return _several(instructions, before, focus)
        case Delete(workflows):
            return _batch([{"op": "delete", "wf": name(workflow)} for workflow in workflows])
        case SetEnabled(workflow, enabled):
            return {"op": "enable" if enabled else "disable", "wf": name(workflow)}
        case RunWorkflow(workflow, arguments, None, None):
            return {"op": "run", "wf": name(workflow), "args": dict(arguments)}
        case RunWorkflow(workflow, arguments, after, at):
            return {"op": "run_later", "wf": name(workflow), "args": dict(arguments), "delay": after or at}
        case DryRun(workflow, event, arguments):
            return {"op": "test", "wf": name(workflow), "args": dict(arguments), "event": event}
        case Control(verb, None):
            return {"op": "stop" if verb == "cancel" else verb, "wf": "*"}
        case Control(verb, workflow):
            return {"op": "stop" if verb == "cancel" else verb, "wf": name(workflow)}
        case Skip(workflow):
            return {"op": "skip", "wf": name(workflow)}
        case Status(workflow):
            return {"op": "status", "wf": name(workflow) if workflow is not None else None}
        case ListWorkflows(sort):
            return {"op": "list", "filter": say_sort(sort) or None}
        case ListTemplates():
            return {"op": "list", "filter": "templates"}
        case Copy(workflow, new):
            return {"op": "copy", "wf": name(workflow), "to": new}
        case FromTemplate(template, new):
            return {"op": "create", "wf": new, "template": template}
        case SwitchAll(enabled, sort):
            return {"op": "enable" if enabled else "disable", "wf": "*", "filter": say_sort(sort) or None}
        case Restore(workflow, to):
            return {"op": "restore", "wf": name(workflow), "to": say_past(to)}
        case Suppose(event, arguments):
            return {"op": "test", "args": dict(arguments), "event": event}
        case Placeholders():
            return {"op": "help", "topic": "placeholders"}
        case Show(workflow, step):
            return {"op": "show", "wf": name(workflow), "step": step}
        case Why(workflow) | ListRuns(workflow):
            return {"op": "logs", "wf": name(workflow)}
        case History(workflow):
            return {"op": "history", "wf": name(workflow)}
        case Diff(workflow, since, _):
            return {"op": "diff", "wf": name(workflow), "since": None if since is None else say_past(since)}
        case Undo(count=count):
            return {"op": "undo", "n": count}
        case Redo(count=count):
            return {"op": "redo", "n": count}
        case Export(workflow, format):
            # Text is what an export is in where nothing is said of it.
            return {"op": "export", "wf": name(workflow), **({} if format == "text" else {"format": format})}
        case Help(topic):
            return {"op": "help", "topic": topic}
        case NotYet(what):
            return {"op": "reject", "why": f"not yet: {what}"}
        case _:
            return {"op": type(instruction).__name__.casefold()}


def _several(instructions: Iterable[Instruction], before: Named, focus: str | None) -> Meaning:
    """A batch; each part as things stand after those before it."""
    operations: list[Meaning] = []
    for each in instructions:
        meant = operation(each, before, focus)
        operations.extend(meant["ops"] if meant["op"] == "batch" else [meant])
        if isinstance(each, Change):
            definition = before[each.workflow]
            for edit in each.edits:
                definition = edits.apply(definition, edit)
            before = {**before, each.workflow: definition}
    return {"op": "batch", "ops": operations}


def _batch(operations: list[Meaning]) -> Meaning:
    return operations[0] if len(operations) == 1 else {"op": "batch", "ops": operations}


def _heading(definition: Definition) -> Meaning:
    started = [trigger(each) for each in definition.triggers]
    found: Meaning = {"trigger": started[0] if len(started) == 1 else started}
    policy = definition.policy
    if policy != Policy():
        found["policy"] = policy.model_dump(exclude_defaults=True)
    return found


# Steps ------------------------------------------------------------------------------------------------------------------


def steps(states: Iterable[State]) -> list[Meaning]:
    """States as steps."""
    return [step(state) for state in states]


def step(state: State) -> Meaning:
    """One state as a step."""
    said = _deed(state.action)
    if not state.critical:
        said["carry_on"] = True
    if state.retry is not None:
        said["retry"] = state.retry.max_attempts - 1
    if not state.enabled:
        said["enabled"] = False
    return said


def _deed(action: Action) -> Meaning:
    match action:
        case Call(service=service, method=method, params=params):
            return _call(f"{service}.{method}", dict(params))
        case Wait(seconds=seconds):
            return {"do": "wait", "s": seconds}
        case Run(workflow=workflow):
            return {"do": "run", "wf": workflow}
        case Stop():
            return {"do": "stop"}
        case Choose():
            return _choice(action)
        case Repeat(times=times, block=block):
            return {"do": "repeat", "n": times, "steps": _inside(block)}
        case Parallel(branches=branches):
            return {"do": "parallel", "steps": [each for branch in branches for each in _inside(branch.block)]}
        case ForEach(block=block):
            return {"do": "for_each", "steps": _inside(block)}
        case _:
            return {"do": action.kind, **action.model_dump(mode="json", exclude_defaults=True)}


def _inside(block: Block) -> list[Meaning]:
    return steps(block.states)


def _choice(action: Choose) -> Meaning:
    first, *others = action.cases
    said: Meaning = {"do": "if", "cond": condition(first.when), "then": _inside(first.block)}
    if others:
        rest = others[0] if len(others) == 1 and others[0].when is None else None
        said["else"] = _inside(rest.block) if rest is not None else [_choice(Choose(cases=tuple(others)))]
    return said


def _discord(params: Mapping[str, Any]) -> str:
    channel = params.get("channel_id")
    return f"discord:{channel}" if channel else "discord"


_CALLS: Final[Mapping[str, Callable[[Mapping[str, Any]], Meaning]]] = {
    "twitch.send_chat_message": lambda p: {"do": "say", "to": "chat", "text": p.get("message")},
    "discord.send_message": lambda p: {"do": "say", "to": _discord(p), "text": p.get("message")},
    "discord.send_channel_message": lambda p: {"do": "say", "to": _discord(p), "text": p.get("message")},
    "twitch.send_chat_announcement": lambda p: {"do": "announce", "text": p.get("message")},
    "obs.set_current_scene": lambda p: {"do": "scene", "name": p.get("scene_name")},
    "obs.set_scene_item_enabled": lambda p: {"do": "show" if p.get("enabled") else "hide", "source": p.get("source")},
    "overlay.play_sound": lambda p: {"do": "sound", "name": p.get("sound")},
    "twitch.send_shoutout": lambda p: {"do": "shoutout", "user": p.get("user")},
    "twitch.raid_channel": lambda p: {"do": "raid", "to": p.get("target_channel")},
    "twitch.start_commercial": lambda p: {"do": "ad", "s": p.get("length")},
    "twitch.create_stream_marker": lambda p: {"do": "marker", "text": p.get("description")},
}


def _call(key: str, params: dict[str, Any]) -> Meaning:
    if key == "twitch.update_channel" and set(params) == {"title"}:
        return {"do": "title", "text": params["title"]}
    if key == "twitch.update_chat_settings" and set(params) == {"emote_mode"}:
        return {"do": "emote_only", "on": params["emote_mode"]}
    told = _CALLS.get(key)
    return told(params) if told is not None else {"do": key, **params}


# Triggers and conditions ------------------------------------------------------------------------------------------------


def trigger(started: Trigger) -> Meaning:
    """What starts a workflow."""
    found, guard = _event(started)
    if guard is not None:
        found["where"] = condition(guard)
    for extra in ("only_live", "min_lines", "cooldown_seconds", "every_most_seconds", "at", "zone"):
        if value := getattr(started, extra):
            found[extra] = value
    return found


def _event(started: Trigger) -> tuple[Meaning, Formula | None]:
    on = canonical(started.on)
    match on:
        case "interval.elapsed":
            return {"on": "every", "s": started.every_seconds}, started.when
        case "schedule.fired":
            return {"on": "schedule", "cron": started.schedule}, started.when
        case "message.received":
            value, rest = _compared(started.when, "command")
            return ({"on": "command", "name": value}, rest) if value is not None else ({"on": "message"}, rest)
        case "reward.redeemed":
            value, rest = _compared(started.when, "reward")
            return {"on": "redeem", "name": value}, rest
        case _:
            return {"on": EVENTS.get(on, on)}, started.when


def _compared(guard: Formula | None, path: str) -> tuple[Any, Formula | None]:
    """The value that a variable must have, and what else the guard asks."""
    match guard:
        case Compare("==", Variable(known), Literal(value)) if known == path:
            return value, None
        case And(operands):
            for each in operands:
                value, rest = _compared(each, path)
                if value is not None and rest is None:
                    others = tuple(other for other in operands if other is not each)
                    return value, others[0] if len(others) == 1 else And(others)
            return None, guard
        case _:
            return None, guard


def condition(guard: Formula | None) -> Meaning | None:
    """A condition; one that the vocabulary has no words for is written out."""
    match guard:
        case None:
            return None
        case Compare(operator, Variable(path), Literal(value)):
            path = "game" if path == "category" else path
            return {"var": path, "op": operator, "value": value}
        case TextTest("contains", Variable("user.roles"), Literal(role)):
            short = str(ROLES.get(str(role), role)).removesuffix("s")
            return {"var": f"user.{short}", "op": "==", "value": True}
        case Not(TextTest("contains", Variable("user.roles"), Literal(role))):
            short = str(ROLES.get(str(role), role)).removesuffix("s")
            return {"var": f"user.{short}", "op": "==", "value": False}
        case TextTest(operator, Variable(path), Literal(value)):
            return {"var": path, "op": operator, "value": value}
        case IsEmpty(Variable(path)):
            return {"var": path, "op": "empty"}
        case And(operands) | Or(operands):
            return {type(guard).__name__.casefold(): [condition(each) for each in operands]}
        case _:
            return {"formula": repr(guard)}


# Edits ------------------------------------------------------------------------------------------------------------------


def change(definition: Definition, made: tuple[edits.Edit, ...]) -> Meaning:
    """The edits of one message as one operation or a batch."""
    if (wrap := _wrapped(definition, made)) is not None:
        return wrap
    operations: list[Meaning] = []
    handler = _error_path(definition, made)
    for place, edit in enumerate(made):
        wrapping = _wrapping(definition, made[place : place + 2]) or _wrapping(
            definition, made[place - 1 : place + 1], 1
        )
        if wrapping is not None:
            operations.extend([] if wrapping in operations else [wrapping])
        elif handler is None or edit not in handler[1]:
            operations.extend(_told(meant) for meant in _edit(edit, definition))
        definition = edits.apply(definition, edit)
    if handler is not None:
        operations.append(handler[0])
    return _batch(operations)


def _wrapping(definition: Definition, pair: tuple[edits.Edit, ...], gone: int = 0) -> Meaning | None:
    """Steps that go and stand in a block in the place of the first: one operation of the vocabulary, two edits of ours."""
    match pair:
        case (edits.RemoveSteps(names), edits.ReplaceStep(name, (block,))):
            pass
        case _:
            return None
    inside = [each.name for inner in blocks(block.action) for each in inner.states]
    if inside != [name, *names]:
        return None
    if gone:
        first = _number(definition, name)
        numbers = [first, *(int(first) + count for count in range(1, len(names) + 1))]
    else:
        numbers = [_number(definition, each) for each in inside]
    said = _deed(block.action)
    into = {key: value for key, value in said.items() if key not in ("steps", "then")}
    return {"op": "wrap", "wf": definition.name, "step": numbers, "into": into}


def _told(meant: Meaning) -> Meaning:
    return {key: value for key, value in meant.items() if value is not None}


def _wrapped(definition: Definition, made: tuple[edits.Edit, ...]) -> Meaning | None:
    """Several steps of which the first is replaced by a block around all of them."""
    match made:
        case (edits.RemoveSteps(rest), edits.ReplaceStep(first, (outer,))):
            names = (first, *rest)
        case _:
            return None
    new, old = step(outer), [step(definition.state(name)) for name in names]
    for inner in ("then", "steps"):
        if new.get(inner) == old:
            into = {key: value for key, value in new.items() if key != inner}
            numbers = [_number(definition, name) for name in names]
            return {"op": "wrap", "wf": definition.name, "step": numbers, "into": into}
    return None


def _error_path(definition: Definition, made: tuple[edits.Edit, ...]) -> tuple[Meaning, list[edits.Edit]] | None:
    """Steps that are put in only to be gone to on an error: one operation of the vocabulary, several edits of ours."""
    inserted = [edit for edit in made if isinstance(edit, edits.InsertSteps)]
    new = {state.name: state for edit in inserted for state in edit.states}
    for edit in made:
        match edit:
            case edits.SetOnError(to=str(to)) if to in new:
                step_of, target = None, to
            case edits.SetTransition(name=at, event="error", target=str(to)) if to in new:
                step_of, target = at, to
            case _:
                continue
        after = definition
        for each in made:
            after = edits.apply(after, each)
        leads_on = step_of is None or "success" in after.state(step_of).transitions
        row, ends = _path(after, target, set(new), leads_on=leads_on)
        found: Meaning = {"op": "on_error", "wf": definition.name, "steps": row, "then": ends}
        if step_of is not None:
            found["step"] = _number(after, step_of)
        used = [each for each in made if isinstance(each, edits.InsertSteps | edits.SetTransition)]
        return found, [*used, edit]
    return None


def _path(definition: Definition, start: str, own: set[str], *, leads_on: bool) -> tuple[list[Meaning], str]:
    """The steps from a state on, as long as they are its own, and whether it then goes on as it would have."""
    found: list[Meaning] = []
    at: str | None = start
    while at is not None and at in own:
        state = definition.state(at)
        if isinstance(state.action, Stop):
            return found, "stop"
        found.append(step(state))
        own = own - {at}
        at = next(iter(destinations(state.transitions.get("success"))), None)
    return found, "stop" if at is None and leads_on else "continue"


def _number(definition: Definition, name: str) -> int | str:
    return next((number for number, state in enumerate(definition.states, 1) if state.name == name), name)


def _edit(edit: edits.Edit, definition: Definition) -> Iterator[Meaning]:  # noqa: C901  one case for each edit
    wf = definition.name

    def number(name: str) -> int | str:
        return _number(definition, name)

    match edit:
        case edits.InsertSteps(at, states):
            yield {"op": "insert", "wf": wf, "at": at, "steps": steps(states)}
        case edits.RemoveSteps(names):
            yield {"op": "remove", "wf": wf, "step": [number(name) for name in names]}
        case edits.MoveStep(name, at):
            yield {"op": "move", "wf": wf, "step": number(name), "at": at}
        case edits.SwapSteps(first, second):
            yield {"op": "swap", "wf": wf, "step": [number(first), number(second)]}
        case edits.ReplaceStep(name, states):
            yield _replaced(definition, name, states)
        case edits.SetAction(name, action):
            yield from _set(definition, name, action)
        case edits.SetCritical(name, critical):
            then = "stop" if critical else "continue"
            yield {"op": "on_error", "wf": wf, "step": number(name), "steps": [], "then": then}
        case edits.SetRetry(name, again):
            tries = again.max_attempts - 1 if again is not None else 0
            yield {"op": "retry", "wf": wf, "step": number(name), "n": tries}
        case edits.SetTransition(name, "error", target):
            yield {"op": "on_error", "wf": wf, "step": number(name), "steps": [], "then": target or "stop"}
        case edits.SetTransition(name, event, target):
            yield {"op": "lead", "wf": wf, "step": number(name), "event": event, "to": str(target)}
        case edits.SetOnError(to):
            yield {"op": "on_error", "wf": wf, "steps": [], "then": to or "stop"}
        case edits.Handle(states, at, "error"):
            yield {**_handled(definition, states, at), "step": None if at is None else number(at)}
        case edits.SetTimeout(seconds):
            yield {"op": "timeout", "wf": wf, "s": seconds}
        case edits.SetStepTimeout(name, seconds):
            yield {"op": "timeout", "wf": wf, "step": number(name), "s": seconds}
        case edits.AddTrigger(started):
            yield {"op": "trigger", "wf": wf, "mode": "add", "trigger": trigger(started)}
        case edits.RemoveTrigger(started):
            yield {"op": "trigger", "wf": wf, "mode": "remove", "trigger": trigger(started)}
        case edits.SetTriggers(()):
            yield {"op": "trigger", "wf": wf, "mode": "remove"}
        case edits.SetTriggers(started):
            told = [trigger(each) for each in started]
            yield {"op": "trigger", "wf": wf, "mode": "set", "trigger": told[0] if len(told) == 1 else told}
        case edits.SetPolicy(policy):
            yield from _policy(definition, policy)
        case edits.SetName(new):
            yield {"op": "rename", "wf": wf, "to": new}
        case _:
            yield {"op": type(edit).__name__.casefold(), "wf": wf}


def _handled(definition: Definition, states: tuple[State, ...], at: str | None) -> Meaning:
    """What is done on an error, and whether the rest goes on as it would have."""
    ends = isinstance(states[-1].action, Stop)
    said = states[:-1] if ends else states
    leads_on = at is None or "success" in definition.state(at).transitions
    onward = "success" in states[-1].transitions
    then = "stop" if ends or (leads_on and not onward) else "continue"
    return {"op": "on_error", "wf": definition.name, "steps": steps(said), "then": then}


def _replaced(definition: Definition, name: str, states: tuple[State, ...]) -> Meaning:
    """Steps in the place of one; a block around that one is a wrap."""
    number, old = _number(definition, name), step(definition.state(name))
    new = steps(states)
    if is_blank(definition):
        return {"op": "insert", "wf": definition.name, "at": 1, "steps": new}
    if len(new) == 1:
        for inner in ("then", "steps"):
            if new[0].get(inner) == [old]:
                into = {key: value for key, value in new[0].items() if key != inner}
                return {"op": "wrap", "wf": definition.name, "step": [number], "into": into}
    return {"op": "replace", "wf": definition.name, "step": number, "steps": new}


def _set(definition: Definition, name: str, action: Action) -> Iterator[Meaning]:
    """What differs between a step and what it becomes; another deed is a replacement."""
    number, old = _number(definition, name), _deed(definition.state(name).action)
    new = _deed(action)
    changed = [key for key in new if old.get(key) != new[key]]
    if old["do"] != new["do"] or set(old) != set(new):
        yield {"op": "replace", "wf": definition.name, "step": number, "steps": [new]}
        return
    for key in changed:
        yield {"op": "set", "wf": definition.name, "step": number, "param": key, "value": new[key]}


def _policy(definition: Definition, policy: Policy) -> Iterator[Meaning]:
    wf, old = definition.name, definition.policy
    if policy.cooldown != old.cooldown:
        cooldown = policy.cooldown
        per = "user" if cooldown is not None and cooldown.per is not None and "user" in cooldown.per else "global"
        yield {"op": "cooldown", "wf": wf, "s": cooldown.seconds if cooldown is not None else 0, "per": per}
    if policy.may_run != old.may_run:
        yield {"op": "allow", "wf": wf, "who": [ROLES[role] for role in policy.may_run or ("everyone",)]}
    fields = [name for name in Policy.model_fields if name not in ("cooldown", "may_run")]
    other = {field: getattr(policy, field) for field in fields if getattr(policy, field) != getattr(old, field)}
    if other:
        yield {"op": "policy", "wf": wf, **{key: str(value) for key, value in other.items()}}
