"""What would happen, asked for from the command line beside a running bot: told, and nothing of it done or kept."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.beforehand import NotTried, Trial, backtest, try_out
from bot.config import COMMUNITY, DataFolder
from engine.ports import Batch, RevisionRecord, WorkflowRecord
from storage.sqlite import SQLiteStore
from tests.bot.test_files import done
from tests.chat import Chat
from tests.fakes import STREAMER, workflow

RAID = (
    '!wf when someone raids with more than 5 viewers, say "welcome ${user}!", wait 10 seconds, then say "bye ${user}"'
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def rows(data: Path) -> dict[str, list[Any]]:
    """Everything that is stored but what time it is."""
    with closing(sqlite3.connect(data / "showcaller.db")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: database.execute(f'SELECT * FROM "{table}"').fetchall() for table in tables}


def test_a_workflow_is_tried_and_tested_against_the_past_beside_a_running_bot(data: Path) -> None:
    with Chat(data) as chat:
        chat.say(RAID)
        chat.say("/raid ninja 50")
        chat.say("/raid zoe 3")
        before = rows(data)

        told = done(
            "workflows", "test", "raid", "viewers=50", "--event", "raid", "--user", "bob", data=data
        ).splitlines()
        assert told == [
            "if a raid comes in: bob (viewers 50).",
            "raid v1 would start.",
            'would say "welcome bob!".',
            "then waits 10 seconds.",
            'would say "bye bob".',
            "then it is over after 10 seconds.",
            "Nothing was done.",
        ]
        found = json.loads(
            done("workflows", "test", "raid", "viewers=9", "--event", "raid", "--fail", "say", "--json", data=data)
        )
        asked = [line for line in found["lines"] if line["line"] == "asked"]
        assert [(line["step"], line["outcome"], line["params"]) for line in asked] == [
            ("say", "error", {"message": "welcome someone!"})
        ]
        assert found["lines"][-1]["status"] == "failed"
        past = done("workflows", "backtest", "raid", "--since", "2h", data=data)
        assert "raid v1 over the last 2 hours, 3 events: 1 run, 1 not taken by its trigger." in past
        assert 'would say "bye ninja".' in past
        assert rows(data) == before


HEARING = workflow(
    "w",
    {
        "name": "a",
        "action": {"kind": "wait_for", "event": "follow"},
        "timeout_seconds": 600,
        "transitions": {"success": "b"},
    },
    {
        "name": "b",
        "action": {"service": "twitch", "method": "send_chat_message", "params": {"message": "thanks ${a.user}"}},
    },
)


@pytest.fixture
async def folder(tmp_path: Path) -> DataFolder:
    """A data folder in which there is one workflow, and no bot runs."""
    found = DataFolder(tmp_path)
    async with await SQLiteStore.open(found.database) as store:
        await store.commit(
            Batch(
                workflows=[WorkflowRecord(COMMUNITY, "w", "w", 1)],
                revisions=[RevisionRecord(COMMUNITY, "w", 1, HEARING, STREAMER, 0.0)],
            )
        )
    return found


async def test_what_happens_meanwhile_is_given_as_a_script(folder: DataFolder) -> None:
    assert await try_out(folder, Trial("w", later=["5m follow user=ann"]), as_object=False) == [
        "w v1 would start.",
        "then waits until someone follows, 10 minutes at most.",
        "5 minutes after the start, someone follows: ann.",
        'would say "thanks ann".',
        "then it is over after 5 minutes.",
        "Nothing was done.",
    ]
    alone = await try_out(folder, Trial("w"), as_object=False)
    assert any(line.startswith('it would fail after 10 minutes: "a" failed') for line in alone)


@pytest.mark.parametrize(
    ("trial", "words"),
    [
        (Trial("nope"), 'There is no workflow "nope". Those there are: w.'),
        (Trial("w", ["viewers"]), "write it as name=value"),
        (Trial("w", later=["5m"]), 'write it as "5m follow user=bob"'),
        (Trial("w", later=['5m "follow']), 'write it as "5m follow user=bob"'),
        (Trial("w", later=["soon follow"]), "no length of time"),
        (Trial("w", failing=["nope"]), 'There is no step "nope". Those there are: a, b.'),
    ],
)
async def test_what_cannot_be_tried_is_refused_in_a_sentence(folder: DataFolder, trial: Trial, words: str) -> None:
    with pytest.raises(NotTried, match=re.escape(words)):
        await try_out(folder, trial, as_object=False)


@pytest.mark.parametrize(
    ("workflow", "version", "since", "words"),
    [
        ("nope", None, "24h", "There is no workflow"),
        ("w", 7, "24h", "There is no v7 of w; the last one is v1."),
        ("w", None, "ages", "no length of time"),
    ],
)
async def test_what_cannot_be_tested_against_the_past_is_refused_in_a_sentence(
    folder: DataFolder, workflow: str, version: int | None, since: str, words: str
) -> None:
    with pytest.raises(NotTried, match=re.escape(words)):
        await backtest(folder, workflow, version, since, as_object=False)


async def test_where_nothing_is_stored_there_is_nothing_to_try_and_no_folder_is_made(tmp_path: Path) -> None:
    empty = DataFolder(tmp_path / "nothing")
    with pytest.raises(NotTried, match="Those there are: none"):
        await try_out(empty, Trial("w"), as_object=False)
    with pytest.raises(NotTried, match="Those there are: none"):
        await backtest(empty, "w", None, "24h", as_object=False)
    assert not empty.path.exists()
