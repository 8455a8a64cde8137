"""Where a run stands, in words: which step of how many, since when, what it waits for, and what comes then."""

from bot.instructions.turn import Turn
from bot.replies import clipped, spoken, titled
from engine.execution import Branch, Execution
from engine.model import Definition, State, Wait, WaitFor, all_states, blocks
from engine.wording import counted

_LONGEST_STEP = 120


async def written(turn: Turn, run: Execution) -> Definition | None:
    """The version a run goes by."""
    record = await turn.desk.catalogue.revision(run.workflow, run.revision)
    return None if record is None else record.definition


async def called(turn: Turn, run: Execution) -> str:
    """The workflow a run is of, as it is called now, deleted or not."""
    entry = await turn.desk.catalogue.find(run.workflow)
    return titled(run.workflow if entry is None else entry.record.name)


def number_of(definition: Definition, name: str) -> int | None:
    """The step's number; of a nested one, that of the step it belongs to."""
    for number, state in enumerate(definition.states, 1):
        if state.name == name:
            return number
        if any(inner.name == name for block in blocks(state.action) for inner in all_states(block.states)):
            return number
    return None


async def place_of(turn: Turn, run: Execution) -> str:
    """`step 2 of 3 (wait)` for every branch; empty where it rests nowhere."""
    definition = await written(turn, run)
    if definition is None:
        return ""
    return " and ".join(step_of(definition, branch.state) for branch in run.branches)


def step_of(definition: Definition, name: str) -> str:
    """`step 2 of 3 (wait)`."""
    number = number_of(definition, name)
    return f'step "{name}"' if number is None else f"step {number} of {len(definition.states)} ({name})"


async def stands(turn: Turn, run: Execution) -> str:
    """One run in one line."""
    definition = await written(turn, run)
    old = "" if _is_current(turn, run) else f" (v{run.revision})"
    title = f"{await called(turn, run)}{old}"
    if definition is None or not run.branches:
        return f"{title}: {run.status} since {turn.desk.time(run.started_at)}"
    lines = [_branch(turn, definition, run, branch) for branch in run.branches]
    return f"{title}: {' and '.join(lines)}"


def _is_current(turn: Turn, run: Execution) -> bool:
    entry = turn.desk.catalogue.get(run.workflow)
    return entry is not None and entry.record.revision == run.revision


def _branch(turn: Turn, definition: Definition, run: Execution, branch: Branch) -> str:
    state = definition.state(branch.state)
    number = number_of(definition, branch.state)
    place = f'step "{branch.state}"' if number is None else f"step {number} of {len(definition.states)}"
    doing = (
        _paused(turn, definition, run, branch) if run.status == "paused" else _doing(turn, definition, state, branch)
    )
    cleaning = "cleaning up, " if run.status == "stopping" else ""
    return f"{cleaning}{place}, {doing}{_then(turn, definition, state)}"


def _doing(turn: Turn, definition: Definition, state: State, branch: Branch) -> str:
    since = f"since {turn.desk.time(branch.entered_at)}"
    now = turn.desk.clock.now()
    words = _words(turn, definition, state)
    left = f", {spoken(branch.due - now)} left" if branch.due is not None else ""
    if isinstance(state.action, Wait):
        length = f" {spoken(branch.due - branch.entered_at)}" if branch.due is not None else ""
        return f"waiting{length} {since}{left}"
    if isinstance(state.action, WaitFor):
        bound = f", {spoken(branch.timeout_due - now)} at most" if branch.timeout_due is not None else ""
        return f"{words} {since}{bound}"
    if branch.due is not None:
        again = f"{spoken(branch.due - now)}"
        return f"{words}: it failed {counted(branch.attempt - 1 or 1, 'time')} and is tried again in {again}"
    return f"{words} {since}"


def _paused(turn: Turn, definition: Definition, run: Execution, branch: Branch) -> str:
    state = definition.state(branch.state)
    since = f" since {turn.desk.time(run.paused_at)}" if run.paused_at is not None else ""
    left = ""
    if branch.due is not None and run.paused_at is not None:
        left = f", {spoken(branch.due - run.paused_at)} left"
    return f"paused{since} at {_words(turn, definition, state)}{left}"


def _then(turn: Turn, definition: Definition, state: State) -> str:
    target = state.transitions.get("success")
    if target is None:
        return ", then it ends"
    following = next((each for each in all_states(definition.states) if each.name == target), None)
    return ", then it depends" if following is None else f", then {_words(turn, definition, following)}"


def _words(turn: Turn, definition: Definition, state: State) -> str:
    return clipped(turn.desk.language.say_step(definition, state.name), _LONGEST_STEP)
