"""The one example a refusal ends with: a sentence like the one attempted, with the user's own names, that works here.

Candidates come nearest first: what was read with the missing piece put in, then the same verb on an own workflow, then a
beginning for newcomers. Each is tried before it is shown, by a function handed in; this module reads nothing itself.
"""

from collections.abc import Callable, Iterator
from heapq import nsmallest
from typing import Final

from grammar.driver import Stuck
from grammar.names import quoted_name
from grammar.references import nearest
from grammar.words import key_of, split
from grammar.workspace import Workspace

FIRST: Final = 'create welcome when someone follows say "hi ${user}"'
MAX_TRIED: Final = 14
MAX_MENDED: Final = 4
MAX_SENTENCE: Final = 200
_LIVE: Final = {
    "SCENE": ("scenes", "BRB"),
    "SOUND": ("sounds", "airhorn"),
    "SOURCE": ("sources", "webcam"),
    "FILTER": ("filters", "blur"),
    "REWARD": ("rewards", "Hydrate"),
    "DISCORD_ROLE": ("roles", "Member"),
    "COUNTER": ("counters", "deaths"),
}
_SAMPLES: Final = {
    "DURATION": "10 seconds",
    "TEXT": '"hello"',
    "USER": "${user}",
    "EVENT": "someone follows",
    "NEW_NAME": "hype",
    "_STEP": "step 1",
    "TIME": "20:00",
    "DATE": "2030-01-31",
    "NUMBER": "2",
    "STRING": '"hello"',
    "_COLON": ': say "hello"',
}
_STOPS: Final = frozenset((",", ";", ".", "·", "+", "->", "then", "and", "when", "every", "if"))
_BY_VERB: Final = {
    ("create", "new", "build", "make"): ('create hype: say "hello"',),
    ("when", "whenever", "on", "once", "someone", "anyone"): ('when someone follows say "hi ${user}"',),
    ("every", "each", "at", "daily"): ('every 30 minutes say "drink some water"',),
    ("if",): ("in {} if step 1 fails go to step 2", 'when someone follows say "hi ${user}"'),
    ("after",): ("in {} after step 1 add wait 5 seconds",),
    ("add", "insert", "append", "put", "then", "before", "between"): ("in {} add wait 5 seconds",),
    ("remove", "drop", "cut"): ("in {} remove step 1", "in {} remove step 2"),
    ("delete",): ("in {} delete step 1", "delete workflow {}"),
    ("move",): ("in {} move step 1 to the end",),
    ("swap",): ("in {} swap step 1 and step 2",),
    ("replace",): ('in {} replace step 1 with say "hello"',),
    ("change", "set", "step"): ('in {} replace step 1 with say "hello"',),
    ("run", "start", "launch", "trigger", "execute"): ("run {}",),
    ("test", "simulate", "preview", "dry"): ("test {}", "test {} when someone follows"),
    ("backtest", "replay"): ("backtest {}",),
    ("show", "open", "what", "whats", "describe"): ("show {}", "list"),
    ("stop", "cancel", "pause", "resume"): ("{verb} {}", "{verb} everything"),
    ("skip",): ("skip the wait in {}",),
    ("extend", "shorten", "prolong"): ("{verb} the running wait of {} by 30 seconds",),
    ("retry", "try"): ("retry {}",),
    ("schedule", "scheduled", "agenda"): ("what is scheduled today",),
    ("why", "history", "diff", "status", "export"): ("{verb} {}",),
    ("enable", "disable", "turn", "activate", "deactivate"): ("disable {}", "enable {}"),
    ("rename", "call"): ('rename {} to "my workflow"',),
    ("copy", "duplicate", "clone"): ("export {} as text",),
    ("list", "workflows"): ("list",),
    ("undo", "revert"): ("undo",),
    ("import",): ('create hype: say "hello"',),
}
_VERBS: Final = {verb: examples for verbs, examples in reversed(_BY_VERB.items()) for verb in verbs}


def example(sentence: str, workspace: Workspace, works: Callable[[str], bool], stuck: Stuck | None = None) -> str:
    """The first fitting sentence that works; `help` if there is none.

    Args:
        sentence: What was attempted.
        workspace: Whose names are used.
        works: Whether a sentence is understood there.
        stuck: Where reading stopped, if it did.
    """
    for tried, candidate in enumerate(dict.fromkeys(_candidates(sentence, workspace, stuck))):
        if tried >= MAX_TRIED:
            break
        if works(candidate):
            return candidate
    return "help"


def _candidates(sentence: str, workspace: Workspace, stuck: Stuck | None) -> Iterator[str]:
    if len(sentence) <= MAX_SENTENCE:
        if stuck is not None and "WORKFLOW" in stuck.expected and not workspace.workflows:
            name = _run_from(sentence, stuck.at)
            if name is not None and " " not in name:
                yield f'create {name}: say "hello"'
        if stuck is not None and stuck.at > 0:
            mended = tuple(dict.fromkeys(_mended(sentence, workspace, stuck)))[:MAX_MENDED]
            own = next(iter(_own(workspace)), None)
            for each in mended:
                yield each
                yield f"in {own} add {each}" if own is not None else f"create hype: {each}"
        elif stuck is None:
            yield f"create hype: {sentence}"
    yield from _with_its_verb(sentence, workspace)
    if not workspace.workflows:
        yield FIRST


def _mended(sentence: str, workspace: Workspace, stuck: Stuck) -> Iterator[str]:
    """What was read, with what could stand there: the user's word in quotes, or a sample."""
    read = sentence[: stuck.at].rstrip()
    for terminal, (group, usual) in _LIVE.items():
        if terminal in stuck.expected:
            name = _run_from(sentence, stuck.at)
            if name is not None:
                yield f'{read} "{name}"'
            yield f'{read} "{next(iter(getattr(workspace.names, group)), usual)}"'
    if "CHANNEL" in stuck.expected:
        yield f"{read} #{next(iter(workspace.names.channels), 'general')}"
    if "WORKFLOW" in stuck.expected:
        yield from (f"{read} {name}" for name in _own(workspace))
    for terminal, sample in _SAMPLES.items():
        if terminal in stuck.expected:
            yield f"{read}{'' if sample.startswith(':') else ' '}{sample}"


def _run_from(sentence: str, at: int) -> str | None:
    """The words from a place to the next connector, as they were typed, if they can stand in quotes."""
    begin = end = at
    for word in split(sentence[at:], 12):
        if word.key in _STOPS or word.kind not in ("word", "number"):
            break
        end = at + word.end
    return sentence[begin:end] if end > begin else None


def _with_its_verb(sentence: str, workspace: Workspace) -> Iterator[str]:
    words = [key_of(word.text) for word in split(sentence, 4)]
    words = words[2:] if words[:1] == ["in"] else words[:3]
    typed = next((word for word in words if word in _VERBS), None)
    if typed is None and words:
        typed = next(iter(nearest(words[0], _VERBS)), None)
    if typed is None:
        return
    for pattern in _VERBS[typed]:
        if "{}" not in pattern:
            yield pattern.replace("{verb}", typed)
        else:
            own = _own(workspace, sentence)
            yield from (pattern.replace("{verb}", typed).replace("{}", name) for name in own)


def _own(workspace: Workspace, sentence: str = "") -> Iterator[str]:
    """The user's workflows: those that were named first, then that in focus."""
    said = sentence.casefold()
    views = nsmallest(
        3,
        workspace.workflows.values(),
        key=lambda view: (view.definition.name.casefold() not in said, view.definition.id != workspace.focus),
    )
    return (quoted_name(view.definition.name) for view in views)
