"""Workflows as text: printed for others, and read in again."""

import json
from dataclasses import replace
from typing import Final

from bot.catalogue import MAX_WORKFLOWS, Entry
from bot.instructions.create_and_edit import NOTHING_CHANGED, UNDO, not_theirs, overreach, runs_on, unfit, warnings
from bot.instructions.turn import Ask, Outcome, Turn, name
from bot.library import Arrival, NameTaken, keeping
from bot.reading import import_text, in_short
from bot.replies import LIMITS, Saying, in_one_line, messages, pieces, sentence
from bot.replies import MOST_MESSAGES as USUAL
from engine.convert import Imported, write_json
from engine.errors import EngineError
from engine.model import Definition
from grammar.instruction import Create, Export, Import
from grammar.names import checked
from grammar.references import Unsettled

MOST_MESSAGES: Final = 6
"""An export may take so many; it is asked for, and of no use if it is cut off."""


async def export(turn: Turn, instruction: Export) -> Outcome:
    """Print a workflow so that it can be imported elsewhere: put together, the messages are the workflow."""
    entry = turn.entry(instruction.workflow)
    if turn.message.place.takes_files:
        return _as_file(turn, entry, as_json=instruction.format == "json")
    limit = LIMITS[turn.platform]
    if instruction.format == "json":
        text = write_json(entry.definition)
        texts = cut_json(_json(entry), limit)
    elif instruction.format == "yaml":
        from bot.yaml_text import write_yaml  # loaded only by those who want YAML

        text = write_yaml(json.loads(write_json(entry.definition)))
        texts = list(messages(Saying(body=text.strip()), turn.platform, most=MOST_MESSAGES + 1))
    else:
        text = turn.desk.language.say_definition(entry.definition)
        texts = list(messages(Saying(body=text.strip()), turn.platform, most=MOST_MESSAGES + 1))
    whole = (f"{entry.id}.{instruction.format}", f"{text.strip()}\n")
    if len(texts) > MOST_MESSAGES:
        told = turn.refuse(
            f"{name(entry)} as {instruction.format} needs more than {MOST_MESSAGES} messages here. "
            f"Say it in Discord, or on the computer: showcaller workflows export {entry.id}",
            entry,
        )
        return replace(told, replies=tuple(replace(reply, whole=whole) for reply in told.replies))
    return turn.print(texts, entry, whole if len(texts) > USUAL else None)


def _as_file(turn: Turn, entry: Entry, *, as_json: bool) -> Outcome:
    """The workflow as a file, in the form in which it lies beside others."""
    written = write_json(entry.definition) if as_json else turn.desk.language.say_definition(entry.definition)
    ending = "json" if as_json else "workflow"
    head = f"{name(entry)} (v{entry.record.revision}). Whoever gets it: !workflow import"
    return turn.print_file(head, (f"{entry.id}.{ending}", f"{written.strip()}\n"), entry)


def _json(entry: Entry) -> str:
    return json.dumps(json.loads(write_json(entry.definition)), ensure_ascii=False, separators=(",", ":"))


def cut_json(text: str, limit: int) -> list[str]:
    """JSON in messages, cut after commas between values wherever there is one; joined, they are the JSON again."""
    texts: list[str] = []
    start = border = 0
    inside = escaped = False
    for at, character in enumerate(text, 1):
        if at - start > limit:
            end = border if border > start else _inside_text(text, start, at - 1)
            texts.append(text[start:end])
            start = end
        if inside:
            inside = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            inside = True
        elif character == ",":
            border = at
    return [*texts, text[start:]]


def _inside_text(text: str, start: int, end: int) -> int:
    """A place to cut a long text where the rest does not look like a command and loses no blank."""
    while end > start + 1 and (text[end] in "!/. " or text[end - 1] == " "):
        end -= 1
    return end


async def import_(turn: Turn, instruction: Import) -> Outcome:
    """Read a workflow from JSON or from the file form. The importer becomes the author of every step."""
    try:
        imported = _read(turn, instruction.source)
    except EngineError as error:
        return turn.refuse(f"{sentence(str(error))} Nothing was imported.")
    definition = imported.definition
    catalogue = turn.desk.catalogue
    entry = catalogue.get(definition.id)
    if entry is None and len(catalogue.there()) >= MAX_WORKFLOWS:
        return turn.refuse(f"There are {MAX_WORKFLOWS} workflows already; that is the limit. Delete one first.")
    if entry is not None and (refused := not_theirs(turn, entry)) is not None:
        return turn.refuse(refused, entry)
    if (refused := no_name(turn, definition)) is not None:
        return turn.refuse(refused)
    refused = unfit(turn, definition, None, former=None) or overreach(turn, definition, None)
    if refused is not None:
        return turn.refuse(refused)
    if entry is not None and entry.definition == definition:
        return turn.tell("answer", Saying(f"{name(entry)} is like that already (v{entry.record.revision})."), entry)
    if entry is not None and not turn.confirmed:
        return Ask(f"{name(entry)} is there already (v{entry.record.revision}). Replace it?", instruction, (entry.id,))
    return await keep(turn, imported)


def no_name(turn: Turn, definition: Definition) -> str | None:
    """Why it cannot be called what it is called."""
    try:
        for given in (definition.name, definition.id):
            checked(given, turn.workspace, quoted=True, own=definition.id)
    except Unsettled as unsettled:
        return f"{unsettled.answer.text} {NOTHING_CHANGED}"
    return None


def _read(turn: Turn, source: str) -> Imported:
    """The workflow in a text; a code block around it says at most in which form it is."""
    text, form = source.strip(), ""
    if text.startswith("```") and text.endswith("```") and len(text) > 6:
        text = text[3:-3]
        form = next(
            (word for word in ("json5", "json", "javascript", "js", "yaml", "yml") if text.startswith(word)), ""
        )
        text = text.removeprefix(form).strip()
    return import_text(as_lines(text), turn.desk.language, suffix=f".{form}")


def as_lines(text: str) -> str:
    """The file form as a chat that has no line breaks shows it, with its line breaks again."""
    if "\n" in text or not text.lower().startswith("workflow "):
        return text
    return "\n".join(piece.removesuffix(" · ") for piece in pieces(text))


async def keep(turn: Turn, imported: Imported, *, enabled: bool = True, more: str = "") -> Outcome:
    """Keep what was imported; what is new may come in switched off."""
    definition = imported.definition
    catalogue, origin = turn.desk.catalogue, turn.origin()
    former = await catalogue.find(definition.id)
    last = former.current.number if former is not None else 0
    arrival = Arrival(definition, turn.desk.community, turn.by, origin.at, origin.ids(), origin.words, last)
    try:
        batch, _ = keeping(arrival, catalogue.records())
    except NameTaken as error:
        return turn.refuse(str(error))
    if former is None:
        batch.workflows[0] = replace(batch.workflows[0], enabled=enabled)
    found = warnings(turn, definition, enabled=batch.workflows[0].enabled)
    await turn.save(batch, definition.id)
    entry = turn.entry(definition.id)
    # What it says now is worth more than what was pasted; it is said as the sentence that would make it.
    written = turn.desk.language.say(Create(definition), turn.workspace)
    said = in_one_line(written) if turn.platform == "twitch" else written.strip()
    return replace(turn, said=said).tell(
        "done",
        Saying(
            f"Imported {name(entry)} (v{entry.record.revision}). ",
            said,
            f". {more}{in_short(imported.notes)}{found}{runs_on(turn, entry, besides=entry.record.revision)}",
            f"… and {{}} more: !wf show {name(entry)}",
            UNDO,
        ),
        entry,
    )
