"""Refusals that teach: what was read, where it stopped, what could stand there, and one sentence that works here.

Words come from the same tables the parser reads, names from the workspace; so does the completion of what is being typed.
"""

from collections.abc import Callable, Collection, Iterable
from itertools import islice
from typing import Final

from engine.events import types
from grammar.driver import Stuck
from grammar.examples import example as example_of
from grammar.instruction import Refusal
from grammar.names import quoted_name
from grammar.references import nearest
from grammar.workspace import Workspace

MAX_SHOWN: Final = 40
MAX_EXPECTED: Final = 4
MAX_NAMED: Final = 3
MAX_COMPLETIONS: Final = 25
MAX_COMPLETION: Final = 100
"""A longer one fits no place that offers completions."""

VERBS: Final = (
    "create",
    "when someone",
    "add",
    "remove",
    "move",
    "change",
    "replace",
    "swap",
    "run",
    "test",
    "backtest",
    "stop",
    "cancel",
    "pause",
    "resume",
    "skip the wait",
    "extend",
    "retry",
    "status",
    "list",
    "show",
    "why",
    "list runs",
    "what is scheduled today",
    "history",
    "diff",
    "undo",
    "redo",
    "rename",
    "copy",
    "templates",
    "restore",
    "what if",
    "placeholders",
    "cooldown",
    "only while live",
    "let",
    "tag",
    "on error",
    "delete",
    "enable",
    "disable",
    "export",
    "import",
    "help",
)
_PARTS: Final = {
    "EVENT": "an event, like someone follows",
    "WORKFLOW": "a workflow's name",
    "DURATION": "a duration, like 45s",
    "NOUN": "a step, like the wait",
    "_STEP": "a step, like step 2",
    "STEP_NAME": "a step's name",
    "TEXT": "a text",
    "STRING": "a text in quotes",
    "NUMBER": "a number",
    "SCENE": "a scene",
    "SOURCE": "a source",
    "FILTER": "a filter",
    "SOUND": "a sound",
    "REWARD": "a reward",
    "DISCORD_ROLE": "a role",
    "COUNTER": "a counter",
    "CHANNEL": "a channel, like #general",
    "USER": "a user",
    "PERSON": "somebody, like @name",
    "NEW_NAME": "a name",
    "FORMULA": "a condition, like (viewers > 5)",
    "TIME": "a time, like 19:30",
    "DATE": "a date, like 2026-11-27",
    "ARGUMENT": "values, like name=value",
    "JSON": "JSON",
}
_QUOTES: Final = frozenset('"“”„')
LIVE: Final = {
    "SCENE": "scenes",
    "SOURCE": "sources",
    "FILTER": "filters",
    "SOUND": "sounds",
    "REWARD": "rewards",
    "CHANNEL": "channels",
    "DISCORD_ROLE": "roles",
    "COUNTER": "counters",
}


def refusal(stuck: Stuck, sentence: str, workspace: Workspace, works: Callable[[str], bool]) -> Refusal:
    """What to say when no reading was found; `works` tells whether a sentence is understood in this workspace."""
    if stuck.reason == "too long":
        return Refusal("That is too long for one message. Say it in parts, or import it as a file.", stuck.at)
    if stuck.reason == "too complicated":
        return Refusal("That is too complicated for one sentence. Say it in parts.", stuck.at)
    if stuck.word is None and not stuck.read:
        return Refusal(f'There is nothing to do for me in "{shown(sentence)}". Try: help', stuck.at)
    example = f"Try: {example_of(sentence, workspace, works, stuck)}"
    word = shown(stuck.word) if stuck.word is not None else None
    if stuck.at == 0 or not stuck.read:
        near = nearest(word or "", VERBS) if word else ()
        hint = f' Did you mean "{near[0]}"?' if near else ""
        return Refusal(f'I do not know what to do with "{word or ""}".{hint} {example}', stuck.at, near)
    read = shown(sentence[: stuck.at].strip(), last=True)
    wanted = expected(stuck.expected, workspace)
    wish = f" There I expected {' or '.join(wanted)}." if wanted else ""
    if stuck.word is not None and stuck.word[:1] in _QUOTES and (len(stuck.word) == 1 or stuck.word[-1] not in _QUOTES):
        return Refusal(f'The quote after "{read}" is not closed: put a " at the end of the text.', stuck.at)
    if '"' in sentence and sentence.count('"') % 2:
        wish = ' A quote is not closed: put a " at the end of the text.'
    where = f'I understood "{read}", but not "{word}".' if word else f'"{read}" is not all of it.'
    near = _near_names(stuck, workspace)
    hint = f' Did you mean "{near[0]}"?' if near else ""
    if word and f'"{word}' in example:
        hint += " A name I do not know is taken as it is, if it stands in quotes."
    return Refusal(f"{where}{wish}{hint} {example}", stuck.at, near)


def is_wanted(terminal: str, terminals: Collection[str]) -> bool:
    """Whether a terminal is worth saying of all that may stand at a place; a step hardly begins with a counter."""
    return terminal in terminals and not (terminal == "COUNTER" and "_WAIT" in terminals)


def expected(terminals: Collection[str], workspace: Workspace) -> tuple[str, ...]:
    """What may stand there, in words; live names where there are some."""
    found: list[str] = []
    for terminal, words in _PARTS.items():
        if not is_wanted(terminal, terminals):
            continue
        names: tuple[str, ...] = getattr(workspace.names, LIVE[terminal]) if terminal in LIVE else ()
        if terminal == "WORKFLOW":
            names = tuple(quoted_name(view.definition.name) for view in islice(workspace.workflows.values(), MAX_NAMED))
            words = words if names else f"{words} (but there is no workflow yet)"
        found.append(f"{words} ({', '.join(names[:MAX_NAMED])})" if names else words)
    return tuple(found[:MAX_EXPECTED])


def shown(text: str, *, last: bool = False) -> str:
    """A piece of what was typed, fit to be quoted back: one line, no invisible characters, not long."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    plain = " ".join(plain.split())
    if len(plain) <= MAX_SHOWN:
        return plain
    return f"... {plain[-MAX_SHOWN:]}" if last else f"{plain[:MAX_SHOWN]} ..."


def _near_names(stuck: Stuck, workspace: Workspace) -> tuple[str, ...]:
    if stuck.word is None:
        return ()
    known: list[str] = []
    if "WORKFLOW" in stuck.expected:
        known.extend(view.definition.name for view in workspace.workflows.values())
    for terminal, group in LIVE.items():
        if terminal in stuck.expected:
            known.extend(getattr(workspace.names, group))
    return nearest(stuck.word, known) if len(stuck.word) > 2 else ()


def completions(terminals: Iterable[str], prefix: str, workspace: Workspace, words: Iterable[str]) -> list[str]:
    """The words and names that may stand at a place and begin with what was typed there."""
    wanted = set(terminals)
    found: list[str] = []
    if "WORKFLOW" in wanted:
        found.extend(quoted_name(view.definition.name) for view in workspace.workflows.values())
    for terminal, group in LIVE.items():
        if terminal in wanted:
            names: tuple[str, ...] = getattr(workspace.names, group)
            found.extend(f"#{name}" if terminal == "CHANNEL" else f'"{name}"' for name in names)
    if "IN_WORKFLOW" in wanted:
        found.extend(f"in {quoted_name(view.definition.name)}" for view in workspace.workflows.values())
    if "EVENT" in wanted:
        found.extend(kind.clause for kind in types())
    found.extend(words)
    begun = prefix.casefold().lstrip('"#')
    fitting = [
        each
        for each in dict.fromkeys(found)
        if each.casefold().lstrip('"#').startswith(begun) and len(each) <= MAX_COMPLETION and _is_worth_it(each)
    ]
    return fitting[:MAX_COMPLETIONS]


def _is_worth_it(completion: str) -> bool:
    """Whether a word helps whoever types: no mere sign, and nothing with an article, as it is there without."""
    return any(map(str.isalnum, completion)) and not completion.startswith(("a ", "an "))
