"""Create, change, rename, delete and switch workflows. Every change is answered in words that would make it again."""

from collections.abc import Sequence
from dataclasses import replace

from bot.catalogue import MAX_WORKFLOWS, Entry, authors, creation, deletion, joined, revised, switched
from bot.instructions.moving import offer
from bot.instructions.turn import Ask, Outcome, Turn, name
from bot.replies import Saying, listed, sentence, titled
from bot.rights import may_edit, overreaching
from engine.edits import SetAction, SetName, apply, touched
from engine.errors import EditError
from engine.model import Definition, Wait
from engine.validate import Problem
from engine.wording import counted
from grammar.instruction import Change, Create, Delete, Extend, Rename, SetEnabled
from grammar.names import is_blank

UNDO = "Undo: !workflow undo"
NOTHING_CHANGED = "Nothing was changed."
_LOOKED_AT = 20


async def create(turn: Turn, instruction: Create) -> Outcome:
    """Make a new workflow."""
    definition = instruction.definition
    catalogue = turn.desk.catalogue
    if len(catalogue.there()) >= MAX_WORKFLOWS:
        return turn.refuse(f"There are {MAX_WORKFLOWS} workflows already; that is the limit. Delete one first.")
    for wanted in (definition.name, definition.id):
        if (holder := catalogue.holder(wanted)) is not None:
            return turn.refuse(
                f"There is a workflow {name(holder)} already. Choose another name, or change that one: in {name(holder)} add …",
                holder,
            )
    former = await catalogue.find(definition.id)
    refused = unfit(turn, definition, None, former=None)
    if refused is not None:
        return turn.refuse(refused)
    if (asked := daring(turn, definition)) is not None and not turn.confirmed:
        return Ask(asked, instruction)
    found = warnings(turn, definition)
    batch = creation(turn.desk.community, definition, turn.origin(), turn.said, former)
    await turn.save(batch, definition.id)
    entry = turn.entry(definition.id)
    head = f"Created {name(entry)} (v{entry.record.revision}). "
    if is_blank(definition):
        found = f'It does nothing yet: say what it should do, such as: !wf in {name(entry)} add say "hi". {found}'
    return turn.tell("done", _changed(turn, entry, head, found), entry)


async def change(turn: Turn, instruction: Change) -> Outcome:
    """Edit a workflow; all edits are one version."""
    entry = turn.entry(instruction.workflow)
    if (refused := not_theirs(turn, entry)) is not None:
        return turn.refuse(refused, entry)
    definition = entry.definition
    try:
        for edit in instruction.edits:
            definition = apply(definition, edit)
    except EditError as error:
        return turn.refuse(f"{error} {NOTHING_CHANGED}", entry)
    if definition == entry.definition:
        return turn.tell("answer", Saying(f"{name(entry)} is like that already (v{entry.record.revision})."), entry)
    if (refused := taken(turn, definition, entry)) is not None:
        return turn.refuse(refused, entry)
    if (refused := unfit(turn, definition, entry.definition, former=entry)) is not None:
        return turn.refuse(refused, entry)
    if (asked := daring(turn, definition, entry.definition)) is not None and not turn.confirmed:
        return Ask(asked, instruction, (entry.id,))
    found = warnings(turn, definition, entry.definition, enabled=entry.record.enabled)
    await turn.save(revised(entry, definition, turn.origin(), "edit", turn.said), entry.id)
    entry, before = turn.entry(entry.id), entry.definition
    more = f"{await offer(turn, entry)}{await _that_run_only(turn, instruction, before)}"
    told = turn.tell("done", _changed(turn, entry, "", found, more), entry)
    return replace(told, step=touched(instruction.edits, entry.definition))


async def _that_run_only(turn: Turn, instruction: Change, before: Definition) -> str:
    """How to move the wait that goes on: whoever changes its length while it does may have meant only that."""
    for edit in instruction.edits:
        if not isinstance(edit, SetAction) or edit.name not in {state.name for state in before.states}:
            continue
        old, new = before.state(edit.name).action, edit.action
        if not isinstance(old, Wait) or not isinstance(new, Wait):
            continue
        if not isinstance(old.seconds, int | float) or not isinstance(new.seconds, int | float):
            continue
        runs = await turn.desk.runs(instruction.workflow, _LOOKED_AT)
        if any(branch.state == edit.name and branch.due is not None for run in runs for branch in run.branches):
            wish = Extend(round(new.seconds - old.seconds, 3), instruction.workflow)
            return (
                f"The run that waits is left as it is; for that: !wf {turn.desk.language.say(wish, turn.workspace)}. "
            )
    return ""


async def rename(turn: Turn, instruction: Rename) -> Outcome:
    """Give a workflow another name, which is a version."""
    entry = turn.entry(instruction.workflow)
    if (refused := not_theirs(turn, entry)) is not None:
        return turn.refuse(refused, entry)
    if entry.record.name == instruction.name:
        return turn.tell("answer", Saying(f"It is named {name(entry)} already."), entry)
    definition = apply(entry.definition, SetName(instruction.name))
    if (refused := taken(turn, definition, entry)) is not None:
        return turn.refuse(refused, entry)
    await turn.save(revised(entry, definition, turn.origin(), "rename", turn.said), entry.id)
    entry = turn.entry(entry.id)
    return turn.tell("done", Saying("Done: ", turn.said, f". It is v{entry.record.revision}. {UNDO}"), entry)


async def set_enabled(turn: Turn, instruction: SetEnabled) -> Outcome:
    """Switch a workflow on or off."""
    entry = turn.entry(instruction.workflow)
    if (refused := not_theirs(turn, entry)) is not None:
        return turn.refuse(refused, entry)
    if entry.record.enabled == instruction.enabled:
        state = "on" if instruction.enabled else "off"
        return turn.tell("answer", Saying(f"{name(entry)} is {state} already."), entry)
    found = turn.desk.check_together(entry.definition) if instruction.enabled else ()
    await turn.save(switched(entry, turn.origin(), turn.said, enabled=instruction.enabled), entry.id)
    entry = turn.entry(entry.id)
    going_on = noted(found) if instruction.enabled else runs_on(turn, entry)
    return turn.tell("done", Saying("Done: ", turn.said, f". {going_on}{UNDO}"), entry)


async def delete(turn: Turn, instruction: Delete) -> Outcome:
    """Delete workflows, after a yes."""
    entries = [turn.entry(id) for id in dict.fromkeys(instruction.workflows)]
    for entry in entries:
        if (refused := not_theirs(turn, entry)) is not None:
            return turn.refuse(refused, entry)
    if not entries:
        return turn.refuse("There is no workflow to delete.")
    if not turn.confirmed:
        ids = tuple(entry.id for entry in entries)
        return Ask(_really_delete(turn, entries), Delete(ids), ids)
    origin = turn.origin()
    await turn.save(joined(deletion(entry, origin, turn.said) for entry in entries), entries[-1].id)
    going_on = "".join(runs_on(turn, entry) for entry in entries)
    saying = Saying("Done: ", turn.said, f". {going_on}{UNDO}")
    return turn.tell("done", saying, entries[0] if len(entries) == 1 else None, entries[-1].id)


def _really_delete(turn: Turn, entries: list[Entry]) -> str:
    each = [
        f"{name(entry)} (v{entry.record.revision}, {counted(len(entry.definition.states), 'step')})"
        for entry in entries
    ]
    going_on = "".join(runs_on(turn, entry) for entry in entries)
    return f"Delete {listed(each)}? {going_on}It can be undone."


# What stands in the way ----------------------------------------------------------------------------------------------------


def not_theirs(turn: Turn, entry: Entry) -> str | None:
    """Why this person may not change that workflow."""
    if may_edit(turn.by, entry.definition):
        return None
    allowed = entry.definition.policy.may_edit
    who = "the streamer and moderators" if allowed is None else listed([_PLURALS[role] for role in allowed])
    return f"Only {who} can change {name(entry)}."


_PLURALS = {
    "broadcaster": "the broadcaster",
    "moderator": "moderators",
    "vip": "VIPs",
    "subscriber": "subscribers",
    "everyone": "everyone",
}


def taken(turn: Turn, definition: Definition, entry: Entry) -> str | None:
    """Why the workflow cannot have the name it would have."""
    holder = turn.desk.catalogue.holder(definition.name, besides=entry.id)
    if holder is None:
        return None
    return f"Another workflow is named {titled(holder.record.name)} already. {NOTHING_CHANGED}"


def unfit(turn: Turn, definition: Definition, before: Definition | None, former: Entry | None) -> str | None:
    """Why a definition cannot be kept: what would not run, or what its author may not have done."""
    errors = [problem for problem in turn.problems(definition, before) if problem.severity == "error"]
    if errors:
        more = f" (and {counted(len(errors) - 1, 'more problem')})" if len(errors) > 1 else ""
        return f"{sentence(f'That would not run: {_unsaid(errors[0])}{more}')} {NOTHING_CHANGED}"
    return overreach(turn, definition, former)


def overreach(turn: Turn, definition: Definition, former: Entry | None) -> str | None:
    """Why this person may not write these steps."""
    by = authors(definition, former.current if former is not None else None, turn.by)
    found = next(overreaching(definition, by, turn.by, turn.desk.declarations), None)
    if found is None:
        return None
    state, method = found
    words = turn.desk.language.say_step(definition, state.name)
    who = "the broadcaster" if method.right == "broadcaster" else "the streamer and moderators"
    return f"Only {who} may put that into a workflow: {words}. {NOTHING_CHANGED}"


def daring(turn: Turn, definition: Definition, before: Definition | None = None) -> str | None:
    """The question whether something is really wanted that many people would notice."""
    found = [problem for problem in turn.problems(definition, before) if problem.asks]
    if not found:
        return None
    more = f" (and {counted(len(found) - 1, 'more like that')})" if len(found) > 1 else ""
    place = f"{found[0].place[:1].upper()}{found[0].place[1:]}: " if found[0].place else ""
    return f"{place}{found[0].sentence}{more}. Keep it so?"


def warnings(turn: Turn, definition: Definition, before: Definition | None = None, *, enabled: bool = True) -> str:
    """What somebody should look at, in a sentence or two: first what is new among all workflows together."""
    together = turn.desk.check_together(definition) if enabled else ()
    single = [found for found in turn.problems(definition, before) if found.severity == "warning"]
    return noted([*together, *(found for found in single if not (found.asks and turn.confirmed))])


def noted(found: Sequence[Problem]) -> str:
    """Problems that keep nothing from running, in a sentence or two."""
    said = "".join(f"{sentence(f'Note: {worded(problem)}')} " for problem in found[:2])
    more = f"({counted(len(found) - 2, 'more note')}.) " if len(found) > 2 else ""
    return f"{said}{more}"


def worded(problem: Problem) -> str:
    """A problem without its full stop."""
    said = str(problem)
    return said if said.endswith("...") else said.removesuffix(".")


def _unsaid(problem: Problem) -> str:
    """A problem of what was not saved, so that there is nothing yet to say its suggestion about."""
    suggestion = problem.suggestion if problem.said is None else f"it would take: {problem.said}"
    return worded(replace(problem, suggestion=suggestion))


def runs_on(turn: Turn, entry: Entry, *, besides: int | None = None) -> str:
    """What still runs of a workflow, on whichever version it was started with."""
    runs = {number: count for (_, number), count in turn.desk.running(entry.id).items() if number != besides}
    if not runs:
        return ""
    count = sum(runs.values())
    versions = listed([f"v{number}" for number in sorted(runs)])
    return f"{counted(count, 'run')} still {'goes' if count == 1 else 'go'} on with {versions}. "


def _changed(turn: Turn, entry: Entry, head: str, found: str, offered: str = "") -> Saying:
    stop = "" if turn.said.endswith(".") else "."
    tail = f"{stop} {found}{runs_on(turn, entry, besides=entry.record.revision)}{offered}"
    return Saying(head, turn.said, tail, f"… and {{}} more: !wf show {titled(entry.record.name)}", UNDO)
