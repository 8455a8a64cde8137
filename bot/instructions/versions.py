"""Undo, redo, diff and history: the versions of a workflow, and the way back."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.catalogue import Entry, Undone, redoable, restoration, undoable
from bot.instructions.create_and_edit import not_theirs, runs_on
from bot.instructions.past import revision_of
from bot.instructions.turn import Ask, Outcome, Told, Turn, name
from bot.replies import Saying, clipped, listed, quoted, titled
from engine.execution import Person
from engine.model import Definition
from engine.ports import ChangeRecord, Standing
from engine.wording import counted
from grammar.instruction import Diff, History, Question, Redo, TakeBack, Undo
from grammar.workspace import WorkflowView

_NUMBERED = re.compile(r"(\d+)\. (.*)", re.DOTALL)
_LONGEST_WORDS = 70
_LONGEST_SUMMARY = 160
_LONG_AGO = 300.0
"""So many seconds after a change of somebody else, nobody means it without saying so."""
_AN_HOUR = 3_600.0
_TOOK_BACK = "undo v"
"""What the words of a change begin with that took back one change among others."""


# Undo and redo -------------------------------------------------------------------------------------------------------------


async def undo(turn: Turn, instruction: Undo) -> Outcome:
    """Take back the last changes of a workflow; another person's only after a yes."""
    found = await _to_undo(turn, instruction.workflow)
    if found is None:
        return turn.refuse("There is nothing to undo.")
    entry, changes = found
    if (refused := not_theirs(turn, entry)) is not None:
        return turn.refuse(refused, entry)
    if len(changes) < instruction.count:
        can = (
            f"{counted(len(changes), 'change')} of {name(entry)} can" if changes else f"No change of {name(entry)} can"
        )
        return turn.refuse(f"{can} be undone. Nothing was changed.", entry)
    back = changes[: instruction.count]
    said = _said(turn, Undo(entry.id, instruction.count), entry)
    if not turn.confirmed and (others := _others(back, turn.by)):
        if instruction.workflow is None and instruction.count == 1 and len(others) == 1:
            unasked = _not_just_now(turn, entry, changes)
            if unasked is not None:
                return unasked
        return Ask(_whose(turn, entry, back, others), Undo(entry.id, instruction.count), (entry.id,))
    target = back[-1].before
    return await _restore(replace(turn, said=said), entry, target, back, back, "undo")


def _not_just_now(turn: Turn, entry: Entry, changes: Sequence[ChangeRecord]) -> Outcome | None:
    """What is said to a mere `undo` where the last change is another person's: which one, or that it was long ago.

    None if it was just made, so that it may well be meant.
    """
    now = turn.desk.clock.now()
    last = changes[0]
    own = next((change for change in changes if same_person(change.by, turn.by) and now - change.at <= _AN_HOUR), None)
    if own is not None and own.before is not None and own.before.revision != own.after.revision:
        options = (_said(turn, Undo(entry.id), entry), _said(turn, TakeBack(entry.id, own.after.revision), entry))
        hints = (f"{last.by.name}'s: {_summary(last)}", f"yours: {_summary(own)}")
        text = (
            f"The last change of {name(entry)} is {last.by.name}'s, yours came before it. Which one should I take back?"
        )
        return Told((), entry.id, asks=(Question(text, options, hints=hints),))
    if own is not None or now - last.at <= _LONG_AGO:
        return None
    return turn.refuse(
        f"You have changed nothing of {name(entry)} just now, so nothing is taken back. Its last change is {last.by.name}'s of "
        f"{turn.desk.time(last.at)}: {_summary(last)}. To take that back: !wf {_said(turn, Undo(entry.id), entry)}",
        entry,
    )


def _summary(change: ChangeRecord) -> str:
    return clipped(change.summary or change.kind, _LONGEST_SUMMARY)


async def redo(turn: Turn, instruction: Redo) -> Outcome:
    """Take back the last undos of a workflow."""
    found = await _to_redo(turn, instruction.workflow)
    if found is None or not found[1]:
        return await _nothing_to_redo(turn, instruction)
    entry, undone = found
    if (refused := not_theirs(turn, entry)) is not None:
        return turn.refuse(refused, entry)
    if len(undone) < instruction.count:
        can = f"{counted(len(undone), 'undo')} of {name(entry)} can"
        return turn.refuse(f"{can} be taken back. Nothing was changed.", entry)
    again = undone[: instruction.count]
    said = _said(turn, Redo(entry.id, instruction.count), entry)
    undos = [each.undo for each in again]
    return await _restore(
        replace(turn, said=said), entry, again[-1].change.after, undos, [each.change for each in again], "redo"
    )


async def _nothing_to_redo(turn: Turn, instruction: Redo) -> Outcome:
    """Why; unless the person has just taken something back by name, which can be brought back as well."""
    meant = instruction.workflow if instruction.workflow is not None else turn.focus
    entry = await turn.desk.catalogue.find(meant) if meant is not None else None
    changes = await turn.desk.catalogue.changes(entry.id) if entry is not None else []
    done = undoable(changes)
    if entry is None:
        return turn.refuse("There is nothing to redo.")
    if (refused := not_theirs(turn, entry)) is not None:
        return turn.refuse(refused, entry)
    nothing = f"No undo of {name(entry)} can be taken back. Nothing was changed."
    if not done:
        return turn.refuse(nothing, entry)
    last = done[0]
    if last.summary.startswith(_TOOK_BACK) and same_person(last.by, turn.by):
        said = _said(turn, Redo(entry.id, instruction.count), entry)
        return await _restore(replace(turn, said=said), entry, last.before, done[:1], done[:1], "undo")
    if any(change.kind == "undo" for change in changes):
        return turn.refuse(
            f"There is nothing to redo: {name(entry)} has been changed since the last undo, {last.by.name}: {_summary(last)}.",
            entry,
        )
    return turn.refuse(nothing if instruction.workflow is not None else "There is nothing to redo.", entry)


async def _to_undo(turn: Turn, workflow: str | None) -> tuple[Entry, tuple[ChangeRecord, ...]] | None:
    """The workflow meant: the one named, the one in focus, the one this person changed last, the one changed last."""
    catalogue = turn.desk.catalogue
    for id in [workflow] if workflow is not None else [turn.focus]:
        entry = await catalogue.find(id) if id is not None else None
        if entry is not None:
            changes = undoable(await catalogue.changes(entry.id))
            if changes or workflow is not None:
                return entry, changes
    tops = [(changes[0], changes) for changes in map(undoable, await _by_workflow(turn)) if changes]
    if workflow is not None or not tops:
        return None
    _, changes = max(tops, key=lambda top: (same_person(top[0].by, turn.by), top[0].at))
    entry = await catalogue.find(changes[0].workflow)
    return None if entry is None else (entry, undoable(await catalogue.changes(entry.id)))


async def _to_redo(turn: Turn, workflow: str | None) -> tuple[Entry, tuple[Undone, ...]] | None:
    catalogue = turn.desk.catalogue
    for id in [workflow] if workflow is not None else [turn.focus]:
        entry = await catalogue.find(id) if id is not None else None
        if entry is not None:
            undone = redoable(await catalogue.changes(entry.id))
            if undone or workflow is not None:
                return entry, undone
    tops = [(undone[0].undo, undone) for undone in map(redoable, await _by_workflow(turn)) if undone]
    if workflow is not None or not tops:
        return None
    last, _ = max(tops, key=lambda top: (same_person(top[0].by, turn.by), top[0].at))
    entry = await catalogue.find(last.workflow)
    return None if entry is None else (entry, redoable(await catalogue.changes(entry.id)))


async def _by_workflow(turn: Turn) -> list[list[ChangeRecord]]:
    found: dict[str, list[ChangeRecord]] = {}
    for change in await turn.desk.catalogue.changes():
        found.setdefault(change.workflow, []).append(change)
    return list(found.values())


def same_person(one: Person, other: Person) -> bool:
    """Whether two names are one person's: by the platform's id, where it has given one."""
    if one.platform != other.platform:
        return False
    return one.id == other.id if one.id and other.id else one.name.casefold() == other.name.casefold()


def _others(changes: Sequence[ChangeRecord], by: Person) -> list[ChangeRecord]:
    return [change for change in changes if not same_person(change.by, by)]


def _whose(turn: Turn, entry: Entry, back: Sequence[ChangeRecord], others: Sequence[ChangeRecord]) -> str:
    whose = listed(list(dict.fromkeys(change.by.name for change in others)))
    if len(back) == 1:
        change = back[0]
        summary = clipped(change.summary or change.kind, _LONGEST_SUMMARY)
        return f"That was {whose}'s change at {turn.desk.time(change.at)}: {summary}. Take it back?"
    return f"Of the last {len(back)} changes of {name(entry)}, {len(others)} are by {whose}. Take them back?"


async def _restore(
    turn: Turn,
    entry: Entry,
    target: Standing | None,
    reverses: Sequence[ChangeRecord],
    shown: Sequence[ChangeRecord],
    kind: str,
) -> Outcome:
    catalogue = turn.desk.catalogue
    content = await catalogue.revision(entry.id, target.revision) if target is not None else entry.current
    if content is None:
        return turn.refuse(f"That version of {name(entry)} is no longer there. Nothing was changed.", entry)
    if target is not None and not target.deleted and (holder := catalogue.holder(target.name, besides=entry.id)):
        return turn.refuse(
            f"Another workflow is named {name(holder)} now; rename it first. Nothing was changed.", entry
        )
    summary = turn.said
    batch = restoration(entry, target, content, reverses, turn.origin(), "redo" if kind == "redo" else "undo", summary)
    await turn.save(batch, entry.id)
    after = await catalogue.find(entry.id)
    assert after is not None, "it has just been saved"  # noqa: S101
    did = "Brought back" if kind == "redo" else "Took back"
    what = "; ".join(
        f"{clipped(change.summary or change.kind, _LONGEST_SUMMARY)}{_by(change, turn)}" for change in shown[:2]
    )
    more = f" and {counted(len(shown) - 2, 'more change')}" if len(shown) > 2 else ""
    way_back = "Undo: !workflow undo" if kind == "redo" else "Redo: !workflow redo"
    going_on = runs_on(turn, after, besides=after.record.revision)
    tail = f". {_became(entry, after)}. {did}: {what}{more}. {going_on}{way_back}"
    return turn.tell("done", Saying("Done: ", turn.said, tail), after)


def _by(change: ChangeRecord, turn: Turn) -> str:
    """Whose change it was, if it was not the asker's own."""
    return "" if same_person(change.by, turn.by) else f" (by {change.by.name})"


def _became(before: Entry, after: Entry) -> str:
    version = f"v{after.record.revision}"
    if after.record.deleted:
        return f"{name(after)} is deleted ({version})"
    if before.record.deleted:
        return f"{name(after)} is back ({version})"
    if before.record.name != after.record.name:
        return f"{name(before)} is named {name(after)} again ({version})"
    if before.record.enabled != after.record.enabled:
        return f"{name(after)} is {'on' if after.record.enabled else 'off'} again ({version})"
    return f"{name(after)} is {version} now"


def _said(turn: Turn, instruction: Undo | TakeBack | Redo, entry: Entry) -> str:
    """The instruction in canonical words; what was deleted can be named here too."""
    view = WorkflowView(entry.definition, entry.record.revision, entry.record.enabled)
    workspace = replace(turn.workspace, workflows={**turn.workspace.workflows, entry.id: view})
    return turn.desk.language.say(instruction, workspace)


# Diff ------------------------------------------------------------------------------------------------------------------------


async def diff(turn: Turn, instruction: Diff) -> Outcome:
    """What the last change changed, or all changes since a version, up to another or to now."""
    entry = turn.entry(instruction.workflow)
    number = entry.current.number
    new = entry.definition
    if instruction.until is not None and instruction.until != number:
        later = await revision_of(turn, entry, instruction.until, begun=True)
        if isinstance(later, str):
            return turn.refuse(later, entry)
        number, new = later.number, later.definition
    if instruction.since is None and number == 1:
        return turn.tell("answer", Saying(f"{name(entry)} is v1; nothing has been changed since it was made."), entry)
    old = await revision_of(turn, entry, instruction.since or number - 1, begun=True)
    if isinstance(old, str):
        return turn.refuse(old, entry)
    since = old.number
    lines = list(differences(turn, old.definition, new))
    head = f"{name(entry)} v{since} -> v{number}: "
    return turn.tell("answer", Saying(head, "\n".join(lines) or "no difference.", rest="and {} more"), entry)


def differences(turn: Turn, old: Definition, new: Definition) -> Iterator[str]:
    """What differs, one line each: `+` came, `-` went, `->` changed."""
    before, after = _header(turn, old), _header(turn, new)
    yield from (f"- {line}" for line in before if line not in after)
    yield from (f"+ {line}" for line in after if line not in before)
    was, now = _steps(turn, old), _steps(turn, new)
    yield from (f"- step {number} {words}" for state, (number, words) in was.items() if state not in now)
    for state, (number, words) in now.items():
        if state not in was:
            yield f"+ step {number} {words}"
        elif was[state][1] != words:
            yield f"step {number} {was[state][1]} -> {words}"
    kept = [state for state in was if state in now]
    if kept != [state for state in now if state in was]:
        yield f"order: {', '.join(now)}"


def _header(turn: Turn, definition: Definition) -> list[str]:
    """Everything but the steps, one line each."""
    lines = turn.desk.language.say_definition(definition).split("\n")
    return lines[: lines.index("")] if "" in lines else lines


def _steps(turn: Turn, definition: Definition) -> dict[str, tuple[int, str]]:
    """Number and words of each step by its name; where it leads is said if that is not just the next one."""
    words: dict[int, str] = {}
    for line in turn.desk.language.say_definition(definition).split("\n"):
        if numbered := _NUMBERED.fullmatch(line):
            words[int(numbered.group(1))] = numbered.group(2)
    return {
        state.name: (number, _unnamed(words.get(number, ""), state.name))
        for number, state in enumerate(definition.states, 1)
    }


def _unnamed(words: str, name: str) -> str:
    """A step without its name, which it has all the time, whether its place makes it worth saying or not."""
    return words.removeprefix(f"[{name}] ").removeprefix(f"[{quoted(name)}] ")


# History -----------------------------------------------------------------------------------------------------------------------


async def history(turn: Turn, instruction: History) -> Outcome:
    """Who changed a workflow, when, into which version, and in which words."""
    entry = await turn.desk.catalogue.find(instruction.workflow)
    if entry is None:
        return turn.refuse("There is no such workflow.")
    changes = await turn.desk.catalogue.changes(entry.id)
    # Several changes taken back at once are one message of one person, and one line.
    lines = list(dict.fromkeys(_line(turn, change) for change in changes))
    head = f"{titled(entry.record.name)}: "
    return turn.tell("answer", Saying(head, "\n".join(lines), rest="and {} older"), entry)


def _line(turn: Turn, change: ChangeRecord) -> str:
    words = clipped(" ".join((change.words or change.summary).split()), _LONGEST_WORDS)
    return f"v{change.after.revision} {change.by.name} {turn.desk.time(change.at)} {change.kind}: “{words}”"
