"""Waiting for what happens: an event that ends a wait, or events gathered for a time.

A branch hears from the step before its wait on: what happens there is kept, and looked at when the wait begins. What
happens during a pause is kept likewise. An event that is not what a wait listens for changes nothing.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from engine.compiled import CompiledState, Gathering, Listening
from engine.errors import EvaluationError
from engine.execution import Branch, Values
from engine.inputs import Heard
from engine.machine.agenda import Enter
from engine.machine.leaving import succeed
from engine.machine.work import MAX_HEARD, Work
from engine.people import name_of, person_in, roles_of
from engine.scope import Scope
from engine.ways import target

MAX_GATHERED: Final = 5_000
"""How many events a `collect` takes; it is then over."""
MAX_SHOWN: Final = 500
"""How many of them are told one by one in its result."""
MAX_TEXT: Final = 100
MAX_DRAWN: Final = 5
"""So many people are drawn one after the other; a number drawn by chance has no more in it than tells these apart."""


def wait_for(work: Work, branch: Branch, state: CompiledState, limit: float | None) -> None:
    """Rest until an event comes, or go on at once with one that has come already.

    Raises:
        EvaluationError: It cannot be worked out who is waited for.
    """
    listening = _listening(state)
    waiting = Branch(branch.path, state.name, branch.visit, 1, None, work.at, None, limit, _params(work, listening))
    for number, event in enumerate(branch.heard):
        if _fits(work, waiting, state, listening, event):
            succeed(work, waiting, state, event, heard=branch.heard[number + 1 :])
            return
    work.rest(waiting)


def collect(work: Work, branch: Branch, state: CompiledState, limit: float | None) -> None:
    """Gather events from now on, and those that have come already.

    Raises:
        EvaluationError: It cannot be worked out who is listened to.
    """
    listening, gathering = _listening(state), _gathering(state)
    due = None if gathering.seconds is None else work.at + gathering.seconds
    gathered: tuple[Values, ...] = ()
    open_ = Branch(branch.path, state.name, branch.visit, 1, None, work.at, due, limit, _params(work, listening))
    for event in branch.heard:
        if _fits(work, open_, state, listening, event):
            gathered = _with(gathered, event, gathering)
    open_ = replace(open_, gathered=gathered)
    if _is_full(gathered, gathering) or (due is not None and due <= work.at):
        close(work, open_, state)
    else:
        work.rest(open_)


def hear(work: Work, branch: Branch, input: Heard) -> bool:
    """Something has happened; tells whether a branch listened."""
    state = work.states[branch.state]
    if branch.visit > 0 and work.program.listens and _leave_by(work, branch, state, input):
        return True
    if branch.visit == 0:
        return work.paused_at is not None and _keep(work, branch, (state.name, *state.next_waits), input)
    if state.listening is None:
        return _keep(work, branch, state.next_waits, input)
    if not _fits(work, branch, state, state.listening, input.event):
        return False
    if work.paused_at is not None:
        work.put(branch, replace(branch, heard=(*branch.heard, input.event)[:MAX_HEARD]))
        return True
    # Whoever takes part twice is heard, too: what does not count is as little for anybody else as what does.
    work.consumed |= state.listening.consume
    return _take(work, branch, state, input.event)


def _leave_by(work: Work, branch: Branch, state: CompiledState, input: Heard) -> bool:
    """Take an edge that is named like the event, of the state or of a block around it; not during a pause."""
    if work.paused_at is not None:
        return False
    for path, each in ((branch.path, state), *work.waited_around(branch.path, state)):
        name = each.own_events.get(input.name)
        if name is None:
            continue
        work.place(path, each)
        loop = work.scope.loop
        work.scope.loop = {**loop, **input.event}
        try:
            to = target(each, name, work.scope)
        except EvaluationError:
            to = None
        work.scope.loop = loop
        if to is None:
            continue
        work.take(branch)
        work.orphan(branch)
        work.row(branch, name, output=input.event, to=to)
        if each is not state:
            work.close_around(branch.path, state, each.name)
        work.agenda.append(Enter(path, to))
        return True
    return False


def take_kept(work: Work, branch: Branch, state: CompiledState) -> None:
    """A wait goes on after a pause: what came meanwhile is taken in its order, until it is over."""
    kept, resting = branch.heard, replace(branch, heard=())
    work.put(branch, resting)
    for number, event in enumerate(kept, 1):
        fits = _fits(work, resting, state, _listening(state), event)
        if fits and _take(work, resting, state, event, kept[number:]):
            if state.gathering is None:
                return
            resting = replace(resting, gathered=_with(resting.gathered, event, state.gathering))
            if resting not in work.branches:
                return


def close(work: Work, branch: Branch, state: CompiledState) -> None:
    """A `collect` is over: its result tells who took part and what they said, and draws one."""
    if work.at - branch.entered_at >= 1:
        work.rounds = {}
    output = _summed_up(branch.gathered, _gathering(state), work.draw)
    succeed(work, replace(branch, gathered=()), state, output)


def _take(work: Work, branch: Branch, state: CompiledState, event: Values, later: tuple[Values, ...] = ()) -> bool:
    """A wait takes an event that fits, and leaves those that came `later` to the next; tells if that changed anything."""
    if state.gathering is None:
        work.take(branch)
        work.rounds = {}  # each round takes an event, so it is no busy loop
        succeed(work, branch, state, event, heard=later)
        return True
    gathered = _with(branch.gathered, event, state.gathering)
    if len(gathered) == len(branch.gathered):
        return False
    open_ = replace(branch, gathered=gathered)
    work.put(branch, open_)
    if _is_full(gathered, state.gathering):
        work.take(open_)
        close(work, open_, state)
    return True


def _keep(work: Work, branch: Branch, waits: Iterable[str], input: Heard) -> bool:
    """Keep an event for a wait that may come next; tells whether it was kept."""
    for name in waits:
        following = work.states[name]
        listening = following.listening
        if listening is None or listening.event != input.name or len(branch.heard) >= MAX_HEARD:
            continue
        if listening.settled and not _holds(work, branch.path, following, listening, input.event):
            continue
        work.put(branch, replace(branch, heard=(*branch.heard, input.event)))
        return True
    return False


# What fits ---------------------------------------------------------------------------------------------------------------


def _listening(state: CompiledState) -> Listening:
    assert state.listening is not None, "only what listens rests here"  # noqa: S101
    return state.listening


def _gathering(state: CompiledState) -> Gathering:
    assert state.gathering is not None, "only a collect gathers"  # noqa: S101
    return state.gathering


def _params(work: Work, listening: Listening) -> dict[str, Any]:
    who = None if listening.who is None else listening.who(work.scope)
    return {"event": listening.event} if who is None else {"event": listening.event, "who": who}


def _fits(work: Work, branch: Branch, state: CompiledState, listening: Listening, event: Values) -> bool:
    if event.get("name") != listening.event:
        return False
    who = (branch.params or {}).get("who")
    if who is not None and (name_of(event.get("user")) or "").casefold() != who:
        return False
    return _holds(work, branch.path, state, listening, event)


def _holds(work: Work, path: str, state: CompiledState, listening: Listening, event: Values) -> bool:
    """Whether the guard holds: it sees the event it is about, and behind that what the run knows."""
    if listening.guard is None:
        return True
    work.place(path, state)
    known = work.scope
    scope = Scope(
        variables=known.variables,
        results=known.results,
        event=event,
        user=person_in(event.get("user")),
        caller=known.caller,
        config=known.config,
        data=known.data,
        stream=known.stream,
        zone=known.zone,
        now=known.now,
        late=known.late,
        loop={**known.loop, **event},
        gathered=known.gathered,
    )
    try:
        return listening.guard(scope)
    except EvaluationError:
        return False


# What is gathered --------------------------------------------------------------------------------------------------------


def _with(gathered: tuple[Values, ...], event: Values, how: Gathering) -> tuple[Values, ...]:
    """What is gathered, with another event if it counts: {"user", "text", "weight"}."""
    user = event.get("user")
    name = name_of(user)
    if how.once_per_user and name is not None:
        folded = name.casefold()
        if any((each["user"] or "").casefold() == folded for each in gathered):
            return gathered
    roles = roles_of(user)
    weights = [how.weights[role] for role in roles if role in how.weights]
    weight = max(weights) if weights else how.weights.get("everyone", 1.0)
    return (*gathered, {"user": name, "text": _text(event)[:MAX_TEXT], "weight": weight})


def _text(event: Values) -> str:
    """What somebody said with an event: what follows a command, or all of a message."""
    for field in ("arguments", "message", "emoji", "reward"):
        if isinstance(said := event.get(field), str) and said.strip():
            return said.strip()
    return ""


def _is_full(gathered: tuple[Values, ...], how: Gathering) -> bool:
    return len(gathered) >= (MAX_GATHERED if how.count is None else min(how.count, MAX_GATHERED))


def _summed_up(gathered: tuple[Values, ...], how: Gathering, draw: Any) -> dict[str, Any]:
    """The result: how many, who, what they said how often, what most said, and some of them drawn by weight."""
    tally: dict[str, int] = {}
    for each in gathered:
        if text := each["text"].casefold():
            tally[text] = tally.get(text, 0) + 1
    most = max(tally.values(), default=0)
    shown = sorted(tally.items(), key=lambda each: -each[1])[:MAX_SHOWN]
    people = [each for each in gathered if each["user"] is not None]
    drawn = drawn_from(people, draw())
    return {
        "count": len(gathered),
        "users": list(dict.fromkeys(each["user"] for each in people))[:MAX_SHOWN],
        "texts": [each["text"] for each in gathered[:MAX_SHOWN] if each["text"]],
        "tally": dict(shown),
        "top": next((text for text, count in shown if count == most), None),
        "tied": sum(1 for count in tally.values() if count == most) > 1,
        "winner": drawn[0] if drawn else None,
        "winners": drawn,
    }


def drawn_from(people: Iterable[Values], chance: float) -> list[str]:
    """Several of the people, none twice, each as likely among those left as the weight.

    Where the number falls within what belongs to whom it chose is as much by chance as the number was: that draws the next.
    """
    left = [each for each in people if each["weight"] > 0]
    found: list[str] = []
    while left and len(found) < MAX_DRAWN:
        mark = chance * sum(each["weight"] for each in left)
        chosen = left[0]
        for chosen in left:  # the last one if rounding goes past them all
            if mark < chosen["weight"]:
                break
            mark -= chosen["weight"]
        chance = min(mark / chosen["weight"], 1.0)
        found.append(str(chosen["user"]))
        left = [each for each in left if each["user"] != chosen["user"]]
    return found
