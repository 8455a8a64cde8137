"""Records to store: short makers for examples, and strategies drawn from the records' own types."""

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from engine.events import Event
from engine.execution import Branch, Effect, Execution, HistoryRow, Person
from engine.model import Definition
from engine.ports import (
    AdmissionRecord,
    AuditRecord,
    ChangeRecord,
    ConfigRecord,
    DataRecord,
    ProposalRecord,
    RevisionRecord,
    Standing,
    WorkflowRecord,
)

HERE = "main"
ELSEWHERE = "other"
ANN = Person("ann", "twitch", ("moderator",), "7")

DEFINITION = Definition.model_validate(
    {
        "id": "raid",
        "name": "raid",
        "initial_state": "say",
        "states": [
            {
                "name": "say",
                "action": {
                    "service": "twitch",
                    "method": "send_chat_message",
                    "params": {"message": 'welcome "${user}"\n'},
                },
                "transitions": {"success": [{"when": "viewers > 5", "to": "wait"}], "error": "wait"},
            },
            {
                "name": "wait",
                "action": {"service": "internal", "method": "wait", "params": {"seconds": 10}},
                "transitions": {},
            },
        ],
        "triggers": ["raid.received", {"on": "message.received", "when": 'message starts with "!raid"'}],
        "tags": ["live"],
    }
)


def execution(id: str = "e1", **changes: Any) -> Execution:
    """A run of `raid` that has just started."""
    made = Execution(id, HERE, "raid", 1, "running", 100.0)
    return dataclasses.replace(made, **changes)


def waiting(id: str = "e1", due: float = 110.0, **changes: Any) -> Execution:
    """A run that rests in a wait."""
    return execution(id, status="waiting", branches=(Branch("main", "wait", 1, entered_at=100.0, due=due),), **changes)


def row(seq: int = 0, execution: str = "e1", **changes: Any) -> HistoryRow:
    """A step that ended well."""
    return dataclasses.replace(HistoryRow(execution, seq, "main", "say", 1, 1, "success", 100.0, 101.0), **changes)


def effect(id: str = "e1/main/say/1", **changes: Any) -> Effect:
    """A message to be sent."""
    made = Effect(id, HERE, "e1", "raid", "say", "twitch", "send_chat_message", {"message": "hi"}, repeatable=False)
    return dataclasses.replace(made, **changes)


def event(id: str = "m1", **changes: Any) -> Event:
    """A raid."""
    return dataclasses.replace(
        Event(id, "raid.received", 100.0, HERE, {"viewers": 6, "user": {"name": "bob"}}), **changes
    )


def workflow(id: str = "raid", **changes: Any) -> WorkflowRecord:
    """A workflow at its first revision."""
    return dataclasses.replace(WorkflowRecord(HERE, id, id, 1), **changes)


def revision(number: int = 1, workflow: str = "raid", **changes: Any) -> RevisionRecord:
    """A version of `raid`."""
    made = RevisionRecord(
        HERE, workflow, number, DEFINITION, ANN, 100.0, "when someone raids ...", "Created raid", {"say": ANN}
    )
    return dataclasses.replace(made, **changes)


def change(id: str = "c1", **changes: Any) -> ChangeRecord:
    """The making of `raid`."""
    after = Standing("raid", 1, enabled=True, deleted=False)
    made = ChangeRecord(id, HERE, "raid", 100.0, ANN, "create", "when ...", "Created raid", None, after)
    return dataclasses.replace(made, **changes)


def admission(id: str = "a1", **changes: Any) -> AdmissionRecord:
    """A start by a raid."""
    return dataclasses.replace(AdmissionRecord(id, HERE, "raid", 100.0, "m1", "raid.received", "e1"), **changes)


def proposal(id: str = "p1", **changes: Any) -> ProposalRecord:
    """A deletion that waits for a yes."""
    made = ProposalRecord(id, HERE, "ann", "twitch", "confirm", "delete raid", "raid", 1, expires_at=160.0)
    return dataclasses.replace(made, **changes)


def setting(key: str = "timezone", value: Any = "Europe/Berlin", **changes: Any) -> ConfigRecord:
    """A setting."""
    return dataclasses.replace(ConfigRecord(HERE, key, value), **changes)


def datum(key: str = "deaths", value: Any = 5, **changes: Any) -> DataRecord:
    """Something that is kept."""
    return dataclasses.replace(DataRecord(HERE, "", key, value), **changes)


def asked(id: str = "q1", **changes: Any) -> AuditRecord:
    """Somebody was to be forgotten."""
    return dataclasses.replace(AuditRecord(id, HERE, 100.0, ANN, "forget", {"events": 1}), **changes)


# Strategies ------------------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(
    ["\0", "a\0b", "\\u0000", "\ud800", "\ufdd0", "\ufdd00000", '"', "${user}", "'; DROP TABLE executions; --", "👩‍🚀"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def records(kind: type[Any], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Instances of a dataclass with every field drawn from its type, so a new field is drawn too."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{name: fixed.get(name, _of(hint)) for name, hint in hints.items()})


def _of(hint: Any) -> st.SearchStrategy[Any]:
    plain = {
        str: TEXTS,
        bool: st.booleans(),
        int: st.integers(0, 2**53),
        float: st.floats(-1e12, 1e12),
        type(None): st.none(),
        Any: VALUES,
        Definition: st.just(DEFINITION),
    }
    if hint in plain:
        return plain[hint]
    if dataclasses.is_dataclass(hint):
        return records(hint)  # type: ignore[arg-type]
    arguments = get_args(hint)
    match get_origin(hint):
        case origin if origin is Literal:
            return st.sampled_from(arguments)
        case origin if origin in (Union, types.UnionType):
            return st.one_of([_of(argument) for argument in arguments])
        case origin if origin is tuple and arguments[-1] is not Ellipsis:
            return st.tuples(*(_of(argument) for argument in arguments))
        case origin if origin is tuple:
            most = 1 if dataclasses.is_dataclass(arguments[0]) else 2
            return st.lists(_of(arguments[0]), max_size=most).map(tuple)
        case origin if origin is Mapping or origin is dict or (origin is not None and issubclass(origin, Mapping)):
            return st.dictionaries(_of(arguments[0]), _of(arguments[1]), max_size=2)
        case _:
            raise TypeError(f"no strategy for {hint}: say here how such a field is drawn")
