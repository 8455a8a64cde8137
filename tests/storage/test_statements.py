"""The file of statements is read by name and every one of them is valid."""

import re
from pathlib import Path

import pytest

from storage.sqlite import SQLiteStore
from storage.statements import STATEMENTS, WRITE_PATH, read


def test_statements_are_split_at_their_names() -> None:
    assert read("-- about all\n-- name: a\n-- why\nSELECT 1;\n\nSELECT 2;\n-- name: b\nSELECT 3;") == {
        "a": "SELECT 1;\n\nSELECT 2;",
        "b": "SELECT 3;",
    }


def test_two_statements_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two statements"):
        read("-- name: a\n-- name: a\n")


async def test_every_statement_can_be_prepared(tmp_path: Path) -> None:
    async with await SQLiteStore.open(tmp_path / "bot.db") as store:
        for name, text in STATEMENTS.items():
            if text not in WRITE_PATH and name != "copy_whole":
                await store._connection.execute_fetchall(f"EXPLAIN {text}", [None] * text.count("?"))


async def test_live_executions_and_outbox_are_found_without_reading_every_row(tmp_path: Path) -> None:
    async with await SQLiteStore.open(tmp_path / "bot.db") as store:
        for name in ("live_executions", "execution", "history", "event", "seen", "executions_of_workflow"):
            text = STATEMENTS[name]
            plan = await store._connection.execute_fetchall(f"EXPLAIN QUERY PLAN {text}", [None] * text.count("?"))
            steps = " ".join(step[3] for step in plan)
            assert re.search(r"SEARCH \w+ USING", steps), (name, steps)
