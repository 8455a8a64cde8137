"""Sentences that are not for this bot change, start and stop nothing, also where workflows are there and one runs.

Public sentences, told to the bot as if they were for it. Accepted is what changed, ran, stopped or was proposed; what may
be is listed with its reason in `tests/data/corpora/accepted.toml`.
"""

import asyncio
import tempfile
import tomllib
from functools import cache
from pathlib import Path

import pytest

from grammar.instruction import Answer, Help, Understood
from grammar.workspace import WorkflowView, Workspace
from tests.chat import ROOT
from tests.grammar.contexts import Context
from tests.grammar.report import EQUIPMENT, Stage, contexts_of

FOLDER = ROOT / "tests" / "data" / "corpora"
COLUMNS = {"home_assistant_en_tests.tsv": 1, "clinc_control.tsv": 2, "thingpedia_trigger_action.tsv": 1}
MOST_ACCEPTED = 0.003
"""Those that are listed included; without a reason there is none."""
CONTEXTS = ("C1", "C3")


@cache
def sentences() -> tuple[str, ...]:
    found = [
        line.split("\t")[column]
        for name, column in COLUMNS.items()
        for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()[1:]
    ]
    return tuple(found)


@cache
def listed() -> dict[str, str]:
    accepted: dict[str, str] = tomllib.loads((FOLDER / "accepted.toml").read_text(encoding="utf-8"))["accepted"]
    return accepted


@cache
def known() -> dict[str, Context]:
    return contexts_of(ROOT / "tests" / "data" / "utterances" / "contexts.json")


def workspace(context: Context) -> Workspace:
    views = {
        each.id: WorkflowView(each, 1, each.id not in context.disabled, each.id in context.running)
        for each in context.workflows
    }
    return Workspace(views, context.focus, context.names)


def understood(key: str) -> list[str]:
    """The sentences that are understood there as anything but a question for help."""
    there = workspace(known()[key])
    found: list[str] = []
    for sentence in dict.fromkeys(sentences()):
        answer = EQUIPMENT.language.understand(sentence, there)
        if isinstance(answer, Understood) and not isinstance(answer.instruction, Help | Answer):
            found.append(sentence)
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("key", CONTEXTS)
def test_what_is_understood_of_foreign_sentences_is_listed_with_its_reason(key: str) -> None:
    found = understood(key)
    assert [sentence for sentence in found if sentence not in listed()] == []


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_foreign_sentences_are_hardly_ever_acted_upon() -> None:
    async def accepted() -> list[str]:
        found: list[str] = []
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            async with Stage(Path(home)) as stage:
                for key in CONTEXTS:
                    for sentence in sentences():
                        told = await stage.say(key, known()[key], f"!workflow {sentence}")
                        if told.changed:
                            found.append(sentence)
        return found

    found = asyncio.run(accepted())
    total = len(CONTEXTS) * len(sentences())
    print(f"accepted {len(found)} of {total}: {100 * len(found) / total:.2f} %")
    assert [sentence for sentence in found if sentence not in listed()] == []
    assert len(found) <= MOST_ACCEPTED * total
