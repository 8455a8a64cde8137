"""What goes into the file comes out as it was, whatever it holds."""

import json
import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import StoreCorrupt, StoreTooNew
from engine.events import Event
from engine.execution import Effect, Execution, HistoryRow
from engine.ports import (
    AdmissionRecord,
    AuditRecord,
    Batch,
    ChangeRecord,
    ConfigRecord,
    DataRecord,
    OutboxRecord,
    ProposalRecord,
    RevisionRecord,
    WorkflowRecord,
)
from storage import codec
from storage.sqlite import SQLiteStore
from tests.storage.records import HERE, TEXTS, effect, event, execution, records, row

_CAREFUL = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_CAREFUL
@given(st.data())
async def test_every_record_survives_whatever_texts_and_values_it_holds(data: st.DataObject) -> None:
    here = {"community": st.just(HERE)}
    ears = st.lists(st.tuples(TEXTS, st.none() | TEXTS), max_size=3).map(tuple)
    run: Execution = data.draw(records(Execution, **here, ears=ears))
    rows: HistoryRow = data.draw(records(HistoryRow, execution=st.just(run.id)))
    asked: Effect = data.draw(records(Effect, **here))
    happened: Event = data.draw(records(Event, **here))
    workflow: WorkflowRecord = data.draw(records(WorkflowRecord, **here))
    revision: RevisionRecord = data.draw(
        records(RevisionRecord, **here, workflow=st.just(workflow.id), number=st.just(workflow.revision))
    )
    change: ChangeRecord = data.draw(records(ChangeRecord, **here))
    admission: AdmissionRecord = data.draw(records(AdmissionRecord, **here))
    proposal: ProposalRecord = data.draw(records(ProposalRecord, **here))
    setting: ConfigRecord = data.draw(records(ConfigRecord, **here))
    kept: DataRecord = data.draw(records(DataRecord, **here))
    audited: AuditRecord = data.draw(records(AuditRecord, **here))
    key: str = data.draw(TEXTS)

    with tempfile.TemporaryDirectory() as folder:
        await _survive(
            Path(folder) / "bot.db",
            run,
            rows,
            asked,
            happened,
            workflow,
            revision,
            change,
            admission,
            proposal,
            setting,
            kept,
            audited,
            key,
        )


async def _survive(
    path: Path,
    run: Execution,
    rows: HistoryRow,
    asked: Effect,
    happened: Event,
    workflow: WorkflowRecord,
    revision: RevisionRecord,
    change: ChangeRecord,
    admission: AdmissionRecord,
    proposal: ProposalRecord,
    setting: ConfigRecord,
    kept: DataRecord,
    audited: AuditRecord,
    key: str,
) -> None:
    async with await SQLiteStore.open(path, synchronous="NORMAL") as store:
        await store.commit(
            Batch(
                executions=[run],
                history=[rows],
                outbox=[asked],
                events=[happened],
                seen={(HERE, key): 1.0},
                workflows=[workflow],
                revisions=[revision],
                changes=[change],
                admissions=[admission],
                proposals=[proposal],
                config=[setting],
                data=[kept],
                audit=[audited],
            )
        )
        assert await store.audit(HERE) == [audited]
        assert await store.execution(run.id) == run
        assert await store.history(run.id) == [rows]
        assert await store.outbox(HERE) == [OutboxRecord(asked, "due")]
        assert await store.event(HERE, happened.id) == happened
        assert await store.seen(HERE, [key, f"{key}x"], 0.0) == {key}
        assert await store.workflows(HERE, deleted=True) == [workflow]
        assert await store.revision(HERE, workflow.id, workflow.revision) == revision
        assert await store.changes(HERE, change.workflow) == [change]
        assert await store.admissions(HERE, admission.workflow) == [admission]
        assert await store.proposals(HERE, proposal.expires_at - 1) == [proposal]
        assert await store.config(HERE) == {setting.key: setting}
        assert await store.data(HERE) == ([] if kept.value is None else [kept])
        await store.commit(Batch(begun=[asked.id], proposals_answered=[proposal.id]))
        assert await store.outbox(HERE) == [OutboxRecord(asked, "begun")]
        assert await store.proposals(HERE, proposal.expires_at - 1) == []
        await store.commit(Batch(done=[asked.id]))
        assert await store.outbox(HERE) == []


async def _kept(path: Path, value: Any) -> Any:
    async with await SQLiteStore.open(path / "bot.db") as store:
        await store.commit(Batch(executions=[execution(variables={"value": value})]))
        (found,) = await store.live_executions(HERE)
        return found.variables["value"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
async def test_a_number_that_json_does_not_have_becomes_null(tmp_path: Path, value: float) -> None:
    assert await _kept(tmp_path, [value, 1.5]) == [None, 1.5]


async def test_read_only_mappings_and_sets_are_kept_as_their_contents(tmp_path: Path) -> None:
    assert await _kept(tmp_path, MappingProxyType({"a": (1, 2), "b": {3}})) == {"a": [1, 2], "b": [3]}


async def test_a_value_of_no_known_kind_does_not_hold_up_the_batch(tmp_path: Path) -> None:
    assert await _kept(tmp_path, object()) == "<object>"


@pytest.mark.parametrize("depth", [1_000, 100_000])
async def test_a_value_nested_without_end_is_cut_and_does_not_hold_up_the_batch(tmp_path: Path, depth: int) -> None:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    kept, levels = await _kept(tmp_path, value), 0
    while isinstance(kept, list):
        kept, levels = kept[0], levels + 1
    assert kept == codec.TOO_DEEP
    assert levels > 150


async def test_a_nul_in_one_record_changes_no_other(tmp_path: Path) -> None:
    async with await SQLiteStore.open(tmp_path / "bot.db") as store:
        plain, odd = effect("plain", params={"text": "\ufdd00041"}), effect("odd\0", params={"text": "a\0b\\u0000"})
        await store.commit(Batch(outbox=[plain, odd], begun=["odd\0"]))
        assert await store.outbox(HERE) == [OutboxRecord(plain, "due"), OutboxRecord(odd, "begun")]


async def test_records_that_hold_lists_with_gaps_are_told_apart(tmp_path: Path) -> None:
    gaps = {"list": [{"a": 1}, None, {"b": 2}], "text": "},null,{"}
    async with await SQLiteStore.open(tmp_path / "bot.db") as store:
        effects = [effect("a", params=gaps), effect("b", params={"text": "ä\ufdd0"}), effect("c", params=gaps)]
        await store.commit(Batch(outbox=effects))
        assert [record.effect for record in await store.outbox(HERE)] == effects


def _rewritten(document: str, find: str, replace: str) -> str:
    assert find in document
    return document.replace(find, replace)


def _body(batch: Batch) -> str:
    return json.dumps(json.loads(codec.encode_batch(batch).bodies)[0])


def test_defaults_are_not_written() -> None:
    body = _body(Batch(history=[row()]))
    assert '"error"' not in body
    assert '"params"' not in body


def test_a_record_of_a_newer_format_says_to_upgrade() -> None:
    body = _rewritten(_body(Batch(events=[event()])), '"format": 1', '"format": 2')
    with pytest.raises(StoreTooNew, match="Upgrade"):
        codec.decode_event(body)


@pytest.mark.parametrize("body", ["[]", "{}", '{"format": 1}', '{"format": 1, "what": 2}', "1"])
def test_a_record_that_is_none_of_ours_is_said_in_words(body: str) -> None:
    for decode in (
        codec.decode_event,
        codec.decode_execution,
        codec.decode_history,
        codec.decode_revision,
        codec.decode_change,
        codec.decode_config,
    ):
        with pytest.raises(StoreCorrupt, match=r"[Rr]estore a backup"):
            decode(body)
