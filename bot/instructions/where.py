"""Where a run stands, in words: which step of how many, which round, which branch, what it waits for, what comes then."""

from collections.abc import Iterable
from typing import Final

from bot.instructions.doing import does, gathered, left, person_of, until
from bot.instructions.turn import Turn
from bot.replies import cause, listed, roughly, spoken, titled
from engine.effect_ids import lane_key, owner_of
from engine.execution import MAIN, Branch, Execution, Frame
from engine.model import Collect, Definition, Parallel, Run, State, Wait, WaitFor, all_states, blocks
from engine.wording import counted

_LOOKED_AT: Final = 500


async def written(turn: Turn, run: Execution) -> Definition | None:
    """The version a run goes by."""
    record = await turn.desk.catalogue.revision(run.workflow, run.revision)
    return None if record is None else record.definition


async def called(turn: Turn, run: Execution) -> str:
    """The workflow a run is of, as it is called now, deleted or not."""
    entry = await turn.desk.catalogue.find(run.workflow)
    return titled(run.workflow if entry is None else entry.record.name)


# Steps -------------------------------------------------------------------------------------------------------------------


def number_of(definition: Definition, name: str) -> int | None:
    """The step's number; of a nested one, that of the step it belongs to."""
    for number, state in enumerate(definition.states, 1):
        if state.name == name or name in _inside(state):
            return number
    return None


def _inside(state: State) -> frozenset[str]:
    return frozenset(inner.name for block in blocks(state.action) for inner in all_states(block.states))


def step_of(definition: Definition, name: str) -> str:
    """`step 2 of 3 (wait)`."""
    number = number_of(definition, name)
    return f'step "{name}"' if number is None else f"step {number} of {len(definition.states)} ({name})"


async def place_of(turn: Turn, run: Execution) -> str:
    """`step 2 of 3 (wait)` for every branch; empty where it rests nowhere."""
    definition = await written(turn, run)
    if definition is None:
        return ""
    return listed(list(dict.fromkeys(step_of(definition, branch.state) for branch in run.branches)))


# What began a run, and runs that have not begun ----------------------------------------------------------------------------


def begun_by(run: Execution) -> str:
    """What started a run, in words."""
    who, caller = (run.user or run.caller or {}).get("name"), (run.caller or {}).get("name")
    if run.parent is not None:
        return f"run by another workflow, for {who}" if isinstance(who, str) else "run by another workflow"
    event = str(run.event.get("name") or "manual")
    if event == "manual" and isinstance(caller, str):
        return cause(event, caller) if who == caller else f"{cause(event, caller)} for {who}"
    return cause(event, who if isinstance(who, str) else None)


def starts(turn: Turn, run: Execution) -> str:
    """`starts at 19:00:00, in 20 minutes`, of a run that was put off."""
    if run.start_due is None:
        return "starts at once"
    return f"starts at {turn.desk.time(run.start_due)}, in {roughly(run.start_due - turn.desk.clock.now())}"


async def in_line(turn: Turn, run: Execution) -> str:
    """`stands in line behind 1`: those that are on where it wants to be, and those that came before it."""
    runs = await turn.desk.runs(run.workflow if run.slot is None else None, _LOOKED_AT)
    sharing = [each for each in runs if (each.slot or each.workflow) == (run.slot or run.workflow)]
    on = sum(each.status not in ("queued", "scheduled") for each in sharing)
    line = [each.id for each in sharing if each.status == "queued"]
    ahead = on + (line.index(run.id) if run.id in line else len(line))
    return f"stands in line behind {ahead}" if ahead else "stands in line and is next"


async def held(turn: Turn, run: Execution) -> str:
    """What a run waits for that has not begun."""
    return starts(turn, run) if run.status == "scheduled" else await in_line(turn, run)


# Runs that go on -----------------------------------------------------------------------------------------------------------


async def stands(turn: Turn, run: Execution) -> str:
    """One run in one line."""
    old = "" if _is_current(turn, run) else f" (v{run.revision})"
    title = f"{await called(turn, run)}{old}"
    definition = await written(turn, run)
    if run.status in ("scheduled", "queued"):
        return f"{title}: {await held(turn, run)} ({begun_by(run)})"
    if definition is None or not run.branches:
        return f"{title}: {run.status} since {turn.desk.time(run.started_at)}"
    cleaning = "cleaning up, " if run.status == "stopping" else ""
    return f"{title}: {cleaning}{await _branches(turn, definition, run)}"


def _is_current(turn: Turn, run: Execution) -> bool:
    entry = turn.desk.catalogue.get(run.workflow)
    return entry is not None and entry.record.revision == run.revision


async def _branches(turn: Turn, definition: Definition, run: Execution) -> str:
    """Every place where it rests; branches side by side are told together, under the step they belong to."""
    told: list[str] = []
    for group in _together(run.branches):
        if group[0].path == MAIN:
            told.append(await _alone(turn, definition, run, group[0]))
        else:
            told.append(await _side_by_side(turn, definition, run, group))
    return " and ".join(told)


def _together(branches: Iterable[Branch]) -> list[list[Branch]]:
    groups: dict[str, list[Branch]] = {}
    for branch in branches:
        outermost = "/".join(branch.path.split("/")[:2]).rpartition(":")[0] if branch.path != MAIN else branch.state
        groups.setdefault(outermost, []).append(branch)
    return list(groups.values())


async def _alone(turn: Turn, definition: Definition, run: Execution, branch: Branch) -> str:
    state = definition.state(branch.state)
    where = f"{_step(definition, branch.state)}{_rounds(definition, run, branch)}"
    return f"{where}, {await _rests(turn, definition, run, branch)}{_then(turn, definition, state)}"


async def _side_by_side(turn: Turn, definition: Definition, run: Execution, group: list[Branch]) -> str:
    """`step 2 of 3 side by side: lights waiting ..., 4 seconds left; outro comes after lights`."""
    segment = owner_of("/".join(group[0].path.split("/")[:2]))
    owner = definition.state(segment[1])
    each: list[str] = []
    for branch in group:
        rounds = _rounds(definition, run, branch)
        resting = await _rests(turn, definition, run, branch, since=False)
        each.append(f"{_lane(owner, branch)}{rounds}{',' if rounds else ''} {resting}")
    frame = next((one for one in run.frames if one.state == owner.name and one.visit == segment[2]), None)
    each += [] if frame is None else _not_yet(owner, frame)
    rounds = "" if frame is None else _rounds(definition, run, Branch(MAIN, owner.name, frame.visit))
    then = "" if frame is not None and frame.joined else _then(turn, definition, owner)
    paused = "" if run.paused_at is None else f", paused since {turn.desk.time(run.paused_at)}"
    return f"{_step(definition, owner.name)}{rounds} side by side{paused}: {'; '.join(each)}{then}"


def _lane(owner: State, branch: Branch) -> str:
    """The name of the branch, as it is written."""
    *_, key = owner_of("/".join(branch.path.split("/")[:2]))
    lanes = owner.action.branches if isinstance(owner.action, Parallel) else ()
    return next((lane.name for lane in lanes if lane_key(lane.name) == key), key)


def _not_yet(owner: State, frame: Frame) -> list[str]:
    """The branches that wait for others to end."""
    needs = {lane.name: lane.needs for lane in owner.action.branches} if isinstance(owner.action, Parallel) else {}
    over = {lane.name for lane in frame.lanes if lane.status == "done"}
    return [
        f"{lane.name} comes after {listed([need for need in needs.get(lane.name, ()) if need not in over])}"
        for lane in frame.lanes
        if lane.status == "waiting"
    ]


def _step(definition: Definition, name: str) -> str:
    number = number_of(definition, name)
    return f'step "{name}"' if number is None else f"step {number} of {len(definition.states)}"


def _rounds(definition: Definition, run: Execution, branch: Branch) -> str:
    """`, round 2 of 5`, for every loop around a place, outer ones first."""
    told = ""
    for frame in run.frames:
        around = branch.path == frame.path or branch.path.startswith(f"{frame.path}/")
        if frame.round and around and branch.state in _inside(definition.state(frame.state)):
            told += f", round {frame.round}{f' of {frame.total}' if frame.total is not None else ''}"
    return told


async def _rests(turn: Turn, definition: Definition, run: Execution, branch: Branch, *, since: bool = True) -> str:
    """What goes on at one place, or stands still there, and `since` when, if that is not said already."""
    state = definition.state(branch.state)
    if run.status != "paused" or run.paused_at is None:
        return await _doing(turn, definition, state, branch, turn.desk.clock.now())
    paused = f"paused since {turn.desk.time(run.paused_at)} " if since else ""
    if branch.visit == 0 or not isinstance(state.action, WaitFor | Collect | Run):
        before = "before" if branch.visit == 0 else "at"
        return f"{paused}{before} {does(turn.desk.language, definition, state)}{left(branch, run.paused_at)}"
    doing = await _doing(turn, definition, state, branch, run.paused_at)
    return f"{paused.rstrip()}: {doing}" if paused else doing


async def _doing(turn: Turn, definition: Definition, state: State, branch: Branch, now: float) -> str:
    since = f"since {turn.desk.time(branch.entered_at)}"
    words = does(turn.desk.language, definition, state)
    match state.action:
        case Wait():
            length = f" {spoken(branch.due - branch.entered_at)}" if branch.due is not None else ""
            return f"waiting{length} {since}{left(branch, now)}"
        case WaitFor() as action:
            waited = f"waits {until(turn.desk.language, action, person_of(branch))}"
            return f"{waited}{left(branch, now) or f', {since}'}"
        case Collect() as action:
            return f"{gathered(action, branch)}{left(branch, now) or f' {since}'}"
        case Run(workflow=workflow):
            return f"runs {titled(workflow)}{await _child(turn, branch)}"
        case _ if branch.due is not None:
            failed = counted(branch.attempt - 1 or 1, "time")
            return f"{words}: it failed {failed} and is tried again in {spoken(branch.due - now)}"
        case _:
            return f"{words} {since}"


async def _child(turn: Turn, branch: Branch) -> str:
    """`, which is at step 2 of 3 (wait)`."""
    run = None if branch.child is None else await turn.desk.run(branch.child)
    if run is None:
        return ""
    if run.status == "queued":
        return f", which {await in_line(turn, run)}"
    place = await place_of(turn, run)
    return f", which is{' paused' if run.status == 'paused' else ''} at {place}" if place else ""


def _then(turn: Turn, definition: Definition, state: State) -> str:
    target = state.transitions.get("success")
    if target is None:
        return ", then it ends" if state in definition.states else ""
    following = next((each for each in all_states(definition.states) if each.name == target), None)
    return ", then it depends" if following is None else f", then {does(turn.desk.language, definition, following)}"
