"""Workflows as files, and the data folder as a whole: what the commands beside the chat do.

Reading works beside a running bot; writing takes the folder's lock first, and is refused while a bot holds it. A file is
read and judged before the store is opened, so a broken one touches nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from bot import app, sharing
from bot.app import new_id
from bot.catalogue import folded
from bot.config import COMMUNITY, DataFolder, settings_from
from bot.equipment import Equipment
from bot.library import Arrival, keeping
from bot.message import roles_of
from bot.reading import import_text, in_lines
from bot.share_codes import is_code
from bot.terminal.session import BROADCASTER
from engine.clock import SystemClock
from engine.convert import Form, Imported, Naming, Note, export_data, write_json
from engine.errors import DefinitionError, EngineError, StoreMissing
from engine.execution import Person
from engine.model import Definition
from engine.ports import RevisionRecord, Store, WorkflowRecord
from engine.validate import Problem, check
from engine.wording import counted

MAX_BYTES: Final = 1_000_000
_SHOWN: Final = 10


class NotDone(EngineError):
    """A command that did nothing, and why."""


# Files ---------------------------------------------------------------------------------------------------------------


def read_workflow(path: Path, equipment: Equipment, service: str | None = None) -> Imported:
    """A workflow from a file, in any form that is known, with what is to be said of its import.

    Args:
        path: The file.
        equipment: What the bot can do.
        service: What is asked to do what the file names no service for.

    Raises:
        NotDone: It is none, with the file's name and the place in it.
        OSError: It cannot be read.
    """
    if path.stat().st_size > MAX_BYTES:
        raise NotDone(f"{path} is larger than {MAX_BYTES:,} bytes; no workflow is.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotDone(f"{path} is not text in UTF-8, so there is no workflow in it.") from None
    naming = Naming(workflow=path.stem) if service is None else Naming(service, workflow=path.stem)
    try:
        return import_text(text, equipment.language, naming, path.suffix)
    except DefinitionError as error:
        raise NotDone(f"{path}: {error}") from None


def _broken(problems: Sequence[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]


def _in_words(problem: Problem) -> str:
    return f"{problem.severity}: {problem}"


def validate(path: Path, service: str | None = None) -> tuple[list[str], str | None]:
    """What is to be said of a file, and in one line why it cannot be run as it is, if so.

    Raises:
        NotDone: It holds no workflow.
    """
    equipment = app.equipment()
    imported = read_workflow(path, equipment, service)
    definition = imported.definition
    problems = check(definition, equipment.declarations)
    said = [*equipment.problems, *in_lines(imported.notes), *(_in_words(problem) for problem in problems)]
    if broken := _broken(problems):
        count = "1 error" if len(broken) == 1 else f"{len(broken)} errors"
        return said, f"{path} cannot run as it is written: {count}."
    return [*said, f"{path} can run: {_in_short(definition)}."], None


# The store -----------------------------------------------------------------------------------------------------------


async def import_workflow(folder: DataFolder, path: Path, service: str | None = None) -> list[str]:
    """Keep the workflow in a file; tells what it now is, and what was chosen or lost on the way.

    Raises:
        NotDone: It cannot be kept.
        StoreError: The store cannot be written, or a bot is running.
    """
    equipment = app.equipment()
    imported = await asyncio.to_thread(read_workflow, path, equipment, service)
    definition = imported.definition
    _refuse_broken(check(definition, equipment.declarations), path)
    async with app.stored(folder, read_only=False) as store:
        settings = settings_from(await store.config(COMMUNITY))
        there = {revision.workflow: revision.definition for revision in await store.current_revisions(COMMUNITY)}
        known = {*settings.values, *settings.secrets}
        problems = check(definition, equipment.declarations, known, settings.secrets, workflows=there)
        _refuse_broken(problems, path)
        after = await kept_as(store, definition, f"showcaller workflows import {path.name}")
    said = [_in_words(problem) for problem in problems[:_SHOWN]]
    return [
        f"Imported {after.id} v{after.revision}: {_in_short(definition)}.",
        *equipment.problems,
        *_reported(imported.notes, path),
        *said,
    ]


async def share_workflow(folder: DataFolder, name: str) -> tuple[str, tuple[str, ...]]:
    """A workflow as a share code, and what is not in it.

    Raises:
        NotDone: There is none of that name.
        BadCode: It is too long for one.
    """
    equipment = app.equipment()
    definition = _named(name, await _current(folder))
    return sharing.share_code(definition, equipment.language, equipment.declarations)


def code_in(source: Path) -> str | None:
    """The share code that was given in the place of a file, or lies in it; None if it is neither.

    Raises:
        OSError: There is such a file, and it cannot be read.
    """
    if is_code(str(source)) and not source.exists():
        return str(source)
    if not source.is_file() or source.stat().st_size > MAX_BYTES:
        return None
    text = source.read_bytes().decode("utf-8-sig", "replace")
    return text if is_code(text) else None


async def import_shared(folder: DataFolder, code: str, agreed: Callable[[str], bool]) -> list[str]:
    """Keep the workflow in a share code, under a name that nothing has, if whoever sees what it would do agrees.

    Raises:
        NotDone: It cannot be kept, or they did not agree.
        StoreError: The store cannot be written, or a bot is running.
    """
    equipment = app.equipment()
    parcel = sharing.received(code, equipment.language, equipment.declarations)
    async with app.stored(folder, read_only=False) as store:
        records = await store.workflows(COMMUNITY, deleted=True)
        taken = {folded(each) for record in records for each in (record.id, record.name)}
        definition = sharing.freely_named(parcel.definition, lambda wanted: folded(wanted) in taken)
        _refuse_broken(check(definition, equipment.declarations), Path("The workflow in the share code"))
        short = sharing.in_short(definition, equipment.language, equipment.declarations)
        without = f"Left out: {', '.join(parcel.left_out)}.\n" if parcel.left_out else ""
        written = equipment.language.say_definition(definition).strip()
        if not agreed(f"{written}\n\n{short}\n{without}Import it as {definition.id}?"):
            raise NotDone("Nothing was imported.")
        current = await store.current_revisions(COMMUNITY)
        twin = next((each.workflow for each in current if sharing.starts_alike(each.definition, definition)), None)
        words = "showcaller workflows import (a share code)"
        after = await kept_as(store, definition, words, enabled=twin is None)
    off = "" if twin is None else f" It is off, since {twin} starts on the same."
    return [f"Imported {after.id} v{after.revision}: {_in_short(definition)}.{off}"]


def _reported(notes: Sequence[Note], path: Path) -> list[str]:
    lines = in_lines(notes)
    more = len(lines) - _SHOWN
    tail = [f"... and {more} more: showcaller workflows validate {path}"] if more > 0 else []
    return [*lines[:_SHOWN], *tail]


def _refuse_broken(problems: Sequence[Problem], path: Path) -> None:
    if broken := _broken(problems):
        more = f" (and {len(broken) - 1} more: showcaller workflows validate {path})" if len(broken) > 1 else ""
        raise NotDone(f"{path} was not imported: {broken[0]}{more}")


async def kept_as(store: Store, definition: Definition, words: str, *, enabled: bool = True) -> WorkflowRecord:
    """Keep a workflow from a file as the streamer's next version of it; `words` are what history shows.

    One that is new may come in switched off.
    """
    settings = settings_from(await store.config(COMMUNITY))
    revisions = await store.revisions(COMMUNITY, definition.id)
    arrival = Arrival(
        definition,
        COMMUNITY,
        Person(BROADCASTER, "twitch", roles_of("broadcaster"), f"twitch:{BROADCASTER}"),
        max(SystemClock().now(), settings.virtual_now or 0),
        new_id(),
        words,
        max((revision.number for revision in revisions), default=0),
    )
    batch, after = keeping(arrival, await store.workflows(COMMUNITY, deleted=True))
    if not revisions:
        after = replace(after, enabled=enabled)
        batch.workflows[0] = after
    await store.commit(batch)
    return after


async def export_workflow(folder: DataFolder, name: str, form: Literal["text"] | Form) -> str:
    """A workflow as a file's text.

    Raises:
        NotDone: There is none of that name.
        NotExpressible: That form has no words for something in it.
    """
    definition = _named(name, await _current(folder))
    match form:
        case "text":
            return app.equipment().language.say_definition(definition)
        case "yaml":
            from bot.yaml_text import write_yaml  # loaded only by those who want YAML

            return write_yaml(export_data(definition, form))
        case _:
            return write_json(definition, form)


async def _current(folder: DataFolder) -> Sequence[RevisionRecord]:
    try:
        async with app.stored(folder, read_only=True) as store:
            return await store.current_revisions(COMMUNITY)
    except StoreMissing:
        return ()


def _named(name: str, revisions: Sequence[RevisionRecord]) -> Definition:
    for revision in revisions:
        if folded(name) in (folded(revision.definition.id), folded(revision.definition.name)):
            return revision.definition
    known = ", ".join(revision.definition.id for revision in revisions[:_SHOWN]) or "none"
    raise NotDone(f'There is no workflow "{name[:60]}". Those there are: {known}.')


async def list_workflows(folder: DataFolder) -> list[str]:
    """One line for each workflow."""
    try:
        async with app.stored(folder, read_only=True) as store:
            records = {record.id: record for record in await store.workflows(COMMUNITY)}
            revisions = await store.current_revisions(COMMUNITY)
    except StoreMissing:
        return ["No workflows yet."]
    lines = [
        f"{revision.workflow} v{revision.number}{'' if records[revision.workflow].enabled else ' (off)'}: "
        f"{_in_short(revision.definition)}"
        for revision in revisions
        if revision.workflow in records
    ]
    return lines or ["No workflows yet."]


def _in_short(definition: Definition) -> str:
    triggers = ", ".join(dict.fromkeys(trigger.on for trigger in definition.triggers))
    return f'"{definition.name}", {counted(len(definition.states), "step")}, {f"starts on {triggers}" if triggers else "run by hand"}'


# The whole folder ----------------------------------------------------------------------------------------------------


async def back_up(folder: DataFolder, target: Path | None, now: datetime) -> str:
    """Copy everything to a file, whoever writes meanwhile; tells where it is.

    Raises:
        StoreError: It could not be made.
    """
    chosen = target or folder.path / "backups" / f"showcaller-{now:%Y-%m-%d-%H%M%S}.db"
    if target is None and folder.database.exists():
        chosen.parent.mkdir(exist_ok=True, mode=0o700)
    await app.back_up(folder, chosen)
    return f"Everything is in {chosen}. Put it back with: showcaller restore {chosen}"


async def put_back(folder: DataFolder, source: Path) -> str:
    """Put a copy in the place of everything there is; tells where that was kept.

    Raises:
        StoreError: It could not be done; nothing was changed.
    """
    kept = await app.put_back(folder, source)
    return f"Restored from {source}." + (f" What was there before is kept in {kept}." if kept is not None else "")
