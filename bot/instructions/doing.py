"""What a step does, and what a run that rests at it waits for, in words for people who read them on a phone.

Only steps that have a sentence of their own are said in canonical words; a block of others would be a line of JSON. It
reads no clock: what time it is comes in.
"""

from typing import Final, assert_never

from bot.replies import clipped, listed, quoted, spoken, titled
from engine.execution import Branch
from engine.model import (
    Action,
    Call,
    Choose,
    Collect,
    Definition,
    Emit,
    ForEach,
    Goto,
    Parallel,
    Repeat,
    Run,
    Set,
    State,
    Stop,
    Transform,
    Trigger,
    Wait,
    WaitFor,
)
from grammar.language import Language

LONGEST: Final = 120
_SHOWN: Final = 4


def does(language: Language, definition: Definition, state: State) -> str:
    """What a step does: `wait 10 seconds`, `run intro`, `gather 50`."""
    action: Action = state.action
    match action:
        case Call() | Wait() | Goto() | Stop():
            said = language.say_step(definition, state.name)
        case WaitFor():
            said = f"wait {until(language, action)}"
        case Collect(count=count, seconds=seconds):
            many = f" up to {count}" if count is not None else ""
            said = f"gather{many}{f' for {spoken(seconds)}' if isinstance(seconds, int | float) else ''}"
        case Choose():
            said = "choose how to go on"
        case Parallel(branches=branches):
            said = f"{listed([branch.name for branch in branches[:_SHOWN]])} side by side"
        case Repeat(times=times):
            said = f"repeat {times} times" if isinstance(times, int) else "repeat"
        case ForEach(variable=variable):
            said = f"go through each {variable}"
        case Run(workflow=workflow):
            said = f"run {titled(workflow)}"
        case Emit(event=event):
            said = f"let {quoted(event)} happen"
        case Set(values=values):
            said = f"set {listed(list(values)[:_SHOWN])}"
        case Transform(into=into):
            said = f"work out {into or state.name}"
        case _:
            assert_never(action)
    return clipped(said, LONGEST)


def until(language: Language, action: WaitFor | Collect, who: str | None = None) -> str:
    """What is waited for: `until bob types !join`, `until a raid comes in`, `for event "show.ready"`."""
    clause = language.say_trigger(Trigger(on=action.event, when=action.when)).removeprefix("when ")
    if who is not None:
        clause = clause.replace("someone", who, 1) if "someone" in clause else f"{clause} ({who})"
    return clipped(f"for {clause}" if clause.startswith("event ") else f"until {clause}", LONGEST)


def waits(action: Action, branch: Branch) -> bool:
    """Whether a run that rests there waits for a time or an event, so that this can be skipped."""
    return branch.visit > 0 and (branch.due is not None or isinstance(action, WaitFor | Collect))


def left(branch: Branch, now: float) -> str:
    """`, 20 seconds left`, as far as time ends it."""
    due = branch.due if branch.due is not None else branch.timeout_due
    return "" if due is None else f", {spoken(due - now)} left"


def gathered(action: Collect, branch: Branch) -> str:
    """`has gathered 12 of 50`."""
    most = f" of {action.count}" if action.count is not None else ""
    return f"has gathered {len(branch.gathered)}{most}"


def person_of(branch: Branch) -> str | None:
    """Who is waited for, if only one person counts."""
    who = branch.params.get("who") if isinstance(branch.params, dict) else None
    return who if isinstance(who, str) else None
