"""Run a workflow by hand, now or later, and stop, cancel, pause or resume what runs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.catalogue import Entry
from bot.instructions.turn import Ask, Outcome, Told, Turn, name
from bot.instructions.where import called, in_line, place_of, starts
from bot.replies import Saying, listed, sentence, spoken
from engine.errors import ExpressionError
from engine.execution import Execution
from engine.expressions import has_placeholder, parse_template
from engine.formulas import Placeholder
from engine.model import Call, Definition, ForEach, Set, State, Transform, Trigger, Wait, all_states
from engine.people import all_roles
from engine.ports import AdmissionRecord
from engine.schedules import next_time
from engine.scope import MISSING, Scope, compile_path
from engine.wording import counted
from grammar.instruction import Control, Question, RunWorkflow

_NAMED: Final = 3
_OF_A_RUN: Final = frozenset({"results", "loop", "late"})
"""What a run knows by itself, as soon as there is any of it."""


# Run -------------------------------------------------------------------------------------------------------------------


async def run(turn: Turn, instruction: RunWorkflow) -> Outcome:
    """Start a workflow by hand, now or later; what it lacks is said."""
    entry = turn.entry(instruction.workflow)
    if turn.unsure:
        return Ask(f"Run {name(entry)}{_when(instruction)}?", instruction, (entry.id,))
    missing = _missing(turn, entry.definition, instruction.arguments)
    fatal = [path for path, number in missing.items() if _would_end_it(path, number, entry.definition)]
    if fatal and not turn.among_others:
        return Told((), entry.id, asks=(_asked_for(turn, instruction, fatal[0]),))
    await turn.close_question()
    desk = turn.desk
    at = _begins_at(turn, instruction)
    started = await desk.runner.run(desk.community, entry.id, instruction.arguments, turn.by, at=at)
    if isinstance(started, AdmissionRecord):
        return turn.refuse(_not_let_in(turn, entry, started), entry)
    lacking = _lacking(missing)
    match started.status:
        case "scheduled":
            begun = f"{name(entry)} (v{started.revision}) {starts(turn, started)}: "
            lacking = f"{lacking + '. ' if lacking else ''}{_call_off(turn, entry)}"
        case "queued":
            begun = f"{name(entry)} (v{started.revision}) {await in_line(turn, started)}: "
        case _:
            begun = f"Started {name(entry)} (v{started.revision}): "
    return turn.tell("done", Saying(begun, turn.said, f". {lacking}"), entry)


def _call_off(turn: Turn, entry: Entry) -> str:
    """How a run that was put off is taken back, and what else that ends."""
    others = sum(turn.desk.running(entry.id).values()) - 1
    too = f" (that ends {counted(others, 'other run')}, too)" if others > 0 else ""
    return f"Call it off: !wf cancel {name(entry)}{too}"


def _when(instruction: RunWorkflow) -> str:
    if instruction.after is not None:
        return f" in {spoken(instruction.after)}"
    return "" if instruction.at is None else f" at {instruction.at}"


def _begins_at(turn: Turn, instruction: RunWorkflow) -> float | None:
    """When it is to begin; a time of day is the next one that the community's clock shows."""
    now = turn.desk.clock.now()
    if instruction.after is not None:
        return now + instruction.after
    if instruction.at is None:
        return None
    hour, minute = instruction.at.split(":")
    once_a_day = Trigger(on="schedule.fired", schedule=f"{int(minute)} {int(hour)} * * *")
    return next_time(once_a_day, after=now, zone=turn.desk.zone(), chance=0.0)


def _not_let_in(turn: Turn, entry: Entry, record: AdmissionRecord) -> str:
    again = f" It may at {turn.desk.time(record.allowed_at)}." if record.allowed_at is not None else ""
    refused = sentence(f"{name(entry)} did not start: {record.reason or 'nobody can say why'}")
    return f"{refused}{again}"


def _would_end_it(path: str, number: int, definition: Definition) -> bool:
    """Whether a run fails for want of a variable that a start can bring: nothing is done on that failure."""
    state = definition.states[number - 1]
    is_caught = definition.on_error is not None or not state.critical or "error" in state.transitions
    return "." not in path and not is_caught


def _asked_for(turn: Turn, instruction: RunWorkflow, variable: str) -> Question:
    """What is asked before a run that would fail without it."""
    said = turn.desk.language.say(instruction, turn.workspace)
    joint = "" if instruction.arguments else " with"
    return Question(f"What should {variable} be?", gap=f"{said}{joint} {variable}={{}}")


def _missing(turn: Turn, definition: Definition, arguments: Mapping[str, Any]) -> dict[str, int]:
    """The variables that steps use and nobody has given, each with the first step that does."""
    missing: dict[str, int] = {}
    scope = _scope(turn, definition, arguments)
    made = frozenset(_made(definition)) | _OF_A_RUN
    for number, state in enumerate(definition.states, 1):
        for path in _used(state):
            if path.split(".")[0] not in made and compile_path(path)(scope) is MISSING:
                missing.setdefault(path, number)
    return missing


def _lacking(missing: Mapping[str, int]) -> str:
    """What is said of variables that nobody has given; the steps that use them will fail."""
    if not missing:
        return ""
    each = [f"{path} (step {number})" for path, number in list(missing.items())[:_NAMED]]
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    first = next(iter(missing))
    verb = "is" if len(missing) == 1 else "are"
    return f"Not given: {listed(each)}{more}, so what uses {'it' if verb == 'is' else 'them'} will fail; say it as {first}=…"


def _scope(turn: Turn, definition: Definition, arguments: Mapping[str, Any]) -> Scope:
    defaults = {name: made.default for name, made in definition.variables.items() if made.default is not None}
    caller = {"name": turn.by.name, "roles": all_roles(turn.by.roles)}
    return Scope(
        variables={**defaults, **arguments},
        event={"name": "manual", "id": "", "at": 0.0},
        user=caller,
        caller=caller,
        config=turn.desk.config(),
        stream={"live": False, "viewers": 0, "title": "", "category": ""},
        zone=turn.desk.zone(),
        now=turn.desk.clock.now(),
    )


def _made(definition: Definition) -> Iterator[str]:
    """Names that steps make themselves."""
    for state in all_states(definition.states):
        yield state.name
        match state.action:
            case Set(values=values):
                yield from (key.split(".")[0] for key in values)
            case Transform(into=str(into)):
                yield into
            case ForEach(variable=variable):
                yield variable
            case _:
                pass


def _used(state: State) -> Iterator[str]:
    """The variables a step needs that have no default."""
    match state.action:
        case Call(params=params):
            texts = _texts(params)
        case Wait(seconds=str(seconds)):
            texts = iter((seconds,))
        case _:
            return
    for text in texts:
        try:
            parts = parse_template(text).parts if has_placeholder(text) else ()
        except ExpressionError:
            continue
        for part in parts:
            if isinstance(part, Placeholder) and not any(each.name == "default" for each in part.filters):
                yield part.path


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case list() | tuple():
            for each in value:
                yield from _texts(each)
        case _:
            pass


# Stop, cancel, pause, resume --------------------------------------------------------------------------------------------

_PAST: Final = {"stop": "stopped", "cancel": "cancelled", "pause": "paused", "resume": "resumed"}


async def control(turn: Turn, instruction: Control) -> Outcome:
    """Act on what runs; on everything only after a yes."""
    entry = turn.entry(instruction.workflow) if instruction.workflow is not None else None
    runs = [run for run in await turn.desk.runs(instruction.workflow) if _acts_on(instruction, run)]
    if not runs:
        return turn.tell("answer", Saying(_nothing(instruction, entry)), entry)
    if turn.unsure or (entry is None and not turn.confirmed):
        return Ask(await _really(turn, instruction, entry, runs), instruction)
    await turn.close_question()
    changed = await turn.desk.runner.control(turn.desk.community, instruction.verb, instruction.workflow, turn.by)
    if not changed:
        return turn.tell("answer", Saying(_nothing(instruction, entry)), entry)
    before = {run.id: run for run in runs}
    told = Counter([await _now(turn, before.get(run.id, run), run) for run in changed])
    each = [text if count == 1 else f"{text} ({count} runs)" for text, count in told.most_common(_NAMED)]
    more = f" And {len(told) - _NAMED} more." if len(told) > _NAMED else ""
    still = await _still_starts(turn, instruction)
    return turn.tell("done", Saying("Done: ", turn.said, f". {'. '.join(each)}.{more}{still}"), entry)


async def _still_starts(turn: Turn, instruction: Control) -> str:
    """What is paused does not begin; what was put off does, and whoever pauses may not think of it."""
    if instruction.verb != "pause":
        return ""
    held = [run for run in await turn.desk.runs(instruction.workflow) if run.status == "scheduled"]
    told = [f"{await called(turn, run)} still {starts(turn, run)}" for run in held[:_NAMED]]
    more = f" And {len(held) - _NAMED} more do." if len(held) > _NAMED else ""
    return f" {sentence('. '.join(told))}{more}" if told else ""


def _acts_on(instruction: Control, run: Execution) -> bool:
    match instruction.verb:
        case "resume":
            return run.status == "paused"
        case "pause":
            return run.status not in ("paused", "scheduled", "queued")
        case "stop":
            return True
        case "cancel":
            return run.status != "stopping"


def _nothing(instruction: Control, entry: Entry | None) -> str:
    if instruction.verb == "resume":
        return "Nothing is paused." if entry is None else f"No run of {name(entry)} is paused."
    return "Nothing is running." if entry is None else f"No run of {name(entry)} is going on."


async def _really(turn: Turn, instruction: Control, entry: Entry | None, runs: list[Execution]) -> str:
    if entry is not None:
        return f"{instruction.verb.capitalize()} {name(entry)}? {counted(len(runs), 'run')} of it would be {_PAST[instruction.verb]}."
    names = dict.fromkeys([await called(turn, run) for run in runs])
    shown = [*list(names)[:8], *([f"{len(names) - 8} more"] if len(names) > 8 else [])]
    return f"{instruction.verb.capitalize()} everything? {counted(len(runs), 'run')} would be {_PAST[instruction.verb]}: {listed(shown)}."


async def _now(turn: Turn, before: Execution, run: Execution) -> str:
    """How a run stands after it was acted on."""
    title = await called(turn, run)
    if before.status == "scheduled" and before.start_due is not None:
        return f"{title} will not start at {turn.desk.time(before.start_due)}"
    if before.status == "queued":
        return f"{title} no longer stands in line"
    where = await place_of(turn, run)
    match run.status:
        case "stopping":
            return f"{title} cleans up{f' at {where}' if where else ''}"
        case "paused":
            return f"{title} is paused{f' at {where}' if where else ''}"
        case "stopped" | "cancelled" | "completed" | "failed":
            return f"{title} has ended"
        case _:
            return f"{title} goes on{f' at {where}' if where else ''}"
