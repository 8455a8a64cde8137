"""Records to JSON and back.

A record becomes an object of its fields; what has its default is left out. Which fields there are is read off the
dataclasses, so a new one cannot be forgotten here. Every object carries the number of the format it was written in.

Encoding is on the path of every transition, so a record is handed to the JSON writer as it is. Only where that fails, or
where a text holds what SQLite's JSON functions cut short (NUL), is the record walked and escaped: reversibly, so texts come
back as they were. A value nesting deeper than `MAX_DEPTH` is the one thing replaced. This module knows no SQL but the
document that `queries.sql` unpacks.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any, Final, NamedTuple, TypeVar, cast

import orjson
from pydantic_core import from_json, to_json

from engine.errors import StoreCorrupt, StoreTooNew
from engine.events import Event
from engine.execution import Branch, Effect, Execution, Frame, HistoryRow, Lane, Person, Status
from engine.model import Definition
from engine.model import to_json as definition_to_json
from engine.ports import (
    AdmissionRecord,
    AuditRecord,
    Batch,
    ChangeRecord,
    ConfigRecord,
    DataRecord,
    HeldRecord,
    MarksRecord,
    OutboxRecord,
    ProposalRecord,
    RevisionRecord,
    Sleeper,
    Standing,
    WorkflowRecord,
)

FORMAT: Final = 1
MAX_DEPTH: Final = 200
TOO_DEEP: Final = "(nested too deeply to keep)"

_T = TypeVar("_T")


# Writing -----------------------------------------------------------------------------------------------------------------


class _Shape:
    """How a kind of dataclass is written: its fields by name, without those that have their default.

    Encoding is a good part of what a transition costs, so each kind gets a function written out for its fields, made as
    dataclasses make their own methods; a loop over fields takes three times as long.
    """

    def __init__(self, kind: type[Any]) -> None:
        names: dict[str, Any] = {}
        lines = ["def written(record):", "    row = {}"]
        for number, field in enumerate(fields(kind)):
            if field.default is MISSING and field.default_factory is MISSING:
                lines.append(f"    row[{field.name!r}] = record.{field.name}")
                continue
            names[f"default_{number}"] = _default(field)
            lines.append(f"    value = record.{field.name}")
            lines.append(f"    if value is not default_{number} and value != default_{number}:")
            lines.append(f"        row[{field.name!r}] = value")
        lines.append("    return row")
        exec("\n".join(lines), names)  # noqa: S102  of field names of our own classes, at import
        self.written: Callable[[Any], dict[str, Any]] = names["written"]


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


_BRANCH: Final = _Shape(Branch)
_FRAME: Final = _Shape(Frame)
_LANE: Final = _Shape(Lane)
_EXECUTION: Final = _Shape(Execution)
_HISTORY: Final = _Shape(HistoryRow)
_EFFECT: Final = _Shape(Effect)
_EVENT: Final = _Shape(Event)
_ADMISSION: Final = _Shape(AdmissionRecord)
_WORKFLOW: Final = _Shape(WorkflowRecord)
_REVISION: Final = _Shape(RevisionRecord)
_CHANGE: Final = _Shape(ChangeRecord)
_PROPOSAL: Final = _Shape(ProposalRecord)
_CONFIG: Final = _Shape(ConfigRecord)
_MARKS: Final = _Shape(MarksRecord)
_HELD: Final = _Shape(HeldRecord)
_DATA: Final = _Shape(DataRecord)
_AUDIT: Final = _Shape(AuditRecord)


def _row(shape: _Shape, record: object) -> dict[str, Any]:
    row = shape.written(record)
    row["format"] = FORMAT
    return row


def _execution_row(execution: Execution) -> dict[str, Any]:
    row = _row(_EXECUTION, execution)
    if execution.branches:
        row["branches"] = [_BRANCH.written(branch) for branch in execution.branches]
    if execution.wreck:
        row["wreck"] = [_BRANCH.written(branch) for branch in execution.wreck]
    if execution.frames:
        row["frames"] = [_frame_row(frame) for frame in execution.frames]
    return row


def _frame_row(frame: Frame) -> dict[str, Any]:
    row = _FRAME.written(frame)
    if frame.lanes:
        row["lanes"] = [_LANE.written(lane) for lane in frame.lanes]
    return row


def _revision_row(revision: RevisionRecord) -> dict[str, Any]:
    return {**_row(_REVISION, revision), "definition": definition_to_json(revision.definition)}


class Document(NamedTuple):
    """A batch as the statement `commit` takes it; a table of which there is nothing is None.

    Attributes:
        rest: What is written seldom: {table: [row, ...]}, in the order to write.
        executions: A list of what stands in the table's columns; the last two of each row are where its body begins in
            `bodies`, from 1, and how long it is. Likewise `history`, `outbox`, `events` and `admissions`.
        begun: Ids of effects; likewise `done`.
        seen: [[community, key, expires_at], ...]
        bodies: All bodies, as one list with a null between each two.
    """

    rest: str | None
    executions: str | None
    history: str | None
    outbox: str | None
    begun: str | None
    done: str | None
    events: str | None
    seen: str | None
    admissions: str | None
    bodies: bytes


def encode_batch(batch: Batch) -> Document:
    """A batch as the statement `commit` unpacks it."""
    rest: dict[str, list[Any]] = {
        "revisions": [_revision_row(record) for record in batch.revisions],
        "workflows": [_row(_WORKFLOW, record) for record in batch.workflows],
        "changes": [_row(_CHANGE, record) for record in batch.changes],
        "proposals": [_row(_PROPOSAL, record) for record in batch.proposals],
        "proposals_answered": batch.proposals_answered,
        "config": [_row(_CONFIG, record) for record in batch.config],
        "data": [_row(_DATA, record) for record in batch.data],
        "marks": [_row(_MARKS, record) for record in batch.marks],
        "held": [{**_row(_HELD, record), "event": _EVENT.written(record.event)} for record in batch.held],
        "released": batch.released,
        "audit": [_row(_AUDIT, record) for record in batch.audit],
    }
    executions = _last_of_each(batch.executions)
    bodies, lengths = _dump_each(
        [
            *[_execution_row(execution) for execution in executions],
            *[_row(_HISTORY, row) for row in batch.history],
            *[_row(_EFFECT, effect) for effect in batch.outbox],
            *[_row(_EVENT, event) for event in batch.events],
            *[_row(_ADMISSION, record) for record in batch.admissions],
        ]
    )
    places = _places(lengths)
    return Document(
        _list({table: rows for table, rows in rest.items() if rows}),
        _list([(*_execution_columns(each), *place) for each, place in zip(executions, places, strict=False)]),
        _list([(each.execution, each.seq, *place) for each, place in zip(batch.history, places, strict=False)]),
        _list([(each.id, each.community, *place) for each, place in zip(batch.outbox, places, strict=False)]),
        _list(batch.begun),
        _list(batch.done),
        _list([(each.community, each.id, each.at, *place) for each, place in zip(batch.events, places, strict=False)]),
        _list([(community, key, expires) for (community, key), expires in batch.seen.items()]),
        _list(
            [
                (each.community, each.id, each.workflow, each.at, *place)
                for each, place in zip(batch.admissions, places, strict=False)
            ]
        ),
        bodies,
    )


def _last_of_each(executions: Sequence[Execution]) -> Collection[Execution]:
    """What counts of executions that moved more than once, in the order in which they moved first."""
    return {execution.id: execution for execution in executions}.values()


def _execution_columns(execution: Execution) -> tuple[Any, ...]:
    return (
        execution.id,
        execution.community,
        execution.workflow,
        execution.revision,
        execution.status,
        execution.next_due,
        execution.started_at,
        execution.ended_at,
        execution.slot,
        execution.ears or None,
    )


def _places(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where each body begins in the list of all, counted in bytes from 1, and how long it is."""
    begins = 2
    for length in lengths:
        yield begins, length
        begins += length + _GAP


def _list(rows: Collection[Any]) -> str | None:
    return _dump(rows).decode() if rows else None


def encode_execution(execution: Execution) -> str:
    """An execution as its row's body."""
    return _dump(_execution_row(execution)).decode()


def encode_history(row: HistoryRow) -> str:
    """A row of history as its body."""
    return _dump(_row(_HISTORY, row)).decode()


def encode_event(event: Event) -> str:
    """An event as its row's body."""
    return _dump(_row(_EVENT, event)).decode()


def encode_admission(record: AdmissionRecord) -> str:
    """An admission as its row's body."""
    return _dump(_row(_ADMISSION, record)).decode()


def encode_proposal(record: ProposalRecord) -> str:
    """A question as its row's body."""
    return _dump(_row(_PROPOSAL, record)).decode()


def encode_rows(rows: Mapping[str, Sequence[Any]]) -> str:
    """Rows by table, as the statements that delete and rewrite unpack them: {table: [row, ...]}."""
    return json.dumps(rows)


def encode_keys(keys: Sequence[str]) -> str:
    """A list of keys as one JSON parameter."""
    return json.dumps([escape(key) for key in keys])


def _dump(value: Any) -> bytes:
    try:
        text = orjson.dumps(value, default=_fallback)
    except orjson.JSONEncodeError:
        return _dump_escaped(value)
    return _dump_escaped(value) if _is_unsafe(text) else text


def _dump_each(rows: Sequence[dict[str, Any]]) -> tuple[bytes, list[int]]:
    """Records as one list with a null between each two, and how long each is; one go, since a start costs much."""
    if not rows:
        return b"", []
    listed: list[Any] = [None] * (2 * len(rows) - 1)
    listed[::2] = rows
    text = _dump(listed)
    lengths = [len(inside) + 2 for inside in text[2:-2].split(_BETWEEN)]
    if len(lengths) != len(rows):  # a list in one of the records has a null between objects too
        texts = [_dump(row) for row in rows]
        return b"[%b]" % b",null,".join(texts), [len(text) for text in texts]
    return text, lengths


def _is_unsafe(text: bytes) -> bool:
    # Looking for one byte first is ten times as fast, and mostly it is not there.
    return (b"\\" in text and _NUL in text) or (_MARK_BYTES[:1] in text and _MARK_BYTES in text)


def _dump_escaped(value: Any) -> bytes:
    return to_json(_escaped(value, 0), inf_nan_mode="null", fallback=_fallback)


def _fallback(value: object) -> object:
    """Whatever JSON has no form for; a read-only mapping is still a mapping, a set a list."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, set | frozenset) else f"<{type(value).__name__}>"


# Escaping ----------------------------------------------------------------------------------------------------------------

_MARK: Final = "\ufdd0"  # no character, so texts do not have it; where one does it is escaped itself
_MARK_BYTES: Final = _MARK.encode()
_BETWEEN: Final = b"},null,{"
_GAP: Final = len(b",null,")
_NUL: Final = b"\\u0000"
_UNSAFE: Final = re.compile(f"[\0\ud800-\udfff{_MARK}]")
_ESCAPED: Final = re.compile(f"{_MARK}([0-9a-f]{{4}})")


def escape(text: str) -> str:
    """A text without NUL and lone surrogates, as it stands in the file; reversed when a record is read."""
    return _UNSAFE.sub(lambda match: f"{_MARK}{ord(match[0]):04x}", text)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def _escaped(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        if depth > MAX_DEPTH:
            return TOO_DEEP
        return {escape(str(key)): _escaped(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return TOO_DEEP if depth > MAX_DEPTH else [_escaped(item, depth + 1) for item in value]
    if isinstance(value, Person | Standing):
        return _escaped({name: getattr(value, name) for name in value.__slots__}, depth)
    return value


def _unescaped(value: Any) -> Any:
    if isinstance(value, str):
        return _unescape(value)
    if isinstance(value, dict):
        return {_unescape(key): _unescaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unescaped(item) for item in value]
    return value


# Reading -----------------------------------------------------------------------------------------------------------------


def _load(body: str) -> dict[str, Any]:
    data = _parsed(body)
    if _MARK in body:
        data = _unescaped(data)
    if not isinstance(data, dict) or not isinstance(data.get("format"), int):
        raise StoreCorrupt("A record in the database is not one of ours. Restore a backup.")
    if data.pop("format") > FORMAT:
        raise StoreTooNew("A record in the database was written by a newer version of Showcaller. Upgrade to read it.")
    return data


def _parsed(body: str) -> Any:
    try:
        # Three times as fast, which counts when all that was under way is taken up; texts in it are hardly ever the same.
        return from_json(body, cache_strings="keys")
    except ValueError:  # it goes less deep
        return json.loads(body)


def _made(kind: Callable[..., _T], data: Mapping[str, Any], prepare: Callable[[Any], None] | None = None) -> _T:
    try:
        if prepare is not None:
            prepare(data)
        return kind(**data)
    except (TypeError, ValueError, KeyError) as error:
        raise StoreCorrupt(
            f"A record in the database cannot be read ({getattr(kind, '__name__', 'record')}). "
            "It was written by another version of Showcaller, or it is damaged. Upgrade, or restore a backup."
        ) from error


def _person(name: str, roles: list[str] | tuple[str, ...] = (), **rest: Any) -> Person:
    return Person(name, roles=tuple(roles), **rest)


_Objects = list[dict[str, Any]] | tuple[()]


def _prepare_execution(data: dict[str, Any]) -> None:
    """Make of the parts of an execution what they were, in place: most have few of them, and there may be very many."""
    for name, part in _PARTS.items():
        if name in data:
            data[name] = part(data[name])


_PARTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "branches": lambda branches: tuple([_branch(branch) for branch in branches]),
    "orphans": tuple,
    "frames": lambda frames: tuple(_frame(**frame) for frame in frames),
    "wreck": lambda branches: tuple(_branch(branch) for branch in branches),
    "ears": lambda ears: tuple((event, who) for event, who in ears),
    "gathered": lambda gathered: {name: tuple(results) for name, results in gathered.items()},
}


def _branch(data: dict[str, Any]) -> Branch:
    for name in ("heard", "gathered"):
        if name in data:
            data[name] = tuple(data[name])
    return Branch(**data)


def _frame(lanes: _Objects = (), items: list[Any] | tuple[()] = (), **rest: Any) -> Frame:
    return Frame(lanes=tuple(Lane(**lane) for lane in lanes), items=tuple(items), **rest)


def _revision(
    definition: dict[str, Any], author: dict[str, Any], step_authors: Mapping[str, Any] | None = None, **rest: Any
) -> RevisionRecord:
    return RevisionRecord(
        definition=Definition.model_validate(definition),
        author=_person(**author),
        step_authors={state: _person(**person) for state, person in (step_authors or {}).items()},
        **rest,
    )


def _change(by: dict[str, Any], before: dict[str, Any] | None, after: dict[str, Any], **rest: Any) -> ChangeRecord:
    return ChangeRecord(
        by=_person(**by),
        before=None if before is None else Standing(**before),
        after=Standing(**after),
        **rest,
    )


def _audit(by: dict[str, Any], **rest: Any) -> AuditRecord:
    return AuditRecord(by=_person(**by), **rest)


def decode_execution(body: str) -> Execution:
    """An execution as it was committed."""
    data = _load(body)
    data.pop("next_due", None)  # older records have it; it is worked out from the branches
    return _made(Execution, data, _prepare_execution)


def decode_history(body: str) -> HistoryRow:
    """One row of an execution's history."""
    return _made(HistoryRow, _load(body))


def decode_outbox(status: str, body: str) -> OutboxRecord:
    """An effect with how far it has come."""
    return OutboxRecord(_made(Effect, _load(body)), "begun" if status == "begun" else "due")


def decode_event(body: str) -> Event:
    """A recorded event."""
    return _made(Event, _load(body))


def decode_admission(body: str) -> AdmissionRecord:
    """A start or a refusal."""
    return _made(AdmissionRecord, _load(body))


def decode_workflow(body: str) -> WorkflowRecord:
    """A workflow as it stands."""
    return _made(WorkflowRecord, _load(body))


def decode_revision(body: str) -> RevisionRecord:
    """One version of a definition."""
    return _made(_revision, _load(body))


def decode_change(body: str) -> ChangeRecord:
    """One change of a workflow."""
    return _made(_change, _load(body))


def decode_proposal(body: str) -> ProposalRecord:
    """An open question."""
    return _made(ProposalRecord, _load(body))


def decode_config(body: str) -> ConfigRecord:
    """One setting."""
    return _made(ConfigRecord, _load(body))


def decode_sleeper(
    id: str, workflow: str, revision: int, status: str, next_due: float | None, slot: str | None, ears: str | None
) -> Sleeper:
    """What has to be known of a live execution; there may be very many, so what most do not have costs nothing."""
    if _MARK in id or _MARK in workflow:
        id, workflow = _unescape(id), _unescape(workflow)
    if slot is None and ears is None:
        return Sleeper(id, workflow, revision, cast("Status", status), next_due)
    heard = (
        ()
        if ears is None
        else tuple((_unescape(event), None if who is None else _unescape(who)) for event, who in json.loads(ears))
    )
    known = None if slot is None else _unescape(slot)
    return Sleeper(id, workflow, revision, cast("Status", status), next_due, known, heard)


def decode_marks(body: str) -> MarksRecord:
    """What is remembered of starts."""
    return _made(
        lambda marks, **rest: MarksRecord(marks=tuple((at, count) for at, count in marks), **rest), _load(body)
    )


def decode_held(body: str) -> HeldRecord:
    """An event that waits for another one."""
    return _made(lambda event, **rest: HeldRecord(event=Event(**event), **rest), _load(body))


def decode_data(body: str) -> DataRecord:
    """Something that is kept."""
    return _made(DataRecord, _load(body))


def decode_audit(body: str) -> AuditRecord:
    """Something that was asked for."""
    return _made(_audit, _load(body))


def decode_key(key: str) -> str:
    """A key that was escaped to be looked for."""
    return _unescape(key)
