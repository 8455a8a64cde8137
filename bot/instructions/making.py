"""Make a workflow from one that is there, or from one that comes with the bot."""

from collections.abc import Iterator
from dataclasses import replace

from bot import templates
from bot.catalogue import MAX_WORKFLOWS, creation
from bot.instructions.create_and_edit import UNDO, unfit, warnings
from bot.instructions.turn import Outcome, Told, Turn, name
from bot.replies import Saying, quoted, titled
from engine.model import Definition
from grammar.instruction import Copy, Create, FromTemplate, Question
from grammar.names import slug
from grammar.starts import by_command
from grammar.words import fold


async def copy(turn: Turn, instruction: Copy) -> Outcome:
    """The same workflow under another name; off, if both would start on the same."""
    entry = turn.entry(instruction.workflow)
    definition = _named(turn, entry.definition, instruction.name)
    if instruction.command is not None:
        definition = definition.model_copy(update={"triggers": by_command(definition.triggers, instruction.command)})
    twice = entry.record.enabled and bool(definition.triggers) and instruction.command is None
    off = f"It is off, since {name(entry)} starts on the same; to switch it on: enable {titled(instruction.name)}. "
    return await _make(turn, definition, enabled=not twice, more=off if twice else "")


async def from_template(turn: Turn, instruction: FromTemplate) -> Outcome:
    """A workflow as it comes with the bot, said in full, since nobody has seen it yet."""
    written = turn.desk.language.read_definition(templates.text(instruction.template))
    definition = _named(turn, written, instruction.name)
    said = turn.desk.language.say(Create(definition), turn.workspace).strip()
    shown = " · ".join(line for line in said.splitlines() if line.strip())
    made = await _make(turn, definition, more=f"It is: {shown} ")
    done = any(reply.kind == "done" for reply in made.replies)
    return replace(made, asks=tuple(_questions(definition))) if done else made


def _questions(definition: Definition) -> Iterator[Question]:
    """What a template leaves open: each of its variables that has a value to begin with and says what it is for."""
    for variable, declared in definition.variables.items():
        if declared.description and isinstance(declared.default, str):
            kept = f"{declared.description} ({quoted(declared.default)} for now; never mind keeps that)"
            yield Question(kept, gap=f"{variable} defaults to {{}}", verbatim=True)


def _named(turn: Turn, definition: Definition, called: str) -> Definition:
    taken = {fold(each.id) for each in turn.desk.catalogue.there()}
    return definition.model_copy(update={"name": called, "id": slug(called, taken.__contains__)})


async def _make(turn: Turn, definition: Definition, *, enabled: bool = True, more: str = "") -> Told:
    catalogue = turn.desk.catalogue
    if len(catalogue.there()) >= MAX_WORKFLOWS:
        return turn.refuse(f"There are {MAX_WORKFLOWS} workflows already; that is the limit. Delete one first.")
    if (holder := catalogue.holder(definition.name)) is not None:
        return turn.refuse(f"There is a workflow {name(holder)} already. Choose another name.", holder)
    refused = unfit(turn, definition, None, former=None)
    if refused is not None:
        return turn.refuse(refused)
    former = await catalogue.find(definition.id)
    batch = creation(turn.desk.community, definition, turn.origin(), turn.said, former)
    batch.workflows[0] = replace(batch.workflows[0], enabled=enabled)
    found = warnings(turn, definition, enabled=enabled)
    await turn.save(batch, definition.id)
    entry = turn.entry(definition.id)
    head = f"Created {name(entry)} (v{entry.record.revision}): "
    shown = f"… and more: !wf show {titled(entry.record.name)}"
    return turn.tell("done", Saying(head, turn.said, f". {more}{found}", shown, UNDO), entry)


async def list_templates(turn: Turn) -> Outcome:
    """What there is to begin with, and how."""
    known = templates.names()
    tail = f". Say: !wf create from template {known[0]}"
    return turn.tell("answer", Saying("Templates: ", ", ".join(known), tail))
