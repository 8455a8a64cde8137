"""Which change somebody wants taken back who names no version: mine, the timeout, all since I started, a deleted workflow.

It finds that in what is stored and gives an instruction, a question or a sentence; it takes nothing back itself.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from bot.catalogue import folded, undoable
from bot.hearing import Heard, Hearing
from bot.instructions.versions import same_person
from bot.replies import clipped, titled
from bot.rights import is_staff
from engine.ports import ChangeRecord
from grammar.instruction import Instruction, Refusal, Restore, TakeBack, Understanding, Undo
from grammar.names import lookup
from grammar.workspace import Workspace

AN_HOUR: Final = 3600.0
"""Whoever has changed nothing for so long and then goes on has started anew."""
_LONGEST: Final = 200
"""Nobody says that in more characters."""
_BEGIN: Final = r"(?:(?:and|ok|okay|so|hm+|oh|wait|no|sorry|oops|please|pls|can you)[, ]+)*"
_UNDO: Final = r"(?:undo|revert|reverse|roll back|take back|scrap|scratch)"
_END: Final = r"(?:,? (?:too|as well|again|please|pls|then|now))*[.!?]*"
_WORKFLOW: Final = r"(?: (?:of|in|from|on) (?P<workflow>\S.*?))?"
_CHANGE: Final = r"(?:change|edit|one|thing|version|part|stuff)"
_MINE: Final = re.compile(
    rf"{_BEGIN}{_UNDO} (?:mine|my(?: (?:own|last|latest))*(?: {_CHANGE})?|what i(?: just)? (?:did|changed))"
    rf"{_WORKFLOW}{_END}",
    re.IGNORECASE,
)
_THAT: Final = re.compile(
    rf"{_BEGIN}{_UNDO} (?:the|that|this|his|her|their) (?P<what>[\w#'\"-]+(?: [\w#'\"-]+){{0,3}}?)(?: {_CHANGE})?{_END}",
    re.IGNORECASE,
)
_THEIRS: Final = re.compile(
    rf"{_BEGIN}{_UNDO} (?:(?P<who>@?[\w-]+?)['’]?s(?: (?:own|last|latest))* {_CHANGE}|what (?P<whoever>@?[\w-]+)(?: has)?(?: just)? "
    rf"(?:did|done|changed)){_WORKFLOW}{_END}",
    re.IGNORECASE,
)
_BEFORE_ME: Final = re.compile(
    rf"{_BEGIN}(?:put|bring|set|reset|restore|change|turn|undo|get) (?P<what>\S.*?)(?: back)?(?: to)? (?:how|the way|what|as|like) "
    rf"(?:it|that|everything|they|things) (?:all )?(?:was|were|looked) before (?:i|we) (?:even )?"
    rf"(?:started|began|came(?: along)?|(?:changed|touched|did) (?:it|anything|something))(?: \w+ing\b.*)?{_END}",
    re.IGNORECASE,
)
_BACK: Final = re.compile(
    rf"{_BEGIN}(?:(?:bring|get|put|give me|i want|i need|we need|take) (?P<name>\S.*?) back|(?:bring|get|put) back (?P<moved>\S.*?)"
    rf"|(?:undelete|restore|recover|resurrect|revive|unremove) (?P<gone>\S.*?)){_END}",
    re.IGNORECASE,
)
_SMALL: Final = re.compile(r"\A(?:the|my|our|that|workflow)\s+|\s+workflow\Z", re.IGNORECASE)
_WORD: Final = re.compile(r"\w+")
_POINTING: Final = frozenset({"that", "this", "it", "last"})


def points_back(said: str) -> bool:
    """Whether words to undo something point at what was said last: `undo that`, `take back that last one`."""
    return not _POINTING.isdisjoint(_WORD.findall(said.casefold()))


async def which_change(
    hearing: Hearing, heard: Heard, understanding: Understanding, workspace: Workspace
) -> Instruction | str | None:
    """What is to be taken back, or why that cannot be told; None if nothing of the sort is said.

    Raises:
        StoreError: What has been changed cannot be read.
    """
    said = heard.text.strip()
    if len(said) > _LONGEST or not is_staff(heard.message.author):
        return None
    if (mine := _MINE.fullmatch(said)) is not None:
        by = heard.message.author
        return await _whose(hearing, lambda change: same_person(change.by, by), "yours", mine["workflow"], workspace)
    if not isinstance(understanding, Refusal):
        return None
    if (before := _BEFORE_ME.fullmatch(said)) is not None:
        return await _before_me(hearing, heard, before["what"], workspace)
    if (back := _BACK.fullmatch(said)) is not None:
        return await _deleted(hearing, back["name"] or back["moved"] or back["gone"])
    if (theirs := _THEIRS.fullmatch(said)) is not None:
        who = (theirs["who"] or theirs["whoever"]).removeprefix("@").casefold()
        own = await _whose(
            hearing, lambda change: change.by.name.casefold() == who, f"{who}'s", theirs["workflow"], workspace
        )
        if not isinstance(own, str):
            return own
    if (that := _THAT.fullmatch(said)) is not None:
        return await _about(hearing, that["what"], workspace)
    return None


async def _whose(
    hearing: Hearing, is_theirs: Callable[[ChangeRecord], bool], whose: str, named: str | None, workspace: Workspace
) -> Instruction | str | None:
    """The last change of a workflow that is somebody's."""
    view = workspace.workflows.get(workspace.focus or "") if named is None else lookup(named, workspace)
    if view is None:
        return None
    workflow = view.definition.id
    changes = undoable(await hearing.desk.catalogue.changes(workflow))
    place = next((at for at, change in enumerate(changes) if is_theirs(change)), None)
    if place is None:
        return f"No change of {titled(view.definition.name)} that could be taken back is {whose}.{_last(changes)}"
    return _taking_back(workflow, changes, place)


def _last(changes: Sequence[ChangeRecord]) -> str:
    """Whose the last change was, and what."""
    if not changes:
        return ""
    return f" The last one is {changes[0].by.name}'s: {clipped(changes[0].summary or changes[0].kind, 100)}."


def _taking_back(workflow: str, changes: Sequence[ChangeRecord], place: int) -> Instruction:
    """One of several changes; what makes no version of its own goes with all since then."""
    change = changes[place]
    makes_one = change.before is not None and change.before.revision != change.after.revision
    return TakeBack(workflow, change.after.revision) if place and makes_one else Undo(workflow, place + 1)


async def _about(hearing: Hearing, what: str, workspace: Workspace) -> Instruction | None:
    """The latest change of the workflow in focus in whose words all of these are."""
    if workspace.focus is None:
        return None
    wanted = {_stem(word) for word in _WORD.findall(what.casefold())}
    changes = undoable(await hearing.desk.catalogue.changes(workspace.focus))
    for place, change in enumerate(changes):
        known = {_stem(word) for word in _WORD.findall(f"{change.summary} {change.words}".casefold())}
        if wanted <= known:
            return _taking_back(workspace.focus, changes, place)
    return None


def _stem(word: str) -> str:
    return word.rstrip("s") if len(word) > 3 else word


async def _before_me(hearing: Hearing, heard: Heard, what: str, workspace: Workspace) -> Instruction | str | None:
    """As the workflow was before this person's first change of those that followed each other."""
    named = lookup(_SMALL.sub("", what), workspace)
    view = named or workspace.workflows.get(workspace.focus or "")
    if view is None:
        return None
    changes = undoable(await hearing.desk.catalogue.changes(view.definition.id))
    own = [change for change in changes if same_person(change.by, heard.message.author)]
    first = _first_of_these(own, hearing.desk.clock.now())
    if first is None:
        return f"You have changed nothing of {titled(view.definition.name)} lately.{_last(changes)}"
    if first.before is None or first.before.deleted:
        return f"{titled(view.definition.name)} was not there before you made it. To delete it: !wf delete {titled(view.definition.name)}"
    return Restore(view.definition.id, first.before.revision)


def _first_of_these(own: Sequence[ChangeRecord], now: float) -> ChangeRecord | None:
    """The first of somebody's changes, given newest first, that followed each other without a long pause."""
    first: ChangeRecord | None = None
    for change in own:
        if (first.at if first is not None else now) - change.at > AN_HOUR:
            break
        first = change
    return first


async def _deleted(hearing: Hearing, name: str) -> Instruction | None:
    """The undo of a deletion, of the workflow that had this name."""
    wanted = folded(_SMALL.sub("", name.strip("\"' ")))
    for entry in await hearing.desk.catalogue.gone():
        if wanted in (folded(entry.id), folded(entry.record.name)):
            return Undo(entry.id)
    return None
