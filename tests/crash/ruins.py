"""What a killed bot left in its file, and what must hold of it: each at every kill, and all together in the end.

Reads the file as it is, beside no bot, and compares it with what the witness saw and what somebody was answered.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine.effect_ids import effect_id, escaped
from engine.events import Event
from engine.execution import FINAL, Execution, HistoryRow
from engine.model import Call, Definition, all_states
from engine.ports import AdmissionRecord, OutboxRecord
from storage.codec import (
    decode_admission,
    decode_data,
    decode_event,
    decode_execution,
    decode_history,
    decode_outbox,
    decode_revision,
)
from tests.crash.anything import verdict
from tests.crash.drawn import COUNTER, LISTENER

WISHES: Final = frozenset({"paused", "resumed", "skipped by hand", "extended", "retried"})
LATE: Final = "late "


@dataclass
class Remains:
    """Everything in a file that matters here."""

    executions: dict[str, Execution]
    history: dict[str, list[HistoryRow]]
    outbox: dict[str, OutboxRecord]
    events: dict[str, Event] = field(default_factory=dict)
    admissions: dict[str, AdmissionRecord] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)
    counted: int = 0

    @property
    def rows(self) -> Iterator[HistoryRow]:
        """The whole history."""
        for rows in self.history.values():
            yield from rows


def read(database: Path) -> Remains:
    """What is in a file, as the last commit left it."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as raw:
        executions = [decode_execution(body) for (body,) in raw.execute("SELECT body FROM executions")]
        history: defaultdict[str, list[HistoryRow]] = defaultdict(list)
        for (body,) in raw.execute("SELECT body FROM history ORDER BY execution, seq"):
            row = decode_history(body)
            history[row.execution].append(row)
        outbox = [decode_outbox(status, body) for status, body in raw.execute("SELECT status, body FROM outbox")]
        events = [decode_event(body) for (body,) in raw.execute("SELECT body FROM events")]
        admissions = [decode_admission(body) for (body,) in raw.execute("SELECT body FROM admissions")]
        kept = [decode_data(body) for (body,) in raw.execute("SELECT body FROM data")]
        revisions = [decode_revision(body) for (body,) in raw.execute("SELECT body FROM revisions")]
    return Remains(
        {each.id: each for each in executions},
        dict(history),
        {each.effect.id: each for each in outbox},
        {each.id: each for each in events},
        {each.id: each for each in admissions},
        {each.workflow: each.definition for each in revisions},
        next((_number(each.value) for each in kept if each.key == COUNTER), 0),
    )


def _number(kept: Any) -> int:
    """What a counter stands at."""
    return int(kept["value"])


def effect_of(row: HistoryRow) -> str:
    """The effect that a row may tell of."""
    return effect_id(row.execution, row.path, escaped(row.state), row.visit, row.attempt)


# At every kill -------------------------------------------------------------------------------------------------------------


def check_ruin(remains: Remains, witnessed: Iterable[str]) -> None:
    """Whatever was cut off, the file is one moment of one life: nothing in it stands for itself."""
    _check_nothing_was_done_before_it_was_committed(remains, frozenset(witnessed))
    _check_history(remains)
    _check_what_was_counted(remains)
    _check_who_waits_for_what(remains)


def _check_nothing_was_done_before_it_was_committed(remains: Remains, witnessed: frozenset[str]) -> None:
    told = {effect_of(row) for row in remains.rows}
    assert witnessed <= told | remains.outbox.keys(), "something was done that nobody knows of"


def _check_history(remains: Remains) -> None:
    for execution in remains.executions.values():
        rows = remains.history.get(execution.id, [])
        assert [row.seq for row in rows] == list(range(execution.seq)), f"{execution.id}: a gap or a duplicate"
    assert remains.history.keys() <= remains.executions.keys(), "a history of no run"
    asked = calls(remains).keys() | _of_kind(remains, "emit")
    told = Counter(
        what
        for id, rows in remains.history.items()
        for what in _told(row for row in rows if (remains.executions[id].workflow, row.state) in asked)
    )
    assert all(count == 1 for count in told.values()), f"told twice: {told.most_common(3)}"


def _told(rows: Iterable[HistoryRow]) -> Iterator[tuple[bool, str]]:
    """What is told of: the ends of tries, and what came late."""
    for row in rows:
        if row.outcome not in WISHES and row.visit > 0:
            yield row.outcome.startswith(LATE), effect_of(row)


def _check_who_waits_for_what(remains: Remains) -> None:
    """A run waits for an effect exactly as long as that is in the outbox, and for a run exactly as long as that goes on."""
    awaited: set[str] = set()
    for execution in remains.executions.values():
        awaited.update(execution.orphans)
        awaited.update(branch.effect for branch in execution.branches if branch.effect is not None)
        for branch in execution.branches:
            if branch.child is not None:
                child = remains.executions.get(branch.child)
                assert child is not None, f"{execution.id} waits for {branch.child}, which is not there"
                assert child.status not in FINAL, f"{execution.id} waits for {branch.child}, which has ended"
                assert child.parent == execution.id
    assert awaited == remains.outbox.keys(), awaited ^ remains.outbox.keys()


# In the end ----------------------------------------------------------------------------------------------------------------


def check_end(remains: Remains, witnessed: Counter[str], promises: Iterable[Mapping[str, Any]]) -> None:
    """After the last life: everything has ended, and everybody tells the same."""
    check_ruin(remains, witnessed)
    assert not remains.outbox
    assert {run.status for run in remains.executions.values()} <= FINAL
    _check_against_the_witness(remains, witnessed)
    _check_families(remains)
    _check_what_was_emitted(remains)
    _check_starts(remains)
    _check_promises(remains, promises)


def calls(remains: Remains) -> dict[tuple[str, str], str]:
    """The method that a state calls: {(workflow, state): method}."""
    return {
        (workflow, state.name): state.action.method
        for workflow, definition in remains.definitions.items()
        for state in all_states(definition.states)
        if isinstance(state.action, Call) and state.action.service == "svc" and state.enabled
    }


def _of_kind(remains: Remains, kind: str) -> set[tuple[str, str]]:
    return {
        (workflow, state.name)
        for workflow, definition in remains.definitions.items()
        for state in all_states(definition.states)
        if state.action.kind == kind and state.enabled
    }


def _check_against_the_witness(remains: Remains, witnessed: Counter[str]) -> None:
    methods = calls(remains)
    known: set[str] = set()
    for row in remains.rows:
        method = methods.get((remains.executions[row.execution].workflow, row.state))
        if method is None or row.visit == 0:
            continue
        effect = effect_of(row)
        seen, will_do = witnessed[effect], verdict(effect) == "done"
        known.add(effect)
        assert will_do or not seen, f"{effect} was done, although the service refuses it"
        if method == "say":
            assert seen <= 1, f"{effect} was seen {seen} times"
        if row.outcome in ("success", "late success"):
            assert seen >= 1, f"{effect} is told as done, and nobody saw it"
        if row.error == "it never arrived":
            assert not seen, f"{effect} is told as lost, and was done"
    assert witnessed.keys() <= known, "something was done that nobody tells of"


def _went_well(row: HistoryRow) -> bool:
    return row.outcome in ("success", "late success") and row.visit > 0


def _check_what_was_counted(remains: Remains) -> None:
    """What a step counted is committed with the row that tells of it: neither is there without the other."""
    counting = _counting(remains)
    told = {  # a retry goes on with what came late, which is told once more then
        effect_of(row)
        for row in remains.rows
        if (remains.executions[row.execution].workflow, row.state) in counting and row.visit > 0
        if _went_well(row) or row.output is not None
    }
    assert remains.counted == len(told), f"{len(told)} steps counted, {remains.counted} is what came of it"


def _counting(remains: Remains) -> set[tuple[str, str]]:
    return {
        (workflow, state.name)
        for workflow, definition in remains.definitions.items()
        for state in all_states(definition.states)
        if isinstance(state.action, Call) and state.action.service == "data" and state.enabled
    }


def _check_families(remains: Remains) -> None:
    for run in remains.executions.values():
        if run.parent is not None:
            parent = remains.executions[run.parent]
            number = int(run.id.removeprefix(f"{parent.id}."))
            assert 1 <= number <= parent.children
    inline = _of_kind(remains, "run")
    well = Counter(
        row.execution
        for row in remains.rows
        if row.outcome == "success"
        and not (isinstance(row.output, dict) and row.output.keys() == {"execution"})
        and (remains.executions[row.execution].workflow, row.state) in inline
    )
    completed = Counter(run.parent for run in remains.executions.values() if run.status == "completed")
    for parent, count in well.items():
        assert count <= completed[parent], f"{parent} was told of {count} good ends, of {completed[parent]} there were"


def _check_what_was_emitted(remains: Remains) -> None:
    emits = _of_kind(remains, "emit")
    for row in remains.rows:
        if (remains.executions[row.execution].workflow, row.state) in emits and _went_well(row):
            assert f"emitted/{effect_of(row)}" in remains.events, "an event was told of and did not happen"
    heard = Counter(run.event["id"] for run in remains.executions.values() if run.workflow == LISTENER and run.event)
    happened = {event.id for event in remains.events.values() if event.name == "made.up" and event.cause is not None}
    assert {id for id in heard if id.startswith("emitted/")} == happened
    assert all(count == 1 for count in heard.values()), "an event happened twice"


def _check_starts(remains: Remains) -> None:
    """An event starts a workflow once or is refused once; admissions and runs tell the same."""
    let = Counter(record.execution for record in remains.admissions.values() if record.execution is not None)
    assert let == Counter(dict.fromkeys(remains.executions, 1)), "a start without an admission, or the other way round"
    answers = Counter((record.event, record.workflow) for record in remains.admissions.values() if record.event)
    assert all(count == 1 for count in answers.values()), f"answered twice: {answers.most_common(3)}"


def _check_promises(remains: Remains, promises: Iterable[Mapping[str, Any]]) -> None:
    retried: set[str] = set()
    stood: dict[str, str] = {}
    for promise in promises:
        if promise.get("retried"):
            retried.add(promise["retried"])
        if promise.get("event"):
            assert promise["event"] in remains.events or promise["duplicate"], "an event was lost"
        assert remains.admissions.keys() >= set(promise.get("refused", ())), "a refusal was lost"
        for run in promise["runs"]:
            found = remains.executions.get(run["id"])
            assert found is not None, f"{run['id']} was lost"
            assert found.seq >= run["seq"], f"a part of {run['id']} was lost"
            if run["status"] in FINAL:
                stood[run["id"]] = run["status"]
    for id, status in stood.items():
        assert id in retried or remains.executions[id].status == status, f"{id} had been {status}"
