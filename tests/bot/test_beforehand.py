"""What would happen, asked for from the command line beside a running bot: told, and nothing of it done or kept."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.bot.test_files import done, refused
from tests.chat import Chat

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
        assert "raid v1 over the last 2 hours, 2 events: 1 run, 1 not taken by its trigger." in past
        assert 'would say "bye ninja".' in past
        assert rows(data) == before


def test_what_happens_meanwhile_is_given_as_a_script(data: Path) -> None:
    with Chat(data) as chat:
        chat.say(
            '!wf import {"id": "w", "name": "w", "initial_state": "a", "states": ['
            '{"name": "a", "action": {"kind": "wait_for", "event": "follow"}, "timeout_seconds": 600, "transitions": {"success": "b"}}, '
            '{"name": "b", "action": {"service": "twitch", "method": "send_chat_message", "params": {"message": "thanks ${results.a.user}"}}, "transitions": {}}]}'
        )
    told = done("workflows", "test", "w", "--then", "5m follow user=ann", data=data).splitlines()
    assert told == [
        "w v1 would start.",
        "then waits until someone follows, 10 minutes at most.",
        "5 minutes after the start, someone follows: ann.",
        'would say "thanks ann".',
        "then it is over after 5 minutes.",
        "Nothing was done.",
    ]
    assert 'it would fail after 10 minutes: "a" failed' in done("workflows", "test", "w", data=data)


def test_what_cannot_be_tried_is_refused_in_a_sentence(data: Path) -> None:
    assert "There is no workflow" in refused("workflows", "test", "raid", data=data)
    assert "There is no workflow" in refused("workflows", "backtest", "raid", data=data)
    assert not data.exists()
    with Chat(data) as chat:
        chat.say(RAID)
    assert "write it as name=value" in refused("workflows", "test", "raid", "viewers", data=data)
    assert 'write it as "5m follow user=bob"' in refused("workflows", "test", "raid", "--then", "5m", data=data)
    assert "no length of time" in refused("workflows", "test", "raid", "--then", "soon follow", data=data)
    assert 'There is no step "nope"' in refused("workflows", "test", "raid", "--fail", "nope", data=data)
    assert "There is no v7 of raid" in refused("workflows", "backtest", "raid", "--version", "7", data=data)
    assert "no length of time" in refused("workflows", "backtest", "raid", "--since", "ages", data=data)
