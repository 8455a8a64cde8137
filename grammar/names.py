"""What a workflow is called: finding one by what was typed, making up names, and refusing those that cannot be said.

Case is ignored and a blank is an underscore; ids and names live in one name space.
"""

import re
from collections.abc import Callable
from typing import Final

from engine.events import canonical, kind_of
from engine.formulas import And, Compare, Formula, Literal, Variable
from engine.model import MAX_NAME, Definition, Stop, Trigger
from grammar.instruction import Question, Refusal
from grammar.references import Unsettled, nearest, refuse
from grammar.words import fold
from grammar.workspace import WorkflowView, Workspace

ALONE: Final = frozenset(
    {"list", "show", "stop", "undo", "redo", "help", "yes", "no", "status", "why", "cancel", "pause", "resume", "all"}
    | {"everything", "it", "this", "that"}
)
_FUNCTION_WORDS: Final = frozenset(
    {"a", "an", "the", "for", "to", "of", "in", "on", "at", "me", "my", "and", "then", "is", "be", "some", "with"}
    | {"all", "both", "each", "it", "its", "that", "this", "them", "every", "better", "when", "if", "run"}
)
_MAX_UNQUOTED_WORDS: Final = 3


class NoneYet(Refusal):
    """There are no workflows at all; whoever can read adds an example of how to make one."""


def find(typed: str, workspace: Workspace) -> WorkflowView:
    """The workflow of that id or name.

    Raises:
        Unsettled: There is none; the refusal names the nearest ones.
    """
    view = lookup(typed, workspace)
    if view is not None:
        return view
    known = [view.definition.name for view in workspace.workflows.values()]
    if not known:
        raise Unsettled(NoneYet(f'There is no workflow "{typed}"; there are none yet.'))
    near = nearest(typed, known)
    hint = f'Did you mean "{near[0]}"?' if near else f"There is {', '.join(known[:6])}."
    raise refuse(f'There is no workflow "{typed}". {hint}', *near)


class NotSaidWhich(Unsettled):
    """No workflow is named or in focus, and there are several; whoever knows what was to be done with it can say it of each."""


def lookup(typed: str, workspace: Workspace) -> WorkflowView | None:
    """The workflow of that id or name, if there is one; an id wins over a name."""
    return workspace.workflows.get(typed) or workspace.by_name.get(fold(typed))


def focused(workspace: Workspace, sentence: str) -> WorkflowView:
    """The workflow that is meant when none is named: that in focus, or the only one.

    Raises:
        Unsettled: It has to be asked.
    """
    if workspace.focus is not None and workspace.focus in workspace.workflows:
        return workspace.workflows[workspace.focus]
    if len(workspace.workflows) == 1:
        return next(iter(workspace.workflows.values()))
    if not workspace.workflows:
        raise Unsettled(NoneYet("There is no workflow yet to do that to."))
    names = [quoted_name(view.definition.name) for view in workspace.workflows.values()]
    options = tuple(f"in {name} {sentence}" for name in names[:9])
    raise NotSaidWhich(Question("In which workflow?", options, hints=tuple(names[:9])))


def quoted_name(name: str) -> str:
    """A workflow's name as it is said: bare if it is one plain word, else in quotes."""
    plain = re.fullmatch(r"[^\W\d]\w*(?:-\w+)*", name) is not None and name.casefold() not in ALONE
    return name if plain else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def checked(name: str, workspace: Workspace, *, quoted: bool, own: str | None = None) -> str:
    """A new name as it will be kept.

    Args:
        name: As typed.
        workspace: Whose names are taken.
        quoted: Whether it stood in quotes; then it may be longer and hold any words.
        own: The id of the workflow that gets it, if it exists already.

    Raises:
        Unsettled: It cannot be a name.
    """
    name = name if quoted else " ".join(name.split())
    folded = fold(name)
    if not folded:
        raise refuse('A workflow needs a name, such as: create welcome when someone follows say "hi"')
    if len(name) > MAX_NAME:
        raise refuse(f"A name may have {MAX_NAME} characters; this one has {len(name)}.")
    if folded in ALONE:
        raise refuse(f'"{name}" cannot be a name, because it is an instruction by itself. Try "my {name}".')
    if re.fullmatch(r"[\d_.,-]+", folded):
        raise refuse(f'"{name}" cannot be a name, because it is a number. Try "part {name}".')
    if not quoted:
        _refuse_sentence(name)
    taken = lookup(name, workspace)
    if taken is not None and taken.definition.id != own:
        shown = quoted_name(taken.definition.name)
        raise refuse(f"There is a workflow {shown} already. Take another name, or change it: in {shown} add ...")
    return name


def _refuse_sentence(name: str) -> None:
    words = name.casefold().split()
    if len(words) > _MAX_UNQUOTED_WORDS or any(word in _FUNCTION_WORDS or word.isdigit() for word in words):
        raise refuse(f'Is all of that its name? Then put it in quotes: create "{name}"')


_BEFORE_NO_NAME: Final = frozenset(
    {"a", "an", "the", "my", "your", "me", "us", "some", "this", "that", "new", "another"}
)
_NO_NAMES: Final = frozenset({"nothing", "something", "anything", "one", "stuff", "it", "up", "down", "sure"})
_PERSONAL: Final = frozenset({"my", "your", "our", "his", "her", "their"})


def is_plainly_said(name: str, sentence: str) -> bool:
    """Whether a name was said as one, so that a workflow may be made of nothing else: `create raid`, not `make a timer`."""
    words = name.casefold().split()
    if sentence[max(0, sentence.find(name) - 1)] in '"“”':
        return True
    before = sentence[: sentence.find(name)].casefold().split()
    after_new = before[-1:] == ["new"] and len(before) > 1
    return not (
        after_new
        or (before[-1:] != ["new"] and set(before[-1:]) & _BEFORE_NO_NAME)
        or "make" in before
        or set(words) & _PERSONAL
        or name.casefold() in _NO_NAMES
    )


def is_blank(definition: Definition) -> bool:
    """Whether a workflow does nothing yet: it has one step, which stops."""
    first = definition.states[0]
    return len(definition.states) == 1 and isinstance(first.action, Stop) and not first.transitions


def made_up(stem: str, workspace: Workspace) -> str:
    """A free name with that stem: `raid`, `raid_2`."""
    stem = slug(stem)
    if stem in ALONE or re.fullmatch(r"[\d_-]+", stem):
        stem = f"my_{stem}"
    name, number = stem, 2
    while lookup(name, workspace) is not None:
        name, number = f"{stem}_{number}", number + 1
    return name


def slug(name: str, is_taken: Callable[[str], bool] = lambda _: False) -> str:
    """An id: lower case, letters, digits, `_` and `-`, not taken."""
    plain = re.sub(r"[^\w-]+", "_", fold(name)).strip("_")[: MAX_NAME - 6] or "workflow"
    unique, number = plain, 2
    while is_taken(unique):
        unique, number = f"{plain}_{number}", number + 1
    return unique


def stem_of(trigger: Trigger) -> str:
    """What a workflow is called that starts on this: `raid`, or the command or reward itself."""
    for variable in ("command", "reward"):
        said = _compared_with(trigger.when, variable)
        if said is not None:
            return said.lstrip("!")
    kind = kind_of(trigger.on)
    if kind is None or canonical(trigger.on) != trigger.on or not kind.aliases:
        return trigger.on.rsplit(".", maxsplit=1)[-1]
    return kind.aliases[0]


def _compared_with(guard: Formula | None, variable: str) -> str | None:
    match guard:
        case Compare("==", Variable(path), Literal(str() as value)) if path == variable:
            return value
        case And(operands):
            return next((said for each in operands if (said := _compared_with(each, variable)) is not None), None)
        case _:
            return None
