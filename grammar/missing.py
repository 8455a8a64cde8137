"""The piece that a sentence lacks at its end: what is asked for it, and where the answer goes.

`replace step 2` is no mistake, it is half of an instruction. Which piece is missing follows from what the parser expected
there; that it is this one is tried with a sample, by a function handed in, before anybody is asked.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from grammar.driver import Stuck
from grammar.instruction import Question
from grammar.names import lookup, quoted_name
from grammar.suggest import LIVE, is_wanted
from grammar.tree import Leaf
from grammar.words import split
from grammar.workspace import Workspace

MAX_TRIED: Final = 12
MAX_WORKFLOWS: Final = 9
MAX_OFFERED: Final = 9
MAX_NAME_WORDS: Final = 3
MANY_KINDS: Final = 4
"""Where names of so many kinds could stand, it is any value, and which is not known."""
LONGEST_END: Final = 10
MAX_SENTENCE: Final = 300
"""In a longer one no unknown name is asked about: each trial reads all of it."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """One that can be missing.

    Attributes:
        expects: The terminal that the parser expects at its beginning.
        question: How it is asked for.
        joint: What stands between the sentence and the answer.
        samples: Answers, one of which makes a sentence that works, if this is the piece.
        verbatim: Whether the answer is a text that is quoted.
    """

    expects: str
    question: str
    joint: str
    samples: tuple[str, ...]
    verbatim: bool = False


_PIECES: Final = (
    _Piece("_WITH_THOSE", "With what?", " with", ('say "hello"',)),
    _Piece("_TO", "How long should it be? Such as: 30 seconds.", " to", ("30 seconds",)),
    _Piece("_TO", "What should it say?", " to", ("hello there", '"hello there"'), verbatim=True),
    _Piece("_TO", "Which one?", " to", ('"Main"', "#general")),
    _Piece("_AS", "What should it be called?", " to", ('"my workflow"',), verbatim=True),
    _Piece("_BEFORE", "Where to? Such as: to the end, or after step 2.", "", ("to the end", "before step 1")),
    _Piece("_LATER", "When? Such as: in 20 minutes, or at 19:00.", "", ("in 20 minutes",)),
    _Piece("_BY_LENGTH", "By how much? Such as: 30 seconds.", " by", ("30 seconds",)),
    _Piece("DURATION", "How long? Such as: 30 seconds.", "", ("30 seconds",)),
    _Piece("TEXT", "What should it say?", "", ("hello there", '"hello there"'), verbatim=True),
    _Piece("SCENE", "Which scene?", "", ('"Main"',)),
    _Piece("SOUND", "Which sound?", "", ('"airhorn"',)),
    _Piece("SOURCE", "Which source?", "", ('"webcam"',)),
    _Piece("FILTER", "Which filter?", "", ('"blur"', '"blur" of "webcam"')),
    _Piece("REWARD", "Which reward?", "", ('"Hydrate"',)),
    _Piece("DISCORD_ROLE", "Which role?", "", ('"Member"',)),
    _Piece("COUNTER", "Which counter?", "", ('"deaths"',)),
    _Piece("CHANNEL", "Which channel?", "", ("#general",)),
    _Piece("USER", "Whom?", "", ("${user}",)),
    _Piece("EVENT", "When what happens? Such as: someone follows.", "", ("someone follows",)),
    _Piece("NUMBER", "How often? Such as: 3 times.", "", ("3 times",)),
    _Piece("_STEP", "Which step? Such as: step 1, or the wait.", "", ("step 1",)),
    _Piece("STRING", "What should it be?", "", ('"hello"',), verbatim=True),
)


def _asks_which(noun: str) -> Callable[[Question], bool]:
    return lambda question: question.text.startswith(f"Which {noun}?")


def _ending(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<head>.*\S)\s+(?:{words})", re.IGNORECASE | re.DOTALL)


_PLACEHOLDERS: Final[tuple[tuple[re.Pattern[str], Callable[[Question], bool]], ...]] = (
    (_ending("something|smth|anything|(?:a|some) (?:text|message|words)"), lambda question: question.verbatim),
    *(
        (_ending(f"(?:an?|some|another) {noun}"), _asks_which(noun))
        for noun in ("sound", "scene", "source", "filter", "reward", "role", "channel")
    ),
    (_ending("(?:for )?(?:a (?:while|bit|moment)|some time)"), lambda question: question.text.startswith("How long")),
    (_ending("someone|somebody"), lambda question: question.text == "Whom?"),
)
"""Words for what is still to be said, each with whether a question asks for that."""
_ENDS: Final = re.compile(
    r"(?:thing|smth|text|message|words|sound|scene|source|filter|reward|role|channel|while|bit|moment|time|one|body)\Z",
    re.IGNORECASE,
)
"""How those end: few sentences do, and to try each pattern on all of them takes long."""
_TURNED_INTO: Final = re.compile(r"\b(?:into|be|become) an? \w+\W*\Z", re.IGNORECASE)
"""`turn the announcement into a message`: that is what it becomes, and not what is still to be said."""


def missing(stuck: Stuck, sentence: str, workspace: Workspace, works: Callable[[str], bool]) -> Question | None:
    """What to ask where a sentence ends too early; None if it does not, or nothing short would mend it.

    Args:
        stuck: Where reading stopped.
        sentence: What was said.
        workspace: Whose names are offered.
        works: Whether a sentence is understood there, or asks for a further piece.
    """
    if stuck.word is not None or not stuck.read or "{}" in sentence or sentence.count('"') % 2:
        return None
    begun = sentence.rstrip()
    if lookup(begun, workspace) is not None or stuck.read[-1].type == "VARIABLE":
        # What follows a variable may be anything, so that anything would seem to mend it.
        return None
    if "WORKFLOW" in stuck.expected and (asked := _which_workflow(begun, workspace, works)) is not None:
        return asked
    for tried, (piece, sample) in enumerate(_possible(stuck)):
        if tried >= MAX_TRIED:
            break
        if works(f"{begun}{piece.joint} {sample}"):
            text = f"{piece.question}{_offered(piece.expects, workspace)}"
            return Question(text, gap=f"{begun}{piece.joint} {{}}", verbatim=piece.verbatim)
    return None


def _offered(terminal: str, workspace: Workspace) -> str:
    names: tuple[str, ...] = getattr(workspace.names, LIVE[terminal]) if terminal in LIVE else ()
    return f" {', '.join(names[:MAX_OFFERED])}" if names else ""


def unknown(stuck: Stuck, sentence: str, workspace: Workspace, works: Callable[[str], bool]) -> Question | None:
    """What to ask where a name is said that the stream does not have: the ones it has, as numbered answers.

    Args:
        stuck: Where reading stopped.
        sentence: What was said.
        workspace: Whose names are offered.
        works: Whether a sentence is understood there.
    """
    if stuck.word is None or not stuck.read or len(sentence) > MAX_SENTENCE:
        return None
    if stuck.word.startswith(('"', "“")) or "WORKFLOW" in stuck.expected:
        return None
    if len(LIVE.keys() & stuck.expected) >= MANY_KINDS:
        return None  # `the first message: yo` names nothing on the stream
    read = sentence[: stuck.at].rstrip()
    for terminal, group in LIVE.items():
        names: tuple[str, ...] = getattr(workspace.names, group)[:MAX_OFFERED]
        if not is_wanted(terminal, stuck.expected) or not names:
            continue
        # A channel's name is one word.
        longest = 1 if terminal == "CHANNEL" else MAX_NAME_WORDS
        ends = [stuck.at + word.end for word in split(sentence[stuck.at :], longest)]
        for end in ends:
            options = tuple(f"{read} {_written(terminal, name)}{sentence[end:]}" for name in names)
            if works(options[0]):
                said = sentence[stuck.at : end].strip()
                return _no_such(terminal, said, f"{read} {_written(terminal, said)}{sentence[end:]}", options, names)
    return None


def no_such(leaf: Leaf, sentence: str, workspace: Workspace) -> Question:
    """What to ask where something was said to be what the stream has by other names only."""
    names: tuple[str, ...] = getattr(workspace.names, LIVE[leaf.type])[:MAX_OFFERED]
    head, tail = sentence[: leaf.start], sentence[leaf.end :]
    options = tuple(f"{head}{_written(leaf.type, name)}{tail}" for name in names)
    said = str(leaf.value)
    return _no_such(leaf.type, said, f"{head}{_written(leaf.type, said)}{tail}", options, names)


def _no_such(terminal: str, said: str, new: str, options: tuple[str, ...], names: tuple[str, ...]) -> Question:
    text = f'There is no {terminal.casefold().replace("_", " ")} "{said}". Which one? A new one goes in quotes: {new}'
    return Question(text, options, hints=names)


def _written(terminal: str, name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f"#{name}" if terminal == "CHANNEL" else f'"{escaped}"'


def held_open(sentence: str, ask: Callable[[str], object]) -> Question | None:
    """What to ask where a word at the end stands for what is still to be said: `say something`, `play a sound`.

    Args:
        sentence: What was said.
        ask: What a sentence comes to; without that word it must ask for just that.
    """
    begun = sentence.strip()
    if _ENDS.search(begun, max(0, len(begun) - LONGEST_END)) is None or _TURNED_INTO.search(sentence) is not None:
        return None
    for pattern, asks in _PLACEHOLDERS:
        if (found := pattern.fullmatch(begun)) is not None:
            if any(other.fullmatch(found["head"]) for other, _ in _PLACEHOLDERS):
                return None
            answer = ask(found["head"])
            is_asked = isinstance(answer, Question) and answer.gap == f"{found['head']} {{}}" and asks(answer)
            return answer if isinstance(answer, Question) and is_asked else None
    return None


def _possible(stuck: Stuck) -> Iterator[tuple[_Piece, str]]:
    for piece in _PIECES:
        if piece.expects in stuck.expected:
            yield from ((piece, sample) for sample in piece.samples)


def _which_workflow(begun: str, workspace: Workspace, works: Callable[[str], bool]) -> Question | None:
    """The own workflows as numbered answers; the one there is is not asked about."""
    names = [quoted_name(view.definition.name) for view in workspace.workflows.values()]
    options = tuple(f"{begun} {name}" for name in names[:MAX_WORKFLOWS])
    if len(options) < 2 or not works(options[0]):
        return None
    return Question("Which workflow?", options, hints=tuple(names[:MAX_WORKFLOWS]))
