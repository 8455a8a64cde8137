"""Sentences as people type them, through the whole bot, against their meaning: `tests/data/utterances`.

Those whose meaning is data are judged by the judge that comes with them; those in words were checked by hand.
"""

import asyncio
import importlib.util
import json
import tomllib
from functools import cache
from types import ModuleType
from typing import Any

import pytest

from tests.chat import ROOT
from tests.grammar.report import Row, Told, contexts_of, report, rows_of

FOLDER = ROOT / "tests" / "data" / "utterances"
CHECKED = {row["id"]: row for row in tomllib.loads((FOLDER / "checked.toml").read_text(encoding="utf-8"))["row"]}
MOST_NOT_RIGHT = 0
MOST_CHECKED_NOT_RIGHT = 0


@cache
def judge() -> ModuleType:
    """The judge as it came."""
    spec = importlib.util.spec_from_file_location("compare", FOLDER / "compare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def gold() -> dict[str, str]:
    cells = [line.split("\t") for line in (FOLDER / "dev.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    return {each[0]: each[3] for each in cells}


@cache
def told() -> dict[str, tuple[Row, Told]]:
    """What every sentence came to."""

    async def all_of() -> dict[str, tuple[Row, Told]]:
        rows = rows_of(FOLDER / "dev.tsv")
        known = contexts_of(FOLDER / "contexts.json")
        return {row.id: (row, told) async for row, told in report(rows, known)}

    return asyncio.run(all_of())


def explained(id: str, wanted: Any) -> str:
    row, came = told()[id]
    said = " | ".join(reply.text for reply in came.replies)
    return f"{id} [{row.context}] {row.utterance}\n  want {wanted}\n  got  {json.dumps(came.got)}\n  said {said}"


@pytest.mark.timeout(300)
def test_sentences_with_a_written_meaning_are_understood_and_never_misread() -> None:
    outcomes = {
        id: judge().verdict(json.loads(meaning), told()[id][1].got)
        for id, meaning in gold().items()
        if meaning.startswith("{")
    }
    assert len(outcomes) == 55
    wrong = [explained(id, gold()[id]) for id, outcome in outcomes.items() if outcome == "wrong"]
    assert not wrong, "\n".join(wrong)
    others = [explained(id, gold()[id]) for id, outcome in outcomes.items() if outcome != "right"]
    assert len(others) <= MOST_NOT_RIGHT, "\n".join(others)


def _is_right(id: str) -> bool:
    came = told()[id][1]
    said = " ".join(reply.text for reply in came.replies)
    row = CHECKED[id]
    means = any(judge().verdict(json.loads(meaning), came.got) == "right" for meaning in row["means"])
    return means and all(words in said for words in row.get("has", ()))


@pytest.mark.timeout(300)
def test_sentences_checked_by_hand_come_to_what_was_written() -> None:
    ids = [id for id, meaning in gold().items() if not meaning.startswith("{")]
    assert set(ids) == set(CHECKED)
    others = [explained(id, CHECKED[id]["means"]) for id in ids if not _is_right(id)]
    assert len(others) <= MOST_CHECKED_NOT_RIGHT, "\n".join(others)
