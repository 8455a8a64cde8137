#!/usr/bin/env python3
"""Send sentences through the whole bot and tell what it understood, in the words of a vocabulary.

usage: report.py UTTERANCES.tsv CONTEXTS.json --rows OUT.jsonl [--only ID,ID]

UTTERANCES has the columns id, context, utterance, and others that are not looked at. A context is a name in CONTEXTS or a
description in words. For each row the bot is set up with a store of its own, the sentence is sent, and one line
`{"id", "got", "reply", "diff"}` is written: `got` is what the instruction means (`vocabulary.py`), clarify where the bot
asked, reject where it refused; `diff` is what changed. A question that only asks for a yes is answered with yes.
"""

import argparse
import asyncio
import difflib
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree
from typing import Final
from unittest.mock import patch

from bot import app, conversation
from bot.app import Bot, open_bot, stored
from bot.config import NAME_KINDS, DataFolder, Settings, with_live, with_names, with_virtual_now, with_zone
from bot.instructions import carry_out
from bot.instructions.turn import Ask, Outcome, Turn
from bot.log import Redacting
from bot.message import Message, Place, Reply
from engine.convert import write_json
from engine.execution import Person
from engine.model import Action, Definition
from engine.ports import Batch
from grammar.instruction import Instruction, Understood
from grammar.workspace import Workspace
from tests.grammar.contexts import Context, described, written
from tests.grammar.vocabulary import Meaning, operation

SPEAKER: Final = Person("streamer", roles=("broadcaster",), id="twitch:streamer")
OTHER: Final = Person("cohost", roles=("broadcaster",), id="twitch:cohost")
"""Who has made what there is, so that the speaker has talked about nothing yet."""
NOON: Final = 1_795_262_400.0
EQUIPMENT: Final = app.equipment()
"""The same for every bot that is opened here."""
LONG_AGO: Final = 3_600.0
_NAMED: Final = re.compile(r"\$\{([a-z_]+)\}")
STANDS: Final = frozenset(
    {"undo", "redo", "run", "run_later", "test", "stop", "pause", "resume", "skip", "logs", "history"}
)
"""What is understood even if there is nothing to do it to."""


@dataclass(frozen=True)
class Row:
    """One sentence in its context."""

    id: str
    context: str
    utterance: str


@dataclass
class Told:
    """What a sentence came to.

    Attributes:
        replies: All of them, the answer to yes too.
        got: The operation.
        diff: What changed, a line each.
        changed: Whether anything changed, ran, stopped or was proposed.
    """

    replies: list[Reply]
    got: Meaning
    diff: list[str] = field(default_factory=list)
    changed: bool = False


# A bot in a context -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Bot]:
    """The real bot on a folder."""
    async with AsyncExitStack() as stack:
        yield await open_bot(
            stack,
            DataFolder(folder),
            Redacting(),
            equipment=EQUIPMENT,
            virtual=True,
            on_attempt=lambda _: None,
            notice=lambda _: None,
            chance=lambda: 0.5,
        )


async def type_(bot: Bot, text: str, platform: str = "twitch", by: Person = SPEAKER) -> list[Reply]:
    """Let somebody type a line; all that follows at once has happened when this returns."""
    place = Place("discord", "general") if platform == "discord" else Place()
    heard = await bot.hear(Message(bot.ids(), text, by, place, bot.clock.now()))
    await bot.runner.quiescent()
    return list(heard.replies)


async def prepare(folder: Path, context: Context) -> None:
    """Write a context into a folder, by what people would type where that can be typed."""
    settings = Settings()
    records = [with_zone(settings, "UTC")[1], with_virtual_now(settings, NOON)[1], with_live(settings, on=True)[1]]
    records += [with_names(settings, kind, getattr(context.names, kind))[1] for kind in NAME_KINDS]
    folder.mkdir(parents=True, exist_ok=True)
    async with stored(DataFolder(folder), read_only=False) as store:
        await store.commit(Batch(config=records))
    async with opened(folder) as bot:

        async def typed(text: str, by: Person = SPEAKER) -> None:
            replies = await type_(bot, f"!workflow {text}", context.platform, by)
            assert all(reply.kind != "refusal" for reply in replies), (text, [reply.text for reply in replies])

        for definition in sorted(context.workflows, key=lambda each: each.id != context.focus):
            await typed(f"import {write_json(definition)}", OTHER)
            for version in range(2, context.versions + 1 if definition.id == context.focus else 2):
                said = "no description" if version % 2 else 'description "as it was"'
                await typed(f"{_name(definition)}: {said}")
            if definition.id == context.focus:
                await bot.advance_to(bot.clock.now() + LONG_AGO)  # what was said then is not talked about any more
        for id in context.disabled:
            await typed(f"disable {_name(_of(context, id))}", OTHER)
        for id in context.running:
            await typed(f"run {_name(_of(context, id))}{_given(_of(context, id))}", OTHER)
        for id in context.paused:
            await typed(f"pause {_name(_of(context, id))}", OTHER)
        if context.focus is not None:
            await typed(f"show {_name(_of(context, context.focus))}")
        for said in context.before:
            await typed(said)


def _name(definition: Definition) -> str:
    return json.dumps(definition.name, ensure_ascii=False)


def _given(definition: Definition) -> str:
    """A value for each variable that its texts name."""
    named = dict.fromkeys(_NAMED.findall(write_json(definition)))
    return "".join(f" {name}=something" for name in named if name not in ("user", "event"))


def _of(context: Context, id: str) -> Definition:
    return next(each for each in context.workflows if each.id == id)


# A sentence in it -------------------------------------------------------------------------------------------------------


class Stage:
    """Sends sentences to a bot that is as its context says, each as if it were the first; opens it anew where one did something."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._prepared: dict[str, Path] = {}
        self._open = AsyncExitStack()
        self._bot: Bot | None = None
        self._key: str | None = None
        self._count = 0

    async def __aenter__(self) -> "Stage":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def say(self, key: str, context: Context, text: str) -> Told:
        """What a sentence comes to."""
        bot = await self._bot_in(key, context)
        told = await heard(bot, text, context)
        if told.got["op"] != "reject" or told.changed:
            self._key = None
        return told

    async def _bot_in(self, key: str, context: Context) -> Bot:
        if self._bot is not None and self._key == key:
            return self._bot
        await self._open.aclose()
        self._open = AsyncExitStack()
        if key not in self._prepared:
            self._prepared[key] = self._home / f"context{len(self._prepared)}"
            await prepare(self._prepared[key], context)
        self._count += 1
        folder = self._home / f"data{self._count}"
        copytree(self._prepared[key], folder)
        self._bot = await self._open.enter_async_context(opened(folder))
        self._key = key
        return self._bot


async def heard(bot: Bot, text: str, context: Context) -> Told:
    """Send one sentence, and yes if it only needs that."""
    done: list[tuple[Instruction, Outcome]] = []

    async def noted(turn: Turn, instruction: Instruction) -> Outcome:
        outcome = await carry_out(turn, instruction)
        done.append((instruction, outcome))
        return outcome

    before = _standing(bot)
    with patch.object(conversation, "carry_out", noted):
        replies = await type_(bot, text, context.platform)
        asked = bool(done) and isinstance(done[-1][1], Ask)
        if asked:
            replies += await type_(bot, "!workflow yes", context.platform)
    after = _standing(bot)
    diff = list(_difference(before, after))
    definitions = {id: definition for id, (definition, _) in before.items()}
    got = _got(done, replies, definitions, context)
    return Told(replies, got, diff, bool(diff) or asked or any(reply.kind == "done" for reply in replies))


def _got(
    done: list[tuple[Instruction, Outcome]], replies: list[Reply], before: Mapping[str, Definition], context: Context
) -> Meaning:
    said = " ".join(reply.text for reply in replies)
    if not replies:
        return {"op": "ignore"}
    if not done:
        asked = any(reply.kind == "question" for reply in replies)
        return {"op": "clarify" if asked else "reject", "why": said}
    instruction = done[0][0]
    running = context.running[0] if len(context.running) == 1 else None
    meant = operation(instruction, before, running if instruction.__class__.__name__ == "Skip" else context.focus)
    refused = all(reply.kind == "refusal" for reply in replies)
    return {"op": "reject", "why": said} if refused and meant["op"] not in STANDS else meant


def _standing(bot: Bot) -> dict[str, tuple[Definition, bool]]:
    return {entry.id: (entry.definition, entry.record.enabled) for entry in bot.conversation.catalogue.there()}


def _difference(
    before: Mapping[str, tuple[Definition, bool]], after: Mapping[str, tuple[Definition, bool]]
) -> Iterator[str]:
    """What changed, in the words of the file form."""
    say = EQUIPMENT.language.say_definition
    for id in {**before, **after}:
        old, new = before.get(id), after.get(id)
        if old == new:
            continue
        lines = [
            [] if each is None else [*say(each[0]).splitlines(), *([] if each[1] else ["(off)"])] for each in (old, new)
        ]
        for line in difflib.unified_diff(*lines, lineterm="", n=0):
            if not line.startswith(("---", "+++", "@@")):
                yield f"{id}: {line}"


# Many of them -----------------------------------------------------------------------------------------------------------


def rows_of(path: Path) -> list[Row]:
    """The sentences of a file."""
    lines = path.read_text(encoding="utf-8").split("\n")
    head = lines[0].split("\t")
    places = [head.index(name) for name in ("id", "context", "utterance")]
    cells = [line.rstrip("\r").split("\t") for line in lines[1:] if line.strip()]
    return [Row(*(each[place] for place in places)) for each in cells]


def contexts_of(path: Path) -> dict[str, Context]:
    """The contexts of a file."""
    return {name: written(said) for name, said in json.loads(path.read_text(encoding="utf-8"))["contexts"].items()}


def deed(text: str) -> Action | None:
    """What a step in words does, as far as the language can tell."""
    language = EQUIPMENT.language
    for said in (text, text.replace("discord send ", "post in discord "), text.replace("{", "${")):
        understanding = language.understand(f"create x: {said}", Workspace())
        if isinstance(understanding, Understood):
            states = getattr(getattr(understanding.instruction, "definition", None), "states", ())
            if len(states) == 1:
                action: Action = states[0].action
                return action
    return None


def context_of(words: str, known: Mapping[str, Context]) -> Context:
    """A context by its name, or as it is described."""
    return known[words] if words in known else described(words, deed)


async def report(rows: Iterable[Row], known: Mapping[str, Context]) -> AsyncIterator[tuple[Row, Told]]:
    """What each sentence comes to."""
    rows = list(rows)
    among = _all_described(rows, known)
    with tempfile.TemporaryDirectory(prefix="report-", ignore_cleanup_errors=True) as home:
        async with Stage(Path(home)) as stage:
            for row in rows:
                context = context_of(row.context, known)
                told = await stage.say(row.context, context, row.utterance)
                if context.unspecified and told.got["op"] == "reject":
                    # Perhaps it speaks of a workflow; then there are some: those that the other rows tell of.
                    again = await stage.say(f"{row.context} among all", among, row.utterance)
                    told = again if again.got["op"] != "reject" or "no workflow" in told.replies[0].text else told
                yield row, told


def _all_described(rows: list[Row], known: Mapping[str, Context]) -> Context:
    found: dict[str, Definition] = {}
    for row in rows:
        if row.context not in known:
            for definition in described(row.context, deed).workflows:
                found.setdefault(definition.id, definition)
    return Context(workflows=tuple(found.values()))


async def main() -> None:
    """Write the rows and print the replies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("utterances", type=Path)
    parser.add_argument("contexts", type=Path)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--only", help="ids, separated by commas")
    options = parser.parse_args()
    rows = rows_of(options.utterances)
    if options.only:
        rows = [row for row in rows if row.id in options.only.split(",")]
    with options.rows.open("w", encoding="utf-8") as out:
        async for row, told in report(rows, contexts_of(options.contexts)):
            reply = "\n".join(each.text for each in told.replies)
            line = {"id": row.id, "got": told.got, "reply": reply, "diff": told.diff}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            print(f"{row.id} [{row.context}] {row.utterance}")
            print("".join(f"    {part}\n" for part in reply.splitlines() or ["(says nothing)"]), end="")
            print(f"    = {json.dumps(told.got, ensure_ascii=False)}")
            print("".join(f"    | {part}\n" for part in told.diff), end="")


if __name__ == "__main__":
    asyncio.run(main())
    sys.exit(0)
