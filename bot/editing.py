"""A workflow opened in a person's own editor, and kept as one version when it can be read again.

The store is open only to read it and to keep it, never while somebody types: a running bot refuses both, and if somebody
else has changed the workflow meanwhile, nothing is kept. What was typed is never thrown away unsaid.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot import app
from bot.catalogue import folded
from bot.config import COMMUNITY, DataFolder, settings_from
from bot.equipment import Equipment
from bot.files import NotDone, kept_as
from engine.errors import EngineError
from engine.model import Definition
from engine.ports import RevisionRecord
from engine.validate import Problem, check

_HELP: Final = (
    "# Change what you like, save and leave; lines that begin with # are left out.\n"
    "# Step numbers may be left out: then the order of the lines counts.\n"
)
_GO_ON: Final = "Press Enter to go on editing, or type q and Enter to give up: "

Opened = Callable[[Path], None]
Asked = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Draft:
    """A workflow to be edited.

    Attributes:
        revision: The version it was read as; if that moves, nothing is kept.
        text: Its file form.
    """

    definition: Definition
    revision: int
    text: str


async def opened(folder: DataFolder, name: str, equipment: Equipment) -> Draft:
    """Read a workflow to be edited.

    Raises:
        NotDone: There is none of that name.
        StoreError: A bot is running, or the store cannot be opened.
    """
    async with app.stored(folder, read_only=False) as store:
        revisions = await store.current_revisions(COMMUNITY)
    found = _named(name, revisions)
    return Draft(found.definition, found.number, equipment.language.say_definition(found.definition))


def _named(name: str, revisions: list[RevisionRecord]) -> RevisionRecord:
    for revision in revisions:
        if folded(name) in (folded(revision.definition.id), folded(revision.definition.name)):
            return revision
    known = ", ".join(revision.definition.id for revision in revisions[:10]) or "none"
    raise NotDone(f'There is no workflow "{name[:60]}". Those there are: {known}.')


def edited(draft: Draft, file: Path, equipment: Equipment, open_editor: Opened, go_on: Asked) -> Definition | None:
    """Let it be edited until it can be kept; None if nothing was changed.

    Args:
        draft: What is edited.
        file: Where its text is put for the editor, and stays if it is given up.
        equipment: What the bot can do.
        open_editor: Opens the file and comes back when that is over.
        go_on: Shows what is wrong, and tells whether to go on.

    Raises:
        NotDone: It was given up; the text says where it is kept.
    """
    file.write_text(f"{_HELP}{draft.text}", encoding="utf-8")
    while True:
        open_editor(file)
        text = _without_help(file.read_text(encoding="utf-8-sig"))
        if text.strip() == draft.text.strip():
            return None
        wrong = "\n".join(_wrong(text, draft, equipment))
        if not wrong:
            definition = equipment.language.read_definition(text)
            return None if definition == draft.definition else definition
        if not go_on(wrong):
            raise NotDone(f"Nothing was changed. What you typed is in {file}.")


def _without_help(text: str) -> str:
    """The text with its lines where they were: errors name them as the editor counts them."""
    return "\n".join("" if line.startswith("#") else line for line in text.splitlines())


def _wrong(text: str, draft: Draft, equipment: Equipment) -> Iterator[str]:
    """What keeps it from being kept, one line each."""
    try:
        definition = equipment.language.read_definition(text)
    except EngineError as error:
        yield str(error)
        return
    if definition.id != draft.definition.id:
        yield f"Its id is {draft.definition.id} and stays so; its name can be changed."
    yield from (str(problem) for problem in _errors(check(definition, equipment.declarations)))


def _errors(problems: tuple[Problem, ...]) -> Iterator[Problem]:
    return (problem for problem in problems if problem.severity == "error")


async def kept(folder: DataFolder, draft: Draft, definition: Definition, equipment: Equipment) -> list[str]:
    """Keep it as one version; tells what it now is, and what somebody should look at.

    Raises:
        NotDone: Somebody else has changed it meanwhile, or it cannot be kept.
        StoreError: A bot is running, or the store cannot be written.
    """
    async with app.stored(folder, read_only=False) as store:
        revisions = {revision.workflow: revision for revision in await store.current_revisions(COMMUNITY)}
        now = revisions.get(definition.id)
        if now is None or now.number != draft.revision:
            raise NotDone(f"{definition.id} has been changed meanwhile; nothing was kept.")
        settings = settings_from(await store.config(COMMUNITY))
        there = {id: revision.definition for id, revision in revisions.items()}
        known = {*settings.values, *settings.secrets}
        problems = check(definition, equipment.declarations, known, settings.secrets, workflows=there)
        if broken := next(_errors(problems), None):
            raise NotDone(f"Nothing was changed: {broken}")
        after = await kept_as(store, definition, f"showcaller workflows edit {draft.definition.id}")
    return [f"Saved {after.id} v{after.revision}.", *(f"{problem.severity}: {problem}" for problem in problems[:10])]


# The editor and the person -------------------------------------------------------------------------------------------------


def open_editor(file: Path) -> None:
    """Open a file in the person's editor, and wait.

    Raises:
        NotDone: There is no such editor, or it failed.
    """
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ("notepad" if sys.platform == "win32" else "vi")
    try:
        command = [*shlex.split(chosen), str(file)]
        code = subprocess.run(command, check=False).returncode  # noqa: S603  it is the person's own editor
    except (OSError, ValueError) as error:
        raise NotDone(f"Your editor {chosen} could not be started: {error}. Set EDITOR to another one.") from None
    if code != 0:
        raise NotDone(f"Your editor {chosen} ended with {code}; nothing was changed. What you typed is in {file}.")


def go_on(wrong: str) -> bool:
    """Show what is wrong, and ask whether to go on; without a person to ask, no."""
    sys.stderr.write(f"{wrong}\n")
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    sys.stderr.write(_GO_ON)
    sys.stderr.flush()
    answer = sys.stdin.readline()
    return answer != "" and answer.strip().casefold() not in ("q", "quit", "n", "no")
