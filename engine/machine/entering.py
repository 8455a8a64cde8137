"""What happens when a state is entered.

Some ask a service and rest, some rest for a time or an event, some open a block, and the others are over at once.
"""

from typing import Any

from engine.compiled import CompiledState
from engine.effect_ids import effect_id
from engine.errors import EvaluationError
from engine.execution import MAX_DEPTH, Branch, Effect, Values
from engine.machine import blocks, hearing
from engine.machine.agenda import Enter, Fail
from engine.machine.leaving import end_path, succeed
from engine.machine.step import StartRun
from engine.machine.work import MAX_CHAIN, MAX_ROUNDS, Work
from engine.people import name_of, person_in
from engine.secrets import redacted
from engine.ways import first_open


def enter(work: Work, item: Enter) -> None:
    """A branch comes to a state."""
    work.chain += 1
    if work.chain > MAX_CHAIN:
        work.fail(f"it passed {MAX_CHAIN:,} steps without a wait", _at(item))
        return
    if work.paused_at is not None:
        work.rest(Branch(item.path, item.state, 0, 0, entered_at=work.at, heard=item.heard))
        return
    state = work.states[item.state]
    key = f"{item.path}/{item.state}"
    visit = work.visits.get(key, 0) + 1
    work.visits[key] = visit
    if visit > 1 and _too_often(work, key, item, visit):
        return
    work.place(item.path, state)
    if state.kind == "call" and state.enabled:  # what is met most often is not held up by what the others need
        try:
            ask(work, item.path, state, visit, 1, work.at, _limit(work, state), None)
        except EvaluationError as error:
            work.agenda.append(Fail(Branch(item.path, item.state, visit, entered_at=work.at), "error", error.reason))
        return
    branch = Branch(item.path, item.state, visit, entered_at=work.at, heard=item.heard)
    if not state.enabled:
        succeed(work, branch, state, None, "skipped", heard=item.heard)
        return
    try:
        _do(work, branch, state)
    except EvaluationError as error:
        work.agenda.append(Fail(branch, "error", error.reason))


def _at(item: Enter) -> Branch:
    return Branch(item.path, item.state, 0, 0)


def _too_often(work: Work, key: str, item: Enter, visit: int) -> bool:
    """Whether a loop has gone round more often than it may; the run has failed then."""
    if work.limit is not None:
        if visit > work.limit:
            sentence = f'"{item.state}" came more often than {work.limit:,} times, the limit of this workflow'
            work.fail(sentence, _at(item))
            return True
        return False
    count = work.rounds.get(key, 0) + 1
    if count >= MAX_ROUNDS:
        work.fail(f'"{item.state}" came {MAX_ROUNDS:,} times without a wait of a second or more in between', _at(item))
        return True
    work.rounds = {**work.rounds, key: count}
    return False


def _do(work: Work, branch: Branch, state: CompiledState) -> None:  # noqa: C901  one line a kind
    match state.kind:
        case "wait":
            _wait(work, branch, state)
        case "wait_for":
            hearing.wait_for(work, branch, state, _limit(work, state))
        case "collect":
            hearing.collect(work, branch, state, _limit(work, state))
        case "goto":
            work.row(branch, "success", to=state.to)
            work.agenda.append(Enter(branch.path, state.to or "", branch.heard))
        case "stop":
            work.row(branch, "success")
            end_path(work, branch.path, state)
        case "choose":
            _choose(work, branch, state)
        case "parallel":
            blocks.fork(work, branch, state, _limit(work, state))
        case "repeat" | "for_each":
            blocks.loop(work, branch, state, _limit(work, state))
        case "run":
            _run(work, branch, state)
        case "emit":
            _emit(work, branch, state)
        case "set":
            values = _worked_out(work, state)
            work.set_variables(branch.path, values)
            succeed(work, branch, state, None, params=values, heard=branch.heard)
        case "transform":
            value = _worked_out(work, state)
            if state.into is not None:
                work.set_variables(branch.path, {state.into: value})
            succeed(work, branch, state, value, heard=branch.heard)
        case kind:
            raise AssertionError(f"no such kind: {kind}")


def _limit(work: Work, state: CompiledState) -> float | None:
    return None if state.timeout is None else work.at + state.timeout


def _worked_out(work: Work, state: CompiledState) -> Any:
    return state.work(work.scope) if state.work is not None else {}


# Asking a service --------------------------------------------------------------------------------------------------------


def ask_again(work: Work, branch: Branch, state: CompiledState) -> None:
    """The next try, right now."""
    work.place(branch.path, state)
    try:
        limit, at = branch.timeout_due, branch.entered_at
        ask(work, branch.path, state, branch.visit, branch.attempt, at, limit, branch)
    except EvaluationError as error:
        work.agenda.append(Fail(branch, "error", error.reason))


def ask(
    work: Work,
    path: str,
    state: CompiledState,
    visit: int,
    attempt: int,
    entered_at: float,
    limit: float | None,
    before: Branch | None,
) -> None:
    """Ask a service; a try after the first one asks for the same.

    Raises:
        EvaluationError: A param cannot be worked out.
    """
    if before is not None and not state.secret:
        params = before.params
    else:
        params = state.work(work.scope) if state.work is not None else {}
    kept = redacted(params) if state.secret else params
    heard = () if before is None else before.heard
    request(work, path, state, visit, attempt, entered_at, limit, params, kept, heard)


def request(
    work: Work,
    path: str,
    state: CompiledState,
    visit: int,
    attempt: int,
    entered_at: float,
    limit: float | None,
    params: Any,
    kept: Any,
    heard: tuple[Values, ...] = (),
) -> None:
    """Commit an effect, and rest until it has ended; `kept` is what is remembered of its params."""
    execution = work.execution
    id = effect_id(execution.id, path, state.key, visit, attempt)
    work.effects.append(
        Effect(
            id,
            execution.community,
            execution.id,
            execution.workflow,
            state.name,
            state.service,
            state.method,
            params,
            state.repeatable,
            attempt,
        )
    )
    work.rest(Branch(path, state.name, visit, attempt, id, entered_at, None, limit, kept, None, heard))


def _emit(work: Work, branch: Branch, state: CompiledState) -> None:
    execution = work.execution
    payload = dict(_worked_out(work, state))
    payload["user"] = _known_person(work, payload.get("user"))
    if payload["user"] is None:
        del payload["user"]
    params = {"event": state.event, "payload": payload, "depth": execution.depth + 1, "caller": execution.caller}
    request(work, branch.path, state, branch.visit, 1, branch.entered_at, _limit(work, state), params, params)


def _known_person(work: Work, said: Any) -> Any:
    """Whom an event of our own is about: somebody of the run with his roles, or anybody else without any."""
    people = [person for person in (work.execution.user, work.execution.caller) if person is not None]
    if said is None:
        return people[0] if people else None
    name = name_of(said)
    return next((person for person in people if person.get("name") == name), person_in(name))


def _run(work: Work, branch: Branch, state: CompiledState) -> None:
    """Start another workflow, and rest until it has ended, or go on at once."""
    arguments = _worked_out(work, state)
    depth = work.execution.depth + 1
    if depth > MAX_DEPTH:
        raise EvaluationError(f"workflows run each other in a chain of {depth}; {MAX_DEPTH} is the limit")
    work.children += 1
    child = f"{work.execution.id}.{work.children}"
    work.starts.append(StartRun(child, state.workflow, arguments, state.detached, depth, branch.path, state.name))
    if state.detached:
        succeed(work, branch, state, {"execution": child}, params=arguments, heard=branch.heard)
        return
    limit = _limit(work, state)
    work.rest(Branch(branch.path, state.name, branch.visit, 1, None, work.at, None, limit, arguments, child))


# Time and choice ---------------------------------------------------------------------------------------------------------


def _wait(work: Work, branch: Branch, state: CompiledState) -> None:
    """Wait; no time at all is over at once."""
    params = state.work(work.scope) if state.work is not None else {"seconds": 0}
    seconds = params["seconds"]
    waiting = Branch(
        branch.path, state.name, branch.visit, 1, None, work.at, work.at + seconds, _limit(work, state), params
    )
    if seconds <= 0:
        succeed(work, waiting, state, None, heard=branch.heard)
    else:
        work.rest(waiting)


def _choose(work: Work, branch: Branch, state: CompiledState) -> None:
    """Go into the first case that holds; past the choice if none does."""
    to = first_open(state.cases, work.scope)
    if to is None:
        succeed(work, branch, state, None, heard=branch.heard)
        return
    blocks.choice(work, branch, _limit(work, state))
    work.row(branch, "success", to=to)
    work.agenda.append(Enter(branch.path, to, branch.heard))
